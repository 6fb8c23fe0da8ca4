//! What becomes of a write to a cell: all of the witness's rules.

use super::{ACTS_MAX, ActAtRisk, Cell, Confirmation};
use super::{
    Act, Approval, CellRefusal, CellWrite, Deposit, Failover, Found, LEASE_MS, Lease, Opened,
    Release, SEALS_MAX, SITES, Seal, Verdict, Writer, approval, approval::Wanted,
};
use crate::{
    ids::DomainId,
    name::ResourceName,
    site::{Mode, Pair, SiteId},
    time::UtcMillis,
};

/// What a write comes with.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The watched domain.
    pub domain: &'a DomainId,
    /// The revision that the writer read; 0 = there was no cell.
    pub revision: u64,
    /// The node that writes; absent for operators.
    pub writer: Option<&'a Writer>,
    /// The witness's committed clock. Only the end of approvals is held against it.
    pub now: UtcMillis,
    /// Generation of the witness's own cluster.
    pub witness_generation: u64,
}

/// The cell after `write`, or why it is not written. The same cell with the same revision = it was
/// so already: whoever does not know what became of a write may say it again, once it has read.
pub fn decide(
    cell: Option<&Cell>,
    write: &CellWrite,
    context: &Context<'_>,
) -> Result<Cell, CellRefusal> {
    let revision = cell.map_or(0, |cell| cell.revision);
    if context.revision != revision {
        return Err(CellRefusal::Changed { revision });
    }
    if let (None, CellWrite::Register { sites, active, mode, approvers, .. }) = (cell, write) {
        return first(sites, active, *mode, approvers, context);
    }
    let before = cell.ok_or(CellRefusal::Unregistered)?;
    let mut next = before.clone();
    if next.confirmation.witness_generation != context.witness_generation {
        // Whatever was confirmed before may be forgotten, and no lease of before is renewed.
        next.confirmation = Confirmation {
            witness_generation: context.witness_generation,
            ..Confirmation::default()
        };
        next.lease = None;
    }
    match write {
        CellWrite::Register { sites, active, mode, approvers, approvals } => {
            register(&mut next, (sites, active, *mode), approvals, context)?;
            next.approvers.clone_from(approvers);
        }
        CellWrite::Take => {
            lead(&mut next, context)?;
        }
        CellWrite::SetMode { mode } => set_mode(&mut next, *mode, context)?,
        CellWrite::Renew { deposit, named } => renew(&mut next, deposit.as_ref(), named, context)?,
        CellWrite::Switch { approvals } => switch(&mut next, approvals, context)?,
        CellWrite::BeginFailover { to, approvals } => begin(&mut next, to, approvals, context)?,
        CellWrite::ReportSeal { seal } => report_seal(&mut next, seal, context)?,
        CellWrite::Open { verdict, nodes } => open(&mut next, *verdict, nodes, context)?,
        CellWrite::Confirm => confirm(&mut next, context)?,
        CellWrite::ConfirmByApproval { approvals } => vouch(&mut next, approvals, context)?,
    }
    if next != *before {
        next.revision += 1;
    }
    Ok(next)
}

/// The first word of a domain. It is believed once a node of each other site says the same: a
/// witness that lost everything looks like one that never was.
fn first(
    sites: &[SiteId],
    active: &SiteId,
    mode: Mode,
    approvers: &[ResourceName],
    context: &Context<'_>,
) -> Result<Cell, CellRefusal> {
    let writer = context.writer.ok_or(CellRefusal::NotANode)?;
    check_sites(sites, active, writer)?;
    Ok(Cell {
        revision: 1,
        pair: writer.pair,
        active_site: active.clone(),
        sites: sites.to_vec(),
        mode,
        term: writer.term,
        by: writer.node,
        lease: None,
        deposit: None,
        failover: None,
        approvers: approvers.to_vec(),
        confirmation: Confirmation {
            witness_generation: context.witness_generation,
            registered: true,
            sites: vec![active.clone()],
        },
        opened: None,
    })
}

