//! How do entries, writes and messages read in a story?

use std::fmt::Write;

use catalog_replica::{EntryKind, LogWrite, Membership, SiteStatus, kind_of};
use raft::eraftpb::{Entry, Message, MessageType};

pub(crate) fn entries(entries: &[Entry]) -> String {
    let words: Vec<String> = entries
        .iter()
        .map(|entry| {
            let mut text = match kind_of(entry) {
                EntryKind::Raft => String::new(),
                EntryKind::Command(data) => String::from_utf8_lossy(data).into_owned(),
                EntryKind::Mode { mode, .. } => format!("{mode:?}"),
                EntryKind::Members { change, .. } => {
                    format!("{:?}", change.expect("a readable change"))
                }
            };
            if text.len() > 80 {
                text = format!("{}..({} bytes)", &text[..3], text.len());
            }
            format!(
                "{}/{}{}{text}",
                entry.index,
                entry.term,
                if text.is_empty() { "" } else { ":" }
            )
        })
        .collect();
    if words.is_empty() { "no entries".to_owned() } else { words.join(" ") }
}

pub(crate) fn write(write: &LogWrite) -> String {
    let mut line = format!("writes {}", entries(&write.entries));
    if let Some(state) = &write.hard_state {
        write!(line, "; term={} vote={} commit={}", state.term, state.vote, state.commit).unwrap();
    }
    line
}

pub(crate) fn message(message: &Message) -> String {
    let kind = message.get_msg_type();
    let mut line = format!("{}->{} {kind:?} term={}", message.from, message.to, message.term);
    match kind {
        MessageType::MsgAppend => {
            let entries = entries(&message.entries);
            write!(
                line,
                " after {}/{}: {entries}; commit={}",
                message.index, message.log_term, message.commit
            )
        }
        MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => {
            write!(line, " log={}/{}", message.index, message.log_term)
        }
        MessageType::MsgAppendResponse if message.request_snapshot > 0 => {
            write!(line, " asks for a snapshot at {}", message.request_snapshot)
        }
        MessageType::MsgAppendResponse if !message.context.is_empty() => {
            write!(line, " vouches for its log up to {}", message.index)
        }
        MessageType::MsgAppendResponse => write!(line, " index={}", message.index),
        MessageType::MsgSnapshot => {
            let snapshot = message.get_snapshot();
            let metadata = snapshot.get_metadata();
            write!(
                line,
                " at {}/{} ({}) with {}",
                metadata.index,
                metadata.term,
                String::from_utf8_lossy(&snapshot.data),
                members(&Membership::from(metadata.get_conf_state()))
            )
        }
        MessageType::MsgHeartbeat => write!(line, " commit={}", message.commit),
        _ => Ok(()),
    }
    .unwrap();
    if !matches!(kind, MessageType::MsgAppendResponse)
        && let Ok(context) = <[u8; 8]>::try_from(message.context.as_ref())
    {
        write!(line, " read={}", u64::from_be_bytes(context)).unwrap();
    }
    if message.reject {
        line.push_str(" rejected");
    }
    line
}

pub(crate) fn members(membership: &Membership) -> String {
    let list = |name: &str, ids: &[u64]| {
        if ids.is_empty() { String::new() } else { format!(" {name}={ids:?}") }
    };
    format!(
        "voters={:?}{}{}",
        membership.voters,
        list("outgoing", &membership.outgoing),
        list("learners", &membership.learners),
    )
}

pub(crate) fn rule(status: &SiteStatus) -> String {
    let mode = status.mode.map_or("no mode".to_owned(), |mode| format!("{mode:?}"));
    let held = if status.held { ", and is held" } else { "" };
    format!("is in {mode}; the rule: {:?}{held}", status.rule)
}
