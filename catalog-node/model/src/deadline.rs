//! Deadlines: a date that someone owes by law, with the clock that leads to it.
//!
//! *Deadline* is only ever a legal date; the limit of a call is a *timeout*.

use minicbor::{Decode, Encode};

use crate::{
    calendar::{DayLine, WorkingDayCalendar},
    rule::RuleRef,
    time::{LocalDate, UtcMillis},
};

/// A number of working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct WorkingDays(#[n(0)] pub u16);

/// What is owed by the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DeadlineKind {
    /// The answer to a share request.
    #[n(0)]
    Answer = 0,
    /// The authority's review of an updated catalog entry (decree 809 art. 17¶3).
    #[n(1)]
    CatalogReview = 1,
    /// Delivery after agreement (decree 809 art. 22).
    #[n(2)]
    Delivery = 2,
    /// Rectification after a suspension for misuse (decree 809 art. 27¶2).
    #[n(7)]
    Rectification = 7,
    /// The update of the catalog after a change of law or duty (decree 809 art. 17¶2; CAL-13).
    #[n(9)]
    CatalogUpdate = 9,
    /// The regular review of an entry's sharing attribute (SHR-02).
    #[n(13)]
    AttributeReview = 13,
    /// What to do about an entry whose basis became too weak (CAT-28).
    #[n(14)]
    Reclassification = 14,
    /// The opinion of a party that is heard and does not decide (CAL-18).
    #[n(3)]
    Opinion = 3,
    /// The completion of a request by its asker (CAL-20).
    #[n(4)]
    CompletionLapse = 4,
    /// The reason that a late debtor may claim (CAL-21).
    #[n(5)]
    ReasonHearing = 5,
    /// A warning that an answer will be due; nothing is owed by it.
    #[n(6)]
    Warning = 6,
    /// Passing a case on to the domain that owns it (CAL-22).
    #[n(8)]
    Hop = 8,
    // Relations and quality. Keys hold the discriminant, so it is the number of the encoding.
    /// The feedback to an error report (decree 809 art. 26¶2).
    #[n(10)]
    ErrorReport = 10,
    /// What a reporter may say to the feedback.
    #[n(11)]
    ReportSilence = 11,
    /// The answer to a person concerned.
    #[n(12)]
    PersonalObjection = 12,
    /// The authority's word on the transfer of a function.
    #[n(15)]
    FunctionTransfer = 15,
    /// Assessment, treatment and shutdown after an emergency.
    #[n(16)]
    EmergencyTreatment = 16,
}

/// The parts of a running working-day clock, kept apart so that a calendar change, an extension
/// or a suspension recomputes the due date without guessing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WorkingDayClock {
    /// What is owed.
    #[n(0)]
    pub kind: DeadlineKind,
    /// The event that starts it, usually receipt. Its day is not counted.
    #[n(1)]
    pub start_time: UtcMillis,
    /// Working days of the rule.
    #[n(2)]
    pub length: WorkingDays,
    /// Working days added by extension.
    #[n(3)]
    pub extended: WorkingDays,
    /// Working days during which it stood still.
    #[n(4)]
    pub suspended: WorkingDays,
    /// The last day.
    #[n(5)]
    pub due_date: LocalDate,
    /// The first instant at which it is overdue: 24:00 of the last day.
    #[n(6)]
    pub due_time: UtcMillis,
    /// Whether a day counted lies in a year without an official calendar.
    #[n(7)]
    pub provisional: bool,
    /// Version of the calendar used.
    #[n(8)]
    pub calendar_version: u64,
    /// The rule that gives the length.
    #[n(9)]
    pub rule: RuleRef,
    /// Counts up with every recomputation; a firing is idempotent by (deadline, revision).
    #[n(10)]
    pub revision: u32,
}

/// What a recomputation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recomputed {
    /// The last day as it was.
    pub old_date: LocalDate,
    /// The last day as it is now.
    pub new_date: LocalDate,
    /// Whether the new count ended in the past, so that the date was held in the present.
    pub held: bool,
}

