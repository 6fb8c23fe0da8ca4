//! Golden commands of level 3 about grants.

use catalog_model::{
    document_digest::DocumentDigest,
    grant::{
        Delivery, DeliveryOffer, DeliveryProof, DisposalManner, DisposalProof, DisposalRequirement,
        GrantCourse, Judgement, MisuseGround, PurposeEnd, PurposeEndKind, Rectification,
        RectificationReport, ServiceNotice, UseAgreement, WiderUse, WiderUseKind,
    },
    ids::ServiceChangeId,
    service_change::{ServiceChangeCause, ServiceChangeKind, ServiceChangeState},
    use_record::{UseEntry, UseField},
};

use super::*;

const DIGEST: DocumentDigest = DocumentDigest([9; 32]);

fn change() -> ResourceName {
    name(Resource::ServiceChange(ServiceChangeId::from_bytes(bytes(9))))
}

/// A grant to which everything happened, its user's domain told of it.
pub(super) fn told() -> Body {
    let clock = WorkingDayClock {
        kind: DeadlineKind::Delivery,
        start_time: time(),
        length: WorkingDays(20),
        extended: WorkingDays(0),
        suspended: WorkingDays(0),
        due_date: day("2026-10-26"),
        due_time: day("2026-10-26").end(),
        provisional: false,
        calendar_version: 1,
        rule: rule(),
        revision: 0,
    };
    let course = GrantCourse {
        delivery_clock: Some(clock),
        delivery_debtor: Some(PartyRole::Provider),
        delivery_escalation: Some(PartyRole::Authority),
        offer: Some(DeliveryOffer {
            method: SharingMethod::ServiceInterface,
            offered_time: time(),
            tested_time: Some(time()),
        }),
        delivery: Some(Delivery {
            proof: DeliveryProof::Acknowledgement,
            delivered_time: time(),
            late: true,
            rule: rule(),
        }),
        overdue: Some(OverdueMark {
            due_time: time(),
            fired_time: time(),
            ordered: vec![party(2)],
            escalated_to: PartyRole::Authority,
            escalated_party: Some(party(8)),
        }),
        rectification: Some(Rectification {
            ground: Some(MisuseGround::BeyondPurpose),
            evidence: Some(DIGEST),
            before: GrantState::Active,
            report: Some(RectificationReport {
                refused: false,
                text: "text".to_owned(),
                digest: Some(DIGEST),
                reported_time: time(),
            }),
            judgement: Some(Judgement {
                adequate: false,
                reason: "reason".to_owned(),
                judged_time: time(),
                by: party(8),
            }),
            lapsed_time: Some(time()),
        }),
        purpose_end: Some(PurposeEnd {
            kind: PurposeEndKind::NotNeeded,
            note: "note".to_owned(),
            ended_time: time(),
            by: party(1),
        }),
        disposal_requirement: Some(DisposalRequirement {
            manner: DisposalManner::Returned,
            note: "note".to_owned(),
            required_time: time(),
        }),
        disposal: Some(DisposalProof {
            manner: DisposalManner::Returned,
            digest: DIGEST,
            proved_time: time(),
        }),
        agreement: Some(UseAgreement {
            number: "number".to_owned(),
            digest: DIGEST,
            signed: day("2026-09-22"),
            recorded_time: time(),
        }),
        service: Some(ServiceNotice {
            change: change(),
            kind: ServiceChangeKind::Narrow,
            cause: ServiceChangeCause::Leak,
            state: ServiceChangeState::Filed,
            effective: day("2026-10-01"),
            stopped_time: Some(time()),
        }),
        wider_uses: vec![WiderUse {
            kind: WiderUseKind::ThirdParty,
            recipient: "recipient".to_owned(),
            purpose: "purpose".to_owned(),
            items: vec!["号牌".to_owned()],
            consented_time: time(),
            rule: rule(),
        }],
    };
    let grant = Grant { course: Some(Box::new(course)), rate_per_day: Some(100), ..grant() };
    Body::ReceiveStatus { request: Box::new(case()), grant: Some(Box::new(grant)) }
}

/// A request that names a rate and what it renews.
pub(super) fn renewing() -> Body {
    let content = RequestContent { rate_per_day: Some(100), renews: Some(grant_name()), ..asked() };
    Body::CreateRequest {
        id: RequestId::from_bytes(bytes(6)),
        grant: GrantId::from_bytes(bytes(7)),
        content,
        consenting_person: None,
    }
}

