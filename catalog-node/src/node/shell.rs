//! Where the acts of the replica go: to peers, into the state, to those who wait for an answer.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use catalog_log::LogError;
use catalog_model::refusal::Refusal;
use catalog_replica::{
    EntryKind, Install, Membership, Outside, Proposed, ReadDone, Role, SnapshotOffer, kind_of,
};
use catalog_state::{
    keys,
    machine::{Applied, ApplyError, Machine, Session, state_hash},
    outcome::Outcome,
    store::Store,
    view::View,
};
use raft::eraftpb::{Entry, Message};
use tokio::sync::{oneshot, watch};

use super::{
    Answered, Fatal,
    refusals::{fenced_under_way, members_changing, no_leader, not_leader, outcome_unknown},
};
use crate::{
    clock::StampClock,
    history::{Committed, History},
    peers::Peers,
    row_cache::RowCache,
    running::chain,
    search,
    snapshots::Snapshots,
    storage::{StateCell, StateStore},
    work_index,
};

/// Every so many entries the state's hash is compared with the other nodes'. Programs of level 2 did so
/// every 1024, which are among them.
pub(crate) const MARK_EVERY: u64 = 256;

/// Commands that are applied in one batch, in number and in bytes: how long the loop looks up from nothing
/// else.
const BATCH_ENTRIES: usize = 64;
const BATCH_BYTES: usize = 128 << 10;

/// How much may wait to be applied, in bytes, before the loop does nothing else: more than the commands
/// that clients can have under way.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Who waits for a command to be committed and applied.
pub(crate) type ProposeWaiter = oneshot::Sender<Result<Answered, Refusal>>;

/// Who waits for a read to be confirmed.
pub(crate) type ReadWaiter = oneshot::Sender<Result<u64, Refusal>>;

/// Where the acts of the replica go.
pub(crate) struct Shell {
    pub(super) cell: Arc<StateCell>,
    machine: Machine,
    rows: RowCache,
    counts: search::KnownCounts,
    places: work_index::KnownPlaces,
    history: Arc<History>,
    clock: Arc<StampClock>,
    pub(super) peers: Arc<Peers>,
    pub(super) applied: u64,
    /// Committed entries after `applied`, in order, and their bytes.
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    /// How long this round has applied.
    pub(super) applying: Duration,
    /// The members according to Raft, at `applied`.
    pub(super) membership: Membership,
    /// Changes of the members that were applied, and whether they took effect; Raft is told next.
    pub(super) changes_applied: Vec<(Entry, bool)>,
    /// State hashes at agreed entries that were not compared yet.
    pub(super) marks_made: Vec<(u64, [u8; 32])>,
    /// Of each entry proposed here and not applied yet: its term and who waits.
    pub(super) proposed: BTreeMap<u64, (u64, ProposeWaiter)>,
    pub(super) reads: Reads,
    snapshots: Snapshots,
    offers: watch::Sender<Option<SnapshotOffer>>,
    /// A snapshot has replaced the state since this was looked at.
    pub(super) state_replaced: bool,
    pub(super) leadership_lost: bool,
    pub(super) unreachable: Vec<u64>,
    pub(super) failed: Option<Fatal>,
}

/// Linearizable reads, batched: one round of heartbeats answers all that had come before it.
#[derive(Default)]
pub(super) struct Reads {
    pub(super) forming: Vec<Reader>,
    /// Closed: whoever joined after the round began would not be covered by it.
    pub(super) under_way: Option<(u64, Vec<Reader>)>,
    /// Confirmed at an index that is not applied yet.
    confirmed: VecDeque<(u64, Vec<ReadWaiter>)>,
}

/// Who waits for a read, and for what.
pub(super) struct Reader {
    pub(super) waiter: ReadWaiter,
    /// Whether the answer comes from the state here: then the index must be applied first.
    pub(super) here: bool,
}

impl Shell {
    pub(crate) fn new(
        cell: Arc<StateCell>,
        history: Arc<History>,
        clock: Arc<StampClock>,
        peers: Arc<Peers>,
        membership: Membership,
        snapshots: Snapshots,
        offers: watch::Sender<Option<SnapshotOffer>>,
    ) -> Self {
        let store = cell.current();
        let applied = store.applied();
        search::open(&store);
        work_index::open(&store);
        Self {
            cell,
            machine: Machine::new(),
            rows: RowCache::default(),
            counts: search::KnownCounts::default(),
            places: work_index::KnownPlaces::default(),
            history,
            clock,
            peers,
            applied,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            applying: Duration::ZERO,
            membership,
            changes_applied: Vec::new(),
            marks_made: Vec::new(),
            proposed: BTreeMap::new(),
            reads: Reads::default(),
            snapshots,
            offers,
            state_replaced: false,
            leadership_lost: false,
            unreachable: Vec::new(),
            failed: None,
        }
    }

