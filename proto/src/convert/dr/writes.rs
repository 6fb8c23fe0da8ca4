//! Writes to a cell: read from strangers, worded for a witness.

use bytes::Bytes;
use catalog_model::{name::ResourceName, witness::ActAtRisk};
use message::write_cell_request::Write;

use super::{
    Approval, At, CellWrite, Deposit, Reading, Refusal, Seal, Statement, Writer, approval_message,
    deposit_message, message, pair, pair_message, seal_message, text,
};

/// What a call wants to write; `FIELD_INVALID` with every field that is wrong.
pub fn read_write(request: &message::WriteCellRequest) -> Result<CellWrite, Refusal> {
    let mut reading = Reading::new();
    let root = At::Root("");
    let write = match &request.write {
        None => {
            reading.missing(root.field("write"));
            None
        }
        Some(write) => read(&mut reading, root, write),
    };
    reading.finish(write)
}

/// The approvals at `field`.
pub fn read_approvals(
    approvals: &[message::Approval],
    field: &str,
) -> Result<Vec<Approval>, Refusal> {
    let mut reading = Reading::new();
    let read = all(&mut reading, At::Root(field), approvals);
    reading.finish(Some(read))
}

/// The node that writes, where one does.
pub fn read_writer(writer: Option<&message::Writer>) -> Result<Option<Writer>, Refusal> {
    let Some(writer) = writer else { return Ok(None) };
    let mut reading = Reading::new();
    let at = At::Root("writer");
    let site = text(&mut reading, at.field("site"), &writer.site);
    let belongs = pair(&mut reading, at.field("pair"), writer.pair.as_ref());
    let value = site.zip(belongs).map(|(site, pair)| Writer {
        node: writer.node,
        site,
        pair,
        term: writer.term,
    });
    reading.finish(value).map(Some)
}

/// The node that writes, as a message.
pub fn writer_message(writer: &Writer) -> message::Writer {
    message::Writer {
        node: writer.node,
        site: writer.site.to_string(),
        pair: Some(pair_message(writer.pair)),
        term: writer.term,
    }
}

/// A write as a message.
pub fn write_message(write: &CellWrite) -> Write {
    let approved = |approvals: &[Approval]| approvals.iter().map(approval_message).collect();
    let names = |names: &[ResourceName]| names.iter().map(ToString::to_string).collect();
    match write {
        CellWrite::Register { sites, active, mode, approvers, approvals } => {
            Write::Register(message::Register {
                sites: sites.iter().map(ToString::to_string).collect(),
                active_site: active.to_string(),
                mode: mode.name().to_owned(),
                approvers: names(approvers),
                approvals: approved(approvals),
            })
        }
        CellWrite::Take => Write::Take(message::Take {}),
        CellWrite::SetMode { mode } => {
            Write::SetMode(message::SetMode { mode: mode.name().to_owned() })
        }
        CellWrite::Renew { deposit, named } => Write::Renew(message::Renew {
            deposit: deposit.as_ref().map(deposit_message),
            named: named.iter().map(act_message).collect(),
        }),
        CellWrite::Switch { approvals } => {
            Write::Switch(message::Switch { approvals: approved(approvals) })
        }
        CellWrite::BeginFailover { to, approvals } => {
            let (to, approvals) = (to.to_string(), approved(approvals));
            Write::BeginFailover(message::BeginFailover { to, approvals })
        }
        CellWrite::ReportSeal { seal } => {
            Write::ReportSeal(message::ReportSeal { seal: Some(seal_message(seal)) })
        }
        CellWrite::Open { verdict, nodes } => {
            Write::Open(message::Open { verdict: verdict.name().to_owned(), nodes: nodes.clone() })
        }
        CellWrite::Confirm => Write::Confirm(message::Confirm {}),
        CellWrite::ConfirmByApproval { approvals } => {
            let approvals = approved(approvals);
            Write::ConfirmByApproval(message::ConfirmByApproval { approvals })
        }
    }
}

/// An act at risk as a message.
pub fn act_message(act: &ActAtRisk) -> message::ActAtRisk {
    message::ActAtRisk { index: act.index, name: act.name.to_string() }
}

