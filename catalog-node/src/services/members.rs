//! The members' side of `OperationsService`: who belongs to the cluster, and what would a change do?
//!
//! Every change can be asked for again: what is so already changes nothing and is no error. Before
//! anything is proposed the effect on the votes is known, and what would cost the quorum is refused
//! here, where it is known who can be reached; the state machine decides once more by what is
//! committed. A change is complete when the joint configuration that it leads into is left; whoever
//! leads sees to that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use catalog_model::{reason::Reason, refusal::Refusal};
use catalog_replica::PeerState;
use catalog_state::{
    command::{Body, LEVEL, MemberChange},
    members::{self, Plan, QuorumEffect},
    outcome::Outcome,
    rows::{MemberChangeRow, MemberRole, Members},
    view::View,
};
use luqiao_proto::{
    convert::{name::domain_name, time::timestamp},
    node::v1::GetNodeStatusResponse,
    operations::v1::{
        self as message, AddMemberRequest, AddMemberResponse, ListMemberChangesRequest,
        ListMemberChangesResponse, ListMembersRequest, ListMembersResponse, PromoteMemberRequest,
        PromoteMemberResponse, RaiseLevelRequest, RaiseLevelResponse, RemoveMemberRequest,
        RemoveMemberResponse, ReplaceMemberRequest, ReplaceMemberResponse,
    },
};
use tokio::time::{Instant, sleep, timeout};

use super::{Call, Reply, Services, operations, paging};
use crate::node::{RECEIVING_SNAPSHOT, not_leader};

/// How many entries a learner may lack that is to get its vote.
const LAG_MAX: u64 = 64;
/// How long it must have been no further behind than that.
const STEADY: Duration = Duration::from_secs(1);
/// Pause between two looks at it.
const LOOK: Duration = Duration::from_millis(50);
/// How long a caller waits for a change to be completed. Afterwards it goes on without them.
const COMPLETE_WAIT: Duration = Duration::from_secs(5);
/// How long a leader that is to go tries to hand over.
const HANDOVER_WAIT: Duration = Duration::from_secs(5);
/// Changes on one page if the caller does not say, and at most.
const CHANGES: u32 = 100;

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let request: ListMembersRequest = call.decode()?;
    own_domain(call, &request.name)?;
    // The newest list if it can be had; when nobody leads it is what this node knows.
    if call.handle().status().replica.leader.is_some() {
        let _ = call.handle().read().await;
    }
    let found = Found::look(&call.services).await;
    let status = call.handle().status();
    let newest = found.nodes.values().map(|node| node.last_index).max().unwrap_or_default();
    let votes = members::votes(&found.members, &found.unreachable());
    let members = found
        .members
        .members
        .iter()
        .map(|member| {
            let node = found.nodes.get(&member.id);
            message::Member {
                id: member.id.to_string(),
                endpoint: member.address.clone(),
                site: member.site.as_ref().map(ToString::to_string).unwrap_or_default(),
                role: role(member.role).to_owned(),
                leader: status.replica.leader == Some(member.id),
                reachable: node.is_some(),
                lag: node.map(|node| newest.saturating_sub(node.applied_index)),
                receiving_snapshot: node.is_some_and(|node| {
                    node.alarms.iter().any(|alarm| alarm.name == RECEIVING_SNAPSHOT)
                }),
                supported_level: node.map(|node| node.supported_level.max(1)).unwrap_or_default(),
            }
        })
        .collect();
    let level = call.handle().view(|state| View(state).level());
    let response = ListMembersResponse {
        members,
        version: found.members.version,
        joint: found.members.joint,
        level,
        quorum: votes.quorum(),
        tolerance: votes.tolerance(),
    };
    Ok(Reply::of(&response, status.replica.applied))
}

pub(super) async fn add(call: &Call) -> Result<Reply, Refusal> {
    let request: AddMemberRequest = call.decode()?;
    own_domain(call, &request.name)?;
    let site = match request.site.as_str() {
        "" => None,
        site => Some(site.parse().map_err(|_| {
            let (en, zh) = ("is not a site id", "不是有效的站点名称");
            Refusal::new(Reason::FieldInvalid).field("site", en, zh)
        })?),
    };
    let (id, address) = (node(&request.node, "node")?, request.endpoint);
    let wish = MemberChange::AddLearner { id, address, site };
    let done = change(call, wish, request.validate_only, &request.request_id).await?;
    let Done { changed, version, effect, index } = done;
    Ok(Reply::of(&AddMemberResponse { changed, version, effect: Some(effect) }, index))
}

