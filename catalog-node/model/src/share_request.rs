//! A share request: asking for data, and the case that follows from it.
//!
//! `submitted → (completion asked) → (opinion) → answered`; the request ends in its answer,
//! delivery and after belong to the grant. *Overdue* is a mark beside the state: a late answer
//! stays possible and nothing is deemed granted by lapse (SHR-31).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    deadline::WorkingDayClock,
    ids::{DomainId, GrantId, OrganizationId, PersonId, RequestId, SystemId},
    name::ResourceName,
    organization::PartyClass,
    rule::RuleRef,
    sharing::SharingKind,
    time::{LocalDate, UtcMillis},
};

/// An organization as a case names it: enough to show it in a domain that has it not on file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Party {
    /// The domain in which it is registered.
    #[n(0)]
    pub domain: DomainId,
    /// Its id there.
    #[n(1)]
    pub organization: OrganizationId,
    /// Its name at the time.
    #[n(2)]
    pub name: String,
    /// Its class at the time.
    #[n(3)]
    pub class: Option<PartyClass>,
}

/// What the asker promises (REG22 27; decree 809 art. 20).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Commitment {
    /// The scenario is authentic.
    #[n(0)]
    ScenarioAuthentic,
    /// The scenario is compliant.
    #[n(1)]
    ScenarioCompliant,
    /// The scenario is secure.
    #[n(2)]
    ScenarioSecure,
    /// The request is authentic.
    #[n(3)]
    RequestAuthentic,
    /// The request is lawful.
    #[n(4)]
    RequestLawful,
    /// The request is necessary.
    #[n(5)]
    RequestNecessary,
}

/// Days for which use is asked or granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Term {
    /// First day.
    #[n(0)]
    pub from: LocalDate,
    /// Last day.
    #[n(1)]
    pub to: LocalDate,
}

/// A reason that covers one item or a group of items: offered, never owed (SHR-09).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ItemReason {
    /// The items that it covers, by name.
    #[n(0)]
    pub items: Vec<String>,
    /// Why they are needed.
    #[n(1)]
    pub reason: String,
}

/// What the asker writes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RequestContent {
    /// The entry asked for.
    #[n(0)]
    pub entry: ResourceName,
    /// The system that will call.
    #[n(1)]
    pub system: SystemId,
    /// 使用场景
    #[n(2)]
    pub scenario: String,
    /// 使用依据: the duty on which the need rests.
    #[n(3)]
    pub duty_basis: String,
    /// Items, by name.
    #[n(4)]
    pub items: Vec<String>,
    /// Optional reasons.
    #[n(5)]
    pub item_reasons: Vec<ItemReason>,
    /// 使用范围: rows in words; empty = all.
    #[n(6)]
    pub row_scope: String,
    /// 共享方式
    #[n(7)]
    pub method: Option<crate::catalog_entry::SharingMethod>,
    /// 使用时限
    #[n(8)]
    pub term: Option<Term>,
    /// Commitments made, in order, each once.
    #[n(9)]
    pub commitments: Vec<Commitment>,
    /// Calls a day; absent = not named.
    #[n(20)]
    pub rate_per_day: Option<u32>,
    /// The grant that this request is to renew (SHR-23).
    #[n(21)]
    pub renews: Option<ResourceName>,
}

