//! Publishing: how does an entry get into a catalog by the ordinary path?

use luqiao_proto::{
    catalog::v1::{
        Assessment, AssessmentKind, CatalogEntry, ConsentEntryRequest, DataFormat, DataItem,
        DataLevel, EntryView, GetEntryRequest, Grade, ItemType, LegalCitation, PublishEntryRequest,
        RegisterEntryRequest, SharingAttribute, SharingKind, SharingMethod, SourceLink,
        SubmitEntryRequest, UpdateCycle, UpdateEntryRequest, WithdrawEntryRequest,
    },
    organization::v1::DataKind,
    rule::v1::Rank,
};
use tonic::Status;

use crate::{
    role::{Role, request_id},
    until_answered,
};

/// Who takes part: the provider's system and head, and the authority.
#[derive(Debug, Clone)]
pub struct Press {
    /// Compiles and submits.
    pub provider: Role,
    /// Consents.
    pub head: Role,
    /// Publishes.
    pub authority: Role,
}

/// A complete entry of government data with two items, as `provider` would register it.
pub fn entry(provider: &Role, title: &str, sharing: SharingKind) -> CatalogEntry {
    let item = |name: &str| DataItem {
        name: name.to_owned(),
        r#type: ItemType::Character.into(),
        ..Default::default()
    };
    CatalogEntry {
        provider: provider.organization(),
        kind: DataKind::GovernmentData.into(),
        title: title.to_owned(),
        r#abstract: format!("{title}，用于测试"),
        formats: vec![DataFormat::Database.into()],
        items: vec![item("企业名称"), item("统一社会信用代码")],
        update_cycle: UpdateCycle::Month.into(),
        sharing: Some(attribute(sharing)),
        sharing_method: SharingMethod::ServiceInterface.into(),
        grade: Some(Grade { level: DataLevel::General.into(), grade: 2 }),
        assessments: [AssessmentKind::SecrecyRisk, AssessmentKind::PersonalInformationImpact]
            .map(|kind| Assessment {
                kind: kind.into(),
                passed: true,
                date: "2026-09-01".to_owned(),
                note: String::new(),
            })
            .into(),
        links: vec![SourceLink { system: provider.system(), dataset: "qy_jbxx".to_owned() }],
        synthetic: true,
        ..Default::default()
    }
}

/// The sharing attribute with all that the rules ask beside it.
pub fn attribute(kind: SharingKind) -> SharingAttribute {
    let mut attribute = SharingAttribute { kind: kind.into(), ..Default::default() };
    match kind {
        SharingKind::Conditional => {
            "各级政务部门".clone_into(&mut attribute.scope);
            "履行职责所需的核验".clone_into(&mut attribute.purpose);
            attribute.basis = Some(citation());
        }
        SharingKind::NotShared => {
            "法律明确禁止提供".clone_into(&mut attribute.reason);
            attribute.basis = Some(citation());
        }
        _ => {}
    }
    attribute
}

/// A law and the words in it that forbid; made up.
pub fn citation() -> LegalCitation {
    LegalCitation {
        title: "《测试用法》".to_owned(),
        article: "第九条".to_owned(),
        rank: Rank::Law.into(),
        quote: "不得向他人提供".to_owned(),
    }
}

impl Press {
    /// Registers `entry` as a draft.
    pub async fn register(&self, entry: CatalogEntry) -> Result<CatalogEntry, Status> {
        let provider = &self.provider;
        until_answered!(provider.catalog().register_entry(RegisterEntryRequest {
            parent: provider.domain(),
            entry: Some(entry),
            request_id: request_id(),
        }))
    }

    /// The head consents to the version that is there.
    pub async fn consent(&self, draft: &CatalogEntry) -> Result<CatalogEntry, Status> {
        let head = &self.head;
        let standing = draft
            .sharing
            .as_ref()
            .is_some_and(|sharing| sharing.kind() == SharingKind::Unconditional);
        until_answered!(head.catalog().consent_entry(ConsentEntryRequest {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            person: String::new(),
            standing_answer: standing,
            request_id: request_id(),
        }))
    }

    /// The provider submits.
    pub async fn submit(&self, draft: &CatalogEntry) -> Result<CatalogEntry, Status> {
        let provider = &self.provider;
        until_answered!(provider.catalog().submit_entry(SubmitEntryRequest {
            name: draft.name.clone(),
            etag: draft.etag.clone(),
            request_id: request_id(),
        }))
    }

    /// The authority publishes what was submitted.
    pub async fn publish(&self, submitted: &CatalogEntry) -> Result<CatalogEntry, Status> {
        let authority = &self.authority;
        until_answered!(authority.catalog().publish_entry(PublishEntryRequest {
            name: submitted.name.clone(),
            etag: submitted.etag.clone(),
            request_id: request_id(),
        }))
    }

    /// Consent, submission and publication of a draft or of a change.
    pub async fn issue(&self, draft: &CatalogEntry) -> Result<CatalogEntry, Status> {
        let consented = self.consent(draft).await?;
        let submitted = self.submit(&consented).await?;
        self.publish(&submitted).await
    }

    /// The whole path of a new entry.
    pub async fn put(&self, title: &str, sharing: SharingKind) -> Result<CatalogEntry, Status> {
        let draft = self.register(entry(&self.provider, title, sharing)).await?;
        self.issue(&draft).await
    }

    /// The whole path of a change to a published entry.
    pub async fn revise(&self, mut changed: CatalogEntry) -> Result<CatalogEntry, Status> {
        changed.etag = self.working(&changed.name).await?.etag;
        let provider = &self.provider;
        let draft = until_answered!(provider.catalog().update_entry(UpdateEntryRequest {
            entry: Some(changed.clone()),
            update_mask: None,
            request_id: request_id(),
        }))?;
        self.issue(&draft).await
    }

    /// Takes an entry out of the catalog.
    pub async fn withdraw(&self, name: &str) -> Result<CatalogEntry, Status> {
        let etag = self.working(name).await?.etag;
        let provider = &self.provider;
        until_answered!(provider.catalog().withdraw_entry(WithdrawEntryRequest {
            name: name.to_owned(),
            etag: etag.clone(),
            reason: "系统下线".to_owned(),
            request_id: request_id(),
        }))
    }

    /// The working version.
    pub async fn working(&self, name: &str) -> Result<CatalogEntry, Status> {
        let provider = &self.provider;
        until_answered!(
            provider.catalog().get_entry(GetEntryRequest {
                name: name.to_owned(),
                view: EntryView::Working.into(),
            })
        )
    }
}
