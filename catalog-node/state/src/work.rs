//! Work: what must an organization do next, by when, and by which rule?
//!
//! Derived from state alone and kept nowhere in it: what is owed is what rows say is owed, so a
//! list of work can never promise something that the law does not ask, and clusters of every level
//! have one. [`items_of`] says what follows from one subject; [`View::work_list`] asks it of every
//! subject, which is plain and slow. Nodes keep an index beside their state, written
//! with the rows that [`subjects_of`] names, and ask only what the index points to.
//!
//! Order: what a text of law gives a day, by that day; then what a rule of the house gives one; then
//! what has none, the oldest first. A day that has passed comes before one that has not because it
//! is earlier. Agreements on the use stand last: whether one is owed is a matter of the rules of the
//! day and not of a row ([`View::agreements_owed`]).

mod cases;
mod catalog;
mod grants;
mod quality;
mod relations;

use std::collections::BTreeSet;

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock},
    ids::{
        DemandId, DisputeId, DomainId, EmergencyId, EntryId, GrantId, ObjectionId, OrganizationId,
        PersonalObjectionId, ReportId, RequestId, ServiceChangeId, TransferId,
    },
    name::{Resource, ResourceName},
    organization::{PersonRole, PlatformRole},
    reason::Lang,
    rule::{Rank, RuleRef},
    share_request::{Party, PartyRole},
    time::{LocalDate, UtcMillis},
};

use crate::{
    keys::{Key, Table},
    view::View,
};

macro_rules! kinds {
    ($($variant:ident = $number:literal, $word:literal, $en:literal, $zh:literal;)*) => {
        /// What is to be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum WorkKind {
            $(#[doc = $en] $variant = $number,)*
        }

        impl WorkKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it on the wire, after the prefix.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What is to be done, for people.
            pub fn text(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$variant, Lang::En) => $en, (Self::$variant, Lang::Zh) => $zh,)*
                }
            }

            /// The kind of this number, in a key.
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    Answer = 1, "ANSWER", "answer the request", "答复共享申请";
    Opinion = 2, "OPINION", "give the opinion asked for", "出具意见";
    Completion = 3, "COMPLETION", "complete the request", "补正申请";
    ExtensionConsent = 4, "EXTENSION_CONSENT", "decide on the extension proposed", "审批延期";
    ReasonClaim = 5, "REASON_CLAIM", "say why the answer was late", "说明逾期理由";
    ReasonRuling = 6, "REASON_RULING", "rule on the reason of a late answer", "认定逾期理由";
    OutageRuling = 7, "OUTAGE_RULING", "rule on a lateness during an outage", "认定平台故障期间的逾期";
    Escalation = 8, "ESCALATION", "supervise an overdue answer", "督办逾期答复";
    Hop = 9, "HOP", "see that the request is passed on to its domain", "确认申请已转送所属域";
    Delivery = 20, "DELIVERY", "deliver the data", "提供数据";
    Retrieval = 21, "RETRIEVAL", "retrieve the data or acknowledge them", "获取数据或确认收到";
    Rectification = 22, "RECTIFICATION", "rectify and report", "整改并报告";
    RectificationJudgement = 23, "RECTIFICATION_JUDGEMENT", "judge the rectification", "评定整改";
    Disposal = 24, "DISPOSAL", "prove what became of the data", "提交数据处置证明";
    Agreement = 25, "AGREEMENT", "sign the agreement on the use and record it", "签订并登记使用协议";
    ServiceStatement = 26, "SERVICE_STATEMENT", "say whether you agree to the change of service", "对服务变更表态";
    CatalogReview = 40, "CATALOG_REVIEW", "review the catalog entry", "审核目录";
    CatalogUpdate = 41, "CATALOG_UPDATE", "update the catalog", "更新目录";
    AttributeReview = 42, "ATTRIBUTE_REVIEW", "review the sharing attribute", "定期评估共享属性";
    Reclassification = 43, "RECLASSIFICATION", "re-classify the entry: its basis became too weak", "重新确定共享属性";
    LawEdit = 44, "LAW_EDIT", "confirm a change of the law as second person", "复核规则变更";
    ObjectionPosition = 60, "OBJECTION_POSITION", "consult on the objection to the attribute", "就共享属性异议协商";
    ObjectionDecision = 61, "OBJECTION_DECISION", "bring the government's decision on the objection", "报请政府决定并登记";
    TransferCosign = 62, "TRANSFER_COSIGN", "sign the transfer of the function", "会签职能划转";
    TransferFile = 63, "TRANSFER_FILE", "file the transfer of the function", "报送职能划转";
    TransferApproval = 64, "TRANSFER_APPROVAL", "decide on the transfer of the function", "审定职能划转";
    Emergency = 65, "EMERGENCY", "assess, treat and shut down after the emergency", "应急数据评估、处理与应用关停";
    DisputePosition = 66, "DISPUTE_POSITION", "state your position in the dispute", "陈述争议意见";
    DisputeConsultation = 67, "DISPUTE_CONSULTATION", "consult and record the minutes", "协商并记录";
    DisputeCoordination = 68, "DISPUTE_COORDINATION", "coordinate the dispute", "协调争议";
    DisputeDecision = 69, "DISPUTE_DECISION", "bring the government's decision on the dispute", "报请政府决定并登记";
    Demand = 70, "DEMAND", "take the next step on the demand", "办理供需对接";
    ErrorReport = 80, "ERROR_REPORT", "verify the data and feed back", "核实数据并反馈";
    ErrorHandOver = 81, "ERROR_HAND_OVER", "hand the error report over to the provider", "转办数据异议";
    ReportReply = 82, "REPORT_REPLY", "reply to the feedback", "回应反馈";
    PersonalObjection = 83, "PERSONAL_OBJECTION", "answer the person concerned", "答复权益主体";
}

