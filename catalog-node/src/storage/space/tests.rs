use super::*;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

#[test]
fn a_tenth_of_the_disk_within_reason() {
    for (total, refuse, resume) in [
        // A tenth, and 12 %.
        (10 * GIB, GIB, GIB / 10 * 12),
        (1000 * MIB, 100 * MIB, 120 * MIB),
        // A small disk: what must still be written would not fit into a tenth.
        (128 * MIB, 24 * MIB, 24 * MIB / 10 * 12),
        (64 * MIB, 24 * MIB, 24 * MIB / 10 * 12),
        // A large one: a tenth is plenty.
        (4096 * GIB, 8 * GIB, 8 * GIB / 10 * 12),
    ] {
        let space = DiskSpace { total, free: 0 };
        let bounds = (space.refuse_below(8 * GIB), space.resume_at(8 * GIB));
        assert_eq!(bounds, (refuse, resume), "{total}");
    }
    // Who wants a tenth of everything can have it.
    let space = DiskSpace { total: 4000 * GIB, free: 0 };
    assert_eq!(space.refuse_below(u64::MAX), 400 * GIB);
}

#[test]
fn between_the_bounds_the_answer_stays() {
    let mut watch = DiskWatch::new(8 * GIB);
    let seen: Vec<_> = [50, 10, 9, 10, 11, 12, 11, 10, 9]
        .map(|percent| watch.measured(DiskSpace { total: 10_000 * MIB, free: percent * 100 * MIB }))
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(seen, [DiskChange::NearlyFull, DiskChange::RoomAgain, DiskChange::NearlyFull]);
    assert!(watch.nearly_full());
}

#[test]
fn a_disk_is_measured() {
    let folder = tempfile::TempDir::new().unwrap();
    let space = DiskSpace::of(folder.path()).unwrap();
    assert!(space.total > 0 && space.free <= space.total, "{space:?}");
    assert!(DiskSpace::of(&folder.path().join("nowhere")).is_err());
}
