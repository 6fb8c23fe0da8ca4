use std::os::unix::fs::PermissionsExt as _;

use luqiao_transport::{
    identity::PeerCertificate,
    tls::{Scope, TlsFiles, TlsMaterial, TrustFile},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;

fn authority(domain: &str) -> Authority {
    Authority::new(&domain.parse().unwrap()).unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn subjects() -> Vec<(&'static str, Subject)> {
    let organization = "01JD0000000000000000000001".parse().unwrap();
    vec![
        ("spiffe://xiamen.luqiao/node/2", Subject::Node { id: "2".parse().unwrap() }),
        ("spiffe://xiamen.luqiao/gateway/gw-1", Subject::Gateway { id: "gw-1".parse().unwrap() }),
        (
            "spiffe://xiamen.luqiao/organization/01JD0000000000000000000001/system/01JD0000000000000000000002",
            Subject::System { organization, system: "01JD0000000000000000000002".parse().unwrap() },
        ),
        (
            "spiffe://xiamen.luqiao/organization/01JD0000000000000000000001/person/01JD0000000000000000000003",
            Subject::Person { organization, person: "01JD0000000000000000000003".parse().unwrap() },
        ),
    ]
}

#[test]
fn every_kind_of_name_is_read_back_as_issued() {
    let authority = authority("xiamen");
    for (text, subject) in subjects() {
        let issued = authority.issue(subject.clone()).unwrap();
        let read = PeerCertificate::read(&[der(&issued.certificate)]).unwrap();
        let name = read.spiffe.expect("a name of ours");
        assert_eq!(name.to_string(), text);
        assert_eq!(name.subject, subject);
    }
}

#[test]
fn a_certificate_is_of_its_own_authority_and_of_no_other() {
    let (own, other) = (authority("xiamen"), authority("fujian"));
    let issued = own.issue(Subject::Node { id: "1".parse().unwrap() }).unwrap();
    let bytes = der(&issued.certificate);
    let (_, certificate) = X509Certificate::from_der(&bytes).unwrap();
    let key_of = |authority: &Authority| {
        let bytes = der(&authority.pem());
        let (_, certificate) = X509Certificate::from_der(&bytes).unwrap();
        certificate.verify_signature(None).unwrap();
        certificate.public_key().raw.to_vec()
    };
    let (own_key, other_key) = (key_of(&own), key_of(&other));
    let verified = |key: &[u8]| {
        let (_, key) = x509_parser::x509::SubjectPublicKeyInfo::from_der(key).unwrap();
        certificate.verify_signature(Some(&key)).is_ok()
    };
    assert!(verified(&own_key));
    assert!(!verified(&other_key));
    assert_ne!(own_key, other_key, "domains share no key");
}

#[test]
fn the_key_for_heads_names_node_and_cluster_and_is_nobody_who_calls() {
    let cluster = "0123456789abcdef0123456789abcdef";
    let issued = authority("xiamen").issue_head(&"3".parse().unwrap(), cluster).unwrap();
    let bytes = der(&issued.certificate);
    let (_, certificate) = X509Certificate::from_der(&bytes).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let [x509_parser::extensions::GeneralName::URI(uri)] = names.value.general_names.as_slice()
    else {
        panic!("one URI: {names:?}")
    };
    assert_eq!(*uri, format!("spiffe://xiamen.luqiao/node/3/head/{cluster}"));
    let key = &certificate.public_key().algorithm.algorithm;
    assert_eq!(*key, x509_parser::oid_registry::OID_SIG_ED25519);
    assert!(
        PeerCertificate::read(std::slice::from_ref(&bytes)).is_err(),
        "not a name that may call"
    );
}

#[test]
fn files_are_usable_and_keys_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority("xiamen");
    let issued = authority.issue(Subject::Gateway { id: "gw-1".parse().unwrap() }).unwrap();
    issued.write(folder.path(), "gateway").unwrap();
    issued.write(folder.path(), "gateway").expect("written again over what is there");
    fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();

    let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode();
    assert_eq!(mode("gateway.key") & 0o777, 0o600);
    PrivateKeyDer::from_pem_file(folder.path().join("gateway.key")).unwrap();
    let material = TlsMaterial::load(TlsFiles {
        certificate: folder.path().join("gateway.pem"),
        key: folder.path().join("gateway.key"),
        trust: vec![TrustFile {
            file: folder.path().join("ca.pem"),
            scope: Scope::Domain("xiamen".parse().unwrap()),
        }],
    })
    .unwrap();
    let name = material.own_certificate().spiffe.unwrap();
    assert!(name.is_gateway_of(&"xiamen".parse().unwrap()));
}
