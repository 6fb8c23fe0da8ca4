//! Rule packs: which sentences of law and of the house hold for a case, and what do they say
//! together?
//!
//! A pack is dated, cited, ranked data. Nothing in it is a program: its keys are a closed list
//! (`RuleKey`), its values are typed, and several rules on one key are merged by the operator of
//! that key (requirements §0.2): the minimum of clocks, the union of duties, the intersection of
//! grounds and permissions, the highest rank where only one answer is possible. A house rule
//! fills a point only where no rule of law gives a value.
//!
//! `RulePack::parse` refuses a pack that could be misread; `RulePack::resolve` says what holds
//! for a pair of asker and provider on a day. Scope is a property of the pair and the data, not
//! of one organization: an N809 rule never binds a pair outside its scope.

mod check;
mod explain;
mod key;
mod pack_error;
mod read;
mod resolution;
mod rulings;
mod words;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

use minicbor::{Decode, Encode};

use crate::{
    organization::{DataKind, PartyClass},
    rule::RuleRef,
    share_request::PartyRole,
    sharing::SharingKind,
    time::LocalDate,
};

pub use self::{
    check::{Found, PackFinding, Severity, check},
    explain::{Explanation, Standing, explain_rule, value_text},
    key::{RuleKey, Shape},
    pack_error::{PackError, RuleFault},
    resolution::{
        CompletionRules, ExtensionRule, Lost, Merged, Owed, Resolution, SuspensionRule,
        UnknownComposition,
    },
    resolution::{DeliveryRule, Forbidden, HouseSwitch, MisuseOrder},
    rulings::{RuleMark, Ruling, RulingEffect, RulingFault},
    words::{
        ConditionPart, EntryAttribute, ExtensionNeed, NotSharedPart, RefusalNeed, RequestPart,
        ThirdParty,
    },
};

// Relations and quality.
pub use self::resolution::LadderStep;

/// A pack whose every rule has been understood.
///
/// Stored as its JSON text; decoding reads the text again, so keep the decoded pack. A clone is
/// cheap.
#[derive(Clone)]
pub struct RulePack(Arc<Parsed>);

struct Parsed {
    /// The pack without white space between its parts.
    text: String,
    version: u64,
    documents: BTreeMap<String, Document>,
    scopes: BTreeMap<String, Scope>,
    operators: BTreeMap<RuleKey, Operator>,
    rules: Vec<Rule>,
    compositions: BTreeMap<String, Composition>,
    rulings: Vec<Ruling>,
}

/// A legal text, or the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Its number; empty if none is known.
    pub number: String,
    /// First day in force.
    pub from: LocalDate,
    /// Last day in force; none = open.
    pub to: Option<LocalDate>,
    /// What to know about its dates.
    pub note: String,
}

/// A rule as the pack states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// How it is cited.
    pub reference: RuleRef,
    /// The profile that it belongs to, for instance `national`.
    pub profile: String,
    /// What it is about.
    pub key: RuleKey,
    /// What it says.
    pub value: RuleValue,
    /// Whom it binds; a scope of the pack.
    pub scope: String,
    /// Id of its document.
    pub source: String,
    /// Who owes what it asks, in the pack's word; empty if nobody in particular.
    pub debtor: String,
    /// Who decides, in the pack's word; empty if nobody does.
    pub decider: String,
    /// Whose consent it takes, in the pack's word; empty if nobody's.
    pub consenter: String,
    /// From which event its clock counts, in words; empty if it has none.
    pub count_from: String,
    /// First day in force.
    pub from: LocalDate,
    /// Last day in force; none = open.
    pub to: Option<LocalDate>,
    /// What to know about it.
    pub note: String,
}

impl Rule {
    /// Whether it holds for what is received on this day.
    pub fn in_force(&self, date: LocalDate) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to)
    }
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleValue {
    /// A word of the law without a number (及时, 合理期限): it takes no part in a merge.
    Unnumbered,
    /// A number of units.
    Count {
        /// The number.
        n: u16,
        /// Of what.
        unit: Unit,
    },
    /// Shares of a clock, in thousandths.
    Shares(Vec<u16>),
    /// Yes or no.
    Flag(bool),
    /// Words, in the pack's order.
    Words(Vec<String>),
    /// Where the case of an overdue debtor goes, by debtor.
    Escalation(BTreeMap<PartyRole, PartyRole>),
    /// The house's limits of extensions.
    ExtensionLimits {
        /// How many extensions one case may have.
        count: u16,
        /// For which kinds of sharing.
        applies_to: Vec<SharingKind>,
    },
    /// Whether a completion notice suspends the clock.
    Suspension {
        /// Whether it does.
        suspends: bool,
        /// The last day for a notice that does, in working days from receipt.
        last_day_for_notice: u16,
    },
    /// Anything else, as JSON, to be shown.
    Table(String),
}

