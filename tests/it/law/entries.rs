//! The life of an entry by calls: what a draft lacks, versions, updates that are owed, off the list
//! and back, people who come and go, and secrets that reach no disk.
//!
//! One city of real processes for each story. Requirements: CAT-02, CAT-09, CAT-10, CAT-18, CAT-22,
//! CAT-24, CAT-26, CAT-28, CAT-30, CAL-13, SHR-02, SEC-19.

mod people;
mod secrets;

use catalog_model::reason::Reason;
use federation_tests::{
    asking::{content, filing},
    command_line::run,
    federation::{Federation, seat},
    publishing::{Press, entry},
    role::{Role, call, refusal, request_id},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT};
use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, EntryState, GetEntryRequest, OpenType, SharingKind, UpdateEntryRequest,
        WatchEntriesRequest,
    },
    entry::v1::{
        ArchiveEntryRequest, ChangeTrigger, CheckEntryRequest, CompleteUpdateRequest,
        DiffEntryRequest, EntryFile, EntryFinding, ExtendUpdateRequest, GetEntryFileRequest,
        ListChangeReportsRequest, ListEntryVersionsRequest, MarkImportantRequest,
        ReportChangeRequest, ResumeEntryRequest, ReviewAttributeRequest, ReviewOutcome,
        SuspendEntryRequest, SuspensionGround,
    },
    sharing::v1::PaperDecision,
};
use luqiao_transport::status::Problem;
use prost_types::FieldMask;
use tonic::Status;

/// The day on which the development clock stands.
const TODAY: &str = "2026-09-21";
/// Ten working days later: two holidays and a working Saturday lie between.
const TEN_DAYS_LATER: &str = "2026-10-12";

/// A city, and who takes part.
struct Stage {
    city: Federation,
    press: Press,
    /// A department that neither provides nor decides.
    asker: Role,
    authority: Role,
    manager: Role,
}

impl Stage {
    async fn set() -> Self {
        let city = Federation::start(&[Level::City]).await;
        Self {
            press: city.press(Level::City, DEPARTMENT),
            asker: city.role(Level::City, OTHER_DEPARTMENT),
            authority: city.role(Level::City, AUTHORITY),
            manager: city.role(Level::City, MANAGER),
            city,
        }
    }

    /// What is on file about an entry, as this role sees it.
    async fn file(&self, role: &Role, name: &str) -> Result<EntryFile, Status> {
        let question = GetEntryFileRequest { name: name.to_owned() };
        until_answered!(role.entries().get_entry_file(question.clone()))
    }

    /// What an entry lacks.
    async fn lacks(&self, name: &str) -> Vec<EntryFinding> {
        let provider = &self.press.provider;
        let question = CheckEntryRequest { name: name.to_owned() };
        let found = until_answered!(provider.entries().check_entry(question.clone()));
        found.expect("the provider may ask").findings
    }

    /// The command line as one of the city's offices.
    fn luqiao(&self, office: &str, arguments: &[&str]) -> federation_tests::command_line::Said {
        let contexts = self.city.topology.contexts();
        let contexts = contexts.to_str().expect("a path in UTF-8");
        let context = seat(Level::City, office).context();
        let globals =
            ["--contexts", contexts, "--context", &context, "--lang", "en", "--output", "json"];
        run(arguments.iter().copied().chain(globals))
    }
}

/// The reason of a refusal and the fields that it names.
fn wrong<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Reason, Vec<String>) {
    let status = answer.expect_err("the call should have been refused");
    let problem = Problem::from_status(&status);
    let fields = problem.fields.into_iter().map(|(field, _)| field).collect();
    (problem.reason.unwrap_or_else(|| panic!("no reason of ours: {status:?}")), fields)
}

fn reasons(findings: &[EntryFinding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.reason.as_str()).collect()
}

