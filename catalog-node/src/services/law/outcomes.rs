//! Outcomes: what comes of a case under one version of the law, in figures and in a sentence.

use catalog_model::{
    reason::Lang,
    rule::RuleRef,
    share_request::{Decider, PartyRole},
};
use catalog_state::{law::CaseOutcome, what_if::Changed};
use luqiao_proto::{
    convert::case_rules::rule_ref_message, law::v1 as message, sharing::v1 as sharing,
};

/// What comes of a case, in the language of whoever reads it.
pub(super) fn outcome_message(outcome: &CaseOutcome, lang: Lang) -> message::CaseOutcome {
    let refused = outcome.refused.as_ref();
    let rule = |rule: Option<&RuleRef>| rule.map(rule_ref_message);
    message::CaseOutcome {
        refusal_reason: refused.map(|refusal| refusal.reason.to_string()).unwrap_or_default(),
        refusal_text: refused.map(|refusal| refusal.text(lang)).unwrap_or_default(),
        refusal_rule: refused.and_then(|refusal| rule(refusal.rule.as_ref())),
        at_once: outcome.at_once,
        decider: outcome.decider.map_or(0, |decider| decider_number(decider).into()),
        debtor: outcome.debtor.map_or(0, |debtor| role_number(debtor).into()),
        decider_rule: rule(outcome.decider_rule.as_ref()),
        answer_days: outcome.answer_days.unwrap_or_default().into(),
        answer_rule: rule(outcome.answer_rule.as_ref()),
        due_date: outcome.due_date.map(|day| day.to_string()).unwrap_or_default(),
        lateness: match outcome.late {
            None => message::Lateness::Unspecified,
            Some(false) => message::Lateness::InTime,
            Some(true) => message::Lateness::Late,
        }
        .into(),
        text: text(outcome, lang),
    }
}

/// In what a case would have ended differently.
pub(super) fn changed_number(changed: Changed) -> i32 {
    let part = match changed {
        Changed::Route => message::ChangedPart::Route,
        Changed::Contents => message::ChangedPart::Contents,
        Changed::Decider => message::ChangedPart::Decider,
        Changed::Debtor => message::ChangedPart::Debtor,
        Changed::DueDate => message::ChangedPart::DueDate,
        Changed::Timeliness => message::ChangedPart::Timeliness,
    };
    part.into()
}

fn decider_number(decider: Decider) -> sharing::Decider {
    match decider {
        Decider::Provider => sharing::Decider::Provider,
        Decider::Authority => sharing::Decider::Authority,
        Decider::AuthorityWithProvider => sharing::Decider::AuthorityWithProvider,
    }
}

fn role_number(role: PartyRole) -> sharing::PartyRole {
    match role {
        PartyRole::Requester => sharing::PartyRole::Requester,
        PartyRole::Provider => sharing::PartyRole::Provider,
        PartyRole::Authority => sharing::PartyRole::Authority,
        PartyRole::AuthorityAndProvider => sharing::PartyRole::AuthorityAndProvider,
        PartyRole::PlatformManager => sharing::PartyRole::PlatformManager,
        PartyRole::GovernmentOrSuperior => sharing::PartyRole::GovernmentOrSuperior,
    }
}

fn text(outcome: &CaseOutcome, lang: Lang) -> String {
    if let Some(refusal) = &outcome.refused {
        let why = refusal.text(lang);
        return match lang {
            Lang::En => format!("refused on receipt: {why}"),
            Lang::Zh => format!("收到时即不予受理：{why}"),
        };
    }
    if outcome.at_once {
        return match lang {
            Lang::En => "granted at once".to_owned(),
            Lang::Zh => "即时授权".to_owned(),
        };
    }
    let cited = |rule: Option<&RuleRef>| match (rule, lang) {
        (Some(rule), Lang::En) => format!(" ({})", rule.cite(lang)),
        (Some(rule), Lang::Zh) => format!("（{}）", rule.cite(lang)),
        (None, _) => String::new(),
    };
    let decided = match (outcome.decider, lang) {
        (Some(decider), _) => decider_words(decider, lang),
        (None, Lang::En) => "nobody decides",
        (None, Lang::Zh) => "无决定主体",
    };
    let mut parts = vec![decided.to_owned(), cited(outcome.decider_rule.as_ref())];
    if let Some(days) = outcome.answer_days {
        parts.push(match lang {
            Lang::En => format!(", {days} working days"),
            Lang::Zh => format!("，{days} 个工作日"),
        });
        parts.push(cited(outcome.answer_rule.as_ref()));
    }
    if let Some(due) = outcome.due_date {
        parts.push(match lang {
            Lang::En => format!(", due {due}"),
            Lang::Zh => format!("，期限 {due}"),
        });
    }
    let late = match (outcome.late, lang) {
        (None, _) => "",
        (Some(true), Lang::En) => ", late",
        (Some(false), Lang::En) => ", in time",
        (Some(true), Lang::Zh) => "，逾期",
        (Some(false), Lang::Zh) => "，未逾期",
    };
    parts.push(late.to_owned());
    parts.concat()
}

fn decider_words(decider: Decider, lang: Lang) -> &'static str {
    match (decider, lang) {
        (Decider::Provider, Lang::En) => "the provider decides",
        (Decider::Provider, Lang::Zh) => "由提供单位决定",
        (Decider::Authority, Lang::En) => "the authority decides",
        (Decider::Authority, Lang::Zh) => "由主管部门决定",
        (Decider::AuthorityWithProvider, Lang::En) => "the authority decides with the provider",
        (Decider::AuthorityWithProvider, Lang::Zh) => "由主管部门会同提供单位决定",
    }
}

#[cfg(test)]
mod tests {
    use catalog_model::{reason::Reason, refusal::Refusal};

    use super::*;

    fn outcome() -> CaseOutcome {
        CaseOutcome {
            refused: None,
            at_once: false,
            decider: Some(Decider::Provider),
            debtor: Some(PartyRole::Provider),
            decider_rule: Some(RuleRef::house("HOUSE-a")),
            answer_days: Some(10),
            answer_rule: Some(RuleRef::house("HOUSE-b")),
            due_date: Some("2026-10-12".parse().expect("a day")),
            late: Some(true),
        }
    }

    #[test]
    fn an_outcome_is_a_sentence_in_either_language() {
        let shown = outcome_message(&outcome(), Lang::En);
        assert_eq!(
            shown.text,
            "the provider decides (house rule HOUSE-a), 10 working days (house rule HOUSE-b), \
             due 2026-10-12, late"
        );
        assert_eq!(shown.lateness(), message::Lateness::Late);
        let shown = outcome_message(&outcome(), Lang::Zh);
        assert_eq!(
            shown.text,
            "由提供单位决定（内部规则 HOUSE-a），10 个工作日（内部规则 HOUSE-b），期限 \
             2026-10-12，逾期"
        );
    }

    #[test]
    fn a_refusal_on_receipt_keeps_its_reason() {
        let refusal = Refusal::new(Reason::ScenarioMissing).under(RuleRef::house("HOUSE-a"));
        let shown = outcome_message(
            &CaseOutcome { refused: Some(refusal), late: None, ..outcome() },
            Lang::En,
        );
        assert_eq!(shown.refusal_reason, "SCENARIO_MISSING");
        assert!(shown.text.starts_with("refused on receipt: "), "{}", shown.text);
        assert_eq!(shown.refusal_rule.expect("a rule").id, "HOUSE-a");
    }
}
