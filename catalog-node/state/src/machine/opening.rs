//! Opening a generation on a restored state: what must be done before anybody may ask it anything?
//!
//! Not a command: no log of the new generation reaches back to here. It begins after this, and whoever
//! joins gets a snapshot. What is done is in the ledger nevertheless, act by act.

use std::sync::Arc;

use catalog_model::{caller::Caller, time::UtcMillis};

use super::{Machine, Session, finish, merge};
use crate::{
    apply::restore::{self, Carried},
    command::{Body, Command},
    keys,
    machine::ApplyError,
    outcome::Outcome,
    rows::ClusterConfig,
    store::Store,
    tx::{Begins, Tx},
    view::View,
};

/// What is known where a generation is opened on a restored state.
pub struct Opening<'a> {
    /// The generation that begins.
    pub generation: u64,
    /// The newest state that is known of the generation before; absent where the restored state is
    /// that one. What was withdrawn, suspended, ended or erased in it is so in the restored state, too.
    pub later: Option<&'a dyn Store>,
    /// Who restores: the node that is begun.
    pub caller: Caller,
    /// Salts the digests of texts in the ledger.
    pub salt: [u8; 16],
}

impl std::fmt::Debug for Opening<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl Machine {
    /// Opens a generation on the state of `session`, at a place in the log that is after every entry
    /// that the generation before may have had, and says what was carried forward into it.
    ///
    /// The clock is the newest that is known: a restore does not give time back.
    pub fn open_generation(
        &mut self,
        session: &mut Session<'_>,
        index: u64,
        opening: &Opening<'_>,
    ) -> Result<Vec<Carried>, ApplyError> {
        let head = session.take_head();
        let Some(cluster) = head.cluster.clone() else {
            return Err(ApplyError::NotBootstrapped { index });
        };
        self.orders.clear();
        let cluster = ClusterConfig { generation: opening.generation, ..(*cluster).clone() };
        let clock = opening.later.map_or(UtcMillis(0), |later| View(later).clock()).max(head.clock);
        let begins = Begins {
            index,
            clock: head.clock,
            cluster: Arc::new(cluster.clone()),
            level: head.level,
            counters: head.counters.clone(),
        };
        let command = Command {
            level: 1,
            stamped_at: clock,
            received_at: None,
            caller: opening.caller.clone(),
            request_id: None,
            call_digest: [0; 32],
            salt: opening.salt,
            body: Body::AdvanceClock { to: clock, development: false, portion: None },
        };
        let view = session.view();
        let mut tx = Tx::new(view, begins, &command);
        tx.put(&keys::meta::cluster(), &cluster);
        // One node stands at one site: sites are set again once others joined it.
        tx.delete(&keys::meta::sites());
        let mut carried = Vec::new();
        if let Some(later) = opening.later {
            let law = self.law(&tx, &head);
            carried = restore::carry(&mut tx, &law, later, clock);
        }
        let (writes, applied) = finish(tx, Outcome::Done(None), clock);
        self.orders_of = merge(session, head, index, writes, applied.clock);
        Ok(carried)
    }
}
