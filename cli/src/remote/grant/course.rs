//! `luqiao grant`: delivery, misuse, the end of the purpose, use.

use catalog_model::reason::Lang;
use luqiao_proto::sharing::v1::{
    AcknowledgeDeliveryRequest, CheckUseRequest, CheckUseResponse, ConsentWiderUseRequest,
    EndPurposeRequest, Grant, JudgeRectificationRequest, ListUseRecordsRequest,
    ListUseRecordsResponse, OfferDeliveryRequest, ProveDisposalRequest, PurgeUseRecordsRequest,
    RecordAgreementRequest, RecordUseRequest, ReportRectificationRequest, RequireDisposalRequest,
    SuspendForMisuseRequest, UseField,
};
use serde_json::{Value, json};
use tonic::{Response, Status};

use crate::{
    args::grant::{Course, Use, Wanted},
    both,
    dev::story::rule_ref,
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, Format, column},
};

use super::{
    super::{Remote, answer, whole_json},
    version,
};

const COLUMNS: [Column; 4] = [
    column("NUMBER", "序号", "/number"),
    column("RECORDED", "记录时间", "/recorded_time"),
    column("ENTRIES", "记录内容", "/entries"),
    column("MISSING", "缺少", "/missing"),
];

/// Does it.
pub(super) async fn run(remote: &Remote, command: Course) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.grants();
    let shown = |answered: Result<Response<Grant>, Status>| {
        remote.show(kind::GRANT, &answer(answered)?).map(|()| Exit::Ok)
    };
    match command {
        Course::Offer { name, method, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let method = method.into();
            let request = OfferDeliveryRequest { name, etag, method, request_id };
            shown(client.offer_delivery(session.call(request)).await)
        }
        Course::Acknowledge { name, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = AcknowledgeDeliveryRequest { name, etag, request_id };
            shown(client.acknowledge_delivery(session.call(request)).await)
        }
        Course::Misuse { name, ground, reason, evidence, rectify_by, change } => {
            let evidence = evidence.required()?;
            let (etag, request_id) = version(remote, &name, change).await?;
            let (ground, rectify_by) = (ground.into(), rectify_by.to_string());
            let request = SuspendForMisuseRequest {
                name,
                etag,
                ground,
                reason,
                evidence,
                rectify_by,
                request_id,
            };
            shown(client.suspend_for_misuse(session.call(request)).await)
        }
        Course::Rectify { name, text, refused, report, change } => {
            let digest = report.optional()?;
            let (etag, request_id) = version(remote, &name, change).await?;
            let request =
                ReportRectificationRequest { name, etag, refused, text, digest, request_id };
            shown(client.report_rectification(session.call(request)).await)
        }
        Course::Judge { name, adequate, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = JudgeRectificationRequest { name, etag, adequate, reason, request_id };
            shown(client.judge_rectification(session.call(request)).await)
        }
        Course::EndPurpose { name, kind, note, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = EndPurposeRequest { name, etag, kind: kind.into(), note, request_id };
            shown(client.end_purpose(session.call(request)).await)
        }
        Course::RequireDisposal { name, manner, note, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let manner = manner.into();
            let request = RequireDisposalRequest { name, etag, manner, note, request_id };
            shown(client.require_disposal(session.call(request)).await)
        }
        Course::ProveDisposal { name, manner, proof, change } => {
            let digest = proof.required()?;
            let (etag, request_id) = version(remote, &name, change).await?;
            let manner = manner.into();
            let request = ProveDisposalRequest { name, etag, manner, digest, request_id };
            shown(client.prove_disposal(session.call(request)).await)
        }
        Course::WiderUse { name, kind, recipient, purpose, items, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let kind = kind.into();
            let request =
                ConsentWiderUseRequest { name, etag, kind, recipient, purpose, items, request_id };
            shown(client.consent_wider_use(session.call(request)).await)
        }
        Course::Agreement { name, number, document, signed, change } => {
            let digest = document.required()?;
            let (etag, request_id) = version(remote, &name, change).await?;
            let signed = signed.to_string();
            let request = RecordAgreementRequest { name, etag, number, digest, signed, request_id };
            shown(client.record_agreement(session.call(request)).await)
        }
        Course::Use(command) => used(remote, command).await,
        Course::MayUse { name, wanted } => may_use(remote, name, wanted).await,
    }
}

async fn used(remote: &Remote, command: Use) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.grants();
    match command {
        Use::Record { name, entries, change } => {
            let request_id = remote.attempt(change.request_id);
            let request = RecordUseRequest { name, entries, request_id };
            let record = answer(client.record_use(session.call(request)).await)?;
            remote.show(kind::USE_RECORD, &record)?;
        }
        Use::List { name, page } => {
            let request = ListUseRecordsRequest {
                parent: name,
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(client.list_use_records(session.call(request)).await)?;
            match remote.output.format {
                Format::Json => {
                    remote.show_page(kind::USE_RECORD_PAGE, &list, "use_records", &COLUMNS)?;
                }
                Format::Table => {
                    let page = readable(&list, remote.output.lang);
                    remote.output.page(&page, "use_records", &COLUMNS)?;
                }
            }
        }
        Use::Purge { name, before, change } => {
            let before = before.to_string();
            let mut request_id = remote.attempt(change.request_id);
            loop {
                let (name, before) = (name.clone(), before.clone());
                let request = PurgeUseRecordsRequest { name, before, request_id };
                let purged = answer(client.purge_use_records(session.call(request)).await)?;
                if !purged.more {
                    break;
                }
                request_id = remote.attempt(None);
            }
            remote.output.say(&both!(
                "no record from before {before} is left",
                "{before} 之前的使用记录已全部清除"
            ));
        }
    }
    Ok(Exit::Ok)
}

