//! Arguments on the life of a case: `luqiao request propose-extension` and what follows,
//! `luqiao dispute`, `luqiao demand`, `luqiao separation`.

use std::path::PathBuf;

use clap::{ArgAction, Subcommand, ValueEnum};
use luqiao_proto::sharing::v1::{DemandState, DisputeState};

use super::{
    Change, Page, VersionedChange, enum_parser,
    letter::Letter,
    paper::Paper,
    sharing::{Answered, Asked},
};

enum_parser!(
    dispute_state,
    DisputeState,
    "DISPUTE_STATE_",
    ["raised", "consulting", "coordinating", "before_government", "agreed", "decided"]
);
enum_parser!(
    demand_state,
    DemandState,
    "DEMAND_STATE_",
    ["filed", "pre_reviewed", "routed", "confirmed", "disputed", "supplied", "closed"]
);

/// More verbs of `luqiao request`.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is taken apart at once")]
pub enum Life {
    /// Ask the authority for more time to answer · 申请延期
    ProposeExtension {
        /// Name of the request.
        name: String,
        /// By how many working days · 延长工作日数
        #[arg(long, value_name = "N")]
        working_days: u32,
        /// The special reason · 特殊原因
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Consent to a proposed extension, or not (authority) · 同意或不同意延期
    AnswerExtension {
        /// Name of the request.
        name: String,
        /// Whether the authority consents · 是否同意
        #[arg(long, action = ArgAction::Set)]
        consents: bool,
        /// Why not · 理由
        #[arg(long, default_value = "")]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Say why the answer is late (debtor) · 说明理由
    ClaimReason {
        /// Name of the request.
        name: String,
        /// The reason · 理由
        #[arg(long)]
        text: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Accept or reject a late debtor's reason (where the case was escalated to) · 认定理由
    RuleOnReason {
        /// Name of the request.
        name: String,
        /// The debtor · 逾期单位
        #[arg(long, value_name = "NAME")]
        debtor: String,
        /// Whether it is a proper reason · 理由是否正当
        #[arg(long, action = ArgAction::Set)]
        accepted: bool,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Enter what came by a window or on paper (platform manager) · 窗口代录
    #[command(subcommand)]
    FileFor(FileFor),
    /// Ask for several entries under one number · 就多个目录一并申请
    CreateMixed {
        /// A part as a ShareRequest in JSON; one for each entry · 各部分（JSON 文件）
        #[arg(value_name = "FILE", required = true)]
        parts: Vec<PathBuf>,
        /// Head of the asker's sharing office, for whom the system speaks · 同意申请的负责人
        #[arg(long, value_name = "NAME", default_value = "")]
        consenting_person: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// What happened in a case beside its answer · 案件卷宗
    Case {
        /// Name of the request.
        name: String,
    },
}

/// `luqiao request file-for`.
#[derive(Debug, Subcommand)]
pub enum FileFor {
    /// A request · 代录申请
    Request {
        /// The asker · 申请单位
        #[arg(long, value_name = "NAME")]
        organization: String,
        /// What and why.
        #[command(flatten)]
        asked: Box<Asked>,
        /// The head of its sharing office who signed · 签字的负责人
        #[arg(long, value_name = "NAME", default_value = "")]
        head: String,
        /// The window · 受理窗口
        #[arg(long)]
        window: String,
        /// The paper.
        #[command(flatten)]
        paper: Paper,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// The answer of whoever decides · 代录答复
    Answer {
        /// Name of the request.
        name: String,
        /// The answer.
        #[command(flatten)]
        answer: Answered,
        /// The head of the decider's sharing office who signed · 签字的负责人
        #[arg(long, value_name = "NAME", default_value = "")]
        head: String,
        /// The window · 受理窗口
        #[arg(long)]
        window: String,
        /// The paper.
        #[command(flatten)]
        paper: Paper,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// The provider's opinion · 代录意见
    Opinion {
        /// Name of the request.
        name: String,
        /// Whether the data should be shared · 是否赞成
        #[arg(long, action = ArgAction::Set)]
        in_favor: bool,
        /// The opinion · 意见
        #[arg(long)]
        text: String,
        /// The window · 受理窗口
        #[arg(long)]
        window: String,
        /// The paper.
        #[command(flatten)]
        paper: Paper,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
}

/// `luqiao dispute`.
#[derive(Debug, Subcommand)]
pub enum Dispute {
    /// Dispute what became of a request (asker or provider) · 提出争议
    Raise {
        /// Name of the request.
        request: String,
        /// What is disputed · 争议内容
        #[arg(long)]
        text: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// State a side's position · 陈述意见
    Position {
        /// Name of the dispute.
        name: String,
        /// The position · 意见
        #[arg(long)]
        text: String,
        /// The letter, where the platform enters the position of a side elsewhere.
        #[command(flatten)]
        letter: Letter,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Record how the consultation ended (a side) · 记录协商结果
    EndConsultation {
        /// Name of the dispute.
        name: String,
        /// Whether the two agreed · 是否达成一致
        #[arg(long, action = ArgAction::Set)]
        agreed: bool,
        /// The minutes · 纪要
        #[arg(long)]
        minutes: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Record the result of the coordination (authority) · 记录协调结果
    Coordinate {
        /// Name of the dispute.
        name: String,
        /// Whether the two agreed · 是否达成一致
        #[arg(long, action = ArgAction::Set)]
        agreed: bool,
        /// The minutes · 纪要
        #[arg(long)]
        minutes: String,
        /// The paper of the common superior authority.
        #[command(flatten)]
        letter: Letter,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Record what the government decided (platform) · 记录政府决定
    Decide {
        /// Name of the dispute.
        name: String,
        /// What the decision says · 决定内容
        #[arg(long)]
        result: String,
        /// The decision.
        #[command(flatten)]
        paper: Paper,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show a dispute · 查看争议
    Show {
        /// Name of the dispute.
        name: String,
    },
    /// List disputes · 列出争议
    List {
        /// Only disputes in this state · 状态
        #[arg(long, value_parser = dispute_state)]
        state: Option<DisputeState>,
        /// Only disputes about this request · 所涉申请
        #[arg(long, value_name = "NAME", default_value = "")]
        request: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}

/// `luqiao demand`.
#[derive(Debug, Subcommand)]
pub enum Demand {
    /// Ask for data that the catalog lacks · 提出需求
    File {
        /// What people call them · 名称
        #[arg(long)]
        title: String,
        /// What is needed and for which duty · 需求内容与职责依据
        #[arg(long)]
        text: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Record that the catalog lacks them (platform) · 预审
    PreReview {
        /// Name of the demand.
        name: String,
        /// What was found · 预审意见
        #[arg(long)]
        note: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Send it to the organization whose duty it may be (platform) · 转办
    Route {
        /// Name of the demand.
        name: String,
        /// The organization · 承办单位
        #[arg(long, value_name = "NAME")]
        provider: String,
        /// Why it is its duty · 转办理由
        #[arg(long)]
        note: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Confirm or dispute that it is one's duty (provider) · 确认或提出异议
    Answer {
        /// Name of the demand.
        name: String,
        /// Whether it is · 是否确认
        #[arg(long, action = ArgAction::Set)]
        confirmed: bool,
        /// In words · 说明
        #[arg(long)]
        note: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Name the entry that meets it (platform or provider) · 满足需求
    Supply {
        /// Name of the demand.
        name: String,
        /// The entry; it has to be listed · 目录条目
        #[arg(long, value_name = "NAME")]
        entry: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// End it otherwise (platform, or whoever filed it) · 办结
    Close {
        /// Name of the demand.
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show a demand · 查看需求
    Show {
        /// Name of the demand.
        name: String,
    },
    /// List demands · 列出需求
    List {
        /// Only demands in this state · 状态
        #[arg(long, value_parser = demand_state)]
        state: Option<DemandState>,
        /// Only demands in which this organization has the next move · 当前承办单位
        #[arg(long, value_name = "NAME", default_value = "")]
        owner: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Turn {
    /// 启用
    On,
    /// 停用
    Off,
}

/// `luqiao separation`.
#[derive(Debug, Subcommand)]
pub enum Separation {
    /// Whether who submits may not approve · 查看
    Show,
    /// Turn it on or off for the domain (authority) · 启用或停用
    Switch {
        /// On or off.
        #[arg(value_enum)]
        to: Turn,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
}
