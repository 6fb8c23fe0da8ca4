//! Follow: how does our copy of another domain's catalog stay complete and in order?
//!
//! The cursor lies in our cluster beside the copy. From there the peer's feed is read, and each
//! batch is handed to the cluster with the cursor at which it follows; cursor and data change in
//! one compare-and-set. A batch that comes twice, or from another gateway of ours, finds the
//! cursor moved: then we begin again from where it is. The copy is never cleared to be filled
//! again. That the batch continues the chain is checked in the cluster, not here.

use std::convert::Infallible;

use bytes::Bytes;
use catalog_model::reason::Reason;
use luqiao_proto::federation::v1::{FeedScope, FeedToken, FollowFeedRequest, FollowFeedResponse};
use luqiao_transport::status::Problem;
use prost::Message as _;
use tokio::time::sleep;
use tonic::Streaming;

use super::{LinkFailed, PAUSE_FIRST, Work, Worker};
use crate::{config::Follow, upstream::CallFailed};

const FOLLOW_FEED: &str = "/luqiao.federation.v1.FederationService/FollowFeed";

impl Worker {
    /// Follows the peer's feed until something fails.
    pub(super) async fn follow(&self) -> Result<Infallible, LinkFailed> {
        let scope = match self.peer.follow.expect("only feeds that are configured are followed") {
            Follow::Full => FeedScope::Full,
            Follow::Shared => FeedScope::Shared,
        };
        let mut peer = self.dial().await?;
        loop {
            let cursor = self.upstream.feed_cursor(&self.peer.domain, scope.into()).await?;
            let after =
                if cursor.is_empty() { None } else { Some(FeedToken::decode(cursor.clone())?) };
            let stands = after.as_ref().map_or(0, |token| token.revision);
            self.note(|state| state.feed_revision = stands);
            let question =
                FollowFeedRequest { scope: scope.into(), after, batch_size: self.feed_batch };
            let feed = peer.stream(FOLLOW_FEED, question.encode_to_vec().into()).await?;
            self.connected(Work::Following);
            self.copy(feed, cursor).await?;
            // Whoever moved the cursor is at work: let them.
            sleep(PAUSE_FIRST).await;
        }
    }

    /// Applies batch after batch. Ends well if the cursor was moved by somebody else.
    async fn copy(&self, mut feed: Streaming<Bytes>, mut cursor: Bytes) -> Result<(), LinkFailed> {
        loop {
            let message = feed.message().await.map_err(LinkFailed::Refused)?;
            let batch = message.ok_or(LinkFailed::Ended)?;
            let FollowFeedResponse { records, newest_revision, .. } =
                FollowFeedResponse::decode(batch.clone())?;
            if records.is_empty() {
                // A sign of life: nothing to apply.
                self.note(|state| state.newest_revision = newest_revision);
                continue;
            }
            let applied = self.upstream.apply_feed_batch(&self.peer.domain, cursor, batch).await;
            cursor = match applied {
                Ok(cursor) => cursor,
                Err(failed) if cursor_moved(&failed) => return Ok(()),
                Err(failed) => return Err(failed.into()),
            };
            let token = FeedToken::decode(cursor.clone())?;
            self.note(|state| {
                state.feed_revision = token.revision;
                state.newest_revision = newest_revision;
            });
        }
    }
}

fn cursor_moved(failed: &CallFailed) -> bool {
    match failed {
        CallFailed::Refused(status) => {
            Problem::from_status(status).reason == Some(Reason::FeedCursorMoved)
        }
        _ => false,
    }
}
