//! Arguments of `luqiao request` and `luqiao grant`.

use std::path::PathBuf;

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand, ValueEnum};
use luqiao_proto::{
    catalog::v1::SharingMethod,
    sharing::v1::{Commitment, GrantState, ItemReason, ShareRequestState},
};

use super::{Change, Page, VersionedChange, case, enum_parser};

enum_parser!(
    sharing_method,
    SharingMethod,
    "SHARING_METHOD_",
    ["service_interface", "batch_exchange", "file_download"]
);
enum_parser!(
    commitment,
    Commitment,
    "COMMITMENT_",
    [
        "scenario_authentic",
        "scenario_compliant",
        "scenario_secure",
        "request_authentic",
        "request_lawful",
        "request_necessary"
    ]
);
enum_parser!(
    request_state,
    ShareRequestState,
    "SHARE_REQUEST_STATE_",
    [
        "submitted",
        "forwarded",
        "completion_asked",
        "agreed",
        "agreed_in_part",
        "refused",
        "withdrawn",
        "not_completed"
    ]
);
enum_parser!(
    grant_state,
    GrantState,
    "GRANT_STATE_",
    [
        "granted",
        "suspended",
        "terminated",
        "offered",
        "delivered",
        "active",
        "purpose_ended",
        "disposed",
        "ended"
    ]
);

/// What is asked for, and why.
#[derive(Debug, Clone, Args)]
pub struct Asked {
    /// The rest as a ShareRequest in JSON; flags go before it · 其余内容（JSON 文件）
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The entry · 目录条目
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,
    /// The system that will use the data; default: the caller's · 使用系统
    #[arg(long, value_name = "NAME")]
    pub system: Option<String>,
    /// What the data are for · 应用场景
    #[arg(long)]
    pub scenario: Option<String>,
    /// The duty that needs them · 职责依据
    #[arg(long)]
    pub duty_basis: Option<String>,
    /// A data item; may be repeated · 信息项
    #[arg(long = "item", value_name = "ITEM")]
    pub items: Vec<String>,
    /// Why items are needed: `ITEM,ITEM=REASON` · 信息项理由
    #[arg(long = "item-reason", value_name = "ITEMS=REASON", value_parser = item_reason)]
    pub item_reasons: Vec<ItemReason>,
    /// Which rows, in words · 数据范围
    #[arg(long)]
    pub rows: Option<String>,
    /// How the data should come · 共享方式
    #[arg(long, value_parser = sharing_method)]
    pub method: Option<SharingMethod>,
    /// First day of use · 使用期限起
    #[arg(long, value_name = "YYYY-MM-DD", requires = "to")]
    pub from: Option<LocalDate>,
    /// Last day of use · 使用期限止
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    pub to: Option<LocalDate>,
    /// A commitment; may be repeated · 承诺
    #[arg(long = "commit", value_name = "COMMITMENT", value_parser = commitment)]
    pub commitments: Vec<Commitment>,
    /// Calls a day · 每日调用次数
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_per_day: Option<u32>,
    /// The own grant that this is to renew · 续期的授权
    #[arg(long, value_name = "NAME")]
    pub renews: Option<String>,
}

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswerWord {
    /// 同意
    Agreed,
    /// 部分同意
    AgreedInPart,
    /// 不同意
    Refused,
}

