//! Everything that can happen to a catalog, as the log keeps it.
//!
//! Golden bytes of every version are kept for ever: bodies and fields are only appended. A body
//! that this version does not know fails to decode, and the node stops rather than diverge.

pub mod case;
pub mod catalog;
pub mod drill;
mod grant;
mod law;
pub mod proof;
pub mod sites;

use catalog_model::{
    caller::Caller,
    catalog_entry::{EntryContent, EntryOrigin},
    ids::{DomainId, EntryId, GrantId, OrganizationId, PersonId, RequestId, SystemId},
    name::ResourceName,
    organization::{DataKind, Organization, PartyClass, Person, PersonRole, PlatformRole, System},
    share_request::{Answer, RequestContent, ShareRequest},
    site::SiteId,
    time::{LocalDate, UtcMillis},
};
use minicbor::{Decode, Encode};

pub use self::grant::GrantCommand;
// Relations and quality.
mod quality;
mod relations;
pub mod work;
pub use quality::{PersonalObjectionStep, QualityCommand, ReportStep};
pub use relations::{
    ContractStep, EmergencyContent, EmergencyStep, LinkTarget, ObjectionStep, PurchaseStep,
    RelationsCommand, TransferStep,
};

use crate::{
    feed::{FeedScope, FeedToken},
    rows::{ClusterConfig, ConsentKind, Member, OutageKind, Peer},
};

pub use self::law::{ClosureEffect, LawCommand};

/// The highest command level that this version applies.
///
/// * 1: everything up to the first release.
/// * 2: members, levels and outages in state; a repeated probe call gets its first answer.
/// * 3: the law complete.
/// * 4: sites, the witness cell, forks, what protects graded data, drills.
pub const LEVEL: u32 = 4;

/// One committed command.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Command {
    /// The level that the body needs, [`Body::level`]; above [`LEVEL`] the node stops.
    #[n(0)]
    pub level: u32,
    /// The proposer's stamp; ignored where the clock is moved by hand.
    #[n(1)]
    pub stamped_at: UtcMillis,
    /// When the gateway received the call, by the gateway's clock.
    #[n(2)]
    pub received_at: Option<UtcMillis>,
    /// Who caused it.
    #[n(3)]
    pub caller: Caller,
    /// The caller's idempotency key, for calls that carry one.
    #[n(4)]
    pub request_id: Option<String>,
    /// SHA-256 of method and call bytes as received; zeros without `request_id`.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub call_digest: [u8; 32],
    /// Drawn by the shell: salts the digests of free text and persons in the ledger.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// What happens.
    #[n(7)]
    pub body: Body,
}

/// How much of what is due a proposer asks for in one command from level 3 on: an answer that is
/// overdue brings orders, a hearing and their records with it, and whoever reads meanwhile waits.
pub const CLOCK_PORTION: u16 = 64;

