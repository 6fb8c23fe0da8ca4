//! Output: data on stdout, talk on stderr.
//!
//! With `-o json` the last line of stdout is one object, also when the command fails. Tables are
//! made from the same JSON, so that the two cannot say different things.

use std::io::{self, Write};

use catalog_model::reason::Lang;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::{exit::Exit, failure::Failure, language::Bilingual};

/// How data are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// A column of a table: its heading and where in the row's JSON its value is.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// English heading.
    pub en: &'static str,
    /// Chinese heading.
    pub zh: &'static str,
    /// JSON pointer within the row.
    pub path: &'static str,
}

/// A column.
pub const fn column(en: &'static str, zh: &'static str, path: &'static str) -> Column {
    Column { en, zh, path }
}

/// How this run of the command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// How data are printed.
    pub format: Format,
    /// In which language.
    pub lang: Lang,
    /// Whether to tell more than was asked.
    pub verbose: bool,
}

impl Output {
    /// Tells something that is not data.
    pub fn say(&self, words: &Bilingual) {
        // Nobody is left to be told if stderr is closed.
        let _ = writeln!(io::stderr().lock(), "{}", words.text(self.lang));
    }

    /// The same, if more was asked for.
    pub fn detail(&self, words: &Bilingual) {
        if self.verbose {
            self.say(words);
        }
    }

    /// Prints `json`, or what `text` writes for people.
    pub fn data(
        &self,
        json: &Value,
        text: impl FnOnce(&mut dyn Write, Lang) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = match self.format {
            Format::Json => writeln!(out, "{json}"),
            Format::Table => text(&mut out, self.lang),
        };
        match written.and_then(|()| out.flush()) {
            // The reader has seen enough: `luqiao … | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| Failure::file("stdout".as_ref(), &error)),
        }
    }

    /// Prints one resource: its fields below each other.
    pub fn resource(&self, value: &Value) -> Result<(), Failure> {
        self.data(value, |out, _| write_fields(out, value))
    }

    /// Prints a page: the rows under `key`, and how to go on if there is more.
    pub fn page(&self, page: &Value, key: &str, columns: &[Column]) -> Result<(), Failure> {
        let none = Vec::new();
        let rows = page[key].as_array().unwrap_or(&none);
        self.data(page, |out, lang| write_table(out, rows, columns, lang))?;
        let token = page["next_page_token"].as_str().filter(|token| !token.is_empty());
        if let (Format::Table, Some(token)) = (self.format, token) {
            self.say(&crate::both!("more: --page-token {token}", "还有更多：--page-token {token}"));
        }
        Ok(())
    }

    /// Tells why the command failed.
    pub fn failure(&self, failure: &Failure) -> Exit {
        self.tell(failure);
        if self.format == Format::Json {
            let _ = writeln!(io::stdout().lock(), "{}", failure.to_json(self.lang));
        }
        failure.exit
    }

    /// The same without the object on stdout, for commands that print one of their own.
    pub fn tell(&self, failure: &Failure) {
        let label = match self.lang {
            Lang::En => "error",
            Lang::Zh => "错误",
        };
        let mut err = io::stderr().lock();
        let message = failure.message.text(self.lang);
        // A server's sentence ends in the list of what is wrong; below, each has a line of its own.
        let sentence = failure.fields.first().and_then(|(field, wrong)| {
            message.find(&format!("{field}: {wrong}")).map(|at| &message[..at])
        });
        let sentence = sentence.unwrap_or(message).trim_end_matches(['；', ';', ' ']);
        let _ = writeln!(err, "{label}: {sentence} [{}]", failure.reason);
        for (field, wrong) in &failure.fields {
            let _ = writeln!(err, "  {field}: {wrong}");
        }
        let advice = failure.advice.text(self.lang);
        if !advice.is_empty() {
            let label = match self.lang {
                Lang::En => "what to do",
                Lang::Zh => "处理办法",
            };
            let _ = writeln!(err, "{label}: {advice}");
        }
    }
}

/// `path  value` for every value within `value` that is not itself made of values.
fn write_fields(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    let mut rows = Vec::new();
    collect("", value, &mut rows);
    let width = rows.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
    for (path, text) in rows {
        writeln!(out, "{path:width$}  {text}")?;
    }
    Ok(())
}

fn collect(path: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, value, rows);
            }
        }
        Value::Array(list) if list.iter().any(|value| value.is_object() || value.is_array()) => {
            for (index, value) in list.iter().enumerate() {
                collect(&format!("{path}[{index}]"), value, rows);
            }
        }
        _ => rows.push((path.to_owned(), words(value))),
    }
}

