//! The case file: what belongs to a share request beside its row, while and after it runs?
//!
//! The opinion asked for, an extension proposed, the hearing of a late debtor, the list that was
//! never completed, items granted at once, and how it was filed. Only the domain that owns the
//! entry keeps one, and only for cases in which something of it happened.

use minicbor::{Decode, Encode};

use crate::{
    deadline::WorkingDayClock,
    ids::PersonId,
    name::ResourceName,
    overdue::{CorrectionOrder, Hearing},
    paper_decision::PaperDecision,
    rule::RuleRef,
    share_request::Party,
    time::UtcMillis,
};

/// The provider was asked for its opinion (SHR-30).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpinionAsked {
    /// Committed time.
    #[n(0)]
    pub asked_time: UtcMillis,
    /// Its time to speak; absent where no rule limits it.
    #[n(1)]
    pub clock: Option<WorkingDayClock>,
    /// Whether its time ran out and its silence is on record.
    #[n(2)]
    pub silent: bool,
}

/// An extension that the debtor asks the authority's consent to (SHR-06).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ExtensionProposal {
    /// Working days to be added.
    #[n(0)]
    pub working_days: u16,
    /// The special reason.
    #[n(1)]
    pub reason: String,
    /// Who proposes.
    #[n(2)]
    pub by: Party,
    /// The person, if one is known.
    #[n(3)]
    pub person: Option<PersonId>,
    /// Committed time. The answer clock runs on.
    #[n(4)]
    pub proposed_time: UtcMillis,
}

/// An extension that the authority did not consent to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ExtensionDenied {
    /// Working days asked for.
    #[n(0)]
    pub working_days: u16,
    /// Why not.
    #[n(1)]
    pub reason: String,
    /// Committed time.
    #[n(2)]
    pub denied_time: UtcMillis,
}

/// The asker's time to complete a request (CAL-20).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CompletionLapse {
    /// From the list of what is missing.
    #[n(0)]
    pub clock: WorkingDayClock,
    /// Whether the asker was warned.
    #[n(1)]
    pub warned: bool,
}

/// Items of a mixed request that were granted under the standing answer while the rest is a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GrantedAtOnce {
    /// The items.
    #[n(0)]
    pub items: Vec<String>,
    /// The grant.
    #[n(1)]
    pub grant: ResourceName,
    /// The rule of the standing answer or of direct access.
    #[n(2)]
    pub rule: RuleRef,
}

/// Something that came by a window or on paper and was entered on behalf of (SHR-29).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WindowFiling {
    /// "request", "answer" or "opinion".
    #[n(0)]
    pub what: String,
    /// For whom it was entered.
    #[n(1)]
    pub on_behalf_of: Party,
    /// The window.
    #[n(2)]
    pub window: String,
    /// Number, digest and the date stamped there.
    #[n(3)]
    pub paper: PaperDecision,
    /// Committed time of the entry.
    #[n(4)]
    pub entered_time: UtcMillis,
}

/// A case file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct CaseFile {
    /// The opinion asked for.
    #[n(0)]
    pub opinion: Option<OpinionAsked>,
    /// The extension that waits for the authority.
    #[n(1)]
    pub proposal: Option<ExtensionProposal>,
    /// Extensions that it did not consent to.
    #[n(2)]
    pub denied: Vec<ExtensionDenied>,
    /// Orders to correct.
    #[n(3)]
    pub orders: Vec<CorrectionOrder>,
    /// One hearing a debtor.
    #[n(4)]
    pub hearings: Vec<Hearing>,
    /// The time to claim a reason.
    #[n(5)]
    pub hearing_clock: Option<WorkingDayClock>,
    /// The asker's time to complete.
    #[n(6)]
    pub lapse: Option<CompletionLapse>,
    /// What was granted at once.
    #[n(7)]
    pub at_once: Option<GrantedAtOnce>,
    /// The person who filed the request, if one is known.
    #[n(8)]
    pub filed_by: Option<PersonId>,
    /// What came by a window.
    #[n(9)]
    pub filings: Vec<WindowFiling>,
    /// Disputes about the case, in the order in which they were raised.
    #[n(10)]
    pub disputes: Vec<ResourceName>,
}
