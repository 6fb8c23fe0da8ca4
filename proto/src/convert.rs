//! Between messages and the model: what does a message say, and what does a value look like
//! outside?
//!
//! `…_message` shows a value of the model as a message; it cannot fail. `read_…` takes a message
//! that somebody else wrote: it believes nothing, never panics, and reports *all* that is wrong
//! in one [`Refusal`] whose fields name the path in the call
//! (`entry.items[2].name`). The `field` handed to a reader is the path at which its message stands in
//! the call. What may be absent stays absent; whether something absent is needed, and whether a
//! text is too long or a duty unmet, is for the rules of the model and not decided here.
//!
//! Whole values (`read_entry`, `read_request`, `read_grant`) are read only from other domains
//! of the federation: message and value are the same thing there, so that nothing is lost on
//! the way.

pub mod etag;
pub mod name;
pub mod time;

pub mod caller;
pub mod catalog_entry;
pub mod entry_file;
pub mod organization;

pub mod answer;
pub mod case_file;
pub mod case_rules;
pub mod demand;
pub mod dispute;
pub mod grant;
pub mod paper_decision;
pub mod party;
pub mod service_change;
pub mod share_request;
pub mod use_record;

pub mod carried;
pub mod deadline;
pub mod digest;
pub mod dr;
pub mod drill;
pub mod methods;
pub mod proof;
pub mod quality;
pub mod relations;
pub mod rule;

mod enumeration;
mod mask;
mod reading;

use catalog_model::refusal::Refusal;

pub use etag::{etag, parse_etag};

use crate::convert::reading::{At, Reading};

/// The message inside a call, or a refusal that names the `field` in which it is missing.
pub fn stated<'a, T>(message: Option<&'a T>, field: &str) -> Result<&'a T, Refusal> {
    let mut reading = Reading::new();
    if message.is_none() {
        reading.missing(At::Root(field));
    }
    reading.finish(message)
}

#[cfg(test)]
mod tests;
