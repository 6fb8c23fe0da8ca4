//! What each command does: dispatch only, one file a group of commands.

pub mod bootstrap;
pub mod cases;
pub mod catalog;
pub mod clock;
pub mod cluster;
pub mod consent;
pub mod drills;
pub mod federation;
mod foreseen;
pub mod grants;
pub(crate) mod law;
pub(crate) mod notices;
pub mod organizations;
pub mod probe;
pub mod proof;
pub mod requests;
pub(crate) mod restore;
pub(crate) mod sites;
mod text;
// Relations and quality.
pub mod quality;
pub(crate) mod relations;

use catalog_model::{ids::RequestId, refusal::Refusal, share_request::RequestContent};

use crate::{
    command::{
        Body,
        case::{CaseCommand, Filing},
    },
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    tx::Tx,
};

/// Does `body`, or refuses; a refusal's changes are rolled back by the caller.
pub(crate) fn dispatch(tx: &mut Tx<'_>, law: &Law, body: &Body) -> Result<Outcome, Refusal> {
    cases::asserted::check(tx)?;
    sites::graded::check(tx, body)?;
    match body {
        Body::Bootstrap(_) => Err(Refusal::new(catalog_model::reason::Reason::AlreadyBootstrapped)),
        Body::AdvanceClock { development, portion, .. } => {
            let outcome = clock::advance(tx, law, *development, *portion)?;
            catalog::worklist::go_on(tx, law);
            Ok(outcome)
        }

        Body::CreateOrganization { id, content } => organizations::create(tx, *id, content),
        Body::UpdateOrganization { id, version, content } => {
            organizations::update(tx, *id, *version, content)
        }
        Body::CreatePerson { id, organization, display_name, roles } => {
            organizations::create_person(tx, *id, *organization, display_name, roles)
        }
        Body::CreateSystem { id, organization, display_name, description } => {
            organizations::create_system(tx, *id, *organization, display_name, description)
        }

        Body::RegisterEntry { id, provider, kind, content } => {
            catalog::register(tx, law, *id, *provider, *kind, content)
        }
        Body::ImportEntries { entries } => catalog::import(tx, law, entries),
        Body::UpdateEntry { id, version, content } => {
            catalog::update(tx, law, *id, *version, content)
        }
        Body::SubmitEntry { id, version } => catalog::submit(tx, law, *id, *version),
        Body::ReturnEntry { id, version, reason } => {
            catalog::return_entry(tx, law, *id, *version, reason)
        }
        Body::PublishEntry { id, version } => catalog::publish(tx, law, *id, *version),
        Body::WithdrawEntry { id, version, reason } => {
            catalog::withdraw(tx, law, *id, *version, reason)
        }

        Body::GiveConsent { subject, version, kind, person, answer } => {
            consent::give(tx, law, subject, *version, *kind, *person, answer.as_ref())
        }

        Body::CreateRequest { id, grant, content, consenting_person } => {
            requests::create(tx, law, *id, *grant, content, *consenting_person)
        }
        Body::CompleteRequest { request, version, missing, completed } => {
            requests::complete(tx, law, request, *version, missing, completed.as_ref())
        }
        Body::GiveOpinion { request, version, in_favor, text } => {
            requests::give_opinion(tx, law, request, *version, *in_favor, text)
        }
        Body::AnswerRequest { request, version, answer, grant } => {
            requests::answer(tx, law, request, *version, answer, *grant)
        }
        Body::ExtendRequest { request, version, working_days, reason } => {
            requests::extend(tx, law, request, *version, *working_days, reason)
        }
        Body::WithdrawRequest { request, version, reason } => {
            requests::withdraw(tx, law, request, *version, reason)
        }

        Body::SuspendGrant { grant, version, reason, rectify_by } => {
            grants::suspend(tx, law, grant, *version, reason, *rectify_by)
        }
        Body::TerminateGrant { grant, version, reason } => {
            grants::terminate(tx, law, grant, *version, reason)
        }

        Body::ReceiveForwarded { request, grant } => {
            federation::receive_forwarded(tx, law, request, *grant)
        }
        Body::ReceiveStatus { request, grant } => {
            federation::receive_status(tx, request, grant.as_deref())
        }
        Body::AckOutbox { destination, through } => {
            federation::ack_outbox(tx, destination, *through)
        }
        Body::ApplyFeedBatch { source, scope, expected, records, token } => {
            federation::apply_feed_batch(tx, source, *scope, expected.as_ref(), records, token)
        }

        Body::ProbePut { key, value } => Ok(probe::put(tx, key, value)),
        Body::ProbeCompareAndSet { key, expected, value } => {
            Ok(probe::compare_and_set(tx, key, expected.as_ref().map(|e| e.as_slice()), value))
        }

        Body::ChangeMembers { version, change, current } => {
            cluster::change_members(tx, *version, change, current)
        }
        Body::RaiseLevel { level } => cluster::raise_level(tx, *level),
        Body::RecordOutage { node, kind, from, until } => {
            cluster::record_outage(tx, *node, *kind, *from, *until)
        }

        Body::Grant(command) => grants::apply(tx, law, command),
        Body::Catalog(command) => catalog::dispatch(tx, law, command),
        Body::Law(command) => law::apply(tx, law, command),
        Body::Case(command) => cases::dispatch(tx, law, command),
        // Relations and quality.
        Body::Relations(command) => relations::apply(tx, law, command),
        Body::Quality(command) => quality::apply(tx, law, command),
        Body::Proof(command) => proof::apply(tx, law, command),
        Body::Work(command) => notices::apply(tx, command),
        Body::Sites(command) => sites::apply(tx, law, command),
        Body::Drill(command) => drills::apply(tx, command),
    }
}

