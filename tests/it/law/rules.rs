//! The texts and what they do to cases: who loads them, what they say, which day they move.
//!
//! One city of real processes with two open cases, one between departments (the decree's ten days)
//! and one for data of a public service (the zone's rule on who decides). Requirements: POL-01,
//! POL-03, POL-05, POL-07, POL-08, CAL-11, SEC-18.

use catalog_model::{reason::Reason, rule_pack::RulePack};
use federation_tests::{
    asking::{content, filing},
    command_line::run,
    federation::Federation,
    publishing::entry,
    repository::read,
    role::{Role, refusal, request_id},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind},
    law::v1::{
        ChangedPart, DayKind, ExplainDeadlineRequest, ExplainDeadlineResponse, GetLateLawRequest,
        ListOutageRulingsRequest, ListOutagesRequest, ListRulingsRequest, OutageEffect,
        RecordOutageRequest, RecordRulingRequest, RuleOutageRequest, RulingKind, WhatIfRequest,
        WithdrawRulingRequest,
    },
    operations::v1::SetDevelopmentClockRequest,
    organization::v1::{CreatePersonRequest, DataKind, PartyClass, Person},
    rule::v1::{
        CheckRulePackRequest, CheckRulePackResponse, ClosureEffect, DeclareClosureRequest,
        ExplainRuleRequest, FindingSeverity, GetPendingWorkRequest, ListProposedEditsRequest,
        ListRulesRequest, LoadCalendarRequest, LoadRulePackRequest, LoadRulePackResponse, RulePair,
        RuleStanding, WithdrawClosureRequest,
    },
    sharing::v1::{Decider, GetRequestRequest, PaperDecision, ShareRequest},
};
use prost_types::Timestamp;
use serde_json::{Value, json};
use tonic::{Request, Status};

/// The rule of the decree on the answer clock, and that of the zone on who decides.
const CLOCK: &str = "N809-21-1-conditional-answer";
const DECIDER: &str = "REG22-26-3-decider";

struct Stage {
    city: Federation,
    asker: Role,
    provider: Role,
    /// Is party to the second case only.
    service: Role,
    authority: Role,
    authority_head: Role,
    /// A second person of the authority, for whom its system speaks.
    colleague: String,
    case: ShareRequest,
    joint: ShareRequest,
}

impl Stage {
    async fn set() -> Self {
        let city = Federation::start(&[Level::City]).await;
        let authority = city.role(Level::City, AUTHORITY);
        let asker = city.role(Level::City, OTHER_DEPARTMENT);
        let head = city.head(Level::City, OTHER_DEPARTMENT);
        let press = city.press(Level::City, DEPARTMENT);
        let listed = press.put("企业信用信息", SharingKind::Conditional).await.expect("listed");
        let service = city.press(Level::City, SERVICE);
        let mut water = entry(&service.provider, "用水信息", SharingKind::Conditional);
        water.kind = DataKind::PublicServiceData.into();
        let water = service.register(water).await.expect("a draft");
        let water = service.issue(&water).await.expect("listed");
        let colleague =
            until_answered!(authority.organizations().create_person(CreatePersonRequest {
                parent: authority.organization(),
                person: Some(Person {
                    display_name: "第二经办人（演示）".to_owned(),
                    ..Default::default()
                }),
                request_id: request_id(),
            }))
            .expect("a colleague")
            .name;
        let file = async |entry: &CatalogEntry| {
            let call = filing(&asker, &head, content(&asker, entry));
            until_answered!(asker.sharing().create_request(call.clone())).expect("a case")
        };
        let (case, joint) = (file(&listed).await, file(&water).await);
        assert_eq!(case.deadline.as_ref().expect("a clock").due_date, "2026-10-12");
        Self {
            authority_head: city.head(Level::City, AUTHORITY),
            provider: press.provider,
            service: service.provider,
            city,
            asker,
            authority,
            colleague,
            case,
            joint,
        }
    }

    /// The pair of the second case.
    fn joint_pair() -> RulePair {
        RulePair {
            requester_class: PartyClass::GovernmentDepartment.into(),
            provider_class: PartyClass::PublicServiceOrganization.into(),
            data_kind: DataKind::PublicServiceData.into(),
        }
    }

