//! Work: what an organization must do next, and how it did it.

use std::sync::Arc;

use luqiao_proto::work::v1::{
    DueBasis, GetStatisticsRequest, GetStatisticsResponse, ListWorkRequest, ListWorkResponse,
    WorkKind,
};

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{DEPARTMENT, Level},
        story::{StepFailed, Telling, failed},
    },
};

use super::{GET_STATISTICS, LIST_WORK, Walk, requests::DUE};

/// The system of whoever provides in the case that is overdue.
fn debtor(walk: &Walk) -> Result<(Arc<Actor>, String), StepFailed> {
    let Some(case) = &walk.case else { return failed(both!("there is no case", "没有案件")) };
    let provider = case.provider.clone().unwrap_or_default();
    if let Some(known) = walk.providers.get(&provider.organization) {
        Ok((Arc::clone(&known.desk), case.name.clone()))
    } else {
        let organization = provider.organization;
        failed(both!("{organization} is no provider", "{organization} 不是提供单位"))
    }
}

pub(super) async fn today(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let (desk, case) = debtor(walk)?;
    let question = ListWorkRequest { parent: desk.parent(), page_size: 500, ..Default::default() };
    let look: Look<ListWorkResponse> =
        walk.town.look(Level::City, &desk, LIST_WORK, &question).await?;
    let list = look.answer;
    let Some(late) =
        list.items.iter().find(|item| item.subject == case && item.kind() == WorkKind::Answer)
    else {
        return failed(both!("the overdue answer is on no list", "逾期的答复不在待办之列"));
    };
    told.saw("the answer is overdue", late.overdue, true)?;
    told.saw("its last day", late.due_date.as_str(), DUE)?;
    told.saw("by law", late.basis(), DueBasis::Statutory)?;
    let claim =
        list.items.iter().any(|item| item.subject == case && item.kind() == WorkKind::ReasonClaim);
    told.saw("the reason may be claimed", claim, true)?;
    let (name, count, node) = (&list.organization_name, list.items.len(), look.node);
    let (task, title) = (&late.task, &late.title);
    told.say(both!(
        "{name} has {count} thing(s) to do; among them, overdue since {DUE}: {task}: {title}; read at node {node}",
        "{name} 待办 {count} 项；其中逾期（{DUE} 到期）：{task}：{title}；经节点 {node} 复核"
    ));
    // Nobody else has it to do.
    let other = walk.town.office(Level::City, DEPARTMENT).await?;
    let question = ListWorkRequest { parent: other.parent(), page_size: 500, ..Default::default() };
    let look: Look<ListWorkResponse> =
        walk.town.look(Level::City, &other, LIST_WORK, &question).await?;
    let elsewhere = look
        .answer
        .items
        .iter()
        .any(|item| item.subject == case && item.kind() == WorkKind::Answer);
    told.saw("the asker has it to do", elsewhere, false)?;
    told.under(late.rule.as_ref());
    told.about(&case);
    Ok(())
}

pub(super) async fn figures(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let (desk, case) = debtor(walk)?;
    let question = GetStatisticsRequest {
        parent: desk.parent(),
        organization: String::new(),
        from: "2026-09-21".to_owned(),
        to: "2026-12-31".to_owned(),
    };
    let look: Look<GetStatisticsResponse> =
        walk.town.look(Level::City, &desk, GET_STATISTICS, &question).await?;
    let Some(own) = look.answer.organizations.first() else {
        return failed(both!("it has no figures", "没有统计数据"));
    };
    told.saw("orders to correct", own.overdue >= 1, true)?;
    told.saw("late answers", own.answered - own.on_time >= 1, true)?;
    let (name, answered, on_time) = (&own.display_name, own.answered, own.on_time);
    let (rate, size, node) = (own.on_time_per_mille / 10, look.answer.tree_size, look.node);
    told.say(both!(
        "{name}: {answered} answer(s), {on_time} in time ({rate}%); {size} ledger records say the same; read at node {node}",
        "{name}：答复 {answered} 件，按时 {on_time} 件（{rate}%）；账本 {size} 条记录可复算；经节点 {node} 复核"
    ));
    told.about(&case);
    Ok(())
}
