//! The shell: one round of a node's loop, from what came in to what goes out.

use std::{collections::BTreeMap, mem};

use catalog_log::{LogError, LogStore, SegmentReader, sim_disk::SimFile};
use catalog_model::time::UtcMillis;
use catalog_replica::{
    LeaveDue, MemberRefusal, PeerState, ProposeRefusal, Proposed, RaftChange, ReadRefusal, Replica,
    RoleKind, StepRefusal,
    divergence::{Comparison, Mark, judge},
    settle,
};
use catalog_state::{
    command::{Body, Command, MemberChange},
    keys,
    machine::Machine,
    members::{self, Plan},
    rows::{Member, MemberRole, Members, OutageKind},
    store::Store,
    view::View,
};
use raft::eraftpb::Entry;

use crate::{
    call::{Answer, Call, NotDone, Reply, What},
    cast,
    clock::WorldClock,
    network::Load,
    node::{
        Death, Input, Node, Output, describe,
        observed_log::ObservedLog,
        shell::acts::Acts,
        snapshots::{Fetch, Made},
    },
    state_disk::StateFolder,
};

mod acts;

/// How often a leader moves the committed clock while deadlines wait, in milliseconds.
const ADVANCE_MS: u64 = 1000;

/// A call that took longer than this to arrive has timed out long ago: no connection holds it over a
/// leap of the calendar.
const CALL_EXPIRES_MS: u64 = 10 * 60_000;

/// The state's own log is synced when it is so many entries ahead of what is durable.
const SYNC_STATE_EVERY: u64 = 40;

/// When a cluster that begins at level 1 is raised, in virtual milliseconds.
const RAISES_LEVEL_MS: u64 = 6000;

/// Batches of reads under way at a time. The product has one; more ask more of the replica.
const READ_ROUNDS: usize = 3;

/// How long a patient shell that does not lead any more lets callers wait, in virtual milliseconds.
const PATIENCE_MS: u64 = 2000;

/// For so long a mark that differs from ours counts; it is repeated four times as often.
const DISPUTED_MS: u64 = 2000;

/// Own marks that are kept to be compared.
const MARKS_KEPT: usize = 4;

/// A process.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) replica: Replica<SegmentReader<SimFile>>,
    pub(crate) log: ObservedLog,
    pub(crate) shell: Shell,
}

/// Who waits for a proposal.
#[derive(Debug)]
enum Waiter {
    Client { client: u64, attempt: u64 },
    Itself,
}

/// What a process holds in memory.
#[derive(Debug, Default)]
pub(crate) struct Shell {
    machine: Machine,
    /// Whether it leads, as of the last round.
    pub(crate) leads: bool,
    /// Of each entry proposed here and not applied yet: its term and who waits.
    proposed: BTreeMap<u64, (u64, Waiter)>,
    reads: Reads,
    applied_term: u64,
    leadership_lost: bool,
    next_advance: u64,
    /// Changes of members that were applied in this round, and whether they were accepted.
    decided: Vec<(Entry, bool)>,
    /// The own marks and those of others, by index.
    marks: BTreeMap<u64, BTreeMap<u64, Mark>>,
    /// The first entry of the leader's own term, as it was applied.
    leads_since: Option<(u64, u64)>,
    /// The newest mark that most others have, too.
    agreed: u64,
    /// Until when somebody is taken to have another state than this node, as was heard.
    disputed_until: u64,
    next_mark: u64,
    /// The term in which it last reported something.
    reported: u64,
    /// Since when it waits for what comes of proposals without leading.
    waits_since: Option<u64>,
    /// Since when a snapshot is wanted.
    pub(crate) wanted_since: Option<u64>,
    pub(crate) made: Option<Made>,
    pub(crate) fetch: Option<Fetch>,
    next_upkeep: u64,
}

/// Linearizable reads, batched: one round of heartbeats answers all that had come before it.
#[derive(Debug, Default)]
struct Reads {
    next: u64,
    forming: Vec<Read>,
    /// Closed: who joined after a round began would not be covered by it. By
    /// context, with the commit index at that moment.
    under_way: BTreeMap<u64, (u64, Vec<Read>)>,
    /// Confirmed at an index that may not be applied yet.
    confirmed: Vec<(u64, Read)>,
}

#[derive(Debug)]
struct Read {
    client: u64,
    attempt: u64,
    key: Vec<u8>,
}

impl Shell {
    /// A process whose reads begin with context `next_read`, on a state up to an entry of
    /// `applied_term`.
    pub(crate) fn new(next_read: u64, applied_term: u64) -> Self {
        let reads = Reads { next: next_read, ..Reads::default() };
        Self { reads, applied_term, ..Self::default() }
    }
}

