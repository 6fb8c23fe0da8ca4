//! Rulings: what has the authority decided where the texts leave a gap or contradict each other?
//!
//! A ruling is no rule and adds no words to the law. It lets an expired rule that has no successor
//! go on (POL-03), or says which of two rules holds (requirements §0.2, POL-08). State keeps the
//! decision with its reason; the pack carries only what takes part in a resolution, so that
//! whoever has the text of a pack decides as the state does.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PackError, Rule, RuleKey, RulePack, RuleValue};
use crate::{
    reason::Lang,
    rule::{Rank, RuleRef},
    time::LocalDate,
};

/// A recorded ruling, as far as a resolution needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// Its id in state.
    pub id: String,
    /// What it does.
    pub effect: RulingEffect,
    /// First day on which it holds.
    pub from: LocalDate,
    /// Last day; none = until it is withdrawn.
    pub to: Option<LocalDate>,
    /// Number of the document by which it was made; empty if the authority recorded it itself.
    pub document_number: String,
}

/// What a ruling does. Rules are named by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RulingEffect {
    /// The expired rule goes on.
    Continue {
        /// The rule.
        rule: String,
    },
    /// The rule holds before the other, though its rank may be lower.
    Prefer {
        /// The rule.
        rule: String,
        /// The rule that gives way.
        over: String,
    },
}

impl Ruling {
    /// Whether it holds on the day.
    pub fn holds(&self, date: LocalDate) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to)
    }

    /// The rules that it names.
    pub fn rules(&self) -> Vec<&str> {
        match &self.effect {
            RulingEffect::Continue { rule } => vec![rule],
            RulingEffect::Prefer { rule, over } => vec![rule, over],
        }
    }
}

/// Why a ruling cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulingFault {
    /// The pack has no such rule.
    #[error("rule `{rule}` is not in the pack; the nearest is `{nearest}`")]
    UnknownRule {
        /// What was named.
        rule: String,
        /// The nearest id.
        nearest: String,
    },
    /// It has not expired when the ruling begins.
    #[error("rule {0} has not expired")]
    NotExpired(String),
    /// Other rules govern the point since.
    #[error("rule {rule} has expired, and {successors} governs since")]
    Governed {
        /// The expired rule.
        rule: String,
        /// What governs instead.
        successors: String,
    },
    /// The two rules are about different things, or one of them says nothing that could hold.
    #[error("{rule} and {over} do not contradict each other")]
    NoContradiction {
        /// One rule.
        rule: String,
        /// The other.
        over: String,
    },
    /// Only a regulation of a special zone may adapt a text of higher rank.
    #[error("{rule} has a lower rank than {over}; only a special-zone regulation may adapt it")]
    MayNotAdapt {
        /// The rule of lower rank.
        rule: String,
        /// The rule that should give way.
        over: String,
    },
    /// A higher rank needs no ruling to hold.
    #[error("{rule} holds before {over} by its rank; no ruling is wanted")]
    NotWanted {
        /// The rule of higher rank.
        rule: String,
        /// The other.
        over: String,
    },
}

impl RulingFault {
    /// What is wrong, in the language of whoever reads it.
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (_, Lang::En) => self.to_string(),
            (Self::UnknownRule { rule, nearest }, Lang::Zh) => {
                format!("规则包中没有规则“{rule}”，最接近的是“{nearest}”")
            }
            (Self::NotExpired(rule), Lang::Zh) => format!("规则 {rule} 尚未失效"),
            (Self::Governed { rule, successors }, Lang::Zh) => {
                format!("规则 {rule} 已失效，现由 {successors} 规定")
            }
            (Self::NoContradiction { rule, over }, Lang::Zh) => {
                format!("{rule} 与 {over} 并不冲突")
            }
            (Self::MayNotAdapt { rule, over }, Lang::Zh) => {
                format!("{rule} 的位阶低于 {over}，仅经济特区法规可作变通规定")
            }
            (Self::NotWanted { rule, over }, Lang::Zh) => {
                format!("{rule} 的位阶高于 {over}，无须裁定")
            }
        }
    }
}

impl RulePack {
    /// The rulings that it carries, in the order in which they were recorded.
    pub fn rulings(&self) -> &[Ruling] {
        &self.0.rulings
    }

