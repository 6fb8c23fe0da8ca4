use std::collections::BTreeSet;

use serde_json::{Value, json};
use ulid::Ulid;

use super::*;
use crate::{
    catalog_entry::{
        Assessment, AssessmentKind, DataFormat, EntryContent, EntryOrigin, EntryState, Grade,
        ItemType, SharingMethod, SourceLink, UpdateCycle,
    },
    ids::{EntryId, OrganizationId, SystemId},
    name::{Resource, ResourceName},
    organization::{DataKind, PartyClass},
    rule::Rank,
    rule_pack::{Pair, RulePack},
    share_request::{Decider, ItemReason, PartyRole, Term},
    sharing::LegalCitation,
    time::UtcMillis,
};

const GOV: PartyClass = PartyClass::GovernmentDepartment;
const SERVICE: PartyClass = PartyClass::PublicServiceOrganization;

fn date(text: &str) -> LocalDate {
    text.parse().expect("a date")
}

fn today() -> LocalDate {
    date("2026-09-21")
}

fn pair(asker: PartyClass, provider: PartyClass) -> Pair {
    Pair { asker, provider, data: DataKind::GovernmentData }
}

fn rules(composition: &str, asker: PartyClass, provider: PartyClass) -> Resolution {
    RulePack::embedded().resolve(composition, pair(asker, provider), today()).expect("known")
}

fn xiamen() -> Resolution {
    rules("xiamen-today", GOV, GOV)
}

fn fuzhou_outside() -> Resolution {
    let mut pack: Value = serde_json::from_str(RulePack::embedded().json()).expect("JSON");
    pack["compositions"]["fuzhou"] = json!({"order": ["fuzhou", "house"], "by_scope": []});
    let pack = RulePack::parse(&pack.to_string()).expect("a pack");
    pack.resolve("fuzhou", pair(GOV, GOV), today()).expect("known")
}

fn item(name: &str, sharing: Option<SharingKind>) -> DataItem {
    DataItem {
        name: name.to_owned(),
        name_en: String::new(),
        item_type: ItemType::Character,
        description: String::new(),
        sharing,
        grade: None,
        personal: false,
        basis: None,
    }
}

fn system() -> SystemId {
    SystemId(Ulid::from_bytes([7; 16]))
}

fn law(rank: Rank, quote: &str) -> LegalCitation {
    LegalCitation {
        title: "某法".to_owned(),
        article: "11".to_owned(),
        rank,
        quote: quote.to_owned(),
    }
}

/// An entry that may be published in Xiamen: conditional, with one open item.
fn entry() -> CatalogEntry {
    let forbidding = Some(law(Rank::Law, "不得向任何单位提供举报人信息"));
    let passed = |kind| Assessment { kind, passed: true, date: today(), note: String::new() };
    CatalogEntry {
        id: EntryId(Ulid::from_bytes([1; 16])),
        domain: "xiamen".parse().expect("a domain"),
        provider: OrganizationId(Ulid::from_bytes([2; 16])),
        provider_name: "市房屋维修中心".to_owned(),
        kind: DataKind::GovernmentData,
        state: EntryState::Published,
        origin: EntryOrigin::Registered,
        content: EntryContent {
            title: "维修信息".to_owned(),
            title_en: String::new(),
            abstract_text: String::new(),
            abstract_en: String::new(),
            classification: String::new(),
            resource_code: String::new(),
            formats: vec![DataFormat::Database],
            items: vec![
                item("地址", Some(SharingKind::Unconditional)),
                item("业主", None),
                DataItem { basis: forbidding, ..item("举报人", Some(SharingKind::NotShared)) },
            ],
            update_cycle: Some(UpdateCycle::Day),
            sharing: Some(SharingAttribute::Conditional {
                scope: "政务部门".to_owned(),
                purpose: "房屋安全管理".to_owned(),
                basis: None,
            }),
            sharing_method: Some(SharingMethod::ServiceInterface),
            conditions_of_use: String::new(),
            open_type: None,
            grade: Some(Grade::General(3)),
            assessments: vec![
                passed(AssessmentKind::SecrecyRisk),
                passed(AssessmentKind::PersonalInformationImpact),
            ],
            links: vec![SourceLink { system: system(), dataset: "repairs".to_owned() }],
            duty_basis: String::new(),
            related_codes: Vec::new(),
            keywords: Vec::new(),
            region_code: "350200".to_owned(),
            issued_date: None,
            synthetic: false,
            particulars: None,
        },
        version: 1,
        published_version: 1,
        return_reason: String::new(),
        created_time: UtcMillis(0),
        updated_time: UtcMillis(0),
        published_time: None,
        provider_class: Some(GOV),
    }
}

