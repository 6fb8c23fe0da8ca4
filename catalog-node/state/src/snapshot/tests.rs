use std::{env, fs, path::PathBuf};

use proptest::prelude::*;

use super::*;
use crate::{
    keys,
    rows::{ClusterConfig, DomainKind},
    store::MemStore,
};

/// A store of whatever rows, with those that every state has.
fn store() -> impl Strategy<Value = MemStore> {
    let key = prop::collection::vec(0u8..0xf0, 1..6);
    let value = prop::collection::vec(any::<u8>(), 0..40);
    (prop::collection::btree_map(key, value, 0..60), any::<[u8; 32]>()).prop_map(
        |(mut rows, hash)| {
            let cluster = ClusterConfig {
                cluster_id: [9; 16],
                generation: 3,
                domain: "xiamen".parse().unwrap(),
                kind: DomainKind::City,
                display_name: "厦门".to_owned(),
                development_clock: false,
                composition: "xiamen-today".to_owned(),
                page_token_key: [7; 32],
                hash_suite: None,
            };
            rows.insert(keys::meta::cluster().into_vec(), codec::encode(&cluster));
            rows.insert(keys::meta::level().into_vec(), codec::encode(&2u32));
            rows.insert(keys::meta::state_hash().into_vec(), hash.to_vec());
            MemStore(rows)
        },
    )
}

fn taken(store: &dyn Store, block_bytes: usize) -> (Manifest, Vec<Block>) {
    let blocks: Vec<Block> = cut(store, block_bytes).collect();
    let position = Position { index: 120, term: 4, membership: vec![1, 2, 3] };
    let infos = blocks.iter().map(Block::info).collect();
    (Manifest::of(store, position, infos).expect("it has a cluster row"), blocks)
}

fn received(manifest: &Manifest, blocks: &[Block]) -> Result<MemStore, BlockError> {
    let mut receiver = Receiver::new(manifest.clone()).unwrap();
    let mut store = MemStore::default();
    while let Some(number) = receiver.wants() {
        store.0.extend(receiver.take(number, &blocks[number as usize].bytes)?);
    }
    assert!(receiver.done());
    Ok(store)
}

proptest! {
    /// What was cut and read again is the same store, whatever the size of the blocks.
    #[test]
    fn a_copy_is_the_original(store in store(), block_bytes in 1usize..400) {
        let (manifest, blocks) = taken(&store, block_bytes);
        for block in &blocks {
            prop_assert!(block.bytes.len() <= block_bytes || block.rows == 1);
        }
        let travelled = Manifest::decode(&manifest.encode()).unwrap();
        prop_assert_eq!(travelled.id(), manifest.id());
        prop_assert_eq!(received(&travelled, &blocks).unwrap(), store);
    }

    /// Any block can be cut again by itself, from its first key.
    #[test]
    fn a_block_is_found_by_its_first_key(store in store(), block_bytes in 1usize..400) {
        let (_, blocks) = taken(&store, block_bytes);
        for (place, block) in blocks.iter().enumerate() {
            let again: Vec<Block> = cut_from(&store, &block.first_key, block_bytes).collect();
            prop_assert_eq!(&again[..], &blocks[place..]);
        }
    }

    /// Whatever single bit changes on the way: the block is refused by its number, nothing of it
    /// gets through, and the good block is taken afterwards.
    #[test]
    fn a_flipped_bit_is_refused(
        store in store(),
        block_bytes in 20usize..200,
        block in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let (manifest, blocks) = taken(&store, block_bytes);
        let block = block.index(blocks.len());
        let mut bytes = blocks[block].bytes.clone();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let mut receiver = Receiver::new(manifest).unwrap();
        for (number, good) in blocks[..block].iter().enumerate() {
            receiver.take(number as u32, &good.bytes).unwrap();
        }
        let number = block as u32;
        let refused = receiver.take(number, &bytes);
        prop_assert_eq!(refused, Err(BlockError { number, fault: BlockFault::Digest }));
        prop_assert_eq!(receiver.wants(), Some(number));
        prop_assert!(receiver.take(number, &blocks[block].bytes).is_ok());
    }

    /// A receiver that stops at any block goes on from what it kept.
    #[test]
    fn a_transfer_goes_on(store in store(), block_bytes in 1usize..200, stop in any::<prop::sample::Index>()) {
        let (manifest, blocks) = taken(&store, block_bytes);
        let stop = stop.index(blocks.len() + 1);
        let mut receiver = Receiver::new(manifest.clone()).unwrap();
        let mut copy = MemStore::default();
        for (number, block) in blocks[..stop].iter().enumerate() {
            copy.0.extend(receiver.take(number as u32, &block.bytes).unwrap());
        }
        let kept = codec::encode(receiver.progress());
        drop(receiver);
        let mut receiver = Receiver::resume(manifest, codec::decode(&kept).unwrap()).unwrap();
        while let Some(number) = receiver.wants() {
            copy.0.extend(receiver.take(number, &blocks[number as usize].bytes).unwrap());
        }
        prop_assert_eq!(copy, store);
    }
}

