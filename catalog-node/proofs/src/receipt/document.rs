//! Documents: what do the files say: a receipt, a head, a consistency proof, a cosignature, a trust
//! anchor?
//!
//! They are the messages of the API's `luqiao.ledger.v1` as JSON. Both spellings of field names are
//! read, 64-bit numbers as numbers or texts, bytes as base64 (the root also as hexadecimal), the
//! time as RFC 3339 or as milliseconds since 1970.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalog_model::time::UtcMillis;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{Hash, head, hex, suite::Suite};

/// A proof that a record is in a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// The request or grant that it is about.
    pub name: String,
    /// Position of the record, from 0. The first one may be left out, as proto JSON does.
    #[serde(default, alias = "leafIndex", deserialize_with = "number")]
    pub leaf_index: u64,
    /// The record's stored bytes.
    #[serde(deserialize_with = "bytes")]
    pub record: Vec<u8>,
    /// Hashes from the leaf's sibling upward; none in a tree of one.
    #[serde(default, alias = "inclusionProof", deserialize_with = "hashes")]
    pub inclusion_proof: Vec<Hash>,
    /// The signed root.
    #[serde(alias = "treeHead")]
    pub tree_head: TreeHead,
}

/// A signed root of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TreeHead {
    /// The domain whose ledger it is.
    pub domain: String,
    /// The cluster that keeps it.
    #[serde(alias = "clusterId")]
    pub cluster_id: String,
    /// The cluster's generation.
    #[serde(default, deserialize_with = "number")]
    pub generation: u64,
    /// How many records the tree has.
    #[serde(alias = "treeSize", deserialize_with = "number")]
    pub tree_size: u64,
    /// Its root.
    #[serde(alias = "rootHash", deserialize_with = "hash")]
    pub root_hash: Hash,
    /// When it was signed, in milliseconds since 1970 (UTC).
    #[serde(rename = "time", deserialize_with = "time")]
    pub time_ms: u64,
    /// `sha256` or `sm3`.
    #[serde(alias = "hashAlgorithm")]
    pub hash_algorithm: String,
    /// `ed25519` or `sm2`.
    #[serde(alias = "signatureAlgorithm")]
    pub signature_algorithm: String,
    /// Over [`TreeHead::signed_bytes`]; left out in a head that another domain cosigned.
    #[serde(default, deserialize_with = "bytes")]
    pub signature: Vec<u8>,
    /// DER certificate of the key that signed.
    #[serde(default, deserialize_with = "bytes")]
    pub certificate: Vec<u8>,
}

/// Whom to believe about the ledger of one domain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustAnchor {
    /// The domain.
    pub domain: String,
    /// Its cluster.
    pub cluster_id: String,
    /// The hash of the tree, `sha256` or `sm3`.
    pub hash: String,
    /// The algorithm of the signatures, `ed25519` or `sm2`.
    pub algorithm: String,
    /// The authorities that certify keys for heads, PEM.
    pub ca_certificates: Vec<String>,
    /// Failovers that lost records.
    #[serde(default)]
    pub forks: Vec<Fork>,
}

/// Where a generation was left by a failover.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// The generation that ended.
    pub generation: u64,
    /// How many of its records the next generation has; later ones are lost.
    pub tree_size: u64,
}

/// A proof that one head of a ledger extends another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ConsistencyProof {
    /// Records in the earlier head.
    #[serde(alias = "firstSize", deserialize_with = "number")]
    pub first_size: u64,
    /// Records in the later one.
    #[serde(alias = "secondSize", deserialize_with = "number")]
    pub second_size: u64,
    /// Hashes; none between a head and itself.
    #[serde(default, deserialize_with = "hashes")]
    pub path: Vec<Hash>,
    /// The later head.
    #[serde(alias = "secondHead")]
    pub second_head: TreeHead,
}

/// Another domain's signature on a head.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cosignature {
    /// Who cosigns.
    pub cosigner: String,
    /// The cosigner's cluster.
    #[serde(alias = "cosignerClusterId")]
    pub cosigner_cluster_id: String,
    /// When, in milliseconds since 1970 (UTC).
    #[serde(rename = "time", deserialize_with = "time")]
    pub time_ms: u64,
    /// The head, without its own signature where that is not at hand.
    #[serde(alias = "treeHead")]
    pub tree_head: TreeHead,
    /// `ed25519` or `sm2`: the cosigner's, not the head's.
    #[serde(alias = "signatureAlgorithm")]
    pub signature_algorithm: String,
    /// Over [`Cosignature::signed_bytes`].
    #[serde(deserialize_with = "bytes")]
    pub signature: Vec<u8>,
    /// DER certificate of the cosigner's key for heads.
    #[serde(deserialize_with = "bytes")]
    pub certificate: Vec<u8>,
}

