//! `ProjectService`: which data assets does a project make, and are they in the catalog?

use catalog_model::{
    acquisition::Project,
    ids::ProjectId,
    name::{Resource, ResourceName},
    refusal::Refusal,
};
use catalog_state::{command::RelationsCommand, keys::relations as key};
use luqiao_proto::{
    convert::{
        name::{domain_name, project_name},
        relations::acquisition::project_message,
    },
    relations::v1::{
        self as message, AcceptProjectRequest, EnterAssetRequest, GetProjectRequest,
        ListProjectsRequest, ListProjectsResponse, OpenProjectRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, own_entry, own_organization, paged, unknown};
use crate::services::{draw, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "OpenProject" => open(call).await,
        "EnterAsset" => enter(call).await,
        "AcceptProject" => accept(call).await,
        "GetProject" => get(call).await,
        "ListProjects" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn open(call: &Call) -> Result<Reply, Refusal> {
    let request: OpenProjectRequest = call.decode()?;
    let command = RelationsCommand::OpenProject {
        id: ProjectId(draw()),
        organization: own_organization(call, &request.parent, "parent")?,
        title: request.title,
        assets: request.assets,
    };
    change(call, &request.request_id, command, shown).await
}

async fn enter(call: &Call) -> Result<Reply, Refusal> {
    let request: EnterAssetRequest = call.decode()?;
    let command = RelationsCommand::ListAsset {
        project: own(call, project_name(&request.name, "name")?)?,
        version: version_in(&request.etag, "etag")?,
        asset: request.asset,
        entry: own_entry(call, &request.entry, "entry")?,
    };
    change(call, &request.request_id, command, shown).await
}

async fn accept(call: &Call) -> Result<Reply, Refusal> {
    let request: AcceptProjectRequest = call.decode()?;
    let command = RelationsCommand::AcceptProject {
        project: own(call, project_name(&request.name, "name")?)?,
        version: version_in(&request.etag, "etag")?,
    };
    change(call, &request.request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetProjectRequest = call.decode()?;
    let id = own(call, project_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let project = look.view().project(look.domain(), id)?;
        look.sees_affairs_of(project.organization).then(|| project_message(&project))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListProjectsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let (projects, next_page_token) =
            page.table(look, &key::projects(&domain), |project: Project| {
                look.sees_affairs_of(project.organization).then(|| project_message(&project))
            })?;
        Ok(ListProjectsResponse { projects, next_page_token })
    })
    .await
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::Project> {
    let Resource::Project(id) = name.resource else { return None };
    look.view().project(look.domain(), id).as_ref().map(project_message)
}