/// Two stores that hold the same rows give the same bytes, whatever was written and deleted before.
#[test]
fn equal_states_give_equal_blocks() {
    let plain = MemStore((0..50u8).map(|n| (vec![2, n], vec![n; 30])).collect());
    let mut other = MemStore::default();
    for n in (0..80u8).rev() {
        other.write([(vec![2, n], Some(vec![0; 7]))].into());
    }
    other.write((50..80).map(|n| (vec![2, n], None)).collect());
    other.write((0..50).map(|n| (vec![2, n], Some(vec![n; 30]))).collect());
    for size in [1, 64, 1000, BLOCK_BYTES] {
        assert_eq!(
            cut(&plain, size).collect::<Vec<_>>(),
            cut(&other, size).collect::<Vec<_>>(),
            "blocks of {size}"
        );
    }
}

/// The state of a story, for tests that need a real one.
fn real() -> MemStore {
    let mut world = crate::script::World::default();
    for line in [
        "cluster xiamen clock=\"2026-09-21 09:00\" level=2 members=1,2,3",
        "organization police",
        "listed plates provider=police",
        "probe k value=1 by=gateway:xiamen request_id=r1",
        "member add 4",
    ] {
        world.run(line);
    }
    world.into_store("xiamen")
}

#[test]
fn a_real_state_travels_whole() {
    let store = real();
    let (manifest, blocks) = taken(&store, 4096);
    assert!(blocks.len() > 3, "only {} blocks", blocks.len());
    assert_eq!(manifest.state_hash, state_hash(&store));
    assert_eq!(manifest.level, 2);
    assert_eq!(received(&manifest, &blocks).unwrap(), store);
}

/// A manifest that promises another state than its blocks hold is found out at the last block; one
/// that contradicts itself, before any.
#[test]
fn a_manifest_that_lies_is_refused() {
    let store = real();
    let (manifest, blocks) = taken(&store, 4096);
    let lies: [fn(&mut Manifest); 4] = [
        |manifest| manifest.state_hash[31] ^= 1,
        |manifest| manifest.cluster_id[0] ^= 1,
        |manifest| manifest.generation += 1,
        |manifest| manifest.level = 1,
    ];
    let last = blocks.len() as u32 - 1;
    for lie in lies {
        let mut lying = manifest.clone();
        lie(&mut lying);
        let refused = received(&lying, &blocks);
        assert_eq!(refused, Err(BlockError { number: last, fault: BlockFault::State }));
    }
    let sums: [fn(&mut Manifest); 5] = [
        |manifest| manifest.rows += 1,
        |manifest| manifest.bytes -= 1,
        |manifest| manifest.blocks[0].rows += 1,
        |manifest| manifest.blocks.clear(),
        |manifest| (manifest.blocks, manifest.rows, manifest.bytes) = (Vec::new(), 0, 0),
    ];
    for lie in sums {
        let mut lying = manifest.clone();
        lie(&mut lying);
        let refused = Manifest::decode(&lying.encode());
        assert!(matches!(refused, Err(ManifestError::Sums)), "{refused:?}");
    }
    let newer = Manifest { format: 2, ..manifest.clone() };
    assert!(matches!(Manifest::decode(&newer.encode()), Err(ManifestError::Format(2))));
    let above = Manifest { level: LEVEL + 1, ..manifest.clone() };
    let refused = Manifest::decode(&above.encode());
    assert!(matches!(refused, Err(ManifestError::Level(level)) if level == LEVEL + 1));
    assert!(matches!(Manifest::decode(b""), Err(ManifestError::Undecodable(_))));
    let mut beyond = Progress::default();
    beyond.blocks = last + 2;
    assert!(matches!(Receiver::resume(manifest, beyond), Err(ManifestError::Place(_))));
}