impl Cosignature {
    /// The bytes that its signature covers; `None` if its head is of no suite that we know.
    pub fn signed_bytes(&self) -> Option<Vec<u8>> {
        let Self { cosigner, cosigner_cluster_id, time_ms, tree_head, .. } = self;
        let mut bytes =
            format!("luqiao-cosignature-v1\n{cosigner}\n{cosigner_cluster_id}\n{time_ms}\n")
                .into_bytes();
        bytes.extend(tree_head.signed_bytes()?);
        Some(bytes)
    }
}

impl From<&head::SignedHead> for TreeHead {
    fn from(signed: &head::SignedHead) -> Self {
        let head::SignedHead { head, signature, certificate } = signed;
        Self {
            domain: head.domain.to_string(),
            cluster_id: hex(&head.cluster_id),
            generation: head.generation,
            tree_size: head.tree_size,
            root_hash: head.root_hash,
            time_ms: head.time.0,
            hash_algorithm: head.suite.hash_name().to_owned(),
            signature_algorithm: head.suite.signature_name().to_owned(),
            signature: signature.clone(),
            certificate: certificate.clone(),
        }
    }
}

impl From<&head::Cosignature> for Cosignature {
    fn from(cosignature: &head::Cosignature) -> Self {
        let bare = head::SignedHead {
            head: cosignature.head.clone(),
            signature: Vec::new(),
            certificate: Vec::new(),
        };
        Self {
            cosigner: cosignature.cosigner.to_string(),
            cosigner_cluster_id: hex(&cosignature.cosigner_cluster),
            time_ms: cosignature.time.0,
            tree_head: TreeHead::from(&bare),
            signature_algorithm: cosignature.suite.signature_name().to_owned(),
            signature: cosignature.signature.clone(),
            certificate: cosignature.certificate.clone(),
        }
    }
}

impl TrustAnchor {
    /// The suite of its ledger.
    pub fn suite(&self) -> Option<Suite> {
        Suite::named(&self.hash, &self.algorithm)
    }
}

impl TreeHead {
    /// The suite of its ledger.
    pub fn suite(&self) -> Option<Suite> {
        Suite::named(&self.hash_algorithm, &self.signature_algorithm)
    }

    /// The bytes that its signature covers; `None` if it is of no suite that we know.
    pub fn signed_bytes(&self) -> Option<Vec<u8>> {
        let Self { domain, cluster_id, generation, tree_size, root_hash, time_ms, .. } = self;
        let suite = self.suite()?;
        Some(head::signed_bytes(
            domain,
            cluster_id,
            *generation,
            *tree_size,
            root_hash,
            *time_ms,
            suite,
        ))
    }

    /// The same as the value that the state keeps; `None` if it is of no suite that we know, or its
    /// names are none of ours.
    pub fn to_head(&self) -> Option<head::SignedHead> {
        let cluster_id = (0..16)
            .map(|at| u8::from_str_radix(self.cluster_id.get(2 * at..2 * at + 2)?, 16).ok())
            .collect::<Option<Vec<u8>>>()?;
        (self.cluster_id.len() == 32).then_some(())?;
        Some(head::SignedHead {
            head: head::Head {
                domain: self.domain.parse().ok()?,
                cluster_id: cluster_id.try_into().ok()?,
                generation: self.generation,
                tree_size: self.tree_size,
                root_hash: self.root_hash,
                time: UtcMillis(self.time_ms),
                suite: self.suite()?,
            },
            signature: self.signature.clone(),
            certificate: self.certificate.clone(),
        })
    }

    /// The time in RFC 3339, UTC.
    pub fn time_text(&self) -> String {
        i64::try_from(self.time_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .map_or_else(|| self.time_ms.to_string(), |time| time.to_string())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

fn number<'de, D: Deserializer<'de>>(source: D) -> Result<u64, D::Error> {
    match NumberOrText::deserialize(source)? {
        NumberOrText::Number(number) => Ok(number),
        NumberOrText::Text(text) => text.parse().map_err(D::Error::custom),
    }
}

fn time<'de, D: Deserializer<'de>>(source: D) -> Result<u64, D::Error> {
    match NumberOrText::deserialize(source)? {
        NumberOrText::Number(ms) => Ok(ms),
        NumberOrText::Text(text) => {
            let time: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
            u64::try_from(time.as_millisecond()).map_err(D::Error::custom)
        }
    }
}

fn bytes<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(source)?).map_err(D::Error::custom)
}

fn to_hash<E: serde::de::Error>(text: &str) -> Result<Hash, E> {
    let bytes = match from_hex(text) {
        Some(bytes) => bytes,
        None => STANDARD.decode(text).map_err(E::custom)?,
    };
    bytes.try_into().map_err(|_| E::custom("a hash has 32 bytes"))
}

fn hash<'de, D: Deserializer<'de>>(source: D) -> Result<Hash, D::Error> {
    to_hash(&String::deserialize(source)?)
}

fn hashes<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Hash>, D::Error> {
    Vec::<String>::deserialize(source)?.iter().map(|text| to_hash(text)).collect()
}

/// 64 hexadecimal digits; base64 of 32 bytes has 44 characters, so that the two never meet.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()).collect()
}
