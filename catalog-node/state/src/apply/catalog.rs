//! Catalog entries: from draft to the catalog and out of it again (CAT-01..05, 11, 27, 29, 30).
//!
//! The provider compiles, the head consents, the authority alone publishes. A published version
//! is a row of its own: readers and followers see it unchanged until the next one is published.

pub(crate) mod changes;
pub mod clocks;
pub(crate) mod publishable;
pub(crate) mod review;
pub(crate) mod secrecy;
mod standing;
pub(in crate::apply) mod versions;
pub mod worklist;

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryContent, EntryOrigin, EntryState},
    deadline::{DeadlineKind, WorkingDayClock},
    entry_file::{AuthorityReview, EntryFile, EntryVersion},
    grant::Grant,
    ids::{EntryId, OrganizationId},
    name::{Resource, ResourceName},
    organization::{DataKind, Organization},
    paper_decision::PaperDecision,
    policy,
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
    share_request::PartyRole,
    sharing::{SharingAttribute, SharingKind},
};
use sha2::{Digest, Sha256};

use self::publishable::publishable;
pub(crate) use self::publishable::sharing_of;
pub(in crate::apply) use self::standing::{put_away, take_off};
use crate::{
    apply::{
        cases::separation,
        organizations::{self, is_authority, is_platform, on_file, same_version},
        text,
    },
    command::{ImportedEntry, catalog::CatalogCommand},
    event::Event,
    feed, keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::{ImportResult, Outcome},
    rows::DeadlineRow,
    tx::Tx,
};

/// Commands on the life of entries.
pub(crate) fn dispatch(
    tx: &mut Tx<'_>,
    law: &Law,
    command: &CatalogCommand,
) -> Result<Outcome, Refusal> {
    match command {
        CatalogCommand::ReportChange { subject, trigger, day, citation } => {
            changes::report(tx, law, subject, *trigger, *day, citation)
        }
        CatalogCommand::ExtendUpdate { subject, working_days, reason } => {
            changes::extend(tx, law, subject, *working_days, reason)
        }
        CatalogCommand::CompleteUpdate { organization, entries } => {
            changes::complete(tx, *organization, entries)
        }
        CatalogCommand::ReviewAttribute { id, version, outcome, note } => {
            review::review(tx, law, *id, *version, *outcome, note)
        }
        CatalogCommand::StartReclassification { cause } => worklist::start(tx, law, cause),
        CatalogCommand::RuleReclassification { id, decision } => {
            worklist::rule_on(tx, law, *id, decision)
        }
        CatalogCommand::SuspendEntry { id, version, ground, reason } => {
            standing::suspend(tx, *id, *version, *ground, reason)
        }
        CatalogCommand::ResumeEntry { id, version, reason } => {
            standing::resume(tx, law, *id, *version, reason)
        }
        CatalogCommand::ArchiveEntry { id, version } => standing::archive(tx, *id, *version),
        CatalogCommand::MarkImportant { id, important, decision } => {
            standing::mark_important(tx, *id, *important, decision)
        }
        CatalogCommand::UpdatePerson { organization, person, version, display_name, terms } => {
            let (organization, person, version) = (*organization, *person, *version);
            organizations::persons::update(tx, organization, person, version, display_name, terms)
        }
        CatalogCommand::RefuseSecret { organization, mark } => {
            secrecy::refused_at_edge(tx, law, *organization, *mark)
        }
    }
}

pub(crate) fn register(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    provider: OrganizationId,
    kind: DataKind,
    content: &EntryContent,
) -> Result<Outcome, Refusal> {
    may_compile(tx, provider)?;
    let provider = on_file(tx, provider)?;
    if tx.has(&keys::entry(tx.domain(), id)) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", entry_name(tx, id)));
    }
    if !provider.capacities.contains(&kind) {
        let kind = kind_name(kind);
        return Err(Refusal::new(Reason::DataKindNotPermitted).fact("kind", kind));
    }
    secrecy::check_intake(tx, law, provider.class, kind, content)?;
    policy::check_entry_content(content)?;
    let entry = draft(tx, id, &provider, kind, EntryState::Draft, EntryOrigin::Registered, content);
    create(tx, &entry);
    Ok(Outcome::Done(Some(entry_name(tx, id))))
}

