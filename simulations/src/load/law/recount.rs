//! The calendar changes: how long until every clock is counted again, and what is left of the writes
//! that go on meanwhile?
//!
//! A day is declared closed that the clocks of all cases of the last days run over, so that each of
//! them moves, with a record of it; the next round opens it again. In the first round nobody else
//! writes. In the others clients write as fast as they are answered, for a while, and the rest goes
//! on without them: a leader takes less of the time for counting while others write.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{Bench, Line, spread};
use crate::load::pace::Arrivals;

/// Clients that write.
const WRITERS: usize = 64;
/// For how long they do, from the change on.
const BUSY: Duration = Duration::from_secs(30);
/// Between two looks whether it is done.
const LOOK: Duration = Duration::from_millis(200);
/// When it is given up.
const LONGEST: Duration = Duration::from_secs(400);

const FLOOR_S: f64 = 60.0;
const FLOOR_KEPT: f64 = 0.7;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Line>> {
    bench.fill().await?;
    bench.follow_leader().await?;
    let alone = change(bench, Duration::ZERO).await?;
    let seconds = alone["seconds"].as_f64().unwrap_or(f64::NAN);
    let (rows, records) = (&alone["looked_at"], &alone["records"]);
    let mut lines = vec![Line {
        what: format!("{rows} deadlines counted again, {records} records, nobody else writes"),
        asked: format!("< {FLOOR_S} s"),
        measured: format!("{seconds:.1} s"),
        held: Some(seconds < FLOOR_S),
        detail: alone,
    }];
    let mut rounds = Vec::new();
    for _ in 1..bench.plan.rounds.max(2) {
        sleep(Duration::from_secs(2)).await;
        bench.follow_leader().await?;
        rounds.push(beside_writers(bench).await?);
    }
    let all = |name: &str| rounds.iter().filter_map(|round| round[name].as_f64()).collect();
    let (kept, least_kept, most_kept) = spread(all("kept"));
    let (before, ..) = spread(all("writes_before"));
    let (during, ..) = spread(all("writes_during"));
    let (rate, ..) = spread(all("looked_at_per_second_during"));
    let all_of_them = bench.plan.deadlines as f64 / rate;
    lines.push(Line {
        what: format!("core writes of {WRITERS} clients while it is counted, over before"),
        asked: format!("≥ {FLOOR_KEPT} ×"),
        measured: format!(
            "{kept:.2} ({least_kept:.2}–{most_kept:.2}) ×: {during:.0} of {before:.0} /s"
        ),
        held: Some(kept >= FLOOR_KEPT),
        detail: json!(rounds),
    });
    lines.push(Line {
        what: "deadlines counted again while they write as fast as they can".to_owned(),
        asked: format!("< {FLOOR_S} s"),
        measured: format!("{rate:.0} /s, which is all in {all_of_them:.0} s"),
        held: Some(all_of_them < FLOOR_S),
        detail: json!(null),
    });
    Ok(lines)
}

/// Changes the calendar and waits until everything is counted; `busy` of that with what the caller
/// has going on.
async fn change(bench: &mut Bench, busy: Duration) -> anyhow::Result<Value> {
    let size_before = bench.town.status().await?.ledger_size;
    let used = bench.cluster.cpu_seconds()?;
    let began = Instant::now();
    // Friday: after the first rounds' last days, within everybody else's clock.
    let closes = bench.kept.closures.is_multiple_of(2);
    if closes {
        bench.town.close("2026-10-16").await?;
    } else {
        bench.town.reopen("2026-10-16").await?;
    }
    bench.kept.closures += 1;
    bench.keep()?;
    let mut looked_at = 0;
    let mut told = json!({ "closed": closes });
    loop {
        let works = bench.town.pending().await?;
        let Some(work) = works.first() else { break };
        looked_at = work.looked_at;
        if busy > Duration::ZERO && began.elapsed() >= busy {
            break;
        }
        anyhow::ensure!(began.elapsed() < LONGEST, "only {looked_at} were looked at");
        sleep(LOOK).await;
    }
    let now = bench.cluster.cpu_seconds()?;
    told["seconds"] = json!(began.elapsed().as_secs_f64());
    told["looked_at"] = json!(looked_at);
    told["records"] = json!(bench.town.status().await?.ledger_size - size_before);
    told["nodes_cpu_seconds"] = json!(now.0 - used.0);
    told["callers_cpu_seconds"] = json!(now.1 - used.1);
    eprintln!("  {told}");
    Ok(told)
}

async fn beside_writers(bench: &mut Bench) -> anyhow::Result<Value> {
    let done = Arc::new(Arrivals::default());
    let (stop, stopped) = watch::channel(false);
    let mut writers = JoinSet::new();
    for client in 0..WRITERS {
        let (put, stopped, done) = (bench.put(), stopped.clone(), Arc::clone(&done));
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
    let count = done.count();
    let mut told = change(bench, BUSY).await?;
    let seconds = told["seconds"].as_f64().unwrap_or(f64::NAN);
    let during = (done.count() - count) as f64 / seconds;
    let _ = stop.send(true);
    let mut failed = 0;
    while let Some(ended) = writers.join_next().await {
        failed += ended?;
    }
    let counted = told["looked_at"].as_f64().unwrap_or(f64::NAN);
    told["looked_at_per_second_during"] = json!(counted / seconds);
    told["writes_before"] = json!(before);
    told["writes_during"] = json!(during);
    told["writes_failed"] = json!(failed);
    told["kept"] = json!(during / before);
    let began = Instant::now();
    while !bench.town.pending().await?.is_empty() {
        anyhow::ensure!(began.elapsed() < LONGEST, "it does not end");
        sleep(LOOK).await;
    }
    told["rest_seconds"] = json!(began.elapsed().as_secs_f64());
    eprintln!("  writes {before:.0} → {during:.0} /s, {failed} failed");
    Ok(told)
}
