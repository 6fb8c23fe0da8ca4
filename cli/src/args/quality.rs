//! Arguments of `luqiao quality`: batches, error reports, and objections of persons concerned.

use std::path::PathBuf;

use catalog_model::time::LocalDate;
use clap::{Subcommand, ValueEnum};
use luqiao_proto::quality::v1::{
    CheckResult, Desk, Dimension, PersonalObjectionState, ReportState,
};

use super::{
    Change, Page, VersionedChange,
    citation::{Listed, Reasoned, Step},
    enum_parser,
};

enum_parser!(
    dimension,
    Dimension,
    "DIMENSION_",
    ["truth", "completeness", "accuracy", "timeliness", "usability"]
);
enum_parser!(desk, Desk, "DESK_", ["provider", "authority"]);
enum_parser!(
    report_state,
    ReportState,
    "REPORT_STATE_",
    [
        "filed",
        "verifying",
        "confirmed",
        "corrected",
        "not_confirmed",
        "fed_back",
        "propagated",
        "closed"
    ]
);
enum_parser!(
    personal_objection_state,
    PersonalObjectionState,
    "PERSONAL_OBJECTION_STATE_",
    ["filed", "verifying", "corrected", "rejected"]
);

/// How the objection of a person is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswerStep {
    /// It is being verified · 核实
    Verify,
    /// The data were corrected · 更正
    Correct,
    /// They were not · 不予更正
    Reject,
}

/// `luqiao quality`.
#[derive(Debug, Subcommand)]
pub enum Quality {
    /// Put a batch of an entry's data on record (provider) · 批次质检登记
    Batch {
        /// The entry.
        entry: String,
        /// Number of the batch · 批次号
        #[arg(long)]
        batch: String,
        /// The system from which it came · 来源系统
        #[arg(long, value_name = "NAME")]
        system: String,
        /// Who answers for it · 责任人
        #[arg(long, value_name = "NAME")]
        person: String,
        /// Its rows · 行数
        #[arg(long, value_name = "N")]
        rows: u64,
        /// What a check found: `CHECK,DIMENSION,ROWS,FAILED` · 检查结果
        #[arg(long = "check", value_name = "CHECK,DIMENSION,ROWS,FAILED", value_parser = check)]
        checks: Vec<CheckResult>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the batches of an entry with their scores · 列出批次与得分
    Batches {
        /// The entry.
        entry: String,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Report an error in data · 数据校核申请
    Report {
        /// The entry.
        entry: String,
        /// An item that is wrong; may be repeated · 有误的信息项
        #[arg(long = "item", value_name = "ITEM")]
        items: Vec<String>,
        /// What is wrong · 问题描述
        #[arg(long)]
        description: String,
        /// Where it is left; default: where the rules send it · 受理方
        #[arg(long, value_parser = desk)]
        desk: Option<Desk>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Hand a report to the provider (authority) · 转交
    HandOver(Step),
    /// Begin to verify it (provider) · 核实
    Verify(Step),
    /// The data are wrong (provider) · 属实
    Confirm(Step),
    /// They are not (provider) · 不属实
    Reject(Reasoned),
    /// A batch corrected them (provider) · 更正
    Correct {
        /// Name of the report.
        name: String,
        /// Number of the batch on record · 批次号
        #[arg(long)]
        batch: String,
        /// The rows before; their SHA-256 is sent · 更正前数据（只提交其摘要）
        #[arg(long, value_name = "FILE")]
        before: PathBuf,
        /// The rows after; their SHA-256 is sent · 更正后数据（只提交其摘要）
        #[arg(long, value_name = "FILE")]
        after: PathBuf,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Tell the reporter; this meets the clock (provider) · 反馈
    FeedBack {
        /// Name of the report.
        name: String,
        /// What the reporter is told · 反馈内容
        #[arg(long)]
        text: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Tell everybody who holds the data (provider) · 通知使用方
    Propagate(Step),
    /// It is over (reporter) · 办结
    Close(Step),
    /// It is not: open it again (reporter) · 重新打开
    Reopen(Reasoned),
    /// Show a report · 查看校核申请
    Show {
        /// Name of the report.
        name: String,
    },
    /// List reports · 列出校核申请
    List {
        /// Only those about this entry · 目录条目
        #[arg(long, value_name = "NAME", default_value = "")]
        entry: String,
        /// Only those in this state · 状态
        #[arg(long, value_parser = report_state)]
        state: Option<ReportState>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
    /// From a report to batch, system and person · 问题数据溯源
    Trace {
        /// Name of the report.
        name: String,
    },
    /// Enter the objection of a person concerned · 数据主体异议
    Object {
        /// The entry.
        entry: String,
        /// The organization at which it was left · 受理窗口单位
        #[arg(long, value_name = "NAME")]
        desk: String,
        /// Number of the filing at a window · 窗口收件编号
        #[arg(long, value_name = "NUMBER", requires = "stamped")]
        window: Option<String>,
        /// Day stamped there · 收件日期
        #[arg(long, value_name = "YYYY-MM-DD", requires = "window")]
        stamped: Option<LocalDate>,
        /// Proof of identity; its SHA-256 is sent · 身份证明（只提交其摘要）
        #[arg(long, value_name = "FILE")]
        identity: PathBuf,
        /// Proof of the relation to the data; default: the same · 关联证明（只提交其摘要）
        #[arg(long, value_name = "FILE")]
        relation: Option<PathBuf>,
        /// What is wrong · 异议内容
        #[arg(long)]
        description: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Move such an objection on (receiver) · 答复异议
    Answer {
        /// Name of the objection.
        name: String,
        /// How.
        step: AnswerStep,
        /// Correct: number of the batch on record · 批次号
        #[arg(long, default_value = "", required_if_eq("step", "correct"))]
        batch: String,
        /// Correct, reject: what the person is told · 答复理由
        #[arg(long, default_value = "", required_if_eq_any = [("step", "correct"), ("step", "reject")])]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: VersionedChange,
    },
    /// Show such an objection · 查看数据主体异议
    Objection {
        /// Name of the objection.
        name: String,
    },
    /// List such objections · 列出数据主体异议
    Objections {
        /// Only those in this state · 状态
        #[arg(long, value_parser = personal_objection_state)]
        state: Option<PersonalObjectionState>,
        /// Which list.
        #[command(flatten)]
        listed: Listed,
    },
}

fn check(text: &str) -> Result<CheckResult, String> {
    let known = "write CHECK,DIMENSION,ROWS,FAILED";
    let parts: Vec<&str> = text.rsplitn(4, ',').map(str::trim).collect();
    let [failed, rows, side, check] = parts[..] else { return Err(known.to_owned()) };
    let count = |text: &str| text.parse::<u64>().map_err(|_| known.to_owned());
    Ok(CheckResult {
        check: check.to_owned(),
        dimension: dimension(side)?.into(),
        rows: count(rows)?,
        failed: count(failed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_read_from_its_end_so_that_its_name_may_hold_commas() {
        let read = check("非空，唯一,a,completeness,1000,25").expect("a check");
        assert_eq!(read.check, "非空，唯一,a");
        assert_eq!((read.dimension(), read.rows, read.failed), (Dimension::Completeness, 1000, 25));
        for wrong in ["completeness,1000,25", "a,beauty,1,0", "a,truth,many,0", ""] {
            check(wrong).expect_err(wrong);
        }
    }
}
