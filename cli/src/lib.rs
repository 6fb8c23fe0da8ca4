//! The command for people: luqiao dev, catalog, request, grant, receipt, audit, case, today, status,
//! calendar.
//!
//! Three kinds of commands: those that need nothing (`calendar due`, `catalog import --dry-run`,
//! `receipt verify`, `audit check`, `case check`), those that speak to a gateway (`remote`), and `dev`. Data go to stdout, talk
//! to stderr, and the exit code says how it ended.
//!
//! Reading order: what can be typed and what then happens; how it is told; what needs no server;
//! at whose gateway we speak and what we say there; certificates, the development environment, and
//! drills.

pub mod args;
pub mod run;

pub mod exit;
pub mod failure;
pub mod language;
pub mod message;
pub mod output;

pub mod archive;
pub mod backup;
pub mod bag;
pub mod calendar;
pub mod import;
pub mod receipt;
pub mod rules;

pub mod calls;
pub mod context;
pub mod remote;

pub mod pki;

pub mod dev;

pub mod dr;
pub mod drill;
