//! Demands: shown, never read back. Everybody learns what is wanted and where it stands; what was
//! said of it is for those who take part.

use catalog_model::{
    demand::Demand,
    name::{Resource, ResourceName},
};

use crate::{
    convert::{
        enumeration::Enumerated as _, etag, name::full_name, party::party_message, time::timestamp,
    },
    sharing::v1 as message,
};

/// The demand as a message; text and notes only for who takes part.
pub fn demand_message(demand: &Demand, takes_part: bool) -> message::Demand {
    let (text, notes) = if takes_part {
        (demand.text.clone(), demand.notes.clone())
    } else {
        (String::new(), Vec::new())
    };
    message::Demand {
        name: full_name(&demand.domain, Resource::Demand(demand.id)),
        requester: Some(party_message(&demand.requester)),
        title: demand.title.clone(),
        text,
        state: demand.state.number(),
        owner: demand.owner.as_ref().map(party_message),
        provider: demand.provider.as_ref().map(party_message),
        entry: demand.entry.as_ref().map(ResourceName::to_string).unwrap_or_default(),
        notes,
        etag: etag(demand.version),
        create_time: Some(timestamp(demand.created_time)),
        update_time: Some(timestamp(demand.updated_time)),
    }
}

#[cfg(test)]
mod tests {
    use catalog_model::{
        demand::DemandState,
        ids::{DemandId, OrganizationId},
        share_request::Party,
        time::UtcMillis,
    };

    use super::*;

    #[test]
    fn who_takes_no_part_reads_title_and_state() {
        let party = Party {
            domain: "xiamen".parse().expect("a domain"),
            organization: OrganizationId::from_bytes([1; 16]),
            name: "市城市管理部门（合成）".to_owned(),
            class: None,
        };
        let demand = Demand {
            id: DemandId::from_bytes([2; 16]),
            domain: party.domain.clone(),
            requester: party.clone(),
            title: "供水管网巡检记录（合成）".to_owned(),
            text: "用于管网风险排查（合成）".to_owned(),
            state: DemandState::PreReviewed,
            owner: Some(party),
            provider: None,
            entry: None,
            notes: vec!["目录中没有（合成）".to_owned()],
            version: 2,
            created_time: UtcMillis(1),
            updated_time: UtcMillis(2),
        };
        let (inside, outside) = (demand_message(&demand, true), demand_message(&demand, false));
        assert_eq!((inside.text.as_str(), inside.notes.len()), (demand.text.as_str(), 1));
        assert_eq!((outside.text.as_str(), outside.notes.len()), ("", 0));
        assert_eq!(outside.state(), message::DemandState::PreReviewed);
        assert_eq!(outside.title, inside.title);
    }
}
