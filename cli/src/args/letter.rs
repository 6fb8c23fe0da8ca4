//! Letter: paper that only some who take a step have, for instance a side without access here.

use std::path::PathBuf;

use bytes::Bytes;
use catalog_model::time::LocalDate;
use clap::Args;
use luqiao_proto::sharing::v1::PaperDecision;

use super::{document, paper::Paper};
use crate::failure::Failure;

/// The flags of a [`Paper`], all of them or none.
#[derive(Debug, Clone, Args)]
pub struct Letter {
    /// Number of the document, if it came on paper · 文号
    #[arg(long, value_name = "NUMBER", requires_all = ["date", "issuing_body", "recorded_for"])]
    pub document_number: Option<String>,
    /// The scanned document; its SHA-256 is sent, not the scan · 扫描件（只提交其摘要）
    #[arg(long, value_name = "FILE", conflicts_with = "digest", requires = "document_number")]
    pub digest_file: Option<PathBuf>,
    /// SHA-256 of the scanned document, 64 hex digits · 扫描件的 SHA-256 摘要
    #[arg(long, value_name = "HEX", requires = "document_number", value_parser = document::digest)]
    pub digest: Option<Bytes>,
    /// Date on the document · 文件日期
    #[arg(long, value_name = "YYYY-MM-DD", requires = "document_number")]
    pub date: Option<LocalDate>,
    /// Who issued it · 发文机关
    #[arg(long, value_name = "BODY", requires = "document_number")]
    pub issuing_body: Option<String>,
    /// For whom it is entered · 代谁录入
    #[arg(long, value_name = "WHOM", requires = "document_number")]
    pub recorded_for: Option<String>,
}

impl Letter {
    /// The paper as it is sent; `None` if there is none.
    pub fn message(self) -> Result<Option<PaperDecision>, Failure> {
        let Self { document_number, digest_file, digest, date, issuing_body, recorded_for } = self;
        let (Some(document_number), Some(date), Some(issuing_body), Some(recorded_for)) =
            (document_number, date, issuing_body, recorded_for)
        else {
            return Ok(None);
        };
        let paper =
            Paper { document_number, digest_file, digest, date, issuing_body, recorded_for };
        paper.message().map(Some)
    }
}
