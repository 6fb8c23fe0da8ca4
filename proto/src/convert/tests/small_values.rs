//! Etags, instants, days, names, callers.

use catalog_model::{
    caller::{Caller, Identity},
    ids::{OrganizationId, PersonId, SystemId},
    reason::Reason,
    time::UtcMillis,
};
use prost_types::Timestamp;

use super::{
    values::{day, domain, id},
    wrong,
};
use crate::{
    convert::{caller::*, etag, name::*, parse_etag, stated, time::*},
    node::v1 as node,
};

#[test]
fn etags_have_one_form() {
    assert_eq!(etag(7), "\"v7\"");
    for (text, version) in [
        ("\"v7\"", Some(7)),
        ("v7", Some(7)),
        ("\"v18446744073709551615\"", Some(u64::MAX)),
        ("\"v18446744073709551616\"", None),
        ("", None),
        ("\"\"", None),
        ("\"", None),
        ("7", None),
        ("\"v7", None),
        ("v7\"", None),
        ("v", None),
        ("v+7", None),
        ("v07", None),
        ("v-1", None),
        ("W/\"v7\"", None),
        ("版7", None),
    ] {
        assert_eq!(parse_etag(text), version, "{text}");
    }
}

#[test]
fn instants_and_days() {
    let read = |seconds, nanos| read_timestamp(Some(&Timestamp { seconds, nanos }), "time");
    assert_eq!(timestamp(UtcMillis(1_234)), Timestamp { seconds: 1, nanos: 234_000_000 });
    assert_eq!(read(1, 234_999_999), Ok(UtcMillis(1_234)));
    assert_eq!(read(0, 0), Ok(UtcMillis(0)));
    assert_eq!(read(253_402_300_799, 999_999_999), Ok(UtcMillis(253_402_300_799_999)));
    for (seconds, nanos) in [
        (-1, 0),
        (0, -1),
        (0, 1_000_000_000),
        (253_402_300_800, 0),
        (i64::MAX, 0),
        (i64::MIN, i32::MIN),
    ] {
        assert_eq!(wrong(read(seconds, nanos)), ["time"], "{seconds} {nanos}");
    }
    assert_eq!(wrong(read_timestamp(None, "time")), ["time"]);

    assert_eq!(read_date("2026-09-21", "date"), Ok(day("2026-09-21")));
    assert!(read_date("2024-02-29", "date").is_ok());
    for text in [
        "",
        "2026-9-21",
        "2026-02-29",
        "2026-13-01",
        "20260921",
        "2026/09/21",
        "2026-09-21T00",
        "0001-01-01",
        "1899-12-31",
        "明天",
        "+002026-01",
        "2026-W38-1",
    ] {
        assert_eq!(wrong(read_date(text, "date")), ["date"], "{text}");
    }
}

#[test]
fn names_of_another_kind_are_refused() {
    let ulid = OrganizationId::from_bytes(id(2)).to_string();
    let entry = format!("domains/xiamen/entries/{ulid}");
    let person = format!("domains/xiamen/organizations/{ulid}/persons/{ulid}");
    let system = format!("domains/xiamen/organizations/{ulid}/systems/{ulid}");
    assert_eq!(entry_name(&entry, "name").unwrap().0, domain("xiamen"));
    assert_eq!(domain_name("domains/xiamen", "parent"), Ok(domain("xiamen")));
    assert_eq!(system_name(&system, "system").unwrap().1, OrganizationId::from_bytes(id(2)));
    assert_eq!(person_name(&person, "person").unwrap().2, PersonId::from_bytes(id(2)));

    let refused = [
        entry_name(&person, "name").unwrap_err(),
        request_name(&entry, "name").unwrap_err(),
        grant_name(&entry, "name").unwrap_err(),
        organization_name(&system, "name").unwrap_err(),
        person_name(&system, "name").unwrap_err(),
        system_name(&person, "name").unwrap_err(),
        domain_name(&entry, "name").unwrap_err(),
        domain_name("domains/-", "name").unwrap_err(),
        resource_name("", "name").unwrap_err(),
        resource_name(&"域".repeat(100_000), "name").unwrap_err(),
    ];
    for refusal in refused {
        assert_eq!(refusal.reason, Reason::NameInvalid);
        assert_eq!(refusal.fields[0].field, "name");
        assert!(refusal.facts["name"].chars().count() <= 121, "the whole text is repeated");
    }
}

#[test]
fn callers_are_one_identity_in_full() {
    let organization = OrganizationId::from_bytes(id(2));
    let (person, system) = (PersonId::from_bytes(id(3)), SystemId::from_bytes(id(4)));
    for identity in [
        Identity::Person { organization, person },
        Identity::System { organization, system, asserted_person: None },
        Identity::System { organization, system, asserted_person: Some(person) },
        Identity::Gateway { id: "gw-1".into() },
        Identity::Node { id: "n1".into() },
    ] {
        let caller = Caller { domain: domain("xiamen"), identity };
        assert_eq!(read_caller(&caller_message(&caller), "caller"), Ok(caller));
    }

    let whole = node::Caller {
        domain: "xiamen".into(),
        organization: organization.to_string(),
        system: system.to_string(),
        person: person.to_string(),
        ..Default::default()
    };
    for (caller, fields) in [
        (node::Caller::default(), vec!["caller.domain", "caller"]),
        (node::Caller { gateway: "gw-1".into(), ..whole.clone() }, vec!["caller"]),
        (node::Caller { node: "n1".into(), ..whole.clone() }, vec!["caller"]),
        (
            node::Caller { organization: String::new(), ..whole.clone() },
            vec!["caller.organization"],
        ),
        (
            node::Caller { system: "x".into(), person: "y".into(), ..whole.clone() },
            vec!["caller.system", "caller.person"],
        ),
        (
            node::Caller { system: String::new(), person: String::new(), ..whole },
            vec!["caller.person"],
        ),
    ] {
        assert_eq!(wrong(read_caller(&caller, "caller")), fields, "{caller:?}");
    }
}

#[test]
fn a_message_that_is_not_stated_is_named() {
    assert_eq!(stated(Some(&1), "entry"), Ok(&1));
    assert_eq!(wrong(stated(None::<&i32>, "entry")), ["entry"]);
}
