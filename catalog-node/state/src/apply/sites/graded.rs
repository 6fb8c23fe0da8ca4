//! Graded acts: what concerns important or core data changes only while both sites hold the change
//! (DR-02, DR-04).
//!
//! An act is graded by the entry that it is about, as its words are and as they would be. What
//! stops something is never held up: a withdrawal, a suspension or a termination that waited for
//! the standby would leave open what somebody wanted closed.

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryContent, Grade},
    grant::Grant,
    ids::EntryId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    share_request::ShareRequest,
    site::Mode,
};

use super::sites;
use crate::{
    apply::requests,
    command::{
        Body,
        case::{CaseCommand, Filing},
        catalog::CatalogCommand,
    },
    keys,
    ledger::{self, Fact},
    rows::sites::DrPolicy,
    tx::Tx,
};

/// Refuses a graded act while one site alone works, and the grade `core` where no policy is on
/// file. From level 4 on.
pub(crate) fn check(tx: &Tx<'_>, body: &Body) -> Result<(), Refusal> {
    if tx.level < 4 {
        return Ok(());
    }
    if names_core(body) && !tx.has(&keys::sites::policy()) {
        return Err(Refusal::new(Reason::DrPolicyMissing));
    }
    let alone = sites(tx).filter(|row| row.mode == Mode::Async && !row.acts_released);
    if alone.is_none() {
        return Ok(());
    }
    match grade_of(tx, body).filter(|grade| *grade >= Grade::Important) {
        None => Ok(()),
        Some(grade) => {
            let (en, zh) = names(grade);
            Err(Refusal::new(Reason::StandbyRequired).fact("grade", en).fact("grade_zh", zh))
        }
    }
}

fn names(grade: Grade) -> (&'static str, &'static str) {
    match grade {
        Grade::Core => ("core", "核心"),
        _ => ("important", "重要"),
    }
}

/// An act that was refused on a case is on record, and with it that its lateness waits for a
/// ruling.
pub(crate) fn record_refusal(tx: &mut Tx<'_>, body: &Body, refusal: &Refusal) {
    let Some(case) = case_of(body) else { return };
    let Some(grade) = refusal.facts.get("grade").cloned() else { return };
    let key = keys::sites::standby_refused(&case);
    if tx.has(&key) || requests::owned(tx, &case).is_err() {
        return;
    }
    let fact = Fact::ActRefusedOneSite { grade };
    let record = ledger::append(tx, &case, fact, None, &[]);
    tx.put(&key, &record);
}

/// Whether an act on the case was refused because one site alone worked.
pub(crate) fn was_refused(tx: &Tx<'_>, case: &ResourceName) -> bool {
    tx.level >= 4 && tx.has(&keys::sites::standby_refused(case))
}

/// Whether the words would grade something core.
fn names_core(body: &Body) -> bool {
    let core = |content: &EntryContent| of_content(content) == Some(Grade::Core);
    match body {
        Body::RegisterEntry { content, .. } | Body::UpdateEntry { content, .. } => core(content),
        Body::ImportEntries { entries } => entries.iter().any(|line| core(&line.content)),
        _ => false,
    }
}

fn of_content(content: &EntryContent) -> Option<Grade> {
    let items = content.items.iter().filter_map(|item| item.grade);
    items.chain(content.grade).max()
}

/// The grade of what an act is about.
fn grade_of(tx: &Tx<'_>, body: &Body) -> Option<Grade> {
    match body {
        Body::RegisterEntry { content, .. } => of_content(content),
        Body::UpdateEntry { id, content, .. } => of_content(content).max(of_entry(tx, *id)),
        Body::ImportEntries { entries } => {
            entries.iter().filter_map(|line| of_content(&line.content)).max()
        }
        Body::SubmitEntry { id, .. }
        | Body::ReturnEntry { id, .. }
        | Body::PublishEntry { id, .. } => of_entry(tx, *id),
        Body::GiveConsent { subject, .. } => of_name(tx, subject),
        Body::CreateRequest { content, .. } => of_name(tx, &content.entry),
        Body::ReceiveForwarded { request, .. } => of_name(tx, &request.content.entry),
        Body::Grant(command) => command.goes_on().and_then(|about| of_name(tx, about)),
        Body::Catalog(command) => match command.as_ref() {
            CatalogCommand::ReviewAttribute { id, .. }
            | CatalogCommand::RuleReclassification { id, .. }
            | CatalogCommand::ResumeEntry { id, .. }
            | CatalogCommand::ArchiveEntry { id, .. }
            | CatalogCommand::MarkImportant { id, .. } => of_entry(tx, *id),
            CatalogCommand::ReportChange { subject, .. }
            | CatalogCommand::ExtendUpdate { subject, .. } => of_name(tx, subject),
            _ => None,
        },
        Body::Case(command) => match command.as_ref() {
            CaseCommand::CreateMixedRequest { parts, .. } => {
                parts.iter().filter_map(|part| of_name(tx, &part.content.entry)).max()
            }
            CaseCommand::FileOnBehalf { filing, .. } => match filing.as_ref() {
                Filing::Request { content, .. } => of_name(tx, &content.entry),
                _ => case_of(body).and_then(|case| of_name(tx, &case)),
            },
            _ => case_of(body).and_then(|case| of_name(tx, &case)),
        },
        _ => case_of(body).and_then(|case| of_name(tx, &case)),
    }
}

/// The case on which an act is.
fn case_of(body: &Body) -> Option<ResourceName> {
    match body {
        Body::CompleteRequest { request, .. }
        | Body::GiveOpinion { request, .. }
        | Body::AnswerRequest { request, .. }
        | Body::ExtendRequest { request, .. } => Some(request.clone()),
        Body::GiveConsent { subject, .. } if matches!(subject.resource, Resource::Request(_)) => {
            Some(subject.clone())
        }
        Body::Case(command) => command.request().cloned(),
        _ => None,
    }
}

fn of_name(tx: &Tx<'_>, name: &ResourceName) -> Option<Grade> {
    let entry = match &name.resource {
        Resource::Entry(_) => name.clone(),
        Resource::Request(id) => {
            tx.get::<ShareRequest>(&keys::request(&name.domain, *id))?.content.entry
        }
        Resource::Grant(id) => tx.get::<Grant>(&keys::grant(&name.domain, *id))?.entry,
        _ => return None,
    };
    let Resource::Entry(id) = entry.resource else { return None };
    let own = (entry.domain == *tx.domain()).then(|| of_entry(tx, id)).flatten();
    let listed: Option<CatalogEntry> = tx.get(&keys::published_entry(&entry.domain, id));
    own.max(listed.and_then(|listed| of_content(&listed.content)))
}

fn of_entry(tx: &Tx<'_>, id: EntryId) -> Option<Grade> {
    let entry: Option<CatalogEntry> = tx.get(&keys::entry(tx.domain(), id));
    let listed: Option<CatalogEntry> = tx.get(&keys::published_entry(tx.domain(), id));
    let grade = |entry: Option<CatalogEntry>| entry.and_then(|entry| of_content(&entry.content));
    grade(entry).max(grade(listed))
}

/// Refuses to publish an entry that is graded core where no policy is on file: it may have been
/// graded before the cluster knew the rule.
pub(crate) fn check_publishable(tx: &Tx<'_>, entry: &CatalogEntry) -> Result<(), Refusal> {
    let core = of_content(&entry.content) == Some(Grade::Core);
    if tx.level >= 4 && core && tx.get::<DrPolicy>(&keys::sites::policy()).is_none() {
        return Err(Refusal::new(Reason::DrPolicyMissing));
    }
    Ok(())
}
