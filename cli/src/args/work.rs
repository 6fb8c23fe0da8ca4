//! Arguments of `luqiao today`, `luqiao statistics`, `luqiao explain`, `luqiao notice` and
//! `luqiao webhook`.

use std::path::PathBuf;

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand};
use luqiao_proto::work::v1::NoticeKind;

use super::{Change, Page, VersionedChange, enum_parser};

/// `luqiao today`.
#[derive(Debug, Clone, Args)]
pub struct Today {
    /// Whose work; default: the caller's organization · 单位
    #[arg(long, value_name = "NAME", default_value = "")]
    pub organization: String,
    /// Only what this person acts on · 人员
    #[arg(long, value_name = "NAME", default_value = "")]
    pub person: String,
    /// Only what is due by this day, and what has no day · 截止日
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub until: Option<LocalDate>,
    /// Write everything with a day as a calendar (RFC 5545) · 导出日历文件
    #[arg(long, value_name = "FILE", conflicts_with_all = ["print", "until"])]
    pub ics: Option<PathBuf>,
    /// As a page to be printed · 以可打印的形式输出
    #[arg(long)]
    pub print: bool,
    /// Which part of the list.
    #[command(flatten)]
    pub page: Page,
}

/// `luqiao statistics`.
#[derive(Debug, Clone, Args)]
pub struct Statistics {
    /// Whose; default: the caller's organization · 单位
    #[arg(long, value_name = "NAME", default_value = "", conflicts_with = "all")]
    pub organization: String,
    /// Every organization, for the platform's organizations · 全部单位
    #[arg(long)]
    pub all: bool,
    /// First day · 起始日
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: LocalDate,
    /// Last day · 截止日
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: LocalDate,
}

/// `luqiao explain`.
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// The request id of the call; default: that of the last refused call · 请求标识
    #[arg(value_name = "REQUEST_ID")]
    pub request_id: Option<String>,
}

enum_parser!(
    notice_kind,
    NoticeKind,
    "NOTICE_KIND_",
    [
        "case_received",
        "completion_asked",
        "case_completed",
        "opinion_asked",
        "opinion_given",
        "due_soon",
        "overdue",
        "answered",
        "case_ended",
        "due_moved",
        "extension_proposed",
        "lateness",
        "case_moved",
        "granted",
        "delivery",
        "suspended",
        "rectification",
        "terminated",
        "disposal",
        "agreement",
        "service_change",
        "catalog",
        "catalog_duty",
        "objection",
        "transfer",
        "emergency",
        "dispute",
        "demand",
        "error_report",
        "personal_objection"
    ]
);

/// `luqiao notice`.
#[derive(Debug, Subcommand)]
pub enum Notice {
    /// What the organization must hear of, from where it has acked · 列出通知
    List {
        /// Begin here instead; 0 = from the beginning · 起始位置
        #[arg(long, value_name = "PLACE")]
        from: Option<u64>,
        /// Only these; may be repeated · 通知类型
        #[arg(long = "kind", value_name = "KIND", value_parser = notice_kind)]
        kinds: Vec<NoticeKind>,
        /// How many at most · 条数
        #[arg(long, value_name = "N", default_value_t = 50)]
        page_size: i32,
    },
    /// Everything before a place was dealt with · 确认已处理
    Ack {
        /// The place, as the list told it · 位置
        through: u64,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
}

/// `luqiao webhook`.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Be told at an address · 登记回调地址
    Register {
        /// https://… or http://…
        url: String,
        /// Only of these; may be repeated · 通知类型
        #[arg(long = "kind", value_name = "KIND", value_parser = notice_kind)]
        kinds: Vec<NoticeKind>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// The organization's addresses, and how far each was told · 列出回调地址
    List,
    /// What came of the last deliveries · 查看投递情况
    Deliveries {
        /// Name of the webhook.
        name: String,
    },
    /// Be told there no more · 注销回调地址
    Remove {
        /// Name of the webhook.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
}
