//! Proofs: heads, cosignatures and segments, as they are signed and as they travel.

use catalog_model::{ids::DomainId, refusal::Refusal};
use catalog_proofs::{
    Hash,
    archive::Segment,
    head::{Cosignature, Head, SignedHead},
    hex,
    suite::Suite,
};

use crate::{
    convert::{
        reading::{At, Reading},
        time::timestamp,
    },
    ledger::v1 as message,
};

/// A signed head as a message.
pub fn head_message(signed: &SignedHead) -> message::TreeHead {
    let SignedHead { head, signature, certificate } = signed;
    message::TreeHead {
        signature: signature.clone().into(),
        certificate: certificate.clone().into(),
        ..bare_head_message(head)
    }
}

/// A head without its signature.
fn bare_head_message(head: &Head) -> message::TreeHead {
    message::TreeHead {
        domain: head.domain.to_string(),
        cluster_id: hex(&head.cluster_id),
        generation: head.generation,
        tree_size: head.tree_size,
        root_hash: head.root_hash.to_vec().into(),
        time: Some(timestamp(head.time)),
        hash_algorithm: head.suite.hash_name().to_owned(),
        signature_algorithm: head.suite.signature_name().to_owned(),
        signature: bytes::Bytes::new(),
        certificate: bytes::Bytes::new(),
    }
}

/// A cosignature as a message.
pub fn cosignature_message(cosignature: &Cosignature) -> message::Cosignature {
    let Cosignature { cosigner, cosigner_cluster, time, head, suite, signature, certificate } =
        cosignature;
    message::Cosignature {
        cosigner: cosigner.to_string(),
        cosigner_cluster_id: hex(cosigner_cluster),
        time: Some(timestamp(*time)),
        tree_head: Some(bare_head_message(head)),
        signature_algorithm: suite.signature_name().to_owned(),
        signature: signature.clone().into(),
        certificate: certificate.clone().into(),
    }
}

/// A sealed segment as a message.
pub fn segment_message(segment: &Segment) -> message::Segment {
    message::Segment {
        number: segment.number,
        from: segment.from,
        through: segment.through,
        root_before: segment.root_before.to_vec().into(),
        root: segment.root.to_vec().into(),
        previous: segment.previous.to_vec().into(),
        link: segment.link().to_vec().into(),
    }
}

/// A head with its signature; that it is genuine is for whoever knows its trust anchor.
pub fn read_head(head: &message::TreeHead, field: &str) -> Result<SignedHead, Refusal> {
    let mut reading = Reading::new();
    let value = head_value(&mut reading, At::Root(field), head);
    reading.finish(value.map(|value| SignedHead {
        head: value,
        signature: head.signature.to_vec(),
        certificate: head.certificate.to_vec(),
    }))
}

/// A cosignature; that it is genuine is for whoever knows its trust anchor.
pub fn read_cosignature(
    cosignature: &message::Cosignature,
    field: &str,
) -> Result<Cosignature, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let value = cosignature_value(&mut reading, at, cosignature);
    reading.finish(value)
}

fn cosignature_value(
    reading: &mut Reading,
    at: At<'_>,
    cosignature: &message::Cosignature,
) -> Option<Cosignature> {
    let cosigner = domain_value(reading, at.field("cosigner"), &cosignature.cosigner);
    let cluster =
        cluster_value(reading, at.field("cosigner_cluster_id"), &cosignature.cosigner_cluster_id);
    let time = reading.instant(at.field("time"), cosignature.time.as_ref());
    let head = reading
        .message(at.field("tree_head"), cosignature.tree_head.as_ref())
        .and_then(|head| head_value(reading, at.field("tree_head"), head));
    let suite = [Suite::Sha256Ed25519, Suite::Sm3Sm2]
        .into_iter()
        .find(|suite| suite.signature_name() == cosignature.signature_algorithm);
    if suite.is_none() {
        reading.wrong(
            at.field("signature_algorithm"),
            "is not ed25519 or sm2",
            "应为 ed25519 或 sm2",
        );
    }
    Some(Cosignature {
        cosigner: cosigner?,
        cosigner_cluster: cluster?,
        time: time?,
        head: head?,
        suite: suite?,
        signature: cosignature.signature.to_vec(),
        certificate: cosignature.certificate.to_vec(),
    })
}

