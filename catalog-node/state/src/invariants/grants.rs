//! What holds of a right and what follows from it.

use catalog_model::{
    deadline::DeadlineKind,
    grant::{Grant, GrantState},
    name::{Resource, ResourceName},
    service_change::{ServiceChange, ServiceChangeState},
};

use super::Inspection;
use crate::{
    keys::{self, Table},
    view::View,
};

impl Inspection<'_> {
    pub(super) fn course_of_each_grant(&mut self) {
        self.delivered_grant_has_proof();
        self.suspended_grant_has_its_day();
        self.terminated_grant_had_its_rectification();
        self.disposed_grant_has_proof();
        self.ended_grant_names_an_effective_change();
        self.effective_change_was_talked_over_and_filed();
    }

    fn own_grants(&self) -> impl Iterator<Item = (ResourceName, &Grant)> {
        self.decoded.grants.iter().filter(|grant| grant.domain == self.domain).map(|grant| {
            (ResourceName::new(grant.domain.clone(), Resource::Grant(grant.id)), grant)
        })
    }

    fn wrong(&mut self, invariant: &'static str, found: Vec<String>) {
        for detail in found {
            self.violated(invariant, detail);
        }
    }

    /// Nothing is delivered without a proof, and what is delivered is owed no more (SHR-07).
    fn delivered_grant_has_proof(&mut self) {
        const NAME: &str = "delivered_grant_has_proof";
        let fits = |(name, grant): &(ResourceName, &Grant)| {
            let course = grant.course.as_deref();
            let delivery = course.and_then(|course| course.delivery.as_ref());
            let owed = View(self.store).deadline(DeadlineKind::Delivery, name).is_some();
            let clock = course.and_then(|course| course.delivery_clock.as_ref());
            let late = delivery.zip(clock).map(|(delivery, clock)| {
                (clock.is_overdue(delivery.delivered_time), delivery.late)
            });
            let needs_proof = matches!(grant.state, GrantState::Delivered | GrantState::Active);
            (delivery.is_some() || !needs_proof)
                && !(delivery.is_some() && owed)
                && late.is_none_or(|(was, said)| was == said)
        };
        let found = self.own_grants().filter(|grant| !fits(grant));
        let found = found.map(|(name, _)| name.to_string()).collect();
        self.wrong(NAME, found);
    }

    /// Whoever is to rectify has until the end of the day that the order names.
    fn suspended_grant_has_its_day(&mut self) {
        const NAME: &str = "suspended_grant_has_its_day";
        let mut found = Vec::new();
        for (name, grant) in self.own_grants() {
            let row = View(self.store).deadline(DeadlineKind::Rectification, &name);
            let ordered =
                grant.course.as_ref().is_some_and(|course| course.rectification.is_some());
            let day = grant.suspension.as_ref().map(|suspension| suspension.rectify_by.end());
            let expected = day.filter(|_| ordered && grant.state == GrantState::Suspended);
            if row.map(|row| row.due_time) != expected {
                found.push(name.to_string());
            }
        }
        self.wrong(NAME, found);
    }

    /// A right ends for misuse only after a rectification that was refused, was inadequate or did
    /// not come by its day (SHR-24).
    fn terminated_grant_had_its_rectification(&mut self) {
        const NAME: &str = "terminated_grant_had_its_rectification";
        let terminated =
            self.decoded.grants.iter().filter(|grant| grant.state == GrantState::Terminated);
        let found = terminated
            .filter(|grant| {
                let course = grant.course.as_ref();
                let failed = course.and_then(|course| course.rectification.as_ref());
                let failed = failed.is_some_and(|rectification| {
                    rectification.judgement.as_ref().is_some_and(|judged| !judged.adequate)
                        || rectification.report.as_ref().is_some_and(|report| report.refused)
                });
                let passed = grant
                    .suspension
                    .as_ref()
                    .is_some_and(|suspension| grant.updated_time >= suspension.rectify_by.end());
                grant.suspension.is_none() || !(failed || passed)
            })
            .map(|grant| grant.id.to_string())
            .collect();
        self.wrong(NAME, found);
    }

    fn disposed_grant_has_proof(&mut self) {
        const NAME: &str = "disposed_grant_has_proof";
        let fits = |grant: &&Grant| {
            let (ended, proved) = grant.course.as_ref().map_or((false, false), |course| {
                (course.purpose_end.is_some(), course.disposal.is_some())
            });
            match grant.state {
                GrantState::PurposeEnded => ended && !proved,
                GrantState::Disposed => ended && proved,
                _ => !ended && !proved,
            }
        };
        let found = self.decoded.grants.iter().filter(|grant| !fits(grant));
        let found = found.map(|grant| grant.id.to_string()).collect();
        self.wrong(NAME, found);
    }

    /// No right ends with its service but by a change that took effect.
    fn ended_grant_names_an_effective_change(&mut self) {
        const NAME: &str = "ended_grant_names_an_effective_change";
        let mut found = Vec::new();
        for (name, grant) in self.own_grants().filter(|(_, g)| g.state == GrantState::Ended) {
            let Resource::Entry(entry) = grant.entry.resource else { continue };
            let of = (&grant.entry.domain, entry);
            let changes = View(self.store).service_changes(of, None, usize::MAX).rows;
            if !changes.iter().any(|change| change.state == ServiceChangeState::Effective) {
                found.push(name.to_string());
            }
        }
        self.wrong(NAME, found);
    }

    /// Where a rule asks for the procedure, nothing takes effect without it; and one change of a
    /// service is under way at a time (SHR-25).
    fn effective_change_was_talked_over_and_filed(&mut self) {
        const NAME: &str = "effective_change_was_talked_over_and_filed";
        let mut found = Vec::new();
        let mut open = std::collections::BTreeSet::new();
        for change in self.rows::<ServiceChange>(Table::ServiceChange) {
            let past_talk =
                matches!(change.state, ServiceChangeState::Filed | ServiceChangeState::Effective);
            let talked = change.minutes.is_some() || change.all_agree();
            let filed = change.filed_time.is_some();
            let effective = change.state == ServiceChangeState::Effective;
            let skipped = change.rule.is_some() && (past_talk && !talked || effective && !filed);
            let early = change.effected_time.is_some_and(|at| at < change.effective.start());
            let second = change.state.is_open() && !open.insert(change.entry.clone());
            let Resource::Entry(entry) = change.entry.resource else { continue };
            let of = (&change.entry.domain, entry);
            let key = keys::service_change_by_entry(of, &change.domain, change.id);
            let indexed = self.store.get(key.as_slice()).is_some();
            if skipped || early || second || !indexed {
                found.push(change.id.to_string());
            }
        }
        self.wrong(NAME, found);
    }
}
