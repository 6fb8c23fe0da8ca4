//! `FederationService`: what other domains ask of this one, and how their feeds are numbered.

use std::sync::{Mutex, PoisonError};

use catalog_model::{
    caller::Identity, ids::GrantId, name::Resource, reason::Reason, refusal::Refusal,
};
use catalog_state::{
    codec,
    command::Body,
    feed::{FeedRecord, FeedScope, FeedToken, head_of, link},
    rows::{DomainKind, PeerRelation},
};
use luqiao_proto::{
    convert::{
        catalog_entry::entry_message,
        grant::read_grant,
        name::full_name,
        share_request::{read_request, request_message},
        stated,
        time::timestamp,
    },
    federation::v1::{
        self as message, DescribeDomainRequest, DescribeDomainResponse, FeedPosition,
        FollowFeedRequest, FollowFeedResponse, ForwardRequestRequest, ForwardRequestResponse,
        RelayStatusRequest, RelayStatusResponse,
    },
};

use super::{Call, Look, Reply, not_found, organizations::done};
use crate::storage::hex;

/// Records of one batch, unless the follower asks for fewer.
const BATCH: usize = 200;
/// Bytes of stored records of one batch; the message stays well below its limit, which holds each
/// entry twice.
const BATCH_BYTES: usize = 1 << 20;

/// The hash of the chain at every so many-th revision is kept in memory.
const CHECKPOINT: u64 = 256;

pub(super) async fn describe(call: &Call) -> Result<Reply, Refusal> {
    let DescribeDomainRequest {} = call.decode()?;
    call.read(|look| {
        let (cluster, view) = (&look.cluster, look.view());
        let counters = view.counters();
        let mut feeds = vec![FeedScope::Shared];
        if scope_of_caller(look).is_ok_and(|widest| widest == FeedScope::Full) {
            feeds.insert(0, FeedScope::Full);
        }
        Ok(DescribeDomainResponse {
            domain: cluster.domain.to_string(),
            kind: kind_number(cluster.kind),
            display_name: cluster.display_name.clone(),
            cluster_id: hex(&cluster.cluster_id),
            generation: cluster.generation,
            clock: Some(timestamp(view.clock())),
            feeds: feeds
                .into_iter()
                .map(|scope| {
                    let head = head_of(&counters, scope);
                    FeedPosition {
                        scope: scope as i32,
                        revision: head.revision,
                        hash: head.hash.to_vec().into(),
                    }
                })
                .collect(),
            level: view.level(),
        })
    })
    .await
}

pub(super) async fn forward(call: &Call) -> Result<Reply, Refusal> {
    let request: ForwardRequestRequest = call.decode()?;
    call.look_now(|look| scope_of_caller(look).map(drop))?;
    let case = read_request(stated(request.request.as_ref(), "request")?, "request")?;
    let body = Body::ReceiveForwarded { request: Box::new(case), grant: GrantId(super::draw()) };
    let answered = call.commit_as(None, body).await?;
    call.look(move |look| {
        let name = done(&answered.applied.outcome)?;
        let Resource::Request(id) = name.resource else {
            return Err(Refusal::new(Reason::Internal));
        };
        let case = look.view().request(&name.domain, id).ok_or_else(|| not_found(&name))?;
        Ok(ForwardRequestResponse { request: Some(request_message(&case, look.view().clock())) })
    })
    .await
}

pub(super) async fn relay(call: &Call) -> Result<Reply, Refusal> {
    let request: RelayStatusRequest = call.decode()?;
    call.look_now(|look| scope_of_caller(look).map(drop))?;
    let case = read_request(stated(request.request.as_ref(), "request")?, "request")?;
    let grant = request.grant.as_ref().map(|grant| read_grant(grant, "grant")).transpose()?;
    let (domain, id) = (case.domain.clone(), case.id);
    let body = Body::ReceiveStatus { request: Box::new(case), grant: grant.map(Box::new) };
    call.commit_as(None, body).await?;
    call.look(move |look| {
        let name = || full_name(&domain, Resource::Request(id));
        let case = look.view().request(&domain, id).ok_or_else(|| not_found(name()))?;
        Ok(RelayStatusResponse { version: case.version })
    })
    .await
}

/// The widest feed that the caller may follow; refused to whoever is not the gateway of a peer.
pub(super) fn scope_of_caller(look: &Look<'_>) -> Result<FeedScope, Refusal> {
    let foreign = || Refusal::new(Reason::DomainForeign).fact("domain", &look.caller.domain);
    if !matches!(look.caller.identity, Identity::Gateway { .. }) {
        return Err(foreign());
    }
    match look.view().peer(&look.caller.domain).ok_or_else(foreign)?.relation {
        PeerRelation::Superior => Ok(FeedScope::Full),
        PeerRelation::Subordinate | PeerRelation::Beside => Ok(FeedScope::Shared),
    }
}

/// Where a follower begins: scope, revision and hash after which it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Following {
    pub(super) token: FeedToken,
    batch: usize,
}

