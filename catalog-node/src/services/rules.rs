//! `RuleService`: rule packs and calendars in state: to look at, to have explained, to change.

pub(super) mod changing;
pub(super) mod explaining;

use std::collections::BTreeSet;

use catalog_model::{
    calendar::WorkingDayCalendar, reason::Reason, refusal::Refusal, rule_pack::RulePack,
};
use catalog_state::{
    keys::{Key, Table},
    rows::VersionedText,
};
use luqiao_proto::rule::v1::{
    self as message, CalendarDay, GetCalendarRequest, GetRulePackRequest, ListCalendarsRequest,
    ListCalendarsResponse, ListRulePacksRequest, ListRulePacksResponse,
};
use sha2::{Digest, Sha256};

use super::{Call, Look, Reply, not_found, organizations::next, paging};
use crate::storage::hex;

const CURRENT: &str = "current";

/// The methods that came with the law itself.
pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.rule.v1.RuleService/ListRules" => explaining::list(call).await,
        "/luqiao.rule.v1.RuleService/ExplainRule" => explaining::explain(call).await,
        "/luqiao.rule.v1.RuleService/CheckRulePack" => explaining::check_pack(call).await,
        "/luqiao.rule.v1.RuleService/LoadRulePack" => changing::load_pack(call).await,
        "/luqiao.rule.v1.RuleService/LoadCalendar" => changing::load_calendar(call).await,
        "/luqiao.rule.v1.RuleService/DeclareClosure" => changing::declare_closure(call).await,
        "/luqiao.rule.v1.RuleService/WithdrawClosure" => changing::withdraw_closure(call).await,
        "/luqiao.rule.v1.RuleService/ListProposedEdits" => changing::proposed(call).await,
        "/luqiao.rule.v1.RuleService/GetPendingWork" => changing::pending(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

pub(super) async fn get_pack(call: &Call) -> Result<Reply, Refusal> {
    let request: GetRulePackRequest = call.decode()?;
    let version = version(&request.name, "rulePacks/")?;
    call.read(move |look| {
        let view = look.view();
        let version = version.or_else(|| view.rule_pack_version()).unwrap_or_default();
        let row = view.rule_pack(version).ok_or_else(|| not_found(&request.name))?;
        Ok(message::RulePack { json: row.text.clone(), ..pack(look, &row) })
    })
    .await
}

pub(super) async fn list_packs(call: &Call) -> Result<Reply, Refusal> {
    let request: ListRulePacksRequest = call.decode()?;
    let size = paging::size(request.page_size)?;
    let token = request.page_token;
    let all = ListRulePacksRequest::default();
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &all);
    call.read(move |look| {
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::RulePack);
        let page =
            look.view()
                .page::<VersionedText>(&prefix, from.as_deref(), size, paging::SCAN, |_| true);
        Ok(ListRulePacksResponse {
            rule_packs: page.rows.iter().map(|row| pack(look, row)).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn get_calendar(call: &Call) -> Result<Reply, Refusal> {
    let request: GetCalendarRequest = call.decode()?;
    let version = version(&request.name, "calendars/")?;
    call.read(move |look| {
        let view = look.view();
        let version = version.or_else(|| view.calendar_version()).unwrap_or_default();
        let row = view.calendar(version).ok_or_else(|| not_found(&request.name))?;
        let parsed = parsed(&row);
        Ok(whole_calendar(&row, &parsed))
    })
    .await
}

pub(super) async fn list_calendars(call: &Call) -> Result<Reply, Refusal> {
    let request: ListCalendarsRequest = call.decode()?;
    let size = paging::size(request.page_size)?;
    let token = request.page_token;
    let all = ListCalendarsRequest::default();
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &all);
    call.read(move |look| {
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::Calendar);
        let page =
            look.view()
                .page::<VersionedText>(&prefix, from.as_deref(), size, paging::SCAN, |_| true);
        Ok(ListCalendarsResponse {
            calendars: page.rows.iter().map(|row| calendar(row, &parsed(row))).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

/// The calendar with its days, those declared closed too.
fn whole_calendar(row: &VersionedText, parsed: &WorkingDayCalendar) -> message::Calendar {
    let listed = parsed
        .holidays()
        .map(|day| (false, day))
        .chain(parsed.make_up_days().map(|day| (true, day)))
        .map(|(working, (date, name))| CalendarDay {
            date: date.to_string(),
            working,
            name_zh: name.zh.clone(),
            name_en: name.en.clone(),
            closed_by: String::new(),
        });
    let closed = parsed.closures().map(|(date, document)| CalendarDay {
        date: date.to_string(),
        closed_by: document.to_owned(),
        ..Default::default()
    });
    let mut days: Vec<CalendarDay> = listed.chain(closed).collect();
    days.sort_by(|one, other| one.date.cmp(&other.date));
    message::Calendar { days, ..calendar(row, parsed) }
}

/// The version in a name; `None` for the current one.
fn version(name: &str, collection: &str) -> Result<Option<u64>, Refusal> {
    let invalid = || {
        Refusal::new(Reason::NameInvalid).fact("name", name).field(
            "name",
            format!("is not {collection}{{version}} or {collection}{CURRENT}"),
            format!("应为 {collection}{{版本}} 或 {collection}{CURRENT}"),
        )
    };
    match name.strip_prefix(collection) {
        Some(CURRENT) => Ok(None),
        Some(version) => version.parse().map(Some).map_err(|_| invalid()),
        None => Err(invalid()),
    }
}

fn pack(look: &Look<'_>, row: &VersionedText) -> message::RulePack {
    let pack = RulePack::parse(&row.text).expect("a pack is checked before it is proposed");
    message::RulePack {
        name: format!("rulePacks/{}", row.version),
        version: row.version,
        digest: hex(&Sha256::digest(row.text.as_bytes())),
        composition: look.cluster.composition.clone(),
        rule_count: u32::try_from(pack.rules().len()).unwrap_or(u32::MAX),
        profiles: pack
            .rules()
            .iter()
            .map(|rule| &rule.profile)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .cloned()
            .collect(),
        json: String::new(),
    }
}

fn parsed(row: &VersionedText) -> WorkingDayCalendar {
    WorkingDayCalendar::parse(&row.text, row.version)
        .expect("a calendar is checked before it is proposed")
}

fn calendar(row: &VersionedText, parsed: &WorkingDayCalendar) -> message::Calendar {
    message::Calendar {
        name: format!("calendars/{}", row.version),
        version: row.version,
        official_years: parsed.years().map(i32::from).collect(),
        days: Vec::new(),
    }
}
