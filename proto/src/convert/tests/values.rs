//! Values with every field filled, so that nothing can get lost unseen.

use catalog_model::{
    catalog_entry::{
        Assessment, AssessmentKind, CatalogEntry, DataFormat, DataItem, EntryContent, EntryOrigin,
        EntryParticulars, EntryState, Grade, ItemType, Library, OpenType, SecrecyMark, SelfCheck,
        SelfCheckKind, SharingMethod, SourceLink, UpdateCycle,
    },
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    document_digest::DocumentDigest,
    grant::{
        Delivery, DeliveryOffer, DeliveryProof, DisposalManner, DisposalProof, DisposalRequirement,
        Grant, GrantCourse, GrantState, Judgement, MisuseGround, PurposeEnd, PurposeEndKind,
        Rectification, RectificationReport, ServiceNotice, Suspension, UseAgreement, WiderUse,
        WiderUseKind,
    },
    ids::{
        DomainId, EntryId, GrantId, OrganizationId, PersonId, RequestId, ServiceChangeId, SystemId,
    },
    name::{Resource, ResourceName},
    organization::{DataKind, PartyClass},
    rule::{Rank, RuleRef},
    service_change::{ServiceChangeCause, ServiceChangeKind, ServiceChangeState},
    share_request::{
        Answer, CaseRules, Commitment, Completion, Decider, Extension, GivenAnswer, Hop,
        ItemReason, Opinion, OverdueMark, Party, PartyRole, RequestContent, ShareRequest,
        ShareRequestState, Term,
    },
    sharing::{LegalCitation, SharingAttribute, SharingKind},
    time::{LocalDate, UtcMillis},
};

pub(crate) fn domain(text: &str) -> DomainId {
    text.parse().expect("a domain")
}

pub(crate) fn day(text: &str) -> LocalDate {
    text.parse().expect("a day")
}

/// 2026-09-21 09:00 in Asia/Shanghai, and `ms` more: no two instants of a value are equal.
pub(crate) fn at(ms: u64) -> UtcMillis {
    UtcMillis(1_789_952_400_000 + ms)
}

pub(crate) fn id(number: u8) -> [u8; 16] {
    [number; 16]
}

pub(crate) fn rule(id: &str) -> RuleRef {
    RuleRef {
        id: id.into(),
        title: "政务数据共享条例".into(),
        article: "21".into(),
        paragraph: 1,
        rank: Rank::AdministrativeRegulation,
        quote: "自收到申请之日起".into(),
    }
}

pub(crate) fn party(home: &str, number: u8) -> Party {
    Party {
        domain: domain(home),
        organization: OrganizationId::from_bytes(id(number)),
        name: format!("单位 {number}"),
        class: Some(PartyClass::PublicServiceOrganization),
    }
}

pub(crate) fn entry() -> CatalogEntry {
    CatalogEntry {
        id: EntryId::from_bytes(id(1)),
        domain: domain("xiamen"),
        provider: OrganizationId::from_bytes(id(2)),
        provider_name: "市政园林部门".into(),
        kind: DataKind::PublicServiceData,
        state: EntryState::ChangeSubmitted,
        origin: EntryOrigin::OpenPortal {
            portal: "开放平台".into(),
            seq: u64::MAX,
            open_type_raw: "依申请".into(),
            update_cycle_raw: "按需".into(),
        },
        content: content(),
        version: 7,
        published_version: 5,
        return_reason: "缺少信息项".into(),
        created_time: at(1),
        updated_time: at(2),
        published_time: Some(at(3)),
        provider_class: Some(PartyClass::LawAuthorizedOrganization),
    }
}

