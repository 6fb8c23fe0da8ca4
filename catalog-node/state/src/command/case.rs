//! The life of a case after its receipt: what can be said to it.

use catalog_model::{
    ids::{DemandId, DisputeId, GrantId, OrganizationId, PersonId, RequestId},
    name::ResourceName,
    paper_decision::PaperDecision,
    share_request::{Answer, RequestContent},
};
use minicbor::{Decode, Encode};

/// What a helper at a window enters for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[expect(clippy::large_enum_variant, reason = "one to a command; it is never kept in numbers")]
pub enum Filing {
    /// A request.
    #[n(0)]
    Request {
        /// Drawn by the shell.
        #[n(0)]
        id: RequestId,
        /// Drawn by the shell, used if something is granted at once.
        #[n(1)]
        grant: GrantId,
        /// The asker.
        #[n(2)]
        organization: OrganizationId,
        /// What it asks.
        #[n(3)]
        content: RequestContent,
        /// The head of its sharing office whose signature is on the paper.
        #[n(4)]
        head: Option<PersonId>,
    },
    /// The answer of whoever decides the case.
    #[n(1)]
    Answer {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The answer.
        #[n(2)]
        answer: Answer,
        /// Drawn by the shell.
        #[n(3)]
        grant: GrantId,
        /// The head of the decider's sharing office whose signature is on the paper.
        #[n(4)]
        head: Option<PersonId>,
    },
    /// The provider's opinion.
    #[n(2)]
    Opinion {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// For or against.
        #[n(2)]
        in_favor: bool,
        /// In words.
        #[n(3)]
        text: String,
    },
}

impl Filing {
    /// What it is, in a word.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Request { .. } => "request",
            Self::Answer { .. } => "answer",
            Self::Opinion { .. } => "opinion",
        }
    }
}

/// One entry of a request over several.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MixedPart {
    /// Drawn by the shell.
    #[n(0)]
    pub id: RequestId,
    /// Drawn by the shell, used if something is granted at once.
    #[n(1)]
    pub grant: GrantId,
    /// What is asked of this entry.
    #[n(2)]
    pub content: RequestContent,
}

