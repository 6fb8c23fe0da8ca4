//! Status: how is a refusal worded on the wire, and read again at the other end?
//!
//! The only place that knows gRPC codes. A `Refusal` becomes a google.rpc.Status: always an
//! `ErrorInfo` with the stable reason, the sentence in the caller's language as
//! `LocalizedMessage`, and where the refusal has them the wrong fields (`BadRequest`), the state
//! that stood in the way (`PreconditionFailure`) and the time to wait (`RetryInfo`).
//! `Status.message` is English, for logs. [`Problem`] is the way back.
//!
//! A status travels in HTTP trailers, for which many clients set aside 8 KiB in all. Long facts
//! and long lists are therefore shortened, and the status says that they were.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, LocalizedMessage, StatusExt};

use crate::language;

/// The domain of our reasons in `ErrorInfo.domain`.
pub const ERROR_DOMAIN: &str = "luqiao";

/// Key in the metadata of `ErrorInfo` that counts the fields left out of `BadRequest`.
pub const FIELDS_OMITTED: &str = "fields_omitted";

/// Longest sentence, in bytes of UTF-8. In `Status.message` a Chinese character takes nine.
const SENTENCE_BYTES_MAX: usize = 900;
/// Longest fact or description, in bytes of UTF-8.
const FACT_BYTES_MAX: usize = 240;
/// Most facts and most bytes of facts in one status.
const FACTS_MAX: usize = 16;
/// Most bytes of all details together. They travel in base64, a third longer.
const DETAILS_BYTES_MAX: usize = 4096;
/// Most wrong fields that are listed.
const FIELDS_MAX: usize = 32;

