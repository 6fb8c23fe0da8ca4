//! `LedgerService`: heads signed by this node's own key, and proofs that need nobody's word.
//!
//! What is shown of a record is decided in [`seen`], how it reads in [`sentence`]; [`records`],
//! [`verify`], [`archive`], [`bag`] and [`exchange`] answer the calls.

mod archive;
mod bag;
pub(in crate::services) mod exchange;
mod record_json;
mod records;
mod seen;
mod sentence;
mod verify;

use std::path::PathBuf;

use catalog_model::{ids::DomainId, reason::Reason, refusal::Refusal};
use catalog_proofs::{
    head::{Cosignature, Head, SignedHead},
    key,
    suite::Suite,
};
use catalog_state::{ledger::Ledger, rows::proof::HeldHead};
use luqiao_proto::{
    convert::{
        name::{domain_name, resource_name},
        proof::head_message,
    },
    ledger::v1::{
        ConsistencyProof, GetConsistencyProofRequest, GetReceiptRequest, GetTreeHeadRequest,
        Receipt,
    },
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

pub(super) use self::{archive::export, records::tail};
use self::{record_json::record_json, seen::Seeing};
use super::{Call, Look, Reply, not_found};
use crate::{config::HeadFiles, storage::hex};

/// One line for each method that is answered once.
pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.ledger.v1.LedgerService/GetTreeHead" => head(call).await,
        "/luqiao.ledger.v1.LedgerService/GetReceipt" => receipt(call).await,
        "/luqiao.ledger.v1.LedgerService/GetConsistencyProof" => consistency(call).await,
        "/luqiao.ledger.v1.LedgerService/QueryRecords" => records::query(call).await,
        "/luqiao.ledger.v1.LedgerService/VerifyLedger" => verify::ledger(call).await,
        "/luqiao.ledger.v1.LedgerService/VerifyAgainst" => verify::against(call).await,
        "/luqiao.ledger.v1.LedgerService/ListHeads" => verify::heads(call).await,
        "/luqiao.ledger.v1.LedgerService/SealSegment" => archive::seal(call).await,
        "/luqiao.ledger.v1.LedgerService/ListSegments" => archive::list(call).await,
        "/luqiao.ledger.v1.LedgerService/ErasePayload" => archive::erase(call).await,
        "/luqiao.ledger.v1.LedgerService/PurgePayloads" => archive::purge(call).await,
        "/luqiao.ledger.v1.LedgerService/GetCaseBag" => bag::get(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

/// The key that signs heads, with the certificate that says whose it is.
pub(crate) struct HeadKey {
    key: key::HeadKey,
    certificate: Vec<u8>,
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
    /// The key is neither an Ed25519 nor an SM2 key in PKCS #8.
    #[error("{} holds no Ed25519 or SM2 key in PKCS #8", .file.display())]
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
        let key = [Suite::Sha256Ed25519, Suite::Sm3Sm2]
            .into_iter()
            .find_map(|suite| key::HeadKey::from_pkcs8(suite, key.secret_der()).ok())
            .ok_or_else(|| HeadKeyError::Key { file: files.key.clone() })?;
        let file = || files.certificate.clone();
        let certificate =
            CertificateDer::from_pem_file(&files.certificate).map_err(pem(&files.certificate))?;
        let unfit = || HeadKeyError::Certificate { file: file() };
        let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| unfit())?;
        if *parsed.public_key().subject_public_key.data != *key.public_key() {
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
        Ok(Self { key, certificate: certificate.to_vec() })
    }

    /// The suite of the key.
    pub(crate) fn suite(&self) -> Suite {
        self.key.suite()
    }

    /// A signature over what is no tree head.
    pub(crate) fn sign_message(&self, bytes: &[u8]) -> Vec<u8> {
        self.key.sign(bytes)
    }

    /// The certificate of the key, DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The signed head over the first `size` records.
    fn head(&self, look: &Look<'_>, size: u64) -> Result<SignedHead, Refusal> {
        let root_hash =
            Ledger(look.state).root(size).ok_or_else(|| Refusal::new(Reason::Internal))?;
        let cluster = &look.cluster;
        let head = Head {
            domain: cluster.domain.clone(),
            cluster_id: cluster.cluster_id,
            generation: cluster.generation,
            tree_size: size,
            root_hash,
            time: look.view().clock(),
            suite: cluster.suite(),
        };
        let signature = self.sign(head.suite, &head.signed_bytes())?;
        Ok(SignedHead { head, signature, certificate: self.certificate.clone() })
    }

    /// This domain's word that it holds `held` of another domain's ledger.
    fn cosignature(&self, look: &Look<'_>, held: &HeldHead) -> Result<Cosignature, Refusal> {
        let cluster = &look.cluster;
        let mut cosignature = Cosignature {
            cosigner: cluster.domain.clone(),
            cosigner_cluster: cluster.cluster_id,
            // As long as it is the same head it is the same word, whichever node says it.
            time: held.received_time,
            head: held.head.head.clone(),
            suite: cluster.suite(),
            signature: Vec::new(),
            certificate: self.certificate.clone(),
        };
        cosignature.signature = self.sign(cosignature.suite, &cosignature.signed_bytes())?;
        Ok(cosignature)
    }

    /// A key of another suite than the ledger's proves nothing: better no head than that one.
    fn sign(&self, suite: Suite, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        if self.key.suite() == suite {
            return Ok(self.key.sign(message));
        }
        let (found, wanted) = (self.key.suite().signature_name(), suite.signature_name());
        tracing::error!(found, wanted, "Key for heads is of another suite than the ledger");
        Err(Refusal::new(Reason::Internal))
    }
}

async fn head(call: &Call) -> Result<Reply, Refusal> {
    let request: GetTreeHeadRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let services = call.services.clone();
    call.read(move |look| {
        look.own(&domain)?;
        let size = Ledger(look.state).size();
        Ok(head_message(&services.head_key.head(look, size)?))
    })
    .await
}

async fn receipt(call: &Call) -> Result<Reply, Refusal> {
    let request: GetReceiptRequest = call.decode()?;
    let name = resource_name(&request.name, "name")?;
    let services = call.services.clone();
    call.read(move |look| {
        let ledger = Ledger(look.state);
        let missing = || not_found(&name);
        // Absent: the newest record about it, what it came to.
        let index = request.record.or_else(|| ledger.newest_of(&name)).ok_or_else(missing)?;
        let record = ledger.record(index).ok_or_else(missing)?;
        if record.subject != name || !Seeing::new(look).sees(&record) {
            return Err(missing());
        }
        let size = ledger.size();
        let stored = ledger.record_bytes(index).ok_or_else(missing)?;
        let path = ledger.inclusion_proof(index, size).ok_or_else(missing)?;
        Ok(Receipt {
            name: name.to_string(),
            leaf_index: index,
            record: stored.into(),
            record_json: record_json(&record).to_string(),
            inclusion_proof: path.iter().map(|hash| hash.to_vec().into()).collect(),
            tree_head: Some(head_message(&services.head_key.head(look, size)?)),
        })
    })
    .await
}

async fn consistency(call: &Call) -> Result<Reply, Refusal> {
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
            second_head: Some(head_message(&services.head_key.head(look, second)?)),
        })
    })
    .await
}
