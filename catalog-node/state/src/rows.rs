//! Rows that are not values of the model: the cluster's own bookkeeping.

pub mod proof;
pub mod sites;

use catalog_model::{
    deadline::DeadlineKind,
    ids::{DomainId, OrganizationId, PersonId, SystemId},
    name::ResourceName,
    reason::Lang,
    refusal::Refusal,
    site::SiteId,
    time::UtcMillis,
};
use catalog_proofs::suite::Suite;
use minicbor::{Decode, Encode};

/// Kind of a domain in the "1+N+1" structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DomainKind {
    /// 省
    #[n(0)]
    Province,
    /// 市
    #[n(1)]
    City,
    /// 区
    #[n(2)]
    District,
    /// A department's own platform.
    #[n(3)]
    Department,
    /// 公共数据融合开发平台
    #[n(4)]
    Fusion,
}

/// Where another domain stands to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum PeerRelation {
    /// Above: it may follow everything we list (full scope).
    #[n(0)]
    Superior,
    /// Below: it may follow what we share.
    #[n(1)]
    Subordinate,
    /// Beside, for instance the fusion-development platform: what we share.
    #[n(2)]
    Beside,
}

/// A domain with which this one federates.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Peer {
    /// Its id.
    #[n(0)]
    pub domain: DomainId,
    /// Where it stands.
    #[n(1)]
    pub relation: PeerRelation,
}

/// What was fixed when the cluster was created.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClusterConfig {
    /// Random, drawn once.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// Counts up with each forced failover; from 1.
    #[n(1)]
    pub generation: u64,
    /// The domain that this cluster serves.
    #[n(2)]
    pub domain: DomainId,
    /// Its kind.
    #[n(3)]
    pub kind: DomainKind,
    /// Its name for people.
    #[n(4)]
    pub display_name: String,
    /// Whether the clock is moved by hand and never by stamps.
    #[n(5)]
    pub development_clock: bool,
    /// The composition of rule profiles, for instance `xiamen-today`.
    #[n(6)]
    pub composition: String,
    /// Seals page tokens.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub page_token_key: [u8; 32],
    /// With which hash and signature it proves its ledger; absent = SHA-256 and Ed25519. A cluster
    /// that names one begins at level 3.
    #[n(8)]
    pub hash_suite: Option<Suite>,
}

impl ClusterConfig {
    /// With which hash and signature it proves its ledger.
    pub fn suite(&self) -> Suite {
        self.hash_suite.unwrap_or_default()
    }
}

/// Dense counters, one row: every accepted command of a kind takes the next number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Counters {
    /// Ledger records so far.
    #[n(0)]
    pub ledger: u64,
    /// Newest revision and chain hash of the full feed.
    #[n(1)]
    pub feed_full: ChainHead,
    /// Newest revision and chain hash of the shared feed.
    #[n(2)]
    pub feed_shared: ChainHead,
    /// Last sequence given in any outbox.
    #[n(3)]
    pub outbox: u64,
    /// Year and number of the last case.
    #[n(4)]
    pub case_year: i16,
    /// See `case_year`.
    #[n(5)]
    pub case_number: u64,
    /// Entries that are listed.
    #[n(6)]
    pub listed_entries: u64,
    /// Cases in which an answer is owed here.
    #[n(7)]
    pub open_requests: u64,
    /// Of these, overdue.
    #[n(8)]
    pub overdue_requests: u64,
}

/// The newest link of a hash chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct ChainHead {
    /// Revisions count up from 1; 0 = empty.
    #[n(0)]
    pub revision: u64,
    /// SHA-256 of the link; zeros while empty.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

/// To what a head consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ConsentKind {
    /// A version of a catalog entry (decree 809 art. 13).
    #[n(0)]
    Catalog,
    /// Filing a request (art. 20).
    #[n(1)]
    Request,
    /// An answer (art. 20).
    #[n(2)]
    Answer,
    /// Answering unconditional requests at once (house rule for art. 21).
    #[n(3)]
    StandingAnswer,
}

/// A consent on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Consent {
    /// The version of the subject that was consented to.
    #[n(0)]
    pub version: u64,
    /// The organization whose head consented.
    #[n(1)]
    pub organization: OrganizationId,
    /// The head.
    #[n(2)]
    pub person: PersonId,
    /// The system that vouched for the head; absent = own credential.
    #[n(3)]
    pub asserted_by: Option<SystemId>,
    /// Committed time.
    #[n(4)]
    pub given_time: UtcMillis,
    /// SHA-256 of what was consented to: of an entry its content, of a request what is asked, of
    /// an answer the answer. A consent is to a text and holds as long as the text stands.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Number of the paper that bears the head's signature, where it came by a window.
    #[n(6)]
    pub paper: Option<String>,
}

