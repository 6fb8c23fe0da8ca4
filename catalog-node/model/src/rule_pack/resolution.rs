//! Resolution: what the rules of a pack say together for one pair on one day.
//!
//! Per key the rules in force whose scope covers the pair are merged; who gave way is kept, so
//! that a case can show why. The typed questions below it are all that the rest of the product
//! asks; each answer carries the rule that it rests on.

mod case;
mod catalog;
mod grant;
mod law;
mod proof;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog_entry::AssessmentKind,
    deadline::WorkingDays,
    rule::{Rank, RuleRef},
    rule_pack::{
        Classes, ConditionPart, EntryAttribute, ExtensionNeed, NotSharedPart, Operator, Pair,
        RefusalNeed, RequestPart, Rule, RuleKey, RulePack, RuleValue, Scope, ThirdParty, Unit,
        pack_error::nearest,
        rulings,
        words::{self, Word},
    },
    share_request::{Commitment, Decider, PartyRole},
    sharing::SharingKind,
    time::LocalDate,
};

pub use self::catalog::Owed;
pub use self::grant::{DeliveryRule, Forbidden, HouseSwitch, MisuseOrder};
// Relations and quality.
mod relations;
pub use relations::LadderStep;

/// A composition that the pack does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("composition `{name}` is not in the pack; the nearest is `{nearest}`")]
pub struct UnknownComposition {
    /// What was named.
    pub name: String,
    /// The nearest composition.
    pub nearest: String,
}

/// What holds for a pair on a day.
#[derive(Debug, Clone)]
pub struct Resolution {
    pack: RulePack,
    composition: String,
    pair: Pair,
    date: LocalDate,
    /// The composition's scope that covers the pair, for instance `gov_to_gov`.
    scope: String,
    scopes: BTreeSet<String>,
    merged: BTreeMap<RuleKey, MergedKey>,
    expired: Vec<usize>,
}

/// Indices are those of the pack's rules.
#[derive(Debug, Clone)]
struct MergedKey {
    value: RuleValue,
    /// The rules that give the value, highest rank first; never empty.
    winners: Vec<usize>,
    losers: Vec<(usize, Lost)>,
    ruling_wanted: bool,
}

/// One key, merged, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The key.
    pub key: RuleKey,
    /// What holds.
    pub value: RuleValue,
    /// The rules that say so, highest rank first.
    pub sources: Vec<RuleRef>,
    /// The rules that gave way, and why.
    pub losers: Vec<(RuleRef, Lost)>,
    /// Whether rules of one rank contradict, so that the authority should rule (POL-08).
    pub ruling_wanted: bool,
}

/// Why a rule gave way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// A house rule, and a rule of law fixes the point.
    HouseGivesWay,
    /// A rule of higher rank answers.
    LowerRank,
    /// A rule of the same rank answers; the authority should rule.
    SameRank,
    /// Another limit is shorter (or, of retention, longer).
    NotTheLimit,
    /// It has a word (及时) where others have a number.
    WithoutNumber,
    /// It allows more than others do.
    Narrowed,
    /// A recorded ruling says that another rule holds.
    ByRuling,
}

/// How a case may be extended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionRule {
    /// Working days that may be added in all.
    pub max: WorkingDays,
    /// The rule that allows them.
    pub rule: RuleRef,
    /// How many extensions a case may have: the house's limit; none = as many as fit the maximum.
    pub count: Option<(u16, RuleRef)>,
    /// Whether the authority at the provider's level must consent, by which rule.
    pub authority_consent: Option<RuleRef>,
    /// Everything that is needed.
    pub requires: Vec<(ExtensionNeed, RuleRef)>,
}

/// What holds for requests that are incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionRules {
    /// One list of what is missing, and no refusal for incompleteness.
    pub one_notice: Option<RuleRef>,
    /// Whether the notice suspends the clock.
    pub suspension: Option<SuspensionRule>,
    /// After how many working days without completion the request is closed.
    pub lapse: Option<(WorkingDays, RuleRef)>,
}

/// A completion notice suspends the clock if it is given in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspensionRule {
    /// The last day for such a notice, in working days from receipt.
    pub last_day_for_notice: WorkingDays,
    /// The house rule.
    pub rule: RuleRef,
}