impl Node {
    pub(super) fn work(
        &mut self,
        running: &mut Running,
        inbox: Vec<Input>,
        world: &WorldClock,
        output: &mut Output,
    ) -> Result<(), Death> {
        let mut ticked = false;
        for input in inbox {
            match input {
                Input::Tick => ticked = true,
                Input::Peer(message) => match running.replica.step(message) {
                    Err(lost @ StepRefusal::AcknowledgedEntriesLost { .. }) => {
                        return Err(Death::Lost(lost.to_string()));
                    }
                    Err(refusal) if refusal.is_fatal() => {
                        return Err(Death::Broken(refusal.to_string()));
                    }
                    Ok(()) | Err(_) => {}
                },
                Input::Unreachable(to) => running.replica.unreachable(to),
                Input::Call(call) => self.take_call(running, call, world, output),
                Input::Other(from, Load::Mark { index, hash }) => {
                    let marks = running.shell.marks.entry(index).or_default();
                    marks.insert(from, Mark { index, hash });
                    // Whoever has a state says so again and again: one that was thrown away
                    // disputes nothing for long.
                    if marks.get(&self.id).is_some_and(|own| own.hash != hash)
                        && running.shell.agreed < index
                    {
                        running.shell.disputed_until = world.now + DISPUTED_MS;
                    }
                }
                Input::Other(from, load) => self.take_block(running, from, load, output),
            }
        }
        if ticked {
            running.replica.tick();
            self.propose_own(running, world, output);
        }
        running.begin_read();
        loop {
            let mut acts = Acts {
                id: self.id,
                habits: self.habits,
                shell: &mut running.shell,
                states: &mut self.states,
                clock: &mut self.clock,
                deeds: &self.deeds,
                cut: &self.cut,
                world,
                syncs: self.disk.syncs(),
                disk: &self.disk,
                output,
                failed: None,
            };
            let settled = settle(&mut running.replica, &mut running.log, &mut acts);
            if let Some(failure) = acts.failed.take() {
                return Err(Death::Broken(failure));
            }
            settled.map_err(|error| Death::Disk(describe(&error)))?;
            if self.cut.gone().is_some() {
                return Ok(());
            }
            for (entry, accepted) in mem::take(&mut running.shell.decided) {
                running.replica.apply_members(&entry, accepted);
            }
            let applied = self.states.current().applied();
            let more = applied > running.replica.status().applied;
            if more {
                running.replica.applied(applied);
            }
            self.go_on_fetching(running, world, output);
            // A read that was confirmed lets the next batch go.
            let began = running.begin_read();
            if !more && !began && !running.installs() {
                break;
            }
        }
        if ticked {
            self.upkeep(running, world, output).map_err(|error| Death::Disk(describe(&error)))?;
        }
        self.compare_marks(running, output)?;
        if mem::take(&mut running.shell.leadership_lost)
            && running.replica.status().role != RoleKind::Leader
        {
            running.shell.fail_waiters(self.habits.patient, output);
            if !running.shell.reads.under_way.is_empty() {
                let what = "reads were neither answered nor dropped when leadership went";
                return Err(Death::Broken(what.to_owned()));
            }
        }
        Ok(())
    }

    fn take_call(
        &mut self,
        running: &mut Running,
        call: Call,
        world: &WorldClock,
        output: &mut Output,
    ) {
        let Call { client, attempt, received_at, gateway_ahead_ms, what } = call;
        let begun = match what {
            _ if world.calendar().0 - received_at.0 > CALL_EXPIRES_MS => Err(NotDone::Expired),
            What::Change(change) => self.check_leads(running).and_then(|()| {
                let stamp = self.stamp(world, output).ok_or(NotDone::ClockAhead)?;
                let told = UtcMillis(received_at.0.saturating_add_signed(gateway_ahead_ms));
                let command = change.command(stamp, told, &mut self.prng);
                propose(running, &command, Waiter::Client { client, attempt }, output)
            }),
            What::Read(key) => match running.replica.status() {
                status if status.role != RoleKind::Leader => Err(NotDone::NotLeader(status.leader)),
                _ => {
                    running.shell.reads.forming.push(Read { client, attempt, key });
                    Ok(())
                }
            },
            What::Members(change) => self.check_leads(running).and_then(|()| {
                let waiter = Waiter::Client { client, attempt };
                let begun = self.propose_members(running, change, waiter, world, output)?;
                if !begun {
                    output.replies.push(Reply { client, attempt, result: Ok(Answer::Begun) });
                }
                Ok(())
            }),
            What::Transfer(to) => {
                let peers = running.replica.status().peers;
                let peer = peers.into_iter().find(|(id, _)| *id == to);
                let waits =
                    peer.is_none_or(|(_, peer)| matches!(peer.state, PeerState::Snapshot { .. }));
                match running.replica.transfer_leader(to) {
                    Ok(()) => {
                        if waits {
                            let what =
                                format!("leadership is handed to {to}, which waits for a state");
                            output.death = Some(Death::Broken(what));
                        }
                        output.happened.push("transfers begun");
                        output.replies.push(Reply { client, attempt, result: Ok(Answer::Begun) });
                        Ok(())
                    }
                    Err(_) => Err(NotDone::Refused),
                }
            }
        };
        if let Err(not_done) = begun {
            output.replies.push(Reply { client, attempt, result: Err(not_done) });
        }
    }

