//! Golden bytes: a log written by any version that was ever released must be read for ever, and
//! mean the same. `testdata/golden/NAME.hex` holds one command of each body; a file is written
//! once (`REWRITE=1` adds missing ones) and never rewritten.

use catalog_model::{
    caller::Identity,
    catalog_entry::{
        Assessment, AssessmentKind, CatalogEntry, DataFormat, DataItem, EntryState, Grade,
        ItemType, OpenType, SharingMethod, SourceLink, UpdateCycle,
    },
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    grant::{Grant, GrantState, Suspension},
    name::Resource,
    rule::{Rank, RuleRef},
    share_request::{
        CaseRules, Commitment, Completion, Decider, Extension, GivenAnswer, Hop, ItemReason,
        Opinion, OverdueMark, Party, PartyRole, ShareRequestState, Term,
    },
    sharing::{LegalCitation, SharingAttribute, SharingKind},
};

use catalog_proofs::{
    head::{Cosignature, Head, SignedHead},
    suite::Suite,
};

use catalog_model::ids::WebhookId;

use super::{
    proof::ProofCommand,
    work::{Attempt, EndedDelivery, WorkCommand},
    *,
};
use crate::notices::NoticeKind;
use crate::rows::{DomainKind, MemberRole, PeerRelation};

mod grants;
// Relations and quality.
mod relations;

fn bytes(n: u8) -> [u8; 16] {
    [n; 16]
}

fn day(text: &str) -> LocalDate {
    text.parse().unwrap()
}

fn time() -> UtcMillis {
    day("2026-09-21").start().plus(9 * 3_600_000)
}

fn xiamen() -> DomainId {
    "xiamen".parse().unwrap()
}

fn name(resource: Resource) -> ResourceName {
    ResourceName::new(xiamen(), resource)
}

fn request_name() -> ResourceName {
    name(Resource::Request(RequestId::from_bytes(bytes(6))))
}

fn grant_name() -> ResourceName {
    name(Resource::Grant(GrantId::from_bytes(bytes(7))))
}

fn rule() -> RuleRef {
    RuleRef {
        id: "N809-21-1-conditional-answer".to_owned(),
        title: "政务数据共享条例".to_owned(),
        article: "21".to_owned(),
        paragraph: 1,
        rank: Rank::AdministrativeRegulation,
        quote: "10个工作日内".to_owned(),
    }
}

fn citation() -> LegalCitation {
    LegalCitation {
        title: "Law".to_owned(),
        article: "25".to_owned(),
        rank: Rank::Law,
        quote: "不得对外提供".to_owned(),
    }
}

fn content() -> EntryContent {
    EntryContent {
        title: "车辆登记".to_owned(),
        title_en: "vehicles".to_owned(),
        abstract_text: "摘要".to_owned(),
        abstract_en: "abstract".to_owned(),
        classification: "类/项".to_owned(),
        resource_code: "code".to_owned(),
        formats: vec![DataFormat::Document, DataFormat::ServiceInterface],
        items: vec![DataItem {
            name: "号牌".to_owned(),
            name_en: "plate".to_owned(),
            item_type: ItemType::Character,
            description: "number".to_owned(),
            sharing: Some(SharingKind::NotShared),
            grade: Some(Grade::General(2)),
            personal: true,
            basis: Some(citation()),
        }],
        update_cycle: Some(UpdateCycle::Quarter),
        sharing: Some(SharingAttribute::Conditional {
            scope: "scope".to_owned(),
            purpose: "purpose".to_owned(),
            basis: Some(citation()),
        }),
        sharing_method: Some(SharingMethod::BatchExchange),
        conditions_of_use: "conditions".to_owned(),
        particulars: None,
        open_type: Some(OpenType::Secure),
        grade: Some(Grade::Important),
        assessments: vec![Assessment {
            kind: AssessmentKind::PersonalInformationImpact,
            passed: true,
            date: day("2026-09-01"),
            note: "note".to_owned(),
        }],
        links: vec![SourceLink {
            system: SystemId::from_bytes(bytes(4)),
            dataset: "table".to_owned(),
        }],
        duty_basis: "duty".to_owned(),
        related_codes: vec!["other".to_owned()],
        keywords: vec!["车辆".to_owned()],
        region_code: "350200".to_owned(),
        issued_date: Some(day("2026-01-02")),
        synthetic: true,
    }
}

