//! Recount: is what was acknowledged really there?
//!
//! Numbers of work that was not done are worth nothing. What was measured is listed again
//! afterwards, through the gateway; if it is not all there, the benchmark ends without a result.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use luqiao::dev::{
    cast::{AUTHORITY, Level},
    topology::Topology,
};
use luqiao_proto::{
    catalog::v1::{EntryState, EntryView, ListEntriesRequest},
    sharing::v1::{GrantState, ListGrantsRequest},
};

use crate::{
    federation::seat,
    role::{Role, call},
};

/// The most that a page holds.
const PAGE: i32 = 500;

/// The city's authority, which sees everything.
fn authority(topology: &Topology) -> Role {
    Role::named(&topology.contexts(), &seat(Level::City, AUTHORITY).context())
}

/// There are as many imported drafts as were accepted.
pub async fn drafts(topology: &Topology, accepted: usize) -> anyhow::Result<()> {
    let found = entries(topology, EntryView::Working, EntryState::ImportedDraft).await?;
    ensure!(found == accepted, "{accepted} entries were accepted, {found} drafts are there");
    Ok(())
}

/// There are as many listed entries as were published.
pub async fn listed(topology: &Topology, published: usize) -> anyhow::Result<()> {
    let found = entries(topology, EntryView::Published, EntryState::Unspecified).await?;
    ensure!(found == published, "{published} entries were published, {found} are listed");
    Ok(())
}

async fn entries(topology: &Topology, view: EntryView, state: EntryState) -> anyhow::Result<usize> {
    let role = authority(topology);
    let mut names = BTreeSet::new();
    let mut question = ListEntriesRequest {
        parent: role.domain(),
        page_size: PAGE,
        view: view.into(),
        state: state.into(),
        ..Default::default()
    };
    loop {
        let answer = role.catalog().list_entries(call(question.clone())).await;
        let page = answer.context("entries are listed")?.into_inner();
        names.extend(page.entries.into_iter().map(|entry| entry.name));
        question.page_token = page.next_page_token;
        if question.page_token.is_empty() {
            return Ok(names.len());
        }
    }
}

/// Each of `acknowledged` is a grant that holds, and there are no others but for at most `unclear`
/// ones, whose answers did not arrive.
pub async fn grants(
    topology: &Topology,
    acknowledged: &BTreeSet<String>,
    unclear: usize,
) -> anyhow::Result<()> {
    let role = authority(topology);
    let mut names = BTreeSet::new();
    let mut question = ListGrantsRequest {
        parent: role.domain(),
        page_size: PAGE,
        state: GrantState::Granted.into(),
        ..Default::default()
    };
    loop {
        let answer = role.sharing().list_grants(call(question.clone())).await;
        let page = answer.context("grants are listed")?.into_inner();
        names.extend(page.grants.into_iter().map(|grant| grant.name));
        question.page_token = page.next_page_token;
        if question.page_token.is_empty() {
            break;
        }
    }
    let (said, found) = (acknowledged.len(), names.len());
    let all_there = names.is_superset(acknowledged) && found <= said + unclear;
    ensure!(all_there, "{said} grants were acknowledged, {unclear} unclear, {found} are there");
    Ok(())
}
