//! Issuer: who vouches for nodes that live at addresses of a test's own choice?

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use luqiao::receipt::head::certificate_uri;
use luqiao_transport::identity::{SpiffeId, Subject};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType, date_time_ymd,
};

/// The authority of one cluster's domain.
pub(super) struct Issuer(CertifiedIssuer<'static, KeyPair>);

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Issuer")
    }
}

impl Issuer {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "authority of a tested cluster");
        validity(&mut params);
        let key = KeyPair::generate().expect("a key can be made");
        Self(CertifiedIssuer::self_signed(params, key).expect("it can sign itself"))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// `{stem}.pem` and `{stem}.key` in `folder`, for a caller that may also serve at `address`.
    pub(super) fn write(&self, folder: &Path, stem: &str, name: &SpiffeId, address: IpAddr) {
        let mut params = params(&name.to_string());
        let addresses = [address, IpAddr::V4(Ipv4Addr::LOCALHOST)];
        params.subject_alt_names.extend(addresses.map(SanType::IpAddress));
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params, &KeyPair::generate().expect("a key can be made"), folder, stem);
    }

    /// The key with which a node signs tree heads.
    pub(super) fn write_head(&self, folder: &Path, node: &SpiffeId, cluster_id: &str) {
        let Subject::Node { id } = &node.subject else { panic!("{node} is no node") };
        let params = params(&certificate_uri(node.domain.as_str(), id.as_str(), cluster_id));
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key can be made");
        self.sign(&params, &key, folder, "head");
    }

    fn sign(&self, params: &CertificateParams, key: &KeyPair, folder: &Path, stem: &str) {
        let certificate = params.signed_by(key, &self.0).expect("it can be signed");
        let file = |ending: &str| folder.join(format!("{stem}.{ending}"));
        fs::write(file("pem"), certificate.pem()).expect("a file can be written");
        fs::write(file("key"), key.serialize_pem()).expect("a file can be written");
    }
}

fn params(uri: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names.push(SanType::URI(uri.try_into().expect("a URI is ASCII")));
    params.distinguished_name.push(DnType::CommonName, "tested");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    validity(&mut params);
    params
}

/// A machine's clock may stand anywhere; age is not what these certificates are about.
fn validity(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2119, 12, 31);
}
