//! Proofs in the hands of somebody else: a page in a browser, a script in another language.

#![cfg(feature = "offline")]

mod case_bag;
mod fixture;
mod script;
