//! The prober: what does somebody outside see while the platform is in trouble?
//!
//! A process of its own that knows the gateways and nothing else. It writes numbers that rise, a fixed
//! number a second, and keeps its own list of what was acknowledged; when a gateway fails it tries the
//! next one with the same call, as any careful caller does. It ends when its input does: a prober
//! never outlives whoever started it.

use std::{
    io::{self, BufRead, Write as _},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use catalog_model::{drill::PROBE_SEQUENCE_END, reason::Lang};
use luqiao_proto::operations::v1::WriteProbesRequest;
use luqiao_transport::{dial::DialError, status::Problem};
use serde_json::json;
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tonic::Status;

use crate::{
    both,
    context::Context,
    exit::Exit,
    failure::Failure,
    remote::session::{Session, request_id},
};

use super::list::{Event, Failed, Writer};

/// How long one attempt may take: longer than a gateway goes on trying when a leader is lost, so that
/// an attempt fails only where a gateway gave up.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a number is tried before nobody knows what became of it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause before the next attempt.
const AGAIN: Duration = Duration::from_millis(20);
/// How long the writers have, once told to end, to learn what became of their last numbers.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// What the prober is to do.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The drill.
    pub drill: String,
    /// The list.
    pub list: PathBuf,
    /// Writes a second, by all writers together.
    pub rate: u32,
    /// How many write at once.
    pub writers: u32,
    /// Every so many-th number has a due instant; 0 = none.
    pub due_every: u64,
    /// After how much committed time.
    pub due_after_ms: u64,
}

/// The wall clock at the start and a steady one from there.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    wall_ms: u64,
    started: Instant,
}

