//! Work by calls: lists with their days, who may see whose, precedents, statistics, the calendar, and
//! what was wrong with a call (issue 5 item 7).
//!
//! One city of real processes. What follows from which row state scripts show
//! (`catalog-node/state/testdata/work_of_a_day.txt`), and that nothing is forgotten and every figure is
//! counted again from the ledger (`script/tests/work.rs`).

mod webhooks;

use catalog_model::reason::Reason;
use federation_tests::{
    asking::{content, filing},
    command_line::run,
    federation::{Federation, seat},
    role::{Role, call, refusal, request_id},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind},
    organization::v1::PersonRole,
    sharing::v1::{Answer, AnswerKind, AnswerRequestRequest, GiveConsentRequest, ShareRequest},
    work::v1::{
        DueBasis, ExplainCallRequest, GetCalendarFeedRequest, GetStatisticsRequest,
        ListPrecedentsRequest, ListWorkRequest, ListWorkResponse, WorkItem, WorkKind,
    },
};

/// A city and who works in it.
struct City {
    federation: Federation,
    provider: Role,
    provider_head: Role,
    asker: Role,
    asker_head: Role,
    outsider: Role,
    authority: Role,
    manager: Role,
    entry: CatalogEntry,
}

impl City {
    async fn start() -> Self {
        let federation = Federation::start(&[Level::City]).await;
        let of = |office| federation.role(Level::City, office);
        let press = federation.press(Level::City, DEPARTMENT);
        let entry = press.put("企业信用信息", SharingKind::Conditional).await.expect("published");
        Self {
            provider: of(DEPARTMENT),
            provider_head: federation.head(Level::City, DEPARTMENT),
            asker: of(OTHER_DEPARTMENT),
            asker_head: federation.head(Level::City, OTHER_DEPARTMENT),
            outsider: of(SERVICE),
            authority: of(AUTHORITY),
            manager: of(MANAGER),
            entry,
            federation,
        }
    }

    async fn ask(&self) -> ShareRequest {
        let asker = &self.asker;
        let call = filing(asker, &self.asker_head, content(asker, &self.entry));
        until_answered!(asker.sharing().create_request(call.clone())).expect("nothing is wrong")
    }

    async fn consent(&self, case: &ShareRequest, answer: &Answer) {
        let provider = &self.provider;
        let consent = GiveConsentRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            person: self.provider_head.person(),
            answer: Some(answer.clone()),
            request_id: request_id(),
        };
        until_answered!(provider.sharing().give_consent(consent.clone())).expect("a head's");
    }

    async fn answer(
        &self,
        case: &ShareRequest,
        answer: Answer,
        request_id: String,
    ) -> Result<ShareRequest, tonic::Status> {
        let provider = &self.provider;
        let call = AnswerRequestRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            answer: Some(answer),
            request_id,
        };
        until_answered!(provider.sharing().answer_request(call.clone()))
    }
}

fn refused_for(ground: &str, reason: &str) -> Answer {
    Answer {
        kind: AnswerKind::Refused.into(),
        ground: ground.to_owned(),
        reason: reason.to_owned(),
        ..Default::default()
    }
}

fn question(role: &Role) -> ListWorkRequest {
    ListWorkRequest { parent: role.domain(), ..Default::default() }
}

async fn work(role: &Role, question: ListWorkRequest) -> ListWorkResponse {
    until_answered!(role.work().list_work(question.clone())).expect("one's own list")
}

/// The items about `subject`.
fn about<'a>(list: &'a ListWorkResponse, subject: &str) -> Vec<&'a WorkItem> {
    list.items.iter().filter(|item| item.subject == subject).collect()
}

async fn asked_refused(role: &Role, question: ListWorkRequest) -> Reason {
    refusal(until_answered!(role.work().list_work(question.clone())))
}