    fn check_leads(&self, running: &Running) -> Result<(), NotDone> {
        let status = running.replica.status();
        if status.role != RoleKind::Leader {
            Err(NotDone::NotLeader(status.leader))
        } else if !self.is_bootstrapped() {
            Err(NotDone::NotReady)
        } else {
            Ok(())
        }
    }

    fn is_bootstrapped(&self) -> bool {
        self.states.current().get(keys::meta::cluster().as_slice()).is_some()
    }

    fn stamp(&mut self, world: &WorldClock, output: &mut Output) -> Option<UtcMillis> {
        if let Ok(stamp) = self.clock.stamp(world) {
            self.alarm_since = None;
            Some(stamp)
        } else {
            self.alarm_since.get_or_insert(world.now);
            output.stamps_refused += 1;
            None
        }
    }

    /// What a leader proposes without being asked.
    fn propose_own(&mut self, running: &mut Running, world: &WorldClock, output: &mut Output) {
        let status = running.replica.status();
        // Before an entry of its own term is applied, a leader does not know what was decided.
        if status.role != RoleKind::Leader || running.shell.applied_term != status.term {
            return;
        }
        match running.replica.leave_due() {
            None => {}
            Some(LeaveDue::Propose) => {
                // A refusal is not for ever: the next tick asks again.
                let finish = MemberChange::Finish;
                let _ = self.propose_members(running, finish, Waiter::Itself, world, output);
                return;
            }
            Some(LeaveDue::HandOver) => {
                let voters = status.membership.voters.clone();
                if voters.into_iter().any(|to| running.replica.transfer_leader(to).is_ok()) {
                    output.happened.push("transfers begun");
                }
                return;
            }
        }
        let itself = running.shell.proposed.values();
        if itself.into_iter().any(|(_, waiter)| matches!(waiter, Waiter::Itself)) {
            return;
        }
        let state = self.states.current();
        let body = if !self.is_bootstrapped() {
            let (founders, level) = (&self.founders, self.habits.level);
            Body::Bootstrap(Box::new(cast::bootstrap(world.calendar(), founders, level)))
        } else if View(state).level() < cast::LEVEL && world.now > RAISES_LEVEL_MS {
            Body::RaiseLevel { level: cast::LEVEL }
        } else if running.shell.reported != status.term {
            // Said without asking what level the cluster has: the state must refuse by itself.
            running.shell.reported = status.term;
            let (from, until) = (world.calendar(), world.calendar());
            Body::RecordOutage { node: self.id, kind: OutageKind::DiskNearlyFull, from, until }
        } else if world.now >= running.shell.next_advance && View(state).next_due().is_some() {
            running.shell.next_advance = world.now + ADVANCE_MS;
            let Some(to) = self.stamp(world, output) else { return };
            Body::AdvanceClock { to, development: false, portion: None }
        } else {
            return;
        };
        let stamped_at = match &body {
            Body::AdvanceClock { to, .. } => *to,
            Body::Bootstrap(_) => world.calendar(),
            _ => match self.stamp(world, output) {
                Some(stamp) => stamp,
                None => return,
            },
        };
        let command = self.own_command(stamped_at, body);
        // A refusal ends with the transfer or the overload; the next tick asks again.
        let _ = propose(running, &command, Waiter::Itself, output);
    }

    fn own_command(&mut self, stamped_at: UtcMillis, body: Body) -> Command {
        Command {
            level: body.level(),
            stamped_at,
            received_at: None,
            caller: match &body {
                Body::RaiseLevel { .. } => cast::AUTHORITY.as_head(),
                _ => cast::node_caller(self.id),
            },
            request_id: None,
            call_digest: [0; 32],
            salt: self.prng.bytes(),
            body,
        }
    }

