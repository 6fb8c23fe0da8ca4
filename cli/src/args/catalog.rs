//! Arguments of `luqiao catalog`.

use std::path::PathBuf;

use clap::Subcommand;
use luqiao_proto::catalog::v1::{EntryState, SharingKind};

use super::{Change, Page, VersionedChange, acquisition::OfEntry, entry_life::Life, enum_parser};

enum_parser!(
    sharing_kind,
    SharingKind,
    "SHARING_KIND_",
    ["unconditional", "conditional", "not_shared"]
);
enum_parser!(
    entry_state,
    EntryState,
    "ENTRY_STATE_",
    [
        "imported_draft",
        "draft",
        "submitted",
        "published",
        "change_pending",
        "change_submitted",
        "withdrawn",
        "suspended",
        "archived"
    ]
);

/// `luqiao catalog`.
#[derive(Debug, Subcommand)]
pub enum Catalog {
    /// Take over a foreign catalog as drafts · 导入外部目录为草稿
    ///
    /// JSON lines, plain or gzip. What the file does not state stays absent; an open type never
    /// becomes a sharing attribute. Nothing is sent unless the whole file can be read.
    Import {
        /// The file.
        file: PathBuf,
        /// Read and count, without a server · 只检查，不写入
        #[arg(long)]
        dry_run: bool,
        /// Write quarantined lines to this file · 隔离行写入此文件
        #[arg(long, value_name = "FILE")]
        quarantine: Option<PathBuf>,
    },
    /// Register an entry from a JSON file · 登记条目
    Register {
        /// A CatalogEntry as JSON; `-` for stdin.
        file: PathBuf,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Change fields of an entry from a JSON file · 修改条目
    Update {
        /// A CatalogEntry as JSON, with its name; `-` for stdin.
        file: PathBuf,
        /// Fields to change; default: those that the file states · 修改的字段
        #[arg(long, value_delimiter = ',', value_name = "FIELD")]
        mask: Vec<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Give the head's consent to a version · 负责人同意
    Consent {
        /// Name of the entry.
        name: String,
        /// The head for whom the system speaks · 负责人
        #[arg(long, value_name = "NAME", default_value = "")]
        person: String,
        /// Also consent to grant unconditional requests at once · 同意无条件共享即时答复
        #[arg(long)]
        standing_answer: bool,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Submit an entry to the authority · 提交审核
    Submit {
        /// Name of the entry.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Return a submitted entry to its provider · 退回
    Return {
        /// Name of the entry.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Publish a submitted entry · 发布
    Publish {
        /// Name of the entry.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Take an entry out of the catalog · 撤回
    Withdraw {
        /// Name of the entry.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Search; Chinese needs no spaces · 全文检索
    Search {
        /// Words.
        query: String,
        /// Domain, `-` for every one that is held here; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Only entries with this sharing attribute · 共享属性
        #[arg(long, value_parser = sharing_kind)]
        sharing: Option<SharingKind>,
        /// Which part of the result.
        #[command(flatten)]
        page: Page,
    },
    /// Show an entry · 查看条目
    Get {
        /// Name of the entry.
        name: String,
        /// The working version instead of the published one · 查看编制中的版本
        #[arg(long)]
        working: bool,
    },
    /// List entries · 列出条目
    List {
        /// Domain, `-` for every one that is held here; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Working versions instead of published ones · 查看编制中的版本
        #[arg(long)]
        working: bool,
        /// Only entries of this organization · 提供单位
        #[arg(long, value_name = "NAME", default_value = "")]
        provider: String,
        /// Only entries with this sharing attribute · 共享属性
        #[arg(long, value_parser = sharing_kind)]
        sharing: Option<SharingKind>,
        /// Only entries in this state · 状态
        #[arg(long, value_parser = entry_state)]
        state: Option<EntryState>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// What becomes of an entry.
    #[command(flatten)]
    Life(Life),
    /// How its data are had.
    #[command(flatten)]
    OfEntry(OfEntry),
}
