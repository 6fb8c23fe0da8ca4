use std::panic::{AssertUnwindSafe, catch_unwind};

use catalog_log::LogStore as _;
use catalog_state::{
    rows::DomainKind,
    store::{Store, Writes},
};
use raft::eraftpb::Entry;
use rocksdb::DB;
use tempfile::TempDir;

use super::*;

const CLUSTER: [u8; 16] = [1; 16];
const FOUNDERS: Founding<'static> = Founding::Founder(&[1, 2, 3]);

fn open(folder: &Path) -> Result<Storage, StorageError> {
    // Small segments, so that a log of a few entries has several.
    let options = Options { segment_bytes: 1024 };
    Storage::open_with(folder, CLUSTER, 1, FOUNDERS, options)
}

fn row(key: &[u8], value: Option<&[u8]>) -> (Vec<u8>, Option<Vec<u8>>) {
    (key.to_vec(), value.map(<[u8]>::to_vec))
}

fn put(store: &StateStore, key: &[u8], value: &[u8], applied: u64) {
    store.commit(Writes::from([row(key, Some(value))]), Writes::new(), applied, None);
}

/// Entries up to `last` in the log, durable.
fn fill(log: &mut SegmentLog<FileDisk>, last: u64) {
    let entries: Vec<Entry> = (log.last_index() + 1..=last)
        .map(|index| Entry { index, term: 1, data: vec![7; 100].into(), ..Entry::default() })
        .collect();
    for entry in entries.chunks(4) {
        log.append(entry, None).unwrap();
    }
    log.sync().unwrap();
}

/// A folder that was used: entries up to 40, applied up to 30, compacted up to 20.
fn used() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut storage = open(folder.path()).unwrap();
    fill(&mut storage.log, 40);
    put(&storage.state.current(), b"k", b"v", 30);
    assert_eq!(storage.state.current().make_durable(), 30);
    storage.log.compact(20).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|found| found.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Flips a bit in the middle of the first file in `folder` whose name ends in `ending`.
fn damage(folder: &Path, ending: &str) {
    let name = names(folder).into_iter().find(|name| name.ends_with(ending)).unwrap();
    let mut bytes = fs::read(folder.join(&name)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(folder.join(&name), bytes).unwrap();
}

#[test]
fn what_was_committed_is_there_after_a_reopening() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).unwrap();
    let state = first.state.current();
    let mut log = first.log;
    fill(&mut log, 9);
    state.commit(
        Writes::from([row(b"a", Some(b"1")), row(b"b", Some(b"2"))]),
        Writes::new(),
        7,
        Some(b"three of us"),
    );
    state.commit(Writes::from([row(b"a", None)]), Writes::from([row(b"s", Some(b"3"))]), 9, None);
    let (identity, boot) = (first.identity, first.boot);
    let open_stores = first.state.open_stores();
    drop((first.state, log));
    assert!(!open_stores.all_closed(), "somebody still reads it");
    drop(state);
    assert!(open_stores.all_closed());

    let again = open(folder.path()).unwrap();
    assert_eq!(again.identity, identity);
    assert_eq!(again.boot, boot + 1);
    assert_eq!(again.reseed, None);
    let state = again.state.current();
    assert_eq!(state.applied(), 9);
    assert_eq!(state.membership().as_deref(), Some(&b"three of us"[..]));
    assert_eq!(state.get(b"a"), None);
    assert_eq!(state.get(b"b").as_deref(), Some(&b"2"[..]));
    assert_eq!(state.search_row(b"s").as_deref(), Some(&b"3"[..]));
}

#[test]
fn a_view_shows_one_moment() {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path()).unwrap();
    let state = storage.state.current();
    let rows: Vec<_> = (0..4u8).map(|key| row(&[b'k', key], Some(&[key]))).collect();
    state.commit(rows.into_iter().collect(), Writes::new(), 5, Some(b"then"));
    let view = state.view();
    state.commit(Writes::from([row(&[b'k', 1], None)]), Writes::new(), 6, Some(b"now"));

    assert_eq!((view.applied(), state.applied()), (5, 6));
    assert_eq!(view.membership().as_deref(), Some(&b"then"[..]));
    let keys = |rows: Box<dyn Iterator<Item = (Vec<u8>, Vec<u8>)> + '_>| -> Vec<u8> {
        rows.map(|(key, _)| key[1]).collect()
    };
    assert_eq!(keys(view.range(&[b'k', 1], &[b'k', 3])), [1, 2]);
    assert_eq!(keys(view.range_reversed(&[b'k', 1], &[b'k', 3])), [2, 1]);
    assert_eq!(keys(state.range(b"k", b"l")), [0, 2, 3]);
    assert_eq!(keys(state.range_reversed(b"k", b"l")), [3, 2, 0]);
    assert!(
        keys(view.range(b"l", b"k")).is_empty(),
        "nothing is between two bounds in the wrong order"
    );
}

