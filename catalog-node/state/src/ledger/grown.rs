//! Grown: a ledger as long as one likes, made by the code that makes every ledger.
//!
//! For measurements alone: what stands in such a ledger never happened.

use catalog_model::{
    caller::{Caller, Identity},
    name::ResourceName,
};

use super::{Fact, append};
use crate::{
    command::{Body, Command},
    store::{Overlay, Store, Writes},
    tx::{Begins, Tx},
    view::View,
};

/// What `count` more records change in `store`, which is a bootstrapped cluster's; the `n`-th of
/// them, from 0, is about `subject(n)`.
///
/// # Panics
///
/// If the store was never bootstrapped.
pub fn grown(store: &dyn Store, count: u64, subject: impl Fn(u64) -> ResourceName) -> Writes {
    let view = View(store);
    let cluster = view.cluster().expect("a bootstrapped cluster");
    let identity = Identity::Gateway { id: "grown".to_owned() };
    let command = Command {
        level: view.level(),
        stamped_at: view.clock(),
        received_at: None,
        caller: Caller { domain: cluster.domain.clone(), identity },
        request_id: None,
        call_digest: [0; 32],
        salt: [0; 16],
        body: Body::AdvanceClock { to: view.clock(), development: false, portion: None },
    };
    let begins = Begins {
        index: 0,
        clock: view.clock(),
        cluster: std::sync::Arc::new(cluster),
        level: view.level(),
        counters: view.counters(),
    };
    let none = Writes::new();
    let mut tx = Tx::new(Overlay::new(store, &none), begins, &command);
    for number in 0..count {
        append(&mut tx, &subject(number), Fact::OpinionGiven { in_favor: true }, None, &[]);
    }
    tx.finish().0
}
