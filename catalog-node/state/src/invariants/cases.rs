//! What must be true of case files, disputes and demands.

use catalog_model::{
    case_file::CaseFile,
    deadline::WorkingDayClock,
    demand::Demand,
    dispute::{Coordinator, Dispute, DisputeState},
    overdue::HearingOutcome,
    share_request::{Party, ShareRequest, ShareRequestState},
};

use super::Inspection;
use crate::{apply::requests, keys::Table, view::View};

impl Inspection<'_> {
    /// Every case that was written is held against its file; disputes and demands against
    /// themselves.
    pub(super) fn case_files_keep_their_rules(&mut self) {
        for case in &self.decoded.cases {
            if case.owner_domain != self.domain {
                continue;
            }
            let file = View(self.store).case_file(&requests::name(case)).unwrap_or_default();
            self.extensions_are_in_the_clock(case);
            self.counted_after_the_hearing(case, &file);
            self.ruler_is_never_the_debtor(case, &file);
            self.closed_uncompleted_after_a_warning(case, &file);
            self.silence_after_its_time(case, &file);
        }
        if self.decoded.whole {
            self.demand_has_owner();
            self.dispute_goes_by_the_ladder();
        }
    }

    /// Whether a deadline of the file has passed: by its row, which follows the calendar, else as it
    /// was counted at first.
    fn is_over(&self, case: &ShareRequest, clock: &WorkingDayClock) -> bool {
        let view = View(self.store);
        let row = view.deadline(clock.kind, &requests::name(case));
        view.clock() >= row.map_or(clock.due_time, |row| row.due_time)
    }

    fn extensions_are_in_the_clock(&mut self, case: &ShareRequest) {
        let added: u16 = case.extensions.iter().map(|extension| extension.working_days).sum();
        if case.answer_clock.as_ref().is_some_and(|clock| clock.extended.0 != added) {
            let name = requests::name(case).to_string();
            self.violated("extensions_are_in_the_clock", name);
        }
    }

    /// Lateness counts after a ruling, or after the time to claim a reason; it is of a case that is
    /// overdue.
    fn counted_after_the_hearing(&mut self, case: &ShareRequest, file: &CaseFile) {
        let over = file.hearing_clock.as_ref().is_none_or(|clock| self.is_over(case, clock));
        for hearing in &file.hearings {
            let fits = match (hearing.outcome, &hearing.ruling) {
                (None, ruling) => ruling.is_none(),
                (Some(HearingOutcome::Counted), Some(ruling)) => !ruling.accepted,
                (Some(HearingOutcome::Counted), None) => over && hearing.claim.is_none(),
                (Some(HearingOutcome::Excused), ruling) => {
                    ruling.as_ref().is_none_or(|ruling| ruling.accepted)
                }
            };
            if !fits || case.overdue.is_none() {
                let detail = format!("{}: {hearing:?}", requests::name(case));
                self.violated("counted_after_the_hearing", detail);
            }
        }
    }

    fn ruler_is_never_the_debtor(&mut self, case: &ShareRequest, file: &CaseFile) {
        for hearing in &file.hearings {
            let debtors = file.hearings.iter().map(|hearing| hearing.debtor.organization);
            let ruler = hearing.ruling.as_ref().map(|ruling| ruling.by.organization);
            if ruler.is_some_and(|ruler| debtors.into_iter().any(|debtor| debtor == ruler)) {
                let name = requests::name(case).to_string();
                self.violated("ruler_is_never_the_debtor", name);
            }
        }
    }

    fn closed_uncompleted_after_a_warning(&mut self, case: &ShareRequest, file: &CaseFile) {
        if case.state != ShareRequestState::NotCompleted {
            return;
        }
        let clock = View(self.store).clock();
        let asked = case.completion.as_ref().is_some_and(|asked| asked.completed_time.is_none());
        let over =
            file.lapse.as_ref().is_some_and(|lapse| lapse.warned && lapse.clock.is_overdue(clock));
        if !asked || !over {
            let name = requests::name(case).to_string();
            self.violated("closed_uncompleted_after_a_warning", name);
        }
    }

    fn silence_after_its_time(&mut self, case: &ShareRequest, file: &CaseFile) {
        let early = file.opinion.as_ref().is_some_and(|asked| {
            let over = asked.clock.as_ref().is_some_and(|clock| self.is_over(case, clock));
            asked.silent && !over
        });
        if early {
            self.violated("silence_after_its_time", requests::name(case).to_string());
        }
    }

    fn demand_has_owner(&mut self) {
        for demand in self.rows::<Demand>(Table::Demand) {
            if demand.state.is_open() != demand.owner.is_some() {
                self.violated("demand_has_owner", format!("{} {:?}", demand.id, demand.state));
            }
        }
    }

    /// Nobody of one level coordinates or decides before both sides spoke and their consultation is on
    /// record; every step leaves its minutes.
    fn dispute_goes_by_the_ladder(&mut self) {
        for dispute in self.rows::<Dispute>(Table::Dispute) {
            let spoke =
                |side: &Party| dispute.positions.iter().any(|position| position.by == *side);
            let both = spoke(&dispute.raised_by) && spoke(&dispute.against);
            let steps = match dispute.state {
                DisputeState::Raised | DisputeState::Consulting => 0,
                DisputeState::Agreed | DisputeState::Coordinating => 1,
                DisputeState::BeforeGovernment => 2,
                DisputeState::Decided => 3,
            };
            let above = dispute.coordinator == Some(Coordinator::CommonSuperior);
            let consulted = both && dispute.minutes.len() >= steps;
            let sent_up = above && dispute.minutes.len() + 1 >= steps;
            if dispute.state == DisputeState::Raised || consulted || sent_up {
                continue;
            }
            self.violated("dispute_goes_by_the_ladder", format!("{dispute:?}"));
        }
    }
}
