//! `LedgerService`: heads signed by this node's own key, and proofs that need nobody's word.

mod record_json;

use std::path::PathBuf;

use bytes::Bytes;
use catalog_model::{
    ids::DomainId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_proofs::head::signed_bytes;
use catalog_state::ledger::Ledger;
use luqiao_proto::{
    convert::{
        name::{domain_name, resource_name},
        time::timestamp,
    },
    ledger::v1::{
        ConsistencyProof, GetConsistencyProofRequest, GetReceiptRequest, GetTreeHeadRequest,
        Receipt, TreeHead,
    },
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

use self::record_json::record_json;
use super::{Call, Look, Reply, not_found};
use crate::{config::HeadFiles, storage::hex};

/// The key that signs heads, with the certificate that says whose it is.
pub(crate) struct HeadKey {
    pair: Ed25519KeyPair,
    certificate: Bytes,
}

impl std::fmt::Debug for HeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the key.
        f.write_str("HeadKey")
    }
}

/// Why the key for tree heads cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeadKeyError {
    /// A file cannot be read, or is not PEM.
    #[error("{} cannot be read as PEM", .file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The key is no Ed25519 key in PKCS #8.
    #[error("{} holds no Ed25519 key in PKCS #8", .file.display())]
    Key {
        /// The file.
        file: PathBuf,
    },
    /// The certificate cannot be read, or is of another key.
    #[error("the certificate in {} is not one for this key", .file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
    },
    /// The certificate is for another node or cluster, or for another purpose.
    #[error("the certificate in {} does not name {expected}", .file.display())]
    Name {
        /// The file.
        file: PathBuf,
        /// What it must name.
        expected: String,
    },
}

impl HeadKey {
    /// Reads the files, and checks that they are for `node` of the cluster.
    pub(crate) fn load(
        files: &HeadFiles,
        domain: &DomainId,
        node: u64,
        cluster_id: &[u8; 16],
    ) -> Result<Self, HeadKeyError> {
        let pem = |file: &PathBuf| {
            let file = file.clone();
            move |source| HeadKeyError::Pem { file, source }
        };
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(pem(&files.key))?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_der())
            .map_err(|_| HeadKeyError::Key { file: files.key.clone() })?;
        let file = || files.certificate.clone();
        let certificate =
            CertificateDer::from_pem_file(&files.certificate).map_err(pem(&files.certificate))?;
        let unfit = || HeadKeyError::Certificate { file: file() };
        let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| unfit())?;
        if *parsed.public_key().subject_public_key.data != *pair.public_key().as_ref() {
            return Err(unfit());
        }
        let expected = format!("spiffe://{domain}.luqiao/node/{node}/head/{}", hex(cluster_id));
        let names = parsed.subject_alternative_name().map_err(|_| unfit())?;
        let named = names
            .iter()
            .flat_map(|names| &names.value.general_names)
            .any(|name| matches!(name, GeneralName::URI(uri) if *uri == expected));
        if !named {
            return Err(HeadKeyError::Name { file: file(), expected });
        }
        Ok(Self { pair, certificate: certificate.to_vec().into() })
    }

    /// A signature over what is no tree head.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// The certificate of the key, DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The signed head over the first `size` records.
    fn head(&self, look: &Look<'_>, size: u64) -> Option<TreeHead> {
        let root = Ledger(look.state).root(size)?;
        let cluster = &look.cluster;
        let (domain, cluster_id) = (cluster.domain.to_string(), hex(&cluster.cluster_id));
        let time = look.view().clock();
        let (suite, generation) = (cluster.suite(), cluster.generation);
        let signed = signed_bytes(&domain, &cluster_id, generation, size, &root, time.0, suite);
        Some(TreeHead {
            domain,
            cluster_id,
            generation,
            tree_size: size,
            root_hash: root.to_vec().into(),
            time: Some(timestamp(time)),
            hash_algorithm: suite.hash_name().to_owned(),
            signature_algorithm: suite.signature_name().to_owned(),
            signature: self.pair.sign(&signed).as_ref().to_vec().into(),
            certificate: self.certificate.clone(),
        })
    }
}

pub(super) async fn head(call: &Call) -> Result<Reply, Refusal> {
    let request: GetTreeHeadRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let services = call.services.clone();
    call.read(move |look| {
        look.own(&domain)?;
        let size = Ledger(look.state).size();
        services.head_key.head(look, size).ok_or_else(|| Refusal::new(Reason::Internal))
    })
    .await
}

pub(super) async fn receipt(call: &Call) -> Result<Reply, Refusal> {
    let request: GetReceiptRequest = call.decode()?;
    let name = resource_name(&request.name, "name")?;
    let services = call.services.clone();
    call.read(move |look| {
        let ledger = Ledger(look.state);
        let missing = || not_found(&name);
        if !sees(look, &name, &ledger) {
            return Err(missing());
        }
        // The newest record about it: what it came to.
        let index = *ledger.of_subject(&name).last().ok_or_else(missing)?;
        let size = ledger.size();
        let stored = ledger.record_bytes(index).ok_or_else(missing)?;
        let record = ledger.record(index).ok_or_else(missing)?;
        let path = ledger.inclusion_proof(index, size).ok_or_else(missing)?;
        Ok(Receipt {
            name: name.to_string(),
            leaf_index: index,
            record: stored.into(),
            record_json: record_json(&record).to_string(),
            inclusion_proof: path.iter().map(|hash| hash.to_vec().into()).collect(),
            tree_head: services.head_key.head(look, size),
        })
    })
    .await
}

/// Receipts of requests and grants go to whom the thing itself is shown; of a request that the law
/// refused at once there is no case, and its asker is the actor on record.
fn sees(look: &Look<'_>, name: &ResourceName, ledger: &Ledger<'_>) -> bool {
    let view = look.view();
    match &name.resource {
        Resource::Request(id) => {
            if let Some(case) = view.request(&name.domain, *id) {
                return look.sees_request(&case);
            }
            let organization = look.caller.organization();
            let actor = organization.map(|id| format!("{}/organizations/{id}", look.caller.domain));
            let first = ledger.of_subject(name).first().and_then(|first| ledger.record(*first));
            look.is_platform()
                || first.zip(actor).is_some_and(|(record, actor)| record.actor.starts_with(&actor))
        }
        Resource::Grant(id) => {
            view.grant(&name.domain, *id).is_some_and(|grant| look.sees_grant(&grant))
        }
        Resource::Entry(id) => {
            view.published_entry(&name.domain, *id).is_some() || look.is_platform()
        }
        _ => look.is_platform(),
    }
}

pub(super) async fn consistency(call: &Call) -> Result<Reply, Refusal> {
    let request: GetConsistencyProofRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let services = call.services.clone();
    call.read(move |look| {
        look.own(&domain)?;
        let ledger = Ledger(look.state);
        let (first, second) = match request.second_size {
            0 => (request.first_size, ledger.size()),
            second => (request.first_size, second),
        };
        let path = ledger.consistency_proof(first, second).ok_or_else(|| {
            Refusal::new(Reason::FieldInvalid).field(
                "first_size",
                format!("takes 1 ≤ first ≤ second ≤ {}", ledger.size()),
                format!("应满足 1 ≤ first ≤ second ≤ {}", ledger.size()),
            )
        })?;
        Ok(ConsistencyProof {
            first_size: first,
            second_size: second,
            path: path.iter().map(|hash| hash.to_vec().into()).collect(),
            second_head: services.head_key.head(look, second),
        })
    })
    .await
}
