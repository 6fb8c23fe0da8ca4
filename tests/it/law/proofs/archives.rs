//! The ledger leaves as files, and what the law wants gone goes without breaking it.

use std::fs;

use catalog_model::reason::Reason;
use federation_tests::{
    federation::Federation,
    role::{refusal, request_id},
    until_answered,
};
use luqiao::dev::cast::Level;
use luqiao_proto::ledger::v1::{
    ErasePayloadRequest, GetReceiptRequest, PurgePayloadsRequest, SealSegmentRequest, TextsState,
};

use super::{REASON, RECEIPT, file, luqiao, records, refused_case, script_says, text};

/// SEC-16: sealed segments are exported with the chain intact; a missing, swapped, changed or cut
/// one is noticed by us and by the script.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_16_archives_are_whole_or_it_is_noticed_and_erasure_breaks_no_proof() {
    let city = Federation::start(&[Level::City]).await;
    let case = refused_case(&city).await;
    let authority = &case.authority;

    let seal = |through| SealSegmentRequest {
        parent: authority.domain(),
        through,
        request_id: request_id(),
    };
    for (through, number) in [(3, 1), (6, 2), (0, 3)] {
        let call = seal(through);
        let segment = until_answered!(authority.ledger().seal_segment(call.clone()));
        let segment = segment.expect("the authority may");
        assert_eq!(segment.number, number);
        let again = until_answered!(authority.ledger().seal_segment(call.clone()));
        assert_eq!(again.expect("the same call again").number, number);
    }
    let back = until_answered!(authority.ledger().seal_segment(seal(2)));
    assert_eq!(refusal(back), Reason::SegmentRangeWrong);

    let folder = tempfile::tempdir().expect("a folder");
    let trust = text(&city.topology.of(Level::City).trust());
    let export = ["audit", "export", &text(folder.path()), "--trust", &trust];
    let said = luqiao(&city, "city-authority", &export).well();
    assert_eq!(said.last_object()["segments"], 3, "{said:#?}");
    let files: Vec<String> = (1..=3)
        .map(|number| text(&folder.path().join(format!("segment-{number:06}.cbor"))))
        .collect();
    let check = |files: &[&String], reason: Option<&str>| {
        let mut arguments = vec!["audit", "check", "--trust", &trust];
        arguments.extend(files.iter().map(|file| file.as_str()));
        let said = luqiao(&city, "city-authority", &arguments);
        let verdict = said.last_object();
        assert_eq!(verdict["reason"].as_str(), reason, "{said:#?}");
        assert_eq!(said.code, Some(i32::from(reason.is_some())), "{said:#?}");
        let mut arguments = vec!["archive", "--trust", &trust];
        arguments.extend(files.iter().map(|file| file.as_str()));
        script_says(&arguments, reason);
    };
    let [one, two, three] = &files[..] else { panic!("three files") };
    check(&[one, two, three], None);
    check(&[one, three], Some("missing"));
    check(&[two, one, three], Some("missing"));
    // A record with one bit changed, and a file without its end.
    let whole = fs::read(two).expect("the file");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(two, &changed).expect("the file can be written");
    let said = luqiao(&city, "city-authority", &["audit", "check", one, two, three]);
    assert_eq!((said.code, &said.last_object()["verified"]), (Some(1), &false.into()));
    fs::write(two, &whole[..whole.len() - 20]).expect("the file can be written");
    check(&[one, two, three], Some("truncated"));
    fs::write(two, &whole).expect("the file can be written");
    check(&[one, two, three], None);

    // Lawful erasure: the text goes, the record stays, its receipt stays good.
    let answered = records(&case.asker, &case.request.name).await;
    let answered = answered.iter().find(|record| record.kind == "request_answered").expect("one");
    let receipt =
        GetReceiptRequest { name: case.request.name.clone(), record: Some(answered.sequence) };
    let asker = &case.asker;
    let before = until_answered!(asker.ledger().get_receipt(receipt.clone())).expect("a receipt");
    let erase = ErasePayloadRequest {
        parent: authority.domain(),
        record: answered.sequence,
        ground: "个人信息主体依法请求删除".to_owned(),
        request_id: request_id(),
    };
    let erased = until_answered!(authority.ledger().erase_payload(erase.clone()));
    let erased = erased.expect("the authority may");
    assert_eq!(
        (erased.kind.as_str(), erased.subject.as_str()),
        ("payload_erased", case.request.name.as_str())
    );
    let twice = ErasePayloadRequest { request_id: request_id(), ..erase };
    let twice = until_answered!(authority.ledger().erase_payload(twice.clone()));
    assert_eq!(refusal(twice), Reason::PayloadGone);
    let after = records(&case.authority, &case.request.name).await;
    let after = after.iter().find(|record| record.sequence == answered.sequence).expect("it stays");
    assert_eq!(after.texts_state(), TextsState::Erased);
    assert!(after.texts.iter().all(|text| text.text != REASON));
    let still = until_answered!(asker.ledger().get_receipt(receipt.clone())).expect("a receipt");
    assert_eq!(still.record, before.record);
    let path = file(folder.path(), "receipt.json", RECEIPT, &before);
    script_says(&["receipt", &text(&path), "--trust", &trust], None);
    luqiao(&city, "city-authority", &["audit", "verify"]).well();

    // Retention is not over, whoever asks.
    let purge =
        PurgePayloadsRequest { parent: authority.domain(), through: 5, request_id: request_id() };
    let purged = until_answered!(authority.ledger().purge_payloads(purge.clone()));
    assert_eq!(refusal(purged), Reason::RetentionNotOver);
}
