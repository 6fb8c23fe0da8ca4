use catalog_model::{
    ids::{OrganizationId, PersonId},
    name::{Resource, ResourceName},
    witness::{Act, Release},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType,
    SigningKey as _, date_time_ymd,
};

use super::*;

const NOW: UtcMillis = UtcMillis(1_790_000_000_000);

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2050, 1, 1));
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn person() -> ResourceName {
    let person =
        Resource::Person(OrganizationId::from_bytes([1; 16]), PersonId::from_bytes([2; 16]));
    ResourceName::new("xiamen".parse().unwrap(), person)
}

fn statement() -> Statement {
    Statement {
        domain: "xiamen".parse().unwrap(),
        act: Act::Failover,
        from: "main".parse().unwrap(),
        to: "standby".parse().unwrap(),
        pair: Pair::FIRST,
        expires: UtcMillis(NOW.0 + 1),
        release: Release::No,
    }
}

/// Signed with a key of this kind, by a certificate that is valid until this year.
fn signed(
    authority: &CertifiedIssuer<'static, KeyPair>,
    algorithm: &'static rcgen::SignatureAlgorithm,
    until: i32,
) -> Approval {
    let mut approval = Approval {
        statement: statement(),
        approver: person(),
        signature: Vec::new(),
        certificate: Vec::new(),
    };
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names.push(SanType::URI(person_uri(&approval).try_into().unwrap()));
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    approval.certificate = params.signed_by(&key, authority).unwrap().der().to_vec();
    approval.signature = key.sign(&approval.statement.signed_bytes()).unwrap();
    approval
}

#[test]
fn the_uri_is_the_one_with_which_the_person_calls() {
    let approval = signed(&authority(), &rcgen::PKCS_ED25519, 2050);
    let id = |byte| OrganizationId::from_bytes([byte; 16]).to_string();
    let uri = format!("spiffe://xiamen.luqiao/organization/{}/person/{}", id(1), id(2));
    assert_eq!(person_uri(&approval), uri);
}

#[test]
fn each_kind_of_key_signs() {
    let authority = authority();
    let trusted = [authority.pem()];
    for algorithm in
        [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
    {
        let approval = signed(&authority, algorithm, 2050);
        assert_eq!(verify(&approval, &trusted, NOW), Ok(()));
        let file = to_file(&approval);
        assert_eq!(from_file(&file), Ok(approval));
    }
}

/// Whatever is changed in an approval, it is none any more.
#[test]
fn what_was_not_signed_is_no_approval() {
    let authority = authority();
    let trusted = [authority.pem()];
    let sound = signed(&authority, &rcgen::PKCS_ECDSA_P256_SHA256, 2050);
    let changes: [fn(&mut Statement); 6] = [
        |statement| statement.act = Act::Release,
        |statement| std::mem::swap(&mut statement.from, &mut statement.to),
        |statement| statement.pair = statement.pair.switched(),
        |statement| statement.pair.generation += 1,
        |statement| statement.expires.0 += 1,
        |statement| statement.release = Release::Yes,
    ];
    for change in changes {
        let mut changed = sound.clone();
        change(&mut changed.statement);
        assert_eq!(verify(&changed, &trusted, NOW), Err(Rejected::SignatureWrong));
    }
    let mut other = sound.clone();
    let resource =
        Resource::Person(OrganizationId::from_bytes([1; 16]), PersonId::from_bytes([9; 16]));
    other.approver = ResourceName::new("xiamen".parse().unwrap(), resource);
    let refused = verify(&other, &trusted, NOW);
    assert!(matches!(refused, Err(Rejected::CertificateWrong { .. })), "{refused:?}");
    let mut elsewhere = sound.clone();
    elsewhere.statement.domain = "siming".parse().unwrap();
    let refused = verify(&elsewhere, &trusted, NOW);
    assert!(matches!(refused, Err(Rejected::CertificateWrong { .. })), "{refused:?}");
    let mut cut = sound;
    cut.certificate.pop();
    assert!(matches!(verify(&cut, &trusted, NOW), Err(Rejected::CertificateWrong { .. })));
}

#[test]
fn another_authority_and_another_time_do_not_count() {
    let (own, other) = (authority(), authority());
    let approval = signed(&own, &rcgen::PKCS_ED25519, 2050);
    // Authorities of one name and different keys: the signature tells them apart.
    assert_eq!(verify(&approval, &[other.pem()], NOW), Err(Rejected::AuthorityUnknown));
    assert_eq!(verify(&approval, &[], NOW), Err(Rejected::AuthorityUnknown));
    assert_eq!(verify(&approval, &[other.pem(), own.pem()], NOW), Ok(()));
    let late = signed(&own, &rcgen::PKCS_ED25519, 2021);
    assert_eq!(verify(&late, &[own.pem()], NOW), Err(Rejected::NotValidThen));
}

#[test]
fn a_file_of_something_else_is_none() {
    let file = to_file(&signed(&authority(), &rcgen::PKCS_ED25519, 2050));
    for (from, to) in [
        ("luqiao-dr-approval", "receipt"),
        ("\"failover\"", "\"fail\""),
        ("\"main\"", "\"Main\""),
        ("\"kind\"", "\"kin\""),
    ] {
        assert!(from_file(&file.replacen(from, to, 1)).is_err(), "{from}");
    }
    assert!(from_file("").is_err());
}
