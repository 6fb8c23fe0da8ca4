use catalog_model::{
    ids::{OrganizationId, PersonId},
    site::Pair,
    witness::{Act, Release},
};
use prost_types::Timestamp;

use super::*;
use crate::{output::Format, pki::Authority};

fn quiet() -> Output {
    Output { format: Format::Json, lang: Lang::En, verbose: false }
}

/// A folder with the certificates of two persons and of a system.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(&"xiamen".parse().unwrap()).unwrap();
    fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let organization = OrganizationId::from_bytes([1; 16]);
    for (stem, id) in [("one", 2), ("two", 3)] {
        let person = PersonId::from_bytes([id; 16]);
        let issued = authority.issue(Subject::Person { organization, person }).unwrap();
        issued.write(folder.path(), stem).unwrap();
    }
    let system = catalog_model::ids::SystemId::from_bytes([4; 16]);
    let issued = authority.issue(Subject::System { organization, system }).unwrap();
    issued.write(folder.path(), "system").unwrap();
    folder
}

fn options(folder: &Path, who: &str, file: &str, pair: &str) -> Approve {
    Approve {
        act: Act::Failover,
        from: "main".parse().unwrap(),
        to: Some("standby".parse().unwrap()),
        pair: pair.parse::<Pair>().unwrap(),
        expires: Timestamp { seconds: 1_790_000_000, nanos: 0 },
        release: Release::No,
        cert: Some(folder.join(format!("{who}.pem"))),
        key: Some(folder.join(format!("{who}.key"))),
        file: folder.join(file),
    }
}

fn check_of(folder: &Path, files: &[&str]) -> Exit {
    let files: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
    check(&files, &folder.join("ca.pem"), &quiet()).unwrap()
}

#[test]
fn two_persons_approve_and_anybody_checks() {
    let folder = folder();
    let at = folder.path();
    for (who, file, pair) in [
        ("one", "a.json", "1.1"),
        ("two", "b.json", "1.1"),
        ("one", "again.json", "1.1"),
        ("two", "other-epoch.json", "1.2"),
    ] {
        assert_eq!(approve(options(at, who, file, pair), None, &quiet()).unwrap(), Exit::Ok);
    }
    assert_eq!(check_of(at, &["a.json", "b.json"]), Exit::Ok);
    assert_eq!(check_of(at, &["a.json"]), Exit::Error);
    assert_eq!(check_of(at, &["a.json", "again.json"]), Exit::Error);
    assert_eq!(check_of(at, &["a.json", "other-epoch.json"]), Exit::Error);
    let text = fs::read_to_string(at.join("b.json")).unwrap();
    fs::write(at.join("changed.json"), text.replace("\"epoch\": 1", "\"epoch\": 2")).unwrap();
    assert_eq!(check_of(at, &["other-epoch.json", "changed.json"]), Exit::Error);
}

#[test]
fn nobody_approves_over_a_file_or_for_a_system() {
    let folder = folder();
    let at = folder.path();
    approve(options(at, "one", "a.json", "1.1"), None, &quiet()).unwrap();
    let before = fs::read(at.join("a.json")).unwrap();
    approve(options(at, "two", "a.json", "1.1"), None, &quiet()).unwrap_err();
    assert_eq!(fs::read(at.join("a.json")).unwrap(), before);
    approve(options(at, "system", "c.json", "1.1"), None, &quiet()).unwrap_err();
    assert!(!at.join("c.json").exists());
    // Acts that move something say where to; the others do not move.
    let nowhere = Approve { to: None, ..options(at, "one", "d.json", "1.1") };
    approve(nowhere, None, &quiet()).unwrap_err();
    let still = Approve { act: Act::ReleaseActs, ..options(at, "one", "e.json", "1.1") };
    approve(still, None, &quiet()).unwrap_err();
    let nobody = Approve { cert: None, key: None, ..options(at, "one", "f.json", "1.1") };
    approve(nobody, None, &quiet()).unwrap_err();
}
