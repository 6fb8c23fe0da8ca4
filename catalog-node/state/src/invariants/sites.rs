//! What must be true of sites, cells and forks.

use catalog_model::site::Mode;

use super::{Inspection, rows_below};
use crate::{
    keys::{self, Key, Table},
    ledger::{Fact, Ledger},
    rows::sites::{CellRow, ForkRow, Switchover},
    view::View,
};

impl Inspection<'_> {
    pub(super) fn sites_keep_their_rules(&mut self) {
        if View(self.store).level() < 4 {
            return;
        }
        self.cells_keep_their_promises();
        self.every_member_is_at_a_site();
        self.forks_lead_to_this_generation();
        self.at_most_one_switchover_is_open();
    }

    /// A lease is a confirmed cell's, in async and of the term in it; a failover leads beyond what
    /// it found, and each node is sealed once.
    fn cells_keep_their_promises(&mut self) {
        const NAME: &str = "cells_keep_their_promises";
        let prefix = Key::table(Table::Witness);
        // A cell's key ends in the two zero bytes of `[domain] 0` and has no others; behind a domain
        // that named acts come numbers.
        let cells: Vec<CellRow> = self
            .store
            .range(prefix.as_slice(), &prefix.end())
            .filter(|(key, _)| key.strip_suffix(&[0, 0]).is_some_and(|rest| !rest.contains(&0)))
            .map(|(_, bytes)| crate::codec::decode(&bytes).expect("rows are ours"))
            .collect();
        for CellRow { cell, .. } in cells {
            let lease = cell.lease.is_none_or(|lease| {
                let generation = cell.confirmation.witness_generation;
                let held = cell.mode == Mode::Async && cell.failover.is_none();
                held && lease.term == cell.term && cell.is_confirmed(generation)
            });
            let failover = cell.failover.as_ref().is_none_or(|failover| {
                let once = failover.seals.windows(2).all(|pair| pair[0].node < pair[1].node);
                once && cell.pair > failover.found.pair && cell.mode == Mode::Async
            });
            let sites = cell.sites.windows(2).all(|pair| pair[0] < pair[1]);
            if !(lease && failover && sites && cell.sites.contains(&cell.active_site)) {
                self.violated(NAME, format!("{cell:?}"));
            }
        }
    }

    /// Where one member has a site all have, the active one among them.
    fn every_member_is_at_a_site(&mut self) {
        const NAME: &str = "every_member_is_at_a_site";
        let view = View(self.store);
        let Some(row) = view.sites() else { return };
        let members = view.members().unwrap_or_default().members;
        let at_active = members.iter().any(|member| member.site.as_ref() == Some(&row.active));
        let everywhere = members.iter().all(|member| member.site.is_some());
        let generation = view.cluster().map(|cluster| cluster.generation);
        if !(at_active && everywhere && generation == Some(row.pair.generation)) {
            self.violated(NAME, format!("{row:?} with {members:?}"));
        }
    }

    /// Forks follow one another up to the generation that writes now, or that a restore opened
    /// after it, and each says what the ledger still says of what both histories share.
    fn forks_lead_to_this_generation(&mut self) {
        const NAME: &str = "forks_lead_to_this_generation";
        let forks: Vec<ForkRow> = rows_below(self.store, &keys::sites::forks());
        let Some(last) = forks.last() else { return };
        let view = View(self.store);
        let here = view.cluster().map(|cluster| cluster.generation);
        let ordered = forks.windows(2).all(|pair| pair[0].pair < pair[1].pair);
        if !ordered || here.is_none_or(|here| here < last.pair.generation) {
            self.violated(NAME, format!("{here:?} after {forks:?}"));
        }
        let ledger = Ledger(self.store);
        for fork in &forks {
            let record = ledger.record(fork.record);
            let told = record.is_some_and(|record| {
                matches!(record.fact, Fact::Forked { .. })
                    && record.generation == fork.pair.generation
                    && record.sequence == fork.tree_size
            });
            if !told || ledger.root(fork.tree_size) != Some(fork.root) {
                self.violated(NAME, format!("{fork:?}"));
            }
        }
    }

    fn at_most_one_switchover_is_open(&mut self) {
        const NAME: &str = "at_most_one_switchover_is_open";
        let all: Vec<Switchover> = rows_below(self.store, &keys::sites::switchovers());
        let open = all.iter().rev().skip(1).find(|row| !row.state().is_over());
        if let Some(open) = open {
            self.violated(NAME, format!("{open:?}"));
        }
    }
}