/// Who must do it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkOwner {
    /// This organization.
    Organization(DomainId, OrganizationId),
    /// Whoever plays this part for the platform: it stays owed when the part changes hands.
    Role(PlatformRole),
}

impl WorkOwner {
    fn of(party: &Party) -> Self {
        Self::Organization(party.domain.clone(), party.organization)
    }

    fn key(&self) -> Vec<u8> {
        let table = |byte: u8| Key::from_stored(vec![byte]);
        match self {
            Self::Organization(domain, id) => table(0).domain(domain).id(id.to_bytes()).into_vec(),
            Self::Role(role) => table(1).byte(*role as u8).into_vec(),
        }
    }
}

/// On what the day rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Band {
    /// A text of law.
    Statutory = 0,
    /// A rule of the house.
    House = 1,
    /// There is no day.
    Undated = 2,
}

impl Band {
    /// In the order of a list.
    pub const ALL: [Self; 3] = [Self::Statutory, Self::House, Self::Undated];
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// What.
    pub kind: WorkKind,
    /// About what.
    pub subject: ResourceName,
    /// Who.
    pub owner: WorkOwner,
    /// The first overdue instant; absent = no day.
    pub due: Option<UtcMillis>,
    /// The rule that gives the day, or on which the duty rests.
    pub rule: Option<RuleRef>,
    /// Since when it is to be done.
    pub since: UtcMillis,
    /// What it is about, in words: the title of an entry, of a demand, of a change.
    pub title: String,
    /// Number of the case; empty where there is none.
    pub number: String,
    /// Who is on the other side.
    pub counterpart: String,
    /// In which role a person acts next; absent = whoever works on it.
    pub needs: Option<PersonRole>,
}

impl WorkItem {
    fn new(kind: WorkKind, subject: &ResourceName, owner: WorkOwner, since: UtcMillis) -> Self {
        Self {
            kind,
            subject: subject.clone(),
            owner,
            due: None,
            rule: None,
            since,
            title: String::new(),
            number: String::new(),
            counterpart: String::new(),
            needs: None,
        }
    }

    fn due(mut self, due: Option<UtcMillis>, rule: Option<RuleRef>) -> Self {
        (self.due, self.rule) = (due, rule);
        self
    }

    /// On what the day rests.
    pub fn band(&self) -> Band {
        match (self.due, &self.rule) {
            (None, _) => Band::Undated,
            (Some(_), Some(rule)) if rule.rank != Rank::HouseRule => Band::Statutory,
            (Some(_), _) => Band::House,
        }
    }