pub(super) fn bodies() -> Vec<Body> {
    let (grant, change) = (grant_name(), change());
    let text = || "text".to_owned();
    [
        GrantCommand::OfferDelivery {
            grant: grant.clone(),
            version: 1,
            method: SharingMethod::BatchExchange,
        },
        GrantCommand::RecordRetrieval { grant: grant.clone(), test: true },
        GrantCommand::AcknowledgeDelivery { grant: grant.clone(), version: 2 },
        GrantCommand::SuspendForMisuse {
            grant: grant.clone(),
            version: 3,
            ground: MisuseGround::ThirdParty,
            reason: text(),
            evidence: DIGEST,
            rectify_by: day("2026-10-30"),
        },
        GrantCommand::ReportRectification {
            grant: grant.clone(),
            version: 4,
            refused: false,
            text: text(),
            digest: Some(DIGEST),
        },
        GrantCommand::JudgeRectification {
            grant: grant.clone(),
            version: 5,
            adequate: true,
            reason: text(),
        },
        GrantCommand::EndPurpose {
            grant: grant.clone(),
            version: 6,
            kind: PurposeEndKind::Impossible,
            note: text(),
        },
        GrantCommand::RequireDisposal {
            grant: grant.clone(),
            version: 7,
            manner: DisposalManner::Destroyed,
            note: text(),
        },
        GrantCommand::ProveDisposal {
            grant: grant.clone(),
            version: 8,
            manner: DisposalManner::Sealed,
            digest: DIGEST,
        },
        GrantCommand::RecordUse {
            grant: grant.clone(),
            entries: vec![UseEntry { field: UseField::Effect, text: text() }],
        },
        GrantCommand::PurgeUseRecords { grant: grant.clone(), before: day("2030-01-01") },
        GrantCommand::ConsentWiderUse {
            grant: grant.clone(),
            version: 9,
            kind: WiderUseKind::OtherPurpose,
            recipient: String::new(),
            purpose: text(),
            items: vec!["号牌".to_owned()],
        },
        GrantCommand::RecordAgreement {
            grant,
            version: 10,
            number: text(),
            digest: DIGEST,
            signed: day("2026-09-22"),
        },
        GrantCommand::ProposeServiceChange {
            id: ServiceChangeId::from_bytes(bytes(9)),
            entry: name(Resource::Entry(EntryId::from_bytes(bytes(5)))),
            kind: ServiceChangeKind::Narrow,
            items: vec!["号牌".to_owned()],
            cause: ServiceChangeCause::SourceEnded,
            reason: text(),
            effective: day("2026-12-01"),
        },
        GrantCommand::StateOnServiceChange {
            change: change.clone(),
            version: 1,
            agrees: true,
            text: text(),
        },
        GrantCommand::RecordNegotiation { change: change.clone(), version: 2, minutes: DIGEST },
        GrantCommand::FileServiceChange { change: change.clone(), version: 3 },
        GrantCommand::EffectServiceChange { change: change.clone(), version: 4 },
        GrantCommand::AbandonServiceChange { change, version: 5, reason: text() },
    ]
    .map(|command| Body::Grant(Box::new(command)))
    .into()
}

pub(super) fn file(command: &GrantCommand) -> &'static str {
    match command {
        GrantCommand::OfferDelivery { .. } => "offer_delivery",
        GrantCommand::RecordRetrieval { .. } => "record_retrieval",
        GrantCommand::AcknowledgeDelivery { .. } => "acknowledge_delivery",
        GrantCommand::SuspendForMisuse { .. } => "suspend_for_misuse",
        GrantCommand::ReportRectification { .. } => "report_rectification",
        GrantCommand::JudgeRectification { .. } => "judge_rectification",
        GrantCommand::EndPurpose { .. } => "end_purpose",
        GrantCommand::RequireDisposal { .. } => "require_disposal",
        GrantCommand::ProveDisposal { .. } => "prove_disposal",
        GrantCommand::RecordUse { .. } => "record_use",
        GrantCommand::PurgeUseRecords { .. } => "purge_use_records",
        GrantCommand::ConsentWiderUse { .. } => "consent_wider_use",
        GrantCommand::RecordAgreement { .. } => "record_agreement",
        GrantCommand::ProposeServiceChange { .. } => "propose_service_change",
        GrantCommand::StateOnServiceChange { .. } => "state_on_service_change",
        GrantCommand::RecordNegotiation { .. } => "record_negotiation",
        GrantCommand::FileServiceChange { .. } => "file_service_change",
        GrantCommand::EffectServiceChange { .. } => "effect_service_change",
        GrantCommand::AbandonServiceChange { .. } => "abandon_service_change",
    }
}
