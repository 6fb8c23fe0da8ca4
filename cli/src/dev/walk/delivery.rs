//! What comes after a grant: is it delivered by its day, and what was done with it?

use catalog_model::{
    calendar::WorkingDayCalendar, deadline::WorkingDays, reason::Reason, time::LocalDate,
};
use luqiao_proto::{
    catalog::v1::SharingMethod,
    sharing::v1::{
        AcknowledgeDeliveryRequest, CheckUseRequest, DeliveryProof, Grant, GrantState,
        ListUseRecordsRequest, ListUseRecordsResponse, OfferDeliveryRequest, RecordUseRequest,
        UseEntry, UseField,
    },
};
use tokio::time::{Instant, sleep};

use crate::{
    both,
    dev::{
        actor::{Actor, LOOK_EVERY, Look, PATIENCE},
        cast::Level,
        story::{StepFailed, Telling, failed, refused},
    },
    remote::session::request_id,
};

use super::{
    LIST_USE_RECORDS, Provider, Walk,
    requests::{RECEIVED, asker, look_at_grant},
};

/// The grant that a department of `level` was given, and by whom.
fn granted(walk: &Walk, level: Level) -> Result<(String, Provider), StepFailed> {
    walk.granted
        .get(&level)
        .cloned()
        .ok_or_else(|| StepFailed(both!("there is no grant", "没有授权")))
}

async fn offer(provider: &Provider, grant: &Grant) -> Result<Grant, StepFailed> {
    let session = &provider.desk.session;
    let call = OfferDeliveryRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        method: SharingMethod::BatchExchange.into(),
        request_id: request_id(),
    };
    Ok(session.grants().offer_delivery(session.call(call)).await?.into_inner())
}

fn acknowledgement(grant: &Grant) -> AcknowledgeDeliveryRequest {
    let (name, etag) = (grant.name.clone(), grant.etag.clone());
    AcknowledgeDeliveryRequest { name, etag, request_id: request_id() }
}

/// The user records a use and leaves out what became of the data.
async fn record_use(user: &Actor, grant: &str) -> Result<(), StepFailed> {
    let entry = |field: UseField, text: &str| UseEntry { field: field.into(), text: text.into() };
    let call = RecordUseRequest {
        name: grant.to_owned(),
        entries: vec![
            entry(UseField::Scenario, "参保单位信息核验（合成）"),
            entry(UseField::Process, "每日批量比对一次（合成）"),
            entry(UseField::Effect, "发现异常 3 条（合成）"),
            entry(UseField::Storage, "本部门数据库，加密（合成）"),
        ],
        request_id: request_id(),
    };
    user.session.grants().record_use(user.session.call(call)).await?;
    Ok(())
}

/// How many records of use there are under the grant, and which fields the last one lacks.
async fn uses(
    walk: &Walk,
    level: Level,
    user: &Actor,
    grant: &str,
) -> Result<(usize, Vec<UseField>), StepFailed> {
    let question = ListUseRecordsRequest { parent: grant.to_owned(), ..Default::default() };
    let look: Look<ListUseRecordsResponse> =
        walk.town.look(level, user, LIST_USE_RECORDS, &question).await?;
    let records = look.answer.use_records;
    let lacks = records.last().map(|record| {
        record.missing.iter().map(luqiao_proto::sharing::v1::MissingField::field).collect()
    });
    Ok((records.len(), lacks.unwrap_or_default()))
}

