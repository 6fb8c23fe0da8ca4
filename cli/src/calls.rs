//! Calls: what did this person try lately, and what came of it?
//!
//! A short file on the person's own machine, for `luqiao explain`: the command as it was typed, its
//! request id, and the refusal if there was one. The platform keeps the outcome of what reached its
//! log; what was refused before that is known here alone. Nothing that others wrote is in it, and
//! what is old goes.
//!
//! One JSON object a line. A file that cannot be written is no reason to fail a call, and a line
//! that cannot be read is skipped. `LUQIAO_CALLS` names another file, or `off` for none.

use std::{
    env,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

use catalog_model::reason::Lang;
use serde::{Deserialize, Serialize};

use crate::{failure::Failure, language::Bilingual};

/// How many calls are remembered.
const KEPT: usize = 200;
/// How many lines the file grows to before the old ones go: it is not rewritten with every call.
const LINES_MAX: usize = 2 * KEPT;

/// A call as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its request id.
    pub request_id: String,
    /// The command, without the program.
    pub arguments: Vec<String>,
    /// What it was refused for; absent if it was not, or if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refused>,
}

/// A refusal as the command was told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The stable reason.
    pub reason: String,
    /// The sentence: English, or in the language of that call if a server said it.
    pub message: String,
    /// The sentence in Chinese where it is another.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message_zh: String,
    /// What the caller can do.
    pub advice: String,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice_zh: String,
    /// Fields that are wrong, each with what is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
}

impl Refused {
    /// Of a failure that a server told of.
    pub fn of(failure: &Failure) -> Self {
        let zh = |said: &Bilingual| {
            if said.zh == said.en { String::new() } else { said.zh.clone() }
        };
        Self {
            reason: failure.reason.clone(),
            message: failure.message.en.clone(),
            message_zh: zh(&failure.message),
            advice: failure.advice.en.clone(),
            advice_zh: zh(&failure.advice),
            fields: failure.fields.clone(),
        }
    }

    /// The sentence in `lang`, as far as it is known in it.
    pub fn message(&self, lang: Lang) -> &str {
        chosen(lang, &self.message, &self.message_zh)
    }

    /// What the caller can do, in `lang` as far as it is known in it; empty if nothing was advised.
    pub fn advice(&self, lang: Lang) -> &str {
        chosen(lang, &self.advice, &self.advice_zh)
    }
}

/// A call that was remembered by an older program has no Chinese.
fn chosen<'a>(lang: Lang, said: &'a str, zh: &'a str) -> &'a str {
    if lang == Lang::Zh && !zh.is_empty() { zh } else { said }
}

/// The call of this process, once it has a request id.
static CURRENT: LazyLock<Mutex<Option<Call>>> = LazyLock::new(Mutex::default);

/// Notes that this process makes a call under `request_id`.
pub fn begin(request_id: &str) {
    let arguments = env::args().skip(1).collect();
    let call = Call { request_id: request_id.to_owned(), arguments, refusal: None };
    if let Some(file) = file() {
        // Before anything is sent: who is left without an answer needs it.
        let _ = append(&file, &call);
    }
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
}

/// Notes how the call of this process failed.
pub fn refused(failure: &Failure) {
    let call = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Some(call), Some(file)) = (call, file()) {
        let _ = append(&file, &Call { refusal: Some(Refused::of(failure)), ..call });
    }
}

/// Where calls are kept; absent = nowhere.
pub fn file() -> Option<PathBuf> {
    let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    match set("LUQIAO_CALLS") {
        Some(off) if off == Path::new("off") => None,
        Some(file) => Some(file),
        None => {
            let folder = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
            Some(folder?.join("luqiao").join("calls.jsonl"))
        }
    }
}

/// The calls in `file`, the oldest first; one that is there twice as it was told last.
pub fn read(file: &Path) -> Vec<Call> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut calls: Vec<Call> = Vec::new();
    for call in text.lines().filter_map(|line| serde_json::from_str::<Call>(line).ok()) {
        calls.retain(|known| known.request_id != call.request_id);
        calls.push(call);
    }
    calls
}

fn append(file: &Path, call: &Call) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let line = serde_json::to_string(call)?;
    let lines = fs::read_to_string(file).map_or(0, |text| text.lines().count());
    if lines >= LINES_MAX {
        let calls = read(file);
        let kept = &calls[calls.len().saturating_sub(KEPT - 1)..];
        let mut text = String::new();
        for call in kept {
            text.push_str(&serde_json::to_string(call)?);
            text.push('\n');
        }
        // In one piece: another command may append meanwhile, and loses at most its own line.
        let draft = file.with_extension("draft");
        write_private(&draft, text.as_bytes(), false)?;
        fs::rename(&draft, file)?;
    }
    write_private(file, format!("{line}\n").as_bytes(), true)
}

/// Only for the person whose calls they are.
fn write_private(file: &Path, bytes: &[u8], append: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    if append {
        options.append(true)
    } else {
        options.write(true).truncate(true)
    };
    options.open(file)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use crate::{both, exit::Exit};

    use super::*;

    fn call(number: usize) -> Call {
        let arguments = vec!["request".to_owned(), "show".to_owned()];
        Call { request_id: format!("id-{number}"), arguments, refusal: None }
    }

    #[test]
    fn what_is_old_goes_and_the_last_word_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep").join("calls.jsonl");
        for number in 0..LINES_MAX + 5 {
            append(&file, &call(number)).unwrap();
        }
        let refusal = Refused {
            reason: "ETAG_MISMATCH".to_owned(),
            message: "changed".to_owned(),
            message_zh: String::new(),
            advice: "read again".to_owned(),
            advice_zh: "重新读取".to_owned(),
            fields: vec![],
        };
        append(&file, &Call { refusal: Some(refusal.clone()), ..call(LINES_MAX) }).unwrap();
        fs::write(&file, fs::read_to_string(&file).unwrap() + "{ cut").unwrap();
        let calls = read(&file);
        assert!(calls.len() <= KEPT + 5, "{} are kept", calls.len());
        assert!(!calls.iter().any(|known| known.request_id == "id-0"));
        let last = calls.iter().find(|known| known.request_id == format!("id-{LINES_MAX}"));
        assert_eq!(last.unwrap().refusal, Some(refusal));
    }
    #[test]
    fn what_was_told_is_told_again_in_either_language() {
        // A server's sentence is in one language, what to do about it in both.
        let failure = Failure::new(Exit::Error, "ETAG_MISMATCH", Bilingual::same("资源已变更"))
            .advising(both!("read again", "重新读取"));
        let line = serde_json::to_string(&Refused::of(&failure)).unwrap();
        let refused: Refused = serde_json::from_str(&line).unwrap();
        assert_eq!([Lang::En, Lang::Zh].map(|lang| refused.message(lang)), ["资源已变更"; 2]);
        let advice = [Lang::En, Lang::Zh].map(|lang| refused.advice(lang));
        assert_eq!(advice, ["read again", "重新读取"]);

        let older = r#"{"reason": "ETAG_MISMATCH", "message": "changed", "advice": "read again"}"#;
        let refused: Refused = serde_json::from_str(older).unwrap();
        assert_eq!(refused.advice(Lang::Zh), "read again");
    }
}
