//! A cluster on loopback with certificates of its own, and a gateway that calls it.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use catalog_model::{
    caller::{Caller, Identity},
    fence::Said,
    ids::{DomainId, OrganizationId, PersonId, SystemId},
    reason::Reason,
    site::Pair,
};
use catalog_node::{
    CatalogNode, NodeError, RunningNode,
    backup::BackupConfig,
    bootstrap::Spec,
    clock::WallClock,
    config::{Compaction, Config, HeadFiles, LogConfig, Member, Watched},
    storage::DiskMeter,
};
use http::HeaderValue;
use luqiao_proto::{
    convert::caller::caller_message,
    node::v1::{
        CallRequest, Envelope, StreamRequest, StreamResponse,
        node_service_client::NodeServiceClient, probe_service_client::ProbeServiceClient,
    },
};
use luqiao_transport::{
    dial::{DialOptions, Dialer, Target},
    opening::{self, Opening},
    status::Problem,
    tls::{Expectation, Scope, TlsFiles, TlsMaterial, TrustFile},
};
use prost::Message;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ED25519,
    SanType,
};
use tempfile::TempDir;
use tonic::{Status, Streaming, transport::Channel};

pub(crate) const CLUSTER: [u8; 16] = [0xab; 16];

/// Organizations, persons and systems with which the cluster begins.
pub(crate) const SPEC: &str = include_str!("spec.toml");
pub(crate) const AUTHORITY: &str = "01J8Z000000000000000000001";
pub(crate) const AUTHORITY_SYSTEM: &str = "01J8Z000000000000000000002";
pub(crate) const BUREAU: &str = "01J8Z000000000000000000011";
pub(crate) const BUREAU_SYSTEM: &str = "01J8Z000000000000000000012";
pub(crate) const BUREAU_HEAD: &str = "01J8Z000000000000000000013";
pub(crate) const SCHOOL: &str = "01J8Z000000000000000000021";
pub(crate) const SCHOOL_SYSTEM: &str = "01J8Z000000000000000000022";
pub(crate) const SCHOOL_HEAD: &str = "01J8Z000000000000000000023";

pub(crate) struct Cluster {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
    members: Vec<Member>,
    joiners: Vec<Member>,
    pub(crate) nodes: BTreeMap<u64, RunningNode>,
    pub(crate) wall_clock: WallClock,
    /// Of each node the room on its disk, where it is not what it is.
    pub(crate) disks: BTreeMap<u64, DiskMeter>,
    /// Domains of which this cluster keeps the witness cell.
    pub(crate) watched: Vec<Watched>,
    /// What every node keeps of its log.
    pub(crate) compaction: Compaction,
    /// The level of commands with which it begins, if not the highest.
    pub(crate) level: Option<u32>,
    /// The generation that gateways follow.
    pub(crate) generation: u64,
    /// How every node makes backups.
    pub(crate) backup: Option<BackupConfig>,
}

/// A free port on loopback, below those that the system gives to outgoing connections: a node finds
/// its own one free when it starts, and when it starts again. No other test of this process gets it.
fn free_address() -> SocketAddr {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Two processes begin at different places.
    let begin = process::id().wrapping_mul(97) % u32::from(COUNT);
    let begin = u16::try_from(begin).unwrap();
    (0..COUNT)
        .map(|_| {
            let given = GIVEN.fetch_add(1, Ordering::Relaxed);
            FIRST + (begin + given % COUNT) % COUNT
        })
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("no free port on loopback")
}

impl Cluster {
    /// A cluster of `size` nodes, bootstrapped with `spec`.
    pub(crate) async fn start(size: u64, spec: &str) -> Self {
        let mut cluster = Self::prepare(size);
        cluster.begin(spec).await;
        cluster
    }

    /// Runs all nodes and bootstraps them.
    pub(crate) async fn begin(&mut self, spec: &str) {
        let ids: Vec<u64> = self.members.iter().map(|member| member.id).collect();
        for id in ids {
            self.run(id).await.unwrap();
        }
        let mut spec: Spec = toml::from_str(spec).unwrap();
        let mut bootstrap = spec.command(CLUSTER, self.wall_clock.now()).unwrap();
        bootstrap.level = self.level.or(bootstrap.level);
        let leader = self.leader().await;
        self.nodes[&leader].handle().bootstrap(bootstrap).await.unwrap();
    }

