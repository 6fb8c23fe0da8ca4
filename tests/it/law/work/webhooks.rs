//! Notices, pulled and told: each to whom it concerns, at least once and in order, under one key,
//! whoever leads (issue 5 item 7).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalog_model::reason::Reason;
use federation_tests::{
    asking::{content, filing},
    federation::Federation,
    role::{PATIENCE, Role, refusal, request_id},
    until_answered,
};
use luqiao::dev::cast::{DEPARTMENT, Level, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{
    catalog::v1::SharingKind,
    work::v1::{
        AckNoticesRequest, DeliveryState, ListDeliveriesRequest, ListNoticesRequest,
        ListNoticesResponse, ListWebhooksRequest, NoticeKind, RegisterWebhookRequest,
        RemoveWebhookRequest, Webhook,
    },
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a department's system received, in order.
#[derive(Debug, Clone)]
struct Delivered {
    key: String,
    body: Value,
}

/// A department's system that answers with one status until it is told another.
struct Receiver {
    url: String,
    status: Arc<Mutex<u16>>,
    received: watch::Receiver<Vec<Delivered>>,
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "the test's runtime ends it")]
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/luqiao", listener.local_addr().expect("an address"));
        let status = Arc::new(Mutex::new(204));
        let (told, received) = watch::channel(Vec::new());
        let answer = Arc::clone(&status);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let status = *answer.lock().unwrap_or_else(PoisonError::into_inner);
                let delivered = exchange(stream, status).await;
                told.send_modify(|all: &mut Vec<Delivered>| all.push(delivered));
            }
        });
        Self { url, status, received }
    }

    fn answer(&self, status: u16) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// What was received, once `enough` of it.
    async fn until(&mut self, enough: impl FnMut(&Vec<Delivered>) -> bool) -> Vec<Delivered> {
        let waited = timeout(PATIENCE, self.received.wait_for(enough)).await;
        waited.expect("it is delivered").expect("the receiver runs").clone()
    }
}

/// Reads one request as any HTTP server would, checks its signature, and answers.
async fn exchange(stream: TcpStream, status: u16) -> Delivered {
    let mut stream = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a line");
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        headers.push(line);
    }
    assert_eq!(headers[0], "POST /luqiao HTTP/1.1");
    let header = |wanted: &str| -> String {
        let found = headers.iter().filter_map(|line| line.split_once(": "));
        let found = found.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.unwrap_or_else(|| panic!("no {wanted} in {headers:?}")).1.to_owned()
    };
    let length = header("content-length").parse().expect("a length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("the whole body");

    // As docs/level-3/work.md tells receivers to do it.
    let certificate = STANDARD.decode(header("luqiao-certificate")).expect("base64");
    let (_, certificate) = X509Certificate::from_der(&certificate).expect("a certificate");
    let names = certificate.subject_alternative_name().expect("readable").expect("named");
    assert!(format!("{:?}", names.value).contains("luqiao/node/"), "{names:?}");
    let time = header("luqiao-time");
    let signed = [b"luqiao webhook v1\0", time.as_bytes(), b"\0", &body].concat();
    let signature = STANDARD.decode(header("luqiao-signature")).expect("base64");
    let key = &certificate.public_key().subject_public_key.data;
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    key.verify(&signed, &signature).expect("the node's signature");
    let changed = [signed.as_slice(), b" "].concat();
    assert!(key.verify(&changed, &signature).is_err(), "it is over the body");

    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.expect("the sender listens");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    Delivered { key: header("luqiao-key"), body }
}

/// A city whose nodes deliver to this machine.
async fn city() -> Federation {
    let mut city = Federation::prepare().await;
    let plan = city.topology.of(Level::City);
    for node in &plan.nodes {
        let file = plan.node_config(node.id);
        let mut settings = std::fs::read_to_string(&file).expect("settings");
        settings.push_str(
            "\n[webhooks]\nhosts = [\"127.0.0.1\"]\nretry_first_ms = 200\nretry_max_s = 1\n\
             give_up_h = 72\n",
        );
        std::fs::write(&file, settings).expect("settings can be written");
    }
    city.bring_up(&[Level::City]).await;
    city
}

