//! Golden bytes of rows: what any released version has stored is read for ever, and a row that is
//! written today is written as it always was, or replicas of two versions differ.
//! `testdata/golden/rows` is written once (`REWRITE=1` adds missing files) and never rewritten.

use std::{env, fmt::Debug, fs, path::PathBuf};

use catalog_model::name::Resource;

use super::*;
use crate::{
    codec,
    command::MemberChange,
    ledger::{Fact, LedgerRecord},
    snapshot::Progress,
};

fn check<T>(name: &str, row: &T)
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + Debug,
{
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/rows");
    let file = folder.join(format!("{name}.hex"));
    let bytes = codec::encode(row);
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<String> = digits.chunks(40).map(|line| line.concat() + "\n").collect();
    if env::var_os("REWRITE").is_some() && !file.exists() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, lines.concat()).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(golden, lines.concat(), "{name} is written differently now");
    assert_eq!(codec::decode::<T>(&bytes).unwrap(), *row, "{name}");
}

#[test]
fn golden_rows_mean_what_they_meant() {
    let domain: DomainId = "xiamen".parse().unwrap();
    let time = UtcMillis(1_790_000_000_000);
    let member = |(id, role)| Member { id, address: format!("node-{id}:7001"), role, site: None };
    let roles = [(1, MemberRole::Voter), (2, MemberRole::Learner), (300, MemberRole::Leaving)];
    check(
        "members",
        &Members {
            version: 7,
            members: roles.map(member).into(),
            used_ids: vec![1, 2, 9, 300],
            joint: true,
        },
    );
    check(
        "member_change",
        &MemberChangeRow {
            version: 7,
            time,
            index: 70_000,
            change: MemberChange::Replace { out: 300, replacement: 2 },
            caller: "xiamen/nodes/1".to_owned(),
            voters: vec![1, 2],
            learners: vec![],
        },
    );
    let kind = OutageKind::DiskNearlyFull;
    let (from, until) = (time, time.plus(60_000));
    check("outage", &OutageRow { node: 1, kind, from, until, record: 12 });
    check("level", &2u32);
    let kept = IdempotencyRow {
        call_digest: [12; 32],
        resource: None,
        refusal: None,
        index: 70_000,
        time,
        import: None,
        probe: None,
    };
    check("idempotency_level_1", &kept);
    check("idempotency_probe", &IdempotencyRow { probe: Some(false), ..kept });
    check("snapshot_progress", &Progress::default());

    let record = |fact| LedgerRecord {
        domain: domain.clone(),
        generation: 1,
        sequence: 12,
        time,
        subject: ResourceName::new(domain.clone(), Resource::Domain),
        fact,
        rule: None,
        actor: "xiamen/nodes/1".to_owned(),
        digests: Vec::new(),
    };
    let changed = Fact::MembersChanged {
        version: 7,
        kind: "replace".to_owned(),
        nodes: vec![300, 2],
        voters: vec![1, 2],
        learners: vec![],
    };
    check("record_members_changed", &record(changed));
    check("record_level_raised", &record(Fact::LevelRaised { from: 1, to: 2 }));
    check("record_outage", &record(Fact::OutageRecorded { node: 1, kind, from, until }));
}

