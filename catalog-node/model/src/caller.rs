//! Who is calling: the identity that a client certificate established, as state records it.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::ids::{DomainId, OrganizationId, PersonId, SystemId};

/// The party a call is made by, with how it was established.
///
/// A person acts by a credential of their own; where only the department's software vouches for
/// the person, the record says "asserted by system X" (SEC-19).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Caller {
    /// The domain whose certificate authority vouches for the caller.
    #[n(0)]
    pub domain: DomainId,
    /// Who it is within that domain.
    #[n(1)]
    pub identity: Identity,
}

/// The kinds of callers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Identity {
    /// A person by their own credential.
    #[n(0)]
    Person {
        /// The organization for which the person acts.
        #[n(0)]
        organization: OrganizationId,
        /// The person.
        #[n(1)]
        person: PersonId,
    },
    /// A business system, perhaps speaking for a person that it names.
    #[n(1)]
    System {
        /// The organization that runs the system.
        #[n(0)]
        organization: OrganizationId,
        /// The system.
        #[n(1)]
        system: SystemId,
        /// The person for whom the system says it acts.
        #[n(2)]
        asserted_person: Option<PersonId>,
    },
    /// The gateway of a domain: another domain's link, or this domain's own worker.
    #[n(2)]
    Gateway {
        /// The gateway's id in its certificate.
        #[n(0)]
        id: String,
    },
    /// A catalog node itself (clock, housekeeping) or the bootstrap command.
    #[n(3)]
    Node {
        /// The node's id.
        #[n(0)]
        id: String,
    },
}

impl Caller {
    /// The organization for which the caller acts, if it is one of a department.
    pub fn organization(&self) -> Option<OrganizationId> {
        match &self.identity {
            Identity::Person { organization, .. } | Identity::System { organization, .. } => {
                Some(*organization)
            }
            Identity::Gateway { .. } | Identity::Node { .. } => None,
        }
    }

    /// The system of the caller, if it is one.
    pub fn system(&self) -> Option<SystemId> {
        match &self.identity {
            Identity::System { system, .. } => Some(*system),
            _ => None,
        }
    }

    /// The person who acts: by own credential, or as asserted by the system.
    pub fn person(&self) -> Option<PersonId> {
        match &self.identity {
            Identity::Person { person, .. } => Some(*person),
            Identity::System { asserted_person, .. } => *asserted_person,
            _ => None,
        }
    }

    /// The system that vouches for the person, where the person has no credential in this call.
    pub fn asserted_by(&self) -> Option<SystemId> {
        match &self.identity {
            Identity::System { system, asserted_person: Some(_), .. } => Some(*system),
            _ => None,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identity {
            Identity::Person { organization, person } => {
                write!(f, "{}/organizations/{organization}/persons/{person}", self.domain)
            }
            Identity::System { organization, system, asserted_person: None } => {
                write!(f, "{}/organizations/{organization}/systems/{system}", self.domain)
            }
            Identity::System { organization, system, asserted_person: Some(person) } => write!(
                f,
                "{}/organizations/{organization}/persons/{person} asserted by system {system}",
                self.domain
            ),
            Identity::Gateway { id } => write!(f, "{}/gateways/{id}", self.domain),
            Identity::Node { id } => write!(f, "{}/nodes/{id}", self.domain),
        }
    }
}
