//! Whatever is said to two domains, in whatever order: every invariant holds after every command,
//! the same log gives the same state, and once all is delivered both hold the same.

use catalog_model::share_request::ShareRequest;
use proptest::prelude::*;

use crate::{
    keys::Table,
    script::{World, domain},
    snapshot::{self, Block, Manifest, Position, Receiver},
    store::{MemStore, Store as _},
    view::View,
};

/// One step of somebody, with what it is about and how.
type Step = (u8, u8, u8, u8);

/// Requests are made up to this many in each of the two domains.
const CASES: u8 = 6;

fn setting(level: u32) -> World {
    let mut world = World::default();
    let city = format!(
        "cluster xiamen clock=\"2026-09-21 09:00\" peers=siming level={level} members=1,2,3"
    );
    // What a cluster of level 3 tells of rights, one below it refuses.
    let district = match level {
        3 => "cluster siming kind=district clock=\"2026-09-21 09:00\" peers=xiamen level=3",
        _ => "cluster siming kind=district clock=\"2026-09-21 09:00\" peers=xiamen",
    };
    for line in [
        district,
        "organization clinic",
        "organization school",
        &city,
        "organization police",
        "organization tax",
        "organization hospital class=public_service capacities=public_service",
        "organization water class=public_service capacities=public_service",
        "listed plates provider=police",
        "listed register provider=tax sharing=unconditional standing",
        "listed mixed provider=tax items=name,number:unconditional standing",
        "listed fees provider=tax sharing=unconditional",
        "listed beds provider=hospital kind=public_service",
        "listed secret provider=police sharing=not_shared reason=r basis=\"Law|1|law|no\"",
        "on siming",
        "follow xiamen",
    ] {
        world.run(line);
    }
    world
}

const ENTRIES: [(&str, &str); 6] = [
    ("plates", "police"),
    ("register", "tax"),
    ("fees", "tax"),
    ("mixed", "tax"),
    ("beds", "hospital"),
    ("secret", "police"),
];

/// The step as a line of a story, if it makes sense for the moment.
fn line(world: &World, made: &mut u8, (verb, of, how, who): Step) -> Option<Vec<String>> {
    let (entry, provider) = ENTRIES[usize::from(of) % ENTRIES.len()];
    let case = format!("case{}", of % (*made).max(1));
    let known = |case: &str| {
        let name = world.names.get(case)?;
        let catalog_model::name::Resource::Request(id) = name.resource else { return None };
        world.view().request(&name.domain, id)
    };
    let here = world.domain();
    let one = |text: String| Some(vec![text]);
    match verb % 20 {
        0..=3 if *made < CASES => {
            let askers: &[&str] = match here.as_str() {
                "siming" => &["clinic", "school"],
                _ => &["tax", "police", "water", "hospital"],
            };
            let asker = askers[usize::from(who) % askers.len()];
            let items =
                ["name", "number", "name,number", "name", "name,number", "colour", "", "number"]
                    [usize::from(how) % 8];
            *made += 1;
            one(format!("request case{} entry={entry} from={asker} items={items}", *made - 1))
        }
        4 | 5 => {
            let case_row = known(&case)?;
            let provider = case_row.provider.name.clone();
            let by = [format!("{provider}.office"), "xiamen.authority.office".to_owned()];
            let by = &by[usize::from(who) % 2];
            // Persons call where they are on file.
            if here.as_str() != "xiamen" {
                return one("on xiamen".to_owned());
            }
            let answer = ["agreed", "in_part items=name reason=r", "refused reason=r", "refused"];
            one(format!("answer {case} {} by={by}", answer[usize::from(how) % 4]))
        }
        6 => known(&case).and_then(|_| one(format!("missing {case} what=paper by=police.system"))),
        7 => known(&case).and_then(|_| one(format!("completed {case} duty=law{how}"))),
        8 => known(&case).and_then(|_| {
            one(format!(
                "withdraw {case} reason=r by={}",
                ["clinic.system", "tax.system"][usize::from(who % 2)]
            ))
        }),
        9 => known(&case).and_then(|_| {
            one(format!("opinion {case} {} text=t", ["for", "against"][usize::from(how % 2)]))
        }),
        10 => {
            known(&case)?;
            one(format!("extend {case} days={} reason=r by=xiamen.authority.system", how % 12))
        }
        11 | 12 => one("deliver siming xiamen".to_owned()),
        13 | 14 => {
            let again = ["", " unacknowledged"][usize::from(how % 2)];
            one(format!("deliver xiamen siming{again}"))
        }
        15 => Some(vec!["on siming".to_owned(), format!("follow xiamen batch={}", 1 + how % 3)]),
        16 => Some(vec![
            "on xiamen".to_owned(),
            format!(
                "update {entry} items=name{} by={provider}.system",
                [",number", ""][usize::from(how % 2)]
            ),
            format!("consent catalog {entry} person={provider}.head"),
            format!("submit {entry} by={provider}.system"),
            format!("publish {entry}"),
        ]),
        // Rarely: it ends what the others live on.
        17 if how.is_multiple_of(4) => Some(vec![
            "on xiamen".to_owned(),
            format!("take_out {entry} reason=r by={provider}.system"),
        ]),
        18 => {
            let grant = format!("{case}.grant");
            let name = world.names.get(&grant)?;
            let catalog_model::name::Resource::Grant(id) = name.resource else { return None };
            world.view().grant(&name.domain, id)?;
            let verb = ["suspend", "terminate"][usize::from(how % 2)];
            let by = "by=xiamen.authority.system";
            let until = if verb == "suspend" { " rectify_by=2026-10-30" } else { "" };
            one(format!("{verb} {grant} reason=r {by}{until}"))
        }
        17 => {
            let (node, other) = (1 + of % 6, 1 + who % 6);
            let change = match how % 5 {
                0 => format!("add {node}"),
                1 => format!("promote {node}"),
                2 => format!("remove {node}"),
                3 => format!("replace {node} with={other}"),
                _ => "finish".to_owned(),
            };
            Some(vec!["on xiamen".to_owned(), format!("member {change}")])
        }
        _ => one(format!("on {}", ["siming", "xiamen"][usize::from(how % 2)])),
    }
}

