//! People who come and go, and the catalog that is looked over: who files whom, and who rules?

use catalog_model::reason::Reason;
use federation_tests::{
    publishing::{attribute, entry},
    role::{Role, refusal, request_id},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT};
use luqiao_proto::{
    catalog::v1::{ConsentEntryRequest, SharingKind},
    entry::v1::{
        GetReclassificationPassRequest, ListWorklistRequest, RuleReclassificationRequest,
        StartReclassificationRequest,
    },
    organization::v1::{
        CreatePersonRequest, GetPersonRequest, Person, PersonRole, RoleTerm, UpdatePersonRequest,
    },
};

use super::{Stage, paper, wrong};

/// CAT-18: roles have their time, and who left consents to nothing. CAT-28: a pass over the catalog.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_18_people_come_and_go_and_cat_28_the_catalog_is_looked_over() {
    let stage = Stage::set().await;
    let (press, provider, asker) = (&stage.press, &stage.press.provider, &stage.asker);
    let head = Person {
        display_name: "林某".to_owned(),
        roles: vec![PersonRole::DepartmentHead.into()],
        ..Default::default()
    };
    let head = until_answered!(provider.organizations().create_person(CreatePersonRequest {
        parent: provider.organization(),
        person: Some(head.clone()),
        request_id: request_id(),
    }))
    .expect("an organization files its own people");
    assert_eq!(head.terms, []);
    let update = |etag: &str, person: Option<Person>| UpdatePersonRequest {
        name: head.name.clone(),
        etag: etag.to_owned(),
        person,
        request_id: request_id(),
    };
    let term = |from: &str, until: &str| RoleTerm {
        role: PersonRole::DepartmentHead.into(),
        from: from.to_owned(),
        until: until.to_owned(),
    };
    let with = |terms: Vec<RoleTerm>| Some(Person { terms, ..Default::default() });
    let etag = head.etag.as_str();
    let empty = until_answered!(provider.organizations().update_person(update(etag, None)));
    assert_eq!(wrong(empty), (Reason::FieldInvalid, vec!["person".to_owned()]));
    let dayless = with(vec![RoleTerm { role: 9, ..term("2026", "") }]);
    let dayless =
        until_answered!(provider.organizations().update_person(update(etag, dayless.clone())));
    let fields = ["person.terms[0].role", "person.terms[0].from"].map(str::to_owned).to_vec();
    assert_eq!(wrong(dayless), (Reason::FieldInvalid, fields));
    let turned = with(vec![term("2026-09-01", "2026-08-31")]);
    let turned =
        until_answered!(provider.organizations().update_person(update(etag, turned.clone())));
    assert_eq!(wrong(turned), (Reason::FieldInvalid, vec!["person.terms[0].until".to_owned()]));
    let left = with(vec![term("2026-01-01", "2026-09-20")]);
    let stranger = until_answered!(asker.organizations().update_person(update(etag, left.clone())));
    assert_eq!(refusal(stranger), Reason::NotFound);
    let stale =
        until_answered!(provider.organizations().update_person(update("\"v7\"", left.clone())));
    assert_eq!(refusal(stale), Reason::EtagMismatch);
    let gone = until_answered!(provider.organizations().update_person(update(etag, left.clone())))
        .expect("who left stays on file");
    assert_eq!((gone.roles, gone.display_name.as_str()), (vec![], "林某"));
    assert_eq!(gone.terms, [term("2026-01-01", "2026-09-20")]);

    // Yesterday was the last day: no consent today.
    let draft = press.register(entry(provider, "节目备案信息", SharingKind::Conditional)).await;
    let draft = draft.expect("a draft");
    let consent = || ConsentEntryRequest {
        name: draft.name.clone(),
        etag: draft.etag.clone(),
        person: head.name.clone(),
        standing_answer: false,
        request_id: request_id(),
    };
    let too_late = until_answered!(provider.catalog().consent_entry(consent()));
    assert_eq!(refusal(too_late), Reason::ConsentNotByHead);
    let said = stage
        .luqiao(
            DEPARTMENT,
            &["person", "update", &head.name, "--term", "department-head,2026-09-21"],
        )
        .well();
    assert_eq!(said.last_object()["roles"][0], "PERSON_ROLE_DEPARTMENT_HEAD");
    until_answered!(provider.catalog().consent_entry(consent())).expect("a head again");
    let seen = GetPersonRequest { name: head.name.clone() };
    let hidden = until_answered!(asker.organizations().get_person(seen.clone()));
    assert_eq!(refusal(hidden), Reason::NotFound);

    reclassification(&stage).await;
}

/// CAT-28: the authority has the bases looked at; what rests on enough is not listed.
async fn reclassification(stage: &Stage) {
    let (press, authority, provider) = (&stage.press, &stage.authority, &stage.press.provider);
    let listed = press
        .put("举报线索信息", SharingKind::NotShared)
        .await
        .expect("a basis that names the law is enough");
    assert_eq!(listed.sharing, Some(attribute(SharingKind::NotShared)));
    let pass = |role: &Role| GetReclassificationPassRequest { name: role.domain() };
    let none = until_answered!(authority.entries().get_reclassification_pass(pass(authority)));
    assert_eq!(refusal(none), Reason::NotFound);
    let start = |cause: &str| StartReclassificationRequest {
        parent: authority.domain(),
        cause: cause.to_owned(),
        request_id: request_id(),
    };
    let own = until_answered!(provider.entries().start_reclassification(start("想看看")));
    assert_eq!(refusal(own), Reason::CallerNotPermitted);
    let mute = until_answered!(authority.entries().start_reclassification(start("")));
    assert_eq!(refusal(mute), Reason::ReasonMissing);
    let begun = until_answered!(authority.entries().start_reclassification(start("年度清查")))
        .expect("the authority may");
    assert_eq!((begun.number, begun.seen_count, begun.listed_count), (1, 1, 0));
    assert!(begun.finish_time.is_some(), "one entry is one portion");
    let seen = until_answered!(authority.entries().get_reclassification_pass(pass(authority)));
    assert_eq!(seen.expect("the last pass"), begun);
    let hidden = until_answered!(provider.entries().get_reclassification_pass(pass(provider)));
    assert_eq!(refusal(hidden), Reason::NotFound);
    let question = ListWorklistRequest {
        parent: authority.domain(),
        include_closed: true,
        ..Default::default()
    };
    let list = until_answered!(authority.entries().list_worklist(question.clone()));
    assert_eq!(list.expect("a list").items, []);
    let ruling = RuleReclassificationRequest {
        name: listed.name.clone(),
        decision: Some(paper()),
        request_id: request_id(),
    };
    let unlisted = until_answered!(authority.entries().rule_reclassification(ruling.clone()));
    assert_eq!(refusal(unlisted), Reason::NotOnWorklist);
    let said = stage.luqiao(AUTHORITY, &["worklist", "pass"]).well().last_object();
    assert_eq!(said["cause"], "年度清查");
}
