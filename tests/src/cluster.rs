//! Cluster: how do the nodes of one domain run as processes, without gateways, where a test can get
//! at each of them?
//!
//! Everything about a node can be chosen before it starts: where it listens and where the others
//! are told that it does (a proxy may stand between), which program it is, in which namespace it
//! runs, where its data lie. The test itself calls nodes directly with a gateway's certificate.

mod gateway;
mod issuer;
mod members;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::Arc,
    time::Duration,
};

use catalog_model::ids::DomainId;
use luqiao::dev::{
    cast::{AUTHORITY, Level},
    spec,
};
use luqiao_proto::node::v1::{
    CallRequest, Caller, Envelope, GetNodeStatusRequest, GetNodeStatusResponse, RangeRequest,
    node_service_client::NodeServiceClient, probe_service_client::ProbeServiceClient,
};
use luqiao_transport::{
    dial::{DialOptions, Dialer, Target},
    identity::{SpiffeId, Subject},
    tls::{Expectation, Scope, TlsFiles, TlsMaterial, TrustFile},
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status, transport::Channel};

use crate::{
    federation::seat,
    process::Process,
    repository::program,
    role::{PATIENCE, call, may_succeed_later},
};
pub use gateway::Gateway;
use issuer::Issuer;

/// How long a node may take to say how it stands.
const STATUS_WAIT: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The nodes of one domain.
#[derive(Debug)]
pub struct Cluster {
    /// Where everything lies.
    pub folder: PathBuf,
    /// 32 hexadecimal digits.
    pub cluster_id: String,
    nodes: BTreeMap<u64, Node>,
    issuer: Issuer,
    dialer: Dialer,
    // Last, so that the folder outlives who writes in it.
    _temporary: TempDir,
}

/// A node as it is to run.
#[derive(Debug)]
pub struct Node {
    /// Its id.
    pub id: u64,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the other nodes are told that it listens.
    pub told: SocketAddr,
    /// Its data.
    pub data: PathBuf,
    /// Whom its settings name as members.
    pub members: Vec<u64>,
    /// Whether it comes into a cluster that is there already.
    pub join: bool,
    cluster_id: String,
    /// Further settings, as `("log", "filter = \"debug\"")`: section and line.
    pub more: Vec<(&'static str, String)>,
    /// The program.
    pub process: Process,
    folder: PathBuf,
    channel: Channel,
}

impl Node {
    /// Its settings.
    pub fn config(&self) -> PathBuf {
        self.folder.join("catalog-node.toml")
    }
}

impl Cluster {
    /// Lays out a cluster of `count` nodes on loopback; nothing runs yet.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn plan(count: u64) -> Self {
        let ports = free_ports(count as usize);
        let places = ports.into_iter().map(|port| (Ipv4Addr::LOCALHOST, port).into());
        Self::plan_at(&places.collect::<Vec<_>>())
    }

    /// Lays out a cluster with a node at each of these addresses.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn plan_at(places: &[SocketAddr]) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = temporary.path().to_owned();
        let issuer = Issuer::new();
        fs::write(folder.join("ca.pem"), issuer.pem()).expect("a file can be written");
        let gateway = Subject::Gateway { id: "gw-1".parse().expect("a name") };
        let name = SpiffeId { domain: domain(), subject: gateway };
        issuer.write(&folder, "gateway", &name, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let spec = serde_json::to_string(&spec::bootstrap(Level::City)).expect("texts and lists");
        fs::write(folder.join("bootstrap.json"), spec).expect("a file can be written");
        let tls = TlsMaterial::load(TlsFiles {
            certificate: folder.join("gateway.pem"),
            key: folder.join("gateway.key"),
            trust: vec![TrustFile { file: folder.join("ca.pem"), scope: Scope::Domain(domain()) }],
        });
        let dialer = Dialer::new(Arc::new(tls.expect("our own files")), DialOptions::default());
        let cluster_id = format!("{:032x}", fastrand::u128(1..));
        let mut cluster = Self {
            folder,
            cluster_id,
            nodes: BTreeMap::new(),
            issuer,
            dialer,
            _temporary: temporary,
        };
        let members: Vec<u64> = (1..=places.len() as u64).collect();
        for (id, place) in members.iter().zip(places) {
            cluster.plan_node(*id, *place, members.clone(), false);
        }
        cluster
    }

