//! Links: what passes between two domains, in order, once, and not at all while the link is cut.

use std::time::Duration;

use bytes::Bytes;
use catalog_model::{ids::DomainId, reason::Reason, refusal::Refusal};
use gateway::{
    Gateway, RunningGateway,
    config::{Follow, PeerKind},
};
use luqiao_proto::{
    federation::v1::{
        DescribeDomainRequest, FollowFeedRequest,
        federation_service_client::FederationServiceClient,
    },
    operations::v1::LinkStatus,
};
use luqiao_transport::status::Problem;
use tokio::{net::TcpListener, time::timeout};

use crate::{
    node::{FakeNode, Reply},
    pki::{Domain, peer},
};

const FORWARD: &str = "/luqiao.federation.v1.FederationService/ForwardRequest";
const RELAY: &str = "/luqiao.federation.v1.FederationService/RelayStatus";

/// A province and a city below it that follows what the province shares.
pub(crate) struct Pair {
    pub(crate) province: Side,
    pub(crate) city: Side,
}

pub(crate) struct Side {
    pub(crate) domain: Domain,
    pub(crate) node: FakeNode,
    pub(crate) gateway: RunningGateway,
}

impl Side {
    pub(crate) fn id(&self) -> DomainId {
        self.domain.name.parse().unwrap()
    }

    pub(crate) async fn links(&self, wanted: impl Fn(&LinkStatus) -> bool) -> LinkStatus {
        let until = self.gateway.links().until(|links| wanted(&links[0]));
        let links = timeout(Duration::from_secs(30), until).await;
        links.unwrap_or_else(|_| panic!("it is {:?}", self.gateway.links().status())).remove(0)
    }
}

pub(crate) async fn pair() -> Pair {
    let (fujian, xiamen) = (Domain::new("fujian"), Domain::new("xiamen"));
    let upper = FakeNode::start(&fujian, "1").await;
    let lower = FakeNode::start(&xiamen, "1").await;
    let at_upper = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at_lower = TcpListener::bind("127.0.0.1:0").await.unwrap();

    let mut config = fujian.config(&[&upper]);
    config.limits.feed_batch = 7;
    let address = at_lower.local_addr().unwrap();
    config.peers.push(peer(&xiamen, PeerKind::Subordinate, address, None));
    let upper_config = config;

    let mut config = xiamen.config(&[&lower]);
    config.limits.feed_batch = 7;
    let address = at_upper.local_addr().unwrap();
    config.peers.push(peer(&fujian, PeerKind::Superior, address, Some(Follow::Shared)));

    let upper_gateway = Gateway::start_on(upper_config, at_upper).unwrap();
    let lower_gateway = Gateway::start_on(config, at_lower).unwrap();
    Pair {
        province: Side { domain: fujian, node: upper, gateway: upper_gateway },
        city: Side { domain: xiamen, node: lower, gateway: lower_gateway },
    }
}

/// The names in the city's copy of the province's feed.
fn copy(pair: &Pair) -> Vec<String> {
    pair.city.node.memory.look(|rows| {
        let copy = rows.copies.get("fujian");
        copy.into_iter().flat_map(|copy| &copy.1).map(|record| record.entry_name.clone()).collect()
    })
}

async fn until_copied(pair: &Pair, count: usize) {
    let copied = |rows: &crate::node::Rows| {
        rows.copies.get("fujian").is_some_and(|copy| copy.1.len() >= count)
    };
    pair.city.node.memory.until("the copy is complete", copied).await;
}

fn published(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("domains/fujian/entries/{number}")).collect()
}

fn publish(pair: &Pair, numbers: std::ops::RangeInclusive<usize>) {
    for number in numbers {
        pair.province.node.memory.publish(&format!("domains/fujian/entries/{number}"));
    }
}

#[tokio::test]
async fn a_feed_is_followed_in_order_across_cuts_and_nothing_comes_twice() {
    let pair = pair().await;
    publish(&pair, 1..=50);
    until_copied(&pair, 50).await;
    assert_eq!(copy(&pair), published(50));
    pair.city.links(|link| link.connected && link.feed_revision == 50 && link.feed_lag == 0).await;

    for round in 1..=5 {
        // Each side in turn pulls the cable.
        let (one, other) = if round % 2 == 0 {
            (&pair.city, &pair.province)
        } else {
            (&pair.province, &pair.city)
        };
        assert!(one.gateway.links().cut(&other.id()));
        pair.province.node.memory.until("no stream is left", |rows| rows.streams == 0).await;
        pair.city.links(|link| !link.connected && !link.last_error.is_empty()).await;
        publish(&pair, 50 + round * 10 - 9..=50 + round * 10);
        assert_eq!(copy(&pair).len(), 40 + round * 10, "nothing passes, and the copy stays");
        assert!(one.gateway.links().heal(&other.id()));
        until_copied(&pair, 50 + round * 10).await;
    }
    assert_eq!(copy(&pair), published(100));
}