fn read(reading: &mut Reading, root: At<'_>, write: &Write) -> Option<CellWrite> {
    Some(match write {
        Write::Register(register) => {
            let at = root.field("register");
            let sites = register.sites.iter().enumerate();
            let sites: Vec<_> = sites
                .filter_map(|(place, site)| text(reading, at.field("sites").index(place), site))
                .collect();
            let approvers = register.approvers.iter().enumerate();
            let approvers: Vec<_> = approvers
                .filter_map(|(place, name)| text(reading, at.field("approvers").index(place), name))
                .collect();
            let approvals = all(reading, at.field("approvals"), &register.approvals);
            let active = text(reading, at.field("active_site"), &register.active_site);
            let mode = text(reading, at.field("mode"), &register.mode);
            CellWrite::Register { sites, active: active?, mode: mode?, approvers, approvals }
        }
        Write::Take(message::Take {}) => CellWrite::Take,
        Write::SetMode(message::SetMode { mode }) => {
            CellWrite::SetMode { mode: text(reading, root.field("set_mode").field("mode"), mode)? }
        }
        Write::Renew(message::Renew { deposit, named }) => {
            let at = root.field("renew");
            let named = named.iter().enumerate().filter_map(|(place, act)| {
                let name = text(reading, at.field("named").index(place).field("name"), &act.name)?;
                Some(ActAtRisk { index: act.index, name })
            });
            let named = named.collect();
            let deposit = match deposit {
                Some(deposit) => Some(read_deposit(reading, at.field("deposit"), deposit)?),
                None => None,
            };
            CellWrite::Renew { deposit, named }
        }
        Write::Switch(message::Switch { approvals }) => {
            let at = root.field("switch");
            CellWrite::Switch { approvals: all(reading, at.field("approvals"), approvals) }
        }
        Write::BeginFailover(message::BeginFailover { to, approvals }) => {
            let at = root.field("begin_failover");
            let approvals = all(reading, at.field("approvals"), approvals);
            CellWrite::BeginFailover { to: text(reading, at.field("to"), to)?, approvals }
        }
        Write::ReportSeal(message::ReportSeal { seal }) => {
            let at = root.field("report_seal");
            let at = at.field("seal");
            let seal = reading.message(at, seal.as_ref())?;
            let site = text(reading, at.field("site"), &seal.site);
            let belonged = pair(reading, at.field("belonged"), seal.belonged.as_ref());
            CellWrite::ReportSeal {
                seal: Seal {
                    node: seal.node,
                    site: site?,
                    belonged: belonged?,
                    last_term: seal.last_term,
                    last_index: seal.last_index,
                    commit: seal.commit,
                },
            }
        }
        Write::Open(message::Open { verdict, nodes }) => CellWrite::Open {
            verdict: text(reading, root.field("open").field("verdict"), verdict)?,
            nodes: nodes.clone(),
        },
        Write::Confirm(message::Confirm {}) => CellWrite::Confirm,
        Write::ConfirmByApproval(message::ConfirmByApproval { approvals }) => {
            let at = root.field("confirm_by_approval");
            CellWrite::ConfirmByApproval {
                approvals: all(reading, at.field("approvals"), approvals),
            }
        }
    })
}

fn all(reading: &mut Reading, at: At<'_>, approvals: &[message::Approval]) -> Vec<Approval> {
    let each = approvals.iter().enumerate();
    each.filter_map(|(place, approval)| one(reading, at.index(place), approval)).collect()
}

fn one(reading: &mut Reading, at: At<'_>, approval: &message::Approval) -> Option<Approval> {
    let domain = text(reading, at.field("domain"), &approval.domain);
    let act = text(reading, at.field("act"), &approval.act);
    let from = text(reading, at.field("from"), &approval.from);
    let to = text(reading, at.field("to"), &approval.to);
    let of = pair(reading, at.field("pair"), approval.pair.as_ref());
    let expires = reading.instant(at.field("expire_time"), approval.expire_time.as_ref());
    let release = text(reading, at.field("release"), &approval.release);
    let approver = text(reading, at.field("approver"), &approval.approver);
    let statement = Statement {
        domain: domain?,
        act: act?,
        from: from?,
        to: to?,
        pair: of?,
        expires: expires?,
        release: release?,
    };
    let (signature, certificate) = (approval.signature.to_vec(), approval.certificate.to_vec());
    Some(Approval { statement, approver: approver?, signature, certificate })
}

fn read_deposit(reading: &mut Reading, at: At<'_>, deposit: &message::Deposit) -> Option<Deposit> {
    let root = root(reading, at.field("root"), &deposit.root)?;
    Some(Deposit {
        index: deposit.index,
        ledger_size: deposit.ledger_size,
        root,
        signature: deposit.signature.to_vec(),
        acts: deposit.acts,
    })
}

fn root(reading: &mut Reading, at: At<'_>, bytes: &Bytes) -> Option<[u8; 32]> {
    let root = bytes.as_ref().try_into().ok();
    if root.is_none() {
        reading.wrong(at, "has not 32 bytes", "应为 32 字节");
    }
    root
}
