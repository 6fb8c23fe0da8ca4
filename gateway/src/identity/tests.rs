use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

use catalog_model::reason::Lang;
use http::{HeaderMap, HeaderValue};
use luqiao_transport::{
    identity::{Holder, PeerCertificate},
    timeout::CallBudget,
};

use super::*;
use crate::method::Method;

const ORGANIZATION: &str = "01JD0000000000000000000001";
const SYSTEM: &str = "01JD0000000000000000000002";
const SOMEONE: &str = "01JD0000000000000000000003";

const GET: &str = "/luqiao.catalog.v1.CatalogService/GetEntry";
const RETRIEVED: &str = "/luqiao.sharing.v1.GrantService/RecordRetrieval";
const FOLLOW: &str = "/luqiao.federation.v1.FederationService/FollowFeed";

/// Xiamen, with links to Fujian and Siming, and one certificate of the government's own CA.
fn registry() -> Registry {
    let mut table = CertificateTable::new();
    let system = format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/system/{SYSTEM}");
    table.add("CN=gov", Holder::Serial("5f:01".to_owned()), system.parse().unwrap()).unwrap();
    Registry {
        domain: "xiamen".parse().unwrap(),
        peers: BTreeSet::from(["fujian".parse().unwrap(), "siming".parse().unwrap()]),
        table,
    }
}

fn certificate(spiffe: Option<&str>) -> PeerCertificate {
    PeerCertificate {
        chain: Vec::new(),
        subject: "CN=somebody".to_owned(),
        issuer: "CN=gov".to_owned(),
        serial: "99".to_owned(),
        not_after_seconds: 0,
        spiffe: spiffe.map(|text| text.parse().expect(text)),
    }
}