#[tokio::test]
async fn a_cursor_that_somebody_else_moved_is_read_again() {
    let pair = pair().await;
    publish(&pair, 1..=3);
    until_copied(&pair, 3).await;
    // Another gateway of the city has applied the next batch already.
    pair.city.node.memory.change(|rows| {
        use luqiao_proto::federation::v1::{FeedRecord, FeedScope, FeedToken};
        use prost::Message as _;
        let (cursor, records) = rows.copies.get_mut("fujian").unwrap();
        let token =
            FeedToken { revision: 4, scope: FeedScope::Shared.into(), ..Default::default() };
        *cursor = token.encode_to_vec().into();
        let entry_name = "domains/fujian/entries/4".to_owned();
        records.push(FeedRecord { revision: 4, entry_name, ..Default::default() });
    });
    publish(&pair, 4..=6);
    until_copied(&pair, 6).await;
    assert_eq!(copy(&pair), published(6));
}

#[tokio::test]
async fn what_is_owed_is_delivered_in_order_and_struck_off() {
    let pair = pair().await;
    for number in 1..=5 {
        let method = if number % 2 == 0 { RELAY } else { FORWARD };
        pair.city.node.memory.owe("fujian", method, &format!("\u{a}\u{1}{number}"));
    }
    let owed_nothing = |rows: &crate::node::Rows| rows.outbox["fujian"].is_empty();
    pair.city.node.memory.until("all are acknowledged", owed_nothing).await;
    let came: Vec<_> = delivered(&pair);
    assert_eq!(came, ["1", "2", "3", "4", "5"]);
    let caller = pair.province.node.memory.look(|rows| {
        rows.asked.iter().find(|asked| asked.method == FORWARD).unwrap().caller.clone().unwrap()
    });
    assert_eq!((&*caller.domain, &*caller.gateway), ("xiamen", "gw-1"));
    pair.city.links(|link| link.connected && link.outbox_size == 0).await;
}

#[tokio::test]
async fn what_is_owed_is_asked_for_at_the_level_of_the_other_domain() {
    let pair = pair().await;
    let told_for = |level: u32| move |rows: &crate::node::Rows| rows.told_for == Some(level);
    // Its program does not say: it is older than the field.
    pair.city.node.memory.until("asked at level 0", told_for(0)).await;
    pair.province.node.memory.change(|rows| rows.level = 3);
    // It is greeted before each look into the outbox that found nothing for a while.
    pair.city.gateway.links().cut(&pair.province.id());
    pair.city.links(|link| !link.connected).await;
    pair.city.gateway.links().heal(&pair.province.id());
    pair.city.node.memory.until("asked at level 3", told_for(3)).await;
}

/// What the province was told, without what is merely asked for life.
fn delivered(pair: &Pair) -> Vec<String> {
    pair.province.node.memory.look(|rows| {
        let told = rows.asked.iter().filter(|asked| [FORWARD, RELAY].contains(&&*asked.method));
        told.map(|asked| String::from_utf8_lossy(&asked.call[2..]).into_owned()).collect()
    })
}

#[tokio::test]
async fn a_delivery_in_doubt_is_made_again_and_none_is_left_out() {
    let pair = pair().await;
    // The second is taken in, and the link is cut before its answer.
    pair.province.node.behave(|envelope| {
        if envelope.call.ends_with(b"2") { Reply::Silence } else { Reply::Answer(Bytes::new()) }
    });
    for number in 1..=3 {
        pair.city.node.memory.owe("fujian", FORWARD, &format!("\u{a}\u{1}{number}"));
    }
    let second = |rows: &crate::node::Rows| {
        rows.asked.iter().any(|asked| asked.method == FORWARD && asked.call.ends_with(b"2"))
    };
    pair.province.node.memory.until("the second came", second).await;
    pair.city.gateway.links().cut(&pair.province.id());
    pair.city.links(|link| !link.connected).await;
    pair.province.node.behave(|_| Reply::Answer(Bytes::new()));
    pair.city.gateway.links().heal(&pair.province.id());
    let owed_nothing = |rows: &crate::node::Rows| rows.outbox["fujian"].is_empty();
    pair.city.node.memory.until("all are acknowledged", owed_nothing).await;

    // In order, if those that came again are counted once: the receiver knows them by their keys.
    let mut came = delivered(&pair);
    let last = came.pop();
    assert_eq!(last.as_deref(), Some("3"));
    assert!(came.iter().filter(|call| *call == "2").count() >= 2, "{came:?}");
    let mut new = Vec::new();
    for call in came {
        if !new.contains(&call) {
            new.push(call);
        }
    }
    assert_eq!(new, ["1", "2"]);
}

