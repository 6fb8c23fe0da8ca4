//! The ledger: a tamper-evident history of every accepted transition (SEC-03).
//!
//! Records form a Merkle tree as in RFC 9162 §2.1: the leaf hash is `SHA-256(0x00 ‖ record)`, a
//! node's is `SHA-256(0x01 ‖ left ‖ right)`. A record is its stored bytes; free text and persons
//! are in it only as salted digests, with an erasable payload beside, so that lawful erasure never
//! breaks the tree. Heads are signed outside of apply, by each node's own key.

use catalog_model::{
    ids::DomainId,
    name::ResourceName,
    reason::Reason,
    rule::RuleRef,
    sharing::SharingKind,
    time::{LocalDate, UtcMillis},
};
use catalog_mutation::{Mutation, active};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::{
    codec,
    keys::{self, Key, Table},
    store::Store,
    tx::Tx,
};

/// One record, as it is stored and proved.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LedgerRecord {
    /// Whose ledger.
    #[n(0)]
    pub domain: DomainId,
    /// Generation of the cluster that wrote it.
    #[n(1)]
    pub generation: u64,
    /// Its place in the ledger, from 0.
    #[n(2)]
    pub sequence: u64,
    /// Committed time.
    #[n(3)]
    pub time: UtcMillis,
    /// What it is about.
    #[n(4)]
    pub subject: ResourceName,
    /// What happened.
    #[n(5)]
    pub fact: Fact,
    /// The rule on which the effect rests.
    #[n(6)]
    pub rule: Option<RuleRef>,
    /// Who caused it, without a person: domain and organization, system or gateway.
    #[n(7)]
    pub actor: String,
    /// Salted digests of free text and of the acting person, by label.
    #[n(8)]
    pub digests: Vec<TextDigest>,
}

/// `SHA-256(salt ‖ label ‖ 0x00 ‖ text)`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TextDigest {
    /// What the text is.
    #[n(0)]
    pub label: String,
    /// The digest.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

/// What is kept beside a record and may be erased.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Payload {
    /// The salt of the digests.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// Label and text.
    #[n(1)]
    pub texts: Vec<(String, String)>,
}

