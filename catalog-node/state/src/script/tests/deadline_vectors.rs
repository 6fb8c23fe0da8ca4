//! The vectors of the calendar as due dates of cases (issue 3, shown by 3): under a pack whose
//! answer clock is N, a request received on the row's date is due on the row's due date, and
//! overdue from the first instant after it.

use crate::script::World;

#[test]
fn every_row_is_the_due_date_of_a_case() {
    let rows = include_str!("../../../../model/data/deadline_vectors.csv");
    let mut checked = 0;
    for row in rows.lines().skip(1) {
        let columns: Vec<&str> = row.split(',').collect();
        let (id, start, days, due) = (columns[0], columns[1], columns[4], columns[5]);
        assert_eq!(columns[8], "day_after_receipt", "row {id}");
        let told = World::play(&format!(
            "cluster xiamen clock=\"{start} 17:30\" answer_days={days}\n\
             organization police\n\
             organization tax\n\
             listed plates provider=police\n\
             request case1 entry=plates from=tax\n\
             show deadlines\n\
             advance to=\"{due} 23:59:59\"\n\
             show counters\n\
             advance to=\"{due} 24:00\"\n\
             show counters\n\
             ----"
        ));
        assert!(
            told.contains(&format!("case1 is Submitted at v1, due {due}\n")),
            "row {id}:\n{told}"
        );
        let open_then_overdue = ["open 1, overdue 0\n", "open 1, overdue 1\n"];
        let shown: Vec<bool> = open_then_overdue.iter().map(|text| told.contains(text)).collect();
        assert_eq!(shown, [true, true], "row {id}:\n{told}");
        checked += 1;
    }
    assert_eq!(checked, 60);
}
