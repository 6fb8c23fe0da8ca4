//! `luqiao request explain`: every day of a deadline, in sentences.

use std::io::{self, Write};

use catalog_model::reason::Lang;
use luqiao_proto::law::v1::{ExplainDeadlineRequest, ExplainDeadlineResponse, OutageEffect};

use crate::{both, exit::Exit, failure::Failure, message::kind};

use super::{Remote, answer, json};

/// Explains the deadlines of a case, right, entry or report.
pub async fn explain(remote: &Remote, name: String) -> Result<Exit, Failure> {
    let mut client = remote.session.law();
    let call = remote.session.call(ExplainDeadlineRequest { name });
    let explained = answer(client.explain_deadline(call).await)?;
    let json = json(kind::EXPLAINED_DEADLINE, &explained)?;
    remote.output.data(&json, |out, lang| write_text(out, &explained, lang))?;
    Ok(Exit::Ok)
}

fn write_text(
    out: &mut dyn Write,
    explained: &ExplainDeadlineResponse,
    lang: Lang,
) -> io::Result<()> {
    if explained.deadlines.is_empty() {
        writeln!(out, "{}", both!("nothing is owed by a day", "没有期限").text(lang))?;
    }
    for deadline in &explained.deadlines {
        for (place, line) in deadline.lines.iter().enumerate() {
            // The first sentence says what is counted; below it the days.
            writeln!(out, "{}{line}", if place == 0 { "" } else { "  " })?;
        }
    }
    if !explained.recounts.is_empty() {
        writeln!(out, "{}", both!("counted again:", "重新计算记录：").text(lang))?;
    }
    for recount in &explained.recounts {
        writeln!(out, "  {}", recount.text)?;
    }
    if let Some(ruling) = &explained.outage_ruling {
        let words = match ruling.effect() {
            OutageEffect::Unspecified => both!(
                "the platform was out on the last day: whether the lateness counts is still to be ruled",
                "最后一日平台中断：逾期是否计入尚待裁定"
            ),
            OutageEffect::Counts => both!(
                "the platform was out on the last day; ruled: the lateness counts",
                "最后一日平台中断；裁定：逾期计入"
            ),
            OutageEffect::DoesNotCount => both!(
                "the platform was out on the last day; ruled: the lateness does not count",
                "最后一日平台中断；裁定：逾期不计入"
            ),
        };
        writeln!(out, "{}", words.text(lang))?;
    }
    if !explained.pending.is_empty() {
        let words = both!(
            "clocks are still being counted again: a date may yet move",
            "期限仍在重新计算，日期可能变动"
        );
        writeln!(out, "{}", words.text(lang))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use luqiao_proto::{
        law::v1::{ExplainedDeadline, OutageRuling, Recount},
        rule::v1::PendingWork,
    };

    use super::*;

    #[test]
    fn everything_that_bears_on_the_day_is_a_sentence() {
        let explained = ExplainDeadlineResponse {
            deadlines: vec![ExplainedDeadline {
                lines: vec!["what".to_owned(), "a day".to_owned()],
                ..Default::default()
            }],
            recounts: vec![Recount { text: "moved".to_owned(), ..Default::default() }],
            pending: vec![PendingWork::default()],
            outage_ruling: Some(OutageRuling::default()),
        };
        let mut out = Vec::new();
        write_text(&mut out, &explained, Lang::En).expect("memory");
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..4], ["what", "  a day", "counted again:", "  moved"]);
        assert!(lines[4].contains("still to be ruled") && lines[5].contains("may yet move"));
        let mut out = Vec::new();
        write_text(&mut out, &ExplainDeadlineResponse::default(), Lang::Zh).expect("memory");
        assert_eq!(String::from_utf8(out).expect("text"), "没有期限\n");
    }
}
