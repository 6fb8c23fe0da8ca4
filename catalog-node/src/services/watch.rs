//! Streams: what is told to those who watch, and when does a stream end?
//!
//! A stream is served by the node that it reached, from what is committed there, in the order of
//! the log. It ends when the watcher is further behind than the history reaches, when this node
//! has been without a leader for a while, and when the node shuts down; each with a status that
//! says how to go on.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use catalog_model::{
    catalog_entry,
    name::{Resource, ResourceName},
    reason::{Lang, Reason},
    refusal::Refusal,
};
use catalog_state::event::Event;
use luqiao_proto::{
    catalog::v1::{CatalogEntry, EntryState, WatchEntriesRequest, WatchEntriesResponse},
    convert::{
        catalog_entry::entry_message, demand::demand_message, dispute::dispute_message,
        name::domain_name, share_request::request_message, time::timestamp,
    },
    federation::v1::FollowFeedRequest,
    node::v1::StreamResponse,
    sharing::v1::{
        WatchDemandsRequest, WatchDemandsResponse, WatchDisputesRequest, WatchDisputesResponse,
        WatchRequestsRequest, WatchRequestsResponse,
    },
};
use luqiao_transport::status;
use prost::Message;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Call, Look, Services, call::Answers, catalog::sees_working, federation, ledger};
use crate::{
    handle::NodeHandle,
    history::{Committed, Subscription},
    node::no_leader,
};

/// Messages that wait for a slow watcher; what is behind them is read when there is room.
const AHEAD: usize = 64;

/// How long a node may be without a leader before it stops pretending to know the news.
const LEADERLESS_MAX: Duration = Duration::from_secs(3);

