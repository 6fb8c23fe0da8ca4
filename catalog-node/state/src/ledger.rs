//! The ledger: a tamper-evident history of every accepted transition (SEC-03).
//!
//! Records form a Merkle tree as in RFC 9162 §2.1, with the hash of the cluster's suite
//! (`catalog_proofs::suite`). A record is its stored bytes; free text and persons are in it only as
//! salted digests, with an erasable payload beside, so that lawful erasure never breaks the tree.
//! Heads are signed outside of apply, by each node's own key. Here paths are made; whoever wants to
//! check one finds how in `catalog_proofs::tree`.

pub mod archive;
pub mod audit;

use catalog_model::{
    ids::DomainId,
    name::ResourceName,
    reason::Reason,
    rule::RuleRef,
    sharing::SharingKind,
    time::{LocalDate, UtcMillis},
};
use catalog_mutation::{Mutation, active};
use catalog_proofs::{Hash, against::Against, head::Head, suite::Suite};
use minicbor::{Decode, Encode};

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
    /// A head of another domain is held here from now on (FED-15).
    #[n(170)]
    HeadHeld {
        /// The domain.
        #[n(0)]
        domain: DomainId,
        /// Records in it.
        #[n(1)]
        tree_size: u64,
        /// Its root.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        root: Hash,
    },
    /// A head of another domain did not extend the one held: its past was rewritten (FED-15).
    #[n(171)]
    HeadForked {
        /// The domain.
        #[n(0)]
        domain: DomainId,
        /// Records in the head held.
        #[n(1)]
        held_size: u64,
        /// Its root.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        held_root: Hash,
        /// Records in the one that does not extend it.
        #[n(3)]
        tree_size: u64,
        /// Its root.
        #[n(4)]
        #[cbor(with = "minicbor::bytes")]
        root: Hash,
    },
    /// Another domain cosigned a head of this ledger (FED-15).
    #[n(172)]
    HeadCosigned {
        /// The domain.
        #[n(0)]
        cosigner: DomainId,
        /// Records in the head.
        #[n(1)]
        tree_size: u64,
    },
    /// A segment of the ledger was sealed, to be archived.
    #[n(173)]
    SegmentSealed {
        /// Its number.
        #[n(0)]
        number: u64,
        /// First record.
        #[n(1)]
        from: u64,
        /// The record after its last.
        #[n(2)]
        through: u64,
        /// The chain's link.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        link: Hash,
    },
    /// Text and persons beside a record were erased, on a ground that the digests hold (SEC-03).
    #[n(174)]
    PayloadErased {
        /// The record.
        #[n(0)]
        sequence: u64,
    },
    /// Texts and persons beside records were deleted after the end of retention (SEC-16).
    #[n(175)]
    PayloadsPurged {
        /// First record.
        #[n(0)]
        from: u64,
        /// The record after the last.
        #[n(1)]
        through: u64,
        /// How many of them had something beside them.
        #[n(2)]
        count: u64,
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
                digest: tx.cluster.suite().text_digest(&tx.salt, label, text),
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
        add_leaf(tx, sequence, tx.cluster.suite().leaf_hash(&bytes));
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

/// Stores the hash of leaf `index` and of every subtree that it completes: amortized two rows a
/// leaf, and every proof is a walk over stored hashes.
fn add_leaf(tx: &mut Tx<'_>, index: u64, leaf: Hash) {
    let suite = tx.cluster.suite();
    let mut hash = leaf;
    let mut level = 0u8;
    let mut position = index;
    tx.put_bytes(&keys::ledger_node(level, position), hash.to_vec());
    while position % 2 == 1 {
        let left = stored(tx.get_bytes(&keys::ledger_node(level, position - 1)));
        hash = suite.node_hash(&left, &hash);
        level += 1;
        position /= 2;
        tx.put_bytes(&keys::ledger_node(level, position), hash.to_vec());
    }
}

fn stored(bytes: Option<Vec<u8>>) -> Hash {
    bytes
        .expect("every complete subtree has its hash stored")
        .try_into()
        .expect("a node row has 32 bytes")
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

    /// With which hash it is made.
    pub fn suite(&self) -> Suite {
        crate::view::View(self.0).cluster().map_or_else(Suite::default, |cluster| cluster.suite())
    }

    /// Hash of the complete or ragged subtree over leaves `from..to`.
    fn subtree(&self, suite: Suite, from: u64, to: u64) -> Hash {
        let size = to - from;
        if size.is_power_of_two() && from.is_multiple_of(size) {
            let level = size.trailing_zeros() as u8;
            return stored(self.0.get(keys::ledger_node(level, from / size).as_slice()));
        }
        let split = from + split(size);
        suite.node_hash(&self.subtree(suite, from, split), &self.subtree(suite, split, to))
    }

    /// Root of the tree over the first `size` records; `None` if there are fewer.
    pub fn root(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(self.suite().empty_root()),
            _ if size > self.size() => None,
            _ => Some(self.subtree(self.suite(), 0, size)),
        }
    }

    /// The complete subtrees over the first `size` records, the largest first: one for each binary
    /// one of `size`. `None` if there are fewer records.
    pub fn peaks(&self, size: u64) -> Option<Vec<Hash>> {
        if size > self.size() {
            return None;
        }
        let mut peaks = Vec::new();
        let mut from = 0;
        for level in (0..u64::BITS as u8).rev() {
            let leaves = 1 << level;
            if size & leaves != 0 {
                peaks.push(stored(self.0.get(keys::ledger_node(level, from / leaves).as_slice())));
                from += leaves;
            }
        }
        Some(peaks)
    }

    /// Whether this is still the ledger of which somebody holds `held` (FED-15). The head of another
    /// domain, cluster or suite says nothing about it.
    pub fn verify_against(&self, held: &Head) -> Against {
        let Some(cluster) = crate::view::View(self.0).cluster() else { return Against::Unknown };
        let ours = (&cluster.domain, cluster.cluster_id, cluster.suite());
        let (held_size, size) = (held.tree_size, self.size());
        if ours != (&held.domain, held.cluster_id, held.suite) || held_size == 0 {
            return Against::Unknown;
        }
        let root = self.root(held_size);
        if root == Some(held.root_hash) {
            return Against::Extends { held_size, size };
        }
        Against::Rewritten { held_size, held_root: held.root_hash, size, root }
    }

    /// RFC 9162 §2.1.3: the path from leaf `index` to the root over `size` records.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let mut path = Vec::new();
        self.path(self.suite(), index, 0, size, &mut path);
        Some(path)
    }

    fn path(&self, suite: Suite, index: u64, from: u64, to: u64, path: &mut Vec<Hash>) {
        if to - from == 1 {
            return;
        }
        let middle = from + split(to - from);
        if index < middle {
            self.path(suite, index, from, middle, path);
            path.push(self.subtree(suite, middle, to));
        } else {
            self.path(suite, index, middle, to, path);
            path.push(self.subtree(suite, from, middle));
        }
    }

    /// RFC 9162 §2.1.4: the proof that the tree over `second` records extends that over `first`.
    pub fn consistency_proof(&self, first: u64, second: u64) -> Option<Vec<Hash>> {
        if first == 0 || first > second || second > self.size() {
            return None;
        }
        let mut path = Vec::new();
        self.sub_proof(self.suite(), first, (0, second), true, &mut path);
        Some(path)
    }

    fn sub_proof(
        &self,
        suite: Suite,
        first: u64,
        (from, to): (u64, u64),
        whole: bool,
        path: &mut Vec<Hash>,
    ) {
        if first == to {
            if !whole {
                path.push(self.subtree(suite, from, to));
            }
            return;
        }
        let middle = from + split(to - from);
        if first <= middle {
            self.sub_proof(suite, first, (from, middle), whole, path);
            path.push(self.subtree(suite, middle, to));
        } else {
            self.sub_proof(suite, first, (middle, to), false, path);
            path.push(self.subtree(suite, from, middle));
        }
    }
}

/// The largest power of two below `size`.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests;
