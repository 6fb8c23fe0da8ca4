//! Texts as such: could this be stored and shown, whatever the rules ask of it?
//!
//! Checked when an entry is registered, imported or updated and when a request is filed. Drafts
//! may be incomplete, so absence is no fault here, but for the title: an entry without one cannot
//! be found.

use std::collections::BTreeSet;

use crate::{
    catalog_entry::{EntryContent, Grade},
    policy::findings::Findings,
    reason::Reason,
    refusal::Refusal,
    region::RegionCode,
    share_request::RequestContent,
};

/// Most characters of a title.
pub const MAX_TITLE: usize = 300;

/// Most characters of an abstract.
pub const MAX_ABSTRACT: usize = 8_000;

/// Most characters of any other text of several lines.
pub const MAX_TEXT: usize = 4_000;

/// Most characters of a text of one line: a name, a code, a keyword.
pub const MAX_LINE: usize = 300;

/// Most items of an entry or a request.
pub const MAX_ITEMS: usize = 2_000;

/// Most parts of any other list.
pub const MAX_LIST: usize = 500;

/// Whether a text may have several lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Several,
}

/// Checks an entry's texts and lists: lengths, control characters, duplicates, forms.
pub fn check_entry_content(content: &EntryContent) -> Result<(), Refusal> {
    let mut found = Findings::default();
    if content.title.trim().is_empty() {
        wrong(&mut found, "entry.title", "missing", "缺少");
    }
    let texts = [
        ("entry.title", &content.title, MAX_TITLE, Lines::One),
        ("entry.title_en", &content.title_en, MAX_TITLE, Lines::One),
        ("entry.abstract", &content.abstract_text, MAX_ABSTRACT, Lines::Several),
        ("entry.abstract_en", &content.abstract_en, MAX_ABSTRACT, Lines::Several),
        ("entry.classification", &content.classification, MAX_LINE, Lines::One),
        ("entry.resource_code", &content.resource_code, MAX_LINE, Lines::One),
        ("entry.conditions_of_use", &content.conditions_of_use, MAX_TEXT, Lines::Several),
        ("entry.duty_basis", &content.duty_basis, MAX_TEXT, Lines::Several),
    ];
    for (field, value, limit, lines) in texts {
        text(&mut found, field, value, limit, lines);
    }
    if let Some(attribute) = &content.sharing {
        sharing_texts(&mut found, attribute);
    }
    if !content.region_code.is_empty() && content.region_code.parse::<RegionCode>().is_err() {
        let (en, zh) = ("not six digits of GB/T 2260", "不是六位行政区划代码");
        wrong(&mut found, "entry.region_code", en, zh);
    }
    grade(&mut found, "entry.grade", content.grade);
    if let Some(particulars) = &content.particulars {
        let library = particulars.library.as_ref().map_or("", |library| library.name());
        text(&mut found, "entry.library", library, MAX_LINE, Lines::One);
        if particulars.library.is_some() && library.trim().is_empty() {
            wrong(&mut found, "entry.library", "missing", "缺少");
        }
        count(&mut found, "entry.self_checks", particulars.self_checks.len(), MAX_LIST);
        for (place, check) in particulars.self_checks.iter().enumerate() {
            let field = format!("entry.self_checks[{place}].checker");
            text(&mut found, &field, &check.checker, MAX_LINE, Lines::One);
        }
    }

    count(&mut found, "entry.items", content.items.len(), MAX_ITEMS);
    let mut names = BTreeSet::new();
    for (place, item) in content.items.iter().enumerate() {
        let at = |part: &str| format!("entry.items[{place}].{part}");
        if item.name.trim().is_empty() {
            wrong(&mut found, &at("name"), "missing", "缺少");
        } else if !names.insert(item.name.as_str()) {
            let refusal = Refusal::new(Reason::ItemsDuplicate).fact("item", &item.name);
            found.add(refusal, &at("name"), "stands twice", "重复");
        }
        text(&mut found, &at("name"), &item.name, MAX_LINE, Lines::One);
        text(&mut found, &at("name_en"), &item.name_en, MAX_LINE, Lines::One);
        text(&mut found, &at("description"), &item.description, MAX_TEXT, Lines::Several);
        if let Some(basis) = &item.basis {
            text(&mut found, &at("basis.title"), &basis.title, MAX_LINE, Lines::One);
            text(&mut found, &at("basis.article"), &basis.article, MAX_LINE, Lines::One);
            text(&mut found, &at("basis.quote"), &basis.quote, MAX_TEXT, Lines::Several);
        }
        grade(&mut found, &at("grade"), item.grade);
    }

    let formats: BTreeSet<_> = content.formats.iter().collect();
    if formats.len() != content.formats.len() {
        wrong(&mut found, "entry.formats", "a format stands twice", "格式重复");
    }
    count(&mut found, "entry.assessments", content.assessments.len(), MAX_LIST);
    for (place, assessment) in content.assessments.iter().enumerate() {
        let field = format!("entry.assessments[{place}].note");
        text(&mut found, &field, &assessment.note, MAX_TEXT, Lines::Several);
    }
    count(&mut found, "entry.links", content.links.len(), MAX_LIST);
    for (place, link) in content.links.iter().enumerate() {
        let field = format!("entry.links[{place}].dataset");
        text(&mut found, &field, &link.dataset, MAX_LINE, Lines::One);
    }
    let lists =
        [("entry.related_codes", &content.related_codes), ("entry.keywords", &content.keywords)];
    for (field, list) in lists {
        count(&mut found, field, list.len(), MAX_LIST);
        for (place, value) in list.iter().enumerate() {
            text(&mut found, &format!("{field}[{place}]"), value, MAX_LINE, Lines::One);
        }
    }
    found.into_result()
}

