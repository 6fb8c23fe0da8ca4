//! What watchers are told: which row changed, in the order of the log. They read the row itself.

use catalog_model::{ids::DomainId, name::ResourceName};

/// A committed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The published row of an entry appeared, changed or went away.
    EntryListed(ResourceName),
    /// The working row of an entry changed.
    EntryEdited(ResourceName),
    /// A case changed.
    RequestChanged(ResourceName),
    /// A grant changed.
    GrantChanged(ResourceName),
    /// An organization, person or system changed.
    OrganizationChanged(ResourceName),
    /// A feed has a new record.
    FeedGrew,
    /// Something is owed to a domain.
    OutboxGrew(DomainId),
    /// The clock moved past deadlines.
    DeadlinesFired(u32),
    /// The members changed; this is the list's new version.
    MembersChanged(u64),
    /// The cluster uses this level of commands from now on.
    LevelRaised(u32),
    /// A probe value was written.
    ProbeWritten(Vec<u8>),
    /// Anything else with a name changed.
    ResourceChanged(ResourceName),
}
