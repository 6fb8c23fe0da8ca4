//! Wire: what lies between two gateways, and what if somebody cuts it?
//!
//! A relay of bytes on loopback. The gateways dial the wire instead of each other; TLS goes
//! through it unread. A cut drops every connection that is open and refuses new ones, in both
//! operating modes alike: nobody at either end is told that it is a rehearsal.

use std::{io, net::SocketAddr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// One wire, in the direction in which connections are opened. Dropping it removes it.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    open: watch::Sender<bool>,
    _relay: JoinSet<()>,
}

impl Wire {
    /// Lays a wire that ends at `to`.
    pub async fn lay(to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (open, state) = watch::channel(true);
        let mut relay = JoinSet::new();
        relay.spawn(carry(listener, to, state));
        Ok(Self { address, open, _relay: relay })
    }

    /// Where its near end is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts it.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Mends it; connections have to be opened anew.
    pub fn heal(&self) {
        self.open.send_replace(true);
    }
}

async fn carry(listener: TcpListener, to: SocketAddr, state: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An accept that fails is the trouble of who wanted to connect.
                if let Ok((near, _)) = accepted && *state.borrow() {
                    connections.spawn(relay(near, to, state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection until an end closes it or the wire is cut.
async fn relay(mut near: TcpStream, to: SocketAddr, mut state: watch::Receiver<bool>) {
    let carried = async {
        let mut far = TcpStream::connect(to).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        copy_bidirectional(&mut near, &mut far).await
    };
    tokio::select! {
        _ = carried => {}
        _ = state.wait_for(|open| !open) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn echo() -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                open.spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        (address, tasks)
    }

    /// What comes back for `x`; `None` if the connection ends instead.
    async fn through(stream: &mut TcpStream) -> Option<u8> {
        stream.write_all(b"x").await.ok()?;
        stream.read_u8().await.ok()
    }

    #[tokio::test]
    async fn a_cut_ends_what_is_open_and_refuses_what_comes_until_it_is_healed() {
        let (to, _server) = echo().await;
        let wire = Wire::lay(to).await.unwrap();
        let mut first = TcpStream::connect(wire.address()).await.unwrap();
        assert_eq!(through(&mut first).await, Some(b'x'));

        wire.cut();
        assert_eq!(first.read_u8().await.ok(), None, "the open connection ends");
        let mut second = TcpStream::connect(wire.address()).await.unwrap();
        assert_eq!(through(&mut second).await, None, "a new one gets nowhere");

        wire.heal();
        let mut third = TcpStream::connect(wire.address()).await.unwrap();
        assert_eq!(through(&mut third).await, Some(b'x'));
    }
}
