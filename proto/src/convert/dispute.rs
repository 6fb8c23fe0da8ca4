//! Disputes: shown, never read back.

use catalog_model::{
    dispute::{Coordinator, Dispute, Position},
    name::Resource,
};

use crate::{
    convert::{
        case_rules::rule_ref_message, enumeration::Enumerated as _, etag, name::full_name,
        paper_decision::paper_decision_message, party::party_message, time::timestamp,
    },
    sharing::v1 as message,
};

/// The dispute as a message.
pub fn dispute_message(dispute: &Dispute) -> message::Dispute {
    message::Dispute {
        name: full_name(&dispute.domain, Resource::Dispute(dispute.id)),
        request: dispute.request.to_string(),
        raised_by: Some(party_message(&dispute.raised_by)),
        against: Some(party_message(&dispute.against)),
        state: dispute.state.number(),
        positions: dispute.positions.iter().map(position_message).collect(),
        coordinator: dispute.coordinator.as_ref().map(coordinator_message),
        minutes: dispute.minutes.clone(),
        paper: dispute.paper.as_ref().map(paper_decision_message),
        rule: Some(rule_ref_message(&dispute.rule)),
        etag: etag(dispute.version),
        create_time: Some(timestamp(dispute.created_time)),
        update_time: Some(timestamp(dispute.updated_time)),
    }
}

fn position_message(position: &Position) -> message::Position {
    message::Position {
        by: Some(party_message(&position.by)),
        text: position.text.clone(),
        stated_time: Some(timestamp(position.stated_time)),
    }
}

fn coordinator_message(coordinator: &Coordinator) -> message::Coordinator {
    let same_level = match coordinator {
        Coordinator::SameLevel(authority) => Some(party_message(authority)),
        Coordinator::CommonSuperior => None,
    };
    message::Coordinator { same_level }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_superior_is_one_of_whom_no_party_is_named() {
        let shown = coordinator_message(&Coordinator::CommonSuperior);
        assert_eq!(shown, message::Coordinator { same_level: None });
    }
}
