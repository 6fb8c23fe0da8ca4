//! Tables of what may open, whose log goes on, and what is said of it; and the rewrite on a real log.

use std::collections::BTreeSet;

use bytes::Bytes;
use catalog_log::{LogRead, LogStore, Options, SegmentLog, StoreIdentity, sim_disk::SimDisk};
use raft::eraftpb::Entry;

use super::{verdict::Gap, *};
use crate::{AHEAD_MAX, EntryKind, Membership, Mode, RaftChange, SiteId, Sites, kind_of, mode};

const MAIN: SiteId = SiteId(1);
const STANDBY: SiteId = SiteId(2);

fn sites() -> Sites {
    let main = [1, 2, 3].map(|id| (id, MAIN));
    main.into_iter().chain([4, 5, 6].map(|id| (id, STANDBY))).collect()
}

fn five() -> Membership {
    Membership { learners: vec![6], ..Membership::of_voters(vec![1, 2, 3, 4, 5]) }
}

fn sealed(node: u64, last: (u64, u64), commit: u64) -> Sealed {
    Sealed {
        node,
        site: sites().of(node).unwrap(),
        generation: 3,
        last_term: last.0,
        last_index: last.1,
        term: last.0,
        commit,
        configurations: vec![five()],
    }
}

struct Case {
    found: Found,
    never_released: bool,
    waited: bool,
    sealed: Vec<Sealed>,
    powerless: BTreeSet<u64>,
}

fn case(found: Found, sealed_nodes: &[u64]) -> Case {
    Case {
        found,
        never_released: true,
        waited: true,
        sealed: sealed_nodes.iter().map(|node| sealed(*node, (2, 9), 5)).collect(),
        powerless: BTreeSet::new(),
    }
}

impl Case {
    fn with<T>(&self, ask: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let sites = sites();
        ask(&Evidence {
            generation: 3,
            found: self.found,
            never_released: self.never_released,
            lease_waited: self.waited,
            sites: &sites,
            sealed: &self.sealed,
            powerless: &self.powerless,
        })
    }

    fn may(&self) -> Result<(), Missing> {
        self.with(may_promote)
    }
}

fn quorum(nodes: &[u64], alone: bool) -> Result<(), Missing> {
    Err(Missing::Quorum { nodes: nodes.to_vec(), alone })
}

#[test]
fn who_must_be_met_before_a_site_opens() {
    use Found::{Async, Sync, Unknown};
    assert_eq!(case(Sync, &[]).may(), Err(Missing::Seal));
    // Both voters of standby are in every set that commits under the rule; the learner is in none.
    assert_eq!(case(Sync, &[4, 5]).may(), Ok(()));
    assert_eq!(case(Sync, &[4, 5, 6]).may(), Ok(()));
    assert_eq!(case(Sync, &[4, 6]).may(), quorum(&[1, 2, 3, 5], false));
    // Unless the other one is known to be powerless.
    let attested = Case { powerless: [5].into(), ..case(Sync, &[4, 6]) };
    assert_eq!(attested.may(), Ok(()));

    // A lease that was waited out stands for what main committed alone, not for what it committed with 5.
    assert_eq!(Case { waited: false, ..case(Async, &[4, 5]) }.may(), Err(Missing::Lease));
    assert_eq!(case(Async, &[4, 5]).may(), Ok(()));
    assert_eq!(case(Async, &[4]).may(), quorum(&[1, 2, 3, 5, 6], false));

    // Who was released waits for no lease: all of main's majorities are to be met, too.
    let released = |found, nodes: &[u64]| Case { never_released: false, ..case(found, nodes) };
    assert_eq!(released(Sync, &[4, 5]).may(), quorum(&[1, 2, 3, 6], true));
    assert_eq!(released(Async, &[4, 5]).may(), quorum(&[1, 2, 3, 6], true));
    let fenced = Case { powerless: [3].into(), ..released(Sync, &[4, 5]) };
    assert_eq!(fenced.may(), Ok(()));

    // Without a witness nothing is known.
    assert_eq!(case(Unknown, &[4, 5]).may(), quorum(&[1, 2, 3, 6], true));
    let fenced = Case { powerless: [2].into(), ..case(Unknown, &[4, 5]) };
    assert_eq!(fenced.may(), Ok(()));

    // A node that slept through an opening has a log of another history.
    let mut slept = case(Sync, &[4, 5]);
    slept.sealed[1].generation = 2;
    assert_eq!(slept.may(), Err(Missing::OfThePast(vec![5])));

    // The active site, when the other died before it opened.
    assert_eq!(case(Async, &[1, 2, 3]).may(), Ok(()));
}