    /// The same rules with these rulings instead of its own.
    pub fn with_rulings(&self, rulings: &[Ruling]) -> Result<Self, PackError> {
        let mut pack: Value = serde_json::from_str(self.json()).expect("a pack is JSON");
        let object = pack.as_object_mut().expect("a pack is an object");
        if rulings.is_empty() {
            object.remove("rulings");
        } else {
            let list = serde_json::to_value(rulings).expect("rulings are plain values");
            object.insert("rulings".to_owned(), list);
        }
        Self::parse(&pack.to_string())
    }

    /// Whether the expired rule may go on from `day`: it has ended, and nothing governs instead.
    pub fn check_continuation(&self, rule: &str, day: LocalDate) -> Result<(), RulingFault> {
        let expired = self.named(rule)?;
        if expired.to.is_none_or(|to| to >= day) {
            return Err(RulingFault::NotExpired(rule.to_owned()));
        }
        let successors: Vec<String> = self
            .governed_by(expired)
            .filter(|other| other.in_force(day))
            .map(|other| other.reference.cite(Lang::En))
            .collect();
        if successors.is_empty() {
            return Ok(());
        }
        let successors = successors.join(", ");
        Err(RulingFault::Governed { rule: rule.to_owned(), successors })
    }

    /// What governs since the rule has expired: the rules that the compositions name, and where
    /// they name none for it the later law on the same key for the same scope.
    fn governed_by<'a>(&'a self, expired: &'a Rule) -> impl Iterator<Item = &'a Rule> {
        let id = &expired.reference.id;
        let named: Vec<&Vec<String>> = self
            .0
            .compositions
            .values()
            .flat_map(|composition| &composition.expired)
            .filter(|(rule, _)| rule == id)
            .map(|(_, governed_by)| governed_by)
            .collect();
        self.rules().iter().filter(move |other| {
            if other.reference.id == *id {
                return false;
            }
            if named.is_empty() {
                return other.key == expired.key
                    && other.scope == expired.scope
                    && other.profile == expired.profile
                    && other.reference.rank != Rank::HouseRule;
            }
            named.iter().any(|ids| ids.contains(&other.reference.id))
        })
    }

    /// Whether `rule` may be held before `over`: both give a value on one key, and where its rank
    /// is lower it is an adaptation by a special-zone regulation.
    pub fn check_preference(
        &self,
        rule: &str,
        over: &str,
        adaptation: bool,
    ) -> Result<(), RulingFault> {
        let (one, other) = (self.named(rule)?, self.named(over)?);
        let names = || (rule.to_owned(), over.to_owned());
        let says = |rule: &Rule| rule.value != RuleValue::Unnumbered;
        if one.key != other.key || one.value == other.value || !says(one) || !says(other) {
            let (rule, over) = names();
            return Err(RulingFault::NoContradiction { rule, over });
        }
        let (rank, above) = (one.reference.rank, other.reference.rank);
        let (rule, over) = names();
        if rank < above || (adaptation && rank == above) {
            return Err(RulingFault::NotWanted { rule, over });
        }
        let may_adapt = rank == Rank::SpecialZoneRegulation && above != Rank::Law;
        if rank > above && !(adaptation && may_adapt) {
            return Err(RulingFault::MayNotAdapt { rule, over });
        }
        Ok(())
    }

    fn named(&self, id: &str) -> Result<&Rule, RulingFault> {
        self.rule(id).ok_or_else(|| RulingFault::UnknownRule {
            rule: id.to_owned(),
            nearest: super::pack_error::nearest(
                id,
                self.rules().iter().map(|rule| rule.reference.id.as_str()),
            )
            .to_owned(),
        })
    }

    /// The first day up to `today` on which this pack says something else than `old` did: law that
    /// binds from a day on which it was not known (POL-07). None if it only speaks of the future.
    pub fn differs_since(&self, old: &Self, today: LocalDate) -> Option<LocalDate> {
        let (new, old) = (&self.0, &old.0);
        let frame = new.scopes == old.scopes
            && new.operators == old.operators
            && new.compositions == old.compositions;
        let rules = || new.rules.iter().chain(&old.rules);
        if !frame {
            return rules().map(|rule| rule.from).min().filter(|day| *day <= today);
        }
        let of =
            |rules: &[Rule], id: &str| rules.iter().find(|rule| rule.reference.id == id).cloned();
        rules()
            .filter_map(|rule| {
                let id = rule.reference.id.as_str();
                match (of(&old.rules, id), of(&new.rules, id)) {
                    (Some(old), Some(new)) => differ_since(&old, &new),
                    (Some(rule), None) | (None, Some(rule)) => Some(rule.from),
                    (None, None) => None,
                }
            })
            .min()
            .filter(|day| *day <= today)
    }
}

