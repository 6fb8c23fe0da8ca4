//! Kept: what must outlive a runner that is interrupted, and what a report says of the record.

use luqiao_proto::operations::v1::Drill;
use serde_json::{Value, json};

use crate::drill::{cluster::millis, findings::Disturbance, operator::Traces};

/// What is kept beside the record: it is not of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// When the runner began first.
    pub began: u64,
    /// The place of the act that was begun last.
    pub acting: Option<usize>,
    /// Whether somebody went on after an interruption.
    pub resumed: bool,
    /// What acts left.
    pub traces: Traces,
    /// The head of the ledger before the act.
    pub head: Value,
}

/// The drill as it is on record, for the report.
pub fn on_record(drill: &Drill) -> Value {
    let approvals: Vec<Value> = drill
        .approvals
        .iter()
        .map(|one| {
            json!({
                "organization": one.organization, "person": one.person, "asserted": one.asserted,
                "time_ms": one.time.as_ref().map(millis),
            })
        })
        .collect();
    let steps: Vec<Value> = drill
        .steps
        .iter()
        .map(|step| {
            json!({
                "phase": step.phase, "step": step.step, "ok": step.ok, "note": step.note,
                "began_ms": step.began.as_ref().map(millis),
                "ended_ms": step.ended.as_ref().map(millis),
            })
        })
        .collect();
    json!({
        "why": drill.why,
        "organization": drill.organization,
        "person": drill.person,
        "takes_site": drill.takes_site,
        "approvals_needed": drill.approvals_needed,
        "approvals": approvals,
        "steps": steps,
        "opened_ms": drill.opened_time.as_ref().map(millis),
    })
}

impl Kept {
    pub(super) fn to_json(&self) -> Value {
        let traces = &self.traces;
        let disturbances: Vec<Value> = traces
            .disturbances
            .iter()
            .map(|one| {
                json!({
                    "at": one.at, "node": one.node, "what": one.what, "exact": one.exact,
                    "seen": one.seen, "decided": one.decided,
                })
            })
            .collect();
        json!({
            "began": self.began,
            "acting": self.acting,
            "resumed": self.resumed,
            "disturbances": disturbances,
            "lost": traces.lost,
            "led": traces.led.as_ref().map(|(node, term)| json!({ "node": node, "term": term })),
            "head": self.head,
        })
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let disturbance = |one: &Value| {
            Some(Disturbance {
                at: one["at"].as_u64()?,
                node: text(&one["node"])?,
                what: text(&one["what"])?,
                exact: one["exact"].as_bool()?,
                seen: one["seen"].as_u64(),
                decided: one["decided"].as_u64(),
            })
        };
        let led = &value["led"];
        Some(Self {
            began: value["began"].as_u64()?,
            acting: value["acting"].as_u64().and_then(|at| usize::try_from(at).ok()),
            resumed: value["resumed"].as_bool()?,
            traces: Traces {
                disturbances: value["disturbances"]
                    .as_array()?
                    .iter()
                    .map(disturbance)
                    .collect::<Option<_>>()?,
                lost: text(&value["lost"]),
                led: text(&led["node"]).zip(led["term"].as_u64()),
            },
            head: value["head"].clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let kept = Kept {
            began: 5,
            acting: Some(4),
            resumed: false,
            traces: Traces {
                disturbances: vec![Disturbance {
                    at: 7,
                    node: "2".to_owned(),
                    what: "killed".to_owned(),
                    exact: true,
                    seen: Some(8),
                    decided: None,
                }],
                lost: Some("2".to_owned()),
                led: Some(("2".to_owned(), 3)),
            },
            head: json!({ "tree_size": 9 }),
        };
        assert_eq!(Kept::read(&kept.to_json()), Some(kept));
        assert_eq!(Kept::read(&json!({})), None);
    }
}
