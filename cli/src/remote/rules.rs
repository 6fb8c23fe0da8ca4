//! `luqiao rules`.

use std::io::{self, Write};

use catalog_model::reason::Lang;
use luqiao_proto::{
    law::v1::{
        GetLateLawRequest, ListRulingsRequest, RecordRulingRequest, RulingKind, WhatIfRequest,
        WhatIfResponse, WithdrawRulingRequest,
    },
    rule::v1::{
        self as message, CheckRulePackRequest, ExplainRuleRequest, ExplainRuleResponse,
        GetPendingWorkRequest, ListProposedEditsRequest, ListRulesRequest, LoadRulePackRequest,
        Rank, RuleExplanation, RulePair, RuleStanding,
    },
};
use serde_json::{Value, json};

use crate::{
    args::law::{Basis, Rules, RulingWord},
    both,
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    message::kind,
    output::{Column, column, write_table},
    rules::{read_text, tell},
};

use super::{Remote, answer, json as to_json};

const RULES: [Column; 4] = [
    column("KEY", "规则项", "/key"),
    column("VALUE", "取值", "/value"),
    column("RULE", "规则", "/rules/0/rule/id"),
    column("STANDING", "状态", "/rules/0/standing_text"),
];
const DIFFERENCES: [Column; 4] = [
    column("CASE", "案号", "/case_number"),
    column("WHAT", "差异", "/changed"),
    column("WAS", "原结果", "/old/text"),
    column("WOULD BE", "草案结果", "/new/text"),
];
const LATE: [Column; 5] = [
    column("CASE", "申请", "/name"),
    column("PACK", "规则包", "/rule_pack_version"),
    column("DUE BEFORE", "原期限", "/due_before"),
    column("DUE AFTER", "新期限", "/due_after"),
    column("UNDER THE LATE LAW", "依后装入规则", "/new/text"),
];
const RULINGS: [Column; 7] = [
    column("NAME", "裁定", "/name"),
    column("KIND", "种类", "/kind"),
    column("RULE", "适用规则", "/rule"),
    column("OVER", "让位规则", "/over"),
    column("FROM", "起", "/from"),
    column("TO", "止", "/to"),
    column("WITHDRAWN", "撤回", "/withdraw_time"),
];
const PROPOSED: [Column; 4] = [
    column("WHAT", "内容", "/what"),
    column("BY", "提出人", "/person"),
    column("TIME", "时间", "/propose_time"),
    column("DIGEST", "摘要", "/digest"),
];
const PENDING: [Column; 5] = [
    column("WORK", "事项", "/kind"),
    column("VERSION", "版本", "/number"),
    column("LOOKED AT", "已核对", "/looked_at"),
    column("CHANGED", "已变更", "/changed"),
    column("SINCE", "开始", "/begin_time"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Rules) -> Result<Exit, Failure> {
    let session = &remote.session;
    let (mut rules, mut law) = (session.rules(), session.law());
    match command {
        Rules::Show { basis } => {
            let request = ListRulesRequest {
                parent: remote.parent(basis.domain.as_deref()),
                pair: Some(pair(&basis)),
                date: basis.date.map(|day| day.to_string()).unwrap_or_default(),
                composition: basis.composition,
                rule_pack_version: basis.pack_version,
            };
            let list = answer(rules.list_rules(session.call(request)).await)?;
            remote.show_page(kind::RULE_LIST, &list, "rules", &RULES)?;
        }
        Rules::Explain { key, basis } => {
            let request = ExplainRuleRequest {
                parent: remote.parent(basis.domain.as_deref()),
                key,
                pair: Some(pair(&basis)),
                date: basis.date.map(|day| day.to_string()).unwrap_or_default(),
                composition: basis.composition,
                rule_pack_version: basis.pack_version,
            };
            let explained = answer(rules.explain_rule(session.call(request)).await)?;
            let json = to_json(kind::EXPLAINED_RULE, &explained)?;
            remote.output.data(&json, |out, lang| write_explained(out, &explained, lang))?;
        }
        Rules::Check { file, date, domain, offline: _ } => {
            let request = CheckRulePackRequest {
                parent: remote.parent(domain.as_deref()),
                json: read_text(&file)?,
                date: date.map(|day| day.to_string()).unwrap_or_default(),
            };
            let checked = answer(rules.check_rule_pack(session.call(request)).await)?;
            return tell(&checked, &remote.output);
        }
        Rules::WhatIf { file, since, domain } => {
            let request = WhatIfRequest {
                parent: remote.parent(domain.as_deref()),
                json: read_text(&file)?,
                since: since.to_string(),
                page_size: 500,
                page_token: String::new(),
            };
            show_what_if(remote, &whole(remote, request).await?)?;
        }
        Rules::Load { file, reason, change } => {
            let request = LoadRulePackRequest {
                parent: session.parent(),
                json: read_text(&file)?,
                reason,
                request_id: remote.attempt(change.request_id),
            };
            let loaded = answer(rules.load_rule_pack(session.call(request)).await)?;
            remote.show(kind::LOADED_PACK, &loaded)?;
            waits(remote, loaded.proposal.as_ref());
        }
        Rules::Proposed { domain } => {
            let request = ListProposedEditsRequest { parent: remote.parent(domain.as_deref()) };
            let list = answer(rules.list_proposed_edits(session.call(request)).await)?;
            remote.show_page(kind::PROPOSED_EDITS, &list, "proposed_edits", &PROPOSED)?;
        }
        Rules::Pending { domain } => {
            let request = GetPendingWorkRequest { name: remote.parent(domain.as_deref()) };
            let work = answer(rules.get_pending_work(session.call(request)).await)?;
            remote.show_page(kind::PENDING_WORK, &work, "works", &PENDING)?;
        }
        Rules::Late { name, page } => {
            let request = GetLateLawRequest {
                name: name.unwrap_or_else(|| session.parent()),
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(law.get_late_law(session.call(request)).await)?;
            remote.show_page(kind::LATE_LAW, &list, "late_laws", &LATE)?;
        }
        Rules::Rule { kind, rule, over, from, to, reason, paper, change } => {
            let request = RecordRulingRequest {
                parent: session.parent(),
                kind: ruling_kind(kind).into(),
                rule,
                over,
                from: from.map(|day| day.to_string()).unwrap_or_default(),
                to: to.map(|day| day.to_string()).unwrap_or_default(),
                decision: paper.message()?,
                reason,
                request_id: remote.attempt(change.request_id),
            };
            let ruling = answer(law.record_ruling(session.call(request)).await)?;
            remote.show(kind::RULING, &ruling)?;
        }
        Rules::Unrule { name, reason, change } => {
            let request_id = remote.attempt(change.request_id);
            let request = WithdrawRulingRequest { name, reason, request_id };
            let ruling = answer(law.withdraw_ruling(session.call(request)).await)?;
            remote.show(kind::RULING, &ruling)?;
        }
        Rules::Rulings { domain, page } => {
            let request = ListRulingsRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(law.list_rulings(session.call(request)).await)?;
            remote.show_page(kind::RULING_PAGE, &list, "rulings", &RULINGS)?;
        }
    }
    Ok(Exit::Ok)
}

fn pair(basis: &Basis) -> RulePair {
    RulePair {
        requester_class: basis.asker.into(),
        provider_class: basis.provider.into(),
        data_kind: basis.data.into(),
    }
}

fn ruling_kind(word: RulingWord) -> RulingKind {
    match word {
        RulingWord::Continue => RulingKind::ContinueExpired,
        RulingWord::Adapt => RulingKind::Adapt,
        RulingWord::Choose => RulingKind::Choose,
    }
}

/// Says that nothing has changed yet, where a second person has to repeat the call.
pub(super) fn waits(remote: &Remote, proposal: Option<&message::ProposedEdit>) {
    if let Some(proposal) = proposal {
        let person = &proposal.person;
        remote.output.say(&both!(
            "proposed by {person}; nothing has changed. Another person of the authority loads it by repeating the command with the same file",
            "已由 {person} 提出，尚未生效；须由主管部门另一人以同一文件重复本命令确认装入"
        ));
    }
}

/// The key in sentences, below each rule of law its words.
fn write_explained(
    out: &mut dyn Write,
    explained: &ExplainRuleResponse,
    lang: Lang,
) -> io::Result<()> {
    let explanation = explained.explanation.clone().unwrap_or_default();
    let RuleExplanation { lines, rules, .. } = &explanation;
    let (first, rest) = match lines.split_first() {
        Some((first, rest)) => (first.as_str(), rest),
        None => ("", [].as_slice()),
    };
    writeln!(out, "{first}")?;
    for (place, line) in rest.iter().enumerate() {
        writeln!(out, "  {line}")?;
        let speaks = rules.get(place).filter(|rule| {
            !matches!(rule.standing(), RuleStanding::OutOfScope | RuleStanding::Unspecified)
        });
        if let Some(rule) = speaks.and_then(|rule| rule.rule.as_ref())
            && !rule.quote.is_empty()
        {
            writeln!(out, "    {}: “{}”", rank_words(rule.rank()).text(lang), rule.quote)?;
        }
    }
    Ok(())
}

fn rank_words(rank: Rank) -> Bilingual {
    match rank {
        Rank::Unspecified => both!("rank unknown", "位阶不明"),
        Rank::Law => both!("law", "法律"),
        Rank::AdministrativeRegulation => both!("administrative regulation", "行政法规"),
        Rank::StateCouncilDecision => both!("decision of the State Council", "国务院决定"),
        Rank::SpecialZoneRegulation => both!("special zone regulation", "经济特区法规"),
        Rank::LocalRegulation => both!("local regulation", "地方性法规"),
        Rank::DepartmentRule => both!("department rule", "部门规章"),
        Rank::LocalGovernmentRule => both!("local government rule", "地方政府规章"),
        Rank::NormativeDocument => both!("normative document", "规范性文件"),
        Rank::Plan => both!("plan", "方案、计划"),
        Rank::OtherStatePolicy => both!("other state policy", "其他国家政策"),
        Rank::HouseRule => both!("house rule", "内部规则"),
    }
}

/// All pages together.
async fn whole(remote: &Remote, mut request: WhatIfRequest) -> Result<WhatIfResponse, Failure> {
    let mut whole = WhatIfResponse::default();
    let mut client = remote.session.law();
    loop {
        let page = answer(client.what_if(remote.session.call(request.clone())).await)?;
        whole.differences.extend(page.differences);
        whole.looked_at += page.looked_at;
        whole.refused_at_once += page.refused_at_once;
        if page.next_page_token.is_empty() {
            return Ok(whole);
        }
        request.page_token = page.next_page_token;
        let (looked_at, found) = (whole.looked_at, whole.differences.len());
        remote.output.detail(&both!(
            "{looked_at} cases looked at, {found} different so far",
            "已核对 {looked_at} 件，目前 {found} 件结果不同"
        ));
    }
}

fn show_what_if(remote: &Remote, found: &WhatIfResponse) -> Result<(), Failure> {
    let mut json = to_json(kind::WHAT_IF, found)?;
    let object = json.as_object_mut().expect("a message is an object");
    for (key, count) in [("looked_at", found.looked_at), ("refused_at_once", found.refused_at_once)]
    {
        object.insert(key.to_owned(), json!(count));
    }
    object.entry("differences").or_insert_with(|| Value::Array(Vec::new()));
    let rows = json["differences"].as_array().cloned().unwrap_or_default();
    remote.output.data(&json, |out, lang| write_table(out, &rows, &DIFFERENCES, lang))?;
    let (different, looked_at) = (found.differences.len(), found.looked_at);
    let refused = found.refused_at_once;
    remote.output.say(&both!(
        "{different} of {looked_at} cases would have ended differently; nothing was changed",
        "{looked_at} 件中有 {different} 件结果会不同；未作任何更改"
    ));
    if refused > 0 {
        remote.output.say(&both!(
            "{refused} more were refused at once and left no text to be judged again",
            "另有 {refused} 件当即不予受理，未留存内容，无法重新判断"
        ));
    }
    Ok(())
}
