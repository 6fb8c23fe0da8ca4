//! Keys of what ties entries together. Where a table holds rows and an index of them, a byte after
//! the table tells them apart.

use catalog_model::{
    ids::{
        ContractId, DatasetId, DomainId, EmergencyId, EntryId, ObjectionId, OrganizationId,
        PersonalObjectionId, ProjectId, PurchaseId, ReportId, SystemId, TransferId,
    },
    time::LocalDate,
};

use super::{Key, Table};

/// The rows of a table that holds an index too.
const ROWS: u8 = 0;
/// Its index by entry.
const BY_ENTRY: u8 = 1;

/// The prefix of the rows of a table that holds an index too.
pub fn rows(table: Table) -> Key {
    Key::table(table).byte(ROWS)
}

/// `[domain][id]`
pub fn dataset(domain: &DomainId, id: DatasetId) -> Key {
    Key::table(Table::Dataset).domain(domain).id(id.to_bytes())
}

/// `0 [domain][entry]`: prefix of the datasets that an entry describes or described.
pub fn datasets_of_entry(domain: &DomainId, entry: EntryId) -> Key {
    Key::table(Table::DatasetIndex).byte(0).domain(domain).id(entry.to_bytes())
}

/// `1 [domain][system]`: prefix of the datasets that lie or lay in a system.
pub fn datasets_of_system(domain: &DomainId, system: SystemId) -> Key {
    Key::table(Table::DatasetIndex).byte(1).domain(domain).id(system.to_bytes())
}

/// `[element] 0`: prefix of the sources of a datum, whose name is in its form for comparison.
pub fn sources_of(element_key: &str) -> Key {
    Key::table(Table::ElementSource).text(element_key).byte(0)
}

/// `[element] 0 [first day]`
pub fn element_source(element_key: &str, from: LocalDate) -> Key {
    // Days before 1970 are negative; an offset keeps their order.
    let day = (i64::from(from.days()) + (1 << 32)) as u64;
    sources_of(element_key).number(day)
}

/// `[domain][organization]`
pub fn duties(domain: &DomainId, organization: OrganizationId) -> Key {
    Key::table(Table::Duty).domain(domain).id(organization.to_bytes())
}

/// `0 [domain][id]`
pub fn objection(domain: &DomainId, id: ObjectionId) -> Key {
    rows(Table::Objection).domain(domain).id(id.to_bytes())
}

/// `1 [domain][entry]`: the open objection to the entry's attribute.
pub fn open_objection(domain: &DomainId, entry: EntryId) -> Key {
    Key::table(Table::Objection).byte(BY_ENTRY).domain(domain).id(entry.to_bytes())
}

/// `0 [domain][id]`
pub fn transfer(domain: &DomainId, id: TransferId) -> Key {
    rows(Table::FunctionTransfer).domain(domain).id(id.to_bytes())
}

/// `1 [domain]`: prefix of the open transfers, by entry.
pub fn open_transfers(domain: &DomainId) -> Key {
    Key::table(Table::FunctionTransfer).byte(BY_ENTRY).domain(domain)
}

/// `1 [domain][entry]`: the open transfer in which the entry is.
pub fn transfer_of_entry(domain: &DomainId, entry: EntryId) -> Key {
    open_transfers(domain).id(entry.to_bytes())
}

/// `2 [domain][entry]`: a mark of every entry that ever went to another department, so that others
/// need not be read for it.
pub fn moved_entry(domain: &DomainId, entry: EntryId) -> Key {
    Key::table(Table::FunctionTransfer).byte(2).domain(domain).id(entry.to_bytes())
}

/// `0 [domain][id]`
pub fn emergency(domain: &DomainId, id: EmergencyId) -> Key {
    rows(Table::Emergency).domain(domain).id(id.to_bytes())
}

/// `1 [domain][entry]`: the emergency for which the entry's data were taken.
pub fn emergency_of_entry(domain: &DomainId, entry: EntryId) -> Key {
    Key::table(Table::Emergency).byte(BY_ENTRY).domain(domain).id(entry.to_bytes())
}

fn acquisitions(kind: u8, domain: &DomainId) -> Key {
    Key::table(Table::Acquisition).byte(kind).domain(domain)
}

/// `0 [domain]`: prefix of the purchases.
pub fn purchases(domain: &DomainId) -> Key {
    acquisitions(0, domain)
}

/// `0 [domain][id]`
pub fn purchase(domain: &DomainId, id: PurchaseId) -> Key {
    purchases(domain).id(id.to_bytes())
}

/// `1 [domain]`: prefix of the contracts.
pub fn contracts(domain: &DomainId) -> Key {
    acquisitions(1, domain)
}

/// `1 [domain][id]`
pub fn contract(domain: &DomainId, id: ContractId) -> Key {
    contracts(domain).id(id.to_bytes())
}

/// `2 [domain]`: prefix of the projects.
pub fn projects(domain: &DomainId) -> Key {
    acquisitions(2, domain)
}

/// `2 [domain][id]`
pub fn project(domain: &DomainId, id: ProjectId) -> Key {
    projects(domain).id(id.to_bytes())
}

/// `3 [domain][entry]`
pub fn acquisition(domain: &DomainId, entry: EntryId) -> Key {
    acquisitions(3, domain).id(entry.to_bytes())
}

/// `4 [domain][entry]`
pub fn collection_check(domain: &DomainId, entry: EntryId) -> Key {
    acquisitions(4, domain).id(entry.to_bytes())
}

/// `5 [domain]`: prefix of the platforms.
pub fn platforms(domain: &DomainId) -> Key {
    acquisitions(5, domain)
}

/// `5 [domain][organization][name]`
pub fn platform(domain: &DomainId, organization: OrganizationId, title: &str) -> Key {
    platforms(domain).id(organization.to_bytes()).text(title)
}

/// `0 [domain][id]`
pub fn error_report(domain: &DomainId, id: ReportId) -> Key {
    rows(Table::ErrorReport).domain(domain).id(id.to_bytes())
}

/// `1 [domain][entry]`: prefix of the reports about an entry.
pub fn reports_of_entry(domain: &DomainId, entry: EntryId) -> Key {
    Key::table(Table::ErrorReport).byte(BY_ENTRY).domain(domain).id(entry.to_bytes())
}

/// `[domain][id]`
pub fn personal_objection(domain: &DomainId, id: PersonalObjectionId) -> Key {
    Key::table(Table::PersonalObjection).domain(domain).id(id.to_bytes())
}

/// `[domain][entry]`: prefix of the batches of an entry.
pub fn batches_of(domain: &DomainId, entry: EntryId) -> Key {
    Key::table(Table::QualityBatch).domain(domain).id(entry.to_bytes())
}

/// `[domain][entry][batch]`
pub fn batch(domain: &DomainId, entry: EntryId, batch: &str) -> Key {
    batches_of(domain, entry).text(batch)
}

/// `[item] 0`: prefix of the published entries that share an item of this name.
pub fn sharers_of(element_key: &str) -> Key {
    Key::table(Table::ItemIndex).text(element_key).byte(0)
}