fn entry() -> CatalogEntry {
    CatalogEntry {
        id: EntryId::from_bytes(bytes(5)),
        domain: xiamen(),
        provider: OrganizationId::from_bytes(bytes(2)),
        provider_name: "市公安局".to_owned(),
        kind: DataKind::GovernmentData,
        state: EntryState::Published,
        origin: EntryOrigin::Registered,
        content: content(),
        version: 3,
        published_version: 3,
        return_reason: "returned".to_owned(),
        created_time: time(),
        updated_time: time(),
        published_time: Some(time()),
        provider_class: Some(PartyClass::GovernmentDepartment),
    }
}

fn asked() -> RequestContent {
    RequestContent {
        entry: name(Resource::Entry(EntryId::from_bytes(bytes(5)))),
        system: SystemId::from_bytes(bytes(4)),
        scenario: "scenario".to_owned(),
        duty_basis: "duty".to_owned(),
        items: vec!["号牌".to_owned()],
        item_reasons: vec![ItemReason {
            items: vec!["号牌".to_owned()],
            reason: "reason".to_owned(),
        }],
        row_scope: "rows".to_owned(),
        method: Some(SharingMethod::ServiceInterface),
        term: Some(Term { from: day("2026-09-21"), to: day("2027-09-20") }),
        commitments: vec![Commitment::ScenarioAuthentic, Commitment::RequestNecessary],
        rate_per_day: None,
        renews: None,
    }
}

fn party(n: u8) -> Party {
    Party {
        domain: xiamen(),
        organization: OrganizationId::from_bytes(bytes(n)),
        name: format!("party {n}"),
        class: Some(PartyClass::PublicServiceOrganization),
    }
}

/// A case with something in every field.
fn case() -> ShareRequest {
    ShareRequest {
        id: RequestId::from_bytes(bytes(6)),
        domain: "siming".parse().unwrap(),
        owner_domain: xiamen(),
        case_number: "2026-000001".to_owned(),
        requester: party(1),
        provider: party(2),
        content: asked(),
        entry_title: "车辆登记".to_owned(),
        entry_version: 3,
        sharing: SharingKind::Conditional,
        state: ShareRequestState::AgreedInPart,
        received_time: Some(time()),
        rules: Some(CaseRules {
            composition: "xiamen-today".to_owned(),
            pack_version: 1,
            scope: "gov_to_gov".to_owned(),
            debtor: PartyRole::Provider,
            decider: Decider::AuthorityWithProvider,
            decider_rule: rule(),
            answer_rule: Some(rule()),
            answer_head_consent: Some(RuleRef::house("HOUSE-x")),
            escalation: PartyRole::GovernmentOrSuperior,
        }),
        answer_clock: Some(WorkingDayClock {
            kind: DeadlineKind::Answer,
            start_time: time(),
            length: WorkingDays(10),
            extended: WorkingDays(5),
            suspended: WorkingDays(2),
            due_date: day("2026-10-21"),
            due_time: day("2026-10-21").end(),
            provisional: true,
            calendar_version: 1,
            rule: rule(),
            revision: 2,
        }),
        opinions: vec![Opinion {
            by: party(2),
            person: Some(PersonId::from_bytes(bytes(3))),
            in_favor: true,
            text: "opinion".to_owned(),
            given_time: time(),
        }],
        completion: Some(Completion {
            missing: vec!["paper".to_owned()],
            asked_time: time(),
            completed_time: Some(time()),
            suspends: true,
        }),
        extensions: vec![Extension {
            working_days: 5,
            reason: "reason".to_owned(),
            consented_time: time(),
            rule: rule(),
        }],
        overdue: Some(OverdueMark {
            due_time: time(),
            fired_time: time(),
            ordered: vec![party(2)],
            escalated_to: PartyRole::Authority,
            escalated_party: Some(party(8)),
        }),
        answer: Some(GivenAnswer {
            answer: Answer::AgreedInPart {
                items: vec!["号牌".to_owned()], reason: "r".to_owned()
            },
            by: party(2),
            person: Some(PersonId::from_bytes(bytes(3))),
            given_time: time(),
            late: true,
            standing: false,
            rule: Some(rule()),
        }),
        grant: Some(grant_name()),
        hops: vec![Hop { domain: "siming".parse().unwrap(), arrived_time: time() }],
        version: 4,
        created_time: time(),
        updated_time: time(),
        granted: Some(GrantId::from_bytes(bytes(7))),
    }
}

