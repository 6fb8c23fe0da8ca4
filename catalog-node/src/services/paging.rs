//! Pages: where does the next one begin, and is the token really of this query?
//!
//! A token is sealed with a key of the cluster: it holds a digest of the query and the key at which
//! the next page begins. Nobody can read it, make one, or use one for another query, on whichever
//! node it arrives.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog_model::{reason::Reason, refusal::Refusal};
use prost::Message;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

/// Rows of a page if the caller does not say.
const DEFAULT: usize = 50;
/// Most rows of a page.
const MAX: usize = 500;
/// Rows that are looked at for one page, so that a sparse filter stays bounded.
pub(super) const SCAN: usize = 20_000;

const ABOUT: &[u8] = b"luqiao page token v1";

/// How many rows a page has.
pub(super) fn size(asked: i32) -> Result<usize, Refusal> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT),
        Ok(asked) => Ok(asked.min(MAX)),
        Err(_) => Err(Refusal::new(Reason::FieldInvalid).field(
            "page_size",
            "must not be negative",
            "不得为负数",
        )),
    }
}

/// What identifies a query: method and call without page token and page size, and who asks,
/// because that decides what is seen.
pub(super) fn query_digest(method: &str, caller: &str, query: &impl Message) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), caller.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(query.encode_to_vec());
    hash.finalize().into()
}

/// Seals where the next page of a query begins.
pub(super) fn seal(key: &[u8; 32], query: &[u8; 32], next: &[u8]) -> String {
    let nonce: [u8; NONCE_LEN] = crate::random_bytes();
    let mut sealed = [query, next].concat();
    cipher(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(ABOUT),
            &mut sealed,
        )
        .expect("a token is short enough to be sealed");
    URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
}

/// Where the page of `token` begins; `None` for the first page.
pub(super) fn open(
    key: &[u8; 32],
    query: &[u8; 32],
    token: &str,
) -> Result<Option<Vec<u8>>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    open_sealed(key, query, token).map(Some).ok_or_else(|| Refusal::new(Reason::PageTokenInvalid))
}

fn open_sealed(key: &[u8; 32], query: &[u8; 32], token: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let opened = cipher(key).open_in_place(nonce, Aad::from(ABOUT), sealed).ok()?;
    opened.strip_prefix(query.as_slice()).map(<[u8]>::to_vec)
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has its length"))
}

#[cfg(test)]
mod tests;
