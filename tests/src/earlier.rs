//! Earlier: what was the catalog node like, at the commit from which clusters must be able to come?
//!
//! It is built from this repository's own history, by its own scripts, once a machine: the program
//! lies in the cache folder beside everything else that takes long to make.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::repository::{read, root};

/// The commit in `tests/upgrade-from.txt`: older than the newest change of an encoding.
pub fn commit() -> String {
    read("tests/upgrade-from.txt").trim().to_owned()
}

/// The catalog node of that commit; why it cannot be had.
///
/// # Panics
///
/// If it does not build although everything is there.
pub fn catalog_node() -> Result<PathBuf, String> {
    let commit = commit();
    let cache = match (env::var_os("LUQIAO_CACHE"), env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache/luqiao"),
        (None, None) => return Err("neither LUQIAO_CACHE nor HOME says where to build".to_owned()),
    };
    let folder = cache.join(format!("upgrade-{commit}"));
    let finished = folder.join("catalog-node");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Another run may be building it.
    let lock = File::create(folder.join("lock")).expect("a file can be made");
    lock.lock().expect("a lock can be had");
    if finished.is_file() {
        return Ok(finished);
    }
    let known = Command::new("git")
        .args(["cat-file", "-e", &format!("{commit}^{{commit}}")])
        .current_dir(root())
        .output();
    if !known.is_ok_and(|output| output.status.success()) {
        return Err(format!("commit {commit} is not here: the history is cut off, or git missing"));
    }
    build(&commit, &folder.join("source"), &finished);
    Ok(finished)
}

fn build(commit: &str, source: &Path, finished: &Path) {
    let _ = fs::remove_dir_all(source);
    fs::create_dir_all(source).expect("a folder can be made");
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let here = text(&root());
    let (there, unfinished) = (text(source), text(&finished.with_extension("new")));
    // What tells cargo where and how to build this workspace must not reach that one.
    let script = "
        unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
        git -C \"$1\" archive \"$2\" | tar -x -C \"$3\"
        cd \"$3\"
        scripts/setup.sh
        cargo build --locked --package catalog-node
        cp target/debug/catalog-node \"$4\"
    ";
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script, "build", &here, commit, &there, &unfinished])
        .output()
        .expect("bash starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the catalog node of {commit} does not build:\n{said}");
    // First beside its place: half a program is never started.
    fs::rename(unfinished, finished).expect("a file can be renamed");
    fs::remove_dir_all(source).expect("a folder can be removed");
}