pub(super) async fn promote(call: &Call) -> Result<Reply, Refusal> {
    let request: PromoteMemberRequest = call.decode()?;
    own_domain(call, &request.name)?;
    let wish = MemberChange::Promote { id: node(&request.node, "node")? };
    let done = change(call, wish, request.validate_only, &request.request_id).await?;
    let Done { changed, version, effect, index } = done;
    Ok(Reply::of(&PromoteMemberResponse { changed, version, effect: Some(effect) }, index))
}

pub(super) async fn remove(call: &Call) -> Result<Reply, Refusal> {
    let request: RemoveMemberRequest = call.decode()?;
    own_domain(call, &request.name)?;
    let wish = MemberChange::Remove { id: node(&request.node, "node")? };
    let done = change(call, wish, request.validate_only, &request.request_id).await?;
    let Done { changed, version, effect, index } = done;
    Ok(Reply::of(&RemoveMemberResponse { changed, version, effect: Some(effect) }, index))
}

pub(super) async fn replace(call: &Call) -> Result<Reply, Refusal> {
    let request: ReplaceMemberRequest = call.decode()?;
    own_domain(call, &request.name)?;
    let wish = MemberChange::Replace {
        out: node(&request.node, "node")?,
        replacement: node(&request.replacement, "replacement")?,
    };
    let done = change(call, wish, request.validate_only, &request.request_id).await?;
    let Done { changed, version, effect, index } = done;
    Ok(Reply::of(&ReplaceMemberResponse { changed, version, effect: Some(effect) }, index))
}

pub(super) async fn history(call: &Call) -> Result<Reply, Refusal> {
    let request: ListMemberChangesRequest = call.decode()?;
    own_domain(call, &request.name)?;
    let size = match request.page_size {
        0 => CHANGES,
        asked => asked.min(CHANGES),
    } as usize;
    let all = ListMemberChangesRequest { name: request.name, ..Default::default() };
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &all);
    call.read(move |look| {
        let before = paging::open(look.page_key(), &query, &request.page_token)?;
        let before = before.and_then(|key| Some(u64::from_be_bytes(key.try_into().ok()?)));
        let mut changes = look.view().member_changes(before, size + 1);
        let more = changes.len() > size;
        changes.truncate(size);
        let next_page_token = match changes.last() {
            Some(last) if more => {
                paging::seal(look.page_key(), &query, &last.version.to_be_bytes())
            }
            _ => String::new(),
        };
        let changes = changes.iter().map(change_message).collect();
        Ok(ListMemberChangesResponse { changes, next_page_token })
    })
    .await
}

pub(super) async fn raise_level(call: &Call) -> Result<Reply, Refusal> {
    let request: RaiseLevelRequest = call.decode()?;
    own_domain(call, &request.name)?;
    operator(call)?;
    call.handle().read().await?;
    let own = call.handle().id();
    let supported: Vec<(u64, Option<u32>)> = call
        .handle()
        .members()
        .members
        .iter()
        .map(|member| match member.id {
            id if id == own => (id, Some(LEVEL)),
            id => (id, call.handle().peers().level(id)),
        })
        .collect();
    let current = call.handle().view(|state| View(state).level());
    let level = target_level(request.level, current, &supported)?;
    let index = call.handle().status().replica.applied;
    if level <= current || request.validate_only {
        let changed = level > current;
        let level = level.max(current);
        return Ok(Reply::of(&RaiseLevelResponse { changed, level }, index));
    }
    let answered = call.commit(&request.request_id, Body::RaiseLevel { level }).await?;
    Ok(Reply::of(&RaiseLevelResponse { changed: true, level }, answered.index))
}

