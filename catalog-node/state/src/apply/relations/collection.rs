//! Nothing is collected twice (CAT-13, must-refuse 32): who shares already what a department wants
//! to collect from persons and organizations?
//!
//! Items are compared by their names in a form without spaces and punctuation. An index leads from
//! an item to the published entries that share it, so that a check costs what it finds, not what
//! the catalog holds.

use std::collections::BTreeSet;

use catalog_model::{
    acquisition::{CollectionCheck, CollectionResult},
    catalog_entry::CatalogEntry,
    dataset::element_key,
    ids::{DomainId, EntryId},
    name::{Resource, ResourceName},
    policy::MAX_LIST,
    reason::Reason,
    refusal::Refusal,
    rule_pack::Resolution,
    sharing::{LegalCitation, SharingKind},
};

use super::{done, entry_name, may_file_for, rules_for};
use crate::{
    apply::{catalog, organizations::is_platform, text},
    codec,
    keys::{self, Key, Table, relations as key},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
    view::View,
};

/// Entries that one check names at most: enough for whoever must act on it.
const NAMED_MAX: usize = 50;
/// Entries of a catalog of before level 3 that one command brings into the index.
pub(crate) const INDEXED_PER_COMMAND: usize = 256;

/// The items of an entry that somebody may have by sharing, in the form in which they are compared.
pub(crate) fn shared_items(entry: &CatalogEntry) -> BTreeSet<String> {
    entry
        .content
        .items
        .iter()
        .filter(|item| {
            let kind = catalog::sharing_of(entry, &item.name);
            kind.is_some_and(|kind| kind != SharingKind::NotShared)
        })
        .map(|item| element_key(&item.name))
        .filter(|item| !item.is_empty())
        .collect()
}

/// Keeps the index when the published row of an entry is about to become `now`.
pub(crate) fn reindex(
    tx: &mut Tx<'_>,
    (domain, id): (&DomainId, EntryId),
    now: Option<&CatalogEntry>,
) {
    let old: Option<CatalogEntry> = tx.get(&keys::published_entry(domain, id));
    let before = old.as_ref().map(shared_items).unwrap_or_default();
    let after = now.map(shared_items).unwrap_or_default();
    let at = |item: &str| key::sharers_of(item).domain(domain).id(id.to_bytes());
    for item in before.difference(&after) {
        tx.delete(&at(item));
    }
    for item in after.difference(&before) {
        tx.put_bytes(&at(item), Vec::new());
    }
}

pub(crate) fn index_published(
    tx: &mut Tx<'_>,
    domain: &DomainId,
    after: Option<EntryId>,
) -> Result<Outcome, Refusal> {
    let node = matches!(tx.caller.identity, catalog_model::caller::Identity::Node { .. });
    if !node && !is_platform(tx) {
        return Err(not_permitted(tx, "the authority, the platform manager or a node"));
    }
    let table = Key::table(Table::PublishedEntry).domain(domain);
    let from = match after {
        None => table.as_slice().to_vec(),
        Some(id) => keys::published_entry(domain, id).byte(0).into_vec(),
    };
    let rows = tx.rows_between(&from, &table.end(), INDEXED_PER_COMMAND);
    let mut last = None;
    for (_, bytes) in rows {
        let entry: CatalogEntry = codec::decode(&bytes).expect("rows are ours");
        for item in shared_items(&entry) {
            let at = key::sharers_of(&item).domain(domain).id(entry.id.to_bytes());
            tx.put_bytes(&at, Vec::new());
        }
        last = Some(ResourceName::new(domain.clone(), Resource::Entry(entry.id)));
    }
    // The last entry of the batch, after which the next one begins; none = all are in.
    Ok(Outcome::Done(last))
}

