//! Published versions on file: none is overwritten, none is lost (CAT-10, CAT-26).

use catalog_model::{
    catalog_entry::CatalogEntry,
    entry_file::{EntryFile, EntryVersion},
};

use crate::{keys, machine::Law, tx::Tx};

/// Puts a version that is about to be published on file.
pub(super) fn add(tx: &mut Tx<'_>, law: &Law, file: &mut EntryFile, entry: &CatalogEntry) {
    file.versions += 1;
    let version = EntryVersion {
        number: file.versions,
        entry: entry.clone(),
        filed_time: tx.clock,
        rule_pack_version: law.rule_pack_version,
    };
    tx.put(&keys::entry_version(&entry.domain, entry.id, file.versions), &version);
}

/// Puts the published version on file if the cluster published it below command level 3, when
/// there were no files: before it is replaced or taken away.
pub(super) fn catch_up(tx: &mut Tx<'_>, entry: &CatalogEntry) {
    let mut file = super::file(tx, entry.id);
    if file.versions > 0 {
        return;
    }
    let key = keys::published_entry(&entry.domain, entry.id);
    let Some(published) = tx.get::<CatalogEntry>(&key) else { return };
    file.versions = 1;
    file.attribute_since = published.published_time;
    // Which pack it was published by is not known; zero is no pack's number.
    let version =
        EntryVersion { number: 1, entry: published, filed_time: tx.clock, rule_pack_version: 0 };
    tx.put(&keys::entry_version(&entry.domain, entry.id, 1), &version);
    tx.put(&keys::entry_file(&entry.domain, entry.id), &file);
}

/// Puts a version on file that takes the place of the published one without a submission: by an
/// objection that was settled, by a transfer of functions. Called before the published row changes.
pub(in crate::apply) fn replaced(tx: &mut Tx<'_>, entry: &CatalogEntry) {
    if tx.level < 3 {
        return;
    }
    catch_up(tx, entry);
    let mut file = super::file(tx, entry.id);
    file.versions += 1;
    let rule_pack_version = tx.get(&keys::meta::rule_pack_version()).unwrap_or_default();
    let version = EntryVersion {
        number: file.versions,
        entry: entry.clone(),
        filed_time: tx.clock,
        rule_pack_version,
    };
    tx.put(&keys::entry_version(&entry.domain, entry.id, file.versions), &version);
    tx.put(&keys::entry_file(&entry.domain, entry.id), &file);
}
