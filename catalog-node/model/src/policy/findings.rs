//! Collecting faults: each with its field and its rule, or one refusal with the first fault's reason
//! and every fault's field.

use crate::{reason::Lang, refusal::Refusal};

/// The faults found so far, each with the one field in which it was found.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Refusal>);

impl Findings {
    /// Notes a fault of `field`.
    pub(super) fn add(
        &mut self,
        fault: Refusal,
        field: &str,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        self.0.push(fault.field(field, en, zh));
    }

    /// The refusal, if a fault was found. The words of a later fault carry its rule with them,
    /// because the refusal as a whole rests on the first one's.
    pub(super) fn into_result(self) -> Result<(), Refusal> {
        let mut faults = self.0.into_iter();
        let Some(mut first) = faults.next() else { return Ok(()) };
        for fault in faults {
            let rule = fault.rule.filter(|rule| first.rule.as_ref() != Some(rule));
            for mut violation in fault.fields {
                if let Some(rule) = &rule {
                    violation.en = format!("{} ({})", violation.en, rule.cite(Lang::En));
                    violation.zh = format!("{}（{}）", violation.zh, rule.cite(Lang::Zh));
                }
                first.fields.push(violation);
            }
        }
        Err(first)
    }

    /// The faults one by one.
    pub(super) fn into_list(self) -> Vec<Refusal> {
        self.0
    }
}
