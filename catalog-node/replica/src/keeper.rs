//! Which mode should this leader be in, and what must the witness know first?
//!
//! A pure machine. Its shell shows it the time and the replica ([`View`]) and carries its wishes to the
//! witness's cell ([`Ask`]); what is to be done here comes back as [`Do`]. Nothing of it is kept: a leader
//! that comes finds the mode in its log and the rest in the cell.
//!
//! The order is everything, because each party may die between two steps and the one that is left must be
//! the pessimist:
//!
//! * *Leaving sync*: first the cell says async, then the log, then the rule is off. Dying in between leaves a
//!   cell that promises less than is true.
//! * *Coming back*: first the rule is on, then every voter of the other site follows, then the log says sync,
//!   committed under the rule, then the cell. Dying in between leaves, again, a cell that promises less.
//! * *A new leader* takes the cell by a write of its own. Log sync and cell async: it goes on where its
//!   predecessor died while leaving. Log async and cell sync cannot come of this order; the cell is made to
//!   say async all the same, with an alarm.
//!
//! In async the leader commits on loan: until [`LEASE_MS`] after *its request left*, never after the answer
//! came, and [`AHEAD_MAX`] entries beyond the last deposit that was confirmed. The replica holds whoever has
//! no loan ([`Replica::lend`](crate::Replica::lend)).
//!
//! A write of which no answer came may have been done. The machine then looks before it writes again, and a
//! lease never counts from a request whose answer did not come.
//!
//! Times are milliseconds of a clock that counts since the machine booted, sleep included.

use std::collections::VecDeque;

use catalog_mutation::{Mutation, active};

use crate::{AHEAD_MAX, Mode, SiteId, SiteStatus};

/// For so long no voter of the other site may have answered the oldest entry it was sent.
pub const SILENCE_MS: u64 = 10_000;
/// How long a loan is, from before the request for it left.
pub const LEASE_MS: u64 = 30_000;
/// How often it is renewed.
pub const RENEWAL_MS: u64 = 5_000;
/// After so many entries a deposit is due even before that.
pub const DEPOSIT_EVERY: u64 = 5_000;
/// How often the leader hears of the witness in sync.
pub const CONTACT_MS: u64 = 30_000;
/// For so long the other site must have been well before the way back begins.
pub const QUIET_MS: u64 = 30_000;
/// After so long without it, its voters become learners: else one restart at home would stop all writes.
pub const DEMOTE_MS: u64 = 300_000;

/// How long an answer of the witness is waited for.
const PATIENCE_MS: u64 = 2_000;
/// Between an answer that did not come and the next request.
const PAUSE_MS: u64 = 500;
/// More changes of the mode than this within an hour raise an alarm.
const CHANGES_MAX: usize = 3;
const HOUR_MS: u64 = 3_600_000;
/// Entries are dated this coarsely: they then look a little older than they are.
const DATED_MS: u64 = 200;
const DATED_MAX: usize = 128;

/// What the shell shows at each step.
#[derive(Clone, Debug)]
pub struct View {
    /// Now, since boot.
    pub now: u64,
    /// The term in which this replica leads, if it does.
    pub leads: Option<u64>,
    /// The active site.
    pub home: SiteId,
    /// Generation and epoch to which this node belongs.
    pub pair: (u64, u64),
    /// From [`Replica::site_status`](crate::Replica::site_status).
    pub sites: SiteStatus,
    /// The last entry of the log.
    pub last_index: u64,
    /// The last entry known to be committed.
    pub commit: u64,
    /// The last entry that the state contains: what can be deposited.
    pub applied: u64,
}

/// What the cell says of the mode: to be in between is no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Both sites hold what was acknowledged.
    Sync,
    /// One site alone may.
    Async,
}

/// The cell, as far as a leader looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellSeen {
    /// To be given with the next write.
    pub revision: u64,
    /// Generation and epoch that count.
    pub pair: (u64, u64),
    /// Whether a failover is under way.
    pub failing_over: bool,
    /// What is promised.
    pub promise: Promise,
    /// The term whose leader wrote last.
    pub term: u64,
    /// Whether the cell lends that leader the right to commit alone.
    pub lends: bool,
    /// The index of the last deposit; 0 if there is none.
    pub deposit: u64,
}

/// What the witness is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To show the cell.
    Look,
    /// To note that this leader leads.
    Take,
    /// To change the promise.
    Promise(Promise),
    /// To renew the loan, with a deposit of the state at this index.
    Renew {
        /// The index.
        deposit: u64,
    },
}

