//! A catalog entry: one listing of a resource, with what the national metadata guide asks for.
//!
//! Field names follow the guide (`docs/glossary.md`); what is absent stays absent and is shown
//! in the entry's gaps, never guessed (CAT-29).

mod diff;
mod particulars;

use minicbor::{Decode, Encode};

use crate::{
    ids::{DomainId, EntryId, OrganizationId, SystemId},
    organization::DataKind,
    sharing::{LegalCitation, SharingAttribute, SharingKind},
    time::{LocalDate, UtcMillis},
};

pub use self::{
    diff::{FieldChange, diff},
    particulars::{EntryParticulars, Library, SecrecyMark, SelfCheck, SelfCheckKind},
};

/// The life cycle of an entry (requirements §15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum EntryState {
    /// Taken over from an open portal; nobody of the provider has looked at it yet (CAT-29).
    #[n(0)]
    ImportedDraft,
    /// Being compiled by the provider.
    #[n(1)]
    Draft,
    /// Waiting for the authority, with the head's consent.
    #[n(2)]
    Submitted,
    /// In the catalog.
    #[n(3)]
    Published,
    /// In the catalog at its published version while a newer one is being compiled.
    #[n(4)]
    ChangePending,
    /// In the catalog at its published version while a newer one waits for the authority.
    #[n(5)]
    ChangeSubmitted,
    /// Taken out of the catalog.
    #[n(6)]
    Withdrawn,
    /// Taken off the list at once, because of a leak or a secret; it may come back.
    #[n(7)]
    Suspended,
    /// Withdrawn and put away: the record stays, nothing happens to it any more.
    #[n(8)]
    Archived,
}

impl EntryState {
    /// Whether a published version is in the catalog while the entry is in this state.
    pub fn is_listed(self) -> bool {
        matches!(self, Self::Published | Self::ChangePending | Self::ChangeSubmitted)
    }

    /// Whether the provider may still edit the working version.
    pub fn is_editable(self) -> bool {
        matches!(
            self,
            Self::ImportedDraft
                | Self::Draft
                | Self::Published
                | Self::ChangePending
                | Self::Suspended
        )
    }
}

/// 信息资源格式 (national metadata guide, field 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DataFormat {
    /// 电子文件
    #[n(0)]
    Document,
    /// 电子表格
    #[n(1)]
    Spreadsheet,
    /// 数据库
    #[n(2)]
    Database,
    /// 图形图像
    #[n(3)]
    Image,
    /// 流媒体
    #[n(4)]
    Media,
    /// 自描述格式
    #[n(5)]
    SelfDescribing,
    /// 服务接口
    #[n(6)]
    ServiceInterface,
}

/// 数据类型 of an item (national metadata guide, field 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ItemType {
    /// 字符型 C
    #[n(0)]
    Character,
    /// 数值型 N
    #[n(1)]
    Numeric,
    /// 货币型 Y
    #[n(2)]
    Currency,
    /// 日期型 D
    #[n(3)]
    Date,
    /// 日期时间型 T
    #[n(4)]
    DateTime,
    /// 逻辑型 L
    #[n(5)]
    Logical,
    /// 备注型 M
    #[n(6)]
    Memo,
    /// 通用型 G
    #[n(7)]
    General,
    /// 双精度型 B
    #[n(8)]
    Double,
    /// 整型 I
    #[n(9)]
    Integer,
    /// 浮点型 F
    #[n(10)]
    Float,
}

/// 更新周期 (field 11), with the finer steps that real portals use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum UpdateCycle {
    /// 实时
    #[n(0)]
    Realtime,
    /// Several times a day.
    #[n(1)]
    SubDay,
    /// 每日
    #[n(2)]
    Day,
    /// 每周
    #[n(3)]
    Week,
    /// 每月
    #[n(4)]
    Month,
    /// 每季度
    #[n(5)]
    Quarter,
    /// 每半年
    #[n(6)]
    HalfYear,
    /// 每年
    #[n(7)]
    Year,
    /// 不定期
    #[n(8)]
    Irregular,
}

/// How shared data reach the asker (decree 809 art. 22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SharingMethod {
    /// 服务接口
    #[n(0)]
    ServiceInterface,
    /// 批量交换
    #[n(1)]
    BatchExchange,
    /// 文件下载
    #[n(2)]
    FileDownload,
}

