//! Arguments on the life of catalog entries: `luqiao catalog change` and what stands beside it, and
//! `luqiao worklist`.

use catalog_model::time::LocalDate;
use clap::Subcommand;
use luqiao_proto::entry::v1::{ChangeTrigger, ReviewOutcome, SuspensionGround};

use super::{Change, Page, VersionedChange, enum_parser, paper::Paper};

enum_parser!(
    change_trigger,
    ChangeTrigger,
    "CHANGE_TRIGGER_",
    ["law", "administrative_regulation", "state_council_decision", "duty", "resource"]
);
enum_parser!(
    review_outcome,
    ReviewOutcome,
    "REVIEW_OUTCOME_",
    ["kept", "to_be_widened", "to_be_narrowed"]
);
enum_parser!(
    suspension_ground,
    SuspensionGround,
    "SUSPENSION_GROUND_",
    ["leak", "state_secret", "work_secret"]
);

/// What becomes of an entry; part of `luqiao catalog`.
#[derive(Debug, Subcommand)]
pub enum Life {
    /// What a draft lacks for publication, with the rule for each · 发布前检查
    Check {
        /// Name of the entry.
        name: String,
    },
    /// Report a change for which the catalog must be updated · 报告目录变化
    #[command(name = "change")]
    ReportedChange {
        /// Name of the entry, or of the organization for all of its catalog.
        name: String,
        /// What changed · 变化类型
        #[arg(long, value_parser = change_trigger)]
        trigger: ChangeTrigger,
        /// The day on which it changed; the clock runs from it · 变化日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: LocalDate,
        /// The text or decision by which · 依据文件
        #[arg(long)]
        citation: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Consent to more time for an update (authority) · 同意延长更新期限
    MoreTime {
        /// Name of the entry or organization of the report.
        name: String,
        /// Working days to add · 延长的工作日数
        #[arg(long, value_name = "N")]
        working_days: u32,
        /// The special reason · 特殊原因
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// State that a change of the whole organization was taken in · 申报更新完成
    Updated {
        /// The organization.
        organization: String,
        /// The entries, each handed in since the change · 已更新的目录
        #[arg(required = true)]
        entries: Vec<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the updates that are owed · 列出应完成的更新
    Owed {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Record the regular review of a sharing attribute · 共享属性定期复核
    Review {
        /// Name of the entry.
        name: String,
        /// What came of it · 复核结果
        #[arg(long, value_parser = review_outcome)]
        outcome: ReviewOutcome,
        /// In words · 说明
        #[arg(long)]
        note: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Take an entry off the list at once · 暂停目录
    Suspend {
        /// Name of the entry.
        name: String,
        /// The proper reason · 事由
        #[arg(long, value_parser = suspension_ground)]
        ground: SuspensionGround,
        /// In words · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Put a suspended entry back as it was (authority) · 恢复目录
    Resume {
        /// Name of the entry.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Put a withdrawn entry away for ever · 归档目录
    Archive {
        /// Name of the entry.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Record the decision on important data (authority) · 列入/移出重要数据目录
    Important {
        /// Name of the entry.
        name: String,
        /// The data are listed as important no longer · 移出
        #[arg(long)]
        no_longer: bool,
        /// The decision.
        #[command(flatten)]
        decision: Paper,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the published versions, the oldest first · 列出已发布版本
    Versions {
        /// Name of the entry.
        name: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Show what differs between two published versions · 版本差异
    Diff {
        /// Name of the entry.
        name: String,
        /// Number of the older version; default: the one before · 旧版本
        #[arg(long, value_name = "N", default_value_t = 0)]
        from: u64,
        /// Number of the newer version; default: the last · 新版本
        #[arg(long, value_name = "N", default_value_t = 0)]
        to: u64,
    },
    /// Show what is on file: clocks, suspension, worklist · 查看目录档案
    File {
        /// Name of the entry.
        name: String,
    },
}

/// `luqiao worklist`.
#[derive(Debug, Subcommand)]
pub enum Worklist {
    /// Have the bases of all listed entries looked at (authority) · 启动重新分类清查
    Start {
        /// Why · 原因
        #[arg(long)]
        cause: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Rule on an entry of the worklist, on paper (authority) · 重新分类裁定
    Rule {
        /// Name of the entry.
        name: String,
        /// The ruling.
        #[command(flatten)]
        decision: Paper,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the entries that rest on too little · 列出重新分类清单
    List {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Also what was dealt with · 包括已办结的
        #[arg(long)]
        all: bool,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Show the last pass over the catalog · 查看最近一次清查
    Pass {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
    },
}
