//! What ties entries, systems, sources, functions and errors together: dispatch, and what all of
//! it shares.
//!
//! Everything here is of level 3. Where the catalog itself must ask (may this version be
//! submitted, what is listed now), it calls one function of this file, which does nothing in a
//! cluster below that level.

pub(crate) mod acquisitions;
pub(crate) mod collection;
pub(crate) mod datasets;
pub(crate) mod emergencies;
pub(crate) mod objections;
pub(crate) mod paper;
pub(crate) mod sources;
pub(crate) mod transfers;

use catalog_model::{
    catalog_entry::CatalogEntry,
    ids::{EntryId, OrganizationId},
    name::{Resource, ResourceName},
    organization::{Organization, PlatformRole},
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
    share_request::PartyRole,
};
use minicbor::Decode;

use crate::{
    apply::{
        catalog,
        organizations::{is_platform, on_file},
    },
    command::RelationsCommand,
    event::Event,
    keys,
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

pub(crate) fn apply(
    tx: &mut Tx<'_>,
    law: &Law,
    command: &RelationsCommand,
) -> Result<Outcome, Refusal> {
    use RelationsCommand as C;
    match command {
        C::RegisterDataset { id, organization, kind, title, description } => {
            datasets::register(tx, *id, *organization, *kind, title, description)
        }
        C::Bind { dataset, version, to, period } => {
            datasets::bind(tx, *dataset, *version, *to, *period)
        }
        C::Unbind { dataset, version, from, until } => {
            datasets::unbind(tx, *dataset, *version, *from, *until)
        }
        C::DeleteDataset { dataset, version } => datasets::delete(tx, *dataset, *version),
        C::DeleteSystem { organization, system } => {
            datasets::delete_system(tx, *organization, *system)
        }
        C::StateDuties { organization, version, duties } => {
            datasets::state_duties(tx, *organization, *version, duties)
        }
        C::AssignSource { element, organization, period, basis, decision } => {
            sources::assign(tx, law, element, *organization, *period, basis, decision.as_ref())
        }
        C::EndSource { element, from, until } => sources::end(tx, element, *from, *until),
        C::IndexPublished { domain, after } => collection::index_published(tx, domain, *after),
        C::CheckCollection { entry, items, exception } => {
            collection::check(tx, law, *entry, items, exception.as_ref())
        }
        C::DraftTransfer { id, from, to, entries, act, change_date } => {
            transfers::draft(tx, *id, (*from, *to), entries, act, *change_date)
        }
        C::Transfer { transfer, version, step } => {
            transfers::step(tx, law, *transfer, *version, step)
        }
        C::RaiseObjection { id, entry, wanted, reason } => {
            objections::raise(tx, law, *id, *entry, *wanted, reason)
        }
        C::Objection { objection, version, step } => {
            objections::step(tx, law, *objection, *version, step)
        }
        C::OpenEmergency { id, organization, content } => {
            emergencies::open(tx, *id, *organization, content)
        }
        C::Emergency { emergency, version, step } => {
            emergencies::step(tx, law, *emergency, *version, step)
        }
        C::RequestPurchase { id, organization, need, items } => {
            acquisitions::request_purchase(tx, *id, *organization, need, items)
        }
        C::Purchase { purchase, version, step } => {
            acquisitions::purchase_step(tx, *purchase, *version, step)
        }
        C::OpenContract { id, organization, contractor, terms } => {
            acquisitions::open_contract(tx, *id, *organization, contractor, terms)
        }
        C::Contract { contract, version, step } => {
            acquisitions::contract_step(tx, *contract, *version, step)
        }
        C::StateAcquisition { entry, acquisition } => {
            acquisitions::state_acquisition(tx, *entry, *acquisition)
        }
        C::OpenProject { id, organization, title, assets } => {
            acquisitions::open_project(tx, *id, *organization, title, assets)
        }
        C::ListAsset { project, version, asset, entry } => {
            acquisitions::list_asset(tx, *project, *version, *asset, *entry)
        }
        C::AcceptProject { project, version } => {
            acquisitions::accept_project(tx, *project, *version)
        }
        C::RecordPlatform { organization, title, .. } => {
            acquisitions::record_platform(tx, law, *organization, title, command)
        }
    }
}

/// What the catalog asks before an entry is submitted and again before it is published: nothing is
/// narrowed during an objection, nothing is collected twice.
pub(crate) fn check_publishable(
    tx: &Tx<'_>,
    resolution: &Resolution,
    entry: &CatalogEntry,
    published: Option<&CatalogEntry>,
) -> Result<(), Refusal> {
    if tx.level < 3 {
        return Ok(());
    }
    if let Some(published) = published {
        objections::check_narrowing(tx, entry, published)?;
    }
    collection::check_submission(tx, resolution, entry)
}

/// What the catalog asks before an entry is withdrawn: that would be the widest narrowing of all. A
/// leak or a secret is suspended, not withdrawn.
pub(crate) fn check_withdrawal(tx: &Tx<'_>, entry: EntryId) -> Result<(), Refusal> {
    match objections::narrowing_blocked(tx, entry) {
        Some(rule) if tx.level >= 3 => {
            Err(Refusal::new(Reason::NarrowingDuringObjection).under(rule))
        }
        _ => Ok(()),
    }
}

/// The published row of an entry is about to become `now`; called before it is written.
pub(crate) fn listing_changes(
    tx: &mut Tx<'_>,
    name: (&catalog_model::ids::DomainId, EntryId),
    now: Option<&CatalogEntry>,
) {
    if tx.level >= 3 {
        collection::reindex(tx, name, now);
    }
}

/// The name of one of this domain's resources.
pub(crate) fn name_of(tx: &Tx<'_>, resource: Resource) -> ResourceName {
    ResourceName::new(tx.domain().clone(), resource)
}

/// The name of one of this domain's entries.
pub(crate) fn entry_name(tx: &Tx<'_>, id: EntryId) -> ResourceName {
    name_of(tx, Resource::Entry(id))
}

/// The name of one of this domain's organizations.
pub(crate) fn organization_name(tx: &Tx<'_>, id: OrganizationId) -> ResourceName {
    name_of(tx, Resource::Organization(id))
}

/// The row of one of this domain's resources.
pub(crate) fn on_record<T: for<'b> Decode<'b, ()>>(
    tx: &Tx<'_>,
    resource: Resource,
) -> Result<T, Refusal> {
    let name = name_of(tx, resource);
    let key = keys::of(&name).expect("the resource has a row");
    tx.get(&key).ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name))
}

