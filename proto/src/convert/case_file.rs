//! Case files, and how organizations met what they owed: shown, never read back.

use catalog_model::{
    case_file::{
        CaseFile, CompletionLapse, ExtensionDenied, ExtensionProposal, GrantedAtOnce, OpinionAsked,
        WindowFiling,
    },
    deadline::WorkingDayClock,
    ids::OrganizationId,
    name::{Resource, ResourceName},
    overdue::{CorrectionOrder, Hearing, PunctualityCount, ReasonClaim, ReasonRuling},
    refusal::Refusal,
    share_request::{Party, ShareRequest},
    time::UtcMillis,
};

use crate::{
    convert::{
        case_rules::{deadline_message, rule_ref_message},
        enumeration::number,
        etag,
        name::full_name,
        paper_decision::paper_decision_message,
        party::{acting_person, party_message},
        reading::{At, Reading},
        time::timestamp,
    },
    sharing::v1 as message,
};

/// How a case file is shown to somebody.
pub struct Shown<'a> {
    /// The committed time at which it is shown.
    pub clock: UtcMillis,
    /// Whether the persons who acted for an organization are named.
    pub names_persons_of: &'a dyn Fn(&Party) -> bool,
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Shown<'_> {
    fn deadline(&self, clock: &WorkingDayClock) -> message::Deadline {
        deadline_message(clock, self.clock >= clock.due_time)
    }

    fn person(&self, by: &Party, person: Option<catalog_model::ids::PersonId>) -> String {
        let named = (self.names_persons_of)(by);
        acting_person(by, person.filter(|_| named))
    }

    fn opinion(&self, asked: &OpinionAsked) -> message::OpinionAsked {
        message::OpinionAsked {
            asked_time: Some(timestamp(asked.asked_time)),
            deadline: asked.clock.as_ref().map(|clock| self.deadline(clock)),
            silent: asked.silent,
        }
    }

    fn proposal(&self, proposal: &ExtensionProposal) -> message::ExtensionProposal {
        message::ExtensionProposal {
            working_days: u32::from(proposal.working_days),
            reason: proposal.reason.clone(),
            by: Some(party_message(&proposal.by)),
            person: self.person(&proposal.by, proposal.person),
            proposed_time: Some(timestamp(proposal.proposed_time)),
        }
    }

    fn hearing(&self, hearing: &Hearing) -> message::Hearing {
        let claim = |claim: &ReasonClaim| message::ReasonClaim {
            text: claim.text.clone(),
            person: self.person(&hearing.debtor, claim.person),
            claimed_time: Some(timestamp(claim.claimed_time)),
        };
        message::Hearing {
            debtor: Some(party_message(&hearing.debtor)),
            due_date: hearing.due_date.to_string(),
            claim: hearing.claim.as_ref().map(claim),
            ruling: hearing.ruling.as_ref().map(ruling_message),
            outcome: number(hearing.outcome),
        }
    }

    fn lapse(&self, lapse: &CompletionLapse) -> message::CompletionLapse {
        message::CompletionLapse {
            deadline: Some(self.deadline(&lapse.clock)),
            warned: lapse.warned,
        }
    }
}

/// The file of `case` as a message.
pub fn case_file_message(
    case: &ShareRequest,
    file: &CaseFile,
    shown: &Shown<'_>,
) -> message::CaseFile {
    message::CaseFile {
        name: full_name(&case.domain, Resource::Request(case.id)),
        etag: etag(case.version),
        opinion: file.opinion.as_ref().map(|asked| shown.opinion(asked)),
        proposal: file.proposal.as_ref().map(|proposal| shown.proposal(proposal)),
        denials: file.denied.iter().map(denial_message).collect(),
        orders: file.orders.iter().map(order_message).collect(),
        hearings: file.hearings.iter().map(|hearing| shown.hearing(hearing)).collect(),
        hearing_deadline: file.hearing_clock.as_ref().map(|clock| shown.deadline(clock)),
        completion_lapse: file.lapse.as_ref().map(|lapse| shown.lapse(lapse)),
        granted_at_once: file.at_once.as_ref().map(at_once_message),
        filed_by: shown.person(&case.requester, file.filed_by),
        filings: file.filings.iter().map(filing_message).collect(),
        disputes: file.disputes.iter().map(ResourceName::to_string).collect(),
    }
}

fn denial_message(denied: &ExtensionDenied) -> message::ExtensionDenial {
    message::ExtensionDenial {
        working_days: u32::from(denied.working_days),
        reason: denied.reason.clone(),
        denied_time: Some(timestamp(denied.denied_time)),
    }
}

fn order_message(order: &CorrectionOrder) -> message::CorrectionOrder {
    message::CorrectionOrder {
        debtor: Some(party_message(&order.debtor)),
        effects: order.effects.clone(),
        rule: Some(rule_ref_message(&order.rule)),
        ordered_time: Some(timestamp(order.ordered_time)),
    }
}

fn ruling_message(ruling: &ReasonRuling) -> message::ReasonRuling {
    message::ReasonRuling {
        accepted: ruling.accepted,
        reason: ruling.reason.clone(),
        by: Some(party_message(&ruling.by)),
        ruled_time: Some(timestamp(ruling.ruled_time)),
    }
}