/// The level to which `asked` would raise, by what each member said it can apply.
fn target_level(
    asked: u32,
    current: u32,
    supported: &[(u64, Option<u32>)],
) -> Result<u32, Refusal> {
    if asked != 0 && asked <= current {
        return Ok(asked);
    }
    let unsupported = |level: u32, cause: String| {
        Refusal::new(Reason::LevelUnsupported).fact("level", level).fact("cause", cause)
    };
    let mut lowest = LEVEL;
    for (node, level) in supported {
        let Some(level) = level else {
            let wanted = if asked == 0 { LEVEL } else { asked };
            return Err(unsupported(wanted, format!("node {node} has not said what it can apply")));
        };
        lowest = lowest.min(*level);
    }
    if asked == 0 {
        return Ok(lowest);
    }
    let behind: Vec<String> = supported
        .iter()
        .filter(|(_, level)| level.is_some_and(|level| level < asked))
        .map(|(node, _)| node.to_string())
        .collect();
    if behind.is_empty() && asked <= LEVEL {
        Ok(asked)
    } else if behind.is_empty() {
        Err(unsupported(asked, format!("the highest is {LEVEL}")))
    } else {
        Err(unsupported(asked, format!("these nodes cannot apply it: {}", behind.join(", "))))
    }
}

/// What became of a wish.
struct Done {
    changed: bool,
    version: u64,
    effect: message::QuorumEffect,
    index: u64,
}

/// Plans `wish`, and carries it out unless it is only to be shown.
async fn change(
    call: &Call,
    wish: MemberChange,
    validate_only: bool,
    request_id: &str,
) -> Result<Done, Refusal> {
    operator(call)?;
    let handle = call.handle();
    handle.read().await?;
    let level = handle.view(|state| View(state).level());
    if level < 2 {
        return Err(Refusal::new(Reason::LevelTooLow).fact("needed", 2).fact("level", level));
    }
    let found = Found::look(&call.services).await;
    let unreachable = found.unreachable();
    let index = handle.status().replica.applied;
    let planned = match members::plan(&found.members, &wish, &unreachable) {
        Plan::Refused(refusal) => return Err(refusal),
        Plan::Already => {
            let votes = members::votes(&found.members, &unreachable);
            let effect = effect_message(QuorumEffect { before: votes, after: votes });
            return Ok(Done { changed: false, version: found.members.version, effect, index });
        }
        Plan::Change(planned) => planned,
    };
    let effect = effect_message(planned.effect);
    if let MemberChange::Promote { id } | MemberChange::Replace { replacement: id, .. } = wish {
        caught_up(call, id, if validate_only { Duration::ZERO } else { STEADY }).await?;
    }
    let version = planned.after.version;
    if validate_only {
        return Ok(Done { changed: true, version, effect, index });
    }
    if request_id.is_empty() {
        return Err(Refusal::new(Reason::RequestIdMissing));
    }
    if let MemberChange::Remove { id } | MemberChange::Replace { out: id, .. } = wish
        && id == handle.id()
    {
        // The next leader goes on: whoever passed this call on finds it there.
        let refused = |cause: &str| {
            Refusal::new(Reason::MemberChangeRefused).fact("node", id).fact("cause", cause)
        };
        return match timeout(HANDOVER_WAIT, handle.transfer_leader(None)).await {
            Ok(Ok(leader)) => Err(not_leader(Some(leader))),
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(refused("it leads, and no other node took over in time")),
        };
    }
    let idempotency = Some((request_id.to_owned(), call.digest()));
    let answered = handle.change_members(call.caller.clone(), idempotency, wish).await?;
    let changed = match answered.applied.outcome {
        Outcome::Refused(refusal) => return Err(refusal),
        Outcome::MembersChanged { .. } => true,
        _ => false,
    };
    let mut status = handle.watch_status();
    // Raft hears of the change a moment after whoever waited for it: only then is it joint.
    let index = answered.index;
    let completed = status.wait_for(|status| {
        status.replica.applied >= index && !status.replica.membership.is_joint()
    });
    // It is committed: if completing it takes long, that is no reason to say otherwise.
    let _ = timeout(COMPLETE_WAIT, completed).await;
    let version = handle.members().version;
    Ok(Done { changed, version, effect, index })
}

/// Whether `id` has followed closely enough for `steady` to be given a vote.
async fn caught_up(call: &Call, id: u64, steady: Duration) -> Result<(), Refusal> {
    let until = Instant::now() + steady;
    loop {
        let status = call.handle().status();
        if !status.is_leader() {
            return Err(not_leader(status.replica.leader));
        }
        let behind = |cause: String| {
            Refusal::new(Reason::MemberBehind).fact("node", id).fact("cause", cause)
        };
        let progress = status.replica.peers.iter().find(|(peer, _)| *peer == id);
        let Some((_, progress)) = progress else {
            return Err(behind("the leader does not know it".to_owned()));
        };
        match progress.state {
            PeerState::Snapshot { .. } => {
                return Err(behind("a snapshot is on its way to it".to_owned()));
            }
            PeerState::Probe => return Err(behind("it does not follow the log yet".to_owned())),
            PeerState::Replicate => {}
        }
        let lag = status.replica.commit.saturating_sub(progress.matched);
        if lag > LAG_MAX {
            return Err(behind(format!("it lacks {lag} entries")));
        }
        if Instant::now() >= until {
            return Ok(());
        }
        sleep(LOOK).await;
    }
}

