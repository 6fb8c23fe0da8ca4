//! Paper: which decision was made outside the platform, and which scan shows it?

use std::path::PathBuf;

use bytes::Bytes;
use catalog_model::time::LocalDate;
use clap::Args;
use luqiao_proto::sharing::v1::PaperDecision;

use super::document::{self, Document};
use crate::failure::Failure;

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
    #[arg(long, value_name = "HEX", value_parser = document::digest)]
    pub digest: Option<Bytes>,
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
        let digest = Document { digest_file: self.digest_file, digest: self.digest }.required()?;
        Ok(PaperDecision {
            document_number: self.document_number,
            digest,
            date: self.date.to_string(),
            issuing_body: self.issuing_body,
            recorded_for: self.recorded_for,
        })
    }
}
