use super::*;

fn member(id: &str, role: &str, lag: Option<u64>) -> Member {
    Member {
        id: id.to_owned(),
        endpoint: format!("node-{id}:7443"),
        role: role.to_owned(),
        reachable: lag.is_some(),
        lag,
        supported_level: 2,
        ..Default::default()
    }
}

fn city() -> ListMembersResponse {
    let leader = Member { leader: true, ..member("2", "voter", Some(0)) };
    let members = vec![member("1", "voter", Some(7)), leader, member("3", "voter", Some(3))];
    ListMembersResponse { members, version: 1, level: 2, quorum: 2, tolerance: 1, joint: false }
}

fn written(list: &ListMembersResponse, lang: Lang) -> String {
    let mut out = Vec::new();
    write_members(&mut out, list, lang).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_list_can_be_read_at_night() {
    let mut list = city();
    list.members.push(Member {
        receiving_snapshot: true,
        supported_level: 0,
        ..member("4", "learner", None)
    });
    let text = written(&list, Lang::En);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = text.lines().map(words).collect();
    assert_eq!(lines[2], ["2", "node-2:7443", "voter", "*", "yes", "0", "2"], "{text}");
    assert_eq!(lines[4], ["4", "node-4:7443", "learner", "NO", "?", "receiving", "?"], "{text}");
    assert!(text.contains("\n1 of 3 voters may fail.\n"), "{text}");
    let text = written(&list, Lang::Zh);
    assert!(text.contains("3 个投票节点中可容许 1 个故障。"), "{text}");
}

#[test]
fn what_has_failed_already_is_counted_and_told() {
    let mut list = city();
    list.members[0].reachable = false;
    list.tolerance = 0;
    assert!(written(&list, Lang::En).contains("0 of 3 voters may fail, beside the 1 that"));
    list.members[2].reachable = false;
    assert!(written(&list, Lang::En).contains("Only 1 of 3 voters can be reached, and it takes 2"));
    list.members[1].leader = false;
    assert!(written(&list, Lang::En).contains("Nobody leads"));
    list.joint = true;
    assert!(written(&list, Lang::Zh).contains("成员变更进行中"));
}

#[test]
fn leadership_goes_to_who_is_named_or_most_caught_up() {
    let list = city();
    let chosen = |node| successor(&list, node).map(|member| member.map(|member| &*member.id));
    assert_eq!(chosen(None), Ok(Some("3")));
    assert_eq!(chosen(Some(1)), Ok(Some("1")));
    assert_eq!(chosen(Some(2)), Ok(Some("2")), "it leads already");
    assert_eq!(chosen(Some(9)).unwrap_err().exit, Exit::NotFound);

    let mut list = city();
    list.members[0] = member("1", "learner", Some(0));
    list.members[2].reachable = false;
    assert_eq!(successor(&list, None), Ok(None), "the cluster will say so");
    for node in [1, 3] {
        let failure = successor(&list, Some(node)).unwrap_err();
        assert_eq!((failure.exit, &*failure.reason), (Exit::Conflict, "TRANSFER_REFUSED"));
    }
}

#[test]
fn a_dry_run_shows_the_effect_and_says_that_nothing_was_changed() {
    let effect = QuorumEffect {
        voters_before: 3,
        voters_after: 2,
        quorum_before: 2,
        quorum_after: 2,
        tolerance_before: 1,
        tolerance_after: 0,
    };
    let mut shown = Shown::of(3, true, 4, Some(effect));
    let text = |shown: &Shown| {
        let mut out = Vec::new();
        write_change(&mut out, shown, Lang::En).unwrap();
        String::from_utf8(out).unwrap()
    };
    shown.dry_run = true;
    let said = text(&shown);
    assert!(said.starts_with("voters 3 → 2, votes to commit 2 → 2"), "{said}");
    assert!(said.contains("no voter may fail") && said.contains("nothing was changed"), "{said}");
    shown.changed = false;
    assert!(text(&shown).starts_with("it is so already"));
}