    pub(super) fn bootstrapped(&self) -> bool {
        self.cell.current().get(keys::meta::cluster().as_slice()).is_some()
    }

    /// Whether entries wait to be applied.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty() && self.failed.is_none()
    }

    /// Applies what waits, for about as long as `time`: heartbeats and votes must not wait for a long row
    /// of commands, or this node is taken for dead.
    pub(super) fn apply_waiting(&mut self, time: Duration) {
        let began = Instant::now();
        while self.has_waiting() {
            let (mut entries, mut bytes) = (Vec::new(), 0);
            while entries.len() < BATCH_ENTRIES
                && bytes < BATCH_BYTES
                && let Some(entry) = self.waiting.pop_front()
            {
                bytes += entry.data.len();
                entries.push(entry);
            }
            self.waiting_bytes -= bytes;
            if let Err(error) = self.apply_batch(entries) {
                self.failed = Some(error.into());
            }
            if began.elapsed() >= time && self.waiting_bytes < WAITING_BYTES_MAX {
                break;
            }
        }
        self.applying += began.elapsed();
    }

    fn apply_batch(&mut self, entries: Vec<Entry>) -> Result<(), ApplyError> {
        let Some(last) = entries.last().map(|entry| entry.index) else { return Ok(()) };
        let store = self.cell.current();
        let known = self.rows.over(&*store);
        let mut session = Session::new(&known);
        let mut results = Vec::with_capacity(entries.len());
        let mut membership = None;
        for entry in entries {
            let (index, term) = (entry.index, entry.term);
            match kind_of(&entry) {
                // A new leader's first, which commits what came before, or a change of the members
                // that Raft made void because another one was under way.
                EntryKind::Raft => results.push((index, term, None)),
                EntryKind::Command(command) => {
                    let applied = self.machine.apply(&mut session, index, command)?;
                    results.push((index, term, Some(applied)));
                }
                EntryKind::Mode { command, .. } => {
                    let applied = self.machine.apply(&mut session, index, command)?;
                    let accepted = !matches!(applied.outcome, Outcome::Refused(_));
                    results.push((index, term, Some(applied)));
                    self.changes_applied.push((entry, accepted));
                }
                EntryKind::Members { change, context } => {
                    // What does not fit Raft's members is refused by every replica alike, before
                    // the rows could say otherwise.
                    let after = change.and_then(|change| self.membership.after(change));
                    let applied = match after {
                        Ok(_) => Some(self.machine.apply(&mut session, index, context)?),
                        Err(_) => None,
                    };
                    let accepted = applied.as_ref().is_some_and(|applied| {
                        matches!(applied.outcome, Outcome::MembersChanged { .. })
                    });
                    if let Ok(after) = after
                        && accepted
                    {
                        membership = Some(after.encode());
                        self.membership = after;
                    }
                    results.push((index, term, applied));
                    self.changes_applied.push((entry, accepted));
                }
            }
            if index % MARK_EVERY == 0 {
                self.marks_made.push((index, state_hash(&session.view())));
            }
        }
        let writes = session.into_writes();
        let mut indexes = search::follow(&store, &mut self.counts, &known, &writes, last);
        indexes.extend(work_index::follow(&store, &mut self.places, &known, &writes, last));
        self.rows.follow(&writes);
        store.commit(writes, indexes, last, membership.as_deref());
        self.applied = last;
        self.tell(results, last);
        if membership.is_some() {
            self.meet_members(&store);
        }
        self.answer_confirmed();
        Ok(())
    }

    /// Tells those who watch and those who wait what came of the entries up to `last`.
    fn tell(&mut self, mut results: Vec<(u64, u64, Option<Applied>)>, last: u64) {
        if let Some(newest) = results.iter().rev().find_map(|(_, _, applied)| applied.as_ref()) {
            self.clock.saw(newest.clock);
        }
        let committed = results
            .iter_mut()
            .filter_map(|(index, _, applied)| {
                let applied = applied.as_mut()?;
                // Whoever waits for the command has no use for them.
                let (clock, events) = (applied.clock, std::mem::take(&mut applied.events));
                Some(Committed { index: *index, clock, events })
            })
            .collect();
        self.history.add(committed, last);
        for (index, term, applied) in results {
            if let Some((proposed_term, waiter)) = self.proposed.remove(&index) {
                let proposed = Proposed { term: proposed_term, index };
                let answer = match applied {
                    // Another leader's entry took the place.
                    _ if !proposed.is_entry(index, term) => Err(outcome_unknown()),
                    Some(applied) => Ok(Answered { index, applied }),
                    // It is our entry, and it is void: only a change of the members can be.
                    None => Err(members_changing()),
                };
                // A waiter that went away does not want to know.
                let _ = waiter.send(answer);
            }
        }
    }

    /// From now on the peers are those that the state names.
    fn meet_members(&self, store: &StateStore) {
        let Some(members) = View(store).members() else { return };
        let addresses = members.members.into_iter().map(|member| (member.id, member.address));
        if let Err((node, error)) = self.peers.set(&addresses.collect()) {
            // Its address was checked when it was added; others are still reached.
            tracing::error!(node, %error, "A member cannot be dialed");
        }
    }

    fn answer_confirmed(&mut self) {
        while let Some((index, waiters)) =
            self.reads.confirmed.pop_front_if(|(index, _)| *index <= self.applied)
        {
            for waiter in waiters {
                let _ = waiter.send(Ok(index));
            }
        }
    }

    /// Everybody who still waits is told that leadership went. What was proposed may yet be
    /// committed by the next leader, so its outcome is unknown, not refused.
    pub(super) fn fail_waiters(&mut self, leader: Option<u64>) {
        for (_, (_, waiter)) in std::mem::take(&mut self.proposed) {
            let _ = waiter.send(Err(outcome_unknown()));
        }
        let under_way = self.reads.under_way.take().map(|(_, readers)| readers).unwrap_or_default();
        for reader in std::mem::take(&mut self.reads.forming).into_iter().chain(under_way) {
            let _ = reader.waiter.send(Err(not_leader(leader)));
        }
    }
}

