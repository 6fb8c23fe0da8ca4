//! Arguments of `luqiao service-change`.

use catalog_model::time::LocalDate;
use clap::Subcommand;
use luqiao_proto::sharing::v1::{ServiceChangeCause, ServiceChangeKind};

use super::{Change, Page, VersionedChange, document::Document, enum_parser};

enum_parser!(kind, ServiceChangeKind, "SERVICE_CHANGE_KIND_", ["end", "narrow", "change"]);
enum_parser!(
    cause,
    ServiceChangeCause,
    "SERVICE_CHANGE_CAUSE_",
    ["functions_changed", "law_changed", "source_ended", "leak", "secret", "other"]
);

/// `luqiao service-change`.
#[derive(Debug, Subcommand)]
pub enum ServiceChange {
    /// Propose to end, narrow or change a service in use (provider) · 提出服务变更
    Propose {
        /// The entry · 目录条目
        #[arg(long, value_name = "NAME")]
        entry: String,
        /// What is to happen · 变更类型
        #[arg(long, value_parser = kind)]
        kind: ServiceChangeKind,
        /// An item that is taken out, for narrow; may be repeated · 缩减的信息项
        #[arg(long = "item", value_name = "ITEM")]
        items: Vec<String>,
        /// Why; a leak or a secret stops calls at once · 变更原因
        #[arg(long, value_parser = cause)]
        cause: ServiceChangeCause,
        /// Why, in words · 理由
        #[arg(long)]
        reason: String,
        /// First day on which it may hold · 生效日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        effective: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Say what one thinks of it (user) · 对服务变更表态
    State {
        /// Name of the change.
        name: String,
        /// Whether one agrees · 是否同意
        #[arg(long, action = clap::ArgAction::Set)]
        agrees: bool,
        /// In words · 意见
        #[arg(long, default_value = "")]
        text: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Record the minutes of the talk (provider) · 登记协商纪要
    Negotiated {
        /// Name of the change.
        name: String,
        /// The minutes.
        #[command(flatten)]
        minutes: Document,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// File it with the authority (provider) · 报主管部门备案
    File {
        /// Name of the change.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Let it take effect, from its day on (provider) · 使服务变更生效
    Effect {
        /// Name of the change.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Give it up (provider) · 撤回服务变更
    Abandon {
        /// Name of the change.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show a change · 查看服务变更
    Show {
        /// Name of the change.
        name: String,
    },
    /// List the changes of an entry's service · 列出服务变更
    List {
        /// The entry · 目录条目
        #[arg(long, value_name = "NAME")]
        entry: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}
