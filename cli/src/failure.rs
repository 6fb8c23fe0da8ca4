//! Failure: what went wrong, why, and what can the person at the keyboard do?
//!
//! Every command ends in `Result<_, Failure>`. The words are chosen once, where the cause is known;
//! [`output`](crate::output) prints them in the chosen language, and with `-o json` as one object.

use std::{io, path::Path};

use catalog_model::reason::{Lang, Reason};
use luqiao_transport::{dial::DialError, status::Problem};
use serde_json::{Value, json};
use tonic::Status;

use crate::{both, exit::Exit, language::Bilingual};

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// A stable name: a reason of the platform, or one of ours in small letters.
    pub reason: String,
    /// What happened.
    pub message: Bilingual,
    /// What to do about it; empty if nothing can be advised.
    pub advice: Bilingual,
    /// Fields that are wrong: path and what is wrong with it.
    pub fields: Vec<(String, String)>,
}

impl Failure {
    /// A failure of the command itself.
    pub fn new(exit: Exit, reason: &str, message: Bilingual) -> Self {
        Self {
            exit,
            reason: reason.to_owned(),
            message,
            advice: Bilingual::default(),
            fields: Vec::new(),
        }
    }

    /// Adds what to do about it.
    pub fn advising(mut self, advice: Bilingual) -> Self {
        self.advice = advice;
        self
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        Self::new(
            Exit::Error,
            "file_unusable",
            both!("{path} cannot be used: {error}", "无法使用文件 {path}：{error}"),
        )
    }

    /// An argument that clap could not judge.
    pub fn usage(message: Bilingual) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// A call that a server refused, or that never reached one.
    pub fn call(status: &Status) -> Self {
        if let Some(error) = DialError::find(status) {
            return Self::dial(error);
        }
        let problem = Problem::from_status(status);
        let message = if problem.message.is_empty() {
            format!("{:?}", problem.code)
        } else {
            problem.message.clone()
        };
        let reason = if problem.reason_name.is_empty() {
            format!("{:?}", problem.code)
        } else {
            problem.reason_name.clone()
        };
        let exit = Exit::of_problem(&problem);
        let mut failure = Self::new(exit, &reason, Bilingual::same(message));
        failure.fields.clone_from(&problem.fields);
        failure.advice = problem.reason.and_then(caller_move).unwrap_or_else(|| advice_for(exit));
        failure
    }

    /// A server that could not be reached.
    pub fn dial(error: &DialError) -> Self {
        let message = Bilingual { en: error.explain(Lang::En), zh: error.explain(Lang::Zh) };
        Self::new(Exit::of_dial(error), "unreachable", message)
    }

    /// For `-o json`.
    pub fn to_json(&self, lang: Lang) -> Value {
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|(field, wrong)| json!({"field": field, "description": wrong}))
            .collect();
        json!({
            "error": {
                "reason": self.reason,
                "message": self.message.text(lang),
                "advice": self.advice.text(lang),
                "fields": fields,
                "exit_code": self.exit.number(),
            }
        })
    }
}

/// What the platform's table advises, in both languages; absent if it advises nothing.
fn caller_move(reason: Reason) -> Option<Bilingual> {
    let told = |lang| reason.caller_move(lang).map(str::to_owned);
    Some(Bilingual { en: told(Lang::En)?, zh: told(Lang::Zh)? })
}

/// What helps where no reason of ours says so.
fn advice_for(exit: Exit) -> Bilingual {
    match exit {
        Exit::OutcomeUnknown => both!(
            "look whether it was done, or repeat the command with the same --request-id",
            "请查询是否已生效，或以相同的 --request-id 重复执行"
        ),
        Exit::Unavailable => both!(
            "try again in a moment; `luqiao status` shows which nodes are up",
            "请稍后重试；luqiao status 可查看各节点状态"
        ),
        _ => Bilingual::default(),
    }
}

#[cfg(test)]
mod tests {
    use catalog_model::refusal::Refusal;
    use luqiao_transport::status;

    use super::*;

    #[test]
    fn a_refusal_keeps_its_reason_its_language_and_what_to_do() {
        let refusal = Refusal::new(Reason::FieldInvalid).field("entry.title", "is empty", "为空");
        let failure = Failure::call(&status::of(&refusal, Lang::Zh));
        assert_eq!(failure.reason, "FIELD_INVALID");
        assert_eq!(failure.exit, Exit::Error);
        assert!(failure.message.text(Lang::Zh).starts_with("调用中有字段不正确"), "{failure:?}");
        assert_eq!(failure.advice, both!("correct the fields that are listed", "更正所列字段"));
        assert_eq!(failure.fields, [("entry.title".to_owned(), "为空".to_owned())]);
        let object = &failure.to_json(Lang::Zh)["error"];
        assert_eq!((&object["exit_code"], &object["advice"]), (&1.into(), &"更正所列字段".into()));
    }

    #[test]
    fn where_the_table_advises_nothing_the_exit_does() {
        let advice = |reason| Failure::call(&status::of(&Refusal::new(reason), Lang::Zh)).advice;
        assert_eq!(Reason::StatusStale.caller_move(Lang::Zh), None);
        assert_eq!(advice(Reason::StatusStale), Bilingual::default());
        assert!(advice(Reason::OutcomeUnknown).zh.contains("request_id"));
    }

    #[test]
    fn a_status_of_somebody_else_still_says_something() {
        let failure = Failure::call(&Status::deadline_exceeded(""));
        assert_eq!(failure.exit, Exit::OutcomeUnknown);
        assert_eq!(failure.reason, "DeadlineExceeded");
        assert!(failure.advice.en.contains("--request-id"));
    }
}
