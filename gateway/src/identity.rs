//! Identity: who calls?
//!
//! Not whether they may use the gateway now (admission), not what they may do (policy). The
//! answer is the name in the client certificate, or for certificates of other authorities the
//! name in the operator's table; never a field of the call. A system may say for which of its
//! people it acts; that is recorded as its assertion, not as the person's own act.
//!
//! Two kinds of callers come to two kinds of methods. Persons and systems of our domain call the
//! catalog; gateways of the domains that we have a link with call `FederationService`. Our own
//! gateways ask of grants and say what they saw. Anything else is refused here: a department talks
//! to the gateway of its own domain.

use std::{collections::BTreeSet, sync::Arc};

use catalog_model::{
    caller::{Caller, Identity},
    ids::{DomainId, PersonId},
    name::{Resource, ResourceName},
};
use luqiao_transport::identity::{CertificateTable, SpiffeId, Subject};

use crate::{method::Method, stage::Received};

pub mod loop_guard;

/// What our own gateways say and ask of grants, because data pass through them: whether a use is
/// permitted, and that data came.
const OF_OWN_GATEWAYS: [&str; 2] =
    ["/luqiao.sharing.v1.GrantService/CheckUse", "/luqiao.sharing.v1.GrantService/RecordRetrieval"];

/// Metadata in which a system names the person for whom it acts, by id or by full name.
pub const PERSON: &str = "x-luqiao-person";

/// What the stage knows: our own domain, who is linked, and the table of certificates.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Our own domain.
    pub domain: DomainId,
    /// The domains with a link to ours.
    pub peers: BTreeSet<DomainId>,
    /// Certificates of other authorities.
    pub table: CertificateTable,
}

/// Proof that the caller is known.
#[derive(Debug, Clone)]
pub struct Identified {
    received: Arc<Received>,
    caller: Arc<Caller>,
}

/// Why a caller is not accepted as anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotIdentified {
    /// The connection has no client certificate.
    #[error("no client certificate")]
    NoCertificate,
    /// The certificate has no name of ours, and none in the table.
    #[error("certificate of {subject}, serial {serial} of {issuer}, is not in the table")]
    Unknown {
        /// The certificate's subject.
        subject: String,
        /// Its issuer.
        issuer: String,
        /// Its serial number.
        serial: String,
    },
    /// A caller of another domain who is not its gateway on federation business with a link.
    #[error("{caller} of another domain")]
    Foreign {
        /// The other domain.
        domain: DomainId,
        /// Who called.
        caller: String,
    },
    /// A caller of a kind that this method is not for.
    #[error("{caller} is not {needed}")]
    WrongKind {
        /// Who called.
        caller: String,
        /// Who may.
        needed: &'static str,
    },
    /// The person named in the metadata cannot be read.
    #[error("the person asserted by {caller} cannot be read")]
    PersonMalformed {
        /// Who called.
        caller: String,
    },
    /// The call has been in this domain, or twice in another.
    #[error("the call came through {domain} before")]
    Loop {
        /// The domain it passed twice.
        domain: String,
    },
}

