//! The members of a cluster that does what it is asked, one step after the other, and can be told
//! to lose what it had to say.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
};

use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
};
use luqiao_proto::operations::v1::{
    AddMemberRequest, AddMemberResponse, ListMemberChangesRequest, ListMemberChangesResponse,
    ListMembersResponse, Member, MemberChange, PromoteMemberRequest, PromoteMemberResponse,
    QuorumEffect, RaiseLevelRequest, RaiseLevelResponse, RemoveMemberRequest, RemoveMemberResponse,
    ReplaceMemberRequest, ReplaceMemberResponse, TransferLeaderRequest, TransferLeaderResponse,
};
use luqiao_transport::status;
use tonic::{Response, Status};

/// A cluster as far as its members go.
pub(crate) struct Members(Mutex<Cluster>);

pub(crate) struct Cluster {
    pub(crate) members: Vec<Member>,
    pub(crate) version: u64,
    pub(crate) level: u32,
    pub(crate) changes: Vec<MemberChange>,
    pub(crate) used: BTreeSet<String>,
    /// What was really changed, in order.
    pub(crate) done: Vec<String>,
    /// Looks at the members until a learner has caught up, and until a swap is settled.
    pub(crate) patience: u32,
    /// Changes after which the answer is lost on its way.
    pub(crate) lost: BTreeSet<&'static str>,
    waited: u32,
}

impl Default for Members {
    fn default() -> Self {
        let voter = |id: u64| Member {
            id: id.to_string(),
            endpoint: format!("node-{id}:7443"),
            role: "voter".to_owned(),
            leader: id == 1,
            reachable: true,
            lag: Some(0),
            supported_level: 2,
            ..Default::default()
        };
        Self(Mutex::new(Cluster {
            members: (1..=3).map(voter).collect(),
            version: 1,
            level: 1,
            changes: Vec::new(),
            used: ["1", "2", "3"].map(str::to_owned).into(),
            done: Vec::new(),
            patience: 0,
            lost: BTreeSet::new(),
            waited: 0,
        }))
    }
}

impl Members {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.0.lock().expect("nobody panicked with it")
    }

    /// Ids and roles, for instance `1 voter, 4 learner`.
    pub(crate) fn roles(&self) -> String {
        let rows = &self.lock().members;
        rows.iter().map(|row| format!("{} {}", row.id, row.role)).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn answer<T>(
        &self,
        answer: impl FnOnce(&mut Cluster) -> Result<T, Refusal>,
    ) -> Result<Response<T>, Status> {
        let mut cluster = self.lock();
        let before = cluster.done.len();
        let answered = answer(&mut cluster).map_err(|refusal| status::of(&refusal, Lang::En))?;
        let kind = cluster.done[before..].first().and_then(|done| done.split(' ').next());
        let kind = kind.map(str::to_owned).unwrap_or_default();
        if cluster.lost.remove(kind.as_str()) {
            return Err(status::of(&Refusal::new(Reason::OutcomeUnknown), Lang::En));
        }
        Ok(Response::new(answered))
    }
}

fn votes(members: &[Member]) -> u32 {
    members.iter().filter(|member| member.role == "voter").count() as u32
}

fn tolerance(members: &[Member]) -> u32 {
    let up = members.iter().filter(|member| member.role == "voter" && member.reachable).count();
    (up as u32).saturating_sub(votes(members) / 2 + 1)
}

fn effect(before: &[Member], after: &[Member]) -> QuorumEffect {
    QuorumEffect {
        voters_before: votes(before),
        voters_after: votes(after),
        quorum_before: votes(before) / 2 + 1,
        quorum_after: votes(after) / 2 + 1,
        tolerance_before: tolerance(before),
        tolerance_after: tolerance(after),
    }
}

impl Cluster {
    fn find(&self, id: &str) -> Result<Member, Refusal> {
        let found = self.members.iter().find(|member| member.id == id).cloned();
        found.ok_or_else(|| Refusal::new(Reason::MemberUnknown).fact("node", id))
    }

    /// Makes `after` the members, unless it is only to be checked or is so already.
    fn change(
        &mut self,
        after: Vec<Member>,
        what: &str,
        validate_only: bool,
    ) -> (bool, u64, Option<QuorumEffect>) {
        let changed = after != self.members;
        let effect = Some(effect(&self.members, &after));
        if changed && !validate_only {
            self.members = after;
            self.version += 1;
            self.done.push(what.to_owned());
            self.waited = 0;
            let mut words = what.split(' ').map(str::to_owned);
            let kind = words.next().unwrap_or_default();
            self.changes.push(MemberChange {
                version: self.version,
                kind,
                nodes: words.collect(),
                caller: "the manager".to_owned(),
                ..Default::default()
            });
        }
        (changed, self.version, effect)
    }

