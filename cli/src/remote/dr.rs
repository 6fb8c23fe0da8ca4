//! `luqiao dr`, as far as it asks a server.

use catalog_model::ids::DomainId;
use luqiao_proto::{
    convert::dr::approval_message,
    dr::v1::{
        CloseWindowRequest, GetStatusRequest, NodeSite, Policy, ReleaseActsRequest,
        SetPolicyRequest, SetSitesRequest,
    },
    operations::v1::ListMembersRequest,
};

use crate::{args::dr::Dr, both, dr, exit::Exit, failure::Failure, message::kind};

use super::{Remote, answer};

/// Does it.
pub async fn run(remote: &Remote, command: Dr) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.recovery();
    let name = session.parent();
    let status = match command {
        Dr::Status { domain } => {
            let request = GetStatusRequest { name: remote.parent(domain.as_deref()) };
            answer(client.get_status(session.call(request)).await)?
        }
        Dr::Policy { document_number, document, approvers, witness, change } => {
            let witness = match witness {
                Some(witness) => {
                    let parsed: Result<DomainId, _> = witness.parse();
                    parsed.map_err(|error| Failure::usage(both!("{error}", "{error}")))?.to_string()
                }
                None => String::new(),
            };
            let digest = document.required()?;
            let policy =
                Policy { document_number, digest, approvers, witness, ..Policy::default() };
            let request_id = remote.attempt(change.request_id);
            let request = SetPolicyRequest { name, policy: Some(policy), request_id };
            answer(client.set_policy(session.call(request)).await)?
        }
        Dr::Sites { nodes, active, change } => {
            let list = ListMembersRequest { name: name.clone() };
            let mut operations = session.operations();
            let members = answer(operations.list_members(session.call(list)).await)?;
            let nodes = nodes.into_iter();
            let request = SetSitesRequest {
                name,
                version: members.version,
                nodes: nodes
                    .map(|(node, site)| NodeSite { node, site: site.to_string() })
                    .collect(),
                active_site: active.to_string(),
                request_id: remote.attempt(change.request_id),
            };
            answer(client.set_sites(session.call(request)).await)?
        }
        Dr::ReleaseAct { approvals, reason, change } => {
            let approvals = dr::read(&approvals)?.iter().map(approval_message).collect();
            let request_id = remote.attempt(change.request_id);
            let request = ReleaseActsRequest { name, approvals, reason, request_id };
            answer(client.release_acts(session.call(request)).await)?
        }
        Dr::CloseWindow { generation, reason, change } => {
            let request_id = remote.attempt(change.request_id);
            let request = CloseWindowRequest { name, generation, reason, request_id };
            answer(client.close_window(session.call(request)).await)?
        }
        Dr::Approve(_) | Dr::Check { .. } => unreachable!("done without a server"),
    };
    remote.show(kind::RECOVERY_STATUS, &status)?;
    Ok(Exit::Ok)
}
