//! The page: a drill on one sheet, to print and to sign.
//!
//! Made of the report alone, always the same bytes of the same report, so that a page can be held
//! against it. Nothing is fetched: no script, no font, no picture of anybody else's. Chinese first,
//! English beside it.

use std::fmt::Write as _;

use serde_json::Value;

use super::picture;

/// What each word of a verdict means, for people.
fn verdict(word: &str) -> (&'static str, &'static str) {
    match word {
        "proven_zero" => ("已证明零丢失", "proven: nothing is lost"),
        "bounded" => ("丢失范围已知，逐笔列明", "lost, and every lost write is named"),
        _ => ("未知", "unknown"),
    }
}

/// The page of a report.
pub fn page(report: &Value) -> String {
    let mut html = String::with_capacity(16 << 10);
    let plan = &report["plan"];
    let (zh, en) = (text(&plan["title"]["zh"]), text(&plan["title"]["en"]));
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>演练报告 {zh} · Drill report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<p class=\"kind\">鹭桥 灾备演练报告 <small>Luqiao drill report</small></p>\n\
         <h1>{zh} <small>{en}</small></h1>\n<p>{} <small>{}</small></p>\n</header>\n",
        text(&plan["about"]["zh"]),
        text(&plan["about"]["en"]),
    );
    verdict_box(&mut html, report);
    figures(&mut html, report);
    section(&mut html, "每 100 毫秒确认的写入", "Writes acknowledged in each 100 ms");
    html.push_str(&picture::svg(report));
    html.push_str("</section>\n");
    recovery(&mut html, report);
    steps(&mut html, report);
    who(&mut html, report);
    evidence(&mut html, report);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

fn verdict_box(html: &mut String, report: &Value) {
    let ok = report["ok"] == true;
    let (class, zh, en) = if ok {
        ("ok", "通过", "passed: everything came out as planned")
    } else {
        ("bad", "未通过", "not passed")
    };
    let _ = writeln!(html, "<section class=\"verdict {class}\"><b>{zh}</b> <small>{en}</small>");
    let deviations = list(&report["deviations"]);
    if !deviations.is_empty() {
        html.push_str("<ul>\n");
        for one in deviations {
            let (zh, en) = (text(&one["zh"]), text(&one["en"]));
            let _ = writeln!(html, "<li>{zh} <small>{en}</small></li>");
        }
        html.push_str("</ul>\n");
    }
    html.push_str("</section>\n");
}

fn figures(html: &mut String, report: &Value) {
    let (rpo, timers) = (&report["rpo"], &report["timers"]);
    let (zh, en) = verdict(rpo["verdict"].as_str().unwrap_or_default());
    let ms = |value: &Value| format!("{} ms", number(value));
    let figures = [
        (
            "丢失",
            "RPO: lost of acknowledged",
            format!("{} / {}", number(&rpo["lost"]), number(&rpo["acknowledged"])),
            format!("{zh} · {en}"),
        ),
        (
            "恢复用时",
            "RTO",
            ms(&report["rto"]["total_ms"]),
            format!("上限 limit {}", ms(&report["plan"]["rto_max_ms"])),
        ),
        (
            "最长中断",
            "longest pause",
            ms(&report["pause"]["longest_ms"]),
            format!("上限 limit {}", ms(&report["plan"]["pause_max_ms"])),
        ),
        (
            "重复写入",
            "done more than once",
            number(&rpo["duplicated"]),
            "应为 0 · 0 wanted".to_owned(),
        ),
        (
            "到期触发",
            "due instants fired / set",
            format!("{} / {}", number(&timers["fired"]), number(&timers["set"])),
            format!("误触发 wrong {}", number(&timers["wrong"])),
        ),
        (
            "网关本可重试的失败",
            "failed attempts that a gateway could have retried",
            number(&report["attempts"]["answered"]),
            format!(
                "不可达 unreached {} · 无应答 silent {}",
                number(&report["attempts"]["unreached"]),
                number(&report["attempts"]["silent"])
            ),
        ),
    ];
    html.push_str("<section class=\"figures\">\n");
    for (zh, en, value, note) in figures {
        let _ = writeln!(
            html,
            "<div><p>{zh} <small>{en}</small></p><b>{value}</b><p><small>{note}</small></p></div>"
        );
    }
    html.push_str("</section>\n");
}