fn check_sites(sites: &[SiteId], active: &SiteId, writer: &Writer) -> Result<(), CellRefusal> {
    let ascending = sites.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascending || !SITES.contains(&sites.len()) || !sites.contains(active) {
        return Err(CellRefusal::SiteUnknown);
    }
    if writer.site != *active {
        return Err(CellRefusal::NotActive { active: active.clone() });
    }
    Ok(())
}

fn register(
    cell: &mut Cell,
    (sites, active, mode): (&[SiteId], &SiteId, Mode),
    approvals: &[Approval],
    context: &Context<'_>,
) -> Result<(), CellRefusal> {
    let writer = context.writer.ok_or(CellRefusal::NotANode)?;
    check_sites(sites, active, writer)?;
    if writer.pair < cell.pair {
        return Err(CellRefusal::PairDiffers { pair: cell.pair });
    }
    if cell.is_confirmed(context.witness_generation) {
        return register_again(cell, (sites, active, mode), writer, approvals, context);
    }
    // What was forgotten may include a failover, or that one opened: the nodes say it again. It
    // counts once a node of each site has said the same.
    if writer.pair.generation > cell.pair.generation {
        cell.deposit = None;
    } else if cell.failover.is_none() {
        check_term(cell, writer)?;
    }
    let others = writer.pair != cell.pair;
    cell.pair = writer.pair;
    cell.failover = None;
    cell.active_site = active.clone();
    cell.sites = sites.to_vec();
    cell.mode = mode;
    cell.lease = None;
    (cell.term, cell.by) = (writer.term, writer.node);
    cell.confirmation.registered = true;
    // Whoever answered with another pair has not answered.
    cell.confirmation.sites.retain(|site| !others && sites.contains(site));
    answered(cell, active);
    Ok(())
}

/// To a witness that remembers, a leader says which sites and approvers there are, or that a
/// failover happened while no witness could be reached.
fn register_again(
    cell: &mut Cell,
    (sites, active, mode): (&[SiteId], &SiteId, Mode),
    writer: &Writer,
    approvals: &[Approval],
    context: &Context<'_>,
) -> Result<(), CellRefusal> {
    no_failover(cell)?;
    if writer.pair == cell.pair {
        check_term(cell, writer)?;
        if *active != cell.active_site {
            return Err(CellRefusal::NotActive { active: cell.active_site.clone() });
        }
        if mode != cell.mode {
            return Err(CellRefusal::ModeWrong { mode: cell.mode });
        }
        // A loan to an earlier term is over; this leader takes its own.
        cell.lease = cell.lease.filter(|lease| lease.term == writer.term);
    } else {
        if writer.pair != cell.pair.failed_over() {
            return Err(CellRefusal::PairDiffers { pair: cell.pair });
        }
        let from = cell.active_site.clone();
        check_approvals(cell, approvals, Act::Failover, (&from, active), cell.pair, context)?;
        cell.opened = Some(Opened {
            pair: writer.pair,
            verdict: Verdict::Unknown,
            nodes: vec![writer.node],
            time: context.now,
        });
        cell.pair = writer.pair;
        cell.active_site = active.clone();
        cell.mode = mode;
        cell.deposit = None;
        cell.lease = None;
    }
    cell.sites = sites.to_vec();
    cell.confirmation.sites.clone_from(&cell.sites);
    (cell.term, cell.by) = (writer.term, writer.node);
    Ok(())
}

/// The writer is a leader of this opening; from now on the cell is its. Whoever takes it at the
/// active site in async gets a lease of its own term.
fn lead<'a>(cell: &mut Cell, context: &Context<'a>) -> Result<&'a Writer, CellRefusal> {
    let writer = context.writer.ok_or(CellRefusal::NotANode)?;
    same_pair(cell, writer)?;
    no_failover(cell)?;
    check_term(cell, writer)?;
    if !cell.sites.contains(&writer.site) {
        return Err(CellRefusal::SiteUnknown);
    }
    let fresh = cell.lease.is_none_or(|lease| lease.term != writer.term);
    (cell.term, cell.by) = (writer.term, writer.node);
    if cell.mode == Mode::Async && fresh {
        let may = writer.site == cell.active_site && cell.is_confirmed(context.witness_generation);
        cell.lease = may.then(|| lease_of(writer.term));
    }
    Ok(writer)
}

