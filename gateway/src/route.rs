//! Route: which cluster answers this call?
//!
//! Our own, but for the calls that are carried: a right is changed in the domain that gave it, and
//! its user may be of ours. A request goes where its asker is registered, and that cluster names the case; if the
//! entry belongs to another domain, the node forwards the case through its outbox, so that an
//! unreachable owner delays the answer and does not lose the question. An entry of a linked
//! domain is read from the copy that we follow. A name of a domain that we have no link with is
//! an error of the caller's, and told as one.

use std::collections::BTreeSet;

use catalog_model::{
    ids::DomainId,
    name::{Resource, ResourceName},
};

use luqiao_proto::convert::methods::Carriage;

use crate::{method::Method, policy::Permitted};

/// What the stage knows: our own domain and the linked ones.
#[derive(Debug, Clone)]
pub struct Routes {
    /// Our own domain.
    pub domain: DomainId,
    /// The domains with a link to ours.
    pub peers: BTreeSet<DomainId>,
}

/// Where a call is answered, and from what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// By our own cluster, from what it owns.
    Own,
    /// By our own cluster, from its copy of what this domain owns.
    OwnCopyOf(DomainId),
    /// By this domain, to whose gateway the call is carried.
    Owner(DomainId),
}

/// Proof that somebody can answer.
#[derive(Debug, Clone)]
pub struct Routed {
    permitted: Permitted,
    destination: Destination,
}

/// The name belongs to a domain that we have no link with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no link to domain {0}")]
pub struct NoLink(pub DomainId);

impl Routed {
    /// The call.
    pub fn permitted(&self) -> &Permitted {
        &self.permitted
    }

    /// Where it is answered.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }
}

/// Finds who answers the call.
pub fn route(routes: &Routes, permitted: Permitted) -> Result<Routed, NoLink> {
    // What was carried here goes no further, so that no two domains can pass a call to and fro; and
    // gateways are carried for nobody.
    let destination = if permitted.is_carried() || permitted.caller().organization().is_none() {
        Destination::Own
    } else {
        find(routes, permitted.method(), permitted.name())?
    };
    Ok(Routed { permitted, destination })
}

/// Where a question is to be carried of which our own cluster said that `owner` answers it.
pub fn asked_on(routes: &Routes, routed: &Routed, owner: &str) -> Option<DomainId> {
    let permitted = routed.permitted();
    let for_nobody = permitted.caller().organization().is_none();
    if permitted.is_carried() || for_nobody || permitted.method().carriage != Carriage::ToOwner {
        return None;
    }
    routes.peers.iter().find(|peer| peer.as_str() == owner).cloned()
}

/// Who answers a call of `method` that is about `name`.
pub fn find(
    routes: &Routes,
    method: &Method,
    name: Option<&ResourceName>,
) -> Result<Destination, NoLink> {
    let Some(name) = name else {
        return Ok(Destination::Own);
    };
    if method.carriage == Carriage::ToNamed && name.domain != routes.domain {
        return if routes.peers.contains(&name.domain) {
            Ok(Destination::Owner(name.domain.clone()))
        } else {
            Err(NoLink(name.domain.clone()))
        };
    }
    // A case keeps the name of the domain where it was first received, which may lie two links
    // away: only the cluster knows the cases that it holds. And links bring their own names.
    let named_elsewhere = matches!(name.resource, Resource::Request(_) | Resource::Grant(_));
    if name.domain == routes.domain || named_elsewhere || method.is_federation() {
        Ok(Destination::Own)
    } else if routes.peers.contains(&name.domain) {
        Ok(Destination::OwnCopyOf(name.domain.clone()))
    } else {
        Err(NoLink(name.domain.clone()))
    }
}

#[cfg(test)]
mod tests;
