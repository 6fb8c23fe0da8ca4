use std::collections::{BTreeMap, BTreeSet};

use catalog_model::reason::Reason;
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

use super::*;
use crate::{FILE_DESCRIPTOR_SET, catalog::v1 as catalog, organization::v1 as organization};

/// Packages that never leave a domain: no method of theirs is public.
const INTERNAL: [&str; 2] = ["luqiao.node.v1", "luqiao.peer.v1"];

struct Declared {
    server_streaming: bool,
    client_streaming: bool,
    request: DescriptorProto,
}

/// Every message by full name, every method of the public packages by path.
fn declared() -> (BTreeMap<String, DescriptorProto>, BTreeMap<String, Declared>) {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("our own descriptors");
    let mut messages = BTreeMap::new();
    for file in &set.file {
        for message in &file.message_type {
            messages.insert(format!(".{}.{}", file.package(), message.name()), message.clone());
        }
    }
    let mut methods = BTreeMap::new();
    for file in set.file.iter().filter(|file| !INTERNAL.contains(&file.package())) {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                let declared = Declared {
                    server_streaming: method.server_streaming(),
                    client_streaming: method.client_streaming(),
                    request: messages[method.input_type()].clone(),
                };
                methods.insert(path, declared);
            }
        }
    }
    (messages, methods)
}

fn field<'a>(
    message: &'a DescriptorProto,
    name: &str,
) -> Option<&'a prost_types::FieldDescriptorProto> {
    message.field.iter().find(|field| field.name() == name)
}

#[test]
fn every_public_method_has_its_row_and_no_row_is_left_over() {
    let rows: BTreeSet<&str> = METHODS.iter().map(|method| method.path).collect();
    let (_, declared) = declared();
    let declared: BTreeSet<&str> = declared.keys().map(String::as_str).collect();
    assert_eq!(rows, declared);
    assert_eq!(rows.len(), METHODS.len(), "a path has two rows");
}

