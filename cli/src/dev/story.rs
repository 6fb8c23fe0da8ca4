//! Story: how is a walk told, to people and to programs?
//!
//! To people: one heading a step, below it what was done, what came of it and under which rule.
//! To programs: one object a step and a last one that sums up.

use std::{
    fmt::Debug,
    io::{self, Write},
    time::Duration,
};

use catalog_model::{
    reason::{Lang, Reason},
    rule::{Rank, RuleRef},
};
use luqiao_proto::rule::v1 as rule_message;
use luqiao_transport::status::Problem;
use serde_json::{Value, json};
use tonic::Status;

use crate::{both, failure::Failure, language::Bilingual};

/// How much of a value a sentence shows, in characters.
const VALUE_CHARS_MAX: usize = 200;

/// Why a step did not hold.
#[derive(Debug)]
pub struct StepFailed(pub Bilingual);

impl From<Failure> for StepFailed {
    fn from(failure: Failure) -> Self {
        let Failure { reason, message, .. } = failure;
        let mut text = Bilingual {
            en: format!("{} [{reason}]", message.en),
            zh: format!("{} [{reason}]", message.zh),
        };
        for (field, wrong) in failure.fields {
            for side in [&mut text.en, &mut text.zh] {
                side.push_str("; ");
                side.push_str(&field);
                side.push_str(": ");
                side.push_str(&wrong);
            }
        }
        Self(text)
    }
}

impl From<Status> for StepFailed {
    fn from(status: Status) -> Self {
        Failure::call(&status).into()
    }
}

/// What happens in one step, as it is gathered.
#[derive(Debug)]
pub struct Telling {
    broken: bool,
    looks: usize,
    lines: Vec<Bilingual>,
    resource: String,
}

impl Telling {
    /// For a step whose expectations are turned into their opposites if `broken`.
    pub fn new(broken: bool) -> Self {
        Self { broken, looks: 0, lines: Vec::new(), resource: String::new() }
    }

    /// Tells something.
    pub fn say(&mut self, line: Bilingual) {
        self.lines.push(line);
    }

    /// Tells on which rule it rests.
    pub fn under(&mut self, rule: Option<&rule_message::RuleRef>) {
        if let Some(rule) = rule {
            let rule = rule_ref(rule);
            self.lines.push(Bilingual {
                en: format!("  under {}", rule.cite(Lang::En)),
                zh: format!("  依据 {}", rule.cite(Lang::Zh)),
            });
        }
    }

    /// What the step is about.
    pub fn about(&mut self, resource: &str) {
        resource.clone_into(&mut self.resource);
    }

    /// A *fresh read through another node* found `found` where `expected` should be.
    ///
    /// Every step looks at least once; these are the expectations that `--break` makes wrong.
    pub fn saw<T: PartialEq + Debug>(
        &mut self,
        what: &str,
        found: T,
        expected: T,
    ) -> Result<(), StepFailed> {
        self.looks += 1;
        if (found == expected) != self.broken {
            return Ok(());
        }
        let not = if self.broken { "anything but " } else { "" };
        let (found, expected) = (shown(&found), shown(&expected));
        Err(StepFailed(both!(
            "{what}: found {found}, expected {not}{expected}",
            "{what}：实际为 {found}，预期为 {not}{expected}"
        )))
    }

    /// How often a fresh read was compared.
    pub fn looks(&self) -> usize {
        self.looks
    }
}

/// An expectation about something that is no fresh read: what a call answered.
pub fn expect<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), StepFailed> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (shown(&found), shown(&expected));
    Err(StepFailed(both!(
        "{what}: found {found}, expected {expected}",
        "{what}：实际为 {found}，预期为 {expected}"
    )))
}

/// A value in a sentence: whole catalogs have no place there.
fn shown<T: Debug>(value: &T) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A failure in words.
pub fn failed<T>(words: Bilingual) -> Result<T, StepFailed> {
    Err(StepFailed(words))
}

/// The problem with which a call was refused for `reason`; anything else is a failure.
pub fn refused<T: Debug>(answer: Result<T, Status>, reason: Reason) -> Result<Problem, StepFailed> {
    match answer {
        Ok(done) => failed(both!(
            "should have been refused as {reason}, but was done: {done:?}",
            "应以 {reason} 拒绝，却已执行：{done:?}"
        )),
        Err(status) => {
            let problem = Problem::from_status(&status);
            if problem.reason == Some(reason) {
                Ok(problem)
            } else {
                let found = StepFailed::from(status).0;
                failed(Bilingual {
                    en: format!("should have been refused as {reason}: {}", found.en),
                    zh: format!("应以 {reason} 拒绝：{}", found.zh),
                })
            }
        }
    }
}

/// The rule of a message, to be cited.
pub(crate) fn rule_ref(rule: &rule_message::RuleRef) -> RuleRef {
    RuleRef {
        id: rule.id.clone(),
        title: rule.title.clone(),
        article: rule.article.clone(),
        paragraph: u16::try_from(rule.paragraph).unwrap_or(0),
        // Citing only tells rules of the house from all others.
        rank: if rule.rank() == rule_message::Rank::HouseRule {
            Rank::HouseRule
        } else {
            Rank::Law
        },
        quote: rule.quote.clone(),
    }
}

/// How a step ended.
#[derive(Debug)]
pub struct StepEnd {
    /// Its name.
    pub step: &'static str,
    /// Its heading.
    pub title: Bilingual,
    /// What happened.
    pub telling: Telling,
    /// Why it did not hold, if it did not.
    pub failure: Option<StepFailed>,
    /// How long it took.
    pub took: Duration,
}

