//! Drills: may this be rehearsed now, by whom, and in which order?
//!
//! One drill at a time, opened and carried out by an organization of the platform, let happen by as
//! many other persons as its plan asks. What the prober writes stays in tables of drills: nothing of
//! it is owed, listed, fed or counted anywhere. Due instants of probes fire with the committed clock
//! after the deadlines of law, so that a drill never holds one of those up.

use catalog_model::{
    caller::Identity,
    drill::{
        DRILL_APPROVALS_MAX, DRILL_NAME_MAX, DRILL_NOTE_MAX, DRILL_STEPS_MAX, Drill, DrillApproval,
        DrillEnd, DrillPhase, DrillResult, DrillStep, PROBE_DUE_MAX_MS, PROBE_SEQUENCE_END,
        PROBES_PER_WRITE, ProbeWrite, Rpo,
    },
    ids::DrillId,
    name::{Resource, ResourceName},
    organization::Organization,
    reason::Reason,
    refusal::Refusal,
};
use catalog_mutation::{Mutation, active};

use super::text;
use crate::{
    apply::organizations::same_version,
    command::drill::{DrillCommand, StepTold},
    event::Event,
    keys::{Key, Table, drills as key},
    ledger::{self, Fact},
    machine::not_permitted,
    outcome::Outcome,
    tx::Tx,
};

/// The level from which on there are drills.
pub(crate) const DRILL_LEVEL: u32 = 4;
/// Bound on the due instants of probes that fire in one command.
pub const PROBES_FIRED_PER_COMMAND: usize = 512;
/// Bound on the probes that go in one command.
pub const SWEPT_PER_COMMAND: usize = 1024;

pub(crate) fn apply(tx: &mut Tx<'_>, command: &DrillCommand) -> Result<Outcome, Refusal> {
    let operator = operator(tx)?;
    match command {
        DrillCommand::Open { .. } => open(tx, &operator, command),
        DrillCommand::Approve { drill } => approve(tx, &operator, *drill),
        DrillCommand::Step { drill, version, step: told } => step(tx, *drill, *version, told),
        DrillCommand::Close { drill, version, result } => close(tx, *drill, *version, result),
        DrillCommand::Abandon { drill, version, reason } => abandon(tx, *drill, *version, reason),
        DrillCommand::Probe { drill, sequences, due_after_ms } => {
            probe(tx, *drill, sequences, *due_after_ms)
        }
        DrillCommand::Sweep { drill } => sweep(tx, *drill),
    }
}

/// The organization of the platform that calls: nobody else rehearses.
fn operator(tx: &Tx<'_>) -> Result<Organization, Refusal> {
    tx.caller_organization()
        .filter(|organization| organization.platform_role.is_some())
        .ok_or_else(|| not_permitted(tx, "an organization of the platform"))
}

fn name_of(tx: &Tx<'_>, id: DrillId) -> ResourceName {
    ResourceName::new(tx.domain().clone(), Resource::Drill(id))
}

fn found(tx: &Tx<'_>, id: DrillId) -> Result<Drill, Refusal> {
    tx.get(&key::drill(id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name_of(tx, id)))
}

/// The drill, if it goes on.
fn running(tx: &Tx<'_>, id: DrillId) -> Result<Drill, Refusal> {
    let drill = found(tx, id)?;
    if drill.is_open() {
        return Ok(drill);
    }
    Err(Refusal::new(Reason::DrillClosed).fact("drill", name_of(tx, id)))
}

/// Stores a changed drill, and tells those who watch.
fn keep(tx: &mut Tx<'_>, mut drill: Drill) -> Outcome {
    drill.version += 1;
    let name = name_of(tx, drill.id);
    tx.put(&key::drill(drill.id), &drill);
    tx.emit(Event::ResourceChanged(name.clone()));
    Outcome::Done(Some(name))
}

