//! The cluster, as a drill sees it: through its gateways, with the operator's own certificate.
//!
//! Whatever is asked while a failure is under way may fail for a moment; what may be asked again is
//! asked again, with the same key.

use std::{collections::BTreeMap, time::Duration};

use catalog_proofs::{
    against::{Against, compare},
    receipt::{
        document::{ConsistencyProof, TreeHead, TrustAnchor},
        verify_against,
    },
};
use luqiao_proto::{
    ledger::v1::{GetConsistencyProofRequest, GetReceiptRequest, GetTreeHeadRequest},
    operations::v1::{
        Drill, GetDrillRequest, GetStatusRequest, GetStatusResponse, ListDrillsRequest,
        ListProbesRequest, SetDevelopmentClockRequest, SweepProbesRequest,
    },
};
use prost_types::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tonic::{Request, Response, Status};

use crate::{
    both,
    exit::Exit,
    failure::Failure,
    message::{kind, to_json},
    remote::session::{Session, request_id},
};

use super::findings::There;

/// How long something is asked again that fails for a moment.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long one look may take.
const LOOK_WAIT: Duration = Duration::from_secs(3);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A node that lacks no more than this has caught up while writes go on.
const LAG_MAX: u64 = 50;

/// A cluster and its gateways.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The connection.
    pub session: Session,
    /// Whom to believe about its ledger, if that is known.
    pub anchor: Option<TrustAnchor>,
}

/// Sends a message until it is known what became of it: `persist!(cluster, drills.step_drill(request))`.
macro_rules! persist {
    ($cluster:expr, $client:ident.$method:ident($request:expr)) => {{
        let (cluster, request) = (&$cluster, $request);
        cluster
            .persisting(|| {
                let mut client = cluster.session.$client();
                let call = cluster.session.call(request.clone());
                async move { client.$method(call).await }
            })
            .await
    }};
}
pub(super) use persist;

