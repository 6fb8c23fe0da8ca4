//! Sealing: how do bytes become an object that only who has the key can read, and nobody can change?
//!
//! AES-256-GCM. Its one danger is a nonce that is used twice under one key, so no key is used for more
//! than one object: each has a key of its own, derived (HKDF-SHA256) from the backup key, 32 random bytes
//! that stand in the object, and the object's *name*. Within the object frames are numbered, and the
//! number is the nonce. An object that is moved to another name, or a frame that is moved to another
//! place, does not open.
//!
//! ```text
//! object = "LQB1" key-id(8) salt(32) frame*
//! frame  = length(4, big-endian) ciphertext tag(16)      plain = kind(1) bytes
//! ```
//!
//! `kind` 0: the bytes as they are; 1: deflated, with their length (4) before.

use std::io::Write as _;

use flate2::{Compression, Decompress, FlushDecompress, write::DeflateEncoder};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
    rand::{SecureRandom, SystemRandom},
};

use crate::key::BackupKey;

const MAGIC: &[u8; 4] = b"LQB1";

/// Bytes before the first frame.
pub const HEADER_BYTES: usize = 4 + 8 + 32;

/// Longest plain frame: whoever opens one is not made to take more memory than this.
pub const FRAME_BYTES_MAX: usize = 1 << 30;

/// Why bytes do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No object of an archive, or one of a format that is not known here.
    #[error("it is no object of a backup, or one of a newer format")]
    Format,
    /// Sealed with another key.
    #[error("it is sealed with key {}, this is key {}", crate::hex(.sealed), crate::hex(.given))]
    OtherKey {
        /// The key with which it is sealed.
        sealed: [u8; 8],
        /// The key that was tried.
        given: [u8; 8],
    },
    /// Not what was sealed: changed, cut off, or put under another name.
    #[error("it is not what was sealed")]
    Damaged,
}

/// The key of one object.
pub struct ObjectKey {
    key: LessSafeKey,
    salt: [u8; 32],
    key_id: [u8; 8],
}

impl std::fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectKey").finish_non_exhaustive()
    }
}

impl ObjectKey {
    /// A new key for the object `name`.
    pub fn new(key: &BackupKey, name: &str) -> Self {
        let mut salt = [0; 32];
        SystemRandom::new().fill(&mut salt).expect("the system has randomness");
        Self::derive(key, name, salt)
    }

    fn derive(key: &BackupKey, name: &str, salt: [u8; 32]) -> Self {
        struct Length;
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                32
            }
        }
        let mut bytes = [0; 32];
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &salt).extract(key.bytes());
        extracted
            .expand(&[b"luqiao backup object 1 ", name.as_bytes()], Length)
            .and_then(|okm| okm.fill(&mut bytes))
            .expect("32 bytes can be derived");
        let unbound = UnboundKey::new(&AES_256_GCM, &bytes).expect("the key has 32 bytes");
        Self { key: LessSafeKey::new(unbound), salt, key_id: key.id() }
    }

    /// The bytes before the first frame.
    pub fn header(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &self.key_id, &self.salt].concat()
    }

    /// The key of an object, from its first [`HEADER_BYTES`].
    pub fn of_header(key: &BackupKey, name: &str, header: &[u8]) -> Result<Self, OpenError> {
        let (magic, rest) = header.split_first_chunk::<4>().ok_or(OpenError::Format)?;
        let (sealed, rest) = rest.split_first_chunk::<8>().ok_or(OpenError::Format)?;
        let (salt, _) = rest.split_first_chunk::<32>().ok_or(OpenError::Format)?;
        if magic != MAGIC {
            return Err(OpenError::Format);
        }
        if *sealed != key.id() {
            return Err(OpenError::OtherKey { sealed: *sealed, given: key.id() });
        }
        Ok(Self::derive(key, name, *salt))
    }

    /// Appends frame `number` with `plain` to `object`, and returns how many bytes that were.
    pub fn seal(&self, number: u32, plain: &[u8], object: &mut Vec<u8>) -> u32 {
        let mut bytes = pack(plain);
        self.key
            .seal_in_place_append_tag(nonce(number), Aad::empty(), &mut bytes)
            .expect("a frame is short enough to be sealed");
        let length = u32::try_from(bytes.len()).expect("a frame is below 4 GiB");
        object.extend_from_slice(&length.to_be_bytes());
        object.extend_from_slice(&bytes);
        length + 4
    }

    /// What frame `number` holds, whose bytes are the first of `frames`, and how many these are.
    pub fn open(&self, number: u32, frames: &[u8]) -> Result<(Vec<u8>, usize), OpenError> {
        let (length, rest) = frames.split_first_chunk::<4>().ok_or(OpenError::Damaged)?;
        let length = u32::from_be_bytes(*length) as usize;
        let mut sealed = rest.get(..length).ok_or(OpenError::Damaged)?.to_vec();
        let plain = self
            .key
            .open_in_place(nonce(number), Aad::empty(), &mut sealed)
            .map_err(|_| OpenError::Damaged)?;
        Ok((unpack(plain)?, length + 4))
    }
}

