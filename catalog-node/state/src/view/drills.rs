//! Reading drills: the one that is open, those before it, what their probers wrote.

use catalog_model::{
    drill::{Drill, ProbeWrite},
    ids::DrillId,
    time::UtcMillis,
};

use super::{View, decode};
use crate::keys::{Key, Table, drills as key};

impl View<'_> {
    /// A drill.
    pub fn drill(&self, id: DrillId) -> Option<Drill> {
        self.get(&key::drill(id))
    }

    /// The drill that goes on.
    pub fn open_drill(&self) -> Option<Drill> {
        let id: DrillId = self.get(&key::open())?;
        self.drill(id)
    }

    /// At most `limit` drills, the newest first; those before the one with the key `before`, if it is
    /// named.
    pub fn drills_before(&self, before: Option<&[u8]>, limit: usize) -> Vec<Drill> {
        let all = key::all();
        let end = before.map_or_else(|| all.end(), <[u8]>::to_vec);
        let rows = self.0.range_reversed(all.as_slice(), &end);
        rows.take(limit).map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// At most `limit` probes of a drill from number `from` on, each with its number.
    pub fn drill_probes(&self, id: DrillId, from: u64, limit: usize) -> Vec<(u64, ProbeWrite)> {
        let rows = self.0.range(key::probe(id, from).as_slice(), &key::probes(id).end());
        rows.take(limit).map(|(key, bytes)| (key::sequence(&key), decode(&bytes))).collect()
    }

    /// The first due instant of a probe that has not fired.
    pub fn next_drill_due(&self) -> Option<UtcMillis> {
        let table = Key::table(Table::DrillDue);
        let (key, _) = self.0.range(table.as_slice(), &table.end()).next()?;
        let instant = key[1..9].try_into().expect("a due key begins with its instant");
        Some(UtcMillis(u64::from_be_bytes(instant)))
    }
}
