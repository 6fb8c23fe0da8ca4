//! Tokens: into which terms is a text cut?

use std::collections::BTreeMap;

/// A term of a query, and how it is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    /// The term itself.
    Exact(String),
    /// Whatever begins with it.
    Prefix(String),
}

/// Longest word that is told apart, in characters. What is longer is cut, here and in queries.
const WORD_CHARS_MAX: usize = 40;

/// Characters of a text that are looked at.
const TEXT_CHARS_MAX: usize = 8 * 1024;

/// A maximal run of characters of one kind.
enum Run {
    Chinese(Vec<char>),
    Word(String),
}

/// How often each term occurs in `text`.
///
/// A run of Chinese gives its pairs, and its last character alone: every character of it begins
/// a term, so that a single character is found as a prefix wherever it stands.
pub(super) fn terms(text: &str) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for run in runs(text) {
        match run {
            Run::Chinese(chars) => {
                for pair in chars.windows(2) {
                    *found.entry(pair.iter().collect()).or_default() += 1;
                }
                let last = chars.last().expect("a run is not empty");
                *found.entry(last.to_string()).or_default() += 1;
            }
            Run::Word(word) => *found.entry(word).or_default() += 1,
        }
    }
    found
}

/// The terms that a listed entry must have to answer `query`, each once.
pub(crate) fn words(query: &str) -> Vec<Term> {
    let mut wanted = Vec::new();
    for run in runs(query) {
        match run {
            Run::Chinese(chars) if chars.len() == 1 => {
                wanted.push(Term::Prefix(chars[0].to_string()));
            }
            Run::Chinese(chars) => {
                wanted.extend(chars.windows(2).map(|pair| Term::Exact(pair.iter().collect())));
            }
            Run::Word(word) => wanted.push(Term::Prefix(word)),
        }
    }
    wanted.sort();
    wanted.dedup();
    wanted
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut joined = false;
    for char in text.chars().take(TEXT_CHARS_MAX).map(folded) {
        if is_chinese(char) {
            match runs.last_mut() {
                Some(Run::Chinese(chars)) if joined => chars.push(char),
                _ => runs.push(Run::Chinese(vec![char])),
            }
            joined = true;
        } else if char.is_alphanumeric() {
            if !(joined && matches!(runs.last(), Some(Run::Word(_)))) {
                runs.push(Run::Word(String::new()));
            }
            if let Some(Run::Word(word)) = runs.last_mut()
                && word.chars().count() < WORD_CHARS_MAX
            {
                word.extend(char.to_lowercase());
            }
            joined = true;
        } else {
            joined = false;
        }
    }
    runs
}

/// Full-width letters, digits and signs as the usual ones.
fn folded(char: char) -> char {
    match char {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(char) - 0xfee0).expect("the range maps onto ASCII")
        }
        '\u{3000}' => ' ',
        other => other,
    }
}

fn is_chinese(char: char) -> bool {
    matches!(char,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}' | '\u{3007}')
}

#[cfg(test)]
mod tests;
