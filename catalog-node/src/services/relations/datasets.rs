//! `DatasetService`: which data does an entry describe, and which system holds them?

use catalog_model::{
    catalog_entry::CatalogEntry,
    dataset::Dataset,
    ids::{DatasetId, DomainId},
    name::{Resource, ResourceName},
    organization::System,
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    command::{Body, LinkTarget, RelationsCommand},
    keys::{Key, Table},
};
use luqiao_proto::{
    convert::{
        name::{dataset_name, domain_name, organization_name, resource_name, system_name},
        relations::{
            dataset::{dataset_message, orphan_message, read_dataset_kind},
            read_optional_date, read_period,
        },
        time::read_date,
    },
    organization::v1::DeleteSystemRequest,
    relations::v1::{
        self as message, BindDatasetRequest, DeleteDatasetRequest, GetDatasetRequest,
        ListDatasetsRequest, ListDatasetsResponse, ListOrphansRequest, ListOrphansResponse,
        OrphanKind, RegisterDatasetRequest, UnbindDatasetRequest,
    },
};

use super::{Call, Look, Paged, Reply, change, find, next, own, own_organization, paged, unknown};
use crate::services::{draw, paging, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "RegisterDataset" => register(call).await,
        "BindDataset" => bind(call).await,
        "UnbindDataset" => unbind(call).await,
        "DeleteDataset" => delete(call).await,
        "GetDataset" => get(call).await,
        "ListDatasets" => list(call).await,
        "ListOrphans" => orphans(call).await,
        _ => Err(unknown(call)),
    }
}

async fn register(call: &Call) -> Result<Reply, Refusal> {
    let request: RegisterDatasetRequest = call.decode()?;
    let command = RelationsCommand::RegisterDataset {
        id: DatasetId(draw()),
        organization: own_organization(call, &request.parent, "parent")?,
        kind: read_dataset_kind(request.kind, "kind")?,
        title: request.title,
        description: request.description,
    };
    change(call, &request.request_id, command, shown).await
}

async fn bind(call: &Call) -> Result<Reply, Refusal> {
    let request: BindDatasetRequest = call.decode()?;
    let command = RelationsCommand::Bind {
        dataset: own(call, dataset_name(&request.name, "name")?)?,
        version: version_in(&request.etag, "etag")?,
        to: target(call, &request.to)?,
        period: read_period(&request.from, &request.until)?,
    };
    change(call, &request.request_id, command, shown).await
}

async fn unbind(call: &Call) -> Result<Reply, Refusal> {
    let request: UnbindDatasetRequest = call.decode()?;
    let command = RelationsCommand::Unbind {
        dataset: own(call, dataset_name(&request.name, "name")?)?,
        version: version_in(&request.etag, "etag")?,
        from: target(call, &request.to)?,
        until: read_date(&request.until, "until")?,
    };
    change(call, &request.request_id, command, shown).await
}

async fn delete(call: &Call) -> Result<Reply, Refusal> {
    let request: DeleteDatasetRequest = call.decode()?;
    let command = RelationsCommand::DeleteDataset {
        dataset: own(call, dataset_name(&request.name, "name")?)?,
        version: version_in(&request.etag, "etag")?,
    };
    change(call, &request.request_id, command, |_, _| Some(())).await
}

/// `OrganizationService.DeleteSystem`: a system goes once nothing is bound to it.
pub(crate) async fn delete_system(call: &Call) -> Result<Reply, Refusal> {
    let request: DeleteSystemRequest = call.decode()?;
    let (domain, organization, system) = system_name(&request.name, "name")?;
    call.look_now(|look| look.own(&domain))?;
    let command = RelationsCommand::DeleteSystem { organization, system };
    call.write(&request.request_id, Body::Relations(Box::new(command)), |_, _| Ok(())).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetDatasetRequest = call.decode()?;
    let id = own(call, dataset_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let dataset = look.view().dataset(look.domain(), id)?;
        look.sees_affairs_of(dataset.organization).then(|| dataset_message(&dataset))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListDatasetsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let organization = match request.organization.as_str() {
        "" => None,
        name => Some(organization_name(name, "organization")?.1),
    };
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let prefix = Key::table(Table::Dataset).domain(&domain);
        let (datasets, next_page_token) = page.table(look, &prefix, |dataset: Dataset| {
            let wanted = organization.is_none_or(|id| id == dataset.organization);
            let seen = wanted && look.sees_affairs_of(dataset.organization);
            seen.then(|| dataset_message(&dataset))
        })?;
        Ok(ListDatasetsResponse { datasets, next_page_token })
    })
    .await
}

