use catalog_model::{
    acquisition::Acquisition,
    deadline::DeadlineKind,
    document_digest::DocumentDigest,
    ids::{ContractId, DomainId},
    time::LocalDate,
};

use super::*;

#[test]
fn a_record_says_words_days_and_digests() {
    let day: LocalDate = "2026-10-12".parse().expect("a day");
    assert_eq!(
        fact(&Fact::OpinionAsked { due_date: Some(day) }),
        ("opinion_asked", json!({ "due_date": "2026-10-12" }))
    );
    assert_eq!(
        fact(&Fact::OpinionAsked { due_date: None }),
        ("opinion_asked", json!({ "due_date": null }))
    );
    assert_eq!(fact(&Fact::DeliveryOffered), ("delivery_offered", json!({})));
    let (word, details) = fact(&Fact::DeadlineRecomputed {
        kind: DeadlineKind::CompletionLapse,
        calendar_version: 2,
        from: day,
        to: day,
        held: false,
        lifted: true,
    });
    assert_eq!(word, "deadline_recomputed");
    assert_eq!((&details["kind"], &details["lifted"]), (&json!("completion_lapse"), &json!(true)));
}

#[test]
fn a_published_entry_keeps_the_key_of_its_digest() {
    let (_, details) = fact(&Fact::EntryPublished {
        version: 3,
        sharing: catalog_model::sharing::SharingKind::NotShared,
        digest: [0xab; 32],
    });
    let expected = json!({ "version": 3, "sharing": "not_shared", "sha256": "ab".repeat(32) });
    assert_eq!(details, expected);
}

#[test]
fn what_was_bought_or_sealed_is_named() {
    let contract = ContractId::from_bytes([7; 16]);
    let acquisition = Acquisition::Entrusted(contract);
    let (_, details) = fact(&Fact::AcquisitionStated { acquisition });
    let expected = json!({ "kind": "entrusted", "contract": contract.to_string() });
    assert_eq!(details["acquisition"], expected);
    let batch = DocumentDigest([1; 32]);
    let (_, details) = fact(&Fact::BatchRecorded { batch, rows: 9, failed: 1 });
    assert_eq!(details, json!({ "batch": "01".repeat(32), "rows": 9, "failed": 1 }));
    let domain: DomainId = "xiamen".parse().expect("a domain");
    let (_, details) = fact(&Fact::HeadCosigned { cosigner: domain, tree_size: 5 });
    assert_eq!(details, json!({ "cosigner": "xiamen", "tree_size": 5 }));
}
