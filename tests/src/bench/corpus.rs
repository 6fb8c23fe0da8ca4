//! Corpus: with which entries is it measured?
//!
//! With harvested ones, where they lie beside the repository; otherwise with the sample catalog of
//! this repository, repeated under numbered titles. The record says which.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::repository::{read, root};

/// How often the sample is repeated where there is nothing else.
const REPETITIONS: usize = 80;
/// Longest description that is taken over, in characters.
const DESCRIPTION_MAX: usize = 400;

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its title.
    pub title: String,
    /// What it is about; empty where the source has titles only.
    pub description: String,
}

/// What is imported, and what is published.
#[derive(Debug)]
pub struct Corpus {
    /// The file for `luqiao catalog import`.
    pub file: PathBuf,
    /// Entries with different titles, in a fixed order.
    pub texts: Vec<Text>,
    /// Where they are from.
    pub source: String,
}

impl Corpus {
    /// The harvested catalogs beside the repository, or else a made one in `folder`.
    pub fn find(folder: &Path) -> anyhow::Result<Self> {
        let beside = root().join("../shared/data/catalogs");
        let (catalog, titles) = ("mixed_63_portals.jsonl.gz", "all_titles.tsv.gz");
        let file = beside.join(catalog);
        if !file.is_file() {
            return Self::from_sample(folder);
        }
        let mut texts = Texts::default();
        texts.add_catalog(&unpacked(&file)?)?;
        let more = beside.join(titles);
        if more.is_file() {
            texts.add_titles(&unpacked(&more)?);
        }
        Ok(Self { file, texts: texts.found, source: format!("{catalog}, filled up from {titles}") })
    }

    fn from_sample(folder: &Path) -> anyhow::Result<Self> {
        let sample = read("cli/data/sample_catalog.jsonl");
        let mut repeated = String::new();
        for round in 1..=REPETITIONS {
            for line in sample.lines() {
                let mut entry: Value = serde_json::from_str(line)?;
                let title =
                    entry["title"].as_str().context("an entry of the sample has a title")?;
                entry["title"] = format!("{title}（第{round}批）").into();
                writeln!(repeated, "{entry}")?;
            }
        }
        let file = folder.join("sample-repeated.jsonl");
        fs::write(&file, &repeated)?;
        let mut texts = Texts::default();
        texts.add_catalog(&repeated)?;
        let source = format!("the sample catalog, {REPETITIONS} times under numbered titles");
        Ok(Self { file, texts: texts.found, source })
    }
}

#[derive(Default)]
struct Texts {
    seen: BTreeSet<String>,
    found: Vec<Text>,
}

impl Texts {
    fn add_catalog(&mut self, lines: &str) -> anyhow::Result<()> {
        for line in lines.lines() {
            let entry: Value = serde_json::from_str(line)?;
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            self.add(text("title"), text("description"));
        }
        Ok(())
    }

    /// portal, title, provider; below a heading.
    fn add_titles(&mut self, lines: &str) {
        for line in lines.lines().skip(1) {
            self.add(line.split('\t').nth(1).unwrap_or_default(), "");
        }
    }

    fn add(&mut self, title: &str, description: &str) {
        let title = title.trim();
        // What registering refuses would only be counted as a failure.
        let unfit =
            title.is_empty() || title.chars().chain(description.chars()).any(char::is_control);
        if unfit || !self.seen.insert(title.to_owned()) {
            return;
        }
        let description = description.trim().chars().take(DESCRIPTION_MAX).collect();
        self.found.push(Text { title: title.to_owned(), description });
    }
}

fn unpacked(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut packed = BufReader::new(File::open(file)?);
    if packed.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(packed).read_to_string(&mut text)?;
    } else {
        packed.read_to_string(&mut text)?;
    }
    Ok(text)
}
