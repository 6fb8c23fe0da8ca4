//! Demands for what the catalog lacks: each step hands the next move to somebody on file (SHR-18).

use catalog_model::{
    catalog_entry::CatalogEntry,
    demand::{Demand, DemandState},
    ids::{DemandId, OrganizationId},
    name::{Resource, ResourceName},
    organization::{Organization, PlatformRole},
    reason::Reason,
    refusal::Refusal,
    share_request::Party,
};

use crate::{
    apply::{
        organizations::{is_authority, is_platform, on_file, same_version},
        text,
    },
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::not_permitted,
    outcome::Outcome,
    tx::Tx,
};

fn name(demand: &Demand) -> ResourceName {
    ResourceName::new(demand.domain.clone(), Resource::Demand(demand.id))
}

fn known(tx: &Tx<'_>, name: &ResourceName, version: u64) -> Result<Demand, Refusal> {
    let Resource::Demand(id) = name.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", name));
    };
    let demand: Demand = tx
        .get(&keys::demand(&name.domain, id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name))?;
    same_version(demand.version, version)?;
    Ok(demand)
}

fn word(state: DemandState) -> &'static str {
    match state {
        DemandState::Filed => "filed",
        DemandState::PreReviewed => "pre_reviewed",
        DemandState::Routed => "routed",
        DemandState::Confirmed => "confirmed",
        DemandState::Disputed => "disputed",
        DemandState::Supplied => "supplied",
        DemandState::Closed => "closed",
    }
}

fn check_state(demand: &Demand, wanted: &[DemandState], needed: &str) -> Result<(), Refusal> {
    if wanted.contains(&demand.state) {
        return Ok(());
    }
    Err(Refusal::new(Reason::DemandStateWrong)
        .fact("state", word(demand.state))
        .fact("needed", needed))
}

/// The organization that has the next move for the platform.
fn platform(tx: &Tx<'_>, first: PlatformRole, second: PlatformRole) -> Result<Party, Refusal> {
    tx.platform_organization(first)
        .or_else(|| tx.platform_organization(second))
        .map(|organization| tx.party(&organization))
        .ok_or_else(|| Refusal::new(Reason::DemandWithoutOwner))
}

fn caller(tx: &Tx<'_>) -> Result<Organization, Refusal> {
    tx.caller_organization().ok_or_else(|| not_permitted(tx, "an organization of this domain"))
}

