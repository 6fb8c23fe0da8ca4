//! Proofs between domains and over the years: whose head is held, what is sealed, what may go.
//!
//! A head of another domain is accepted only if it provably extends the one held (FED-15,
//! must-refuse 55). One that does not is refused *and* recorded: the refusal is a fact of its own,
//! with the signed head beside it as evidence, and watchers hear of it. Nothing here changes a record
//! (must-refuse 30): what can go is text and persons beside it, by lawful erasure of one record or
//! after the end of retention (must-refuse 40), and that they went is a record too.

use catalog_model::{
    caller::Identity,
    ids::DomainId,
    name::{Resource, ResourceName},
    organization::{DataKind, PartyClass, PlatformRole},
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::Pair,
    time::LocalDate,
};
use catalog_proofs::{
    Hash,
    archive::Segment,
    head::{Cosignature, Head, SignedHead},
    tree::verify_consistency,
};
use minicbor::bytes::ByteArray;

use crate::{
    apply::{cluster::operates, text},
    command::proof::ProofCommand,
    event::Event,
    keys::{self, Key},
    ledger::{self, Fact, Ledger, LedgerRecord},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::proof::{CosignatureRow, HeldHead, PayloadGone},
    tx::Tx,
    view::View,
};

/// Most payloads that one purge looks at: a command ends soon, and the next one goes on.
const PURGE_MAX: u64 = 10_000;

pub(crate) fn apply(
    tx: &mut Tx<'_>,
    law: &Law,
    command: &ProofCommand,
) -> Result<Outcome, Refusal> {
    match command {
        ProofCommand::ReceiveHead { head, from, path } => receive_head(tx, head, *from, path),
        ProofCommand::ReceiveCosignature { cosignature } => receive_cosignature(tx, cosignature),
        ProofCommand::SealSegment { through } => seal(tx, *through),
        ProofCommand::ErasePayload { sequence, ground } => erase(tx, *sequence, ground),
        ProofCommand::PurgePayloads { through } => purge(tx, law, *through),
    }
}

/// A head that does not extend the one held leaves a record and the head itself as evidence, once.
pub(crate) fn record_refusal(tx: &mut Tx<'_>, command: &ProofCommand, refusal: &Refusal) {
    let ProofCommand::ReceiveHead { head: signed, .. } = command else { return };
    if refusal.reason != Reason::HeadDoesNotExtend {
        return;
    }
    let head = &signed.head;
    let key = keys::forked_head(&head.domain, head.cluster_id, &head.root_hash);
    let held: Option<HeldHead> = tx.get(&keys::held_head(&head.domain));
    let Some(held) = held.filter(|_| !tx.has(&key)) else { return };
    let fact = Fact::HeadForked {
        domain: head.domain.clone(),
        held_size: held.head.head.tree_size,
        held_root: held.head.head.root_hash,
        tree_size: head.tree_size,
        root: head.root_hash,
    };
    let name = domain_name(&head.domain);
    let record = ledger::append(tx, &name, fact, None, &[]);
    tx.put(&key, &HeldHead { head: signed.clone(), received_time: tx.clock, record });
    tx.emit(Event::ResourceChanged(name));
}

/// How a head stands to the one held.
enum Standing {
    /// It extends the one held.
    Newer,
    /// It is the one held, or one that the held one extends: a message that came late or twice.
    Known,
    /// The proof is about other sizes: the bringer did not know what is held.
    ProofElsewhere,
    /// It does not extend the one held, nor the held one it.
    Forked,
}

fn standing(held: &Head, head: &Head, from: u64, path: &[ByteArray<32>]) -> Standing {
    if !held.same_ledger(head) {
        return Standing::Forked;
    }
    if held.tree_size == head.tree_size {
        let same = held.root_hash == head.root_hash;
        return if same { Standing::Known } else { Standing::Forked };
    }
    let newer = held.tree_size < head.tree_size;
    let (first, second) = if newer { (held, head) } else { (head, held) };
    if from != first.tree_size {
        return Standing::ProofElsewhere;
    }
    let path: Vec<Hash> = path.iter().map(|hash| **hash).collect();
    let extends = verify_consistency(
        held.suite,
        first.tree_size,
        second.tree_size,
        &path,
        &first.root_hash,
        &second.root_hash,
    );
    match (extends, newer) {
        (false, _) => Standing::Forked,
        (true, true) => Standing::Newer,
        (true, false) => Standing::Known,
    }
}

