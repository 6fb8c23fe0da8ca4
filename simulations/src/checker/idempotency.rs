//! Idempotency: does any call have two effects?
//!
//! A retry may be committed any number of times. Only the first has an effect; the others change
//! nothing that a watcher is told and give the first outcome. The same key with another body is refused.

use std::collections::BTreeMap;

use catalog_model::reason::Reason;
use catalog_state::{command::Command, idempotency::WINDOW_MS, machine::Applied, outcome::Outcome};

/// What became of every key.
#[derive(Debug, Default)]
pub struct Idempotency {
    first: BTreeMap<(String, String), First>,
    /// How often a call was committed again.
    pub repeats: u64,
}

#[derive(Debug)]
struct First {
    digest: [u8; 32],
    outcome: Outcome,
    index: u64,
    clock: u64,
}

impl Idempotency {
    pub(crate) fn observe(
        &mut self,
        index: u64,
        command: &Command,
        applied: &Applied,
    ) -> Result<(), String> {
        let Some(request_id) = &command.request_id else { return Ok(()) };
        let key = (command.caller.to_string(), request_id.clone());
        let known = self.first.get(&key).filter(|first| applied.clock.0 - first.clock <= WINDOW_MS);
        let Some(first) = known else {
            let first = First {
                digest: command.call_digest,
                outcome: applied.outcome.clone(),
                index,
                clock: applied.clock.0,
            };
            self.first.insert(key, first);
            return Ok(());
        };
        self.repeats += 1;
        let told = &applied.outcome;
        let right = if first.digest == command.call_digest {
            *told == first.outcome
        } else {
            told.refusal().is_some_and(|refusal| refusal.reason == Reason::RequestIdReused)
        };
        if right && applied.events.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{request_id} was applied at {} and again at {index}, with {told:?} and {} events",
                first.index,
                applied.events.len()
            ))
        }
    }
}
