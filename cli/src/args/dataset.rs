//! Arguments of `luqiao dataset`, `luqiao duties` and `luqiao source`: the ledger of catalog, data and
//! systems.

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand};
use luqiao_proto::relations::v1::{DatasetKind, OrphanKind};

use super::{
    Change, Page, VersionedChange,
    citation::{Citation, Listed, Step},
    enum_parser,
    letter::Letter,
};

enum_parser!(dataset_kind, DatasetKind, "DATASET_KIND_", ["table", "file", "interface"]);
enum_parser!(
    orphan_kind,
    OrphanKind,
    "ORPHAN_KIND_",
    ["entry_without_data", "dataset_without_entry", "system_without_dataset"]
);

/// `luqiao dataset`.
#[derive(Debug, Subcommand)]
pub enum Dataset {
    /// Put a dataset on file · 登记数据集
    Add {
        /// Whose; default: the caller's organization · 所属单位
        #[arg(long, value_name = "NAME")]
        organization: Option<String>,
        /// What it is · 类型
        #[arg(long, value_parser = dataset_kind)]
        kind: DatasetKind,
        /// Its name · 名称
        #[arg(long)]
        title: String,
        /// What it holds · 说明
        #[arg(long, default_value = "")]
        description: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Link it to an entry or a system · 关联
    Bind {
        /// Name of the dataset.
        name: String,
        /// The entry or system · 目录条目或业务系统
        #[arg(long, value_name = "NAME")]
        to: String,
        /// First day · 起始日
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: LocalDate,
        /// Last day; without: no end is known · 终止日
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<LocalDate>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// End a link · 解除关联
    Unbind {
        /// Name of the dataset.
        name: String,
        /// The entry or system · 目录条目或业务系统
        #[arg(long, value_name = "NAME")]
        to: String,
        /// Its last day · 终止日
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Delete one to which nothing is bound · 删除数据集
    Delete(Step),
    /// Show a dataset · 查看数据集
    Show {
        /// Name of the dataset.
        name: String,
    },
    /// List datasets · 列出数据集
    List {
        /// Only those of this organization · 所属单位
        #[arg(long, value_name = "NAME", default_value = "")]
        organization: String,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
    /// What is bound to nothing · 孤立项报告
    Orphans {
        /// Which of the three reports · 报告类型
        #[arg(value_parser = orphan_kind)]
        kind: OrphanKind,
        /// On this day; default: today · 日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: Option<LocalDate>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
}

/// An organization, by default the caller's.
#[derive(Debug, Clone, Args)]
pub struct Whose {
    /// The organization; default: the caller's · 单位
    pub organization: Option<String>,
}

/// `luqiao duties`.
#[derive(Debug, Subcommand)]
pub enum Duties {
    /// State the whole list of duties · 申报职责清单
    Set {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// A duty, in the words of the law; may be repeated · 职责
        #[arg(long = "duty", value_name = "DUTY", required = true)]
        duties: Vec<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show the duties · 查看职责清单
    Show {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
    },
    /// Duties without entry, systems without data · 职责与目录的缺口
    Gaps {
        /// Whose.
        #[command(flatten)]
        whose: Whose,
        /// On this day; default: today · 日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: Option<LocalDate>,
    },
}

/// `luqiao source`.
#[derive(Debug, Subcommand)]
pub enum Source {
    /// Name the source of a datum (authority) · 确定数源部门
    Assign {
        /// The datum · 数据项
        element: String,
        /// The department · 数源部门
        #[arg(long, value_name = "NAME")]
        organization: String,
        /// First day · 起始日
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: LocalDate,
        /// Last day; without: no end is known · 终止日
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<LocalDate>,
        /// On what it rests.
        #[command(flatten)]
        basis: Citation,
        /// Where it was decided on paper.
        #[command(flatten)]
        decision: Box<Letter>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// End an assignment (authority) · 终止数源部门
    End {
        /// The datum · 数据项
        element: String,
        /// First day of the assignment · 起始日
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: LocalDate,
        /// Its last day · 终止日
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Who is the source of a datum · 查询数源部门
    Show {
        /// The datum · 数据项
        element: String,
        /// On this day; default: today · 日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        day: Option<LocalDate>,
    },
    /// Every assignment of a datum · 列出历次确定
    List {
        /// The datum · 数据项
        element: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Which entries share an item of this name · 已共享该数据项的目录
    Sharers {
        /// The item · 数据项
        item: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}
