//! The course of a grant: what came of the right after it was given?
//!
//! How it was delivered and by what proof, what was found fault with and how that ended, whether
//! its purpose ended and what became of the data. Every part is absent until it happens, so that a
//! grant without a course is stored as it always was.

use minicbor::{Decode, Encode};

use crate::{
    catalog_entry::SharingMethod,
    deadline::WorkingDayClock,
    document_digest::DocumentDigest,
    grant::GrantState,
    name::ResourceName,
    rule::RuleRef,
    service_change::{ServiceChangeCause, ServiceChangeKind, ServiceChangeState},
    share_request::{OverdueMark, Party, PartyRole},
    time::{LocalDate, UtcMillis},
};

/// What came after the grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct GrantCourse {
    /// The clock of delivery; absent where no rule has a number for it.
    #[n(0)]
    pub delivery_clock: Option<WorkingDayClock>,
    /// Who owes the delivery.
    #[n(1)]
    pub delivery_debtor: Option<PartyRole>,
    /// To whom an overdue delivery goes; never the debtor.
    #[n(2)]
    pub delivery_escalation: Option<PartyRole>,
    /// How the provider says it is to be had.
    #[n(3)]
    pub offer: Option<DeliveryOffer>,
    /// The delivery with its proof.
    #[n(4)]
    pub delivery: Option<Delivery>,
    /// What a delivery that did not come in time left.
    #[n(5)]
    pub overdue: Option<OverdueMark>,
    /// The last suspension's rectification.
    #[n(6)]
    pub rectification: Option<Rectification>,
    /// The end of the purpose.
    #[n(7)]
    pub purpose_end: Option<PurposeEnd>,
    /// What the provider requires to become of the data.
    #[n(8)]
    pub disposal_requirement: Option<DisposalRequirement>,
    /// What became of the data.
    #[n(9)]
    pub disposal: Option<DisposalProof>,
    /// The agreement on the use (SHR-13).
    #[n(10)]
    pub agreement: Option<UseAgreement>,
    /// The change of the service that concerns this grant.
    #[n(11)]
    pub service: Option<ServiceNotice>,
    /// What the provider consented to beyond the grant (SHR-10).
    #[n(12)]
    pub wider_uses: Vec<WiderUse>,
}

/// The provider's offer (decree 809 art. 22¶2).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeliveryOffer {
    /// 服务接口、批量交换、文件下载
    #[n(0)]
    pub method: SharingMethod,
    /// When it was offered.
    #[n(1)]
    pub offered_time: UtcMillis,
    /// When the platform's own test retrieval succeeded.
    #[n(2)]
    pub tested_time: Option<UtcMillis>,
}

/// What shows that a delivery arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum DeliveryProof {
    /// The first successful retrieval, as the platform saw it.
    #[n(0)]
    Retrieval,
    /// The asker's acknowledgement.
    #[n(1)]
    Acknowledgement,
}

/// A delivery that arrived.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Delivery {
    /// What shows it.
    #[n(0)]
    pub proof: DeliveryProof,
    /// When.
    #[n(1)]
    pub delivered_time: UtcMillis,
    /// Whether it came after the due instant.
    #[n(2)]
    pub late: bool,
    /// The rule by which the proof counts.
    #[n(3)]
    pub rule: RuleRef,
}

/// The three grounds of decree 809 art. 27¶2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum MisuseGround {
    /// 擅自超出使用范围
    #[n(0)]
    BeyondScope,
    /// 超出共享目的
    #[n(1)]
    BeyondPurpose,
    /// 擅自提供给第三方
    #[n(2)]
    ThirdParty,
}

/// What is owed after a suspension, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rectification {
    /// The ground; absent where the suspension only has words.
    #[n(0)]
    pub ground: Option<MisuseGround>,
    /// The evidence.
    #[n(1)]
    pub evidence: Option<DocumentDigest>,
    /// Where the grant stood before.
    #[n(2)]
    pub before: GrantState,
    /// What the user says it did.
    #[n(3)]
    pub report: Option<RectificationReport>,
    /// What came of it.
    #[n(4)]
    pub judgement: Option<Judgement>,
    /// When the day passed without an adequate rectification.
    #[n(5)]
    pub lapsed_time: Option<UtcMillis>,
}

