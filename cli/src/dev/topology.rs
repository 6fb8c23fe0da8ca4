//! Topology: which folders, ports, certificates and settings make three domains on one machine?
//!
//! ```text
//! DATA/contexts.toml           one context a role, for `luqiao --contexts`
//! DATA/{domain}/ca.pem         the domain's authority; its key is kept in memory only
//! DATA/{domain}/head-ca.pem    the authority for keys for heads, where they are SM2
//! DATA/{domain}/trust.json     trust anchor for receipts
//! DATA/{domain}/bootstrap.json with what the cluster begins
//! DATA/{domain}/node-{id}/     settings, certificate, key for heads, data, log
//! DATA/{domain}/gateway/       settings, certificate, log
//! DATA/{domain}/callers/       certificates of systems and heads
//! ```
//!
//! Domains share no file but what the settings of a gateway name of its neighbours: their
//! authority, for names of theirs only. Ports are the system's choice; those of nodes stay what
//! they were when the folder was laid out, because a cluster keeps its members' addresses.
//! Everything listens on loopback.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use catalog_node::bootstrap::LedgerHash;
use catalog_proofs::suite::Suite;
use luqiao_transport::identity::Subject;
use serde_json::json;

use crate::{
    both,
    exit::Exit,
    failure::Failure,
    pki::{Authority, PkiError, national::NationalAuthority},
};

use super::{
    cast::{DEPARTMENT, Level, Seat},
    spec,
    wire::Wire,
};

/// Name of the gateway of each domain.
pub const GATEWAY: &str = "gw-1";
/// Name under which the walk itself looks at single nodes.
pub const WITNESS: &str = "witness";

/// Three domains, laid out and ready to start.
#[derive(Debug)]
pub struct Topology {
    /// The folder of everything.
    pub folder: PathBuf,
    /// Whether the clusters are yet to be created.
    pub fresh: bool,
    /// One plan a level.
    pub domains: BTreeMap<Level, DomainPlan>,
    /// The wires between gateways, by who dials and who answers.
    pub wires: BTreeMap<(Level, Level), Wire>,
    /// Authorities that can still issue; none where the folder was opened again.
    pub authorities: BTreeMap<Level, Authority>,
}

/// Where everything of one domain is.
#[derive(Debug, Clone)]
pub struct DomainPlan {
    /// The level.
    pub level: Level,
    /// Its folder.
    pub folder: PathBuf,
    /// 32 hexadecimal digits.
    pub cluster_id: String,
    /// The catalog nodes.
    pub nodes: Vec<NodePlan>,
    /// Where the gateway serves.
    pub gateway: SocketAddr,
}

/// Where one node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePlan {
    /// Its id.
    pub id: u64,
    /// Where it serves.
    pub address: SocketAddr,
}

impl DomainPlan {
    /// The folder of a node.
    pub fn node_folder(&self, id: u64) -> PathBuf {
        self.folder.join(format!("node-{id}"))
    }

    /// The settings of a node.
    pub fn node_config(&self, id: u64) -> PathBuf {
        self.node_folder(id).join("catalog-node.toml")
    }

    /// The folder of the gateway.
    pub fn gateway_folder(&self) -> PathBuf {
        self.folder.join("gateway")
    }

    /// The settings of the gateway.
    pub fn gateway_config(&self) -> PathBuf {
        self.gateway_folder().join("gateway.toml")
    }

    /// The folder of callers' certificates.
    pub fn callers(&self) -> PathBuf {
        self.folder.join("callers")
    }

    /// With what the cluster begins.
    pub fn bootstrap(&self) -> PathBuf {
        self.folder.join("bootstrap.json")
    }

    /// The authority for keys for heads, where the ledger is proved with SM3 and SM2.
    pub fn head_ca(&self) -> PathBuf {
        self.folder.join("head-ca.pem")
    }

    /// The trust anchor.
    pub fn trust(&self) -> PathBuf {
        self.folder.join("trust.json")
    }
}

impl Topology {
    /// Lays out three domains in `folder`, or opens the ones that are there.
    pub async fn prepare(folder: &Path) -> Result<Self, Failure> {
        Self::prepare_with(folder, LedgerHash::Sha256).await
    }

