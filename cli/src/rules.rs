//! Rule packs without a server: what would a pack be told, whoever loads it?
//!
//! The rulings of a domain and the law that is in force there are not looked at: for these, ask
//! the domain.

use std::{fs, io, path::Path};

use catalog_model::{rule_pack, rule_pack::RulePack, time::LocalDate};
use luqiao_proto::{
    convert::rule::finding_message,
    rule::v1::{CheckRulePackResponse, FindingSeverity, PackFinding},
};

use crate::{both, exit::Exit, failure::Failure, message, message::kind, output::Output};

/// `luqiao rules check --offline`.
pub fn check(file: &Path, date: LocalDate, output: &Output) -> Result<Exit, Failure> {
    let text = read_text(file)?;
    let findings = match RulePack::parse(&text) {
        Err(error) => vec![PackFinding {
            severity: FindingSeverity::Error.into(),
            rule: String::new(),
            text: error.text(output.lang),
        }],
        Ok(pack) => {
            let found = rule_pack::check(&pack, date);
            found.iter().map(|finding| finding_message(finding, output.lang)).collect()
        }
    };
    let loadable = !findings.iter().any(|found| found.severity() == FindingSeverity::Error);
    tell(&CheckRulePackResponse { findings, loadable, ..Default::default() }, output)
}

/// Prints what was found, and ends as the pack deserves.
pub fn tell(checked: &CheckRulePackResponse, output: &Output) -> Result<Exit, Failure> {
    let json = message::to_whole_json(kind::PACK_CHECK, checked)
        .map_err(|error| Failure::new(Exit::Error, "internal", both!("{error}", "{error}")))?;
    output.data(&json, |out, lang| {
        for finding in &checked.findings {
            let severity = match finding.severity() {
                FindingSeverity::Error => both!("error", "错误"),
                FindingSeverity::RulingWanted => both!("ruling wanted", "需裁定"),
                FindingSeverity::Note | FindingSeverity::Unspecified => both!("note", "提示"),
            };
            writeln!(out, "{}: {}", severity.text(lang), finding.text)?;
        }
        Ok(())
    })?;
    let count =
        |severity| checked.findings.iter().filter(|finding| finding.severity() == severity).count();
    let errors = count(FindingSeverity::Error);
    let (rulings, notes) = (count(FindingSeverity::RulingWanted), count(FindingSeverity::Note));
    output.say(&both!(
        "{errors} error(s), {rulings} ruling(s) wanted, {notes} note(s)",
        "错误 {errors} 项，需裁定 {rulings} 项，提示 {notes} 项"
    ));
    if !checked.binds_since.is_empty() {
        let since = &checked.binds_since;
        output.say(&both!(
            "it binds since {since}: cases received since then would be held against it",
            "自 {since} 起即有约束力：此后收到的案件将据以核对并标记"
        ));
    }
    if checked.in_force {
        output.say(&both!("it is in force already", "与现行规则包一致"));
    }
    Ok(if checked.loadable { Exit::Ok } else { Exit::Error })
}

/// The text of a file; `-` is what is typed.
pub fn read_text(file: &Path) -> Result<String, Failure> {
    let read = if file.as_os_str() == "-" {
        io::read_to_string(io::stdin().lock())
    } else {
        fs::read_to_string(file)
    };
    read.map_err(|error| Failure::file(file, &error))
}

#[cfg(test)]
mod tests {
    use catalog_model::reason::Lang;

    use super::*;
    use crate::output::Format;

    fn checked(text: &str) -> Exit {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pack.json");
        fs::write(&file, text).expect("a file");
        let output = Output { format: Format::Json, lang: Lang::En, verbose: false };
        check(&file, "2026-09-21".parse().expect("a day"), &output).expect("it is told")
    }

    #[test]
    fn the_pack_that_ships_can_be_loaded_and_a_broken_one_ends_with_1() {
        let shipped = RulePack::embedded().json();
        assert_eq!(checked(shipped), Exit::Ok);
        let unknown = shipped.replacen("\"sharing.conditional.answer\"", "\"sharing.answer\"", 1);
        assert_eq!(checked(&unknown), Exit::Error);
        assert_eq!(checked("{"), Exit::Error);
    }
}
