//! One site is lost: may the other open, with whose log, and what was lost?
//!
//! Nobody leads any more, so nothing here is a Raft command. Each step is a pure decision over what sealed
//! nodes reported, so that whoever carries it out can die and another go on:
//!
//! 1. `seal`: a node stops for ever to answer for the old generation, then says how its log ends.
//! 2. `condition`: do the sealed nodes meet every set that could still commit without them?
//! 3. `survey`: whose log is the greatest, and up to where is it settled?
//! 4. `verdict`: what can be said of what was lost, and from what evidence.
//! 5. `surgery`: the one rewrite of a log that there is.
//!
//! Why nothing acknowledged in sync is lost: it is on a voter of this site, in a set that commits; the
//! condition says that one of the sealed nodes is in each such set; the greatest sealed log holds every entry
//! that any set committed (a later term's log extends it, within a term longer is later); and sealed nodes
//! answer nothing for the old generation, so that no set commits later.

pub use self::{
    condition::{Evidence, Found, Missing, may_promote},
    seal::{Sealed, configurations},
    surgery::{Rewritten, TERM_STEP, rewrite},
    survey::{greatest, settled},
    verdict::{Verdict, verdict},
};

mod condition;
mod seal;
mod surgery;
mod survey;
mod verdict;

#[cfg(test)]
mod tests;
