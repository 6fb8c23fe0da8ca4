//! The language in which the tests of whole processes are written.
//!
//! Tests in `it/` say what was done and what came of it; how a federation of real programs is
//! brought up, called, killed and brought up again stands here. Nothing of it knows the inside of
//! the programs: they are found as files, told by configuration, and met over mTLS.

pub mod repository;
mod skipped;

pub mod command_line;

pub mod federation;
pub mod process;

pub mod raw;
pub mod role;
pub mod strangers;

pub mod asking;
pub mod publishing;

pub mod clients;
pub mod cluster;
pub mod confined;
pub mod earlier;
pub mod proxy;

pub mod bench;

pub use skipped::skipped;
