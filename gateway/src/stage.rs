//! Stage: what has been established about a call so far?
//!
//! ```text
//! Received → Identified → Admitted → Permitted → Routed
//! ```
//!
//! Each proof holds the one before it and has private fields, so that only its own stage can make
//! one: a value of type [`Permitted`] *is* the evidence that identity, admission and policy said
//! yes, in that order. A pipeline with a stage missing or misplaced does not compile.
//!
//! Only [`Received`] can be made by anybody: it proves nothing.

use std::{sync::Arc, time::SystemTime};

use catalog_model::reason::Lang;
use http::{HeaderMap, request::Parts};
use luqiao_transport::{
    accept::ConnectionInfo, identity::PeerCertificate, language, timeout::CallBudget,
};

use crate::method::Method;
pub use crate::{admission::Admitted, identity::Identified, policy::Permitted, route::Routed};

/// A call as it came in, with nothing established but that we serve its method.
#[derive(Debug, Clone)]
pub struct Received {
    /// What is called.
    pub method: &'static Method,
    /// The verified certificate of the connection, if there was one.
    pub certificate: Option<Arc<PeerCertificate>>,
    /// The call's metadata.
    pub headers: HeaderMap,
    /// In which language the caller wants to be told why.
    pub lang: Lang,
    /// What is left of the caller's time.
    pub budget: CallBudget,
    /// When the call came in, by the clock of this machine.
    pub received_at: SystemTime,
}

impl Received {
    /// The call of `method` with this head, at `now`.
    pub fn new(method: &'static Method, head: &Parts, now: SystemTime) -> Self {
        let connection = head.extensions.get::<ConnectionInfo>();
        Self {
            method,
            certificate: connection.and_then(|connection| connection.certificate.clone()),
            lang: language::of(&head.headers),
            budget: head.extensions.get().copied().unwrap_or(CallBudget::UNBOUNDED),
            headers: head.headers.clone(),
            received_at: now,
        }
    }
}
