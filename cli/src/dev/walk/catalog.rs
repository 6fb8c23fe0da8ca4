//! From a foreign catalog to a published one: import, verify, complete, consent, submit, publish.

use std::{collections::BTreeSet, sync::Arc};

use catalog_model::organization::PartyClass as Class;
use luqiao_proto::{
    catalog::v1::{
        Assessment, AssessmentKind, CatalogEntry, ConsentEntryRequest, DataFormat, DataItem,
        DataLevel, EntryState, EntryView, GetEntryRequest, Grade, ItemType, LegalCitation,
        ListEntriesRequest, ListEntriesResponse, PublishEntryRequest, RegisterEntryRequest,
        SharingAttribute, SharingKind, SharingMethod, SourceLink, SubmitEntryRequest, UpdateCycle,
        UpdateEntryRequest,
    },
    organization::v1::{
        CreatePersonRequest, CreateSystemRequest, DataKind, GetOrganizationRequest, Organization,
        PartyClass, Person, PersonRole, System, UpdateOrganizationRequest,
    },
    rule::v1::Rank,
};
use luqiao_transport::identity::Subject;
use prost_types::FieldMask;

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT, credit_code},
        story::{StepFailed, Telling, expect, failed},
    },
    import::upload::upload,
    remote::session::request_id,
};

use super::{GET_ENTRY, GET_ORGANIZATION, LIST_ENTRIES, Provider, Walk};

/// How many drafts of the city are completed and published.
const CHOSEN: usize = 24;
/// How many organizations take part in that.
const PROVIDERS: usize = 8;
/// The word by which the walk searches later.
pub(super) const NEEDLE: &str = "维修";
/// The words by which a description says that its data are not shared.
const CLOSED: &str = "不予共享";
/// Serial numbers of credit codes of imported organizations begin here.
const SERIAL: u32 = 1000;

pub(super) async fn import(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    for (level, file) in walk.catalogs.clone() {
        let manager = walk.town.office(level, MANAGER).await?;
        let outcome = upload(&manager.session, &manager.parent(), &file, None).await?;
        if let Some(failure) = outcome.failure {
            return Err(failure.into());
        }
        let report = outcome.report;
        let (read, accepted, duplicates, quarantined) =
            (report.read, report.accepted, report.duplicates, report.quarantined);
        let domain = level.domain_text();
        told.say(both!(
            "{domain}: read {read} = accepted {accepted} + duplicates {duplicates} + quarantined {quarantined}",
            "{domain}：读取 {read} = 接收 {accepted} + 重复 {duplicates} + 隔离 {quarantined}"
        ));
        let drafts =
            all_entries(walk, level, &manager, EntryView::Working, EntryState::ImportedDraft)
                .await?;
        told.saw("imported drafts", drafts.len() as u64, accepted)?;
        let with_sharing = drafts.iter().filter(|draft| draft.sharing.is_some()).count();
        told.saw("drafts whose open type became a sharing attribute", with_sharing, 0)?;
        if level == Level::City {
            walk.chosen = choose(drafts);
        }
    }
    told.say(both!(
        "what the source does not state stays absent: no items, no grade, no sharing attribute is guessed",
        "来源未写明的内容保持空缺：不推测信息项、分级和共享属性"
    ));
    told.about("domains/xiamen");
    Ok(())
}

/// Every entry of a level in one state, through another node.
pub(super) async fn all_entries(
    walk: &Walk,
    level: Level,
    actor: &Actor,
    view: EntryView,
    state: EntryState,
) -> Result<Vec<CatalogEntry>, StepFailed> {
    entries_of(walk, level, actor, &actor.parent(), view, state).await
}

/// Every entry under `parent` that a level holds, through another node.
pub(super) async fn entries_of(
    walk: &Walk,
    level: Level,
    actor: &Actor,
    parent: &str,
    view: EntryView,
    state: EntryState,
) -> Result<Vec<CatalogEntry>, StepFailed> {
    let mut entries = Vec::new();
    let mut question = ListEntriesRequest {
        parent: parent.to_owned(),
        page_size: 500,
        view: view.into(),
        state: state.into(),
        ..Default::default()
    };
    loop {
        let look: Look<ListEntriesResponse> =
            walk.town.look(level, actor, LIST_ENTRIES, &question).await?;
        entries.extend(look.answer.entries);
        if look.answer.next_page_token.is_empty() {
            return Ok(entries);
        }
        question.page_token = look.answer.next_page_token;
    }
}

