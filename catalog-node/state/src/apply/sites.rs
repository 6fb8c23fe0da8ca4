//! Sites: the cell kept for others, our own sites and mode, what protects graded data, forks.
//!
//! From level 4 on. A cluster that never set its sites has one site, promises what it always did
//! and refuses nothing of this for graded data but the grade `core` without a policy.

mod fork;
pub(crate) mod graded;
mod mode;
mod policy;
mod switchover;
mod witness;

use catalog_model::{
    caller::Identity,
    refusal::Refusal,
    site::{Pair, SiteId},
    witness::{
        Act, Approval, CellRefusal,
        approval::{self, Wanted},
    },
};

pub(crate) use self::fork::window_is_open;
use crate::{
    command::sites::SitesCommand,
    keys,
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::sites::{DrPolicy, SitesRow},
    tx::Tx,
};

pub(crate) fn apply(
    tx: &mut Tx<'_>,
    law: &Law,
    command: &SitesCommand,
) -> Result<Outcome, Refusal> {
    match command {
        SitesCommand::WriteCell { domain, revision, writer, write } => {
            witness::write(tx, domain, *revision, writer.as_ref(), write)
        }
        SitesCommand::NoteCell { cell } => witness::note(tx, cell),
        SitesCommand::SetSites { version, sites, active } => {
            mode::set_sites(tx, *version, sites, active)
        }
        SitesCommand::ChangeMode { mode, basis } => mode::change(tx, *mode, basis),
        SitesCommand::SetPolicy { policy } => policy::set(tx, policy),
        SitesCommand::ReleaseActs { approvals, reason } => {
            mode::release_acts(tx, approvals, reason)
        }
        SitesCommand::Switchover { step } => switchover::step(tx, step),
        SitesCommand::RecordFork { fork } => fork::record(tx, law, fork),
        SitesCommand::CloseWindow { generation, reason } => {
            fork::close_window(tx, *generation, reason)
        }
    }
}

/// How our sites stand, if there are several.
pub(crate) fn sites(tx: &Tx<'_>) -> Option<SitesRow> {
    tx.get(&keys::meta::sites())
}

/// The disaster recovery policy on file.
fn policy_of(tx: &Tx<'_>) -> Option<DrPolicy> {
    tx.get(&keys::sites::policy())
}

fn needs_sites(tx: &Tx<'_>) -> Result<SitesRow, Refusal> {
    sites(tx).ok_or_else(|| CellRefusal::SiteUnknown.refusal())
}

/// Only the cluster itself does this: whoever leads proposes it.
fn by_node(tx: &Tx<'_>) -> Result<(), Refusal> {
    let own = tx.caller.domain == *tx.domain();
    if own && matches!(tx.caller.identity, Identity::Node { .. }) {
        Ok(())
    } else {
        Err(not_permitted(tx, "a node of the cluster"))
    }
}

/// Whether two of the policy's persons approved just this for our own sites.
fn check_approved(
    tx: &Tx<'_>,
    approvals: &[Approval],
    act: Act,
    (from, to): (&SiteId, &SiteId),
    pair: Pair,
) -> Result<(), Refusal> {
    let approvers = policy_of(tx).map(|policy| policy.content.approvers).unwrap_or_default();
    let now = tx.clock;
    let wanted = Wanted { domain: tx.domain(), act, from, to, pair, now, approvers: &approvers };
    approval::check(approvals, &wanted).map(|_| ()).map_err(|refusal| refusal.refusal())
}

/// Approvals as texts beside a record: persons are in the ledger only as digests.
fn persons(approvals: &[Approval]) -> Vec<(String, String)> {
    let name = |(place, approval): (usize, &Approval)| {
        (format!("approver_{}", place + 1), approval.approver.to_string())
    };
    approvals.iter().enumerate().map(name).collect()
}

/// As [`crate::ledger::append`] takes them.
fn texts<'a>(
    persons: &'a [(String, String)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let persons = persons.iter().map(|(label, text)| (label.as_str(), text.as_str()));
    persons.chain(more.iter().copied()).collect()
}