impl WorkingDayClock {
    /// Starts a clock of `length` working days at the event of `start_time`.
    pub fn start(
        kind: DeadlineKind,
        start_time: UtcMillis,
        length: WorkingDays,
        rule: RuleRef,
        calendar: &WorkingDayCalendar,
    ) -> Self {
        let start = start_time.local_date();
        let mut clock = Self {
            kind,
            start_time,
            length,
            extended: WorkingDays(0),
            suspended: WorkingDays(0),
            due_date: start,
            due_time: start.end(),
            provisional: false,
            calendar_version: calendar.version(),
            rule,
            revision: 0,
        };
        clock.count(calendar);
        clock
    }

    /// All working days: of the rule, added and stood still.
    pub fn total(&self) -> WorkingDays {
        WorkingDays(self.length.0.saturating_add(self.extended.0).saturating_add(self.suspended.0))
    }

    /// Counts again under another calendar, as of the committed clock `now`.
    ///
    /// None if nothing but the calendar's version changed. A recomputation never makes a case
    /// overdue in the past: a clock that was running is held until the end of the first working
    /// day that is not over (CAL).
    ///
    /// A clock of no working days ends on a day that was set or counted in months: nothing of it is
    /// counted by a calendar.
    pub fn recompute(
        &mut self,
        calendar: &WorkingDayCalendar,
        now: UtcMillis,
    ) -> Option<Recomputed> {
        if self.total() == WorkingDays(0) {
            return None;
        }
        let before = (self.due_date, self.provisional);
        let was_running = !self.is_overdue(now);
        self.count(calendar);
        let held = was_running && self.is_overdue(now);
        if held {
            self.due_date = calendar.first_open_day(now);
            self.due_time = self.due_date.end();
        }
        if before == (self.due_date, self.provisional) {
            return None;
        }
        self.revision += 1;
        Some(Recomputed { old_date: before.0, new_date: self.due_date, held })
    }

    /// Takes another length from a rule of law that became known after the clock had started
    /// (POL-07), and counts again as [`WorkingDayClock::recompute`] does.
    pub fn take_length(
        &mut self,
        length: WorkingDays,
        rule: RuleRef,
        calendar: &WorkingDayCalendar,
        now: UtcMillis,
    ) -> Option<Recomputed> {
        (self.length, self.rule) = (length, rule);
        self.recompute(calendar, now)
    }

    /// Adds working days. Whether the rule allows them is decided before.
    pub fn extend(&mut self, days: WorkingDays, calendar: &WorkingDayCalendar) {
        self.extended = WorkingDays(self.extended.0.saturating_add(days.0));
        self.revision += 1;
        self.count(calendar);
    }

    /// Adds working days during which the clock stood still.
    pub fn suspend(&mut self, days: WorkingDays, calendar: &WorkingDayCalendar) {
        self.suspended = WorkingDays(self.suspended.0.saturating_add(days.0));
        self.revision += 1;
        self.count(calendar);
    }

    /// The last day had the clock never stood still: kept and shown beside (SHR-22).
    pub fn unsuspended_date(&self, calendar: &WorkingDayCalendar) -> LocalDate {
        let days = WorkingDays(self.length.0.saturating_add(self.extended.0));
        calendar.add_working_days(self.start_time.local_date(), days).date
    }

    /// Whether it is overdue at this instant: from 24:00 of the last day on.
    pub fn is_overdue(&self, clock: UtcMillis) -> bool {
        clock >= self.due_time
    }

    /// The day on which the count ends, if that is not the last day: it had run out when the
    /// calendar or the law changed, and the clock was held.
    pub fn held_from(&self, calendar: &WorkingDayCalendar) -> Option<LocalDate> {
        let counted = calendar.add_working_days(self.start_time.local_date(), self.total()).date;
        (counted < self.due_date).then_some(counted)
    }

    /// The count, day by day.
    pub fn explain(&self, calendar: &WorkingDayCalendar) -> Vec<DayLine> {
        calendar.explain(self.start_time.local_date(), self.total())
    }

    fn count(&mut self, calendar: &WorkingDayCalendar) {
        let due = calendar.add_working_days(self.start_time.local_date(), self.total());
        self.due_date = due.date;
        self.due_time = due.date.end();
        self.provisional = due.provisional;
        self.calendar_version = calendar.version();
    }
}

#[cfg(test)]
mod tests;