#[test]
fn a_folder_belongs_to_one_node_of_one_cluster() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path()).unwrap());
    let open_as =
        |cluster, node, founding| Storage::open(folder.path(), cluster, node, founding).map(drop);
    let other = open_as([2; 16], 1, FOUNDERS).unwrap_err();
    assert!(matches!(other, StorageError::OtherCluster { .. }), "{other}");
    let other = open_as(CLUSTER, 2, FOUNDERS).unwrap_err();
    assert!(matches!(other, StorageError::OtherNode { found: 1, expected: 2 }), "{other}");
    let other = open_as(CLUSTER, 1, Founding::Founder(&[1])).unwrap_err();
    assert!(matches!(other, StorageError::MembersChanged { .. }), "{other}");
    open_as(CLUSTER, 1, Founding::Founder(&[3, 1, 2])).unwrap();
}

#[test]
fn a_changed_membership_counts_for_more_than_the_configuration() {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path()).unwrap();
    storage.state.current().commit(Writes::new(), Writes::new(), 1, Some(b"since then, five"));
    drop(storage);
    Storage::open(folder.path(), CLUSTER, 1, Founding::Founder(&[1, 4, 5])).unwrap();
}

#[test]
fn a_folder_is_used_by_one_process() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).unwrap();
    let before = names(folder.path());
    let held = open(folder.path()).unwrap_err();
    assert!(matches!(held, StorageError::Held { .. }), "{held}");
    assert_eq!(names(folder.path()), before);
    drop(first);
    assert_eq!(open(folder.path()).unwrap().boot, 2, "the refused start did not count");
}

#[test]
fn a_joiner_begins_with_nothing_at_all() {
    let folder = TempDir::new().unwrap();
    let joiner = Storage::open(folder.path(), CLUSTER, 9, Founding::Joiner).unwrap();
    assert_eq!((joiner.log.first_index(), joiner.log.last_index()), (1, 0));
    assert_eq!(joiner.state.current().applied(), 0);
    drop(joiner);
    // It may have voted by now, and the log is where it would say so.
    let again = Storage::open(folder.path(), CLUSTER, 9, Founding::Joiner).unwrap();
    assert_eq!((again.log.last_index(), again.reseed), (0, None));
}

#[test]
fn a_missing_log_is_refused() {
    for founding in [FOUNDERS, Founding::Joiner] {
        let folder = TempDir::new().unwrap();
        drop(Storage::open(folder.path(), CLUSTER, 1, founding).unwrap());
        fs::remove_dir_all(folder.path().join("log")).unwrap();
        let lost = Storage::open(folder.path(), CLUSTER, 1, founding).unwrap_err();
        assert!(matches!(lost, StorageError::LogLost), "{lost}");
        let again = Storage::open(folder.path(), CLUSTER, 1, founding).unwrap_err();
        assert!(matches!(again, StorageError::LogLost), "the refusal changed nothing: {again}");
    }
}

#[test]
fn a_log_with_a_hole_is_refused() {
    let folder = used();
    let segments = names(&folder.path().join("log"));
    let middle = &segments[segments.len() / 2];
    fs::remove_file(folder.path().join("log").join(middle)).unwrap();
    let hole = open(folder.path()).unwrap_err();
    assert!(
        matches!(hole, StorageError::LogDamaged { source: LogError::SegmentMissing { .. }, .. }),
        "{hole:?}"
    );
    assert!(hole.to_string().contains("replace it under a new id"), "{hole}");
}

