//! A function goes to another department, and its entries with it (CAT-08, must-refuse 4).
//!
//! Entries move in batches, each in one command with its index and its rights, so that at every
//! moment each has one owner: the receiving department's are the first `moved` ones. An entry is in
//! one open transfer at most.

use catalog_model::{
    catalog_entry::CatalogEntry,
    deadline::{DeadlineKind, WorkingDayClock},
    function_transfer::{FunctionTransfer, TransferState},
    grant::Grant,
    ids::{EntryId, GrantId, OrganizationId, TransferId},
    name::{Resource, ResourceName},
    organization::{DataKind, Organization},
    policy::MAX_ITEMS,
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
    share_request::{Party, ShareRequest},
    sharing::LegalCitation,
    time::LocalDate,
};

use super::{
    check_texts, done, entry_name, entry_of, fresh, is_of, name_of, on_record, organization_name,
};
use crate::{
    apply::{
        grants,
        organizations::{in_order, is_authority, is_platform, on_file, same_version},
        text,
    },
    command::TransferStep,
    event::Event,
    feed,
    keys::{self, Key, Table, relations as key},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
    view::View,
};

/// Bound on the entries and rights that one command moves.
pub(crate) const MOVED_PER_COMMAND: usize = 256;

const THING: (&str, &str) = ("transfer", "职能划转");

pub(crate) fn draft(
    tx: &mut Tx<'_>,
    id: TransferId,
    (from, to): (OrganizationId, OrganizationId),
    entries: &[EntryId],
    act: &LegalCitation,
    change_date: LocalDate,
) -> Result<Outcome, Refusal> {
    if !is_of(tx, from) {
        return Err(not_permitted(tx, "the department that gives the function away"));
    }
    let name = fresh(tx, Resource::FunctionTransfer(id))?;
    let receiver = on_file(tx, to)?;
    if from == to {
        let (en, zh) = ("the same department", "与转出部门相同");
        return Err(Refusal::new(Reason::FieldInvalid).field("transfer.to", en, zh));
    }
    if !receiver.verified {
        let refusal = Refusal::new(Reason::OrganizationUnverified);
        return Err(refusal.fact("name", &receiver.name));
    }
    check_texts(&[("act.title", &act.title), ("act.article", &act.article)])?;
    let entries = in_order(entries);
    if entries.is_empty() {
        let refusal = Refusal::new(Reason::FieldInvalid);
        return Err(refusal.field("transfer.entries", "missing", "缺少"));
    }
    if entries.len() > MAX_ITEMS {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "entries")
            .fact("length", entries.len())
            .fact("limit", MAX_ITEMS));
    }
    for entry in &entries {
        let row = entry_of(tx, from, *entry)?;
        let taken = key::transfer_of_entry(tx.domain(), *entry);
        if tx.has(&taken) {
            let entry = entry_name(tx, *entry);
            return Err(Refusal::new(Reason::EntryInTransfer).fact("entry", entry));
        }
        // Who takes an entry over must be one that may compile it (CAT-01).
        if !receiver.capacities.contains(&row.kind) {
            let kind = match row.kind {
                DataKind::GovernmentData => "government_data",
                DataKind::PublicServiceData => "public_service_data",
            };
            return Err(Refusal::new(Reason::DataKindNotPermitted).fact("kind", kind));
        }
        tx.put(&taken, &id);
    }
    let transfer = FunctionTransfer {
        id,
        domain: tx.domain().clone(),
        from,
        to,
        act: act.clone(),
        change_date,
        entries,
        moved: 0,
        cosigned: false,
        state: TransferState::Drafted,
        return_reason: String::new(),
        rule: None,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    Ok(change(tx, &name, transfer, &[("act", &act.to_string())]))
}

/// Stores the next version and its record.
fn change(
    tx: &mut Tx<'_>,
    name: &ResourceName,
    transfer: FunctionTransfer,
    texts: &[(&str, &str)],
) -> Outcome {
    let transfer =
        FunctionTransfer { version: transfer.version + 1, updated_time: tx.clock, ..transfer };
    tx.put(&key::transfer(&transfer.domain, transfer.id), &transfer);
    let fact = Fact::TransferMoved { state: transfer.state, moved: transfer.moved };
    ledger::append(tx, name, fact, transfer.rule.clone(), texts);
    done(tx, name.clone())
}

