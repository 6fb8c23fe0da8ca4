//! Making a snapshot, and cutting its blocks again for those who fetch it.
//!
//! Both are the work of one thread that keeps the state as it was: what RocksDB holds for it is
//! let go when the thread ends. It ends when nobody can ask it any more.

use std::{
    sync::{
        Arc, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use catalog_state::snapshot::{Manifest, Position, cut, cut_from};
use tokio::sync::{mpsc, oneshot};

use super::{IDLE, KEPT, Pace, Shared, Snapshots};
use crate::storage::{StateStore, StateView};

/// Requests that wait for one snapshot.
const REQUESTS: usize = 8;

/// How long a thread sleeps at most before it looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(100);

/// Why no snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BuildError {
    /// The cluster was not bootstrapped, or the state contains no entry that the log still knows.
    #[error("there is nothing yet to make a snapshot of")]
    Nothing,
    /// The node ends, or its state was replaced meanwhile.
    #[error("the snapshot is not wanted any more")]
    Unwanted,
}

/// Why a block is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServeError {
    /// This node does not have that snapshot, or not any more.
    #[error("the snapshot is not here")]
    Unknown,
    /// The snapshot has fewer blocks.
    #[error("the snapshot has no such block")]
    NoBlock,
}

/// A snapshot that can be asked for.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) manifest: Arc<Manifest>,
    id: [u8; 32],
    requests: mpsc::Sender<Request>,
    last_request: LastRequest,
}

/// A block by its number, and who waits for it.
struct Request {
    number: usize,
    answer: oneshot::Sender<Vec<u8>>,
}

/// When somebody last asked, if ever.
#[derive(Debug, Clone)]
struct LastRequest {
    begin: Instant,
    /// Milliseconds after `begin`, plus one; 0 = never.
    after: Arc<AtomicU64>,
}

impl LastRequest {
    fn now(&self) {
        let after = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1;
        self.after.store(after, Ordering::Relaxed);
    }
}

impl Built {
    /// Whether nobody has asked for a while.
    pub(super) fn is_idle(&self) -> bool {
        match self.last_request.after.load(Ordering::Relaxed) {
            0 => true,
            after => {
                let last = self.last_request.begin + Duration::from_millis(after - 1);
                last.elapsed() >= IDLE
            }
        }
    }
}

impl Snapshots {
    /// Makes a snapshot of the state as it is now, on a thread of its own. `term_of` knows the
    /// log's terms, `founded` is the membership where the state names none; `made` is called on that
    /// thread when the snapshot can be asked for, or not.
    ///
    /// `false`, and nothing done, if one is being made.
    pub(crate) fn build(
        &self,
        founded: Vec<u8>,
        term_of: impl FnOnce(u64) -> Option<u64> + Send + 'static,
        made: impl FnOnce(Result<Arc<Manifest>, BuildError>) + Send + 'static,
    ) -> bool {
        {
            let mut inner = self.lock();
            if inner.building {
                return false;
            }
            inner.building = true;
        }
        let (shared, store) = (Arc::downgrade(&self.shared), self.shared.state.current());
        thread::Builder::new()
            .name("snapshot".to_owned())
            .spawn(move || build_and_serve(&shared, &store, founded, term_of, made))
            .expect("a thread can be had");
        true
    }

    /// Block `number` of the snapshot whose manifest has this id.
    pub(crate) async fn block(&self, id: &[u8], number: u32) -> Result<Vec<u8>, ServeError> {
        let (requests, last_request) = {
            let inner = self.lock();
            let built = inner.built.iter().find(|built| built.id == *id);
            let built = built.ok_or(ServeError::Unknown)?;
            if number as usize >= built.manifest.blocks.len() {
                return Err(ServeError::NoBlock);
            }
            (built.requests.clone(), built.last_request.clone())
        };
        last_request.now();
        let (answer, block) = oneshot::channel();
        let request = Request { number: number as usize, answer };
        requests.send(request).await.map_err(|_| ServeError::Unknown)?;
        let block = block.await.map_err(|_| ServeError::Unknown);
        last_request.now();
        block
    }
}

