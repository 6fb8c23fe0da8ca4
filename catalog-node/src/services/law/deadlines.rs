//! Deadlines: how was the last day counted, day by day, and was it ever counted again?

use catalog_model::{
    calendar::WorkingDayCalendar,
    deadline::DeadlineKind,
    name::{Resource, ResourceName},
    reason::Lang,
    refusal::Refusal,
    share_request::Party,
};
use catalog_state::{
    ledger::{Fact, Ledger, LedgerRecord},
    view::SubjectDeadline,
};
use luqiao_proto::{
    convert::{
        deadline::{deadline_kind, deadline_words, explained_clock, explained_instant},
        name::resource_name,
        time::timestamp,
    },
    law::v1::{ExplainDeadlineRequest, ExplainDeadlineResponse, ExplainedDeadline, Recount},
};

use super::outages;
use crate::services::{
    Call, Look, Reply, catalog::sees_working, not_found, rules::changing::works, sharing::case,
};

pub(super) async fn explain(call: &Call) -> Result<Reply, Refusal> {
    let request: ExplainDeadlineRequest = call.decode()?;
    let name = resource_name(&request.name, "name")?;
    let lang = call.lang;
    call.read(move |look| {
        if !sees(look, &name) {
            return Err(not_found(&name));
        }
        let view = look.view();
        let deadlines = view.deadlines_of(&name);
        let counted_here = counted_here(look, &name);
        let now = view.clock();
        let explained = deadlines.iter().map(|deadline| match deadline {
            SubjectDeadline::Clock { clock, running } => {
                let calendar = counted_here.then(|| calendar(look, clock.calendar_version));
                explained_clock(clock, calendar.flatten().as_ref(), now, *running, lang)
            }
            SubjectDeadline::Instant { kind, due_time } => {
                explained_instant(*kind, *due_time, now, lang)
            }
        });
        let explained: Vec<ExplainedDeadline> = explained.collect();
        Ok(ExplainDeadlineResponse {
            deadlines: explained,
            recounts: recounts(look, &name, lang),
            pending: works(look),
            outage_ruling: view.outage_ruling(&name).as_ref().map(outages::ruling_message),
        })
    })
    .await
}

/// The calendar of that version, by which a clock was counted: what came after it did not move the
/// clock, or still has to.
fn calendar(look: &Look<'_>, version: u64) -> Option<WorkingDayCalendar> {
    let view = look.view();
    let row = view.calendar(version).or_else(|| view.calendar(view.calendar_version()?))?;
    let calendar = WorkingDayCalendar::parse(&row.text, row.version);
    Some(calendar.expect("a calendar is checked before it is stored"))
}

/// Versions of calendars are each domain's own: a case that another domain owns was counted there.
fn counted_here(look: &Look<'_>, name: &ResourceName) -> bool {
    case(look, name).is_none_or(|case| case.owner_domain == *look.domain())
}

/// A deadline is told to whoever may see its subject: the parties, and the platform's organizations.
fn sees(look: &Look<'_>, name: &ResourceName) -> bool {
    let view = look.view();
    let domain = &name.domain;
    let here = look.caller.domain == *look.domain() && name.domain == *look.domain();
    let own = |organization| here && look.caller.organization() == Some(organization);
    let party = |party: &Party| look.is_party(party);
    match &name.resource {
        Resource::Request(_) => case(look, name).is_some(),
        Resource::Grant(id) => view.grant(domain, *id).is_some_and(|grant| look.sees_grant(&grant)),
        Resource::Entry(id) => {
            view.entry(domain, *id).is_some_and(|entry| sees_working(look, &entry))
        }
        Resource::Organization(id) => {
            view.organization(domain, *id).is_some() && (own(*id) || here && look.is_platform())
        }
        Resource::ErrorReport(id) => view.error_report(domain, *id).is_some_and(|report| {
            party(&report.reporter) || own(report.provider) || look.is_platform()
        }),
        Resource::PersonalObjection(id) => {
            view.personal_objection(domain, *id).is_some_and(|objection| {
                own(objection.entered_by) || own(objection.receiver) || look.is_platform()
            })
        }
        // Of others, only that there is a deadline shows that there is such a thing.
        _ => here && look.is_platform() && !view.deadlines_of(name).is_empty(),
    }
}

/// What the ledger has of counting again, the oldest first.
fn recounts(look: &Look<'_>, name: &ResourceName, lang: Lang) -> Vec<Recount> {
    let view = look.view();
    let ledger = Ledger(view.0);
    let records = ledger.of_subject(name).into_iter().filter_map(|place| ledger.record(place));
    records.filter_map(|record| recount(&record, lang)).collect()
}

fn recount(record: &LedgerRecord, lang: Lang) -> Option<Recount> {
    let mut found = Recount {
        recount_time: Some(timestamp(record.time)),
        ledger_sequence: record.sequence,
        ..Default::default()
    };
    let (kind, from, to, why) = match &record.fact {
        Fact::DeadlineRecomputed { kind, calendar_version, from, to, held, lifted } => {
            (found.held, found.lifted) = (*held, *lifted);
            found.calendar_version = *calendar_version;
            let why = match lang {
                Lang::En => format!("calendar version {calendar_version}"),
                Lang::Zh => format!("工作日历第 {calendar_version} 版"),
            };
            (*kind, *from, *to, why)
        }
        Fact::LawLoadedLate { version, from: Some(from), to: Some(to), held, lifted, .. } => {
            (found.held, found.lifted) = (*held, *lifted);
            found.rule_pack_version = *version;
            let why = match lang {
                Lang::En => format!("rule pack version {version}, loaded after the receipt"),
                Lang::Zh => format!("规则包第 {version} 版（收到之后装入）"),
            };
            (DeadlineKind::Answer, *from, *to, why)
        }
        _ => return None,
    };
    let what = deadline_words(kind, lang);
    found.kind = deadline_kind(kind).into();
    (found.old_date, found.new_date) = (from.to_string(), to.to_string());
    found.text = match lang {
        Lang::En => format!("{what}: {from} → {to}, by {why}"),
        Lang::Zh => format!("{what}：{from} → {to}，依据{why}"),
    };
    if found.held {
        found.text.push_str(match lang {
            Lang::En => "; held in the present",
            Lang::Zh => "；不追溯逾期，顺延至当日",
        });
    }
    if found.lifted {
        found.text.push_str(match lang {
            Lang::En => "; the order to correct was taken back",
            Lang::Zh => "；撤回责令改正",
        });
    }
    Some(found)
}
