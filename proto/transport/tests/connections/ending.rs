//! Ending: a server ends in its time, whatever its clients do, and finishes what it can.

use std::{sync::Arc, time::Duration};

use luqiao_transport::{accept::ServeReport, tls::TlsMaterial};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::{
    certificates::{Authority, Holder, domain, material},
    server::{HANG, Server, check, dialer, patient, watch},
};

/// Long enough for whatever obeys, short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);

/// One certificate for both sides.
fn own() -> Arc<TlsMaterial> {
    let xiamen = Authority::new("Xiamen");
    let node = Holder::named("spiffe://xiamen.luqiao/node/1");
    material(&xiamen, &node, &[(&xiamen, domain("xiamen"))])
}

/// A TCP client of which the server certainly knows, and which never sends a byte.
async fn silent_client(server: &Server, tls: Arc<TlsMaterial>) -> TcpStream {
    let silent = TcpStream::connect(server.address).await.unwrap();
    // Connections are accepted in order: once a later one is answered, this one was accepted.
    let channel = dialer(tls).connect(&server.target()).await.unwrap();
    check(channel).await.unwrap();
    silent
}

async fn closed(mut stream: TcpStream) {
    let read = timeout(HANG, stream.read(&mut [0])).await.expect("the connection is closed");
    assert!(matches!(read, Ok(0) | Err(_)));
}

#[tokio::test]
async fn silent_and_idle_clients_do_not_delay_the_end() {
    let tls = own();
    // With an hour of grace, only an end that waits for nobody comes within the test's time.
    let server = Server::start(Arc::clone(&tls), patient()).await;
    let silent = silent_client(&server, Arc::clone(&tls)).await;
    let idle = dialer(tls).connect(&server.target()).await.unwrap();
    check(idle.clone()).await.unwrap();

    let address = server.address;
    let report = server.end().await;
    assert_eq!((report.cut, report.stuck), (0, 0));
    assert_eq!(report.accepted, 3);
    closed(silent).await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    drop(idle);
}

#[tokio::test]
async fn an_open_stream_is_cut_at_the_end_of_the_grace_period() {
    let tls = own();
    let mut options = patient();
    options.shutdown_grace = SHORT;
    let server = Server::start(Arc::clone(&tls), options).await;
    let silent = silent_client(&server, Arc::clone(&tls)).await;
    let mut stream = watch(dialer(tls).connect(&server.target()).await.unwrap()).await;
    let doors = server.doors.clone();
    assert_eq!(doors.streams(), 1);

    let report = server.end().await;
    assert_eq!((report.cut, report.stuck), (1, 0));
    assert_eq!(doors.streams(), 0, "the producer is gone before the server is");
    let last = timeout(HANG, stream.message()).await.expect("the client learns of it");
    assert!(last.is_err(), "and not as an orderly end: {last:?}");
    closed(silent).await;
}

#[tokio::test]
async fn a_call_under_way_is_finished_while_new_ones_are_refused() {
    let tls = own();
    let server = Server::start_guarded(Arc::clone(&tls), patient()).await;
    let channel = dialer(Arc::clone(&tls)).connect(&server.target()).await.unwrap();
    let doors = server.doors.clone();
    let call = tokio::spawn(check(channel));
    doors.entered.acquire().await.unwrap().forget();

    // First the end begins, and the silent client sees it; then the call is let out.
    let silent = TcpStream::connect(server.address).await.unwrap();
    server.shutdown.begin();
    closed(silent).await;
    assert!(!call.is_finished(), "the call is still under way");
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody new gets in");
    doors.exit.add_permits(1);

    assert_eq!(call.await.unwrap().unwrap(), "spiffe://xiamen.luqiao/node/1");
    let report = server.ended().await;
    assert_eq!((report.cut, report.stuck), (0, 0));
}

#[tokio::test]
async fn an_old_connection_is_ended_and_the_client_returns() {
    let tls = own();
    let mut options = patient();
    options.connection_age_max = 3 * SHORT;
    options.connection_age_grace = 3 * SHORT;
    let server = Server::start(Arc::clone(&tls), options).await;
    let channel = dialer(tls).connect(&server.target()).await.unwrap();
    let mut stream = watch(channel.clone()).await;
    let last = timeout(HANG, stream.message()).await.expect("the stream ends with its connection");
    assert!(last.is_err());
    check(channel).await.expect("the next call makes a new connection");

    let report = server.end().await;
    assert!(report.aged >= 1 && report.accepted >= 2, "{report:?}");
    assert_eq!(report.cut, 0);
}

#[tokio::test]
async fn a_server_that_vanishes_takes_its_connections_along() {
    let tls = own();
    let server = Server::start(Arc::clone(&tls), patient()).await;
    let silent = silent_client(&server, Arc::clone(&tls)).await;
    let mut stream = watch(dialer(tls).connect(&server.target()).await.unwrap()).await;
    server.vanish().await;
    let last = timeout(HANG, stream.message()).await.expect("the client learns of it");
    assert!(last.is_err());
    closed(silent).await;
}

#[tokio::test]
async fn a_full_server_lets_the_next_one_in_when_a_seat_is_free() {
    let tls = own();
    let mut options = patient();
    options.connections_max = 1;
    let server = Server::start(Arc::clone(&tls), options).await;
    let first = TcpStream::connect(server.address).await.unwrap();
    let second = tokio::spawn({
        let (dialer, target) = (dialer(tls), server.target());
        async move { check(dialer.connect(&target).await.unwrap()).await }
    });
    drop(first);
    assert!(timeout(HANG, second).await.expect("the second gets in").unwrap().is_ok());
    assert_eq!(server.end().await, ServeReport { accepted: 2, ..went_away(1) });
}

fn went_away(count: u64) -> ServeReport {
    ServeReport {
        refused: [(luqiao_transport::handshake::Cause::WentAway, count)].into(),
        ..ServeReport::default()
    }
}
