//! Alarms: what should somebody look at right now?
//!
//! A row {name, since, subject} while it holds, and one log line when it begins and when it ends.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use catalog_model::time::UtcMillis;

/// One alarm that holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// What it is, for instance `clock-ahead`.
    pub name: String,
    /// What it is about; may be empty.
    pub subject: String,
    /// Since when, by this node's clock.
    pub since: UtcMillis,
}

/// The alarms of one node.
#[derive(Debug, Default)]
pub struct Alarms {
    rows: Mutex<BTreeMap<(String, String), UtcMillis>>,
}

impl Alarms {
    /// The alarm holds, since `now` unless it held before.
    pub fn raise(&self, name: &str, subject: &str, now: UtcMillis) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.entry((name.to_owned(), subject.to_owned())).or_insert_with(|| {
            tracing::warn!(alarm = name, subject, "Alarm raised");
            now
        });
    }

    /// The alarm does not hold any more.
    pub fn clear(&self, name: &str, subject: &str) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.remove(&(name.to_owned(), subject.to_owned())).is_some() {
            tracing::info!(alarm = name, subject, "Alarm cleared");
        }
    }

    /// The alarms that hold, in the order of their names.
    pub fn list(&self) -> Vec<Alarm> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter()
            .map(|((name, subject), since)| Alarm {
                name: name.clone(),
                subject: subject.clone(),
                since: *since,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
