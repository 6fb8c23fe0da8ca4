//! How our own sites stand, as it is shown.

use catalog_model::{name::Resource, time::UtcMillis};
use catalog_state::{
    codec,
    rows::sites::{DrPolicy, ForkRow, SitesRow, Switchover},
    view::View,
};
use luqiao_proto::{
    convert::{
        dr::{cell_message, pair_message},
        name::full_name,
        time::timestamp,
    },
    dr::v1 as message,
};

use crate::{services::Look, storage::StateView};

/// The committed clock.
pub(super) fn clock(state: &StateView<'_>) -> UtcMillis {
    View(state).clock()
}

pub(super) fn status_message(look: &Look<'_>) -> message::RecoveryStatus {
    let view = look.view();
    let noted = view.own_cell();
    message::RecoveryStatus {
        name: full_name(look.domain(), Resource::Domain),
        sites: view.sites().map(|row| sites(&view, &row)),
        policy: view.dr_policy().map(|policy| policy_message(&policy)),
        note_time: noted.as_ref().map(|row| timestamp(row.time)),
        noted_cell: noted.map(|row| {
            let cell = row.cell;
            let confirmed = cell.is_confirmed(cell.confirmation.witness_generation);
            cell_message(look.domain(), &cell, confirmed, row.time, codec::encode(&cell))
        }),
        switchover: view.switchover().map(|row| switchover_message(&row)),
        forks: view.forks().iter().map(fork_message).collect(),
    }
}

fn sites(view: &View<'_>, row: &SitesRow) -> message::Sites {
    let members = view.members().unwrap_or_default().members;
    let at = members.into_iter().filter_map(|member| {
        let site = member.site?.to_string();
        Some(message::NodeSite { node: member.id, site })
    });
    message::Sites {
        pair: Some(pair_message(row.pair)),
        active_site: row.active.to_string(),
        mode: row.mode.name().to_owned(),
        since_index: row.since_index,
        since_time: Some(timestamp(row.since_time)),
        acts_released: row.acts_released,
        without_witness: row.without_witness,
        nodes: at.collect(),
    }
}

fn policy_message(policy: &DrPolicy) -> message::Policy {
    let content = &policy.content;
    message::Policy {
        version: policy.version,
        document_number: content.document_number.clone(),
        digest: content.digest.0.to_vec().into(),
        approvers: content.approvers.iter().map(ToString::to_string).collect(),
        witness: content.witness.as_ref().map(ToString::to_string).unwrap_or_default(),
        file_time: Some(timestamp(policy.filed_time)),
    }
}

fn switchover_message(row: &Switchover) -> message::Switchover {
    let steps = row.steps.iter().map(|step| message::SwitchoverStep {
        state: step.state.name().to_owned(),
        time: Some(timestamp(step.time)),
        index: step.index,
    });
    message::Switchover {
        number: row.number,
        from: row.from.to_string(),
        to: row.to.to_string(),
        pair: Some(pair_message(row.pair)),
        max_pause_ms: row.max_pause_ms,
        steps: steps.collect(),
    }
}

fn fork_message(row: &ForkRow) -> message::Fork {
    message::Fork {
        from: Some(pair_message(row.from)),
        pair: Some(pair_message(row.pair)),
        site: row.site.to_string(),
        tree_size: row.tree_size,
        root: row.root.to_vec().into(),
        records_lost: row.records_lost(),
        verdict: row.verdict.name().to_owned(),
        missing: row.missing.clone(),
        attest_time: Some(timestamp(row.attested.time)),
        attesting_nodes: row.attested.nodes.clone(),
        outage: row.outage.unwrap_or_default(),
        ledger_sequence: row.record,
        window_close_time: row.window_closed.map(timestamp),
    }
}
