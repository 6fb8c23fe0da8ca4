//! When may this leader commit, given two sites?
//!
//! raft-rs forgets: its groups and its switch are in memory only, a new member has no group, a snapshot
//! brings members without. So the rule is derived anew at the start, on becoming the leader, after a
//! snapshot, after every change of the membership and of the mode, always from the same three things: the
//! members, their sites, the mode in force. The mode in force is that of the last change in the *log*; a
//! leader that took it from its state would miss what its predecessor had begun.
//!
//! A leader that may not commit is *held*: the rule has no effect (voters of one site only, where raft-rs
//! would quietly let their majority decide), or the mode needs the witness's loan and it ran out. While held,
//! no acknowledgment reaches raft-rs, the leader's own neither, so that the commit index stands still whatever
//! arrives; nothing is proposed, no read is answered. Followers go on all the same: what their answers say of
//! their logs is noted here, and they are sent what they lack. Else a leader elected at the wrong site, which
//! is lent nothing, could hand over to nobody. When it is let go, raft-rs counts what is known by then.

use bytes::Bytes;
use catalog_log::LogRead;
use catalog_mutation::{Mutation, active};
use raft::{
    GetEntriesContext, ProgressState, StateRole,
    eraftpb::{Entry, Message, MessageType},
};

use super::{Proposed, Replica};
use crate::{
    Membership, Mode, ProposeRefusal, RuleEffect, SiteId, SiteStatus, Sites, VoterSeen, mode,
    mode_of, sites,
};

/// How many entries a leader of two sites takes in beyond what is committed. It bounds what one site may hold
/// alone when the mode changes: see the design of the deposits.
pub const AHEAD_MAX: u64 = 10_000;

/// Bytes of the log looked at at once for changes of the mode.
const SCAN_BYTES: u64 = 1 << 20;

/// What a replica knows of the sites.
#[derive(Debug, Default)]
pub(super) struct TwoSites {
    sites: Sites,
    /// The mode of the applied state; `None` in a cluster of one site, which none of this concerns.
    applied: Option<Mode>,
    /// The last change of the mode that was reported.
    reported: u64,
    /// On a leader: changes of the mode in its log that were not reported yet, oldest first.
    tail: Vec<(u64, Mode)>,
    /// The term in which this replica, being the leader, has looked at its log.
    looked_in: u64,
    /// The last entry that the witness's loan lets the leader take in; `None` without a loan.
    lent: Option<u64>,
    /// Whether this leader tries to come back to sync.
    recovering: bool,
    /// Whether raft-rs hears of no acknowledgments.
    held: bool,
    /// The last of our own writes that raft-rs has not heard of, because it is held.
    withheld: Option<u64>,
}

impl TwoSites {
    pub(super) fn new(sites: Sites, applied: Option<Mode>) -> Self {
        Self { sites, applied, ..Self::default() }
    }
}

impl<R: LogRead> Replica<R> {
    /// The mode in force: on a leader that of the last change in its log, committed or not; on others that of
    /// the applied state. `None` in a cluster of one site.
    pub fn mode(&self) -> Option<Mode> {
        let two = &self.two_sites;
        if self.node.raft.state != StateRole::Leader || active(Mutation::ModeFromAppliedState) {
            return two.applied;
        }
        match two.tail.last().map_or(two.applied, |(_, mode)| Some(*mode)) {
            Some(Mode::Async { .. }) if two.recovering => Some(Mode::SyncRecover),
            mode => mode,
        }
    }

    /// On a leader in async: switches the rule on, to see whether the other site follows, or off again. Ends
    /// with the leadership.
    pub fn recover(&mut self, begin: bool) {
        if self.node.raft.state == StateRole::Leader && self.two_sites.recovering != begin {
            self.two_sites.recovering = begin;
            self.derive_rule();
        }
    }

    /// Where each replica stands, from now on: as the state says it, before a learner becomes a voter.
    pub fn set_sites(&mut self, sites: Sites) {
        self.two_sites.sites = sites;
        self.derive_rule();
    }

    /// A state that came with a snapshot is in use: its mode, and where the replicas stand.
    pub fn sites_replaced(&mut self, mode: Option<Mode>, sites: Sites) {
        let reported = self.handed_out;
        self.two_sites = TwoSites {
            reported,
            looked_in: self.two_sites.looked_in,
            ..TwoSites::new(sites, mode)
        };
        self.derive_rule();
    }

    /// Proposes to change the mode, with a `command` for whoever applies it. The rule follows at once: it is
    /// on from here, or off from here, whether or not the entry is committed in the end.
    ///
    /// Taken without a loan and beyond any limit: it may be the way out.
    pub fn propose_mode(&mut self, mode: Mode, command: Bytes) -> Result<Proposed, ProposeRefusal> {
        assert!(!command.is_empty(), "empty data mark the entries that Raft itself writes");
        self.check_leads()?;
        let proposed = self.append(mode::entry(mode, command))?;
        self.two_sites.tail.push((proposed.index, mode));
        // Whatever it was, it is over: sync switches the rule on by itself, async off.
        self.two_sites.recovering = false;
        self.derive_rule();
        Ok(proposed)
    }

