//! Re-classification: which listed entries rest on too little, now that the law is another
//! (CAT-28)?
//!
//! A pass looks at every listed entry once, in portions: the first with the command that starts it,
//! the others with the steps of the clock. One begins by itself when a rule on bases comes into
//! force or ends; whoever loads a rule pack calls [`begin`]. An entry that it lists stays in the
//! catalog as it is; the provider publishes a version with another attribute or a sufficient basis,
//! or the authority rules.

use catalog_model::{
    catalog_entry::CatalogEntry,
    deadline::DeadlineKind,
    entry_file::{ReclassificationPass, WorklistItem, WorklistOutcome},
    ids::EntryId,
    paper_decision::PaperDecision,
    policy,
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, RuleKey},
    sharing::{SharingAttribute, SharingKind},
    time::LocalDate,
};

use super::{check_decision, clocks, entry_name, working};
use crate::{
    apply::{
        organizations::{is_authority, on_file},
        text,
    },
    codec,
    event::Event,
    keys::{self, Key, Table},
    ledger::{self, Fact, LedgerRecord},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// Bound on the entries that one command looks at.
const PORTION: usize = 256;

/// The entry's item, open or closed.
pub(crate) fn item(tx: &Tx<'_>, id: EntryId) -> Option<WorklistItem> {
    tx.get(&keys::worklist(tx.domain(), id))
}

/// A refusal because an own entry is not shared, as it may be worded while the entry is on the
/// worklist: it is not shared yet, but not by law (CAT-28).
pub(crate) fn not_by_law(tx: &Tx<'_>, entry: &CatalogEntry, refusal: Refusal) -> Refusal {
    let doubted = || item(tx, entry.id).is_some_and(|item| item.outcome.is_none());
    let own = entry.domain == *tx.domain();
    if refusal.reason == Reason::NotShared && own && tx.level >= 3 && doubted() {
        return Refusal::new(Reason::BasisUnderReview);
    }
    refusal
}

pub(super) fn start(tx: &mut Tx<'_>, law: &Law, cause: &str) -> Result<Outcome, Refusal> {
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    text::check_reason("cause", cause)?;
    if let Some(pass) = pass(tx).filter(|pass| pass.finished_time.is_none()) {
        return Err(Refusal::new(Reason::PassUnderWay).fact("number", pass.number));
    }
    begin(tx, law.rule_pack_version, cause);
    go_on(tx, law);
    Ok(Outcome::Done(Some(tx.domain_name())))
}

fn pass(tx: &Tx<'_>) -> Option<ReclassificationPass> {
    tx.get(&keys::meta::reclassification())
}

/// Begins a pass over the catalog by the rule pack of this version, which the steps of the clock
/// carry on; one that was under way begins again.
pub fn begin(tx: &mut Tx<'_>, rule_pack_version: u64, cause: &str) {
    let number = pass(tx).map_or(0, |pass| pass.number) + 1;
    let pass = ReclassificationPass {
        number,
        cause: cause.to_owned(),
        rule_pack_version,
        started_time: tx.clock,
        after: None,
        seen: 0,
        listed: 0,
        finished_time: None,
    };
    tx.put(&keys::meta::reclassification(), &pass);
    let fact = Fact::ReclassificationStarted { pass: number, rule_pack_version };
    let subject = tx.domain_name();
    ledger::append(tx, &subject, fact, None, &[("cause", cause)]);
}

/// Looks at the next portion of a pass, if one is under way.
pub(crate) fn go_on(tx: &mut Tx<'_>, law: &Law) {
    if tx.level < 3 {
        return;
    }
    let under_way = |tx: &Tx<'_>| pass(tx).filter(|pass| pass.finished_time.is_none());
    if under_way(tx).is_none()
        && let Some(rule) = rule_since(tx, law)
    {
        begin(tx, law.rule_pack_version, &rule);
    }
    let Some(mut pass) = under_way(tx) else { return };
    let own = Key::table(Table::PublishedEntry).domain(tx.domain());
    let from = pass.after.map_or_else(
        || own.as_slice().to_vec(),
        |after| keys::published_entry(tx.domain(), after).byte(0).into_vec(),
    );
    let rows = tx.rows_between(&from, &own.end(), PORTION);
    let through = rows.len() < PORTION;
    for (_, bytes) in rows {
        let entry: CatalogEntry = codec::decode(&bytes).expect("an entry row is ours");
        pass.after = Some(entry.id);
        pass.seen += 1;
        look_at(tx, law, &entry, &mut pass);
    }
    if through {
        pass.finished_time = Some(tx.clock);
        let (number, seen, listed) = (pass.number, pass.seen, pass.listed);
        let fact = Fact::ReclassificationEnded { pass: number, seen, listed };
        let subject = tx.domain_name();
        ledger::append(tx, &subject, fact, None, &[]);
    }
    tx.put(&keys::meta::reclassification(), &pass);
}

/// A rule on bases that came into force, or ended, since the catalog was last looked at: since the
/// last pass, or since the cluster began.
fn rule_since(tx: &Tx<'_>, law: &Law) -> Option<String> {
    let last = match pass(tx) {
        Some(pass) => pass.started_time,
        None => tx.get::<LedgerRecord>(&keys::ledger_record(0))?.time,
    };
    let (last, today) = (last.local_date(), tx.today());
    let between = |day: LocalDate| last < day && day <= today;
    let on_bases = |key| {
        matches!(
            key,
            RuleKey::SharingNoneBasis
                | RuleKey::SharingNoneExplicitProhibition
                | RuleKey::SharingNoneEntryStates
                | RuleKey::SharingConditionalBasisRequired
                | RuleKey::SharingConditionalConditions
        )
    };
    let changed = law.rule_pack.rules().iter().find(|rule| {
        let ended = rule.to.is_some_and(|to| between(to.next()));
        on_bases(rule.key) && (between(rule.from) || ended)
    })?;
    Some(changed.reference.id.clone())
}

fn look_at(tx: &mut Tx<'_>, law: &Law, entry: &CatalogEntry, pass: &mut ReclassificationPass) {
    let class = match on_file(tx, entry.provider) {
        Ok(provider) => provider.class,
        Err(_) => entry.provider_class,
    };
    let (Some(class), Some(sharing)) = (class, &entry.content.sharing) else { return };
    let pair = Pair::for_catalog(class, entry.kind);
    let Ok(resolution) = law.resolve(tx, pair, tx.today()) else { return };
    let known = item(tx, entry.id);
    let Err(weakness) = policy::check_basis(&resolution, &entry.content) else {
        if let Some(item) = known.filter(|item| item.outcome.is_none()) {
            close(tx, item, WorklistOutcome::Sufficient, Some(sharing.kind()));
        }
        return;
    };
    if let Some(item) = &known {
        let ruled = matches!(item.outcome, Some(WorklistOutcome::Ruled { .. }));
        // A ruling stands until the rules are others.
        if item.outcome.is_none() || (ruled && item.rule_pack_version == law.rule_pack_version) {
            return;
        }
    }
    pass.listed += 1;
    let name = entry_name(tx, entry.id);
    let clock = resolution
        .reclassification()
        .map(|owed| clocks::start(DeadlineKind::Reclassification, tx.clock, &owed, &law.calendar));
    if let Some(clock) = &clock {
        tx.set_deadline(&name, clock);
    }
    let fact = Fact::ReclassificationListed {
        sharing: sharing.kind(),
        reason: weakness.reason,
        due_date: clock.as_ref().map(|clock| clock.due_date),
    };
    ledger::append(tx, &name, fact, weakness.rule.clone(), &[]);
    let item = WorklistItem {
        entry: entry.id,
        provider: entry.provider,
        title: entry.content.title.clone(),
        sharing: sharing.kind(),
        reason: weakness.reason,
        rule: weakness.rule,
        pass: pass.number,
        rule_pack_version: law.rule_pack_version,
        listed_time: tx.clock,
        clock,
        overdue: false,
        outcome: None,
        closed_time: None,
    };
    tx.put(&keys::worklist(&entry.domain, entry.id), &item);
    tx.emit(Event::EntryEdited(name));
}

/// The authority rules on an entry of the worklist, on paper.
pub(super) fn rule_on(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    decision: &PaperDecision,
) -> Result<Outcome, Refusal> {
    let entry = working(tx, id)?;
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    let name = entry_name(tx, id);
    let Some(mut item) = item(tx, id).filter(|item| item.outcome.is_none()) else {
        return Err(Refusal::new(Reason::NotOnWorklist).fact("name", name));
    };
    check_decision(tx, decision)?;
    item.rule_pack_version = law.rule_pack_version;
    let outcome = WorklistOutcome::Ruled { decision: decision.clone() };
    close(tx, item, outcome, kind_of(&entry));
    Ok(Outcome::Done(Some(name)))
}

/// A version was published, or the entry left the catalog: its item is dealt with.
pub(super) fn settle(tx: &mut Tx<'_>, entry: &CatalogEntry, published: bool) {
    let Some(item) = item(tx, entry.id).filter(|item| item.outcome.is_none()) else { return };
    let now = kind_of(entry).filter(|_| published);
    let outcome = match now {
        None => WorklistOutcome::Withdrawn,
        Some(to) if to != item.sharing => WorklistOutcome::Reclassified { to },
        Some(_) => WorklistOutcome::BasisAdded,
    };
    close(tx, item, outcome, now);
}

fn close(
    tx: &mut Tx<'_>,
    mut item: WorklistItem,
    outcome: WorklistOutcome,
    sharing: Option<SharingKind>,
) {
    let name = entry_name(tx, item.entry);
    tx.clear_deadline(DeadlineKind::Reclassification, &name);
    let fact = Fact::ReclassificationClosed { outcome: outcome.name().to_owned(), sharing };
    ledger::append(tx, &name, fact, item.rule.clone(), &[]);
    item.outcome = Some(outcome);
    item.closed_time = Some(tx.clock);
    tx.put(&keys::worklist(&tx.domain().clone(), item.entry), &item);
    tx.emit(Event::EntryEdited(name));
}

/// Nothing was done about the entry in the house's time.
pub(crate) fn overdue(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let catalog_model::name::Resource::Entry(id) = row.subject.resource else { return };
    let Some(mut item) = item(tx, id) else { return };
    item.overdue = true;
    let rule = item.clock.as_ref().map(|clock| clock.rule.clone());
    tx.put(&keys::worklist(&tx.domain().clone(), id), &item);
    let fact = Fact::DeadlineMissed { kind: row.kind, due: row.due_time };
    ledger::append(tx, &row.subject, fact, rule, &[]);
    tx.emit(Event::EntryEdited(row.subject.clone()));
}

fn kind_of(entry: &CatalogEntry) -> Option<SharingKind> {
    entry.content.sharing.as_ref().map(SharingAttribute::kind)
}

#[cfg(test)]
mod tests;
