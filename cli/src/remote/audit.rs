//! `luqiao audit`: what a server tells of its ledger, and what of it is checked here.

mod against;
mod export;

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use catalog_model::{reason::Lang, time::UtcMillis};
use luqiao_proto::ledger::v1::{
    ErasePayloadRequest, LedgerRecord, ListHeadsRequest, ListSegmentsRequest, PurgePayloadsRequest,
    QueryRecordsRequest, SealSegmentRequest, TailRecordsRequest, TextsState, VerifyLedgerRequest,
};
use prost_types::Timestamp;
use serde_json::json;

use crate::{
    args::audit::{Audit, Filter},
    both,
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, Format, column},
};

use super::{Remote, answer, json as message_json, whole_json};

/// `luqiao audit …`.
pub async fn run(remote: &Remote, command: Audit) -> Result<Exit, Failure> {
    let mut client = remote.session.ledger();
    match command {
        Audit::Query { filter, organization, from, until, page } => {
            let request = QueryRecordsRequest {
                parent: remote.parent(filter.domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
                subject: filter.subject.unwrap_or_default(),
                kinds: filter.kinds,
                organization: organization.unwrap_or_default(),
                from_time: from.map(|day| instant(day.start())),
                until_time: until.map(|day| instant(day.end())),
            };
            let found = answer(client.query_records(remote.session.call(request)).await)?;
            let page = message_json(kind::RECORD_PAGE, &found)?;
            remote.output.data(&page, |out, lang| {
                found.records.iter().try_for_each(|record| write_record(out, record, lang))
            })?;
            if remote.output.format == Format::Table && !found.next_page_token.is_empty() {
                let token = found.next_page_token;
                remote
                    .output
                    .say(&both!("more: --page-token {token}", "还有更多：--page-token {token}"));
            }
            Ok(Exit::Ok)
        }
        Audit::Tail { filter, from, count } => tail(remote, filter, from, count).await,
        Audit::Verify { domain, against: Some(holder), trust, theirs, held } => {
            let files = against::Files { trust, theirs, held };
            against::verify(remote, remote.parent(domain.as_deref()), &holder, &files).await
        }
        Audit::Verify { domain, .. } => verify(remote, remote.parent(domain.as_deref())).await,
        Audit::Heads { domain, save } => {
            heads(remote, remote.parent(domain.as_deref()), save.as_deref()).await
        }
        Audit::Seal { through, change } => {
            let request = SealSegmentRequest {
                parent: remote.session.parent(),
                through: through.unwrap_or_default(),
                request_id: remote.attempt(change.request_id),
            };
            let segment = answer(client.seal_segment(remote.session.call(request)).await)?;
            remote.show(kind::SEGMENT, &segment)?;
            Ok(Exit::Ok)
        }
        Audit::Segments { page } => {
            let request = ListSegmentsRequest {
                parent: remote.session.parent(),
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let segments = answer(client.list_segments(remote.session.call(request)).await)?;
            remote.output.page(
                &whole_json(kind::SEGMENT_PAGE, &segments)?,
                "segments",
                SEGMENT_COLUMNS,
            )?;
            Ok(Exit::Ok)
        }
        Audit::Export { folder, trust } => export::run(remote, &folder, trust.as_deref()).await,
        Audit::Erase { record, ground, change } => {
            let request = ErasePayloadRequest {
                parent: remote.session.parent(),
                record,
                ground,
                request_id: remote.attempt(change.request_id),
            };
            let written = answer(client.erase_payload(remote.session.call(request)).await)?;
            show_record(remote, &written)
        }
        Audit::Purge { through, change } => {
            let request = PurgePayloadsRequest {
                parent: remote.session.parent(),
                through,
                request_id: remote.attempt(change.request_id),
            };
            let written = answer(client.purge_payloads(remote.session.call(request)).await)?;
            show_record(remote, &written)
        }
        Audit::Check { .. } => unreachable!("done without a server"),
    }
}

const SEGMENT_COLUMNS: &[Column] = &[
    column("segment", "分段", "/number"),
    column("from", "起", "/from"),
    column("before", "止（不含）", "/through"),
    column("link", "链接", "/link"),
];

fn instant(time: UtcMillis) -> Timestamp {
    luqiao_proto::convert::time::timestamp(time)
}

fn local(time: Option<&Timestamp>) -> String {
    let millis = time.map_or(0, |time| time.seconds * 1000 + i64::from(time.nanos) / 1_000_000);
    UtcMillis(millis.unsigned_abs()).local_text()
}

/// One record: when, what, on which rule; below it the texts that go with it.
fn write_record(out: &mut dyn Write, record: &LedgerRecord, lang: Lang) -> io::Result<()> {
    let (number, time) = (record.sequence, local(record.time.as_ref()));
    let rule = match (record.rule.as_str(), lang) {
        ("", _) => String::new(),
        (rule, Lang::Zh) => format!("〔依据{rule}〕"),
        (rule, Lang::En) => format!(" [{rule}]"),
    };
    let end = if lang == Lang::Zh { "。" } else { "." };
    writeln!(out, "{number:>6}  {time}  {}{rule}{end}", record.sentence)?;
    let about = &record.subject;
    let by = if record.actor_name.is_empty() { &record.actor } else { &record.actor_name };
    match lang {
        Lang::Zh => writeln!(out, "        {about}，由 {by} 作出")?,
        Lang::En => writeln!(out, "        about {about}, by {by}")?,
    }
    for text in &record.texts {
        writeln!(out, "        {}: {}", text.label, text.text.replace('\n', "\n          "))?;
    }
    let beside = match (record.texts_state(), lang) {
        (TextsState::Withheld, Lang::Zh) => "（另有文本，不对您展示）",
        (TextsState::Withheld, Lang::En) => "(other texts are not for you)",
        (TextsState::Erased, Lang::Zh) => "（文本已依法删除）",
        (TextsState::Erased, Lang::En) => "(the texts were erased)",
        _ => return Ok(()),
    };
    writeln!(out, "        {beside}")
}

fn show_record(remote: &Remote, record: &LedgerRecord) -> Result<Exit, Failure> {
    let json = message_json(kind::LEDGER_RECORD, record)?;
    remote.output.data(&json, |out, lang| write_record(out, record, lang))?;
    Ok(Exit::Ok)
}

async fn tail(
    remote: &Remote,
    filter: Filter,
    from: Option<u64>,
    count: Option<u64>,
) -> Result<Exit, Failure> {
    let request = TailRecordsRequest {
        parent: remote.parent(filter.domain.as_deref()),
        from,
        subject: filter.subject.unwrap_or_default(),
        kinds: filter.kinds,
    };
    let mut client = remote.session.ledger();
    let mut records = answer(client.tail_records(remote.session.stream(request)).await)?;
    let mut left = count;
    while left != Some(0) {
        let message = records.message().await.map_err(|status| Failure::call(&status))?;
        let Some(record) = message.and_then(|message| message.record) else { break };
        show_record(remote, &record)?;
        left = left.map(|left| left - 1);
    }
    Ok(Exit::Ok)
}

/// Portion after portion, so that no call is long and what is found is told at once.
async fn verify(remote: &Remote, parent: String) -> Result<Exit, Failure> {
    let mut client = remote.session.ledger();
    let mut findings = Vec::new();
    let mut from = 0;
    let size = loop {
        let request = VerifyLedgerRequest { parent: parent.clone(), from, limit: 0 };
        let portion = answer(client.verify_ledger(remote.session.call(request)).await)?;
        findings.extend(portion.findings);
        let (next, size) = (portion.next, portion.tree_size);
        remote.output.detail(&both!("{next} of {size} records", "已核验 {next}/{size} 条记录"));
        if next >= size || next <= from {
            break size;
        }
        from = next;
    };
    let json = json!({
        "verified": findings.is_empty(),
        "tree_size": size,
        "findings": findings.iter().map(|finding| json!({
            "kind": finding.kind, "record": finding.record, "message": finding.message,
        })).collect::<Vec<_>>(),
    });
    let count = findings.len();
    let words = if findings.is_empty() {
        both!(
            "all {size} records, their hashes and texts are what they were",
            "{size} 条记录及其哈希、文本均未改动"
        )
    } else {
        both!("{count} findings in {size} records", "{size} 条记录中发现 {count} 处异常")
    };
    remote.output.data(&json, |out, lang| {
        findings.iter().try_for_each(|finding| writeln!(out, "{}", finding.message))?;
        writeln!(out, "{}", words.text(lang))
    })?;
    Ok(if findings.is_empty() { Exit::Ok } else { Exit::Error })
}

async fn heads(remote: &Remote, parent: String, save: Option<&Path>) -> Result<Exit, Failure> {
    let mut client = remote.session.ledger();
    let request = ListHeadsRequest { parent };
    let heads = answer(client.list_heads(remote.session.call(request)).await)?;
    if let Some(folder) = save {
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        for held in &heads.cosignatures {
            let Some(cosignature) = &held.cosignature else { continue };
            let file = folder.join(format!("{}.json", cosignature.cosigner));
            let json = message_json(kind::COSIGNATURE, cosignature)?;
            fs::write(&file, format!("{json:#}\n"))
                .map_err(|error| Failure::file(&file, &error))?;
        }
    }
    let json = message_json(kind::HEAD_LIST, &heads)?;
    remote.output.data(&json, |out, lang| {
        let zh = lang == Lang::Zh;
        for held in &heads.held {
            let head = held.head.clone().unwrap_or_default();
            let (domain, size, time) =
                (head.domain, head.tree_size, local(held.received_time.as_ref()));
            if zh {
                writeln!(out, "持有 {domain} 账本 {size} 条记录的树头（{time} 收到）")?;
            } else {
                writeln!(out, "held: {domain}, {size} records, since {time}")?;
            }
        }
        for fork in &heads.forks {
            let head = fork.head.clone().unwrap_or_default();
            let (domain, size, time) =
                (head.domain, head.tree_size, local(fork.received_time.as_ref()));
            if zh {
                writeln!(out, "分叉：{domain} 账本 {size} 条记录的树头不延续所持树头（{time}）")?;
            } else {
                writeln!(
                    out,
                    "FORK: a head of {domain} over {size} records does not extend the one held ({time})"
                )?;
            }
        }
        for held in &heads.cosignatures {
            let cosignature = held.cosignature.clone().unwrap_or_default();
            let size = cosignature.tree_head.unwrap_or_default().tree_size;
            let (domain, time) = (cosignature.cosigner, local(held.received_time.as_ref()));
            if zh {
                writeln!(out, "{domain} 会签本账本 {size} 条记录的树头（{time}）")?;
            } else {
                writeln!(out, "cosigned: by {domain}, our {size} records, {time}")?;
            }
        }
        Ok(())
    })?;
    Ok(if heads.forks.is_empty() { Exit::Ok } else { Exit::Unhealthy })
}

#[cfg(test)]
mod tests {
    use catalog_model::time::LocalDate;

    use super::*;

    #[test]
    fn a_record_reads_like_a_sentence_in_both_languages() {
        let record = LedgerRecord {
            sequence: 12,
            time: Some(instant("2026-09-21".parse::<LocalDate>().expect("a day").start())),
            subject: "domains/x/requests/1".to_owned(),
            sentence: "申请单位撤回申请".to_owned(),
            actor: "x/organizations/2".to_owned(),
            rule: "《政务数据共享条例》第21条第1款".to_owned(),
            texts_state: TextsState::Withheld.into(),
            ..LedgerRecord::default()
        };
        let said = |lang| {
            let mut out = Vec::new();
            write_record(&mut out, &record, lang).expect("a vector takes everything");
            String::from_utf8(out).expect("text")
        };
        let zh = said(Lang::Zh);
        assert!(zh.starts_with("    12  2026-09-21 00:00"), "{zh}");
        assert!(zh.contains("申请单位撤回申请〔依据《政务数据共享条例》第21条第1款〕。"), "{zh}");
        assert!(zh.contains("（另有文本，不对您展示）"), "{zh}");
        assert!(said(Lang::En).contains("about domains/x/requests/1, by x/organizations/2"));
    }
}