pub(super) async fn delivery(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let (name, provider) = granted(walk, Level::City)?;
    let (user, _) = asker(walk, Level::City).await?;
    let grant = look_at_grant(walk, Level::City, &user, &name).await?;
    let Some(due) = grant.course.as_ref().and_then(|course| course.delivery_deadline.clone())
    else {
        return failed(both!("the grant has no delivery clock", "授权没有提供期限"));
    };
    let from: LocalDate = RECEIVED
        .parse()
        .map_err(|_| StepFailed(both!("{RECEIVED} is no date", "{RECEIVED} 不是日期")))?;
    let days = due.working_days;
    let counted = WorkingDays(u16::try_from(days).unwrap_or(u16::MAX));
    let counted = WorkingDayCalendar::embedded().add_working_days(from, counted).date.to_string();
    told.saw("day by which it is delivered", &due.due_date, &counted)?;
    told.say(both!(
        "granted {RECEIVED}; delivery is owed within {days} working days, by {counted}",
        "{RECEIVED} 授权；应在 {days} 个工作日内、即 {counted} 前提供"
    ));
    told.under(due.rule.as_ref());

    let offered = offer(&provider, &grant).await?;
    let session = &provider.desk.session;
    let word = acknowledgement(&offered);
    let word = session.grants().acknowledge_delivery(session.call(word)).await;
    let problem = refused(word, Reason::DeliveryWithoutProof)?;
    let message = &problem.message;
    told.say(both!(
        "the provider offers it by batch; that it says so itself is no delivery: {message}",
        "提供单位提供批量交换；其自称已提供不算数：{message}"
    ));
    let call = user.session.call(acknowledgement(&offered));
    user.session.grants().acknowledge_delivery(call).await?;
    let grant = look_at_grant(walk, Level::City, &user, &name).await?;
    let delivery = grant.course.clone().and_then(|course| course.delivery).unwrap_or_default();
    told.saw("state of the grant", grant.state(), GrantState::Delivered)?;
    told.saw("what shows it", delivery.proof(), DeliveryProof::Acknowledgement)?;
    told.saw("late", delivery.late, false)?;
    told.say(both!("the user acknowledges: delivered, in time", "使用单位确认收到：按期提供"));
    told.under(delivery.rule.as_ref());

    record_use(&user, &name).await?;
    let recorded = uses(walk, Level::City, &user, &name).await?;
    told.saw("use records and what the last lacks", recorded, (1, vec![UseField::Destruction]))?;
    let grant = look_at_grant(walk, Level::City, &user, &name).await?;
    told.saw("state of the grant", grant.state(), GrantState::Active)?;
    told.say(both!(
        "the use is recorded; that it does not say what became of the data is a finding on record",
        "使用情况已记录；未写明销毁情况，作为问题记录在案"
    ));
    let check = CheckUseRequest { name: name.clone(), ..Default::default() };
    let session = &user.session;
    let mut beyond = check.clone();
    "广告投放（合成）".clone_into(&mut beyond.scenario);
    let may = session.grants().check_use(session.call(check)).await?.into_inner();
    let may_not = session.grants().check_use(session.call(beyond)).await?.into_inner();
    if !may.permitted || may_not.permitted {
        return failed(both!(
            "a use as granted and one beyond it: {may:?}, {may_not:?}",
            "授权内与授权外的使用：{may:?}，{may_not:?}"
        ));
    }
    let message = &may_not.message;
    told.say(both!(
        "a use as granted is permitted; another is not: {message}",
        "授权范围内可以使用；超出的不可以：{message}"
    ));
    told.under(may_not.rule.as_ref());
    told.about(&name);
    Ok(())
}

pub(super) async fn across(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let (name, provider) = granted(walk, Level::District)?;
    let (user, _) = asker(walk, Level::District).await?;
    let at_owner = look_at_grant(walk, Level::City, &provider.desk, &name).await?;
    let offered = offer(&provider, &at_owner).await?;
    // At its own gateway, which carries the call to the owner's.
    let session = &user.session;
    let acknowledged = session
        .grants()
        .acknowledge_delivery(session.call(acknowledgement(&offered)))
        .await?
        .into_inner();
    let at_owner = look_at_grant(walk, Level::City, &provider.desk, &name).await?;
    told.saw("state at the owner", at_owner.state(), GrantState::Delivered)?;
    told.saw("version at the owner", &at_owner.etag, &acknowledged.etag)?;
    let patience = Instant::now() + PATIENCE;
    let at_home = loop {
        let known = look_at_grant(walk, Level::District, &user, &name).await?;
        if known.etag == at_owner.etag || Instant::now() > patience {
            break known;
        }
        sleep(LOOK_EVERY).await;
    };
    told.saw("the grant at the user's home", &at_home, &at_owner)?;
    told.say(both!(
        "the district's user acknowledges at its own gateway; the city changes the right and tells the district",
        "区级使用单位在本区网关确认；市级变更授权并告知区级"
    ));
    record_use(&user, &name).await?;
    let at_home = uses(walk, Level::District, &user, &name).await?;
    told.saw("use records at home", at_home.0, 1)?;
    let session = &provider.desk.session;
    let question = ListUseRecordsRequest { parent: name.clone(), ..Default::default() };
    let inspected = session.grants().list_use_records(session.call(question)).await?.into_inner();
    if inspected.use_records.len() != 1 {
        return failed(both!(
            "the provider inspects {inspected:?}",
            "提供单位查看到 {inspected:?}"
        ));
    }
    told.say(both!(
        "the use is recorded at the district; the city's provider inspects it there by its own gateway",
        "使用记录留存在区级；市级提供单位经本市网关查看"
    ));
    told.about(&name);
    Ok(())
}
