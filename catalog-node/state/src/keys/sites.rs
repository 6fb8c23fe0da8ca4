//! Keys about sites.

use catalog_model::{ids::DomainId, name::ResourceName};

use super::{Key, Table};

/// `[domain] 0`: the cell of a watched domain.
pub fn cell(domain: &DomainId) -> Key {
    Key::table(Table::Witness).domain(domain).byte(0)
}

/// `[domain] 1`: prefix of the acts at risk that a watched domain named.
pub fn acts_at_risk(domain: &DomainId) -> Key {
    Key::table(Table::Witness).domain(domain).byte(1)
}

/// `[domain] 1 [generation][index]`
pub fn act_at_risk(domain: &DomainId, generation: u64, index: u64) -> Key {
    acts_at_risk(domain).number(generation).number(index)
}

/// `0`: the disaster recovery policy.
pub fn policy() -> Key {
    Key::table(Table::Sites).byte(0)
}

/// `1`: what our own witness said last.
pub fn own_cell() -> Key {
    Key::table(Table::Sites).byte(1)
}

/// `2`: prefix of the switchovers.
pub fn switchovers() -> Key {
    Key::table(Table::Sites).byte(2)
}

/// `2 [number]`
pub fn switchover(number: u64) -> Key {
    switchovers().number(number)
}

/// `3`: prefix of the forks.
pub fn forks() -> Key {
    Key::table(Table::Sites).byte(3)
}

/// `3 [generation]`
pub fn fork(generation: u64) -> Key {
    forks().number(generation)
}

/// `4 [case]`: an act on it was refused because one site alone worked.
pub fn standby_refused(case: &ResourceName) -> Key {
    Key::table(Table::Sites).byte(4).text(&case.to_string())
}
