//! Serve: what may another domain ask of us?
//!
//! Its calls take the same path as a department's; identity has established that it is a domain
//! with a link. What is left to say is which feed it gets: the full catalog goes up, what is
//! shared goes down and to the fusion platform. Calls that it carries for its departments are
//! unpacked by policy and from then on are calls like any other.

use luqiao_proto::federation::v1::{FeedScope, FollowFeedRequest};
use prost::Message as _;

use crate::{config::PeerKind, method::Method};

const FOLLOW_FEED: &str = "/luqiao.federation.v1.FederationService/FollowFeed";

/// Whether a domain in that place may make this call; if not, the number of the scope that it
/// asked for. Only the feed depends on the place.
pub fn may_follow(method: &Method, kind: Option<&PeerKind>, call: &[u8]) -> Result<(), i32> {
    if method.path != FOLLOW_FEED {
        return Ok(());
    }
    // What cannot be read asks for no scope that there is.
    let scope = FollowFeedRequest::decode(call).map_or(0, |request| request.scope);
    match (FeedScope::try_from(scope), kind) {
        (Ok(FeedScope::Full), Some(PeerKind::Superior)) | (Ok(FeedScope::Shared), Some(_)) => {
            Ok(())
        }
        _ => Err(scope),
    }
}
