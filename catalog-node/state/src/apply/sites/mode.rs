//! Our sites and what an acknowledgement promises.

use std::collections::BTreeMap;

use catalog_model::{
    reason::Reason,
    refusal::Refusal,
    site::{Mode, Pair, SiteId},
    witness::{Act, Approval, CellRefusal, SITES},
};

use super::{by_node, check_approved, needs_sites, persons, sites, texts};
use crate::{
    apply::{cluster::operates, organizations::same_version, text},
    command::sites::{ModeBasis, NodeSite},
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::not_permitted,
    outcome::Outcome,
    rows::{Members, sites::SitesRow},
    tx::Tx,
};

pub(super) fn set_sites(
    tx: &mut Tx<'_>,
    version: u64,
    given: &[NodeSite],
    active: &SiteId,
) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let mut members = tx.get::<Members>(&keys::meta::members()).unwrap_or_default();
    same_version(members.version, version)?;
    let refused = |en: &str, zh: &str| {
        Err(Refusal::new(Reason::SiteRefused).fact("cause", en).fact("cause_zh", zh))
    };
    let by_node: BTreeMap<u64, &SiteId> =
        given.iter().map(|NodeSite { node, site }| (*node, site)).collect();
    let known = members.members.iter().map(|member| member.id);
    if by_node.len() != given.len() || !known.eq(by_node.keys().copied()) {
        return refused("not every member is named once", "须逐一列出每个成员");
    }
    let mut names: Vec<&SiteId> = by_node.values().copied().collect();
    names.sort_unstable();
    names.dedup();
    if !SITES.contains(&names.len()) || !names.contains(&active) {
        return refused(
            "there are two to five of them, the active one among them",
            "站点应为二至五个，并包含主用站点",
        );
    }
    let before = sites(tx);
    if before.as_ref().is_some_and(|before| before.active != *active) {
        return refused(
            "the active site changes by a switchover or a failover",
            "主用站点仅可通过切换或强制接管变更",
        );
    }
    for member in &mut members.members {
        member.site = Some(by_node[&member.id].clone());
    }
    tx.put(&keys::meta::members(), &members);
    if before.is_none() {
        let row = SitesRow {
            pair: Pair { generation: tx.cluster.generation, epoch: 1 },
            active: active.clone(),
            // Nothing is promised before the site commit rule is on.
            mode: Mode::Async,
            since_index: tx.index,
            since_time: tx.clock,
            acts_released: false,
            without_witness: false,
        };
        tx.put(&keys::meta::sites(), &row);
    }
    let fact = Fact::SitesSet {
        nodes: by_node.keys().copied().collect(),
        sites: by_node.values().map(ToString::to_string).collect(),
        active: active.to_string(),
    };
    Ok(told(tx, fact, &[], &[]))
}

fn told(tx: &mut Tx<'_>, fact: Fact, approvals: &[Approval], more: &[(&str, &str)]) -> Outcome {
    let domain = tx.domain_name();
    let persons = persons(approvals);
    ledger::append(tx, &domain, fact, None, &texts(&persons, more));
    tx.emit(Event::ResourceChanged(domain.clone()));
    Outcome::Done(Some(domain))
}

pub(super) fn change(tx: &mut Tx<'_>, mode: Mode, basis: &ModeBasis) -> Result<Outcome, Refusal> {
    by_node(tx)?;
    let row = needs_sites(tx)?;
    if row.mode == mode {
        return Ok(Outcome::Done(Some(tx.domain_name())));
    }
    let (mut cell_revision, mut approved) = (None, (&[][..], ""));
    match basis {
        ModeBasis::Witness { revision } => cell_revision = Some(*revision),
        ModeBasis::Approvals { .. } if mode == Mode::Sync => {
            return Err(CellRefusal::ModeWrong { mode: row.mode }.refusal());
        }
        ModeBasis::Approvals { approvals, reason } => {
            text::check_reason("reason", reason)?;
            let site = &row.active;
            check_approved(tx, approvals, Act::Release, (site, site), row.pair)?;
            approved = (approvals, reason);
        }
    }
    let row = SitesRow {
        mode,
        since_index: tx.index,
        since_time: tx.clock,
        acts_released: false,
        without_witness: cell_revision.is_none(),
        ..row
    };
    tx.put(&keys::meta::sites(), &row);
    let fact = Fact::ModeChanged {
        mode: mode.name().to_owned(),
        cell_revision,
        without_witness: row.without_witness,
    };
    Ok(told(tx, fact, approved.0, &[("reason", approved.1)]))
}

pub(super) fn release_acts(
    tx: &mut Tx<'_>,
    approvals: &[Approval],
    reason: &str,
) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let row = needs_sites(tx)?;
    if row.mode == Mode::Sync {
        return Err(CellRefusal::ModeWrong { mode: row.mode }.refusal());
    }
    text::check_reason("reason", reason)?;
    let site = row.active.clone();
    check_approved(tx, approvals, Act::ReleaseActs, (&site, &site), row.pair)?;
    if row.acts_released {
        return Ok(Outcome::Done(Some(tx.domain_name())));
    }
    let fact = Fact::ActsReleased { pair: row.pair.to_string() };
    tx.put(&keys::meta::sites(), &SitesRow { acts_released: true, ..row });
    Ok(told(tx, fact, approvals, &[("reason", reason)]))
}
