//! Asking and answering within one domain: every way in which a request can end.

use std::sync::Arc;

use catalog_model::{
    calendar::{DayKind, WorkingDayCalendar},
    deadline::WorkingDays,
    reason::Reason,
    time::LocalDate,
};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind, SharingMethod},
    ledger::v1::{GetTreeHeadRequest, TreeHead},
    sharing::v1::{
        Answer, AnswerKind, AnswerRequestRequest, AskOpinionRequest, Commitment,
        CreateRequestRequest, Decider, GetGrantRequest, GetRequestRequest, GiveConsentRequest,
        GiveOpinionRequest, Grant, GrantState, ListRequestsRequest, ListRequestsResponse,
        PartyRole, ShareRequest, ShareRequestState, Term,
    },
};
use tonic::Status;

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{AUTHORITY, DEPARTMENT, Level, SERVICE},
        story::{StepFailed, Telling, expect, failed, refused},
    },
    language::Bilingual,
    remote::session::request_id,
};

use super::{GET_GRANT, GET_REQUEST, GET_TREE_HEAD, LIST_REQUESTS, Provider, Walk};

/// The day on which the walk begins, and on which its requests are received.
pub(super) const RECEIVED: &str = "2026-09-21";
/// The day on which ten working days end: the Mid-Autumn Festival and the National Day holiday
/// lie between, and one Saturday on which people work.
pub(super) const DUE: &str = "2026-10-12";
/// Working days for an answer.
const DAYS: u16 = 10;

/// What `asker` asks of `entry`.
pub(super) fn request(
    asker: &Actor,
    entry: &CatalogEntry,
    items: usize,
    scenario: &str,
) -> ShareRequest {
    use Commitment as C;
    ShareRequest {
        entry: entry.name.clone(),
        system: asker.name.clone(),
        scenario: scenario.to_owned(),
        duty_basis: "本部门“三定”规定所列职责（合成）".to_owned(),
        items: entry.items.iter().take(items).map(|item| item.name.clone()).collect(),
        method: SharingMethod::BatchExchange.into(),
        term: Some(Term { from: RECEIVED.to_owned(), to: "2027-09-20".to_owned() }),
        commitments: [
            C::ScenarioAuthentic,
            C::ScenarioCompliant,
            C::ScenarioSecure,
            C::RequestAuthentic,
            C::RequestLawful,
            C::RequestNecessary,
        ]
        .map(i32::from)
        .to_vec(),
        ..Default::default()
    }
}

/// Files a request by the asker's system, for whose head it speaks.
pub(super) async fn file(
    asker: &Actor,
    head: &Actor,
    request: ShareRequest,
    request_id: String,
) -> Result<ShareRequest, Status> {
    let session = &asker.session;
    let call = CreateRequestRequest {
        parent: asker.parent(),
        request: Some(request),
        consenting_person: head.name.clone(),
        request_id,
    };
    Ok(session.sharing().create_request(session.call(call)).await?.into_inner())
}

/// The city's department that asks, and its head.
pub(super) async fn asker(
    walk: &Walk,
    level: Level,
) -> Result<(Arc<Actor>, Arc<Actor>), StepFailed> {
    Ok((walk.town.office(level, DEPARTMENT).await?, walk.town.head(level, DEPARTMENT).await?))
}

/// The case, through another node of `level`.
pub(super) async fn look_at(
    walk: &Walk,
    level: Level,
    actor: &Actor,
    name: &str,
) -> Result<Look<ShareRequest>, StepFailed> {
    let question = GetRequestRequest { name: name.to_owned() };
    Ok(walk.town.look(level, actor, GET_REQUEST, &question).await?)
}

/// The grant, through another node of `level`.
pub(super) async fn look_at_grant(
    walk: &Walk,
    level: Level,
    actor: &Actor,
    name: &str,
) -> Result<Grant, StepFailed> {
    let question = GetGrantRequest { name: name.to_owned() };
    let look: Look<Grant> = walk.town.look(level, actor, GET_GRANT, &question).await?;
    Ok(look.answer)
}

/// Every case that `actor` may see, through another node of `level`.
pub(super) async fn cases(
    walk: &Walk,
    level: Level,
    actor: &Actor,
) -> Result<Vec<ShareRequest>, StepFailed> {
    let mut cases = Vec::new();
    let mut question =
        ListRequestsRequest { parent: actor.parent(), page_size: 500, ..Default::default() };
    loop {
        let look: Look<ListRequestsResponse> =
            walk.town.look(level, actor, LIST_REQUESTS, &question).await?;
        cases.extend(look.answer.requests);
        if look.answer.next_page_token.is_empty() {
            return Ok(cases);
        }
        question.page_token = look.answer.next_page_token;
    }
}

