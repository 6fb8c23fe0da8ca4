//! The calendar changes: how long until every clock is counted again, and what is left of the writes
//! that go on meanwhile?
//!
//! A day is declared closed that every clock of the cases runs over, so that each of them moves, with
//! a record of it; then it is opened again. Clients write all the time, as fast as they are answered.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{Bench, Line, spread};
use crate::load::pace::Arrivals;

/// Clients that write.
const WRITERS: usize = 64;
/// Between two looks whether it is done.
const LOOK: Duration = Duration::from_millis(250);
/// When it is given up.
const LONGEST: Duration = Duration::from_secs(400);

const FLOOR_S: f64 = 60.0;
const FLOOR_KEPT: f64 = 0.7;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Line>> {
    bench.fill().await?;
    let mut rounds = Vec::new();
    for _ in 0..bench.plan.rounds {
        bench.follow_leader().await?;
        let told = one(bench).await?;
        rounds.push(told);
        sleep(Duration::from_secs(3)).await;
    }
    let all = |name: &str| rounds.iter().filter_map(|round| round[name].as_f64()).collect();
    let (seconds, least, most) = spread(all("seconds"));
    let (kept, least_kept, most_kept) = spread(all("kept"));
    let looked_at = rounds.first().map(|round| round["looked_at"].clone()).unwrap_or_default();
    let (before, ..) = spread(all("writes_before"));
    let (during, ..) = spread(all("writes_during"));
    Ok(vec![
        Line {
            what: format!("{looked_at} deadlines counted again, all cases moved"),
            asked: format!("< {FLOOR_S} s"),
            measured: format!("{seconds:.1} ({least:.1}–{most:.1}) s"),
            held: Some(seconds < FLOOR_S),
            detail: json!(rounds),
        },
        Line {
            what: "core writes of 64 clients meanwhile over before".to_owned(),
            asked: format!("≥ {FLOOR_KEPT} ×"),
            measured: format!(
                "{kept:.2} ({least_kept:.2}–{most_kept:.2}) ×: {during:.0} of {before:.0} /s"
            ),
            held: Some(kept >= FLOOR_KEPT),
            detail: json!(null),
        },
    ])
}

/// One change of the calendar.
async fn one(bench: &mut Bench) -> anyhow::Result<Value> {
    let done = std::sync::Arc::new(Arrivals::default());
    let (stop, stopped) = watch::channel(false);
    let mut writers = JoinSet::new();
    for client in 0..WRITERS {
        let (put, stopped, done) = (bench.put(), stopped.clone(), std::sync::Arc::clone(&done));
        writers.spawn(async move {
            let (mut number, mut failed) = (0, 0_u64);
            while !*stopped.borrow() {
                match put(client, number).await {
                    Ok(()) => done.add(1),
                    Err(_) => {
                        failed += 1;
                        sleep(Duration::from_millis(1)).await;
                    }
                }
                number += 1;
            }
            failed
        });
    }
    let before = done.rate(Duration::from_secs(1), bench.plan.time).await;
    let size_before = bench.town.status().await?.ledger_size;
    let used = bench.cluster.cpu_seconds()?;
    let (count, began) = (done.count(), Instant::now());
    // Thursday, 15 October: after the first rounds' last days, within everybody else's clock.
    let closes = bench.kept.closures.is_multiple_of(2);
    if closes {
        bench.town.close("2026-10-16").await?;
    } else {
        bench.town.reopen("2026-10-16").await?;
    }
    bench.kept.closures += 1;
    bench.keep()?;
    let mut looked_at = 0;
    loop {
        let works = bench.town.pending().await?;
        let Some(work) = works.first() else { break };
        looked_at = work.looked_at;
        anyhow::ensure!(began.elapsed() < LONGEST, "only {looked_at} were looked at");
        sleep(LOOK).await;
    }
    let took = began.elapsed().as_secs_f64();
    let during = (done.count() - count) as f64 / took;
    let now = bench.cluster.cpu_seconds()?;
    let after = done.rate(Duration::from_secs(2), bench.plan.time).await;
    let _ = stop.send(true);
    let mut failed = 0;
    while let Some(ended) = writers.join_next().await {
        failed += ended?;
    }
    let records = bench.town.status().await?.ledger_size - size_before;
    let kept = during / before;
    eprintln!(
        "  {} {looked_at}+ in {took:.1} s, {records} records; writes {before:.0} → {during:.0} → \
         {after:.0} /s, {failed} failed",
        if closes { "closed:" } else { "opened:" }
    );
    Ok(json!({
        "seconds": took,
        "looked_at": looked_at,
        "records": records,
        "writes_before": before,
        "writes_during": during,
        "writes_after": after,
        "writes_failed": failed,
        "kept": kept,
        "nodes_cpu_seconds": now.0 - used.0,
        "callers_cpu_seconds": now.1 - used.1,
    }))
}
