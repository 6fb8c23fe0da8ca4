//! Digests: is this the SHA-256 of a document? The documents stay with the parties.

use catalog_model::{document_digest::DocumentDigest, refusal::Refusal};
use prost::bytes::Bytes;

use crate::convert::reading::{At, Reading};

/// The digest that `field` holds; `FIELD_INVALID` unless it has 32 bytes.
pub fn read_digest(bytes: &[u8], field: &str) -> Result<DocumentDigest, Refusal> {
    let mut reading = Reading::new();
    let digest = digest_value(&mut reading, At::Root(field), bytes);
    reading.finish(digest)
}

/// The same, where the field may be empty.
pub fn read_optional_digest(bytes: &[u8], field: &str) -> Result<Option<DocumentDigest>, Refusal> {
    if bytes.is_empty() { Ok(None) } else { read_digest(bytes, field).map(Some) }
}

/// A digest as it is shown; nothing where there is none.
pub(crate) fn digest_bytes(digest: impl Into<Option<DocumentDigest>>) -> Bytes {
    digest.into().map_or_else(Bytes::new, |digest| Bytes::copy_from_slice(&digest.0))
}

pub(crate) fn digest_value(
    reading: &mut Reading,
    at: At<'_>,
    bytes: &[u8],
) -> Option<DocumentDigest> {
    let digest = bytes.try_into().ok().map(DocumentDigest);
    if digest.is_none() {
        reading.wrong(
            at,
            format!("is not a SHA-256: it has {} bytes, not 32", bytes.len()),
            format!("不是 SHA-256 摘要：应为 32 字节，实为 {} 字节", bytes.len()),
        );
    }
    digest
}

pub(crate) fn optional_digest_value(
    reading: &mut Reading,
    at: At<'_>,
    bytes: &[u8],
) -> Option<DocumentDigest> {
    if bytes.is_empty() { None } else { digest_value(reading, at, bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_32_bytes() {
        let digest = DocumentDigest([7; 32]);
        assert_eq!(read_digest(&digest_bytes(Some(digest)), "evidence"), Ok(digest));
        for length in [0, 31, 33] {
            let refusal = read_digest(&vec![7; length], "evidence").unwrap_err();
            assert_eq!(refusal.fields[0].field, "evidence");
        }
        assert_eq!(read_optional_digest(&[], "digest"), Ok(None));
        assert_eq!(read_optional_digest(&[7; 32], "digest"), Ok(Some(digest)));
        read_optional_digest(&[7; 31], "digest").unwrap_err();
    }
}
