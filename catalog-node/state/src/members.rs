//! Members: what would a wish make of them, and may it?
//!
//! A pure rule over the list in state. The operator's call asks it first, to show the effect and to
//! refuse early; the state machine asks it again with the list as it is when the change is
//! committed, and that answer alone counts. One change at a time: every change leads into a joint
//! configuration, and the next waits until that is finished.

use std::collections::BTreeSet;

use catalog_model::{reason::Reason, refusal::Refusal, site::SiteId};
use catalog_mutation::{Mutation, active};

use crate::{
    command::MemberChange,
    rows::{Member, MemberRole, Members},
};

/// Most members at a time. Raft sends to each, and with more voters every write waits for more.
pub const MEMBERS_MAX: usize = 16;

/// Longest address, in bytes.
const ADDRESS_MAX: usize = 255;

/// What is to be done about a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: it is so already, or on its way.
    Already,
    /// A change.
    Change(Planned),
    /// It may not be.
    Refused(Refusal),
}

/// A change that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The list once the change is committed. For every change but
    /// [`MemberChange::Finish`] it is still joint.
    pub after: Members,
    /// What it does to the votes, once it is finished.
    pub effect: QuorumEffect,
}

/// What a change does to the number of votes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuorumEffect {
    /// Before the change.
    pub before: Votes,
    /// Once it is finished.
    pub after: Votes,
}

/// Votes at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Votes {
    /// Who votes.
    pub voters: u32,
    /// Of these, reachable.
    pub reachable: u32,
}

impl Votes {
    /// Of `voters`, when the nodes in `unreachable` are.
    fn of(voters: &[u64], unreachable: &BTreeSet<u64>) -> Self {
        let reachable = voters.iter().filter(|id| !unreachable.contains(id)).count();
        Self { voters: voters.len() as u32, reachable: reachable as u32 }
    }

    /// Votes that it takes to commit.
    pub fn quorum(self) -> u32 {
        self.voters / 2 + 1
    }

    /// How many of the reachable voters may still fail.
    pub fn tolerance(self) -> u32 {
        self.reachable.saturating_sub(self.quorum())
    }

    /// Whether the reachable voters suffice to commit.
    pub fn can_commit(self) -> bool {
        self.reachable >= self.quorum()
    }
}

impl Members {
    /// The list with which a history begins.
    pub fn first(members: &[Member]) -> Self {
        let mut members = members.to_vec();
        members.sort_by_key(|member| member.id);
        members.dedup_by_key(|member| member.id);
        let used_ids = members.iter().map(|member| member.id).collect();
        Self { version: 0, members, used_ids, joint: false }
    }

    /// The member of that id.
    pub fn get(&self, id: u64) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    fn in_role(&self, role: MemberRole) -> Vec<u64> {
        let of_role = self.members.iter().filter(|member| member.role == role);
        of_role.map(|member| member.id).collect()
    }

    /// The voters, without those that are leaving; ascending.
    pub fn voters(&self) -> Vec<u64> {
        self.in_role(MemberRole::Voter)
    }

    /// The learners, ascending.
    pub fn learners(&self) -> Vec<u64> {
        self.in_role(MemberRole::Learner)
    }

    fn set_role(&mut self, id: u64, role: MemberRole) {
        for member in self.members.iter_mut().filter(|member| member.id == id) {
            member.role = role;
        }
    }

    fn drop_member(&mut self, id: u64) {
        self.members.retain(|member| member.id != id);
    }

    /// Whether the id was a member's once and is no more.
    fn is_gone(&self, id: u64) -> bool {
        self.used_ids.binary_search(&id).is_ok() && self.get(id).is_none()
    }
}

/// What the votes are now, when the nodes in `unreachable` are.
pub fn votes(members: &Members, unreachable: &BTreeSet<u64>) -> Votes {
    Votes::of(&members.voters(), unreachable)
}

/// What becomes of `wish` for a cluster with these members. A wish that is fulfilled is no error,
/// so that whoever does not know what became of a call may repeat it.
///
/// `unreachable` are nodes that cannot be reached now. A change after which the reachable voters
/// could not commit is refused; a decision that must be the same everywhere passes none.
pub fn plan(members: &Members, wish: &MemberChange, unreachable: &BTreeSet<u64>) -> Plan {
    match consider(members, wish) {
        Err(Considered::Already) => Plan::Already,
        Err(Considered::Refused(refusal)) => Plan::Refused(refusal),
        Ok(mut after) => {
            after.version += 1;
            let effect = QuorumEffect {
                before: votes(members, unreachable),
                after: votes(&after, unreachable),
            };
            if matches!(wish, MemberChange::Finish) || effect.after.can_commit() {
                return Plan::Change(Planned { after, effect });
            }
            let (reachable, voters) = (effect.after.reachable, effect.after.voters);
            let node = wish.nodes().first().copied().unwrap_or_default();
            Plan::Refused(refused(
                node,
                &format!("of the {voters} voters after it only {reachable} can be reached"),
                &format!("变更后 {voters} 个投票成员中仅 {reachable} 个可达"),
            ))
        }
    }
}

/// Why a wish leads to no change.
enum Considered {
    Already,
    Refused(Refusal),
}

impl From<Refusal> for Considered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn refused(node: u64, cause: &str, cause_zh: &str) -> Refusal {
    Refusal::new(Reason::MemberChangeRefused)
        .fact("node", node)
        .fact("cause", cause)
        .fact("cause_zh", cause_zh)
}