    /// As [`Topology::prepare`]; new ledgers are proved with `hash`.
    pub async fn prepare_with(folder: &Path, hash: LedgerHash) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::file(folder, &error);
        fs::create_dir_all(folder).map_err(failed)?;
        let folder = fs::canonicalize(folder).map_err(failed)?;
        let fresh = !folder.join("contexts.toml").exists();
        let strangers = fs::read_dir(&folder).map_err(failed)?.next().is_some();
        if fresh && strangers {
            let path = folder.display();
            return Err(Failure::usage(both!(
                "{path} is neither empty nor a folder of `luqiao dev`; name another one",
                "{path} 既非空目录，也不是 luqiao dev 的目录；请另行指定"
            )));
        }
        let mut topology = Self {
            domains: plans(&folder, fresh)?,
            folder,
            fresh,
            wires: BTreeMap::new(),
            authorities: BTreeMap::new(),
        };
        topology.lay_wires().await?;
        if fresh {
            topology.issue(hash)?;
        }
        topology.write_settings()?;
        Ok(topology)
    }

    /// The plan of a level.
    pub fn of(&self, level: Level) -> &DomainPlan {
        &self.domains[&level]
    }

    /// The file of contexts.
    pub fn contexts(&self) -> PathBuf {
        self.folder.join("contexts.toml")
    }

    /// The wires between two levels, in both directions.
    pub fn wires_between(&self, a: Level, b: Level) -> impl Iterator<Item = &Wire> {
        [(a, b), (b, a)].into_iter().filter_map(|ends| self.wires.get(&ends))
    }

    /// Issues a caller's certificate and adds a context for it.
    pub fn add_caller(&self, level: Level, name: &str, subject: Subject) -> Result<(), Failure> {
        let authority = self.authorities.get(&level).ok_or_else(|| {
            Failure::new(
                Exit::Error,
                "authority_gone",
                both!(
                    "the authority of this folder was kept in memory and is gone",
                    "该目录的签发机构只存于内存，现已不可用"
                ),
            )
        })?;
        let plan = self.of(level);
        authority.issue(subject)?.write(&plan.callers(), name)?;
        let path = self.contexts();
        let mut text = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
        text.push_str(&context(plan, name));
        write(&path, &text)
    }

    async fn lay_wires(&mut self) -> Result<(), Failure> {
        for level in Level::ALL {
            for neighbour in level.neighbours() {
                let to = self.of(*neighbour).gateway;
                let wire = Wire::lay(to).await.map_err(|error| no_port(&error))?;
                self.wires.insert((level, *neighbour), wire);
            }
        }
        Ok(())
    }

    fn issue(&mut self, hash: LedgerHash) -> Result<(), Failure> {
        let suite = Suite::from(hash);
        for (level, plan) in &self.domains {
            let authority = Authority::new(&level.domain())?;
            let national = match hash {
                LedgerHash::Sha256 => None,
                LedgerHash::Sm3 => Some(NationalAuthority::new(&level.domain())?),
            };
            for folder in [plan.gateway_folder(), plan.callers()] {
                fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
            }
            for node in &plan.nodes {
                let folder = plan.node_folder(node.id);
                fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
                let id = instance(&node.id.to_string());
                let head = match &national {
                    None => authority.issue_head(&id, &plan.cluster_id)?,
                    Some(national) => national.issue_head(&id, &plan.cluster_id)?,
                };
                head.write(&folder, "head")?;
                authority.issue(Subject::Node { id })?.write(&folder, "node")?;
            }
            for name in [GATEWAY, WITNESS] {
                let subject = Subject::Gateway { id: instance(name) };
                authority.issue(subject)?.write(&plan.gateway_folder(), name)?;
            }
            for seat in Seat::of(*level) {
                let callers = plan.callers();
                authority.issue(seat.system_subject())?.write(&callers, &seat.context())?;
                authority.issue(seat.head_subject())?.write(&callers, &seat.head_context())?;
            }
            let pem = authority.pem();
            write(&plan.folder.join("ca.pem"), &pem)?;
            write(&plan.folder.join("cluster-id"), &plan.cluster_id)?;
            let mut spec = spec::bootstrap(*level);
            let mut head_pem = pem;
            if let Some(national) = &national {
                spec.hash = Some(hash);
                head_pem = national.pem();
                write(&plan.head_ca(), &head_pem)?;
            }
            let spec = serde_json::to_string_pretty(&spec).expect("texts and lists");
            write(&plan.bootstrap(), &format!("{spec}\n"))?;
            let anchor = json!({
                "domain": level.domain_text(),
                "cluster_id": plan.cluster_id,
                "hash": suite.hash_name(),
                "algorithm": suite.signature_name(),
                "ca_certificates": [head_pem],
                "forks": [],
            });
            write(&plan.trust(), &format!("{anchor:#}\n"))?;
            self.authorities.insert(*level, authority);
        }
        Ok(())
    }

    fn write_settings(&self) -> Result<(), Failure> {
        let mut contexts = format!("current = \"{}-{DEPARTMENT}\"\n", Level::City.word());
        for plan in self.domains.values() {
            for node in &plan.nodes {
                write(&plan.node_config(node.id), &node_settings(plan, *node))?;
            }
            write(&plan.gateway_config(), &self.gateway_settings(plan))?;
            for name in callers(plan)? {
                contexts.push_str(&context(plan, &name));
            }
        }
        write(&self.contexts(), &contexts)
    }

    fn gateway_settings(&self, plan: &DomainPlan) -> String {
        let mut text = format!(
            "domain = \"{domain}\"\ngateway = \"{GATEWAY}\"\nlisten = \"{listen}\"\n\n\
             [tls]\ncert = \"{GATEWAY}.pem\"\nkey = \"{GATEWAY}.key\"\nca = \"../ca.pem\"\n",
            domain = plan.level.domain_text(),
            listen = plan.gateway,
        );
        for NodePlan { id, address } in &plan.nodes {
            let _ = write!(text, "\n[[nodes]]\nid = \"{id}\"\nendpoint = \"{address}\"\n");
        }
        for neighbour in plan.level.neighbours() {
            // Catalogs go up in full; down comes what is shared.
            let (kind, follow) = if *neighbour < plan.level {
                ("superior", "shared")
            } else {
                ("subordinate", "full")
            };
            let domain = neighbour.domain_text();
            let endpoint = self.wires[&(plan.level, *neighbour)].address();
            let _ = write!(
                text,
                "\n[[peers]]\ndomain = \"{domain}\"\nkind = \"{kind}\"\nendpoints = [\"{endpoint}\"]\n\
                 ca = \"../../{domain}/ca.pem\"\nfollow = \"{follow}\"\n"
            );
            if self.of(*neighbour).head_ca().exists() {
                let _ = writeln!(text, "head_ca = \"../../{domain}/head-ca.pem\"");
            }
        }
        // On one machine nobody has to be patient with a wide-area link.
        text.push_str("\n[timeouts]\nprobe_interval = \"200ms\"\nlink_retry_max = \"500ms\"\nhead_exchange = \"2s\"\n");
        text
    }
}

