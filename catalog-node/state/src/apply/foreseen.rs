//! Foreseen: which rows does a portion of the clock's work ask for?
//!
//! A portion is about dozens of cases that lie beside each other, and asks for the same few rows of
//! each. Named beforehand they are read together (see [`Store::foresee`](crate::store::Store::foresee)),
//! which is a hint: a row that is missing here is read when it is asked for, and one too many is read in
//! vain.

use catalog_model::{
    deadline::DeadlineKind,
    name::{Resource, ResourceName},
};

use crate::{
    keys::{self, Key},
    tx::Tx,
};

/// Clocks of a case that end, or are looked for, whenever its answer clock moves or runs out.
const BESIDE: [DeadlineKind; 4] = [
    DeadlineKind::Answer,
    DeadlineKind::Warning,
    DeadlineKind::CompletionLapse,
    DeadlineKind::ReasonHearing,
];

/// Has the rows read that the deadlines at `keys`, each a key of its table, ask for when they fire.
pub(super) fn due<'k>(tx: &Tx<'_>, keys: impl Iterator<Item = &'k [u8]>) {
    let mut rows = Vec::new();
    for key in keys {
        rows.push(Key::from_stored(key.to_vec()));
        let Some((_, case)) = of_case(key, &mut rows) else { continue };
        rows.extend(BESIDE.map(|kind| keys::deadline(kind, &case)));
        rows.push(keys::case_file(&case));
    }
    read(tx, &rows);
}

/// Has the rows read that the deadlines at `keys` ask for when they are counted again.
pub(super) fn counted<'k>(tx: &Tx<'_>, keys: impl Iterator<Item = &'k [u8]>) {
    let mut rows = Vec::new();
    for key in keys {
        rows.push(Key::from_stored(key.to_vec()));
        // A warning moved with the answer's clock before it.
        let Some((DeadlineKind::Answer, case)) = of_case(key, &mut rows) else { continue };
        rows.push(keys::deadline(DeadlineKind::Warning, &case));
        rows.push(keys::deadline(DeadlineKind::CompletionLapse, &case));
        // Of the file nothing is asked here, but whoever says what work follows from the case reads it.
        rows.push(keys::case_file(&case));
    }
    read(tx, &rows);
}

/// The case of a deadline, whose row is put to `rows`, and what of it is due.
fn of_case(key: &[u8], rows: &mut Vec<Key>) -> Option<(DeadlineKind, ResourceName)> {
    let kind = *BESIDE.iter().find(|kind| key.get(1) == Some(&(**kind as u8)))?;
    let name: ResourceName = std::str::from_utf8(key.get(2..)?).ok()?.parse().ok()?;
    let Resource::Request(id) = name.resource else { return None };
    rows.push(keys::request(&name.domain, id));
    Some((kind, name))
}

fn read(tx: &Tx<'_>, rows: &[Key]) {
    // One alone is read no faster.
    if rows.len() > 1 {
        tx.foresee(&rows.iter().map(Key::as_slice).collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests;
