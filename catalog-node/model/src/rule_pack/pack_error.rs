//! Why a rule pack is refused: the first fault, with the rule and the line where it stands.

use crate::reason::Lang;

/// A rule pack that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The text is not JSON of the wanted form.
    #[error("line {line}, column {column}: {cause}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the reader says.
        cause: String,
    },
    /// A rule is wrong.
    #[error("rule {rule} (line {line}): {fault}")]
    Rule {
        /// Id of the rule.
        rule: String,
        /// The line on which the id first stands.
        line: usize,
        /// What is wrong with it.
        fault: RuleFault,
    },
    /// The merge table names a key that the product does not know.
    #[error("merge table: `{key}` is no key; the nearest is `{nearest}`")]
    UnknownMergeKey {
        /// What was named.
        key: String,
        /// The nearest key.
        nearest: String,
    },
    /// Ranks are not listed from high to low.
    #[error("ranks: `{0}` stands below a lower rank, or twice")]
    RankOrder(String),
    /// A scope names a class of parties or a kind of data that nobody knows.
    #[error("scope {scope}: `{word}` is neither class nor data; the nearest is `{nearest}`")]
    UnknownScopeWord {
        /// Name of the scope.
        scope: String,
        /// What was named.
        word: String,
        /// The nearest word.
        nearest: String,
    },
    /// A composition names something that is not in the pack.
    #[error(
        "composition {composition}: {what} `{name}` is not in the pack; the nearest is `{nearest}`"
    )]
    UnknownInComposition {
        /// Name of the composition.
        composition: String,
        /// `profile`, `scope` or `rule`.
        what: &'static str,
        /// What was named.
        name: String,
        /// The nearest name.
        nearest: String,
    },
    /// A ruling names a rule that is not in the pack.
    #[error("ruling {ruling}: rule `{rule}` is not in the pack; the nearest is `{nearest}`")]
    UnknownInRuling {
        /// Id of the ruling.
        ruling: String,
        /// What was named.
        rule: String,
        /// The nearest rule.
        nearest: String,
    },
}

impl PackError {
    /// What is wrong, in the language of whoever reads it.
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (_, Lang::En) => self.to_string(),
            (Self::Malformed { line, column, cause }, Lang::Zh) => {
                format!("第 {line} 行第 {column} 列：{cause}")
            }
            (Self::Rule { rule, line, fault }, Lang::Zh) => {
                format!("规则 {rule}（第 {line} 行）：{}", fault.zh())
            }
            (Self::UnknownMergeKey { key, nearest }, Lang::Zh) => {
                format!("合并表：“{key}”不是规则项，最接近的是“{nearest}”")
            }
            (Self::RankOrder(rank), Lang::Zh) => format!("位阶：“{rank}”排在更低位阶之后，或重复"),
            (Self::UnknownScopeWord { scope, word, nearest }, Lang::Zh) => {
                format!("适用范围 {scope}：“{word}”既非主体类别也非数据类别，最接近的是“{nearest}”")
            }
            (Self::UnknownInComposition { composition, name, nearest, .. }, Lang::Zh) => {
                format!("组合 {composition}：“{name}”不在规则包中，最接近的是“{nearest}”")
            }
            (Self::UnknownInRuling { ruling, rule, nearest }, Lang::Zh) => {
                format!("裁定 {ruling}：规则“{rule}”不在规则包中，最接近的是“{nearest}”")
            }
        }
    }
}

/// What can be wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// Two rules have this id.
    #[error("the id stands twice")]
    DuplicateId,
    /// Its key is not on the product's list.
    #[error("`{key}` is no key; the nearest is `{nearest}`")]
    UnknownKey {
        /// What was named.
        key: String,
        /// The nearest key.
        nearest: String,
    },
    /// The merge table has no operator for its key (POL-08).
    #[error("the merge table has no operator for `{0}`")]
    NoMergeOperator(String),
    /// It says not whom it binds (POL-08).
    #[error("it has no scope")]
    NoScope,
    /// Its scope is not in the pack.
    #[error("scope `{scope}` is not in the pack; the nearest is `{nearest}`")]
    UnknownScope {
        /// What was named.
        scope: String,
        /// The nearest scope.
        nearest: String,
    },
    /// Its document is not in the pack.
    #[error("document `{source_id}` is not in the pack; the nearest is `{nearest}`")]
    UnknownDocument {
        /// What was named.
        source_id: String,
        /// The nearest document.
        nearest: String,
    },
    /// The rule that it names for a breach is not in the pack.
    #[error("on_breach names `{0}`, which is not in the pack")]
    UnknownBreachRule(String),
    /// A house rule is never shown with an article.
    #[error("a house rule has no article, paragraph or quote")]
    HouseRuleWithArticle,
    /// A rule of law without its place.
    #[error("a rule of law needs its article")]
    NoArticle,
    /// It ends before it begins.
    #[error("it ends before it begins")]
    EndsBeforeItBegins,
    /// The value has not the form of its key.
    #[error("its value is not {0}")]
    WrongShape(&'static str),
    /// A word that its key does not know.
    #[error("`{word}` is not known here; the nearest is `{nearest}`")]
    UnknownWord {
        /// What was named.
        word: String,
        /// The nearest word.
        nearest: String,
    },
    /// A number in another unit than the key's other rules.
    #[error("its unit is not the one of the other rules of this key")]
    UnitsDiffer,
    /// An escalation to the debtor itself (SHR-31).
    #[error("the case of an overdue {0} goes to the debtor itself")]
    EscalatesToDebtor(String),
}

impl RuleFault {
    fn zh(&self) -> String {
        match self {
            Self::DuplicateId => "编号重复".to_owned(),
            Self::UnknownKey { key, nearest } => {
                format!("“{key}”不是规则项，最接近的是“{nearest}”")
            }
            Self::NoMergeOperator(key) => format!("合并表中没有“{key}”的合并方式"),
            Self::NoScope => "未写明适用范围".to_owned(),
            Self::UnknownScope { scope, nearest } => {
                format!("适用范围“{scope}”不在规则包中，最接近的是“{nearest}”")
            }
            Self::UnknownDocument { source_id, nearest } => {
                format!("文件“{source_id}”不在规则包中，最接近的是“{nearest}”")
            }
            Self::UnknownBreachRule(rule) => format!("on_breach 所指“{rule}”不在规则包中"),
            Self::HouseRuleWithArticle => "内部规则不得标注条款或引文".to_owned(),
            Self::NoArticle => "法律规则应写明条款".to_owned(),
            Self::EndsBeforeItBegins => "失效日期早于施行日期".to_owned(),
            Self::WrongShape(shape) => format!("取值形式不符：{shape}"),
            Self::UnknownWord { word, nearest } => {
                format!("此处不认识“{word}”，最接近的是“{nearest}”")
            }
            Self::UnitsDiffer => "与同一规则项的其他规则单位不一致".to_owned(),
            Self::EscalatesToDebtor(debtor) => format!("{debtor} 逾期的事项不得移送其本身"),
        }
    }
}

/// The candidate nearest to what was written, for "did you mean".
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> &'a str {
    candidates.min_by_key(|candidate| strsim::levenshtein(word, candidate)).unwrap_or("")
}
