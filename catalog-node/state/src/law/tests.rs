//! Golden bytes of the rows of the law, as `rows/tests.rs` keeps those of the others:
//! `testdata/golden/rows/law`, written once (`REWRITE=1` adds missing files) and never rewritten.

use std::{env, fmt::Debug, fs, path::PathBuf};

use catalog_model::{
    ids::{DomainId, RequestId},
    name::Resource,
    organization::PartyClass,
    reason::Reason,
};

use super::*;
use crate::{
    codec,
    ledger::{Fact, LedgerRecord},
    rows::DeadlineRow,
};

fn check<T>(name: &str, row: &T)
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + Debug,
{
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/rows/law");
    let file = folder.join(format!("{name}.hex"));
    let bytes = codec::encode(row);
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: String = digits.chunks(40).map(|line| line.concat() + "\n").collect();
    if env::var_os("REWRITE").is_some() && !file.exists() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, &lines).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(golden, lines, "{name} is written differently now");
    assert_eq!(codec::decode::<T>(&bytes).unwrap(), *row, "{name}");
}

fn day(text: &str) -> LocalDate {
    text.parse().unwrap()
}

const TIME: UtcMillis = UtcMillis(1_790_000_000_000);

fn case() -> ResourceName {
    ResourceName::new(domain(), Resource::Request(RequestId::from_bytes([6; 16])))
}

fn domain() -> DomainId {
    "xiamen".parse().unwrap()
}

#[test]
fn golden_rows_mean_what_they_meant() {
    let decision = PaperDecision {
        document_number: "厦府〔2026〕1号".to_owned(),
        digest: [5; 32],
        date: day("2026-09-20"),
        issuing_body: "厦门市人民政府".to_owned(),
        recorded_for: "厦门市人民政府".to_owned(),
    };
    let ruling = RulingRow {
        id: RulingId::from_bytes([21; 16]),
        kind: RulingKind::Adapt { rule: "rule".to_owned(), over: "over".to_owned() },
        from: day("2026-09-21"),
        to: Some(day("2026-12-31")),
        decision: Some(decision),
        reason: "reason".to_owned(),
        recorded_time: TIME,
        pack_version: 2,
        withdrawn_time: None,
    };
    check("ruling", &ruling);
    check("ruling_withdrawn", &RulingRow { withdrawn_time: Some(TIME), to: None, ..ruling });
    let wanted = OutageRuling {
        ruled: None,
        case: case(),
        due_date: day("2026-10-12"),
        outages: vec![1, 2],
        wanted_time: TIME,
        by: None,
        reason: None,
        ruled_time: None,
    };
    check("outage_ruling_wanted", &wanted);
    let by = Party {
        domain: domain(),
        organization: OrganizationId::from_bytes([2; 16]),
        name: "authority".to_owned(),
        class: Some(PartyClass::GovernmentDepartment),
    };
    let reason = Some("reason".to_owned());
    let ruled =
        OutageRuling { ruled: Some(false), by: Some(by), reason, ruled_time: Some(TIME), ..wanted };
    check("outage_ruling", &ruled);
    let outage = PlatformOutage {
        number: 1,
        from: TIME,
        until: TIME.plus(60_000),
        nodes: vec![2],
        second_source: "source".to_owned(),
        recorded_time: TIME,
        record: 12,
    };
    check("platform_outage", &outage);
    let old = CaseOutcome {
        refused: None,
        at_once: false,
        decider: Some(Decider::Provider),
        debtor: Some(PartyRole::Provider),
        decider_rule: Some(RuleRef::house("HOUSE-decider")),
        answer_days: Some(10),
        answer_rule: Some(RuleRef::house("HOUSE-reasonable-period")),
        due_date: Some(day("2026-10-12")),
        late: Some(false),
    };
    let refused = Some(Refusal::new(Reason::NoRuleInForce).fact("key", "key"));
    let new = CaseOutcome { refused, answer_rule: None, late: None, ..old.clone() };
    let late = LateLaw {
        case: case(),
        pack_version: 2,
        old,
        new,
        due_before: Some(day("2026-10-12")),
        due_after: None,
        held: false,
        time: TIME,
    };
    check("late_law", &late);
    for (name, what) in [
        ("work_calendar", Work::Calendar { version: 2 }),
        ("work_late_law", Work::LateLaw { version: 2, since: day("2026-09-01") }),
        ("work_outage", Work::Outage { number: 1 }),
    ] {
        let cursor = Some(vec![1, 2].into());
        check(name, &PendingWork { what, cursor, looked_at: 256, changed: 1, since: TIME });
    }
    let edit = ProposedEdit {
        what: "calendar".to_owned(),
        digest: [5; 32],
        person: PersonId::from_bytes([3; 16]),
        organization: OrganizationId::from_bytes([2; 16]),
        time: TIME,
    };
    check("proposed_edit", &edit);
    let count = DeadlineCount { start: TIME, days: 10, calendar_version: 2, provisional: true };
    let deadline = DeadlineRow {
        subject: case(),
        kind: DeadlineKind::Answer,
        due_time: TIME,
        revision: 1,
        fired_revision: None,
        count: None,
    };
    check("deadline_level_2", &deadline);
    check("deadline", &DeadlineRow { count: Some(count), ..deadline });
}

