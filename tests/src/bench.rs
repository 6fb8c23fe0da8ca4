//! The benchmark: how fast, and in how much memory, does a federation do its work?
//!
//! It runs the three domains as real processes, as `luqiao dev --processes` does, and calls them
//! over mTLS as anybody would. Nothing here is a test and nothing asserts on a duration: it
//! measures, and tells what was measured beside what was asked for.
//!
//! Reading order: on what it runs, with which entries, how calls are timed, what is measured,
//! whether it was really done, and how that is told.

pub mod machine;

pub mod corpus;

pub mod load;

pub mod measure;

pub mod recount;

pub mod report;