/// The gRPC code of a reason.
///
/// UNAVAILABLE says *the same call may be sent again as it is*, ABORTED *read again first*,
/// FAILED_PRECONDITION *not until something else has changed*.
pub fn code(reason: Reason) -> Code {
    match reason {
        Reason::CertificateMissing | Reason::CertificateUnknown => Code::Unauthenticated,
        Reason::AlreadyExists | Reason::CreditCodeTaken | Reason::AlreadyBootstrapped => {
            Code::AlreadyExists
        }
        Reason::DomainForeign
        | Reason::CallerNotPermitted
        | Reason::DataKindNotPermitted
        | Reason::ConsentNotByHead
        | Reason::NotShared
        | Reason::ItemNotShared
        | Reason::NotTheDecider
        | Reason::ExtensionConsentMissing
        | Reason::NotOwner
        | Reason::EnvelopeRefused
        | Reason::SubmitterNotOnFile
        | Reason::BasisUnderReview
        | Reason::NotTheEscalation
        | Reason::SelfApproval
        | Reason::DrillSelfApproval
        | Reason::PersonNotAsserted
        | Reason::GrantSuspended
        | Reason::GrantEnded
        | Reason::ServiceStopped
        | Reason::UseOutsideTerm
        | Reason::UseByOtherSystem
        | Reason::UseOutsideScenario
        | Reason::UseOutsideItems
        | Reason::UseOutsideRows
        | Reason::ApprovalsMissing
        | Reason::ApprovalDiffers
        | Reason::ApprovalExpired
        | Reason::WiderUseNotPermitted => Code::PermissionDenied,
        Reason::MessageMalformed
        | Reason::FieldInvalid
        | Reason::NameInvalid
        | Reason::RequestIdMissing
        | Reason::PageTokenInvalid
        | Reason::EtagMissing
        | Reason::MaskInvalid
        | Reason::TextTooLong
        | Reason::TooManyItems
        | Reason::TextControlCharacters
        | Reason::CreditCodeInvalid
        | Reason::ReasonMissing
        | Reason::ItemsDuplicate
        | Reason::ImportOpenTypeNotSharing
        | Reason::ScenarioMissing
        | Reason::DutyBasisMissing
        | Reason::ScopeMissing
        | Reason::MethodMissing
        | Reason::TermMissing
        | Reason::TermInvalid
        | Reason::CommitmentMissing
        | Reason::ItemUnknown
        | Reason::RefusalReasonMissing
        | Reason::RefusalGroundMissing
        | Reason::PartWithoutItems
        | Reason::ExtensionTooLong
        | Reason::CompletionNothingMissing
        | Reason::RefusedForIncompleteness
        | Reason::FeedTokenUnknown
        | Reason::PaperIncomplete
        | Reason::ClerkAsDecider
        | Reason::PaperDateInvalid
        | Reason::ItemGrantedAtOnce
        | Reason::RulePackRefused
        | Reason::CalendarRefused
        | Reason::DecisionIncomplete
        | Reason::OutageSourceMissing
        | Reason::OutageTimesWrong
        | Reason::SegmentRangeWrong
        | Reason::UseRecordIncomplete
        | Reason::DecisionRecordIncomplete
        | Reason::ProofMissing
        | Reason::ConcernNotProven
        | Reason::SettlementNarrows
        | Reason::DepositWrong
        | Reason::SiteRefused => Code::InvalidArgument,
        Reason::ClosureUnknown
        | Reason::NotFound
        | Reason::OrganizationUnknown
        | Reason::SystemUnknown
        | Reason::DomainUnknown
        | Reason::EntryNotAvailable
        | Reason::MemberUnknown
        | Reason::ChangeNotReported
        | Reason::NotOnWorklist
        | Reason::CellUnknown => Code::NotFound,
        Reason::CalendarDayCounted
        | Reason::CalendarYearMissing
        | Reason::SecondPersonNeeded
        | Reason::PersonNeeded
        | Reason::RulingUnfit
        | Reason::RulingNotWanted
        | Reason::RulingGivenAlready
        | Reason::PersonUnknown
        | Reason::LoopDetected
        | Reason::RequestIdReused
        | Reason::OrganizationUnverified
        | Reason::EntryIncomplete
        | Reason::EntryStateWrong
        | Reason::EntryGradeMissing
        | Reason::EntryGradeTooLow
        | Reason::EntryLinksMissing
        | Reason::EntryLinkUnknown
        | Reason::AssessmentMissing
        | Reason::SharingAttributeMissing
        | Reason::ConditionsMissing
        | Reason::BasisMissing
        | Reason::BasisRankTooLow
        | Reason::BasisNotExplicit
        | Reason::ConsentMissing
        | Reason::EntryHasLiveGrants
        | Reason::RequestStateWrong
        | Reason::OpinionMissing
        | Reason::ExtensionNotAllowed
        | Reason::ExtensionTooLate
        | Reason::CompletionSecondList
        | Reason::NoRuleInForce
        | Reason::GrantStateWrong
        | Reason::TerminationWithoutSuspension
        | Reason::RectificationRunning
        | Reason::ForwardNotForUs
        | Reason::NotBootstrapped
        | Reason::DevelopmentClockOff
        | Reason::TransferRefused
        | Reason::GenerationForeign
        | Reason::StoreForeign
        | Reason::MemberIdUsed
        | Reason::MemberBehind
        | Reason::MemberChangeRefused
        | Reason::LevelTooLow
        | Reason::LevelUnsupported
        | Reason::SelfCheckMissing
        | Reason::LibraryUnknown
        | Reason::PersonalBasisMissing
        | Reason::ImportantNotOpen
        | Reason::NarrowingWithoutBasis
        | Reason::SharingOfficeHeadMissing
        | Reason::SecretEntryRefused
        | Reason::UpdateNotDone
        | Reason::PassUnderWay
        | Reason::UpdateExtensionTooLate
        | Reason::ExtensionPending
        | Reason::ExtensionNotProposed
        | Reason::OpinionAskedAlready
        | Reason::OpinionNotAsked
        | Reason::ReasonNotHeard
        | Reason::HearingNotOpen
        | Reason::HearingOver
        | Reason::OutageRulingPending
        | Reason::ConsultationSkipped
        | Reason::CoordinatorNotAbove
        | Reason::DisputeStateWrong
        | Reason::DemandStateWrong
        | Reason::DemandWithoutOwner
        | Reason::HeadNotOurs
        | Reason::PayloadGone
        | Reason::RetentionNotOver
        | Reason::DrillOpen
        | Reason::DrillClosed
        | Reason::DrillApprovalsMissing
        | Reason::DrillStepOutOfOrder
        | Reason::DrillNameNotConfirmed
        | Reason::DeliveryWithoutProof
        | Reason::RectificationUnjudged
        | Reason::ServiceChangeNotNegotiated
        | Reason::ServiceChangeNotFiled
        | Reason::PurposeHasEnded
        | Reason::DisposalNotAsRequired
        | Reason::UseRecordsRetained
        | Reason::AgreementMissing
        | Reason::ServiceChangeStateWrong
        | Reason::DatasetBound
        | Reason::SystemBound
        | Reason::SourceAlreadyAssigned
        | Reason::CollectionDuplicated
        | Reason::TransferNotCosigned
        | Reason::EntryInTransfer
        | Reason::NarrowingDuringObjection
        | Reason::ObjectionOpen
        | Reason::ConsultationMissing
        | Reason::EmergencyUseOutside
        | Reason::EmergencyUseEnded
        | Reason::PurchaseNotApproved
        | Reason::ProjectAssetsMissing
        | Reason::NewPlatformRefused
        | Reason::CorrectionMissing
        | Reason::BatchUnknown
        | Reason::RelationStateWrong
        | Reason::SubEntrustingUnconsented
        | Reason::CellTermPast
        | Reason::CellPairDiffers
        | Reason::CellSiteWrong
        | Reason::CellModeWrong
        | Reason::FailoverInProgress
        | Reason::FailoverNotInProgress
        | Reason::WitnessUnconfirmed
        | Reason::SealWrong
        | Reason::PromotionRefused
        | Reason::StandbyRequired
        | Reason::DrPolicyMissing
        | Reason::SwitchoverRefused
        | Reason::ForkRefused
        | Reason::EpochPast => Code::FailedPrecondition,
        Reason::EtagMismatch
        | Reason::ConsentVersionStale
        | Reason::FeedCursorMoved
        | Reason::StatusStale
        | Reason::MembersChanging
        | Reason::CellChanged
        | Reason::HeadProofElsewhere => Code::Aborted,
        Reason::UpstreamUnreachable
        | Reason::NoLeader
        | Reason::NotLeader
        | Reason::Draining
        | Reason::StampOutOfBounds
        | Reason::NodeQuarantined
        | Reason::Fenced
        | Reason::NodeInvalidated
        | Reason::GenerationNotOpen => Code::Unavailable,
        Reason::Overloaded | Reason::DiskNearlyFull | Reason::UseRateExceeded => {
            Code::ResourceExhausted
        }
        Reason::TimedOut => Code::DeadlineExceeded,
        Reason::MethodUnknown => Code::Unimplemented,
        Reason::FeedChainBroken | Reason::HeadDoesNotExtend => Code::DataLoss,
        // Not UNAVAILABLE: clients repeat that by themselves, and this one may have taken effect.
        Reason::OutcomeUnknown => Code::Unknown,
        Reason::Internal => Code::Internal,
    }
}

