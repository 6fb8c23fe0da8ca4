//! Members: how do operators change a cluster that runs, and how is it filled?

use catalog_model::reason::Reason;
use luqiao_proto::{
    node::v1::{PutStreamRequest, probe_service_client::ProbeServiceClient},
    operations::v1::{
        AddMemberRequest, AddMemberResponse, ListMembersRequest, ListMembersResponse,
        PromoteMemberRequest, PromoteMemberResponse, RaiseLevelRequest, RaiseLevelResponse,
        RemoveMemberRequest, RemoveMemberResponse, ReplaceMemberRequest, ReplaceMemberResponse,
        TransferLeaderRequest, TransferLeaderResponse,
    },
};
use luqiao_transport::status::Problem;
use tokio::time::{Instant, sleep};
use tonic::Status;

use super::{Cluster, PAUSE, domain_name};
use crate::role::{PATIENCE, request_id};

fn path(method: &str) -> String {
    format!("/luqiao.operations.v1.OperationsService/{method}")
}

/// Whether the same call may succeed when more time has passed.
fn too_soon(status: &Status) -> bool {
    let reasons = [Reason::MemberBehind, Reason::MembersChanging, Reason::TransferRefused];
    Problem::from_status(status).reason.is_some_and(|reason| reasons.contains(&reason))
}

impl Cluster {
    /// Sends a public call of the authority's system until it neither goes unanswered nor comes too
    /// soon.
    async fn order<A, B>(&self, method: &str, message: &A) -> B
    where
        A: prost::Message + std::fmt::Debug,
        B: prost::Message + Default,
    {
        self.order_again(method, message).await.0
    }

    /// The same; and whether an attempt before the answered one may have done it.
    async fn order_again<A, B>(&self, method: &str, message: &A) -> (B, bool)
    where
        A: prost::Message + std::fmt::Debug,
        B: prost::Message + Default,
    {
        let started = Instant::now();
        let mut repeated = false;
        loop {
            let (answer, again) = self.ask_again(&path(method), message).await;
            repeated |= again;
            match answer {
                Ok(answer) => return (answer, repeated),
                Err(status) => {
                    let waits = too_soon(&status) && started.elapsed() < PATIENCE;
                    assert!(waits, "{method} {message:?}: {status:?}");
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// The members and how they stand.
    pub async fn members(&self) -> ListMembersResponse {
        self.order("ListMembers", &ListMembersRequest { name: domain_name() }).await
    }

    /// Lets a node in that was laid out, without a vote. This and the others below say that something
    /// changed also if it was an attempt that nobody answered.
    pub async fn add(&mut self, id: u64) -> AddMemberResponse {
        let endpoint = self.node(id).told.to_string();
        let request = AddMemberRequest {
            name: domain_name(),
            node: id.to_string(),
            endpoint,
            validate_only: false,
            request_id: request_id(),
            site: String::new(),
        };
        let (answer, repeated): (AddMemberResponse, _) =
            self.order_again("AddMember", &request).await;
        AddMemberResponse { changed: answer.changed || repeated, ..answer }
    }

    /// Gives a node its vote, as soon as it has caught up.
    pub async fn promote(&self, id: u64) -> PromoteMemberResponse {
        let request = PromoteMemberRequest {
            name: domain_name(),
            node: id.to_string(),
            validate_only: false,
            request_id: request_id(),
        };
        let (answer, repeated): (PromoteMemberResponse, _) =
            self.order_again("PromoteMember", &request).await;
        PromoteMemberResponse { changed: answer.changed || repeated, ..answer }
    }

    /// Lets a member go.
    pub async fn remove(&self, id: u64) -> RemoveMemberResponse {
        let request = RemoveMemberRequest {
            name: domain_name(),
            node: id.to_string(),
            validate_only: false,
            request_id: request_id(),
        };
        let (answer, repeated): (RemoveMemberResponse, _) =
            self.order_again("RemoveMember", &request).await;
        RemoveMemberResponse { changed: answer.changed || repeated, ..answer }
    }

    /// Puts a node in another's place, as soon as it has caught up.
    pub async fn replace(&self, id: u64, replacement: u64) -> ReplaceMemberResponse {
        let request = ReplaceMemberRequest {
            name: domain_name(),
            node: id.to_string(),
            replacement: replacement.to_string(),
            validate_only: false,
            request_id: request_id(),
        };
        let (answer, repeated): (ReplaceMemberResponse, _) =
            self.order_again("ReplaceMember", &request).await;
        ReplaceMemberResponse { changed: answer.changed || repeated, ..answer }
    }

    /// Has the cluster use what programs of this level know; 0 is the highest that all know.
    pub async fn raise_level(&self, level: u32) -> Result<RaiseLevelResponse, Status> {
        let request = RaiseLevelRequest {
            name: domain_name(),
            level,
            validate_only: false,
            request_id: request_id(),
        };
        self.ask(&path("RaiseLevel"), &request).await
    }

    /// Has a node lead, as soon as it can.
    pub async fn make_leader(&self, id: u64) {
        let request = TransferLeaderRequest { name: domain_name(), node: id.to_string() };
        while self.leader().await != id {
            let _: TransferLeaderResponse = self.order("TransferLeader", &request).await;
        }
    }

    /// Writes many rows that no client asks about, and waits until each is kept: the log grows.
    ///
    /// # Panics
    ///
    /// If that does not succeed.
    pub async fn write_many(&self, count: u32, bytes: usize) {
        let started = Instant::now();
        loop {
            let leader = self.leader().await;
            let puts = (0..count).map(move |number| PutStreamRequest {
                key: format!("row-{number}").into_bytes().into(),
                // Nothing that a disk could keep in less.
                value: std::iter::repeat_with(|| fastrand::u8(..)).take(bytes).collect(),
            });
            let mut client = ProbeServiceClient::new(self.channel(leader));
            let mut answered = 0;
            let failed = match client.put_stream(tokio_stream::iter(puts)).await {
                Err(status) => status,
                Ok(answers) => {
                    let mut answers = answers.into_inner();
                    loop {
                        match answers.message().await {
                            Ok(Some(_)) => answered += 1,
                            Ok(None) if answered == count => return,
                            Ok(None) => break Status::cancelled("ended early"),
                            Err(status) => break status,
                        }
                    }
                }
            };
            assert!(started.elapsed() < PATIENCE, "{answered} of {count} written: {failed:?}");
            sleep(PAUSE).await;
        }
    }
}
