//! The file of a case in sentences: what happened beside its answer?

use std::io::{self, Write};

use catalog_model::reason::Lang;
use luqiao_proto::{
    convert::time::read_timestamp,
    sharing::v1::{CaseFile, Deadline, FilingKind, Hearing, HearingOutcome, Party, WindowFiling},
};
use prost_types::Timestamp;

use crate::{both, dev::story::rule_ref, language::Bilingual};

/// Writes the file for a person.
pub(super) fn write(out: &mut dyn Write, file: &CaseFile, lang: Lang) -> io::Result<()> {
    for sentence in sentences(file) {
        writeln!(out, "{}", sentence.text(lang))?;
    }
    Ok(())
}

fn sentences(file: &CaseFile) -> Vec<Bilingual> {
    let name = &file.name;
    let mut told = vec![both!("case {name}", "案件 {name}")];
    filing(file, &mut told);
    time(file, &mut told);
    lateness(file, &mut told);
    for dispute in &file.disputes {
        told.push(both!("in dispute: {dispute}", "存在争议：{dispute}"));
    }
    if told.len() == 1 {
        told.push(both!("nothing happened beside its answer", "除答复外无其他记录"));
    }
    told
}

fn filing(file: &CaseFile, told: &mut Vec<Bilingual>) {
    let person = &file.filed_by;
    if !person.is_empty() {
        told.push(both!("filed by {person}", "由 {person} 提出"));
    }
    told.extend(file.filings.iter().map(window));
    if let Some(part) = &file.granted_at_once {
        let (items, grant) = (part.items.join("、"), &part.grant);
        told.push(both!("granted at once: {items} ({grant})", "即时授权：{items}（{grant}）"));
        under(part.rule.as_ref(), told);
    }
}

fn window(filing: &WindowFiling) -> Bilingual {
    let whom = name(filing.on_behalf_of.as_ref());
    let (at, window) = (day(filing.entered_time.as_ref()), &filing.window);
    let paper = filing.paper.clone().unwrap_or_default();
    let (number, date, body) = (paper.document_number, paper.date, paper.issuing_body);
    let what = match filing.kind() {
        FilingKind::Request => both!("the request", "申请"),
        FilingKind::Answer => both!("the answer", "答复"),
        FilingKind::Opinion | FilingKind::Unspecified => both!("the opinion", "意见"),
    };
    let Bilingual { en, zh } = what;
    Bilingual {
        en: format!(
            "{en} of {whom} was entered on its behalf at {window} ({at}): {number}, {date}, {body}"
        ),
        zh: format!("{whom}的{zh}由窗口代录（{window}，{at}）：{number}，{date}，{body}"),
    }
}

fn time(file: &CaseFile, told: &mut Vec<Bilingual>) {
    if let Some(asked) = &file.opinion {
        let at = day(asked.asked_time.as_ref());
        told.push(both!("the provider was asked for its opinion on {at}", "{at} 征求提供单位意见"));
        let due = due(asked.deadline.as_ref());
        told.push(if asked.silent {
            both!("  it was silent until {due}", "  截至 {due} 逾期未反馈意见")
        } else if due.is_empty() {
            both!("  no rule limits its time", "  未规定反馈期限")
        } else {
            both!("  it may speak until {due}", "  反馈期限至 {due}")
        });
    }
    if let Some(lapse) = &file.completion_lapse {
        let due = due(lapse.deadline.as_ref());
        told.push(both!("the request may be completed until {due}", "补正期限至 {due}"));
    }
    if let Some(proposal) = &file.proposal {
        let (by, days, reason) =
            (name(proposal.by.as_ref()), proposal.working_days, &proposal.reason);
        told.push(both!(
            "{by} asks for {days} more working days: {reason}; not answered yet, and the clock runs on",
            "{by}申请延期 {days} 个工作日：{reason}；尚未答复，期限继续计算"
        ));
    }
    for denial in &file.denials {
        let (at, days, reason) =
            (day(denial.denied_time.as_ref()), denial.working_days, &denial.reason);
        told.push(both!(
            "{days} more working days were not consented to on {at}: {reason}",
            "{at} 不同意延期 {days} 个工作日：{reason}"
        ));
    }
}

