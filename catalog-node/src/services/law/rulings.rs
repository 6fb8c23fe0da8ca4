//! Rulings: the authority decides where the texts leave a gap or contradict each other.

use catalog_model::{
    ids::{DomainId, RulingId},
    name::Resource,
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    command::{Body, LawCommand},
    keys::{Key, Table},
    law::{RulingKind, RulingRow},
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{
        name::{domain_name, full_name, resource_name},
        paper_decision::{paper_decision_message, read_paper_decision},
        time::{read_date, timestamp},
    },
    law::v1::{
        self as message, ListRulingsRequest, ListRulingsResponse, RecordRulingRequest,
        WithdrawRulingRequest,
    },
};

use crate::services::{
    Call, Look, Reply, draw, not_found,
    organizations::{done, next},
    paging,
};

pub(super) async fn record(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordRulingRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let kind = kind(&request)?;
    let day = |text: &str, field| {
        if text.is_empty() { Ok(None) } else { read_date(text, field).map(Some) }
    };
    let decision = request.decision.as_ref();
    let command = LawCommand::RecordRuling {
        id: RulingId(draw()),
        kind,
        from: day(&request.from, "from")?,
        to: day(&request.to, "to")?,
        decision: decision.map(|paper| read_paper_decision(paper, "decision")).transpose()?,
        reason: request.reason,
    };
    call.write(&request.request_id, Body::Law(Box::new(command)), shown).await
}

fn kind(request: &RecordRulingRequest) -> Result<RulingKind, Refusal> {
    let mut wrong = Refusal::new(Reason::FieldInvalid);
    let (rule, over) = (request.rule.clone(), request.over.clone());
    let kind = request.kind();
    if rule.is_empty() {
        wrong = wrong.field("rule", "name the rule that is to hold", "应写明适用的规则编号");
    }
    let continues = kind == message::RulingKind::ContinueExpired;
    let stated = kind != message::RulingKind::Unspecified;
    if stated && over.is_empty() != continues {
        wrong = wrong.field(
            "over",
            "name the rule that gives way; a continuation has none",
            "应写明让位的规则编号；继续执行失效规则的裁定不写",
        );
    }
    let kind = match kind {
        message::RulingKind::ContinueExpired => Some(RulingKind::ContinueExpired { rule }),
        message::RulingKind::Adapt => Some(RulingKind::Adapt { rule, over }),
        message::RulingKind::Choose => Some(RulingKind::Choose { rule, over }),
        message::RulingKind::Unspecified => {
            wrong = wrong.field(
                "kind",
                "say what the ruling does: continue an expired rule, adapt, or choose",
                "应写明裁定种类：继续执行失效规则、变通、择一适用",
            );
            None
        }
    };
    kind.filter(|_| wrong.fields.is_empty()).ok_or(wrong)
}

pub(super) async fn withdraw(call: &Call) -> Result<Reply, Refusal> {
    let request: WithdrawRulingRequest = call.decode()?;
    let ruling = resource_name(&request.name, "name")?;
    let command = LawCommand::WithdrawRuling { ruling, reason: request.reason };
    call.write(&request.request_id, Body::Law(Box::new(command)), shown).await
}

fn shown(look: &Look<'_>, outcome: &Outcome) -> Result<message::Ruling, Refusal> {
    let name = done(outcome)?;
    let Resource::Ruling(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    let row = look.view().ruling(id).ok_or_else(|| not_found(&name))?;
    Ok(ruling_message(look.domain(), &row, look.is_platform()))
}

/// A ruling binds everybody, so everybody may read it; for whom a paper was entered is for the
/// platform's organizations.
pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListRulingsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::Ruling);
        let page =
            look.view().page::<RulingRow>(&prefix, from.as_deref(), size, paging::SCAN, |_| true);
        let whole = look.is_platform();
        Ok(ListRulingsResponse {
            rulings: page.rows.iter().map(|row| ruling_message(&domain, row, whole)).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

fn ruling_message(domain: &DomainId, row: &RulingRow, whole: bool) -> message::Ruling {
    let kind = match row.kind {
        RulingKind::ContinueExpired { .. } => message::RulingKind::ContinueExpired,
        RulingKind::Adapt { .. } => message::RulingKind::Adapt,
        RulingKind::Choose { .. } => message::RulingKind::Choose,
    };
    let decision = row.decision.as_ref().map(|paper| {
        let mut shown = paper_decision_message(paper);
        if !whole {
            shown.recorded_for.clear();
        }
        shown
    });
    message::Ruling {
        name: full_name(domain, Resource::Ruling(row.id)),
        kind: kind.into(),
        rule: row.kind.rule().to_owned(),
        over: row.kind.over().unwrap_or_default().to_owned(),
        from: row.from.to_string(),
        to: row.to.map(|day| day.to_string()).unwrap_or_default(),
        decision,
        reason: row.reason.clone(),
        record_time: Some(timestamp(row.recorded_time)),
        rule_pack_version: row.pack_version,
        withdraw_time: row.withdrawn_time.map(timestamp),
    }
}
