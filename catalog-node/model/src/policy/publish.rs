//! Publication: does an entry say all that the rules in force ask of it?
//!
//! CAT-01, 02, 05, 07, 11, 27 and SHR-01, 03, 04. Who publishes and whether the head consented
//! are facts of the state.

use std::collections::BTreeSet;

use crate::{
    catalog_entry::{Assessment, AssessmentKind, CatalogEntry, DataItem, EntryContent},
    ids::SystemId,
    organization::DataKind,
    policy::{
        findings::Findings,
        life::{self, EntryHistory},
        with_rule,
    },
    reason::Reason,
    refusal::Refusal,
    rule::{Rank, RuleRef},
    rule_pack::{ConditionPart, EntryAttribute, NotSharedPart, Resolution},
    sharing::{LegalCitation, SharingAttribute, SharingKind},
};

/// What publication must know of the provider.
#[derive(Debug, Clone, Copy)]
pub struct ProviderFacts<'a> {
    /// The kinds of catalog that it may compile.
    pub capacities: &'a [DataKind],
    /// The business systems that it registered.
    pub systems: &'a BTreeSet<SystemId>,
}

/// Checks that an entry may be submitted and published. The resolution is the one of
/// `Pair::for_catalog` with the provider's class and the entry's kind.
pub fn check_publishable(
    resolution: &Resolution,
    entry: &CatalogEntry,
    provider: &ProviderFacts<'_>,
) -> Result<(), Refusal> {
    check(resolution, entry, provider).into_result()
}

/// As [`check_publishable`], with all that holds from command level 3 on; `history` is what is on
/// file about the entry.
pub fn check_publishable_with(
    resolution: &Resolution,
    entry: &CatalogEntry,
    provider: &ProviderFacts<'_>,
    history: &EntryHistory<'_>,
) -> Result<(), Refusal> {
    let mut found = check(resolution, entry, provider);
    life::check(resolution, &entry.content, history, &mut found);
    found.into_result()
}

/// What [`check_publishable_with`] finds, one by one: each with its field, its reason and, where it
/// rests on one, its rule.
pub fn publication_findings(
    resolution: &Resolution,
    entry: &CatalogEntry,
    provider: &ProviderFacts<'_>,
    history: &EntryHistory<'_>,
) -> Vec<Refusal> {
    let mut found = check(resolution, entry, provider);
    life::check(resolution, &entry.content, history, &mut found);
    found.into_list()
}

/// Whether the sharing attributes of an entry and its items rest on what the rules in force ask
/// (SHR-03, SHR-04): what a new law may change for an entry that is listed already (CAT-28).
pub fn check_basis(resolution: &Resolution, content: &EntryContent) -> Result<(), Refusal> {
    let mut found = Findings::default();
    if let Some(attribute) = &content.sharing {
        sharing(resolution, attribute, &mut found);
    }
    item_bases(resolution, content, &mut found);
    found.into_result()
}

fn check(resolution: &Resolution, entry: &CatalogEntry, provider: &ProviderFacts<'_>) -> Findings {
    let mut found = Findings::default();
    if !provider.capacities.contains(&entry.kind) {
        let kind = match entry.kind {
            DataKind::GovernmentData => "government_data",
            DataKind::PublicServiceData => "public_service_data",
        };
        let refusal = Refusal::new(Reason::DataKindNotPermitted).fact("kind", kind);
        found.add(
            refusal,
            "entry.kind",
            "not among the unit's capacities",
            "不在该单位的编制职能内",
        );
    }
    attributes(resolution, entry, &mut found);
    if let Some(attribute) = &entry.content.sharing {
        sharing(resolution, attribute, &mut found);
    }
    items(resolution, &entry.content, &mut found);
    assessments(resolution, &entry.content.assessments, &mut found);
    links(resolution, &entry.content, provider.systems, &mut found);
    found
}

