//! Arguments: what can be typed?
//!
//! Noun, then verb. Help says each thing in both languages in one line, because nobody has chosen
//! one yet when asking for help.

use std::{path::PathBuf, time::Duration};

use catalog_model::reason::Lang;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::output::Format;

pub mod acquisition;
pub mod audit;
pub mod backup;
pub mod case;
pub mod catalog;
pub mod citation;
pub mod cluster;
pub mod dataset;
pub mod document;
pub mod dr;
pub mod drill;
pub mod entry_life;
pub mod grant;
pub mod law;
pub mod letter;
pub mod objection;
pub mod organization;
pub mod paper;
pub mod quality;
pub mod service_change;
pub mod sharing;
pub mod transfer;
pub mod work;

/// The command for people: catalogs, share requests, grants and receipts.
#[derive(Debug, Parser)]
#[command(
    name = "luqiao",
    version,
    about = "Luqiao: find, ask for and share public data · 鹭桥：公共数据目录与共享",
    after_help = "Exit codes: 0 ok · 1 error · 2 usage · 3 unhealthy · 4 not found · 5 denied · 6 conflict or \
                  precondition · 7 outcome unknown · 8 unavailable · 9 quota · 130 interrupted",
    arg_required_else_help = true
)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Context to use: which gateway, as whom · 使用的上下文
    #[arg(long, global = true, value_name = "NAME", env = "LUQIAO_CONTEXT")]
    pub context: Option<String>,
    /// File of contexts · 上下文文件
    #[arg(long, global = true, value_name = "FILE", env = "LUQIAO_CONTEXTS")]
    pub contexts: Option<PathBuf>,
    /// How data are printed · 输出格式
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Language of messages · 提示语言 [zh, en; default: from the locale]
    #[arg(long, global = true, value_name = "LANG", value_parser = language)]
    pub lang: Option<Lang>,
    /// Time for a call, for instance 500ms, 30s, 2m · 调用时限 [default: 30s]
    #[arg(long, global = true, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Tell more on stderr · 显示更多信息
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Three domains on this machine and a walk through them · 本机演示环境
    Dev(Dev),
    /// Catalog entries · 目录条目
    #[command(subcommand)]
    Catalog(catalog::Catalog),
    /// Entries whose sharing attribute rests on too little · 重新分类清单
    #[command(subcommand)]
    Worklist(entry_life::Worklist),
    /// Organizations · 单位
    #[command(subcommand)]
    Organization(organization::Organization),
    /// Persons of an organization · 人员
    #[command(subcommand)]
    Person(organization::Person),
    /// Business systems of an organization · 业务系统
    #[command(subcommand)]
    System(organization::System),
    /// Share requests · 共享申请
    #[command(subcommand)]
    Request(sharing::Request),
    /// Grants · 授权
    #[command(subcommand)]
    Grant(sharing::Grant),
    /// Changes of a service that others use · 服务变更
    #[command(subcommand)]
    ServiceChange(service_change::ServiceChange),
    /// Datasets: which data an entry describes, and where they lie · 数据集
    #[command(subcommand)]
    Dataset(dataset::Dataset),
    /// The duties from which entries derive · 职责清单
    #[command(subcommand)]
    Duties(dataset::Duties),
    /// The department that is the source of a datum · 数源部门
    #[command(subcommand)]
    Source(dataset::Source),
    /// Functions that go to another department, with their entries · 职能划转
    #[command(subcommand)]
    Transfer(transfer::Transfer),
    /// The authority's objections to sharing attributes · 对共享属性的异议
    #[command(subcommand)]
    Objection(objection::Objection),
    /// Data taken in an emergency · 应急数据
    #[command(subcommand)]
    Emergency(acquisition::Emergency),
    /// Purchases of data · 非公共数据采购
    #[command(subcommand)]
    Purchase(acquisition::Purchase),
    /// Entrusted collection of data · 委托收集
    #[command(subcommand)]
    Contract(acquisition::Contract),
    /// Projects and their data assets · 信息化项目
    #[command(subcommand)]
    Project(acquisition::Project),
    /// Platforms beside the city's · 既有平台
    #[command(subcommand)]
    Platform(acquisition::Platform),
    /// Quality of data: batches, error reports, objections · 数据质量
    #[command(subcommand)]
    Quality(quality::Quality),
    /// Disputes between asker and provider · 争议
    #[command(subcommand)]
    Dispute(case::Dispute),
    /// Demands for what the catalog lacks · 需求
    #[command(subcommand)]
    Demand(case::Demand),
    /// Who submits does not approve: a switch of the house · 提交与审批分离
    #[command(subcommand)]
    Separation(case::Separation),
    /// Receipts: proofs of what was decided · 回执
    #[command(subcommand)]
    Receipt(Receipt),
    /// The ledger: what happened, and whether it is still the same history · 账本审计
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Whole cases · 案卷
    #[command(subcommand)]
    Case(audit::Case),
    /// How the domain's platform is · 平台状态
    Status {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
    },
    /// What must be done next, by when, by which rule · 今日待办
    Today(work::Today),
    /// How requests were answered in a period · 办理统计
    Statistics(work::Statistics),
    /// What the organization must hear of · 通知
    #[command(subcommand)]
    Notice(work::Notice),
    /// Addresses at which the organization is told · 通知回调
    #[command(subcommand)]
    Webhook(work::Webhook),
    /// What was wrong with a call, and the corrected call · 说明调用为何被拒绝
    Explain(work::Explain),
    /// The nodes of the domain's cluster · 集群成员
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// Backups of the cluster · 备份
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Make a data folder from a backup · 从备份恢复
    Restore(backup::Restore),
    /// Rehearsed failures, with an outside prober and a report · 灾备演练
    #[command(subcommand)]
    Drill(drill::Drill),
    /// The working-day calendar · 工作日历
    #[command(subcommand)]
    Calendar(law::Calendar),
    /// The rules of law and house by which cases are decided · 规则
    #[command(subcommand)]
    Rules(law::Rules),
    /// Outages of the platform · 平台中断
    #[command(subcommand)]
    Outage(law::Outage),
    /// Two sites: approvals, mode, failovers on record · 双站点与灾备
    #[command(subcommand)]
    Dr(dr::Dr),
    /// Completion script for a shell · 命令补全脚本
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// `luqiao dev`.
#[derive(Debug, Clone, Args)]
pub struct Dev {
    /// Folder for the data; default: a temporary one · 数据目录
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Catalog that a domain starts with, instead of the sample · 初始目录
    #[arg(long = "catalog", value_name = "DOMAIN=FILE", value_parser = domain_file)]
    pub catalogs: Vec<(String, PathBuf)>,
    /// Each node and gateway as a process of its own · 以独立进程运行
    #[arg(long)]
    pub processes: bool,
    /// Prove the ledgers with SM3 and SM2 · 账本采用国密算法
    #[arg(long)]
    pub national: bool,
    /// End after the walk; 0 only if every step held · 演示结束后退出
    #[arg(long)]
    pub exit: bool,
    /// One JSON object per step · 每步输出一个 JSON 对象
    #[arg(long)]
    pub json: bool,
    /// Make the expectation of one step wrong, to see the walk fail.
    #[arg(long = "break", value_name = "STEP", hide = true)]
    pub break_step: Option<String>,
}

