//! Blocks that stay where they are: which blocks of the state did not change since yesterday?
//!
//! [`super::cut`] fills block after block, so that one row more shifts all blocks behind it. Good for
//! a copy that travels once; a backup wants to keep what it has. Here a block ends where the *row*
//! that comes next says so: a hash of its key, against its length, makes about one boundary in
//! [`TARGET_BYTES`]. A change of a row moves boundaries beside it at most, and every other block keeps
//! its bytes and with them its digest.
//!
//! The digest over all blocks in order is the *content digest*: what two nodes compare to say that
//! they hold the same rows. It is made of the rows themselves; the state hash is a chain that each
//! state merely carries, and a copy with a row missing carries it all the same.

use sha2::{Digest, Sha256};

use super::{Block, BlockInfo, FORMAT};
use crate::store::{Row, Store};

/// Size that blocks have on average: small enough that one row changed does not cost much, large
/// enough that a list of all blocks stays small beside them.
const TARGET_BYTES: u64 = 16 << 10;

/// Size at which a block ends in any case, so that nobody needs memory for more; one of a single row
/// may be larger.
const BLOCK_BYTES_MAX: usize = 128 << 10;

/// Above every key: tables are numbered far below.
const END: [u8; 1] = [0xff];

/// Whether a block begins with this row: about one in [`TARGET_BYTES`] bytes of rows.
fn begins_block((key, value): &Row) -> bool {
    // FNV-1a: needs no table and no key, and is the same for ever.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The last bytes of a key have not reached every bit yet; this (MurmurHash3's end) sees to it.
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash >> 32) * TARGET_BYTES < ((row_bytes(key, value) as u64) << 32)
}

fn row_bytes(key: &[u8], value: &[u8]) -> usize {
    8 + key.len() + value.len()
}

/// The blocks of a whole store, in order, one at a time.
pub fn cut_by_key(store: &dyn Store) -> KeyedBlocks<'_> {
    cut_rows_by_key(store.range(&[], &END))
}

/// The blocks of rows that come in the order of their keys.
pub fn cut_rows_by_key<'a>(rows: impl Iterator<Item = Row> + 'a) -> KeyedBlocks<'a> {
    KeyedBlocks { rows: Box::new(rows), held: None }
}

/// An iterator over blocks.
pub struct KeyedBlocks<'a> {
    rows: Box<dyn Iterator<Item = Row> + 'a>,
    /// The row with which the next block begins.
    held: Option<Row>,
}

impl std::fmt::Debug for KeyedBlocks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyedBlocks").finish_non_exhaustive()
    }
}

impl Iterator for KeyedBlocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let first = self.held.take().or_else(|| self.rows.next())?;
        let mut block = Block { bytes: vec![FORMAT as u8], rows: 0, first_key: first.0.clone() };
        block.push(&first);
        for row in self.rows.by_ref() {
            let full = block.bytes.len() + row_bytes(&row.0, &row.1) > BLOCK_BYTES_MAX;
            if full || begins_block(&row) {
                self.held = Some(row);
                break;
            }
            block.push(&row);
        }
        Some(block)
    }
}

/// The content digest under construction: blocks are told to it in order.
#[derive(Debug, Clone)]
pub struct ContentDigest {
    hash: Sha256,
    /// Rows so far.
    pub rows: u64,
    /// Bytes of blocks so far.
    pub bytes: u64,
}

impl Default for ContentDigest {
    fn default() -> Self {
        let mut hash = Sha256::new();
        hash.update(b"luqiao content 1\n");
        Self { hash, rows: 0, bytes: 0 }
    }
}

impl ContentDigest {
    /// Takes the next block.
    pub fn block(&mut self, block: &BlockInfo) {
        self.hash.update(block.digest);
        self.hash.update(block.bytes.to_be_bytes());
        self.hash.update(block.rows.to_be_bytes());
        self.rows += u64::from(block.rows);
        self.bytes += u64::from(block.bytes);
    }

    /// The digest over all blocks told.
    pub fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }

    /// The digest of what is in `store`, reading all of it.
    pub fn of(store: &dyn Store) -> [u8; 32] {
        let mut digest = Self::default();
        for block in cut_by_key(store) {
            digest.block(&block.info());
        }
        digest.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{snapshot::read_block, store::MemStore};

    fn store(rows: u32) -> MemStore {
        let mut store = MemStore::default();
        for number in 0..rows {
            let length = (number * 7919 % 900) as usize;
            store.0.insert(number.to_be_bytes().to_vec(), vec![number as u8; length]);
        }
        store
    }

    fn digests(store: &MemStore) -> Vec<[u8; 32]> {
        cut_by_key(store).map(|block| block.info().digest).collect()
    }

    #[test]
    fn blocks_hold_all_rows_in_order_and_have_about_the_wanted_size() {
        let store = store(20_000);
        let mut found = Vec::new();
        let mut last: Option<Vec<u8>> = None;
        let blocks: Vec<Block> = cut_by_key(&store).collect();
        for block in &blocks {
            assert!(block.bytes.len() <= BLOCK_BYTES_MAX);
            let rows = read_block(0, &block.info(), last.as_deref(), &block.bytes).unwrap();
            last = rows.last().map(|(key, _)| key.clone());
            found.extend(rows);
        }
        let wanted: Vec<Row> = store.range(&[], &END).collect();
        assert_eq!(found, wanted);
        let average = blocks.iter().map(|block| block.bytes.len()).sum::<usize>() / blocks.len();
        let target = TARGET_BYTES as usize;
        assert!((target / 2..target * 2).contains(&average), "{average}");
    }

    #[test]
    fn a_changed_row_changes_the_blocks_beside_it_alone() {
        let before = store(20_000);
        let known: BTreeSet<[u8; 32]> = digests(&before).into_iter().collect();
        for number in [0_u32, 1, 7_777, 19_999] {
            let key = number.to_be_bytes().to_vec();
            let (mut longer, mut gone, mut more) = (before.clone(), before.clone(), before.clone());
            longer.0.insert(key.clone(), vec![1; 2_000]);
            gone.0.remove(&key);
            more.0.insert([key, vec![0]].concat(), b"new".to_vec());
            for changed in [longer, gone, more] {
                let after = digests(&changed);
                let new = after.iter().filter(|digest| !known.contains(*digest)).count();
                assert!((1..=3).contains(&new), "{new} blocks for one row");
                assert_ne!(ContentDigest::of(&changed), ContentDigest::of(&before));
            }
        }
        assert_eq!(ContentDigest::of(&before), ContentDigest::of(&store(20_000)));
    }

    #[test]
    fn a_row_that_is_larger_than_a_block_has_one_of_its_own() {
        let mut store = store(10);
        store.0.insert(vec![0, 0, 0, 4, 1], vec![9; BLOCK_BYTES_MAX * 2]);
        let blocks: Vec<Block> = cut_by_key(&store).collect();
        let large: Vec<&Block> =
            blocks.iter().filter(|block| block.bytes.len() > BLOCK_BYTES_MAX).collect();
        assert_eq!(large.len(), 1);
        assert_eq!(large[0].rows, 1);
    }
}
