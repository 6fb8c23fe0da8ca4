//! Golden bytes of the commands about the law: `testdata/golden/law/NAME.hex`, written once
//! (`REWRITE=1` adds missing ones) and never rewritten.

use catalog_model::{
    caller::{Caller, Identity},
    ids::RequestId,
    name::Resource,
};

use super::*;
use crate::command::{Body, Command, golden};

fn day(text: &str) -> LocalDate {
    text.parse().unwrap()
}

fn name(resource: Resource) -> ResourceName {
    ResourceName::new("xiamen".parse().unwrap(), resource)
}

fn commands() -> Vec<(&'static str, LawCommand)> {
    let reason = || "reason".to_owned();
    let text = || "text".to_owned();
    let days = || vec![day("2026-09-22"), day("2026-09-23")];
    let id = RulingId::from_bytes([21; 16]);
    let time = day("2026-09-21").start();
    let decision = PaperDecision {
        document_number: "厦府〔2026〕1号".to_owned(),
        digest: [5; 32],
        date: day("2026-09-20"),
        issuing_body: "厦门市人民政府".to_owned(),
        recorded_for: "厦门市人民政府".to_owned(),
    };
    let ruling = |kind, decision| LawCommand::RecordRuling {
        id,
        kind,
        from: Some(day("2026-09-22")),
        to: None,
        decision,
        reason: reason(),
    };
    let (rule, over) = (|| "rule".to_owned(), || "over".to_owned());
    vec![
        ("load_rule_pack", LawCommand::LoadRulePack { text: text(), reason: reason() }),
        ("load_calendar", LawCommand::LoadCalendar { text: text(), reason: reason() }),
        ("continue_expired", ruling(RulingKind::ContinueExpired { rule: rule() }, Some(decision))),
        ("adapt", ruling(RulingKind::Adapt { rule: rule(), over: over() }, None)),
        ("choose", ruling(RulingKind::Choose { rule: rule(), over: over() }, None)),
        (
            "withdraw_ruling",
            LawCommand::WithdrawRuling { ruling: name(Resource::Ruling(id)), reason: reason() },
        ),
        (
            "declare_closure",
            LawCommand::DeclareClosure {
                document_number: "number".to_owned(),
                days: days(),
                effect: ClosureEffect::RecordedOnly,
            },
        ),
        (
            "withdraw_closure",
            LawCommand::WithdrawClosure { document_number: "number".to_owned(), days: days() },
        ),
        (
            "record_platform_outage",
            LawCommand::RecordPlatformOutage {
                from: time,
                until: time.plus(60_000),
                second_source: "source".to_owned(),
                reason: reason(),
            },
        ),
        (
            "rule_outage",
            LawCommand::RuleOutage {
                case: name(Resource::Request(RequestId::from_bytes([6; 16]))),
                counts: false,
                reason: reason(),
            },
        ),
    ]
}

#[test]
fn golden_commands_mean_what_they_meant() {
    let commands = commands().into_iter().map(|(name, law)| {
        let body = Body::Law(Box::new(law));
        let command = Command {
            level: body.level(),
            stamped_at: UtcMillis(1_790_000_000_000),
            received_at: None,
            caller: Caller {
                domain: "xiamen".parse().unwrap(),
                identity: Identity::Node { id: "1".to_owned() },
            },
            request_id: None,
            call_digest: [0; 32],
            salt: [13; 16],
            body,
        };
        assert_eq!(command.level, 3);
        (name.to_owned(), command)
    });
    golden::check("law", commands);
}