    async fn load(&self, by: &Role, json: &str) -> Result<LoadRulePackResponse, Status> {
        until_answered!(by.rules().load_rule_pack(LoadRulePackRequest {
            parent: by.domain(),
            json: json.to_owned(),
            reason: "依据文件修订（测试）".to_owned(),
            request_id: request_id(),
        }))
    }

    /// The same by the authority's system, which names a person.
    async fn load_for_colleague(&self, json: &str) -> Result<LoadRulePackResponse, Status> {
        let mut call = Request::new(LoadRulePackRequest {
            parent: self.authority.domain(),
            json: json.to_owned(),
            reason: "复核一致（测试）".to_owned(),
            request_id: request_id(),
        });
        call.metadata_mut()
            .insert("x-luqiao-person", self.colleague.parse().expect("a header value"));
        self.authority.rules().load_rule_pack(call).await.map(tonic::Response::into_inner)
    }

    async fn explained(&self, by: &Role, name: &str) -> Result<ExplainDeadlineResponse, Status> {
        let name = name.to_owned();
        until_answered!(by.law().explain_deadline(ExplainDeadlineRequest { name: name.clone() }))
    }

    async fn due(&self) -> String {
        let (asker, name) = (&self.asker, self.case.name.clone());
        let case =
            until_answered!(asker.sharing().get_request(GetRequestRequest { name: name.clone() }));
        case.expect("the case").deadline.expect("a clock").due_date
    }

    async fn clock_to(&self, seconds: i64) {
        let authority = &self.authority;
        until_answered!(authority.operations().set_development_clock(SetDevelopmentClockRequest {
            name: authority.domain(),
            time: Some(Timestamp { seconds, nanos: 0 }),
            request_id: request_id(),
        }))
        .expect("the clock moves");
    }
}

/// The pack that ships, changed.
fn pack(change: impl Fn(&mut Value)) -> String {
    let mut pack: Value = serde_json::from_str(RulePack::embedded().json()).expect("JSON");
    change(&mut pack);
    pack.to_string()
}

