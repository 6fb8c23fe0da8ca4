//! The operator: who reaches the processes, and does to them what a plan says?
//!
//! On a city of `luqiao dev` this program does it itself. On real machines a person does: the command
//! is shown, and the person says when it is done. Both answer the same calls, so that a plan does not
//! know which of them carries it out. What a new act needs is built here.

use std::{
    io::{self, BufRead, Write as _},
    thread,
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use crate::{
    both,
    dev::{
        cast::Level,
        town::{Post, Town},
    },
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    output::Output,
};

use super::{cluster::Cluster, findings::Disturbance, prober::Watch, step::Act};

/// How long the cluster may take to be whole again between two nodes.
const WHOLE: Duration = Duration::from_mins(2);
/// How long it may take until it is seen who leads now.
const DECIDED: Duration = Duration::from_mins(1);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Who carries acts out.
#[derive(Debug)]
pub enum Operator {
    /// A city of `luqiao dev`, with processes of this program's own.
    Town(Box<Town>),
    /// Somebody with a shell on the machines.
    Person,
}

/// What an act left behind, for those that undo it and for the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// The failures that were made.
    pub disturbances: Vec<Disturbance>,
    /// The node that was lost and is to be started again.
    pub lost: Option<String>,
    /// Who led before, and in which term.
    pub led: Option<(String, u64)>,
}

/// The level of the town that is rehearsed: the one with three nodes.
pub const REHEARSED: Level = Level::City;

/// Everything that an act works with.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The cluster, as it is seen through its gateways.
    pub cluster: &'a Cluster,
    /// The runner's clock.
    pub watch: Watch,
    /// How this run speaks.
    pub output: Output,
}

impl Operator {
    /// Carries an act out, and puts into `traces` what it left as soon as it is so: an act that breaks
    /// off half way leaves what it did.
    pub async fn perform(
        &mut self,
        act: Act,
        around: Around<'_>,
        traces: &mut Traces,
    ) -> Result<(), Failure> {
        match act {
            Act::KillLeader => self.kill_leader(around, traces).await,
            Act::RestartEach => self.restart_each(around, traces).await,
            Act::StartLost => self.start_lost(around, traces).await,
            // The runner's own affair: it has the prober.
            Act::StopProber => Ok(()),
            act => Err(not_built(act)),
        }
    }

    async fn kill_leader(
        &mut self,
        around: Around<'_>,
        traces: &mut Traces,
    ) -> Result<(), Failure> {
        let (leader, term) = around.cluster.leader().await?.ok_or_else(nobody_leads)?;
        traces.led = Some((leader.clone(), term));
        traces.lost = Some(leader.clone());
        let asked = around.watch.now();
        let exact = match self {
            Self::Town(town) => {
                town.kill(post(&leader)?).await;
                true
            }
            Self::Person => {
                let endpoint = around.cluster.endpoint(&leader).await?;
                ask(
                    around.output,
                    &both!(
                        "on the machine of node {leader} ({endpoint}), end the process at once: `kill -9 $(pidof catalog-node)`; then type `done`",
                        "请在节点 {leader}（{endpoint}）所在机器上立即终止进程：kill -9 $(pidof catalog-node)；完成后输入 done"
                    ),
                )
                .await?;
                false
            }
        };
        let at = if exact { asked } else { around.watch.now() };
        traces.disturbances.push(Disturbance {
            at,
            node: leader.clone(),
            what: "killed".to_owned(),
            exact,
            seen: None,
            decided: None,
        });
        self.watch_decision(around, traces, &leader).await
    }

