//! The values of the catalog and the small pure rules between them.
//!
//! What is a resource, who may share it how, by which day is an answer owed? Everything here is
//! a value or a function of values: no wire format, no clock, no chance, no disk. The replicated
//! state machine, the gateway's pre-check and the command line all decide with this code, so
//! that they cannot disagree.
//!
//! Values carry a `minicbor` encoding because replicated state stores them; the encoding is
//! extended only by optional fields at new indices (`docs/decisions/0002`).
//!
//! Reading order: names and ids, who calls, what is catalogued, how it is asked for, then the
//! rules (calendar, rule packs) and how refusals are worded.

pub mod ids;
pub mod name;

pub mod time;

pub mod fence;
pub mod site;
pub mod witness;

pub mod caller;
pub mod credit_code;
pub mod organization;
pub mod region;

pub mod catalog_entry;
pub mod entry_file;
pub mod sharing;

pub mod grant;
pub mod share_request;

pub mod permitted_use;
pub mod service_change;
pub mod use_record;

pub mod calendar;
pub mod deadline;
pub mod rule;
pub mod rule_pack;

pub mod policy;
pub mod reason;
pub mod refusal;

pub mod case_file;
pub mod demand;
pub mod dispute;
pub mod document_digest;
pub mod overdue;
pub mod paper_decision;
// What ties entries, systems, sources, functions and errors together.
pub mod acquisition;
pub mod attribute_objection;
pub mod dataset;
pub mod function_transfer;
pub mod quality;

pub mod drill;
