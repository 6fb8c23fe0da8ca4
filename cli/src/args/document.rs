//! Documents that stay with the parties: which one is meant?
//!
//! The server is told the SHA-256 only. It is taken of the file, or stated by whoever has no file at
//! hand.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use sha2::{Digest as _, Sha256};

use crate::{both, failure::Failure};

/// A document that a command is about.
#[derive(Debug, Clone, Args)]
#[group(id = "document", required = false, multiple = false)]
pub struct Document {
    /// The document; its SHA-256 is sent, not the file · 文件（只上传摘要）
    #[arg(long, value_name = "FILE")]
    pub digest_file: Option<PathBuf>,
    /// Its SHA-256 instead, in hexadecimal · 文件的 SHA-256 摘要
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub digest: Option<Bytes>,
}

impl Document {
    /// The digest, which has to be there.
    pub fn required(self) -> Result<Bytes, Failure> {
        match self.optional()? {
            digest if digest.is_empty() => Err(Failure::usage(both!(
                "which document? Name it with --digest-file, or its SHA-256 with --digest",
                "请用 --digest-file 指定文件，或用 --digest 指定其 SHA-256 摘要"
            ))),
            digest => Ok(digest),
        }
    }

    /// The digest, or nothing.
    pub fn optional(self) -> Result<Bytes, Failure> {
        match (self.digest_file, self.digest) {
            (Some(file), _) => digest_of(&file),
            (None, digest) => Ok(digest.unwrap_or_default()),
        }
    }
}

/// SHA-256 of a file; an empty one is refused, since nothing is proved by it.
pub fn digest_of(file: &Path) -> Result<Bytes, Failure> {
    let content = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
    if content.is_empty() {
        let name = file.display();
        return Err(Failure::usage(both!(
            "{name} is empty; nothing is proved by it",
            "{name} 为空文件，不能作为证明"
        )));
    }
    Ok(Bytes::copy_from_slice(&Sha256::digest(content)))
}

/// A SHA-256 in hexadecimal.
pub fn digest(text: &str) -> Result<Bytes, String> {
    let wrong = || format!("a SHA-256 has 64 hexadecimal digits, this has {}", text.len());
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_digest_of_an_empty_file_or_of_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.txt");
        digest_of(&file).unwrap_err();
        std::fs::write(&file, "").unwrap();
        digest_of(&file).unwrap_err();
    }

    #[test]
    fn a_digest_is_taken_of_the_file_or_stated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("evidence.txt");
        std::fs::write(&file, "abc").unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let of_file = Document { digest_file: Some(file), digest: None }.required().unwrap();
        assert_eq!(of_file, digest(known).unwrap());
        let nothing = Document { digest_file: None, digest: None };
        nothing.clone().required().unwrap_err();
        assert!(nothing.optional().unwrap().is_empty());
        for wrong in ["", "ba78", &"é".repeat(32), &known.replace('b', "g"), &format!("{known}00")]
        {
            digest(wrong).unwrap_err();
        }
    }
}
