//! The keys of rules: what can a rule be about?
//!
//! A closed list. A pack that names another key is refused, because a rule that nobody reads
//! would look like law in force. A new key takes a line here and a reader in `resolution`.

use super::pack_error::nearest;

/// The form of a key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A number with its unit, or null where the text has only a word (及时, 合理期限).
    Count,
    /// A share of another clock, for instance 0.5.
    Share,
    /// Several shares.
    Shares,
    /// Yes or no.
    Flag,
    /// One word.
    Word,
    /// A list of words.
    Words,
    /// An object whose list of words under this name is what is merged.
    Listed(&'static str),
    /// To whom an overdue debtor's case goes.
    Escalation,
    /// The house's limits of extensions.
    ExtensionLimits,
    /// Whether and until when a completion notice suspends.
    Suspension,
    /// An object that is shown as it is; never merged with another.
    Table,
}

macro_rules! rule_keys {
    ($($variant:ident = $name:literal, $shape:ident $(($under:literal))?;)*) => {
        /// What a rule is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleKey {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl RuleKey {
            /// Every key, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in packs.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The form of its values.
            pub fn shape(self) -> Shape {
                match self { $(Self::$variant => Shape::$shape $(($under))?,)* }
            }
        }
    };
}

rule_keys! {
    SharingConditionalAnswer = "sharing.conditional.answer", Count;
    SharingUnconditionalAnswer = "sharing.unconditional.answer", Count;
    SharingDelivery = "sharing.delivery", Count;
    CatalogUpdate = "catalog.update", Count;
    CatalogAuthorityReview = "catalog.authority_review", Count;
    QualityCorrection = "quality.correction", Count;
    QualityObjectionAnswer = "quality.objection.answer", Count;
    OpenRequestAnswer = "open.request.answer", Count;
    OpenRereviewResult = "open.rereview.result", Count;
    DevReview = "dev.review", Count;
    DevAgreementReport = "dev.agreement_report", Count;
    SharingAttributeReview = "sharing.attribute.review", Count;
    SharingAnswerExtensionMax = "sharing.answer.extension_max", Count;
    CatalogUpdateExtensionMax = "catalog.update.extension_max", Count;
    CatalogAssessments = "catalog.assessments", Words;
    CatalogHeadConsent = "catalog.head_consent", Flag;
    CatalogRequiredAttributes = "catalog.required_attributes", Words;
    CatalogLinks = "catalog.links", Words;
    CatalogSelfCheck = "catalog.self_check", Words;
    CatalogFunctionTransferSignatures = "catalog.function_transfer.signatures", Words;
    SharingConditionalConditions = "sharing.conditional.conditions", Words;
    SharingConditionalBasisRequired = "sharing.conditional.basis_required", Flag;
    SharingNoneExplicitProhibition = "sharing.none.explicit_prohibition", Flag;
    SharingNoneEntryStates = "sharing.none.entry_states", Words;
    SharingNoAddedConditions = "sharing.no_added_conditions", Flag;
    SharingRequestContents = "sharing.request.contents", Words;
    SharingRequestCommitments = "sharing.request.commitments", Words;
    SharingRequestHeadConsent = "sharing.request.head_consent", Flag;
    SharingRequestLeastNecessary = "sharing.request.least_necessary", Flag;
    SharingAnswerHeadConsent = "sharing.answer.head_consent", Flag;
    SharingAnswerExtensionRequires = "sharing.answer.extension.requires", Words;
    SharingCompletionOneNotice = "sharing.completion.one_notice", Flag;
    SharingRefusalRequires = "sharing.refusal.requires", Words;
    SharingReturnFlow = "sharing.return_flow", Table;
    SharingDisposal = "sharing.disposal", Word;
    SharingServiceChangeRequires = "sharing.service_change.requires", Words;
    SharingUseSupervision = "sharing.use_supervision", Words;
    SharingAttributeWidening = "sharing.attribute.widening", Flag;
    UsageRecordFields = "usage_record.fields", Words;
    CollectionSourceDepartment = "collection.source_department", Flag;
    AggregationMode = "aggregation.mode", Words;
    OpenAgreement = "open.agreement", Flag;
    OpenFree = "open.free", Flag;
    DevApplicationContents = "dev.application_contents", Words;
    DevAgreementContents = "dev.agreement_contents", Words;
    DevConsent = "dev.consent", Flag;
    DevSourceDataRequires = "dev.source_data.requires", Words;
    DevTier2Conditions = "dev.tier2_conditions", Words;
    DevExclusions = "dev.exclusions", Words;
    DevRiskStop = "dev.risk_stop", Words;
    DevLogs = "dev.logs", Word;
    DevAppReview = "dev.app_review", Words;
    DevSupervision = "dev.supervision", Word;
    DevPersonalData = "dev.personal_data", Word;
    DrRequires = "dr.requires", Words;
    BaseLibraries = "base_libraries", Words;
    ThemeLibraries = "theme_libraries", Words;
    SecrecyExcluded = "secrecy.excluded", Words;
    UsageRecordRetention = "usage_record.retention", Count;
    SharingNoneBasis = "sharing.none.basis", Words;
    CollectionNoRecollection = "collection.no_recollection", Listed("exceptions");
    AggregationExempt = "aggregation.exempt", Listed("basis");
    OpenExclusions = "open.exclusions", Words;
    OpenAbuseGrounds = "open.abuse_grounds", Words;
    SharingPurposePermitted = "sharing.purpose.permitted", Words;
    SharingThirdPartyPermitted = "sharing.third_party.permitted", Words;
    SharingTypes = "sharing.types", Words;
    SharingConditionalDecider = "sharing.conditional.decider", Words;
    SharingAnswerStart = "sharing.answer.start", Word;
    SharingUnconditionalAccess = "sharing.unconditional.access", Word;
    SharingRequestHandler = "sharing.request.handler", Word;
    SharingMisuseStep1 = "sharing.misuse.step1", Word;
    SharingMisuseStep2 = "sharing.misuse.step2", Word;
    CatalogPublisher = "catalog.publisher", Word;
    AggregationAccessOrder = "aggregation.access_order", Words;
    QualityCorrectionRecipient = "quality.correction.recipient", Word;
    DisputeSharingLadder = "dispute.sharing.ladder", Words;
    DisputeSharingCrossLevel = "dispute.sharing.cross_level", Word;
    DisputeAttributeLadder = "dispute.attribute.ladder", Words;
    QualityObjectionRecipient = "quality.objection.recipient", Words;
    OverdueEffectProvider = "overdue.effect.provider", Words;
    OverdueEffectRequester = "overdue.effect.requester", Words;
    OverdueEffectAuthority = "overdue.effect.authority", Words;
    OverdueEffectUnrectified = "overdue.effect.unrectified", Words;
    OverdueEffectOpen = "overdue.effect.open", Words;
    OverdueEffectPrimacy = "overdue.effect.primacy", Word;
    OverdueLateCountsOnlyIf = "overdue.late_counts_only_if", Word;
    OpenTypes = "open.types", Words;
    OpenApplicants = "open.applicants", Words;
    OpenDecider = "open.decider", Words;
    OpenChannel = "open.channel", Word;
    AssessmentIndicators = "assessment.indicators", Table;
    AssessmentGrades = "assessment.grades", Words;
    AssessmentProcedure = "assessment.procedure", Words;
    AssessmentRereviewGrades = "assessment.rereview_grades", Words;
    DevFramework = "dev.framework", Word;
    CalendarLocalLayer = "calendar.local_layer", Table;
    ClockLapseEffect = "clock.lapse_effect", Table;
    ClockOutage = "clock.outage", Table;
    ClockWarnings = "clock.warnings", Shares;
    ControlSeparationOfDuties = "control.separation_of_duties", Table;
    ControlTwoPersonEdits = "control.two_person_edits", Words;
    FederationHopClock = "federation.hop_clock", Count;
    OpenApplicationAnswerDefault = "open.application.answer.default", Count;
    OverdueEscalationTarget = "overdue.escalation_target", Escalation;
    OverdueReasonHearing = "overdue.reason_hearing", Count;
    QualityCorrectionAutoClose = "quality.correction.auto_close", Count;
    RecordPaperDecision = "record.paper_decision", Words;
    RulesExpiredWithoutSuccessor = "rules.expired_without_successor", Word;
    SharingAnswerExtensionLimits = "sharing.answer.extension.limits", ExtensionLimits;
    SharingCompletionLapse = "sharing.completion.lapse", Count;
    SharingCompletionSuspension = "sharing.completion.suspension", Suspension;
    SharingConditionalAnswerDefault = "sharing.conditional.answer.default", Count;
    SharingConditionalOpinionClock = "sharing.conditional.opinion_clock", Share;
    SharingDeliveryDoneWhen = "sharing.delivery.done_when", Words;
    SharingReceipt = "sharing.receipt", Table;
    SharingRequestFieldReasons = "sharing.request.field_reasons", Table;
    SharingUnconditionalStandingAnswer = "sharing.unconditional.standing_answer", Table;
    TimeCount = "time.count", Table;
    TimeDefault = "time.default", Table;
}

impl RuleKey {
    /// The key of this name, or the name of the key that is nearest to it.
    pub fn from_name(name: &str) -> Result<Self, &'static str> {
        Self::ALL
            .iter()
            .copied()
            .find(|key| key.name() == name)
            .ok_or_else(|| nearest(name, Self::ALL.iter().map(|key| key.name())))
    }
}