/// An object of a single frame.
pub fn seal(key: &BackupKey, name: &str, plain: &[u8]) -> Vec<u8> {
    let key = ObjectKey::new(key, name);
    let mut object = key.header();
    key.seal(0, plain, &mut object);
    object
}

/// What an object of a single frame holds.
pub fn open(key: &BackupKey, name: &str, object: &[u8]) -> Result<Vec<u8>, OpenError> {
    let key = ObjectKey::of_header(key, name, object)?;
    let frames = &object[HEADER_BYTES..];
    let (plain, length) = key.open(0, frames)?;
    if length == frames.len() { Ok(plain) } else { Err(OpenError::Damaged) }
}

fn nonce(number: u32) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn pack(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() + 32);
    packed.push(1);
    let length = u32::try_from(plain.len()).expect("a frame is below 4 GiB");
    packed.extend_from_slice(&length.to_be_bytes());
    let mut deflating = DeflateEncoder::new(packed, Compression::fast());
    let deflated = deflating.write_all(plain).and_then(|()| deflating.finish());
    let packed = deflated.expect("writing to a Vec does not fail");
    if packed.len() <= plain.len() {
        return packed;
    }
    [&[0], plain].concat()
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    match bytes.split_first() {
        Some((0, plain)) => Ok(plain.to_vec()),
        Some((1, rest)) => {
            let (length, deflated) = rest.split_first_chunk::<4>().ok_or(OpenError::Damaged)?;
            let length = u32::from_be_bytes(*length) as usize;
            if length > FRAME_BYTES_MAX {
                return Err(OpenError::Damaged);
            }
            let mut plain = Vec::with_capacity(length);
            let mut inflating = Decompress::new(false);
            inflating
                .decompress_vec(deflated, &mut plain, FlushDecompress::Finish)
                .map_err(|_| OpenError::Damaged)?;
            if plain.len() == length { Ok(plain) } else { Err(OpenError::Damaged) }
        }
        _ => Err(OpenError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> BackupKey {
        BackupKey::new([seed; 32])
    }

    #[test]
    fn what_was_sealed_opens_with_its_key_under_its_name() {
        for plain in [vec![], vec![7; 100_000], (0..5000_u32).flat_map(u32::to_le_bytes).collect()]
        {
            let object = seal(&key(1), "bases/1", &plain);
            assert_eq!(open(&key(1), "bases/1", &object).unwrap(), plain);
            assert_eq!(open(&key(1), "bases/2", &object), Err(OpenError::Damaged));
            let wrong = open(&key(2), "bases/1", &object);
            assert!(matches!(wrong, Err(OpenError::OtherKey { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn no_byte_can_be_changed_and_none_be_left_out() {
        let object = seal(&key(1), "n", b"the quick brown fox");
        for place in 0..object.len() {
            let mut changed = object.clone();
            changed[place] ^= 1;
            assert!(open(&key(1), "n", &changed).is_err(), "byte {place}");
            assert!(open(&key(1), "n", &object[..place]).is_err(), "cut at {place}");
        }
        assert!(open(&key(1), "n", &[object, vec![0]].concat()).is_err());
    }

    #[test]
    fn frames_keep_their_places() {
        let object_key = ObjectKey::new(&key(1), "n");
        let mut object = object_key.header();
        let first = object_key.seal(0, b"one", &mut object) as usize;
        object_key.seal(1, b"two", &mut object);
        let frames = &object[HEADER_BYTES..];
        assert_eq!(object_key.open(0, frames).unwrap().0, b"one");
        assert_eq!(object_key.open(1, &frames[first..]).unwrap().0, b"two");
        assert_eq!(object_key.open(0, &frames[first..]), Err(OpenError::Damaged));
    }

    #[test]
    fn two_objects_of_one_content_have_nothing_in_common() {
        let [one, other] = [seal(&key(1), "n", b"same"), seal(&key(1), "n", b"same")];
        assert_ne!(one[12..44], other[12..44]);
        assert_ne!(one[44..], other[44..]);
    }
}
