//! Whatever is done to entries, in whatever order: every invariant holds after every command, a
//! version on file is never lost or changed, and the same log gives the same state.

use std::collections::BTreeMap;

use catalog_model::entry_file::EntryVersion;
use proptest::prelude::*;

use crate::script::World;

/// One step: what is done, to which entry, how.
type Step = (u8, u8, u8);

const ENTRIES: [&str; 3] = ["plates", "owners", "raids"];

fn setting() -> World {
    let mut world = World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2025-07-28 09:00\"",
        "organization police",
        "organization tax",
        "listed plates provider=police checks=compliance,safety,usability sharing=unconditional standing",
        "listed owners provider=police checks=compliance,safety,usability",
        "listed raids provider=police checks=compliance,safety,usability sharing=not_shared \
         reason=r basis=\"Plan of the state||other_state_policy|\"",
    ] {
        world.run(line);
    }
    world
}

/// The step as lines of a story.
fn lines((verb, of, how): Step, now: &str, made: &mut u32) -> Vec<String> {
    let entry = ENTRIES[usize::from(of) % ENTRIES.len()];
    let by = ["", " by=xiamen.authority.system", " by=tax.system"][usize::from(how) % 3];
    let one = |text: String| vec![text];
    let today = &now[..10];
    match verb % 18 {
        0 => {
            let sharing = [
                "sharing=unconditional",
                "sharing=conditional scope=s purpose=p",
                "sharing=conditional scope=s purpose=p basis=\"Law|1|law|q\"",
                "sharing=not_shared reason=r basis=\"Law|1|law|no\"",
            ];
            one(format!("update {entry} {}", sharing[usize::from(how) % 4]))
        }
        1 => one(format!(
            "update {entry} title=t{how} items=name{}",
            [",number", ""][usize::from(how) % 2]
        )),
        2 | 3 => {
            vec![format!("consent catalog {entry} person=police.head"), format!("submit {entry}")]
        }
        4 | 5 => one(format!("publish {entry}")),
        6 => one(format!("return {entry} reason=r")),
        7 => one(format!("take_off {entry} ground=leak reason=r{by}")),
        8 => one(format!("put_back {entry} reason=r")),
        9 if how.is_multiple_of(4) => one(format!("take_out {entry} reason=r{by}")),
        9 => one(format!("archive {entry}{by}")),
        10 => {
            let trigger = ["law", "duty", "resource"][usize::from(how) % 3];
            let subject = if how.is_multiple_of(5) { "police" } else { entry };
            one(format!("change {subject} trigger={trigger} day={today} citation=c"))
        }
        11 => one(format!("more_time {entry} days={} reason=r", how % 7)),
        12 => one(format!("updated police entries={entry}")),
        13 => one(format!("review {entry} kept note=n{by}")),
        14 => one("reclassify cause=c".to_owned()),
        15 => one(format!("rule_on {entry} number=1 body=b for=a")),
        16 => {
            *made += 1;
            one(format!("request case{made} entry={entry} from=tax items=name"))
        }
        _ => one(format!("advance to=\"{now}\"")),
    }
}

fn versions(world: &World) -> BTreeMap<(String, u64), EntryVersion> {
    let domain = world.domain();
    let of = |alias: &str| {
        let rows = world.view().entry_versions(&domain, world.entry_id(alias), None, 1000).rows;
        rows.into_iter().map(|row| ((alias.to_owned(), row.number), row)).collect::<Vec<_>>()
    };
    ENTRIES.iter().flat_map(|alias| of(alias)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_to_entries(steps in prop::collection::vec(any::<(Step, u16)>(), 20..100)) {
        let mut world = setting();
        let mut said = String::new();
        let mut made = 0;
        let mut known = versions(&world);
        for (step, minutes) in steps {
            // Up to four days between steps.
            world.now = world.now.plus(u64::from(minutes % 5_760) * 60_000);
            let now = world.now.local_text();
            for line in lines(step, &now, &mut made) {
                said.push_str(&line);
                said.push('\n');
                world.run(&line);
            }
            let newer = versions(&world);
            for (key, version) in &known {
                prop_assert_eq!(newer.get(key), Some(version), "{}", said);
            }
            known = newer;
        }
        world.run("replay");
        let told = world.take_output();
        prop_assert!(!told.contains("VIOLATED"), "{said}{told}");
    }
}
