//! Work that follows from a right: who must deliver, retrieve, rectify, judge, dispose, sign, speak?

use std::collections::BTreeMap;

use catalog_model::{
    deadline::DeadlineKind,
    grant::{Grant, GrantState},
    ids::{GrantId, OrganizationId, ServiceChangeId},
    name::{Resource, ResourceName},
    organization::DataKind,
    rule::RuleRef,
    rule_pack::{Pair, Resolution},
    share_request::{Party, PartyRole},
};

use super::{WorkItem, WorkKind, WorkOwner, in_role};
use crate::{
    keys::{Key, Table},
    ledger::{Fact, Ledger},
    view::{Page, View, agreement_owed},
};

pub(super) fn of(view: View<'_>, name: &ResourceName, id: GrantId) -> Vec<WorkItem> {
    let Some(grant) = view.grant(&name.domain, id) else { return Vec::new() };
    let Some(cluster) = view.cluster() else { return Vec::new() };
    let course = grant.course.as_deref().cloned().unwrap_or_default();
    let consumer = WorkOwner::of(&grant.consumer);
    let mut items = Vec::new();
    let delivered = course.delivery.is_some();
    match grant.state {
        GrantState::Granted | GrantState::Offered if !delivered => {
            let clock = course.delivery_clock.as_ref();
            let (due, rule) = view.clock_of(DeadlineKind::Delivery, name, clock);
            let tested = course.offer.as_ref().and_then(|offer| offer.tested_time);
            if let Some(tested) = tested {
                let item = WorkItem::new(WorkKind::Retrieval, name, consumer, tested);
                items.push(about(view, item.due(due, rule), &grant, &grant.provider));
            } else if due.is_some() || course.delivery_debtor.is_some() {
                let debtor = course.delivery_debtor.unwrap_or(PartyRole::Provider);
                for owner in in_role(debtor, &grant.consumer, &grant.provider) {
                    let since = grant.granted_time;
                    let item = WorkItem::new(WorkKind::Delivery, name, owner, since);
                    let item = item.due(due, rule.clone());
                    items.push(about(view, item, &grant, &grant.consumer));
                }
            }
        }
        GrantState::Suspended => {
            let Some(suspension) = &grant.suspension else { return items };
            let rectification = course.rectification.as_ref();
            let open = rectification.is_none_or(|rectification| {
                rectification.judgement.is_none() && rectification.lapsed_time.is_none()
            });
            let report = rectification.and_then(|rectification| rectification.report.as_ref());
            let (due, rule) = (Some(suspension.rectify_by.end()), suspended_under(view, name));
            match report {
                None if open => {
                    let since = suspension.since;
                    let item = WorkItem::new(WorkKind::Rectification, name, consumer, since);
                    items.push(about(view, item.due(due, rule), &grant, &suspension.by));
                }
                Some(report) if open => {
                    let by = WorkOwner::of(&suspension.by);
                    let since = report.reported_time;
                    let item = WorkItem::new(WorkKind::RectificationJudgement, name, by, since);
                    items.push(about(view, item, &grant, &grant.consumer));
                }
                _ => {}
            }
        }
        GrantState::PurposeEnded if course.disposal.is_none() => {
            let ended = course.purpose_end.as_ref().map(|end| end.ended_time);
            let since = ended.unwrap_or(grant.updated_time);
            let item = WorkItem::new(WorkKind::Disposal, name, consumer, since);
            items.push(about(view, item, &grant, &grant.provider));
        }
        _ => {}
    }
    if cluster.domain != grant.domain {
        // A copy of a right that another domain gave: what its user owes is on its list at home, the
        // rest is on the lists of that domain.
        let home = |owner: &WorkOwner| matches!(owner, WorkOwner::Organization(domain, _) if *domain == cluster.domain);
        items.retain(|item| home(&item.owner));
    }
    items
}

/// The rule under which a right was suspended: only its record names it.
fn suspended_under(view: View<'_>, name: &ResourceName) -> Option<RuleRef> {
    let ledger = Ledger(view.0);
    let records = ledger.of_subject(name).into_iter().rev();
    let suspended = |fact: &Fact| {
        matches!(fact, Fact::GrantSuspended { .. } | Fact::GrantSuspendedForMisuse { .. })
    };
    let mut records = records.filter_map(|sequence| ledger.record(sequence));
    records.find(|record| suspended(&record.fact)).and_then(|record| record.rule)
}

