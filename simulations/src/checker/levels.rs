//! Levels: does a cluster do nothing that its older members could not?

use catalog_model::reason::Reason;
use catalog_state::{
    command::{Body, Command},
    outcome::Outcome,
};

/// Entry `index` was applied by a cluster of `level`: a body above it is refused, and leaves no trace.
pub fn check(index: u64, level: u32, command: &Command, outcome: &Outcome) -> Result<(), String> {
    let needed = command.body.level();
    let gated = !matches!(command.body, Body::RaiseLevel { .. } | Body::Bootstrap(_));
    let refused = outcome.refusal().is_some_and(|refusal| refusal.reason == Reason::LevelTooLow);
    if gated && (needed > level) != refused {
        return Err(format!(
            "entry {index} needs level {needed} of a cluster of level {level}, and came to {outcome:?}"
        ));
    }
    Ok(())
}