/// A refusal with legal effect is a fact of its own: a request that the law refuses at once
/// leaves a record with the rule, though no case (SHR-03, SHR-09; SEC-02).
pub(crate) fn record_refusal(tx: &mut Tx<'_>, body: &Body, refusal: &Refusal) {
    if refusal.reason == catalog_model::reason::Reason::SecretEntryRefused {
        catalog::secrecy::record_refusal(tx, body, refusal);
        return;
    }
    if refusal.reason == catalog_model::reason::Reason::StandbyRequired {
        sites::graded::record_refusal(tx, body, refusal);
        return;
    }
    if let Body::Proof(command) = body {
        return proof::record_refusal(tx, command, refusal);
    }
    let Some((id, content)) = asked(body, refusal) else { return };
    let Some(rule) = &refusal.rule else { return };
    let subject = catalog_model::name::ResourceName::new(
        tx.domain().clone(),
        catalog_model::name::Resource::Request(id),
    );
    ledger::append(
        tx,
        &subject,
        Fact::RequestRefusedAtOnce { entry: content.entry.clone(), reason: refusal.reason },
        Some(rule.clone()),
        &[("scenario", &content.scenario)],
    );
}

/// What a body asks for: id and content of the request that was refused.
fn asked<'a>(body: &'a Body, refusal: &Refusal) -> Option<(RequestId, &'a RequestContent)> {
    match body {
        Body::CreateRequest { id, content, .. } => Some((*id, content)),
        Body::Case(command) => match command.as_ref() {
            CaseCommand::CreateMixedRequest { parts, .. } => {
                let place: usize = refusal.facts.get("part")?.parse().ok()?;
                let part = parts.get(place.checked_sub(1)?)?;
                Some((part.id, &part.content))
            }
            CaseCommand::FileOnBehalf { filing, .. } => match filing.as_ref() {
                Filing::Request { id, content, .. } => Some((*id, content)),
                Filing::Answer { .. } | Filing::Opinion { .. } => None,
            },
            _ => None,
        },
        _ => None,
    }
}
