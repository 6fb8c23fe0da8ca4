use tempfile::TempDir;

use super::*;

fn content() -> Content {
    Content {
        identity: Identity { cluster_id: [1; 16], node: 7, store_uuid: [0; 16], generation: 2 },
        founders: vec![1, 2, 7],
        log_begun: true,
        boot: 41,
        peer_stores: BTreeMap::from([(2, [0xfe; 16])]),
    }
}

#[test]
fn what_was_written_is_read_again() {
    let folder = TempDir::new().unwrap();
    assert!(IdentityFile::read(folder.path()).unwrap().is_none());
    IdentityFile::create(folder.path(), content()).unwrap();
    let file = IdentityFile::read(folder.path()).unwrap().unwrap();
    assert_eq!(file.content(), content());
    file.change(|content| content.boot += 1).unwrap();
    let again = IdentityFile::read(folder.path()).unwrap().unwrap();
    assert_eq!(again.content(), Content { boot: 42, ..content() });
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing else is left behind: {names:?}");
}

#[test]
fn a_peer_is_known_by_its_first_store() {
    let folder = TempDir::new().unwrap();
    let file = IdentityFile::create(folder.path(), content()).unwrap();
    assert_eq!(file.peer_store(2, [9; 16]).unwrap(), [0xfe; 16]);
    assert_eq!(file.peer_store(3, [8; 16]).unwrap(), [8; 16]);
    let again = IdentityFile::read(folder.path()).unwrap().unwrap();
    assert_eq!(again.peer_store(3, [9; 16]).unwrap(), [8; 16]);
}

#[test]
fn a_flipped_byte_anywhere_is_refused_by_name_or_changes_nothing() {
    let text = compose(&content());
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let read = String::from_utf8(bytes).map_err(|_| "it is no text").and_then(|t| parse(&t));
        // The first line is for people.
        match read {
            Ok(read) => assert!(at < text.find('\n').unwrap() && read == content(), "{at}"),
            Err(cause) => assert!(!cause.is_empty(), "{at}"),
        }
    }
    assert_eq!(parse(&text[..20]), Err("it is cut short"));
}
