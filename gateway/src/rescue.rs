//! Rescue: what is a caller told when something went wrong?
//!
//! The one table from every error of every stage to a refusal with a stable reason. What strangers
//! see stands here; what we log is the error itself, with its causes. gRPC codes are not here:
//! `luqiao_transport::status` has them.

use std::time::Duration;

use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
};
use luqiao_transport::status;
use tonic::Status;

use crate::{
    admission::NotNow, identity::NotIdentified, policy::Denied, route::NoLink, upstream::CallFailed,
};

/// Everything that can end a call before its answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such method.
    #[error("method {0} is not served")]
    Method(String),
    /// Identity said no.
    #[error(transparent)]
    NotIdentified(#[from] NotIdentified),
    /// Admission said not now.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// The frame around the message is wrong, or the message is too large.
    #[error("the message cannot be taken in: {0}")]
    Frame(String),
    /// Policy said no.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Nobody can answer.
    #[error(transparent)]
    NoLink(#[from] NoLink),
    /// The cluster said no, or nothing.
    #[error(transparent)]
    CallFailed(#[from] CallFailed),
    /// The gateway is ending.
    #[error("the gateway is shutting down")]
    Draining,
}

/// The status for `failure`, to a caller who reads `lang`.
pub fn status(failure: &Failure, lang: Lang) -> Status {
    match failure {
        // The node has worded it already. Its transport metadata stays here.
        Failure::CallFailed(CallFailed::Refused(status)) => {
            Status::with_details(status.code(), status.message(), status.details().to_vec().into())
        }
        failure => status::of(&refusal(failure), lang),
    }
}

/// The stable name of the reason that a caller is given.
pub fn reason(failure: &Failure) -> String {
    match failure {
        Failure::CallFailed(CallFailed::Refused(status)) => {
            status::Problem::from_status(status).reason_name
        }
        failure => refusal(failure).reason.name().to_owned(),
    }
}

fn refusal(failure: &Failure) -> Refusal {
    match failure {
        Failure::Method(path) => Refusal::new(Reason::MethodUnknown).fact("method", path),

        Failure::NotIdentified(error) => match error {
            NotIdentified::NoCertificate => Refusal::new(Reason::CertificateMissing),
            NotIdentified::Unknown { subject, serial, .. } => {
                Refusal::new(Reason::CertificateUnknown)
                    .fact("subject", subject)
                    .fact("serial", serial)
            }
            NotIdentified::Foreign { domain, .. } => {
                Refusal::new(Reason::DomainForeign).fact("domain", domain)
            }
            NotIdentified::WrongKind { caller, needed } => Refusal::new(Reason::CallerNotPermitted)
                .fact("caller", caller)
                .fact("needed", needed),
            NotIdentified::PersonMalformed { .. } => Refusal::new(Reason::FieldInvalid).field(
                crate::identity::PERSON,
                "neither the id nor the name of a person of the calling system's organization",
                "既不是人员标识，也不是调用系统所属单位的人员名称",
            ),
            NotIdentified::Loop { domain } => {
                Refusal::new(Reason::LoopDetected).fact("domain", domain)
            }
        },

        Failure::NotNow(
            NotNow::TooFast { retry_after }
            | NotNow::CallerBusy { retry_after }
            | NotNow::GatewayBusy { retry_after },
        ) => Refusal::new(Reason::Overloaded).retry_after(at_least_one(*retry_after)),

        Failure::Frame(cause) => Refusal::new(Reason::MessageMalformed).fact("cause", cause),

        Failure::Denied(error) => match error {
            Denied::Unreadable(cause) => {
                Refusal::new(Reason::MessageMalformed).fact("cause", cause)
            }
            Denied::RequestIdMissing => Refusal::new(Reason::RequestIdMissing).field(
                "request_id",
                "is empty; a fresh UUID is wanted",
                "为空，应为新生成的 UUID",
            ),
            Denied::PageSizeNegative(_) => Refusal::new(Reason::FieldInvalid).field(
                "page_size",
                "is negative; 0 lets the server choose",
                "为负数；填 0 由服务端决定",
            ),
            Denied::Name(refusal) | Denied::Carried(refusal) => (**refusal).clone(),
            Denied::FeedScope { domain, .. } => Refusal::new(Reason::CallerNotPermitted)
                .fact("caller", domain)
                .fact("needed", "the shared scope, or a superior domain for the full one"),
        },

        Failure::NoLink(NoLink(domain)) => {
            Refusal::new(Reason::DomainUnknown).fact("domain", domain)
        }

        Failure::CallFailed(error) => match error {
            CallFailed::Refused(status) | CallFailed::Unfit(status) => {
                // Only the second comes here; the first keeps its own status.
                debug_assert!(matches!(error, CallFailed::Unfit(_)), "{status}");
                Refusal::new(Reason::Internal)
            }
            CallFailed::NoLeader { retry_after } => {
                Refusal::new(Reason::NoLeader).retry_after(at_least_one(*retry_after))
            }
            CallFailed::Unreachable { domain, retry_after, .. } => {
                Refusal::new(Reason::UpstreamUnreachable)
                    .fact("domain", domain)
                    .retry_after(at_least_one(*retry_after))
            }
            CallFailed::OutcomeUnknown { .. } => Refusal::new(Reason::OutcomeUnknown),
            CallFailed::TimedOut => Refusal::new(Reason::TimedOut),
        },

        Failure::Draining => Refusal::new(Reason::Draining).retry_after(1000),
    }
}

/// In milliseconds; "after 0" would invite the caller to try at once.
fn at_least_one(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests;
