//! Free texts of commands: could this be stored and shown?
//!
//! The texts of entries and requests are checked by `catalog_model::policy`; these are the ones
//! that stand alone: reasons, opinions, lists of what is missing.

use catalog_model::{
    policy::{MAX_LIST, MAX_TEXT},
    reason::Reason,
    refusal::Refusal,
};

/// Checks the text of `field`.
pub(super) fn check(field: &str, text: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > MAX_TEXT {
        return Err(Refusal::new(Reason::TextTooLong)
            .fact("field", field)
            .fact("length", length)
            .fact("limit", MAX_TEXT));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Refusal::new(Reason::TextControlCharacters).fact("field", field));
    }
    Ok(())
}

/// Checks a reason that must be given.
pub(super) fn check_reason(field: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(Reason::ReasonMissing).field(field, "missing", "缺少"));
    }
    check(field, text)
}

/// Checks a list of texts.
pub(super) fn check_list(field: &str, texts: &[String]) -> Result<(), Refusal> {
    if texts.len() > MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", field)
            .fact("length", texts.len())
            .fact("limit", MAX_LIST));
    }
    texts.iter().try_for_each(|text| check(field, text))
}
