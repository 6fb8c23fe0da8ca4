//! `luqiao separation`.

use luqiao_proto::sharing::v1::{GetSeparationRequest, SwitchSeparationRequest};

use crate::{
    args::case::{Separation, Turn},
    exit::Exit,
    failure::Failure,
    message::kind,
};

use super::{Remote, answer, whole_json};

/// Does it.
pub async fn run(remote: &Remote, command: Separation) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.sharing();
    let name = session.parent();
    let separation = match command {
        Separation::Show => {
            answer(client.get_separation(session.call(GetSeparationRequest { name })).await)?
        }
        Separation::Switch { to, reason, change } => {
            let request = SwitchSeparationRequest {
                name,
                on: to == Turn::On,
                reason,
                request_id: remote.attempt(change.request_id),
            };
            answer(client.switch_separation(session.call(request)).await)?
        }
    };
    // That it is off is said, too.
    remote.output.resource(&whole_json(kind::SEPARATION, &separation)?)?;
    Ok(Exit::Ok)
}