fn receive_head(
    tx: &mut Tx<'_>,
    signed: &SignedHead,
    from: u64,
    path: &[ByteArray<32>],
) -> Result<Outcome, Refusal> {
    let head = &signed.head;
    check_brings(tx, &head.domain)?;
    if head.tree_size == 0 {
        return Err(Refusal::new(Reason::FieldInvalid).field(
            "head.tree_size",
            "a head without records promises nothing",
            "没有记录的树头不构成承诺",
        ));
    }
    let name = domain_name(&head.domain);
    let done = Ok(Outcome::Done(Some(name.clone())));
    let key = keys::held_head(&head.domain);
    if let Some(HeldHead { head: held, .. }) = tx.get::<HeldHead>(&key) {
        let held = held.head;
        let refusal = |reason| {
            Refusal::new(reason)
                .fact("domain", &head.domain)
                .fact("tree_size", head.tree_size)
                .fact("held", held.tree_size)
                .fact("from", from)
        };
        match standing(&held, head, from, path) {
            Standing::Newer => {}
            Standing::Known => return done,
            Standing::ProofElsewhere => return Err(refusal(Reason::HeadProofElsewhere)),
            Standing::Forked => return Err(refusal(Reason::HeadDoesNotExtend)),
        }
    }
    let fact = Fact::HeadHeld {
        domain: head.domain.clone(),
        tree_size: head.tree_size,
        root: head.root_hash,
    };
    let record = ledger::append(tx, &name, fact, None, &[]);
    tx.put(&key, &HeldHead { head: signed.clone(), received_time: tx.clock, record });
    tx.emit(Event::ResourceChanged(name));
    done
}

fn receive_cosignature(tx: &mut Tx<'_>, cosignature: &Cosignature) -> Result<Outcome, Refusal> {
    let Cosignature { cosigner, head, .. } = cosignature;
    check_brings(tx, cosigner)?;
    let ours = (&tx.cluster.domain, tx.cluster.cluster_id, tx.cluster.suite());
    let of_ours = ours == (&head.domain, head.cluster_id, head.suite) && head.tree_size > 0;
    let root = tx.reading(|store| Ledger(store).root(head.tree_size));
    if !of_ours || root != Some(head.root_hash) {
        return Err(Refusal::new(Reason::HeadNotOurs)
            .fact("domain", &head.domain)
            .fact("tree_size", head.tree_size));
    }
    let name = domain_name(cosigner);
    let done = Ok(Outcome::Done(Some(name.clone())));
    let key = keys::cosignature(cosigner);
    let newest: Option<CosignatureRow> = tx.get(&key);
    if newest.is_some_and(|row| row.cosignature.head.tree_size >= head.tree_size) {
        // The one that is there covers this one too: a head says all that earlier ones said.
        return done;
    }
    let fact = Fact::HeadCosigned { cosigner: cosigner.clone(), tree_size: head.tree_size };
    let record = ledger::append(tx, &name, fact, None, &[]);
    let row = CosignatureRow { cosignature: cosignature.clone(), received_time: tx.clock, record };
    tx.put(&key, &row);
    tx.emit(Event::ResourceChanged(name));
    done
}

fn seal(tx: &mut Tx<'_>, through: u64) -> Result<Outcome, Refusal> {
    if !operates(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let size = tx.counters().ledger;
    let last = tx.reading(|store| View(store).last_segment());
    let from = last.as_ref().map_or(0, |last| last.through);
    if through <= from || through > size {
        return Err(Refusal::new(Reason::SegmentRangeWrong)
            .fact("after", from)
            .fact("size", size)
            .fact("through", through));
    }
    let root = tx.reading(|store| Ledger(store).root(through)).expect("through is within the size");
    let suite = tx.cluster.suite();
    let segment = Segment {
        domain: tx.cluster.domain.clone(),
        cluster_id: tx.cluster.cluster_id,
        suite,
        number: last.as_ref().map_or(1, |last| last.number + 1),
        from,
        through,
        root_before: last.as_ref().map_or_else(|| suite.empty_root(), |last| last.root),
        root,
        previous: last.as_ref().map_or([0; 32], Segment::link),
    };
    tx.put(&keys::segment(segment.number), &segment);
    let fact = Fact::SegmentSealed { number: segment.number, from, through, link: segment.link() };
    let domain = tx.domain_name();
    ledger::append(tx, &domain, fact, None, &[]);
    tx.emit(Event::ResourceChanged(domain.clone()));
    Ok(Outcome::Done(Some(domain)))
}

/// Retention does not stand against it: what must be kept is the record, with its time, its subject,
/// its fact and its rule, and that stays; what goes is a text or a person that the law wants gone.
fn erase(tx: &mut Tx<'_>, sequence: u64, ground: &str) -> Result<Outcome, Refusal> {
    check_authority(tx)?;
    text::check_reason("ground", ground)?;
    let key = keys::ledger_payload(sequence);
    if !tx.has(&key) {
        return Err(Refusal::new(Reason::PayloadGone).fact("record", sequence));
    }
    let subject = tx
        .get::<LedgerRecord>(&keys::ledger_record(sequence))
        .expect("a payload lies beside a record")
        .subject;
    erase_beside(tx, &subject, sequence, ground);
    Ok(Outcome::Done(Some(subject)))
}

/// Erases what lies beside a record, and says so in another.
pub(super) fn erase_beside(tx: &mut Tx<'_>, subject: &ResourceName, sequence: u64, ground: &str) {
    tx.delete(&keys::ledger_payload(sequence));
    let fact = Fact::PayloadErased { sequence };
    let record = ledger::append(tx, subject, fact, None, &[("ground", ground)]);
    let gone = PayloadGone { through: sequence + 1, record, time: tx.clock };
    tx.put(&keys::payload_erased(sequence), &gone);
}

fn purge(tx: &mut Tx<'_>, law: &Law, through: u64) -> Result<Outcome, Refusal> {
    check_authority(tx)?;
    let size = tx.counters().ledger;
    let from = tx.get::<PayloadGone>(&keys::payloads_purged()).map_or(0, |gone| gone.through);
    if through <= from || through > size {
        return Err(Refusal::new(Reason::SegmentRangeWrong)
            .fact("after", from)
            .fact("size", size)
            .fact("through", through));
    }
    if through - from > PURGE_MAX {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "through")
            .fact("length", through - from)
            .fact("limit", PURGE_MAX));
    }
    // Records are in the order of time, so the newest one decides.
    let newest: LedgerRecord =
        tx.get(&keys::ledger_record(through - 1)).expect("records are dense");
    let (today, date) = (tx.today(), newest.time.local_date());
    if let Some((years, rule)) = retention(tx, law, today)? {
        let until = years_later(date, years);
        if today < until {
            return Err(Refusal::new(Reason::RetentionNotOver)
                .fact("record", newest.sequence)
                .fact("date", date)
                .fact("until", until)
                .under(rule));
        }
    }
    purge_beside(tx, from, through);
    Ok(Outcome::Done(Some(tx.domain_name())))
}

