//! Stories of proofs: heads that are shown to others, cosigned, sealed, and what may be erased.

use catalog_model::ids::DomainId;
use catalog_proofs::{
    Hash,
    against::Against,
    archive,
    head::{Cosignature, Head, SignedHead},
    hex,
    suite::Suite,
};
use minicbor::bytes::ByteArray;

use super::{Cluster, Line, World, add, domain};
use crate::{
    command::{Body, proof::ProofCommand},
    ledger::Ledger,
    machine::{Machine, Session},
    store::MemStore,
    view::View,
};

/// `sm3` or `sha256`.
pub(super) fn suite(word: &str) -> Suite {
    match word {
        "sha256" => Suite::Sha256Ed25519,
        "sm3" => Suite::Sm3Sm2,
        word => panic!("`{word}` is no suite"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

impl World {
    /// The head of a domain over `size` records, as its nodes would sign it. Signatures are not
    /// checked by apply, so that those of stories say who they are meant to be of.
    fn signed_head(&self, of: &DomainId, size: u64) -> SignedHead {
        let store = &self.clusters[of].store;
        let cluster = View(store).cluster().expect("a cluster of the story");
        let head = Head {
            domain: of.clone(),
            cluster_id: cluster.cluster_id,
            generation: cluster.generation,
            tree_size: size,
            root_hash: Ledger(store).root(size).expect("as many records"),
            time: View(store).clock(),
            suite: cluster.suite(),
        };
        let signature = format!("signed by a node of {of}").into_bytes();
        SignedHead { head, signature, certificate: Vec::new() }
    }

    /// `head siming [size=N] [from=N] [rewritten] [another] [unproven] [by=gateway:siming]`: siming
    /// shows its head here; `rewritten` has another root, `another` is of another cluster, `unproven`
    /// comes with a proof that shows nothing.
    pub(super) fn head(&mut self, line: &Line) {
        let of = domain(line.subject());
        let flag = |wanted: &str| line.subjects.iter().any(|word| word == wanted);
        let ledger = Ledger(&self.clusters[&of].store);
        let size = line.get("size").map_or(ledger.size(), number);
        let mut head = self.signed_head(&of, size);
        let held = self.view().held_head(&of).map_or(0, |held| held.head.head.tree_size);
        let from = line.get("from").map_or(held.min(size), number);
        let to = if from == size { held.max(size) } else { size };
        let mut path = ledger.consistency_proof(from, to).unwrap_or_default();
        if flag("rewritten") {
            head.head.root_hash[0] ^= 1;
        }
        if flag("another") {
            head.head.cluster_id = [0xee; 16];
        }
        if flag("unproven") {
            path = vec![[0; 32]; 3];
        }
        let path = path.into_iter().map(ByteArray::from).collect();
        let by = format!("gateway:{of}");
        let command = ProofCommand::ReceiveHead { head, from, path };
        self.call(line, &by, Body::Proof(Box::new(command)));
    }

    /// `fork_head siming [size=N] [at=N] [pair=2.2] [unproven]`: siming shows its newest head, which
    /// left the one held here at its newest fork.
    pub(super) fn fork_head(&mut self, line: &Line) {
        let of = domain(line.subject());
        let store = &self.clusters[&of].store;
        let ledger = Ledger(store);
        let fork = View(store).newest_fork().expect("a fork");
        let size = line.get("size").map_or(ledger.size(), number);
        let tree_size = line.get("at").map_or(fork.tree_size, number);
        let mut path = ledger.consistency_proof(tree_size, size).unwrap_or_default();
        if line.subjects.iter().any(|word| word == "unproven") {
            path = vec![[0; 32]; 3];
        }
        let command = ProofCommand::ReceiveFork {
            head: self.signed_head(&of, size),
            pair: line.get("pair").map_or(fork.pair, |pair| pair.parse().expect("a pair")),
            tree_size,
            root: ledger.root(tree_size).expect("as many records"),
            path: path.into_iter().map(ByteArray::from).collect(),
        };
        self.call(line, &format!("gateway:{of}"), Body::Proof(Box::new(command)));
    }

    /// `lose 3`: the last three commands of this catalog are lost with a site.
    pub(super) fn lose(&mut self, line: &Line) {
        let here = self.here();
        let kept = here.log.len() - number(line.subject()) as usize;
        let log: Vec<Vec<u8>> = here.log.drain(..).take(kept).collect();
        let (mut machine, mut store) = (Machine::new(), MemStore::default());
        for (index, bytes) in (1..).zip(&log) {
            let mut session = Session::new(&store);
            machine.apply(&mut session, index, bytes).expect("it was applied before");
            let writes = session.into_writes();
            store.write(writes);
        }
        let (index, watch) = (log.len() as u64, crate::invariants::Watch::default());
        *self.here() = Cluster { machine, store, index, log, watch };
    }

    /// `cosign fujian [size=N] [rewritten] [foreign]`: fujian cosigns the head of this catalog that it
    /// holds; `rewritten` another one over as many records, `foreign` one of its own.
    pub(super) fn cosign(&mut self, line: &Line) {
        let cosigner = domain(line.subject());
        let flag = |wanted: &str| line.subjects.iter().any(|word| word == wanted);
        let here = self.domain();
        let theirs = View(&self.clusters[&cosigner].store);
        let cluster = theirs.cluster().expect("a cluster of the story");
        let mut head = match (line.get("size"), flag("foreign")) {
            (_, true) => self.signed_head(&cosigner, 1).head,
            (Some(size), _) => self.signed_head(&here, number(size)).head,
            (None, _) => theirs.held_head(&here).expect("it holds a head").head.head,
        };
        if flag("rewritten") {
            head.root_hash[0] ^= 1;
        }
        let cosignature = Cosignature {
            cosigner: cosigner.clone(),
            cosigner_cluster: cluster.cluster_id,
            time: theirs.clock(),
            head,
            suite: cluster.suite(),
            signature: format!("signed by a node of {cosigner}").into_bytes(),
            certificate: Vec::new(),
        };
        let command = ProofCommand::ReceiveCosignature { cosignature };
        self.call(line, &format!("gateway:{cosigner}"), Body::Proof(Box::new(command)));
    }

    /// `seal N`, `erase N ground="…"`, `purge N`; by the authority unless `by=` says otherwise.
    pub(super) fn keep(&mut self, line: &Line) {
        let record = match line.subject() {
            "all" => View(&self.clusters[&self.domain()].store).counters().ledger,
            text => number(text),
        };
        let command = match line.verb.as_str() {
            "seal" => ProofCommand::SealSegment { through: record },
            "erase" => ProofCommand::ErasePayload {
                sequence: record,
                ground: line.or("ground", "").to_owned(),
            },
            _ => ProofCommand::PurgePayloads { through: record },
        };
        let authority = format!("{}.authority.system", self.domain());
        self.call(line, &authority, Body::Proof(Box::new(command)));
    }

    /// Heads of other domains, held and refused.
    pub(super) fn heads_text(&self) -> String {
        let view = self.view();
        let mut text = String::new();
        let held = view.held_heads();
        for row in &held {
            let head = &row.head.head;
            let (domain, size) = (&head.domain, head.tree_size);
            add(
                &mut text,
                format_args!("{domain} has shown {size} records, held since record {}", row.record),
            );
            for row in view.left_heads(domain) {
                let head = &row.head.head;
                let (generation, size) = (head.generation, head.tree_size);
                add(
                    &mut text,
                    format_args!("  left behind: {size} records of generation {generation}"),
                );
            }
            for row in view.forked_heads(domain) {
                let head = &row.head.head;
                add(
                    &mut text,
                    format_args!(
                        "  FORKED: {} records that do not extend them, on record {}",
                        head.tree_size, row.record
                    ),
                );
            }
        }
        if held.is_empty() { "no heads are held\n".to_owned() } else { text }
    }

    /// The newest cosignature of each domain.
    pub(super) fn cosignatures_text(&self) -> String {
        let mut text = String::new();
        for row in self.view().cosignatures() {
            let Cosignature { cosigner, head, .. } = &row.cosignature;
            add(&mut text, format_args!("{cosigner} cosigned {} records", head.tree_size));
        }
        if text.is_empty() { "nobody cosigned\n".to_owned() } else { text }
    }

    /// The sealed segments.
    pub(super) fn segments_text(&self) -> String {
        let mut text = String::new();
        for segment in self.view().segments(1, 100) {
            let archive::Segment { number, from, through, .. } = &segment;
            add(&mut text, format_args!("segment {number}: records {from} to {}", through - 1));
        }
        if text.is_empty() { "nothing is sealed\n".to_owned() } else { text }
    }

    /// What lies beside a record.
    pub(super) fn payload_text(&self, of: &str) -> String {
        let view = self.view();
        let sequence = number(of);
        match (view.payload(sequence), view.payload_gone(sequence)) {
            (Some(payload), _) => {
                let texts: Vec<_> = payload
                    .texts
                    .iter()
                    .map(|(label, text)| format!("{label} \"{text}\""))
                    .collect();
                format!("beside record {of}: {}\n", texts.join(", "))
            }
            (None, Some(gone)) => format!("gone by record {}\n", gone.record),
            (None, None) => format!("nothing beside record {of}\n"),
        }
    }

    /// `show against fujian`: this ledger against the head of it that fujian holds.
    pub(super) fn against_text(&self, holder: &str) -> String {
        let theirs = View(&self.clusters[&domain(holder)].store);
        let Some(held) = theirs.held_head(&self.domain()) else {
            return format!("{holder} holds no head of this ledger\n");
        };
        let ledger = Ledger(&self.clusters[&self.domain()].store);
        match ledger.verify_against(&held.head.head) {
            Against::Extends { held_size, size } => {
                format!("the {size} records here extend the {held_size} that {holder} holds\n")
            }
            Against::Rewritten { held_size, size, .. } => {
                format!(
                    "REWRITTEN: the {size} records here are not the {held_size} that {holder} holds\n"
                )
            }
            Against::Unknown => "these cannot be compared\n".to_owned(),
        }
    }

    /// `show archive N`: writes segment N as a file and reads it again.
    pub(super) fn archive_text(&self, of: &str) -> String {
        let store = &self.clusters[&self.domain()].store;
        let mut file = Vec::new();
        let head = View(store).segment(number(of)).map(|s| self.signed_head(&s.domain, s.through));
        crate::ledger::archive::write(store, number(of), head.as_ref(), &mut file)
            .unwrap_or_else(|error| panic!("segment {of}: {error}"));
        let mut subjects = Vec::new();
        let verified = archive::read(&mut file.as_slice(), |_, record| {
            let record = catalog_proofs::record::beginning(record).expect("a record");
            subjects.push(record.subject.to_string());
        })
        .expect("a segment that we wrote");
        subjects.sort();
        subjects.dedup();
        format!(
            "segment {of} proves records {} to {} about {}\n",
            verified.segment.from,
            verified.segment.through - 1,
            subjects.join(", ")
        )
    }

    /// Every record in its order, with the first digits of its leaf.
    pub(super) fn records_text(&self) -> String {
        let ledger = Ledger(&self.clusters[&self.domain()].store);
        let mut text = String::new();
        for sequence in 0..ledger.size() {
            let record = ledger.record(sequence).expect("records are dense");
            let fact = format!("{:?}", record.fact);
            let kind = fact.split([' ', '{']).next().unwrap_or_default().to_owned();
            let beside =
                if self.view().payload(sequence).is_some() { ", with text beside" } else { "" };
            add(&mut text, format_args!("{sequence} {kind} about {}{beside}", record.subject));
        }
        let root: Hash = ledger.root(ledger.size()).expect("its own size");
        add(&mut text, format_args!("{} root {}…", ledger.suite().hash_name(), &hex(&root)[..8]));
        text
    }
}