/// The head of the provider's sharing office consents to the answer, then its system gives it.
pub(super) async fn answer(
    provider: &Provider,
    case: &ShareRequest,
    answer: Answer,
) -> Result<ShareRequest, StepFailed> {
    let (head, desk) = (&provider.head.session, &provider.desk.session);
    head.sharing()
        .give_consent(head.call(GiveConsentRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            answer: Some(answer.clone()),
            request_id: request_id(),
            ..Default::default()
        }))
        .await?;
    Ok(desk
        .sharing()
        .answer_request(desk.call(AnswerRequestRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            answer: Some(answer),
            request_id: request_id(),
        }))
        .await?
        .into_inner())
}

pub(super) fn agreed() -> Answer {
    Answer { kind: AnswerKind::Agreed.into(), ..Default::default() }
}

pub(super) async fn unconditional(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Unconditional, 2)?;
    let (asker, head) = asker(walk, Level::City).await?;
    let wanted = request(&asker, &entry, 2, "参保单位信息核验（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;

    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let found = look.answer;
    told.saw("state", found.state(), ShareRequestState::Agreed)?;
    told.saw(
        "given by the standing answer",
        found.answer.as_ref().is_some_and(|a| a.standing),
        true,
    )?;
    let grant = look_at_grant(walk, Level::City, &asker, &found.grant).await?;
    told.saw("state of the grant", grant.state(), GrantState::Granted)?;
    told.saw("items of the grant", &grant.items, &found.items)?;
    let (title, items, node) = (&entry.title, found.items.len(), look.node);
    told.say(both!(
        "asked {items} items of {title}: granted at once, nobody decided; read at node {node}",
        "申请《{title}》的 {items} 个数据项：即时授权，无人审批；经节点 {node} 复核"
    ));
    told.under(found.answer.as_ref().and_then(|answer| answer.rule.as_ref()));
    let (number, name) = (&found.case_number, &grant.name);
    told.say(both!("case {number}, grant {name}", "案号 {number}，授权 {name}"));
    told.about(&grant.name);
    let provider = walk.provider(&entry)?;
    walk.granted.insert(Level::City, (grant.name.clone(), provider));
    walk.proven.push((Level::City, Arc::clone(&asker), grant.name));
    Ok(())
}

pub(super) async fn conditional(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Conditional, 3)?;
    let (asker, head) = asker(walk, Level::City).await?;
    let wanted = request(&asker, &entry, 3, "医保定点机构核验（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;

    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let found = look.answer;
    let deadline = found.deadline.clone().unwrap_or_default();
    told.saw("state", found.state(), ShareRequestState::Submitted)?;
    told.saw("due date", deadline.due_date.as_str(), DUE)?;
    told.saw("working days", deadline.working_days, u32::from(DAYS))?;
    told.saw("provisional", deadline.provisional, false)?;
    let rules = found.rules.clone().unwrap_or_default();
    told.saw("who decides", rules.decider(), Decider::Provider)?;
    told.saw("who owes the answer", rules.debtor(), PartyRole::Provider)?;

    let (title, number) = (&entry.title, &found.case_number);
    told.say(both!(
        "asked 3 items of {title}: case {number}; the provider decides, with its head's consent",
        "申请《{title}》的 3 个数据项：案号 {number}；由提供单位经负责人同意后决定"
    ));
    told.under(rules.decider_rule.as_ref());
    told.say(both!(
        "received 2026-09-21, {DAYS} working days, due {DUE}:",
        "2026-09-21 收到，{DAYS} 个工作日，{DUE} 到期："
    ));
    told.under(deadline.rule.as_ref());
    explain(told)?;
    told.about(&found.name);
    walk.case = Some(found);
    Ok(())
}

/// Which days count and which do not, by the calendar in the program, which is not asked of the
/// server: the two must come to the same day.
fn explain(told: &mut Telling) -> Result<(), StepFailed> {
    let from: LocalDate = RECEIVED
        .parse()
        .map_err(|_| StepFailed(both!("{RECEIVED} is no date", "{RECEIVED} 不是日期")))?;
    let lines = WorkingDayCalendar::embedded().explain(from, WorkingDays(DAYS));
    for line in &lines {
        let count = line.counted.map_or_else(|| "–".to_owned(), |number| number.to_string());
        let day = format!("    {} {} {count:>3}", line.date, line.weekday);
        let (en, zh) = match &line.kind {
            DayKind::Workday if line.counted.is_none() => {
                ("day of receipt, not counted", "收到当日不计")
            }
            DayKind::Workday => ("", ""),
            DayKind::Weekend => ("weekend", "周末"),
            DayKind::Holiday(name) => (name.en.as_str(), name.zh.as_str()),
            DayKind::MakeUpDay(_) => ("a Saturday on which work is made up", "周末调休上班"),
            DayKind::Closure(_) => ("declared closed", "公告停办"),
        };
        told.say(Bilingual { en: format!("{day}  {en}"), zh: format!("{day}  {zh}") });
    }
    let last = lines.iter().rev().find(|line| line.counted.is_some());
    expect("last day counted", last.map(|line| line.date.to_string()), Some(DUE.to_owned()))
}

