//! Live grants: who still has a right to an entry, and was its end or its narrowing talked over
//! and filed (CAT-30, SHR-25)? What the catalog asks before it takes anything away.

use catalog_model::{
    grant::Grant,
    ids::{GrantId, ServiceChangeId},
    name::{Resource, ResourceName},
    service_change::ServiceChange,
};

use super::COURSE_LEVEL;
use crate::{
    keys::{self, Key, Table},
    tx::Tx,
    view::View,
};

/// The rights to `entry` that this domain gave and that are not over: suspended ones and such as
/// were stopped for a leak ([`Grant::is_stopped`]) among them. One whose term has passed gives
/// nothing any more and holds nobody up; below level 3 it did.
pub(crate) fn live_grants(tx: &Tx<'_>, entry: &ResourceName) -> Vec<Grant> {
    let Resource::Entry(id) = entry.resource else { return Vec::new() };
    let prefix = Key::table(Table::GrantByEntry).domain(&entry.domain).id(id.to_bytes());
    tx.rows(&prefix, usize::MAX)
        .into_iter()
        .map(|(key, _)| {
            let (domain, id) = View::named_by_index(&key, prefix.as_slice().len());
            tx.get::<Grant>(&keys::grant(&domain, GrantId::from_bytes(id)))
                .expect("an indexed grant exists")
        })
        .filter(|grant| grant.domain == *tx.domain() && !grant.state.has_ended())
        .filter(|grant| tx.level < COURSE_LEVEL || grant.term.to >= tx.today())
        .collect()
}

/// The change of the service of `entry` that is under way.
pub(crate) fn service_change_open(tx: &Tx<'_>, entry: &ResourceName) -> Option<ServiceChange> {
    changes(tx, entry).into_iter().find(|change| change.state.is_open())
}

fn changes(tx: &Tx<'_>, entry: &ResourceName) -> Vec<ServiceChange> {
    let Resource::Entry(id) = entry.resource else { return Vec::new() };
    let prefix = Key::table(Table::ServiceChangeByEntry).domain(&entry.domain).id(id.to_bytes());
    tx.rows(&prefix, usize::MAX)
        .into_iter()
        .map(|(key, _)| {
            let (domain, id) = View::named_by_index(&key, prefix.as_slice().len());
            tx.get(&keys::service_change(&domain, ServiceChangeId::from_bytes(id)))
                .expect("an indexed change exists")
        })
        .collect()
}
