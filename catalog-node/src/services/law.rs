//! `LawService`: where the law meets cases: rulings, drafts held against cases, law loaded late,
//! outages, and every day of a deadline.

mod deadlines;
mod drafts;
mod outages;
mod outcomes;
mod rulings;

use catalog_model::{reason::Reason, refusal::Refusal};

use super::{Call, Reply};

/// One line for each method.
pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.law.v1.LawService/RecordRuling" => rulings::record(call).await,
        "/luqiao.law.v1.LawService/WithdrawRuling" => rulings::withdraw(call).await,
        "/luqiao.law.v1.LawService/ListRulings" => rulings::list(call).await,
        "/luqiao.law.v1.LawService/WhatIf" => drafts::what_if(call).await,
        "/luqiao.law.v1.LawService/GetLateLaw" => drafts::late_law(call).await,
        "/luqiao.law.v1.LawService/ExplainDeadline" => deadlines::explain(call).await,
        "/luqiao.law.v1.LawService/RecordOutage" => outages::record(call).await,
        "/luqiao.law.v1.LawService/RuleOutage" => outages::rule(call).await,
        "/luqiao.law.v1.LawService/ListOutages" => outages::list(call).await,
        "/luqiao.law.v1.LawService/ListOutageRulings" => outages::list_rulings(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}
