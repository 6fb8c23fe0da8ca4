//! Arguments of `luqiao grant` for what comes after a grant.

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand};
use luqiao_proto::{
    catalog::v1::SharingMethod,
    sharing::v1::{DisposalManner, MisuseGround, PurposeEndKind, UseEntry, UseField, WiderUseKind},
};

use super::{Change, Page, VersionedChange, document::Document, enum_parser, sharing};

enum_parser!(
    ground,
    MisuseGround,
    "MISUSE_GROUND_",
    ["beyond_scope", "beyond_purpose", "third_party"]
);
enum_parser!(purpose_end, PurposeEndKind, "PURPOSE_END_KIND_", ["met", "impossible", "not_needed"]);
enum_parser!(
    manner,
    DisposalManner,
    "DISPOSAL_MANNER_",
    ["destroyed", "returned", "deidentified", "sealed"]
);
enum_parser!(wider_use, WiderUseKind, "WIDER_USE_KIND_", ["third_party", "other_purpose"]);
enum_parser!(
    use_field,
    UseField,
    "USE_FIELD_",
    [
        "scenario",
        "process",
        "effect",
        "storage",
        "destruction",
        "purpose",
        "user",
        "approver",
        "content",
        "time",
        "manner",
        "medium"
    ]
);

/// What comes after a grant.
#[derive(Debug, Subcommand)]
pub enum Course {
    /// Say how the data are to be had (provider) · 提供取用方式
    Offer {
        /// Name of the grant.
        name: String,
        /// How · 共享方式
        #[arg(long, value_parser = sharing::sharing_method)]
        method: SharingMethod,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Say that the data arrived (user) · 确认收到数据
    Acknowledge {
        /// Name of the grant.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Suspend a grant for misuse, with evidence · 因违规使用暂停授权
    Misuse {
        /// Name of the grant.
        name: String,
        /// One of the three of the law · 法定事由
        #[arg(long, value_parser = ground)]
        ground: MisuseGround,
        /// What was found · 理由
        #[arg(long)]
        reason: String,
        /// The evidence.
        #[command(flatten)]
        evidence: Document,
        /// Last day to put it right · 整改期限
        #[arg(long, value_name = "YYYY-MM-DD")]
        rectify_by: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Say what was done to put it right (user) · 报告整改情况
    Rectify {
        /// Name of the grant.
        name: String,
        /// What was done, or why nothing will be · 整改情况
        #[arg(long)]
        text: String,
        /// Nothing will be done · 拒不整改
        #[arg(long)]
        refused: bool,
        /// The report itself, if there is one.
        #[command(flatten)]
        report: Document,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Judge whether that is enough (provider or authority) · 认定整改是否到位
    Judge {
        /// Name of the grant.
        name: String,
        /// Whether it is · 是否整改到位
        #[arg(long, action = clap::ArgAction::Set)]
        adequate: bool,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// State that the purpose has ended (user) · 共享目的终结
    EndPurpose {
        /// Name of the grant.
        name: String,
        /// How · 终结情形
        #[arg(long, value_parser = purpose_end)]
        kind: PurposeEndKind,
        /// A note · 说明
        #[arg(long, default_value = "")]
        note: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Require what is to become of the data (provider) · 要求处置数据
    RequireDisposal {
        /// Name of the grant.
        name: String,
        /// The manner · 处置方式
        #[arg(long, value_parser = manner)]
        manner: DisposalManner,
        /// A note · 说明
        #[arg(long, default_value = "")]
        note: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show what became of the data (user) · 提交处置证明
    ProveDisposal {
        /// Name of the grant.
        name: String,
        /// The manner · 处置方式
        #[arg(long, value_parser = manner)]
        manner: DisposalManner,
        /// The proof.
        #[command(flatten)]
        proof: Document,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Records of use, kept by the user · 使用记录
    #[command(subcommand)]
    Use(Use),
    /// Consent to a use beyond the grant (provider) · 同意扩大使用
    WiderUse {
        /// Name of the grant.
        name: String,
        /// In which respect · 扩大情形
        #[arg(long, value_parser = wider_use)]
        kind: WiderUseKind,
        /// Who receives the data, if a third party does · 接收方
        #[arg(long, default_value = "")]
        recipient: String,
        /// For what · 用途
        #[arg(long)]
        purpose: String,
        /// An item; may be repeated · 信息项
        #[arg(long = "item", value_name = "ITEM", required = true)]
        items: Vec<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Record the agreement on the use · 登记使用监管协议
    Agreement {
        /// Name of the grant.
        name: String,
        /// Its number · 协议编号
        #[arg(long)]
        number: String,
        /// The agreement.
        #[command(flatten)]
        document: Document,
        /// The day of signing · 签订日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        signed: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Whether a use would be permitted now · 是否可以使用
    MayUse {
        /// Name of the grant.
        name: String,
        /// What of the use is not as the grant says.
        #[command(flatten)]
        wanted: Wanted,
    },
}

/// A use that is asked about; what is not stated is as the grant says.
#[derive(Debug, Clone, Args)]
pub struct Wanted {
    /// The system that would call · 使用系统
    #[arg(long, value_name = "NAME", default_value = "")]
    pub system: String,
    /// What for · 应用场景
    #[arg(long, default_value = "")]
    pub scenario: String,
    /// An item; may be repeated · 信息项
    #[arg(long = "item", value_name = "ITEM")]
    pub items: Vec<String>,
    /// Which rows, in the words of the grant · 数据范围
    #[arg(long, default_value = "")]
    pub rows: String,
    /// The third party for whom it is fetched · 第三方
    #[arg(long, default_value = "")]
    pub third_party: String,
    /// Calls under the grant today before this one · 当日已调用次数
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub calls_before: u32,
}

/// `luqiao grant use`.
#[derive(Debug, Subcommand)]
pub enum Use {
    /// Record what was done with the data · 记录使用情况
    Record {
        /// Name of the grant.
        name: String,
        /// A field: `FIELD=TEXT`; may be repeated · 记录内容
        #[arg(long = "field", value_name = "FIELD=TEXT", value_parser = entry, required = true)]
        entries: Vec<UseEntry>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the records under a grant · 列出使用记录
    List {
        /// Name of the grant.
        name: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Remove records that need to be kept no longer · 清除超过保存期的记录
    Purge {
        /// Name of the grant.
        name: String,
        /// Those recorded before this day · 此日之前的
        #[arg(long, value_name = "YYYY-MM-DD")]
        before: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
}

fn entry(text: &str) -> Result<UseEntry, String> {
    let (field, text) = text.split_once('=').ok_or("write FIELD=TEXT, for instance effect=…")?;
    Ok(UseEntry { field: use_field(field)?.into(), text: text.to_owned() })
}