fn suspension(entry: &CatalogEntry, reason: &str) -> SuspendEntryRequest {
    SuspendEntryRequest {
        name: entry.name.clone(),
        etag: entry.etag.clone(),
        ground: SuspensionGround::Leak.into(),
        reason: reason.to_owned(),
        request_id: request_id(),
    }
}

fn paper() -> PaperDecision {
    PaperDecision {
        document_number: "厦数〔2026〕18号（合成）".to_owned(),
        digest: vec![7; 32].into(),
        date: "2026-09-18".to_owned(),
        issuing_body: "市大数据主管部门（合成）".to_owned(),
        recorded_for: "市大数据主管部门（合成）".to_owned(),
    }
}

/// CAT-02, CAT-27: what holds up publication is said before anybody submits, each with its rule.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_02_a_draft_is_told_what_it_lacks_and_by_which_article() {
    let stage = Stage::set().await;
    let (press, provider) = (&stage.press, &stage.press.provider);
    let mut draft = entry(provider, "企业登记信息", SharingKind::Conditional);
    draft.grade = None;
    draft.assessments.clear();
    let draft = press.register(draft).await.expect("a draft may lack what it lacks");

    let lacks = stage.lacks(&draft.name).await;
    assert_eq!(
        reasons(&lacks),
        ["ENTRY_GRADE_MISSING", "ASSESSMENT_MISSING", "ASSESSMENT_MISSING", "CONSENT_MISSING"]
    );
    for finding in &lacks {
        let rule = finding.rule.as_ref().unwrap_or_else(|| panic!("no rule: {finding:?}"));
        let article = &rule.article;
        assert!(finding.message.contains(article), "{article} in {}", finding.message);
    }
    assert_eq!(lacks[0].field, "entry.grade");
    // A script learns of it as it would from the submission.
    let said = stage.luqiao(DEPARTMENT, &["catalog", "check", &draft.name]);
    assert_eq!(said.code, Some(6), "{said:#?}");
    let findings = said.last_object()["findings"].as_array().map_or(0, Vec::len);
    assert_eq!(findings, lacks.len());

    // Nobody else learns that there is such a draft; the platform does.
    let question = || CheckEntryRequest { name: draft.name.clone() };
    let asker = &stage.asker;
    let hidden = until_answered!(asker.entries().check_entry(question()));
    assert_eq!(refusal(hidden), Reason::NotFound);
    let manager = &stage.manager;
    let seen = until_answered!(manager.entries().check_entry(question())).expect("the platform");
    assert_eq!(seen.findings, lacks);

    // Completed and consented to, it lacks nothing, and goes through.
    let whole = entry(provider, "企业登记信息", SharingKind::Conditional);
    let whole = CatalogEntry { name: draft.name.clone(), etag: draft.etag.clone(), ..whole };
    let completed = until_answered!(provider.catalog().update_entry(UpdateEntryRequest {
        entry: Some(whole.clone()),
        update_mask: None,
        request_id: request_id(),
    }))
    .expect("a draft can be completed");
    assert_eq!(reasons(&stage.lacks(&draft.name).await), ["CONSENT_MISSING"]);
    let consented = press.consent(&completed).await.expect("the head consents");
    assert_eq!(stage.lacks(&draft.name).await, []);
    let said = stage.luqiao(DEPARTMENT, &["catalog", "check", &draft.name]).well();
    assert_eq!(said.last_object()["findings"].as_array(), None);
    let submitted = press.submit(&consented).await.expect("nothing is missing");
    press.publish(&submitted).await.expect("nothing is missing");
}

