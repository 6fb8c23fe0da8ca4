//! The ledger: a tamper-evident history of every accepted transition (SEC-03).
//!
//! Records form a Merkle tree as in RFC 9162 §2.1, with the hash of the cluster's suite
//! (`catalog_proofs::suite`). A record is its stored bytes; free text and persons are in it only as
//! salted digests, with an erasable payload beside, so that lawful erasure never breaks the tree.
//! Heads are signed outside of apply, by each node's own key. Here paths are made; whoever wants to
//! check one finds how in `catalog_proofs::tree`.

pub mod archive;
pub mod audit;
mod fact;
#[cfg(any(test, feature = "script"))]
mod grown;

use catalog_model::{ids::DomainId, name::ResourceName, rule::RuleRef, time::UtcMillis};
use catalog_mutation::{Mutation, active};
use catalog_proofs::{Hash, against::Against, head::Head, suite::Suite};
use minicbor::{Decode, Encode};

use crate::{
    codec,
    keys::{self, Key, Table},
    store::Store,
    tx::Tx,
};

pub use self::fact::Fact;
#[cfg(any(test, feature = "script"))]
pub use self::grown::grown;

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
    let bytes = codec::encode(&record);
    let leaf = tx.cluster.suite().leaf_hash(&bytes);
    tx.put_bytes(&keys::ledger_record(sequence), bytes);
    tx.put_bytes(&keys::ledger_by_subject(&subject.to_string(), sequence), Vec::new());
    if !texts.is_empty() {
        let payload = Payload { salt: tx.salt, texts };
        tx.put(&keys::ledger_payload(sequence), &payload);
    }
    if !active(Mutation::LedgerLeafSkipped) || sequence % 4 != 3 {
        add_leaf(tx, sequence, leaf);
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

    /// Sequence of the newest record about `subject`.
    pub fn newest_of(&self, subject: &ResourceName) -> Option<u64> {
        let prefix = Key::table(Table::LedgerBySubject).text(&subject.to_string()).byte(0);
        let (key, _) = self.0.range_reversed(prefix.as_slice(), &prefix.end()).next()?;
        Some(u64::from_be_bytes(key[key.len() - 8..].try_into().expect("the key ends in a number")))
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
