//! `drill run`: from a plan to a report.

use std::{
    fs,
    path::{Path, PathBuf},
};

use catalog_node::bootstrap::LedgerHash;
use catalog_proofs::receipt::document::{TreeHead, TrustAnchor};
use luqiao_proto::operations::v1::{
    CloseDrillRequest, Drill, DrillResult, GetStatusResponse, OpenDrillRequest,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    args::{Global, drill::Run},
    both, context,
    dev::{cast::MANAGER, daemons::Mode, topology::Topology, town::Town},
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    output::{Format, Output},
    receipt,
    remote::session::{Session, request_id},
    run::contexts,
};

use super::{
    cluster::{Cluster, persist, read_head},
    findings::{attempts, buckets, latency, longest_pause, pauses, recovery},
    list::List,
    operator::{Operator, REHEARSED, read_line},
    page::page,
    plan::Plan,
    prober::Watch,
    rehearsal::{Place, Rehearsal, on_record},
    report::{self, Findings},
};

/// The report before its receipt is there.
const DRAFT: &str = "draft.json";

/// Runs a plan. Must be driven by a thread that lives as long as it does: children end with it.
pub async fn run(run: Run, global: &Global, output: Output) -> Result<Exit, Failure> {
    let plan = Plan::choose(&run.plan, run.plan_file.as_deref())?;
    plan.can_run()?;
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| no_signals(&error))?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(|error| no_signals(&error))?;
    // The folder goes when we go, and not before the city that writes in it.
    let (mut place, _folder) =
        if run.town { town(&run, output).await? } else { (machines(global, output).await?, None) };
    let outcome = tokio::select! {
        outcome = hold(&plan, &run, &mut place) => outcome,
        _ = terminated.recv() => Err(interruption()),
        _ = interrupted.recv() => Err(interruption()),
    };
    if let Operator::Town(town) = place.operator {
        town.stop().await;
    }
    let line = outcome?;
    let ok = line["ok"] == true;
    let words = line.to_string();
    // The line itself in either format: it is what scripts and people look for.
    Output { format: Format::Json, ..output }.data(&line, |out, _| writeln!(out, "{words}"))?;
    Ok(if ok { Exit::Ok } else { Exit::Unhealthy })
}

fn no_signals(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Error,
        "internal",
        both!("signals cannot be received: {error}", "无法接收信号：{error}"),
    )
}

fn interruption() -> Failure {
    Failure::new(
        Exit::Interrupted,
        "interrupted",
        both!("interrupted; the drill is still open", "已中断；演练尚未结束"),
    )
    .advising(both!(
        "go on with the same command and --resume, or give it up with `luqiao drill abandon`",
        "以相同命令加 --resume 继续，或执行 luqiao drill abandon 放弃"
    ))
}

/// A city of its own on this machine.
async fn town(run: &Run, output: Output) -> Result<(Place, Option<TempDir>), Failure> {
    let (folder, temporary) = if let Some(folder) = &run.data {
        (folder.clone(), None)
    } else {
        let made = tempfile::Builder::new().prefix("luqiao-drill-").tempdir();
        let made = made.map_err(|error| Failure::file(&std::env::temp_dir(), &error))?;
        (made.path().to_owned(), Some(made))
    };
    output.say(&both!("three domains begin on this machine", "在本机启动三级平台"));
    let mode = Mode::processes()?;
    let topology = Topology::prepare_with(&folder, LedgerHash::Sha256).await?;
    let (contexts, trust) = (topology.contexts(), topology.of(REHEARSED).trust());
    let town = Town::start(topology, mode, output.lang).await?;
    let context = format!("{}-{MANAGER}", REHEARSED.word());
    let session = open(&contexts, &context, output).await?;
    let place = Place {
        cluster: Cluster { session, anchor: Some(receipt::read(&trust)?) },
        operator: Operator::Town(Box::new(town)),
        contexts,
        context,
        output,
        watch: Watch::start(),
    };
    Ok((place, temporary))
}

/// The cluster of a context; a person reaches its machines.
async fn machines(global: &Global, output: Output) -> Result<Place, Failure> {
    let (path, file) = contexts(global)?;
    let (name, chosen) = file.choose(global.context.as_deref())?;
    let anchor: Option<TrustAnchor> =
        chosen.trust.as_deref().filter(|file| file.is_file()).map(receipt::read).transpose()?;
    let session = Session::open(chosen, output.lang, global.timeout).await?;
    Ok(Place {
        cluster: Cluster { session, anchor },
        operator: Operator::Person,
        contexts: path,
        context: name.to_owned(),
        output,
        watch: Watch::start(),
    })
}

