//! 目录–数据–系统: which data does an entry describe, and which system holds them (CAT-04, 05, 12)?
//!
//! One ledger (一本账) of datasets with dated links to entries and systems, the duties from which
//! entries derive, and the department that is the source of a datum. A link is never rewritten: it
//! ends on a day.

use minicbor::{Decode, Encode};

use crate::{
    ids::{DatasetId, DomainId, EntryId, OrganizationId, SystemId},
    paper_decision::PaperDecision,
    rule::RuleRef,
    sharing::LegalCitation,
    time::{LocalDate, UtcMillis},
};

/// What a dataset is in its system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum DatasetKind {
    /// 库表
    #[n(0)]
    Table,
    /// 文件
    #[n(1)]
    File,
    /// 接口
    #[n(2)]
    Interface,
}

/// Days on which something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Period {
    /// First day.
    #[n(0)]
    pub from: LocalDate,
    /// Last day; absent = no end is known.
    #[n(1)]
    pub until: Option<LocalDate>,
}

impl Period {
    /// Whether `day` is one of its days.
    pub fn holds(&self, day: LocalDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    /// Whether it is over or begins only after `day`, and so holds on no day from `day` on.
    pub fn is_over(&self, day: LocalDate) -> bool {
        self.until.is_some_and(|until| until < day)
    }

    /// Whether the two share a day.
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |one: &Self, two: &Self| one.until.is_some_and(|until| until < two.from);
        !before(self, other) && !before(other, self)
    }

    /// Whether it has a day at all.
    pub fn is_sound(&self) -> bool {
        self.until.is_none_or(|until| self.from <= until)
    }
}

/// The system in which a dataset lies, while it does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SystemLink {
    /// The system, one of the dataset's organization.
    #[n(0)]
    pub system: SystemId,
    /// When.
    #[n(1)]
    pub period: Period,
}

/// The entry that describes a dataset, while it does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntryLink {
    /// The entry.
    #[n(0)]
    pub entry: EntryId,
    /// When.
    #[n(1)]
    pub period: Period,
}

/// A table, file or interface of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Dataset {
    /// Its id.
    #[n(0)]
    pub id: DatasetId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// Whose it is.
    #[n(2)]
    pub organization: OrganizationId,
    /// What it is.
    #[n(3)]
    pub kind: DatasetKind,
    /// Its name in the system.
    #[n(4)]
    pub title: String,
    /// What it holds, in words; may be empty.
    #[n(5)]
    pub description: String,
    /// Where it lies and lay, in the order in which it was stated.
    #[n(6)]
    pub systems: Vec<SystemLink>,
    /// What describes and described it.
    #[n(7)]
    pub entries: Vec<EntryLink>,
    /// Counts up from 1 with every change.
    #[n(8)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(9)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(10)]
    pub updated_time: UtcMillis,
}

impl Dataset {
    /// The systems in which it lies on `day`.
    pub fn systems_on(&self, day: LocalDate) -> impl Iterator<Item = SystemId> + '_ {
        self.systems.iter().filter(move |link| link.period.holds(day)).map(|link| link.system)
    }

    /// The entries that describe it on `day`.
    pub fn entries_on(&self, day: LocalDate) -> impl Iterator<Item = EntryId> + '_ {
        self.entries.iter().filter(move |link| link.period.holds(day)).map(|link| link.entry)
    }
}

/// The statutory duties of an organization, from which its entries derive (CAT-04).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DutyList {
    /// Whose.
    #[n(0)]
    pub organization: OrganizationId,
    /// The duties, in its own words and order; entries name them as their `duty_basis`.
    #[n(1)]
    pub duties: Vec<String>,
    /// Counts up from 1 with every change.
    #[n(2)]
    pub version: u64,
    /// Committed time of this version.
    #[n(3)]
    pub updated_time: UtcMillis,
}

/// The department that is the source of a datum (数源部门; CAT-12).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ElementSource {
    /// The datum as the authority names it, for instance 住址.
    #[n(0)]
    pub element: String,
    /// The department.
    #[n(1)]
    pub organization: OrganizationId,
    /// When it is the source.
    #[n(2)]
    pub period: Period,
    /// On what it rests.
    #[n(3)]
    pub basis: LegalCitation,
    /// The decision, where it was made on paper.
    #[n(4)]
    pub decision: Option<PaperDecision>,
    /// The rule by which there is one source; absent = none was in force, and the row only says
    /// who supplies the datum.
    #[n(5)]
    pub rule: Option<RuleRef>,
    /// Committed time of the assignment.
    #[n(6)]
    pub assigned_time: UtcMillis,
}

/// The name of a datum as it is compared: no spaces, no punctuation, half width, lower case. Two
/// departments that write 「联系电话（手机）」 and 「联系电话(手机)」 mean the same.
pub fn element_key(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            // Full-width forms stand at a fixed distance from their ASCII twins.
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(c) - 0xfee0).expect("ASCII characters exist")
            }
            c => c,
        })
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
