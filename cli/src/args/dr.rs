//! Arguments about two sites: approvals, and how the domain's own sites stand.

use std::path::PathBuf;

use catalog_model::{
    site::{Pair, SiteId},
    witness::{Act, Release},
};
use clap::{Args, Subcommand};
use prost_types::Timestamp;

use super::{Change, document::Document, law::instant};

/// `luqiao dr`.
#[derive(Debug, Subcommand)]
pub enum Dr {
    /// How the sites stand, what the witness said, what failovers left · 站点与灾备状态
    Status {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
    },
    /// Sign an approval, or a prepared token, into a file · 签署批准
    Approve(Approve),
    /// Check approvals without a server · 离线核验批准
    Check {
        /// Files that `approve` wrote · 批准文件
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// The authorities of the domain, PEM · 本域证书机构
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
    },
    /// File the disaster recovery policy · 备案灾备策略
    Policy {
        /// 文号
        #[arg(long, value_name = "NUMBER")]
        document_number: String,
        /// The document.
        #[command(flatten)]
        document: Document,
        /// Full name of a person who may approve; at least two · 批准人
        #[arg(long = "approver", value_name = "NAME", required = true)]
        approvers: Vec<String>,
        /// The domain that keeps the witness cell · 见证方
        #[arg(long, value_name = "DOMAIN")]
        witness: Option<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Say at which site each member is · 登记成员站点
    Sites {
        /// Node and site, for instance 1=main; every member once · 节点=站点
        #[arg(value_name = "NODE=SITE", required = true, value_parser = node_site)]
        nodes: Vec<(u64, SiteId)>,
        /// Where the leader belongs · 主用站点
        #[arg(long, value_name = "SITE")]
        active: SiteId,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Let acts on important and core data be taken while one site alone works · 放行重要数据事项
    ReleaseAct {
        /// Approvals of `release-acts`, by two persons · 批准文件
        #[arg(long = "approval", value_name = "FILE", required = true)]
        approvals: Vec<PathBuf>,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Neighbours were asked: overdue orders leave again · 恢复发出逾期命令
    CloseWindow {
        /// The generation that the fork began · 代次
        #[arg(value_name = "GENERATION")]
        generation: u64,
        /// What the neighbours said · 核实情况
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
}

/// `luqiao dr approve`.
#[derive(Debug, Args)]
pub struct Approve {
    /// What: failover, switchover, release, release-acts or confirm-witness · 事项
    #[arg(value_name = "ACT")]
    pub act: Act,
    /// The active site · 当前主用站点
    #[arg(long, value_name = "SITE")]
    pub from: SiteId,
    /// The target; default: the active site, for acts that do not move it · 目标站点
    #[arg(long, value_name = "SITE")]
    pub to: Option<SiteId>,
    /// The opening that it ends or changes, as `dr status` shows it; with any other it is dead · 代次.纪元
    #[arg(long, value_name = "GENERATION.EPOCH")]
    pub pair: Pair,
    /// When it is dead at the latest · 失效时间
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub expires: Timestamp,
    /// Whether the active site was released without the witness: yes, no, not-known · 是否曾放行
    #[arg(long, default_value = "not-known")]
    pub release: Release,
    /// Certificate of the person; default: the context's · 证书
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its key · 私钥
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Where to write it; never over a file that is there · 输出文件
    #[arg(short = 'O', long = "output-file", value_name = "FILE")]
    pub file: PathBuf,
}

fn node_site(text: &str) -> Result<(u64, SiteId), String> {
    let (node, site) = text.split_once('=').ok_or("write NODE=SITE, for instance 1=main")?;
    let node = node.parse().map_err(|_| format!("`{node}` is no node"))?;
    let site = site.parse().map_err(|error| format!("{error}"))?;
    Ok((node, site))
}
