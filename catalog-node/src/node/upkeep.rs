//! Upkeep: what does the loop see to beside its clients?
//!
//! Members that change, snapshots for those who lag, a log that would grow for ever, copies that
//! might differ, a disk that grows slow. Each step is short; what takes long is done by a task that
//! reports back.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use catalog_log::{LogRead as _, LogStore as _};
use catalog_replica::{
    ChangeRefusal, MemberRefusal, Membership, ProposeRefusal, RaftChange, divergence::Comparison,
};

use super::{
    Built, Fatal, NodeLoop, ProposeWaiter, Report, members_changing, no_leader, not_leader,
    overloaded,
};
use catalog_model::{reason::Reason, refusal::Refusal};
use catalog_state::machine::state_hash;
use luqiao_proto::peer::v1::StateMark;

/// Names of alarms.
pub(crate) const RECEIVING_SNAPSHOT: &str = "receiving-snapshot";
const REMOVED: &str = "removed";
const DISK_SLOW: &str = "disk-slow";
const STATE_DIVERGED: &str = "state-diverged";
const STATE_DIFFERS: &str = "state-differs";
const SNAPSHOT_UNCONFIRMED: &str = "snapshot-unconfirmed";

/// After this long a snapshot is handed on that nobody could confirm: it may take who needs it to have
/// a majority at all.
const UNCONFIRMED: Duration = Duration::from_secs(6);

/// Ticks without a new entry after which a node tells its state hash where it stands, so that nodes
/// which have little to do are compared, too; and ticks after which it says so again.
const REST_TICKS: u64 = 5;
const REST_AGAIN: u64 = 50;

/// How long nothing was applied.
#[derive(Debug, Default)]
pub(super) struct Rest {
    applied: u64,
    ticks: u64,
}

/// The log is looked through for what may go after so many applied entries or bytes.
const COMPACT_ENTRIES: u64 = 8192;
const COMPACT_BYTES: u64 = 16 << 20;

/// Bytes of entries that the log keeps for an archive that does not take them.
const UNARCHIVED_BYTES: u64 = 512 << 20;

impl NodeLoop {
    /// The cluster let this node go.
    pub(super) fn removed(&mut self) {
        if self.standing.set_removed(true) {
            tracing::warn!("This node is no member of the cluster any more; it can be stopped");
            self.alarm(REMOVED, "", true);
        }
    }

    /// Proposes a change of the members; whoever asks waits for the state machine's decision.
    pub(super) fn change_members(
        &mut self,
        change: RaftChange,
        command: Bytes,
        waiter: ProposeWaiter,
    ) {
        if self.work.handover.is_some() {
            let _ = waiter.send(Err(no_leader()));
            return;
        }
        let refusal = match self.replica.propose_members(change, command) {
            Ok(place) => {
                self.shell.proposed.insert(place.index, (place.term, waiter));
                return;
            }
            Err(refusal) => refusal,
        };
        let refused = |cause: String| {
            Refusal::new(Reason::MemberChangeRefused)
                .fact("node", about(change))
                .fact("cause", cause)
        };
        let _ = waiter.send(Err(match refusal {
            MemberRefusal::Proposal(ProposeRefusal::NotLeader { leader }) => not_leader(leader),
            MemberRefusal::Proposal(ProposeRefusal::Transferring) => no_leader(),
            MemberRefusal::Proposal(ProposeRefusal::Overloaded | ProposeRefusal::Held) => {
                overloaded()
            }
            MemberRefusal::Pending | MemberRefusal::Unfit(ChangeRefusal::Joint) => {
                members_changing()
            }
            MemberRefusal::NotReady { id } => Refusal::new(Reason::MemberBehind)
                .fact("node", id)
                .fact("cause", "it does not follow the log yet"),
            refusal @ (MemberRefusal::Unfit(_)
            | MemberRefusal::RemovesLeader
            | MemberRefusal::LeavesOneSite
            | MemberRefusal::NotPlaced { .. }) => refused(refusal.to_string()),
        }));
    }

