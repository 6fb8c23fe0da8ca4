//! Golden bytes of the commands about sites, in `testdata/golden/sites`; a file is written once
//! (`REWRITE=1` adds missing ones) and never rewritten.

use catalog_model::{
    caller::{Caller, Identity},
    document_digest::DocumentDigest,
    ids::{OrganizationId, PersonId},
    name::Resource,
    witness::{
        Act, ActAtRisk, Confirmation, Deposit, Failover, Found, Lease, Opened, Release, Seal,
        Statement,
    },
};

use catalog_proofs::{
    head::{Head, SignedHead},
    suite::Suite,
};

use super::*;
use crate::{
    command::{Body, Command, MemberChange, golden, proof::ProofCommand},
    rows::{Member, MemberRole, sites::SwitchoverState},
};

fn site(name: &str) -> SiteId {
    name.parse().unwrap()
}

fn xiamen() -> DomainId {
    "xiamen".parse().unwrap()
}

fn person(n: u8) -> ResourceName {
    let organization = OrganizationId::from_bytes([n; 16]);
    ResourceName::new(xiamen(), Resource::Person(organization, PersonId::from_bytes([n + 1; 16])))
}

fn pair(generation: u64, epoch: u64) -> Pair {
    Pair { generation, epoch }
}

fn approvals(act: Act) -> Vec<Approval> {
    let statement = Statement {
        domain: xiamen(),
        act,
        from: site("main"),
        to: site("standby"),
        pair: pair(1, 2),
        expires: UtcMillis(3),
        release: Release::NotKnown,
    };
    vec![Approval { statement, approver: person(4), signature: vec![5], certificate: vec![6, 7] }]
}

fn deposit() -> Deposit {
    Deposit { index: 50, ledger_size: 7, root: [8; 32], signature: vec![9; 64], acts: 1 }
}

/// A cell with something in every field.
fn cell() -> Cell {
    Cell {
        revision: 3,
        pair: pair(2, 2),
        active_site: site("standby"),
        sites: vec![site("main"), site("standby")],
        mode: Mode::Async,
        term: 5,
        by: 1,
        lease: Some(Lease { term: 5, length_ms: 30_000, renewals: 4 }),
        deposit: Some(deposit()),
        failover: Some(Failover {
            found: Found {
                pair: pair(1, 1),
                site: site("main"),
                mode: Mode::Sync,
                lease: None,
                deposit: Some(deposit()),
                confirmed: true,
            },
            release: Release::Yes,
            approvals: approvals(Act::Failover),
            seals: vec![seal()],
            begun_time: UtcMillis(11),
        }),
        approvers: vec![person(1)],
        confirmation: Confirmation {
            witness_generation: 1,
            registered: true,
            sites: vec![site("main")],
        },
        opened: Some(Opened {
            pair: pair(1, 1),
            verdict: Verdict::Bounded,
            nodes: vec![1, 2],
            time: UtcMillis(12),
        }),
    }
}

fn seal() -> Seal {
    Seal {
        node: 4,
        site: site("standby"),
        belonged: pair(1, 1),
        last_term: 5,
        last_index: 90,
        commit: 80,
    }
}

fn writes() -> Vec<(&'static str, SitesCommand)> {
    let named = vec![ActAtRisk { index: 50, name: person(1) }];
    let writes = [
        CellWrite::Register {
            sites: vec![site("main"), site("standby")],
            active: site("main"),
            mode: Mode::Sync,
            approvers: vec![person(1)],
            approvals: approvals(Act::Failover),
        },
        CellWrite::Take,
        CellWrite::SetMode { mode: Mode::Async },
        CellWrite::Renew { deposit: Some(deposit()), named },
        CellWrite::Switch { approvals: approvals(Act::Switchover) },
        CellWrite::BeginFailover { to: site("standby"), approvals: approvals(Act::Failover) },
        CellWrite::ReportSeal { seal: seal() },
        CellWrite::Open { verdict: Verdict::Unknown, nodes: vec![4, 5] },
        CellWrite::Confirm,
        CellWrite::ConfirmByApproval { approvals: approvals(Act::ConfirmWitness) },
    ];
    let writer = Writer { node: 1, site: site("main"), pair: pair(1, 1), term: 5 };
    let each = writes.into_iter().map(|write| {
        let (domain, revision, writer) = (xiamen(), 3, Some(writer.clone()));
        (write.name(), SitesCommand::WriteCell { domain, revision, writer, write })
    });
    each.collect()
}

