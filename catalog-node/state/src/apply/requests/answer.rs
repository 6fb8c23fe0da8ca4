//! Opinion and answer: who may say what to a case, with whose consent (SHR-06, 08, 30).

use std::collections::BTreeSet;

use catalog_model::{
    caller::Identity,
    catalog_entry::CatalogEntry,
    ids::GrantId,
    name::{Resource, ResourceName},
    organization::{Organization, Person, PersonRole, PlatformRole},
    reason::Reason,
    refusal::Refusal,
    rule_pack::{RefusalNeed, Resolution},
    share_request::{Answer, Decider, GivenAnswer, Opinion, ShareRequest, ShareRequestState},
    sharing::SharingKind,
};

use super::{
    calling_provider, change, check_open, deciding_organization, mark_if_overdue, name, owned,
    rules_of,
};
use crate::{
    apply::{
        cases::{self, opinion, overdue, separation, split},
        catalog, consent, grants,
        organizations::same_version,
        text,
    },
    keys,
    ledger::{self, AnswerKind, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::{Consent, ConsentKind},
    tx::Tx,
};

/// A ground that says nothing; where the rules ask for a ground it is none (SHR-08).
const GROUND_OTHER: &str = "other";

/// A ground that decree 809 art. 21¶2 forbids.
const GROUND_INCOMPLETE: &str = "incomplete";

pub(crate) fn give_opinion(
    tx: &mut Tx<'_>,
    _law: &Law,
    request: &ResourceName,
    version: u64,
    in_favor: bool,
    text: &str,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, request)?;
    check_open(&old)?;
    let decider = old.rules.as_ref().map(|rules| rules.decider);
    let Some(provider) = calling_provider(tx, &old).filter(|_| decider != Some(Decider::Provider))
    else {
        return Err(not_permitted(tx, "the provider, where it does not decide alone"));
    };
    same_version(old.version, version)?;
    text::check("text", text)?;
    if !in_favor {
        text::check_reason("text", text)?;
    }
    let mut case = old.clone();
    case.opinions.push(Opinion {
        by: tx.party(&provider),
        person: tx.acting_person(),
        in_favor,
        text: text.to_owned(),
        given_time: tx.given_time(),
    });
    ledger::append(tx, request, Fact::OpinionGiven { in_favor }, None, &[("opinion", text)]);
    Ok(change(tx, &old, case))
}

pub(crate) fn answer(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    answer: &Answer,
    grant: GrantId,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, request)?;
    let decider = decider(tx, &old)?;
    same_version(old.version, version)?;
    check_open(&old)?;
    let resolution = rules_of(tx, law, &old);
    let owed = split::owed_items(tx, &old);
    check_answer(tx, law, &resolution, &old, &owed, answer)?;
    hear_provider(tx, law, &resolution, &old, &decider)?;
    if tx.level >= cases::LEVEL {
        let filed_by = cases::file_of(tx, request).filed_by;
        let what = ("the request", "申请");
        separation::check(tx, law, what, filed_by, tx.acting_person())?;
    }
    head_consent(tx, law, &old, &decider, answer)?;

    let given_time = tx.given_time();
    let late = old.answer_clock.as_ref().is_some_and(|clock| clock.is_overdue(given_time));
    let rule = resolution.decider().map(|(_, rule)| rule);
    let mut case = old.clone();
    // A clock that nobody has moved past the due instant yet takes nothing from the debtor's
    // lateness: order and hearing come first, in this command.
    if late {
        mark_if_overdue(tx, law, &mut case);
    }
    let (kind, state, items) = match answer {
        Answer::Agreed => (AnswerKind::Agreed, ShareRequestState::Agreed, owed),
        Answer::AgreedInPart { items, .. } => {
            (AnswerKind::AgreedInPart, ShareRequestState::AgreedInPart, items.clone())
        }
        Answer::Refused { .. } => (AnswerKind::Refused, ShareRequestState::Refused, Vec::new()),
    };
    case.state = state;
    case.answer = Some(GivenAnswer {
        answer: answer.clone(),
        by: tx.party(&decider),
        person: tx.acting_person(),
        given_time,
        late,
        standing: false,
        rule: rule.clone(),
    });
    let fact = Fact::RequestAnswered {
        kind,
        items: items.clone(),
        late,
        grant: (!items.is_empty()).then(|| grants::name(tx, grant)),
        standing: false,
    };
    let texts = match answer {
        Answer::Agreed => vec![],
        Answer::AgreedInPart { reason, .. } => vec![("reason", reason.as_str())],
        Answer::Refused { ground, reason } => {
            vec![("ground", ground.as_str()), ("reason", reason.as_str())]
        }
    };
    ledger::append(tx, request, fact, rule.clone(), &texts);
    if !items.is_empty() {
        let rule = rule.expect("a case that was opened has a decider");
        grants::give(tx, law, &resolution, &mut case, grant, items, rule);
    }
    if !late {
        overdue::answered_in_time(tx, law, &case);
    }
    Ok(change(tx, &old, case))
}

