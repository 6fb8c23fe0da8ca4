//! Load: how are many calls made, and what did each take?
//!
//! Two manners. *Closed*: so many clients, each of which calls again once it was answered; what a
//! fixed crowd gets. *Open*: calls begin at fixed moments whether or not earlier ones were answered,
//! and count from the moment at which they should have begun; a stall is charged to every call
//! that it held up.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep_until};

/// The longest call that is told apart from longer ones, in microseconds.
const LONGEST_US: u64 = 60_000_000;

/// What came of many calls.
#[derive(Debug, Clone)]
pub struct Measured {
    /// In which manner they were made.
    pub manner: String,
    /// Times of the calls that were answered as wanted, in microseconds.
    pub times: Histogram<u64>,
    /// How often anything else came, by its name.
    pub failures: BTreeMap<String, usize>,
    /// From the first call to the last answer.
    pub took: Duration,
}

impl Measured {
    fn new(manner: String) -> Self {
        let times = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds that make sense");
        Self { manner, times, failures: BTreeMap::new(), took: Duration::ZERO }
    }

    fn record(&mut self, took: Duration, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.times.saturating_record((took.as_micros() as u64).max(1)),
            Err(name) => *self.failures.entry(name).or_default() += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.times.add(&other.times).expect("histograms of the same bounds");
        for (name, count) in &other.failures {
            *self.failures.entry(name.clone()).or_default() += count;
        }
    }

    /// Milliseconds within which `share` of the calls were answered, 0.5 for the median.
    pub fn within_ms(&self, share: f64) -> f64 {
        self.times.value_at_quantile(share) as f64 / 1000.0
    }

    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// For the record.
    pub fn to_json(&self) -> Value {
        let rounded = |ms: f64| (ms * 1000.0).round() / 1000.0;
        json!({
            "manner": self.manner,
            "answered": self.times.len(),
            "failures": self.failures,
            "per_second": rounded(self.rate()),
            "p50_ms": rounded(self.within_ms(0.5)),
            "p90_ms": rounded(self.within_ms(0.9)),
            "p99_ms": rounded(self.within_ms(0.99)),
            "p999_ms": rounded(self.within_ms(0.999)),
            "max_ms": rounded(self.times.max() as f64 / 1000.0),
        })
    }
}

/// `count` calls by as many clients as `clients` has; `call` is given a client and the number of
/// the call.
pub async fn closed<C, F>(
    clients: &[C],
    count: usize,
    call: impl Fn(C, usize) -> F + Clone + Send + Sync + 'static,
) -> Measured
where
    C: Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let mut measured = Measured::new(format!("closed, {} clients", clients.len()));
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for client in clients {
        let (client, next, call) = (client.clone(), Arc::clone(&next), call.clone());
        let mut own = Measured::new(String::new());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return own;
                }
                let began = Instant::now();
                let outcome = call(client.clone(), number).await;
                own.record(began.elapsed(), outcome);
            }
        });
    }
    while let Some(own) = tasks.join_next().await {
        measured.merge(&own.expect("a client ends well"));
    }
    measured.took = began.elapsed();
    measured
}

/// `count` calls, `rate` of them begun in each second, by `clients` in turn.
pub async fn open<C, F>(
    clients: &[C],
    rate: u32,
    count: usize,
    call: impl Fn(C, usize) -> F + Clone + Send + Sync + 'static,
) -> Measured
where
    C: Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let mut measured =
        Measured::new(format!("open, {rate} a second over {} connections", clients.len()));
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for (number, client) in clients.iter().cycle().take(count).enumerate() {
        let due = began + Duration::from_secs(1) * number as u32 / rate;
        sleep_until(due.into()).await;
        let (client, call) = (client.clone(), call.clone());
        tasks.spawn(async move {
            let outcome = call(client, number).await;
            (due.elapsed(), outcome)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        let (took, outcome) = ended.expect("a call ends well");
        measured.record(took, outcome);
    }
    measured.took = began.elapsed();
    measured
}