fn fork() -> Fork {
    Fork {
        from: pair(1, 1),
        pair: pair(2, 2),
        site: site("standby"),
        verdict: Verdict::Unknown,
        missing: vec!["standby voter 5".to_owned()],
        greatest_head: Some(GreatestHead { tree_size: 9, root: [1; 32] }),
        approvals: approvals(Act::Failover),
        attested: Attested { time: UtcMillis(13), nodes: vec![4, 5] },
        cell: Some(Box::new(cell())),
        witness: Some("fujian".parse().unwrap()),
    }
}

fn commands() -> Vec<(&'static str, Body)> {
    let policy = DrPolicyContent {
        document_number: "1".to_owned(),
        digest: DocumentDigest([2; 32]),
        approvers: vec![person(1), person(3)],
        witness: Some("fujian".parse().unwrap()),
    };
    let begin = SwitchoverStep::Begin {
        to: site("standby"),
        approvals: approvals(Act::Switchover),
        max_pause_ms: 1_000,
    };
    let reach = SwitchoverStep::Reach { number: 1, state: SwitchoverState::CellWritten };
    let reason = "reason".to_owned();
    let sites = vec![NodeSite { node: 1, site: site("main") }];
    let by_witness = ModeBasis::Witness { revision: 4 };
    let approved =
        ModeBasis::Approvals { approvals: approvals(Act::Release), reason: reason.clone() };
    let mut commands = writes();
    commands.extend([
        ("note_cell", SitesCommand::NoteCell { cell: Box::new(cell()) }),
        ("set_sites", SitesCommand::SetSites { version: 2, sites, active: site("main") }),
        ("change_mode", SitesCommand::ChangeMode { mode: Mode::Sync, basis: by_witness }),
        ("release", SitesCommand::ChangeMode { mode: Mode::Async, basis: approved }),
        ("set_policy", SitesCommand::SetPolicy { policy }),
        (
            "release_acts",
            SitesCommand::ReleaseActs {
                approvals: approvals(Act::ReleaseActs),
                reason: reason.clone(),
            },
        ),
        ("switchover_begin", SitesCommand::Switchover { step: begin }),
        ("switchover_reach", SitesCommand::Switchover { step: reach }),
        ("record_fork", SitesCommand::RecordFork { fork: Box::new(fork()) }),
        ("close_window", SitesCommand::CloseWindow { generation: 2, reason }),
    ]);
    let mut bodies: Vec<(&str, Body)> = commands
        .into_iter()
        .map(|(name, command)| (name, Body::Sites(Box::new(command))))
        .collect();
    let address = "node-4:7001".to_owned();
    let current = Member {
        id: 1,
        address: address.clone(),
        role: MemberRole::Voter,
        site: Some(site("main")),
    };
    let change = MemberChange::AddLearner { id: 4, address, site: Some(site("standby")) };
    let body = Body::ChangeMembers { version: 1, change, current: vec![current] };
    bodies.push(("add_learner_at_a_site", body));
    let fork = ProofCommand::ReceiveFork {
        head: SignedHead { head: head(), signature: vec![1; 64], certificate: vec![2; 3] },
        pair: pair(2, 2),
        tree_size: 5,
        root: [3; 32],
        path: vec![[4; 32].into()],
    };
    bodies.push(("receive_fork", Body::Proof(Box::new(fork))));
    bodies
}

fn head() -> Head {
    Head {
        domain: xiamen(),
        cluster_id: [1; 16],
        generation: 2,
        tree_size: 7,
        root_hash: [2; 32],
        time: UtcMillis(3),
        suite: Suite::Sha256Ed25519,
    }
}

#[test]
fn golden_bytes_mean_what_they_meant() {
    let commands = commands().into_iter().map(|(name, body)| {
        assert_eq!(body.level(), 4, "{name}");
        let command = Command {
            level: body.level(),
            stamped_at: UtcMillis(1),
            received_at: None,
            caller: Caller { domain: xiamen(), identity: Identity::Node { id: "1".to_owned() } },
            request_id: None,
            call_digest: [0; 32],
            salt: [2; 16],
            body,
        };
        (name.to_owned(), command)
    });
    golden::check("sites", commands);
}
