//! `luqiao receipt get`.

use luqiao_proto::ledger::v1::GetReceiptRequest;

use crate::{exit::Exit, failure::Failure, message::kind};

use super::{Remote, answer};

/// Fetches the receipt of a request or grant.
pub async fn get(remote: &Remote, name: String) -> Result<Exit, Failure> {
    let request = GetReceiptRequest { name };
    let mut client = remote.session.ledger();
    let receipt = answer(client.get_receipt(remote.session.call(request)).await)?;
    remote.show(kind::RECEIPT, &receipt)?;
    Ok(Exit::Ok)
}
