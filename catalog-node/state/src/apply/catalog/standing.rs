//! Off the list and back: suspension at once, return, archive; and the mark of important data
//! (CAT-22, CAT-30).

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryState},
    deadline::DeadlineKind,
    entry_file::{EntrySuspension, EntryVersion, SuspensionGround},
    ids::EntryId,
    paper_decision::PaperDecision,
    refusal::Refusal,
};

use super::{change, check_decision, entry_name, file, publishable, review, working, wrong_state};
use crate::{
    apply::{
        organizations::{is_authority, same_version},
        relations, text,
    },
    event::Event,
    feed, keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

/// Takes an entry off the list at once: a leak or a secret is a proper reason, and nobody waits
/// for a negotiation (CAT-30).
pub(super) fn suspend(
    tx: &mut Tx<'_>,
    id: EntryId,
    version: u64,
    ground: SuspensionGround,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    check_caller(tx, &old)?;
    same_version(old.version, version)?;
    if !old.state.is_listed() {
        return Err(wrong_state(&old, "an entry in the catalog"));
    }
    text::check_reason("reason", reason)?;
    Ok(take_off(tx, old, ground, reason))
}

/// Suspends an entry that is listed.
pub(in crate::apply) fn take_off(
    tx: &mut Tx<'_>,
    old: CatalogEntry,
    ground: SuspensionGround,
    reason: &str,
) -> Outcome {
    let id = old.id;
    let name = entry_name(tx, id);
    super::versions::catch_up(tx, &old);
    let mut file = file(tx, id);
    file.suspension = Some(EntrySuspension { ground, reason: reason.to_owned(), since: tx.clock });
    file.authority_review = None;
    tx.put(&keys::entry_file(&old.domain, id), &file);
    tx.clear_deadline(DeadlineKind::CatalogReview, &name);
    tx.clear_deadline(DeadlineKind::AttributeReview, &name);
    unlist(tx, &old);
    let fact = Fact::EntrySuspended { version: old.version, ground };
    ledger::append(tx, &name, fact, None, &[("reason", reason)]);
    let entry = CatalogEntry { state: EntryState::Suspended, published_version: 0, ..old };
    change(tx, entry)
}

/// Takes the published row away and tells followers.
pub(super) fn unlist(tx: &mut Tx<'_>, entry: &CatalogEntry) {
    let name = entry_name(tx, entry.id);
    relations::listing_changes(tx, (&entry.domain, entry.id), None);
    tx.delete(&keys::published_entry(&entry.domain, entry.id));
    tx.counters_mut().listed_entries -= 1;
    feed::entry_changed(tx, entry.id, None);
    tx.emit(Event::EntryListed(name));
}

/// The authority puts a suspended entry back at the version that was published last. The law is
/// asked again: it may have changed meanwhile.
pub(super) fn resume(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    same_version(old.version, version)?;
    if old.state != EntryState::Suspended {
        return Err(wrong_state(&old, "a suspended entry"));
    }
    text::check_reason("reason", reason)?;
    let mut file = file(tx, id);
    let last: EntryVersion = tx
        .get(&keys::entry_version(&old.domain, id, file.versions))
        .expect("a suspended entry was published");
    let (_, resolution) = publishable(tx, law, &last.entry)?;
    let name = entry_name(tx, id);
    file.suspension = None;
    let since = file.attribute_since.unwrap_or(last.filed_time);
    review::count(tx, law, &resolution, &name, since, &mut file);
    tx.put(&keys::entry_file(&old.domain, id), &file);
    relations::listing_changes(tx, (&old.domain, id), Some(&last.entry));
    tx.put(&keys::published_entry(&old.domain, id), &last.entry);
    tx.counters_mut().listed_entries += 1;
    feed::entry_changed(tx, id, Some(&last.entry));
    tx.emit(Event::EntryListed(name.clone()));
    let fact = Fact::EntryResumed { version: last.entry.version };
    ledger::append(tx, &name, fact, None, &[("reason", reason)]);
    let same = old.content == last.entry.content;
    let state = if same { EntryState::Published } else { EntryState::ChangePending };
    let entry = CatalogEntry { state, published_version: last.entry.version, ..old };
    Ok(change(tx, entry))
}

/// Puts a withdrawn entry away: its versions and its history stay, nothing happens to it any more.
pub(super) fn archive(tx: &mut Tx<'_>, id: EntryId, version: u64) -> Result<Outcome, Refusal> {
    let old = working(tx, id)?;
    check_caller(tx, &old)?;
    same_version(old.version, version)?;
    if old.state != EntryState::Withdrawn {
        return Err(wrong_state(&old, "a withdrawn entry"));
    }
    Ok(put_away(tx, old))
}

/// Archives a withdrawn entry.
pub(in crate::apply) fn put_away(tx: &mut Tx<'_>, old: CatalogEntry) -> Outcome {
    let name = entry_name(tx, old.id);
    ledger::append(tx, &name, Fact::EntryArchived { version: old.version }, None, &[]);
    change(tx, CatalogEntry { state: EntryState::Archived, ..old })
}

/// Records the decision by which data are listed as important, or no longer.
pub(super) fn mark_important(
    tx: &mut Tx<'_>,
    id: EntryId,
    important: bool,
    decision: &PaperDecision,
) -> Result<Outcome, Refusal> {
    let entry = working(tx, id)?;
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    check_decision(tx, decision)?;
    let name = entry_name(tx, id);
    let mut file = file(tx, id);
    file.important = important.then(|| decision.clone());
    tx.put(&keys::entry_file(&entry.domain, id), &file);
    let fact = Fact::ImportantDataListed { listed: important, decision: decision.digest };
    let number = decision.document_number.as_str();
    ledger::append(tx, &name, fact, None, &[("document_number", number)]);
    tx.emit(Event::EntryEdited(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

fn check_caller(tx: &Tx<'_>, entry: &CatalogEntry) -> Result<(), Refusal> {
    let own = tx.caller_organization().is_some_and(|caller| caller.id == entry.provider);
    if own || is_authority(tx) {
        Ok(())
    } else {
        Err(not_permitted(tx, "the provider of the entry or the authority"))
    }
}
