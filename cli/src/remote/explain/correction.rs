//! Correction: which command would not be refused for the same reason?
//!
//! Made of the command as it was typed and of what the refusal says, and of nothing else: no call is
//! made. What only the person can know stands as a word in capitals. A corrected command never
//! carries the old request id: under it the same refusal would come again.

use catalog_model::reason::Reason;

use crate::{both, language::Bilingual};

/// What should be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Correction {
    /// What was changed, or has to happen first.
    pub(super) note: Bilingual,
    /// Commands to be typed before.
    before: Vec<Vec<String>>,
    /// The command itself.
    arguments: Vec<String>,
}

impl Correction {
    /// The commands, in their order, as they can be pasted.
    pub(super) fn commands(&self) -> Vec<String> {
        self.before.iter().chain([&self.arguments]).map(|command| pasteable(command)).collect()
    }
}

/// What to put in for a flag.
enum Change<'a> {
    /// Gone with its values.
    Drop(&'a str),
    /// This value instead of what was there, or added.
    Set(&'a str, String),
    /// Only the occurrence with this value goes.
    Without(&'a str, String),
}

/// Corrects `arguments`, which were refused for `reason`.
pub(super) fn correct<'f>(
    arguments: &[String],
    reason: &str,
    fields: &[(String, String)],
    fact: &dyn Fn(&str) -> Option<&'f str>,
) -> Correction {
    use Change::{Drop, Set, Without};
    let name = named(arguments);
    let command = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut before = Vec::new();
    let set = |flag: &'static str, word: &str| vec![Set(flag, word.to_owned())];
    let known = Reason::ALL.iter().copied().find(|known| known.name() == reason);
    let (changes, note) = match known {
        Some(Reason::EtagMismatch | Reason::EtagMissing) => (
            vec![Drop("--etag")],
            both!(
                "read what changed, then again with the version as it is now:",
                "请先查看变化，再按当前版本执行："
            ),
        ),
        Some(Reason::RequestIdReused) => {
            (vec![], both!("again with a request id of its own:", "请使用新的请求标识："))
        }
        Some(Reason::ReasonMissing | Reason::RefusalReasonMissing) => {
            (set("--reason", "REASON"), both!("again with the reason:", "请补充理由："))
        }
        Some(Reason::RefusalGroundMissing) => (
            set("--ground", "GROUND"),
            both!("again with the code of a ground:", "请补充依据代码："),
        ),
        Some(Reason::ScenarioMissing) => {
            (set("--scenario", "SCENARIO"), both!("again with the scenario:", "请补充应用场景："))
        }
        Some(Reason::DutyBasisMissing) => (
            set("--duty-basis", "DUTY"),
            both!("again with the duty that needs the data:", "请补充职责依据："),
        ),
        Some(Reason::ScopeMissing) => {
            (set("--rows", "ROWS"), both!("again with the scope:", "请补充使用范围："))
        }
        Some(Reason::MethodMissing) => (
            set("--method", "batch-exchange"),
            both!("again with how the data should come:", "请补充共享方式："),
        ),
        Some(Reason::TermMissing | Reason::TermInvalid) => (
            vec![Set("--from", "YYYY-MM-DD".to_owned()), Set("--to", "YYYY-MM-DD".to_owned())],
            both!("again with first and last day of use:", "请补充使用期限："),
        ),
        Some(Reason::CommitmentMissing) => (
            COMMITMENTS.iter().map(|word| Set("--commit", (*word).to_owned())).collect(),
            both!("again with all six commitments:", "请作出全部六项承诺："),
        ),
        Some(Reason::PartWithoutItems) => (
            set("--item", "ITEM"),
            both!("again with the items agreed to:", "请列明同意的信息项："),
        ),
        Some(Reason::ItemUnknown | Reason::ItemNotShared | Reason::ItemGrantedAtOnce) => {
            let item = fact("item").map(|item| Without("--item", item.to_owned()));
            (
                item.into_iter().collect(),
                both!("again without what cannot be had:", "请去掉不可申请的信息项："),
            )
        }
        Some(Reason::ExtensionTooLong) => {
            let most = fact("limit").unwrap_or("N");
            (
                set("--working-days", most),
                both!("again with as many days as the rule allows:", "请按规则允许的天数延长："),
            )
        }
        Some(Reason::ConsentMissing | Reason::ConsentVersionStale) => {
            let answer = arguments.first().map(String::as_str) == Some("request")
                && arguments.get(1).map(String::as_str) == Some("answer");
            if answer {
                let mut consent = arguments.to_vec();
                "consent".clone_into(&mut consent[1]);
                before.push(stripped(&consent));
            } else if let Some(name) = name {
                before.push(command(&["catalog", "consent", name]));
            }
            (vec![], both!("the head consents first:", "请先由负责人同意："))
        }
        Some(Reason::OpinionNotAsked) => {
            before.extend(name.map(|name| command(&["request", "ask-opinion", name])));
            (vec![], both!("the provider is asked first:", "请先征求提供单位意见："))
        }
        Some(Reason::FieldInvalid) => (
            fields.iter().filter_map(|(field, _)| flag_of(field, arguments)).collect(),
            both!("again with these put right:", "请更正后重新执行："),
        ),
        _ => (
            vec![],
            both!(
                "nothing in the command itself is wrong; once what stands in the way has changed:",
                "命令本身无误；待上述障碍消除后执行："
            ),
        ),
    };
    let mut arguments = stripped(arguments);
    for change in changes {
        apply(&mut arguments, change);
    }
    Correction { note, before, arguments }
}

const COMMITMENTS: [&str; 6] = [
    "scenario-authentic",
    "scenario-compliant",
    "scenario-secure",
    "request-authentic",
    "request-lawful",
    "request-necessary",
];

/// The flag behind a wrong field, with a word to be replaced.
fn flag_of<'a>(field: &str, arguments: &[String]) -> Option<Change<'a>> {
    let last = field.rsplit('.').next().unwrap_or(field);
    let last = last.split('[').next().unwrap_or(last);
    let flag: &'static str = match last {
        "rectify_by" => "--rectify-by",
        "working_days" => "--working-days",
        "reason" => "--reason",
        "text" => "--text",
        "scenario" => "--scenario",
        "duty_basis" => "--duty-basis",
        "row_scope" => "--rows",
        "entry" => "--entry",
        "system" => "--system",
        "from" => "--from",
        "to" => "--to",
        "until" => "--until",
        "etag" => return Some(Change::Drop("--etag")),
        _ => return None,
    };
    let word = flag.trim_start_matches("--").replace('-', "_").to_ascii_uppercase();
    let dated = matches!(last, "rectify_by" | "from" | "to" | "until");
    let word = if dated { "YYYY-MM-DD".to_owned() } else { word };
    // A field that was not typed came from a file; there it has to be put right.
    let typed = arguments
        .iter()
        .any(|argument| *argument == flag || argument.starts_with(&format!("{flag}=")));
    typed.then_some(Change::Set(flag, word))
}