/// What a rule's number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Working days of the calendar.
    WorkingDay,
    /// Days.
    Day,
    /// Months.
    Month,
    /// Years.
    Year,
}

/// How several rules on one key become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The smallest number.
    Minimum,
    /// Everything that any of them asks; of numbers the largest.
    Union,
    /// Only what all of them allow.
    Intersection,
    /// The highest rank; the losers are recorded.
    Override,
}

/// Whom a rule binds: a property of the pair and the data.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scope {
    /// Classes of askers; none = the rule binds a unit, whoever asks.
    asker: Option<Classes>,
    provider: Classes,
    /// Kinds of data; none = any.
    data: Option<Vec<DataKind>>,
    /// Whether one side of the pair suffices.
    either: bool,
    /// The profile in whose territory the scope lies; none = anywhere.
    territory: Option<String>,
    /// Whether the scope asks for levels of government, which a pair does not tell: such a scope
    /// matches no pair.
    asks_levels: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Classes {
    Any,
    These(Vec<PartyClass>),
}

/// Which profiles hold together, by scope.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Composition {
    order: Vec<String>,
    by_scope: Vec<(String, Vec<String>)>,
    /// Expired rules, and what governs instead.
    expired: Vec<(String, Vec<String>)>,
}

impl Composition {
    /// The lists of profiles that hold together.
    fn lists(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.order).chain(self.by_scope.iter().map(|(_, profiles)| profiles))
    }

    fn has(&self, profile: &str) -> bool {
        self.lists().any(|profiles| profiles.iter().any(|known| known == profile))
    }
}

/// The pair whose rules are wanted: classes in the capacity in which each acts, and the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Class of the asker.
    pub asker: PartyClass,
    /// Class of the provider.
    pub provider: PartyClass,
    /// Kind of the data.
    pub data: DataKind,
}

impl Pair {
    /// The pair for which a provider compiles an entry before anyone has asked: a government
    /// department as asker, because the attributes of an entry must satisfy the strictest of
    /// those who may ask.
    pub fn for_catalog(provider: PartyClass, data: DataKind) -> Self {
        Self { asker: PartyClass::GovernmentDepartment, provider, data }
    }
}

impl RulePack {
    /// The pack that comes with the product.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<RulePack> = LazyLock::new(|| {
            let text = include_str!("../data/policy_profiles.json");
            RulePack::parse(text).expect("the embedded pack is tested")
        });
        &EMBEDDED
    }

    /// Reads a pack, format version 2.
    pub fn parse(json: &str) -> Result<Self, PackError> {
        read::parse(json).map(|parsed| Self(Arc::new(parsed)))
    }

    /// The pack's own version number.
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// The pack as JSON, without white space between its parts: what state stores.
    pub fn json(&self) -> &str {
        &self.0.text
    }

    /// All rules, in the pack's order.
    pub fn rules(&self) -> &[Rule] {
        &self.0.rules
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.0.rules.iter().find(|rule| rule.reference.id == id)
    }

    /// The documents, by id.
    pub fn documents(&self) -> &BTreeMap<String, Document> {
        &self.0.documents
    }

    /// Names of the compositions, in order.
    pub fn compositions(&self) -> impl Iterator<Item = &str> {
        self.0.compositions.keys().map(String::as_str)
    }

    /// The operator that merges the key, if the pack has rules for it.
    pub fn operator(&self, key: RuleKey) -> Option<Operator> {
        self.0.operators.get(&key).copied()
    }

    /// What holds for a pair under a composition for something received on `date`.
    pub fn resolve(
        &self,
        composition: &str,
        pair: Pair,
        date: LocalDate,
    ) -> Result<Resolution, UnknownComposition> {
        Resolution::new(self, composition, pair, date)
    }
}

impl PartialEq for RulePack {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for RulePack {}

impl fmt::Debug for RulePack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RulePack(version {}, {} rules)", self.0.version, self.0.rules.len())
    }
}

impl<C> Encode<C> for RulePack {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0.text)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for RulePack {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::parse(d.str()?).map_err(minicbor::decode::Error::message)
    }
}

#[cfg(test)]
mod tests;
