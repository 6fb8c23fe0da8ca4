use super::*;

fn entry(index: u64) -> Committed {
    Committed { index, clock: UtcMillis(index), events: vec![Event::FeedGrew] }
}

#[tokio::test]
async fn a_watcher_reads_what_it_has_not_read() {
    let history = History::new(10);
    let mut from_now = history.subscribe(None);
    let mut from_ten = history.subscribe(Some(10));
    let quiet = Committed { index: 11, clock: UtcMillis(11), events: vec![] };
    history.add(vec![quiet, entry(12)], 12);
    for subscription in [&mut from_now, &mut from_ten] {
        let read = subscription.next().await.expect("running").expect("kept");
        assert_eq!(read.iter().map(|one| one.index).collect::<Vec<_>>(), [12]);
    }
    history.add(vec![entry(13)], 14);
    let read = from_now.next().await.expect("running").expect("kept");
    assert_eq!((read.len(), read[0].index), (1, 13));
}

#[tokio::test]
async fn a_watcher_that_falls_out_of_the_ring_is_told() {
    let history = History::new(0);
    let mut slow = history.subscribe(Some(0));
    let last = KEPT as u64 + 5;
    history.add((1..=last).map(entry).collect(), last);
    let behind = slow.next().await.expect("running").expect_err("too far behind");
    assert_eq!(behind, FellBehind { after: 0, kept: 5 });
    let mut again = history.subscribe(Some(5));
    assert_eq!(again.next().await.expect("running").expect("kept")[0].index, 6);
}

#[tokio::test]
async fn a_place_before_this_nodes_start_is_refused() {
    let history = History::new(100);
    let mut early = history.subscribe(Some(7));
    assert_eq!(early.next().await, Some(Err(FellBehind { after: 7, kept: 100 })));
}
