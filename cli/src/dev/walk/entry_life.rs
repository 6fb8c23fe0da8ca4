//! The life of an entry: a changed law and its update, two versions beside each other, off the list
//! for a suspected leak, and back.

use catalog_model::{
    calendar::WorkingDayCalendar, deadline::WorkingDays, reason::Reason, time::UtcMillis,
};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, EntryState, SharingKind},
    entry::v1::{
        ChangeReport, ChangeTrigger, DiffEntryRequest, DiffEntryResponse, EntryFile,
        EntrySuspension, GetEntryFileRequest, ReportChangeRequest, ResumeEntryRequest,
        SuspendEntryRequest, SuspensionGround,
    },
    operations::v1::{GetStatusRequest, GetStatusResponse},
};

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{AUTHORITY, Level},
        story::{StepFailed, Telling, failed, refused},
    },
    remote::session::request_id,
};

use super::{
    DIFF_ENTRY, GET_ENTRY_FILE, GET_STATUS, Provider, Walk,
    catalog::{publish_one, update, working},
    federation::{held, until_held},
    requests::{asker, file, request},
};

/// Working days in which a change of law is taken into the catalog (N809 17).
const UPDATE_DAYS: u16 = 10;

pub(super) async fn entry_life(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let authority = walk.town.office(Level::City, AUTHORITY).await?;
    let entry = untouched(walk, &authority).await?;
    let entry = working(walk, Level::City, &authority, &entry.name).await?;
    let provider = walk.provider(&entry)?;
    reported(walk, told, &provider, &entry).await?;
    let entry = published_anew(walk, told, &provider, entry).await?;
    let entry = Box::pin(suspended(walk, told, &provider, &entry)).await?;
    let entry = resumed(walk, told, &authority, &entry).await?;
    told.about(&entry.name);
    let published = walk.published.entry(Level::City).or_default();
    if let Some(known) = published.iter_mut().find(|known| known.name == entry.name) {
        *known = entry;
    }
    Ok(())
}

/// An unconditional entry of which no step before has published another version.
async fn untouched(walk: &Walk, authority: &Actor) -> Result<CatalogEntry, StepFailed> {
    let published = walk.published.get(&Level::City).into_iter().flatten();
    let free = |entry: &&CatalogEntry| {
        entry.sharing.as_ref().is_some_and(|sharing| sharing.kind() == SharingKind::Unconditional)
    };
    for entry in published.filter(free) {
        let look = on_file(walk, authority, &entry.name).await?;
        if look.answer.version_count == 1 {
            return Ok(entry.clone());
        }
    }
    failed(both!("every entry has changed already", "目录均已变更过"))
}

/// What is on file about the entry, through another node.
async fn on_file(walk: &Walk, desk: &Actor, name: &str) -> Result<Look<EntryFile>, StepFailed> {
    let question = GetEntryFileRequest { name: name.to_owned() };
    Ok(walk.town.look(Level::City, desk, GET_ENTRY_FILE, &question).await?)
}