/// What a record says. Append only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Fact {
    /// The cluster began.
    #[n(0)]
    ClusterCreated {
        /// Its composition of rules.
        #[n(0)]
        composition: String,
    },
    /// A version of an entry was published.
    #[n(1)]
    EntryPublished {
        /// The version.
        #[n(0)]
        version: u64,
        /// The attribute.
        #[n(1)]
        sharing: SharingKind,
        /// SHA-256 of the published row's stored bytes.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
    },
    /// The authority returned an entry.
    #[n(2)]
    EntryReturned {
        /// The version.
        #[n(0)]
        version: u64,
    },
    /// An entry left the catalog.
    #[n(3)]
    EntryWithdrawn {
        /// The version.
        #[n(0)]
        version: u64,
    },
    /// A head consented.
    #[n(4)]
    ConsentGiven {
        /// To which version.
        #[n(0)]
        version: u64,
        /// Whether a system vouched for the head.
        #[n(1)]
        asserted: bool,
    },
    /// A case was received; its clock runs from here.
    #[n(5)]
    RequestReceived {
        /// The entry.
        #[n(0)]
        entry: ResourceName,
        /// Its version.
        #[n(1)]
        entry_version: u64,
        /// The asker.
        #[n(2)]
        requester: ResourceName,
        /// The items.
        #[n(3)]
        items: Vec<String>,
        /// Receipt.
        #[n(4)]
        received: UtcMillis,
        /// The due date, where a clock runs.
        #[n(5)]
        due_date: Option<LocalDate>,
        /// What the gateway's stamp differed from the committed clock by, in milliseconds.
        #[n(6)]
        gateway_difference_ms: Option<i64>,
    },
    /// A request was handed to the owner's domain.
    #[n(6)]
    RequestForwarded {
        /// The owner.
        #[n(0)]
        owner: DomainId,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
    },
    /// A request was refused at once by law: there is no case.
    #[n(7)]
    RequestRefusedAtOnce {
        /// The entry.
        #[n(0)]
        entry: ResourceName,
        /// Why.
        #[n(1)]
        reason: Reason,
    },
    /// The one list of what is missing was sent.
    #[n(8)]
    CompletionAsked,
    /// The request was completed.
    #[n(9)]
    RequestCompleted,
    /// An opinion was given.
    #[n(10)]
    OpinionGiven {
        /// For or against.
        #[n(0)]
        in_favor: bool,
    },
    /// The clock was extended.
    #[n(11)]
    RequestExtended {
        /// Working days added.
        #[n(0)]
        working_days: u16,
        /// The old due date.
        #[n(1)]
        from: LocalDate,
        /// The new one.
        #[n(2)]
        to: LocalDate,
    },
    /// The case was answered.
    #[n(12)]
    RequestAnswered {
        /// Agreed, agreed in part, refused.
        #[n(0)]
        kind: AnswerKind,
        /// The items agreed to.
        #[n(1)]
        items: Vec<String>,
        /// Whether it came after the due instant.
        #[n(2)]
        late: bool,
        /// The grant that followed.
        #[n(3)]
        grant: Option<ResourceName>,
        /// Whether the standing answer gave it.
        #[n(4)]
        standing: bool,
    },
    /// The asker took the request back.
    #[n(13)]
    RequestWithdrawn,
    /// The answer was not given in time: order to the debtor, escalation past it.
    #[n(14)]
    RequestOverdue {
        /// The due date that passed.
        #[n(0)]
        due_date: LocalDate,
        /// Organizations ordered to correct.
        #[n(1)]
        ordered: Vec<ResourceName>,
        /// To whom it was escalated.
        #[n(2)]
        escalated_to: catalog_model::share_request::PartyRole,
    },
    /// A right came to be.
    #[n(15)]
    Granted {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
        /// Who may use.
        #[n(2)]
        consumer: ResourceName,
        /// From which system.
        #[n(3)]
        system: ResourceName,
        /// Which items.
        #[n(4)]
        items: Vec<String>,
        /// First and last day.
        #[n(5)]
        from: LocalDate,
        /// See `from`.
        #[n(6)]
        to: LocalDate,
    },
    /// A right was stopped.
    #[n(16)]
    GrantSuspended {
        /// Last day for rectification.
        #[n(0)]
        rectify_by: LocalDate,
    },
    /// A right ended.
    #[n(17)]
    GrantTerminated,
    /// Something was owed by a day and not done.
    #[n(18)]
    DeadlineMissed {
        /// What.
        #[n(0)]
        kind: catalog_model::deadline::DeadlineKind,
        /// First overdue instant.
        #[n(1)]
        due: UtcMillis,
    },
    /// How a case stands at its owner, as told by the owner's domain.
    #[n(19)]
    StatusReceived {
        /// The owner.
        #[n(0)]
        owner: DomainId,
        /// Version of the case there.
        #[n(1)]
        version: u64,
    },
    /// A consulted party said nothing while its time ran (SHR-30).
    #[n(20)]
    OpinionSilent {
        /// The last day of its time.
        #[n(0)]
        due_date: LocalDate,
    },
    /// The nodes of the cluster changed.
    #[n(21)]
    MembersChanged {
        /// Version of the list.
        #[n(0)]
        version: u64,
        /// "add", "promote", "remove", "replace", "finish".
        #[n(1)]
        kind: String,
        /// The nodes that it is about.
        #[n(2)]
        nodes: Vec<u64>,
        /// The voters after it.
        #[n(3)]
        voters: Vec<u64>,
        /// The learners after it.
        #[n(4)]
        learners: Vec<u64>,
    },
    /// The cluster began to use newer commands.
    #[n(22)]
    LevelRaised {
        /// The old level.
        #[n(0)]
        from: u32,
        /// The new one.
        #[n(1)]
        to: u32,
    },
    /// A node could not take changes for a while.
    #[n(23)]
    OutageRecorded {
        /// The node.
        #[n(0)]
        node: u64,
        /// What was the matter.
        #[n(1)]
        kind: crate::rows::OutageKind,
        /// Since when, by the node's clock.
        #[n(2)]
        from: UtcMillis,
        /// Until when.
        #[n(3)]
        until: UtcMillis,
    },
    // Relations and quality.
    /// A dataset was registered.
    #[n(120)]
    DatasetRegistered {
        /// Whose.
        #[n(0)]
        organization: ResourceName,
    },
    /// A dataset was linked to an entry or a system.
    #[n(121)]
    DatasetBound {
        /// To what.
        #[n(0)]
        to: ResourceName,
        /// First day.
        #[n(1)]
        from: LocalDate,
        /// Last day, if it is known.
        #[n(2)]
        until: Option<LocalDate>,
    },
    /// A link of a dataset ended.
    #[n(122)]
    DatasetUnbound {
        /// From what.
        #[n(0)]
        from: ResourceName,
        /// Last day.
        #[n(1)]
        until: LocalDate,
    },
    /// A dataset was deleted.
    #[n(123)]
    DatasetDeleted,
    /// A business system was deleted.
    #[n(124)]
    SystemDeleted,
    /// An organization stated its duties.
    #[n(125)]
    DutiesStated {
        /// How many.
        #[n(0)]
        count: u32,
        /// Version of the list.
        #[n(1)]
        version: u64,
    },
    /// A datum got its source.
    #[n(126)]
    SourceAssigned {
        /// The department.
        #[n(0)]
        organization: ResourceName,
        /// First day.
        #[n(1)]
        from: LocalDate,
        /// Last day, if it is known.
        #[n(2)]
        until: Option<LocalDate>,
    },
    /// The assignment of a source ended.
    #[n(127)]
    SourceEnded {
        /// First day.
        #[n(0)]
        from: LocalDate,
        /// Last day.
        #[n(1)]
        until: LocalDate,
    },
    /// It was checked whether data are collected twice.
    #[n(128)]
    CollectionChecked {
        /// What was found.
        #[n(0)]
        result: catalog_model::acquisition::CollectionResult,
        /// Entries that share them.
        #[n(1)]
        overlaps: Vec<ResourceName>,
    },
    /// The transfer of a function went on.
    #[n(129)]
    TransferMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::function_transfer::TransferState,
        /// How many entries have moved.
        #[n(1)]
        moved: u32,
    },
    /// An entry went to another department.
    #[n(130)]
    EntryTransferred {
        /// By which transfer.
        #[n(0)]
        transfer: ResourceName,
        /// From.
        #[n(1)]
        from: ResourceName,
        /// To.
        #[n(2)]
        to: ResourceName,
        /// Version of the entry.
        #[n(3)]
        version: u64,
    },
    /// The authority's objection to an attribute went on.
    #[n(131)]
    ObjectionMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::attribute_objection::ObjectionState,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
        /// Digest of the paper decision.
        #[n(2)]
        decision: Option<catalog_model::acquisition::Digest>,
    },
    /// An attribute changed at the end of an objection.
    #[n(132)]
    AttributeSettled {
        /// The version that is published now.
        #[n(0)]
        version: u64,
        /// The attribute.
        #[n(1)]
        sharing: SharingKind,
        /// SHA-256 of the published row's stored bytes.
        #[n(2)]
        digest: catalog_model::acquisition::Digest,
    },
    /// The handling of emergency data went on.
    #[n(133)]
    EmergencyMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::acquisition::EmergencyState,
        /// Digest of what proves the step.
        #[n(1)]
        proof: Option<catalog_model::acquisition::Digest>,
    },
    /// Emergency data were used.
    #[n(134)]
    EmergencyUsed {
        /// By which system.
        #[n(0)]
        system: ResourceName,
    },
    /// A purchase went on.
    #[n(135)]
    PurchaseMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::acquisition::PurchaseState,
        /// Digest of the contract.
        #[n(1)]
        contract: Option<catalog_model::acquisition::Digest>,
    },
    /// A contract on collection went on.
    #[n(136)]
    ContractMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::acquisition::ContractState,
        /// Digest of the proof.
        #[n(1)]
        proof: Option<catalog_model::acquisition::Digest>,
    },
    /// It was stated how the data of an entry were acquired.
    #[n(137)]
    AcquisitionStated {
        /// How.
        #[n(0)]
        acquisition: catalog_model::acquisition::Acquisition,
    },
    /// The data assets of a project were named.
    #[n(138)]
    ProjectOpened {
        /// How many.
        #[n(0)]
        assets: u32,
    },
    /// An asset of a project was registered as an entry.
    #[n(139)]
    AssetListed {
        /// Its place.
        #[n(0)]
        asset: u32,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
    },
    /// A project passed the gate to its acceptance.
    #[n(140)]
    ProjectAccepted,
    /// A platform beside the city's was put on record.
    #[n(141)]
    PlatformRecorded {
        /// Whether it serves several departments.
        #[n(0)]
        cross_department: bool,
        /// Until when it migrates.
        #[n(1)]
        migrate_by: Option<LocalDate>,
    },
    /// A batch of data was put on record.
    #[n(142)]
    BatchRecorded {
        /// SHA-256 of its number.
        #[n(0)]
        batch: catalog_model::acquisition::Digest,
        /// Its rows.
        #[n(1)]
        rows: u64,
        /// Failures that the checks found.
        #[n(2)]
        failed: u64,
    },
    /// An error report went on.
    #[n(143)]
    ReportMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::quality::ReportState,
        /// Whether the feedback came after the due instant.
        #[n(1)]
        late: bool,
    },
    /// A batch corrected data that were reported wrong.
    #[n(144)]
    ReportCorrected {
        /// SHA-256 of its number.
        #[n(0)]
        batch: catalog_model::acquisition::Digest,
        /// Of the rows before.
        #[n(1)]
        before: catalog_model::acquisition::Digest,
        /// Of the rows after.
        #[n(2)]
        after: catalog_model::acquisition::Digest,
    },
    /// Those who hold corrected data were told.
    #[n(145)]
    ReportPropagated {
        /// Their rights.
        #[n(0)]
        holders: Vec<ResourceName>,
    },
    /// A feedback or an answer was not given in time: order to the debtor, escalation past it.
    #[n(146)]
    QualityOverdue {
        /// The due date that passed.
        #[n(0)]
        due_date: LocalDate,
        /// Who is ordered to correct.
        #[n(1)]
        ordered: ResourceName,
        /// To whom it was escalated.
        #[n(2)]
        escalated_to: Option<ResourceName>,
    },
    /// The objection of a person concerned went on.
    #[n(147)]
    PersonalObjectionMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::quality::PersonalObjectionState,
        /// Who handles it.
        #[n(1)]
        receiver: ResourceName,
        /// Whether the answer came after the due instant.
        #[n(2)]
        late: bool,
    },
}

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum AnswerKind {
    /// To all items.
    #[n(0)]
    Agreed,
    /// To some.
    #[n(1)]
    AgreedInPart,
    /// To none.
    #[n(2)]
    Refused,
}

