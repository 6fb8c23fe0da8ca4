//! Policy: may this call go on to the catalog?
//!
//! A pre-check, which may only refuse or pass on. It refuses what could not succeed whatever the
//! catalog holds: a message that is none, a write that could not be repeated safely, a name of no
//! resource, a feed that a domain of that place does not get. Everything with legal effect
//! (attributes, grants, consents, clocks) is decided by the state machine, whose refusals are
//! committed and can be proved; a "no" from here would leave no record.
//!
//! Every decision is logged with caller, method and rule, never with what was sent.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use catalog_model::{caller::Caller, ids::DomainId, name::ResourceName, refusal::Refusal};
use luqiao_proto::{convert::carried::read_carried, federation::v1::CarryCallRequest};
use prost::Message as _;

use crate::{
    admission::Admitted,
    config::PeerKind,
    federation::{carry, serve},
    method::{Method, Unreadable},
    stage::Received,
};

/// What the stage knows: the place of each linked domain.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Where each linked domain stands relative to ours.
    pub peers: BTreeMap<DomainId, PeerKind>,
}

/// The rule that a decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The message is a protocol buffer.
    Readable,
    /// A write carries the id by which it is known when it is repeated.
    RequestId,
    /// A page has no negative size.
    PageSize,
    /// A resource name names a resource.
    Name,
    /// Superiors follow the full feed, others the shared one.
    FeedScope,
    /// A gateway speaks for persons and systems of its own domain, with the calls that are carried.
    Carried,
    /// Nothing stands against it here.
    PassOn,
}

/// One answer of the policy stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Go on, or why not.
    pub effect: Effect,
    /// What it rests on.
    pub determined_by: Rule,
}

/// Whether the call goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Allow {
        /// The resource that the call is about; `None` where it names none.
        name: Option<ResourceName>,
    },
    /// It does not.
    Deny(Denied),
}

/// Proof that nothing stands against the call here.
#[derive(Debug, Clone)]
pub struct Permitted {
    admitted: Admitted,
    call: Bytes,
    name: Option<ResourceName>,
    /// What is called and by whom, if another domain's gateway carried the call here.
    carried: Option<Carried>,
}

/// A call that the gateway of the caller's domain carried here.
#[derive(Debug, Clone)]
struct Carried {
    method: &'static Method,
    caller: Caller,
}

/// Why the call does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The bytes are not a protocol buffer.
    #[error("the message cannot be read")]
    Unreadable(#[from] Unreadable),
    /// A write without request id.
    #[error("no request_id")]
    RequestIdMissing,
    /// A negative page size.
    #[error("page_size is {0}")]
    PageSizeNegative(i64),
    /// A field that should name a resource does not.
    #[error("a name is wrong")]
    Name(Box<Refusal>),
    /// What a gateway carries is not for it to carry.
    #[error("a carried call is wrong")]
    Carried(Box<Refusal>),
    /// A feed that is not for this domain.
    #[error("feed scope {scope} is not for {domain}")]
    FeedScope {
        /// The domain that asked.
        domain: DomainId,
        /// The number of the scope that it asked for.
        scope: i32,
    },
}

impl Permitted {
    /// The call's head.
    pub fn received(&self) -> &Received {
        self.admitted.received()
    }

    /// What is called; of a carried call, what is carried.
    pub fn method(&self) -> &'static Method {
        self.carried.as_ref().map_or(self.received().method, |carried| carried.method)
    }

    /// Who calls; of a carried call, for whom it was carried.
    pub fn caller(&self) -> &Caller {
        self.carried.as_ref().map_or_else(|| self.admitted.caller(), |carried| &carried.caller)
    }

    /// Whether another domain's gateway carried the call here. It is answered here or not at all.
    pub fn is_carried(&self) -> bool {
        self.carried.is_some()
    }

    /// The message, byte for byte.
    pub fn call(&self) -> &Bytes {
        &self.call
    }

    /// The resource that the call is about.
    pub fn name(&self) -> Option<&ResourceName> {
        self.name.as_ref()
    }
}

/// Decides whether `call` goes on, and logs the decision. Of a carried call both are decided: what
/// carries it and what is carried.
pub fn permit(rules: &Rules, admitted: Admitted, call: Bytes) -> Result<Permitted, Denied> {
    let method = admitted.received().method;
    let name = decided(decide(rules, method, admitted.caller(), &call), admitted.caller(), method)?;
    if method.path != carry::CARRY_CALL {
        return Ok(Permitted { admitted, call, name, carried: None });
    }
    let (carried, call) = unpacked(call, &admitted.caller().domain).inspect_err(|_| {
        let caller = admitted.caller();
        tracing::info!(%caller, method = method.path, rule = %Rule::Carried, "Denied");
    })?;
    let decision = decide(rules, carried.method, &carried.caller, &call);
    let name = decided(decision, &carried.caller, carried.method)?;
    Ok(Permitted { admitted, call, name, carried: Some(carried) })
}

/// Logs a decision; the name that the call is about, or why it does not go on.
fn decided(
    decision: Decision,
    caller: &Caller,
    method: &Method,
) -> Result<Option<ResourceName>, Denied> {
    let Decision { effect, determined_by } = decision;
    match effect {
        Effect::Allow { name } => {
            tracing::debug!(%caller, method = method.path, rule = %determined_by, "Allowed");
            Ok(name)
        }
        Effect::Deny(denied) => {
            tracing::info!(%caller, method = method.path, rule = %determined_by, "Denied");
            Err(denied)
        }
    }
}

/// What a gateway of `domain` carries, and its message.
fn unpacked(call: Bytes, domain: &DomainId) -> Result<(Carried, Bytes), Denied> {
    let carry = CarryCallRequest::decode(call).map_err(|error| Unreadable(error.to_string()))?;
    let (row, caller) =
        read_carried(&carry, domain).map_err(|refusal| Denied::Carried(Box::new(refusal)))?;
    let method = Method::find(row.path).expect("every row of the table has its method");
    Ok((Carried { method, caller }, carry.call))
}

/// The decision itself.
pub fn decide(rules: &Rules, method: &Method, caller: &Caller, call: &[u8]) -> Decision {
    let deny = |determined_by, denied| Decision { effect: Effect::Deny(denied), determined_by };

    let fields = match method.fields(call) {
        Ok(fields) => fields,
        Err(unreadable) => return deny(Rule::Readable, unreadable.into()),
    };
    if fields.request_id == Some("") {
        return deny(Rule::RequestId, Denied::RequestIdMissing);
    }
    if let Some(size @ ..0) = fields.page_size {
        return deny(Rule::PageSize, Denied::PageSizeNegative(size));
    }
    let name = match method.name(call) {
        Ok(name) => name,
        Err(refusal) => return deny(Rule::Name, Denied::Name(Box::new(refusal))),
    };
    if let Err(scope) = serve::may_follow(method, rules.peers.get(&caller.domain), call) {
        let domain = caller.domain.clone();
        return deny(Rule::FeedScope, Denied::FeedScope { domain, scope });
    }
    Decision { effect: Effect::Allow { name }, determined_by: Rule::PassOn }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Readable => "readable",
            Self::RequestId => "request_id",
            Self::PageSize => "page_size",
            Self::Name => "name",
            Self::FeedScope => "feed_scope",
            Self::Carried => "carried",
            Self::PassOn => "pass_on",
        })
    }
}

#[cfg(test)]
mod tests;
