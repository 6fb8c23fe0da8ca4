//! Town: three domains at work, and everyone who can be called or looked at.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use catalog_model::reason::Lang;
use luqiao_proto::operations::v1::{GetStatusRequest, GetStatusResponse};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use tonic::Status;

use crate::{both, exit::Exit, failure::Failure};

use super::{
    actor::{Actor, LOOK_EVERY, Look, PATIENCE, Witness},
    cast::{Level, MANAGER},
    daemons::{Daemon, Mode},
    spec,
    topology::Topology,
};

/// A node's or gateway's seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Post {
    /// A catalog node.
    Node(Level, u64),
    /// The gateway.
    Gateway(Level),
}

/// Three domains at work.
#[derive(Debug)]
pub struct Town {
    /// Folders, ports, wires.
    pub topology: Topology,
    /// In which language everyone is addressed.
    pub lang: Lang,
    mode: Mode,
    daemons: BTreeMap<Post, Daemon>,
    witnesses: BTreeMap<Level, Witness>,
    actors: Mutex<BTreeMap<String, Arc<Actor>>>,
}

impl Town {
    /// Starts everything and waits until every domain answers.
    pub async fn start(topology: Topology, mode: Mode, lang: Lang) -> Result<Self, Failure> {
        only_loopback(&topology)?;
        let mut witnesses = BTreeMap::new();
        for (level, plan) in &topology.domains {
            witnesses.insert(*level, Witness::new(plan, lang)?);
        }
        let mut town = Self {
            topology,
            lang,
            mode,
            daemons: BTreeMap::new(),
            witnesses,
            actors: Mutex::new(BTreeMap::new()),
        };
        let nodes: Vec<Post> = town
            .topology
            .domains
            .values()
            .flat_map(|plan| plan.nodes.iter().map(|node| Post::Node(plan.level, node.id)))
            .collect();
        for post in nodes {
            town.begin(post).await?;
        }
        for level in Level::ALL {
            town.found(level).await?;
        }
        for level in Level::ALL {
            town.begin(Post::Gateway(level)).await?;
        }
        for level in Level::ALL {
            town.until_whole(level).await?;
        }
        Ok(town)
    }

    /// Starts the daemon of `post`.
    pub async fn begin(&mut self, post: Post) -> Result<(), Failure> {
        let daemon = match post {
            Post::Node(level, id) => {
                self.mode.start_node(&self.topology.of(level).node_config(id)).await?
            }
            Post::Gateway(level) => {
                self.mode.start_gateway(&self.topology.of(level).gateway_config()).await?
            }
        };
        self.daemons.insert(post, daemon);
        Ok(())
    }

    /// The daemon of `post` vanishes.
    pub async fn kill(&mut self, post: Post) {
        if let Some(daemon) = self.daemons.remove(&post) {
            daemon.kill().await;
        }
    }

    /// Ends the daemon of `post` in order: it hands over what it leads and says farewell.
    pub async fn stop_one(&mut self, post: Post) {
        if let Some(daemon) = self.daemons.remove(&post) {
            daemon.stop().await;
        }
    }

    /// Whether the daemon of `post` was started and neither killed nor stopped since.
    pub fn runs(&self, post: Post) -> bool {
        self.daemons.contains_key(&post)
    }

    /// The process of `post`, if it is one of its own.
    pub fn process_id(&self, post: Post) -> Option<u32> {
        self.daemons.get(&post).and_then(Daemon::process_id)
    }

    /// Creates the cluster of a level, unless that was done in an earlier run.
    async fn found(&mut self, level: Level) -> Result<(), Failure> {
        let patience = Instant::now() + PATIENCE;
        while self.witness(level).leader().await.is_none() {
            self.still_alive()?;
            if Instant::now() > patience {
                return Err(too_slow(level));
            }
            sleep(LOOK_EVERY).await;
        }
        spec::found(self.topology.of(level)).await
    }