/// Deletes what lies beside the records `from ≤ sequence < through`, and says so in another.
pub(super) fn purge_beside(tx: &mut Tx<'_>, from: u64, through: u64) {
    let (first, last) = (keys::ledger_payload(from), keys::ledger_payload(through));
    let rows = tx.rows_between(first.as_slice(), last.as_slice(), usize::MAX);
    let count = rows.len() as u64;
    for (key, _) in rows {
        tx.delete(&Key::from_stored(key));
    }
    let domain = tx.domain_name();
    let fact = Fact::PayloadsPurged { from, through, count };
    let record = ledger::append(tx, &domain, fact, None, &[]);
    let gone = PayloadGone { through, record, time: tx.clock };
    tx.put(&keys::payloads_purged(), &gone);
}

/// The longest retention that any pair of parties has today: the ledger is one, so what it holds of
/// anybody is kept as long as the longest rule asks (SEC-16).
fn retention(tx: &Tx<'_>, law: &Law, today: LocalDate) -> Result<Option<(u16, RuleRef)>, Refusal> {
    let classes = [
        PartyClass::GovernmentDepartment,
        PartyClass::LawAuthorizedOrganization,
        PartyClass::OtherStateOrgan,
        PartyClass::PublicServiceOrganization,
    ];
    let mut longest: Option<(u16, RuleRef)> = None;
    for asker in classes {
        for provider in classes {
            for data in [DataKind::GovernmentData, DataKind::PublicServiceData] {
                let pair = Pair { asker, provider, data };
                let Some(found) = law.resolve(tx, pair, today)?.retention() else { continue };
                if longest.as_ref().is_none_or(|(years, _)| *years < found.0) {
                    longest = Some(found);
                }
            }
        }
    }
    Ok(longest)
}

/// What another domain says is brought by its gateway, or fetched by a worker of our own; and only
/// domains with which this one federates say anything here.
fn check_brings(tx: &Tx<'_>, domain: &DomainId) -> Result<(), Refusal> {
    let by = &tx.caller;
    let gateway = matches!(by.identity, Identity::Gateway { .. });
    let own = by.domain == *tx.domain()
        && matches!(by.identity, Identity::Gateway { .. } | Identity::Node { .. });
    let theirs = gateway && by.domain == *domain;
    if !(own || theirs) {
        return Err(not_permitted(tx, "a gateway of that domain, or a worker of this one"));
    }
    if domain == tx.domain() || !tx.has(&keys::peer(domain)) {
        return Err(Refusal::new(Reason::DomainUnknown).fact("domain", domain));
    }
    Ok(())
}

fn check_authority(tx: &Tx<'_>) -> Result<(), Refusal> {
    let role = tx.caller_organization().and_then(|organization| organization.platform_role);
    if role == Some(PlatformRole::Authority) {
        Ok(())
    } else {
        Err(not_permitted(tx, "the authority"))
    }
}

/// The same day `years` later; of 29 February, where there is none, the day after.
fn years_later(date: LocalDate, years: u16) -> LocalDate {
    let text = date.to_string();
    let later = format!("{:04}{}", i32::from(date.year()) + i32::from(years), &text[4..]);
    let last = LocalDate::from_days(i32::MAX);
    later.parse().or_else(|_| format!("{}-03-01", &later[..4]).parse()).unwrap_or(last)
}

fn domain_name(domain: &DomainId) -> ResourceName {
    ResourceName::new(domain.clone(), Resource::Domain)
}
