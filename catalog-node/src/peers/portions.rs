//! Portions: how does an append that holds much travel as messages that hold little?
//!
//! Raft's library fills up an append that waits to be sent with whatever follows, without a limit:
//! a peer that comes back after many megabytes would be sent all of them as one message, which is
//! beyond what a message between nodes may be, breaks the connection, and is made again by the next
//! heartbeat. The entries are what matters; they travel in order in as many appends as it takes.

use raft::eraftpb::{Message, MessageType};

/// Bytes of entries after which an append ends. One entry alone may be larger.
const APPEND_BYTES: usize = 1 << 20;

/// What an entry takes in a message beside what it carries.
const ENTRY_FRAME_BYTES: usize = 64;

/// `message` as messages that say the same in order, each with about [`APPEND_BYTES`] at most.
pub(super) fn portions(message: Message) -> Vec<Message> {
    portions_of(message, APPEND_BYTES)
}

fn portions_of(mut message: Message, bytes_max: usize) -> Vec<Message> {
    if message.get_msg_type() != MessageType::MsgAppend || message.get_entries().len() < 2 {
        return vec![message];
    }
    let entries = message.take_entries();
    let mut rest = message.clone();
    let mut portions = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let size = entry.data.len() + entry.context.len() + ENTRY_FRAME_BYTES;
        if bytes + size > bytes_max
            && let Some(last) = rest.get_entries().last()
        {
            // The next one begins where this one ends.
            let (index, log_term) = (last.index, last.term);
            let mut next = message.clone();
            next.index = index;
            next.log_term = log_term;
            portions.push(std::mem::replace(&mut rest, next));
            bytes = 0;
        }
        bytes += size;
        rest.mut_entries().push(entry);
    }
    portions.push(rest);
    portions
}

#[cfg(test)]
mod tests;