/// CAT-09, CAT-10, CAT-26, CAL-13: a change of law makes an update due, the update is a version, and
/// what differs is told in the words of the guide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_10_versions_differ_and_cal_13_updates_are_owed() {
    let stage = Stage::set().await;
    let (press, provider) = (&stage.press, &stage.press.provider);
    let (asker, authority, manager) = (&stage.asker, &stage.authority, &stage.manager);
    let listed = press.put("企业登记信息", SharingKind::Conditional).await.expect("it is listed");

    let report = |trigger: i32, day: &str| ReportChangeRequest {
        name: listed.name.clone(),
        trigger,
        day: day.to_owned(),
        citation: "《测试用法》修正案".to_owned(),
        request_id: request_id(),
    };
    let law = i32::from(ChangeTrigger::Law);
    let unnamed = until_answered!(provider.entries().report_change(report(0, TODAY)));
    assert_eq!(wrong(unnamed), (Reason::FieldInvalid, vec!["trigger".to_owned()]));
    let dayless = until_answered!(provider.entries().report_change(report(law, "yesterday")));
    assert_eq!(wrong(dayless), (Reason::FieldInvalid, vec!["day".to_owned()]));
    let mut of_a_system = report(law, TODAY);
    of_a_system.name = provider.system();
    let of_a_system = until_answered!(provider.entries().report_change(of_a_system.clone()));
    assert_eq!(wrong(of_a_system), (Reason::NameInvalid, vec!["name".to_owned()]));
    let strange = until_answered!(asker.entries().report_change(report(law, TODAY)));
    assert_eq!(refusal(strange), Reason::CallerNotPermitted);
    let owed = until_answered!(provider.entries().report_change(report(law, TODAY)))
        .expect("the provider reports");
    let deadline = owed.changes[0].deadline.clone().expect("a clock runs");
    assert_eq!((owed.changes.len(), deadline.due_date.as_str()), (1, TEN_DAYS_LATER));
    assert_eq!(deadline.rule.as_ref().expect("by a rule").article, "17");

    // More time by the authority; a number that is none is refused at once.
    let more = |working_days| ExtendUpdateRequest {
        name: listed.name.clone(),
        working_days,
        reason: "表单重印".to_owned(),
        request_id: request_id(),
    };
    let too_much = until_answered!(authority.entries().extend_update(more(70_000)));
    assert_eq!(wrong(too_much), (Reason::FieldInvalid, vec!["working_days".to_owned()]));
    let extended =
        until_answered!(authority.entries().extend_update(more(2))).expect("the authority may");
    let deadline = extended.changes[0].deadline.clone().expect("it runs on");
    assert_eq!((deadline.extended_days, deadline.due_date.as_str()), (2, "2026-10-14"));

    // Whom it concerns sees it.
    for (role, count) in [(provider, 1), (manager, 1), (asker, 0)] {
        let question = ListChangeReportsRequest { parent: role.domain(), ..Default::default() };
        let list = until_answered!(role.entries().list_change_reports(question.clone()));
        assert_eq!(list.expect("a list").reports.len(), count, "{}", role.identity);
    }
    let said = stage.luqiao(DEPARTMENT, &["catalog", "owed"]).well().last_object();
    assert_eq!(said["reports"][0]["changes"][0]["deadline"]["due_date"], "2026-10-14");

    // The update meets it; its version stands beside the first.
    let changed =
        CatalogEntry { title: "企业登记与年报信息".to_owned(), ..listed.clone() };
    let revised = press.revise(changed).await.expect("an update");
    let file = stage.file(provider, &listed.name).await.expect("the provider may see it");
    assert_eq!((file.version_count, file.change_report), (2, None));
    assert_eq!(file.etag, revised.etag);
    let versions = |token: String| ListEntryVersionsRequest {
        parent: listed.name.clone(),
        page_size: 1,
        page_token: token,
    };
    let first = until_answered!(provider.entries().list_entry_versions(versions(String::new())))
        .expect("versions");
    let second = until_answered!(
        provider.entries().list_entry_versions(versions(first.next_page_token.clone()))
    )
    .expect("versions");
    let titles: Vec<(u64, String)> = first
        .versions
        .iter()
        .chain(&second.versions)
        .map(|version| (version.number, version.entry.clone().unwrap_or_default().title))
        .collect();
    let expected = [(1, "企业登记信息".to_owned()), (2, "企业登记与年报信息".to_owned())];
    assert_eq!(titles, expected);
    let diff = |from_version, to_version| DiffEntryRequest {
        name: listed.name.clone(),
        from_version,
        to_version,
    };
    let last = until_answered!(provider.entries().diff_entry(diff(0, 0))).expect("two versions");
    assert_eq!((last.from_version, last.to_version), (1, 2));
    let changes: Vec<(&str, &str)> =
        last.changes.iter().map(|c| (c.field.as_str(), c.label.as_str())).collect();
    assert_eq!(changes, [("title", "信息资源名称")]);
    let unknown = until_answered!(provider.entries().diff_entry(diff(1, 9)));
    assert_eq!(refusal(unknown), Reason::NotFound);
    let said = stage.luqiao(DEPARTMENT, &["catalog", "diff", &listed.name]).well().last_object();
    assert_eq!(said["changes"][0]["new_text"], "企业登记与年报信息");

    // A listed entry is everybody's; its old versions are not.
    assert_eq!(refusal(stage.file(asker, &listed.name).await), Reason::NotFound);
    let old = until_answered!(asker.entries().list_entry_versions(versions(String::new())));
    assert_eq!(refusal(old), Reason::NotFound);
    let old = until_answered!(asker.entries().diff_entry(diff(1, 2)));
    assert_eq!(refusal(old), Reason::NotFound);

    // A change of the whole catalog is met by naming entries; one that is none is named.
    let whole = ReportChangeRequest { name: provider.organization(), ..report(law, TODAY) };
    until_answered!(provider.entries().report_change(whole.clone())).expect("of all of it");
    let complete = |entries: &[&str]| CompleteUpdateRequest {
        name: provider.organization(),
        entries: entries.iter().map(|&name| name.to_owned()).collect(),
        request_id: request_id(),
    };
    let nothing = until_answered!(provider.entries().complete_update(complete(&["x"])));
    assert_eq!(wrong(nothing), (Reason::NameInvalid, vec!["entries[0]".to_owned()]));
    let done =
        until_answered!(provider.entries().complete_update(complete(&[listed.name.as_str()])))
            .expect("it was handed in today");
    assert_eq!((done.name, done.changes), (provider.organization(), vec![]));

    // SHR-02: the review of its attribute is on file.
    let review = |outcome: i32, etag: &str| ReviewAttributeRequest {
        name: listed.name.clone(),
        etag: etag.to_owned(),
        outcome,
        note: "范围仍属必要".to_owned(),
        request_id: request_id(),
    };
    let kept = i32::from(ReviewOutcome::Kept);
    let unread = until_answered!(provider.entries().review_attribute(review(kept, "")));
    assert_eq!(refusal(unread), Reason::EtagMissing);
    let wordless = until_answered!(provider.entries().review_attribute(review(9, &revised.etag)));
    assert_eq!(wrong(wordless), (Reason::FieldInvalid, vec!["outcome".to_owned()]));
    let file = until_answered!(provider.entries().review_attribute(review(kept, &revised.etag)))
        .expect("the provider reviews");
    let next = file.attribute_review.expect("a rule asks for it");
    assert_eq!((next.last_outcome(), next.due_date.as_str()), (ReviewOutcome::Kept, "2027-09-21"));
    assert!(next.default_rule.is_some(), "twelve months are the house's");
}