    /// Proposes a change of members; `false` if it is so already.
    fn propose_members(
        &mut self,
        running: &mut Running,
        change: MemberChange,
        waiter: Waiter,
        world: &WorldClock,
        output: &mut Output,
    ) -> Result<bool, NotDone> {
        let current: Vec<Member> = running
            .replica
            .membership()
            .voters
            .iter()
            .map(|id| Member { id: *id, address: cast::address(*id), role: MemberRole::Voter })
            .collect();
        let members = View(self.states.current()).members();
        let (members, current) = match members {
            Some(members) => (members, Vec::new()),
            None => (Members::first(&current), current),
        };
        match members::plan(&members, &change, &[].into()) {
            Plan::Already => return Ok(false),
            Plan::Refused(_) => return Err(NotDone::Refused),
            Plan::Change(_) => {}
        }
        let raft_change = match change {
            MemberChange::AddLearner { id, .. } => RaftChange::AddLearner(id),
            MemberChange::Promote { id } => RaftChange::Promote(id),
            MemberChange::Remove { id } => RaftChange::Remove(id),
            MemberChange::Replace { out, replacement } => {
                RaftChange::Replace { outgoing: out, incoming: replacement }
            }
            MemberChange::Finish => RaftChange::Finish,
        };
        let stamp = self.stamp(world, output).ok_or(NotDone::ClockAhead)?;
        let body = Body::ChangeMembers { version: members.version, change, current };
        let command = self.own_command(stamp, body);
        match running.replica.propose_members(raft_change, command.encode().into()) {
            Ok(place) => {
                running.shell.wait_for(place, waiter, output);
                Ok(true)
            }
            Err(MemberRefusal::Proposal(ProposeRefusal::NotLeader { leader })) => {
                Err(NotDone::NotLeader(leader))
            }
            Err(MemberRefusal::RemovesLeader) => {
                // As an operator would: hand over first, then ask again.
                let voters = running.replica.membership().voters.clone();
                if voters.into_iter().any(|to| running.replica.transfer_leader(to).is_ok()) {
                    output.happened.push("transfers begun");
                }
                Err(NotDone::Refused)
            }
            Err(_) => Err(NotDone::Refused),
        }
    }

    /// What is done now and then: durable state, a shorter log, a snapshot for who needs one.
    fn upkeep(
        &mut self,
        running: &mut Running,
        world: &WorldClock,
        output: &mut Output,
    ) -> Result<(), LogError> {
        self.make_snapshot(running, world, output);
        if world.now < running.shell.next_upkeep {
            return Ok(());
        }
        running.shell.next_upkeep = world.now + 100;
        self.repeat_mark(running, world, output);
        let status = running.replica.status();
        if status.role == RoleKind::Leader || running.shell.proposed.is_empty() {
            running.shell.waits_since = None;
        } else {
            let since = *running.shell.waits_since.get_or_insert(world.now);
            if world.now > since + PATIENCE_MS {
                running.shell.fail_waiters(false, output);
            }
        }
        // What another leader has cut off will never be applied.
        let last = status.last_index;
        for (_, (_, waiter)) in running.shell.proposed.split_off(&(last + 1)) {
            output.answer(&waiter, Err(NotDone::Unknown));
        }
        let state = self.states.current_mut();
        if state.applied() >= state.durable() + SYNC_STATE_EVERY {
            state.sync();
        }
        let durable = state.durable();
        if let Some(through) = running.replica.compact_to(durable, self.habits.limits) {
            output.happened.push("compactions");
            running.log.compact(through)?;
        }
        Ok(())
    }

    /// Tells the newest mark again: the first time it may have been lost.
    fn repeat_mark(&mut self, running: &mut Running, world: &WorldClock, output: &mut Output) {
        if world.now < running.shell.next_mark {
            return;
        }
        running.shell.next_mark = world.now + 500;
        let mut own = running.shell.marks.iter().rev();
        let newest = own.find_map(|(_, marks)| marks.get(&self.id));
        let Some(Mark { index, hash }) = newest.copied() else { return };
        for to in running.replica.membership().ids() {
            if to != self.id {
                output.sent.push((true, to, Load::Mark { index, hash }));
            }
        }
    }

    /// Whether the others are known to have the state that this leader has had since it leads: no
    /// other is worth handing on.
    pub(super) fn is_confirmed(running: &Running) -> bool {
        let term = running.replica.status().term;
        running
            .shell
            .leads_since
            .is_some_and(|(of, index)| of == term && running.shell.agreed >= index)
    }

