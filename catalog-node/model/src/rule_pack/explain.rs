//! Explanation: how did a key come to its value, and who gave way?
//!
//! For `rules show` and `rules explain`. Every rule of the pack on the key is accounted for, also
//! those that say nothing here: expired, not begun, of another scope or profile.

use super::{
    Lost, Operator, Pair, Rule, RuleKey, RulePack, RuleValue, Unit, UnknownComposition, rulings,
};
use crate::{reason::Lang, rule::RuleRef, time::LocalDate};

/// One key, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The key.
    pub key: RuleKey,
    /// How its rules are merged; none if the pack has no operator for it.
    pub operator: Option<Operator>,
    /// What holds; none where no rule in force speaks.
    pub value: Option<RuleValue>,
    /// Every rule of the pack on the key: those that give the value, those that gave way, the rest.
    pub rules: Vec<(RuleRef, RuleValue, Standing)>,
    /// Whether rules of one rank contradict and no ruling says which holds (POL-08).
    pub ruling_wanted: bool,
}

/// How a rule stands to what holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It gives the value.
    Gives,
    /// It has expired, and gives the value by this ruling.
    GivesByRuling {
        /// Its last day in force.
        expired: LocalDate,
        /// The ruling's id.
        ruling: String,
    },
    /// It gave way.
    GaveWay(Lost),
    /// It has expired.
    Expired(LocalDate),
    /// It does not hold yet.
    NotYet(LocalDate),
    /// Its scope does not cover the pair, or the composition has not its profile.
    OutOfScope,
}

/// Explains a key for a pair on a day under a composition.
pub fn explain_rule(
    pack: &RulePack,
    composition: &str,
    pair: Pair,
    date: LocalDate,
    key: RuleKey,
) -> Result<Explanation, UnknownComposition> {
    let resolution = pack.resolve(composition, pair, date)?;
    let merged = resolution.merged(key);
    let expired = resolution.expired_on(key);
    let standing = |rule: &Rule| {
        let reference = &rule.reference;
        if let Some(merged) = &merged {
            if merged.sources.contains(reference) {
                return match rulings::continued(pack, &reference.id, date) {
                    Some(ruling) if !rule.in_force(date) => Standing::GivesByRuling {
                        expired: rule.to.unwrap_or(date),
                        ruling: ruling.id.clone(),
                    },
                    _ => Standing::Gives,
                };
            }
            if let Some((_, why)) = merged.losers.iter().find(|(loser, _)| loser == reference) {
                return Standing::GaveWay(*why);
            }
        }
        if let Some((_, last)) = expired.iter().find(|(expired, _)| expired == reference) {
            return Standing::Expired(*last);
        }
        if rule.from > date { Standing::NotYet(rule.from) } else { Standing::OutOfScope }
    };
    let mut rules: Vec<(RuleRef, RuleValue, Standing)> = pack
        .rules()
        .iter()
        .filter(|rule| rule.key == key)
        .map(|rule| (rule.reference.clone(), rule.value.clone(), standing(rule)))
        .collect();
    rules.sort_by_key(|(rule, _, standing)| {
        let place = match standing {
            Standing::Gives | Standing::GivesByRuling { .. } => 0,
            Standing::GaveWay(_) => 1,
            Standing::Expired(_) => 2,
            Standing::NotYet(_) => 3,
            Standing::OutOfScope => 4,
        };
        (place, rule.rank)
    });
    Ok(Explanation {
        key,
        operator: pack.operator(key),
        value: merged.as_ref().map(|merged| merged.value.clone()),
        rules,
        ruling_wanted: merged.is_some_and(|merged| merged.ruling_wanted),
    })
}

impl Explanation {
    /// The explanation in lines, the value first.
    pub fn lines(&self, lang: Lang) -> Vec<String> {
        let value = self.value.as_ref().map(|value| value_text(value, lang));
        let first = match (value, lang) {
            (Some(value), Lang::En) => {
                format!("{}: {value}, {}", self.key.name(), operator_text(self.operator, lang))
            }
            (Some(value), Lang::Zh) => {
                format!("{}：{value}（{}）", self.key.name(), operator_text(self.operator, lang))
            }
            (None, Lang::En) => format!("{}: no rule in force", self.key.name()),
            (None, Lang::Zh) => format!("{}：没有现行有效的规则", self.key.name()),
        };
        let mut lines = vec![first];
        for (rule, value, standing) in &self.rules {
            let (cited, value) = (rule.cite(lang), value_text(value, lang));
            lines.push(format!("{} {cited} [{value}]", standing.text(lang)));
        }
        if self.ruling_wanted {
            lines.push(match lang {
                Lang::En => "ruling wanted: rules of one rank contradict each other".to_owned(),
                Lang::Zh => "同位阶规则相互冲突，需主管部门裁定".to_owned(),
            });
        }
        lines
    }
}