impl Resolution {
    pub(super) fn new(
        pack: &RulePack,
        composition: &str,
        pair: Pair,
        date: LocalDate,
    ) -> Result<Self, UnknownComposition> {
        let Some(parts) = pack.0.compositions.get(composition) else {
            let nearest = nearest(composition, pack.compositions()).to_owned();
            return Err(UnknownComposition { name: composition.to_owned(), nearest });
        };
        let named = parts
            .by_scope
            .iter()
            .find(|(scope, profiles)| pack.0.scopes[scope].covers(pair, profiles));
        let profiles = named.map_or(&parts.order, |(_, profiles)| profiles);

        let mut scopes = BTreeSet::new();
        let mut expired = Vec::new();
        let mut by_key: BTreeMap<RuleKey, Vec<usize>> = BTreeMap::new();
        for (index, rule) in pack.rules().iter().enumerate() {
            let holds = profiles.contains(&rule.profile)
                && pack.0.scopes[&rule.scope].covers(pair, profiles);
            if !holds {
                continue;
            }
            if rule.in_force(date)
                || (rule.to.is_some_and(|to| to < date)
                    && rulings::continued(pack, &rule.reference.id, date).is_some())
            {
                scopes.insert(rule.scope.clone());
                by_key.entry(rule.key).or_default().push(index);
            } else if rule.to.is_some_and(|to| to < date) {
                expired.push(index);
            }
        }
        let scope = match named {
            Some((scope, _)) => scope.clone(),
            None => unnamed_scope(pack, &by_key),
        };
        let merged = by_key
            .into_iter()
            .map(|(key, indices)| (key, merge(pack, date, pack.0.operators[&key], indices)))
            .collect();
        Ok(Self {
            pack: pack.clone(),
            composition: composition.to_owned(),
            pair,
            date,
            scope,
            scopes,
            merged,
            expired,
        })
    }

    /// The composition.
    pub fn composition(&self) -> &str {
        &self.composition
    }

    /// Version of the pack.
    pub fn pack_version(&self) -> u64 {
        self.pack.version()
    }

    /// The pair.
    pub fn pair(&self) -> Pair {
        self.pair
    }

    /// The day.
    pub fn date(&self) -> LocalDate {
        self.date
    }

