//! What the rules say about the life of a catalog entry: self-checks, libraries, secrets, the
//! clock of updates, the regular review, what follows when one is missed.

use crate::{
    catalog_entry::{SecrecyMark, SelfCheckKind},
    deadline::WorkingDays,
    entry_file::ChangeTrigger,
    rule::RuleRef,
    rule_pack::{Resolution, RuleKey, RuleValue, Unit},
    share_request::PartyRole,
    time::LocalDate,
};

/// In what time something is owed, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// How many.
    pub n: u16,
    /// Of what.
    pub unit: Unit,
    /// The rule.
    pub rule: RuleRef,
    /// The house's number, where the rule has only a word: shown as profile default (CAL-17).
    pub default: Option<RuleRef>,
}

impl Resolution {
    /// Self-checks before an entry is published, each with its rule; only while a rule asks.
    pub fn self_checks(&self) -> Vec<(SelfCheckKind, RuleRef)> {
        let Some((words, rule)) = self.words(RuleKey::CatalogSelfCheck) else { return Vec::new() };
        words
            .iter()
            .filter_map(|word| SelfCheckKind::from_word(word))
            .map(|kind| (kind, rule.clone()))
            .collect()
    }

    /// The base libraries (CAT-19).
    pub fn base_libraries(&self) -> Option<(Vec<String>, RuleRef)> {
        self.words(RuleKey::BaseLibraries).map(|(words, rule)| (words.to_vec(), rule))
    }

    /// The theme libraries (CAT-20).
    pub fn theme_libraries(&self) -> Option<(Vec<String>, RuleRef)> {
        self.words(RuleKey::ThemeLibraries).map(|(words, rule)| (words.to_vec(), rule))
    }

    /// A list of theme libraries that is no longer in force: names, rule, last day.
    pub fn expired_theme_libraries(&self) -> Option<(Vec<String>, RuleRef, LocalDate)> {
        let rules = self.expired.iter().map(|index| self.rule(*index));
        let rule = rules.into_iter().find(|rule| rule.key == RuleKey::ThemeLibraries)?;
        let RuleValue::Words(names) = &rule.value else { return None };
        Some((names.clone(), rule.reference.clone(), rule.to?))
    }

    /// What is kept out of the platform, each with its rule (CAT-24).
    pub fn secrecy_excluded(&self) -> Vec<(SecrecyMark, RuleRef)> {
        let Some((words, rule)) = self.words(RuleKey::SecrecyExcluded) else { return Vec::new() };
        [SecrecyMark::StateSecret, SecrecyMark::WorkSecret]
            .into_iter()
            .filter(|mark| words.iter().any(|word| word == mark.name()))
            .map(|mark| (mark, rule.clone()))
            .collect()
    }

    /// In what time the catalog is updated after such a change (CAL-13). A rule with a number
    /// holds for the changes that it names; for any other a rule that has only a word, with the
    /// house's number for that word. None where no rule asks for an update.
    pub fn catalog_update(&self, trigger: ChangeTrigger) -> Option<Owed> {
        let merged = self.merged.get(&RuleKey::CatalogUpdate)?;
        let all = merged.winners.iter().chain(merged.losers.iter().map(|(index, _)| index));
        let rules: Vec<_> = all.map(|index| self.rule(*index)).collect();
        let numbered = rules.iter().filter_map(|rule| match rule.value {
            RuleValue::Count { n, unit } if names(&rule.count_from, trigger) => {
                Some(Owed { n, unit, rule: rule.reference.clone(), default: None })
            }
            _ => None,
        });
        if let Some(owed) = numbered.min_by_key(|owed| owed.n) {
            return Some(owed);
        }
        let vague = rules.iter().find(|rule| rule.value == RuleValue::Unnumbered)?;
        self.by_default(&vague.reference)
    }

    /// How many working days may be added to that time with the authority's consent.
    pub fn catalog_update_extension(&self) -> Option<(WorkingDays, RuleRef)> {
        self.days(RuleKey::CatalogUpdateExtensionMax)
    }

