//! Between domains: one case through every hop, a link that is cut, and catalogs that are equal.

use std::collections::BTreeMap;

use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, EntryState, EntryView, SharingAttribute, SharingKind, WithdrawEntryRequest,
    },
    sharing::v1::ShareRequestState,
};
use tokio::time::{Instant, sleep};

use crate::{
    both,
    dev::{
        actor::{Actor, LOOK_EVERY, PATIENCE},
        cast::{DEPARTMENT, Level},
        story::{StepFailed, Telling, expect, failed},
    },
    remote::session::request_id,
};

use super::{
    Walk,
    catalog::entries_of,
    requests::{agreed, answer, asker, cases, file, look_at, look_at_grant, request},
};

/// Who follows whom: what is above, what is below.
const LINKS: [(Level, Level); 2] = [(Level::Province, Level::City), (Level::City, Level::District)];

/// The listed entries of `of` that `level` holds.
pub(super) async fn held(
    walk: &Walk,
    level: Level,
    of: Level,
) -> Result<BTreeMap<String, CatalogEntry>, StepFailed> {
    let reader = walk.town.office(level, DEPARTMENT).await?;
    let parent = format!("domains/{}", of.domain_text());
    let entries =
        entries_of(walk, level, &reader, &parent, EntryView::Published, EntryState::Unspecified)
            .await?;
    Ok(entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect())
}

/// Waits until `level` holds entry `name` of `of`, or no longer does.
pub(super) async fn until_held(
    walk: &Walk,
    level: Level,
    of: Level,
    name: &str,
    wanted: bool,
) -> Result<(), StepFailed> {
    let patience = Instant::now() + PATIENCE;
    while held(walk, level, of).await?.contains_key(name) != wanted {
        if Instant::now() > patience {
            let (level, seconds) = (level.word(), PATIENCE.as_secs());
            return failed(both!(
                "the {level} did not follow within {seconds} s: {name}",
                "{level} 未在 {seconds} 秒内同步：{name}"
            ));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Waits until the case stands in `state` at `level`, for `actor`.
async fn until_state(
    walk: &Walk,
    level: Level,
    actor: &Actor,
    name: &str,
    state: ShareRequestState,
) -> Result<(), StepFailed> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let found = look_at(walk, level, actor, name).await;
        if found.as_ref().is_ok_and(|look| look.answer.state() == state) {
            return Ok(());
        }
        if Instant::now() > patience {
            let level = level.word();
            let found = match found {
                Ok(look) => format!("{:?}", look.answer.state()),
                Err(StepFailed(words)) => words.en,
            };
            return failed(both!(
                "at the {level} the case is {found}, not {state:?}",
                "案件在 {level} 为 {found}，而非 {state:?}"
            ));
        }
        sleep(LOOK_EVERY).await;
    }
}

pub(super) async fn district_to_city(
    walk: &mut Walk,
    told: &mut Telling,
) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Conditional, 2)?;
    let provider = walk.provider(&entry)?;
    let (asker, head) = asker(walk, Level::District).await?;
    until_held(walk, Level::District, Level::City, &entry.name, true).await?;
    let wanted = request(&asker, &entry, 2, "社区养老补贴核验（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;
    expect("owner", case.owner_domain.as_str(), Level::City.domain_text())?;
    until_state(walk, Level::City, &provider.desk, &case.name, ShareRequestState::Submitted)
        .await?;
    until_state(walk, Level::District, &asker, &case.name, ShareRequestState::Submitted).await?;
    let title = &entry.title;
    told.say(both!(
        "the district finds {title} in its copy and asks; the case keeps its name on the way",
        "区在本地副本中查到《{title}》并提出申请；案件名称一路不变"
    ));

    walk.town.cut(Level::City, Level::District);
    let received = look_at(walk, Level::City, &provider.desk, &case.name).await?.answer;
    answer(&provider, &received, agreed()).await?;
    let at_owner = look_at(walk, Level::City, &provider.desk, &case.name).await?.answer;
    told.saw("state at the owner", at_owner.state(), ShareRequestState::Agreed)?;
    let behind = look_at(walk, Level::District, &asker, &case.name).await?.answer;
    told.saw(
        "state at the district while the link is cut",
        behind.state(),
        ShareRequestState::Submitted,
    )?;
    told.say(both!(
        "the link is cut; the city answers; the district does not know it yet",
        "链路中断；市级作出答复；区级尚不知情"
    ));

    walk.town.heal(Level::City, Level::District);
    until_state(walk, Level::District, &asker, &case.name, ShareRequestState::Agreed).await?;
    same_everywhere(walk, told, Level::District, &asker, &case.name, &at_owner.grant).await?;
    told.say(both!(
        "the link is mended: status and grant arrive, once",
        "链路恢复：状态与授权到达，且仅一次"
    ));
    told.under(at_owner.rules.and_then(|rules| rules.answer_rule).as_ref());
    told.about(&case.name);
    walk.granted.insert(Level::District, (at_owner.grant, provider.clone()));
    walk.proven.push((Level::City, provider.desk, case.name.clone()));
    walk.proven.push((Level::District, asker, case.name));
    Ok(())
}