#[tokio::test]
async fn a_refused_delivery_holds_up_the_rest_where_everybody_sees_it() {
    let pair = pair().await;
    pair.province.node.behave(|envelope| {
        if envelope.call.ends_with(b"2") {
            Reply::Refuse(Refusal::new(Reason::ForwardNotForUs).fact("owner", "fuzhou"))
        } else {
            Reply::Answer(Bytes::new())
        }
    });
    for number in 1..=3 {
        pair.city.node.memory.owe("fujian", FORWARD, &format!("\u{a}\u{1}{number}"));
    }
    let link = pair.city.links(|link| link.last_error.contains("fuzhou")).await;
    assert!(!link.connected);
    let owed: Vec<_> = pair
        .city
        .node
        .memory
        .look(|rows| rows.outbox["fujian"].iter().map(|item| item.sequence).collect());
    assert_eq!(owed, [2, 3], "the first is done, the third waits behind the second");

    // A status that has been overtaken is no reason to wait.
    pair.province.node.behave(|envelope| {
        if envelope.call.ends_with(b"2") {
            Reply::Refuse(Refusal::new(Reason::StatusStale).fact("actual", 9))
        } else {
            Reply::Answer(Bytes::new())
        }
    });
    let owed_nothing = |rows: &crate::node::Rows| rows.outbox["fujian"].is_empty();
    pair.city.node.memory.until("all are acknowledged", owed_nothing).await;
}

#[tokio::test]
async fn an_outbox_can_have_nothing_else_called() {
    let pair = pair().await;
    pair.city.node.memory.owe("fujian", "/luqiao.catalog.v1.CatalogService/PublishEntry", "x");
    pair.city.links(|link| link.last_error.contains("PublishEntry")).await;
    assert_eq!(pair.province.node.memory.asked("PublishEntry"), 0);
}

#[tokio::test]
async fn a_gateway_of_another_domain_is_not_taken_for_the_peer() {
    let (fujian, xiamen, fuzhou) =
        (Domain::new("fujian"), Domain::new("xiamen"), Domain::new("fuzhou"));
    let node = FakeNode::start(&xiamen, "1").await;
    let other_node = FakeNode::start(&fuzhou, "1").await;
    let impostor = Gateway::start(fuzhou.config(&[&other_node])).await.unwrap();
    let mut config = xiamen.config(&[&node]);
    // Its authority is trusted as well, for its own domain: that does not make it Fujian.
    config.peers.push(peer(&fujian, PeerKind::Superior, impostor.addr(), None));
    config.peers.push(peer(&fuzhou, PeerKind::Subordinate, "127.0.0.1:9", None));
    let gateway = Gateway::start(config).await.unwrap();
    let fails = |links: &[LinkStatus]| {
        links.iter().any(|link| link.domain == "fujian" && !link.last_error.is_empty())
    };
    let links = timeout(Duration::from_secs(30), gateway.links().until(fails)).await.unwrap();
    let link = links.iter().find(|link| link.domain == "fujian").unwrap();
    assert!(!link.connected);
    assert!(link.last_error.contains("it leads to another domain"), "{}", link.last_error);
    assert_eq!(other_node.memory.look(|rows| rows.asked.len()), 0);
}

#[tokio::test]
async fn a_domain_asks_only_for_what_its_place_allows() {
    let pair = pair().await;
    let (city, province) = (&pair.city, &pair.province);
    let channel =
        city.domain.connect("gateway/gw-9", &[&province.domain], province.gateway.addr()).await;
    let mut client = FederationServiceClient::new(channel);
    client.describe_domain(DescribeDomainRequest {}).await.unwrap();
    let full = FollowFeedRequest { scope: 1, ..Default::default() };
    let refused = client.follow_feed(full).await.unwrap_err();
    assert_eq!(Problem::from_status(&refused).reason, Some(Reason::CallerNotPermitted));

    let mut looped = tonic::Request::new(DescribeDomainRequest {});
    looped.metadata_mut().insert("x-luqiao-path", "fujian,xiamen".parse().unwrap());
    let refused = client.describe_domain(looped).await.unwrap_err();
    assert_eq!(Problem::from_status(&refused).reason, Some(Reason::LoopDetected));

    // A department of the city has no business at the province.
    let foreign = city
        .domain
        .connect(
            "organization/01JD0000000000000000000001/system/01JD0000000000000000000002",
            &[&province.domain],
            province.gateway.addr(),
        )
        .await;
    let refused = FederationServiceClient::new(foreign)
        .describe_domain(DescribeDomainRequest {})
        .await
        .unwrap_err();
    assert_eq!(Problem::from_status(&refused).reason, Some(Reason::DomainForeign));

    // Over a cut link there is no refusal either, only silence.
    province.gateway.links().cut(&city.id());
    let broken = client.describe_domain(DescribeDomainRequest {}).await.unwrap_err();
    assert_eq!(Problem::from_status(&broken).reason_name, "");
}