impl Cluster {
    /// Calls until something else than "not now" is answered.
    pub(super) async fn persisting<T, F>(&self, call: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let patience = Instant::now() + PATIENCE;
        loop {
            match call().await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => {
                    let failure = Failure::call(&status);
                    let passes = matches!(failure.exit, Exit::Unavailable | Exit::OutcomeUnknown);
                    if !passes || Instant::now() > patience {
                        return Err(failure);
                    }
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// How it stands; one look.
    pub async fn status(&self) -> Result<GetStatusResponse, Failure> {
        let mut call: Request<GetStatusRequest> =
            self.session.call(GetStatusRequest { name: self.session.parent() });
        call.set_timeout(LOOK_WAIT);
        let answer = self.session.operations().get_status(call).await;
        answer.map(Response::into_inner).map_err(|status| Failure::call(&status))
    }

    /// How it stands, asked again while nobody can say.
    pub async fn patient_status(&self) -> Result<GetStatusResponse, Failure> {
        persist!(self, operations.get_status(GetStatusRequest { name: self.session.parent() }))
    }

    /// Who leads, and in which term.
    pub async fn leader(&self) -> Result<Option<(String, u64)>, Failure> {
        let status = self.status().await?;
        let led = !status.leader.is_empty();
        Ok(led.then_some((status.leader, status.term)))
    }

    /// The ids of the nodes.
    pub async fn nodes(&self) -> Result<Vec<String>, Failure> {
        Ok(self.patient_status().await?.nodes.into_iter().map(|node| node.id).collect())
    }

    /// Where a node is reached.
    pub async fn endpoint(&self, id: &str) -> Result<String, Failure> {
        let nodes = self.patient_status().await?.nodes;
        let node = nodes.into_iter().find(|node| node.id == id);
        Ok(node.map(|node| node.endpoint).unwrap_or_default())
    }

    /// Waits until every node answers and has caught up, and one leads.
    pub async fn until_whole(&self, wait: Duration) -> Result<(), Failure> {
        let patience = Instant::now() + wait;
        loop {
            if let Ok(status) = self.status().await
                && whole(&status).is_ok()
            {
                return Ok(());
            }
            if Instant::now() > patience {
                return Err(Failure::new(
                    Exit::Unhealthy,
                    "not_whole",
                    both!("not every node is back in time", "未能在限时内恢复全部节点"),
                ));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The drill of that name.
    pub async fn drill(&self, name: &str) -> Result<Drill, Failure> {
        persist!(self, drills.get_drill(GetDrillRequest { name: name.to_owned() }))
    }

    /// The newest drill.
    pub async fn last_drill(&self) -> Result<Option<Drill>, Failure> {
        let request =
            ListDrillsRequest { parent: self.session.parent(), page_size: 1, ..Default::default() };
        let page = persist!(self, drills.list_drills(request))?;
        Ok(page.drills.into_iter().next())
    }

    /// Everything that the prober wrote and is there, and the committed clock at the last page.
    pub async fn probes(&self, drill: &str) -> Result<(BTreeMap<u64, There>, u64), Failure> {
        let (mut found, mut from) = (BTreeMap::new(), 0);
        loop {
            let request = ListProbesRequest { name: drill.to_owned(), from, limit: 0 };
            let page = persist!(self, drills.list_probes(request))?;
            for probe in page.probes {
                let there = There {
                    times: probe.times,
                    due: probe.due.map(|due| millis(&due)),
                    fired: probe.fired,
                    fired_at: probe.fired_time.map(|at| millis(&at)),
                };
                found.insert(probe.sequence, there);
            }
            match page.next {
                Some(next) => from = next,
                None => return Ok((found, page.clock.map_or(0, |clock| millis(&clock)))),
            }
        }
    }

    /// Sweeps what the prober wrote.
    pub async fn sweep(&self, drill: &str) -> Result<(), Failure> {
        loop {
            let request = SweepProbesRequest { name: drill.to_owned(), request_id: request_id() };
            if !persist!(self, drills.sweep_probes(request))?.more {
                return Ok(());
            }
        }
    }

    /// Moves a development clock by so much; what nobody answers is left for the next time.
    pub async fn move_clock(&self, by: Duration) -> Result<(), Failure> {
        let status = self.status().await?;
        let clock = status.clock.map_or(0, |clock| millis(&clock));
        let to = clock + u64::try_from(by.as_millis()).unwrap_or_default();
        let request = SetDevelopmentClockRequest {
            name: self.session.parent(),
            time: Some(timestamp(to)),
            request_id: request_id(),
        };
        let mut call = self.session.call(request);
        call.set_timeout(LOOK_WAIT);
        let answer = self.session.operations().set_development_clock(call).await;
        answer.map(drop).map_err(|status| Failure::call(&status))
    }

    /// The signed head of the ledger, as the message in JSON.
    pub async fn head(&self) -> Result<Value, Failure> {
        let request = GetTreeHeadRequest { parent: self.session.parent() };
        let head = persist!(self, ledger.get_tree_head(request))?;
        to_json(kind::TREE_HEAD, &head).map_err(|error| unreadable(&error))
    }

    /// Whether the ledger still is the one of `held`: with an anchor, signatures too.
    pub async fn extends(&self, held: &TreeHead) -> Result<bool, Failure> {
        let request = GetConsistencyProofRequest {
            parent: self.session.parent(),
            first_size: held.tree_size,
            second_size: 0,
        };
        let proof = persist!(self, ledger.get_consistency_proof(request))?;
        let proof: ConsistencyProof = document(kind::CONSISTENCY_PROOF, &proof)?;
        let verdict = match &self.anchor {
            Some(anchor) => verify_against(held, &proof, anchor).ok(),
            None => held
                .to_head()
                .zip(proof.second_head.to_head())
                .map(|(held, newest)| compare(&held.head, &newest.head, &proof.path)),
        };
        Ok(matches!(verdict, Some(Against::Extends { .. })))
    }

    /// The receipt of the newest record about `name`, as the message in JSON.
    pub async fn receipt(&self, name: &str) -> Result<Value, Failure> {
        let request = GetReceiptRequest { name: name.to_owned(), record: None };
        let receipt = persist!(self, ledger.get_receipt(request))?;
        to_json(kind::RECEIPT, &receipt).map_err(|error| unreadable(&error))
    }
}

/// Whether one leads and every node has caught up; else what is wrong, in a word.
pub fn whole(status: &GetStatusResponse) -> Result<(), String> {
    let leading = status.nodes.iter().filter(|node| node.role == "leader").count();
    if leading != 1 || status.leader.is_empty() {
        return Err(format!("{leading} nodes lead"));
    }
    let behind = status
        .nodes
        .iter()
        .find(|node| !matches!(node.role.as_str(), "leader" | "follower") || node.lag > LAG_MAX);
    match behind {
        Some(node) => Err(format!("node {} is {} and lacks {}", node.id, node.role, node.lag)),
        None => Ok(()),
    }
}

/// A head as the document that is checked offline.
pub fn read_head(head: &Value) -> Result<TreeHead, Failure> {
    serde_json::from_value(head.clone()).map_err(|error| unreadable(&error))
}

/// A message as the document that is checked offline.
fn document<M: prost::Message, D: serde::de::DeserializeOwned>(
    kind: &str,
    message: &M,
) -> Result<D, Failure> {
    let value = to_json(kind, message).map_err(|error| unreadable(&error))?;
    serde_json::from_value(value).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::new(
        Exit::Error,
        "answer_malformed",
        both!("the server's answer cannot be read: {error}", "无法读取服务端的答复：{error}"),
    )
}

/// Milliseconds since 1970.
pub fn millis(time: &Timestamp) -> u64 {
    let seconds = u64::try_from(time.seconds).unwrap_or_default();
    seconds * 1_000 + u64::try_from(time.nanos).unwrap_or_default() / 1_000_000
}

/// The instant as a timestamp.
pub fn timestamp(ms: u64) -> Timestamp {
    luqiao_proto::convert::time::timestamp(catalog_model::time::UtcMillis(ms))
}