/// The name for a new resource, which nothing else has.
pub(crate) fn fresh(tx: &Tx<'_>, resource: Resource) -> Result<ResourceName, Refusal> {
    let name = name_of(tx, resource);
    let key = keys::of(&name).expect("the resource has a row");
    if tx.has(&key) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    Ok(name)
}

/// Tells watchers and the caller.
pub(crate) fn done(tx: &mut Tx<'_>, name: ResourceName) -> Outcome {
    tx.emit(Event::ResourceChanged(name.clone()));
    Outcome::Done(Some(name))
}

/// Whether the caller acts for this organization.
pub(crate) fn is_of(tx: &Tx<'_>, organization: OrganizationId) -> bool {
    tx.caller_organization().is_some_and(|caller| caller.id == organization)
}

/// An organization files for itself; the platform files for anybody.
pub(crate) fn may_file_for(tx: &Tx<'_>, id: OrganizationId) -> Result<Organization, Refusal> {
    if !is_of(tx, id) && !is_platform(tx) {
        return Err(not_permitted(
            tx,
            "the organization itself, the authority or the platform manager",
        ));
    }
    on_file(tx, id)
}

/// One of this domain's entries, if it is this organization's.
pub(crate) fn entry_of(
    tx: &Tx<'_>,
    organization: OrganizationId,
    entry: EntryId,
) -> Result<CatalogEntry, Refusal> {
    let entry = catalog::working(tx, entry)?;
    if entry.provider == organization {
        return Ok(entry);
    }
    let owner = organization_name(tx, entry.provider);
    Err(Refusal::new(Reason::NotOwner).fact("owner", owner))
}

