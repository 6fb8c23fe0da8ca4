//! Cluster: three processes of one system on this machine, how they begin, vanish and come back.
//!
//! Both systems get certificates of one authority, ask their callers for one, listen on loopback,
//! and sync every write; beyond that each has its defaults. The cluster of catalog nodes is begun
//! like any other.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use catalog_node::{bootstrap::Spec, config::Config, remote};
use luqiao::{
    dev::{
        cast::{Level, MANAGER, Seat},
        spec,
    },
    pki::Authority,
};
use luqiao_proto::{
    node::v1::{
        CallRequest, Caller, Envelope, GetNodeStatusRequest, node_service_client::NodeServiceClient,
    },
    operations::v1::TransferLeaderRequest,
};
use luqiao_transport::{
    dial::{DialOptions, Dialer, Target},
    identity::Subject,
    tls::{Scope, TlsFiles, TlsMaterial, TrustFile},
};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use super::{
    etcd::EtcdClient,
    store::{Store, named},
};

/// Nodes of a cluster.
pub const NODES: usize = 3;
/// How long a cluster may take to answer.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at a cluster that does not answer yet.
const PAUSE: Duration = Duration::from_millis(5);
/// Its part of the federation; any would do.
const LEVEL: Level = Level::City;

/// Whose processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum System {
    Luqiao,
    Etcd,
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `catalog-node`.
    pub catalog_node: PathBuf,
    /// `etcd`.
    pub etcd: PathBuf,
}

/// Three processes. Dropping it kills them.
#[derive(Debug)]
pub struct Cluster {
    system: System,
    nodes: Vec<Node>,
    tls: Arc<TlsMaterial>,
}

#[derive(Debug)]
struct Node {
    port: u16,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
    /// To ask how it stands.
    channel: Channel,
}

/// A seat that may do what operators do and one that compiles catalogs.
pub fn caller(word: &str) -> Caller {
    let seat = Seat::of(LEVEL).find(|seat| seat.office.word == word).expect("a seat of the cast");
    Caller {
        domain: LEVEL.domain_text().to_owned(),
        organization: seat.organization().to_string(),
        system: seat.system().to_string(),
        ..Caller::default()
    }
}

/// The head of the same office.
pub fn head(word: &str) -> Caller {
    let seat = Seat::of(LEVEL).find(|seat| seat.office.word == word).expect("a seat of the cast");
    Caller {
        domain: LEVEL.domain_text().to_owned(),
        organization: seat.organization().to_string(),
        person: seat.head().to_string(),
        ..Caller::default()
    }
}

impl Cluster {
    /// Lays out a new cluster in `folder`, which is empty, starts it, and waits until it answers.
    pub async fn begin(system: System, folder: &Path, programs: &Programs) -> anyhow::Result<Self> {
        Self::begin_at(system, folder, programs, None).await
    }

    /// The same; with `clock`, a cluster of catalog nodes begins with a development clock at that
    /// moment.
    pub async fn begin_at(
        system: System,
        folder: &Path,
        programs: &Programs,
        clock: Option<&str>,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let authority = Authority::new(&LEVEL.domain())?;
        fs::write(folder.join("ca.pem"), authority.pem())?;
        authority.issue(Subject::Gateway { id: "load".parse()? })?.write(folder, "load")?;
        let tls = caller_tls(folder)?;
        let nodes = match system {
            System::Luqiao => lay_out_luqiao(folder, &authority, &tls, programs)?,
            System::Etcd => lay_out_etcd(folder, &authority, &tls, programs)?,
        };
        let mut cluster = Self { system, nodes, tls };
        for node in 0..NODES {
            cluster.start(node)?;
        }
        if system == System::Luqiao {
            let spec = Spec {
                development_clock: clock.map(str::to_owned),
                peers: Vec::new(),
                ..spec::bootstrap(LEVEL)
            };
            let config = Config::load(&folder.join("node-1/catalog-node.toml"))?;
            let tls = Arc::new(TlsMaterial::load(config.tls.clone())?);
            if let Err(refusal) = remote::bootstrap(&config, tls, &spec, PATIENCE).await {
                bail!("the cluster did not begin: {}\n{}", refusal.reason, cluster.said());
            }
        }
        cluster.until_ready().await?;
        Ok(cluster)
    }