    /// The last day.
    pub fn due_date(&self) -> Option<LocalDate> {
        self.due.map(|due| UtcMillis(due.0.saturating_sub(1)).local_date())
    }

    /// Whether the day has passed.
    pub fn is_overdue(&self, clock: UtcMillis) -> bool {
        self.due.is_some_and(|due| due <= clock)
    }

    /// Its place among all work: equal for equal work, in the order of lists. See [`owner_prefix`].
    pub fn place(&self) -> Vec<u8> {
        let by = self.due.unwrap_or(self.since);
        Key::from_stored(self.owner.key())
            .byte(self.band() as u8)
            .number(by.0)
            .byte(self.kind as u8)
            .text(&self.subject.to_string())
            .into_vec()
    }
}

/// The beginning of the places of an owner's work in a band.
pub fn owner_prefix(owner: &WorkOwner, band: Band) -> Key {
    Key::from_stored(owner.key()).byte(band as u8)
}

/// In a band, the place before which the work lies that is due before `until`.
pub fn owner_until(owner: &WorkOwner, band: Band, until: UtcMillis) -> Key {
    owner_prefix(owner, band).number(until.0)
}

/// What of a place, from its band on, says which work it is: kind and subject.
pub fn read_place(place: &[u8]) -> Option<(WorkKind, ResourceName)> {
    let (kind, subject) = place.get(1 + 8..)?.split_first()?;
    Some((WorkKind::from_number(*kind)?, std::str::from_utf8(subject).ok()?.parse().ok()?))
}

/// What must be done about `subject`, in no order.
pub fn items_of(view: View<'_>, subject: &ResourceName) -> Vec<WorkItem> {
    let (domain, name) = (&subject.domain, subject);
    match &subject.resource {
        Resource::Request(id) => cases::of(view, name, *id),
        Resource::Grant(id) => grants::of(view, name, *id),
        Resource::ServiceChange(id) => grants::of_change(view, name, *id),
        Resource::Entry(id) => catalog::of_entry(view, name, *id),
        Resource::Organization(_) => catalog::of_organization(view, name),
        Resource::Domain => catalog::of_domain(view, name),
        Resource::Dispute(id) => relations::of_dispute(view, domain, name, *id),
        Resource::Demand(id) => relations::of_demand(view, domain, name, *id),
        Resource::Objection(id) => relations::of_objection(view, domain, name, *id),
        Resource::FunctionTransfer(id) => relations::of_transfer(view, domain, name, *id),
        Resource::Emergency(id) => relations::of_emergency(view, domain, name, *id),
        Resource::ErrorReport(id) => quality::of_report(view, domain, name, *id),
        Resource::PersonalObjection(id) => quality::of_objection(view, domain, name, *id),
        Resource::Person(..)
        | Resource::System(..)
        | Resource::Ruling(_)
        | Resource::Dataset(_)
        | Resource::Purchase(_)
        | Resource::Contract(_)
        | Resource::Project(_)
        | Resource::Webhook(_)
        | Resource::Drill(_) => Vec::new(),
    }
}

/// Whether an entry owes nothing but its review, whatever becomes of its own row: nothing is on file of which
/// work follows. Of no other subject can that be said.
pub fn owes_review_alone(view: View<'_>, subject: &ResourceName) -> bool {
    matches!(subject.resource, Resource::Entry(id) if !catalog::is_on_file(view, subject, id))
}

/// Whether the authority has to look at the entry in `row`.
pub fn owes_review(row: &[u8]) -> bool {
    catalog::is_reviewed(View::state_of_entry(row))
}

/// The subjects whose work may have changed with the rows at `keys`; `after` is the state that holds what was
/// written.
pub fn subjects_of<'k>(
    after: View<'_>,
    keys: impl IntoIterator<Item = &'k Vec<u8>>,
) -> BTreeSet<ResourceName> {
    let mut subjects = BTreeSet::new();
    let mut moved = BTreeSet::new();
    for key in keys {
        if let Some(entry) = moved_entry(key) {
            moved.insert(entry);
        }
        subjects.extend(subject_of(after, key));
    }
    if !moved.is_empty() {
        subjects.extend(follow_moved(after, &moved));
    }
    subjects
}

