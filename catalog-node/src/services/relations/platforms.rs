//! `PlatformService`: which platforms stand beside the city's, and until when?

use catalog_model::refusal::Refusal;
use catalog_state::{command::RelationsCommand, keys::relations as key};
use luqiao_proto::{
    convert::{
        name::domain_name,
        paper_decision::read_paper_decision,
        relations::{acquisition::platform_message, read_optional_citation, read_optional_date},
    },
    relations::v1::{ListPlatformsRequest, ListPlatformsResponse, RecordPlatformRequest},
};

use super::{Call, Reply, change, own_organization, paged, unknown};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "RecordPlatform" => record(call).await,
        "ListPlatforms" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn record(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordPlatformRequest = call.decode()?;
    let organization = own_organization(call, &request.parent, "parent")?;
    let approval = request.approval.as_ref();
    let title = request.title.clone();
    let command = RelationsCommand::RecordPlatform {
        organization,
        title: request.title,
        cross_department: request.cross_department,
        approval: approval.map(|paper| read_paper_decision(paper, "approval")).transpose()?,
        migrate_by: read_optional_date(&request.migrate_by, "migrate_by")?,
        exception: read_optional_citation(request.exception.as_ref(), "exception")?,
    };
    change(call, &request.request_id, command, move |look, _| {
        let row = look.view().get(&key::platform(look.domain(), organization, &title))?;
        Some(platform_message(look.domain(), &row))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListPlatformsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let (platforms, next_page_token) =
            page.table(look, &key::platforms(&domain), |platform| {
                Some(platform_message(&domain, &platform))
            })?;
        Ok(ListPlatformsResponse { platforms, next_page_token })
    })
    .await
}
