use super::*;

const ID: &str = "01JD0000000000000000000001";

fn routes() -> Routes {
    Routes {
        domain: "xiamen".parse().unwrap(),
        peers: BTreeSet::from(["fujian".parse().unwrap(), "siming".parse().unwrap()]),
    }
}

#[test]
fn every_call_finds_who_answers_it() {
    let own = || Ok(Destination::Own);
    let copy = |domain: &str| Ok(Destination::OwnCopyOf(domain.parse().unwrap()));
    let owner = |domain: &str| Ok(Destination::Owner(domain.parse().unwrap()));
    let nobody = || Err(NoLink("fuzhou".parse().unwrap()));
    for (method, name, expected) in [
        ("catalog.v1.CatalogService/GetEntry", "domains/xiamen/entries/ID", own()),
        ("catalog.v1.CatalogService/GetEntry", "domains/fujian/entries/ID", copy("fujian")),
        ("catalog.v1.CatalogService/GetEntry", "domains/fuzhou/entries/ID", nobody()),
        ("catalog.v1.CatalogService/ListEntries", "domains/siming", copy("siming")),
        ("catalog.v1.CatalogService/ListEntries", "", own()),
        // A new case belongs to its asker's domain, whoever owns the entry.
        ("sharing.v1.SharingService/CreateRequest", "domains/xiamen", own()),
        // A case keeps the name that it got two links away.
        ("sharing.v1.SharingService/AnswerRequest", "domains/siming/requests/ID", own()),
        ("sharing.v1.SharingService/GetRequest", "domains/fuzhou/requests/ID", own()),
        ("sharing.v1.SharingService/GetGrant", "domains/fuzhou/grants/ID", own()),
        // A right is changed by its user in the domain that gave it, which may be another.
        ("sharing.v1.GrantService/EndPurpose", "domains/xiamen/grants/ID", own()),
        ("sharing.v1.GrantService/EndPurpose", "domains/fujian/grants/ID", owner("fujian")),
        ("sharing.v1.GrantService/EndPurpose", "domains/fuzhou/grants/ID", nobody()),
        ("sharing.v1.GrantService/OfferDelivery", "domains/fujian/grants/ID", own()),
        // What it did with the data it records at home.
        ("sharing.v1.GrantService/RecordUse", "domains/fujian/grants/ID", own()),
        ("sharing.v1.GrantService/ListUseRecords", "domains/fujian/grants/ID", own()),
        (
            "sharing.v1.ServiceChangeService/GetServiceChange",
            "domains/siming/service-changes/ID",
            owner("siming"),
        ),
        ("sharing.v1.ServiceChangeService/ListServiceChanges", "domains/siming", owner("siming")),
        (
            "organization.v1.OrganizationService/GetOrganization",
            "domains/fuzhou/organizations/ID",
            nobody(),
        ),
        ("federation.v1.FederationService/ForwardRequest", "", own()),
        ("rule.v1.RuleService/GetRulePack", "", own()),
    ] {
        let method = Method::find(&format!("/luqiao.{method}")).expect(method);
        let name = (!name.is_empty()).then(|| name.replace("ID", ID).parse().unwrap());
        assert_eq!(find(&routes(), method, name.as_ref()), expected, "{method:?} {name:?}");
    }
}
