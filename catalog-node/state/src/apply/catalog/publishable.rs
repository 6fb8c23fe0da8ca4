//! Publishable: does an entry say all that is asked of it, and take nothing from those who have a
//! right to it?
//!
//! Submission and publication end at the first answer that is no; a pre-check gathers all of them
//! by the same functions, so that it promises neither more nor less.

use std::collections::BTreeSet;

use catalog_model::{
    catalog_entry::CatalogEntry,
    entry_file::EntryVersion,
    ids::{OrganizationId, SystemId},
    organization::{Organization, System},
    policy::{self, EntryHistory, ProviderFacts, Warning},
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
    sharing::{SharingAttribute, SharingKind},
};

use super::{entry_name, file, live_grants};
use crate::{
    apply::{consent, organizations::on_file, relations},
    codec,
    keys::{self, Key, Table},
    machine::Law,
    rows::ConsentKind,
    tx::Tx,
};

/// What a pre-check finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryCheck {
    /// What holds up submission and publication, each on its own.
    pub findings: Vec<Refusal>,
    /// What a clerk should know and holds nothing up.
    pub warnings: Vec<Warning>,
}

/// What holds for the entry, once nothing is left to find.
pub(super) fn publishable(
    tx: &Tx<'_>,
    law: &Law,
    entry: &CatalogEntry,
) -> Result<(Organization, std::sync::Arc<Resolution>), Refusal> {
    let (provider, resolution) = rules_of(tx, law, entry)?;
    let published: Option<CatalogEntry> = tx.get(&keys::published_entry(&entry.domain, entry.id));
    let systems = systems_of(tx, entry.provider);
    let facts = ProviderFacts { capacities: &provider.capacities, systems: &systems };
    if tx.level >= 3 {
        with_history(tx, entry, published.as_ref(), |history| {
            policy::check_publishable_with(&resolution, entry, &facts, history)
        })?;
    } else {
        policy::check_publishable(&resolution, entry, &facts)?;
    }
    takes_no_right(tx, &resolution, entry, published.as_ref())?;
    relations::check_publishable(tx, &resolution, entry, published.as_ref())?;
    Ok((provider, resolution))
}

/// All that holds up submission and publication of an entry, and what its clerk should know.
/// From command level 3 on.
pub(crate) fn findings(tx: &Tx<'_>, law: &Law, entry: &CatalogEntry) -> EntryCheck {
    let (provider, resolution) = match rules_of(tx, law, entry) {
        Ok(known) => known,
        Err(refusal) => return EntryCheck { findings: vec![refusal], warnings: Vec::new() },
    };
    let published: Option<CatalogEntry> = tx.get(&keys::published_entry(&entry.domain, entry.id));
    let systems = systems_of(tx, entry.provider);
    let facts = ProviderFacts { capacities: &provider.capacities, systems: &systems };
    let mut findings = with_history(tx, entry, published.as_ref(), |history| {
        policy::publication_findings(&resolution, entry, &facts, history)
    });
    findings.extend(takes_no_right(tx, &resolution, entry, published.as_ref()).err());
    let related = relations::check_publishable(tx, &resolution, entry, published.as_ref());
    findings.extend(related.err());
    findings.extend(consented(tx, &resolution, entry).err());
    EntryCheck { findings, warnings: policy::entry_warnings(&resolution, &entry.content) }
}

/// The provider, of whom class and code are known, and the rules for its catalog.
fn rules_of(
    tx: &Tx<'_>,
    law: &Law,
    entry: &CatalogEntry,
) -> Result<(Organization, std::sync::Arc<Resolution>), Refusal> {
    let provider = on_file(tx, entry.provider)?;
    let Some(class) = provider.class.filter(|_| provider.verified) else {
        return Err(Refusal::new(Reason::OrganizationUnverified).fact("name", &provider.name));
    };
    let resolution = law.resolve(tx, Pair::for_catalog(class, entry.kind), tx.today())?;
    Ok((provider, resolution))
}

fn with_history<T>(
    tx: &Tx<'_>,
    entry: &CatalogEntry,
    published: Option<&CatalogEntry>,
    ask: impl FnOnce(&EntryHistory<'_>) -> T,
) -> T {
    let known = file(tx, entry.id);
    // A suspended entry is still held against what was published last.
    let last: Option<EntryVersion> =
        tx.get(&keys::entry_version(&entry.domain, entry.id, known.versions));
    let before = published.or(last.as_ref().map(|version| &version.entry));
    ask(&EntryHistory {
        published: before.map(|before| &before.content),
        important: known.important.is_some(),
    })
}

/// Refuses what would take items from those who hold a grant for them.
fn takes_no_right(
    tx: &Tx<'_>,
    resolution: &Resolution,
    entry: &CatalogEntry,
    published: Option<&CatalogEntry>,
) -> Result<(), Refusal> {
    let narrows = |item: &String| {
        let now = sharing_of(entry, item);
        let before = published.and_then(|published| sharing_of(published, item));
        now.is_none_or(|now| {
            now == SharingKind::NotShared || before.is_some_and(|before| now > before)
        })
    };
    let narrowed =
        live_grants(tx, entry).iter().filter(|grant| grant.items.iter().any(narrows)).count();
    if narrowed == 0 {
        return Ok(());
    }
    let refusal = Refusal::new(Reason::EntryHasLiveGrants).fact("count", narrowed);
    Err(match resolution.withdrawal_is_service_change().filter(|_| tx.level >= 3) {
        Some(rule) => refusal.under(rule),
        None => refusal,
    })
}

/// Refuses where the rules want the head's consent and it is not to this content.
pub(super) fn consented(
    tx: &Tx<'_>,
    resolution: &Resolution,
    entry: &CatalogEntry,
) -> Result<(), Refusal> {
    let name = entry_name(tx, entry.id);
    if let Some(rule) = resolution.catalog_head_consent()
        && !consent::covers_content(tx, ConsentKind::Catalog, &name, &entry.content)
    {
        return Err(Refusal::new(Reason::ConsentMissing)
            .under(rule)
            .fact("consenter", "the head of the department")
            .fact("subject", name));
    }
    Ok(())
}

/// How this version shares the item; none if it does not have it.
pub(crate) fn sharing_of(entry: &CatalogEntry, item: &str) -> Option<SharingKind> {
    let of_entry = entry.content.sharing.as_ref().map(SharingAttribute::kind);
    let item = entry.content.items.iter().find(|known| known.name == item)?;
    item.sharing.or(of_entry)
}

fn systems_of(tx: &Tx<'_>, organization: OrganizationId) -> BTreeSet<SystemId> {
    let prefix = Key::table(Table::System).domain(tx.domain()).id(organization.to_bytes());
    tx.rows(&prefix, usize::MAX)
        .into_iter()
        .map(|(_, bytes)| codec::decode::<System>(&bytes).expect("a system row is ours").id)
        .collect()
}
