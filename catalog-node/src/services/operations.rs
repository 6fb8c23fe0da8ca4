//! `OperationsService`: how do cluster and nodes stand, who leads, what time is it?

use std::{sync::Arc, time::Duration};

use catalog_model::{reason::Reason, refusal::Refusal};
use catalog_replica::RoleKind;
use catalog_state::{
    command::{Body, LEVEL},
    machine::state_hash,
    outcome::Outcome,
    rows::MemberRole,
    view::View,
};
use luqiao_proto::{
    convert::{
        name::domain_name,
        time::{read_timestamp, timestamp},
    },
    node::v1::{GetNodeStatusRequest, GetNodeStatusResponse, NodeAlarm, NodeMember},
    operations::v1::{
        Alarm, GetStatusRequest, GetStatusResponse, NodeStatus, SetDevelopmentClockRequest,
        SetDevelopmentClockResponse, TransferLeaderRequest, TransferLeaderResponse,
    },
};
use tokio::{task::JoinSet, time::timeout};

use super::{Call, Reply, Services, call::client, ledger::exchange::HEAD_FORKED, members};
use crate::{config::Member, storage::hex};

/// How long a node may take to say how it stands before it counts as unreachable.
const STATUS_WAIT: Duration = Duration::from_secs(1);
/// How long a transfer may take: longer than an election, shorter than a caller's patience.
const TRANSFER_WAIT: Duration = Duration::from_secs(5);

/// The role of a node that did not answer.
pub(super) const UNREACHABLE: &str = "unreachable";

pub(super) async fn status(call: &Call) -> Result<Reply, Refusal> {
    let request: GetStatusRequest = call.decode()?;
    let domain = domain_name(&request.name, "name")?;
    // The newest state if it can be had, before anything is looked at: a follower may not have
    // heard yet that the cluster exists. When nobody leads, how the nodes stand is just what
    // somebody wants to know.
    if call.handle().status().replica.leader.is_some() {
        let _ = call.handle().read().await;
    }
    call.look_now(|look| look.own(&domain))?;
    let nodes = all_nodes(&call.services).await;
    let (own, members) = (call.handle().status(), call.handle().members());
    call.look(move |look| {
        let (view, cluster) = (look.view(), &look.cluster);
        let counters = view.counters();
        let newest = nodes.iter().map(|(_, node)| node.last_index).max().unwrap_or_default();
        let gone = nodes.iter().filter(|(_, node)| node.role == UNREACHABLE);
        let unreachable = gone.map(|(member, _)| member.id).collect();
        let votes = catalog_state::members::votes(&members, &unreachable);
        let mut alarms: Vec<Alarm> = nodes
            .iter()
            .flat_map(|(_, node)| {
                node.alarms.iter().map(|alarm| Alarm {
                    name: alarm.name.clone(),
                    since: alarm.since,
                    subject: match alarm.subject.as_str() {
                        "" => format!("node {}", node.id),
                        subject => format!("node {} about {subject}", node.id),
                    },
                })
            })
            .collect();
        // On record, so that no node has to remember it.
        let forks = view
            .held_heads()
            .into_iter()
            .flat_map(|held| view.forked_heads(&held.head.head.domain));
        alarms.extend(forks.map(|fork| Alarm {
            name: HEAD_FORKED.to_owned(),
            since: Some(timestamp(fork.received_time)),
            subject: format!(
                "{}: its head over {} records does not extend the one held",
                fork.head.head.domain, fork.head.head.tree_size
            ),
        }));
        alarms.sort_by(|one, other| (&one.name, &one.subject).cmp(&(&other.name, &other.subject)));
        Ok(GetStatusResponse {
            domain: cluster.domain.to_string(),
            cluster_id: hex(&cluster.cluster_id),
            generation: cluster.generation,
            composition: cluster.composition.clone(),
            clock: Some(timestamp(view.clock())),
            development_clock: cluster.development_clock,
            leader: own.replica.leader.map(|leader| leader.to_string()).unwrap_or_default(),
            term: own.replica.term,
            failure_tolerance: votes.tolerance(),
            nodes: nodes
                .iter()
                .map(|(member, node)| NodeStatus {
                    id: member.id.to_string(),
                    endpoint: member.address.clone(),
                    role: node.role.clone(),
                    commit_index: node.commit_index,
                    applied_index: node.applied_index,
                    lag: newest.saturating_sub(node.applied_index),
                    version: node.version.clone(),
                    state_hash: node.state_hash.clone(),
                })
                .collect(),
            alarms,
            // Links are the gateways'; they add what they know.
            links: Vec::new(),
            entry_count: counters.listed_entries,
            open_request_count: counters.open_requests,
            overdue_request_count: counters.overdue_requests,
            ledger_size: counters.ledger,
        })
    })
    .await
}

