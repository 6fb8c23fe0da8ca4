use catalog_model::{
    document_digest::DocumentDigest,
    ids::{DomainId, DrillId},
    name::{Resource, ResourceName},
    time::UtcMillis,
};
use catalog_state::{
    codec,
    ledger::{Fact, LedgerRecord},
};

use super::*;
use crate::receipt::tests::{CLUSTER, TIME_MS, receipt_of};

fn name() -> ResourceName {
    let domain: DomainId = "luqiao-city".parse().unwrap();
    ResourceName::new(domain, Resource::Drill(DrillId::from_bytes([7; 16])))
}

fn findings() -> Findings {
    Findings {
        plan: Plan::named("leader-kill").unwrap(),
        drill: name().to_string(),
        record: json!({ "why": "每季度一次", "steps": [], "approvals": [] }),
        cluster: json!({ "cluster_id": CLUSTER, "nodes": [] }),
        span: (TIME_MS, TIME_MS + 9_000),
        disturbances: Vec::new(),
        recovery: Recovery { total_ms: 900, detect_ms: 100, decide_ms: 700, execute_ms: 100 },
        verify_ms: 40,
        pause: Pause { from: TIME_MS, to: TIME_MS + 880 },
        comparison: Comparison { acknowledged: 9, present: 9, ..Comparison::default() },
        incomplete: Vec::new(),
        attempts: Attempts::default(),
        latency: Latency::default(),
        buckets: Buckets { start: TIME_MS, counts: vec![3, 0, 6] },
        list_digest: [4; 32],
        ledger: [(3, "aa".to_owned()), (9, "bb".to_owned())],
        would_have_lost: None,
        deviations: Vec::new(),
    }
}

/// The record with which a cluster closes a drill of this report.
fn closed(report: &Value, digest: [u8; 32]) -> Vec<u8> {
    let (domain, subject) = (name().domain, name());
    codec::encode(&LedgerRecord {
        domain,
        generation: 1,
        sequence: 0,
        time: UtcMillis(TIME_MS),
        subject,
        fact: Fact::DrillClosed {
            plan: "leader-kill".to_owned(),
            ok: report["ok"] == true,
            rpo: Rpo::ProvenZero,
            acknowledged: 9,
            lost: 0,
            duplicated: 0,
            timers_wrong: 0,
            pause_ms: 880,
            rto_ms: 900,
            report: DocumentDigest(digest),
        },
        rule: None,
        actor: "luqiao-city/organizations/1".to_owned(),
        digests: Vec::new(),
    })
}

/// A report, and what checks it.
fn proven() -> (String, Value, TrustAnchor) {
    let report = findings().to_json();
    let record = closed(&report, digest(&report).unwrap());
    let (receipt, anchor) = receipt_of(record, &name());
    (file(&report, &receipt).unwrap(), report, anchor)
}

#[test]
fn a_report_is_proven_by_the_ledger_alone() {
    let (text, report, anchor) = proven();
    let verified = check(&text, &anchor).unwrap();
    assert_eq!(verified.report, report);
    assert_eq!(verified.proven.subject, name().to_string());
    assert!(!text.contains("nobody proves them"));
    let expected = r#"{"drill":"leader-kill","ok":true,"rpo":"proven_zero","acknowledged":9,"lost":0,"duplicated":0,"pause_ms":880,"rto_ms":900}"#;
    assert_eq!(last_line(&report).to_string(), expected);
}

#[test]
fn every_single_changed_byte_is_noticed() {
    let (text, _, anchor) = proven();
    for at in 0..text.len() {
        for flip in [1, 0x20] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let around = &text[text.floor_char_boundary(at.saturating_sub(9))..];
            let around: String = around.chars().take(20).collect();
            assert!(check(&changed, &anchor).is_err(), "byte {at} of “{around}”");
        }
    }
    for changed in [format!("{text} "), text.trim_end().to_owned(), text.replace(':', ": ")] {
        assert_eq!(check(&changed, &anchor).unwrap_err(), Unproven::NotCanonical);
    }
}

#[test]
fn a_genuine_receipt_of_something_else_proves_nothing() {
    let report = findings().to_json();
    let own = digest(&report).unwrap();
    let reason = |record: Vec<u8>, subject: &ResourceName, report: &Value| {
        let (receipt, anchor) = receipt_of(record, subject);
        check(&file(report, &receipt).unwrap(), &anchor).unwrap_err().reason()
    };
    assert_eq!(reason(closed(&report, [9; 32]), &name(), &report), "report_changed");
    let opened = codec::encode(&LedgerRecord {
        domain: name().domain,
        generation: 1,
        sequence: 0,
        time: UtcMillis(TIME_MS),
        subject: name(),
        fact: Fact::DrillAbandoned { plan: "leader-kill".to_owned(), acted: true },
        rule: None,
        actor: String::new(),
        digests: Vec::new(),
    });
    assert_eq!(reason(opened, &name(), &report), "other_record");
    // The report of another drill with the digest of this one.
    let other = Resource::Drill(DrillId::from_bytes([8; 16]));
    let mut findings = findings();
    findings.drill = ResourceName::new(name().domain, other).to_string();
    let other = findings.to_json();
    let record = closed(&other, digest(&other).unwrap());
    assert_eq!(reason(record, &name(), &other), "other_record");
    // A report that says otherwise than the ledger was told when the drill was closed.
    let mut better = self::findings();
    better.recovery.total_ms = 1;
    let better = better.to_json();
    assert_ne!(digest(&better), Some(own));
    let record = closed(&better, digest(&better).unwrap());
    assert_eq!(reason(record, &name(), &better), "report_changed");
}

#[test]
fn what_is_not_as_the_plan_wants_it_is_said() {
    let check = |change: fn(&mut Findings), expected: &str| {
        let mut findings = findings();
        change(&mut findings);
        assert!(!findings.ok());
        let said = findings.all_deviations();
        assert!(said.iter().any(|words| words.en.contains(expected)), "{expected}: {said:?}");
    };
    assert!(findings().ok());
    check(|found| found.comparison.lost.push(3), "1 acknowledged writes are lost");
    check(|found| found.comparison.duplicated.push(3), "more than once");
    check(|found| found.comparison.timers.never.push(3), "fired twice, early or never");
    check(|found| found.pause.to += 60_000, "nothing was acknowledged for");
    check(|found| found.recovery.total_ms = 60_000, "to come back");
    check(|found| found.attempts.given_up = 1, "nobody knows");
    check(|found| found.incomplete.push(both!("half", "半")), "half");
    let mut half = findings();
    half.incomplete.push(both!("half", "半"));
    assert_eq!(half.rpo(), Rpo::Unknown);
}

#[test]
fn a_restore_says_what_would_have_been_lost() {
    let mut findings = findings();
    findings.would_have_lost = Some(4);
    assert_eq!(last_line(&findings.to_json())["would_have_lost"], 4);
}

#[test]
fn numbers_that_are_not_whole_have_no_spelling() {
    assert_eq!(
        canonical(&json!({ "b": [1, null], "a": "é\n" })).unwrap(),
        "{\"a\":\"é\\n\",\"b\":[1,null]}"
    );
    assert_eq!(canonical(&json!({ "a": 1.5 })), None);
    assert_eq!(canonical(&json!({ "a": -1 })), None);
}
