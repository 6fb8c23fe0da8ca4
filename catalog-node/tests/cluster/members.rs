//! Members come and go: a node that joins gets everything, votes once it has caught up, and no
//! acknowledged write is lost on the way from three nodes to five and back.

use std::{collections::BTreeSet, time::Duration};

use catalog_model::reason::Reason;
use catalog_state::command::LEVEL;
use luqiao_proto::node::v1::GetRequest;
use luqiao_proto::operations::v1::{
    AddMemberRequest, AddMemberResponse, ListMemberChangesRequest, ListMemberChangesResponse,
    ListMembersRequest, ListMembersResponse, Member, PromoteMemberRequest, PromoteMemberResponse,
    RaiseLevelRequest, RaiseLevelResponse, RemoveMemberRequest, RemoveMemberResponse,
    ReplaceMemberRequest, ReplaceMemberResponse,
};
use luqiao_transport::status::Problem;
use tokio::time::{sleep, timeout};

use crate::{
    bench::{AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_SYSTEM, Cluster, Gateway, SPEC, system},
    failover::{PATIENCE, Writer, keys, put, same_state},
};

const NAME: &str = "domains/xiamen";

/// An operator who works through whichever node answers.
pub(crate) struct Operator {
    pub(crate) gateway: Gateway,
    calls: u32,
}

macro_rules! changes {
    ($($name:ident($method:literal, $request:ident -> $response:ident) { $($arg:ident: $type:ty => $field:ident),* } $(+ $site:ident)?)*) => {$(
        pub(crate) async fn $name(
            &mut self, node: u64, $($arg: $type,)* validate_only: bool,
        ) -> Result<$response, Problem> {
            self.calls += 1;
            let request = $request {
                name: NAME.to_owned(),
                $($field: $arg.to_string(),)*
                $($site: String::new(),)?
                validate_only,
                request_id: format!("{}-{}", $method, self.calls),
            };
            let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
            let method = concat!("operations.v1.OperationsService/", $method);
            self.gateway.call(node, &caller, method, &request).await
        }
    )*};
}

impl Operator {
    pub(crate) fn new(gateway: Gateway) -> Self {
        Self { gateway, calls: 0 }
    }

    changes! {
        add("AddMember", AddMemberRequest -> AddMemberResponse) { id: u64 => node, endpoint: &str => endpoint } + site
        promote("PromoteMember", PromoteMemberRequest -> PromoteMemberResponse) { id: u64 => node }
        remove("RemoveMember", RemoveMemberRequest -> RemoveMemberResponse) { id: u64 => node }
        replace("ReplaceMember", ReplaceMemberRequest -> ReplaceMemberResponse) { out: u64 => node, by: u64 => replacement }
    }

    pub(crate) async fn list(&self, node: u64) -> ListMembersResponse {
        let request = ListMembersRequest { name: NAME.to_owned() };
        let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
        let method = "operations.v1.OperationsService/ListMembers";
        self.gateway.call(node, &caller, method, &request).await.unwrap()
    }

    pub(crate) async fn raise(
        &mut self,
        node: u64,
        level: u32,
        validate_only: bool,
    ) -> Result<RaiseLevelResponse, Problem> {
        self.calls += 1;
        let request = RaiseLevelRequest {
            name: NAME.to_owned(),
            level,
            validate_only,
            request_id: format!("raise-{}", self.calls),
        };
        let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
        self.gateway
            .call(node, &caller, "operations.v1.OperationsService/RaiseLevel", &request)
            .await
    }

