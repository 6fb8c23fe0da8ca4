//! A restore never revives: what of the time after the restored moment must stay as it was?
//!
//! A state of last week has forgotten what was withdrawn, suspended, ended and erased since. Whoever
//! opens it must not give back a right that was taken, nor show a text that the law wanted gone
//! (DR-07, must-refuse 24 and 31). Asked is the newest state that is known, not the list of commands:
//! a suspension that was lifted again is none, one that led to an end is an end, and what a rule
//! would refuse today (an end without the suspension before it) was done lawfully then.
//!
//! What is carried forward is in the ledger of the new generation, with its own record for each act,
//! and told to the operator. Acts of kinds that a restored state cannot simply be given again are
//! told, too: somebody has to look at them.
//!
//! It errs to the side of the smaller right: an entry that was withdrawn and published again later
//! is withdrawn, because the version that is restored is one that was taken back.

use std::collections::{BTreeMap, BTreeSet};

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryState},
    entry_file::{EntryFile, SuspensionGround},
    grant::{Grant, GrantState},
    ids::DomainId,
    name::{Resource, ResourceName},
    organization::Person,
    reason::Lang,
    service_change::{ServiceChange, ServiceChangeState},
    share_request::{ShareRequest, ShareRequestState},
    time::{LocalDate, UtcMillis},
    use_record::UseRecord,
};

use super::{catalog, grants, proof, relations, requests};
use crate::{
    codec,
    event::Event,
    keys::{self, Key, Table},
    ledger::{self, Fact, Ledger, LedgerRecord},
    machine::Law,
    rows::DeadlineRow,
    store::Store,
    tx::Tx,
    view::{KINDS, View},
};

/// Something that happened after the restored moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Carried {
    /// What.
    pub act: CarriedAct,
    /// About what: a name, or the number of a record.
    pub subject: String,
}

/// What happened after the restored moment, and was done again or needs somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CarriedAct {
    /// A case was taken back by its asker.
    RequestWithdrawn,
    /// A right was stopped.
    GrantSuspended,
    /// A right ended.
    GrantEnded,
    /// An entry was withdrawn.
    EntryWithdrawn,
    /// An entry was withdrawn, and published again since: it is withdrawn, and somebody has to say
    /// whether it is to be published as it stood.
    EntryWithdrawnBefore,
    /// An entry was taken off the list.
    EntrySuspended,
    /// An entry was put away.
    EntryArchived,
    /// What is held of another domain's catalog is the newest again.
    CatalogOfOther,
    /// The roles of a person are the newest again.
    PersonChanged,
    /// Text and persons beside a record were erased.
    PayloadErased,
    /// Texts and persons beside records were deleted after retention.
    PayloadsPurged,
    /// Use records were deleted after retention.
    UseRecordsPurged,
    /// Not done again: a ruling was withdrawn.
    RulingWithdrawn,
    /// Not done again: a declared closure was withdrawn.
    ClosureWithdrawn,
    /// Not done again: a dataset was deleted.
    DatasetDeleted,
    /// Not done again: a business system was deleted.
    SystemDeleted,
}

impl CarriedAct {
    /// Whether the restored state has it, or somebody has to see to it.
    pub fn is_done(self) -> bool {
        !matches!(
            self,
            Self::RulingWithdrawn
                | Self::ClosureWithdrawn
                | Self::DatasetDeleted
                | Self::SystemDeleted
        )
    }

