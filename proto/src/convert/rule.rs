//! Rules outside: what holds for a pair, who gave way, and what is found in a pack.

use catalog_model::{
    ids::DomainId,
    reason::{Lang, Reason},
    refusal::Refusal,
    rule_pack::{
        Explanation, Operator, PackFinding, Pair, Resolution, RuleKey, Severity, Standing,
        value_text,
    },
};

use crate::{
    convert::{
        case_rules::rule_ref_message,
        enumeration::Enumerated as _,
        reading::{At, Reading, repeated},
    },
    rule::v1 as message,
};

/// The pair whose rules are asked for; `None` where none is stated.
pub fn read_pair(pair: Option<&message::RulePair>, field: &str) -> Result<Option<Pair>, Refusal> {
    let Some(pair) = pair else { return Ok(None) };
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let asker = reading.required(at.field("requester_class"), pair.requester_class);
    let provider = reading.required(at.field("provider_class"), pair.provider_class);
    let data = reading.required(at.field("data_kind"), pair.data_kind);
    let read = asker.zip(provider).zip(data);
    let read = read.map(|((asker, provider), data)| Some(Pair { asker, provider, data }));
    reading.finish(read)
}

/// The key of this name. A wrong one is refused with the nearest that there is.
pub fn read_key(name: &str, field: &str) -> Result<RuleKey, Refusal> {
    RuleKey::from_name(name).map_err(|nearest| {
        let name = repeated(name);
        Refusal::new(Reason::FieldInvalid).field(
            field,
            format!("`{name}` is no key; the nearest is `{nearest}`"),
            format!("“{name}”不是规则项，最接近的是“{nearest}”"),
        )
    })
}

/// Under which law something was explained.
pub fn basis_message(resolution: &Resolution, pack_version: u64) -> message::RuleBasis {
    let pair = resolution.pair();
    message::RuleBasis {
        composition: resolution.composition().to_owned(),
        pair: Some(message::RulePair {
            requester_class: pair.asker.number(),
            provider_class: pair.provider.number(),
            data_kind: pair.data.number(),
        }),
        date: resolution.date().to_string(),
        rule_pack_version: pack_version,
        scope: resolution.scope().to_owned(),
    }
}

/// A key, explained, in the language of whoever reads it.
pub fn explanation_message(
    explanation: &Explanation,
    domain: &DomainId,
    lang: Lang,
) -> message::RuleExplanation {
    let value = explanation.value.as_ref();
    let rules = explanation.rules.iter().map(|(rule, value, standing)| {
        let mut explained = message::ExplainedRule {
            rule: Some(rule_ref_message(rule)),
            value: value_text(value, lang),
            standing: standing_number(standing).into(),
            standing_text: standing.text(lang).trim_end_matches([':', '：']).to_owned(),
            ..Default::default()
        };
        match standing {
            Standing::GivesByRuling { expired, ruling } => {
                explained.expire_date = expired.to_string();
                explained.ruling = format!("domains/{domain}/rulings/{ruling}");
            }
            Standing::Expired(last) => explained.expire_date = last.to_string(),
            Standing::NotYet(first) => explained.effective_date = first.to_string(),
            Standing::Gives | Standing::GaveWay(_) | Standing::OutOfScope => {}
        }
        explained
    });
    message::RuleExplanation {
        key: explanation.key.name().to_owned(),
        value: value.map_or_else(String::new, |value| value_text(value, lang)),
        operator: explanation.operator.map_or(0, |operator| operator_number(operator).into()),
        rules: rules.collect(),
        ruling_wanted: explanation.ruling_wanted,
        lines: explanation.lines(lang),
    }
}

/// A finding, in the language of whoever reads it.
pub fn finding_message(finding: &PackFinding, lang: Lang) -> message::PackFinding {
    let severity = match finding.severity {
        Severity::Error => message::FindingSeverity::Error,
        Severity::RulingWanted => message::FindingSeverity::RulingWanted,
        Severity::Note => message::FindingSeverity::Note,
    };
    message::PackFinding {
        severity: severity.into(),
        rule: finding.rule.clone(),
        text: finding.text(lang),
    }
}

