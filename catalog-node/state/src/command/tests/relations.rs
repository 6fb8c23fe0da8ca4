//! Golden bytes of the commands on relations and quality, in a folder of their own: one file for
//! each command and each step.

use catalog_model::{
    acquisition::{Acquisition, ContractTerms},
    attribute_objection::Side,
    dataset::{DatasetKind, Period},
    document_digest::DocumentDigest,
    ids::{
        ContractId, DatasetId, EmergencyId, ObjectionId, PersonalObjectionId, ProjectId,
        PurchaseId, ReportId, TransferId,
    },
    paper_decision::PaperDecision,
    quality::{CheckResult, ConcernProof, Desk, Dimension, WindowFiling},
    sharing::{SharingAttribute, SharingKind},
};

use super::{bytes, caller, citation, day, time};
use crate::command::*;

fn text(word: &str) -> String {
    word.to_owned()
}

fn paper() -> PaperDecision {
    PaperDecision {
        document_number: text("厦府〔2026〕1号"),
        digest: [9; 32],
        date: day("2026-09-01"),
        issuing_body: text("市人民政府"),
        recorded_for: text("市人民政府"),
    }
}

fn conditional() -> SharingAttribute {
    SharingAttribute::Conditional { scope: text("scope"), purpose: text("purpose"), basis: None }
}

fn relations() -> Vec<(&'static str, RelationsCommand)> {
    use RelationsCommand as C;
    let organization = OrganizationId::from_bytes(bytes(2));
    let other = OrganizationId::from_bytes(bytes(3));
    let entry = EntryId::from_bytes(bytes(5));
    let system = SystemId::from_bytes(bytes(4));
    let dataset = DatasetId::from_bytes(bytes(20));
    let transfer = TransferId::from_bytes(bytes(21));
    let objection = ObjectionId::from_bytes(bytes(22));
    let emergency = EmergencyId::from_bytes(bytes(23));
    let purchase = PurchaseId::from_bytes(bytes(24));
    let contract = ContractId::from_bytes(bytes(25));
    let project = ProjectId::from_bytes(bytes(26));
    let period = Period { from: day("2026-01-01"), until: Some(day("2026-12-31")) };
    let open = Period { from: day("2026-01-01"), until: None };
    let (version, proof, reason) = (7, DocumentDigest([8; 32]), || text("reason"));
    let moved = |step| C::Transfer { transfer, version, step };
    let objected = |step| C::Objection { objection, version, step };
    let treated = |step| C::Emergency { emergency, version, step };
    let bought = |step| C::Purchase { purchase, version, step };
    let agreed = |step| C::Contract { contract, version, step };
    vec![
        (
            "register_dataset",
            C::RegisterDataset {
                id: dataset,
                organization,
                kind: DatasetKind::Interface,
                title: text("车辆表"),
                description: text("all"),
            },
        ),
        ("bind_entry", C::Bind { dataset, version, to: LinkTarget::Entry(entry), period }),
        ("bind_system", C::Bind { dataset, version, to: LinkTarget::System(system), period: open }),
        (
            "unbind",
            C::Unbind {
                dataset,
                version,
                from: LinkTarget::Entry(entry),
                until: day("2026-06-30"),
            },
        ),
        ("delete_dataset", C::DeleteDataset { dataset, version }),
        ("delete_system", C::DeleteSystem { organization, system }),
        ("state_duties", C::StateDuties { organization, version, duties: vec![text("登记")] }),
        (
            "assign_source",
            C::AssignSource {
                element: text("住址"),
                organization,
                period,
                basis: citation(),
                decision: Some(paper()),
            },
        ),
        (
            "end_source",
            C::EndSource {
                element: text("住址"),
                from: day("2026-01-01"),
                until: day("2026-06-30"),
            },
        ),
        ("index_published", C::IndexPublished { domain: super::xiamen(), after: Some(entry) }),
        (
            "check_collection",
            C::CheckCollection { entry, items: vec![text("住址")], exception: Some(citation()) },
        ),
        (
            "draft_transfer",
            C::DraftTransfer {
                id: transfer,
                from: organization,
                to: other,
                entries: vec![entry],
                act: citation(),
                change_date: day("2026-09-18"),
            },
        ),
        ("transfer_cosign", moved(TransferStep::Cosign)),
        ("transfer_file", moved(TransferStep::File)),
        ("transfer_return", moved(TransferStep::Return { reason: reason() })),
        ("transfer_approve", moved(TransferStep::Approve)),
        ("transfer_continue", moved(TransferStep::Continue)),
        (
            "raise_objection",
            C::RaiseObjection {
                id: objection,
                entry,
                wanted: SharingKind::Unconditional,
                reason: reason(),
            },
        ),
        (
            "objection_state",
            objected(ObjectionStep::State { side: Side::Provider, text: reason() }),
        ),
        ("objection_settle", objected(ObjectionStep::Settle { attribute: conditional() })),
        ("objection_escalate", objected(ObjectionStep::Escalate { reason: reason() })),
        (
            "objection_decide",
            objected(ObjectionStep::Decide { attribute: conditional(), decision: paper() }),
        ),
        (
            "open_emergency",
            C::OpenEmergency {
                id: emergency,
                organization,
                content: EmergencyContent {
                    event: text("台风"),
                    basis: citation(),
                    purpose: text("purpose"),
                    scope: text("scope"),
                    manner: text("manner"),
                    entries: vec![entry],
                    applications: vec![system],
                },
            },
        ),
        ("emergency_use", treated(EmergencyStep::Use { system, event: text("台风") })),
        ("emergency_end", treated(EmergencyStep::End)),
        ("emergency_assess", treated(EmergencyStep::Assess { proof })),
        ("emergency_treat", treated(EmergencyStep::Treat { proof })),
        ("emergency_close", treated(EmergencyStep::CloseApplications { proof })),
        (
            "request_purchase",
            C::RequestPurchase {
                id: purchase,
                organization,
                need: text("need"),
                items: vec![text("item")],
            },
        ),
        ("purchase_merge", bought(PurchaseStep::Merge { into: purchase })),
        ("purchase_approve", bought(PurchaseStep::Approve)),
        ("purchase_refuse", bought(PurchaseStep::Refuse { reason: reason() })),
        ("purchase_buy", bought(PurchaseStep::Buy { contract: proof })),
        (
            "open_contract",
            C::OpenContract {
                id: contract,
                organization,
                contractor: text("company"),
                terms: ContractTerms {
                    matter: text("matter"),
                    purpose: text("purpose"),
                    scope: text("scope"),
                    manner: text("manner"),
                },
            },
        ),
        (
            "contract_consent",
            agreed(ContractStep::ConsentSubEntrusting { to: text("other company") }),
        ),
        ("contract_process", agreed(ContractStep::Process { by: text("company") })),
        ("contract_end", agreed(ContractStep::End { reason: reason() })),
        ("contract_close", agreed(ContractStep::Close { returned: true, proof })),
        ("state_acquisition_duty", C::StateAcquisition { entry, acquisition: Acquisition::Duty }),
        (
            "state_acquisition_entrusted",
            C::StateAcquisition { entry, acquisition: Acquisition::Entrusted(contract) },
        ),
        (
            "state_acquisition_purchased",
            C::StateAcquisition { entry, acquisition: Acquisition::Purchased(purchase) },
        ),
        (
            "state_acquisition_emergency",
            C::StateAcquisition { entry, acquisition: Acquisition::Emergency(emergency) },
        ),
        (
            "open_project",
            C::OpenProject {
                id: project,
                organization,
                title: text("title"),
                assets: vec![text("asset")],
            },
        ),
        ("list_asset", C::ListAsset { project, version, asset: 1, entry }),
        ("accept_project", C::AcceptProject { project, version }),
        (
            "record_platform",
            C::RecordPlatform {
                organization,
                title: text("platform"),
                cross_department: true,
                approval: Some(paper()),
                migrate_by: Some(day("2027-12-31")),
                exception: Some(citation()),
            },
        ),
    ]
}