fn head_value(reading: &mut Reading, at: At<'_>, head: &message::TreeHead) -> Option<Head> {
    let domain = domain_value(reading, at.field("domain"), &head.domain);
    let cluster_id = cluster_value(reading, at.field("cluster_id"), &head.cluster_id);
    let root_hash = hash_value(reading, at.field("root_hash"), &head.root_hash);
    let time = reading.instant(at.field("time"), head.time.as_ref());
    let suite = Suite::named(&head.hash_algorithm, &head.signature_algorithm);
    if suite.is_none() {
        reading.wrong(
            at.field("hash_algorithm"),
            "with its signature is neither sha256 with ed25519 nor sm3 with sm2",
            "及其签名算法应为 sha256 与 ed25519，或 sm3 与 sm2",
        );
    }
    Some(Head {
        domain: domain?,
        cluster_id: cluster_id?,
        generation: head.generation,
        tree_size: head.tree_size,
        root_hash: root_hash?,
        time: time?,
        suite: suite?,
    })
}

fn domain_value(reading: &mut Reading, at: At<'_>, text: &str) -> Option<DomainId> {
    text.parse().map_err(|error| reading.wrong(at, format!("{error}"), "不是域标识")).ok()
}

fn cluster_value(reading: &mut Reading, at: At<'_>, text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    if value.is_none() {
        reading.wrong(at, "is not 32 hexadecimal digits", "应为 32 位十六进制数字");
    }
    value.map(u128::to_be_bytes)
}

fn hash_value(reading: &mut Reading, at: At<'_>, bytes: &[u8]) -> Option<Hash> {
    let value = bytes.try_into().ok();
    if value.is_none() {
        let length = bytes.len();
        reading.wrong(
            at,
            format!("has {length} bytes; a hash has 32"),
            format!("长度为 {length} 字节；哈希值应为 32 字节"),
        );
    }
    value
}

/// The hashes of a proof.
pub fn read_path(path: &[bytes::Bytes], field: &'static str) -> Result<Vec<Hash>, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let hashes: Option<Vec<Hash>> = path
        .iter()
        .enumerate()
        .map(|(index, hash)| hash_value(&mut reading, at.index(index), hash))
        .collect();
    reading.finish(hashes)
}

#[cfg(test)]
mod tests {
    use catalog_model::time::UtcMillis;

    use super::*;

    fn cosigned() -> Cosignature {
        let domain = |text: &str| text.parse().expect("a domain");
        Cosignature {
            cosigner: domain("fujian"),
            cosigner_cluster: [7; 16],
            time: UtcMillis(1_790_000_000_123),
            head: Head {
                domain: domain("xiamen"),
                cluster_id: [9; 16],
                generation: 1,
                tree_size: 12,
                root_hash: [3; 32],
                time: UtcMillis(1_790_000_000_000),
                suite: Suite::Sm3Sm2,
            },
            suite: Suite::Sha256Ed25519,
            signature: vec![1; 64],
            certificate: vec![2; 10],
        }
    }

    #[test]
    fn heads_and_cosignatures_come_back_as_they_were() {
        let cosignature = cosigned();
        let message = cosignature_message(&cosignature);
        assert_eq!(read_cosignature(&message, "cosignature"), Ok(cosignature.clone()));
        let signed =
            SignedHead { head: cosignature.head, signature: vec![4; 64], certificate: vec![5; 9] };
        assert_eq!(read_head(&head_message(&signed), "head"), Ok(signed));
    }

    #[test]
    fn everything_wrong_with_a_cosignature_is_named() {
        let mut message = cosignature_message(&cosigned());
        message.cosigner_cluster_id = "+7".to_owned();
        message.signature_algorithm = "rsa".to_owned();
        let head = message.tree_head.as_mut().expect("a head");
        head.root_hash = vec![3; 31].into();
        head.hash_algorithm = "md5".to_owned();
        let refusal = read_cosignature(&message, "cosignature").expect_err("it is no cosignature");
        let fields: Vec<&str> = refusal.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "cosignature.cosigner_cluster_id",
                "cosignature.tree_head.root_hash",
                "cosignature.tree_head.hash_algorithm",
                "cosignature.signature_algorithm",
            ]
        );
        read_path(&[bytes::Bytes::from_static(&[0; 33])], "path").expect_err("no hash");
    }
}
