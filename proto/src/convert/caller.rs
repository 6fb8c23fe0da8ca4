//! Callers: how a gateway tells a node who calls.

use std::str::FromStr;

use catalog_model::{
    caller::{Caller, Identity},
    refusal::Refusal,
};

use crate::{
    convert::{
        reading::{At, Reading},
        share_request::domain_value,
    },
    node::v1 as message,
};

/// The caller as a message. Ids stand by themselves; the domain is stated once.
pub fn caller_message(caller: &Caller) -> message::Caller {
    let mut message = message::Caller { domain: caller.domain.to_string(), ..Default::default() };
    match &caller.identity {
        Identity::Person { organization, person } => {
            message.organization = organization.to_string();
            message.person = person.to_string();
        }
        Identity::System { organization, system, asserted_person } => {
            message.organization = organization.to_string();
            message.system = system.to_string();
            message.person = asserted_person.map(|id| id.to_string()).unwrap_or_default();
        }
        Identity::Gateway { id } => message.gateway.clone_from(id),
        Identity::Node { id } => message.node.clone_from(id),
    }
    message
}

/// The caller that a gateway established: exactly one identity, in full.
pub fn read_caller(caller: &message::Caller, field: &str) -> Result<Caller, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let domain = domain_value(&mut reading, at.field("domain"), &caller.domain);
    let identity = identity_value(&mut reading, at, caller);
    reading.finish(domain.zip(identity).map(|(domain, identity)| Caller { domain, identity }))
}

fn identity_value(reading: &mut Reading, at: At<'_>, caller: &message::Caller) -> Option<Identity> {
    let message::Caller { domain: _, organization, system, person, gateway, node } = caller;
    let of_department = [organization, system, person].iter().any(|part| !part.is_empty());
    match (of_department, gateway.is_empty(), node.is_empty()) {
        (false, false, true) => Some(Identity::Gateway { id: gateway.clone() }),
        (false, true, false) => Some(Identity::Node { id: node.clone() }),
        (true, true, true) => {
            let organization_id = id(reading, at.field("organization"), organization);
            if system.is_empty() {
                let person = id(reading, at.field("person"), person);
                return Some(Identity::Person { organization: organization_id?, person: person? });
            }
            let system = id(reading, at.field("system"), system);
            let asserted_person =
                if person.is_empty() { None } else { id(reading, at.field("person"), person) };
            Some(Identity::System {
                organization: organization_id?,
                system: system?,
                asserted_person,
            })
        }
        _ => {
            reading.wrong(
                at,
                "has to be one of person, system, gateway and node",
                "必须且只能是人员、系统、网关、节点之一",
            );
            None
        }
    }
}

fn id<T: FromStr>(reading: &mut Reading, at: At<'_>, text: &str) -> Option<T> {
    let id = text.parse().ok();
    if id.is_none() {
        reading.wrong(at, "is not an id (a ULID)", "不是标识（ULID）");
    }
    id
}