impl Shell {
    /// Everybody who still waits is told that this node was fenced. What was proposed may be in the
    /// log that goes on, so its outcome is unknown; a read is refused.
    pub(super) fn fence_waiters(&mut self, refusal: &Refusal) {
        for (_, (_, waiter)) in std::mem::take(&mut self.proposed) {
            let _ = waiter.send(Err(fenced_under_way()));
        }
        let Reads { forming, under_way, confirmed } = std::mem::take(&mut self.reads);
        let under_way = under_way.map(|(_, readers)| readers).unwrap_or_default();
        let asked = forming.into_iter().chain(under_way).map(|reader| reader.waiter);
        for waiter in asked.chain(confirmed.into_iter().flat_map(|(_, waiters)| waiters)) {
            let _ = waiter.send(Err(refusal.clone()));
        }
    }
}

impl Outside for Shell {
    fn send(&mut self, messages: Vec<Message>) {
        self.unreachable.extend(self.peers.send(messages));
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        self.waiting_bytes += entries.iter().map(|entry| entry.data.len()).sum::<usize>();
        self.waiting.extend(entries);
    }

    fn answer_reads(&mut self, reads: Vec<ReadDone>) {
        for done in reads {
            let context = self.reads.under_way.as_ref().map(|(context, _)| *context);
            if context == Some(done.context)
                && let Some((_, readers)) = self.reads.under_way.take()
            {
                let mut here = Vec::with_capacity(readers.len());
                for reader in readers {
                    if reader.here {
                        here.push(reader.waiter);
                    } else {
                        let _ = reader.waiter.send(Ok(done.index));
                    }
                }
                self.reads.confirmed.push_back((done.index, here));
            }
        }
        self.answer_confirmed();
    }

    fn drop_reads(&mut self, contexts: Vec<u64>) {
        if let Some((context, _)) = &self.reads.under_way
            && contexts.contains(context)
            && let Some((_, readers)) = self.reads.under_way.take()
        {
            for reader in readers {
                let _ = reader.waiter.send(Err(no_leader()));
            }
        }
    }

    fn fetch(&mut self, offer: SnapshotOffer) {
        self.offers.send_replace(Some(offer));
    }

    fn prepare_install(&mut self, install: &Install) -> Result<u64, LogError> {
        tracing::info!(index = install.index, "Snapshot is installed");
        self.snapshots.prepare(&install.data).map_err(|error| LogError::Disk {
            attempt: "place",
            file: "the received state".to_owned(),
            source: io::Error::other(chain(&error)),
        })
    }

    fn installed(&mut self, install: &Install) {
        self.snapshots.installed();
        // The new state contains them.
        self.waiting.clear();
        self.waiting_bytes = 0;
        let store = self.cell.current();
        self.machine = Machine::new();
        self.rows = RowCache::default();
        self.counts = search::KnownCounts::default();
        self.places = work_index::KnownPlaces::default();
        self.membership = install.membership.clone();
        self.applied = install.index;
        self.clock.saw(View(&*store).clock());
        self.history.restart(install.index);
        self.state_replaced = true;
        self.meet_members(&store);
        self.answer_confirmed();
        tracing::info!(applied = install.index, number = store.number(), "Snapshot installed");
    }

    fn role_changed(&mut self, role: Role) {
        tracing::info!(
            term = role.term,
            leader = role.leader.unwrap_or_default(),
            leads = role.is_leader,
            "Role changed"
        );
        self.peers.pulse.forget();
        if !role.is_leader {
            self.leadership_lost = true;
        }
    }
}
