//! Acknowledged: is anything missing that a client was told is done?
//!
//! Looked at from three sides: the committed log has the call at the place that was named, the state
//! has what the call made, and nothing that a call made is there twice.

use std::collections::BTreeMap;

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryState},
    name::ResourceName,
    share_request::ShareRequest,
};
use catalog_state::{
    codec,
    command::{Body, Command},
    keys::{self, Key, Table},
    outcome::Outcome,
    store::Store,
    view::View,
};

use crate::{checker::agreement::Agreement, workload::Acknowledged};

/// What is missing from the log or the state, or twice in it.
pub fn check(acknowledged: &[Acknowledged], log: &Agreement, state: &dyn Store) -> Vec<String> {
    let mut wrong = Vec::new();
    let titles = count(state, Table::Entry, |bytes| {
        codec::decode::<CatalogEntry>(bytes).expect("an entry").content.title
    });
    let scenarios = count(state, Table::Request, |bytes| {
        codec::decode::<ShareRequest>(bytes).expect("a case").content.scenario
    });
    for (what, counts) in [("entry", &titles), ("case", &scenarios)] {
        for (text, times) in counts.iter().filter(|(_, times)| **times > 1) {
            wrong.push(format!("the {what} `{text}` is there {times} times"));
        }
    }
    for told in acknowledged {
        let name = told.request_id.as_deref().unwrap_or("a probe");
        match in_log(told, log) {
            Ok(()) => {}
            Err(what) => wrong.push(format!("{name} was acknowledged at {}: {what}", told.index)),
        }
        if let Outcome::Done(Some(made)) = &told.outcome
            && let Err(what) = in_state(told, made, state, &scenarios, &titles)
        {
            wrong.push(format!("{name} was acknowledged as {made}: {what}"));
        }
    }
    wrong
}

fn in_log(told: &Acknowledged, log: &Agreement) -> Result<(), &'static str> {
    let agreed = log.at(told.index).ok_or("nobody has applied that entry")?;
    let command = Command::decode(&agreed.command).map_err(|_| "there is no command")?;
    if command.caller != told.caller || command.request_id != told.request_id {
        return Err("there is another call");
    }
    if agreed.outcome.as_ref() != Some(&told.outcome) {
        return Err("it had another outcome");
    }
    Ok(())
}

fn in_state(
    told: &Acknowledged,
    made: &ResourceName,
    state: &dyn Store,
    scenarios: &BTreeMap<String, u64>,
    titles: &BTreeMap<String, u64>,
) -> Result<(), &'static str> {
    let key = keys::of(made).ok_or("it names no row")?;
    if state.get(key.as_slice()).is_none() {
        return Err("the row is missing");
    }
    let view = View(state);
    let holds = match &told.body {
        Body::RegisterEntry { content, .. } => titles.contains_key(&content.title),
        Body::CreateRequest { content, .. } => scenarios.contains_key(&content.scenario),
        Body::PublishEntry { id, .. } => {
            let withdrawn = |entry: CatalogEntry| entry.state == EntryState::Withdrawn;
            view.published_entry(&made.domain, *id).is_some()
                || view.entry(&made.domain, *id).is_some_and(withdrawn)
        }
        Body::WithdrawEntry { id, .. } => view.published_entry(&made.domain, *id).is_none(),
        Body::GiveConsent { subject, kind, .. } => view.consent(*kind, subject).is_some(),
        Body::AnswerRequest { request, answer, .. } => {
            let key = keys::of(request).ok_or("it names no case")?;
            let case: ShareRequest = view.get(&key).ok_or("the case is missing")?;
            case.answer.is_some_and(|given| given.answer == *answer)
        }
        _ => true,
    };
    if holds { Ok(()) } else { Err("the row does not show it") }
}

fn count(state: &dyn Store, table: Table, text: impl Fn(&[u8]) -> String) -> BTreeMap<String, u64> {
    let table = Key::table(table);
    let mut counts = BTreeMap::new();
    for (_, bytes) in state.range(table.as_slice(), &table.end()) {
        *counts.entry(text(&bytes)).or_default() += 1;
    }
    counts
}