#[test]
fn every_configuration_counts() {
    // Half of a switchover: 6 votes for 3. Node 4 has heard of it, 5 has not, and 6 is lost.
    let joint = five().after(RaftChange::Replace { outgoing: 3, incoming: 6 }).unwrap();
    let mut half_done = case(Found::Sync, &[4, 5]);
    half_done.sealed[0].configurations.push(joint.clone());
    // 1, 2 and 3 of the old half need a voter of standby there: 4 or 5. So nothing commits.
    assert_eq!(half_done.may(), Ok(()));
    // But what 6 has, nobody knows.
    let verdict = half_done.with(|evidence| verdict(evidence, STANDBY, &half_done.sealed[0], 0));
    assert_eq!(verdict, Verdict::Unknown { missing: vec![Gap::Unsealed(vec![6])] });

    // When the old half is left, 6 is enough for main.
    half_done.sealed[0].configurations.push(joint.after(RaftChange::Finish).unwrap());
    assert_eq!(half_done.may(), quorum(&[1, 2, 6], false));

    // Standby's voters became learners: the rule has no sets there, and the lease stands for the rest.
    let mut alone = five();
    for voter in [4, 5] {
        alone = alone.after(RaftChange::Demote(voter)).unwrap().after(RaftChange::Finish).unwrap();
    }
    let mut long_away = case(Found::Async, &[6]);
    long_away.sealed[0].configurations = vec![alone];
    assert_eq!(long_away.may(), Ok(()));
}

#[test]
fn the_greatest_log_goes_on_from_the_greatest_commit() {
    let nodes = [sealed(4, (3, 9), 9), sealed(5, (2, 20), 7), sealed(6, (3, 12), 4)];
    assert_eq!(greatest(&nodes).unwrap().node, 6);
    assert_eq!(settled(&nodes), 9);
    let equal = [sealed(6, (3, 9), 9), sealed(5, (3, 9), 7)];
    assert_eq!(greatest(&equal).unwrap().node, 5);
    assert_eq!(greatest(&[]), None);
}

#[test]
fn a_verdict_says_no_more_than_is_known() {
    use Found::{Async, Sync, Unknown};
    let check = |case: &Case, deposit, expected: Verdict| {
        let promoted = &case.sealed[0];
        assert_eq!(case.with(|evidence| verdict(evidence, STANDBY, promoted, deposit)), expected);
    };
    let unknown = |missing: &[Gap]| Verdict::Unknown { missing: missing.to_vec() };
    check(&case(Sync, &[4, 5]), 3, Verdict::ProvenZero);
    check(&case(Async, &[4, 5]), 3, Verdict::Bounded { after: 9, through: 3 + AHEAD_MAX });
    check(&case(Unknown, &[4, 5]), 3, unknown(&[Gap::Witness]));
    let attested = Case { powerless: [5].into(), ..case(Sync, &[4]) };
    check(&attested, 3, unknown(&[Gap::Unsealed(vec![5])]));
    let released = Case { never_released: false, ..case(Sync, &[4, 5]) };
    check(&released, 3, unknown(&[Gap::Release]));
    let mut lesser = case(Sync, &[4, 5]);
    lesser.sealed[1].last_index += 1;
    check(&lesser, 3, unknown(&[Gap::NotTheGreatest]));
}

fn open(disk: &SimDisk) -> SegmentLog<SimDisk> {
    let identity = StoreIdentity { cluster_id: [1; 16], store_uuid: [1; 16] };
    SegmentLog::open(disk.clone(), identity, Options { segment_bytes: 4096 }).unwrap()
}

