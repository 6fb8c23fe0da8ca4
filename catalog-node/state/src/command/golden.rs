//! Golden bytes: a log written by any version that was ever released must be read for ever, and mean
//! the same. A file of `testdata/golden` holds one command; it is written once (`REWRITE=1` adds
//! missing ones) and never rewritten.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use super::Command;

/// Holds each of `commands`, by its name, against the file of that name in `folder` of
/// `testdata/golden` (the empty name is that folder itself), which has no others.
pub(super) fn check(folder: &str, commands: impl IntoIterator<Item = (String, Command)>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden").join(folder);
    let mut known = BTreeSet::new();
    for (name, command) in commands {
        let file = format!("{name}.hex");
        let path = folder.join(&file);
        if env::var_os("REWRITE").is_some() && !path.exists() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, to_hex(&command.encode())).unwrap();
        }
        let golden = from_hex(&fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}")));
        assert_eq!(Command::decode(&golden).unwrap(), command, "{name}");
        assert_eq!(command.encode(), golden, "{name} is written differently now");
        known.insert(file);
    }
    let found: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .filter(|file| file.path().is_file())
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, known);
}

fn to_hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.chunks(40).map(|line| line.concat() + "\n").collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
