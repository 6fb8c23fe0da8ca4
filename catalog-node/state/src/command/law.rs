//! Commands about the law itself: rule packs, rulings, calendars, closures, outages of the platform.

use catalog_model::{
    ids::RulingId,
    name::ResourceName,
    paper_decision::PaperDecision,
    time::{LocalDate, UtcMillis},
};
use minicbor::{Decode, Encode};

use crate::law::RulingKind;

/// A command about the law. All of them need level 3.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum LawCommand {
    /// The authority loads a rule pack; where the house asks for two persons, the first call
    /// proposes and that of another person loads.
    #[n(0)]
    LoadRulePack {
        /// The pack, as JSON.
        #[n(0)]
        text: String,
        /// Why.
        #[n(1)]
        reason: String,
    },
    /// The authority loads a calendar: a new year, or a correction.
    #[n(1)]
    LoadCalendar {
        /// All official lists, as CSV; closures are no part of it.
        #[n(0)]
        text: String,
        /// Why.
        #[n(1)]
        reason: String,
    },
    /// The authority rules on a gap or a contradiction.
    #[n(2)]
    RecordRuling {
        /// Drawn by the shell.
        #[n(0)]
        id: RulingId,
        /// What it does.
        #[n(1)]
        kind: RulingKind,
        /// First day; absent = today, never earlier.
        #[n(2)]
        from: Option<LocalDate>,
        /// Last day; absent = until it is withdrawn.
        #[n(3)]
        to: Option<LocalDate>,
        /// The paper on which it was decided; absent = decided here.
        #[n(4)]
        decision: Option<PaperDecision>,
        /// Why.
        #[n(5)]
        reason: String,
    },
    /// The authority takes a ruling back: cases received from now on do without it.
    #[n(3)]
    WithdrawRuling {
        /// The ruling.
        #[n(0)]
        ruling: ResourceName,
        /// Why.
        #[n(1)]
        reason: String,
    },
    /// The authority declares days closed (typhoon stop-work).
    #[n(4)]
    DeclareClosure {
        /// Number of the document that orders it.
        #[n(0)]
        document_number: String,
        /// The days, none of them over.
        #[n(1)]
        days: Vec<LocalDate>,
        /// What it does to clocks.
        #[n(2)]
        effect: ClosureEffect,
    },
    /// The authority takes a declaration back.
    #[n(5)]
    WithdrawClosure {
        /// Number of the document that orders it.
        #[n(0)]
        document_number: String,
        /// The days.
        #[n(1)]
        days: Vec<LocalDate>,
    },
    /// An outage of the platform is put on record (SEC-18).
    #[n(6)]
    RecordPlatformOutage {
        /// Since when.
        #[n(0)]
        from: UtcMillis,
        /// Until when; not in the future.
        #[n(1)]
        until: UtcMillis,
        /// The source beside whoever enters it; may be empty where nodes recorded an outage in
        /// that time themselves.
        #[n(2)]
        second_source: String,
        /// What happened.
        #[n(3)]
        reason: String,
    },
    /// The escalation target rules whether a lateness during an outage counts.
    #[n(7)]
    RuleOutage {
        /// The case.
        #[n(0)]
        case: ResourceName,
        /// Whether it counts.
        #[n(1)]
        counts: bool,
        /// Why.
        #[n(2)]
        reason: String,
    },
}

/// What a declared closure does to clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ClosureEffect {
    /// The days do not count.
    #[n(0)]
    NotCounted,
    /// It is only on record.
    #[n(1)]
    RecordedOnly,
}

#[cfg(test)]
mod tests;
