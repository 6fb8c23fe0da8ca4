//! Up to where may the log be forgotten?
//!
//! Never beyond what the state contains durably: a state that is lost with its last writes must find them in
//! the log. Short of that it is a trade: what is kept lets a peer that was briefly away catch up without a
//! snapshot, and costs disk, memory (24 bytes an entry) and time at the next start.

/// How much of the log is worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactLimits {
    /// Entries kept before the last durably applied one, whoever needs them.
    pub keep_entries: u64,
    /// Encoded bytes up to which more is kept for a peer that is alive and behind. Beyond it, a snapshot is
    /// cheaper for everybody.
    pub keep_bytes: u64,
}

impl Default for CompactLimits {
    /// 10,000 entries or 64 MiB: a short outage needs no snapshot.
    fn default() -> Self {
        Self { keep_entries: 10_000, keep_bytes: 64 * 1024 * 1024 }
    }
}

/// The last entry that may go, or `None` if none may: `needed` is the last entry that the slowest live peer
/// already has, `bytes_from(i)` the encoded size of the log from entry `i` on.
pub(crate) fn compact_to(
    first_index: u64,
    durable_applied: u64,
    needed: Option<u64>,
    limits: CompactLimits,
    bytes_from: impl FnOnce(u64) -> u64,
) -> Option<u64> {
    let through = durable_applied.saturating_sub(limits.keep_entries);
    let through = match needed {
        Some(needed) if needed < through && bytes_from(needed + 1) <= limits.keep_bytes => needed,
        _ => through,
    };
    (through >= first_index).then_some(through)
}

#[cfg(test)]
mod tests;