/// Whether the caller may follow as it asks, and whether its token is of this feed.
pub(super) fn begin(
    look: &Look<'_>,
    chains: &Chains,
    request: &FollowFeedRequest,
) -> Result<Following, Refusal> {
    let widest = scope_of_caller(look)?;
    let scope = scope_from(request.scope, "scope")?;
    if scope == FeedScope::Full && widest != FeedScope::Full {
        return Err(Refusal::new(Reason::CallerNotPermitted)
            .fact("caller", look.caller)
            .fact("needed", "a superior domain, for the full feed"));
    }
    let cluster = &look.cluster;
    let beginning = FeedToken {
        cluster_id: cluster.cluster_id,
        generation: cluster.generation,
        scope,
        revision: 0,
        hash: [0; 32],
    };
    let token = match &request.after {
        None => beginning,
        Some(after) => {
            let token = read_token(after, "after")?;
            let known = token.cluster_id == beginning.cluster_id
                && token.generation == beginning.generation
                && token.scope == scope
                && chains.hash_at(look, scope, token.revision) == Some(token.hash);
            if !known {
                return Err(Refusal::new(Reason::FeedTokenUnknown));
            }
            token
        }
    };
    let batch = match usize::try_from(request.batch_size) {
        Ok(0) | Err(_) => BATCH,
        Ok(asked) => asked.min(BATCH),
    };
    Ok(Following { token, batch })
}

/// The next records for a follower, which then stands after them.
pub(super) fn batch(look: &Look<'_>, following: &mut Following) -> FollowFeedResponse {
    let view = look.view();
    let scope = following.token.scope;
    let mut records = Vec::new();
    let mut bytes = 0;
    while records.len() < following.batch && bytes < BATCH_BYTES {
        let revision = following.token.revision + 1;
        let Some(stored) = view.feed_record_bytes(scope, revision) else { break };
        bytes += stored.len();
        let record: FeedRecord =
            codec::decode(&stored).expect("feed records are written by this program");
        let hash = link(&following.token.hash, &stored);
        following.token.revision = revision;
        following.token.hash = hash;
        records.push(message::FeedRecord {
            revision,
            entry_name: full_name(&look.cluster.domain, Resource::Entry(record.entry)),
            entry: record.now.as_ref().map(entry_message),
            record: stored.into(),
            hash: hash.to_vec().into(),
        });
    }
    FollowFeedResponse {
        records,
        token: Some(token_message(&following.token)),
        newest_revision: head_of(&view.counters(), scope).revision,
    }
}

/// Hashes of the chains at checkpoints, so that a token is checked without walking a whole feed.
/// Derived from the records; each node makes its own.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    full: Mutex<Vec<[u8; 32]>>,
    shared: Mutex<Vec<[u8; 32]>>,
}

impl Chains {
    /// The chain's hash at `revision`; `None` beyond its end.
    fn hash_at(&self, look: &Look<'_>, scope: FeedScope, revision: u64) -> Option<[u8; 32]> {
        let view = look.view();
        let chain = match scope {
            FeedScope::Full => &self.full,
            FeedScope::Shared => &self.shared,
        };
        let walk = |mut hash: [u8; 32], from: u64, to: u64| {
            for revision in from + 1..=to {
                hash = link(&hash, &view.feed_record_bytes(scope, revision)?);
            }
            Some(hash)
        };
        let mut checkpoints = chain.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = usize::try_from(revision / CHECKPOINT).ok()?;
        // The first checkpoint is the empty chain.
        if checkpoints.is_empty() {
            checkpoints.push([0; 32]);
        }
        while checkpoints.len() <= wanted {
            let at = (checkpoints.len() as u64 - 1) * CHECKPOINT;
            let next = walk(checkpoints[checkpoints.len() - 1], at, at + CHECKPOINT)?;
            checkpoints.push(next);
        }
        walk(checkpoints[wanted], wanted as u64 * CHECKPOINT, revision)
    }
}

/// The scope of that number in the API.
pub(super) fn scope_from(number: i32, field: &str) -> Result<FeedScope, Refusal> {
    match number {
        1 => Ok(FeedScope::Full),
        2 => Ok(FeedScope::Shared),
        _ => Err(Refusal::new(Reason::FieldInvalid).field(
            field,
            "is neither the full nor the shared feed",
            "既非全量变更流，也非共享变更流",
        )),
    }
}

/// A token as it travels.
pub(super) fn token_message(token: &FeedToken) -> message::FeedToken {
    message::FeedToken {
        cluster_id: hex(&token.cluster_id),
        generation: token.generation,
        scope: token.scope as i32,
        revision: token.revision,
        hash: token.hash.to_vec().into(),
    }
}

/// A token that somebody else wrote.
pub(super) fn read_token(token: &message::FeedToken, field: &str) -> Result<FeedToken, Refusal> {
    let unknown = || Refusal::new(Reason::FeedTokenUnknown);
    let cluster_id = (token.cluster_id.len() == 32)
        .then(|| u128::from_str_radix(&token.cluster_id, 16).ok())
        .flatten()
        .ok_or_else(unknown)?;
    Ok(FeedToken {
        cluster_id: cluster_id.to_be_bytes(),
        generation: token.generation,
        scope: scope_from(token.scope, &format!("{field}.scope"))?,
        revision: token.revision,
        hash: token.hash.as_ref().try_into().map_err(|_| unknown())?,
    })
}

fn kind_number(kind: DomainKind) -> i32 {
    (match kind {
        DomainKind::Province => message::DomainKind::Province,
        DomainKind::City => message::DomainKind::City,
        DomainKind::District => message::DomainKind::District,
        DomainKind::Department => message::DomainKind::Department,
        DomainKind::Fusion => message::DomainKind::Fusion,
    }) as i32
}
