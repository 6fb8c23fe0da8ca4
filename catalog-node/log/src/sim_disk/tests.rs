//! Is the simulated disk as bad as it says, and the same for the same seed?

use super::*;

fn disk_with_unsynced_writes() -> (SimDisk, SimFile) {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    disk.sync_dir().unwrap();
    file.write_at(0, &[1; 3000]).unwrap();
    file.sync().unwrap();
    for position in 0..8 {
        file.write_at(position * 300, &[2; 1200]).unwrap();
    }
    (disk, file)
}

fn read(disk: &SimDisk, name: &str) -> Vec<u8> {
    let file = disk.open(name).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_crash_is_a_function_of_its_seed() {
    let outcome = |seed| {
        let (disk, _) = disk_with_unsynced_writes();
        disk.crash(seed);
        read(&disk, "a")
    };
    let outcomes: Vec<_> = (0..20).map(outcome).collect();
    assert_eq!(outcomes, (0..20).map(outcome).collect::<Vec<_>>());
    let mut distinct = outcomes.clone();
    distinct.sort();
    distinct.dedup();
    assert!(distinct.len() > 10, "only {} outcomes of 20 crashes", distinct.len());
}

#[test]
fn synced_writes_survive_and_unsynced_ones_may_not() {
    let (disk, file) = disk_with_unsynced_writes();
    disk.crash_losing_all();
    assert_eq!(read(&disk, "a"), [1; 3000]);
    assert!(file.len().is_err(), "files opened before the crash are dead");

    let (disk, file) = disk_with_unsynced_writes();
    let before = read(&disk, "a");
    file.sync().unwrap();
    disk.crash(1);
    assert_eq!(read(&disk, "a"), before);
}

#[test]
fn names_are_durable_with_their_folder() {
    let disk = SimDisk::new();
    disk.create("a").unwrap().sync().unwrap();
    disk.crash_losing_all();
    assert!(disk.list().unwrap().is_empty());

    let disk = SimDisk::new();
    disk.create("a").unwrap();
    disk.sync_dir().unwrap();
    disk.rename("a", "b").unwrap();
    assert_eq!(disk.list().unwrap(), ["b"]);
    disk.crash_losing_all();
    assert_eq!(disk.list().unwrap(), ["a"]);
    disk.rename("a", "b").unwrap();
    disk.sync_dir().unwrap();
    disk.crash(3);
    assert_eq!(disk.list().unwrap(), ["b"]);
}

#[test]
fn a_failed_sync_loses_what_a_later_one_confirms() {
    let (disk, file) = disk_with_unsynced_writes();
    disk.fail_sync(1);
    assert!(file.sync().is_err());
    file.sync().unwrap();
    assert_ne!(read(&disk, "a"), [1; 3000], "still readable");
    disk.crash_losing_all();
    assert_eq!(read(&disk, "a"), [1; 3000]);
}

#[test]
fn an_ignored_sync_is_counted_and_does_nothing() {
    let (disk, file) = disk_with_unsynced_writes();
    let (syncs, unsynced) = (disk.syncs(), disk.unsynced());
    disk.ignore_syncs(true);
    file.sync().unwrap();
    assert_eq!((disk.syncs(), disk.unsynced()), (syncs + 1, unsynced));
}

#[test]
fn a_dying_disk_does_what_it_still_can() {
    let disk = SimDisk::new();
    disk.die_after(3);
    let file = disk.create("a").unwrap();
    file.write_at(0, &[1]).unwrap();
    disk.sync_dir().unwrap();
    assert!(file.sync().is_err());
    assert!(file.write_at(1, &[1]).is_err());
    assert!(disk.remove("a").is_err());
    disk.crash_losing_all();
    assert_eq!(read(&disk, "a"), []);
    disk.remove("a").unwrap();
}

#[test]
fn names_vanish_in_any_combination_but_never_by_halves() {
    let outcome = |seed| {
        let disk = SimDisk::new();
        for name in ["a", "b"] {
            disk.create(name).unwrap();
        }
        disk.sync_dir().unwrap();
        disk.remove("a").unwrap();
        disk.rename("b", "c").unwrap();
        disk.create("d").unwrap();
        disk.rename("d", "e").unwrap();
        disk.crash(seed);
        disk.list().unwrap()
    };
    let mut outcomes: Vec<_> = (0..200).map(outcome).collect();
    outcomes.sort();
    outcomes.dedup();
    let has = |names: &[&str]| outcomes.iter().any(|found| found == names);
    assert!(has(&["a", "b"]) && has(&["c", "e"]), "nothing and everything survives");
    assert!(has(&["a", "c", "e"]), "a removal is lost, what came after it is not");
    assert!(has(&["b"]), "a removal survives, what came after it does not");
    assert!(outcomes.iter().all(|names| {
        let kept = |name: &str| names.iter().any(|found| found == name);
        kept("b") != kept("c")
    }));
}

#[test]
fn a_full_disk_takes_what_needs_no_room() {
    let (disk, file) = disk_with_unsynced_writes();
    assert_eq!(disk.used(), 3300);
    disk.set_capacity(Some(3400));
    file.write_at(0, &[3; 3400]).unwrap();
    let full = file.write_at(3400, &[3]).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    let more = disk.create("b").unwrap();
    assert_eq!(more.allocate(1).unwrap_err().kind(), io::ErrorKind::StorageFull);
    disk.remove("a").unwrap();
    more.allocate(3400).unwrap();
    disk.set_capacity(None);
    more.allocate(9000).unwrap();
}

#[test]
fn errors_come_once_and_change_nothing() {
    let (disk, file) = disk_with_unsynced_writes();
    let before = read(&disk, "a");
    disk.fail_write(2);
    file.write_at(0, &[9]).unwrap();
    assert!(file.write_at(0, &[8; 100]).is_err());
    file.write_at(0, &before[..1]).unwrap();
    disk.fail_read(2);
    assert_eq!(read(&disk, "a"), before);
    assert!(file.read_at(0, &mut [0]).is_err());
    assert_eq!(read(&disk, "a"), before);
}

#[test]
fn decay_hits_what_is_written_and_lasts() {
    let disk = SimDisk::new();
    assert_eq!(disk.rot(1), None);
    let file = disk.create("a").unwrap();
    file.allocate(5000).unwrap();
    file.write_at(0, &[0xff; 100]).unwrap();
    file.sync().unwrap();
    disk.sync_dir().unwrap();
    let (name, at) = disk.rot(1).unwrap();
    assert!(name == "a" && at < 100);
    assert_eq!(read(&disk, "a")[at as usize].count_ones(), 7);
    disk.crash_losing_all();
    assert_eq!(read(&disk, "a")[at as usize].count_ones(), 7);
}

#[test]
fn a_slow_sync_says_how_slow_it_was() {
    let (disk, file) = disk_with_unsynced_writes();
    file.sync().unwrap();
    assert_eq!(disk.take_delay(), 0);
    disk.slow_syncs(70);
    file.sync().unwrap();
    disk.sync_dir().unwrap();
    assert_eq!((disk.take_delay(), disk.take_delay()), (140, 0));
}
