//! Notices: what must an organization hear of, and can none of it get lost or be told twice?
//!
//! The outbox for departments is the ledger itself. Whatever happens with legal effect leaves a
//! record in the command that caused it; a notice is such a record as one organization sees it
//! ([`notices_of`]). So there is no second list that could lag behind, miss a step of a failover or
//! say something else than what is proved, and a cluster that comes to this program tells of its
//! past too. The key of a notice is made of its record and its reader: however often it is
//! delivered, by whichever node, it is the same.
//!
//! A notice says what happened to what, never what was written: no free text, no person. Whoever
//! hears of it asks for the rest as themselves.
//!
//! Kept in state is only how far each reader is: a place for an organization that pulls, a
//! [`Webhook`] for one that wants to be told. This is not the outbox between domains
//! ([`crate::outbox`]), which carries cases.

use std::collections::BTreeSet;

use catalog_model::{
    ids::{DomainId, OrganizationId, WebhookId},
    name::{Resource, ResourceName},
    organization::PlatformRole,
    share_request::{Decider, Party},
    time::{LocalDate, UtcMillis},
};
use minicbor::{Decode, Encode};

use crate::{
    command::work::{Attempt, EndedDelivery},
    keys::{self, Key, Table},
    ledger::{Fact, Ledger, LedgerRecord},
    view::View,
};

/// Most webhooks of an organization.
pub const WEBHOOKS_MAX: usize = 10;

/// Ended deliveries that are kept of each webhook, for people to look at.
pub const DELIVERIES_KEPT: usize = 100;

macro_rules! kinds {
    ($($variant:ident = $number:literal, $word:literal, $en:literal, $zh:literal;)*) => {
        /// What happened. Append only.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum NoticeKind {
            $(#[doc = $en] #[n($number)] $variant = $number,)*
        }

        impl NoticeKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it on the wire, after the prefix.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What happened, for people.
            pub fn text(self, lang: catalog_model::reason::Lang) -> &'static str {
                use catalog_model::reason::Lang;
                match (self, lang) {
                    $((Self::$variant, Lang::En) => $en, (Self::$variant, Lang::Zh) => $zh,)*
                }
            }
        }
    };
}

kinds! {
    CaseReceived = 1, "CASE_RECEIVED", "a request was received", "收到共享申请";
    CompletionAsked = 2, "COMPLETION_ASKED", "something is missing in the request", "申请需补正";
    CaseCompleted = 3, "CASE_COMPLETED", "the request was completed", "申请已补正";
    OpinionAsked = 4, "OPINION_ASKED", "an opinion is asked for", "征求意见";
    OpinionGiven = 5, "OPINION_GIVEN", "an opinion was given, or its time ran out", "意见已出具或逾期未提";
    DueSoon = 6, "DUE_SOON", "something will be due", "期限将至";
    Overdue = 7, "OVERDUE", "something is overdue", "已逾期";
    Answered = 8, "ANSWERED", "the request was answered", "申请已答复";
    CaseEnded = 9, "CASE_ENDED", "the request was withdrawn or closed", "申请已撤回或关闭";
    DueMoved = 10, "DUE_MOVED", "a last day was moved", "期限变更";
    ExtensionProposed = 11, "EXTENSION_PROPOSED", "an extension is proposed or was denied", "提出延期或延期未获同意";
    Lateness = 12, "LATENESS", "a lateness is heard or ruled on", "逾期理由听取与认定";
    CaseMoved = 13, "CASE_MOVED", "a request moved in the domain that decides it", "跨域申请进展";
    Granted = 20, "GRANTED", "a right was given", "已授权";
    Delivery = 21, "DELIVERY", "data were offered or delivered", "数据已提供或送达";
    Suspended = 22, "SUSPENDED", "a right was suspended", "授权已暂停";
    Rectification = 23, "RECTIFICATION", "a rectification was reported or judged", "整改已报告或评定";
    Terminated = 24, "TERMINATED", "a right has ended", "授权已终止";
    Disposal = 25, "DISPOSAL", "data are to be disposed of, or were", "数据处置";
    Agreement = 26, "AGREEMENT", "an agreement on the use was recorded", "使用协议已登记";
    ServiceChange = 27, "SERVICE_CHANGE", "a service changes", "服务变更";
    Catalog = 40, "CATALOG", "an entry of the catalog was published, returned or taken out", "目录发布、退回或撤回";
    CatalogDuty = 41, "CATALOG_DUTY", "the catalog must be updated, reviewed or re-classified", "目录更新、评估或重新确定属性";
    Objection = 60, "OBJECTION", "an objection to an attribute moved", "共享属性异议进展";
    Transfer = 61, "TRANSFER", "the transfer of a function moved", "职能划转进展";
    Emergency = 62, "EMERGENCY", "data of an emergency moved on", "应急数据进展";
    Dispute = 63, "DISPUTE", "a dispute moved", "争议进展";
    Demand = 64, "DEMAND", "a demand moved", "供需对接进展";
    ErrorReport = 80, "ERROR_REPORT", "an error report moved", "数据异议进展";
    PersonalObjection = 81, "PERSONAL_OBJECTION", "the objection of a person concerned moved", "权益主体异议进展";
}

