//! The gateway over real connections, before nodes that do what the test says.

mod node;
mod pki;

mod across;
mod carry;
mod links;
mod members;
mod openings;
mod proofs;
mod streams;