/// Takes over the lines of a foreign catalog, each on its own: a line that is refused does not
/// hold up the others.
pub(crate) fn import(
    tx: &mut Tx<'_>,
    law: &Law,
    lines: &[ImportedEntry],
) -> Result<Outcome, Refusal> {
    if !is_platform(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let results = lines.iter().map(|line| {
        import_line(tx, law, line).unwrap_or_else(|refusal| {
            secrecy::record_line(tx, &line.content, &refusal);
            ImportResult::Refused(refusal)
        })
    });
    Ok(Outcome::Imported(results.collect()))
}

fn import_line(tx: &mut Tx<'_>, law: &Law, line: &ImportedEntry) -> Result<ImportResult, Refusal> {
    let EntryOrigin::OpenPortal { portal, .. } = &line.origin else {
        let (en, zh) = ("not an open portal", "不是开放平台来源");
        return Err(Refusal::new(Reason::FieldInvalid).field("entry.origin", en, zh));
    };
    if line.content.sharing.is_some() {
        return Err(Refusal::new(Reason::ImportOpenTypeNotSharing));
    }
    secrecy::check_intake(tx, law, None, DataKind::GovernmentData, &line.content)?;
    let origin = keys::entry_origin(&origin_digest(portal, &line.provider_name, &line.content));
    if let Some(known) = tx.get::<EntryId>(&origin) {
        return Ok(ImportResult::Duplicate(known));
    }
    if line.provider_name.trim().is_empty() {
        let refusal = Refusal::new(Reason::FieldInvalid);
        return Err(refusal.field("entry.provider", "missing", "缺少"));
    }
    text::check("entry.provider", &line.provider_name)?;
    policy::check_entry_content(&line.content)?;
    if tx.has(&keys::entry(tx.domain(), line.id)) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", entry_name(tx, line.id)));
    }
    let provider = imported_provider(tx, line)?;
    let kind = kind_of_import(&provider, DataKind::GovernmentData);
    let state = EntryState::ImportedDraft;
    let entry = draft(tx, line.id, &provider, kind, state, line.origin.clone(), &line.content);
    create(tx, &entry);
    tx.put(&origin, &line.id);
    Ok(ImportResult::Accepted(line.id))
}