fn lease_of(term: u64) -> Lease {
    Lease { term, length_ms: LEASE_MS, renewals: 0 }
}

fn same_pair(cell: &Cell, writer: &Writer) -> Result<(), CellRefusal> {
    if writer.pair == cell.pair {
        Ok(())
    } else {
        Err(CellRefusal::PairDiffers { pair: cell.pair })
    }
}

fn no_failover(cell: &Cell) -> Result<(), CellRefusal> {
    match cell.failover {
        Some(_) => Err(CellRefusal::FailoverInProgress { pair: cell.pair }),
        None => Ok(()),
    }
}

fn check_term(cell: &Cell, writer: &Writer) -> Result<(), CellRefusal> {
    let past = writer.term < cell.term || (writer.term == cell.term && writer.node != cell.by);
    if past { Err(CellRefusal::TermPast { term: cell.term }) } else { Ok(()) }
}

fn active(cell: &Cell, writer: &Writer) -> Result<(), CellRefusal> {
    if writer.site == cell.active_site {
        Ok(())
    } else {
        Err(CellRefusal::NotActive { active: cell.active_site.clone() })
    }
}

fn confirmed(cell: &Cell, context: &Context<'_>) -> Result<(), CellRefusal> {
    if cell.is_confirmed(context.witness_generation) {
        Ok(())
    } else {
        Err(CellRefusal::Unconfirmed)
    }
}

fn set_mode(cell: &mut Cell, mode: Mode, context: &Context<'_>) -> Result<(), CellRefusal> {
    let writer = lead(cell, context)?;
    active(cell, writer)?;
    if mode == cell.mode {
        return Ok(());
    }
    match mode {
        Mode::Sync => cell.lease = None,
        Mode::Async => {
            confirmed(cell, context)?;
            cell.lease = Some(lease_of(writer.term));
            // Which acts are at risk is counted anew; how far was deposited never falls.
            if let Some(deposit) = &mut cell.deposit {
                deposit.acts = 0;
            }
        }
    }
    cell.mode = mode;
    Ok(())
}

fn renew(
    cell: &mut Cell,
    deposit: Option<&Deposit>,
    named: &[ActAtRisk],
    context: &Context<'_>,
) -> Result<(), CellRefusal> {
    let writer = context.writer.ok_or(CellRefusal::NotANode)?;
    same_pair(cell, writer)?;
    no_failover(cell)?;
    check_term(cell, writer)?;
    active(cell, writer)?;
    if cell.mode != Mode::Async {
        return Err(CellRefusal::ModeWrong { mode: cell.mode });
    }
    confirmed(cell, context)?;
    let lease = cell.lease.as_mut().filter(|lease| lease.term == writer.term);
    lease.ok_or(CellRefusal::LeaseElsewhere)?.renewals += 1;
    match deposit {
        Some(deposit) => {
            check_deposit(cell.deposit.as_ref(), deposit, named)?;
            cell.deposit = Some(deposit.clone());
        }
        None if !named.is_empty() => return Err(CellRefusal::ActsWrong),
        None => {}
    }
    Ok(())
}

