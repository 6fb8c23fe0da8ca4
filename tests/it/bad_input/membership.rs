//! Members changed by nobody who may, to what cannot be; and one that was let in and never came.

use federation_tests::{
    role::{Role, request_id},
    until_answered,
};
use luqiao::dev::cast::Level;
use luqiao_proto::operations::v1::{
    AddMemberRequest, ListMemberChangesRequest, ListMembersRequest, ListMembersResponse,
    PromoteMemberRequest, RaiseLevelRequest, RemoveMemberRequest, ReplaceMemberRequest,
};

use super::{Stage, fact, refused};

/// Where nobody listens.
const NOWHERE: &str = "127.0.0.1:1";

pub(super) async fn refused(stage: &Stage) {
    let manager = &stage.manager;
    let before = members(manager).await;
    by_whom(stage).await;
    what_cannot_be(stage).await;
    let after = members(manager).await;
    assert_eq!(after.version, before.version, "nothing that was refused has changed anything");
    a_node_that_never_came(stage).await;
    let after = members(manager).await;
    let ids = |list: &ListMembersResponse| -> Vec<String> {
        list.members.iter().map(|member| member.id.clone()).collect()
    };
    assert_eq!(ids(&after), ids(&before), "and who was let in is gone again");
}

async fn members(role: &Role) -> ListMembersResponse {
    until_answered!(role.operations().list_members(ListMembersRequest { name: role.domain() }))
        .expect("members can be listed")
}

fn add(role: &Role, node: &str, endpoint: &str) -> AddMemberRequest {
    AddMemberRequest {
        name: role.domain(),
        node: node.to_owned(),
        endpoint: endpoint.to_owned(),
        validate_only: false,
        request_id: request_id(),
        site: String::new(),
    }
}

fn promote(role: &Role, node: &str) -> PromoteMemberRequest {
    let (name, node) = (role.domain(), node.to_owned());
    PromoteMemberRequest { name, node, validate_only: false, request_id: request_id() }
}

fn remove(role: &Role, node: &str) -> RemoveMemberRequest {
    let (name, node) = (role.domain(), node.to_owned());
    RemoveMemberRequest { name, node, validate_only: false, request_id: request_id() }
}

fn replace(role: &Role, node: &str, replacement: &str) -> ReplaceMemberRequest {
    ReplaceMemberRequest {
        name: role.domain(),
        node: node.to_owned(),
        replacement: replacement.to_owned(),
        validate_only: false,
        request_id: request_id(),
    }
}

fn raise(role: &Role, level: u32) -> RaiseLevelRequest {
    let name = role.domain();
    RaiseLevelRequest { name, level, validate_only: false, request_id: request_id() }
}

/// A department reads what everybody may, and changes nothing. Nor does anybody elsewhere.
async fn by_whom(stage: &Stage) {
    let asker = &stage.asker;
    refused!(stage, CallerNotPermitted, asker, operations.add_member(add(asker, "7", NOWHERE)));
    refused!(stage, CallerNotPermitted, asker, operations.promote_member(promote(asker, "1")));
    refused!(stage, CallerNotPermitted, asker, operations.remove_member(remove(asker, "1")));
    refused!(stage, CallerNotPermitted, asker, operations.replace_member(replace(asker, "1", "2")));
    refused!(stage, CallerNotPermitted, asker, operations.raise_level(raise(asker, 0)));

    let manager = &stage.manager;
    let elsewhere = "domains/fujian".to_owned();
    let list = ListMembersRequest { name: elsewhere.clone() };
    refused!(stage, DomainUnknown, manager, operations.list_members(list));
    let history = ListMemberChangesRequest { name: elsewhere.clone(), ..Default::default() };
    refused!(stage, DomainUnknown, manager, operations.list_member_changes(history));
    let far = RemoveMemberRequest { name: elsewhere, ..remove(manager, "1") };
    refused!(stage, DomainUnknown, manager, operations.remove_member(far));
    let history = ListMemberChangesRequest {
        name: manager.domain(),
        page_token: "bm90IG91cnM".to_owned(),
        ..Default::default()
    };
    refused!(stage, PageTokenInvalid, manager, operations.list_member_changes(history));
}

async fn what_cannot_be(stage: &Stage) {
    let manager = &stage.manager;
    let addresses = stage.city.topology.of(Level::City).nodes.iter();
    let addresses: Vec<String> = addresses.map(|node| node.address.to_string()).collect();
    for node in ["", "0", "first", "-1"] {
        refused!(stage, FieldInvalid, manager, operations.add_member(add(manager, node, NOWHERE)));
        refused!(stage, FieldInvalid, manager, operations.promote_member(promote(manager, node)));
    }
    // No address, one that is taken, and another than the one the member has.
    for (node, endpoint) in [("7", "nowhere"), ("7", addresses[0].as_str()), ("1", NOWHERE)] {
        let call = add(manager, node, endpoint);
        refused!(stage, MemberChangeRefused, manager, operations.add_member(call));
    }
    refused!(stage, MemberUnknown, manager, operations.promote_member(promote(manager, "9")));
    refused!(stage, MemberUnknown, manager, operations.remove_member(remove(manager, "9")));
    refused!(stage, MemberUnknown, manager, operations.replace_member(replace(manager, "9", "1")));
    refused!(stage, MemberUnknown, manager, operations.replace_member(replace(manager, "1", "9")));
    refused!(
        stage,
        MemberChangeRefused,
        manager,
        operations.replace_member(replace(manager, "1", "2"))
    );
    let problem =
        refused!(stage, LevelUnsupported, manager, operations.raise_level(raise(manager, 99)));
    assert_eq!(fact(&problem, "level"), "99");
}

/// It gets no vote, and once it is let go its id is spent.
async fn a_node_that_never_came(stage: &Stage) {
    let manager = &stage.manager;
    for _ in 0..2 {
        // Asked for twice it is let in once.
        until_answered!(manager.operations().add_member(add(manager, "7", NOWHERE)))
            .expect("a learner is let in");
    }
    let problem =
        refused!(stage, MemberBehind, manager, operations.promote_member(promote(manager, "7")));
    assert_eq!(fact(&problem, "node"), "7");
    refused!(stage, MemberBehind, manager, operations.replace_member(replace(manager, "1", "7")));
    for expected in [true, false] {
        let gone = until_answered!(manager.operations().remove_member(remove(manager, "7")))
            .expect("it is let go");
        assert_eq!(gone.changed, expected);
    }
    refused!(stage, MemberIdUsed, manager, operations.add_member(add(manager, "7", NOWHERE)));
}
