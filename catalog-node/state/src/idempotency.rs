//! Exactly once for clients: what became of a call, kept so that a retry on any node, before or
//! after a failover, gets the first outcome.
//!
//! The key is (domain, organization, system, request_id); the record holds the digest of the
//! call as received, so that drawn ids and stamps do not matter. Refusals are kept too. A record
//! stays until 24 h of committed clock *or* 100,000 later calls of that system have passed,
//! whichever comes first, and goes in the order of the log.

use catalog_model::{reason::Reason, refusal::Refusal};

use crate::{
    command::Command,
    keys::{Key, Table},
    outcome::Outcome,
    rows::IdempotencyRow,
    tx::Tx,
};

/// How long a record is kept, in milliseconds of committed clock.
pub const WINDOW_MS: u64 = 24 * 3_600_000;

/// How many later calls of the same system a record outlives.
pub const WINDOW_CALLS: u64 = 100_000;

/// At most this many old records go with each new one: bounded work, and still faster than they
/// come.
const EVICTED_PER_CALL: usize = 4;

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

/// The caller's part of the key: domain, organization, system or person.
fn caller_key(table: Table, command: &Command) -> Option<Key> {
    let caller = &command.caller;
    let organization = caller.organization()?;
    let key = Key::table(table).domain(&caller.domain).id(organization.to_bytes());
    Some(match (caller.system(), caller.person()) {
        (Some(system), _) => key.byte(0).id(system.to_bytes()),
        (None, Some(person)) => key.byte(1).id(person.to_bytes()),
        (None, None) => key.byte(2),
    })
}

pub(crate) fn look_up(tx: &Tx<'_>, command: &Command) -> Repeat {
    let Some(request_id) = &command.request_id else { return Repeat::No };
    let Some(key) = caller_key(Table::Idempotency, command) else { return Repeat::No };
    let Some(row) = tx.get::<IdempotencyRow>(&key.text(request_id)) else { return Repeat::No };
    if tx.clock.0.saturating_sub(row.time.0) > WINDOW_MS {
        return Repeat::No;
    }
    if row.call_digest != command.call_digest {
        return Repeat::WithOtherBody(
            Refusal::new(Reason::RequestIdReused).fact("request_id", request_id),
        );
    }
    Repeat::Of(match (row.import, row.refusal) {
        (Some(results), _) => Outcome::Imported(results),
        (None, Some(refusal)) => Outcome::Refused(refusal),
        (None, None) => Outcome::Done(row.resource),
    })
}

pub(crate) fn record(tx: &mut Tx<'_>, command: &Command, outcome: &Outcome) {
    let Some(request_id) = &command.request_id else { return };
    let Some(key) = caller_key(Table::Idempotency, command) else { return };
    let (resource, refusal, import) = match outcome {
        Outcome::Done(resource) => (resource.clone(), None, None),
        Outcome::Refused(refusal) => (None, Some(refusal.clone()), None),
        Outcome::Imported(results) => (None, None, Some(results.clone())),
        Outcome::ClockAdvanced { .. } | Outcome::Probe { .. } => (None, None, None),
    };
    let row = IdempotencyRow {
        call_digest: command.call_digest,
        resource,
        refusal,
        index: tx.index,
        time: tx.clock,
        import,
    };
    let key = key.text(request_id);
    tx.put(&key, &row);
    let order = caller_key(Table::IdempotencyOrder, command).expect("checked above");
    let number = tx.last_row(&order).map_or(0, |(key, _)| last_number(&key)) + 1;
    tx.put_bytes(&order.clone().number(number), key.into_vec());
    evict(tx, &order, number);
}

/// The number at the end of an order key.
fn last_number(key: &[u8]) -> u64 {
    let bytes = key[key.len() - 8..].try_into().expect("an order key ends in a number");
    u64::from_be_bytes(bytes)
}

/// Removes the oldest records of a caller that are past one of the windows.
fn evict(tx: &mut Tx<'_>, order: &Key, newest: u64) {
    for (order_key, key) in tx.rows(order, EVICTED_PER_CALL) {
        let number = last_number(&order_key);
        let order_key = Key::from_stored(order_key);
        let key = Key::from_stored(key);
        let row = tx.get::<IdempotencyRow>(&key);
        let too_old = row.is_none_or(|row| tx.clock.0.saturating_sub(row.time.0) > WINDOW_MS);
        if !too_old && newest - number < WINDOW_CALLS {
            break;
        }
        tx.delete(&key);
        tx.delete(&order_key);
    }
}