fn check_deposit(
    held: Option<&Deposit>,
    deposit: &Deposit,
    named: &[ActAtRisk],
) -> Result<(), CellRefusal> {
    let (index, size, acts) =
        held.map_or((0, 0, 0), |held| (held.index, held.ledger_size, held.acts));
    let same = deposit.index == index;
    let falls = deposit.index < index || deposit.ledger_size < size;
    if falls || (same && held.is_some_and(|held| held.root != deposit.root)) {
        return Err(CellRefusal::DepositFalls { index });
    }
    let ordered = named.windows(2).all(|pair| pair[0] < pair[1]);
    let within = named.iter().all(|act| index < act.index && act.index <= deposit.index);
    let counted = deposit.acts == acts + named.len() as u64;
    if ordered && within && counted && named.len() <= ACTS_MAX {
        Ok(())
    } else {
        Err(CellRefusal::ActsWrong)
    }
}

fn switch(
    cell: &mut Cell,
    approvals: &[Approval],
    context: &Context<'_>,
) -> Result<(), CellRefusal> {
    let writer = lead(cell, context)?;
    confirmed(cell, context)?;
    // In async the target may lack what was acknowledged.
    if cell.mode != Mode::Sync {
        return Err(CellRefusal::ModeWrong { mode: cell.mode });
    }
    let from = cell.active_site.clone();
    if writer.site == from {
        return Err(CellRefusal::NotActive { active: from });
    }
    let direction = (&from, &writer.site);
    check_approvals(cell, approvals, Act::Switchover, direction, cell.pair, context)?;
    cell.pair = cell.pair.switched();
    cell.active_site = writer.site.clone();
    Ok(())
}

fn begin(
    cell: &mut Cell,
    to: &SiteId,
    approvals: &[Approval],
    context: &Context<'_>,
) -> Result<(), CellRefusal> {
    if !cell.sites.contains(to) {
        return Err(CellRefusal::SiteUnknown);
    }
    let believed = cell.is_confirmed(context.witness_generation);
    // A witness that forgot goes by the greatest pair of the nodes, which the approvers have seen.
    let (pair, from) = match approvals.first().filter(|_| !believed) {
        Some(Approval { statement, .. }) if cell.sites.contains(&statement.from) => {
            (statement.pair.max(cell.pair), statement.from.clone())
        }
        _ => (cell.pair, cell.active_site.clone()),
    };
    let said = check_approvals(cell, approvals, Act::Failover, (&from, to), pair, context)?;
    let (found, release) = if let Some(earlier) = cell.failover.take() {
        // It never opened, so what it found still holds.
        let confirmed = earlier.found.confirmed && believed;
        (Found { confirmed, ..earlier.found }, earlier.release.max(said))
    } else {
        let found = Found {
            pair,
            site: from,
            mode: cell.mode,
            lease: cell.lease,
            deposit: cell.deposit.clone(),
            confirmed: believed,
        };
        (found, said)
    };
    cell.failover = Some(Failover {
        found,
        release,
        approvals: approvals.to_vec(),
        seals: Vec::new(),
        begun_time: context.now,
    });
    cell.pair = pair.failed_over();
    cell.active_site = to.clone();
    cell.mode = Mode::Async;
    cell.lease = None;
    cell.deposit = None;
    Ok(())
}

fn report_seal(cell: &mut Cell, seal: &Seal, context: &Context<'_>) -> Result<(), CellRefusal> {
    let writer = context.writer.ok_or(CellRefusal::NotANode)?;
    let pair = cell.pair;
    let failover = cell.failover.as_mut().ok_or(CellRefusal::NoFailover)?;
    // It still belongs to what it was sealed against; a node of this opening or a later one is not
    // sealed for it.
    let own = (seal.node, &seal.site, seal.belonged) == (writer.node, &writer.site, writer.pair);
    if !own || seal.belonged >= pair {
        return Err(CellRefusal::PairDiffers { pair });
    }
    if seal.site != cell.active_site {
        return Err(CellRefusal::SealElsewhere { site: cell.active_site.clone() });
    }
    match failover.seals.binary_search_by_key(&seal.node, |known| known.node) {
        Ok(place) if failover.seals[place] == *seal => Ok(()),
        Ok(_) => Err(CellRefusal::SealDiffers { node: seal.node }),
        Err(_) if failover.seals.len() >= SEALS_MAX => {
            Err(CellRefusal::SealElsewhere { site: cell.active_site.clone() })
        }
        Err(place) => {
            failover.seals.insert(place, seal.clone());
            Ok(())
        }
    }
}

