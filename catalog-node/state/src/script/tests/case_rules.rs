//! Each rule of the pack that the life of a case rests on has an effect: with it something is
//! refused or happens, without it in the pack that is gone.

use crate::script::World;

/// Two departments and an entry of one, a hospital and a waterworks outside decree 809, in a
/// cluster without `rule`.
fn setting(without: &str) -> World {
    let mut world = World::default();
    world.run("cluster siming kind=district level=3 clock=\"2026-09-21 09:00\" peers=xiamen");
    world.run("organization clinic");
    world.run(&format!(
        "cluster xiamen level=3 clock=\"2026-09-21 09:00\" peers=siming without={without}"
    ));
    for line in [
        "organization police",
        "organization tax",
        "organization hospital class=public_service capacities=public_service",
        "organization water class=public_service capacities=public_service",
        "listed plates provider=police",
        "listed register provider=police items=name,number:unconditional standing",
        "listed beds provider=hospital kind=public_service",
    ] {
        world.run(line);
    }
    let told = world.take_output();
    assert!(!told.contains("refused"), "{told}");
    world
}

/// Plays the lines with and without `rule`; what is said must hold with it and not without, the
/// other way round for what is said after a `!`.
fn check(rule: &str, lines: &[&str], said: &str) {
    let told = |without: &str| {
        let mut world = setting(without);
        for line in lines {
            world.run(line);
        }
        let told = world.take_output();
        assert!(!told.contains("VIOLATED"), "{rule}: {told}");
        told
    };
    let (with, without) = (told(""), told(rule));
    let (said, holds) = said.strip_prefix('!').map_or((said, true), |said| (said, false));
    assert_eq!(with.contains(said), holds, "with {rule}:\n{with}");
    assert_eq!(without.contains(said), !holds, "without {rule}:\n{without}");
}

#[test]
fn without_a_rule_its_effect_is_gone() {
    let ask = "request case1 entry=plates from=tax";
    let ask_beds = "request case1 entry=beds from=water head=none";
    // SHR-06: no rule, no extension; without its needs neither reason nor consent is asked for.
    check(
        "N809-21-1-extension-max",
        &[ask, "propose case1 days=5 reason=r"],
        "!EXTENSION_NOT_ALLOWED",
    );
    let needs = "N809-21-1-extension-consent-notice";
    check(needs, &[ask, "propose case1 days=5"], "REASON_MISSING");
    check(needs, &[ask, "propose case1 days=5 reason=r"], "!due 2026-10-19");
    check(
        needs,
        &[ask, "extend case1 days=5 reason=r", "show ledger case1"],
        "ExtensionNoticeGiven",
    );
    let twice = [ask, "extend case1 days=5 reason=r", "extend case1 days=5 reason=r"];
    check("HOUSE-extension", &twice, "EXTENSION_NOT_ALLOWED");

    // SHR-30, CAL-18: without the clock the provider's time does not run out.
    let silent = [
        ask_beds,
        "ask_opinion case1",
        "at 2026-10-09 09:00",
        "answer case1 agreed by=xiamen.authority.system",
    ];
    check("HOUSE-opinion-clock", &silent, "case1 is Agreed");

    // SHR-31, CAL-21.
    let late = [ask, "advance to=\"2026-10-13 00:00\"", "show case1"];
    check("N809-39-1-order", &late, "order_to_correct");
    let late_beds = [ask_beds, "advance to=\"2026-10-13 00:00\"", "show case1"];
    check("REG22-63-1-order", &late_beds, "order_to_rectify_by_date");
    check("HOUSE-reason-hearing", &late, "reasons are heard until 2026-10-20");
    let rejected =
        [ask, "advance to=\"2026-10-13 00:00\"", "rule case1 rejected reason=r", "show case1"];
    // Without the house's time the reason is heard until somebody rules; without the law beside,
    // lateness counts as it is.
    check("HOUSE-reason-hearing", &rejected, "REASON_NOT_HEARD");
    check("HOUSE-reason-hearing,N809-39-1-late", &late, "!\"nothing yet\"; counted");
    check("N809-39-1-late", &rejected, "heard (《政务数据共享条例》 art. 39¶1)");

    // Warnings, CAL-20, CAL-22.
    check("HOUSE-warnings", &[ask, "show deadlines"], "Warning by");
    let incomplete = [ask, "missing case1 what=term", "show deadlines"];
    check("HOUSE-completion-lapse", &incomplete, "CompletionLapse by");
    check(
        "HOUSE-completion-suspension",
        &[ask, "missing case1 what=term", "show case1"],
        "the clock stands still",
    );

    // SHR-05: no standing answer, nothing at once.
    let mixed = ["request case1 entry=register from=tax", "show case1"];
    check("HOUSE-standing-answer", &mixed, "number granted at once");

    // Must-refuse 29: without the house rule there is nothing to turn on.
    let separated =
        ["separation on reason=audit", "request case1 entry=plates from=tax by=tax.office"];
    check("HOUSE-separation", &separated, "SELF_APPROVAL");

    // SHR-29, must-refuse 48.
    let window = ["window request case1 from=tax entry=plates number=W-1 issued=tax for=tax"];
    check("HOUSE-receipt", &window, "case1 is Submitted");
    let no_number = ["window request case1 from=tax entry=plates issued=tax for=tax"];
    check("HOUSE-paper-decision", &no_number, "PAPER_INCOMPLETE");
    let clerk = ["window request case1 from=tax entry=plates number=W-1 issued=xiamen.manager \
                  for=tax"];
    check("HOUSE-paper-decision", &clerk, "CLERK_AS_DECIDER");

    // SHR-28.
    let dispute = [ask, "dispute d1 case=case1 text=t"];
    check("N809-28-2-ladder", &dispute, "d1 is Raised");
    let across = [
        "on siming",
        "follow xiamen",
        "request case1 entry=plates from=clinic",
        "deliver siming xiamen",
        "on xiamen",
        "dispute d1 case=case1 text=t by=police.system",
        "position d1 text=t number=S-1 issued=clinic for=clinic",
        "minutes d1 failed text=t",
        "coordinate d1 failed text=t",
    ];
    check("N809-28-2-cross-level", &across, "COORDINATOR_NOT_ABOVE");
}

/// The clock of a hop is of the domain that passes the case on (CAL-22).
#[test]
fn without_its_rule_a_hop_has_no_clock() {
    for (without, deadline) in [("", true), ("HOUSE-hop-clock", false)] {
        let mut world = World::default();
        for line in [
            &format!(
                "cluster siming kind=district level=3 clock=\"2026-09-21 09:00\" peers=xiamen \
                 without={without}"
            ),
            "organization clinic",
            "cluster xiamen level=3 clock=\"2026-09-21 09:00\" peers=siming",
            "organization police",
            "listed plates provider=police",
            "on siming",
            "follow xiamen",
            "request case1 entry=plates from=clinic",
            "show deadlines",
        ] {
            world.run(line);
        }
        assert_eq!(world.take_output().contains("Hop by"), deadline);
    }
}
