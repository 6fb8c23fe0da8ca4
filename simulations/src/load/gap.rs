//! Gap: for how long can nobody write when the leader vanishes or hands over?

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use luqiao_transport::status::Problem;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    cluster::{Cluster, NODES},
    store::{Store, key, named},
};

/// Writers.
pub const WRITERS: usize = 16;
/// How long a writer waits for one answer before it asks another node.
pub const CLIENT_TIMEOUT: Duration = Duration::from_millis(100);
/// Between two attempts of a writer that was refused.
const PAUSE: Duration = Duration::from_millis(1);

/// What the writers noticed.
#[derive(Debug, Clone, Default)]
pub struct Gap {
    /// The longest time between two acknowledged writes, whoever made them.
    pub longest: Duration,
    /// Attempts that failed within the time watched, by name.
    pub failed: std::collections::BTreeMap<String, u64>,
    /// Writes that were acknowledged.
    pub acknowledged: usize,
}

impl Gap {
    /// How many attempts failed.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// For the record.
    pub fn to_json(&self) -> Value {
        json!({
            "gap_ms": self.longest.as_micros() as f64 / 1000.0,
            "failed_attempts": self.failed,
            "acknowledged": self.acknowledged,
        })
    }
}

/// Writers that go on until they are told to end.
#[derive(Debug)]
pub struct Writers {
    tasks: JoinSet<()>,
    over: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    acknowledged: Vec<Instant>,
    failed: Vec<(Instant, String)>,
}

impl Writers {
    /// Begins; everybody writes to the leader first.
    pub fn begin(cluster: &Cluster, leader: usize, value: bytes::Bytes) -> anyhow::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let mut tasks = JoinSet::new();
        for writer in 0..WRITERS {
            let stores: Vec<Store> =
                (0..NODES).map(|node| cluster.store(node)).collect::<Result<_, _>>()?;
            let (over, seen, value) = (Arc::clone(&over), Arc::clone(&seen), value.clone());
            tasks.spawn(async move {
                let mut node = leader;
                let mut number = writer as u64;
                while !over.load(Ordering::Relaxed) {
                    let mut store = stores[node].clone();
                    let put = store.put(key(number % 10_000), value.clone());
                    let answer = timeout(CLIENT_TIMEOUT, put).await;
                    let now = Instant::now();
                    let note = |failed: Option<String>| {
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        match failed {
                            None => seen.acknowledged.push(now),
                            Some(name) => seen.failed.push((now, name)),
                        }
                    };
                    match answer {
                        Ok(Ok(())) => {
                            note(None);
                            number += WRITERS as u64;
                            continue;
                        }
                        Ok(Err(status)) => {
                            let problem = Problem::from_status(&status);
                            // Whoever says who leads is believed.
                            let leader = problem.metadata.get("leader");
                            let leader = leader.and_then(|id| id.parse::<usize>().ok());
                            node = leader.map_or((node + 1) % NODES, |id| (id - 1) % NODES);
                            note(Some(named(&status)));
                        }
                        Err(_) => {
                            node = (node + 1) % NODES;
                            note(Some("no answer in time".to_owned()));
                        }
                    }
                    sleep(PAUSE).await;
                }
            });
        }
        Ok(Self { tasks, over, seen })
    }

    /// The longest gap that began between `from` and now.
    pub async fn end(mut self, from: Instant) -> Gap {
        let until = Instant::now();
        self.over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        let mut seen =
            std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        seen.acknowledged.sort_unstable();
        // If nobody ever wrote again, that is the gap.
        let acknowledged = seen.acknowledged.len();
        seen.acknowledged.push(until);
        let pairs = seen.acknowledged.windows(2).filter(|pair| pair[1] > from);
        let longest = pairs.map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
        let mut gap = Gap { longest, acknowledged, ..Gap::default() };
        for (_, name) in seen.failed.into_iter().filter(|(when, _)| *when > from) {
            *gap.failed.entry(name).or_default() += 1;
        }
        gap
    }
}
