//! What every server and client edge of Luqiao shares.
//!
//! Who is at the other end of a connection, may the two talk, how is a call bounded in time, and
//! in which words is it refused? The gateway, the catalog node and the command line answer these
//! four questions with this crate, so that they answer them alike. It knows connections and
//! calls; it knows nothing of the catalog beyond its identifiers and reasons.
//!
//! Reading order: names in certificates, the certificates and whom we trust, why a handshake
//! failed, serving, dialing; then single calls: language, status, timeouts; and how a daemon
//! winds its tasks down.

pub mod identity;

pub mod handshake;
pub mod tls;

pub mod accept;
pub mod dial;

pub mod language;
pub mod opening;
pub mod status;
pub mod timeout;

pub mod drain;