/// The digest by which a repeated line is known: each text with its length before it, so that no
/// two lines share one.
fn origin_digest(portal: &str, provider: &str, content: &EntryContent) -> [u8; 32] {
    let mut hash = Sha256::new();
    for text in [portal, &content.title, provider, &content.abstract_text] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// The organization of that name; one that is not on file is filed unverified, because a name in
/// a foreign catalog proves neither code nor class.
fn imported_provider(tx: &mut Tx<'_>, line: &ImportedEntry) -> Result<Organization, Refusal> {
    let by_name = keys::organization_name(tx.domain(), &line.provider_name);
    if let Some(id) = tx.get::<OrganizationId>(&by_name) {
        return on_file(tx, id);
    }
    if tx.has(&keys::organization(tx.domain(), line.organization)) {
        let resource = Resource::Organization(line.organization);
        let name = ResourceName::new(tx.domain().clone(), resource);
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    let organization = Organization {
        id: line.organization,
        domain: tx.domain().clone(),
        name: line.provider_name.clone(),
        name_en: line.provider_name_en.clone(),
        credit_code: None,
        class: None,
        capacities: Vec::new(),
        platform_role: None,
        region_code: String::new(),
        verified: false,
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    super::organizations::store(tx, &organization);
    Ok(organization)
}

/// An open portal does not say in which capacity a unit compiled; where the unit has but one, it
/// was that.
fn kind_of_import(provider: &Organization, otherwise: DataKind) -> DataKind {
    match provider.capacities.as_slice() {
        [only] => *only,
        _ => otherwise,
    }
}

pub(crate) fn update(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    version: u64,
    content: &EntryContent,
) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    // The provider mostly acts itself: its row is read once.
    let own = tx.caller.domain == *tx.domain() && tx.acting_organization() == Some(old.provider);
    let on_file_here = own.then(|| tx.caller_organization()).flatten();
    if on_file_here.is_none() {
        may_compile(tx, old.provider)?;
    }
    same_version(old.version, version)?;
    if !old.state.is_editable() {
        return Err(wrong_state(&old, "a draft or a published entry"));
    }
    let provider = on_file_here.map_or_else(|| on_file(tx, old.provider), Ok)?;
    secrecy::check_intake(tx, law, provider.class, old.kind, content)?;
    policy::check_entry_content(content)?;
    let state = match old.state {
        EntryState::Published | EntryState::ChangePending => EntryState::ChangePending,
        EntryState::Suspended => EntryState::Suspended,
        _ => EntryState::Draft,
    };
    let kind = match old.state {
        EntryState::ImportedDraft => kind_of_import(&provider, old.kind),
        _ => old.kind,
    };
    let entry = CatalogEntry {
        state,
        kind,
        provider_name: provider.name,
        provider_class: provider.class,
        content: content.clone(),
        ..old
    };
    Ok(change(tx, entry))
}

pub(crate) fn submit(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    version: u64,
) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    if tx.caller_organization().is_none_or(|caller| caller.id != old.provider) {
        return Err(not_permitted(tx, "the provider of the entry"));
    }
    same_version(old.version, version)?;
    // A suspended entry is handed in as an update: it is one of what was published.
    let draft = matches!(old.state, EntryState::ImportedDraft | EntryState::Draft);
    let unlisted = draft || old.state == EntryState::Suspended;
    if !unlisted && old.state != EntryState::ChangePending {
        return Err(wrong_state(&old, "a draft or a changed entry"));
    }
    let (provider, resolution) = publishable(tx, law, &old)?;
    if tx.level >= 3
        && let Some(switch) = resolution.only_persons_on_file()
    {
        organizations::persons::check_on_file(tx, old.provider, switch)?;
    }
    if old.state == EntryState::ImportedDraft {
        return Err(wrong_state(&old, "a draft that the provider has completed"));
    }
    let name = entry_name(tx, id);
    publishable::consented(tx, &resolution, &old)?;
    let mut review = None;
    if !draft && let Some((days, rule)) = resolution.catalog_review_days() {
        let kind = DeadlineKind::CatalogReview;
        let clock = WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar);
        tx.set_deadline(&name, &clock);
        review = Some(AuthorityReview {
            clock,
            escalation: resolution.escalation_of(PartyRole::Authority),
            order: resolution.authority_order(),
        });
    }
    if tx.level >= 3 {
        let submitted_time = Some(tx.clock);
        let submitter = tx.acting_person();
        let file =
            EntryFile { submitted_time, authority_review: review, submitter, ..file(tx, id) };
        tx.put(&keys::entry_file(&old.domain, id), &file);
        changes::submitted(tx, &old);
    }
    let entry = CatalogEntry {
        state: if unlisted { EntryState::Submitted } else { EntryState::ChangeSubmitted },
        return_reason: String::new(),
        provider_name: provider.name,
        provider_class: provider.class,
        ..old
    };
    Ok(change(tx, entry))
}

