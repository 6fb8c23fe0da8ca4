//! Collecting faults: one refusal with the first fault's reason and every fault's field.

use crate::{reason::Lang, refusal::Refusal};

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Option<Refusal>);

impl Findings {
    /// Notes a fault of `field`. The words of a later fault carry its rule with them, because
    /// the refusal as a whole rests on the first one's.
    pub(super) fn add(
        &mut self,
        fault: Refusal,
        field: &str,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        let (mut en, mut zh) = (en.into(), zh.into());
        let Some(first) = self.0.take() else {
            self.0 = Some(fault.field(field, en, zh));
            return;
        };
        if let Some(rule) = &fault.rule
            && first.rule.as_ref() != Some(rule)
        {
            en = format!("{en} ({})", rule.cite(Lang::En));
            zh = format!("{zh}（{}）", rule.cite(Lang::Zh));
        }
        self.0 = Some(first.field(field, en, zh));
    }

    /// The refusal, if a fault was found.
    pub(super) fn into_result(self) -> Result<(), Refusal> {
        self.0.map_or(Ok(()), Err)
    }
}
