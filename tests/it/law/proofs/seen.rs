//! What happened is read by those whom it concerns, and proved to anybody.

use std::fs;

use catalog_model::reason::Reason;
use catalog_proofs::{head::SignedHead, key::HeadKey, suite::Suite};
use federation_tests::{
    federation::Federation,
    role::{Role, refusal},
    until_answered,
};
use luqiao::{
    bag,
    dev::cast::{Level, SERVICE},
    pki::Authority,
    receipt::{
        self,
        document::{Receipt as Document, TrustAnchor},
    },
};
use luqiao_proto::convert::proof::{head_message, read_head};
use luqiao_proto::ledger::v1::{
    GetCaseBagRequest, GetReceiptRequest, ListHeadsRequest, QueryRecordsRequest, Receipt,
    TailRecordsRequest, TextsState, VerifyLedgerRequest,
};
use prost::Message as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::{Case, REASON, RECEIPT, file, luqiao, records, refused_case, script_says, text};

/// Longest receipt, in bytes.
const RECEIPT_MAX: usize = 4 << 10;

async fn receipt_of(role: &Role, name: &str, record: Option<u64>) -> Receipt {
    let request = GetReceiptRequest { name: name.to_owned(), record };
    let receipt = until_answered!(role.ledger().get_receipt(request.clone()));
    receipt.unwrap_or_else(|status| panic!("{name}: {status:?}"))
}

/// SEC-03: the minutes of a case are read by its parties and the platform, texts by whom they were
/// for, and nobody else learns that there is a case; every record has a receipt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_03_records_are_read_by_whom_they_concern_and_proved_to_anybody() {
    let city = Federation::start(&[Level::City]).await;
    let case = refused_case(&city).await;
    minutes(&case, &city).await;
    receipts(&case, &city).await;
    case_bag(&case, &city).await;
    whole_ledger(&case, &city).await;
}

async fn minutes(case: &Case, city: &Federation) {
    let name = case.request.name.as_str();
    let by_asker = records(&case.asker, name).await;
    let kinds: Vec<&str> = by_asker.iter().map(|record| record.kind.as_str()).collect();
    assert!(
        kinds.contains(&"request_received") && kinds.contains(&"request_answered"),
        "{kinds:?}"
    );
    let answered = by_asker.iter().find(|record| record.kind == "request_answered").expect("it is");
    assert_eq!(answered.sentence, "answered: refused");
    // The reason was for the asker, the person who gave it is not.
    assert!(answered.texts.iter().any(|text| text.text == REASON), "{answered:?}");
    let own = case.asker.organization();
    let own = own.trim_start_matches("domains/");
    for record in by_asker.iter().filter(|record| !record.actor.starts_with(own)) {
        let of_persons = ["person", "consenter"];
        let told = record.texts.iter().any(|text| of_persons.contains(&text.label.as_str()));
        assert!(!told, "who in the other organization: {record:?}");
    }
    assert!(!answered.record_json.contains(REASON), "a text is in the record itself");

    let by_authority = records(&case.authority, name).await;
    assert_eq!(by_authority.len(), by_asker.len());
    assert!(by_authority.iter().all(|record| record.texts_state() != TextsState::Withheld));

    let stranger = city.role(Level::City, SERVICE);
    assert!(records(&stranger, name).await.is_empty(), "a case is nobody else's business");
    let all = QueryRecordsRequest { parent: stranger.domain(), ..Default::default() };
    let seen = until_answered!(stranger.ledger().query_records(all.clone())).expect("a page");
    assert!(seen.records.iter().all(|record| record.subject != name));
    assert!(!seen.records.is_empty(), "what is about the domain is for everybody in it");
    let get = GetReceiptRequest { name: name.to_owned(), record: None };
    let answer = until_answered!(stranger.ledger().get_receipt(get.clone()));
    assert_eq!(refusal(answer), Reason::NotFound);
    let get = GetCaseBagRequest { name: name.to_owned() };
    let answer = until_answered!(stranger.ledger().get_case_bag(get.clone()));
    assert_eq!(refusal(answer), Reason::NotFound);

    // Kind, organization and page narrow it down; together the pages are the whole.
    let asker = &case.asker;
    let narrow = |page_token: String| QueryRecordsRequest {
        parent: asker.domain(),
        organization: asker.organization(),
        page_size: 1,
        page_token,
        ..Default::default()
    };
    let first = until_answered!(asker.ledger().query_records(narrow(String::new()))).expect("one");
    assert_eq!(first.records.len(), 1);
    let token = first.next_page_token.clone();
    let second =
        until_answered!(asker.ledger().query_records(narrow(token.clone()))).expect("more");
    assert_ne!(second.records[0].sequence, first.records[0].sequence);

    // What is tailed from a place is what is read there.
    let mut tail = asker
        .ledger()
        .tail_records(TailRecordsRequest {
            parent: asker.domain(),
            from: Some(0),
            subject: name.to_owned(),
            ..Default::default()
        })
        .await
        .expect("records can be followed")
        .into_inner();
    for record in &by_asker {
        let told = tail.message().await.expect("it goes on").and_then(|told| told.record);
        assert_eq!(told.map(|told| told.sequence), Some(record.sequence));
    }

    let said = luqiao(city, "city-authority", &["audit", "query", "--subject", name]).well();
    let told = said.last_object()["records"].as_array().map_or(0, Vec::len);
    assert_eq!(told, by_authority.len());
}