pub(crate) fn file(
    tx: &mut Tx<'_>,
    id: DemandId,
    title: &str,
    wanted: &str,
) -> Result<Outcome, Refusal> {
    let requester = caller(tx)?;
    text::check_reason("title", title)?;
    text::check_reason("text", wanted)?;
    if tx.has(&keys::demand(tx.domain(), id)) {
        let name = ResourceName::new(tx.domain().clone(), Resource::Demand(id));
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    let owner = platform(tx, PlatformRole::PlatformManager, PlatformRole::Authority)?;
    let demand = Demand {
        id,
        domain: tx.domain().clone(),
        requester: tx.party(&requester),
        title: title.to_owned(),
        text: wanted.to_owned(),
        state: DemandState::Filed,
        owner: Some(owner),
        provider: None,
        entry: None,
        notes: Vec::new(),
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    store(tx, &demand, &[("title", title), ("text", wanted)]);
    Ok(Outcome::Done(Some(name(&demand))))
}

fn store(tx: &mut Tx<'_>, demand: &Demand, texts: &[(&str, &str)]) {
    let name = name(demand);
    let owner = demand.owner.as_ref().map(|owner| {
        ResourceName::new(owner.domain.clone(), Resource::Organization(owner.organization))
    });
    let fact = Fact::DemandMoved { state: word(demand.state).to_owned(), owner };
    ledger::append(tx, &name, fact, None, texts);
    tx.put(&keys::demand(&demand.domain, demand.id), demand);
    tx.emit(Event::ResourceChanged(name));
}

/// Moves a demand to `state` with its next owner.
fn step(
    tx: &mut Tx<'_>,
    demand: Demand,
    state: DemandState,
    owner: Option<Party>,
    note: &str,
) -> Outcome {
    let mut demand =
        Demand { state, owner, version: demand.version + 1, updated_time: tx.clock, ..demand };
    demand.notes.push(note.to_owned());
    store(tx, &demand, &[("note", note)]);
    Outcome::Done(Some(name(&demand)))
}

pub(crate) fn pre_review(
    tx: &mut Tx<'_>,
    demand: &ResourceName,
    version: u64,
    note: &str,
) -> Result<Outcome, Refusal> {
    let demand = known(tx, demand, version)?;
    if !is_platform(tx) {
        return Err(not_permitted(tx, "the platform"));
    }
    check_state(&demand, &[DemandState::Filed], "a demand just filed")?;
    text::check_reason("note", note)?;
    let owner = demand.owner.clone();
    Ok(step(tx, demand, DemandState::PreReviewed, owner, note))
}

pub(crate) fn route(
    tx: &mut Tx<'_>,
    demand: &ResourceName,
    version: u64,
    provider: OrganizationId,
    note: &str,
) -> Result<Outcome, Refusal> {
    let mut demand = known(tx, demand, version)?;
    let may =
        if demand.state == DemandState::Disputed { is_authority(tx) } else { is_platform(tx) };
    if !may {
        return Err(not_permitted(tx, "the platform; after a dispute the authority"));
    }
    let wanted = [DemandState::PreReviewed, DemandState::Disputed];
    check_state(&demand, &wanted, "a demand that was reviewed or is disputed")?;
    text::check_reason("note", note)?;
    let provider = on_file(tx, provider)?;
    let party = tx.party(&provider);
    demand.provider = Some(party.clone());
    Ok(step(tx, demand, DemandState::Routed, Some(party), note))
}

pub(crate) fn answer(
    tx: &mut Tx<'_>,
    demand: &ResourceName,
    version: u64,
    confirmed: bool,
    note: &str,
) -> Result<Outcome, Refusal> {
    let demand = known(tx, demand, version)?;
    check_provider(tx, &demand)?;
    check_state(&demand, &[DemandState::Routed], "a demand that was routed")?;
    text::check_reason("note", note)?;
    if confirmed {
        let owner = demand.owner.clone();
        return Ok(step(tx, demand, DemandState::Confirmed, owner, note));
    }
    let owner = platform(tx, PlatformRole::Authority, PlatformRole::PlatformManager)?;
    Ok(step(tx, demand, DemandState::Disputed, Some(owner), note))
}

fn check_provider(tx: &Tx<'_>, demand: &Demand) -> Result<(), Refusal> {
    let called = tx.caller_organization().is_some_and(|caller| {
        demand.provider.as_ref().is_some_and(|provider| provider.organization == caller.id)
    });
    if called { Ok(()) } else { Err(not_permitted(tx, "the organization it was routed to")) }
}

pub(crate) fn supply(
    tx: &mut Tx<'_>,
    demand: &ResourceName,
    version: u64,
    entry: &ResourceName,
) -> Result<Outcome, Refusal> {
    let mut demand = known(tx, demand, version)?;
    if !is_platform(tx) {
        check_provider(tx, &demand)?;
    }
    let wanted = [DemandState::PreReviewed, DemandState::Routed, DemandState::Confirmed];
    check_state(&demand, &wanted, "a demand that was reviewed, routed or confirmed")?;
    let Resource::Entry(id) = entry.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", entry));
    };
    if tx.get::<CatalogEntry>(&keys::published_entry(&entry.domain, id)).is_none() {
        return Err(Refusal::new(Reason::EntryNotAvailable));
    }
    demand.entry = Some(entry.clone());
    Ok(step(tx, demand, DemandState::Supplied, None, &entry.to_string()))
}

pub(crate) fn close(
    tx: &mut Tx<'_>,
    demand: &ResourceName,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let demand = known(tx, demand, version)?;
    let own =
        tx.caller_organization().is_some_and(|caller| caller.id == demand.requester.organization);
    if !own && !is_platform(tx) {
        return Err(not_permitted(tx, "the platform, or whoever filed it"));
    }
    if !demand.state.is_open() {
        check_state(&demand, &[], "an open demand")?;
    }
    text::check_reason("reason", reason)?;
    Ok(step(tx, demand, DemandState::Closed, None, reason))
}
