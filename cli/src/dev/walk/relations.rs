//! What goes on around entries: the authority objects to an attribute, a function goes to another
//! department, a user of data finds an error.

use std::sync::Arc;

use catalog_model::reason::Reason;
use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, EntryView, GetEntryRequest, LegalCitation, SharingAttribute, SharingKind,
    },
    quality::v1::{
        CheckResult, CloseReportRequest, ConfirmReportRequest, CorrectReportRequest, Correction,
        Dimension, ErrorReport, FeedBackReportRequest, FileReportRequest, GetReportRequest,
        PropagateReportRequest, RecordBatchRequest, ReportState, Trace, TraceReportRequest,
        VerifyReportRequest,
    },
    relations::v1::{
        ApproveTransferRequest, AttributeObjection, CosignTransferRequest, DecideObjectionRequest,
        DraftTransferRequest, EscalateObjectionRequest, FileTransferRequest, FunctionTransfer,
        GetObjectionRequest, GetTransferRequest, ObjectionState, RaiseObjectionRequest, Side,
        StatePositionRequest, TransferState,
    },
    rule::v1::Rank,
    sharing::v1::PaperDecision,
};
use sha2::{Digest as _, Sha256};

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{AUTHORITY, Level, MANAGER, OTHER_DEPARTMENT},
        story::{StepFailed, Telling, failed, refused},
    },
    remote::session::request_id,
};

use super::{
    GET_ENTRY, GET_OBJECTION, GET_REPORT, GET_TRANSFER, Provider, TRACE_REPORT, Walk,
    requests::{asker, cases, look_at_grant},
};

/// SHA-256 of a document that there might be.
fn digest(document: &str) -> bytes::Bytes {
    Sha256::digest(document).to_vec().into()
}

/// An entry as it is listed in the city, through another node.
async fn listed(walk: &Walk, actor: &Actor, name: &str) -> Result<CatalogEntry, StepFailed> {
    let question = GetEntryRequest { name: name.to_owned(), view: EntryView::Published.into() };
    let look: Look<CatalogEntry> = walk.town.look(Level::City, actor, GET_ENTRY, &question).await?;
    Ok(look.answer)
}

/// What is listed has changed: later steps go on from there. An entry of another kind than before
/// comes last, so that those which steps have asked for stay the first of theirs.
fn replace(walk: &mut Walk, entry: CatalogEntry) {
    let kind = |entry: &CatalogEntry| entry.sharing.as_ref().map(SharingAttribute::kind);
    let all = walk.published.entry(Level::City).or_default();
    let Some(place) = all.iter().position(|old| old.name == entry.name) else { return };
    if kind(&all[place]) == kind(&entry) {
        all[place] = entry;
    } else {
        all.remove(place);
        all.push(entry);
    }
}