/// A law changed today, on which the catalog rests: from now on an update is owed.
async fn reported(
    walk: &Walk,
    told: &mut Telling,
    provider: &Provider,
    entry: &CatalogEntry,
) -> Result<(), StepFailed> {
    let question = GetStatusRequest { name: provider.desk.parent() };
    let status: Look<GetStatusResponse> =
        walk.town.look(Level::City, &provider.desk, GET_STATUS, &question).await?;
    let seconds = status.answer.clock.map_or(0, |clock| clock.seconds);
    let today = UtcMillis(seconds.unsigned_abs() * 1000).local_date();
    let session = &provider.desk.session;
    session
        .entries()
        .report_change(session.call(ReportChangeRequest {
            name: entry.name.clone(),
            trigger: ChangeTrigger::Law.into(),
            day: today.to_string(),
            citation: "演示用法修正案（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?;
    let look = on_file(walk, &provider.desk, &entry.name).await?;
    let changes = look.answer.change_report.unwrap_or_default().changes;
    let Some(deadline) = changes.first().and_then(|change| change.deadline.clone()) else {
        return failed(both!("no update is owed", "没有应完成的更新"));
    };
    let calendar = WorkingDayCalendar::embedded();
    let due = calendar.add_working_days(today, WorkingDays(UPDATE_DAYS)).date;
    told.saw("update owed by", deadline.due_date, due.to_string())?;
    let (title, node) = (&entry.title, look.node);
    told.say(both!(
        "the law behind {title} changed on {today}: an update is owed by {due}; read at node {node}",
        "《{title}》所依据的法律于 {today} 调整：应于 {due} 前更新目录；经节点 {node} 复核"
    ));
    told.under(deadline.rule.as_ref());
    Ok(())
}

/// The update takes the ordinary path, and what it changed is told in the words of the guide.
async fn published_anew(
    walk: &Walk,
    told: &mut Telling,
    provider: &Provider,
    entry: CatalogEntry,
) -> Result<CatalogEntry, StepFailed> {
    let before = entry.title.clone();
    let title = format!("{before}（修订）");
    let draft = update(provider, CatalogEntry { title: title.clone(), ..entry }).await?;
    let published = publish_one(walk, Level::City, provider, draft).await?;
    let look = on_file(walk, &provider.desk, &published.name).await?;
    let owed: ChangeReport = look.answer.change_report.unwrap_or_default();
    told.saw("updates still owed", owed.changes.len(), 0)?;
    told.saw("published versions", look.answer.version_count, 2)?;
    let question = DiffEntryRequest { name: published.name.clone(), ..Default::default() };
    let look: Look<DiffEntryResponse> =
        walk.town.look(Level::City, &provider.desk, DIFF_ENTRY, &question).await?;
    let changes: Vec<(&str, &str, &str)> = look
        .answer
        .changes
        .iter()
        .map(|change| (change.field.as_str(), change.old_text.as_str(), change.new_text.as_str()))
        .collect();
    told.saw("what differs", changes, vec![("title", before.as_str(), title.as_str())])?;
    let (from, to) = (look.answer.from_version, look.answer.to_version);
    let label = look.answer.changes.first().map(|change| change.label.clone()).unwrap_or_default();
    told.say(both!(
        "updated, handed in and published in time; version {from} to {to}: {label} {before} → {title}",
        "按期更新、提交并发布；版本 {from} 至 {to}：{label} {before} → {title}"
    ));
    Ok(published)
}

/// Off the list at once, here and at the followers; nobody can ask for it meanwhile.
async fn suspended(
    walk: &Walk,
    told: &mut Telling,
    provider: &Provider,
    entry: &CatalogEntry,
) -> Result<CatalogEntry, StepFailed> {
    for level in [Level::Province, Level::District] {
        until_held(walk, level, Level::City, &entry.name, true).await?;
    }
    let session = &provider.desk.session;
    let suspended = session
        .entries()
        .suspend_entry(session.call(SuspendEntryRequest {
            name: entry.name.clone(),
            etag: entry.etag.clone(),
            ground: SuspensionGround::Leak.into(),
            reason: "疑似有记录外泄（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let look = on_file(walk, &provider.desk, &entry.name).await?;
    let ground = look.answer.suspension.as_ref().map(EntrySuspension::ground);
    told.saw("suspended for", ground, Some(SuspensionGround::Leak))?;
    let own = held(walk, Level::City, Level::City).await?;
    told.saw("listed in the city", own.contains_key(&entry.name), false)?;
    for level in [Level::Province, Level::District] {
        until_held(walk, level, Level::City, &entry.name, false).await?;
    }
    let (asker, head) = asker(walk, Level::City).await?;
    let wanted = request(&asker, entry, 1, "核验（合成）");
    let problem =
        refused(file(&asker, &head, wanted, request_id()).await, Reason::EntryNotAvailable)?;
    let (title, reason) = (&entry.title, &problem.reason_name);
    told.say(both!(
        "{title} is taken off the list at once for a suspected leak, at the followers too; a request for it: {reason}",
        "《{title}》因疑似泄露立即暂停，上下级副本同步下架；此时申请：{reason}"
    ));
    Ok(suspended)
}

/// The suspicion was unfounded: the authority puts it back as it was.
async fn resumed(
    walk: &Walk,
    told: &mut Telling,
    authority: &Actor,
    entry: &CatalogEntry,
) -> Result<CatalogEntry, StepFailed> {
    let session = &authority.session;
    session
        .entries()
        .resume_entry(session.call(ResumeEntryRequest {
            name: entry.name.clone(),
            etag: entry.etag.clone(),
            reason: "经查未外泄（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?;
    let back = working(walk, Level::City, authority, &entry.name).await?;
    told.saw("state", back.state(), EntryState::Published)?;
    let own = held(walk, Level::City, Level::City).await?;
    told.saw("listed in the city", own.contains_key(&entry.name), true)?;
    for level in [Level::Province, Level::District] {
        until_held(walk, level, Level::City, &entry.name, true).await?;
    }
    told.say(both!(
        "nothing had leaked: the authority puts it back as it was, and the followers list it again",
        "经查无泄露：主管部门恢复原目录，上下级副本重新列出"
    ));
    Ok(back)
}