fn grant() -> Grant {
    Grant {
        id: GrantId::from_bytes(bytes(7)),
        domain: xiamen(),
        request: request_name(),
        entry: name(Resource::Entry(EntryId::from_bytes(bytes(5)))),
        entry_version: 3,
        provider: party(2),
        consumer: party(1),
        system: name(Resource::System(
            OrganizationId::from_bytes(bytes(1)),
            SystemId::from_bytes(bytes(4)),
        )),
        scenario: "scenario".to_owned(),
        items: vec!["号牌".to_owned()],
        row_scope: "rows".to_owned(),
        term: Term { from: day("2026-09-21"), to: day("2027-09-20") },
        state: GrantState::Suspended,
        suspension: Some(Suspension {
            reason: "reason".to_owned(),
            since: time(),
            rectify_by: day("2026-10-30"),
            by: party(8),
        }),
        termination_reason: "why".to_owned(),
        rule: Some(rule()),
        version: 2,
        granted_time: time(),
        updated_time: time(),
        course: None,
        rate_per_day: None,
    }
}

fn organization_content() -> OrganizationContent {
    OrganizationContent {
        name: "市公安局".to_owned(),
        name_en: "police".to_owned(),
        credit_code: "11350200RYN000029Y".to_owned(),
        class: Some(PartyClass::LawAuthorizedOrganization),
        capacities: vec![DataKind::GovernmentData, DataKind::PublicServiceData],
        platform_role: Some(PlatformRole::PlatformManager),
        region_code: "350200".to_owned(),
    }
}

fn bootstrap() -> Bootstrap {
    let organization = OrganizationId::from_bytes(bytes(2));
    Bootstrap {
        cluster: ClusterConfig {
            cluster_id: bytes(9),
            generation: 1,
            domain: xiamen(),
            kind: DomainKind::City,
            display_name: "厦门".to_owned(),
            development_clock: true,
            composition: "xiamen-today".to_owned(),
            page_token_key: [10; 32],
            hash_suite: None,
        },
        clock: time(),
        calendar: "date,kind".to_owned(),
        rule_pack: "{}".to_owned(),
        organizations: vec![Organization {
            id: organization,
            domain: xiamen(),
            name: "市数据管理局".to_owned(),
            name_en: "data bureau".to_owned(),
            credit_code: Some("11350200RYN0000102".parse().unwrap()),
            class: Some(PartyClass::GovernmentDepartment),
            capacities: vec![DataKind::GovernmentData],
            platform_role: Some(PlatformRole::Authority),
            region_code: "350200".to_owned(),
            verified: true,
            version: 1,
            created_time: time(),
            updated_time: time(),
        }],
        persons: vec![Person {
            id: PersonId::from_bytes(bytes(3)),
            organization,
            display_name: "person".to_owned(),
            roles: vec![PersonRole::DepartmentHead, PersonRole::ChiefDataOfficer],
            version: 1,
            created_time: time(),
            updated_time: time(),
            terms: None,
        }],
        systems: vec![System {
            id: SystemId::from_bytes(bytes(4)),
            organization,
            display_name: "system".to_owned(),
            description: "description".to_owned(),
            version: 1,
            created_time: time(),
            updated_time: time(),
        }],
        peers: vec![Peer { domain: "fujian".parse().unwrap(), relation: PeerRelation::Superior }],
        level: None,
        members: None,
    }
}

