//! What other domains say: cases they hand over, how ours stand with them, and their catalogs
//! (FED-02, 04, 14).
//!
//! Every message may come twice; a repeat changes nothing. Foreign entries live under their
//! owner's domain and change by feed batches alone.

use catalog_model::{
    caller::Identity,
    deadline::DeadlineKind,
    grant::Grant,
    ids::{DomainId, GrantId},
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    share_request::{Hop, ShareRequest, ShareRequestState},
};
use catalog_mutation::{Mutation, active};

use crate::{
    apply::{grants, requests},
    event::Event,
    feed::{self, FeedScope, FeedToken},
    keys::{self, Key, Table},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

/// Another domain hands over a case about one of our entries, or says what the asker of such a
/// case did since.
pub(crate) fn receive_forwarded(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ShareRequest,
    grant: GrantId,
) -> Result<Outcome, Refusal> {
    let on_the_way = |domain: &DomainId| {
        *domain == request.domain || request.hops.iter().any(|hop| hop.domain == *domain)
    };
    if !is_gateway_of(tx, on_the_way) || request.requester.domain != request.domain {
        return Err(not_permitted(tx, "a gateway of the asker's domain"));
    }
    let owner = &request.content.entry.domain;
    if owner != tx.domain() || request.owner_domain != *owner || request.domain == *owner {
        return Err(Refusal::new(Reason::ForwardNotForUs).fact("owner", owner));
    }
    if !tx.has(&keys::peer(&request.domain)) {
        return Err(Refusal::new(Reason::DomainUnknown).fact("domain", &request.domain));
    }
    let name = requests::name(request);
    if let Some(known) = tx.get::<ShareRequest>(&keys::request(&request.domain, request.id)) {
        hear_asker(tx, law, &known, request);
        return Ok(Outcome::Done(Some(name)));
    }
    let mut case = ShareRequest {
        // What the asker's domain says of the legal state is not for it to say.
        state: ShareRequestState::Forwarded,
        received_time: None,
        rules: None,
        answer_clock: None,
        opinions: Vec::new(),
        completion: None,
        extensions: Vec::new(),
        overdue: None,
        answer: None,
        grant: None,
        granted: None,
        version: request.version + 1,
        updated_time: tx.clock,
        ..request.clone()
    };
    case.hops.push(Hop { domain: tx.domain().clone(), arrived_time: tx.clock });
    // The one statutory clock starts with the arrival here, whatever the way took (FED-14).
    let received = tx.receipt_time();
    let assessed = requests::assess(tx, law, &case.requester, &case.content, received.local_date())
        .and_then(|assessed| {
            grants::check_asked(tx, &assessed.resolution, &case.requester, &case.content)?;
            Ok(assessed)
        });
    match assessed {
        Ok(assessed) => requests::receive(tx, law, assessed, case, grant, received),
        Err(refusal) => requests::refuse_on_receipt(tx, case, received, &refusal),
    }
    Ok(Outcome::Done(Some(name)))
}

/// A second message about a case: the asker took it back or completed it. Anything else is a
/// repeat.
fn hear_asker(tx: &mut Tx<'_>, law: &Law, known: &ShareRequest, said: &ShareRequest) {
    let completed = said.completion.as_ref().is_some_and(|asked| asked.completed_time.is_some());
    if said.state == ShareRequestState::Withdrawn && known.state.is_open() {
        requests::withdrawn_by_asker(tx, law, known, "");
    } else if completed && known.state == ShareRequestState::CompletionAsked {
        // The asker's domain checked by the same rules; what they refuse here changes nothing.
        let _ = requests::completed_by_asker(tx, law, known, &said.content);
    }
}

/// The owner's domain tells how a case stands.
pub(crate) fn receive_status(
    tx: &mut Tx<'_>,
    request: &ShareRequest,
    grant: Option<&Grant>,
) -> Result<Outcome, Refusal> {
    let owner = &request.owner_domain;
    if owner == tx.domain() || !is_gateway_of(tx, |domain| domain == owner) {
        return Err(not_permitted(tx, "a gateway of the domain that owns the entry"));
    }
    let name = requests::name(request);
    let old = requests::known(tx, &name)?;
    if old.owner_domain != *owner || old.content.entry != request.content.entry {
        return Err(Refusal::new(Reason::NotOwner).fact("owner", &old.owner_domain));
    }
    if request.version == old.version {
        return Ok(Outcome::Done(Some(name)));
    }
    if request.version < old.version {
        return Err(Refusal::new(Reason::StatusStale).fact("actual", old.version));
    }
    if let Some(grant) = grant {
        let ours = grant.domain == *owner && grant.request == name;
        if !ours || request.granted != Some(grant.id) {
            return Err(Refusal::new(Reason::NotOwner).fact("owner", &grant.domain));
        }
        grants::store(tx, grant);
    }
    let fact = Fact::StatusReceived { owner: owner.clone(), version: request.version };
    ledger::append(tx, &name, fact, None, &[]);
    let mut hops = old.hops.clone();
    let news = request.hops.iter().filter(|hop| !old.hops.iter().any(|o| o.domain == hop.domain));
    hops.extend(news.cloned());
    // Who asked, under which number and when is for the first domain to say.
    let case = ShareRequest {
        case_number: old.case_number.clone(),
        requester: old.requester.clone(),
        created_time: old.created_time,
        hops,
        ..request.clone()
    };
    requests::save(tx, Some(&old), &case);
    tx.clear_deadline(DeadlineKind::Hop, &name);
    Ok(Outcome::Done(Some(name)))
}

/// A domain took what we owed it.
pub(crate) fn ack_outbox(
    tx: &mut Tx<'_>,
    destination: &DomainId,
    through: u64,
) -> Result<Outcome, Refusal> {
    check_own_worker(tx)?;
    let from = Key::table(Table::Outbox).domain(destination);
    let to = keys::outbox(destination, through.saturating_add(1));
    for (key, _) in tx.rows_between(from.as_slice(), to.as_slice(), usize::MAX) {
        tx.delete(&Key::from_stored(key));
    }
    Ok(Outcome::Done(None))
}

/// The follower's step: data and cursor move together or not at all.
pub(crate) fn apply_feed_batch(
    tx: &mut Tx<'_>,
    source: &DomainId,
    scope: FeedScope,
    expected: Option<&FeedToken>,
    records: &[minicbor::bytes::ByteVec],
    token: &FeedToken,
) -> Result<Outcome, Refusal> {
    check_own_worker(tx)?;
    if source == tx.domain() || !tx.has(&keys::peer(source)) {
        return Err(Refusal::new(Reason::DomainUnknown).fact("domain", source));
    }
    let cursor = keys::feed_cursor(source, scope);
    let actual: Option<FeedToken> = tx.get(&cursor);
    if actual.as_ref() != expected && !active(Mutation::FeedCursorIgnored) {
        return Err(Refusal::new(Reason::FeedCursorMoved)
            .fact("actual", revision(actual.as_ref()))
            .fact("expected", revision(expected)));
    }
    let same_feed = expected.is_none_or(|before| {
        (before.cluster_id, before.generation) == (token.cluster_id, token.generation)
    });
    if token.scope != scope || !same_feed {
        return Err(Refusal::new(Reason::FeedTokenUnknown));
    }
    let (records, end, hash) = feed::verify(expected, records)?;
    if (token.revision, token.hash) != (end, hash) {
        return Err(Refusal::new(Reason::FeedChainBroken).fact("revision", token.revision));
    }
    for record in records {
        let key = keys::published_entry(source, record.entry);
        match &record.now {
            Some(entry) if entry.domain == *source && entry.id == record.entry => {
                super::relations::listing_changes(tx, (source, record.entry), Some(entry));
                if tx.level < 3 && entry.content.particulars.is_some() {
                    // As a version keeps it that does not know them: it may apply the same log.
                    let mut known = entry.clone();
                    known.content.particulars = None;
                    tx.put(&key, &known);
                } else {
                    tx.put(&key, entry);
                }
            }
            Some(entry) => return Err(Refusal::new(Reason::NotOwner).fact("owner", &entry.domain)),
            None => {
                super::relations::listing_changes(tx, (source, record.entry), None);
                tx.delete(&key);
            }
        }
        let name = ResourceName::new(source.clone(), Resource::Entry(record.entry));
        tx.emit(Event::EntryListed(name));
    }
    tx.put(&cursor, token);
    Ok(Outcome::Done(None))
}

fn revision(token: Option<&FeedToken>) -> u64 {
    token.map_or(0, |token| token.revision)
}

fn is_gateway_of(tx: &Tx<'_>, is_meant: impl Fn(&DomainId) -> bool) -> bool {
    let gateway = matches!(tx.caller.identity, Identity::Gateway { .. });
    gateway && is_meant(&tx.caller.domain)
}

/// The workers of this domain's own gateway and nodes.
fn check_own_worker(tx: &Tx<'_>) -> Result<(), Refusal> {
    let worker = matches!(tx.caller.identity, Identity::Gateway { .. } | Identity::Node { .. });
    if worker && tx.caller.domain == *tx.domain() {
        Ok(())
    } else {
        Err(not_permitted(tx, "the gateway or a node of this domain"))
    }
}
