use super::ResourceName;

#[test]
fn names_read_as_they_are_written() {
    let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for text in [
        "domains/xiamen".to_owned(),
        format!("domains/xiamen/entries/{id}"),
        format!("domains/siming/requests/{id}"),
        format!("domains/fujian/grants/{id}"),
        format!("domains/xiamen/organizations/{id}"),
        format!("domains/xiamen/organizations/{id}/persons/{id}"),
        format!("domains/xiamen/organizations/{id}/systems/{id}"),
        format!("domains/xiamen/disputes/{id}"),
        format!("domains/xiamen/demands/{id}"),
    ] {
        assert_eq!(text.parse::<ResourceName>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_not_a_name_is_refused() {
    for text in [
        "",
        "entries/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "domains/Xiamen/entries/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "domains/xiamen/entries/",
        "domains/xiamen/entries/1",
        "domains/xiamen/cats/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "domains/xiamen/entries/01ARZ3NDEKTSV4RRFFQ69G5FAV/x",
    ] {
        assert!(text.parse::<ResourceName>().is_err(), "{text}");
    }
}

/// What ties entries together has names of its own, which read as they are written.
#[test]
fn names_of_relations_read_as_they_are_written() {
    let words = [
        "objections",
        "functionTransfers",
        "errorReports",
        "datasets",
        "purchases",
        "emergencies",
        "personalObjections",
        "collectionContracts",
        "projects",
    ];
    for word in words {
        let text = format!("domains/xiamen/{word}/01J8ZQ0000000000000000000A");
        let name: ResourceName = text.parse().unwrap();
        assert_eq!(name.to_string(), text);
    }
}
