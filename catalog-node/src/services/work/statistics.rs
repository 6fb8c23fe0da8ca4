//! Statistics of a period: of one's own organization, or of every one for the platform's.

use std::collections::BTreeMap;

use catalog_model::{
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::statistics::{Figures, Period, figures};
use luqiao_proto::{
    convert::{name::domain_name, time::read_date},
    work::v1::{self as message, GetStatisticsRequest, GetStatisticsResponse, GroundCount},
};

use super::{
    super::{Call, Look, Reply},
    asked_organization,
};

/// Every organization.
const EVERY: &str = "-";

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetStatisticsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let period =
        Period { from: read_date(&request.from, "from")?, to: read_date(&request.to, "to")? };
    if period.to < period.from {
        let (en, zh) = ("must not be before `from`", "不得早于 from");
        return Err(Refusal::new(Reason::FieldInvalid).field("to", en, zh));
    }
    call.read(move |look| {
        look.own(&domain)?;
        let view = look.view();
        let one = if request.organization == EVERY {
            if !look.is_platform() {
                return Err(Refusal::new(Reason::CallerNotPermitted)
                    .fact("caller", look.caller)
                    .fact("needed", "the authority or the platform manager"));
            }
            None
        } else {
            Some(asked_organization(look, &request.organization)?)
        };
        let Some(calendar) = view.calendar_in_force() else {
            return Err(Refusal::new(Reason::NotBootstrapped));
        };
        let told = view.told(one.as_ref().map(|organization| organization.id));
        let mut all = figures(told.values(), period, &calendar);
        if let Some(organization) = &one {
            let resource = Resource::Organization(organization.id);
            let name = ResourceName::new(look.domain().clone(), resource);
            let own = all.remove(&name).unwrap_or_default();
            all = BTreeMap::from([(name, own)]);
        }
        Ok(GetStatisticsResponse {
            organizations: all.iter().map(|(name, figures)| shown(look, name, figures)).collect(),
            calendar_version: calendar.version(),
            tree_size: view.counters().ledger,
        })
    })
    .await
}

fn shown(
    look: &Look<'_>,
    name: &ResourceName,
    figures: &Figures,
) -> message::OrganizationStatistics {
    let organization = match name.resource {
        Resource::Organization(id) => look.view().organization(&name.domain, id),
        _ => None,
    };
    let per_mille = (figures.on_time * 1000).checked_div(figures.answered).unwrap_or_default();
    message::OrganizationStatistics {
        organization: name.to_string(),
        display_name: organization.map_or_else(String::new, |organization| organization.name),
        answered: figures.answered,
        on_time: figures.on_time,
        on_time_per_mille: per_mille as u32,
        median_half_days: figures.median_half_days.unwrap_or_default(),
        agreed: figures.agreed,
        agreed_in_part: figures.agreed_in_part,
        refused: figures.refused.values().sum::<u64>() + figures.refused_erased,
        grounds: figures
            .refused
            .iter()
            .map(|(ground, count)| GroundCount { ground: ground.clone(), count: *count })
            .collect(),
        overdue: figures.overdue,
    }
}
