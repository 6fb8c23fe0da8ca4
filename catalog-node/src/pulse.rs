//! The pulse: how do the others know that a node which is busy is not dead?
//!
//! The loop that sends heartbeats also writes and syncs the log and applies commands. When a disk stalls or
//! the machine is overloaded, a round of it can take longer than an election, and a leader that is merely
//! late would be replaced, with every call under way left without an outcome. While a round lasts, the last
//! heartbeat, or the last answer to one, is therefore sent again from outside the loop. To the receiver that
//! is a message that came twice, which Raft is made for: it promises nothing that was not promised, and
//! confirms no read, because what it was asked with is taken out.
//!
//! A round that does not end is given up after [`GIVEN_UP`]: then others may lead.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use luqiao_transport::drain::Shutdown;
use raft::eraftpb::{Message, MessageType};
use tokio::time::{MissedTickBehavior, interval};

use crate::peers::Peers;

/// After this long a round counts as one that will not end: so long the others wait for a disk.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// Rounds shorter than so many ticks need no help.
const PATIENT_TICKS: u32 = 2;

/// What a node has to say while its loop is busy.
#[derive(Debug)]
pub(crate) struct Pulse {
    began: Instant,
    /// When the present round began, in nanoseconds after `began`; 0 while the loop waits.
    round: AtomicU64,
    /// For each peer the last heartbeat, or answer to one.
    last: Mutex<BTreeMap<u64, Message>>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { began: Instant::now(), round: AtomicU64::new(0), last: Mutex::default() }
    }
}

impl Pulse {
    /// The loop has something to do.
    pub(crate) fn round_begins(&self) {
        let now = self.began.elapsed().as_nanos() as u64;
        self.round.store(now.max(1), Ordering::Relaxed);
    }

    /// The loop waits.
    pub(crate) fn round_ends(&self) {
        self.round.store(0, Ordering::Relaxed);
    }

    /// Hears of a message that is being sent.
    pub(crate) fn sends(&self, message: &Message) {
        use MessageType::{MsgHeartbeat, MsgHeartbeatResponse};
        if matches!(message.get_msg_type(), MsgHeartbeat | MsgHeartbeatResponse) {
            let again = Message { context: Bytes::new(), ..message.clone() };
            self.last().insert(message.to, again);
        }
    }

    /// Another role: what was said in the old one is not said again.
    pub(crate) fn forget(&self) {
        self.last().clear();
    }

    /// What is to be said again, if the present round has lasted for `patient`.
    fn due(&self, patient: Duration) -> Vec<Message> {
        let round = self.round.load(Ordering::Relaxed);
        let lasted = self.began.elapsed().saturating_sub(Duration::from_nanos(round));
        if round == 0 || lasted < patient || lasted > GIVEN_UP {
            return Vec::new();
        }
        self.last().values().cloned().collect()
    }

    fn last(&self) -> MutexGuard<'_, BTreeMap<u64, Message>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks every tick whether the others have to hear from this node.
pub(crate) async fn beat(peers: Arc<Peers>, tick: Duration, shutdown: Shutdown) {
    let mut ticks = interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = ticks.tick() => {}
        }
        let again = peers.pulse.due(tick * PATIENT_TICKS);
        if !again.is_empty() {
            // What does not fit is the loop's to know when it sends itself.
            let _ = peers.send(again);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(to: u64) -> Message {
        let mut message = Message { to, term: 3, commit: 7, ..Message::default() };
        message.set_msg_type(MessageType::MsgHeartbeat);
        message.context = Bytes::from_static(b"read");
        message
    }

    #[test]
    fn a_round_that_lasts_says_the_last_heartbeat_again_without_the_read_that_it_asked_for() {
        let pulse = Pulse::default();
        pulse.sends(&heartbeat(2));
        pulse.sends(&Message { to: 3, ..Message::default() });
        assert!(pulse.due(Duration::ZERO).is_empty(), "the loop waits");
        pulse.round_begins();
        let again = pulse.due(Duration::ZERO);
        assert_eq!(again.len(), 1, "entries are not sent again");
        assert_eq!((again[0].to, again[0].term, again[0].commit), (2, 3, 7));
        assert!(again[0].context.is_empty());
        assert!(pulse.due(Duration::from_hours(1)).is_empty(), "it does not last for long yet");
        pulse.round_ends();
        assert!(pulse.due(Duration::ZERO).is_empty());
    }

    #[test]
    fn a_round_that_does_not_end_is_given_up() {
        let begun = Instant::now().checked_sub(3 * GIVEN_UP).expect("the machine runs for longer");
        let pulse = Pulse { began: begun, ..Pulse::default() };
        pulse.sends(&heartbeat(2));
        pulse.round.store(1, Ordering::Relaxed);
        assert!(pulse.due(Duration::ZERO).is_empty());
    }

    #[test]
    fn nothing_is_said_again_in_another_role() {
        let pulse = Pulse::default();
        pulse.sends(&heartbeat(2));
        pulse.round_begins();
        pulse.forget();
        assert!(pulse.due(Duration::ZERO).is_empty());
    }
}
