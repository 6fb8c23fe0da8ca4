//! Arguments of `luqiao drill`.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use super::{Change, Page, VersionedChange};

/// `luqiao drill`.
#[derive(Debug, Subcommand)]
pub enum Drill {
    /// The plans there are, and which of them run here · 列出预案
    List,
    /// What a plan does, step by step · 查看预案
    Plan {
        /// Name of the plan · 预案名称
        plan: String,
        /// A plan of your own, TOML · 自有预案文件
        #[arg(long, value_name = "FILE")]
        plan_file: Option<PathBuf>,
    },
    /// Rehearse: prechecks, act, checks, back, report · 执行演练
    Run(Box<Run>),
    /// Let a drill happen that somebody else opened · 批准演练
    Approve {
        /// Name of the drill; default: the one that is open · 演练
        name: Option<String>,
        /// What goes with every change.
        #[command(flatten)]
        change: Change,
    },
    /// Give up a drill that does not go on · 放弃演练
    Abandon {
        /// Name of the drill; default: the one that is open · 演练
        name: Option<String>,
        /// Why · 原因
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// How far a drill has come · 查看演练
    Show {
        /// Name of the drill; default: the one that is open, or the last one · 演练
        name: Option<String>,
    },
    /// Every drill so far, the newest first · 演练记录
    History {
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Check a report without any server · 离线验证演练报告
    Verify {
        /// The report, JSON.
        report: PathBuf,
        /// The trust anchor of the domain · 信任锚
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
        /// Check also that this page is the one of the report · 同时核对网页
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
    },
    /// The outside prober of a drill; ends with its input · 外部探测写入
    Probe(Probe),
}

/// `luqiao drill run`.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Name of the plan · 预案名称
    pub plan: String,
    /// A plan of your own, TOML · 自有预案文件
    #[arg(long, value_name = "FILE")]
    pub plan_file: Option<PathBuf>,
    /// Why it is held, for the record · 事由
    #[arg(long, default_value = "routine drill 例行演练")]
    pub why: String,
    /// Where reports are written · 结果目录
    #[arg(long, value_name = "DIR", default_value = "drill-results")]
    pub results: PathBuf,
    /// The cluster's name, where the plan takes a site out of service; else it is asked for · 集群名称
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Go on with the drill that is open · 继续未完成的演练
    #[arg(long)]
    pub resume: bool,
    /// On a city of its own on this machine, with real processes · 在本机演示环境中演练
    #[arg(long)]
    pub town: bool,
    /// Folder of that city; default: a temporary one · 演示环境数据目录
    #[arg(long, value_name = "DIR", requires = "town")]
    pub data: Option<PathBuf>,
}

/// `luqiao drill probe`.
#[derive(Debug, Clone, Args)]
pub struct Probe {
    /// Name of the drill · 演练
    pub drill: String,
    /// The list of what was acknowledged; appended to · 清单文件
    #[arg(long, value_name = "FILE")]
    pub list: PathBuf,
    /// Writes a second · 每秒写入
    #[arg(long, value_parser = value_parser!(u32).range(1..=1000), default_value_t = 100)]
    pub rate: u32,
    /// How many write at once · 并发
    #[arg(long, value_parser = value_parser!(u32).range(1..=64), default_value_t = 16)]
    pub writers: u32,
    /// Every so many-th number has a due instant; 0 = none · 每几笔设一到期时刻
    #[arg(long, default_value_t = 0)]
    pub due_every: u64,
    /// After how much committed time it is due, in milliseconds · 到期时间
    #[arg(long, default_value_t = 1500)]
    pub due_after_ms: u64,
}
