//! In what order do the acts of a [`Ready`](crate::Ready) happen? The one answer that nodes and simulations
//! share.

use catalog_log::{LogError, LogStore};
use raft::eraftpb::{Entry, Message};

use crate::{LogWrite, ReadDone, Replica, Role};

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
    /// Takes committed, durable entries, to be applied in order and then reported by
    /// [`Replica::applied`].
    fn apply(&mut self, entries: Vec<Entry>);
    /// Takes reads to be answered once their index is applied.
    fn answer_reads(&mut self, reads: Vec<ReadDone>);
    /// Takes contexts of reads that failed because leadership changed.
    fn drop_reads(&mut self, contexts: Vec<u64>);
    /// Learns who leads now.
    fn role_changed(&mut self, role: Role);
}

/// Does everything the replica wants done, until it wants nothing: sends, writes with one sync for all,
/// sends what waited for it.
///
/// After an error the replica must not be used any more: it cannot know what is durable.
pub fn settle<L: LogStore>(
    replica: &mut Replica<L::Reader>,
    log: &mut L,
    outside: &mut impl Outside,
) -> Result<(), LogError> {
    loop {
        let mut writes = Vec::new();
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
                outside.apply(ready.apply);
            }
            writes.extend(ready.write);
        }
        let Some(number) = persist(log, &writes)? else {
            return Ok(());
        };
        let messages = replica.log_persisted(number);
        if !messages.is_empty() {
            outside.send(messages);
        }
    }
}

/// Writes `writes` in order, with at most one sync, and returns the number to report as persisted.
pub fn persist(log: &mut impl LogStore, writes: &[LogWrite]) -> Result<Option<u64>, LogError> {
    for write in writes {
        log.append(&write.entries, write.hard_state.as_ref())?;
    }
    if writes.iter().any(|write| write.must_sync) {
        log.sync()?;
    }
    Ok(writes.last().map(|write| write.number))
}
