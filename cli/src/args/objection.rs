//! Arguments of `luqiao objection`: the authority objects to a sharing attribute.

use clap::Subcommand;
use luqiao_proto::{
    catalog::v1::SharingKind,
    relations::v1::{ObjectionState, Side},
};

use super::{
    Change, VersionedChange,
    catalog::sharing_kind,
    citation::{Attribute, Listed, Reasoned},
    enum_parser,
    paper::Paper,
};

enum_parser!(
    objection_state,
    ObjectionState,
    "OBJECTION_STATE_",
    ["raised", "consulting", "agreed", "escalated", "decided"]
);
enum_parser!(side, Side, "SIDE_", ["authority", "provider"]);

/// `luqiao objection`.
#[derive(Debug, Subcommand)]
pub enum Objection {
    /// Object to the attribute of an entry (authority) · 对共享属性提出异议
    Raise {
        /// The entry.
        entry: String,
        /// The attribute that is wanted instead · 主张的共享属性
        #[arg(long, value_parser = sharing_kind)]
        wanted: SharingKind,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// State a side's position · 陈述意见
    State {
        /// Name of the objection.
        name: String,
        /// Whose position it is · 陈述方
        #[arg(long, value_parser = side)]
        side: Side,
        /// The position · 意见
        #[arg(long)]
        text: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Name the attribute for which one would settle · 协商一致
    Settle {
        /// Name of the objection.
        name: String,
        /// The attribute.
        #[command(flatten)]
        attribute: Box<Attribute>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Bring it before the government (authority) · 报政府决定
    Escalate(Reasoned),
    /// Enter what the government decided · 登记政府决定
    Decide {
        /// Name of the objection.
        name: String,
        /// The attribute.
        #[command(flatten)]
        attribute: Box<Attribute>,
        /// The decision.
        #[command(flatten)]
        paper: Box<Paper>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show an objection · 查看异议
    Show {
        /// Name of the objection.
        name: String,
    },
    /// List objections · 列出异议
    List {
        /// Only those in this state · 状态
        #[arg(long, value_parser = objection_state)]
        state: Option<ObjectionState>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
}
