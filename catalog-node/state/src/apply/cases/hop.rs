//! The hop of a domain that only passes a case on: a clock of the house, for its own statistics;
//! it never lengthens or replaces the one statutory clock (FED-14, CAL-22).

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock},
    share_request::ShareRequest,
};

use crate::{
    apply::requests,
    ledger::{self, Fact},
    machine::Law,
    rows::DeadlineRow,
    tx::Tx,
};

/// The case is on its way to its owner.
pub(crate) fn begin(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest) {
    if tx.level < super::LEVEL {
        return;
    }
    if let Some((days, rule)) = law.rule_pack.hop_clock(tx.today()) {
        let kind = DeadlineKind::Hop;
        let clock = WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar);
        tx.set_deadline(&requests::name(case), &clock);
    }
}

/// It is still on its way.
pub(crate) fn fired(tx: &mut Tx<'_>, law: &Law, row: &DeadlineRow) {
    let rule = law.rule_pack.hop_clock(tx.today()).map(|(_, rule)| rule);
    ledger::append(tx, &row.subject, Fact::HopLate { due: row.due_time }, rule, &[]);
}
