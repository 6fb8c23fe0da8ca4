//! Paper: which decision was made outside the platform, and which scan shows it?

use std::{fs, path::PathBuf};

use catalog_model::time::LocalDate;
use clap::Args;
use luqiao_proto::sharing::v1::PaperDecision;
use sha2::{Digest, Sha256};

use crate::{both, failure::Failure};

/// A decision on paper.
#[derive(Debug, Clone, Args)]
pub struct Paper {
    /// Number of the document · 文号
    #[arg(long, value_name = "NUMBER")]
    pub document_number: String,
    /// The scanned document; its SHA-256 is sent, not the scan · 扫描件（只提交其摘要）
    #[arg(long, value_name = "FILE", conflicts_with = "digest")]
    pub digest_file: Option<PathBuf>,
    /// SHA-256 of the scanned document, 64 hex digits · 扫描件的 SHA-256 摘要
    #[arg(long, value_name = "HEX")]
    pub digest: Option<String>,
    /// Date on the document · 文件日期
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: LocalDate,
    /// Who issued it · 发文机关
    #[arg(long, value_name = "BODY")]
    pub issuing_body: String,
    /// For whom it is entered · 代谁录入
    #[arg(long, value_name = "WHOM")]
    pub recorded_for: String,
}

impl Paper {
    /// The decision as it is sent.
    pub fn message(self) -> Result<PaperDecision, Failure> {
        let digest = match (&self.digest_file, &self.digest) {
            (Some(file), _) => {
                let scan = fs::read(file).map_err(|error| Failure::file(file, &error))?;
                Sha256::digest(scan).to_vec()
            }
            (None, Some(hex)) => digest_of_hex(hex).ok_or_else(|| {
                Failure::usage(both!(
                    "--digest needs the 64 hex digits of a SHA-256",
                    "--digest 应为 SHA-256 的 64 位十六进制数"
                ))
            })?,
            (None, None) => {
                return Err(Failure::usage(both!(
                    "give the scanned document with --digest-file, or its SHA-256 with --digest",
                    "请用 --digest-file 指明扫描件，或用 --digest 给出其 SHA-256 摘要"
                )));
            }
        };
        Ok(PaperDecision {
            document_number: self.document_number,
            digest: digest.into(),
            date: self.date.to_string(),
            issuing_body: self.issuing_body,
            recorded_for: self.recorded_for,
        })
    }
}

fn digest_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = (0..64).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    if digits { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper() -> Paper {
        Paper {
            document_number: "厦数函〔2026〕8号（合成）".to_owned(),
            digest_file: None,
            digest: None,
            date: "2026-10-12".parse().expect("a day"),
            issuing_body: "市人民政府（合成）".to_owned(),
            recorded_for: "市大数据主管部门（合成）".to_owned(),
        }
    }

    #[test]
    fn a_digest_is_given_or_taken_of_the_scan() {
        let given = Paper { digest: Some("AB".repeat(32)), ..paper() };
        assert_eq!(given.message().expect("a paper").digest.as_ref(), [0xab; 32]);
        let folder = tempfile::tempdir().expect("a folder");
        let scan = folder.path().join("scan.pdf");
        fs::write(&scan, b"abc").expect("a scan");
        let taken = Paper { digest_file: Some(scan), ..paper() }.message().expect("a paper");
        assert_eq!(taken.digest[..4], [0xba, 0x78, 0x16, 0xbf]);
    }

    #[test]
    fn without_a_digest_or_with_half_of_one_nothing_is_sent() {
        for digest in [None, Some("ab".repeat(31)), Some("zz".repeat(32)), Some("é".repeat(32))] {
            Paper { digest, ..paper() }.message().expect_err("no digest");
        }
    }
}
