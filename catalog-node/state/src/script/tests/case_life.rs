//! Whatever is said to cases, they go as a plain model of the law says: a case as a few numbers and
//! words, days counted on a list. Each way in which the two may not differ has a name.

use std::collections::BTreeMap;

use catalog_model::{
    calendar::WorkingDayCalendar,
    name::Resource,
    overdue::HearingOutcome,
    share_request::{ShareRequest, ShareRequestState},
    time::{LocalDate, UtcMillis},
};
use proptest::prelude::*;

use crate::script::World;

/// One step of somebody: what, to which case, how, and minutes before it.
type Step = (u8, u8, u8, u16);

const CASES: usize = 4;

/// A case as the law tells it. Even cases are of two departments (decree 809: the provider decides
/// and owes), odd ones of a hospital and a waterworks (REG22 26: the authority with the provider).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plain {
    state: &'static str,
    received: LocalDate,
    /// Working days until the answer is due.
    days: usize,
    extended: usize,
    stood_still: usize,
    proposed: Option<usize>,
    asked_opinion: Option<LocalDate>,
    opinion: bool,
    /// The day of the list of what is missing, and whether the clock stands still.
    list: Option<(LocalDate, bool)>,
    overdue: Option<LocalDate>,
    /// By debtor: whether it claimed a reason, and how its hearing ended.
    hearings: BTreeMap<&'static str, (bool, Option<HearingOutcome>)>,
    late: bool,
}

/// The day on which the count of `n` working days after `start` ends, by going from day to day.
fn count(start: LocalDate, n: usize) -> LocalDate {
    let calendar = WorkingDayCalendar::embedded();
    let mut day = start;
    let mut left = n;
    while left > 0 {
        day = day.next();
        left -= usize::from(calendar.is_working_day(day).counts());
    }
    day
}

fn working_days(from: LocalDate, to: LocalDate) -> usize {
    let calendar = WorkingDayCalendar::embedded();
    let mut day = from;
    let mut n = 0;
    while day < to {
        day = day.next();
        n += usize::from(calendar.is_working_day(day).counts());
    }
    n
}

impl Plain {
    fn new(received: LocalDate) -> Self {
        Self {
            state: "submitted",
            received,
            days: 10,
            extended: 0,
            stood_still: 0,
            proposed: None,
            asked_opinion: None,
            opinion: false,
            list: None,
            overdue: None,
            hearings: BTreeMap::new(),
            late: false,
        }
    }

    fn open(&self) -> bool {
        matches!(self.state, "submitted" | "completion")
    }

    fn runs(&self) -> bool {
        self.open() && !(self.state == "completion" && self.list.is_some_and(|(_, still)| still))
    }

    fn due(&self) -> LocalDate {
        count(self.received, self.days + self.extended + self.stood_still)
    }