/// Lists say what is to be done, by when and by which rule, to whom it concerns and to nobody else;
/// each call has its turn on every node.
#[tokio::test(flavor = "multi_thread")]
async fn work_is_listed_for_whom_it_concerns() {
    let city = City::start().await;
    let (provider, asker) = (&city.provider, &city.asker);
    let before = work(provider, question(provider)).await;
    let first = city.ask().await;

    let list = work(provider, question(provider)).await;
    assert_eq!(list.items.len(), before.items.len() + 1);
    let [item] = about(&list, &first.name)[..] else { panic!("{list:?}") };
    assert_eq!(list.items[0], *item, "what the law gives a day comes first");
    assert_eq!(item.kind(), WorkKind::Answer);
    assert_eq!(item.due_date, "2026-10-12");
    assert_eq!(item.basis(), DueBasis::Statutory);
    assert_eq!(item.working_days_left, 10);
    assert_eq!(item.acts(), PersonRole::SharingOfficeHead, "the head consents first");
    assert_eq!(item.title, "企业信用信息");
    assert_eq!(item.case_number, first.case_number);
    assert!(!item.overdue && item.citation.contains("art. 21"), "{item:?}");
    assert_eq!(item.task, "answer the request");

    // Nothing of it is the asker's or the outsider's to do, nor theirs to see.
    for role in [asker, &city.outsider] {
        assert_eq!(about(&work(role, question(role)).await, &first.name), [] as [&WorkItem; 0]);
        let of_provider =
            ListWorkRequest { organization: provider.organization(), ..question(role) };
        assert_eq!(asked_refused(role, of_provider).await, Reason::NotFound);
    }
    for role in [&city.authority, &city.manager] {
        let of_provider =
            ListWorkRequest { organization: provider.organization(), ..question(role) };
        assert_eq!(about(&work(role, of_provider).await, &first.name).len(), 1);
    }

    // In pages, by day and for a person it is the same work.
    let mut paged = Vec::new();
    let mut token = String::new();
    loop {
        let page =
            ListWorkRequest { page_size: 1, page_token: token.clone(), ..question(provider) };
        let page = work(provider, page).await;
        paged.extend(page.items);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, work(provider, question(provider)).await.items);
    let until = |day: &str| ListWorkRequest { until: day.to_owned(), ..question(provider) };
    assert!(about(&work(provider, until("2026-10-11")).await, &first.name).is_empty());
    assert_eq!(about(&work(provider, until("2026-10-12")).await, &first.name).len(), 1);
    let head = city.provider_head.person();
    let of_person = ListWorkRequest { person: head.clone(), ..question(provider) };
    assert_eq!(about(&work(provider, of_person).await, &first.name).len(), 1);

    // In Chinese, to whoever reads Chinese.
    let mut chinese = call(question(provider));
    chinese.metadata_mut().insert("accept-language", "zh".parse().expect("a header value"));
    let list = provider.work().list_work(chinese).await.expect("answered").into_inner();
    let [item] = about(&list, &first.name)[..] else { panic!("{list:?}") };
    assert_eq!(item.task, "答复共享申请");
    assert_eq!(item.citation, "《政务数据共享条例》第21条第1款");

    bad_questions(&city).await;
    calendar(&city, &first).await;
    command_line(&city, &first);

    // Every node says the same, one that starts with its index too.
    let leader = city.federation.leader(Level::City).await;
    let whole = work(provider, question(provider)).await.items;
    let mut federation = city.federation;
    federation.kill(leader);
    assert_eq!(work(provider, question(provider)).await.items, whole);
    federation.revive(leader);
    federation.until_level(Level::City).await;
    for _ in 0..6 {
        assert_eq!(work(provider, question(provider)).await.items, whole);
    }
}

