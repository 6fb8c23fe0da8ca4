//! The life of a case after its receipt: more time, lateness and its hearing, what came by a window
//! or over several entries, and what is kept beside the case.
//!
//! Methods of `SharingService`. A file is seen by whoever sees the case; which person acted for an
//! organization is told to that organization and to the platform.

use catalog_model::{
    ids::{GrantId, PersonId, RequestId},
    name::{Resource, ResourceName},
    organization::PlatformRole,
    reason::Reason,
    refusal::Refusal,
    share_request::ShareRequest,
};
use catalog_state::{
    command::{
        Body,
        case::{CaseCommand, Filing, MixedPart},
    },
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{
        answer::read_answer,
        case_file::{Shown, case_file_message, punctuality_message, read_month},
        case_rules::rule_ref_message,
        name::{domain_name, full_name, organization_name, person_name, request_name},
        paper_decision::read_paper_decision,
        share_request::{read_request_content, request_message},
        stated,
    },
    sharing::v1::{
        self as message, AnswerExtensionRequest, ClaimReasonRequest, CreateMixedRequestRequest,
        CreateMixedRequestResponse, FileOnBehalfRequest, GetCaseFileRequest, GetPunctualityRequest,
        GetSeparationRequest, ProposeExtensionRequest, RuleOnReasonRequest, Separation,
        SwitchSeparationRequest, file_on_behalf_request::Filing as Filed,
    },
};
use ulid::Ulid;

use super::{
    Call, Look, Reply,
    catalog::consenting_person,
    draw, not_found,
    organizations::done,
    sharing::{case, case_name, shown},
    version_in,
};

pub(super) async fn create_mixed(call: &Call) -> Result<Reply, Refusal> {
    let request: CreateMixedRequestRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let head = match request.consenting_person.as_str() {
        "" => None,
        person => Some(consenting_person(call, person, "consenting_person")?),
    };
    let mut parts = Vec::new();
    let first = draw();
    for (place, asked) in request.parts.iter().enumerate() {
        let content = read_request_content(asked, &format!("parts[{place}]"))?;
        let id = RequestId(following(first, place));
        parts.push(MixedPart { id, grant: GrantId(draw()), content });
    }
    let count = parts.len();
    let body = Body::Case(Box::new(CaseCommand::CreateMixedRequest { parts, head }));
    call.write(&request.request_id, body, move |look, outcome| {
        // The first part as it was made, perhaps by an earlier attempt with other ids.
        let name = done(outcome)?;
        let Resource::Request(first) = name.resource else {
            return Err(Refusal::new(Reason::Internal));
        };
        let clock = look.view().clock();
        let requests = (0..count)
            .map(|place| {
                let id = RequestId(following(first.0, place));
                let part = look.view().request(&name.domain, id);
                part.map(|part| request_message(&part, clock)).ok_or_else(|| not_found(&name))
            })
            .collect::<Result<_, _>>()?;
        Ok(CreateMixedRequestResponse { requests })
    })
    .await
}

/// The ids of the parts follow each other, so that all are known by the first.
fn following(first: Ulid, place: usize) -> Ulid {
    Ulid(first.0.wrapping_add(place as u128))
}

pub(super) async fn propose_extension(call: &Call) -> Result<Reply, Refusal> {
    let request: ProposeExtensionRequest = call.decode()?;
    let proposed = CaseCommand::ProposeExtension {
        request: case_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        working_days: working_days(request.working_days)?,
        reason: request.reason,
    };
    call.write(&request.request_id, Body::Case(Box::new(proposed)), shown).await
}

pub(super) async fn answer_extension(call: &Call) -> Result<Reply, Refusal> {
    let request: AnswerExtensionRequest = call.decode()?;
    let answered = CaseCommand::AnswerExtension {
        request: case_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        consents: request.consents,
        reason: request.reason,
    };
    call.write(&request.request_id, Body::Case(Box::new(answered)), shown).await
}

/// Working days as state counts them.
pub(super) fn working_days(days: u32) -> Result<u16, Refusal> {
    u16::try_from(days).map_err(|_| {
        Refusal::new(Reason::FieldInvalid).field("working_days", "is too large", "过大")
    })
}