impl RequestContent {
    /// The content as a domain below command level 3 can take it: without what it would refuse.
    #[must_use]
    pub fn without_rate(self) -> Self {
        Self { rate_per_day: None, renews: None, ..self }
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ShareRequestState {
    /// Received by the owner; the clock runs.
    #[n(0)]
    Submitted,
    /// On its way to the owner's domain; known here, not yet received there.
    #[n(1)]
    Forwarded,
    /// The one list of what is missing was sent (SHR-22).
    #[n(2)]
    CompletionAsked,
    /// Agreed in full.
    #[n(3)]
    Agreed,
    /// Agreed to fewer items.
    #[n(4)]
    AgreedInPart,
    /// Refused with reasons.
    #[n(5)]
    Refused,
    /// Taken back by the asker.
    #[n(6)]
    Withdrawn,
    /// Never completed after the list of what is missing: closed, not refused (CAL-20).
    #[n(7)]
    NotCompleted,
}

impl ShareRequestState {
    /// Whether an answer is still owed.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Submitted | Self::Forwarded | Self::CompletionAsked)
    }
}

/// Who decides a case, who owes the answer, whose consent it needs: as the pack resolved it on
/// the day of receipt (SHR-06, POL-09).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CaseRules {
    /// The composition, for instance `xiamen-today`, and the version of the pack.
    #[n(0)]
    pub composition: String,
    /// Version of the rule pack in state when the case was received.
    #[n(1)]
    pub pack_version: u64,
    /// The scope of the pair, for instance `gov_to_gov`.
    #[n(2)]
    pub scope: String,
    /// Who owes the answer.
    #[n(3)]
    pub debtor: PartyRole,
    /// Who gives it.
    #[n(4)]
    pub decider: Decider,
    /// The rule that names the decider.
    #[n(5)]
    pub decider_rule: RuleRef,
    /// The rule that gives the answer clock.
    #[n(6)]
    pub answer_rule: Option<RuleRef>,
    /// Whether the answer needs the consent of the head of the decider's sharing office.
    #[n(7)]
    pub answer_head_consent: Option<RuleRef>,
    /// To whom an overdue answer is escalated; never the debtor.
    #[n(8)]
    pub escalation: PartyRole,
}

/// A part in a case, filled by an organization of the case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum PartyRole {
    /// The asker.
    #[n(0)]
    Requester,
    /// The provider.
    #[n(1)]
    Provider,
    /// The authority of the provider's domain.
    #[n(2)]
    Authority,
    /// Authority and provider together.
    #[n(3)]
    AuthorityAndProvider,
    /// The platform manager.
    #[n(4)]
    PlatformManager,
    /// The government of this level, or the authority above.
    #[n(5)]
    GovernmentOrSuperior,
}

/// Who gives the answer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// The provider alone (decree 809 art. 20¶3).
    #[n(0)]
    Provider,
    /// The authority, departments give opinions (FZ-M 17).
    #[n(1)]
    Authority,
    /// The authority together with the provider (REG22 26¶3).
    #[n(2)]
    AuthorityWithProvider,
}

/// An opinion of a party that does not decide alone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Opinion {
    /// Who gave it.
    #[n(0)]
    pub by: Party,
    /// The person, if one is known.
    #[n(1)]
    pub person: Option<PersonId>,
    /// For or against.
    #[n(2)]
    pub in_favor: bool,
    /// In words.
    #[n(3)]
    pub text: String,
    /// When.
    #[n(4)]
    pub given_time: UtcMillis,
}

/// The answer to a request (答复).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// Agreed to all items.
    #[n(0)]
    Agreed,
    /// Agreed to some items, with the reason for the rest.
    #[n(1)]
    AgreedInPart {
        /// The items agreed to.
        #[n(0)]
        items: Vec<String>,
        /// Why not the rest.
        #[n(1)]
        reason: String,
    },
    /// Refused.
    #[n(2)]
    Refused {
        /// A ground code, kept as a statistic; empty if none was claimed.
        #[n(0)]
        ground: String,
        /// The written reason; never empty.
        #[n(1)]
        reason: String,
    },
}

/// An answer as given.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GivenAnswer {
    /// What was answered.
    #[n(0)]
    pub answer: Answer,
    /// Who gave it; the platform itself under a standing answer.
    #[n(1)]
    pub by: Party,
    /// The person, if one is known.
    #[n(2)]
    pub person: Option<PersonId>,
    /// When, by the committed clock.
    #[n(3)]
    pub given_time: UtcMillis,
    /// Whether it came after the due instant.
    #[n(4)]
    pub late: bool,
    /// Whether it was given at once under the provider's standing answer (SHR-05).
    #[n(5)]
    pub standing: bool,
    /// The rule under which it was given or refused.
    #[n(6)]
    pub rule: Option<RuleRef>,
}

