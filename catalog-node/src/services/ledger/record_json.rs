//! A record in words: the same facts as in its stored bytes, for people and scripts. Proofs are
//! over the bytes; nothing is proved by this text.

mod said;

use catalog_model::reason::Lang;
use catalog_state::ledger::{Fact, LedgerRecord};
use serde_json::{Map, Value, json};

use self::said::Said;
use crate::storage::hex;

/// The record as JSON.
pub(super) fn record_json(record: &LedgerRecord) -> Value {
    let (fact, details) = fact(&record.fact);
    let rule = record.rule.as_ref().map(|rule| {
        json!({
            "id": rule.id,
            "cited_zh": rule.cite(Lang::Zh),
            "cited_en": rule.cite(Lang::En),
        })
    });
    json!({
        "domain": record.domain.to_string(),
        "generation": record.generation,
        "sequence": record.sequence,
        "time_ms": record.time.0,
        "time": record.time.local_text(),
        "subject": record.subject.to_string(),
        "fact": fact,
        "details": details,
        "rule": rule,
        "actor": record.actor,
        "digests": record.digests.iter().map(|digest| {
            json!({ "label": digest.label, "sha256": hex(&digest.digest) })
        }).collect::<Vec<_>>(),
    })
}

// The match is exhaustive, fields too: a fact that has no word here does not compile.
macro_rules! facts {
    (
        $fact:ident;
        $($variant:ident $word:literal { $($field:ident $(as $key:literal)?),* })*;
        $($by_hand:tt)*
    ) => {
        match $fact {
            $(Fact::$variant { $($field),* } => {
                #[allow(unused_mut, reason = "some facts have no details")]
                let mut details = Map::new();
                $(details.insert(facts!(@key $field $($key)?).to_owned(), $field.said());)*
                ($word, Value::Object(details))
            })*
            $($by_hand)*
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}

fn fact(fact: &Fact) -> (&'static str, Value) {
    facts! {
        fact;
        ClusterCreated "cluster_created" { composition }
        EntryPublished "entry_published" { version, sharing, digest as "sha256" }
        EntryReturned "entry_returned" { version }
        EntryWithdrawn "entry_withdrawn" { version }
        ConsentGiven "consent_given" { version, asserted }
        RequestReceived "request_received" {
            entry, entry_version, requester, items, received, due_date, gateway_difference_ms
        }
        RequestForwarded "request_forwarded" { owner, entry }
        RequestRefusedAtOnce "request_refused_at_once" { entry, reason }
        CompletionAsked "completion_asked" {}
        RequestCompleted "request_completed" {}
        OpinionGiven "opinion_given" { in_favor }
        RequestExtended "request_extended" { working_days, from, to }
        RequestAnswered "request_answered" { kind, items, late, grant, standing }
        RequestWithdrawn "request_withdrawn" {}
        RequestOverdue "request_overdue" { due_date, ordered, escalated_to }
        Granted "granted" { request, entry, consumer, system, items, from, to }
        GrantSuspended "grant_suspended" { rectify_by }
        GrantTerminated "grant_terminated" {}
        DeadlineMissed "deadline_missed" { kind, due }
        StatusReceived "status_received" { owner, version }
        OpinionSilent "opinion_silent" { due_date }
        MembersChanged "members_changed" { version, kind, nodes, voters, learners }
        LevelRaised "level_raised" { from, to }
        DeliveryOffered "delivery_offered" {}
        DeliveryTested "delivery_tested" {}
        Delivered "delivered" { proof, late }
        DeliveryOverdue "delivery_overdue" { due_date, ordered, escalated_to }
        DeliveryAwaitsUser "delivery_awaits_user" { due_date }
        GrantSuspendedForMisuse "grant_suspended_for_misuse" { ground, evidence, rectify_by }
        RectificationReported "rectification_reported" { refused, digest }
        RectificationJudged "rectification_judged" { adequate }
        RectificationLapsed "rectification_lapsed" { rectify_by }
        PurposeEnded "purpose_ended" { kind }
        DisposalRequired "disposal_required" { manner }
        DisposalProved "disposal_proved" { manner, digest }
        UseRecorded "use_recorded" { number, missing }
        UseRecordsPurged "use_records_purged" { before, count }
        WiderUseConsented "wider_use_consented" { kind, items }
        AgreementRecorded "agreement_recorded" { digest, signed }
        ServiceChangeProposed "service_change_proposed" { entry, kind, cause, effective, grants }
        ServiceChangeStated "service_change_stated" { agrees }
        ServiceChangeMoved "service_change_moved" { state, minutes }
        GrantChangedWithService "grant_changed_with_service" { change, items }
        ChangeReported "change_reported" { trigger, day, due_date, by_default }
        UpdateExtended "update_extended" { working_days, from, to }
        UpdateOverdue "update_overdue" { due_date, ordered, escalated_to }
        UpdateMet "update_met" { trigger, day, late }
        AuthorityReviewOverdue "authority_review_overdue" { due_date, escalated_to }
        AttributeReviewed "attribute_reviewed" { outcome, next }
        AttributeChanged "attribute_changed" { from, to }
        ReclassificationStarted "reclassification_started" { pass, rule_pack_version }
        ReclassificationEnded "reclassification_ended" { pass, seen, listed }
        ReclassificationListed "reclassification_listed" { sharing, reason, due_date }
        ReclassificationClosed "reclassification_closed" { outcome, sharing }
        EntrySuspended "entry_suspended" { version, ground }
        EntryResumed "entry_resumed" { version }
        EntryArchived "entry_archived" { version }
        ImportantDataListed "important_data_listed" { listed, decision }
        SecretRefused "secret_refused" { mark }
        PersonRolesChanged "person_roles_changed" { roles }
        RulePackLoaded "rule_pack_loaded" { version, digest, late_since }
        LawEditProposed "law_edit_proposed" { what, digest }
        RulingRecorded "ruling_recorded" {
            kind, rule, over, from, to, document_number, document_digest
        }
        RulingWithdrawn "ruling_withdrawn" {}
        LawLoadedLate "law_loaded_late" {
            version, old_decider, new_decider, from, to, held, lifted
        }
        CalendarLoaded "calendar_loaded" { version, digest, years }
        ClosureDeclared "closure_declared" { version, document_number, days, counted }
        ClosureWithdrawn "closure_withdrawn" { version, document_number, days }
        DeadlineRecomputed "deadline_recomputed" { kind, calendar_version, from, to, held, lifted }
        PlatformOutageRecorded "platform_outage_recorded" { number, from, until, nodes }
        OutageRulingWanted "outage_ruling_wanted" { due_date }
        OutageRuled "outage_ruled" { counts }
        RecomputeFinished "recompute_finished" { what, looked_at, changed }
        OpinionAsked "opinion_asked" { due_date }
        ExtensionProposed "extension_proposed" { working_days }
        ExtensionDenied "extension_denied" { working_days }
        ExtensionNoticeGiven "extension_notice_given" { requester, due_date }
        CorrectionOrdered "correction_ordered" { debtor, effects }
        HearingOpened "hearing_opened" { due_date }
        ReasonClaimed "reason_claimed" { debtor }
        ReasonRuled "reason_ruled" { debtor, accepted }
        LatenessCounted "lateness_counted" { debtor, due_date, heard }
        LatenessExcused "lateness_excused" { debtor, due_date }
        AnswerWarned "answer_warned" { share, due_date }
        CompletionWarned "completion_warned" { due_date }
        RequestNotCompleted "request_not_completed" {}
        PartGrantedAtOnce "part_granted_at_once" { items, grant }
        FiledOnBehalf "filed_on_behalf" { what, organization, document_number, digest, date }
        HopLate "hop_late" { due }
        SeparationSwitched "separation_switched" { on }
        DisputeRaised "dispute_raised" { request, against }
        PositionStated "position_stated" { by, on_paper }
        ConsultationEnded "consultation_ended" { agreed }
        DisputeCoordinated "dispute_coordinated" { agreed, document_number }
        DisputeDecided "dispute_decided" { document_number, digest, date }
        DemandMoved "demand_moved" { state, owner }
        DatasetRegistered "dataset_registered" { organization }
        DatasetBound "dataset_bound" { to, from, until }
        DatasetUnbound "dataset_unbound" { from, until }
        DatasetDeleted "dataset_deleted" {}
        SystemDeleted "system_deleted" {}
        DutiesStated "duties_stated" { count, version }
        SourceAssigned "source_assigned" { organization, from, until }
        SourceEnded "source_ended" { from, until }
        CollectionChecked "collection_checked" { result, overlaps }
        TransferMoved "transfer_moved" { state, moved }
        EntryTransferred "entry_transferred" { transfer, from, to, version }
        ObjectionMoved "objection_moved" { state, entry, decision }
        AttributeSettled "attribute_settled" { version, sharing, digest }
        EmergencyMoved "emergency_moved" { state, proof }
        EmergencyUsed "emergency_used" { system }
        PurchaseMoved "purchase_moved" { state, contract }
        ContractMoved "contract_moved" { state, proof }
        AcquisitionStated "acquisition_stated" { acquisition }
        ProjectOpened "project_opened" { assets }
        AssetListed "asset_listed" { asset, entry }
        ProjectAccepted "project_accepted" {}
        PlatformRecorded "platform_recorded" { cross_department, migrate_by }
        BatchRecorded "batch_recorded" { batch, rows, failed }
        ReportMoved "report_moved" { state, late }
        ReportCorrected "report_corrected" { batch, before, after }
        ReportPropagated "report_propagated" { holders }
        QualityOverdue "quality_overdue" { due_date, ordered, escalated_to }
        PersonalObjectionMoved "personal_objection_moved" { state, receiver, late }
        HeadHeld "head_held" { domain, tree_size, root }
        HeadForked "head_forked" { domain, held_size, held_root, tree_size, root }
        HeadCosigned "head_cosigned" { cosigner, tree_size }
        SegmentSealed "segment_sealed" { number, from, through, link }
        PayloadErased "payload_erased" { sequence }
        PayloadsPurged "payloads_purged" { from, through, count }
        WebhookRegistered "webhook_registered" { organization }
        WebhookRemoved "webhook_removed" {}
        NoticeGivenUp "notice_given_up" { sequence }
        CellWritten "cell_written" { domain, write, revision, pair, site, mode }
        CellNoted "cell_noted" { revision, pair, site, mode }
        SitesSet "sites_set" { nodes, sites, active }
        ModeChanged "mode_changed" { mode, cell_revision, without_witness }
        DrPolicyFiled "dr_policy_filed" { version, document_number, digest, witness }
        ActsReleased "acts_released" { pair }
        SwitchoverMoved "switchover_moved" { number, from, to, state }
        Forked "forked" {
            from, pair, site, tree_size, root, greatest_head, verdict, missing, attested,
            attested_by_nodes
        }
        ActRefusedOneSite "act_refused_one_site" { grade }
        WindowClosed "window_closed" { generation }
        DrillOpened "drill_opened" { plan, plan_digest, approvals_needed, takes_site }
        DrillApproved "drill_approved" { asserted, count }
        DrillStepped "drill_stepped" { phase, step, began, ended, ok }
        DrillClosed "drill_closed" {
            plan, ok, rpo, acknowledged, lost, duplicated, timers_wrong, pause_ms, rto_ms, report
        }
        HeadLeft "head_left" { domain, pair, held_size, tree_size, root, lost }
        DrillAbandoned "drill_abandoned" { plan, acted };
        Fact::OutageRecorded { node, kind, from, until } => (
            "outage_recorded",
            json!({
                "node": node,
                "kind": kind.name(),
                "from_ms": from.0,
                "from": from.local_text(),
                "until_ms": until.0,
                "until": until.local_text(),
                "text_zh": kind.text(Lang::Zh),
                "text_en": kind.text(Lang::En),
            }),
        ),
    }
}

#[cfg(test)]
mod tests;
