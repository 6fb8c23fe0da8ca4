//! What the rules say of grants: delivery, misuse, disposal, use records, wider use, changes of
//! the service.

use crate::{
    deadline::WorkingDays,
    grant::{DeliveryProof, WiderUseKind},
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{Resolution, RuleKey, RuleValue, Unit, words::Word},
    service_change::ServiceChangeNeed,
    share_request::PartyRole,
    use_record::UseField,
};

impl Word for DeliveryProof {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("first_successful_retrieval", Self::Retrieval),
        ("acknowledgement_by_requester", Self::Acknowledgement),
    ];
}

impl Word for ServiceChangeNeed {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("proper_reason", Self::ProperReason),
        ("negotiation_with_requester", Self::Negotiation),
        ("filing_with_authority", Self::Filing),
    ];
}

impl Word for UseField {
    const WORDS: &'static [(&'static str, Self)] = UseField::WORDS;
}

/// A habit of the house that is off unless the domain's own pack turns it on: a member of the
/// table `control.separation_of_duties`, the pack's place for switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HouseSwitch {
    /// An incomplete use record is refused, not only found fault with.
    CompleteUseRecords,
    /// No call before the agreement on the use is on record.
    AgreementBeforeUse,
}

impl HouseSwitch {
    fn member(self) -> &'static str {
        match self {
            Self::CompleteUseRecords => "complete_use_records",
            Self::AgreementBeforeUse => "agreement_before_use",
        }
    }
}

/// In how many working days a delivery is owed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRule {
    /// The days.
    pub days: WorkingDays,
    /// The rule that gives the number; the house's where the law has only a word (及时).
    pub rule: RuleRef,
    /// Who owes it.
    pub debtor: PartyRole,
}

/// Who may give an order against misuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisuseOrder {
    /// The rule.
    pub rule: RuleRef,
    /// Whether the authority may.
    pub authority: bool,
    /// Whether the provider may.
    pub provider: bool,
}

/// A wider use that the rules together do not permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// The narrowest rule; absent where no text permits it.
    pub rule: Option<RuleRef>,
    /// The rules that would have permitted more.
    pub wider: Vec<RuleRef>,
}

impl Forbidden {
    /// The refusal, naming every rule that took part.
    pub fn refusal(self) -> Refusal {
        let named = |lang| {
            let cited: Vec<String> = self.wider.iter().map(|rule| rule.cite(lang)).collect();
            match (cited.is_empty(), lang) {
                (false, _) => cited.join(", "),
                (true, Lang::En) => "none".to_owned(),
                (true, Lang::Zh) => "无".to_owned(),
            }
        };
        let refusal = Refusal::new(Reason::WiderUseNotPermitted)
            .fact("rules", named(Lang::En))
            .fact("rules_zh", named(Lang::Zh));
        match self.rule {
            Some(rule) => refusal.under(rule),
            None => refusal,
        }
    }
}

impl Resolution {
    /// In how many working days what was agreed is delivered: by law, or by the house's number for
    /// 及时 where the law has that word alone. None where no text speaks of it.
    pub fn delivery(&self) -> Option<DeliveryRule> {
        let merged = self.merged.get(&RuleKey::SharingDelivery)?;
        let debtor = PartyRole::from_word(&self.rule(merged.winners[0]).debtor)?;
        let (days, rule) = self.days(RuleKey::SharingDelivery).or_else(|| self.promptly())?;
        Some(DeliveryRule { days, rule, debtor })
    }

    /// The house's number for 及时.
    fn promptly(&self) -> Option<(WorkingDays, RuleRef)> {
        let table = self.table(RuleKey::TimeDefault)?;
        let number = &table.0["及时"];
        let days = number["n"].as_u64().and_then(|n| u16::try_from(n).ok())?;
        (number["unit"] == "working_day").then_some((WorkingDays(days), table.1))
    }

    /// What shows that a delivery arrived, each with its rule.
    pub fn delivery_proofs(&self) -> Vec<(DeliveryProof, RuleRef)> {
        self.each(RuleKey::SharingDeliveryDoneWhen)
    }