/// What is on file about entries, from command level 3 on.
#[test]
fn golden_rows_of_entries_mean_what_they_meant() {
    use catalog_model::{
        catalog_entry::{EntryParticulars, Library, SecrecyMark, SelfCheck, SelfCheckKind},
        deadline::{WorkingDayClock, WorkingDays},
        entry_file::{
            AttributeReview, AuthorityReview, ChangeReport, ChangeTrigger, EntryFile,
            EntrySuspension, ReclassificationPass, ReportedChange, ReviewOutcome, SuspensionGround,
            WorklistItem, WorklistOutcome,
        },
        ids::EntryId,
        organization::{Person, PersonRole, RoleTerm},
        paper_decision::PaperDecision,
        reason::Reason,
        rule::RuleRef,
        share_request::PartyRole,
        sharing::SharingKind,
    };
    let domain: DomainId = "xiamen".parse().unwrap();
    let time = UtcMillis(1_790_000_000_000);
    let day: catalog_model::time::LocalDate = "2026-09-21".parse().unwrap();
    let rule = RuleRef::house("HOUSE-vague-words");
    let (id, provider) = (EntryId::from_bytes([5; 16]), OrganizationId::from_bytes([2; 16]));
    let clock = WorkingDayClock {
        kind: DeadlineKind::CatalogUpdate,
        start_time: time,
        length: WorkingDays(10),
        extended: WorkingDays(5),
        suspended: WorkingDays(0),
        due_date: day,
        due_time: day.end(),
        provisional: false,
        calendar_version: 1,
        rule: rule.clone(),
        revision: 2,
    };
    let decision = PaperDecision {
        document_number: "1".to_owned(),
        digest: [9; 32],
        date: day,
        issuing_body: "government".to_owned(),
        recorded_for: "authority".to_owned(),
    };
    check("entry_file_empty", &EntryFile::default());
    check(
        "entry_file",
        &EntryFile {
            versions: 3,
            submitted_time: Some(time),
            attribute_since: Some(time),
            attribute_review: Some(AttributeReview {
                since: time,
                due_date: day,
                rule: rule.clone(),
                default: Some(rule.clone()),
                last: Some(ReviewOutcome::ToBeWidened),
                missed: true,
                revision: 1,
            }),
            authority_review: Some(AuthorityReview {
                clock: clock.clone(),
                escalation: Some(PartyRole::GovernmentOrSuperior),
                order: Some(rule.clone()),
            }),
            suspension: Some(EntrySuspension {
                ground: SuspensionGround::Leak,
                reason: "reason".to_owned(),
                since: time,
            }),
            important: Some(decision.clone()),
            submitter: None,
        },
    );
    check(
        "entry_file_submitted",
        &EntryFile {
            submitted_time: Some(time),
            submitter: Some(PersonId::from_bytes([4; 16])),
            ..EntryFile::default()
        },
    );
    check(
        "change_report",
        &ChangeReport {
            subject: ResourceName::new(domain.clone(), Resource::Entry(id)),
            provider,
            changes: vec![ReportedChange {
                trigger: ChangeTrigger::Duty,
                day,
                citation: "decision".to_owned(),
                reported_time: time,
                clock: clock.clone(),
                default: None,
                overdue: true,
                order: Some(rule.clone()),
                escalation: Some(PartyRole::Authority),
            }],
            revision: 1,
        },
    );
    check(
        "worklist_item",
        &WorklistItem {
            entry: id,
            provider,
            title: "title".to_owned(),
            sharing: SharingKind::NotShared,
            reason: Reason::BasisRankTooLow,
            rule: Some(rule),
            pass: 2,
            rule_pack_version: 1,
            listed_time: time,
            clock: Some(clock),
            overdue: false,
            outcome: Some(WorklistOutcome::Ruled { decision }),
            closed_time: Some(time),
        },
    );
    check(
        "reclassification_pass",
        &ReclassificationPass {
            number: 2,
            cause: "cause".to_owned(),
            rule_pack_version: 1,
            started_time: time,
            after: Some(id),
            seen: 256,
            listed: 3,
            finished_time: None,
        },
    );
    check(
        "entry_particulars",
        &EntryParticulars {
            library: Some(Library::Theme("theme".to_owned())),
            self_checks: vec![SelfCheck {
                kind: SelfCheckKind::Usability,
                passed: true,
                date: day,
                checker: "office".to_owned(),
            }],
            secrecy: Some(SecrecyMark::WorkSecret),
        },
    );
    let person = Person {
        id: PersonId::from_bytes([3; 16]),
        organization: provider,
        display_name: "person".to_owned(),
        roles: vec![PersonRole::Operator],
        version: 1,
        created_time: time,
        updated_time: time,
        terms: None,
    };
    check("person", &person);
    let term = RoleTerm { role: PersonRole::Operator, from: day, until: Some(day) };
    check("person_with_terms", &Person { terms: Some(vec![term]), ..person });
}
