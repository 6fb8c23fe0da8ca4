use super::*;
use crate::{
    catalog_entry::{DataItem, EntryParticulars, ItemType},
    organization::{DataKind, PartyClass},
    rule_pack::{Pair, RulePack},
};

fn rules(class: PartyClass) -> Resolution {
    let kind = match class {
        PartyClass::GovernmentDepartment => DataKind::GovernmentData,
        _ => DataKind::PublicServiceData,
    };
    let pair = Pair::for_catalog(class, kind);
    let day = "2026-09-21".parse().expect("a day");
    RulePack::embedded().resolve("xiamen-today", pair, day).expect("known")
}

fn content(entry: &str, items: &[(&str, &str)]) -> EntryContent {
    let kind = |word: &str| match word {
        "u" => Some(SharingKind::Unconditional),
        "c" => Some(SharingKind::Conditional),
        "n" => Some(SharingKind::NotShared),
        _ => None,
    };
    let sharing = kind(entry).map(|kind| match kind {
        SharingKind::Unconditional => SharingAttribute::Unconditional,
        SharingKind::Conditional => SharingAttribute::Conditional {
            scope: String::new(),
            purpose: String::new(),
            basis: None,
        },
        SharingKind::NotShared => {
            SharingAttribute::NotShared { reason: String::new(), basis: None }
        }
    });
    let item = |(name, word): &(&str, &str)| DataItem {
        name: (*name).to_owned(),
        name_en: String::new(),
        item_type: ItemType::Character,
        description: String::new(),
        sharing: kind(word),
        grade: None,
        personal: false,
        basis: None,
    };
    EntryContent { sharing, items: items.iter().map(item).collect(), ..EntryContent::default() }
}

/// SHR-02: what gives less than it gave, told once; what gives more or is new is no narrowing.
#[test]
fn shr_02_narrowing() {
    type Items<'a> = &'a [(&'a str, &'a str)];
    let check =
        |(old, old_items): (&str, Items<'_>), (new, items): (&str, Items<'_>), found: &str| {
            let narrowed: Vec<String> = narrowings(&content(old, old_items), &content(new, items))
                .into_iter()
                .map(|n| format!("{} {}>{}", n.item.unwrap_or_default(), n.from, n.to))
                .collect();
            assert_eq!(narrowed.join("; "), found, "{old}{old_items:?} to {new}{items:?}");
        };
    check(("u", &[]), ("u", &[]), "");
    check(("u", &[("a", "")]), ("c", &[("a", "")]), " unconditional>conditional");
    check(("c", &[]), ("u", &[]), "");
    check(("n", &[]), ("c", &[]), "");
    check(("c", &[]), ("n", &[]), " conditional>not_shared");
    check(("u", &[("a", "")]), ("u", &[("a", "c")]), "a unconditional>conditional");
    check(("u", &[("a", "c")]), ("u", &[("a", "u")]), "");
    check(("c", &[("a", "u")]), ("c", &[("a", "n")]), "a unconditional>not_shared");
    check(("u", &[("a", "")]), ("u", &[("b", "n")]), "");
    check(("", &[]), ("c", &[]), "");
}

/// CAT-24: a state secret always, a work secret where a rule says so.
#[test]
fn cat_24_secrets() {
    let refused = |class, mark| {
        check_secrecy(&rules(class), mark)
            .map_err(|refusal| (refusal.reason, refusal.rule.is_some()))
    };
    let (unit, service) = (PartyClass::GovernmentDepartment, PartyClass::PublicServiceOrganization);
    let secret = Reason::SecretEntryRefused;
    assert_eq!(refused(unit, SecrecyMark::StateSecret), Err((secret, true)));
    assert_eq!(refused(unit, SecrecyMark::WorkSecret), Err((secret, true)));
    assert_eq!(refused(service, SecrecyMark::StateSecret), Err((secret, false)));
    assert_eq!(refused(service, SecrecyMark::WorkSecret), Ok(()));
}

/// CAT-20: a list of theme libraries that has ended is remarked on with its last day.
#[test]
fn cat_20_an_expired_list_warns() {
    let with = |library| EntryContent {
        particulars: Some(EntryParticulars {
            library: Some(library),
            ..EntryParticulars::default()
        }),
        ..EntryContent::default()
    };
    let resolution = rules(PartyClass::GovernmentDepartment);
    let warned = |library| entry_warnings(&resolution, &with(library));
    assert_eq!(warned(Library::Theme("交通运输".to_owned())), []);
    assert_eq!(warned(Library::Base("任何".to_owned())), []);
    let found = warned(Library::Theme("出行".to_owned()));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].expired, Some("2026-06-06".parse().expect("a day")));
    assert_eq!(found[0].rule.id, "PLAN24-2.2.5-1-theme-libraries");
}
