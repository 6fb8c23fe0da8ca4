use super::*;

fn leader_kill() -> &'static str {
    OWN[0]
}

fn refused(text: &str) -> String {
    let failure = Plan::parse(text).expect_err("a bad plan");
    assert_eq!((failure.exit, failure.reason.as_str()), (Exit::Usage, "plan_wrong"));
    failure.message.en
}

#[test]
fn the_plans_of_the_contract_are_there() {
    let names: Vec<String> = Plan::own().into_iter().map(|plan| plan.name).collect();
    let expected = [
        "leader-kill",
        "rolling-restart",
        "switchover",
        "site-loss",
        "standby-loss",
        "split-brain",
        "restore",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_plan_that_cannot_be_carried_out_says_what_is_missing() {
    for plan in Plan::own() {
        let runs = matches!(plan.name.as_str(), "leader-kill" | "rolling-restart");
        assert_eq!(plan.missing().is_empty(), runs, "{}", plan.name);
        if !runs {
            let failure = plan.can_run().unwrap_err();
            let (word, _) = plan.missing()[0];
            assert_eq!(failure.exit, Exit::Conflict);
            assert!(failure.message.en.contains(word), "{failure:?}");
        }
    }
}

#[test]
fn only_plans_that_take_a_site_ask_for_its_name() {
    let taking = Plan::own().into_iter().filter(|plan| plan.takes_site);
    let names: Vec<String> = taking.map(|plan| plan.name).collect();
    assert_eq!(names, ["site-loss", "split-brain", "restore"]);
}

#[test]
fn what_is_no_plan_is_refused_with_what_is_wrong() {
    let check = |from: &str, to: &str, expected: &str| {
        let text = leader_kill().replacen(from, to, 1);
        assert_ne!(text, leader_kill(), "{from} is not in the plan");
        let said = refused(&text);
        assert!(said.contains(expected), "{from} → {to}: {said}");
    };
    check("act = \"kill-leader\"", "act = \"kill-everybody\"", "no act is called `kill-everybody`");
    check("check = \"one-leader\"", "check = \"two-leaders\"", "no check is called `two-leaders`");
    check("phase = \"act\"", "phase = \"actt\"", "`actt` is no part of a drill");
    check("phase = \"act\"\nact", "phase = \"act\"\ncheck = \"no-alarms\"\nact", "and not both");
    check("act = \"kill-leader\"", "act = \"start-lost\"", "has no place in the part act");
    check(
        "check = \"one-leader\"",
        "check = \"leader-changed\"",
        "has no place in the part precheck",
    );
    check("phase = \"check\"", "phase = \"precheck\"", "no place in the part precheck");
    check("phase = \"precheck\"", "phase = \"check\"", "none goes back");
    check("rate = 100", "rate = 0", "`prober.rate` is 0");
    check("approvals = 0", "approvals = 6", "`approvals` takes 0 to 5");
    check("name = \"leader-kill\"", "name = \"Leader\"", "`name` takes");
    check("rate = 100", "rate = 100\nrat = 1", "cannot be read");
    let end = leader_kill().rfind("[[step]]").unwrap();
    assert!(refused(&leader_kill()[..end]).contains("nothing-lost"));
}

#[test]
fn a_plan_of_ones_own_says_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, leader_kill()).unwrap();
    assert_eq!(Plan::choose("leader-kill", Some(&path)).unwrap(), Plan::own()[0]);
    assert_eq!(Plan::choose("mine", Some(&path)).unwrap_err().exit, Exit::Usage);
    assert!(Plan::named("no-such-plan").unwrap_err().message.en.contains("rolling-restart"));
}
