//! Keys of drills: which rows are a drill's own?

use catalog_model::{ids::DrillId, time::UtcMillis};

use super::{Key, Table};

/// `0`: the drill that is open; absent = none is.
pub fn open() -> Key {
    Key::table(Table::Drill).byte(0)
}

/// `1`: prefix of all drills, in the order in which they were opened.
pub fn all() -> Key {
    Key::table(Table::Drill).byte(1)
}

/// `1 [id]`
pub fn drill(id: DrillId) -> Key {
    all().id(id.to_bytes())
}

/// `[drill]`: prefix of its probes.
pub fn probes(id: DrillId) -> Key {
    Key::table(Table::DrillProbe).id(id.to_bytes())
}

/// `[drill][sequence]`
pub fn probe(id: DrillId, sequence: u64) -> Key {
    probes(id).number(sequence)
}

/// The sequence number at the end of a probe's key.
pub fn sequence(key: &[u8]) -> u64 {
    let bytes = key[key.len() - 8..].try_into().expect("a probe's key ends in a number");
    u64::from_be_bytes(bytes)
}

/// `[instant][drill][sequence]`
pub fn due(due: UtcMillis, id: DrillId, sequence: u64) -> Key {
    Key::table(Table::DrillDue).number(due.0).id(id.to_bytes()).number(sequence)
}

/// Drill and sequence number of a due key.
pub fn of_due(key: &[u8]) -> (DrillId, u64) {
    let id = key[9..25].try_into().expect("a due key names its drill");
    (DrillId::from_bytes(id), sequence(key))
}