/// The rules for what the giving department owes, today.
fn rules(
    tx: &Tx<'_>,
    law: &Law,
    transfer: &FunctionTransfer,
) -> Result<std::sync::Arc<Resolution>, Refusal> {
    let giver = on_file(tx, transfer.from)?;
    let class = giver
        .class
        .ok_or_else(|| Refusal::new(Reason::OrganizationUnverified).fact("name", &giver.name))?;
    law.resolve(tx, Pair::for_catalog(class, DataKind::GovernmentData), tx.today())
}

pub(crate) fn step(
    tx: &mut Tx<'_>,
    law: &Law,
    id: TransferId,
    version: u64,
    step: &TransferStep,
) -> Result<Outcome, Refusal> {
    let mut transfer: FunctionTransfer = on_record(tx, Resource::FunctionTransfer(id))?;
    let (permitted, needed) = match step {
        TransferStep::Cosign => (is_of(tx, transfer.to), "the department that takes it over"),
        TransferStep::File => (is_of(tx, transfer.from), "the department that gives it away"),
        TransferStep::Return { .. } | TransferStep::Approve => (is_authority(tx), "the authority"),
        TransferStep::Continue => {
            let node = matches!(tx.caller.identity, catalog_model::caller::Identity::Node { .. });
            (node || is_platform(tx), "the platform or a node")
        }
    };
    if !permitted {
        return Err(not_permitted(tx, needed));
    }
    same_version(transfer.version, version)?;
    let name = name_of(tx, Resource::FunctionTransfer(id));
    let wrong = |needed| Err(super::wrong_state(THING, transfer.state, needed));
    match (step, transfer.state) {
        (TransferStep::Cosign, TransferState::Drafted | TransferState::Returned) => {
            transfer.cosigned = true;
            transfer.state = TransferState::Cosigned;
            Ok(change(tx, &name, transfer, &[]))
        }
        (
            TransferStep::File,
            TransferState::Drafted | TransferState::Cosigned | TransferState::Returned,
        ) => {
            let resolution = rules(tx, law, &transfer)?;
            transfer.rule = resolution.transfer_cosigned();
            if let Some(rule) = transfer.rule.clone().filter(|_| !transfer.cosigned) {
                return Err(Refusal::new(Reason::TransferNotCosigned).under(rule));
            }
            // The texts give the authority no number of days; the house's number for 及时 holds.
            if let Some((days, rule)) = resolution.house_days_of_word("及时") {
                let kind = DeadlineKind::FunctionTransfer;
                let clock = WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar);
                tx.set_deadline(&name, &clock);
            }
            transfer.state = TransferState::Filed;
            // The giver's duty to update its catalog (CAL-13) runs from `change_date`: the report
            // of the change is the catalog's.
            Ok(change(tx, &name, transfer, &[]))
        }
        (TransferStep::File, _) => wrong("a transfer that is signed and not filed"),
        (TransferStep::Cosign, _) => wrong("a transfer that is not filed"),
        (TransferStep::Return { reason }, TransferState::Filed) => {
            text::check_reason("reason", reason)?;
            tx.clear_deadline(DeadlineKind::FunctionTransfer, &name);
            transfer.state = TransferState::Returned;
            transfer.return_reason.clone_from(reason);
            Ok(change(tx, &name, transfer, &[("reason", reason)]))
        }
        (TransferStep::Approve, TransferState::Filed) => {
            tx.clear_deadline(DeadlineKind::FunctionTransfer, &name);
            transfer.state = TransferState::Approved;
            move_entries(tx, &name, transfer)
        }
        (TransferStep::Return { .. } | TransferStep::Approve, _) => wrong("a filed transfer"),
        (TransferStep::Continue, TransferState::Approved) => move_entries(tx, &name, transfer),
        (TransferStep::Continue, _) => wrong("an approved transfer"),
    }
}