/// The members, and what those say that can be reached.
struct Found {
    members: Members,
    nodes: BTreeMap<u64, GetNodeStatusResponse>,
}

impl Found {
    async fn look(services: &Arc<Services>) -> Self {
        let nodes = operations::all_nodes(services).await;
        let reached = nodes.into_iter().filter(|(_, node)| node.role != operations::UNREACHABLE);
        Self {
            members: services.handle.members(),
            nodes: reached.map(|(member, node)| (member.id, node)).collect(),
        }
    }

    fn unreachable(&self) -> BTreeSet<u64> {
        let ids = self.members.members.iter().map(|member| member.id);
        ids.filter(|id| !self.nodes.contains_key(id)).collect()
    }
}

fn own_domain(call: &Call, name: &str) -> Result<(), Refusal> {
    let domain = domain_name(name, "name")?;
    call.look_now(|look| look.own(&domain))
}

/// Refuses a caller that does not operate the cluster.
pub(super) fn operator(call: &Call) -> Result<(), Refusal> {
    call.look_now(|look| {
        if look.is_platform() {
            Ok(())
        } else {
            Err(Refusal::new(Reason::CallerNotPermitted)
                .fact("caller", look.caller)
                .fact("needed", "the authority or the platform manager"))
        }
    })
}

fn node(id: &str, field: &str) -> Result<u64, Refusal> {
    id.parse().ok().filter(|id| *id != 0).ok_or_else(|| {
        Refusal::new(Reason::FieldInvalid).field(
            field,
            "is not the number of a node",
            "应为节点编号",
        )
    })
}

fn role(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Voter => "voter",
        MemberRole::Learner => "learner",
        MemberRole::Leaving => "leaving",
    }
}

fn effect_message(effect: QuorumEffect) -> message::QuorumEffect {
    message::QuorumEffect {
        voters_before: effect.before.voters,
        voters_after: effect.after.voters,
        quorum_before: effect.before.quorum(),
        quorum_after: effect.after.quorum(),
        tolerance_before: effect.before.tolerance(),
        tolerance_after: effect.after.tolerance(),
    }
}

fn change_message(row: &MemberChangeRow) -> message::MemberChange {
    let names = |ids: &[u64]| ids.iter().map(ToString::to_string).collect();
    message::MemberChange {
        version: row.version,
        time: Some(timestamp(row.time)),
        kind: row.change.kind().to_owned(),
        nodes: names(&row.change.nodes()),
        caller: row.caller.clone(),
        voters: names(&row.voters),
        learners: names(&row.learners),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_raised_only_to_what_every_member_said() {
        let check = |asked, said: &[(u64, Option<u32>)], expected: Result<u32, Reason>| {
            let target = target_level(asked, 1, said).map_err(|refusal| refusal.reason);
            assert_eq!(target, expected, "{asked} {said:?}");
        };
        let all = [(1, Some(2)), (2, Some(2)), (3, Some(2))];
        check(0, &all, Ok(2));
        check(2, &all, Ok(2));
        check(1, &all, Ok(1));
        check(3, &all, Err(Reason::LevelUnsupported));
        let all_newer = [(1, Some(LEVEL)), (2, Some(LEVEL)), (3, Some(LEVEL))];
        check(0, &all_newer, Ok(LEVEL));
        check(LEVEL, &all_newer, Ok(LEVEL));
        check(LEVEL + 1, &all_newer, Err(Reason::LevelUnsupported));
        let one_old = [(1, Some(2)), (2, Some(1)), (3, Some(2))];
        check(0, &one_old, Ok(1));
        check(2, &one_old, Err(Reason::LevelUnsupported));
        let one_silent = [(1, Some(2)), (2, Some(2)), (3, None)];
        check(0, &one_silent, Err(Reason::LevelUnsupported));
        check(2, &one_silent, Err(Reason::LevelUnsupported));
        check(1, &one_silent, Ok(1));
    }
}
