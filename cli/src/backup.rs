//! Backups and restores: from a node's configuration to its archive, without a server where none is needed.
//!
//! A restore is typed when everything else is gone. It needs the configuration of the node that is to
//! start, the archive and its key, nothing more.

use std::{io::Write, path::Path, sync::Arc, time::Duration};

use catalog_model::{reason::Lang, time::UtcMillis};
use catalog_node::{
    backup::{
        Archive, Keep, OpenArchiveError, open_archive,
        restore::{self, Point, Report, RestoreError, Wanted},
        verify,
    },
    config::Config,
    remote,
    running::chain,
};
use luqiao_transport::tls::TlsMaterial;
use serde_json::{Value, json};
use tokio::runtime::{self, Runtime};

use crate::{
    args::backup::{Backup, Restore},
    both,
    exit::Exit,
    failure::Failure,
    output::{Column, Output, column, write_table},
};

/// How long a base may take.
const RUN_WAIT: Duration = Duration::from_hours(2);

const BASES: [Column; 6] = [
    column("GENERATION", "代", "/generation"),
    column("ENTRY", "位置", "/index"),
    column("MADE", "时间", "/made"),
    column("ROWS", "行数", "/rows"),
    column("REACHES", "可恢复至", "/reach"),
    column("WITNESSED", "旁证", "/witnessed"),
];

/// `luqiao backup …`.
pub fn backup(command: Backup, output: Output) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    match command {
        Backup::Run { config } => run(&load(&config)?, &runtime, output),
        Backup::List { config } => list(&open(&load(&config)?, &runtime)?, output),
        Backup::Verify { config, bases, scratch } => {
            let config = load(&config)?;
            let archive = open(&config, &runtime)?;
            let scratch = scratch.unwrap_or_else(std::env::temp_dir);
            verified(&archive, &scratch, bases, output)
        }
        Backup::Prune { config, keep, dry_run } => {
            let config = load(&config)?;
            let archive = open(&config, &runtime)?;
            let written = config.backup.as_ref().map(|backup| backup.keep.clone());
            let plan = keep.or(written).unwrap_or_default();
            let keep: Keep = plan
                .parse()
                .map_err(|error| Failure::usage(both!("{error}", "保留方案有误：{error}")))?;
            prune(&archive, &keep, dry_run, output)
        }
    }
}

fn runtime() -> Result<Runtime, Failure> {
    runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new(
            Exit::Error,
            "internal",
            both!("no threads could be started: {error}", "无法启动线程：{error}"),
        )
    })
}

fn load(file: &Path) -> Result<Config, Failure> {
    Config::load(file).map_err(|error| {
        let cause = chain(&error);
        Failure::usage(both!("{cause}", "配置文件有误：{cause}"))
    })
}

