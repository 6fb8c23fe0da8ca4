use std::sync::{
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use catalog_log::{LogRead as _, LogStore as _};
use catalog_state::{
    codec,
    command::LEVEL,
    keys,
    rows::{ClusterConfig, DomainKind},
    snapshot::BlockFault,
    store::{MemStore, Store as _, Writes},
};
use tempfile::TempDir;

use super::{build::BuildError, *};
use crate::storage::{Founding, Storage};

const CLUSTER: [u8; 16] = [1; 16];

/// Small, so that a few thousand rows make many of everything.
fn options() -> Options {
    Options {
        block_bytes: 4 << 10,
        part_bytes: 16 << 10,
        build_bytes_per_second: u64::MAX,
        ..Options::default()
    }
}

/// A node as far as snapshots see it.
struct Node {
    storage: Storage,
    snapshots: Snapshots,
}

impl Node {
    fn open(folder: &Path, id: u64) -> Self {
        Self::open_with(folder, id, options())
    }

    fn open_with(folder: &Path, id: u64, options: Options) -> Self {
        let storage = Storage::open(folder, CLUSTER, id, Founding::Founder(&[1, 2])).unwrap();
        let snapshots = Snapshots::new(
            Arc::clone(&storage.state),
            storage.folders.clone(),
            Arc::clone(&storage.identity_file),
            options,
        );
        Self { storage, snapshots }
    }

    fn state(&self) -> Arc<StateStore> {
        self.storage.state.current()
    }

    /// All replicated rows.
    fn rows(&self) -> MemStore {
        MemStore(self.state().range(&[], &[u8::MAX]).collect())
    }

    fn put(&self, rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>, applied: u64) {
        let writes: Writes = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
        self.state().commit(writes, Writes::new(), applied, Some(b"the two of us"));
    }

    /// Makes a snapshot of the present state.
    fn build(&self) -> Result<Arc<Manifest>, BuildError> {
        let (told, made) = mpsc::channel();
        let began = self.snapshots.build(
            Vec::new(),
            |index| Some(index / 10),
            move |result| told.send(result).unwrap(),
        );
        assert!(began);
        made.recv().unwrap()
    }

    /// The snapshot made last, while it can be asked for.
    fn newest(&self) -> Option<Arc<Manifest>> {
        self.snapshots.lock().built.last().map(|built| Arc::clone(&built.manifest))
    }

    fn block(&self, id: [u8; 32], number: u32) -> Result<Vec<u8>, ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.snapshots.block(&id, number))
    }

    /// Takes the snapshot of `manifest` from `source` and makes it the state, as the node's loop
    /// does. Returns how many blocks came.
    fn take(&mut self, source: &Self, manifest: &Manifest) -> Result<u32, ReceiveError> {
        let bytes = manifest.encode();
        let mut blocks = 0;
        let mut receiving = self.snapshots.receive(&bytes)?;
        while let Some(number) = receiving.wants() {
            receiving.take(number, &source.block(manifest.id(), number).unwrap())?;
            blocks += 1;
        }
        receiving.finish()?;
        let number = self.snapshots.prepare(&bytes)?;
        let mut hard_state = self.storage.log.hard_state();
        (hard_state.term, hard_state.commit) = (manifest.term, manifest.index);
        self.storage.log.install(manifest.index, manifest.term, number, &hard_state).unwrap();
        self.snapshots.installed();
        Ok(blocks)
    }
}

fn cluster(cluster_id: [u8; 16], generation: u64) -> (Vec<u8>, Vec<u8>) {
    let cluster = ClusterConfig {
        cluster_id,
        generation,
        domain: "xiamen".parse().unwrap(),
        kind: DomainKind::City,
        display_name: "Xiamen".to_owned(),
        development_clock: false,
        composition: String::new(),
        page_token_key: [0; 32],
        hash_suite: None,
    };
    (keys::meta::cluster().into_vec(), codec::encode(&cluster))
}

fn filler(from: u32, to: u32, byte: u8) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    (from..to).map(move |n| (keys::probe(&n.to_be_bytes()).into_vec(), vec![byte; 40]))
}

/// A node with a state worth sending, at entry 500.
fn source(folder: &Path) -> Node {
    let node = Node::open(folder, 1);
    node.put([cluster(CLUSTER, 1), (keys::meta::state_hash().into_vec(), vec![9; 32])], 1);
    node.put(filler(0, 3000, 1), 500);
    node
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let patience = std::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(std::time::Instant::now() < patience, "{what} never came");
        std::thread::yield_now();
    }
}