impl Identified {
    /// The call.
    pub fn received(&self) -> &Received {
        &self.received
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// Establishes who makes the call.
pub fn identify(registry: &Registry, received: Received) -> Result<Identified, NotIdentified> {
    let name = name(registry, &received)?;
    let caller = if received.method.is_federation() {
        link(registry, name)?
    } else if received.method.is_of_witness() && name.domain != registry.domain {
        watched(registry, name)?
    } else {
        match own_worker(registry, name, received.method) {
            Some(worker) => worker,
            None => department(registry, name, person(&received))?,
        }
    };
    loop_guard::check(&received.headers, &registry.domain)
        .map_err(|repeated| NotIdentified::Loop { domain: repeated.0 })?;
    Ok(Identified { received: Arc::new(received), caller: Arc::new(caller) })
}

/// The name of the caller in its certificate or in the table.
fn name<'a>(registry: &'a Registry, received: &'a Received) -> Result<&'a SpiffeId, NotIdentified> {
    let certificate = received.certificate.as_ref().ok_or(NotIdentified::NoCertificate)?;
    registry.table.identify(certificate).ok_or_else(|| NotIdentified::Unknown {
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        serial: certificate.serial.clone(),
    })
}

/// A gateway of a domain with a link.
fn link(registry: &Registry, name: &SpiffeId) -> Result<Caller, NotIdentified> {
    let Subject::Gateway { id } = &name.subject else {
        return Err(if name.domain == registry.domain {
            wrong_kind(name, "the gateway of another domain")
        } else {
            foreign(name)
        });
    };
    if name.domain == registry.domain {
        return Err(wrong_kind(name, "the gateway of another domain"));
    }
    if !registry.peers.contains(&name.domain) {
        return Err(foreign(name));
    }
    Ok(Caller { domain: name.domain.clone(), identity: Identity::Gateway { id: id.to_string() } })
}

/// A node or person of a linked domain of which a cell is kept here: its own gateways may be what is
/// lost. Which domain's cell they may write is for the state machine.
fn watched(registry: &Registry, name: &SpiffeId) -> Result<Caller, NotIdentified> {
    if !registry.peers.contains(&name.domain) {
        return Err(foreign(name));
    }
    let identity = match &name.subject {
        Subject::Node { id } => Identity::Node { id: id.to_string() },
        Subject::Person { organization, person } => {
            Identity::Person { organization: *organization, person: *person }
        }
        Subject::Gateway { .. } | Subject::System { .. } => {
            return Err(wrong_kind(name, "a node or person of a watched domain"));
        }
    };
    Ok(Caller { domain: name.domain.clone(), identity })
}

/// A gateway of our own domain on business of its own. That nobody else says what only the platform
/// may say is for the state machine.
fn own_worker(registry: &Registry, name: &SpiffeId, method: &Method) -> Option<Caller> {
    let Subject::Gateway { id } = &name.subject else { return None };
    let own = name.domain == registry.domain && OF_OWN_GATEWAYS.contains(&method.path);
    let identity = Identity::Gateway { id: id.to_string() };
    own.then(|| Caller { domain: name.domain.clone(), identity })
}

/// A person or system of our own domain.
fn department(
    registry: &Registry,
    name: &SpiffeId,
    asserted: Option<&str>,
) -> Result<Caller, NotIdentified> {
    if name.domain != registry.domain {
        return Err(foreign(name));
    }
    let identity = match (&name.subject, asserted) {
        (Subject::Person { organization, person }, None) => {
            Identity::Person { organization: *organization, person: *person }
        }
        (Subject::Person { .. }, Some(_)) => {
            return Err(wrong_kind(name, "a system, which alone may assert a person"));
        }
        (Subject::System { organization, system }, asserted) => {
            let asserted_person = asserted
                .map(|text| {
                    person_of(text, &name.domain, *organization)
                        .ok_or_else(|| NotIdentified::PersonMalformed { caller: name.to_string() })
                })
                .transpose()?;
            Identity::System { organization: *organization, system: *system, asserted_person }
        }
        (Subject::Gateway { .. } | Subject::Node { .. }, _) => {
            return Err(wrong_kind(name, "a person or system of an organization"));
        }
    };
    Ok(Caller { domain: name.domain.clone(), identity })
}

/// The person's id, where `text` is one or the full name of a person of this organization.
///
/// Whether the person is on file is for the state machine.
fn person_of(
    text: &str,
    domain: &DomainId,
    organization: catalog_model::ids::OrganizationId,
) -> Option<PersonId> {
    if let Ok(id) = text.parse() {
        return Some(id);
    }
    match text.parse() {
        Ok(ResourceName { domain: named, resource: Resource::Person(employer, person) })
            if named == *domain && employer == organization =>
        {
            Some(person)
        }
        _ => None,
    }
}

/// The metadata entry; what is not text is no person and reads as an empty one.
fn person(received: &Received) -> Option<&str> {
    received.headers.get(PERSON).map(|value| value.to_str().unwrap_or_default())
}

fn foreign(name: &SpiffeId) -> NotIdentified {
    NotIdentified::Foreign { domain: name.domain.clone(), caller: name.to_string() }
}

fn wrong_kind(name: &SpiffeId, needed: &'static str) -> NotIdentified {
    NotIdentified::WrongKind { caller: name.to_string(), needed }
}

#[cfg(test)]
mod tests;
