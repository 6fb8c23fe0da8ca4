//! Exactly once for clients: what became of a call, kept so that a retry on any node, before or
//! after a failover, gets the first outcome.
//!
//! The key is (domain, organization, system, request_id); the record holds the digest of the
//! call as received, so that drawn ids and stamps do not matter. Refusals are kept too. A record
//! stays until 24 h of committed clock *or* 100,000 later calls of that system have passed,
//! whichever comes first, and goes in the order of the log.

mod absent;

use std::collections::{BTreeMap, VecDeque};

use catalog_model::{
    caller::{Caller, Identity},
    reason::Reason,
    refusal::Refusal,
    time::UtcMillis,
};
use catalog_mutation::{Mutation, active};

use self::absent::Absent;
use crate::{
    command::{Body, Command},
    keys::{Key, Table},
    outcome::Outcome,
    rows::IdempotencyRow,
    tx::Tx,
    view::View,
};

/// How long a record is kept, in milliseconds of committed clock.
pub const WINDOW_MS: u64 = 24 * 3_600_000;

/// How many later calls of the same system a record outlives.
pub const WINDOW_CALLS: u64 = 100_000;

/// At most this many old records go with each new one: bounded work, and still faster than they
/// come.
const EVICTED_PER_CALL: usize = 4;

/// Names of the oldest records that are read at once, where those that go are far behind.
const READ_AHEAD: usize = 32;

/// Callers whose records are remembered by number.
const CALLERS_KNOWN: usize = 4096;

/// Whether a call was made before.
#[derive(Debug)]
pub(crate) enum Repeat {
    /// It was not, or it carries no key.
    No,
    /// It was; this came of it.
    Of(Outcome),
    /// The key was used for another call.
    WithOtherBody(Refusal),
}

/// The caller's part of the key: domain, organization, system or person. Probes come from
/// gateways, which belong to no organization; theirs are kept from level 2 on.
fn caller_key(table: Table, tx: &Tx<'_>, command: &Command) -> Option<Key> {
    let caller = &command.caller;
    if let (Identity::Gateway { id }, true) = (&caller.identity, keeps_probe(tx, command)) {
        return Some(Key::table(table).domain(&caller.domain).id([0; 16]).byte(3).text(id).byte(0));
    }
    key_of(table, caller)
}

/// The part of the key of a caller that belongs to an organization.
fn key_of(table: Table, caller: &Caller) -> Option<Key> {
    let organization = caller.organization()?;
    let key = Key::table(table).domain(&caller.domain).id(organization.to_bytes());
    Some(match (caller.system(), caller.person()) {
        (Some(system), _) => key.byte(0).id(system.to_bytes()),
        (None, Some(person)) => key.byte(1).id(person.to_bytes()),
        (None, None) => key.byte(2),
    })
}

impl View<'_> {
    /// What became of a call that this caller made under `request_id`, as long as it is kept.
    pub fn outcome_of(&self, caller: &Caller, request_id: &str) -> Option<IdempotencyRow> {
        let row: IdempotencyRow =
            self.get(&key_of(Table::Idempotency, caller)?.text(request_id))?;
        (self.clock().0.saturating_sub(row.time.0) <= WINDOW_MS).then_some(row)
    }
}

/// Whether the answer of a probe command is kept.
fn keeps_probe(tx: &Tx<'_>, command: &Command) -> bool {
    tx.level >= 2 && matches!(command.body, Body::ProbePut { .. } | Body::ProbeCompareAndSet { .. })
}

/// What is remembered of the records that are kept, so that none of them has to be looked for. Derived
/// from state alone: read anew, it is the same.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// The numbers of each caller's.
    spans: BTreeMap<Vec<u8>, Span>,
    absent: Absent,
}

/// The records of one caller are numbered without gaps: the newest gets one more than the one before
/// it, and the oldest go first.
#[derive(Debug)]
struct Span {
    oldest: u64,
    newest: u64,
    /// When the oldest was made, or earlier; `None` until somebody asked.
    made: Option<UtcMillis>,
    /// Under which keys the oldest are kept, as far as that was read. What a number names never
    /// changes.
    ahead: VecDeque<Vec<u8>>,
}

impl Orders {
    /// Forgets everything: the next command is another state's.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.absent.clear();
    }

    /// What is kept of the caller with `order`; `None` = nothing.
    ///
    /// Whoever takes it puts it back with [`Orders::keep`].
    fn take(&mut self, tx: &Tx<'_>, order: &Key) -> Option<Span> {
        if let Some(span) = self.spans.remove(order.as_slice()) {
            return Some(span);
        }
        let newest = last_number(&tx.last_row(order)?.0);
        let oldest = tx.rows(order, 1).first().map_or(newest, |(key, _)| last_number(key));
        Some(Span { oldest, newest, made: None, ahead: VecDeque::new() })
    }

    fn keep(&mut self, order: Key, span: Span) {
        if span.oldest > span.newest {
            return;
        }
        if self.spans.len() >= CALLERS_KNOWN {
            self.spans.clear();
        }
        self.spans.insert(order.into_vec(), span);
    }
}