    /// Begins to make the state durable, when there is enough of the log that could go then.
    pub(super) fn begin_compaction(&mut self) {
        let work = &mut self.work;
        if work.making_durable || self.shell.applied == work.durable {
            return;
        }
        let entries = self.shell.applied - work.durable.min(self.shell.applied);
        let bytes = self.log.bytes_from(self.log.first_index());
        let many = COMPACT_ENTRIES.min(self.limits.keep_entries);
        if entries < many && bytes < work.log_bytes.saturating_add(COMPACT_BYTES) {
            return;
        }
        work.making_durable = true;
        work.log_bytes = bytes;
        let (store, inbox) = (self.shell.cell.current(), Arc::clone(&self.inbox));
        drop(self.runtime.spawn_blocking(move || {
            let applied = store.make_durable();
            // Closed before it is reported: whoever waits for the folder need not wait for us.
            drop(store);
            inbox.report(Report::Durable(applied));
        }));
    }

    /// Lets go of what the log need not keep, now that the state is durable up to `applied`.
    pub(super) fn compact(&mut self, applied: u64) -> Result<(), Fatal> {
        self.work.making_durable = false;
        self.work.durable = applied;
        if let Some(through) = self.replica.compact_to(applied, self.limits) {
            // What is to be archived stays, but not for ever: the archive may be away for days.
            let needed = self.standing.log_needed_from();
            let needed = needed.filter(|index| self.log.bytes_from(*index) <= UNARCHIVED_BYTES);
            let through = needed.map_or(through, |index| through.min(index.saturating_sub(1)));
            self.log.compact(through)?;
            let first_index = self.log.first_index();
            self.work.log_bytes = self.log.bytes_from(first_index);
            self.snapshots.forget_before(first_index);
            tracing::debug!(first_index, "Log compacted");
        }
        Ok(())
    }

    /// Begins to make a snapshot, if somebody needs one.
    pub(super) fn begin_snapshot(&mut self) {
        if !self.replica.snapshot_wanted() || !self.shell.bootstrapped() || self.work.offers.waits()
        {
            return;
        }
        let founded = self.shell.membership.encode();
        let (reader, inbox) = (self.log.reader(), Arc::clone(&self.inbox));
        // Refused while one is being made: that one may do.
        self.snapshots.build(
            founded,
            move |index| catalog_log::LogRead::term(&reader, index).ok(),
            move |made| {
                let built = made.map(|manifest| Built {
                    index: manifest.index,
                    term: manifest.term,
                    membership: Membership::decode(&manifest.membership)
                        .expect("this program wrote it"),
                    manifest: Bytes::from(manifest.encode()),
                });
                inbox.report(Report::SnapshotBuilt(built.ok()));
            },
        );
    }

    /// A snapshot was made here: it is handed on once it is confirmed.
    pub(super) fn snapshot_built(&mut self, built: Built) {
        if self.standing.quarantined() {
            return;
        }
        let patience = UNCONFIRMED.as_millis() / self.tick.as_millis().max(1);
        let patience = usize::try_from(patience).unwrap_or(usize::MAX).max(1);
        let built = self.work.offers.made(built, patience);
        self.hand_on(built);
    }

    /// A tick has passed for a snapshot that waits to be confirmed.
    pub(super) fn hand_on_after_patience(&mut self) {
        if let Some(built) = self.work.offers.tick() {
            tracing::warn!(index = built.index, "Snapshot handed on that no majority confirmed");
            self.alarm(SNAPSHOT_UNCONFIRMED, "", true);
            self.hand_on(Some(built));
        }
    }

    fn hand_on(&mut self, built: Option<Built>) {
        if let Some(Built { index, term, membership, manifest }) = built {
            self.replica.snapshot_made(index, term, membership, manifest);
        }
    }

