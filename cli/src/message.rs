//! Messages: how is a message of the API written as JSON for a person, and read again?
//!
//! Field names are those of the protocol files (`due_date`), which every proto JSON parser
//! takes beside the camel-case ones; fields at their default are left out and 64-bit numbers stay
//! numbers. Reading accepts both spellings and refuses what the message does not have.

use std::sync::LazyLock;

use luqiao_proto::FILE_DESCRIPTOR_SET;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions,
};
use serde_json::Value;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("our own descriptors are well formed")
});

/// Full names of the messages that commands read or print.
pub mod kind {
    /// One listing of a catalog.
    pub const CATALOG_ENTRY: &str = "luqiao.catalog.v1.CatalogEntry";
    /// What is on file about an entry.
    pub const ENTRY_FILE: &str = "luqiao.entry.v1.EntryFile";
    /// What an entry lacks.
    pub const ENTRY_CHECK: &str = "luqiao.entry.v1.CheckEntryResponse";
    /// What differs between two versions.
    pub const ENTRY_DIFF: &str = "luqiao.entry.v1.DiffEntryResponse";
    /// A page of published versions.
    pub const VERSION_PAGE: &str = "luqiao.entry.v1.ListEntryVersionsResponse";
    /// An update that is owed.
    pub const CHANGE_REPORT: &str = "luqiao.entry.v1.ChangeReport";
    /// A page of these.
    pub const CHANGE_REPORT_PAGE: &str = "luqiao.entry.v1.ListChangeReportsResponse";
    /// An entry to be re-classified.
    pub const WORKLIST_ITEM: &str = "luqiao.entry.v1.WorklistItem";
    /// A page of these.
    pub const WORKLIST_PAGE: &str = "luqiao.entry.v1.ListWorklistResponse";
    /// A pass over the catalog.
    pub const RECLASSIFICATION_PASS: &str = "luqiao.entry.v1.ReclassificationPass";
    /// An organization.
    pub const ORGANIZATION: &str = "luqiao.organization.v1.Organization";
    /// A person.
    pub const PERSON: &str = "luqiao.organization.v1.Person";
    /// A business system.
    pub const SYSTEM: &str = "luqiao.organization.v1.System";
    /// A case.
    pub const SHARE_REQUEST: &str = "luqiao.sharing.v1.ShareRequest";
    /// An answer.
    pub const CONSENT: &str = "luqiao.sharing.v1.GiveConsentResponse";
    /// A grant.
    pub const GRANT: &str = "luqiao.sharing.v1.Grant";
    /// What was done with what a grant gave.
    pub const USE_RECORD: &str = "luqiao.sharing.v1.UseRecord";
    /// Whether a use would be permitted.
    pub const USE_ANSWER: &str = "luqiao.sharing.v1.CheckUseResponse";
    /// A change of a service.
    pub const SERVICE_CHANGE: &str = "luqiao.sharing.v1.ServiceChange";
    /// A receipt.
    pub const RECEIPT: &str = "luqiao.ledger.v1.Receipt";
    /// A page of records.
    pub const RECORD_PAGE: &str = "luqiao.ledger.v1.QueryRecordsResponse";
    /// A record.
    pub const LEDGER_RECORD: &str = "luqiao.ledger.v1.LedgerRecord";
    /// Heads, forks and cosignatures.
    pub const HEAD_LIST: &str = "luqiao.ledger.v1.ListHeadsResponse";
    /// A cosignature.
    pub const COSIGNATURE: &str = "luqiao.ledger.v1.Cosignature";
    /// A proof that one head extends another.
    pub const CONSISTENCY_PROOF: &str = "luqiao.ledger.v1.ConsistencyProof";
    /// A sealed segment.
    pub const SEGMENT: &str = "luqiao.ledger.v1.Segment";
    /// A page of segments.
    pub const SEGMENT_PAGE: &str = "luqiao.ledger.v1.ListSegmentsResponse";
    /// The status of a domain.
    pub const STATUS: &str = "luqiao.operations.v1.GetStatusResponse";
    /// The members of a cluster.
    pub const MEMBER_LIST: &str = "luqiao.operations.v1.ListMembersResponse";
    /// What a change does to the votes.
    pub const QUORUM_EFFECT: &str = "luqiao.operations.v1.QuorumEffect";
    /// A page of changes of the members.
    pub const MEMBER_CHANGE_PAGE: &str = "luqiao.operations.v1.ListMemberChangesResponse";
    /// A page of entries.
    pub const ENTRY_PAGE: &str = "luqiao.catalog.v1.ListEntriesResponse";
    /// A page of hits.
    pub const HIT_PAGE: &str = "luqiao.catalog.v1.SearchEntriesResponse";
    /// A page of organizations.
    pub const ORGANIZATION_PAGE: &str = "luqiao.organization.v1.ListOrganizationsResponse";
    /// A page of persons.
    pub const PERSON_PAGE: &str = "luqiao.organization.v1.ListPersonsResponse";
    /// A page of systems.
    pub const SYSTEM_PAGE: &str = "luqiao.organization.v1.ListSystemsResponse";
    /// A page of cases.
    pub const REQUEST_PAGE: &str = "luqiao.sharing.v1.ListRequestsResponse";
    /// A page of grants.
    pub const GRANT_PAGE: &str = "luqiao.sharing.v1.ListGrantsResponse";
    /// A page of use records.
    pub const USE_RECORD_PAGE: &str = "luqiao.sharing.v1.ListUseRecordsResponse";
    /// A page of changes of a service.
    pub const SERVICE_CHANGE_PAGE: &str = "luqiao.sharing.v1.ListServiceChangesResponse";
    /// A dataset.
    pub const DATASET: &str = "luqiao.relations.v1.Dataset";
    /// A page of datasets.
    pub const DATASET_PAGE: &str = "luqiao.relations.v1.ListDatasetsResponse";
    /// A page of what is bound to nothing.
    pub const ORPHAN_PAGE: &str = "luqiao.relations.v1.ListOrphansResponse";
    /// The duties of an organization.
    pub const DUTIES: &str = "luqiao.relations.v1.DutyList";
    /// What a catalog lacks beside the duties.
    pub const DUTY_GAPS: &str = "luqiao.relations.v1.DutyGaps";
    /// The source of a datum.
    pub const SOURCE: &str = "luqiao.relations.v1.ElementSource";
    /// A page of sources.
    pub const SOURCE_PAGE: &str = "luqiao.relations.v1.ListSourcesResponse";
    /// A page of entries that share an item.
    pub const SHARER_PAGE: &str = "luqiao.relations.v1.ListSharersResponse";
    /// A check for duplicate collection.
    pub const COLLECTION_CHECK: &str = "luqiao.relations.v1.CollectionCheck";
    /// How data were acquired.
    pub const ACQUISITION: &str = "luqiao.relations.v1.Acquisition";
    /// The transfer of a function.
    pub const TRANSFER: &str = "luqiao.relations.v1.FunctionTransfer";
    /// A page of transfers.
    pub const TRANSFER_PAGE: &str = "luqiao.relations.v1.ListTransfersResponse";
    /// The objection to an attribute.
    pub const OBJECTION: &str = "luqiao.relations.v1.AttributeObjection";
    /// A page of objections.
    pub const OBJECTION_PAGE: &str = "luqiao.relations.v1.ListObjectionsResponse";
    /// Data taken in an emergency.
    pub const EMERGENCY: &str = "luqiao.relations.v1.Emergency";
    /// A page of them.
    pub const EMERGENCY_PAGE: &str = "luqiao.relations.v1.ListEmergenciesResponse";
    /// A purchase.
    pub const PURCHASE: &str = "luqiao.relations.v1.Purchase";
    /// A page of purchases.
    pub const PURCHASE_PAGE: &str = "luqiao.relations.v1.ListPurchasesResponse";
    /// A contract on collection.
    pub const CONTRACT: &str = "luqiao.relations.v1.CollectionContract";
    /// A page of contracts.
    pub const CONTRACT_PAGE: &str = "luqiao.relations.v1.ListContractsResponse";
    /// A project.
    pub const PROJECT: &str = "luqiao.relations.v1.Project";
    /// A page of projects.
    pub const PROJECT_PAGE: &str = "luqiao.relations.v1.ListProjectsResponse";
    /// A platform beside the city's.
    pub const PLATFORM: &str = "luqiao.relations.v1.PlatformNode";
    /// A page of platforms.
    pub const PLATFORM_PAGE: &str = "luqiao.relations.v1.ListPlatformsResponse";
    /// A batch of an entry's data.
    pub const BATCH: &str = "luqiao.quality.v1.Batch";
    /// A page of batches.
    pub const BATCH_PAGE: &str = "luqiao.quality.v1.ListBatchesResponse";
    /// An error report.
    pub const REPORT: &str = "luqiao.quality.v1.ErrorReport";
    /// A page of error reports.
    pub const REPORT_PAGE: &str = "luqiao.quality.v1.ListReportsResponse";
    /// From a report to a person.
    pub const TRACE: &str = "luqiao.quality.v1.Trace";
    /// The objection of a person concerned.
    pub const PERSONAL_OBJECTION: &str = "luqiao.quality.v1.PersonalObjection";
    /// A page of them.
    pub const PERSONAL_OBJECTION_PAGE: &str = "luqiao.quality.v1.ListPersonalObjectionsResponse";
    /// The parts of a request over several entries.
    pub const MIXED_REQUEST: &str = "luqiao.sharing.v1.CreateMixedRequestResponse";
    /// The file of a case.
    pub const CASE_FILE: &str = "luqiao.sharing.v1.CaseFile";
    /// How an organization met what it owed.
    pub const PUNCTUALITY: &str = "luqiao.sharing.v1.Punctuality";
    /// The separation of duties.
    pub const SEPARATION: &str = "luqiao.sharing.v1.Separation";
    /// A dispute.
    pub const DISPUTE: &str = "luqiao.sharing.v1.Dispute";
    /// A page of disputes.
    pub const DISPUTE_PAGE: &str = "luqiao.sharing.v1.ListDisputesResponse";
    /// A demand.
    pub const DEMAND: &str = "luqiao.sharing.v1.Demand";
    /// A page of demands.
    pub const DEMAND_PAGE: &str = "luqiao.sharing.v1.ListDemandsResponse";
    /// The rules that hold.
    pub const RULE_LIST: &str = "luqiao.rule.v1.ListRulesResponse";
    /// A key, explained.
    pub const EXPLAINED_RULE: &str = "luqiao.rule.v1.ExplainRuleResponse";
    /// What is found in a pack.
    pub const PACK_CHECK: &str = "luqiao.rule.v1.CheckRulePackResponse";
    /// What came of loading a pack.
    pub const LOADED_PACK: &str = "luqiao.rule.v1.LoadRulePackResponse";
    /// What came of loading a calendar.
    pub const LOADED_CALENDAR: &str = "luqiao.rule.v1.LoadCalendarResponse";
    /// A calendar.
    pub const CALENDAR: &str = "luqiao.rule.v1.Calendar";
    /// Changes of the law that wait.
    pub const PROPOSED_EDITS: &str = "luqiao.rule.v1.ListProposedEditsResponse";
    /// What is still being counted again.
    pub const PENDING_WORK: &str = "luqiao.rule.v1.GetPendingWorkResponse";
    /// A ruling.
    pub const RULING: &str = "luqiao.law.v1.Ruling";
    /// A page of rulings.
    pub const RULING_PAGE: &str = "luqiao.law.v1.ListRulingsResponse";
    /// Cases that would have ended differently.
    pub const WHAT_IF: &str = "luqiao.law.v1.WhatIfResponse";
    /// Cases flagged by law loaded late.
    pub const LATE_LAW: &str = "luqiao.law.v1.GetLateLawResponse";
    /// Deadlines, day by day.
    pub const EXPLAINED_DEADLINE: &str = "luqiao.law.v1.ExplainDeadlineResponse";
    /// An outage of the platform.
    pub const OUTAGE: &str = "luqiao.law.v1.PlatformOutage";
    /// A page of outages.
    pub const OUTAGE_PAGE: &str = "luqiao.law.v1.ListOutagesResponse";
    /// What was ruled on a lateness.
    pub const OUTAGE_RULING: &str = "luqiao.law.v1.OutageRuling";
    /// A page of these.
    pub const OUTAGE_RULING_PAGE: &str = "luqiao.law.v1.ListOutageRulingsResponse";
    /// How the sites stand.
    pub const RECOVERY_STATUS: &str = "luqiao.dr.v1.RecoveryStatus";
    /// A drill.
    pub const DRILL: &str = "luqiao.operations.v1.Drill";
    /// A page of drills.
    pub const DRILL_PAGE: &str = "luqiao.operations.v1.ListDrillsResponse";
    /// A signed head of a ledger.
    pub const TREE_HEAD: &str = "luqiao.ledger.v1.TreeHead";
    /// A page of work.
    pub const WORK_PAGE: &str = "luqiao.work.v1.ListWorkResponse";
    /// A page of notices.
    pub const NOTICE_PAGE: &str = "luqiao.work.v1.ListNoticesResponse";
    /// How far notices were dealt with.
    pub const NOTICES_ACKED: &str = "luqiao.work.v1.AckNoticesResponse";
    /// A webhook.
    pub const WEBHOOK: &str = "luqiao.work.v1.Webhook";
    /// An organization's webhooks.
    pub const WEBHOOK_LIST: &str = "luqiao.work.v1.ListWebhooksResponse";
    /// What came of deliveries.
    pub const DELIVERY_LIST: &str = "luqiao.work.v1.ListDeliveriesResponse";
    /// Earlier answers.
    pub const PRECEDENT_LIST: &str = "luqiao.work.v1.ListPrecedentsResponse";
    /// Statistics of a period.
    pub const STATISTICS: &str = "luqiao.work.v1.GetStatisticsResponse";
}