#[test]
fn rows_say_what_the_protocol_files_say() {
    let (messages, declared) = declared();
    for row in METHODS {
        let method = &declared[row.path];
        let streams = (method.client_streaming, method.server_streaming);
        let expected = match row.kind {
            MethodKind::Read | MethodKind::Write => (false, false),
            MethodKind::ServerStream => (false, true),
            MethodKind::ClientStream => (true, false),
            MethodKind::Bidi => (true, true),
        };
        assert_eq!(streams, expected, "{}", row.path);

        // What changes something and may be repeated has to carry a key; a question has none.
        let keyed = ["request_id", "idempotency_key"]
            .iter()
            .any(|key| field(&method.request, key).is_some());
        let changes =
            matches!(row.kind, MethodKind::Write | MethodKind::ClientStream | MethodKind::Bidi);
        if changes {
            assert_eq!(row.safe_to_retry, keyed, "{}", row.path);
        } else {
            assert!(row.safe_to_retry && !keyed, "{}", row.path);
        }

        // The routing field is there, is the first one, and is a text.
        let Some(path) = row.routing.path() else { continue };
        let (outer, inner) = path.split_once('.').unwrap_or((path, ""));
        let first =
            field(&method.request, outer).unwrap_or_else(|| panic!("{} has no {path}", row.path));
        assert_eq!(first.number(), 1, "{} {path}", row.path);
        let text = if inner.is_empty() {
            first.clone()
        } else {
            field(&messages[first.type_name()], inner).expect("the name").clone()
        };
        assert_eq!((text.number(), text.r#type()), (1, Type::String), "{} {path}", row.path);
    }
}

#[test]
fn a_method_without_routing_field_has_no_domain_in_its_request() {
    let (_, declared) = declared();
    for row in METHODS.iter().filter(|row| row.routing == RoutingField::None) {
        let request = &declared[row.path].request;
        assert!(field(request, "parent").is_none(), "{}", row.path);
        // Rule packs and calendars are named, but not within a domain.
        let named = field(request, "name").is_some();
        assert_eq!(
            named,
            row.service() == "luqiao.rule.v1.RuleService" && row.path.contains("/Get"),
            "{}",
            row.path
        );
    }
}

fn named(path: &str, call: &impl prost::Message) -> Result<Option<String>, Refusal> {
    let name = routing_name(method(path)?, &call.encode_to_vec())?;
    Ok(name.map(|name| name.to_string()))
}

#[test]
fn names_are_read_from_the_bytes_of_the_call() {
    const ID: &str = "01J8Z3F5N6P7Q8R9S0T1V2W3X4";
    let entry = format!("domains/xiamen/entries/{ID}");
    let unit = format!("domains/xiamen/organizations/{ID}");
    let get = "/luqiao.catalog.v1.CatalogService/GetEntry";
    let call = catalog::GetEntryRequest { name: entry.clone(), view: 2 };
    assert_eq!(named(get, &call), Ok(Some(entry.clone())));

    let call = catalog::UpdateEntryRequest {
        entry: Some(catalog::CatalogEntry {
            name: entry.clone(),
            title: "排水管网".into(),
            etag: "\"v3\"".into(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["title".into()] }),
        request_id: "7".into(),
    };
    assert_eq!(named("/luqiao.catalog.v1.CatalogService/UpdateEntry", &call), Ok(Some(entry)));

    let call = organization::UpdateOrganizationRequest {
        organization: Some(organization::Organization { name: unit.clone(), ..Default::default() }),
        ..Default::default()
    };
    let update = "/luqiao.organization.v1.OrganizationService/UpdateOrganization";
    assert_eq!(named(update, &call), Ok(Some(unit.clone())));

    let call = organization::CreatePersonRequest { parent: unit.clone(), ..Default::default() };
    let create = "/luqiao.organization.v1.OrganizationService/CreatePerson";
    assert_eq!(named(create, &call), Ok(Some(unit)));

    let call = crate::rule::v1::GetCalendarRequest { name: "calendars/current".into() };
    assert_eq!(named("/luqiao.rule.v1.RuleService/GetCalendar", &call), Ok(None));
}

#[test]
fn every_domain_can_be_listed_and_searched_but_nothing_else() {
    let list = catalog::ListEntriesRequest { parent: "domains/-".into(), ..Default::default() };
    let path = "/luqiao.catalog.v1.CatalogService/ListEntries";
    let row = method(path).expect("a row");
    assert_eq!(routing_name(row, &list.encode_to_vec()), Ok(Some(RoutingName::EveryDomain)));

    let watch = catalog::WatchEntriesRequest { parent: "domains/-".into(), after_index: 0 };
    let refused = named("/luqiao.catalog.v1.CatalogService/WatchEntries", &watch).unwrap_err();
    assert_eq!(refused.reason, Reason::NameInvalid);
    assert_eq!(refused.fields[0].field, "parent");
}

#[test]
fn what_cannot_be_routed_is_refused_with_its_reason() {
    let get = method("/luqiao.catalog.v1.CatalogService/GetEntry").expect("a row");
    let update = method("/luqiao.catalog.v1.CatalogService/UpdateEntry").expect("a row");
    let refused = |row, call: &[u8]| {
        let refusal = routing_name(row, call).unwrap_err();
        (refusal.reason, refusal.fields.first().map(|wrong| wrong.field.clone()))
    };
    let name = |field: &str| (Reason::NameInvalid, Some(field.to_owned()));
    // Nothing stated at all.
    assert_eq!(refused(get, b""), name("name"));
    assert_eq!(refused(update, b""), name("entry.name"));
    // A name that is none.
    assert_eq!(refused(get, b"\x0a\x03abc"), name("name"));
    // Cut off; not UTF-8; a number where a text belongs.
    for call in [&b"\x0a\x09abc"[..], b"\x0a\x02\xff\xfe", b"\x08\x01"] {
        assert_eq!(refused(get, call), (Reason::MessageMalformed, None), "{call:?}");
    }

    let unknown = method("/luqiao.node.v1.NodeService/Call").unwrap_err();
    assert_eq!(unknown.reason, Reason::MethodUnknown);
}

proptest::proptest! {
    /// The short way of reading agrees with decoding the whole request, whenever that succeeds.
    #[test]
    fn routing_agrees_with_full_decoding(
        domain in "[a-z][a-z0-9-]{0,8}",
        tail in proptest::collection::vec(0_u8.., 0..40),
        cut in 0_usize..64,
    ) {
        let mut call = catalog::WithdrawEntryRequest {
            name: format!("domains/{domain}"),
            etag: "\"v1\"".into(),
            reason: "重复".into(),
            request_id: "9".into(),
        }
        .encode_to_vec();
        call.truncate(call.len().saturating_sub(cut / 2));
        call.extend(&tail);
        let row = method("/luqiao.catalog.v1.CatalogService/WithdrawEntry").expect("a row");
        let read = routing_name(row, &call);
        if let Ok(full) = catalog::WithdrawEntryRequest::decode(call.as_slice()) {
            if let Ok(name) = full.name.parse::<ResourceName>() {
                proptest::prop_assert_eq!(read, Ok(Some(RoutingName::Resource(name))));
            } else {
                proptest::prop_assert_eq!(read.unwrap_err().reason, Reason::NameInvalid);
            }
        }
    }
}
