//! Documents: what does a receipt file say, and what a trust anchor?
//!
//! The receipt is the API's `luqiao.ledger.v1.Receipt` as JSON. Both spellings of field names are
//! read, 64-bit numbers as numbers or texts, bytes as base64 (the root also as hexadecimal), the
//! time as RFC 3339 or as milliseconds since 1970.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A 32-byte hash.
pub type Hash = [u8; 32];

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
    /// `sha256`.
    #[serde(alias = "hashAlgorithm")]
    pub hash_algorithm: String,
    /// `ed25519`.
    #[serde(alias = "signatureAlgorithm")]
    pub signature_algorithm: String,
    /// Over [`head::signed_bytes`](super::head::signed_bytes).
    #[serde(deserialize_with = "bytes")]
    pub signature: Vec<u8>,
    /// DER certificate of the key that signed.
    #[serde(deserialize_with = "bytes")]
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
    /// The hash of the tree, `sha256`.
    pub hash: String,
    /// The algorithm of the signatures, `ed25519`.
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

impl TreeHead {
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
