//! Applying commands: the one door through which replicated state changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalog_model::{
    calendar::WorkingDayCalendar,
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution, RulePack, UnknownComposition},
    time::{LocalDate, UtcMillis},
};
use catalog_mutation::{Mutation, active};
use sha2::{Digest, Sha256};

use crate::{
    apply, codec,
    command::{Body, Command, LEVEL},
    event::Event,
    idempotency::{self, Orders, Repeat},
    keys::{self, Key, Table},
    outcome::Outcome,
    rows::{ClusterConfig, Counters, VersionedText},
    store::{Overlay, Store, Writes},
    tx::{Begins, Tx},
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
    /// Read at the first command of the batch and kept up from its writes: most commands need these
    /// rows, and reading them from a disk for each would cost more than the command itself.
    head: Option<Head>,
}

/// The rows that every command reads, after the last command of a batch.
#[derive(Debug, Clone)]
struct Head {
    /// Absent before bootstrap.
    cluster: Option<Arc<ClusterConfig>>,
    level: u32,
    clock: UtcMillis,
    counters: Counters,
    rule_pack_version: Option<u64>,
    calendar_version: Option<u64>,
    state_hash: [u8; 32],
}

impl Head {
    fn read(view: &Overlay<'_>) -> Self {
        Self {
            cluster: read(view, &keys::meta::cluster()).map(Arc::new),
            level: read(view, &keys::meta::level()).unwrap_or(1),
            clock: read(view, &keys::meta::clock()).unwrap_or_default(),
            counters: read(view, &keys::meta::counters()).unwrap_or_default(),
            rule_pack_version: read(view, &keys::meta::rule_pack_version()),
            calendar_version: read(view, &keys::meta::calendar_version()),
            state_hash: state_hash(view),
        }
    }
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

impl<'a> Session<'a> {
    /// An empty batch over `base`.
    pub fn new(base: &'a dyn Store) -> Self {
        Self { base, pending: Writes::new(), head: None }
    }

    /// The head, read if it is not known. Whoever takes it puts it back once the command is merged.
    fn take_head(&mut self) -> Head {
        self.head.take().unwrap_or_else(|| Head::read(&self.view()))
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
    older: OlderPacks,
    resolutions: Resolutions,
    /// No deadline is due below this key; absent = not known. Where they were lie marks of what was
    /// deleted, and looking past thousands of them costs more than firing what is due.
    due_from: Option<Vec<u8>>,
    orders: Orders,
    /// Hash of the state that `orders` was read of.
    orders_of: [u8; 32],
}

/// Packs of earlier versions that cases were asked for lately. Packs never change once they are
/// stored, so what is kept here is what would be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct OlderPacks(Arc<Mutex<BTreeMap<u64, Arc<RulePack>>>>);

/// How many packs of earlier versions are kept.
const OLDER_KEPT: usize = 8;

/// What holds for pairs on days that were asked for lately, by the version of the pack: it follows
/// from the pack alone. Merging the rules anew costs more than most of what a command does beside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolutions(Arc<Mutex<BTreeMap<ResolutionKey, Arc<Resolution>>>>);

type ResolutionKey = (u64, LocalDate, Pair, String);

/// How many resolutions are kept: days on which open cases were received, and their pairs.
const RESOLUTIONS_KEPT: usize = 256;

impl Resolutions {
    fn of(
        &self,
        (version, pack): (u64, &RulePack),
        composition: &str,
        pair: Pair,
        date: LocalDate,
    ) -> Result<Arc<Resolution>, UnknownComposition> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (version, date, pair, composition.to_owned());
        if let Some(resolution) = kept.get(&key) {
            return Ok(Arc::clone(resolution));
        }
        let resolution = Arc::new(pack.resolve(composition, pair, date)?);
        if kept.len() >= RESOLUTIONS_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&resolution));
        Ok(resolution)
    }
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
    pub(crate) older: OlderPacks,
    pub(crate) resolutions: Resolutions,
    /// Where the deadlines begin, as far as it is known.
    pub(crate) due_from: Option<Vec<u8>>,
}

