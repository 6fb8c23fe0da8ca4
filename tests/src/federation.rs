//! Federation: how do domains of real processes come up, and what can be done to them?

use std::{collections::BTreeMap, path::Path};

use catalog_node::bootstrap::LedgerHash;
use luqiao::{
    context::Context,
    dev::{
        cast::{AUTHORITY, Level, Seat},
        topology::{GATEWAY, Topology},
    },
};
use luqiao_proto::operations::v1::{GetStatusRequest, GetStatusResponse};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    process::Process,
    publishing::Press,
    role::{PATIENCE, Role, call},
    until_answered,
};

/// A process of a federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The catalog node of that id.
    Node(Level, u64),
    /// The gateway.
    Gateway(Level),
}

/// Some of the three domains, each node and gateway a process.
#[derive(Debug)]
pub struct Federation {
    /// Folders, ports, certificates and wires.
    pub topology: Topology,
    processes: BTreeMap<Part, Process>,
    // Last, so that the folder outlives who writes in it.
    _folder: TempDir,
}

impl Federation {
    /// Starts and creates the clusters of `levels`, and waits until each answers.
    ///
    /// # Panics
    ///
    /// If one does not come up.
    pub async fn start(levels: &[Level]) -> Self {
        let mut federation = Self::prepare().await;
        federation.bring_up(levels).await;
        federation
    }

    /// Lays out three domains and starts nothing: what is written can still be changed.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub async fn prepare() -> Self {
        Self::prepare_with(LedgerHash::Sha256).await
    }

    /// As [`Federation::prepare`], with ledgers that are proved with `hash`.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub async fn prepare_with(hash: LedgerHash) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let topology = Topology::prepare_with(&folder.path().join("dev"), hash)
            .await
            .unwrap_or_else(|failure| panic!("{failure:?}"));
        Self { topology, processes: BTreeMap::new(), _folder: folder }
    }

    /// Starts and creates the clusters of `levels`, and waits until each answers.
    ///
    /// # Panics
    ///
    /// If one does not come up.
    pub async fn bring_up(&mut self, levels: &[Level]) {
        for level in levels {
            self.lay_out(*level);
        }
        let parts: Vec<Part> = self.processes.keys().copied().collect();
        for part in parts {
            self.revive(part);
        }
        for level in levels {
            self.create(*level);
        }
        for level in levels {
            self.until_answering(*level).await;
        }
    }

    fn lay_out(&mut self, level: Level) {
        let plan = self.topology.of(level);
        let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        for node in &plan.nodes {
            let config = text(&plan.node_config(node.id));
            let log = plan.node_folder(node.id).join("log.txt");
            let process = Process::new("catalog-node", &["run", "--config", &config], log);
            self.processes.insert(Part::Node(level, node.id), process);
        }
        let config = text(&plan.gateway_config());
        let log = plan.gateway_folder().join("log.txt");
        let process = Process::new("gateway", &["--config", &config], log);
        self.processes.insert(Part::Gateway(level), process);
    }

    /// What `luqiao dev --processes` does with a fresh cluster: once, through its first node.
    fn create(&self, level: Level) {
        let plan = self.topology.of(level);
        let output = std::process::Command::new(crate::repository::program("catalog-node"))
            .arg("bootstrap")
            .arg("--config")
            .arg(plan.node_config(1))
            .arg("--spec")
            .arg(plan.bootstrap())
            .output()
            .expect("catalog-node starts");
        assert!(
            output.status.success(),
            "{level:?} cannot be created: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Kills a process as `kill -9` does.
    pub fn kill(&mut self, part: Part) {
        self.process(part).kill();
    }

    /// Throws away what the cluster of `level` knows and creates it anew with the same keys, as
    /// somebody would who wants another past; waits until it answers.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub async fn rewrite(&mut self, level: Level) {
        let plan = self.topology.of(level);
        let nodes: Vec<u64> = plan.nodes.iter().map(|node| node.id).collect();
        let data: Vec<_> = nodes.iter().map(|id| plan.node_folder(*id).join("data")).collect();
        for id in &nodes {
            self.kill(Part::Node(level, *id));
        }
        for folder in data {
            std::fs::remove_dir_all(&folder).expect("the data can be thrown away");
        }
        for id in &nodes {
            self.revive(Part::Node(level, *id));
        }
        self.create(level);
        self.until_answering(level).await;
    }

    /// Starts a process, for the first time or again.
    pub fn revive(&mut self, part: Part) {
        self.process(part).start();
    }

    /// The end of what a process said so far.
    ///
    /// # Panics
    ///
    /// If the process is not of this federation.
    pub fn said(&self, part: Part) -> String {
        self.processes[&part].said()
    }

    fn process(&mut self, part: Part) -> &mut Process {
        self.processes
            .get_mut(&part)
            .unwrap_or_else(|| panic!("{part:?} is not of this federation"))
    }

    /// Waits until the domain's cluster answers through its gateway.
    pub async fn until_answering(&self, level: Level) -> GetStatusResponse {
        let authority = self.role(level, AUTHORITY);
        let name = authority.domain();
        until_answered!(authority.operations().get_status(GetStatusRequest { name: name.clone() }))
            .unwrap_or_else(|status| panic!("{level:?} does not come up: {status:?}"))
    }

    /// Waits until every node of a domain has applied what the leader has.
    ///
    /// # Panics
    ///
    /// If that does not come about.
    pub async fn until_level(&self, level: Level) {
        let started = Instant::now();
        let authority = self.role(level, AUTHORITY);
        let mut operations = authority.operations();
        loop {
            let status = operations
                .get_status(call(GetStatusRequest { name: authority.domain() }))
                .await
                .map(tonic::Response::into_inner);
            if let Ok(status) = &status
                && status.nodes.len() as u64 == level.nodes()
                && status.nodes.iter().all(|node| node.role != "unreachable" && node.lag == 0)
            {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{level:?} does not become level: {status:?}");
            sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// The node that leads now.
    pub async fn leader(&self, level: Level) -> Part {
        let status = self.until_answering(level).await;
        let id = status.leader.parse().unwrap_or_else(|_| panic!("no leader: {status:?}"));
        Part::Node(level, id)
    }

    /// An office's system.
    pub fn role(&self, level: Level, office: &str) -> Role {
        Role::named(&self.topology.contexts(), &seat(level, office).context())
    }

    /// An office's head.
    pub fn head(&self, level: Level, office: &str) -> Role {
        Role::named(&self.topology.contexts(), &seat(level, office).head_context())
    }

    /// The gateway of `level` as a caller at the gateway of `at`.
    pub fn gateway_of(&self, level: Level, at: Level) -> Role {
        let folder = self.topology.of(level).gateway_folder();
        let plan = self.topology.of(at);
        Role::of(Context {
            gateways: vec![plan.gateway.to_string()],
            nodes: Vec::new(),
            ca: plan.folder.join("ca.pem"),
            cert: folder.join(format!("{GATEWAY}.pem")),
            key: folder.join(format!("{GATEWAY}.key")),
            trust: None,
            domain: Some(at.domain_text().to_owned()),
        })
    }

    /// Who publishes entries of an office.
    pub fn press(&self, level: Level, office: &str) -> Press {
        Press {
            provider: self.role(level, office),
            head: self.head(level, office),
            authority: self.role(level, AUTHORITY),
        }
    }
}

/// The office of that word.
///
/// # Panics
///
/// If there is none at that level.
pub fn seat(level: Level, office: &str) -> Seat {
    Seat::of(level)
        .find(|seat| seat.office.word == office)
        .unwrap_or_else(|| panic!("{level:?} has no {office}"))
}