/// A request to the witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To be given with the answer. Never used twice.
    pub number: u64,
    /// The revision on which it is written; 0 to look.
    pub revision: u64,
    /// The term that asks.
    pub term: u64,
    /// What.
    pub wish: Wish,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done, or shown; the cell afterwards.
    Done(CellSeen),
    /// It was refused: looked at again before anything else is asked.
    Refused,
}

/// What is to be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    /// [`Replica::lend`](crate::Replica::lend).
    Lend(Option<u64>),
    /// [`Replica::recover`](crate::Replica::recover).
    Recover(bool),
    /// [`Replica::propose_mode`](crate::Replica::propose_mode). Asked again until the replica says so.
    Propose(Mode),
    /// To the witness.
    Ask(Ask),
    /// The voters of the other site become learners.
    DemoteElsewhere,
    /// The cell knows a greater pair: this node belongs to the past.
    Outdated((u64, u64)),
    /// Somebody should know.
    Alarm(Alarm),
}

/// What somebody should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The log said async and the cell sync, which the order of writes does not allow.
    CellPromisedMore,
    /// The mode changes too often.
    Flapping,
    /// Nothing is committed: the other site and the witness are both silent.
    Stalled,
    /// The cell is older than this leader's own opening: the witness itself was restored.
    WitnessForgot,
}

/// The machine. One for the life of a process.
#[derive(Debug, Default)]
pub struct Keeper {
    numbers: u64,
    /// When the mode changed.
    changes: VecDeque<u64>,
    lead: Option<Lead>,
}

/// What belongs to one leadership.
#[derive(Debug)]
struct Lead {
    term: u64,
    /// As it was when nothing was under way since.
    cell: Option<CellSeen>,
    /// The last deposit that was confirmed; it never falls.
    deposit: Option<u64>,
    taken: bool,
    asked: Option<(Ask, u64)>,
    not_before: u64,
    last_contact: u64,
    last_renewal: u64,
    lease_until: u64,
    /// When entries were appended that no voter of the other site has: last index, time; oldest first.
    unanswered: VecDeque<(u64, u64)>,
    quiet_since: Option<u64>,
    alone_since: Option<u64>,
    recover: Recover,
    demoted: bool,
    stalled: bool,
    alarmed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recover {
    No,
    /// The rule is on; every voter must have this entry, and it must be committed.
    Following(u64),
    /// The log says sync; the cell does not.
    Telling,
}

impl Keeper {
    /// What is to be done now. Called often: before anything that may have waited is taken in, for the loan
    /// ends by the clock.
    pub fn advance(&mut self, view: &View) -> Vec<Do> {
        let Some(term) = view.leads.filter(|_| view.sites.mode.is_some()) else {
            self.lead = None;
            return Vec::new();
        };
        if self.lead.as_ref().is_none_or(|lead| lead.term != term) {
            self.lead = Some(Lead::new(term, view.now));
        }
        let mut done = Vec::new();
        let lead = self.lead.as_mut().expect("it was just set");
        if let Some(cell) = lead.cell
            && cell.pair > view.pair
        {
            return vec![Do::Lend(None), Do::Outdated(cell.pair)];
        }
        if lead.cell.is_some_and(|cell| cell.pair < view.pair) && !lead.alarmed {
            lead.alarmed = true;
            done.push(Do::Alarm(Alarm::WitnessForgot));
        }
        lead.date_entries(view);
        lead.give_up(view.now);
        lead.go_on(view, &mut done);
        if let Some(wish) = lead.wish(view) {
            self.numbers += 1;
            let revision = lead.cell.map_or(0, |cell| cell.revision);
            let ask = Ask { number: self.numbers, revision, term, wish };
            lead.asked = Some((ask, view.now));
            done.push(Do::Ask(ask));
        }
        let lasts = view.now < lead.lease_until;
        let on_loan = view.sites.mode.is_some_and(Mode::needs_lease) && lasts;
        let mut through = lead.deposit.map(|deposit| deposit + AHEAD_MAX).filter(|_| on_loan);
        if active(Mutation::LogBeforeCell) {
            through = Some(u64::MAX - 1);
        }
        done.push(Do::Lend(through));
        let changes = done.iter().filter(|done| matches!(done, Do::Propose(_))).count();
        self.changes.extend(std::iter::repeat_n(view.now, changes));
        while self.changes.pop_front_if(|at| *at + HOUR_MS <= view.now).is_some() {}
        if changes > 0 && self.changes.len() > CHANGES_MAX {
            done.push(Do::Alarm(Alarm::Flapping));
        }
        done
    }

