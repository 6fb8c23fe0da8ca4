//! Pace: when is a call made, and from when on does it count?
//!
//! *Closed*: so many clients, each of which calls again once it was answered; shows the greatest
//! throughput. *Open*: calls begin at fixed moments whether or not earlier ones were answered, and
//! count from the moment at which they should have begun, so that a stall is charged to every call
//! that it held up.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until},
};

/// The longest time that is told apart from longer ones, in microseconds.
const LONGEST_US: u64 = 120_000_000;

const WARMING: u8 = 0;
const COUNTING: u8 = 1;
const OVER: u8 = 2;

/// What came of many calls.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Times of the calls that were answered, in microseconds.
    pub times: Histogram<u64>,
    /// How often anything else came, by its name.
    pub failures: BTreeMap<String, u64>,
    /// The time in which these calls ended.
    pub took: Duration,
}

impl Default for Measured {
    fn default() -> Self {
        let times = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds that make sense");
        Self { times, failures: BTreeMap::new(), took: Duration::ZERO }
    }
}

impl Measured {
    /// Counts one call.
    pub fn record(&mut self, took: Duration, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.times.saturating_record((took.as_micros() as u64).max(1)),
            Err(name) => *self.failures.entry(name).or_default() += 1,
        }
    }

    /// Adds what another client measured meanwhile.
    pub fn merge(&mut self, other: &Self) {
        self.times.add(&other.times).expect("histograms of the same bounds");
        for (name, count) in &other.failures {
            *self.failures.entry(name.clone()).or_default() += count;
        }
    }

    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// Milliseconds within which `share` of the calls were answered, 0.5 for the median.
    pub fn within_ms(&self, share: f64) -> f64 {
        self.times.value_at_quantile(share) as f64 / 1000.0
    }

    /// For the record.
    pub fn to_json(&self) -> Value {
        json!({
            "answered": self.times.len(),
            "failures": self.failures,
            "seconds": self.took.as_secs_f64(),
            "per_second": (self.rate() * 10.0).round() / 10.0,
            "p50_ms": self.within_ms(0.5),
            "p90_ms": self.within_ms(0.9),
            "p99_ms": self.within_ms(0.99),
            "p999_ms": self.within_ms(0.999),
            "max_ms": self.times.max() as f64 / 1000.0,
        })
    }
}

/// `clients` call again and again, for `warm_up` without and then for `time` with being counted.
/// `call` gets the client's number and the how many-th call of it this is.
///
/// A call counts if it was answered within `time`, whenever it began.
pub async fn closed<F>(
    clients: usize,
    warm_up: Duration,
    time: Duration,
    call: impl Fn(usize, u64) -> F + Clone + Send + Sync + 'static,
) -> Measured
where
    F: Future<Output = Result<(), String>> + Send,
{
    let phase = Arc::new(AtomicU8::new(WARMING));
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (phase, call) = (Arc::clone(&phase), call.clone());
        tasks.spawn(async move {
            let mut own = Measured::default();
            let mut number = 0;
            loop {
                let began = Instant::now();
                let outcome = call(client, number).await;
                let failed = outcome.is_err();
                match phase.load(Ordering::Relaxed) {
                    WARMING => {}
                    COUNTING => own.record(began.elapsed(), outcome),
                    _ => return own,
                }
                if failed {
                    // Whoever is refused at once must not turn into a flood.
                    sleep(Duration::from_millis(1)).await;
                }
                number += 1;
            }
        });
    }
    sleep(warm_up).await;
    phase.store(COUNTING, Ordering::Relaxed);
    let began = Instant::now();
    sleep(time).await;
    phase.store(OVER, Ordering::Relaxed);
    let took = began.elapsed();
    let mut measured = Measured { took, ..Measured::default() };
    while let Some(own) = tasks.join_next().await {
        measured.merge(&own.expect("a client ends well"));
    }
    measured
}

/// `rate` calls begin in each second of `time`, whatever came of those before; all of them count,
/// from the moment at which they should have begun. `call` gets the number of the call.
pub async fn open<F>(
    rate: u32,
    time: Duration,
    call: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> Measured
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let count = u64::from(rate) * time.as_millis() as u64 / 1000;
    let mut tasks = JoinSet::new();
    let mut measured = Measured::default();
    let began = Instant::now();
    for number in 0..count {
        let due = began + Duration::from_nanos(1_000_000_000 * number / u64::from(rate));
        if due > Instant::now() {
            sleep_until(due.into()).await;
        }
        let call = call(number);
        tasks.spawn(async move {
            let outcome = call.await;
            (due.elapsed(), outcome)
        });
        while let Some(ended) = tasks.try_join_next() {
            let (took, outcome) = ended.expect("a call ends well");
            measured.record(took, outcome);
        }
    }
    while let Some(ended) = tasks.join_next().await {
        let (took, outcome) = ended.expect("a call ends well");
        measured.record(took, outcome);
    }
    measured.took = began.elapsed();
    measured
}

/// Counts what arrives by stream: how much within `time`, after `warm_up`.
#[derive(Debug, Default)]
pub struct Arrivals(AtomicU64);

impl Arrivals {
    /// So many arrived.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How much has arrived.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Arrivals per second in `time`, from `warm_up` on.
    pub async fn rate(&self, warm_up: Duration, time: Duration) -> f64 {
        sleep(warm_up).await;
        let (before, began) = (self.0.load(Ordering::Relaxed), Instant::now());
        sleep(time).await;
        (self.0.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64()
    }
}
