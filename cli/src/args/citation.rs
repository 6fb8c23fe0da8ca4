//! Citation: which law is cited, and what goes beside it in calls that rest on one; also what is
//! stated by one word or file in several of them.

use std::{fs, path::PathBuf};

use catalog_model::time::LocalDate;
use clap::Args;
use luqiao_proto::{
    catalog::v1::{LegalCitation, SharingAttribute, SharingKind},
    rule::v1::Rank,
    sharing::v1::PaperDecision,
};
use sha2::{Digest as _, Sha256};

use crate::{both, failure::Failure};

use super::{VersionedChange, catalog::sharing_kind, enum_parser, paper::Paper};

enum_parser!(
    rank,
    Rank,
    "RANK_",
    [
        "law",
        "administrative_regulation",
        "state_council_decision",
        "special_zone_regulation",
        "local_regulation",
        "department_rule",
        "local_government_rule",
        "normative_document",
        "plan",
        "other_state_policy"
    ]
);

/// A place in a legal text.
#[derive(Debug, Clone, Args)]
pub struct Citation {
    /// Title of the law or decision on which it rests · 依据文件名称
    #[arg(long, value_name = "TITLE")]
    pub law: Option<String>,
    /// Its article · 条款
    #[arg(long, requires = "law", default_value = "")]
    pub article: String,
    /// Its rank · 效力位阶
    #[arg(long, value_parser = rank, default_value = "law")]
    pub rank: Rank,
    /// The words that are cited · 原文
    #[arg(long, requires = "law", default_value = "")]
    pub quote: String,
}

impl Citation {
    /// The citation, if a law was named.
    pub fn message(self) -> Option<LegalCitation> {
        let Self { law, article, rank, quote } = self;
        law.map(|title| LegalCitation { title, article, rank: rank.into(), quote })
    }
}

/// A sharing attribute with what goes beside it.
#[derive(Debug, Clone, Args)]
pub struct Attribute {
    /// The sharing attribute · 共享属性
    #[arg(long, value_parser = sharing_kind)]
    pub sharing: SharingKind,
    /// Conditional: scope of sharing · 共享范围
    #[arg(long, default_value = "")]
    pub scope: String,
    /// Conditional: purpose of use · 使用用途
    #[arg(long, default_value = "")]
    pub purpose: String,
    /// Not shared: why · 不予共享的理由
    #[arg(long, default_value = "")]
    pub reason: String,
    /// The law on which it rests.
    #[command(flatten)]
    pub basis: Citation,
}

impl Attribute {
    /// The attribute as it is sent.
    pub fn message(self) -> SharingAttribute {
        SharingAttribute {
            kind: self.sharing.into(),
            scope: self.scope,
            purpose: self.purpose,
            reason: self.reason,
            basis: self.basis.message(),
        }
    }
}

/// A decision on paper, where there may be one.
#[derive(Debug, Clone, Args)]
pub struct MaybePaper {
    /// Number of the document, if it was decided on paper · 文号
    #[arg(long, value_name = "NUMBER", requires_all = ["date", "issuing_body", "recorded_for"])]
    pub document_number: Option<String>,
    /// The scanned document; its SHA-256 is sent, not the scan · 扫描件（只提交其摘要）
    #[arg(long, value_name = "FILE", requires = "document_number", conflicts_with = "digest")]
    pub digest_file: Option<PathBuf>,
    /// SHA-256 of the scanned document, 64 hex digits · 扫描件的 SHA-256 摘要
    #[arg(long, value_name = "HEX", requires = "document_number")]
    pub digest: Option<String>,
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

impl MaybePaper {
    /// The decision as it is sent, if there is one.
    pub fn message(self) -> Result<Option<PaperDecision>, Failure> {
        let Self { document_number, digest_file, digest, date, issuing_body, recorded_for } = self;
        let (Some(document_number), Some(date)) = (document_number, date) else { return Ok(None) };
        let (issuing_body, recorded_for) =
            (issuing_body.unwrap_or_default(), recorded_for.unwrap_or_default());
        Paper { document_number, digest_file, digest, date, issuing_body, recorded_for }
            .message()
            .map(Some)
    }
}

/// A document of which only the digest is sent.
#[derive(Debug, Clone, Args)]
pub struct Proof {
    /// The document; its SHA-256 is sent · 证明文件（只提交其摘要）
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

impl Proof {
    /// SHA-256 of the document.
    pub fn digest(&self) -> Result<bytes::Bytes, Failure> {
        sha256(&self.file)
    }
}

/// SHA-256 of a file.
pub fn sha256(file: &PathBuf) -> Result<bytes::Bytes, Failure> {
    let content = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    if content.is_empty() {
        let name = file.display();
        return Err(Failure::usage(both!(
            "{name} is empty; nothing is proved by it",
            "{name} 为空文件，不能作为证明"
        )));
    }
    Ok(Sha256::digest(content).to_vec().into())
}

/// Something that is moved on without further words.
#[derive(Debug, Clone, Args)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What goes with the change.
    #[command(flatten)]
    pub change: VersionedChange,
}

/// The same, with the reason why.
#[derive(Debug, Clone, Args)]
pub struct Reasoned {
    /// Its name.
    pub name: String,
    /// Why · 理由
    #[arg(long)]
    pub reason: String,
    /// What goes with the change.
    #[command(flatten)]
    pub change: VersionedChange,
}

/// The same, with a document that proves it.
#[derive(Debug, Clone, Args)]
pub struct Proven {
    /// Its name.
    pub name: String,
    /// What proves it.
    #[command(flatten)]
    pub proof: Proof,
    /// What goes with the change.
    #[command(flatten)]
    pub change: VersionedChange,
}

/// Which list, and which part of it.
#[derive(Debug, Clone, Args)]
pub struct Listed {
    /// Domain; default: the caller's · 域
    #[arg(long)]
    pub domain: Option<String>,
    /// Which part of the list.
    #[command(flatten)]
    pub page: super::Page,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_taken_of_the_document_and_none_of_an_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("proof.txt");
        fs::write(&file, b"abc").expect("a document");
        assert_eq!(sha256(&file).expect("a digest")[..4], [0xba, 0x78, 0x16, 0xbf]);
        fs::write(&file, b"").expect("a document");
        sha256(&file).expect_err("nothing is proved");
        sha256(&folder.path().join("none")).expect_err("it is not there");
    }
}