    /// The witness answered request `number`; answers to others than the one under way are too late.
    pub fn answered(&mut self, number: u64, answer: Answer, now: u64) {
        let Some(lead) = &mut self.lead else { return };
        let Some((ask, left_at)) = lead.asked.take_if(|(ask, _)| ask.number == number) else {
            return;
        };
        match answer {
            Answer::Refused => {
                lead.cell = None;
                lead.not_before = now + PATIENCE_MS;
            }
            Answer::Done(cell) => {
                lead.cell = Some(cell);
                lead.deposit = Some(cell.deposit);
                lead.last_contact = now;
                if ask.wish == Wish::Look {
                    return;
                }
                lead.taken = true;
                lead.last_renewal = left_at;
                let from = if active(Mutation::LeaseFromAnswer) { now } else { left_at };
                lead.lease_until = if cell.lends { from + LEASE_MS } else { 0 };
            }
        }
    }
}

impl Lead {
    fn new(term: u64, now: u64) -> Self {
        Self {
            term,
            cell: None,
            deposit: None,
            taken: false,
            asked: None,
            not_before: 0,
            last_contact: now,
            last_renewal: now,
            lease_until: 0,
            unanswered: VecDeque::new(),
            quiet_since: None,
            alone_since: None,
            recover: Recover::No,
            demoted: false,
            stalled: false,
            alarmed: false,
        }
    }

    /// Notes since when entries wait for the other site.
    fn date_entries(&mut self, view: &View) {
        let held = view.sites.held_elsewhere(view.home);
        while self.unanswered.pop_front_if(|(last, _)| *last <= held).is_some() {}
        let many = self.unanswered.len() == DATED_MAX;
        match self.unanswered.back_mut() {
            Some((last, at)) if view.now < *at + DATED_MS => *last = view.last_index.max(*last),
            Some((last, _)) if *last >= view.last_index => {}
            _ if view.last_index <= held => {}
            // The oldest is what counts.
            Some((last, _)) if many => *last = view.last_index,
            _ => self.unanswered.push_back((view.last_index, view.now)),
        }
        let mut elsewhere = view.sites.elsewhere(view.home).peekable();
        let well = elsewhere.peek().is_some()
            && elsewhere.all(|voter| voter.answers && voter.matched + AHEAD_MAX > view.last_index);
        if well {
            self.quiet_since.get_or_insert(view.now);
        } else {
            self.quiet_since = None;
        }
        let is_async = view.sites.mode == Some(Mode::Async { released: false });
        if is_async && !well {
            self.alone_since.get_or_insert(view.now);
        } else {
            self.alone_since = None;
        }
    }

    /// Whether no voter of the other site answered the oldest entry for so long.
    fn cut_off(&self, now: u64) -> bool {
        self.unanswered.front().is_some_and(|(_, at)| now >= at + SILENCE_MS)
    }

    /// Takes a request whose answer does not come for one of which nothing is known.
    fn give_up(&mut self, now: u64) {
        if self.asked.take_if(|(_, at)| now >= *at + PATIENCE_MS).is_some() {
            self.cell = None;
            self.not_before = now + PAUSE_MS;
        }
    }