/// `rows` under the headings of `columns`.
pub fn write_table(
    out: &mut dyn Write,
    rows: &[Value],
    columns: &[Column],
    lang: Lang,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| match lang {
        Lang::En => column.en,
        Lang::Zh => column.zh,
    }));
    for row in rows {
        table.add_row(
            columns.iter().map(|column| row.pointer(column.path).map(words).unwrap_or_default()),
        );
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A value in the fewest words: no quotes, lists with commas, enum values without their prefix.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => without_prefix(text).unwrap_or_else(|| text.replace('\n', " ")),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// `SHARING_KIND_NOT_SHARED` as `not_shared`.
fn without_prefix(text: &str) -> Option<String> {
    const PREFIXES: &[&str] = &[
        "ACQUISITION_KIND_",
        "ANSWER_KIND_",
        "ASSESSMENT_KIND_",
        "CHANGED_PART_",
        "CHANGE_TRIGGER_",
        "COLLECTION_RESULT_",
        "COMMITMENT_",
        "CONTRACT_STATE_",
        "DATASET_KIND_",
        "DATA_FORMAT_",
        "DATA_KIND_",
        "DATA_LEVEL_",
        "DAY_KIND_",
        "DEADLINE_KIND_",
        "DECIDER_",
        "DELIVERY_PROOF_",
        "DEMAND_STATE_",
        "DESK_",
        "DIMENSION_",
        "DISPOSAL_MANNER_",
        "DISPUTE_STATE_",
        "EMERGENCY_STATE_",
        "ENTRY_STATE_",
        "FILING_KIND_",
        "FINDING_SEVERITY_",
        "GRANT_STATE_",
        "HEARING_OUTCOME_",
        "ITEM_TYPE_",
        "LATENESS_",
        "LIBRARY_KIND_",
        "MERGE_OPERATOR_",
        "MISUSE_GROUND_",
        "OBJECTION_STATE_",
        "OPEN_TYPE_",
        "ORPHAN_KIND_",
        "OUTAGE_EFFECT_",
        "PARTY_CLASS_",
        "PARTY_ROLE_",
        "PENDING_WORK_KIND_",
        "PERSONAL_OBJECTION_STATE_",
        "PERSON_ROLE_",
        "PLATFORM_ROLE_",
        "PURCHASE_STATE_",
        "PURPOSE_END_KIND_",
        "REPORT_STATE_",
        "REVIEW_OUTCOME_",
        "RULE_STANDING_",
        "RULING_KIND_",
        "SECRECY_MARK_",
        "SELF_CHECK_KIND_",
        "SERVICE_CHANGE_CAUSE_",
        "SERVICE_CHANGE_KIND_",
        "SERVICE_CHANGE_STATE_",
        "SHARE_REQUEST_STATE_",
        "SHARING_KIND_",
        "SHARING_METHOD_",
        "SIDE_",
        "SUSPENSION_GROUND_",
        "TRANSFER_STATE_",
        "UPDATE_CYCLE_",
        "USE_FIELD_",
        "WIDER_USE_KIND_",
        "WORKLIST_OUTCOME_",
    ];
    let rest = PREFIXES.iter().find_map(|prefix| text.strip_prefix(*prefix))?;
    Some(rest.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_resource_is_its_fields_below_each_other() {
        let value = json!({
            "name": "x",
            "sharing": {"kind": "SHARING_KIND_NOT_SHARED"},
            "keywords": ["a", "b"],
            "items": [{"name": "p"}, {"name": "q"}],
        });
        assert_eq!(
            written(|out| write_fields(out, &value)),
            "name           x\n\
             sharing.kind   not_shared\n\
             keywords       a, b\n\
             items[0].name  p\n\
             items[1].name  q\n"
        );
    }

    #[test]
    fn a_table_has_headings_in_the_language_and_blanks_for_what_is_absent() {
        let columns =
            [column("TITLE", "名称", "/title"), column("DUE", "期限", "/deadline/due_date")];
        let rows =
            [json!({"title": "维修信息", "deadline": {"due_date": "2026-10-12"}}), json!({})];
        let text = written(|out| write_table(out, &rows, &columns, Lang::Zh));
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(lines[0].starts_with("名称") && lines[0].ends_with("期限"), "{text}");
        assert!(lines[1].starts_with("维修信息") && lines[1].ends_with("2026-10-12"), "{text}");
        assert_eq!(lines[2], "");
    }
}
