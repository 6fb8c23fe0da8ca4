//! Clients: what do those who read and write meanwhile see, and does it fit together?
//!
//! Some clients go where the leader is thought to be; one reader stands before each node and asks
//! nobody else, so that a node that has been cut off or stood still is asked just when it comes back.
//! Every operation is recorded with its times. What a node refused before it began is *not done*:
//! should it be found done later, the check fails. What nobody answered is *unknown*.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use catalog_model::reason::Reason;
use linearizability::{Finding, Kind, Op, check, history};
use luqiao_proto::node::v1::{
    CompareAndSetRequest, GetRequest, PutRequest, probe_service_client::ProbeServiceClient,
};
use luqiao_transport::{dial::DialError, status::Problem};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tonic::{Request, Status, transport::Channel};

use crate::{cluster::Cluster, repository::root, role::PATIENCE};

/// How long a client waits for an answer: several elections, so that on a slow machine, too, an answer
/// that does not come is a fault's doing. Each that does not makes the check of the history longer.
const ANSWER_WAIT: Duration = Duration::from_millis(1_500);
/// Clients that write.
const WRITERS: u64 = 5;
/// Registers. Few, so that operations meet.
const KEYS: u64 = 5;
/// Longest pause of a client between two operations, in milliseconds. It makes the load: enough to
/// have operations under way at every moment, little enough to leave the machine to the nodes.
const PAUSE_MS: u64 = 12;
/// After a refusal nothing is gained by asking again at once.
const PAUSE_REFUSED: Duration = Duration::from_millis(25);
/// Situations that the check may look at for each key.
const LIMIT: usize = 3_000_000;
/// How many more acknowledgements count as going on.
const ENOUGH: u64 = 60;

/// What clients hear from whom.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Operations of which a client knows what came of them.
    pub answered: u64,
    /// Writes among them.
    pub written: u64,
    /// Reads, by the node that answered.
    pub read_from: BTreeMap<u64, u64>,
    /// Refusals before anything began, by their reason.
    pub refused: BTreeMap<String, u64>,
    /// Operations without an answer.
    pub unknown: u64,
}

/// Clients at work.
#[derive(Debug)]
pub struct Clients {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    heard: watch::Receiver<Heard>,
    seed: u64,
}

#[derive(Debug)]
struct Shared {
    channels: Mutex<BTreeMap<u64, Channel>>,
    stop: AtomicBool,
    began: Instant,
    history: Mutex<Vec<Op>>,
    heard: watch::Sender<Heard>,
    /// Counts clients. One whose operation stays open comes back as another: a client does one thing
    /// after the other, and that one is not over.
    names: AtomicU64,
}

impl Clients {
    /// Sets clients to work on the nodes of a cluster.
    pub fn start(cluster: &Cluster) -> Self {
        let seed = fastrand::u64(..1 << 32);
        let channels: BTreeMap<u64, Channel> =
            cluster.ids().into_iter().map(|id| (id, cluster.channel(id))).collect();
        let (sender, heard) = watch::channel(Heard::default());
        let shared = Arc::new(Shared {
            channels: Mutex::new(channels),
            stop: AtomicBool::new(false),
            began: Instant::now(),
            history: Mutex::default(),
            heard: sender,
            names: AtomicU64::new(0),
        });
        let mut clients = Self { shared, tasks: JoinSet::new(), heard, seed };
        for writer in 0..WRITERS {
            clients.employ(writer, None);
        }
        for id in cluster.ids() {
            clients.employ(100 + id, Some(id));
        }
        clients
    }

    fn employ(&mut self, number: u64, only: Option<u64>) {
        let client = Client {
            shared: Arc::clone(&self.shared),
            chance: fastrand::Rng::with_seed(self.seed.wrapping_mul(1000) + number),
            only,
            name: self.shared.names.fetch_add(1, Ordering::Relaxed),
            number,
            written: 0,
            last_seen: BTreeMap::new(),
            at: 1,
        };
        self.tasks.spawn(client.run());
    }

    /// One more node may be asked, and has a reader of its own.
    pub fn add_node(&mut self, cluster: &Cluster, id: u64) {
        let channels = &self.shared.channels;
        channels.lock().expect("no client panics with it").insert(id, cluster.channel(id));
        self.employ(100 + id, Some(id));
    }

    /// What was heard so far.
    pub fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// Waits until many more writes were acknowledged than now.
    pub async fn until_going_on(&mut self) {
        let wanted = self.heard().written + ENOUGH;
        self.until("writing goes on", |heard| heard.written >= wanted).await;
    }

