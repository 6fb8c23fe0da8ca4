//! Arguments of `luqiao transfer`: functions that go from one department to another.

use catalog_model::time::LocalDate;
use clap::Subcommand;
use luqiao_proto::relations::v1::TransferState;

use super::{
    Change,
    citation::{Citation, Listed, Reasoned, Step},
    enum_parser,
};

enum_parser!(
    transfer_state,
    TransferState,
    "TRANSFER_STATE_",
    ["drafted", "cosigned", "filed", "returned", "approved", "completed"]
);

/// `luqiao transfer`.
#[derive(Debug, Subcommand)]
pub enum Transfer {
    /// Draft it (giving department) · 起草职能划转
    Draft {
        /// The receiving department · 转入部门
        #[arg(long, value_name = "NAME")]
        to: String,
        /// An entry that goes with the function; may be repeated · 随转目录
        #[arg(long = "entry", value_name = "NAME", required = true)]
        entries: Vec<String>,
        /// The legal act of the change.
        #[command(flatten)]
        act: Citation,
        /// The day on which the duty changed · 职责变化日
        #[arg(long, value_name = "YYYY-MM-DD")]
        change_date: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Sign it (receiving department) · 会签
    Cosign(Step),
    /// File it with the authority (giving department) · 报送
    File(Step),
    /// Send it back (authority) · 退回
    Return(Reasoned),
    /// Approve it; the entries move (authority) · 批准
    Approve(Step),
    /// Show a transfer · 查看职能划转
    Show {
        /// Name of the transfer.
        name: String,
    },
    /// List transfers · 列出职能划转
    List {
        /// Only those in this state · 状态
        #[arg(long, value_parser = transfer_state)]
        state: Option<TransferState>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
}
