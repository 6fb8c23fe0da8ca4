use tempfile::TempDir;

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|found| found.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn with(made: &[&str]) -> (TempDir, Folders) {
    let root = TempDir::new().unwrap();
    for name in made {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    let folders = Folders::new(root.path());
    (root, folders)
}

#[test]
fn a_name_says_which_state_it_is() {
    for (name, number) in [
        ("state", Some(0)),
        ("state-1", Some(1)),
        ("state-12", Some(12)),
        ("state-0", None),
        ("state-suspect", None),
        ("state-3-bad", None),
        ("states", None),
        ("log", None),
    ] {
        assert_eq!(state_number(name), number, "{name}");
    }
}

#[test]
fn only_the_state_that_counts_stays() {
    let (root, folders) = with(&["log", "state", "state-1", "state-2", "state-1-bad", "recv"]);
    folders.remove_garbage(1).unwrap();
    assert_eq!(names(root.path()), ["log", "recv", "state-1", "state-1-bad"]);
    folders.remove_garbage(0).unwrap();
    assert_eq!(names(root.path()), ["log", "recv", "state-1-bad"]);
}

#[test]
fn one_damaged_state_is_kept_the_first_of_the_newest_number() {
    let (root, folders) = with(&["state-3", "state-0-bad"]);
    fs::write(root.path().join("state-3/evidence"), b"!").unwrap();
    folders.set_aside(3).unwrap();
    assert_eq!(names(root.path()), ["state-3-bad"]);
    fs::create_dir(root.path().join("state-3")).unwrap();
    folders.set_aside(3).unwrap();
    assert_eq!(names(root.path()), ["state-3-bad"]);
    assert!(root.path().join("state-3-bad/evidence").exists(), "the first is the evidence");
    folders.set_aside(4).unwrap();
    assert_eq!(names(root.path()), ["state-3-bad"], "there was nothing to set aside");
}

#[test]
fn a_suspicion_is_of_one_state() {
    let (root, folders) = with(&[]);
    assert_eq!(folders.suspicion(2).unwrap(), None);
    folders.mark_suspect(2, "it smells").unwrap();
    assert_eq!(folders.suspicion(2).unwrap().as_deref(), Some("it smells"));
    assert_eq!(folders.suspicion(3).unwrap(), None);
    fs::write(root.path().join(SUSPECT), "nonsense").unwrap();
    assert_eq!(folders.suspicion(3).unwrap().as_deref(), Some("nonsense"));
    folders.clear_suspicion().unwrap();
    folders.clear_suspicion().unwrap();
    assert_eq!(folders.suspicion(3).unwrap(), None);
}
