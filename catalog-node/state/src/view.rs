//! Reading state: typed rows and ordered pages, for whoever answers calls.

mod catalog;
mod clocks;
mod drills;
mod grants;
mod law;
mod proof;
mod sites;

use catalog_model::{
    catalog_entry::CatalogEntry,
    grant::Grant,
    ids::{DomainId, EntryId, GrantId, OrganizationId, PersonId, RequestId, SystemId},
    organization::{Organization, Person, System},
    share_request::ShareRequest,
    time::UtcMillis,
};
use minicbor::Decode;

use crate::{
    codec,
    feed::{FeedRecord, FeedScope, FeedToken},
    keys::{self, Key, Table},
    outbox::OutboxItem,
    rows::{
        ClusterConfig, Consent, ConsentKind, Counters, DeadlineRow, MemberChangeRow, Members,
        OutageKind, OutageRow, Peer, ProbeRow, VersionedText,
    },
    store::Store,
};

pub(crate) use self::clocks::KINDS;
pub use self::{clocks::SubjectDeadline, grants::agreement_owed};
pub use crate::apply::catalog::publishable::EntryCheck;
// Relations and quality.
mod relations;
pub use relations::{DutyGaps, Trace, Unindexed};

/// A store, to read.
#[derive(Clone, Copy)]
pub struct View<'a>(pub &'a dyn Store);

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View")
    }
}

