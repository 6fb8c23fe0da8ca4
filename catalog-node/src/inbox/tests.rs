use super::*;

type Numbers = Inbox<u32, u32, u32>;

#[test]
fn a_full_lane_of_clients_leaves_room_for_peers_and_own_reports() {
    let inbox = Numbers::new();
    while inbox.ask(1, 10).is_ok() {}
    assert_eq!(inbox.ask(1, 10), Err(Full::NotNow));
    assert!(inbox.deliver(2, 10));
    inbox.report(3);
    let taken = inbox.take(Duration::ZERO);
    assert_eq!((taken.own.len(), taken.peers.len()), (1, 1));
    assert_eq!(taken.clients.len(), CLIENTS_PER_ROUND);
    assert_eq!(inbox.ask(1, 10), Ok(()), "what was taken makes room");
}

#[test]
fn bytes_bound_a_lane_but_one_large_wish_always_fits() {
    let inbox = Numbers::new();
    assert_eq!(inbox.ask(1, CLIENT_BYTES + 1), Ok(()));
    assert_eq!(inbox.ask(2, 1), Err(Full::NotNow));
    inbox.take(Duration::ZERO);
    assert_eq!(inbox.ask(2, CLIENT_BYTES), Ok(()));
    assert_eq!(inbox.ask(3, 1), Err(Full::NotNow));
    assert!(inbox.deliver(4, PEER_BYTES));
    assert!(!inbox.deliver(5, 1));
}

#[test]
fn order_is_kept_over_rounds() {
    let inbox = Numbers::new();
    for number in 0..3000 {
        inbox.ask(number, 0).unwrap();
    }
    let mut taken = inbox.take(Duration::ZERO).clients;
    taken.extend(inbox.take(Duration::ZERO).clients);
    assert!(taken.iter().map(|(number, _)| *number).eq(0..3000));
}

#[test]
fn a_closed_inbox_takes_nothing_and_waits_for_nothing() {
    let inbox = Numbers::new();
    inbox.ask(1, 0).unwrap();
    inbox.close();
    assert_eq!(inbox.ask(1, 0), Err(Full::Closed));
    assert!(!inbox.deliver(1, 0));
    inbox.report(1);
    let taken = inbox.take(Duration::MAX);
    assert!(taken.own.is_empty() && taken.peers.is_empty() && taken.clients.is_empty());
}