/// The caller's organization, if it is the one that answers.
fn decider(tx: &Tx<'_>, case: &ShareRequest) -> Result<Organization, Refusal> {
    let deciding = deciding_organization(tx, case);
    if let Some(caller) = tx.caller_organization()
        && deciding == Some(caller.id)
    {
        return Ok(caller);
    }
    let (named, rule) = match &case.rules {
        Some(rules) => {
            let named = match rules.decider {
                Decider::Provider => case.provider.name.clone(),
                Decider::Authority | Decider::AuthorityWithProvider => tx
                    .platform_organization(PlatformRole::Authority)
                    .map_or_else(|| "the authority".to_owned(), |authority| authority.name),
            };
            (named, Some(rules.decider_rule.clone()))
        }
        None => ("nobody".to_owned(), None),
    };
    let mut refusal =
        Refusal::new(Reason::NotTheDecider).fact("caller", &tx.caller).fact("decider", named);
    refusal.rule = rule;
    Err(refusal)
}

/// Whether this may be the answer to that case, whoever gives it.
fn check_answer(
    tx: &Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    case: &ShareRequest,
    owed: &[String],
    answer: &Answer,
) -> Result<(), Refusal> {
    match answer {
        Answer::Agreed => check_still_shared(tx, case, owed),
        Answer::AgreedInPart { items, reason } => {
            let asked: BTreeSet<&String> = owed.iter().collect();
            let agreed: BTreeSet<&String> = items.iter().collect();
            let at_once = split::at_once_items(tx, case);
            if let Some(granted) = items.iter().find(|item| at_once.contains(item)) {
                return Err(Refusal::new(Reason::ItemGrantedAtOnce).fact("item", granted));
            }
            if let Some(unknown) = agreed.difference(&asked).next() {
                return Err(Refusal::new(Reason::ItemUnknown).fact("item", unknown));
            }
            let part =
                !items.is_empty() && agreed.len() == items.len() && agreed.len() < asked.len();
            if !part || reason.trim().is_empty() {
                return Err(Refusal::new(Reason::PartWithoutItems));
            }
            text::check("answer.reason", reason)?;
            check_still_shared(tx, case, items)
        }
        Answer::Refused { ground, reason } => {
            let needs = resolution.refusal_requires();
            if reason.trim().is_empty() {
                let refusal = Refusal::new(Reason::RefusalReasonMissing);
                return Err(match needs.first() {
                    Some((_, rule)) => refusal.under(rule.clone()),
                    None => refusal,
                });
            }
            text::check("answer.reason", reason)?;
            text::check("answer.ground", ground)?;
            let grounds = needs.iter().find(|(need, _)| *need == RefusalNeed::StatutoryGround);
            if let Some((_, rule)) = grounds
                && (ground.trim().is_empty() || ground == GROUND_OTHER)
            {
                return Err(Refusal::new(Reason::RefusalGroundMissing).under(rule.clone()));
            }
            check_not_for_incompleteness(tx, law, resolution, case, ground)
        }
    }
}

