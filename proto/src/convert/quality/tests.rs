use catalog_model::{
    ids::{EntryId, SystemId},
    quality::Dimension,
    time::UtcMillis,
};

use super::*;
use crate::convert::tests::wrong;

const ID: &str = "01J8Z3F5N6P7Q8R9S0T1V2W3X4";

#[test]
fn qlt_05_scores_are_shown_to_everybody_and_who_answers_only_to_those_concerned() {
    let domain: DomainId = "xiamen".parse().expect("a domain");
    let result =
        |dimension, rows, failed| CheckResult {
            check: "非空".to_owned(), dimension, rows, failed
        };
    let batch = QualityBatch {
        entry: ID.parse::<EntryId>().expect("an id"),
        batch: "2026-09".to_owned(),
        system: ID.parse::<SystemId>().expect("an id"),
        person: ID.parse().expect("an id"),
        rows: 1000,
        results: vec![
            result(Dimension::Completeness, 1000, 25),
            result(Dimension::Accuracy, 200, 1),
        ],
        recorded_time: UtcMillis(0),
    };
    let open = batch_message(&domain, None, &batch);
    let scores: Vec<_> = open.scores.iter().map(|s| (s.dimension(), s.thousandths)).collect();
    assert_eq!(
        scores,
        [(message::Dimension::Completeness, 975), (message::Dimension::Accuracy, 995)]
    );
    assert_eq!((open.system.as_str(), open.person.as_str()), ("", ""));
    let own = batch_message(&domain, Some(ID.parse().expect("an id")), &batch);
    assert_eq!(own.person, format!("domains/xiamen/organizations/{ID}/persons/{ID}"));
    assert_eq!(read_results(&own.results), Ok(batch.results));
}

#[test]
fn what_a_call_states_is_named_where_it_is_wrong() {
    let unclear = message::CheckResult { check: "非空".to_owned(), ..Default::default() };
    assert_eq!(wrong(read_results(&[unclear])), ["results[0].dimension"]);

    assert_eq!(wrong(read_correction(None, "correction")), ["correction"]);
    let short = message::Correction {
        batch: "2026-09".to_owned(),
        before: vec![1; 32].into(),
        after: vec![1; 5].into(),
    };
    assert_eq!(wrong(read_correction(Some(&short), "correction")), ["correction.after"]);

    let odd = message::WindowFiling { number: "7".to_owned(), stamped: "2026/09/21".to_owned() };
    assert_eq!(wrong(read_window(Some(&odd), "window")), ["window.stamped"]);
    assert_eq!(read_window(None, "window"), Ok(None));

    // A proof that is not there is for the state to ask for, one that is no digest is not.
    let none = read_concern(None, "proof").expect("nothing is wrong with it");
    assert!(none.identity.is_missing() && none.relation.is_missing());
    let cut = message::ConcernProof { identity: vec![1; 3].into(), ..Default::default() };
    assert_eq!(wrong(read_concern(Some(&cut), "proof")), ["proof.identity"]);

    assert_eq!(read_desk(0, "desk"), Ok(None));
    assert_eq!(wrong(read_desk(7, "desk")), ["desk"]);
}
