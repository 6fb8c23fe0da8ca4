//! What the stories of snapshots do not show: refusals, outdated offers, and who must not lead.

use raft::eraftpb::{Snapshot, SnapshotMetadata};

use super::*;
use crate::{Membership, SnapshotOffer};

/// A message with a snapshot at `index`/2 of a cluster of three.
fn snapshot(from: u64, to: u64, term: u64, index: u64, members: Membership) -> Message {
    let mut metadata = SnapshotMetadata { index, term: 2, ..SnapshotMetadata::default() };
    metadata.set_conf_state(ConfState::from(&members));
    let mut snapshot = Snapshot { data: Bytes::from_static(b"name"), ..Snapshot::default() };
    snapshot.set_metadata(metadata);
    let mut message = message(MessageType::MsgSnapshot, from, to, term);
    message.set_snapshot(snapshot);
    message
}

fn three() -> Membership {
    Membership::of_voters(vec![1, 2, 3])
}

fn offered(replica: &mut SimReplica) -> Option<SnapshotOffer> {
    let mut offer = None;
    while let Some(ready) = replica.ready() {
        assert_eq!(ready.install, None, "nothing is installed that was not fetched");
        offer = ready.fetch.or(offer);
        if let Some(write) = ready.write {
            replica.log_persisted(write.number);
        }
    }
    offer
}

#[test]
fn an_offer_is_made_once_and_again_by_another_sender() {
    let (_, mut replica) = fresh(2, 3);
    replica.step(snapshot(1, 2, 2, 9, three())).unwrap();
    let offer = offered(&mut replica).unwrap();
    assert_eq!((offer.from, offer.index, offer.term), (1, 9, 2));
    assert_eq!(replica.status().receiving, Some(9));
    replica.step(snapshot(1, 2, 2, 9, three())).unwrap();
    assert_eq!(offered(&mut replica), None);
    replica.step(snapshot(3, 2, 3, 9, three())).unwrap();
    assert_eq!(offered(&mut replica).unwrap().from, 3);
    // A lower one does not take the place of a higher one, unless that cannot be had.
    replica.step(snapshot(3, 2, 3, 8, three())).unwrap();
    assert_eq!(offered(&mut replica), None);
    replica.snapshot_refused(8);
    assert_eq!(replica.status().receiving, Some(9));
    replica.snapshot_refused(9);
    assert_eq!(replica.status().receiving, None);
    replica.step(snapshot(3, 2, 3, 8, three())).unwrap();
    assert_eq!(offered(&mut replica).unwrap().index, 8);
}

#[test]
fn nothing_is_fetched_that_could_not_be_used() {
    let (_, mut replica) = fresh(2, 3);
    replica.step(append(2, 2, 2)).unwrap();
    replica.step(append(2, 3, 2)).unwrap();
    assert_eq!(offered(&mut replica), None);
    // From an earlier term, of what the log has, and of a cluster without this replica.
    replica.step(snapshot(1, 2, 1, 9, three())).unwrap();
    replica.step(snapshot(1, 2, 2, 3, three())).unwrap();
    replica.step(snapshot(1, 2, 2, 9, Membership::of_voters(vec![1, 3]))).unwrap();
    assert_eq!(offered(&mut replica), None);
    assert_eq!(replica.status().receiving, None);
    // A word about what was never offered is without effect.
    replica.snapshot_fetched(9);
    assert!(replica.ready().is_none());
}

#[test]
fn an_install_waits_for_writes_and_for_what_is_to_be_applied() {
    let (mut log, mut replica) = fresh(2, 3);
    replica.step(append(2, 2, 2)).unwrap();
    replica.step(append(2, 3, 2)).unwrap();
    replica.step(snapshot(1, 2, 2, 9, three())).unwrap();
    replica.snapshot_fetched(9);
    let first = replica.ready().unwrap();
    assert_eq!(first.install, None, "a write is to be done first");
    assert!(replica.ready().is_none(), "and is under way");
    let number = persist(&mut log, &[first.write.unwrap()]).unwrap().unwrap();
    replica.log_persisted(number);
    let second = replica.ready().unwrap();
    assert_eq!((second.apply.len(), second.install), (1, None), "an entry is to be applied");
    replica.applied(2);
    let install = replica.ready().unwrap().install.unwrap();
    assert_eq!((install.index, install.term, install.hard_state.commit), (9, 2, 9));
    assert_eq!(install.membership, three());
    assert_eq!(replica.status().receiving, Some(9));
    log.install(9, 2, 1, &install.hard_state).unwrap();
    let answers = replica.log_persisted(install.number);
    assert_eq!(answers.last().unwrap().index, 9);
    let status = replica.status();
    assert_eq!((status.applied, status.last_index, status.receiving), (9, 9, None));
}