/// What is missing of the attributes that an entry states (CAT-02, 11, 27), grade included
/// (CAT-07).
fn attributes(resolution: &Resolution, entry: &CatalogEntry, found: &mut Findings) {
    let content = &entry.content;
    let not_shared =
        content.sharing.as_ref().map(SharingAttribute::kind) == Some(SharingKind::NotShared);
    for (attribute, rule) in resolution.entry_attributes() {
        let (missing, reason, field) = match attribute {
            EntryAttribute::Name => {
                (content.title.trim().is_empty(), Reason::EntryIncomplete, "entry.title")
            }
            EntryAttribute::Items => {
                (content.items.is_empty(), Reason::EntryIncomplete, "entry.items")
            }
            EntryAttribute::Provider => {
                (entry.provider_name.is_empty(), Reason::EntryIncomplete, "entry.provider")
            }
            EntryAttribute::Format => {
                (content.formats.is_empty(), Reason::EntryIncomplete, "entry.formats")
            }
            EntryAttribute::UpdateFrequency => {
                (content.update_cycle.is_none(), Reason::EntryIncomplete, "entry.update_cycle")
            }
            EntryAttribute::SharingAttribute => {
                (content.sharing.is_none(), Reason::SharingAttributeMissing, "entry.sharing")
            }
            // What is not shared has no way of sharing.
            EntryAttribute::SharingMethod => (
                content.sharing_method.is_none() && !not_shared,
                Reason::EntryIncomplete,
                "entry.sharing_method",
            ),
            // No text means no condition beyond the law; the conditions of a conditional entry
            // are part of its attribute.
            EntryAttribute::ConditionsOfUse => continue,
            EntryAttribute::ClassAndGrade => {
                (content.grade.is_none(), Reason::EntryGradeMissing, "entry.grade")
            }
        };
        if missing {
            found.add(Refusal::new(reason).under(rule), field, "missing", "缺少");
        }
    }
}

/// What the sharing attribute lacks (SHR-03, SHR-04).
fn sharing(resolution: &Resolution, attribute: &SharingAttribute, found: &mut Findings) {
    match attribute {
        SharingAttribute::Unconditional => {}
        SharingAttribute::Conditional { scope, purpose, basis } => {
            for (part, rule) in resolution.conditional_conditions() {
                let (value, field) = match part {
                    ConditionPart::Scope => (scope, "entry.sharing.scope"),
                    ConditionPart::Purpose => (purpose, "entry.sharing.purpose"),
                };
                if value.trim().is_empty() {
                    let refusal = Refusal::new(Reason::ConditionsMissing).under(rule);
                    found.add(refusal, field, "missing", "缺少");
                }
            }
            if let Some(rule) = resolution.conditional_basis_required()
                && !cited(basis.as_ref())
            {
                let refusal = Refusal::new(Reason::BasisMissing).under(rule);
                found.add(refusal, "entry.sharing.basis", "missing", "缺少");
            }
        }
        SharingAttribute::NotShared { reason, basis } => {
            for (part, rule) in resolution.none_states() {
                if part == NotSharedPart::Reason && reason.trim().is_empty() {
                    let refusal = Refusal::new(Reason::ReasonMissing).under(rule);
                    found.add(refusal, "entry.sharing.reason", "missing", "缺少");
                }
            }
            none_basis(resolution, basis.as_ref(), "entry.sharing.basis", found);
        }
    }
}

/// Whether a text may carry "not shared": cited, of sufficient rank, and itself forbidding.
fn none_basis(
    resolution: &Resolution,
    basis: Option<&LegalCitation>,
    field: &str,
    found: &mut Findings,
) {
    let Some((ranks, rule)) = resolution.none_basis() else { return };
    let Some(basis) = basis.filter(|basis| cited(Some(basis))) else {
        found.add(Refusal::new(Reason::BasisMissing).under(rule), field, "missing", "缺少");
        return;
    };
    if !ranks.contains(&basis.rank) {
        let needed: Vec<&str> = ranks.iter().map(|rank| rank.name()).collect();
        let refusal = Refusal::new(Reason::BasisRankTooLow)
            .under(rule)
            .fact("rank", basis.rank.name())
            .fact("needed", needed.join(", "));
        found.add(refusal, &format!("{field}.rank"), "too low", "级别不足");
    }
    if let Some(rule) = resolution.none_explicit()
        && basis.quote.trim().is_empty()
    {
        let refusal = Refusal::new(Reason::BasisNotExplicit).under(rule);
        found.add(refusal, &format!("{field}.quote"), "missing", "缺少");
    }
}

/// A citation names its text and its place. A policy has no articles.
pub(super) fn cited(basis: Option<&LegalCitation>) -> bool {
    basis.is_some_and(|basis| {
        let placed = !basis.article.trim().is_empty() || basis.rank == Rank::OtherStatePolicy;
        !basis.title.trim().is_empty() && placed
    })
}

