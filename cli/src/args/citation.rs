//! Citation: which law is cited, and what goes beside it in calls that rest on one; also what is
//! stated by one word or file in several of them.

use std::path::PathBuf;

use clap::Args;
use luqiao_proto::{
    catalog::v1::{LegalCitation, SharingAttribute, SharingKind},
    rule::v1::Rank,
};

use crate::failure::Failure;

use super::{VersionedChange, catalog::sharing_kind, document::digest_of, enum_parser};

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
        digest_of(&self.file)
    }
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
