//! What the rules say about what ties entries together: sources, collection, transfers of
//! functions, objections to attributes, quality (CAT-05, 08, 12, 13; SHR-15; QLT-03, 04).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Resolution;
use crate::{
    deadline::WorkingDays,
    quality::Desk,
    rule::{Rank, RuleRef},
    rule_pack::{RuleKey, RuleValue, Unit, words::Word},
    share_request::PartyRole,
};

/// A step of the ladder on which an objection to an attribute is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LadderStep {
    /// The authority objects.
    AuthorityObjects,
    /// The two consult.
    Consult,
    /// The government of the city decides.
    Government,
}

/// What a rule gives for a word without a number.
#[derive(Debug, Deserialize)]
struct Span {
    n: u16,
    unit: String,
}

impl Resolution {
    /// The rule by which a datum has one source (一数一源).
    pub fn one_source(&self) -> Option<RuleRef> {
        self.flag(RuleKey::CollectionSourceDepartment)
    }

    /// The rule by which what can be had by sharing is not collected again, and the ranks of the
    /// texts that may allow it all the same.
    pub fn no_recollection(&self) -> Option<(Vec<Rank>, RuleRef)> {
        let (words, rule) = self.words(RuleKey::CollectionNoRecollection)?;
        let mut ranks = Vec::new();
        for word in words {
            match word.as_str() {
                "law" => ranks.push(Rank::Law),
                "regulation" => ranks.extend([
                    Rank::AdministrativeRegulation,
                    Rank::SpecialZoneRegulation,
                    Rank::LocalRegulation,
                ]),
                other => ranks.extend(Rank::from_word(other)),
            }
        }
        Some((ranks, rule))
    }

    /// The rule by which the department that takes a function over signs the transfer too.
    pub fn transfer_cosigned(&self) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::CatalogFunctionTransferSignatures)?;
        words.iter().any(|word| word == "new_provider").then_some(rule)
    }

    /// The steps by which an objection of the authority to an attribute is settled.
    pub fn attribute_ladder(&self) -> Option<(Vec<LadderStep>, RuleRef)> {
        let (words, rule) = self.words(RuleKey::DisputeAttributeLadder)?;
        let steps = words.iter().filter_map(|word| match word.as_str() {
            "authority_objects" => Some(LadderStep::AuthorityObjects),
            "consult" => Some(LadderStep::Consult),
            "city_government" => Some(LadderStep::Government),
            _ => None,
        });
        Some((steps.collect(), rule))
    }

    /// To which desk an error report goes.
    pub fn report_recipient(&self) -> Option<(Desk, RuleRef)> {
        let (words, rule) = self.words(RuleKey::QualityCorrectionRecipient)?;
        let desk = words.iter().find_map(|word| match word.as_str() {
            "provider" => Some(Desk::Provider),
            "authority" => Some(Desk::Authority),
            _ => None,
        });
        Some((desk?, rule))
    }

    /// Working days for verification, correction and feedback: by law, else the house's number for
    /// 及时.
    pub fn correction_days(&self) -> Option<(WorkingDays, RuleRef)> {
        self.days(RuleKey::QualityCorrection).or_else(|| self.house_days_of_word("及时"))
    }

    /// Working days after the feedback in which a reporter may speak before silence closes the
    /// report.
    pub fn report_silence_days(&self) -> Option<(WorkingDays, RuleRef)> {
        self.days(RuleKey::QualityCorrectionAutoClose)
    }

    /// Who may receive the objection of a person concerned: the platform, the department.
    ///
    /// The scope of these rules is a person and the data about them, which is no pair of
    /// departments: they are looked up by the composition alone.
    pub fn personal_objection_desks(&self) -> Option<(Vec<String>, RuleRef)> {
        let rule = self.of_data_subjects(RuleKey::QualityObjectionRecipient)?;
        let RuleValue::Words(words) = &self.pack.rules()[rule].value else { return None };
        Some((words.clone(), self.reference(rule)))
    }

    /// Working days for the answer to a person concerned, where a rule asks for an answer: its
    /// number, else the house's for 及时.
    pub fn personal_objection_days(&self) -> Option<(WorkingDays, RuleRef)> {
        let rule = self.of_data_subjects(RuleKey::QualityObjectionAnswer)?;
        match self.pack.rules()[rule].value {
            RuleValue::Count { n, unit: Unit::WorkingDay } => {
                Some((WorkingDays(n), self.reference(rule)))
            }
            _ => self.house_days_of_word("及时"),
        }
    }

    /// What the record of a paper decision must hold, with the rule.
    pub fn paper_decision_parts(&self) -> Option<(Vec<String>, RuleRef)> {
        let (words, rule) = self.words(RuleKey::RecordPaperDecision)?;
        Some((words.to_vec(), rule))
    }

    /// The house's number of working days for a word that the law leaves without one.
    pub fn house_days_of_word(&self, word: &str) -> Option<(WorkingDays, RuleRef)> {
        let merged = self.merged(RuleKey::TimeDefault)?;
        let RuleValue::Table(json) = &merged.value else { return None };
        let spans: BTreeMap<String, Span> = serde_json::from_str(json).ok()?;
        let span = spans.get(word).filter(|span| span.unit == "working_day")?;
        Some((WorkingDays(span.n), merged.sources.into_iter().next()?))
    }

    /// To whom what a provider owes goes when it is overdue; never to the provider.
    pub fn provider_escalation(&self) -> Option<(PartyRole, RuleRef)> {
        self.escalation(PartyRole::Provider)
    }

    /// The highest rule on `key` for a person and the data about them.
    fn of_data_subjects(&self, key: RuleKey) -> Option<usize> {
        let profiles = &self.pack.0.compositions.get(&self.composition)?.order;
        let rules = self.pack.rules();
        let holds = |index: &usize| {
            let rule = &rules[*index];
            let territory = self.pack.0.scopes[&rule.scope].territory.as_ref();
            rule.key == key
                && rule.in_force(self.date)
                && profiles.contains(&rule.profile)
                && territory.is_none_or(|territory| profiles.contains(territory))
        };
        (0..rules.len()).filter(holds).min_by_key(|index| (rules[*index].reference.rank, *index))
    }
}

#[cfg(test)]
mod tests;