/// Without what belongs to one attempt only.
fn stripped(arguments: &[String]) -> Vec<String> {
    let mut arguments = arguments.to_vec();
    apply(&mut arguments, Change::Drop("--request-id"));
    arguments
}

/// The name that the command is about.
fn named(arguments: &[String]) -> Option<&str> {
    arguments.iter().map(String::as_str).find(|argument| argument.starts_with("domains/"))
}

fn apply(arguments: &mut Vec<String>, change: Change<'_>) {
    let gone = |arguments: &mut Vec<String>, flag: &str, only: Option<&str>| {
        let mut kept = Vec::new();
        let mut rest = std::mem::take(arguments).into_iter().peekable();
        while let Some(argument) = rest.next() {
            let joined = argument.strip_prefix(flag).and_then(|rest| rest.strip_prefix('='));
            let value = match joined {
                Some(value) => Some(value.to_owned()),
                None if argument == flag => rest.peek().cloned(),
                None => None,
            };
            match value {
                Some(value) if only.is_none_or(|only| only == value) => {
                    if joined.is_none() {
                        rest.next();
                    }
                }
                None if argument == flag => {}
                _ => kept.push(argument),
            }
        }
        *arguments = kept;
    };
    match change {
        Change::Drop(flag) => gone(arguments, flag, None),
        Change::Without(flag, value) => gone(arguments, flag, Some(&value)),
        Change::Set(flag, value) => {
            // The six commitments are one flag six times.
            let many = matches!(flag, "--commit");
            gone(arguments, flag, many.then_some(value.as_str()));
            arguments.extend([flag.to_owned(), value]);
        }
    }
}

