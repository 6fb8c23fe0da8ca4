//! What may be read of rights and what follows from them.

use catalog_model::{
    calendar::WorkingDayCalendar,
    caller::Caller,
    grant::Grant,
    ids::{DomainId, EntryId, ServiceChangeId},
    name::{Resource, ResourceName},
    organization::PlatformRole,
    permitted_use::{self, Use},
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::Resolution,
    service_change::ServiceChange,
    time::LocalDate,
    use_record::UseRecord,
};

use super::{Page, View};
use crate::keys::{self, Key, Table};

impl View<'_> {
    /// A change of a service.
    pub fn service_change(&self, domain: &DomainId, id: ServiceChangeId) -> Option<ServiceChange> {
        self.get(&keys::service_change(domain, id))
    }

    /// Changes of the service of an entry, the oldest first.
    pub fn service_changes(
        &self,
        entry: (&DomainId, EntryId),
        from: Option<&[u8]>,
        limit: usize,
    ) -> Page<ServiceChange> {
        let prefix = Key::table(Table::ServiceChangeByEntry).domain(entry.0).id(entry.1.to_bytes());
        let length = prefix.as_slice().len();
        self.page_of(&prefix, from, limit, usize::MAX, |key, _| {
            let (domain, id) = View::named_by_index(key, length);
            self.service_change(&domain, ServiceChangeId::from_bytes(id))
        })
    }

    /// The use records under a grant that are kept here, the oldest first. Who may inspect them is
    /// asked with [`View::may_inspect_use_records`].
    pub fn use_records(&self, grant: &Grant, from: Option<&[u8]>, limit: usize) -> Page<UseRecord> {
        let prefix = keys::use_records(&grant.domain, grant.id);
        self.page(&prefix, from, limit, usize::MAX, |_| true)
    }

    /// Use records are for the user that keeps them, the provider and the authority to read
    /// (decree 809 art. 29¶2).
    pub fn may_inspect_use_records(&self, caller: &Caller, grant: &Grant) -> Result<(), Refusal> {
        let organization = caller.organization();
        let is = |party: &catalog_model::share_request::Party| {
            caller.domain == party.domain && organization == Some(party.organization)
        };
        let authority = self.get(&keys::platform_role(PlatformRole::Authority));
        let here = self.cluster().is_some_and(|cluster| cluster.domain == caller.domain);
        if is(&grant.consumer) || is(&grant.provider) || here && organization == authority {
            return Ok(());
        }
        Err(Refusal::new(Reason::CallerNotPermitted)
            .fact("caller", caller)
            .fact("needed", "the user, the provider or the authority"))
    }

    /// Whether a call may have these data under this grant. `rules` are those in force on the day
    /// of the call for the pair of the grant; whoever asks often keeps them.
    pub fn may_use(
        &self,
        grant: &ResourceName,
        rules: &Resolution,
        wanted: &Use<'_>,
    ) -> Result<(), Refusal> {
        let Resource::Grant(id) = grant.resource else {
            return Err(Refusal::new(Reason::NameInvalid).fact("name", grant));
        };
        let grant = self
            .grant(&grant.domain, id)
            .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", grant))?;
        // While the entry is off the list for a leak or a secret, rights to it rest (CAT-30).
        let file = match grant.entry.resource {
            Resource::Entry(id) => self.entry_file(&grant.entry.domain, id),
            _ => None,
        };
        match file.and_then(|file| file.suspension).filter(|_| grant.state.is_in_force()) {
            Some(suspension) => {
                let cause = suspension.ground.name();
                Err(Refusal::new(Reason::ServiceStopped).fact("cause", cause))
            }
            None => permitted_use::may_use(&grant, rules, wanted),
        }
    }
}

/// Until when the agreement on the use is owed, where the rules ask for one and none is on record;
/// it is overdue after that day. The day is the house's, the duty the law's (SHR-13).
pub fn agreement_owed(
    grant: &Grant,
    rules: &Resolution,
    calendar: &WorkingDayCalendar,
) -> Option<(LocalDate, RuleRef)> {
    let signed = grant.course.as_ref().is_some_and(|course| course.agreement.is_some());
    if signed || grant.state.has_ended() {
        return None;
    }
    let duty = rules.supervision_agreement()?;
    let (days, _) = rules.agreement_days()?;
    let granted = grant.granted_time.local_date();
    Some((calendar.add_working_days(granted, days).date, duty))
}
