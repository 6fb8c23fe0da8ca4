use tempfile::TempDir;

use catalog_model::fence::{Said, Standing};

use super::*;

fn content() -> Content {
    Content {
        identity: Identity { cluster_id: [1; 16], node: 7, store_uuid: [0; 16], generation: 2 },
        founders: vec![1, 2, 7],
        log_begun: true,
        boot: 41,
        peer_stores: BTreeMap::from([(2, [0xfe; 16])]),
        known: Known { belongs: Some(pair("2.3")), ..known("2.3", "2.2") },
    }
}

fn pair(text: &str) -> Pair {
    text.parse().unwrap()
}

/// Of a node that belongs nowhere.
fn known(heard: &str, opened: &str) -> Known {
    Known { belongs: None, heard: pair(heard), opened: pair(opened), sealed: None }
}

#[test]
fn what_is_known_of_openings_is_read_again() {
    let folder = TempDir::new().unwrap();
    let first = Identity { generation: 1, ..content().identity };
    let begun = Content { identity: first, known: Known::founding(), ..content() };
    let file = IdentityFile::create(folder.path(), begun).unwrap();
    let again = || IdentityFile::read(folder.path()).unwrap().unwrap();

    let said = Said { belongs: Some(pair("2.2")), heard: pair("2.4"), opened: pair("1.1") };
    let (more, known) = file.note(|known| Ok::<_, ()>(known.hear(&said))).unwrap();
    assert_eq!((more, known.standing()), (Ok(true), Standing::Fenced));
    assert_eq!(again().known(), known);
    assert_eq!(again().identity().generation, 1, "to hear is not to belong");

    let (failover, later) = ("01J8Z".parse().unwrap(), pair("3.5"));
    let (sealed, known) = file.note(|known| known.seal(&failover, later)).unwrap();
    assert_eq!(sealed, Ok(true));
    assert_eq!(again().known(), known);
    let (refused, kept) = again().note(|known| known.seal(&failover, pair("4.6"))).unwrap();
    assert!(refused.is_err() && kept == known);

    let (promoted, known) = file.note(|known| known.promote(&failover)).unwrap();
    assert_eq!((promoted, known.belongs), (Ok(true), Some(later)));
    assert_eq!(again().known(), known);
    assert_eq!(again().identity().generation, 3);

    let joining = Content { identity: first, known: Known::joining(), ..content() };
    let folder = TempDir::new().unwrap();
    IdentityFile::create(folder.path(), joining.clone()).unwrap();
    assert_eq!(IdentityFile::read(folder.path()).unwrap().unwrap().content(), joining);
}

/// As the version wrote it that knew of no openings.
#[test]
fn a_file_of_an_earlier_version_belongs_to_the_first_opening_of_its_generation() {
    let text = "cluster_id = \"01010101010101010101010101010101\"\n\
                node = 7\n\
                store_uuid = \"00000000000000000000000000000000\"\n\
                generation = 1\n\
                founders = [1, 2, 7]\n\
                log_begun = true\n\
                boot = 41\n\
                \n\
                [peer_stores]\n\
                2 = \"fefefefefefefefefefefefefefefefe\"\n";
    let digest = hex(&Sha256::digest(text.as_bytes()));
    let head = "# Whose data folder this is. Kept by the node; changed by hand it is refused.";
    let file = format!("{head}\n# {digest}\n{text}");
    let read = parse(&file).unwrap();
    let first = Identity { generation: 1, ..content().identity };
    assert_eq!(read, Content { identity: first, known: Known::founding(), ..content() });
    assert_eq!(compose(&read), file, "and as long as nothing happened it reads ours");
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