/// A record as one organization sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The record's place in the ledger.
    pub sequence: u64,
    /// Equal for every delivery of it.
    pub key: String,
    /// What happened.
    pub kind: NoticeKind,
    /// About what.
    pub subject: ResourceName,
    /// When, by the committed clock.
    pub time: UtcMillis,
    /// The last day that it speaks of.
    pub due_date: Option<LocalDate>,
}

/// Where an organization wants to be told, and how far that went.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Webhook {
    /// Its id.
    #[n(0)]
    pub id: WebhookId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// Whose it is.
    #[n(2)]
    pub organization: OrganizationId,
    /// Where.
    #[n(3)]
    pub url: String,
    /// Of what, in order, each once; none = of everything.
    #[n(4)]
    pub kinds: Vec<NoticeKind>,
    /// The place in the ledger before which everything was delivered or given up.
    #[n(5)]
    pub through: u64,
    /// The delivery that has not arrived yet; what comes after it waits.
    #[n(6)]
    pub attempt: Option<Attempt>,
    /// How many arrived.
    #[n(7)]
    pub arrived: u64,
    /// How many were given up.
    #[n(8)]
    pub given_up: u64,
    /// Counts up from 1 with every change by the organization.
    #[n(9)]
    pub version: u64,
    /// Committed time of the registration.
    #[n(10)]
    pub created_time: UtcMillis,
}

/// A page of notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticePage {
    /// In the order of the ledger.
    pub notices: Vec<Notice>,
    /// The place up to which was looked: where the next page begins.
    pub through: u64,
    /// Whether there are records after it.
    pub more: bool,
}

