//! `SharingService`: cases and the grants in which they end.

use catalog_model::{
    grant::Grant,
    ids::{GrantId, RequestId},
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    share_request::ShareRequest,
};
use catalog_state::{
    codec,
    command::{Body, case::CaseCommand},
    keys::{Key, Table},
    outcome::Outcome,
    rows::ConsentKind,
    view::View,
};
use luqiao_proto::{
    convert::{
        answer::read_answer,
        grant::grant_message,
        name::{domain_name, entry_name, full_name, grant_name, request_name, resource_name},
        share_request::{complete_request_content, read_request_content, request_message},
        stated,
        time::{read_date, timestamp},
    },
    sharing::v1::{
        self as message, AnswerRequestRequest, AskOpinionRequest, CompleteRequestRequest,
        CreateRequestRequest, ExtendRequestRequest, GetGrantRequest, GetRequestRequest,
        GiveConsentRequest, GiveConsentResponse, GiveOpinionRequest, ListGrantsRequest,
        ListGrantsResponse, ListRequestsRequest, ListRequestsResponse, SuspendGrantRequest,
        TerminateGrantRequest, WithdrawRequestRequest,
    },
};

use super::{
    Call, Look, Reply,
    cases::working_days,
    catalog::consenting_person,
    draw, not_found,
    organizations::{done, next},
    paging, version_in,
};

pub(super) async fn create(call: &Call) -> Result<Reply, Refusal> {
    let request: CreateRequestRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let content = read_request_content(stated(request.request.as_ref(), "request")?, "request")?;
    let consenting_person = match request.consenting_person.as_str() {
        "" => None,
        person => Some(consenting_person(call, person, "consenting_person")?),
    };
    let body = Body::CreateRequest {
        id: RequestId(draw()),
        grant: GrantId(draw()),
        content,
        consenting_person,
    };
    call.write(&request.request_id, body, shown).await
}

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetRequestRequest = call.decode()?;
    let name = case_name(&request.name)?;
    call.read(move |look| {
        let case = case(look, &name).ok_or_else(|| not_found(&request.name))?;
        Ok(request_message(&case, look.view().clock()))
    })
    .await
}

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListRequestsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let clock = look.view().clock();
        let asked = |case: ShareRequest| {
            let seen = look.sees_request(&case) && (!request.due_soon || case.state.is_open());
            let shown = seen.then(|| request_message(&case, clock))?;
            (request.state == 0 || shown.state == request.state).then_some(shown)
        };
        let named = |prefix: usize| {
            move |key: &[u8]| {
                let (domain, id) = View::named_by_index(key, prefix);
                look.view().request(&domain, RequestId::from_bytes(id))
            }
        };
        let page = if request.due_soon {
            let prefix = Key::table(Table::RequestByDue);
            let case = named(1 + 8);
            look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |key, _| {
                case(key).and_then(asked)
            })
        } else if let Some(party) = look.caller.organization().filter(|_| !look.is_platform()) {
            let prefix = Key::table(Table::RequestByParty).id(party.to_bytes());
            let case = named(1 + 16);
            look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |key, _| {
                case(key).and_then(asked)
            })
        } else {
            let prefix = Key::table(Table::Request);
            look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |_, bytes| {
                asked(codec::decode(bytes).expect("rows are written by this program"))
            })
        };
        Ok(ListRequestsResponse {
            requests: page.rows,
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn complete(call: &Call) -> Result<Reply, Refusal> {
    let request: CompleteRequestRequest = call.decode()?;
    let name = case_name(&request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let completed = match &request.completed {
        None => None,
        Some(completed) => Some(call.look_now(|look| {
            let current = case(look, &name).ok_or_else(|| not_found(&request.name))?;
            complete_request_content(current.content, completed, "completed")
        })?),
    };
    let body =
        Body::CompleteRequest { request: name, version, missing: request.missing, completed };
    call.write(&request.request_id, body, shown).await
}

pub(super) async fn consent(call: &Call) -> Result<Reply, Refusal> {
    let request: GiveConsentRequest = call.decode()?;
    let subject = resource_name(&request.name, "name")?;
    let version = version_in(&request.etag, "etag")?;
    let person = consenting_person(call, &request.person, "person")?;
    let answer = request.answer.as_ref().map(|answer| read_answer(answer, "answer")).transpose()?;
    let kind = if answer.is_some() { ConsentKind::Answer } else { ConsentKind::Request };
    let name = subject.clone();
    let body = Body::GiveConsent { subject, version, kind, person, answer };
    call.write(&request.request_id, body, move |look, _| {
        let consent = look.view().consent(kind, &name).ok_or_else(|| not_found(&name))?;
        let (domain, organization) = (look.domain(), consent.organization);
        Ok(GiveConsentResponse {
            name: name.to_string(),
            person: full_name(domain, Resource::Person(organization, consent.person)),
            asserted_by: consent
                .asserted_by
                .map(|system| full_name(domain, Resource::System(organization, system)))
                .unwrap_or_default(),
            consent_time: Some(timestamp(consent.given_time)),
        })
    })
    .await
}

pub(super) async fn ask_opinion(call: &Call) -> Result<Reply, Refusal> {
    let request: AskOpinionRequest = call.decode()?;
    let name = case_name(&request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let asked = CaseCommand::AskOpinion { request: name.clone(), version };
    call.write(&request.request_id, Body::Case(Box::new(asked)), move |look, _| {
        let case = case(look, &name).ok_or_else(|| not_found(&name))?;
        Ok(request_message(&case, look.view().clock()))
    })
    .await
}

pub(super) async fn give_opinion(call: &Call) -> Result<Reply, Refusal> {
    let request: GiveOpinionRequest = call.decode()?;
    let body = Body::GiveOpinion {
        request: case_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        in_favor: request.in_favor,
        text: request.text,
    };
    call.write(&request.request_id, body, shown).await
}

pub(super) async fn answer(call: &Call) -> Result<Reply, Refusal> {
    let request: AnswerRequestRequest = call.decode()?;
    let body = Body::AnswerRequest {
        request: case_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        answer: read_answer(stated(request.answer.as_ref(), "answer")?, "answer")?,
        grant: GrantId(draw()),
    };
    call.write(&request.request_id, body, shown).await
}

pub(super) async fn extend(call: &Call) -> Result<Reply, Refusal> {
    let request: ExtendRequestRequest = call.decode()?;
    let working_days = working_days(request.working_days)?;
    let body = Body::ExtendRequest {
        request: case_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        working_days,
        reason: request.reason,
    };
    call.write(&request.request_id, body, shown).await
}

pub(super) async fn withdraw(call: &Call) -> Result<Reply, Refusal> {
    let request: WithdrawRequestRequest = call.decode()?;
    let body = Body::WithdrawRequest {
        request: case_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        reason: request.reason,
    };
    call.write(&request.request_id, body, shown).await
}

pub(super) async fn get_grant(call: &Call) -> Result<Reply, Refusal> {
    let request: GetGrantRequest = call.decode()?;
    let (domain, id) = grant_name(&request.name, "name")?;
    call.read(move |look| {
        let grant = look.view().grant(&domain, id).filter(|grant| look.sees_grant(grant));
        grant.as_ref().map(grant_message).ok_or_else(|| not_found(&request.name))
    })
    .await
}

pub(super) async fn list_grants(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListGrantsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    if !request.entry.is_empty() {
        entry_name(&request.entry, "entry")?;
    }
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let asked = |grant: Grant| {
            let shown = look.sees_grant(&grant).then(|| grant_message(&grant))?;
            let wanted = (request.entry.is_empty() || shown.entry == request.entry)
                && (request.state == 0 || shown.state == request.state);
            wanted.then_some(shown)
        };
        let party = look.caller.organization().filter(|_| !look.is_platform());
        let page = if let Some(party) = party {
            let prefix = Key::table(Table::GrantByParty).id(party.to_bytes());
            look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |key, _| {
                let (domain, id) = View::named_by_index(key, 1 + 16);
                look.view().grant(&domain, GrantId::from_bytes(id)).and_then(asked)
            })
        } else {
            let prefix = Key::table(Table::Grant);
            look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |_, bytes| {
                asked(codec::decode(bytes).expect("rows are written by this program"))
            })
        };
        Ok(ListGrantsResponse { grants: page.rows, next_page_token: next(look, &query, page.next) })
    })
    .await
}