fn descriptor(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(name).unwrap_or_else(|| panic!("{name} is not in our protocol files"))
}

/// `message`, which is a `name`, as JSON. Fails on a time that JSON cannot hold.
pub fn to_json<M: Message>(name: &str, message: &M) -> Result<Value, serde_json::Error> {
    serialize(name, message, &options())
}

/// As [`to_json`], with zeros and empty values said too: where a zero is news.
pub fn to_whole_json<M: Message>(name: &str, message: &M) -> Result<Value, serde_json::Error> {
    serialize(name, message, &options().skip_default_fields(false))
}

fn options() -> SerializeOptions {
    SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false)
}

fn serialize<M: Message>(
    name: &str,
    message: &M,
    options: &SerializeOptions,
) -> Result<Value, serde_json::Error> {
    let dynamic = DynamicMessage::decode(descriptor(name), message.encode_to_vec().as_slice())
        .expect("a message we have encoded can be decoded");
    dynamic.serialize_with_options(serde_json::value::Serializer, options)
}

/// The `name` that `text` holds as JSON.
pub fn from_json<M: Message + Default>(name: &str, text: &str) -> Result<M, serde_json::Error> {
    let mut source = serde_json::Deserializer::from_str(text);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let dynamic =
        DynamicMessage::deserialize_with_options(descriptor(name), &mut source, &options)?;
    source.end()?;
    Ok(M::decode(dynamic.encode_to_vec().as_slice())
        .expect("a dynamic message encodes as its descriptor says"))
}