/// As clusters begin from level 2 on.
fn bootstrap_with_members() -> Bootstrap {
    Bootstrap { level: Some(2), members: Some(members()), ..bootstrap() }
}

fn bootstrap_with_sm3() -> Bootstrap {
    let plain = bootstrap_with_members();
    let cluster = ClusterConfig { hash_suite: Some(Suite::Sm3Sm2), ..plain.cluster };
    Bootstrap { level: Some(3), cluster, ..plain }
}

fn members() -> Vec<Member> {
    let member = |(id, role)| Member { id, address: format!("node-{id}:7001"), role, site: None };
    [(1, MemberRole::Voter), (2, MemberRole::Learner), (300, MemberRole::Leaving)]
        .map(member)
        .into()
}

fn token() -> FeedToken {
    FeedToken {
        cluster_id: bytes(9),
        generation: 1,
        scope: FeedScope::Shared,
        revision: 1,
        hash: [11; 32],
    }
}

/// Every body there is, under the name of its file. The match has no wildcard: a new body does not
/// compile without one.
fn file(body: &Body) -> &'static str {
    match body {
        Body::Bootstrap(bootstrap) if bootstrap.cluster.hash_suite.is_some() => "bootstrap_sm3",
        Body::Bootstrap(bootstrap) if bootstrap.level.is_some() => "bootstrap_level_2",
        Body::Bootstrap(_) => "bootstrap",
        Body::AdvanceClock { portion: Some(_), .. } => "advance_clock_in_portions",
        Body::AdvanceClock { .. } => "advance_clock",
        Body::CreateOrganization { .. } => "create_organization",
        Body::UpdateOrganization { .. } => "update_organization",
        Body::CreatePerson { .. } => "create_person",
        Body::CreateSystem { .. } => "create_system",
        Body::RegisterEntry { .. } => "register_entry",
        Body::ImportEntries { .. } => "import_entries",
        Body::UpdateEntry { .. } => "update_entry",
        Body::GiveConsent { .. } => "give_consent",
        Body::SubmitEntry { .. } => "submit_entry",
        Body::ReturnEntry { .. } => "return_entry",
        Body::PublishEntry { .. } => "publish_entry",
        Body::WithdrawEntry { .. } => "withdraw_entry",
        Body::CreateRequest { content, .. } if content.renews.is_some() => {
            "create_request_renewing"
        }
        Body::CreateRequest { .. } => "create_request",
        Body::CompleteRequest { .. } => "complete_request",
        Body::GiveOpinion { .. } => "give_opinion",
        Body::AnswerRequest { .. } => "answer_request",
        Body::ExtendRequest { .. } => "extend_request",
        Body::WithdrawRequest { .. } => "withdraw_request",
        Body::SuspendGrant { .. } => "suspend_grant",
        Body::TerminateGrant { .. } => "terminate_grant",
        Body::ReceiveForwarded { .. } => "receive_forwarded",
        Body::ReceiveStatus { grant: Some(grant), .. } if grant.course.is_some() => {
            "receive_status_with_course"
        }
        Body::ReceiveStatus { .. } => "receive_status",
        Body::AckOutbox { .. } => "ack_outbox",
        Body::ApplyFeedBatch { .. } => "apply_feed_batch",
        Body::ProbePut { .. } => "probe_put",
        Body::ProbeCompareAndSet { .. } => "probe_compare_and_set",
        Body::ChangeMembers { change: MemberChange::AddLearner { .. }, .. } => "add_learner",
        Body::ChangeMembers { change: MemberChange::Promote { .. }, .. } => "promote_member",
        Body::ChangeMembers { change: MemberChange::Remove { .. }, .. } => "remove_member",
        Body::ChangeMembers { change: MemberChange::Replace { .. }, .. } => "replace_member",
        Body::ChangeMembers { change: MemberChange::Finish, .. } => "finish_member_change",
        Body::RaiseLevel { .. } => "raise_level",
        Body::RecordOutage { .. } => "record_outage",
        Body::Grant(command) => grants::file(command),
        Body::Catalog(command) => catalog_life(command),
        Body::Law(_) => unreachable!("the law has golden files of its own"),
        Body::Case(_) => "a folder of their own: command/case/tests.rs",
        Body::Sites(_) => "a folder of their own: command/sites/tests.rs",
        // Relations and quality.
        Body::Relations(_) | Body::Quality(_) => unreachable!("they have a folder of their own"),
        Body::Drill(_) => unreachable!("drills have a folder of their own"),
        Body::Work(command) => match **command {
            WorkCommand::AckNotices { .. } => "work_ack_notices",
            WorkCommand::RegisterWebhook { .. } => "work_register_webhook",
            WorkCommand::RemoveWebhook { .. } => "work_remove_webhook",
            WorkCommand::RecordDeliveries { .. } => "work_record_deliveries",
        },
        Body::Proof(command) => match **command {
            ProofCommand::ReceiveHead { .. } => "proof_receive_head",
            ProofCommand::ReceiveCosignature { .. } => "proof_receive_cosignature",
            ProofCommand::SealSegment { .. } => "proof_seal_segment",
            ProofCommand::ErasePayload { .. } => "proof_erase_payload",
            ProofCommand::PurgePayloads { .. } => "proof_purge_payloads",
            ProofCommand::ReceiveFork { .. } => "a folder of their own: command/sites/tests.rs",
        },
    }
}