impl Law {
    /// The rule pack of a version: a case keeps the one under which it was received.
    pub(crate) fn pack(&self, tx: &Tx<'_>, version: u64) -> Arc<RulePack> {
        if version == self.rule_pack_version {
            return Arc::clone(&self.rule_pack);
        }
        let mut older = self.older.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pack) = older.get(&version) {
            return Arc::clone(pack);
        }
        let row: VersionedText =
            tx.get(&keys::rule_pack(version)).expect("packs stay as long as their cases");
        let pack = RulePack::parse(&row.text).expect("a pack is checked before it is stored");
        let pack = Arc::new(pack);
        if older.len() >= OLDER_KEPT {
            older.clear();
        }
        older.insert(version, Arc::clone(&pack));
        pack
    }

    /// What holds in this domain for a pair on a day.
    pub(crate) fn resolve(
        &self,
        tx: &Tx<'_>,
        pair: Pair,
        date: LocalDate,
    ) -> Result<Arc<Resolution>, Refusal> {
        let pack = (self.rule_pack_version, &*self.rule_pack);
        let found = self.resolutions.of(pack, &tx.cluster.composition, pair, date);
        found.map_err(|unknown| {
            Refusal::new(Reason::NoRuleInForce).fact("key", format!("composition {}", unknown.name))
        })
    }

    /// The same under the pack of that version, for what was received under it.
    pub(crate) fn resolve_under(
        &self,
        tx: &Tx<'_>,
        version: u64,
        composition: &str,
        pair: Pair,
        date: LocalDate,
    ) -> Result<Arc<Resolution>, UnknownComposition> {
        let pack = self.pack(tx, version);
        self.resolutions.of((version, &pack), composition, pair, date)
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
        // What is written on the command binds no less than what its body needs: an older version
        // cannot read the body and goes by the number.
        let level = command.level.max(command.body.level());
        if level > LEVEL {
            return Err(ApplyError::Level { index, level });
        }
        let head = session.take_head();
        if head.state_hash != self.orders_of {
            // Another store, or a batch that was given up.
            self.orders.clear();
            self.older = OlderPacks::default();
            self.resolutions = Resolutions::default();
            self.due_from = None;
        }
        let view = session.view();
        let (writes, applied) = match (head.cluster.clone(), &command.body) {
            (None, Body::Bootstrap(bootstrap)) => {
                let begins = Begins {
                    index,
                    clock: bootstrap.clock,
                    cluster: Arc::new(bootstrap.cluster.clone()),
                    level: head.level,
                    counters: head.counters.clone(),
                };
                let mut tx = Tx::new(view, begins, &command);
                let outcome = apply::bootstrap::apply(&mut tx, bootstrap);
                finish(tx, outcome, bootstrap.clock)
            }
            (None, _) => return Err(ApplyError::NotBootstrapped { index }),
            (Some(cluster), body) => {
                let before = head.clock;
                let mut after = clock_after(before, &cluster, &command);
                if active(Mutation::ApplyKnowsTheProcess) && self.calendar.is_none() {
                    after = after.plus(1);
                }
                // A stamp counts whatever becomes of its command; a clock is moved by hand only
                // by those who may.
                let by_hand = matches!(body, Body::AdvanceClock { development: true, .. });
                let begins = Begins {
                    index,
                    clock: if by_hand { before } else { after },
                    cluster,
                    level: head.level,
                    counters: head.counters.clone(),
                };
                let mut tx = Tx::new(view, begins, &command);
                let law = self.law(&tx, &head);
                let outcome = decide(&mut tx, &law, &mut self.orders, &command, body, after);
                let clock = tx.clock;
                let passed = tx.due_passed.take();
                let finished = finish(tx, outcome, clock);
                self.follow_due(passed, &finished.0);
                finished
            }
        };
        self.orders_of = merge(session, head, index, writes, applied.clock);
        Ok(applied)
    }

    /// Remembers where the deadlines begin: everything up to `passed` was taken, and `writes` may hold
    /// new ones before it.
    fn follow_due(&mut self, passed: Option<Vec<u8>>, writes: &Writes) {
        if passed.is_some() {
            self.due_from = passed;
        }
        let Some(from) = &self.due_from else { return };
        let table = Key::table(Table::Due);
        let mut earlier = writes.range(table.as_slice().to_vec()..from.clone());
        if let Some((key, _)) = earlier.find(|(_, value)| value.is_some()) {
            self.due_from = Some(key.clone());
        }
    }

    /// The rules and the calendar in force.
    fn law(&mut self, tx: &Tx<'_>, head: &Head) -> Law {
        let version = head.rule_pack_version.expect("a bootstrapped cluster has rules");
        if self.rule_pack.as_ref().is_none_or(|(loaded, _)| *loaded != version) {
            let row: VersionedText =
                tx.get(&keys::rule_pack(version)).expect("the current version exists");
            let pack = RulePack::parse(&row.text).expect("a pack is checked before it is stored");
            self.rule_pack = Some((version, Arc::new(pack)));
        }
        let calendar_version =
            head.calendar_version.expect("a bootstrapped cluster has a calendar");
        if self.calendar.as_ref().is_none_or(|(loaded, _)| *loaded != calendar_version) {
            let row: VersionedText =
                tx.get(&keys::calendar(calendar_version)).expect("the current version exists");
            let calendar = WorkingDayCalendar::parse(&row.text, row.version)
                .expect("a calendar is checked before it is stored");
            self.calendar = Some((calendar_version, Arc::new(calendar)));
        }
        let (rule_pack_version, rule_pack) = self.rule_pack.clone().expect("loaded above");
        let (_, calendar) = self.calendar.clone().expect("loaded above");
        let (older, resolutions) = (self.older.clone(), self.resolutions.clone());
        let due_from = self.due_from.clone();
        Law { rule_pack, rule_pack_version, calendar, older, resolutions, due_from }
    }
}

