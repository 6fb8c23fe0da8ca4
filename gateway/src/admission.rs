//! Admission: may this caller use the gateway now?
//!
//! Not who they are (identity), not what they may see (policy). Three bounds: calls in flight and
//! open streams of all callers, the same of one caller, and calls per second of one caller. They are there so that one department's runaway script is that department's problem.
//!
//! [`Gate`] is the rule, with the time passed in; [`Admission`] is the lock around it. A seat is
//! given back when the last clone of [`Admitted`] is dropped, however the call ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use catalog_model::caller::{Caller, Identity};

use crate::{config::Limits, identity::Identified, method::Shape, stage::Received};

/// One call, in the integers in which the bucket is kept.
const TOKEN: u64 = 1_000_000;

/// How many callers are remembered before those that owe nothing are forgotten.
const CALLERS_KEPT: usize = 4096;

/// How long to wait where the end of some other call decides.
const BUSY_WAIT: Duration = Duration::from_millis(100);

/// Who is in, and how fast each caller has been of late.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    callers: BTreeMap<String, Standing>,
    /// Calls in flight. Invariant: the sum of `calls` of all callers.
    calls: u32,
    /// The same for streams.
    streams: u32,
}

#[derive(Debug)]
struct Standing {
    /// What the caller may spend, in millionths of a call. Invariant: ≤ burst.
    tokens: u64,
    refilled_at: Duration,
    calls: u32,
    streams: u32,
}

/// What a call occupies while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seating {
    /// One answer, soon.
    Call,
    /// A stream, for as long as the caller likes.
    Stream,
}

/// Not now; perhaps later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The caller makes more calls per second than it may.
    #[error("more calls per second than allowed")]
    TooFast {
        /// When the next one is due.
        retry_after: Duration,
    },
    /// The caller has as many calls or streams open as it may.
    #[error("too many calls of this caller in flight")]
    CallerBusy {
        /// A guess.
        retry_after: Duration,
    },
    /// All callers together have.
    #[error("too many calls in flight")]
    GatewayBusy {
        /// A guess.
        retry_after: Duration,
    },
}

impl Gate {
    /// Nobody is in.
    pub fn new(limits: Limits) -> Self {
        Self { limits, callers: BTreeMap::new(), calls: 0, streams: 0 }
    }

    /// Takes a seat for `caller` at `now`, counted from any fixed moment.
    ///
    /// A refusal costs the caller nothing.
    pub fn enter(&mut self, caller: &str, seating: Seating, now: Duration) -> Result<(), NotNow> {
        let limits = &self.limits;
        let burst = u64::from(limits.caller_burst) * TOKEN;
        let rate = u64::from(limits.caller_rate);
        if self.callers.len() >= CALLERS_KEPT {
            self.callers.retain(|_, standing| {
                standing.refill(rate, burst, now);
                standing.tokens < burst || standing.calls > 0 || standing.streams > 0
            });
        }
        let standing = self.callers.entry(caller.to_owned()).or_insert(Standing {
            tokens: burst,
            refilled_at: now,
            calls: 0,
            streams: 0,
        });
        standing.refill(rate, burst, now);

        let busy = match seating {
            Seating::Call => standing.calls >= limits.caller_calls_max,
            Seating::Stream => standing.streams >= limits.caller_streams_max,
        };
        if busy {
            return Err(NotNow::CallerBusy { retry_after: BUSY_WAIT });
        }
        let full = match seating {
            Seating::Call => self.calls >= limits.calls_max,
            Seating::Stream => self.streams >= limits.streams_max,
        };
        if full {
            return Err(NotNow::GatewayBusy { retry_after: BUSY_WAIT });
        }
        if standing.tokens < TOKEN {
            // Tokens per second is millionths per microsecond.
            let micros = (TOKEN - standing.tokens).div_ceil(rate);
            return Err(NotNow::TooFast { retry_after: Duration::from_micros(micros) });
        }
        standing.tokens -= TOKEN;
        match seating {
            Seating::Call => {
                standing.calls += 1;
                self.calls += 1;
            }
            Seating::Stream => {
                standing.streams += 1;
                self.streams += 1;
            }
        }
        Ok(())
    }

    /// Gives the seat back.
    pub fn leave(&mut self, caller: &str, seating: Seating) {
        let standing = self.callers.get_mut(caller).expect("who is in is remembered");
        match seating {
            Seating::Call => {
                standing.calls -= 1;
                self.calls -= 1;
            }
            Seating::Stream => {
                standing.streams -= 1;
                self.streams -= 1;
            }
        }
    }
}

impl Standing {
    fn refill(&mut self, rate: u64, burst: u64, now: Duration) {
        let micros = now.saturating_sub(self.refilled_at).as_micros();
        let gained = u64::try_from(micros).unwrap_or(u64::MAX).saturating_mul(rate);
        self.tokens = self.tokens.saturating_add(gained).min(burst);
        self.refilled_at = self.refilled_at.max(now);
    }
}

/// The gate of a running gateway.
#[derive(Debug, Clone)]
pub struct Admission {
    gate: Arc<Mutex<Gate>>,
    opened: Instant,
}

/// Proof that the caller is in. Clones share the seat.
#[derive(Debug, Clone)]
pub struct Admitted {
    identified: Identified,
    _seat: Arc<Seat>,
}

#[derive(Debug)]
struct Seat {
    gate: Arc<Mutex<Gate>>,
    caller: String,
    seating: Seating,
}

impl Admission {
    /// A gate that opens at `opened`.
    pub fn new(limits: Limits, opened: Instant) -> Self {
        Self { gate: Arc::new(Mutex::new(Gate::new(limits))), opened }
    }

    /// Takes a seat for the caller at `now`.
    pub fn admit(&self, identified: Identified, now: Instant) -> Result<Admitted, NotNow> {
        let caller = account(identified.caller());
        let seating = match identified.received().method.shape {
            Shape::Unary => Seating::Call,
            Shape::ServerStream | Shape::Bidi => Seating::Stream,
        };
        locked(&self.gate).enter(&caller, seating, now.saturating_duration_since(self.opened))?;
        let seat = Seat { gate: Arc::clone(&self.gate), caller, seating };
        Ok(Admitted { identified, _seat: Arc::new(seat) })
    }
}

impl Admitted {
    /// The call.
    pub fn received(&self) -> &Received {
        self.identified.received()
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        self.identified.caller()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        locked(&self.gate).leave(&self.caller, self.seating);
    }
}

/// On whose account the call goes: the system, the person, or the whole other domain.
fn account(caller: &Caller) -> String {
    match &caller.identity {
        Identity::Person { person, .. } => format!("person {person}"),
        Identity::System { system, .. } => format!("system {system}"),
        Identity::Gateway { .. } | Identity::Node { .. } => format!("domain {}", caller.domain),
    }
}

fn locked(gate: &Mutex<Gate>) -> MutexGuard<'_, Gate> {
    // Every change of the gate is complete before anything can panic.
    gate.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