fn change(change: RaftChange) -> Entry {
    use protobuf::Message as _;
    let mut entry =
        Entry { data: change.to_raft().write_to_bytes().unwrap().into(), ..Entry::default() };
    entry.set_entry_type(raft::eraftpb::EntryType::EntryConfChangeV2);
    entry
}

#[test]
fn the_tail_is_kept_and_says_nothing_of_members() {
    let disk = SimDisk::new();
    let mut log = open(&disk);
    crate::bootstrap(&mut log).unwrap();
    let act = |text: &'static str| Entry {
        data: Bytes::from_static(text.as_bytes()),
        ..Entry::default()
    };
    let written = vec![
        act("kept"),
        change(RaftChange::AddLearner(7)),
        mode::entry(Mode::Sync, Bytes::from_static(b"mode")),
        act("in the tail"),
        change(RaftChange::Finish),
        mode::entry(Mode::Async { released: false }, Bytes::from_static(b"mode")),
    ];
    let entries: Vec<Entry> =
        (2..).zip(written).map(|(index, e)| Entry { index, term: 3, ..e }).collect();
    let before = raft::eraftpb::HardState { term: 4, vote: 2, commit: 2, ..Default::default() };
    log.append(&entries, Some(&before)).unwrap();
    log.sync().unwrap();

    let report = Sealed::of(4, STANDBY, 3, &log, 2, &five()).unwrap();
    assert_eq!((report.last_term, report.last_index, report.term, report.commit), (3, 7, 4, 2));
    let joint = five().after(RaftChange::AddLearner(7)).unwrap();
    let left = joint.after(RaftChange::Finish).unwrap();
    assert_eq!(report.configurations, [five(), joint, left]);

    // Another sealed node knows that entries 3 and 4 are committed.
    let fork = Bytes::from_static(b"fork");
    let done = rewrite(&mut log, 4, 6, fork.clone()).unwrap();
    let expected =
        Rewritten { settled: 4, last_index: 7, term: 1006, neutralised: 1, already: false };
    assert_eq!(done, expected);
    disk.crash_losing_all();
    let mut log = open(&disk);
    assert_eq!(
        rewrite(&mut log, 4, 6, fork.clone()).unwrap(),
        Rewritten { neutralised: 0, already: true, ..expected }
    );
    let kept = log.entries(2, 9, u64::MAX).unwrap();
    assert_eq!(kept[..3], entries[..3], "what is settled is as it was");
    let told: Vec<(u64, u64, EntryKind<'_>)> =
        kept[3..].iter().map(|entry| (entry.index, entry.term, kind_of(entry))).collect();
    let act = Bytes::from_static(b"in the tail");
    let (alone, said) = (Mode::Async { released: false }, Bytes::from_static(b"mode"));
    let expected = [
        (5, 1006, EntryKind::Command(&act)),
        (6, 1006, EntryKind::Raft),
        // What the mode was decides what came of the acts after it.
        (7, 1006, EntryKind::Mode { mode: alone, command: &said }),
        (8, 1006, EntryKind::Mode { mode: alone, command: &fork }),
    ];
    assert_eq!(told, expected);
    let state = log.hard_state();
    assert_eq!((state.term, state.vote, state.commit), (1006, 0, 4));
}

/// What no seed and no execution of the simulation notices, a table here does.
#[cfg(feature = "mutations")]
#[test]
fn mutations_of_a_failover_are_noticed() {
    use catalog_mutation::{Mutation, choose};

    let tables: [(Mutation, fn()); 3] = [
        (Mutation::ConditionOfOneConfiguration, every_configuration_counts),
        (Mutation::TailOfOwnCommit, the_greatest_log_goes_on_from_the_greatest_commit),
        (Mutation::TailKeepsTerms, the_tail_is_kept_and_says_nothing_of_members),
    ];
    for (mutation, table) in tables {
        choose(Some(mutation));
        let told = std::panic::catch_unwind(table);
        choose(None);
        assert!(told.is_err(), "{} is not noticed", mutation.name());
    }
}