/// The first day on which two versions of a rule say different things.
fn differ_since(old: &Rule, new: &Rule) -> Option<LocalDate> {
    let dated = Rule { from: new.from, to: new.to, note: new.note.clone(), ..old.clone() };
    if dated != *new {
        return Some(old.from.min(new.from));
    }
    let beginning = (old.from != new.from).then(|| old.from.min(new.from));
    let end = match (old.to, new.to) {
        (old, new) if old == new => None,
        (old, new) => old.into_iter().chain(new).min().map(LocalDate::next),
    };
    beginning.into_iter().chain(end).min()
}

/// What a recorded ruling says of a rule, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleMark {
    /// A rule of the house.
    House,
    /// Law in force.
    InForce,
    /// It has expired and goes on by a ruling.
    Continued {
        /// Its last day in force.
        expired: LocalDate,
        /// The ruling's id.
        ruling: String,
    },
    /// It has expired.
    Expired {
        /// Its last day in force.
        expired: LocalDate,
    },
}

impl RuleMark {
    /// The words to show behind a citation; empty for law in force.
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::InForce, _) => String::new(),
            (Self::House, Lang::En) => "house rule".to_owned(),
            (Self::House, Lang::Zh) => "内部规则".to_owned(),
            (Self::Continued { expired, ruling }, Lang::En) => {
                format!("expired on {expired}, continued by ruling {ruling}")
            }
            (Self::Continued { expired, ruling }, Lang::Zh) => {
                format!("已于 {expired} 失效，依裁定 {ruling} 继续执行")
            }
            (Self::Expired { expired }, Lang::En) => format!("expired on {expired}"),
            (Self::Expired { expired }, Lang::Zh) => format!("已于 {expired} 失效"),
        }
    }
}

/// How the rule stands on a day.
pub(super) fn mark(pack: &RulePack, rule: &RuleRef, date: LocalDate) -> RuleMark {
    if rule.rank == Rank::HouseRule {
        return RuleMark::House;
    }
    let to = pack.rule(&rule.id).and_then(|rule| rule.to).filter(|to| *to < date);
    match to {
        None => RuleMark::InForce,
        Some(expired) => match continued(pack, &rule.id, date) {
            Some(ruling) => RuleMark::Continued { expired, ruling: ruling.id.clone() },
            None => RuleMark::Expired { expired },
        },
    }
}

/// The ruling by which the expired rule goes on.
pub(super) fn continued<'a>(pack: &'a RulePack, id: &str, date: LocalDate) -> Option<&'a Ruling> {
    pack.rulings().iter().find(|ruling| {
        ruling.holds(date)
            && matches!(&ruling.effect, RulingEffect::Continue { rule } if rule == id)
    })
}

/// The ruling by which `winner` holds before `loser`.
pub(super) fn preferred<'a>(
    pack: &'a RulePack,
    (winner, loser): (&str, &str),
    date: LocalDate,
) -> Option<&'a Ruling> {
    pack.rulings().iter().find(|ruling| {
        ruling.holds(date)
            && matches!(&ruling.effect, RulingEffect::Prefer { rule, over } if rule == winner && over == loser)
    })
}

/// Whether any ruling of the pack prefers a rule on the day: most packs have none.
pub(super) fn preferences(pack: &RulePack, date: LocalDate) -> bool {
    pack.rulings()
        .iter()
        .any(|ruling| ruling.holds(date) && matches!(ruling.effect, RulingEffect::Prefer { .. }))
}

/// A key that nothing answers, with what once did.
pub(super) fn unanswered(key: RuleKey, expired: &[(RuleRef, LocalDate)], lang: Lang) -> String {
    let once: Vec<String> = expired
        .iter()
        .map(|(rule, day)| match lang {
            Lang::En => format!("{} expired on {day}", rule.cite(lang)),
            Lang::Zh => format!("{}已于 {day} 失效", rule.cite(lang)),
        })
        .collect();
    if once.is_empty() {
        return key.name().to_owned();
    }
    match lang {
        Lang::En => format!("{}; {}", key.name(), once.join(", ")),
        Lang::Zh => format!("{}；{}", key.name(), once.join("，")),
    }
}
