//! Why a rule pack is refused: the first fault, with the rule and the line where it stands.

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

/// The candidate nearest to what was written, for "did you mean".
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> &'a str {
    candidates.min_by_key(|candidate| strsim::levenshtein(word, candidate)).unwrap_or("")
}
