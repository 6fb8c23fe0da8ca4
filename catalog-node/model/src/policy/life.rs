//! The life of an entry: what do the rules ask of it beyond a complete form?
//!
//! CAT-07 self-checks, CAT-14 personal data, CAT-19 and 20 libraries, CAT-22 important data,
//! CAT-24 secrets, SHR-02 narrowing. Clocks and worklists are facts of the state.

use crate::{
    catalog_entry::{EntryContent, Library, SecrecyMark, SelfCheck},
    policy::{findings::Findings, publish::cited, with_rule},
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::Resolution,
    sharing::{SharingAttribute, SharingKind},
    time::LocalDate,
};

/// What is on file about the entry.
#[derive(Debug, Clone, Copy)]
pub struct EntryHistory<'a> {
    /// The last published version; none before the first.
    pub published: Option<&'a EntryContent>,
    /// Whether the data are listed as important.
    pub important: bool,
}

/// An attribute that gives less than it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowing {
    /// The item; none for the entry as a whole.
    pub item: Option<String>,
    /// What it was.
    pub from: SharingKind,
    /// What it becomes.
    pub to: SharingKind,
}

/// Something that a clerk should know and that holds nothing up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The field.
    pub field: String,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// The rule that it rests on.
    pub rule: RuleRef,
    /// Its last day, if it is no longer in force.
    pub expired: Option<LocalDate>,
}

/// Refuses secrets at intake. State secrets stay out whatever the rules say; for work secrets a
/// rule must say so.
pub fn check_secrecy(resolution: &Resolution, mark: SecrecyMark) -> Result<(), Refusal> {
    let rule = resolution.secrecy_excluded().into_iter().find(|(known, _)| *known == mark);
    if rule.is_none() && mark == SecrecyMark::WorkSecret {
        return Ok(());
    }
    let zh = match mark {
        SecrecyMark::StateSecret => "国家秘密",
        SecrecyMark::WorkSecret => "工作秘密",
    };
    let en = match mark {
        SecrecyMark::StateSecret => "a state secret",
        SecrecyMark::WorkSecret => "a work secret",
    };
    let refusal = Refusal::new(Reason::SecretEntryRefused).fact("mark", en).fact("mark_zh", zh);
    Err(with_rule(refusal, rule.map(|(_, rule)| rule)))
}

/// Which attributes give less than they gave, of items that both versions have.
pub fn narrowings(old: &EntryContent, new: &EntryContent) -> Vec<Narrowing> {
    let kind = |content: &EntryContent| content.sharing.as_ref().map(SharingAttribute::kind);
    let (Some(from), Some(to)) = (kind(old), kind(new)) else { return Vec::new() };
    let mut found = Vec::new();
    if to > from {
        found.push(Narrowing { item: None, from, to });
    }
    for item in &new.items {
        let Some(before) = old.items.iter().find(|known| known.name == item.name) else { continue };
        // What follows the entry's attribute is told with the entry.
        let Some(to) = item.sharing else { continue };
        let from = before.sharing.unwrap_or(from);
        if to > from {
            found.push(Narrowing { item: Some(item.name.clone()), from, to });
        }
    }
    found
}

/// What a clerk should know: a theme library is checked against a list that has expired.
pub fn entry_warnings(resolution: &Resolution, content: &EntryContent) -> Vec<Warning> {
    let library = content.particulars.as_ref().and_then(|known| known.library.as_ref());
    let Some(Library::Theme(name)) = library else { return Vec::new() };
    if resolution.theme_libraries().is_some() {
        return Vec::new();
    }
    let Some((known, rule, last_day)) = resolution.expired_theme_libraries() else {
        return Vec::new();
    };
    if known.contains(name) {
        return Vec::new();
    }
    vec![Warning {
        field: "entry.library".to_owned(),
        en: format!("{name} is none of the theme libraries of a list that ended on {last_day}"),
        zh: format!("{name} 不在已于 {last_day} 失效的主题库清单中"),
        rule,
        expired: Some(last_day),
    }]
}