fn case(walk: &Walk) -> Result<ShareRequest, StepFailed> {
    walk.case.clone().ok_or_else(|| StepFailed(both!("there is no case", "没有案件")))
}

/// The provider of the entry that a case is about.
fn provider_of(walk: &Walk, case: &ShareRequest) -> Result<Provider, StepFailed> {
    let organization = case.provider.as_ref().map(|party| party.organization.clone());
    organization.and_then(|name| walk.providers.get(&name).cloned()).ok_or_else(|| {
        StepFailed(both!("the case has no provider of the walk", "案件的提供单位不在本次演示中"))
    })
}

pub(super) async fn refusal_without_reason(
    walk: &mut Walk,
    told: &mut Telling,
) -> Result<(), StepFailed> {
    let case = case(walk)?;
    let provider = provider_of(walk, &case)?;
    // By the head in person, so that no consent could be missing too.
    let head = &provider.head.session;
    let answer = Answer { kind: AnswerKind::Refused.into(), ..Default::default() };
    let given = head
        .sharing()
        .answer_request(head.call(AnswerRequestRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            answer: Some(answer),
            request_id: request_id(),
        }))
        .await;
    let problem = refused(given, Reason::RefusalReasonMissing)?;

    let (asker, _) = asker(walk, Level::City).await?;
    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    told.saw("state", look.answer.state(), ShareRequestState::Submitted)?;
    told.saw("version", look.answer.etag.as_str(), case.etag.as_str())?;
    let (message, node) = (&problem.message, look.node);
    told.say(both!(
        "the provider's head refuses without a word: {message}",
        "提供单位负责人不说明理由即拒绝：{message}"
    ));
    cited(told, &problem);
    told.say(both!(
        "nothing changed: the case is still open; read at node {node}",
        "未产生任何变更，案件仍在办理；经节点 {node} 复核"
    ));
    told.about(&case.name);
    Ok(())
}

/// The rule that a refusal names.
fn cited(told: &mut Telling, problem: &luqiao_transport::status::Problem) {
    if let Some(rule) = problem.metadata.get("rule_cited") {
        told.say(both!("  under {rule}", "  依据 {rule}"));
    }
}

pub(super) async fn refusal(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let case = case(walk)?;
    let provider = provider_of(walk, &case)?;
    let (ground, reason) = ("beyond_duty", "所列数据项超出申请事项所需范围（合成）");
    answer(
        &provider,
        &case,
        Answer {
            kind: AnswerKind::Refused.into(),
            ground: ground.to_owned(),
            reason: reason.to_owned(),
            ..Default::default()
        },
    )
    .await?;

    let (asker, _) = asker(walk, Level::City).await?;
    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let found = look.answer;
    let given = found.answer.clone().unwrap_or_default();
    let words = given.answer.clone().unwrap_or_default();
    told.saw("state", found.state(), ShareRequestState::Refused)?;
    told.saw(
        "ground and reason",
        (words.ground.as_str(), words.reason.as_str()),
        (ground, reason),
    )?;
    told.saw("grant", found.grant.as_str(), "")?;
    told.saw("late", given.late, false)?;
    let (name, node) = (&provider.display_name, look.node);
    told.say(both!(
        "{name} refuses on the ground {ground}: {reason}; read at node {node}",
        "{name} 以 {ground} 为依据拒绝：{reason}；经节点 {node} 复核"
    ));
    told.under(given.rule.as_ref());
    told.about(&found.name);
    walk.proven.push((Level::City, asker, found.name));
    Ok(())
}

