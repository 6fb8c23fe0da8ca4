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
    rows: Mutex<BTreeMap<(String, String), Row>>,
}

/// What is known of one alarm.
#[derive(Debug, Default)]
struct Row {
    /// Since when it holds, if it does.
    since: Option<UtcMillis>,
    /// How often it began to hold.
    raised: u64,
}

impl Alarms {
    /// The alarm holds, since `now` unless it held before. Returns whether it did not.
    pub fn raise(&self, name: &str, subject: &str, now: UtcMillis) -> bool {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry((name.to_owned(), subject.to_owned())).or_default();
        let new = row.since.is_none();
        if new {
            row.since = Some(now);
            row.raised += 1;
            tracing::warn!(alarm = name, subject, "Alarm raised");
        }
        new
    }

    /// The alarm does not hold any more.
    pub fn clear(&self, name: &str, subject: &str) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.get_mut(&(name.to_owned(), subject.to_owned()));
        if row.and_then(|row| row.since.take()).is_some() {
            tracing::info!(alarm = name, subject, "Alarm cleared");
        }
    }

    /// The alarms that hold, in the order of their names.
    pub fn list(&self) -> Vec<Alarm> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = rows.iter().filter_map(|(key, row)| Some((key, row.since?)));
        holds
            .map(|((name, subject), since)| Alarm {
                name: name.clone(),
                subject: subject.clone(),
                since,
            })
            .collect()
    }

    /// How often the alarm began to hold since the node started: one that comes and goes says
    /// more than one that stays.
    pub fn times_raised(&self, name: &str, subject: &str) -> u64 {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(&(name.to_owned(), subject.to_owned())).map_or(0, |row| row.raised)
    }
}

#[cfg(test)]
mod tests;
