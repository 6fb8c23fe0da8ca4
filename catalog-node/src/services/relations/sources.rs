//! `SourceService`: who supplies a datum, and who shares it?

use catalog_model::{
    name::{Resource, ResourceName},
    refusal::Refusal,
    time::LocalDate,
};
use catalog_state::command::RelationsCommand;
use luqiao_proto::{
    convert::{
        name::domain_name,
        paper_decision::read_paper_decision,
        relations::{dataset::source_message, read_citation, read_optional_date, read_period},
        time::read_date,
    },
    relations::v1::{
        AssignSourceRequest, ElementSource, EndSourceRequest, FindSourceRequest,
        ListSharersRequest, ListSharersResponse, ListSourcesRequest, ListSourcesResponse,
    },
};

use super::{Call, Look, Reply, change, find, own_organization, paged, unknown};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "AssignSource" => assign(call).await,
        "EndSource" => end(call).await,
        "FindSource" => source(call).await,
        "ListSources" => list(call).await,
        "ListSharers" => sharers(call).await,
        _ => Err(unknown(call)),
    }
}

/// Refuses the name of another domain: its sources are its authority's.
fn here(call: &Call, parent: &str) -> Result<(), Refusal> {
    let domain = domain_name(parent, "parent")?;
    call.look_now(|look| look.own(&domain))
}

async fn assign(call: &Call) -> Result<Reply, Refusal> {
    let request: AssignSourceRequest = call.decode()?;
    here(call, &request.parent)?;
    let period = read_period(&request.from, &request.until)?;
    let decision = request.decision.as_ref();
    let element = request.element.clone();
    let command = RelationsCommand::AssignSource {
        element: request.element,
        organization: own_organization(call, &request.organization, "organization")?,
        period,
        basis: read_citation(request.basis.as_ref(), "basis")?,
        decision: decision.map(|paper| read_paper_decision(paper, "decision")).transpose()?,
    };
    let show = move |look: &Look<'_>, _: &ResourceName| beginning(look, &element, period.from);
    change(call, &request.request_id, command, show).await
}

async fn end(call: &Call) -> Result<Reply, Refusal> {
    let request: EndSourceRequest = call.decode()?;
    here(call, &request.parent)?;
    let from = read_date(&request.from, "from")?;
    let until = read_date(&request.until, "until")?;
    let element = request.element.clone();
    let command = RelationsCommand::EndSource { element: request.element, from, until };
    let show = move |look: &Look<'_>, _: &ResourceName| beginning(look, &element, from);
    change(call, &request.request_id, command, show).await
}

/// The assignment of a datum that begins on a day.
fn beginning(look: &Look<'_>, element: &str, from: LocalDate) -> Option<ElementSource> {
    let mut all = look.view().sources(element).into_iter();
    let source = all.find(|source| source.period.from == from)?;
    Some(source_message(look.domain(), &source))
}

async fn source(call: &Call) -> Result<Reply, Refusal> {
    let request: FindSourceRequest = call.decode()?;
    here(call, &request.parent)?;
    let day = read_optional_date(&request.day, "day")?;
    let element = request.element.clone();
    find(call, request.element, move |look| {
        let day = day.unwrap_or_else(|| look.today());
        let source = look.view().source_of(&element, day)?;
        Some(source_message(look.domain(), &source))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListSourcesRequest = call.decode()?;
    here(call, &request.parent)?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        let (sources, next_page_token) = page.list(look, |_| {
            let all = look.view().sources(&request.element);
            all.iter().map(|source| source_message(look.domain(), source)).collect()
        })?;
        Ok(ListSourcesResponse { sources, next_page_token })
    })
    .await
}

async fn sharers(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListSharersRequest = call.decode()?;
    here(call, &request.parent)?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        let (entries, next_page_token) = page.list(look, |limit| {
            let all = look.view().sharers_of(&request.item, limit).into_iter();
            all.map(|(domain, id)| ResourceName::new(domain, Resource::Entry(id)).to_string())
                .collect()
        })?;
        Ok(ListSharersResponse { entries, next_page_token })
    })
    .await
}
