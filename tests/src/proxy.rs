//! Proxy: what happens to bytes on their way to a node?
//!
//! It stands where the other nodes are told that one listens, and passes on what they send; later,
//! or not at all. It passes bytes, so nothing is lost from the middle of a stream: *drop* breaks
//! connections, which is how a network loses messages as far as a TCP stream shows.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// What the proxy does to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weather {
    /// Everything is held back for this long at least, in milliseconds,
    pub delay_ms: u64,
    /// and up to this much longer.
    pub jitter_ms: u64,
    /// How many of a thousand reads break their connection.
    pub breaking: u16,
    /// Whether nothing passes, and nothing is answered either.
    pub silent: bool,
}

/// What has passed and what has not.
#[derive(Debug, Default)]
pub struct Passed {
    /// Connections that were made.
    pub connections: AtomicU64,
    /// Connections that were broken on purpose.
    pub broken: AtomicU64,
    /// Pieces that were held back on purpose.
    pub delayed: AtomicU64,
    /// Pieces that were kept for good.
    pub kept: AtomicU64,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it did.
    pub passed: Arc<Passed>,
    weather: watch::Sender<Weather>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A proxy before `to`, which passes everything on until it is told otherwise.
    ///
    /// # Panics
    ///
    /// If there is no port for it.
    pub async fn before(to: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind((to.ip(), 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let (weather, forecast) = watch::channel(Weather::default());
        let passed = Arc::new(Passed::default());
        let mut tasks = JoinSet::new();
        let lane = Lane {
            forecast,
            passed: Arc::clone(&passed),
            chance: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))),
        };
        tasks.spawn(listen(listener, to, lane));
        Self { address, passed, weather, _tasks: tasks }
    }

    /// From now on, for connections that stand as for new ones.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

#[derive(Debug, Clone)]
struct Lane {
    forecast: watch::Receiver<Weather>,
    passed: Arc<Passed>,
    chance: Arc<Mutex<fastrand::Rng>>,
}

async fn listen(listener: TcpListener, to: SocketAddr, lane: Lane) {
    let mut connections = JoinSet::new();
    while let Ok((from, _)) = listener.accept().await {
        let lane = lane.clone();
        connections.spawn(async move {
            let Ok(to) = TcpStream::connect(to).await else { return };
            lane.passed.connections.fetch_add(1, Ordering::Relaxed);
            let _ = (from.set_nodelay(true), to.set_nodelay(true));
            let ((from_read, from_write), (to_read, to_write)) =
                (from.into_split(), to.into_split());
            // When one direction ends, so does the connection.
            tokio::select! {
                () = lane.clone().pass(from_read, to_write) => {}
                () = lane.pass(to_read, from_write) => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Lane {
    /// Passes one direction on, in order.
    async fn pass(self, mut from: OwnedReadHalf, to: OwnedWriteHalf) {
        let (sender, pieces) = mpsc::channel(1024);
        let writer = self.clone().write(pieces, to);
        let reader = async move {
            loop {
                let mut piece = vec![0; 16 << 10];
                let Ok(length @ 1..) = from.read(&mut piece).await else { return };
                piece.truncate(length);
                let weather = *self.forecast.borrow();
                let (broken, delay) = {
                    let mut chance = self.chance.lock().expect("nobody panics with it");
                    let broken = chance.u16(..1000) < weather.breaking;
                    (broken, weather.delay_ms + chance.u64(..=weather.jitter_ms))
                };
                if broken {
                    self.passed.broken.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                if delay > 0 {
                    self.passed.delayed.fetch_add(1, Ordering::Relaxed);
                }
                if sender
                    .send((Instant::now() + Duration::from_millis(delay), piece))
                    .await
                    .is_err()
                {
                    return;
                }
            }
        };
        tokio::select! {
            () = reader => {}
            () = writer => {}
        }
    }

    async fn write(
        mut self,
        mut pieces: mpsc::Receiver<(Instant, Vec<u8>)>,
        mut to: OwnedWriteHalf,
    ) {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            if self.forecast.borrow().silent {
                self.passed.kept.fetch_add(1, Ordering::Relaxed);
                // Held until the silence ends: a stream has no holes.
                if self.forecast.wait_for(|weather| !weather.silent).await.is_err() {
                    return;
                }
            }
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    }
}