    /// In what time sharing attributes are reviewed (SHR-02).
    pub fn attribute_review(&self) -> Option<Owed> {
        let merged = self.merged.get(&RuleKey::SharingAttributeReview)?;
        let rule = self.reference(merged.winners[0]);
        match merged.value {
            RuleValue::Count { n, unit } => Some(Owed { n, unit, rule, default: None }),
            _ => self.by_default(&rule),
        }
    }

    /// In what time an entry of the re-classification worklist is dealt with: the house's number
    /// for 及时 (CAT-28).
    pub fn reclassification(&self) -> Option<Owed> {
        let (n, unit, rule) = self.default_for("及时")?;
        Some(Owed { n, unit, rule, default: None })
    }

    /// The rule by which no condition is added without ground (decree 809 art. 15¶1).
    pub fn no_added_conditions(&self) -> Option<RuleRef> {
        self.flag(RuleKey::SharingNoAddedConditions)
    }

    /// The rule by which taking an entry from those who use it is a change of service (CAT-30).
    pub fn withdrawal_is_service_change(&self) -> Option<RuleRef> {
        self.words(RuleKey::SharingServiceChangeRequires).map(|(_, rule)| rule)
    }

    /// The rule by which a provider that did not update its catalog is ordered to.
    pub fn update_order(&self) -> Option<RuleRef> {
        self.words(RuleKey::OverdueEffectProvider).map(|(_, rule)| rule)
    }

    /// The rule by which an authority that did not review an update is ordered to, by its
    /// government or superior.
    pub fn authority_order(&self) -> Option<RuleRef> {
        self.words(RuleKey::OverdueEffectAuthority).map(|(_, rule)| rule)
    }

    /// The house switch by which only persons on file hand in entries (CAT-18): off, unless the
    /// house's rule on duties says `only_persons_on_file`.
    pub fn only_persons_on_file(&self) -> Option<RuleRef> {
        let merged = self.merged.get(&RuleKey::ControlSeparationOfDuties)?;
        let RuleValue::Table(json) = &merged.value else { return None };
        let table: serde_json::Value = serde_json::from_str(json).ok()?;
        (table["only_persons_on_file"] == true).then(|| self.reference(merged.winners[0]))
    }

    /// To whom a missed duty goes.
    pub fn escalation_of(&self, debtor: PartyRole) -> Option<PartyRole> {
        self.escalation(debtor).map(|(target, _)| target)
    }

    /// A rule that has only a word, with the house's number for the word in its quote.
    fn by_default(&self, rule: &RuleRef) -> Option<Owed> {
        let word = ["及时", "适时", "立即", "定期"].into_iter().find(|w| rule.quote.contains(w))?;
        let (n, unit, default) = self.default_for(word)?;
        Some(Owed { n, unit, rule: rule.clone(), default: Some(default) })
    }

    fn default_for(&self, word: &str) -> Option<(u16, Unit, RuleRef)> {
        let merged = self.merged.get(&RuleKey::TimeDefault)?;
        let RuleValue::Table(json) = &merged.value else { return None };
        let table: serde_json::Value = serde_json::from_str(json).ok()?;
        let n = u16::try_from(table[word]["n"].as_u64()?).ok()?;
        let unit = match table[word]["unit"].as_str()? {
            "working_day" => Unit::WorkingDay,
            "day" => Unit::Day,
            "month" => Unit::Month,
            "year" => Unit::Year,
            _ => return None,
        };
        Some((n, unit, self.reference(merged.winners[0])))
    }
}

/// Whether the event from which a rule counts is such a change, in the pack's words.
fn names(count_from: &str, trigger: ChangeTrigger) -> bool {
    let words: &[&str] = match trigger {
        ChangeTrigger::Law => &["the law"],
        ChangeTrigger::AdministrativeRegulation => &["administrative regulation"],
        ChangeTrigger::StateCouncilDecision => &["State Council decision"],
        ChangeTrigger::Duty => &["duty", "function"],
        ChangeTrigger::Resource => &["business system"],
    };
    words.iter().any(|word| count_from.contains(word))
}

#[cfg(test)]
mod tests;