async fn register(role: &Role, url: &str, kinds: &[NoticeKind]) -> Webhook {
    let call = RegisterWebhookRequest {
        parent: role.domain(),
        url: url.to_owned(),
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        request_id: request_id(),
    };
    until_answered!(role.work().register_webhook(call.clone())).expect("a permitted host")
}

async fn pulled(role: &Role, from: Option<u64>, kinds: &[NoticeKind]) -> ListNoticesResponse {
    let call = ListNoticesRequest {
        parent: role.domain(),
        from_place: from,
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        page_size: 500,
    };
    until_answered!(role.work().list_notices(call.clone())).expect("one's own notices")
}

/// What happens is told to whom it concerns, again after a failure and after the leader is lost, under
/// the same key each time; nothing of what was written is told.
#[tokio::test(flavor = "multi_thread")]
async fn notices_arrive_at_least_once_under_one_key() {
    let mut city = city().await;
    let (provider, asker) =
        (city.role(Level::City, DEPARTMENT), city.role(Level::City, OTHER_DEPARTMENT));
    let outsider = city.role(Level::City, SERVICE);
    let asker_head = city.head(Level::City, OTHER_DEPARTMENT);
    let press = city.press(Level::City, DEPARTMENT);
    let entry = press.put("企业信用信息", SharingKind::Conditional).await.expect("published");
    let mut receiver = Receiver::start().await;
    let only = [NoticeKind::CaseReceived];
    let webhook = register(&provider, &receiver.url, &only).await;

    let ask = async |scenario: &str| {
        let mut wanted = content(&asker, &entry);
        scenario.clone_into(&mut wanted.scenario);
        let call = filing(&asker, &asker_head, wanted);
        until_answered!(asker.sharing().create_request(call.clone())).expect("filed").name
    };
    let first = ask("企业信用核查甲").await;
    let told = receiver.until(|all| !all.is_empty()).await;
    assert_eq!(told[0].body["subject"], first.as_str());
    assert_eq!(told[0].body["kind"], "CASE_RECEIVED");
    assert_eq!(told[0].body["due_date"], "2026-10-12");
    assert_eq!(told[0].body["webhook"], webhook.name.as_str());
    assert_eq!(told[0].body["key"], told[0].key.as_str());
    assert!(!told[0].body.to_string().contains("核查"), "what was written stays where it is");

    // What fails is tried again under the same key, and holds up what comes after it.
    receiver.answer(503);
    let second = ask("企业信用核查乙").await;
    let third = ask("企业信用核查丙").await;
    let told = receiver
        .until(|all| all.iter().filter(|one| one.body["subject"] == second.as_str()).count() >= 2)
        .await;
    assert!(!told.iter().any(|one| one.body["subject"] == third.as_str()), "{told:?}");

    // Whoever leads next goes on.
    let leader = city.leader(Level::City).await;
    city.kill(leader);
    receiver.answer(204);
    let told =
        receiver.until(|all| all.iter().any(|one| one.body["subject"] == third.as_str())).await;
    for case in [&first, &second, &third] {
        let keys: BTreeSet<_> = told
            .iter()
            .filter(|one| one.body["subject"] == case.as_str())
            .map(|one| one.key.clone())
            .collect();
        assert_eq!(keys.len(), 1, "{case} was told under {keys:?}");
    }
    let sequences: Vec<u64> = told.iter().filter_map(|one| one.body["sequence"].as_u64()).collect();
    assert!(sequences.is_sorted(), "{sequences:?}");

    // It is on record once it is committed, and it is what can be pulled.
    let deliveries = ListDeliveriesRequest { name: webhook.name.clone() };
    let started = tokio::time::Instant::now();
    let arrived = loop {
        assert!(started.elapsed() < PATIENCE, "what arrived is not on record");
        let list = until_answered!(provider.work().list_deliveries(deliveries.clone()));
        let list = list.expect("one's own deliveries").deliveries;
        let arrived: Vec<u64> = list
            .iter()
            .filter(|one| one.state() == DeliveryState::Arrived)
            .map(|one| one.sequence)
            .collect();
        if arrived.len() == 3 {
            break arrived;
        }
        // The courier commits after it delivered: another look is all that is waited for.
        tokio::task::yield_now().await;
    };
    let list = pulled(&provider, Some(0), &only).await;
    let mut of_ledger: Vec<u64> = list.notices.iter().map(|notice| notice.sequence).collect();
    of_ledger.reverse();
    assert_eq!(arrived, of_ledger, "the newest first");
    let keys: BTreeSet<_> = list.notices.iter().map(|notice| notice.key.clone()).collect();
    assert_eq!(keys, told.iter().map(|one| one.key.clone()).collect());
    city.revive(leader);

    acked(&provider).await;
    strangers(&asker, &outsider, &webhook).await;
    wrong_addresses(&provider).await;
    let remove = RemoveWebhookRequest {
        name: webhook.name.clone(),
        etag: webhook.etag.clone(),
        request_id: request_id(),
    };
    until_answered!(provider.work().remove_webhook(remove.clone())).expect("one's own");
    let list = ListWebhooksRequest { parent: provider.domain() };
    let left = until_answered!(provider.work().list_webhooks(list.clone()));
    assert!(left.expect("one's own").webhooks.is_empty());
}

