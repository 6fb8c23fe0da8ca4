//! What the machine asks and does, and in which order, against a replica and a witness in miniature.

use super::*;
use crate::{RuleEffect, VoterSeen};

const HOME: SiteId = SiteId(1);
const AWAY: SiteId = SiteId(2);
const PAIR: (u64, u64) = (1, 1);
const STEP: u64 = 100;

/// A leader of term 5, its log, its peers, the witness.
struct Play {
    keeper: Keeper,
    now: u64,
    mode: Mode,
    applied_mode: Mode,
    recovering: bool,
    last_index: u64,
    /// What the voters of the other site have; no voters if `None`.
    elsewhere: Option<u64>,
    cell: CellSeen,
    witness_answers: bool,
    /// Milliseconds until an answer is there.
    delay: u64,
    under_way: Option<(u64, u64, Answer)>,
    lent: Option<u64>,
    /// What happened, with its time.
    told: Vec<(u64, String)>,
}

impl Play {
    fn new(mode: Mode, promise: Promise) -> Self {
        Self {
            keeper: Keeper::default(),
            now: 1000,
            mode,
            applied_mode: mode,
            recovering: false,
            last_index: 10,
            elsewhere: Some(10),
            cell: CellSeen {
                revision: 7,
                pair: PAIR,
                failing_over: false,
                promise,
                term: 4,
                lends: false,
                deposit: 0,
            },
            witness_answers: true,
            delay: 0,
            under_way: None,
            lent: None,
            told: Vec::new(),
        }
    }

    fn view(&self) -> View {
        let mode =
            if self.recovering && self.mode != Mode::Sync { Mode::SyncRecover } else { self.mode };
        let voter = |id, site, matched| VoterSeen {
            id,
            site: Some(site),
            matched,
            committed: matched,
            answers: matched == self.last_index,
        };
        let home = [1, 2, 3].map(|id| voter(id, HOME, self.last_index));
        let away = self.elsewhere.map(|matched| [4, 5].map(|id| voter(id, AWAY, matched)));
        View {
            now: self.now,
            leads: Some(5),
            home: HOME,
            pair: PAIR,
            sites: SiteStatus {
                mode: Some(mode),
                mode_applied: Some(self.applied_mode),
                rule: RuleEffect::InEffect,
                held: false,
                joint: false,
                voters: home.into_iter().chain(away.into_iter().flatten()).collect(),
            },
            last_index: self.last_index,
            commit: self.last_index,
            applied: self.last_index,
        }
    }

    fn tell(&mut self, what: String) {
        self.told.push((self.now, what));
    }

    /// The cell's own rules, as far as they matter here.
    fn write(&mut self, ask: Ask) -> Answer {
        if ask.wish == Wish::Look {
            return Answer::Done(self.cell);
        }
        if ask.revision != self.cell.revision || ask.term < self.cell.term {
            return Answer::Refused;
        }
        self.cell.revision += 1;
        self.cell.term = ask.term;
        match ask.wish {
            Wish::Look | Wish::Take => {}
            Wish::Promise(promise) => self.cell.promise = promise,
            Wish::Renew { deposit } => self.cell.deposit = deposit,
        }
        self.cell.lends = self.cell.promise == Promise::Async;
        Answer::Done(self.cell)
    }

    fn step(&mut self) {
        self.now += STEP;
        if let Some((at, number, answer)) = self.under_way.take_if(|(at, ..)| *at <= self.now) {
            assert!(at <= self.now);
            self.keeper.answered(number, answer, self.now);
        }
        for done in self.keeper.advance(&self.view()) {
            match done {
                Do::Lend(through) => {
                    if through.is_some() != self.lent.is_some() {
                        self.tell(format!("lent: {}", through.is_some()));
                    }
                    self.lent = through;
                }
                Do::Ask(ask) => {
                    self.tell(format!("asks {:?}", ask.wish));
                    if self.witness_answers {
                        let answer = self.write(ask);
                        self.under_way = Some((self.now + self.delay, ask.number, answer));
                    }
                }
                Do::Recover(begin) => {
                    self.recovering = begin;
                    self.tell(format!("recovers: {begin}"));
                }
                Do::Propose(mode) => {
                    (self.mode, self.applied_mode, self.recovering) = (mode, mode, false);
                    self.last_index += 1;
                    if self.elsewhere.is_some_and(|held| held + 1 == self.last_index) {
                        self.elsewhere = Some(self.last_index);
                    }
                    self.tell(format!("proposes {mode:?}"));
                }
                other => self.tell(format!("{other:?}")),
            }
        }
    }

