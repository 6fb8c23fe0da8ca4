//! The report: what does a regulator read of a drill, and how is it known that nobody changed it?
//!
//! One file of JSON in two parts. `report` says who did what and why, what was seen and what was lost;
//! `receipt` proves that the ledger of the domain holds the record with which the drill was closed,
//! and with it the digest of the report. The file is *canonical*: keys in order, no space, whole
//! numbers only. So it has exactly one spelling, and a byte that differs is a byte that was changed.

use std::{collections::BTreeSet, fmt::Write as _};

use catalog_model::drill::Rpo;
use catalog_proofs::{
    hex,
    receipt::{
        Proven, Rejected,
        document::{Receipt, TrustAnchor},
        verify,
    },
    record,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{both, language::Bilingual};

use super::{
    findings::{
        Attempts, BUCKET_MS, Buckets, Comparison, Disturbance, Latency, NAMED_MAX, Pause, Recovery,
    },
    plan::Plan,
};

/// The form of the report.
pub const FORMAT: &str = "luqiao-drill-report-1";

/// Everything that a report says.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The plan.
    pub plan: Plan,
    /// `domains/{domain}/drills/{id}`
    pub drill: String,
    /// The drill as it is on record: who, why, approvals, steps.
    pub record: Value,
    /// The cluster: domain, id, generation, nodes with version and state hash at the end.
    pub cluster: Value,
    /// When the runner began and ended, milliseconds since 1970.
    pub span: (u64, u64),
    /// The failures that were made.
    pub disturbances: Vec<Disturbance>,
    /// How long it took to come back.
    pub recovery: Recovery,
    /// How long the checks after it took, in milliseconds.
    pub verify_ms: u64,
    /// The longest pause.
    pub pause: Pause,
    /// The two lists held against each other.
    pub comparison: Comparison,
    /// Why the comparison is not whole; empty = it is.
    pub incomplete: Vec<Bilingual>,
    /// Failed attempts.
    pub attempts: Attempts,
    /// Waits of writers.
    pub latency: Latency,
    /// Writes by tenths of a second.
    pub buckets: Buckets,
    /// SHA-256 of the prober's list.
    pub list_digest: [u8; 32],
    /// Size and root of the ledger before and after.
    pub ledger: [(u64, String); 2],
    /// For a restore: what would have been lost.
    pub would_have_lost: Option<u64>,
    /// What is not as the plan wants it, beside what the numbers say.
    pub deviations: Vec<Bilingual>,
}

impl Findings {
    /// The verdict on what was lost.
    pub fn rpo(&self) -> Rpo {
        self.comparison.rpo(self.incomplete.is_empty())
    }

    /// Everything that is not as the plan wants it.
    pub fn all_deviations(&self) -> Vec<Bilingual> {
        let Self { plan, comparison, pause, recovery, attempts, .. } = self;
        let mut found = self.deviations.clone();
        found.extend(self.incomplete.iter().cloned());
        let mut add = |wrong: bool, words: Bilingual| found.extend(wrong.then_some(words));
        let (lost, twice) = (comparison.lost.len(), comparison.duplicated.len());
        add(lost > 0, both!("{lost} acknowledged writes are lost", "丢失 {lost} 笔已确认的写入"));
        add(
            twice > 0,
            both!("{twice} writes were done more than once", "{twice} 笔写入被重复执行"),
        );
        let wrong = comparison.timers.wrong();
        add(
            wrong > 0,
            both!(
                "{wrong} due instants fired twice, early or never",
                "{wrong} 个到期时刻重复、提前或未触发"
            ),
        );
        let (length, limit) = (pause.length(), plan.pause_max_ms);
        add(
            length > limit,
            both!(
                "nothing was acknowledged for {length} ms; the plan allows {limit} ms",
                "中断 {length} 毫秒，预案允许 {limit} 毫秒"
            ),
        );
        let (total, limit) = (recovery.total_ms, plan.rto_max_ms);
        add(
            total > limit,
            both!(
                "it took {total} ms to come back; the plan allows {limit} ms",
                "恢复用时 {total} 毫秒，预案允许 {limit} 毫秒"
            ),
        );
        let given_up = attempts.given_up;
        add(
            given_up > 0,
            both!(
                "of {given_up} writes nobody knows what became of them",
                "{given_up} 笔写入结果未知"
            ),
        );
        found
    }

    /// Whether everything came out as the plan wants it.
    pub fn ok(&self) -> bool {
        self.all_deviations().is_empty()
    }

