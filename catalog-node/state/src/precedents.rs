//! Precedents: how was the same entry answered before, and on which ground?
//!
//! Nobody is bound by an earlier answer, but whoever answers otherwise should know it, and whoever
//! asks should see what to expect. Only what was answered counts; what is nearest comes first: the
//! same scenario, then the more of the items, then the newest.

use catalog_model::{
    ids::RequestId,
    share_request::{ShareRequest, ShareRequestState},
};

use crate::{
    keys::{Key, Table},
    view::View,
};

/// An earlier case about the same entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precedent {
    /// The case.
    pub case: ShareRequest,
    /// Whether its scenario is the same, but for spaces.
    pub same_scenario: bool,
    /// Items that both ask for, in the order of the case at hand.
    pub common_items: Vec<String>,
}

impl View<'_> {
    /// Answered cases about the entry of `case`, the nearest first; at most `limit`, of the provider's
    /// newest `scan` cases.
    pub fn precedents(&self, case: &ShareRequest, limit: usize, scan: usize) -> Vec<Precedent> {
        let prefix = Key::table(Table::RequestByParty).id(case.provider.organization.to_bytes());
        let cases = self.0.range_reversed(prefix.as_slice(), &prefix.end()).take(scan);
        let mut found: Vec<Precedent> = cases
            .filter_map(|(key, _)| {
                let (domain, id) = View::named_by_index(&key, 1 + 16);
                let earlier = self.request(&domain, RequestId::from_bytes(id))?;
                is_precedent(case, &earlier).then(|| compare(case, earlier))
            })
            .collect();
        let answered =
            |precedent: &Precedent| precedent.case.answer.as_ref().map(|answer| answer.given_time);
        found.sort_by(|a, b| {
            (b.same_scenario, b.common_items.len(), answered(b), b.case.id).cmp(&(
                a.same_scenario,
                a.common_items.len(),
                answered(a),
                a.case.id,
            ))
        });
        found.truncate(limit);
        found
    }
}

fn is_precedent(case: &ShareRequest, earlier: &ShareRequest) -> bool {
    let same = case.id == earlier.id && case.domain == earlier.domain;
    let answered = matches!(
        earlier.state,
        ShareRequestState::Agreed | ShareRequestState::AgreedInPart | ShareRequestState::Refused
    );
    // At once is no answer that anybody weighed.
    let weighed = earlier.answer.as_ref().is_some_and(|answer| !answer.standing);
    !same && answered && weighed && earlier.content.entry == case.content.entry
}

fn compare(case: &ShareRequest, earlier: ShareRequest) -> Precedent {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    let asked = &earlier.content.items;
    let common = case.content.items.iter().filter(|item| asked.contains(item)).cloned().collect();
    Precedent {
        same_scenario: plain(&case.content.scenario) == plain(&earlier.content.scenario),
        common_items: common,
        case: earlier,
    }
}