    fn run(&mut self, ms: u64) -> &mut Self {
        for _ in 0..ms / STEP {
            self.step();
        }
        self
    }

    /// What happened since the last time, without what comes again and again.
    fn told(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.told);
        let again = |what: &str| what.starts_with("asks Renew") || what == "asks Look";
        told.into_iter().map(|(_, what)| what).filter(|what| !again(what)).collect()
    }

    fn at(&self, what: &str) -> u64 {
        let found = self.told.iter().find(|(_, told)| told == what);
        found.unwrap_or_else(|| panic!("`{what}` is not in {:?}", self.told)).0
    }
}

const ALONE: Mode = Mode::Async { released: false };

#[test]
fn leaving_tells_the_witness_first_and_counts_from_the_oldest_entry() {
    let mut play = Play::new(Mode::Sync, Promise::Sync);
    play.run(3000);
    assert_eq!(play.told(), ["asks Take"]);
    // An entry that nobody elsewhere answers, and later ones; the link comes and goes meanwhile.
    play.last_index = 11;
    let since = play.now;
    for _ in 0..9 {
        play.run(1000);
        play.last_index += 1;
    }
    assert_eq!(play.told(), Vec::<String>::new());
    play.run(2000);
    let left = play.at("asks Promise(Async)");
    assert!((since + SILENCE_MS..=since + SILENCE_MS + 300).contains(&left), "{since} {left}");
    assert_eq!(
        play.told(),
        ["asks Promise(Async)", "proposes Async { released: false }", "lent: true"]
    );
    assert_eq!(play.cell.promise, Promise::Async);
}

#[test]
fn an_answer_to_the_oldest_entry_is_what_counts() {
    let mut play = Play::new(Mode::Sync, Promise::Sync);
    for _ in 0..40 {
        play.last_index += 1;
        play.run(1000);
        // Nine seconds behind, all the time.
        play.elsewhere = Some(play.last_index.saturating_sub(9));
    }
    assert_eq!(play.told(), ["asks Take"]);
}

#[test]
fn without_the_witness_sync_stalls_and_async_is_held() {
    let mut play = Play::new(Mode::Sync, Promise::Sync);
    play.run(1000);
    play.witness_answers = false;
    play.last_index += 1;
    play.run(60_000);
    assert_eq!(play.told(), ["asks Take", "asks Promise(Async)", "Alarm(Stalled)"]);
    assert_eq!(play.mode, Mode::Sync);
    // Once it answers, it is looked at first: what became of the write is not known.
    play.witness_answers = true;
    play.run(5000);
    assert_eq!(
        play.told(),
        ["asks Promise(Async)", "proposes Async { released: false }", "lent: true"]
    );

    let mut play = Play::new(ALONE, Promise::Async);
    play.witness_answers = false;
    play.run(60_000);
    assert_eq!((play.told(), play.lent), (Vec::new(), None));
}

#[test]
fn the_loan_counts_from_before_the_request_left() {
    let mut play = Play::new(ALONE, Promise::Async);
    play.elsewhere = Some(3);
    play.delay = 1500;
    play.run(20_000);
    assert_eq!(play.lent, Some(play.cell.deposit + AHEAD_MAX));
    // The witness does what it is asked last, and its answer is late; then it is silent.
    let mut renewals = play.told.iter().filter(|(_, what)| what.starts_with("asks Renew"));
    let last = renewals.next_back().expect("it renews").0;
    play.witness_answers = false;
    play.told.clear();
    play.run(60_000);
    let (end, _) = *play.told.iter().find(|(_, what)| what == "lent: false").expect("it ends");
    let asked_later =
        play.told.iter().any(|(at, what)| *at < end && what.starts_with("asks Renew"));
    assert!(asked_later, "it tried");
    assert!(end.abs_diff(last + LEASE_MS) <= STEP, "{last} {end}");
    // It comes back: a look, a renewal, and the loan.
    play.witness_answers = true;
    play.run(10_000);
    assert!(play.lent.is_some());
}

