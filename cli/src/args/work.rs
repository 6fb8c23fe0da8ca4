//! Arguments of `luqiao today`, `luqiao statistics` and `luqiao explain`.

use std::path::PathBuf;

use catalog_model::time::LocalDate;
use clap::Args;

use super::Page;

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