/// The one list of what is missing (SHR-22).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Completion {
    /// What is missing, one line a thing.
    #[n(0)]
    pub missing: Vec<String>,
    /// When it was asked for.
    #[n(1)]
    pub asked_time: UtcMillis,
    /// When the asker completed the request.
    #[n(2)]
    pub completed_time: Option<UtcMillis>,
    /// Whether the clock stands still until then: a house rule (CAL-19).
    #[n(3)]
    pub suspends: bool,
}

/// An extension of the answer clock.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Extension {
    /// Working days added.
    #[n(0)]
    pub working_days: u16,
    /// The special reason.
    #[n(1)]
    pub reason: String,
    /// Committed time of the authority's consent.
    #[n(2)]
    pub consented_time: UtcMillis,
    /// The rule that allows it.
    #[n(3)]
    pub rule: RuleRef,
}

/// What an overdue deadline left on the case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OverdueMark {
    /// The due instant that passed.
    #[n(0)]
    pub due_time: UtcMillis,
    /// The committed time at which it fired.
    #[n(1)]
    pub fired_time: UtcMillis,
    /// Organizations that were ordered to correct.
    #[n(2)]
    pub ordered: Vec<Party>,
    /// To whom the case was escalated.
    #[n(3)]
    pub escalated_to: PartyRole,
    /// That organization, if the domain has it on file.
    #[n(4)]
    pub escalated_party: Option<Party>,
}

/// A domain through which the case passed, with the instant of arrival there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hop {
    /// The domain.
    #[n(0)]
    pub domain: DomainId,
    /// Committed time of arrival, by that domain's clock.
    #[n(1)]
    pub arrived_time: UtcMillis,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ShareRequest {
    /// Its id.
    #[n(0)]
    pub id: RequestId,
    /// The domain where it was first received: part of its name for ever.
    #[n(1)]
    pub domain: DomainId,
    /// The domain that owns the entry; it alone changes the legal state.
    #[n(2)]
    pub owner_domain: DomainId,
    /// Number for people, given by the first domain: `2026-000123`.
    #[n(3)]
    pub case_number: String,
    /// Who asks.
    #[n(4)]
    pub requester: Party,
    /// Who provides.
    #[n(5)]
    pub provider: Party,
    /// What is asked.
    #[n(6)]
    pub content: RequestContent,
    /// Title of the entry when asked.
    #[n(7)]
    pub entry_title: String,
    /// Version of the entry when received by the owner.
    #[n(8)]
    pub entry_version: u64,
    /// The attribute that applied.
    #[n(9)]
    pub sharing: SharingKind,
    /// Where it stands.
    #[n(10)]
    pub state: ShareRequestState,
    /// Receipt by the owner's domain; absent while forwarded.
    #[n(11)]
    pub received_time: Option<UtcMillis>,
    /// The resolved rules; absent while forwarded.
    #[n(12)]
    pub rules: Option<CaseRules>,
    /// The answer clock; absent where none runs.
    #[n(13)]
    pub answer_clock: Option<WorkingDayClock>,
    /// Opinions given.
    #[n(14)]
    pub opinions: Vec<Opinion>,
    /// The one completion list.
    #[n(15)]
    pub completion: Option<Completion>,
    /// Extensions.
    #[n(16)]
    pub extensions: Vec<Extension>,
    /// What overdue left.
    #[n(17)]
    pub overdue: Option<OverdueMark>,
    /// The answer.
    #[n(18)]
    pub answer: Option<GivenAnswer>,
    /// The grant that followed.
    #[n(19)]
    pub grant: Option<ResourceName>,
    /// Domains on the way.
    #[n(20)]
    pub hops: Vec<Hop>,
    /// Counts up from 1 with every change by the owner (or by the first domain while forwarded).
    #[n(21)]
    pub version: u64,
    /// Committed time of the first receipt anywhere.
    #[n(22)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(23)]
    pub updated_time: UtcMillis,
    /// The grant itself, carried to domains that follow the case.
    #[n(24)]
    pub granted: Option<GrantId>,
}
