//! `luqiao calendar load|close|reopen`.

use catalog_model::time::LocalDate;
use luqiao_proto::rule::v1::{
    Calendar as Loaded, ClosureEffect, DeclareClosureRequest, LoadCalendarRequest,
    WithdrawClosureRequest,
};

use crate::{
    args::law::Calendar, both, exit::Exit, failure::Failure, message::kind, rules::read_text,
};

use super::{Remote, answer, rules::waits};

/// Does it.
pub async fn run(remote: &Remote, command: Calendar) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.rules();
    let text = |days: Vec<LocalDate>| days.iter().map(ToString::to_string).collect();
    match command {
        Calendar::Due { .. } => unreachable!("done without a server"),
        Calendar::Load { file, reason, change } => {
            let request = LoadCalendarRequest {
                parent: session.parent(),
                csv: read_text(&file)?,
                reason,
                request_id: remote.attempt(change.request_id),
            };
            let loaded = answer(client.load_calendar(session.call(request)).await)?;
            remote.show(kind::LOADED_CALENDAR, &loaded)?;
            waits(remote, loaded.proposal.as_ref());
        }
        Calendar::Close { days, document_number, recorded_only, change } => {
            let effect =
                if recorded_only { ClosureEffect::RecordedOnly } else { ClosureEffect::NotCounted };
            let request = DeclareClosureRequest {
                parent: session.parent(),
                document_number,
                days: text(days),
                effect: effect.into(),
                request_id: remote.attempt(change.request_id),
            };
            let calendar = answer(client.declare_closure(session.call(request)).await)?;
            show(remote, calendar)?;
        }
        Calendar::Reopen { days, document_number, change } => {
            let request = WithdrawClosureRequest {
                parent: session.parent(),
                document_number,
                days: text(days),
                request_id: remote.attempt(change.request_id),
            };
            let calendar = answer(client.withdraw_closure(session.call(request)).await)?;
            show(remote, calendar)?;
        }
    }
    Ok(Exit::Ok)
}

/// The days that are declared closed now.
fn show(remote: &Remote, mut calendar: Loaded) -> Result<(), Failure> {
    calendar.days.retain(|day| !day.closed_by.is_empty());
    let (version, closed) = (calendar.version, calendar.days.len());
    remote.show(kind::CALENDAR, &calendar)?;
    remote.output.say(&both!(
        "calendar version {version}, {closed} day(s) declared closed; running clocks are counted again",
        "工作日历第 {version} 版，停工日 {closed} 天；在办期限重新计算"
    ));
    Ok(())
}