#[test]
fn golden_facts_mean_what_they_meant() {
    let (digest, kind) = ([5; 32], DeadlineKind::Answer);
    let (from, to) = (day("2026-10-12"), day("2026-10-13"));
    let days = || vec![from, to];
    let number = || "number".to_owned();
    let facts = [
        ("rule_pack_loaded", Fact::RulePackLoaded { version: 2, digest, late_since: Some(from) }),
        ("law_edit_proposed", Fact::LawEditProposed { what: "calendar".to_owned(), digest }),
        (
            "ruling_recorded",
            Fact::RulingRecorded {
                kind: "adapt".to_owned(),
                rule: "rule".to_owned(),
                over: Some("over".to_owned()),
                from,
                to: None,
                document_number: Some(number()),
                document_digest: Some(digest.to_vec().into()),
            },
        ),
        ("ruling_withdrawn", Fact::RulingWithdrawn),
        (
            "law_loaded_late",
            Fact::LawLoadedLate {
                version: 2,
                old_decider: Some(Decider::Authority),
                new_decider: None,
                from: Some(from),
                to: Some(to),
                held: true,
                lifted: false,
            },
        ),
        ("calendar_loaded", Fact::CalendarLoaded { version: 2, digest, years: vec![2026, 2027] }),
        (
            "closure_declared",
            Fact::ClosureDeclared {
                version: 2,
                document_number: number(),
                days: days(),
                counted: false,
            },
        ),
        (
            "closure_withdrawn",
            Fact::ClosureWithdrawn { version: 3, document_number: number(), days: days() },
        ),
        (
            "deadline_recomputed",
            Fact::DeadlineRecomputed {
                kind,
                calendar_version: 2,
                from,
                to,
                held: true,
                lifted: false,
            },
        ),
        (
            "platform_outage_recorded",
            Fact::PlatformOutageRecorded {
                number: 1,
                from: TIME,
                until: TIME.plus(60_000),
                nodes: vec![2],
            },
        ),
        ("outage_ruling_wanted", Fact::OutageRulingWanted { due_date: from }),
        ("outage_ruled", Fact::OutageRuled { counts: true }),
        (
            "recompute_finished",
            Fact::RecomputeFinished { what: "calendar".to_owned(), looked_at: 300, changed: 2 },
        ),
    ];
    for (name, fact) in facts {
        let record = LedgerRecord {
            domain: domain(),
            generation: 1,
            sequence: 12,
            time: TIME,
            subject: case(),
            fact,
            rule: None,
            actor: "xiamen/nodes/1".to_owned(),
            digests: Vec::new(),
        };
        check(&format!("record_{name}"), &record);
    }
}