fn received(
    method: &str,
    certificate: Option<PeerCertificate>,
    metadata: &[(&'static str, &str)],
) -> Received {
    let mut headers = HeaderMap::new();
    for (key, value) in metadata {
        headers.append(*key, HeaderValue::from_str(value).unwrap());
    }
    Received {
        method: Method::find(method).expect(method),
        certificate: certificate.map(Arc::new),
        headers,
        lang: Lang::En,
        budget: CallBudget::UNBOUNDED,
        received_at: SystemTime::UNIX_EPOCH,
    }
}

fn identified(method: &str, spiffe: &str, metadata: &[(&'static str, &str)]) -> String {
    match identify(&registry(), received(method, Some(certificate(Some(spiffe))), metadata)) {
        Ok(identified) => identified.caller().to_string(),
        Err(error) => match error {
            NotIdentified::NoCertificate => "no certificate".to_owned(),
            NotIdentified::Unknown { .. } => "unknown".to_owned(),
            NotIdentified::Foreign { domain, .. } => format!("foreign: {domain}"),
            NotIdentified::WrongKind { needed, .. } => format!("needs {needed}"),
            NotIdentified::PersonMalformed { .. } => "person malformed".to_owned(),
            NotIdentified::Loop { domain } => format!("loop: {domain}"),
        },
    }
}

#[test]
fn the_certificate_says_who_calls() {
    let system = format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/system/{SYSTEM}");
    let person = format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/person/{SOMEONE}");
    let stranger = format!("spiffe://siming.luqiao/organization/{ORGANIZATION}/system/{SYSTEM}");
    let gateway = "the gateway of another domain";
    let department = "a person or system of an organization";
    for (method, name, expected) in [
        (GET, &*system, format!("xiamen/organizations/{ORGANIZATION}/systems/{SYSTEM}")),
        (GET, &person, format!("xiamen/organizations/{ORGANIZATION}/persons/{SOMEONE}")),
        (GET, &stranger, "foreign: siming".to_owned()),
        (GET, "spiffe://xiamen.luqiao/gateway/gw-1", format!("needs {department}")),
        (GET, "spiffe://xiamen.luqiao/node/1", format!("needs {department}")),
        (GET, "spiffe://fujian.luqiao/gateway/gw-1", "foreign: fujian".to_owned()),
        (FOLLOW, "spiffe://fujian.luqiao/gateway/gw-1", "fujian/gateways/gw-1".to_owned()),
        (FOLLOW, "spiffe://siming.luqiao/gateway/a", "siming/gateways/a".to_owned()),
        // A gateway, but of a domain that we have no link with.
        (FOLLOW, "spiffe://fuzhou.luqiao/gateway/a", "foreign: fuzhou".to_owned()),
        (FOLLOW, "spiffe://fujian.luqiao/node/1", "foreign: fujian".to_owned()),
        (FOLLOW, &stranger, "foreign: siming".to_owned()),
        (FOLLOW, &system, format!("needs {gateway}")),
        (FOLLOW, "spiffe://xiamen.luqiao/gateway/gw-2", format!("needs {gateway}")),
        // Through our own gateways data pass.
        (RETRIEVED, "spiffe://xiamen.luqiao/gateway/gw-1", "xiamen/gateways/gw-1".to_owned()),
        (RETRIEVED, &system, format!("xiamen/organizations/{ORGANIZATION}/systems/{SYSTEM}")),
        (RETRIEVED, "spiffe://fujian.luqiao/gateway/gw-1", "foreign: fujian".to_owned()),
        (RETRIEVED, "spiffe://xiamen.luqiao/node/1", format!("needs {department}")),
    ] {
        assert_eq!(identified(method, name, &[]), expected, "{name} calls {method}");
    }
}

#[test]
fn without_a_certificate_nobody_calls() {
    let error = identify(&registry(), received(GET, None, &[])).unwrap_err();
    assert_eq!(error, NotIdentified::NoCertificate);
}

#[test]
fn a_certificate_of_another_authority_stands_for_whom_the_table_says() {
    let in_table = PeerCertificate { serial: "5f01".to_owned(), ..certificate(None) };
    let known = identify(&registry(), received(GET, Some(in_table), &[])).unwrap();
    assert_eq!(
        known.caller().to_string(),
        format!("xiamen/organizations/{ORGANIZATION}/systems/{SYSTEM}")
    );
    let error = identify(&registry(), received(GET, Some(certificate(None)), &[])).unwrap_err();
    assert!(matches!(error, NotIdentified::Unknown { subject, .. } if subject == "CN=somebody"));
}

#[test]
fn a_system_may_say_for_whom_it_acts_and_nobody_else() {
    let system = format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/system/{SYSTEM}");
    let person = format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/person/{SOMEONE}");
    let asserted = format!(
        "xiamen/organizations/{ORGANIZATION}/persons/{SOMEONE} asserted by system {SYSTEM}"
    );
    let full = |domain: &str, organization: &str| {
        format!("domains/{domain}/organizations/{organization}/persons/{SOMEONE}")
    };
    let alone = "needs a system, which alone may assert a person";
    for (name, header, expected) in [
        (&system, SOMEONE.to_owned(), &*asserted),
        (&system, full("xiamen", ORGANIZATION), &asserted),
        (&system, full("xiamen", SYSTEM), "person malformed"),
        (&system, full("siming", ORGANIZATION), "person malformed"),
        (&system, format!("domains/xiamen/entries/{SOMEONE}"), "person malformed"),
        (&system, "张三".to_owned(), "person malformed"),
        (&system, String::new(), "person malformed"),
        (&person, SOMEONE.to_owned(), alone),
    ] {
        assert_eq!(identified(GET, name, &[(PERSON, &header)]), expected, "{name}: {header}");
    }
}

#[test]
fn a_call_that_passed_a_domain_twice_is_stopped() {
    let gateway = "spiffe://fujian.luqiao/gateway/gw-1";
    let goes = "fujian/gateways/gw-1";
    for (paths, expected) in [
        (&["fujian"][..], goes),
        (&["fuzhou, fujian"], goes),
        (&["xiamen, fujian"], "loop: xiamen"),
        (&["siming, fujian, siming"], "loop: siming"),
        (&["siming", "siming"], "loop: siming"),
    ] {
        let metadata: Vec<_> = paths.iter().map(|path| (loop_guard::PATH, *path)).collect();
        assert_eq!(identified(FOLLOW, gateway, &metadata), expected, "{paths:?}");
    }
}