/// Every subject of which work may follow, once.
fn subjects(view: View<'_>) -> BTreeSet<ResourceName> {
    let rows = TABLES.iter().flat_map(|table| {
        let prefix = Key::table(*table);
        view.0.range(prefix.as_slice(), &prefix.end())
    });
    rows.filter_map(|(key, _)| subject_of(view, &key)).collect()
}

/// The tables that hold subjects of work; others only speak of a subject that is in one of these.
const TABLES: [Table; 13] = [
    Table::Request,
    Table::Grant,
    Table::ServiceChange,
    Table::Entry,
    Table::ChangeReport,
    Table::PendingWork,
    Table::Dispute,
    Table::Demand,
    Table::Objection,
    Table::FunctionTransfer,
    Table::Emergency,
    Table::ErrorReport,
    Table::PersonalObjection,
];

/// The prefixes under which an index finds every subject when it is made again.
pub fn tables() -> impl Iterator<Item = Key> {
    TABLES.into_iter().map(Key::table)
}

/// The subject of which the row at `key` speaks, if work may follow from it.
pub fn subject_of(view: View<'_>, key: &[u8]) -> Option<ResourceName> {
    let (table, rest) = key.split_first()?;
    let is = |wanted: Table| *table == wanted as u8;
    let named = |resource: fn([u8; 16]) -> Resource| {
        let (domain, rest) = split_domain(rest)?;
        let id = rest.get(..16)?.try_into().ok()?;
        Some(ResourceName::new(domain, resource(id)))
    };
    // Tables that hold an index too: rows come under a zero byte.
    let row = |resource: fn([u8; 16]) -> Resource| {
        let (domain, rest) = split_domain(rest.strip_prefix(&[0])?)?;
        let id = rest.get(..16)?.try_into().ok()?;
        Some(ResourceName::new(domain, resource(id)))
    };
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
    match () {
        () if is(Table::Request) => named(|id| Resource::Request(RequestId::from_bytes(id))),
        () if is(Table::Grant) => named(|id| Resource::Grant(GrantId::from_bytes(id))),
        () if is(Table::ServiceChange) => {
            named(|id| Resource::ServiceChange(ServiceChangeId::from_bytes(id)))
        }
        () if is(Table::Entry) || is(Table::EntryFile) || is(Table::Worklist) => {
            named(|id| Resource::Entry(EntryId::from_bytes(id)))
        }
        () if is(Table::Dispute) => named(|id| Resource::Dispute(DisputeId::from_bytes(id))),
        () if is(Table::Demand) => named(|id| Resource::Demand(DemandId::from_bytes(id))),
        () if is(Table::Objection) => row(|id| Resource::Objection(ObjectionId::from_bytes(id))),
        () if is(Table::FunctionTransfer) => {
            row(|id| Resource::FunctionTransfer(TransferId::from_bytes(id)))
        }
        () if is(Table::Emergency) => row(|id| Resource::Emergency(EmergencyId::from_bytes(id))),
        () if is(Table::ErrorReport) => row(|id| Resource::ErrorReport(ReportId::from_bytes(id))),
        () if is(Table::PersonalObjection) => {
            named(|id| Resource::PersonalObjection(PersonalObjectionId::from_bytes(id)))
        }
        () if is(Table::CaseFile) || is(Table::OutageRuling) || is(Table::ChangeReport) => {
            text(rest)
        }
        // After the kind.
        () if is(Table::Deadline) || is(Table::Consent) => text(rest.get(1..)?),
        () if is(Table::PendingWork) && rest.first() == Some(&1) => {
            Some(ResourceName::new(view.cluster()?.domain, Resource::Domain))
        }
        () => None,
    }
}

fn split_domain(bytes: &[u8]) -> Option<(DomainId, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let domain = std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()?;
    Some((domain, &bytes[end + 1..]))
}

/// The entry of a mark that it went to another department.
fn moved_entry(key: &[u8]) -> Option<EntryId> {
    let rest = key.strip_prefix(&[Table::FunctionTransfer as u8, 2])?;
    let (_, id) = split_domain(rest)?;
    Some(EntryId::from_bytes(id.try_into().ok()?))
}

