//! The first command of every log: what a cluster is, and who may call it at all.

use catalog_model::name::{Resource, ResourceName};

use crate::{
    command::Bootstrap,
    keys,
    ledger::{self, Fact},
    outcome::Outcome,
    rows::{Members, VersionedText},
    tx::Tx,
};

pub(crate) fn apply(tx: &mut Tx<'_>, bootstrap: &Bootstrap) -> Outcome {
    let cluster = &bootstrap.cluster;
    tx.put(&keys::meta::cluster(), cluster);
    for (key, pointer, text) in [
        (keys::calendar(1), keys::meta::calendar_version(), &bootstrap.calendar),
        (keys::rule_pack(1), keys::meta::rule_pack_version(), &bootstrap.rule_pack),
    ] {
        let row = VersionedText { version: 1, text: text.clone(), known_since: bootstrap.clock };
        tx.put(&key, &row);
        tx.put(&pointer, &1u64);
    }
    for organization in &bootstrap.organizations {
        super::organizations::store(tx, organization);
    }
    for person in &bootstrap.persons {
        tx.put(&keys::person(&cluster.domain, person.organization, person.id), person);
    }
    for system in &bootstrap.systems {
        tx.put(&keys::system(&cluster.domain, system.organization, system.id), system);
    }
    for peer in &bootstrap.peers {
        tx.put(&keys::peer(&peer.domain), peer);
    }
    if let Some(level) = bootstrap.level {
        tx.put(&keys::meta::level(), &level);
    }
    if let Some(members) = &bootstrap.members {
        tx.put(&keys::meta::members(), &Members::first(members));
    }
    let domain = ResourceName::new(cluster.domain.clone(), Resource::Domain);
    ledger::append(
        tx,
        &domain,
        Fact::ClusterCreated { composition: cluster.composition.clone() },
        None,
        &[],
    );
    Outcome::Done(Some(domain))
}