    /// What became due by `now`, in the order in which it became due.
    fn pass(&mut self, now: UtcMillis, debtors: &[&'static str]) {
        let lapse = self.list.filter(|_| self.state == "completion").map(|(day, _)| count(day, 20));
        let due = self.due();
        let closes_first = lapse.is_some_and(|lapse| lapse < due);
        if closes_first {
            self.close(lapse, now);
        }
        if self.runs() && self.overdue.is_none() && now >= due.end() {
            self.miss(debtors, now);
        }
        self.close(lapse, now);
        let Some(since) = self.overdue else { return };
        if now >= count(since, 5).end() {
            for (claimed, outcome) in self.hearings.values_mut() {
                if !*claimed && outcome.is_none() {
                    *outcome = Some(HearingOutcome::Counted);
                }
            }
        }
    }

    fn close(&mut self, lapse: Option<LocalDate>, now: UtcMillis) {
        if self.state == "completion" && lapse.is_some_and(|lapse| now >= lapse.end()) {
            self.state = "not_completed";
        }
    }

    fn miss(&mut self, debtors: &[&'static str], now: UtcMillis) {
        self.overdue = Some(now.local_date());
        self.hearings = debtors.iter().map(|debtor| (*debtor, (false, None))).collect();
    }
}

struct Both {
    world: World,
    plain: Vec<Plain>,
    said: String,
}

impl Both {
    fn begin() -> Self {
        let mut world = World::default();
        for line in [
            "cluster xiamen level=3 clock=\"2026-09-21 09:00\"",
            "organization police",
            "organization tax",
            "organization hospital class=public_service capacities=public_service",
            "organization water class=public_service capacities=public_service",
            "listed plates provider=police",
            "listed beds provider=hospital kind=public_service",
            "request case0 entry=plates from=tax",
            "request case1 entry=beds from=water head=none",
            "request case2 entry=plates from=tax",
            "request case3 entry=beds from=water head=none",
        ] {
            world.run(line);
        }
        let today = world.now.local_date();
        world.take_output();
        Self { world, plain: vec![Plain::new(today); CASES], said: String::new() }
    }

    fn debtors(of: usize) -> &'static [&'static str] {
        if of.is_multiple_of(2) { &["police"] } else { &["xiamen.authority", "hospital"] }
    }

    /// Says a line; whether it was done.
    fn say(&mut self, line: &str) -> bool {
        self.said.push_str(line);
        self.said.push('\n');
        self.world.run(line);
        let told = self.world.take_output();
        self.said.push_str(&told);
        assert!(!told.contains("VIOLATED"), "{}", self.said);
        !told.contains("refused ")
    }

    fn advance(&mut self, minutes: u16) {
        let now = self.world.now.plus(u64::from(minutes) * 60_000);
        self.world.now = now;
        // Twice: a warning of the completion's lapse and its end may be due in one jump.
        for _ in 0..2 {
            self.say(&format!("advance to=\"{}\"", now.local_text()));
        }
        for (of, plain) in self.plain.iter_mut().enumerate() {
            plain.pass(now, Self::debtors(of));
        }
    }

    fn step(&mut self, (what, of, how, minutes): Step) {
        self.advance(minutes % 4_320);
        let of = usize::from(of) % CASES;
        let today = self.world.now.local_date();
        let decree = of.is_multiple_of(2);
        let mut plain = self.plain[of].clone();
        let case = format!("case{of}");
        let (line, expected) = match what % 11 {
            0 | 1 => {
                let by = if decree { "police.office" } else { "xiamen.authority.system" };
                let heard = decree
                    || plain.opinion
                    || plain.asked_opinion.is_some_and(|day| today > count(day, 5));
                // What is asked to be completed in time is not refused for meanwhile.
                let waits = !how.is_multiple_of(2)
                    && decree
                    && plain.state == "completion"
                    && !plain.runs();
                let expected = plain.open() && heard && !waits;
                if expected {
                    plain.state = if how.is_multiple_of(2) { "agreed" } else { "refused" };
                    plain.late = plain.due() < today;
                }
                let answer = ["agreed", "refused reason=r"][usize::from(how % 2)];
                (format!("answer {case} {answer} by={by}"), expected)
            }
            2 => {
                let days = usize::from(how % 12);
                let expected = decree
                    && plain.open()
                    && plain.proposed.is_none()
                    && plain.extended == 0
                    && (1..=10).contains(&days)
                    && !(plain.runs() && plain.due() < today);
                if expected {
                    plain.proposed = Some(days);
                }
                (format!("propose {case} days={days} reason=r"), expected)
            }
            3 => {
                let consents = !how.is_multiple_of(3);
                let too_late = plain.runs() && plain.due() < today;
                let expected =
                    decree && plain.open() && plain.proposed.is_some() && !(consents && too_late);
                if expected {
                    let days = plain.proposed.take().unwrap_or_default();
                    plain.extended += if consents { days } else { 0 };
                }
                let verb = if consents { "consent_to" } else { "deny" };
                (format!("{verb} {case} reason=r"), expected)
            }
            4 => {
                let expected = plain.open() && plain.list.is_none();
                if expected {
                    let in_time = today <= count(plain.received, 3);
                    plain.list = Some((today, in_time && plain.due() >= today));
                    plain.state = "completion";
                }
                (format!("missing {case} what=term"), expected)
            }
            5 => {
                let expected = plain.state == "completion";
                if let (true, Some((asked, still))) = (expected, plain.list) {
                    plain.state = "submitted";
                    if still {
                        plain.stood_still = working_days(asked, today);
                    }
                }
                (format!("completed {case} duty=law{how}"), expected)
            }
            6 => {
                let expected =
                    !decree && plain.open() && plain.asked_opinion.is_none() && !plain.opinion;
                if expected {
                    plain.asked_opinion = Some(today);
                }
                (format!("ask_opinion {case}"), expected)
            }
            7 => {
                let expected = !decree && plain.open();
                plain.opinion |= expected;
                (format!("opinion {case} for text=t"), expected)
            }
            8 => {
                let debtors = Self::debtors(of);
                let debtor = debtors[usize::from(how) % debtors.len()];
                let over = plain.overdue.is_some_and(|day| today > count(day, 5));
                let hearing = plain.hearings.get_mut(debtor);
                let expected = hearing.is_some_and(|(claimed, outcome)| {
                    let may = !*claimed && outcome.is_none() && !over;
                    *claimed |= may;
                    may
                });
                (format!("claim {case} text=t by={debtor}.system"), expected)
            }
            9 => {
                let debtors = Self::debtors(of);
                let debtor = debtors[usize::from(how) % debtors.len()];
                let ruler = if decree { "xiamen.authority" } else { "xiamen.government" };
                let by = [ruler, "xiamen.authority", "police"][usize::from(how / 2) % 3];
                let (word, ends) = match how % 3 {
                    0 => ("accepted", HearingOutcome::Excused),
                    _ => ("rejected", HearingOutcome::Counted),
                };
                let hearing = plain.hearings.get_mut(debtor).filter(|_| by == ruler);
                // Nothing before the reason was heard.
                let expected = hearing.is_some_and(|(claimed, outcome)| {
                    let may = *claimed && outcome.is_none();
                    if may {
                        *outcome = Some(ends);
                    }
                    may
                });
                let line = format!("rule {case} {word} debtor={debtor} reason=r by={by}.system");
                (line, expected)
            }
            _ => {
                let expected = plain.open() && how.is_multiple_of(4);
                if !how.is_multiple_of(4) {
                    return;
                }
                if expected {
                    plain.state = "withdrawn";
                }
                (format!("withdraw {case} reason=r"), expected)
            }
        };
        let done = self.say(&line);
        assert_eq!(done, expected, "done_as_the_law_says: {line}: {plain:?}\n{}", self.said);
        self.plain[of] = plain;
        self.compare(of);
    }

    fn row(&self, of: usize) -> ShareRequest {
        let name = self.world.named(&format!("case{of}"));
        let Resource::Request(id) = name.resource else { unreachable!("a case") };
        self.world.view().request(&name.domain, id).expect("a case of the story")
    }

    /// The named ways in which state and model may not differ.
    fn compare(&self, of: usize) {
        let (plain, case) = (&self.plain[of], self.row(of));
        let file = self
            .world
            .view()
            .case_file(&self.world.named(&format!("case{of}")))
            .unwrap_or_default();
        let same = |name: &str, holds: bool| {
            assert!(holds, "{name}: {plain:?}\n{case:?}\n{file:?}\n{}", self.said);
        };
        let state = match case.state {
            ShareRequestState::Submitted => "submitted",
            ShareRequestState::CompletionAsked => "completion",
            ShareRequestState::Agreed => "agreed",
            ShareRequestState::Refused => "refused",
            ShareRequestState::Withdrawn => "withdrawn",
            ShareRequestState::NotCompleted => "not_completed",
            ShareRequestState::AgreedInPart | ShareRequestState::Forwarded => "never here",
        };
        same("a_case_ends_only_by_what_was_said", state == plain.state);
        let clock = case.answer_clock.as_ref().expect("each case has its clock");
        same("the_clock_counts_from_receipt", clock.due_date == plain.due());
        same("overdue_is_marked_once", case.overdue.is_some() == plain.overdue.is_some());
        let late = case.answer.as_ref().is_some_and(|given| given.late);
        same("late_is_after_the_due_day", late == plain.late);
        for (debtor, (claimed, outcome)) in &plain.hearings {
            let organization = self.world.organization_id(debtor);
            let hearing =
                file.hearings.iter().find(|hearing| hearing.debtor.organization == organization);
            same("every_debtor_is_heard", hearing.is_some());
            let hearing = hearing.expect("just looked");
            same("claims_are_kept", hearing.claim.is_some() == *claimed);
            same("counted_only_after_the_hearing", hearing.outcome == *outcome);
        }
        same("nobody_else_is_heard", file.hearings.len() == plain.hearings.len());
        let proposed = file.proposal.as_ref().map(|asked| usize::from(asked.working_days));
        same("proposals_wait_for_the_authority", proposed == plain.proposed);
    }

    /// What each organization is told to have been late by is what its hearings ended in.
    fn counted(&mut self) {
        for debtor in ["police", "hospital", "xiamen.authority"] {
            let (mut late, mut counted, mut excused) = (0, 0, 0);
            for plain in &self.plain {
                if let Some((_, outcome)) = plain.hearings.get(debtor) {
                    late += 1;
                    counted += u64::from(*outcome == Some(HearingOutcome::Counted));
                    excused += u64::from(*outcome == Some(HearingOutcome::Excused));
                }
            }
            let organization = self.world.organization_id(debtor);
            let (mut found, mut on_time) = ((0, 0, 0), 0);
            for month in (202_609..=202_612).chain(202_701..=202_712) {
                let row = self.world.view().punctuality(organization, month).unwrap_or_default();
                found.0 += row.late;
                found.1 += row.counted;
                found.2 += row.excused;
                on_time += row.on_time;
            }
            assert_eq!(found, (late, counted, excused), "counted_as_heard {debtor}: {}", self.said);
            let in_time = self.plain.iter().enumerate().filter(|(of, plain)| {
                let owes = Self::debtors(*of).contains(&debtor);
                owes && matches!(plain.state, "agreed" | "refused") && !plain.late
            });
            assert_eq!(on_time, in_time.count() as u64, "counted_in_time {debtor}: {}", self.said);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_case_goes_as_the_law_says(steps in prop::collection::vec(any::<Step>(), 10..60)) {
        let mut both = Both::begin();
        for step in steps {
            both.step(step);
        }
        both.advance(u16::MAX);
        for of in 0..CASES {
            both.compare(of);
        }
        both.counted();
        prop_assert!(both.say("replay"));
    }
}