/// An answer, as it is given or consented to.
#[derive(Debug, Clone, Args)]
pub struct Answered {
    /// The answer · 答复
    #[arg(value_enum)]
    pub answer: AnswerWord,
    /// An item that is agreed to, for agreed-in-part · 同意的信息项
    #[arg(long = "item", value_name = "ITEM")]
    pub items: Vec<String>,
    /// Code of the ground, where the rules ask for one · 依据代码
    #[arg(long, default_value = "")]
    pub ground: String,
    /// Why not all of it · 理由
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `luqiao request`.
#[derive(Debug, Subcommand)]
pub enum Request {
    /// Ask for data · 提出申请
    Create {
        /// What and why.
        #[command(flatten)]
        asked: Box<Asked>,
        /// Head of the asker's sharing office, for whom the system speaks · 同意申请的负责人
        #[arg(long, value_name = "NAME", default_value = "")]
        consenting_person: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Show a request · 查看申请
    Show {
        /// Name of the request.
        name: String,
    },
    /// Explain every day of its deadlines; also of a grant, entry or report · 逐日说明期限
    Explain {
        /// Name of the request, grant, entry or report.
        name: String,
    },
    /// Earlier answers about the same entry, the nearest first · 查看以往答复
    Precedents {
        /// Name of the request.
        name: String,
        /// How many at most · 条数
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: i32,
    },
    /// List requests · 列出申请
    List {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Open ones only, those due first at the top · 按到期日列出未办结的
        #[arg(long)]
        due_soon: bool,
        /// Only requests in this state · 状态
        #[arg(long, value_parser = request_state)]
        state: Option<ShareRequestState>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Say what is missing (provider), or complete it (asker) · 一次性告知补正，或补正
    Complete {
        /// Name of the request.
        name: String,
        /// By the provider: something that is missing · 缺少的内容
        #[arg(long, value_name = "WHAT", conflicts_with = "Asked")]
        missing: Vec<String>,
        /// By the asker: what is completed.
        #[command(flatten)]
        asked: Box<Asked>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Give the head's consent to an answer · 负责人同意答复
    Consent {
        /// Name of the request.
        name: String,
        /// The answer that is consented to.
        #[command(flatten)]
        answer: Answered,
        /// The head for whom the system speaks · 负责人
        #[arg(long, value_name = "NAME", default_value = "")]
        person: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Ask the provider for its opinion (authority) · 征求提供单位意见
    AskOpinion {
        /// Name of the request.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Give the provider's opinion where it does not decide alone · 提出意见
    Opinion {
        /// Name of the request.
        name: String,
        /// Whether the data should be shared · 是否赞成
        #[arg(long, action = clap::ArgAction::Set)]
        in_favor: bool,
        /// The opinion · 意见
        #[arg(long)]
        text: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Answer a request · 答复
    Answer {
        /// Name of the request.
        name: String,
        /// The answer.
        #[command(flatten)]
        answer: Answered,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Extend the time to answer · 延期
    Extend {
        /// Name of the request.
        name: String,
        /// By how many working days · 延长工作日数
        #[arg(long, value_name = "N")]
        working_days: u32,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Withdraw a request · 撤回申请
    Withdraw {
        /// Name of the request.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// The rest of a case's life.
    #[command(flatten)]
    Life(case::Life),
}

/// `luqiao grant`.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// List grants · 列出授权
    List {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Only grants of this entry · 目录条目
        #[arg(long, value_name = "NAME", default_value = "")]
        entry: String,
        /// Only grants in this state · 状态
        #[arg(long, value_parser = grant_state)]
        state: Option<GrantState>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Show a grant · 查看授权
    Show {
        /// Name of the grant.
        name: String,
    },
    /// Suspend a grant until something is put right · 暂停授权
    Suspend {
        /// Name of the grant.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// Last day to put it right · 整改期限
        #[arg(long, value_name = "YYYY-MM-DD")]
        rectify_by: LocalDate,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// End a grant · 终止授权
    Terminate {
        /// Name of the grant.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// What comes after it.
    #[command(flatten)]
    Course(super::grant::Course),
}

fn item_reason(text: &str) -> Result<ItemReason, String> {
    match text.split_once('=') {
        Some((items, reason)) if !items.is_empty() && !reason.is_empty() => Ok(ItemReason {
            items: items.split(',').map(|item| item.trim().to_owned()).collect(),
            reason: reason.to_owned(),
        }),
        _ => Err("write ITEM,ITEM=REASON".to_owned()),
    }
}
