//! Outages of the platform (SEC-18): the clock runs on, but whoever fell overdue on a day on which
//! the platform was out is not counted before somebody who does not owe the answer has ruled.

use catalog_model::{
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::RuleKey,
    share_request::ShareRequest,
    time::{LocalDate, UtcMillis},
};

use super::{needed, own, work};
use crate::{
    apply::{cases, cluster::operates, organizations::is_authority, requests, sites, text},
    event::Event,
    keys::{self, Key, Table},
    law::{OutageRuling, PlatformOutage, Work},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::OutageRow,
    tx::Tx,
};

/// Outages that are looked at for one day: the newest.
const OUTAGES_SEEN: usize = 256;

/// Whether the lateness of the case waits for a ruling: until then it does not count (must-refuse
/// 44).
pub(crate) fn needs_ruling(tx: &Tx<'_>, case: &ResourceName) -> bool {
    ruling(tx, case).is_some_and(|row| row.ruled.is_none())
}

/// What was, or is to be, ruled on the lateness of the case.
pub(crate) fn ruling(tx: &Tx<'_>, case: &ResourceName) -> Option<OutageRuling> {
    tx.get(&keys::outage_ruling(case))
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    law: &Law,
    (from, until): (UtcMillis, UtcMillis),
    second_source: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority, the platform manager or a node"));
    }
    let rule = needed(&own(tx, law)?, RuleKey::ClockOutage)?;
    text::check_reason("reason", reason)?;
    text::check("second_source", second_source)?;
    if from >= until || until > tx.clock {
        return Err(Refusal::new(Reason::OutageTimesWrong).fact("now", tx.clock));
    }
    let nodes = nodes_out(tx, from, until);
    if nodes.is_empty() && second_source.trim().is_empty() {
        return Err(Refusal::new(Reason::OutageSourceMissing).under(rule));
    }
    let domain = tx.domain_name();
    if outages(tx).iter().any(|outage| (outage.from, outage.until) == (from, until)) {
        return Ok(Outcome::Done(Some(domain)));
    }
    let number = next_number(tx);
    let texts = [("reason", reason), ("second_source", second_source)];
    keep(tx, law, (number, from, until), nodes, Some(rule), &texts);
    Ok(Outcome::Done(Some(domain)))
}

/// Files an outage, with the texts that tell of it, `second_source` among them.
fn keep(
    tx: &mut Tx<'_>,
    law: &Law,
    (number, from, until): (u64, UtcMillis, UtcMillis),
    nodes: Vec<u64>,
    rule: Option<RuleRef>,
    texts: &[(&str, &str)],
) {
    let domain = tx.domain_name();
    let fact = Fact::PlatformOutageRecorded { number, from, until, nodes: nodes.clone() };
    let record = ledger::append(tx, &domain, fact, rule, texts);
    let source = texts.iter().find(|(label, _)| *label == "second_source");
    let row = PlatformOutage {
        number,
        from,
        until,
        nodes,
        second_source: source.map_or_else(String::new, |(_, text)| (*text).to_owned()),
        recorded_time: tx.clock,
        record,
    };
    tx.put(&keys::platform_outage(number), &row);
    work::begin(tx, law, Work::Outage { number });
}

/// The outage that a fork ends, with the witness as its second source; none where no time passed.
/// A pack without a rule on outages does not keep a new generation from beginning.
pub(crate) fn of_fork(
    tx: &mut Tx<'_>,
    law: &Law,
    (from, until): (UtcMillis, UtcMillis),
    second_source: &str,
) -> Option<u64> {
    if from >= until {
        return None;
    }
    let rule = own(tx, law).ok().and_then(|own| needed(&own, RuleKey::ClockOutage).ok());
    let number = next_number(tx);
    let nodes = nodes_out(tx, from, until);
    let texts = [("reason", "forced failover"), ("second_source", second_source)];
    keep(tx, law, (number, from, until), nodes, rule, &texts);
    Some(number)
}

fn next_number(tx: &Tx<'_>) -> u64 {
    tx.last_row(&Key::table(Table::PlatformOutage)).map_or(0, |(key, _)| {
        u64::from_be_bytes(key[1..9].try_into().expect("an outage key ends in its number"))
    }) + 1
}

/// Nodes that have an outage of their own on record in this time.
fn nodes_out(tx: &Tx<'_>, from: UtcMillis, until: UtcMillis) -> Vec<u64> {
    let rows = tx.rows(&Key::table(Table::Outage), usize::MAX);
    let mut nodes: Vec<u64> = rows
        .into_iter()
        .map(|(_, bytes)| crate::codec::decode(&bytes).expect("rows are ours"))
        .filter(|row: &OutageRow| row.from <= until && row.until >= from)
        .map(|row| row.node)
        .collect();
    nodes.dedup();
    nodes
}

fn outages(tx: &Tx<'_>) -> Vec<PlatformOutage> {
    // They are numbered from 1 and stay. Of the first it is remembered that it is not there; to look for
    // the last of a table costs more than most of what an overdue answer brings.
    if !tx.has(&keys::platform_outage(1)) {
        return Vec::new();
    }
    let table = Key::table(Table::PlatformOutage);
    let Some((last, _)) = tx.last_row(&table) else { return Vec::new() };
    let newest = u64::from_be_bytes(last[1..9].try_into().expect("ends in its number"));
    let first = table.clone().number(newest.saturating_sub(OUTAGES_SEEN as u64 - 1));
    tx.rows_between(first.as_slice(), &table.end(), OUTAGES_SEEN)
        .into_iter()
        .map(|(_, bytes)| crate::codec::decode(&bytes).expect("rows are ours"))
        .collect()
}

