//! Roster: which nodes does the cluster have, as far as its nodes have told?
//!
//! Every node says with its status who the members were when it had applied so much. The account
//! of the one that has applied most counts, whoever gives it; so a node that lags behind, or that
//! was let go and has not heard of it, cannot bring back an old list. The nodes that the operator
//! named are looked at for ever, members or not: they are how a gateway finds its cluster again.
//! But calls go to members that vote, once it is known who they are.
//!
//! A list says whom to dial, and nothing about whom to trust: whoever answers there must show the
//! certificate of the node with that id in our own domain.

use std::collections::BTreeSet;

use luqiao_proto::node::v1::NodeMember;
use luqiao_transport::identity::InstanceId;

use crate::config::NodeConfig;

/// Members that a list may have. Clusters have up to five voters, and twice as many nodes while
/// all of them are replaced.
pub const MEMBERS_MAX: usize = 16;

/// The members, and how recent that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Generation of the cluster and log entry up to which this was known to be true.
    heard_at: (u64, u64),
    /// Empty until a node has told.
    members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    id: InstanceId,
    endpoint: String,
    votes: bool,
}

/// A node, how it is reached, and whether it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its name, as in its certificate.
    pub id: InstanceId,
    /// `host:port`.
    pub endpoint: String,
    /// The name in its certificate where that is not the host of the endpoint.
    pub server_name: Option<String>,
    /// Whether calls go there; every node is looked at.
    pub asked: bool,
}

/// A list of members that cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// More than a cluster can have.
    #[error("it has {0} members, at most {MEMBERS_MAX} are possible")]
    TooMany(usize),
    /// An id that no certificate can carry.
    #[error("`{0}` is no id of a node")]
    Id(String),
    /// One id, two rows.
    #[error("node {0} is in it twice")]
    Twice(InstanceId),
    /// A cluster in which nobody votes.
    #[error("nobody in it votes")]
    NoVoter,
}

impl Roster {
    /// Takes in what a node that had applied entry `applied` of `generation` said. Returns
    /// whether the members are others now; an older account, and an empty one, changes nothing.
    pub fn heard(
        &mut self,
        generation: u64,
        applied: u64,
        said: &[NodeMember],
    ) -> Result<bool, Unusable> {
        if said.is_empty() || (generation, applied) < self.heard_at {
            return Ok(false);
        }
        let members = read(said)?;
        self.heard_at = (generation, applied);
        let changed = self.members != members;
        self.members = members;
        Ok(changed)
    }

    /// The configured nodes and the members. A node that is configured is reached as configured.
    pub fn places(&self, configured: &[NodeConfig]) -> Vec<Place> {
        let unknown = self.members.is_empty();
        let votes =
            |id: &InstanceId| self.members.iter().any(|member| member.votes && member.id == *id);
        let named = configured.iter().map(|node| Place {
            id: node.id.clone(),
            endpoint: node.endpoint.clone(),
            server_name: node.server_name.clone(),
            asked: unknown || votes(&node.id),
        });
        let learnt = self
            .members
            .iter()
            .filter(|member| configured.iter().all(|node| node.id != member.id))
            .map(|member| Place {
                id: member.id.clone(),
                endpoint: member.endpoint.clone(),
                server_name: None,
                asked: member.votes,
            });
        named.chain(learnt).collect()
    }
}