/// The status for `refusal`, to a caller who reads `lang`.
pub fn of(refusal: &Refusal, lang: Lang) -> Status {
    let code = code(refusal.reason);
    let message = shortened(&refusal.text(Lang::En), SENTENCE_BYTES_MAX);
    let mut listed = refusal.fields.len().min(FIELDS_MAX);
    loop {
        let status =
            Status::with_error_details(code, &message, details(refusal, code, lang, listed));
        if listed == 0 || status.details().len() <= DETAILS_BYTES_MAX {
            return status;
        }
        listed /= 2;
    }
}

/// The details of `refusal` with its first `listed` wrong fields.
fn details(refusal: &Refusal, code: Code, lang: Lang, listed: usize) -> ErrorDetails {
    let mut metadata: HashMap<String, String> = refusal
        .facts
        .iter()
        .take(FACTS_MAX)
        .map(|(key, value)| (key.clone(), shortened(value, FACT_BYTES_MAX)))
        .collect();
    if let Some(rule) = &refusal.rule {
        metadata.insert("rule".to_owned(), rule.id.clone());
        metadata.insert("rule_cited".to_owned(), shortened(&rule.cite(lang), FACT_BYTES_MAX));
    }
    let omitted = refusal.fields.len() - listed;
    if omitted > 0 {
        metadata.insert(FIELDS_OMITTED.to_owned(), omitted.to_string());
    }

    let mut details = ErrorDetails::with_error_info(refusal.reason.name(), ERROR_DOMAIN, metadata);
    let sentence = refusal.text(lang);
    details.set_localized_message(language::tag(lang), shortened(&sentence, SENTENCE_BYTES_MAX));
    if listed > 0 {
        details.set_bad_request(
            refusal.fields[..listed].iter().map(violation(lang)).collect::<Vec<_>>(),
        );
    }
    if code == Code::FailedPrecondition {
        details.add_precondition_failure_violation(
            refusal.reason.name(),
            subject(refusal),
            shortened(&refusal.text(Lang::En), FACT_BYTES_MAX),
        );
    }
    if let Some(millis) = refusal.retry_after_ms {
        details.set_retry_info(Some(Duration::from_millis(millis)));
    }
    details
}