fn build_and_serve(
    shared: &Weak<Shared>,
    store: &Arc<StateStore>,
    founded: Vec<u8>,
    term_of: impl FnOnce(u64) -> Option<u64>,
    made: impl FnOnce(Result<Arc<Manifest>, BuildError>),
) {
    let began = Instant::now();
    let view = store.view();
    let learnt = learn(shared, &view, founded, term_of);
    // A node that ended meanwhile is told nothing: there is nobody to tell.
    let Some(shared) = shared.upgrade() else { return };
    let mut inner = shared.inner.lock().unwrap_or_else(PoisonError::into_inner);
    inner.building = false;
    let learnt = learnt.and_then(|learnt| {
        let current = shared.state.current().number() == store.number();
        current.then_some(learnt).ok_or(BuildError::Unwanted)
    });
    let (manifest, first_keys) = match learnt {
        Ok(learnt) => learnt,
        Err(error) => {
            drop(inner);
            return made(Err(error));
        }
    };
    let (requests, asked) = mpsc::channel(REQUESTS);
    let manifest = Arc::new(manifest);
    let last_request = LastRequest { begin: began, after: Arc::default() };
    let id = manifest.id();
    inner.built.retain(|built| built.id != id);
    inner.built.push(Built { manifest: Arc::clone(&manifest), id, requests, last_request });
    let superfluous = inner.built.len().saturating_sub(KEPT);
    inner.built.drain(..superfluous);
    let block_bytes = shared.options.block_bytes;
    drop(inner);
    // From here on only who asks keeps this thread.
    drop(shared);
    tracing::info!(
        index = manifest.index,
        rows = manifest.rows,
        bytes = manifest.bytes,
        blocks = manifest.blocks.len(),
        millis = began.elapsed().as_millis(),
        "Snapshot made"
    );
    made(Ok(manifest));
    serve(asked, &first_keys, |first_key| {
        let block = cut_from(&view, first_key, block_bytes).next();
        block.expect("the view holds what it held").bytes
    });
}

/// The manifest of what `view` shows, with the first key of each block.
fn learn(
    shared: &Weak<Shared>,
    view: &StateView<'_>,
    founded: Vec<u8>,
    term_of: impl FnOnce(u64) -> Option<u64>,
) -> Result<(Manifest, Vec<Vec<u8>>), BuildError> {
    let options = shared.upgrade().ok_or(BuildError::Unwanted)?.options.clone();
    let index = view.applied();
    let term = term_of(index).ok_or(BuildError::Nothing)?;
    let membership = view.membership().unwrap_or(founded);
    let mut pace = Pace::new(options.build_bytes_per_second);
    let (mut infos, mut first_keys) = (Vec::new(), Vec::new());
    for block in cut(view, options.block_bytes) {
        infos.push(block.info());
        let rest_until = Instant::now() + pace.sent(block.bytes.len(), Instant::now());
        first_keys.push(block.first_key);
        loop {
            // Looked at after each block, so that a node that ends does not wait for this.
            if shared.strong_count() == 0 {
                return Err(BuildError::Unwanted);
            }
            let rest = rest_until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            thread::sleep(rest.min(NAP));
        }
    }
    let position = Position { index, term, membership };
    let manifest = Manifest::of(view, position, infos).ok_or(BuildError::Nothing)?;
    Ok((manifest, first_keys))
}

/// Answers requests until nobody can ask any more.
fn serve(
    mut asked: mpsc::Receiver<Request>,
    first_keys: &[Vec<u8>],
    block: impl Fn(&[u8]) -> Vec<u8>,
) {
    while let Some(Request { number, answer }) = asked.blocking_recv() {
        // Who went away while waiting is spared the work.
        if !answer.is_closed() {
            let _ = answer.send(block(&first_keys[number]));
        }
    }
}
