//! `luqiao drill`: is a failure rehearsed, and can a regulator check offline what came of it (DR-06)?
//!
//! A plan is a list of steps. The *runner* goes through it and puts each step on record in the cluster;
//! an *operator* reaches the processes; an outside *prober*, a process of its own, writes numbers and
//! keeps its own list of what was acknowledged. What is in that list and not in the cluster afterwards
//! is lost. The report says so, its digest is in the ledger, and the receipt of that record is in the
//! file: whoever has it and the domain's trust anchor needs nobody's word.
//!
//! Reading order: the steps there are and the plans made of them; the prober's list, the prober, its
//! process; the cluster as a drill sees it, who reaches the processes, and the rehearsal; what was
//! found, the report, the page and its picture; and the command.

pub mod plan;
pub mod step;

pub mod list;
pub mod prober;
pub mod prober_process;

pub mod cluster;
pub mod operator;
pub mod rehearsal;

pub mod findings;
pub mod page;
mod picture;
pub mod report;

pub mod run;
pub mod verify;
