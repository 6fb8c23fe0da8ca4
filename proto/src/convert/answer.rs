//! Answers, and what else the parties say while a case is open.

use catalog_model::{
    refusal::Refusal,
    share_request::{Answer, Completion, Extension, GivenAnswer, Opinion, OverdueMark},
};

use crate::{
    convert::{
        case_rules::{optional_rule, required_rule, rule_ref_message},
        enumeration::Enumerated as _,
        party::{acting_person, acting_person_value, party_message, party_value},
        reading::{At, Reading},
        time::timestamp,
    },
    sharing::v1 as message,
};

/// The answer as a message.
pub fn answer_message(answer: &Answer) -> message::Answer {
    use message::AnswerKind as Kind;
    match answer {
        Answer::Agreed => message::Answer { kind: Kind::Agreed as i32, ..Default::default() },
        Answer::AgreedInPart { items, reason } => message::Answer {
            kind: Kind::AgreedInPart as i32,
            items: items.clone(),
            reason: reason.clone(),
            ..Default::default()
        },
        Answer::Refused { ground, reason } => message::Answer {
            kind: Kind::Refused as i32,
            ground: ground.clone(),
            reason: reason.clone(),
            ..Default::default()
        },
    }
}

/// The answer that a decider writes. What does not belong to its kind is refused rather than
/// dropped; whether a reason or items are owed is for the rules to say.
pub fn read_answer(answer: &message::Answer, field: &str) -> Result<Answer, Refusal> {
    let mut reading = Reading::new();
    let value = answer_value(&mut reading, At::Root(field), answer);
    reading.finish(value)
}

fn answer_value(reading: &mut Reading, at: At<'_>, answer: &message::Answer) -> Option<Answer> {
    use message::AnswerKind as Kind;
    let message::Answer { kind, items, ground, reason } = answer;
    let Ok(known) = Kind::try_from(*kind) else {
        reading.wrong(
            at.field("kind"),
            format!("{kind} is not a value of this enumeration"),
            format!("{kind} 不是该枚举的取值"),
        );
        return None;
    };
    let mut foreign = |field, stated: bool| {
        if stated {
            reading.wrong(
                at.field(field),
                "does not belong to an answer of this kind",
                "不属于此类答复的内容",
            );
        }
    };
    match known {
        Kind::Unspecified => {
            reading.missing(at.field("kind"));
            None
        }
        Kind::Agreed => {
            foreign("items", !items.is_empty());
            foreign("ground", !ground.is_empty());
            foreign("reason", !reason.is_empty());
            Some(Answer::Agreed)
        }
        Kind::AgreedInPart => {
            foreign("ground", !ground.is_empty());
            Some(Answer::AgreedInPart { items: items.clone(), reason: reason.clone() })
        }
        Kind::Refused => {
            foreign("items", !items.is_empty());
            Some(Answer::Refused { ground: ground.clone(), reason: reason.clone() })
        }
    }
}

pub(crate) fn given_answer_message(given: &GivenAnswer) -> message::GivenAnswer {
    message::GivenAnswer {
        answer: Some(answer_message(&given.answer)),
        by: Some(party_message(&given.by)),
        person: acting_person(&given.by, given.person),
        given_time: Some(timestamp(given.given_time)),
        late: given.late,
        standing: given.standing,
        rule: given.rule.as_ref().map(rule_ref_message),
    }
}

pub(crate) fn given_answer_value(
    reading: &mut Reading,
    at: At<'_>,
    given: &message::GivenAnswer,
) -> Option<GivenAnswer> {
    let answer_at = at.field("answer");
    let answer = reading
        .message(answer_at, given.answer.as_ref())
        .and_then(|answer| answer_value(reading, answer_at, answer));
    let by = party_value(reading, at.field("by"), given.by.as_ref());
    let person = acting_person_value(reading, at.field("person"), &given.person, by.as_ref());
    let given_time = reading.instant(at.field("given_time"), given.given_time.as_ref());
    let rule = optional_rule(reading, at.field("rule"), given.rule.as_ref());
    Some(GivenAnswer {
        answer: answer?,
        by: by?,
        person,
        given_time: given_time?,
        late: given.late,
        standing: given.standing,
        rule,
    })
}