/// Appends a record about `subject`. `texts` are free texts, kept as salted digests with an
/// erasable payload; the acting person is added to them. Returns the record's sequence.
pub fn append(
    tx: &mut Tx<'_>,
    subject: &ResourceName,
    fact: Fact,
    rule: Option<RuleRef>,
    texts: &[(&str, &str)],
) -> u64 {
    let sequence = tx.counters().ledger;
    let mut texts: Vec<(String, String)> = texts
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| ((*label).to_owned(), (*text).to_owned()))
        .collect();
    if let Some(person) = tx.caller.person() {
        texts.push(("person".to_owned(), person.to_string()));
    }
    let record = LedgerRecord {
        domain: tx.domain().clone(),
        generation: tx.cluster.generation,
        sequence,
        time: tx.clock,
        subject: subject.clone(),
        fact,
        rule,
        actor: actor(&tx.caller),
        digests: texts
            .iter()
            .map(|(label, text)| TextDigest {
                label: label.clone(),
                digest: text_digest(&tx.salt, label, text),
            })
            .collect(),
    };
    let bytes = tx.put(&keys::ledger_record(sequence), &record);
    tx.put_bytes(&keys::ledger_by_subject(&subject.to_string(), sequence), Vec::new());
    if !texts.is_empty() {
        let payload = Payload { salt: tx.salt, texts };
        tx.put(&keys::ledger_payload(sequence), &payload);
    }
    if !active(Mutation::LedgerLeafSkipped) || sequence % 4 != 3 {
        add_leaf(tx, sequence, leaf_hash(&bytes));
    }
    tx.counters_mut().ledger = sequence + 1;
    sequence
}