async fn receipts(case: &Case, city: &Federation) {
    let trust = city.topology.of(Level::City).trust();
    let anchor: TrustAnchor =
        serde_json::from_str(&fs::read_to_string(&trust).expect("the anchor")).expect("an anchor");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let prove = |name: &str, receipt: &Receipt| {
        let (size, about) = (receipt.encoded_len(), &receipt.name);
        assert!(size <= RECEIPT_MAX, "the receipt of {about} has {size} bytes");
        let path = file(folder, name, RECEIPT, receipt);
        let document: Document =
            serde_json::from_str(&fs::read_to_string(&path).expect("the file")).expect("a receipt");
        let ours = receipt::verify(&document, &anchor);
        let reason = ours.as_ref().err().map(receipt::Rejected::reason);
        script_says(&["receipt", &text(&path), "--trust", &text(&trust)], reason);
        ours
    };

    // Each record of the case, and whatever else has one.
    for record in records(&case.asker, &case.request.name).await {
        let receipt = receipt_of(&case.asker, &case.request.name, Some(record.sequence)).await;
        assert_eq!(prove("case.json", &receipt).expect("proven").leaf_index, record.sequence);
    }
    for name in [case.request.entry.clone(), case.asker.domain()] {
        let receipt = receipt_of(&case.asker, &name, None).await;
        assert_eq!(prove("other.json", &receipt).expect("proven").subject, name);
    }

    // One bit of the record; the place; another's name.
    let receipt = receipt_of(&case.asker, &case.request.name, None).await;
    let mut flipped = receipt.clone();
    let mut bytes = flipped.record.to_vec();
    bytes[40] ^= 1;
    flipped.record = bytes.into();
    assert_eq!(prove("flipped.json", &flipped), Err(receipt::Rejected::NotIncluded));
    let mut moved = receipt.clone();
    moved.leaf_index -= 1;
    assert_eq!(prove("moved.json", &moved), Err(receipt::Rejected::NotIncluded));
    let passed_off = Receipt { name: case.request.entry.clone(), ..receipt.clone() };
    let verdict = prove("passed_off.json", &passed_off).expect_err("it is about something else");
    assert_eq!(verdict.reason(), "about_something_else");

    // Signed again, for the same node of the same cluster, by a key of another authority.
    let plan = city.topology.of(Level::City);
    let forger = Authority::new(&Level::City.domain()).expect("an authority of the same name");
    let node = "1".parse().expect("a name");
    let issued = forger.issue_head(&node, &plan.cluster_id).expect("a key");
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key in PEM");
    let key = HeadKey::from_pkcs8(Suite::default(), key.secret_der()).expect("an Ed25519 key");
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes());
    let head = read_head(&receipt.tree_head.clone().expect("a head"), "head").expect("a head");
    let signed = SignedHead {
        signature: key.sign(&head.head.signed_bytes()),
        certificate: certificate.expect("a certificate").to_vec(),
        head: head.head,
    };
    let mut forged = receipt;
    forged.tree_head = Some(head_message(&signed));
    assert_eq!(prove("signed.json", &forged), Err(receipt::Rejected::AuthorityUnknown));
}

async fn case_bag(case: &Case, city: &Federation) {
    let name = case.request.name.as_str();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("case.html");
    let trust = text(&city.topology.of(Level::City).trust());
    let context = case_context();
    let bag = ["case", "bag", name, "-O", &text(&page), "--trust", &trust];
    let said = luqiao(city, &context, &bag).well();
    let seen = records(&case.asker, name).await.len();
    let proofs = said.last_object()["proofs"].as_u64().expect("a number");
    assert_eq!(proofs as usize, seen, "every record of the case is proven in the page");

    let html = fs::read_to_string(&page).expect("the page");
    let receipts = bag::receipts(&html).expect("a bag").expect("receipts");
    assert_eq!(receipts.len(), seen);
    for shown in
        [REASON, "政务数据共享条例", "<blockquote>", "国庆节放假", "answered: refused", "作出答复"]
    {
        assert!(html.contains(shown), "{shown}");
    }
    // The page with one digit of a record changed proves less.
    let data = html.find("\"record\":\"").expect("a record") + 80;
    let digit = if &html[data..=data] == "A" { "B" } else { "A" };
    let forged = format!("{}{digit}{}", &html[..data], &html[data + 1..]);
    fs::write(&page, forged).expect("the page can be written");
    let said = luqiao(city, &context, &["case", "check", &text(&page), "--trust", &trust]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    let rejected = said.last_object()["rejected"].as_array().map_or(0, Vec::len);
    assert_eq!(rejected, 1, "{said:#?}");
}

/// The context of the asker's system.
fn case_context() -> String {
    format!("{}-{}", Level::City.word(), luqiao::dev::cast::OTHER_DEPARTMENT)
}

async fn whole_ledger(case: &Case, city: &Federation) {
    let authority = &case.authority;
    let mut from = 0;
    loop {
        let request = VerifyLedgerRequest { parent: authority.domain(), from, limit: 7 };
        let portion = until_answered!(authority.ledger().verify_ledger(request.clone()));
        let portion = portion.expect("the authority may");
        assert!(portion.findings.is_empty(), "{:?}", portion.findings);
        if portion.next == portion.tree_size {
            break;
        }
        assert_eq!(portion.next, from + 7);
        from = portion.next;
    }
    let said = luqiao(city, "city-authority", &["audit", "verify"]).well();
    assert_eq!(said.last_object()["verified"], true);
    let list = ListHeadsRequest { parent: authority.domain() };
    let heads = until_answered!(authority.ledger().list_heads(list.clone())).expect("a list");
    assert!(heads.held.is_empty() && heads.forks.is_empty(), "nobody else is there: {heads:?}");
}
