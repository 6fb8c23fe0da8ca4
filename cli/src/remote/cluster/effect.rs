//! Effect: what does a change do to the number of votes, in one sentence?
//!
//! Shown before anything is changed. What the server says of a change that it has checked is
//! taken as it is; only for a replacement, which is several steps, it is reckoned here from the
//! list of members.

use luqiao_proto::operations::v1::{ListMembersResponse, Member, QuorumEffect};

use crate::{both, language::Bilingual};

/// Role of a member that has no vote.
pub(super) const LEARNER: &str = "learner";

/// The members that vote. One that is leaving is out of the count already: its vote is asked for
/// until the change is finished, and then never again.
pub(super) fn voters(members: &[Member]) -> impl Iterator<Item = &Member> {
    members.iter().filter(|member| member.role == "voter")
}

/// What it does to put a node that is up in the place of voter `out`.
pub(super) fn of_replacing(list: &ListMembersResponse, out: &str) -> QuorumEffect {
    let count = voters(&list.members).count() as u32;
    let quorum = count / 2 + 1;
    let up = voters(&list.members).filter(|member| member.reachable).count() as u32;
    let gone_is_up = voters(&list.members).any(|member| member.id == out && member.reachable);
    QuorumEffect {
        voters_before: count,
        voters_after: count,
        quorum_before: quorum,
        quorum_after: quorum,
        tolerance_before: up.saturating_sub(quorum),
        tolerance_after: (up + u32::from(!gone_is_up)).saturating_sub(quorum),
    }
}

/// `voters 3 → 4, votes to commit 2 → 3, voters that may fail 1 → 1`
pub(super) fn sentence(effect: &QuorumEffect) -> Bilingual {
    let QuorumEffect {
        voters_before,
        voters_after,
        quorum_before,
        quorum_after,
        tolerance_before,
        tolerance_after,
    } = effect;
    both!(
        "voters {voters_before} → {voters_after}, votes to commit {quorum_before} → {quorum_after}, \
         voters that may fail {tolerance_before} → {tolerance_after}",
        "投票节点 {voters_before} → {voters_after}，提交所需票数 {quorum_before} → {quorum_after}，\
         可容许故障节点 {tolerance_before} → {tolerance_after}"
    )
}

/// What somebody should hear before it is too late, if there is anything.
pub(super) fn warning(effect: &QuorumEffect) -> Option<Bilingual> {
    if effect.voters_before == effect.voters_after {
        return None;
    }
    if effect.tolerance_after == 0 && effect.voters_after > 1 {
        return Some(both!(
            "afterwards no voter may fail: writing would stop with the next one that does",
            "变更后不再容许任何投票节点故障：再有一个故障即停止写入"
        ));
    }
    (effect.voters_after.is_multiple_of(2) && effect.voters_after > effect.voters_before).then(|| {
        let voters = effect.voters_after;
        both!(
            "{voters} voters bear no more failures than one fewer does; an odd number is better",
            "{voters} 个投票节点的容错能力与少一个时相同，宜为奇数"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rows: &[(&str, &str, bool)]) -> ListMembersResponse {
        let member = |(id, role, reachable): &(&str, &str, bool)| Member {
            id: (*id).to_owned(),
            role: (*role).to_owned(),
            reachable: *reachable,
            ..Default::default()
        };
        ListMembersResponse { members: rows.iter().map(member).collect(), ..Default::default() }
    }

    #[test]
    fn replacing_a_voter_that_is_gone_gives_back_what_its_loss_took() {
        let (v, l) = ("voter", "learner");
        let members = list(&[("1", v, true), ("2", v, true), ("3", v, false), ("4", l, true)]);
        let effect = of_replacing(&members, "3");
        assert_eq!((effect.tolerance_before, effect.tolerance_after), (0, 1));
        let effect = of_replacing(&members, "2");
        assert_eq!((effect.tolerance_before, effect.tolerance_after), (0, 0));
        assert_eq!((effect.voters_after, effect.quorum_after), (3, 2));
        assert_eq!(warning(&effect), None, "the number of votes does not change");
    }

    #[test]
    fn a_change_that_leaves_no_room_is_warned_of() {
        let effect = |voters_before, voters_after, tolerance_after| QuorumEffect {
            voters_before,
            voters_after,
            tolerance_after,
            ..Default::default()
        };
        assert!(warning(&effect(3, 2, 0)).unwrap().en.contains("no voter may fail"));
        assert!(warning(&effect(3, 4, 1)).unwrap().en.contains("odd"));
        assert_eq!(warning(&effect(4, 5, 2)), None);
        assert_eq!(warning(&effect(5, 4, 1)), None, "on the way down it cannot be avoided");
        assert_eq!(warning(&effect(2, 1, 0)), None, "one node is what was asked for");
    }

    #[test]
    fn the_sentence_counts_before_and_after_in_both_languages() {
        let effect = of_replacing(&list(&[("1", "voter", true)]), "1");
        let sentence = sentence(&effect);
        assert_eq!(sentence.en, "voters 1 → 1, votes to commit 1 → 1, voters that may fail 0 → 0");
        assert!(sentence.zh.contains("提交所需票数 1 → 1"));
    }
}