    /// The report itself.
    pub fn to_json(&self) -> Value {
        let Self { plan, comparison, recovery, attempts, latency, buckets, ledger, .. } = self;
        let deviations = self.all_deviations();
        let named = |numbers: &[u64]| json!(&numbers[..numbers.len().min(NAMED_MAX)]);
        let timers = &comparison.timers;
        let [before, after] = ledger;
        let head = |(size, root): &(u64, String)| json!({ "size": size, "root": root });
        let disturbances: Vec<Value> = self
            .disturbances
            .iter()
            .map(|one| {
                json!({
                    "at_ms": one.at, "node": one.node, "what": one.what, "exact": one.exact,
                    "seen_ms": one.seen, "decided_ms": one.decided,
                })
            })
            .collect();
        json!({
            "format": FORMAT,
            "drill": self.drill,
            "plan": {
                "name": plan.name, "title": words(&plan.title), "about": words(&plan.about),
                "sha256": hex(&plan.digest()), "text": plan.text,
                "pause_max_ms": plan.pause_max_ms, "rto_max_ms": plan.rto_max_ms,
            },
            "record": self.record,
            "cluster": self.cluster,
            "began_ms": self.span.0,
            "ended_ms": self.span.1,
            "disturbances": disturbances,
            "rto": {
                "total_ms": recovery.total_ms, "detect_ms": recovery.detect_ms,
                "decide_ms": recovery.decide_ms, "execute_ms": recovery.execute_ms,
                "verify_ms": self.verify_ms,
            },
            "pause": {
                "longest_ms": self.pause.length(), "from_ms": self.pause.from,
                "to_ms": self.pause.to,
            },
            "rpo": {
                "verdict": self.rpo().word(),
                "acknowledged": comparison.acknowledged,
                "present": comparison.present,
                "untold": comparison.untold,
                "lost": comparison.lost.len(), "lost_numbers": named(&comparison.lost),
                "duplicated": comparison.duplicated.len(),
                "duplicated_numbers": named(&comparison.duplicated),
                "would_have_lost": self.would_have_lost,
                "incomplete": self.incomplete.iter().map(words).collect::<Vec<_>>(),
            },
            "timers": {
                "set": timers.set, "fired": timers.fired, "latest_ms": timers.latest_ms,
                "twice": named(&timers.twice), "early": named(&timers.early),
                "never": named(&timers.never), "wrong": timers.wrong(),
            },
            "attempts": {
                "answered": attempts.answered, "silent": attempts.silent,
                "unreached": attempts.unreached, "given_up": attempts.given_up,
                "repeated": attempts.repeated, "reasons": attempts.reasons,
            },
            "latency": {
                "p50_ms": latency.p50_ms, "p99_ms": latency.p99_ms, "max_ms": latency.max_ms,
            },
            "writes": {
                "start_ms": buckets.start, "bucket_ms": BUCKET_MS, "counts": buckets.counts,
            },
            "list_sha256": hex(&self.list_digest),
            "ledger": { "before": head(before), "after": head(after) },
            "deviations": deviations.iter().map(words).collect::<Vec<_>>(),
            "ok": deviations.is_empty(),
            "program": env!("CARGO_PKG_VERSION"),
        })
    }
}

fn words(words: &Bilingual) -> Value {
    json!({ "en": words.en, "zh": words.zh })
}

/// The one line with which a drill ends.
pub fn last_line(report: &Value) -> Value {
    let rpo = &report["rpo"];
    let mut line = json!({
        "drill": report["plan"]["name"],
        "ok": report["ok"],
        "rpo": rpo["verdict"],
        "acknowledged": rpo["acknowledged"],
        "lost": rpo["lost"],
        "duplicated": rpo["duplicated"],
        "pause_ms": report["pause"]["longest_ms"],
        "rto_ms": report["rto"]["total_ms"],
    });
    if !rpo["would_have_lost"].is_null() {
        line["would_have_lost"] = rpo["would_have_lost"].clone();
    }
    line
}

/// The one spelling of a value: keys in order, no space. Numbers that are not whole have none.
pub fn canonical(value: &Value) -> Option<String> {
    let mut text = String::new();
    write_canonical(value, &mut text)?;
    Some(text)
}

fn write_canonical(value: &Value, text: &mut String) -> Option<()> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(text, "{}", number.as_u64()?);
        }
        Value::String(string) => text.push_str(&Value::from(string.as_str()).to_string()),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_canonical(item, text)?;
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            let keys: BTreeSet<&String> = fields.keys().collect();
            for (place, key) in keys.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(&fields[key], text)?;
            }
            text.push('}');
        }
    }
    Some(())
}

/// SHA-256 of the canonical report: what the ledger holds.
pub fn digest(report: &Value) -> Option<[u8; 32]> {
    Some(Sha256::digest(canonical(report)?.as_bytes()).into())
}

/// The file: report and receipt. `receipt` is the one of the record that closed the drill.
pub fn file(report: &Value, receipt: &Value) -> Option<String> {
    let receipt = kept(receipt)?;
    let mut text = canonical(&json!({ "receipt": receipt, "report": report }))?;
    text.push('\n');
    Some(text)
}