    /// Waits until what was heard is as it should be.
    ///
    /// # Panics
    ///
    /// If it does not become so.
    pub async fn until(&mut self, what: &str, mut fits: impl FnMut(&Heard) -> bool) {
        let before = self.heard();
        let waited = timeout(PATIENCE, self.heard.wait_for(|heard| fits(heard))).await;
        // What was found is a lock for reading: to take it again while a client waits to write would
        // wait for ever.
        let waited = waited.map(|found| found.map(drop));
        let Ok(found) = waited else {
            let heard = self.heard();
            panic!("not before patience ended: {what}; {before:?}, now {heard:?}")
        };
        found.expect("the clients live");
    }

    /// Has the clients end what they are doing.
    ///
    /// # Panics
    ///
    /// If one panicked.
    pub async fn stop(mut self) -> Record {
        self.shared.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a client ends well");
        }
        let mut history = self.shared.history.lock().expect("all clients have ended").clone();
        history.sort_by_key(|op| (op.call_ns, op.client));
        Record { history, heard: self.heard(), seed: self.seed }
    }
}

/// What the clients saw.
#[derive(Debug)]
pub struct Record {
    /// Every operation, by its beginning.
    pub history: Vec<Op>,
    /// Counted.
    pub heard: Heard,
    seed: u64,
}

impl Record {
    /// Keeps the history as `fault-results/{test}-{seed}.jsonl` and judges it.
    ///
    /// # Panics
    ///
    /// If it is not linearizable, if that is unknown, or if fewer than `least` operations were
    /// answered: then nothing was shown.
    pub fn judge(&self, test: &str, least: u64) {
        let folder = root().join("fault-results");
        fs::create_dir_all(&folder).expect("a folder can be made");
        let file = folder.join(format!("{test}-{}.jsonl", self.seed));
        let out = File::create(&file).expect("a file can be written");
        history::write(&self.history, &mut BufWriter::new(out)).expect("a file can be written");

        let verdict = check(&self.history, LIMIT);
        let Heard { answered, written, refused, unknown, .. } = &self.heard;
        writeln!(
            std::io::stderr(),
            "{test}: {answered} operations answered ({written} writes), {unknown} unknown, refused \
             {refused:?}: {verdict}\n  {}",
            file.display(),
        )
        .expect("standard error is open");
        assert_eq!(verdict, Finding::Linearizable, "{verdict}\n{}", file.display());
        assert!(*answered >= least, "only {answered} operations of {least}: that shows nothing");
        let keys = self.history.iter().filter(|op| op.ok == Some(true)).map(|op| &op.key);
        let keys: std::collections::BTreeSet<_> = keys.collect();
        assert_eq!(keys.len() as u64, KEYS, "some registers were never used");
        assert!(
            self.history.iter().any(|op| op.kind == Kind::Cas && op.ok == Some(true)),
            "no cas found what it expected"
        );
    }
}

/// What a client learns of an operation.
enum Outcome {
    Done {
        output: Option<String>,
    },
    /// Of a cas: something else was there.
    NotThere,
    /// It surely did not happen.
    Refused {
        reason: String,
        leader: Option<u64>,
    },
    Unknown,
}

struct Client {
    shared: Arc<Shared>,
    chance: fastrand::Rng,
    /// The node that it reads from, if it does nothing else.
    only: Option<u64>,
    name: u64,
    number: u64,
    written: u64,
    last_seen: BTreeMap<String, Option<String>>,
    at: u64,
}