/// The bodies of commands, imperative.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Body {
    /// Creates the cluster's configuration; the first command of every log.
    #[n(0)]
    Bootstrap(#[n(0)] Box<Bootstrap>),
    /// Moves the committed clock and fires what is due.
    #[n(1)]
    AdvanceClock {
        /// The new clock; an earlier instant changes nothing.
        #[n(0)]
        to: UtcMillis,
        /// Whether a person moves a development clock.
        #[n(1)]
        development: bool,
        /// How many deadlines fire at most, and how many rows are counted again; absent = as many as
        /// levels below 3 do.
        #[n(2)]
        portion: Option<u16>,
    },
    /// Registers an organization.
    #[n(2)]
    CreateOrganization {
        /// Drawn by the shell.
        #[n(0)]
        id: OrganizationId,
        /// What the caller states.
        #[n(1)]
        content: OrganizationContent,
    },
    /// Changes an organization.
    #[n(3)]
    UpdateOrganization {
        /// Which.
        #[n(0)]
        id: OrganizationId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The whole new content, mask already applied to that version.
        #[n(2)]
        content: OrganizationContent,
    },
    /// Files a person.
    #[n(4)]
    CreatePerson {
        /// Drawn by the shell.
        #[n(0)]
        id: PersonId,
        /// The organization.
        #[n(1)]
        organization: OrganizationId,
        /// The name.
        #[n(2)]
        display_name: String,
        /// The roles.
        #[n(3)]
        roles: Vec<PersonRole>,
    },
    /// Registers a business system.
    #[n(5)]
    CreateSystem {
        /// Drawn by the shell.
        #[n(0)]
        id: SystemId,
        /// The organization.
        #[n(1)]
        organization: OrganizationId,
        /// The name.
        #[n(2)]
        display_name: String,
        /// What it does and where it stands.
        #[n(3)]
        description: String,
    },
    /// Registers an entry as a draft.
    #[n(6)]
    RegisterEntry {
        /// Drawn by the shell.
        #[n(0)]
        id: EntryId,
        /// The organization answerable for it.
        #[n(1)]
        provider: OrganizationId,
        /// Which catalog.
        #[n(2)]
        kind: DataKind,
        /// What the provider writes.
        #[n(3)]
        content: EntryContent,
    },
    /// Takes over entries of a foreign catalog as drafts (CAT-29).
    #[n(7)]
    ImportEntries {
        /// The lines of one batch.
        #[n(0)]
        entries: Vec<ImportedEntry>,
    },
    /// Changes the working version of an entry.
    #[n(8)]
    UpdateEntry {
        /// Which.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The whole new content, mask already applied to that version.
        #[n(2)]
        content: EntryContent,
    },
    /// A head consents.
    #[n(9)]
    GiveConsent {
        /// To what.
        #[n(0)]
        subject: ResourceName,
        /// Version of the subject.
        #[n(1)]
        version: u64,
        /// In which respect.
        #[n(2)]
        kind: ConsentKind,
        /// The head; for a system the one it asserts.
        #[n(3)]
        person: PersonId,
        /// The answer that is consented to, for [`ConsentKind::Answer`].
        #[n(4)]
        answer: Option<Answer>,
    },
    /// Hands an entry to the authority.
    #[n(10)]
    SubmitEntry {
        /// Which.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
    },
    /// The authority returns an entry with a reason.
    #[n(11)]
    ReturnEntry {
        /// Which.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// The authority publishes an entry (CAT-03).
    #[n(12)]
    PublishEntry {
        /// Which.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
    },
    /// Takes an entry out of the catalog.
    #[n(13)]
    WithdrawEntry {
        /// Which.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// Asks for data (SHR-04..09).
    #[n(14)]
    CreateRequest {
        /// Drawn by the shell: the case.
        #[n(0)]
        id: RequestId,
        /// Drawn by the shell: the grant, should it be given at once.
        #[n(1)]
        grant: GrantId,
        /// What the asker writes.
        #[n(2)]
        content: RequestContent,
        /// The asker's head who consents; absent where none was named.
        #[n(3)]
        consenting_person: Option<PersonId>,
    },
    /// The provider's one list of what is missing, or the asker's completion.
    #[n(15)]
    CompleteRequest {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// By the provider: what is missing.
        #[n(2)]
        missing: Vec<String>,
        /// By the asker: the whole new content.
        #[n(3)]
        completed: Option<RequestContent>,
    },
    /// A party that does not decide alone says what it thinks.
    #[n(16)]
    GiveOpinion {
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
    /// The decider answers.
    #[n(17)]
    AnswerRequest {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The answer.
        #[n(2)]
        answer: Answer,
        /// Drawn by the shell: the grant, should the answer agree.
        #[n(3)]
        grant: GrantId,
    },
    /// The authority consents to an extension.
    #[n(18)]
    ExtendRequest {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Working days to add.
        #[n(2)]
        working_days: u16,
        /// The special reason.
        #[n(3)]
        reason: String,
    },
    /// The asker takes the request back.
    #[n(19)]
    WithdrawRequest {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// Stops a grant with an order to rectify (SHR-24).
    #[n(20)]
    SuspendGrant {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The ground.
        #[n(2)]
        reason: String,
        /// Last day for rectification.
        #[n(3)]
        rectify_by: LocalDate,
    },
    /// Ends a grant after suspension and rectification period.
    #[n(21)]
    TerminateGrant {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// Another domain hands over a case about one of our entries.
    #[n(22)]
    ReceiveForwarded {
        /// The case as that domain holds it.
        #[n(0)]
        request: Box<ShareRequest>,
        /// Drawn by the shell: the grant, should it be given at once.
        #[n(1)]
        grant: GrantId,
    },
    /// The owner's domain tells how a case stands.
    #[n(23)]
    ReceiveStatus {
        /// The case as the owner holds it.
        #[n(0)]
        request: Box<ShareRequest>,
        /// The grant, once there is one.
        #[n(1)]
        grant: Option<Box<catalog_model::grant::Grant>>,
    },
    /// Another domain took what we owed it, up to a sequence.
    #[n(24)]
    AckOutbox {
        /// The domain.
        #[n(0)]
        destination: DomainId,
        /// The last sequence that it took.
        #[n(1)]
        through: u64,
    },
    /// The follower's step: cursor and data in one compare-and-set.
    #[n(25)]
    ApplyFeedBatch {
        /// Whose feed.
        #[n(0)]
        source: DomainId,
        /// Which.
        #[n(1)]
        scope: FeedScope,
        /// Where the follower stands; absent at the beginning.
        #[n(2)]
        expected: Option<FeedToken>,
        /// Stored bytes of the records, in order.
        #[n(3)]
        records: Vec<minicbor::bytes::ByteVec>,
        /// Where the follower stands after them.
        #[n(4)]
        token: FeedToken,
    },
    /// Writes a probe value.
    #[n(26)]
    ProbePut {
        /// Key.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        key: Vec<u8>,
        /// Value.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        value: Vec<u8>,
    },
    /// Writes a probe value if it is still what the caller thinks.
    #[n(27)]
    ProbeCompareAndSet {
        /// Key.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        key: Vec<u8>,
        /// The expected value; absent = the key does not exist.
        #[n(1)]
        expected: Option<minicbor::bytes::ByteVec>,
        /// Value.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        value: Vec<u8>,
    },
    /// Changes the members of the cluster; travels as the context of raft's own entry and decides
    /// whether that takes effect. Level 2.
    #[n(28)]
    ChangeMembers {
        /// Version of the list that the proposer read.
        #[n(0)]
        version: u64,
        /// The change.
        #[n(1)]
        change: MemberChange,
        /// The list as the leader knows it, used only where the state has none yet: in clusters
        /// that were created before level 2.
        #[n(2)]
        current: Vec<Member>,
    },
    /// Raises the level of commands that the cluster uses. Needs the level to which it raises.
    #[n(29)]
    RaiseLevel {
        /// The new level; one that is not above the present one changes nothing.
        #[n(0)]
        level: u32,
    },
    /// Puts on record that a node could not take changes for a while. Level 2.
    #[n(30)]
    RecordOutage {
        /// The node.
        #[n(0)]
        node: u64,
        /// What was the matter.
        #[n(1)]
        kind: OutageKind,
        /// Since when, by the node's clock; one outage of a node is recorded once.
        #[n(2)]
        from: UtcMillis,
        /// Until when.
        #[n(3)]
        until: UtcMillis,
    },
    /// What can happen to a right after it was given. Level 3.
    #[n(33)]
    Grant(#[n(0)] Box<GrantCommand>),
    /// The life of catalog entries. Level 3.
    #[n(34)]
    Catalog(#[n(0)] Box<catalog::CatalogCommand>),
    /// The law itself: rule packs, rulings, calendars, outages of the platform. Level 3.
    #[n(31)]
    Law(#[n(0)] Box<LawCommand>),
    /// The life of a case after its receipt, disputes and demands.
    #[n(32)]
    Case(#[n(0)] Box<case::CaseCommand>),
    // Relations and quality.
    /// What ties entries, systems, sources and functions together. Level 3.
    #[n(35)]
    Relations(#[n(0)] Box<RelationsCommand>),
    /// Batches, error reports, objections of persons concerned. Level 3.
    #[n(36)]
    Quality(#[n(0)] Box<QualityCommand>),
    /// Heads of other domains, archives, lawful erasure. Level 3.
    #[n(37)]
    Proof(#[n(0)] Box<proof::ProofCommand>),
    /// Notices to organizations. Level 3.
    #[n(38)]
    Work(#[n(0)] Box<work::WorkCommand>),
    /// Sites, the witness cell, forks. Level 4.
    #[n(39)]
    Sites(#[n(0)] Box<sites::SitesCommand>),
    /// Rehearsed failures. Level 4.
    #[n(48)]
    Drill(#[n(0)] Box<drill::DrillCommand>),
}

impl Body {
    /// The level that this body needs: what [`Command::level`] is to be set to. A cluster that is
    /// below it refuses.
    pub fn level(&self) -> u32 {
        match self {
            Self::Bootstrap(bootstrap)
                if bootstrap.members.as_ref().is_some_and(|members| sited(members)) =>
            {
                bootstrap.level.unwrap_or(1).max(4)
            }
            Self::Bootstrap(bootstrap) if bootstrap.cluster.hash_suite.is_some() => {
                bootstrap.level.unwrap_or(1).max(3)
            }
            Self::Bootstrap(bootstrap) if bootstrap.members.is_some() => {
                bootstrap.level.unwrap_or(1).max(2)
            }
            Self::Bootstrap(bootstrap) => bootstrap.level.unwrap_or(1),
            Self::ChangeMembers { change, current, .. }
                if change.site().is_some() || sited(current) =>
            {
                4
            }
            Self::ChangeMembers { .. } | Self::RecordOutage { .. } => 2,
            Self::Sites(_) => 4,
            Self::Proof(command)
                if matches!(**command, proof::ProofCommand::ReceiveFork { .. }) =>
            {
                4
            }
            Self::RaiseLevel { level } => (*level).max(2),
            Self::Grant(_) | Self::AdvanceClock { portion: Some(_), .. } => 3,
            body if body.speaks_of_a_course() => 3,
            // A version that does not know the particulars of an entry would drop them.
            Self::RegisterEntry { content, .. } | Self::UpdateEntry { content, .. }
                if content.particulars.is_some() =>
            {
                3
            }
            Self::ImportEntries { entries }
                if entries.iter().any(|line| line.content.particulars.is_some()) =>
            {
                3
            }
            Self::Catalog(_)
            | Self::Law(_)
            | Self::Case(_)
            | Self::Relations(_)
            | Self::Quality(_)
            | Self::Proof(_)
            | Self::Work(_) => 3,
            Self::Drill(_) => 4,
            _ => 1,
        }
    }
}

impl Body {
    /// Whether it carries what only level 3 knows of requests and grants: an older version would
    /// read it and leave that out.
    fn speaks_of_a_course(&self) -> bool {
        let names =
            |content: &RequestContent| content.rate_per_day.is_some() || content.renews.is_some();
        match self {
            Self::CreateRequest { content, .. } => names(content),
            Self::CompleteRequest { completed, .. } => completed.as_ref().is_some_and(names),
            Self::ReceiveForwarded { request, .. } => names(&request.content),
            Self::ReceiveStatus { request, grant } => {
                let told = grant.as_ref();
                names(&request.content) || told.is_some_and(|grant| grant.course.is_some())
            }
            _ => false,
        }
    }
}

/// Whether any member has a site: only level 4 knows of that.
fn sited(members: &[Member]) -> bool {
    members.iter().any(|member| member.site.is_some())
}

/// One step of the members. Every step but [`MemberChange::Finish`] leads into a joint
/// configuration, in which old and new voters must both agree; `Finish` leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum MemberChange {
    /// A new node comes in as a learner.
    #[n(0)]
    AddLearner {
        /// Never used before.
        #[n(0)]
        id: u64,
        /// `host:port` at which it is reached.
        #[n(1)]
        address: String,
        /// Its site, where there are several. Level 4.
        #[n(2)]
        site: Option<SiteId>,
    },
    /// A learner gets its vote.
    #[n(1)]
    Promote {
        /// The learner.
        #[n(0)]
        id: u64,
    },
    /// A member goes; its id is never used again.
    #[n(2)]
    Remove {
        /// The member.
        #[n(0)]
        id: u64,
    },
    /// A learner takes the place of a voter.
    #[n(3)]
    Replace {
        /// The voter that goes.
        #[n(0)]
        out: u64,
        /// The learner that takes its place.
        #[n(1)]
        replacement: u64,
    },
    /// The joint configuration ends: from now on the new voters decide alone.
    #[n(4)]
    Finish,
}

impl MemberChange {
    /// Its name on the wire and in the ledger.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddLearner { .. } => "add",
            Self::Promote { .. } => "promote",
            Self::Remove { .. } => "remove",
            Self::Replace { .. } => "replace",
            Self::Finish => "finish",
        }
    }

    /// The site of a node that comes in.
    pub fn site(&self) -> Option<&SiteId> {
        match self {
            Self::AddLearner { site, .. } => site.as_ref(),
            _ => None,
        }
    }

    /// The nodes that it is about; of a replacement first the one that goes.
    pub fn nodes(&self) -> Vec<u64> {
        match self {
            Self::AddLearner { id, .. } | Self::Promote { id } | Self::Remove { id } => vec![*id],
            Self::Replace { out, replacement } => vec![*out, *replacement],
            Self::Finish => Vec::new(),
        }
    }
}

/// What the first command of a log says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Bootstrap {
    /// What is fixed for ever.
    #[n(0)]
    pub cluster: ClusterConfig,
    /// The clock at the beginning.
    #[n(1)]
    pub clock: UtcMillis,
    /// The first calendar, as CSV.
    #[n(2)]
    pub calendar: String,
    /// The first rule pack, as JSON.
    #[n(3)]
    pub rule_pack: String,
    /// Organizations that must exist before anybody can call.
    #[n(4)]
    pub organizations: Vec<Organization>,
    /// Their persons.
    #[n(5)]
    pub persons: Vec<Person>,
    /// Their systems.
    #[n(6)]
    pub systems: Vec<System>,
    /// Domains with which this one federates.
    #[n(7)]
    pub peers: Vec<Peer>,
    /// The level at which the cluster begins; absent = 1.
    #[n(8)]
    pub level: Option<u32>,
    /// The nodes with which it begins; absent in clusters of level 1.
    #[n(9)]
    pub members: Option<Vec<Member>>,
}

/// The editable part of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OrganizationContent {
    /// Name.
    #[n(0)]
    pub name: String,
    /// English name; may be empty.
    #[n(1)]
    pub name_en: String,
    /// Credit code as written by the caller; checked by apply. Empty = none.
    #[n(2)]
    pub credit_code: String,
    /// Class.
    #[n(3)]
    pub class: Option<PartyClass>,
    /// Kinds of catalog that it may compile.
    #[n(4)]
    pub capacities: Vec<DataKind>,
    /// Platform role.
    #[n(5)]
    pub platform_role: Option<PlatformRole>,
    /// GB/T 2260 code; may be empty.
    #[n(6)]
    pub region_code: String,
}

/// One line of a foreign catalog.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ImportedEntry {
    /// Drawn by the shell.
    #[n(0)]
    pub id: EntryId,
    /// Drawn by the shell, used if the organization is not on file yet.
    #[n(1)]
    pub organization: OrganizationId,
    /// Name of the provider in the source.
    #[n(2)]
    pub provider_name: String,
    /// English name; may be empty.
    #[n(3)]
    pub provider_name_en: String,
    /// What the source states, nothing else.
    #[n(4)]
    pub content: EntryContent,
    /// Where it came from.
    #[n(5)]
    pub origin: EntryOrigin,
}

impl Command {
    /// The bytes that go into the log.
    pub fn encode(&self) -> Vec<u8> {
        crate::codec::encode(self)
    }

    /// The command in a log entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, crate::codec::DecodeError> {
        crate::codec::decode(bytes)
    }
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
