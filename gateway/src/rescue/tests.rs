use luqiao_transport::status::Problem;
use tonic::Code;

use super::*;
use crate::method::Unreadable;

/// One failure of every kind, and what the caller is told.
fn table() -> Vec<(Failure, Reason, Code)> {
    let wait = Duration::from_micros(1);
    vec![
        (Failure::Method("/a".to_owned()), Reason::MethodUnknown, Code::Unimplemented),
        (NotIdentified::NoCertificate.into(), Reason::CertificateMissing, Code::Unauthenticated),
        (
            NotIdentified::Unknown {
                subject: "CN=a".to_owned(),
                issuer: "CN=b".to_owned(),
                serial: "1".to_owned(),
            }
            .into(),
            Reason::CertificateUnknown,
            Code::Unauthenticated,
        ),
        (
            NotIdentified::Foreign { domain: "siming".parse().unwrap(), caller: "x".to_owned() }
                .into(),
            Reason::DomainForeign,
            Code::PermissionDenied,
        ),
        (
            NotIdentified::WrongKind { caller: "x".to_owned(), needed: "y" }.into(),
            Reason::CallerNotPermitted,
            Code::PermissionDenied,
        ),
        (
            NotIdentified::PersonMalformed { caller: "x".to_owned() }.into(),
            Reason::FieldInvalid,
            Code::InvalidArgument,
        ),
        (
            NotIdentified::Loop { domain: "siming".to_owned() }.into(),
            Reason::LoopDetected,
            Code::FailedPrecondition,
        ),
        (NotNow::TooFast { retry_after: wait }.into(), Reason::Overloaded, Code::ResourceExhausted),
        (
            NotNow::CallerBusy { retry_after: wait }.into(),
            Reason::Overloaded,
            Code::ResourceExhausted,
        ),
        (
            NotNow::GatewayBusy { retry_after: wait }.into(),
            Reason::Overloaded,
            Code::ResourceExhausted,
        ),
        (Failure::Frame("too large".to_owned()), Reason::MessageMalformed, Code::InvalidArgument),
        (
            Denied::Unreadable(Unreadable("cut".to_owned())).into(),
            Reason::MessageMalformed,
            Code::InvalidArgument,
        ),
        (Denied::RequestIdMissing.into(), Reason::RequestIdMissing, Code::InvalidArgument),
        (Denied::PageSizeNegative(-1).into(), Reason::FieldInvalid, Code::InvalidArgument),
        (
            Denied::Name(Box::new(Refusal::new(Reason::NameInvalid).fact("name", "x"))).into(),
            Reason::NameInvalid,
            Code::InvalidArgument,
        ),
        (
            Denied::FeedScope { domain: "siming".parse().unwrap(), scope: 1 }.into(),
            Reason::CallerNotPermitted,
            Code::PermissionDenied,
        ),
        (NoLink("fuzhou".parse().unwrap()).into(), Reason::DomainUnknown, Code::NotFound),
        (CallFailed::Unfit(Status::internal("secret")).into(), Reason::Internal, Code::Internal),
        (CallFailed::NoLeader { retry_after: wait }.into(), Reason::NoLeader, Code::Unavailable),
        (
            CallFailed::Unreachable {
                domain: "xiamen".parse().unwrap(),
                detail: "secret".to_owned(),
                retry_after: wait,
            }
            .into(),
            Reason::UpstreamUnreachable,
            Code::Unavailable,
        ),
        (
            CallFailed::OutcomeUnknown { detail: "secret".to_owned() }.into(),
            Reason::OutcomeUnknown,
            Code::Unknown,
        ),
        (CallFailed::TimedOut.into(), Reason::TimedOut, Code::DeadlineExceeded),
        (Failure::Draining, Reason::Draining, Code::Unavailable),
    ]
}

#[test]
fn every_failure_has_a_reason_in_both_languages() {
    for (failure, wanted, code) in table() {
        assert_eq!(reason(&failure), wanted.name());
        let mut texts = Vec::new();
        for lang in [Lang::Zh, Lang::En] {
            let told = status(&failure, lang);
            let problem = Problem::from_status(&told);
            assert_eq!((problem.reason, problem.code), (Some(wanted), code), "{failure:?}");
            assert!(!problem.message.contains('{'), "a fact is missing: {}", problem.message);
            assert!(!format!("{told:?}").contains("secret"), "{told:?}");
            texts.push(problem.message);
        }
        assert_ne!(texts[0], texts[1], "{failure:?}");
    }
}

#[test]
fn who_should_come_back_is_told_when_and_not_at_once() {
    for (failure, wanted, _) in table() {
        let told = Problem::from_status(&status(&failure, Lang::En)).retry_delay;
        let comes_back = matches!(
            wanted,
            Reason::Overloaded | Reason::NoLeader | Reason::UpstreamUnreachable | Reason::Draining
        );
        assert_eq!(told.is_some(), comes_back, "{failure:?}");
        assert_ne!(told, Some(Duration::ZERO));
    }
}

#[test]
fn what_a_node_said_to_the_caller_is_passed_on_as_it_is() {
    let said = luqiao_transport::status::of(
        &Refusal::new(Reason::NotFound).fact("name", "domains/xiamen/entries/x"),
        Lang::Zh,
    );
    // The caller asked for English, and the node was told so; what it says is not reworded.
    let told = status(&CallFailed::Refused(said.clone()).into(), Lang::En);
    assert_eq!((told.code(), told.message()), (said.code(), said.message()));
    assert_eq!(told.details(), said.details());
    assert_eq!(reason(&CallFailed::Refused(said).into()), "NOT_FOUND");
}
