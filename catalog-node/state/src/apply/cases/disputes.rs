//! Disputes between asker and provider: consultation, coordination, decision, in this order (SHR-28;
//! decree 809 art. 28).
//!
//! The duty to consult first stands in the sentence on sides of one level. Between levels and regions
//! the text sends the dispute to the common superior authority at once; the two may consult all the
//! same.

use catalog_model::{
    catalog_entry::CatalogEntry,
    dispute::{Coordinator, Dispute, DisputeState, Position},
    ids::DisputeId,
    name::{Resource, ResourceName},
    organization::PlatformRole,
    paper_decision::PaperDecision,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{Pair, RuleKey},
    share_request::{Party, ShareRequest},
};

use super::{file_of, paper, put_file};
use crate::{
    apply::{
        organizations::{is_platform, same_version},
        requests, text,
    },
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

fn name(dispute: &Dispute) -> ResourceName {
    ResourceName::new(dispute.domain.clone(), Resource::Dispute(dispute.id))
}

fn known(tx: &Tx<'_>, name: &ResourceName) -> Result<Dispute, Refusal> {
    let Resource::Dispute(id) = name.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", name));
    };
    tx.get(&keys::dispute(&name.domain, id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name))
}

fn wrong_state(dispute: &Dispute, needed: &str) -> Refusal {
    let state = match dispute.state {
        DisputeState::Raised => "raised",
        DisputeState::Consulting => "consulting",
        DisputeState::Coordinating => "coordinating",
        DisputeState::BeforeGovernment => "before_government",
        DisputeState::Agreed => "agreed",
        DisputeState::Decided => "decided",
    };
    Refusal::new(Reason::DisputeStateWrong).fact("state", state).fact("needed", needed)
}

/// The next step is open only once the two have consulted.
fn check_consulted(dispute: &Dispute) -> Result<(), Refusal> {
    let missing = match dispute.state {
        DisputeState::Raised => format!("the position of {}", dispute.against.name),
        DisputeState::Consulting => "the minutes of the consultation".to_owned(),
        _ => return Ok(()),
    };
    Err(Refusal::new(Reason::ConsultationSkipped)
        .under(dispute.rule.clone())
        .fact("missing", missing))
}