/// Which drafts are taken further: some about repairs, one that must not be shared, and others, of
/// a handful of departments.
fn choose(mut drafts: Vec<CatalogEntry>) -> Vec<CatalogEntry> {
    drafts.sort_by(|a, b| a.name.cmp(&b.name));
    drafts.retain(|draft| is_department(&draft.provider_name));
    let closed = |draft: &CatalogEntry| draft.r#abstract.contains(CLOSED);
    let repairs = |draft: &CatalogEntry| draft.title.contains(NEEDLE);
    // A stable sort keeps the order within each of the three: repairs first of all, and then what
    // must not be shared.
    let rank = |draft: &CatalogEntry| if repairs(draft) { 0 } else { u8::from(!closed(draft)) + 1 };
    drafts.sort_by_key(rank);
    let mut providers = BTreeSet::new();
    let mut chosen: Vec<CatalogEntry> = Vec::new();
    let mut closed_taken = 0;
    for draft in drafts {
        let known = providers.contains(&draft.provider);
        if chosen.len() == CHOSEN || (!known && providers.len() == PROVIDERS) {
            continue;
        }
        if closed(&draft) {
            closed_taken += 1;
            if closed_taken > 2 {
                continue;
            }
        }
        providers.insert(draft.provider.clone());
        chosen.push(draft);
    }
    chosen
}

fn is_department(name: &str) -> bool {
    ["局", "委员会", "办公室", "厅"].iter().any(|ending| name.ends_with(ending))
}

pub(super) async fn verify(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let manager = walk.town.office(Level::City, MANAGER).await?;
    let organizations: BTreeSet<String> =
        walk.chosen.iter().map(|draft| draft.provider.clone()).collect();
    for (place, name) in organizations.iter().enumerate() {
        let place = place as u32 + 1;
        let provider = verify_one(walk, &manager, name, place).await?;
        let question = GetOrganizationRequest { name: name.clone() };
        let look: Look<Organization> =
            walk.town.look(Level::City, &manager, GET_ORGANIZATION, &question).await?;
        told.saw("verified", look.answer.verified, true)?;
        let (display, code, node) = (&provider.display_name, &look.answer.credit_code, look.node);
        told.say(both!(
            "{display}: code {code} (synthetic), system and head on file; read at node {node}",
            "{display}：信用代码 {code}（合成），系统与负责人已备案；经节点 {node} 复核"
        ));
        walk.providers.insert(name.clone(), provider);
    }
    // The departments of province and district exist from the beginning.
    for (level, word) in [
        (Level::Province, DEPARTMENT),
        (Level::Province, OTHER_DEPARTMENT),
        (Level::District, DEPARTMENT),
    ] {
        let desk = walk.town.office(level, word).await?;
        let head = walk.town.head(level, word).await?;
        let office = level.offices().iter().find(|office| office.word == word);
        let display_name = office.map(|office| office.name.to_owned()).unwrap_or_default();
        walk.providers.insert(desk.organization.clone(), Provider { display_name, desk, head });
    }
    told.about("domains/xiamen");
    Ok(())
}

