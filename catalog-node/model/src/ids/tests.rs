use super::{DomainId, EntryId};

#[test]
fn domain_ids_are_short_lowercase_names() {
    for (text, legal) in [
        ("xiamen", true),
        ("x", true),
        ("district-350203", true),
        ("", false),
        ("Xiamen", false),
        ("3xiamen", false),
        ("厦门", false),
        ("a.b", false),
        ("abcdefghijklmnopqrstuvwxyzabcdef", false),
    ] {
        assert_eq!(text.parse::<DomainId>().is_ok(), legal, "{text}");
    }
}

#[test]
fn an_id_is_read_only_in_its_one_written_form() {
    let id = EntryId::from_bytes([7; 16]);
    assert_eq!(id.to_string().parse(), Ok(id));
    assert!(id.to_string().to_lowercase().parse::<EntryId>().is_err());
    assert!("".parse::<EntryId>().is_err());
    let bytes = minicbor::to_vec(id).unwrap();
    assert_eq!(minicbor::decode::<EntryId>(&bytes).unwrap(), id);
}
