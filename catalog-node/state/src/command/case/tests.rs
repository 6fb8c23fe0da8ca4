//! Golden bytes of the commands of a case's life: `testdata/golden/case/NAME.hex`, each written once
//! (`REWRITE=1` adds missing ones) and never rewritten.

use catalog_model::{
    caller::{Caller, Identity},
    catalog_entry::SharingMethod,
    ids::{DomainId, EntryId, SystemId},
    name::Resource,
    share_request::{Commitment, Term},
    time::LocalDate,
};

use super::*;
use crate::command::{Body, Command, golden};

fn bytes(n: u8) -> [u8; 16] {
    [n; 16]
}

fn day() -> LocalDate {
    "2026-09-21".parse().unwrap()
}

fn name(resource: Resource) -> ResourceName {
    let domain: DomainId = "xiamen".parse().unwrap();
    ResourceName::new(domain, resource)
}

fn paper() -> PaperDecision {
    PaperDecision {
        document_number: "厦数据〔2026〕1号".to_owned(),
        digest: [9; 32],
        date: day(),
        issuing_body: "人民政府".to_owned(),
        recorded_for: "police".to_owned(),
    }
}

fn content() -> RequestContent {
    RequestContent {
        entry: name(Resource::Entry(EntryId::from_bytes(bytes(5)))),
        system: SystemId::from_bytes(bytes(4)),
        scenario: "scenario".to_owned(),
        duty_basis: "basis".to_owned(),
        items: vec!["号牌".to_owned()],
        item_reasons: vec![],
        row_scope: String::new(),
        method: Some(SharingMethod::ServiceInterface),
        term: Some(Term { from: day(), to: day() }),
        commitments: vec![Commitment::ScenarioAuthentic],
        rate_per_day: None,
        renews: None,
    }
}

/// The name of a command's file. No wildcard: a new command does not compile without one.
fn file(command: &CaseCommand) -> String {
    let name = match command {
        CaseCommand::AskOpinion { .. } => "ask_opinion",
        CaseCommand::ProposeExtension { .. } => "propose_extension",
        CaseCommand::AnswerExtension { .. } => "answer_extension",
        CaseCommand::ClaimReason { .. } => "claim_reason",
        CaseCommand::RuleOnReason { .. } => "rule_on_reason",
        CaseCommand::SwitchSeparation { .. } => "switch_separation",
        CaseCommand::FileOnBehalf { filing, .. } => return format!("file_{}", filing.what()),
        CaseCommand::RaiseDispute { .. } => "raise_dispute",
        CaseCommand::StatePosition { .. } => "state_position",
        CaseCommand::EndConsultation { .. } => "end_consultation",
        CaseCommand::CoordinateDispute { .. } => "coordinate_dispute",
        CaseCommand::DecideDispute { .. } => "decide_dispute",
        CaseCommand::FileDemand { .. } => "file_demand",
        CaseCommand::PreReviewDemand { .. } => "pre_review_demand",
        CaseCommand::RouteDemand { .. } => "route_demand",
        CaseCommand::AnswerDemand { .. } => "answer_demand",
        CaseCommand::SupplyDemand { .. } => "supply_demand",
        CaseCommand::CloseDemand { .. } => "close_demand",
        CaseCommand::CreateMixedRequest { .. } => "create_mixed_request",
    };
    name.to_owned()
}

fn commands() -> Vec<CaseCommand> {
    let request = name(Resource::Request(RequestId::from_bytes(bytes(6))));
    let dispute = name(Resource::Dispute(DisputeId::from_bytes(bytes(20))));
    let demand = name(Resource::Demand(DemandId::from_bytes(bytes(21))));
    let organization = OrganizationId::from_bytes(bytes(2));
    let head = Some(PersonId::from_bytes(bytes(3)));
    let grant = GrantId::from_bytes(bytes(7));
    let (version, text) = (2, "words".to_owned());
    let on_behalf = |filing: Filing| CaseCommand::FileOnBehalf {
        filing: Box::new(filing),
        paper: paper(),
        window: "hall".to_owned(),
    };
    vec![
        CaseCommand::AskOpinion { request: request.clone(), version },
        CaseCommand::ProposeExtension {
            request: request.clone(),
            version,
            working_days: 5,
            reason: text.clone(),
        },
        CaseCommand::AnswerExtension {
            request: request.clone(),
            version,
            consents: true,
            reason: text.clone(),
        },
        CaseCommand::ClaimReason { request: request.clone(), version, text: text.clone() },
        CaseCommand::RuleOnReason {
            request: request.clone(),
            version,
            debtor: organization,
            accepted: true,
            reason: text.clone(),
        },
        CaseCommand::SwitchSeparation { on: true, reason: text.clone() },
        on_behalf(Filing::Request {
            id: RequestId::from_bytes(bytes(6)),
            grant,
            organization,
            content: content(),
            head,
        }),
        on_behalf(Filing::Answer {
            request: request.clone(),
            version,
            answer: Answer::Agreed,
            grant,
            head,
        }),
        on_behalf(Filing::Opinion {
            request: request.clone(),
            version,
            in_favor: true,
            text: text.clone(),
        }),
        CaseCommand::RaiseDispute {
            id: DisputeId::from_bytes(bytes(20)),
            request: request.clone(),
            text: text.clone(),
        },
        CaseCommand::StatePosition {
            dispute: dispute.clone(),
            version,
            text: text.clone(),
            paper: Some(paper()),
        },
        CaseCommand::EndConsultation {
            dispute: dispute.clone(),
            version,
            agreed: false,
            minutes: text.clone(),
        },
        CaseCommand::CoordinateDispute {
            dispute: dispute.clone(),
            version,
            agreed: false,
            minutes: text.clone(),
            paper: Some(paper()),
        },
        CaseCommand::DecideDispute { dispute, version, decision: paper(), result: text.clone() },
        CaseCommand::FileDemand {
            id: DemandId::from_bytes(bytes(21)),
            title: text.clone(),
            text: text.clone(),
        },
        CaseCommand::PreReviewDemand { demand: demand.clone(), version, note: text.clone() },
        CaseCommand::RouteDemand {
            demand: demand.clone(),
            version,
            provider: organization,
            note: text.clone(),
        },
        CaseCommand::AnswerDemand {
            demand: demand.clone(),
            version,
            confirmed: true,
            note: text.clone(),
        },
        CaseCommand::SupplyDemand {
            demand: demand.clone(),
            version,
            entry: name(Resource::Entry(EntryId::from_bytes(bytes(5)))),
        },
        CaseCommand::CloseDemand { demand, version, reason: text },
        CaseCommand::CreateMixedRequest {
            parts: vec![MixedPart {
                id: RequestId::from_bytes(bytes(6)),
                grant,
                content: content(),
            }],
            head,
        },
    ]
}

#[test]
fn golden_bytes_of_case_commands_mean_what_they_meant() {
    let commands = commands().into_iter().map(|command| {
        let name = file(&command);
        let command = Command {
            level: 3,
            stamped_at: day().start(),
            received_at: None,
            caller: Caller {
                domain: "xiamen".parse().unwrap(),
                identity: Identity::Node { id: "1".to_owned() },
            },
            request_id: None,
            call_digest: [12; 32],
            salt: bytes(13),
            body: Body::Case(Box::new(command)),
        };
        (name, command)
    });
    golden::check("case", commands);
}