    /// A change of the mode that was handed out is applied: it takes place if the state machine accepted it.
    /// The answer must be the same on every replica. To be called for each, in order, before it is reported by
    /// [`Replica::applied`].
    ///
    /// Panics if `entry` is none, or is reported out of order.
    pub fn apply_mode(&mut self, entry: &Entry, accepted: bool) {
        assert_eq!(
            self.undecided.pop_front(),
            Some(entry.index),
            "changes of the mode are reported in order"
        );
        let mode = mode_of(entry).expect("it changes the mode");
        let two = &mut self.two_sites;
        two.reported = entry.index;
        two.tail.retain(|(index, _)| *index > entry.index);
        if accepted {
            two.applied = Some(mode);
        }
        self.derive_rule();
    }

    /// The witness lends this leader the right to commit alone, and to take in entries up to `through`; `None`
    /// takes the right back. Ends with the leadership.
    pub fn lend(&mut self, through: Option<u64>) {
        if self.node.raft.state == StateRole::Leader && self.two_sites.lent != through {
            self.two_sites.lent = through;
            self.regate();
        }
    }

    /// How it stands with the sites: what the rule amounts to, and what each site is known to hold.
    pub fn site_status(&self) -> SiteStatus {
        let raft = &self.node.raft;
        let mode = self.mode();
        let leads = raft.state == StateRole::Leader;
        SiteStatus {
            mode,
            mode_applied: self.two_sites.applied,
            rule: self.rule_effect(),
            held: self.two_sites.held,
            joint: self.membership.is_joint() || (leads && raft.has_pending_conf()),
            voters: if leads { self.site_voters() } else { Vec::new() },
        }
    }

    fn site_voters(&self) -> Vec<VoterSeen> {
        let prs = self.node.raft.prs();
        let ids = self.membership.ids().into_iter().filter(|id| self.membership.is_voter(*id));
        ids.map(|id| {
            let progress = prs.get(id);
            let silent =
                self.silence.get(&id).is_some_and(|ticks| *ticks >= self.config.election_tick);
            VoterSeen {
                id,
                site: self.two_sites.sites.of(id),
                matched: progress.map_or(0, |progress| progress.matched),
                committed: progress.map_or(0, |progress| progress.committed_index),
                answers: id == self.config.id || !silent,
            }
        })
        .collect()
    }

    pub(super) fn rule_effect(&self) -> RuleEffect {
        let on = self.mode().is_some_and(Mode::rule_on);
        sites::effect(on, &self.membership, &self.two_sites.sites)
    }

    /// Whether `answered` would be enough to commit: what a read needs, too.
    pub(super) fn suffices(&self, answered: &std::collections::BTreeSet<u64>) -> bool {
        let on = self.mode().is_some_and(Mode::rule_on) && !active(Mutation::ReadWithoutStandby);
        let (two, members) = (&self.two_sites, &*self.membership);
        match self.mode() {
            // raft-rs has counted.
            None => true,
            Some(_) => sites::commits(on, members, &two.sites, answered),
        }
    }

    /// Whether `change` may follow the membership as it is.
    pub(super) fn keeps_rule(&self, next: &Membership) -> bool {
        let on = self.mode().is_some_and(Mode::rule_on);
        let finished = next.after(crate::RaftChange::Finish).unwrap_or_else(|_| next.clone());
        [next, &finished]
            .into_iter()
            .all(|members| sites::effect(on, members, &self.two_sites.sites).lets_commit())
    }

    /// Whether `id` may become a voter: in a cluster of two sites it stands at one of them.
    pub(super) fn is_placed(&self, id: u64) -> bool {
        self.two_sites.applied.is_none() || self.two_sites.sites.of(id).is_some()
    }

    /// The first entry that is not taken in any more.
    pub(super) fn proposal_limit(&self) -> u64 {
        match self.mode() {
            None => u64::MAX,
            Some(mode) => {
                let ahead = self.node.raft.raft_log.committed.saturating_add(AHEAD_MAX);
                let lent = if mode.needs_lease() { self.two_sites.lent } else { None };
                lent.unwrap_or(ahead).saturating_add(1)
            }
        }
    }

    /// Whether this leader commits nothing, takes nothing in and answers no reads.
    pub(super) fn is_held(&self) -> bool {
        self.two_sites.held
    }