fn at_once_message(part: &GrantedAtOnce) -> message::GrantedAtOnce {
    message::GrantedAtOnce {
        items: part.items.clone(),
        grant: part.grant.to_string(),
        rule: Some(rule_ref_message(&part.rule)),
    }
}

fn filing_message(filing: &WindowFiling) -> message::WindowFiling {
    use message::FilingKind as Kind;
    let kind = match filing.what.as_str() {
        "request" => Kind::Request,
        "answer" => Kind::Answer,
        "opinion" => Kind::Opinion,
        _ => Kind::Unspecified,
    };
    message::WindowFiling {
        kind: kind.into(),
        on_behalf_of: Some(party_message(&filing.on_behalf_of)),
        window: filing.window.clone(),
        paper: Some(paper_decision_message(&filing.paper)),
        entered_time: Some(timestamp(filing.entered_time)),
    }
}

/// What an organization owed in a month, as a message.
pub fn punctuality_message(
    domain: &catalog_model::ids::DomainId,
    organization: OrganizationId,
    month: u64,
    count: &PunctualityCount,
) -> message::Punctuality {
    message::Punctuality {
        name: full_name(domain, Resource::Organization(organization)),
        month: format!("{:04}-{:02}", month / 100, month % 100),
        on_time: count.on_time,
        late: count.late,
        counted: count.counted,
        excused: count.excused,
    }
}

/// The month that `field` names as `YYYY-MM`: year and month in one number, as state counts it.
pub fn read_month(text: &str, field: &str) -> Result<u64, Refusal> {
    let mut reading = Reading::new();
    // A month is one whose first day is a day.
    let first = Reading::new().date(At::Root(""), &format!("{text}-01"));
    if first.is_none() {
        reading.wrong(
            At::Root(field),
            "is not a month of the form YYYY-MM from 1900 on",
            "不是 1900 年以来格式为 YYYY-MM 的月份",
        );
    }
    let month =
        text.split_once('-').and_then(|(year, month)| format!("{year}{month}").parse().ok());
    reading.finish(first.and(month))
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog_model::{
        ids::{DomainId, PersonId},
        paper_decision::PaperDecision,
    };

    fn party(name: &str, id: u8) -> Party {
        let domain: DomainId = "xiamen".parse().expect("a domain");
        let organization = OrganizationId::from_bytes([id; 16]);
        Party { domain, organization, name: name.to_owned(), class: None }
    }

    #[test]
    fn persons_are_named_to_their_own_organization_and_the_platform_only() {
        let debtor = party("市医疗保障部门（合成）", 1);
        let person = Some(PersonId::from_bytes([9; 16]));
        let hearing = Hearing {
            claim: Some(ReasonClaim {
                text: "系统迁移（合成）".to_owned(),
                person,
                claimed_time: UtcMillis(1),
            }),
            ..Hearing::open(debtor.clone(), "2026-10-12".parse().expect("a day"))
        };
        let claimant = |named: &dyn Fn(&Party) -> bool| {
            let shown = Shown { clock: UtcMillis(2), names_persons_of: named };
            shown.hearing(&hearing).claim.expect("a claim").person
        };
        assert_eq!(claimant(&|_| false), "");
        assert_eq!(
            claimant(&|party| *party == debtor),
            acting_person(&debtor, Some(PersonId::from_bytes([9; 16])))
        );
    }

    #[test]
    fn what_came_by_a_window_says_what_it_was() {
        let paper = PaperDecision {
            document_number: "厦数函〔2026〕8号（合成）".to_owned(),
            digest: [3; 32],
            date: "2026-10-12".parse().expect("a day"),
            issuing_body: "市医疗保障部门（合成）".to_owned(),
            recorded_for: "市医疗保障部门（合成）".to_owned(),
        };
        for (what, kind) in [
            ("request", message::FilingKind::Request),
            ("answer", message::FilingKind::Answer),
            ("opinion", message::FilingKind::Opinion),
        ] {
            let filing = WindowFiling {
                what: what.to_owned(),
                on_behalf_of: party("市医疗保障部门（合成）", 1),
                window: "政务服务中心 3 号窗口（合成）".to_owned(),
                paper: paper.clone(),
                entered_time: UtcMillis(5),
            };
            assert_eq!(filing_message(&filing).kind(), kind);
        }
    }

    #[test]
    fn a_month_is_a_year_and_a_month() {
        assert_eq!(read_month("2026-10", "month"), Ok(202_610));
        let domain: DomainId = "xiamen".parse().expect("a domain");
        let count = PunctualityCount { on_time: 3, late: 2, counted: 1, excused: 1 };
        let shown =
            punctuality_message(&domain, OrganizationId::from_bytes([1; 16]), 202_601, &count);
        assert_eq!((shown.month.as_str(), shown.late), ("2026-01", 2));
        for wrong in ["", "2026", "2026-13", "2026-1", "2026-10-01", "１９００-10", "-2026-10"]
        {
            let refusal = read_month(wrong, "month").expect_err(wrong);
            assert_eq!(refusal.fields[0].field, "month", "{wrong}");
        }
    }
}