fn quality() -> Vec<(&'static str, QualityCommand)> {
    use QualityCommand as C;
    let entry = EntryId::from_bytes(bytes(5));
    let report = ReportId::from_bytes(bytes(30));
    let objection = PersonalObjectionId::from_bytes(bytes(31));
    let (version, reason) = (7, || text("reason"));
    let reported = |step| C::Report { report, version, step };
    let objected = |step| C::PersonalObjection { objection, version, step };
    vec![
        (
            "record_batch",
            C::RecordBatch {
                entry,
                batch: text("7"),
                system: SystemId::from_bytes(bytes(4)),
                person: PersonId::from_bytes(bytes(3)),
                rows: 100,
                results: vec![CheckResult {
                    check: text("check"),
                    dimension: Dimension::Accuracy,
                    rows: 100,
                    failed: 3,
                }],
            },
        ),
        (
            "file_report",
            C::FileReport {
                id: report,
                entry,
                items: vec![text("number")],
                description: text("wrong"),
                desk: Some(Desk::Authority),
            },
        ),
        ("report_hand_over", reported(ReportStep::HandOver)),
        ("report_verify", reported(ReportStep::Verify)),
        ("report_confirm", reported(ReportStep::Confirm)),
        ("report_reject", reported(ReportStep::Reject { reason: reason() })),
        (
            "report_correct",
            reported(ReportStep::Correct {
                batch: text("7"),
                before: DocumentDigest([1; 32]),
                after: DocumentDigest([2; 32]),
            }),
        ),
        ("report_feed_back", reported(ReportStep::FeedBack { text: reason() })),
        ("report_propagate", reported(ReportStep::Propagate)),
        ("report_close", reported(ReportStep::Close)),
        ("report_reopen", reported(ReportStep::Reopen { reason: reason() })),
        (
            "file_personal_objection",
            C::FilePersonalObjection {
                id: objection,
                entry,
                desk: OrganizationId::from_bytes(bytes(2)),
                window: Some(WindowFiling { number: text("1"), stamped: day("2026-09-01") }),
                proof: ConcernProof {
                    identity: DocumentDigest([1; 32]),
                    relation: DocumentDigest([2; 32]),
                },
                description: text("wrong"),
            },
        ),
        ("personal_objection_verify", objected(PersonalObjectionStep::Verify)),
        (
            "personal_objection_correct",
            objected(PersonalObjectionStep::Correct { batch: text("7"), reason: reason() }),
        ),
        ("personal_objection_reject", objected(PersonalObjectionStep::Reject { reason: reason() })),
    ]
}

#[test]
fn golden_bytes_mean_what_they_meant() {
    let relations =
        relations().into_iter().map(|(name, body)| (name, Body::Relations(Box::new(body))));
    let quality = quality().into_iter().map(|(name, body)| (name, Body::Quality(Box::new(body))));
    let commands = relations.chain(quality).map(|(name, body)| {
        let command = Command {
            level: body.level(),
            stamped_at: time(),
            received_at: None,
            caller: caller(0),
            request_id: None,
            call_digest: [0; 32],
            salt: bytes(13),
            body,
        };
        assert_eq!(command.level, 3, "{name}");
        (name.to_owned(), command)
    });
    golden::check("relations", commands);
}