fn about(view: View<'_>, item: WorkItem, grant: &Grant, other: &Party) -> WorkItem {
    let title = match grant.entry.resource {
        Resource::Entry(id) => view.entry_title(&grant.entry.domain, id),
        _ => String::new(),
    };
    let number = match grant.request.resource {
        Resource::Request(id) => view.request(&grant.request.domain, id),
        _ => None,
    };
    WorkItem {
        title,
        number: number.map_or_else(String::new, |case| case.case_number),
        counterpart: other.name.clone(),
        ..item
    }
}

pub(super) fn of_change(view: View<'_>, name: &ResourceName, id: ServiceChangeId) -> Vec<WorkItem> {
    let Some(change) = view.service_change(&name.domain, id) else { return Vec::new() };
    if !change.state.is_open() {
        return Vec::new();
    }
    let waiting = change
        .grants
        .iter()
        .filter(|affected| affected.statement.is_none() && affected.joined_time.is_none());
    let title = match change.entry.resource {
        Resource::Entry(id) => view.entry_title(&change.entry.domain, id),
        _ => String::new(),
    };
    let mut items: Vec<WorkItem> = waiting
        .map(|affected| {
            let owner = WorkOwner::of(&affected.consumer);
            let since = change.created_time;
            let item = WorkItem::new(WorkKind::ServiceStatement, name, owner, since);
            WorkItem {
                title: title.clone(),
                counterpart: change.provider.name.clone(),
                ..item.due(Some(change.effective.start()), None)
            }
        })
        .collect();
    // A user with several rights speaks once for each, and finds it once in its list.
    items.sort_by_key(WorkItem::place);
    items.dedup_by_key(|item| item.place());
    items
}

impl View<'_> {
    /// The agreements on the use that an organization owes as provider or user, a page of them as
    /// [`View::page`]. Rules decide whether one is owed, those in force today, so that this is
    /// asked of rights in force one by one and nothing can point to it.
    pub fn agreements_owed(
        &self,
        organization: OrganizationId,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
    ) -> Page<WorkItem> {
        let nothing = Page { rows: Vec::new(), next: None };
        let (Some(cluster), Some(pack)) = (self.cluster(), self.pack_in_force()) else {
            return nothing;
        };
        let Some(calendar) = self.calendar_in_force() else { return nothing };
        let today = self.clock().local_date();
        let resolved = std::cell::RefCell::new(BTreeMap::<Pair, Option<Resolution>>::new());
        let prefix = Key::table(Table::GrantByParty).id(organization.to_bytes());
        self.page_of(&prefix, from, limit, scan, |key, _| {
            let (domain, id) = View::named_by_index(key, 1 + 16);
            let grant = self.grant(&domain, GrantId::from_bytes(id))?;
            if domain != cluster.domain || grant.state.has_ended() {
                return None;
            }
            let Resource::Entry(entry) = grant.entry.resource else { return None };
            let entry = self.entry(&grant.entry.domain, entry);
            let pair = Pair {
                asker: grant.consumer.class?,
                provider: grant.provider.class?,
                data: entry.as_ref().map_or(DataKind::GovernmentData, |entry| entry.kind),
            };
            let mut resolved = resolved.borrow_mut();
            let rules = resolved
                .entry(pair)
                .or_insert_with(|| pack.resolve(&cluster.composition, pair, today).ok());
            let (day, rule) = agreement_owed(&grant, rules.as_ref()?, &calendar)?;
            let name = ResourceName::new(domain.clone(), Resource::Grant(grant.id));
            let owner = WorkOwner::Organization(domain, organization);
            let item = WorkItem::new(WorkKind::Agreement, &name, owner, grant.granted_time);
            let provides = grant.provider.organization == organization;
            let other = if provides { &grant.consumer } else { &grant.provider };
            Some(about(*self, item.due(Some(day.end()), Some(rule)), &grant, other))
        })
    }
}
