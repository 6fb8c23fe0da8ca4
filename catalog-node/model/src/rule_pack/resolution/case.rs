//! What the rules say on the life of a case after its receipt: warnings, overdue, disputes,
//! filings by a window.

use super::{RuleKey, RulePack, RuleRef, RuleValue, WorkingDays};
use crate::{rule_pack::Resolution, share_request::PartyRole, time::LocalDate};

impl Resolution {
    /// Shares of a clock, in thousandths, at which its debtor is warned.
    pub fn warnings(&self) -> Option<(Vec<u16>, RuleRef)> {
        let merged = self.merged.get(&RuleKey::ClockWarnings)?;
        let RuleValue::Shares(shares) = &merged.value else { return None };
        Some((shares.clone(), self.reference(merged.winners[0])))
    }

    /// What an overdue debtor in this part is ordered, in the pack's words.
    pub fn overdue_effect(&self, debtor: PartyRole) -> Option<(Vec<String>, RuleRef)> {
        let key = match debtor {
            PartyRole::Requester => RuleKey::OverdueEffectRequester,
            PartyRole::Authority => RuleKey::OverdueEffectAuthority,
            _ => RuleKey::OverdueEffectProvider,
        };
        let (words, rule) = self.words(key)?;
        Some((words.to_vec(), rule))
    }

    /// The rule by which lateness counts only without a proper reason.
    pub fn counts_only_without_reason(&self) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::OverdueLateCountsOnlyIf)?;
        words.iter().any(|word| word == "no_proper_reason").then_some(rule)
    }

    /// Working days in which a late debtor may claim its reason.
    pub fn reason_hearing(&self) -> Option<(WorkingDays, RuleRef)> {
        self.days(RuleKey::OverdueReasonHearing)
    }

    /// The steps in which a dispute between asker and provider is settled.
    pub fn dispute_ladder(&self) -> Option<(Vec<String>, RuleRef)> {
        let (words, rule) = self.words(RuleKey::DisputeSharingLadder)?;
        Some((words.to_vec(), rule))
    }
}

impl RulePack {
    /// The highest rule in force on a key, whatever pair it is about: for what is no matter of a
    /// pair, as the separation of duties, and for rules whose scope asks for levels.
    pub fn in_force(&self, key: RuleKey, date: LocalDate) -> Option<(&RuleValue, RuleRef)> {
        let rules = self.rules().iter().filter(|rule| rule.key == key && rule.in_force(date));
        let rule = rules.min_by_key(|rule| rule.reference.rank)?;
        Some((&rule.value, rule.reference.clone()))
    }

    /// The house rule by which who submits does not approve.
    pub fn separation_of_duties(&self, date: LocalDate) -> Option<RuleRef> {
        let (value, rule) = self.in_force(RuleKey::ControlSeparationOfDuties, date)?;
        let RuleValue::Table(json) = value else { return None };
        let value: serde_json::Value = serde_json::from_str(json).ok()?;
        (value["submitter_may_approve"] == serde_json::Value::Bool(false)).then_some(rule)
    }

    /// What must be on record of a paper decision, in the pack's words.
    pub fn paper_decision_requires(&self, date: LocalDate) -> Option<(Vec<String>, RuleRef)> {
        let (value, rule) = self.in_force(RuleKey::RecordPaperDecision, date)?;
        let RuleValue::Words(words) = value else { return None };
        Some((words.clone(), rule))
    }

    /// The house rule by which the date stamped at a window is that of receipt.
    pub fn window_receipt(&self, date: LocalDate) -> Option<RuleRef> {
        let (value, rule) = self.in_force(RuleKey::SharingReceipt, date)?;
        let RuleValue::Table(json) = value else { return None };
        let value: serde_json::Value = serde_json::from_str(json).ok()?;
        value.get("window_or_paper").map(|_| rule)
    }

    /// The house's clock for a domain that only passes a case on.
    pub fn hop_clock(&self, date: LocalDate) -> Option<(WorkingDays, RuleRef)> {
        let (value, rule) = self.in_force(RuleKey::FederationHopClock, date)?;
        match value {
            RuleValue::Count { n, .. } => Some((WorkingDays(*n), rule)),
            _ => None,
        }
    }

    /// The rule by which the common superior authority coordinates between levels and regions.
    pub fn common_superior(&self, date: LocalDate) -> Option<RuleRef> {
        self.in_force(RuleKey::DisputeSharingCrossLevel, date).map(|(_, rule)| rule)
    }
}

#[cfg(test)]
mod tests;
