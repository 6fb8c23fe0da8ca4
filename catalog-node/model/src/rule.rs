//! Rules: a single dated, cited sentence of law or of the house, and how it is quoted.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::reason::Lang;

/// Rank of a legal text, high to low (requirements §0.2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// 法律
    #[n(0)]
    Law,
    /// 行政法规
    #[n(1)]
    AdministrativeRegulation,
    /// 国务院决定
    #[n(2)]
    StateCouncilDecision,
    /// 经济特区法规
    #[n(3)]
    SpecialZoneRegulation,
    /// 地方性法规
    #[n(4)]
    LocalRegulation,
    /// 部门规章
    #[n(5)]
    DepartmentRule,
    /// 地方政府规章
    #[n(6)]
    LocalGovernmentRule,
    /// 规范性文件
    #[n(7)]
    NormativeDocument,
    /// 方案、计划
    #[n(8)]
    Plan,
    /// A policy without a text of rank; only some packs let it carry a not-shared attribute.
    #[n(9)]
    OtherStatePolicy,
    /// 内部规则: never shown with an article.
    #[n(10)]
    HouseRule,
}

impl Rank {
    /// The word for it in rule packs, facts and the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::AdministrativeRegulation => "administrative_regulation",
            Self::StateCouncilDecision => "state_council_decision",
            Self::SpecialZoneRegulation => "special_zone_regulation",
            Self::LocalRegulation => "local_regulation",
            Self::DepartmentRule => "department_rule",
            Self::LocalGovernmentRule => "local_government_rule",
            Self::NormativeDocument => "normative_document",
            Self::Plan => "plan",
            Self::OtherStatePolicy => "other_state_policy",
            Self::HouseRule => "house_rule",
        }
    }
}

/// A rule as a case, a receipt or a refusal cites it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RuleRef {
    /// Stable id, for instance `N809-21-1-conditional-answer`.
    #[n(0)]
    pub id: String,
    /// Title of the document; empty for a house rule.
    #[n(1)]
    pub title: String,
    /// The article as the text numbers it; empty for a house rule.
    #[n(2)]
    pub article: String,
    /// The paragraph; 0 for a house rule or where the text has none.
    #[n(3)]
    pub paragraph: u16,
    /// Rank of the document.
    #[n(4)]
    pub rank: Rank,
    /// The words of the law; empty for a house rule.
    #[n(5)]
    pub quote: String,
}

impl RuleRef {
    /// A rule of the house with this id.
    pub fn house(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: String::new(),
            article: String::new(),
            paragraph: 0,
            rank: Rank::HouseRule,
            quote: String::new(),
        }
    }

    /// `《政务数据共享条例》第21条第1款`, `《…方案》二(三)1` or `内部规则 HOUSE-…`.
    ///
    /// A house rule never shows an article; a plan has sections instead of articles.
    pub fn cite(&self, lang: Lang) -> String {
        if self.rank == Rank::HouseRule {
            return match lang {
                Lang::Zh => format!("内部规则 {}", self.id),
                Lang::En => format!("house rule {}", self.id),
            };
        }
        let has_articles = self.article.starts_with(|c: char| c.is_ascii_digit());
        let place = match lang {
            _ if !has_articles => self.article.clone(),
            Lang::Zh if self.paragraph > 0 => format!("第{}条第{}款", self.article, self.paragraph),
            Lang::Zh => format!("第{}条", self.article),
            Lang::En if self.paragraph > 0 => format!(" art. {}¶{}", self.article, self.paragraph),
            Lang::En => format!(" art. {}", self.article),
        };
        format!("《{}》{place}", self.title)
    }
}

#[cfg(test)]
mod tests;