/// A name that stands in the ledger in the clear: letters, digits and `-`, so that it can hold no
/// person and no sentence.
fn check_word(field: &str, word: &str) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if word.is_empty() || word.chars().count() > DRILL_NAME_MAX || !word.chars().all(legal) {
        return Err(Refusal::new(Reason::FieldInvalid).field(
            field,
            "takes 1 to 64 of a-z, 0-9 and -",
            "须为 1 至 64 个 a-z、0-9 或 -",
        ));
    }
    Ok(())
}

fn open(
    tx: &mut Tx<'_>,
    operator: &Organization,
    command: &DrillCommand,
) -> Result<Outcome, Refusal> {
    let DrillCommand::Open { id, plan, plan_digest, why, approvals_needed, takes_site, confirmed } =
        command
    else {
        unreachable!("dispatched by its kind")
    };
    check_word("plan", plan)?;
    text::check_reason("why", why)?;
    if *approvals_needed > DRILL_APPROVALS_MAX {
        let (en, zh) = ("takes 0 to 5", "须为 0 至 5");
        return Err(Refusal::new(Reason::FieldInvalid).field("approvals_needed", en, zh));
    }
    if *takes_site && confirmed.as_str() != tx.domain().as_str() {
        return Err(Refusal::new(Reason::DrillNameNotConfirmed)
            .fact("plan", plan)
            .fact("confirmed", confirmed));
    }
    if let Some(other) = tx.get::<DrillId>(&key::open()) {
        let drill = found(tx, other)?;
        return Err(Refusal::new(Reason::DrillOpen)
            .fact("drill", name_of(tx, other))
            .fact("plan", drill.plan)
            .fact("since", drill.opened_time));
    }
    let name = name_of(tx, *id);
    if tx.has(&key::drill(*id)) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    let drill = Drill {
        id: *id,
        domain: tx.domain().clone(),
        plan: plan.clone(),
        plan_digest: *plan_digest,
        why: why.clone(),
        organization: operator.id,
        person: tx.acting_person(),
        takes_site: *takes_site,
        approvals_needed: *approvals_needed,
        approvals: Vec::new(),
        steps: Vec::new(),
        end: None,
        version: 0,
        opened_time: tx.clock,
        closed_time: None,
    };
    tx.put(&key::open(), id);
    let fact = Fact::DrillOpened {
        plan: plan.clone(),
        plan_digest: *plan_digest,
        approvals_needed: *approvals_needed,
        takes_site: *takes_site,
    };
    ledger::append(tx, &name, fact, None, &[("why", why)]);
    Ok(keep(tx, drill))
}

/// The same person approves once; that it is said again is no error.
fn approve(tx: &mut Tx<'_>, operator: &Organization, id: DrillId) -> Result<Outcome, Refusal> {
    let mut drill = running(tx, id)?;
    let Some(person) = tx.acting_person().filter(|person| drill.person != Some(*person)) else {
        return Err(Refusal::new(Reason::DrillSelfApproval));
    };
    if drill.approvals.iter().any(|approval| approval.person == person) {
        return Ok(Outcome::Done(Some(name_of(tx, id))));
    }
    let asserted = matches!(tx.caller.identity, Identity::System { .. });
    let time = tx.clock;
    drill.approvals.push(DrillApproval { organization: operator.id, person, asserted, time });
    let name = name_of(tx, id);
    let count = drill.approvals.len() as u32;
    // Who it was is beside the record, as of every act.
    ledger::append(tx, &name, Fact::DrillApproved { asserted, count }, None, &[]);
    Ok(keep(tx, drill))
}

