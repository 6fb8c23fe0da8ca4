use catalog_state::store::{Store, Writes};
use tempfile::TempDir;

use super::*;

const CLUSTER: [u8; 16] = [1; 16];

fn open(folder: &Path, cluster: [u8; 16], node: u64) -> Result<Storage, StorageError> {
    Storage::open(folder, cluster, node, &[1, 2, 3])
}

fn row(key: &[u8], value: Option<&[u8]>) -> (Vec<u8>, Option<Vec<u8>>) {
    (key.to_vec(), value.map(<[u8]>::to_vec))
}

#[test]
fn what_was_committed_is_there_after_a_reopening() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path(), CLUSTER, 1).unwrap();
    first.state.commit(
        Writes::from([row(b"a", Some(b"1")), row(b"b", Some(b"2"))]),
        Writes::new(),
        7,
    );
    first.state.commit(Writes::from([row(b"a", None)]), Writes::from([row(b"s", Some(b"3"))]), 9);
    let (identity, boot) = (first.identity, first.boot);
    drop(first);

    let again = open(folder.path(), CLUSTER, 1).unwrap();
    assert_eq!(again.identity, identity);
    assert_eq!(again.boot, boot + 1, "every start is told apart");
    assert_eq!(again.state.applied(), 9);
    assert_eq!(again.state.get(b"a"), None);
    assert_eq!(again.state.get(b"b"), Some(b"2".to_vec()));
    assert_eq!(again.state.search_row(b"s"), Some(b"3".to_vec()));
    assert_eq!(again.log.last_index(), 1, "begun");
}

#[test]
fn a_view_stays_as_it_was() {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path(), CLUSTER, 1).unwrap();
    let rows: Vec<_> = (0..4u8).map(|key| row(&[b'k', key], Some(&[key]))).collect();
    storage.state.commit(rows.into_iter().collect(), Writes::new(), 5);
    let view = storage.state.view();
    storage.state.commit(Writes::from([row(&[b'k', 1], None)]), Writes::new(), 6);

    assert_eq!((view.applied(), storage.state.applied()), (5, 6));
    let keys = |rows: Box<dyn Iterator<Item = (Vec<u8>, Vec<u8>)> + '_>| -> Vec<u8> {
        rows.map(|(key, _)| key[1]).collect()
    };
    assert_eq!(keys(view.range(&[b'k', 1], &[b'k', 3])), [1, 2]);
    assert_eq!(keys(view.range_reversed(&[b'k', 1], &[b'k', 3])), [2, 1]);
    assert_eq!(keys(storage.state.range(b"k", b"l")), [0, 2, 3]);
    assert_eq!(keys(storage.state.range_reversed(b"k", b"l")), [3, 2, 0]);
    assert!(
        keys(view.range(b"l", b"k")).is_empty(),
        "nothing is between two bounds in the wrong order"
    );
}

#[test]
fn a_folder_belongs_to_one_node_of_one_cluster() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path(), CLUSTER, 1).unwrap());
    let other = open(folder.path(), [2; 16], 1).unwrap_err();
    assert!(matches!(other, StorageError::OtherCluster { .. }), "{other}");
    let other = open(folder.path(), CLUSTER, 2).unwrap_err();
    assert!(matches!(other, StorageError::OtherNode { found: 1, expected: 2 }), "{other}");
    let other = Storage::open(folder.path(), CLUSTER, 1, &[1]).unwrap_err();
    assert!(matches!(other, StorageError::MembersChanged { .. }), "{other}");
    let same = Storage::open(folder.path(), CLUSTER, 1, &[3, 1, 2]).unwrap();
    let held = open(folder.path(), CLUSTER, 1).unwrap_err();
    assert!(matches!(held, StorageError::State { .. }), "{held}");
    drop(same);
}

#[test]
fn half_a_folder_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path(), CLUSTER, 1).unwrap());
    std::fs::remove_dir_all(folder.path().join("log")).unwrap();
    let lost = open(folder.path(), CLUSTER, 1).unwrap_err();
    assert!(matches!(lost, StorageError::LogLost), "{lost}");

    let folder = TempDir::new().unwrap();
    drop(open(folder.path(), CLUSTER, 1).unwrap());
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    let lost = open(folder.path(), CLUSTER, 1).unwrap_err();
    assert!(matches!(lost, StorageError::StateLost), "{lost}");
}

#[test]
fn a_peer_is_known_by_its_first_store() {
    let folder = TempDir::new().unwrap();
    let storage = open(folder.path(), CLUSTER, 1).unwrap();
    assert_eq!(storage.state.peer_store(2, [8; 16]), [8; 16]);
    assert_eq!(storage.state.peer_store(2, [9; 16]), [8; 16]);
    drop(storage);
    let again = open(folder.path(), CLUSTER, 1).unwrap();
    assert_eq!(again.state.peer_store(2, [9; 16]), [8; 16]);
}