/// Checks a request's texts and lists; whether it says enough is for `decide`.
pub fn check_request_content(content: &RequestContent) -> Result<(), Refusal> {
    let mut found = Findings::default();
    let texts = [
        ("request.scenario", &content.scenario),
        ("request.duty_basis", &content.duty_basis),
        ("request.row_scope", &content.row_scope),
    ];
    for (field, value) in texts {
        text(&mut found, field, value, MAX_TEXT, Lines::Several);
    }
    count(&mut found, "request.items", content.items.len(), MAX_ITEMS);
    let mut names = BTreeSet::new();
    for (place, name) in content.items.iter().enumerate() {
        let field = format!("request.items[{place}]");
        text(&mut found, &field, name, MAX_LINE, Lines::One);
        if !names.insert(name.as_str()) {
            let refusal = Refusal::new(Reason::ItemsDuplicate).fact("item", name);
            found.add(refusal, &field, "stands twice", "重复");
        }
    }
    count(&mut found, "request.item_reasons", content.item_reasons.len(), MAX_LIST);
    for (place, reason) in content.item_reasons.iter().enumerate() {
        let at = |part: &str| format!("request.item_reasons[{place}].{part}");
        text(&mut found, &at("reason"), &reason.reason, MAX_TEXT, Lines::Several);
        if reason.items.iter().any(|item| !names.contains(item.as_str())) {
            wrong(
                &mut found,
                &at("items"),
                "names an item that is not asked for",
                "包含未申请的信息项",
            );
        }
    }
    found.into_result()
}

fn sharing_texts(found: &mut Findings, attribute: &crate::sharing::SharingAttribute) {
    use crate::sharing::SharingAttribute::{Conditional, NotShared, Unconditional};
    let basis = match attribute {
        Unconditional => None,
        Conditional { scope, purpose, basis } => {
            text(found, "entry.sharing.scope", scope, MAX_TEXT, Lines::Several);
            text(found, "entry.sharing.purpose", purpose, MAX_TEXT, Lines::Several);
            basis.as_ref()
        }
        NotShared { reason, basis } => {
            text(found, "entry.sharing.reason", reason, MAX_TEXT, Lines::Several);
            basis.as_ref()
        }
    };
    if let Some(basis) = basis {
        text(found, "entry.sharing.basis.title", &basis.title, MAX_LINE, Lines::One);
        text(found, "entry.sharing.basis.article", &basis.article, MAX_LINE, Lines::One);
        text(found, "entry.sharing.basis.quote", &basis.quote, MAX_TEXT, Lines::Several);
    }
}

fn wrong(found: &mut Findings, field: &str, en: &str, zh: &str) {
    found.add(Refusal::new(Reason::FieldInvalid), field, en, zh);
}

fn text(found: &mut Findings, field: &str, value: &str, limit: usize, lines: Lines) {
    let length = value.chars().count();
    if length > limit {
        let refusal = Refusal::new(Reason::TextTooLong)
            .fact("field", field)
            .fact("length", length)
            .fact("limit", limit);
        found.add(refusal, field, format!("longer than {limit}"), format!("超过 {limit} 个字符"));
    }
    let several = lines == Lines::Several;
    let control = |c: char| c.is_control() && !(several && matches!(c, '\n' | '\r' | '\t'));
    if value.chars().any(control) {
        let refusal = Refusal::new(Reason::TextControlCharacters).fact("field", field);
        found.add(refusal, field, "holds control characters", "含有控制字符");
    }
}

fn count(found: &mut Findings, field: &str, length: usize, limit: usize) {
    if length > limit {
        let refusal = Refusal::new(Reason::TooManyItems)
            .fact("field", field)
            .fact("length", length)
            .fact("limit", limit);
        found.add(refusal, field, format!("more than {limit}"), format!("超过 {limit} 项"));
    }
}

fn grade(found: &mut Findings, field: &str, grade: Option<Grade>) {
    if let Some(Grade::General(grade)) = grade
        && !(1..=4).contains(&grade)
    {
        wrong(found, field, "general data have a grade from 1 to 4", "一般数据分为 1 至 4 级");
    }
}
