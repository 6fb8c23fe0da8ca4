//! Receipt: was this really decided, as far as anybody can tell without us?
//!
//! A receipt proves that a record is in the ledger of a domain. It is checked offline against a
//! *trust anchor*, a file that came from the domain by another way, and five links must hold:
//!
//! 1. the tree head is of the anchor's domain and cluster, with the anchor's algorithms;
//! 2. the record's hash leads through the inclusion proof to the head's root (RFC 9162 §2.1.3.2);
//! 3. the record says of itself that it stands there and is about what the receipt names;
//! 4. the head is signed by the key of its certificate;
//! 5. an authority of the anchor issued that certificate, for heads of this cluster, and it was
//!    valid when the head was signed.
//!
//! The signed bytes of a head and the name in its certificate are written down once, in [`head`].
//! `record_json`, the record in words, is not part of the proof: only the bytes in `record` are.

pub mod document;
pub mod head;
pub mod inclusion;
pub mod record;

use std::{fs, path::Path};

use catalog_model::reason::Lang;
use serde_json::{Value, json};

use crate::{both, exit::Exit, failure::Failure, language::Bilingual, output::Output};

use self::document::{Receipt, TrustAnchor};

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// Another domain, cluster or algorithm than the anchor's.
    NotOfAnchor {
        /// What differs.
        what: &'static str,
        /// In the receipt.
        found: String,
        /// In the anchor.
        expected: String,
    },
    /// The record is not where the receipt says it is, or the head is another one.
    NotIncluded,
    /// The record is in the ledger, but it is about something else than the receipt says.
    AboutSomethingElse {
        /// What it says, or that it cannot be read.
        found: String,
    },
    /// The signature is not the certificate's over this head.
    SignatureWrong,
    /// The certificate cannot be read, or does not name a node of the cluster.
    CertificateWrong {
        /// What is wrong with it.
        detail: String,
    },
    /// No authority of the anchor issued the certificate.
    AuthorityUnknown,
    /// The certificate or its authority was not valid at the head's time.
    NotValidThen,
    /// Genuine, but written after the point at which a failover left this generation.
    LostInFailover {
        /// The generation that ended.
        generation: u64,
    },
}

impl Rejected {
    /// A stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotOfAnchor { .. } => "not_of_anchor",
            Self::NotIncluded => "not_included",
            Self::AboutSomethingElse { .. } => "about_something_else",
            Self::SignatureWrong => "signature_wrong",
            Self::CertificateWrong { .. } => "certificate_wrong",
            Self::AuthorityUnknown => "authority_unknown",
            Self::NotValidThen => "not_valid_then",
            Self::LostInFailover { .. } => "lost_in_failover",
        }
    }

    /// The verdict in words.
    pub fn message(&self) -> Bilingual {
        match self {
            Self::NotOfAnchor { what, found, expected } => both!(
                "not proven: {what} is `{found}`, the trust anchor is for `{expected}`",
                "未能证明：{what} 为“{found}”，信任锚对应“{expected}”"
            ),
            Self::NotIncluded => both!(
                "not proven: the record is not in the tree that the head signs; record, position or proof was changed",
                "未能证明：记录不在该树头所签的树中；记录、位置或证明被改动过"
            ),
            Self::AboutSomethingElse { found } => both!(
                "not proven: the record is in the ledger, but it is {found}, not what the receipt says",
                "未能证明：记录确在账本中，但其内容为 {found}，与回执所称不符"
            ),
            Self::SignatureWrong => both!(
                "not proven: the tree head is not signed by the key of its certificate",
                "未能证明：树头签名与其证书不符"
            ),
            Self::CertificateWrong { detail } => both!(
                "not proven: the certificate of the tree head is not one for this ledger ({detail})",
                "未能证明：树头证书不是该账本的证书（{detail}）"
            ),
            Self::AuthorityUnknown => both!(
                "not proven: no authority of the trust anchor issued the certificate of the tree head",
                "未能证明：树头证书不是信任锚中任何机构签发的"
            ),
            Self::NotValidThen => both!(
                "not proven: the certificate was not valid at the time of the tree head",
                "未能证明：树头时刻证书不在有效期内"
            ),
            Self::LostInFailover { generation } => both!(
                "authentic, but lost: generation {generation} was left by a failover before this record",
                "真实但已丢失：第 {generation} 代在该记录之前因故障切换而终止"
            ),
        }
    }
}

/// What a receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// What the record is about, in its own words.
    pub subject: String,
    /// The node whose key signed the head.
    pub node: String,
    /// Position of the record in the ledger, from 0.
    pub leaf_index: u64,
    /// Size of the tree that the head signs.
    pub tree_size: u64,
    /// When the head was signed, RFC 3339.
    pub time: String,
}