/// What was dealt with is not told again; the place does not go back.
async fn acked(provider: &Role) {
    let before = pulled(provider, None, &[]).await;
    assert!(!before.notices.is_empty());
    let ack = |through| AckNoticesRequest {
        parent: provider.domain(),
        through,
        request_id: request_id(),
    };
    let all = ack(before.through);
    let done = until_answered!(provider.work().ack_notices(all.clone())).expect("its own");
    assert_eq!(done.acked, before.through);
    let early = ack(1);
    let done = until_answered!(provider.work().ack_notices(early.clone())).expect("its own");
    assert_eq!(done.acked, before.through);
    let after = pulled(provider, None, &[]).await;
    assert_eq!((after.notices.len(), after.acked), (0, before.through));
    let beyond = ack(1 << 40);
    let answer = until_answered!(provider.work().ack_notices(beyond.clone()));
    assert_eq!(refusal(answer), Reason::FieldInvalid);
}

/// Others hear what concerns them, and see nobody's addresses but their own.
async fn strangers(asker: &Role, outsider: &Role, webhook: &Webhook) {
    let heard = pulled(outsider, Some(0), &[NoticeKind::CaseReceived]).await;
    assert_eq!(heard.notices, [], "it is no party to any case");
    let own = pulled(asker, Some(0), &[NoticeKind::CaseReceived]).await;
    assert_eq!(own.notices, [], "who asked knows");
    for role in [asker, outsider] {
        let deliveries = ListDeliveriesRequest { name: webhook.name.clone() };
        let answer = until_answered!(role.work().list_deliveries(deliveries.clone()));
        assert_eq!(refusal(answer), Reason::NotFound);
        let remove = RemoveWebhookRequest {
            name: webhook.name.clone(),
            etag: webhook.etag.clone(),
            request_id: request_id(),
        };
        let answer = until_answered!(role.work().remove_webhook(remove.clone()));
        assert_eq!(refusal(answer), Reason::NotFound);
    }
}

/// A node calls nobody whom the operator does not list.
async fn wrong_addresses(provider: &Role) {
    for url in ["", "ftp://127.0.0.1/", "http://169.254.169.254/", "http://a@127.0.0.1/", "x"] {
        let call = RegisterWebhookRequest {
            parent: provider.domain(),
            url: url.to_owned(),
            kinds: vec![],
            request_id: request_id(),
        };
        let answer = until_answered!(provider.work().register_webhook(call.clone()));
        assert_eq!(refusal(answer), Reason::FieldInvalid, "{url}");
    }
    let unknown = RegisterWebhookRequest {
        parent: provider.domain(),
        url: "http://127.0.0.1/".to_owned(),
        kinds: vec![9_999],
        request_id: request_id(),
    };
    let answer = until_answered!(provider.work().register_webhook(unknown.clone()));
    assert_eq!(refusal(answer), Reason::FieldInvalid);
}