#[test]
fn a_snapshot_becomes_the_state_of_another_node() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let manifest = source.build().unwrap();
    assert_eq!((manifest.index, manifest.term), (500, 50));
    assert!(manifest.blocks.len() > 20, "{} blocks", manifest.blocks.len());
    assert_eq!(source.newest().as_deref(), Some(&*manifest));

    let mut node = Node::open(there.path(), 2);
    node.put([(b"old".to_vec(), b"row".to_vec())], 1);
    let reader = node.state();
    let blocks = node.take(&source, &manifest).unwrap();
    assert_eq!(blocks as usize, manifest.blocks.len());
    assert_eq!(node.rows(), source.rows());
    let state = node.state();
    assert_eq!((state.applied(), state.number()), (500, 1));
    assert_eq!(state.membership().as_deref(), Some(&b"the two of us"[..]));

    assert_eq!(reader.get(b"old").as_deref(), Some(&b"row"[..]), "a reader keeps what it reads");
    assert!(there.path().join("state").exists());
    drop(reader);
    wait_until("the end of the old state", || !there.path().join("state").exists());

    drop((state, node));
    let again = Node::open(there.path(), 2);
    assert_eq!(again.rows(), source.rows());
    assert_eq!((again.state().applied(), again.storage.log.first_index()), (500, 501));
    let same = again.build().unwrap();
    assert_eq!(same.id(), manifest.id(), "equal states give equal snapshots on every node");
}

#[test]
fn the_state_goes_on_while_blocks_are_cut_again() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let (before, manifest) = (source.rows(), source.build().unwrap());
    source.put(filler(100, 5000, 2), 501);
    let mut node = Node::open(there.path(), 2);
    node.take(&source, &manifest).unwrap();
    assert_eq!(node.rows(), before);
}

#[test]
fn one_is_made_at_a_time_and_two_are_kept() {
    let here = TempDir::new().unwrap();
    let source = source(here.path());
    let (go, wait) = mpsc::channel::<()>();
    let (told, made) = mpsc::channel();
    let late = move |index| wait.recv().ok().map(|()| index);
    assert!(source.snapshots.build(Vec::new(), late, move |result| told.send(result).unwrap()));
    assert!(!source.snapshots.build(Vec::new(), Some, |_| panic!("one is being made")));
    go.send(()).unwrap();
    let first = made.recv().unwrap().unwrap();
    source.put(filler(0, 1, 2), 600);
    let second = source.build().unwrap();
    source.put(filler(0, 1, 3), 700);
    assert!(source.block(first.id(), 0).is_ok());
    let third = source.build().unwrap();
    assert_eq!(source.block(first.id(), 0), Err(ServeError::Unknown));
    assert!(source.block(second.id(), 0).is_ok());
    let blocks = u32::try_from(third.blocks.len()).unwrap();
    assert!(source.block(third.id(), blocks - 1).is_ok());
    assert_eq!(source.block(third.id(), blocks), Err(ServeError::NoBlock));
}

#[test]
fn what_nobody_can_use_any_more_is_forgotten_unless_it_is_being_fetched() {
    let here = TempDir::new().unwrap();
    let source = source(here.path());
    source.build().unwrap();
    source.snapshots.forget_before(501);
    assert!(source.newest().is_some(), "the log goes on right after it");
    source.snapshots.forget_before(502);
    assert_eq!(source.newest(), None);

    let manifest = source.build().unwrap();
    source.block(manifest.id(), 0).unwrap();
    source.snapshots.forget_before(502);
    assert!(source.block(manifest.id(), 1).is_ok(), "somebody is at it");
}

#[test]
fn there_is_nothing_to_send_before_the_bootstrap() {
    let here = TempDir::new().unwrap();
    let node = Node::open(here.path(), 1);
    assert_eq!(node.build().unwrap_err(), BuildError::Nothing);
    assert_eq!(node.build().unwrap_err(), BuildError::Nothing, "and one may ask again");
}

#[test]
fn a_node_that_ends_does_not_wait_for_its_snapshots() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // One that can be asked for blocks.
    let node = source(here.path());
    let open_stores = node.storage.state.open_stores();
    node.build().unwrap();
    drop(node);
    wait_until("the end of the state", || open_stores.all_closed());

    // One that would take for ever to make.
    let slow = Options { build_bytes_per_second: 1, ..options() };
    let node = Node::open_with(there.path(), 2, slow);
    node.put(filler(0, 3000, 1), 1);
    let open_stores = node.storage.state.open_stores();
    let (told, ended) = mpsc::channel::<()>();
    assert!(node.snapshots.build(Vec::new(), Some, move |_| drop(told)));
    drop(node);
    assert!(ended.recv().is_err());
    wait_until("the end of the state", || open_stores.all_closed());
}

