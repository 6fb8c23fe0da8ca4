//! In what order do the acts of a [`Ready`](crate::Ready) happen? The one answer that nodes and simulations
//! share.

use catalog_log::{LogError, LogStore};
use catalog_mutation::{Mutation, active};
use raft::eraftpb::{Entry, Message};

use crate::{Install, LogWrite, ReadDone, Replica, Role, SnapshotOffer};

/// The entry that every log begins after: a replica at term 0 would panic in raft-rs when it refuses a
/// pre-vote.
pub(crate) const BEGINNING: u64 = 1;
const BEGINNING_TERM: u64 = 1;

/// Begins an empty log so that a replica can start on it, durably; `false` if it was begun before.
///
/// Only for the members named when a cluster is created. A member that lost its log must not come back on
/// an empty one under the same id: it may have voted.
pub fn bootstrap(log: &mut impl LogStore) -> Result<bool, LogError> {
    log.bootstrap(BEGINNING, BEGINNING_TERM)
}

/// Where the acts of a replica go.
pub trait Outside {
    /// Sends messages to their receivers, in order; losing some is allowed.
    fn send(&mut self, messages: Vec<Message>);
    /// Takes committed, durable entries, to be applied in order and then reported: changes of the membership
    /// by [`Replica::apply_members`], all by [`Replica::applied`]. They may be applied later, in parts.
    fn apply(&mut self, entries: Vec<Entry>);
    /// Takes reads to be answered once their index is applied.
    fn answer_reads(&mut self, reads: Vec<ReadDone>);
    /// Takes contexts of reads that failed because leadership changed.
    fn drop_reads(&mut self, contexts: Vec<u64>);
    /// Learns who leads now.
    fn role_changed(&mut self, role: Role);
    /// Begins to fetch a snapshot, to be reported by [`Replica::snapshot_fetched`] or
    /// [`Replica::snapshot_refused`]. One that fetches nothing is never asked to install anything.
    fn fetch(&mut self, _: SnapshotOffer) {}
    /// Makes the state that was fetched complete and durable, apart from the one in use, and returns its
    /// number, greater than any before. Nothing relies on it yet.
    fn prepare_install(&mut self, install: &Install) -> Result<u64, LogError> {
        unreachable!("nothing was fetched, but {install:?} is to be installed")
    }
    /// The log belongs to that state now: uses it, and drops the one before.
    fn installed(&mut self, _: &Install) {}
}

/// Does everything the replica wants done, until it wants nothing: sends, writes with one sync for all,
/// sends what waited for it, and hands over what is to be applied: last, because whoever waits for this
/// replica's word on new entries has nothing to do with older ones.
///
/// After an error the replica must not be used any more: it cannot know what is durable.
pub fn settle<L: LogStore>(
    replica: &mut Replica<L::Reader>,
    log: &mut L,
    outside: &mut impl Outside,
) -> Result<(), LogError> {
    loop {
        let (mut writes, mut committed) = (Vec::new(), Vec::new());
        while let Some(ready) = replica.ready() {
            if let Some(role) = ready.role_change {
                outside.role_changed(role);
            }
            if !ready.send_now.is_empty() {
                outside.send(ready.send_now);
            }
            if !ready.reads.is_empty() {
                outside.answer_reads(ready.reads);
            }
            if !ready.reads_dropped.is_empty() {
                outside.drop_reads(ready.reads_dropped);
            }
            if !ready.apply.is_empty() {
                committed.push(ready.apply);
            }
            if let Some(offer) = ready.fetch {
                outside.fetch(offer);
            }
            if let Some(install) = ready.install {
                apply(outside, &mut committed);
                install_state(replica, log, outside, &install)?;
            }
            writes.extend(ready.write);
        }
        if active(Mutation::WriteReportedFirst)
            && let Some(last) = writes.last()
        {
            outside.send(replica.log_persisted(last.number));
            persist(log, &writes)?;
            apply(outside, &mut committed);
            continue;
        }
        let persisted = persist(log, &writes)?;
        if let Some(number) = persisted {
            let messages = replica.log_persisted(number);
            if !messages.is_empty() {
                outside.send(messages);
            }
        }
        apply(outside, &mut committed);
        if persisted.is_none() {
            return Ok(());
        }
    }
}

fn apply(outside: &mut impl Outside, committed: &mut Vec<Vec<Entry>>) {
    for entries in committed.drain(..) {
        outside.apply(entries);
    }
}

/// Replaces the state. The second step decides which state a crash leaves; the first makes sure that the new
/// one is whole by then.
fn install_state<L: LogStore>(
    replica: &mut Replica<L::Reader>,
    log: &mut L,
    outside: &mut impl Outside,
    install: &Install,
) -> Result<(), LogError> {
    if active(Mutation::InstallDecidedFirst) {
        let number = log.state_number() + 1;
        log.install(install.index, install.term, number, &install.hard_state)?;
    }
    let state_number = outside.prepare_install(install)?;
    if !active(Mutation::InstallDecidedFirst) {
        log.install(install.index, install.term, state_number, &install.hard_state)?;
    }
    outside.installed(install);
    let messages = replica.log_persisted(install.number);
    if !messages.is_empty() {
        outside.send(messages);
    }
    Ok(())
}

/// Writes `writes` in order, with at most one sync, and returns the number to report as persisted.
pub fn persist(log: &mut impl LogStore, writes: &[LogWrite]) -> Result<Option<u64>, LogError> {
    let done = write_all(log, writes);
    if !active(Mutation::FailedWriteReported) {
        done?;
    }
    Ok(writes.last().map(|write| write.number))
}

fn write_all(log: &mut impl LogStore, writes: &[LogWrite]) -> Result<(), LogError> {
    for write in writes {
        log.append(&write.entries, write.hard_state.as_ref())?;
    }
    let must_sync = |write: &LogWrite| {
        write.must_sync && !(active(Mutation::VoteNotSynced) && write.entries.is_empty())
    };
    if writes.iter().any(must_sync) { log.sync() } else { Ok(()) }
}