/// Entries of others that share one of these items.
pub(crate) fn sharers(
    tx: &Tx<'_>,
    except: Option<&CatalogEntry>,
    items: &[String],
) -> Vec<ResourceName> {
    let mut found = BTreeSet::new();
    for item in items.iter().map(|item| element_key(item)).collect::<BTreeSet<_>>() {
        if item.is_empty() {
            continue;
        }
        let prefix = key::sharers_of(&item);
        // Own entries may stand in between; a provider's own are few beside what is looked for.
        for (index, _) in tx.rows(&prefix, NAMED_MAX * 4) {
            let (domain, id) = View::named_by_index(&index, prefix.as_slice().len());
            let id = EntryId::from_bytes(id);
            let published: CatalogEntry =
                tx.get(&keys::published_entry(&domain, id)).expect("an indexed entry is listed");
            let own = except.is_some_and(|entry| {
                entry.domain == published.domain && entry.provider == published.provider
            });
            if !own && found.len() < NAMED_MAX {
                found.insert(ResourceName::new(domain, Resource::Entry(id)));
            }
        }
    }
    found.into_iter().collect()
}

/// What a check of these items finds now.
fn result(
    tx: &Tx<'_>,
    resolution: &Resolution,
    entry: &CatalogEntry,
    items: &[String],
    exception: Option<&LegalCitation>,
) -> (CollectionResult, Vec<ResourceName>, Option<catalog_model::rule::RuleRef>) {
    let Some((ranks, rule)) = resolution.no_recollection() else {
        return (CollectionResult::Clear, Vec::new(), None);
    };
    let overlaps = sharers(tx, Some(entry), items);
    let result = if overlaps.is_empty() {
        CollectionResult::Clear
    } else if exception.is_some_and(|cited| ranks.contains(&cited.rank) && !cited.quote.is_empty())
    {
        CollectionResult::Excused
    } else {
        CollectionResult::Duplicated
    };
    (result, overlaps, Some(rule))
}

/// The provider says which items it collects itself; what is found is on record, and a duplicate
/// holds the submission up.
pub(crate) fn check(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EntryId,
    items: &[String],
    exception: Option<&LegalCitation>,
) -> Result<Outcome, Refusal> {
    let entry = catalog::working(tx, id)?;
    may_file_for(tx, entry.provider)?;
    text::check_list("items", items)?;
    if items.is_empty() || items.len() > MAX_LIST {
        return Err(Refusal::new(Reason::FieldInvalid).field("items", "missing", "缺少"));
    }
    for (place, item) in items.iter().enumerate() {
        if !entry.content.items.iter().any(|known| known.name == *item) {
            let field = format!("items[{place}]");
            let (en, zh) = ("not an item of the entry", "不是该目录的信息项");
            return Err(Refusal::new(Reason::FieldInvalid).field(&field, en, zh));
        }
    }
    let resolution = rules_for(tx, law, &entry)?;
    let (result, overlaps, rule) = result(tx, &resolution, &entry, items, exception);
    let row = CollectionCheck {
        entry: id,
        items: items.to_vec(),
        result,
        overlaps: overlaps.clone(),
        exception: exception.cloned(),
        rule: rule.clone(),
        checked_time: tx.clock,
    };
    tx.put(&key::collection_check(tx.domain(), id), &row);
    let name = entry_name(tx, id);
    let cited = exception.map(ToString::to_string).unwrap_or_default();
    let fact = Fact::CollectionChecked { result, overlaps };
    ledger::append(tx, &name, fact, rule, &[("exception", &cited)]);
    Ok(done(tx, name))
}

/// What is declared to be collected is looked up again, because others publish meanwhile.
pub(crate) fn check_submission(
    tx: &Tx<'_>,
    resolution: &Resolution,
    entry: &CatalogEntry,
) -> Result<(), Refusal> {
    let row: Option<CollectionCheck> = tx.get(&key::collection_check(tx.domain(), entry.id));
    let Some(row) = row else { return Ok(()) };
    let (result, overlaps, rule) =
        result(tx, resolution, entry, &row.items, row.exception.as_ref());
    if result != CollectionResult::Duplicated {
        return Ok(());
    }
    let named: Vec<String> = overlaps.iter().map(ToString::to_string).collect();
    let refusal = Refusal::new(Reason::CollectionDuplicated)
        .fact("title", &entry.content.title)
        .fact("overlaps", named.join(", "));
    Err(match rule {
        Some(rule) => refusal.under(rule),
        None => refusal,
    })
}