fn recovery(html: &mut String, report: &Value) {
    section(html, "恢复用时的组成", "What the recovery time is made of");
    let rto = &report["rto"];
    let rows = [
        (
            "发现",
            "detect",
            "故障至首个外部迹象",
            "from the failure to the first sign outside",
            &rto["detect_ms"],
        ),
        ("决定", "decide", "至新的主节点已知", "until it was known who goes on", &rto["decide_ms"]),
        (
            "执行",
            "execute",
            "至首笔写入得到确认",
            "until the first write was acknowledged",
            &rto["execute_ms"],
        ),
        (
            "核验",
            "verify",
            "事后检查用时（不计入恢复用时）",
            "the checks after it; no part of the recovery",
            &rto["verify_ms"],
        ),
    ];
    html.push_str("<table>\n");
    for (zh, en, means_zh, means_en, value) in rows {
        let _ = writeln!(
            html,
            "<tr><th>{zh} <small>{en}</small></th><td class=\"n\">{} ms</td>\
             <td>{means_zh} <small>{means_en}</small></td></tr>",
            number(value)
        );
    }
    html.push_str("</table>\n</section>\n");
}

fn steps(html: &mut String, report: &Value) {
    section(html, "经过", "Timeline");
    html.push_str(
        "<table>\n<tr><th>#</th><th>阶段 <small>part</small></th><th>步骤 <small>step</small></th>\
         <th>开始 <small>began</small></th><th class=\"n\">用时 <small>took</small></th>\
         <th>结果 <small>outcome</small></th><th>所见 <small>seen</small></th></tr>\n",
    );
    let steps = list(&report["record"]["steps"]).iter().enumerate();
    let mut rows: Vec<(u64, String)> = steps
        .map(|(place, step)| {
            let began = step["began_ms"].as_u64().unwrap_or_default();
            let took = step["ended_ms"].as_u64().unwrap_or_default().saturating_sub(began);
            let (class, word) =
                if step["ok"] == true { ("good", "符合 ok") } else { ("wrong", "不符 not ok") };
            let (phase_zh, phase) = phase(&step["phase"]);
            let row = format!(
                "<tr><td class=\"n\">{}</td><td class=\"w\">{phase_zh} <small>{phase}</small></td>\
                 <td class=\"w\"><code>{}</code></td><td><time>{}</time></td>\
                 <td class=\"n\">{took} ms</td><td class=\"{class}\">{word}</td><td>{}</td></tr>\n",
                place + 1,
                text(&step["step"]),
                instant(&step["began_ms"]),
                text(&step["note"]),
            );
            (began, row)
        })
        .collect();
    rows.extend(list(&report["disturbances"]).iter().map(|one| {
        let exact =
            if one["exact"] == true { "" } else { "，由操作人确认 as a person confirmed" };
        let row = format!(
            "<tr class=\"cut\"><td class=\"n\">⚡</td><td></td><td class=\"w\"><code>{}</code></td>\
             <td><time>{}</time></td><td></td><td></td><td>节点 node {}{exact}</td></tr>\n",
            text(&one["what"]),
            instant(&one["at_ms"]),
            text(&one["node"]),
        );
        (one["at_ms"].as_u64().unwrap_or_default(), row)
    }));
    // What happened within a step stands below it.
    rows.sort_by_key(|(at, _)| *at);
    for (_, row) in &rows {
        html.push_str(row);
    }
    html.push_str("</table>\n</section>\n");
}

fn who(html: &mut String, report: &Value) {
    let record = &report["record"];
    section(html, "何人、何故", "Who and why");
    html.push_str("<table>\n");
    row(html, "事由", "why", &text(&record["why"]));
    row(html, "发起单位", "opened by", &code(&record["organization"]));
    if !text(&record["person"]).is_empty() {
        row(html, "发起人", "person", &code(&record["person"]));
    }
    let approvals = list(&record["approvals"]);
    let mut approved = format!("{} / {}", approvals.len(), number(&record["approvals_needed"]));
    for one in approvals {
        let vouched = if one["asserted"] == true {
            "（由业务系统代为确认 as a system vouched）"
        } else {
            ""
        };
        let _ = write!(approved, "<br>{}{vouched}", code(&one["person"]));
    }
    row(html, "批准", "approvals", &approved);
    row(html, "演练", "drill", &code(&report["drill"]));
    row(html, "集群", "cluster", &code(&report["cluster"]["cluster_id"]));
    html.push_str("</table>\n</section>\n");
}

