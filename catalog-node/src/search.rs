//! Search: which listed entries speak of this?
//!
//! A full-text index beside the state, derived from its published rows, own and followed. It is
//! written in the same batch as the rows that it is made from and carries the same index, so an
//! answer can say to which moment it is complete; where the two differ at a start, it is made
//! again. It is no part of snapshot or state hash: each node has its own.
//!
//! Chinese is cut into pairs of characters, so that 维修 finds 维修信息, and 维修信息 only what has
//! all of 维修, 修信 and 信息. What is between spaces in other scripts is a word, and the words of a
//! query also stand for what begins with them.

mod index;
mod query;
mod tokenize;

pub(crate) use self::{
    index::{KnownCounts, follow, open},
    query::{Cursor, Question, search},
    tokenize::words,
};