fn plans(folder: &Path, fresh: bool) -> Result<BTreeMap<Level, DomainPlan>, Failure> {
    let seats: u64 = Level::ALL.iter().map(|level| level.nodes() + 1).sum();
    let mut ports = free_ports(seats as usize).map_err(|error| no_port(&error))?.into_iter();
    let mut port = || ports.next().expect("as many ports as seats");
    let mut domains = BTreeMap::new();
    for level in Level::ALL {
        let folder = folder.join(level.domain_text());
        let file = folder.join("cluster-id");
        let cluster_id = if fresh {
            format!("{:032x}", u128::from_be_bytes(catalog_node::random_bytes()))
        } else {
            fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?
        };
        let gateway = port();
        let mut plan = DomainPlan { level, folder, cluster_id, nodes: Vec::new(), gateway };
        for id in 1..=level.nodes() {
            let address = if fresh { port() } else { kept(&plan.node_config(id))? };
            plan.nodes.push(NodePlan { id, address });
        }
        domains.insert(level, plan);
    }
    Ok(domains)
}

/// Where a node of a folder that is opened again has its address, which nobody else may have taken.
fn kept(settings: &Path) -> Result<SocketAddr, Failure> {
    let text = fs::read_to_string(settings).map_err(|error| Failure::file(settings, &error))?;
    let table: toml::Table = text.parse().unwrap_or_default();
    let address = table.get("listen").and_then(|listen| listen.as_str()?.parse().ok());
    let address: SocketAddr = address.ok_or_else(|| {
        let error = io::Error::new(io::ErrorKind::InvalidData, "it names no address to listen on");
        Failure::file(settings, &error)
    })?;
    match TcpListener::bind(address) {
        Ok(_) => Ok(address),
        Err(error) => Err(Failure::new(
            Exit::Error,
            "port_taken",
            both!(
                "a node of this folder has the address {address}, which cannot be had: {error}",
                "该目录的节点使用地址 {address}，现无法占用：{error}"
            ),
        )
        .advising(both!(
            "end who listens there, or begin with another folder",
            "请结束占用该地址的程序，或另用一个目录"
        ))),
    }
}

/// The first port that the system may give to any outgoing connection. A port from there could be
/// taken between the moment it is found free and the moment a daemon listens on it again.
const FIRST_EPHEMERAL_PORT: u16 = 32_768;

/// Ports below that, tried from a random one on.
const PORTS: std::ops::Range<u16> = 20_000..FIRST_EPHEMERAL_PORT;

/// Free ports on loopback, below those of outgoing connections: a daemon that is started again
/// finds its own one free.
fn free_ports(count: usize) -> io::Result<Vec<SocketAddr>> {
    let first = fastrand::u16(PORTS);
    let free = (first..PORTS.end).chain(PORTS.start..first).filter_map(|port| {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        held.local_addr().ok()
    });
    let found: Vec<SocketAddr> = free.take(count).collect();
    if found.len() == count {
        Ok(found)
    } else {
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no free ports on loopback"))
    }
}