/// Marks a case that has just fallen overdue, if the platform was out on its last day, if after a
/// fork the neighbours have not been asked yet what they hold of it, or if an act on it was refused
/// because one site alone worked. The case need not be filed yet.
pub(crate) fn after_marking(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest) {
    let outages = outages(tx);
    let marked = !outages.is_empty() && mark(tx, law, case, &outages);
    let unsure = sites::window_is_open(tx) || sites::graded::was_refused(tx, &requests::name(case));
    if unsure
        && !marked
        && let Some(overdue) = &case.overdue
        && let Some(rule) = own(tx, law).ok().and_then(|own| own.outage_ruling())
    {
        let last = UtcMillis(overdue.due_time.0.saturating_sub(1)).local_date();
        want(tx, case, last, Vec::new(), rule);
    }
}

/// Marks a case that is overdue since before the outage was on record.
pub(super) fn mark_for(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest, number: u64) -> bool {
    let row: Option<PlatformOutage> = tx.get(&keys::platform_outage(number));
    row.is_some_and(|outage| mark(tx, law, case, &[outage]))
}

fn mark(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest, outages: &[PlatformOutage]) -> bool {
    let Some(mark) = &case.overdue else { return false };
    // The mark's instant is the end of the last day.
    let last = UtcMillis(mark.due_time.0.saturating_sub(1)).local_date();
    let on_that_day =
        |outage: &&PlatformOutage| outage.from < last.end() && outage.until > last.start();
    let numbers: Vec<u64> =
        outages.iter().filter(on_that_day).map(|outage| outage.number).collect();
    let Some(rule) = own(tx, law).ok().and_then(|own| own.outage_ruling()) else { return false };
    if numbers.is_empty() {
        return false;
    }
    want(tx, case, last, numbers, rule)
}

fn want(
    tx: &mut Tx<'_>,
    case: &ShareRequest,
    due_date: LocalDate,
    numbers: Vec<u64>,
    rule: RuleRef,
) -> bool {
    let name = requests::name(case);
    let key = keys::outage_ruling(&name);
    let before = tx.get::<OutageRuling>(&key);
    if let Some(mut row) = before.filter(|row| row.due_date == due_date) {
        // Of another outage of the same day the ruling is the same.
        let before = row.outages.len();
        for number in numbers {
            if !row.outages.contains(&number) {
                row.outages.push(number);
            }
        }
        if row.outages.len() > before {
            tx.put(&key, &row);
        }
        return false;
    }
    let row = OutageRuling {
        ruled: None,
        case: name.clone(),
        due_date,
        outages: numbers,
        wanted_time: tx.clock,
        by: None,
        reason: None,
        ruled_time: None,
    };
    tx.put(&key, &row);
    ledger::append(tx, &name, Fact::OutageRulingWanted { due_date }, Some(rule), &[]);
    tx.emit(Event::RequestChanged(name));
    true
}

/// Takes back what nobody has ruled on: the case is overdue no more.
pub(super) fn forget(tx: &mut Tx<'_>, case: &ResourceName) {
    if needs_ruling(tx, case) {
        tx.delete(&keys::outage_ruling(case));
    }
}

/// The escalation target rules, once and with a reason.
pub(super) fn rule(
    tx: &mut Tx<'_>,
    law: &Law,
    name: &ResourceName,
    counts: bool,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let case = requests::owned(tx, name)?;
    let Some(row) = ruling(tx, name).filter(|_| case.overdue.is_some()) else {
        return Err(Refusal::new(Reason::RulingNotWanted).fact("name", name));
    };
    let target = case.overdue.as_ref().and_then(|mark| mark.escalated_party.clone());
    let caller = tx.caller_organization();
    let by = caller.filter(|caller| match &target {
        Some(target) => target.organization == caller.id,
        // Nobody is on file above the debtor: the authority, unless it owes the answer itself.
        None => is_authority(tx) && !owes(&case, caller.id),
    });
    let Some(by) = by else {
        let needed = target.map_or_else(|| "the authority".to_owned(), |party| party.name);
        return Err(not_permitted(tx, &format!("{needed}, to whom the case was escalated")));
    };
    text::check_reason("reason", reason)?;
    if counts && sites::window_is_open(tx) {
        return Err(Refusal::new(Reason::ForkRefused)
            .fact("cause", "neighbours were not asked yet what they hold of it")
            .fact("cause_zh", "尚未向相邻域核实其所持内容"));
    }
    if !needs_ruling(tx, name) {
        return Err(Refusal::new(Reason::RulingGivenAlready).fact("name", name));
    }
    let rule = needed(&own(tx, law)?, RuleKey::ClockOutage)?;
    let row = OutageRuling {
        ruled: Some(counts),
        by: Some(tx.party(&by)),
        reason: Some(reason.to_owned()),
        ruled_time: Some(tx.clock),
        ..row
    };
    tx.put(&keys::outage_ruling(name), &row);
    ledger::append(tx, name, Fact::OutageRuled { counts }, Some(rule), &[("reason", reason)]);
    cases::overdue::outage_ruled(tx, law, name);
    tx.emit(Event::RequestChanged(name.clone()));
    Ok(Outcome::Done(Some(name.clone())))
}

fn owes(case: &ShareRequest, organization: catalog_model::ids::OrganizationId) -> bool {
    let ordered = case.overdue.iter().flat_map(|mark| &mark.ordered);
    ordered.into_iter().any(|party| party.organization == organization)
        || matches!(case.content.entry.resource, Resource::Entry(_))
            && case.provider.organization == organization
}
