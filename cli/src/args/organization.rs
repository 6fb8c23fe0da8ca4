//! Arguments of `luqiao organization`, `luqiao person` and `luqiao system`.

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand};
use luqiao_proto::organization::v1::{DataKind, PartyClass, PersonRole, PlatformRole, RoleTerm};

use super::{Change, Page, VersionedChange, enum_parser};

enum_parser!(
    party_class,
    PartyClass,
    "PARTY_CLASS_",
    [
        "government_department",
        "law_authorized_organization",
        "other_state_organ",
        "public_service_organization",
        "society",
        "developer"
    ]
);
enum_parser!(data_kind, DataKind, "DATA_KIND_", ["government_data", "public_service_data"]);
enum_parser!(
    platform_role,
    PlatformRole,
    "PLATFORM_ROLE_",
    ["authority", "platform_manager", "government"]
);
enum_parser!(
    person_role,
    PersonRole,
    "PERSON_ROLE_",
    ["department_head", "sharing_office_head", "chief_data_officer", "operator"]
);

/// Reads `department_head,2026-01-01` or `department_head,2026-01-01,2026-12-31`.
fn role_term(text: &str) -> Result<RoleTerm, String> {
    let mut parts = text.split(',');
    let role = person_role(parts.next().unwrap_or_default())?;
    let day = |text: &str| {
        let day = text.parse::<LocalDate>().map_err(|_| format!("`{text}` is no day YYYY-MM-DD"));
        day.map(|day| day.to_string())
    };
    let from = day(parts.next().ok_or("write ROLE,FROM or ROLE,FROM,UNTIL")?)?;
    let until = parts.next().map(day).transpose()?.unwrap_or_default();
    if parts.next().is_some() {
        return Err("write ROLE,FROM or ROLE,FROM,UNTIL".to_owned());
    }
    Ok(RoleTerm { role: role.into(), from, until })
}

/// What is stated about an organization.
#[derive(Debug, Clone, Args)]
pub struct Facts {
    /// Its name · 名称
    #[arg(long)]
    pub name: Option<String>,
    /// Its English name · 英文名称
    #[arg(long)]
    pub name_en: Option<String>,
    /// Unified social credit code · 统一社会信用代码
    #[arg(long)]
    pub credit_code: Option<String>,
    /// What kind of body it is · 单位类别
    #[arg(long, value_parser = party_class)]
    pub class: Option<PartyClass>,
    /// Catalogs that it compiles for · 数据类别
    #[arg(long = "capacity", value_parser = data_kind)]
    pub capacities: Vec<DataKind>,
    /// Its part for the platform · 平台职责
    #[arg(long, value_parser = platform_role)]
    pub role: Option<PlatformRole>,
    /// GB/T 2260 code · 行政区划代码
    #[arg(long)]
    pub region: Option<String>,
}

/// `luqiao organization`.
#[derive(Debug, Subcommand)]
pub enum Organization {
    /// Put an organization on file · 登记单位
    Create {
        /// What is stated about it.
        #[command(flatten)]
        facts: Facts,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Change what is stated; completing it verifies an imported one · 补全或修改
    Update {
        /// Name of the organization.
        organization: String,
        /// What is stated about it.
        #[command(flatten)]
        facts: Facts,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show an organization · 查看单位
    Get {
        /// Name of the organization.
        name: String,
    },
    /// List organizations · 列出单位
    List {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// How it met what it owed in a month · 按期答复情况
    Punctuality {
        /// Name of the organization.
        name: String,
        /// The month in which the answers were due · 月份
        #[arg(long, value_name = "YYYY-MM")]
        month: String,
    },
}

/// `luqiao person`.
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Put a person on file · 登记人员
    Create {
        /// The organization.
        organization: String,
        /// The person's name · 姓名
        #[arg(long)]
        name: String,
        /// What the person is there · 职责
        #[arg(long = "role", value_parser = person_role, required = true)]
        roles: Vec<PersonRole>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// File other roles, or that the person has left · 人员备案变更
    Update {
        /// Name of the person's resource.
        name: String,
        /// The person's name · 姓名
        #[arg(long = "name", value_name = "NAME", default_value = "")]
        display_name: String,
        /// A role with first and last day; all of them, past ones too · 职责及起止日期
        #[arg(long = "term", value_name = "ROLE,FROM[,UNTIL]", value_parser = role_term)]
        terms: Vec<RoleTerm>,
        /// The last day: open roles end on it · 离任日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        left: Option<LocalDate>,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show a person · 查看人员
    Get {
        /// Name of the person's resource.
        name: String,
    },
    /// List the persons of an organization · 列出人员
    List {
        /// The organization.
        organization: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}

/// `luqiao system`.
#[derive(Debug, Subcommand)]
pub enum System {
    /// Put a business system on file · 登记业务系统
    Create {
        /// The organization.
        organization: String,
        /// The system's name · 名称
        #[arg(long)]
        name: String,
        /// What it is for · 说明
        #[arg(long, default_value = "")]
        description: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Delete a system that holds nothing any more · 删除业务系统
    Delete {
        /// Name of the system's resource.
        name: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Show a system · 查看业务系统
    Get {
        /// Name of the system's resource.
        name: String,
    },
    /// List the systems of an organization · 列出业务系统
    List {
        /// The organization.
        organization: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}
