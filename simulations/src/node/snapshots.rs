//! Snapshots in the shell: making one for who needs it, and fetching one block by block.

use std::collections::VecDeque;

use bytes::Bytes;
use catalog_replica::{Membership, SnapshotOffer};
use catalog_state::snapshot::{Manifest, Position, Receiver, cut};

use crate::{
    checker::reference::RowSum,
    clock::WorldClock,
    network::Load,
    node::{Deed, Node, Output, shell::Running},
    state_disk::Receiving,
};
use catalog_state::{machine::state_hash, store::MemStore};

/// Making a snapshot takes so long at most, in virtual milliseconds.
const MAKING_MS: u64 = 150;

/// After so long a leader hands on a state that nobody could confirm: somebody has looked by then.
const UNCONFIRMED_MS: u64 = 6000;

/// A block that was asked for and did not come is asked for again after so long.
const ASK_AGAIN_MS: u64 = 120;

/// After so many blocks in vain a snapshot is given up.
const ASKED_IN_VAIN: u32 = 15;

/// Snapshots that a node makes and keeps for others.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// What is being made: ready at, from which rows, where.
    making: Option<(u64, MemStore, Position)>,
    /// What is ready, the newest last: id and blocks.
    ready: VecDeque<([u8; 32], Vec<Bytes>)>,
}

/// A snapshot on its way in.
#[derive(Debug)]
pub(crate) struct Fetch {
    offer: SnapshotOffer,
    /// Absent until the manifest was read.
    receiver: Option<Receiver>,
    snapshot: [u8; 32],
    asked_at: Option<u64>,
    in_vain: u32,
    /// Whether the replica was told since the last look.
    news: bool,
    told: bool,
}

impl Fetch {
    pub(crate) fn new(offer: SnapshotOffer) -> Self {
        Self {
            offer,
            receiver: None,
            snapshot: [0; 32],
            asked_at: None,
            in_vain: 0,
            news: false,
            told: false,
        }
    }

    /// Whether the replica was told that all is here, since the last time this was asked.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }
}

impl Deed {
    /// The state was replaced by `rows`, that of entry `index`.
    pub(crate) fn installed(index: u64, rows: &MemStore) -> Self {
        Self::Installed { index, state_hash: state_hash(rows), sum: RowSum::of(rows) }
    }
}

impl Node {
    /// Makes a snapshot if one is wanted, in the background as it were.
    pub(super) fn make_snapshot(
        &mut self,
        running: &mut Running,
        world: &WorldClock,
        output: &mut Output,
    ) {
        if !running.replica.snapshot_wanted() {
            running.shell.wanted_since = None;
        }
        let since = *running.shell.wanted_since.get_or_insert(world.now);
        let waited = world.now >= since + UNCONFIRMED_MS;
        let confirmed =
            !Self::is_disputed(running, world.now) && (Self::is_confirmed(running) || waited);
        let made = running.shell.made.get_or_insert_default();
        match made.making.take() {
            Some((ready_at, rows, position)) if world.now >= ready_at => {
                let blocks: Vec<_> = cut(&rows, self.habits.block_bytes).collect();
                let infos = blocks.iter().map(catalog_state::snapshot::Block::info).collect();
                let (index, term) = (position.index, position.term);
                let membership = Membership::decode(&position.membership).expect("it is our own");
                let Some(manifest) = Manifest::of(&rows, position, infos) else { return };
                let blocks = blocks.into_iter().map(|block| Bytes::from(block.bytes)).collect();
                made.ready.push_back((manifest.id(), blocks));
                while made.ready.len() > 2 {
                    made.ready.pop_front();
                }
                let data = manifest.encode().into();
                running.replica.snapshot_made(index, term, membership, data);
                output.happened.push("snapshots made");
            }
            Some(making) => made.making = Some(making),
            None if running.replica.snapshot_wanted() && confirmed => {
                let state = self.states.current();
                let membership = state.membership().map_or_else(
                    || Membership::of_voters(self.founders.clone()).encode(),
                    <[u8]>::to_vec,
                );
                let position =
                    Position { index: state.applied(), term: state.applied_term(), membership };
                let ready_at = world.now + self.prng.between(20, MAKING_MS);
                made.making = Some((ready_at, state.rows().clone(), position));
            }
            None => {}
        }
    }