fn catalog_life(command: &catalog::CatalogCommand) -> &'static str {
    use catalog::CatalogCommand as Life;
    match command {
        Life::ReportChange { .. } => "report_change",
        Life::ExtendUpdate { .. } => "extend_update",
        Life::CompleteUpdate { .. } => "complete_update",
        Life::ReviewAttribute { .. } => "review_attribute",
        Life::StartReclassification { .. } => "start_reclassification",
        Life::RuleReclassification { .. } => "rule_reclassification",
        Life::SuspendEntry { .. } => "suspend_entry",
        Life::ResumeEntry { .. } => "resume_entry",
        Life::ArchiveEntry { .. } => "archive_entry",
        Life::MarkImportant { .. } => "mark_important",
        Life::UpdatePerson { .. } => "update_person",
        Life::RefuseSecret { .. } => "refuse_secret",
    }
}

fn catalog_lives() -> Vec<Body> {
    use catalog::CatalogCommand as Life;
    use catalog_model::{
        catalog_entry::SecrecyMark,
        entry_file::{ChangeTrigger, ReviewOutcome, SuspensionGround},
        organization::RoleTerm,
        paper_decision::PaperDecision,
    };
    let organization = OrganizationId::from_bytes(bytes(2));
    let id = EntryId::from_bytes(bytes(5));
    let decision = PaperDecision {
        document_number: "厦府〔2026〕1号".to_owned(),
        digest: [9; 32],
        date: day("2026-09-01"),
        issuing_body: "government".to_owned(),
        recorded_for: "authority".to_owned(),
    };
    let (version, reason) = (3, || "reason".to_owned());
    let lives = [
        Life::ReportChange {
            subject: name(Resource::Entry(id)),
            trigger: ChangeTrigger::StateCouncilDecision,
            day: day("2026-09-01"),
            citation: reason(),
        },
        Life::ExtendUpdate {
            subject: name(Resource::Organization(organization)),
            working_days: 5,
            reason: reason(),
        },
        Life::CompleteUpdate { organization, entries: vec![id] },
        Life::ReviewAttribute { id, version, outcome: ReviewOutcome::ToBeWidened, note: reason() },
        Life::StartReclassification { cause: reason() },
        Life::RuleReclassification { id, decision: decision.clone() },
        Life::SuspendEntry { id, version, ground: SuspensionGround::WorkSecret, reason: reason() },
        Life::ResumeEntry { id, version, reason: reason() },
        Life::ArchiveEntry { id, version },
        Life::MarkImportant { id, important: true, decision },
        Life::UpdatePerson {
            organization,
            person: PersonId::from_bytes(bytes(3)),
            version,
            display_name: "person".to_owned(),
            terms: vec![RoleTerm {
                role: PersonRole::SharingOfficeHead,
                from: day("2026-01-01"),
                until: Some(day("2026-12-31")),
            }],
        },
        Life::RefuseSecret { organization, mark: SecrecyMark::WorkSecret },
    ];
    lives.into_iter().map(|life| Body::Catalog(Box::new(life))).collect()
}

