//! Statistics: how did an organization answer in a period, and can anybody count it again?
//!
//! A case tells of itself what is counted ([`Told`]), once read of the rows and once of the ledger
//! alone; both go through the same [`figures`]. Whoever doubts a figure counts it again from
//! records whose inclusion is proved, and comes to the same one: a test does so for every story.
//!
//! What is counted is the answers that somebody gave: what a standing answer grants at once and what
//! the rules refuse at receipt is nobody's merit and nobody's delay. Working days are those of the
//! calendar in force. No floats: a median that lies between two days is told in half days.

use std::collections::BTreeMap;

use catalog_model::{
    calendar::WorkingDayCalendar,
    deadline::DeadlineKind,
    ids::OrganizationId,
    name::{Resource, ResourceName},
    share_request::{Answer, Party, ShareRequest},
    time::{LocalDate, UtcMillis},
};

use crate::{
    keys::{self, Key, Table},
    ledger::{AnswerKind, Fact, Ledger, LedgerRecord, Payload},
    view::View,
};

/// What a case tells of how it was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// When it was received; absent until then.
    pub received: Option<UtcMillis>,
    /// The answer that somebody gave.
    pub answered: Option<Answered>,
    /// The last day and who was ordered to correct, of an answer that did not come by then.
    pub overdue: Option<(LocalDate, Vec<ResourceName>)>,
}

/// An answer that somebody gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Which organization.
    pub by: ResourceName,
    /// When.
    pub time: UtcMillis,
    /// What.
    pub kind: AnswerKind,
    /// Whether it came after the due instant.
    pub late: bool,
    /// The ground of a refusal; empty if none was claimed, absent once the text was erased.
    pub ground: Option<String>,
}

/// A period, both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: LocalDate,
    /// Last day.
    pub to: LocalDate,
}

impl Period {
    fn holds(self, day: LocalDate) -> bool {
        self.from <= day && day <= self.to
    }
}

/// How an organization answered in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Answers given in the period, by the day on which each was given.
    pub answered: u64,
    /// Of these, in time.
    pub on_time: u64,
    /// Of these, agreed in full.
    pub agreed: u64,
    /// Of these, agreed in part.
    pub agreed_in_part: u64,
    /// Refusals by ground; an empty ground is one that was not claimed.
    pub refused: BTreeMap<String, u64>,
    /// Refusals whose ground was erased.
    pub refused_erased: u64,
    /// Median of the working days from receipt to answer, in half days; absent without answers.
    pub median_half_days: Option<u32>,
    /// Orders to correct because an answer that was due in the period had not come.
    pub overdue: u64,
}

/// What a row tells.
pub fn told_by_row(case: &ShareRequest) -> Told {
    let own = case.rules.is_some();
    let answered = case.answer.as_ref().filter(|answer| own && !answer.standing);
    Told {
        received: case.received_time.filter(|_| own),
        answered: answered.map(|given| Answered {
            by: organization_of(&given.by),
            time: given.given_time,
            kind: match given.answer {
                Answer::Agreed => AnswerKind::Agreed,
                Answer::AgreedInPart { .. } => AnswerKind::AgreedInPart,
                Answer::Refused { .. } => AnswerKind::Refused,
            },
            late: given.late,
            ground: Some(match &given.answer {
                Answer::Refused { ground, .. } => ground.clone(),
                Answer::Agreed | Answer::AgreedInPart { .. } => String::new(),
            }),
        }),
        overdue: case.overdue.as_ref().zip(case.answer_clock.as_ref()).map(|(mark, clock)| {
            (clock.due_date, mark.ordered.iter().map(organization_of).collect())
        }),
    }
}

fn organization_of(party: &Party) -> ResourceName {
    ResourceName::new(party.domain.clone(), Resource::Organization(party.organization))
}

/// What the records tell, of every case that this domain received, the ledger alone being read.
pub fn told_by_ledger(ledger: Ledger<'_>) -> BTreeMap<ResourceName, Told> {
    let mut cases: BTreeMap<ResourceName, Told> = BTreeMap::new();
    for record in (0..ledger.size()).filter_map(|sequence| ledger.record(sequence)) {
        if !matches!(record.subject.resource, Resource::Request(_)) {
            continue;
        }
        if let Fact::RequestReceived { received, .. } = &record.fact {
            let told = Told { received: Some(*received), ..Told::default() };
            cases.insert(record.subject.clone(), told);
        }
        if let Some(told) = cases.get_mut(&record.subject) {
            tell(ledger, told, &record);
        }
    }
    cases
}

fn tell(ledger: Ledger<'_>, told: &mut Told, record: &LedgerRecord) {
    match &record.fact {
        Fact::RequestAnswered { kind, late, standing: false, .. } => {
            told.answered = actor(&record.actor).map(|by| Answered {
                by,
                time: record.time,
                kind: *kind,
                late: *late,
                ground: match kind {
                    AnswerKind::Refused => text(ledger, record, "ground"),
                    AnswerKind::Agreed | AnswerKind::AgreedInPart => Some(String::new()),
                },
            });
        }
        // What came on paper was given on its day, by the organization that it is entered for.
        Fact::FiledOnBehalf { what, organization, date, .. } if what == "answer" => {
            if let Some(answered) = &mut told.answered {
                answered.by = organization.clone();
                if *date < record.time.local_date() {
                    answered.time = UtcMillis(date.end().0 - 1);
                }
            }
        }
        Fact::RequestOverdue { due_date, ordered, .. } => {
            told.overdue = Some((*due_date, ordered.clone()));
        }
        Fact::DeadlineRecomputed { kind: DeadlineKind::Answer, lifted: true, .. }
        | Fact::LawLoadedLate { lifted: true, .. } => told.overdue = None,
        _ => {}
    }
}