/// Who must hear of a record, and as what; whoever caused it knows.
pub fn notices_of(view: View<'_>, record: &LedgerRecord) -> Vec<(OrganizationId, Notice)> {
    let Some((kind, due_date)) = said(&record.fact) else { return Vec::new() };
    let Some(cluster) = view.cluster() else { return Vec::new() };
    let mut readers = concerned(view, &cluster.domain, record);
    // "xiamen/organizations/ID…" of the acting organization.
    let own = |organization: &OrganizationId| {
        let acting = format!("{}/organizations/{organization}", cluster.domain);
        record
            .actor
            .strip_prefix(&acting)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    readers.retain(|organization| !own(organization));
    readers
        .into_iter()
        .map(|organization| {
            let (sequence, generation) = (record.sequence, record.generation);
            let notice = Notice {
                sequence,
                key: format!("notice/{organization}/{sequence}/g{generation}"),
                kind,
                subject: record.subject.clone(),
                time: record.time,
                due_date,
            };
            (organization, notice)
        })
        .collect()
}

/// What a fact is told as, with the day of which it speaks; nothing where nobody needs to hear it.
fn said(fact: &Fact) -> Option<(NoticeKind, Option<LocalDate>)> {
    use NoticeKind as Kind;
    let (kind, due) = match fact {
        Fact::RequestReceived { due_date, .. } => (Kind::CaseReceived, *due_date),
        Fact::RequestForwarded { .. } | Fact::StatusReceived { .. } => (Kind::CaseMoved, None),
        Fact::CompletionAsked => (Kind::CompletionAsked, None),
        Fact::RequestCompleted => (Kind::CaseCompleted, None),
        Fact::OpinionAsked { due_date } => (Kind::OpinionAsked, *due_date),
        Fact::OpinionGiven { .. } | Fact::OpinionSilent { .. } => (Kind::OpinionGiven, None),
        Fact::AnswerWarned { due_date, .. } | Fact::CompletionWarned { due_date } => {
            (Kind::DueSoon, Some(*due_date))
        }
        Fact::RequestOverdue { due_date, .. }
        | Fact::DeliveryOverdue { due_date, .. }
        | Fact::UpdateOverdue { due_date, .. }
        | Fact::AuthorityReviewOverdue { due_date, .. }
        | Fact::QualityOverdue { due_date, .. } => (Kind::Overdue, Some(*due_date)),
        Fact::DeadlineMissed { due, .. } | Fact::HopLate { due } => {
            (Kind::Overdue, Some(UtcMillis(due.0.saturating_sub(1)).local_date()))
        }
        Fact::RequestAnswered { .. } => (Kind::Answered, None),
        Fact::RequestWithdrawn | Fact::RequestNotCompleted => (Kind::CaseEnded, None),
        Fact::RequestExtended { to, .. }
        | Fact::UpdateExtended { to, .. }
        | Fact::DeadlineRecomputed { to, .. } => (Kind::DueMoved, Some(*to)),
        Fact::ExtensionNoticeGiven { due_date, .. } => (Kind::DueMoved, Some(*due_date)),
        Fact::LawLoadedLate { to, .. } => (Kind::DueMoved, *to),
        Fact::ExtensionProposed { .. } | Fact::ExtensionDenied { .. } => {
            (Kind::ExtensionProposed, None)
        }
        Fact::HearingOpened { due_date } | Fact::OutageRulingWanted { due_date } => {
            (Kind::Lateness, Some(*due_date))
        }
        Fact::CorrectionOrdered { .. }
        | Fact::ReasonClaimed { .. }
        | Fact::ReasonRuled { .. }
        | Fact::LatenessCounted { .. }
        | Fact::LatenessExcused { .. }
        | Fact::OutageRuled { .. } => (Kind::Lateness, None),
        Fact::Granted { .. } | Fact::PartGrantedAtOnce { .. } => (Kind::Granted, None),
        Fact::DeliveryOffered | Fact::DeliveryTested | Fact::Delivered { .. } => {
            (Kind::Delivery, None)
        }
        Fact::DeliveryAwaitsUser { due_date } => (Kind::Delivery, Some(*due_date)),
        Fact::GrantSuspended { rectify_by } | Fact::GrantSuspendedForMisuse { rectify_by, .. } => {
            (Kind::Suspended, Some(*rectify_by))
        }
        Fact::RectificationReported { .. }
        | Fact::RectificationJudged { .. }
        | Fact::RectificationLapsed { .. } => (Kind::Rectification, None),
        Fact::GrantTerminated | Fact::PurposeEnded { .. } => (Kind::Terminated, None),
        Fact::DisposalRequired { .. } | Fact::DisposalProved { .. } => (Kind::Disposal, None),
        Fact::AgreementRecorded { .. } => (Kind::Agreement, None),
        Fact::ServiceChangeProposed { effective, .. } => (Kind::ServiceChange, Some(*effective)),
        Fact::ServiceChangeStated { .. }
        | Fact::ServiceChangeMoved { .. }
        | Fact::GrantChangedWithService { .. } => (Kind::ServiceChange, None),
        Fact::EntryPublished { .. }
        | Fact::EntryReturned { .. }
        | Fact::EntryWithdrawn { .. }
        | Fact::EntrySuspended { .. }
        | Fact::EntryResumed { .. }
        | Fact::EntryTransferred { .. }
        | Fact::AttributeSettled { .. } => (Kind::Catalog, None),
        Fact::ChangeReported { due_date, .. } => (Kind::CatalogDuty, Some(*due_date)),
        Fact::ReclassificationListed { due_date, .. } => (Kind::CatalogDuty, *due_date),
        Fact::ReclassificationClosed { .. } => (Kind::CatalogDuty, None),
        Fact::ObjectionMoved { .. } => (Kind::Objection, None),
        Fact::TransferMoved { .. } => (Kind::Transfer, None),
        Fact::EmergencyMoved { .. } => (Kind::Emergency, None),
        Fact::DisputeRaised { .. }
        | Fact::PositionStated { .. }
        | Fact::ConsultationEnded { .. }
        | Fact::DisputeCoordinated { .. }
        | Fact::DisputeDecided { .. } => (Kind::Dispute, None),
        Fact::DemandMoved { .. } => (Kind::Demand, None),
        Fact::ReportMoved { .. } | Fact::ReportCorrected { .. } | Fact::ReportPropagated { .. } => {
            (Kind::ErrorReport, None)
        }
        Fact::PersonalObjectionMoved { .. } => (Kind::PersonalObjection, None),
        _ => return None,
    };
    Some((kind, due))
}

/// The organizations of `domain` that a record concerns.
fn concerned(view: View<'_>, domain: &DomainId, record: &LedgerRecord) -> BTreeSet<OrganizationId> {
    let mut readers = Readers { view, domain, found: BTreeSet::new() };
    let of = &record.subject.domain;
    match &record.subject.resource {
        Resource::Request(id) => {
            let Some(case) = view.request(of, *id) else { return readers.found };
            readers.party(&case.requester);
            readers.party(&case.provider);
            if case.rules.as_ref().is_some_and(|rules| rules.decider != Decider::Provider) {
                readers.role(PlatformRole::Authority);
            }
            // What waits for the authority, and what goes to whoever stands above the debtor.
            if matches!(record.fact, Fact::ExtensionProposed { .. }) {
                readers.role(PlatformRole::Authority);
            }
            let above = case.overdue.as_ref().and_then(|mark| mark.escalated_party.as_ref());
            if let Some(above) = above.filter(|_| speaks_of_lateness(&record.fact)) {
                readers.party(above);
            }
        }
        Resource::Grant(id) => {
            let Some(grant) = view.grant(of, *id) else { return readers.found };
            readers.party(&grant.provider);
            readers.party(&grant.consumer);
        }
        Resource::ServiceChange(id) => {
            let Some(change) = view.service_change(of, *id) else { return readers.found };
            readers.party(&change.provider);
            for affected in &change.grants {
                readers.party(&affected.consumer);
            }
        }
        Resource::Entry(id) => {
            let Some(entry) = view.entry(of, *id) else { return readers.found };
            readers.found.insert(entry.provider);
            if matches!(record.fact, Fact::AuthorityReviewOverdue { .. }) {
                readers.role(PlatformRole::Authority);
            }
        }
        Resource::Organization(id) => {
            readers.found.insert(*id);
        }
        Resource::Dispute(id) => {
            let Some(dispute) = view.dispute(of, *id) else { return readers.found };
            readers.party(&dispute.raised_by);
            readers.party(&dispute.against);
            match &dispute.coordinator {
                Some(catalog_model::dispute::Coordinator::SameLevel(authority)) => {
                    readers.party(authority);
                }
                _ => readers.role(PlatformRole::Authority),
            }
        }
        Resource::Demand(id) => {
            let Some(demand) = view.demand(of, *id) else { return readers.found };
            readers.party(&demand.requester);
            for party in demand.owner.iter().chain(&demand.provider) {
                readers.party(party);
            }
        }
        Resource::Objection(id) => {
            let Some(objection) = view.objection(of, *id) else { return readers.found };
            readers.found.insert(objection.provider);
            readers.role(PlatformRole::Authority);
        }
        Resource::FunctionTransfer(id) => {
            let Some(transfer) = view.transfer(of, *id) else { return readers.found };
            readers.found.extend([transfer.from, transfer.to]);
            readers.role(PlatformRole::Authority);
        }
        Resource::Emergency(id) => {
            readers.found.extend(view.emergency(of, *id).map(|emergency| emergency.organization));
        }
        Resource::ErrorReport(id) => {
            let Some(report) = view.error_report(of, *id) else { return readers.found };
            readers.party(&report.reporter);
            readers.found.insert(report.provider);
            if report.clock.is_none() {
                readers.role(PlatformRole::Authority);
            }
        }
        Resource::PersonalObjection(id) => {
            let Some(objection) = view.personal_objection(of, *id) else { return readers.found };
            readers.found.extend([objection.receiver, objection.desk]);
        }
        _ => {}
    }
    // Whoever holds a copy of wrong data is not named on the report itself.
    if let Fact::ReportPropagated { holders } = &record.fact {
        for holder in holders {
            readers.named(holder);
        }
    }
    readers.found
}

fn speaks_of_lateness(fact: &Fact) -> bool {
    matches!(said(fact), Some((NoticeKind::Overdue | NoticeKind::Lateness, _)))
}

struct Readers<'a> {
    view: View<'a>,
    domain: &'a DomainId,
    found: BTreeSet<OrganizationId>,
}

