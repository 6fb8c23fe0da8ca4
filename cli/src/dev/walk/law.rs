//! What if: the cases of the walk are held against a draft of the law, and nothing changes by it.

use catalog_model::rule_pack::RulePack;
use luqiao_proto::{
    law::v1::{CaseOutcome, ChangedPart, Difference, WhatIfRequest, WhatIfResponse},
    rule::v1::{GetRulePackRequest, RulePack as RulePackInForce},
};
use serde_json::{Value, json};

use crate::{
    both,
    dev::{
        actor::{Actor, Look},
        cast::{AUTHORITY, Level},
        story::{StepFailed, Telling, expect, failed},
    },
};

use super::{
    GET_RULE_PACK, WHAT_IF, Walk,
    requests::{DUE, asker, look_at},
};

/// The clock that the draft shortens, and to how many working days.
const RULE: &str = "N809-21-1-conditional-answer";
const DAYS: u64 = 5;
/// The first day of the walk, and the day on which its cases would have been due.
const SINCE: &str = "2026-09-21";
const WOULD_BE_DUE: &str = "2026-09-29";

pub(super) async fn what_if(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let Some(case) = walk.case.clone() else {
        return failed(both!("there is no case", "没有案件"));
    };
    let authority = walk.town.office(Level::City, AUTHORITY).await?;
    let (asker, _) = asker(walk, Level::City).await?;
    let before = look_at(walk, Level::City, &asker, &case.name).await?.answer;
    let in_force = pack_in_force(walk, &authority).await?;
    let question = WhatIfRequest {
        parent: authority.parent(),
        json: draft()?,
        since: SINCE.to_owned(),
        page_size: 500,
        page_token: String::new(),
    };
    let session = &authority.session;
    let found = session.law().what_if(session.call(question.clone())).await?.into_inner();
    expect("a page holds them all", found.next_page_token.as_str(), "")?;

    let look: Look<WhatIfResponse> =
        walk.town.look(Level::City, &authority, WHAT_IF, &question).await?;
    told.saw("the same at another node", &look.answer.differences, &found.differences)?;
    let Some(other) = found.differences.iter().find(|found| found.name == case.name) else {
        return failed(both!("{RULE} is not what the case rests on", "本案不适用 {RULE}"));
    };
    told.saw("what differs", parts(other), vec![ChangedPart::DueDate])?;
    let due = |outcome: Option<&CaseOutcome>| {
        outcome.map(|outcome| outcome.due_date.clone()).unwrap_or_default()
    };
    told.saw("due as it was", due(other.old.as_ref()).as_str(), DUE)?;
    told.saw("due under the draft", due(other.new.as_ref()).as_str(), WOULD_BE_DUE)?;
    let (looked_at, different, node) = (found.looked_at, found.differences.len(), look.node);
    told.say(both!(
        "a draft with {DAYS} working days for {RULE}: {different} of {looked_at} cases since {SINCE} would have ended differently; the same at node {node}",
        "草案将 {RULE} 改为 {DAYS} 个工作日：{SINCE} 以来 {looked_at} 件中有 {different} 件结果会不同；节点 {node} 所见相同"
    ));
    let number = &other.case_number;
    told.say(both!(
        "case {number}: due {DUE}, would have been due {WOULD_BE_DUE}",
        "案号 {number}：期限 {DUE}，依草案为 {WOULD_BE_DUE}"
    ));
    told.under(other.new.as_ref().and_then(|outcome| outcome.answer_rule.as_ref()));

    // It was a question: the law and the case are as they were.
    told.saw("the pack in force", pack_in_force(walk, &authority).await?, in_force)?;
    let after = look_at(walk, Level::City, &asker, &case.name).await?.answer;
    told.saw("the case", after, before)?;
    told.say(both!("nothing was changed", "未作任何更改"));
    told.about(&case.name);
    Ok(())
}

/// The pack that ships with a shorter clock.
fn draft() -> Result<String, StepFailed> {
    let mut pack: Value = serde_json::from_str(RulePack::embedded().json())
        .map_err(|error| StepFailed(both!("the pack: {error}", "规则包：{error}")))?;
    let rules = pack["rules"].as_array_mut().into_iter().flatten();
    for rule in rules.filter(|rule| rule["id"] == RULE) {
        rule["value"] = json!(DAYS);
    }
    Ok(pack.to_string())
}

fn parts(difference: &Difference) -> Vec<ChangedPart> {
    difference.changed().collect()
}

/// Version and digest of the pack by which the city decides, through another node.
async fn pack_in_force(walk: &Walk, actor: &Actor) -> Result<(u64, String), StepFailed> {
    let question = GetRulePackRequest { name: "rulePacks/current".to_owned() };
    let look: Look<RulePackInForce> =
        walk.town.look(Level::City, actor, GET_RULE_PACK, &question).await?;
    Ok((look.answer.version, look.answer.digest))
}
