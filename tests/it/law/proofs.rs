//! Proofs: can anybody hold us to what was decided, and is a rewritten past noticed?

mod archives;
mod national;
mod rewritten;
mod seen;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use federation_tests::{
    asking::{content, filing},
    command_line::{Said, run},
    federation::Federation,
    repository::root,
    role::{Role, request_id},
    skipped, until_answered,
};
use luqiao::{
    dev::cast::{AUTHORITY, DEPARTMENT, Level, OTHER_DEPARTMENT},
    message::{kind, to_json},
};
use luqiao_proto::{
    catalog::v1::SharingKind,
    ledger::v1::{LedgerRecord, QueryRecordsRequest},
    sharing::v1::{Answer, AnswerKind, AnswerRequestRequest, GiveConsentRequest, ShareRequest},
};
use prost::Message;

/// What the provider says to the asker; it stands beside the ledger, not in it.
const REASON: &str = "与申请的履职事项无关";

/// A department's request that another refused, with a reason.
struct Case {
    request: ShareRequest,
    asker: Role,
    authority: Role,
}

/// A case in the city from receipt to refusal.
async fn refused_case(city: &Federation) -> Case {
    let press = city.press(Level::City, DEPARTMENT);
    let asker = city.role(Level::City, OTHER_DEPARTMENT);
    let head = city.head(Level::City, OTHER_DEPARTMENT);
    let entry = press.put("企业登记信息", SharingKind::Conditional).await.expect("it is published");
    let call = filing(&asker, &head, content(&asker, &entry));
    let case = until_answered!(asker.sharing().create_request(call.clone())).expect("it is filed");
    let answer =
        Answer { kind: AnswerKind::Refused.into(), reason: REASON.to_owned(), ..Answer::default() };
    let (provider, provider_head) = (&press.provider, &press.head);
    until_answered!(provider_head.sharing().give_consent(GiveConsentRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        answer: Some(answer.clone()),
        request_id: request_id(),
        ..GiveConsentRequest::default()
    }))
    .expect("the head consents");
    let case = until_answered!(provider.sharing().answer_request(AnswerRequestRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        answer: Some(answer.clone()),
        request_id: request_id(),
    }))
    .expect("it is refused");
    let authority = city.role(Level::City, AUTHORITY);
    Case { request: case, asker, authority }
}

/// The records about a resource, as `role` sees them.
async fn records(role: &Role, subject: &str) -> Vec<LedgerRecord> {
    let request = QueryRecordsRequest {
        parent: role.domain(),
        subject: subject.to_owned(),
        page_size: 100,
        ..QueryRecordsRequest::default()
    };
    let page = until_answered!(role.ledger().query_records(request.clone()));
    page.expect("records can be asked for").records
}

/// A message as the file that the command line would write.
fn file<M: Message>(folder: &Path, name: &str, kind: &str, message: &M) -> PathBuf {
    let path = folder.join(name);
    let json = to_json(kind, message).expect("the message can be JSON");
    fs::write(&path, json.to_string()).expect("a file can be written");
    path
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// `luqiao` as `context` of the federation, answering in JSON.
fn luqiao(city: &Federation, context: &str, arguments: &[&str]) -> Said {
    let contexts = text(&city.topology.contexts());
    let global = ["--contexts", &contexts, "--context", context, "-o", "json", "--lang", "en"];
    run(global.iter().chain(arguments))
}

/// Runs `scripts/verify.py`, which shares no line with us: exit code and what it said. `None` where
/// there is no Python that has `cryptography`.
fn script(arguments: &[&str]) -> Option<(i32, String)> {
    let candidates = [env::var("LUQIAO_PYTHON").ok(), Some("python3".to_owned())];
    let python = candidates.into_iter().flatten().find(|python| {
        let found = Command::new(python).args(["-c", "import cryptography"]).output();
        found.is_ok_and(|output| output.status.success())
    });
    let Some(python) = python else {
        skipped("law::proofs, scripts/verify.py", "no Python with `cryptography`".to_owned());
        return None;
    };
    let output = Command::new(python)
        .arg(root().join("scripts/verify.py"))
        .args(arguments)
        .output()
        .expect("python starts");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Some((output.status.code().expect("it ends by itself"), said.into_owned()))
}

/// What the script says to these files: proven, or refused for this reason.
fn script_says(arguments: &[&str], refused: Option<&str>) {
    let Some((code, said)) = script(arguments) else { return };
    match refused {
        None => assert_eq!(code, 0, "{said}"),
        Some(reason) => {
            assert_eq!(code, 1, "{said}");
            assert!(said.contains(&format!("[{reason}]")), "{reason}: {said}");
        }
    }
}

/// The kind of a receipt as a file.
const RECEIPT: &str = kind::RECEIPT;