#[test]
fn a_transfer_goes_on_after_a_restart() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let manifest = source.build().unwrap();
    let node = Node::open(there.path(), 2);
    let mut receiving = node.snapshots.receive(&manifest.encode()).unwrap();
    for number in 0..11 {
        assert_eq!(receiving.wants(), Some(number));
        receiving.take(number, &source.block(manifest.id(), number).unwrap()).unwrap();
    }
    drop((receiving, node));

    let mut node = Node::open(there.path(), 2);
    let again = node.snapshots.receive(&manifest.encode()).unwrap();
    let from = again.wants().unwrap();
    assert!((5..=11).contains(&from), "it goes on at block {from}");
    drop(again);
    let blocks = node.take(&source, &manifest).unwrap();
    assert_eq!(blocks, u32::try_from(manifest.blocks.len()).unwrap() - from);
    assert_eq!(node.rows(), source.rows());
}

#[test]
fn a_newer_snapshot_replaces_what_was_received_of_an_older_one() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let old = source.build().unwrap();
    let mut node = Node::open(there.path(), 2);
    let mut receiving = node.snapshots.receive(&old.encode()).unwrap();
    receiving.take(0, &source.block(old.id(), 0).unwrap()).unwrap();
    drop(receiving);
    source.put(filler(0, 10, 7), 510);
    let new = source.build().unwrap();
    node.take(&source, &new).unwrap();
    assert_eq!((node.state().applied(), node.rows()), (510, source.rows()));
    let outdated = node.snapshots.prepare(&old.encode()).unwrap_err();
    assert!(matches!(outdated, ReceiveError::NotReady), "{outdated}");
}

#[test]
fn a_flipped_bit_in_a_block_is_refused_and_the_block_asked_for_again() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let manifest = source.build().unwrap();
    let mut node = Node::open(there.path(), 2);
    let mut receiving = node.snapshots.receive(&manifest.encode()).unwrap();
    receiving.take(0, &source.block(manifest.id(), 0).unwrap()).unwrap();
    let sound = source.block(manifest.id(), 1).unwrap();
    for at in [0, 5, sound.len() / 2, sound.len() - 1] {
        let mut block = sound.clone();
        block[at] ^= 0x10;
        let refused = receiving.take(1, &block).unwrap_err();
        let ReceiveError::Block(refused) = refused else { panic!("{refused}") };
        assert_eq!((refused.number, refused.fault), (1, BlockFault::Digest), "byte {at}");
        assert_eq!(receiving.wants(), Some(1));
    }
    let early = receiving.finish().unwrap_err();
    assert!(matches!(early, ReceiveError::NotReady), "{early}");
    node.take(&source, &manifest).unwrap();
    assert_eq!(node.rows(), source.rows());
}

#[test]
fn a_damaged_file_of_rows_costs_another_transfer_and_no_state() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let manifest = source.build().unwrap();
    let mut node = Node::open(there.path(), 2);
    node.put([(b"old".to_vec(), b"row".to_vec())], 1);
    let mut receiving = node.snapshots.receive(&manifest.encode()).unwrap();
    while let Some(number) = receiving.wants() {
        receiving.take(number, &source.block(manifest.id(), number).unwrap()).unwrap();
    }
    let part = receive::folder(&node.storage.folders, &manifest.id()).join("part-000001.sst");
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&part, bytes).unwrap();
    let damaged = receiving.finish().unwrap_err();
    assert!(matches!(damaged, ReceiveError::Rows { .. }), "{damaged}");
    assert_eq!(node.state().get(b"old").as_deref(), Some(&b"row"[..]));
    assert_eq!(node.take(&source, &manifest).unwrap() as usize, manifest.blocks.len());
    assert_eq!(node.rows(), source.rows());
}

