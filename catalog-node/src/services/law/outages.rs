//! Outages of the platform: what is on record, and on whose lateness somebody has to rule?

use catalog_model::{
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    command::{Body, LawCommand},
    keys::{Key, Table},
    law::{OutageRuling, PlatformOutage},
};
use luqiao_proto::{
    convert::{
        name::{domain_name, resource_name},
        party::party_message,
        time::{read_timestamp, timestamp},
    },
    law::v1::{
        self as message, ListOutageRulingsRequest, ListOutageRulingsResponse, ListOutagesRequest,
        ListOutagesResponse, OutageEffect, RecordOutageRequest, RuleOutageRequest,
    },
};

use crate::services::{Call, Look, Reply, not_found, organizations::next, paging, sharing::case};

pub(super) async fn record(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordOutageRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let from = read_timestamp(request.from.as_ref(), "from")?;
    let until = read_timestamp(request.until.as_ref(), "until")?;
    let command = LawCommand::RecordPlatformOutage {
        from,
        until,
        second_source: request.second_source,
        reason: request.reason,
    };
    call.write(&request.request_id, Body::Law(Box::new(command)), move |look, _| {
        let outages = look.view().platform_outages();
        let outage = outages.iter().find(|outage| (outage.from, outage.until) == (from, until));
        outage.map(outage_message).ok_or_else(|| Refusal::new(Reason::Internal))
    })
    .await
}

pub(super) async fn rule(call: &Call) -> Result<Reply, Refusal> {
    let request: RuleOutageRequest = call.decode()?;
    let name = resource_name(&request.name, "name")?;
    let counts = match request.effect() {
        OutageEffect::Counts => true,
        OutageEffect::DoesNotCount => false,
        OutageEffect::Unspecified => {
            return Err(Refusal::new(Reason::FieldInvalid).field(
                "effect",
                "say whether the lateness counts",
                "应写明该逾期是否计入",
            ));
        }
    };
    call.look_now(|look| if sees(look, &name) { Ok(()) } else { Err(not_found(&name)) })?;
    let command = LawCommand::RuleOutage { case: name.clone(), counts, reason: request.reason };
    call.write(&request.request_id, Body::Law(Box::new(command)), move |look, _| {
        let row = look.view().outage_ruling(&name).ok_or_else(|| not_found(&name))?;
        Ok(ruling_message(&row))
    })
    .await
}

/// Whether the caller sees the case, or it was escalated to the caller.
fn sees(look: &Look<'_>, name: &ResourceName) -> bool {
    let Resource::Request(id) = name.resource else { return false };
    case(look, name).is_some()
        || look.view().request(&name.domain, id).is_some_and(|case| {
            let above = case.overdue.and_then(|mark| mark.escalated_party);
            above.is_some_and(|party| look.is_party(&party))
        })
}

/// An outage is a fact that every party of an overdue case may have to point to.
pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListOutagesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::PlatformOutage);
        let page = look.view().page::<PlatformOutage>(
            &prefix,
            from.as_deref(),
            size,
            paging::SCAN,
            |_| true,
        );
        Ok(ListOutagesResponse {
            outages: page.rows.iter().map(outage_message).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn list_rulings(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListOutageRulingsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::OutageRuling);
        let asked =
            |row: &OutageRuling| (!request.wanted || row.ruled.is_none()) && sees(look, &row.case);
        let page = look.view().page(&prefix, from.as_deref(), size, paging::SCAN, asked);
        Ok(ListOutageRulingsResponse {
            outage_rulings: page.rows.iter().map(ruling_message).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

fn outage_message(outage: &PlatformOutage) -> message::PlatformOutage {
    message::PlatformOutage {
        number: outage.number,
        from: Some(timestamp(outage.from)),
        until: Some(timestamp(outage.until)),
        nodes: outage.nodes.clone(),
        second_source: outage.second_source.clone(),
        record_time: Some(timestamp(outage.recorded_time)),
        ledger_sequence: outage.record,
    }
}

/// What was, or is to be, ruled on a lateness.
pub(super) fn ruling_message(row: &OutageRuling) -> message::OutageRuling {
    message::OutageRuling {
        name: row.case.to_string(),
        due_date: row.due_date.to_string(),
        outages: row.outages.clone(),
        want_time: Some(timestamp(row.wanted_time)),
        effect: match row.ruled {
            None => OutageEffect::Unspecified,
            Some(true) => OutageEffect::Counts,
            Some(false) => OutageEffect::DoesNotCount,
        }
        .into(),
        by: row.by.as_ref().map(party_message),
        reason: row.reason.clone().unwrap_or_default(),
        rule_time: row.ruled_time.map(timestamp),
    }
}
