//! The rules of a case and the clock that they start.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    rule::RuleRef,
    share_request::CaseRules,
};

use crate::{
    convert::{
        enumeration::Enumerated as _,
        reading::{At, Reading},
        time::timestamp,
    },
    rule::v1 as rule_message,
    sharing::v1 as message,
};

/// The rule as a message.
pub fn rule_ref_message(rule: &RuleRef) -> rule_message::RuleRef {
    rule_message::RuleRef {
        id: rule.id.clone(),
        title: rule.title.clone(),
        article: rule.article.clone(),
        paragraph: u32::from(rule.paragraph),
        rank: rule.rank.number(),
        quote: rule.quote.clone(),
    }
}

/// A rule that may be absent.
pub(crate) fn optional_rule(
    reading: &mut Reading,
    at: At<'_>,
    rule: Option<&rule_message::RuleRef>,
) -> Option<RuleRef> {
    let rule = rule?;
    if rule.id.is_empty() {
        reading.missing(at.field("id"));
    }
    let paragraph = reading.small(at.field("paragraph"), rule.paragraph);
    let rank = reading.required(at.field("rank"), rule.rank);
    Some(RuleRef {
        id: rule.id.clone(),
        title: rule.title.clone(),
        article: rule.article.clone(),
        paragraph: paragraph?,
        rank: rank?,
        quote: rule.quote.clone(),
    })
}

/// A rule that has to be there.
pub(crate) fn required_rule(
    reading: &mut Reading,
    at: At<'_>,
    rule: Option<&rule_message::RuleRef>,
) -> Option<RuleRef> {
    let rule = reading.message(at, rule)?;
    optional_rule(reading, at, Some(rule))
}

/// The resolved rules as a message.
pub fn case_rules_message(rules: &CaseRules) -> message::CaseRules {
    message::CaseRules {
        composition: rules.composition.clone(),
        pack_version: rules.pack_version,
        scope: rules.scope.clone(),
        debtor: rules.debtor.number(),
        decider: rules.decider.number(),
        decider_rule: Some(rule_ref_message(&rules.decider_rule)),
        answer_rule: rules.answer_rule.as_ref().map(rule_ref_message),
        answer_head_consent: rules.answer_head_consent.as_ref().map(rule_ref_message),
        escalation: rules.escalation.number(),
    }
}

pub(crate) fn case_rules_value(
    reading: &mut Reading,
    at: At<'_>,
    rules: &message::CaseRules,
) -> Option<CaseRules> {
    let debtor = reading.required(at.field("debtor"), rules.debtor);
    let decider = reading.required(at.field("decider"), rules.decider);
    let decider_rule =
        required_rule(reading, at.field("decider_rule"), rules.decider_rule.as_ref());
    let answer_rule = optional_rule(reading, at.field("answer_rule"), rules.answer_rule.as_ref());
    let answer_head_consent =
        optional_rule(reading, at.field("answer_head_consent"), rules.answer_head_consent.as_ref());
    let escalation = reading.required(at.field("escalation"), rules.escalation);
    Some(CaseRules {
        composition: rules.composition.clone(),
        pack_version: rules.pack_version,
        scope: rules.scope.clone(),
        debtor: debtor?,
        decider: decider?,
        decider_rule: decider_rule?,
        answer_rule,
        answer_head_consent,
        escalation: escalation?,
    })
}

/// The clock as a message; whether it is overdue is the caller's to say, it depends on the case.
pub fn deadline_message(clock: &WorkingDayClock, overdue: bool) -> message::Deadline {
    message::Deadline {
        start_time: Some(timestamp(clock.start_time)),
        working_days: u32::from(clock.length.0),
        extended_days: u32::from(clock.extended.0),
        suspended_days: u32::from(clock.suspended.0),
        due_date: clock.due_date.to_string(),
        due_time: Some(timestamp(clock.due_time)),
        provisional: clock.provisional,
        calendar_version: clock.calendar_version,
        rule: Some(rule_ref_message(&clock.rule)),
        revision: clock.revision,
        overdue,
    }
}

/// The clock of a deadline of this kind: which kind, the place in the case says.
pub(crate) fn clock_value(
    reading: &mut Reading,
    at: At<'_>,
    deadline: &message::Deadline,
    kind: DeadlineKind,
) -> Option<WorkingDayClock> {
    let start_time = reading.instant(at.field("start_time"), deadline.start_time.as_ref());
    let length = reading.small(at.field("working_days"), deadline.working_days);
    let extended = reading.small(at.field("extended_days"), deadline.extended_days);
    let suspended = reading.small(at.field("suspended_days"), deadline.suspended_days);
    let due_date = reading.date(at.field("due_date"), &deadline.due_date);
    let due_time = reading.instant(at.field("due_time"), deadline.due_time.as_ref());
    let rule = required_rule(reading, at.field("rule"), deadline.rule.as_ref());
    Some(WorkingDayClock {
        kind,
        start_time: start_time?,
        length: WorkingDays(length?),
        extended: WorkingDays(extended?),
        suspended: WorkingDays(suspended?),
        due_date: due_date?,
        due_time: due_time?,
        provisional: deadline.provisional,
        calendar_version: deadline.calendar_version,
        rule: rule?,
        revision: deadline.revision,
    })
}
