//! Facts: what can a record of the ledger say?
//!
//! Append only: the bytes of every fact are proved, and a number is never used again. Numbers are
//! given by group: 0 to 23 the first release, 24 the law, 40 cases, 70 grants, 90 the catalog, 120
//! relations and quality, 170 proofs, 200 drills.

use catalog_model::{
    document_digest::DocumentDigest,
    drill::{DrillPhase, Rpo},
    grant::{DeliveryProof, DisposalManner, MisuseGround, PurposeEndKind, WiderUseKind},
    ids::DomainId,
    name::ResourceName,
    reason::Reason,
    service_change::{ServiceChangeCause, ServiceChangeKind, ServiceChangeState},
    sharing::SharingKind,
    time::{LocalDate, UtcMillis},
    use_record::UseField,
};
use catalog_proofs::Hash;
use minicbor::{Decode, Encode};

use super::AnswerKind;

/// What a record says. Append only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Fact {
    /// The cluster began.
    #[n(0)]
    ClusterCreated {
        /// Its composition of rules.
        #[n(0)]
        composition: String,
    },
    /// A version of an entry was published.
    #[n(1)]
    EntryPublished {
        /// The version.
        #[n(0)]
        version: u64,
        /// The attribute.
        #[n(1)]
        sharing: SharingKind,
        /// SHA-256 of the published row's stored bytes.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
    },
    /// The authority returned an entry.
    #[n(2)]
    EntryReturned {
        /// The version.
        #[n(0)]
        version: u64,
    },
    /// An entry left the catalog.
    #[n(3)]
    EntryWithdrawn {
        /// The version.
        #[n(0)]
        version: u64,
    },
    /// A head consented.
    #[n(4)]
    ConsentGiven {
        /// To which version.
        #[n(0)]
        version: u64,
        /// Whether a system vouched for the head.
        #[n(1)]
        asserted: bool,
    },
    /// A case was received; its clock runs from here.
    #[n(5)]
    RequestReceived {
        /// The entry.
        #[n(0)]
        entry: ResourceName,
        /// Its version.
        #[n(1)]
        entry_version: u64,
        /// The asker.
        #[n(2)]
        requester: ResourceName,
        /// The items.
        #[n(3)]
        items: Vec<String>,
        /// Receipt.
        #[n(4)]
        received: UtcMillis,
        /// The due date, where a clock runs.
        #[n(5)]
        due_date: Option<LocalDate>,
        /// What the gateway's stamp differed from the committed clock by, in milliseconds.
        #[n(6)]
        gateway_difference_ms: Option<i64>,
    },
    /// A request was handed to the owner's domain.
    #[n(6)]
    RequestForwarded {
        /// The owner.
        #[n(0)]
        owner: DomainId,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
    },
    /// A request was refused at once by law: there is no case.
    #[n(7)]
    RequestRefusedAtOnce {
        /// The entry.
        #[n(0)]
        entry: ResourceName,
        /// Why.
        #[n(1)]
        reason: Reason,
    },
    /// The one list of what is missing was sent.
    #[n(8)]
    CompletionAsked,
    /// The request was completed.
    #[n(9)]
    RequestCompleted,
    /// An opinion was given.
    #[n(10)]
    OpinionGiven {
        /// For or against.
        #[n(0)]
        in_favor: bool,
    },
    /// The clock was extended.
    #[n(11)]
    RequestExtended {
        /// Working days added.
        #[n(0)]
        working_days: u16,
        /// The old due date.
        #[n(1)]
        from: LocalDate,
        /// The new one.
        #[n(2)]
        to: LocalDate,
    },
    /// The case was answered.
    #[n(12)]
    RequestAnswered {
        /// Agreed, agreed in part, refused.
        #[n(0)]
        kind: AnswerKind,
        /// The items agreed to.
        #[n(1)]
        items: Vec<String>,
        /// Whether it came after the due instant.
        #[n(2)]
        late: bool,
        /// The grant that followed.
        #[n(3)]
        grant: Option<ResourceName>,
        /// Whether the standing answer gave it.
        #[n(4)]
        standing: bool,
    },
    /// The asker took the request back.
    #[n(13)]
    RequestWithdrawn,
    /// The answer was not given in time: order to the debtor, escalation past it.
    #[n(14)]
    RequestOverdue {
        /// The due date that passed.
        #[n(0)]
        due_date: LocalDate,
        /// Organizations ordered to correct.
        #[n(1)]
        ordered: Vec<ResourceName>,
        /// To whom it was escalated.
        #[n(2)]
        escalated_to: catalog_model::share_request::PartyRole,
    },
    /// A right came to be.
    #[n(15)]
    Granted {
        /// The case.
        #[n(0)]
        request: ResourceName,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
        /// Who may use.
        #[n(2)]
        consumer: ResourceName,
        /// From which system.
        #[n(3)]
        system: ResourceName,
        /// Which items.
        #[n(4)]
        items: Vec<String>,
        /// First and last day.
        #[n(5)]
        from: LocalDate,
        /// See `from`.
        #[n(6)]
        to: LocalDate,
    },
    /// A right was stopped.
    #[n(16)]
    GrantSuspended {
        /// Last day for rectification.
        #[n(0)]
        rectify_by: LocalDate,
    },
    /// A right ended.
    #[n(17)]
    GrantTerminated,
    /// Something was owed by a day and not done.
    #[n(18)]
    DeadlineMissed {
        /// What.
        #[n(0)]
        kind: catalog_model::deadline::DeadlineKind,
        /// First overdue instant.
        #[n(1)]
        due: UtcMillis,
    },
    /// How a case stands at its owner, as told by the owner's domain.
    #[n(19)]
    StatusReceived {
        /// The owner.
        #[n(0)]
        owner: DomainId,
        /// Version of the case there.
        #[n(1)]
        version: u64,
    },
    /// A consulted party said nothing while its time ran (SHR-30).
    #[n(20)]
    OpinionSilent {
        /// The last day of its time.
        #[n(0)]
        due_date: LocalDate,
    },
    /// The nodes of the cluster changed.
    #[n(21)]
    MembersChanged {
        /// Version of the list.
        #[n(0)]
        version: u64,
        /// "add", "promote", "remove", "replace", "finish".
        #[n(1)]
        kind: String,
        /// The nodes that it is about.
        #[n(2)]
        nodes: Vec<u64>,
        /// The voters after it.
        #[n(3)]
        voters: Vec<u64>,
        /// The learners after it.
        #[n(4)]
        learners: Vec<u64>,
    },
    /// The cluster began to use newer commands.
    #[n(22)]
    LevelRaised {
        /// The old level.
        #[n(0)]
        from: u32,
        /// The new one.
        #[n(1)]
        to: u32,
    },
    /// A node could not take changes for a while.
    #[n(23)]
    OutageRecorded {
        /// The node.
        #[n(0)]
        node: u64,
        /// What was the matter.
        #[n(1)]
        kind: crate::rows::OutageKind,
        /// Since when, by the node's clock.
        #[n(2)]
        from: UtcMillis,
        /// Until when.
        #[n(3)]
        until: UtcMillis,
    },
    /// The provider offered the data.
    #[n(70)]
    DeliveryOffered,
    /// The platform's own test retrieval succeeded.
    #[n(71)]
    DeliveryTested,
    /// The data arrived.
    #[n(72)]
    Delivered {
        /// What shows it.
        #[n(0)]
        proof: DeliveryProof,
        /// Whether it came after the due instant.
        #[n(1)]
        late: bool,
    },
    /// The delivery was not made in time: order to the debtor, escalation past it.
    #[n(73)]
    DeliveryOverdue {
        /// The due date that passed.
        #[n(0)]
        due_date: LocalDate,
        /// Organizations ordered to correct.
        #[n(1)]
        ordered: Vec<ResourceName>,
        /// To whom it was escalated.
        #[n(2)]
        escalated_to: catalog_model::share_request::PartyRole,
    },
    /// The due date of a delivery passed, but the data had been ready and tested before: nobody is
    /// ordered anything.
    #[n(74)]
    DeliveryAwaitsUser {
        /// The due date that passed.
        #[n(0)]
        due_date: LocalDate,
    },
    /// A right was stopped for misuse.
    #[n(75)]
    GrantSuspendedForMisuse {
        /// The ground, where one of the law was named.
        #[n(0)]
        ground: Option<MisuseGround>,
        /// The evidence.
        #[n(1)]
        evidence: Option<DocumentDigest>,
        /// Last day for rectification.
        #[n(2)]
        rectify_by: LocalDate,
    },
    /// The user reported its rectification.
    #[n(76)]
    RectificationReported {
        /// Whether it refuses to rectify.
        #[n(0)]
        refused: bool,
        /// The report.
        #[n(1)]
        digest: Option<DocumentDigest>,
    },
    /// The rectification was judged.
    #[n(77)]
    RectificationJudged {
        /// Whether it is enough.
        #[n(0)]
        adequate: bool,
    },
    /// The day for rectification passed.
    #[n(78)]
    RectificationLapsed {
        /// The day.
        #[n(0)]
        rectify_by: LocalDate,
    },
    /// The purpose of a right ended.
    #[n(79)]
    PurposeEnded {
        /// How.
        #[n(0)]
        kind: PurposeEndKind,
    },
    /// The provider required a disposal.
    #[n(80)]
    DisposalRequired {
        /// The manner.
        #[n(0)]
        manner: DisposalManner,
    },
    /// The disposal was shown.
    #[n(81)]
    DisposalProved {
        /// The manner.
        #[n(0)]
        manner: DisposalManner,
        /// The proof.
        #[n(1)]
        digest: DocumentDigest,
    },
    /// A use was recorded.
    #[n(82)]
    UseRecorded {
        /// Its number.
        #[n(0)]
        number: u64,
        /// Fields that it lacks: a finding against the user.
        #[n(1)]
        missing: Vec<UseField>,
    },
    /// Use records beyond their retention were removed.
    #[n(83)]
    UseRecordsPurged {
        /// Those recorded before this day.
        #[n(0)]
        before: LocalDate,
        /// How many.
        #[n(1)]
        count: u64,
    },
    /// The provider consented to a use beyond the right.
    #[n(84)]
    WiderUseConsented {
        /// In which respect.
        #[n(0)]
        kind: WiderUseKind,
        /// Which items.
        #[n(1)]
        items: Vec<String>,
    },
    /// The agreement on the use was recorded.
    #[n(85)]
    AgreementRecorded {
        /// The document.
        #[n(0)]
        digest: DocumentDigest,
        /// The day of signing.
        #[n(1)]
        signed: LocalDate,
    },
    /// A provider wants to end or change a service.
    #[n(86)]
    ServiceChangeProposed {
        /// The entry.
        #[n(0)]
        entry: ResourceName,
        /// What is to happen.
        #[n(1)]
        kind: ServiceChangeKind,
        /// Why.
        #[n(2)]
        cause: ServiceChangeCause,
        /// The first day on which it may hold.
        #[n(3)]
        effective: LocalDate,
        /// The rights that it concerns.
        #[n(4)]
        grants: Vec<ResourceName>,
    },
    /// A user said what it thinks of it.
    #[n(87)]
    ServiceChangeStated {
        /// Whether it agrees.
        #[n(0)]
        agrees: bool,
    },
    /// It went a step further, or was given up.
    #[n(88)]
    ServiceChangeMoved {
        /// Where it stands now.
        #[n(0)]
        state: ServiceChangeState,
        /// The minutes of the talk, where they are the step.
        #[n(1)]
        minutes: Option<DocumentDigest>,
    },
    /// A right ended or shrank with its service.
    #[n(89)]
    GrantChangedWithService {
        /// The change of the service.
        #[n(0)]
        change: ResourceName,
        /// The items that are left; none = the right ended.
        #[n(1)]
        items: Vec<String>,
    },
    /// A change was reported for which the catalog must be updated.
    #[n(90)]
    ChangeReported {
        /// What changed.
        #[n(0)]
        trigger: catalog_model::entry_file::ChangeTrigger,
        /// The day on which it changed.
        #[n(1)]
        day: LocalDate,
        /// The last day for the update.
        #[n(2)]
        due_date: LocalDate,
        /// Whether the number of days is the house's, for a word of the law.
        #[n(3)]
        by_default: bool,
    },
    /// The authority consented to more time for an update.
    #[n(91)]
    UpdateExtended {
        /// Working days added.
        #[n(0)]
        working_days: u16,
        /// The old last day.
        #[n(1)]
        from: LocalDate,
        /// The new one.
        #[n(2)]
        to: LocalDate,
    },
    /// The catalog was not updated in time: order to the provider, escalation past it.
    #[n(92)]
    UpdateOverdue {
        /// The day that passed.
        #[n(0)]
        due_date: LocalDate,
        /// Who is ordered to correct; absent = no rule gives an order.
        #[n(1)]
        ordered: Option<ResourceName>,
        /// To whom it was escalated.
        #[n(2)]
        escalated_to: Option<catalog_model::share_request::PartyRole>,
    },
    /// The catalog was updated and handed in after a change.
    #[n(93)]
    UpdateMet {
        /// What had changed.
        #[n(0)]
        trigger: catalog_model::entry_file::ChangeTrigger,
        /// The day of the change.
        #[n(1)]
        day: LocalDate,
        /// Whether it came after the due instant.
        #[n(2)]
        late: bool,
    },
    /// The authority did not review an update in time: escalation past it.
    #[n(94)]
    AuthorityReviewOverdue {
        /// The day that passed.
        #[n(0)]
        due_date: LocalDate,
        /// To whom it was escalated.
        #[n(1)]
        escalated_to: Option<catalog_model::share_request::PartyRole>,
    },
    /// The sharing attribute was reviewed.
    #[n(95)]
    AttributeReviewed {
        /// What came of it.
        #[n(0)]
        outcome: catalog_model::entry_file::ReviewOutcome,
        /// The last day for the next review.
        #[n(1)]
        next: Option<LocalDate>,
    },
    /// A version with another attribute was published.
    #[n(96)]
    AttributeChanged {
        /// What it was.
        #[n(0)]
        from: SharingKind,
        /// What it is.
        #[n(1)]
        to: SharingKind,
    },
    /// A pass over the catalog began.
    #[n(97)]
    ReclassificationStarted {
        /// Its number.
        #[n(0)]
        pass: u64,
        /// The rule pack by which.
        #[n(1)]
        rule_pack_version: u64,
    },
    /// A pass over the catalog was through.
    #[n(98)]
    ReclassificationEnded {
        /// Its number.
        #[n(0)]
        pass: u64,
        /// How many entries it saw.
        #[n(1)]
        seen: u64,
        /// How many of them it listed.
        #[n(2)]
        listed: u64,
    },
    /// An entry's attribute rests on too little.
    #[n(99)]
    ReclassificationListed {
        /// Its attribute.
        #[n(0)]
        sharing: SharingKind,
        /// What is wrong.
        #[n(1)]
        reason: Reason,
        /// The last day to do something about it.
        #[n(2)]
        due_date: Option<LocalDate>,
    },
    /// Something was done about it.
    #[n(100)]
    ReclassificationClosed {
        /// "reclassified", "basis_added", "ruled", "withdrawn", "sufficient".
        #[n(0)]
        outcome: String,
        /// The attribute now; absent once the entry is out of the catalog.
        #[n(1)]
        sharing: Option<SharingKind>,
    },
    /// An entry was taken off the list at once.
    #[n(101)]
    EntrySuspended {
        /// The version.
        #[n(0)]
        version: u64,
        /// The proper reason.
        #[n(1)]
        ground: catalog_model::entry_file::SuspensionGround,
    },
    /// It came back as it was.
    #[n(102)]
    EntryResumed {
        /// The version.
        #[n(0)]
        version: u64,
    },
    /// A withdrawn entry was put away.
    #[n(103)]
    EntryArchived {
        /// The version.
        #[n(0)]
        version: u64,
    },
    /// The data of an entry were listed as important, or are no longer.
    #[n(104)]
    ImportantDataListed {
        /// Whether they are.
        #[n(0)]
        listed: bool,
        /// SHA-256 of the decision.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        decision: [u8; 32],
    },
    /// Somebody sent a secret; nothing of it is kept.
    #[n(105)]
    SecretRefused {
        /// Which kind.
        #[n(0)]
        mark: catalog_model::catalog_entry::SecrecyMark,
    },
    /// A person of the organization has other roles.
    #[n(106)]
    PersonRolesChanged {
        /// The roles from now on.
        #[n(0)]
        roles: Vec<catalog_model::organization::PersonRole>,
    },
    /// A rule pack was loaded.
    #[n(24)]
    RulePackLoaded {
        /// Its version in state.
        #[n(0)]
        version: u64,
        /// SHA-256 of its text.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
        /// The first day in the past on which it says something else than the version before.
        #[n(2)]
        late_since: Option<LocalDate>,
    },
    /// A change of the law was proposed and waits for a second person.
    #[n(25)]
    LawEditProposed {
        /// `rule_pack` or `calendar`.
        #[n(0)]
        what: String,
        /// SHA-256 of the text.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
    },
    /// The authority ruled on a point of law.
    #[n(26)]
    RulingRecorded {
        /// `continue_expired`, `adapt`, `choose`.
        #[n(0)]
        kind: String,
        /// The rule that holds by it.
        #[n(1)]
        rule: String,
        /// The rule that gives way.
        #[n(2)]
        over: Option<String>,
        /// First day.
        #[n(3)]
        from: LocalDate,
        /// Last day; none = until it is withdrawn.
        #[n(4)]
        to: Option<LocalDate>,
        /// Number of the paper on which it was decided.
        #[n(5)]
        document_number: Option<String>,
        /// SHA-256 of that paper.
        #[n(6)]
        document_digest: Option<minicbor::bytes::ByteVec>,
    },
    /// The authority took a ruling back.
    #[n(27)]
    RulingWithdrawn,
    /// Law that binds the case was loaded after its receipt: both results are kept (POL-07).
    #[n(28)]
    LawLoadedLate {
        /// The version of the rule pack.
        #[n(0)]
        version: u64,
        /// Who decided under the version of receipt.
        #[n(1)]
        old_decider: Option<catalog_model::share_request::Decider>,
        /// Who decides under the law that binds it.
        #[n(2)]
        new_decider: Option<catalog_model::share_request::Decider>,
        /// The last day before, where a clock ran.
        #[n(3)]
        from: Option<LocalDate>,
        /// And after.
        #[n(4)]
        to: Option<LocalDate>,
        /// Whether it was held in the present.
        #[n(5)]
        held: bool,
        /// Whether an order that had been given was taken back.
        #[n(6)]
        lifted: bool,
    },
    /// A calendar was loaded.
    #[n(29)]
    CalendarLoaded {
        /// Its version.
        #[n(0)]
        version: u64,
        /// SHA-256 of its text.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
        /// Years with an official list.
        #[n(2)]
        years: Vec<i16>,
    },
    /// Days were declared closed.
    #[n(30)]
    ClosureDeclared {
        /// The version of the calendar in force after it.
        #[n(0)]
        version: u64,
        /// The document.
        #[n(1)]
        document_number: String,
        /// The days.
        #[n(2)]
        days: Vec<LocalDate>,
        /// Whether clocks count them all the same.
        #[n(3)]
        counted: bool,
    },
    /// Such a declaration was taken back.
    #[n(31)]
    ClosureWithdrawn {
        /// The version of the calendar in force after it.
        #[n(0)]
        version: u64,
        /// The document.
        #[n(1)]
        document_number: String,
        /// The days.
        #[n(2)]
        days: Vec<LocalDate>,
    },
    /// A running clock was counted again.
    #[n(32)]
    DeadlineRecomputed {
        /// What is owed.
        #[n(0)]
        kind: catalog_model::deadline::DeadlineKind,
        /// Version of the calendar.
        #[n(1)]
        calendar_version: u64,
        /// The last day as it was.
        #[n(2)]
        from: LocalDate,
        /// The last day as it is now.
        #[n(3)]
        to: LocalDate,
        /// Whether the new count ended in the past, so that the day was held in the present.
        #[n(4)]
        held: bool,
        /// Whether an order that had been given was taken back.
        #[n(5)]
        lifted: bool,
    },
    /// The platform was out.
    #[n(33)]
    PlatformOutageRecorded {
        /// Its number.
        #[n(0)]
        number: u64,
        /// Since when.
        #[n(1)]
        from: UtcMillis,
        /// Until when.
        #[n(2)]
        until: UtcMillis,
        /// Nodes that recorded an outage in that time themselves.
        #[n(3)]
        nodes: Vec<u64>,
    },
    /// The platform was out on the last day of an overdue case: somebody has to rule.
    #[n(34)]
    OutageRulingWanted {
        /// The last day.
        #[n(0)]
        due_date: LocalDate,
    },
    /// It was ruled whether that lateness counts.
    #[n(35)]
    OutageRuled {
        /// Whether it does.
        #[n(0)]
        counts: bool,
    },
    /// A work in portions is done.
    #[n(36)]
    RecomputeFinished {
        /// `calendar`, `late_law`, `outage`.
        #[n(0)]
        what: String,
        /// Rows looked at.
        #[n(1)]
        looked_at: u64,
        /// Of these, changed or flagged.
        #[n(2)]
        changed: u64,
    },
    /// The provider was asked for its opinion.
    #[n(40)]
    OpinionAsked {
        /// The last day of its time, where a rule limits it.
        #[n(0)]
        due_date: Option<LocalDate>,
    },
    /// The debtor proposed an extension.
    #[n(41)]
    ExtensionProposed {
        /// Working days.
        #[n(0)]
        working_days: u16,
    },
    /// The authority did not consent to it.
    #[n(42)]
    ExtensionDenied {
        /// Working days.
        #[n(0)]
        working_days: u16,
    },
    /// The asker was told of the extension.
    #[n(43)]
    ExtensionNoticeGiven {
        /// The asker.
        #[n(0)]
        requester: ResourceName,
        /// The new due date.
        #[n(1)]
        due_date: LocalDate,
    },
    /// A late debtor was ordered to correct.
    #[n(44)]
    CorrectionOrdered {
        /// Who.
        #[n(0)]
        debtor: ResourceName,
        /// What the rule orders, in the pack's words.
        #[n(1)]
        effects: Vec<String>,
    },
    /// The reasons of late debtors are heard.
    #[n(45)]
    HearingOpened {
        /// The last day to claim one.
        #[n(0)]
        due_date: LocalDate,
    },
    /// A debtor claimed a reason.
    #[n(46)]
    ReasonClaimed {
        /// Who.
        #[n(0)]
        debtor: ResourceName,
    },
    /// The party above it ruled.
    #[n(47)]
    ReasonRuled {
        /// On whose reason.
        #[n(0)]
        debtor: ResourceName,
        /// Whether it is a proper one.
        #[n(1)]
        accepted: bool,
    },
    /// The lateness counts in the debtor's record.
    #[n(48)]
    LatenessCounted {
        /// Who.
        #[n(0)]
        debtor: ResourceName,
        /// The day that was missed.
        #[n(1)]
        due_date: LocalDate,
        /// Whether a reason was claimed and rejected; else nobody spoke.
        #[n(2)]
        heard: bool,
    },
    /// The lateness does not count.
    #[n(49)]
    LatenessExcused {
        /// Who.
        #[n(0)]
        debtor: ResourceName,
        /// The day that was missed.
        #[n(1)]
        due_date: LocalDate,
    },
    /// A fraction of the answer clock has run.
    #[n(50)]
    AnswerWarned {
        /// Thousandths.
        #[n(0)]
        share: u16,
        /// The due date.
        #[n(1)]
        due_date: LocalDate,
    },
    /// The asker was warned that its request will be closed.
    #[n(51)]
    CompletionWarned {
        /// The last day to complete it.
        #[n(0)]
        due_date: LocalDate,
    },
    /// The request was never completed and is closed; it may be filed again.
    #[n(52)]
    RequestNotCompleted,
    /// The unconditional part of a mixed request was granted.
    #[n(53)]
    PartGrantedAtOnce {
        /// The items.
        #[n(0)]
        items: Vec<String>,
        /// The grant.
        #[n(1)]
        grant: ResourceName,
    },
    /// What came by a window was entered on behalf of somebody.
    #[n(54)]
    FiledOnBehalf {
        /// "request", "answer" or "opinion".
        #[n(0)]
        what: String,
        /// For whom.
        #[n(1)]
        organization: ResourceName,
        /// Number of the paper.
        #[n(2)]
        document_number: String,
        /// SHA-256 of its scan.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
        /// The date stamped on it.
        #[n(4)]
        date: LocalDate,
    },
    /// A case did not reach its owner in the house's time for a hop.
    #[n(55)]
    HopLate {
        /// The instant by which it should have.
        #[n(0)]
        due: UtcMillis,
    },
    /// The domain turned the separation of duties on or off.
    #[n(56)]
    SeparationSwitched {
        /// On or off.
        #[n(0)]
        on: bool,
    },
    /// A dispute was raised.
    #[n(57)]
    DisputeRaised {
        /// About which case.
        #[n(0)]
        request: ResourceName,
        /// Against whom.
        #[n(1)]
        against: ResourceName,
    },
    /// A side stated its position.
    #[n(58)]
    PositionStated {
        /// Which.
        #[n(0)]
        by: ResourceName,
        /// Number of the letter, where it came on paper.
        #[n(1)]
        on_paper: Option<String>,
    },
    /// The two sides have consulted.
    #[n(59)]
    ConsultationEnded {
        /// Whether they agreed.
        #[n(0)]
        agreed: bool,
    },
    /// An authority coordinated.
    #[n(60)]
    DisputeCoordinated {
        /// Whether they agreed before it.
        #[n(0)]
        agreed: bool,
        /// Number of the paper of a superior authority.
        #[n(1)]
        document_number: Option<String>,
    },
    /// The government decided.
    #[n(61)]
    DisputeDecided {
        /// Number of the decision.
        #[n(0)]
        document_number: String,
        /// SHA-256 of its scan.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
        /// Its date.
        #[n(2)]
        date: LocalDate,
    },
    /// A demand came in or moved on.
    #[n(62)]
    DemandMoved {
        /// Where it stands now, in a word.
        #[n(0)]
        state: String,
        /// Who has the next move.
        #[n(1)]
        owner: Option<ResourceName>,
    },
    // Relations and quality.
    /// A dataset was registered.
    #[n(120)]
    DatasetRegistered {
        /// Whose.
        #[n(0)]
        organization: ResourceName,
    },
    /// A dataset was linked to an entry or a system.
    #[n(121)]
    DatasetBound {
        /// To what.
        #[n(0)]
        to: ResourceName,
        /// First day.
        #[n(1)]
        from: LocalDate,
        /// Last day, if it is known.
        #[n(2)]
        until: Option<LocalDate>,
    },
    /// A link of a dataset ended.
    #[n(122)]
    DatasetUnbound {
        /// From what.
        #[n(0)]
        from: ResourceName,
        /// Last day.
        #[n(1)]
        until: LocalDate,
    },
    /// A dataset was deleted.
    #[n(123)]
    DatasetDeleted,
    /// A business system was deleted.
    #[n(124)]
    SystemDeleted,
    /// An organization stated its duties.
    #[n(125)]
    DutiesStated {
        /// How many.
        #[n(0)]
        count: u32,
        /// Version of the list.
        #[n(1)]
        version: u64,
    },
    /// A datum got its source.
    #[n(126)]
    SourceAssigned {
        /// The department.
        #[n(0)]
        organization: ResourceName,
        /// First day.
        #[n(1)]
        from: LocalDate,
        /// Last day, if it is known.
        #[n(2)]
        until: Option<LocalDate>,
    },
    /// The assignment of a source ended.
    #[n(127)]
    SourceEnded {
        /// First day.
        #[n(0)]
        from: LocalDate,
        /// Last day.
        #[n(1)]
        until: LocalDate,
    },
    /// It was checked whether data are collected twice.
    #[n(128)]
    CollectionChecked {
        /// What was found.
        #[n(0)]
        result: catalog_model::acquisition::CollectionResult,
        /// Entries that share them.
        #[n(1)]
        overlaps: Vec<ResourceName>,
    },
    /// The transfer of a function went on.
    #[n(129)]
    TransferMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::function_transfer::TransferState,
        /// How many entries have moved.
        #[n(1)]
        moved: u32,
    },
    /// An entry went to another department.
    #[n(130)]
    EntryTransferred {
        /// By which transfer.
        #[n(0)]
        transfer: ResourceName,
        /// From.
        #[n(1)]
        from: ResourceName,
        /// To.
        #[n(2)]
        to: ResourceName,
        /// Version of the entry.
        #[n(3)]
        version: u64,
    },
    /// The authority's objection to an attribute went on.
    #[n(131)]
    ObjectionMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::attribute_objection::ObjectionState,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
        /// Digest of the paper decision.
        #[n(2)]
        decision: Option<catalog_model::document_digest::DocumentDigest>,
    },
    /// An attribute changed at the end of an objection.
    #[n(132)]
    AttributeSettled {
        /// The version that is published now.
        #[n(0)]
        version: u64,
        /// The attribute.
        #[n(1)]
        sharing: SharingKind,
        /// SHA-256 of the published row's stored bytes.
        #[n(2)]
        digest: catalog_model::document_digest::DocumentDigest,
    },
    /// The handling of emergency data went on.
    #[n(133)]
    EmergencyMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::acquisition::EmergencyState,
        /// Digest of what proves the step.
        #[n(1)]
        proof: Option<catalog_model::document_digest::DocumentDigest>,
    },
    /// Emergency data were used.
    #[n(134)]
    EmergencyUsed {
        /// By which system.
        #[n(0)]
        system: ResourceName,
    },
    /// A purchase went on.
    #[n(135)]
    PurchaseMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::acquisition::PurchaseState,
        /// Digest of the contract.
        #[n(1)]
        contract: Option<catalog_model::document_digest::DocumentDigest>,
    },
    /// A contract on collection went on.
    #[n(136)]
    ContractMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::acquisition::ContractState,
        /// Digest of the proof.
        #[n(1)]
        proof: Option<catalog_model::document_digest::DocumentDigest>,
    },
    /// It was stated how the data of an entry were acquired.
    #[n(137)]
    AcquisitionStated {
        /// How.
        #[n(0)]
        acquisition: catalog_model::acquisition::Acquisition,
    },
    /// The data assets of a project were named.
    #[n(138)]
    ProjectOpened {
        /// How many.
        #[n(0)]
        assets: u32,
    },
    /// An asset of a project was registered as an entry.
    #[n(139)]
    AssetListed {
        /// Its place.
        #[n(0)]
        asset: u32,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
    },
    /// A project passed the gate to its acceptance.
    #[n(140)]
    ProjectAccepted,
    /// A platform beside the city's was put on record.
    #[n(141)]
    PlatformRecorded {
        /// Whether it serves several departments.
        #[n(0)]
        cross_department: bool,
        /// Until when it migrates.
        #[n(1)]
        migrate_by: Option<LocalDate>,
    },
    /// A batch of data was put on record.
    #[n(142)]
    BatchRecorded {
        /// SHA-256 of its number.
        #[n(0)]
        batch: catalog_model::document_digest::DocumentDigest,
        /// Its rows.
        #[n(1)]
        rows: u64,
        /// Failures that the checks found.
        #[n(2)]
        failed: u64,
    },
    /// An error report went on.
    #[n(143)]
    ReportMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::quality::ReportState,
        /// Whether the feedback came after the due instant.
        #[n(1)]
        late: bool,
    },
    /// A batch corrected data that were reported wrong.
    #[n(144)]
    ReportCorrected {
        /// SHA-256 of its number.
        #[n(0)]
        batch: catalog_model::document_digest::DocumentDigest,
        /// Of the rows before.
        #[n(1)]
        before: catalog_model::document_digest::DocumentDigest,
        /// Of the rows after.
        #[n(2)]
        after: catalog_model::document_digest::DocumentDigest,
    },
    /// Those who hold corrected data were told.
    #[n(145)]
    ReportPropagated {
        /// Their rights.
        #[n(0)]
        holders: Vec<ResourceName>,
    },
    /// A feedback or an answer was not given in time: order to the debtor, escalation past it.
    #[n(146)]
    QualityOverdue {
        /// The due date that passed.
        #[n(0)]
        due_date: LocalDate,
        /// Who is ordered to correct.
        #[n(1)]
        ordered: ResourceName,
        /// To whom it was escalated.
        #[n(2)]
        escalated_to: Option<ResourceName>,
    },
    /// The objection of a person concerned went on.
    #[n(147)]
    PersonalObjectionMoved {
        /// Where it stands now.
        #[n(0)]
        state: catalog_model::quality::PersonalObjectionState,
        /// Who handles it.
        #[n(1)]
        receiver: ResourceName,
        /// Whether the answer came after the due instant.
        #[n(2)]
        late: bool,
    },
    /// A head of another domain is held here from now on (FED-15).
    #[n(170)]
    HeadHeld {
        /// The domain.
        #[n(0)]
        domain: DomainId,
        /// Records in it.
        #[n(1)]
        tree_size: u64,
        /// Its root.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        root: Hash,
    },
    /// A head of another domain did not extend the one held: its past was rewritten (FED-15).
    #[n(171)]
    HeadForked {
        /// The domain.
        #[n(0)]
        domain: DomainId,
        /// Records in the head held.
        #[n(1)]
        held_size: u64,
        /// Its root.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        held_root: Hash,
        /// Records in the one that does not extend it.
        #[n(3)]
        tree_size: u64,
        /// Its root.
        #[n(4)]
        #[cbor(with = "minicbor::bytes")]
        root: Hash,
    },
    /// Another domain cosigned a head of this ledger (FED-15).
    #[n(172)]
    HeadCosigned {
        /// The domain.
        #[n(0)]
        cosigner: DomainId,
        /// Records in the head.
        #[n(1)]
        tree_size: u64,
    },
    /// A segment of the ledger was sealed, to be archived.
    #[n(173)]
    SegmentSealed {
        /// Its number.
        #[n(0)]
        number: u64,
        /// First record.
        #[n(1)]
        from: u64,
        /// The record after its last.
        #[n(2)]
        through: u64,
        /// The chain's link.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        link: Hash,
    },
    /// Text and persons beside a record were erased, on a ground that the digests hold (SEC-03).
    #[n(174)]
    PayloadErased {
        /// The record.
        #[n(0)]
        sequence: u64,
    },
    /// Texts and persons beside records were deleted after the end of retention (SEC-16).
    #[n(175)]
    PayloadsPurged {
        /// First record.
        #[n(0)]
        from: u64,
        /// The record after the last.
        #[n(1)]
        through: u64,
        /// How many of them had something beside them.
        #[n(2)]
        count: u64,
    },
    /// An organization wants to be told of what concerns it; the address is beside the record.
    #[n(180)]
    WebhookRegistered {
        /// The organization.
        #[n(0)]
        organization: ResourceName,
    },
    /// It does not any more.
    #[n(181)]
    WebhookRemoved,
    /// A notice could not be delivered for as long as the platform tries; it can still be pulled.
    #[n(182)]
    NoticeGivenUp {
        /// The record of which it told.
        #[n(0)]
        sequence: u64,
    },
    /// A watched domain wrote the cell that is kept for it here.
    #[n(183)]
    CellWritten {
        /// The domain.
        #[n(0)]
        domain: DomainId,
        /// What it wrote.
        #[n(1)]
        write: String,
        /// The cell's revision after it.
        #[n(2)]
        revision: u64,
        /// Its pair, as `generation.epoch`.
        #[n(3)]
        pair: String,
        /// Its active site.
        #[n(4)]
        site: String,
        /// Its mode.
        #[n(5)]
        mode: String,
    },
    /// Our witness says this of us now.
    #[n(184)]
    CellNoted {
        /// The cell's revision.
        #[n(0)]
        revision: u64,
        /// Its pair.
        #[n(1)]
        pair: String,
        /// Its active site.
        #[n(2)]
        site: String,
        /// Its mode.
        #[n(3)]
        mode: String,
    },
    /// It was said at which site each member is.
    #[n(185)]
    SitesSet {
        /// The members, ascending.
        #[n(0)]
        nodes: Vec<u64>,
        /// Their sites, in that order.
        #[n(1)]
        sites: Vec<String>,
        /// Where the leader belongs.
        #[n(2)]
        active: String,
    },
    /// What an acknowledgement promises changed.
    #[n(186)]
    ModeChanged {
        /// To this.
        #[n(0)]
        mode: String,
        /// Revision of the cell that says so; absent where no witness could be reached.
        #[n(1)]
        cell_revision: Option<u64>,
        /// Whether two persons stood in for the witness; their reason is beside the record.
        #[n(2)]
        without_witness: bool,
    },
    /// A disaster recovery policy was filed (DR-04); its approvers are beside the record.
    #[n(187)]
    DrPolicyFiled {
        /// Counts up.
        #[n(0)]
        version: u64,
        /// 文号
        #[n(1)]
        document_number: String,
        /// SHA-256 of the document.
        #[n(2)]
        digest: catalog_model::document_digest::DocumentDigest,
        /// Who keeps the cell.
        #[n(3)]
        witness: Option<DomainId>,
    },
    /// Graded acts are taken while one site alone holds them, until the mode changes.
    #[n(188)]
    ActsReleased {
        /// In this opening.
        #[n(0)]
        pair: String,
    },
    /// A planned switchover went on.
    #[n(189)]
    SwitchoverMoved {
        /// Its number.
        #[n(0)]
        number: u64,
        /// From this site.
        #[n(1)]
        from: String,
        /// To this one.
        #[n(2)]
        to: String,
        /// Where it stands.
        #[n(3)]
        state: String,
    },
    /// A new generation begins: this history leaves the one before (DR-01).
    #[n(190)]
    Forked {
        /// The opening that ended.
        #[n(0)]
        from: String,
        /// The one that begins.
        #[n(1)]
        pair: String,
        /// The site that opens it.
        #[n(2)]
        site: String,
        /// Records that both histories share.
        #[n(3)]
        tree_size: u64,
        /// The root over them.
        #[n(4)]
        #[cbor(with = "minicbor::bytes")]
        root: Hash,
        /// Records of the greatest head of the old generation that is known outside.
        #[n(5)]
        greatest_head: Option<u64>,
        /// What was lost.
        #[n(6)]
        verdict: String,
        /// What was missing to say more.
        #[n(7)]
        missing: Vec<String>,
        /// What time it was.
        #[n(8)]
        attested: UtcMillis,
        /// The nodes whose clocks said so; none = the approvers did.
        #[n(9)]
        attested_by_nodes: Vec<u64>,
    },
    /// An act on data of this grade was refused because one site alone worked (DR-02).
    #[n(191)]
    ActRefusedOneSite {
        /// `important` or `core`.
        #[n(0)]
        grade: String,
    },
    /// A forced failover of another domain left the history that was held here: its records beyond
    /// the fork are lost, not rewritten (FED-15).
    #[n(193)]
    HeadLeft {
        /// The domain.
        #[n(0)]
        domain: DomainId,
        /// The opening that began with the fork.
        #[n(1)]
        pair: String,
        /// Records in the head that was held.
        #[n(2)]
        held_size: u64,
        /// Records that both histories share.
        #[n(3)]
        tree_size: u64,
        /// The root over them.
        #[n(4)]
        #[cbor(with = "minicbor::bytes")]
        root: Hash,
        /// Records of the held head that are lost.
        #[n(5)]
        lost: u64,
    },
    /// Neighbours were asked what they hold beyond a fork: overdue orders leave again.
    #[n(192)]
    WindowClosed {
        /// The generation that the fork began.
        #[n(0)]
        generation: u64,
    },
    /// A drill began: a failure is rehearsed (DR-06).
    #[n(200)]
    DrillOpened {
        /// Name of the plan.
        #[n(0)]
        plan: String,
        /// SHA-256 of the plan.
        #[n(1)]
        plan_digest: DocumentDigest,
        /// How many others must let it happen.
        #[n(2)]
        approvals_needed: u8,
        /// Whether a site is out of service afterwards.
        #[n(3)]
        takes_site: bool,
    },
    /// Somebody let the drill happen; who is beside the record.
    #[n(201)]
    DrillApproved {
        /// Whether a system vouched for the person.
        #[n(0)]
        asserted: bool,
        /// How many approvals there are now.
        #[n(1)]
        count: u32,
    },
    /// A step of the drill was carried out.
    #[n(202)]
    DrillStepped {
        /// To which part it belongs.
        #[n(0)]
        phase: DrillPhase,
        /// Its name in the plan.
        #[n(1)]
        step: String,
        /// When it began, by the clock of whoever carried it out.
        #[n(2)]
        began: UtcMillis,
        /// When it ended, by the same clock.
        #[n(3)]
        ended: UtcMillis,
        /// Whether it came out as the plan wants it.
        #[n(4)]
        ok: bool,
    },
    /// The drill is over; its report has this digest.
    #[n(203)]
    DrillClosed {
        /// Name of the plan.
        #[n(0)]
        plan: String,
        /// Whether everything came out as the plan wants it.
        #[n(1)]
        ok: bool,
        /// What is known of what was lost.
        #[n(2)]
        rpo: Rpo,
        /// Writes that the prober was told are done.
        #[n(3)]
        acknowledged: u64,
        /// Of these, how many are missing.
        #[n(4)]
        lost: u64,
        /// How many were done more than once.
        #[n(5)]
        duplicated: u64,
        /// Due instants that fired twice, early or never.
        #[n(6)]
        timers_wrong: u64,
        /// Longest time between two acknowledgments, in milliseconds.
        #[n(7)]
        pause_ms: u64,
        /// From the failure to the first acknowledgment after it, in milliseconds.
        #[n(8)]
        rto_ms: u64,
        /// SHA-256 of the canonical report.
        #[n(9)]
        report: DocumentDigest,
    },
    /// The drill was given up.
    #[n(204)]
    DrillAbandoned {
        /// Name of the plan.
        #[n(0)]
        plan: String,
        /// Whether the failure had been made by then.
        #[n(1)]
        acted: bool,
    },
}
