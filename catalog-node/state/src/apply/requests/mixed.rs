//! A request over several entries: one number for people, a case for each entry with a part of that
//! number, so that every part has its own decider, clock and answer (SHR-05, SHR-06).
//!
//! A part that the rules refuse is answered so at once, with its rule, and does not hold up the
//! others; a fault that the asker can correct, or an entry that is not there, refuses the whole.

use std::collections::BTreeSet;

use catalog_model::{
    catalog_entry::CatalogEntry,
    ids::PersonId,
    name::{Resource, ResourceName},
    policy::MAX_LIST,
    reason::Reason,
    refusal::Refusal,
    share_request::{Hop, ShareRequest, ShareRequestState},
};

use super::create::{asker, create_numbered, next_case_number, provider_of, refuse_on_receipt};
use crate::{command::case::MixedPart, keys, machine::Law, outcome::Outcome, tx::Tx};

pub(crate) fn create_mixed(
    tx: &mut Tx<'_>,
    law: &Law,
    parts: &[MixedPart],
    head: Option<PersonId>,
) -> Result<Outcome, Refusal> {
    asker(tx)?;
    check_parts(parts)?;
    let number = next_case_number(tx);
    for (place, part) in parts.iter().enumerate() {
        let own = format!("{number}.{}", place + 1);
        let made =
            create_numbered(tx, law, part.id, part.grant, &part.content, head, Some(own.clone()));
        if let Err(refusal) = made {
            let correctable = refusal.rule.is_none() || !refused_by_attribute(&refusal);
            if correctable {
                return Err(refusal.fact("part", place + 1));
            }
            file_refused(tx, part, own, &refusal)?;
        }
    }
    let first = Resource::Request(parts[0].id);
    Ok(Outcome::Done(Some(ResourceName::new(tx.domain().clone(), first))))
}

fn check_parts(parts: &[MixedPart]) -> Result<(), Refusal> {
    if parts.len() < 2 {
        let (en, zh) = ("at least two entries", "至少两个目录");
        return Err(Refusal::new(Reason::FieldInvalid).field("parts", en, zh));
    }
    if parts.len() > MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "parts")
            .fact("length", parts.len())
            .fact("limit", MAX_LIST));
    }
    let entries: BTreeSet<_> = parts.iter().map(|part| &part.content.entry).collect();
    let ids: BTreeSet<_> = parts.iter().map(|part| part.id).collect();
    if entries.len() < parts.len() || ids.len() < parts.len() {
        let (en, zh) = ("an entry or an id stands twice", "目录或者编号重复");
        return Err(Refusal::new(Reason::FieldInvalid).field("parts", en, zh));
    }
    Ok(())
}

/// Whether the law refuses the part whatever the asker writes.
fn refused_by_attribute(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::NotShared | Reason::ItemNotShared)
}

/// Files the part with its answer.
fn file_refused(
    tx: &mut Tx<'_>,
    part: &MixedPart,
    case_number: String,
    refusal: &Refusal,
) -> Result<(), Refusal> {
    let content = part.content.clone();
    let Resource::Entry(id) = content.entry.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", &content.entry));
    };
    let entry: CatalogEntry = tx
        .get(&keys::published_entry(&content.entry.domain, id))
        .ok_or_else(|| Refusal::new(Reason::EntryNotAvailable))?;
    if entry.domain != *tx.domain() {
        // Its owner refuses it; here nobody changes the legal state of its cases.
        return Err(refusal.clone());
    }
    let requester = tx.party(&asker(tx)?);
    let received = tx.receipt_time();
    let case = ShareRequest {
        id: part.id,
        domain: tx.domain().clone(),
        owner_domain: tx.domain().clone(),
        case_number,
        requester,
        provider: provider_of(tx, &entry),
        content,
        entry_title: entry.content.title.clone(),
        entry_version: entry.version,
        sharing: catalog_model::sharing::SharingKind::NotShared,
        state: ShareRequestState::Refused,
        received_time: None,
        rules: None,
        answer_clock: None,
        opinions: Vec::new(),
        completion: None,
        extensions: Vec::new(),
        overdue: None,
        answer: None,
        grant: None,
        hops: vec![Hop { domain: tx.domain().clone(), arrived_time: tx.clock }],
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
        granted: None,
    };
    refuse_on_receipt(tx, case, received, refusal);
    Ok(())
}