pub(crate) fn look_up(tx: &Tx<'_>, orders: &mut Orders, command: &Command) -> Repeat {
    let Some(request_id) = &command.request_id else { return Repeat::No };
    if active(Mutation::RetryNotRecognized) {
        return Repeat::No;
    }
    let Some(key) = caller_key(Table::Idempotency, tx, command) else { return Repeat::No };
    let key = key.text(request_id);
    orders.absent.go_on(tx);
    if orders.absent.is_sure(&key) {
        debug_assert!(!tx.has(&key), "every record is counted");
        return Repeat::No;
    }
    let Some(row) = tx.get::<IdempotencyRow>(&key) else { return Repeat::No };
    let window = if active(Mutation::RetryForgottenEarly) { 1_000 } else { WINDOW_MS };
    if tx.clock.0.saturating_sub(row.time.0) > window {
        return Repeat::No;
    }
    if row.call_digest != command.call_digest {
        return Repeat::WithOtherBody(
            Refusal::new(Reason::RequestIdReused).fact("request_id", request_id),
        );
    }
    if let Some(done) = row.probe {
        return Repeat::Of(Outcome::Probe { done, index: row.index });
    }
    Repeat::Of(match (row.import, row.refusal) {
        (Some(results), _) => Outcome::Imported(results),
        (None, Some(refusal)) => Outcome::Refused(refusal),
        (None, None) => Outcome::Done(row.resource),
    })
}

pub(crate) fn record(tx: &mut Tx<'_>, orders: &mut Orders, command: &Command, outcome: &Outcome) {
    let Some(request_id) = &command.request_id else { return };
    let Some(key) = caller_key(Table::Idempotency, tx, command) else { return };
    let (resource, refusal, import) = match outcome {
        Outcome::Done(resource) => (resource.clone(), None, None),
        Outcome::Refused(refusal) => (None, Some(refusal.clone()), None),
        Outcome::Imported(results) => (None, None, Some(results.clone())),
        // Raft's own change takes effect once: a repetition is done and changes nothing.
        Outcome::MembersChanged { .. } => (Some(tx.domain_name()), None, None),
        Outcome::ClockAdvanced { .. } | Outcome::Probe { .. } => (None, None, None),
    };
    let probe = match outcome {
        Outcome::Probe { done, .. } if keeps_probe(tx, command) => Some(*done),
        _ => None,
    };
    let row = IdempotencyRow {
        call_digest: command.call_digest,
        resource,
        refusal,
        index: tx.index,
        time: tx.clock,
        import,
        probe,
    };
    let key = key.text(request_id);
    tx.put(&key, &row);
    let order = caller_key(Table::IdempotencyOrder, tx, command).expect("checked above");
    let before = orders.take(tx, &order);
    let number = before.as_ref().map_or(0, |span| span.newest) + 1;
    let order_key = order.clone().number(number);
    orders.absent.added(&order_key, &key);
    tx.put_bytes(&order_key, key.into_vec());
    let mut span = before.unwrap_or_else(|| {
        let (made, ahead) = (Some(tx.clock), VecDeque::new());
        Span { oldest: number, newest: number, made, ahead }
    });
    span.newest = number;
    evict(tx, &mut orders.absent, &order, &mut span);
    orders.keep(order, span);
}

/// The number at the end of an order key.
fn last_number(key: &[u8]) -> u64 {
    let bytes = key[key.len() - 8..].try_into().expect("an order key ends in a number");
    u64::from_be_bytes(bytes)
}

/// Removes the oldest records of a caller that are past one of the windows.
fn evict(tx: &mut Tx<'_>, absent: &mut Absent, order: &Key, span: &mut Span) {
    for _ in 0..EVICTED_PER_CALL.min((span.newest - span.oldest + 1) as usize) {
        let mut now = tx.clock;
        if active(Mutation::RetryEvictedByGatewayClock) {
            now = tx.received_at.unwrap_or(now);
        }
        let is_old = |made: UtcMillis| now.0.saturating_sub(made.0) > WINDOW_MS;
        let is_far = span.newest - span.oldest >= WINDOW_CALLS;
        // The record may be a later one under the same key, never an earlier one.
        if !is_far && span.made.is_some_and(|made| !is_old(made)) {
            break;
        }
        let order_key = order.clone().number(span.oldest);
        if span.ahead.is_empty() {
            let rows = tx.rows_between(order_key.as_slice(), &order.end(), READ_AHEAD);
            span.ahead = rows.into_iter().map(|(_, key)| key).collect();
        }
        let key = span.ahead.front().expect("records are numbered without gaps").clone();
        let key = Key::from_stored(key);
        // What is far goes whenever it was made: nobody looks.
        if !is_far {
            span.made = tx.get::<IdempotencyRow>(&key).map(|row| row.time);
            if span.made.is_some_and(|made| !is_old(made)) {
                break;
            }
        }
        tx.delete(&key);
        tx.delete(&order_key);
        absent.removed(&order_key, &key);
        span.ahead.pop_front();
        span.oldest += 1;
    }
}