#[test]
fn what_a_new_leader_makes_of_log_and_cell() {
    let check = |mode, promise, expected: &[&str]| {
        let mut play = Play::new(mode, promise);
        play.elsewhere = Some(3);
        play.last_index = 3;
        play.run(5000);
        assert_eq!(play.told(), expected, "{mode:?} {promise:?}");
    };
    check(Mode::Sync, Promise::Sync, &["asks Take"]);
    check(ALONE, Promise::Async, &["asks Take", "lent: true"]);
    // The one before died between cell and log.
    check(
        Mode::Sync,
        Promise::Async,
        &["asks Take", "proposes Async { released: false }", "lent: true"],
    );
    // This cannot be; the pessimist's word is made to hold.
    check(
        ALONE,
        Promise::Sync,
        &["asks Take", "Alarm(CellPromisedMore)", "asks Promise(Async)", "lent: true"],
    );
    // After a release, the witness is back.
    check(
        Mode::Async { released: true },
        Promise::Sync,
        &["asks Take", "asks Promise(Async)", "proposes Async { released: false }", "lent: true"],
    );
}

#[test]
fn coming_back_tells_the_witness_last() {
    let mut play = Play::new(ALONE, Promise::Async);
    play.elsewhere = None;
    play.run(60_000);
    assert_eq!(play.told(), ["asks Take", "lent: true"], "learners are no voters");
    play.elsewhere = Some(3);
    play.run(60_000);
    assert_eq!(play.told(), Vec::<String>::new(), "they do not follow");
    play.elsewhere = Some(play.last_index);
    let since = play.now;
    play.run(29_000);
    assert_eq!(play.told(), Vec::<String>::new(), "not yet quiet for long enough");
    play.run(5000);
    assert!(play.at("recovers: true") >= since + QUIET_MS);
    let expected = ["recovers: true", "proposes Sync", "lent: false", "asks Promise(Sync)"];
    assert_eq!(play.told(), expected);
    assert_eq!((play.mode, play.cell.promise), (Mode::Sync, Promise::Sync));

    // The other site goes while the rule is tried: back to the loan, and nobody was promised more.
    let mut play = Play::new(ALONE, Promise::Async);
    play.run(30_500);
    play.told.clear();
    play.last_index += 1;
    play.run(500);
    play.mode = ALONE;
    play.run(15_000);
    assert_eq!(play.cell.promise, Promise::Async);
}

#[test]
fn too_many_changes_raise_an_alarm() {
    let mut play = Play::new(Mode::Sync, Promise::Sync);
    for _ in 0..3 {
        play.last_index += 1;
        play.run(20_000);
        play.elsewhere = Some(play.last_index);
        play.run(40_000);
    }
    let told = play.told();
    assert_eq!(play.mode, Mode::Sync, "{told:?}");
    assert!(told.contains(&"Alarm(Flapping)".to_owned()));
}

#[test]
fn after_five_minutes_alone_a_restart_must_not_stop_everything() {
    let mut play = Play::new(ALONE, Promise::Async);
    play.last_index = 20_000;
    play.run(DEMOTE_MS);
    assert!(!play.told().contains(&"DemoteElsewhere".to_owned()));
    play.run(2000);
    assert_eq!(play.told(), ["DemoteElsewhere"]);
}

#[test]
fn a_greater_pair_ends_it() {
    let mut play = Play::new(ALONE, Promise::Async);
    play.run(5000);
    assert!(play.lent.is_some());
    play.cell.pair = (2, 2);
    play.cell.revision += 1;
    play.told.clear();
    play.run(10_000);
    let told = play.told();
    assert_eq!(told[..2], ["lent: false".to_owned(), "Outdated((2, 2))".to_owned()]);
}

#[test]
fn a_witness_that_forgot_is_written_nothing() {
    let mut play = Play::new(ALONE, Promise::Async);
    play.cell.pair = (0, 9);
    play.run(60_000);
    assert_eq!(play.told(), ["Alarm(WitnessForgot)"]);
    assert_eq!(play.lent, None, "nobody lends it anything");
}

/// No seed and no execution of the simulation notices this; the table here does.
#[cfg(feature = "mutations")]
#[test]
fn mutations_of_the_loan_are_noticed() {
    use catalog_mutation::{Mutation, choose};

    choose(Some(Mutation::LeaseFromAnswer));
    let told = std::panic::catch_unwind(the_loan_counts_from_before_the_request_left);
    choose(None);
    assert!(told.is_err());
}