fn read(said: &[NodeMember]) -> Result<Vec<Member>, Unusable> {
    if said.len() > MEMBERS_MAX {
        return Err(Unusable::TooMany(said.len()));
    }
    let mut ids = BTreeSet::new();
    let mut members = Vec::with_capacity(said.len());
    for NodeMember { id, endpoint, role } in said {
        let id: InstanceId = id.parse().map_err(|_| Unusable::Id(id.clone()))?;
        if !ids.insert(id.clone()) {
            return Err(Unusable::Twice(id));
        }
        // A voter on its way out votes until it is out.
        members.push(Member { id, endpoint: endpoint.clone(), votes: role != "learner" });
    }
    if !members.iter().any(|member| member.votes) {
        return Err(Unusable::NoVoter);
    }
    members.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(rows: &[(&str, &str)]) -> Vec<NodeMember> {
        let row = |(id, role): &(&str, &str)| NodeMember {
            id: (*id).to_owned(),
            endpoint: format!("node-{id}:7443"),
            role: (*role).to_owned(),
        };
        rows.iter().map(row).collect()
    }

    fn configured(ids: &[&str]) -> Vec<NodeConfig> {
        let node = |id: &&str| NodeConfig {
            id: id.parse().unwrap(),
            endpoint: format!("configured-{id}:1"),
            server_name: Some(format!("name-{id}")),
        };
        ids.iter().map(node).collect()
    }

    fn asked(roster: &Roster, ids: &[&str]) -> String {
        let places = roster.places(&configured(ids));
        let mark = |place: &Place| format!("{}{}", place.id, if place.asked { "" } else { "-" });
        places.iter().map(mark).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn until_a_node_has_told_the_configured_nodes_are_all_there_is() {
        let mut roster = Roster::default();
        assert_eq!(asked(&roster, &["1", "2"]), "1 2");
        assert_eq!(roster.heard(1, 9, &[]), Ok(false), "an older program");
        assert_eq!(asked(&roster, &["1", "2"]), "1 2");
    }

    #[test]
    fn members_that_vote_are_asked_and_the_configured_ones_are_never_lost_from_sight() {
        let mut roster = Roster::default();
        let members = said(&[("2", "voter"), ("4", "voter"), ("5", "learner"), ("3", "leaving")]);
        assert_eq!(roster.heard(1, 10, &members), Ok(true));
        assert_eq!(asked(&roster, &["1", "2"]), "1- 2 3 4 5-");
        let places = roster.places(&configured(&["2"]));
        assert_eq!(places[0].endpoint, "configured-2:1", "reached as the operator said");
        assert_eq!(places[0].server_name.as_deref(), Some("name-2"));
        assert_eq!((&*places[2].endpoint, &places[2].server_name), ("node-4:7443", &None));
    }

    #[test]
    fn the_account_of_the_node_that_has_applied_most_counts() {
        let mut roster = Roster::default();
        let (old, new) = (said(&[("1", "voter")]), said(&[("2", "voter")]));
        assert_eq!(roster.heard(1, 10, &new), Ok(true));
        assert_eq!(roster.heard(1, 9, &old), Ok(false), "it lags behind, or was let go");
        assert_eq!(roster.heard(1, 12, &new), Ok(false));
        assert_eq!(roster.heard(1, 11, &old), Ok(false));
        assert_eq!(asked(&roster, &[]), "2");
        assert_eq!(roster.heard(2, 1, &old), Ok(true), "a later generation");
        assert_eq!(asked(&roster, &[]), "1");
    }

    #[test]
    fn a_list_that_cannot_be_right_changes_nothing() {
        let mut roster = Roster::default();
        roster.heard(1, 1, &said(&[("1", "voter")])).unwrap();
        let many: Vec<String> = (0..=MEMBERS_MAX).map(|id| id.to_string()).collect();
        let many: Vec<_> = many.iter().map(|id| (id.as_str(), "voter")).collect();
        for (list, expected) in [
            (said(&many), Unusable::TooMany(MEMBERS_MAX + 1)),
            (said(&[("../2", "voter")]), Unusable::Id("../2".to_owned())),
            (said(&[("2", "voter"), ("2", "learner")]), Unusable::Twice("2".parse().unwrap())),
            (said(&[("2", "learner")]), Unusable::NoVoter),
        ] {
            assert_eq!(roster.heard(1, 5, &list), Err(expected));
        }
        assert_eq!(asked(&roster, &[]), "1");
        assert_eq!(roster.heard(1, 2, &said(&[("2", "voter")])), Ok(true), "and was not heard");
    }
}