    /// Starts the catalog nodes that were laid out in `folder` once, and waits until they answer.
    pub async fn again(folder: &Path, programs: &Programs) -> anyhow::Result<Self> {
        let tls = caller_tls(folder)?;
        let nodes = (1..=NODES)
            .map(|id| {
                let own = folder.join(format!("node-{id}"));
                let config = own.join("catalog-node.toml");
                let port = Config::load(&config)?.listen.port();
                catalog_node(&own, port, &tls, programs)
            })
            .collect::<anyhow::Result<_>>()?;
        let mut cluster = Self { system: System::Luqiao, nodes, tls };
        for node in 0..NODES {
            cluster.start(node)?;
        }
        cluster.until_ready().await?;
        Ok(cluster)
    }

    /// Whose processes they are.
    pub fn system(&self) -> System {
        self.system
    }

    /// Starts a node that does not run.
    pub fn start(&mut self, node: usize) -> anyhow::Result<()> {
        let node = &mut self.nodes[node];
        assert!(node.child.is_none(), "the node on port {} runs already", node.port);
        let log = || OpenOptions::new().create(true).append(true).open(&node.log);
        // Under it a child keeps its id, and ends with the thread that started it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&node.program).args(&node.arguments);
        command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(log()?).stderr(log()?);
        node.child = Some(command.spawn().context("a node starts")?);
        Ok(())
    }

