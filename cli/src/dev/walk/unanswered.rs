//! Nobody answers: the development clock crosses a real holiday, and what falls due fires once.

use catalog_model::time::{LocalDate, UtcMillis};
use luqiao_proto::{
    catalog::v1::SharingKind,
    operations::v1::SetDevelopmentClockRequest,
    sharing::v1::{PartyRole, ShareRequestState},
};
use prost_types::Timestamp;

use crate::{
    both,
    dev::{
        cast::{AUTHORITY, Level},
        story::{StepFailed, Telling, failed},
    },
    remote::session::request_id,
};

use super::{
    Walk,
    requests::{DUE, agreed, answer, asker, file, look_at, request},
};

/// Moves the clocks of all domains.
async fn clock_to(walk: &Walk, to: UtcMillis) -> Result<(), StepFailed> {
    for level in Level::ALL {
        let authority = walk.town.office(level, AUTHORITY).await?;
        let session = &authority.session;
        let time = Timestamp {
            seconds: (to.0 / 1000).cast_signed(),
            nanos: (to.0 % 1000) as i32 * 1_000_000,
        };
        session
            .operations()
            .set_development_clock(session.call(SetDevelopmentClockRequest {
                name: authority.parent(),
                time: Some(time),
                request_id: request_id(),
            }))
            .await?;
    }
    Ok(())
}

pub(super) async fn overdue(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Conditional, 2)?;
    let (asker, head) = asker(walk, Level::City).await?;
    let wanted = request(&asker, &entry, 2, "欠费预警核验（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;
    let due: LocalDate =
        DUE.parse().map_err(|_| StepFailed(both!("{DUE} is no date", "{DUE} 不是日期")))?;

    // The last minute of the last day.
    clock_to(walk, UtcMillis(due.end().0 - 60_000)).await?;
    let last = look_at(walk, Level::City, &asker, &case.name).await?.answer;
    let deadline = last.deadline.clone().unwrap_or_default();
    told.saw("due date", deadline.due_date.as_str(), DUE)?;
    told.saw("overdue on the last day", deadline.overdue, false)?;
    told.say(both!(
        "received 2026-09-21; the holiday passes; {DUE} 23:59: in time",
        "2026-09-21 收到；假期过去；{DUE} 23:59：尚未逾期"
    ));

    // Midnight.
    clock_to(walk, due.end()).await?;
    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let found = look.answer;
    told.saw("overdue", found.deadline.as_ref().is_some_and(|deadline| deadline.overdue), true)?;
    told.saw("state", found.state(), ShareRequestState::Submitted)?;
    let Some(mark) = found.overdue.clone() else {
        return failed(both!("nothing fired at midnight", "零时未触发任何处理"));
    };
    let debtor = found.provider.clone().unwrap_or_default();
    let ordered: Vec<&str> = mark.ordered.iter().map(|party| party.organization.as_str()).collect();
    told.saw("who is ordered to correct", ordered, vec![debtor.organization.as_str()])?;
    told.saw("to whom it goes", mark.escalated_to(), PartyRole::Authority)?;
    let above = mark.escalated_party.unwrap_or_default();
    told.saw("it goes past the debtor", above.organization == debtor.organization, false)?;
    let (name, authority, node) = (&debtor.display_name, &above.display_name, look.node);
    told.say(both!(
        "midnight: overdue; {name} is ordered to correct, the case goes to {authority}; read at node {node}",
        "零时：逾期；责令 {name} 改正，案件上报 {authority}；经节点 {node} 复核"
    ));
    told.under(deadline.rule.as_ref());
    told.about(&found.name);
    walk.case = Some(found);
    Ok(())
}

pub(super) async fn late_answer(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let Some(case) = walk.case.clone() else {
        return failed(both!("there is no case", "没有案件"));
    };
    let organization = case.provider.clone().unwrap_or_default().organization;
    let Some(provider) = walk.providers.get(&organization).cloned() else {
        return failed(both!("{organization} is no provider", "{organization} 不是提供单位"));
    };
    answer(&provider, &case, agreed()).await?;
    let (asker, _) = asker(walk, Level::City).await?;
    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let found = look.answer;
    told.saw("state", found.state(), ShareRequestState::Agreed)?;
    told.saw("marked late", found.answer.as_ref().is_some_and(|answer| answer.late), true)?;
    told.saw("the overdue mark stays", found.overdue.is_some(), true)?;
    told.saw("a grant was given", found.grant.is_empty(), false)?;
    let node = look.node;
    told.say(both!(
        "the provider agrees after all: the answer counts, is marked late, and the mark stays; read at node {node}",
        "提供单位终予同意：答复有效，标记为逾期，逾期记录保留；经节点 {node} 复核"
    ));
    told.about(&found.name);
    walk.proven.push((Level::City, asker, found.grant));
    Ok(())
}