/// A page of rows with the key after which the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins; absent = there is none.
    pub next: Option<Vec<u8>>,
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $row:ty = $key:expr;)*) => {
        $($(#[$doc])* pub fn $name(&self, $($arg: $type),*) -> Option<$row> { self.get(&$key) })*
    };
}

/// Which domain a cluster serves, of all that its row holds.
#[derive(Decode)]
struct Serves {
    #[n(2)]
    domain: DomainId,
}

impl View<'_> {
    /// The row at `key`.
    pub fn get<T: for<'b> Decode<'b, ()>>(&self, key: &Key) -> Option<T> {
        self.0.get(key.as_slice()).map(|bytes| decode(&bytes))
    }

    /// The domain that the cluster serves, without the rest of its row; absent before bootstrap.
    pub(crate) fn own_domain(&self) -> Option<DomainId> {
        self.get::<Serves>(&keys::meta::cluster()).map(|cluster| cluster.domain)
    }

    rows! {
        /// The cluster; absent before bootstrap.
        cluster() -> ClusterConfig = keys::meta::cluster();
        /// An organization.
        organization(domain: &DomainId, id: OrganizationId) -> Organization = keys::organization(domain, id);
        /// A person.
        person(domain: &DomainId, organization: OrganizationId, id: PersonId) -> Person
            = keys::person(domain, organization, id);
        /// A system.
        system(domain: &DomainId, organization: OrganizationId, id: SystemId) -> System
            = keys::system(domain, organization, id);
        /// The working version of an entry.
        entry(domain: &DomainId, id: EntryId) -> CatalogEntry = keys::entry(domain, id);
        /// The published version of an entry, own or followed.
        published_entry(domain: &DomainId, id: EntryId) -> CatalogEntry = keys::published_entry(domain, id);
        /// A case.
        request(domain: &DomainId, id: RequestId) -> ShareRequest = keys::request(domain, id);
        /// A grant.
        grant(domain: &DomainId, id: GrantId) -> Grant = keys::grant(domain, id);
        /// A consent.
        consent(kind: ConsentKind, subject: &catalog_model::name::ResourceName) -> Consent
            = keys::consent(kind, subject);
        /// A link to another domain.
        peer(domain: &DomainId) -> Peer = keys::peer(domain);
        /// Where we stand in another domain's feed.
        feed_cursor(source: &DomainId, scope: FeedScope) -> FeedToken = keys::feed_cursor(source, scope);
        /// A feed record.
        feed_record(scope: FeedScope, revision: u64) -> FeedRecord = keys::feed(scope, revision);
        /// A calendar as loaded.
        calendar(version: u64) -> VersionedText = keys::calendar(version);
        /// A rule pack as loaded.
        rule_pack(version: u64) -> VersionedText = keys::rule_pack(version);
        /// Version of the calendar in force.
        calendar_version() -> u64 = keys::meta::calendar_version();
        /// Version of the rule pack in force.
        rule_pack_version() -> u64 = keys::meta::rule_pack_version();
        /// The file of a case; absent where nothing belongs there.
        case_file(case: &catalog_model::name::ResourceName) -> catalog_model::case_file::CaseFile
            = keys::case_file(case);
        /// A dispute.
        dispute(domain: &DomainId, id: catalog_model::ids::DisputeId) -> catalog_model::dispute::Dispute
            = keys::dispute(domain, id);
        /// A demand.
        demand(domain: &DomainId, id: catalog_model::ids::DemandId) -> catalog_model::demand::Demand
            = keys::demand(domain, id);
        /// How an organization met what it owed in a month, for instance 202609.
        punctuality(organization: OrganizationId, month: u64) -> catalog_model::overdue::PunctualityCount
            = keys::punctuality(organization, month);
        /// Whether the domain turned the separation of duties on.
        separation_switch() -> bool = keys::separation_switch();
        /// The members; absent in clusters that were created before level 2, until the first change.
        members() -> Members = keys::meta::members();
        /// An outage on record.
        outage(node: u64, kind: OutageKind, from: UtcMillis) -> OutageRow = keys::outage(node, kind, from);
        /// A probe value.
        probe(key: &[u8]) -> ProbeRow = keys::probe(key);
        /// A deadline row.
        deadline(kind: catalog_model::deadline::DeadlineKind, subject: &catalog_model::name::ResourceName)
            -> DeadlineRow = keys::deadline(kind, subject);
    }

    /// The committed clock.
    pub fn clock(&self) -> UtcMillis {
        self.get(&keys::meta::clock()).unwrap_or_default()
    }

    /// The level of commands that the cluster uses.
    pub fn level(&self) -> u32 {
        self.get(&keys::meta::level()).unwrap_or(1)
    }

    /// Changes of the members below version `before`, or all of them, the newest first.
    pub fn member_changes(&self, before: Option<u64>, limit: usize) -> Vec<MemberChangeRow> {
        let table = Key::table(Table::MemberChange);
        let end = before.map_or_else(|| table.end(), |b| keys::member_change(b).into_vec());
        let rows = self.0.range_reversed(table.as_slice(), &end).take(limit);
        rows.map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// The counters.
    pub fn counters(&self) -> Counters {
        self.get(&keys::meta::counters()).unwrap_or_default()
    }

    /// Stored bytes of a feed record, over which the chain runs.
    pub fn feed_record_bytes(&self, scope: FeedScope, revision: u64) -> Option<Vec<u8>> {
        self.0.get(keys::feed(scope, revision).as_slice())
    }

    /// What is owed to `destination` after `after`, in order.
    pub fn outbox(&self, destination: &DomainId, after: u64, limit: usize) -> Vec<OutboxItem> {
        let from = keys::outbox(destination, after.saturating_add(1));
        let end = Key::table(Table::Outbox).domain(destination).end();
        self.0.range(from.as_slice(), &end).take(limit).map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// The first due instant that has not fired, or now while work in portions waits: when the clock
    /// is to be advanced. Absent = nothing waits.
    pub fn next_due(&self) -> Option<UtcMillis> {
        let work = keys::pending_work_all();
        if self.0.range(work.as_slice(), &work.end()).next().is_some() {
            return Some(self.clock());
        }
        let table = Key::table(Table::Due);
        let owed = self.0.range(table.as_slice(), &table.end()).next().map(|(key, _)| {
            let instant = key[1..9].try_into().expect("a due key begins with its instant");
            UtcMillis(u64::from_be_bytes(instant))
        });
        owed.into_iter().chain(self.next_drill_due()).min()
    }

    /// A page of the rows below `prefix`, from `from` on (inclusive), of at most `limit` rows that
    /// `keep` accepts. At most `scan` rows are looked at, so that a sparse filter stays bounded:
    /// such a page may be short and still have a next one.
    pub fn page<T: for<'b> Decode<'b, ()>>(
        &self,
        prefix: &Key,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
        keep: impl Fn(&T) -> bool,
    ) -> Page<T> {
        self.page_of(prefix, from, limit, scan, |_, bytes| Some(decode::<T>(bytes)).filter(&keep))
    }

    /// As [`View::page`], for rows whose meaning is made from key and stored bytes.
    pub fn page_of<T>(
        &self,
        prefix: &Key,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
        make: impl Fn(&[u8], &[u8]) -> Option<T>,
    ) -> Page<T> {
        let from = from.filter(|from| *from >= prefix.as_slice()).unwrap_or(prefix.as_slice());
        let mut rows = Vec::new();
        for (looked_at, (key, bytes)) in self.0.range(from, &prefix.end()).enumerate() {
            if rows.len() == limit || looked_at == scan {
                return Page { rows, next: Some(key) };
            }
            rows.extend(make(&key, &bytes));
        }
        Page { rows, next: None }
    }

    /// The ids at the end of an index's keys: domain and sixteen bytes.
    pub fn named_by_index(key: &[u8], prefix_len: usize) -> (DomainId, [u8; 16]) {
        let rest = &key[prefix_len..];
        let (domain, id) = rest.split_at(rest.len() - 16);
        let domain = std::str::from_utf8(&domain[..domain.len() - 1]).expect("domain ids are text");
        (domain.parse().expect("domain ids are checked"), id.try_into().expect("sixteen bytes"))
    }
}

/// Rows are written by this code alone: one that does not decode is a broken invariant.
fn decode<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> T {
    codec::decode(bytes).unwrap_or_else(|error| panic!("a row does not decode: {error}"))
}
