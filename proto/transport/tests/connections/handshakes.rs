//! Handshakes: who gets in, and what those who do not are told on either side.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use catalog_model::reason::{Lang, Reason};
use http::Uri;
use hyper_util::rt::TokioIo;
use luqiao_transport::{
    dial::{DialError, DialOptions, Dialer, Target},
    handshake::{Cause, End, HandshakeFailure},
    identity::SpiffeId,
    status::Problem,
    tls::{Expectation, Scope},
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{Code, transport::Endpoint};
use tower::service_fn;

use crate::{
    certificates::{Authority, Holder, domain, material},
    server::{HOUR, Server, check, dialer, patient, reach},
};

const NODE: &str = "spiffe://xiamen.luqiao/node/1";
const GATEWAY: &str = "spiffe://xiamen.luqiao/gateway/1";

/// A server and a client; what became of the client's attempt and of the server's books.
async fn attempt(
    server: (&Authority, Holder, &[(&Authority, Scope)]),
    client: (&Authority, Holder, &[(&Authority, Scope)]),
    expected: Option<Expectation>,
) -> (Result<String, DialError>, BTreeMap<Cause, u64>) {
    let server = Server::start(material(server.0, &server.1, server.2), patient()).await;
    let mut target = server.target();
    target.expected = expected;
    let outcome = reach(material(client.0, &client.1, client.2), &target).await;
    (outcome, server.end().await.refused)
}

/// What the client was told.
fn refusal(outcome: Result<String, DialError>) -> (Cause, End) {
    match outcome.unwrap_err() {
        DialError::Handshake { source, .. } => (source.cause, source.refused_by),
        other => panic!("not a handshake: {other}"),
    }
}

#[tokio::test]
async fn a_good_certificate_is_known_by_its_name() {
    let xiamen = Authority::new("Xiamen");
    let trust = [(&xiamen, domain("xiamen"))];
    let (outcome, refused) = attempt(
        (&xiamen, Holder::named(NODE), &trust),
        (&xiamen, Holder::named(GATEWAY), &trust),
        Some(Expectation::node_of("xiamen".parse().unwrap())),
    )
    .await;
    assert_eq!(outcome.unwrap(), GATEWAY);
    assert_eq!(refused, BTreeMap::new());
}

#[tokio::test]
async fn domains_meet_with_authorities_of_their_own() {
    let (xiamen, fujian) = (Authority::new("Xiamen"), Authority::new("Fujian"));
    let trust = [(&xiamen, domain("xiamen")), (&fujian, domain("fujian"))];
    let (outcome, _) = attempt(
        (&xiamen, Holder::named(GATEWAY), &trust),
        (&fujian, Holder::named("spiffe://fujian.luqiao/gateway/1"), &trust),
        Some(Expectation::gateway_of("xiamen".parse().unwrap())),
    )
    .await;
    assert_eq!(outcome.unwrap(), "spiffe://fujian.luqiao/gateway/1");
}

#[tokio::test]
async fn a_caller_without_certificate_is_told_in_words() {
    let xiamen = Authority::new("Xiamen");
    let trust = [(&xiamen, domain("xiamen"))];
    let tls = material(&xiamen, &Holder::named(GATEWAY), &trust);
    let server = Server::start(tls, patient()).await;

    let (config, address) = (any_client(&xiamen, None), server.address);
    let channel = Endpoint::from_static("http://localhost")
        .connect_with_connector(service_fn(move |_: Uri| {
            let opening = open(address, Arc::clone(&config));
            async move { opening.await.map(TokioIo::new) }
        }))
        .await
        .unwrap();

    let problem = Problem::from_status(&check(channel).await.unwrap_err());
    assert_eq!(problem.code, Code::Unauthenticated);
    assert_eq!(problem.reason, Some(Reason::CertificateMissing));
    assert_eq!(server.end().await.refused, BTreeMap::new());
}

#[tokio::test]
async fn a_bad_client_certificate_ends_in_an_alert_that_both_sides_explain() {
    let (xiamen, fujian, stranger) =
        (Authority::new("Xiamen"), Authority::new("Fujian"), Authority::new("Stranger"));
    let trust = [(&xiamen, domain("xiamen")), (&fujian, domain("fujian"))];
    let expired = || Holder::named(GATEWAY).valid(2020, 2021);
    let early = || Holder::named(GATEWAY).valid(2110, 2120);
    let table = [
        ("another authority", &stranger, Holder::named(GATEWAY), Cause::UnknownAuthority, None),
        // Same name as the real one, another key.
        (
            "an impostor",
            &Authority::new("Xiamen"),
            Holder::named(GATEWAY),
            Cause::UnknownAuthority,
            None,
        ),
        ("expired", &xiamen, expired(), Cause::CertificateExpired, None),
        (
            "not yet valid",
            &xiamen,
            early(),
            Cause::CertificateExpired,
            Some(Cause::CertificateNotYetValid),
        ),
        (
            "a name in the domain of another authority",
            &fujian,
            Holder::named(GATEWAY),
            Cause::UnknownAuthority,
            None,
        ),
        ("no name of ours", &xiamen, Holder::nameless(), Cause::UnknownAuthority, None),
    ];
    for (what, authority, holder, told, logged) in table {
        let (outcome, refused) =
            attempt((&xiamen, Holder::named(NODE), &trust), (authority, holder, &trust), None)
                .await;
        assert_eq!(refused, BTreeMap::from([(logged.unwrap_or(told), 1)]), "{what}");
        assert_eq!(refusal(outcome), (told, End::Theirs), "{what}");
    }
}

#[tokio::test]
async fn a_certificate_with_two_names_or_a_malformed_one_is_refused() {
    let xiamen = Authority::new("Xiamen");
    let tls = material(&xiamen, &Holder::named(NODE), &[(&xiamen, domain("xiamen"))]);
    let server = Server::start(tls, patient()).await;
    let holders = [
        Holder::named(GATEWAY).and(NODE),
        Holder::named(GATEWAY).and("https://example.org"),
        Holder::named("spiffe://xiamen.luqiao/root"),
    ];
    let count = holders.len() as u64;
    for holder in holders {
        // Our own client would not load such a certificate.
        let config = any_client(&xiamen, Some(xiamen.issue(&holder)));
        let mut stream = open(server.address, config).await.unwrap();
        // It talks on at once, as most clients do. The alert must not be lost over that.
        stream.write_all(&[0; 10_000]).await.unwrap();
        let alert = HandshakeFailure::from_io(&stream.read(&mut [0]).await.unwrap_err());
        assert_eq!((alert.cause, alert.refused_by), (Cause::CertificateUnfit, End::Theirs));
    }
    assert_eq!(server.end().await.refused, BTreeMap::from([(Cause::NameMalformed, count)]));
}

/// A client that is not ours, with or without certificate and key.
fn any_client(trusted: &Authority, own: Option<(String, String)>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

async fn open(address: SocketAddr, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(config).connect(name, stream).await
}

#[tokio::test]
async fn others_are_let_in_without_a_name_and_may_not_take_one() {
    let (xiamen, others) = (Authority::new("Xiamen"), Authority::new("Others"));
    let trust = [(&xiamen, domain("xiamen")), (&others, Scope::Others)];
    let server = || (&xiamen, Holder::named(GATEWAY), &trust[..]);

    let (outcome, _) = attempt(server(), (&others, Holder::nameless(), &trust), None).await;
    assert_eq!(outcome.unwrap(), "nobody");

    let (outcome, _) = attempt(server(), (&others, Holder::named(NODE), &trust), None).await;
    assert_eq!(refusal(outcome), (Cause::UnknownAuthority, End::Theirs));
}

#[tokio::test]
async fn a_server_must_be_the_one_that_was_meant() {
    let (xiamen, fujian, stranger) =
        (Authority::new("Xiamen"), Authority::new("Fujian"), Authority::new("Stranger"));
    let trust = [(&xiamen, domain("xiamen")), (&fujian, domain("fujian"))];
    let strangers = [(&xiamen, domain("xiamen")), (&stranger, Scope::Everyone)];
    let id = |text: &str| text.parse::<SpiffeId>().unwrap();
    let domain_id = |text: &str| text.parse().unwrap();
    let table = [
        (
            "another kind",
            &xiamen,
            Holder::named(NODE),
            Some(Expectation::gateway_of(domain_id("xiamen"))),
            Cause::WrongIdentity,
        ),
        (
            "another domain",
            &fujian,
            Holder::named("spiffe://fujian.luqiao/gateway/1"),
            Some(Expectation::gateway_of(domain_id("xiamen"))),
            Cause::WrongIdentity,
        ),
        (
            "another node",
            &xiamen,
            Holder::named(NODE),
            Some(Expectation::exactly(id("spiffe://xiamen.luqiao/node/2"))),
            Cause::WrongIdentity,
        ),
        (
            "another host",
            &xiamen,
            Holder::named(NODE).on_host("node-1.example.org"),
            None,
            Cause::WrongHost,
        ),
        ("another authority", &stranger, Holder::named(NODE), None, Cause::UnknownAuthority),
        (
            "expired",
            &xiamen,
            Holder::named(NODE).valid(2020, 2021),
            None,
            Cause::CertificateExpired,
        ),
    ];
    for (what, authority, holder, expected, cause) in table {
        let (outcome, _) = attempt(
            (authority, holder, &strangers),
            (&xiamen, Holder::named(GATEWAY), &trust),
            expected,
        )
        .await;
        assert_eq!(refusal(outcome), (cause, End::Ours), "{what}");
    }
}

#[tokio::test]
async fn a_server_knows_why_a_client_would_not_have_it() {
    let (xiamen, stranger) = (Authority::new("Xiamen"), Authority::new("Stranger"));
    let tls = material(&xiamen, &Holder::named(NODE), &[(&xiamen, domain("xiamen"))]);
    let server = Server::start(tls, patient()).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(any_client(&stranger, None));
    let (error, mut stream) = connector.connect(name, stream).into_fallible().await.unwrap_err();
    assert_eq!(HandshakeFailure::from_io(&error).refused_by, End::Ours);
    // The server closes after it has counted.
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(server.end().await.refused, BTreeMap::from([(Cause::UnknownAuthority, 1)]));
}

#[tokio::test]
async fn nobody_there_is_told_from_somebody_who_refuses() {
    let xiamen = Authority::new("Xiamen");
    let tls = material(&xiamen, &Holder::named(GATEWAY), &[(&xiamen, domain("xiamen"))]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);

    let error = reach(Arc::clone(&tls), &Target::new(&address)).await.unwrap_err();
    assert!(matches!(error, DialError::Unreachable { .. }), "{error}");
    assert!(error.explain(Lang::En).contains("nobody answers"));
    assert!(error.explain(Lang::Zh).contains("无应答"));

    // Also when the call finds out and not the dialing.
    let channel = dialer(tls).channel(&Target::new(&address)).unwrap();
    let status = check(channel).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(matches!(DialError::find(&status), Some(DialError::Unreachable { .. })), "{status:?}");
}

#[tokio::test]
async fn the_call_that_needed_the_connection_carries_the_refusal() {
    let (xiamen, stranger) = (Authority::new("Xiamen"), Authority::new("Stranger"));
    let trust = [(&xiamen, domain("xiamen"))];
    let tls = material(&xiamen, &Holder::named(NODE), &trust);
    let server = Server::start(tls, patient()).await;

    let tls = material(&stranger, &Holder::named(GATEWAY), &trust);
    let channel = dialer(tls).channel(&server.target()).unwrap();
    let status = check(channel).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let error = DialError::find(&status).expect("the status stems from a dial error");
    let explained = error.explain(Lang::En);
    assert!(explained.contains("our certificate was refused"), "{explained}");
    assert_eq!(server.end().await.refused, BTreeMap::from([(Cause::UnknownAuthority, 1)]));
}

#[tokio::test]
async fn ends_that_do_not_speak_tls_are_recognized() {
    let xiamen = Authority::new("Xiamen");
    let tls = material(&xiamen, &Holder::named(NODE), &[(&xiamen, domain("xiamen"))]);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let outcome = reach(Arc::clone(&tls), &Target::new(address)).await;
    assert_eq!(refusal(outcome), (Cause::NotTls, End::Ours));
    plain.await.unwrap();

    let server = Server::start(tls, patient()).await;
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer[0], 0x15, "the answer is a TLS alert");
    assert_eq!(server.end().await.refused, BTreeMap::from([(Cause::NotTls, 1)]));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let xiamen = Authority::new("Xiamen");
    let tls = material(&xiamen, &Holder::named(NODE), &[(&xiamen, domain("xiamen"))]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::new(listener.local_addr().unwrap().to_string());
    let connect_timeout = std::time::Duration::from_millis(50);
    let options = DialOptions { connect_timeout, ..DialOptions::default() };
    let error = Dialer::new(tls, options).connect(&target).await.unwrap_err();
    assert!(matches!(error, DialError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn a_client_that_never_speaks_is_dropped_and_counted() {
    let xiamen = Authority::new("Xiamen");
    let tls = material(&xiamen, &Holder::named(NODE), &[(&xiamen, domain("xiamen"))]);
    let mut options = patient();
    options.handshake_timeout = std::time::Duration::from_millis(50);
    let server = Server::start(tls, options).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "the server closes");
    assert_eq!(server.end().await.refused, BTreeMap::from([(Cause::Silent, 1)]));
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_without_an_attempt() {
    let xiamen = Authority::new("Xiamen");
    let tls = material(&xiamen, &Holder::named(NODE), &[(&xiamen, domain("xiamen"))]);
    let dialer = Dialer::new(tls, DialOptions { connect_timeout: HOUR, ..DialOptions::default() });
    for address in [
        "",
        "localhost",
        ":443",
        "localhost:x",
        "localhost:1/path",
        "a b:1",
        "me@localhost:1",
        "http://localhost:1",
    ] {
        let error = dialer.channel(&Target::new(address)).err();
        assert!(matches!(error, Some(DialError::Address { .. })), "{address:?}: {error:?}");
    }
    for address in ["localhost:1", "127.0.0.1:1", "[::1]:1"] {
        assert!(dialer.channel(&Target::new(address)).is_ok(), "{address}");
    }
}
