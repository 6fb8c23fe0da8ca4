use super::*;
use crate::{catalog_entry::SecrecyMark, ids::SystemId, rule::Rank};

fn named(name: &str) -> DataItem {
    DataItem {
        name: name.to_owned(),
        name_en: String::new(),
        item_type: ItemType::Character,
        description: String::new(),
        sharing: None,
        grade: None,
        personal: false,
        basis: None,
    }
}

fn told(old: &EntryContent, new: &EntryContent) -> Vec<String> {
    diff(old, new)
        .into_iter()
        .map(|change| {
            format!("{} {}: {} -> {}", change.field, change.label, change.old, change.new)
        })
        .collect()
}

/// CAT-10: items are told one by one, the rest in the order of the guide.
#[test]
fn a_diff_is_told_in_the_words_of_the_guide() {
    let old = EntryContent {
        title: "车辆".to_owned(),
        items: vec![named("号牌"), named("颜色")],
        sharing: Some(SharingAttribute::Unconditional),
        ..EntryContent::default()
    };
    assert_eq!(told(&old, &old), [""; 0]);
    let mut new = old.clone();
    new.title = "机动车".to_owned();
    new.items = vec![DataItem { personal: true, ..named("号牌") }, named("车主")];
    let (scope, purpose) = ("市级部门".to_owned(), "执法".to_owned());
    new.sharing = Some(SharingAttribute::Conditional { scope, purpose, basis: None });
    assert_eq!(
        told(&old, &new),
        [
            "title 信息资源名称: 车辆 -> 机动车",
            "sharing 共享属性: 无条件共享 -> 有条件共享；范围 市级部门；用途 执法",
            "items[号牌] 信息项 号牌: 字符型C -> 字符型C；个人信息",
            "items[颜色] 信息项 颜色: 字符型C -> ",
            "items[车主] 信息项 车主:  -> 字符型C",
        ]
    );
}

/// Whatever field is another, the diff says so: none is forgotten.
#[test]
fn every_field_is_compared() {
    let base = EntryContent::default();
    let basis = LegalCitation {
        title: "法".to_owned(),
        article: "1".to_owned(),
        rank: Rank::Law,
        quote: String::new(),
    };
    let text = || "x".to_owned();
    let check = crate::catalog_entry::SelfCheck {
        kind: crate::catalog_entry::SelfCheckKind::Safety,
        passed: true,
        date: "2026-09-01".parse().unwrap(),
        checker: text(),
    };
    let particulars = |particulars| EntryContent { particulars: Some(particulars), ..base.clone() };
    let none = EntryParticulars::default;
    let made = Assessment {
        kind: AssessmentKind::SecrecyRisk,
        passed: true,
        date: "2026-09-01".parse().unwrap(),
        note: String::new(),
    };
    let source = SourceLink { system: SystemId::from_bytes([1; 16]), dataset: text() };
    let not_shared = SharingAttribute::NotShared { reason: text(), basis: Some(basis) };
    let changed = [
        EntryContent { title: text(), ..base.clone() },
        EntryContent { title_en: text(), ..base.clone() },
        EntryContent { abstract_text: text(), ..base.clone() },
        EntryContent { abstract_en: text(), ..base.clone() },
        EntryContent { classification: text(), ..base.clone() },
        EntryContent { resource_code: text(), ..base.clone() },
        EntryContent { formats: vec![DataFormat::Image], ..base.clone() },
        EntryContent { items: vec![named("a")], ..base.clone() },
        EntryContent { update_cycle: Some(UpdateCycle::Day), ..base.clone() },
        EntryContent { sharing: Some(not_shared), ..base.clone() },
        EntryContent { sharing_method: Some(SharingMethod::FileDownload), ..base.clone() },
        EntryContent { conditions_of_use: text(), ..base.clone() },
        EntryContent { open_type: Some(OpenType::Secure), ..base.clone() },
        EntryContent { grade: Some(Grade::Core), ..base.clone() },
        EntryContent { assessments: vec![made], ..base.clone() },
        EntryContent { links: vec![source], ..base.clone() },
        EntryContent { duty_basis: text(), ..base.clone() },
        EntryContent { related_codes: vec![text()], ..base.clone() },
        EntryContent { keywords: vec![text()], ..base.clone() },
        EntryContent { region_code: text(), ..base.clone() },
        EntryContent { issued_date: Some("2026-09-01".parse().unwrap()), ..base.clone() },
        EntryContent { synthetic: true, ..base.clone() },
        particulars(EntryParticulars { library: Some(Library::Base(text())), ..none() }),
        particulars(EntryParticulars { self_checks: vec![check], ..none() }),
        particulars(EntryParticulars { secrecy: Some(SecrecyMark::StateSecret), ..none() }),
    ];
    for new in changed {
        assert_eq!(diff(&base, &new).len(), 1, "{new:?}");
    }
}
