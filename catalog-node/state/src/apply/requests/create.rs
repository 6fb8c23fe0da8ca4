//! Receipt: what becomes of a request on arrival? Refused by law, granted at once, a case with a
//! clock, or a case on its way to the domain that owns the entry.

use catalog_model::{
    case_file::CaseFile,
    catalog_entry::CatalogEntry,
    deadline::{DeadlineKind, WorkingDayClock},
    ids::{DomainId, GrantId, PersonId, RequestId},
    name::{Resource, ResourceName},
    organization::{Organization, PersonRole},
    policy::{self, EntryFacts, Route},
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{Pair, Resolution},
    share_request::{
        Answer, GivenAnswer, Hop, Party, RequestContent, ShareRequest, ShareRequestState,
    },
    sharing::SharingKind,
    time::{LocalDate, UtcMillis},
};

use super::{name, platform, save};
use crate::{
    apply::{
        cases, catalog, consent, grants,
        organizations::{in_order, on_file},
    },
    keys,
    ledger::{self, AnswerKind, Fact},
    machine::{Law, not_permitted},
    outbox::{self, Message},
    outcome::Outcome,
    rows::{Consent, ConsentKind},
    tx::Tx,
};

/// A request that nothing speaks against.
#[derive(Debug)]
pub(crate) struct Assessed {
    pub(crate) resolution: std::sync::Arc<Resolution>,
    pub(crate) route: Route,
    /// The published version asked for.
    pub(crate) entry: CatalogEntry,
    pub(crate) provider: Party,
    /// The items of a mixed request that are granted at once, with the rule.
    pub(crate) at_once: Option<(Vec<String>, RuleRef)>,
}

/// Says what becomes of a request received on `date`, by the published version that this domain
/// holds, own or followed.
pub(crate) fn assess(
    tx: &Tx<'_>,
    law: &Law,
    requester: &Party,
    content: &RequestContent,
    date: LocalDate,
) -> Result<Assessed, Refusal> {
    crate::apply::relations::emergencies::check_request(tx, content)?;
    let Resource::Entry(id) = content.entry.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", &content.entry));
    };
    let entry: CatalogEntry = tx
        .get(&keys::published_entry(&content.entry.domain, id))
        .ok_or_else(|| Refusal::new(Reason::EntryNotAvailable))?;
    let provider = provider_of(tx, &entry);
    let classes = (requester.class, provider.class);
    let (Some(asker_class), Some(provider_class)) = classes else {
        let unknown = if classes.0.is_none() { requester } else { &provider };
        return Err(Refusal::new(Reason::OrganizationUnverified).fact("name", &unknown.name));
    };
    let pair = Pair { asker: asker_class, provider: provider_class, data: entry.kind };
    let resolution = law.resolve(tx, pair, date)?;
    let standing_answer =
        consent::covers_content(tx, ConsentKind::StandingAnswer, &content.entry, &entry.content);
    let facts = EntryFacts::of(&entry, standing_answer);
    let route = policy::decide(&resolution, &facts, content, date)
        .map_err(|refusal| catalog::worklist::not_by_law(tx, &entry, refusal))
        .map_err(|refusal| crate::apply::law::named(tx, &resolution, refusal))?;
    let at_once = policy::part_at_once(&resolution, &facts, content);
    Ok(Assessed { resolution, route, entry, provider, at_once })
}

/// The provider as it is on file, or for another domain's entry as its domain published it.
pub(super) fn provider_of(tx: &Tx<'_>, entry: &CatalogEntry) -> Party {
    let own = entry.domain == *tx.domain();
    match own.then(|| on_file(tx, entry.provider)) {
        Some(Ok(provider)) => tx.party(&provider),
        _ => Party {
            domain: entry.domain.clone(),
            organization: entry.provider,
            name: entry.provider_name.clone(),
            class: entry.provider_class,
        },
    }
}

pub(crate) fn create(
    tx: &mut Tx<'_>,
    law: &Law,
    id: RequestId,
    grant: GrantId,
    content: &RequestContent,
    consenting_person: Option<PersonId>,
) -> Result<Outcome, Refusal> {
    create_numbered(tx, law, id, grant, content, consenting_person, None)
}

