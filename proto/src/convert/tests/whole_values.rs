//! Whole values between domains: nothing is lost, nothing half is taken.

use catalog_model::{
    catalog_entry::{EntryContent, EntryOrigin},
    share_request::ShareRequestState,
    sharing::SharingAttribute,
};
use prost::Message as _;
use prost_types::FileDescriptorSet;

use super::{
    values::{self, at},
    wrong,
};
use crate::{
    FILE_DESCRIPTOR_SET,
    catalog::v1 as catalog,
    convert::{catalog_entry::*, grant::*, share_request::*},
    sharing::v1 as sharing,
};

#[test]
fn whole_values_come_back_from_their_messages() {
    let entry = values::entry();
    let sent = entry_message(&entry).encode_to_vec();
    let arrived = catalog::CatalogEntry::decode(&sent[..]).unwrap();
    assert_eq!(read_entry(&arrived, "entry"), Ok(entry));

    let request = values::request();
    for clock in [at(0), at(1_000_000)] {
        let sent = request_message(&request, clock).encode_to_vec();
        let arrived = sharing::ShareRequest::decode(&sent[..]).unwrap();
        assert_eq!(read_request(&arrived, "request"), Ok(request.clone()));
    }

    let grant = values::grant();
    let sent = grant_message(&grant).encode_to_vec();
    let arrived = sharing::Grant::decode(&sent[..]).unwrap();
    assert_eq!(read_grant(&arrived, "grant"), Ok(grant));
}

#[test]
fn values_with_nothing_optional_come_back_too() {
    let mut entry = values::entry();
    entry.content = EntryContent { title: "仅名称".into(), ..Default::default() };
    entry.origin = EntryOrigin::Registered;
    entry.published_time = None;
    entry.provider_class = None;
    for sharing in [
        None,
        Some(SharingAttribute::Unconditional),
        Some(SharingAttribute::NotShared { reason: "涉密".into(), basis: None }),
    ] {
        entry.content.sharing = sharing;
        assert_eq!(read_entry(&entry_message(&entry), ""), Ok(entry.clone()));
    }

    let mut request = values::request();
    request.state = ShareRequestState::Forwarded;
    request.received_time = None;
    request.rules = None;
    request.answer_clock = None;
    request.opinions.clear();
    request.completion = None;
    request.extensions.clear();
    request.overdue = None;
    request.answer = None;
    request.grant = None;
    request.granted = None;
    request.content.method = None;
    request.content.term = None;
    request.content.rate_per_day = None;
    request.content.renews = None;
    request.requester.class = None;
    assert_eq!(read_request(&request_message(&request, at(0)), ""), Ok(request));

    let mut grant = values::grant();
    grant.rate_per_day = None;
    for course in [None, Some(Box::default())] {
        grant.course = course;
        assert_eq!(read_grant(&grant_message(&grant), ""), Ok(grant.clone()));
    }
}

#[test]
fn what_is_wrong_with_a_course_is_named_where_it_stands() {
    let mut grant = grant_message(&values::grant());
    let course = grant.course.as_mut().unwrap();
    course.offer.as_mut().unwrap().method = 0;
    course.delivery.as_mut().unwrap().rule = None;
    course.rectification.as_mut().unwrap().evidence = vec![1; 31].into();
    course.service.as_mut().unwrap().change = "domains/xiamen/grants/1".into();
    course.wider_uses[0].kind = 77;
    assert_eq!(
        wrong(read_grant(&grant, "grant")),
        [
            "grant.course.offer.method",
            "grant.course.delivery.rule",
            "grant.course.rectification.evidence",
            "grant.course.service.change",
            "grant.course.wider_uses[0].kind",
        ]
    );
}