/// CAT-30: off the list at once, whoever asks does not find it; back by the authority alone; and a
/// withdrawn entry is put away. CAT-22: important data by a paper.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_30_an_entry_is_taken_off_the_list_and_comes_back() {
    let stage = Stage::set().await;
    let (press, provider) = (&stage.press, &stage.press.provider);
    let (asker, authority) = (&stage.asker, &stage.authority);
    let listed = press.put("道路运输证信息", SharingKind::Conditional).await.expect("it is listed");

    bad_suspensions(&stage, &listed).await;
    let from_now = WatchEntriesRequest { parent: asker.domain(), after_index: 0 };
    let watched = asker.catalog().watch_entries(call(from_now)).await;
    let mut watched = watched.expect("who is asked may watch").into_inner();
    let suspended =
        until_answered!(provider.entries().suspend_entry(suspension(&listed, "疑似外泄")))
            .expect("a leak is a reason");
    assert_eq!(suspended.state(), EntryState::Suspended);
    // Whoever watches is told that it rests, and nothing else of it.
    let told = watched.message().await.expect("the stream goes on").and_then(|told| told.entry);
    let told = told.expect("of one entry");
    assert_eq!((told.name.as_str(), told.state()), (listed.name.as_str(), EntryState::Suspended));
    assert_eq!(told.title, "");
    let gone = GetEntryRequest { name: listed.name.clone(), ..Default::default() };
    let hidden = until_answered!(asker.catalog().get_entry(gone.clone()));
    assert_eq!(refusal(hidden), Reason::NotFound);
    let head = stage.city.head(Level::City, OTHER_DEPARTMENT);
    let request = filing(asker, &head, content(asker, &listed));
    let asked = until_answered!(asker.sharing().create_request(request.clone()));
    assert_eq!(refusal(asked), Reason::EntryNotAvailable);
    let file = stage.file(authority, &listed.name).await.expect("the authority sees it");
    let why = file.suspension.expect("it is suspended");
    assert_eq!((why.ground(), why.reason.as_str()), (SuspensionGround::Leak, "疑似外泄"));

    let resume = || ResumeEntryRequest {
        name: listed.name.clone(),
        etag: suspended.etag.clone(),
        reason: "经查未外泄".to_owned(),
        request_id: request_id(),
    };
    let own = until_answered!(provider.entries().resume_entry(resume()));
    assert_eq!(refusal(own), Reason::CallerNotPermitted);
    let back = until_answered!(authority.entries().resume_entry(resume())).expect("it comes back");
    assert_eq!(back.state(), EntryState::Published);
    let found = until_answered!(asker.catalog().get_entry(gone.clone())).expect("it is listed");
    assert_eq!(found.version, listed.version);

    let archive = |etag: &str| ArchiveEntryRequest {
        name: listed.name.clone(),
        etag: etag.to_owned(),
        request_id: request_id(),
    };
    let early = until_answered!(provider.entries().archive_entry(archive(&back.etag)));
    assert_eq!(refusal(early), Reason::EntryStateWrong);
    important(&stage, &back).await;
    let withdrawn = press.withdraw(&listed.name).await.expect("nobody uses it");
    let said = stage.luqiao(DEPARTMENT, &["catalog", "archive", &listed.name]).well();
    assert_eq!(said.last_object()["state"], "ENTRY_STATE_ARCHIVED");
    let again = until_answered!(provider.entries().archive_entry(archive(&withdrawn.etag)));
    assert_eq!(refusal(again), Reason::EtagMismatch);
}