fn step(tx: &mut Tx<'_>, id: DrillId, version: u64, told: &StepTold) -> Result<Outcome, Refusal> {
    let mut drill = running(tx, id)?;
    same_version(drill.version, version)?;
    check_word("step.name", &told.name)?;
    text::check("step.note", &told.note)?;
    if told.note.chars().count() > DRILL_NOTE_MAX {
        return Err(Refusal::new(Reason::TextTooLong)
            .fact("field", "step.note")
            .fact("length", told.note.chars().count())
            .fact("limit", DRILL_NOTE_MAX));
    }
    if told.ended < told.began {
        let (en, zh) = ("ends before it began", "结束早于开始");
        return Err(Refusal::new(Reason::FieldInvalid).field("step.ended", en, zh));
    }
    if drill.steps.len() >= DRILL_STEPS_MAX {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "steps")
            .fact("length", drill.steps.len() + 1)
            .fact("limit", DRILL_STEPS_MAX));
    }
    if !drill.may_step(told.phase) {
        let last = drill.steps.last().map_or("", |last| last.phase.word());
        return Err(Refusal::new(Reason::DrillStepOutOfOrder)
            .fact("phase", told.phase.word())
            .fact("last", last));
    }
    if told.phase >= DrillPhase::Act && drill.approvals_missing() > 0 {
        return Err(Refusal::new(Reason::DrillApprovalsMissing)
            .fact("found", drill.approvals.len())
            .fact("needed", drill.approvals_needed));
    }
    let StepTold { phase, name, began, ended, ok, note } = told.clone();
    let fact = Fact::DrillStepped { phase, step: name.clone(), began, ended, ok };
    let of = name_of(tx, id);
    ledger::append(tx, &of, fact, None, &[("note", &note)]);
    drill.steps.push(DrillStep { phase, name, began, ended, ok, note, recorded: tx.clock });
    Ok(keep(tx, drill))
}

fn close(
    tx: &mut Tx<'_>,
    id: DrillId,
    version: u64,
    result: &DrillResult,
) -> Result<Outcome, Refusal> {
    let mut drill = running(tx, id)?;
    same_version(drill.version, version)?;
    let wrong = |field: &str, en: &str, zh: &str| {
        Err(Refusal::new(Reason::FieldInvalid).field(field, en, zh))
    };
    if !drill.has_acted() {
        let last = drill.steps.last().map_or("open", |last| last.phase.word());
        return Err(Refusal::new(Reason::DrillStepOutOfOrder)
            .fact("phase", "close")
            .fact("last", last));
    }
    if result.report.is_missing() {
        return wrong("result.report", "missing", "缺少");
    }
    if result.lost > result.acknowledged {
        return wrong("result.lost", "is more than was acknowledged", "多于已确认的写入");
    }
    if result.rpo == Rpo::ProvenZero && result.lost > 0 {
        return wrong("result.rpo", "something is lost", "存在丢失，不能认定为零");
    }
    let DrillResult { ok, rpo, acknowledged, lost, duplicated, timers_wrong, .. } = *result;
    if ok && (rpo == Rpo::Unknown || duplicated > 0 || timers_wrong > 0) {
        return wrong(
            "result.ok",
            "what is unknown, done twice or fired wrong is not as any plan wants it",
            "存在未知、重复或误触发，不能认定为通过",
        );
    }
    let fact = Fact::DrillClosed {
        plan: drill.plan.clone(),
        ok,
        rpo,
        acknowledged,
        lost,
        duplicated,
        timers_wrong,
        pause_ms: result.pause_ms,
        rto_ms: result.rto_ms,
        report: result.report,
    };
    let name = name_of(tx, id);
    ledger::append(tx, &name, fact, None, &[]);
    drill.end = Some(DrillEnd::Finished(result.clone()));
    Ok(ended(tx, drill))
}

fn abandon(tx: &mut Tx<'_>, id: DrillId, version: u64, reason: &str) -> Result<Outcome, Refusal> {
    let mut drill = running(tx, id)?;
    same_version(drill.version, version)?;
    text::check_reason("reason", reason)?;
    let fact = Fact::DrillAbandoned { plan: drill.plan.clone(), acted: drill.has_acted() };
    let name = name_of(tx, id);
    ledger::append(tx, &name, fact, None, &[("reason", reason)]);
    drill.end = Some(DrillEnd::Abandoned { reason: reason.to_owned() });
    Ok(ended(tx, drill))
}

fn ended(tx: &mut Tx<'_>, mut drill: Drill) -> Outcome {
    tx.delete(&key::open());
    drill.closed_time = Some(tx.clock);
    keep(tx, drill)
}

