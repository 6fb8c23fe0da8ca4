//! Reading what is on file about catalog entries.

use std::sync::Arc;

use catalog_model::{
    caller::{Caller, Identity},
    catalog_entry::{EntryState, FieldChange, SecrecyMark, diff},
    entry_file::{ChangeReport, EntryFile, EntryVersion, ReclassificationPass, WorklistItem},
    ids::{DomainId, EntryId},
    name::ResourceName,
    organization::{DataKind, PartyClass},
    policy,
    reason::Reason,
    refusal::Refusal,
    rule_pack::Pair,
};
use minicbor::Decode;

use super::{Page, View};
use crate::{
    apply::catalog::publishable::{self, EntryCheck},
    command::{Body, Command},
    keys::{self, Key, Table},
    machine::{Law, OlderPacks, Resolutions},
    store::{Overlay, Writes},
    tx::{Begins, Tx},
};

/// How an entry stands, of all that its row holds.
#[derive(Decode)]
struct Standing {
    #[n(4)]
    kind: DataKind,
    #[n(5)]
    state: EntryState,
}

impl View<'_> {
    /// How the entry in `row` stands; its content, which takes longer to read, is not.
    pub(crate) fn state_of_entry(row: &[u8]) -> EntryState {
        super::decode::<Standing>(row).state
    }

    /// What kind of data the entry in `row` is of, read as [`View::state_of_entry`] reads.
    pub(crate) fn kind_of_entry(row: &[u8]) -> DataKind {
        super::decode::<Standing>(row).kind
    }

    /// What is on file about an own entry; absent where nothing is, for instance for entries that
    /// nobody touched since the cluster came to command level 3.
    pub fn entry_file(&self, domain: &DomainId, id: EntryId) -> Option<EntryFile> {
        self.get(&keys::entry_file(domain, id))
    }

    /// A published version, from 1.
    pub fn entry_version(
        &self,
        domain: &DomainId,
        id: EntryId,
        number: u64,
    ) -> Option<EntryVersion> {
        self.get(&keys::entry_version(domain, id, number))
    }

    /// A page of an entry's published versions, the oldest first.
    pub fn entry_versions(
        &self,
        domain: &DomainId,
        id: EntryId,
        from: Option<&[u8]>,
        limit: usize,
    ) -> Page<EntryVersion> {
        let prefix = Key::table(Table::EntryVersion).domain(domain).id(id.to_bytes());
        self.page(&prefix, from, limit, limit, |_| true)
    }

    /// What holds up submission and publication of an own entry's working version, all of it; absent
    /// where there is no such entry. Below command level 3 other things hold; there nothing is
    /// said. The law and the day are those of this state.
    pub fn check_entry(&self, domain: &DomainId, id: EntryId) -> Option<EntryCheck> {
        let entry = self.entry(domain, id)?;
        let (cluster, clock) = (self.cluster()?, self.clock());
        let caller = Caller {
            domain: cluster.domain.clone(),
            identity: Identity::Node { id: String::new() },
        };
        // Read by the functions that decide, as a command that nobody sent.
        let command = Command {
            level: 1,
            stamped_at: clock,
            received_at: None,
            caller,
            request_id: None,
            call_digest: [0; 32],
            salt: [0; 16],
            body: Body::AdvanceClock { to: clock, development: false, portion: None },
        };
        let law = Law {
            rule_pack: Arc::new(self.pack_in_force()?),
            rule_pack_version: self.rule_pack_version()?,
            calendar: Arc::new(self.calendar_in_force()?),
            older: OlderPacks::default(),
            resolutions: Resolutions::default(),
            due_from: None,
        };
        let counters = self.counters();
        let begins =
            Begins { index: 0, clock, cluster: Arc::new(cluster), level: self.level(), counters };
        let nothing = Writes::new();
        let tx = Tx::new(Overlay::new(self.0, &nothing), begins, &command);
        Some(publishable::findings(&tx, &law, &entry))
    }

    /// Refuses what is marked as a secret, as the command that carries it would be: for those who
    /// must know before anything of it is written down. Of a unit whose class is not known the
    /// strictest is meant.
    pub fn check_secrecy(
        &self,
        class: Option<PartyClass>,
        kind: DataKind,
        mark: SecrecyMark,
    ) -> Result<(), Refusal> {
        let class = class.unwrap_or(PartyClass::GovernmentDepartment);
        let (Some(cluster), Some(pack)) = (self.cluster(), self.pack_in_force()) else {
            return Err(Refusal::new(Reason::NotBootstrapped));
        };
        let day = self.clock().local_date();
        let resolution = pack
            .resolve(&cluster.composition, Pair::for_catalog(class, kind), day)
            .map_err(|unknown| {
                let key = format!("composition {}", unknown.name);
                Refusal::new(Reason::NoRuleInForce).fact("key", key)
            })?;
        policy::check_secrecy(&resolution, mark)
    }

    /// What a provider changed between two published versions; absent if one is not on file.
    pub fn entry_diff(
        &self,
        domain: &DomainId,
        id: EntryId,
        from: u64,
        to: u64,
    ) -> Option<Vec<FieldChange>> {
        let old = self.entry_version(domain, id, from)?;
        let new = self.entry_version(domain, id, to)?;
        Some(diff(&old.entry.content, &new.entry.content))
    }

    /// The changes for which an entry or an organization still owes an update.
    pub fn change_report(&self, subject: &ResourceName) -> Option<ChangeReport> {
        self.get(&keys::change_report(subject))
    }

    /// Every subject that owes an update, a page of them.
    pub fn change_reports(&self, from: Option<&[u8]>, limit: usize) -> Page<ChangeReport> {
        self.page(&Key::table(Table::ChangeReport), from, limit, limit, |_| true)
    }

    /// The entry's item of the re-classification worklist, open or closed.
    pub fn worklist_item(&self, domain: &DomainId, id: EntryId) -> Option<WorklistItem> {
        self.get(&keys::worklist(domain, id))
    }

    /// A page of the worklist; `open` leaves out what was dealt with.
    pub fn worklist(
        &self,
        domain: &DomainId,
        open: bool,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
    ) -> Page<WorklistItem> {
        let prefix = Key::table(Table::Worklist).domain(domain);
        self.page(&prefix, from, limit, scan, |item: &WorklistItem| !open || item.outcome.is_none())
    }

    /// The last pass over the catalog, or the one that is under way.
    pub fn reclassification_pass(&self) -> Option<ReclassificationPass> {
        self.get(&keys::meta::reclassification())
    }
}
