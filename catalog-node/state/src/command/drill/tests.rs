//! Golden bytes of the commands of drills: `testdata/golden/drill/NAME.hex`, each written once
//! (`REWRITE=1` adds missing ones) and never rewritten.

use std::{env, fs, path::PathBuf};

use catalog_model::{
    caller::{Caller, Identity},
    drill::Rpo,
    ids::{OrganizationId, SystemId},
};

use super::*;
use crate::command::{Body, Command};

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

fn to_hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.chunks(40).map(|line| line.concat() + "\n").collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn golden_bytes_of_drill_commands_mean_what_they_meant() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/drill");
    let mut known = Vec::new();
    for command in commands() {
        let name = format!("{}.hex", file(&command));
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
        let path = folder.join(&name);
        if env::var_os("REWRITE").is_some() && !path.exists() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, to_hex(&command.encode())).unwrap();
        }
        let golden = from_hex(&fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}")));
        assert_eq!(Command::decode(&golden).unwrap(), command, "{name}");
        assert_eq!(command.encode(), golden, "{name} is written differently now");
        known.push(name);
    }
    let mut found: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}
