//! Arguments of `luqiao rules`, `luqiao calendar` and `luqiao outage`.

use std::path::PathBuf;

use catalog_model::time::LocalDate;
use clap::{Args, Subcommand, ValueEnum};
use luqiao_proto::organization::v1::{DataKind, PartyClass};
use prost_types::Timestamp;

use super::{
    Change, Page,
    letter::Letter,
    organization::{data_kind, party_class},
};

/// Under which law somebody wants to know.
#[derive(Debug, Clone, Args)]
pub struct Basis {
    /// Domain; default: the caller's · 域
    #[arg(long)]
    pub domain: Option<String>,
    /// Class of the asker · 申请方类别
    #[arg(long, value_parser = party_class, default_value = "government-department")]
    pub asker: PartyClass,
    /// Class of the provider · 提供方类别
    #[arg(long, value_parser = party_class, default_value = "government-department")]
    pub provider: PartyClass,
    /// Kind of the data · 数据类别
    #[arg(long, value_parser = data_kind, default_value = "government-data")]
    pub data: DataKind,
    /// Day; default: today · 日期
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<LocalDate>,
    /// Composition of profiles; default: the domain's · 规则组合
    #[arg(long, default_value = "")]
    pub composition: String,
    /// Version of the rule pack; default: the one in force · 规则包版本
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub pack_version: u64,
}

/// What a ruling does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RulingWord {
    /// An expired rule without successor goes on · 继续执行已失效规则
    Continue,
    /// A regulation of the special zone adapts a text of higher rank · 变通
    Adapt,
    /// Of two rules of one rank one holds · 择一适用
    Choose,
}

