//! One story for every kind of store: nobody without the key reads it, nobody changes it (DR-08).

use std::{collections::BTreeMap, fs, path::Path};

use catalog_backup::{
    Archive, ArchiveError, Attestation, BackupKey, Base, BaseError, BaseWriter, Keep, Prune,
    SealedEntry, Segment, State, Target, Written, prune,
};
use catalog_state::{
    command::LEVEL,
    snapshot::{ContentDigest, cut_by_key},
    store::{MemStore, Store},
};
use tokio::runtime::Runtime;

pub(crate) const CLUSTER: [u8; 16] = [0xcd; 16];

fn key() -> BackupKey {
    BackupKey::new([3; 32])
}

fn state(index: u64, level: u32) -> State {
    State {
        generation: 1,
        index,
        term: 2,
        membership: vec![1],
        level,
        state_hash: [4; 32],
        clock_ms: index * 10,
        made_ms: index * 1_000,
        node: 2,
    }
}

fn rows(count: u32) -> MemStore {
    let mut store = MemStore::default();
    for number in 0..count {
        let value = format!("value {number} {}", "of some length ".repeat(number as usize % 50));
        store.0.insert(number.to_be_bytes().to_vec(), value.into_bytes());
    }
    store
}

fn write(archive: &Archive, store: &MemStore, before: Option<&Base>, at: State) -> (Base, Written) {
    let mut writer = BaseWriter::new(archive, before);
    for block in cut_by_key(store) {
        writer.block(&block).unwrap();
    }
    writer.finish(at).unwrap()
}

fn read(archive: &Archive, base: &Base) -> Result<MemStore, ArchiveError> {
    let mut found = BTreeMap::new();
    archive.read_rows::<ArchiveError>(base, |rows| {
        found.extend(rows);
        Ok(())
    })?;
    Ok(MemStore(found))
}

fn segment(range: std::ops::Range<u64>, previous: [u8; 32]) -> Segment {
    let entries = range.map(|index| SealedEntry { index, term: 2, bytes: vec![7; 20] });
    Segment::of(CLUSTER, 1, previous, 5, entries.collect())
}