/// The pack that ships with another value in one field of one rule.
fn with_rule(id: &str, field: &str, value: &Value) -> String {
    pack(|pack| {
        let rules = pack["rules"].as_array_mut().expect("rules");
        let rule = rules.iter_mut().find(|rule| rule["id"] == id).expect("the rule");
        rule[field] = value.clone();
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_texts_are_asked_changed_and_move_days_as_pol_05_pol_07_and_cal_11_say() {
    let stage = Stage::set().await;
    what_holds(&stage).await;
    packs_that_are_refused(&stage).await;
    a_draft_is_held_against_the_cases(&stage).await;
    the_command_line_says_the_same(&stage);
    closures_move_days(&stage).await;
    calendars_that_are_refused(&stage).await;
    two_persons_load(&stage).await;
    rulings(&stage).await;
    outages(&stage).await;
}

async fn what_holds(stage: &Stage) {
    let asker = &stage.asker;
    let parent = asker.domain();
    let list = ListRulesRequest { parent: parent.clone(), ..Default::default() };
    let rules = until_answered!(asker.rules().list_rules(list.clone())).expect("the rules");
    let basis = rules.basis.expect("a basis");
    assert_eq!((basis.composition.as_str(), basis.scope.as_str()), ("xiamen-today", "gov_to_gov"));
    let answer = rules.rules.iter().find(|rule| rule.key == "sharing.conditional.answer");
    assert_eq!(answer.expect("the clock").value, "10 working days");

    let key = "sharing.conditional.answer";
    let ask =
        ExplainRuleRequest { parent: parent.clone(), key: key.to_owned(), ..Default::default() };
    let explained = until_answered!(asker.rules().explain_rule(ask.clone())).expect("the key");
    let explanation = explained.explanation.expect("an explanation");
    let gives = &explanation.rules[0];
    assert_eq!(gives.standing(), RuleStanding::Gives);
    let rule = gives.rule.as_ref().expect("a rule");
    assert_eq!((rule.id.as_str(), rule.article.as_str(), rule.paragraph), (CLOCK, "21", 1));
    assert!(rule.quote.contains("工作日"), "{rule:?}");
    assert!(explanation.lines[0].contains("10 working days"), "{:?}", explanation.lines);

    // What nobody can explain is refused with what there is.
    let wrong = [
        (
            ExplainRuleRequest { key: "sharing.anser".to_owned(), ..ask.clone() },
            Reason::FieldInvalid,
        ),
        (
            ExplainRuleRequest { composition: "xiamen".to_owned(), ..ask.clone() },
            Reason::FieldInvalid,
        ),
        (ExplainRuleRequest { date: "today".to_owned(), ..ask.clone() }, Reason::FieldInvalid),
        (
            ExplainRuleRequest { pair: Some(RulePair::default()), ..ask.clone() },
            Reason::FieldInvalid,
        ),
        (ExplainRuleRequest { rule_pack_version: 99, ..ask.clone() }, Reason::NotFound),
        (ExplainRuleRequest { parent: "domains/fujian".to_owned(), ..ask }, Reason::DomainUnknown),
    ];
    for (ask, reason) in wrong {
        let answer = until_answered!(asker.rules().explain_rule(ask.clone()));
        assert_eq!(refusal(answer), reason, "{ask:?}");
    }
}

async fn packs_that_are_refused(stage: &Stage) {
    let twice = pack(|pack| {
        let rules = pack["rules"].as_array_mut().expect("rules");
        let mut other = rules.iter().find(|rule| rule["id"] == DECIDER).expect("it").clone();
        other["id"] = json!("REG22-26-3-other");
        other["value"] = json!(["authority"]);
        rules.push(other);
    });
    let without_merge = pack(|pack| {
        let merge = pack["merge"].as_object_mut().expect("the table");
        merge.remove("sharing.conditional.answer").expect("its line");
    });
    let refused = [
        (twice, "contradict"),
        (with_rule(CLOCK, "key", &json!("sharing.conditional.anser")), "nearest"),
        (without_merge, "merge"),
        (with_rule(CLOCK, "scope", &json!(null)), "scope"),
        (with_rule(CLOCK, "scope", &json!("gov_to_gvo")), "gov_to_gov"),
        ("{".to_owned(), "line 1"),
    ];
    let authority = &stage.authority;
    for (json, cause) in &refused {
        let checked: CheckRulePackResponse =
            until_answered!(authority.rules().check_rule_pack(CheckRulePackRequest {
                parent: authority.domain(),
                json: json.clone(),
                date: String::new(),
            }))
            .expect("a check is no refusal");
        assert!(!checked.loadable, "{cause}");
        let first = checked.findings.first().expect("a finding");
        assert_eq!(first.severity(), FindingSeverity::Error);
        assert!(first.text.contains(cause), "{cause}: {}", first.text);
        assert_eq!(
            refusal(stage.load(&stage.authority_head, json).await),
            Reason::RulePackRefused,
            "{cause}"
        );
    }
    let shipped = RulePack::embedded().json();
    let checked = until_answered!(authority.rules().check_rule_pack(CheckRulePackRequest {
        parent: authority.domain(),
        json: shipped.to_owned(),
        date: String::new(),
    }))
    .expect("checked");
    assert!(checked.loadable && checked.in_force && checked.binds_since.is_empty());
}

async fn a_draft_is_held_against_the_cases(stage: &Stage) {
    let ask = |by: &Role| WhatIfRequest {
        parent: by.domain(),
        json: with_rule(CLOCK, "value", &json!(5)),
        since: "2026-09-21".to_owned(),
        ..Default::default()
    };
    let (authority, asker, service) = (&stage.authority, &stage.asker, &stage.service);
    let found = until_answered!(authority.law().what_if(ask(authority))).expect("the authority");
    assert_eq!((found.looked_at, found.differences.len()), (2, 1), "{found:?}");
    let difference = &found.differences[0];
    assert_eq!(difference.name, stage.case.name);
    assert_eq!(difference.changed().collect::<Vec<_>>(), [ChangedPart::DueDate]);
    let [old, new] = [&difference.old, &difference.new].map(|o| o.clone().expect("an outcome"));
    assert_eq!((old.due_date.as_str(), new.due_date.as_str()), ("2026-10-12", "2026-09-29"));
    assert_eq!((old.answer_days, new.answer_days), (10, 5));
    assert!(new.text.contains("art. 21"), "{}", new.text);
    // Parties are told of their own cases, others of none.
    let found = until_answered!(asker.law().what_if(ask(asker))).expect("the asker");
    assert_eq!((found.looked_at, found.differences.len()), (2, 1));
    let found = until_answered!(service.law().what_if(ask(service))).expect("a stranger to it");
    assert_eq!((found.looked_at, found.differences.len()), (1, 0));
    // It was a question.
    assert_eq!(stage.due().await, "2026-10-12");
    let wrong = [
        (WhatIfRequest { json: "{".to_owned(), ..ask(asker) }, Reason::RulePackRefused),
        (WhatIfRequest { json: " ".repeat((1 << 20) + 1), ..ask(asker) }, Reason::TextTooLong),
        (WhatIfRequest { since: String::new(), ..ask(asker) }, Reason::FieldInvalid),
        (
            WhatIfRequest { page_token: "bm90IG91cnM".to_owned(), ..ask(asker) },
            Reason::PageTokenInvalid,
        ),
    ];
    for (ask, reason) in wrong {
        assert_eq!(refusal(until_answered!(asker.law().what_if(ask.clone()))), reason);
    }
}

fn the_command_line_says_the_same(stage: &Stage) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file.to_str().expect("a path in UTF-8").to_owned()
    };
    let draft = file("draft.json", &with_rule(CLOCK, "value", &json!(5)));
    let broken = file("broken.json", &with_rule(CLOCK, "scope", &json!(null)));
    let contexts = stage.city.topology.contexts();
    let say = |arguments: &[&str]| {
        let contexts = contexts.to_str().expect("a path in UTF-8");
        let before = ["--contexts", contexts, "--context", "city-authority"];
        run(before.iter().chain(arguments))
    };
    let found = say(&["-o", "json", "rules", "what-if", &draft, "--since", "2026-09-21"]).well();
    let found = found.last_object();
    assert_eq!(found["looked_at"], 2, "{found}");
    assert_eq!(found["differences"][0]["new"]["due_date"], "2026-09-29", "{found}");
    let table = say(&["--lang", "en", "rules", "what-if", &draft, "--since", "2026-09-21"]).well();
    assert!(table.stdout.contains("due_date"), "{table:#?}");
    assert!(table.stderr.contains("1 of 2 cases would have ended differently"), "{table:#?}");

    let checked = say(&["rules", "check", &broken]);
    assert_eq!(checked.code, Some(1), "{checked:#?}");
    let offline = ["rules", "check", "--offline", "--date", "2026-09-21"];
    let checked = run(offline.iter().chain(&[broken.as_str()]));
    assert_eq!(checked.code, Some(1), "{checked:#?}");
    assert!(run(offline.iter().chain(&[draft.as_str()])).code == Some(0));

    let key = "sharing.conditional.answer";
    let told = say(&["--lang", "zh", "rules", "explain", key]).well();
    assert!(told.stdout.contains("第21条第1款") && told.stdout.contains("行政法规"), "{told:#?}");
    let told = say(&["--lang", "zh", "request", "explain", &stage.case.name]).well();
    assert!(told.stdout.contains("最后一日为 2026-10-12"), "{told:#?}");
    assert!(told.stdout.contains("国庆节放假"), "{told:#?}");
    let nothing =
        say(&["request", "explain", "domains/xiamen/requests/01JD0000000000000000000001"]);
    assert_eq!(nothing.code, Some(4), "{nothing:#?}");
}

async fn closures_move_days(stage: &Stage) {
    let (head, asker) = (&stage.authority_head, &stage.asker);
    let declare = |days: &[&str], effect: ClosureEffect| DeclareClosureRequest {
        parent: asker.domain(),
        document_number: "厦汛〔2026〕9号".to_owned(),
        days: days.iter().map(|day| (*day).to_owned()).collect(),
        effect: effect.into(),
        request_id: request_id(),
    };
    let days = ["2026-09-23", "2026-09-24"];
    let closed = declare(&days, ClosureEffect::NotCounted);
    let answer = until_answered!(asker.rules().declare_closure(closed.clone()));
    assert_eq!(refusal(answer), Reason::CallerNotPermitted);
    for (wrong, reason) in [
        (declare(&days, ClosureEffect::Unspecified), Reason::FieldInvalid),
        (declare(&["the 23rd"], ClosureEffect::NotCounted), Reason::FieldInvalid),
        (declare(&["2026-09-18"], ClosureEffect::NotCounted), Reason::CalendarDayCounted),
    ] {
        let answer = until_answered!(head.rules().declare_closure(wrong.clone()));
        assert_eq!(refusal(answer), reason, "{wrong:?}");
    }
    let calendar =
        until_answered!(head.rules().declare_closure(closed.clone())).expect("it is closed");
    let closed = calendar.days.iter().filter(|day| !day.closed_by.is_empty()).count();
    assert_eq!(closed, 2);
    assert_eq!(stage.due().await, "2026-10-14");

    let explained = stage.explained(asker, &stage.case.name).await.expect("the asker may ask");
    let answer = &explained.deadlines[0];
    assert_eq!(answer.deadline.as_ref().expect("a clock").due_date, "2026-10-14");
    let shut = answer.days.iter().filter(|day| day.kind() == DayKind::Closure);
    let shut: Vec<(&str, &str)> =
        shut.map(|day| (day.date.as_str(), day.day_name.as_str())).collect();
    assert_eq!(shut, days.map(|day| (day, "厦汛〔2026〕9号")));
    assert_eq!(answer.days.iter().filter(|day| day.counted > 0).count(), 10);
    assert_eq!(explained.recounts.len(), 1, "{:?}", explained.recounts);
    let moved = &explained.recounts[0];
    assert_eq!((moved.old_date.as_str(), moved.new_date.as_str()), ("2026-10-12", "2026-10-14"));
    assert_eq!(moved.calendar_version, calendar.version);
    // The same in the reader's language, through the edge.
    let mut call = Request::new(ExplainDeadlineRequest { name: stage.case.name.clone() });
    call.metadata_mut().insert("accept-language", "zh-CN".parse().expect("a header value"));
    let told = asker.law().explain_deadline(call).await.expect("an answer").into_inner();
    let lines = told.deadlines[0].lines.join("\n");
    assert!(lines.contains("厦汛〔2026〕9号停工") && lines.contains("第21条第1款"), "{lines}");
    // Who is no party does not learn that there is such a case.
    let stranger = stage.explained(&stage.service, &stage.case.name).await;
    assert_eq!(refusal(stranger), Reason::NotFound);
    let nothing = format!("{}/requests/01JD0000000000000000000001", asker.domain());
    assert_eq!(refusal(stage.explained(asker, &nothing).await), Reason::NotFound);

    let withdraw = |days: &[&str]| WithdrawClosureRequest {
        parent: asker.domain(),
        document_number: "厦汛〔2026〕10号".to_owned(),
        days: days.iter().map(|day| (*day).to_owned()).collect(),
        request_id: request_id(),
    };
    let unknown = withdraw(&["2026-10-08"]);
    let answer = until_answered!(head.rules().withdraw_closure(unknown.clone()));
    assert_eq!(refusal(answer), Reason::ClosureUnknown);
    let open = withdraw(&days);
    until_answered!(head.rules().withdraw_closure(open.clone())).expect("it is open again");
    assert_eq!(stage.due().await, "2026-10-12");
    let pending = GetPendingWorkRequest { name: asker.domain() };
    let works = until_answered!(asker.rules().get_pending_work(pending.clone())).expect("works");
    assert!(works.works.is_empty(), "{works:?}");
}

async fn calendars_that_are_refused(stage: &Stage) {
    let shipped = read("catalog-node/model/data/calendar.csv");
    let head = &stage.authority_head;
    let load = |csv: String| LoadCalendarRequest {
        parent: head.domain(),
        csv,
        reason: "更正（测试）".to_owned(),
        request_id: request_id(),
    };
    // 17 September is over and was counted; a line that is none; a year that had a list.
    let counted = format!("{shipped}2026-09-17,holiday,Test,测试,Thu,0\n");
    let missing = shipped.lines().filter(|line| !line.starts_with("2025-"));
    let missing = missing.fold(String::new(), |text, line| text + line + "\n");
    for (csv, reason) in [
        (counted, Reason::CalendarDayCounted),
        ("nonsense\n".to_owned(), Reason::CalendarRefused),
        (missing, Reason::CalendarYearMissing),
    ] {
        let answer = until_answered!(head.rules().load_calendar(load(csv.clone())));
        assert_eq!(refusal(answer), reason);
    }
    // A day to come: it waits for a second person, and no day has moved.
    let correction = load(format!("{shipped}2026-09-28,holiday,Test,测试,Mon,0\n"));
    let loaded = until_answered!(head.rules().load_calendar(correction.clone())).expect("proposed");
    assert_eq!(loaded.proposal.expect("it waits").person, head.person());
    assert_eq!(stage.due().await, "2026-10-12");
}

async fn two_persons_load(stage: &Stage) {
    let (asker, authority) = (&stage.asker, &stage.authority);
    // The zone's rule on who decides had ended before the second case came.
    let ended = with_rule(DECIDER, "effective_to", &json!("2026-09-19"));
    assert_eq!(refusal(stage.load(asker, &ended).await), Reason::CallerNotPermitted);
    assert_eq!(refusal(stage.load(authority, &ended).await), Reason::PersonNeeded);
    let proposed = stage.load(&stage.authority_head, &ended).await.expect("proposed");
    let before = proposed.rule_pack.expect("the pack in force").version;
    let proposal = proposed.proposal.expect("it waits");
    assert_eq!(proposal.person, stage.authority_head.person());
    assert_eq!(
        refusal(stage.load(&stage.authority_head, &ended).await),
        Reason::SecondPersonNeeded
    );
    let list = ListProposedEditsRequest { parent: asker.domain() };
    let answer = until_answered!(asker.rules().list_proposed_edits(list.clone()));
    assert_eq!(refusal(answer), Reason::CallerNotPermitted);
    let edits =
        until_answered!(authority.rules().list_proposed_edits(list.clone())).expect("the edits");
    let whats: Vec<&str> = edits.proposed_edits.iter().map(|edit| edit.what.as_str()).collect();
    assert_eq!(whats, ["calendar", "rule_pack"]);
    let checked = until_answered!(authority.rules().check_rule_pack(CheckRulePackRequest {
        parent: authority.domain(),
        json: ended.clone(),
        date: String::new(),
    }))
    .expect("checked");
    assert_eq!(checked.binds_since, "2026-09-20");

    let loaded = stage.load_for_colleague(&ended).await.expect("another person loads");
    assert!(loaded.proposal.is_none());
    assert_eq!(loaded.rule_pack.expect("the pack in force").version, before + 1);

    // The case received in between is flagged with both results, and whoever sees it is told.
    let late = |name: &str| GetLateLawRequest { name: name.to_owned(), ..Default::default() };
    let of_case = late(&stage.joint.name);
    let flagged = until_answered!(asker.law().get_late_law(of_case.clone())).expect("a party");
    assert_eq!(flagged.late_laws.len(), 1, "{flagged:?}");
    let [old, new] =
        [&flagged.late_laws[0].old, &flagged.late_laws[0].new].map(|o| o.clone().expect("outcome"));
    assert_eq!(old.decider(), Decider::AuthorityWithProvider);
    assert_eq!(new.refusal_reason, "NO_RULE_IN_FORCE");
    assert!(new.refusal_text.contains("expired on 2026-09-19"), "{}", new.refusal_text);
    let provider = &stage.provider;
    let answer = until_answered!(provider.law().get_late_law(of_case.clone()));
    assert_eq!(refusal(answer), Reason::NotFound);
    let all = late(&provider.domain());
    let flagged = until_answered!(provider.law().get_late_law(all.clone())).expect("a page");
    assert!(flagged.late_laws.is_empty(), "{flagged:?}");
    let flagged = until_answered!(authority.law().get_late_law(all.clone())).expect("a page");
    assert_eq!(flagged.late_laws.len(), 1);
}

async fn rulings(stage: &Stage) {
    let (head, asker) = (&stage.authority_head, &stage.asker);
    let paper = PaperDecision {
        document_number: "厦数函〔2026〕8号（合成）".to_owned(),
        digest: vec![7; 32].into(),
        date: "2026-09-20".to_owned(),
        issuing_body: "市人民政府（合成）".to_owned(),
        recorded_for: "主管部门（合成）".to_owned(),
    };
    let record = || RecordRulingRequest {
        parent: head.domain(),
        kind: RulingKind::ContinueExpired.into(),
        rule: DECIDER.to_owned(),
        decision: Some(paper.clone()),
        reason: "新规定出台前继续执行".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let cut = PaperDecision { digest: vec![7; 31].into(), ..paper.clone() };
    for (wrong, reason) in [
        (RecordRulingRequest { kind: 0, ..record() }, Reason::FieldInvalid),
        (RecordRulingRequest { rule: String::new(), ..record() }, Reason::FieldInvalid),
        (RecordRulingRequest { over: CLOCK.to_owned(), ..record() }, Reason::FieldInvalid),
        (RecordRulingRequest { decision: Some(cut), ..record() }, Reason::FieldInvalid),
        (RecordRulingRequest { from: "2026-09-19".to_owned(), ..record() }, Reason::FieldInvalid),
        (RecordRulingRequest { rule: CLOCK.to_owned(), ..record() }, Reason::RulingUnfit),
        (RecordRulingRequest { reason: " ".to_owned(), ..record() }, Reason::ReasonMissing),
    ] {
        let answer = until_answered!(head.law().record_ruling(wrong.clone()));
        assert_eq!(refusal(answer), reason, "{wrong:?}");
    }
    let answer = until_answered!(asker.law().record_ruling(record()));
    assert_eq!(refusal(answer), Reason::CallerNotPermitted);
    let call = record();
    let ruling = until_answered!(head.law().record_ruling(call.clone())).expect("recorded");
    assert_eq!((ruling.rule.as_str(), ruling.from.as_str()), (DECIDER, "2026-09-21"));

    // It goes on by the ruling, and says so.
    let ask = ExplainRuleRequest {
        parent: asker.domain(),
        key: "sharing.conditional.decider".to_owned(),
        pair: Some(Stage::joint_pair()),
        ..Default::default()
    };
    let explained = until_answered!(asker.rules().explain_rule(ask.clone())).expect("explained");
    let rule = explained.explanation.expect("an explanation").rules[0].clone();
    assert_eq!(rule.standing(), RuleStanding::GivesByRuling, "{rule:?}");
    assert_eq!((rule.ruling.as_str(), rule.expire_date.as_str()), (&*ruling.name, "2026-09-19"));
    let list = ListRulingsRequest { parent: asker.domain(), ..Default::default() };
    let told = until_answered!(asker.law().list_rulings(list.clone())).expect("rulings bind all");
    let shown = told.rulings[0].decision.clone().expect("the paper");
    assert_eq!((shown.digest.as_ref(), shown.recorded_for.as_str()), (&[7_u8; 32][..], ""));

    let withdraw = |name: &str| WithdrawRulingRequest {
        name: name.to_owned(),
        reason: "新规定已出台".to_owned(),
        request_id: request_id(),
    };
    let nothing = withdraw(&format!("{}/rulings/01JD0000000000000000000001", head.domain()));
    let answer = until_answered!(head.law().withdraw_ruling(nothing.clone()));
    assert_eq!(refusal(answer), Reason::NotFound);
    let back = withdraw(&ruling.name);
    let gone = until_answered!(head.law().withdraw_ruling(back.clone())).expect("withdrawn");
    assert!(gone.withdraw_time.is_some());
    let explained = until_answered!(asker.rules().explain_rule(ask.clone())).expect("explained");
    let explanation = explained.explanation.expect("an explanation");
    assert!(explanation.value.is_empty(), "{explanation:?}");
    assert_eq!(explanation.rules[0].standing(), RuleStanding::Expired);
}

/// 2026-10-13 00:00 in Asia/Shanghai, in seconds since 1970.
const OVER: i64 = 1_791_820_800;

async fn outages(stage: &Stage) {
    let (authority, asker) = (&stage.authority, &stage.asker);
    let rule = |effect: OutageEffect| RuleOutageRequest {
        name: stage.case.name.clone(),
        effect: effect.into(),
        reason: "平台全天无法登录".to_owned(),
        request_id: request_id(),
    };
    let early = rule(OutageEffect::DoesNotCount);
    let answer = until_answered!(authority.law().rule_outage(early.clone()));
    assert_eq!(refusal(answer), Reason::RulingNotWanted);

    stage.clock_to(OVER).await;
    let record = |from: i64, until: i64, source: &str| RecordOutageRequest {
        parent: authority.domain(),
        from: Some(Timestamp { seconds: from, nanos: 0 }),
        until: Some(Timestamp { seconds: until, nanos: 0 }),
        second_source: source.to_owned(),
        reason: "机房断电".to_owned(),
        request_id: request_id(),
    };
    let (from, until) = (OVER - 15 * 3600, OVER - 9 * 3600);
    for (wrong, reason) in [
        (record(until, from, "运营商通报"), Reason::OutageTimesWrong),
        (record(from, OVER + 60, "运营商通报"), Reason::OutageTimesWrong),
        (record(from, until, ""), Reason::OutageSourceMissing),
        (
            RecordOutageRequest { from: None, ..record(from, until, "运营商通报") },
            Reason::FieldInvalid,
        ),
    ] {
        let answer = until_answered!(authority.law().record_outage(wrong.clone()));
        assert_eq!(refusal(answer), reason, "{wrong:?}");
    }
    let call = record(from, until, "运营商通报");
    let answer = until_answered!(asker.law().record_outage(call.clone()));
    assert_eq!(refusal(answer), Reason::CallerNotPermitted);
    let outage = until_answered!(authority.law().record_outage(call.clone())).expect("on record");
    assert_eq!((outage.number, outage.second_source.as_str()), (1, "运营商通报"));
    let list = ListOutagesRequest { parent: asker.domain(), ..Default::default() };
    let listed = until_answered!(asker.law().list_outages(list.clone())).expect("a fact for all");
    assert_eq!(listed.outages.len(), 1);

    // The lateness waits for whoever it was escalated to; others do not rule.
    let wanted =
        ListOutageRulingsRequest { parent: asker.domain(), wanted: true, ..Default::default() };
    let open = until_answered!(asker.law().list_outage_rulings(wanted.clone())).expect("own cases");
    assert!(open.outage_rulings.iter().any(|row| row.name == stage.case.name), "{open:?}");
    let answer = until_answered!(authority.law().rule_outage(rule(OutageEffect::Unspecified)));
    assert_eq!(refusal(answer), Reason::FieldInvalid);
    let service = &stage.service;
    let answer = until_answered!(service.law().rule_outage(rule(OutageEffect::Counts)));
    assert_eq!(refusal(answer), Reason::NotFound);
    let provider = &stage.provider;
    let answer = until_answered!(provider.law().rule_outage(rule(OutageEffect::DoesNotCount)));
    assert_eq!(refusal(answer), Reason::CallerNotPermitted);
    let call = rule(OutageEffect::DoesNotCount);
    let ruled = until_answered!(authority.law().rule_outage(call.clone())).expect("ruled");
    assert_eq!(ruled.effect(), OutageEffect::DoesNotCount);
    let again = until_answered!(authority.law().rule_outage(rule(OutageEffect::Counts)));
    assert_eq!(refusal(again), Reason::RulingGivenAlready);
    let explained = stage.explained(provider, &stage.case.name).await.expect("the debtor");
    let told = explained.outage_ruling.expect("what was ruled");
    assert_eq!((told.effect(), told.outages.as_slice()), (OutageEffect::DoesNotCount, &[1][..]));
    stage.city.until_level(Level::City).await;
}