/// A number that is there already is counted, not refused: that it came twice is what the drill is
/// to find out. A retry with the same key never gets here.
fn probe(
    tx: &mut Tx<'_>,
    id: DrillId,
    sequences: &[u64],
    due_after_ms: Option<u64>,
) -> Result<Outcome, Refusal> {
    running(tx, id)?;
    let rising = sequences.windows(2).all(|pair| pair[0] < pair[1]);
    let within = sequences.last().is_some_and(|last| *last < PROBE_SEQUENCE_END);
    if !rising || !within || sequences.len() > PROBES_PER_WRITE {
        return Err(Refusal::new(Reason::FieldInvalid).field(
            "sequences",
            format!("takes 1 to {PROBES_PER_WRITE} rising numbers below {PROBE_SEQUENCE_END}"),
            format!("须为 1 至 {PROBES_PER_WRITE} 个递增且小于 {PROBE_SEQUENCE_END} 的数"),
        ));
    }
    if due_after_ms.is_some_and(|after| after == 0 || after > PROBE_DUE_MAX_MS) {
        return Err(Refusal::new(Reason::FieldInvalid).field(
            "due_after_ms",
            "takes 1 ms to an hour",
            "须为 1 毫秒至 1 小时",
        ));
    }
    let due = due_after_ms.map(|after| tx.clock.plus(after));
    for sequence in sequences {
        let row_key = key::probe(id, *sequence);
        if let Some(mut row) = tx.get::<ProbeWrite>(&row_key) {
            row.times = row.times.saturating_add(1);
            tx.put(&row_key, &row);
            continue;
        }
        let (index, time) = (tx.index, tx.clock);
        let row = ProbeWrite { index, time, times: 1, due, fired: 0, fired_time: None };
        tx.put(&row_key, &row);
        if let Some(due) = due {
            tx.put_bytes(&key::due(due, id, *sequence), Vec::new());
        }
    }
    Ok(Outcome::Done(Some(name_of(tx, id))))
}

/// What is left of a closed drill's probes goes; its record and the ledger stay.
fn sweep(tx: &mut Tx<'_>, id: DrillId) -> Result<Outcome, Refusal> {
    let drill = found(tx, id)?;
    if drill.is_open() {
        return Err(Refusal::new(Reason::DrillOpen)
            .fact("drill", name_of(tx, id))
            .fact("plan", drill.plan)
            .fact("since", drill.opened_time));
    }
    for (row_key, bytes) in tx.rows(&key::probes(id), SWEPT_PER_COMMAND) {
        let row: ProbeWrite = crate::codec::decode(&bytes).expect("rows are ours");
        if let Some(due) = row.due {
            tx.delete(&key::due(due, id, key::sequence(&row_key)));
        }
        tx.delete(&Key::from_stored(row_key));
    }
    Ok(Outcome::Done(Some(name_of(tx, id))))
}

/// Fires the due instants of probes that the committed clock has passed; whether more are due.
pub(crate) fn fire(tx: &mut Tx<'_>) -> bool {
    if tx.level < DRILL_LEVEL {
        return false;
    }
    let from = Key::table(Table::DrillDue);
    let early = if active(Mutation::DeadlineFiresEarly) { 24 * 3_600_000 } else { 0 };
    let to = from.clone().number(tx.clock.plus(early).0.saturating_add(1));
    let due = tx.rows_between(from.as_slice(), to.as_slice(), PROBES_FIRED_PER_COMMAND + 1);
    let more = due.len() > PROBES_FIRED_PER_COMMAND;
    for (due_key, _) in due.into_iter().take(PROBES_FIRED_PER_COMMAND) {
        let (id, sequence) = key::of_due(&due_key);
        if !active(Mutation::DeadlineFiresTwice) {
            tx.delete(&Key::from_stored(due_key));
        }
        let row_key = key::probe(id, sequence);
        let Some(mut row) = tx.get::<ProbeWrite>(&row_key) else { continue };
        row.fired = row.fired.saturating_add(1);
        row.fired_time = row.fired_time.or(Some(tx.clock));
        tx.put(&row_key, &row);
    }
    more
}
