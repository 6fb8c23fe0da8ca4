//! Reading the law: what was ruled, which cases it touches, what is still being counted again.

use catalog_model::{
    calendar::{DayLine, WorkingDayCalendar},
    ids::RulingId,
    name::ResourceName,
    rule_pack::RulePack,
    share_request::ShareRequest,
};

use super::{Page, View, decode};
use crate::{
    keys::{self, Key, Table},
    law::{LateLaw, OutageRuling, PendingWork, PlatformOutage, ProposedEdit, RulingRow},
};

impl View<'_> {
    /// The rule pack of a version, read.
    pub fn pack(&self, version: u64) -> Option<RulePack> {
        let row = self.rule_pack(version)?;
        Some(RulePack::parse(&row.text).expect("a pack is checked before it is stored"))
    }

    /// The rule pack in force; absent before bootstrap.
    pub fn pack_in_force(&self) -> Option<RulePack> {
        self.pack(self.rule_pack_version()?)
    }

    /// The calendar in force with its closures; absent before bootstrap.
    pub fn calendar_in_force(&self) -> Option<WorkingDayCalendar> {
        let row = self.calendar(self.calendar_version()?)?;
        let calendar = WorkingDayCalendar::parse(&row.text, row.version);
        Some(calendar.expect("a calendar is checked before it is stored"))
    }

    /// A ruling.
    pub fn ruling(&self, id: RulingId) -> Option<RulingRow> {
        self.get(&keys::ruling(id))
    }

    /// All rulings, those withdrawn too, by id.
    pub fn rulings(&self) -> Vec<RulingRow> {
        self.all(&Key::table(Table::Ruling))
    }

    /// Results of a case under law that was loaded late, the oldest first.
    pub fn late_law(&self, case: &ResourceName) -> Vec<LateLaw> {
        self.all(&keys::late_law_of(case))
    }

    /// What was, or is to be, ruled on a lateness during an outage; absent = nothing.
    pub fn outage_ruling(&self, case: &ResourceName) -> Option<OutageRuling> {
        self.get(&keys::outage_ruling(case))
    }

    /// Cases under law that was loaded late, by name: a page of at most `limit`.
    pub fn late_law_page(&self, from: Option<&[u8]>, limit: usize) -> Page<LateLaw> {
        self.page(&Key::table(Table::LateLaw), from, limit, limit, |_| true)
    }

    /// Cases on whose lateness somebody has to rule, by name: a page of at most `limit`.
    pub fn rulings_wanted(&self, from: Option<&[u8]>, limit: usize) -> Page<OutageRuling> {
        let wanted = |row: &OutageRuling| row.ruled.is_none();
        self.page(&Key::table(Table::OutageRuling), from, limit, 64 * limit, wanted)
    }

    /// Outages of the platform, the oldest first.
    pub fn platform_outages(&self) -> Vec<PlatformOutage> {
        self.all(&Key::table(Table::PlatformOutage))
    }

    /// Work that waits for the next advance of the clock; the shell advances it as long as there is
    /// any.
    pub fn pending_work(&self) -> Vec<PendingWork> {
        self.all(&keys::pending_work_all())
    }

    /// Changes of the law that wait for a second person.
    pub fn proposed_edits(&self) -> Vec<ProposedEdit> {
        self.all(&keys::proposed_edits())
    }

    /// The days of a case's answer clock, each with the reason why it counts or does not.
    pub fn explain_deadline(&self, case: &ShareRequest) -> Vec<DayLine> {
        let clock = case.answer_clock.as_ref();
        let explained = clock.zip(self.calendar_in_force());
        explained.map_or_else(Vec::new, |(clock, calendar)| clock.explain(&calendar))
    }

    fn all<T: for<'b> minicbor::Decode<'b, ()>>(&self, prefix: &Key) -> Vec<T> {
        self.0.range(prefix.as_slice(), &prefix.end()).map(|(_, bytes)| decode(&bytes)).collect()
    }
}
