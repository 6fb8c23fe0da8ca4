//! The fork: the first record of a new generation, and with it the outage that it ends.
//!
//! One command does both, before any clock moves: what fell due while nobody served is marked
//! before it can fire. Behind it the history is another one, so the generation in every record,
//! key and head is new from the next command on. Cells that this cluster keeps for others are
//! unconfirmed from then on by themselves, because they name the generation for which they hold.

use std::sync::Arc;

use catalog_model::{
    reason::Reason,
    refusal::Refusal,
    site::Mode,
    time::UtcMillis,
    witness::{
        Act, Release, Verdict,
        approval::{self, Wanted},
    },
};

use super::{by_node, persons, policy_of, sites, texts};
use crate::{
    apply::{cluster::operates, law::outage, text},
    command::sites::{Attested, Fork},
    event::Event,
    keys,
    ledger::{self, Fact, Ledger},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::{
        ClusterConfig,
        sites::{CellRow, ForkRow, SitesRow, Switchover},
    },
    tx::Tx,
};

fn refused(en: &str, zh: &str) -> Refusal {
    Refusal::new(Reason::ForkRefused).fact("cause", en).fact("cause_zh", zh)
}

pub(super) fn record(tx: &mut Tx<'_>, law: &Law, fork: &Fork) -> Result<Outcome, Refusal> {
    by_node(tx)?;
    let before = sites(tx);
    let domain = tx.domain_name();
    let generation = tx.cluster.generation;
    if let Some(known) = tx.get::<ForkRow>(&keys::sites::fork(fork.pair.generation)) {
        // A leader that does not know what became of its first entry says it again.
        let same = known.pair == fork.pair && known.from == fork.from;
        return if same {
            Ok(Outcome::Done(Some(domain)))
        } else {
            Err(refused("another fork began this generation", "该代次已由另一分叉开启"))
        };
    }
    check(fork, generation, before.as_ref())?;
    if let Some(row) = &before {
        check_approvals(tx, fork, row)?;
    }
    let last_time: UtcMillis = tx.get(&keys::meta::clock()).unwrap_or(tx.clock);
    let tree_size = tx.counters().ledger;
    let root = tx.reading(|store| Ledger(store).root(tree_size)).expect("its own size");
    let fact = Fact::Forked {
        from: fork.from.to_string(),
        pair: fork.pair.to_string(),
        site: fork.site.to_string(),
        tree_size,
        root,
        greatest_head: fork.greatest_head.as_ref().map(|head| head.tree_size),
        verdict: fork.verdict.name().to_owned(),
        missing: fork.missing.clone(),
        attested: fork.attested.time,
        attested_by_nodes: fork.attested.nodes.clone(),
    };
    // From here on it is the new generation that writes.
    let cluster = ClusterConfig { generation: fork.pair.generation, ..(*tx.cluster).clone() };
    tx.put(&keys::meta::cluster(), &cluster);
    tx.cluster = Arc::new(cluster);
    let said = persons(&fork.approvals);
    let record = ledger::append(tx, &domain, fact, None, &texts(&said, &[]));
    if !tx.cluster.development_clock {
        tx.clock = tx.clock.max(fork.attested.time);
    }
    let source = second_source(fork);
    let until = tx.clock;
    let outage = outage::of_fork(tx, law, (last_time, until), &source);
    let proven = fork.verdict == Verdict::ProvenZero;
    let row = ForkRow {
        from: fork.from,
        pair: fork.pair,
        site: fork.site.clone(),
        tree_size,
        root,
        greatest_head: fork.greatest_head.clone(),
        verdict: fork.verdict,
        missing: fork.missing.clone(),
        approvals: fork.approvals.clone(),
        attested: fork.attested.clone(),
        last_time,
        outage,
        record,
        window_closed: proven.then_some(tx.clock),
        index: tx.index,
    };
    tx.put(&keys::sites::fork(fork.pair.generation), &row);
    if before.is_some() {
        let row = SitesRow {
            pair: fork.pair,
            active: fork.site.clone(),
            mode: Mode::Async,
            since_index: tx.index,
            since_time: tx.clock,
            acts_released: false,
            without_witness: fork.cell.is_none(),
        };
        tx.put(&keys::meta::sites(), &row);
    }
    if let Some(cell) = &fork.cell {
        let row = CellRow { cell: (**cell).clone(), time: tx.clock };
        tx.put(&keys::sites::own_cell(), &row);
    }
    end_switchover(tx);
    tx.emit(Event::ResourceChanged(domain.clone()));
    Ok(Outcome::Done(Some(domain)))
}

