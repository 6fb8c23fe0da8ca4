use std::{cell::RefCell, collections::BTreeSet};

use catalog_model::{
    caller::{Caller, Identity},
    ids::DomainId,
    time::{LocalDate, UtcMillis},
};

use crate::{
    codec,
    command::{Body, Command},
    keys::{self, Key, Table},
    law::{PendingWork, Work},
    machine::{Machine, Session},
    outcome::Outcome,
    store::{MemStore, Row, Store},
    view::View,
};

/// A store that notes which rows were named beforehand, and which of cases were read without that.
struct Noting {
    rows: MemStore,
    foreseen: RefCell<BTreeSet<Vec<u8>>>,
    not_foreseen: RefCell<BTreeSet<Vec<u8>>>,
}

impl Store for Noting {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let of_cases = [Table::Request, Table::CaseFile, Table::Deadline];
        let is_one = of_cases.iter().any(|table| key.first() == Some(&(*table as u8)));
        if is_one && !self.foreseen.borrow().contains(key) {
            self.not_foreseen.borrow_mut().insert(key.to_vec());
        }
        self.rows.get(key)
    }

    fn foresee(&self, keys: &[&[u8]]) {
        self.foreseen.borrow_mut().extend(keys.iter().map(|key| key.to_vec()));
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        self.rows.range(from, to)
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        self.rows.range_reversed(from, to)
    }
}

/// Three open cases; and what came after.
fn town(after: &[&str]) -> MemStore {
    let mut world = crate::script::World::default();
    let begun = [
        "cluster xiamen level=3 clock=\"2026-12-21 09:00\"",
        "organization police",
        "organization tax",
        "listed plates provider=police",
        "request case1 entry=plates from=tax",
        "request case2 entry=plates from=tax",
        "request case3 entry=plates from=tax",
    ];
    for line in begun.iter().chain(after) {
        world.run(line);
    }
    world.into_store("xiamen")
}

/// Moves the clock in one command; what it came to, how many records it left, and what of cases it read
/// unforeseen.
fn moved(rows: MemStore, to: UtcMillis) -> (Outcome, usize, BTreeSet<Vec<u8>>) {
    let store = Noting { rows, foreseen: RefCell::default(), not_foreseen: RefCell::default() };
    let domain: DomainId = "xiamen".parse().unwrap();
    let command = Command {
        level: 3,
        stamped_at: UtcMillis(1),
        received_at: None,
        caller: Caller { domain, identity: Identity::Node { id: "1".to_owned() } },
        request_id: None,
        call_digest: [0; 32],
        salt: [0; 16],
        body: Body::AdvanceClock { to, development: false, portion: Some(64) },
    };
    let mut session = Session::new(&store);
    let applied = Machine::new().apply(&mut session, 1_000, &command.encode()).unwrap();
    let writes = session.into_writes();
    let records = writes.keys().filter(|key| key[0] == Table::LedgerRecord as u8).count();
    (applied.outcome, records, store.not_foreseen.into_inner())
}

fn day(date: &str) -> UtcMillis {
    date.parse::<LocalDate>().unwrap().start()
}

#[test]
fn of_cases_that_are_late_every_row_is_named_before_it_is_read() {
    let (outcome, records, not_foreseen) = moved(town(&[]), day("2027-01-10"));
    assert_eq!(outcome, Outcome::ClockAdvanced { fired: 6, more: false });
    assert_eq!(records, 3 * 3, "each has its mark, an order and a hearing");
    assert_eq!(not_foreseen, BTreeSet::new());
}

#[test]
fn of_cases_that_are_counted_again_every_row_is_named_before_it_is_read() {
    let (mut store, closed) = (town(&[]), town(&["closure 2026-12-30 document=D1"]));
    // The calendar as it became, and nothing counted by it.
    let table = Key::table(Table::Calendar);
    store.0.extend(closed.range(table.as_slice(), &table.end()));
    let version = View(&closed).calendar_version().unwrap();
    let work = Work::Calendar { version };
    let since = View(&store).clock();
    let waits = PendingWork { what: work, cursor: None, looked_at: 0, changed: 0, since };
    store.0.insert(keys::pending_work(1).into_vec(), codec::encode(&waits));
    for key in [keys::meta::calendar_version(), keys::meta::recount()] {
        store.0.insert(key.into_vec(), codec::encode(&version));
    }
    let (_, records, not_foreseen) = moved(store, since);
    assert_eq!(records, 3 + 1, "each has moved, and all were looked at");
    assert_eq!(not_foreseen, BTreeSet::new());
}
