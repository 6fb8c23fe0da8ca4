//! How do the texts change: by whom, what waits for a second person, what is counted again?
//!
//! Whether a text may be loaded is the state's to say; here it is only handed over and what came
//! of it shown.

use catalog_model::{
    ids::DomainId, name::Resource, reason::Reason, refusal::Refusal, rule_pack::RulePack,
    time::LocalDate,
};
use catalog_state::{
    command::{Body, ClosureEffect, LawCommand},
    law::{self, PendingWork, Work},
};
use luqiao_proto::{
    convert::{
        name::{domain_name, full_name},
        time::{read_date, timestamp},
    },
    rule::v1::{
        self as message, DeclareClosureRequest, GetPendingWorkRequest, GetPendingWorkResponse,
        ListProposedEditsRequest, ListProposedEditsResponse, LoadCalendarRequest,
        LoadCalendarResponse, LoadRulePackRequest, LoadRulePackResponse, PendingWorkKind,
        WithdrawClosureRequest,
    },
};
use sha2::{Digest, Sha256};

use super::{pack, parsed, whole_calendar};
use crate::{
    services::{Call, Look, Reply, members, not_found},
    storage::hex,
};

pub(super) async fn load_pack(call: &Call) -> Result<Reply, Refusal> {
    let request: LoadRulePackRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let text = request.json.clone();
    let command = LawCommand::LoadRulePack { text: request.json, reason: request.reason };
    call.write(&request.request_id, Body::Law(Box::new(command)), move |look, _| {
        let view = look.view();
        let version = view.rule_pack_version().unwrap_or_default();
        let row = view.rule_pack(version).ok_or_else(|| not_found("rulePacks/current"))?;
        let in_force = view.pack(version);
        // What waits is the text as it would be loaded: under the rulings on record.
        let stated = RulePack::parse(&text).ok().zip(in_force);
        let stated = stated.and_then(|(stated, now)| stated.with_rulings(now.rulings()).ok());
        let digest = stated.map(|stated| Sha256::digest(stated.json()).into());
        Ok(LoadRulePackResponse {
            rule_pack: Some(pack(look, &row)),
            proposal: digest.and_then(|digest| proposal(look, &domain, "rule_pack", digest)),
        })
    })
    .await
}

pub(super) async fn load_calendar(call: &Call) -> Result<Reply, Refusal> {
    let request: LoadCalendarRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let digest = Sha256::digest(request.csv.as_bytes()).into();
    let command = LawCommand::LoadCalendar { text: request.csv, reason: request.reason };
    call.write(&request.request_id, Body::Law(Box::new(command)), move |look, _| {
        Ok(LoadCalendarResponse {
            calendar: Some(calendar_in_force(look)?),
            proposal: proposal(look, &domain, "calendar", digest),
        })
    })
    .await
}

/// The edit of that text, if it waits for its second person.
fn proposal(
    look: &Look<'_>,
    domain: &DomainId,
    what: &str,
    digest: [u8; 32],
) -> Option<message::ProposedEdit> {
    let edits = look.view().proposed_edits();
    let edit = edits.iter().find(|edit| edit.what == what && edit.digest == digest)?;
    Some(proposed_message(edit, domain))
}

fn proposed_message(edit: &law::ProposedEdit, domain: &DomainId) -> message::ProposedEdit {
    message::ProposedEdit {
        what: edit.what.clone(),
        digest: hex(&edit.digest),
        person: full_name(domain, Resource::Person(edit.organization, edit.person)),
        propose_time: Some(timestamp(edit.time)),
    }
}

fn calendar_in_force(look: &Look<'_>) -> Result<message::Calendar, Refusal> {
    let view = look.view();
    let version = view.calendar_version().unwrap_or_default();
    let row = view.calendar(version).ok_or_else(|| not_found("calendars/current"))?;
    Ok(whole_calendar(&row, &parsed(&row)))
}

pub(super) async fn declare_closure(call: &Call) -> Result<Reply, Refusal> {
    let request: DeclareClosureRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let effect = match request.effect() {
        message::ClosureEffect::NotCounted => ClosureEffect::NotCounted,
        message::ClosureEffect::RecordedOnly => ClosureEffect::RecordedOnly,
        message::ClosureEffect::Unspecified => {
            return Err(Refusal::new(Reason::FieldInvalid).field(
                "effect",
                "say whether the days count: not counted, or recorded only",
                "应写明停工日不计入期限，或仅作记录",
            ));
        }
    };
    let days = days(&request.days)?;
    let document_number = request.document_number;
    let command = LawCommand::DeclareClosure { document_number, days, effect };
    call.write(&request.request_id, Body::Law(Box::new(command)), |look, _| calendar_in_force(look))
        .await
}

pub(super) async fn withdraw_closure(call: &Call) -> Result<Reply, Refusal> {
    let request: WithdrawClosureRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let days = days(&request.days)?;
    let command = LawCommand::WithdrawClosure { document_number: request.document_number, days };
    call.write(&request.request_id, Body::Law(Box::new(command)), |look, _| calendar_in_force(look))
        .await
}

fn days(days: &[String]) -> Result<Vec<LocalDate>, Refusal> {
    days.iter().map(|day| read_date(day, "days")).collect()
}

/// Who proposed a change is a person: for the platform's organizations to see.
pub(super) async fn proposed(call: &Call) -> Result<Reply, Refusal> {
    let request: ListProposedEditsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    members::operator(call)?;
    call.read(move |look| {
        let edits = look.view().proposed_edits();
        Ok(ListProposedEditsResponse {
            proposed_edits: edits.iter().map(|edit| proposed_message(edit, &domain)).collect(),
        })
    })
    .await
}

pub(super) async fn pending(call: &Call) -> Result<Reply, Refusal> {
    let request: GetPendingWorkRequest = call.decode()?;
    let domain = domain_name(&request.name, "name")?;
    call.read(move |look| {
        look.own(&domain)?;
        Ok(GetPendingWorkResponse { works: works(look) })
    })
    .await
}

/// What is still being counted again.
pub(in crate::services) fn works(look: &Look<'_>) -> Vec<message::PendingWork> {
    look.view().pending_work().iter().map(work_message).collect()
}

fn work_message(work: &PendingWork) -> message::PendingWork {
    let (kind, number, since) = match work.what {
        Work::Calendar { version } => (PendingWorkKind::Calendar, version, None),
        Work::LateLaw { version, since } => (PendingWorkKind::LateLaw, version, Some(since)),
        Work::Outage { number } => (PendingWorkKind::Outage, number, None),
    };
    message::PendingWork {
        kind: kind.into(),
        number,
        since: since.map(|day| day.to_string()).unwrap_or_default(),
        looked_at: work.looked_at,
        changed: work.changed,
        begin_time: Some(timestamp(work.since)),
    }
}
