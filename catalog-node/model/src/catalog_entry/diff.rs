//! Differences: what did a provider change between two versions of an entry, in the words of the
//! metadata guide (CAT-10)?
//!
//! Fields stand in the order of the guide; items are told one by one, by their names.

use std::fmt::Write as _;

use crate::{
    catalog_entry::{
        Assessment, AssessmentKind, DataFormat, DataItem, EntryContent, EntryParticulars, Grade,
        ItemType, Library, OpenType, SharingMethod, SourceLink, UpdateCycle,
    },
    sharing::{LegalCitation, SharingAttribute, SharingKind},
};

/// One field that is another than it was. An empty text means that nothing was stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Path of the field in the API.
    pub field: String,
    /// The field's name in the guide.
    pub label: String,
    /// What it said.
    pub old: String,
    /// What it says.
    pub new: String,
}

/// What differs between two contents of an entry; empty if nothing does.
pub fn diff(old: &EntryContent, new: &EntryContent) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let mut field = |field: &str, label: &str, of: &dyn Fn(&EntryContent) -> String| {
        let (old, new) = (of(old), of(new));
        if old != new {
            let (field, label) = (field.to_owned(), label.to_owned());
            changes.push(FieldChange { field, label, old, new });
        }
    };
    field("classification", "信息资源分类", &|c| c.classification.clone());
    field("title", "信息资源名称", &|c| c.title.clone());
    field("title_en", "英文名称", &|c| c.title_en.clone());
    field("resource_code", "信息资源代码", &|c| c.resource_code.clone());
    field("abstract", "信息资源摘要", &|c| c.abstract_text.clone());
    field("abstract_en", "英文摘要", &|c| c.abstract_en.clone());
    field("formats", "信息资源格式", &|c| {
        list(&c.formats, |format| format_name(*format).into())
    });
    field("sharing", "共享属性", &|c| c.sharing.as_ref().map_or_else(String::new, attribute));
    field("sharing_method", "共享方式", &|c| {
        c.sharing_method.map_or_else(String::new, |method| method_name(method).to_owned())
    });
    field("conditions_of_use", "使用条件", &|c| c.conditions_of_use.clone());
    field("open_type", "开放属性", &|c| {
        c.open_type.map_or_else(String::new, |kind| open_name(kind).to_owned())
    });
    field("update_cycle", "更新周期", &|c| {
        c.update_cycle.map_or_else(String::new, |cycle| cycle_name(cycle).to_owned())
    });
    field("issued_date", "发布日期", &|c| {
        c.issued_date.map_or_else(String::new, |date| date.to_string())
    });
    field("related_codes", "关联资源代码", &|c| list(&c.related_codes, Clone::clone));
    field("grade", "数据分级", &|c| c.grade.map_or_else(String::new, grade_name));
    field("assessments", "评估", &|c| list(&c.assessments, assessment));
    field("links", "目录-数据-系统", &|c| list(&c.links, link));
    field("duty_basis", "职责依据", &|c| c.duty_basis.clone());
    field("keywords", "关键词", &|c| list(&c.keywords, Clone::clone));
    field("region_code", "行政区划代码", &|c| c.region_code.clone());
    field("synthetic", "试用数据标记", &|c| c.synthetic.to_string());
    let of = |c: &EntryContent| c.particulars.clone().unwrap_or_default();
    field("library", "基础库或主题库", &|c| {
        of(c).library.as_ref().map_or_else(String::new, library)
    });
    field("self_checks", "自查", &|c| checks(&of(c)));
    field("secrecy", "保密审查", &|c| {
        of(c).secrecy.map_or_else(String::new, |mark| mark.name().to_owned())
    });
    items(&old.items, &new.items, &mut changes);
    changes
}

/// Items are the same item as long as they bear the same name.
fn items(old: &[DataItem], new: &[DataItem], changes: &mut Vec<FieldChange>) {
    let mut note = |name: &str, old: String, new: String| {
        let (field, label) = (format!("items[{name}]"), format!("信息项 {name}"));
        changes.push(FieldChange { field, label, old, new });
    };
    for before in old {
        match new.iter().find(|item| item.name == before.name) {
            None => note(&before.name, item(before), String::new()),
            Some(after) if after != before => note(&before.name, item(before), item(after)),
            Some(_) => {}
        }
    }
    for after in new {
        if !old.iter().any(|item| item.name == after.name) {
            note(&after.name, String::new(), item(after));
        }
    }
}

fn list<T>(values: &[T], name: impl Fn(&T) -> String) -> String {
    values.iter().map(name).collect::<Vec<_>>().join("、")
}

