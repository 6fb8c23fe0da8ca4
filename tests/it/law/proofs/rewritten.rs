//! A domain that rewrites its past with all its own keys is found out by the one that holds a head.

use std::fs;

use federation_tests::{
    federation::Federation,
    role::{Role, call},
    until_answered,
};
use luqiao::{
    dev::cast::{AUTHORITY, Level},
    message::kind,
};
use luqiao_proto::{
    ledger::v1::{
        AgainstVerdict, LedgerRecord, ListHeadsRequest, TailRecordsRequest, VerifyAgainstRequest,
    },
    operations::v1::GetStatusRequest,
};
use serde_json::Value;
use tonic::Streaming;

use super::{file, luqiao, records, refused_case, script_says, text};

/// Waits for a record of a kind that is as `wanted`, from the beginning of the ledger on.
async fn until_recorded(role: &Role, kind: &str, wanted: impl Fn(&Value) -> bool) -> LedgerRecord {
    let request = TailRecordsRequest {
        parent: role.domain(),
        from: Some(0),
        kinds: vec![kind.to_owned()],
        ..Default::default()
    };
    let mut call = call(request);
    // As long as it takes, within the patience of whoever runs the tests.
    call.set_timeout(federation_tests::role::PATIENCE);
    let mut records: Streaming<_> =
        role.ledger().tail_records(call).await.expect("records can be followed").into_inner();
    loop {
        let told = records.message().await.expect("it comes").expect("the stream goes on");
        let record = told.record.expect("a record");
        let json: Value = serde_json::from_str(&record.record_json).expect("JSON");
        if wanted(&json["details"]) {
            return record;
        }
    }
}

/// FED-15: the province holds and cosigns the head of the city. The city's cluster is thrown away
/// and begun anew with the same keys: the province keeps the evidence and raises an alarm, and the
/// city's own auditors see it too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fed_15_a_rewritten_past_is_noticed_by_the_domain_that_holds_a_head() {
    let mut both = Federation::start(&[Level::City, Level::Province]).await;
    let case = refused_case(&both).await;
    let province = both.role(Level::Province, AUTHORITY);

    // Each holds the other's head, and has its signature on its own; wait until the one of the city
    // has the case in it: what comes before it could well be the same in another history.
    let answered = records(&case.asker, &case.request.name).await;
    let size = answered.last().expect("the answer").sequence + 1;
    let with_the_case = |details: &Value| details["tree_size"].as_u64() >= Some(size);
    until_recorded(&province, "head_held", with_the_case).await;
    until_recorded(&case.authority, "head_cosigned", with_the_case).await;
    let city = &case.authority;
    let against = VerifyAgainstRequest {
        parent: city.domain(),
        holder: province.domain(),
        cosignature: None,
    };
    let found = until_answered!(city.ledger().verify_against(against.clone())).expect("a verdict");
    assert_eq!(found.verdict(), AgainstVerdict::Extends, "{found:?}");
    assert!(found.fresh, "the gateway asked the province");

    // What the province signed is proven by its own anchor, to somebody with nothing but files.
    let folder = tempfile::tempdir().expect("a folder");
    let cosignature = found.cosignature.clone().expect("the province's word");
    let kept = file(folder.path(), "cosigned.json", kind::COSIGNATURE, &cosignature);
    let anchor = |level| text(&both.topology.of(level).trust());
    let (ours, theirs) = (anchor(Level::City), anchor(Level::Province));
    script_says(&["cosignature", &text(&kept), "--trust", &theirs], None);
    script_says(&["cosignature", &text(&kept), "--trust", &ours], Some("not_of_anchor"));
    let holder = Level::Province.domain_text();
    let question = ["audit", "verify", "--against", holder, "--trust", &ours, "--theirs", &theirs];
    let said = luqiao(&both, "city-authority", &question).well();
    assert_eq!(said.last_object()["verdict"], "extends", "{said:#?}");
    let list = ListHeadsRequest { parent: province.domain() };
    let heads = until_answered!(province.ledger().list_heads(list.clone())).expect("a list");
    assert_eq!((heads.held.len(), heads.forks.len()), (1, 0), "{heads:?}");

    // Another history under the same keys, the same cluster and the same trust anchor.
    both.rewrite(Level::City).await;
    let forked = until_recorded(&province, "head_forked", |_| true).await;
    assert!(forked.sentence.contains("its past was rewritten"), "{}", forked.sentence);
    let heads = until_answered!(province.ledger().list_heads(list.clone())).expect("a list");
    assert_eq!(heads.forks.len(), 1, "the evidence, once: {heads:?}");
    let held = heads.held[0].head.clone().expect("the head that was held");
    assert!(held.tree_size > 0 && held.domain == Level::City.domain_text(), "{held:?}");
    let status = GetStatusRequest { name: province.domain() };
    let status = until_answered!(province.operations().get_status(status.clone()));
    let alarms = status.expect("a status").alarms;
    let alarm = alarms.iter().find(|alarm| alarm.name == "head-forked").expect("an alarm");
    assert!(alarm.subject.starts_with(Level::City.domain_text()), "{alarm:?}");

    let found = until_answered!(city.ledger().verify_against(against.clone())).expect("a verdict");
    assert_eq!(found.verdict(), AgainstVerdict::Rewritten, "{found:?}");
    let said = luqiao(&both, "city-authority", &question);
    assert_eq!((said.code, said.last_object()["verdict"].as_str()), (Some(1), Some("rewritten")));
    // A word that was kept says the same without asking anybody.
    let kept = text(&kept);
    let mut question = question.to_vec();
    question.extend(["--held", &kept]);
    let said = luqiao(&both, "city-authority", &question);
    assert_eq!((said.code, said.last_object()["verdict"].as_str()), (Some(1), Some("rewritten")));
    assert!(fs::metadata(&kept).is_ok());
}
