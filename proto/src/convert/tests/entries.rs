//! Entries as providers and imports state them.

use catalog_model::{
    catalog_entry::{EntryContent, EntryOrigin},
    reason::Reason,
    sharing::{SharingAttribute, SharingKind},
};

use super::{unit, values, wrong};
use crate::{
    catalog::v1 as catalog,
    convert::{catalog_entry, catalog_entry::*, organization::*},
};

#[test]
fn all_that_is_wrong_with_an_entry_is_said_at_once() {
    let entry = catalog::CatalogEntry {
        provider: "市政园林部门".into(),
        kind: -1,
        formats: vec![1, 0, 8],
        items: vec![
            catalog::DataItem { name: "a".into(), r#type: 1, ..Default::default() },
            catalog::DataItem { r#type: 12, sharing: 9, ..Default::default() },
            catalog::DataItem {
                name: "c".into(),
                grade: Some(catalog::Grade { level: 1, grade: 5 }),
                ..Default::default()
            },
        ],
        update_cycle: 10,
        sharing: Some(catalog::SharingAttribute {
            kind: 1,
            scope: "全市".into(),
            reason: "涉密".into(),
            basis: Some(catalog::LegalCitation::default()),
            ..Default::default()
        }),
        grade: Some(catalog::Grade { level: 3, grade: 1 }),
        assessments: vec![catalog::Assessment { date: "2026-02-30".into(), ..Default::default() }],
        links: vec![catalog::SourceLink { system: "gis".into(), dataset: "pipes".into() }],
        issued_date: "2026".into(),
        ..Default::default()
    };
    let refusal = read_new_entry(&entry, "entry").unwrap_err();
    assert_eq!(refusal.reason, Reason::NameInvalid);
    assert!(refusal.fields.iter().all(|wrong| !wrong.en.is_empty() && !wrong.zh.is_empty()));
    let fields: Vec<_> = refusal.fields.into_iter().map(|wrong| wrong.field).collect();
    assert_eq!(
        fields,
        [
            "entry.provider",
            "entry.kind",
            "entry.formats[1]",
            "entry.formats[2]",
            "entry.items[1].name",
            "entry.items[1].type",
            "entry.items[1].sharing",
            "entry.items[2].type",
            "entry.items[2].grade.grade",
            "entry.update_cycle",
            "entry.sharing.scope",
            "entry.sharing.reason",
            "entry.sharing.basis",
            "entry.sharing.basis.rank",
            "entry.grade.grade",
            "entry.assessments[0].kind",
            "entry.assessments[0].date",
            "entry.links[0].system",
            "entry.issued_date",
        ]
    );
}

#[test]
fn a_long_list_of_faults_is_cut_and_counted() {
    let entry = catalog::CatalogEntry { formats: vec![99; 100_000], ..Default::default() };
    let refusal = read_entry_content(&entry, "entry").unwrap_err();
    assert_eq!(refusal.reason, Reason::FieldInvalid);
    assert_eq!(refusal.fields.len(), 32);
    assert_eq!(refusal.facts["unlisted_fields"], (100_000 - 32).to_string());
}

#[test]
fn what_is_absent_stays_absent() {
    let nothing = catalog::CatalogEntry::default();
    assert_eq!(read_entry_content(&nothing, "entry"), Ok(EntryContent::default()));
    assert_eq!(
        EntryContent::default().gaps(),
        [
            "title",
            "abstract",
            "classification",
            "formats",
            "items",
            "update_cycle",
            "sharing",
            "sharing_method",
            "grade",
            "assessments",
            "links",
        ]
    );
    assert_eq!(values::content().gaps(), Vec::<&str>::new());
    let sharing = SharingAttribute::NotShared { reason: String::new(), basis: None };
    let content =
        EntryContent { sharing: Some(sharing), sharing_method: None, ..values::content() };
    assert_eq!(content.gaps(), ["sharing.reason", "sharing.basis"]);
    // Gaps are named as messages name their fields.
    assert!(EntryContent::default().gaps().iter().all(|gap| catalog_entry::EDITABLE.contains(gap)));
}

#[test]
fn sets_are_kept_in_order_each_once() {
    let entry = catalog::CatalogEntry { formats: vec![3, 1, 3], ..Default::default() };
    let content = read_entry_content(&entry, "entry").unwrap();
    let shown =
        entry_message(&catalog_model::catalog_entry::CatalogEntry { content, ..values::entry() });
    assert_eq!(shown.formats, [1, 3]);
}

#[test]
fn links_name_systems_of_the_provider() {
    let mut entry = entry_message(&values::entry());
    assert!(read_new_entry(&entry, "entry").is_ok());
    entry.provider = organization_message(&unit()).name;
    assert_eq!(wrong(read_new_entry(&entry, "entry")), ["entry.links[0].system"]);
    // Without a provider in the call it is for state to look up.
    entry.provider.clear();
    assert!(read_entry_content(&entry, "entry").is_ok());
}

#[test]
fn imported_lines_state_what_they_state() {
    let line = catalog::ImportEntry {
        provider_name: "市图书馆".into(),
        provider_name_en: "City library".into(),
        entry: Some(catalog::CatalogEntry {
            title: "馆藏目录".into(),
            open_type: 2,
            ..Default::default()
        }),
        origin: Some(catalog::PortalOrigin {
            portal: "开放平台".into(),
            seq: 4,
            ..Default::default()
        }),
    };
    let read = read_import(&line, "entries[3]").unwrap();
    assert_eq!(read.provider_name, "市图书馆");
    assert_eq!(read.kind, None);
    // An open type is not a sharing attribute.
    assert_eq!(read.content.sharing, None);
    assert!(read.content.gaps().contains(&"sharing"));
    assert!(matches!(read.origin, EntryOrigin::OpenPortal { seq: 4, .. }));

    let line = catalog::ImportEntry {
        entry: Some(catalog::CatalogEntry { open_type: 7, kind: 3, ..Default::default() }),
        ..line
    };
    let refused = read_import(&line, "entries[3]");
    assert_eq!(wrong(refused), ["entries[3].entry.kind", "entries[3].entry.open_type"]);
    assert_eq!(
        wrong(read_import(&catalog::ImportEntry::default(), "entries[0]")),
        ["entries[0].origin", "entries[0].entry"]
    );
}

#[test]
fn kinds_of_sharing_print_as_the_law_counts_them() {
    // The texts of refusals name the kind.
    let entry = catalog::CatalogEntry {
        sharing: Some(catalog::SharingAttribute {
            kind: 3,
            scope: "x".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let refusal = read_entry_content(&entry, "entry").unwrap_err();
    assert!(refusal.fields[0].en.contains(&SharingKind::NotShared.to_string()));
}
