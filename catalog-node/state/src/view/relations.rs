//! Reading what ties entries together: orphans, sources, gaps of duties, traces of problem data.

use std::collections::BTreeSet;

use catalog_model::{
    acquisition::{
        Acquisition, CollectionCheck, CollectionContract, Emergency, PlatformNode, Project,
        Purchase,
    },
    attribute_objection::AttributeObjection,
    catalog_entry::{CatalogEntry, EntryState},
    dataset::{Dataset, DutyList, ElementSource, element_key},
    function_transfer::{FunctionTransfer, TransferState},
    ids::{
        ContractId, DatasetId, DomainId, EmergencyId, EntryId, ObjectionId, OrganizationId,
        PersonId, PersonalObjectionId, ProjectId, PurchaseId, ReportId, SystemId, TransferId,
    },
    organization::System,
    quality::{ErrorReport, PersonalObjection, QualityBatch},
    time::LocalDate,
};

use super::{Page, View, decode};
use crate::{
    apply::relations::collection::shared_items,
    keys::{self, Key, Table, relations as key},
};

/// What an organization has not yet put into its catalog (CAT-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyGaps {
    /// Duties that no entry names as its basis.
    pub duties: Vec<String>,
    /// Systems to which no entry and no dataset is bound.
    pub systems: Vec<SystemId>,
}

/// From reported data back to who answers for them (QLT-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The report.
    pub report: ErrorReport,
    /// The batch that corrected the data, or without one the last of the entry.
    pub batch: Option<QualityBatch>,
    /// The system from which it came.
    pub system: Option<SystemId>,
    /// Who answers for it.
    pub person: Option<PersonId>,
}

/// What a look through the listings of before level 3 found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unindexed {
    /// The listing after this one, or the first, is not in the index of items.
    After(Option<EntryId>),
    /// Everything until this one is in; there are more.
    NotUntil(EntryId),
    /// Everything is in.
    None,
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident($id:ty) -> $row:ty;)*) => {
        $($(#[$doc])* pub fn $name(&self, domain: &DomainId, id: $id) -> Option<$row> {
            self.get(&key::$name(domain, id))
        })*
    };
}

