//! `luqiao cluster`: the effect is told before anything is done, nothing is done twice, and a
//! replacement goes on where it broke.

use serde_json::Value;

use crate::gateway::Gateway;

fn city() -> Gateway {
    Gateway::start("spiffe://city.luqiao/gateway/1")
}

fn cluster(gateway: &Gateway, line: &str) -> (i32, Value, String) {
    let arguments: Vec<&str> = ["cluster"].into_iter().chain(line.split_whitespace()).collect();
    gateway.json(&[&arguments, &["--lang", "en"][..]].concat())
}

fn text(gateway: &Gateway, line: &str, lang: &str) -> String {
    let arguments: Vec<&str> = ["cluster"].into_iter().chain(line.split_whitespace()).collect();
    let output = gateway.luqiao(&[&arguments, &["--lang", lang][..]].concat());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_list_tells_who_may_fail_and_ends_with_3_if_a_voter_has() {
    let gateway = city();
    let (code, list, talk) = cluster(&gateway, "list");
    assert_eq!((code, talk.as_str()), (0, ""));
    assert_eq!((&list["members"][0]["id"], &list["tolerance"]), (&"1".into(), &1.into()));
    assert!(text(&gateway, "list", "en").contains("1 of 3 voters may fail."));
    assert!(text(&gateway, "list", "zh").contains("3 个投票节点中可容许 1 个故障。"));

    gateway.members.lock().members[2].reachable = false;
    let (code, list, _) = cluster(&gateway, "list");
    assert_eq!((code, &list["tolerance"]), (3, &0.into()));
}

#[test]
fn a_dry_run_shows_the_effect_and_changes_nothing() {
    let gateway = city();
    for (line, voters_after, tolerance_after) in [
        ("add 4 --address node-4:7443 --dry-run", 3, 1),
        ("remove 3 --dry-run", 2, 0),
        ("replace 3 --by 4 --address node-4:7443 --dry-run", 3, 1),
    ] {
        let (code, shown, talk) = cluster(&gateway, line);
        assert_eq!(code, 0, "{line}: {talk}");
        assert_eq!((&shown["dry_run"], &shown["changed"]), (&true.into(), &true.into()), "{line}");
        let effect = &shown["effect"];
        let expected = (&voters_after.into(), &tolerance_after.into());
        assert_eq!((&effect["voters_after"], &effect["tolerance_after"]), expected, "{line}");
    }
    for line in ["transfer-leader 2 --dry-run", "raise-level --dry-run"] {
        let (code, shown, talk) = cluster(&gateway, line);
        assert_eq!((code, &shown["changed"]), (0, &true.into()), "{line}: {talk}");
    }
    let shown = text(&gateway, "remove 3 --dry-run", "zh");
    assert!(
        shown.starts_with("投票节点 3 → 2，提交所需票数 2 → 2，可容许故障节点 1 → 0"),
        "{shown}"
    );
    let cluster = gateway.members.lock();
    assert!(cluster.done.is_empty(), "{:?}", cluster.done);
}

#[test]
fn every_change_tells_its_effect_first_and_is_made_once() {
    let gateway = city();
    let add = "add 4 --address node-4:7443";
    let (code, shown, talk) = cluster(&gateway, add);
    assert_eq!((code, &shown["changed"]), (0, &true.into()), "{talk}");
    assert!(talk.starts_with("voters 3 → 3"), "the effect before anything else: {talk}");
    let settings = shown["configuration"].as_str().expect("what to configure");
    assert!(settings.contains("join = true") && settings.contains("c0ffee"), "{settings}");
    for line in [add, "promote 4", "promote 4", "remove 2", "remove 2"] {
        assert_eq!(cluster(&gateway, line).0, 0, "{line}");
    }
    for line in ["transfer-leader 3", "transfer-leader 3", "raise-level", "raise-level 2"] {
        assert_eq!(cluster(&gateway, line).0, 0, "{line}");
    }
    let done = gateway.members.lock().done.clone();
    assert_eq!(done, ["add 4", "promote 4", "remove 2", "transfer 3", "raise 2"]);

    let (_, again, _) = cluster(&gateway, "remove 2");
    assert_eq!(again["changed"], false);
    let (code, history, _) = cluster(&gateway, "history");
    assert_eq!((code, &history["changes"][0]["kind"]), (0, &"remove".into()), "the newest first");
}

#[test]
fn what_is_refused_keeps_its_reason_and_its_exit_code() {
    let gateway = city();
    gateway.members.lock().used.insert("9".to_owned());
    for (line, code, reason) in [
        ("add 9 --address node-9:7443", 6, "MEMBER_ID_USED"),
        ("promote 8", 4, "MEMBER_UNKNOWN"),
        ("transfer-leader 8", 4, "MEMBER_UNKNOWN"),
        ("raise-level 7", 6, "LEVEL_UNSUPPORTED"),
        ("replace 8 --by 9 --address node-9:7443", 4, "MEMBER_UNKNOWN"),
        ("replace 3 --by 9 --address node-9:7443", 6, "MEMBER_ID_USED"),
    ] {
        let (ended, object, talk) = cluster(&gateway, line);
        assert_eq!((ended, &object["error"]["reason"]), (code, &reason.into()), "{line}: {talk}");
    }
}

#[test]
fn a_replacement_waits_until_the_new_node_has_caught_up() {
    let gateway = city();
    gateway.members.lock().patience = 3;
    let (code, shown, talk) = cluster(&gateway, "replace 3 --by 4 --address node-4:7443");
    assert_eq!((code, &shown["changed"]), (0, &true.into()), "{talk}");
    assert!(talk.starts_with("voters 3 → 3"), "the effect before anything else: {talk}");
    assert!(talk.contains("node 4 is not reached") && talk.contains("join = true"), "{talk}");
    assert_eq!(gateway.members.roles(), "1 voter, 2 voter, 4 voter");
    assert_eq!(gateway.members.lock().done, ["add 4", "replace 3 4"]);

    let (code, shown, _) = cluster(&gateway, "replace 3 --by 4 --address node-4:7443");
    assert_eq!((code, &shown["changed"]), (0, &false.into()), "it is so already");
}

#[test]
fn a_replacement_goes_on_where_it_broke() {
    let gateway = city();
    let replace = "replace 3 --by 4 --address node-4:7443";
    {
        // Both answers are lost; and the new node does not come up in time.
        let mut cluster = gateway.members.lock();
        cluster.lost.extend(["add", "replace"]);
        cluster.patience = 1000;
    }
    let (code, object, talk) = cluster(&gateway, &format!("{replace} --wait 1s"));
    assert_eq!((code, &object["error"]["reason"]), (8, &"not_replaced_in_time".into()), "{talk}");
    assert!(talk.contains("run it again"), "{talk}");
    assert_eq!(gateway.members.roles(), "1 voter, 2 voter, 3 voter, 4 learner");

    gateway.members.lock().patience = 0;
    let (code, _, talk) = cluster(&gateway, replace);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(gateway.members.roles(), "1 voter, 2 voter, 4 voter");
    assert_eq!(gateway.members.lock().done, ["add 4", "replace 3 4"], "nothing was done twice");
}
