//! Tidy: does the repository keep the promises that no compiler checks?
//!
//! Each test reads files or `cargo metadata`; none runs anything of ours.

mod dependencies;
mod errors_page;
mod names;
mod requirements;

use std::collections::{BTreeMap, BTreeSet};

use federation_tests::repository::{files, read};
use luqiao_proto::convert::methods::METHODS;

/// The words that mark something unfinished, put together so that this line has none.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

#[test]
fn what_is_unfinished_names_an_issue() {
    let mut wrong = Vec::new();
    for file in files(&[".rs", ".proto", ".py", ".sh", ".toml", "Makefile"]) {
        let text = read(&file.to_string_lossy());
        for (number, line) in text.lines().enumerate() {
            let words: BTreeSet<&str> =
                line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let marked = UNFINISHED.iter().any(|mark| words.contains(mark));
            let names_issue =
                line.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if marked && !names_issue {
                wrong.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "unfinished, without the issue that will finish it:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_module_stands_beside_its_folder_and_says_what_it_is_for() {
    const SAYS_NOTHING: [&str; 4] = ["utils", "common", "helpers", "types"];
    let mut wrong = Vec::new();
    for file in files(&[".rs"]) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if stem == "mod" || SAYS_NOTHING.contains(&stem.as_str()) {
            wrong.push(format!("{}: a file of that name", file.display()));
        }
        let first = read(&file.to_string_lossy());
        // A test's own file may be told by the module that it tests.
        if stem != "tests" && !first.trim_start().starts_with("//!") {
            wrong.push(format!("{}: does not open with what it answers", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_bans_of_the_deterministic_crates_are_one_list() {
    let lists: Vec<String> = ["model", "proofs", "state", "log", "replica"]
        .iter()
        .map(|name| read(&format!("catalog-node/{name}/clippy.toml")))
        .collect();
    for ban in
        ["std::time::Instant::now", "std::time::SystemTime::now", "std::collections::HashMap"]
    {
        assert!(lists[0].contains(ban), "{ban} is not banned");
    }
    assert!(
        lists.iter().all(|list| *list == lists[0]),
        "clippy reads the nearest file only: keep all five alike"
    );
}

#[test]
fn both_readmes_say_the_same() {
    let pages = ["README.md", "README.zh-CN.md"].map(read);
    let shape = |page: &str| {
        let mut levels = Vec::new();
        let mut in_code = false;
        for line in page.lines() {
            in_code ^= line.starts_with("```");
            if !in_code && line.starts_with('#') {
                levels.push(line.chars().take_while(|c| *c == '#').count());
            }
        }
        levels
    };
    assert_eq!(shape(&pages[0]), shape(&pages[1]), "headings by level");
    for page in &pages {
        for command in ["make demo", "make test"] {
            assert!(page.contains(command), "a README does not name `{command}`");
        }
    }
}

#[test]
fn a_page_that_is_linked_to_exists() {
    let mut missing = Vec::new();
    for file in files(&[".md"]) {
        let text = read(&file.to_string_lossy());
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = file.parent().expect("a file has a folder").join(path);
            if !federation_tests::repository::root().join(&target).exists() {
                missing.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "links that lead nowhere:\n{}", missing.join("\n"));
}

#[test]
fn every_public_method_has_its_row() {
    // Read from the protocol files as text: what the generated code says, the table would say too.
    let mut declared = BTreeMap::new();
    for file in files(&[".proto"]) {
        let path = file.to_string_lossy().replace('\\', "/");
        if path.contains("luqiao/node/") || path.contains("luqiao/peer/") {
            continue;
        }
        let text = read(&path);
        let mut place = (String::new(), String::new());
        for line in text.lines().map(str::trim) {
            if let Some(package) = line.strip_prefix("package ") {
                place.0 = package.trim_end_matches(';').to_owned();
            } else if let Some(service) = line.strip_prefix("service ") {
                place.1 = service.trim_end_matches(['{', ' ']).to_owned();
            } else if let Some(method) = line.strip_prefix("rpc ") {
                let (name, shape) = method.split_once('(').expect("rpc Name(Request)");
                let streams = shape.matches("stream ").count();
                declared.insert(format!("/{}.{}/{name}", place.0, place.1), streams);
            }
        }
    }
    assert!(declared.len() > 40, "the protocol files were not understood: {declared:?}");
    let rows: BTreeSet<String> = METHODS.iter().map(|row| row.path.to_owned()).collect();
    assert_eq!(declared.keys().cloned().collect::<BTreeSet<_>>(), rows);
}
