//! The regular review of sharing attributes: sharing is the rule, so each attribute is looked at
//! again and again (SHR-02).

use catalog_model::{
    deadline::DeadlineKind,
    entry_file::{AttributeReview, EntryFile, ReviewOutcome},
    ids::EntryId,
    name::{Resource, ResourceName},
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
    time::UtcMillis,
};

use super::{clocks, entry_name, file, not_listed, working};
use crate::{
    apply::{
        organizations::{on_file, same_version},
        text,
    },
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// Counts the time to the next review from `since`; where no rule asks for one there is none.
pub(super) fn count(
    tx: &mut Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    name: &ResourceName,
    since: UtcMillis,
    file: &mut EntryFile,
) {
    let Some(owed) = resolution.attribute_review() else {
        file.attribute_review = None;
        tx.clear_deadline(DeadlineKind::AttributeReview, name);
        return;
    };
    let revision = file.attribute_review.as_ref().map_or(0, |review| review.revision + 1);
    let last = file.attribute_review.as_ref().and_then(|review| review.last);
    let due_date = clocks::last_day(since.local_date(), &owed, &law.calendar);
    let kind = DeadlineKind::AttributeReview;
    let clock = clocks::fixed(kind, since, due_date, owed.rule.clone(), revision, &law.calendar);
    tx.set_deadline(name, &clock);
    file.attribute_review = Some(AttributeReview {
        since,
        due_date,
        rule: owed.rule,
        default: owed.default,
        last,
        missed: false,
        revision,
    });
}

/// The provider reviewed the attribute of an entry.
pub(super) fn review(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    version: u64,
    outcome: ReviewOutcome,
    note: &str,
) -> Result<Outcome, Refusal> {
    let entry = working(tx, id)?;
    if tx.caller_organization().is_none_or(|caller| caller.id != entry.provider) {
        return Err(not_permitted(tx, "the provider of the entry"));
    }
    same_version(entry.version, version)?;
    if !entry.state.is_listed() {
        return Err(not_listed(&entry));
    }
    text::check_reason("note", note)?;
    let name = entry_name(tx, id);
    let mut file = file(tx, id);
    let class = on_file(tx, entry.provider)?.class.or(entry.provider_class);
    if let Some(class) = class {
        let pair = Pair::for_catalog(class, entry.kind);
        let resolution = law.resolve(tx, pair, tx.today())?;
        let now = tx.clock;
        count(tx, law, &resolution, &name, now, &mut file);
    }
    let review = file.attribute_review.as_mut();
    let (next, rule) = match review {
        Some(review) => {
            review.last = Some(outcome);
            (Some(review.due_date), Some(review.rule.clone()))
        }
        None => (None, None),
    };
    tx.put(&keys::entry_file(&entry.domain, id), &file);
    let fact = Fact::AttributeReviewed { outcome, next };
    ledger::append(tx, &name, fact, rule, &[("note", note)]);
    tx.emit(Event::EntryEdited(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

/// The attribute was not reviewed in time.
pub(crate) fn missed(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let Resource::Entry(id) = row.subject.resource else { return };
    let mut file = file(tx, id);
    let Some(review) = &mut file.attribute_review else { return };
    review.missed = true;
    let rule = review.rule.clone();
    tx.put(&keys::entry_file(&tx.domain().clone(), id), &file);
    let fact = Fact::DeadlineMissed { kind: row.kind, due: row.due_time };
    ledger::append(tx, &row.subject, fact, Some(rule), &[]);
    tx.emit(Event::EntryEdited(row.subject.clone()));
}
