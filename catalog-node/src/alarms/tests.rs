use super::*;

#[test]
fn an_alarm_keeps_its_beginning_until_it_is_cleared() {
    let alarms = Alarms::default();
    alarms.raise("no-leader", "", UtcMillis(5));
    alarms.raise("no-leader", "", UtcMillis(9));
    alarms.raise("peer-unreachable", "2", UtcMillis(7));
    let seen: Vec<_> =
        alarms.list().into_iter().map(|row| (row.name, row.subject, row.since.0)).collect();
    assert_eq!(
        seen,
        [("no-leader".into(), String::new(), 5), ("peer-unreachable".into(), "2".to_owned(), 7)]
    );
    alarms.clear("no-leader", "");
    alarms.clear("no-leader", "");
    assert_eq!(alarms.list().len(), 1);
}
