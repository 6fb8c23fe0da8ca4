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
    /// A receipt.
    pub const RECEIPT: &str = "luqiao.ledger.v1.Receipt";
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
            kind::ORGANIZATION,
            kind::PERSON,
            kind::SYSTEM,
            kind::SHARE_REQUEST,
            kind::CONSENT,
            kind::GRANT,
            kind::RECEIPT,
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