    /// Whether somebody is known to have another state than this node, and nobody can say who is
    /// right: however long it takes, this one is not handed on.
    pub(super) fn is_disputed(running: &Running, now: u64) -> bool {
        now < running.shell.disputed_until
    }

    /// Whether the others have another state than this node.
    fn compare_marks(&mut self, running: &mut Running, output: &mut Output) -> Result<(), Death> {
        let shell = &mut running.shell;
        while shell.marks.len() > MARKS_KEPT {
            shell.marks.pop_first();
        }
        let voters = running.replica.membership().voters.clone();
        for marks in shell.marks.values() {
            let Some(own) = marks.get(&self.id) else { continue };
            let others = marks.iter().filter(|(id, _)| **id != self.id);
            let others = others.map(|(id, mark)| (*id, *mark)).collect();
            match judge(self.id, *own, &others, &voters) {
                Comparison::Alone => {
                    output.happened.push("divergences found");
                    return Err(Death::Diverged);
                }
                Comparison::Agreed | Comparison::Other(_) => {
                    shell.agreed = shell.agreed.max(own.index);
                }
                Comparison::Unknown | Comparison::Undecided => {}
            }
        }
        Ok(())
    }
}

impl Running {
    /// Closes the batch of reads that was forming and begins its round, if none is under way.
    fn begin_read(&mut self) -> bool {
        let reads = &mut self.shell.reads;
        if reads.forming.is_empty() || reads.under_way.len() >= READ_ROUNDS {
            return false;
        }
        match self.replica.read(reads.next) {
            Ok(()) => {
                let commit = self.replica.status().commit;
                reads.under_way.insert(reads.next, (commit, mem::take(&mut reads.forming)));
                reads.next += 1;
                true
            }
            // They wait for the leader's first entry.
            Err(ReadRefusal::TermNotCommitted) => false,
            // They are told when leadership is known to be gone.
            Err(ReadRefusal::NotLeader { .. }) => {
                self.shell.leadership_lost = true;
                false
            }
            Err(ReadRefusal::ContextInUse) => unreachable!("contexts only grow"),
        }
    }

    /// Whether a snapshot is ready to be installed in this round.
    fn installs(&mut self) -> bool {
        self.shell.fetch.as_mut().is_some_and(Fetch::take_news)
    }
}

fn propose(
    running: &mut Running,
    command: &Command,
    waiter: Waiter,
    output: &mut Output,
) -> Result<(), NotDone> {
    match running.replica.propose(command.encode().into()) {
        Ok(place) => {
            running.shell.wait_for(place, waiter, output);
            Ok(())
        }
        Err(ProposeRefusal::NotLeader { leader }) => Err(NotDone::NotLeader(leader)),
        Err(_) => Err(NotDone::NotReady),
    }
}

impl Shell {
    /// Lets `waiter` wait for what comes of a proposal. Who waited for the place before waits in vain.
    fn wait_for(&mut self, place: Proposed, waiter: Waiter, output: &mut Output) {
        if let Some((_, before)) = self.proposed.insert(place.index, (place.term, waiter)) {
            output.answer(&before, Err(NotDone::Unknown));
        }
    }

    /// Leadership is gone. A patient shell lets those wait who want to know what comes of a proposal: an
    /// entry will be applied at its place, theirs or another.
    fn fail_waiters(&mut self, patient: bool, output: &mut Output) {
        if !patient {
            for (_, (_, waiter)) in mem::take(&mut self.proposed) {
                output.answer(&waiter, Err(NotDone::Unknown));
            }
        }
        output.fail_reads(mem::take(&mut self.reads.forming));
    }

    fn answer_confirmed(&mut self, state: &StateFolder, output: &mut Output) {
        let (ready, waiting) = mem::take(&mut self.reads.confirmed)
            .into_iter()
            .partition(|(index, _)| *index <= state.applied());
        self.reads.confirmed = waiting;
        let ready: Vec<(u64, Read)> = ready;
        for (_, read) in ready {
            let value = View(state).probe(&read.key).map(|row| row.value);
            output.replies.push(Reply {
                client: read.client,
                attempt: read.attempt,
                result: Ok(Answer::Value(value)),
            });
        }
    }
}

impl Output {
    fn answer(&mut self, waiter: &Waiter, result: Result<Answer, NotDone>) {
        if let Waiter::Client { client, attempt } = *waiter {
            self.replies.push(Reply { client, attempt, result });
        }
    }

    fn fail_reads(&mut self, reads: Vec<Read>) {
        for Read { client, attempt, .. } in reads {
            let result = Err(NotDone::NotLeader(None));
            self.replies.push(Reply { client, attempt, result });
        }
    }
}
