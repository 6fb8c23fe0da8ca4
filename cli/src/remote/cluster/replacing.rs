//! Replacing: how does a new node come into the place of another, whatever was done already?
//!
//! Three steps, each of which the cluster does whole or not at all: let it in as a learner, wait
//! until it has caught up, swap the votes. What is to be done next is read from the list of
//! members each time and nowhere else, so that the command can be run again after it broke at any
//! point, also by somebody else. Whether the node has caught up is the cluster's own judgement.

use std::time::Duration;

use catalog_model::reason::Reason;
use luqiao_proto::operations::v1::{
    AddMemberRequest, ListMembersResponse, Member, QuorumEffect, ReplaceMemberRequest,
    ReplaceMemberResponse,
};
use tokio::time::{Instant, sleep};

use crate::{
    both,
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    remote::{Remote, answer, session::request_id},
};

use super::{Shown, changed, effect, members, new_node_settings};

/// Between two looks at the members.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two lines about how far it is.
const PROGRESS: Duration = Duration::from_secs(2);

/// What was asked for.
#[derive(Debug, Clone)]
pub(super) struct Replacing {
    pub(super) out: String,
    pub(super) by: u64,
    pub(super) address: String,
    pub(super) wait: Duration,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The new node is not known yet.
    Add,
    /// It is a learner: once it has caught up, the votes are swapped.
    Swap,
    /// The votes are being swapped.
    Settle,
    /// The new node votes and the old one is gone.
    Done,
}

impl Replacing {
    /// What the members say is to be done; or why nothing can.
    fn next(&self, list: &ListMembersResponse) -> Result<Step, Failure> {
        let (out, by) = (&self.out, self.by.to_string());
        let find = |id: &str| list.members.iter().find(|member| member.id == id);
        let role = |member: Option<&Member>| member.map(|member| member.role.clone());
        let new = find(&by);
        match (role(find(out)).as_deref(), role(new).as_deref()) {
            (None, Some("voter")) if list.joint => Ok(Step::Settle),
            (None, Some("voter")) => Ok(Step::Done),
            (Some("leaving"), Some("voter")) => Ok(Step::Settle),
            (None, _) => Err(Failure::new(
                Exit::NotFound,
                Reason::MemberUnknown.name(),
                both!("node {out} is no member of the cluster", "节点 {out} 不是集群成员"),
            )
            .advising(both!(
                "if it was let go before, give the new one a vote of its own: luqiao cluster add, then promote",
                "若该节点先前已移除，请先 luqiao cluster add 新节点，再 promote"
            ))),
            (Some(effect::LEARNER), _) => Err(conflict(both!(
                "node {out} has no vote that another could take over",
                "节点 {out} 没有投票权，无从替换"
            ))
            .advising(both!(
                "let it go instead: luqiao cluster remove {out}",
                "请直接移除：luqiao cluster remove {out}"
            ))),
            (Some(_), Some(effect::LEARNER)) => {
                let (stated, known) = (&self.address, &new.expect("it has a role").endpoint);
                if stated == known {
                    Ok(Step::Swap)
                } else {
                    Err(conflict(both!(
                        "node {by} is a member already, and reached at {known}, not at {stated}",
                        "节点 {by} 已是成员，其地址为 {known} 而非 {stated}"
                    )))
                }
            }
            (Some(_), Some(_)) if list.joint => Ok(Step::Settle),
            (Some(_), Some(_)) => Err(conflict(both!(
                "nodes {out} and {by} both have a vote already",
                "节点 {out} 与 {by} 均已有投票权"
            ))
            .advising(both!(
                "to end with one fewer: luqiao cluster remove {out}",
                "如需移除旧节点：luqiao cluster remove {out}"
            ))),
            (Some(_), None) => Ok(Step::Add),
        }
    }

    /// Shows what it does, and whether the next step would be taken.
    pub(super) async fn rehearse(self, remote: &Remote) -> Result<Exit, Failure> {
        let list = members(remote, None).await?;
        let step = self.next(&list)?;
        let refused = match step {
            Step::Add => self.add(remote, true).await.err(),
            Step::Swap => self.swap(remote, true).await.err(),
            Step::Settle | Step::Done => None,
        };
        match refused {
            // It will be waited for.
            Some(failure) if !is_behind(&failure) => return Err(failure),
            _ => {}
        }
        let shown = Shown {
            node: self.by.to_string(),
            dry_run: true,
            changed: step != Step::Done,
            version: list.version,
            effect: self.effect(&list, &step),
            settings: None,
        };
        changed(remote, &shown)
    }