fn item(item: &DataItem) -> String {
    let mut text = item_type(item.item_type).to_owned();
    let mut add = |part: std::fmt::Arguments<'_>| {
        let _ = write!(text, "；{part}");
    };
    if !item.name_en.is_empty() {
        add(format_args!("{}", item.name_en));
    }
    if !item.description.is_empty() {
        add(format_args!("{}", item.description));
    }
    if let Some(kind) = item.sharing {
        add(format_args!("{}", kind_name(kind)));
    }
    if let Some(basis) = &item.basis {
        add(format_args!("依据 {}", citation(basis)));
    }
    if let Some(grade) = item.grade {
        add(format_args!("{}", grade_name(grade)));
    }
    if item.personal {
        add(format_args!("个人信息"));
    }
    text
}

fn attribute(attribute: &SharingAttribute) -> String {
    let cited = |basis: &Option<LegalCitation>| {
        basis.as_ref().map_or_else(String::new, |basis| format!("；依据 {}", citation(basis)))
    };
    match attribute {
        SharingAttribute::Unconditional => kind_name(SharingKind::Unconditional).to_owned(),
        SharingAttribute::Conditional { scope, purpose, basis } => {
            let kind = kind_name(SharingKind::Conditional);
            format!("{kind}；范围 {scope}；用途 {purpose}{}", cited(basis))
        }
        SharingAttribute::NotShared { reason, basis } => {
            format!("{}；理由 {reason}{}", kind_name(SharingKind::NotShared), cited(basis))
        }
    }
}

/// The place and, because two texts of one name may differ in it, the rank.
fn citation(basis: &LegalCitation) -> String {
    format!("{basis}（{}）", basis.rank.name())
}

fn assessment(made: &Assessment) -> String {
    let kind = match made.kind {
        AssessmentKind::SecrecyRisk => "保密风险评估",
        AssessmentKind::PersonalInformationImpact => "个人信息保护影响评估",
    };
    let result = if made.passed { "通过" } else { "未通过" };
    let note = if made.note.is_empty() { String::new() } else { format!("（{}）", made.note) };
    format!("{kind} {} {result}{note}", made.date)
}

fn link(link: &SourceLink) -> String {
    format!("{}/{}", link.system, link.dataset)
}

fn library(library: &Library) -> String {
    match library {
        Library::Base(name) => format!("基础库 {name}"),
        Library::Theme(name) => format!("主题库 {name}"),
    }
}

fn checks(particulars: &EntryParticulars) -> String {
    list(&particulars.self_checks, |check| {
        let result = if check.passed { "通过" } else { "未通过" };
        format!("{} {} {result}（{}）", check.kind.name_zh(), check.date, check.checker)
    })
}

fn kind_name(kind: SharingKind) -> &'static str {
    match kind {
        SharingKind::Unconditional => "无条件共享",
        SharingKind::Conditional => "有条件共享",
        SharingKind::NotShared => "不予共享",
    }
}

fn grade_name(grade: Grade) -> String {
    match grade {
        Grade::General(grade) => format!("一般数据{grade}级"),
        Grade::Important => "重要数据".to_owned(),
        Grade::Core => "核心数据".to_owned(),
    }
}

fn format_name(format: DataFormat) -> &'static str {
    match format {
        DataFormat::Document => "电子文件",
        DataFormat::Spreadsheet => "电子表格",
        DataFormat::Database => "数据库",
        DataFormat::Image => "图形图像",
        DataFormat::Media => "流媒体",
        DataFormat::SelfDescribing => "自描述格式",
        DataFormat::ServiceInterface => "服务接口",
    }
}

fn method_name(method: SharingMethod) -> &'static str {
    match method {
        SharingMethod::ServiceInterface => "服务接口",
        SharingMethod::BatchExchange => "批量交换",
        SharingMethod::FileDownload => "文件下载",
    }
}

fn open_name(kind: OpenType) -> &'static str {
    match kind {
        OpenType::Unconditional => "普遍开放",
        OpenType::OnApplication => "依申请开放",
        OpenType::Secure => "安全开放",
    }
}

fn cycle_name(cycle: UpdateCycle) -> &'static str {
    match cycle {
        UpdateCycle::Realtime => "实时",
        UpdateCycle::SubDay => "每日多次",
        UpdateCycle::Day => "每日",
        UpdateCycle::Week => "每周",
        UpdateCycle::Month => "每月",
        UpdateCycle::Quarter => "每季度",
        UpdateCycle::HalfYear => "每半年",
        UpdateCycle::Year => "每年",
        UpdateCycle::Irregular => "不定期",
    }
}

fn item_type(kind: ItemType) -> &'static str {
    match kind {
        ItemType::Character => "字符型C",
        ItemType::Numeric => "数值型N",
        ItemType::Currency => "货币型Y",
        ItemType::Date => "日期型D",
        ItemType::DateTime => "日期时间型T",
        ItemType::Logical => "逻辑型L",
        ItemType::Memo => "备注型M",
        ItemType::General => "通用型G",
        ItemType::Double => "双精度型B",
        ItemType::Integer => "整型I",
        ItemType::Float => "浮点型F",
    }
}

#[cfg(test)]
mod tests;