/// What must hold of an archive, wherever it lies.
pub(crate) fn tell(target: &Target) {
    let runtime = Runtime::new().unwrap();
    let open = |key| Archive::open(target, key, CLUSTER, runtime.handle().clone());
    let archive = open(key()).unwrap();
    archive.begin().unwrap();
    archive.begin().unwrap();
    let other = open(BackupKey::new([9; 32])).expect_err("it is sealed with another key");
    assert!(matches!(other, ArchiveError::Sealed { .. }), "{other}");

    // A base, and one that leans on it.
    let store = rows(20_000);
    let (first, written) = write(&archive, &store, None, state(100, LEVEL));
    assert_eq!(written.blocks, written.new_blocks);
    let mut changed = store.clone();
    changed.0.insert(77_u32.to_be_bytes().to_vec(), b"changed".to_vec());
    changed.0.remove(19_000_u32.to_be_bytes().as_slice());
    let (second, written) = write(&archive, &changed, Some(&first), state(200, LEVEL));
    assert!(written.new_blocks <= 6, "{written:?} for two rows");
    for (base, store) in [(&first, &store), (&second, &changed)] {
        let name = catalog_backup::BaseName { generation: 1, index: base.manifest.index };
        let found = archive.read_base(name).unwrap();
        assert_eq!(found, *base);
        assert_eq!(read(&archive, &found).unwrap(), *store);
        assert_eq!(found.manifest.content, ContentDigest::of(store));
    }

    // Segments and what others say.
    let one = segment(101..150, [0; 32]);
    let two = segment(150..201, one.hash);
    for segment in [&one, &two] {
        let name = archive.write_segment(segment).unwrap();
        assert_eq!(archive.read_segment(name).unwrap(), *segment);
    }
    let said = Attestation {
        cluster_id: CLUSTER,
        generation: 1,
        index: 200,
        node: 3,
        asked_by: 2,
        content: second.manifest.content,
        rows: second.manifest.rows,
        at_ms: 9,
    };
    archive.write_attestation(&said).unwrap();
    assert_eq!(archive.read_attestation(1, 200, 3).unwrap(), said);
    let missing = archive.read_attestation(1, 200, 4).expect_err("nobody said so");
    assert!(matches!(missing, ArchiveError::Missing { .. }), "{missing}");
    let listing = archive.list().unwrap();
    assert_eq!(listing.bases.len(), 2);
    assert_eq!(listing.segments.len(), 2);
    assert_eq!(listing.attested, [(1, 200, 3)]);
    assert_eq!(listing.reach(listing.bases[0]), 200);

    // A newer level is refused before a block is read.
    write(&archive, &store, None, state(300, LEVEL + 1));
    let newer = archive.read_base(catalog_backup::BaseName { generation: 1, index: 300 });
    let level = matches!(
        &newer,
        Err(ArchiveError::Base { source: BaseError::Level(level), .. }) if *level == LEVEL + 1
    );
    assert!(level, "{newer:?}");

    // Pruned to the last: what the second needs of the first one's packs stays.
    let (third, _) = write(&archive, &changed, Some(&second), state(400, LEVEL));
    let listing = archive.list().unwrap();
    let bases: Vec<Prune> = [&first, &second, &third]
        .into_iter()
        .map(|base| Prune {
            name: catalog_backup::BaseName { generation: 1, index: base.manifest.index },
            made_ms: base.manifest.made_ms,
            packs: base.packs.iter().map(|pack| pack.name.clone()).collect(),
        })
        .collect();
    let keep: Keep = "days=0,daily=0,weekly=0,monthly=0,grace_hours=0".parse().unwrap();
    let gone = prune(&listing, &bases, &keep, u64::MAX);
    assert_eq!(gone.bases.len(), 2, "{gone:?}");
    archive.remove(&gone).unwrap();
    archive.remove(&gone).expect("what is gone already is no error");
    assert_eq!(read(&archive, &third).unwrap(), changed);
    assert!(archive.read_base(bases[0].name).is_err());
}

#[test]
fn an_archive_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    tell(&Target::Folder(folder.path().join("archive")));
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for one in fs::read_dir(folder).unwrap() {
        let one = one.unwrap().path();
        if one.is_dir() { found.extend(files(&one)) } else { found.push(one) }
    }
    found
}

#[test]
fn a_flipped_bit_anywhere_is_noticed_where_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let target = Target::Folder(folder.path().to_owned());
    let archive = Archive::open(&target, key(), CLUSTER, runtime.handle().clone()).unwrap();
    archive.begin().unwrap();
    let store = rows(500);
    let (base, _) = write(&archive, &store, None, state(1, LEVEL));
    let name = archive.write_segment(&segment(2..9, [0; 32])).unwrap();
    let base_name = catalog_backup::BaseName { generation: 1, index: base.manifest.index };
    let mut noticed = 0;
    for file in files(folder.path()) {
        let good = fs::read(&file).unwrap();
        for _ in 0..20 {
            let mut bad = good.clone();
            let place = fastrand::usize(..bad.len());
            bad[place] ^= 1 << fastrand::u8(..8);
            fs::write(&file, &bad).unwrap();
            let whole = Archive::open(&target, key(), CLUSTER, runtime.handle().clone()).and_then(
                |archive| {
                    let base = archive.read_base(base_name)?;
                    archive.read_segment(name)?;
                    read(&archive, &base)
                },
            );
            assert!(whole.is_err(), "{}: byte {place}", file.display());
            noticed += 1;
        }
        fs::write(&file, &good).unwrap();
    }
    assert!(noticed >= 80, "there are a mark, a base, a pack and a segment");
    let got = read(&archive, &archive.read_base(base_name).unwrap()).unwrap();
    assert_eq!(got.get(&3_u32.to_be_bytes()), store.get(&3_u32.to_be_bytes()));
}