fn operator_number(operator: Operator) -> message::MergeOperator {
    match operator {
        Operator::Minimum => message::MergeOperator::Minimum,
        Operator::Union => message::MergeOperator::Union,
        Operator::Intersection => message::MergeOperator::Intersection,
        Operator::Override => message::MergeOperator::Override,
    }
}

fn standing_number(standing: &Standing) -> message::RuleStanding {
    match standing {
        Standing::Gives => message::RuleStanding::Gives,
        Standing::GivesByRuling { .. } => message::RuleStanding::GivesByRuling,
        Standing::GaveWay(_) => message::RuleStanding::GaveWay,
        Standing::Expired(_) => message::RuleStanding::Expired,
        Standing::NotYet(_) => message::RuleStanding::NotYetInForce,
        Standing::OutOfScope => message::RuleStanding::OutOfScope,
    }
}

#[cfg(test)]
mod tests {
    use catalog_model::{
        organization::{DataKind, PartyClass},
        rule_pack::{RulePack, check, explain_rule},
    };

    use super::*;
    use crate::{
        organization::v1 as organization,
        rule::v1::{MergeOperator, RuleStanding},
    };

    const OWN: Pair = Pair {
        asker: PartyClass::GovernmentDepartment,
        provider: PartyClass::GovernmentDepartment,
        data: DataKind::GovernmentData,
    };

    #[test]
    fn a_pair_is_read_whole_or_every_gap_is_named() {
        let stated = message::RulePair {
            requester_class: organization::PartyClass::GovernmentDepartment.into(),
            provider_class: organization::PartyClass::GovernmentDepartment.into(),
            data_kind: organization::DataKind::GovernmentData.into(),
        };
        assert_eq!(read_pair(Some(&stated), "pair"), Ok(Some(OWN)));
        assert_eq!(read_pair(None, "pair"), Ok(None));
        let gaps = message::RulePair { data_kind: 7, ..Default::default() };
        let refusal = read_pair(Some(&gaps), "pair").expect_err("gaps");
        let fields: Vec<&str> = refusal.fields.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["pair.requester_class", "pair.provider_class", "pair.data_kind"]);
    }

    #[test]
    fn a_wrong_key_is_refused_with_the_nearest() {
        assert_eq!(
            read_key("sharing.conditional.answer", "key"),
            Ok(RuleKey::SharingConditionalAnswer)
        );
        let refusal = read_key("sharing.conditional.anser", "key").expect_err("a typing error");
        assert!(refusal.text(Lang::Zh).contains("sharing.conditional.answer"));
        assert!(refusal.text(Lang::En).contains("sharing.conditional.answer"));
    }

    #[test]
    fn an_explained_key_cites_who_gives_and_who_gave_way() {
        let pack = RulePack::embedded();
        let date = "2026-09-21".parse().expect("a day");
        let key = RuleKey::SharingConditionalAnswer;
        let explained = explain_rule(pack, "xiamen-today", OWN, date, key).expect("a composition");
        let domain = "xiamen".parse().expect("a domain");
        let shown = explanation_message(&explained, &domain, Lang::Zh);
        assert_eq!((shown.key.as_str(), shown.value.as_str()), (key.name(), "10 个工作日"));
        assert_eq!(shown.operator(), MergeOperator::Minimum);
        assert_eq!(shown.lines, explained.lines(Lang::Zh));
        let first = &shown.rules[0];
        assert_eq!(first.standing(), RuleStanding::Gives);
        assert_eq!(first.standing_text, "适用");
        let rule = first.rule.as_ref().expect("a rule");
        assert_eq!((rule.article.as_str(), rule.paragraph), ("21", 1));
        assert!(!rule.quote.is_empty());
    }

    #[test]
    fn findings_speak_both_languages() {
        let found = check(RulePack::embedded(), "2026-09-21".parse().expect("a day"));
        assert!(!found.is_empty());
        for finding in &found {
            let [en, zh] = [Lang::En, Lang::Zh].map(|lang| finding_message(finding, lang));
            assert_ne!(en.text, zh.text);
            assert_eq!(en.rule, finding.rule);
            assert_ne!(en.severity, 0);
        }
    }
}