#[test]
fn a_snapshot_of_others_or_of_the_future_is_refused() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let sound = Manifest::clone(&*source.build().unwrap());
    let node = Node::open(there.path(), 2);
    for foreign in [
        Manifest { cluster_id: [2; 16], ..sound.clone() },
        Manifest { generation: 2, ..sound.clone() },
    ] {
        let refused = node.snapshots.receive(&foreign.encode()).unwrap_err();
        assert!(matches!(refused, ReceiveError::Foreign { .. }), "{refused}");
    }
    let newer = Manifest { level: LEVEL + 1, ..sound.clone() };
    let refused = node.snapshots.receive(&newer.encode()).unwrap_err();
    assert!(matches!(refused, ReceiveError::Manifest(ManifestError::Level(_))), "{refused}");
    let lying = Manifest { rows: sound.rows + 1, ..sound.clone() };
    let refused = node.snapshots.receive(&lying.encode()).unwrap_err();
    assert!(matches!(refused, ReceiveError::Manifest(_)), "{refused}");
    let refused = node.snapshots.receive(b"no manifest").unwrap_err();
    assert!(matches!(refused, ReceiveError::Manifest(_)), "{refused}");
    assert!(!there.path().join("recv").exists(), "nothing was begun");

    let lying = Manifest { state_hash: [0; 32], ..sound };
    let mut receiving = node.snapshots.receive(&lying.encode()).unwrap();
    let last = u32::try_from(lying.blocks.len()).unwrap() - 1;
    let id = source.newest().unwrap().id();
    let refused = loop {
        let number = receiving.wants().unwrap();
        if let Err(refused) = receiving.take(number, &source.block(id, number).unwrap()) {
            break refused;
        }
    };
    let ReceiveError::Block(refused) = refused else { panic!("{refused}") };
    assert_eq!((refused.number, refused.fault), (last, BlockFault::State));
}

/// The process ends after each step, in turn, and comes back: it finds the old state or the new,
/// and the transfer can be brought to its end.
#[test]
fn a_crash_at_each_step_leaves_the_old_state_or_the_new() {
    const STEPS: [Step; 11] = [
        Step::Begun,
        Step::PartWritten,
        Step::ProgressSaved,
        Step::RowsIngested,
        Step::Verified,
        Step::Synced,
        Step::MadeReady,
        Step::Renamed,
        Step::ParentSynced,
        Step::Replaced,
        Step::TidiedUp,
    ];
    let here = TempDir::new().unwrap();
    let source = source(here.path());
    let manifest = source.build().unwrap();
    for fatal in STEPS {
        // Parts are written many times: the first and a later one.
        let parts = matches!(fatal, Step::PartWritten | Step::ProgressSaved);
        for skipped in if parts { vec![0, 2] } else { vec![0] } {
            let there = TempDir::new().unwrap();
            let old = Node::open(there.path(), 2);
            old.put([(b"old".to_vec(), b"row".to_vec())], 1);
            let before = old.rows();
            drop(old);

            let seen = Arc::new(AtomicUsize::new(0));
            let on_step = {
                let seen = Arc::clone(&seen);
                Arc::new(move |step| {
                    let crash = step == fatal && seen.fetch_add(1, Ordering::Relaxed) == skipped;
                    if crash { Err(io::Error::other("the process ends here")) } else { Ok(()) }
                })
            };
            let mut node = Node::open_with(there.path(), 2, Options { on_step, ..options() });
            let ended = node.take(&source, &manifest);
            let crashed = seen.load(Ordering::Relaxed) > skipped;
            assert!(crashed, "{fatal:?} never came");
            let decided = node.storage.log.state_number() == 1;
            assert_eq!(decided, fatal >= Step::Replaced, "{fatal:?}: {ended:?}");
            drop(node);

            let mut again = Node::open(there.path(), 2);
            assert_eq!(again.storage.reseed, None);
            let (expected, number) = if decided { (source.rows(), 1) } else { (before, 0) };
            assert_eq!(again.rows(), expected, "after {fatal:?}");
            assert_eq!(again.state().number(), number);
            if !decided {
                again.take(&source, &manifest).unwrap();
                assert_eq!(again.rows(), source.rows(), "{fatal:?}");
            }
            drop(again);
            let last = Node::open(there.path(), 2);
            assert_eq!(last.rows(), source.rows());
            drop(last);
            wait_until("a tidy folder", || {
                let mut names: Vec<_> = fs::read_dir(there.path())
                    .unwrap()
                    .map(|found| found.unwrap().file_name().into_string().unwrap())
                    .filter(|name| name != "recv")
                    .collect();
                names.sort();
                names == ["IDENTITY", "log", "state-1"]
            });
        }
    }
}

#[test]
fn a_suspected_state_is_replaced_and_the_suspicion_goes() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = source(here.path());
    let manifest = source.build().unwrap();
    let mut node = Node::open(there.path(), 2);
    node.put(filler(0, 10, 8), 1);
    node.state().mark_suspect("the others differ");
    node.take(&source, &manifest).unwrap();
    drop(node);
    let again = Node::open(there.path(), 2);
    assert_eq!((again.storage.reseed.as_ref(), again.rows()), (None, source.rows()));
}
