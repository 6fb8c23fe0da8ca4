//! The tests of whole processes, of foreign clients and of the repository itself; one binary, so
//! that what they share is linked once.

mod bad_input;
mod drill;
mod faults;
mod federation;
mod import;
mod kill;
mod law;
mod python_client;
mod stories;
mod tidy;
mod upgrade;
mod walk;
