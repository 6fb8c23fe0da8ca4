//! What a resolution says of the law itself: which rules have expired and go on by a ruling, what
//! the house says of outages, closures and edits of the law.

use super::Resolution;
use crate::{
    organization::{DataKind, PartyClass},
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{
        Merged, Pair, RuleKey, RuleMark, RulePack, RuleValue, UnknownComposition,
        rulings::{self, unanswered},
    },
    time::LocalDate,
};

impl Resolution {
    /// Rules on the key that cover the pair but have ended and do not go on, with their last day.
    pub fn expired_on(&self, key: RuleKey) -> Vec<(RuleRef, LocalDate)> {
        let rules = self.expired.iter().map(|index| self.rule(*index));
        let of_key = rules.filter(|rule| rule.key == key);
        of_key.filter_map(|rule| Some((rule.reference.clone(), rule.to?))).collect()
    }

    /// What holds on a key that a step cannot do without; refused as "no rule in force", naming the
    /// expired rule, where nothing does (POL-03).
    pub fn required(&self, key: RuleKey) -> Result<Merged, Refusal> {
        self.merged(key).ok_or_else(|| self.no_rule(key))
    }

    /// The refusal of a step on which no rule in force speaks.
    pub fn no_rule(&self, key: RuleKey) -> Refusal {
        let expired = self.expired_on(key);
        let mut refusal =
            Refusal::new(Reason::NoRuleInForce).fact("key", unanswered(key, &expired, Lang::En));
        if let Some((rule, last)) = expired.first() {
            refusal = refusal
                .fact("key_zh", unanswered(key, &expired, Lang::Zh))
                .fact("expired_rule", &rule.id)
                .fact("expired_on", last);
        }
        refusal
    }

    /// A refusal with the expired rule named, if it was refused because none is in force.
    pub fn name_expired(&self, refusal: Refusal) -> Refusal {
        if refusal.reason != Reason::NoRuleInForce {
            return refusal;
        }
        let key = refusal.facts.get("key").and_then(|name| RuleKey::from_name(name).ok());
        key.map_or(refusal, |key| self.no_rule(key))
    }

    /// Expired rules that take part by a ruling: the rule, its last day in force, the ruling's id.
    pub fn continued(&self) -> Vec<(RuleRef, LocalDate, String)> {
        let rules = self.pack.rules().iter().filter(|rule| !rule.in_force(self.date));
        rules
            .filter_map(|rule| {
                let ruling = rulings::continued(&self.pack, &rule.reference.id, self.date)?;
                let merged = self.merged.get(&rule.key)?;
                let used = |index: &usize| self.rule(*index).reference.id == rule.reference.id;
                merged.winners.iter().any(used).then_some(())?;
                Some((rule.reference.clone(), rule.to?, ruling.id.clone()))
            })
            .collect()
    }

    /// How a rule stands on the day: in force, house, expired, continued.
    pub fn mark(&self, rule: &RuleRef) -> RuleMark {
        rulings::mark(&self.pack, rule, self.date)
    }

    /// The house rule by which a case that fell overdue during an outage waits for a ruling
    /// (SEC-18).
    pub fn outage_ruling(&self) -> Option<RuleRef> {
        let merged = self.merged(RuleKey::ClockOutage)?;
        let RuleValue::Table(table) = &merged.value else { return None };
        let table: serde_json::Value = serde_json::from_str(table).ok()?;
        (table["overdue_during_outage"] == "needs_ruling").then(|| merged.sources[0].clone())
    }

    /// The house rule by which local closures may be declared.
    pub fn local_layer(&self) -> Option<RuleRef> {
        let merged = self.merged(RuleKey::CalendarLocalLayer)?;
        Some(merged.sources[0].clone())
    }

    /// The house rule by which an expired rule without successor may go on.
    pub fn continuation(&self) -> Option<RuleRef> {
        let merged = self.merged(RuleKey::RulesExpiredWithoutSuccessor)?;
        Some(merged.sources[0].clone())
    }

    /// The house rule by which two persons change this: `rule_pack`, `calendar`.
    pub fn two_persons(&self, what: &str) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::ControlTwoPersonEdits)?;
        words.iter().any(|word| word == what).then_some(rule)
    }
}

impl RulePack {
    /// What holds for the domain's own affairs, where no pair asks and answers: as between two
    /// departments.
    pub fn resolve_own(
        &self,
        composition: &str,
        date: LocalDate,
    ) -> Result<Resolution, UnknownComposition> {
        let own = Pair::for_catalog(PartyClass::GovernmentDepartment, DataKind::GovernmentData);
        self.resolve(composition, own, date)
    }
}