    /// A block was asked for, or came.
    pub(super) fn take_block(
        &mut self,
        running: &mut Running,
        from: u64,
        load: Load,
        output: &mut Output,
    ) {
        match load {
            Load::BlockAsked { snapshot, number } => {
                let made = running.shell.made.get_or_insert_default();
                let ready = made.ready.iter().find(|(id, _)| *id == snapshot);
                let bytes = ready.and_then(|(_, blocks)| blocks.get(number as usize).cloned());
                if bytes.is_some() {
                    running.replica.snapshot_progress(from);
                }
                output.sent.push((false, from, Load::Block { snapshot, number, bytes }));
            }
            Load::Block { snapshot, number, bytes } => {
                let Some(fetch) = &mut running.shell.fetch else { return };
                let (Some(receiver), true) = (&mut fetch.receiver, fetch.snapshot == snapshot)
                else {
                    return;
                };
                if receiver.wants() != Some(number) {
                    return;
                }
                let Some(bytes) = bytes else {
                    let index = fetch.offer.index;
                    running.shell.fetch = None;
                    running.replica.snapshot_refused(index);
                    return;
                };
                fetch.asked_at = None;
                if let Ok(rows) = receiver.take(number, &bytes) {
                    let receiving = self.states.receiving.get_or_insert_default();
                    receiving.rows.0.extend(rows);
                    receiving.progress = receiver.progress().clone();
                    fetch.in_vain = 0;
                    output.happened.push("blocks received");
                } else {
                    // It is asked for again, at once.
                    output.happened.push("blocks refused");
                    fetch.in_vain += 1;
                }
            }
            Load::Raft(_) | Load::Mark { .. } => unreachable!("taken elsewhere"),
        }
    }

    /// Asks for the next block, or tells the replica that all are here, or that it is in vain.
    pub(super) fn go_on_fetching(
        &mut self,
        running: &mut Running,
        world: &WorldClock,
        output: &mut Output,
    ) {
        let Some(fetch) = &mut running.shell.fetch else { return };
        let index = fetch.offer.index;
        if fetch.receiver.is_none() {
            let manifest = Manifest::decode(&fetch.offer.data)
                .ok()
                .filter(|manifest| manifest.index == index && manifest.term == fetch.offer.term);
            let Some(manifest) = manifest else {
                running.shell.fetch = None;
                running.replica.snapshot_refused(index);
                return;
            };
            fetch.snapshot = manifest.id();
            let kept = self.states.receiving.take().filter(|kept| kept.snapshot == fetch.snapshot);
            let kept = kept
                .unwrap_or_else(|| Receiving { snapshot: fetch.snapshot, ..Receiving::default() });
            fetch.receiver = Receiver::resume(manifest, kept.progress.clone()).ok();
            self.states.receiving = Some(kept);
        }
        let Some(receiver) = &fetch.receiver else { return };
        let Some(number) = receiver.wants() else {
            if !fetch.told {
                fetch.told = true;
                fetch.news = true;
                running.replica.snapshot_fetched(index);
            }
            return;
        };
        if fetch.asked_at.is_some_and(|asked| world.now < asked + ASK_AGAIN_MS) {
            return;
        }
        if fetch.asked_at.is_some() {
            fetch.in_vain += 1;
        }
        if fetch.in_vain > ASKED_IN_VAIN {
            running.shell.fetch = None;
            running.replica.snapshot_refused(index);
            return;
        }
        fetch.asked_at = Some(world.now);
        let snapshot = fetch.snapshot;
        output.sent.push((false, fetch.offer.from, Load::BlockAsked { snapshot, number }));
    }
}