#[cfg(test)]
mod tests {
    use luqiao_proto::{catalog::v1::CatalogEntry, operations::v1::GetStatusResponse};
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn every_name_is_a_message() {
        for name in [
            kind::CATALOG_ENTRY,
            kind::ENTRY_FILE,
            kind::ENTRY_CHECK,
            kind::ENTRY_DIFF,
            kind::VERSION_PAGE,
            kind::CHANGE_REPORT,
            kind::CHANGE_REPORT_PAGE,
            kind::WORKLIST_ITEM,
            kind::WORKLIST_PAGE,
            kind::RECLASSIFICATION_PASS,
            kind::ORGANIZATION,
            kind::PERSON,
            kind::SYSTEM,
            kind::SHARE_REQUEST,
            kind::CONSENT,
            kind::GRANT,
            kind::RECEIPT,
            kind::RECORD_PAGE,
            kind::LEDGER_RECORD,
            kind::HEAD_LIST,
            kind::COSIGNATURE,
            kind::CONSISTENCY_PROOF,
            kind::SEGMENT,
            kind::SEGMENT_PAGE,
            kind::STATUS,
            kind::MEMBER_LIST,
            kind::QUORUM_EFFECT,
            kind::MEMBER_CHANGE_PAGE,
            kind::ENTRY_PAGE,
            kind::HIT_PAGE,
            kind::ORGANIZATION_PAGE,
            kind::PERSON_PAGE,
            kind::SYSTEM_PAGE,
            kind::REQUEST_PAGE,
            kind::GRANT_PAGE,
            kind::ACQUISITION,
            kind::BATCH,
            kind::BATCH_PAGE,
            kind::CALENDAR,
            kind::CASE_FILE,
            kind::COLLECTION_CHECK,
            kind::CONTRACT,
            kind::CONTRACT_PAGE,
            kind::DATASET,
            kind::DATASET_PAGE,
            kind::DEMAND,
            kind::DEMAND_PAGE,
            kind::DISPUTE,
            kind::DISPUTE_PAGE,
            kind::DUTIES,
            kind::DUTY_GAPS,
            kind::EMERGENCY,
            kind::EMERGENCY_PAGE,
            kind::EXPLAINED_DEADLINE,
            kind::EXPLAINED_RULE,
            kind::LATE_LAW,
            kind::LOADED_CALENDAR,
            kind::LOADED_PACK,
            kind::MIXED_REQUEST,
            kind::OBJECTION,
            kind::OBJECTION_PAGE,
            kind::ORPHAN_PAGE,
            kind::OUTAGE,
            kind::OUTAGE_PAGE,
            kind::OUTAGE_RULING,
            kind::OUTAGE_RULING_PAGE,
            kind::PACK_CHECK,
            kind::PENDING_WORK,
            kind::PERSONAL_OBJECTION,
            kind::PERSONAL_OBJECTION_PAGE,
            kind::PLATFORM,
            kind::PLATFORM_PAGE,
            kind::PROJECT,
            kind::PROJECT_PAGE,
            kind::PROPOSED_EDITS,
            kind::PUNCTUALITY,
            kind::PURCHASE,
            kind::PURCHASE_PAGE,
            kind::REPORT,
            kind::REPORT_PAGE,
            kind::RULE_LIST,
            kind::RULING,
            kind::RULING_PAGE,
            kind::SEPARATION,
            kind::SERVICE_CHANGE,
            kind::SERVICE_CHANGE_PAGE,
            kind::SHARER_PAGE,
            kind::SOURCE,
            kind::SOURCE_PAGE,
            kind::TRACE,
            kind::TRANSFER,
            kind::TRANSFER_PAGE,
            kind::USE_ANSWER,
            kind::USE_RECORD,
            kind::USE_RECORD_PAGE,
            kind::WHAT_IF,
        ] {
            assert_eq!(descriptor(name).full_name(), name);
        }
    }

    #[test]
    fn times_and_numbers_read_naturally() {
        let status = GetStatusResponse {
            term: 7,
            clock: Some(Timestamp { seconds: 1_789_952_400, nanos: 0 }),
            ..Default::default()
        };
        let value = to_json(kind::STATUS, &status).unwrap();
        assert_eq!(value, serde_json::json!({"clock": "2026-09-21T01:00:00Z", "term": 7}));
    }

    #[test]
    fn both_spellings_are_read_and_a_wrong_name_is_refused() {
        let text = r#"{"title":"甲","titleEn":"A","duty_basis":"三定","version":"3"}"#;
        let entry: CatalogEntry = from_json(kind::CATALOG_ENTRY, text).unwrap();
        assert_eq!(
            (entry.title_en.as_str(), entry.duty_basis.as_str(), entry.version),
            ("A", "三定", 3)
        );
        let error =
            from_json::<CatalogEntry>(kind::CATALOG_ENTRY, r#"{"titel":"甲"}"#).unwrap_err();
        assert!(error.to_string().contains("titel"), "{error}");
        from_json::<CatalogEntry>(kind::CATALOG_ENTRY, "{} {}").unwrap_err();
    }
}
