//! Reading a pack: from JSON to rules that are understood, or the first fault.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    organization::{DataKind, PartyClass},
    rule::{Rank, RuleRef},
    rule_pack::{
        Classes, Composition, Document, Operator, PackError, Parsed, Rule, RuleFault, RuleKey,
        RuleValue, Ruling, Scope, Shape, Unit,
        pack_error::nearest,
        words::{self, Word},
    },
    share_request::PartyRole,
    sharing::SharingKind,
    time::LocalDate,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    version: u64,
    ranks: Vec<RawRank>,
    merge: BTreeMap<String, RawMerge>,
    scopes: BTreeMap<String, RawScope>,
    documents: BTreeMap<String, RawDocument>,
    rules: Vec<RawRule>,
    compositions: BTreeMap<String, RawComposition>,
    /// What the authority has ruled; added by state, never typed.
    #[serde(default)]
    rulings: Vec<Ruling>,
}

#[derive(Deserialize)]
struct RawRank {
    rank: Rank,
}

#[derive(Deserialize)]
struct RawMerge {
    op: Option<RawOperator>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawOperator {
    Minimum,
    Union,
    Intersection,
    Override,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScope {
    asker: Option<Vec<String>>,
    provider: Vec<String>,
    data: Vec<String>,
    r#match: RawMatch,
    territory: Option<String>,
    levels: Option<String>,
    #[serde(rename = "definition")]
    _definition: String,
    #[serde(rename = "citation")]
    _citation: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum RawMatch {
    Both,
    Either,
}

#[derive(Deserialize)]
struct RawDocument {
    title: String,
    number: Option<String>,
    effective_from: LocalDate,
    effective_to: Option<LocalDate>,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    profile: String,
    key: String,
    value: Value,
    unit: Option<String>,
    count_from: Option<String>,
    debtor: Option<String>,
    decider: Option<String>,
    consenter: Option<String>,
    scope: Option<String>,
    on_breach: Option<String>,
    source: String,
    article: Option<String>,
    paragraph: Option<u16>,
    #[serde(rename = "item")]
    _item: Option<String>,
    quote: Option<String>,
    rank: Rank,
    effective_from: LocalDate,
    effective_to: Option<LocalDate>,
    #[serde(rename = "verified")]
    _verified: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
struct RawComposition {
    order: Vec<String>,
    by_scope: Vec<RawByScope>,
    #[serde(default)]
    expired: Vec<RawExpired>,
}

#[derive(Deserialize)]
struct RawByScope {
    scope: String,
    profiles: Vec<String>,
}

#[derive(Deserialize)]
struct RawExpired {
    rule: String,
    governed_by: Vec<String>,
}

/// Words of scopes that no registered party carries yet: they match nobody.
const OTHER_CLASSES: &[&str] = &["public_institution", "social_organization"];
const OTHER_DATA: &[&str] =
    &["open_public_data", "data_about_the_asker", "public_data_allowed_for_development"];

const CLASSES: &[(&str, PartyClass)] = &[
    ("government_department", PartyClass::GovernmentDepartment),
    ("law_authorized_organization", PartyClass::LawAuthorizedOrganization),
    ("other_state_organ", PartyClass::OtherStateOrgan),
    ("public_service_organization", PartyClass::PublicServiceOrganization),
    ("natural_person", PartyClass::Society),
    ("legal_person", PartyClass::Society),
    ("unincorporated_organization", PartyClass::Society),
    ("tier1", PartyClass::Developer),
    ("tier2", PartyClass::Developer),
];

const DATA: &[(&str, DataKind)] = &[
    ("government_data", DataKind::GovernmentData),
    ("public_service_data", DataKind::PublicServiceData),
];

const UNITS: &[(&str, Unit)] = &[
    ("working_day", Unit::WorkingDay),
    ("day", Unit::Day),
    ("month", Unit::Month),
    ("year", Unit::Year),
];

pub(super) fn parse(json: &str) -> Result<Parsed, PackError> {
    let malformed = |e: serde_json::Error| PackError::Malformed {
        line: e.line(),
        column: e.column(),
        cause: e.to_string(),
    };
    let raw: RawPack = serde_json::from_str(json).map_err(malformed)?;
    let whole: Value = serde_json::from_str(json).map_err(malformed)?;
    if let Some(pair) = raw.ranks.windows(2).find(|pair| pair[0].rank >= pair[1].rank) {
        return Err(PackError::RankOrder(pair[1].rank.name().to_owned()));
    }

    let operators = operators(&raw.merge)?;
    let documents = documents(raw.documents);
    let scopes = raw
        .scopes
        .into_iter()
        .map(|(name, raw)| Ok((name.clone(), scope(&name, raw)?)))
        .collect::<Result<BTreeMap<_, _>, PackError>>()?;

    let ids: BTreeSet<String> = raw.rules.iter().map(|rule| rule.id.clone()).collect();
    let mut rules: Vec<Rule> = Vec::with_capacity(raw.rules.len());
    let mut seen = BTreeSet::new();
    let mut units: BTreeMap<RuleKey, Unit> = BTreeMap::new();
    for raw in raw.rules {
        let id = raw.id.clone();
        let wrong = |fault| PackError::Rule { line: line_of(json, &id), rule: id.clone(), fault };
        if !seen.insert(id.clone()) {
            return Err(wrong(RuleFault::DuplicateId));
        }
        if let Some(breach) = raw.on_breach.as_ref().filter(|breach| !ids.contains(*breach)) {
            return Err(wrong(RuleFault::UnknownBreachRule(breach.clone())));
        }
        let rule = rule(raw, &operators, &scopes, &documents).map_err(wrong)?;
        if let RuleValue::Count { unit, .. } = rule.value
            && *units.entry(rule.key).or_insert(unit) != unit
        {
            return Err(wrong(RuleFault::UnitsDiffer));
        }
        rules.push(rule);
    }

    let profiles: BTreeSet<&str> = rules.iter().map(|rule| rule.profile.as_str()).collect();
    let mut compositions = BTreeMap::new();
    for (name, raw) in raw.compositions {
        compositions.insert(name.clone(), composition(&name, raw, &profiles, &scopes, &ids)?);
    }
    for ruling in &raw.rulings {
        if let Some(rule) = ruling.rules().into_iter().find(|rule| !ids.contains(*rule)) {
            return Err(PackError::UnknownInRuling {
                ruling: ruling.id.clone(),
                rule: rule.to_owned(),
                nearest: nearest(rule, ids.iter().map(String::as_str)).to_owned(),
            });
        }
    }
    Ok(Parsed {
        text: whole.to_string(),
        version: raw.version,
        documents,
        scopes,
        operators,
        rules,
        compositions,
        rulings: raw.rulings,
    })
}

fn line_of(json: &str, id: &str) -> usize {
    let place = json.find(&format!("\"id\": \"{id}\"")).or_else(|| json.find(&format!("\"{id}\"")));
    json[..place.unwrap_or(0)].matches('\n').count() + 1
}

fn operators(raw: &BTreeMap<String, RawMerge>) -> Result<BTreeMap<RuleKey, Operator>, PackError> {
    let mut operators = BTreeMap::new();
    for (name, merge) in raw {
        let key = RuleKey::from_name(name).map_err(|nearest| PackError::UnknownMergeKey {
            key: name.clone(),
            nearest: nearest.to_owned(),
        })?;
        // An entry without operator is reported with the first rule that needs it.
        if let Some(op) = &merge.op {
            let operator = match op {
                RawOperator::Minimum => Operator::Minimum,
                RawOperator::Union => Operator::Union,
                RawOperator::Intersection => Operator::Intersection,
                RawOperator::Override => Operator::Override,
            };
            operators.insert(key, operator);
        }
    }
    Ok(operators)
}

fn documents(raw: BTreeMap<String, RawDocument>) -> BTreeMap<String, Document> {
    raw.into_iter()
        .map(|(id, raw)| {
            let document = Document {
                title: raw.title,
                number: raw.number.unwrap_or_default(),
                from: raw.effective_from,
                to: raw.effective_to,
                note: raw.note,
            };
            (id, document)
        })
        .collect()
}

fn scope(name: &str, raw: RawScope) -> Result<Scope, PackError> {
    let unknown = |word: &str, nearest: &str| PackError::UnknownScopeWord {
        scope: name.to_owned(),
        word: word.to_owned(),
        nearest: nearest.to_owned(),
    };
    let classes = |words: &[String]| {
        if words.iter().any(|word| word == "any") {
            return Ok(Classes::Any);
        }
        let mut classes = Vec::new();
        for word in words {
            if let Some((_, class)) = CLASSES.iter().find(|(known, _)| known == word) {
                classes.push(*class);
            } else if !OTHER_CLASSES.contains(&word.as_str()) {
                let known = CLASSES.iter().map(|(known, _)| *known);
                let known = known.chain(OTHER_CLASSES.iter().copied());
                return Err(unknown(word, nearest(word, known)));
            }
        }
        Ok(Classes::These(classes))
    };
    let mut data = Some(Vec::new());
    for word in &raw.data {
        if word == "any" {
            data = None;
        } else if let Some((_, kind)) = DATA.iter().find(|(known, _)| known == word) {
            if let Some(kinds) = &mut data {
                kinds.push(*kind);
            }
        } else if !OTHER_DATA.contains(&word.as_str()) {
            let known = DATA.iter().map(|(known, _)| *known).chain(OTHER_DATA.iter().copied());
            return Err(unknown(word, nearest(word, known)));
        }
    }
    Ok(Scope {
        asker: raw.asker.as_deref().map(classes).transpose()?,
        provider: classes(&raw.provider)?,
        data,
        either: raw.r#match == RawMatch::Either,
        territory: raw.territory,
        asks_levels: raw.levels.is_some(),
    })
}

fn rule(
    raw: RawRule,
    operators: &BTreeMap<RuleKey, Operator>,
    scopes: &BTreeMap<String, Scope>,
    documents: &BTreeMap<String, Document>,
) -> Result<Rule, RuleFault> {
    let key = RuleKey::from_name(&raw.key).map_err(|nearest| RuleFault::UnknownKey {
        key: raw.key.clone(),
        nearest: nearest.to_owned(),
    })?;
    if !operators.contains_key(&key) {
        return Err(RuleFault::NoMergeOperator(raw.key));
    }
    let scope = raw.scope.ok_or(RuleFault::NoScope)?;
    if !scopes.contains_key(&scope) {
        let nearest = nearest(&scope, scopes.keys().map(String::as_str)).to_owned();
        return Err(RuleFault::UnknownScope { scope, nearest });
    }
    let Some(document) = documents.get(&raw.source) else {
        let nearest = nearest(&raw.source, documents.keys().map(String::as_str)).to_owned();
        return Err(RuleFault::UnknownDocument { source_id: raw.source, nearest });
    };
    let reference = if raw.rank == Rank::HouseRule {
        if raw.article.is_some() || raw.paragraph.is_some() || raw.quote.is_some() {
            return Err(RuleFault::HouseRuleWithArticle);
        }
        RuleRef::house(&raw.id)
    } else {
        RuleRef {
            id: raw.id,
            title: document.title.clone(),
            article: raw.article.filter(|a| !a.is_empty()).ok_or(RuleFault::NoArticle)?,
            paragraph: raw.paragraph.unwrap_or(0),
            rank: raw.rank,
            quote: raw.quote.unwrap_or_default(),
        }
    };
    // A rule lives no longer than its document.
    let from = raw.effective_from.max(document.from);
    let to = raw.effective_to.into_iter().chain(document.to).min();
    if to.is_some_and(|to| to < from) {
        return Err(RuleFault::EndsBeforeItBegins);
    }
    let value = value(key, &raw.value, raw.unit.as_deref())?;
    let debtor = raw.debtor.unwrap_or_default();
    if key == RuleKey::SharingConditionalDecider
        && !["provider", "authority", "authority_and_provider"].contains(&debtor.as_str())
    {
        return Err(RuleFault::WrongShape(
            "a decider with its debtor: provider, authority or both",
        ));
    }
    Ok(Rule {
        reference,
        profile: raw.profile,
        key,
        value,
        scope,
        source: raw.source,
        debtor,
        decider: raw.decider.unwrap_or_default(),
        consenter: raw.consenter.unwrap_or_default(),
        count_from: raw.count_from.unwrap_or_default(),
        from,
        to,
        note: raw.note.unwrap_or_default(),
    })
}

fn value(key: RuleKey, raw: &Value, unit: Option<&str>) -> Result<RuleValue, RuleFault> {
    match key.shape() {
        Shape::Count => {
            if raw.is_null() {
                return Ok(RuleValue::Unnumbered);
            }
            let wrong = RuleFault::WrongShape("a number with its unit, or null");
            let n = raw.as_u64().and_then(|n| u16::try_from(n).ok());
            let unit = UNITS.iter().find(|(known, _)| unit == Some(*known)).map(|(_, unit)| *unit);
            match (n, unit) {
                (Some(n), Some(unit)) => Ok(RuleValue::Count { n, unit }),
                _ => Err(wrong),
            }
        }
        Shape::Share => Ok(RuleValue::Shares(vec![share(raw)?])),
        Shape::Shares => {
            let list = raw.as_array().ok_or(RuleFault::WrongShape("a list of shares"))?;
            Ok(RuleValue::Shares(list.iter().map(share).collect::<Result<_, _>>()?))
        }
        Shape::Flag => {
            raw.as_bool().map(RuleValue::Flag).ok_or(RuleFault::WrongShape("true or false"))
        }
        Shape::Word => {
            let word = raw.as_str().ok_or(RuleFault::WrongShape("a word"))?;
            known_words(key, vec![word.to_owned()])
        }
        Shape::Words => known_words(key, list(raw)?),
        Shape::Listed(under) => known_words(key, list(&raw[under])?),
        Shape::Escalation => {
            let map = raw.as_object().ok_or(RuleFault::WrongShape("a table of debtors"))?;
            let mut targets = BTreeMap::new();
            for (debtor, target) in map {
                let target = target.as_str().unwrap_or_default();
                let (from, to) = (word::<PartyRole>(debtor)?, word::<PartyRole>(target)?);
                if from == to {
                    return Err(RuleFault::EscalatesToDebtor(debtor.clone()));
                }
                targets.insert(from, to);
            }
            Ok(RuleValue::Escalation(targets))
        }
        Shape::ExtensionLimits => {
            let wrong = RuleFault::WrongShape("{count, applies_to}");
            let count = raw["count"].as_u64().and_then(|n| u16::try_from(n).ok()).ok_or(wrong)?;
            let applies_to = list(&raw["applies_to"])?;
            let applies_to = applies_to
                .iter()
                .map(|kind| word::<SharingKind>(kind))
                .collect::<Result<_, _>>()?;
            Ok(RuleValue::ExtensionLimits { count, applies_to })
        }
        Shape::Suspension => {
            let day = raw["last_day_for_notice"].as_u64().and_then(|n| u16::try_from(n).ok());
            match (raw["suspends"].as_bool(), day) {
                (Some(suspends), Some(last_day_for_notice)) => {
                    Ok(RuleValue::Suspension { suspends, last_day_for_notice })
                }
                _ => Err(RuleFault::WrongShape("{suspends, last_day_for_notice}")),
            }
        }
        Shape::Table => Ok(RuleValue::Table(raw.to_string())),
    }
}

fn list(raw: &Value) -> Result<Vec<String>, RuleFault> {
    let wrong = RuleFault::WrongShape("a list of words");
    raw.as_array()
        .and_then(|list| list.iter().map(|word| word.as_str().map(str::to_owned)).collect())
        .ok_or(wrong)
}

fn word<W: Word>(text: &str) -> Result<W, RuleFault> {
    W::from_word(text).ok_or_else(|| unknown_word(text, W::WORDS.iter().map(|(known, _)| *known)))
}

fn unknown_word<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> RuleFault {
    RuleFault::UnknownWord { word: word.to_owned(), nearest: nearest(word, known).to_owned() }
}

fn known_words(key: RuleKey, list: Vec<String>) -> Result<RuleValue, RuleFault> {
    if let Some(known) = words::vocabulary(key) {
        if let Some(word) = list.iter().find(|word| !known.contains(&word.as_str())) {
            return Err(unknown_word(word, known.into_iter()));
        }
        if key == RuleKey::SharingConditionalDecider && words::decider(&list).is_none() {
            return Err(RuleFault::WrongShape(
                "the provider, the authority, or authority and provider",
            ));
        }
    }
    Ok(RuleValue::Words(list))
}

/// Reads `0.5` as 500 thousandths from its text: no float takes part in a decision.
fn share(raw: &Value) -> Result<u16, RuleFault> {
    let wrong = || RuleFault::WrongShape("a share between 0 and 1 with at most three places");
    let text = raw.as_number().ok_or_else(wrong)?.to_string();
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    let digits = places.len() <= 3 && places.bytes().all(|b| b.is_ascii_digit());
    match (whole, digits) {
        ("0", true) => format!("{places:0<3}").parse().map_err(|_| wrong()),
        ("1", true) if places.bytes().all(|b| b == b'0') => Ok(1000),
        _ => Err(wrong()),
    }
}

fn composition(
    name: &str,
    raw: RawComposition,
    profiles: &BTreeSet<&str>,
    scopes: &BTreeMap<String, Scope>,
    ids: &BTreeSet<String>,
) -> Result<Composition, PackError> {
    let unknown = |what, wrong: &str, nearest: &str| PackError::UnknownInComposition {
        composition: name.to_owned(),
        what,
        name: wrong.to_owned(),
        nearest: nearest.to_owned(),
    };
    for profile in raw.order.iter().chain(raw.by_scope.iter().flat_map(|by| &by.profiles)) {
        if !profiles.contains(profile.as_str()) {
            return Err(unknown("profile", profile, nearest(profile, profiles.iter().copied())));
        }
    }
    if let Some(by) = raw.by_scope.iter().find(|by| !scopes.contains_key(&by.scope)) {
        let nearest = nearest(&by.scope, scopes.keys().map(String::as_str));
        return Err(unknown("scope", &by.scope, nearest));
    }
    for rule in raw.expired.iter().flat_map(|e| std::iter::once(&e.rule).chain(&e.governed_by)) {
        if !ids.contains(rule) {
            let nearest = nearest(rule, ids.iter().map(String::as_str));
            return Err(unknown("rule", rule, nearest));
        }
    }
    let by_scope = raw.by_scope.into_iter().map(|by| (by.scope, by.profiles)).collect();
    let expired = raw.expired.into_iter().map(|gone| (gone.rule, gone.governed_by)).collect();
    Ok(Composition { order: raw.order, by_scope, expired })
}