fn cases(world: &World, of: &str) -> Vec<ShareRequest> {
    let store = &world.clusters[&domain(of)].store;
    store
        .range(&[Table::Request as u8], &[Table::Request as u8 + 1])
        .map(|(_, bytes)| crate::codec::decode(&bytes).unwrap())
        .collect()
}

/// A copy by way of a snapshot in small blocks.
fn copied(store: &MemStore) -> Option<MemStore> {
    let blocks: Vec<Block> = snapshot::cut(store, 8 << 10).collect();
    let position = Position { index: 1, term: 1, membership: Vec::new() };
    let manifest = Manifest::of(store, position, blocks.iter().map(Block::info).collect())?;
    let mut receiver = Receiver::new(manifest).ok()?;
    let mut copy = MemStore::default();
    while let Some(number) = receiver.wants() {
        copy.0.extend(receiver.take(number, &blocks[number as usize].bytes).ok()?);
    }
    Some(copy)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said(
        steps in prop::collection::vec(any::<(Step, u16)>(), 20..120),
        level in 2u32..=3,
    ) {
        let mut world = setting(level);
        let mut made = 0;
        let mut said = String::new();
        for (step, minutes) in steps {
            // Up to two days between steps; every third moves the clock and fires what is due.
            world.now = world.now.plus(u64::from(minutes % 2_880) * 60_000);
            if minutes.is_multiple_of(3) {
                let to = world.now.local_text();
                world.run(&format!("advance to=\"{to}\""));
            }
            for line in line(&world, &mut made, step).unwrap_or_default() {
                said.push_str(&line);
                said.push('\n');
                world.run(&line);
            }
        }
        // In the end everything that is owed arrives.
        for line in [
            "deliver siming xiamen", "deliver xiamen siming", "on siming", "follow xiamen",
            "replay", "on xiamen", "replay",
        ] {
            world.run(line);
        }
        let told = world.take_output();
        prop_assert!(!told.contains("VIOLATED"), "{said}{told}");

        for (of, cluster) in &world.clusters {
            let copy = copied(&cluster.store);
            prop_assert_eq!(copy, Some(cluster.store.clone()), "{} of {}", said, of);
        }

        let at_home = cases(&world, "siming");
        let at_owner: Vec<_> = cases(&world, "xiamen")
            .into_iter()
            .filter(|case| case.domain.as_str() == "siming")
            .collect();
        for (copy, case) in at_home.iter().zip(&at_owner) {
            prop_assert_eq!((copy.state, copy.version), (case.state, case.version), "{}{}", said, told);
            prop_assert_eq!(&copy.answer, &case.answer);
        }
        prop_assert_eq!(at_home.len(), at_owner.len(), "{}{}", said, told);
        let xiamen = domain("xiamen");
        for entry in ENTRIES.map(|(alias, _)| world.entry_id(alias)) {
            let own = View(&world.clusters[&xiamen].store).published_entry(&xiamen, entry);
            let followed = View(&world.clusters[&domain("siming")].store).published_entry(&xiamen, entry);
            prop_assert_eq!(own.map(|entry| entry.version), followed.map(|entry| entry.version));
        }
    }
}