/// The commands of a case's life.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum CaseCommand {
    /// The authority asks the provider for its opinion (SHR-30).
    #[n(0)]
    AskOpinion {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
    },
    /// The debtor proposes to extend the answer clock (SHR-06).
    #[n(1)]
    ProposeExtension {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Working days to be added.
        #[n(2)]
        working_days: u16,
        /// The special reason.
        #[n(3)]
        reason: String,
    },
    /// The authority consents to the extension, or does not.
    #[n(2)]
    AnswerExtension {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Whether it consents.
        #[n(2)]
        consents: bool,
        /// Why not; may be empty with a consent.
        #[n(3)]
        reason: String,
    },
    /// A late debtor says why (SHR-31).
    #[n(3)]
    ClaimReason {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The reason.
        #[n(2)]
        text: String,
    },
    /// The party above the debtor accepts the reason, or does not.
    #[n(4)]
    RuleOnReason {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Whose reason.
        #[n(2)]
        debtor: OrganizationId,
        /// Whether it is a proper one.
        #[n(3)]
        accepted: bool,
        /// Why.
        #[n(4)]
        reason: String,
    },
    /// The authority switches the separation of duties for its domain.
    #[n(5)]
    SwitchSeparation {
        /// On or off.
        #[n(0)]
        on: bool,
        /// Why.
        #[n(1)]
        reason: String,
    },
    /// The platform manager enters what came by a window or on paper (SHR-29).
    #[n(6)]
    FileOnBehalf {
        /// What.
        #[n(0)]
        filing: Box<Filing>,
        /// Its number, digest and the date stamped on it; issued by and recorded for whom.
        #[n(1)]
        paper: PaperDecision,
        /// The window.
        #[n(2)]
        window: String,
    },
    /// Asker or provider raises a dispute (SHR-28).
    #[n(7)]
    RaiseDispute {
        /// Drawn by the shell.
        #[n(0)]
        id: DisputeId,
        /// The case.
        #[n(1)]
        request: ResourceName,
        /// The position of the side that raises it.
        #[n(2)]
        text: String,
    },
    /// A side states its position.
    #[n(8)]
    StatePosition {
        /// The dispute.
        #[n(0)]
        dispute: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The position.
        #[n(2)]
        text: String,
        /// The paper, where the platform enters the position of a side that has no access here.
        #[n(3)]
        paper: Option<PaperDecision>,
    },
    /// A side records how the consultation ended.
    #[n(9)]
    EndConsultation {
        /// The dispute.
        #[n(0)]
        dispute: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Whether the two agreed.
        #[n(2)]
        agreed: bool,
        /// The minutes.
        #[n(3)]
        minutes: String,
    },
    /// The coordinating authority records its result.
    #[n(10)]
    CoordinateDispute {
        /// The dispute.
        #[n(0)]
        dispute: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Whether the two agreed before it.
        #[n(2)]
        agreed: bool,
        /// The minutes.
        #[n(3)]
        minutes: String,
        /// The paper of the common superior authority.
        #[n(4)]
        paper: Option<PaperDecision>,
    },
    /// The government's decision is entered.
    #[n(11)]
    DecideDispute {
        /// The dispute.
        #[n(0)]
        dispute: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The decision.
        #[n(2)]
        decision: PaperDecision,
        /// What it says, in words.
        #[n(3)]
        result: String,
    },
    /// Somebody needs what the catalog lacks (SHR-18).
    #[n(12)]
    FileDemand {
        /// Drawn by the shell.
        #[n(0)]
        id: DemandId,
        /// What people call it.
        #[n(1)]
        title: String,
        /// What is needed and for which duty.
        #[n(2)]
        text: String,
    },
    /// The platform found that the catalog lacks it.
    #[n(13)]
    PreReviewDemand {
        /// The demand.
        #[n(0)]
        demand: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// What was found.
        #[n(2)]
        note: String,
    },
    /// It goes to an organization.
    #[n(14)]
    RouteDemand {
        /// The demand.
        #[n(0)]
        demand: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// To whom.
        #[n(2)]
        provider: OrganizationId,
        /// Why it is its duty.
        #[n(3)]
        note: String,
    },
    /// That organization confirms or disputes that it is its duty.
    #[n(15)]
    AnswerDemand {
        /// The demand.
        #[n(0)]
        demand: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Whether it confirms.
        #[n(2)]
        confirmed: bool,
        /// In words.
        #[n(3)]
        note: String,
    },
    /// What was needed is in the catalog.
    #[n(16)]
    SupplyDemand {
        /// The demand.
        #[n(0)]
        demand: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The entry.
        #[n(2)]
        entry: ResourceName,
    },
    /// It ends otherwise.
    #[n(17)]
    CloseDemand {
        /// The demand.
        #[n(0)]
        demand: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// A request over several entries: one number, a part for each.
    #[n(18)]
    CreateMixedRequest {
        /// The parts, in the order of their numbers.
        #[n(0)]
        parts: Vec<MixedPart>,
        /// The head of the asker's sharing office, who consents to all of it.
        #[n(1)]
        head: Option<PersonId>,
    },
}

impl CaseCommand {
    /// The case on which it acts, if it is one that is known already.
    pub fn request(&self) -> Option<&ResourceName> {
        match self {
            Self::AskOpinion { request, .. }
            | Self::ProposeExtension { request, .. }
            | Self::AnswerExtension { request, .. }
            | Self::ClaimReason { request, .. }
            | Self::RuleOnReason { request, .. }
            | Self::RaiseDispute { request, .. } => Some(request),
            Self::FileOnBehalf { filing, .. } => match filing.as_ref() {
                Filing::Answer { request, .. } | Filing::Opinion { request, .. } => Some(request),
                Filing::Request { .. } => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
