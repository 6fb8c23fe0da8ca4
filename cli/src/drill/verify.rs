//! `drill list`, `drill plan` and `drill verify`: what needs no server.

use std::{fs, path::Path};

use catalog_model::reason::Lang;
use serde_json::{Value, json};

use crate::{
    both,
    exit::Exit,
    failure::Failure,
    output::{Output, column, write_table},
    receipt,
};

use super::{page::page, plan::Plan, report};

/// Prints the plans in the program.
pub fn list(output: Output) -> Result<Exit, Failure> {
    let rows: Vec<Value> = Plan::own().iter().map(|plan| shown(plan, output.lang)).collect();
    let columns = [
        column("PLAN", "预案", "/name"),
        column("RUNS HERE", "可执行", "/runs"),
        column("APPROVALS", "批准", "/approvals"),
        column("TAKES A SITE", "停用站点", "/takes_site"),
        column("WHAT", "内容", "/title"),
        column("MISSING", "缺少", "/missing_text"),
    ];
    let value = json!({ "plans": rows });
    output.data(&value, |out, lang| write_table(out, &rows, &columns, lang))?;
    Ok(Exit::Ok)
}

fn shown(plan: &Plan, lang: Lang) -> Value {
    let missing = plan.missing();
    let words: Vec<&str> = missing.iter().map(|(word, _)| *word).collect();
    json!({
        "name": plan.name,
        "title": plan.title.text(lang),
        "about": plan.about.text(lang),
        "approvals": plan.approvals,
        "takes_site": plan.takes_site,
        "runs": missing.is_empty(),
        "missing": words,
        "missing_text": words.join(", "),
    })
}

/// Prints a plan, step by step.
pub fn plan(name: &str, file: Option<&Path>, output: Output) -> Result<Exit, Failure> {
    let plan = Plan::choose(name, file)?;
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            json!({
                "step": at + 1,
                "phase": step.phase.word(),
                "word": step.doing.word(),
                "does": step.doing.title().text(output.lang),
                "expect_ms": step.expect_ms,
                "missing": step.doing.missing().map(|why| why.text(output.lang).to_owned()),
            })
        })
        .collect();
    let mut value = shown(&plan, output.lang);
    value["steps"] = steps.clone().into();
    value["pause_max_ms"] = plan.pause_max_ms.into();
    value["rto_max_ms"] = plan.rto_max_ms.into();
    let columns = [
        column("STEP", "序号", "/step"),
        column("PART", "阶段", "/phase"),
        column("WORD", "步骤", "/word"),
        column("WHAT", "内容", "/does"),
        column("EXPECTED MS", "预计毫秒", "/expect_ms"),
        column("MISSING", "缺少", "/missing"),
    ];
    output.data(&value, |out, lang| {
        writeln!(out, "{}: {}", plan.name, plan.title.text(lang))?;
        writeln!(out, "{}", plan.about.text(lang))?;
        write_table(out, &steps, &columns, lang)
    })?;
    let until = steps.iter().position(|step| step["phase"] == "act").unwrap_or(0);
    output.say(&both!(
        "until step {until} nothing is changed: end there, and `luqiao drill abandon`",
        "第 {until} 步及以前不改变任何状态，可随时中止并执行 luqiao drill abandon"
    ));
    Ok(Exit::Ok)
}

/// Checks a report, and the page of it. One that proves nothing is an answer, not a failure: the exit
/// code is [`Exit::Error`] and stdout says why.
pub fn verify(
    file: &Path,
    trust: &Path,
    html: Option<&Path>,
    output: Output,
) -> Result<Exit, Failure> {
    let bytes = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    let anchor = receipt::read(trust)?;
    let checked = String::from_utf8(bytes)
        .map_err(|_| report::Unproven::NotCanonical)
        .and_then(|text| report::check(&text, &anchor));
    let verified = match checked {
        Ok(verified) => verified,
        Err(unproven) => {
            let words = unproven.text();
            let json = json!({
                "verified": false, "reason": unproven.reason(), "message": words.text(output.lang),
            });
            output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
            return Ok(Exit::Error);
        }
    };
    if let Some(html) = html {
        let found = fs::read(html).map_err(|error| Failure::file(html, &error))?;
        if found != page(&verified.report).as_bytes() {
            let words = both!(
                "the report is proven, but the page is not the one of this report",
                "报告已证明，但网页与报告不一致"
            );
            let json = json!({
                "verified": false, "reason": "page_changed", "message": words.text(output.lang),
            });
            output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
            return Ok(Exit::Error);
        }
    }
    let line = report::last_line(&verified.report);
    let proven = &verified.proven;
    let (name, record, domain) = (&proven.subject, proven.leaf_index, &anchor.domain);
    let (node, time) = (&proven.node, &proven.time);
    let words = both!(
        "proven: the report of {name} is the one whose digest is in record {record} of the ledger of {domain}; head signed by node {node} at {time}",
        "已证明：{name} 的报告摘要载于 {domain} 账本第 {record} 号记录；树头由节点 {node} 于 {time} 签署"
    );
    let json = json!({
        "verified": true, "drill": name, "domain": domain, "record": record,
        "tree_size": proven.tree_size, "node": node, "time": time, "result": line,
    });
    output.data(&json, |out, lang| {
        writeln!(out, "{}", words.text(lang))?;
        writeln!(out, "{line}")
    })?;
    Ok(Exit::Ok)
}
