//! The authority objects to a sharing attribute (SHR-15, must-refuse 14): raised → consulting →
//! agreed | escalated → decided.
//!
//! While an objection is open nothing of the entry is narrowed. What both agree on, or the
//! government decides, takes effect at once if it widens; it never narrows, which takes a new
//! version with its basis.

use catalog_model::{
    attribute_objection::{AttributeObjection, ObjectionState, Position, Side},
    catalog_entry::{CatalogEntry, EntryState},
    document_digest::DocumentDigest,
    ids::{EntryId, ObjectionId},
    name::Resource,
    organization::PlatformRole,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{LadderStep, Resolution},
    sharing::{SharingAttribute, SharingKind},
};
use sha2::{Digest, Sha256};

use super::{
    done, entry_name, fresh, is_of, listing_changes, name_of, on_record, paper, rules_for,
};
use crate::{
    apply::{
        catalog,
        organizations::{is_authority, is_platform, same_version},
        text,
    },
    command::ObjectionStep,
    event::Event,
    feed,
    keys::{self, relations as key},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

const THING: (&str, &str) = ("objection", "异议");

/// The rule by which nothing of this entry is narrowed now; none = no objection is open.
pub(crate) fn narrowing_blocked(tx: &Tx<'_>, entry: EntryId) -> Option<RuleRef> {
    let id: ObjectionId = tx.get(&key::open_objection(tx.domain(), entry))?;
    let objection: AttributeObjection =
        tx.get(&key::objection(tx.domain(), id)).expect("the open objection exists");
    Some(objection.rule)
}

/// Refuses a version that shares less than the published one while an objection is open.
pub(crate) fn check_narrowing(
    tx: &Tx<'_>,
    entry: &CatalogEntry,
    published: &CatalogEntry,
) -> Result<(), Refusal> {
    let Some(rule) = narrowing_blocked(tx, entry.id) else { return Ok(()) };
    let kind = |entry: &CatalogEntry| entry.content.sharing.as_ref().map(SharingAttribute::kind);
    let of_entry = kind(entry) > kind(published);
    let of_item = published.content.items.iter().any(|item| {
        let now = catalog::sharing_of(entry, &item.name);
        now.is_none() || now > catalog::sharing_of(published, &item.name)
    });
    if of_entry || of_item {
        return Err(Refusal::new(Reason::NarrowingDuringObjection).under(rule));
    }
    Ok(())
}

/// The steps of the ladder, if the rules know one for this entry.
fn ladder(resolution: &Resolution) -> Result<(Vec<LadderStep>, RuleRef), Refusal> {
    resolution
        .attribute_ladder()
        .ok_or_else(|| Refusal::new(Reason::NoRuleInForce).fact("key", "dispute.attribute.ladder"))
}

pub(crate) fn raise(
    tx: &mut Tx<'_>,
    law: &Law,
    id: ObjectionId,
    entry: EntryId,
    wanted: SharingKind,
    reason: &str,
) -> Result<Outcome, Refusal> {
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    let name = fresh(tx, Resource::Objection(id))?;
    let published = listed(tx, entry)?;
    let resolution = rules_for(tx, law, &published)?;
    let (_, rule) = ladder(&resolution)?;
    text::check_reason("reason", reason)?;
    if let Some(open) = tx.get::<ObjectionId>(&key::open_objection(tx.domain(), entry)) {
        let open = name_of(tx, Resource::Objection(open));
        return Err(Refusal::new(Reason::ObjectionOpen).fact("objection", open));
    }
    let now = kind_of(&published);
    if wanted >= now {
        return Err(Refusal::new(Reason::SettlementNarrows).fact("published", now));
    }
    let objection = AttributeObjection {
        id,
        domain: tx.domain().clone(),
        entry,
        provider: published.provider,
        published: now,
        wanted,
        reason: reason.to_owned(),
        state: ObjectionState::Raised,
        positions: Vec::new(),
        offers: Vec::new(),
        outcome: None,
        decision: None,
        rule,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    tx.put(&key::open_objection(tx.domain(), entry), &id);
    Ok(change(tx, &name, objection, &[("reason", reason)]))
}

/// The published row of an entry in the catalog.
fn listed(tx: &Tx<'_>, entry: EntryId) -> Result<CatalogEntry, Refusal> {
    tx.get(&keys::published_entry(tx.domain(), entry))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", entry_name(tx, entry)))
}

fn kind_of(entry: &CatalogEntry) -> SharingKind {
    let kind = entry.content.sharing.as_ref().map(SharingAttribute::kind);
    kind.expect("what is listed has an attribute")
}

/// Stores the next version and its record.
fn change(
    tx: &mut Tx<'_>,
    name: &catalog_model::name::ResourceName,
    objection: AttributeObjection,
    texts: &[(&str, &str)],
) -> Outcome {
    let objection =
        AttributeObjection { version: objection.version + 1, updated_time: tx.clock, ..objection };
    tx.put(&key::objection(&objection.domain, objection.id), &objection);
    if !objection.state.is_open() {
        tx.delete(&key::open_objection(&objection.domain, objection.entry));
    }
    let fact = Fact::ObjectionMoved {
        state: objection.state,
        entry: entry_name(tx, objection.entry),
        decision: objection.decision.as_ref().map(|paper| DocumentDigest(paper.digest)),
    };
    ledger::append(tx, name, fact, Some(objection.rule.clone()), texts);
    done(tx, name.clone())
}

pub(crate) fn step(
    tx: &mut Tx<'_>,
    law: &Law,
    id: ObjectionId,
    version: u64,
    step: &ObjectionStep,
) -> Result<Outcome, Refusal> {
    let mut objection: AttributeObjection = on_record(tx, Resource::Objection(id))?;
    let published = listed(tx, objection.entry)?;
    let own_side = if is_authority(tx) {
        Some(Side::Authority)
    } else {
        is_of(tx, published.provider).then_some(Side::Provider)
    };
    match step {
        ObjectionStep::Decide { .. } => {
            let government = tx
                .platform_organization(PlatformRole::Government)
                .is_some_and(|government| is_of(tx, government.id));
            if !government && !is_platform(tx) {
                return Err(not_permitted(
                    tx,
                    "the government, or the platform that records its decision",
                ));
            }
        }
        ObjectionStep::State { side, .. } => {
            if own_side != Some(*side) && !is_platform(tx) {
                return Err(not_permitted(tx, "that side, or the platform for the minutes"));
            }
        }
        ObjectionStep::Settle { .. } if own_side.is_none() => {
            return Err(not_permitted(tx, "the authority or the provider"));
        }
        ObjectionStep::Escalate { .. } if own_side != Some(Side::Authority) => {
            return Err(not_permitted(tx, "the authority"));
        }
        ObjectionStep::Settle { .. } | ObjectionStep::Escalate { .. } => {}
    }
    same_version(objection.version, version)?;
    let resolution = rules_for(tx, law, &published)?;
    let name = name_of(tx, Resource::Objection(id));
    let consulting = matches!(objection.state, ObjectionState::Raised | ObjectionState::Consulting);
    match step {
        ObjectionStep::State { side, text: said } => {
            if !consulting {
                return Err(wrong_state(&objection, "an objection under consultation"));
            }
            text::check_reason("text", said)?;
            objection.positions.push(Position { side: *side, text: said.clone(), time: tx.clock });
            objection.state = ObjectionState::Consulting;
            Ok(change(tx, &name, objection, &[("position", said)]))
        }
        ObjectionStep::Settle { attribute } => {
            if !consulting {
                return Err(wrong_state(&objection, "an objection under consultation"));
            }
            check_outcome(&published, attribute)?;
            let side = own_side.expect("checked above");
            objection.offers.retain(|(of, _)| *of != side);
            objection.offers.push((side, attribute.clone()));
            objection.state = ObjectionState::Consulting;
            let both = objection.offers.iter().filter(|(_, offer)| offer == attribute).count() == 2;
            if both {
                objection.state = ObjectionState::Agreed;
                objection.outcome = Some(attribute.kind());
                settle(tx, &published, attribute, &objection.rule);
            }
            Ok(change(tx, &name, objection, &[]))
        }
        ObjectionStep::Escalate { reason } => {
            let (steps, rule) = ladder(&resolution)?;
            let consulted = objection.state == ObjectionState::Consulting
                && objection.positions.iter().any(|position| position.side == Side::Provider);
            if consulting && !consulted && steps.contains(&LadderStep::Consult) {
                return Err(Refusal::new(Reason::ConsultationMissing).under(rule));
            }
            if !consulting || !steps.contains(&LadderStep::Government) {
                return Err(wrong_state(&objection, "an objection under consultation"));
            }
            text::check_reason("reason", reason)?;
            objection.state = ObjectionState::Escalated;
            Ok(change(tx, &name, objection, &[("reason", reason)]))
        }
        ObjectionStep::Decide { attribute, decision } => {
            if objection.state != ObjectionState::Escalated {
                return Err(wrong_state(&objection, "an objection before the government"));
            }
            paper::check(tx, &resolution, decision)?;
            check_outcome(&published, attribute)?;
            objection.state = ObjectionState::Decided;
            objection.outcome = Some(attribute.kind());
            objection.decision = Some(decision.clone());
            settle(tx, &published, attribute, &objection.rule);
            let texts = [
                ("document_number", decision.document_number.as_str()),
                ("issuing_body", &decision.issuing_body),
                ("recorded_for", &decision.recorded_for),
            ];
            Ok(change(tx, &name, objection, &texts))
        }
    }
}

fn wrong_state(objection: &AttributeObjection, needed: &str) -> Refusal {
    super::wrong_state(THING, objection.state, needed)
}

/// The attribute at the end: what is published now, or a wider one that says what it must.
fn check_outcome(published: &CatalogEntry, attribute: &SharingAttribute) -> Result<(), Refusal> {
    let now = kind_of(published);
    if attribute.kind() > now {
        return Err(Refusal::new(Reason::SettlementNarrows).fact("published", now));
    }
    if let SharingAttribute::Conditional { scope, purpose, .. } = attribute {
        super::check_texts(&[("sharing.scope", scope), ("sharing.purpose", purpose)])?;
    }
    Ok(())
}

/// A wider attribute takes effect at once, in the catalog and in what is being compiled. Below the
/// entry's attribute an item's own one may stay narrower: that is another matter with another basis.
fn settle(tx: &mut Tx<'_>, published: &CatalogEntry, attribute: &SharingAttribute, rule: &RuleRef) {
    if attribute.kind() >= kind_of(published) {
        return;
    }
    let mut working = catalog::working(tx, published.id).expect("what is listed has a working row");
    let version = working.version + 1;
    let mut listed = published.clone();
    listed.content.sharing = Some(attribute.clone());
    listed.version = version;
    listed.published_version = version;
    listed.published_time = Some(tx.clock);
    listed.updated_time = tx.clock;
    // What waits for the authority was consented to as it stood; it keeps its own attribute if that
    // is as wide.
    let wider = working.content.sharing.as_ref().is_none_or(|own| own.kind() > attribute.kind());
    if wider {
        working.content.sharing = Some(attribute.clone());
    }
    working.version = version;
    working.published_version = version;
    working.updated_time = tx.clock;
    if working.state == EntryState::Published {
        working = listed.clone();
    }
    tx.put(&keys::entry(&working.domain, working.id), &working);
    listing_changes(tx, (&listed.domain, listed.id), Some(&listed));
    catalog::versions::replaced(tx, &listed);
    let bytes = tx.put_returning(&keys::published_entry(&listed.domain, listed.id), &listed);
    feed::entry_changed(tx, listed.id, Some(&listed));
    let name = entry_name(tx, listed.id);
    let fact = Fact::AttributeSettled {
        version,
        sharing: attribute.kind(),
        digest: DocumentDigest(Sha256::digest(&bytes).into()),
    };
    ledger::append(tx, &name, fact, Some(rule.clone()), &[]);
    tx.emit(Event::EntryEdited(name.clone()));
    tx.emit(Event::EntryListed(name));
}
