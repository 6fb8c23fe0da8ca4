//! What the rules say of keeping records.

use super::Resolution;
use crate::{
    rule::RuleRef,
    rule_pack::{RuleKey, RuleValue, Unit},
};

impl Resolution {
    /// For how many years records of use, and the ledger with them, are kept, and by which rule: the
    /// longest of those in force (decree 809 art. 29). Months are rounded up to years.
    pub fn retention(&self) -> Option<(u16, RuleRef)> {
        let merged = self.merged(RuleKey::UsageRecordRetention)?;
        let years = match merged.value {
            RuleValue::Count { n, unit: Unit::Year } => n,
            RuleValue::Count { n, unit: Unit::Month } => n.div_ceil(12),
            _ => return None,
        };
        Some((years, merged.sources.into_iter().next()?))
    }
}

#[cfg(test)]
mod tests;
