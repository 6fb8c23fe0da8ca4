//! Arguments on how data came to a department: `luqiao emergency`, `purchase`, `contract`, `project`
//! and `platform`, and what `luqiao catalog` says of an entry.

use std::path::PathBuf;

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand};
use luqiao_proto::relations::v1::{AcquisitionKind, ContractState, EmergencyState, PurchaseState};

use super::{
    Change, VersionedChange,
    citation::{Citation, Listed, Proven, Reasoned, Step},
    enum_parser,
    letter::Letter,
};

enum_parser!(
    acquisition_kind,
    AcquisitionKind,
    "ACQUISITION_KIND_",
    ["duty", "entrusted", "purchased", "emergency"]
);
enum_parser!(
    emergency_state,
    EmergencyState,
    "EMERGENCY_STATE_",
    ["active", "ended", "assessed", "treated", "apps_closed"]
);
enum_parser!(
    purchase_state,
    PurchaseState,
    "PURCHASE_STATE_",
    ["requested", "merged", "approved", "bought", "refused"]
);
enum_parser!(
    contract_state,
    ContractState,
    "CONTRACT_STATE_",
    ["active", "ended", "returned", "deleted"]
);

/// What `luqiao catalog` says of how the data of an entry are had.
#[derive(Debug, Subcommand)]
pub enum OfEntry {
    /// Check whether somebody shares what is to be collected · 重复收集核查
    CheckCollection {
        /// The entry.
        name: String,
        /// An item that is collected; may be repeated · 拟收集的信息项
        #[arg(long = "item", value_name = "ITEM", required = true)]
        items: Vec<String>,
        /// The law that allows it all the same.
        #[command(flatten)]
        exception: Box<Citation>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Show the last check · 查看核查结果
    Collection {
        /// The entry.
        name: String,
    },
    /// State how the data were acquired · 填报数据取得方式
    Acquired {
        /// The entry.
        name: String,
        /// How · 取得方式
        #[arg(long, value_parser = acquisition_kind)]
        by: AcquisitionKind,
        /// The contract, purchase or emergency · 对应的合同、采购或应急登记
        #[arg(long, value_name = "NAME", default_value = "")]
        through: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Show how the data were acquired · 查看数据取得方式
    Acquisition {
        /// The entry.
        name: String,
    },
}

/// For whom something is filed.
#[derive(Debug, Clone, Args)]
pub struct For {
    /// The organization; default: the caller's · 单位
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,
}

/// `luqiao emergency`.
#[derive(Debug, Subcommand)]
pub enum Emergency {
    /// Register data taken in an emergency · 应急数据登记
    Open {
        /// Whose.
        #[command(flatten)]
        of: For,
        /// The event, as it was declared · 突发事件
        #[arg(long)]
        event: String,
        /// On what the taking rests.
        #[command(flatten)]
        basis: Box<Citation>,
        /// Purpose · 目的
        #[arg(long)]
        purpose: String,
        /// Scope · 范围
        #[arg(long)]
        scope: String,
        /// Manner · 方式
        #[arg(long)]
        manner: String,
        /// An entry that holds the data · 目录条目
        #[arg(long = "entry", value_name = "NAME")]
        entries: Vec<String>,
        /// A system that uses them · 使用系统
        #[arg(long = "application", value_name = "NAME")]
        applications: Vec<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Record a use · 使用登记
    Use {
        /// Name of the emergency.
        name: String,
        /// The system that used the data · 使用系统
        #[arg(long, value_name = "NAME")]
        system: String,
        /// For which event · 突发事件
        #[arg(long)]
        event: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// The emergency is over · 应急结束
    End(Step),
    /// The data were classified and assessed · 分类评估
    Assess(Proven),
    /// What is private or secret was treated · 安全处理
    Treat(Proven),
    /// The applications were shut down · 关停应用
    Close(Proven),
    /// Show it · 查看应急数据
    Show {
        /// Name of the emergency.
        name: String,
    },
    /// List them · 列出应急数据
    List {
        /// Only those in this state · 状态
        #[arg(long, value_parser = emergency_state)]
        state: Option<EmergencyState>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
}

/// `luqiao purchase`.
#[derive(Debug, Subcommand)]
pub enum Purchase {
    /// Ask for data that must be bought · 非公共数据采购申请
    Request {
        /// Whose.
        #[command(flatten)]
        of: For,
        /// What for · 需求
        #[arg(long)]
        need: String,
        /// An item; may be repeated · 数据项
        #[arg(long = "item", value_name = "ITEM", required = true)]
        items: Vec<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Another purchase serves it (authority) · 合并采购
    Merge {
        /// Name of the purchase.
        name: String,
        /// The one that serves it · 并入
        #[arg(long, value_name = "NAME")]
        into: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// It will be bought (authority) · 批准采购
    Approve(Step),
    /// It will not be bought (authority) · 不予采购
    Refuse(Reasoned),
    /// It was bought; the file is the contract · 已采购（合同文件）
    Buy(Proven),
    /// Show a purchase · 查看采购
    Show {
        /// Name of the purchase.
        name: String,
    },
    /// List purchases · 列出采购
    List {
        /// Only those in this state · 状态
        #[arg(long, value_parser = purchase_state)]
        state: Option<PurchaseState>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
}

/// `luqiao contract`.
#[derive(Debug, Subcommand)]
pub enum Contract {
    /// Entrust a collection · 委托收集
    Open {
        /// Whose.
        #[command(flatten)]
        of: For,
        /// The contractor · 受托方
        #[arg(long)]
        contractor: String,
        /// What is entrusted · 委托事项
        #[arg(long)]
        matter: String,
        /// Purpose of the processing · 处理目的
        #[arg(long)]
        purpose: String,
        /// Its scope · 处理范围
        #[arg(long)]
        scope: String,
        /// Its manner · 处理方式
        #[arg(long)]
        manner: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Consent to a sub-contractor · 同意转委托
    Consent {
        /// Name of the contract.
        name: String,
        /// Whom · 转受托方
        #[arg(long)]
        to: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Record a processing · 处理记录
    Process {
        /// Name of the contract.
        name: String,
        /// Who processed · 处理方
        #[arg(long)]
        by: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// The contract is over · 终止委托
    End(Reasoned),
    /// The data are not with the contractor any more · 返还或删除
    Close {
        /// Name of the contract.
        name: String,
        /// What proves it; its SHA-256 is sent · 证明文件（只提交其摘要）
        proof: PathBuf,
        /// They were returned; without: deleted · 已返还
        #[arg(long)]
        returned: bool,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show a contract · 查看委托收集
    Show {
        /// Name of the contract.
        name: String,
    },
    /// List contracts · 列出委托收集
    List {
        /// Only those in this state · 状态
        #[arg(long, value_parser = contract_state)]
        state: Option<ContractState>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
}

/// `luqiao project`.
#[derive(Debug, Subcommand)]
pub enum Project {
    /// Name its data assets at feasibility · 信息化项目数据资产
    Open {
        /// Whose.
        #[command(flatten)]
        of: For,
        /// Its name · 名称
        #[arg(long)]
        title: String,
        /// An asset; may be repeated · 数据资产
        #[arg(long = "asset", value_name = "ASSET", required = true)]
        assets: Vec<String>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Name the entry that lists an asset · 登记资产目录
    Enter {
        /// Name of the project.
        name: String,
        /// Place of the asset, from 0 · 资产序号
        #[arg(long, value_name = "N")]
        asset: u32,
        /// The entry · 目录条目
        #[arg(long, value_name = "NAME")]
        entry: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Pass it for final acceptance (authority) · 验收
    Accept(Step),
    /// Show a project · 查看项目
    Show {
        /// Name of the project.
        name: String,
    },
    /// List projects · 列出项目
    List(Listed),
}

/// `luqiao platform`.
#[derive(Debug, Subcommand)]
pub enum Platform {
    /// Put a platform beside the city's on record · 既有平台登记
    Record {
        /// Whose.
        #[command(flatten)]
        of: For,
        /// Its name · 名称
        #[arg(long)]
        title: String,
        /// It serves more than its own department · 跨部门平台
        #[arg(long)]
        cross_department: bool,
        /// The decision by which it was built.
        #[command(flatten)]
        approval: Box<Letter>,
        /// The day by which it joins the city's · 迁移期限
        #[arg(long, value_name = "YYYY-MM-DD")]
        migrate_by: Option<LocalDate>,
        /// The law that provides otherwise.
        #[command(flatten)]
        exception: Box<Citation>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the platforms on record · 列出既有平台
    List(Listed),
}
