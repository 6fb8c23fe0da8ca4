//! Drain: how does a daemon end the tasks it began, and how long may that take?
//!
//! A [`Shutdown`] is both the signal and the list of tasks: whoever holds it can spawn work and
//! learn that the end has begun. Ending has two steps. `begin` asks: tasks see the signal, finish
//! what they hold and return. The cut tells: tasks still there after the grace period are dropped
//! where they wait. This is the one place of the program that spawns tasks, so that none escapes
//! the cut.

use std::{future::Future, time::Duration};

use tokio::{task::JoinHandle, time::timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// How long after the cut we wait for tasks to be dropped.
///
/// A dropped task is gone at its next await. One that blocks its thread never gets there, and
/// must not hold up the end of the process.
const CUT_WAIT: Duration = Duration::from_secs(1);

/// The shutdown signal and the tasks that obey it. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    begun: CancellationToken,
    /// Invariant: cancelled only after `begun` is.
    cut: CancellationToken,
    tasks: TaskTracker,
}

/// What became of the tasks of a [`Shutdown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Tasks that were still running when the grace period ended, and were dropped.
    pub cut: usize,
    /// Tasks that did not even yield to being dropped; they block a thread.
    pub stuck: usize,
}

impl Drained {
    /// Whether every task came to its own end.
    pub fn is_clean(&self) -> bool {
        self.cut == 0
    }
}

impl Shutdown {
    /// A signal that has not been given, with no tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// A part with tasks of its own that can be drained by itself. It begins to shut down when
    /// the whole does, and is cut when the whole is.
    pub fn part(&self) -> Self {
        Self {
            begun: self.begun.child_token(),
            cut: self.cut.child_token(),
            tasks: TaskTracker::new(),
        }
    }

    /// Asks every task to finish. Idempotent.
    pub fn begin(&self) {
        self.begun.cancel();
    }

    /// Whether the end has begun.
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Completes when the end has begun; at once if it already has.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + use<> {
        self.begun.clone().cancelled_owned()
    }

    /// Runs `task` until it returns or is cut.
    ///
    /// The handle yields `None` if it was cut. A task that is spawned after the cut never runs.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let cut = self.cut.clone();
        self.tasks.spawn(async move { cut.run_until_cancelled_owned(task).await })
    }

    /// How many tasks are running.
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Begins the end, waits up to `grace` for the tasks to finish, then drops the rest.
    pub async fn drain(&self, grace: Duration) -> Drained {
        self.begin();
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_ok() {
            return Drained { cut: 0, stuck: 0 };
        }
        let cut = self.tasks.len();
        self.cut.cancel();
        let stuck = match timeout(CUT_WAIT, self.tasks.wait()).await {
            Ok(()) => 0,
            Err(_) => self.tasks.len(),
        };
        Drained { cut, stuck }
    }

    /// Begins and cuts at once when the guard is dropped.
    ///
    /// For a server whose own future may be dropped: its connections go with it.
    pub fn cut_on_drop(&self) -> CutOnDrop {
        CutOnDrop { _begun: self.begun.clone().drop_guard(), _cut: self.cut.clone().drop_guard() }
    }
}

/// Drops the tasks of a [`Shutdown`] when it is itself dropped.
#[derive(Debug)]
#[must_use = "dropping the guard at once cuts at once"]
pub struct CutOnDrop {
    _begun: DropGuard,
    _cut: DropGuard,
}

/// hyper spawns a task per stream through its executor; here they become tasks like all others.
impl<F> hyper::rt::Executor<F> for Shutdown
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        drop(self.spawn(task));
    }
}

#[cfg(test)]
mod tests;