/// Blocks whose digest is right and whose content is not: what a faulty sender could make.
#[test]
fn a_block_that_is_no_block_is_refused() {
    let row = |key: &[u8], value: &[u8]| {
        let mut bytes = Vec::new();
        for part in [key, value] {
            bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    };
    let block = |rows: &[Vec<u8>]| [vec![FORMAT as u8], rows.concat()].concat();
    let check = |bytes: Vec<u8>, rows, after: Option<&[u8]>| {
        let digest = Sha256::digest(&bytes).into();
        let info = BlockInfo { digest, bytes: bytes.len() as u32, rows };
        read_block(7, &info, after, &bytes).map_err(|error| {
            assert_eq!(error.number, 7);
            error.fault
        })
    };
    let (a, b) = (row(b"a", b"1"), row(b"b", b""));
    let both = block(&[a.clone(), b.clone()]);
    let rows = vec![(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), Vec::new())];
    assert_eq!(check(both.clone(), 2, None), Ok(rows.clone()));
    assert_eq!(check(both.clone(), 2, Some(b"Z")), Ok(rows));
    assert_eq!(check(both.clone(), 2, Some(b"a")), Err(BlockFault::Order));
    assert_eq!(check(block(&[b.clone(), a.clone()]), 2, None), Err(BlockFault::Order));
    assert_eq!(check(block(&[a.clone(), a.clone()]), 2, None), Err(BlockFault::Order));
    assert_eq!(check(both.clone(), 1, None), Err(BlockFault::Rows));
    assert_eq!(check(both.clone(), 3, None), Err(BlockFault::Rows));
    assert_eq!(check(both[..both.len() - 1].to_vec(), 2, None), Err(BlockFault::Rows));
    assert_eq!(check([both.clone(), vec![0, 0]].concat(), 2, None), Err(BlockFault::Rows));
    assert_eq!(check(vec![FORMAT as u8, 0xff, 0xff, 0xff, 0xff], 1, None), Err(BlockFault::Rows));
    assert_eq!(check(Vec::new(), 0, None), Err(BlockFault::Rows));
    let mut newer = both;
    newer[0] = 2;
    assert_eq!(check(newer, 2, None), Err(BlockFault::Format));
}

#[test]
fn blocks_come_in_turn() {
    let (manifest, blocks) = taken(&real(), 4096);
    let mut receiver = Receiver::new(manifest).unwrap();
    let turn = |number| Err(BlockError { number, fault: BlockFault::Turn });
    assert_eq!(receiver.take(1, &blocks[1].bytes), turn(1));
    assert!(receiver.take(0, &blocks[0].bytes).is_ok());
    assert_eq!(receiver.take(0, &blocks[0].bytes), turn(0));
}

#[test]
fn nothing_to_copy_before_bootstrap() {
    let position = Position { index: 1, term: 1, membership: Vec::new() };
    assert_eq!(Manifest::of(&MemStore::default(), position, Vec::new()), None);
    assert_eq!(cut(&MemStore::default(), BLOCK_BYTES).count(), 0);
}

/// A snapshot taken by any version that was ever released can be read. `testdata/golden/snapshot`
/// holds one; it is written once and never again.
#[test]
fn golden_snapshot_means_what_it_meant() {
    let rows = [
        (vec![0x01, b'x'], vec![1, 2, 3]),
        (vec![0x10], Vec::new()),
        (vec![0x70, 0x00], vec![0xff; 3]),
    ];
    let store = MemStore(rows.into());
    let blocks: Vec<Block> = cut(&store, 24).collect();
    let infos: Vec<BlockInfo> = blocks.iter().map(Block::info).collect();
    let manifest = Manifest {
        format: FORMAT,
        cluster_id: [9; 16],
        generation: 3,
        index: 70_000,
        term: 12,
        membership: vec![0x81, 0x01],
        level: 2,
        state_hash: [11; 32],
        rows: 3,
        bytes: infos.iter().map(|info| u64::from(info.bytes)).sum(),
        blocks: infos,
    };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/snapshot");
    let parts = [
        ("manifest_1", manifest.encode()),
        ("block_1_first", blocks[0].bytes.clone()),
        ("block_1_second", blocks[1].bytes.clone()),
    ];
    assert_eq!(blocks.len(), 2);
    for (name, bytes) in parts {
        let file = folder.join(format!("{name}.hex"));
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let hex = digits.concat();
        if env::var_os("REWRITE").is_some() && !file.exists() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, format!("{hex}\n")).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap().trim_end(), hex, "{name}");
    }
    assert_eq!(Manifest::decode(&manifest.encode()).unwrap(), manifest);
}
