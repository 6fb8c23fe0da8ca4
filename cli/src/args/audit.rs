//! Arguments about the ledger: what happened, is it still the same history, how is it kept?

use std::path::PathBuf;

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand};

use super::{Change, Page};

/// `luqiao audit`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// What is on record, in sentences · 查询账本
    Query {
        /// Which records.
        #[command(flatten)]
        filter: Filter,
        /// Only what this organization caused or is named in · 仅涉及该单位
        #[arg(long, value_name = "NAME")]
        organization: Option<String>,
        /// From this day on · 起始日
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<LocalDate>,
        /// Until this day, with it · 截止日（含）
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<LocalDate>,
        /// The page.
        #[command(flatten)]
        page: Page,
    },
    /// The same as it happens · 跟踪账本
    Tail {
        /// Which records.
        #[command(flatten)]
        filter: Filter,
        /// First record; default: what comes from now on · 起始记录号
        #[arg(long, value_name = "N")]
        from: Option<u64>,
        /// End after so many records · 输出条数后结束
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// Check every record, hash and text of the ledger · 核验账本
    Verify {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Hold the ledger against the head that DOMAIN keeps · 对照该域持有的树头核验
        #[arg(long, value_name = "DOMAIN")]
        against: Option<String>,
        /// The trust anchor of the ledger's domain, for --against · 本域信任锚
        #[arg(long, value_name = "FILE", requires = "against")]
        trust: Option<PathBuf>,
        /// The trust anchor of DOMAIN, for --against · 对方域信任锚
        #[arg(long, value_name = "FILE", requires = "against")]
        theirs: Option<PathBuf>,
        /// A cosigned head that was kept, instead of asking DOMAIN · 已留存的会签树头
        #[arg(long, value_name = "FILE", requires = "against")]
        held: Option<PathBuf>,
    },
    /// Heads of other domains that are held, forks, cosignatures on ours · 树头与会签
    Heads {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Write each cosignature on our heads into this folder · 会签另存目录
        #[arg(long, value_name = "FOLDER")]
        save: Option<PathBuf>,
    },
    /// Seal a segment of the ledger, to be archived · 封存账本分段
    Seal {
        /// The record after the last; default: all that there are · 截至记录号（不含）
        #[arg(long, value_name = "N")]
        through: Option<u64>,
        /// What goes with every change.
        #[command(flatten)]
        change: Change,
    },
    /// The sealed segments · 已封存分段
    Segments {
        /// The page.
        #[command(flatten)]
        page: Page,
    },
    /// Write the sealed segments as files · 导出归档
    Export {
        /// Where to; what is there already is left as it is · 目录
        folder: PathBuf,
        /// Check the archive afterwards against this trust anchor · 导出后核验
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// Check archived segments without any server, in their order · 离线核验归档
    Check {
        /// The files, from the first segment on.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The trust anchor of the domain · 信任锚
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// Erase text and persons beside one record, by law · 依法删除文本
    Erase {
        /// Number of the record · 记录号
        record: u64,
        /// On which ground · 依据
        #[arg(long, value_name = "TEXT")]
        ground: String,
        /// What goes with every change.
        #[command(flatten)]
        change: Change,
    },
    /// Delete texts after the end of retention · 保存期满清理
    Purge {
        /// The record after the last · 截至记录号（不含）
        #[arg(long, value_name = "N")]
        through: u64,
        /// What goes with every change.
        #[command(flatten)]
        change: Change,
    },
}

/// Which records are wanted.
#[derive(Debug, Clone, Args)]
pub struct Filter {
    /// Domain; default: the caller's · 域
    #[arg(long)]
    pub domain: Option<String>,
    /// Only records about this resource · 仅关于该对象
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// Only facts of this kind, for instance `request_answered`; may be repeated · 记录类型
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
}

/// `luqiao case`.
#[derive(Debug, Subcommand)]
pub enum Case {
    /// A whole case as one page that opens offline: minutes, law, days, proofs · 案卷包
    Bag {
        /// Name of the request.
        name: String,
        /// The page · 输出文件
        #[arg(short = 'O', long, value_name = "FILE")]
        file: PathBuf,
        /// Check its proofs afterwards against this trust anchor · 生成后核验
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
    /// Check the proofs in a page without any server · 离线核验案卷包
    Check {
        /// The page.
        file: PathBuf,
        /// The trust anchor of the domain · 信任锚
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
    },
}
