//! Bag: everything about a case in one page, for one of those whom it concerns.
//!
//! The node fills it, because only here it is known who may see which text. The page is made of
//! records and their proofs; what it says in words comes from the same sentences as an audit.

use std::fmt::Write as _;

use catalog_model::{
    calendar::{DayLine, WorkingDayCalendar},
    deadline::WorkingDayClock,
    name::{Resource, ResourceName},
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
    share_request::{Party, ShareRequest},
};
use catalog_proofs::{
    case_bag::{BagProof, Both, CaseBag, CountedDay, Minute, case_bag},
    head::SignedHead,
};
use catalog_state::ledger::{Ledger, LedgerRecord};
use luqiao_proto::{
    convert::name::request_name,
    ledger::v1::{CaseBag as Message, GetCaseBagRequest},
};

use super::{
    record_json,
    seen::{Beside, Seeing, is_person},
    sentence::label,
};
use crate::services::{Call, Look, Reply, not_found};

/// Most records of a page: a case that has more is read with an audit.
const RECORDS_MAX: usize = 500;

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetCaseBagRequest = call.decode()?;
    let (domain, id) = request_name(&request.name, "name")?;
    let services = call.services.clone();
    call.read(move |look| {
        let name = ResourceName::new(domain.clone(), Resource::Request(id));
        let case = look
            .view()
            .request(&domain, id)
            .filter(|case| look.sees_request(case))
            .ok_or_else(|| not_found(&name))?;
        let ledger = Ledger(look.state);
        let size = ledger.size();
        let head = services.head_key.head(look, size)?;
        let bag =
            Filling { look, seeing: Seeing::new(look), ledger, size, head }.fill(&name, &case)?;
        Ok(Message {
            name: name.to_string(),
            page: case_bag(&bag).into_bytes().into(),
            proofs: u32::try_from(bag.proofs.len()).unwrap_or(u32::MAX),
        })
    })
    .await
}

struct Filling<'a> {
    look: &'a Look<'a>,
    seeing: Seeing<'a>,
    ledger: Ledger<'a>,
    size: u64,
    head: SignedHead,
}

impl Filling<'_> {
    fn fill(&self, name: &ResourceName, case: &ShareRequest) -> Result<CaseBag, Refusal> {
        let mut bag = CaseBag {
            title: Both::new(
                format!("案卷：{}", case.entry_title),
                format!("Case file: {}", case.entry_title),
            ),
            name: name.to_string(),
            facts: facts(case),
            minutes: Vec::new(),
            law: Vec::new(),
            days: self.days(case.answer_clock.as_ref()),
            proofs: Vec::new(),
        };
        for place in self.places(name, case) {
            let internal = || Refusal::new(Reason::Internal);
            let record = self.ledger.record(place).ok_or_else(internal)?;
            if !self.seeing.sees(&record) {
                continue;
            }
            let minute = self.minute(&record, &mut bag.law);
            bag.minutes.push(minute);
            bag.proofs.push(self.proof(&record).ok_or_else(internal)?);
        }
        // The rule of the running clock is quoted even where no record rests on it alone.
        if let Some(clock) = &case.answer_clock {
            cited(&mut bag.law, &clock.rule);
        }
        Ok(bag)
    }

    /// Records about the case, then those about the right that it led to, in the ledger's order.
    fn places(&self, name: &ResourceName, case: &ShareRequest) -> Vec<u64> {
        let mut places = self.ledger.of_subject(name);
        if let Some(grant) = &case.grant {
            places.extend(self.ledger.of_subject(grant));
        }
        places.sort_unstable();
        places.truncate(RECORDS_MAX);
        places
    }

    fn minute(&self, record: &LedgerRecord, law: &mut Vec<RuleRef>) -> Minute {
        let json = record_json(record);
        let (texts, _) = self.seeing.texts(record);
        let said = |lang, stop: &str, open: &str, close: &str| {
            let mut said = self.seeing.sentence(record, &json, lang) + stop;
            // What was written for the reader belongs in the minutes; who wrote it does not.
            for (name, text) in texts.iter().filter(|(name, text)| !is_person(name, text)) {
                let _ = write!(said, "{}{open}{text}{close}", label(name, lang));
            }
            said
        };
        Minute {
            time: record.time,
            text: Both::new(said(Lang::Zh, "。", "：“", "”。"), said(Lang::En, ". ", ": “", "”. ")),
            by: self.seeing.actor(record),
            rule: record.rule.as_ref().map(|rule| cited(law, rule)),
            record: Some(record.sequence),
        }
    }

    fn proof(&self, record: &LedgerRecord) -> Option<BagProof> {
        let (texts, beside) = self.seeing.texts(record);
        // Without the salt nobody can hold a text against its digest; it is then not shown at all.
        let salt = if let Beside::Shown(salt) = beside { Some(salt) } else { None };
        Some(BagProof {
            name: record.subject.to_string(),
            leaf_index: record.sequence,
            record: self.ledger.record_bytes(record.sequence)?,
            inclusion_proof: self.ledger.inclusion_proof(record.sequence, self.size)?,
            head: self.head.clone(),
            texts: if salt.is_some() { texts } else { Vec::new() },
            salt,
        })
    }

    /// The days as they were counted, by the version of the calendar that counted them.
    fn days(&self, clock: Option<&WorkingDayClock>) -> Vec<CountedDay> {
        let Some(clock) = clock else { return Vec::new() };
        let row = self.look.view().calendar(clock.calendar_version);
        // A case of another domain was counted there, by a calendar that is not here.
        let Some(calendar) =
            row.and_then(|row| WorkingDayCalendar::parse(&row.text, row.version).ok())
        else {
            return Vec::new();
        };
        let lines = clock.explain(&calendar);
        // Another domain's calendar of the same number may be another one: a count that does not
        // end on the due date explains nothing.
        if lines.last().is_none_or(|line| line.date != clock.due_date) {
            return Vec::new();
        }
        let mut days: Vec<CountedDay> = lines.iter().map(counted_day).collect();
        if let Some(event) = days.first_mut() {
            event.why = Both::new("当日不计入", "the day of the event is not counted");
        }
        days
    }
}

