//! A record in a sentence: what would a clerk write down?
//!
//! One template for each kind of fact and language. `{field}` stands for a value of the record's
//! JSON, `{subject}` for what it is about, and `[field?text|other]` for `text` where the field holds
//! something (true, a value, a list that is not empty) and `other` where it does not. Names of
//! organizations and entries are shown as people know them; what nobody here knows stays a name.

mod templates;
mod words;

use catalog_model::reason::Lang;
use serde_json::Value;

pub(super) use self::{templates::TEMPLATES, words::label};

/// The sentence for a fact of this kind; `known` says how people call a resource.
pub(super) fn sentence(
    kind: &str,
    subject: &str,
    details: &Value,
    lang: Lang,
    known: &dyn Fn(&str) -> Option<String>,
) -> String {
    let Some((_, zh, en)) = TEMPLATES.iter().find(|(word, ..)| *word == kind) else {
        // A fact of a newer program: its word and details are all there is.
        return format!("{kind} {details}");
    };
    let speaker = Speaker { subject, details, lang, known };
    speaker.fill(match lang {
        Lang::Zh => zh,
        Lang::En => en,
    })
}

struct Speaker<'a> {
    subject: &'a str,
    details: &'a Value,
    lang: Lang,
    known: &'a dyn Fn(&str) -> Option<String>,
}

impl Speaker<'_> {
    /// Takes the choices, then the values.
    fn fill(&self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('[') {
            let (choice, behind) = after.split_once(']').unwrap_or((after, ""));
            text.push_str(&self.values(before));
            let (field, texts) = choice.split_once('?').unwrap_or((choice, ""));
            let (yes, no) = texts.split_once('|').unwrap_or((texts, ""));
            let chosen = if holds(&self.details[field]) { yes } else { no };
            text.push_str(&self.values(chosen));
            rest = behind;
        }
        text.push_str(&self.values(rest));
        text
    }

    fn values(&self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, behind) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            if field == "subject" {
                text.push_str(&self.name(self.subject));
            } else {
                text.push_str(&self.value(&self.details[field]));
            }
            rest = behind;
        }
        text.push_str(rest);
        text
    }

    fn name(&self, name: &str) -> String {
        (self.known)(name).unwrap_or_else(|| name.to_owned())
    }

    fn value(&self, value: &Value) -> String {
        match (value, self.lang) {
            (Value::Null, Lang::Zh) => "无".to_owned(),
            (Value::Null, Lang::En) => "none".to_owned(),
            (Value::Bool(true), Lang::Zh) => "是".to_owned(),
            (Value::Bool(true), Lang::En) => "yes".to_owned(),
            (Value::Bool(false), Lang::Zh) => "否".to_owned(),
            (Value::Bool(false), Lang::En) => "no".to_owned(),
            (Value::Number(number), _) => number.to_string(),
            (Value::String(text), _) if text.starts_with("domains/") => self.name(text),
            (Value::String(text), _) if is_digest(text) => format!("{}…", &text[..12]),
            (Value::String(text), lang) => words::word(text, lang),
            (Value::Array(values), lang) => {
                let comma = if lang == Lang::Zh { "、" } else { ", " };
                values.iter().map(|value| self.value(value)).collect::<Vec<_>>().join(comma)
            }
            (Value::Object(fields), lang) => {
                let comma = if lang == Lang::Zh { "，" } else { ", " };
                let values = fields.values().filter(|value| !value.is_null());
                values.map(|value| self.value(value)).collect::<Vec<_>>().join(comma)
            }
        }
    }
}

fn holds(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Object(_) => true,
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
