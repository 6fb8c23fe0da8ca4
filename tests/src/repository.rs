//! Repository: where is what we test, and what beside it may be there or not?

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("tests/ lies in the workspace").to_owned()
}

/// A file of the repository as text.
pub fn read(path: &str) -> String {
    let file = root().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Every file of ours whose name ends in one of `endings`, by its path from the root, in order.
///
/// Left out is what is built, fetched or not ours: `target`, hidden folders, `proto/google`.
pub fn files(endings: &[&str]) -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be read") {
            let entry = entry.expect("a folder of the repository can be read");
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                let foreign = path.ends_with("proto/google");
                if !name.starts_with('.') && name != "target" && name != "node_modules" && !foreign
                {
                    open.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path.strip_prefix(&root).expect("below the root").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The harvested catalogs, which lie beside the repository where they are present at all.
pub fn harvested_catalogs() -> Result<Vec<PathBuf>, String> {
    let folder = root().join("../shared/data/catalogs");
    let missing = |error: io::Error| format!("{} is not there: {error}", folder.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .map_err(missing)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".jsonl.gz"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("{} holds no .jsonl.gz", folder.display()));
    }
    Ok(files)
}

/// The program `name` of this workspace, built beside the running program or test.
///
/// Cargo tells a test only of its own package's programs. The others lie one folder above the
/// test binary; `cargo test --workspace` and `make test` build them.
///
/// # Panics
///
/// With the command that builds it, if it is not there.
pub fn program(name: &str) -> PathBuf {
    let own = env::current_exe().expect("a program knows its own path");
    let beside = own.parent().expect("…/target/PROFILE/bench or …/target/PROFILE/deps/it-HASH");
    let folder = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
    let file = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        file.is_file(),
        "{} is not built; run `cargo build --workspace` first (`make test` does)",
        file.display()
    );
    file
}