async fn may_use(remote: &Remote, name: String, wanted: Wanted) -> Result<Exit, Failure> {
    let session = &remote.session;
    let request = CheckUseRequest {
        name,
        system: wanted.system,
        scenario: wanted.scenario,
        items: wanted.items,
        row_scope: wanted.rows,
        third_party: wanted.third_party,
        calls_before: wanted.calls_before,
    };
    let said = answer(session.grants().check_use(session.call(request)).await)?;
    let json = whole_json(kind::USE_ANSWER, &said)?;
    remote.output.data(&json, |out, lang| writeln!(out, "{}", sentence(&said, lang)))?;
    Ok(if said.permitted { Exit::Ok } else { Exit::Denied })
}

/// The page with each record as a person reads it: what it says, and what it should have said.
fn readable(list: &ListUseRecordsResponse, lang: Lang) -> Value {
    let word = |field: UseField| field_word(field, lang);
    let rows: Vec<Value> = list
        .use_records
        .iter()
        .map(|record| {
            let entries: Vec<String> = record
                .entries
                .iter()
                .map(|entry| format!("{}: {}", word(entry.field()), entry.text))
                .collect();
            let missing: Vec<&str> =
                record.missing.iter().map(|missing| word(missing.field())).collect();
            let at = record.recorded_time.map(|time| time.to_string()).unwrap_or_default();
            json!({
                "number": record.number,
                "recorded_time": at,
                "entries": entries.join("; "),
                "missing": missing.join(", "),
            })
        })
        .collect();
    let more = Some(&list.next_page_token).filter(|token| !token.is_empty());
    json!({ "use_records": rows, "next_page_token": more })
}

fn field_word(field: UseField, lang: Lang) -> &'static str {
    use UseField as F;
    let (en, zh) = match field {
        F::Unspecified => ("unknown", "未知"),
        F::Scenario => ("scenario", "使用场景"),
        F::Process => ("process", "使用过程"),
        F::Effect => ("effect", "应用成效"),
        F::Storage => ("storage", "存储情况"),
        F::Destruction => ("destruction", "销毁情况"),
        F::Purpose => ("purpose", "具体用途"),
        F::User => ("user", "使用人员"),
        F::Approver => ("approver", "批准人员"),
        F::Content => ("content", "数据内容"),
        F::Time => ("time", "获取时间"),
        F::Manner => ("manner", "获取方式"),
        F::Medium => ("medium", "介质类型"),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// The answer as a person reads it. Why not, the server has worded.
fn sentence(said: &CheckUseResponse, lang: Lang) -> String {
    let rule = said.rule.as_ref().map_or_else(String::new, |rule| match lang {
        Lang::Zh => format!("（{}）", rule_ref(rule).cite(lang)),
        Lang::En => format!(" ({})", rule_ref(rule).cite(lang)),
    });
    match (said.permitted, lang) {
        (true, Lang::Zh) => format!("可以使用{rule}"),
        (true, Lang::En) => format!("the use is permitted{rule}"),
        (false, Lang::Zh) => format!("不可使用：{} [{}]", said.message, said.reason),
        (false, Lang::En) => {
            format!("the use is not permitted: {} [{}]", said.message, said.reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use luqiao_proto::{
        rule::v1::RuleRef,
        sharing::v1::{MissingField, UseEntry, UseRecord},
    };

    use super::*;

    #[test]
    fn a_record_reads_as_what_it_says_and_what_it_lacks() {
        let record = UseRecord {
            number: 7,
            entries: vec![UseEntry { field: UseField::Effect.into(), text: "发现异常".into() }],
            missing: vec![MissingField { field: UseField::Destruction.into(), rule: None }],
            ..Default::default()
        };
        let list = ListUseRecordsResponse { use_records: vec![record], ..Default::default() };
        let page = readable(&list, Lang::Zh);
        assert_eq!(page["use_records"][0]["entries"], "应用成效: 发现异常");
        assert_eq!(page["use_records"][0]["missing"], "销毁情况");
        assert!(page["next_page_token"].is_null());
    }

    #[test]
    fn the_answer_reads_as_a_sentence_in_both_languages() {
        let rule = RuleRef {
            title: "政务数据共享条例".into(),
            article: "22".into(),
            paragraph: 2,
            ..Default::default()
        };
        let permitted =
            CheckUseResponse { permitted: true, rule: Some(rule), ..Default::default() };
        assert_eq!(sentence(&permitted, Lang::Zh), "可以使用（《政务数据共享条例》第22条第2款）");
        let refused = CheckUseResponse {
            permitted: false,
            reason: "GRANT_SUSPENDED".into(),
            message: "the right is suspended".into(),
            rule: None,
        };
        assert_eq!(
            sentence(&refused, Lang::En),
            "the use is not permitted: the right is suspended [GRANT_SUSPENDED]"
        );
    }
}
