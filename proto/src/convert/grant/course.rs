//! The course of a grant: delivery, misuse, the end of its purpose, as the domains tell each other.

use catalog_model::{
    deadline::DeadlineKind,
    grant::{
        Delivery, DeliveryOffer, DisposalProof, DisposalRequirement, GrantCourse, Judgement,
        PurposeEnd, Rectification, RectificationReport, ServiceNotice, UseAgreement, WiderUse,
    },
    name::{Resource, ResourceName},
};

use crate::{
    convert::{
        answer::{overdue_message, overdue_value},
        case_rules::{clock_value, deadline_message, required_rule, rule_ref_message},
        digest::{digest_bytes, digest_value, optional_digest_value},
        enumeration::{Enumerated as _, number},
        name,
        party::{party_message, party_value},
        reading::{At, Reading},
        time::timestamp,
    },
    sharing::v1 as message,
};

/// The course as a message. A delivery that did not come is marked when its due date fired.
pub(crate) fn course_message(course: &GrantCourse) -> message::GrantCourse {
    let owed = course.overdue.is_some() && course.delivery.is_none();
    message::GrantCourse {
        delivery_deadline: course
            .delivery_clock
            .as_ref()
            .map(|clock| deadline_message(clock, owed)),
        delivery_debtor: number(course.delivery_debtor),
        delivery_escalation: number(course.delivery_escalation),
        offer: course.offer.as_ref().map(|offer| message::DeliveryOffer {
            method: offer.method.number(),
            offered_time: Some(timestamp(offer.offered_time)),
            tested_time: offer.tested_time.map(timestamp),
        }),
        delivery: course.delivery.as_ref().map(|delivery| message::Delivery {
            proof: delivery.proof.number(),
            delivered_time: Some(timestamp(delivery.delivered_time)),
            late: delivery.late,
            rule: Some(rule_ref_message(&delivery.rule)),
        }),
        overdue: course.overdue.as_ref().map(overdue_message),
        rectification: course.rectification.as_ref().map(rectification_message),
        purpose_end: course.purpose_end.as_ref().map(|end| message::PurposeEnd {
            kind: end.kind.number(),
            note: end.note.clone(),
            ended_time: Some(timestamp(end.ended_time)),
            by: Some(party_message(&end.by)),
        }),
        disposal_requirement: course.disposal_requirement.as_ref().map(|required| {
            message::DisposalRequirement {
                manner: required.manner.number(),
                note: required.note.clone(),
                required_time: Some(timestamp(required.required_time)),
            }
        }),
        disposal: course.disposal.as_ref().map(|proof| message::DisposalProof {
            manner: proof.manner.number(),
            digest: digest_bytes(Some(proof.digest)),
            proved_time: Some(timestamp(proof.proved_time)),
        }),
        agreement: course.agreement.as_ref().map(|agreement| message::UseAgreement {
            number: agreement.number.clone(),
            digest: digest_bytes(Some(agreement.digest)),
            signed: agreement.signed.to_string(),
            recorded_time: Some(timestamp(agreement.recorded_time)),
        }),
        service: course.service.as_ref().map(|notice| message::ServiceNotice {
            change: notice.change.to_string(),
            kind: notice.kind.number(),
            cause: notice.cause.number(),
            state: notice.state.number(),
            effective: notice.effective.to_string(),
            stopped_time: notice.stopped_time.map(timestamp),
        }),
        wider_uses: course.wider_uses.iter().map(wider_use_message).collect(),
    }
}

fn rectification_message(rectification: &Rectification) -> message::Rectification {
    message::Rectification {
        ground: number(rectification.ground),
        evidence: digest_bytes(rectification.evidence),
        before: rectification.before.number(),
        report: rectification.report.as_ref().map(|report| message::RectificationReport {
            refused: report.refused,
            text: report.text.clone(),
            digest: digest_bytes(report.digest),
            reported_time: Some(timestamp(report.reported_time)),
        }),
        judgement: rectification.judgement.as_ref().map(|judgement| message::Judgement {
            adequate: judgement.adequate,
            reason: judgement.reason.clone(),
            judged_time: Some(timestamp(judgement.judged_time)),
            by: Some(party_message(&judgement.by)),
        }),
        lapsed_time: rectification.lapsed_time.map(timestamp),
    }
}