/// The side for which the caller speaks.
fn calling_side<'a>(tx: &Tx<'_>, sides: [&'a Party; 2]) -> Option<&'a Party> {
    let caller = tx.caller_organization()?;
    sides.into_iter().find(|side| side.domain == caller.domain && side.organization == caller.id)
}

pub(crate) fn raise(
    tx: &mut Tx<'_>,
    law: &Law,
    id: DisputeId,
    request: &ResourceName,
    position: &str,
) -> Result<Outcome, Refusal> {
    let case = requests::owned(tx, request)?;
    let sides = [&case.requester, &case.provider];
    let Some(raised_by) = calling_side(tx, sides).cloned() else {
        return Err(not_permitted(tx, "the asker or the provider"));
    };
    let against =
        if raised_by == case.requester { case.provider.clone() } else { case.requester.clone() };
    let Some(rule) = ladder(tx, law, &case) else {
        let key = RuleKey::DisputeSharingLadder.name();
        return Err(Refusal::new(Reason::NoRuleInForce).fact("key", key));
    };
    text::check_reason("text", position)?;
    if tx.has(&keys::dispute(tx.domain(), id)) {
        let name = ResourceName::new(tx.domain().clone(), Resource::Dispute(id));
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    let mut file = file_of(tx, request);
    if let Some(open) = file.disputes.last()
        && let Ok(open) = known(tx, open)
        && open.state.is_open()
    {
        return Err(wrong_state(&open, "no other open dispute"));
    }
    let across =
        raised_by.domain != against.domain && law.rule_pack.common_superior(tx.today()).is_some();
    let dispute = Dispute {
        id,
        domain: tx.domain().clone(),
        request: request.clone(),
        positions: vec![Position {
            by: raised_by.clone(),
            text: position.to_owned(),
            stated_time: tx.clock,
        }],
        raised_by,
        against,
        state: DisputeState::Raised,
        coordinator: across.then_some(Coordinator::CommonSuperior),
        minutes: Vec::new(),
        paper: None,
        rule: rule.clone(),
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    let name = name(&dispute);
    file.disputes.push(name.clone());
    put_file(tx, request, &file);
    let against = &dispute.against;
    let fact = Fact::DisputeRaised {
        request: request.clone(),
        against: ResourceName::new(
            against.domain.clone(),
            Resource::Organization(against.organization),
        ),
    };
    ledger::append(tx, &name, fact, Some(rule), &[("position", position)]);
    store(tx, &dispute);
    Ok(Outcome::Done(Some(name)))
}

/// The rule that gives the steps: of the rules of the case, or, of a case that was refused on
/// receipt, of those that held for the pair on that day.
fn ladder(tx: &Tx<'_>, law: &Law, case: &ShareRequest) -> Option<RuleRef> {
    let resolution = if case.rules.is_some() {
        requests::rules_of(tx, law, case)
    } else {
        let Resource::Entry(id) = case.content.entry.resource else { return None };
        let entry: CatalogEntry = tx.get(&keys::entry(&case.content.entry.domain, id))?;
        let (asker, provider) = (case.requester.class?, case.provider.class?);
        let pair = Pair { asker, provider, data: entry.kind };
        law.resolve(tx, pair, case.received_time?.local_date()).ok()?
    };
    resolution.dispute_ladder().map(|(_, rule)| rule)
}

fn store(tx: &mut Tx<'_>, dispute: &Dispute) {
    tx.put(&keys::dispute(&dispute.domain, dispute.id), dispute);
    tx.emit(Event::ResourceChanged(name(dispute)));
}

/// Stores the next version with its fact.
fn change(tx: &mut Tx<'_>, mut dispute: Dispute, fact: Fact, texts: &[(&str, &str)]) -> Outcome {
    dispute.version += 1;
    dispute.updated_time = tx.clock;
    let name = name(&dispute);
    ledger::append(tx, &name, fact, Some(dispute.rule.clone()), texts);
    store(tx, &dispute);
    Outcome::Done(Some(name))
}

pub(crate) fn state_position(
    tx: &mut Tx<'_>,
    law: &Law,
    dispute: &ResourceName,
    version: u64,
    position: &str,
    on_paper: Option<&PaperDecision>,
) -> Result<Outcome, Refusal> {
    let mut dispute = known(tx, dispute)?;
    let sides = [&dispute.raised_by, &dispute.against];
    let by = match (calling_side(tx, sides), on_paper) {
        (Some(side), _) => side.clone(),
        // A side of another domain has no access here: the platform enters its letter.
        (None, Some(letter)) if is_platform(tx) => {
            paper::check(tx, law, letter)?;
            let away = sides.into_iter().find(|side| side.domain != *tx.domain()).cloned();
            away.ok_or_else(|| not_permitted(tx, "a side of the dispute"))?
        }
        _ => return Err(not_permitted(tx, "a side of the dispute")),
    };
    same_version(dispute.version, version)?;
    if !matches!(dispute.state, DisputeState::Raised | DisputeState::Consulting) {
        return Err(wrong_state(&dispute, "a dispute in consultation"));
    }
    text::check_reason("text", position)?;
    if by == dispute.against {
        dispute.state = DisputeState::Consulting;
    }
    dispute.paper = on_paper.cloned().or(dispute.paper);
    let fact = Fact::PositionStated {
        by: ResourceName::new(by.domain.clone(), Resource::Organization(by.organization)),
        on_paper: on_paper.map(|paper| paper.document_number.clone()),
    };
    let stated_time = tx.clock;
    dispute.positions.push(Position { by, text: position.to_owned(), stated_time });
    Ok(change(tx, dispute, fact, &[("position", position)]))
}

pub(crate) fn end_consultation(
    tx: &mut Tx<'_>,
    law: &Law,
    dispute: &ResourceName,
    version: u64,
    agreed: bool,
    minutes: &str,
) -> Result<Outcome, Refusal> {
    let mut dispute = known(tx, dispute)?;
    if calling_side(tx, [&dispute.raised_by, &dispute.against]).is_none() {
        return Err(not_permitted(tx, "a side of the dispute"));
    }
    same_version(dispute.version, version)?;
    match dispute.state {
        DisputeState::Raised => check_consulted(&dispute)?,
        DisputeState::Consulting => {}
        _ => return Err(wrong_state(&dispute, "a dispute in consultation")),
    }
    text::check_reason("minutes", minutes)?;
    dispute.minutes.push(minutes.to_owned());
    if agreed {
        dispute.state = DisputeState::Agreed;
    } else {
        dispute.state = DisputeState::Coordinating;
        dispute.coordinator = Some(coordinator(tx, law, &dispute));
    }
    Ok(change(tx, dispute, Fact::ConsultationEnded { agreed }, &[("minutes", minutes)]))
}

/// The authority of both sides' level; between levels and regions, or where that authority is a
/// side itself, the common superior.
fn coordinator(tx: &Tx<'_>, law: &Law, dispute: &Dispute) -> Coordinator {
    let across = dispute.raised_by.domain != dispute.against.domain
        && law.rule_pack.common_superior(tx.today()).is_some();
    let is_side = |id| [&dispute.raised_by, &dispute.against].iter().any(|p| p.organization == id);
    match tx.platform_organization(PlatformRole::Authority) {
        Some(authority) if !across && !is_side(authority.id) => {
            Coordinator::SameLevel(tx.party(&authority))
        }
        _ => Coordinator::CommonSuperior,
    }
}

pub(crate) fn coordinate(
    tx: &mut Tx<'_>,
    law: &Law,
    dispute: &ResourceName,
    version: u64,
    agreed: bool,
    minutes: &str,
    on_paper: Option<&PaperDecision>,
) -> Result<Outcome, Refusal> {
    let mut dispute = known(tx, dispute)?;
    same_version(dispute.version, version)?;
    // Known before the two consulted only where they need not.
    let at_once = dispute.coordinator.is_some()
        && matches!(dispute.state, DisputeState::Raised | DisputeState::Consulting);
    if !at_once {
        check_consulted(&dispute)?;
        if dispute.state != DisputeState::Coordinating {
            return Err(wrong_state(&dispute, "a dispute in coordination"));
        }
    }
    match (&dispute.coordinator, on_paper) {
        (Some(Coordinator::SameLevel(authority)), _) => {
            let calls = tx.caller_organization().map(|caller| caller.id);
            if calls != Some(authority.organization) {
                return Err(not_permitted(tx, "the authority of both sides' level"));
            }
        }
        (_, Some(paper)) if is_platform(tx) => paper::check(tx, law, paper)?,
        _ => {
            let rule = law.rule_pack.common_superior(tx.today());
            let refusal = Refusal::new(Reason::CoordinatorNotAbove);
            return Err(refusal.under(rule.unwrap_or_else(|| dispute.rule.clone())));
        }
    }
    text::check_reason("minutes", minutes)?;
    dispute.minutes.push(minutes.to_owned());
    dispute.paper = on_paper.cloned().or(dispute.paper);
    dispute.state = if agreed { DisputeState::Agreed } else { DisputeState::BeforeGovernment };
    let document_number = on_paper.map(|paper| paper.document_number.clone());
    let fact = Fact::DisputeCoordinated { agreed, document_number };
    Ok(change(tx, dispute, fact, &[("minutes", minutes)]))
}

pub(crate) fn decide(
    tx: &mut Tx<'_>,
    law: &Law,
    dispute: &ResourceName,
    version: u64,
    decision: &PaperDecision,
    result: &str,
) -> Result<Outcome, Refusal> {
    let mut dispute = known(tx, dispute)?;
    if !is_platform(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager, for the government"));
    }
    same_version(dispute.version, version)?;
    if dispute.coordinator.is_none() {
        check_consulted(&dispute)?;
    }
    if dispute.state != DisputeState::BeforeGovernment {
        return Err(wrong_state(&dispute, "a dispute before the government"));
    }
    paper::check(tx, law, decision)?;
    text::check_reason("result", result)?;
    dispute.minutes.push(result.to_owned());
    dispute.paper = Some(decision.clone());
    dispute.state = DisputeState::Decided;
    let fact = Fact::DisputeDecided {
        document_number: decision.document_number.clone(),
        digest: decision.digest,
        date: decision.date,
    };
    let texts = [
        ("result", result),
        ("issuing_body", &decision.issuing_body),
        ("recorded_for", &decision.recorded_for),
    ];
    Ok(change(tx, dispute, fact, &texts))
}
