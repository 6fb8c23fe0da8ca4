//! Asking: what does a request say that nothing speaks against?

use luqiao_proto::{
    catalog::v1::CatalogEntry,
    sharing::v1::{Commitment, CreateRequestRequest, ShareRequest, Term},
};

use crate::role::{Role, request_id};

/// The day on which the development clock begins, and the last one of a year's term.
pub const TERM: (&str, &str) = ("2026-09-21", "2027-09-20");

/// What `asker` would state to get all items of `entry`.
pub fn content(asker: &Role, entry: &CatalogEntry) -> ShareRequest {
    ShareRequest {
        entry: entry.name.clone(),
        system: asker.system(),
        scenario: "企业信用核查".to_owned(),
        duty_basis: "《测试用条例》第三条".to_owned(),
        items: entry.items.iter().map(|item| item.name.clone()).collect(),
        method: entry.sharing_method,
        term: Some(Term { from: TERM.0.to_owned(), to: TERM.1.to_owned() }),
        commitments: [
            Commitment::ScenarioAuthentic,
            Commitment::ScenarioCompliant,
            Commitment::ScenarioSecure,
            Commitment::RequestAuthentic,
            Commitment::RequestLawful,
            Commitment::RequestNecessary,
        ]
        .map(Into::into)
        .into(),
        ..Default::default()
    }
}

/// The call with which the asker's system files it; `head`, a person of the asker, consents.
pub fn filing(asker: &Role, head: &Role, content: ShareRequest) -> CreateRequestRequest {
    CreateRequestRequest {
        parent: asker.domain(),
        request: Some(content),
        consenting_person: head.person(),
        request_id: request_id(),
    }
}
