//! A record in words: the same facts as in its stored bytes, for people and scripts. Proofs are
//! over the bytes; nothing is proved by this text.

use catalog_model::{
    deadline::DeadlineKind, reason::Lang, share_request::PartyRole, sharing::SharingKind,
};
use catalog_state::ledger::{AnswerKind, Fact, LedgerRecord};
use serde_json::{Value, json};

use crate::storage::hex;

/// The record as JSON.
pub(super) fn record_json(record: &LedgerRecord) -> Value {
    let (fact, details) = fact(&record.fact);
    let rule = record.rule.as_ref().map(|rule| {
        json!({
            "id": rule.id,
            "cited_zh": rule.cite(Lang::Zh),
            "cited_en": rule.cite(Lang::En),
        })
    });
    json!({
        "domain": record.domain.to_string(),
        "generation": record.generation,
        "sequence": record.sequence,
        "time_ms": record.time.0,
        "time": record.time.local_text(),
        "subject": record.subject.to_string(),
        "fact": fact,
        "details": details,
        "rule": rule,
        "actor": record.actor,
        "digests": record.digests.iter().map(|digest| {
            json!({ "label": digest.label, "sha256": hex(&digest.digest) })
        }).collect::<Vec<_>>(),
    })
}

fn fact(fact: &Fact) -> (&'static str, Value) {
    let names = |names: &[catalog_model::name::ResourceName]| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    match fact {
        Fact::ClusterCreated { composition } => {
            ("cluster_created", json!({ "composition": composition }))
        }
        Fact::EntryPublished { version, sharing, digest } => (
            "entry_published",
            json!({ "version": version, "sharing": sharing_word(*sharing), "sha256": hex(digest) }),
        ),
        Fact::EntryReturned { version } => ("entry_returned", json!({ "version": version })),
        Fact::EntryWithdrawn { version } => ("entry_withdrawn", json!({ "version": version })),
        Fact::ConsentGiven { version, asserted } => {
            ("consent_given", json!({ "version": version, "asserted": asserted }))
        }
        Fact::RequestReceived {
            entry,
            entry_version,
            requester,
            items,
            received,
            due_date,
            gateway_difference_ms,
        } => (
            "request_received",
            json!({
                "entry": entry.to_string(),
                "entry_version": entry_version,
                "requester": requester.to_string(),
                "items": items,
                "received": received.local_text(),
                "due_date": due_date.map(|date| date.to_string()),
                "gateway_difference_ms": gateway_difference_ms,
            }),
        ),
        Fact::RequestForwarded { owner, entry } => {
            ("request_forwarded", json!({ "owner": owner.to_string(), "entry": entry.to_string() }))
        }
        Fact::RequestRefusedAtOnce { entry, reason } => (
            "request_refused_at_once",
            json!({ "entry": entry.to_string(), "reason": reason.name() }),
        ),
        Fact::CompletionAsked => ("completion_asked", json!({})),
        Fact::RequestCompleted => ("request_completed", json!({})),
        Fact::OpinionGiven { in_favor } => ("opinion_given", json!({ "in_favor": in_favor })),
        Fact::RequestExtended { working_days, from, to } => (
            "request_extended",
            json!({ "working_days": working_days, "from": from.to_string(), "to": to.to_string() }),
        ),
        Fact::RequestAnswered { kind, items, late, grant, standing } => (
            "request_answered",
            json!({
                "kind": answer_word(*kind),
                "items": items,
                "late": late,
                "grant": grant.as_ref().map(ToString::to_string),
                "standing": standing,
            }),
        ),
        Fact::RequestWithdrawn => ("request_withdrawn", json!({})),
        Fact::RequestOverdue { due_date, ordered, escalated_to } => (
            "request_overdue",
            json!({
                "due_date": due_date.to_string(),
                "ordered": names(ordered),
                "escalated_to": role_word(*escalated_to),
            }),
        ),
        Fact::Granted { request, entry, consumer, system, items, from, to } => (
            "granted",
            json!({
                "request": request.to_string(),
                "entry": entry.to_string(),
                "consumer": consumer.to_string(),
                "system": system.to_string(),
                "items": items,
                "from": from.to_string(),
                "to": to.to_string(),
            }),
        ),
        Fact::GrantSuspended { rectify_by } => {
            ("grant_suspended", json!({ "rectify_by": rectify_by.to_string() }))
        }
        Fact::GrantTerminated => ("grant_terminated", json!({})),
        Fact::DeadlineMissed { kind, due } => {
            ("deadline_missed", json!({ "kind": deadline_word(*kind), "due": due.local_text() }))
        }
        Fact::StatusReceived { owner, version } => {
            ("status_received", json!({ "owner": owner.to_string(), "version": version }))
        }
        Fact::OpinionSilent { due_date } => {
            ("opinion_silent", json!({ "due_date": due_date.to_string() }))
        }
        Fact::MembersChanged { version, kind, nodes, voters, learners } => (
            "members_changed",
            json!({
                "version": version,
                "kind": kind,
                "nodes": nodes,
                "voters": voters,
                "learners": learners,
            }),
        ),
        Fact::LevelRaised { from, to } => ("level_raised", json!({ "from": from, "to": to })),
        Fact::OutageRecorded { node, kind, from, until } => (
            "outage_recorded",
            json!({
                "node": node,
                "kind": kind.name(),
                "from_ms": from.0,
                "from": from.local_text(),
                "until_ms": until.0,
                "until": until.local_text(),
                "text_zh": kind.text(Lang::Zh),
                "text_en": kind.text(Lang::En),
            }),
        ),
        Fact::HeadHeld { domain, tree_size, root } => (
            "head_held",
            json!({ "domain": domain.as_str(), "tree_size": tree_size, "root": hex(root) }),
        ),
        Fact::HeadForked { domain, held_size, held_root, tree_size, root } => (
            "head_forked",
            json!({
                "domain": domain.as_str(),
                "held_size": held_size,
                "held_root": hex(held_root),
                "tree_size": tree_size,
                "root": hex(root),
            }),
        ),
        Fact::HeadCosigned { cosigner, tree_size } => {
            ("head_cosigned", json!({ "cosigner": cosigner.as_str(), "tree_size": tree_size }))
        }
        Fact::SegmentSealed { number, from, through, link } => (
            "segment_sealed",
            json!({ "number": number, "from": from, "through": through, "link": hex(link) }),
        ),
        Fact::PayloadErased { sequence } => ("payload_erased", json!({ "sequence": sequence })),
        Fact::PayloadsPurged { from, through, count } => {
            ("payloads_purged", json!({ "from": from, "through": through, "count": count }))
        }
    }
}

fn sharing_word(kind: SharingKind) -> &'static str {
    match kind {
        SharingKind::Unconditional => "unconditional",
        SharingKind::Conditional => "conditional",
        SharingKind::NotShared => "not_shared",
    }
}

fn answer_word(kind: AnswerKind) -> &'static str {
    match kind {
        AnswerKind::Agreed => "agreed",
        AnswerKind::AgreedInPart => "agreed_in_part",
        AnswerKind::Refused => "refused",
    }
}

fn role_word(role: PartyRole) -> &'static str {
    match role {
        PartyRole::Requester => "requester",
        PartyRole::Provider => "provider",
        PartyRole::Authority => "authority",
        PartyRole::AuthorityAndProvider => "authority_and_provider",
        PartyRole::PlatformManager => "platform_manager",
        PartyRole::GovernmentOrSuperior => "government_or_superior",
    }
}

fn deadline_word(kind: DeadlineKind) -> &'static str {
    match kind {
        DeadlineKind::Answer => "answer",
        DeadlineKind::CatalogReview => "catalog_review",
        DeadlineKind::Delivery => "delivery",
    }
}
