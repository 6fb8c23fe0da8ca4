//! One command's changes under construction: reads see its own writes, nothing else does.

use std::sync::Arc;

use catalog_model::{
    caller::Caller,
    deadline::{DeadlineKind, WorkingDayClock},
    ids::{DomainId, OrganizationId, PersonId},
    name::{Resource, ResourceName},
    organization::{Organization, PlatformRole},
    share_request::Party,
    time::{LocalDate, UtcMillis},
};
use minicbor::{Decode, Encode};

use crate::{
    codec,
    event::Event,
    keys::{self, Key},
    rows::{ClusterConfig, Counters, DeadlineRow},
    store::{Overlay, Row, Store, Writes},
};

/// What holds where a command begins.
#[derive(Debug)]
pub(crate) struct Begins {
    pub(crate) index: u64,
    pub(crate) clock: UtcMillis,
    pub(crate) cluster: Arc<ClusterConfig>,
    pub(crate) level: u32,
    pub(crate) counters: Counters,
}

/// The changes of one command.
#[derive(Debug)]
pub struct Tx<'a> {
    base: Overlay<'a>,
    writes: Writes,
    events: Vec<Event>,
    /// Log position of the command.
    pub index: u64,
    /// The committed clock after the command's stamp.
    pub clock: UtcMillis,
    /// The cluster's configuration.
    pub cluster: Arc<ClusterConfig>,
    /// The level of commands that the cluster uses.
    pub level: u32,
    /// Who caused the command.
    pub caller: Caller,
    /// When the gateway received the call.
    pub received_at: Option<UtcMillis>,
    /// Salt for digests in the ledger.
    pub salt: [u8; 16],
    /// For whom the platform enters what came by a window; absent where the caller acts itself.
    pub on_behalf: Option<OnBehalf>,
    counters: Counters,
    counters_changed: bool,
    /// The key up to which every deadline that was due has been taken.
    pub(crate) due_passed: Option<Vec<u8>>,
}