/// What holds from command level 3 on.
pub(super) fn check(
    resolution: &Resolution,
    content: &EntryContent,
    history: &EntryHistory<'_>,
    found: &mut Findings,
) {
    let particulars = content.particulars.clone().unwrap_or_default();
    if let Some(mark) = particulars.secrecy
        && let Err(refusal) = check_secrecy(resolution, mark)
    {
        found.add(refusal, "entry.secrecy", "a secret", "涉密");
    }
    self_checks(resolution, &particulars.self_checks, found);
    library(resolution, particulars.library.as_ref(), found);
    let personal = content.items.iter().position(|item| item.personal);
    if let Some(place) = personal
        && content.duty_basis.trim().is_empty()
    {
        let refusal = Refusal::new(Reason::PersonalBasisMissing);
        let field = format!("entry.items[{place}].personal");
        found.add(refusal, &field, "duty_basis is missing", "缺少职责依据");
    }
    if history.important && content.open_type.is_some() {
        let refusal = Refusal::new(Reason::ImportantNotOpen);
        found.add(refusal, "entry.open_type", "listed as important", "已列为重要数据");
    }
    narrowing(resolution, content, history, found);
}

/// The last self-check of each kind passed (CAT-07): only while a rule asks for them.
fn self_checks(resolution: &Resolution, made: &[SelfCheck], found: &mut Findings) {
    for (kind, rule) in resolution.self_checks() {
        // `max_by_key` takes the last of equals: of two on one day the one recorded later.
        let last = made.iter().filter(|check| check.kind == kind).max_by_key(|check| check.date);
        if last.is_none_or(|check| !check.passed) {
            let refusal = Refusal::new(Reason::SelfCheckMissing)
                .under(rule)
                .fact("check", kind.name())
                .fact("check_zh", kind.name_zh());
            found.add(refusal, "entry.self_checks", kind.name(), kind.name_zh());
        }
    }
}

/// A library must be one that the rules name (CAT-19, CAT-20).
fn library(resolution: &Resolution, library: Option<&Library>, found: &mut Findings) {
    let (name, known) = match library {
        None => return,
        Some(Library::Base(name)) => (name, resolution.base_libraries()),
        Some(Library::Theme(name)) => (name, resolution.theme_libraries()),
    };
    if let Some((known, rule)) = known
        && !known.contains(name)
    {
        let refusal = Refusal::new(Reason::LibraryUnknown)
            .under(rule)
            .fact("library", name)
            .fact("known", known.join("、"));
        found.add(refusal, "entry.library", "unknown", "未知");
    }
}

/// No condition is added without a ground (SHR-02). Not sharing at all needs its own basis, which
/// is checked with the attribute.
fn narrowing(
    resolution: &Resolution,
    content: &EntryContent,
    history: &EntryHistory<'_>,
    found: &mut Findings,
) {
    let (Some(rule), Some(published)) = (resolution.no_added_conditions(), history.published)
    else {
        return;
    };
    for narrowing in narrowings(published, content) {
        let basis = match &narrowing.item {
            None => match &content.sharing {
                Some(SharingAttribute::Conditional { basis, .. }) => basis.as_ref(),
                _ => continue,
            },
            Some(name) => match content.items.iter().find(|item| item.name == *name) {
                Some(item) if item.sharing == Some(SharingKind::Conditional) => item.basis.as_ref(),
                _ => continue,
            },
        };
        if cited(basis) {
            continue;
        }
        let name = |kind, lang| match (kind, lang) {
            (SharingKind::Unconditional, Lang::Zh) => "无条件共享".to_owned(),
            (SharingKind::Conditional, Lang::Zh) => "有条件共享".to_owned(),
            (SharingKind::NotShared, Lang::Zh) => "不予共享".to_owned(),
            (kind, Lang::En) => kind.to_string(),
        };
        let what = narrowing.item.as_deref();
        let field = match what {
            None => "entry.sharing.basis".to_owned(),
            Some(item) => format!("entry.items.{item}.basis"),
        };
        let refusal = Refusal::new(Reason::NarrowingWithoutBasis)
            .under(rule.clone())
            .fact("what", what.unwrap_or("the entry"))
            .fact("what_zh", what.unwrap_or("目录"))
            .fact("from", name(narrowing.from, Lang::En))
            .fact("from_zh", name(narrowing.from, Lang::Zh))
            .fact("to", name(narrowing.to, Lang::En))
            .fact("to_zh", name(narrowing.to, Lang::Zh));
        found.add(refusal, &field, "missing", "缺少");
    }
}

#[cfg(test)]
mod tests;
