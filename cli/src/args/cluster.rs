//! Arguments of `luqiao cluster`.

use std::time::Duration;

use catalog_model::site::SiteId;
use clap::{Args, Subcommand, value_parser};

use super::{Change, Page, duration};

/// What goes with a change of the members.
#[derive(Debug, Clone, Args)]
pub struct MemberChange {
    /// Check and show what it does to the quorum; change nothing · 仅检查并显示影响
    #[arg(long)]
    pub dry_run: bool,
    /// What goes with every change.
    #[command(flatten)]
    pub change: Change,
}

/// `luqiao cluster`.
#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// The members and how each does · 列出成员
    List {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
    },
    /// Let a new node in, without a vote · 加入新节点（无投票权）
    Add {
        /// Id of the node, never used before · 节点编号
        #[arg(value_name = "NODE", value_parser = node)]
        node: u64,
        /// Where it is reached · 地址
        #[arg(long, value_name = "HOST:PORT", value_parser = address)]
        address: String,
        /// Its site, where members have sites · 站点
        #[arg(long, value_name = "SITE")]
        site: Option<SiteId>,
        /// What goes with the change.
        #[command(flatten)]
        change: MemberChange,
    },
    /// Give a node that has caught up its vote · 授予投票权
    Promote {
        /// Id of the node · 节点编号
        #[arg(value_name = "NODE", value_parser = node)]
        node: u64,
        /// What goes with the change.
        #[command(flatten)]
        change: MemberChange,
    },
    /// Let a node go; its id is never used again · 移除节点
    Remove {
        /// Id of the node · 节点编号
        #[arg(value_name = "NODE", value_parser = node)]
        node: u64,
        /// What goes with the change.
        #[command(flatten)]
        change: MemberChange,
    },
    /// Put a new node in the place of another: add, wait, replace; run it again if it broke · 替换节点
    Replace {
        /// The node that goes · 被替换的节点
        #[arg(value_name = "NODE", value_parser = node)]
        node: u64,
        /// The node that comes · 新节点
        #[arg(long, value_name = "NODE", value_parser = node)]
        by: u64,
        /// Where the new one is reached · 新节点地址
        #[arg(long, value_name = "HOST:PORT", value_parser = address)]
        address: String,
        /// How long to wait for it to catch up · 等待其追上的时限
        #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30m")]
        wait: Duration,
        /// Check and show what it does to the quorum; change nothing · 仅检查并显示影响
        #[arg(long)]
        dry_run: bool,
    },
    /// Have another node lead · 移交主节点
    TransferLeader {
        /// The node that shall lead; default: the one that is most caught up · 新主节点
        #[arg(value_name = "NODE", value_parser = node)]
        node: Option<u64>,
        /// Check and show what would happen; change nothing · 仅检查并显示影响
        #[arg(long)]
        dry_run: bool,
    },
    /// Every change of the members so far, the newest first · 成员变更记录
    History {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Let the cluster use commands that newer programs know · 提升命令级别
    RaiseLevel {
        /// The level; default: the highest that every member can apply · 级别
        #[arg(value_name = "LEVEL", value_parser = value_parser!(u32).range(1..))]
        level: Option<u32>,
        /// What goes with the change.
        #[command(flatten)]
        change: MemberChange,
    },
}

fn node(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(id) if id > 0 => Ok(id),
        _ => Err("a node's id is a number from 1 on".to_owned()),
    }
}

fn address(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(port) if port > 0 && !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("write HOST:PORT".to_owned()),
    }
}
