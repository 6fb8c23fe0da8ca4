//! Whatever arrives: no reader panics.

use catalog_model::catalog_entry::Grade;
use proptest::prelude::*;
use prost::Message as _;
use prost_types::FieldMask;

use super::values::{self, at};
use crate::{
    catalog::v1 as catalog,
    convert::{
        answer::*, caller::*, catalog_entry::*, etag, grant::*, name::*, organization::*,
        parse_etag, share_request::*, time::*,
    },
    node::v1 as node,
    organization::v1 as organization,
    sharing::v1 as sharing,
};

/// Whatever arrives: no reader panics, and what is read comes back as it was read.
fn read_everything(bytes: &[u8]) {
    if let Ok(entry) = catalog::CatalogEntry::decode(bytes) {
        if let Ok(value) = read_entry(&entry, "entry") {
            assert_eq!(read_entry(&entry_message(&value), "entry"), Ok(value));
        }
        let _ = read_new_entry(&entry, "entry");
        let _ = apply_entry_mask(values::content(), &entry, None, "entry");
    }
    if let Ok(line) = catalog::ImportEntry::decode(bytes) {
        let _ = read_import(&line, "entries[0]");
    }
    if let Ok(case) = sharing::ShareRequest::decode(bytes) {
        if let Ok(value) = read_request(&case, "request") {
            assert_eq!(read_request(&request_message(&value, at(0)), "request"), Ok(value));
        }
        let _ = complete_request_content(values::request().content, &case, "completed");
    }
    if let Ok(grant) = sharing::Grant::decode(bytes)
        && let Ok(value) = read_grant(&grant, "grant")
    {
        assert_eq!(read_grant(&grant_message(&value), "grant"), Ok(value));
    }
    if let Ok(answer) = sharing::Answer::decode(bytes) {
        let _ = read_answer(&answer, "answer");
    }
    if let Ok(unit) = organization::Organization::decode(bytes) {
        let _ = read_organization_content(&unit, "organization");
    }
    if let Ok(caller) = node::Caller::decode(bytes) {
        let _ = read_caller(&caller, "caller");
    }
    if let Ok(mask) = FieldMask::decode(bytes) {
        let _ = apply_entry_mask(values::content(), &Default::default(), Some(&mask), "entry");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }

    /// Bytes that are almost a message get further than arbitrary ones.
    #[test]
    fn damaged_messages_never_panic(
        which in 0_usize..3,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = [
            entry_message(&values::entry()).encode_to_vec(),
            request_message(&values::request(), at(0)).encode_to_vec(),
            grant_message(&values::grant()).encode_to_vec(),
        ][which].clone();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        read_everything(&bytes);
    }

    #[test]
    fn grades_and_kinds_of_any_number_are_read_or_refused(level in any::<i32>(), grade in any::<u32>()) {
        let entry = catalog::CatalogEntry {
            grade: Some(catalog::Grade { level, grade }),
            ..Default::default()
        };
        let read = read_entry_content(&entry, "entry");
        let known = matches!((level, grade), (1, 1..=4) | (2 | 3, 0));
        prop_assert_eq!(read.is_ok(), known);
        if let Ok(content) = read {
            prop_assert_eq!(matches!(content.grade, Some(Grade::General(_))), level == 1);
        }
    }

    #[test]
    fn texts_never_panic_as_names_days_or_etags(text in "\\PC{0,40}") {
        let _ = (resource_name(&text, "name"), read_date(&text, "date"));
        if let Some(version) = parse_etag(&text) {
            let written = etag(version);
            let quoted = ["\"", &text, "\""].concat();
            prop_assert!(text == written || quoted == written);
        }
    }
}
