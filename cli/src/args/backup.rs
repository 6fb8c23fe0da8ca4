//! Arguments of `luqiao backup` and `luqiao restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `luqiao backup`. All of it goes by the configuration of a node: where the archive lies, and its key.
#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Take a base now, through a node that runs · 立即备份
    Run {
        /// Configuration of the node that is to take it · 节点配置文件
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// What is in the archive · 列出备份
    List {
        /// Configuration of a node · 节点配置文件
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Restore each base for a trial, and compare with what another node held · 校验备份
    Verify {
        /// Configuration of a node · 节点配置文件
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// How many of the newest bases · 校验最近几份
        #[arg(long, value_name = "N", default_value_t = 1)]
        bases: usize,
        /// Folder for the trial; needs room for the whole state · 临时目录
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
    /// Remove what the plan does not keep · 清理过期备份
    Prune {
        /// Configuration of a node · 节点配置文件
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Another plan, for instance days=35,daily=35,weekly=8,monthly=12 · 保留方案
        #[arg(long, value_name = "PLAN")]
        keep: Option<String>,
        /// Show what would go · 仅显示
        #[arg(long)]
        dry_run: bool,
    },
}

/// `luqiao restore`.
#[derive(Debug, Clone, Args)]
pub struct Restore {
    /// Configuration of the node that is to start on it · 将启动的节点的配置文件
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// To which moment: latest, a log entry, or a time like 2026-11-22T09:00:00+08:00 · 恢复到的时刻
    #[arg(long, value_name = "latest|INDEX|TIME")]
    pub to: String,
    /// Data folder to be made; default: the configuration's · 目标数据目录
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
    /// Do not compare with what another node held · 不与其他节点的摘要比对
    #[arg(long)]
    pub without_comparison: bool,
}
