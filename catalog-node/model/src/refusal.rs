//! A refusal: why something was not done, as one value that every edge can word.
//!
//! The decision says it once, here; transport turns it into a status, the command line into a
//! sentence. A refusal with legal effect is also a committed outcome and carries its rule.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::{
    reason::{Lang, Reason},
    rule::RuleRef,
};

/// Something was refused: the stable reason and the facts that go with it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Refusal {
    /// The stable reason.
    #[n(0)]
    pub reason: Reason,
    /// The rule of law or of the house on which it rests, for refusals that rest on one.
    #[n(1)]
    pub rule: Option<RuleRef>,
    /// Fields of the call that are wrong.
    #[n(2)]
    pub fields: Vec<FieldViolation>,
    /// Facts, by key: what was found, what was expected. Also fills `{key}` in the texts; in
    /// Chinese `key_zh` does, where there is one.
    #[n(3)]
    pub facts: BTreeMap<String, String>,
    /// After how many milliseconds the same call may succeed; absent = not by waiting.
    #[n(4)]
    pub retry_after_ms: Option<u64>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FieldViolation {
    /// Path of the field in the call, for instance `entry.items[2].name`.
    #[n(0)]
    pub field: String,
    /// What is wrong with it, in English.
    #[n(1)]
    pub en: String,
    /// The same in Chinese.
    #[n(2)]
    pub zh: String,
}

impl Refusal {
    /// A refusal for `reason` with nothing else to say.
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            rule: None,
            fields: Vec::new(),
            facts: BTreeMap::new(),
            retry_after_ms: None,
        }
    }

    /// Adds the rule on which it rests.
    pub fn under(mut self, rule: RuleRef) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Adds a fact.
    pub fn fact(mut self, key: &str, value: impl ToString) -> Self {
        self.facts.insert(key.to_owned(), value.to_string());
        self
    }

    /// Adds a wrong field.
    pub fn field(mut self, field: &str, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.fields.push(FieldViolation { field: field.to_owned(), en: en.into(), zh: zh.into() });
        self
    }

    /// Says after which time the same call may succeed.
    pub fn retry_after(mut self, millis: u64) -> Self {
        self.retry_after_ms = Some(millis);
        self
    }

    /// `template` with each `{key}` replaced by its fact, once: what a fact says is never a
    /// template itself. A key without a fact stays as it stands.
    fn fill(&self, template: &str, lang: Lang) -> String {
        let fact = |key: &str| match lang {
            Lang::Zh => self.facts.get(&format!("{key}_zh")).or_else(|| self.facts.get(key)),
            Lang::En => self.facts.get(key),
        };
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let found = after.split_once('}').and_then(|(key, rest)| Some((fact(key)?, rest)));
            if let Some((value, after)) = found {
                filled.push_str(value);
                rest = after;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }

    /// The sentence for people: the reason's text with its facts, the rule, the fields.
    pub fn text(&self, lang: Lang) -> String {
        let mut text = self.fill(self.reason.text(lang), lang);
        if let Some(rule) = &self.rule {
            let (open, close) = match lang {
                Lang::Zh => ("（", "）"),
                Lang::En => (" (", ")"),
            };
            text.push_str(open);
            text.push_str(&rule.cite(lang));
            text.push_str(close);
        }
        for violation in &self.fields {
            let what = match lang {
                Lang::Zh => &violation.zh,
                Lang::En => &violation.en,
            };
            text.push_str(match lang {
                Lang::Zh => "；",
                Lang::En => "; ",
            });
            text.push_str(&violation.field);
            text.push_str(": ");
            text.push_str(what);
        }
        text
    }
}

#[cfg(test)]
mod tests;
