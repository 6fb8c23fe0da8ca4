//! More time to answer: who asks for it, who gives it, and what does the clock do meanwhile?

use catalog_model::reason::Reason;
use luqiao_proto::{
    catalog::v1::SharingKind,
    sharing::v1::{
        AnswerExtensionRequest, CaseFile, GetCaseFileRequest, ProposeExtensionRequest,
        ShareRequestState,
    },
};

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{AUTHORITY, Level},
        story::{StepFailed, Telling, failed, refused},
    },
    remote::session::request_id,
};

use super::{
    GET_CASE_FILE, Walk,
    requests::{DUE, agreed, answer, asker, file, look_at, request},
};

/// Working days that are asked for.
const DAYS: u32 = 5;
/// The day to which they lead.
const EXTENDED_DUE: &str = "2026-10-19";

/// The file of a case, through another node of the city.
pub(super) async fn file_of(
    walk: &Walk,
    actor: &Actor,
    name: &str,
) -> Result<Look<CaseFile>, StepFailed> {
    let question = GetCaseFileRequest { name: name.to_owned() };
    Ok(walk.town.look(Level::City, actor, GET_CASE_FILE, &question).await?)
}

pub(super) async fn extension(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Conditional, 2)?;
    let provider = walk.provider(&entry)?;
    let (asker, head) = asker(walk, Level::City).await?;
    let wanted = request(&asker, &entry, 2, "参保信息比对（合成）");
    let case = file(&asker, &head, wanted, request_id()).await?;

    let desk = &provider.desk.session;
    let proposed = desk
        .sharing()
        .propose_extension(desk.call(ProposeExtensionRequest {
            name: case.name.clone(),
            etag: case.etag.clone(),
            working_days: DAYS,
            reason: "涉及历史数据清洗，需逐条核对（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let waiting = file_of(walk, &asker, &case.name).await?.answer;
    let Some(proposal) = waiting.proposal else {
        return failed(both!("the proposal is not on file", "延期申请未记入案卷"));
    };
    told.saw("working days proposed", proposal.working_days, DAYS)?;
    let found = look_at(walk, Level::City, &asker, &case.name).await?.answer;
    let before = found.deadline.unwrap_or_default();
    told.saw("due while the consent is pending", before.due_date.as_str(), DUE)?;
    let (name, reason) = (&provider.display_name, &proposal.reason);
    told.say(both!(
        "{name} asks for {DAYS} more working days: {reason}; the clock runs on, due {DUE}",
        "{name}申请延期 {DAYS} 个工作日：{reason}；期限继续计算，仍为 {DUE}"
    ));

    let consent = |etag: &str| AnswerExtensionRequest {
        name: case.name.clone(),
        etag: etag.to_owned(),
        consents: true,
        reason: String::new(),
        request_id: request_id(),
    };
    let own = desk.sharing().answer_extension(desk.call(consent(&proposed.etag))).await;
    let problem = refused(own, Reason::ExtensionConsentMissing)?;
    let message = &problem.message;
    told.say(both!(
        "the provider cannot consent to itself: {message}",
        "提供单位不能自行同意：{message}"
    ));
    let authority = walk.town.office(Level::City, AUTHORITY).await?;
    let session = &authority.session;
    session.sharing().answer_extension(session.call(consent(&proposed.etag))).await?;

    let look = look_at(walk, Level::City, &asker, &case.name).await?;
    let (found, node) = (look.answer, look.node);
    let deadline = found.deadline.clone().unwrap_or_default();
    told.saw("due after the consent", deadline.due_date.as_str(), EXTENDED_DUE)?;
    told.saw("working days added", deadline.extended_days, DAYS)?;
    told.say(both!(
        "the authority consents and the asker is told: due {EXTENDED_DUE}; read at node {node}",
        "主管部门同意并告知申请方：期限延至 {EXTENDED_DUE}；经节点 {node} 复核"
    ));
    told.under(found.extensions.first().and_then(|extension| extension.rule.as_ref()));

    answer(&provider, &found, agreed()).await?;
    let ended = look_at(walk, Level::City, &asker, &case.name).await?.answer;
    told.saw("state", ended.state(), ShareRequestState::Agreed)?;
    told.saw("late", ended.answer.is_some_and(|answer| answer.late), false)?;
    told.about(&case.name);
    Ok(())
}