/// The rule's place in the law quoted, where it is put if it is not there.
fn cited(law: &mut Vec<RuleRef>, rule: &RuleRef) -> usize {
    let known = law.iter().position(|known| known == rule);
    known.unwrap_or_else(|| {
        law.push(rule.clone());
        law.len() - 1
    })
}

fn counted_day(line: &DayLine) -> CountedDay {
    // The date and the weekday have columns of their own.
    let why = |lang| line.kind.text(lang, line.official);
    CountedDay {
        date: line.date,
        number: line.counted,
        why: Both::new(why(Lang::Zh), why(Lang::En)),
    }
}

fn facts(case: &ShareRequest) -> Vec<(Both, Both)> {
    let same = |text: &str| Both::new(text, text);
    let party = |party: &Party| same(&party.name);
    let mut facts = vec![
        (Both::new("编号", "number"), same(&case.case_number)),
        (Both::new("申请单位", "asker"), party(&case.requester)),
        (Both::new("提供单位", "provider"), party(&case.provider)),
        (Both::new("目录", "entry"), same(&case.entry_title)),
        (Both::new("数据项", "items"), same(&case.content.items.join("、"))),
        (Both::new("使用场景", "scenario"), same(&case.content.scenario)),
        (Both::new("履职依据", "duty"), same(&case.content.duty_basis)),
    ];
    if let Some(received) = case.received_time {
        facts.push((Both::new("收到", "received"), same(&received.local_text())));
    }
    if let Some(clock) = &case.answer_clock {
        facts.push((Both::new("答复截止", "due"), same(&clock.due_date.to_string())));
    }
    if let Some(grant) = &case.grant {
        facts.push((Both::new("授权", "grant"), same(&grant.to_string())));
    }
    facts.retain(|(_, value)| !value.en.is_empty());
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_quoted_once() {
        let mut law = Vec::new();
        let (one, other) = (RuleRef::house("HOUSE-1"), RuleRef::house("HOUSE-2"));
        let places = [&one, &other, &one].map(|rule| cited(&mut law, rule));
        assert_eq!((places, law.len()), ([0, 1, 0], 2));
    }

    #[test]
    fn days_say_why_in_both_languages() {
        let calendar = WorkingDayCalendar::embedded();
        let from = "2026-09-30".parse().expect("a day");
        let days = calendar.explain(from, catalog_model::deadline::WorkingDays(1));
        let days: Vec<CountedDay> = days.iter().map(counted_day).collect();
        let holiday = &days[1];
        assert_eq!((holiday.number, holiday.why.zh.as_str()), (None, "国庆节放假"));
        assert!(holiday.why.en.starts_with("holiday, "), "{}", holiday.why.en);
    }
}
