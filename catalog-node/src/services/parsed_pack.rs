//! The rule pack in force, read once: its text is read anew only when another version is in force.
//!
//! Gateways ask before every delivery whether a use is permitted; to read a pack takes longer than
//! all else in the answer.

use std::sync::{Arc, Mutex, PoisonError};

use catalog_model::rule_pack::RulePack;
use catalog_state::view::View;

/// The pack that was read last, with its version. What a version says never changes.
#[derive(Debug, Default)]
pub(crate) struct ParsedPack(Mutex<Option<(u64, Arc<RulePack>)>>);

impl ParsedPack {
    /// The pack in force in `view`; absent before bootstrap.
    pub(super) fn in_force(&self, view: &View<'_>) -> Option<Arc<RulePack>> {
        let version = view.rule_pack_version()?;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, pack)) = &*last
            && *read == version
        {
            return Some(Arc::clone(pack));
        }
        let pack = Arc::new(view.pack(version)?);
        *last = Some((version, Arc::clone(&pack)));
        Some(pack)
    }
}