    /// A snapshot has replaced the state: it is sound, whatever was wrong with the one before.
    pub(super) fn state_replaced(&mut self) {
        self.work.marks.forget_own();
        self.work.offers.forget();
        self.work.durable = self.shell.applied;
        self.standing.set_quarantined(false);
        for alarm in [STATE_DIVERGED, STATE_DIFFERS, super::STATE_LOST, SNAPSHOT_UNCONFIRMED] {
            self.alarm(alarm, "", false);
        }
    }

    /// Tells the others our state hash at agreed entries, and compares.
    pub(super) fn compare_marks(&mut self) {
        for (index, hash) in std::mem::take(&mut self.shell.marks_made) {
            self.work.marks.made(index, hash);
            self.shell.peers.mark(&StateMark { index, state_hash: hash.to_vec().into() });
            self.judge(index);
        }
    }

    /// Makes a mark where nothing was applied for a while: there the others stand, too.
    pub(super) fn mark_rest(&mut self) {
        let (applied, rest) = (self.shell.applied, &mut self.work.rest);
        if rest.applied != applied {
            *rest = Rest { applied, ticks: 0 };
            return;
        }
        rest.ticks += 1;
        // Again, because a mark may be lost, or have come before somebody was there to hear it.
        let due = rest.ticks % REST_AGAIN == REST_TICKS;
        if due && self.shell.bootstrapped() && !self.standing.quarantined() {
            let hash = state_hash(&*self.shell.cell.current());
            self.shell.marks_made.push((applied, hash));
        }
    }

    /// Judges what is known at `index`.
    pub(super) fn judge(&mut self, index: u64) {
        if self.standing.quarantined() {
            return;
        }
        let status = self.replica.status();
        let verdict = self.work.marks.judge(status.id, index, &status.membership.voters);
        match verdict {
            None | Some(Comparison::Unknown) => {}
            Some(Comparison::Agreed) => {
                self.alarm(STATE_DIFFERS, "", false);
                self.agreed(index);
            }
            Some(Comparison::Other(nodes)) => {
                if self.alarms.raise(STATE_DIFFERS, "", self.now()) {
                    tracing::error!(index, ?nodes, "Other nodes have another state");
                }
                self.agreed(index);
            }
            Some(Comparison::Undecided) => {
                if self.alarms.raise(STATE_DIFFERS, "", self.now()) {
                    tracing::error!(
                        index,
                        "The nodes have different states, and no majority has one"
                    );
                }
            }
            Some(Comparison::Alone) => self.quarantine(index),
        }
    }

    /// Most voters had our state at `index`.
    fn agreed(&mut self, index: u64) {
        let built = self.work.offers.agreed(index);
        self.hand_on(built);
        if !self.work.offers.unconfirmed() {
            self.alarm(SNAPSHOT_UNCONFIRMED, "", false);
        }
    }

    /// The other nodes agree on another state than ours: nothing is answered from it any more, and
    /// it is replaced.
    fn quarantine(&mut self, index: u64) {
        tracing::error!(index, "This node's state differs from the others'; it is replaced");
        self.standing.set_quarantined(true);
        self.alarm(STATE_DIVERGED, "", true);
        // As long as not all had spoken, it was not known who.
        self.alarm(STATE_DIFFERS, "", false);
        // Should the process end before: the next start must not trust this state.
        self.shell.cell.current().mark_suspect("it differs from the other nodes'");
        self.work.offers.forget();
        self.snapshots.withdraw();
        self.replica.request_snapshot();
    }

    /// Judges the disk by how long its syncs took.
    pub(super) fn saw_syncs(&mut self, syncs: &[Duration]) {
        for took in syncs {
            if let Some(slow) = self.work.syncs.saw(*took) {
                self.standing.set_disk_slow(slow);
                self.alarm(DISK_SLOW, "", slow);
            }
        }
    }
}

/// The node that a change is about.
fn about(change: RaftChange) -> u64 {
    match change {
        RaftChange::AddLearner(id)
        | RaftChange::Promote(id)
        | RaftChange::Demote(id)
        | RaftChange::Remove(id) => id,
        RaftChange::Replace { outgoing, .. } => outgoing,
        RaftChange::Finish => 0,
    }
}
