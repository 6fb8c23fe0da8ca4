//! Carried calls: what one gateway hands to another for a person or system of its own domain, and
//! what the other may believe of it.
//!
//! The message does not say in which domain the caller is: that is the domain of the certificate
//! of the gateway that carries it. No gateway can speak for anybody but its own.

use catalog_model::{
    caller::{Caller, Identity},
    ids::DomainId,
    reason::Reason,
    refusal::Refusal,
};

use crate::{
    convert::{
        caller::read_caller,
        methods::{self, Method},
        reading::repeated,
        stated,
    },
    federation::v1 as message,
    node::v1 as node,
};

/// The caller as a gateway of its domain hands it on; `None` for gateways and nodes, which call
/// for themselves.
pub fn carried_caller(caller: &Caller) -> Option<message::CarriedCaller> {
    let text = |id: Option<String>| id.unwrap_or_default();
    match caller.identity {
        Identity::Person { .. } | Identity::System { .. } => Some(message::CarriedCaller {
            organization: text(caller.organization().map(|id| id.to_string())),
            system: text(caller.system().map(|id| id.to_string())),
            person: text(caller.person().map(|id| id.to_string())),
        }),
        Identity::Gateway { .. } | Identity::Node { .. } => None,
    }
}

/// The method and the caller of a call that a gateway of `domain` carries here.
pub fn read_carried(
    call: &message::CarryCallRequest,
    domain: &DomainId,
) -> Result<(&'static Method, Caller), Refusal> {
    let method = methods::method(&call.method)?;
    if !method.is_carried() {
        return Err(Refusal::new(Reason::CallerNotPermitted)
            .fact("caller", domain)
            .fact("needed", format!("a method that is carried, not {}", repeated(&call.method))));
    }
    let message::CarriedCaller { organization, system, person } =
        stated(call.caller.as_ref(), "caller")?.clone();
    let caller = node::Caller {
        domain: domain.to_string(),
        organization,
        system,
        person,
        ..Default::default()
    };
    Ok((method, read_caller(&caller, "caller")?))
}

#[cfg(test)]
mod tests {
    use catalog_model::ids::{OrganizationId, PersonId, SystemId};

    use super::*;
    use crate::convert::methods::{Carriage, MethodKind};

    const ACKNOWLEDGE: &str = "/luqiao.sharing.v1.GrantService/AcknowledgeDelivery";

    fn siming() -> DomainId {
        "siming".parse().unwrap()
    }

    fn call(method: &str, caller: Option<message::CarriedCaller>) -> message::CarryCallRequest {
        message::CarryCallRequest { method: method.to_owned(), caller, ..Default::default() }
    }

    #[test]
    fn who_calls_comes_back_in_the_domain_of_the_gateway() {
        let organization = OrganizationId::from_bytes([1; 16]);
        let person = PersonId::from_bytes([2; 16]);
        let system = SystemId::from_bytes([3; 16]);
        for identity in [
            Identity::Person { organization, person },
            Identity::System { organization, system, asserted_person: None },
            Identity::System { organization, system, asserted_person: Some(person) },
        ] {
            let caller = Caller { domain: siming(), identity };
            let call = call(ACKNOWLEDGE, carried_caller(&caller));
            let (method, read) = read_carried(&call, &siming()).unwrap();
            assert_eq!((method.path, &read), (ACKNOWLEDGE, &caller));
            let elsewhere = read_carried(&call, &"xiamen".parse().unwrap()).unwrap().1;
            assert_eq!(elsewhere.domain.as_str(), "xiamen", "nobody speaks for another domain");
        }
        let gateway =
            Caller { domain: siming(), identity: Identity::Gateway { id: "gw-1".to_owned() } };
        assert_eq!(carried_caller(&gateway), None);
    }

    #[test]
    fn what_is_not_carried_or_nobody_calls_is_refused() {
        let caller = carried_caller(&Caller {
            domain: siming(),
            identity: Identity::Person {
                organization: OrganizationId::from_bytes([1; 16]),
                person: PersonId::from_bytes([2; 16]),
            },
        });
        let reason =
            |call: &message::CarryCallRequest| read_carried(call, &siming()).unwrap_err().reason;
        for path in [
            "/luqiao.catalog.v1.CatalogService/PublishEntry",
            "/luqiao.federation.v1.FederationService/CarryCall",
        ] {
            assert_eq!(reason(&call(path, caller.clone())), Reason::CallerNotPermitted);
        }
        assert_eq!(reason(&call("/nothing", caller)), Reason::MethodUnknown);
        assert_eq!(reason(&call(ACKNOWLEDGE, None)), Reason::FieldInvalid);
        let nobody = Some(message::CarriedCaller::default());
        assert_eq!(reason(&call(ACKNOWLEDGE, nobody)), Reason::FieldInvalid);
    }

    #[test]
    fn what_is_carried_belongs_to_sharing_and_changes_go_by_their_names() {
        for method in methods::METHODS.iter().filter(|method| method.is_carried()) {
            assert!(method.path.starts_with("/luqiao.sharing.v1."), "{}", method.path);
            let asks = method.kind == MethodKind::Read;
            assert!(asks || method.carriage == Carriage::ToNamed, "{}", method.path);
            assert!(asks || method.kind == MethodKind::Write, "{}", method.path);
        }
    }
}
