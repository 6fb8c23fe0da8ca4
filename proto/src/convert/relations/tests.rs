use catalog_model::{
    acquisition::Acquisition,
    dataset::{Dataset, DatasetKind, EntryLink, SystemLink},
    document_digest::DocumentDigest,
    ids::DatasetId,
    reason::Reason,
    time::UtcMillis,
};

use super::{
    acquisition::{acquisition_message, read_acquisition},
    dataset::{dataset_message, duties_message},
    *,
};
use crate::{
    catalog::v1 as catalog,
    convert::{digest::read_digest, tests::wrong},
    relations::v1 as message,
};

const ID: &str = "01J8Z3F5N6P7Q8R9S0T1V2W3X4";

fn city() -> DomainId {
    "xiamen".parse().expect("a domain")
}

fn day(text: &str) -> LocalDate {
    text.parse().expect("a day")
}

#[test]
fn links_of_a_dataset_are_shown_with_their_days() {
    let organization: OrganizationId = ID.parse().expect("an id");
    let since = |from: &str, until: Option<&str>| Period { from: day(from), until: until.map(day) };
    let dataset = Dataset {
        id: ID.parse::<DatasetId>().expect("an id"),
        domain: city(),
        organization,
        kind: DatasetKind::Table,
        title: "qy_jbxx".to_owned(),
        description: String::new(),
        systems: vec![SystemLink {
            system: ID.parse().expect("an id"),
            period: since("2026-01-01", Some("2026-06-30")),
        }],
        entries: vec![EntryLink {
            entry: ID.parse().expect("an id"),
            period: since("2026-01-01", None),
        }],
        version: 3,
        created_time: UtcMillis(0),
        updated_time: UtcMillis(1),
    };
    let shown = dataset_message(&dataset);
    assert_eq!(shown.kind(), message::DatasetKind::Table);
    assert_eq!(shown.etag, "\"v3\"");
    assert_eq!(shown.systems[0].to, format!("domains/xiamen/organizations/{ID}/systems/{ID}"));
    assert_eq!(shown.systems[0].until, "2026-06-30");
    assert_eq!(shown.entries[0].to, format!("domains/xiamen/entries/{ID}"));
    assert_eq!(shown.entries[0].until, "");

    let none = duties_message(&city(), organization, None);
    assert_eq!((none.duties.len(), none.etag.as_str()), (0, ""));
}

#[test]
fn an_acquisition_is_read_as_it_was_shown() {
    let all = [
        Acquisition::Duty,
        Acquisition::Entrusted(ID.parse().expect("an id")),
        Acquisition::Purchased(ID.parse().expect("an id")),
        Acquisition::Emergency(ID.parse().expect("an id")),
    ];
    for acquisition in all {
        let shown = acquisition_message(&city(), ID.parse().expect("an id"), acquisition);
        assert_eq!(read_acquisition(shown.kind, &shown.through, &city()), Ok(acquisition));
    }
    let purchase = format!("domains/xiamen/purchases/{ID}");
    assert_eq!(wrong(read_acquisition(0, "", &city())), ["kind"]);
    assert_eq!(wrong(read_acquisition(9, "", &city())), ["kind"]);
    // A duty came by nothing else, an entrusted collection by a contract of this domain.
    assert_eq!(wrong(read_acquisition(1, &purchase, &city())), ["through"]);
    assert_eq!(wrong(read_acquisition(2, &purchase, &city())), ["through"]);
    let elsewhere = format!("domains/fujian/purchases/{ID}");
    assert_eq!(wrong(read_acquisition(3, &elsewhere, &city())), ["through"]);
}

#[test]
fn what_a_call_states_is_named_where_it_is_wrong() {
    assert_eq!(wrong(read_period("2026-02-30", "someday")), ["from", "until"]);
    assert_eq!(read_period("2026-02-28", ""), Ok(Period { from: day("2026-02-28"), until: None }));
    assert_eq!(read_optional_date("", "day"), Ok(None));

    let refusal = read_digest(&[1; 31], "proof").expect_err("too short");
    assert_eq!((refusal.reason, refusal.fields[0].field.as_str()), (Reason::FieldInvalid, "proof"));
    assert_eq!(read_digest(&[1; 32], "proof"), Ok(DocumentDigest([1; 32])));

    assert_eq!(wrong(read_citation(None, "act")), ["act"]);
    let unranked =
        catalog::LegalCitation { title: "《编制法》".to_owned(), ..Default::default() };
    assert_eq!(wrong(read_citation(Some(&unranked), "act")), ["act.rank"]);
    assert_eq!(read_optional_citation(None, "exception"), Ok(None));
    assert_eq!(wrong(read_attribute(None, "attribute")), ["attribute"]);
    assert_eq!(wrong(read_sharing_kind(0, "wanted")), ["wanted"]);

    let entry = |domain: &str| format!("domains/{domain}/entries/{ID}");
    let names = [entry("xiamen"), entry("fujian"), "nonsense".to_owned()];
    let refusal = read_entries(&names, &city(), "entries").expect_err("two are wrong");
    let fields: Vec<&str> = refusal.fields.iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!(fields, ["entries[1]", "entries[2]"]);

    let of: OrganizationId = ID.parse().expect("an id");
    let other = "01J8Z3F5N6P7Q8R9S0T1V2W3X5";
    let system = |of: &str| format!("domains/xiamen/organizations/{of}/systems/{ID}");
    let read = |names: &[String]| read_systems(names, (&city(), of), "applications");
    assert_eq!(read(&[system(ID)]), Ok(vec![ID.parse().expect("an id")]));
    assert_eq!(wrong(read(&[system(ID), system(other)])), ["applications[1]"]);
}