pub(super) async fn objection(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::NotShared, 1)?;
    let provider = walk.provider(&entry)?;
    let authority = walk.town.office(Level::City, AUTHORITY).await?;
    let above = &authority.session;
    let raised = above
        .objections()
        .raise_objection(above.call(RaiseObjectionRequest {
            parent: entry.name.clone(),
            wanted: SharingKind::Conditional.into(),
            reason: "所引条款不禁止向履行职责的部门提供（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let escalation = |objection: &AttributeObjection| EscalateObjectionRequest {
        name: objection.name.clone(),
        etag: objection.etag.clone(),
        reason: "协商未达成一致（合成）".to_owned(),
        request_id: request_id(),
    };
    let early = above.objections().escalate_objection(above.call(escalation(&raised))).await;
    let problem = refused(early, Reason::ConsultationMissing)?;
    let (title, reason) = (&entry.title, &problem.reason_name);
    told.say(both!(
        "the authority objects to {title}; the government is not asked before the two have talked: {reason}",
        "主管部门对《{title}》的共享属性提出异议；未经协商不得报政府：{reason}"
    ));

    let desk = &provider.desk.session;
    let stated = desk
        .objections()
        .state_position(desk.call(StatePositionRequest {
            name: raised.name.clone(),
            etag: raised.etag,
            side: Side::Provider.into(),
            text: "本单位认为应维持不予共享（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let escalated =
        above.objections().escalate_objection(above.call(escalation(&stated))).await?.into_inner();
    let manager = walk.town.office(Level::City, MANAGER).await?;
    let clerk = &manager.session;
    let number = "厦府函〔2026〕88号（合成）";
    let decided = clerk
        .objections()
        .decide_objection(clerk.call(DecideObjectionRequest {
            name: raised.name.clone(),
            etag: escalated.etag,
            attribute: Some(SharingAttribute {
                kind: SharingKind::Conditional.into(),
                scope: "依法履行职责的政务部门（合成）".to_owned(),
                purpose: "业务核验（合成）".to_owned(),
                ..Default::default()
            }),
            decision: Some(PaperDecision {
                document_number: number.to_owned(),
                digest: digest(number),
                date: "2026-10-12".to_owned(),
                issuing_body: "厦门市人民政府（演示）".to_owned(),
                recorded_for: "厦门市人民政府（演示）".to_owned(),
            }),
            request_id: request_id(),
        }))
        .await?
        .into_inner();

    let question = GetObjectionRequest { name: decided.name.clone() };
    let look: Look<AttributeObjection> =
        walk.town.look(Level::City, &provider.desk, GET_OBJECTION, &question).await?;
    let found = look.answer;
    told.saw("state", found.state(), ObjectionState::Decided)?;
    told.saw("outcome", found.outcome(), SharingKind::Conditional)?;
    let paper = found.decision.clone().unwrap_or_default();
    told.saw("the paper", paper.document_number.as_str(), number)?;
    let (reader, _) = asker(walk, Level::City).await?;
    let now = listed(walk, &reader, &entry.name).await?;
    let kind = now.sharing.as_ref().map(SharingAttribute::kind);
    told.saw("attribute in the catalog", kind, Some(SharingKind::Conditional))?;
    let node = look.node;
    told.say(both!(
        "the provider states its position, the government decides on paper ({number}): conditional at once; read at node {node}",
        "提供单位陈述意见，市政府以书面决定（{number}）：即时改为有条件共享；经节点 {node} 复核"
    ));
    told.under(found.rule.as_ref());
    told.about(&found.name);
    replace(walk, now);
    Ok(())
}

pub(super) async fn transfer(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Unconditional, 2)?;
    let giver = walk.provider(&entry)?;
    let desk = walk.town.office(Level::City, OTHER_DEPARTMENT).await?;
    let head = walk.town.head(Level::City, OTHER_DEPARTMENT).await?;
    let office = Level::City.offices().iter().find(|office| office.word == OTHER_DEPARTMENT);
    let display_name = office.map(|office| office.name.to_owned()).unwrap_or_default();
    let receiver = Provider { display_name, desk, head };

    let (from, to) = (&giver.desk.session, &receiver.desk.session);
    let drafted = from
        .transfers()
        .draft_transfer(from.call(DraftTransferRequest {
            parent: giver.desk.organization.clone(),
            to: receiver.desk.organization.clone(),
            entries: vec![entry.name.clone()],
            act: Some(LegalCitation {
                title: "机构改革方案（合成）".to_owned(),
                article: "3".to_owned(),
                rank: Rank::NormativeDocument.into(),
                quote: String::new(),
            }),
            change_date: "2026-10-09".to_owned(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let signed = to
        .transfers()
        .cosign_transfer(to.call(CosignTransferRequest {
            name: drafted.name.clone(),
            etag: drafted.etag,
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let filed = from
        .transfers()
        .file_transfer(from.call(FileTransferRequest {
            name: drafted.name.clone(),
            etag: signed.etag,
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let authority = walk.town.office(Level::City, AUTHORITY).await?;
    let above = &authority.session;
    above
        .transfers()
        .approve_transfer(above.call(ApproveTransferRequest {
            name: drafted.name.clone(),
            etag: filed.etag,
            request_id: request_id(),
        }))
        .await?;

    let question = GetTransferRequest { name: drafted.name };
    let look: Look<FunctionTransfer> =
        walk.town.look(Level::City, &receiver.desk, GET_TRANSFER, &question).await?;
    let found = look.answer;
    told.saw("signed by both", found.cosigned, true)?;
    told.saw("state", found.state(), TransferState::Completed)?;
    let now = listed(walk, &receiver.desk, &entry.name).await?;
    told.saw("its provider now", now.provider.as_str(), receiver.desk.organization.as_str())?;
    // Who had a right to the entry has it still, under the new department.
    let (reader, _) = asker(walk, Level::City).await?;
    for case in cases(walk, Level::City, &reader).await? {
        if case.entry == entry.name && !case.grant.is_empty() {
            let grant = look_at_grant(walk, Level::City, &reader, &case.grant).await?;
            let supervisor = grant.provider.unwrap_or_default().organization;
            told.saw("who supervises the grant", supervisor, receiver.desk.organization.clone())?;
        }
    }
    let (title, a, b) = (&entry.title, &giver.display_name, &receiver.display_name);
    let node = look.node;
    told.say(both!(
        "{title} goes with its function from {a} to {b}, signed by both and approved; read at node {node}",
        "《{title}》随职能由{a}划转至{b}，双方会签并经批准；经节点 {node} 复核"
    ));
    told.under(found.rule.as_ref());
    told.about(&found.name);
    walk.providers.insert(receiver.desk.organization.clone(), receiver);
    replace(walk, now);
    Ok(())
}

pub(super) async fn error_report(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let entry = walk.entry(Level::City, SharingKind::Conditional, 2)?;
    let provider = walk.provider(&entry)?;
    let (reporter, _) = asker(walk, Level::City).await?;
    let Some(item) = entry.items.first().map(|item| item.name.clone()) else {
        return failed(both!("the entry has no items", "目录没有信息项"));
    };
    let user = &reporter.session;
    let filed = user
        .quality()
        .file_report(user.call(FileReportRequest {
            parent: entry.name.clone(),
            items: vec![item],
            description: "部分记录格式不一致（合成）".to_owned(),
            request_id: request_id(),
            ..Default::default()
        }))
        .await?
        .into_inner();
    let due = filed.deadline.clone().unwrap_or_default().due_date;
    let title = &entry.title;
    told.say(both!(
        "a user of {title} reports an error; the provider's feedback is due {due}",
        "数据使用方就《{title}》提出校核申请；提供单位应于 {due} 前反馈"
    ));
    let fed_back = correct(&entry, &provider, &filed).await?;
    let desk = &provider.desk.session;
    let propagated = desk
        .quality()
        .propagate_report(desk.call(PropagateReportRequest {
            name: filed.name.clone(),
            etag: fed_back.etag,
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    user.quality()
        .close_report(user.call(CloseReportRequest {
            name: filed.name.clone(),
            etag: propagated.etag,
            request_id: request_id(),
        }))
        .await?;

    let question = GetReportRequest { name: filed.name.clone() };
    let look: Look<ErrorReport> =
        walk.town.look(Level::City, &reporter, GET_REPORT, &question).await?;
    let found = look.answer;
    told.saw("state", found.state(), ReportState::Closed)?;
    told.saw("late", found.late, false)?;
    let holds = cases(walk, Level::City, &reporter)
        .await?
        .into_iter()
        .any(|case| case.entry == entry.name && found.told.contains(&case.grant));
    told.saw("the reporter is among those who were told", holds, true)?;
    let question = TraceReportRequest { name: filed.name.clone() };
    let trace: Look<Trace> =
        walk.town.look(Level::City, &provider.desk, TRACE_REPORT, &question).await?;
    let trace = trace.answer;
    told.saw("who answers for the data", trace.person.as_str(), provider.head.name.as_str())?;
    let (count, node) = (found.told.len(), look.node);
    told.say(both!(
        "verified, corrected by batch {BATCH}, fed back, {count} holder(s) told, closed; read at node {node}",
        "经核实属实，以批次 {BATCH} 更正，反馈并通知 {count} 个使用方，办结；经节点 {node} 复核"
    ));
    told.under(found.deadline.as_ref().and_then(|deadline| deadline.rule.as_ref()));
    told.about(&found.name);
    Ok(())
}

/// Number of the batch that corrects the data.
const BATCH: &str = "2026-10-13";

/// The provider verifies, finds the data wrong, corrects them with a batch and says so.
async fn correct(
    entry: &CatalogEntry,
    provider: &Provider,
    filed: &ErrorReport,
) -> Result<ErrorReport, StepFailed> {
    let desk: &Arc<Actor> = &provider.desk;
    let session = &desk.session;
    let mut quality = session.quality();
    let name = filed.name.clone();
    let verified = quality
        .verify_report(session.call(VerifyReportRequest {
            name: name.clone(),
            etag: filed.etag.clone(),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let confirmed = quality
        .confirm_report(session.call(ConfirmReportRequest {
            name: name.clone(),
            etag: verified.etag,
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let early = quality
        .feed_back_report(session.call(FeedBackReportRequest {
            name: name.clone(),
            etag: confirmed.etag.clone(),
            text: "已知悉（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await;
    refused(early, Reason::CorrectionMissing)?;
    quality
        .record_batch(session.call(RecordBatchRequest {
            parent: entry.name.clone(),
            batch: BATCH.to_owned(),
            system: desk.name.clone(),
            person: provider.head.name.clone(),
            rows: 1000,
            results: vec![CheckResult {
                check: "格式".to_owned(),
                dimension: Dimension::Accuracy.into(),
                rows: 1000,
                failed: 0,
            }],
            request_id: request_id(),
        }))
        .await?;
    let correction = Correction {
        batch: BATCH.to_owned(),
        before: digest("rows before · 更正前（合成）"),
        after: digest("rows after · 更正后（合成）"),
    };
    let corrected = quality
        .correct_report(session.call(CorrectReportRequest {
            name: name.clone(),
            etag: confirmed.etag,
            correction: Some(correction),
            request_id: request_id(),
        }))
        .await?
        .into_inner();
    let fed_back = quality
        .feed_back_report(session.call(FeedBackReportRequest {
            name,
            etag: corrected.etag,
            text: "已更正（合成）".to_owned(),
            request_id: request_id(),
        }))
        .await?;
    Ok(fed_back.into_inner())
}
