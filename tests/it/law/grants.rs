//! What comes after a grant, by calls: delivery, use, misuse, the end of the purpose, changes of a
//! service, and users of another domain (SHR-07, 10, 13, 14, 23, 24, 25, 26; FED-14).
//!
//! One city, and for the last story the district below it, each of real processes. What the law
//! says of each step state scripts show (`catalog-node/state/testdata/grant_*.txt`); here is what
//! calls add: who may ask and see, what cannot be read, versions, and the way between two domains.

mod across;
mod delivery;
mod misuse;
mod purpose;
mod service;

use federation_tests::{
    asking::{content, filing},
    federation::Federation,
    publishing::Press,
    role::Role,
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind},
    sharing::v1::{GetGrantRequest, Grant, ShareRequest},
};

/// A grant that nobody gave, in the domain of `role`.
fn nowhere(role: &Role) -> String {
    format!("{}/grants/01JD0000000000000000000001", role.domain())
}

/// The call is refused for this reason.
macro_rules! refused {
    ($reason:ident, $role:ident.$service:ident().$method:ident($message:expr)) => {{
        let answer = federation_tests::until_answered!($role.$service().$method($message));
        let problem = luqiao_transport::status::Problem::from_status(
            &answer.expect_err(concat!(stringify!($method), " should have been refused")),
        );
        let expected = catalog_model::reason::Reason::$reason;
        assert_eq!(problem.reason, Some(expected), "{}: {}", line!(), problem.message);
        problem
    }};
}

/// The answer of a call that nothing speaks against.
macro_rules! done {
    ($role:ident.$service:ident().$method:ident($message:expr)) => {{
        let answer = federation_tests::until_answered!($role.$service().$method($message));
        answer.unwrap_or_else(|status| panic!("{}: {}", line!(), status.message()))
    }};
}

use done;
use refused;

/// A city and who lives in it.
struct City {
    federation: Federation,
    /// Publishes what the provider provides.
    press: Press,
    provider: Role,
    user: Role,
    user_head: Role,
    /// Somebody else.
    outsider: Role,
    authority: Role,
    manager: Role,
    /// The city's own gateway, which saw data come.
    gateway: Role,
}

impl City {
    async fn start(levels: &[Level]) -> Self {
        let federation = Federation::start(levels).await;
        let of = |office| federation.role(Level::City, office);
        let press = federation.press(Level::City, DEPARTMENT);
        Self {
            provider: press.provider.clone(),
            user: of(OTHER_DEPARTMENT),
            user_head: federation.head(Level::City, OTHER_DEPARTMENT),
            outsider: of(SERVICE),
            authority: of(AUTHORITY),
            manager: of(MANAGER),
            gateway: federation.gateway_of(Level::City, Level::City),
            press,
            federation,
        }
    }

    /// An entry that is given at once to whoever asks.
    async fn entry(&self, title: &str) -> CatalogEntry {
        self.press.put(title, SharingKind::Unconditional).await.expect("it is published")
    }

    /// Asks as the user does, after `change` of what it states.
    async fn ask(&self, entry: &CatalogEntry, change: impl FnOnce(&mut ShareRequest)) -> Grant {
        let user = &self.user;
        let mut wanted = content(user, entry);
        change(&mut wanted);
        let case = until_answered!(user.sharing().create_request(filing(
            user,
            &self.user_head,
            wanted.clone()
        )));
        let case = case.unwrap_or_else(|status| panic!("asked in vain: {}", status.message()));
        grant(user, &case.grant).await
    }
}

/// The grant as `role` reads it.
async fn grant(role: &Role, name: &str) -> Grant {
    done!(role.sharing().get_grant(GetGrantRequest { name: name.to_owned() }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_is_delivered_used_stopped_and_ended_by_calls() {
    let city = City::start(&[Level::City]).await;
    delivery::shr_07_delivered_by_acknowledgement(&city).await;
    delivery::shr_07_delivered_by_retrieval_which_the_platform_saw(&city).await;
    delivery::shr_10_used_as_granted_and_not_otherwise(&city).await;
    delivery::shr_14_26_use_is_recorded_inspected_and_kept(&city).await;
    misuse::shr_24_stopped_rectified_and_in_force_again(&city).await;
    misuse::shr_24_ended_after_an_inadequate_rectification(&city).await;
    purpose::shr_13_the_agreement_is_on_record(&city).await;
    purpose::shr_23_what_served_its_purpose_is_disposed_of(&city).await;
    service::shr_25_a_leak_stops_calls_and_the_procedure_follows(&city).await;
    service::shr_25_a_change_that_is_given_up(&city).await;
    assert!(city.federation.until_answering(Level::City).await.nodes.len() > 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fed_14_a_user_of_another_domain_acts_where_the_right_was_given() {
    let city = City::start(&[Level::City, Level::District]).await;
    Box::pin(across::acts(&city)).await;
}
