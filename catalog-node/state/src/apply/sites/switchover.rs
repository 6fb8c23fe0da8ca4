//! A planned switchover: a record that whoever leads next goes on with.
//!
//! The record only says how far it is; what is to be done in each state is the leader's affair. It
//! goes one state after the other, back by `abort` until the cell names the target, and from there
//! only forward.

use catalog_model::{
    reason::Reason,
    refusal::Refusal,
    site::{Mode, SiteId},
    witness::{Act, Approval},
};

use super::{by_node, check_approved, needs_sites, persons, texts};
use crate::{
    apply::cluster::operates,
    event::Event,
    keys::{self, Key},
    ledger::{self, Fact},
    machine::not_permitted,
    outcome::Outcome,
    rows::{
        Members,
        sites::{SitesRow, Switchover, SwitchoverAt, SwitchoverState, SwitchoverStep},
    },
    tx::Tx,
};

/// Longest pause of writes that may be asked for, in milliseconds.
const PAUSE_MAX_MS: u64 = 60_000;

pub(super) fn step(tx: &mut Tx<'_>, step: &SwitchoverStep) -> Result<Outcome, Refusal> {
    match step {
        SwitchoverStep::Begin { to, approvals, max_pause_ms } => {
            begin(tx, to, approvals, *max_pause_ms)
        }
        SwitchoverStep::Reach { number, state } => reach(tx, *number, *state),
    }
}

fn refused(en: &str, zh: &str) -> Refusal {
    Refusal::new(Reason::SwitchoverRefused).fact("cause", en).fact("cause_zh", zh)
}

fn last(tx: &Tx<'_>) -> Option<Switchover> {
    let (_, bytes) = tx.last_row(&keys::sites::switchovers())?;
    Some(crate::codec::decode(&bytes).expect("rows are ours"))
}

fn begin(
    tx: &mut Tx<'_>,
    to: &SiteId,
    approvals: &[Approval],
    max_pause_ms: u64,
) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let row = needs_sites(tx)?;
    let before = last(tx);
    if let Some(open) = before.as_ref().filter(|known| !known.state().is_over()) {
        return Err(refused(
            &format!("switchover {} to {} is {}", open.number, open.to, open.state().name()),
            &format!("第 {} 次切换（至 {}）处于 {}", open.number, open.to, open.state().name()),
        ));
    }
    let members = tx.get::<Members>(&keys::meta::members()).unwrap_or_default();
    let there = members.members.iter().any(|member| member.site.as_ref() == Some(to));
    if *to == row.active || !there {
        return Err(refused(
            &format!("{to} is active already, or no member is there"),
            &format!("{to} 已是主用站点或没有成员"),
        ));
    }
    if row.mode != Mode::Sync {
        return Err(refused("one site alone works", "当前仅有一个站点运行"));
    }
    if members.joint {
        return Err(refused("a change of the members is under way", "成员变更正在进行"));
    }
    if !(1..=PAUSE_MAX_MS).contains(&max_pause_ms) {
        return Err(refused("the pause is one of 1 to 60,000 ms", "暂停时长应为 1 至 60000 毫秒"));
    }
    check_approved(tx, approvals, Act::Switchover, (&row.active, to), row.pair)?;
    let switchover = Switchover {
        number: before.map_or(1, |before| before.number + 1),
        from: row.active,
        to: to.clone(),
        pair: row.pair,
        approvals: approvals.to_vec(),
        max_pause_ms,
        steps: Vec::new(),
    };
    Ok(store(tx, switchover, SwitchoverState::Begun))
}

fn reach(tx: &mut Tx<'_>, number: u64, state: SwitchoverState) -> Result<Outcome, Refusal> {
    // Whoever leads goes on; giving up is for operators too.
    if state != SwitchoverState::Aborted || !operates(tx) {
        by_node(tx)?;
    }
    let Some(known) = last(tx).filter(|known| known.number == number) else {
        return Err(refused("it is not the newest one", "并非最近一次切换"));
    };
    let now = known.state();
    if now == state {
        return Ok(Outcome::Done(Some(tx.domain_name())));
    }
    let next = match state {
        SwitchoverState::Aborted => now < SwitchoverState::CellWritten,
        // A pause that ended by itself is taken again.
        SwitchoverState::Members => {
            matches!(now, SwitchoverState::Begun | SwitchoverState::Paused)
        }
        _ => !now.is_over() && state as u8 == now as u8 + 1,
    };
    if !next {
        return Err(refused(&format!("it is {}", now.name()), &format!("其处于 {}", now.name())));
    }
    if state == SwitchoverState::Done {
        let row = needs_sites(tx)?;
        let (pair, active) = (row.pair.switched(), known.to.clone());
        tx.put(&keys::meta::sites(), &SitesRow { pair, active, ..row });
    }
    Ok(store(tx, known, state))
}

fn store(tx: &mut Tx<'_>, mut switchover: Switchover, state: SwitchoverState) -> Outcome {
    switchover.steps.push(SwitchoverAt { state, time: tx.clock, index: tx.index });
    let key: Key = keys::sites::switchover(switchover.number);
    tx.put(&key, &switchover);
    let fact = Fact::SwitchoverMoved {
        number: switchover.number,
        from: switchover.from.to_string(),
        to: switchover.to.to_string(),
        state: state.name().to_owned(),
    };
    let said = if state == SwitchoverState::Begun { switchover.approvals } else { Vec::new() };
    let persons = persons(&said);
    let domain = tx.domain_name();
    ledger::append(tx, &domain, fact, None, &texts(&persons, &[]));
    tx.emit(Event::ResourceChanged(domain.clone()));
    Outcome::Done(Some(domain))
}