    /// The scope under which the composition treats the pair, for instance `gov_to_gov`.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// All scopes of rules in force that cover the pair.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// The keys on which a rule in force covers the pair.
    pub fn keys(&self) -> impl Iterator<Item = RuleKey> + '_ {
        self.merged.keys().copied()
    }

    /// What holds on a key and who gave way.
    pub fn merged(&self, key: RuleKey) -> Option<Merged> {
        let merged = self.merged.get(&key)?;
        Some(Merged {
            key,
            value: merged.value.clone(),
            sources: merged.winners.iter().map(|index| self.reference(*index)).collect(),
            losers: merged.losers.iter().map(|(i, why)| (self.reference(*i), *why)).collect(),
            ruling_wanted: merged.ruling_wanted,
        })
    }

    /// Rules that cover the pair but ended before the day, with their last day (POL-03).
    pub fn expired(&self) -> Vec<(RuleRef, LocalDate)> {
        let rules = self.expired.iter().map(|index| &self.pack.rules()[*index]);
        rules.filter_map(|rule| Some((rule.reference.clone(), rule.to?))).collect()
    }

    /// Working days in which a request for data of this kind is answered: by law, else by the
    /// house's default. None where no rule in force has a number.
    pub fn answer_days(&self, kind: SharingKind) -> Option<(WorkingDays, RuleRef)> {
        match kind {
            SharingKind::Unconditional => self.days(RuleKey::SharingUnconditionalAnswer),
            SharingKind::Conditional => self
                .days(RuleKey::SharingConditionalAnswer)
                .or_else(|| self.days(RuleKey::SharingConditionalAnswerDefault)),
            SharingKind::NotShared => None,
        }
    }

    /// Who decides a request. None where no rule in force says.
    pub fn decider(&self) -> Option<(Decider, RuleRef)> {
        let (words, rule) = self.words(RuleKey::SharingConditionalDecider)?;
        Some((words::decider(words)?, rule))
    }

    /// Who owes the answer: the debtor of the rule that names the decider.
    pub fn debtor(&self) -> Option<PartyRole> {
        let merged = self.merged.get(&RuleKey::SharingConditionalDecider)?;
        PartyRole::from_word(&self.rule(merged.winners[0]).debtor)
    }

    /// The rule by which the head of the decider's sharing office consents to the answer.
    pub fn answer_head_consent(&self) -> Option<RuleRef> {
        self.flag(RuleKey::SharingAnswerHeadConsent)
    }

    /// The rule by which the head of the asker's sharing office consents to the request.
    pub fn request_head_consent(&self) -> Option<RuleRef> {
        self.flag(RuleKey::SharingRequestHeadConsent)
    }

    /// The rule by which the head of the department consents to its catalog.
    pub fn catalog_head_consent(&self) -> Option<RuleRef> {
        self.flag(RuleKey::CatalogHeadConsent)
    }

    /// Assessments before an entry is submitted, each with its rule.
    pub fn assessments(&self) -> Vec<(AssessmentKind, RuleRef)> {
        self.each(RuleKey::CatalogAssessments)
    }

    /// What an entry states, each with its rule.
    pub fn entry_attributes(&self) -> Vec<(EntryAttribute, RuleRef)> {
        self.each(RuleKey::CatalogRequiredAttributes)
    }

    /// The rule by which an entry is bound to a business system. PLAN24 asked for it until
    /// 2026-06-06; since then it is a house rule.
    pub fn links_required(&self) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::CatalogLinks)?;
        words.iter().any(|word| word == "system").then_some(rule)
    }

    /// The rule by which an entry states class and grade.
    pub fn grade_required(&self) -> Option<RuleRef> {
        self.entry_attributes()
            .into_iter()
            .find(|(attribute, _)| *attribute == EntryAttribute::ClassAndGrade)
            .map(|(_, rule)| rule)
    }

    /// Working days in which the authority reviews an updated entry.
    pub fn catalog_review_days(&self) -> Option<(WorkingDays, RuleRef)> {
        self.days(RuleKey::CatalogAuthorityReview)
    }

    /// The rule by which only the authority publishes.
    pub fn publisher(&self) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::CatalogPublisher)?;
        words.iter().any(|word| word == "authority").then_some(rule)
    }

    /// What a request states, each with its rule.
    pub fn request_contents(&self) -> Vec<(RequestPart, RuleRef)> {
        self.each(RuleKey::SharingRequestContents)
    }

    /// What the asker commits to, each with its rule.
    pub fn commitments(&self) -> Vec<(Commitment, RuleRef)> {
        self.each(RuleKey::SharingRequestCommitments)
    }

    /// The rule of least necessary requests.
    pub fn least_necessary(&self) -> Option<RuleRef> {
        self.flag(RuleKey::SharingRequestLeastNecessary)
    }

    /// Ranks of the texts on which "not shared" may rest.
    pub fn none_basis(&self) -> Option<(Vec<Rank>, RuleRef)> {
        let (words, rule) = self.words(RuleKey::SharingNoneBasis)?;
        Some((words.iter().filter_map(|word| Rank::from_word(word)).collect(), rule))
    }

    /// The rule by which that text must itself forbid the sharing.
    pub fn none_explicit(&self) -> Option<RuleRef> {
        self.flag(RuleKey::SharingNoneExplicitProhibition)
    }

    /// What an entry that is not shared states, each with its rule.
    pub fn none_states(&self) -> Vec<(NotSharedPart, RuleRef)> {
        self.each(RuleKey::SharingNoneEntryStates)
    }

    /// What the conditions of a conditional entry name, each with its rule.
    pub fn conditional_conditions(&self) -> Vec<(ConditionPart, RuleRef)> {
        self.each(RuleKey::SharingConditionalConditions)
    }

    /// The rule by which a conditional entry needs a legal basis.
    pub fn conditional_basis_required(&self) -> Option<RuleRef> {
        self.flag(RuleKey::SharingConditionalBasisRequired)
    }

    /// What a refusal needs, each with its rule.
    pub fn refusal_requires(&self) -> Vec<(RefusalNeed, RuleRef)> {
        self.each(RuleKey::SharingRefusalRequires)
    }

    /// How the answer to a request of this kind may be extended; none = it may not.
    pub fn extension(&self, kind: SharingKind) -> Option<ExtensionRule> {
        let (max, rule) = self.days(RuleKey::SharingAnswerExtensionMax)?;
        let mut count = None;
        if let Some(merged) = self.merged.get(&RuleKey::SharingAnswerExtensionLimits)
            && let RuleValue::ExtensionLimits { count: n, applies_to } = &merged.value
        {
            if !applies_to.contains(&kind) {
                return None;
            }
            count = Some((*n, self.reference(merged.winners[0])));
        }
        let requires: Vec<(ExtensionNeed, RuleRef)> =
            self.each(RuleKey::SharingAnswerExtensionRequires);
        let authority_consent = requires
            .iter()
            .find(|(need, _)| *need == ExtensionNeed::AuthorityConsent)
            .map(|(_, rule)| rule.clone());
        Some(ExtensionRule { max, rule, count, authority_consent, requires })
    }

    /// What holds for requests that are incomplete.
    pub fn completion(&self) -> CompletionRules {
        let suspension =
            self.merged.get(&RuleKey::SharingCompletionSuspension).and_then(|merged| match merged
                .value
            {
                RuleValue::Suspension { suspends: true, last_day_for_notice } => {
                    Some(SuspensionRule {
                        last_day_for_notice: WorkingDays(last_day_for_notice),
                        rule: self.reference(merged.winners[0]),
                    })
                }
                _ => None,
            });
        CompletionRules {
            one_notice: self.flag(RuleKey::SharingCompletionOneNotice),
            suspension,
            lapse: self.days(RuleKey::SharingCompletionLapse),
        }
    }

    /// Working days from receipt after which the decider may answer though a party that is only
    /// heard was silent: a share of the answer clock, rounded up. None where the provider
    /// decides alone or no answer clock runs.
    pub fn opinion_clock(&self, kind: SharingKind) -> Option<(WorkingDays, RuleRef)> {
        if self.decider()?.0 == Decider::Provider {
            return None;
        }
        let (answer, _) = self.answer_days(kind)?;
        let merged = self.merged.get(&RuleKey::SharingConditionalOpinionClock)?;
        let RuleValue::Shares(shares) = &merged.value else { return None };
        let days = (u32::from(answer.0) * u32::from(*shares.first()?)).div_ceil(1000);
        Some((WorkingDays(days as u16), self.reference(merged.winners[0])))
    }

    /// To whom the overdue case of this debtor goes; never the debtor.
    pub fn escalation(&self, debtor: PartyRole) -> Option<(PartyRole, RuleRef)> {
        let merged = self.merged.get(&RuleKey::OverdueEscalationTarget)?;
        let RuleValue::Escalation(targets) = &merged.value else { return None };
        Some((*targets.get(&debtor)?, self.reference(merged.winners[0])))
    }

    /// What the third sharing type is called: 不予共享 or 暂不共享.
    pub fn third_type_name(&self) -> Option<(String, RuleRef)> {
        let (words, rule) = self.words(RuleKey::SharingTypes)?;
        Some((words.get(2)?.clone(), rule))
    }

    /// The rule by which an unconditional resource is taken directly from the platform.
    pub fn direct_access(&self) -> Option<RuleRef> {
        let (words, rule) = self.words(RuleKey::SharingUnconditionalAccess)?;
        words.iter().any(|word| word == "direct_from_platform").then_some(rule)
    }

    /// The rule by which the head's answer, given at publication, answers every request for an
    /// unconditional resource.
    pub fn standing_answer(&self) -> Option<RuleRef> {
        let merged = self.merged.get(&RuleKey::SharingUnconditionalStandingAnswer)?;
        Some(self.reference(merged.winners[0]))
    }

    /// What the receiver may do with a third party.
    pub fn third_party_permitted(&self) -> Option<(ThirdParty, RuleRef)> {
        let (words, rule) = self.words(RuleKey::SharingThirdPartyPermitted)?;
        let permitted = words.iter().find_map(|word| ThirdParty::from_word(word));
        Some((permitted.unwrap_or(ThirdParty::Never), rule))
    }

    fn rule(&self, index: usize) -> &Rule {
        &self.pack.rules()[index]
    }

    fn reference(&self, index: usize) -> RuleRef {
        self.rule(index).reference.clone()
    }

    fn days(&self, key: RuleKey) -> Option<(WorkingDays, RuleRef)> {
        let merged = self.merged.get(&key)?;
        match merged.value {
            RuleValue::Count { n, unit: Unit::WorkingDay } => {
                Some((WorkingDays(n), self.reference(merged.winners[0])))
            }
            _ => None,
        }
    }

    fn flag(&self, key: RuleKey) -> Option<RuleRef> {
        let merged = self.merged.get(&key)?;
        (merged.value == RuleValue::Flag(true)).then(|| self.reference(merged.winners[0]))
    }

    fn words(&self, key: RuleKey) -> Option<(&[String], RuleRef)> {
        let merged = self.merged.get(&key)?;
        match &merged.value {
            RuleValue::Words(words) => Some((words, self.reference(merged.winners[0]))),
            _ => None,
        }
    }

    /// Each word of a union with the highest rule that asks for it.
    fn each<W: Word>(&self, key: RuleKey) -> Vec<(W, RuleRef)> {
        let Some(merged) = self.merged.get(&key) else { return Vec::new() };
        let mut each: Vec<(W, RuleRef)> = Vec::new();
        for index in &merged.winners {
            let RuleValue::Words(words) = &self.rule(*index).value else { continue };
            for value in words.iter().filter_map(|word| W::from_word(word)) {
                if !each.iter().any(|(known, _)| *known == value) {
                    each.push((value, self.reference(*index)));
                }
            }
        }
        each
    }
}