    /// After anything that raft-rs was told: it may lead now, or lead no more.
    pub(super) fn note_leadership(&mut self) {
        if self.two_sites.applied.is_none() {
            return;
        }
        let raft = &self.node.raft;
        if raft.state == StateRole::Leader && self.two_sites.looked_in != raft.term {
            self.two_sites.looked_in = raft.term;
            self.two_sites.lent = None;
            self.two_sites.recovering = false;
            self.two_sites.tail = self.modes_in_log();
            self.derive_rule();
        } else if raft.state != StateRole::Leader && self.two_sites.held {
            self.regate();
        }
    }

    /// Whether `message` is kept from raft-rs, because it could commit something. What it says of the sender's
    /// log is noted as raft-rs would, all but the counting.
    pub(super) fn withholds(&mut self, message: &Message) -> bool {
        let raft = &mut self.node.raft;
        if !self.two_sites.held
            || message.get_msg_type() != MessageType::MsgAppendResponse
            || message.reject
            || message.term != raft.term
        {
            return false;
        }
        let (from, last_index) = (message.from, raft.raft_log.last_index());
        let hands_over = raft.lead_transferee == Some(from);
        let Some(progress) = raft.mut_prs().get_mut(from) else { return true };
        progress.recent_active = true;
        if !progress.maybe_update(message.index) {
            return true;
        }
        match progress.state {
            ProgressState::Probe => progress.become_replicate(),
            ProgressState::Replicate => progress.ins.free_to(message.index),
            ProgressState::Snapshot if progress.matched >= progress.pending_snapshot => {
                progress.become_probe();
            }
            ProgressState::Snapshot => {}
        }
        if progress.matched < last_index {
            raft.send_append(from);
        } else if hands_over {
            raft.send_timeout_now(from);
        }
        true
    }

    /// Tells raft-rs that its `Ready`s up to `number` are durable, unless it is held.
    pub(super) fn persisted_here(&mut self, number: u64) {
        if self.two_sites.held {
            self.two_sites.withheld = Some(number);
        } else {
            self.node.on_persist_ready(number);
        }
    }

    /// Changes of the mode that this log has and the state does not.
    fn modes_in_log(&self) -> Vec<(u64, Mode)> {
        let log = &self.node.raft.raft_log;
        let mut next = log.applied.max(self.two_sites.reported).max(log.first_index() - 1) + 1;
        let mut modes = Vec::new();
        while next <= log.last_index() {
            let entries = log
                .entries(next, SCAN_BYTES, GetEntriesContext::empty(false))
                .expect("the log has what was not applied");
            modes.extend(entries.iter().filter_map(|entry| Some((entry.index, mode_of(entry)?))));
            next = entries.last().expect("at least one entry is read").index + 1;
        }
        modes
    }

    /// Sets raft-rs's groups and switch to what members, sites and mode say.
    pub(super) fn derive_rule(&mut self) {
        let Some(mode) = self.mode() else { return };
        let mut on = mode.rule_on();
        if active(Mutation::RuleOnOneNode) && self.config.id != 1 {
            on = false;
        }
        let sites = &self.two_sites.sites;
        // Not by raft-rs's own calls, which would commit between two of these steps.
        let tracker = self.node.raft.mut_prs();
        for (id, progress) in tracker.iter_mut() {
            progress.commit_group_id = sites.of(*id).map_or(0, SiteId::group);
        }
        tracker.enable_group_commit(on);
        self.regate();
        let raft = &mut self.node.raft;
        if raft.state == StateRole::Leader && !self.two_sites.held {
            // Now it may: what is enough under the rule as it is counts at once.
            if on { raft.assign_commit_groups(&[]) } else { raft.enable_group_commit(false) }
        }
    }

    /// Holds the leader if it may not commit, and lets go of it if it may.
    fn regate(&mut self) {
        let leads = self.node.raft.state == StateRole::Leader;
        let lacks_loan = self.mode().is_some_and(Mode::needs_lease)
            && self.two_sites.lent.is_none()
            && !active(Mutation::LeaseIgnored);
        let held = leads && (lacks_loan || !self.rule_effect().lets_commit());
        if std::mem::replace(&mut self.two_sites.held, held) == held {
            return;
        }
        if held {
            self.drop_all_reads();
        } else if let Some(number) = self.two_sites.withheld.take() {
            self.node.on_persist_ready(number);
        }
        if !held && leads {
            let raft = &mut self.node.raft;
            if raft.group_commit() {
                raft.assign_commit_groups(&[]);
            } else {
                raft.enable_group_commit(false);
            }
        }
    }

    /// Before a change of the membership takes place: a leader that could not commit under it, or is held
    /// already, leads no more, because raft-rs counts anew within that very call.
    pub(super) fn yield_to(&mut self, next: &Membership) {
        let on = self.mode().is_some_and(Mode::rule_on);
        let lets_commit = sites::effect(on, next, &self.two_sites.sites).lets_commit();
        let raft = &mut self.node.raft;
        if raft.state == StateRole::Leader && (self.two_sites.held || !lets_commit) {
            raft.become_follower(raft.term, 0);
            self.note_leadership();
        }
    }
}
