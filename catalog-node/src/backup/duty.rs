//! The duty: who keeps the archive, and how old is it?
//!
//! A thread on every node that has a section `[backup]`. One of them keeps the archive: a learner where
//! there is one, else a follower; whoever leads has enough to do. It seals committed entries as they come,
//! takes a base now and then, asks another node what *it* holds, and says again and again how far it is
//! (the pulse). The others listen to the pulse: they know the age of the archive, and when nobody keeps
//! it they take over in turn.
//!
//! An archive that refuses (full, away) breaks nothing: entries stay in the log for a while, the alarm
//! says what is wrong, and it is tried again. What the log had to let go of meanwhile is a hole, and a new
//! base begins behind it.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use catalog_backup::{Archive, ArchiveError, Attestation, Base, Pulse, SealedEntry, Segment};
use catalog_log::{LogRead as _, SegmentReader};
use catalog_model::time::UtcMillis;
use catalog_replica::Membership;
use luqiao_proto::peer::v1::{GetContentDigestRequest, peer_service_client::PeerServiceClient};
use luqiao_transport::drain::Shutdown;
use protobuf::Message as _;
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    time::timeout,
};

use super::{
    BackupConfig, BaseTaken,
    base::{TakeError, Taking, take},
    open_archive,
};
use crate::{config::Config, handle::NodeHandle, running::chain, storage::Identity};

/// Name of the alarm: the archive does not have what was committed for too long.
const BACKUP_TOO_OLD: &str = "backup-too-old";
/// Name of the alarm: the archive refuses.
const BACKUP_FAILED: &str = "backup-failed";

/// How often the thread looks about.
const LOOK: Duration = Duration::from_millis(200);

/// Pause after the archive refused.
const AGAIN: Duration = Duration::from_secs(5);

/// How long the keeper may be silent before the next in turn takes over.
const SILENT: u64 = 60_000;

/// How long another node may take to read all of its rows.
const WITNESS_WAIT: Duration = Duration::from_mins(20);

/// How the archive stands, as this node knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Whether this node keeps it.
    pub(crate) keeps: bool,
    /// What was said last of how far it is.
    pub(crate) pulse: Option<Pulse>,
    /// Why the last attempt failed; empty if it did not.
    pub(crate) failure: String,
}

/// A base that somebody asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) taken: BaseTaken,
    /// The other node that said what it holds, and where.
    pub(crate) witness: Option<(u64, u64)>,
}

type Request = oneshot::Sender<Result<Done, String>>;

/// Where services ask about the archive.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    requests: mpsc::Sender<Request>,
    pub(crate) shown: watch::Receiver<Shown>,
}

