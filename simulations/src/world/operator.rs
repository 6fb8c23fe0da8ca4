//! The operator: who replaces what is lost, and changes who belongs to the cluster?
//!
//! One job at a time, each step asked for until the state shows that it is done: whoever asks need not
//! know what became of the last call. A node that was taken out runs on for a while, as it would.

use std::collections::{BTreeMap, VecDeque};

use catalog_state::{
    command::MemberChange,
    rows::{Member, MemberRole, Members},
    view::View,
};

use crate::{
    call::What,
    cast,
    fault::Kind,
    node::Node,
    prng::Prng,
    world::{Event, Phase, World, draw_clock},
};

/// The operator, among clients.
pub(super) const CLIENT: u64 = 0;

/// How often the operator looks, in virtual milliseconds.
const LOOKS_MS: u64 = 200;

/// How long a node that was taken out is left running.
const RETIRES_MS: u64 = 700;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Replace { out: u64, with: u64 },
    Grow { with: u64 },
    Shrink { out: u64 },
}

/// What the operator has to do.
#[derive(Debug)]
pub(super) struct Operator {
    jobs: VecDeque<Job>,
    next_id: u64,
    attempts: u64,
    next_look: u64,
    retiring: BTreeMap<u64, u64>,
    prng: Prng,
}

impl Operator {
    pub(super) fn new(prng: Prng) -> Self {
        Self {
            jobs: VecDeque::new(),
            next_id: 4,
            attempts: 0,
            next_look: 0,
            retiring: BTreeMap::new(),
            prng,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.retiring.is_empty()
    }

    pub(super) fn next_attempt(&mut self) -> u64 {
        self.attempts += 1;
        self.attempts
    }

    /// A node is gone for good.
    pub(super) fn replace(&mut self, out: u64) {
        let with = self.new_id();
        self.jobs.push_front(Job::Replace { out, with });
    }

    /// Any change that leaves three to five voters.
    pub(super) fn change(&mut self, voters: &[u64], prng: &mut Prng) {
        let out = *prng.pick(voters);
        let job = match (voters.len(), prng.below(3)) {
            (..4, 0 | 1) | (4, 0) => Job::Grow { with: self.new_id() },
            (4, 1) | (5.., 0 | 1) => Job::Shrink { out },
            _ => Job::Replace { out, with: self.new_id() },
        };
        self.jobs.push_back(job);
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }
}

impl World {
    /// Does the next step of the job at hand.
    pub(super) fn operate(&mut self) {
        let now = self.clock.now;
        let retired: Vec<u64> = self
            .operator
            .retiring
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in retired {
            self.operator.retiring.remove(&id);
            self.retire(id);
        }
        if now < self.operator.next_look {
            return;
        }
        self.operator.next_look = now + LOOKS_MS;
        let Some(job) = self.operator.jobs.front().copied() else { return };
        let state = View(self.checker.reference.rows());
        if state.level() < cast::LEVEL {
            return;
        }
        let members: Members = state.members().unwrap_or_else(|| self.first_members());
        let role = |id| members.get(id).map(|member| member.role);
        let step = match job {
            _ if members.joint => return,
            Job::Grow { with } => match role(with) {
                Some(MemberRole::Voter) => None,
                Some(_) => Some(MemberChange::Promote { id: with }),
                None => Some(MemberChange::AddLearner {
                    id: with,
                    address: cast::address(with),
                    site: None,
                }),
            },
            Job::Replace { out, with } => match (role(out), role(with)) {
                (None, _) => None,
                (Some(_), Some(_)) => Some(MemberChange::Replace { out, replacement: with }),
                (Some(_), None) => Some(MemberChange::AddLearner {
                    id: with,
                    address: cast::address(with),
                    site: None,
                }),
            },
            Job::Shrink { out } => role(out).map(|_| MemberChange::Remove { id: out }),
        };
        let Some(change) = step else {
            self.note(format_args!("the operator is done: {job:?}"));
            self.operator.jobs.pop_front();
            if let Job::Replace { out, .. } | Job::Shrink { out } = job {
                self.operator.retiring.insert(out, now + RETIRES_MS);
                self.lost.remove(&out);
                if self.awaited.remove(&out) == Some(Kind::DiskFull) {
                    self.make_room(out);
                }
                // A mistake that operators make: the old id once more. It must come to nothing.
                let again =
                    MemberChange::AddLearner { id: out, address: cast::address(out), site: None };
                self.ask_leader(again);
            }
            let voters = self.checker.memberships.last().voters.clone();
            self.workload.set_nodes(voters);
            return;
        };
        if let MemberChange::AddLearner { id, .. } = change {
            self.set_up(id);
        }
        self.ask_leader(change);
    }

    fn ask_leader(&mut self, change: MemberChange) {
        let leader = self.nodes.iter().find(|(_, node)| node.leads()).map(|(id, _)| *id);
        if let Some(leader) = leader {
            self.ask(leader, What::Members(change));
        }
    }

    /// Who belongs to a cluster whose state does not know yet.
    fn first_members(&self) -> Members {
        let voters = self.checker.memberships.last().voters.iter();
        let voter = |id: &u64| Member {
            id: *id,
            address: cast::address(*id),
            role: MemberRole::Voter,
            site: None,
        };
        Members::first(&voters.map(voter).collect::<Vec<_>>())
    }

    /// Puts up a machine for a new member, if it is not there yet.
    fn set_up(&mut self, id: u64) {
        if self.nodes.contains_key(&id) {
            return;
        }
        let clock = draw_clock(&mut self.operator.prng);
        let prng = self.operator.prng.fork();
        self.nodes.insert(id, Node::new(id, Vec::new(), self.habits, clock, prng));
        self.note(format_args!("node {id} is set up"));
        self.plan_in(1, Event::Start { node: id });
    }

    fn retire(&mut self, id: u64) {
        self.note(format_args!("node {id} is taken away"));
        self.network_down(id);
        self.nodes.remove(&id);
        self.awaited.remove(&id);
        self.tainted.remove(&id);
        self.absent.remove(&id);
        self.round_planned.remove(&id);
    }

    /// Whether the node was taken out and is only left running for a while.
    pub(super) fn is_retired(&self, id: u64) -> bool {
        self.operator.retiring.contains_key(&id)
    }

    /// Whether all that was begun is done, and every member is there and whole.
    pub(super) fn all_members_run(&self) -> bool {
        self.phase != Phase::Faulty
            && self.is_healthy()
            && self.nodes.values().all(Node::is_running)
    }
}