/// What cannot be suspended like this; texts as long as a book and with control characters too.
async fn bad_suspensions(stage: &Stage, listed: &CatalogEntry) {
    let (provider, asker) = (&stage.press.provider, &stage.asker);
    let suspend = async |role: &Role, request: SuspendEntryRequest| {
        until_answered!(role.entries().suspend_entry(request.clone()))
    };
    let good = || suspension(listed, "疑似外泄");
    let etagless = SuspendEntryRequest { etag: String::new(), ..good() };
    assert_eq!(refusal(suspend(provider, etagless).await), Reason::EtagMissing);
    let stale = SuspendEntryRequest { etag: "\"v1\"".to_owned(), ..good() };
    assert_eq!(refusal(suspend(provider, stale).await), Reason::EtagMismatch);
    let groundless = SuspendEntryRequest { ground: 0, ..good() };
    assert_eq!(
        wrong(suspend(provider, groundless).await),
        (Reason::FieldInvalid, vec!["ground".to_owned()])
    );
    assert_eq!(refusal(suspend(provider, suspension(listed, " ")).await), Reason::ReasonMissing);
    let book = suspension(listed, &"长".repeat(350_000));
    assert_eq!(refusal(suspend(provider, book).await), Reason::TextTooLong);
    let bell = suspension(listed, "外泄\u{7}");
    assert_eq!(refusal(suspend(provider, bell).await), Reason::TextControlCharacters);
    let nothing = format!("{}/entries/01JD0000000000000000000009", provider.domain());
    let unknown = SuspendEntryRequest { name: nothing, ..good() };
    assert_eq!(refusal(suspend(provider, unknown).await), Reason::NotFound);
    let foreign = SuspendEntryRequest { name: listed.name.replace("xiamen", "fujian"), ..good() };
    assert_eq!(refusal(suspend(provider, foreign).await), Reason::NotOwner);
    assert_eq!(refusal(suspend(asker, good()).await), Reason::CallerNotPermitted);

    // SEC-19: a system that says it speaks for somebody of another organization.
    let mut request = call(good());
    let stranger = stage.city.head(Level::City, OTHER_DEPARTMENT).person();
    let stranger = stranger.rsplit('/').next().expect("an id").to_owned();
    request.metadata_mut().insert("x-luqiao-person", stranger.parse().expect("a header value"));
    let asserted = provider.entries().suspend_entry(request).await;
    assert_eq!(refusal(asserted), Reason::PersonNotAsserted);
    let file = stage.file(provider, &listed.name).await.expect("the provider sees it");
    assert_eq!(file.suspension, None, "nothing of all this was done");
}