/// A message field that a fully filled value leaves at its default would be lost unseen.
#[test]
fn the_filled_values_fill_every_field_of_their_messages() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let full = |message: &str, bytes: &[u8], but: &[&str]| {
        let declared = set
            .file
            .iter()
            .flat_map(|file| &file.message_type)
            .find(|declared| declared.name() == message)
            .unwrap();
        let present = tags(bytes);
        for field in &declared.field {
            let expected = !but.contains(&field.name());
            assert_eq!(present.contains(&field.number()), expected, "{message}.{}", field.name());
        }
    };
    let entry = entry_message(&values::entry());
    // Nothing is missing in it.
    full("CatalogEntry", &entry.encode_to_vec(), &["gaps"]);
    // Conditional: no reason not to share.
    full("SharingAttribute", &entry.sharing.unwrap().encode_to_vec(), &["reason"]);
    let request = request_message(&values::request(), at(0));
    full("ShareRequest", &request.encode_to_vec(), &[]);
    full("CaseRules", &request.rules.unwrap().encode_to_vec(), &[]);
    // An answered case is not overdue any more.
    full("Deadline", &request.deadline.unwrap().encode_to_vec(), &["overdue"]);
    full("GivenAnswer", &request.answer.unwrap().encode_to_vec(), &[]);
    full("Opinion", &request.opinions[0].encode_to_vec(), &[]);
    full("Completion", &request.completion.unwrap().encode_to_vec(), &[]);
    full("Extension", &request.extensions[0].encode_to_vec(), &[]);
    full("OverdueMark", &request.overdue.unwrap().encode_to_vec(), &[]);
    let grant = grant_message(&values::grant());
    full("Grant", &grant.encode_to_vec(), &[]);
    let course = grant.course.unwrap();
    full("GrantCourse", &course.encode_to_vec(), &[]);
    full("DeliveryOffer", &course.offer.unwrap().encode_to_vec(), &[]);
    full("Delivery", &course.delivery.unwrap().encode_to_vec(), &[]);
    let rectification = course.rectification.unwrap();
    full("Rectification", &rectification.encode_to_vec(), &[]);
    full("RectificationReport", &rectification.report.unwrap().encode_to_vec(), &[]);
    full("Judgement", &rectification.judgement.unwrap().encode_to_vec(), &[]);
    full("PurposeEnd", &course.purpose_end.unwrap().encode_to_vec(), &[]);
    full("DisposalRequirement", &course.disposal_requirement.unwrap().encode_to_vec(), &[]);
    full("DisposalProof", &course.disposal.unwrap().encode_to_vec(), &[]);
    full("UseAgreement", &course.agreement.unwrap().encode_to_vec(), &[]);
    full("ServiceNotice", &course.service.unwrap().encode_to_vec(), &[]);
    full("WiderUse", &course.wider_uses[0].encode_to_vec(), &[]);
}

/// The field numbers at the top of an encoded message.
fn tags(mut bytes: &[u8]) -> Vec<i32> {
    use prost::encoding::{DecodeContext, decode_key, skip_field};
    let mut tags = Vec::new();
    while !bytes.is_empty() {
        let (tag, wire) = decode_key(&mut bytes).unwrap();
        skip_field(wire, tag, &mut bytes, DecodeContext::default()).unwrap();
        tags.push(i32::try_from(tag).unwrap());
    }
    tags
}

#[test]
fn a_foreign_entry_belongs_to_one_domain() {
    let mut entry = entry_message(&values::entry());
    entry.name = entry.name.replace("xiamen", "siming");
    let fields = wrong(read_entry(&entry, "entry"));
    assert_eq!(fields, ["entry.provider"]);
}

#[test]
fn persons_and_systems_of_a_foreign_case_belong_to_its_parties() {
    let case = request_message(&values::request(), at(0));
    let mut moved = case.clone();
    moved.system = case.system.replace("siming", "xiamen");
    moved.opinions[0].person = case.answer.as_ref().unwrap().person.replace("xiamen", "siming");
    assert_eq!(
        wrong(read_request(&moved, "request")),
        ["request.system", "request.opinions[0].person"]
    );
}

#[test]
fn a_foreign_case_has_to_be_whole() {
    let fields = wrong(read_request(&sharing::ShareRequest::default(), "request"));
    for field in [
        "name",
        "owner_domain",
        "requester",
        "provider",
        "entry",
        "system",
        "sharing",
        "state",
        "etag",
        "create_time",
        "update_time",
    ] {
        assert!(fields.contains(&format!("request.{field}")), "{field} of {fields:?}");
    }
    let mut case = request_message(&values::request(), at(0));
    case.deadline.as_mut().unwrap().working_days = 70_000;
    case.rules.as_mut().unwrap().decider_rule = None;
    case.extensions[0].rule.as_mut().unwrap().id.clear();
    assert_eq!(
        wrong(read_request(&case, "request")),
        [
            "request.rules.decider_rule",
            "request.deadline.working_days",
            "request.extensions[0].rule.id"
        ]
    );

    let fields = wrong(read_grant(&sharing::Grant::default(), "grant"));
    assert!(fields.contains(&"grant.term".to_owned()) && fields.contains(&"grant.etag".to_owned()));
}