/// A command line that a shell reads as these words.
pub(super) fn pasteable(arguments: &[String]) -> String {
    let mut line = "luqiao".to_owned();
    for argument in arguments {
        line.push(' ');
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) {
            line.push_str(argument);
        } else {
            line.push('\'');
            line.push_str(&argument.replace('\'', r"'\''"));
            line.push('\'');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn corrected(line: &str, reason: &str, facts: &[(&str, &str)], fields: &[&str]) -> Vec<String> {
        let fields: Vec<_> =
            fields.iter().map(|field| ((*field).to_owned(), "is wrong".to_owned())).collect();
        let fact =
            |wanted: &str| facts.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        correct(&words(line), reason, &fields, &fact).commands()
    }

    #[test]
    fn a_corrected_command_can_be_typed() {
        let name = "domains/xiamen/requests/1";
        let check = |line: &str, reason: &str, expected: &[&str]| {
            let facts = [("item", "phone"), ("limit", "10")];
            let commands = corrected(line, reason, &facts, &["reason"]);
            assert_eq!(commands, expected, "{line} after {reason}");
            for command in commands {
                let typed = command.replace("YYYY-MM-DD", "2026-10-30");
                Arguments::try_parse_from(typed.split_whitespace())
                    .unwrap_or_else(|error| panic!("{typed}: {error}"));
            }
        };
        check(
            &format!("request answer {name} refused --etag v1 --request-id a"),
            "ETAG_MISMATCH",
            &[&format!("luqiao request answer {name} refused")],
        );
        check(
            &format!("request answer {name} refused --request-id=a"),
            "REFUSAL_REASON_MISSING",
            &[&format!("luqiao request answer {name} refused --reason REASON")],
        );
        check(
            &format!("request answer {name} agreed"),
            "CONSENT_MISSING",
            &[
                &format!("luqiao request consent {name} agreed"),
                &format!("luqiao request answer {name} agreed"),
            ],
        );
        check(
            &format!("request answer {name} agreed"),
            "OPINION_NOT_ASKED",
            &[
                &format!("luqiao request ask-opinion {name}"),
                &format!("luqiao request answer {name} agreed"),
            ],
        );
        check(
            "request create --entry e --item plate --item phone",
            "ITEM_UNKNOWN",
            &["luqiao request create --entry e --item plate"],
        );
        check(
            &format!("request extend {name} --working-days 99 --reason r"),
            "EXTENSION_TOO_LONG",
            &[&format!("luqiao request extend {name} --reason r --working-days 10")],
        );
        check(
            &format!("request extend {name} --working-days 9 --reason r"),
            "FIELD_INVALID",
            &[&format!("luqiao request extend {name} --working-days 9 --reason REASON")],
        );
        check(
            "request create --entry e --from 2026-09-21 --to 2026-09-20",
            "TERM_INVALID",
            &["luqiao request create --entry e --from YYYY-MM-DD --to YYYY-MM-DD"],
        );
        check(
            &format!("grant terminate {name} --reason r --request-id a"),
            "RECTIFICATION_RUNNING",
            &[&format!("luqiao grant terminate {name} --reason r")],
        );
    }

    #[test]
    fn every_commitment_is_there_once() {
        let line = "request create --entry e --commit request-lawful";
        let commands = corrected(line, "COMMITMENT_MISSING", &[], &[]);
        for commitment in COMMITMENTS {
            assert_eq!(commands[0].matches(commitment).count(), 1, "{commands:?}");
        }
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        let arguments = ["--reason", "it's 机密; rm -rf", ""].map(str::to_owned);
        assert_eq!(pasteable(&arguments), r"luqiao --reason 'it'\''s 机密; rm -rf' ''");
    }
}