fn lateness(file: &CaseFile, told: &mut Vec<Bilingual>) {
    for order in &file.orders {
        let (whom, at) = (name(order.debtor.as_ref()), day(order.ordered_time.as_ref()));
        let Bilingual { en, zh } = effects(&order.effects);
        told.push(Bilingual {
            en: format!("an order against {whom} on {at}: {en}"),
            zh: format!("{at} 对{whom}的处理：{zh}"),
        });
        under(order.rule.as_ref(), told);
    }
    let due = due(file.hearing_deadline.as_ref());
    if !due.is_empty() {
        told.push(both!("a reason could be claimed until {due}", "说明理由的期限至 {due}"));
    }
    for heard in &file.hearings {
        hearing(heard, told);
    }
}

fn hearing(heard: &Hearing, told: &mut Vec<Bilingual>) {
    let (whom, missed) = (name(heard.debtor.as_ref()), &heard.due_date);
    told.push(match heard.outcome() {
        HearingOutcome::Unspecified => both!(
            "{whom} missed {missed}; whether it counts is open",
            "{whom}逾期（{missed}）；是否计入尚未认定"
        ),
        HearingOutcome::Counted => {
            both!("{whom} missed {missed}; it counts", "{whom}逾期（{missed}）；计入")
        }
        HearingOutcome::Excused => {
            both!("{whom} missed {missed}; it is excused", "{whom}逾期（{missed}）；不计入")
        }
    });
    if let Some(claim) = &heard.claim {
        let (at, text) = (day(claim.claimed_time.as_ref()), &claim.text);
        told.push(both!("  its reason ({at}): {text}", "  说明的理由（{at}）：{text}"));
    }
    if let Some(ruling) = &heard.ruling {
        let (by, at) = (name(ruling.by.as_ref()), day(ruling.ruled_time.as_ref()));
        let reason = &ruling.reason;
        told.push(if ruling.accepted {
            both!("  accepted by {by} ({at}): {reason}", "  {by}认定理由正当（{at}）：{reason}")
        } else {
            both!(
                "  not accepted by {by} ({at}): {reason}",
                "  {by}认定理由不正当（{at}）：{reason}"
            )
        });
    }
}

/// What a rule orders: its words, those of the pack, in the words of people.
pub(crate) fn effects(words: &[String]) -> Bilingual {
    let told: Vec<(&str, &str)> = words
        .iter()
        .map(|word| match word.as_str() {
            "order_to_correct" => ("to correct it", "责令改正"),
            "order_to_correct_by_date" => ("to correct it by a day", "责令限期改正"),
            "order_to_rectify_by_date" => ("to rectify it by a day", "责令限期整改"),
            "public_criticism" => ("public criticism", "通报批评"),
            "efficiency_accountability" => ("accountability for efficiency", "效能问责"),
            "discipline_if_serious" => ("discipline if serious", "情节严重的给予处分"),
            "discipline_if_refused_or_serious" => {
                ("discipline if it is refused or serious", "拒不改正或者情节严重的给予处分")
            }
            // A word of a later pack is told as it stands there.
            other => (other, other),
        })
        .collect();
    let (en, zh): (Vec<&str>, Vec<&str>) = told.into_iter().unzip();
    Bilingual { en: en.join("; "), zh: zh.join("；") }
}

fn under(rule: Option<&luqiao_proto::rule::v1::RuleRef>, told: &mut Vec<Bilingual>) {
    if let Some(rule) = rule.map(rule_ref) {
        let (en, zh) = (rule.cite(Lang::En), rule.cite(Lang::Zh));
        told.push(Bilingual { en: format!("  under {en}"), zh: format!("  依据 {zh}") });
    }
}

fn name(party: Option<&Party>) -> &str {
    party.map_or("", |party| party.display_name.as_str())
}