fn bodies() -> Vec<Body> {
    let organization = OrganizationId::from_bytes(bytes(2));
    let entry_id = EntryId::from_bytes(bytes(5));
    let person = PersonId::from_bytes(bytes(3));
    let grant_id = GrantId::from_bytes(bytes(7));
    let (request, reason) = (request_name(), "reason".to_owned());
    let change = |change, current| Body::ChangeMembers { version: 7, change, current };
    let record = crate::feed::FeedRecord { revision: 1, entry: entry_id, now: Some(entry()) };
    vec![
        Body::Bootstrap(Box::new(bootstrap())),
        Body::AdvanceClock { to: time(), development: true, portion: None },
        Body::CreateOrganization { id: organization, content: organization_content() },
        Body::UpdateOrganization { id: organization, version: 1, content: organization_content() },
        Body::CreatePerson {
            id: person,
            organization,
            display_name: "person".to_owned(),
            roles: vec![PersonRole::SharingOfficeHead, PersonRole::Operator],
        },
        Body::CreateSystem {
            id: SystemId::from_bytes(bytes(4)),
            organization,
            display_name: "system".to_owned(),
            description: "description".to_owned(),
        },
        Body::RegisterEntry {
            id: entry_id,
            provider: organization,
            kind: DataKind::PublicServiceData,
            content: content(),
        },
        Body::ImportEntries {
            entries: vec![ImportedEntry {
                id: entry_id,
                organization,
                provider_name: "provider".to_owned(),
                provider_name_en: "provider".to_owned(),
                content: content(),
                origin: EntryOrigin::OpenPortal {
                    portal: "portal".to_owned(),
                    seq: 12,
                    open_type_raw: "依申请开放".to_owned(),
                    update_cycle_raw: "每年".to_owned(),
                },
            }],
        },
        Body::UpdateEntry { id: entry_id, version: 1, content: content() },
        Body::GiveConsent {
            subject: request.clone(),
            version: 1,
            kind: ConsentKind::Answer,
            person,
            answer: Some(Answer::Refused { ground: "ground".to_owned(), reason: reason.clone() }),
        },
        Body::SubmitEntry { id: entry_id, version: 2 },
        Body::ReturnEntry { id: entry_id, version: 3, reason: reason.clone() },
        Body::PublishEntry { id: entry_id, version: 4 },
        Body::WithdrawEntry { id: entry_id, version: 5, reason: reason.clone() },
        Body::CreateRequest {
            id: RequestId::from_bytes(bytes(6)),
            grant: grant_id,
            content: asked(),
            consenting_person: Some(person),
        },
        Body::CompleteRequest {
            request: request.clone(),
            version: 1,
            missing: vec!["paper".to_owned()],
            completed: Some(asked()),
        },
        Body::GiveOpinion {
            request: request.clone(),
            version: 1,
            in_favor: false,
            text: "text".to_owned(),
        },
        Body::AnswerRequest {
            request: request.clone(),
            version: 1,
            answer: Answer::AgreedInPart {
                items: vec!["号牌".to_owned()], reason: reason.clone()
            },
            grant: grant_id,
        },
        Body::ExtendRequest {
            request: request.clone(),
            version: 1,
            working_days: 5,
            reason: reason.clone(),
        },
        Body::WithdrawRequest { request, version: 2, reason: reason.clone() },
        Body::SuspendGrant {
            grant: grant_name(),
            version: 1,
            reason: reason.clone(),
            rectify_by: day("2026-10-30"),
        },
        Body::TerminateGrant { grant: grant_name(), version: 2, reason },
        Body::ReceiveForwarded { request: Box::new(case()), grant: grant_id },
        Body::ReceiveStatus { request: Box::new(case()), grant: Some(Box::new(grant())) },
        Body::AckOutbox { destination: "fujian".parse().unwrap(), through: 12 },
        Body::ApplyFeedBatch {
            source: "fujian".parse().unwrap(),
            scope: FeedScope::Full,
            expected: Some(token()),
            records: vec![crate::codec::encode(&record).into()],
            token: token(),
        },
        Body::ProbePut { key: vec![1], value: vec![2] },
        Body::ProbeCompareAndSet { key: vec![1], expected: Some(vec![2].into()), value: vec![3] },
        Body::Bootstrap(Box::new(bootstrap_with_members())),
        change(
            MemberChange::AddLearner { id: 4, address: "node-4:7001".to_owned(), site: None },
            members(),
        ),
        change(MemberChange::Promote { id: 4 }, Vec::new()),
        change(MemberChange::Remove { id: 3 }, Vec::new()),
        change(MemberChange::Replace { out: 3, replacement: 4 }, Vec::new()),
        change(MemberChange::Finish, Vec::new()),
        Body::RaiseLevel { level: 2 },
        Body::RecordOutage {
            node: 1,
            kind: OutageKind::DiskNearlyFull,
            from: time(),
            until: time().plus(1),
        },
    ]
}