    /// Takes the next step that needs nobody else.
    fn go_on(&mut self, view: &View, done: &mut Vec<Do>) {
        let Some(mode) = view.sites.mode else { return };
        let lasts = view.now < self.lease_until;
        let promised = self.cell.filter(|_| self.taken).map(|cell| cell.promise);
        match mode {
            Mode::Sync => {
                let told = self.recover == Recover::Telling;
                if told && (self.cut_off(view.now) || promised == Some(Promise::Sync)) {
                    self.recover = Recover::No;
                }
                let says_async = promised == Some(Promise::Async) && lasts;
                let early = active(Mutation::LogBeforeCell) && self.cut_off(view.now);
                if self.recover == Recover::No && (says_async || early) {
                    done.push(Do::Propose(Mode::Async { released: false }));
                }
                let waits = SILENCE_MS + 2 * PATIENCE_MS;
                let since = self.unanswered.front().map(|(_, at)| *at);
                let stalled = !says_async && since.is_some_and(|at| view.now >= at + waits);
                if stalled && !self.stalled {
                    done.push(Do::Alarm(Alarm::Stalled));
                }
                self.stalled = stalled;
            }
            // The witness is back, and lends: no word of persons is needed any more.
            Mode::Async { released: true } if promised == Some(Promise::Async) && lasts => {
                done.push(Do::Propose(Mode::Async { released: false }));
            }
            Mode::Async { released: true } => {}
            Mode::Async { released: false } if promised == Some(Promise::Sync) => {
                if !self.alarmed {
                    self.alarmed = true;
                    done.push(Do::Alarm(Alarm::CellPromisedMore));
                }
            }
            Mode::Async { released: false } => {
                let quiet = self.quiet_since.is_some_and(|since| view.now >= since + QUIET_MS);
                let configured = Self::configured(view);
                let learners_too = active(Mutation::ReturnsWithLearners)
                    && view.sites.elsewhere(view.home).next().is_none();
                if learners_too || quiet && configured && promised == Some(Promise::Async) {
                    self.recover = Recover::Following(view.last_index);
                    done.push(Do::Recover(true));
                    return;
                }
                let alone = self.alone_since.is_some_and(|since| view.now >= since + DEMOTE_MS);
                if alone && !self.demoted && !view.sites.joint && lasts {
                    self.demoted = true;
                    done.push(Do::DemoteElsewhere);
                }
            }
            Mode::SyncRecover => {
                let Recover::Following(from) = self.recover else { return };
                // What they know committed holds the configuration, too.
                let mut elsewhere = view.sites.elsewhere(view.home);
                let follow = elsewhere.all(|v| v.matched >= from && v.committed >= from);
                if self.cut_off(view.now) || !Self::configured(view) {
                    self.recover = Recover::No;
                    self.quiet_since = None;
                    done.push(Do::Recover(false));
                } else if view.commit >= from && follow {
                    self.recover = Recover::Telling;
                    done.push(Do::Propose(Mode::Sync));
                }
            }
        }
    }

    /// Whether the other site has voters, and no change of the membership is under way.
    fn configured(view: &View) -> bool {
        let mut elsewhere = view.sites.elsewhere(view.home).peekable();
        !view.sites.joint && elsewhere.peek().is_some()
    }

    /// What to ask the witness now.
    fn wish(&self, view: &View) -> Option<Wish> {
        if self.asked.is_some() || view.now < self.not_before {
            return None;
        }
        let Some(cell) = self.cell else { return Some(Wish::Look) };
        if cell.failing_over || cell.pair < view.pair {
            // A witness that forgot an opening is told by operators. In a failover this site asks for nothing more; what it hears next is a greater pair, or its own again.
            return (view.now >= self.last_contact + RENEWAL_MS).then_some(Wish::Look);
        }
        if !self.taken {
            return Some(Wish::Take);
        }
        let renewal_due = view.now >= self.last_renewal + RENEWAL_MS
            || view.applied >= cell.deposit + DEPOSIT_EVERY
            || cell.deposit == 0;
        let renewal =
            renewal_due.then_some(Wish::Renew { deposit: view.applied.max(cell.deposit) });
        match (view.sites.mode?, cell.promise) {
            (Mode::Sync, Promise::Sync) if self.cut_off(view.now) => {
                (!active(Mutation::LogBeforeCell)).then_some(Wish::Promise(Promise::Async))
            }
            (Mode::Sync, Promise::Sync) => {
                (view.now >= self.last_contact + CONTACT_MS).then_some(Wish::Look)
            }
            (Mode::Sync, Promise::Async) => {
                let committed = view.sites.mode_applied == Some(Mode::Sync);
                let told = self.recover == Recover::Telling && committed;
                if told { Some(Wish::Promise(Promise::Sync)) } else { renewal }
            }
            (Mode::SyncRecover, Promise::Async) if active(Mutation::CellBeforeLog) => {
                Some(Wish::Promise(Promise::Sync))
            }
            (Mode::Async { .. } | Mode::SyncRecover, Promise::Async) => {
                // A term that took the cell elsewhere, or while it was not believed, has no loan to renew.
                if cell.lends { renewal } else { renewal.map(|_| Wish::Take) }
            }
            (Mode::Async { .. } | Mode::SyncRecover, Promise::Sync) => {
                Some(Wish::Promise(Promise::Async))
            }
        }
    }
}

#[cfg(test)]
mod tests;