    /// A stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequestWithdrawn => "request_withdrawn",
            Self::GrantSuspended => "grant_suspended",
            Self::GrantEnded => "grant_ended",
            Self::EntryWithdrawn => "entry_withdrawn",
            Self::EntryWithdrawnBefore => "entry_withdrawn_and_published_again",
            Self::EntrySuspended => "entry_suspended",
            Self::EntryArchived => "entry_archived",
            Self::CatalogOfOther => "catalog_of_other_domain",
            Self::PersonChanged => "person_changed",
            Self::PayloadErased => "payload_erased",
            Self::PayloadsPurged => "payloads_purged",
            Self::UseRecordsPurged => "use_records_purged",
            Self::RulingWithdrawn => "ruling_withdrawn",
            Self::ClosureWithdrawn => "closure_withdrawn",
            Self::DatasetDeleted => "dataset_deleted",
            Self::SystemDeleted => "system_deleted",
        }
    }

    /// What it means, for people.
    pub fn text(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::RequestWithdrawn, Lang::En) => "the asker took the request back",
            (Self::RequestWithdrawn, Lang::Zh) => "申请人已撤回申请",
            (Self::GrantSuspended, Lang::En) => "the right is suspended",
            (Self::GrantSuspended, Lang::Zh) => "授权已暂停",
            (Self::GrantEnded, Lang::En) => "the right is over",
            (Self::GrantEnded, Lang::Zh) => "授权已终止",
            (Self::EntryWithdrawn, Lang::En) => "the entry is withdrawn",
            (Self::EntryWithdrawn, Lang::Zh) => "目录条目已撤回",
            (Self::EntryWithdrawnBefore, Lang::En) => {
                "the entry is withdrawn; it had been published again later: publish it again"
            }
            (Self::EntryWithdrawnBefore, Lang::Zh) => {
                "目录条目已撤回；其后曾重新发布，请重新办理发布"
            }
            (Self::EntrySuspended, Lang::En) => "the entry is suspended",
            (Self::EntrySuspended, Lang::Zh) => "目录条目已暂停",
            (Self::EntryArchived, Lang::En) => "the entry is archived",
            (Self::EntryArchived, Lang::Zh) => "目录条目已归档",
            (Self::CatalogOfOther, Lang::En) => "the newest known catalog of that domain",
            (Self::CatalogOfOther, Lang::Zh) => "采用该域最新的已知目录",
            (Self::PersonChanged, Lang::En) => "the newest known roles of that person",
            (Self::PersonChanged, Lang::Zh) => "采用该人员最新的已知角色",
            (Self::PayloadErased, Lang::En) => "what lay beside the record is erased",
            (Self::PayloadErased, Lang::Zh) => "记录附带内容已删除",
            (Self::PayloadsPurged, Lang::En) => "what lay beside the records is deleted",
            (Self::PayloadsPurged, Lang::Zh) => "保存期满的记录附带内容已清除",
            (Self::UseRecordsPurged, Lang::En) => "use records are deleted",
            (Self::UseRecordsPurged, Lang::Zh) => "保存期满的使用记录已清除",
            (Self::RulingWithdrawn, Lang::En) => "NOT done again: a ruling was withdrawn",
            (Self::RulingWithdrawn, Lang::Zh) => "未自动重做：裁定曾被撤回",
            (Self::ClosureWithdrawn, Lang::En) => "NOT done again: a closure was withdrawn",
            (Self::ClosureWithdrawn, Lang::Zh) => "未自动重做：停工公告曾被撤回",
            (Self::DatasetDeleted, Lang::En) => "NOT done again: a dataset was deleted",
            (Self::DatasetDeleted, Lang::Zh) => "未自动重做：数据集曾被删除",
            (Self::SystemDeleted, Lang::En) => "NOT done again: a system was deleted",
            (Self::SystemDeleted, Lang::Zh) => "未自动重做：业务系统曾被删除",
        }
    }
}

/// Carries forward into the state of `tx`, whose clock becomes `clock`, what `later` knows.
pub(crate) fn carry(
    tx: &mut Tx<'_>,
    law: &Law,
    later: &dyn Store,
    clock: UtcMillis,
) -> Vec<Carried> {
    let size = tx.counters().ledger;
    let reason = format!(
        "carried forward when generation {} was opened on a restored state",
        tx.cluster.generation
    );
    let mut carrying = Carrying { tx, law, later, size, reason, done: Vec::new() };
    // With the clock of then: what was taken back in time is not overdue.
    carrying.requests();
    carrying.tx.clock = clock;
    carrying.grants();
    carrying.entries();
    carrying.other_domains();
    carrying.persons();
    carrying.payloads();
    carrying.use_records();
    carrying.numbers();
    carrying.named_only();
    carrying.done
}

struct Carrying<'a, 'b> {
    tx: &'a mut Tx<'b>,
    law: &'a Law,
    later: &'a dyn Store,
    /// Ledger records of the restored state, before anything was carried.
    size: u64,
    reason: String,
    done: Vec<Carried>,
}

impl Carrying<'_, '_> {
    fn did(&mut self, act: CarriedAct, subject: impl ToString) {
        self.done.push(Carried { act, subject: subject.to_string() });
    }

