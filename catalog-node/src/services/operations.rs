//! `OperationsService`: how do cluster and nodes stand, who leads, what time is it?

use std::{sync::Arc, time::Duration};

use catalog_backup::Pulse;
use catalog_model::{reason::Reason, refusal::Refusal, site::Pair, time::UtcMillis};
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
    node::v1::{
        BackupStatus, GetNodeStatusRequest, GetNodeStatusResponse, NodeAlarm, NodeMember,
        NodeOpening, OpeningPair, RunBackupResponse,
    },
    operations::v1::{
        Alarm, Backup, GetStatusRequest, GetStatusResponse, NodeStatus, SetDevelopmentClockRequest,
        SetDevelopmentClockResponse, TransferLeaderRequest, TransferLeaderResponse,
    },
};
use tokio::{task::JoinSet, time::timeout};
use tonic::Status;

use super::{Call, Reply, Services, call::client, fences, ledger::exchange::HEAD_FORKED, members};
use crate::{backup::duty::Shown, config::Member, storage::hex};

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
    let wall = call.handle().clock().wall();
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
                    belongs: opening_text(node, |opening| opening.belongs),
                    heard: opening_text(node, |opening| opening.heard),
                    fencing: node
                        .opening
                        .as_ref()
                        .map(|opening| opening.standing.clone())
                        .unwrap_or_default(),
                })
                .collect(),
            alarms,
            backup: newest_backup(&nodes, wall),
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

/// One of the pairs that a node says, as text.
fn opening_text(
    node: &GetNodeStatusResponse,
    pair: impl Fn(&NodeOpening) -> Option<OpeningPair>,
) -> String {
    let pair = node.opening.as_ref().and_then(pair);
    pair.map(|OpeningPair { generation, epoch }| Pair { generation, epoch }.to_string())
        .unwrap_or_default()
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
    let opening = fences::opening(&services.handle);
    let (applied, clock, hash) =
        services.handle.view(|state| (state.applied(), View(state).clock(), state_hash(state)));
    GetNodeStatusResponse {
        id: services.handle.id().to_string(),
        cluster_id: hex(&services.identity.cluster_id),
        generation: opening.belongs.map_or(0, |pair| pair.generation),
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
        standing: if services.handle.fencing().refusal().is_some() {
            "fenced"
        } else if standing.quarantined() {
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
        opening: Some(opening),
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
        backup: services.backup.as_ref().map(|desk| backup_status(&desk.shown.borrow())),
    }
}

/// How the backup archive stands, as this node knows it.
fn backup_status(shown: &Shown) -> BackupStatus {
    let pulse = shown.pulse.unwrap_or(Pulse {
        node: 0,
        generation: 0,
        covered: 0,
        covered_ms: 0,
        base: 0,
        base_ms: 0,
    });
    let time = |millis| (millis > 0).then(|| timestamp(UtcMillis(millis)));
    BackupStatus {
        keeps: shown.keeps,
        base_index: pulse.base,
        base_time: time(pulse.base_ms),
        covered_index: pulse.covered,
        covered_time: time(pulse.covered_ms),
        last_error: shown.failure.clone(),
    }
}

/// The newest that any node knows of the archive.
fn newest_backup(nodes: &[(Member, GetNodeStatusResponse)], wall: UtcMillis) -> Option<Backup> {
    let known = nodes.iter().filter_map(|(member, node)| Some((member, node.backup.as_ref()?)));
    let keeper = known.clone().find(|(_, backup)| backup.keeps);
    let newest = known.max_by_key(|(_, backup)| {
        backup.covered_time.as_ref().map(|time| (time.seconds, time.nanos))
    });
    let (_, newest) = newest?;
    let covered = newest.covered_time.as_ref();
    let covered = covered.and_then(|time| read_timestamp(Some(time), "covered_time").ok());
    let error = keeper.map_or(&newest.last_error, |(_, backup)| &backup.last_error);
    Some(Backup {
        node: keeper.map(|(member, _)| member.id.to_string()).unwrap_or_default(),
        base_index: newest.base_index,
        base_time: newest.base_time,
        covered_index: newest.covered_index,
        covered_time: newest.covered_time,
        age_s: covered.map_or(0, |covered| wall.0.saturating_sub(covered.0) / 1_000),
        last_error: error.clone(),
    })
}

/// Takes a base now: asked with a node's certificate, by an operator on the machine.
pub(super) async fn run_backup(services: &Services) -> Result<RunBackupResponse, Status> {
    let desk = services.backup.as_ref();
    let desk = desk.ok_or_else(|| Status::failed_precondition("no [backup] is configured here"))?;
    let done = desk.run().await.map_err(Status::unavailable)?;
    let written = done.taken.written;
    let (witness, witness_index) = done.witness.unwrap_or_default();
    Ok(RunBackupResponse {
        generation: written.base.generation,
        base_index: written.base.index,
        rows: done.taken.rows,
        blocks: written.blocks,
        new_blocks: written.new_blocks,
        new_bytes: written.new_bytes,
        millis: done.taken.millis,
        witness,
        witness_index,
    })
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