/// What the user says it did.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RectificationReport {
    /// Whether it refuses to rectify (拒不整改).
    #[n(0)]
    pub refused: bool,
    /// In words.
    #[n(1)]
    pub text: String,
    /// The report itself.
    #[n(2)]
    pub digest: Option<DocumentDigest>,
    /// When.
    #[n(3)]
    pub reported_time: UtcMillis,
}

/// Whether the rectification is enough.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Judgement {
    /// Whether it is.
    #[n(0)]
    pub adequate: bool,
    /// Why.
    #[n(1)]
    pub reason: String,
    /// When.
    #[n(2)]
    pub judged_time: UtcMillis,
    /// By whom.
    #[n(3)]
    pub by: Party,
}

/// How a purpose ends (decree 809 art. 27¶1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum PurposeEndKind {
    /// 共享目的已实现
    #[n(0)]
    Met,
    /// 无法实现
    #[n(1)]
    Impossible,
    /// 为实现共享目的不再必要
    #[n(2)]
    NotNeeded,
}

/// The end of a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PurposeEnd {
    /// How.
    #[n(0)]
    pub kind: PurposeEndKind,
    /// In words; may be empty.
    #[n(1)]
    pub note: String,
    /// When it was stated.
    #[n(2)]
    pub ended_time: UtcMillis,
    /// Who stated it.
    #[n(3)]
    pub by: Party,
}

/// What may become of data that is needed no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum DisposalManner {
    /// 销毁
    #[n(0)]
    Destroyed,
    /// 退回
    #[n(1)]
    Returned,
    /// 去标识化留存
    #[n(2)]
    Deidentified,
    /// 封存
    #[n(3)]
    Sealed,
}

impl DisposalManner {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Destroyed => "destroyed",
            Self::Returned => "returned",
            Self::Deidentified => "deidentified",
            Self::Sealed => "sealed",
        }
    }
}

/// What the provider requires.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DisposalRequirement {
    /// The manner.
    #[n(0)]
    pub manner: DisposalManner,
    /// In words; may be empty.
    #[n(1)]
    pub note: String,
    /// When it was required.
    #[n(2)]
    pub required_time: UtcMillis,
}

/// What became of the data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DisposalProof {
    /// The manner.
    #[n(0)]
    pub manner: DisposalManner,
    /// The proof.
    #[n(1)]
    pub digest: DocumentDigest,
    /// When it was shown.
    #[n(2)]
    pub proved_time: UtcMillis,
}

/// The agreement by which the use is supervised (FZ-M 17).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UseAgreement {
    /// Its number.
    #[n(0)]
    pub number: String,
    /// The document.
    #[n(1)]
    pub digest: DocumentDigest,
    /// The day on which it was signed.
    #[n(2)]
    pub signed: LocalDate,
    /// When it was recorded.
    #[n(3)]
    pub recorded_time: UtcMillis,
}

/// In which respect a use goes beyond the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum WiderUseKind {
    /// Data goes to somebody else.
    #[n(0)]
    ThirdParty,
    /// Data serves another purpose of the user.
    #[n(1)]
    OtherPurpose,
}

/// What the provider consented to beyond the grant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WiderUse {
    /// In which respect.
    #[n(0)]
    pub kind: WiderUseKind,
    /// Who receives the data; empty for another purpose of the user itself.
    #[n(1)]
    pub recipient: String,
    /// For what.
    #[n(2)]
    pub purpose: String,
    /// Which items.
    #[n(3)]
    pub items: Vec<String>,
    /// When the provider consented.
    #[n(4)]
    pub consented_time: UtcMillis,
    /// The rule that permits it.
    #[n(5)]
    pub rule: RuleRef,
}

/// A change of the service, as the grant shows it to its user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ServiceNotice {
    /// The change.
    #[n(0)]
    pub change: ResourceName,
    /// Of which kind.
    #[n(1)]
    pub kind: ServiceChangeKind,
    /// Why.
    #[n(2)]
    pub cause: ServiceChangeCause,
    /// Where it stands.
    #[n(3)]
    pub state: ServiceChangeState,
    /// The day from which it is to hold.
    #[n(4)]
    pub effective: LocalDate,
    /// Since when calls are stopped, because of a leak or a secret.
    #[n(5)]
    pub stopped_time: Option<UtcMillis>,
}