pub(super) async fn claim_reason(call: &Call) -> Result<Reply, Refusal> {
    let request: ClaimReasonRequest = call.decode()?;
    let claimed = CaseCommand::ClaimReason {
        request: case_name(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        text: request.text,
    };
    call.write(&request.request_id, Body::Case(Box::new(claimed)), shown_file).await
}

pub(super) async fn rule_on_reason(call: &Call) -> Result<Reply, Refusal> {
    let request: RuleOnReasonRequest = call.decode()?;
    let name = case_name(&request.name)?;
    let (domain, debtor) = organization_name(&request.debtor, "debtor")?;
    call.look_now(|look| look.own(&domain))?;
    let ruled = CaseCommand::RuleOnReason {
        request: name,
        version: version_in(&request.etag, "etag")?,
        debtor,
        accepted: request.accepted,
        reason: request.reason,
    };
    call.write(&request.request_id, Body::Case(Box::new(ruled)), shown_file).await
}

pub(super) async fn file_on_behalf(call: &Call) -> Result<Reply, Refusal> {
    let request: FileOnBehalfRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let filing = filing(call, stated(request.filing.as_ref(), "filing")?)?;
    let paper = read_paper_decision(stated(request.paper.as_ref(), "paper")?, "paper")?;
    let filed =
        CaseCommand::FileOnBehalf { filing: Box::new(filing), paper, window: request.window };
    call.write(&request.request_id, Body::Case(Box::new(filed)), shown).await
}

fn filing(call: &Call, filed: &Filed) -> Result<Filing, Refusal> {
    match filed {
        Filed::Request(filed) => {
            let (domain, organization) =
                organization_name(&filed.organization, "request.organization")?;
            call.look_now(|look| look.own(&domain))?;
            let field = "request.content";
            Ok(Filing::Request {
                id: RequestId(draw()),
                grant: GrantId(draw()),
                organization,
                content: read_request_content(stated(filed.content.as_ref(), field)?, field)?,
                head: signatory(&filed.head, "request.head")?,
            })
        }
        Filed::Answer(filed) => Ok(Filing::Answer {
            request: filed_case(&filed.request, "answer.request")?,
            version: version_in(&filed.etag, "answer.etag")?,
            answer: read_answer(stated(filed.answer.as_ref(), "answer.answer")?, "answer.answer")?,
            grant: GrantId(draw()),
            head: signatory(&filed.head, "answer.head")?,
        }),
        Filed::Opinion(filed) => Ok(Filing::Opinion {
            request: filed_case(&filed.request, "opinion.request")?,
            version: version_in(&filed.etag, "opinion.etag")?,
            in_favor: filed.in_favor,
            text: filed.text.clone(),
        }),
    }
}

fn filed_case(name: &str, field: &str) -> Result<ResourceName, Refusal> {
    request_name(name, field).map(|(domain, id)| ResourceName::new(domain, Resource::Request(id)))
}

/// The head who signed; nobody is assumed to have.
fn signatory(name: &str, field: &str) -> Result<Option<PersonId>, Refusal> {
    match name {
        "" => Ok(None),
        name => person_name(name, field).map(|(_, _, id)| Some(id)),
    }
}

pub(super) async fn get_file(call: &Call) -> Result<Reply, Refusal> {
    let request: GetCaseFileRequest = call.decode()?;
    let name = case_name(&request.name)?;
    call.read(move |look| {
        let case = case(look, &name).ok_or_else(|| not_found(&request.name))?;
        Ok(file_message(look, &case, &name))
    })
    .await
}

fn shown_file(look: &Look<'_>, outcome: &Outcome) -> Result<message::CaseFile, Refusal> {
    let name = done(outcome)?;
    let Resource::Request(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    let case = look.view().request(&name.domain, id).ok_or_else(|| not_found(&name))?;
    Ok(file_message(look, &case, &name))
}

fn file_message(look: &Look<'_>, case: &ShareRequest, name: &ResourceName) -> message::CaseFile {
    let file = look.view().case_file(name).unwrap_or_default();
    let platform = look.is_platform();
    let shown = Shown {
        clock: look.view().clock(),
        names_persons_of: &|party| platform || look.is_party(party),
    };
    case_file_message(case, &file, &shown)
}

pub(super) async fn punctuality(call: &Call) -> Result<Reply, Refusal> {
    let request: GetPunctualityRequest = call.decode()?;
    let (domain, organization) = organization_name(&request.name, "name")?;
    let month = read_month(&request.month, "month")?;
    call.read(move |look| {
        let own = look.caller.organization() == Some(organization);
        let seen = own || look.is_platform() || look.is_office(PlatformRole::Government);
        look.own(&domain)?;
        look.view()
            .organization(&domain, organization)
            .filter(|_| seen)
            .ok_or_else(|| not_found(&request.name))?;
        let count = look.view().punctuality(organization, month).unwrap_or_default();
        Ok(punctuality_message(&domain, organization, month, &count))
    })
    .await
}

pub(super) async fn switch_separation(call: &Call) -> Result<Reply, Refusal> {
    let request: SwitchSeparationRequest = call.decode()?;
    let domain = domain_name(&request.name, "name")?;
    call.look_now(|look| look.own(&domain))?;
    let switched = CaseCommand::SwitchSeparation { on: request.on, reason: request.reason };
    call.write(&request.request_id, Body::Case(Box::new(switched)), |look, _| Ok(separation(look)))
        .await
}

pub(super) async fn get_separation(call: &Call) -> Result<Reply, Refusal> {
    let request: GetSeparationRequest = call.decode()?;
    let domain = domain_name(&request.name, "name")?;
    call.read(move |look| {
        look.own(&domain)?;
        Ok(separation(look))
    })
    .await
}

fn separation(look: &Look<'_>) -> Separation {
    let view = look.view();
    let today = view.clock().local_date();
    let rule = view.pack_in_force().and_then(|pack| pack.separation_of_duties(today));
    Separation {
        name: full_name(look.domain(), Resource::Domain),
        on: view.separation_switch().unwrap_or(false),
        rule: rule.as_ref().map(rule_ref_message),
    }
}
