//! What must be true of every store after every command, each as a check with a name.
//!
//! Scripts, property tests and simulations run all of them. A violation is a mistake of ours:
//! nothing that a caller sends may bring one about.

use std::collections::{BTreeMap, BTreeSet};

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryState},
    deadline::DeadlineKind,
    grant::{Grant, GrantState},
    ids::{DomainId, EntryId, RequestId},
    name::Resource,
    organization::Organization,
    share_request::{Answer, ShareRequest, ShareRequestState},
    sharing::SharingKind,
};
use minicbor::Decode;

use crate::{
    apply::{catalog::sharing_of, requests},
    codec,
    feed::{self, FeedRecord, FeedScope},
    keys::{self, Key, Table},
    ledger::{LedgerRecord, Payload, leaf_hash, text_digest},
    outbox::OutboxItem,
    rows::{ClusterConfig, DeadlineRow},
    store::Store,
    view::View,
};

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its name, that of the function that checks it.
    pub invariant: &'static str,
    /// What was found.
    pub detail: String,
}

/// A store under inspection.
struct Inspection<'a> {
    store: &'a dyn Store,
    domain: DomainId,
    found: Vec<Violation>,
}

/// Every violation in a store; none before bootstrap.
pub fn check(store: &dyn Store) -> Vec<Violation> {
    let Some(ClusterConfig { domain, .. }) = View(store).cluster() else { return Vec::new() };
    let mut inspection = Inspection { store, domain, found: Vec::new() };
    inspection.running_clock_has_deadline();
    inspection.deadline_has_subject();
    inspection.due_rows_are_the_unfired_deadlines();
    inspection.answered_case_is_complete();
    inspection.escalation_is_never_the_debtor();
    inspection.grant_is_within_its_answer();
    inspection.live_grant_is_of_shared_items();
    inspection.published_row_is_of_listed_entry();
    inspection.indexes_name_their_rows();
    inspection.counters_count();
    inspection.ledger_is_dense_and_proves();
    inspection.feed_is_dense_and_chained();
    inspection.outbox_is_for_others();
    inspection.found
}