/// CAT-22: listed as important by the authority with a paper; then nobody opens the data.
async fn important(stage: &Stage, listed: &CatalogEntry) {
    let (authority, provider) = (&stage.authority, &stage.press.provider);
    let mark = async |role: &Role, decision: Option<PaperDecision>| {
        let request = MarkImportantRequest {
            name: listed.name.clone(),
            important: true,
            decision,
            request_id: request_id(),
        };
        until_answered!(role.entries().mark_important(request.clone()))
    };
    assert_eq!(
        wrong(mark(authority, None).await),
        (Reason::FieldInvalid, vec!["decision".to_owned()])
    );
    let short = PaperDecision { digest: vec![7; 31].into(), ..paper() };
    assert_eq!(
        wrong(mark(authority, Some(short)).await),
        (Reason::FieldInvalid, vec!["decision.digest".to_owned()])
    );
    let unnumbered = PaperDecision { document_number: String::new(), ..paper() };
    assert_eq!(
        wrong(mark(authority, Some(unnumbered)).await),
        (Reason::FieldInvalid, vec!["decision.document_number".to_owned()])
    );
    assert_eq!(refusal(mark(provider, Some(paper())).await), Reason::CallerNotPermitted);
    let file = mark(authority, Some(paper())).await.expect("the authority records it");
    assert_eq!(file.important_data, Some(paper()));

    let open = CatalogEntry {
        open_type: OpenType::Unconditional.into(),
        etag: stage.press.working(&listed.name).await.expect("it is there").etag,
        ..listed.clone()
    };
    let mask = FieldMask { paths: vec!["open_type".to_owned()] };
    until_answered!(provider.catalog().update_entry(UpdateEntryRequest {
        entry: Some(open.clone()),
        update_mask: Some(mask.clone()),
        request_id: request_id(),
    }))
    .expect("a draft may say so");
    let lacks = stage.lacks(&listed.name).await;
    assert!(reasons(&lacks).contains(&"IMPORTANT_NOT_OPEN"), "{lacks:?}");
    let closed = CatalogEntry {
        etag: stage.press.working(&listed.name).await.expect("it is there").etag,
        open_type: 0,
        ..open.clone()
    };
    until_answered!(provider.catalog().update_entry(UpdateEntryRequest {
        entry: Some(closed.clone()),
        update_mask: Some(mask.clone()),
        request_id: request_id(),
    }))
    .expect("and take it back");
    assert!(!reasons(&stage.lacks(&listed.name).await).contains(&"IMPORTANT_NOT_OPEN"));
}