    /// As `kill -9` does; returns when it is gone.
    pub fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        let mut child = self.nodes[node].child.take().context("a node that runs")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Ends all in order, by SIGTERM, and returns when they are gone.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let mut ending = Vec::new();
        for node in &mut self.nodes {
            if let Some(child) = node.child.take() {
                let id = child.id().to_string();
                Command::new("kill").args(["-TERM", &id]).status()?;
                ending.push(child);
            }
        }
        for mut child in ending {
            let until = Instant::now() + Duration::from_secs(30);
            while child.try_wait()?.is_none() {
                if Instant::now() > until {
                    child.kill()?;
                }
                std::thread::sleep(PAUSE);
            }
        }
        Ok(())
    }

    /// That no node has ended by itself.
    pub fn check(&mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            if let Some(child) = &mut node.child
                && let Some(status) = child.try_wait()?
            {
                bail!("a node ended by itself ({status}):\n{}", self.said());
            }
        }
        Ok(())
    }

    /// Waits until a linearizable read is answered, and returns the node that leads.
    pub async fn until_ready(&mut self) -> anyhow::Result<usize> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(leader) = self.leader().await
                && timeout(Duration::from_secs(2), self.store(leader)?.get("ready".into()))
                    .await
                    .is_ok_and(|answer| answer.is_ok())
            {
                return Ok(leader);
            }
            self.check()?;
            if Instant::now() > until {
                bail!("the cluster does not answer:\n{}", self.said());
            }
            sleep(PAUSE).await;
        }
    }

    /// The node that leads, as it says itself.
    pub async fn leader(&self) -> Option<usize> {
        for (number, node) in self.nodes.iter().enumerate() {
            if node.child.is_none() {
                continue;
            }
            let leads = async {
                match self.system {
                    System::Luqiao => {
                        let mut client = NodeServiceClient::new(node.channel.clone());
                        let status = client.get_node_status(GetNodeStatusRequest {}).await.ok()?;
                        Some(status.into_inner().role == "leader")
                    }
                    System::Etcd => {
                        let status = EtcdClient::new(node.channel.clone()).status().await.ok()?;
                        Some(status.leader != 0 && status.leader == status.header?.member_id)
                    }
                }
            };
            if let Ok(Some(true)) = timeout(Duration::from_secs(1), leads).await {
                return Some(number);
            }
        }
        None
    }

    /// Has `leader` hand over to another node, and returns once it says that this was done.
    pub async fn transfer(&self, leader: usize) -> anyhow::Result<()> {
        let to = (leader + 1) % NODES;
        match self.system {
            System::Luqiao => {
                let call = TransferLeaderRequest {
                    name: format!("domains/{}", LEVEL.domain_text()),
                    node: (to + 1).to_string(),
                };
                let envelope = Envelope {
                    caller: Some(caller(MANAGER)),
                    method: "/luqiao.operations.v1.OperationsService/TransferLeader".to_owned(),
                    call: call.encode_to_vec().into(),
                    ..Envelope::default()
                };
                NodeServiceClient::new(self.nodes[leader].channel.clone())
                    .call(CallRequest { envelope: Some(envelope) })
                    .await
                    .map_err(|status| anyhow::anyhow!(named(&status)))?;
            }
            System::Etcd => {
                let mut target = EtcdClient::new(self.nodes[to].channel.clone());
                let id = target.status().await?.header.context("a header")?.member_id;
                let mut client = EtcdClient::new(self.nodes[leader].channel.clone());
                client.move_leader(id).await?;
            }
        }
        Ok(())
    }

    /// A connection of its own to a node.
    pub fn channel(&self, node: usize) -> anyhow::Result<Channel> {
        channel(&self.tls, self.nodes[node].port)
    }

    /// The store of a node, over a connection of its own.
    pub fn store(&self, node: usize) -> anyhow::Result<Store> {
        let channel = self.channel(node)?;
        Ok(match self.system {
            System::Luqiao => Store::luqiao(channel),
            System::Etcd => Store::etcd(channel),
        })
    }

    /// The same over each of `count` connections.
    pub fn stores(&self, node: usize, count: usize) -> anyhow::Result<Vec<Store>> {
        (0..count).map(|_| self.store(node)).collect()
    }

    /// Ids of the processes that run.
    pub fn processes(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(|node| node.child.as_ref()).map(Child::id).collect()
    }

    /// Resident memory of each node, in MiB.
    pub fn resident_mib(&self) -> anyhow::Result<Vec<f64>> {
        let resident = |id: u32| {
            let text = fs::read_to_string(format!("/proc/{id}/status"))?;
            let line = text.lines().find(|line| line.starts_with("VmRSS:"));
            let kib = line.and_then(|line| line.split_whitespace().nth(1));
            let kib: f64 = kib.context("a line VmRSS")?.parse()?;
            Ok((kib / 102.4).round() / 10.0)
        };
        self.processes().into_iter().map(resident).collect()
    }

    /// Seconds of processor time that all nodes have used so far, and this process.
    pub fn cpu_seconds(&self) -> anyhow::Result<(f64, f64)> {
        let used = |id: u32| -> anyhow::Result<f64> {
            let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
            // The name, in parentheses, may hold anything.
            let (_, fields) = stat.rsplit_once(')').context("a process has a name")?;
            let ticks = fields.split_whitespace().skip(11).take(2);
            Ok(ticks.flat_map(str::parse::<u64>).sum::<u64>() as f64 / 100.0)
        };
        let nodes = self.processes().into_iter().map(used).sum::<anyhow::Result<f64>>()?;
        Ok((nodes, used(std::process::id())?))
    }

    /// The last entry that `node` has applied.
    pub async fn applied(&self, node: usize) -> anyhow::Result<u64> {
        let mut client = NodeServiceClient::new(self.nodes[node].channel.clone());
        let status = client.get_node_status(GetNodeStatusRequest {}).await;
        Ok(status.map_err(|status| anyhow::anyhow!(named(&status)))?.into_inner().applied_index)
    }

    /// The last lines of all logs.
    pub fn said(&self) -> String {
        let tail = |node: &Node| {
            let text = fs::read_to_string(&node.log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!(
                "{}\n{}",
                node.log.display(),
                lines[lines.len().saturating_sub(12)..].join("\n")
            )
        };
        self.nodes.iter().map(tail).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(mut child) = node.child.take() {
                // It may have ended; then there is nothing to kill.
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

fn channel(tls: &Arc<TlsMaterial>, port: u16) -> anyhow::Result<Channel> {
    let dialer = Dialer::new(Arc::clone(tls), DialOptions::default());
    Ok(dialer.channel(&Target::new(format!("127.0.0.1:{port}")))?)
}

/// Free ports on loopback, outside the range from which outgoing connections get theirs.
fn ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let first = fastrand::u16(20_000..32_000);
    let free =
        (first..32_768).filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let found: Vec<u16> = free.take(count).collect();
    if found.len() < count {
        bail!("no free ports on loopback");
    }
    Ok(found)
}

fn lay_out_luqiao(
    folder: &Path,
    authority: &Authority,
    tls: &Arc<TlsMaterial>,
    programs: &Programs,
) -> anyhow::Result<Vec<Node>> {
    let ports = ports(NODES)?;
    let cluster = format!("{:032x}", fastrand::u128(1..));
    let mut members = String::new();
    for (number, port) in ports.iter().enumerate() {
        let id = number + 1;
        let _ = write!(members, "\n[[members]]\nid = {id}\naddress = \"127.0.0.1:{port}\"\n");
    }
    ports
        .iter()
        .enumerate()
        .map(|(number, port)| {
            let id = number + 1;
            let own = folder.join(format!("node-{id}"));
            fs::create_dir_all(&own)?;
            let name = id.to_string().parse()?;
            authority.issue_head(&name, &cluster)?.write(&own, "head")?;
            authority.issue(Subject::Node { id: name })?.write(&own, "node")?;
            let config = own.join("catalog-node.toml");
            // As in the commented example: what is meant for nodes within a building.
            let text = format!(
                "domain = \"{domain}\"\ncluster_id = \"{cluster}\"\nid = {id}\ndata = \"data\"\n\
                 listen = \"127.0.0.1:{port}\"\n{members}\n\
                 [tls]\ncertificate = \"node.pem\"\nkey = \"node.key\"\nauthorities = \"../ca.pem\"\n\n\
                 [ledger]\ncertificate = \"head.pem\"\nkey = \"head.key\"\n\n\
                 [consensus]\ntick_ms = 20\nelection_ticks = 12\n\n\
                 [clock]\nahead_max_s = 300\n\n[shutdown]\ngrace_s = 5\n\n\
                 [log]\nfilter = \"info\"\njson = false\n",
                domain = LEVEL.domain_text(),
            );
            fs::write(&config, text)?;
            catalog_node(&own, *port, tls, programs)
        })
        .collect()
}

/// The node that is laid out in `own`.
fn catalog_node(
    own: &Path,
    port: u16,
    tls: &Arc<TlsMaterial>,
    programs: &Programs,
) -> anyhow::Result<Node> {
    let config = own.join("catalog-node.toml").display().to_string();
    Ok(Node {
        port,
        program: programs.catalog_node.clone(),
        arguments: vec!["run".to_owned(), "--config".to_owned(), config],
        log: own.join("log.txt"),
        child: None,
        channel: channel(tls, port)?,
    })
}

/// What the caller shows and whom it trusts.
fn caller_tls(folder: &Path) -> anyhow::Result<Arc<TlsMaterial>> {
    Ok(Arc::new(TlsMaterial::load(TlsFiles {
        certificate: folder.join("load.pem"),
        key: folder.join("load.key"),
        trust: vec![TrustFile {
            file: folder.join("ca.pem"),
            scope: Scope::Domain(LEVEL.domain()),
        }],
    })?))
}

fn lay_out_etcd(
    folder: &Path,
    authority: &Authority,
    tls: &Arc<TlsMaterial>,
    programs: &Programs,
) -> anyhow::Result<Vec<Node>> {
    let ports = ports(3 * NODES)?;
    let (clients, rest) = ports.split_at(NODES);
    let (peers, http) = rest.split_at(NODES);
    let url = |port: u16| format!("https://127.0.0.1:{port}");
    let members: Vec<String> = peers
        .iter()
        .enumerate()
        .map(|(number, port)| format!("n{number}={}", url(*port)))
        .collect();
    let authorities = folder.join("ca.pem").display().to_string();
    (0..NODES)
        .map(|number| {
            let own = folder.join(format!("n{number}"));
            fs::create_dir_all(&own)?;
            let name = (number + 1).to_string().parse()?;
            authority.issue(Subject::Node { id: name })?.write(&own, "node")?;
            let file = |name: &str| own.join(name).display().to_string();
            let settings = [
                ("name", format!("n{number}")),
                ("data-dir", file("data")),
                ("listen-client-urls", url(clients[number])),
                ("advertise-client-urls", url(clients[number])),
                // Of its own, so that gRPC need not pass through etcd's HTTP server: faster.
                ("listen-client-http-urls", url(http[number])),
                ("listen-peer-urls", url(peers[number])),
                ("initial-advertise-peer-urls", url(peers[number])),
                ("initial-cluster", members.join(",")),
                ("initial-cluster-state", "new".to_owned()),
                ("cert-file", file("node.pem")),
                ("key-file", file("node.key")),
                ("client-cert-auth", "true".to_owned()),
                ("trusted-ca-file", authorities.clone()),
                ("peer-cert-file", file("node.pem")),
                ("peer-key-file", file("node.key")),
                ("peer-client-cert-auth", "true".to_owned()),
                ("peer-trusted-ca-file", authorities.clone()),
                // Or a million entries with their history are refused.
                ("quota-backend-bytes", (8_u64 << 30).to_string()),
            ];
            Ok(Node {
                port: clients[number],
                program: programs.etcd.clone(),
                arguments: settings.iter().map(|(key, value)| format!("--{key}={value}")).collect(),
                log: own.join("log.txt"),
                child: None,
                channel: channel(tls, clients[number])?,
            })
        })
        .collect()
}