pub(crate) fn return_entry(
    tx: &mut Tx<'_>,
    _law: &Law,
    id: EntryId,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    same_version(old.version, version)?;
    let suspended = tx.level >= 3 && file(tx, id).suspension.is_some();
    let state = match old.state {
        EntryState::Submitted if suspended => EntryState::Suspended,
        EntryState::Submitted => EntryState::Draft,
        EntryState::ChangeSubmitted => EntryState::ChangePending,
        _ => return Err(wrong_state(&old, "a submitted entry")),
    };
    text::check_reason("reason", reason)?;
    let name = entry_name(tx, id);
    tx.clear_deadline(DeadlineKind::CatalogReview, &name);
    if tx.level >= 3 {
        let file = EntryFile { authority_review: None, ..file(tx, id) };
        tx.put(&keys::entry_file(&old.domain, id), &file);
    }
    let fact = Fact::EntryReturned { version: old.version };
    ledger::append(tx, &name, fact, None, &[("reason", reason)]);
    let entry = CatalogEntry { state, return_reason: reason.to_owned(), ..old };
    Ok(change(tx, entry))
}

pub(crate) fn publish(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    version: u64,
) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    same_version(old.version, version)?;
    if !matches!(old.state, EntryState::Submitted | EntryState::ChangeSubmitted) {
        return Err(wrong_state(&old, "a submitted entry"));
    }
    if tx.level >= 3 {
        let what = ("the catalog entry", "目录条目");
        separation::check(tx, law, what, file(tx, id).submitter, tx.acting_person())?;
    }
    // Again, because the law may have changed since the submission.
    let (_, resolution) = publishable(tx, law, &old)?;
    let name = entry_name(tx, id);
    tx.clear_deadline(DeadlineKind::CatalogReview, &name);
    if !old.state.is_listed() {
        tx.counters_mut().listed_entries += 1;
    }
    let entry = CatalogEntry {
        state: EntryState::Published,
        published_version: old.version + 1,
        published_time: Some(tx.clock),
        ..old
    };
    if tx.level >= 3 {
        versions::catch_up(tx, &entry);
    }
    let outcome = change(tx, entry);
    let entry = working(tx, id)?;
    super::relations::listing_changes(tx, (&entry.domain, id), Some(&entry));
    let bytes = tx.put_returning(&keys::published_entry(&entry.domain, id), &entry);
    feed::entry_changed(tx, id, Some(&entry));
    let sharing = entry.content.sharing.as_ref().map(SharingAttribute::kind);
    let fact = Fact::EntryPublished {
        version: entry.version,
        sharing: sharing.unwrap_or(SharingKind::NotShared),
        digest: Sha256::digest(&bytes).into(),
    };
    ledger::append(tx, &name, fact, resolution.publisher(), &[]);
    if tx.level >= 3 {
        published(tx, law, &resolution, &entry);
    }
    tx.emit(Event::EntryListed(name));
    Ok(outcome)
}

/// What follows a publication: the version goes on file, the attribute's clock runs, what was
/// owed is done.
fn published(tx: &mut Tx<'_>, law: &Law, resolution: &Resolution, entry: &CatalogEntry) {
    let name = entry_name(tx, entry.id);
    let mut file = file(tx, entry.id);
    let last = keys::entry_version(&entry.domain, entry.id, file.versions);
    let before: Option<EntryVersion> = tx.get(&last);
    let kind = |entry: &CatalogEntry| entry.content.sharing.as_ref().map(SharingAttribute::kind);
    let old = before.as_ref().and_then(|version| kind(&version.entry));
    versions::add(tx, law, &mut file, entry);
    file.authority_review = None;
    let unsuspended = file.suspension.take().is_some();
    if let (Some(from), Some(to)) = (old, kind(entry))
        && from != to
    {
        ledger::append(tx, &name, Fact::AttributeChanged { from, to }, None, &[]);
    }
    if old != kind(entry) {
        file.attribute_since = Some(tx.clock);
    }
    if old != kind(entry) || unsuspended || file.attribute_review.is_none() {
        let since = file.attribute_since.unwrap_or(tx.clock);
        review::count(tx, law, resolution, &name, since, &mut file);
    }
    tx.put(&keys::entry_file(&entry.domain, entry.id), &file);
    worklist::settle(tx, entry, true);
}