/// How every member stands, in the order of their list.
pub(super) async fn all_nodes(services: &Arc<Services>) -> Vec<(Member, GetNodeStatusResponse)> {
    let mut asked = JoinSet::new();
    for (place, member) in services.members().into_iter().enumerate() {
        let Some(channel) = services.peers.channel(member.id) else {
            let own = node_status(services);
            asked.spawn(async move { (place, member, own) });
            continue;
        };
        asked.spawn(async move {
            let mut client = client(channel);
            let answer =
                timeout(STATUS_WAIT, client.get_node_status(GetNodeStatusRequest {})).await;
            let status = match answer {
                Ok(Ok(answer)) => answer.into_inner(),
                Ok(Err(_)) | Err(_) => GetNodeStatusResponse {
                    id: member.id.to_string(),
                    role: UNREACHABLE.to_owned(),
                    ..Default::default()
                },
            };
            (place, member, status)
        });
    }
    let mut nodes = asked.join_all().await;
    nodes.sort_by_key(|(place, ..)| *place);
    nodes.into_iter().map(|(_, member, status)| (member, status)).collect()
}

/// How this node stands.
pub(super) fn node_status(services: &Services) -> GetNodeStatusResponse {
    let status = services.handle.status();
    let replica = &status.replica;
    let members = services.handle.members().members;
    let leader = members.iter().find(|member| Some(member.id) == replica.leader);
    let standing = services.handle.standing();
    let (disk_free, disk_size) = standing.disk();
    let (applied, clock, hash) =
        services.handle.view(|state| (state.applied(), View(state).clock(), state_hash(state)));
    GetNodeStatusResponse {
        id: services.handle.id().to_string(),
        cluster_id: hex(&services.identity.cluster_id),
        generation: services.identity.generation,
        store_uuid: hex(&services.identity.store_uuid),
        role: match replica.role {
            RoleKind::Leader => "leader",
            RoleKind::Follower => "follower",
            RoleKind::Candidate | RoleKind::PreCandidate => "candidate",
        }
        .to_owned(),
        leader: leader.map(|member| member.id.to_string()).unwrap_or_default(),
        leader_endpoint: leader.map(|member| member.address.clone()).unwrap_or_default(),
        term: replica.term,
        commit_index: replica.commit,
        applied_index: applied,
        last_index: replica.last_index,
        state_hash: hex(&hash),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        clock: Some(timestamp(clock)),
        alarms: services
            .handle
            .alarms()
            .list()
            .into_iter()
            .map(|alarm| NodeAlarm {
                name: alarm.name,
                since: Some(timestamp(alarm.since)),
                subject: alarm.subject,
            })
            .collect(),
        supported_level: LEVEL,
        first_index: replica.first_index,
        standing: if standing.quarantined() {
            "quarantined"
        } else if replica.membership.is_voter(replica.id) && !replica.removed {
            "voter"
        } else if replica.membership.contains(replica.id) && !replica.removed {
            "learner"
        } else {
            "none"
        }
        .to_owned(),
        disk_free,
        disk_size,
        members: members
            .iter()
            .map(|member| NodeMember {
                id: member.id.to_string(),
                endpoint: member.address.clone(),
                role: match member.role {
                    MemberRole::Learner => "learner",
                    MemberRole::Voter | MemberRole::Leaving => "voter",
                }
                .to_owned(),
            })
            .collect(),
    }
}

pub(super) async fn transfer(call: &Call) -> Result<Reply, Refusal> {
    let request: TransferLeaderRequest = call.decode()?;
    let domain = domain_name(&request.name, "name")?;
    call.look_now(|look| look.own(&domain))?;
    members::operator(call)?;
    let refused = |cause: &str| {
        Refusal::new(Reason::TransferRefused).fact("node", &request.node).fact("cause", cause)
    };
    let to = match request.node.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| refused("there is no such node"))?),
    };
    let leader = match timeout(TRANSFER_WAIT, call.handle().transfer_leader(to)).await {
        Ok(moved) => moved?,
        Err(_) => return Err(refused("it did not take over in time")),
    };
    let status = call.handle().status();
    let moved = TransferLeaderResponse { leader: leader.to_string(), term: status.replica.term };
    Ok(Reply::of(&moved, status.replica.applied))
}

pub(super) async fn set_clock(call: &Call) -> Result<Reply, Refusal> {
    let request: SetDevelopmentClockRequest = call.decode()?;
    let domain = domain_name(&request.name, "name")?;
    call.look_now(|look| look.own(&domain))?;
    let to = read_timestamp(request.time.as_ref(), "time")?;
    let portion = call.handle().clock_portion();
    let advance = || Body::AdvanceClock { to, development: true, portion };
    let mut answered = call.commit(&request.request_id, advance()).await?;
    // One command fires a bounded number of deadlines.
    while matches!(answered.applied.outcome, Outcome::ClockAdvanced { more: true, .. }) {
        answered = call.commit_as(None, advance()).await?;
    }
    call.look(|look| {
        Ok(SetDevelopmentClockResponse { clock: Some(timestamp(look.view().clock())) })
    })
    .await
}