/// Open cases and reports about entries that went to another department: they went with it, though
/// their rows still say otherwise.
fn follow_moved(view: View<'_>, moved: &BTreeSet<EntryId>) -> Vec<ResourceName> {
    let mut subjects = Vec::new();
    let prefix = Key::table(Table::RequestByDue);
    for (key, _) in view.0.range(prefix.as_slice(), &prefix.end()) {
        let (domain, id) = View::named_by_index(&key, 1 + 8);
        let id = RequestId::from_bytes(id);
        let asked = view.request(&domain, id).map(|case| case.content.entry.resource);
        if matches!(asked, Some(Resource::Entry(entry)) if moved.contains(&entry)) {
            subjects.push(ResourceName::new(domain, Resource::Request(id)));
        }
    }
    let Some(cluster) = view.cluster() else { return subjects };
    for entry in moved {
        let reports = view.reports_of(&cluster.domain, *entry).into_iter();
        subjects.extend(reports.map(|report| {
            ResourceName::new(report.domain.clone(), Resource::ErrorReport(report.id))
        }));
    }
    subjects
}

impl View<'_> {
    /// What an owner must do, in the order of lists: the plain way, which looks at every subject.
    pub fn work_list(&self, owner: &WorkOwner) -> Vec<WorkItem> {
        let mut items: Vec<_> = subjects(*self)
            .iter()
            .flat_map(|subject| items_of(*self, subject))
            .filter(|item| item.owner == *owner)
            .collect();
        items.sort_by_key(WorkItem::place);
        if let WorkOwner::Organization(_, organization) = owner {
            items.extend(self.agreements_owed(*organization, None, usize::MAX, usize::MAX).rows);
        }
        items
    }

    /// As whom an organization of this domain has work: itself, and the part that it plays.
    pub fn work_owners(&self, organization: OrganizationId) -> Vec<WorkOwner> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let role = self
            .organization(&cluster.domain, organization)
            .and_then(|organization| organization.platform_role);
        let own = WorkOwner::Organization(cluster.domain, organization);
        [own].into_iter().chain(role.map(WorkOwner::Role)).collect()
    }

    /// The instant of a deadline that runs or ran out, as its row has it: that follows the calendar,
    /// which the clock that it was started with does not.
    fn due_of(&self, kind: DeadlineKind, subject: &ResourceName) -> Option<UtcMillis> {
        self.deadline(kind, subject).map(|row| row.due_time)
    }

    /// Instant and rule of a clock, by its row where there is one.
    fn clock_of(
        &self,
        kind: DeadlineKind,
        subject: &ResourceName,
        clock: Option<&WorkingDayClock>,
    ) -> (Option<UtcMillis>, Option<RuleRef>) {
        let due = self.due_of(kind, subject).or_else(|| clock.map(|clock| clock.due_time));
        (due, clock.map(|clock| clock.rule.clone()))
    }

    fn entry_title(&self, domain: &DomainId, id: EntryId) -> String {
        let entry = self.entry(domain, id).or_else(|| self.published_entry(domain, id));
        entry.map_or_else(String::new, |entry| entry.content.title)
    }

    fn organization_named(&self, domain: &DomainId, id: OrganizationId) -> String {
        self.organization(domain, id).map_or_else(String::new, |organization| organization.name)
    }
}

/// Who fills a part, with the asker and the provider of what it is about.
fn in_role(role: PartyRole, asker: &Party, provider: &Party) -> Vec<WorkOwner> {
    match role {
        PartyRole::Requester => vec![WorkOwner::of(asker)],
        PartyRole::Provider => vec![WorkOwner::of(provider)],
        PartyRole::Authority => vec![WorkOwner::Role(PlatformRole::Authority)],
        PartyRole::AuthorityAndProvider => {
            vec![WorkOwner::Role(PlatformRole::Authority), WorkOwner::of(provider)]
        }
        PartyRole::PlatformManager => vec![WorkOwner::Role(PlatformRole::PlatformManager)],
        PartyRole::GovernmentOrSuperior => vec![WorkOwner::Role(PlatformRole::Government)],
    }
}
