//! A table of its own through the same log: for benchmarks, fault histories and drills. In no
//! feed, ledger or statistic.

use catalog_mutation::{Mutation, active};

use crate::{event::Event, keys, outcome::Outcome, rows::ProbeRow, tx::Tx};

pub(crate) fn put(tx: &mut Tx<'_>, key: &[u8], value: &[u8]) -> Outcome {
    let row = ProbeRow { value: value.to_vec(), index: tx.index };
    tx.put(&keys::probe(key), &row);
    tx.emit(Event::ProbeWritten(key.to_vec()));
    Outcome::Probe { done: true, index: tx.index }
}

pub(crate) fn compare_and_set(
    tx: &mut Tx<'_>,
    key: &[u8],
    expected: Option<&[u8]>,
    value: &[u8],
) -> Outcome {
    let current: Option<ProbeRow> = tx.get(&keys::probe(key));
    let equal = current.as_ref().map(|row| row.value.as_slice()) == expected;
    if equal || active(Mutation::CompareIgnored) {
        put(tx, key, value)
    } else {
        Outcome::Probe { done: false, index: tx.index }
    }
}
