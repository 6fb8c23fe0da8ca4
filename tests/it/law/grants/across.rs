//! A user of the district acts on a right that the city gave, by the district's gateway.

use federation_tests::{
    asking::{content, filing},
    role::{PATIENCE, Role},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, SERVICE};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, EntryView, GetEntryRequest},
    sharing::v1::{
        CheckUseRequest, GetRequestRequest, Grant, GrantState, ListServiceChangesRequest,
        ServiceChangeCause, ServiceChangeState, ShareRequest,
    },
};
use tokio::time::{Instant, sleep};

use super::{
    City,
    delivery::{acknowledgement, offer, records, used},
    done, grant,
    misuse::{judgement, report, suspension},
    purpose::end,
    refused,
    service::{proposal, show, statement},
};

/// Asks until the answer is there that the other domain has to give first.
macro_rules! until {
    ($what:literal, $ask:expr) => {{
        let started = Instant::now();
        loop {
            if let Some(found) = $ask.await {
                break found;
            }
            assert!(started.elapsed() < PATIENCE, "never came about: {}", $what);
            sleep(std::time::Duration::from_millis(50)).await;
        }
    }};
}

async fn followed(reader: &Role, entry: &CatalogEntry) -> Option<CatalogEntry> {
    let question = GetEntryRequest { name: entry.name.clone(), view: EntryView::Published.into() };
    until_answered!(reader.catalog().get_entry(question.clone())).ok()
}

async fn given(reader: &Role, case: &ShareRequest) -> Option<String> {
    let question = GetRequestRequest { name: case.name.clone() };
    let case = until_answered!(reader.sharing().get_request(question.clone())).expect("a case");
    Some(case.grant).filter(|grant| !grant.is_empty())
}

/// The grant at the user's home, once it is as `wanted` at the owner.
async fn heard(reader: &Role, wanted: &Grant) -> Option<Grant> {
    Some(grant(reader, &wanted.name).await).filter(|known| known.etag == wanted.etag)
}

pub(super) async fn acts(city: &City) {
    let City { provider, outsider, .. } = city;
    let district = &city.federation;
    let user = &district.role(Level::District, DEPARTMENT);
    let head = &district.head(Level::District, DEPARTMENT);
    let neighbour = &district.role(Level::District, SERVICE);
    let at_home = &district.role(Level::District, AUTHORITY);

    let entry = city.entry("社区养老机构信息").await;
    until!("the district follows", followed(user, &entry));
    let mut wanted = content(user, &entry);
    wanted.rate_per_day = 10;
    let case = done!(user.sharing().create_request(filing(user, head, wanted)));
    let name = until!("the case is answered", given(user, &case));
    let known = grant(user, &name).await;
    assert_eq!((known.state(), known.rate_per_day), (GrantState::Granted, 10));
    assert_eq!(known, grant(provider, &name).await, "nothing was lost on the way");

    // Delivery: offered there, acknowledged here.
    let offered = done!(provider.grants().offer_delivery(offer(&known)));
    refused!(EtagMismatch, user.grants().acknowledge_delivery(acknowledgement(&known)));
    refused!(
        CallerNotPermitted,
        neighbour.grants().acknowledge_delivery(acknowledgement(&offered))
    );
    let call = acknowledgement(&offered);
    let delivered = done!(user.grants().acknowledge_delivery(call.clone()));
    assert_eq!(delivered.state(), GrantState::Delivered);
    assert_eq!(done!(user.grants().acknowledge_delivery(call)).etag, delivered.etag);
    assert_eq!(grant(provider, &name).await, delivered);
    assert_eq!(until!("the district hears of it", heard(user, &delivered)), delivered);

    // What is not carried is answered at home: only the owner's departments offer.
    refused!(NotOwner, user.grants().offer_delivery(offer(&delivered)));

    // Use: recorded at home, inspected from there.
    let record = done!(user.grants().record_use(used(&name)));
    refused!(NotOwner, provider.grants().record_use(used(&name)));
    for role in [user, at_home, provider] {
        let list = done!(role.grants().list_use_records(records(&name)));
        assert_eq!(list.use_records, std::slice::from_ref(&record));
    }
    refused!(NotFound, neighbour.grants().list_use_records(records(&name)));
    refused!(NotFound, outsider.grants().list_use_records(records(&name)));
    let wanted = CheckUseRequest { name: name.clone(), ..Default::default() };
    assert!(done!(user.grants().check_use(wanted.clone())).permitted);
    refused!(NotFound, neighbour.grants().check_use(wanted.clone()));

    // Misuse: stopped there, reported from here, judged there.
    let stopped = done!(provider.grants().suspend_for_misuse(suspension(&delivered)));
    assert_eq!(done!(user.grants().check_use(wanted)).reason, "GRANT_SUSPENDED");
    let reported = done!(user.grants().report_rectification(report(&stopped, false)));
    let again = done!(provider.grants().judge_rectification(judgement(&reported, true)));
    assert_eq!(again.state(), GrantState::Active);

    // A change of the service: the user is heard, wherever it is at home.
    let mut proposed = proposal(city, &entry.name);
    proposed.cause = ServiceChangeCause::Other.into();
    let change = done!(provider.service_changes().propose_service_change(proposed));
    assert_eq!(done!(user.service_changes().get_service_change(show(&change))), change);
    refused!(NotFound, neighbour.service_changes().get_service_change(show(&change)));
    let list = ListServiceChangesRequest {
        parent: provider.domain(),
        entry: entry.name.clone(),
        ..Default::default()
    };
    let seen = done!(user.service_changes().list_service_changes(list));
    assert_eq!(seen.service_changes, std::slice::from_ref(&change));
    let agreed = done!(user.service_changes().state_on_service_change(statement(&change, true)));
    assert_eq!(agreed.state(), ServiceChangeState::Negotiated);

    // The end of the purpose.
    let current = grant(provider, &name).await;
    let ended = done!(user.grants().end_purpose(end(&current)));
    assert_eq!(ended.state(), GrantState::PurposeEnded);
    assert_eq!(until!("the district hears of it", heard(user, &ended)), ended);
}