pub(super) async fn partial(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Conditional, 3)?;
    let provider = walk.provider(&entry)?;
    let (asker, head) = asker(walk, Level::City).await?;
    let wanted = request(&asker, &entry, 3, "异地就医结算核验（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;
    let fewer: Vec<String> = case.items.iter().take(2).cloned().collect();
    let given = Answer {
        kind: AnswerKind::AgreedInPart.into(),
        items: fewer.clone(),
        reason: "其余数据项非办理该事项所必需（合成）".to_owned(),
        ..Default::default()
    };
    answer(&provider, &case, given).await?;

    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let found = look.answer;
    told.saw("state", found.state(), ShareRequestState::AgreedInPart)?;
    let grant = look_at_grant(walk, Level::City, &asker, &found.grant).await?;
    told.saw("items of the grant", &grant.items, &fewer)?;
    let (asked, got, node) = (case.items.join("、"), fewer.join("、"), look.node);
    told.say(both!(
        "asked: {asked}; agreed: {got}; the reason for the rest is on record; read at node {node}",
        "申请：{asked}；同意：{got}；其余理由已记录；经节点 {node} 复核"
    ));
    told.about(&grant.name);
    walk.proven.push((Level::City, asker, grant.name));
    Ok(())
}

pub(super) async fn not_shared(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::NotShared, 1)?;
    let (asker, head) = asker(walk, Level::City).await?;
    let ledger = || async {
        let question = GetTreeHeadRequest { parent: asker.parent() };
        let look: Look<TreeHead> =
            walk.town.look(Level::City, &asker, GET_TREE_HEAD, &question).await?;
        Ok::<u64, StepFailed>(look.answer.tree_size)
    };
    let before = ledger().await?;
    let wanted = request(&asker, &entry, 1, "举报线索核查（合成）");
    let problem = refused(file(&asker, &head, wanted, request_id()).await, Reason::NotShared)?;
    let basis = problem.metadata.get("basis").cloned().unwrap_or_default();
    let Some(attribute) = entry.sharing.as_ref().and_then(|sharing| sharing.basis.as_ref()) else {
        return failed(both!("the entry states no basis", "目录未写明依据"));
    };
    expect("the basis is cited", basis.contains(&attribute.title), true)?;

    let about = cases(walk, Level::City, &asker).await?;
    let opened = about.iter().filter(|case| case.entry == entry.name).count();
    told.saw("cases about the entry", opened, 0)?;
    told.saw("the refusal is a record of the ledger", ledger().await? > before, true)?;
    let message = &problem.message;
    let title = &entry.title;
    told.say(both!("{title}: {message}", "《{title}》：{message}"));
    cited(told, &problem);
    told.say(both!(
        "no case was opened; the refusal itself is in the ledger",
        "未立案；拒绝本身已记入账本"
    ));
    told.about(&entry.name);
    Ok(())
}

pub(super) async fn jointly(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Conditional, 2)?;
    let provider = walk.provider(&entry)?;
    let asker = walk.town.office(Level::City, SERVICE).await?;
    let head = walk.town.head(Level::City, SERVICE).await?;
    let wanted = request(&asker, &entry, 2, "供水设施巡检（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;

    let authority = walk.town.office(Level::City, AUTHORITY).await?;
    let session = &authority.session;
    let give = |etag: String| {
        session.call(AnswerRequestRequest {
            name: case.name.clone(),
            etag,
            answer: Some(agreed()),
            request_id: request_id(),
        })
    };
    let early = session.sharing().answer_request(give(case.etag.clone())).await;
    refused(early, Reason::OpinionNotAsked)?;
    let asked = session
        .sharing()
        .ask_opinion(session.call(AskOpinionRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let early = session.sharing().answer_request(give(asked.etag.clone())).await;
    refused(early, Reason::OpinionMissing)?;
    let desk = &provider.desk.session;
    let heard = desk
        .sharing()
        .give_opinion(desk.call(GiveOpinionRequest {
            name: case.name.clone(),
            etag: asked.etag.clone(),
            in_favor: true,
            text: "同意，限于巡检所需（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    session.sharing().answer_request(give(heard.etag)).await?;

    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let found = look.answer;
    let rules = found.rules.clone().unwrap_or_default();
    told.saw("who decides", rules.decider(), Decider::AuthorityWithProvider)?;
    told.saw("state", found.state(), ShareRequestState::Agreed)?;
    told.saw("opinions", found.opinions.len(), 1)?;
    let by = found.answer.as_ref().and_then(|answer| answer.by.as_ref());
    told.saw(
        "who answered",
        by.map(|party| party.organization.as_str()),
        Some(authority.organization.as_str()),
    )?;
    let (name, node) = (&provider.display_name, look.node);
    told.say(both!(
        "the water company asks: the authority answers, but not before {name} was heard; read at node {node}",
        "供水单位申请：由主管部门答复，且须先听取{name}意见；经节点 {node} 复核"
    ));
    told.under(rules.decider_rule.as_ref());
    told.about(&found.name);
    Ok(())
}