async fn orphans(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListOrphansRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let day = read_optional_date(&request.day, "day")?;
    let kind = request.kind();
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        page.orphans(look, &domain, kind, day.unwrap_or_else(|| look.today()))
    })
    .await
}

impl Paged {
    fn orphans(
        &self,
        look: &Look<'_>,
        domain: &DomainId,
        kind: OrphanKind,
        day: catalog_model::time::LocalDate,
    ) -> Result<ListOrphansResponse, Refusal> {
        let (view, from) = (look.view(), self.from(look)?);
        let (from, size, scan) = (from.as_deref(), self.size, paging::SCAN);
        let named = |resource| ResourceName::new(domain.clone(), resource);
        let (orphans, token) = match kind {
            OrphanKind::EntryWithoutData => {
                let page = view.entries_without_data(domain, day, from, size, scan);
                let orphan = |entry: &CatalogEntry| {
                    let name = named(Resource::Entry(entry.id));
                    (entry.provider, orphan_message(&name, &entry.content.title, entry.provider))
                };
                (page.rows.iter().map(orphan).collect(), page.next)
            }
            OrphanKind::DatasetWithoutEntry => {
                let page = view.datasets_without_entry(domain, day, from, size, scan);
                let orphan = |dataset: &Dataset| {
                    let name = named(Resource::Dataset(dataset.id));
                    let of = dataset.organization;
                    (of, orphan_message(&name, &dataset.title, of))
                };
                (page.rows.iter().map(orphan).collect(), page.next)
            }
            OrphanKind::SystemWithoutDataset => {
                let page = view.systems_without_dataset(domain, day, from, size, scan);
                let orphan = |system: &System| {
                    let of = system.organization;
                    let name = named(Resource::System(of, system.id));
                    (of, orphan_message(&name, &system.display_name, of))
                };
                (page.rows.iter().map(orphan).collect(), page.next)
            }
            OrphanKind::Unspecified => {
                let (en, zh) = ("has to be stated", "必须填写");
                return Err(Refusal::new(Reason::FieldInvalid).field("kind", en, zh));
            }
        };
        let orphans: Vec<(_, message::Orphan)> = orphans;
        // A department sees what it left unbound itself.
        let seen = orphans.into_iter().filter(|(of, _)| look.sees_affairs_of(*of));
        Ok(ListOrphansResponse {
            orphans: seen.map(|(_, orphan)| orphan).collect(),
            next_page_token: next(look, &self.query, token),
        })
    }
}

/// What a dataset is linked to: an entry, or a system of its own organization, which the state holds
/// against the dataset.
fn target(call: &Call, name: &str) -> Result<LinkTarget, Refusal> {
    let ResourceName { domain, resource } = resource_name(name, "to")?;
    call.look_now(|look| look.own(&domain))?;
    match resource {
        Resource::Entry(id) => Ok(LinkTarget::Entry(id)),
        Resource::System(_, id) => Ok(LinkTarget::System(id)),
        _ => Err(Refusal::new(Reason::NameInvalid).fact("name", name).field(
            "to",
            "is neither an entry nor a system",
            "既不是目录条目，也不是业务系统",
        )),
    }
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::Dataset> {
    let Resource::Dataset(id) = name.resource else { return None };
    look.view().dataset(look.domain(), id).as_ref().map(dataset_message)
}
