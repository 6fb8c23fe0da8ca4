//! The program against a gateway over mutual TLS: how a context is used, what becomes of answers
//! and refusals. The gateway is made of the transport's own server and a service that answers by
//! the domain it is asked for.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Output},
    sync::{Arc, mpsc},
    thread,
};

use catalog_model::{reason::Reason, refusal::Refusal};
use luqiao_proto::operations::v1::{
    Alarm, GetStatusRequest, GetStatusResponse, NodeStatus, SetDevelopmentClockRequest,
    SetDevelopmentClockResponse, TransferLeaderRequest, TransferLeaderResponse,
    operations_service_server::{OperationsService, OperationsServiceServer},
};
use luqiao_transport::{
    accept::{ServeOptions, serve},
    language, status,
    tls::{Scope, TlsFiles, TlsMaterial, TrustFile},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{Request, Response, Status};

const CALLER: &str = "spiffe://city.luqiao/organization/01K5Z0000000000000000000CC/system/01K5Z0000000000000000000DD";

struct Operations;

#[tonic::async_trait]
impl OperationsService for Operations {
    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let lang = language::of(&metadata.into_headers());
        let refuse = |refusal: Refusal| Err(status::of(&refusal, lang));
        let mut answer = GetStatusResponse {
            domain: "city".to_owned(),
            leader: "2".to_owned(),
            term: 4,
            failure_tolerance: 1,
            nodes: vec![NodeStatus {
                id: "2".to_owned(),
                role: "leader".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        match request.name.as_str() {
            "domains/city" => {}
            "domains/sick" => answer.alarms.push(Alarm {
                name: "clock-ahead".to_owned(),
                subject: "node 2".to_owned(),
                ..Default::default()
            }),
            "domains/headless" => return refuse(Refusal::new(Reason::NoLeader)),
            "domains/forbidden" => {
                let refusal = Refusal::new(Reason::CallerNotPermitted);
                return refuse(refusal.fact("caller", "x").fact("needed", "the authority"));
            }
            name => return refuse(Refusal::new(Reason::NotFound).fact("name", name)),
        }
        Ok(Response::new(answer))
    }

    async fn transfer_leader(
        &self,
        _: Request<TransferLeaderRequest>,
    ) -> Result<Response<TransferLeaderResponse>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }

    async fn set_development_clock(
        &self,
        _: Request<SetDevelopmentClockRequest>,
    ) -> Result<Response<SetDevelopmentClockResponse>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA")
}

/// Writes `{name}.pem` and `{name}.key`, made out to `uri`.
fn issue(folder: &Path, authority: &Authority, name: &str, uri: &str) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![
        SanType::URI(uri.try_into().expect("ASCII")),
        SanType::IpAddress([127, 0, 0, 1].into()),
    ];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    fs::write(folder.join(format!("{name}.pem")), certificate.pem()).expect("a file");
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).expect("a file");
}

/// A gateway and the contexts of its callers. It ends when dropped.
struct Gateway {
    folder: TempDir,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Gateway {
    /// A gateway whose certificate is made out to `uri`.
    fn start(uri: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path();
        let authority = authority();
        fs::write(path.join("ca.pem"), authority.pem()).expect("a file");
        issue(path, &authority, "gateway", uri);
        issue(path, &authority, "caller", CALLER);
        issue(path, &self::authority(), "stranger", CALLER);
        let tls = TlsMaterial::load(TlsFiles {
            certificate: path.join("gateway.pem"),
            key: path.join("gateway.key"),
            trust: vec![TrustFile {
                file: path.join("ca.pem"),
                scope: Scope::Domain("city".parse().expect("a domain")),
            }],
        })
        .expect("usable TLS files");

        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("threads");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
                let service = OperationsServiceServer::new(Operations);
                let until = async {
                    let _ = stopped.await;
                };
                serve(listener, Arc::new(tls), service, ServeOptions::default(), until).await;
            });
        });
        let address = told.recv().expect("the gateway has started");
        let context = |name: &str, gateways: &str| {
            format!(
                "[contexts.{name}]\ngateways = {gateways}\nca = \"ca.pem\"\ncert = \"{name}.pem\"\nkey = \"{name}.key\"\n"
            )
        };
        let contexts = format!(
            "current = \"caller\"\n{}{}",
            context("caller", &format!("[\"{}\", \"{address}\"]", unused_address())),
            context("stranger", &format!("[\"{address}\"]")),
        );
        fs::write(path.join("contexts.toml"), contexts).expect("a file");
        Self { folder, address, stop: Some(stop), thread: Some(thread) }
    }

    fn luqiao(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_luqiao"))
            .args(arguments)
            .env_remove("LUQIAO_CONTEXT")
            .env("LUQIAO_CONTEXTS", self.folder.path().join("contexts.toml"))
            .output()
            .expect("the program starts")
    }

    /// Exit code, the object on stdout, stderr.
    fn json(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.luqiao(&[arguments, &["-o", "json"]].concat());
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        let line = stdout.lines().last().unwrap_or_default();
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        let object = serde_json::from_str(line).unwrap_or_else(|_| panic!("{stdout}\n{stderr}"));
        (output.status.code().expect("it ends by itself"), object, stderr)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An address at which nobody listens.
fn unused_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

#[test]
fn the_next_gateway_is_tried_and_the_caller_s_domain_is_meant() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let (code, status, talk) = gateway.json(&["status"]);
    assert_eq!((code, talk.as_str()), (0, ""));
    assert_eq!((&status["domain"], &status["term"]), (&"city".into(), &4.into()));

    let output = gateway.luqiao(&["status", "--lang", "zh"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("可容许故障节点数: 1") && text.contains("节点"), "{text}");
}

#[test]
fn an_alarm_ends_with_3() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let (code, status, _) = gateway.json(&["status", "--domain", "sick"]);
    assert_eq!((code, &status["alarms"][0]["name"]), (3, &"clock-ahead".into()));
}

#[test]
fn a_refusal_keeps_reason_and_language_and_has_its_exit_code() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let check = |domain: &str, lang: &str, expected: i32, reason: &str, words: &str| {
        let (code, object, talk) = gateway.json(&["status", "--domain", domain, "--lang", lang]);
        assert_eq!((code, &object["error"]["reason"]), (expected, &reason.into()), "{talk}");
        assert!(talk.contains(words), "{talk}");
    };
    check("nowhere", "en", 4, "NOT_FOUND", Reason::NotFound.caller_move());
    check("forbidden", "en", 5, "CALLER_NOT_PERMITTED", "it takes the authority");
    check("forbidden", "zh", 5, "CALLER_NOT_PERMITTED", "无权执行该操作");
    check("headless", "en", 8, "NO_LEADER", "what to do");
}

#[test]
fn a_certificate_of_another_authority_is_explained() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let (code, object, talk) = gateway.json(&["status", "--context", "stranger", "--lang", "en"]);
    assert_eq!((code, &object["error"]["reason"]), (5, &"unreachable".into()), "{talk}");
    assert!(talk.contains(&format!("{} answers, but", gateway.address)), "{talk}");
}

#[test]
fn a_server_that_is_no_gateway_of_our_domain_is_told_nothing() {
    let gateway = Gateway::start("spiffe://city.luqiao/node/1");
    let (code, object, talk) = gateway.json(&["status", "--lang", "en"]);
    assert_eq!((code, &object["error"]["reason"]), (5, &"unreachable".into()), "{talk}");
}