/// Of a receipt what is proved, in its one spelling: the words beside it are left out, because
/// nothing proves them.
fn kept(receipt: &Value) -> Option<Value> {
    let read: Receipt = serde_json::from_value(receipt.clone()).ok()?;
    let head = &receipt["tree_head"];
    let of = |from: &Value, keys: &[&str]| -> Map<String, Value> {
        let present =
            keys.iter().filter_map(|key| Some(((*key).to_owned(), from.get(*key)?.clone())));
        present.collect()
    };
    let mut kept = of(receipt, &["name", "record", "inclusion_proof"]);
    let mut kept_head =
        of(head, &["domain", "cluster_id", "root_hash", "signature", "certificate"]);
    kept.insert("leaf_index".to_owned(), read.leaf_index.into());
    // They are read in any case of letters: here in one.
    let suite = read.tree_head.suite()?;
    kept_head.insert("hash_algorithm".to_owned(), suite.hash_name().into());
    kept_head.insert("signature_algorithm".to_owned(), suite.signature_name().into());
    kept_head.insert("generation".to_owned(), read.tree_head.generation.into());
    kept_head.insert("tree_size".to_owned(), read.tree_head.tree_size.into());
    kept_head.insert("time".to_owned(), read.tree_head.time_ms.into());
    kept.insert("tree_head".to_owned(), kept_head.into());
    Some(kept.into())
}

/// Why a report proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproven {
    /// It is no report, or not spelled in the one way there is.
    NotCanonical,
    /// The receipt proves nothing.
    Receipt(Rejected),
    /// The receipt is of another record than one that closed a drill, or of another drill.
    OtherRecord,
    /// The ledger holds the digest of another report.
    OtherReport,
}

impl Unproven {
    /// A stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotCanonical => "not_canonical",
            Self::Receipt(rejected) => rejected.reason(),
            Self::OtherRecord => "other_record",
            Self::OtherReport => "report_changed",
        }
    }

    /// The verdict in words.
    pub fn text(&self) -> Bilingual {
        match self {
            Self::NotCanonical => both!(
                "not proven: this is not a report as it was written; a byte was changed",
                "未能证明：文件不是原样的报告，内容被改动过"
            ),
            Self::Receipt(rejected) => Bilingual {
                en: rejected.text(catalog_model::reason::Lang::En),
                zh: rejected.text(catalog_model::reason::Lang::Zh),
            },
            Self::OtherRecord => both!(
                "not proven: the record in the receipt is not the one that closed this drill",
                "未能证明：回执中的记录不是该次演练的结束记录"
            ),
            Self::OtherReport => both!(
                "not proven: the ledger holds the digest of another report; this one was changed",
                "未能证明：账本中的摘要与报告不符，报告被改动过"
            ),
        }
    }
}

/// A report that was checked.
#[derive(Debug, Clone)]
pub struct Verified {
    /// What it says.
    pub report: Value,
    /// Where the ledger says so.
    pub proven: Proven,
}

/// Checks the file of a report against a trust anchor, without any server.
pub fn check(text: &str, anchor: &TrustAnchor) -> Result<Verified, Unproven> {
    let value: Value = serde_json::from_str(text).map_err(|_| Unproven::NotCanonical)?;
    let (report, receipt) = (&value["report"], &value["receipt"]);
    if report["format"] != FORMAT || file(report, receipt).as_deref() != Some(text) {
        return Err(Unproven::NotCanonical);
    }
    let read: Receipt =
        serde_json::from_value(receipt.clone()).map_err(|_| Unproven::NotCanonical)?;
    let proven = verify(&read, anchor).map_err(Unproven::Receipt)?;
    let closed = record::drill_closed(&read.record).ok_or(Unproven::OtherRecord)?;
    if report["drill"] != proven.subject.as_str() {
        return Err(Unproven::OtherRecord);
    }
    if digest(report) != Some(closed.report) {
        return Err(Unproven::OtherReport);
    }
    // What was told to the ledger and what the report says are one thing.
    let line = last_line(report);
    let told = ["acknowledged", "lost", "duplicated"].map(|key| line[key].as_u64());
    let times = ["pause_ms", "rto_ms"].map(|key| line[key].as_u64());
    let wrong = report["timers"]["wrong"].as_u64();
    let [acknowledged, lost, duplicated, timers_wrong, pause_ms, rto_ms] = closed.numbers.map(Some);
    let agrees = told == [acknowledged, lost, duplicated]
        && times == [pause_ms, rto_ms]
        && wrong == timers_wrong
        && line["drill"] == closed.plan.as_str()
        && line["ok"] == closed.ok
        && line["rpo"] == closed.rpo.word();
    if !agrees {
        return Err(Unproven::OtherReport);
    }
    Ok(Verified { report: report.clone(), proven })
}

#[cfg(test)]
mod tests;