    /// Does what is left to do.
    pub(super) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let until = Instant::now() + self.wait;
        let by = self.by.to_string();
        let mut shown = Shown { node: by.clone(), ..Default::default() };
        let mut told = Told::default();
        let mut first = true;
        loop {
            let looked = members(remote, None).await;
            if first && let Err(failure) = looked {
                // Nothing has begun: there is nothing to hold on to.
                return Err(failure);
            }
            let done = match looked {
                Err(failure) => Err(failure),
                Ok(list) => {
                    let step = self.next(&list)?;
                    shown.version = list.version;
                    if first {
                        first = false;
                        shown.changed = step != Step::Done;
                        shown.effect = self.effect(&list, &step);
                        if let Some(effect) = &shown.effect {
                            remote.output.say(&effect::sentence(effect));
                        }
                    }
                    match step {
                        Step::Done => return changed(remote, &shown),
                        Step::Add => self.add(remote, false).await,
                        Step::Swap => {
                            let settings = || new_node_settings(remote, self.by, &list.members);
                            told.waiting(remote, &list, &by, settings).await?;
                            match self.swap(remote, true).await {
                                Ok(()) => self.swap(remote, false).await,
                                behind => behind,
                            }
                        }
                        Step::Settle => Ok(()),
                    }
                }
            };
            match done {
                Ok(()) => {}
                Err(failure) if !is_passing(&failure) => return Err(failure),
                Err(failure) => {
                    remote.output.detail(&failure.message);
                    if Instant::now() >= until {
                        return Err(self.too_late(&failure));
                    }
                }
            }
            sleep(PAUSE.min(until.saturating_duration_since(Instant::now()))).await;
            if Instant::now() >= until {
                // One look more than there was time for: it may have been done meanwhile.
                let list = members(remote, None).await?;
                if self.next(&list)? == Step::Done {
                    shown.version = list.version;
                    return changed(remote, &shown);
                }
                return Err(self.too_late(&conflict(told.last)));
            }
        }
    }

    /// What it does to the votes, while it has not been done.
    fn effect(&self, list: &ListMembersResponse, step: &Step) -> Option<QuorumEffect> {
        matches!(step, Step::Add | Step::Swap).then(|| effect::of_replacing(list, &self.out))
    }

    async fn add(&self, remote: &Remote, validate_only: bool) -> Result<(), Failure> {
        let list = members(remote, None).await?;
        let out = list.members.into_iter().find(|member| member.id == self.out);
        let request = AddMemberRequest {
            name: remote.parent(None),
            node: self.by.to_string(),
            endpoint: self.address.clone(),
            validate_only,
            request_id: request_id(),
            // It stands in for the one that goes, at the same site.
            site: out.map(|member| member.site).unwrap_or_default(),
        };
        let mut client = remote.session.operations();
        answer(client.add_member(remote.session.call(request)).await).map(drop)
    }

    async fn swap(&self, remote: &Remote, validate_only: bool) -> Result<(), Failure> {
        let request = ReplaceMemberRequest {
            name: remote.parent(None),
            node: self.out.clone(),
            replacement: self.by.to_string(),
            validate_only,
            request_id: request_id(),
        };
        let mut client = remote.session.operations();
        let answered = answer(client.replace_member(remote.session.call(request)).await);
        answered.map(|_: ReplaceMemberResponse| ())
    }

    fn too_late(&self, last: &Failure) -> Failure {
        let (by, out, address) = (self.by, &self.out, &self.address);
        let (en, zh) = (&last.message.en, &last.message.zh);
        let message = Bilingual {
            en: format!("node {by} has not taken the place of node {out} in time: {en}"),
            zh: format!("节点 {by} 未能在时限内替换节点 {out}：{zh}"),
        };
        Failure::new(Exit::Unavailable, "not_replaced_in_time", message).advising(both!(
            "run it again, it goes on where it is: luqiao cluster replace {out} --by {by} --address {address}",
            "可重新执行，将从当前进度继续：luqiao cluster replace {out} --by {by} --address {address}"
        ))
    }
}

/// What was told of the wait.
#[derive(Debug, Default)]
struct Told {
    last: Bilingual,
    at: Option<Instant>,
    settings: bool,
}