impl Readers<'_> {
    /// A party of another domain hears of it there.
    fn party(&mut self, party: &Party) {
        if party.domain == *self.domain {
            self.found.insert(party.organization);
        }
    }

    fn role(&mut self, role: PlatformRole) {
        self.found.extend(self.view.get::<OrganizationId>(&keys::platform_role(role)));
    }

    fn named(&mut self, name: &ResourceName) {
        match &name.resource {
            Resource::Organization(id) if name.domain == *self.domain => {
                self.found.insert(*id);
            }
            Resource::Grant(id) => {
                if let Some(grant) = self.view.grant(&name.domain, *id) {
                    self.party(&grant.consumer);
                }
            }
            _ => {}
        }
    }
}

impl View<'_> {
    /// Notices for an organization from place `from` of the ledger on; at most `limit`, of at most
    /// `scan` records. `kinds` none = all.
    pub fn notices(
        &self,
        organization: OrganizationId,
        kinds: &[NoticeKind],
        from: u64,
        limit: usize,
        scan: usize,
    ) -> NoticePage {
        let ledger = Ledger(self.0);
        let size = ledger.size();
        let mut page = NoticePage { notices: Vec::new(), through: from.min(size), more: false };
        while page.through < size {
            if page.notices.len() == limit || page.through - from.min(size) == scan as u64 {
                page.more = true;
                break;
            }
            let record = ledger.record(page.through).expect("the ledger has no gaps");
            let readers = notices_of(*self, &record).into_iter();
            page.notices.extend(
                readers
                    .filter(|(reader, _)| *reader == organization)
                    .map(|(_, notice)| notice)
                    .filter(|notice| kinds.is_empty() || kinds.contains(&notice.kind)),
            );
            page.through += 1;
        }
        page
    }

    /// The place before which an organization has dealt with every notice.
    pub fn notices_acked(&self, organization: OrganizationId) -> u64 {
        self.get(&keys::notice_cursor(organization)).unwrap_or_default()
    }

    /// A webhook.
    pub fn webhook(&self, id: WebhookId) -> Option<Webhook> {
        self.get(&keys::webhook(id))
    }

    /// Every webhook of this domain, by id.
    pub fn webhooks(&self) -> Vec<Webhook> {
        let table = Key::table(Table::Webhook);
        let rows = self.0.range(table.as_slice(), &table.end());
        rows.map(|(_, bytes)| crate::codec::decode(&bytes).expect("rows are ours")).collect()
    }

    /// Ended deliveries of a webhook that are kept, the newest first.
    pub fn deliveries(&self, id: WebhookId) -> Vec<EndedDelivery> {
        let prefix = keys::deliveries(id);
        let rows = self.0.range_reversed(prefix.as_slice(), &prefix.end());
        rows.map(|(_, bytes)| crate::codec::decode(&bytes).expect("rows are ours")).collect()
    }
}
