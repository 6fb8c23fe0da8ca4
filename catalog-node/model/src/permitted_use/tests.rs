use super::*;
use crate::{
    grant::{GrantCourse, UseAgreement},
    ids::{EntryId, GrantId, OrganizationId, RequestId, SystemId},
    name::Resource,
    organization::{DataKind, PartyClass},
    rule_pack::{Pair, RulePack},
    share_request::{Party, Term},
    time::UtcMillis,
};

const NAMES: [&str; 2] = ["name", "number"];

fn name(resource: Resource) -> ResourceName {
    ResourceName::new("xiamen".parse().unwrap(), resource)
}

fn party(n: u8) -> Party {
    Party {
        domain: "xiamen".parse().unwrap(),
        organization: OrganizationId::from_bytes([n; 16]),
        name: format!("party {n}"),
        class: Some(PartyClass::GovernmentDepartment),
    }
}

fn system(n: u8) -> ResourceName {
    let organization = OrganizationId::from_bytes([1; 16]);
    name(Resource::System(organization, SystemId::from_bytes([n; 16])))
}

fn day(text: &str) -> LocalDate {
    text.parse().unwrap()
}

fn grant() -> Grant {
    Grant {
        id: GrantId::from_bytes([7; 16]),
        domain: "xiamen".parse().unwrap(),
        request: name(Resource::Request(RequestId::from_bytes([6; 16]))),
        entry: name(Resource::Entry(EntryId::from_bytes([5; 16]))),
        entry_version: 1,
        provider: party(2),
        consumer: party(1),
        system: system(4),
        scenario: "checks".to_owned(),
        items: NAMES.map(str::to_owned).to_vec(),
        row_scope: String::new(),
        term: Term { from: day("2026-09-21"), to: day("2026-12-31") },
        state: GrantState::Active,
        suspension: None,
        termination_reason: String::new(),
        rule: None,
        version: 1,
        granted_time: UtcMillis(0),
        updated_time: UtcMillis(0),
        course: None,
        rate_per_day: None,
    }
}

fn rules(composition: &str) -> Resolution {
    let class = PartyClass::GovernmentDepartment;
    let pair = Pair { asker: class, provider: class, data: DataKind::GovernmentData };
    RulePack::embedded().resolve(composition, pair, day("2026-09-22")).unwrap()
}

type Change = dyn Fn(&mut Grant, &mut Use<'_>);

/// What `change` makes of a use that is permitted otherwise.
fn asked(change: impl Fn(&mut Grant, &mut Use<'_>)) -> Result<(), Reason> {
    let mut grant = grant();
    let (system, items) = (system(4), NAMES.map(str::to_owned));
    let mut wanted = Use {
        system: &system,
        scenario: "checks",
        items: &items,
        row_scope: "",
        third_party: None,
        date: day("2026-09-22"),
        calls_before: 0,
    };
    change(&mut grant, &mut wanted);
    may_use(&grant, &rules("xiamen-today"), &wanted).map_err(|refusal| refusal.reason)
}

/// SHR-10, must-refuse 12: each way beyond a right has its own reason.
#[test]
fn each_way_beyond_a_right_has_its_reason() {
    assert_eq!(asked(|_, _| {}), Ok(()));
    assert_eq!(asked(|_, wanted| wanted.date = day("2026-12-31")), Ok(()));
    let refused: [(&Change, Reason); 9] = [
        (&|grant, _| grant.state = GrantState::Suspended, Reason::GrantSuspended),
        (&|grant, _| grant.state = GrantState::Disposed, Reason::GrantEnded),
        (&|grant, _| grant.state = GrantState::Ended, Reason::GrantEnded),
        (&|_, wanted| wanted.date = day("2027-01-01"), Reason::UseOutsideTerm),
        (&|_, wanted| wanted.date = day("2026-09-20"), Reason::UseOutsideTerm),
        (&|_, wanted| wanted.scenario = "sales", Reason::UseOutsideScenario),
        (&|_, wanted| wanted.third_party = Some("a bank"), Reason::WiderUseNotPermitted),
        (&|grant, _| grant.items.truncate(1), Reason::UseOutsideItems),
        (&|grant, _| grant.row_scope = "Siming".to_owned(), Reason::UseOutsideRows),
    ];
    for (change, reason) in refused {
        assert_eq!(asked(change), Err(reason));
    }
    let mut moved = grant();
    moved.system = system(9);
    assert_eq!(
        asked(|grant, _| grant.system = moved.system.clone()),
        Err(Reason::UseByOtherSystem)
    );
    let rated = |calls| {
        move |grant: &mut Grant, wanted: &mut Use<'_>| {
            grant.rate_per_day = Some(2);
            wanted.calls_before = calls;
        }
    };
    assert_eq!(asked(rated(1)), Ok(()));
    assert_eq!(asked(rated(2)), Err(Reason::UseRateExceeded));
}

/// SHR-10, must-refuse 13: Xiamen's text is absolute, and both texts are named.
#[test]
fn what_any_text_forbids_is_forbidden() {
    let permitted = |composition: &str, kind| rules(composition).wider_use_permitted(kind);
    let national = permitted("province-today", WiderUseKind::ThirdParty).unwrap();
    assert_eq!(national.id, "N809-25-1-third-party");
    let forbidden = permitted("xiamen-today", WiderUseKind::ThirdParty).unwrap_err();
    assert_eq!(forbidden.rule.clone().unwrap().id, "REG22-27-2-third-party");
    assert_eq!(forbidden.wider, [national]);
    assert!(permitted("xiamen-today", WiderUseKind::OtherPurpose).is_err());
    assert!(permitted("province-today", WiderUseKind::OtherPurpose).is_ok());
}

/// SHR-13: without the switch of the house nothing waits for an agreement.
#[test]
fn an_agreement_is_no_condition_of_use() {
    let rules = rules("xiamen-today");
    assert_eq!(rules.house_switch(HouseSwitch::AgreementBeforeUse), None);
    assert_eq!(rules.supervision_agreement(), None);
    let agreed = GrantCourse {
        agreement: Some(UseAgreement {
            number: "7".to_owned(),
            digest: crate::document_digest::DocumentDigest([0; 32]),
            signed: day("2026-09-21"),
            recorded_time: UtcMillis(0),
        }),
        ..GrantCourse::default()
    };
    assert_eq!(asked(|grant, _| grant.course = Some(Box::new(agreed.clone()))), Ok(()));
}