/// A deadline row.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeadlineRow {
    /// What it belongs to.
    #[n(0)]
    pub subject: ResourceName,
    /// What is owed.
    #[n(1)]
    pub kind: DeadlineKind,
    /// First overdue instant.
    #[n(2)]
    pub due_time: UtcMillis,
    /// Revision of the clock that gave it.
    #[n(3)]
    pub revision: u32,
    /// Revision that has fired; a firing is idempotent by (deadline, revision).
    #[n(4)]
    pub fired_revision: Option<u32>,
    /// How it was counted; kept from level 3 on.
    #[n(5)]
    pub count: Option<crate::law::DeadlineCount>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct IdempotencyRow {
    /// SHA-256 of method and call bytes.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub call_digest: [u8; 32],
    /// The resource that it made or changed, if it was done.
    #[n(1)]
    pub resource: Option<ResourceName>,
    /// The refusal, if it was refused.
    #[n(2)]
    pub refusal: Option<Refusal>,
    /// Log position of the first outcome.
    #[n(3)]
    pub index: u64,
    /// Committed clock at that moment.
    #[n(4)]
    pub time: UtcMillis,
    /// Encoded [`crate::outcome::ImportResult`]s, for imports.
    #[n(5)]
    pub import: Option<Vec<crate::outcome::ImportResult>>,
    /// Whether a probe command wrote; kept from level 2 on.
    #[n(6)]
    pub probe: Option<bool>,
}

/// A probe value.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProbeRow {
    /// The value.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub value: Vec<u8>,
    /// Log position of the last write.
    #[n(1)]
    pub index: u64,
}

/// A probe value where it lies; the same bytes as a [`ProbeRow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode)]
pub struct ProbeRowRef<'b> {
    /// The value.
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    pub value: &'b [u8],
    /// Log position of the last write.
    #[n(1)]
    pub index: u64,
}

/// A calendar or a rule pack in state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct VersionedText {
    /// From 1.
    #[n(0)]
    pub version: u64,
    /// The text as loaded (CSV for calendars, JSON for rule packs).
    #[n(1)]
    pub text: String,
    /// Committed time at which it became known to the system.
    #[n(2)]
    pub known_since: UtcMillis,
}

/// What a member takes part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum MemberRole {
    /// Votes.
    #[n(0)]
    Voter,
    /// Gets everything and has no vote.
    #[n(1)]
    Learner,
    /// Votes among the old voters until the change that takes it out is finished.
    #[n(2)]
    Leaving,
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// Its id in raft, above zero.
    #[n(0)]
    pub id: u64,
    /// `host:port` at which the others reach it.
    #[n(1)]
    pub address: String,
    /// Its part.
    #[n(2)]
    pub role: MemberRole,
    /// Its site, where there are several; kept from level 4 on.
    #[n(3)]
    pub site: Option<SiteId>,
}

/// The members, in one row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Members {
    /// How many changes made it.
    #[n(0)]
    pub version: u64,
    /// By id, ascending, each once.
    #[n(1)]
    pub members: Vec<Member>,
    /// Every id that ever was a member's, ascending. None comes back: a node that lost its disk
    /// would vote twice in one term under its old id.
    #[n(2)]
    pub used_ids: Vec<u64>,
    /// Whether a change is under way that [`crate::command::MemberChange::Finish`] must end.
    #[n(3)]
    pub joint: bool,
}

/// One change of the members, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MemberChangeRow {
    /// The version that it made.
    #[n(0)]
    pub version: u64,
    /// Committed time.
    #[n(1)]
    pub time: UtcMillis,
    /// Log position.
    #[n(2)]
    pub index: u64,
    /// What was done.
    #[n(3)]
    pub change: crate::command::MemberChange,
    /// Who asked for it: domain and organization, system, gateway or node, never a person.
    #[n(4)]
    pub caller: String,
    /// The voters after it, ascending.
    #[n(5)]
    pub voters: Vec<u64>,
    /// The learners after it, ascending.
    #[n(6)]
    pub learners: Vec<u64>,
}

/// Why a node could not take changes. Append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum OutageKind {
    /// Too little free space on its disk.
    #[n(0)]
    DiskNearlyFull,
}

impl OutageKind {
    /// Its name in a record that is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::DiskNearlyFull => "disk_nearly_full",
        }
    }

    /// What it means for those who called meanwhile.
    pub fn text(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::DiskNearlyFull, Lang::En) => {
                "the node had too little free disk space and took no changes; reading went on"
            }
            (Self::DiskNearlyFull, Lang::Zh) => {
                "该节点磁盘剩余空间不足，期间不接受变更，查询不受影响"
            }
        }
    }
}

/// An outage on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OutageRow {
    /// The node.
    #[n(0)]
    pub node: u64,
    /// What was the matter.
    #[n(1)]
    pub kind: OutageKind,
    /// Since when, by the node's clock.
    #[n(2)]
    pub from: UtcMillis,
    /// Until when.
    #[n(3)]
    pub until: UtcMillis,
    /// Its ledger record.
    #[n(4)]
    pub record: u64,
}

#[cfg(test)]
mod tests;