impl Client {
    async fn run(mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let refused = self.operate().await;
            let pause = Duration::from_millis(self.chance.u64(1..=PAUSE_MS));
            sleep(if refused { PAUSE_REFUSED } else { pause }).await;
        }
    }

    /// Does one operation and records it; whether it was refused.
    async fn operate(&mut self) -> bool {
        let mut op = self.choose();
        let (at, channel) = self.choose_node();
        op.call_ns = self.now();
        let outcome = ask(channel, &op).await;
        let end = self.now();
        let heard = &self.shared.heard;
        match outcome {
            Outcome::Done { output } => {
                op.output = output;
                (op.ok, op.return_ns) = (Some(true), Some(end));
                let seen = if op.kind == Kind::Read { &op.output } else { &op.input };
                self.last_seen.insert(op.key.clone(), seen.clone());
                heard.send_modify(|heard| {
                    heard.answered += 1;
                    match op.kind {
                        Kind::Read => *heard.read_from.entry(at).or_default() += 1,
                        Kind::Write | Kind::Cas => heard.written += 1,
                    }
                });
            }
            Outcome::NotThere => {
                (op.ok, op.return_ns) = (Some(false), Some(end));
                self.last_seen.remove(&op.key);
                heard.send_modify(|heard| heard.answered += 1);
            }
            Outcome::Refused { reason, leader } => {
                heard.send_modify(|heard| *heard.refused.entry(reason).or_default() += 1);
                self.at = leader.unwrap_or_else(|| self.any_node());
                // A read that heard nothing says nothing. A cas that never began is none that found
                // something else, and there is no third way to write it down.
                if op.kind == Kind::Write {
                    (op.ok, op.return_ns) = (Some(false), Some(end));
                    self.record(op);
                }
                return true;
            }
            Outcome::Unknown => {
                heard.send_modify(|heard| heard.unknown += 1);
                self.at = self.any_node();
                self.name = self.shared.names.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.record(op);
        false
    }

    fn record(&self, op: Op) {
        self.shared.history.lock().expect("no client panics with it").push(op);
    }

    fn now(&self) -> u64 {
        self.shared.began.elapsed().as_nanos() as u64
    }

    fn any_node(&mut self) -> u64 {
        let channels = self.shared.channels.lock().expect("no client panics with it");
        let ids: Vec<u64> = channels.keys().copied().collect();
        *self.chance.choice(&ids).expect("a cluster has nodes")
    }

    fn choose_node(&mut self) -> (u64, Channel) {
        // Now and then anybody is asked: whoever is not up to date must say so.
        let at = match self.only {
            Some(only) => only,
            None if self.chance.u8(..) < 25 => self.any_node(),
            None => self.at,
        };
        let channels = self.shared.channels.lock().expect("no client panics with it");
        (at, channels[&at].clone())
    }

    fn choose(&mut self) -> Op {
        let key = format!("register-{}", self.chance.u64(..KEYS));
        let kind = match self.chance.u8(..100) {
            _ if self.only.is_some() => Kind::Read,
            0..30 => Kind::Read,
            30..70 => Kind::Write,
            _ => Kind::Cas,
        };
        let input = (kind != Kind::Read).then(|| {
            self.written += 1;
            format!("{}-{}", self.number, self.written)
        });
        let expect = self.last_seen.get(&key).cloned().flatten().filter(|_| kind == Kind::Cas);
        Op {
            client: self.name,
            kind,
            key,
            input,
            expect,
            output: None,
            ok: None,
            call_ns: 0,
            return_ns: None,
        }
    }
}

async fn ask(channel: Channel, op: &Op) -> Outcome {
    match timeout(ANSWER_WAIT, send(channel, op)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(status)) => judge(&status),
        Err(_) => Outcome::Unknown,
    }
}

async fn send(channel: Channel, op: &Op) -> Result<Outcome, Status> {
    fn request<T>(message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(ANSWER_WAIT);
        request
    }
    let mut client = ProbeServiceClient::new(channel);
    let key = op.key.clone().into_bytes().into();
    let value = op.input.clone().unwrap_or_default().into_bytes().into();
    match op.kind {
        Kind::Read => {
            let answer = client.get(request(GetRequest { key })).await?.into_inner();
            let text = || String::from_utf8_lossy(&answer.value).into_owned();
            Ok(Outcome::Done { output: answer.found.then(text) })
        }
        Kind::Write => {
            let put = PutRequest { key, value, ..Default::default() };
            client.put(request(put)).await?;
            Ok(Outcome::Done { output: None })
        }
        Kind::Cas => {
            let set = CompareAndSetRequest {
                key,
                expect_found: op.expect.is_some(),
                expected: op.expect.clone().unwrap_or_default().into_bytes().into(),
                value,
                ..Default::default()
            };
            let done = client.compare_and_set(request(set)).await?.into_inner().done;
            Ok(if done { Outcome::Done { output: None } } else { Outcome::NotThere })
        }
    }
}

/// What a failed call says of the operation.
fn judge(status: &Status) -> Outcome {
    const NEVER_BEGUN: [Reason; 7] = [
        Reason::NotLeader,
        Reason::NoLeader,
        Reason::Overloaded,
        Reason::Draining,
        Reason::DiskNearlyFull,
        Reason::NodeQuarantined,
        Reason::NotBootstrapped,
    ];
    let problem = Problem::from_status(status);
    if let Some(reason) = problem.reason.filter(|reason| NEVER_BEGUN.contains(reason)) {
        let leader = problem.metadata.get("leader").and_then(|id| id.parse().ok());
        return Outcome::Refused { reason: reason.to_string(), leader };
    }
    // No connection came about: nothing was sent.
    if DialError::find(status).is_some() {
        return Outcome::Refused { reason: "no connection".to_owned(), leader: None };
    }
    Outcome::Unknown
}