fn open(config: &Config, runtime: &Runtime) -> Result<Archive, Failure> {
    open_archive(config, runtime.handle().clone()).map_err(|error| {
        let cause = chain(&error);
        let exit = match &error {
            OpenArchiveError::NotConfigured => Exit::Usage,
            OpenArchiveError::Key(_) => Exit::Error,
            OpenArchiveError::Archive(error) if error.is_damage() => Exit::Denied,
            OpenArchiveError::Archive(_) => Exit::Unavailable,
        };
        Failure::new(exit, "backup_unusable", both!("{cause}", "备份库无法使用：{cause}"))
    })
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> Failure {
    let cause = chain(error);
    Failure::new(Exit::Error, "backup_unusable", both!("{cause}", "备份库无法读取：{cause}"))
}

fn run(config: &Config, runtime: &Runtime, output: Output) -> Result<Exit, Failure> {
    let tls = TlsMaterial::load(config.tls.clone()).map_err(|error| unreadable(&error))?;
    let done = runtime.block_on(remote::run_backup(config, Arc::new(tls), RUN_WAIT));
    let done = done.map_err(|status| {
        let cause = status.message().to_owned();
        Failure::new(Exit::Unavailable, "backup_failed", both!("{cause}", "备份未完成：{cause}"))
    })?;
    let json = json!({
        "generation": done.generation,
        "index": done.base_index,
        "rows": done.rows,
        "blocks": done.blocks,
        "new_blocks": done.new_blocks,
        "new_bytes": done.new_bytes,
        "millis": done.millis,
        "witness": done.witness,
        "witness_index": done.witness_index,
    });
    let (generation, index, rows) = (done.generation, done.base_index, done.rows);
    let (new, blocks, bytes, millis) = (done.new_blocks, done.blocks, done.new_bytes, done.millis);
    let words = both!(
        "base of generation {generation} at entry {index}: {rows} rows, {new} of {blocks} blocks new ({bytes} bytes), {millis} ms",
        "已备份第 {generation} 代位置 {index}：{rows} 行，新写入 {new}/{blocks} 块（{bytes} 字节），用时 {millis} 毫秒"
    );
    output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
    if done.witness == 0 {
        output.say(&both!(
            "no other node said what it holds: `backup verify` cannot compare this base with one",
            "没有其他节点提供摘要：backup verify 无法与其他节点比对"
        ));
    }
    Ok(Exit::Ok)
}

fn list(archive: &Archive, output: Output) -> Result<Exit, Failure> {
    let listing = archive.list().map_err(|error| unreadable(&error))?;
    let mut rows = Vec::new();
    for base in &listing.bases {
        let read = archive.read_base(*base);
        let (made, count) = match &read {
            Ok(read) => (json!(UtcMillis(read.manifest.made_ms).to_string()), read.manifest.rows),
            Err(error) => (json!(chain(error)), 0),
        };
        let witnessed = listing.attested.iter().filter(|(generation, index, _)| {
            *generation == base.generation && *index >= base.index
        });
        rows.push(json!({
            "generation": base.generation,
            "index": base.index,
            "made": made,
            "rows": count,
            "reach": listing.reach(*base),
            "witnessed": witnessed.count(),
        }));
    }
    let pack_bytes: u64 = listing.packs.iter().map(|(_, bytes, _)| bytes).sum();
    let pulse = archive.read_pulse().map_err(|error| unreadable(&error))?;
    let json = json!({
        "bases": rows,
        "segments": listing.segments.len(),
        "packs": listing.packs.len(),
        "pack_bytes": pack_bytes,
        "covered": pulse.map(|pulse| pulse.covered),
        "covered_time": pulse.map(|pulse| UtcMillis(pulse.covered_ms).to_string()),
        "kept_by": pulse.map(|pulse| pulse.node),
    });
    output.data(&json, |out, lang| {
        write_table(out, &rows, &BASES, lang)?;
        let (segments, packs) = (listing.segments.len(), listing.packs.len());
        let line = both!(
            "{segments} segments, {packs} packs, {pack_bytes} bytes",
            "{segments} 个日志分段，{packs} 个数据包，共 {pack_bytes} 字节"
        );
        writeln!(out, "{}", line.text(lang))
    })?;
    Ok(if rows.is_empty() { Exit::Unhealthy } else { Exit::Ok })
}

fn verified(
    archive: &Archive,
    scratch: &Path,
    bases: usize,
    output: Output,
) -> Result<Exit, Failure> {
    let verdict = verify::verify(archive, scratch, bases).map_err(|error| unreadable(&error))?;
    let rows: Vec<Value> = verdict
        .bases
        .iter()
        .map(|base| {
            json!({
                "generation": base.base.generation,
                "index": base.base.index,
                "rows": base.rows,
                "reach": base.reach,
                "compared_at": base.compared.map(|(index, _)| index),
                "compared_with": base.compared.map(|(_, node)| node),
                "fault": base.fault.as_ref().map(|fault| chain(fault)),
            })
        })
        .collect();
    let holes: Vec<Value> = verdict
        .holes
        .iter()
        .map(
            |hole| json!({ "generation": hole.generation, "first": hole.first, "last": hole.last }),
        )
        .collect();
    let good = verdict.is_good();
    let json = json!({ "good": good, "bases": rows, "holes": holes, "segments": verdict.segments });
    output.data(&json, |out, lang| {
        for base in &verdict.bases {
            let name = base.base;
            let words = match (&base.fault, base.compared) {
                (Some(fault), _) => {
                    let cause = chain(fault);
                    both!("{name}: BAD: {cause}", "{name}：有误：{cause}")
                }
                (None, Some((index, node))) => both!(
                    "{name}: good; the same rows as node {node} at entry {index}",
                    "{name}：完好；在位置 {index} 与节点 {node} 的数据一致"
                ),
                (None, None) => both!(
                    "{name}: readable and unbroken; compared with no other node",
                    "{name}：可读且连续；未与其他节点比对"
                ),
            };
            writeln!(out, "{}", words.text(lang))?;
        }
        for hole in &verdict.holes {
            let (first, last) = (hole.first, hole.last);
            let words = both!(
                "no entries {first} to {last}: nothing in between can be restored",
                "缺少位置 {first} 至 {last} 的日志，其间时刻无法恢复"
            );
            writeln!(out, "{}", words.text(lang))?;
        }
        Ok(())
    })?;
    Ok(if good { Exit::Ok } else { Exit::Unhealthy })
}

fn prune(archive: &Archive, keep: &Keep, dry_run: bool, output: Output) -> Result<Exit, Failure> {
    let listing = archive.list().map_err(|error| unreadable(&error))?;
    let mut bases = Vec::new();
    for name in &listing.bases {
        let base = archive.read_base(*name).map_err(|error| unreadable(&error))?;
        bases.push(catalog_node::backup::Prune {
            name: *name,
            made_ms: base.manifest.made_ms,
            packs: base.packs.into_iter().map(|pack| pack.name).collect(),
        });
    }
    let now = catalog_node::clock::WallClock::system().now();
    let gone = catalog_node::backup::prune(&listing, &bases, keep, now.0);
    if !dry_run {
        archive.remove(&gone).map_err(|error| unreadable(&error))?;
    }
    let json = json!({
        "removed": !dry_run,
        "bases": gone.bases.len(),
        "segments": gone.segments.len(),
        "packs": gone.packs.len(),
        "bytes": gone.pack_bytes,
    });
    let (bases, segments) = (gone.bases.len(), gone.segments.len());
    let (packs, bytes) = (gone.packs.len(), gone.pack_bytes);
    let words = both!(
        "{bases} bases, {segments} segments and {packs} packs of {bytes} bytes are not kept",
        "不再保留：{bases} 份备份、{segments} 个日志分段、{packs} 个数据包（{bytes} 字节）"
    );
    output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
    Ok(Exit::Ok)
}

/// `luqiao restore …`.
pub fn restore(options: Restore, output: Output) -> Result<Exit, Failure> {
    let to = point(&options.to)?;
    let config = load(&options.config)?;
    let runtime = runtime()?;
    let archive = open(&config, &runtime)?;
    let own = config.members.iter().find(|member| member.id == config.id);
    let wanted = Wanted {
        to,
        into: options.into.unwrap_or_else(|| config.data.clone()),
        node: config.id,
        address: own.map_or_else(|| config.listen.to_string(), |member| member.address.clone()),
        compare: !options.without_comparison,
    };
    let report = restore::restore(&archive, &wanted).map_err(|error| {
        let cause = chain(&error);
        let exit = match &error {
            RestoreError::Running { .. } | RestoreError::NotEmpty { .. } => Exit::Conflict,
            RestoreError::TooEarly { .. } | RestoreError::TooLate { .. } => Exit::NotFound,
            _ => Exit::Error,
        };
        Failure::new(exit, "restore_refused", both!("{cause}", "未恢复：{cause}"))
    })?;
    tell(&report, &wanted, output)?;
    Ok(Exit::Ok)
}

fn point(text: &str) -> Result<Point, Failure> {
    if text == "latest" {
        return Ok(Point::Latest);
    }
    if let Ok(index) = text.parse() {
        return Ok(Point::Index(index));
    }
    let time: Result<jiff::Timestamp, _> = text.parse();
    let time = time.ok().and_then(|time| u64::try_from(time.as_millisecond()).ok());
    time.map(|millis| Point::Time(UtcMillis(millis))).ok_or_else(|| {
        Failure::usage(both!(
            "--to is latest, a log entry, or a time like 2026-11-22T09:00:00+08:00",
            "--to 可为 latest、日志位置，或形如 2026-11-22T09:00:00+08:00 的时间"
        ))
    })
}

fn tell(report: &Report, wanted: &Wanted, output: Output) -> Result<(), Failure> {
    let carried: Vec<Value> = report
        .carried
        .iter()
        .map(|one| {
            json!({
                "act": one.act.word(),
                "subject": one.subject,
                "done": one.act.is_done(),
            })
        })
        .collect();
    let json = json!({
        "base": report.base.index,
        "index": report.index,
        "clock": report.clock.to_string(),
        "newest": report.newest,
        "generation": report.generation,
        "begins_after": report.begins_after,
        "compared_at": report.compared.map(|(index, _)| index),
        "compared_with": report.compared.map(|(_, node)| node),
        "carried": carried,
        "former_members": report.former_members,
        "not_asked": report.not_asked,
        "into": wanted.into.display().to_string(),
        "millis": report.millis,
    });
    output.data(&json, |out, lang| write_report(out, report, wanted, lang))
}

fn write_report(
    out: &mut dyn Write,
    report: &Report,
    wanted: &Wanted,
    lang: Lang,
) -> std::io::Result<()> {
    let (index, clock, generation) = (report.index, report.clock, report.generation);
    let (into, node) = (wanted.into.display(), wanted.node);
    let restored = both!(
        "restored into {into}: entry {index}, clock {clock}; node {node} alone opens generation {generation}",
        "已恢复到 {into}：位置 {index}，时钟 {clock}；节点 {node} 单独开启第 {generation} 代"
    );
    writeln!(out, "{}", restored.text(lang))?;
    let compared = match report.compared {
        Some((index, node)) => both!(
            "the rows are those that node {node} held at entry {index}",
            "数据与节点 {node} 在位置 {index} 所持一致"
        ),
        None => both!("the rows were compared with no other node", "数据未与其他节点比对"),
    };
    writeln!(out, "{}", compared.text(lang))?;
    for one in &report.carried {
        writeln!(out, "  {}: {}", one.subject, one.act.text(lang))?;
    }
    for domain in &report.not_asked {
        let newest = report.newest;
        let words = both!(
            "  {domain} was not asked: what it knows of after entry {newest} is not in here",
            "  未向 {domain} 查询：其所知位置 {newest} 之后的事项不在其中"
        );
        writeln!(out, "{}", words.text(lang))?;
    }
    let next = both!(
        "next: start node {node}; wipe the nodes of before and add them",
        "下一步：启动节点 {node}；清空原有节点后逐一加入"
    );
    writeln!(out, "{}", next.text(lang))
}
