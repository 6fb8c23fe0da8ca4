//! The key: 32 bytes in a file, which is all that protects a backup, and all that is needed to read it.
//!
//! It lies where the archive does not. Nothing is encrypted with it directly; every object gets a key of
//! its own, derived from it (see [`crate::seal`]).

use std::{fmt, fs, io, path::Path};

use ring::hmac;

/// A key that seals and opens an archive.
#[derive(Clone)]
pub struct BackupKey {
    bytes: [u8; 32],
}

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupKey({:02x?})", self.id())
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the backup key {file} cannot be read")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The file holds no key.
    #[error("the backup key {file} is no key: write 64 hexadecimal digits (openssl rand -hex 32)")]
    Shape {
        /// The file.
        file: String,
    },
}

impl BackupKey {
    /// The key of these bytes, which nobody can guess.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self { bytes }
    }

    /// The key in a file: 64 hexadecimal digits.
    pub fn read(file: &Path) -> Result<Self, KeyError> {
        let name = || file.display().to_string();
        let text =
            fs::read_to_string(file).map_err(|source| KeyError::Read { file: name(), source })?;
        let digits = text.trim().as_bytes();
        let mut bytes = [0; 32];
        let shape = || KeyError::Shape { file: name() };
        if digits.len() != 64 {
            return Err(shape());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| shape())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| shape())?;
        }
        Ok(Self { bytes })
    }

    /// Eight bytes by which the key is known: they tell which key is needed, and nothing about it.
    pub fn id(&self) -> [u8; 8] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
        let tag = hmac::sign(&key, b"luqiao backup key id");
        tag.as_ref()[..8].try_into().expect("a tag has 32 bytes")
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}