pub(crate) fn content() -> EntryContent {
    EntryContent {
        title: "排水管网信息".into(),
        title_en: "Drainage network".into(),
        abstract_text: "管线的位置与口径".into(),
        abstract_en: "Position and diameter of pipes".into(),
        classification: "城乡建设/排水".into(),
        resource_code: "3502/000001".into(),
        formats: vec![DataFormat::Spreadsheet, DataFormat::ServiceInterface],
        items: vec![
            DataItem {
                name: "管线编号".into(),
                name_en: "pipe number".into(),
                item_type: ItemType::Character,
                description: "唯一编号".into(),
                sharing: Some(SharingKind::NotShared),
                grade: Some(Grade::General(4)),
                personal: false,
                basis: Some(LegalCitation {
                    title: "中华人民共和国保守国家秘密法".into(),
                    article: "27".into(),
                    rank: Rank::Law,
                    quote: "禁止".into(),
                }),
            },
            DataItem {
                name: "联系人".into(),
                name_en: String::new(),
                item_type: ItemType::Float,
                description: String::new(),
                sharing: None,
                grade: Some(Grade::Core),
                personal: true,
                basis: None,
            },
        ],
        update_cycle: Some(UpdateCycle::HalfYear),
        sharing: Some(SharingAttribute::Conditional {
            scope: "全市".into(),
            purpose: "防汛".into(),
            basis: Some(LegalCitation {
                title: "城镇排水条例".into(),
                article: "9".into(),
                rank: Rank::LocalRegulation,
                quote: "应当".into(),
            }),
        }),
        sharing_method: Some(SharingMethod::BatchExchange),
        conditions_of_use: "不得转让".into(),
        open_type: Some(OpenType::OnApplication),
        grade: Some(Grade::Important),
        assessments: vec![Assessment {
            kind: AssessmentKind::PersonalInformationImpact,
            passed: true,
            date: day("2026-08-31"),
            note: "通过".into(),
        }],
        links: vec![SourceLink {
            system: SystemId::from_bytes(id(3)),
            dataset: "gis.pipes".into(),
        }],
        duty_basis: "排水监管".into(),
        related_codes: vec!["3502/000002".into()],
        keywords: vec!["排水".into(), "管网".into()],
        region_code: "350200".into(),
        issued_date: Some(day("2019-02-28")),
        synthetic: true,
        particulars: Some(EntryParticulars {
            library: Some(Library::Theme("防汛".into())),
            self_checks: vec![SelfCheck {
                kind: SelfCheckKind::Safety,
                passed: true,
                date: day("2026-08-30"),
                checker: "信息中心".into(),
            }],
            secrecy: Some(SecrecyMark::WorkSecret),
        }),
    }
}

pub(crate) fn request() -> ShareRequest {
    let provider = party("xiamen", 2);
    let requester = party("siming", 4);
    let person = Some(PersonId::from_bytes(id(9)));
    ShareRequest {
        id: RequestId::from_bytes(id(5)),
        domain: domain("siming"),
        owner_domain: domain("xiamen"),
        case_number: "2026-000123".into(),
        content: RequestContent {
            entry: ResourceName::new(domain("xiamen"), Resource::Entry(EntryId::from_bytes(id(1)))),
            system: SystemId::from_bytes(id(6)),
            scenario: "内涝预警".into(),
            duty_basis: "防汛职责".into(),
            items: vec!["管线编号".into(), "口径".into()],
            item_reasons: vec![ItemReason {
                items: vec!["口径".into()],
                reason: "计算流量".into(),
            }],
            row_scope: "思明区".into(),
            method: Some(SharingMethod::ServiceInterface),
            term: Some(Term { from: day("2026-10-01"), to: day("2027-09-30") }),
            commitments: vec![Commitment::ScenarioSecure, Commitment::RequestNecessary],
            rate_per_day: Some(100),
            renews: Some(ResourceName::new(
                domain("xiamen"),
                Resource::Grant(GrantId::from_bytes(id(12))),
            )),
        },
        entry_title: "排水管网信息".into(),
        entry_version: 5,
        sharing: SharingKind::Conditional,
        state: ShareRequestState::AgreedInPart,
        received_time: Some(at(10)),
        rules: Some(CaseRules {
            composition: "xiamen-today".into(),
            pack_version: 2,
            scope: "gov_to_gov".into(),
            debtor: PartyRole::AuthorityAndProvider,
            decider: Decider::AuthorityWithProvider,
            decider_rule: rule("decider"),
            answer_rule: Some(rule("answer")),
            answer_head_consent: Some(RuleRef::house("HOUSE-consent")),
            escalation: PartyRole::GovernmentOrSuperior,
        }),
        answer_clock: Some(WorkingDayClock {
            kind: DeadlineKind::Answer,
            start_time: at(11),
            length: WorkingDays(10),
            extended: WorkingDays(5),
            suspended: WorkingDays(2),
            due_date: day("2026-10-12"),
            due_time: at(12),
            provisional: true,
            calendar_version: 3,
            rule: rule("clock"),
            revision: 4,
        }),
        opinions: vec![Opinion {
            by: provider.clone(),
            person,
            in_favor: true,
            text: "同意".into(),
            given_time: at(13),
        }],
        completion: Some(Completion {
            missing: vec!["使用时限".into()],
            asked_time: at(14),
            completed_time: Some(at(15)),
            suspends: true,
        }),
        extensions: vec![Extension {
            working_days: 5,
            reason: "数据量大".into(),
            consented_time: at(16),
            rule: rule("extension"),
        }],
        overdue: Some(OverdueMark {
            due_time: at(17),
            fired_time: at(18),
            ordered: vec![provider.clone(), party("xiamen", 7)],
            escalated_to: PartyRole::PlatformManager,
            escalated_party: Some(party("fujian", 8)),
        }),
        answer: Some(GivenAnswer {
            answer: Answer::AgreedInPart {
                items: vec!["管线编号".into()],
                reason: "口径未核实".into(),
            },
            by: provider.clone(),
            person,
            given_time: at(19),
            late: true,
            standing: true,
            rule: Some(rule("given")),
        }),
        grant: Some(ResourceName::new(
            domain("xiamen"),
            Resource::Grant(GrantId::from_bytes(id(10))),
        )),
        hops: vec![
            Hop { domain: domain("siming"), arrived_time: at(20) },
            Hop { domain: domain("xiamen"), arrived_time: at(21) },
        ],
        version: 9,
        created_time: at(22),
        updated_time: at(23),
        granted: Some(GrantId::from_bytes(id(10))),
        requester,
        provider,
    }
}