#[test]
fn a_log_with_a_flipped_bit_is_refused() {
    let folder = used();
    let log = folder.path().join("log");
    let first = names(&log).into_iter().find(|name| name != "LOCK").unwrap();
    let mut bytes = fs::read(log.join(&first)).unwrap();
    bytes[200] ^= 1;
    fs::write(log.join(&first), bytes).unwrap();
    let damaged = open(folder.path()).unwrap_err();
    assert!(
        matches!(damaged, StorageError::LogDamaged { source: LogError::Corrupt { .. }, .. }),
        "{damaged:?}"
    );
}

#[test]
fn a_log_of_another_folder_is_refused() {
    let (folder, other) = (used(), used());
    fs::remove_dir_all(folder.path().join("log")).unwrap();
    fs::rename(other.path().join("log"), folder.path().join("log")).unwrap();
    let foreign = open(folder.path()).unwrap_err();
    assert!(matches!(foreign, StorageError::ForeignLog { .. }), "{foreign:?}");
}

#[test]
fn a_log_that_ends_before_the_state_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(folder.path()).unwrap();
    fill(&mut storage.log, 5);
    put(&storage.state.current(), b"k", b"v", 6);
    drop(storage);
    let behind = open(folder.path()).unwrap_err();
    assert!(matches!(behind, StorageError::LogBehind { applied: 6, last_index: 5 }), "{behind}");
}

#[test]
fn a_folder_without_its_identity_is_refused() {
    let folder = used();
    fs::remove_file(folder.path().join("IDENTITY")).unwrap();
    let lost = open(folder.path()).unwrap_err();
    assert!(matches!(lost, StorageError::IdentityLost), "{lost}");

    let folder = used();
    damage(folder.path(), "IDENTITY");
    let damaged = open(folder.path()).unwrap_err();
    assert!(matches!(damaged, StorageError::Identity { .. }), "{damaged}");
}

#[test]
fn a_state_of_another_cluster_or_generation_is_refused() {
    for (cluster_id, generation) in [([2; 16], 1), (CLUSTER, 2)] {
        let folder = TempDir::new().unwrap();
        let storage = open(folder.path()).unwrap();
        let cluster = ClusterConfig {
            cluster_id,
            generation,
            domain: "xiamen".parse().unwrap(),
            kind: DomainKind::City,
            display_name: String::new(),
            development_clock: false,
            composition: String::new(),
            page_token_key: [0; 32],
            hash_suite: None,
        };
        let key = keys::meta::cluster();
        put(&storage.state.current(), key.as_slice(), &codec::encode(&cluster), 1);
        drop(storage);
        let other = open(folder.path()).unwrap_err();
        assert!(matches!(other, StorageError::OtherState { .. }), "{other}");
    }
}

#[test]
fn a_lost_state_is_made_again_from_a_log_that_reaches_back_to_the_beginning() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(folder.path()).unwrap();
    fill(&mut storage.log, 40);
    put(&storage.state.current(), b"k", b"v", 30);
    drop(storage);
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    let again = open(folder.path()).unwrap();
    assert_eq!(again.reseed, None);
    assert_eq!((again.state.current().applied(), again.log.last_index()), (0, 40));
}

#[test]
fn a_lost_state_comes_from_another_node_once_the_log_was_compacted() {
    let folder = used();
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    let first = open(folder.path()).unwrap();
    let reseed = first.reseed.clone().unwrap();
    assert_eq!(reseed.cause, "the state is missing");
    assert_eq!((first.state.current().applied(), first.log.last_index()), (0, 40));
    drop(first);
    let again = open(folder.path()).unwrap();
    assert_eq!(again.reseed, Some(reseed), "an empty state is not taken for the node's own");
}

#[test]
fn a_state_that_does_not_open_is_set_aside() {
    let folder = used();
    fs::write(folder.path().join("state/CURRENT"), "MANIFEST-999999\n").unwrap();
    let opened = open(folder.path()).unwrap();
    assert!(opened.reseed.is_some());
    assert_eq!(opened.state.current().get(b"k"), None);
    drop(opened);
    assert_eq!(names(folder.path()), ["IDENTITY", "log", "state", "state-0-bad", "state-suspect"]);
}

#[test]
fn damage_that_a_reader_meets_leads_to_a_new_state_at_the_next_start() {
    let folder = used();
    // Rows leave the log of RocksDB for a file when it is opened again.
    drop(open(folder.path()).unwrap());
    damage(&folder.path().join("state"), ".sst");
    // Either the opening meets it or the first read does, which ends the process.
    let met = catch_unwind(AssertUnwindSafe(|| {
        let opened = open(folder.path()).unwrap();
        opened.reseed.is_none().then(|| opened.state.current().get(b"k"))
    }));
    assert!(matches!(met, Err(_) | Ok(None)), "damaged rows were handed out: {met:?}");
    let again = open(folder.path()).unwrap();
    let cause = again.reseed.unwrap().cause;
    assert!(cause.contains("orruption"), "{cause}");
}

