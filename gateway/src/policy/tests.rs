use catalog_model::caller::Identity;
use luqiao_proto::{catalog::v1 as catalog, federation::v1 as federation, sharing::v1 as sharing};
use prost::Message;

use super::*;

const ENTRY: &str = "domains/xiamen/entries/01JD0000000000000000000001";

fn decided(method: &str, domain: &str, call: &[u8]) -> (Rule, bool) {
    let rules = Rules {
        peers: BTreeMap::from([
            ("fujian".parse().unwrap(), PeerKind::Superior),
            ("siming".parse().unwrap(), PeerKind::Subordinate),
            ("fusion".parse().unwrap(), PeerKind::Fusion),
        ]),
    };
    let caller = Caller {
        domain: domain.parse().unwrap(),
        identity: Identity::Gateway { id: "gw-1".to_owned() },
    };
    let method = Method::find(&format!("/luqiao.{method}")).expect(method);
    let Decision { effect, determined_by } = decide(&rules, method, &caller, call);
    (determined_by, matches!(effect, Effect::Allow { .. }))
}

fn submit(name: &str, request_id: &str) -> Vec<u8> {
    catalog::SubmitEntryRequest {
        name: name.to_owned(),
        etag: String::new(),
        request_id: request_id.to_owned(),
    }
    .encode_to_vec()
}

fn list(parent: &str, page_size: i32) -> Vec<u8> {
    sharing::ListRequestsRequest { parent: parent.to_owned(), page_size, ..Default::default() }
        .encode_to_vec()
}

#[test]
fn only_what_could_not_succeed_is_refused_here() {
    const SUBMIT: &str = "catalog.v1.CatalogService/SubmitEntry";
    const LIST: &str = "sharing.v1.SharingService/ListRequests";
    for (method, call, expected) in [
        (SUBMIT, submit(ENTRY, "a"), (Rule::PassOn, true)),
        // No etag, an entry that may not exist: the state machine says so, and on the record.
        (
            SUBMIT,
            submit("domains/siming/entries/01JD0000000000000000000009", "a"),
            (Rule::PassOn, true),
        ),
        (SUBMIT, submit(ENTRY, ""), (Rule::RequestId, false)),
        (SUBMIT, submit("entries/1", "a"), (Rule::Name, false)),
        (SUBMIT, submit("", "a"), (Rule::Name, false)),
        (SUBMIT, vec![0x0a, 0x7f, 0x00], (Rule::Readable, false)),
        (LIST, list("domains/xiamen", 0), (Rule::PassOn, true)),
        (LIST, list("domains/xiamen", i32::MAX), (Rule::PassOn, true)),
        (LIST, list("domains/xiamen", -1), (Rule::PageSize, false)),
        (LIST, list("domains/xiamen", i32::MIN), (Rule::PageSize, false)),
        ("rule.v1.RuleService/GetCalendar", Vec::new(), (Rule::PassOn, true)),
    ] {
        assert_eq!(decided(method, "xiamen", &call), expected, "{method} {call:?}");
    }
}

#[test]
fn the_full_feed_goes_up_and_what_is_shared_goes_down() {
    use federation::FeedScope::{Full, Shared, Unspecified};
    for (domain, scope, allowed) in [
        ("fujian", Full, true),
        ("fujian", Shared, true),
        ("siming", Shared, true),
        ("siming", Full, false),
        ("fusion", Shared, true),
        ("fusion", Full, false),
        ("fujian", Unspecified, false),
        ("stranger", Shared, false),
    ] {
        let call = federation::FollowFeedRequest { scope: scope.into(), ..Default::default() };
        let expected = if allowed { (Rule::PassOn, true) } else { (Rule::FeedScope, false) };
        let decided =
            decided("federation.v1.FederationService/FollowFeed", domain, &call.encode_to_vec());
        assert_eq!(decided, expected, "{domain} asks for {scope:?}");
    }
}
