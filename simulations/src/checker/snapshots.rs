//! Snapshots: is a state that was installed, or found at a start, what the cluster had at that entry, row
//! by row?

use crate::checker::{
    agreement::Agreement,
    reference::{Reference, RowSum},
};

/// Node `node` has a state with this hash and this sum over its rows as the state after entry `index`.
pub fn check(
    node: u64,
    index: u64,
    state_hash: [u8; 32],
    sum: RowSum,
    agreed: &Agreement,
    reference: &Reference,
) -> Result<(), String> {
    if agreed.at(index).map(|entry| entry.state_hash) != Some(state_hash) {
        return Err(format!("node {node} has another state hash than that of entry {index}"));
    }
    if reference.sum_at(index) != Some(sum) {
        return Err(format!("node {node} has other rows than those after entry {index}"));
    }
    Ok(())
}
