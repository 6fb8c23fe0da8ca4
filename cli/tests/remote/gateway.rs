//! A gateway made of the transport's own server and a service that answers by the domain it is
//! asked for, and for the members of a cluster of its own.

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
    AddMemberRequest, AddMemberResponse, Alarm, GetStatusRequest, GetStatusResponse,
    ListMemberChangesRequest, ListMemberChangesResponse, ListMembersRequest, ListMembersResponse,
    NodeStatus, PromoteMemberRequest, PromoteMemberResponse, RaiseLevelRequest, RaiseLevelResponse,
    RemoveMemberRequest, RemoveMemberResponse, ReplaceMemberRequest, ReplaceMemberResponse,
    SetDevelopmentClockRequest, SetDevelopmentClockResponse, TransferLeaderRequest,
    TransferLeaderResponse,
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

use crate::members::Members;

const CALLER: &str = "spiffe://city.luqiao/organization/01K5Z0000000000000000000CC/system/01K5Z0000000000000000000DD";

struct Operations(Arc<Members>);

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
            cluster_id: "c0ffee".to_owned(),
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
        request: Request<TransferLeaderRequest>,
    ) -> Result<Response<TransferLeaderResponse>, Status> {
        self.0.answer(|members| Ok(members.transfer(&request.into_inner())))
    }

    async fn list_members(
        &self,
        _: Request<ListMembersRequest>,
    ) -> Result<Response<ListMembersResponse>, Status> {
        self.0.answer(|members| Ok(members.list()))
    }

    async fn add_member(
        &self,
        request: Request<AddMemberRequest>,
    ) -> Result<Response<AddMemberResponse>, Status> {
        self.0.answer(|members| members.add(request.into_inner()))
    }

    async fn promote_member(
        &self,
        request: Request<PromoteMemberRequest>,
    ) -> Result<Response<PromoteMemberResponse>, Status> {
        self.0.answer(|members| members.promote(&request.into_inner()))
    }

    async fn remove_member(
        &self,
        request: Request<RemoveMemberRequest>,
    ) -> Result<Response<RemoveMemberResponse>, Status> {
        self.0.answer(|members| members.remove(&request.into_inner()))
    }

    async fn replace_member(
        &self,
        request: Request<ReplaceMemberRequest>,
    ) -> Result<Response<ReplaceMemberResponse>, Status> {
        self.0.answer(|members| members.replace(&request.into_inner()))
    }

    async fn list_member_changes(
        &self,
        request: Request<ListMemberChangesRequest>,
    ) -> Result<Response<ListMemberChangesResponse>, Status> {
        self.0.answer(|members| Ok(members.history(&request.into_inner())))
    }

    async fn raise_level(
        &self,
        request: Request<RaiseLevelRequest>,
    ) -> Result<Response<RaiseLevelResponse>, Status> {
        self.0.answer(|members| members.raise(&request.into_inner()))
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
pub(crate) struct Gateway {
    /// What its cluster is like, and was asked.
    pub(crate) members: Arc<Members>,
    folder: TempDir,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Gateway {
    /// A gateway whose certificate is made out to `uri`.
    pub(crate) fn start(uri: &str) -> Self {
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

        let members = Arc::new(Members::default());
        let operations = Operations(Arc::clone(&members));
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("threads");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
                let service = OperationsServiceServer::new(operations);
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
        Self { members, folder, address, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn luqiao(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_luqiao"))
            .args(arguments)
            .env_remove("LUQIAO_CONTEXT")
            .env("LUQIAO_CONTEXTS", self.folder.path().join("contexts.toml"))
            .output()
            .expect("the program starts")
    }

    /// Exit code, the object on stdout, stderr.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, Value, String) {
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