/// After a link was cut, the case stands once in the asker's domain, with the grant of the owner.
async fn same_everywhere(
    walk: &Walk,
    told: &mut Telling,
    level: Level,
    asker: &Actor,
    case: &str,
    grant: &str,
) -> Result<(), StepFailed> {
    let found = look_at(walk, level, asker, case).await?.answer;
    told.saw("grant at the asker's", found.grant.as_str(), grant)?;
    let copy = look_at_grant(walk, level, asker, grant).await?;
    told.saw("items of the grant at the asker's", &copy.items, &found.items)?;
    let all = cases(walk, level, asker).await?;
    told.saw(
        "how often the case stands there",
        all.iter().filter(|one| one.scenario == found.scenario).count(),
        1,
    )
}

pub(super) async fn city_to_province(
    walk: &mut Walk,
    told: &mut Telling,
) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::Province, SharingKind::Conditional, 2)?;
    let provider = walk.provider(&entry)?;
    let (asker, head) = asker(walk, Level::City).await?;
    until_held(walk, Level::City, Level::Province, &entry.name, true).await?;

    walk.town.cut(Level::City, Level::Province);
    let wanted = request(&asker, &entry, 2, "跨市转院车辆核验（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;
    let waiting = look_at(walk, Level::City, &asker, &case.name).await?.answer;
    told.saw("state while the link is cut", waiting.state(), ShareRequestState::Forwarded)?;
    let nothing = cases(walk, Level::Province, &provider.desk).await?;
    told.saw("cases at the province", nothing.len(), 0)?;
    let title = &entry.title;
    told.say(both!(
        "the link is cut, then the city asks for {title}: the case waits in the outbox",
        "链路中断后市级申请《{title}》：案件在待发箱中等候"
    ));

    walk.town.heal(Level::City, Level::Province);
    until_state(walk, Level::Province, &provider.desk, &case.name, ShareRequestState::Submitted)
        .await?;
    let received = look_at(walk, Level::Province, &provider.desk, &case.name).await?.answer;
    answer(&provider, &received, agreed()).await?;
    let at_owner = look_at(walk, Level::Province, &provider.desk, &case.name).await?.answer;
    told.saw("state at the owner", at_owner.state(), ShareRequestState::Agreed)?;
    until_state(walk, Level::City, &asker, &case.name, ShareRequestState::Agreed).await?;
    same_everywhere(walk, told, Level::City, &asker, &case.name, &at_owner.grant).await?;
    told.say(both!(
        "the link is mended: the case arrives, the province answers under its own rules",
        "链路恢复：案件送达，省级按本级规则答复"
    ));
    told.under(at_owner.rules.and_then(|rules| rules.answer_rule).as_ref());
    told.about(&case.name);
    walk.proven.push((Level::Province, provider.desk, case.name));
    Ok(())
}

