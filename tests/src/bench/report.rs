//! Report: how is it told what was asked for and what was measured?

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Floor {
    /// At most so much.
    Below(f64),
    /// At least so much.
    AtLeast(f64),
    /// Nothing: it is told for those who wonder.
    None,
}

impl Floor {
    /// Whether `value` is what was asked for, if anything was.
    pub fn held_by(self, value: f64) -> Option<bool> {
        match self {
            Self::Below(most) => Some(value < most),
            Self::AtLeast(least) => Some(value >= least),
            Self::None => None,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::Below(most) => format!("< {most} {unit}"),
            Self::AtLeast(least) => format!("≥ {least} {unit}"),
            Self::None => String::new(),
        }
    }
}

/// One thing that was measured.
#[derive(Debug, Clone)]
pub struct Row {
    /// What.
    pub what: String,
    /// What was asked for.
    pub floor: Floor,
    /// What was found.
    pub value: f64,
    /// In which unit both are.
    pub unit: &'static str,
    /// How it came about.
    pub detail: Value,
}

impl Row {
    /// A row.
    pub fn new(
        what: impl Into<String>,
        floor: Floor,
        value: f64,
        unit: &'static str,
        detail: Value,
    ) -> Self {
        Self { what: what.into(), floor, value, unit, detail }
    }

    fn to_json(&self) -> Value {
        let asked = match self.floor {
            Floor::Below(most) => json!({ "below": most }),
            Floor::AtLeast(least) => json!({ "at_least": least }),
            Floor::None => Value::Null,
        };
        json!({
            "what": self.what,
            "asked": asked,
            "measured": (self.value * 1000.0).round() / 1000.0,
            "unit": self.unit,
            "held": self.floor.held_by(self.value),
            "detail": self.detail,
        })
    }
}

/// The record of a run.
pub fn record(machine: &Value, corpus: &str, rows: &[Row]) -> Value {
    json!({
        "issue": 3,
        "machine": machine,
        "corpus": corpus,
        "rows": rows.iter().map(Row::to_json).collect::<Vec<_>>(),
    })
}

/// The same as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from("| what | asked | measured | |\n| --- | --- | --- | --- |\n");
    for row in rows {
        let Row { what, floor, value, unit, .. } = row;
        let held = match floor.held_by(*value) {
            Some(true) => "held",
            Some(false) => "**missed**",
            None => "",
        };
        let digits = if *value < 100.0 { 2 } else { 0 };
        let asked = floor.text(unit);
        let _ = writeln!(text, "| {what} | {asked} | {value:.digits$} {unit} | {held} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_held_or_missed() {
        let check =
            |floor: Floor, value, held| assert_eq!(floor.held_by(value), held, "{floor:?} {value}");
        check(Floor::Below(15.0), 14.9, Some(true));
        check(Floor::Below(15.0), 15.0, Some(false));
        check(Floor::AtLeast(3000.0), 3000.0, Some(true));
        check(Floor::AtLeast(3000.0), 2999.0, Some(false));
        check(Floor::None, 1.0, None);
    }
}
