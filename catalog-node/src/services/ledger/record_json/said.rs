//! What a value of a record is called in JSON: words for kinds and states, hex for digests, days and
//! instants as text of Asia/Shanghai.

use catalog_model::{
    acquisition::{Acquisition, CollectionResult, ContractState, EmergencyState, PurchaseState},
    attribute_objection::ObjectionState,
    catalog_entry::SecrecyMark,
    deadline::DeadlineKind,
    document_digest::DocumentDigest,
    drill::{DrillPhase, Rpo},
    entry_file::{ChangeTrigger, ReviewOutcome, SuspensionGround},
    function_transfer::TransferState,
    grant::{DeliveryProof, DisposalManner, MisuseGround, PurposeEndKind, WiderUseKind},
    ids::DomainId,
    name::ResourceName,
    organization::PersonRole,
    quality::{PersonalObjectionState, ReportState},
    reason::Reason,
    service_change::{ServiceChangeCause, ServiceChangeKind, ServiceChangeState},
    share_request::{Decider, PartyRole},
    sharing::SharingKind,
    time::{LocalDate, UtcMillis},
    use_record::UseField,
};
use catalog_state::ledger::AnswerKind;
use minicbor::bytes::ByteVec;
use serde_json::{Value, json};

use crate::storage::hex;

/// A value that records hold.
pub(super) trait Said {
    /// The value in JSON.
    fn said(&self) -> Value;
}

impl<T: Said> Said for Option<T> {
    fn said(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::said)
    }
}

impl<T: Said> Said for Vec<T> {
    fn said(&self) -> Value {
        self.iter().map(T::said).collect()
    }
}

macro_rules! said {
    ($($value:ident: $($kind:ty),* => $said:expr;)*) => {$($(
        impl Said for $kind {
            fn said(&self) -> Value {
                let $value = self;
                json!($said)
            }
        }
    )*)*};
}

said! {
    value: bool, u8, u16, u32, u64, i16, i64, String => value;
    value: DomainId, ResourceName, LocalDate => value.to_string();
    value: UtcMillis => value.local_text();
    value: [u8; 32] => hex(value);
    value: DocumentDigest => hex(&value.0);
    value: ByteVec => hex(value);
    value: Reason, ChangeTrigger, SuspensionGround, SecrecyMark => value.name();
    value: DrillPhase, Rpo => value.word();
    value: DisposalManner, ServiceChangeCause, ServiceChangeState, UseField => value.word();
}

impl Said for Acquisition {
    fn said(&self) -> Value {
        match self {
            Self::Duty => json!({ "kind": "duty" }),
            Self::Entrusted(id) => json!({ "kind": "entrusted", "contract": id.to_string() }),
            Self::Purchased(id) => json!({ "kind": "purchased", "purchase": id.to_string() }),
            Self::Emergency(id) => json!({ "kind": "emergency", "emergency": id.to_string() }),
        }
    }
}

// Exhaustive, so that a member without a word does not compile.
macro_rules! words {
    ($($kind:ident { $($member:ident $word:literal),* $(,)? })*) => {$(
        impl Said for $kind {
            fn said(&self) -> Value {
                match self { $(Self::$member => $word.into(),)* }
            }
        }
    )*};
}

words! {
    AnswerKind { Agreed "agreed", AgreedInPart "agreed_in_part", Refused "refused" }
    SharingKind {
        Unconditional "unconditional", Conditional "conditional", NotShared "not_shared",
    }
    PartyRole {
        Requester "requester", Provider "provider", Authority "authority",
        AuthorityAndProvider "authority_and_provider", PlatformManager "platform_manager",
        GovernmentOrSuperior "government_or_superior",
    }
    Decider {
        Provider "provider", Authority "authority",
        AuthorityWithProvider "authority_with_provider",
    }
    DeadlineKind {
        Answer "answer", CatalogReview "catalog_review", Delivery "delivery", Opinion "opinion",
        CompletionLapse "completion_lapse", ReasonHearing "reason_hearing", Warning "warning",
        Rectification "rectification", Hop "hop", CatalogUpdate "catalog_update",
        ErrorReport "error_report", ReportSilence "report_silence",
        PersonalObjection "personal_objection", AttributeReview "attribute_review",
        Reclassification "reclassification", FunctionTransfer "function_transfer",
        EmergencyTreatment "emergency_treatment",
    }
    DeliveryProof { Retrieval "retrieval", Acknowledgement "acknowledgement" }
    MisuseGround {
        BeyondScope "beyond_scope", BeyondPurpose "beyond_purpose", ThirdParty "third_party",
    }
    PurposeEndKind { Met "met", Impossible "impossible", NotNeeded "not_needed" }
    WiderUseKind { ThirdParty "third_party", OtherPurpose "other_purpose" }
    ServiceChangeKind { End "end", Narrow "narrow", Change "change" }
    ReviewOutcome { Kept "kept", ToBeWidened "to_be_widened", ToBeNarrowed "to_be_narrowed" }
    PersonRole {
        DepartmentHead "department_head", SharingOfficeHead "sharing_office_head",
        ChiefDataOfficer "chief_data_officer", Operator "operator",
    }
    CollectionResult { Clear "clear", Excused "excused", Duplicated "duplicated" }
    EmergencyState {
        Active "active", Ended "ended", Assessed "assessed", Treated "treated",
        AppsClosed "apps_closed",
    }
    PurchaseState {
        Requested "requested", Merged "merged", Approved "approved", Bought "bought",
        Refused "refused",
    }
    ContractState { Active "active", Ended "ended", Returned "returned", Deleted "deleted" }
    TransferState {
        Drafted "drafted", Cosigned "cosigned", Filed "filed", Returned "returned",
        Approved "approved", Completed "completed",
    }
    ObjectionState {
        Raised "raised", Consulting "consulting", Agreed "agreed", Escalated "escalated",
        Decided "decided",
    }
    ReportState {
        Filed "filed", Verifying "verifying", Confirmed "confirmed", Corrected "corrected",
        NotConfirmed "not_confirmed", FedBack "fed_back", Propagated "propagated",
        Closed "closed",
    }
    PersonalObjectionState {
        Filed "filed", Verifying "verifying", Corrected "corrected", Rejected "rejected",
    }
}