/// The rules for what the provider of an entry owes, today.
pub(crate) fn rules_for(
    tx: &Tx<'_>,
    law: &Law,
    entry: &CatalogEntry,
) -> Result<std::sync::Arc<Resolution>, Refusal> {
    let provider = on_file(tx, entry.provider)?;
    let class = provider
        .class
        .ok_or_else(|| Refusal::new(Reason::OrganizationUnverified).fact("name", &provider.name))?;
    law.resolve(tx, Pair::for_catalog(class, entry.kind), tx.today())
}

/// A thing is not in the state that a step needs.
pub(crate) fn wrong_state(
    thing: (&str, &str),
    state: impl std::fmt::Debug,
    needed: &str,
) -> Refusal {
    Refusal::new(Reason::RelationStateWrong)
        .fact("thing", thing.0)
        .fact("thing_zh", thing.1)
        .fact("state", word_of(state))
        .fact("needed", needed)
}

/// `FedBack` → `fed_back`: the word for a state in facts.
pub(crate) fn word_of(state: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for c in format!("{state:?}").chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// A digest that must be there.
pub(crate) fn check_proof(
    proof: catalog_model::document_digest::DocumentDigest,
    document: (&str, &str),
) -> Result<(), Refusal> {
    if !proof.is_missing() {
        return Ok(());
    }
    let refusal = Refusal::new(Reason::ProofMissing);
    Err(refusal.fact("document", document.0).fact("document_zh", document.1))
}

/// A text that must be there, of several that are checked together.
pub(crate) fn check_texts(texts: &[(&str, &str)]) -> Result<(), Refusal> {
    let mut refusal = Refusal::new(Reason::FieldInvalid);
    for (field, text) in texts {
        super::text::check(field, text)?;
        if text.trim().is_empty() {
            refusal = refusal.field(field, "missing", "缺少");
        }
    }
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

/// SHA-256 of a short text that does not stand in the ledger itself.
pub(crate) fn digest_of(text: &str) -> catalog_model::document_digest::DocumentDigest {
    use sha2::Digest as _;
    catalog_model::document_digest::DocumentDigest(sha2::Sha256::digest(text.as_bytes()).into())
}

/// The organization to which something overdue goes: in this role, but never the debtor.
pub(crate) fn above(tx: &Tx<'_>, role: PartyRole, debtor: OrganizationId) -> Option<Organization> {
    let of = |role| tx.platform_organization(role).filter(|found| found.id != debtor);
    match role {
        PartyRole::Authority => of(PlatformRole::Authority),
        PartyRole::PlatformManager => of(PlatformRole::PlatformManager),
        _ => None,
    }
    .or_else(|| of(PlatformRole::Government))
}

/// A deadline of the authority or of an emergency passed: it is put on record, nothing else.
pub(crate) fn missed(tx: &mut Tx<'_>, row: &crate::rows::DeadlineRow) {
    let fact = crate::ledger::Fact::DeadlineMissed { kind: row.kind, due: row.due_time };
    crate::ledger::append(tx, &row.subject, fact, None, &[]);
    tx.emit(Event::ResourceChanged(row.subject.clone()));
}

/// Whether what is done now comes after the due instant of the deadline: read of the deadline's own
/// row, because a new calendar moves that and nothing else.
pub(crate) fn is_late(
    tx: &Tx<'_>,
    kind: catalog_model::deadline::DeadlineKind,
    subject: &ResourceName,
) -> bool {
    let row: Option<crate::rows::DeadlineRow> = tx.get(&keys::deadline(kind, subject));
    row.is_some_and(|row| row.due_time <= tx.clock)
}