/// `luqiao receipt`.
#[derive(Debug, Subcommand)]
pub enum Receipt {
    /// Fetch the receipt of anything that has a record · 获取回执
    Get {
        /// Name of the request, grant, entry, dispute, …
        name: String,
        /// Number of the record; default: the newest about it · 记录号
        #[arg(long, value_name = "N")]
        record: Option<u64>,
    },
    /// Check a receipt without any server · 离线验证回执
    Verify {
        /// The receipt, as `receipt get -o json` printed it.
        file: PathBuf,
        /// The trust anchor of the domain · 信任锚
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
    },
}

/// A page of a list.
#[derive(Debug, Clone, Args)]
pub struct Page {
    /// How many rows · 每页行数
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub page_size: i32,
    /// Go on after the previous page · 续页标记
    #[arg(long, value_name = "TOKEN", default_value = "")]
    pub page_token: String,
}

/// What goes with a change.
#[derive(Debug, Clone, Args)]
pub struct Change {
    /// Repeat an earlier attempt instead of making a new one · 重复先前的尝试
    #[arg(long, value_name = "UUID")]
    pub request_id: Option<String>,
}

/// A change of something that exists.
#[derive(Debug, Clone, Args)]
pub struct VersionedChange {
    /// Version that was read; default: the current one · 所依据的版本
    #[arg(long)]
    pub etag: Option<String>,
    /// What goes with every change.
    #[command(flatten)]
    pub change: Change,
}

fn language(text: &str) -> Result<Lang, String> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err("known are zh and en".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| "write 500ms, 30s or 2m".to_owned())?;
    let time = match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    };
    match time {
        Some(time) if !time.is_zero() && time <= Duration::from_hours(24) => Ok(time),
        _ => Err("write 500ms, 30s or 2m, at most a day".to_owned()),
    }
}

fn domain_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((domain, file)) if !domain.is_empty() && !file.is_empty() => {
            Ok((domain.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write DOMAIN=FILE".to_owned()),
    }
}

/// A value parser for an enum of the protocol: its words without prefix, `-` or `_` between them.
macro_rules! enum_parser {
    ($name:ident, $enum:ty, $prefix:literal, [$($word:literal),+ $(,)?]) => {
        #[doc = concat!("Reads one of the words of ", stringify!($enum), ".")]
        pub(crate) fn $name(text: &str) -> Result<$enum, String> {
            const WORDS: &[&str] = &[$($word),+];
            let word = text.to_ascii_lowercase().replace('-', "_");
            WORDS
                .contains(&word.as_str())
                .then(|| <$enum>::from_str_name(&format!("{}{}", $prefix, word.to_ascii_uppercase())))
                .flatten()
                .ok_or_else(|| format!("known are {}", WORDS.join(", ")))
        }
    };
}
pub(crate) use enum_parser;

#[cfg(test)]
mod tests;
