//! Use records, as users write them and as they are inspected.

use catalog_model::{
    refusal::Refusal,
    use_record::{UseEntry, UseRecord},
};

use crate::{
    convert::{
        case_rules::rule_ref_message,
        enumeration::Enumerated as _,
        party::party_message,
        reading::{At, Reading},
        time::timestamp,
    },
    sharing::v1 as message,
};

/// The record as a message.
pub fn use_record_message(record: &UseRecord) -> message::UseRecord {
    message::UseRecord {
        grant: record.grant.to_string(),
        number: record.number,
        consumer: Some(party_message(&record.consumer)),
        entries: record
            .entries
            .iter()
            .map(|entry| message::UseEntry {
                field: entry.field.number(),
                text: entry.text.clone(),
            })
            .collect(),
        missing: record
            .missing
            .iter()
            .map(|missing| message::MissingField {
                field: missing.field.number(),
                rule: Some(rule_ref_message(&missing.rule)),
            })
            .collect(),
        recorded_time: Some(timestamp(record.recorded_time)),
    }
}

/// What a user states of a use.
pub fn read_use_entries(
    entries: &[message::UseEntry],
    field: &str,
) -> Result<Vec<UseEntry>, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let read = entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| {
            let at = at.index(index);
            let field = reading.required(at.field("field"), entry.field)?;
            Some(UseEntry { field, text: entry.text.clone() })
        })
        .collect();
    reading.finish(Some(read))
}

#[cfg(test)]
mod tests {
    use catalog_model::use_record::UseField;

    use super::*;

    #[test]
    fn a_field_of_a_use_has_to_be_one_of_those_there_are() {
        let entry = |field: i32, text: &str| message::UseEntry { field, text: text.into() };
        let read = read_use_entries(&[entry(1, "窗口核验"), entry(12, "")], "entries").unwrap();
        let fields: Vec<_> = read.iter().map(|entry| entry.field).collect();
        assert_eq!(fields, [UseField::Scenario, UseField::Medium]);
        let refusal = read_use_entries(&[entry(0, ""), entry(13, "")], "entries").unwrap_err();
        let wrong: Vec<_> = refusal.fields.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(wrong, ["entries[0].field", "entries[1].field"]);
    }
}