    /// Asks again until the learner has caught up, and nothing else stands in the way.
    pub(crate) async fn promote_when_ready(&mut self, node: u64, id: u64) {
        let wait = async {
            loop {
                match self.promote(node, id, false).await {
                    Ok(_) => return,
                    Err(problem) => {
                        let passing = [Some(Reason::MemberBehind), Some(Reason::MembersChanging)];
                        assert!(passing.contains(&problem.reason), "{problem:?}");
                    }
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("it catches up");
    }
}

fn shown_roles(members: &[Member]) -> Vec<(&str, &str)> {
    members.iter().map(|member| (member.id.as_str(), member.role.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_node_joins_and_is_promoted() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let mut operator = Operator::new(cluster.gateway());
    let leader = cluster.leader().await;
    let follower = if leader == 1 { 2 } else { 1 };
    for number in 0..50u8 {
        put(&operator.gateway, &[leader], &[number]).await;
    }
    let address = cluster.prepare_joiner(4);

    // Shown first, from any node; nothing happens.
    let effect = operator.add(follower, 4, &address, true).await.unwrap().effect.unwrap();
    assert_eq!((effect.voters_before, effect.voters_after), (3, 3), "a learner has no vote");
    assert_eq!(operator.list(follower).await.members.len(), 3);
    let stranger = system(BUREAU, BUREAU_SYSTEM);
    let method = "operations.v1.OperationsService/AddMember";
    let wish = AddMemberRequest {
        name: NAME.to_owned(),
        node: "4".to_owned(),
        endpoint: address.clone(),
        request_id: "not-mine".to_owned(),
        ..Default::default()
    };
    let refused = operator.gateway.refused(follower, &stranger, method, &wish).await;
    assert_eq!(refused, Reason::CallerNotPermitted);

    assert!(operator.add(follower, 4, &address, false).await.unwrap().changed);
    assert!(!operator.add(leader, 4, &address, false).await.unwrap().changed, "it is so already");
    let taken = operator.add(leader, 4, "127.0.0.1:9", false).await.unwrap_err();
    assert_eq!(taken.reason, Some(Reason::MemberChangeRefused));
    let behind = operator.promote(leader, 4, false).await.unwrap_err();
    assert_eq!(behind.reason, Some(Reason::MemberBehind), "it does not even run");

    cluster.run(4).await.unwrap();
    operator.promote_when_ready(leader, 4).await;
    let list = operator.list(follower).await;
    let roles = [("1", "voter"), ("2", "voter"), ("3", "voter"), ("4", "voter")];
    assert_eq!(shown_roles(&list.members), roles);
    assert_eq!((list.quorum, list.tolerance, list.joint), (3, 1, false));
    assert!(list.members.iter().all(|member| member.reachable && member.supported_level == 4));

    // The new node has all of it, answers for itself, and counts.
    cluster.gateway_again(&mut operator.gateway);
    assert_eq!(keys(&operator.gateway, &[4]).await.len(), 50);
    let stopped = if leader == 1 { 3 } else { 1 };
    cluster.kill(stopped).await;
    put(&operator.gateway, &[leader], b"with three of four").await;
    same_state(&cluster).await;

    // It comes back by itself, whatever its configuration says about the founders.
    cluster.kill(4).await;
    cluster.run(4).await.unwrap();
    put(&operator.gateway, &[leader], b"again").await;
    same_state(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_to_five_and_back_under_load() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let (fourth, fifth) = (cluster.prepare_joiner(4), cluster.prepare_joiner(5));
    let mut operator = Operator::new(cluster.gateway());
    let writer = Writer::start(cluster.gateway());
    let leader = cluster.leader().await;
    for (id, address) in [(4, fourth), (5, fifth)] {
        operator.add(leader, id, &address, false).await.unwrap();
        cluster.run(id).await.unwrap();
        operator.promote_when_ready(leader, id).await;
    }
    assert_eq!(operator.list(leader).await.tolerance, 2);
    writer.written(20).await;

    // The founders go, whoever of them leads; the call is seen through by whoever leads next.
    for id in [1, 2] {
        let asked = cluster.leader().await;
        let removed = timeout(PATIENCE, async {
            loop {
                match operator.remove(asked, id, false).await {
                    Ok(done) => return done,
                    Err(problem) => {
                        assert_eq!(problem.reason, Some(Reason::MembersChanging), "{problem:?}");
                    }
                }
            }
        });
        assert!(removed.await.unwrap().changed);
        cluster.kill(id).await;
        writer.written(20).await;
    }
    let leader = cluster.leader().await;
    let list = operator.list(leader).await;
    assert_eq!(shown_roles(&list.members), [("3", "voter"), ("4", "voter"), ("5", "voter")]);
    let reused = operator.add(leader, 1, "127.0.0.1:9", false).await.unwrap_err();
    assert_eq!(reused.reason, Some(Reason::MemberIdUsed));
    let again = operator.remove(leader, 1, false).await.unwrap();
    assert!(!again.changed, "it is gone already");

    let total = writer.stop().await;
    let expected: Vec<Vec<u8>> = (0..total).map(|number| number.to_be_bytes().to_vec()).collect();
    assert_eq!(keys(&operator.gateway, &[3, 4, 5]).await, expected);
    same_state(&cluster).await;

    let request =
        ListMemberChangesRequest { name: NAME.to_owned(), page_size: 3, ..Default::default() };
    let method = "operations.v1.OperationsService/ListMemberChanges";
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let mut versions = BTreeSet::new();
    let mut page: ListMemberChangesResponse =
        operator.gateway.call(leader, &caller, method, &request).await.unwrap();
    assert_eq!(page.changes.first().map(|change| change.kind.as_str()), Some("finish"));
    loop {
        versions.extend(page.changes.iter().map(|change| change.version));
        if page.next_page_token.is_empty() {
            break;
        }
        let request =
            ListMemberChangesRequest { page_token: page.next_page_token, ..request.clone() };
        page = operator.gateway.call(leader, &caller, method, &request).await.unwrap();
    }
    assert_eq!(
        versions,
        (1..=12).collect(),
        "two to add, promote and remove each, and as many ends"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_replaced_and_a_removed_one_says_so() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let address = cluster.prepare_joiner(4);
    let mut operator = Operator::new(cluster.gateway());
    let leader = cluster.leader().await;
    let dead = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    let other = cluster.nodes.keys().copied().find(|id| *id != leader && *id != dead).unwrap();
    put(&operator.gateway, &[leader], b"a").await;
    cluster.kill(dead).await;

    let costly = operator.remove(leader, other, true).await.unwrap_err();
    assert_eq!(costly.reason, Some(Reason::MemberChangeRefused), "the dead one would decide");
    let effect = operator.remove(leader, dead, true).await.unwrap().effect.unwrap();
    assert_eq!((effect.tolerance_before, effect.tolerance_after), (0, 0));

    operator.add(leader, 4, &address, false).await.unwrap();
    cluster.run(4).await.unwrap();
    let replaced = timeout(PATIENCE, async {
        while let Err(problem) = operator.replace(leader, dead, 4, false).await {
            let passing = [Some(Reason::MemberBehind), Some(Reason::MembersChanging)];
            assert!(passing.contains(&problem.reason), "{problem:?}");
        }
    });
    replaced.await.expect("it catches up");
    assert!(!operator.replace(leader, dead, 4, false).await.unwrap().changed);
    let list = operator.list(leader).await;
    assert_eq!((list.members.len(), list.tolerance), (3, 1));

    // The dead one comes back, and learns that it is no member any more.
    cluster.run(dead).await.unwrap();
    let alarmed = async {
        let handle = cluster.nodes[&dead].handle();
        while !handle.alarms().list().iter().any(|alarm| alarm.name == "removed") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, alarmed).await.expect("somebody tells it");
    put(&operator.gateway, &[leader], b"b").await;
    assert_eq!(cluster.leader().await, leader, "it disturbs nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_change_only_from_level_two_on() {
    let mut cluster = Cluster::prepare(3);
    cluster.level = Some(1);
    cluster.begin(SPEC).await;
    let mut operator = Operator::new(cluster.gateway());
    let leader = cluster.leader().await;
    let low = operator.add(leader, 4, "127.0.0.1:9", false).await.unwrap_err();
    assert_eq!(low.reason, Some(Reason::LevelTooLow));
    let list = operator.list(leader).await;
    assert_eq!((list.level, list.members.len()), (1, 3));

    let too_high = operator.raise(leader, LEVEL + 1, false).await.unwrap_err();
    assert_eq!(too_high.reason, Some(Reason::LevelUnsupported));
    // What a node can apply is known once it has said so on its connection to the leader.
    let all_said = async {
        loop {
            match operator.raise(leader, 0, true).await {
                Ok(shown) => break shown,
                Err(problem) => {
                    assert_eq!(problem.reason, Some(Reason::LevelUnsupported));
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
    };
    let shown = timeout(PATIENCE, all_said).await.expect("every node says what it can apply");
    assert_eq!((shown.changed, shown.level), (true, LEVEL));
    let follower = if leader == 1 { 2 } else { 1 };
    let raised = operator.raise(follower, 0, false).await.unwrap();
    assert_eq!((raised.changed, raised.level), (true, LEVEL));
    assert!(!operator.raise(leader, 2, false).await.unwrap().changed);

    // The list begins with those who were there.
    let address = cluster.prepare_joiner(4);
    operator.add(leader, 4, &address, false).await.unwrap();
    let list = operator.list(follower).await;
    let roles = [("1", "voter"), ("2", "voter"), ("3", "voter"), ("4", "learner")];
    assert_eq!((list.level, shown_roles(&list.members)), (LEVEL, roles.to_vec()));
    cluster.run(4).await.unwrap();
    same_state(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_nobody_let_in_does_no_harm() {
    let mut cluster = Cluster::start(3, SPEC).await;
    cluster.prepare_joiner(4);
    let leader = cluster.leader().await;
    cluster.run(4).await.unwrap();
    let gateway = cluster.gateway();
    for number in 0..20u8 {
        put(&gateway, &[leader], &[number]).await;
    }
    let status = cluster.nodes[&4].handle().status();
    assert_eq!((status.replica.applied, status.replica.last_index), (0, 0));
    let refused = gateway.probes(4).get(GetRequest::default()).await.unwrap_err();
    assert_eq!(Problem::from_status(&refused).reason, Some(Reason::NodeQuarantined));
    assert_eq!(cluster.leader().await, leader);
}