impl Standing {
    /// The words for it.
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Gives, Lang::En) => "holds:".to_owned(),
            (Self::Gives, Lang::Zh) => "适用：".to_owned(),
            (Self::GivesByRuling { expired, ruling }, Lang::En) => {
                format!("holds, expired on {expired} and continued by ruling {ruling}:")
            }
            (Self::GivesByRuling { expired, ruling }, Lang::Zh) => {
                format!("适用（{expired} 失效，依裁定 {ruling} 继续执行）：")
            }
            (Self::GaveWay(lost), lang) => lost.text(lang).to_owned(),
            (Self::Expired(last), Lang::En) => format!("expired on {last}:"),
            (Self::Expired(last), Lang::Zh) => format!("已于 {last} 失效："),
            (Self::NotYet(from), Lang::En) => format!("in force only from {from}:"),
            (Self::NotYet(from), Lang::Zh) => format!("自 {from} 起施行："),
            (Self::OutOfScope, Lang::En) => "does not cover the pair:".to_owned(),
            (Self::OutOfScope, Lang::Zh) => "不适用于该双方：".to_owned(),
        }
    }
}

impl Lost {
    /// Why a rule gave way, in words.
    pub fn text(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::HouseGivesWay, Lang::En) => "gives way to law:",
            (Self::HouseGivesWay, Lang::Zh) => "法律已有规定，内部规则让位：",
            (Self::LowerRank, Lang::En) => "gives way to a higher rank:",
            (Self::LowerRank, Lang::Zh) => "位阶较低，让位：",
            (Self::SameRank, Lang::En) => "contradicts at the same rank, ruling wanted:",
            (Self::SameRank, Lang::Zh) => "同位阶冲突，待裁定：",
            (Self::NotTheLimit, Lang::En) => "is not the limit:",
            (Self::NotTheLimit, Lang::Zh) => "不是起作用的限值：",
            (Self::WithoutNumber, Lang::En) => "has no number:",
            (Self::WithoutNumber, Lang::Zh) => "未规定数值：",
            (Self::Narrowed, Lang::En) => "allows more than the others:",
            (Self::Narrowed, Lang::Zh) => "范围较宽，被其他规则收窄：",
            (Self::ByRuling, Lang::En) => "gives way by a recorded ruling:",
            (Self::ByRuling, Lang::Zh) => "依已记录的裁定让位：",
        }
    }
}

fn operator_text(operator: Option<Operator>, lang: Lang) -> &'static str {
    match (operator, lang) {
        (Some(Operator::Minimum), Lang::En) => "the shortest of all limits",
        (Some(Operator::Minimum), Lang::Zh) => "取最短",
        (Some(Operator::Union), Lang::En) => "all of them together",
        (Some(Operator::Union), Lang::Zh) => "取并集",
        (Some(Operator::Intersection), Lang::En) => "only what all of them allow",
        (Some(Operator::Intersection), Lang::Zh) => "取交集",
        (Some(Operator::Override), Lang::En) => "the highest rank alone",
        (Some(Operator::Override), Lang::Zh) => "以最高位阶为准",
        (None, Lang::En) => "without operator",
        (None, Lang::Zh) => "未定合并方式",
    }
}

/// A value of a rule in words.
pub fn value_text(value: &RuleValue, lang: Lang) -> String {
    let list = |words: &[String]| match (words.is_empty(), lang) {
        (true, Lang::En) => "nothing".to_owned(),
        (true, Lang::Zh) => "无".to_owned(),
        (false, Lang::En) => words.join(", "),
        (false, Lang::Zh) => words.join("、"),
    };
    match value {
        RuleValue::Unnumbered => match lang {
            Lang::En => "no number".to_owned(),
            Lang::Zh => "未定数值".to_owned(),
        },
        RuleValue::Count { n, unit } => {
            let unit = match (unit, lang) {
                (Unit::WorkingDay, Lang::En) => "working days",
                (Unit::WorkingDay, Lang::Zh) => "个工作日",
                (Unit::Day, Lang::En) => "days",
                (Unit::Day, Lang::Zh) => "日",
                (Unit::Month, Lang::En) => "months",
                (Unit::Month, Lang::Zh) => "个月",
                (Unit::Year, Lang::En) => "years",
                (Unit::Year, Lang::Zh) => "年",
            };
            format!("{n} {unit}")
        }
        RuleValue::Shares(shares) => {
            let shares: Vec<String> = shares
                .iter()
                .map(|share| format!("{}.{}%", share / 10, share % 10).replace(".0%", "%"))
                .collect();
            list(&shares)
        }
        RuleValue::Flag(flag) => match (flag, lang) {
            (true, Lang::En) => "yes".to_owned(),
            (false, Lang::En) => "no".to_owned(),
            (true, Lang::Zh) => "是".to_owned(),
            (false, Lang::Zh) => "否".to_owned(),
        },
        RuleValue::Words(words) => list(words),
        RuleValue::Escalation(targets) => {
            let each: Vec<String> =
                targets.iter().map(|(debtor, to)| format!("{debtor:?} → {to:?}")).collect();
            list(&each)
        }
        RuleValue::ExtensionLimits { count, applies_to } => {
            let kinds: Vec<String> = applies_to.iter().map(ToString::to_string).collect();
            match lang {
                Lang::En => format!("{count} extension of {}", list(&kinds)),
                Lang::Zh => format!("{}：{count} 次", list(&kinds)),
            }
        }
        RuleValue::Suspension { suspends, last_day_for_notice } => match (suspends, lang) {
            (true, Lang::En) => format!("suspends until working day {last_day_for_notice}"),
            (true, Lang::Zh) => format!("第 {last_day_for_notice} 个工作日前的补正通知中止计时"),
            (false, Lang::En) => "does not suspend".to_owned(),
            (false, Lang::Zh) => "不中止计时".to_owned(),
        },
        RuleValue::Table(table) => table.clone(),
    }
}