pub(crate) fn grant() -> Grant {
    let consumer = party("siming", 4);
    Grant {
        id: GrantId::from_bytes(id(10)),
        domain: domain("xiamen"),
        request: ResourceName::new(
            domain("siming"),
            Resource::Request(RequestId::from_bytes(id(5))),
        ),
        entry: ResourceName::new(domain("xiamen"), Resource::Entry(EntryId::from_bytes(id(1)))),
        entry_version: 5,
        provider: party("xiamen", 2),
        system: ResourceName::new(
            domain("siming"),
            Resource::System(consumer.organization, SystemId::from_bytes(id(6))),
        ),
        consumer,
        scenario: "内涝预警".into(),
        items: vec!["管线编号".into()],
        row_scope: "思明区".into(),
        term: Term { from: day("2026-10-01"), to: day("2027-09-30") },
        state: GrantState::Terminated,
        suspension: Some(Suspension {
            reason: "超范围使用".into(),
            since: at(30),
            rectify_by: day("2026-12-31"),
            by: party("xiamen", 7),
        }),
        termination_reason: "整改无效".into(),
        rule: Some(rule("grant")),
        version: 3,
        granted_time: at(31),
        updated_time: at(32),
        course: Some(Box::new(course())),
        rate_per_day: Some(500),
    }
}

/// Everything that can come of a right, at once.
pub(crate) fn course() -> GrantCourse {
    let digest = |number| DocumentDigest([number; 32]);
    GrantCourse {
        delivery_clock: Some(WorkingDayClock {
            kind: DeadlineKind::Delivery,
            start_time: at(40),
            length: WorkingDays(20),
            extended: WorkingDays(1),
            suspended: WorkingDays(2),
            due_date: day("2026-10-26"),
            due_time: at(41),
            provisional: true,
            calendar_version: 3,
            rule: rule("delivery"),
            revision: 4,
        }),
        delivery_debtor: Some(PartyRole::Provider),
        delivery_escalation: Some(PartyRole::Authority),
        offer: Some(DeliveryOffer {
            method: SharingMethod::BatchExchange,
            offered_time: at(42),
            tested_time: Some(at(43)),
        }),
        delivery: Some(Delivery {
            proof: DeliveryProof::Acknowledgement,
            delivered_time: at(44),
            late: true,
            rule: rule("proof"),
        }),
        overdue: Some(OverdueMark {
            due_time: at(45),
            fired_time: at(46),
            ordered: vec![party("xiamen", 2)],
            escalated_to: PartyRole::Authority,
            escalated_party: Some(party("xiamen", 7)),
        }),
        rectification: Some(Rectification {
            ground: Some(MisuseGround::ThirdParty),
            evidence: Some(digest(1)),
            before: GrantState::Active,
            report: Some(RectificationReport {
                refused: true,
                text: "拒不整改".into(),
                digest: Some(digest(2)),
                reported_time: at(47),
            }),
            judgement: Some(Judgement {
                adequate: true,
                reason: "已核实".into(),
                judged_time: at(48),
                by: party("xiamen", 7),
            }),
            lapsed_time: Some(at(49)),
        }),
        purpose_end: Some(PurposeEnd {
            kind: PurposeEndKind::NotNeeded,
            note: "项目结束".into(),
            ended_time: at(50),
            by: party("siming", 4),
        }),
        disposal_requirement: Some(DisposalRequirement {
            manner: DisposalManner::Destroyed,
            note: "含备份".into(),
            required_time: at(51),
        }),
        disposal: Some(DisposalProof {
            manner: DisposalManner::Sealed,
            digest: digest(3),
            proved_time: at(52),
        }),
        agreement: Some(UseAgreement {
            number: "监管 2026-1".into(),
            digest: digest(4),
            signed: day("2026-09-30"),
            recorded_time: at(53),
        }),
        service: Some(ServiceNotice {
            change: ResourceName::new(
                domain("xiamen"),
                Resource::ServiceChange(ServiceChangeId::from_bytes(id(11))),
            ),
            kind: ServiceChangeKind::Narrow,
            cause: ServiceChangeCause::Leak,
            state: ServiceChangeState::Filed,
            effective: day("2026-11-02"),
            stopped_time: Some(at(54)),
        }),
        wider_uses: vec![WiderUse {
            kind: WiderUseKind::ThirdParty,
            recipient: "物业公司".into(),
            purpose: "入户核对".into(),
            items: vec!["管线编号".into()],
            consented_time: at(55),
            rule: rule("wider"),
        }],
    }
}