    pub(crate) fn list(&mut self) -> ListMembersResponse {
        let joint = self.members.iter().any(|member| member.role == "leaving");
        self.waited += 1;
        let response = ListMembersResponse {
            members: self.members.clone(),
            version: self.version,
            joint,
            level: self.level,
            quorum: votes(&self.members) / 2 + 1,
            tolerance: tolerance(&self.members),
        };
        if self.waited > self.patience {
            // What was waited for has come about by the next look.
            self.members.retain(|member| member.role != "leaving");
            for member in &mut self.members {
                if member.lag.is_none() {
                    (member.reachable, member.lag) = (true, Some(0));
                }
            }
        }
        response
    }

    pub(crate) fn add(&mut self, request: AddMemberRequest) -> Result<AddMemberResponse, Refusal> {
        let AddMemberRequest { node, endpoint, validate_only, .. } = request;
        let mut after = self.members.clone();
        if self.find(&node).is_err() {
            if self.used.contains(&node) {
                return Err(Refusal::new(Reason::MemberIdUsed).fact("node", node));
            }
            after.push(Member {
                id: node.clone(),
                endpoint,
                role: "learner".to_owned(),
                ..Default::default()
            });
            if !validate_only {
                self.used.insert(node.clone());
            }
        }
        let (changed, version, effect) = self.change(after, &format!("add {node}"), validate_only);
        Ok(AddMemberResponse { changed, version, effect })
    }

    fn caught_up(&self, id: &str) -> Result<Member, Refusal> {
        let member = self.find(id)?;
        if member.lag.is_none() {
            let refusal = Refusal::new(Reason::MemberBehind).fact("node", id);
            return Err(refusal.fact("cause", "it is not reached"));
        }
        Ok(member)
    }

    pub(crate) fn promote(
        &mut self,
        request: &PromoteMemberRequest,
    ) -> Result<PromoteMemberResponse, Refusal> {
        let id = &request.node;
        self.caught_up(id)?;
        let mut after = self.members.clone();
        let row = after.iter_mut().find(|member| member.id == *id).expect("it was found");
        "voter".clone_into(&mut row.role);
        let (changed, version, effect) =
            self.change(after, &format!("promote {id}"), request.validate_only);
        Ok(PromoteMemberResponse { changed, version, effect })
    }

    pub(crate) fn remove(
        &mut self,
        request: &RemoveMemberRequest,
    ) -> Result<RemoveMemberResponse, Refusal> {
        let id = &request.node;
        if !self.used.contains(id) {
            self.find(id)?;
        }
        let mut after = self.members.clone();
        after.retain(|member| member.id != *id);
        let (changed, version, effect) =
            self.change(after, &format!("remove {id}"), request.validate_only);
        Ok(RemoveMemberResponse { changed, version, effect })
    }

    pub(crate) fn replace(
        &mut self,
        request: &ReplaceMemberRequest,
    ) -> Result<ReplaceMemberResponse, Refusal> {
        let ReplaceMemberRequest { node, replacement, validate_only, .. } = request;
        self.find(node)?;
        self.caught_up(replacement)?;
        let mut after = self.members.clone();
        for member in &mut after {
            if member.id == *node {
                "leaving".clone_into(&mut member.role);
            } else if member.id == *replacement {
                "voter".clone_into(&mut member.role);
            }
        }
        let what = format!("replace {node} {replacement}");
        let (changed, version, effect) = self.change(after, &what, *validate_only);
        Ok(ReplaceMemberResponse { changed, version, effect })
    }

    pub(crate) fn transfer(&mut self, request: &TransferLeaderRequest) -> TransferLeaderResponse {
        let to = if request.node.is_empty() { "2" } else { request.node.as_str() };
        for member in &mut self.members {
            member.leader = member.id == to;
        }
        self.done.push(format!("transfer {to}"));
        TransferLeaderResponse { leader: to.to_owned(), term: 9 }
    }

    pub(crate) fn history(&self, _: &ListMemberChangesRequest) -> ListMemberChangesResponse {
        let changes = self.changes.iter().rev().cloned().collect();
        ListMemberChangesResponse { changes, next_page_token: String::new() }
    }

    pub(crate) fn raise(
        &mut self,
        request: &RaiseLevelRequest,
    ) -> Result<RaiseLevelResponse, Refusal> {
        let to = if request.level == 0 { 2 } else { request.level };
        if to > 2 {
            let refusal = Refusal::new(Reason::LevelUnsupported).fact("level", to);
            return Err(refusal.fact("cause", "node 1 knows 2"));
        }
        let changed = to > self.level;
        if changed && !request.validate_only {
            self.level = to;
            self.done.push(format!("raise {to}"));
        }
        Ok(RaiseLevelResponse { changed, level: to })
    }
}
