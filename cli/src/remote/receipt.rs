//! `luqiao receipt get`.

use luqiao_proto::ledger::v1::GetReceiptRequest;

use crate::{exit::Exit, failure::Failure, message::kind};

use super::{Remote, answer};

/// Fetches the receipt of a resource: of this record about it, or of the newest.
pub async fn get(remote: &Remote, name: String, record: Option<u64>) -> Result<Exit, Failure> {
    let request = GetReceiptRequest { name, record };
    let mut client = remote.session.ledger();
    let receipt = answer(client.get_receipt(remote.session.call(request)).await)?;
    remote.show(kind::RECEIPT, &receipt)?;
    Ok(Exit::Ok)
}
