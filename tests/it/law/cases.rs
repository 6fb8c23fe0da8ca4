//! The life of a case by calls: time, lateness, windows, several entries, disputes, demands.
//!
//! A domain of real processes with real certificates. What a story of the state shows already is
//! not shown again: here is who may see what, what the edge alone can refuse, and that the calls do
//! what the commands do.

mod disputing;
mod filing;
mod waiting;

use catalog_model::reason::Reason;
use federation_tests::{
    asking,
    federation::Federation,
    publishing::{Press, entry},
    role::{Role, request_id},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind},
    organization::v1::DataKind,
    sharing::v1::{
        Answer, AnswerKind, AnswerRequestRequest, CaseFile, GetCaseFileRequest, GetRequestRequest,
        PaperDecision, ShareRequest,
    },
};
use luqiao_transport::status::Problem;
use tonic::Status;

/// A domain and who lives in it.
struct Stage {
    federation: Federation,
    level: Level,
    /// Publishes what a department provides.
    press: Press,
    /// Publishes what a hospital provides; the authority decides with it.
    hospital: Press,
    asker: Role,
    asking_head: Role,
    authority: Role,
    manager: Role,
    government: Role,
}

impl Stage {
    async fn set(level: Level) -> Self {
        let federation = Federation::start(&[level]).await;
        let of = |office| federation.role(level, office);
        Self {
            press: federation.press(level, DEPARTMENT),
            hospital: federation.press(level, SERVICE),
            asker: of(OTHER_DEPARTMENT),
            asking_head: federation.head(level, OTHER_DEPARTMENT),
            authority: of(AUTHORITY),
            manager: of(MANAGER),
            government: of("government"),
            federation,
            level,
        }
    }

    /// Somebody of the domain who has no part in what the departments do.
    fn stranger(&self) -> &Role {
        &self.hospital.provider
    }

    async fn conditional(&self, title: &str) -> CatalogEntry {
        self.press.put(title, SharingKind::Conditional).await.expect("it is published")
    }

    /// An entry of which the authority decides after the hospital's opinion.
    async fn of_the_hospital(&self) -> CatalogEntry {
        let mut draft = entry(&self.hospital.provider, "床位信息", SharingKind::Conditional);
        draft.kind = DataKind::PublicServiceData.into();
        let draft = self.hospital.register(draft).await.expect("a draft");
        self.hospital.issue(&draft).await.expect("it is published")
    }

    /// A case that is open.
    async fn open(&self, entry: &CatalogEntry) -> ShareRequest {
        let asker = &self.asker;
        let content = asking::content(asker, entry);
        let call = asking::filing(asker, &self.asking_head, content);
        until_answered!(asker.sharing().create_request(call.clone()))
            .expect("nothing speaks against it")
    }

    /// The provider's head answers in person.
    async fn answered(&self, case: &ShareRequest, answer: Answer) -> ShareRequest {
        let head = &self.press.head;
        until_answered!(head.sharing().answer_request(AnswerRequestRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            answer: Some(answer.clone()),
            request_id: request_id(),
        }))
        .expect("the head may answer")
    }
}

fn agreed() -> Answer {
    Answer { kind: AnswerKind::Agreed.into(), ..Default::default() }
}

fn refusal() -> Answer {
    Answer {
        kind: AnswerKind::Refused.into(),
        ground: "beyond_duty".to_owned(),
        reason: "超出履职需要（合成）".to_owned(),
        ..Default::default()
    }
}

async fn case_as(role: &Role, name: &str) -> Result<ShareRequest, Status> {
    until_answered!(role.sharing().get_request(GetRequestRequest { name: name.to_owned() }))
}

async fn file_as(role: &Role, name: &str) -> Result<CaseFile, Status> {
    until_answered!(role.sharing().get_case_file(GetCaseFileRequest { name: name.to_owned() }))
}

fn paper(number: &str) -> PaperDecision {
    PaperDecision {
        document_number: number.to_owned(),
        digest: vec![7; 32].into(),
        date: "2026-09-21".to_owned(),
        issuing_body: "省人民政府办公厅（合成）".to_owned(),
        recorded_for: "省人民政府（合成）".to_owned(),
    }
}

/// The problem with which a call was refused, which has to be this one.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, reason: Reason) -> Problem {
    let status = answer.expect_err("the call should have been refused");
    let problem = Problem::from_status(&status);
    assert_eq!(problem.reason, Some(reason), "{}", problem.message);
    problem
}

/// The wrong fields of a refusal.
fn fields(problem: &Problem) -> Vec<&str> {
    problem.fields.iter().map(|(field, _)| field.as_str()).collect()
}
