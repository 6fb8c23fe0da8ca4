//! Updates: which fields change?

use catalog_model::{catalog_entry::EntryContent, reason::Reason};

use super::{
    mask, unit,
    values::{self},
    wrong,
};
use crate::{
    catalog::v1 as catalog,
    convert::{catalog_entry, catalog_entry::*, organization as units, organization::*},
};

#[test]
fn a_mask_changes_its_fields_and_reads_no_other() {
    let current = values::content();
    let entry = catalog::CatalogEntry {
        title: "新名称".into(),
        abstract_en: "not in the mask".into(),
        // Wrong, and not in the mask either.
        update_cycle: 99,
        issued_date: "someday".into(),
        ..Default::default()
    };
    // A masked field that the message leaves out becomes absent.
    let masked = mask(&["title", "grade", "title"]);
    let changed = apply_entry_mask(current.clone(), &entry, Some(&masked), "entry").unwrap();
    let expected = EntryContent { title: "新名称".into(), grade: None, ..current.clone() };
    assert_eq!(changed, expected);

    let masked = mask(&["update_cycle", "issued_date"]);
    let refused = apply_entry_mask(current, &entry, Some(&masked), "entry");
    assert_eq!(wrong(refused), ["entry.update_cycle", "entry.issued_date"]);
}

#[test]
fn what_states_nothing_beyond_the_guide_has_no_particulars() {
    let current = EntryContent { particulars: None, ..values::content() };
    let plain = entry_message(&catalog_model::catalog_entry::CatalogEntry {
        content: current.clone(),
        ..values::entry()
    });
    // All three are masked, none is stated: not even an empty list is kept.
    assert_eq!(apply_entry_mask(values::content(), &plain, None, "entry"), Ok(current.clone()));
    let cleared = mask(&["library", "self_checks", "secrecy"]);
    let cleared = apply_entry_mask(values::content(), &plain, Some(&cleared), "entry");
    assert_eq!(cleared, Ok(current));
    let unnamed = catalog::CatalogEntry {
        library: Some(catalog::Library { kind: 9, name: " ".into() }),
        self_checks: vec![catalog::SelfCheck { kind: 4, ..Default::default() }],
        secrecy: 3,
        ..plain
    };
    assert_eq!(
        wrong(read_entry_content(&unnamed, "entry")),
        [
            "entry.library.name",
            "entry.library.kind",
            "entry.self_checks[0].kind",
            "entry.self_checks[0].date",
            "entry.secrecy",
        ]
    );
}

#[test]
fn no_mask_an_empty_one_and_a_star_name_every_editable_field() {
    let whole = entry_message(&values::entry());
    for mask in [None, Some(mask(&[])), Some(mask(&["*"]))] {
        let changed = apply_entry_mask(EntryContent::default(), &whole, mask.as_ref(), "entry");
        assert_eq!(changed, Ok(values::content()));
    }
}

#[test]
fn each_editable_path_can_be_masked_alone_and_together_they_are_everything() {
    let whole = entry_message(&values::entry());
    let mut content = EntryContent::default();
    for path in catalog_entry::EDITABLE {
        let changed =
            apply_entry_mask(content.clone(), &whole, Some(&mask(&[path])), "entry").unwrap();
        assert_ne!(changed, content, "{path} changes nothing");
        content = changed;
    }
    assert_eq!(content, values::content());

    let unit = organization_message(&unit());
    let mut content = OrganizationContent::default();
    for path in units::EDITABLE {
        let masked = mask(&[path]);
        let changed = apply_organization_mask(content.clone(), &unit, Some(&masked), "").unwrap();
        assert_ne!(changed, content, "{path} changes nothing");
        content = changed;
    }
    assert_eq!(content, OrganizationContent::of(&self::unit()));
}

#[test]
fn paths_that_cannot_be_updated_are_named() {
    let masked = mask(&["title", "state", "sharing.kind", "", "abstract_text", "*"]);
    let refused =
        apply_entry_mask(EntryContent::default(), &Default::default(), Some(&masked), "entry");
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.reason, Reason::MaskInvalid);
    assert_eq!(refusal.facts["path"], "state");
    let fields: Vec<_> = refusal.fields.iter().map(|wrong| wrong.field.as_str()).collect();
    let paths = [1, 2, 3, 4, 5].map(|index| format!("update_mask.paths[{index}]"));
    assert_eq!(fields, paths);

    let masked = mask(&["verified"]);
    let refused = apply_organization_mask(
        OrganizationContent::default(),
        &Default::default(),
        Some(&masked),
        "organization",
    );
    assert_eq!(refused.unwrap_err().reason, Reason::MaskInvalid);
}