/// Two persons approved this opening. What they approved may begin at a failover after `from` that
/// never opened; its pair leads to this one. Where the witness took the approvals, it has judged
/// whether they were alive; else the time that they attest does.
fn check_approvals(tx: &Tx<'_>, fork: &Fork, row: &SitesRow) -> Result<(), Refusal> {
    let first = fork.approvals.first().map(|approval| &approval.statement);
    let later = first.filter(|of| of.pair > fork.from && of.pair.failed_over() == fork.pair);
    let (pair, from) = later.map_or((fork.from, &row.active), |of| (of.pair, &of.from));
    if pair.failed_over() != fork.pair {
        return Err(refused(
            &format!("the approvals are of {pair}, which does not lead to {}", fork.pair),
            &format!("批准针对 {pair}，不能开启 {}", fork.pair),
        ));
    }
    let approvers = policy_of(tx).map(|policy| policy.content.approvers).unwrap_or_default();
    let wanted = Wanted {
        domain: tx.domain(),
        act: Act::Failover,
        from,
        to: &fork.site,
        pair,
        now: if fork.cell.is_some() { UtcMillis(0) } else { fork.attested.time },
        approvers: &approvers,
    };
    approval::check(&fork.approvals, &wanted).map(|_| ()).map_err(|refusal| refusal.refusal())
}

/// A record that claims more than is known, or does not follow what it leaves, is none.
fn check(fork: &Fork, generation: u64, before: Option<&SitesRow>) -> Result<(), Refusal> {
    let Fork { from, pair, verdict, missing, cell, attested, .. } = fork;
    // Failovers that never opened count up too.
    if pair.generation <= generation || pair.epoch <= from.epoch || from.generation != generation {
        return Err(refused(
            &format!("{pair} does not follow {from}, which is generation {generation} here"),
            &format!("{pair} 未接续 {from}，此处代次为 {generation}"),
        ));
    }
    if before.is_some_and(|row| row.pair > *from) {
        return Err(refused("this history is of a later epoch", "本历史属于更新的纪元"));
    }
    let unknown = *verdict == Verdict::Unknown;
    if unknown == missing.is_empty() || missing.len() > 32 {
        return Err(refused(
            "only what is unknown misses something, and that is named",
            "仅当结论为 unknown 时须列明缺失内容",
        ));
    }
    for missing in missing {
        text::check("fork.missing", missing)?;
    }
    let best = match cell.as_deref() {
        None => Verdict::Unknown,
        Some(cell) => {
            let failover = cell.failover.as_ref().filter(|_| cell.pair == *pair);
            let Some(failover) = failover else {
                return Err(refused(
                    &format!("the cell has no failover to {pair} in progress"),
                    &format!("见证记录中没有正在进行的至 {pair} 的强制接管"),
                ));
            };
            failover.best_verdict()
        }
    };
    let released = before.is_some_and(|row| row.without_witness && row.mode == Mode::Async);
    let best = if released && best == Verdict::ProvenZero { Verdict::Unknown } else { best };
    if *verdict < best {
        return Err(refused(
            &format!("what was found allows {} at best", best.name()),
            &format!("依据所见状态，结论至多为 {}", best.name()),
        ));
    }
    let Attested { nodes, .. } = attested;
    if !(nodes.is_empty() || (nodes.len() == 2 && nodes[0] != nodes[1])) {
        return Err(refused("two nodes attest the time, or none", "须由两个节点证明时间"));
    }
    Ok(())
}

/// Who else says that there was an outage: the witness; where there was none, the approvers.
fn second_source(fork: &Fork) -> String {
    if let (Some(witness), Some(cell)) = (&fork.witness, &fork.cell) {
        return format!("witness {witness}, cell revision {}", cell.revision);
    }
    let unsure = fork.approvals.iter().any(|of| of.statement.release != Release::No);
    let word = if unsure { "; a release was not ruled out" } else { "" };
    format!("two approvers of failover {}{word}", fork.pair)
}

/// What the old generation had under way ends with it.
fn end_switchover(tx: &mut Tx<'_>) {
    use crate::rows::sites::{SwitchoverAt, SwitchoverState};
    let Some((_, bytes)) = tx.last_row(&keys::sites::switchovers()) else { return };
    let mut row: Switchover = crate::codec::decode(&bytes).expect("rows are ours");
    if !row.state().is_over() {
        let state = SwitchoverState::Aborted;
        row.steps.push(SwitchoverAt { state, time: tx.clock, index: tx.index });
        tx.put(&keys::sites::switchover(row.number), &row);
    }
}

/// Whether neighbours have not been asked yet what they hold beyond the newest fork.
pub(crate) fn window_is_open(tx: &Tx<'_>) -> bool {
    tx.level >= 4
        && tx.last_row(&keys::sites::forks()).is_some_and(|(_, bytes)| {
            let row: ForkRow = crate::codec::decode(&bytes).expect("rows are ours");
            row.window_closed.is_none()
        })
}

pub(super) fn close_window(
    tx: &mut Tx<'_>,
    generation: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    text::check_reason("reason", reason)?;
    let key = keys::sites::fork(generation);
    let Some(row) = tx.get::<ForkRow>(&key) else {
        return Err(refused("no fork began this generation", "该代次并非由分叉开启"));
    };
    let domain = tx.domain_name();
    if row.window_closed.is_none() {
        tx.put(&key, &ForkRow { window_closed: Some(tx.clock), ..row });
        let fact = Fact::WindowClosed { generation };
        ledger::append(tx, &domain, fact, None, &[("reason", reason)]);
        tx.emit(Event::ResourceChanged(domain.clone()));
    }
    Ok(Outcome::Done(Some(domain)))
}
