use super::{CheckResult, Dimension, QualityBatch};
use crate::{
    ids::{EntryId, PersonId, SystemId},
    time::UtcMillis,
};

/// QLT-05: a score is the share of rows that passed, over all checks of its dimension.
#[test]
fn scores_are_shares_of_rows() {
    let result = |dimension, rows, failed| CheckResult {
        check: "check".to_owned(),
        dimension,
        rows,
        failed,
    };
    let batch = |results| QualityBatch {
        entry: EntryId::from_bytes([1; 16]),
        batch: "1".to_owned(),
        system: SystemId::from_bytes([2; 16]),
        person: PersonId::from_bytes([3; 16]),
        rows: 100,
        results,
        recorded_time: UtcMillis(0),
    };
    let both = [result(Dimension::Accuracy, 100, 1), result(Dimension::Accuracy, 300, 0)];
    assert_eq!(batch(both.to_vec()).scores(), [(Dimension::Accuracy, 997)]);
    assert_eq!(batch(vec![result(Dimension::Truth, 0, 0)]).scores(), []);
    let worse = vec![result(Dimension::Usability, 1, 1), result(Dimension::Truth, 2, 1)];
    assert_eq!(batch(worse).scores(), [(Dimension::Truth, 500), (Dimension::Usability, 0)]);
}
