use std::sync::Arc;

use catalog_model::{
    caller::{Caller, Identity},
    time::UtcMillis,
};

use super::{super::*, *};
use crate::{
    rows::{ClusterConfig, Counters, DomainKind},
    store::{MemStore, Overlay, Store as _, Writes},
    tx::Begins,
};

const HOUR: u64 = 3_600_000;

/// A state in which calls are answered, and what is remembered of it.
struct Desk {
    store: MemStore,
    orders: Orders,
    cluster: Arc<ClusterConfig>,
    clock: UtcMillis,
    index: u64,
}

impl Desk {
    fn new() -> Self {
        let cluster = ClusterConfig {
            cluster_id: [1; 16],
            generation: 1,
            domain: "xiamen".parse().unwrap(),
            kind: DomainKind::City,
            display_name: "厦门".to_owned(),
            development_clock: true,
            composition: "xiamen-today".to_owned(),
            page_token_key: [2; 32],
            hash_suite: None,
        };
        let (store, orders) = (MemStore::default(), Orders::default());
        Self { store, orders, cluster: Arc::new(cluster), clock: UtcMillis(HOUR), index: 0 }
    }

    /// A call of a gateway; whether it was recognized, and whether a look at the state says it had to be.
    fn call(&mut self, gateway: u64, request: u64) -> (bool, bool) {
        self.index += 1;
        let domain = self.cluster.domain.clone();
        let identity = Identity::Gateway { id: gateway.to_string() };
        let command = Command {
            level: 2,
            stamped_at: self.clock,
            received_at: None,
            caller: Caller { domain, identity },
            request_id: Some(request.to_string()),
            call_digest: [0; 32],
            salt: [0; 16],
            body: Body::ProbePut { key: vec![1], value: vec![2] },
        };
        let begins = Begins {
            index: self.index,
            clock: self.clock,
            cluster: Arc::clone(&self.cluster),
            level: 2,
            counters: Counters::default(),
        };
        let none = Writes::new();
        let mut tx = Tx::new(Overlay::new(&self.store, &none), begins, &command);
        let key = caller_key(Table::Idempotency, &tx, &command).unwrap();
        let row: Option<IdempotencyRow> = tx.get(&key.text(&request.to_string()));
        let kept = row.is_some_and(|row| self.clock.0 - row.time.0 <= WINDOW_MS);
        let recognized = !matches!(look_up(&tx, &mut self.orders, &command), Repeat::No);
        if !recognized {
            let done = Outcome::Probe { done: true, index: self.index };
            record(&mut tx, &mut self.orders, &command, &done);
        }
        let (writes, _) = tx.finish();
        self.store.write(writes);
        (recognized, kept)
    }

    /// Rows of the order of records.
    fn ordered(&self) -> usize {
        let table = Key::table(Table::IdempotencyOrder);
        self.store.range(table.as_slice(), &table.end()).count()
    }

    /// How often a record is counted in all slots together.
    fn counted(&self) -> usize {
        self.orders.absent.slots.iter().map(|count| usize::from(*count)).sum()
    }
}

#[test]
fn a_key_that_was_used_is_found_whatever_came_and_went_since() {
    let mut drawn = 7_u64;
    let mut draw = |below: u64| {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (drawn >> 33) % below
    };
    let mut desk = Desk::new();
    let (mut repeated, mut sure, mut unsure) = (0, 0, 0);
    for round in 0..6000 {
        match draw(200) {
            // A process that starts anew in the middle of it all.
            0 => desk.orders = Orders::default(),
            1..=10 => desk.clock = desk.clock.plus(draw(4 * HOUR)),
            _ => {}
        }
        let (recognized, kept) = desk.call(draw(3), draw(500));
        assert_eq!(recognized, kept);
        repeated += usize::from(recognized);
        if desk.orders.absent.complete {
            sure += 1;
            if round % 200 == 0 {
                assert_eq!(desk.counted(), 2 * desk.ordered(), "nothing twice, nothing left over");
            }
        } else {
            unsure += 1;
        }
    }
    assert!(repeated > 500 && sure > 500 && unsure > 50, "{repeated} {sure} {unsure}");
}

#[test]
fn a_new_key_is_known_to_be_new_once_everything_is_counted() {
    let mut desk = Desk::new();
    for request in 0..200 {
        assert_eq!(desk.call(1, request), (false, false));
    }
    let known = |desk: &Desk, request: &str| {
        let caller = Key::table(Table::Idempotency).domain(&desk.cluster.domain).id([0; 16]);
        desk.orders.absent.is_sure(&caller.byte(3).text("1").byte(0).text(request))
    };
    assert!(known(&desk, "9999") && !known(&desk, "7"));
    desk.orders = Orders::default();
    // 200 records are counted with the fourth call at the latest, not with the first.
    assert_eq!(desk.call(1, 1000), (false, false));
    assert!(!known(&desk, "9999"));
    for request in 1001..1005 {
        assert_eq!(desk.call(1, request), (false, false));
    }
    assert!(known(&desk, "9999") && !known(&desk, "7") && !known(&desk, "1001"));
}