/// As [`create`]; a part of a request over several entries has its number from there. What is
/// refused has written nothing.
pub(super) fn create_numbered(
    tx: &mut Tx<'_>,
    law: &Law,
    id: RequestId,
    grant: GrantId,
    content: &RequestContent,
    consenting_person: Option<PersonId>,
    number: Option<String>,
) -> Result<Outcome, Refusal> {
    let asker = asker(tx)?;
    let content = RequestContent { commitments: in_order(&content.commitments), ..content.clone() };
    if tx.has(&keys::request(tx.domain(), id)) {
        let name = ResourceName::new(tx.domain().clone(), Resource::Request(id));
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    check_system(tx, &asker, &content)?;
    let requester = tx.party(&asker);
    let received = tx.receipt_time();
    let assessed = assess(tx, law, &requester, &content, received.local_date())?;
    grants::check_asked(tx, &assessed.resolution, &requester, &content)?;
    let owner = assessed.entry.domain.clone();
    let own = owner == *tx.domain();
    if !own && !tx.has(&keys::peer(&owner)) {
        return Err(Refusal::new(Reason::DomainUnknown).fact("domain", owner));
    }
    let consent = head_consent(tx, &asker, &content, consenting_person)?;
    if let Some(rule) = assessed.resolution.request_head_consent()
        && consent.is_none()
    {
        return Err(Refusal::new(Reason::ConsentMissing)
            .under(rule)
            .fact("consenter", "the head of the asker's sharing office")
            .fact("subject", "the request"));
    }
    let separated = tx.acting_person().filter(|_| tx.level >= cases::LEVEL);
    if let Some(person) = separated {
        let approver = consent.as_ref().map(|consent| consent.person);
        cases::separation::check(tx, law, ("the request", "申请"), Some(person), approver)?;
    }
    let case = ShareRequest {
        id,
        domain: tx.domain().clone(),
        owner_domain: owner.clone(),
        case_number: number.unwrap_or_else(|| next_case_number(tx)),
        requester,
        provider: assessed.provider.clone(),
        content,
        entry_title: assessed.entry.content.title.clone(),
        entry_version: assessed.entry.version,
        sharing: sharing_of(&assessed),
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
        hops: vec![Hop { domain: tx.domain().clone(), arrived_time: tx.clock }],
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
        granted: None,
    };
    let name = name(&case);
    if let Some(person) = separated {
        cases::put_file(tx, &name, &CaseFile { filed_by: Some(person), ..CaseFile::default() });
    }
    if let Some(consent) = consent {
        consent::record(tx, ConsentKind::Request, &name, &consent);
    }
    if own {
        receive(tx, law, assessed, case, grant, received);
    } else {
        forward(tx, &owner, &case);
        cases::hop::begin(tx, law, &case);
    }
    Ok(Outcome::Done(Some(name)))
}

/// The caller's organization, which must be known for what it is.
pub(super) fn asker(tx: &Tx<'_>) -> Result<Organization, Refusal> {
    let organization = tx.acting_organization().filter(|_| tx.caller.domain == *tx.domain());
    let Some(organization) = organization else {
        return Err(not_permitted(tx, "a department of this domain"));
    };
    let asker = on_file(tx, organization)?;
    if asker.verified {
        Ok(asker)
    } else {
        Err(Refusal::new(Reason::OrganizationUnverified).fact("name", &asker.name))
    }
}

/// The system that will call must be one of the asker's (SHR-10).
pub(super) fn check_system(
    tx: &Tx<'_>,
    asker: &Organization,
    content: &RequestContent,
) -> Result<(), Refusal> {
    if tx.has(&keys::system(tx.domain(), asker.id, content.system)) {
        return Ok(());
    }
    let resource = Resource::System(asker.id, content.system);
    let name = ResourceName::new(tx.domain().clone(), resource);
    Err(Refusal::new(Reason::SystemUnknown).fact("name", name))
}

/// The consent of the head of the asker's sharing office, if the call carries one: the head calls
/// in person, or the asker's system names the head.
fn head_consent(
    tx: &Tx<'_>,
    asker: &Organization,
    content: &RequestContent,
    named: Option<PersonId>,
) -> Result<Option<Consent>, Refusal> {
    let head = PersonRole::SharingOfficeHead;
    let digest = consent::digest(content);
    match (named, tx.acting_person()) {
        (Some(person), _) => consent::by_head(tx, asker.id, person, head, digest, 1).map(Some),
        // Whoever calls may happen to be the head; if not, no consent was offered.
        (None, Some(person)) => Ok(consent::by_head(tx, asker.id, person, head, digest, 1).ok()),
        (None, None) => Ok(None),
    }
}

pub(super) fn next_case_number(tx: &mut Tx<'_>) -> String {
    let year = tx.today().year();
    let counters = tx.counters_mut();
    if counters.case_year != year {
        counters.case_year = year;
        counters.case_number = 0;
    }
    counters.case_number += 1;
    format!("{year}-{:06}", counters.case_number)
}

fn sharing_of(assessed: &Assessed) -> SharingKind {
    match &assessed.route {
        Route::OpenCase { sharing, .. } => *sharing,
        Route::GrantAtOnce { .. } => SharingKind::Unconditional,
    }
}

/// Hands the case to the domain that owns the entry: written in the same command, delivered when
/// the link allows.
fn forward(tx: &mut Tx<'_>, owner: &DomainId, case: &ShareRequest) {
    save(tx, None, case);
    let name = name(case);
    let fact = Fact::RequestForwarded { owner: owner.clone(), entry: case.content.entry.clone() };
    ledger::append(tx, &name, fact, None, &texts(&case.content));
    outbox::owe(tx, owner, &name, case.version, Message::Forward(Box::new(case.clone())));
}

/// Takes a case in: it is granted at once, or its one statutory clock starts at `received`
/// (FED-14).
pub(crate) fn receive(
    tx: &mut Tx<'_>,
    law: &Law,
    assessed: Assessed,
    case: ShareRequest,
    grant: GrantId,
    received: UtcMillis,
) {
    let sharing = sharing_of(&assessed);
    let (mut rules, clock, at_once) = match assessed.route {
        Route::GrantAtOnce { rule, rules, .. } => (rules, None, Some(rule)),
        Route::OpenCase { rules, answer: (days, rule), .. } => {
            let kind = DeadlineKind::Answer;
            let clock = WorkingDayClock::start(kind, received, days, rule, &law.calendar);
            (rules, Some(clock), None)
        }
    };
    // The version under which state keeps the pack, so that the case finds it again.
    rules.pack_version = law.rule_pack_version;
    let mut case = ShareRequest {
        provider: assessed.provider,
        entry_title: assessed.entry.content.title,
        entry_version: assessed.entry.version,
        sharing,
        state: ShareRequestState::Submitted,
        received_time: Some(received),
        rules: Some(*rules),
        answer_clock: clock,
        ..case
    };
    received_fact(tx, &case, received);
    if let Some(rule) = at_once {
        case.state = ShareRequestState::Agreed;
        case.answer = Some(GivenAnswer {
            answer: Answer::Agreed,
            by: platform(tx, &case.provider),
            person: None,
            given_time: tx.clock,
            late: false,
            standing: true,
            rule: Some(rule.clone()),
        });
        let items = case.content.items.clone();
        let fact = Fact::RequestAnswered {
            kind: AnswerKind::Agreed,
            items: items.clone(),
            late: false,
            grant: Some(grants::name(tx, grant)),
            standing: true,
        };
        let name = name(&case);
        ledger::append(tx, &name, fact, Some(rule.clone()), &[]);
        grants::give(tx, law, &assessed.resolution, &mut case, grant, items, rule);
    } else if tx.level >= cases::LEVEL
        && let Some(part) = assessed.at_once
    {
        cases::split::grant_part(tx, law, &assessed.resolution, &mut case, grant, part);
    }
    save(tx, None, &case);
    cases::warnings::follow_by(tx, law, &assessed.resolution, &case);
}

fn received_fact(tx: &mut Tx<'_>, case: &ShareRequest, received: UtcMillis) {
    // A gateway's stamp that is out of bounds does not count, but is on record. Where the clock is
    // moved by hand the two have nothing to do with each other.
    let difference = tx.received_at.filter(|at| *at != received && !tx.cluster.development_clock);
    let requester = ResourceName::new(
        case.requester.domain.clone(),
        Resource::Organization(case.requester.organization),
    );
    let fact = Fact::RequestReceived {
        entry: case.content.entry.clone(),
        entry_version: case.entry_version,
        requester,
        items: case.content.items.clone(),
        received,
        due_date: case.answer_clock.as_ref().map(|clock| clock.due_date),
        gateway_difference_ms: difference.map(|at| tx.clock.0 as i64 - at.0 as i64),
    };
    let rule = case.answer_clock.as_ref().map(|clock| clock.rule.clone());
    ledger::append(tx, &name(case), fact, rule, &texts(&case.content));
}

/// Files a case from another domain that the rules refuse: the asker gets an answer with its
/// rule, like everyone (SHR-03, 09).
pub(crate) fn refuse_on_receipt(
    tx: &mut Tx<'_>,
    case: ShareRequest,
    received: UtcMillis,
    refusal: &Refusal,
) {
    let answer = Answer::Refused {
        ground: refusal.reason.name().to_owned(),
        reason: refusal.text(Lang::Zh),
    };
    let case = ShareRequest {
        state: ShareRequestState::Refused,
        received_time: Some(received),
        answer: Some(GivenAnswer {
            answer,
            by: platform(tx, &case.provider),
            person: None,
            given_time: tx.clock,
            late: false,
            standing: false,
            rule: refusal.rule.clone(),
        }),
        ..case
    };
    let fact =
        Fact::RequestRefusedAtOnce { entry: case.content.entry.clone(), reason: refusal.reason };
    ledger::append(tx, &name(&case), fact, refusal.rule.clone(), &texts(&case.content));
    save(tx, None, &case);
}

/// The free texts of a request, for salted digests.
fn texts(content: &RequestContent) -> Vec<(&'static str, &str)> {
    let mut texts = vec![
        ("scenario", content.scenario.as_str()),
        ("duty_basis", &content.duty_basis),
        ("row_scope", &content.row_scope),
    ];
    texts.extend(content.item_reasons.iter().map(|reason| ("item_reason", reason.reason.as_str())));
    texts
}
