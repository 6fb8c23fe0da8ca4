//! Whatever happens to rights, in whatever order: every invariant holds after every command, and
//! the same log gives the same state.

use proptest::prelude::*;

use crate::script::World;

/// One step: what happens, to which right, how, who says so.
type Step = (u8, u8, u8, u8);

fn setting() -> World {
    let mut world = World::default();
    for line in [
        "cluster siming kind=district clock=\"2026-09-21 09:00\" peers=xiamen level=3",
        "organization clinic",
        "cluster xiamen clock=\"2026-09-21 09:00\" peers=siming level=3",
        "organization police",
        "organization tax",
        "organization hospital class=public_service capacities=public_service",
        "listed plates provider=police standing sharing=unconditional items=name,number,colour",
        "listed beds provider=hospital standing sharing=unconditional kind=public_service",
        "request case0 entry=plates from=tax",
        "request case1 entry=beds from=tax items=name",
        "on siming",
        "follow xiamen",
        "request case2 entry=plates from=clinic items=name,colour",
        "deliver siming xiamen",
        "deliver xiamen siming",
        "on xiamen",
    ] {
        world.run(line);
    }
    world
}

/// The step as a line of a story.
fn line(changes: &mut u8, (verb, of, how, who): Step) -> String {
    let case = of % 3;
    let grant = format!("case{case}.grant");
    let entry = ["plates", "beds", "plates"][usize::from(case)];
    let provider = ["police", "hospital", "police"][usize::from(case)];
    let user = ["tax", "tax", "clinic"][usize::from(case)];
    let right = !who.is_multiple_of(5);
    let by = |right_one: &str| {
        let by = if right { right_one } else { ["tax", "police", "clinic"][usize::from(who % 3)] };
        format!("by={by}.system")
    };
    let change = format!("change{}", changes.saturating_sub(1 + of % 2));
    let supervisor = if how.is_multiple_of(2) { provider } else { "xiamen.authority" };
    match verb % 24 {
        0 => format!("offer {grant} {}", by(provider)),
        1 => format!("retrieved {grant}"),
        2 => format!("retrieved {grant} test"),
        3 => format!("acknowledge {grant} {}", by(user)),
        4 | 5 => {
            let day = 24 + how % 6;
            format!(
                "misused {grant} ground=scope reason=r rectify_by=2026-09-{day} {}",
                by(supervisor)
            )
        }
        6 => format!("suspend {grant} reason=r rectify_by=2026-10-2{} {}", how % 9, by(supervisor)),
        7 => format!(
            "rectified {grant} {} text=t {}",
            ["done", "refused"][usize::from(how % 2)],
            by(user)
        ),
        8 | 9 => {
            let word = ["adequate", "inadequate"][usize::from(of / 3 % 2)];
            format!("judge {grant} {word} reason=r {}", by(supervisor))
        }
        10 => format!("terminate {grant} reason=r {}", by(supervisor)),
        11 if how.is_multiple_of(4) => format!("purpose_ended {grant} met {}", by(user)),
        12 => format!("require_disposal {grant} returned {}", by(provider)),
        13 => {
            let manner = ["returned", "destroyed"][usize::from(how % 2)];
            format!("disposed {grant} {manner} {}", by(user))
        }
        14 => format!("used {grant} scenario=s process=p {}", by(user)),
        15 => format!("purge {grant} before=2026-10-0{} {}", 1 + how % 9, by(user)),
        16 if *changes < 200 => {
            let kind = ["end", "narrow items=colour", "change"][usize::from(how % 3)];
            let cause = ["leak", "source", "law"][usize::from(who % 3)];
            let alias = format!("change{changes}");
            *changes += 1;
            format!(
                "change_service {alias} of={entry} {kind} cause={cause} reason=r from=2026-10-0{}",
                1 + how % 5
            )
        }
        17 | 18 if *changes > 0 => {
            let word = ["agrees", "objects"][usize::from(how % 4 / 3)];
            format!("states {change} {word} as={user}")
        }
        19 if *changes > 0 => format!("negotiated {change}"),
        20 if *changes > 0 => format!("filed {change}"),
        21 if *changes > 0 => format!("effect {change}"),
        22 if *changes > 0 && how.is_multiple_of(3) => format!("abandon {change} reason=r"),
        _ => "deliver xiamen siming".to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_rights(
        steps in prop::collection::vec(any::<(Step, u16)>(), 20..160),
    ) {
        let mut world = setting();
        let mut changes = 0;
        let mut said = String::new();
        for (step, minutes) in steps {
            world.now = world.now.plus(u64::from(minutes % 1_440) * 60_000);
            if minutes.is_multiple_of(3) {
                let to = world.now.local_text();
                world.run(&format!("advance to=\"{to}\""));
            }
            let line = line(&mut changes, step);
            // A change that was refused has a name in the story and no row.
            let unknown = ["states", "negotiated", "filed", "effect", "abandon"]
                .iter()
                .any(|verb| line.starts_with(verb))
                && {
                    let alias = line.split(' ').nth(1).expect("a change");
                    world.service_change_row(&world.named(alias)).is_none()
                };
            if unknown {
                continue;
            }
            said.push_str(&line);
            said.push('\n');
            world.run(&line);
        }
        for line in ["deliver xiamen siming", "replay", "on siming", "replay"] {
            world.run(line);
        }
        let told = world.take_output();
        prop_assert!(!told.contains("VIOLATED"), "{said}{told}");
    }
}