    /// Waits until the gateway of a level sees every node, one of them leading.
    pub async fn until_whole(&mut self, level: Level) -> Result<(), Failure> {
        let patience = Instant::now() + PATIENCE;
        loop {
            self.still_alive()?;
            if let Ok(status) = self.status(level).await
                && status.nodes.len() as u64 == level.nodes()
                && status.nodes.iter().all(|node| node.role == "leader" || node.role == "follower")
                && !status.leader.is_empty()
            {
                return Ok(());
            }
            if Instant::now() > patience {
                return Err(too_slow(level));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// What the gateway of a level tells about its domain.
    pub async fn status(&self, level: Level) -> Result<GetStatusResponse, Failure> {
        let manager = self.office(level, MANAGER).await?;
        let mut call = manager.session.call(GetStatusRequest { name: manager.parent() });
        call.set_timeout(Duration::from_secs(2));
        let answer = manager.session.operations().get_status(call).await;
        answer.map(tonic::Response::into_inner).map_err(|status| Failure::call(&status))
    }

    /// A daemon that ended by itself is nothing to wait for.
    fn still_alive(&mut self) -> Result<(), Failure> {
        for (post, daemon) in &mut self.daemons {
            if let Some(words) = daemon.last_words() {
                return Err(Failure::new(
                    Exit::Error,
                    "daemon_ended",
                    both!("{post:?} has ended: {words}", "{post:?} 已退出：{words}"),
                ));
            }
        }
        Ok(())
    }

    /// Who looks at the single nodes of a level.
    pub fn witness(&self, level: Level) -> &Witness {
        &self.witnesses[&level]
    }

    /// Asks a node of `level` other than its leader, for `actor`.
    pub async fn look<M: prost::Message, R: prost::Message + Default>(
        &self,
        level: Level,
        actor: &Actor,
        method: &str,
        question: &M,
    ) -> Result<Look<R>, Status> {
        self.witness(level).look(actor, method, question).await
    }

    /// Whoever the context `name` speaks for.
    pub async fn actor(&self, name: &str) -> Result<Arc<Actor>, Failure> {
        let mut actors = self.actors.lock().await;
        if let Some(actor) = actors.get(name) {
            return Ok(Arc::clone(actor));
        }
        let actor = Arc::new(Actor::open(&self.topology.contexts(), name, self.lang).await?);
        actors.insert(name.to_owned(), Arc::clone(&actor));
        Ok(actor)
    }

    /// The system of an office of a level.
    pub async fn office(&self, level: Level, word: &str) -> Result<Arc<Actor>, Failure> {
        self.actor(&format!("{}-{word}", level.word())).await
    }

    /// The head of an office of a level.
    pub async fn head(&self, level: Level, word: &str) -> Result<Arc<Actor>, Failure> {
        self.actor(&format!("{}-{word}-head", level.word())).await
    }

    /// Cuts or mends what lies between two levels.
    pub fn cut(&self, a: Level, b: Level) {
        self.topology.wires_between(a, b).for_each(super::wire::Wire::cut);
    }

    /// Mends what lies between two levels.
    pub fn heal(&self, a: Level, b: Level) {
        self.topology.wires_between(a, b).for_each(super::wire::Wire::heal);
    }

    /// Ends everything: the gateways in order, then the nodes at once. Where a whole cluster ends
    /// there is nobody to hand over to, and what was acknowledged is on disk.
    pub async fn stop(mut self) {
        let mut daemons = std::mem::take(&mut self.daemons);
        let gateways: Vec<Post> =
            daemons.keys().copied().filter(|post| matches!(post, Post::Gateway(_))).collect();
        for post in gateways {
            if let Some(daemon) = daemons.remove(&post) {
                daemon.stop().await;
            }
        }
        for daemon in daemons.into_values() {
            daemon.kill().await;
        }
    }
}

/// A development environment has well-known roles and a clock that anybody moves: it is for this
/// machine alone.
fn only_loopback(topology: &Topology) -> Result<(), Failure> {
    for plan in topology.domains.values() {
        let nodes = plan.nodes.iter().map(|node| node.address);
        if let Some(address) =
            nodes.chain([plan.gateway]).find(|address| !address.ip().is_loopback())
        {
            return Err(Failure::usage(both!(
                "{address} is not on loopback: a development environment is for this machine alone",
                "{address} 不是回环地址：演示环境仅限本机使用"
            )));
        }
    }
    Ok(())
}

fn too_slow(level: Level) -> Failure {
    let (level, seconds) = (level.word(), PATIENCE.as_secs());
    Failure::new(
        Exit::Unavailable,
        "not_ready",
        both!(
            "the {level} domain was not ready within {seconds} s",
            "{level} 域未能在 {seconds} 秒内就绪"
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn what_listens_beyond_loopback_is_not_started() {
        let folder = tempfile::tempdir().unwrap();
        let mut topology = Topology::prepare(&folder.path().join("dev")).await.unwrap();
        only_loopback(&topology).unwrap();
        let city = topology.domains.get_mut(&Level::City).unwrap();
        city.nodes[1].address.set_ip(Ipv4Addr::UNSPECIFIED.into());
        let failure = Town::start(topology, Mode::Here, Lang::En).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.en.contains("0.0.0.0"), "{failure:?}");
    }
}
