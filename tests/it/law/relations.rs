//! What ties entries together, by calls: datasets and sources, functions that go to another
//! department, objections to attributes, and how data came to a department (CAT-04, 05, 06, 08, 12,
//! 13, 15, 16, 17, 23; SHR-11, 15, 29; FED-16).
//!
//! One city of real processes a story. What the law says of each step state scripts show
//! (`catalog-node/state/testdata`); here is what calls add: who may ask and see, what cannot be read,
//! and versions.

mod acquisitions;
mod by_command;
mod ledger;
mod objections;
mod transfers;

use federation_tests::{
    federation::Federation,
    publishing::{Press, entry},
    role::Role,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{catalog::v1::SharingKind, sharing::v1::PaperDecision};
use luqiao_transport::status::Problem;

/// The call is refused for this reason: `refused!(NotFound, role.service().method(message))`.
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

pub(super) use done;
pub(super) use refused;

/// A city and who lives in it.
pub(super) struct City {
    federation: Federation,
    /// Publishes what the provider provides.
    pub(super) press: Press,
    /// Publishes what the other department provides.
    pub(super) other_press: Press,
    pub(super) provider: Role,
    pub(super) head: Role,
    pub(super) other: Role,
    /// Somebody whom none of it concerns.
    pub(super) outsider: Role,
    pub(super) authority: Role,
    pub(super) manager: Role,
    pub(super) government: Role,
}

impl City {
    pub(super) async fn start() -> Self {
        let federation = Federation::start(&[Level::City]).await;
        let of = |office| federation.role(Level::City, office);
        Self {
            press: federation.press(Level::City, DEPARTMENT),
            other_press: federation.press(Level::City, OTHER_DEPARTMENT),
            provider: of(DEPARTMENT),
            head: federation.head(Level::City, DEPARTMENT),
            other: of(OTHER_DEPARTMENT),
            outsider: of(SERVICE),
            authority: of(AUTHORITY),
            manager: of(MANAGER),
            government: of("government"),
            federation,
        }
    }

    /// A published entry of the provider with two items.
    pub(super) async fn listed(&self, title: &str, sharing: SharingKind) -> String {
        self.press.put(title, sharing).await.expect("it is published").name
    }

    /// A draft of the other department with the same items.
    async fn draft(&self, title: &str) -> String {
        let draft = entry(&self.other, title, SharingKind::Conditional);
        self.other_press.register(draft).await.expect("it is registered").name
    }
}

/// A name in the domain of `role` that nothing has.
pub(super) fn nothing(role: &Role, kind: &str) -> String {
    format!("{}/{kind}/01JD0000000000000000000001", role.domain())
}

/// The fields that a refusal names.
pub(super) fn fields(problem: &Problem) -> Vec<&str> {
    problem.fields.iter().map(|(field, _)| field.as_str()).collect()
}

/// A decision on paper; made up.
fn paper(number: &str) -> PaperDecision {
    PaperDecision {
        document_number: number.to_owned(),
        digest: vec![9; 32].into(),
        date: "2026-09-18".to_owned(),
        issuing_body: "市人民政府（合成）".to_owned(),
        recorded_for: "市人民政府（合成）".to_owned(),
    }
}
