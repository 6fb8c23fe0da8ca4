//! Overdue: what becomes of a debtor after the day on which an answer was due?
//!
//! `order → reason claimed → accepted | rejected → counted | excused`. Lateness is a fact of the
//! deadline; it counts in the debtor's record only without a proper reason, and a reason is heard
//! before (SHR-31; decree 809 art. 39). The hearing goes on beside the case, whether or not the
//! case was answered meanwhile.

use minicbor::{Decode, Encode};

use crate::{
    ids::PersonId,
    rule::RuleRef,
    share_request::Party,
    time::{LocalDate, UtcMillis},
};

/// The order to correct that a missed deadline opens.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CorrectionOrder {
    /// To whom.
    #[n(0)]
    pub debtor: Party,
    /// What the rule orders, in the pack's words.
    #[n(1)]
    pub effects: Vec<String>,
    /// The rule.
    #[n(2)]
    pub rule: RuleRef,
    /// Committed time.
    #[n(3)]
    pub ordered_time: UtcMillis,
}

/// What a debtor says for its lateness.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReasonClaim {
    /// In words.
    #[n(0)]
    pub text: String,
    /// The person, if one is known.
    #[n(1)]
    pub person: Option<PersonId>,
    /// Committed time.
    #[n(2)]
    pub claimed_time: UtcMillis,
}

/// What the party above the debtor made of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReasonRuling {
    /// Whether it is a proper reason (正当理由).
    #[n(0)]
    pub accepted: bool,
    /// Why, in words.
    #[n(1)]
    pub reason: String,
    /// Who ruled; never the debtor.
    #[n(2)]
    pub by: Party,
    /// Committed time.
    #[n(3)]
    pub ruled_time: UtcMillis,
}

/// How a hearing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum HearingOutcome {
    /// The lateness counts in the debtor's record.
    #[n(0)]
    Counted,
    /// It does not: there was a proper reason, or an outage.
    #[n(1)]
    Excused,
}

/// The hearing of one debtor of a late answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hearing {
    /// Who owed the answer.
    #[n(0)]
    pub debtor: Party,
    /// The last day that was missed; its month is the period in which the lateness counts.
    #[n(1)]
    pub due_date: LocalDate,
    /// The reason claimed.
    #[n(2)]
    pub claim: Option<ReasonClaim>,
    /// The ruling on it.
    #[n(3)]
    pub ruling: Option<ReasonRuling>,
    /// How it ended; absent while it is open.
    #[n(4)]
    pub outcome: Option<HearingOutcome>,
}

impl Hearing {
    /// A hearing that nobody has spoken in.
    pub fn open(debtor: Party, due_date: LocalDate) -> Self {
        Self { debtor, due_date, claim: None, ruling: None, outcome: None }
    }
}

/// What an organization owed in a month, by how it was met: reproducible from the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct PunctualityCount {
    /// Answers given in time that were due in the month.
    #[n(0)]
    pub on_time: u64,
    /// Deadlines of the month that passed without an answer.
    #[n(1)]
    pub late: u64,
    /// Of these, counted after the reason was heard.
    #[n(2)]
    pub counted: u64,
    /// Of these, excused.
    #[n(3)]
    pub excused: u64,
}
