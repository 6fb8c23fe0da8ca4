//! `luqiao outage`.

use luqiao_proto::law::v1::{
    ListOutageRulingsRequest, ListOutagesRequest, OutageEffect, RecordOutageRequest,
    RuleOutageRequest,
};

use crate::{
    args::law::{Outage, OutageWord},
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer};

const OUTAGES: [Column; 5] = [
    column("NUMBER", "编号", "/number"),
    column("FROM", "起", "/from"),
    column("UNTIL", "止", "/until"),
    column("NODES", "节点", "/nodes"),
    column("SECOND SOURCE", "第二来源", "/second_source"),
];
const RULINGS: [Column; 5] = [
    column("CASE", "申请", "/name"),
    column("DUE", "期限", "/due_date"),
    column("OUTAGES", "中断编号", "/outages"),
    column("RULED", "裁定", "/effect"),
    column("BY", "裁定单位", "/by/display_name"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Outage) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.law();
    match command {
        Outage::Record { from, until, second_source, reason, change } => {
            let request = RecordOutageRequest {
                parent: session.parent(),
                from: Some(from),
                until: Some(until),
                second_source,
                reason,
                request_id: remote.attempt(change.request_id),
            };
            let outage = answer(client.record_outage(session.call(request)).await)?;
            remote.show(kind::OUTAGE, &outage)?;
        }
        Outage::Rule { name, effect, reason, change } => {
            let effect = match effect {
                OutageWord::Counts => OutageEffect::Counts,
                OutageWord::DoesNotCount => OutageEffect::DoesNotCount,
            };
            let request_id = remote.attempt(change.request_id);
            let request = RuleOutageRequest { name, effect: effect.into(), reason, request_id };
            let ruling = answer(client.rule_outage(session.call(request)).await)?;
            remote.show(kind::OUTAGE_RULING, &ruling)?;
        }
        Outage::List { domain, page } => {
            let request = ListOutagesRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(client.list_outages(session.call(request)).await)?;
            remote.show_page(kind::OUTAGE_PAGE, &list, "outages", &OUTAGES)?;
        }
        Outage::Rulings { domain, wanted, page } => {
            let request = ListOutageRulingsRequest {
                parent: remote.parent(domain.as_deref()),
                wanted,
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(client.list_outage_rulings(session.call(request)).await)?;
            remote.show_page(kind::OUTAGE_RULING_PAGE, &list, "outage_rulings", &RULINGS)?;
        }
    }
    Ok(Exit::Ok)
}