fn wider_use_message(wider: &WiderUse) -> message::WiderUse {
    message::WiderUse {
        kind: wider.kind.number(),
        recipient: wider.recipient.clone(),
        purpose: wider.purpose.clone(),
        items: wider.items.clone(),
        consented_time: Some(timestamp(wider.consented_time)),
        rule: Some(rule_ref_message(&wider.rule)),
    }
}

/// The course as another domain holds it; something is noted where a part is wrong.
pub(crate) fn course_value(
    reading: &mut Reading,
    at: At<'_>,
    course: &message::GrantCourse,
) -> GrantCourse {
    // A part that is there and cannot be read has been noted: the whole is not used then.
    macro_rules! part {
        ($field:ident, $value:ident) => {
            course
                .$field
                .as_ref()
                .and_then(|part| $value(reading, at.field(stringify!($field)), part))
        };
    }
    let delivery_clock = course.delivery_deadline.as_ref().and_then(|deadline| {
        clock_value(reading, at.field("delivery_deadline"), deadline, DeadlineKind::Delivery)
    });
    let wider_at = at.field("wider_uses");
    GrantCourse {
        delivery_clock,
        delivery_debtor: reading.optional(at.field("delivery_debtor"), course.delivery_debtor),
        delivery_escalation: reading
            .optional(at.field("delivery_escalation"), course.delivery_escalation),
        offer: part!(offer, offer_value),
        delivery: part!(delivery, delivery_value),
        overdue: part!(overdue, overdue_value),
        rectification: part!(rectification, rectification_value),
        purpose_end: part!(purpose_end, purpose_end_value),
        disposal_requirement: part!(disposal_requirement, requirement_value),
        disposal: part!(disposal, disposal_value),
        agreement: part!(agreement, agreement_value),
        service: part!(service, notice_value),
        wider_uses: course
            .wider_uses
            .iter()
            .enumerate()
            .filter_map(|(index, wider)| wider_use_value(reading, wider_at.index(index), wider))
            .collect(),
    }
}

fn offer_value(
    reading: &mut Reading,
    at: At<'_>,
    offer: &message::DeliveryOffer,
) -> Option<DeliveryOffer> {
    let method = reading.required(at.field("method"), offer.method);
    let offered_time = reading.instant(at.field("offered_time"), offer.offered_time.as_ref());
    let tested_time = reading.optional_instant(at.field("tested_time"), offer.tested_time.as_ref());
    Some(DeliveryOffer { method: method?, offered_time: offered_time?, tested_time })
}

fn delivery_value(
    reading: &mut Reading,
    at: At<'_>,
    delivery: &message::Delivery,
) -> Option<Delivery> {
    let proof = reading.required(at.field("proof"), delivery.proof);
    let delivered_time =
        reading.instant(at.field("delivered_time"), delivery.delivered_time.as_ref());
    let rule = required_rule(reading, at.field("rule"), delivery.rule.as_ref());
    Some(Delivery {
        proof: proof?,
        delivered_time: delivered_time?,
        late: delivery.late,
        rule: rule?,
    })
}

fn rectification_value(
    reading: &mut Reading,
    at: At<'_>,
    rectification: &message::Rectification,
) -> Option<Rectification> {
    let ground = reading.optional(at.field("ground"), rectification.ground);
    let evidence = optional_digest_value(reading, at.field("evidence"), &rectification.evidence);
    let before = reading.required(at.field("before"), rectification.before);
    let report = rectification
        .report
        .as_ref()
        .and_then(|report| report_value(reading, at.field("report"), report));
    let judgement = rectification
        .judgement
        .as_ref()
        .and_then(|judgement| judgement_value(reading, at.field("judgement"), judgement));
    let lapsed_time =
        reading.optional_instant(at.field("lapsed_time"), rectification.lapsed_time.as_ref());
    Some(Rectification { ground, evidence, before: before?, report, judgement, lapsed_time })
}

