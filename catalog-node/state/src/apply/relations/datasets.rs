//! 一本账: datasets, what describes them and where they lie (CAT-04, 05).

use catalog_model::{
    catalog_entry::CatalogEntry,
    dataset::{Dataset, DatasetKind, DutyList, EntryLink, Period, SystemLink},
    grant::{Grant, GrantState},
    ids::{DatasetId, EntryId, OrganizationId, SystemId},
    name::{Resource, ResourceName},
    organization::System,
    reason::Reason,
    refusal::Refusal,
    time::LocalDate,
};

use super::{check_texts, done, entry_name, entry_of, fresh, may_file_for, name_of, on_record};
use crate::{
    apply::{organizations::same_version, text},
    command::LinkTarget,
    event::Event,
    keys::{self, Key, Table, relations as key},
    ledger::{self, Fact},
    outcome::Outcome,
    tx::Tx,
    view::View,
};

pub(crate) fn register(
    tx: &mut Tx<'_>,
    id: DatasetId,
    organization: OrganizationId,
    kind: DatasetKind,
    title: &str,
    description: &str,
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    let name = fresh(tx, Resource::Dataset(id))?;
    check_texts(&[("dataset.title", title)])?;
    text::check("dataset.description", description)?;
    let dataset = Dataset {
        id,
        domain: tx.domain().clone(),
        organization,
        kind,
        title: title.to_owned(),
        description: description.to_owned(),
        systems: Vec::new(),
        entries: Vec::new(),
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    tx.put(&key::dataset(&dataset.domain, id), &dataset);
    let organization = super::organization_name(tx, organization);
    let fact = Fact::DatasetRegistered { organization };
    ledger::append(tx, &name, fact, None, &[("title", title)]);
    Ok(done(tx, name))
}

/// The dataset, for who may change it.
fn working(tx: &Tx<'_>, id: DatasetId, version: u64) -> Result<Dataset, Refusal> {
    let dataset: Dataset = on_record(tx, Resource::Dataset(id))?;
    may_file_for(tx, dataset.organization)?;
    same_version(dataset.version, version)?;
    Ok(dataset)
}

fn change(tx: &mut Tx<'_>, dataset: Dataset) -> Outcome {
    let dataset = Dataset { version: dataset.version + 1, updated_time: tx.clock, ..dataset };
    tx.put(&key::dataset(&dataset.domain, dataset.id), &dataset);
    let name = name_of(tx, Resource::Dataset(dataset.id));
    done(tx, name)
}

fn target(tx: &Tx<'_>, dataset: &Dataset, to: LinkTarget) -> ResourceName {
    match to {
        LinkTarget::Entry(id) => entry_name(tx, id),
        LinkTarget::System(id) => name_of(tx, Resource::System(dataset.organization, id)),
    }
}

fn index(tx: &Tx<'_>, dataset: &Dataset, to: LinkTarget) -> Key {
    match to {
        LinkTarget::Entry(id) => key::datasets_of_entry(tx.domain(), id),
        LinkTarget::System(id) => key::datasets_of_system(tx.domain(), id),
    }
    .id(dataset.id.to_bytes())
}

pub(crate) fn bind(
    tx: &mut Tx<'_>,
    id: DatasetId,
    version: u64,
    to: LinkTarget,
    period: Period,
) -> Result<Outcome, Refusal> {
    let mut dataset = working(tx, id, version)?;
    if !period.is_sound() {
        let (en, zh) = ("ends before it begins", "结束日期早于开始日期");
        return Err(Refusal::new(Reason::FieldInvalid).field("period.until", en, zh));
    }
    let links = dataset.systems.len() + dataset.entries.len();
    if links >= catalog_model::policy::MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "dataset.links")
            .fact("length", links + 1)
            .fact("limit", catalog_model::policy::MAX_LIST));
    }
    let known = match to {
        LinkTarget::Entry(entry) => {
            entry_of(tx, dataset.organization, entry)?;
            let same = |link: &&EntryLink| link.entry == entry && link.period.overlaps(&period);
            let known = dataset.entries.iter().find(same).is_some();
            dataset.entries.push(EntryLink { entry, period });
            known
        }
        LinkTarget::System(system) => {
            if !tx.has(&keys::system(tx.domain(), dataset.organization, system)) {
                let name = target(tx, &dataset, to);
                return Err(Refusal::new(Reason::SystemUnknown).fact("name", name));
            }
            let same = |link: &&SystemLink| link.system == system && link.period.overlaps(&period);
            let known = dataset.systems.iter().find(same).is_some();
            dataset.systems.push(SystemLink { system, period });
            known
        }
    };
    let name = target(tx, &dataset, to);
    if known {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    tx.put_bytes(&index(tx, &dataset, to), Vec::new());
    let subject = name_of(tx, Resource::Dataset(id));
    let fact = Fact::DatasetBound { to: name, from: period.from, until: period.until };
    ledger::append(tx, &subject, fact, None, &[]);
    Ok(change(tx, dataset))
}

