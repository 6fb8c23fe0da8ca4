//! Applying commands: the one door through which replicated state changes.

use std::sync::Arc;

use catalog_model::{
    calendar::WorkingDayCalendar,
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution, RulePack},
    time::{LocalDate, UtcMillis},
};
use sha2::{Digest, Sha256};

use crate::{
    apply, codec,
    command::{Body, Command, LEVEL},
    event::Event,
    idempotency::{self, Repeat},
    keys,
    outcome::Outcome,
    rows::{ClusterConfig, VersionedText},
    store::{Overlay, Store, Writes},
    tx::Tx,
};

/// A committed entry that this version cannot apply. The node stops: going on would diverge.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The command does not decode.
    #[error("the command at index {index} does not decode")]
    Undecodable {
        /// Log position.
        index: u64,
        /// Why.
        #[source]
        source: codec::DecodeError,
    },
    /// The command needs a newer version.
    #[error("the command at index {index} has level {level}; this version applies up to {LEVEL}")]
    Level {
        /// Log position.
        index: u64,
        /// Its level.
        level: u32,
    },
    /// The first command is not a bootstrap command, or a later one is.
    #[error("the command at index {index} comes before the cluster was bootstrapped")]
    NotBootstrapped {
        /// Log position.
        index: u64,
    },
}

/// What applying one command gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Done or refused.
    pub outcome: Outcome,
    /// What watchers are told.
    pub events: Vec<Event>,
    /// The committed clock after it.
    pub clock: UtcMillis,
}

/// Changes of a batch of commands over a store that does not hold them yet.
pub struct Session<'a> {
    base: &'a dyn Store,
    pending: Writes,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

impl<'a> Session<'a> {
    /// An empty batch over `base`.
    pub fn new(base: &'a dyn Store) -> Self {
        Self { base, pending: Writes::new() }
    }

    /// The store with the batch laid over it.
    pub fn view(&self) -> Overlay<'_> {
        Overlay::new(self.base, &self.pending)
    }

    /// The writes of the batch, to be made durable in one piece.
    pub fn into_writes(self) -> Writes {
        self.pending
    }
}

/// Rules and calendar in the form in which they decide, kept between commands. They are derived
/// from state alone; a machine that starts anew reads them again.
#[derive(Debug, Default)]
pub struct Machine {
    rule_pack: Option<(u64, Arc<RulePack>)>,
    calendar: Option<(u64, Arc<WorkingDayCalendar>)>,
}

/// What decides in one command beside state: the rules and the calendar in force.
#[derive(Debug, Clone)]
pub struct Law {
    /// The rule pack.
    pub rule_pack: Arc<RulePack>,
    /// Its version.
    pub rule_pack_version: u64,
    /// The calendar.
    pub calendar: Arc<WorkingDayCalendar>,
}

impl Law {
    /// What holds in this domain for a pair on a day.
    pub(crate) fn resolve(
        &self,
        tx: &Tx<'_>,
        pair: Pair,
        date: LocalDate,
    ) -> Result<Resolution, Refusal> {
        self.rule_pack.resolve(&tx.cluster.composition, pair, date).map_err(|unknown| {
            Refusal::new(Reason::NoRuleInForce).fact("key", format!("composition {}", unknown.name))
        })
    }
}

impl Machine {
    /// A machine that has applied nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies the command at `index`. `index` only ever grows.
    pub fn apply(
        &mut self,
        session: &mut Session<'_>,
        index: u64,
        bytes: &[u8],
    ) -> Result<Applied, ApplyError> {
        let command =
            Command::decode(bytes).map_err(|source| ApplyError::Undecodable { index, source })?;
        if command.level > LEVEL {
            return Err(ApplyError::Level { index, level: command.level });
        }
        let view = session.view();
        let cluster: Option<ClusterConfig> = read(&view, &keys::meta::cluster());
        let (writes, applied) = match (cluster, &command.body) {
            (None, Body::Bootstrap(bootstrap)) => {
                let mut tx =
                    Tx::new(view, index, bootstrap.clock, bootstrap.cluster.clone(), &command);
                let outcome = apply::bootstrap::apply(&mut tx, bootstrap);
                finish(tx, outcome, bootstrap.clock)
            }
            (None, _) => return Err(ApplyError::NotBootstrapped { index }),
            (Some(cluster), body) => {
                let before = read(&view, &keys::meta::clock()).unwrap_or_default();
                let after = clock_after(before, &cluster, &command);
                // A stamp counts whatever becomes of its command; a clock is moved by hand only
                // by those who may.
                let by_hand = matches!(body, Body::AdvanceClock { development: true, .. });
                let begins = if by_hand { before } else { after };
                let mut tx = Tx::new(view, index, begins, cluster, &command);
                let law = self.law(&tx);
                let outcome = decide(&mut tx, &law, &command, body, after);
                let clock = tx.clock;
                finish(tx, outcome, clock)
            }
        };
        merge(session, index, writes, applied.clock);
        Ok(applied)
    }