/// Whether the entry is open to society, and how: a law of its own, never a sharing attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum OpenType {
    /// 普遍开放
    #[n(0)]
    Unconditional,
    /// 依申请开放
    #[n(1)]
    OnApplication,
    /// 安全开放
    #[n(2)]
    Secure,
}

/// Level and grade of data (GB/T 43697; REG22 59): the higher the value, the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Grade {
    /// 一般数据 with its grade, 1 to 4.
    #[n(0)]
    General(#[n(0)] u8),
    /// 重要数据
    #[n(1)]
    Important,
    /// 核心数据
    #[n(2)]
    Core,
}

/// One field of the data (信息项), with its own attribute where it differs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DataItem {
    /// Name, unique within the entry; requests and grants name items by it.
    #[n(0)]
    pub name: String,
    /// English name; empty if none.
    #[n(1)]
    pub name_en: String,
    /// Type of its values.
    #[n(2)]
    pub item_type: ItemType,
    /// Meaning, in words.
    #[n(3)]
    pub description: String,
    /// Its own attribute; absent = the entry's.
    #[n(4)]
    pub sharing: Option<SharingKind>,
    /// Its own grade; the entry's grade is at least this.
    #[n(5)]
    pub grade: Option<Grade>,
    /// Whether it holds personal information.
    #[n(6)]
    pub personal: bool,
    /// The law that forbids sharing it, where the item alone is not shared: what SHR-03 asks of
    /// an entry it asks of the item.
    #[n(7)]
    pub basis: Option<LegalCitation>,
}

/// 目录–数据–系统: what the entry describes and the business system that holds it (CAT-05).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SourceLink {
    /// The business system.
    #[n(0)]
    pub system: SystemId,
    /// Table, dataset or interface in that system.
    #[n(1)]
    pub dataset: String,
}

/// The assessments asked for before submission (decree 809 art. 13).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Assessment {
    /// What was assessed.
    #[n(0)]
    pub kind: AssessmentKind,
    /// Whether it passed.
    #[n(1)]
    pub passed: bool,
    /// When, as a day.
    #[n(2)]
    pub date: LocalDate,
    /// The result in words.
    #[n(3)]
    pub note: String,
}

/// Kinds of assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AssessmentKind {
    /// 保密风险评估
    #[n(0)]
    SecrecyRisk,
    /// 个人信息保护影响评估
    #[n(1)]
    PersonalInformationImpact,
}

/// Where an entry came from.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EntryOrigin {
    /// Registered by its provider.
    #[n(0)]
    Registered,
    /// Imported from an open portal, with the portal's own words.
    #[n(1)]
    OpenPortal {
        /// Name of the portal.
        #[n(0)]
        portal: String,
        /// Number of the line or record there.
        #[n(1)]
        seq: u64,
        /// The open type in the portal's own words; empty if it had none.
        #[n(2)]
        open_type_raw: String,
        /// The update cycle in the portal's own words; empty if it had none.
        #[n(3)]
        update_cycle_raw: String,
    },
}

/// What a provider writes about a resource: the editable part of an entry. The default states
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct EntryContent {
    /// 信息资源名称
    #[n(0)]
    pub title: String,
    /// English title; empty if none.
    #[n(1)]
    pub title_en: String,
    /// 信息资源摘要
    #[n(2)]
    pub abstract_text: String,
    /// English abstract; empty if none.
    #[n(3)]
    pub abstract_en: String,
    /// 信息资源分类: 类/项/目/细目, or a theme in words.
    #[n(4)]
    pub classification: String,
    /// 信息资源代码; empty until one is assigned.
    #[n(5)]
    pub resource_code: String,
    /// 信息资源格式, in order, each once.
    #[n(6)]
    pub formats: Vec<DataFormat>,
    /// 信息项
    #[n(7)]
    pub items: Vec<DataItem>,
    /// 更新周期
    #[n(8)]
    pub update_cycle: Option<UpdateCycle>,
    /// 共享属性; absent in imported drafts.
    #[n(9)]
    pub sharing: Option<SharingAttribute>,
    /// 共享方式
    #[n(10)]
    pub sharing_method: Option<SharingMethod>,
    /// 使用条件 in words; empty means none beyond the law.
    #[n(11)]
    pub conditions_of_use: String,
    /// 开放属性; absent = not open.
    #[n(12)]
    pub open_type: Option<OpenType>,
    /// Data level and grade.
    #[n(13)]
    pub grade: Option<Grade>,
    /// Assessments made.
    #[n(14)]
    pub assessments: Vec<Assessment>,
    /// 目录–数据–系统 links.
    #[n(15)]
    pub links: Vec<SourceLink>,
    /// The duty from which the data arise (职责依据); empty if not stated.
    #[n(16)]
    pub duty_basis: String,
    /// 关联资源代码
    #[n(17)]
    pub related_codes: Vec<String>,
    /// Keywords for search.
    #[n(18)]
    pub keywords: Vec<String>,
    /// GB/T 2260 region; empty if not stated.
    #[n(19)]
    pub region_code: String,
    /// 发布日期 as the source states it.
    #[n(20)]
    pub issued_date: Option<LocalDate>,
    /// Whether attributes, items or links were made up for trial and are labelled so.
    #[n(21)]
    pub synthetic: bool,
    /// What it states beyond the guide; never present below command level 3.
    #[n(22)]
    pub particulars: Option<EntryParticulars>,
}