async fn verify_one(
    walk: &Walk,
    manager: &Actor,
    name: &str,
    place: u32,
) -> Result<Provider, StepFailed> {
    let session = &manager.session;
    let mut files = session.organizations();
    let organization = files
        .get_organization(session.call(GetOrganizationRequest { name: name.to_owned() }))
        .await?
        .into_inner();
    expect("verified by the import alone", organization.verified, false)?;
    let display_name = organization.display_name.clone();
    let code = credit_code(Class::GovernmentDepartment, Level::City, SERIAL + place);
    let completed = Organization {
        credit_code: code.to_string(),
        party_class: PartyClass::GovernmentDepartment.into(),
        capacities: vec![DataKind::GovernmentData.into()],
        region_code: Level::City.region().to_owned(),
        ..organization
    };
    let fields = ["credit_code", "party_class", "capacities", "region_code"];
    files
        .update_organization(session.call(UpdateOrganizationRequest {
            organization: Some(completed),
            update_mask: Some(FieldMask { paths: fields.map(str::to_owned).to_vec() }),
            request_id: request_id(),
        }))
        .await?;
    let system = System {
        display_name: format!("{display_name}业务系统（合成）"),
        description: "synthetic · 合成".to_owned(),
        ..Default::default()
    };
    let system = files
        .create_system(session.call(CreateSystemRequest {
            parent: name.to_owned(),
            system: Some(system),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let person = Person {
        display_name: format!("负责人{place}（合成）"),
        roles: vec![PersonRole::DepartmentHead.into(), PersonRole::SharingOfficeHead.into()],
        ..Default::default()
    };
    let person = files
        .create_person(session.call(CreatePersonRequest {
            parent: name.to_owned(),
            person: Some(person),
            request_id: request_id(),
        }))
        .await?
        .into_inner();

    let organization = last_part(name)?;
    let context = format!("{}-provider-{place}", Level::City.word());
    let subject = Subject::System { organization, system: last_part(&system.name)? };
    walk.town.topology.add_caller(Level::City, &context, subject)?;
    let head = format!("{context}-head");
    let subject = Subject::Person { organization, person: last_part(&person.name)? };
    walk.town.topology.add_caller(Level::City, &head, subject)?;
    Ok(Provider {
        display_name,
        desk: walk.town.actor(&context).await?,
        head: walk.town.actor(&head).await?,
    })
}

/// The id at the end of a resource name.
fn last_part<T: std::str::FromStr>(name: &str) -> Result<T, StepFailed> {
    name.rsplit('/')
        .next()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| StepFailed(both!("`{name}` ends in no id", "“{name}”末尾不是标识")))
}

pub(super) async fn complete(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let Some(draft) = walk.chosen.first().cloned() else {
        return failed(both!(
            "the catalog holds no entry of a department",
            "目录中没有政务部门的条目"
        ));
    };
    let desk = walk.provider(&draft)?.desk;
    let early = desk
        .session
        .catalog()
        .submit_entry(desk.session.call(SubmitEntryRequest {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            request_id: request_id(),
        }))
        .await;
    match early {
        Ok(_) => return failed(both!("an incomplete draft was taken", "不完整的草稿被接收")),
        Err(status) => {
            let problem = luqiao_transport::status::Problem::from_status(&status);
            let fields: Vec<&str> =
                problem.fields.iter().map(|(field, _)| field.as_str()).collect();
            if fields.is_empty() {
                return Err(status.into());
            }
            let (title, fields) = (&draft.title, fields.join(", "));
            let reason = &problem.reason_name;
            told.say(both!(
                "{title}, submitted as it came: {reason}; missing: {fields}",
                "《{title}》按原样提交：{reason}；缺少：{fields}"
            ));
        }
    }
    let still = working(walk, Level::City, &desk, &draft.name).await?;
    told.saw("state of the draft that was sent back", still.state(), EntryState::ImportedDraft)?;

    let closed_stated = walk.chosen.iter().any(|draft| draft.r#abstract.contains(CLOSED));
    let last = walk.chosen.len() - 1;
    let mut completed = Vec::new();
    for (place, draft) in walk.chosen.clone().into_iter().enumerate() {
        let closed = if closed_stated { draft.r#abstract.contains(CLOSED) } else { place == last };
        let kind = match (closed, place % 3) {
            (true, _) => SharingKind::NotShared,
            (false, 1) if !draft.items.iter().any(|item| item.personal) => {
                SharingKind::Unconditional
            }
            (false, 2) if draft.items.is_empty() => SharingKind::Unconditional,
            (false, _) => SharingKind::Conditional,
        };
        let provider = walk.provider(&draft)?;
        completed.push(update(&provider, with_what_is_missing(draft, &provider, kind)).await?);
    }
    // At least one entry has to be unconditional, whatever the catalog holds.
    if !completed.iter().any(|entry| kind_of(entry) == SharingKind::Unconditional)
        && let Some(place) = completed.iter().rposition(|e| kind_of(e) == SharingKind::Conditional)
    {
        let provider = walk.provider(&completed[place])?;
        let mut entry = completed[place].clone();
        entry.sharing = Some(attribute(SharingKind::Unconditional));
        completed[place] = update(&provider, entry).await?;
    }
    for entry in &completed {
        let desk = walk.provider(entry)?.desk;
        let look = working(walk, Level::City, &desk, &entry.name).await?;
        told.saw("state and label", (look.state(), look.synthetic), (EntryState::Draft, true))?;
    }
    let count = completed.len();
    let of = |kind| completed.iter().filter(|entry| kind_of(entry) == kind).count();
    let (free, bound, closed) =
        (of(SharingKind::Unconditional), of(SharingKind::Conditional), of(SharingKind::NotShared));
    told.say(both!(
        "{count} drafts completed, labelled synthetic: {free} unconditional, {bound} conditional, {closed} not shared",
        "补全 {count} 条并标注“合成”：无条件 {free}、有条件 {bound}、不予共享 {closed}"
    ));
    told.about(&completed[0].name);
    walk.chosen = completed;
    Ok(())
}

fn kind_of(entry: &CatalogEntry) -> SharingKind {
    entry.sharing.as_ref().map_or(SharingKind::Unspecified, SharingAttribute::kind)
}

async fn update(provider: &Provider, entry: CatalogEntry) -> Result<CatalogEntry, StepFailed> {
    let session = &provider.desk.session;
    let call =
        UpdateEntryRequest { entry: Some(entry), update_mask: None, request_id: request_id() };
    Ok(session.catalog().update_entry(session.call(call)).await?.into_inner())
}

/// The working version, through another node.
async fn working(
    walk: &Walk,
    level: Level,
    actor: &Actor,
    name: &str,
) -> Result<CatalogEntry, StepFailed> {
    let question = GetEntryRequest { name: name.to_owned(), view: EntryView::Working.into() };
    let look: Look<CatalogEntry> = walk.town.look(level, actor, GET_ENTRY, &question).await?;
    Ok(look.answer)
}

/// A draft with everything that publication asks for, made up where the source is silent.
fn with_what_is_missing(
    mut entry: CatalogEntry,
    provider: &Provider,
    kind: SharingKind,
) -> CatalogEntry {
    entry.synthetic = true;
    if entry.items.is_empty() {
        entry.items = ["记录编号", "名称", "办理日期", "状态"]
            .iter()
            .zip(["Record number", "Name", "Date handled", "Status"])
            .zip([ItemType::Character, ItemType::Character, ItemType::Date, ItemType::Character])
            .map(|((name, name_en), kind)| DataItem {
                name: format!("{name}（合成）"),
                name_en: format!("{name_en} (synthetic)"),
                r#type: kind.into(),
                ..Default::default()
            })
            .collect();
    }
    if entry.formats.is_empty() {
        entry.formats = vec![DataFormat::Spreadsheet.into()];
    }
    // Who collects personal information says by which duty.
    if entry.duty_basis.is_empty() {
        "本部门“三定”规定所列职责（合成）".clone_into(&mut entry.duty_basis);
    }
    if entry.update_cycle() == UpdateCycle::Unspecified {
        entry.update_cycle = UpdateCycle::Irregular.into();
    }
    entry.sharing = Some(attribute(kind));
    entry.sharing_method = match kind {
        SharingKind::NotShared => SharingMethod::Unspecified.into(),
        _ => SharingMethod::BatchExchange.into(),
    };
    entry.grade = Some(Grade { level: DataLevel::General.into(), grade: 2 });
    entry.assessments = [AssessmentKind::SecrecyRisk, AssessmentKind::PersonalInformationImpact]
        .map(|kind| Assessment {
            kind: kind.into(),
            passed: true,
            date: "2026-09-18".to_owned(),
            note: "synthetic · 合成".to_owned(),
        })
        .to_vec();
    entry.links = vec![SourceLink {
        system: provider.desk.name.clone(),
        dataset: "synthetic_table".to_owned(),
    }];
    entry
}

fn attribute(kind: SharingKind) -> SharingAttribute {
    let plain = SharingAttribute { kind: kind.into(), ..Default::default() };
    match kind {
        SharingKind::Conditional => SharingAttribute {
            scope: "依法履行职责的政务部门（合成）".to_owned(),
            purpose: "业务核验与统计（合成）".to_owned(),
            ..plain
        },
        SharingKind::NotShared => SharingAttribute {
            reason: "涉及举报人等须保密的信息（合成）".to_owned(),
            // No text of law that exists: the entry is made up, so is what it rests on.
            basis: Some(LegalCitation {
                title: "演示保密法（合成）".to_owned(),
                article: "1".to_owned(),
                rank: Rank::Law.into(),
                quote: "不得向其他单位提供（合成）".to_owned(),
            }),
            ..plain
        },
        SharingKind::Unconditional | SharingKind::Unspecified => plain,
    }
}

pub(super) async fn publish(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    for draft in walk.chosen.clone() {
        let provider = walk.provider(&draft)?;
        let entry = publish_one(walk, Level::City, &provider, draft).await?;
        walk.published.entry(Level::City).or_default().push(entry);
    }
    for (level, word, title, kind) in [
        (Level::Province, DEPARTMENT, "全省定点医疗机构名录（合成）", SharingKind::Unconditional),
        (
            Level::Province,
            OTHER_DEPARTMENT,
            "全省道路运输车辆信息（合成）",
            SharingKind::Conditional,
        ),
        (Level::District, DEPARTMENT, "思明区养老服务设施（合成）", SharingKind::Unconditional),
        (Level::District, DEPARTMENT, "思明区低保家庭信息（合成）", SharingKind::Conditional),
    ] {
        let organization = walk.town.office(level, word).await?.organization.clone();
        let provider = walk.providers[&organization].clone();
        let draft = register(&provider, title, kind).await?;
        let entry = publish_one(walk, level, &provider, draft).await?;
        walk.published.entry(level).or_default().push(entry);
    }
    for (level, entries) in &walk.published {
        let reader = walk.town.office(*level, DEPARTMENT).await?;
        let listed =
            all_entries(walk, *level, &reader, EntryView::Published, EntryState::Published).await?;
        let names = |entries: &[CatalogEntry]| -> BTreeSet<(String, String)> {
            entries.iter().map(|entry| (entry.name.clone(), entry.etag.clone())).collect()
        };
        told.saw("published entries", names(&listed), names(entries))?;
        let (domain, count) = (level.domain_text(), listed.len());
        told.say(both!(
            "{domain}: {count} entries in the catalog",
            "{domain}：目录中有 {count} 条"
        ));
    }
    told.say(both!(
        "nobody but the authority publishes, and only what its provider's head consented to",
        "仅主管部门可以发布，且须经提供单位负责人同意"
    ));
    if let Some(entry) = walk.published[&Level::City].first() {
        told.about(&entry.name);
    }
    Ok(())
}

async fn register(
    provider: &Provider,
    title: &str,
    kind: SharingKind,
) -> Result<CatalogEntry, StepFailed> {
    let entry = CatalogEntry {
        provider: provider.desk.organization.clone(),
        kind: DataKind::GovernmentData.into(),
        title: title.to_owned(),
        r#abstract: "演示用目录，内容均为合成。".to_owned(),
        classification: "演示".to_owned(),
        ..Default::default()
    };
    let session = &provider.desk.session;
    let call = RegisterEntryRequest {
        parent: provider.desk.parent(),
        entry: Some(with_what_is_missing(entry, provider, kind)),
        request_id: request_id(),
    };
    Ok(session.catalog().register_entry(session.call(call)).await?.into_inner())
}

/// The ordinary path: the head consents, the provider submits, the authority publishes.
async fn publish_one(
    walk: &Walk,
    level: Level,
    provider: &Provider,
    draft: CatalogEntry,
) -> Result<CatalogEntry, StepFailed> {
    let (desk, head) = (&provider.desk.session, &provider.head.session);
    let consented = head
        .catalog()
        .consent_entry(head.call(ConsentEntryRequest {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            standing_answer: kind_of(&draft) == SharingKind::Unconditional,
            request_id: request_id(),
            ..Default::default()
        }))
        .await?
        .into_inner();
    let submitted = desk
        .catalog()
        .submit_entry(desk.call(SubmitEntryRequest {
            name: consented.name,
            etag: consented.etag,
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let authority: Arc<Actor> = walk.town.office(level, AUTHORITY).await?;
    let session = &authority.session;
    let published = session
        .catalog()
        .publish_entry(session.call(PublishEntryRequest {
            name: submitted.name,
            etag: submitted.etag,
            request_id: request_id(),
        }))
        .await?;
    Ok(published.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(number: usize, provider: &str, title: &str, text: &str) -> CatalogEntry {
        CatalogEntry {
            name: format!("domains/xiamen/entries/{number:04}"),
            provider: provider.to_owned(),
            provider_name: provider.to_owned(),
            title: title.to_owned(),
            r#abstract: text.to_owned(),
            ..Default::default()
        }
    }

    #[test]
    fn repairs_come_first_and_companies_are_left_out() {
        let mut drafts: Vec<_> =
            (0..60).map(|n| draft(n, &format!("第{}局", n % 12), "公交站点", "")).collect();
        drafts.push(draft(60, "甲局", "机动车维修信息", ""));
        drafts.push(draft(61, "甲公司", "车辆维修信息", ""));
        drafts.push(draft(62, "乙局", "举报人信息", "依法保密，不予共享"));
        let chosen = choose(drafts);
        assert_eq!(chosen.len(), CHOSEN);
        assert_eq!(chosen[0].title, "机动车维修信息");
        assert!(chosen.iter().all(|draft| draft.provider_name.ends_with('局')));
        assert_eq!(chosen.iter().filter(|draft| draft.r#abstract.contains(CLOSED)).count(), 1);
        let providers: BTreeSet<_> = chosen.iter().map(|draft| &draft.provider).collect();
        assert!(providers.len() <= PROVIDERS);
    }

    #[test]
    fn a_small_catalog_is_taken_whole() {
        let drafts = vec![draft(1, "甲局", "甲", ""), draft(2, "乙局", "乙", "")];
        assert_eq!(choose(drafts).len(), 2);
    }
}