pub(crate) fn opinion_message(opinion: &Opinion) -> message::Opinion {
    message::Opinion {
        by: Some(party_message(&opinion.by)),
        person: acting_person(&opinion.by, opinion.person),
        in_favor: opinion.in_favor,
        text: opinion.text.clone(),
        given_time: Some(timestamp(opinion.given_time)),
    }
}

pub(crate) fn opinion_value(
    reading: &mut Reading,
    at: At<'_>,
    opinion: &message::Opinion,
) -> Option<Opinion> {
    let by = party_value(reading, at.field("by"), opinion.by.as_ref());
    let person = acting_person_value(reading, at.field("person"), &opinion.person, by.as_ref());
    let given_time = reading.instant(at.field("given_time"), opinion.given_time.as_ref());
    Some(Opinion {
        by: by?,
        person,
        in_favor: opinion.in_favor,
        text: opinion.text.clone(),
        given_time: given_time?,
    })
}

pub(crate) fn completion_message(completion: &Completion) -> message::Completion {
    message::Completion {
        missing: completion.missing.clone(),
        asked_time: Some(timestamp(completion.asked_time)),
        completed_time: completion.completed_time.map(timestamp),
        suspends: completion.suspends,
    }
}

pub(crate) fn completion_value(
    reading: &mut Reading,
    at: At<'_>,
    completion: &message::Completion,
) -> Option<Completion> {
    let asked_time = reading.instant(at.field("asked_time"), completion.asked_time.as_ref());
    let completed_time =
        reading.optional_instant(at.field("completed_time"), completion.completed_time.as_ref());
    Some(Completion {
        missing: completion.missing.clone(),
        asked_time: asked_time?,
        completed_time,
        suspends: completion.suspends,
    })
}

pub(crate) fn extension_message(extension: &Extension) -> message::Extension {
    message::Extension {
        working_days: u32::from(extension.working_days),
        reason: extension.reason.clone(),
        consented_time: Some(timestamp(extension.consented_time)),
        rule: Some(rule_ref_message(&extension.rule)),
    }
}

pub(crate) fn extension_value(
    reading: &mut Reading,
    at: At<'_>,
    extension: &message::Extension,
) -> Option<Extension> {
    let working_days = reading.small(at.field("working_days"), extension.working_days);
    let consented_time =
        reading.instant(at.field("consented_time"), extension.consented_time.as_ref());
    let rule = required_rule(reading, at.field("rule"), extension.rule.as_ref());
    Some(Extension {
        working_days: working_days?,
        reason: extension.reason.clone(),
        consented_time: consented_time?,
        rule: rule?,
    })
}

pub(crate) fn overdue_message(mark: &OverdueMark) -> message::OverdueMark {
    message::OverdueMark {
        due_time: Some(timestamp(mark.due_time)),
        fired_time: Some(timestamp(mark.fired_time)),
        ordered: mark.ordered.iter().map(party_message).collect(),
        escalated_to: mark.escalated_to.number(),
        escalated_party: mark.escalated_party.as_ref().map(party_message),
    }
}

pub(crate) fn overdue_value(
    reading: &mut Reading,
    at: At<'_>,
    mark: &message::OverdueMark,
) -> Option<OverdueMark> {
    let due_time = reading.instant(at.field("due_time"), mark.due_time.as_ref());
    let fired_time = reading.instant(at.field("fired_time"), mark.fired_time.as_ref());
    let ordered_at = at.field("ordered");
    let ordered = mark
        .ordered
        .iter()
        .enumerate()
        .filter_map(|(index, party)| party_value(reading, ordered_at.index(index), Some(party)))
        .collect();
    let escalated_to = reading.required(at.field("escalated_to"), mark.escalated_to);
    let escalated_party = mark
        .escalated_party
        .as_ref()
        .and_then(|party| party_value(reading, at.field("escalated_party"), Some(party)));
    Some(OverdueMark {
        due_time: due_time?,
        fired_time: fired_time?,
        ordered,
        escalated_to: escalated_to?,
        escalated_party,
    })
}
