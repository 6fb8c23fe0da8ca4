//! Golden bytes of the commands of drills: `testdata/golden/drill/NAME.hex`, each written once
//! (`REWRITE=1` adds missing ones) and never rewritten.

use catalog_model::{
    caller::{Caller, Identity},
    drill::Rpo,
    ids::{OrganizationId, SystemId},
};

use super::*;
use crate::command::{Body, Command, golden};

fn time() -> UtcMillis {
    UtcMillis(1_789_952_400_000)
}

/// The name of a command's file. No wildcard: a new command does not compile without one.
fn file(command: &DrillCommand) -> &'static str {
    match command {
        DrillCommand::Open { .. } => "open",
        DrillCommand::Approve { .. } => "approve",
        DrillCommand::Step { .. } => "step",
        DrillCommand::Close { .. } => "close",
        DrillCommand::Abandon { .. } => "abandon",
        DrillCommand::Probe { .. } => "probe",
        DrillCommand::Sweep { .. } => "sweep",
    }
}

fn commands() -> Vec<DrillCommand> {
    let drill = DrillId::from_bytes([5; 16]);
    let result = DrillResult {
        ok: true,
        rpo: Rpo::ProvenZero,
        acknowledged: 9,
        lost: 0,
        duplicated: 0,
        timers_wrong: 0,
        pause_ms: 40,
        rto_ms: 35,
        would_have_lost: Some(2),
        report: DocumentDigest([6; 32]),
    };
    let step = StepTold {
        phase: DrillPhase::Act,
        name: "kill-leader".to_owned(),
        began: time(),
        ended: time().plus(3),
        ok: true,
        note: "node 2".to_owned(),
    };
    vec![
        DrillCommand::Open {
            id: drill,
            plan: "leader-kill".to_owned(),
            plan_digest: DocumentDigest([7; 32]),
            why: "每季度一次".to_owned(),
            approvals_needed: 1,
            takes_site: true,
            confirmed: "xiamen".to_owned(),
        },
        DrillCommand::Approve { drill },
        DrillCommand::Step { drill, version: 2, step },
        DrillCommand::Close { drill, version: 3, result },
        DrillCommand::Abandon { drill, version: 3, reason: "改期".to_owned() },
        DrillCommand::Probe { drill, sequences: vec![1, 300], due_after_ms: Some(2000) },
        DrillCommand::Sweep { drill },
    ]
}

#[test]
fn golden_bytes_of_drill_commands_mean_what_they_meant() {
    let commands = commands().into_iter().map(|command| {
        let name = file(&command).to_owned();
        let body = Body::Drill(Box::new(command));
        assert_eq!(body.level(), 4);
        let command = Command {
            level: body.level(),
            stamped_at: time(),
            received_at: None,
            caller: Caller {
                domain: "xiamen".parse().unwrap(),
                identity: Identity::System {
                    organization: OrganizationId::from_bytes([2; 16]),
                    system: SystemId::from_bytes([4; 16]),
                    asserted_person: None,
                },
            },
            request_id: Some("request".to_owned()),
            call_digest: [12; 32],
            salt: [13; 16],
            body,
        };
        (name, command)
    });
    golden::check("drill", commands);
}