    /// Looks until somebody else leads, and notes when that was first seen.
    async fn watch_decision(
        &self,
        around: Around<'_>,
        traces: &mut Traces,
        before: &str,
    ) -> Result<(), Failure> {
        let patience = Instant::now() + DECIDED;
        loop {
            let leader = self.leader(around.cluster).await;
            let now = around.watch.now();
            if let Some(last) = traces.disturbances.last_mut() {
                if leader.as_deref() != Some(before) {
                    last.seen.get_or_insert(now);
                }
                if leader.is_some_and(|leader| leader != before) {
                    last.decided = Some(now);
                    return Ok(());
                }
            }
            if Instant::now() > patience {
                return Err(Failure::new(
                    Exit::Unavailable,
                    "no_leader",
                    both!("nobody leads any more", "不再有主节点"),
                ));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Who leads now, as far as it can be seen at once.
    async fn leader(&self, cluster: &Cluster) -> Option<String> {
        match self {
            Self::Town(town) => town.witness(REHEARSED).leader().await.map(|id| id.to_string()),
            Self::Person => cluster.leader().await.ok().flatten().map(|(leader, _)| leader),
        }
    }

    /// Followers first, whoever leads at the end last.
    async fn restart_each(
        &mut self,
        around: Around<'_>,
        traces: &mut Traces,
    ) -> Result<(), Failure> {
        traces.led = around.cluster.leader().await?;
        let mut left = around.cluster.nodes().await?;
        while !left.is_empty() {
            let leader = around.cluster.leader().await?.map(|(leader, _)| leader);
            let place = left.iter().position(|id| Some(id) != leader.as_ref()).unwrap_or(0);
            let id = left.remove(place);
            let endpoint = around.cluster.endpoint(&id).await?;
            let asked = around.watch.now();
            let exact = matches!(self, Self::Town(_));
            match self {
                Self::Town(town) => {
                    town.stop_one(post(&id)?).await;
                    town.begin(post(&id)?).await?;
                }
                Self::Person => {
                    ask(
                        around.output,
                        &both!(
                            "on the machine of node {id} ({endpoint}), restart it in order: `systemctl restart catalog-node`; then type `done`",
                            "请在节点 {id}（{endpoint}）所在机器上正常重启：systemctl restart catalog-node；完成后输入 done"
                        ),
                    )
                    .await?;
                }
            }
            let at = if exact { asked } else { around.watch.now() };
            let what = if leader.as_ref() == Some(&id) { "leader-restarted" } else { "restarted" };
            traces.disturbances.push(Disturbance {
                at,
                node: id.clone(),
                what: what.to_owned(),
                exact,
                seen: None,
                decided: None,
            });
            around.cluster.until_whole(WHOLE).await?;
        }
        Ok(())
    }

    async fn start_lost(&mut self, around: Around<'_>, traces: &mut Traces) -> Result<(), Failure> {
        let Some(lost) = traces.lost.clone() else { return Ok(()) };
        match self {
            Self::Town(town) => {
                // A city that was opened again has started it already.
                if !town.runs(post(&lost)?) {
                    town.begin(post(&lost)?).await?;
                }
            }
            Self::Person => {
                let endpoint = around.cluster.endpoint(&lost).await?;
                ask(
                    around.output,
                    &both!(
                        "start node {lost} ({endpoint}) again: `systemctl start catalog-node`; then type `done`",
                        "请重新启动节点 {lost}（{endpoint}）：systemctl start catalog-node；完成后输入 done"
                    ),
                )
                .await?;
            }
        }
        around.cluster.until_whole(WHOLE).await
    }
}

fn post(id: &str) -> Result<Post, Failure> {
    let id = id.parse().map_err(|_| {
        Failure::new(
            Exit::Error,
            "answer_malformed",
            both!("`{id}` is not the number of a node", "“{id}”不是节点编号"),
        )
    })?;
    Ok(Post::Node(REHEARSED, id))
}

/// Asks a person, and waits until it is done.
pub(super) async fn ask(output: Output, words: &Bilingual) -> Result<(), Failure> {
    let given_up = || {
        Failure::new(
            Exit::Interrupted,
            "interrupted",
            both!(
                "nobody said that it is done; the drill stays open: `luqiao drill run … --resume`, or `luqiao drill abandon`",
                "未得到确认，演练仍未结束：可执行 luqiao drill run … --resume 或 luqiao drill abandon"
            ),
        )
    };
    loop {
        output.say(words);
        let line = read_line().await.ok_or_else(given_up)?;
        if line.trim() == "done" {
            return Ok(());
        }
    }
}

/// A line of the input; `None` once it has ended.
pub(super) async fn read_line() -> Option<String> {
    let (told, heard) = oneshot::channel();
    // A thread of its own: reading the input cannot be given up.
    thread::spawn(move || {
        let _ = io::stderr().flush();
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        let _ = told.send(matches!(read, Ok(length) if length > 0).then_some(line));
    });
    heard.await.ok().flatten()
}

fn nobody_leads() -> Failure {
    Failure::new(
        Exit::Unavailable,
        "no_leader",
        both!("nobody leads: there is no leader to lose", "集群没有主节点"),
    )
}

fn not_built(act: Act) -> Failure {
    let word = act.word();
    Failure::new(
        Exit::Conflict,
        "drill_not_available",
        both!("`{word}` cannot be carried out here", "此处无法执行“{word}”"),
    )
}