/// Who caused a record, without naming a person.
pub(crate) fn actor(caller: &catalog_model::caller::Caller) -> String {
    use catalog_model::caller::Identity;
    match &caller.identity {
        Identity::Person { organization, .. } => {
            format!("{}/organizations/{organization}", caller.domain)
        }
        Identity::System { organization, system, .. } => {
            format!("{}/organizations/{organization}/systems/{system}", caller.domain)
        }
        Identity::Gateway { id } => format!("{}/gateways/{id}", caller.domain),
        Identity::Node { id } => format!("{}/nodes/{id}", caller.domain),
    }
}

/// The digest of a free text.
pub fn text_digest(salt: &[u8; 16], label: &str, text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(label.as_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    hash.finalize().into()
}

/// RFC 9162 §2.1.1: the hash of a leaf.
pub fn leaf_hash(record: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(record);
    hash.finalize().into()
}

/// RFC 9162 §2.1.1: the hash of an inner node.
pub fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// Stores the hash of leaf `index` and of every subtree that it completes: amortized two rows a
/// leaf, and every proof is a walk over stored hashes.
fn add_leaf(tx: &mut Tx<'_>, index: u64, leaf: [u8; 32]) {
    let mut hash = leaf;
    let mut level = 0u8;
    let mut position = index;
    tx.put_bytes(&keys::ledger_node(level, position), hash.to_vec());
    while position % 2 == 1 {
        let left = stored(tx.get_bytes(&keys::ledger_node(level, position - 1)));
        hash = node_hash(&left, &hash);
        level += 1;
        position /= 2;
        tx.put_bytes(&keys::ledger_node(level, position), hash.to_vec());
    }
}

fn stored(bytes: Option<Vec<u8>>) -> [u8; 32] {
    bytes
        .expect("every complete subtree has its hash stored")
        .try_into()
        .expect("a node row has 32 bytes")
}

/// Hash of the empty tree: `SHA-256` of nothing.
pub fn empty_root() -> [u8; 32] {
    Sha256::digest([]).into()
}

/// The ledger of a store, to read and to prove.
#[derive(Clone, Copy)]
pub struct Ledger<'a>(pub &'a dyn Store);