impl Scope {
    pub(super) fn covers(&self, pair: Pair, profiles: &[String]) -> bool {
        let here = self.territory.as_ref().is_none_or(|profile| profiles.contains(profile));
        let data = self.data.as_ref().is_none_or(|kinds| kinds.contains(&pair.data));
        let asker = self.asker.as_ref().is_none_or(|classes| classes.contain(pair.asker));
        let provider = self.provider.contain(pair.provider);
        let parties = if self.either { asker || provider } else { asker && provider };
        here && data && parties && !self.asks_levels
    }
}

impl Classes {
    fn contain(&self, class: crate::organization::PartyClass) -> bool {
        match self {
            Self::Any => true,
            Self::These(classes) => classes.contains(&class),
        }
    }
}

/// The scope of a pair that the composition does not list: that of the highest rule of law on
/// pairs, else the scope of everyone.
fn unnamed_scope(pack: &RulePack, by_key: &BTreeMap<RuleKey, Vec<usize>>) -> String {
    by_key
        .values()
        .flatten()
        .map(|index| &pack.rules()[*index])
        .filter(|rule| {
            rule.reference.rank != Rank::HouseRule && pack.0.scopes[&rule.scope].asker.is_some()
        })
        .min_by_key(|rule| rule.reference.rank)
        .map_or_else(|| "any_case".to_owned(), |rule| rule.scope.clone())
}