/// Of heads, archives and erasure.
fn proofs() -> Vec<Body> {
    vec![
        Body::Bootstrap(Box::new(bootstrap_with_sm3())),
        proof(ProofCommand::ReceiveHead {
            head: SignedHead { head: head(), signature: vec![1; 64], certificate: vec![2; 3] },
            from: 5,
            path: vec![[3; 32].into(), [4; 32].into()],
        }),
        proof(ProofCommand::ReceiveCosignature {
            cosignature: Cosignature {
                cosigner: "fujian".parse().unwrap(),
                cosigner_cluster: bytes(5),
                time: time(),
                head: head(),
                suite: Suite::Sm3Sm2,
                signature: vec![6; 64],
                certificate: vec![7; 3],
            },
        }),
        proof(ProofCommand::SealSegment { through: 8 }),
        proof(ProofCommand::ErasePayload { sequence: 9, ground: "ground".to_owned() }),
        proof(ProofCommand::PurgePayloads { through: 10 }),
    ]
}

/// Of notices.
fn notices() -> Vec<Body> {
    let id = WebhookId::from_bytes(bytes(7));
    let attempt = Attempt {
        sequence: 12,
        attempts: 3,
        first_time: time(),
        next_time: time().plus(4_000),
        answer: "503".to_owned(),
    };
    let ended = EndedDelivery {
        sequence: 11,
        arrived: true,
        attempts: 1,
        answer: "204".to_owned(),
        time: time(),
    };
    [
        WorkCommand::AckNotices { through: 9 },
        WorkCommand::RegisterWebhook {
            id,
            url: "https://oa.example/luqiao".to_owned(),
            kinds: vec![NoticeKind::CaseReceived, NoticeKind::Overdue],
        },
        WorkCommand::RemoveWebhook { id, version: 1 },
        WorkCommand::RecordDeliveries {
            id,
            from: 11,
            through: 12,
            ended: vec![ended],
            attempt: Some(attempt),
        },
    ]
    .map(|command| Body::Work(Box::new(command)))
    .into()
}

