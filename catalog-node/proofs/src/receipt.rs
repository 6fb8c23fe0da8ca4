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
//! The same anchor checks a head that was kept, the proof that a newer one extends it, and the
//! signature of another domain beside it. `record_json`, the record in words, is not part of the
//! proof: only the bytes in `record` are.

pub(crate) mod certificate;
pub mod document;

use catalog_model::reason::Lang;

use self::{
    certificate::Signed,
    document::{ConsistencyProof, Cosignature, Receipt, TreeHead, TrustAnchor},
};
use crate::{
    against::{self, Against},
    record,
    suite::Suite,
    tree::verify_inclusion,
};

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
    pub fn text(&self, lang: Lang) -> String {
        let (en, zh) = self.words();
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// English and Chinese.
    fn words(&self) -> (String, String) {
        let both = |en: &str, zh: &str| (en.to_owned(), zh.to_owned());
        match self {
            Self::NotOfAnchor { what, found, expected } => (
                format!("not proven: {what} is `{found}`, the trust anchor is for `{expected}`"),
                format!("未能证明：{what} 为“{found}”，信任锚对应“{expected}”"),
            ),
            Self::NotIncluded => both(
                "not proven: the record is not in the tree that the head signs; record, position or proof was changed",
                "未能证明：记录不在该树头所签的树中；记录、位置或证明被改动过",
            ),
            Self::AboutSomethingElse { found } => (
                format!(
                    "not proven: the record is in the ledger, but it is {found}, not what the receipt says"
                ),
                format!("未能证明：记录确在账本中，但其内容为 {found}，与回执所称不符"),
            ),
            Self::SignatureWrong => both(
                "not proven: the tree head is not signed by the key of its certificate",
                "未能证明：树头签名与其证书不符",
            ),
            Self::CertificateWrong { detail } => (
                format!(
                    "not proven: the certificate of the tree head is not one for this ledger ({detail})"
                ),
                format!("未能证明：树头证书不是该账本的证书（{detail}）"),
            ),
            Self::AuthorityUnknown => both(
                "not proven: no authority of the trust anchor issued the certificate of the tree head",
                "未能证明：树头证书不是信任锚中任何机构签发的",
            ),
            Self::NotValidThen => both(
                "not proven: the certificate was not valid at the time of the tree head",
                "未能证明：树头时刻证书不在有效期内",
            ),
            Self::LostInFailover { generation } => (
                format!(
                    "authentic, but lost: generation {generation} was left by a failover before this record"
                ),
                format!("真实但已丢失：第 {generation} 代在该记录之前因故障切换而终止"),
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
    let suite = is_of_anchor(head, anchor)?;
    let leaf = suite.leaf_hash(&receipt.record);
    let (index, size) = (receipt.leaf_index, head.tree_size);
    if !verify_inclusion(suite, leaf, index, size, &receipt.inclusion_proof, &head.root_hash) {
        return Err(Rejected::NotIncluded);
    }
    let subject = about(receipt)?;
    let node = verify_head(head, anchor)?;
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

/// Checks that `head` is one of the anchor's ledger and signed by one of its nodes; returns the
/// node.
pub fn verify_head(head: &TreeHead, anchor: &TrustAnchor) -> Result<String, Rejected> {
    let suite = is_of_anchor(head, anchor)?;
    let message = head.signed_bytes().ok_or(Rejected::SignatureWrong)?;
    let signed = Signed {
        message: &message,
        time_ms: head.time_ms,
        domain: &head.domain,
        cluster_id: &head.cluster_id,
        suite,
        signature: &head.signature,
        certificate: &head.certificate,
    };
    certificate::verify(&signed, &anchor.ca_certificates)
}

/// Checks that the ledger whose newest head came with `proof` still is the one of `held`, a head
/// that was kept since; both heads must be genuine. The verdict is only about the two roots: what
/// it takes to be believed is in the heads themselves.
pub fn verify_against(
    held: &TreeHead,
    proof: &ConsistencyProof,
    anchor: &TrustAnchor,
) -> Result<Against, Rejected> {
    verify_head(held, anchor)?;
    verify_head(&proof.second_head, anchor)?;
    let sizes = (proof.first_size, proof.second_size);
    let (Some(held), Some(newest)) = (held.to_head(), proof.second_head.to_head()) else {
        return Ok(Against::Unknown);
    };
    if sizes != (held.head.tree_size, newest.head.tree_size) {
        return Ok(Against::Unknown);
    }
    Ok(against::compare(&held.head, &newest.head, &proof.path))
}

/// Checks that the domain of `anchor` cosigned the head in `cosignature`; returns the node. Whether
/// the head is genuine is for the anchor of the head's own domain to say.
pub fn verify_cosignature(
    cosignature: &Cosignature,
    anchor: &TrustAnchor,
) -> Result<String, Rejected> {
    let Cosignature { cosigner, cosigner_cluster_id, .. } = cosignature;
    for (what, found, expected) in [
        ("domain", cosigner, &anchor.domain),
        ("cluster_id", cosigner_cluster_id, &anchor.cluster_id),
        ("signature_algorithm", &cosignature.signature_algorithm, &anchor.algorithm),
    ] {
        not_of_anchor(what, found, expected)?;
    }
    let suite = suite_of(anchor)?;
    let message = cosignature.signed_bytes().ok_or(Rejected::SignatureWrong)?;
    let signed = Signed {
        message: &message,
        time_ms: cosignature.time_ms,
        domain: cosigner,
        cluster_id: cosigner_cluster_id,
        suite,
        signature: &cosignature.signature,
        certificate: &cosignature.certificate,
    };
    certificate::verify(&signed, &anchor.ca_certificates)
}

/// The suite of the anchor, which must be the head's.
fn is_of_anchor(head: &TreeHead, anchor: &TrustAnchor) -> Result<Suite, Rejected> {
    for (what, found, expected) in [
        ("domain", &head.domain, &anchor.domain),
        ("cluster_id", &head.cluster_id, &anchor.cluster_id),
        ("hash_algorithm", &head.hash_algorithm, &anchor.hash),
        ("signature_algorithm", &head.signature_algorithm, &anchor.algorithm),
    ] {
        not_of_anchor(what, found, expected)?;
    }
    suite_of(anchor)
}

fn suite_of(anchor: &TrustAnchor) -> Result<Suite, Rejected> {
    anchor.suite().ok_or_else(|| Rejected::NotOfAnchor {
        what: "hash_algorithm",
        found: format!("{} with {}", anchor.hash, anchor.algorithm),
        expected: "sha256 with ed25519, or sm3 with sm2".to_owned(),
    })
}

fn not_of_anchor(what: &'static str, found: &str, expected: &str) -> Result<(), Rejected> {
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    let (found, expected) = (found.to_owned(), expected.to_owned());
    Err(Rejected::NotOfAnchor { what, found, expected })
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

#[cfg(test)]
mod tests;
