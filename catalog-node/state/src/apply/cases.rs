//! The life of a case after its receipt: opinion, extension, lateness and its hearing, completion
//! that never came, what is filed at a window, disputes, demands (SHR-18, 22, 28–31).
//!
//! What belongs to a case beside its row is in its file ([`CaseFile`]); every change of the file
//! is a version of the case, so that whoever acts on what he read is told when it changed.

pub(crate) mod asserted;
pub(crate) mod demands;
pub(crate) mod disputes;
pub(crate) mod extension;
pub(crate) mod hop;
pub(crate) mod lapse;
pub(crate) mod opinion;
pub(crate) mod outage_gate;
pub(crate) mod overdue;
pub(crate) mod paper;
pub(crate) mod separation;
pub(crate) mod split;
pub(crate) mod warnings;

use catalog_model::{
    case_file::CaseFile,
    deadline::{DeadlineKind, WorkingDayClock},
    name::ResourceName,
    refusal::Refusal,
    share_request::{ShareRequest, ShareRequestState},
    time::{LocalDate, UtcMillis},
};

use crate::{
    apply::requests, command::case::CaseCommand, keys, machine::Law, outcome::Outcome,
    rows::DeadlineRow, tx::Tx,
};

/// From this level on a cluster knows the whole life of a case.
pub(crate) const LEVEL: u32 = 3;

/// Does `command`, or refuses.
pub(crate) fn dispatch(
    tx: &mut Tx<'_>,
    law: &Law,
    command: &CaseCommand,
) -> Result<Outcome, Refusal> {
    match command {
        CaseCommand::AskOpinion { request, version } => opinion::ask(tx, law, request, *version),
        CaseCommand::ProposeExtension { request, version, working_days, reason } => {
            extension::propose(tx, law, request, *version, *working_days, reason)
        }
        CaseCommand::AnswerExtension { request, version, consents, reason } => {
            extension::answer(tx, law, request, *version, *consents, reason)
        }
        CaseCommand::ClaimReason { request, version, text } => {
            overdue::claim(tx, request, *version, text)
        }
        CaseCommand::RuleOnReason { request, version, debtor, accepted, reason } => {
            overdue::rule(tx, law, request, *version, *debtor, *accepted, reason)
        }
        CaseCommand::SwitchSeparation { on, reason } => separation::switch(tx, law, *on, reason),
        CaseCommand::FileOnBehalf { filing, paper, window } => {
            paper::file(tx, law, filing, paper, window)
        }
        CaseCommand::RaiseDispute { id, request, text } => {
            disputes::raise(tx, law, *id, request, text)
        }
        CaseCommand::StatePosition { dispute, version, text, paper } => {
            disputes::state_position(tx, law, dispute, *version, text, paper.as_ref())
        }
        CaseCommand::EndConsultation { dispute, version, agreed, minutes } => {
            disputes::end_consultation(tx, law, dispute, *version, *agreed, minutes)
        }
        CaseCommand::CoordinateDispute { dispute, version, agreed, minutes, paper } => {
            disputes::coordinate(tx, law, dispute, *version, *agreed, minutes, paper.as_ref())
        }
        CaseCommand::DecideDispute { dispute, version, decision, result } => {
            disputes::decide(tx, law, dispute, *version, decision, result)
        }
        CaseCommand::CreateMixedRequest { parts, head } => {
            requests::create_mixed(tx, law, parts, *head)
        }
        CaseCommand::FileDemand { id, title, text } => demands::file(tx, *id, title, text),
        CaseCommand::PreReviewDemand { demand, version, note } => {
            demands::pre_review(tx, demand, *version, note)
        }
        CaseCommand::RouteDemand { demand, version, provider, note } => {
            demands::route(tx, demand, *version, *provider, note)
        }
        CaseCommand::AnswerDemand { demand, version, confirmed, note } => {
            demands::answer(tx, demand, *version, *confirmed, note)
        }
        CaseCommand::SupplyDemand { demand, version, entry } => {
            demands::supply(tx, demand, *version, entry)
        }
        CaseCommand::CloseDemand { demand, version, reason } => {
            demands::close(tx, demand, *version, reason)
        }
    }
}

/// The file of a case; an empty one where nothing happened yet that belongs there.
pub(crate) fn file_of(tx: &Tx<'_>, name: &ResourceName) -> CaseFile {
    tx.get(&keys::case_file(name)).unwrap_or_default()
}

/// Writes the file of a case.
pub(crate) fn put_file(tx: &mut Tx<'_>, name: &ResourceName, file: &CaseFile) {
    tx.put(&keys::case_file(name), file);
}

/// Writes the file of a case and makes the case's next version.
fn change_file(tx: &mut Tx<'_>, case: &ShareRequest, file: &CaseFile) -> Outcome {
    put_file(tx, &requests::name(case), file);
    requests::change(tx, case, case.clone())
}

/// The instant at which the deadline of a clock in a case's file falls due: that of its row, which
/// follows the calendar, or what was counted at first.
pub(crate) fn due_of(tx: &Tx<'_>, name: &ResourceName, clock: &WorkingDayClock) -> UtcMillis {
    let row: Option<DeadlineRow> = tx.get(&keys::deadline(clock.kind, name));
    row.map_or(clock.due_time, |row| row.due_time)
}

/// The last day before the instant at which something is due.
pub(crate) fn last_day(due: UtcMillis) -> LocalDate {
    UtcMillis(due.0.saturating_sub(1)).local_date()
}

/// The calendar changed and the deadline of `kind` moved: the clock in the case's file moves too.
pub(crate) fn recounted(tx: &mut Tx<'_>, law: &Law, kind: DeadlineKind, name: &ResourceName) {
    let mut file = file_of(tx, name);
    let clock = match kind {
        DeadlineKind::Opinion => file.opinion.as_mut().and_then(|asked| asked.clock.as_mut()),
        DeadlineKind::CompletionLapse => file.lapse.as_mut().map(|lapse| &mut lapse.clock),
        DeadlineKind::ReasonHearing => file.hearing_clock.as_mut(),
        _ => None,
    };
    let now = tx.clock;
    if clock.is_some_and(|clock| clock.recompute(&law.calendar, now).is_some()) {
        put_file(tx, name, &file);
    }
}

/// Ends the clocks beside the answer clock that the state of the case no longer bears. Called
/// wherever a case of this domain is written.
pub(crate) fn end_clocks(tx: &mut Tx<'_>, name: &ResourceName, case: &ShareRequest) {
    if tx.level < LEVEL {
        return;
    }
    if !requests::clock_runs(case) {
        tx.clear_deadline(DeadlineKind::Warning, name);
    }
    if !case.state.is_open() || !case.opinions.is_empty() {
        tx.clear_deadline(DeadlineKind::Opinion, name);
    }
    if case.state != ShareRequestState::CompletionAsked {
        tx.clear_deadline(DeadlineKind::CompletionLapse, name);
    }
}
