//! Whole cases against core writes: how many commands a second does each make?
//!
//! In turn on the same cluster, with as many clients. What counts is how far the leader has applied,
//! not what the callers say; each case takes four commands.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Bench, Line, spread};
use crate::load::{
    pace::{self, Measured},
    store::named,
    town::COMMANDS_A_CASE,
};

const CLIENTS: [usize; 2] = [64, 256];
const WARM_UP: Duration = Duration::from_secs(1);
/// Of the core write rate.
const FLOOR: f64 = 0.4;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for clients in CLIENTS {
        let (mut ratios, mut cases, mut cores, mut detail) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..bench.plan.rounds {
            bench.follow_leader().await?;
            let (case, core) = if round % 2 == 0 {
                let core = writes(bench, clients).await?;
                (whole_cases(bench, clients).await?, core)
            } else {
                let case = whole_cases(bench, clients).await?;
                (case, writes(bench, clients).await?)
            };
            let rate = |one: &Value| one["applied_per_second"].as_f64().unwrap_or_default();
            let failed =
                |one: &Value| one["failures"].as_object().is_some_and(|all| !all.is_empty());
            if failed(&case) || failed(&core) {
                // Whoever is refused is fast: such a round says nothing.
                eprintln!("  a round does not count: {} {}", case["failures"], core["failures"]);
                detail.push(json!({ "cases": case, "core": core, "counts": false }));
                continue;
            }
            eprintln!("  {clients} clients: {:.0} of {:.0} /s", rate(&case), rate(&core));
            ratios.push(rate(&case) / rate(&core));
            cases.push(rate(&case));
            cores.push(rate(&core));
            detail.push(json!({ "cases": case, "core": core }));
        }
        let (ratio, least, greatest) = spread(ratios);
        let ((case, ..), (core, ..)) = (spread(cases), spread(cores));
        lines.push(Line {
            what: format!("commands of whole cases over core writes, {clients} clients"),
            asked: format!("≥ {FLOOR} ×"),
            measured: format!("{ratio:.2} ({least:.2}–{greatest:.2}) ×: {case:.0} of {core:.0} /s"),
            held: Some(ratio >= FLOOR),
            detail: json!(detail),
        });
    }
    Ok(lines)
}

async fn writes(bench: &Bench, clients: usize) -> anyhow::Result<Value> {
    counted(bench, pace::closed(clients, WARM_UP, bench.plan.time, bench.put()), 1).await
}

async fn whole_cases(bench: &Bench, clients: usize) -> anyhow::Result<Value> {
    let town = bench.town.clone();
    let call = move |client: usize, _: u64| {
        let town = town.clone();
        async move { town.case(client).await.map_err(|status| named(&status)) }
    };
    let measuring = pace::closed(clients, WARM_UP, bench.plan.time, call);
    counted(bench, measuring, COMMANDS_A_CASE).await
}

/// What was measured, with how much was applied meanwhile.
async fn counted(
    bench: &Bench,
    measuring: impl Future<Output = Measured>,
    commands: u64,
) -> anyhow::Result<Value> {
    let applied = async {
        sleep(WARM_UP).await;
        let (before, began) = (bench.cluster.applied(bench.leader).await?, Instant::now());
        sleep(bench.plan.time.saturating_sub(Duration::from_millis(50))).await;
        let after = bench.cluster.applied(bench.leader).await?;
        anyhow::Ok((after - before) as f64 / began.elapsed().as_secs_f64())
    };
    let used = bench.cluster.cpu_seconds()?;
    let began = Instant::now();
    let (measured, applied) = tokio::join!(measuring, applied);
    let applied = applied?;
    let now = bench.cluster.cpu_seconds()?;
    let a_command = |used: f64| used / began.elapsed().as_secs_f64() / applied * 1e6;
    let mut told = measured.to_json();
    told["commands_answered_per_second"] = json!(measured.rate() * commands as f64);
    told["applied_per_second"] = json!(applied);
    told["nodes_cpu_us"] = json!(a_command(now.0 - used.0));
    told["callers_cpu_us"] = json!(a_command(now.1 - used.1));
    Ok(told)
}
