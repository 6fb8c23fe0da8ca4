//! Files of entries, as they are shown.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    entry_file::{AuthorityReview, EntryFile, SuspensionGround, WorklistItem, WorklistOutcome},
    ids::{EntryId, OrganizationId},
    paper_decision::PaperDecision,
    reason::Reason,
    sharing::SharingKind,
};

use super::values::{at, day, domain, id, rule};
use crate::{
    catalog::v1 as catalog,
    convert::{entry_file::*, paper_decision::paper_decision_message},
    entry::v1 as message,
};

fn clock() -> WorkingDayClock {
    WorkingDayClock {
        kind: DeadlineKind::CatalogReview,
        start_time: at(0),
        length: WorkingDays(2),
        extended: WorkingDays(0),
        suspended: WorkingDays(0),
        due_date: day("2026-09-23"),
        due_time: day("2026-09-23").end(),
        provisional: false,
        calendar_version: 1,
        rule: rule("review"),
        revision: 0,
    }
}

fn item(outcome: Option<WorklistOutcome>) -> WorklistItem {
    WorklistItem {
        entry: EntryId::from_bytes(id(1)),
        provider: OrganizationId::from_bytes(id(2)),
        title: "排水管网信息".into(),
        sharing: SharingKind::NotShared,
        reason: Reason::BasisRankTooLow,
        rule: Some(rule("basis")),
        pass: 3,
        rule_pack_version: 2,
        listed_time: at(4),
        clock: Some(clock()),
        overdue: false,
        closed_time: outcome.as_ref().map(|_| at(5)),
        outcome,
    }
}

#[test]
fn what_became_of_an_item_is_told_with_what_belongs_to_it() {
    use message::WorklistOutcome as Outcome;
    let paper = PaperDecision {
        document_number: "厦数〔2026〕3号（合成）".into(),
        digest: [7; 32],
        date: day("2026-09-20"),
        issuing_body: "市大数据主管部门（合成）".into(),
        recorded_for: "市大数据主管部门（合成）".into(),
    };
    let shown = |outcome| worklist_item_message(&domain("xiamen"), &item(outcome));

    let open = shown(None);
    assert_eq!((open.outcome(), open.close_time), (Outcome::Unspecified, None));
    assert_eq!(open.reason, "BASIS_RANK_TOO_LOW");

    let widened = shown(Some(WorklistOutcome::Reclassified { to: SharingKind::Conditional }));
    assert_eq!(widened.outcome(), Outcome::Reclassified);
    assert_eq!(widened.new_sharing(), catalog::SharingKind::Conditional);
    assert_eq!(widened.decision, None);

    let ruled = shown(Some(WorklistOutcome::Ruled { decision: paper.clone() }));
    assert_eq!(ruled.outcome(), Outcome::Ruled);
    assert_eq!(ruled.decision, Some(paper_decision_message(&paper)));
    assert_eq!(ruled.new_sharing(), catalog::SharingKind::Unspecified);
}

#[test]
fn a_file_says_whether_the_authority_is_late() {
    let review = AuthorityReview { clock: clock(), escalation: None, order: None };
    let file = EntryFile { versions: 2, authority_review: Some(review), ..Default::default() };
    for (now, overdue) in [(at(0), false), (day("2026-09-23").end(), true)] {
        let shown = file_message(&domain("xiamen"), EntryId::from_bytes(id(1)), &file, now);
        assert_eq!(shown.version_count, 2);
        assert_eq!(
            shown.authority_review.and_then(|review| review.deadline).expect("it runs").overdue,
            overdue
        );
        assert_eq!(shown.suspension, None);
    }
}

#[test]
fn a_word_that_is_none_is_refused_by_its_field() {
    assert_eq!(read_ground(1, "ground"), Ok(SuspensionGround::Leak));
    for number in [0, 4, -1] {
        let refusal = read_ground(number, "ground").expect_err("no ground");
        assert_eq!(refusal.reason, Reason::FieldInvalid);
        assert_eq!(refusal.fields[0].field, "ground");
    }
}