pub(crate) fn withdraw(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    let own = tx.caller_organization().is_some_and(|caller| caller.id == old.provider);
    if !own && !is_authority(tx) {
        return Err(not_permitted(tx, "the provider of the entry or the authority"));
    }
    same_version(old.version, version)?;
    if matches!(old.state, EntryState::Withdrawn | EntryState::Archived) {
        return Err(wrong_state(&old, "an entry that is not withdrawn"));
    }
    text::check_reason("reason", reason)?;
    let live = live_grants(tx, &old).len();
    if live > 0 {
        let refusal = Refusal::new(Reason::EntryHasLiveGrants).fact("count", live);
        return Err(match service_change_rule(tx, law, &old) {
            Some(rule) => refusal.under(rule),
            None => refusal,
        });
    }
    super::relations::check_withdrawal(tx, id)?;
    Ok(take_out(tx, old, reason))
}

/// Withdraws an entry that may be withdrawn, or was before the state was restored.
pub(in crate::apply) fn take_out(tx: &mut Tx<'_>, old: CatalogEntry, reason: &str) -> Outcome {
    let id = old.id;
    let name = entry_name(tx, id);
    tx.clear_deadline(DeadlineKind::CatalogReview, &name);
    if tx.level >= 3 {
        versions::catch_up(tx, &old);
        tx.clear_deadline(DeadlineKind::AttributeReview, &name);
        let file = EntryFile {
            attribute_review: None,
            authority_review: None,
            suspension: None,
            ..file(tx, id)
        };
        tx.put(&keys::entry_file(&old.domain, id), &file);
        changes::withdrawn(tx, &old);
        worklist::settle(tx, &old, false);
    }
    if old.state.is_listed() {
        standing::unlist(tx, &old);
    }
    let fact = Fact::EntryWithdrawn { version: old.version };
    ledger::append(tx, &name, fact, None, &[("reason", reason)]);
    let entry = CatalogEntry { state: EntryState::Withdrawn, published_version: 0, ..old };
    change(tx, entry)
}

/// The authority did not review an updated entry in time (CAL-14).
pub(crate) fn review_overdue(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let mut fact = Fact::DeadlineMissed { kind: row.kind, due: row.due_time };
    let mut rule = None;
    if tx.level >= 3
        && let Resource::Entry(id) = row.subject.resource
        && let Some(review) = file(tx, id).authority_review
    {
        let (due_date, escalated_to) = (review.clock.due_date, review.escalation);
        fact = Fact::AuthorityReviewOverdue { due_date, escalated_to };
        rule = review.order;
    }
    ledger::append(tx, &row.subject, fact, rule, &[]);
    tx.emit(Event::EntryEdited(row.subject.clone()));
}

/// The rule by which taking the entry from those who use it is a change of service (CAT-30).
fn service_change_rule(
    tx: &Tx<'_>,
    law: &Law,
    entry: &CatalogEntry,
) -> Option<catalog_model::rule::RuleRef> {
    let class = entry.provider_class.filter(|_| tx.level >= 3)?;
    let pair = Pair::for_catalog(class, entry.kind);
    law.resolve(tx, pair, tx.today()).ok()?.withdrawal_is_service_change()
}

/// What is on file about an entry.
pub(crate) fn file(tx: &Tx<'_>, id: EntryId) -> EntryFile {
    tx.get(&keys::entry_file(tx.domain(), id)).unwrap_or_default()
}