/// The organization in the actor of a record.
fn actor(actor: &str) -> Option<ResourceName> {
    let mut parts = actor.split('/');
    let name = format!("domains/{}/{}/{}", parts.next()?, parts.next()?, parts.next()?);
    let name: ResourceName = name.parse().ok()?;
    matches!(name.resource, Resource::Organization(_)).then_some(name)
}

/// A text beside a record: empty if the record has none, absent if it was erased.
fn text(ledger: Ledger<'_>, record: &LedgerRecord, label: &str) -> Option<String> {
    if !record.digests.iter().any(|digest| digest.label == label) {
        return Some(String::new());
    }
    let payload: Option<Payload> = View(ledger.0).get(&keys::ledger_payload(record.sequence));
    let texts = payload?.texts;
    texts.into_iter().find(|(known, _)| known == label).map(|(_, text)| text)
}

/// The figures of every organization that answered or was to answer in the period.
pub fn figures<'a>(
    cases: impl IntoIterator<Item = &'a Told>,
    period: Period,
    calendar: &WorkingDayCalendar,
) -> BTreeMap<ResourceName, Figures> {
    let mut all: BTreeMap<ResourceName, (Figures, Vec<u32>)> = BTreeMap::new();
    for told in cases {
        if let Some((due, ordered)) = &told.overdue
            && period.holds(*due)
        {
            for organization in ordered {
                all.entry(organization.clone()).or_default().0.overdue += 1;
            }
        }
        let (Some(received), Some(answered)) = (told.received, &told.answered) else { continue };
        let day = answered.time.local_date();
        if !period.holds(day) {
            continue;
        }
        let (figures, days) = all.entry(answered.by.clone()).or_default();
        figures.answered += 1;
        figures.on_time += u64::from(!answered.late);
        match (answered.kind, &answered.ground) {
            (AnswerKind::Agreed, _) => figures.agreed += 1,
            (AnswerKind::AgreedInPart, _) => figures.agreed_in_part += 1,
            (AnswerKind::Refused, None) => figures.refused_erased += 1,
            (AnswerKind::Refused, Some(ground)) => {
                *figures.refused.entry(ground.trim().to_owned()).or_default() += 1;
            }
        }
        days.push(working_days(calendar, received.local_date(), day));
    }
    all.into_iter()
        .map(|(organization, (figures, days))| {
            (organization, Figures { median_half_days: median_half(days), ..figures })
        })
        .collect()
}

/// Working days after `from` up to and with `to`: the day of the event is not counted.
pub fn working_days(calendar: &WorkingDayCalendar, from: LocalDate, to: LocalDate) -> u32 {
    let mut day = from;
    let mut count = 0;
    while day < to {
        day = day.next();
        count += u32::from(calendar.counts(day));
    }
    count
}

/// Twice the median.
fn median_half(mut days: Vec<u32>) -> Option<u32> {
    days.sort_unstable();
    let middle = days.len() / 2;
    let upper = *days.get(middle)?;
    let lower = if days.len().is_multiple_of(2) { days[middle - 1] } else { upper };
    Some(lower + upper)
}

impl View<'_> {
    /// What the cases of `organization` tell, or those of everybody.
    pub fn told(&self, organization: Option<OrganizationId>) -> BTreeMap<ResourceName, Told> {
        let Some(cluster) = self.cluster() else { return BTreeMap::new() };
        let prefix = match organization {
            Some(party) => Key::table(Table::RequestByParty).id(party.to_bytes()),
            None => Key::table(Table::Request),
        };
        let named = prefix.as_slice().len();
        self.0
            .range(prefix.as_slice(), &prefix.end())
            .filter_map(|(key, _)| {
                let (domain, id) = View::named_by_index(&key, named);
                let id = catalog_model::ids::RequestId::from_bytes(id);
                let case = self.request(&domain, id)?;
                let told = told_by_row(&case);
                let ours = case.owner_domain == cluster.domain && told.received.is_some();
                ours.then(|| (ResourceName::new(domain, Resource::Request(id)), told))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies between two days is told in half days.
    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        let check = |days: &[u32], half: Option<u32>| assert_eq!(median_half(days.to_vec()), half);
        check(&[], None);
        check(&[7], Some(14));
        check(&[9, 3], Some(12));
        check(&[4, 1, 9, 5], Some(9));
        check(&[1, 1, 30], Some(2));
    }

    /// Only working days count, and the day of the event does not.
    #[test]
    fn days_of_an_answer_are_working_days() {
        let calendar = WorkingDayCalendar::embedded();
        let day = |text: &str| text.parse::<LocalDate>().unwrap();
        let check = |from, to, days| assert_eq!(working_days(calendar, day(from), day(to)), days);
        check("2026-09-21", "2026-09-21", 0);
        check("2026-09-18", "2026-09-21", 2);
        // As the deadline of ten working days over the National Day holiday is counted.
        check("2026-09-21", "2026-10-12", 10);
    }
}
