//! Clocks of a subject: what does a case, right, entry or report still owe or is owed, and how was
//! each last day counted?
//!
//! A clock that is kept with its subject tells its rule; of others the deadline row keeps the
//! count. A warning is no deadline: nothing is owed by it.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    name::{Resource, ResourceName},
    rule::RuleRef,
    time::UtcMillis,
};

use super::View;
use crate::rows::DeadlineRow;

/// A deadline of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectDeadline {
    /// A count of working days.
    Clock {
        /// The clock; its rule has no id where only the count is kept.
        clock: WorkingDayClock,
        /// Whether somebody still waits for what is owed, or its end has not been dealt with.
        running: bool,
    },
    /// An instant.
    Instant {
        /// What is owed.
        kind: DeadlineKind,
        /// The first overdue instant.
        due_time: UtcMillis,
    },
}

impl SubjectDeadline {
    /// What is owed.
    pub fn kind(&self) -> DeadlineKind {
        match self {
            Self::Clock { clock, .. } => clock.kind,
            Self::Instant { kind, .. } => *kind,
        }
    }
}

/// What can be owed, in the order in which it is told.
pub(crate) const KINDS: [DeadlineKind; 16] = [
    DeadlineKind::Answer,
    DeadlineKind::Opinion,
    DeadlineKind::CompletionLapse,
    DeadlineKind::ReasonHearing,
    DeadlineKind::Hop,
    DeadlineKind::Delivery,
    DeadlineKind::Rectification,
    DeadlineKind::CatalogReview,
    DeadlineKind::CatalogUpdate,
    DeadlineKind::AttributeReview,
    DeadlineKind::Reclassification,
    DeadlineKind::ErrorReport,
    DeadlineKind::ReportSilence,
    DeadlineKind::PersonalObjection,
    DeadlineKind::FunctionTransfer,
    DeadlineKind::EmergencyTreatment,
];

impl View<'_> {
    /// The deadlines of a subject, the answer first: those that run, and clocks that are kept
    /// though they have ended.
    pub fn deadlines_of(&self, subject: &ResourceName) -> Vec<SubjectDeadline> {
        let kept = self.kept_clocks(subject);
        let mut found = Vec::new();
        for kind in KINDS {
            let row = self.deadline(kind, subject);
            let running = row.is_some() || self.runs_elsewhere(subject);
            let clocks = kept.iter().filter(|clock| clock.kind == kind);
            let before = found.len();
            found.extend(
                clocks.map(|clock| SubjectDeadline::Clock { clock: clock.clone(), running }),
            );
            if found.len() == before {
                found.extend(row.as_ref().map(of_row));
            }
        }
        found
    }

    /// Whether another domain counts: no row here fires for it.
    fn runs_elsewhere(&self, subject: &ResourceName) -> bool {
        let Resource::Request(id) = subject.resource else { return false };
        let case = self.request(&subject.domain, id);
        case.is_some_and(|case| {
            case.state.is_open()
                && self.cluster().is_some_and(|cluster| cluster.domain != case.owner_domain)
        })
    }

    fn kept_clocks(&self, subject: &ResourceName) -> Vec<WorkingDayClock> {
        let domain = &subject.domain;
        let owed = |subject: &ResourceName| {
            let report = self.change_report(subject);
            report.into_iter().flat_map(|report| report.changes).map(|change| change.clock)
        };
        let mut clocks: Vec<WorkingDayClock> = Vec::new();
        match &subject.resource {
            Resource::Request(id) => {
                let case = self.request(domain, *id);
                clocks.extend(case.and_then(|case| case.answer_clock));
                if let Some(file) = self.case_file(subject) {
                    clocks.extend(file.opinion.and_then(|opinion| opinion.clock));
                    clocks.extend(file.lapse.map(|lapse| lapse.clock));
                    clocks.extend(file.hearing_clock);
                }
            }
            Resource::Grant(id) => {
                let course = self.grant(domain, *id).and_then(|grant| grant.course);
                clocks.extend(course.and_then(|course| course.delivery_clock));
            }
            Resource::Entry(id) => {
                let file = self.entry_file(domain, *id);
                let review = file.and_then(|file| file.authority_review);
                clocks.extend(review.map(|review| review.clock));
                clocks.extend(owed(subject));
                let item = self.worklist_item(domain, *id);
                clocks.extend(item.and_then(|item| item.clock));
            }
            Resource::Organization(_) => clocks.extend(owed(subject)),
            Resource::ErrorReport(id) => {
                if let Some(report) = self.error_report(domain, *id) {
                    clocks.extend(report.clock);
                    clocks.extend(report.silence);
                }
            }
            Resource::PersonalObjection(id) => {
                let objection = self.personal_objection(domain, *id);
                clocks.extend(objection.and_then(|objection| objection.clock));
            }
            _ => {}
        }
        clocks
    }
}

/// Only the count is known of it, or only the instant.
fn of_row(row: &DeadlineRow) -> SubjectDeadline {
    let Some(count) = row.count else {
        return SubjectDeadline::Instant { kind: row.kind, due_time: row.due_time };
    };
    let clock = WorkingDayClock {
        kind: row.kind,
        start_time: count.start,
        length: WorkingDays(count.days),
        extended: WorkingDays(0),
        suspended: WorkingDays(0),
        due_date: UtcMillis(row.due_time.0.saturating_sub(1)).local_date(),
        due_time: row.due_time,
        provisional: count.provisional,
        calendar_version: count.calendar_version,
        rule: RuleRef::house(""),
        revision: row.revision,
    };
    SubjectDeadline::Clock { clock, running: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{script::World, store::MemStore};

    fn case() -> (MemStore, ResourceName) {
        let mut world = World::default();
        for line in [
            "cluster xiamen level=3 clock=\"2026-09-21 09:00\"",
            "organization police",
            "organization tax",
            "listed plates provider=police",
            "request case1 entry=plates from=tax",
        ] {
            world.run(line);
        }
        let store = world.into_store("xiamen");
        let (key, _) = crate::store::Store::range(
            &store,
            crate::keys::Key::table(crate::keys::Table::Request).as_slice(),
            &crate::keys::Key::table(crate::keys::Table::Request).end(),
        )
        .next()
        .expect("a case");
        let (domain, id) = View::named_by_index(&key, 1);
        let id = catalog_model::ids::RequestId::from_bytes(id);
        (store, ResourceName::new(domain, Resource::Request(id)))
    }

    #[test]
    fn cal_11_a_case_has_its_answer_clock_with_its_rule() {
        let (store, case) = case();
        let found = View(&store).deadlines_of(&case);
        assert_eq!(found.len(), 1, "{found:?}");
        let SubjectDeadline::Clock { clock, running } = &found[0] else { panic!("{found:?}") };
        assert!(*running);
        assert_eq!(clock.kind, DeadlineKind::Answer);
        assert_eq!(clock.due_date.to_string(), "2026-10-12");
        assert_eq!(clock.rule.id, "N809-21-1-conditional-answer");
    }

    #[test]
    fn of_a_row_alone_only_the_count_is_told() {
        let (store, case) = case();
        let row = View(&store).deadline(DeadlineKind::Answer, &case).expect("a row");
        let SubjectDeadline::Clock { clock, .. } = of_row(&row) else { panic!("a count is kept") };
        assert_eq!((clock.length.0, clock.due_date.to_string().as_str()), (10, "2026-10-12"));
        assert!(clock.rule.id.is_empty());
    }
}
