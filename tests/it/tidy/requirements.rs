//! The page of requirements: does each line that says "done" name a test that says so too?
//!
//! `docs/requirements.md` is written by hand. Every number of the groups that this repository answers
//! for has one line; `done` and `partial` name files that hold the number, `partial` and `later` say
//! what is missing.

use std::collections::{BTreeMap, BTreeSet};

use federation_tests::repository::{read, root};

const PAGE: &str = "docs/requirements.md";

/// Groups of which every number has a line, with their last number.
const WHOLE: [(&str, u32); 5] = [("CAT", 30), ("SHR", 32), ("CAL", 24), ("QLT", 8), ("DR", 8)];

/// Single numbers of other groups.
const SINGLE: [&str; 4] = ["SEC-02", "SEC-03", "SEC-12", "SEC-18"];

/// Where stories lie, which the page names without their folder.
const STORIES: &str = "catalog-node/state/testdata/";

#[derive(Debug)]
struct Line {
    state: String,
    missing: String,
    tests: Vec<String>,
}

/// The rows of the page that have so many cells.
fn rows<const CELLS: usize>(page: &str) -> Vec<[&str; CELLS]> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.try_into().ok()
    })
    .collect()
}

fn page() -> BTreeMap<String, Line> {
    let mut lines = BTreeMap::new();
    for [id, _, state, missing, tests] in rows(&read(PAGE)) {
        if id == "ID" {
            continue;
        }
        let tests = tests.split(", ").filter(|test| *test != "–").map(|test| {
            let test = test.trim_matches('`');
            if test.contains('/') { test.to_owned() } else { format!("{STORIES}{test}") }
        });
        let line = Line {
            state: state.to_owned(),
            missing: missing.trim_matches('–').to_owned(),
            tests: tests.collect(),
        };
        assert!(lines.insert(id.to_owned(), line).is_none(), "{id} has two lines");
    }
    lines
}

/// Whether `text` has the number as a word: `SHR-1` is not in `SHR-10`.
fn names(text: &str, id: &str) -> bool {
    text.match_indices(id)
        .any(|(place, _)| !text[place + id.len()..].starts_with(|next: char| next.is_ascii_digit()))
}

#[test]
fn requirements_that_are_done_name_a_test_that_says_so() {
    let page = page();
    let mut wrong = Vec::new();
    for (id, Line { state, missing, tests }) in &page {
        match state.as_str() {
            "done" if !missing.is_empty() => {
                wrong.push(format!("{id} is done and misses something"));
            }
            "partial" | "later" if missing.is_empty() => {
                wrong.push(format!("{id} is {state}: what is missing?"));
            }
            "done" | "partial" if tests.is_empty() => wrong.push(format!("{id} names no test")),
            "done" | "partial" | "later" => {}
            _ => wrong.push(format!("{id} is `{state}`")),
        }
        for test in tests {
            let path = root().join(test);
            let story = path.extension().is_some_and(|extension| extension == "txt");
            let told = story || test.contains("tests");
            if !path.is_file() || !told {
                wrong.push(format!("{id} names {test}, which is no test"));
            } else if !names(&read(test), id) {
                wrong.push(format!("{id} names {test}, which does not name it"));
            }
        }
    }
    let mut wanted: BTreeSet<String> = SINGLE.map(str::to_owned).into();
    for (group, last) in WHOLE {
        wanted.extend((1..=last).map(|number| format!("{group}-{number:02}")));
    }
    for id in wanted.iter().filter(|id| !page.contains_key(*id)) {
        wrong.push(format!("{id} has no line"));
    }
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}

/// The numbers after "must-refuse" in a story: `must-refuse 10, 50`.
fn refused_in(text: &str) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for (place, mark) in text.match_indices("ust-refuse ") {
        let list = &text[place + mark.len()..];
        let list = list.split(|c: char| !(c.is_ascii_digit() || c == ',' || c == ' ')).next();
        let each = list.unwrap_or_default().split(',');
        numbers.extend(each.map_while(|number| number.trim().parse::<u32>().ok()));
    }
    numbers
}

#[test]
fn what_must_be_refused_is_refused_in_a_story_that_says_so() {
    let page = read(PAGE);
    let mut wrong = Vec::new();
    let mut shown = BTreeSet::new();
    for [number, _, stories] in rows(&page) {
        let Some(number) = number.strip_prefix("must-refuse ") else { continue };
        let number: u32 = number.parse().expect("a number");
        shown.insert(number);
        for story in stories.split(", ") {
            let story = story.trim_matches('`');
            let path =
                if story.contains('/') { story.to_owned() } else { format!("{STORIES}{story}") };
            if !root().join(&path).is_file() || !refused_in(&read(&path)).contains(&number) {
                wrong.push(format!("{number}: {path} does not name it"));
            }
        }
    }
    // Those that the work on the law answers for; the others are listed as later, with their reason.
    let wanted = [1..=6, 8..=11, 13..=15, 29..=30, 32..=35, 40..=55];
    for number in wanted.into_iter().flatten().filter(|number| !shown.contains(number)) {
        wrong.push(format!("must-refuse {number} has no line"));
    }
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}