/// Checks `receipt` against `anchor`.
pub fn verify(receipt: &Receipt, anchor: &TrustAnchor) -> Result<Proven, Rejected> {
    let head = &receipt.tree_head;
    let pairs = [
        ("domain", &head.domain, &anchor.domain),
        ("cluster_id", &head.cluster_id, &anchor.cluster_id),
        ("hash_algorithm", &head.hash_algorithm, &anchor.hash),
        ("signature_algorithm", &head.signature_algorithm, &anchor.algorithm),
    ];
    for (what, found, expected) in pairs {
        if !found.eq_ignore_ascii_case(expected) {
            let (found, expected) = (found.clone(), expected.clone());
            return Err(Rejected::NotOfAnchor { what, found, expected });
        }
    }
    for (what, found, expected) in [
        ("hash_algorithm", &anchor.hash, "sha256"),
        ("signature_algorithm", &anchor.algorithm, "ed25519"),
    ] {
        if !found.eq_ignore_ascii_case(expected) {
            let (found, expected) = (found.clone(), expected.to_owned());
            return Err(Rejected::NotOfAnchor { what, found, expected });
        }
    }

    let leaf = inclusion::leaf_hash(&receipt.record);
    let root = inclusion::root(leaf, receipt.leaf_index, head.tree_size, &receipt.inclusion_proof);
    if root != Some(head.root_hash) {
        return Err(Rejected::NotIncluded);
    }
    let subject = about(receipt)?;
    let node = head::verify(head, &anchor.ca_certificates)?;
    let lost = anchor
        .forks
        .iter()
        .find(|fork| fork.generation == head.generation && receipt.leaf_index >= fork.tree_size);
    if let Some(fork) = lost {
        return Err(Rejected::LostInFailover { generation: fork.generation });
    }
    Ok(Proven {
        subject,
        node,
        leaf_index: receipt.leaf_index,
        tree_size: head.tree_size,
        time: head.time_text(),
    })
}

/// What the record is about, if that is what the receipt says.
fn about(receipt: &Receipt) -> Result<String, Rejected> {
    let head = &receipt.tree_head;
    let something_else = |found: String| Rejected::AboutSomethingElse { found };
    let Some(record) = record::beginning(&receipt.record) else {
        return Err(something_else("unreadable".to_owned()));
    };
    let subject = record.subject.to_string();
    let place_fits = record.domain.as_str() == head.domain && record.sequence == receipt.leaf_index;
    if place_fits && subject == receipt.name {
        Ok(subject)
    } else {
        let (domain, sequence) = (record.domain, record.sequence);
        Err(something_else(format!("record {sequence} of {domain} about {subject}")))
    }
}

/// `luqiao receipt verify FILE --trust FILE`. A receipt that proves nothing is an answer, not a
/// failure: the exit code is [`Exit::Error`] and stdout says why.
pub fn verify_files(file: &Path, trust: &Path, output: &Output) -> Result<Exit, Failure> {
    let receipt: Receipt = read(file)?;
    let anchor: TrustAnchor = read(trust)?;
    let verdict = verify(&receipt, &anchor);
    let (words, json) = match &verdict {
        Ok(proven) => {
            let Proven { subject: name, node, leaf_index, tree_size, time } = proven;
            let domain = &anchor.domain;
            (
                both!(
                    "proven: the record of {name} is number {leaf_index} of {tree_size} in the ledger of {domain}; head signed by node {node} at {time}",
                    "已证明：{name} 的记录是 {domain} 账本 {tree_size} 条记录中的第 {leaf_index} 条；树头由节点 {node} 于 {time} 签署"
                ),
                json!({
                    "verified": true,
                    "name": name,
                    "domain": domain,
                    "leaf_index": leaf_index,
                    "tree_size": tree_size,
                    "node": node,
                    "time": time,
                }),
            )
        }
        Err(rejected) => (rejected.message(), rejection(&receipt, rejected, output.lang)),
    };
    output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
    Ok(if verdict.is_ok() { Exit::Ok } else { Exit::Error })
}

fn rejection(receipt: &Receipt, rejected: &Rejected, lang: Lang) -> Value {
    json!({
        "verified": false,
        "name": receipt.name,
        "reason": rejected.reason(),
        "message": rejected.message().text(lang),
    })
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let path = path.display();
        Failure::new(
            Exit::Error,
            "file_malformed",
            both!("{path} cannot be understood: {error}", "无法理解 {path}：{error}"),
        )
    })
}

#[cfg(test)]
mod tests;