fn node_settings(plan: &DomainPlan, node: NodePlan) -> String {
    let NodePlan { id, address } = node;
    let mut text = format!(
        "domain = \"{domain}\"\ncluster_id = \"{cluster}\"\nid = {id}\ndata = \"data\"\n\
         listen = \"{address}\"\n",
        domain = plan.level.domain_text(),
        cluster = plan.cluster_id,
    );
    for NodePlan { id, address } in &plan.nodes {
        let _ = write!(text, "\n[[members]]\nid = {id}\naddress = \"{address}\"\n");
    }
    text.push_str(
        "\n[tls]\ncertificate = \"node.pem\"\nkey = \"node.key\"\nauthorities = \"../ca.pem\"\n\
         \n[ledger]\ncertificate = \"head.pem\"\nkey = \"head.key\"\n\
         \n[consensus]\ntick_ms = 20\nelection_ticks = 20\n\
         \n[clock]\nahead_max_s = 300\n\
         \n[shutdown]\ngrace_s = 5\n\
         \n[disk]\nreserve_max_mib = 256\n\
         \n[log]\nfilter = \"info\"\njson = false\n",
    );
    text
}

/// Names of the callers of a domain, in order.
fn callers(plan: &DomainPlan) -> Result<Vec<String>, Failure> {
    let folder = plan.callers();
    let failed = |error: io::Error| Failure::file(&folder, &error);
    let mut names = Vec::new();
    for file in fs::read_dir(&folder).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "pem")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn context(plan: &DomainPlan, name: &str) -> String {
    let domain = plan.level.domain_text();
    let nodes: Vec<String> = plan.nodes.iter().map(|node| node.address.to_string()).collect();
    format!(
        "\n[contexts.{name}]\ngateways = [\"{gateway}\"]\nnodes = {nodes:?}\nca = \"{domain}/ca.pem\"\n\
         cert = \"{domain}/callers/{name}.pem\"\nkey = \"{domain}/callers/{name}.key\"\n\
         trust = \"{domain}/trust.json\"\n",
        gateway = plan.gateway,
    )
}

fn instance(name: &str) -> luqiao_transport::identity::InstanceId {
    name.parse().expect("a name of a gateway or node")
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

fn no_port(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Error,
        "no_port",
        both!("no port on loopback could be had: {error}", "无法取得回环地址端口：{error}"),
    )
}

impl From<PkiError> for Failure {
    fn from(error: PkiError) -> Self {
        let text = format!("{:#}", anyhow::Error::new(error));
        Self::new(Exit::Error, "pki", both!("{text}", "{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn settings_are_taken_by_the_daemons_and_contexts_by_the_command() {
        let folder = tempfile::tempdir().unwrap();
        let topology = Topology::prepare(&folder.path().join("dev")).await.unwrap();
        assert!(topology.fresh);
        let mut addresses = std::collections::BTreeSet::new();
        for plan in topology.domains.values() {
            for node in &plan.nodes {
                let config =
                    catalog_node::config::Config::load(&plan.node_config(node.id)).unwrap();
                assert!(config.listen.ip().is_loopback());
                assert!(addresses.insert(config.listen));
            }
            let config = gateway::config::Config::load(&plan.gateway_config()).unwrap();
            assert!(config.listen.ip().is_loopback() && addresses.insert(config.listen));
            assert_eq!(config.peers.len(), plan.level.neighbours().len());
        }
        let contexts = crate::context::read(&topology.contexts()).unwrap();
        for seat in Level::ALL.into_iter().flat_map(Seat::of) {
            for name in [seat.context(), seat.head_context()] {
                let context = &contexts.contexts[&name];
                assert!(context.cert.exists() && context.key.exists(), "{name}");
            }
        }

        let (cluster, nodes) =
            (topology.of(Level::City).cluster_id.clone(), topology.of(Level::City).nodes.clone());
        drop(topology);
        let again = Topology::prepare(&folder.path().join("dev")).await.unwrap();
        assert!(!again.fresh);
        assert_eq!(again.of(Level::City).cluster_id, cluster);
        assert_eq!(again.of(Level::City).nodes, nodes, "a cluster keeps its members' addresses");
        let held = TcpListener::bind(nodes[0].address).unwrap();
        let failure = Topology::prepare(&folder.path().join("dev")).await.unwrap_err();
        assert_eq!(failure.reason, "port_taken");
        drop(held);
        let seat = Seat::of(Level::City).next().unwrap();
        let failure = again.add_caller(Level::City, "x", seat.head_subject()).unwrap_err();
        assert_eq!(failure.reason, "authority_gone");
    }

    #[tokio::test]
    async fn a_folder_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
        let failure = Topology::prepare(folder.path()).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