/// The committed clock once `command` is committed: it never moves back.
fn clock_after(clock: UtcMillis, cluster: &ClusterConfig, command: &Command) -> UtcMillis {
    let stamp = match (&command.body, cluster.development_clock) {
        (Body::AdvanceClock { to, development: true, .. }, true) => *to,
        (_, true) | (Body::AdvanceClock { development: true, .. }, false) => clock,
        (Body::AdvanceClock { to, .. }, false) => *to,
        (_, false) => command.stamped_at,
    };
    if active(Mutation::ClockMovesBack) { stamp } else { clock.max(stamp) }
}

/// Answers a repeated call from the record of its first outcome, everything else from the rules;
/// `clock` is the time once the command is done, unless it is refused.
fn decide(
    tx: &mut Tx<'_>,
    law: &Law,
    orders: &mut Orders,
    command: &Command,
    body: &Body,
    clock: UtcMillis,
) -> Outcome {
    let before = tx.clock;
    // No record of it is kept: the same call may succeed once the level is raised.
    let (needed, level) = (body.level(), tx.level);
    let gated = !matches!(body, Body::RaiseLevel { .. }) && !active(Mutation::LevelIgnored);
    if needed > level && gated {
        let refusal = Refusal::new(Reason::LevelTooLow);
        return Outcome::Refused(refusal.fact("needed", needed).fact("level", level));
    }
    match idempotency::look_up(tx, orders, command) {
        Repeat::Of(outcome) => return outcome,
        Repeat::WithOtherBody(refusal) => return Outcome::Refused(refusal),
        Repeat::No => {}
    }
    tx.clock = clock;
    if tx.level >= 3 {
        apply::law::freshen(tx, law, body);
    }
    let outcome = match apply::dispatch(tx, law, body) {
        Ok(outcome) => outcome,
        Err(refusal) => {
            tx.roll_back();
            tx.clock = before;
            apply::record_refusal(tx, body, &refusal);
            Outcome::Refused(refusal)
        }
    };
    idempotency::record(tx, orders, command, &outcome);
    outcome
}

fn finish(tx: Tx<'_>, outcome: Outcome, clock: UtcMillis) -> (Writes, Applied) {
    let (writes, events) = tx.finish();
    (writes, Applied { outcome, events, clock })
}

/// Adds the command's writes to the batch, with the clock and the next link of the hash chain
/// over (index, writes), which is returned.
fn merge(
    session: &mut Session<'_>,
    mut head: Head,
    index: u64,
    mut writes: Writes,
    clock: UtcMillis,
) -> [u8; 32] {
    writes.insert(keys::meta::clock().into_vec(), Some(codec::encode(&clock)));
    let mut hash = Sha256::new();
    hash.update(head.state_hash);
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
    let meta = Key::table(Table::Meta);
    let counters = keys::meta::counters();
    let mut known = true;
    for (key, value) in writes.range(meta.as_slice().to_vec()..meta.end()) {
        match value {
            Some(bytes) if *key == counters.as_slice() => {
                head.counters = codec::decode(bytes).expect("the counters row is ours");
            }
            Some(_) if *key == keys::meta::clock().as_slice() => head.clock = clock,
            // Bootstrap, a new level: rare, so the next command reads them anew.
            _ => known = false,
        }
    }
    head.state_hash = hash;
    session.head = known.then_some(head);
    if session.pending.is_empty() {
        session.pending = writes;
    } else {
        // One by one: `BTreeMap::append` builds the whole map anew, at every command of the batch.
        session.pending.extend(writes);
    }
    session.pending.insert(keys::meta::state_hash().into_vec(), Some(hash.to_vec()));
    hash
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

mod opening;

pub use self::opening::Opening;

#[cfg(test)]
mod tests;
