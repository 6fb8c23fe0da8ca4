//! Keys: `[table][order-preserving segments]`.
//!
//! Segments have a fixed length (ids, big-endian numbers) or end in a zero byte (domain ids,
//! which hold none), so that the order of keys is the order of what they mean.

use catalog_model::{
    ids::{
        DomainId, EntryId, GrantId, OrganizationId, PersonId, RequestId, RulingId, ServiceChangeId,
        SystemId, WebhookId,
    },
    name::{Resource, ResourceName},
    organization::PlatformRole,
    time::UtcMillis,
};

/// The tables. Append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Table {
    /// Single rows of the cluster: configuration, clock, counters, the head of each chain.
    Meta = 0x01,
    /// Organizations.
    Organization = 0x02,
    /// Persons.
    Person = 0x03,
    /// Business systems.
    System = 0x04,
    /// Credit code → organization.
    CreditCode = 0x05,
    /// Name of an organization → organization; used by imports.
    OrganizationName = 0x06,
    /// Platform role → organization.
    PlatformRole = 0x07,
    /// Working versions of entries.
    Entry = 0x10,
    /// Published versions of entries, own and followed.
    PublishedEntry = 0x11,
    /// Provider → entries.
    EntryByProvider = 0x12,
    /// Digest of an imported line → entry.
    EntryOrigin = 0x13,
    /// Cases.
    Request = 0x20,
    /// Party → cases.
    RequestByParty = 0x21,
    /// Due instant → open cases.
    RequestByDue = 0x22,
    /// Consents of heads.
    Consent = 0x23,
    /// Grants.
    Grant = 0x28,
    /// Entry → grants.
    GrantByEntry = 0x29,
    /// Party → grants.
    GrantByParty = 0x2a,
    /// Deadlines.
    Deadline = 0x30,
    /// Due instant → deadlines not fired yet.
    Due = 0x31,
    /// What became of a call.
    Idempotency = 0x38,
    /// Order in which the calls of a system came, for eviction.
    IdempotencyOrder = 0x39,
    /// Ledger records.
    LedgerRecord = 0x40,
    /// Hashes of complete subtrees of the ledger.
    LedgerNode = 0x41,
    /// Subject → ledger records.
    LedgerBySubject = 0x42,
    /// Free text and persons of a record, erasable.
    LedgerPayload = 0x43,
    /// Change feed records.
    Feed = 0x48,
    /// Entry → its place in a feed.
    FeedEntry = 0x49,
    /// Where we stand in another domain's feed.
    FeedCursor = 0x4a,
    /// What is owed to other domains.
    Outbox = 0x50,
    /// Calendars by version.
    Calendar = 0x58,
    /// Rule packs by version.
    RulePack = 0x59,
    /// Links to other domains.
    Peer = 0x5a,
    /// Changes of the members by version.
    MemberChange = 0x60,
    /// Outages of nodes on record.
    Outage = 0x61,
    /// Rulings of the authority on points of law.
    Ruling = 0x62,
    /// Cases that fell overdue during an outage → what was ruled.
    OutageRuling = 0x63,
    /// Outages of the platform, as people or nodes told them.
    PlatformOutage = 0x64,
    /// Cases under law that was loaded late → both results.
    LateLaw = 0x65,
    /// Work in portions, and changes of the law that wait for a second person.
    PendingWork = 0x66,
    /// Benchmarks, fault histories and drills.
    Probe = 0x70,
    /// Changes of services.
    ServiceChange = 0x2b,
    /// Entry → changes of its service.
    ServiceChangeByEntry = 0x2c,
    /// Use records.
    UseRecord = 0x2d,
    /// Published versions of own entries, for ever.
    EntryVersion = 0x14,
    /// What is on file about an own entry beside its working version.
    EntryFile = 0x15,
    /// Changes for which the catalog must be updated.
    ChangeReport = 0x16,
    /// Entries to be re-classified.
    Worklist = 0x17,
    /// Files of cases.
    CaseFile = 0x24,
    /// Organization and month → how it met what it owed.
    Punctuality = 0x25,
    /// Disputes between askers and providers.
    Dispute = 0x26,
    /// Demands for what the catalog lacks.
    Demand = 0x27,
    // Relations and quality.
    /// Datasets.
    Dataset = 0x18,
    /// Entry or system → datasets.
    DatasetIndex = 0x19,
    /// Sources of data.
    ElementSource = 0x1a,
    /// Duties by organization.
    Duty = 0x1b,
    /// Objections to attributes, and the open one of an entry.
    Objection = 0x1c,
    /// Transfers of functions, and the open one of an entry.
    FunctionTransfer = 0x1d,
    /// Emergencies, and the one of an entry.
    Emergency = 0x1e,
    /// Purchases, contracts, projects; acquisitions and collection checks by entry; platforms.
    Acquisition = 0x1f,
    /// Error reports, and those of an entry.
    ErrorReport = 0x78,
    /// Objections of persons concerned.
    PersonalObjection = 0x79,
    /// Batches by entry.
    QualityBatch = 0x7a,
    /// Item → published entries that share it.
    ItemIndex = 0x7b,
    /// Organization → how far it has dealt with its notices.
    NoticeCursor = 0x7c,
    /// Where organizations want to be told.
    Webhook = 0x7d,
    /// Webhook → deliveries that are over.
    Delivery = 0x7e,
    /// Cells that are kept for watched domains, with the acts at risk that they named.
    Witness = 0x7f,
    /// Policy, switchovers, forks, what our own witness said.
    Sites = 0x80,
    /// What of the payloads is gone, and by which record.
    PayloadGone = 0x44,
    /// Heads of other domains that are held here.
    HeldHead = 0x45,
    /// Cosignatures on our heads.
    Cosignature = 0x46,
    /// Sealed segments of the ledger.
    Segment = 0x47,
    /// Drills, and the one that is open.
    Drill = 0x90,
    /// Drill → what its prober wrote.
    DrillProbe = 0x91,
    /// Due instant → probes that have not fired.
    DrillDue = 0x92,
}