async fn bad_questions(city: &City) {
    let provider = &city.provider;
    let check = async |wrong: ListWorkRequest, reason| {
        assert_eq!(asked_refused(provider, wrong.clone()).await, reason, "{wrong:?}");
    };
    let whole = question(provider);
    check(ListWorkRequest { until: "tomorrow".to_owned(), ..whole.clone() }, Reason::FieldInvalid)
        .await;
    check(
        ListWorkRequest { page_token: "x".to_owned(), ..whole.clone() },
        Reason::PageTokenInvalid,
    )
    .await;
    check(
        ListWorkRequest { organization: "police".to_owned(), ..whole.clone() },
        Reason::NameInvalid,
    )
    .await;
    check(ListWorkRequest { person: city.asker_head.person(), ..whole.clone() }, Reason::NotFound)
        .await;
    let nobody = format!("{}/organizations/01JD0000000000000000000001", provider.domain());
    check(ListWorkRequest { organization: nobody, ..whole.clone() }, Reason::NotFound).await;

    let statistics = |organization: &str, from: &str, to: &str| GetStatisticsRequest {
        parent: provider.domain(),
        organization: organization.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    for (wrong, reason) in [
        (statistics("", "2026-10-01", "2026-09-01"), Reason::FieldInvalid),
        (statistics("", "", "2026-09-01"), Reason::FieldInvalid),
        (statistics("-", "2026-09-01", "2026-10-01"), Reason::CallerNotPermitted),
        (statistics(&city.asker.organization(), "2026-09-01", "2026-10-01"), Reason::NotFound),
    ] {
        let answer = until_answered!(provider.work().get_statistics(wrong.clone()));
        assert_eq!(refusal(answer), reason, "{wrong:?}");
    }
    let nothing = ListPrecedentsRequest {
        name: format!("{}/requests/01JD0000000000000000000001", provider.domain()),
        page_size: 0,
    };
    let answer = until_answered!(provider.work().list_precedents(nothing.clone()));
    assert_eq!(refusal(answer), Reason::NotFound);
}

/// The feed holds what has a day, on that day, under a name that stays.
async fn calendar(city: &City, case: &ShareRequest) {
    let provider = &city.provider;
    let question = GetCalendarFeedRequest { parent: provider.domain(), ..Default::default() };
    let feed = until_answered!(provider.work().get_calendar_feed(question.clone()));
    let feed = feed.expect("one's own calendar");
    assert!(!feed.truncated);
    let unfolded = feed.calendar.replace("\r\n ", "");
    let events: Vec<&str> = unfolded.split("BEGIN:VEVENT").skip(1).collect();
    let uid = format!("UID:answer.{}.", case.name.replace('/', "."));
    let event = events.iter().find(|event| event.contains(&uid)).expect("the case is in it");
    assert!(event.contains("DTSTART;VALUE=DATE:20261012\r\n"), "{event}");
    assert!(event.contains("DTEND;VALUE=DATE:20261013\r\n"), "{event}");
    assert!(unfolded.starts_with("BEGIN:VCALENDAR\r\n") && unfolded.ends_with("END:VCALENDAR\r\n"));
}

/// `luqiao today` prints the list, the sheet and the calendar.
fn command_line(city: &City, case: &ShareRequest) {
    let contexts = city.federation.topology.contexts();
    let contexts = contexts.to_str().expect("a path in UTF-8").to_owned();
    let context = seat(Level::City, DEPARTMENT).context();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("work.ics").to_str().expect("a path in UTF-8").to_owned();
    let run = |words: &[&str]| {
        let mut all = vec!["--contexts", &contexts, "--context", &context, "--lang", "en"];
        all.extend(words);
        run(all)
    };
    // The command waits for the gateway's answer; threads that wait must not hold up this one.
    let (listed, sheet, saved) = tokio::task::block_in_place(|| {
        (
            run(&["today", "-o", "json"]).well(),
            run(&["today", "--print"]).well(),
            run(&["today", "--ics", &file]).well(),
        )
    });
    let listed = listed.last_object();
    assert_eq!(listed["items"][0]["subject"], case.name.as_str(), "{listed}");
    assert!(sheet.stdout.contains("2026-10-12 (10 working days left)"), "{}", sheet.stdout);
    assert!(sheet.stdout.contains("the head consents first"), "{}", sheet.stdout);
    assert!(saved.stderr.contains("event(s)"), "{}", saved.stderr);
    assert!(std::fs::read_to_string(&file).expect("written").contains("DTSTART;VALUE=DATE"));
}

/// Once it was answered the case is on no list; the answer stands beside the next case and in the
/// figures, and a refused call says what was wrong to whoever made it.
#[tokio::test(flavor = "multi_thread")]
async fn answers_become_precedents_and_figures() {
    let city = City::start().await;
    let (provider, asker) = (&city.provider, &city.asker);
    let first = city.ask().await;

    // A refusal without its reason: the same is told again under the call's id, to its caller alone.
    let attempt = request_id();
    let silent = refused_for("out_of_duty", "");
    let wrong = city.answer(&first, silent, attempt.clone()).await;
    assert_eq!(refusal(wrong), Reason::RefusalReasonMissing);
    let explain = |role: &Role, id: &str| ExplainCallRequest {
        parent: role.domain(),
        call_request_id: id.to_owned(),
    };
    let told = until_answered!(provider.work().explain_call(explain(provider, &attempt)));
    let told = told.expect("what one was refused oneself");
    assert_eq!(told.reason, Reason::RefusalReasonMissing.name());
    assert!(!told.done && !told.message.is_empty(), "{told:?}");
    assert_eq!(told.advice, "give the reason");
    let mut chinese = call(explain(provider, &attempt));
    chinese.metadata_mut().insert("accept-language", "zh".parse().expect("a header value"));
    let told = provider.work().explain_call(chinese).await.expect("answered").into_inner();
    assert_eq!(told.advice, "写明理由");
    for (role, id) in [(asker, attempt.as_str()), (provider, "never-used")] {
        let answer = until_answered!(role.work().explain_call(explain(role, id)));
        assert_eq!(refusal(answer), Reason::NotFound);
    }
    explained_at_the_command_line(&city, &first);

    let answer = refused_for("out_of_duty", "不属于其职责");
    city.consent(&first, &answer).await;
    let list = work(provider, question(provider)).await;
    let [item] = about(&list, &first.name)[..] else { panic!("{list:?}") };
    assert_eq!(item.acts(), PersonRole::Unspecified, "the head has consented");
    let done = request_id();
    city.answer(&first, answer, done.clone()).await.expect("with reason and consent");
    let told = until_answered!(provider.work().explain_call(explain(provider, &done)));
    let told = told.expect("what one did oneself");
    assert!(told.done, "{told:?}");
    assert_eq!(told.resource, first.name);
    assert!(about(&work(provider, question(provider)).await, &first.name).is_empty());

    // Beside the next case: the provider sees the case, the asker of another only what came of it.
    let second = city.ask().await;
    let beside = ListPrecedentsRequest { name: second.name.clone(), page_size: 0 };
    let found = until_answered!(provider.work().list_precedents(beside.clone()));
    let found = found.expect("a case of one's own").precedents;
    let [precedent] = &found[..] else { panic!("{found:?}") };
    assert_eq!(precedent.request, first.name);
    assert_eq!(precedent.kind(), AnswerKind::Refused);
    assert_eq!(precedent.ground, "out_of_duty");
    assert_eq!(precedent.reason, "不属于其职责");
    assert!(precedent.same_scenario);
    assert_eq!(precedent.common_items.len(), 2);
    let outsider = &city.outsider;
    let answer = until_answered!(outsider.work().list_precedents(beside.clone()));
    assert_eq!(refusal(answer), Reason::NotFound);
    let outsider_head = city.federation.head(Level::City, SERVICE);
    let third = filing(outsider, &outsider_head, content(outsider, &city.entry));
    let third = until_answered!(outsider.sharing().create_request(third.clone()));
    let beside = ListPrecedentsRequest { name: third.expect("filed").name, page_size: 0 };
    let found = until_answered!(outsider.work().list_precedents(beside.clone()));
    let found = found.expect("a case of one's own").precedents;
    let [precedent] = &found[..] else { panic!("{found:?}") };
    assert_eq!(precedent.ground, "out_of_duty");
    let hidden =
        [&precedent.request, &precedent.case_number, &precedent.reason, &precedent.requester];
    assert_eq!(hidden, ["", "", "", ""], "who asked, and why not, is between those two");

    // And in the figures of the period, which another period does not have.
    let statistics = |from: &str, to: &str| GetStatisticsRequest {
        parent: provider.domain(),
        organization: String::new(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let month = statistics("2026-09-01", "2026-09-30");
    let told = until_answered!(provider.work().get_statistics(month.clone()));
    let told = told.expect("one's own figures");
    let [own] = &told.organizations[..] else { panic!("{told:?}") };
    assert_eq!((own.answered, own.on_time, own.refused), (1, 1, 1));
    assert_eq!((own.on_time_per_mille, own.median_half_days), (1000, 0));
    assert_eq!(own.grounds.len(), 1);
    assert_eq!(own.grounds[0].ground, "out_of_duty");
    let next = statistics("2026-10-01", "2026-10-31");
    let told = until_answered!(provider.work().get_statistics(next.clone()));
    assert_eq!(told.expect("one's own figures").organizations[0].answered, 0);
    let authority = &city.authority;
    let every = GetStatisticsRequest { organization: "-".to_owned(), ..month };
    let told = until_answered!(authority.work().get_statistics(every.clone()));
    let told = told.expect("for the platform").organizations;
    assert!(told.iter().any(|one| one.organization == provider.organization()), "{told:?}");
}

/// `luqiao explain` says what was wrong with the last refused call and how it is made right.
fn explained_at_the_command_line(city: &City, case: &ShareRequest) {
    let contexts = city.federation.topology.contexts();
    let contexts = contexts.to_str().expect("a path in UTF-8").to_owned();
    let context = seat(Level::City, DEPARTMENT).context();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calls = folder.path().join("calls.jsonl");
    let run = |words: &[&str]| {
        let mut all = vec!["--contexts", &contexts, "--context", &context, "--lang", "en"];
        all.extend(words);
        let mut command = federation_tests::command_line::luqiao(all);
        let said = command.env("LUQIAO_CALLS", &calls).output().expect("luqiao starts");
        federation_tests::command_line::Said::from(said)
    };
    let (refused, explained, json) = tokio::task::block_in_place(|| {
        let refused = run(&["request", "answer", &case.name, "refused", "--ground", "out_of_duty"]);
        (refused, run(&["explain"]).well(), run(&["explain", "-o", "json"]).well())
    });
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert!(explained.stdout.contains("REFUSAL_REASON_MISSING"), "{}", explained.stdout);
    let corrected = json.last_object()["corrected"][0].as_str().map(str::to_owned);
    let corrected = corrected.unwrap_or_else(|| panic!("{}", json.stdout));
    assert!(corrected.contains("--reason REASON"), "{corrected}");
    assert!(corrected.contains(&case.name) && !corrected.contains("--request-id"), "{corrected}");
    // It is pasted, with the word filled in: what was wrong is not wrong any more.
    let typed = corrected.replace("REASON", "not_its_duty");
    let words: Vec<&str> =
        typed.split_whitespace().skip(1).map(|word| word.trim_matches('\'')).collect();
    let first = words.iter().position(|word| *word == "request").expect("the command");
    let pasted = tokio::task::block_in_place(|| run(&words[first..]));
    assert!(pasted.stderr.contains("CONSENT_MISSING"), "{pasted:?}");
}
