//! The leader of the city vanishes while people write: is everything there that was acknowledged?

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind},
    sharing::v1::ShareRequestState,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tonic::Status;

use crate::{
    both,
    dev::{
        actor::{Actor, LOOK_EVERY, PATIENCE},
        cast::Level,
        story::{StepFailed, Telling, failed},
        town::Post,
    },
    exit::Exit,
    failure::Failure,
    remote::session::request_id,
};

use super::{
    Walk,
    requests::{asker, cases, file, request},
};

/// How many people write at once.
const WRITERS: usize = 4;
/// How many requests are acknowledged before the leader vanishes, and how many after.
const BEFORE: usize = 40;
const AFTER: usize = 40;
/// What the writers' requests are for.
const SCENARIO: &str = "主节点消失时的写入（合成）";

/// One acknowledged request.
struct Acknowledged {
    name: String,
    at: Instant,
    /// Whether the writer had to send the same call again.
    repeated: bool,
}

pub(super) async fn leader_lost(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = Arc::new(walk.entry(Level::City, SharingKind::Unconditional, 1)?);
    let (asker, head) = asker(walk, Level::City).await?;
    let Some(leader) = walk.town.witness(Level::City).leader().await else {
        return failed(both!("the city has no leader", "市级集群没有主节点"));
    };
    let post = Post::Node(Level::City, leader);
    let process = walk.town.process_id(post);

    let stop = Arc::new(AtomicBool::new(false));
    let (tell, mut told_of) = mpsc::unbounded_channel();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let who = (Arc::clone(&asker), Arc::clone(&head));
        writers.spawn(write(who, Arc::clone(&entry), Arc::clone(&stop), tell.clone()));
    }
    drop(tell);
    let mut acknowledged = Vec::new();
    let mut killed: Option<Instant> = None;
    let outcome: Result<(), StepFailed> = loop {
        match timeout(PATIENCE, told_of.recv()).await {
            Err(_) => {
                break failed(both!("nothing is acknowledged any more", "不再有写入得到确认"));
            }
            Ok(None) => break Ok(()),
            Ok(Some(one)) => acknowledged.push(one),
        }
        if killed.is_none() && acknowledged.len() >= BEFORE {
            walk.town.kill(post).await;
            killed = Some(Instant::now());
        }
        if acknowledged.len() >= BEFORE + AFTER {
            stop.store(true, Ordering::Relaxed);
        }
    };
    stop.store(true, Ordering::Relaxed);
    while let Some(writer) = writers.join_next().await {
        writer.map_err(|_| StepFailed(both!("a writer broke down", "写入任务异常终止")))??;
    }
    outcome?;
    walk.lost = Some(leader);

    // Every node that is left holds the same; the asker sees every request of its own.
    let there: BTreeSet<String> = cases(walk, Level::City, &asker)
        .await?
        .into_iter()
        .filter(|case| case.scenario == SCENARIO)
        .map(|case| {
            let state = case.state();
            (case.name, state)
        })
        .filter(|(_, state)| *state == ShareRequestState::Agreed)
        .map(|(name, _)| name)
        .collect();
    let promised: BTreeSet<String> = acknowledged.iter().map(|one| one.name.clone()).collect();
    let missing: Vec<&String> = promised.difference(&there).collect();
    told.saw("acknowledged and missing", missing, Vec::new())?;
    told.saw("requests there", there.len(), promised.len())?;
    told.saw("acknowledged twice under two names", acknowledged.len(), promised.len())?;

    let gap = longest_gap(&acknowledged).as_millis();
    let (count, repeated) =
        (acknowledged.len(), acknowledged.iter().filter(|one| one.repeated).count());
    let how = match process {
        Some(id) => both!("process {id} killed with signal 9", "进程 {id} 被信号 9 终止"),
        None => both!("its threads and sockets vanish", "其线程与连接突然消失"),
    };
    told.say(crate::language::Bilingual {
        en: format!(
            "node {leader} leads, {WRITERS} people write: {}, no transfer, no flush",
            how.en
        ),
        zh: format!("节点 {leader} 为主，{WRITERS} 人写入：{}，不移交、不落盘", how.zh),
    });
    told.say(both!(
        "{count} requests acknowledged, none missing, none twice; {repeated} needed the same call again",
        "{count} 件申请得到确认，无一丢失，无一重复；其中 {repeated} 件以同一调用重试"
    ));
    told.say(both!(
        "longest gap between two answers: {gap} ms",
        "两次确认之间最长间隔：{gap} 毫秒"
    ));
    told.about(&format!("domains/xiamen/nodes/{leader}"));
    Ok(())
}

/// Files one request after another. A call of which the outcome is unknown is sent again as it was.
async fn write(
    (asker, head): (Arc<Actor>, Arc<Actor>),
    entry: Arc<CatalogEntry>,
    stop: Arc<AtomicBool>,
    tell: mpsc::UnboundedSender<Acknowledged>,
) -> Result<(), StepFailed> {
    while !stop.load(Ordering::Relaxed) {
        let id = request_id();
        let patience = Instant::now() + PATIENCE;
        let mut repeated = false;
        let name = loop {
            let wanted = request(&asker, &entry, 1, SCENARIO);
            match file(&asker, &head, wanted, id.clone()).await {
                Ok(case) => break case.name,
                Err(status) if may_pass(&status) && Instant::now() < patience => {
                    repeated = true;
                    sleep(LOOK_EVERY).await;
                }
                Err(status) => return Err(status.into()),
            }
        };
        if tell.send(Acknowledged { name, at: Instant::now(), repeated }).is_err() {
            break;
        }
    }
    Ok(())
}

fn may_pass(status: &Status) -> bool {
    matches!(Failure::call(status).exit, Exit::OutcomeUnknown | Exit::Unavailable)
}

fn longest_gap(acknowledged: &[Acknowledged]) -> Duration {
    let gaps = acknowledged.windows(2).map(|pair| pair[1].at.saturating_duration_since(pair[0].at));
    gaps.max().unwrap_or_default()
}

pub(super) async fn leader_back(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let Some(lost) = walk.lost else {
        return failed(both!("no node was lost", "没有节点消失"));
    };
    walk.town.begin(Post::Node(Level::City, lost)).await?;
    walk.town.until_whole(Level::City).await?;
    let patience = Instant::now() + PATIENCE;
    let (found, expected) = loop {
        let statuses = walk.town.witness(Level::City).statuses().await;
        let own = statuses.iter().find(|(id, _)| *id == lost);
        let others: Vec<_> = statuses.iter().filter(|(id, _)| *id != lost).collect();
        let level_with = |own: &(u64, luqiao_proto::node::v1::GetNodeStatusResponse)| {
            others.len() == 2
                && others.iter().all(|(_, other)| other.applied_index == own.1.applied_index)
        };
        if let Some(own) = own
            && level_with(own)
        {
            let hashes =
                others.iter().map(|(_, other)| other.state_hash.clone()).collect::<Vec<_>>();
            break (vec![own.1.state_hash.clone(); 2], hashes);
        }
        if Instant::now() > patience {
            return failed(both!("node {lost} does not catch up", "节点 {lost} 未能追平"));
        }
        sleep(LOOK_EVERY).await;
    };
    told.saw("state hash of the node that returned, beside the others", found, expected)?;
    told.say(both!(
        "node {lost} starts from its own disk, catches up and holds the same state by its hash",
        "节点 {lost} 从本地磁盘启动，追平后状态哈希与其余节点一致"
    ));
    told.about(&format!("domains/xiamen/nodes/{lost}"));
    Ok(())
}