fn open(
    cell: &mut Cell,
    verdict: Verdict,
    nodes: &[u64],
    context: &Context<'_>,
) -> Result<(), CellRefusal> {
    let writer = context.writer.ok_or(CellRefusal::NotANode)?;
    same_pair(cell, writer)?;
    let failover = cell.failover.as_ref().ok_or(CellRefusal::NoFailover)?;
    active(cell, writer)?;
    let sealed = failover.seals.iter().find(|seal| seal.node == writer.node);
    let end = sealed.map(|seal| (seal.last_term, seal.last_index));
    // Its term begins far after the last one of its log.
    let later = end.is_some_and(|(term, _)| writer.term > term);
    if end.is_none() || end != failover.greatest() || !later {
        return Err(CellRefusal::NotPromotable);
    }
    let best = failover.best_verdict();
    if verdict < best {
        return Err(CellRefusal::VerdictTooGood { best });
    }
    let each_once = nodes.windows(2).all(|pair| pair[0] < pair[1]);
    if !each_once || nodes.len() > SEALS_MAX || !nodes.contains(&writer.node) {
        return Err(CellRefusal::NodesWrong);
    }
    cell.failover = None;
    cell.opened =
        Some(Opened { pair: cell.pair, verdict, nodes: nodes.to_vec(), time: context.now });
    (cell.term, cell.by) = (writer.term, writer.node);
    cell.lease = Some(lease_of(writer.term));
    // Two persons have said what is; no site that was left behind is waited for.
    cell.confirmation.registered = true;
    cell.confirmation.sites.clone_from(&cell.sites);
    Ok(())
}

fn confirm(cell: &mut Cell, context: &Context<'_>) -> Result<(), CellRefusal> {
    let writer = context.writer.ok_or(CellRefusal::NotANode)?;
    no_failover(cell)?;
    if !cell.sites.contains(&writer.site) {
        return Err(CellRefusal::SiteUnknown);
    }
    let believed = cell.is_confirmed(context.witness_generation);
    if writer.pair < cell.pair || (believed && writer.pair > cell.pair) {
        return Err(CellRefusal::PairDiffers { pair: cell.pair });
    }
    if writer.pair > cell.pair {
        // What registered here was left behind; the leader of this pair is to register.
        if writer.pair.generation > cell.pair.generation {
            cell.deposit = None;
        }
        cell.pair = writer.pair;
        cell.mode = Mode::Async;
        cell.lease = None;
        cell.confirmation.registered = false;
        cell.confirmation.sites.clear();
    }
    answered(cell, &writer.site);
    Ok(())
}

fn answered(cell: &mut Cell, site: &SiteId) {
    if let Err(place) = cell.confirmation.sites.binary_search(site) {
        cell.confirmation.sites.insert(place, site.clone());
    }
}

fn vouch(
    cell: &mut Cell,
    approvals: &[Approval],
    context: &Context<'_>,
) -> Result<(), CellRefusal> {
    no_failover(cell)?;
    let site = cell.active_site.clone();
    check_approvals(cell, approvals, Act::ConfirmWitness, (&site, &site), cell.pair, context)?;
    if !cell.confirmation.registered {
        return Err(CellRefusal::Unconfirmed);
    }
    cell.confirmation.sites.clone_from(&cell.sites);
    Ok(())
}

fn check_approvals(
    cell: &Cell,
    approvals: &[Approval],
    act: Act,
    (from, to): (&SiteId, &SiteId),
    pair: Pair,
    context: &Context<'_>,
) -> Result<Release, CellRefusal> {
    let wanted = Wanted {
        domain: context.domain,
        act,
        from,
        to,
        pair,
        now: context.now,
        approvers: &cell.approvers,
    };
    approval::check(approvals, &wanted)
}