/// A paper decision names its document, and who made it (SHR-29); it is never the clerk's own.
fn check_decision(tx: &Tx<'_>, decision: &PaperDecision) -> Result<(), Refusal> {
    let mut refusal = Refusal::new(Reason::FieldInvalid);
    let texts = [
        ("decision.document_number", &decision.document_number),
        ("decision.issuing_body", &decision.issuing_body),
        ("decision.recorded_for", &decision.recorded_for),
    ];
    for (field, value) in texts {
        text::check(field, value)?;
        if value.trim().is_empty() {
            refusal = refusal.field(field, "missing", "缺少");
        }
    }
    if decision.digest == [0; 32] {
        refusal = refusal.field("decision.digest", "missing", "缺少");
    }
    if decision.date > tx.today() {
        refusal = refusal.field("decision.date", "lies in the future", "晚于今日");
    }
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

/// The working version of one of this domain's entries.
pub(crate) fn working(tx: &Tx<'_>, id: EntryId) -> Result<CatalogEntry, Refusal> {
    tx.get(&keys::entry(tx.domain(), id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", entry_name(tx, id)))
}

/// The rights to an entry that have not ended.
fn live_grants(tx: &Tx<'_>, entry: &CatalogEntry) -> Vec<Grant> {
    super::grants::live_grants(tx, &entry_name(tx, entry.id))
}

fn draft(
    tx: &Tx<'_>,
    id: EntryId,
    provider: &Organization,
    kind: DataKind,
    state: EntryState,
    origin: EntryOrigin,
    content: &EntryContent,
) -> CatalogEntry {
    CatalogEntry {
        id,
        domain: tx.domain().clone(),
        provider: provider.id,
        provider_name: provider.name.clone(),
        kind,
        state,
        origin,
        content: content.clone(),
        version: 1,
        published_version: 0,
        return_reason: String::new(),
        created_time: tx.clock,
        updated_time: tx.clock,
        published_time: None,
        provider_class: provider.class,
    }
}

fn create(tx: &mut Tx<'_>, entry: &CatalogEntry) {
    tx.put(&keys::entry(&entry.domain, entry.id), entry);
    let index = keys::entry_by_provider(&entry.domain, entry.provider, entry.id);
    tx.put_bytes(&index, Vec::new());
    let name = entry_name(tx, entry.id);
    tx.emit(Event::EntryEdited(name));
}

/// Stores the next version of the working row.
fn change(tx: &mut Tx<'_>, entry: CatalogEntry) -> Outcome {
    let entry = CatalogEntry { version: entry.version + 1, updated_time: tx.clock, ..entry };
    tx.put(&keys::entry(&entry.domain, entry.id), &entry);
    let name = entry_name(tx, entry.id);
    tx.emit(Event::EntryEdited(name.clone()));
    Outcome::Done(Some(name))
}

fn entry_name(tx: &Tx<'_>, id: EntryId) -> ResourceName {
    ResourceName::new(tx.domain().clone(), Resource::Entry(id))
}

/// The provider compiles its entries; the platform helps.
fn may_compile(tx: &Tx<'_>, provider: OrganizationId) -> Result<(), Refusal> {
    let own = tx.caller_organization().is_some_and(|caller| caller.id == provider);
    if own || is_platform(tx) {
        Ok(())
    } else {
        Err(not_permitted(tx, "the provider, the authority or the platform manager"))
    }
}

fn kind_name(kind: DataKind) -> &'static str {
    match kind {
        DataKind::GovernmentData => "government_data",
        DataKind::PublicServiceData => "public_service_data",
    }
}

fn not_listed(entry: &CatalogEntry) -> Refusal {
    wrong_state(entry, "an entry in the catalog")
}

fn wrong_state(entry: &CatalogEntry, needed: &str) -> Refusal {
    let state = match entry.state {
        EntryState::ImportedDraft => "imported_draft",
        EntryState::Draft => "draft",
        EntryState::Submitted => "submitted",
        EntryState::Published => "published",
        EntryState::ChangePending => "change_pending",
        EntryState::ChangeSubmitted => "change_submitted",
        EntryState::Withdrawn => "withdrawn",
        EntryState::Suspended => "suspended",
        EntryState::Archived => "archived",
    };
    Refusal::new(Reason::EntryStateWrong).fact("state", state).fact("needed", needed)
}