fn request(items: &[&str]) -> RequestContent {
    use Commitment as C;
    RequestContent {
        entry: ResourceName::new(
            "xiamen".parse().expect("a domain"),
            Resource::Entry(EntryId(Ulid::from_bytes([1; 16]))),
        ),
        system: system(),
        scenario: "危房排查".to_owned(),
        duty_basis: "三定方案第二条".to_owned(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        item_reasons: Vec::new(),
        row_scope: String::new(),
        method: Some(SharingMethod::ServiceInterface),
        term: Some(Term { from: today(), to: date("2027-09-20") }),
        commitments: vec![
            C::ScenarioAuthentic,
            C::ScenarioCompliant,
            C::ScenarioSecure,
            C::RequestAuthentic,
            C::RequestLawful,
            C::RequestNecessary,
        ],
        rate_per_day: None,
        renews: None,
    }
}

fn asked(
    resolution: &Resolution,
    entry: &CatalogEntry,
    request: &RequestContent,
) -> Result<Route, Refusal> {
    decide(resolution, &EntryFacts::of(entry, true), request, today())
}

/// The reason, the rule and the fields of a refusal.
fn told(refusal: &Refusal) -> (Reason, &str, Vec<&str>) {
    let rule = refusal.rule.as_ref().map_or("", |rule| rule.id.as_str());
    (refusal.reason, rule, refusal.fields.iter().map(|field| field.field.as_str()).collect())
}

#[test]
fn shr_06_conditional_items_open_a_case() {
    let Ok(Route::OpenCase { sharing, rules, answer }) =
        asked(&xiamen(), &entry(), &request(&["业主"]))
    else {
        panic!("a case")
    };
    assert_eq!(sharing, SharingKind::Conditional);
    assert_eq!((answer.0, answer.1.id.as_str()), (WorkingDays(10), "N809-21-1-conditional-answer"));
    assert_eq!(rules.composition, "xiamen-today");
    assert_eq!((rules.scope.as_str(), rules.pack_version), ("gov_to_gov", 2));
    assert_eq!((rules.debtor, rules.decider), (PartyRole::Provider, Decider::Provider));
    assert_eq!(rules.escalation, PartyRole::Authority);
    assert_eq!(rules.decider_rule.id, "N809-20-3-decider");
    assert!(rules.answer_head_consent.is_some());
    assert_eq!(rules.answer_rule, Some(answer.1));
}

#[test]
fn shr_06_the_pair_names_the_decider() {
    let check = |resolution: &Resolution, decider, debtor, escalation, days, rule: &str| {
        let Ok(Route::OpenCase { rules, answer, .. }) =
            asked(resolution, &entry(), &request(&["业主"]))
        else {
            panic!("a case")
        };
        assert_eq!((rules.decider, rules.debtor, rules.escalation), (decider, debtor, escalation));
        assert_eq!((answer.0.0, answer.1.id.as_str()), (days, rule));
    };
    check(
        &rules("xiamen-today", SERVICE, GOV),
        Decider::AuthorityWithProvider,
        PartyRole::AuthorityAndProvider,
        PartyRole::GovernmentOrSuperior,
        10,
        "HOUSE-reasonable-period",
    );
    check(
        &fuzhou_outside(),
        Decider::Authority,
        PartyRole::Authority,
        PartyRole::GovernmentOrSuperior,
        20,
        "FZ-M-17-1-answer",
    );
    check(
        &rules("province-today", GOV, GOV),
        Decider::Provider,
        PartyRole::Provider,
        PartyRole::Authority,
        10,
        "N809-21-1-conditional-answer",
    );
}

#[test]
fn shr_05_unconditional_items_are_granted_at_once() {
    let Ok(Route::GrantAtOnce { rule, clock, .. }) =
        asked(&xiamen(), &entry(), &request(&["地址"]))
    else {
        panic!("a grant")
    };
    assert_eq!(rule.id, "HOUSE-standing-answer");
    let (days, clock) = clock.expect("the clock that the grant meets");
    assert_eq!((days, clock.id.as_str()), (WorkingDays(1), "N809-21-1-unconditional-answer"));

    // Where the law knows direct access and no head's consent, no standing answer is needed.
    let outside = rules("xiamen-today", SERVICE, GOV);
    let entry = entry();
    let facts = EntryFacts::of(&entry, false);
    let Ok(Route::GrantAtOnce { rule, clock, .. }) =
        decide(&outside, &facts, &request(&["地址"]), today())
    else {
        panic!("a grant")
    };
    assert_eq!((rule.id.as_str(), clock), ("REG22-26-2-unconditional", None));

    // Under the decree an answer needs the head: without a standing answer a day's clock runs.
    let Ok(Route::OpenCase { sharing, answer, .. }) =
        decide(&xiamen(), &facts, &request(&["地址"]), today())
    else {
        panic!("a case")
    };
    assert_eq!((sharing, answer.0), (SharingKind::Unconditional, WorkingDays(1)));
}

#[test]
fn the_strictest_item_asked_for_decides() {
    let route = asked(&xiamen(), &entry(), &request(&["地址", "业主"])).expect("a case");
    assert!(matches!(route, Route::OpenCase { sharing: SharingKind::Conditional, .. }));
    let refusal = asked(&xiamen(), &entry(), &request(&["地址", "举报人"])).expect_err("refused");
    let expected = (Reason::ItemNotShared, "N809-14-1-none-basis", vec!["request.items[1]"]);
    assert_eq!(told(&refusal), expected);
    assert_eq!(refusal.facts["item"], "举报人");
}

#[test]
fn shr_03_what_is_not_shared_is_refused_with_its_basis() {
    let mut entry = entry();
    entry.content.sharing = Some(SharingAttribute::NotShared {
        reason: "法律禁止".to_owned(),
        basis: Some(law(Rank::Law, "不得对外提供")),
    });
    entry.content.items[0].sharing = None;
    let refusal = asked(&xiamen(), &entry, &request(&["地址"])).expect_err("refused");
    assert_eq!(told(&refusal), (Reason::NotShared, "N809-14-1-none-basis", vec![]));
    assert_eq!(refusal.facts["basis"], "《某法》第11条「不得对外提供」");
    assert!(refusal.text(Lang::Zh).contains("第14条第1款"), "{}", refusal.text(Lang::Zh));
    // An item with an attribute of its own stands above the entry.
    entry.content.items[0].sharing = Some(SharingKind::Unconditional);
    assert!(asked(&xiamen(), &entry, &request(&["地址"])).is_ok());
    assert_eq!(
        asked(&xiamen(), &entry, &request(&["业主"])).expect_err("refused").reason,
        Reason::NotShared
    );
}

#[test]
fn what_is_not_in_the_catalog_is_not_available() {
    for state in [EntryState::ImportedDraft, EntryState::Submitted, EntryState::Withdrawn] {
        let entry = CatalogEntry { state, ..entry() };
        let refusal = asked(&xiamen(), &entry, &request(&["地址"])).expect_err("refused");
        assert_eq!(refusal.reason, Reason::EntryNotAvailable);
    }
}

/// SHR-09: what the request must say, with the rule that asks for it.
#[test]
fn shr_09_requests_say_what_the_rules_ask() {
    let check = |change: &dyn Fn(&mut RequestContent), reason, rule: &str, field: &str| {
        let mut request = request(&["业主"]);
        change(&mut request);
        let refusal = asked(&xiamen(), &entry(), &request).expect_err(field);
        assert_eq!(told(&refusal), (reason, rule, vec![field]));
    };
    let contents = "N809-20-2-request-contents";
    check(&|r| r.scenario = " ".to_owned(), Reason::ScenarioMissing, contents, "request.scenario");
    check(&|r| r.duty_basis.clear(), Reason::DutyBasisMissing, contents, "request.duty_basis");
    check(&|r| r.items.clear(), Reason::ScopeMissing, contents, "request.items");
    check(&|r| r.method = None, Reason::MethodMissing, contents, "request.method");
    check(&|r| r.term = None, Reason::TermMissing, contents, "request.term");
    let term = |from: &str, to: &str| Some(Term { from: date(from), to: date(to) });
    for (from, to) in [("2026-10-02", "2026-10-01"), ("2026-01-01", "2026-09-20")] {
        check(&|r| r.term = term(from, to), Reason::TermInvalid, "", "request.term.to");
    }
    for (place, rule) in [(0, "REG22-27-1-commitments"), (4, "N809-20-2-request-guarantee")] {
        check(
            &|r| {
                r.commitments.remove(place);
            },
            Reason::CommitmentMissing,
            rule,
            "request.commitments",
        );
    }
    check(&|r| r.items.push("身份证号".to_owned()), Reason::ItemUnknown, "", "request.items[1]");
}

/// One refusal tells everything; the first fault gives reason and rule.
#[test]
fn refusals_collect_all_fields() {
    let mut request = request(&["业主", "身份证号"]);
    request.scenario.clear();
    request.term = None;
    request.commitments.clear();
    let refusal = asked(&xiamen(), &entry(), &request).expect_err("refused");
    assert_eq!(
        told(&refusal),
        (
            Reason::ScenarioMissing,
            "N809-20-2-request-contents",
            vec!["request.scenario", "request.term", "request.commitments", "request.items[1]"]
        )
    );
    let commitments = &refusal.fields[2];
    assert!(commitments.zh.contains("应用场景的真实性"), "{}", commitments.zh);
    assert!(commitments.en.contains("art. 20¶2"), "a later fault carries its own rule");
}

/// SHR-09: a reason for each item is nobody's rule, and one reason may cover a group.
#[test]
fn shr_09_reasons_for_items_are_optional() {
    let mut request = request(&["地址", "业主"]);
    assert!(asked(&xiamen(), &entry(), &request).is_ok());
    request.item_reasons =
        vec![ItemReason { items: request.items.clone(), reason: "定位与联系".to_owned() }];
    assert!(asked(&xiamen(), &entry(), &request).is_ok());
    request.item_reasons[0].items.push("电话".to_owned());
    let refusal = asked(&xiamen(), &entry(), &request).expect_err("refused");
    let expected = (Reason::FieldInvalid, "", vec!["request.item_reasons[0].items"]);
    assert_eq!(told(&refusal), expected);
}

/// "Must refuse" 8 and 50: outside the decree only Xiamen's words are asked for.
#[test]
fn shr_09_outside_the_decree_less_is_asked() {
    let mut request = request(&["业主"]);
    request.duty_basis.clear();
    request.method = None;
    request.term = None;
    request.commitments.truncate(3);
    assert!(asked(&rules("xiamen-today", SERVICE, GOV), &entry(), &request).is_ok());
    request.commitments.truncate(2);
    let refusal = asked(&rules("xiamen-today", SERVICE, GOV), &entry(), &request);
    assert_eq!(refusal.expect_err("refused").reason, Reason::CommitmentMissing);
    request.items.clear();
    let refusal = asked(&rules("xiamen-today", SERVICE, GOV), &entry(), &request);
    let refusal = refusal.expect_err("a grant names its items");
    assert_eq!(told(&refusal).1, "REG22-27-1-least-necessary");
}

/// POL-03: nobody decides by guess.
#[test]
fn pol_03_no_rule_in_force_is_a_refusal() {
    let nowhere = rules("province-today", SERVICE, GOV);
    let refusal = asked(&nowhere, &entry(), &request(&["业主"])).expect_err("refused");
    assert_eq!(refusal.reason, Reason::NoRuleInForce);
    assert_eq!(refusal.facts["key"], "sharing.conditional.decider");
}

#[test]
fn request_texts_are_checked_first() {
    let mut long = request(&["业主"]);
    long.scenario = "景".repeat(MAX_TEXT + 1);
    let refusal = asked(&xiamen(), &entry(), &long).expect_err("refused");
    assert_eq!(refusal.reason, Reason::TextTooLong);
    assert_eq!(refusal.facts["length"], (MAX_TEXT + 1).to_string());
    let twice = request(&["业主", "业主"]);
    let refusal = asked(&xiamen(), &entry(), &twice).expect_err("refused");
    assert_eq!(refusal.reason, Reason::ItemsDuplicate);
}

fn publishable(resolution: &Resolution, entry: &CatalogEntry) -> Result<(), Refusal> {
    let systems = BTreeSet::from([system()]);
    let provider = ProviderFacts { capacities: &[DataKind::GovernmentData], systems: &systems };
    check_publishable(resolution, entry, &provider)
}

#[test]
fn a_complete_entry_may_be_published() {
    assert_eq!(publishable(&xiamen(), &entry()), Ok(()));
    assert_eq!(publishable(&rules("province-today", GOV, GOV), &entry()), Ok(()));
}

/// Each duty of publication: the change, the reason, the rule, the field.
#[test]
fn publication_asks_what_the_rules_ask() {
    let check = |change: &dyn Fn(&mut CatalogEntry), reason, rule: &str, field: &str| {
        let mut entry = entry();
        change(&mut entry);
        let refusal = publishable(&xiamen(), &entry).expect_err(field);
        assert_eq!(told(&refusal), (reason, rule, vec![field]));
    };
    let contents = "N809-13-2-contents";
    // CAT-01
    check(
        &|e| e.kind = DataKind::PublicServiceData,
        Reason::DataKindNotPermitted,
        "",
        "entry.kind",
    );
    // CAT-02, 11, 27
    check(&|e| e.content.title.clear(), Reason::EntryIncomplete, contents, "entry.title");
    check(&|e| e.content.items.clear(), Reason::EntryIncomplete, contents, "entry.items");
    check(&|e| e.content.formats.clear(), Reason::EntryIncomplete, contents, "entry.formats");
    check(
        &|e| e.content.update_cycle = None,
        Reason::EntryIncomplete,
        contents,
        "entry.update_cycle",
    );
    check(
        &|e| e.content.sharing_method = None,
        Reason::EntryIncomplete,
        contents,
        "entry.sharing_method",
    );
    // SHR-01
    check(
        &|e| {
            e.content.sharing = None;
            e.content.items.truncate(2);
        },
        Reason::SharingAttributeMissing,
        contents,
        "entry.sharing",
    );
    // CAT-07
    check(&|e| e.content.grade = None, Reason::EntryGradeMissing, contents, "entry.grade");
    check(
        &|e| e.content.items[1].grade = Some(Grade::Important),
        Reason::EntryGradeTooLow,
        contents,
        "entry.items[1].grade",
    );
    // CAT-27
    let assessments = "N809-13-1-assessments";
    check(
        &|e| {
            e.content.assessments.remove(0);
        },
        Reason::AssessmentMissing,
        assessments,
        "entry.assessments",
    );
    check(
        &|e| {
            let failed = Assessment { passed: false, ..e.content.assessments[1].clone() };
            e.content.assessments.push(failed);
        },
        Reason::AssessmentMissing,
        assessments,
        "entry.assessments",
    );
    // CAT-05
    let links = "HOUSE-catalog-links";
    check(&|e| e.content.links.clear(), Reason::EntryLinksMissing, links, "entry.links");
    check(
        &|e| e.content.links[0].dataset.clear(),
        Reason::EntryLinksMissing,
        links,
        "entry.links[0].dataset",
    );
    check(
        &|e| e.content.links[0].system = SystemId(Ulid::from_bytes([9; 16])),
        Reason::EntryLinkUnknown,
        "",
        "entry.links[0].system",
    );
    // SHR-04
    let conditional = |scope: &str, purpose: &str| {
        let (scope, purpose) = (scope.to_owned(), purpose.to_owned());
        Some(SharingAttribute::Conditional { scope, purpose, basis: None })
    };
    let conditions = "N809-15-2-conditional-conditions";
    check(
        &|e| e.content.sharing = conditional(" ", "x"),
        Reason::ConditionsMissing,
        conditions,
        "entry.sharing.scope",
    );
    check(
        &|e| e.content.sharing = conditional("x", ""),
        Reason::ConditionsMissing,
        conditions,
        "entry.sharing.purpose",
    );
    check(
        &|e| {
            e.content.sharing = Some(SharingAttribute::Unconditional);
            e.content.items[1].sharing = Some(SharingKind::Conditional);
        },
        Reason::ConditionsMissing,
        conditions,
        "entry.items[1].sharing",
    );
    // SHR-03, of an item
    check(
        &|e| e.content.items[2].basis = None,
        Reason::BasisMissing,
        "N809-14-1-none-basis",
        "entry.items[2].basis",
    );
}

/// SHR-03: what may carry "not shared", by composition.
#[test]
fn shr_03_not_shared_needs_its_basis() {
    let outside = RulePack::embedded()
        .resolve("xiamen-today", pair(GOV, SERVICE), today())
        .expect("a composition");
    let check = |resolution: &Resolution, reason: &str, basis, expected: Option<(Reason, &str)>| {
        let mut entry = entry();
        entry.content.sharing =
            Some(SharingAttribute::NotShared { reason: reason.to_owned(), basis });
        entry.content.sharing_method = None;
        match (publishable(resolution, &entry), expected) {
            (Ok(()), None) => {}
            (Err(refusal), Some(expected)) => {
                assert_eq!((told(&refusal).0, told(&refusal).1), expected);
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    };
    let forbids = "不得提供";
    let basis = "N809-14-1-none-basis";
    check(&xiamen(), "r", Some(law(Rank::Law, forbids)), None);
    check(&xiamen(), "r", Some(law(Rank::StateCouncilDecision, forbids)), None);
    check(&xiamen(), "r", None, Some((Reason::BasisMissing, basis)));
    let nameless = LegalCitation { title: String::new(), ..law(Rank::Law, forbids) };
    check(&xiamen(), "r", Some(nameless), Some((Reason::BasisMissing, basis)));
    for rank in [Rank::SpecialZoneRegulation, Rank::LocalRegulation, Rank::OtherStatePolicy] {
        let too_low = Some((Reason::BasisRankTooLow, basis));
        check(&xiamen(), "r", Some(law(rank, forbids)), too_low);
        check(&outside, "r", Some(law(rank, "")), None);
    }
    let plan = Some(law(Rank::Plan, ""));
    check(&outside, "r", plan, Some((Reason::BasisRankTooLow, "REG22-26-4-none-basis")));
    let explicit = Some((Reason::BasisNotExplicit, "N809-14-1-none-explicit"));
    check(&xiamen(), "r", Some(law(Rank::Law, " ")), explicit);
    let reason = Some((Reason::ReasonMissing, "N809-15-2-none-reason"));
    check(&xiamen(), "", Some(law(Rank::Law, forbids)), reason);
}

/// SHR-04: Fuzhou asks a basis of conditional entries, Xiamen does not.
#[test]
fn shr_04_fuzhou_asks_a_basis_of_conditional_entries() {
    let refusal = publishable(&fuzhou_outside(), &entry()).expect_err("no basis");
    let expected =
        (Reason::BasisMissing, "FZ-M-16-5-conditional-basis", vec!["entry.sharing.basis"]);
    assert_eq!(told(&refusal), expected);
}

/// "Must refuse" 2: the link is asked for while the switch is on, and only then.
#[test]
fn cat_05_without_the_house_rule_links_are_not_asked() {
    let mut pack: Value = serde_json::from_str(RulePack::embedded().json()).expect("JSON");
    let rules = pack["rules"].as_array_mut().expect("rules");
    rules.retain(|rule| rule["id"] != "HOUSE-catalog-links");
    let pack = RulePack::parse(&pack.to_string()).expect("a pack");
    let mut entry = entry();
    entry.content.links.clear();
    let on = |day| pack.resolve("xiamen-today", pair(GOV, GOV), date(day)).expect("known");
    assert_eq!(publishable(&on("2026-09-21"), &entry), Ok(()));
    let refusal = publishable(&on("2026-05-01"), &entry).expect_err("PLAN24 was in force");
    assert_eq!(told(&refusal).1, "PLAN24-2.2.1-1-one-ledger");
}

/// "Must refuse" 53: an imported draft is full of gaps, and all of them are told at once.
#[test]
fn cat_29_an_imported_draft_tells_all_its_gaps() {
    let mut draft = entry();
    draft.content.items.clear();
    draft.content.sharing = None;
    draft.content.sharing_method = None;
    draft.content.grade = None;
    draft.content.assessments.clear();
    draft.content.links.clear();
    let refusal = publishable(&xiamen(), &draft).expect_err("gaps");
    assert_eq!(
        told(&refusal),
        (
            Reason::EntryIncomplete,
            "N809-13-2-contents",
            vec![
                "entry.items",
                "entry.sharing",
                "entry.sharing_method",
                "entry.grade",
                "entry.assessments",
                "entry.assessments",
                "entry.links"
            ]
        )
    );
}

#[test]
fn content_is_checked_as_text() {
    assert_eq!(check_entry_content(&entry().content), Ok(()));
    let check = |change: &dyn Fn(&mut EntryContent), reason, field: &str| {
        let mut content = entry().content;
        change(&mut content);
        let refusal = check_entry_content(&content).expect_err(field);
        assert_eq!((refusal.reason, refusal.fields[0].field.as_str()), (reason, field));
    };
    check(&|c| c.title = "  ".to_owned(), Reason::FieldInvalid, "entry.title");
    check(&|c| c.title = "题".repeat(MAX_TITLE + 1), Reason::TextTooLong, "entry.title");
    check(&|c| c.title = "a\nb".to_owned(), Reason::TextControlCharacters, "entry.title");
    check(
        &|c| c.abstract_text = "a\u{0}b".to_owned(),
        Reason::TextControlCharacters,
        "entry.abstract",
    );
    check(&|c| c.region_code = "3502".to_owned(), Reason::FieldInvalid, "entry.region_code");
    check(&|c| c.grade = Some(Grade::General(5)), Reason::FieldInvalid, "entry.grade");
    check(&|c| c.items.push(item("业主", None)), Reason::ItemsDuplicate, "entry.items[3].name");
    check(&|c| c.items[0].name.clear(), Reason::FieldInvalid, "entry.items[0].name");
    check(&|c| c.formats.push(DataFormat::Database), Reason::FieldInvalid, "entry.formats");
    check(
        &|c| c.keywords = vec![String::new(); MAX_LIST + 1],
        Reason::TooManyItems,
        "entry.keywords",
    );
    let mut lines = entry().content;
    lines.abstract_text = "第一行\n第二行\t完".to_owned();
    assert_eq!(check_entry_content(&lines), Ok(()), "an abstract may have lines");
}
