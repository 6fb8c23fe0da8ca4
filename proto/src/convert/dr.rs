//! Sites and the witness: cells, approvals and what is on record of failovers, as they travel.

mod writes;

use std::str::FromStr;

use catalog_model::{
    ids::{DomainId, IdError},
    name::Resource,
    refusal::Refusal,
    site::Pair,
    witness::{
        self, Approval, CellWrite, Deposit, Failover, Found, Lease, Seal, Statement, Writer,
    },
};

pub use self::writes::{
    act_message, read_approvals, read_write, read_writer, write_message, writer_message,
};
use crate::{
    convert::{
        name::full_name,
        reading::{At, Reading},
        time::timestamp,
    },
    dr::v1 as message,
};

/// A pair as a message.
pub fn pair_message(pair: Pair) -> message::Pair {
    message::Pair { generation: pair.generation, epoch: pair.epoch }
}

/// A cell as a message. `confirmed` is what the witness makes of it, `time` its clock at the last
/// write, `encoded` the cell as it is stored.
pub fn cell_message(
    domain: &DomainId,
    cell: &witness::Cell,
    confirmed: bool,
    time: catalog_model::time::UtcMillis,
    encoded: Vec<u8>,
) -> message::Cell {
    message::Cell {
        name: full_name(domain, Resource::Domain),
        revision: cell.revision,
        pair: Some(pair_message(cell.pair)),
        active_site: cell.active_site.to_string(),
        sites: cell.sites.iter().map(ToString::to_string).collect(),
        mode: cell.mode.name().to_owned(),
        term: cell.term,
        by: cell.by,
        lease: cell.lease.map(lease_message),
        deposit: cell.deposit.as_ref().map(deposit_message),
        failover: cell.failover.as_ref().map(failover_message),
        approvers: cell.approvers.iter().map(ToString::to_string).collect(),
        confirmed,
        confirming_sites: cell.confirmation.sites.iter().map(ToString::to_string).collect(),
        opened: cell.opened.as_ref().map(|opened| message::Opened {
            pair: Some(pair_message(opened.pair)),
            verdict: opened.verdict.name().to_owned(),
            nodes: opened.nodes.clone(),
            time: Some(timestamp(opened.time)),
        }),
        write_time: Some(timestamp(time)),
        encoded: encoded.into(),
    }
}

fn lease_message(lease: Lease) -> message::Lease {
    let Lease { term, length_ms, renewals } = lease;
    message::Lease { term, length_ms, renewals }
}

fn deposit_message(deposit: &Deposit) -> message::Deposit {
    message::Deposit {
        index: deposit.index,
        ledger_size: deposit.ledger_size,
        root: deposit.root.to_vec().into(),
        signature: deposit.signature.clone().into(),
        acts: deposit.acts,
    }
}

fn failover_message(failover: &Failover) -> message::Failover {
    let Failover { found, release, approvals, seals, begun_time } = failover;
    message::Failover {
        found: Some(found_message(found)),
        release: release.name().to_owned(),
        approvals: approvals.iter().map(approval_message).collect(),
        seals: seals.iter().map(seal_message).collect(),
        begin_time: Some(timestamp(*begun_time)),
        best_verdict: failover.best_verdict().name().to_owned(),
    }
}

fn found_message(found: &Found) -> message::Found {
    message::Found {
        pair: Some(pair_message(found.pair)),
        site: found.site.to_string(),
        mode: found.mode.name().to_owned(),
        lease: found.lease.map(lease_message),
        deposit: found.deposit.as_ref().map(deposit_message),
        confirmed: found.confirmed,
        wait_ms: found.wait_ms(),
    }
}

fn seal_message(seal: &Seal) -> message::Seal {
    message::Seal {
        node: seal.node,
        site: seal.site.to_string(),
        belonged: Some(pair_message(seal.belonged)),
        last_term: seal.last_term,
        last_index: seal.last_index,
        commit: seal.commit,
    }
}

/// An approval as a message.
pub fn approval_message(approval: &Approval) -> message::Approval {
    let Approval { statement, approver, signature, certificate } = approval;
    let Statement { domain, act, from, to, pair, expires, release } = statement;
    message::Approval {
        domain: domain.to_string(),
        act: act.name().to_owned(),
        from: from.to_string(),
        to: to.to_string(),
        pair: Some(pair_message(*pair)),
        expire_time: Some(timestamp(*expires)),
        release: release.name().to_owned(),
        approver: approver.to_string(),
        signature: signature.clone().into(),
        certificate: certificate.clone().into(),
    }
}

/// A text that is one of a few words, or a name.
fn text<T: FromStr<Err = IdError>>(reading: &mut Reading, at: At<'_>, text: &str) -> Option<T> {
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            reading.wrong(at, format!("is not {}", error.expected), "取值无效");
            None
        }
    }
}

fn pair(reading: &mut Reading, at: At<'_>, pair: Option<&message::Pair>) -> Option<Pair> {
    match pair {
        Some(message::Pair { generation, epoch }) if *generation > 0 && *epoch > 0 => {
            Some(Pair { generation: *generation, epoch: *epoch })
        }
        Some(_) => {
            reading.wrong(at, "counts from 1", "应从 1 开始");
            None
        }
        None => {
            reading.missing(at);
            None
        }
    }
}