pub(super) async fn withdrawal(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let asked = walk.entry(Level::City, SharingKind::Conditional, 3)?;
    let published = walk.published.entry(Level::City).or_default();
    // Nobody holds a grant for the last conditional one; the first was asked for all along.
    let place = published.iter().rposition(|entry| {
        entry.name != asked.name
            && entry.sharing.as_ref().is_some_and(|s| s.kind() == SharingKind::Conditional)
    });
    let Some(place) = place else {
        return failed(both!("there is no second conditional entry", "没有第二条有条件共享目录"));
    };
    let entry = published.remove(place);
    for level in [Level::Province, Level::District] {
        until_held(walk, level, Level::City, &entry.name, true).await?;
    }
    let desk = walk.provider(&entry)?.desk;
    let session = &desk.session;
    session
        .catalog()
        .withdraw_entry(session.call(WithdrawEntryRequest {
            name: entry.name.clone(),
            etag: entry.etag.clone(),
            reason: "职能调整（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?;
    let own = held(walk, Level::City, Level::City).await?;
    told.saw("listed in the city", own.contains_key(&entry.name), false)?;
    for level in [Level::Province, Level::District] {
        until_held(walk, level, Level::City, &entry.name, false).await?;
        let copy = held(walk, level, Level::City).await?;
        told.saw("held by a follower", copy.contains_key(&entry.name), false)?;
    }
    let title = &entry.title;
    told.say(both!(
        "{title} is withdrawn; its tombstone reaches province and district",
        "《{title}》已撤回；撤回记录到达省、区"
    ));
    told.about(&entry.name);
    Ok(())
}

/// What a follower must hold of an entry in the shared scope: all of it, or of one that is not
/// shared only name, owner and basis.
fn in_shared_scope(entry: &CatalogEntry) -> CatalogEntry {
    let not_shared = |attribute: &SharingAttribute| attribute.kind() == SharingKind::NotShared;
    match &entry.sharing {
        Some(attribute) if not_shared(attribute) => CatalogEntry {
            name: entry.name.clone(),
            title: entry.title.clone(),
            provider: entry.provider.clone(),
            sharing: Some(SharingAttribute {
                kind: attribute.kind,
                basis: attribute.basis.clone(),
                ..Default::default()
            }),
            ..Default::default()
        },
        _ => entry.clone(),
    }
}

pub(super) async fn catalogs_equal(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    for (above, below) in LINKS {
        // Upward everything that is listed, byte for byte.
        let own = held(walk, below, below).await?;
        until_all_held(walk, above, below, &own).await?;
        let copy = held(walk, above, below).await?;
        told.saw("full catalog at the superior", &copy, &own)?;
        let (a, b, count) = (above.domain_text(), below.domain_text(), own.len());
        told.say(both!(
            "{a} holds all {count} entries of {b}, equal in every field",
            "{a} 持有 {b} 全部 {count} 条目录，逐字段一致"
        ));

        // Downward what is shared.
        let own = held(walk, above, above).await?;
        until_all_held(walk, below, above, &own).await?;
        let copy = held(walk, below, above).await?;
        let seen = |entries: &BTreeMap<String, CatalogEntry>| -> BTreeMap<String, CatalogEntry> {
            entries.iter().map(|(name, entry)| (name.clone(), in_shared_scope(entry))).collect()
        };
        let hidden = copy.values().filter(|entry| {
            entry.sharing.as_ref().is_some_and(|s| s.kind() == SharingKind::NotShared)
        });
        let leaked: usize = hidden.map(|entry| entry.items.len()).sum();
        told.saw("shared catalog at the subordinate", seen(&copy), seen(&own))?;
        told.saw("items of entries that are not shared", leaked, 0)?;
        let count = copy.len();
        told.say(both!(
            "{b} holds {count} entries of {a}; of what is not shared only name, owner and basis",
            "{b} 持有 {a} 的 {count} 条目录；不予共享的仅含名称、提供单位与依据"
        ));
    }
    let replicas = walk.town.witness(Level::City).statuses().await;
    let nodes: Vec<u64> = replicas.iter().map(|(id, _)| *id).collect();
    told.say(both!(
        "the city's nodes {nodes:?} hold the same state by its hash",
        "市级节点 {nodes:?} 状态哈希一致"
    ));
    told.about("domains/xiamen");
    Ok(())
}

/// Waits until every one of `entries` of `of` has reached `level`, and no other is there.
async fn until_all_held(
    walk: &Walk,
    level: Level,
    of: Level,
    entries: &BTreeMap<String, CatalogEntry>,
) -> Result<(), StepFailed> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let copy = held(walk, level, of).await?;
        let same = copy.len() == entries.len()
            && entries.iter().all(|(name, entry)| {
                copy.get(name).is_some_and(|copy| copy.published_version == entry.published_version)
            });
        // What is not equal in the end is for the comparison to say.
        if same || Instant::now() > patience {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}