/// What is agreed to must still be in the catalog and shared.
fn check_still_shared(tx: &Tx<'_>, case: &ShareRequest, items: &[String]) -> Result<(), Refusal> {
    let Resource::Entry(id) = case.content.entry.resource else {
        panic!("a case is about an entry");
    };
    let published: Option<CatalogEntry> =
        tx.get(&keys::published_entry(&case.content.entry.domain, id));
    let Some(entry) = published else {
        return Err(Refusal::new(Reason::EntryNotAvailable));
    };
    for item in items {
        match catalog::sharing_of(&entry, item) {
            None => return Err(Refusal::new(Reason::ItemUnknown).fact("item", item)),
            Some(SharingKind::NotShared) => {
                return Err(Refusal::new(Reason::ItemNotShared).fact("item", item));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What is missing is asked for once and never refused for (decree 809 art. 21¶2): neither by
/// that ground, nor while the asker's time to complete has not run out.
fn check_not_for_incompleteness(
    tx: &Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    case: &ShareRequest,
    ground: &str,
) -> Result<(), Refusal> {
    let completion = resolution.completion();
    let Some(rule) = completion.one_notice else { return Ok(()) };
    let waiting = case
        .completion
        .as_ref()
        .filter(|asked| asked.suspends && case.state == ShareRequestState::CompletionAsked);
    let waits = waiting.is_some_and(|asked| {
        completion.lapse.is_some_and(|(days, _)| {
            let last = law.calendar.add_working_days(asked.asked_time.local_date(), days);
            tx.clock < last.date.end()
        })
    });
    if waits || ground == GROUND_INCOMPLETE {
        return Err(Refusal::new(Reason::RefusedForIncompleteness).under(rule));
    }
    Ok(())
}

/// An authority that decides with the provider, or after its opinion, answers once it has heard
/// the provider or the provider let its time run out; that silence is on record (SHR-30).
fn hear_provider(
    tx: &mut Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    case: &ShareRequest,
    decider: &Organization,
) -> Result<(), Refusal> {
    if tx.level >= cases::LEVEL {
        return opinion::check_heard(tx, resolution, case, decider);
    }
    let alone = case.rules.as_ref().is_none_or(|rules| rules.decider == Decider::Provider);
    if alone || !case.opinions.is_empty() || decider.id == case.provider.organization {
        return Ok(());
    }
    let received = case.received_time.expect("a received case has its receipt");
    let Some((days, rule)) = resolution.opinion_clock(case.sharing) else {
        return Err(Refusal::new(Reason::OpinionMissing));
    };
    let due_date = law.calendar.add_working_days(received.local_date(), days).date;
    if tx.clock < due_date.end() {
        return Err(Refusal::new(Reason::OpinionMissing)
            .under(rule)
            .fact("due", due_date)
            .retry_after(due_date.end().0 - tx.clock.0));
    }
    ledger::append(tx, &name(case), Fact::OpinionSilent { due_date }, Some(rule), &[]);
    Ok(())
}

/// The head of the decider's sharing office consents to this answer to this version, or answers
/// in person (decree 809 art. 20¶3).
fn head_consent(
    tx: &mut Tx<'_>,
    law: &Law,
    case: &ShareRequest,
    decider: &Organization,
    answer: &Answer,
) -> Result<(), Refusal> {
    let Some(rule) = case.rules.as_ref().and_then(|rules| rules.answer_head_consent.clone()) else {
        return Ok(());
    };
    let name = name(case);
    let digest = consent::digest(answer);
    let given: Option<Consent> = tx.get(&keys::consent(ConsentKind::Answer, &name));
    let given = given.filter(|consent| {
        consent.version == case.version
            && consent.digest == digest
            && consent.organization == decider.id
    });
    let what = ("the answer", "答复");
    if let Some(consent) = given {
        return separation::check(tx, law, what, tx.acting_person(), Some(consent.person));
    }
    if tx.on_behalf.is_none()
        && let Identity::Person { person, .. } = tx.caller.identity
    {
        let head = PersonRole::SharingOfficeHead;
        let on_file: Option<Person> = tx.get(&keys::person(tx.domain(), decider.id, person));
        if on_file.is_some_and(|person| person.roles.contains(&head)) {
            separation::check(tx, law, what, Some(person), Some(person))?;
            let consent = consent::by_head(tx, decider.id, person, head, digest, case.version)?;
            consent::record(tx, ConsentKind::Answer, &name, &consent);
            return Ok(());
        }
    }
    Err(Refusal::new(Reason::ConsentMissing)
        .under(rule)
        .fact("consenter", format!("the head of the sharing office of {}", decider.name))
        .fact("subject", name))
}
