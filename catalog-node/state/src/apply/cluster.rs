//! The cluster's own affairs: its members, the level of its commands, what is on record of its
//! nodes. All of it from level 2 on.

use std::collections::BTreeSet;

use catalog_model::{caller::Identity, refusal::Refusal, time::UtcMillis};

use crate::{
    apply::organizations::same_version,
    command::MemberChange,
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::not_permitted,
    members::{self, Plan},
    outcome::Outcome,
    rows::{Member, MemberChangeRow, Members, OutageKind, OutageRow},
    tx::Tx,
};

/// Whether the caller operates the cluster: one of its nodes, or an organization with a platform
/// role.
pub(crate) fn operates(tx: &Tx<'_>) -> bool {
    matches!(tx.caller.identity, Identity::Node { .. })
        || tx.caller_organization().is_some_and(|organization| organization.platform_role.is_some())
}

/// Decides a change of the members. Only [`Outcome::MembersChanged`] lets raft's change take
/// effect, so that both lists move in the same entry or neither does.
pub(crate) fn change_members(
    tx: &mut Tx<'_>,
    version: u64,
    change: &MemberChange,
    current: &[Member],
) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let before = tx.get::<Members>(&keys::meta::members());
    let before = before.unwrap_or_else(|| Members::first(current));
    same_version(before.version, version)?;
    let after = match members::plan(&before, change, &BTreeSet::new()) {
        Plan::Already => return Ok(Outcome::Done(Some(tx.domain_name()))),
        Plan::Refused(refusal) => return Err(refusal),
        Plan::Change(planned) => planned.after,
    };
    tx.put(&keys::meta::members(), &after);
    let row = MemberChangeRow {
        version: after.version,
        time: tx.clock,
        index: tx.index,
        change: change.clone(),
        caller: ledger::actor(&tx.caller),
        voters: after.voters(),
        learners: after.learners(),
    };
    tx.put(&keys::member_change(row.version), &row);
    let fact = Fact::MembersChanged {
        version: row.version,
        kind: change.kind().to_owned(),
        nodes: change.nodes(),
        voters: row.voters,
        learners: row.learners,
    };
    let domain = tx.domain_name();
    ledger::append(tx, &domain, fact, None, &[]);
    tx.emit(Event::MembersChanged(after.version));
    Ok(Outcome::MembersChanged { version: after.version })
}

/// Raises the level. That every member can apply it is what the proposer has found out; a node
/// that cannot stops here.
pub(crate) fn raise_level(tx: &mut Tx<'_>, to: u32) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let from = tx.level;
    let domain = tx.domain_name();
    if to > from {
        tx.put(&keys::meta::level(), &to);
        ledger::append(tx, &domain, Fact::LevelRaised { from, to }, None, &[]);
        tx.emit(Event::LevelRaised(to));
    }
    Ok(Outcome::Done(Some(domain)))
}

/// Records an outage, once: a node that does not know what became of its command says it again.
pub(crate) fn record_outage(
    tx: &mut Tx<'_>,
    node: u64,
    kind: OutageKind,
    from: UtcMillis,
    until: UtcMillis,
) -> Result<Outcome, Refusal> {
    if !matches!(tx.caller.identity, Identity::Node { .. }) {
        return Err(not_permitted(tx, "a node of the cluster"));
    }
    let domain = tx.domain_name();
    let key = keys::outage(node, kind, from);
    if !tx.has(&key) {
        // A clock that was set back in between does not make an outage end before it began.
        let until = until.max(from);
        let fact = Fact::OutageRecorded { node, kind, from, until };
        let record = ledger::append(tx, &domain, fact, None, &[]);
        tx.put(&key, &OutageRow { node, kind, from, until, record });
    }
    Ok(Outcome::Done(Some(domain)))
}
