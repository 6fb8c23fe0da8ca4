use proptest::prelude::*;

use super::{MemStore, Overlay, Row, Store, Writes};

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0u8..4, 1..3)
}

proptest! {
    /// An overlay reads like a store into which its writes were written.
    #[test]
    fn an_overlay_reads_like_the_written_store(
        base in prop::collection::btree_map(key(), prop::collection::vec(any::<u8>(), 0..2), 0..12),
        writes in prop::collection::btree_map(key(), prop::option::of(prop::collection::vec(any::<u8>(), 0..2)), 0..12),
        from in key(),
        to in key(),
    ) {
        let base = MemStore(base);
        let writes: Writes = writes;
        let mut written = base.clone();
        written.write(writes.clone());
        let overlay = Overlay::new(&base, &writes);

        prop_assert_eq!(overlay.get(&from), written.get(&from));
        let plain: Vec<Row> = written.range(&from, &to).collect();
        prop_assert_eq!(overlay.range(&from, &to).collect::<Vec<_>>(), plain.clone());
        let reversed: Vec<Row> = plain.into_iter().rev().collect();
        prop_assert_eq!(overlay.range_reversed(&from, &to).collect::<Vec<_>>(), reversed);
    }
}