impl EntryContent {
    /// Fields of the national metadata guide and decree 809 arts. 13, 15 that are still missing,
    /// by their names in the API, in the order of the guide (CAT-05, CAT-11, CAT-27, CAT-29).
    ///
    /// Only presence: which ranks a basis needs, which grade is too low and what a rule pack asks
    /// beyond this is for the rules. Item descriptions, duty, codes, keywords and region help the
    /// reader but hold nothing up.
    pub fn gaps(&self) -> Vec<&'static str> {
        let mut gaps = Vec::new();
        let mut ask = |field, present: bool| {
            if !present {
                gaps.push(field);
            }
        };
        ask("title", !self.title.is_empty());
        ask("abstract", !self.abstract_text.is_empty());
        ask("classification", !self.classification.is_empty());
        ask("formats", !self.formats.is_empty());
        ask("items", !self.items.is_empty());
        ask("update_cycle", self.update_cycle.is_some());
        match &self.sharing {
            None => ask("sharing", false),
            Some(SharingAttribute::Unconditional) => {}
            Some(SharingAttribute::Conditional { scope, purpose, basis: _ }) => {
                ask("sharing.scope", !scope.is_empty());
                ask("sharing.purpose", !purpose.is_empty());
            }
            Some(SharingAttribute::NotShared { reason, basis }) => {
                ask("sharing.reason", !reason.is_empty());
                ask("sharing.basis", basis.is_some());
            }
        }
        // What is not shared needs no way of sharing.
        let not_shared = matches!(self.sharing, Some(SharingAttribute::NotShared { .. }));
        ask("sharing_method", not_shared || self.sharing_method.is_some());
        ask("grade", self.grade.is_some());
        ask("assessments", !self.assessments.is_empty());
        ask("links", !self.links.is_empty());
        gaps
    }
}

/// One listing in a catalog. The row holds the working version; the published version is a row
/// of its own, so that readers see it unchanged while a newer one is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CatalogEntry {
    /// Its id.
    #[n(0)]
    pub id: EntryId,
    /// The domain that owns it.
    #[n(1)]
    pub domain: DomainId,
    /// The organization answerable for it.
    #[n(2)]
    pub provider: OrganizationId,
    /// The provider's name when this version was written: shown where the organization is not
    /// on file, for instance in another domain.
    #[n(3)]
    pub provider_name: String,
    /// Which of the two catalogs, and the capacity in which the provider compiles (CAT-01).
    #[n(4)]
    pub kind: DataKind,
    /// Where it stands.
    #[n(5)]
    pub state: EntryState,
    /// Where it came from.
    #[n(6)]
    pub origin: EntryOrigin,
    /// The content of this version.
    #[n(7)]
    pub content: EntryContent,
    /// Counts up from 1 with every change; the etag is `"v{version}"`.
    #[n(8)]
    pub version: u64,
    /// The version that is published; 0 = none.
    #[n(9)]
    pub published_version: u64,
    /// Why the authority returned it last; empty if it did not.
    #[n(10)]
    pub return_reason: String,
    /// Committed time of the first version.
    #[n(11)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(12)]
    pub updated_time: UtcMillis,
    /// Committed time of the last publication.
    #[n(13)]
    pub published_time: Option<UtcMillis>,
    /// Class of the provider at the time of this version: part of the pair that selects rules
    /// where the provider is not on file (another domain's entry).
    #[n(14)]
    pub provider_class: Option<crate::organization::PartyClass>,
}

impl CatalogEntry {
    /// What is missing in this version before it could be submitted; see [`EntryContent::gaps`].
    pub fn gaps(&self) -> Vec<&'static str> {
        self.content.gaps()
    }
}