    /// The rules and the calendar in force.
    fn law(&mut self, tx: &Tx<'_>) -> Law {
        let version =
            tx.get(&keys::meta::rule_pack_version()).expect("a bootstrapped cluster has rules");
        if self.rule_pack.as_ref().is_none_or(|(loaded, _)| *loaded != version) {
            let row: VersionedText =
                tx.get(&keys::rule_pack(version)).expect("the current version exists");
            let pack = RulePack::parse(&row.text).expect("a pack is checked before it is stored");
            self.rule_pack = Some((version, Arc::new(pack)));
        }
        let calendar_version =
            tx.get(&keys::meta::calendar_version()).expect("a bootstrapped cluster has a calendar");
        if self.calendar.as_ref().is_none_or(|(loaded, _)| *loaded != calendar_version) {
            let row: VersionedText =
                tx.get(&keys::calendar(calendar_version)).expect("the current version exists");
            let calendar = WorkingDayCalendar::parse(&row.text, row.version)
                .expect("a calendar is checked before it is stored");
            self.calendar = Some((calendar_version, Arc::new(calendar)));
        }
        let (rule_pack_version, rule_pack) = self.rule_pack.clone().expect("loaded above");
        let (_, calendar) = self.calendar.clone().expect("loaded above");
        Law { rule_pack, rule_pack_version, calendar }
    }
}

/// The committed clock once `command` is committed: it never moves back.
fn clock_after(clock: UtcMillis, cluster: &ClusterConfig, command: &Command) -> UtcMillis {
    let stamp = match (&command.body, cluster.development_clock) {
        (Body::AdvanceClock { to, development: true }, true) => *to,
        (_, true) | (Body::AdvanceClock { development: true, .. }, false) => clock,
        (Body::AdvanceClock { to, .. }, false) => *to,
        (_, false) => command.stamped_at,
    };
    clock.max(stamp)
}

/// Answers a repeated call from the record of its first outcome, everything else from the rules;
/// `clock` is the time once the command is done, unless it is refused.
fn decide(tx: &mut Tx<'_>, law: &Law, command: &Command, body: &Body, clock: UtcMillis) -> Outcome {
    let before = tx.clock;
    match idempotency::look_up(tx, command) {
        Repeat::Of(outcome) => return outcome,
        Repeat::WithOtherBody(refusal) => return Outcome::Refused(refusal),
        Repeat::No => {}
    }
    tx.clock = clock;
    let outcome = match apply::dispatch(tx, law, body) {
        Ok(outcome) => outcome,
        Err(refusal) => {
            tx.roll_back();
            tx.clock = before;
            apply::record_refusal(tx, body, &refusal);
            Outcome::Refused(refusal)
        }
    };
    idempotency::record(tx, command, &outcome);
    outcome
}

fn finish(tx: Tx<'_>, outcome: Outcome, clock: UtcMillis) -> (Writes, Applied) {
    let (writes, events) = tx.finish();
    (writes, Applied { outcome, events, clock })
}

/// Adds the command's writes to the batch, with the clock and the next link of the hash chain
/// over (index, writes).
fn merge(session: &mut Session<'_>, index: u64, mut writes: Writes, clock: UtcMillis) {
    writes.insert(keys::meta::clock().into_vec(), Some(codec::encode(&clock)));
    let previous = state_hash(&session.view());
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(index.to_be_bytes());
    for (key, value) in &writes {
        hash.update((key.len() as u32).to_be_bytes());
        hash.update(key);
        match value {
            Some(value) => {
                hash.update((value.len() as u32).to_be_bytes());
                hash.update(value);
            }
            None => hash.update(u32::MAX.to_be_bytes()),
        }
    }
    let hash: [u8; 32] = hash.finalize().into();
    session.pending.append(&mut writes);
    session.pending.insert(keys::meta::state_hash().into_vec(), Some(hash.to_vec()));
}

/// The hash chain over every (index, writes) so far; zeros before the first.
pub fn state_hash(store: &dyn Store) -> [u8; 32] {
    store
        .get(keys::meta::state_hash().as_slice())
        .map_or([0; 32], |bytes| bytes.try_into().expect("the hash row has 32 bytes"))
}

fn read<T: for<'b> minicbor::Decode<'b, ()>>(view: &Overlay<'_>, key: &keys::Key) -> Option<T> {
    view.get(key.as_slice()).map(|bytes| {
        codec::decode(&bytes).unwrap_or_else(|error| panic!("row {key:?} does not decode: {error}"))
    })
}

/// A refusal for a caller that may not do this.
pub(crate) fn not_permitted(tx: &Tx<'_>, needed: &str) -> Refusal {
    Refusal::new(Reason::CallerNotPermitted).fact("caller", &tx.caller).fact("needed", needed)
}

#[cfg(test)]
mod tests;
