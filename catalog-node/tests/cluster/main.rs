//! Whole nodes in one process, over real sockets, disks and certificates.

mod bench;
mod calls;
mod clock;
mod failover;
mod identity;
mod members;
mod recovery;
mod story;
mod transfer;