    fn rows(&self, table: Table) -> Box<dyn Iterator<Item = (Vec<u8>, Vec<u8>)> + '_> {
        let prefix = Key::table(table);
        self.later.range(prefix.as_slice(), &prefix.end())
    }

    /// Facts of the records that the restored state does not have, with what they are about.
    fn later_facts(&self) -> impl Iterator<Item = (ResourceName, Fact)> + '_ {
        let size = View(self.later).counters().ledger;
        (self.size..size).filter_map(|sequence| {
            let LedgerRecord { subject, fact, .. } = Ledger(self.later).record(sequence)?;
            Some((subject, fact))
        })
    }

    /// Cases that this domain decides. Copies of others' follow their owners.
    fn requests(&mut self) {
        let mut withdrawn = Vec::new();
        for (key, bytes) in self.rows(Table::Request) {
            let case: ShareRequest = decoded(&bytes);
            if case.state != ShareRequestState::Withdrawn || case.owner_domain != *self.tx.domain()
            {
                continue;
            }
            let old: Option<ShareRequest> = self.tx.get(&Key::from_stored(key));
            withdrawn.extend(old.filter(|old| old.state.is_open()));
        }
        let reason = self.reason.clone();
        for old in withdrawn {
            requests::withdrawn_by_asker(self.tx, self.law, &old, &reason);
            self.did(CarriedAct::RequestWithdrawn, requests::name(&old));
        }
    }

    /// The later row takes the place of the restored one, with its clocks: what led to the end of a
    /// right (an order, a report, a judgement) is on it.
    fn grants(&mut self) {
        let mut stopped: Vec<(Grant, Grant)> = Vec::new();
        for (key, bytes) in self.rows(Table::Grant) {
            let now: Grant = decoded(&bytes);
            let gone = now.state == GrantState::Suspended || now.state.has_ended();
            if !gone && !now.is_stopped() {
                continue;
            }
            let old: Option<Grant> = self.tx.get(&Key::from_stored(key));
            let smaller =
                |old: &Grant| old.state != now.state || old.is_stopped() != now.is_stopped();
            if let Some(old) = old.filter(smaller) {
                stopped.push((old, now));
            }
        }
        let mut changes = BTreeSet::new();
        for (old, now) in stopped {
            // Whose function it is now is not carried: the entry is the old provider's again, too.
            let now = Grant { provider: old.provider, ..now };
            let name = ResourceName::new(now.domain.clone(), Resource::Grant(now.id));
            self.clocks_of(&name);
            changes.insert(now.entry.clone());
            grants::store(self.tx, &now);
            let texts = [("reason", self.reason.as_str())];
            let rectify_by = now.suspension.as_ref().map(|suspension| suspension.rectify_by);
            let (act, fact) = match rectify_by {
                Some(rectify_by) if now.state == GrantState::Suspended => {
                    (CarriedAct::GrantSuspended, Fact::GrantSuspended { rectify_by })
                }
                _ if now.state.has_ended() => (CarriedAct::GrantEnded, Fact::GrantTerminated),
                _ => {
                    let rectify_by = self.tx.today();
                    (CarriedAct::GrantSuspended, Fact::GrantSuspended { rectify_by })
                }
            };
            ledger::append(self.tx, &name, fact, None, &texts);
            self.did(act, name);
        }
        self.service_changes(&changes);
    }

    /// A right that ended with its service names the change by which it did.
    fn service_changes(&mut self, entries: &BTreeSet<ResourceName>) {
        let mut effective = Vec::new();
        for (_, bytes) in self.rows(Table::ServiceChange) {
            let change: ServiceChange = decoded(&bytes);
            if change.state == ServiceChangeState::Effective && entries.contains(&change.entry) {
                effective.push(change);
            }
        }
        for change in effective {
            let Resource::Entry(entry) = change.entry.resource else { continue };
            let key = keys::service_change(&change.domain, change.id);
            self.tx.put(&key, &change);
            let of = (&change.entry.domain, entry);
            let index = keys::service_change_by_entry(of, &change.domain, change.id);
            self.tx.put_bytes(&index, Vec::new());
        }
    }

    /// The deadlines of a subject become those of the later state. What fired there may fire once
    /// more: under the same key, which receivers know.
    fn clocks_of(&mut self, subject: &ResourceName) {
        for kind in KINDS {
            let tx = &mut *self.tx;
            tx.clear_deadline(kind, subject);
            let key = keys::deadline(kind, subject);
            let Some(row) = self.later.get(key.as_slice()) else { continue };
            let row = DeadlineRow { fired_revision: None, ..decoded(&row) };
            tx.put_bytes(&keys::due(row.due_time, &key), Vec::new());
            tx.put(&key, &row);
        }
    }

    fn entries(&mut self) {
        let mut taken_back: BTreeSet<ResourceName> = BTreeSet::new();
        for (subject, fact) in self.later_facts() {
            if matches!(fact, Fact::EntryWithdrawn { .. }) {
                taken_back.insert(subject);
            }
        }
        let mut gone: Vec<(CatalogEntry, EntryState)> = Vec::new();
        for (key, bytes) in self.rows(Table::Entry) {
            let now: CatalogEntry = decoded(&bytes);
            let name = ResourceName::new(now.domain.clone(), Resource::Entry(now.id));
            let off = matches!(
                now.state,
                EntryState::Withdrawn | EntryState::Suspended | EntryState::Archived
            );
            if !off && !taken_back.contains(&name) {
                continue;
            }
            let old: Option<CatalogEntry> = self.tx.get(&Key::from_stored(key));
            gone.extend(old.map(|old| (old, now.state)));
        }
        let reason = self.reason.clone();
        for (old, then) in gone {
            let name = ResourceName::new(old.domain.clone(), Resource::Entry(old.id));
            let over = matches!(old.state, EntryState::Withdrawn | EntryState::Archived);
            match then {
                EntryState::Suspended if !taken_back.contains(&name) => {
                    if old.state.is_listed() {
                        let file: Option<EntryFile> =
                            View(self.later).entry_file(&old.domain, old.id);
                        let ground = file
                            .and_then(|file| file.suspension)
                            .map_or(SuspensionGround::Leak, |suspension| suspension.ground);
                        catalog::take_off(self.tx, old, ground, &reason);
                        self.did(CarriedAct::EntrySuspended, name);
                    }
                }
                EntryState::Archived => {
                    if !over {
                        catalog::take_out(self.tx, old.clone(), &reason);
                    }
                    let key = keys::entry(&old.domain, old.id);
                    let withdrawn: CatalogEntry = self.tx.get(&key).expect("it was just there");
                    if withdrawn.state == EntryState::Withdrawn {
                        catalog::put_away(self.tx, withdrawn);
                        self.did(CarriedAct::EntryArchived, name);
                    }
                }
                _ if over => {}
                EntryState::Withdrawn => {
                    catalog::take_out(self.tx, old, &reason);
                    self.did(CarriedAct::EntryWithdrawn, name);
                }
                _ => {
                    catalog::take_out(self.tx, old, &reason);
                    self.did(CarriedAct::EntryWithdrawnBefore, name);
                }
            }
        }
    }

    /// Of other domains' catalogs the newest copy is the truest, with the place in their feed.
    fn other_domains(&mut self) {
        let own = self.tx.domain().clone();
        let table = Key::table(Table::PublishedEntry);
        let mut listed: BTreeMap<Vec<u8>, Option<CatalogEntry>> = BTreeMap::new();
        for (key, bytes) in self.tx.rows(&table, usize::MAX) {
            let entry: CatalogEntry = decoded(&bytes);
            if entry.domain != own && self.later.get(&key).as_ref() != Some(&bytes) {
                listed.insert(key, None);
            }
        }
        for (key, bytes) in self.rows(Table::PublishedEntry) {
            let entry: CatalogEntry = decoded(&bytes);
            let known = self.tx.get_bytes(&Key::from_stored(key.clone()));
            if entry.domain != own && known.as_ref() != Some(&bytes) {
                listed.insert(key, Some(entry));
            }
        }
        let cursors: Vec<_> = self.rows(Table::FeedCursor).collect();
        let mut domains: BTreeSet<DomainId> = BTreeSet::new();
        for (key, now) in listed {
            let key = Key::from_stored(key);
            let old: Option<CatalogEntry> = self.tx.get(&key);
            let Some(entry) = now.as_ref().or(old.as_ref()) else { continue };
            let (domain, id) = (entry.domain.clone(), entry.id);
            relations::listing_changes(self.tx, (&domain, id), now.as_ref());
            match &now {
                Some(entry) => self.tx.put(&key, entry),
                None => self.tx.delete(&key),
            }
            let name = ResourceName::new(domain.clone(), Resource::Entry(id));
            self.tx.emit(Event::EntryListed(name));
            domains.insert(domain);
        }
        for (key, bytes) in cursors {
            self.tx.put_bytes(&Key::from_stored(key), bytes);
        }
        for domain in domains {
            self.did(CarriedAct::CatalogOfOther, domain);
        }
    }

    /// Who may act, by the newest word: an account that was closed stays closed.
    fn persons(&mut self) {
        let mut changed = Vec::new();
        for (key, bytes) in self.rows(Table::Person) {
            let key = Key::from_stored(key);
            let old = self.tx.get_bytes(&key);
            if old.is_some_and(|old| old != bytes) {
                changed.push((key, decoded::<Person>(&bytes)));
            }
        }
        for (key, person) in changed {
            self.tx.put(&key, &person);
            let domain = self.tx.domain().clone();
            let subject = ResourceName::new(domain, Resource::Organization(person.organization));
            let fact = Fact::PersonRolesChanged { roles: person.roles.clone() };
            let id = person.id.to_string();
            ledger::append(self.tx, &subject, fact, None, &[("filed_person", &id)]);
            self.did(CarriedAct::PersonChanged, subject);
        }
    }

    fn payloads(&mut self) {
        let later = View(self.later);
        let erased: Vec<u64> = (0..self.size)
            .filter(|sequence| {
                self.later.get(keys::payload_erased(*sequence).as_slice()).is_some()
                    && self.tx.has(&keys::ledger_payload(*sequence))
            })
            .collect();
        let reason = self.reason.clone();
        for sequence in erased {
            let record: LedgerRecord =
                self.tx.get(&keys::ledger_record(sequence)).expect("records are dense");
            proof::erase_beside(self.tx, &record.subject, sequence, &reason);
            self.did(CarriedAct::PayloadErased, sequence);
        }
        let purged =
            |row: Option<crate::rows::proof::PayloadGone>| row.map_or(0, |row| row.through);
        let through = purged(later.payloads_purged()).min(self.size);
        let from = purged(self.tx.get(&keys::payloads_purged()));
        if through > from {
            proof::purge_beside(self.tx, from, through);
            self.did(CarriedAct::PayloadsPurged, format!("{from}..{through}"));
        }
    }

    fn use_records(&mut self) {
        let mut gone: BTreeMap<ResourceName, (u64, LocalDate)> = BTreeMap::new();
        for (key, bytes) in self.tx.rows(&Key::table(Table::UseRecord), usize::MAX) {
            if self.later.get(&key).is_some() {
                continue;
            }
            let record: UseRecord = decoded(&bytes);
            let day = record.recorded_time.local_date();
            let (count, last) = gone.entry(record.grant).or_insert((0, day));
            (*count, *last) = (*count + 1, day.max(*last));
            self.tx.delete(&Key::from_stored(key));
        }
        for (grant, (count, last)) in gone {
            let before = LocalDate::from_days(last.days() + 1);
            ledger::append(self.tx, &grant, Fact::UseRecordsPurged { before, count }, None, &[]);
            self.did(CarriedAct::UseRecordsPurged, grant);
        }
    }

    /// Numbers that went out are not given again: of what is owed to others, and of cases.
    fn numbers(&mut self) {
        let later = View(self.later).counters();
        let counters = self.tx.counters_mut();
        counters.outbox = counters.outbox.max(later.outbox);
        let (year, number) = (later.case_year, later.case_number);
        if (year, number) > (counters.case_year, counters.case_number) {
            (counters.case_year, counters.case_number) = (year, number);
        }
    }

    fn named_only(&mut self) {
        let mut named = Vec::new();
        for (subject, fact) in self.later_facts() {
            let act = match fact {
                Fact::RulingWithdrawn => CarriedAct::RulingWithdrawn,
                Fact::ClosureWithdrawn { .. } => CarriedAct::ClosureWithdrawn,
                Fact::DatasetDeleted => CarriedAct::DatasetDeleted,
                Fact::SystemDeleted => CarriedAct::SystemDeleted,
                _ => continue,
            };
            named.push((act, subject));
        }
        for (act, subject) in named {
            self.did(act, subject);
        }
    }
}

fn decoded<T: for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> T {
    codec::decode(bytes).expect("rows are written by this program")
}

#[cfg(test)]
mod tests;