impl std::fmt::Debug for Ledger<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger<'_> {
    /// How many records there are.
    pub fn size(&self) -> u64 {
        crate::view::View(self.0).counters().ledger
    }

    /// Stored bytes of a record.
    pub fn record_bytes(&self, sequence: u64) -> Option<Vec<u8>> {
        self.0.get(keys::ledger_record(sequence).as_slice())
    }

    /// A record.
    pub fn record(&self, sequence: u64) -> Option<LedgerRecord> {
        self.record_bytes(sequence)
            .map(|bytes| codec::decode(&bytes).expect("ledger records are ours"))
    }

    /// Sequences of the records about `subject`, in order.
    pub fn of_subject(&self, subject: &ResourceName) -> Vec<u64> {
        let prefix = Key::table(Table::LedgerBySubject).text(&subject.to_string()).byte(0);
        self.0
            .range(prefix.as_slice(), &prefix.end())
            .map(|(key, _)| {
                let number = key[key.len() - 8..].try_into().expect("the key ends in a number");
                u64::from_be_bytes(number)
            })
            .collect()
    }

    /// Hash of the complete or ragged subtree over leaves `from..to`.
    fn subtree(&self, from: u64, to: u64) -> [u8; 32] {
        let size = to - from;
        if size.is_power_of_two() && from.is_multiple_of(size) {
            let level = size.trailing_zeros() as u8;
            return stored(self.0.get(keys::ledger_node(level, from / size).as_slice()));
        }
        let split = from + split(size);
        node_hash(&self.subtree(from, split), &self.subtree(split, to))
    }

    /// Root of the tree over the first `size` records; `None` if there are fewer.
    pub fn root(&self, size: u64) -> Option<[u8; 32]> {
        match size {
            0 => Some(empty_root()),
            _ if size > self.size() => None,
            _ => Some(self.subtree(0, size)),
        }
    }

    /// RFC 9162 §2.1.3: the path from leaf `index` to the root over `size` records.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<[u8; 32]>> {
        if index >= size || size > self.size() {
            return None;
        }
        let mut path = Vec::new();
        self.path(index, 0, size, &mut path);
        Some(path)
    }

    fn path(&self, index: u64, from: u64, to: u64, path: &mut Vec<[u8; 32]>) {
        if to - from == 1 {
            return;
        }
        let middle = from + split(to - from);
        if index < middle {
            self.path(index, from, middle, path);
            path.push(self.subtree(middle, to));
        } else {
            self.path(index, middle, to, path);
            path.push(self.subtree(from, middle));
        }
    }

    /// RFC 9162 §2.1.4: the proof that the tree over `second` records extends that over `first`.
    pub fn consistency_proof(&self, first: u64, second: u64) -> Option<Vec<[u8; 32]>> {
        if first == 0 || first > second || second > self.size() {
            return None;
        }
        let mut path = Vec::new();
        self.sub_proof(first, 0, second, true, &mut path);
        Some(path)
    }

    fn sub_proof(&self, first: u64, from: u64, to: u64, whole: bool, path: &mut Vec<[u8; 32]>) {
        if first == to {
            if !whole {
                path.push(self.subtree(from, to));
            }
            return;
        }
        let middle = from + split(to - from);
        if first <= middle {
            self.sub_proof(first, from, middle, whole, path);
            path.push(self.subtree(middle, to));
        } else {
            self.sub_proof(first, middle, to, false, path);
            path.push(self.subtree(from, middle));
        }
    }
}