fn unknown(node: u64) -> Refusal {
    Refusal::new(Reason::MemberUnknown).fact("node", node)
}

/// The list after `wish`, with the old version.
fn consider(members: &Members, wish: &MemberChange) -> Result<Members, Considered> {
    use MemberRole::{Learner, Leaving, Voter};

    if members.voters().is_empty() {
        let node = wish.nodes().first().copied().unwrap_or_default();
        return Err(refused(node, "there is no list of members", "没有成员名单").into());
    }
    let mut after = members.clone();
    let role = |id| members.get(id).map(|member| member.role);
    match wish {
        MemberChange::Finish if !members.joint => return Err(Considered::Already),
        MemberChange::Finish => {
            after.members.retain(|member| member.role != Leaving);
            after.joint = false;
            return Ok(after);
        }
        MemberChange::AddLearner { id, address, site } => {
            check_address(*id, address)?;
            match members.get(*id) {
                Some(member) if member.address != *address => {
                    let cause = format!("it is a member at {} already", member.address);
                    let cause_zh = format!("该节点已是成员，地址为 {}", member.address);
                    return Err(refused(*id, &cause, &cause_zh).into());
                }
                Some(Member { role: Voter | Learner, .. }) => return Err(Considered::Already),
                Some(Member { role: Leaving, .. }) | None => {}
            }
            let used = members.used_ids.binary_search(id).is_ok();
            if used && !active(Mutation::MemberIdReused) {
                return Err(Refusal::new(Reason::MemberIdUsed).fact("node", id).into());
            }
            if let Some(other) = members.members.iter().find(|member| member.address == *address) {
                let cause = format!("{address} is the address of node {}", other.id);
                let cause_zh = format!("{address} 是节点 {} 的地址", other.id);
                return Err(refused(*id, &cause, &cause_zh).into());
            }
            if members.members.len() >= MEMBERS_MAX {
                let cause = format!("a cluster has at most {MEMBERS_MAX} members");
                let cause_zh = format!("集群成员不得超过 {MEMBERS_MAX} 个");
                return Err(refused(*id, &cause, &cause_zh).into());
            }
            check_site(members, *id, site.as_ref())?;
            let (address, site) = (address.clone(), site.clone());
            after.members.push(Member { id: *id, address, role: Learner, site });
            after.members.sort_by_key(|member| member.id);
            after.used_ids.push(*id);
            after.used_ids.sort_unstable();
        }
        MemberChange::Promote { id } => match role(*id) {
            Some(Voter) => return Err(Considered::Already),
            Some(Learner) => after.set_role(*id, Voter),
            Some(Leaving) => return Err(changing().into()),
            None => return Err(unknown(*id).into()),
        },
        MemberChange::Remove { id } => match role(*id) {
            Some(Leaving) => return Err(Considered::Already),
            None if members.is_gone(*id) => return Err(Considered::Already),
            None => return Err(unknown(*id).into()),
            Some(Voter) if members.voters().len() == 1 => {
                return Err(refused(*id, "it is the last voter", "它是最后一个投票成员").into());
            }
            Some(Voter) => after.set_role(*id, Leaving),
            // Nobody counts on a learner: raft lets it go at once.
            Some(Learner) => after.drop_member(*id),
        },
        MemberChange::Replace { out, replacement } => match (role(*out), role(*replacement)) {
            (Some(Leaving), Some(Voter)) => return Err(Considered::Already),
            (None, Some(Voter)) if members.is_gone(*out) => return Err(Considered::Already),
            (None, _) => return Err(unknown(*out).into()),
            (_, None) => return Err(unknown(*replacement).into()),
            (Some(Voter), Some(Learner)) => {
                after.set_role(*out, Leaving);
                after.set_role(*replacement, Voter);
            }
            (Some(Voter), Some(Voter)) => {
                let cause = format!("node {replacement} votes already");
                let cause_zh = format!("节点 {replacement} 已是投票成员");
                return Err(refused(*out, &cause, &cause_zh).into());
            }
            (Some(Learner), _) => {
                return Err(refused(*out, "it has no vote to hand on", "它没有投票权").into());
            }
            (Some(Leaving), _) | (_, Some(Leaving)) => return Err(changing().into()),
        },
    }
    if members.joint {
        return Err(changing().into());
    }
    after.joint = true;
    Ok(after)
}

/// Where members have sites, a new one has one too, and one that is known: with voters of one site
/// only, the site commit rule would fall back to a plain majority.
fn check_site(members: &Members, id: u64, site: Option<&SiteId>) -> Result<(), Refusal> {
    let mut known = members.members.iter().filter_map(|member| member.site.as_ref());
    match site {
        None if known.next().is_none() => Ok(()),
        Some(site) if known.any(|known| known == site) => Ok(()),
        _ => Err(refused(
            id,
            "where members have sites, a new one is at one of them; elsewhere it has none",
            "成员分属站点时，新成员须归属其中之一；否则不设站点",
        )),
    }
}

fn changing() -> Refusal {
    Refusal::new(Reason::MembersChanging).retry_after(1_000)
}

/// An id that raft takes and an address that can be dialled.
fn check_address(id: u64, address: &str) -> Result<(), Refusal> {
    if id == 0 {
        return Err(refused(id, "ids begin with 1", "节点编号从 1 开始"));
    }
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let dialled = port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic());
    if dialled && plain && address.len() <= ADDRESS_MAX {
        return Ok(());
    }
    Err(refused(id, "its address is not host:port", "地址应为 host:port"))
}

#[cfg(test)]
mod tests;
