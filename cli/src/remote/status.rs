//! `luqiao status`: one screen, and an exit code that tells whether somebody should look.

use std::io::{self, Write};

use catalog_model::reason::Lang;
use luqiao_proto::operations::v1::GetStatusRequest;
use serde_json::Value;

use crate::{
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column, write_table},
};

use super::{Remote, answer, whole_json};

const NODES: [Column; 6] = [
    column("NODE", "节点", "/id"),
    column("ENDPOINT", "地址", "/endpoint"),
    column("ROLE", "角色", "/role"),
    column("APPLIED", "已应用", "/applied_index"),
    column("LAG", "落后", "/lag"),
    column("VERSION", "版本", "/version"),
];
const LINKS: [Column; 5] = [
    column("LINK", "对端域", "/domain"),
    column("CONNECTED", "已连接", "/connected"),
    column("FEED LAG", "变更滞后", "/feed_lag"),
    column("OUTBOX", "待发", "/outbox_size"),
    column("LAST ERROR", "最近错误", "/last_error"),
];
const ALARMS: [Column; 3] = [
    column("ALARM", "告警", "/name"),
    column("SINCE", "起始", "/since"),
    column("SUBJECT", "对象", "/subject"),
];
/// What stands above the tables.
const SUMMARY: [Column; 13] = [
    column("domain", "域", "/domain"),
    column("cluster", "集群", "/cluster_id"),
    column("rules", "规则组合", "/composition"),
    column("clock", "时钟", "/clock"),
    column("leader", "主节点", "/leader"),
    column("term", "任期", "/term"),
    column("nodes that may fail", "可容许故障节点数", "/failure_tolerance"),
    column("entries", "目录条目", "/entry_count"),
    column("open requests", "未办结申请", "/open_request_count"),
    column("overdue", "逾期", "/overdue_request_count"),
    column("ledger records", "账本记录", "/ledger_size"),
    column("backup: seconds behind", "备份滞后秒数", "/backup/age_s"),
    column("backup: last base", "最近一次备份", "/backup/base_time"),
];

/// Shows the status of a domain. Alarms and a missing leader end as [`Exit::Unhealthy`].
pub async fn show(remote: &Remote, domain: Option<&str>) -> Result<Exit, Failure> {
    let request = GetStatusRequest { name: remote.parent(domain) };
    let mut client = remote.session.operations();
    let status = answer(client.get_status(remote.session.call(request)).await)?;
    let value = whole_json(kind::STATUS, &status)?;
    remote.output.data(&value, |out, lang| write_text(out, &value, lang))?;
    let unhealthy = status.leader.is_empty() || !status.alarms.is_empty();
    Ok(if unhealthy { Exit::Unhealthy } else { Exit::Ok })
}

fn write_text(out: &mut dyn Write, status: &Value, lang: Lang) -> io::Result<()> {
    for line in SUMMARY {
        let label = match lang {
            Lang::En => line.en,
            Lang::Zh => line.zh,
        };
        match status.pointer(line.path) {
            Some(Value::String(text)) => writeln!(out, "{label}: {text}")?,
            Some(value) => writeln!(out, "{label}: {value}")?,
            None => writeln!(out, "{label}: -")?,
        }
    }
    for (key, columns) in [("nodes", &NODES[..]), ("links", &LINKS[..]), ("alarms", &ALARMS[..])] {
        if let Some(rows) = status[key].as_array().filter(|rows| !rows.is_empty()) {
            writeln!(out)?;
            write_table(out, rows, columns, lang)?;
        }
    }
    Ok(())
}