/// Begins the stream that `call` asks for, on a state that contains everything committed by now.
pub(super) async fn stream(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    call.handle().read().await?;
    match call.method.path {
        "/luqiao.catalog.v1.CatalogService/WatchEntries" => entries(call),
        "/luqiao.sharing.v1.SharingService/WatchRequests" => requests(call),
        "/luqiao.sharing.v1.DisputeService/WatchDisputes" => disputes(call),
        "/luqiao.sharing.v1.DemandService/WatchDemands" => demands(call),
        "/luqiao.federation.v1.FederationService/FollowFeed" => feed(call),
        "/luqiao.ledger.v1.LedgerService/TailRecords" => ledger::tail(call),
        "/luqiao.ledger.v1.LedgerService/ExportSegment" => ledger::export(call),
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

fn entries(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    let request: WatchEntriesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let subscription = call.handle().subscribe(after(request.after_index));
    Ok(follow(call, subscription, move |look, committed| {
        let mut shown = Vec::new();
        for (name, listed) in changed_entries(committed) {
            if name.domain != domain {
                continue;
            }
            let Resource::Entry(id) = name.resource else { continue };
            let view = look.view();
            let working = view.entry(&domain, id).filter(|entry| sees_working(look, entry));
            let entry = match (working, listed) {
                (Some(working), _) => entry_message(&working),
                (None, false) => continue,
                (None, true) => match view.published_entry(&domain, id) {
                    Some(published) => entry_message(&published),
                    None => gone(&name, view.entry(&domain, id).map(|entry| entry.state)),
                },
            };
            shown.push(WatchEntriesResponse {
                entry: Some(entry),
                index: committed.index,
                commit_time: Some(timestamp(committed.clock)),
            });
        }
        shown
    }))
}

fn requests(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    let request: WatchRequestsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let subscription = call.handle().subscribe(after(request.after_index));
    Ok(follow(call, subscription, |look, committed| {
        let changed: BTreeSet<&ResourceName> = committed
            .events
            .iter()
            .filter_map(|event| match event {
                Event::RequestChanged(name) => Some(name),
                _ => None,
            })
            .collect();
        changed
            .into_iter()
            .filter_map(|name| super::sharing::case(look, name))
            .map(|case| WatchRequestsResponse {
                request: Some(request_message(&case, look.view().clock())),
                index: committed.index,
                commit_time: Some(timestamp(committed.clock)),
            })
            .collect()
    }))
}

fn disputes(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    let request: WatchDisputesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let subscription = call.handle().subscribe(after(request.after_index));
    Ok(follow(call, subscription, |look, committed| {
        changed_resources(committed)
            .into_iter()
            .filter_map(|name| super::disputes::seen(look, name))
            .map(|dispute| WatchDisputesResponse {
                dispute: Some(dispute_message(&dispute)),
                index: committed.index,
                commit_time: Some(timestamp(committed.clock)),
            })
            .collect()
    }))
}

fn demands(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    let request: WatchDemandsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let subscription = call.handle().subscribe(after(request.after_index));
    Ok(follow(call, subscription, |look, committed| {
        let known = |name: &ResourceName| match name.resource {
            Resource::Demand(id) => look.view().demand(&name.domain, id),
            _ => None,
        };
        changed_resources(committed)
            .into_iter()
            .filter_map(known)
            .filter(|_| super::demands::sees(look))
            .map(|demand| WatchDemandsResponse {
                demand: Some(demand_message(&demand, super::demands::takes_part(look, &demand))),
                index: committed.index,
                commit_time: Some(timestamp(committed.clock)),
            })
            .collect()
    }))
}

/// Resources without an event of their own that changed, each once.
fn changed_resources(committed: &Committed) -> BTreeSet<&ResourceName> {
    let changed = committed.events.iter().filter_map(|event| match event {
        Event::ResourceChanged(name) => Some(name),
        _ => None,
    });
    changed.collect()
}

fn feed(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    let request: FollowFeedRequest = call.decode()?;
    let services = Arc::clone(&call.services);
    // First the place, then the rows: what comes between is found in both.
    let mut subscription = call.handle().subscribe(None);
    let mut following =
        call.look_now(|look| federation::begin(look, &services.chains, &request))?;
    Ok(spawn(&services, call.lang, move |out| async move {
        let mut first = true;
        loop {
            let caller = call.caller.clone();
            let mut stands = following.clone();
            let (batch, stands, index) = call
                .handle()
                .look(move |state| {
                    let batch = federation::batch(&Look::new(state, &caller)?, &mut stands);
                    Ok::<_, Refusal>((batch, stands, state.applied()))
                })
                .await?;
            following = stands;
            let is_empty = batch.records.is_empty();
            // The first message says where the feed stands, even if there is nothing new.
            if !is_empty || first {
                first = false;
                let response = batch.encode_to_vec().into();
                if out.send(Ok(StreamResponse { response, index })).await.is_err() {
                    return Ok(());
                }
            }
            if is_empty && !grown(&mut subscription).await? {
                // The rows are all there; only the wake-up call was missed.
                subscription = call.handle().subscribe(None);
            }
        }
    }))
}

/// Waits until a feed has a new record; `false` if that may have been missed.
async fn grown(subscription: &mut Subscription) -> Result<bool, Refusal> {
    loop {
        match subscription.next().await {
            None => return Err(Refusal::new(Reason::Draining).retry_after(0)),
            Some(Err(_)) => return Ok(false),
            Some(Ok(committed)) => {
                if committed.iter().any(|one| one.events.contains(&Event::FeedGrew)) {
                    return Ok(true);
                }
            }
        }
    }
}

/// The entries that changed, each once, and whether what is listed of them did.
fn changed_entries(committed: &Committed) -> Vec<(ResourceName, bool)> {
    let mut changed = std::collections::BTreeMap::new();
    for event in &committed.events {
        match event {
            Event::EntryListed(name) => {
                changed.insert(name.clone(), true);
            }
            Event::EntryEdited(name) => {
                changed.entry(name.clone()).or_insert(false);
            }
            _ => {}
        }
    }
    changed.into_iter().collect()
}

/// An entry that is not listed any more, as far as it is shown to those who saw it listed: that it
/// left, or that it rests.
fn gone(name: &ResourceName, state: Option<catalog_entry::EntryState>) -> CatalogEntry {
    let state = match state {
        Some(catalog_entry::EntryState::Suspended) => EntryState::Suspended,
        _ => EntryState::Withdrawn,
    };
    CatalogEntry { name: name.to_string(), state: state as i32, ..Default::default() }
}

fn after(index: u64) -> Option<u64> {
    (index > 0).then_some(index)
}

/// Streams what `show` makes of each committed entry.
fn follow<M, F>(call: Call, mut subscription: Subscription, show: F) -> Answers<StreamResponse>
where
    M: Message + 'static,
    F: Fn(&Look<'_>, &Committed) -> Vec<M> + Clone + Send + Sync + 'static,
{
    let services = Arc::clone(&call.services);
    let lang = call.lang;
    spawn(&services, lang, move |out| async move {
        loop {
            let committed = match subscription.next().await {
                None => return Err(Refusal::new(Reason::Draining).retry_after(0)),
                Some(Err(behind)) => return Err(behind.refusal()),
                Some(Ok(committed)) => committed,
            };
            let (caller, show) = (call.caller.clone(), show.clone());
            let shown = call
                .handle()
                .look(move |state| {
                    let look = Look::new(state, &caller)?;
                    let each = committed.iter().map(|one| {
                        let messages = show(&look, one);
                        messages.into_iter().map(|message| StreamResponse {
                            response: message.encode_to_vec().into(),
                            index: one.index,
                        })
                    });
                    Ok::<_, Refusal>(each.flatten().collect::<Vec<_>>())
                })
                .await?;
            for answer in shown {
                if out.send(Ok(answer)).await.is_err() {
                    return Ok(());
                }
            }
        }
    })
}

/// Runs `produce` beside the call until the watcher leaves or the node must end it, and tells the
/// watcher why it ended.
pub(super) fn spawn<T, F, R>(services: &Arc<Services>, lang: Lang, produce: F) -> Answers<T>
where
    T: Send + 'static,
    F: FnOnce(mpsc::Sender<Result<T, Status>>) -> R,
    R: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    let (out, stream) = mpsc::channel(AHEAD);
    let producing = produce(out.clone());
    let shutdown = services.shutdown.clone();
    let handle = services.handle.clone();
    let task = async move {
        let ended = tokio::select! {
            ended = producing => ended,
            () = out.closed() => Ok(()),
            () = shutdown.begun() => Err(Refusal::new(Reason::Draining).retry_after(0)),
            () = leaderless(&handle) => Err(no_leader()),
        };
        if let Err(refusal) = ended {
            let _ = out.send(Err(status::of(&refusal, lang))).await;
        }
    };
    drop(services.shutdown.spawn(task));
    Box::pin(ReceiverStream::new(stream))
}

/// Completes when this node has known no leader for a while.
async fn leaderless(handle: &NodeHandle) {
    let mut status = handle.watch_status();
    loop {
        if status.wait_for(|status| status.replica.leader.is_none()).await.is_err() {
            return;
        }
        let known = status.wait_for(|status| status.replica.leader.is_some());
        match timeout(LEADERLESS_MAX, known).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
