//! The witness: a cell for each watched domain, written by the rules of the model, and at the
//! watched domain what its witness said.

use catalog_model::{
    caller::Identity,
    ids::DomainId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    witness::{self, Cell, CellWrite, Context, Writer},
};

use super::{by_node, persons, texts};
use crate::{
    event::Event,
    keys::{self, Key},
    ledger::{self, Fact},
    machine::not_permitted,
    outcome::Outcome,
    rows::sites::CellRow,
    tx::Tx,
};

pub(super) fn write(
    tx: &mut Tx<'_>,
    domain: &DomainId,
    revision: u64,
    writer: Option<&Writer>,
    write: &CellWrite,
) -> Result<Outcome, Refusal> {
    check_writer(tx, domain, writer)?;
    if domain == tx.domain() || !tx.has(&keys::peer(domain)) {
        return Err(Refusal::new(Reason::DomainUnknown).fact("domain", domain));
    }
    let name = ResourceName::new(domain.clone(), Resource::Domain);
    let key = keys::sites::cell(domain);
    let before = tx.get::<CellRow>(&key).map(|row| row.cell);
    let context = Context {
        domain,
        revision,
        writer,
        now: tx.clock,
        witness_generation: tx.cluster.generation,
    };
    let cell = witness::decide(before.as_ref(), write, &context)
        .map_err(|refusal| refusal.refusal().fact("domain", domain))?;
    if before.as_ref() == Some(&cell) {
        return Ok(Outcome::Done(Some(name)));
    }
    keep_acts(tx, domain, before.as_ref(), &cell, write);
    tx.put(&key, &CellRow { cell: cell.clone(), time: tx.clock });
    // A lease is renewed every five seconds, and every head in a deposit reaches other ledgers by
    // its cosignatures: a record for each would drown what somebody did.
    if !matches!(write, CellWrite::Renew { .. }) {
        let fact = Fact::CellWritten {
            domain: domain.clone(),
            write: write.name().to_owned(),
            revision: cell.revision,
            pair: cell.pair.to_string(),
            site: cell.active_site.to_string(),
            mode: cell.mode.name().to_owned(),
        };
        let persons = persons(write.approvals());
        ledger::append(tx, &name, fact, None, &texts(&persons, &[]));
    }
    tx.emit(Event::ResourceChanged(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

/// A node of the watched domain writes as itself; what only approvals can bring about may also
/// come from anybody else for whom that domain vouches.
fn check_writer(tx: &Tx<'_>, domain: &DomainId, writer: Option<&Writer>) -> Result<(), Refusal> {
    let theirs = tx.caller.domain == *domain;
    let may = match (&tx.caller.identity, writer) {
        (Identity::Node { id }, Some(writer)) => *id == writer.node.to_string(),
        (_, Some(_)) => false,
        (_, None) => true,
    };
    if theirs && may {
        Ok(())
    } else {
        Err(not_permitted(tx, "the watched domain, and for a node that node itself"))
    }
}

/// Names of acts at risk lie beside the cell: as long as one site alone holds them, and through a
/// failover until its record is filed; a later spell of async begins anew.
fn keep_acts(
    tx: &mut Tx<'_>,
    domain: &DomainId,
    before: Option<&Cell>,
    after: &Cell,
    write: &CellWrite,
) {
    match write {
        CellWrite::Renew { named, .. } => {
            for act in named {
                let key = keys::sites::act_at_risk(domain, after.pair.generation, act.index);
                // Two acts of one index are two things that one command made.
                let mut names = tx.get::<Vec<ResourceName>>(&key).unwrap_or_default();
                names.push(act.name.clone());
                tx.put(&key, &names);
            }
        }
        CellWrite::SetMode { .. } if before.is_some_and(|before| before.mode != after.mode) => {
            let prefix = keys::sites::acts_at_risk(domain);
            for (key, _) in tx.rows(&prefix, usize::MAX) {
                tx.delete(&Key::from_stored(key));
            }
        }
        _ => {}
    }
}

pub(super) fn note(tx: &mut Tx<'_>, cell: &Cell) -> Result<Outcome, Refusal> {
    by_node(tx)?;
    let domain = tx.domain_name();
    let key = keys::sites::own_cell();
    let before = tx.get::<CellRow>(&key).map(|row| row.cell);
    // A restored witness counts its revisions anew: only what it says can be compared.
    let said = |cell: &Cell| {
        (cell.pair, cell.active_site.clone(), cell.mode, cell.failover.is_some(), cell.by)
    };
    if before.as_ref().is_none_or(|before| said(before) != said(cell)) {
        let fact = Fact::CellNoted {
            revision: cell.revision,
            pair: cell.pair.to_string(),
            site: cell.active_site.to_string(),
            mode: cell.mode.name().to_owned(),
        };
        ledger::append(tx, &domain, fact, None, &[]);
        tx.emit(Event::ResourceChanged(domain.clone()));
    }
    tx.put(&key, &CellRow { cell: cell.clone(), time: tx.clock });
    Ok(Outcome::Done(Some(domain)))
}