pub(super) async fn suspend_grant(call: &Call) -> Result<Reply, Refusal> {
    let request: SuspendGrantRequest = call.decode()?;
    let body = Body::SuspendGrant {
        grant: granted_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        reason: request.reason,
        rectify_by: read_date(&request.rectify_by, "rectify_by")?,
    };
    call.write(&request.request_id, body, shown_grant).await
}

pub(super) async fn terminate_grant(call: &Call) -> Result<Reply, Refusal> {
    let request: TerminateGrantRequest = call.decode()?;
    let body = Body::TerminateGrant {
        grant: granted_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        reason: request.reason,
    };
    call.write(&request.request_id, body, shown_grant).await
}

pub(super) fn case_name(name: &str) -> Result<ResourceName, Refusal> {
    request_name(name, "name").map(|(domain, id)| ResourceName::new(domain, Resource::Request(id)))
}

pub(super) fn granted_name(name: &str) -> Result<ResourceName, Refusal> {
    grant_name(name, "name").map(|(domain, id)| ResourceName::new(domain, Resource::Grant(id)))
}

/// The case of that name, if the caller may see it.
pub(super) fn case(look: &Look<'_>, name: &ResourceName) -> Option<ShareRequest> {
    let Resource::Request(id) = name.resource else { return None };
    look.view().request(&name.domain, id).filter(|case| look.sees_request(case))
}

pub(super) fn shown(look: &Look<'_>, outcome: &Outcome) -> Result<message::ShareRequest, Refusal> {
    let name = done(outcome)?;
    let Resource::Request(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    let case = look.view().request(&name.domain, id).ok_or_else(|| not_found(&name))?;
    Ok(request_message(&case, look.view().clock()))
}

pub(super) fn shown_grant(look: &Look<'_>, outcome: &Outcome) -> Result<message::Grant, Refusal> {
    let name = done(outcome)?;
    let Resource::Grant(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    look.view().grant(&name.domain, id).as_ref().map(grant_message).ok_or_else(|| not_found(&name))
}
