//! Function transfers, as they are shown.

use catalog_model::{function_transfer::FunctionTransfer, name::Resource, time::UtcMillis};

use crate::{
    convert::{
        case_rules::rule_ref_message, catalog_entry::citation_message,
        enumeration::Enumerated as _, etag, name::full_name, time::timestamp,
    },
    relations::v1 as message,
};

use super::{entry_text, organization_text};

/// The transfer as a message; `due` is when the authority's word is due, while it is owed.
pub fn transfer_message(
    transfer: &FunctionTransfer,
    due: Option<UtcMillis>,
) -> message::FunctionTransfer {
    let domain = &transfer.domain;
    message::FunctionTransfer {
        name: full_name(domain, Resource::FunctionTransfer(transfer.id)),
        from: organization_text(domain, transfer.from),
        to: organization_text(domain, transfer.to),
        entries: transfer.entries.iter().map(|id| entry_text(domain, *id)).collect(),
        moved: transfer.moved,
        act: Some(citation_message(&transfer.act)),
        change_date: transfer.change_date.to_string(),
        cosigned: transfer.cosigned,
        state: transfer.state.number(),
        return_reason: transfer.return_reason.clone(),
        rule: transfer.rule.as_ref().map(rule_ref_message),
        due_time: due.map(timestamp),
        etag: etag(transfer.version),
        create_time: Some(timestamp(transfer.created_time)),
        update_time: Some(timestamp(transfer.updated_time)),
    }
}