/// Moves the next entries; at least one, however many rights it has.
fn move_entries(
    tx: &mut Tx<'_>,
    name: &ResourceName,
    mut transfer: FunctionTransfer,
) -> Result<Outcome, Refusal> {
    let receiver = on_file(tx, transfer.to)?;
    let mut work = 0;
    while work < MOVED_PER_COMMAND
        && let Some(entry) = transfer.entries.get(transfer.moved as usize).copied()
    {
        work += 1 + move_entry(tx, name, &transfer, &receiver, entry);
        transfer.moved += 1;
    }
    if transfer.moved as usize == transfer.entries.len() {
        transfer.state = TransferState::Completed;
    }
    Ok(change(tx, name, transfer, &[]))
}

/// Gives one entry and the rights to it to the receiving department; returns how many rights.
fn move_entry(
    tx: &mut Tx<'_>,
    name: &ResourceName,
    transfer: &FunctionTransfer,
    receiver: &Organization,
    id: EntryId,
) -> usize {
    let domain = transfer.domain.clone();
    let old: CatalogEntry = tx.get(&keys::entry(&domain, id)).expect("entries are never deleted");
    let version = old.version + 1;
    let given = |entry: CatalogEntry| CatalogEntry {
        provider: receiver.id,
        provider_name: receiver.name.clone(),
        provider_class: receiver.class,
        version,
        updated_time: tx.clock,
        ..entry
    };
    let mut entry = given(old);
    let published = tx.get::<CatalogEntry>(&keys::published_entry(&domain, id)).map(&given);
    tx.delete(&keys::entry_by_provider(&domain, transfer.from, id));
    tx.put_bytes(&keys::entry_by_provider(&domain, receiver.id, id), Vec::new());
    tx.delete(&key::transfer_of_entry(&domain, id));
    tx.put_bytes(&key::moved_entry(&domain, id), Vec::new());
    if let Some(mut published) = published {
        published.published_version = version;
        entry.published_version = version;
        crate::apply::catalog::versions::replaced(tx, &published);
        tx.put(&keys::published_entry(&domain, id), &published);
        feed::entry_changed(tx, id, Some(&published));
        tx.emit(Event::EntryListed(entry_name(tx, id)));
    }
    tx.put(&keys::entry(&domain, id), &entry);
    let subject = entry_name(tx, id);
    tx.emit(Event::EntryEdited(subject.clone()));
    let fact = Fact::EntryTransferred {
        transfer: name.clone(),
        from: organization_name(tx, transfer.from),
        to: organization_name(tx, receiver.id),
        version,
    };
    ledger::append(tx, &subject, fact, None, &[]);
    move_grants(tx, transfer.from, receiver, id)
}

/// The rights to an entry are supervised by its provider: the new one from now on.
fn move_grants(
    tx: &mut Tx<'_>,
    from: OrganizationId,
    receiver: &Organization,
    id: EntryId,
) -> usize {
    let prefix = Key::table(Table::GrantByEntry).domain(tx.domain()).id(id.to_bytes());
    let rows = tx.rows(&prefix, usize::MAX);
    for (index, _) in &rows {
        let (domain, grant) = View::named_by_index(index, prefix.as_slice().len());
        let grant = GrantId::from_bytes(grant);
        let old: Grant = tx.get(&keys::grant(&domain, grant)).expect("an indexed grant exists");
        if old.consumer.organization != from {
            tx.delete(&keys::grant_by_party(from, &domain, grant));
        }
        let provider = tx.party(receiver);
        let version = old.version + 1;
        grants::store(tx, &Grant { provider, version, updated_time: tx.clock, ..old });
    }
    rows.len()
}

/// An open case about an entry that has moved is the new provider's: it decides and owes from now on.
/// The case keeps the class under which its rules were chosen, as it keeps the rules.
pub(crate) fn follow_entry(tx: &Tx<'_>, case: &mut ShareRequest) {
    let Resource::Entry(id) = case.content.entry.resource else { return };
    let moved = || tx.has(&key::moved_entry(tx.domain(), id));
    if tx.level < 3 || !case.state.is_open() || !moved() {
        return;
    }
    let entry: CatalogEntry =
        tx.get(&keys::entry(tx.domain(), id)).expect("entries are never deleted");
    if entry.provider == case.provider.organization {
        return;
    }
    if let Ok(provider) = on_file(tx, entry.provider) {
        case.provider = Party { class: case.provider.class, ..tx.party(&provider) };
    }
}