/// The largest power of two below `size`.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// RFC 9162 §2.1.3.2: whether `path` leads from `leaf` at `index` to `root` over `size` records.
pub fn verify_inclusion(
    leaf: [u8; 32],
    index: u64,
    size: u64,
    path: &[[u8; 32]],
    root: &[u8; 32],
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && hash == *root
}

/// RFC 9162 §2.1.4.2: whether `path` shows that the tree with root `second_root` over `second`
/// records extends the tree with root `first_root` over `first`.
pub fn verify_consistency(
    first: u64,
    second: u64,
    path: &[[u8; 32]],
    first_root: &[u8; 32],
    second_root: &[u8; 32],
) -> bool {
    if first == 0 || first > second {
        return false;
    }
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    let with_root;
    let path = if first.is_power_of_two() {
        with_root = [&[*first_root], path].concat();
        &with_root
    } else {
        path
    };
    let Some((start, rest)) = path.split_first() else { return false };
    let (mut node, mut last) = (first - 1, second - 1);
    while node % 2 == 1 {
        node /= 2;
        last /= 2;
    }
    let (mut first_hash, mut second_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            first_hash = node_hash(sibling, &first_hash);
            second_hash = node_hash(sibling, &second_hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            second_hash = node_hash(&second_hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && first_hash == *first_root && second_hash == *second_root
}

/// The canonical bytes of a head, over which nodes sign; see `docs/receipts.md`.
pub fn head_bytes(
    domain: &str,
    cluster_id: &str,
    generation: u64,
    tree_size: u64,
    root_hash: &[u8; 32],
    time: UtcMillis,
) -> Vec<u8> {
    use std::fmt::Write as _;
    let root = root_hash.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!(
        "luqiao-tree-head-v1\n{domain}\n{cluster_id}\n{generation}\n{tree_size}\n{root}\n{}\nsha256\n",
        time.0
    )
    .into_bytes()
}

#[cfg(test)]
mod tests;