impl Inspection<'_> {
    fn violated(&mut self, invariant: &'static str, detail: String) {
        self.found.push(Violation { invariant, detail });
    }

    fn raw(&self, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
        let prefix = Key::table(table);
        self.store.range(prefix.as_slice(), &prefix.end()).collect()
    }

    fn rows<T: for<'b> Decode<'b, ()>>(&self, table: Table) -> Vec<T> {
        let decode = |(_, bytes): (Vec<u8>, Vec<u8>)| codec::decode(&bytes).expect("rows are ours");
        self.raw(table).into_iter().map(decode).collect()
    }

    fn keys(&self, table: Table) -> BTreeSet<Vec<u8>> {
        self.raw(table).into_iter().map(|(key, _)| key).collect()
    }

    /// An answer is owed and its clock runs ⇔ there is a deadline, at the clock's due instant.
    fn running_clock_has_deadline(&mut self) {
        const NAME: &str = "running_clock_has_deadline";
        for case in self.rows::<ShareRequest>(Table::Request) {
            let name = requests::name(&case);
            let row = View(self.store).deadline(DeadlineKind::Answer, &name);
            let owed = requests::is_owed_here(&case, &self.domain) && requests::clock_runs(&case);
            let due = case.answer_clock.as_ref().filter(|_| owed).map(|clock| clock.due_time);
            if row.as_ref().map(|row| row.due_time) != due {
                self.violated(NAME, format!("{name} is due {due:?}, its deadline says {row:?}"));
            }
        }
    }

    /// A deadline belongs to something that can still be late.
    fn deadline_has_subject(&mut self) {
        const NAME: &str = "deadline_has_subject";
        for row in self.rows::<DeadlineRow>(Table::Deadline) {
            let key = keys::of(&row.subject).expect("deadlines belong to rows");
            let view = View(self.store);
            let fits = match row.kind {
                DeadlineKind::Answer => {
                    view.get::<ShareRequest>(&key).is_some_and(|case| case.state.is_open())
                }
                DeadlineKind::CatalogReview => view
                    .get::<CatalogEntry>(&key)
                    .is_some_and(|entry| entry.state == EntryState::ChangeSubmitted),
                DeadlineKind::Delivery => view
                    .get::<Grant>(&key)
                    .is_some_and(|grant| grant.state != GrantState::Terminated),
            };
            if !fits {
                self.violated(NAME, format!("{row:?}"));
            }
        }
    }

    fn due_rows_are_the_unfired_deadlines(&mut self) {
        const NAME: &str = "due_rows_are_the_unfired_deadlines";
        let expected: BTreeSet<Vec<u8>> = self
            .raw(Table::Deadline)
            .into_iter()
            .filter_map(|(key, bytes)| {
                let row: DeadlineRow = codec::decode(&bytes).expect("rows are ours");
                let waits = row.fired_revision != Some(row.revision);
                waits.then(|| keys::due(row.due_time, &Key::from_stored(key)).into_vec())
            })
            .collect();
        let found = self.keys(Table::Due);
        if expected != found {
            self.violated(NAME, format!("{} rows for {} deadlines", found.len(), expected.len()));
        }
    }

    /// A case that ended in an answer has it, and no other case has one.
    fn answered_case_is_complete(&mut self) {
        const NAME: &str = "answered_case_is_complete";
        for case in self.rows::<ShareRequest>(Table::Request) {
            let fits = match (case.state, case.answer.as_ref().map(|given| &given.answer)) {
                (ShareRequestState::Agreed, Some(Answer::Agreed)) => case.grant.is_some(),
                (ShareRequestState::AgreedInPart, Some(Answer::AgreedInPart { items, reason })) => {
                    case.grant.is_some() && !items.is_empty() && !reason.trim().is_empty()
                }
                (ShareRequestState::Refused, Some(Answer::Refused { reason, .. })) => {
                    case.grant.is_none() && !reason.trim().is_empty()
                }
                (
                    ShareRequestState::Submitted
                    | ShareRequestState::Forwarded
                    | ShareRequestState::CompletionAsked
                    | ShareRequestState::Withdrawn,
                    None,
                ) => case.grant.is_none(),
                _ => false,
            };
            let late = case.answer.as_ref().is_some_and(|given| given.late);
            let overdue = case.answer.as_ref().zip(case.answer_clock.as_ref());
            let was_late = overdue.is_some_and(|(given, clock)| clock.is_overdue(given.given_time));
            if !fits || late != was_late {
                self.violated(NAME, format!("{} is {:?}", requests::name(&case), case.state));
            }
        }
    }

    fn escalation_is_never_the_debtor(&mut self) {
        const NAME: &str = "escalation_is_never_the_debtor";
        for case in self.rows::<ShareRequest>(Table::Request) {
            let Some(mark) = &case.overdue else { continue };
            let owes = |id| mark.ordered.iter().any(|party| party.organization == id);
            if mark.escalated_party.as_ref().is_some_and(|party| owes(party.organization)) {
                self.violated(NAME, requests::name(&case).to_string());
            }
        }
    }

    /// Every grant comes from an answer that agreed, and to no more than the answer.
    fn grant_is_within_its_answer(&mut self) {
        const NAME: &str = "grant_is_within_its_answer";
        for grant in self.rows::<Grant>(Table::Grant) {
            let key = keys::of(&grant.request).expect("a grant's request is a request");
            let Some(case) = View(self.store).get::<ShareRequest>(&key) else {
                self.violated(NAME, format!("{} has no case", grant.id));
                continue;
            };
            let agreed = match case.answer.as_ref().map(|given| &given.answer) {
                Some(Answer::Agreed) => case.content.items.as_slice(),
                Some(Answer::AgreedInPart { items, .. }) => items,
                _ => &[],
            };
            let within = grant.items.iter().all(|item| agreed.contains(item));
            let bound = grant.consumer == case.requester
                && grant.scenario == case.content.scenario
                && case.granted == Some(grant.id);
            if !within || grant.items.is_empty() || !bound {
                self.violated(NAME, format!("{} of {}", grant.id, grant.request));
            }
        }
    }

    /// Nobody has a right to what the catalog does not share (SHR-03, CAT-30).
    fn live_grant_is_of_shared_items(&mut self) {
        const NAME: &str = "live_grant_is_of_shared_items";
        for grant in self.rows::<Grant>(Table::Grant) {
            let Resource::Entry(id) = grant.entry.resource else { continue };
            if grant.domain != self.domain || grant.state == GrantState::Terminated {
                continue;
            }
            let published = View(self.store).published_entry(&grant.entry.domain, id);
            let shared = published.is_some_and(|entry| {
                grant.items.iter().all(|item| {
                    sharing_of(&entry, item).is_some_and(|kind| kind != SharingKind::NotShared)
                })
            });
            if !shared {
                self.violated(NAME, grant.id.to_string());
            }
        }
    }

    fn published_row_is_of_listed_entry(&mut self) {
        const NAME: &str = "published_row_is_of_listed_entry";
        let published = self.rows::<CatalogEntry>(Table::PublishedEntry);
        let published: BTreeMap<EntryId, u64> = published
            .into_iter()
            .filter(|entry| entry.domain == self.domain)
            .map(|entry| (entry.id, entry.version))
            .collect();
        let listed: BTreeMap<EntryId, u64> = self
            .rows::<CatalogEntry>(Table::Entry)
            .into_iter()
            .filter(|entry| entry.state.is_listed())
            .map(|entry| (entry.id, entry.published_version))
            .collect();
        if published != listed {
            self.violated(NAME, format!("published {published:?}, listed {listed:?}"));
        }
    }

    fn indexes_name_their_rows(&mut self) {
        const NAME: &str = "indexes_name_their_rows";
        let mut expected = BTreeSet::new();
        for case in self.rows::<ShareRequest>(Table::Request) {
            for party in [case.requester.organization, case.provider.organization] {
                expected.insert(keys::request_by_party(party, &case.domain, case.id).into_vec());
            }
            if let Some(clock) = case.answer_clock.as_ref().filter(|_| case.state.is_open()) {
                let key = keys::request_by_due(clock.due_time, &case.domain, case.id);
                expected.insert(key.into_vec());
            }
        }
        for grant in self.rows::<Grant>(Table::Grant) {
            for party in [grant.provider.organization, grant.consumer.organization] {
                expected.insert(keys::grant_by_party(party, &grant.domain, grant.id).into_vec());
            }
            if let Resource::Entry(id) = grant.entry.resource {
                let entry = (&grant.entry.domain, id);
                expected.insert(keys::grant_by_entry(entry, &grant.domain, grant.id).into_vec());
            }
        }
        for entry in self.rows::<CatalogEntry>(Table::Entry) {
            let key = keys::entry_by_provider(&entry.domain, entry.provider, entry.id);
            expected.insert(key.into_vec());
        }
        for organization in self.rows::<Organization>(Table::Organization) {
            let domain = &organization.domain;
            expected.insert(keys::organization_name(domain, &organization.name).into_vec());
            let code = organization.credit_code.map(|code| keys::credit_code(code.as_str()));
            expected.extend(code.map(Key::into_vec));
        }
        let mut found = BTreeSet::new();
        for table in [
            Table::RequestByParty,
            Table::RequestByDue,
            Table::GrantByEntry,
            Table::GrantByParty,
            Table::EntryByProvider,
            Table::OrganizationName,
            Table::CreditCode,
        ] {
            found.extend(self.keys(table));
        }
        for missing in expected.difference(&found) {
            self.violated(NAME, format!("missing {missing:02x?}"));
        }
        for extra in found.difference(&expected) {
            // Whoever decides beside the provider, or hears of lateness, finds the case too.
            let names_case = extra[0] == Table::RequestByParty as u8 && {
                let (domain, id) = View::named_by_index(extra, 17);
                let id = RequestId::from_bytes(id);
                View(self.store).request(&domain, id).is_some()
            };
            if !names_case {
                self.violated(NAME, format!("names nothing {extra:02x?}"));
            }
        }
    }

    fn counters_count(&mut self) {
        const NAME: &str = "counters_count";
        let counters = View(self.store).counters();
        let entries = self.rows::<CatalogEntry>(Table::Entry);
        let cases = self.rows::<ShareRequest>(Table::Request);
        let owed: Vec<_> =
            cases.iter().filter(|case| requests::is_owed_here(case, &self.domain)).collect();
        let counted = (
            entries.iter().filter(|entry| entry.state.is_listed()).count() as u64,
            owed.len() as u64,
            owed.iter().filter(|case| case.overdue.is_some()).count() as u64,
        );
        let kept = (counters.listed_entries, counters.open_requests, counters.overdue_requests);
        if counted != kept {
            self.violated(NAME, format!("counted {counted:?}, kept {kept:?}"));
        }
    }

    /// Records are dense, their leaves are stored, and they hold texts only as digests of a
    /// payload beside (SEC-03).
    fn ledger_is_dense_and_proves(&mut self) {
        const NAME: &str = "ledger_is_dense_and_proves";
        let size = View(self.store).counters().ledger;
        let records = self.raw(Table::LedgerRecord);
        if records.len() as u64 != size || self.raw(Table::LedgerBySubject).len() as u64 != size {
            self.violated(NAME, format!("{} records for {size}", records.len()));
        }
        for (place, (_, bytes)) in records.into_iter().enumerate() {
            let place = place as u64;
            let record: LedgerRecord = codec::decode(&bytes).expect("rows are ours");
            let leaf = self.store.get(keys::ledger_node(0, place).as_slice());
            let payload: Option<Payload> = View(self.store).get(&keys::ledger_payload(place));
            let texts = payload.map_or_else(Vec::new, |payload| {
                payload
                    .texts
                    .iter()
                    .map(|(label, text)| text_digest(&payload.salt, label, text))
                    .collect::<Vec<_>>()
            });
            let digests: Vec<_> = record.digests.iter().map(|digest| digest.digest).collect();
            if record.sequence != place
                || leaf != Some(leaf_hash(&bytes).to_vec())
                || texts != digests
            {
                self.violated(NAME, format!("record {place}"));
            }
        }
    }

    /// Revisions are dense, the chain runs over stored bytes, and who follows a feed from its
    /// beginning holds what is published.
    fn feed_is_dense_and_chained(&mut self) {
        const NAME: &str = "feed_is_dense_and_chained";
        let counters = View(self.store).counters();
        let published: BTreeMap<EntryId, u64> = self
            .rows::<CatalogEntry>(Table::PublishedEntry)
            .into_iter()
            .filter(|entry| entry.domain == self.domain)
            .map(|entry| (entry.id, entry.version))
            .collect();
        for scope in [FeedScope::Full, FeedScope::Shared] {
            let prefix = Key::table(Table::Feed).byte(scope as u8);
            let mut revision = 0;
            let mut hash = [0; 32];
            let mut followed = BTreeMap::new();
            for (_, bytes) in self.store.range(prefix.as_slice(), &prefix.end()).collect::<Vec<_>>()
            {
                let record: FeedRecord = codec::decode(&bytes).expect("rows are ours");
                revision += 1;
                hash = feed::link(&hash, &bytes);
                if record.revision != revision {
                    self.violated(NAME, format!("{scope:?} has {} as {revision}", record.revision));
                }
                match record.now {
                    Some(entry) => followed.insert(record.entry, entry.version),
                    None => followed.remove(&record.entry),
                };
            }
            let head = feed::head_of(&counters, scope);
            if (head.revision, head.hash) != (revision, hash) || followed != published {
                self.violated(NAME, format!("{scope:?} at {revision}"));
            }
        }
    }

    fn outbox_is_for_others(&mut self) {
        const NAME: &str = "outbox_is_for_others";
        let last = View(self.store).counters().outbox;
        let own = Key::table(Table::Outbox).domain(&self.domain);
        let to_ourselves = self.store.range(own.as_slice(), &own.end()).count();
        let beyond = self.rows::<OutboxItem>(Table::Outbox).iter().any(|item| item.sequence > last);
        if to_ourselves > 0 || beyond {
            self.violated(NAME, format!("{to_ourselves} items to ourselves"));
        }
    }
}
