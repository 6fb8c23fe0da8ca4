//! Changes of a service, as they are proposed and shown.

use catalog_model::{
    name::Resource,
    refusal::Refusal,
    service_change::{AffectedGrant, ServiceChange, ServiceChangeCause, ServiceChangeKind},
    time::LocalDate,
};

use crate::{
    convert::{
        case_rules::rule_ref_message,
        digest::digest_bytes,
        enumeration::Enumerated as _,
        etag,
        name::full_name,
        party::party_message,
        reading::{At, Reading},
        time::timestamp,
    },
    sharing::v1 as message,
};

/// The change as a message, with all whom it concerns.
pub fn service_change_message(change: &ServiceChange) -> message::ServiceChange {
    message::ServiceChange {
        name: full_name(&change.domain, Resource::ServiceChange(change.id)),
        entry: change.entry.to_string(),
        provider: Some(party_message(&change.provider)),
        kind: change.kind.number(),
        items: change.items.clone(),
        cause: change.cause.number(),
        reason: change.reason.clone(),
        effective: change.effective.to_string(),
        state: change.state.number(),
        grants: change.grants.iter().map(affected_message).collect(),
        minutes: digest_bytes(change.minutes),
        filed_time: change.filed_time.map(timestamp),
        effected_time: change.effected_time.map(timestamp),
        rule: change.rule.as_ref().map(rule_ref_message),
        etag: etag(change.version),
        create_time: Some(timestamp(change.created_time)),
        update_time: Some(timestamp(change.updated_time)),
    }
}

fn affected_message(affected: &AffectedGrant) -> message::AffectedGrant {
    message::AffectedGrant {
        grant: affected.grant.to_string(),
        consumer: Some(party_message(&affected.consumer)),
        statement: affected.statement.as_ref().map(|said| message::ConsumerStatement {
            agrees: said.agrees,
            text: said.text.clone(),
            stated_time: Some(timestamp(said.stated_time)),
        }),
        joined_time: affected.joined_time.map(timestamp),
    }
}

/// What of a proposal has to be a value of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// What is to happen.
    pub kind: ServiceChangeKind,
    /// Why.
    pub cause: ServiceChangeCause,
    /// The first day on which it may hold.
    pub effective: LocalDate,
}

/// Reads what of a proposal is neither name nor text.
pub fn read_proposal(request: &message::ProposeServiceChangeRequest) -> Result<Proposal, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(""));
    let kind = reading.required(at.field("kind"), request.kind);
    let cause = reading.required(at.field("cause"), request.cause);
    let effective = reading.date(at.field("effective"), &request.effective);
    let proposal = (|| Some(Proposal { kind: kind?, cause: cause?, effective: effective? }))();
    reading.finish(proposal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_with_a_proposal_is_said_at_once() {
        let request = message::ProposeServiceChangeRequest {
            kind: 9,
            effective: "2026-02-30".into(),
            ..Default::default()
        };
        let refusal = read_proposal(&request).unwrap_err();
        let fields: Vec<_> = refusal.fields.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["kind", "cause", "effective"]);
        let request = message::ProposeServiceChangeRequest {
            kind: message::ServiceChangeKind::Narrow.into(),
            cause: message::ServiceChangeCause::Leak.into(),
            effective: "2026-10-09".into(),
            ..Default::default()
        };
        let proposal = read_proposal(&request).unwrap();
        assert_eq!(proposal.kind, ServiceChangeKind::Narrow);
        assert_eq!(proposal.cause, ServiceChangeCause::Leak);
    }
}
