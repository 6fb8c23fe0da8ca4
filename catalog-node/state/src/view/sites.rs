//! Reading what there is about sites.

use catalog_model::{
    ids::DomainId, name::ResourceName, site::Mode, time::UtcMillis, witness::ActAtRisk,
};

use super::View;
use crate::{
    codec, keys,
    rows::sites::{CellRow, DrPolicy, ForkRow, SitesRow, Switchover},
};

impl View<'_> {
    /// How our sites stand; absent in clusters of one site.
    pub fn sites(&self) -> Option<SitesRow> {
        self.get(&keys::meta::sites())
    }

    /// The disaster recovery policy.
    pub fn dr_policy(&self) -> Option<DrPolicy> {
        self.get(&keys::sites::policy())
    }

    /// The cell that is kept here for a watched domain.
    pub fn cell(&self, domain: &DomainId) -> Option<CellRow> {
        self.get(&keys::sites::cell(domain))
    }

    /// What our own witness said last.
    pub fn own_cell(&self) -> Option<CellRow> {
        self.get(&keys::sites::own_cell())
    }

    /// The fork with which a generation began.
    pub fn fork(&self, generation: u64) -> Option<ForkRow> {
        self.get(&keys::sites::fork(generation))
    }

    /// Every fork of this history, oldest first.
    pub fn forks(&self) -> Vec<ForkRow> {
        let prefix = keys::sites::forks();
        let rows = self.0.range(prefix.as_slice(), &prefix.end());
        rows.map(|(_, bytes)| codec::decode(&bytes).expect("rows are ours")).collect()
    }

    /// Whether what was committed at `index` is held by one site alone, as far as the log tells:
    /// it came after the mode became async and no return was committed since. The leader may know
    /// better of single entries.
    pub fn one_site(&self, index: u64) -> bool {
        self.sites().is_some_and(|row| row.mode == Mode::Async && index >= row.since_index)
    }

    /// The same, of what has this committed time.
    pub fn one_site_since(&self, time: UtcMillis) -> bool {
        self.sites().is_some_and(|row| row.mode == Mode::Async && time >= row.since_time)
    }

    /// The newest switchover.
    pub fn switchover(&self) -> Option<Switchover> {
        self.newest(&keys::sites::switchovers())
    }

    /// The newest fork.
    pub fn newest_fork(&self) -> Option<ForkRow> {
        self.newest(&keys::sites::forks())
    }

    fn newest<T: for<'b> minicbor::Decode<'b, ()>>(&self, prefix: &keys::Key) -> Option<T> {
        let (_, bytes) = self.0.range_reversed(prefix.as_slice(), &prefix.end()).next()?;
        Some(codec::decode(&bytes).expect("rows are ours"))
    }

    /// Acts at risk that a watched domain has named here, in the order of its log, after `after`.
    pub fn acts_at_risk(&self, domain: &DomainId, after: u64, limit: usize) -> Vec<ActAtRisk> {
        let Some(row) = self.cell(domain) else { return Vec::new() };
        let failover = row.cell.failover.as_ref();
        let generation = failover.map_or(row.cell.pair, |failover| failover.found.pair).generation;
        let prefix = keys::sites::acts_at_risk(domain).number(generation);
        let from = prefix.clone().number(after.saturating_add(1));
        self.0
            .range(from.as_slice(), &prefix.end())
            .flat_map(|(key, bytes)| {
                let at = key.len() - 8;
                let index = u64::from_be_bytes(key[at..].try_into().expect("ends in its index"));
                let names: Vec<ResourceName> = codec::decode(&bytes).expect("rows are ours");
                names.into_iter().map(move |name| ActAtRisk { index, name })
            })
            .take(limit)
            .collect()
    }
}