impl StepEnd {
    /// `{"step":…,"ok":…,"took_ms":…,"resource":…}`, with a message if it failed.
    pub fn to_json(&self, lang: Lang) -> Value {
        let mut object = json!({
            "step": self.step,
            "ok": self.failure.is_none(),
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "resource": self.telling.resource,
        });
        if let Some(StepFailed(message)) = &self.failure {
            object["message"] = message.text(lang).into();
        }
        object
    }

    fn write_text(&self, out: &mut dyn Write, number: usize, lang: Lang) -> io::Result<()> {
        let mark = if self.failure.is_none() { "✓" } else { "✗" };
        let took = self.took.as_millis();
        writeln!(out, "{mark} {number:>2}. {}  [{}, {took} ms]", self.title.text(lang), self.step)?;
        for line in &self.telling.lines {
            writeln!(out, "       {}", line.text(lang))?;
        }
        if let Some(StepFailed(message)) = &self.failure {
            let label = match lang {
                Lang::En => "did not hold",
                Lang::Zh => "未通过",
            };
            writeln!(out, "       {label}: {}", message.text(lang))?;
        }
        Ok(())
    }
}

/// Where a walk is told.
#[derive(Debug)]
pub struct Narrator {
    lang: Lang,
    json: bool,
    steps: usize,
    failed: usize,
}

impl Narrator {
    /// Tells in `lang`, to programs if `json`.
    pub fn new(lang: Lang, json: bool) -> Self {
        Self { lang, json, steps: 0, failed: 0 }
    }

    /// Tells how a step ended. A reader that has gone away is no reason to stop.
    pub fn tell(&mut self, end: &StepEnd) {
        self.steps += 1;
        self.failed += usize::from(end.failure.is_some());
        let mut out = io::stdout().lock();
        let _ = if self.json {
            writeln!(out, "{}", end.to_json(self.lang))
        } else {
            end.write_text(&mut out, self.steps, self.lang)
        };
        let _ = out.flush();
    }

    /// Sums up. `true` if every step held.
    pub fn sum_up(&self) -> bool {
        let Self { steps, failed, .. } = *self;
        let mut out = io::stdout().lock();
        let _ = if self.json {
            writeln!(out, "{}", summary(steps, failed))
        } else {
            let words = if failed == 0 {
                both!("\nAll {steps} steps held.", "\n全部 {steps} 步均通过。")
            } else {
                both!(
                    "\n{failed} of {steps} steps did not hold.",
                    "\n{steps} 步中有 {failed} 步未通过。"
                )
            };
            writeln!(out, "{}", words.text(self.lang))
        };
        let _ = out.flush();
        failed == 0
    }
}

/// `{"summary":true,"steps":N,"failed":0}`
fn summary(steps: usize, failed: usize) -> Value {
    json!({"summary": true, "steps": steps, "failed": failed})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(failure: Option<&str>) -> StepEnd {
        let mut telling = Telling::new(false);
        telling.about("domains/xiamen/requests/1");
        StepEnd {
            step: "conditional",
            title: both!("A case", "立案"),
            telling,
            failure: failure.map(|text| StepFailed(Bilingual::same(text))),
            took: Duration::from_micros(41_900),
        }
    }

    #[test]
    fn the_objects_have_the_promised_shape() {
        let text = end(None).to_json(Lang::En).to_string();
        assert_eq!(
            text,
            r#"{"step":"conditional","ok":true,"took_ms":41,"resource":"domains/xiamen/requests/1"}"#
        );
        assert_eq!(summary(21, 0).to_string(), r#"{"summary":true,"steps":21,"failed":0}"#);
    }

    #[test]
    fn a_step_that_did_not_hold_says_why_and_is_counted() {
        let failed = end(Some("found 3, expected 2"));
        assert_eq!(failed.to_json(Lang::En)["ok"], false);
        assert_eq!(failed.to_json(Lang::En)["message"], "found 3, expected 2");
        let mut narrator = Narrator::new(Lang::En, true);
        narrator.tell(&end(None));
        assert!(narrator.sum_up());
        narrator.tell(&failed);
        assert!(!narrator.sum_up());
        assert_eq!((narrator.steps, narrator.failed), (2, 1));
    }

    #[test]
    fn a_broken_expectation_fails_exactly_where_the_right_one_holds() {
        let mut right = Telling::new(false);
        right.saw("due date", "2026-10-12", "2026-10-12").unwrap();
        right.saw("due date", "2026-10-13", "2026-10-12").unwrap_err();
        assert_eq!(right.looks(), 2);
        let mut broken = Telling::new(true);
        broken.saw("due date", "2026-10-12", "2026-10-12").unwrap_err();
        assert_eq!(broken.looks(), 1);
    }

    #[test]
    fn a_large_value_does_not_fill_the_sentence() {
        let StepFailed(words) = expect("list", vec![7; 10_000], Vec::new()).unwrap_err();
        assert!(words.en.chars().count() < 2 * VALUE_CHARS_MAX, "{}", words.en.len());
        assert!(words.en.contains("[7, 7") && words.en.ends_with("expected []"), "{}", words.en);
    }

    #[test]
    fn a_house_rule_shows_no_article() {
        let rule = rule_message::RuleRef {
            id: "HOUSE-catalog-links".to_owned(),
            rank: rule_message::Rank::HouseRule.into(),
            ..Default::default()
        };
        let mut telling = Telling::new(false);
        telling.under(Some(&rule));
        assert_eq!(
            telling.lines,
            [Bilingual {
                en: "  under house rule HOUSE-catalog-links".to_owned(),
                zh: "  依据 内部规则 HOUSE-catalog-links".to_owned(),
            }]
        );
    }
}