#[test]
fn a_state_that_lost_what_was_durable_comes_from_another_node() {
    let folder = used();
    let mut storage = open(folder.path()).unwrap();
    storage.log.compact(35).unwrap();
    drop(storage);
    let again = open(folder.path()).unwrap();
    assert_eq!(again.reseed.unwrap().cause, "the state ends at entry 30, the log begins at 36");
}

#[test]
fn a_state_that_was_noted_as_suspect_is_not_used_again() {
    let folder = used();
    let storage = open(folder.path()).unwrap();
    storage.state.current().mark_suspect("two others differ from it");
    drop(storage);
    let again = open(folder.path()).unwrap();
    assert_eq!(again.reseed.unwrap().cause, "two others differ from it");
}

#[test]
fn only_the_state_that_the_log_names_counts() {
    let folder = used();
    let mut storage = open(folder.path()).unwrap();
    // Prepared, and the process ended before the log decided.
    drop(StateStore::open(&storage.folders, 1, Arc::default()).unwrap());
    drop(storage);
    storage = open(folder.path()).unwrap();
    assert_eq!(storage.state.current().get(b"k").as_deref(), Some(&b"v"[..]));
    assert!(!folder.path().join("state-1").exists());

    // Prepared, and the process ended after it.
    let new = StateStore::open(&storage.folders, 1, Arc::default()).unwrap();
    put(&new, b"k", b"new", 50);
    drop(new);
    let mut hard_state = storage.log.hard_state();
    hard_state.term = 2;
    hard_state.commit = 50;
    storage.log.install(50, 2, 1, &hard_state).unwrap();
    drop(storage);
    storage = open(folder.path()).unwrap();
    assert_eq!(storage.state.current().get(b"k").as_deref(), Some(&b"new"[..]));
    assert_eq!((storage.state.current().number(), storage.reseed), (1, None));
    assert!(!folder.path().join("state").exists());
}

#[test]
fn what_is_made_durable_is_told_exactly() {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path()).unwrap();
    let state = storage.state.current();
    assert_eq!(state.make_durable(), 0);
    put(&state, b"k", b"v", 4);
    assert_eq!(state.make_durable(), 4);
}

/// A folder as the first versions left it: whose it is stands in the state store.
#[test]
fn a_folder_of_the_first_versions_is_taken_over() {
    let folder = used();
    let content = IdentityFile::read(folder.path()).unwrap().unwrap().content();
    fs::remove_file(folder.path().join("IDENTITY")).unwrap();
    let mut options = rocksdb::Options::default();
    options.create_if_missing(false);
    let families = ["default", "state", "local", "search"];
    let db = DB::open_cf(&options, folder.path().join("state"), families).unwrap();
    let local = db.cf_handle("local").unwrap();
    db.put_cf(local, "identity", codec::encode(&content.identity)).unwrap();
    db.put_cf(local, "members", codec::encode(&vec![1u64, 2, 3])).unwrap();
    db.put_cf(local, "log_begun", [1]).unwrap();
    db.put_cf(local, "boot", 41u64.to_be_bytes()).unwrap();
    db.put_cf(local, "peer_store/2", [8; 16]).unwrap();
    db.put_cf(local, "peer_store/3", [9; 16]).unwrap();
    drop(db);

    let taken_over = open(folder.path()).unwrap();
    assert_eq!((taken_over.identity, taken_over.boot), (content.identity, 42));
    assert_eq!(taken_over.identity_file.peer_store(3, [0; 16]).unwrap(), [9; 16]);
    assert_eq!(taken_over.state.current().get(b"k").as_deref(), Some(&b"v"[..]));
    drop(taken_over);
    assert_eq!(open(folder.path()).unwrap().boot, 43, "from the file, not from the old row");
    let other = Storage::open(folder.path(), CLUSTER, 1, Founding::Founder(&[1])).unwrap_err();
    assert!(matches!(other, StorageError::MembersChanged { .. }), "{other}");
}
