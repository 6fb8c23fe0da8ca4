//! Work that follows from what ties organizations together: objections, transfers, emergencies,
//! disputes, demands.

use catalog_model::{
    acquisition::EmergencyState,
    attribute_objection::{ObjectionState, Side},
    deadline::DeadlineKind,
    dispute::{Coordinator, DisputeState},
    function_transfer::TransferState,
    ids::{DemandId, DisputeId, DomainId, EmergencyId, ObjectionId, TransferId},
    name::{Resource, ResourceName},
    organization::PlatformRole,
};

use super::{WorkItem, WorkKind, WorkOwner};
use crate::view::View;

const AUTHORITY: WorkOwner = WorkOwner::Role(PlatformRole::Authority);

pub(super) fn of_objection(
    view: View<'_>,
    domain: &DomainId,
    name: &ResourceName,
    id: ObjectionId,
) -> Vec<WorkItem> {
    let Some(objection) = view.objection(domain, id) else { return Vec::new() };
    let entry = view.entry(domain, objection.entry);
    let provider = entry.as_ref().map_or(objection.provider, |entry| entry.provider);
    let title = entry.map_or_else(String::new, |entry| entry.content.title);
    let rule = Some(objection.rule.clone());
    let item = |kind, owner| {
        let item = WorkItem::new(kind, name, owner, objection.updated_time);
        WorkItem { title: title.clone(), ..item.due(None, rule.clone()) }
    };
    match objection.state {
        ObjectionState::Raised | ObjectionState::Consulting => {
            // Who has not spoken speaks; once both have, either may settle it.
            let spoke = |side| objection.positions.iter().any(|position| position.side == side);
            let both = spoke(Side::Provider);
            let provider = WorkOwner::Organization(domain.clone(), provider);
            let mut items = vec![item(WorkKind::ObjectionPosition, provider)];
            if both {
                items.push(item(WorkKind::ObjectionPosition, AUTHORITY));
            }
            items
        }
        ObjectionState::Escalated => vec![item(WorkKind::ObjectionDecision, AUTHORITY)],
        ObjectionState::Agreed | ObjectionState::Decided => Vec::new(),
    }
}

pub(super) fn of_transfer(
    view: View<'_>,
    domain: &DomainId,
    name: &ResourceName,
    id: TransferId,
) -> Vec<WorkItem> {
    let Some(transfer) = view.transfer(domain, id) else { return Vec::new() };
    let organization = |id| WorkOwner::Organization(domain.clone(), id);
    let (kind, owner, other) = match transfer.state {
        TransferState::Drafted => {
            (WorkKind::TransferCosign, organization(transfer.to), transfer.from)
        }
        TransferState::Cosigned | TransferState::Returned => {
            (WorkKind::TransferFile, organization(transfer.from), transfer.to)
        }
        TransferState::Filed => (WorkKind::TransferApproval, AUTHORITY, transfer.from),
        TransferState::Approved | TransferState::Completed => return Vec::new(),
    };
    let due = view.due_of(DeadlineKind::FunctionTransfer, name);
    let item = WorkItem::new(kind, name, owner, transfer.updated_time);
    vec![WorkItem {
        title: transfer.act.title.clone(),
        counterpart: view.organization_named(domain, other),
        ..item.due(due, None)
    }]
}

pub(super) fn of_emergency(
    view: View<'_>,
    domain: &DomainId,
    name: &ResourceName,
    id: EmergencyId,
) -> Vec<WorkItem> {
    let Some(emergency) = view.emergency(domain, id) else { return Vec::new() };
    if matches!(emergency.state, EmergencyState::Active | EmergencyState::AppsClosed) {
        return Vec::new();
    }
    let owner = WorkOwner::Organization(domain.clone(), emergency.organization);
    let due = view.due_of(DeadlineKind::EmergencyTreatment, name);
    let item = WorkItem::new(WorkKind::Emergency, name, owner, emergency.updated_time);
    vec![WorkItem { title: emergency.event, ..item.due(due, None) }]
}

pub(super) fn of_dispute(
    view: View<'_>,
    domain: &DomainId,
    name: &ResourceName,
    id: DisputeId,
) -> Vec<WorkItem> {
    let Some(dispute) = view.dispute(domain, id) else { return Vec::new() };
    let case = match dispute.request.resource {
        Resource::Request(id) => view.request(&dispute.request.domain, id),
        _ => None,
    };
    let (title, number) =
        case.map_or_else(Default::default, |case| (case.entry_title, case.case_number));
    let item = |kind, owner, other: &str| {
        let item = WorkItem::new(kind, name, owner, dispute.updated_time);
        WorkItem {
            title: title.clone(),
            number: number.clone(),
            counterpart: other.to_owned(),
            ..item.due(None, Some(dispute.rule.clone()))
        }
    };
    let (raiser, against) = (&dispute.raised_by, &dispute.against);
    match dispute.state {
        DisputeState::Raised => {
            vec![item(WorkKind::DisputePosition, WorkOwner::of(against), &raiser.name)]
        }
        DisputeState::Consulting => vec![
            item(WorkKind::DisputeConsultation, WorkOwner::of(raiser), &against.name),
            item(WorkKind::DisputeConsultation, WorkOwner::of(against), &raiser.name),
        ],
        DisputeState::Coordinating => {
            let owner = match &dispute.coordinator {
                Some(Coordinator::SameLevel(authority)) => WorkOwner::of(authority),
                // The platform records what the common superior decided.
                Some(Coordinator::CommonSuperior) | None => AUTHORITY,
            };
            vec![item(WorkKind::DisputeCoordination, owner, &raiser.name)]
        }
        DisputeState::BeforeGovernment => {
            vec![item(WorkKind::DisputeDecision, AUTHORITY, &raiser.name)]
        }
        DisputeState::Agreed | DisputeState::Decided => Vec::new(),
    }
}

pub(super) fn of_demand(
    view: View<'_>,
    domain: &DomainId,
    name: &ResourceName,
    id: DemandId,
) -> Vec<WorkItem> {
    let Some(demand) = view.demand(domain, id).filter(|demand| demand.state.is_open()) else {
        return Vec::new();
    };
    let Some(owner) = &demand.owner else { return Vec::new() };
    let item = WorkItem::new(WorkKind::Demand, name, WorkOwner::of(owner), demand.updated_time);
    vec![WorkItem { title: demand.title, counterpart: demand.requester.name, ..item }]
}