/// For whom and with which paper something is entered (SHR-29).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnBehalf {
    /// The organization that acts.
    pub organization: OrganizationId,
    /// The date stamped on the paper.
    pub date: LocalDate,
    /// Its number.
    pub number: String,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(
        base: Overlay<'a>,
        begins: Begins,
        command: &crate::command::Command,
    ) -> Self {
        let Begins { index, clock, cluster, level, counters } = begins;
        Self {
            base,
            writes: Writes::new(),
            events: Vec::new(),
            index,
            clock,
            cluster,
            level,
            caller: command.caller.clone(),
            received_at: command.received_at,
            salt: command.salt,
            on_behalf: None,
            counters,
            counters_changed: false,
            due_passed: None,
        }
    }

    /// Drops every change and event so far: what a refused command leaves.
    pub(crate) fn roll_back(&mut self) {
        self.writes.clear();
        self.events.clear();
        self.counters_changed = false;
        self.due_passed = None;
        self.on_behalf = None;
        self.counters = self
            .base
            .get(keys::meta::counters().as_slice())
            .map_or_else(Counters::default, |bytes| {
                codec::decode(&bytes).expect("the counters row is ours")
            });
    }

    pub(crate) fn finish(mut self) -> (Writes, Vec<Event>) {
        if self.counters_changed {
            let counters = std::mem::take(&mut self.counters);
            self.put(&keys::meta::counters(), &counters);
        }
        (self.writes, self.events)
    }

    /// The store with the changes so far laid over it.
    pub(crate) fn overlay(&self) -> Overlay<'_> {
        Overlay::new(&self.base, &self.writes)
    }

    /// What the store will be, to read: for the few questions that take more than a row.
    pub(crate) fn reading<T>(&self, ask: impl FnOnce(&dyn Store) -> T) -> T {
        ask(&Overlay::new(&self.base, &self.writes))
    }

    /// The stored bytes of `key`.
    pub fn get_bytes(&self, key: &Key) -> Option<Vec<u8>> {
        Overlay::new(&self.base, &self.writes).get(key.as_slice())
    }

    /// The value of `key`. Rows are written by this code alone: one that does not decode is a
    /// broken invariant.
    pub fn get<T: for<'b> Decode<'b, ()>>(&self, key: &Key) -> Option<T> {
        self.get_bytes(key).map(|bytes| {
            codec::decode(&bytes)
                .unwrap_or_else(|error| panic!("row {key:?} does not decode: {error}"))
        })
    }

    /// Whether `key` has a row.
    pub fn has(&self, key: &Key) -> bool {
        self.get_bytes(key).is_some()
    }

    /// Writes `value`.
    pub fn put<T: Encode<()>>(&mut self, key: &Key, value: &T) {
        self.put_bytes(key, codec::encode(value));
    }

    /// Writes `value` and returns its stored bytes.
    pub fn put_returning<T: Encode<()>>(&mut self, key: &Key, value: &T) -> Vec<u8> {
        let bytes = codec::encode(value);
        self.put_bytes(key, bytes.clone());
        bytes
    }

    /// These rows are about to be read: see [`Store::foresee`].
    pub(crate) fn foresee(&self, keys: &[&[u8]]) {
        Overlay::new(&self.base, &self.writes).foresee(keys);
    }

    /// Writes stored bytes.
    pub fn put_bytes(&mut self, key: &Key, bytes: Vec<u8>) {
        self.writes.insert(key.as_slice().to_vec(), Some(bytes));
    }

    /// Removes a row.
    pub fn delete(&mut self, key: &Key) {
        self.writes.insert(key.as_slice().to_vec(), None);
    }

    /// At most `limit` rows whose keys begin with `prefix`, in key order.
    pub fn rows(&self, prefix: &Key, limit: usize) -> Vec<Row> {
        Overlay::new(&self.base, &self.writes)
            .range(prefix.as_slice(), &prefix.end())
            .take(limit)
            .collect()
    }

    /// At most `limit` rows with `from ≤ key < to`, in key order.
    pub fn rows_between(&self, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
        Overlay::new(&self.base, &self.writes).range(from, to).take(limit).collect()
    }

    /// The last row whose key begins with `prefix`.
    pub fn last_row(&self, prefix: &Key) -> Option<Row> {
        Overlay::new(&self.base, &self.writes)
            .range_reversed(prefix.as_slice(), &prefix.end())
            .next()
    }

    /// Tells watchers.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The counters, to read.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The counters, to change.
    pub fn counters_mut(&mut self) -> &mut Counters {
        self.counters_changed = true;
        &mut self.counters
    }

    /// The domain that this cluster serves.
    pub fn domain(&self) -> &DomainId {
        &self.cluster.domain
    }

    /// The name of the domain itself, under which the cluster's own history is kept.
    pub fn domain_name(&self) -> ResourceName {
        ResourceName::new(self.cluster.domain.clone(), Resource::Domain)
    }

    /// Today in Asia/Shanghai, by the committed clock.
    pub fn today(&self) -> LocalDate {
        self.clock.local_date()
    }

    /// The moment that counts as receipt: the committed clock, or the gateway's stamp where it
    /// lies within five minutes before it.
    ///
    /// What came by a window was received on the date stamped there.
    pub fn receipt_time(&self) -> UtcMillis {
        if let Some(paper) = &self.on_behalf
            && paper.date < self.today()
        {
            return paper.date.start();
        }
        match self.received_at {
            Some(at) if at <= self.clock && self.clock.0 - at.0 <= 5 * 60_000 => at,
            _ => self.clock,
        }
    }

    /// The moment at which what is entered now was given: the committed clock, or the end of the day
    /// stamped on the paper that it came on.
    pub fn given_time(&self) -> UtcMillis {
        match &self.on_behalf {
            Some(paper) if paper.date < self.today() => UtcMillis(paper.date.end().0 - 1),
            _ => self.clock,
        }
    }

    /// The organization that acts: the caller's, or the one for which the platform enters a paper.
    pub fn acting_organization(&self) -> Option<OrganizationId> {
        match &self.on_behalf {
            Some(paper) => Some(paper.organization),
            None => self.caller.organization(),
        }
    }

    /// The person who acts, if one is known; never the clerk who enters a paper for somebody else.
    pub fn acting_person(&self) -> Option<PersonId> {
        if self.on_behalf.is_some() { None } else { self.caller.person() }
    }

    /// Which organization on file here plays `role` for the platform.
    pub fn platform_organization_id(&self, role: PlatformRole) -> Option<OrganizationId> {
        let id = self.get(&keys::platform_role(role))?;
        self.has(&keys::organization(self.domain(), id)).then_some(id)
    }

    /// The organization on file here that plays `role` for the platform.
    pub fn platform_organization(&self, role: PlatformRole) -> Option<Organization> {
        let id = self.get(&keys::platform_role(role))?;
        self.get(&keys::organization(self.domain(), id))
    }

    /// The organization that acts, if it is one of this domain's.
    pub fn caller_organization(&self) -> Option<Organization> {
        if self.caller.domain != self.cluster.domain {
            return None;
        }
        self.get(&keys::organization(self.domain(), self.acting_organization()?))
    }

    /// `organization` as a case names it.
    pub fn party(&self, organization: &Organization) -> Party {
        Party {
            domain: organization.domain.clone(),
            organization: organization.id,
            name: organization.name.clone(),
            class: organization.class,
        }
    }

    /// Starts or moves the deadline of `kind` for `subject`: at most one of a kind at a time.
    pub fn set_deadline(&mut self, subject: &ResourceName, clock: &WorkingDayClock) {
        let key = keys::deadline(clock.kind, subject);
        if let Some(old) = self.get::<DeadlineRow>(&key) {
            self.delete(&keys::due(old.due_time, &key));
        }
        let row = DeadlineRow {
            subject: subject.clone(),
            kind: clock.kind,
            due_time: clock.due_time,
            revision: clock.revision,
            fired_revision: None,
            count: (self.level >= 3).then(|| crate::apply::law::count_of(clock)),
        };
        self.put(&key, &row);
        self.put_bytes(&keys::due(clock.due_time, &key), Vec::new());
    }

    /// Ends the deadline of `kind` for `subject`: what was owed was done, or is owed no more.
    pub fn clear_deadline(&mut self, kind: DeadlineKind, subject: &ResourceName) {
        let key = keys::deadline(kind, subject);
        if let Some(row) = self.get::<DeadlineRow>(&key) {
            self.delete(&keys::due(row.due_time, &key));
            self.delete(&key);
        }
    }

    /// Starts or moves the deadline of `kind` for `subject` at an instant within its clock: a
    /// warning.
    pub fn set_deadline_at(
        &mut self,
        subject: &ResourceName,
        kind: DeadlineKind,
        due_time: UtcMillis,
        revision: u32,
    ) {
        self.clear_deadline(kind, subject);
        let subject = subject.clone();
        let row =
            DeadlineRow { subject, kind, due_time, revision, fired_revision: None, count: None };
        let key = keys::deadline(kind, &row.subject);
        self.put(&key, &row);
        self.put_bytes(&keys::due(due_time, &key), Vec::new());
    }
}
