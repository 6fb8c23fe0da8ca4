//! Use records: kept by the department that uses the data, in its own domain, for as long as the
//! rules say (SHR-14, SHR-26).
//!
//! A field that the rules ask for and the record lacks is a finding against the user, on record
//! with the rule; the record is taken all the same, unless the house turned that off (must-refuse
//! 15).

use std::collections::BTreeSet;

use catalog_model::{
    grant::{Grant, GrantState},
    name::{Resource, ResourceName},
    policy::MAX_LIST,
    reason::Reason,
    refusal::Refusal,
    rule_pack::HouseSwitch,
    time::LocalDate,
    use_record::{MissingField, UseEntry, UseRecord},
};

use super::{change, check_user, conduct_rules, known, wrong_state};
use crate::{
    apply::text,
    codec,
    event::Event,
    keys::{self, Key},
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    tx::Tx,
};

/// Bound on the work of one purge; the caller repeats it while there is more.
const PURGED_PER_COMMAND: usize = 256;

pub(super) fn record(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    entries: &[UseEntry],
) -> Result<Outcome, Refusal> {
    let old = kept_here(tx, grant)?;
    if matches!(old.state, GrantState::Granted | GrantState::Offered) {
        return Err(wrong_state(&old, "a delivery"));
    }
    let entries = checked(entries)?;
    let rules = conduct_rules(tx, law, &old)?;
    let asked = rules.use_record_fields();
    let rule = asked.first().map(|(_, rule)| rule.clone());
    let missing: Vec<MissingField> = asked
        .into_iter()
        .filter(|(field, _)| !entries.iter().any(|entry| entry.field == *field))
        .map(|(field, rule)| MissingField { field, rule })
        .collect();
    if !missing.is_empty()
        && let Some(house) = rules.house_switch(HouseSwitch::CompleteUseRecords)
    {
        let fields: Vec<&str> = missing.iter().map(|missing| missing.field.word()).collect();
        return Err(Refusal::new(Reason::UseRecordIncomplete)
            .under(house)
            .fact("fields", fields.join(", ")));
    }
    let number = tx.index;
    let texts: Vec<(&str, &str)> =
        entries.iter().map(|entry| (entry.field.word(), entry.text.as_str())).collect();
    let fact = Fact::UseRecorded {
        number,
        missing: missing.iter().map(|missing| missing.field).collect(),
    };
    ledger::append(tx, grant, fact, rule, &texts);
    let record = UseRecord {
        grant: grant.clone(),
        number,
        consumer: old.consumer.clone(),
        entries: entries.clone(),
        missing,
        recorded_time: tx.clock,
    };
    tx.put(&keys::use_record(&old.domain, old.id, number), &record);
    if old.state == GrantState::Delivered && old.domain == *tx.domain() {
        change(tx, Grant { state: GrantState::Active, ..old });
    } else {
        tx.emit(Event::ResourceChanged(grant.clone()));
    }
    Ok(Outcome::Done(Some(grant.clone())))
}

/// Each field once, in order; a field without a word is left out.
fn checked(entries: &[UseEntry]) -> Result<Vec<UseEntry>, Refusal> {
    if entries.len() > MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "entries")
            .fact("length", entries.len())
            .fact("limit", MAX_LIST));
    }
    let mut fields = BTreeSet::new();
    let mut checked = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let at = format!("entries[{place}]");
        text::check(&at, &entry.text)?;
        if !fields.insert(entry.field) {
            let refusal = Refusal::new(Reason::FieldInvalid);
            return Err(refusal.field(&at, "the field stands twice", "字段重复"));
        }
        if !entry.text.trim().is_empty() {
            checked.push(entry.clone());
        }
    }
    checked.sort_by_key(|entry| entry.field);
    Ok(checked)
}

/// Removes records from before a day, the oldest first, all or none of those that one command
/// takes: none if one of them must still be kept.
pub(super) fn purge(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    before: LocalDate,
) -> Result<Outcome, Refusal> {
    let old = kept_here(tx, grant)?;
    let retention = conduct_rules(tx, law, &old)?.use_record_retention();
    let mut purged = Vec::new();
    for (key, bytes) in tx.rows(&keys::use_records(&old.domain, old.id), PURGED_PER_COMMAND) {
        let record: UseRecord = codec::decode(&bytes).expect("use records are ours");
        let recorded = record.recorded_time.local_date();
        if recorded >= before {
            break;
        }
        if let Some((months, rule)) = &retention {
            let until = months_later(recorded, *months);
            if tx.today() <= until {
                return Err(Refusal::new(Reason::UseRecordsRetained)
                    .under(rule.clone())
                    .fact("until", until));
            }
        }
        purged.push(key);
    }
    let count = purged.len() as u64;
    for key in purged {
        tx.delete(&Key::from_stored(key));
    }
    if count > 0 {
        let rule = retention.map(|(_, rule)| rule);
        ledger::append(tx, grant, Fact::UseRecordsPurged { before, count }, rule, &[]);
        tx.emit(Event::ResourceChanged(grant.clone()));
    }
    Ok(Outcome::Done(Some(grant.clone())))
}

/// The grant, if its use records are kept here and the caller keeps them.
fn kept_here(tx: &Tx<'_>, name: &ResourceName) -> Result<Grant, Refusal> {
    let grant = known(tx, name)?;
    if !matches!(name.resource, Resource::Grant(_)) || grant.consumer.domain != *tx.domain() {
        return Err(Refusal::new(Reason::NotOwner).fact("owner", &grant.consumer.domain));
    }
    check_user(tx, &grant)?;
    Ok(grant)
}

/// The same day so many months later; the last of the month where it has no such day.
fn months_later(date: LocalDate, months: u32) -> LocalDate {
    let text = date.to_string();
    let part = |range: std::ops::Range<usize>| text[range].parse::<u32>().expect("a date");
    let months = part(0..4) * 12 + part(5..7) - 1 + months;
    let (year, month) = (months / 12, months % 12 + 1);
    (1..=part(8..10))
        .rev()
        .find_map(|day| format!("{year:04}-{month:02}-{day:02}").parse().ok())
        .unwrap_or_else(|| LocalDate::from_days(i32::MAX))
}

#[cfg(test)]
mod tests;
