//! Drafts and law loaded late: which cases would end differently, which are flagged because they
//! did?

use catalog_model::{
    name::Resource,
    reason::{Lang, Reason},
    refusal::Refusal,
    rule_pack::RulePack,
    time::LocalDate,
};
use catalog_state::{
    law::LateLaw,
    what_if::{Difference, refused_at_once, what_if as replay},
};
use luqiao_proto::{
    convert::{
        name::{domain_name, resource_name},
        time::{read_date, timestamp},
    },
    law::v1::{
        self as message, GetLateLawRequest, GetLateLawResponse, WhatIfRequest, WhatIfResponse,
    },
};

use super::outcomes::{changed_number, outcome_message};
use crate::services::{
    Call, Look, Reply, not_found,
    organizations::next,
    paging,
    rules::explaining::{draft, short_enough},
    sharing::case,
};

/// Cases on file that one page looks at: about a second of one thread, off the one that applies.
const LOOKED_AT: usize = 10_000;

/// Everybody is told of the cases that they may see.
pub(super) async fn what_if(call: &Call) -> Result<Reply, Refusal> {
    let mut request: WhatIfRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let since = read_date(&request.since, "since")?;
    short_enough(&request.json)?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let draft = readable(look, &request.json)?;
        let cases = replay(look.view(), &draft, since);
        let cases = cases.ok_or_else(|| Refusal::new(Reason::NotBootstrapped))?;
        let found =
            cases.only(|case| look.sees_request(case)).portion(from.as_deref(), size, LOOKED_AT);
        let counts = from.is_none() && look.is_platform();
        Ok(WhatIfResponse {
            differences: found.differences.iter().map(|case| difference(case, lang)).collect(),
            looked_at: found.looked_at,
            refused_at_once: if counts { refused_at_once(look.view(), since) } else { 0 },
            next_page_token: next(look, &query, found.next),
        })
    })
    .await
}

/// The draft as it would be loaded; one that cannot be says why in both languages.
fn readable(look: &Look<'_>, json: &str) -> Result<RulePack, Refusal> {
    let in_force = look.view().pack_in_force().ok_or_else(|| not_found("rulePacks/current"))?;
    draft(json, &in_force, Lang::En).map_err(|en| {
        let zh = draft(json, &in_force, Lang::Zh).err().unwrap_or_default();
        Refusal::new(Reason::RulePackRefused).fact("cause", en.text).fact("cause_zh", zh.text)
    })
}

fn difference(case: &Difference, lang: Lang) -> message::Difference {
    message::Difference {
        name: case.case.to_string(),
        case_number: case.case_number.clone(),
        receive_time: Some(timestamp(case.received)),
        changed: case.what.iter().copied().map(changed_number).collect(),
        old: Some(outcome_message(&case.old, lang)),
        new: Some(outcome_message(&case.new, lang)),
    }
}

pub(super) async fn late_law(call: &Call) -> Result<Reply, Refusal> {
    let mut request: GetLateLawRequest = call.decode()?;
    let name = resource_name(&request.name, "name")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    let lang = call.lang;
    call.read(move |look| {
        if name.resource != Resource::Domain {
            case(look, &name).ok_or_else(|| not_found(&name))?;
            let rows = look.view().late_law(&name);
            let late_laws = rows.iter().map(|row| late_law_message(row, lang)).collect();
            return Ok(GetLateLawResponse { late_laws, ..Default::default() });
        }
        look.own(&name.domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let page = look.view().late_law_page(from.as_deref(), size);
        let seen = page.rows.iter().filter(|row| case(look, &row.case).is_some());
        Ok(GetLateLawResponse {
            late_laws: seen.map(|row| late_law_message(row, lang)).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

fn late_law_message(row: &LateLaw, lang: Lang) -> message::LateLaw {
    let day = |day: Option<LocalDate>| day.map(|day| day.to_string()).unwrap_or_default();
    message::LateLaw {
        name: row.case.to_string(),
        rule_pack_version: row.pack_version,
        old: Some(outcome_message(&row.old, lang)),
        new: Some(outcome_message(&row.new, lang)),
        due_before: day(row.due_before),
        due_after: day(row.due_after),
        held: row.held,
        flag_time: Some(timestamp(row.time)),
    }
}
