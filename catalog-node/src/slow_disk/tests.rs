use super::*;

/// Feeds syncs, `s` for a slow one and `.` for a quick one, and writes down what was judged after
/// each: `!` it turned slow, `+` it turned sound, `-` no change.
fn judged(syncs: &str) -> String {
    let mut seen = Syncs::default();
    let one = |sync| match sync {
        's' => SLOW + Duration::from_millis(1),
        _ => SLOW,
    };
    syncs
        .chars()
        .map(|sync| match seen.saw(one(sync)) {
            None => '-',
            Some(true) => '!',
            Some(false) => '+',
        })
        .collect()
}

#[test]
fn a_run_of_slow_syncs_makes_a_slow_disk_and_a_run_of_quick_ones_a_sound_one() {
    for (syncs, expected) in [
        ("........", "--------"),
        ("s.......s.......s", "-----------------"),
        ("sssss...", "--------"),
        ("ssssss", "-----!"),
        ("ss.ss.ss", "-------!"),
        ("ssssss......", "-----!-----+"),
        ("ssssss..s..s..s...", "-----!-------+----"),
        ("ssssss......ssssss", "-----!-----+-----!"),
    ] {
        assert_eq!(judged(syncs), expected, "{syncs}");
    }
}