fn merge(
    pack: &RulePack,
    date: LocalDate,
    operator: Operator,
    mut indices: Vec<usize>,
) -> MergedKey {
    let rules = pack.rules();
    // Highest rank first; within a rank the pack's order.
    indices.sort_by_key(|index| (rules[*index].reference.rank, *index));
    let mut losers = Vec::new();
    let has_value = |index: &usize| rules[*index].value != RuleValue::Unnumbered;
    let is_house = |index: &usize| rules[*index].reference.rank == Rank::HouseRule;
    if indices.len() > 1 && rulings::preferences(pack, date) {
        let id = |index: &usize| rules[*index].reference.id.as_str();
        let ruled_out = |loser: &usize| {
            let by = |winner: &usize| rulings::preferred(pack, (id(winner), id(loser)), date);
            indices.iter().any(|winner| has_value(winner) && by(winner).is_some())
        };
        let (out, left): (Vec<_>, Vec<_>) = indices.iter().copied().partition(ruled_out);
        // Rulings that go in a circle rule nobody out.
        if !left.is_empty() {
            indices = left;
            losers.extend(out.into_iter().map(|index| (index, Lost::ByRuling)));
        }
    }
    if indices.iter().any(|index| has_value(index) && !is_house(index)) {
        let (house, law) = indices.into_iter().partition(|index| is_house(index));
        indices = law;
        losers.extend(Vec::into_iter(house).map(|index| (index, Lost::HouseGivesWay)));
    }
    if indices.iter().any(has_value) {
        let (valued, vague): (Vec<_>, Vec<_>) = indices.into_iter().partition(has_value);
        indices = valued;
        losers.extend(vague.into_iter().map(|index| (index, Lost::WithoutNumber)));
    }
    let value = |index: &usize| &rules[*index].value;
    let equal = indices.iter().all(|index| value(index) == value(&indices[0]));
    if equal {
        let value = value(&indices[0]).clone();
        return MergedKey { value, winners: indices, losers, ruling_wanted: false };
    }
    match (operator, value(&indices[0])) {
        (Operator::Minimum | Operator::Union, RuleValue::Count { .. }) => {
            let number = |index: &usize| match value(index) {
                RuleValue::Count { n, .. } => *n,
                _ => 0,
            };
            let limits = indices.iter().map(number);
            let limit = if operator == Operator::Minimum { limits.min() } else { limits.max() };
            let (winners, others): (Vec<_>, Vec<_>) =
                indices.into_iter().partition(|index| Some(number(index)) == limit);
            losers.extend(others.into_iter().map(|index| (index, Lost::NotTheLimit)));
            let value = value(&winners[0]).clone();
            MergedKey { value, winners, losers, ruling_wanted: false }
        }
        (Operator::Union, RuleValue::Flag(_)) => {
            let (winners, others): (Vec<_>, Vec<_>) =
                indices.into_iter().partition(|index| *value(index) == RuleValue::Flag(true));
            losers.extend(others.into_iter().map(|index| (index, Lost::Narrowed)));
            MergedKey { value: RuleValue::Flag(true), winners, losers, ruling_wanted: false }
        }
        (Operator::Union, RuleValue::Words(_)) => {
            let mut union: Vec<String> = Vec::new();
            for word in indices.iter().flat_map(|index| words_of(value(index))) {
                if !union.contains(word) {
                    union.push(word.clone());
                }
            }
            let value = RuleValue::Words(union);
            MergedKey { value, winners: indices, losers, ruling_wanted: false }
        }
        (Operator::Intersection, RuleValue::Words(first)) => {
            let allowed_by_all =
                |word: &&String| indices.iter().all(|index| words_of(value(index)).contains(word));
            let allowed: Vec<String> = first.iter().filter(allowed_by_all).cloned().collect();
            // The rules that allow no more than what is left decide; if each allows more than
            // the others together, all of them do.
            let (narrowest, wider): (Vec<_>, Vec<_>) =
                indices.iter().partition(|index| words_of(value(index)).len() == allowed.len());
            let winners = if narrowest.is_empty() {
                indices
            } else {
                losers.extend(wider.into_iter().map(|index| (index, Lost::Narrowed)));
                narrowest
            };
            let value = RuleValue::Words(allowed);
            MergedKey { value, winners, losers, ruling_wanted: false }
        }
        // Override, and whatever cannot be merged: one answer only. A rule of the same rank that
        // says something else is a matter for the authority.
        _ => {
            let first = indices[0];
            let rank = rules[first].reference.rank;
            let mut winners = vec![first];
            let mut ruling_wanted = false;
            for index in indices.into_iter().skip(1) {
                if value(&index) == value(&first) && rules[index].reference.rank == rank {
                    winners.push(index);
                } else if rules[index].reference.rank == rank {
                    ruling_wanted = true;
                    losers.push((index, Lost::SameRank));
                } else {
                    losers.push((index, Lost::LowerRank));
                }
            }
            MergedKey { value: value(&first).clone(), winners, losers, ruling_wanted }
        }
    }
}

fn words_of(value: &RuleValue) -> &[String] {
    match value {
        RuleValue::Words(words) => words,
        _ => &[],
    }
}