async fn open(contexts: &Path, name: &str, output: Output) -> Result<Session, Failure> {
    let file = context::read(contexts)?;
    let (_, chosen) = file.choose(Some(name))?;
    Session::open(chosen, output.lang, None).await
}

/// Holds the drill; the line with which it ends.
async fn hold(plan: &Plan, run: &Run, place: &mut Place) -> Result<Value, Failure> {
    let results = std::path::absolute(&run.results).unwrap_or_else(|_| run.results.clone());
    let drill = if run.resume {
        found(plan, place, &results).await?
    } else {
        begun(plan, run, place).await?
    };
    let folder = folder_of(&results, plan, &drill);
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    if let Some(line) = conclude(&results, &folder, &drill, place).await? {
        return Ok(line);
    }
    let mut rehearsal = Rehearsal::new(place, plan, drill, &folder);
    if run.resume {
        rehearsal.resume()?;
    }
    rehearsal.go().await?;
    let (drill, kept) = (rehearsal.drill.clone(), rehearsal.kept.clone());
    let (comparison, incomplete) = (rehearsal.comparison.clone(), rehearsal.incomplete.clone());
    let list = List::read(&rehearsal.list(), &drill.name)?;
    let status = place.cluster.patient_status().await?;
    let after = read_head(&place.cluster.head().await?)?;
    let mut deviations: Vec<Bilingual> = drill
        .steps
        .iter()
        .filter(|step| !step.ok)
        .map(|step| {
            let (phase, word, note) = (&step.phase, &step.step, &step.note);
            both!("step {phase}/{word}: {note}", "步骤 {phase}/{word}：{note}")
        })
        .collect();
    if kept.resumed {
        deviations.push(both!("the drill was interrupted and went on", "演练曾中断后继续"));
    }
    let verify_ms = drill
        .steps
        .iter()
        .filter(|step| step.phase == "check")
        .filter_map(|step| Some((step.began.as_ref()?, step.ended.as_ref()?)))
        .map(|(began, ended)| {
            super::cluster::millis(ended).saturating_sub(super::cluster::millis(began))
        })
        .sum();
    let findings = Findings {
        plan: plan.clone(),
        drill: drill.name.clone(),
        record: on_record(&drill),
        cluster: cluster_json(&status),
        span: (kept.began, place.watch.now()),
        recovery: recovery(&list, &kept.traces.disturbances),
        disturbances: kept.traces.disturbances,
        verify_ms,
        pause: longest_pause(&pauses(&list)),
        comparison,
        incomplete,
        attempts: attempts(&list),
        latency: latency(&list),
        buckets: buckets(&list),
        list_digest: list.digest,
        ledger: [size_and_root(&read_head(&kept.head)?), size_and_root(&after)],
        would_have_lost: None,
        deviations,
    };
    let told = findings.to_json();
    let draft = folder.join(DRAFT);
    write(&draft, &report::canonical(&told).ok_or_else(unspeakable)?)?;
    let drill = close(place, &drill, &findings, &told).await?;
    let line = conclude(&results, &folder, &drill, place).await?;
    line.ok_or_else(unspeakable)
}

/// Opens a drill.
async fn begun(plan: &Plan, run: &Run, place: &Place) -> Result<Drill, Failure> {
    let parent = place.cluster.session.parent();
    let cluster = parent.trim_start_matches("domains/");
    let confirmed = match (&run.confirm, plan.takes_site) {
        (Some(name), _) => name.clone(),
        (None, false) => String::new(),
        (None, true) => {
            let name = &plan.name;
            place.output.say(&both!(
                "{name} takes a site of {cluster} out of service. Type the cluster's name to go on:",
                "预案 {name} 将使 {cluster} 的一个站点停止服务。请输入集群名称以继续："
            ));
            read_line().await.unwrap_or_default().trim().to_owned()
        }
    };
    let request = OpenDrillRequest {
        parent: parent.clone(),
        plan: plan.name.clone(),
        plan_digest: plan.digest().to_vec().into(),
        why: run.why.clone(),
        approvals_needed: plan.approvals.into(),
        takes_site: plan.takes_site,
        confirmed,
        request_id: request_id(),
    };
    let drill = persist!(place.cluster, drills.open_drill(request))?;
    let name = &drill.name;
    place.output.say(&both!("drill {name}", "演练 {name}"));
    Ok(drill)
}