impl Told {
    /// Tells how far the new node is, when that is news and not more often than is of use.
    async fn waiting<F>(
        &mut self,
        remote: &Remote,
        list: &ListMembersResponse,
        by: &str,
        settings: impl FnOnce() -> F,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<String, Failure>>,
    {
        let Some(node) = list.members.iter().find(|member| member.id == by) else {
            return Ok(());
        };
        if !node.reachable && !self.settings {
            self.settings = true;
            let settings = settings().await?;
            remote.output.say(&both!(
                "node {by} is let in and not there yet; start it with:\n\n{settings}",
                "节点 {by} 已准入但尚未上线；请以下列配置启动：\n\n{settings}"
            ));
        }
        let words = progress(node);
        let quiet = self.at.is_some_and(|at| at.elapsed() < PROGRESS);
        if words != self.last && !quiet {
            remote.output.say(&words);
            self.at = Some(Instant::now());
        }
        self.last = words;
        Ok(())
    }
}

/// How far the node is.
fn progress(node: &Member) -> Bilingual {
    let id = &node.id;
    match node.lag {
        _ if !node.reachable => both!("node {id} is not reached", "节点 {id} 尚不可达"),
        _ if node.receiving_snapshot => {
            both!("node {id} is receiving a snapshot", "节点 {id} 正在接收快照")
        }
        None => both!("how far node {id} is, is not known yet", "节点 {id} 的进度尚不可知"),
        Some(lag) => both!("node {id} is {lag} log entries behind", "节点 {id} 落后 {lag} 条日志"),
    }
}

/// Whether the cluster waits for the new node to catch up.
fn is_behind(failure: &Failure) -> bool {
    failure.reason == Reason::MemberBehind.name()
}

/// Whether it may go better in a moment. A step whose outcome is not known shows in the list.
fn is_passing(failure: &Failure) -> bool {
    is_behind(failure)
        || failure.reason == Reason::MembersChanging.name()
        || matches!(failure.exit, Exit::Unavailable | Exit::OutcomeUnknown | Exit::Quota)
}

fn conflict(message: Bilingual) -> Failure {
    Failure::new(Exit::Conflict, "members_do_not_fit", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replacing() -> Replacing {
        Replacing {
            out: "3".to_owned(),
            by: 4,
            address: "node-4:7443".to_owned(),
            wait: Duration::from_secs(1),
        }
    }

    /// `3 voter, 4 learner`, joint if it ends in `!`.
    fn list(text: &str) -> ListMembersResponse {
        let member = |row: &str| {
            let (id, role) = row.trim().split_once(' ').unwrap();
            let endpoint = format!("node-{id}:7443");
            Member { id: id.to_owned(), role: role.to_owned(), endpoint, ..Default::default() }
        };
        let rows = text.trim_end_matches('!');
        ListMembersResponse {
            members: rows.split(',').map(member).collect(),
            joint: text.ends_with('!'),
            ..Default::default()
        }
    }

    #[test]
    fn whatever_was_done_already_the_members_tell_what_is_next() {
        for (members, expected) in [
            ("1 voter, 2 voter, 3 voter", Step::Add),
            ("1 voter, 2 voter, 3 voter, 4 learner", Step::Swap),
            ("1 voter, 2 voter, 3 leaving, 4 voter!", Step::Settle),
            ("1 voter, 2 voter, 4 voter!", Step::Settle),
            ("1 voter, 2 voter, 4 voter", Step::Done),
            // Another change is under way: the cluster says so when it is asked.
            ("1 voter, 2 leaving, 3 voter!", Step::Add),
        ] {
            assert_eq!(replacing().next(&list(members)), Ok(expected), "{members}");
        }
    }

    #[test]
    fn what_cannot_come_right_is_said_at_once_with_what_would() {
        for (members, exit, words) in [
            ("1 voter, 2 voter", Exit::NotFound, "promote"),
            ("1 voter, 2 voter, 4 learner", Exit::NotFound, "promote"),
            ("1 voter, 3 learner, 4 learner", Exit::Conflict, "remove 3"),
            ("1 voter, 3 voter, 4 voter", Exit::Conflict, "remove 3"),
        ] {
            let failure = replacing().next(&list(members)).unwrap_err();
            assert_eq!(failure.exit, exit, "{members}");
            assert!(failure.advice.en.contains(words), "{members}: {failure:?}");
            assert!(!is_passing(&failure), "{members}: waiting would not help");
        }
        let elsewhere = Replacing { address: "other:1".to_owned(), ..replacing() };
        let failure = elsewhere.next(&list("1 voter, 3 voter, 4 learner")).unwrap_err();
        assert!(failure.message.en.contains("node-4:7443"), "{failure:?}");
    }

    #[test]
    fn progress_says_the_one_thing_that_is_waited_for() {
        let node = Member { id: "4".to_owned(), ..Default::default() };
        let check = |node: Member, words: &str| {
            assert!(progress(&node).en.contains(words), "{node:?}");
        };
        check(node.clone(), "not reached");
        let node = Member { reachable: true, ..node };
        check(node.clone(), "not known");
        check(Member { receiving_snapshot: true, lag: Some(9), ..node.clone() }, "snapshot");
        check(Member { lag: Some(9), ..node }, "9 log entries");
    }
}