fn due(deadline: Option<&Deadline>) -> &str {
    deadline.map_or("", |deadline| deadline.due_date.as_str())
}

/// The day of an instant in Asia/Shanghai.
fn day(at: Option<&Timestamp>) -> String {
    read_timestamp(at, "").map(|at| at.local_date().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use luqiao_proto::sharing::v1::{
        CorrectionOrder, ExtensionProposal, OpinionAsked, PaperDecision, ReasonClaim, ReasonRuling,
    };

    use super::*;

    fn party(name: &str) -> Party {
        Party { display_name: name.to_owned(), ..Default::default() }
    }

    fn deadline(day: &str) -> Deadline {
        Deadline { due_date: day.to_owned(), ..Default::default() }
    }

    fn told(file: &CaseFile, lang: Lang) -> Vec<String> {
        let mut out = Vec::new();
        write(&mut out, file, lang).expect("memory");
        String::from_utf8(out).expect("text").lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_case_without_a_file_says_so() {
        let file = CaseFile { name: "domains/xiamen/requests/r".to_owned(), ..Default::default() };
        assert_eq!(
            told(&file, Lang::En),
            ["case domains/xiamen/requests/r", "nothing happened beside its answer"]
        );
        assert_eq!(told(&file, Lang::Zh)[1], "除答复外无其他记录");
    }

    #[test]
    fn a_late_answer_is_told_from_the_order_to_the_ruling() {
        let at = Some(Timestamp { seconds: 1_791_820_800, nanos: 0 });
        let file = CaseFile {
            orders: vec![CorrectionOrder {
                debtor: Some(party("医保局")),
                effects: vec!["order_to_correct".to_owned()],
                ordered_time: at,
                ..Default::default()
            }],
            hearing_deadline: Some(deadline("2026-10-19")),
            hearings: vec![Hearing {
                debtor: Some(party("医保局")),
                due_date: "2026-10-12".to_owned(),
                claim: Some(ReasonClaim {
                    text: "机房搬迁".to_owned(),
                    claimed_time: at,
                    ..Default::default()
                }),
                ruling: Some(ReasonRuling {
                    accepted: true,
                    reason: "属实".to_owned(),
                    by: Some(party("数据局")),
                    ruled_time: at,
                }),
                outcome: HearingOutcome::Excused.into(),
            }],
            ..Default::default()
        };
        assert_eq!(
            told(&file, Lang::En)[1..],
            [
                "an order against 医保局 on 2026-10-13: to correct it",
                "a reason could be claimed until 2026-10-19",
                "医保局 missed 2026-10-12; it is excused",
                "  its reason (2026-10-13): 机房搬迁",
                "  accepted by 数据局 (2026-10-13): 属实",
            ]
        );
        assert_eq!(told(&file, Lang::Zh)[3], "医保局逾期（2026-10-12）；不计入");
    }

    #[test]
    fn waiting_and_windows_are_told() {
        let file = CaseFile {
            opinion: Some(OpinionAsked {
                deadline: Some(deadline("2026-09-28")),
                ..Default::default()
            }),
            proposal: Some(ExtensionProposal {
                working_days: 5,
                reason: "核对".to_owned(),
                by: Some(party("医保局")),
                ..Default::default()
            }),
            filings: vec![WindowFiling {
                kind: FilingKind::Answer.into(),
                on_behalf_of: Some(party("医保局")),
                window: "3 号窗口".to_owned(),
                paper: Some(PaperDecision {
                    document_number: "1 号".to_owned(),
                    date: "2026-09-22".to_owned(),
                    issuing_body: "医保局".to_owned(),
                    ..Default::default()
                }),
                entered_time: None,
            }],
            ..Default::default()
        };
        let lines = told(&file, Lang::Zh);
        assert!(lines[1].starts_with("医保局的答复由窗口代录") && lines[1].contains("1 号"));
        assert_eq!(lines[3], "  反馈期限至 2026-09-28");
        assert!(lines[4].contains("申请延期 5 个工作日"), "{lines:?}");
    }
}