pub(crate) fn unbind(
    tx: &mut Tx<'_>,
    id: DatasetId,
    version: u64,
    from: LinkTarget,
    until: LocalDate,
) -> Result<Outcome, Refusal> {
    let mut dataset = working(tx, id, version)?;
    let name = target(tx, &dataset, from);
    let period = match from {
        LinkTarget::Entry(entry) => dataset
            .entries
            .iter_mut()
            .find(|link| link.entry == entry && link.period.holds(until))
            .map(|link| &mut link.period),
        LinkTarget::System(system) => dataset
            .systems
            .iter_mut()
            .find(|link| link.system == system && link.period.holds(until))
            .map(|link| &mut link.period),
    };
    let Some(period) = period else {
        return Err(Refusal::new(Reason::NotFound).fact("name", name));
    };
    period.until = Some(until);
    let subject = name_of(tx, Resource::Dataset(id));
    ledger::append(tx, &subject, Fact::DatasetUnbound { from: name, until }, None, &[]);
    Ok(change(tx, dataset))
}

pub(crate) fn delete(tx: &mut Tx<'_>, id: DatasetId, version: u64) -> Result<Outcome, Refusal> {
    let dataset = working(tx, id, version)?;
    let today = tx.today();
    let entries = dataset.entries.iter().filter(|link| !link.period.is_over(today));
    let systems = dataset.systems.iter().filter(|link| !link.period.is_over(today));
    let mut bound = entries
        .map(|link| LinkTarget::Entry(link.entry))
        .chain(systems.map(|link| LinkTarget::System(link.system)));
    if let Some(to) = bound.next() {
        let what = target(tx, &dataset, to);
        return Err(Refusal::new(Reason::DatasetBound).fact("what", what));
    }
    for link in &dataset.entries {
        tx.delete(&index(tx, &dataset, LinkTarget::Entry(link.entry)));
    }
    for link in &dataset.systems {
        tx.delete(&index(tx, &dataset, LinkTarget::System(link.system)));
    }
    tx.delete(&key::dataset(tx.domain(), id));
    let name = name_of(tx, Resource::Dataset(id));
    ledger::append(tx, &name, Fact::DatasetDeleted, None, &[]);
    Ok(done(tx, name))
}

pub(crate) fn delete_system(
    tx: &mut Tx<'_>,
    organization: OrganizationId,
    id: SystemId,
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    let name = name_of(tx, Resource::System(organization, id));
    let row = keys::system(tx.domain(), organization, id);
    if tx.get::<System>(&row).is_none() {
        return Err(Refusal::new(Reason::NotFound).fact("name", name));
    }
    if let Some(what) = holds(tx, organization, id) {
        return Err(Refusal::new(Reason::SystemBound).fact("what", what));
    }
    tx.delete(&row);
    ledger::append(tx, &name, Fact::SystemDeleted, None, &[]);
    tx.emit(Event::OrganizationChanged(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

/// The first thing that a system still holds: a dataset, an entry, a right to data.
fn holds(tx: &Tx<'_>, organization: OrganizationId, id: SystemId) -> Option<ResourceName> {
    let today = tx.today();
    let prefix = key::datasets_of_system(tx.domain(), id);
    for (index, _) in tx.rows(&prefix, usize::MAX) {
        let dataset = DatasetId::from_bytes(last_id(&index));
        let row: Dataset =
            tx.get(&key::dataset(tx.domain(), dataset)).expect("an indexed dataset exists");
        if row.systems.iter().any(|link| link.system == id && !link.period.is_over(today)) {
            return Some(name_of(tx, Resource::Dataset(dataset)));
        }
    }
    let prefix = Key::table(Table::EntryByProvider).domain(tx.domain()).id(organization.to_bytes());
    for (index, _) in tx.rows(&prefix, usize::MAX) {
        let entry = EntryId::from_bytes(last_id(&index));
        let row: CatalogEntry =
            tx.get(&keys::entry(tx.domain(), entry)).expect("an indexed entry exists");
        let linked = row.content.links.iter().any(|link| link.system == id);
        if linked && row.state != catalog_model::catalog_entry::EntryState::Withdrawn {
            return Some(entry_name(tx, entry));
        }
    }
    let name = name_of(tx, Resource::System(organization, id));
    let prefix = Key::table(Table::GrantByParty).id(organization.to_bytes());
    for (index, _) in tx.rows(&prefix, usize::MAX) {
        let (domain, grant) = View::named_by_index(&index, prefix.as_slice().len());
        let grant = catalog_model::ids::GrantId::from_bytes(grant);
        let row: Grant = tx.get(&keys::grant(&domain, grant)).expect("an indexed grant exists");
        if row.system == name && row.state != GrantState::Terminated {
            return Some(ResourceName::new(domain, Resource::Grant(grant)));
        }
    }
    None
}

/// The id at the end of an index's key.
pub(crate) fn last_id(key: &[u8]) -> [u8; 16] {
    key[key.len() - 16..].try_into().expect("the key ends in an id")
}

pub(crate) fn state_duties(
    tx: &mut Tx<'_>,
    organization: OrganizationId,
    version: u64,
    duties: &[String],
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    text::check_list("duties", duties)?;
    if let Some(place) = duties.iter().position(|duty| duty.trim().is_empty()) {
        let field = format!("duties[{place}]");
        return Err(Refusal::new(Reason::FieldInvalid).field(&field, "missing", "缺少"));
    }
    let row = key::duties(tx.domain(), organization);
    let old: Option<DutyList> = tx.get(&row);
    same_version(old.map_or(0, |list| list.version), version)?;
    let list = DutyList {
        organization,
        duties: duties.to_vec(),
        version: version + 1,
        updated_time: tx.clock,
    };
    tx.put(&row, &list);
    let name = super::organization_name(tx, organization);
    let fact = Fact::DutiesStated { count: duties.len() as u32, version: list.version };
    ledger::append(tx, &name, fact, None, &[("duties", &duties.join("\n"))]);
    Ok(done(tx, name))
}