/// `luqiao rules`.
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// Show the rules in force for a pair · 显示现行规则
    Show {
        /// Under which law.
        #[command(flatten)]
        basis: Basis,
    },
    /// Explain which rules were merged and who gave way · 解释规则如何合并、谁让位
    Explain {
        /// The key, for instance `sharing.conditional.answer` · 规则项
        key: String,
        /// Under which law.
        #[command(flatten)]
        basis: Basis,
    },
    /// Check a pack; exits 1 if it would be refused · 检查规则包
    Check {
        /// The pack, JSON · 规则包文件
        file: PathBuf,
        /// Day; default: today · 日期
        #[arg(long, value_name = "YYYY-MM-DD")]
        date: Option<LocalDate>,
        /// Without any server; the rulings and the law in force are not looked at · 离线检查
        #[arg(long, requires = "date")]
        offline: bool,
        /// Domain; default: the caller's · 域
        #[arg(long, conflicts_with = "offline")]
        domain: Option<String>,
    },
    /// Which cases would have ended differently under a draft · 若草案为法，哪些案件结果不同
    WhatIf {
        /// The draft, a whole pack, JSON · 草案文件
        file: PathBuf,
        /// Cases received from this day on · 自该日起收到的案件
        #[arg(long, value_name = "YYYY-MM-DD")]
        since: LocalDate,
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
    },
    /// Load a pack; where the house asks for it, a second person repeats it · 装入规则包（两人）
    Load {
        /// The pack, JSON · 规则包文件
        file: PathBuf,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// What waits for a second person · 待第二人确认的变更
    Proposed {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
    },
    /// What is still being counted again after a change of the law · 尚在重新计算的事项
    Pending {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
    },
    /// Cases flagged by law that was loaded late · 受后装入规则影响的案件
    Late {
        /// A case; default: all that may be seen · 申请
        name: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Record a ruling on a gap or a contradiction · 记录裁定
    Rule {
        /// What it does · 种类
        #[arg(value_enum)]
        kind: RulingWord,
        /// Id of the rule that is to hold · 适用的规则
        rule: String,
        /// Id of the rule that gives way · 让位的规则
        #[arg(long, value_name = "RULE", default_value = "")]
        over: String,
        /// First day; default: today · 起始日
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<LocalDate>,
        /// Last day; default: until it is withdrawn · 截止日
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: Option<LocalDate>,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// The paper on which it was decided.
        #[command(flatten)]
        paper: Box<Letter>,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Withdraw a ruling · 撤回裁定
    Unrule {
        /// Name of the ruling · 裁定
        name: String,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the rulings, those withdrawn too · 列出裁定
    Rulings {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}

/// `luqiao calendar`.
#[derive(Debug, Subcommand)]
pub enum Calendar {
    /// The day on which a count of working days ends · 计算工作日期限
    Due {
        /// Day of the event; counting begins on the next · 起始日
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: LocalDate,
        /// How many working days · 工作日数
        #[arg(long, value_name = "N")]
        working_days: u16,
        /// Show every day of the count · 逐日说明
        #[arg(long)]
        explain: bool,
    },
    /// Load the official lists: a new year, or a correction · 装入工作日历
    Load {
        /// All lists, CSV · 日历文件
        file: PathBuf,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Declare days closed · 申报停工日
    Close {
        /// The days · 日期
        #[arg(value_name = "YYYY-MM-DD", required = true)]
        days: Vec<LocalDate>,
        /// Number of the document that orders it · 文号
        #[arg(long, value_name = "NUMBER")]
        document_number: String,
        /// Clocks run on; it is only put on record · 仅作记录，期限照常计算
        #[arg(long)]
        recorded_only: bool,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Take a declaration back · 撤销停工日
    Reopen {
        /// The days · 日期
        #[arg(value_name = "YYYY-MM-DD", required = true)]
        days: Vec<LocalDate>,
        /// Number of the document that takes it back · 文号
        #[arg(long, value_name = "NUMBER")]
        document_number: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
}

/// Whether a lateness counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutageWord {
    /// It counts · 计入
    Counts,
    /// It does not count · 不计入
    DoesNotCount,
}

/// `luqiao outage`.
#[derive(Debug, Subcommand)]
pub enum Outage {
    /// Put an outage of the platform on record · 登记平台中断
    Record {
        /// Since when: 2026-10-12T09:00 in Asia/Shanghai, or with a zone · 起
        #[arg(long, value_name = "TIME", value_parser = instant)]
        from: Timestamp,
        /// Until when · 止
        #[arg(long, value_name = "TIME", value_parser = instant)]
        until: Timestamp,
        /// The source beside you; not needed where nodes recorded it · 第二来源
        #[arg(long, value_name = "SOURCE", default_value = "")]
        second_source: String,
        /// What happened · 情况说明
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// Rule whether a lateness during an outage counts · 裁定逾期是否计入
    Rule {
        /// Name of the request · 申请
        name: String,
        /// Whether it counts · 是否计入
        #[arg(value_enum)]
        effect: OutageWord,
        /// Why · 理由
        #[arg(long)]
        reason: String,
        /// What goes with the change.
        #[command(flatten)]
        change: Change,
    },
    /// List the outages on record · 列出平台中断
    List {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
    /// Cases on whose lateness somebody ruled or has to rule · 逾期待裁定或已裁定的申请
    Rulings {
        /// Domain; default: the caller's · 域
        #[arg(long)]
        domain: Option<String>,
        /// Only those on which nobody has ruled yet · 仅待裁定
        #[arg(long)]
        wanted: bool,
        /// Which part of the list.
        #[command(flatten)]
        page: Page,
    },
}

/// An instant: with a zone as it says, without one in Asia/Shanghai.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong = |_| "write 2026-10-12T09:00, or with a zone 2026-10-12T09:00:00+08:00".to_owned();
    let millis = if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        instant.as_millisecond()
    } else {
        let local: jiff::civil::DateTime = text.parse().map_err(wrong)?;
        let zoned = local.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
        zoned.map_err(wrong)?.timestamp().as_millisecond()
    };
    let nanos = millis.rem_euclid(1000) as i32 * 1_000_000;
    Ok(Timestamp { seconds: millis.div_euclid(1000), nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_without_zone_is_one_of_shanghai() {
        let seconds = |text: &str| instant(text).expect("an instant").seconds;
        assert_eq!(seconds("2026-10-12T09:00"), seconds("2026-10-12T01:00:00Z"));
        assert_eq!(seconds("2026-10-12 09:00:00"), seconds("2026-10-12T09:00:00+08:00"));
        instant("12.10.2026").expect_err("another form");
    }
}
