use rcgen::{CertificateParams, DnType, KeyPair, SanType, SerialNumber};
use rustls_pki_types::CertificateDer;

use super::{
    CertificateRefused, CertificateTable, Holder, InstanceId, PeerCertificate, SpiffeId, Subject,
    TableError,
};

const ORGANIZATION: &str = "01J8ZQ4T9N5W6X7Y8Z0A1B2C3D";
const OTHER: &str = "01J8ZQ4T9N5W6X7Y8Z0A1B2C3E";

fn certificate(uris: &[&str], serial: &[u8]) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.subject_alt_names.extend(uris.iter().map(|u| SanType::URI((*u).try_into().unwrap())));
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.distinguished_name.push(DnType::CountryName, "CN");
    params.distinguished_name.push(DnType::OrganizationName, "思明区数据局");
    params.distinguished_name.push(DnType::CommonName, "case-system");
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

fn read(uris: &[&str]) -> Result<PeerCertificate, CertificateRefused> {
    PeerCertificate::read(&[certificate(uris, &[0x0a, 0xb1])])
}

#[test]
fn names_read_back_as_they_were_written() {
    let table = [
        format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/person/{OTHER}"),
        format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/system/{OTHER}"),
        "spiffe://fujian.luqiao/gateway/gw-north-1".to_owned(),
        "spiffe://siming-district.luqiao/node/2".to_owned(),
    ];
    for text in table {
        let id: SpiffeId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
    }

    let id: SpiffeId = "spiffe://fujian.luqiao/gateway/a".parse().unwrap();
    assert_eq!(id.subject, Subject::Gateway { id: "a".parse().unwrap() });
    let (fujian, xiamen) = ("fujian".parse().unwrap(), "xiamen".parse().unwrap());
    assert!(id.is_gateway_of(&fujian) && !id.is_gateway_of(&xiamen) && !id.is_node_of(&fujian));
}

#[test]
fn malformed_names_are_not_names() {
    let lower = ORGANIZATION.to_lowercase();
    let table = [
        "",
        "spiffe://",
        "spiffe://xiamen.luqiao",
        "spiffe://xiamen.luqiao/",
        "spiffe://xiamen.luqiao/node",
        "spiffe://xiamen.luqiao/node/",
        "spiffe://xiamen.luqiao/node/1/",
        "spiffe://xiamen.luqiao//node/1",
        "spiffe://xiamen.luqiao/node/1?x",
        "spiffe://xiamen.luqiao/node/1#x",
        "spiffe://xiamen.luqiao/node/%31",
        "spiffe://xiamen.luqiao/node/-1",
        "spiffe://xiamen.luqiao/Node/1",
        "spiffe://xiamen.luqiao:443/node/1",
        "spiffe://root@xiamen.luqiao/node/1",
        "spiffe://Xiamen.luqiao/node/1",
        "spiffe://.luqiao/node/1",
        "spiffe://a.b.luqiao/node/1",
        "spiffe://xiamen.example/node/1",
        "SPIFFE://xiamen.luqiao/node/1",
        "https://xiamen.luqiao/node/1",
        "spiffe://xiamen.luqiao/organization/1/system/2",
        &format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}"),
        &format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/device/{OTHER}"),
        &format!("spiffe://xiamen.luqiao/organization/{lower}/system/{OTHER}"),
    ];
    for text in table {
        assert!(text.parse::<SpiffeId>().is_err(), "{text:?}");
    }
    assert!("a".repeat(63).parse::<InstanceId>().is_ok());
    assert!("a".repeat(64).parse::<InstanceId>().is_err());
}

#[test]
fn a_certificate_tells_who_holds_it() {
    let certificate = read(&["spiffe://xiamen.luqiao/node/1"]).unwrap();
    assert_eq!(certificate.spiffe, Some("spiffe://xiamen.luqiao/node/1".parse().unwrap()));
    assert_eq!(certificate.serial, "ab1");
    assert_eq!(certificate.subject, certificate.issuer, "it is self-signed");
    assert!(certificate.subject.contains("CN=case-system"), "{}", certificate.subject);
    assert!(certificate.subject.contains("思明区数据局"), "{}", certificate.subject);
    assert!(certificate.not_after_seconds > 0);
    assert_eq!(certificate.chain.len(), 1);
}