    /// The same, with nothing running yet.
    pub(crate) fn prepare(size: u64) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let members =
            (1..=size).map(|id| Member { id, address: free_address().to_string() }).collect();
        Self {
            folder,
            authority,
            members,
            joiners: Vec::new(),
            nodes: BTreeMap::new(),
            wall_clock: WallClock::system(),
            disks: BTreeMap::new(),
            watched: Vec::new(),
            compaction: Compaction::default(),
            level: None,
            generation: 1,
            backup: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Certificate and key files for `uri`.
    pub(crate) fn issue(&self, name: &str, uri: &str, key: &KeyPair) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
        let certificate = params.signed_by(key, &self.authority).unwrap();
        let files = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        fs::write(&files.0, certificate.pem()).unwrap();
        fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    fn tls(&self, name: &str, uri: &str) -> TlsFiles {
        let (certificate, key) = self.issue(name, uri, &KeyPair::generate().unwrap());
        TlsFiles {
            certificate,
            key,
            trust: vec![TrustFile { file: self.path("ca.pem"), scope: Scope::Domain(domain()) }],
        }
    }

    pub(crate) fn config(&self, id: u64) -> Config {
        let cluster = "ab".repeat(16);
        let head = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let head_uri = format!("spiffe://xiamen.luqiao/node/{id}/head/{cluster}");
        let (certificate, key) = self.issue(&format!("head-{id}"), &head_uri, &head);
        Config {
            domain: domain(),
            cluster_id: CLUSTER,
            id,
            data: self.path(&format!("data-{id}")),
            listen: self.address(id),
            members: self.members.clone(),
            join: self.joiners.iter().any(|joiner| joiner.id == id),
            backup: self.backup.clone(),
            compaction: self.compaction,
            memory: Default::default(),
            reserve: Default::default(),
            webhooks: Default::default(),
            watched: self.watched.clone(),
            tls: self.tls(&format!("node-{id}"), &format!("spiffe://xiamen.luqiao/node/{id}")),
            head: HeadFiles { certificate, key },
            tick: Duration::from_millis(20),
            election_ticks: 12,
            clock_ahead_max: Duration::from_mins(5),
            shutdown_grace: Duration::from_secs(2),
            log: LogConfig { filter: "info".to_owned(), json: false },
            accept_clock: false,
            wall_clock: self.wall_clock.clone(),
            disk: self.disks.get(&id).cloned().unwrap_or_else(DiskMeter::system),
        }
    }

    fn address(&self, id: u64) -> SocketAddr {
        let known = || self.members.iter().chain(&self.joiners);
        let member = known().find(|member| member.id == id).unwrap();
        member.address.parse().unwrap()
    }

    /// Papers and a port for a node that is to join; its configuration names the founders.
    pub(crate) fn prepare_joiner(&mut self, id: u64) -> String {
        let address = free_address().to_string();
        self.joiners.push(Member { id, address: address.clone() });
        address
    }

    /// Gives a gateway ways to the nodes that joined since it was made.
    pub(crate) fn gateway_again(&self, gateway: &mut Gateway) {
        *gateway = self.gateway();
    }

    pub(crate) async fn run(&mut self, id: u64) -> Result<(), NodeError> {
        let node = CatalogNode::start(self.config(id)).await?;
        self.nodes.insert(id, node);
        Ok(())
    }

    pub(crate) async fn kill(&mut self, id: u64) {
        self.nodes.remove(&id).unwrap().kill().await;
    }

    /// Waits until a running node leads with an entry of its own term applied.
    pub(crate) async fn leader(&self) -> u64 {
        loop {
            for (id, node) in &self.nodes {
                let handle = node.handle();
                let leads = handle.status().is_leader() && handle.read().await.is_ok();
                // It may have lost it while it was asked.
                if leads && handle.status().is_leader() {
                    return *id;
                }
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn dialer(&self, name: &str, uri: &str) -> Dialer {
        let tls = Arc::new(TlsMaterial::load(self.tls(name, uri)).unwrap());
        Dialer::new(tls, DialOptions::default())
    }

    pub(crate) fn channel(&self, dialer: &Dialer, id: u64) -> Channel {
        let target =
            Target::new(self.address(id).to_string()).expecting(Expectation::node_of(domain()));
        dialer.channel(&target).unwrap()
    }

    /// A gateway of the domain.
    pub(crate) fn gateway(&self) -> Gateway {
        let dialer = self.dialer("gateway", "spiffe://xiamen.luqiao/gateway/gw-1");
        let known = self.members.iter().chain(&self.joiners);
        let way = |id| Way::new(self.channel(&dialer, id), Follows(self.generation));
        let channels = known.map(|member| (member.id, way(member.id)));
        Gateway { channels: channels.collect(), generation: self.generation }
    }
}

pub(crate) fn domain() -> DomainId {
    "xiamen".parse().unwrap()
}

/// A system of an organization, as callers appear in envelopes.
pub(crate) fn system(organization: &str, system: &str) -> Caller {
    Caller {
        domain: domain(),
        identity: Identity::System {
            organization: organization.parse::<OrganizationId>().unwrap(),
            system: system.parse::<SystemId>().unwrap(),
            asserted_person: None,
        },
    }
}

pub(crate) fn person(organization: &str, person: &str) -> Caller {
    Caller {
        domain: domain(),
        identity: Identity::Person {
            organization: organization.parse::<OrganizationId>().unwrap(),
            person: person.parse::<PersonId>().unwrap(),
        },
    }
}

/// Follows a generation for good, whatever nodes say.
#[derive(Clone)]
pub(crate) struct Follows(u64);

impl opening::Ledger for Follows {
    fn says(&self) -> Option<HeaderValue> {
        let pair = Pair { generation: self.0, ..Pair::FIRST };
        let said = Said { belongs: None, heard: pair, opened: pair };
        // Of the first there is nothing to be said: so do programs that know of no others.
        (pair > Pair::FIRST).then(|| Opening { cluster: "ab".repeat(16), said }.header())
    }

    fn hears(&self, _: Opening) {}
}

/// A way to a node.
type Way = opening::Telling<Channel, Follows>;

/// Calls nodes as a gateway does.
#[derive(Clone)]
pub(crate) struct Gateway {
    channels: BTreeMap<u64, Way>,
    /// Of the cluster that it takes the nodes for.
    generation: u64,
}

impl Gateway {
    /// Every node that it has a way to.
    pub(crate) fn node_ids(&self) -> Vec<u64> {
        self.channels.keys().copied().collect()
    }

    pub(crate) fn probes(&self, node: u64) -> ProbeServiceClient<Way> {
        ProbeServiceClient::new(self.channels[&node].clone())
    }

    pub(crate) fn nodes(&self, node: u64) -> NodeServiceClient<Way> {
        NodeServiceClient::new(self.channels[&node].clone())
    }

    /// One call through `node`.
    pub(crate) async fn call<A: Message + Default>(
        &self,
        node: u64,
        caller: &Caller,
        method: &str,
        call: &impl Message,
    ) -> Result<A, Problem> {
        let envelope = Envelope { generation: self.generation, ..envelope(caller, method, call) };
        let answer = self.nodes(node).call(CallRequest { envelope: Some(envelope) }).await;
        let answer = answer.map_err(|status| Problem::from_status(&status))?;
        Ok(A::decode(answer.into_inner().response).unwrap())
    }

    /// One call through `node` that must be refused.
    pub(crate) async fn refused(
        &self,
        node: u64,
        caller: &Caller,
        method: &str,
        call: &impl Message,
    ) -> Reason {
        let envelope = envelope(caller, method, call);
        let answer = self.nodes(node).call(CallRequest { envelope: Some(envelope) }).await;
        Problem::from_status(&answer.expect_err("it is refused")).reason.unwrap()
    }

    pub(crate) async fn stream(
        &self,
        node: u64,
        caller: &Caller,
        method: &str,
        call: &impl Message,
    ) -> Result<Streaming<StreamResponse>, Status> {
        let envelope = Some(envelope(caller, method, call));
        self.nodes(node).stream(StreamRequest { envelope }).await.map(tonic::Response::into_inner)
    }
}

pub(crate) fn envelope(caller: &Caller, method: &str, call: &impl Message) -> Envelope {
    Envelope {
        caller: Some(caller_message(caller)),
        gateway: "gw-1".to_owned(),
        method: format!("/luqiao.{method}"),
        call: call.encode_to_vec().into(),
        language: "en".to_owned(),
        cluster_id: "ab".repeat(16),
        generation: 1,
        timeout_ms: 20_000,
        ..Default::default()
    }
}