/// An item that is stricter than its entry needs for itself what its attribute asks, and no item
/// is graded above the entry.
fn items(resolution: &Resolution, content: &EntryContent, found: &mut Findings) {
    let graded = resolution.grade_required();
    item_bases_each(resolution, content, found, |place, item, found| {
        if let (Some(of_item), Some(of_entry)) = (item.grade, content.grade)
            && of_item > of_entry
        {
            let refusal = Refusal::new(Reason::EntryGradeTooLow).fact("item", &item.name);
            let field = format!("entry.items[{place}].grade");
            let refusal = with_rule(refusal, graded.clone());
            found.add(refusal, &field, "above the entry's grade", "高于目录的分级");
        }
    });
}

fn item_bases(resolution: &Resolution, content: &EntryContent, found: &mut Findings) {
    item_bases_each(resolution, content, found, |_, _, _| {});
}

/// What an item that is stricter than its entry needs, and after each item `more`.
fn item_bases_each(
    resolution: &Resolution,
    content: &EntryContent,
    found: &mut Findings,
    more: impl Fn(usize, &DataItem, &mut Findings),
) {
    let entry_kind = content.sharing.as_ref().map(SharingAttribute::kind);
    let conditions: Option<RuleRef> =
        resolution.conditional_conditions().into_iter().next().map(|(_, rule)| rule);
    for (place, item) in content.items.iter().enumerate() {
        if item.sharing == Some(SharingKind::NotShared)
            && entry_kind != Some(SharingKind::NotShared)
        {
            let field = format!("entry.items[{place}].basis");
            none_basis(resolution, item.basis.as_ref(), &field, found);
        }
        if item.sharing == Some(SharingKind::Conditional)
            && entry_kind == Some(SharingKind::Unconditional)
            && content.conditions_of_use.trim().is_empty()
            && let Some(rule) = &conditions
        {
            let refusal = Refusal::new(Reason::ConditionsMissing).under(rule.clone());
            let field = format!("entry.items[{place}].sharing");
            let en = "the entry's conditions_of_use state its scope and purpose";
            found.add(refusal, &field, en, "应在使用条件中列明其共享范围和用途");
        }
        more(place, item, found);
    }
}

/// The last assessment of each kind passed (CAT-27).
fn assessments(resolution: &Resolution, made: &[Assessment], found: &mut Findings) {
    for (kind, rule) in resolution.assessments() {
        // `max_by_key` takes the last of equals: of two on one day the one recorded later.
        let last = made.iter().filter(|a| a.kind == kind).max_by_key(|a| a.date);
        if last.is_none_or(|assessment| !assessment.passed) {
            let (name, zh) = match kind {
                AssessmentKind::SecrecyRisk => ("secrecy_risk", "保密风险评估"),
                AssessmentKind::PersonalInformationImpact => {
                    ("personal_information_impact", "个人信息保护影响评估")
                }
            };
            let refusal =
                Refusal::new(Reason::AssessmentMissing).under(rule).fact("assessment", name);
            found.add(refusal, "entry.assessments", name, zh);
        }
    }
}

/// 目录–数据–系统 (CAT-05).
fn links(
    resolution: &Resolution,
    content: &EntryContent,
    systems: &BTreeSet<SystemId>,
    found: &mut Findings,
) {
    let required = resolution.links_required();
    if let Some(rule) = &required
        && content.links.is_empty()
    {
        let refusal = Refusal::new(Reason::EntryLinksMissing).under(rule.clone());
        found.add(refusal, "entry.links", "missing", "缺少");
    }
    for (place, link) in content.links.iter().enumerate() {
        if !systems.contains(&link.system) {
            let refusal = Refusal::new(Reason::EntryLinkUnknown).fact("system", link.system);
            let field = format!("entry.links[{place}].system");
            found.add(refusal, &field, "not registered by the provider", "未由提供单位登记");
        }
        if let Some(rule) = &required
            && link.dataset.trim().is_empty()
        {
            let refusal = Refusal::new(Reason::EntryLinksMissing).under(rule.clone());
            found.add(refusal, &format!("entry.links[{place}].dataset"), "missing", "缺少");
        }
    }
}