    /// Lays out one more node, which is to come into the running cluster under a new id.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn plan_joiner(&mut self, id: u64) -> &mut Node {
        let place = (Ipv4Addr::LOCALHOST, free_ports(1)[0]).into();
        let members = self.ids();
        self.plan_node(id, place, members, true);
        self.node(id)
    }

    fn plan_node(&mut self, id: u64, listen: SocketAddr, members: Vec<u64>, join: bool) {
        let folder = self.folder.join(format!("node-{id}"));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let name = name_of(id);
        self.issuer.write(&folder, "node", &name, listen.ip());
        self.issuer.write_head(&folder, &name, &self.cluster_id);
        let target = Target::new(listen.to_string()).expecting(Expectation::node_of(domain()));
        let config = folder.join("catalog-node.toml");
        let config = config.to_str().expect("a path in UTF-8");
        let node = Node {
            id,
            listen,
            told: listen,
            data: folder.join("data"),
            members,
            join,
            cluster_id: self.cluster_id.clone(),
            more: Vec::new(),
            process: Process::new(
                "catalog-node",
                &["run", "--config", config],
                folder.join("log.txt"),
            ),
            channel: self.dialer.channel(&target).expect("a usable address"),
            folder,
        };
        self.nodes.insert(id, node);
    }

    /// The ids of all nodes that were laid out, in order.
    pub fn ids(&self) -> Vec<u64> {
        self.nodes.keys().copied().collect()
    }

    /// A node.
    ///
    /// # Panics
    ///
    /// If there is none of that id.
    pub fn node(&mut self, id: u64) -> &mut Node {
        self.nodes.get_mut(&id).unwrap_or_else(|| panic!("node {id} was not laid out"))
    }

    /// Has a node's settings name this cluster, with the certificate that goes with it.
    ///
    /// # Panics
    ///
    /// If the node was not laid out.
    pub fn assign(&mut self, id: u64, cluster_id: &str) {
        let node = self.nodes.get_mut(&id).unwrap_or_else(|| panic!("node {id} was not laid out"));
        cluster_id.clone_into(&mut node.cluster_id);
        self.issuer.write_head(&node.folder, &name_of(id), cluster_id);
    }

    /// Every node.
    pub fn nodes(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.values_mut()
    }

    /// A connection to a node with a gateway's certificate.
    pub fn channel(&self, id: u64) -> Channel {
        self.nodes[&id].channel.clone()
    }

    /// Starts and creates the cluster, and waits until every node knows who leads.
    ///
    /// # Panics
    ///
    /// If it does not come up.
    pub async fn bring_up(&mut self) {
        for id in self.ids() {
            self.start(id);
        }
        self.bootstrap();
        self.until_level().await;
    }

    fn bootstrap(&mut self) {
        let first = self.ids()[0];
        let first = self.node(first);
        let (program, config) = (first.process.program(), first.config());
        let output = Command::new(program)
            .arg("bootstrap")
            .arg("--config")
            .arg(config)
            .arg("--spec")
            .arg(self.folder.join("bootstrap.json"))
            .output()
            .expect("catalog-node starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the cluster cannot be created: {said}");
    }

    /// Starts a node, for the first time or again, with its settings as they are now.
    pub fn start(&mut self, id: u64) {
        self.write_settings(id);
        self.node(id).process.start();
    }

    /// Kills a node as `kill -9` does.
    pub fn kill(&mut self, id: u64) {
        self.node(id).process.kill();
    }

    /// Kills a node that is a member no more, if it runs, and says no more of it.
    pub fn forget(&mut self, id: u64) {
        self.nodes.remove(&id);
    }

    /// Takes everything from a node that it has written, as a new disk would.
    ///
    /// # Panics
    ///
    /// If it runs.
    pub fn wipe(&mut self, id: u64) {
        let node = self.node(id);
        assert!(!node.process.is_started(), "node {id} runs");
        fs::remove_dir_all(&node.data).expect("the data can be removed");
    }

    /// Waits until a node has ended by itself; how, and the end of what it said.
    ///
    /// # Panics
    ///
    /// If it goes on.
    pub async fn until_ended(&mut self, id: u64) -> (ExitStatus, String) {
        let started = Instant::now();
        loop {
            let process = &mut self.node(id).process;
            if let Some(status) = process.ended() {
                return (status, process.said());
            }
            assert!(started.elapsed() < PATIENCE, "node {id} goes on: {}", process.said());
            sleep(PAUSE).await;
        }
    }

    /// Waits until a node has said this.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn until_said(&mut self, id: u64, words: &str) {
        let started = Instant::now();
        let process = &self.node(id).process;
        while !process.has_said(words) {
            assert!(started.elapsed() < PATIENCE, "not {words:?}: {}", process.said());
            sleep(PAUSE).await;
        }
    }

    /// Waits until a node that was started with a damaged state has a new one: asks it for all of its
    /// rows, and starts it again as often as it ends.
    ///
    /// # Panics
    ///
    /// If it does not come to that.
    pub async fn until_reseeded(&mut self, id: u64) {
        let started = Instant::now();
        loop {
            if self.node(id).process.ended().is_some() {
                self.start(id);
            }
            let mut client = ProbeServiceClient::new(self.channel(id));
            // Whatever it answers: damage is found where something is read.
            let _ = timeout(STATUS_WAIT, client.range(RangeRequest::default())).await;
            let status = self.status(id).await;
            // The folders of states that came as snapshots have numbers.
            let data = self.node(id).data.clone();
            let numbered = fs::read_dir(data).into_iter().flatten().flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let number = name.strip_prefix("state-");
                number.is_some_and(|number| number.parse::<u64>().is_ok())
            });
            if numbered && status.as_ref().is_some_and(|status| status.standing == "voter") {
                return;
            }
            let process = &self.node(id).process;
            assert!(started.elapsed() < PATIENCE, "no new state: {status:#?}\n{}", process.said());
            sleep(PAUSE).await;
        }
    }

    /// A second process with the id, certificate and settings of a node, on another port and with a
    /// folder of its own. It is not started.
    ///
    /// # Panics
    ///
    /// If it cannot be laid out.
    pub fn double(&mut self, id: u64) -> Process {
        let original = self.node(id);
        let (listen, data) = (original.listen, original.data.clone());
        let config = original.folder.join("double.toml");
        original.listen = (Ipv4Addr::LOCALHOST, free_ports(1)[0]).into();
        original.data = data.with_file_name("double");
        let text = self.settings(id);
        fs::write(&config, text).expect("settings can be written");
        let original = self.node(id);
        (original.listen, original.data) = (listen, data);
        let config = config.to_str().expect("a path in UTF-8");
        let log = original.folder.join("double.txt");
        Process::new("catalog-node", &["run", "--config", config], log)
    }

    fn write_settings(&self, id: u64) {
        fs::write(self.nodes[&id].config(), self.settings(id)).expect("settings can be written");
    }

    fn settings(&self, id: u64) -> String {
        let node = &self.nodes[&id];
        let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut line = |section, line: &str| {
            sections.entry(section).or_default().push(line.to_owned());
        };
        line("", &format!("domain = \"{}\"", domain()));
        line("", &format!("cluster_id = \"{}\"", node.cluster_id));
        line("", &format!("id = {id}"));
        line("", &format!("data = {:?}", node.data.to_str().expect("a path in UTF-8")));
        line("", &format!("listen = \"{}\"", node.listen));
        if node.join {
            line("", "join = true");
        }
        line("tls", "certificate = \"node.pem\"\nkey = \"node.key\"\nauthorities = \"../ca.pem\"");
        line("ledger", "certificate = \"head.pem\"\nkey = \"head.key\"");
        line("consensus", "tick_ms = 20\nelection_ticks = 20");
        line("clock", "ahead_max_s = 300");
        line("shutdown", "grace_s = 5");
        // Enough for what a test leaves behind; how full the machine's disk is says nothing of it.
        // A program of an earlier version may not know the word.
        if node.process.program() == program("catalog-node") {
            line("disk", "reserve_max_mib = 64");
        }
        line("log", "filter = \"info\"\njson = false");
        for (section, more) in &node.more {
            line(section, more);
        }
        let mut text = String::new();
        let mut write = |line: &str| writeln!(text, "{line}").expect("a string takes everything");
        for line in sections.remove("").unwrap_or_default() {
            write(&line);
        }
        for member in &node.members {
            // Whom it names and does not know is where nobody listens.
            let told = self.nodes.get(member).map_or(node.listen, |member| member.told);
            write(&format!("[[members]]\nid = {member}\naddress = \"{told}\""));
        }
        for (section, lines) in sections {
            write(&format!("[{section}]"));
            for line in &lines {
                write(line);
            }
        }
        text
    }

    /// What a node says of itself; `None` if it does not.
    pub async fn status(&self, id: u64) -> Option<GetNodeStatusResponse> {
        let mut client = NodeServiceClient::new(self.channel(id));
        let answer = timeout(STATUS_WAIT, client.get_node_status(GetNodeStatusRequest {})).await;
        answer.ok()?.ok().map(tonic::Response::into_inner)
    }

    /// What the nodes that run say of themselves, by their ids.
    pub async fn statuses(&self) -> BTreeMap<u64, GetNodeStatusResponse> {
        let mut found = BTreeMap::new();
        for id in self.ids() {
            if let Some(status) = self.status(id).await {
                found.insert(id, status);
            }
        }
        found
    }

    /// Waits until some node leads that `fits`, and says so itself.
    ///
    /// # Panics
    ///
    /// If none does.
    pub async fn leader_that(&self, fits: impl FnMut(&GetNodeStatusResponse) -> bool) -> u64 {
        self.leading(fits).await.0
    }

    /// Waits until a node leads, and tells which, and in which term.
    pub async fn leader_and_term(&self) -> (u64, u64) {
        self.leading(|_| true).await
    }

    async fn leading(&self, mut fits: impl FnMut(&GetNodeStatusResponse) -> bool) -> (u64, u64) {
        let started = Instant::now();
        loop {
            let statuses = self.statuses().await;
            // One that was cut off may believe for a while that it leads: the highest term counts.
            let newest = statuses.values().map(|status| status.term).max();
            let leader = statuses.iter().find(|(_, status)| {
                status.role == "leader" && Some(status.term) == newest && fits(status)
            });
            if let Some((id, status)) = leader {
                return (*id, status.term);
            }
            assert!(started.elapsed() < PATIENCE, "no such leader: {statuses:#?}");
            sleep(PAUSE).await;
        }
    }

    /// Waits until a node leads, and tells which.
    pub async fn leader(&self) -> u64 {
        self.leader_that(|_| true).await
    }

    /// Waits until a node has applied whatever was committed when this was asked.
    ///
    /// # Panics
    ///
    /// If it does not come so far.
    pub async fn until_caught_up(&mut self, id: u64) {
        let leader = self.leader().await;
        let committed = self.status(leader).await.map_or(1, |status| status.commit_index);
        let started = Instant::now();
        loop {
            let status = self.status(id).await;
            if status.as_ref().is_some_and(|status| status.applied_index >= committed) {
                return;
            }
            if started.elapsed() > PATIENCE {
                let process = &mut self.node(id).process;
                let ended = process.ended();
                let said = process.said();
                panic!("node {id} does not come to {committed}: {status:?}, {ended:?}\n{said}");
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until a node says of itself what `fits`.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn until_status(
        &self,
        id: u64,
        what: &str,
        mut fits: impl FnMut(&GetNodeStatusResponse) -> bool,
    ) -> GetNodeStatusResponse {
        let started = Instant::now();
        loop {
            let status = self.status(id).await;
            if let Some(status) = status.as_ref().filter(|status| fits(status)) {
                return status.clone();
            }
            assert!(started.elapsed() < PATIENCE, "node {id}, not {what}: {status:#?}");
            sleep(PAUSE).await;
        }
    }

    /// Waits until every node that was started has applied the same and its state is the same.
    ///
    /// # Panics
    ///
    /// If that does not come about, or two nodes have come to different states by the same log.
    pub async fn until_level(&mut self) -> GetNodeStatusResponse {
        let wanted: Vec<u64> = self
            .nodes
            .values()
            .filter(|node| node.process.is_started())
            .map(|node| node.id)
            .collect();
        let started = Instant::now();
        loop {
            let statuses = self.statuses().await;
            let mut hashes: BTreeMap<u64, &str> = BTreeMap::new();
            for status in statuses.values() {
                let hash = hashes.entry(status.applied_index).or_insert(&status.state_hash);
                assert_eq!(*hash, status.state_hash, "states differ: {statuses:#?}");
            }
            let all = wanted.iter().all(|id| statuses.contains_key(id));
            let led = statuses.values().all(|status| !status.leader.is_empty());
            if let (true, true, Some(status)) = (all, led, statuses.values().next())
                && hashes.len() == 1
                && status.applied_index > 1
            {
                return status.clone();
            }
            if started.elapsed() > PATIENCE {
                for id in &wanted {
                    let process = &mut self.node(*id).process;
                    assert!(process.ended().is_none(), "node {id} ended: {}", process.said());
                }
                panic!("the nodes do not become level: {statuses:#?}");
            }
            sleep(PAUSE).await;
        }
    }

    /// Sends a public call of the authority's system to the leader until it is answered, as a
    /// gateway would. `path` is the method's.
    ///
    /// # Panics
    ///
    /// If no answer comes.
    pub async fn ask<A, B>(&self, path: &str, message: &A) -> Result<B, Status>
    where
        A: prost::Message,
        B: prost::Message + Default,
    {
        self.ask_again(path, message).await.0
    }

    /// The same; and whether there was an attempt of which nobody knows what came of it, so that this
    /// may be the answer to a repetition.
    async fn ask_again<A, B>(&self, path: &str, message: &A) -> (Result<B, Status>, bool)
    where
        A: prost::Message,
        B: prost::Message + Default,
    {
        let started = Instant::now();
        let mut repeated = false;
        loop {
            let leader = self.leader().await;
            let answer = self.ask_at(leader, path, message).await;
            match answer {
                Err(status) if may_succeed_later(&status) => {
                    assert!(started.elapsed() < PATIENCE, "no answer: {status:?}");
                    repeated |= status.code() != Code::Unavailable;
                    sleep(PAUSE).await;
                }
                answer => return (answer, repeated),
            }
        }
    }

    /// Sends a public call of the authority's system to one node, once.
    pub async fn ask_at<A, B>(&self, id: u64, path: &str, message: &A) -> Result<B, Status>
    where
        A: prost::Message,
        B: prost::Message + Default,
    {
        let Subject::System { organization, system } =
            seat(Level::City, AUTHORITY).system_subject()
        else {
            unreachable!("the seat of the authority has a system")
        };
        let caller = Caller {
            domain: domain().to_string(),
            organization: organization.to_string(),
            system: system.to_string(),
            ..Default::default()
        };
        let envelope = Envelope {
            caller: Some(caller),
            gateway: "gw-1".to_owned(),
            method: path.to_owned(),
            call: message.encode_to_vec().into(),
            language: "en".to_owned(),
            timeout_ms: 10_000,
            ..Default::default()
        };
        let request = call(CallRequest { envelope: Some(envelope) });
        let answer = NodeServiceClient::new(self.channel(id)).call(request).await?.into_inner();
        B::decode(answer.response).map_err(|error| Status::internal(error.to_string()))
    }
}

/// The domain of every cluster here.
pub fn domain() -> DomainId {
    Level::City.domain()
}

/// The name of a node in its certificate.
fn name_of(id: u64) -> SpiffeId {
    let subject = Subject::Node { id: id.to_string().parse().expect("a name") };
    SpiffeId { domain: domain(), subject }
}

/// `domains/{domain}`.
pub fn domain_name() -> String {
    format!("domains/{}", domain())
}

/// Free ports on loopback, below those that the system gives to outgoing connections: a node that
/// is started again finds its own one free.
fn free_ports(count: usize) -> Vec<u16> {
    const PORTS: std::ops::Range<u16> = 10_000..20_000;
    let first = fastrand::u16(PORTS);
    let held = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let ports = (first..PORTS.end).chain(PORTS.start..first).filter(held);
    let found: Vec<u16> = ports.take(count).collect();
    assert_eq!(found.len(), count, "no free ports on loopback");
    found
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
