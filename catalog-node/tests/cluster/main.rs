//! Whole nodes in one process, over real sockets, disks and certificates.

mod backups;
mod bench;
mod calls;
mod catching_up;
mod clock;
mod failover;
mod fencing;
mod identity;
mod law;
mod members;
mod outages;
mod recovery;
mod relations;
mod story;
mod transfer;
mod witness;