#[test]
fn a_replica_with_a_bad_state_never_leads() {
    let (_, mut replica) = fresh(2, 3);
    assert_eq!(replica.may_lead(), Ok(()));
    replica.request_snapshot();
    assert_eq!(replica.may_lead(), Err(CannotLead::ReceivingSnapshot));
    let refused = replica.step(message(MessageType::MsgTimeoutNow, 1, 2, 1));
    assert!(matches!(refused, Err(StepRefusal::CannotLead(CannotLead::ReceivingSnapshot))));
    for _ in 0..100 {
        replica.tick();
    }
    replica.campaign();
    assert_eq!(offered(&mut replica), None);
    assert_eq!((replica.status().term, replica.status().role), (1, RoleKind::Follower));
    // Its log is good: it votes.
    replica.step(vote_request(1, 2, 2)).unwrap();
    let ready = replica.ready().unwrap();
    let votes = replica.log_persisted(ready.write.unwrap().number);
    assert!(!votes[0].reject, "nobody could be elected without it");
}

#[test]
fn a_leader_with_a_bad_state_steps_down() {
    let (mut log, mut replica) = fresh(1, 1);
    replica.campaign();
    settle(&mut replica, &mut log, &mut Acts::default()).unwrap();
    assert_eq!(replica.status().role, RoleKind::Leader);
    replica.request_snapshot();
    assert_eq!(replica.status().role, RoleKind::Follower);
    let refused = replica.propose(Bytes::from_static(b"x"));
    assert_eq!(refused, Err(ProposeRefusal::NotLeader { leader: None }));
}

/// raft-rs would panic if it had to refuse at term 0, and a lost log must not vote twice.
#[test]
fn an_empty_replica_votes_for_nobody() {
    let log = open(4, &SimDisk::new());
    let mut replica = start_on(&log, Config::new(4, vec![], 0), 0).unwrap();
    for kind in [MessageType::MsgRequestVote, MessageType::MsgRequestPreVote] {
        let refused = replica.step(message(kind, 1, 4, 7));
        assert!(matches!(refused, Err(StepRefusal::NothingToVoteOn)));
    }
    for _ in 0..100 {
        replica.tick();
    }
    replica.campaign();
    assert!(replica.ready().is_none(), "it does nothing of itself");
    // But it hears its leader before it knows that it is a member.
    replica.step(message(MessageType::MsgHeartbeat, 1, 4, 7)).unwrap();
    assert_eq!(replica.ready().unwrap().role_change.unwrap().leader, Some(1));
}

#[test]
fn a_lost_state_is_asked_for_whatever_the_log_was_compacted_to() {
    let (mut log, _) = fresh(2, 3);
    let entries: Vec<Entry> =
        (2..=9).map(|index| Entry { index, term: 2, ..Entry::default() }).collect();
    let hard_state = HardState { term: 2, commit: 7, ..HardState::default() };
    log.append(&entries, Some(&hard_state)).unwrap();
    log.compact(5).unwrap();
    let config = Config { reseed: true, ..Config::new(2, vec![], 0) };
    let mut replica = start_on(&log, config, 0).unwrap();
    assert!(replica.status().reseeding);
    let heartbeat = Message { commit: 9, ..message(MessageType::MsgHeartbeat, 1, 2, 2) };
    replica.step(heartbeat).unwrap();
    let mut messages = Vec::new();
    while let Some(ready) = replica.ready() {
        assert_eq!(ready.apply, [], "the snapshot will contain it");
        messages.extend(ready.send_now);
        if let Some(write) = ready.write {
            messages.extend(replica.log_persisted(write.number));
        }
    }
    let asked: Vec<_> =
        messages.iter().map(|message| (message.index, message.request_snapshot)).collect();
    assert!(asked.contains(&(9, 0)), "it vouches for its log: {asked:?}");
    assert!(asked.iter().any(|(_, request)| *request == 9), "and asks: {asked:?}");
    assert_eq!(replica.compact_to(9, crate::CompactLimits::default()), None);
}