    /// Who suspends a right for misuse.
    pub fn misuse_suspension(&self) -> Option<MisuseOrder> {
        self.order(RuleKey::SharingMisuseStep1)
    }

    /// Who terminates it when the rectification was refused or inadequate.
    pub fn misuse_termination(&self) -> Option<MisuseOrder> {
        self.order(RuleKey::SharingMisuseStep2)
    }

    fn order(&self, key: RuleKey) -> Option<MisuseOrder> {
        let winner = self.merged.get(&key)?.winners[0];
        let decider = &self.rule(winner).decider;
        Some(MisuseOrder {
            rule: self.reference(winner),
            authority: decider.contains("authority"),
            provider: decider.contains("provider"),
        })
    }

    /// The rule by which data are disposed of as the provider requires.
    pub fn disposal(&self) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::SharingDisposal)?;
        words.iter().any(|word| word == "as_provider_requires").then_some(rule)
    }

    /// What ending or changing a service needs, each with its rule.
    pub fn service_change_needs(&self) -> Vec<(ServiceChangeNeed, RuleRef)> {
        self.each(RuleKey::SharingServiceChangeRequires)
    }

    /// The rule by which an agreement supervises the use.
    pub fn supervision_agreement(&self) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::SharingUseSupervision)?;
        words.iter().any(|word| word == "agreement").then_some(rule)
    }

    /// In how many working days the agreement is to be on record: the house's number for 及时.
    pub fn agreement_days(&self) -> Option<(WorkingDays, RuleRef)> {
        self.supervision_agreement()?;
        self.promptly()
    }

    /// The fields of a use record, each with its rule.
    pub fn use_record_fields(&self) -> Vec<(UseField, RuleRef)> {
        self.each(RuleKey::UsageRecordFields)
    }

    /// For how many months use records are kept.
    pub fn use_record_retention(&self) -> Option<(u32, RuleRef)> {
        let merged = self.merged.get(&RuleKey::UsageRecordRetention)?;
        let months = match merged.value {
            RuleValue::Count { n, unit: Unit::Year } => u32::from(n) * 12,
            RuleValue::Count { n, unit: Unit::Month } => u32::from(n),
            _ => return None,
        };
        Some((months, self.reference(merged.winners[0])))
    }

    /// The rule that binds use to what was declared.
    pub fn purpose_rule(&self) -> Option<RuleRef> {
        let merged = self.merged.get(&RuleKey::SharingPurposePermitted)?;
        Some(self.reference(merged.winners[0]))
    }

    /// Whether a use beyond the grant is permitted with the provider's consent: by every text in
    /// scope. A text that is absent grants nothing.
    pub fn wider_use_permitted(&self, kind: WiderUseKind) -> Result<RuleRef, Forbidden> {
        let (key, word) = match kind {
            WiderUseKind::ThirdParty => {
                (RuleKey::SharingThirdPartyPermitted, "with_provider_consent")
            }
            WiderUseKind::OtherPurpose => {
                (RuleKey::SharingPurposePermitted, "other_with_provider_consent")
            }
        };
        let Some(merged) = self.merged(key) else {
            return Err(Forbidden { rule: None, wider: Vec::new() });
        };
        let permits =
            matches!(&merged.value, RuleValue::Words(words) if words.iter().any(|w| w == word));
        let mut sources = merged.sources.into_iter();
        match sources.next() {
            Some(rule) if permits => Ok(rule),
            rule => {
                let wider = sources.chain(merged.losers.into_iter().map(|(rule, _)| rule));
                Err(Forbidden { rule, wider: wider.collect() })
            }
        }
    }

    /// The house rule that turns this habit on, if it does.
    pub fn house_switch(&self, switch: HouseSwitch) -> Option<RuleRef> {
        let (table, rule) = self.table(RuleKey::ControlSeparationOfDuties)?;
        (table[switch.member()] == true).then_some(rule)
    }

    fn table(&self, key: RuleKey) -> Option<(serde_json::Value, RuleRef)> {
        let merged = self.merged.get(&key)?;
        let RuleValue::Table(json) = &merged.value else { return None };
        Some((serde_json::from_str(json).ok()?, self.reference(merged.winners[0])))
    }
}