fn violation(lang: Lang) -> impl Fn(&catalog_model::refusal::FieldViolation) -> FieldViolation {
    move |wrong| {
        let mut violation =
            FieldViolation::new(wrong.field.clone(), shortened(&wrong.en, FACT_BYTES_MAX));
        if lang == Lang::Zh {
            violation.localized_message = Some(LocalizedMessage::new(
                language::tag(lang),
                shortened(&wrong.zh, FACT_BYTES_MAX),
            ));
        }
        violation
    }
}

/// What the precondition is about: the thing that the facts name.
fn subject(refusal: &Refusal) -> String {
    ["name", "subject", "item", "system", "consenter", "domain", "key"]
        .iter()
        .find_map(|key| refusal.facts.get(*key))
        .map(|value| shortened(value, FACT_BYTES_MAX))
        .unwrap_or_default()
}

/// `text`, or as much of its beginning as fits into `bytes` with a mark that there was more.
fn shortened(text: &str, bytes: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes - MARK.len());
    format!("{}{MARK}", &text[..end])
}

/// A status as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The gRPC code.
    pub code: Code,
    /// Our reason; `None` if the status is not ours, or of a later version than this client.
    pub reason: Option<Reason>,
    /// The reason's name as sent; empty if the status has none.
    pub reason_name: String,
    /// The sentence in the language that was asked for, else the English one.
    pub message: String,
    /// The facts, by key.
    pub metadata: BTreeMap<String, String>,
    /// Path of each wrong field and what is wrong with it, in the language that was asked for
    /// where the server has it.
    pub fields: Vec<(String, String)>,
    /// After which time the same call may succeed.
    pub retry_delay: Option<Duration>,
}

impl Problem {
    /// Reads a status, ours or anybody's.
    pub fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let ours = info.filter(|info| info.domain == ERROR_DOMAIN);
        let fields = details.bad_request().map(|bad| bad.field_violations.as_slice());
        Self {
            code: status.code(),
            reason: ours.and_then(|info| info.reason.parse().ok()),
            reason_name: info.map(|info| info.reason.clone()).unwrap_or_default(),
            message: details
                .localized_message()
                .map_or_else(|| status.message().to_owned(), |local| local.message.clone()),
            metadata: info
                .map(|info| info.metadata.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
                .unwrap_or_default(),
            fields: fields
                .unwrap_or_default()
                .iter()
                .map(|wrong| {
                    let local = wrong.localized_message.as_ref().map(|local| &local.message);
                    (wrong.field.clone(), local.unwrap_or(&wrong.description).clone())
                })
                .collect(),
            retry_delay: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

#[cfg(test)]
mod tests;
