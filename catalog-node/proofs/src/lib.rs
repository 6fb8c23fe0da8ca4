//! Proofs that hold without us: was this decided, is this history the one that was promised?
//!
//! Everything that the replicated state, the command line, the tests and somebody with nothing but
//! a file must agree on: how a record is hashed ([`suite`]), how hashes make a tree and what a path
//! through it proves ([`tree`]), what a signed head says ([`head`]), whether a history is still the
//! one of which another domain holds a head ([`against`]), what an archived piece of it looks like
//! ([`archive`]), and the page that carries a case with its proofs to whoever it concerns
//! ([`case_bag`]). Functions of values; nothing here reads a clock, a disk or the network.
//!
//! With the feature `offline` also keys, certificates, receipts and approvals, which the state does not need.

pub mod suite;

pub mod tree;

pub mod head;
pub mod record;

pub mod against;

pub mod archive;

pub mod case_bag;

#[cfg(feature = "offline")]
pub mod key;

#[cfg(feature = "offline")]
pub mod receipt;

#[cfg(feature = "offline")]
pub mod approval;

/// A hash of either suite.
pub type Hash = [u8; 32];

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
