use std::{future::pending, time::Duration};

use tokio::sync::oneshot;

use super::{Drained, Shutdown};

const LONG: Duration = Duration::from_hours(1);

#[tokio::test(start_paused = true)]
async fn tasks_that_obey_the_signal_end_by_themselves() {
    let shutdown = Shutdown::new();
    let (told, heard) = oneshot::channel();
    let begun = shutdown.begun();
    let handle = shutdown.spawn(async move {
        begun.await;
        told.send("finished").unwrap();
        7
    });
    assert_eq!(shutdown.running(), 1);
    assert!(!shutdown.has_begun());

    assert_eq!(shutdown.drain(LONG).await, Drained { cut: 0, stuck: 0 });
    assert_eq!(heard.await, Ok("finished"));
    assert_eq!(handle.await.unwrap(), Some(7));
}

#[tokio::test(start_paused = true)]
async fn tasks_that_do_not_are_dropped_after_the_grace_period() {
    let shutdown = Shutdown::new();
    let (held, dropped) = oneshot::channel::<()>();
    let handle = shutdown.spawn(async move {
        let _held = held;
        pending::<()>().await;
    });

    let drained = shutdown.drain(LONG).await;
    assert_eq!(drained, Drained { cut: 1, stuck: 0 });
    assert!(!drained.is_clean());
    assert!(dropped.await.is_err(), "what the task held is gone");
    assert_eq!(handle.await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_part_follows_the_whole_but_not_the_other_way_round() {
    let whole = Shutdown::new();
    let part = whole.part();
    part.drain(LONG).await;
    assert!(part.has_begun() && !whole.has_begun());

    let part = whole.part();
    drop(part.spawn(pending::<()>()));
    whole.begin();
    assert!(part.has_begun());
    assert_eq!(part.drain(LONG).await.cut, 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_guard_cuts_at_once() {
    let shutdown = Shutdown::new();
    let handle = shutdown.spawn(pending::<()>());
    drop(shutdown.cut_on_drop());
    assert_eq!(handle.await.unwrap(), None);
    assert_eq!(shutdown.spawn(async { 1 }).await.unwrap(), None, "nothing starts after the cut");
}
