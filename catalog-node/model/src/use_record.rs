//! Use records: what did the user do with what it received (SHR-14, SHR-26)?
//!
//! Kept by the department that uses the data, in its own domain; the authority and the provider
//! may inspect them. Which fields a record has is the rules' to say; a field that is missing is a
//! finding against the user.

use minicbor::{Decode, Encode};

use crate::{name::ResourceName, rule::RuleRef, share_request::Party, time::UtcMillis};

/// A field of a use record, of decree 809 art. 29¶2 and of FZ-M 29¶2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum UseField {
    /// 使用场景
    #[n(0)]
    Scenario,
    /// 使用过程
    #[n(1)]
    Process,
    /// 应用成效
    #[n(2)]
    Effect,
    /// 存储情况
    #[n(3)]
    Storage,
    /// 销毁情况
    #[n(4)]
    Destruction,
    /// 具体用途
    #[n(5)]
    Purpose,
    /// 使用人员
    #[n(6)]
    User,
    /// 批准人员
    #[n(7)]
    Approver,
    /// 数据内容
    #[n(8)]
    Content,
    /// 获取时间
    #[n(9)]
    Time,
    /// 获取方式
    #[n(10)]
    Manner,
    /// 介质类型
    #[n(11)]
    Medium,
}

impl UseField {
    /// Every field with the word for it in rule packs.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("scenario", Self::Scenario),
        ("process", Self::Process),
        ("effect", Self::Effect),
        ("storage", Self::Storage),
        ("destruction", Self::Destruction),
        ("purpose", Self::Purpose),
        ("user", Self::User),
        ("approver", Self::Approver),
        ("content", Self::Content),
        ("time", Self::Time),
        ("manner", Self::Manner),
        ("medium", Self::Medium),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, field)| *field == self).map_or("", |(word, _)| word)
    }
}

/// One field of a record, filled in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UseEntry {
    /// Which.
    #[n(0)]
    pub field: UseField,
    /// What it says.
    #[n(1)]
    pub text: String,
}

/// A field that a rule asks for and the record does not have: a finding against the user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MissingField {
    /// Which.
    #[n(0)]
    pub field: UseField,
    /// The rule that asks for it.
    #[n(1)]
    pub rule: RuleRef,
}

/// What was done with what a grant gave.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UseRecord {
    /// The grant.
    #[n(0)]
    pub grant: ResourceName,
    /// Its place among the records of this domain; grows, with gaps.
    #[n(1)]
    pub number: u64,
    /// Who used.
    #[n(2)]
    pub consumer: Party,
    /// What the user states, each field once, in order.
    #[n(3)]
    pub entries: Vec<UseEntry>,
    /// What it leaves out.
    #[n(4)]
    pub missing: Vec<MissingField>,
    /// When it was recorded; the retention runs from here.
    #[n(5)]
    pub recorded_time: UtcMillis,
}
