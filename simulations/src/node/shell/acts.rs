//! The acts of the replica: where does what it wants go in one round?

use bytes::Bytes;
use catalog_log::{LogError, sim_disk::SimDisk};
use catalog_model::name::ResourceName;
use catalog_replica::{
    EntryKind, Install, Membership, Outside, Proposed, ReadDone, Role, SnapshotOffer,
    divergence::Mark, kind_of,
};
use catalog_state::{
    machine::{Machine, Session, state_hash},
    outcome::Outcome,
    view::View,
};
use raft::eraftpb::{Entry, Message};

use crate::{
    call::{Answer, NotDone},
    cast,
    clock::{NodeClock, WorldClock},
    fault::Boundary,
    network::Load,
    node::{
        AppliedEntry, Deed, Habits, Output,
        observed_log::{Cut, Deeds},
        shell::Shell,
        snapshots::Fetch,
    },
    state_disk::{StateDisk, StateFolder},
};

/// Where the acts of the replica go in one round.
pub(super) struct Acts<'a> {
    pub(super) id: u64,
    pub(super) habits: Habits,
    pub(super) shell: &'a mut Shell,
    pub(super) states: &'a mut StateDisk,
    pub(super) clock: &'a mut NodeClock,
    pub(super) deeds: &'a Deeds,
    pub(super) cut: &'a Cut,
    pub(super) world: &'a WorldClock,
    pub(super) disk: &'a SimDisk,
    /// Syncs before the round: what is sent when there are more waited for one.
    pub(super) syncs: u64,
    pub(super) output: &'a mut Output,
    pub(super) failed: Option<String>,
}

impl Acts<'_> {
    fn apply_batch(&mut self, entries: Vec<Entry>) -> Result<(), String> {
        let Some(last) = entries.last().map(|entry| (entry.index, entry.term)) else {
            return Ok(());
        };
        let mut membership = None;
        let mut marks = Vec::new();
        let mut session = Session::new(self.states.current());
        let mut batch = Vec::with_capacity(entries.len());
        for entry in entries {
            let command = match kind_of(&entry) {
                EntryKind::Raft => Bytes::new(),
                EntryKind::Command(command) => command.clone(),
                EntryKind::Members { context: command, .. } | EntryKind::Mode { command, .. } => {
                    command.clone()
                }
            };
            let applied = if command.is_empty() {
                None
            } else {
                let applied = self.shell.machine.apply(&mut session, entry.index, &command);
                Some(applied.map_err(|error| error.to_string())?)
            };
            let outcome = applied.as_ref().map(|applied| &applied.outcome);
            let mut changed = None;
            if let EntryKind::Members { change, .. } = kind_of(&entry) {
                let accepted = matches!(outcome, Some(Outcome::MembersChanged { .. }));
                let before = match (&membership, self.states.current().membership()) {
                    (Some(membership), _) => Membership::clone(membership),
                    (None, Some(bytes)) => {
                        Membership::decode(bytes).map_err(|error| error.to_string())?
                    }
                    (None, None) => Membership::of_voters(cast::FOUNDERS.to_vec()),
                };
                let after = if accepted {
                    change.and_then(|change| before.after(change)).map_err(|refusal| {
                        format!("state and raft disagree at {}: {refusal}", entry.index)
                    })?
                } else {
                    before
                };
                membership = Some(after.clone());
                changed = Some(after);
                self.shell.decided.push((entry.clone(), accepted));
            }
            if let EntryKind::Mode { .. } = kind_of(&entry) {
                let accepted = !matches!(outcome, Some(Outcome::Refused(_)));
                self.shell.decided.push((entry.clone(), accepted));
            }
            let state_hash = state_hash(&session.view());
            // Where a leader begins, too: it must know soon whether its state is the others'.
            let begins = matches!(kind_of(&entry), EntryKind::Raft);
            if begins || entry.index.is_multiple_of(self.habits.mark_every) {
                marks.push((entry.index, state_hash));
            }
            if begins {
                self.shell.leads_since = Some((entry.term, entry.index));
            }
            batch.push(AppliedEntry {
                index: entry.index,
                term: entry.term,
                data: entry.data,
                command,
                applied,
                membership: changed,
                state_hash,
            });
        }
        let writes = session.into_writes();
        let membership = membership.map(|membership| membership.encode());
        self.states.commit(writes, last, membership);
        self.shell.applied_term = last.1;
        for (index, hash) in marks {
            self.mark(index, hash);
        }
        if let Some(newest) = batch.iter().rev().find_map(|entry| entry.applied.as_ref()) {
            self.clock.saw(newest.clock, self.world);
        }
        let told = !self.cut.reaches(Boundary::AfterApply);
        for entry in &batch {
            let Some((term, waiter)) = self.shell.proposed.remove(&entry.index) else { continue };
            let ours = Proposed { term, index: entry.index }.is_entry(entry.index, entry.term);
            let answer = match &entry.applied {
                Some(applied) if ours => {
                    if matches!(applied.outcome, Outcome::ClockAdvanced { more: true, .. }) {
                        self.shell.next_advance = 0;
                    }
                    let outcome = applied.outcome.clone();
                    let version = match &outcome {
                        Outcome::Done(Some(name)) => version(self.states.current(), name),
                        _ => None,
                    };
                    match outcome {
                        Outcome::MembersChanged { .. } => Ok(Answer::Begun),
                        outcome if entry.membership.is_some() => match outcome {
                            Outcome::Refused(_) => Err(NotDone::Refused),
                            _ => Ok(Answer::Begun),
                        },
                        outcome => Ok(Answer::Committed { index: entry.index, outcome, version }),
                    }
                }
                None if ours => {
                    let what = "was taken at its place and term, and came to nothing";
                    return Err(format!("what was proposed as {} {what}", entry.index));
                }
                _ => Err(NotDone::Unknown),
            };
            if told {
                self.output.answer(&waiter, answer);
            }
        }
        self.deeds
            .borrow_mut()
            .extend(batch.into_iter().map(|entry| Deed::Applied(Box::new(entry))));
        if told {
            self.shell.answer_confirmed(self.states.current(), self.output);
        }
        Ok(())
    }

    /// Remembers the hash of the state at an agreed index, and tells the others.
    fn mark(&mut self, index: u64, hash: [u8; 32]) {
        self.shell.marks.entry(index).or_default().insert(self.id, Mark { index, hash });
        for to in self.members() {
            if to != self.id {
                self.output.sent.push((true, to, Load::Mark { index, hash }));
            }
        }
    }

    fn members(&self) -> Vec<u64> {
        let stored = self.states.current().membership().map(Membership::decode);
        match stored {
            Some(Ok(membership)) => membership.ids(),
            _ => cast::FOUNDERS.to_vec(),
        }
    }
}

