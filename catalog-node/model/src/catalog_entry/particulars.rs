//! Particulars: what does an entry state beyond the fields of the national metadata guide?
//!
//! Kept in one optional field, so that an entry of an older cluster is written as it always was.

use minicbor::{Decode, Encode};

use crate::time::LocalDate;

/// What keeps data out of the platform altogether (decree 809 art. 3; CAT-24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SecrecyMark {
    /// 国家秘密
    #[n(0)]
    StateSecret,
    /// 工作秘密
    #[n(1)]
    WorkSecret,
}

impl SecrecyMark {
    /// The word for it in rule packs and facts.
    pub fn name(self) -> &'static str {
        match self {
            Self::StateSecret => "state_secret",
            Self::WorkSecret => "work_secret",
        }
    }
}

/// 基础库 or 主题库 in which the data are kept (CAT-19, CAT-20).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Library {
    /// 基础库, by its name in the rule pack.
    #[n(0)]
    Base(#[n(0)] String),
    /// 主题库, by its name in the rule pack.
    #[n(1)]
    Theme(#[n(0)] String),
}

impl Library {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Base(name) | Self::Theme(name) => name,
        }
    }
}

/// What a provider checks of its own resource (CAT-07). Class and grade are fields of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SelfCheckKind {
    /// 合规性
    #[n(0)]
    Compliance,
    /// 安全性
    #[n(1)]
    Safety,
    /// 可用性
    #[n(2)]
    Usability,
}

impl SelfCheckKind {
    /// The word for it in rule packs and facts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compliance => "compliance",
            Self::Safety => "safety",
            Self::Usability => "usability",
        }
    }

    /// The same in Chinese.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Compliance => "合规性自查",
            Self::Safety => "安全性自查",
            Self::Usability => "可用性自查",
        }
    }

    /// The kind of this word; none for words that other fields answer.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Compliance, Self::Safety, Self::Usability]
            .into_iter()
            .find(|kind| kind.name() == word)
    }
}

/// One check that was made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SelfCheck {
    /// What was checked.
    #[n(0)]
    pub kind: SelfCheckKind,
    /// Whether it passed.
    #[n(1)]
    pub passed: bool,
    /// When, as a day.
    #[n(2)]
    pub date: LocalDate,
    /// Which office checked.
    #[n(3)]
    pub checker: String,
}

/// What an entry states beyond the national guide.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct EntryParticulars {
    /// The library in which the data are kept; absent = none.
    #[n(0)]
    pub library: Option<Library>,
    /// Self-checks made.
    #[n(1)]
    pub self_checks: Vec<SelfCheck>,
    /// What the confidentiality review found, if it found a secret: such an entry is refused at
    /// intake.
    #[n(2)]
    pub secrecy: Option<SecrecyMark>,
}