fn evidence(html: &mut String, report: &Value) {
    section(html, "凭据", "Evidence");
    html.push_str("<table>\n");
    let (rpo, ledger) = (&report["rpo"], &report["ledger"]);
    let compared = format!(
        "确认 acknowledged {} · 在库 present {} · 未获确认而在库 present untold {} · 丢失 lost {}",
        number(&rpo["acknowledged"]),
        number(&rpo["present"]),
        number(&rpo["untold"]),
        number(&rpo["lost"]),
    );
    row(html, "比对", "compared", &compared);
    let lost: Vec<String> = list(&rpo["lost_numbers"]).iter().map(number).collect();
    if !lost.is_empty() {
        row(html, "丢失的编号", "lost numbers", &lost.join(", "));
    }
    row(html, "探测清单摘要", "SHA-256 of the prober's list", &code(&report["list_sha256"]));
    row(html, "预案摘要", "SHA-256 of the plan", &code(&report["plan"]["sha256"]));
    for (zh, en, head) in [
        ("演练前账本", "ledger before", &ledger["before"]),
        ("演练后账本", "ledger after", &ledger["after"]),
    ] {
        let value = format!("{} 条 records, {}", number(&head["size"]), code(&head["root"]));
        row(html, zh, en, &value);
    }
    for node in list(&report["cluster"]["nodes"]) {
        let value = format!(
            "位置 at {}，状态哈希 state hash {}，版本 version {}",
            number(&node["applied_index"]),
            code(&node["state_hash"]),
            text(&node["version"]),
        );
        row(html, &format!("节点 {}", text(&node["id"])), "node", &value);
    }
    html.push_str("</table>\n");
    html.push_str(
        "<p><small>本页由报告文件生成；报告的摘要载于账本，可离线核验：\
         <code>luqiao drill verify REPORT --trust FILE</code>. This page is made of the report; its \
         digest is in the ledger and is checked offline.</small></p>\n</section>\n",
    );
}

fn section(html: &mut String, zh: &str, en: &str) {
    let _ = writeln!(html, "<section>\n<h2>{zh} <small>{en}</small></h2>");
}

/// A row of which the value is written already.
fn row(html: &mut String, zh: &str, en: &str, value: &str) {
    let _ = writeln!(html, "<tr><th>{zh} <small>{en}</small></th><td>{value}</td></tr>");
}

fn phase(word: &Value) -> (&'static str, &'static str) {
    match word.as_str().unwrap_or_default() {
        "precheck" => ("事前检查", "precheck"),
        "act" => ("实施", "act"),
        "check" => ("事后检查", "check"),
        "back" => ("恢复原状", "back"),
        _ => ("", ""),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> String {
    value.as_u64().map_or_else(|| "–".to_owned(), |number| number.to_string())
}

fn code(value: &Value) -> String {
    format!("<code>{}</code>", text(value))
}

/// The time of day of an instant, Asia/Shanghai, with milliseconds.
fn instant(value: &Value) -> String {
    let Some(ms) = value.as_u64() else { return "–".to_owned() };
    let time = catalog_model::time::UtcMillis(ms).local_text();
    format!("{time}.{:03}", ms % 1000)
}

/// The text with nothing in it that is markup.
pub(super) fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

const STYLE: &str = "\
:root { color-scheme: light; }
body { margin: 0; background: #f4f5f6; color: #1c2329; font: 15px/1.55 'Noto Sans SC', 'PingFang SC', \
'Microsoft YaHei', 'Source Han Sans SC', sans-serif; }
main { max-width: 1080px; margin: 24px auto; padding: 28px 36px; background: #fff; border: 1px solid #dde1e5; }
small { color: #5c6973; font-size: 0.82em; font-weight: normal; }
.kind { margin: 0; color: #155e75; letter-spacing: 0.04em; }
h1 { margin: 4px 0 0; font-size: 26px; }
h2 { margin: 28px 0 8px; font-size: 17px; border-bottom: 1px solid #dde1e5; padding-bottom: 4px; }
.verdict { margin: 18px 0; padding: 12px 16px; border-left: 6px solid; }
.verdict b { font-size: 20px; }
.verdict.ok { border-color: #15803d; background: #f0faf3; }
.verdict.bad { border-color: #b91c1c; background: #fdf2f2; }
.figures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px; }
.figures div { border: 1px solid #dde1e5; padding: 10px 14px; }
.figures p { margin: 0; }
.figures b { font-size: 22px; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 5px 8px; border-bottom: 1px solid #edf0f2; }
th { font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.w { white-space: nowrap; }
.good { color: #15803d; white-space: nowrap; }
.wrong { color: #b91c1c; white-space: nowrap; }
.cut td { color: #b91c1c; }
code { font-size: 0.86em; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; }
@media print { body { background: #fff; } main { border: 0; margin: 0; max-width: none; } section { break-inside: avoid; } }
";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_people_wrote_is_no_markup() {
        let report = json!({
            "plan": { "title": { "zh": "<script>", "en": "a & b" } },
            "record": { "why": "\"<img src=x>\"" },
        });
        let html = page(&report);
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("a &amp; b") && html.contains("&quot;&lt;img src=x&gt;&quot;"));
    }

    #[test]
    fn nothing_is_fetched() {
        let html = page(&json!({}));
        for word in ["http://", "https://", "url(", "@import", "src=", "href="] {
            let found = html.replace("http://www.w3.org/2000/svg", "");
            assert!(!found.contains(word), "{word}");
        }
    }
}
