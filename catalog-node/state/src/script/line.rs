//! One line of a story: a verb, what it is about, and named values.

use std::collections::{BTreeMap, BTreeSet};

/// `verb subject… name=value name="several words"`.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) verb: String,
    pub(super) subjects: Vec<String>,
    values: BTreeMap<String, String>,
    used: std::cell::RefCell<BTreeSet<String>>,
}

impl Line {
    pub(super) fn parse(text: &str) -> Self {
        let mut words = words(text).into_iter();
        let verb = words.next().expect("a line has a verb");
        let mut line =
            Self { verb, subjects: Vec::new(), values: BTreeMap::new(), used: Default::default() };
        for word in words {
            match word.split_once('=') {
                Some((name, value)) => {
                    let twice = line.values.insert(name.to_owned(), value.to_owned());
                    assert!(twice.is_none(), "`{name}` stands twice in `{text}`");
                }
                None => line.subjects.push(word),
            }
        }
        line
    }

    /// What the line is about.
    pub(super) fn subject(&self) -> &str {
        self.subjects.first().unwrap_or_else(|| panic!("`{}` is about something", self.verb))
    }

    /// A value, if it is given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.used.borrow_mut().insert(name.to_owned());
        self.values.get(name).map(String::as_str)
    }

    /// A value, or what is meant without it.
    pub(super) fn or<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.get(name).unwrap_or(otherwise)
    }

    /// A value that must be given.
    pub(super) fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("`{}` needs {name}=", self.verb))
    }

    /// The parts of a list, `a,b,c`.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        self.get(name).map(list)
    }

    /// Panics if the line has a value that nobody asked for: a typing error.
    pub(super) fn check_all_used(&self) {
        let used = self.used.borrow();
        let unused: Vec<_> = self.values.keys().filter(|name| !used.contains(*name)).collect();
        assert!(unused.is_empty(), "`{}` knows no {unused:?}", self.verb);
    }
}

pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Words between spaces; within quotes a space is part of the word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            c => word.push(c),
        }
    }
    assert!(!quoted, "an open quote in `{text}`");
    words.extend((!word.is_empty()).then_some(word));
    words
}