/// The version of what a call made or changed, as its etag would show it.
fn version(state: &StateFolder, name: &ResourceName) -> Option<u64> {
    use catalog_model::name::Resource;

    let view = View(state);
    match &name.resource {
        Resource::Entry(id) => view.entry(&name.domain, *id).map(|entry| entry.version),
        Resource::Request(id) => view.request(&name.domain, *id).map(|case| case.version),
        Resource::Grant(id) => view.grant(&name.domain, *id).map(|grant| grant.version),
        _ => None,
    }
}

impl Outside for Acts<'_> {
    fn send(&mut self, messages: Vec<Message>) {
        let late = self.disk.syncs() > self.syncs;
        if late && self.cut.reaches(Boundary::AfterSync) || self.cut.gone().is_some() {
            return;
        }
        let sent = messages.into_iter().map(|message| (late, message.to, Load::Raft(message)));
        self.output.sent.extend(sent);
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        if self.failed.is_none() && !self.cut.reaches(Boundary::BeforeApply) {
            self.failed = self.apply_batch(entries).err();
        }
    }

    fn answer_reads(&mut self, reads: Vec<ReadDone>) {
        for done in reads {
            if let Some((commit, readers)) = self.shell.reads.under_way.remove(&done.context) {
                if done.index < commit {
                    self.failed = Some(format!(
                        "a read that began when {commit} was committed is answered as of {}",
                        done.index
                    ));
                }
                let confirmed = readers.into_iter().map(|read| (done.index, read));
                self.shell.reads.confirmed.extend(confirmed);
            }
        }
        self.shell.answer_confirmed(self.states.current(), self.output);
    }

    fn drop_reads(&mut self, contexts: Vec<u64>) {
        for context in contexts {
            let reads = self.shell.reads.under_way.remove(&context);
            self.output.fail_reads(reads.map(|(_, readers)| readers).unwrap_or_default());
        }
    }

    fn role_changed(&mut self, role: Role) {
        self.output.role = Some(role);
        if !role.is_leader {
            self.shell.leadership_lost = true;
        }
    }

    fn fetch(&mut self, offer: SnapshotOffer) {
        self.shell.fetch = Some(Fetch::new(offer));
    }

    fn prepare_install(&mut self, install: &Install) -> Result<u64, LogError> {
        if self.cut.reaches(Boundary::BeforeInstall) {
            return Err(LogError::Refusing);
        }
        let rows = self.states.receiving.as_ref().map(|receiving| receiving.rows.clone());
        let rows = rows.expect("what is installed was received");
        let membership = install.membership.encode();
        let folder = StateFolder::installed(rows, (install.index, install.term), membership);
        let number = self.states.next_number();
        self.states.add(number, folder);
        Ok(number)
    }

    fn installed(&mut self, install: &Install) {
        if self.cut.reaches(Boundary::AfterInstall) {
            return;
        }
        self.states.swap(self.states.next_number() - 1);
        let state = self.states.current();
        self.deeds.borrow_mut().push(Deed::installed(install.index, state.rows()));
        self.output.happened.push("snapshots installed");
        self.clock.saw(View(state).clock(), self.world);
        self.shell.machine = Machine::new();
        self.shell.applied_term = install.term;
        let later = self.shell.proposed.split_off(&(install.index + 1));
        for (_, (_, waiter)) in std::mem::replace(&mut self.shell.proposed, later) {
            self.output.answer(&waiter, Err(NotDone::Unknown));
        }
        self.shell.decided.clear();
        self.shell.marks.clear();
        self.shell.agreed = 0;
        self.shell.fetch = None;
    }
}
