//! Outages: for how long did this node refuse writes, and is that on record?
//!
//! Only the leader can put something on record, and the node that has something to report has often
//! handed leadership over because of it. So it tells whoever leads, again and again until that one
//! has committed it; an outage is known by its node and its beginning, so telling twice does no
//! harm. What is not on record yet is kept in the file `OUTAGES`, as far as the disk takes it: an
//! end of the process does not lose it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use catalog_model::{reason::Reason, refusal::Refusal, time::UtcMillis};
use catalog_state::{command::Body, rows::OutageKind};
use luqiao_proto::peer::v1::{
    OutageKind as KindMessage, ReportOutageRequest, peer_service_client::PeerServiceClient,
};
use luqiao_transport::status::Problem;
use minicbor::{Decode, Encode};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    handle::{Intent, NodeHandle},
    storage::folders::write_durably,
};

const NAME: &str = "OUTAGES";

/// How long the leader may take to commit one.
const REPORT_WAIT: Duration = Duration::from_secs(2);

/// What this node has to put on record. All are of a nearly full disk: there is no other kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
struct Content {
    /// Since when writes are refused here, if they are.
    #[n(0)]
    since: Option<UtcMillis>,
    /// What is over and not on record, oldest first.
    #[n(1)]
    ended: Vec<Outage>,
}

/// One that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Outage {
    #[n(0)]
    from: UtcMillis,
    #[n(1)]
    until: UtcMillis,
}

/// The outages of this node that are not on record.
#[derive(Debug)]
pub(crate) struct Outages {
    file: PathBuf,
    content: Content,
}

impl Outages {
    /// What the file in `folder` says; nothing if there is none, or it cannot be read.
    pub(crate) fn open(folder: &Path) -> Self {
        let file = folder.join(NAME);
        let content = match fs::read(&file) {
            Ok(bytes) => minicbor::decode(&bytes).unwrap_or_else(|error| {
                tracing::error!(%error, "Outages that are not on record cannot be read");
                Content::default()
            }),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::error!(%error, "Outages that are not on record cannot be read");
                }
                Content::default()
            }
        };
        Self { file, content }
    }

    /// Writes are refused here, from `now` unless they were before.
    pub(crate) async fn refusing(&mut self, now: UtcMillis) {
        if self.content.since.is_none() {
            self.content.since = Some(now);
            self.keep().await;
        }
    }

    /// Writes are not refused here: what lasted until now is over.
    pub(crate) async fn over(&mut self, now: UtcMillis) {
        if let Some(from) = self.content.since.take() {
            self.content.ended.push(Outage { from, until: now });
            self.keep().await;
        }
    }

    /// Puts on record what is over, by whoever leads; what fails stays for the next time.
    pub(crate) async fn put_on_record(&mut self, handle: &NodeHandle) {
        while let Some(outage) = self.content.ended.first().copied() {
            if !told(handle, outage).await {
                return;
            }
            self.content.ended.remove(0);
            self.keep().await;
        }
    }

    async fn keep(&self) {
        let (file, content) = (self.file.clone(), self.content.clone());
        let kept = spawn_blocking(move || {
            if content == Content::default() {
                return fs::remove_file(&file);
            }
            let bytes = minicbor::to_vec(&content).expect("a vector takes everything");
            write_durably(&file, &bytes)
        });
        if let Ok(Err(error)) = kept.await {
            // It is still in memory.
            tracing::warn!(%error, "What is to go on record could not be kept on disk");
        }
    }
}

/// Has `outage` of this node put on record; `false` if that is to be tried again.
async fn told(handle: &NodeHandle, outage: Outage) -> bool {
    let Outage { from, until } = outage;
    let reason = match handle.status().replica.leader {
        None => return false,
        Some(leader) if leader == handle.id() => {
            match record(handle, handle.id(), from, until).await {
                Ok(()) => return true,
                Err(refusal) => Some(refusal.reason),
            }
        }
        Some(leader) => match report(handle, leader, outage).await {
            Ok(()) => return true,
            Err(reason) => reason,
        },
    };
    if reason == Some(Reason::LevelTooLow) {
        tracing::warn!(%from, %until, "Outage not on record: the cluster's level is too low");
        return true;
    }
    tracing::debug!(?reason, %from, %until, "Outage not on record yet");
    false
}

/// Commits, on the leader, that `node` refused writes because its disk was nearly full.
pub(crate) async fn record(
    handle: &NodeHandle,
    node: u64,
    from: UtcMillis,
    until: UtcMillis,
) -> Result<(), Refusal> {
    let kind = OutageKind::DiskNearlyFull;
    let intent = Intent {
        caller: handle.own_identity(),
        received_at: None,
        idempotency: None,
        body: Body::RecordOutage { node, kind, from, until },
    };
    handle.propose(intent).await.map(drop)
}

/// Has `leader` commit it; an older program that cannot leaves it for another leader.
async fn report(handle: &NodeHandle, leader: u64, outage: Outage) -> Result<(), Option<Reason>> {
    let channel = handle.peers().channel(leader).ok_or(None)?;
    let request = ReportOutageRequest {
        hello: Some(handle.peers().hello_to(leader)),
        kind: KindMessage::DiskNearlyFull.into(),
        from_ms: outage.from.0,
        until_ms: outage.until.0,
    };
    match timeout(REPORT_WAIT, PeerServiceClient::new(channel).report_outage(request)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(status)) => Err(Problem::from_status(&status).reason),
        Err(_) => Err(None),
    }
}

#[cfg(test)]
mod tests;