fn report_value(
    reading: &mut Reading,
    at: At<'_>,
    report: &message::RectificationReport,
) -> Option<RectificationReport> {
    let digest = optional_digest_value(reading, at.field("digest"), &report.digest);
    let reported_time = reading.instant(at.field("reported_time"), report.reported_time.as_ref());
    Some(RectificationReport {
        refused: report.refused,
        text: report.text.clone(),
        digest,
        reported_time: reported_time?,
    })
}

fn judgement_value(
    reading: &mut Reading,
    at: At<'_>,
    judgement: &message::Judgement,
) -> Option<Judgement> {
    let judged_time = reading.instant(at.field("judged_time"), judgement.judged_time.as_ref());
    let by = party_value(reading, at.field("by"), judgement.by.as_ref());
    Some(Judgement {
        adequate: judgement.adequate,
        reason: judgement.reason.clone(),
        judged_time: judged_time?,
        by: by?,
    })
}

fn purpose_end_value(
    reading: &mut Reading,
    at: At<'_>,
    end: &message::PurposeEnd,
) -> Option<PurposeEnd> {
    let kind = reading.required(at.field("kind"), end.kind);
    let ended_time = reading.instant(at.field("ended_time"), end.ended_time.as_ref());
    let by = party_value(reading, at.field("by"), end.by.as_ref());
    Some(PurposeEnd { kind: kind?, note: end.note.clone(), ended_time: ended_time?, by: by? })
}

fn requirement_value(
    reading: &mut Reading,
    at: At<'_>,
    required: &message::DisposalRequirement,
) -> Option<DisposalRequirement> {
    let manner = reading.required(at.field("manner"), required.manner);
    let required_time = reading.instant(at.field("required_time"), required.required_time.as_ref());
    Some(DisposalRequirement {
        manner: manner?,
        note: required.note.clone(),
        required_time: required_time?,
    })
}

fn disposal_value(
    reading: &mut Reading,
    at: At<'_>,
    proof: &message::DisposalProof,
) -> Option<DisposalProof> {
    let manner = reading.required(at.field("manner"), proof.manner);
    let digest = digest_value(reading, at.field("digest"), &proof.digest);
    let proved_time = reading.instant(at.field("proved_time"), proof.proved_time.as_ref());
    Some(DisposalProof { manner: manner?, digest: digest?, proved_time: proved_time? })
}

fn agreement_value(
    reading: &mut Reading,
    at: At<'_>,
    agreement: &message::UseAgreement,
) -> Option<UseAgreement> {
    let digest = digest_value(reading, at.field("digest"), &agreement.digest);
    let signed = reading.date(at.field("signed"), &agreement.signed);
    let recorded_time =
        reading.instant(at.field("recorded_time"), agreement.recorded_time.as_ref());
    Some(UseAgreement {
        number: agreement.number.clone(),
        digest: digest?,
        signed: signed?,
        recorded_time: recorded_time?,
    })
}

fn notice_value(
    reading: &mut Reading,
    at: At<'_>,
    notice: &message::ServiceNotice,
) -> Option<ServiceNotice> {
    let change = reading.name(at.field("change"), &notice.change, &name::SERVICE_CHANGE);
    let kind = reading.required(at.field("kind"), notice.kind);
    let cause = reading.required(at.field("cause"), notice.cause);
    let state = reading.required(at.field("state"), notice.state);
    let effective = reading.date(at.field("effective"), &notice.effective);
    let stopped_time =
        reading.optional_instant(at.field("stopped_time"), notice.stopped_time.as_ref());
    let (domain, id) = change?;
    Some(ServiceNotice {
        change: ResourceName::new(domain, Resource::ServiceChange(id)),
        kind: kind?,
        cause: cause?,
        state: state?,
        effective: effective?,
        stopped_time,
    })
}

fn wider_use_value(
    reading: &mut Reading,
    at: At<'_>,
    wider: &message::WiderUse,
) -> Option<WiderUse> {
    let kind = reading.required(at.field("kind"), wider.kind);
    let consented_time = reading.instant(at.field("consented_time"), wider.consented_time.as_ref());
    let rule = required_rule(reading, at.field("rule"), wider.rule.as_ref());
    Some(WiderUse {
        kind: kind?,
        recipient: wider.recipient.clone(),
        purpose: wider.purpose.clone(),
        items: wider.items.clone(),
        consented_time: consented_time?,
        rule: rule?,
    })
}