/// The drill that was interrupted: the open one, or the last one if only its report is missing.
async fn found(plan: &Plan, place: &Place, results: &Path) -> Result<Drill, Failure> {
    let drill = place.cluster.last_drill().await?;
    let wanted = |drill: &Drill| {
        let unreported = || folder_of(results, plan, drill).join(DRAFT).is_file();
        drill.plan == plan.name
            && drill.plan_digest[..] == plan.digest()
            && (drill.state == "open" || drill.state == "finished" && unreported())
    };
    drill.filter(wanted).ok_or_else(|| {
        let name = &plan.name;
        Failure::new(
            Exit::NotFound,
            "no_drill_open",
            both!("no drill of {name} waits to go on", "没有待继续的 {name} 演练"),
        )
    })
}

/// The folder of a drill.
fn folder_of(results: &Path, plan: &Plan, drill: &Drill) -> PathBuf {
    let id = drill.name.rsplit('/').next().unwrap_or_default();
    results.join(format!("{}-{id}", plan.name))
}

/// Closes the drill with what it came to.
async fn close(
    place: &Place,
    drill: &Drill,
    findings: &Findings,
    told: &Value,
) -> Result<Drill, Failure> {
    let comparison = &findings.comparison;
    let digest = report::digest(told).ok_or_else(unspeakable)?;
    let request = CloseDrillRequest {
        name: drill.name.clone(),
        etag: drill.etag.clone(),
        result: Some(DrillResult {
            ok: findings.ok(),
            rpo: findings.rpo().word().to_owned(),
            acknowledged: comparison.acknowledged,
            lost: comparison.lost.len() as u64,
            duplicated: comparison.duplicated.len() as u64,
            timers_wrong: comparison.timers.wrong(),
            pause_ms: findings.pause.length(),
            rto_ms: findings.recovery.total_ms,
            would_have_lost: findings.would_have_lost,
            report_digest: digest.to_vec().into(),
        }),
        request_id: request_id(),
    };
    persist!(place.cluster, drills.close_drill(request))
}

/// Writes report, page and last line of a drill that is closed; `None` while it is open. May be done
/// again: what is written is the same.
async fn conclude(
    results: &Path,
    folder: &Path,
    drill: &Drill,
    place: &Place,
) -> Result<Option<Value>, Failure> {
    if drill.state != "finished" {
        return Ok(None);
    }
    let draft = folder.join(DRAFT);
    let text = fs::read_to_string(&draft).map_err(|error| Failure::file(&draft, &error))?;
    let told: Value = serde_json::from_str(&text).map_err(|_| unspeakable())?;
    let receipt = place.cluster.receipt(&drill.name).await?;
    let file = report::file(&told, &receipt).ok_or_else(unspeakable)?;
    if let Some(anchor) = &place.cluster.anchor
        && let Err(unproven) = report::check(&file, anchor)
    {
        return Err(Failure::new(Exit::Error, unproven.reason(), unproven.text()));
    }
    let (json_path, html_path) = (folder.join("report.json"), folder.join("report.html"));
    write(&json_path, &file)?;
    write(&html_path, &page(&told))?;
    let line = report::last_line(&told);
    write(&results.join(format!("{}.json", drill.plan)), &format!("{line}\n"))?;
    place.cluster.sweep(&drill.name).await?;
    // The draft was only for the time in which the receipt was not there.
    fs::remove_file(&draft).map_err(|error| Failure::file(&draft, &error))?;
    let (json_path, html_path) = (json_path.display(), html_path.display());
    place.output.say(&both!(
        "report {json_path}\npage   {html_path}",
        "报告 {json_path}\n网页 {html_path}"
    ));
    Ok(Some(line))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

fn unspeakable() -> Failure {
    Failure::new(
        Exit::Error,
        "report_malformed",
        both!("the report cannot be written or read", "无法生成或读取报告"),
    )
}

fn size_and_root(head: &TreeHead) -> (u64, String) {
    (head.tree_size, catalog_proofs::hex(&head.root_hash))
}

fn cluster_json(status: &GetStatusResponse) -> Value {
    let nodes: Vec<Value> = status
        .nodes
        .iter()
        .map(|node| {
            json!({
                "id": node.id, "applied_index": node.applied_index,
                "state_hash": node.state_hash, "version": node.version,
            })
        })
        .collect();
    json!({
        "domain": status.domain, "cluster_id": status.cluster_id,
        "generation": status.generation, "leader": status.leader, "term": status.term,
        "nodes": nodes,
    })
}
