//! Would the stories notice? Each fault that touches what a single state does is put in, and the
//! stories are played: one must be told differently, break an invariant or not be told to its end.
//! Faults that only show between replicas, in time or in copies are the simulation's, but for those
//! of snapshots, which are looked for here in a copy.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use catalog_model::time::UtcMillis;
use catalog_mutation::{Mutation, choose};

use crate::{
    invariants,
    script::World,
    snapshot::{self, Block, Manifest, Position, Receiver},
    stamp::Baseline,
    store::MemStore,
};

/// A story that is told differently, or not at all, under `mutation`.
fn noticed(mutation: Mutation) -> Option<String> {
    for file in fs::read_dir(super::testdata()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let story = fs::read_to_string(&path).unwrap();
        choose(Some(mutation));
        let told = catch_unwind(AssertUnwindSafe(|| World::play(&story)));
        choose(None);
        if told.is_ok_and(|told| told == story) {
            continue;
        }
        return Some(path.file_stem().unwrap().to_str().unwrap().to_owned());
    }
    None
}

/// A copy of a state with a kept call, by way of a snapshot; `None` if a block is refused.
fn copy(spoil: bool) -> (MemStore, Option<MemStore>) {
    let mut world = World::default();
    for line in [
        "cluster xiamen clock=\"2026-09-21 09:00\" level=2 members=1,2,3",
        "probe k value=1 by=gateway:xiamen request_id=r1",
    ] {
        world.run(line);
    }
    let store = world.into_store("xiamen");
    let mut blocks: Vec<Block> = snapshot::cut(&store, 4096).collect();
    let position = Position { index: 2, term: 1, membership: Vec::new() };
    let infos = blocks.iter().map(Block::info).collect();
    let manifest = Manifest::of(&store, position, infos).unwrap();
    if spoil {
        // The last byte of a value: nothing but the digest can tell.
        *blocks.last_mut().unwrap().bytes.last_mut().unwrap() ^= 1;
    }
    let mut receiver = Receiver::new(manifest).unwrap();
    let mut copy = MemStore::default();
    while let Some(number) = receiver.wants() {
        match receiver.take(number, &blocks[number as usize].bytes) {
            Ok(rows) => copy.0.extend(rows),
            Err(_) => return (store, None),
        }
    }
    (store, Some(copy))
}

#[test]
fn the_stories_notice() {
    for mutation in [
        Mutation::ApplyKnowsTheProcess,
        Mutation::ClockMovesBack,
        Mutation::CompareIgnored,
        Mutation::VersionIgnored,
        Mutation::LevelIgnored,
        Mutation::RetryNotRecognized,
        Mutation::DeadlineFiresTwice,
        Mutation::DeadlineFiresEarly,
        Mutation::DeadlineLost,
        Mutation::FeedCursorIgnored,
        Mutation::FeedGap,
        Mutation::FeedTombstoneLost,
        Mutation::LedgerLeafSkipped,
        Mutation::GrantWithoutRequest,
        Mutation::MemberIdReused,
        Mutation::RetryForgottenEarly,
        Mutation::RetryEvictedByGatewayClock,
    ] {
        let by = noticed(mutation);
        println!("{}: {by:?}", mutation.name());
        assert!(by.is_some(), "no story notices {}", mutation.name());
    }
}

#[test]
fn a_copy_notices() {
    let (store, sound) = copy(false);
    assert!(invariants::copies_differ(&store, &sound.unwrap()).is_empty());
    assert!(copy(true).1.is_none());

    choose(Some(Mutation::SnapshotWithoutRetries));
    let (store, lossy) = copy(false);
    choose(Some(Mutation::SnapshotNotVerified));
    let (original, spoilt) = copy(true);
    choose(None);
    assert!(!invariants::copies_differ(&store, &lossy.unwrap()).is_empty());
    assert!(!invariants::copies_differ(&original, &spoilt.unwrap()).is_empty());
}

#[test]
fn a_stamp_is_bounded() {
    let stamp = || {
        let baseline = Baseline::new(UtcMillis(1_000_000), Duration::ZERO);
        baseline.stamp(UtcMillis(9_000_000), Duration::ZERO, Duration::from_mins(5))
    };
    assert!(stamp().is_err());
    choose(Some(Mutation::StampUnbounded));
    let unbounded = stamp();
    choose(None);
    assert!(unbounded.is_ok());
}