impl View<'_> {
    rows! {
        /// A dataset.
        dataset(DatasetId) -> Dataset;
        /// The duties of an organization.
        duties(OrganizationId) -> DutyList;
        /// The authority's objection to an attribute.
        objection(ObjectionId) -> AttributeObjection;
        /// The transfer of a function.
        transfer(TransferId) -> FunctionTransfer;
        /// Data taken in an emergency.
        emergency(EmergencyId) -> Emergency;
        /// A purchase.
        purchase(PurchaseId) -> Purchase;
        /// A contract on collection.
        contract(ContractId) -> CollectionContract;
        /// A project.
        project(ProjectId) -> Project;
        /// How the data of an entry were acquired.
        acquisition(EntryId) -> Acquisition;
        /// The check for duplicate collection of an entry.
        collection_check(EntryId) -> CollectionCheck;
        /// An error report.
        error_report(ReportId) -> ErrorReport;
        /// The objection of a person concerned.
        personal_objection(PersonalObjectionId) -> PersonalObjection;
        /// The open objection to the attribute of an entry.
        open_objection(EntryId) -> ObjectionId;
        /// The open transfer in which an entry is.
        transfer_of_entry(EntryId) -> TransferId;
        /// The emergency for which the data of an entry were taken.
        emergency_of_entry(EntryId) -> EmergencyId;
    }

    /// An approved transfer that has entries left.
    pub fn transfer_under_way(&self, domain: &DomainId) -> Option<FunctionTransfer> {
        let prefix = key::open_transfers(domain);
        let rows = self.0.range(prefix.as_slice(), &prefix.end());
        let open: BTreeSet<TransferId> = rows.map(|(_, bytes)| decode(&bytes)).collect();
        let mut rows = open.into_iter().filter_map(|id| self.transfer(domain, id));
        rows.find(|transfer| transfer.state == TransferState::Approved)
    }

    /// The first domain after `after` of which there are listings here.
    pub fn listed_domain(&self, after: Option<&DomainId>) -> Option<DomainId> {
        let table = Key::table(Table::PublishedEntry);
        let from = after.map_or_else(
            || table.as_slice().to_vec(),
            |after| Key::table(Table::PublishedEntry).domain(after).end(),
        );
        let (key, _) = self.0.range(&from, &table.end()).next()?;
        Some(View::named_by_index(&key, table.as_slice().len()).0)
    }

    /// The first listing of a domain after `after` whose shared items are not all in the index, among
    /// at most `scan`.
    pub fn unindexed(&self, domain: &DomainId, after: Option<EntryId>, scan: usize) -> Unindexed {
        let table = Key::table(Table::PublishedEntry).domain(domain);
        let from = match after {
            None => table.as_slice().to_vec(),
            Some(id) => keys::published_entry(domain, id).byte(0).into_vec(),
        };
        let mut last = after;
        for (place, (_, bytes)) in self.0.range(&from, &table.end()).enumerate() {
            if let Some(last) = last.filter(|_| place == scan) {
                return Unindexed::NotUntil(last);
            }
            let entry: CatalogEntry = decode(&bytes);
            let at = |item: &str| key::sharers_of(item).domain(domain).id(entry.id.to_bytes());
            let missing = |item: &String| self.0.get(at(item).as_slice()).is_none();
            if shared_items(&entry).iter().any(missing) {
                return Unindexed::After(last);
            }
            last = Some(entry.id);
        }
        Unindexed::None
    }

    /// A batch of an entry.
    pub fn batch(&self, domain: &DomainId, entry: EntryId, batch: &str) -> Option<QualityBatch> {
        self.get(&key::batch(domain, entry, batch))
    }

    /// Whether an entry is bound to a system or a dataset on `day`.
    fn is_bound(&self, domain: &DomainId, entry: &CatalogEntry, day: LocalDate) -> bool {
        let prefix = key::datasets_of_entry(domain, entry.id);
        let described = || {
            self.0.range(prefix.as_slice(), &prefix.end()).any(|(index, _)| {
                let id = DatasetId::from_bytes(last_id(&index));
                self.dataset(domain, id)
                    .is_some_and(|dataset| dataset.entries_on(day).any(|id| id == entry.id))
            })
        };
        !entry.content.links.is_empty() || described()
    }

    /// Entries of this domain in the catalog that no system and no dataset is bound to, a page at a
    /// time as [`View::page`] (CAT-05).
    pub fn entries_without_data(
        &self,
        domain: &DomainId,
        day: LocalDate,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
    ) -> Page<CatalogEntry> {
        let prefix = Key::table(Table::PublishedEntry).domain(domain);
        self.page(&prefix, from, limit, scan, |entry| !self.is_bound(domain, entry, day))
    }

    /// Datasets that no entry describes on `day`.
    pub fn datasets_without_entry(
        &self,
        domain: &DomainId,
        day: LocalDate,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
    ) -> Page<Dataset> {
        let prefix = Key::table(Table::Dataset).domain(domain);
        self.page(&prefix, from, limit, scan, |dataset: &Dataset| {
            dataset.entries_on(day).next().is_none()
        })
    }

    /// Systems in which no dataset lies on `day`.
    pub fn systems_without_dataset(
        &self,
        domain: &DomainId,
        day: LocalDate,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
    ) -> Page<System> {
        let prefix = Key::table(Table::System).domain(domain);
        self.page(&prefix, from, limit, scan, |system: &System| {
            !self.has_dataset(domain, system.id, day)
        })
    }

    fn has_dataset(&self, domain: &DomainId, system: SystemId, day: LocalDate) -> bool {
        let prefix = key::datasets_of_system(domain, system);
        self.0.range(prefix.as_slice(), &prefix.end()).any(|(index, _)| {
            let dataset = self.dataset(domain, DatasetId::from_bytes(last_id(&index)));
            dataset.is_some_and(|dataset| dataset.systems_on(day).any(|id| id == system))
        })
    }

    /// The department that is the source of a datum on a day (CAT-12).
    pub fn source_of(&self, element: &str, day: LocalDate) -> Option<ElementSource> {
        let all = self.sources(element);
        let holding: Vec<_> = all.into_iter().filter(|row| row.period.holds(day)).collect();
        let ruled = holding.iter().find(|row| row.rule.is_some());
        ruled.or(holding.last()).cloned()
    }

    /// Every assignment of a datum, in the order of first days.
    pub fn sources(&self, element: &str) -> Vec<ElementSource> {
        let prefix = key::sources_of(&element_key(element));
        let rows = self.0.range(prefix.as_slice(), &prefix.end());
        rows.map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// What an organization's catalog lacks beside its duties and systems (CAT-04).
    pub fn duty_gaps(
        &self,
        domain: &DomainId,
        organization: OrganizationId,
        day: LocalDate,
    ) -> DutyGaps {
        let mut named = BTreeSet::new();
        let mut linked = BTreeSet::new();
        let prefix = Key::table(Table::EntryByProvider).domain(domain).id(organization.to_bytes());
        for (index, _) in self.0.range(prefix.as_slice(), &prefix.end()) {
            let id = EntryId::from_bytes(last_id(&index));
            let Some(entry) = self.entry(domain, id) else { continue };
            if entry.state == EntryState::Withdrawn {
                continue;
            }
            named.insert(element_key(&entry.content.duty_basis));
            linked.extend(entry.content.links.iter().map(|link| link.system));
        }
        let duties = self.duties(domain, organization).map_or_else(Vec::new, |list| list.duties);
        let prefix = Key::table(Table::System).domain(domain).id(organization.to_bytes());
        let systems = self.0.range(prefix.as_slice(), &prefix.end());
        DutyGaps {
            duties: duties.into_iter().filter(|duty| !named.contains(&element_key(duty))).collect(),
            systems: systems
                .map(|(_, bytes)| decode::<System>(&bytes).id)
                .filter(|id| !linked.contains(id) && !self.has_dataset(domain, *id, day))
                .collect(),
        }
    }

    /// The reports about an entry, by id.
    pub fn reports_of(&self, domain: &DomainId, entry: EntryId) -> Vec<ErrorReport> {
        let prefix = key::reports_of_entry(domain, entry);
        let rows = self.0.range(prefix.as_slice(), &prefix.end());
        rows.filter_map(|(index, _)| {
            self.error_report(domain, ReportId::from_bytes(last_id(&index)))
        })
        .collect()
    }

    /// The batches of an entry, by number.
    pub fn batches_of(&self, domain: &DomainId, entry: EntryId) -> Vec<QualityBatch> {
        let prefix = key::batches_of(domain, entry);
        self.0.range(prefix.as_slice(), &prefix.end()).map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// Issue → entry → batch → system → person (QLT-01). The batch is the one that corrected the
    /// data; before a correction the last that was recorded up to the report.
    pub fn trace(&self, domain: &DomainId, report: ReportId) -> Option<Trace> {
        let report = self.error_report(domain, report)?;
        let corrected = report
            .correction
            .as_ref()
            .and_then(|correction| self.batch(domain, report.entry, &correction.batch));
        let batch = corrected.or_else(|| {
            self.batches_of(domain, report.entry)
                .into_iter()
                .filter(|batch| batch.recorded_time <= report.created_time)
                .max_by_key(|batch| batch.recorded_time)
        });
        let system = batch.as_ref().map(|batch| batch.system);
        let person = batch.as_ref().map(|batch| batch.person);
        Some(Trace { report, batch, system, person })
    }

    /// The platforms that stand beside the city's.
    pub fn platforms(&self, domain: &DomainId) -> Vec<PlatformNode> {
        let prefix = key::platforms(domain);
        self.0.range(prefix.as_slice(), &prefix.end()).map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// Published entries, own and followed, that share an item of this name.
    pub fn sharers_of(&self, item: &str, limit: usize) -> Vec<(DomainId, EntryId)> {
        let prefix = key::sharers_of(&element_key(item));
        let rows = self.0.range(prefix.as_slice(), &prefix.end()).take(limit);
        rows.map(|(index, _)| {
            let (domain, id) = View::named_by_index(&index, prefix.as_slice().len());
            (domain, EntryId::from_bytes(id))
        })
        .collect()
    }
}

/// The id at the end of an index's key.
fn last_id(key: &[u8]) -> [u8; 16] {
    key[key.len() - 16..].try_into().expect("the key ends in an id")
}