impl Desk {
    /// Has a base taken now, and waits for it. Says why not.
    pub(crate) async fn run(&self) -> Result<Done, String> {
        let (answer, done) = oneshot::channel();
        let ended = || "the node ends".to_owned();
        self.requests.send(answer).map_err(|_| ended())?;
        done.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Begins the duty; `None` where no archive is configured.
pub(crate) fn begin(
    config: &Config,
    handle: NodeHandle,
    reader: SegmentReader<std::fs::File>,
    identity: Identity,
    shutdown: Shutdown,
) -> Option<Desk> {
    let settings = config.backup.clone()?;
    let (requests, asked) = mpsc::channel();
    let (show, shown) = watch::channel(Shown::default());
    let keeper = Keeper {
        config: config.clone(),
        settings,
        founded: Membership::of_voters(config.voters()).encode(),
        reader,
        identity,
        shutdown,
        runtime: Handle::current(),
        asked,
        show,
        archive: None,
        pulse: None,
        pulse_read: None,
        tail: None,
        before: None,
        base_under_way: None,
        waiting: Vec::new(),
        answered_next: Vec::new(),
        begun_ms: handle.clock().wall().0,
        not_before: None,
        handle,
    };
    thread::Builder::new()
        .name("backup".to_owned())
        .spawn(move || keeper.run())
        .expect("a thread can be had");
    Some(Desk { requests, shown })
}

/// The end of the archive's entries, as the keeper left it.
#[derive(Debug, Clone, Copy)]
struct Tail {
    last: u64,
    hash: [u8; 32],
    sealed: Instant,
    /// Entries up to this one were let go of unsealed, and no base begins behind them yet.
    hole: Option<u64>,
}

type BaseJob = JoinHandle<Result<(Base, Done), TakeError>>;

struct Keeper {
    config: Config,
    settings: BackupConfig,
    founded: Vec<u8>,
    handle: NodeHandle,
    reader: SegmentReader<std::fs::File>,
    identity: Identity,
    shutdown: Shutdown,
    runtime: Handle,
    asked: mpsc::Receiver<Request>,
    show: watch::Sender<Shown>,
    archive: Option<Archive>,
    pulse: Option<Pulse>,
    pulse_read: Option<Instant>,
    tail: Option<Tail>,
    /// The newest base, on whose blocks the next one leans.
    before: Option<Base>,
    base_under_way: Option<BaseJob>,
    waiting: Vec<Request>,
    /// Who asked before the base under way was begun: it has what they wanted to be in it.
    answered_next: Vec<Request>,
    /// When this node began to look.
    begun_ms: u64,
    /// After a refusal: when it is tried again.
    not_before: Option<Instant>,
}

impl Keeper {
    fn run(mut self) {
        while !self.shutdown.has_begun() {
            match self.asked.recv_timeout(LOOK) {
                Ok(request) => {
                    self.waiting.push(request);
                    self.not_before = None;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                // Nobody can ask any more; the duty goes on.
                Err(mpsc::RecvTimeoutError::Disconnected) => thread::sleep(LOOK),
            }
            if self.not_before.is_some_and(|at| Instant::now() < at) {
                self.judge_age();
                continue;
            }
            let done = self.round();
            let failure = done.as_ref().err().map(|error| chain(&**error)).unwrap_or_default();
            let now = self.handle.clock().wall();
            if done.is_err() {
                if self.handle.alarms().raise(BACKUP_FAILED, "", now) {
                    tracing::error!(cause = failure, "The backup archive refuses");
                }
                self.not_before = Some(Instant::now() + AGAIN);
                for request in self.answered_next.drain(..).chain(self.waiting.drain(..)) {
                    let _ = request.send(Err(failure.clone()));
                }
                // What was begun there is looked at anew.
                (self.tail, self.before) = (None, None);
            } else {
                self.not_before = None;
                self.handle.alarms().clear(BACKUP_FAILED, "");
            }
            let keeps = self.tail.is_some();
            let shown = Shown { keeps, pulse: self.pulse, failure };
            self.show.send_if_modified(|now| {
                let changed = *now != shown;
                *now = shown;
                changed
            });
            self.judge_age();
        }
        if let Some(job) = self.base_under_way.take() {
            let _ = job.join();
        }
    }

    fn judge_age(&self) {
        let now = self.handle.clock().wall();
        let covered = self.pulse.map_or(self.begun_ms, |pulse| pulse.covered_ms);
        let age = now.0.saturating_sub(covered);
        if age > self.settings.alarm_after_min.saturating_mul(60_000) {
            self.handle.alarms().raise(BACKUP_TOO_OLD, "", now);
        } else {
            self.handle.alarms().clear(BACKUP_TOO_OLD, "");
        }
    }

    fn round(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let status = self.handle.status();
        if !status.bootstrapped || self.handle.standing().quarantined() {
            return Ok(());
        }
        let archive = if let Some(archive) = &self.archive {
            archive.clone()
        } else {
            let archive = open_archive(&self.config, self.runtime.clone())?;
            archive.begin()?;
            self.archive.insert(archive).clone()
        };
        self.listen(&archive)?;
        self.end_base()?;
        let now = self.handle.clock().wall();
        let silence = self
            .pulse
            .filter(|pulse| pulse.generation == self.identity.generation)
            .map_or(now.0 - self.begun_ms.min(now.0), |pulse| {
                now.0.saturating_sub(pulse.covered_ms)
            });
        let keeper = self.pulse.map(|pulse| pulse.node);
        let membership = &status.replica.membership;
        let rank =
            rank(self.handle.id(), &membership.voters, &membership.learners, status.replica.leader);
        let keeps = match rank {
            None => false,
            Some(0) => true,
            Some(rank) => {
                keeper == Some(self.handle.id()) && self.tail.is_some() || silence > rank * SILENT
            }
        };
        let asked = !self.waiting.is_empty();
        if keeps {
            self.keep(&archive, status.replica.applied, now)?;
        } else {
            self.handle.standing().set_log_needed_from(u64::MAX);
            self.tail = None;
        }
        if keeps || asked {
            self.begin_base(&archive, keeps, now)?;
        }
        Ok(())
    }

    /// Hears how far the archive is, from whoever keeps it.
    fn listen(&mut self, archive: &Archive) -> Result<(), ArchiveError> {
        let due = Duration::from_secs(self.settings.segment_s);
        if self.pulse_read.is_none_or(|read| read.elapsed() >= due) {
            let said = archive.read_pulse()?;
            if said.is_none_or(|said| said.node != self.handle.id()) || self.pulse.is_none() {
                self.pulse = said;
            }
            self.pulse_read = Some(Instant::now());
        }
        Ok(())
    }

    /// Seals what was committed.
    fn keep(
        &mut self,
        archive: &Archive,
        applied: u64,
        now: UtcMillis,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let mut tail = match self.tail {
            Some(tail) => tail,
            None => self.find_tail(archive)?,
        };
        let first = self.reader.first_index();
        if tail.last + 1 < first {
            tracing::warn!(
                from = tail.last + 1,
                until = first - 1,
                "Entries were let go of before they were sealed; a new base begins behind them"
            );
            let last = first - 1;
            tail = Tail { last, hash: [0; 32], sealed: tail.sealed, hole: Some(last) };
        }
        self.handle.standing().set_log_needed_from(tail.last + 1);
        let most = self.settings.segment_mib << 20;
        let late = tail.sealed.elapsed() >= Duration::from_secs(self.settings.segment_s);
        let asked = !self.waiting.is_empty();
        let much = self.reader.bytes_from(tail.last + 1) >= most;
        while tail.last < applied && (late || asked || much) {
            let entries = self.reader.entries(tail.last + 1, applied + 1, most)?;
            let mut sealed = Vec::with_capacity(entries.len());
            for entry in &entries {
                let bytes = entry.write_to_bytes()?;
                sealed.push(SealedEntry { index: entry.index, term: entry.term, bytes });
            }
            let Identity { cluster_id, generation, .. } = self.identity;
            let segment = Segment::of(cluster_id, generation, tail.hash, now.0, sealed);
            archive.write_segment(&segment)?;
            tail =
                Tail { last: segment.last(), hash: segment.hash, sealed: Instant::now(), ..tail };
            self.tail = Some(tail);
            self.handle.standing().set_log_needed_from(tail.last + 1);
            if self.shutdown.has_begun() {
                break;
            }
        }
        self.tail = Some(tail);
        let behind = tail.last < applied;
        let base = self.before.as_ref().map(|base| &base.manifest);
        let (before, base) = (
            self.pulse.filter(|pulse| pulse.generation == self.identity.generation),
            base.map_or((0, 0), |base| (base.index, base.made_ms)),
        );
        let covered_ms = match before {
            // What waits is not in the archive yet.
            Some(before) if behind => before.covered_ms,
            None if behind => self.begun_ms,
            _ => now.0,
        };
        let pulse = Pulse {
            node: self.handle.id(),
            generation: self.identity.generation,
            covered: tail.last,
            covered_ms,
            base: base.0,
            base_ms: base.1,
        };
        let told = |pulse: &Pulse| (pulse.node, pulse.generation, pulse.covered, pulse.base);
        let news = self.pulse.is_none_or(|before| told(&before) != told(&pulse));
        let every = self.settings.segment_s.saturating_mul(1_000);
        let old = self.pulse.is_none_or(|b| covered_ms.saturating_sub(b.covered_ms) >= every);
        if news || old {
            archive.write_pulse(&pulse)?;
            self.pulse = Some(pulse);
        }
        Ok(())
    }

    /// Where the entries in the archive end, as its last keeper left it.
    fn find_tail(&mut self, archive: &Archive) -> Result<Tail, Box<dyn std::error::Error>> {
        let generation = self.identity.generation;
        let listing = archive.list()?;
        let newest = listing.bases.iter().rev().find(|base| base.generation == generation);
        self.before = newest.map(|base| archive.read_base(*base)).transpose()?;
        let of_ours = listing.segments.iter().filter(|segment| segment.generation == generation);
        let last = of_ours.max_by_key(|segment| segment.last);
        let sealed = Instant::now();
        Ok(if let Some(last) = last {
            let hash = archive.read_segment(*last)?.hash;
            Tail { last: last.last, hash, sealed, hole: None }
        } else {
            let last = self.reader.first_index() - 1;
            Tail { last, hash: [0; 32], sealed, hole: None }
        })
    }

    /// Begins a base if one is due, or asked for.
    fn begin_base(
        &mut self,
        archive: &Archive,
        keeps: bool,
        now: UtcMillis,
    ) -> Result<(), ArchiveError> {
        if self.base_under_way.is_some() {
            return Ok(());
        }
        let every = self.settings.base_every_h.saturating_mul(3_600_000);
        let hole = self.tail.is_some_and(|tail| tail.hole.is_some());
        let due = keeps
            && (hole
                || self
                    .before
                    .as_ref()
                    .is_none_or(|base| now.0.saturating_sub(base.manifest.made_ms) >= every));
        if !due && self.waiting.is_empty() {
            return Ok(());
        }
        // The newest, whoever took it: of an older one pruning may have taken packs.
        let newest = archive.list()?.bases.last().copied();
        let newest = newest.filter(|base| base.generation == self.identity.generation);
        let known = self.before.as_ref().map(|base| base.manifest.index);
        if known != newest.map(|base| base.index) {
            self.before = newest.map(|base| archive.read_base(base)).transpose()?;
        }
        let (archive, before) = (archive.clone(), self.before.clone());
        let (handle, reader) = (self.handle.clone(), self.reader.clone());
        let (shutdown, runtime) = (self.shutdown.clone(), self.runtime.clone());
        let (founded, identity) = (self.founded.clone(), self.identity);
        let pace = self.settings.read_mib_per_s << 20;
        let job = thread::Builder::new().name("backup-base".to_owned()).spawn(move || {
            let wanted = || !shutdown.has_begun();
            let taking = Taking {
                archive: &archive,
                before: before.as_ref(),
                node: handle.id(),
                now_ms: now.0,
                founded,
                pace,
                wanted: &wanted,
            };
            let store = handle.newest();
            let (base, taken) = take(&store, |index| reader.term(index).ok(), &taking)?;
            drop(store);
            tracing::info!(
                index = base.manifest.index,
                rows = taken.rows,
                new_blocks = taken.written.new_blocks,
                new_bytes = taken.written.new_bytes,
                millis = taken.millis,
                "Base taken"
            );
            let at_least = base.manifest.index;
            let witness = runtime.block_on(witness(&handle, &identity, at_least, now));
            if let Some(said) = &witness {
                archive.write_attestation(said)?;
            }
            let witness = witness.map(|said| (said.node, said.index));
            Ok((base, Done { taken, witness }))
        });
        self.base_under_way = Some(job.expect("a thread can be had"));
        self.answered_next.append(&mut self.waiting);
        Ok(())
    }

    /// Takes in a base that is done.
    fn end_base(&mut self) -> Result<(), TakeError> {
        if !self.base_under_way.as_ref().is_some_and(JoinHandle::is_finished) {
            return Ok(());
        }
        let Some(job) = self.base_under_way.take() else { return Ok(()) };
        let (base, done) = job.join().unwrap_or(Err(TakeError::Unwanted))?;
        if let Some(tail) = &mut self.tail {
            tail.hole = tail.hole.filter(|hole| base.manifest.index < *hole);
        }
        self.before = Some(base);
        for request in self.answered_next.drain(..) {
            let _ = request.send(Ok(done));
        }
        Ok(())
    }
}

/// Asks another node what it holds, the entry `at_least` in it; any, the first that answers.
async fn witness(
    handle: &NodeHandle,
    identity: &Identity,
    at_least: u64,
    now: UtcMillis,
) -> Option<Attestation> {
    for peer in handle.peers().addresses().into_keys() {
        let Some(channel) = handle.peers().channel(peer) else { continue };
        let hello = Some(handle.peers().hello_to(peer));
        let request = GetContentDigestRequest { hello, at_least };
        let mut client = PeerServiceClient::new(channel);
        match timeout(WITNESS_WAIT, client.get_content_digest(request)).await {
            Ok(Ok(answer)) => {
                let answer = answer.into_inner();
                let Ok(content) = <[u8; 32]>::try_from(&*answer.content) else { continue };
                return Some(Attestation {
                    cluster_id: identity.cluster_id,
                    generation: identity.generation,
                    index: answer.index,
                    node: peer,
                    asked_by: identity.node,
                    content,
                    rows: answer.rows,
                    at_ms: now.0,
                });
            }
            Ok(Err(status)) => tracing::debug!(peer, %status, "No witness for a base"),
            Err(_) => tracing::debug!(peer, "No witness for a base in time"),
        }
    }
    None
}

/// The place of `id` in the row of those who keep the archive; `None` if it is no member. Learners first,
/// then who follows, the leader last; the highest ids first, which are the newest nodes.
fn rank(id: u64, voters: &[u64], learners: &[u64], leader: Option<u64>) -> Option<u64> {
    let leads = |id: &u64| Some(*id) == leader;
    let mut row: Vec<u64> = learners.iter().rev().copied().collect();
    row.extend(voters.iter().rev().filter(|id| !leads(id)));
    row.extend(voters.iter().filter(|id| leads(id)));
    row.iter().position(|member| *member == id).map(|place| place as u64)
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn whoever_leads_keeps_the_archive_last() {
        let row = |id| rank(id, &[1, 2, 3], &[7], Some(3));
        assert_eq!([7, 2, 1, 3].map(row), [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(row(9), None);
        assert_eq!(rank(1, &[1], &[], Some(1)), Some(0), "alone it does everything");
        assert_eq!(rank(3, &[1, 2, 3], &[], None), Some(0));
    }
}