#[test]
fn a_certificate_without_a_name_of_ours_names_nobody_by_itself() {
    for uris in [
        &[][..],
        &["https://example.org/x"],
        &["spiffe://example.org/node/1"],
        &["https://example.org/x", "https://example.org/y"],
        &["spiffe://evilluqiao/node/1"],
    ] {
        assert_eq!(read(uris).unwrap().spiffe, None, "{uris:?}");
    }
}

#[test]
fn a_certificate_that_claims_a_name_of_ours_must_be_exact() {
    let good = "spiffe://xiamen.luqiao/node/1";
    for uris in [&[good, "https://example.org"][..], &[good, good], &["urn:x", good, "urn:y"]] {
        let refused = read(uris).unwrap_err();
        assert_eq!(refused, CertificateRefused::SeveralUris { count: uris.len() }, "{uris:?}");
    }
    for uri in [
        "spiffe://xiamen.luqiao/root",
        "spiffe://xiamen.luqiao",
        "SPIFFE://xiamen.luqiao/node/1",
        "spiffe://XIAMEN.LUQIAO/node/1",
        "spiffe://xiamen.luqiao?node/1",
    ] {
        assert!(matches!(read(&[uri]), Err(CertificateRefused::Malformed(_))), "{uri}");
    }
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    assert_eq!(PeerCertificate::read(&[]), Err(CertificateRefused::Empty));
    let good = certificate(&[], &[1]);
    let mut longer = good.to_vec();
    longer.push(0);
    for bytes in [vec![], vec![0x30, 0x03, 1], good[..good.len() - 1].to_vec(), longer] {
        let refused = PeerCertificate::read(&[bytes.into()]);
        assert!(matches!(refused, Err(CertificateRefused::Unreadable { .. })), "{refused:?}");
    }
}

#[test]
fn the_table_maps_certificates_of_others() {
    let by_serial: SpiffeId =
        format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/system/{OTHER}")
            .parse()
            .unwrap();
    let by_subject: SpiffeId = "spiffe://xiamen.luqiao/gateway/1".parse().unwrap();
    let foreign = read(&[]).unwrap();
    let issuer = foreign.issuer.as_str();

    let mut table = CertificateTable::new();
    assert_eq!(table.identify(&foreign), None);

    table.add(issuer, Holder::Subject(foreign.subject.clone()), by_subject.clone()).unwrap();
    assert_eq!(table.identify(&foreign), Some(&by_subject));

    table.add(issuer, Holder::Serial("00:0A:B1".to_owned()), by_serial.clone()).unwrap();
    assert_eq!(table.identify(&foreign), Some(&by_serial), "the serial number is narrower");

    let mut of_another_issuer = foreign.clone();
    of_another_issuer.issuer = "CN=another".to_owned();
    assert_eq!(table.identify(&of_another_issuer), None);

    let mut own = foreign.clone();
    own.spiffe = Some("spiffe://xiamen.luqiao/node/1".parse().unwrap());
    assert_eq!(table.identify(&own), own.spiffe.as_ref(), "a name of its own goes first");
}

#[test]
fn rows_that_contradict_or_cannot_match_are_refused() {
    let id: SpiffeId = "spiffe://xiamen.luqiao/gateway/1".parse().unwrap();
    let mut table = CertificateTable::new();
    for serial in ["", "xyz", "12 34", "0x12"] {
        let refused = table.add("CN=ca", Holder::Serial(serial.to_owned()), id.clone());
        assert_eq!(refused, Err(TableError::Serial(serial.to_owned())));
    }
    table.add("CN=ca", Holder::Serial("12".to_owned()), id.clone()).unwrap();
    let refused = table.add("CN=ca", Holder::Serial("00:12".to_owned()), id.clone());
    assert!(matches!(refused, Err(TableError::Duplicate { .. })), "{refused:?}");
    table.add("CN=other", Holder::Serial("12".to_owned()), id).unwrap();
}
