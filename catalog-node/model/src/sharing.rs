//! How freely a resource or a single data item is shared, and the law that says so.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::rule::Rank;

/// 共享属性 of an entry (SHR-01).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SharingAttribute {
    /// 无条件共享
    #[n(0)]
    Unconditional,
    /// 有条件共享
    #[n(1)]
    Conditional {
        /// Scope of sharing (decree 809 art. 15).
        #[n(0)]
        scope: String,
        /// Purpose for which it is shared.
        #[n(1)]
        purpose: String,
        /// The legal basis, where the rule pack asks for one (FZ-M 16).
        #[n(2)]
        basis: Option<LegalCitation>,
    },
    /// 暂不共享, in decree 809 不予共享
    #[n(2)]
    NotShared {
        /// Why (decree 809 art. 15).
        #[n(0)]
        reason: String,
        /// The law that forbids it.
        #[n(1)]
        basis: Option<LegalCitation>,
    },
}

/// Which of the three attributes, without what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SharingKind {
    /// 无条件共享
    #[n(0)]
    Unconditional,
    /// 有条件共享
    #[n(1)]
    Conditional,
    /// 不予共享
    #[n(2)]
    NotShared,
}

impl SharingAttribute {
    /// Which of the three it is.
    pub fn kind(&self) -> SharingKind {
        match self {
            Self::Unconditional => SharingKind::Unconditional,
            Self::Conditional { .. } => SharingKind::Conditional,
            Self::NotShared { .. } => SharingKind::NotShared,
        }
    }
}

impl fmt::Display for SharingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unconditional => "unconditional",
            Self::Conditional => "conditional",
            Self::NotShared => "not_shared",
        })
    }
}

/// A place in a legal text on which an attribute rests (SHR-03).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LegalCitation {
    /// Title of the law, regulation or decision.
    #[n(0)]
    pub title: String,
    /// The article, as the text numbers it.
    #[n(1)]
    pub article: String,
    /// The rank of the text.
    #[n(2)]
    pub rank: Rank,
    /// The words that forbid or condition the sharing; empty if none were quoted.
    #[n(3)]
    pub quote: String,
}

impl fmt::Display for LegalCitation {
    /// `《中华人民共和国统计法》第11条`, with the quoted words if there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "《{}》", self.title)?;
        if self.article.starts_with(|c: char| c.is_ascii_digit()) {
            write!(f, "第{}条", self.article)?;
        } else {
            f.write_str(&self.article)?;
        }
        if !self.quote.is_empty() {
            write!(f, "「{}」", self.quote)?;
        }
        Ok(())
    }
}