/// Room for most keys, in bytes: they are put together from parts, and would otherwise be moved with each.
const USUAL_BYTES: usize = 96;

/// A key under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl Key {
    /// The empty key of `table`, a prefix of all its keys.
    pub fn table(table: Table) -> Self {
        let mut key = Vec::with_capacity(USUAL_BYTES);
        key.push(table as u8);
        Self(key)
    }

    /// Adds a domain.
    pub fn domain(mut self, domain: &DomainId) -> Self {
        self.0.extend_from_slice(domain.as_str().as_bytes());
        self.0.push(0);
        self
    }

    /// Adds sixteen bytes of an id.
    pub fn id(mut self, id: [u8; 16]) -> Self {
        self.0.extend_from_slice(&id);
        self
    }

    /// Adds a number, in its order.
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Adds one byte.
    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// Adds a text that is the last segment.
    pub fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds bytes that are the last segment.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A key that was read from a row.
    pub fn from_stored(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }

    /// The first key after every key that begins with this one.
    pub fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                break;
            }
        }
        end
    }
}

/// Single rows.
pub mod meta {
    use super::{Key, Table};

    macro_rules! rows {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
            $($(#[$doc])* pub fn $name() -> Key { Key::table(Table::Meta).text($text) })*
        };
    }

    rows! {
        /// [`crate::rows::ClusterConfig`]
        cluster = "cluster";
        /// Committed clock, milliseconds.
        clock = "clock";
        /// [`crate::rows::Counters`]
        counters = "counters";
        /// Current calendar version.
        calendar_version = "calendar";
        /// Current rule pack version.
        rule_pack_version = "rule_pack";
        /// Level of commands that the cluster uses; absent = 1.
        level = "level";
        /// [`crate::rows::Members`]; absent in clusters that were created before level 2, until
        /// the first change.
        members = "members";
        /// Version of the calendar under which running clocks are being counted again; absent
        /// once that is done.
        recount = "recount";
        /// State hash chain: not part of what it hashes.
        state_hash = "state_hash";
        /// [`catalog_model::entry_file::ReclassificationPass`]; absent before the first.
        reclassification = "reclassification";
        /// [`crate::rows::sites::SitesRow`]; absent in clusters of one site.
        sites = "sites";
    }
}

/// `[domain][id]`
pub fn organization(domain: &DomainId, id: OrganizationId) -> Key {
    Key::table(Table::Organization).domain(domain).id(id.to_bytes())
}

/// `[domain][organization][id]`
pub fn person(domain: &DomainId, organization: OrganizationId, id: PersonId) -> Key {
    Key::table(Table::Person).domain(domain).id(organization.to_bytes()).id(id.to_bytes())
}

/// `[domain][organization][id]`
pub fn system(domain: &DomainId, organization: OrganizationId, id: SystemId) -> Key {
    Key::table(Table::System).domain(domain).id(organization.to_bytes()).id(id.to_bytes())
}

/// `[code]`
pub fn credit_code(code: &str) -> Key {
    Key::table(Table::CreditCode).text(code)
}

/// `[domain][name]`
pub fn organization_name(domain: &DomainId, name: &str) -> Key {
    Key::table(Table::OrganizationName).domain(domain).text(name)
}

/// `[role]`
pub fn platform_role(role: PlatformRole) -> Key {
    Key::table(Table::PlatformRole).byte(role as u8)
}

/// `[domain][id]`
pub fn entry(domain: &DomainId, id: EntryId) -> Key {
    Key::table(Table::Entry).domain(domain).id(id.to_bytes())
}

/// `[domain][id]`
pub fn published_entry(domain: &DomainId, id: EntryId) -> Key {
    Key::table(Table::PublishedEntry).domain(domain).id(id.to_bytes())
}

/// `[domain][provider][id]`
pub fn entry_by_provider(domain: &DomainId, provider: OrganizationId, id: EntryId) -> Key {
    Key::table(Table::EntryByProvider).domain(domain).id(provider.to_bytes()).id(id.to_bytes())
}

/// `[digest]`
pub fn entry_origin(digest: &[u8; 32]) -> Key {
    Key::table(Table::EntryOrigin).bytes(digest)
}

/// `[domain][id]`
pub fn request(domain: &DomainId, id: RequestId) -> Key {
    Key::table(Table::Request).domain(domain).id(id.to_bytes())
}

/// `[party][domain][id]`
pub fn request_by_party(party: OrganizationId, domain: &DomainId, id: RequestId) -> Key {
    Key::table(Table::RequestByParty).id(party.to_bytes()).domain(domain).id(id.to_bytes())
}

/// `[due][domain][id]`
pub fn request_by_due(due: UtcMillis, domain: &DomainId, id: RequestId) -> Key {
    Key::table(Table::RequestByDue).number(due.0).domain(domain).id(id.to_bytes())
}

/// `[kind][subject]`
pub fn consent(kind: crate::rows::ConsentKind, subject: &ResourceName) -> Key {
    Key::table(Table::Consent).byte(kind as u8).text(&subject.to_string())
}

/// `[domain][id]`
pub fn grant(domain: &DomainId, id: GrantId) -> Key {
    Key::table(Table::Grant).domain(domain).id(id.to_bytes())
}

/// `[entry domain][entry][grant domain][grant]`
pub fn grant_by_entry(entry: (&DomainId, EntryId), domain: &DomainId, id: GrantId) -> Key {
    Key::table(Table::GrantByEntry)
        .domain(entry.0)
        .id(entry.1.to_bytes())
        .domain(domain)
        .id(id.to_bytes())
}

/// `[party][domain][id]`
pub fn grant_by_party(party: OrganizationId, domain: &DomainId, id: GrantId) -> Key {
    Key::table(Table::GrantByParty).id(party.to_bytes()).domain(domain).id(id.to_bytes())
}

/// `[kind][subject]`: at most one deadline of a kind for one subject.
pub fn deadline(kind: catalog_model::deadline::DeadlineKind, subject: &ResourceName) -> Key {
    Key::table(Table::Deadline).byte(kind as u8).text(&subject.to_string())
}

/// `[due][key of the deadline]`
pub fn due(due: UtcMillis, deadline: &Key) -> Key {
    Key::table(Table::Due).number(due.0).bytes(deadline.as_slice())
}

/// `[sequence]`
pub fn ledger_record(sequence: u64) -> Key {
    Key::table(Table::LedgerRecord).number(sequence)
}

/// `[level][index]`
pub fn ledger_node(level: u8, index: u64) -> Key {
    Key::table(Table::LedgerNode).byte(level).number(index)
}

/// `[subject] 0 [sequence]`
pub fn ledger_by_subject(subject: &str, sequence: u64) -> Key {
    Key::table(Table::LedgerBySubject).text(subject).byte(0).number(sequence)
}

/// `[sequence]`
pub fn ledger_payload(sequence: u64) -> Key {
    Key::table(Table::LedgerPayload).number(sequence)
}

/// `[scope][revision]`
pub fn feed(scope: crate::feed::FeedScope, revision: u64) -> Key {
    Key::table(Table::Feed).byte(scope as u8).number(revision)
}

/// `[scope][entry]`
pub fn feed_entry(scope: crate::feed::FeedScope, id: EntryId) -> Key {
    Key::table(Table::FeedEntry).byte(scope as u8).id(id.to_bytes())
}

/// `[source][scope]`
pub fn feed_cursor(source: &DomainId, scope: crate::feed::FeedScope) -> Key {
    Key::table(Table::FeedCursor).domain(source).byte(scope as u8)
}

/// `[destination][sequence]`
pub fn outbox(destination: &DomainId, sequence: u64) -> Key {
    Key::table(Table::Outbox).domain(destination).number(sequence)
}

/// `[version]`
pub fn calendar(version: u64) -> Key {
    Key::table(Table::Calendar).number(version)
}

/// `[version]`
pub fn rule_pack(version: u64) -> Key {
    Key::table(Table::RulePack).number(version)
}

/// `[domain]`
pub fn peer(domain: &DomainId) -> Key {
    Key::table(Table::Peer).domain(domain)
}

/// `[version]`
pub fn member_change(version: u64) -> Key {
    Key::table(Table::MemberChange).number(version)
}

/// `[node][kind][from]`: an outage is told apart by when it began.
pub fn outage(node: u64, kind: crate::rows::OutageKind, from: UtcMillis) -> Key {
    Key::table(Table::Outage).number(node).byte(kind as u8).number(from.0)
}

/// `[key]`
pub fn probe(key: &[u8]) -> Key {
    Key::table(Table::Probe).bytes(key)
}

/// `[domain][id]`
pub fn service_change(domain: &DomainId, id: ServiceChangeId) -> Key {
    Key::table(Table::ServiceChange).domain(domain).id(id.to_bytes())
}

/// `[entry domain][entry][domain][change]`
pub fn service_change_by_entry(
    entry: (&DomainId, EntryId),
    domain: &DomainId,
    id: ServiceChangeId,
) -> Key {
    Key::table(Table::ServiceChangeByEntry)
        .domain(entry.0)
        .id(entry.1.to_bytes())
        .domain(domain)
        .id(id.to_bytes())
}

/// `[grant domain][grant]`, a prefix of the use records under a grant.
pub fn use_records(domain: &DomainId, grant: GrantId) -> Key {
    Key::table(Table::UseRecord).domain(domain).id(grant.to_bytes())
}

/// `[grant domain][grant][number]`
pub fn use_record(domain: &DomainId, grant: GrantId, number: u64) -> Key {
    use_records(domain, grant).number(number)
}

/// `[domain][entry][number]`
pub fn entry_version(domain: &DomainId, id: EntryId, number: u64) -> Key {
    Key::table(Table::EntryVersion).domain(domain).id(id.to_bytes()).number(number)
}

/// `[domain][entry]`
pub fn entry_file(domain: &DomainId, id: EntryId) -> Key {
    Key::table(Table::EntryFile).domain(domain).id(id.to_bytes())
}

/// `[subject]`
pub fn change_report(subject: &ResourceName) -> Key {
    Key::table(Table::ChangeReport).text(&subject.to_string())
}

/// `[domain][entry]`
pub fn worklist(domain: &DomainId, id: EntryId) -> Key {
    Key::table(Table::Worklist).domain(domain).id(id.to_bytes())
}

/// `[id]`
pub fn ruling(id: RulingId) -> Key {
    Key::table(Table::Ruling).id(id.to_bytes())
}

/// `[case]`
pub fn outage_ruling(case: &ResourceName) -> Key {
    Key::table(Table::OutageRuling).text(&case.to_string())
}

/// `[number]`
pub fn platform_outage(number: u64) -> Key {
    Key::table(Table::PlatformOutage).number(number)
}

/// `[case] 0 [version of the pack]`
pub fn late_law(case: &ResourceName, version: u64) -> Key {
    late_law_of(case).number(version)
}

/// All of a case: `[case] 0`
pub fn late_law_of(case: &ResourceName) -> Key {
    Key::table(Table::LateLaw).text(&case.to_string()).byte(0)
}

/// `0 [log position at which it began]`
pub fn pending_work(number: u64) -> Key {
    pending_work_all().number(number)
}

/// All work that waits.
pub fn pending_work_all() -> Key {
    Key::table(Table::PendingWork).byte(0)
}

/// `1 [what]`: at most one proposal of a kind.
pub fn proposed_edit(what: &str) -> Key {
    proposed_edits().text(what)
}

/// All changes of the law that wait for a second person.
pub fn proposed_edits() -> Key {
    Key::table(Table::PendingWork).byte(1)
}

/// `[case]`
pub fn case_file(case: &ResourceName) -> Key {
    Key::table(Table::CaseFile).text(&case.to_string())
}

/// `[organization][month]`, the month as 202609.
pub fn punctuality(organization: OrganizationId, month: u64) -> Key {
    Key::table(Table::Punctuality).id(organization.to_bytes()).number(month)
}

/// `[domain][id]`
pub fn dispute(domain: &DomainId, id: catalog_model::ids::DisputeId) -> Key {
    Key::table(Table::Dispute).domain(domain).id(id.to_bytes())
}

/// `[domain][id]`
pub fn demand(domain: &DomainId, id: catalog_model::ids::DemandId) -> Key {
    Key::table(Table::Demand).domain(domain).id(id.to_bytes())
}

/// Whether the domain turned the separation of duties on; absent = off.
pub fn separation_switch() -> Key {
    Key::table(Table::Meta).text("separation")
}
// Relations and quality.
pub mod drills;
pub mod relations;
pub mod sites;

/// `0 [sequence]`: an erasure of one payload.
pub fn payload_erased(sequence: u64) -> Key {
    Key::table(Table::PayloadGone).byte(0).number(sequence)
}

/// `1`: how far payloads were purged.
pub fn payloads_purged() -> Key {
    Key::table(Table::PayloadGone).byte(1)
}

/// `[domain] 0`: the newest head of a domain that extends all held before.
pub fn held_head(domain: &DomainId) -> Key {
    Key::table(Table::HeldHead).domain(domain).byte(0)
}

/// `[domain] 1 [cluster] [root]`: a head that does not.
pub fn forked_head(domain: &DomainId, cluster_id: [u8; 16], root: &[u8; 32]) -> Key {
    Key::table(Table::HeldHead).domain(domain).byte(1).id(cluster_id).bytes(root)
}

/// `[domain] 2 [generation] 1`: the last head of the generation before, which a fork left behind.
pub fn left_head(domain: &DomainId, generation: u64) -> Key {
    Key::table(Table::HeldHead).domain(domain).byte(2).number(generation).byte(1)
}

/// `[cosigner]`
pub fn cosignature(cosigner: &DomainId) -> Key {
    Key::table(Table::Cosignature).domain(cosigner)
}

/// `[number]`
pub fn segment(number: u64) -> Key {
    Key::table(Table::Segment).number(number)
}

/// `[organization]`
pub fn notice_cursor(organization: OrganizationId) -> Key {
    Key::table(Table::NoticeCursor).id(organization.to_bytes())
}

/// `[id]`
pub fn webhook(id: WebhookId) -> Key {
    Key::table(Table::Webhook).id(id.to_bytes())
}

/// `[webhook]`: prefix of its deliveries.
pub fn deliveries(id: WebhookId) -> Key {
    Key::table(Table::Delivery).id(id.to_bytes())
}

/// `[webhook][record]`
pub fn delivery(id: WebhookId, sequence: u64) -> Key {
    deliveries(id).number(sequence)
}

/// The row that holds the named resource itself; for entries the working version.
pub fn of(name: &ResourceName) -> Option<Key> {
    let domain = &name.domain;
    match &name.resource {
        Resource::Domain => None,
        Resource::Entry(id) => Some(entry(domain, *id)),
        Resource::Request(id) => Some(request(domain, *id)),
        Resource::Grant(id) => Some(grant(domain, *id)),
        Resource::Organization(id) => Some(organization(domain, *id)),
        Resource::Person(organization, id) => Some(person(domain, *organization, *id)),
        Resource::System(organization, id) => Some(system(domain, *organization, *id)),
        Resource::ServiceChange(id) => Some(service_change(domain, *id)),
        Resource::Ruling(id) => Some(ruling(*id)),
        Resource::Dispute(id) => Some(dispute(domain, *id)),
        Resource::Demand(id) => Some(demand(domain, *id)),
        // Relations and quality.
        Resource::Objection(id) => Some(relations::objection(domain, *id)),
        Resource::FunctionTransfer(id) => Some(relations::transfer(domain, *id)),
        Resource::ErrorReport(id) => Some(relations::error_report(domain, *id)),
        Resource::Dataset(id) => Some(relations::dataset(domain, *id)),
        Resource::Purchase(id) => Some(relations::purchase(domain, *id)),
        Resource::Emergency(id) => Some(relations::emergency(domain, *id)),
        Resource::PersonalObjection(id) => Some(relations::personal_objection(domain, *id)),
        Resource::Contract(id) => Some(relations::contract(domain, *id)),
        Resource::Project(id) => Some(relations::project(domain, *id)),
        Resource::Webhook(id) => Some(webhook(*id)),
        Resource::Drill(id) => Some(drills::drill(*id)),
    }
}
