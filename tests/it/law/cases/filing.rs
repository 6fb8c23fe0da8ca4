//! What comes by a window (SHR-22, SHR-29), a request over several entries (SHR-05), the separation
//! of duties (must-refuse 29), and the file of a case at the command line.

use catalog_model::reason::Reason;
use federation_tests::{
    asking,
    command_line::run,
    federation::seat,
    role::{Role, request_id},
    until_answered,
};
use luqiao::dev::cast::{Level, OTHER_DEPARTMENT};
use luqiao_proto::{
    catalog::v1::SharingKind,
    sharing::v1::{
        CreateMixedRequestRequest, CreateRequestRequest, FileOnBehalfRequest, FiledAnswer,
        FiledRequest, FilingKind, GetSeparationRequest, PaperDecision, Separation, ShareRequest,
        ShareRequestState, SwitchSeparationRequest, file_on_behalf_request::Filing,
    },
};
use tonic::Status;

use super::{Stage, agreed, case_as, fields, file_as, paper, refused};

async fn filed(
    role: &Role,
    filing: Filing,
    paper: PaperDecision,
    window: &str,
) -> Result<ShareRequest, Status> {
    until_answered!(role.sharing().file_on_behalf(FileOnBehalfRequest {
        parent: role.domain(),
        filing: Some(filing.clone()),
        paper: Some(paper.clone()),
        window: window.to_owned(),
        request_id: request_id(),
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shr_29_shr_22_shr_05_windows_several_entries_and_two_persons_by_calls() {
    let stage = Stage::set(Level::Province).await;
    at_the_window(&stage).await;
    over_several_entries(&stage).await;
    by_two_persons(&stage).await;
}

async fn at_the_window(stage: &Stage) {
    let entry = stage.conditional("企业信用信息").await;
    let (asker, manager) = (&stage.asker, &stage.manager);
    let request = Filing::Request(FiledRequest {
        organization: asker.organization(),
        content: Some(asking::content(asker, &entry)),
        head: stage.asking_head.person(),
    });
    let window = "省政务服务中心 8 号窗口（合成）";
    let letter = |body: &str| PaperDecision {
        issuing_body: body.to_owned(),
        recorded_for: body.to_owned(),
        ..paper("闽交函〔2026〕3号（合成）")
    };
    let asked = letter("省交通运输部门（合成）");
    let own = filed(asker, request.clone(), asked.clone(), window).await;
    refused(own, Reason::CallerNotPermitted);
    let nowhere = filed(manager, request.clone(), asked.clone(), " ").await;
    refused(nowhere, Reason::PaperIncomplete);
    let headless = Filing::Request(FiledRequest {
        organization: asker.organization(),
        content: None,
        head: String::new(),
    });
    let empty =
        refused(filed(manager, headless, asked.clone(), window).await, Reason::FieldInvalid);
    assert_eq!(fields(&empty), ["request.content"]);
    let nothing = until_answered!(manager.sharing().file_on_behalf(FileOnBehalfRequest {
        parent: manager.domain(),
        request_id: request_id(),
        ..Default::default()
    }));
    assert_eq!(fields(&refused(nothing, Reason::FieldInvalid)), ["filing"]);

    let case = filed(manager, request, asked.clone(), window).await.expect("the manager enters it");
    let requester = case.requester.clone().expect("a requester").organization;
    assert_eq!(requester, asker.organization(), "as if it had called itself");
    assert_eq!(case.state(), ShareRequestState::Submitted);
    assert_eq!(case_as(asker, &case.name).await.expect("its own case"), case);

    let answer = |etag: &str| {
        Filing::Answer(FiledAnswer {
            request: case.name.clone(),
            etag: etag.to_owned(),
            answer: Some(agreed()),
            head: stage.press.head.person(),
        })
    };
    let given = letter("省医疗保障部门（合成）");
    let stale = filed(manager, answer("\"v77\""), given.clone(), window).await;
    refused(stale, Reason::EtagMismatch);
    let answered =
        filed(manager, answer(&case.etag), given.clone(), window).await.expect("as on paper");
    assert_eq!(answered.state(), ShareRequestState::Agreed);
    let by = answered.answer.clone().expect("an answer").by.expect("by somebody").organization;
    assert_eq!(by, stage.press.provider.organization(), "not the clerk's");
    let file = file_as(asker, &case.name).await.expect("the asker sees it");
    let kinds: Vec<FilingKind> =
        file.filings.iter().map(luqiao_proto::sharing::v1::WindowFiling::kind).collect();
    assert_eq!(kinds, [FilingKind::Request, FilingKind::Answer]);
    assert_eq!((&file.filings[1].paper, file.filings[1].window.as_str()), (&Some(given), window));
    at_the_command_line(stage, &case.name);
}

/// The same file as JSON and as sentences.
fn at_the_command_line(stage: &Stage, name: &str) {
    let contexts = stage.federation.topology.contexts();
    let contexts = contexts.to_str().expect("a path in UTF-8");
    let asker = seat(stage.level, OTHER_DEPARTMENT).context();
    let said = |more: &[&str]| {
        let common = ["--contexts", contexts, "--context", &asker, "request", "case", name];
        run(common.iter().chain(more)).well()
    };
    let json = said(&["-o", "json"]).last_object();
    assert_eq!(json["name"], name);
    assert_eq!(json["filings"][1]["kind"], "FILING_KIND_ANSWER");
    assert_eq!(json["filings"][0]["paper"]["document_number"], "闽交函〔2026〕3号（合成）");
    let zh = said(&["--lang", "zh"]).stdout;
    assert!(zh.contains("申请由窗口代录") && zh.contains("答复由窗口代录"), "{zh}");
    let en = said(&["--lang", "en"]).stdout;
    assert!(en.contains("was entered on its behalf at"), "{en}");
}

async fn over_several_entries(stage: &Stage) {
    let asker = &stage.asker;
    let open = stage.press.put("公开信息", SharingKind::Unconditional).await.expect("published");
    let asked = stage.conditional("信用记录").await;
    let parts = vec![asking::content(asker, &open), asking::content(asker, &asked)];
    let call = |parts: Vec<ShareRequest>, request_id: String| CreateMixedRequestRequest {
        parent: asker.domain(),
        parts,
        consenting_person: stage.asking_head.person(),
        request_id,
    };
    let mixed = async |call: CreateMixedRequestRequest| {
        until_answered!(asker.sharing().create_mixed_request(call.clone()))
    };
    let one = mixed(call(parts[..1].to_vec(), request_id())).await;
    assert_eq!(fields(&refused(one, Reason::FieldInvalid)), ["parts"]);
    let twice = vec![parts[1].clone(), parts[1].clone()];
    assert_eq!(
        fields(&refused(mixed(call(twice, request_id())).await, Reason::FieldInvalid)),
        ["parts"]
    );
    let nameless =
        vec![parts[0].clone(), ShareRequest { entry: "x".to_owned(), ..parts[1].clone() }];
    let problem = refused(mixed(call(nameless, request_id())).await, Reason::NameInvalid);
    assert_eq!(fields(&problem), ["parts[1].entry"]);

    let key = request_id();
    let made = mixed(call(parts.clone(), key.clone())).await.expect("one number, two cases");
    let [first, second] = &made.requests[..] else { panic!("two parts: {made:?}") };
    let (number, place) = first.case_number.rsplit_once('.').expect("a part of a number");
    assert_eq!((place, second.case_number.clone()), ("1", format!("{number}.2")));
    assert_eq!(
        (first.state(), second.state()),
        (ShareRequestState::Agreed, ShareRequestState::Submitted)
    );
    assert_eq!(mixed(call(parts, key)).await.expect("the same call again"), made);
}

async fn by_two_persons(stage: &Stage) {
    let (authority, head) = (&stage.authority, &stage.asking_head);
    let separation = async |role: &Role| {
        until_answered!(role.sharing().get_separation(GetSeparationRequest { name: role.domain() }))
            .expect("anybody may ask")
    };
    let switched = async |role: &Role, on: bool, reason: &str| -> Result<Separation, Status> {
        until_answered!(role.sharing().switch_separation(SwitchSeparationRequest {
            name: role.domain(),
            on,
            reason: reason.to_owned(),
            request_id: request_id(),
        }))
    };
    let before = separation(&stage.asker).await;
    assert!(!before.on && before.rule.is_some(), "off, and a rule of the house: {before:?}");
    refused(switched(&stage.asker, true, "审计").await, Reason::CallerNotPermitted);
    refused(switched(authority, true, "").await, Reason::ReasonMissing);
    assert!(switched(authority, true, "年度审计").await.expect("the authority's").on);
    assert!(separation(&stage.asker).await.on);

    let entry = stage.conditional("两人经办").await;
    let content = asking::content(&stage.asker, &entry);
    let call = asking::filing(&stage.asker, head, content);
    let alone = until_answered!(head.sharing().create_request(call.clone()));
    refused(alone, Reason::SelfApproval);
    assert!(!switched(authority, false, "审计结束").await.expect("the authority's").on);
    let again = CreateRequestRequest { request_id: request_id(), ..call };
    until_answered!(head.sharing().create_request(again)).expect("the law asks for no two");
}