fn proof(command: ProofCommand) -> Body {
    Body::Proof(Box::new(command))
}

fn head() -> Head {
    Head {
        domain: xiamen(),
        cluster_id: bytes(9),
        generation: 1,
        tree_size: 7,
        root_hash: [8; 32],
        time: time(),
        suite: Suite::Sha256Ed25519,
    }
}

/// Callers of every kind, in turn.
fn caller(place: usize) -> Caller {
    let organization = OrganizationId::from_bytes(bytes(2));
    let identity = match place % 4 {
        0 => Identity::Node { id: "n1".to_owned() },
        1 => Identity::Gateway { id: "g1".to_owned() },
        2 => Identity::Person { organization, person: PersonId::from_bytes(bytes(3)) },
        _ => Identity::System {
            organization,
            system: SystemId::from_bytes(bytes(4)),
            asserted_person: Some(PersonId::from_bytes(bytes(3))),
        },
    };
    Caller { domain: xiamen(), identity }
}

#[test]
fn golden_bytes_mean_what_they_meant() {
    let of_level_3 = grants::bodies().into_iter().chain([grants::told(), grants::renewing()]);
    // The place decides about the caller: each group keeps the numbers with which it began.
    let numbered = bodies().into_iter().chain(of_level_3).enumerate();
    let numbered = numbered.chain(catalog_lives().into_iter().enumerate());
    let proofs = proofs().into_iter().zip(bodies().len()..).map(|(body, place)| (place, body));
    let notices = notices().into_iter().enumerate();
    let portion = Body::AdvanceClock { to: time(), development: false, portion: Some(64) };
    let each = numbered.chain(proofs).chain(notices).chain([(0, portion)]);
    let commands = each.map(|(place, body)| {
        let name = file(&body).to_owned();
        let command = Command {
            level: body.level(),
            stamped_at: time(),
            received_at: Some(time().plus(1)),
            caller: caller(place),
            request_id: Some("request".to_owned()),
            call_digest: [12; 32],
            salt: bytes(13),
            body,
        };
        (name, command)
    });
    golden::check("", commands);
}

#[test]
fn what_this_version_does_not_know_does_not_decode() {
    let command = Command {
        level: 1,
        stamped_at: time(),
        received_at: None,
        caller: caller(0),
        request_id: None,
        call_digest: [0; 32],
        salt: bytes(0),
        body: Body::ProbePut { key: vec![1], value: vec![2] },
    };
    let bytes = command.encode();
    assert_eq!(Command::decode(&bytes).unwrap(), command);
    // Another format, an unknown body, a cut log entry, nothing.
    let mut format = bytes.clone();
    format[0] = 2;
    assert!(Command::decode(&format).is_err());
    // The body's index is written in two bytes beyond 23.
    let index = bytes.windows(2).rposition(|pair| pair == [0x18, 26]).expect("probe_put is 26");
    let mut unknown = bytes.clone();
    unknown[index + 1] = 200;
    assert!(Command::decode(&unknown).is_err());
    assert!(Command::decode(&bytes[..bytes.len() - 1]).is_err());
    assert!(Command::decode(&[]).is_err());
}

/// A cluster of before knows no suite, and its bytes stay as they are: the snapshot of such a
/// cluster and that of one which names the usual suite differ by that one field alone.
#[test]
fn a_cluster_without_a_suite_is_written_as_before() {
    let config = bootstrap().cluster;
    let bytes = crate::codec::encode(&config);
    assert_eq!(bytes[1], 0x88, "an array of eight");
    assert_eq!(config.suite(), Suite::Sha256Ed25519);
    let named = ClusterConfig { hash_suite: Some(Suite::Sm3Sm2), ..config };
    assert_eq!(crate::codec::encode(&named)[1], 0x89, "an array of nine");
    assert_eq!(Body::Bootstrap(Box::new(bootstrap_with_sm3())).level(), 3);
}
