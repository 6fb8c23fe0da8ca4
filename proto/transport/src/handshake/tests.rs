use std::{io, sync::Arc};

use catalog_model::reason::Lang;
use rustls::{AlertDescription, CertificateError, Error, OtherError};

use super::{Cause, End, HandshakeFailure};
use crate::identity::CertificateRefused;

fn in_io(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[test]
fn what_the_library_reports_becomes_a_cause_and_an_end() {
    let refused = OtherError(Arc::new(CertificateRefused::SeveralUris { count: 2 }));
    let table = [
        (in_io(CertificateError::Expired.into()), Cause::CertificateExpired, End::Ours),
        (in_io(CertificateError::NotValidYet.into()), Cause::CertificateNotYetValid, End::Ours),
        (in_io(CertificateError::UnknownIssuer.into()), Cause::UnknownAuthority, End::Ours),
        (in_io(CertificateError::Other(refused).into()), Cause::NameMalformed, End::Ours),
        (in_io(CertificateError::Revoked.into()), Cause::CertificateUnfit, End::Ours),
        (
            in_io(Error::AlertReceived(AlertDescription::UnknownCA)),
            Cause::UnknownAuthority,
            End::Theirs,
        ),
        (
            in_io(Error::AlertReceived(AlertDescription::CertificateExpired)),
            Cause::CertificateExpired,
            End::Theirs,
        ),
        (
            in_io(Error::AlertReceived(AlertDescription::CertificateUnknown)),
            Cause::CertificateUnfit,
            End::Theirs,
        ),
        (in_io(Error::NoApplicationProtocol), Cause::NoSharedProtocol, End::Ours),
        (in_io(Error::PeerSentOversizedRecord), Cause::NotTls, End::Ours),
        (io::ErrorKind::UnexpectedEof.into(), Cause::WentAway, End::Theirs),
        (io::ErrorKind::ConnectionReset.into(), Cause::WentAway, End::Theirs),
        (io::Error::other("odd"), Cause::Other, End::Theirs),
    ];
    for (error, cause, end) in table {
        let failure = HandshakeFailure::from_io(&error);
        assert_eq!((failure.cause, failure.refused_by), (cause, end), "{error:?}");
        assert!(!failure.detail.is_empty());
    }
}

#[test]
fn the_same_alert_reads_differently_on_either_side() {
    let ours = HandshakeFailure::from_tls(&CertificateError::Expired.into());
    let theirs =
        HandshakeFailure::from_tls(&Error::AlertReceived(AlertDescription::CertificateExpired));
    assert!(ours.explain(Lang::En).starts_with("the other end's certificate has expired"));
    assert!(theirs.explain(Lang::En).starts_with("our certificate was refused"));
    assert!(theirs.explain(Lang::Zh).starts_with("我方证书"));
    assert!(theirs.to_string().ends_with(&format!("({})", theirs.detail)));
}
