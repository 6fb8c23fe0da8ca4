//! The clock reaches many deadlines at once: how long until all have fired, and how long does a read
//! wait meanwhile?
//!
//! Linearizable reads of the leader begin at fixed moments, whatever came of those before, and count
//! from the moment at which they should have begun.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Bench, DAY_S, LAST_DAY_S, Line, spread};
use crate::load::{
    pace::{self, Measured},
    store::{key, named},
};

/// Reads in a second.
const READS: u32 = 200;
/// They go on before and after the clock moves.
const AROUND: Duration = Duration::from_millis(1500);
/// How long an advance may take before reads end all the same.
const LONGEST: Duration = Duration::from_secs(60);

const FLOOR_S: f64 = 2.0;
const FLOOR_READ_MS: f64 = 100.0;
const HOUR_S: i64 = 3600;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Line>> {
    bench.fill().await?;
    let mut answers = Vec::new();
    let mut warnings = Vec::new();
    while bench.kept.first_round < bench.kept.rounds {
        bench.follow_leader().await?;
        let midnight = LAST_DAY_S + 11 * HOUR_S + i64::from(bench.kept.first_round) * DAY_S;
        answers.push(one(bench, midnight, bench.kept.due).await?);
        bench.kept.first_round += 1;
        bench.keep()?;
        if bench.kept.first_round < bench.kept.rounds {
            // At noon of their last day the cases of the next round are warned of.
            sleep(Duration::from_secs(2)).await;
            warnings.push(one(bench, midnight + 13 * HOUR_S, 0).await?);
        }
        sleep(Duration::from_secs(2)).await;
    }
    let due = bench.kept.due;
    let mut lines = lines(&format!("{due} answers fall due together"), answers);
    lines.extend(self::lines(&format!("{due} warnings together"), warnings));
    Ok(lines)
}

/// Moves the clock and reads meanwhile; `late` cases more are late afterwards.
async fn one(bench: &Bench, to: i64, late: u64) -> anyhow::Result<Value> {
    let before = bench.town.status().await?;
    let used = bench.cluster.cpu_seconds()?;
    let stores = bench.stores.clone();
    let read = move |number: u64| {
        let mut store = stores[number as usize % stores.len()].clone();
        async move { store.get(key(7)).await.map(drop).map_err(|status| named(&status)) }
    };
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let reading = async move {
        let mut all = Measured::default();
        // In pieces, so that it ends soon after the clock has moved.
        let until = Instant::now() + LONGEST;
        while !*stopped.borrow_and_update() && Instant::now() < until {
            all.merge(&pace::open(READS, Duration::from_millis(500), read.clone()).await);
        }
        all
    };
    let moving = async {
        sleep(AROUND).await;
        let began = Instant::now();
        let moved = bench.clock_to(to).await;
        let took = began.elapsed();
        sleep(AROUND).await;
        let _ = stop.send(true);
        moved.map(|()| took)
    };
    let (reads, took) = tokio::join!(reading, moving);
    let took = took?.as_secs_f64();
    let after = bench.town.status().await?;
    let became_late = after.overdue_request_count - before.overdue_request_count;
    ensure!(became_late == late, "{became_late} cases became late, not {late}");
    let now = bench.cluster.cpu_seconds()?;
    let told = json!({
        "seconds": took,
        "open": before.open_request_count,
        "became_late": became_late,
        "records": after.ledger_size - before.ledger_size,
        "nodes_cpu_seconds": now.0 - used.0,
        "longest_read_ms": reads.times.max() as f64 / 1000.0,
        "reads": reads.to_json(),
    });
    eprintln!(
        "  {took:.2} s, {} records, nodes {:.2} s, longest read {} ms",
        told["records"],
        now.0 - used.0,
        told["longest_read_ms"]
    );
    Ok(told)
}

fn lines(what: &str, rounds: Vec<Value>) -> Vec<Line> {
    if rounds.is_empty() {
        return Vec::new();
    }
    let all = |name: &str| rounds.iter().filter_map(|round| round[name].as_f64()).collect();
    let (seconds, least, most) = spread(all("seconds"));
    let (wait, least_wait, most_wait) = spread(all("longest_read_ms"));
    let first = Line {
        what: format!("{what}: until all have fired"),
        asked: format!("< {FLOOR_S} s"),
        measured: format!("{seconds:.2} ({least:.2}–{most:.2}) s"),
        held: Some(seconds < FLOOR_S),
        detail: json!(rounds),
    };
    let second = Line {
        what: format!("{what}: the longest wait of a read"),
        asked: format!("≤ {FLOOR_READ_MS} ms"),
        measured: format!("{wait:.0} ({least_wait:.0}–{most_wait:.0}) ms"),
        held: Some(most_wait <= FLOOR_READ_MS),
        detail: json!(null),
    };
    vec![first, second]
}
