//! The words that rules use as values, where the product acts on them.
//!
//! A word that is not here is refused when the pack is loaded: an unknown duty must not be lost.

use crate::{
    catalog_entry::AssessmentKind,
    rule::Rank,
    rule_pack::RuleKey,
    share_request::{Commitment, Decider, PartyRole},
    sharing::SharingKind,
};

/// A value that packs write as a word.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// All words with their meaning.
    const WORDS: &'static [(&'static str, Self)];

    /// The meaning of the word.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}

/// What a request states (decree 809 art. 20¶2; REG22 27¶1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestPart {
    /// 使用依据
    Basis,
    /// 使用场景
    Scenario,
    /// 使用范围
    Scope,
    /// 共享方式
    Method,
    /// 使用时限
    Term,
}

/// What an entry states (decree 809 art. 13¶2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryAttribute {
    /// 数据目录名称
    Name,
    /// 数据项
    Items,
    /// 提供单位
    Provider,
    /// 数据格式
    Format,
    /// 更新频率
    UpdateFrequency,
    /// 共享属性
    SharingAttribute,
    /// 共享方式
    SharingMethod,
    /// 使用条件
    ConditionsOfUse,
    /// 分类分级
    ClassAndGrade,
}

/// What the conditions of a conditional entry name (decree 809 art. 15¶2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionPart {
    /// 共享范围
    Scope,
    /// 使用用途
    Purpose,
}

/// What an entry that is not shared states (decree 809 art. 15¶2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotSharedPart {
    /// 理由
    Reason,
    /// 依据
    LegalCitation,
}

/// What a refusal needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalNeed {
    /// 理由
    Reasons,
    /// 书面理由
    WrittenReasons,
    /// 法定事由
    StatutoryGround,
}

/// What an extension needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExtensionNeed {
    /// 特殊原因
    SpecialReason,
    /// Consent of the authority at the provider's level.
    AuthorityConsent,
    /// Notice to the asker.
    NoticeToRequester,
}

/// What the receiver may do with a third party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ThirdParty {
    /// Nothing, in any form.
    Never,
    /// Hand on with the provider's consent.
    WithProviderConsent,
}

impl Word for Rank {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("law", Self::Law),
        ("administrative_regulation", Self::AdministrativeRegulation),
        ("state_council_decision", Self::StateCouncilDecision),
        ("special_zone_regulation", Self::SpecialZoneRegulation),
        ("local_regulation", Self::LocalRegulation),
        ("department_rule", Self::DepartmentRule),
        ("local_government_rule", Self::LocalGovernmentRule),
        ("normative_document", Self::NormativeDocument),
        ("plan", Self::Plan),
        ("other_state_policy", Self::OtherStatePolicy),
        ("house_rule", Self::HouseRule),
    ];
}

impl Word for Commitment {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("scenario_authentic", Self::ScenarioAuthentic),
        ("scenario_compliant", Self::ScenarioCompliant),
        ("scenario_secure", Self::ScenarioSecure),
        ("request_authentic", Self::RequestAuthentic),
        ("request_lawful", Self::RequestLawful),
        ("request_necessary", Self::RequestNecessary),
    ];
}

impl Word for AssessmentKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("secrecy_risk", Self::SecrecyRisk),
        ("personal_information_impact", Self::PersonalInformationImpact),
    ];
}

impl Word for RequestPart {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("basis", Self::Basis),
        ("scenario", Self::Scenario),
        ("scope", Self::Scope),
        ("method", Self::Method),
        ("term", Self::Term),
    ];
}

impl Word for EntryAttribute {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("name", Self::Name),
        ("items", Self::Items),
        ("provider", Self::Provider),
        ("format", Self::Format),
        ("update_frequency", Self::UpdateFrequency),
        ("sharing_attribute", Self::SharingAttribute),
        ("sharing_method", Self::SharingMethod),
        ("conditions_of_use", Self::ConditionsOfUse),
        ("class_and_grade", Self::ClassAndGrade),
    ];
}

impl Word for ConditionPart {
    const WORDS: &'static [(&'static str, Self)] =
        &[("scope", Self::Scope), ("use", Self::Purpose)];
}

impl Word for NotSharedPart {
    const WORDS: &'static [(&'static str, Self)] =
        &[("reason", Self::Reason), ("legal_citation", Self::LegalCitation)];
}

impl Word for RefusalNeed {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("reasons", Self::Reasons),
        ("written_reasons", Self::WrittenReasons),
        ("statutory_ground", Self::StatutoryGround),
    ];
}

impl Word for ExtensionNeed {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("special_reason", Self::SpecialReason),
        ("consent_of_providers_same_level_authority", Self::AuthorityConsent),
        ("notice_to_requester", Self::NoticeToRequester),
    ];
}

impl Word for ThirdParty {
    const WORDS: &'static [(&'static str, Self)] =
        &[("with_provider_consent", Self::WithProviderConsent)];
}

impl Word for SharingKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("unconditional", Self::Unconditional),
        ("conditional", Self::Conditional),
        ("not_shared", Self::NotShared),
    ];
}

impl Word for PartyRole {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("requester", Self::Requester),
        ("provider", Self::Provider),
        ("authority", Self::Authority),
        ("authority_and_provider", Self::AuthorityAndProvider),
        ("platform_manager", Self::PlatformManager),
        ("authority_same_level", Self::Authority),
        ("government_same_level_or_superior_authority", Self::GovernmentOrSuperior),
    ];
}

/// The decider that the list of parties names; the order is the pack's.
pub(super) fn decider(words: &[String]) -> Option<Decider> {
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["provider"] => Some(Decider::Provider),
        ["authority"] => Some(Decider::Authority),
        ["authority", "provider"] => Some(Decider::AuthorityWithProvider),
        _ => None,
    }
}

/// The words that values of the key may use; none if the product only shows them.
pub(super) fn vocabulary(key: RuleKey) -> Option<Vec<&'static str>> {
    fn of<W: Word>() -> Vec<&'static str> {
        W::WORDS.iter().map(|(word, _)| *word).collect()
    }
    match key {
        RuleKey::SharingNoneBasis => Some(of::<Rank>()),
        RuleKey::SharingRequestCommitments => Some(of::<Commitment>()),
        RuleKey::CatalogAssessments => Some(of::<AssessmentKind>()),
        RuleKey::SharingRequestContents => Some(of::<RequestPart>()),
        RuleKey::CatalogRequiredAttributes => Some(of::<EntryAttribute>()),
        RuleKey::SharingConditionalConditions => Some(of::<ConditionPart>()),
        RuleKey::SharingNoneEntryStates => Some(of::<NotSharedPart>()),
        RuleKey::SharingRefusalRequires => Some(of::<RefusalNeed>()),
        RuleKey::SharingAnswerExtensionRequires => Some(of::<ExtensionNeed>()),
        RuleKey::SharingThirdPartyPermitted => Some(of::<ThirdParty>()),
        RuleKey::SharingConditionalDecider => Some(vec!["provider", "authority"]),
        RuleKey::SharingUnconditionalAccess => Some(vec!["direct_from_platform"]),
        _ => None,
    }
}