impl Watch {
    /// A watch that is started now.
    pub fn start() -> Self {
        let wall_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
        Self { wall_ms, started: Instant::now() }
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> u64 {
        self.wall_ms + u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What all writers share.
struct Shared {
    wanted: Wanted,
    watch: Watch,
    gateways: Vec<Gateway>,
    /// The gateway that answered last.
    turn: AtomicUsize,
    next: AtomicU64,
    ending: AtomicBool,
    list: mpsc::Sender<Line>,
}

/// Events for the list, and whom to tell when they are on disk.
struct Line(Vec<Event>, Option<oneshot::Sender<()>>);

/// One gateway of the context.
struct Gateway {
    context: Context,
    lang: Lang,
    session: tokio::sync::Mutex<Option<Session>>,
}

impl Gateway {
    /// The connection; made if there is none.
    async fn session(&self) -> Result<Session, Failure> {
        let mut session = self.session.lock().await;
        if let Some(open) = &*session {
            return Ok(open.clone());
        }
        let open = Session::open(&self.context, self.lang, Some(ATTEMPT)).await?;
        *session = Some(open.clone());
        Ok(open)
    }
}

/// Runs a prober until the input ends. Prints one line when the first number is acknowledged and one
/// at the end.
pub async fn run(context: &Context, lang: Lang, wanted: Wanted) -> Result<Exit, Failure> {
    let (writer, before) = Writer::open(&wanted.list, &wanted.drill)?;
    let path = wanted.list.clone();
    let (list, lines) = mpsc::channel();
    let keeper = thread::spawn(move || keep(writer, &lines));
    let watch = Watch::start();
    let gateways = context.gateways.iter().map(|address| Gateway {
        context: Context { gateways: vec![address.clone()], ..context.clone() },
        lang,
        session: tokio::sync::Mutex::default(),
    });
    let shared = Arc::new(Shared {
        watch,
        gateways: gateways.collect(),
        turn: AtomicUsize::new(0),
        next: AtomicU64::new(before.next_sequence()),
        ending: AtomicBool::new(false),
        list,
        wanted,
    });
    if shared.gateways.is_empty() {
        return Err(Failure::usage(both!("the context names no gateway", "上下文中没有网关地址")));
    }
    shared.keep(vec![Event::Started { at: watch.now() }]);
    let (told, first) = oneshot::channel();
    let mut told = Some(told);
    let mut writers = JoinSet::new();
    for place in 0..shared.wanted.writers {
        let shared = Arc::clone(&shared);
        let told = told.take();
        writers.spawn(async move { shared.write(place, told).await });
    }
    let mut watching = JoinSet::new();
    watching.spawn(async move {
        if first.await.is_ok() {
            say(&json!({ "prober": "ready" }));
        }
    });
    // A thread of its own: reading the input cannot be given up.
    let (end, ended) = oneshot::channel();
    thread::spawn(move || {
        let mut line = String::new();
        while matches!(io::stdin().lock().read_line(&mut line), Ok(read) if read > 0) {
            if line.trim() == "end" {
                break;
            }
            line.clear();
        }
        let _ = end.send(());
    });
    let mut outcome = Ok(());
    let mut ended = Box::pin(ended);
    loop {
        tokio::select! {
            _ = &mut ended => break,
            writer = writers.join_next() => match writer {
                // A writer that ends by itself was refused, or has no number left.
                Some(Ok(Err(failure))) => {
                    outcome = Err(failure);
                    break;
                }
                Some(_) => {}
                None => break,
            },
        }
    }
    shared.ending.store(true, Ordering::Relaxed);
    let last = async { while writers.join_next().await.is_some() {} };
    let settled = timeout(LAST_WORDS, last).await.is_ok();
    writers.shutdown().await;
    watching.shutdown().await;
    shared.keep(vec![Event::Ended { at: watch.now() }]);
    drop(shared);
    let kept = keeper.join().map_err(|_| io::Error::other("the list was not kept"));
    kept.and_then(|kept| kept).map_err(|error| Failure::file(&path, &error))?;
    outcome?;
    say(&json!({ "prober": "ended", "settled": settled }));
    Ok(Exit::Ok)
}

fn say(object: &serde_json::Value) {
    let mut out = io::stdout().lock();
    // Whoever started it may be gone: then its input has ended too.
    let _ = writeln!(out, "{object}").and_then(|()| out.flush());
}

/// Writes events as they come, as many as there are with one sync.
fn keep(mut writer: Writer, lines: &mpsc::Receiver<Line>) -> io::Result<()> {
    while let Ok(first) = lines.recv() {
        let mut batch = vec![first];
        batch.extend(lines.try_iter());
        let events: Vec<Event> = batch.iter().flat_map(|line| line.0.iter().cloned()).collect();
        writer.append(&events)?;
        for Line(_, told) in batch {
            if let Some(told) = told {
                let _ = told.send(());
            }
        }
    }
    Ok(())
}

impl Shared {
    /// Puts events on the list.
    fn keep(&self, events: Vec<Event>) {
        // The thread that keeps the list ends only after the last sender.
        let _ = self.list.send(Line(events, None));
    }

    /// The same, and waits until they are on disk; `false` if they will never be.
    async fn kept(&self, events: Vec<Event>) -> bool {
        let (told, kept) = oneshot::channel();
        self.list.send(Line(events, Some(told))).is_ok() && kept.await.is_ok()
    }

    /// Writes a number at each of its ticks.
    async fn write(
        &self,
        place: u32,
        mut told: Option<oneshot::Sender<()>>,
    ) -> Result<(), Failure> {
        let Wanted { rate, writers, .. } = self.wanted;
        let period = Duration::from_secs(1) * writers / rate.max(1);
        let first = Instant::now() + period * place / writers.max(1);
        let mut ticks = interval_at(first, period);
        // What was missed while nothing was answered is not made up for.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            if self.ending.load(Ordering::Relaxed) {
                return Ok(());
            }
            let sequence = self.next.fetch_add(1, Ordering::Relaxed);
            if sequence >= PROBE_SEQUENCE_END {
                return Ok(());
            }
            if !self.put(sequence).await? {
                return Ok(());
            }
            if let Some(told) = told.take() {
                let _ = told.send(());
            }
        }
    }

    /// Sends a number until it is known what became of it; `false` if the list cannot be kept.
    async fn put(&self, sequence: u64) -> Result<bool, Failure> {
        let Wanted { drill, due_every, due_after_ms, .. } = &self.wanted;
        let due = *due_every > 0 && sequence.is_multiple_of(*due_every);
        let request = WriteProbesRequest {
            name: drill.clone(),
            sequences: vec![sequence],
            due_after_ms: due.then_some(*due_after_ms),
            request_id: request_id(),
        };
        self.keep(vec![Event::Begun { sequence, at: self.watch.now() }]);
        let patience = Instant::now() + PATIENCE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let turn = self.turn.load(Ordering::Relaxed);
            let gateway = &self.gateways[turn % self.gateways.len()];
            let failure = match attempt(gateway, request.clone()).await {
                Ok(()) => {
                    let at = self.watch.now();
                    let told = Event::Acknowledged { sequence, at, attempts, due };
                    return Ok(self.kept(vec![told]).await);
                }
                Err(failure) => failure,
            };
            let (how, reason) = match failure {
                Attempt::Refused(failure) => return Err(failure),
                Attempt::Failed(how, reason) => (how, reason),
            };
            self.keep(vec![Event::Failed { sequence, at: self.watch.now(), how, reason }]);
            // The others go on with the next gateway, too; whoever comes late does not skip one.
            let _ = self.turn.compare_exchange(
                turn,
                turn.wrapping_add(1),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if Instant::now() >= patience {
                self.keep(vec![Event::GivenUp { sequence, at: self.watch.now() }]);
                return Ok(true);
            }
            sleep(AGAIN).await;
        }
    }
}

/// How an attempt ended that brought no acknowledgment.
enum Attempt {
    /// It may be made again.
    Failed(Failed, String),
    /// It would be refused again.
    Refused(Failure),
}

async fn attempt(gateway: &Gateway, request: WriteProbesRequest) -> Result<(), Attempt> {
    let session = gateway.session().await.map_err(|failure| match failure.exit {
        Exit::Unavailable | Exit::OutcomeUnknown => {
            Attempt::Failed(Failed::Unreached, word(&failure.reason))
        }
        _ => Attempt::Refused(failure),
    })?;
    let mut client = session.drills();
    let call = client.write_probes(session.call(request));
    match timeout(ATTEMPT, call).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(status)) => Err(judged(&status)),
        Err(_) => Err(Attempt::Failed(Failed::Silent, "timed-out".to_owned())),
    }
}

/// What a failed call says of its attempt.
fn judged(status: &Status) -> Attempt {
    let failure = Failure::call(status);
    let problem = Problem::from_status(status);
    let may_pass = matches!(failure.exit, Exit::Unavailable | Exit::OutcomeUnknown | Exit::Quota);
    if DialError::find(status).is_some() || (may_pass && problem.reason_name.is_empty()) {
        return Attempt::Failed(Failed::Unreached, word(&failure.reason));
    }
    if may_pass {
        return Attempt::Failed(Failed::Answered, word(&problem.reason_name));
    }
    Attempt::Refused(failure)
}

/// The text as one word of the list.
fn word(text: &str) -> String {
    let word: String = text.chars().map(|c| if c.is_whitespace() { '-' } else { c }).collect();
    if word.is_empty() { "unknown".to_owned() } else { word }
}
