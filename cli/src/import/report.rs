//! Report: what became of the lines of an import, and what did the accepted ones lack?

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use catalog_model::reason::Lang;
use serde_json::{Value, json};

use crate::{both, failure::Failure};

use super::normalize::{Draft, Fault};

/// How many quarantined lines the report shows itself.
const SHOWN: usize = 20;
/// How many different keys or words are counted by name; a hostile file could have any number.
const NAMES_MAX: usize = 200;

/// The counts of an import. `read = accepted + duplicates + quarantined`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines that are not blank.
    pub read: u64,
    /// Lines that became, or would become, drafts.
    pub accepted: u64,
    /// Lines that repeat an earlier one, or an entry that the server has.
    pub duplicates: u64,
    /// Lines that were set aside.
    pub quarantined: u64,
    /// Field of the national guide → how many accepted lines lack it.
    pub gaps: BTreeMap<&'static str, u64>,
    /// Key that has no place in an entry → how many accepted lines have it.
    pub not_taken: BTreeMap<String, u64>,
    /// Format word that is not known → how many accepted lines have it.
    pub formats_unmapped: BTreeMap<String, u64>,
    /// Reason → how many lines were set aside for it.
    pub faults: BTreeMap<String, u64>,
    /// The first lines that were set aside.
    pub first_quarantined: Vec<(u64, Fault)>,
}

impl Report {
    /// Counts an accepted line.
    pub fn accept(&mut self, draft: &Draft) {
        self.accepted += 1;
        for gap in &draft.gaps {
            *self.gaps.entry(gap).or_default() += 1;
        }
        for key in &draft.not_taken {
            count(&mut self.not_taken, key);
        }
        for word in &draft.formats_unmapped {
            count(&mut self.formats_unmapped, word);
        }
    }

    /// Counts a line that is set aside, and writes it to the file if there is one.
    pub fn quarantine(
        &mut self,
        line: u64,
        fault: Fault,
        raw: &[u8],
        file: Option<&QuarantineFile>,
    ) -> Result<(), Failure> {
        self.quarantined += 1;
        count(&mut self.faults, fault.reason());
        if let Some(file) = file {
            file.write(line, &fault, raw)?;
        }
        if self.first_quarantined.len() < SHOWN {
            self.first_quarantined.push((line, fault));
        }
        Ok(())
    }

    /// Adds what was counted elsewhere about other lines.
    pub fn merge(&mut self, other: Self) {
        self.read += other.read;
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.quarantined += other.quarantined;
        for (gap, lacking) in other.gaps {
            *self.gaps.entry(gap).or_default() += lacking;
        }
        let named = [
            (&mut self.not_taken, other.not_taken),
            (&mut self.formats_unmapped, other.formats_unmapped),
            (&mut self.faults, other.faults),
        ];
        for (mine, theirs) in named {
            for (name, number) in theirs {
                *mine.entry(name).or_default() += number;
            }
        }
        self.first_quarantined.extend(other.first_quarantined);
        self.first_quarantined.sort_by_key(|(line, _)| *line);
        self.first_quarantined.truncate(SHOWN);
    }

    /// The four counts.
    pub fn to_json(&self) -> Value {
        json!({
            "read": self.read,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
        })
    }

    /// The counts, the gaps and the first lines set aside, for people.
    pub fn write_text(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        let Self { read, accepted, duplicates, quarantined, .. } = self;
        let counts = both!(
            "read {read} = accepted {accepted} + duplicates {duplicates} + quarantined {quarantined}",
            "读取 {read} = 接收 {accepted} + 重复 {duplicates} + 隔离 {quarantined}"
        );
        writeln!(out, "{}", counts.text(lang))?;

        let section = |out: &mut dyn Write, title: crate::language::Bilingual| {
            writeln!(out, "\n{}", title.text(lang))
        };
        if !self.gaps.is_empty() {
            section(out, both!("Gaps of the accepted entries", "已接收条目的缺项"))?;
            rows(out, &self.gaps)?;
        }
        if !self.formats_unmapped.is_empty() {
            section(out, both!("Format words not known, left out", "未识别的格式用语（未采用）"))?;
            rows(out, &self.formats_unmapped)?;
        }
        if !self.not_taken.is_empty() {
            section(out, both!("Keys without a place in an entry", "目录条目中无对应字段的键"))?;
            rows(out, &self.not_taken)?;
        }
        if !self.faults.is_empty() {
            section(out, both!("Quarantined, by reason", "隔离原因"))?;
            rows(out, &self.faults)?;
            section(out, both!("The first quarantined lines", "最先隔离的行"))?;
            for (line, fault) in &self.first_quarantined {
                writeln!(out, "  {line:>8}  {}: {}", fault.reason(), fault.message().text(lang))?;
            }
        }
        Ok(())
    }
}

fn rows<K: AsRef<str>>(out: &mut dyn Write, counts: &BTreeMap<K, u64>) -> io::Result<()> {
    for (name, number) in counts {
        writeln!(out, "  {number:>8}  {}", name.as_ref())?;
    }
    Ok(())
}

/// Counts under `name`; once there are too many names, under `…`.
fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(number) = counts.get_mut(name) {
        *number += 1;
    } else {
        let name = if counts.len() < NAMES_MAX { name } else { "…" };
        *counts.entry(name.to_owned()).or_default() += 1;
    }
}

/// A file of the lines that were set aside: JSON lines `{line, reason, message, raw}`.
///
/// Clones write to the same file.
#[derive(Debug, Clone)]
pub struct QuarantineFile {
    path: PathBuf,
    out: Arc<Mutex<BufWriter<File>>>,
}

impl QuarantineFile {
    /// Creates the file, which must not be the one that is read.
    pub fn create(path: &Path, source: &Path) -> Result<Self, Failure> {
        let same = match (fs::canonicalize(path), fs::canonicalize(source)) {
            (Ok(path), Ok(source)) => path == source,
            _ => false,
        };
        if same {
            let path = path.display();
            return Err(Failure::usage(both!(
                "{path} is the file to be imported; name another one for its quarantined lines",
                "{path} 就是待导入的文件；请为隔离行另指定一个文件"
            )));
        }
        let file = File::create(path).map_err(|error| Failure::file(path, &error))?;
        Ok(Self { path: path.to_owned(), out: Arc::new(Mutex::new(BufWriter::new(file))) })
    }

    fn write(&self, line: u64, fault: &Fault, raw: &[u8]) -> Result<(), Failure> {
        let object = json!({
            "line": line,
            "reason": fault.reason(),
            "message": fault.message().en,
            "raw": String::from_utf8_lossy(raw),
        });
        self.with(|out| writeln!(out, "{object}"))
    }

    /// Brings everything to the file.
    pub fn finish(&self) -> Result<(), Failure> {
        self.with(BufWriter::flush)
    }

    fn with(
        &self,
        act: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut out).map_err(|error| Failure::file(&self.path, &error))
    }
}
