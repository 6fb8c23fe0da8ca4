//! Lateness: what is ordered, who hears the reason, and when does it count?

use luqiao_proto::sharing::v1::{
    ClaimReasonRequest, GetPunctualityRequest, HearingOutcome, Punctuality, RuleOnReasonRequest,
};

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{AUTHORITY, Level},
        story::{StepFailed, Telling, failed},
    },
    language::Bilingual,
    remote::{case_file::effects, session::request_id},
};

use super::{
    GET_PUNCTUALITY, Walk,
    extension::file_of,
    requests::{DUE, asker, look_at},
};

/// The month in which the answer was due.
const MONTH: &str = "2026-10";

async fn punctuality(
    walk: &Walk,
    actor: &Actor,
    organization: &str,
) -> Result<Punctuality, StepFailed> {
    let question = GetPunctualityRequest { name: organization.to_owned(), month: MONTH.to_owned() };
    let look: Look<Punctuality> =
        walk.town.look(Level::City, actor, GET_PUNCTUALITY, &question).await?;
    Ok(look.answer)
}

pub(super) async fn overdue_order(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let Some(case) = walk.case.clone() else {
        return failed(both!("there is no case", "没有案件"));
    };
    let debtor = case.provider.clone().unwrap_or_default();
    let Some(provider) = walk.providers.get(&debtor.organization).cloned() else {
        let name = &debtor.organization;
        return failed(both!("{name} is no provider", "{name} 不是提供单位"));
    };
    let authority = walk.town.office(Level::City, AUTHORITY).await?;
    let (asker, _) = asker(walk, Level::City).await?;

    let found = file_of(walk, &asker, &case.name).await?.answer;
    let Some(order) = found.orders.first().cloned() else {
        return failed(both!("nobody was ordered to correct", "未责令任何单位改正"));
    };
    let ordered = order.debtor.clone().unwrap_or_default().organization;
    told.saw("who is ordered to correct", ordered.as_str(), debtor.organization.as_str())?;
    let heard_by = case.overdue.as_ref().and_then(|mark| mark.escalated_party.as_ref());
    told.saw(
        "who hears the reason",
        heard_by.map(|party| party.organization.as_str()),
        Some(authority.organization.as_str()),
    )?;
    let name = &debtor.display_name;
    let Bilingual { en, zh } = effects(&order.effects);
    told.say(Bilingual {
        en: format!("an order against {name}: {en}"),
        zh: format!("对{name}的处理：{zh}"),
    });
    told.under(order.rule.as_ref());
    let until = found.hearing_deadline.clone().unwrap_or_default();
    let due = &until.due_date;
    told.say(both!(
        "a reason can be claimed until {due}; nothing counts before it was heard",
        "{due} 前可说明理由；听取理由前不计入"
    ));
    told.under(until.rule.as_ref());
    let before = punctuality(walk, &provider.desk, &debtor.organization).await?;
    told.saw("late, by its own reading", before.late > 0, true)?;

    let desk = &provider.desk.session;
    let reason = "机房搬迁，未及时登录平台（合成）";
    let claimed = desk
        .sharing()
        .claim_reason(desk.call(ClaimReasonRequest {
            name: case.name.clone(),
            etag: found.etag.clone(),
            text: reason.to_owned(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let session = &authority.session;
    let ruling = "搬迁早有安排，可委托他人办理（合成）";
    session
        .sharing()
        .rule_on_reason(session.call(RuleOnReasonRequest {
            name: case.name.clone(),
            etag: claimed.etag,
            debtor: debtor.organization.clone(),
            accepted: false,
            reason: ruling.to_owned(),
            request_id: request_id(),
        }))
        .await?;

    let look = file_of(walk, &asker, &case.name).await?;
    let (heard, node) = (look.answer.hearings.first().cloned().unwrap_or_default(), look.node);
    told.saw("the lateness", heard.outcome(), HearingOutcome::Counted)?;
    told.saw("the last day missed", heard.due_date.as_str(), DUE)?;
    let person = heard.claim.as_ref().map(|claim| claim.person.as_str());
    told.saw("the asker is not told who spoke", person, Some(""))?;
    let count = punctuality(walk, &authority, &debtor.organization).await?;
    told.saw("counted in its record", count.counted, before.counted + 1)?;
    told.say(both!(
        "{name} says: {reason}; the authority does not accept it: {ruling}; read at node {node}",
        "{name}说明理由：{reason}；主管部门不予认可：{ruling}；经节点 {node} 复核"
    ));
    let (on_time, late, counted) = (count.on_time, count.late, count.counted);
    told.say(both!(
        "its answers due in {MONTH}: {on_time} on time, {late} late, {counted} of these counted",
        "其 {MONTH} 到期的答复：按期 {on_time} 件，逾期 {late} 件，其中计入 {counted} 件"
    ));
    told.about(&case.name);
    // The hearing made new versions of the case.
    walk.case = Some(look_at(walk, Level::City, &asker, &case.name).await?.answer);
    Ok(())
}
