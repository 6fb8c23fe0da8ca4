//! What must be true of every store after every command, each as a check with a name.
//!
//! Scripts, property tests and simulations run all of them. A violation is a mistake of ours:
//! nothing that a caller sends may bring one about.

mod cases;
mod catalog;
mod drills;
mod grants;
mod law;
mod notices;
mod sites;

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
    time::UtcMillis,
};
use catalog_proofs::{
    against::Against,
    archive::{Chain, Segment},
};
use minicbor::Decode;

use crate::{
    apply::{catalog::sharing_of, requests},
    codec,
    command::{LEVEL, MemberChange},
    feed::{self, FeedRecord, FeedScope},
    keys::{self, Key, Table},
    ledger::{Fact, Ledger, LedgerRecord, Payload},
    outbox::OutboxItem,
    rows::proof::CosignatureRow,
    rows::{ClusterConfig, DeadlineRow, MemberChangeRow, MemberRole, OutageRow},
    store::{Row, Store, Writes},
    view::View,
};

// Relations and quality.
mod relations;

/// Above every key: tables are numbered far below.
const END: [u8; 1] = [0xff];

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its name, that of the function that checks it.
    pub invariant: &'static str,
    /// What was found.
    pub detail: String,
}

/// What earlier checks of the same store have found good and cannot change any more, so that a
/// check costs what the state is large, not what its history is long. A store that was replaced by a
/// copy is a new one and gets a new watch; one that lost its newest rows is noticed.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Ledger records.
    ledger: u64,
    /// Committed time of the last of them.
    ledger_time: UtcMillis,
    /// Both feeds.
    feeds: [Followed; 2],
}

/// A feed as somebody holds who has followed it from its beginning.
#[derive(Debug, Clone, Default)]
struct Followed {
    revision: u64,
    hash: [u8; 32],
    entries: BTreeMap<EntryId, u64>,
}

/// The rows that most checks read, decoded once.
#[derive(Default)]
struct Decoded {
    /// Whether these are all rows of the store, or only those that changed.
    whole: bool,
    cases: Vec<ShareRequest>,
    grants: Vec<Grant>,
    deadlines: Vec<DeadlineRow>,
    entries: Vec<CatalogEntry>,
    /// Own published entries and their versions.
    published: BTreeMap<EntryId, u64>,
}

/// A store under inspection.
struct Inspection<'a> {
    store: &'a dyn Store,
    domain: DomainId,
    decoded: &'a Decoded,
    found: Vec<Violation>,
}

/// Every violation in a store; none before bootstrap.
pub fn check(store: &dyn Store) -> Vec<Violation> {
    check_on(&mut Watch::default(), store)
}

/// As [`check`], without reading again what `watch` has seen of the ledger and the feeds.
pub fn check_on(watch: &mut Watch, store: &dyn Store) -> Vec<Violation> {
    let Some(ClusterConfig { domain, .. }) = View(store).cluster() else { return Vec::new() };
    let published = rows::<CatalogEntry>(store, Table::PublishedEntry)
        .filter(|entry| entry.domain == domain)
        .map(|entry| (entry.id, entry.version))
        .collect();
    let decoded = Decoded {
        whole: true,
        cases: rows(store, Table::Request).collect(),
        grants: rows(store, Table::Grant).collect(),
        deadlines: rows(store, Table::Deadline).collect(),
        entries: rows(store, Table::Entry).collect(),
        published,
    };
    let mut inspection = Inspection { store, domain, decoded: &decoded, found: Vec::new() };
    inspection.each_row_keeps_its_rules(watch);
    inspection.due_rows_are_the_unfired_deadlines();
    inspection.published_row_is_of_listed_entry();
    inspection.indexes_name_their_rows();
    inspection.counters_count();
    inspection.outbox_is_for_others();
    inspection.call_records_stand_in_order();
    inspection.members_fit_their_history();
    inspection.outages_are_on_record();
    inspection.found.extend(catalog::published_versions_are_unbroken(store));
    inspection.found.extend(catalog::suspended_entries_are_not_listed(store));
    inspection.the_law_fits_its_rows();
    inspection.relations_keep_their_rules();
    inspection.proofs_fit_the_ledger();
    inspection.notices_are_of_the_ledger();
    inspection.sites_keep_their_rules();
    inspection.drills_keep_to_themselves();
    inspection.found
}

/// What can be checked of `writes` alone, which are in `store` already: for after every command.
/// Rows are held against each other only by [`check_on`].
pub fn check_changes(watch: &mut Watch, store: &dyn Store, writes: &Writes) -> Vec<Violation> {
    let Some(ClusterConfig { domain, .. }) = View(store).cluster() else { return Vec::new() };
    let decoded = Decoded {
        cases: written(writes, Table::Request),
        grants: written(writes, Table::Grant),
        deadlines: written(writes, Table::Deadline),
        ..Decoded::default()
    };
    let mut inspection = Inspection { store, domain, decoded: &decoded, found: Vec::new() };
    inspection.each_row_keeps_its_rules(watch);
    inspection.nothing_of_the_ledger_goes(writes);
    let of_members =
        [keys::meta::level(), keys::meta::members()].map(|key| writes.contains_key(key.as_slice()));
    if of_members.contains(&true) {
        inspection.members_fit_their_history();
    }
    inspection.found
}

fn written<T: for<'b> Decode<'b, ()>>(writes: &Writes, table: Table) -> Vec<T> {
    let prefix = Key::table(table);
    writes
        .range(prefix.as_slice().to_vec()..prefix.end())
        .filter_map(|(_, bytes)| bytes.as_ref())
        .map(|bytes| codec::decode(bytes).expect("rows are ours"))
        .collect()
}

/// The first rows in which two stores differ that have applied the same log. Their hashes tell of
/// what was written; only this tells of what a copy was made without.
pub fn copies_differ(one: &dyn Store, other: &dyn Store) -> Vec<Violation> {
    let (mut ones, mut others) = (one.range(&[], &END), other.range(&[], &END));
    loop {
        let (left, right) = (ones.next(), others.next());
        if left == right {
            if left.is_none() {
                return Vec::new();
            }
            continue;
        }
        let key = |row: Option<Row>| row.map_or_else(String::new, |(key, _)| format!("{key:02x?}"));
        let detail = format!("one has {}, the other {}", key(left), key(right));
        return vec![Violation { invariant: "copies_hold_the_same", detail }];
    }
}

/// The rows below a prefix, of a table that holds an index too.
fn rows_below<T: for<'b> Decode<'b, ()>>(store: &dyn Store, prefix: &Key) -> Vec<T> {
    store
        .range(prefix.as_slice(), &prefix.end())
        .map(|(_, bytes)| codec::decode(&bytes).expect("rows are ours"))
        .collect()
}

fn rows<'a, T: for<'b> Decode<'b, ()>>(
    store: &'a dyn Store,
    table: Table,
) -> impl Iterator<Item = T> + 'a {
    let prefix = Key::table(table);
    store
        .range(prefix.as_slice(), &prefix.end())
        .map(|(_, bytes)| codec::decode(&bytes).expect("rows are ours"))
}

impl Inspection<'_> {
    fn violated(&mut self, invariant: &'static str, detail: String) {
        self.found.push(Violation { invariant, detail });
    }

    /// What holds of a row and the rows that it names, and of histories that only grow.
    fn each_row_keeps_its_rules(&mut self, watch: &mut Watch) {
        let counters = View(self.store).counters();
        let heads = [&counters.feed_full, &counters.feed_shared];
        let shorter =
            watch.feeds.iter().zip(heads).any(|(seen, head)| head.revision < seen.revision);
        if counters.ledger < watch.ledger || shorter {
            // A store that lost what it had not yet made durable: its history is read again.
            *watch = Watch::default();
        }
        self.running_clock_has_deadline();
        self.deadline_has_subject();
        self.nothing_fires_early();
        self.answered_case_is_complete();
        self.escalation_is_never_the_debtor();
        self.case_files_keep_their_rules();
        self.grant_is_within_its_answer();
        self.live_grant_is_of_shared_items();
        self.course_of_each_grant();
        self.ledger_is_dense_and_proves(watch);
        self.feed_is_dense_and_chained(watch);
    }

    fn raw(&self, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
        let prefix = Key::table(table);
        self.store.range(prefix.as_slice(), &prefix.end()).collect()
    }

    fn rows<T: for<'b> Decode<'b, ()>>(&self, table: Table) -> Vec<T> {
        rows(self.store, table).collect()
    }

    fn keys(&self, table: Table) -> BTreeSet<Vec<u8>> {
        self.raw(table).into_iter().map(|(key, _)| key).collect()
    }

    /// An answer is owed and its clock runs ⇔ there is a deadline, at the clock's due instant.
    fn running_clock_has_deadline(&mut self) {
        const NAME: &str = "running_clock_has_deadline";
        for case in &self.decoded.cases {
            let name = requests::name(case);
            let row = View(self.store).deadline(DeadlineKind::Answer, &name);
            let owed = requests::is_owed_here(case, &self.domain) && requests::clock_runs(case);
            let due = case.answer_clock.as_ref().filter(|_| owed).map(|clock| clock.due_time);
            if row.as_ref().map(|row| row.due_time) != due {
                self.violated(NAME, format!("{name} is due {due:?}, its deadline says {row:?}"));
            }
        }
    }

    /// A deadline belongs to something that can still be late.
    fn deadline_has_subject(&mut self) {
        const NAME: &str = "deadline_has_subject";
        for row in &self.decoded.deadlines {
            let key = keys::of(&row.subject).expect("deadlines belong to rows");
            let view = View(self.store);
            let fits = match row.kind {
                DeadlineKind::Answer => {
                    view.get::<ShareRequest>(&key).is_some_and(|case| case.state.is_open())
                }
                DeadlineKind::Delivery => {
                    view.get::<Grant>(&key).is_some_and(|grant| !grant.state.has_ended())
                }
                DeadlineKind::Rectification => view
                    .get::<Grant>(&key)
                    .is_some_and(|grant| grant.state == GrantState::Suspended),
                // A suspended entry that is handed in is an update too.
                DeadlineKind::CatalogReview => {
                    view.get::<CatalogEntry>(&key).is_some_and(|entry| {
                        matches!(entry.state, EntryState::ChangeSubmitted | EntryState::Submitted)
                    })
                }
                DeadlineKind::CatalogUpdate
                | DeadlineKind::AttributeReview
                | DeadlineKind::Reclassification => catalog::has_duty(view, row),
                DeadlineKind::Opinion | DeadlineKind::Warning => {
                    view.get::<ShareRequest>(&key).is_some_and(|case| case.state.is_open())
                }
                DeadlineKind::CompletionLapse => view
                    .get::<ShareRequest>(&key)
                    .is_some_and(|case| case.state == ShareRequestState::CompletionAsked),
                DeadlineKind::ReasonHearing => {
                    view.get::<ShareRequest>(&key).is_some_and(|case| case.overdue.is_some())
                }
                DeadlineKind::Hop => view
                    .get::<ShareRequest>(&key)
                    .is_some_and(|case| case.state == ShareRequestState::Forwarded),
                // Relations and quality.
                DeadlineKind::ErrorReport
                | DeadlineKind::ReportSilence
                | DeadlineKind::PersonalObjection
                | DeadlineKind::FunctionTransfer
                | DeadlineKind::EmergencyTreatment => relations::is_owed(view, row),
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

    /// What has fired was due; what fires once is not due again.
    fn nothing_fires_early(&mut self) {
        const NAME: &str = "nothing_fires_early";
        let clock = View(self.store).clock();
        for row in &self.decoded.deadlines {
            if row.fired_revision == Some(row.revision) && row.due_time > clock {
                self.violated(NAME, format!("{row:?} at {clock}"));
            }
        }
        for case in &self.decoded.cases {
            if case.overdue.as_ref().is_some_and(|mark| mark.due_time > clock) {
                self.violated(NAME, format!("{} is overdue at {clock}", requests::name(case)));
            }
        }
    }

    /// A case that ended in an answer has it, and no other case has one.
    fn answered_case_is_complete(&mut self) {
        const NAME: &str = "answered_case_is_complete";
        for case in &self.decoded.cases {
            let part = self.may_have_part(case);
            let fits = match (case.state, case.answer.as_ref().map(|given| &given.answer)) {
                (ShareRequestState::Agreed, Some(Answer::Agreed)) => case.grant.is_some(),
                (ShareRequestState::AgreedInPart, Some(Answer::AgreedInPart { items, reason })) => {
                    case.grant.is_some() && !items.is_empty() && !reason.trim().is_empty()
                }
                (ShareRequestState::Refused, Some(Answer::Refused { reason, .. })) => {
                    (case.grant.is_none() || part) && !reason.trim().is_empty()
                }
                (
                    ShareRequestState::Submitted
                    | ShareRequestState::Forwarded
                    | ShareRequestState::CompletionAsked
                    | ShareRequestState::Withdrawn
                    | ShareRequestState::NotCompleted,
                    None,
                ) => case.grant.is_none() || part,
                _ => false,
            };
            let late = case.answer.as_ref().is_some_and(|given| given.late);
            let overdue = case.answer.as_ref().zip(case.answer_clock.as_ref());
            let was_late = overdue.is_some_and(|(given, clock)| clock.is_overdue(given.given_time));
            if !fits || late != was_late {
                self.violated(NAME, format!("{} is {:?}", requests::name(case), case.state));
            }
        }
    }

    fn escalation_is_never_the_debtor(&mut self) {
        const NAME: &str = "escalation_is_never_the_debtor";
        for case in &self.decoded.cases {
            let Some(mark) = &case.overdue else { continue };
            let owes = |id| mark.ordered.iter().any(|party| party.organization == id);
            if mark.escalated_party.as_ref().is_some_and(|party| owes(party.organization)) {
                self.violated(NAME, requests::name(case).to_string());
            }
        }
    }

    /// Every grant comes from an answer that agreed, and to no more than the answer.
    fn grant_is_within_its_answer(&mut self) {
        const NAME: &str = "grant_is_within_its_answer";
        for grant in &self.decoded.grants {
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
            let part = self.part_of(&case, grant);
            let within = part || grant.items.iter().all(|item| agreed.contains(item));
            let bound = grant.consumer == case.requester
                && grant.scenario == case.content.scenario
                && (part || case.granted == Some(grant.id));
            if !within || grant.items.is_empty() || !bound {
                self.violated(NAME, format!("{} of {}", grant.id, grant.request));
            }
        }
    }

    /// Whether a part of what the case asks may have been granted at once. Only the owner's domain
    /// knows for sure.
    fn may_have_part(&self, case: &ShareRequest) -> bool {
        let file = View(self.store).case_file(&requests::name(case));
        case.owner_domain != self.domain || file.is_some_and(|file| file.at_once.is_some())
    }

    /// Whether a grant is the part of its case that was granted at once.
    fn part_of(&self, case: &ShareRequest, grant: &Grant) -> bool {
        let asked = grant.items.iter().all(|item| case.content.items.contains(item));
        if case.owner_domain != self.domain {
            return asked && grant.domain == case.owner_domain;
        }
        let file = View(self.store).case_file(&requests::name(case));
        let part = file.and_then(|file| file.at_once);
        part.is_some_and(|part| {
            part.grant.resource == Resource::Grant(grant.id) && part.items == grant.items
        })
    }

    /// Nobody has a right to what the catalog does not share (SHR-03, CAT-30).
    fn live_grant_is_of_shared_items(&mut self) {
        const NAME: &str = "live_grant_is_of_shared_items";
        for grant in &self.decoded.grants {
            let Resource::Entry(id) = grant.entry.resource else { continue };
            let passed = grant.term.to < View(self.store).clock().local_date();
            let over = grant.state.has_ended() || grant.is_stopped() || passed;
            if grant.domain != self.domain || over {
                continue;
            }
            if catalog::is_suspended(View(self.store), &grant.entry.domain, id) {
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
        let published = &self.decoded.published;
        let listed: BTreeMap<EntryId, u64> = self
            .decoded
            .entries
            .iter()
            .filter(|entry| entry.state.is_listed())
            .map(|entry| (entry.id, entry.published_version))
            .collect();
        if *published != listed {
            self.violated(NAME, format!("published {published:?}, listed {listed:?}"));
        }
    }

    fn indexes_name_their_rows(&mut self) {
        const NAME: &str = "indexes_name_their_rows";
        let mut expected = BTreeSet::new();
        for case in &self.decoded.cases {
            for party in [case.requester.organization, case.provider.organization] {
                expected.insert(keys::request_by_party(party, &case.domain, case.id).into_vec());
            }
            if let Some(clock) = case.answer_clock.as_ref().filter(|_| case.state.is_open()) {
                let key = keys::request_by_due(clock.due_time, &case.domain, case.id);
                expected.insert(key.into_vec());
            }
        }
        for grant in &self.decoded.grants {
            for party in [grant.provider.organization, grant.consumer.organization] {
                expected.insert(keys::grant_by_party(party, &grant.domain, grant.id).into_vec());
            }
            if let Resource::Entry(id) = grant.entry.resource {
                let entry = (&grant.entry.domain, id);
                expected.insert(keys::grant_by_entry(entry, &grant.domain, grant.id).into_vec());
            }
        }
        for entry in &self.decoded.entries {
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
        let Decoded { entries, cases, .. } = self.decoded;
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

    /// Records are dense and in the order of time, every complete subtree over them is stored, and
    /// they hold texts only as digests of a payload beside (SEC-03).
    fn ledger_is_dense_and_proves(&mut self, watch: &mut Watch) {
        const NAME: &str = "ledger_is_dense_and_proves";
        let view = View(self.store);
        let suite = Ledger(self.store).suite();
        let size = view.counters().ledger;
        let beyond = keys::ledger_record(size);
        let last = Key::table(Table::LedgerRecord).end();
        if self.store.range(beyond.as_slice(), &last).next().is_some() {
            self.violated(NAME, format!("there is a record at or beyond {size}"));
        }
        let subjects = Key::table(Table::LedgerBySubject);
        if watch.ledger == 0 {
            let named = self.store.range(subjects.as_slice(), &subjects.end()).count() as u64;
            if named != size {
                self.violated(NAME, format!("{size} records, {named} of them by subject"));
            }
        }
        for place in watch.ledger..size {
            let Some(bytes) = self.store.get(keys::ledger_record(place).as_slice()) else {
                self.violated(NAME, format!("record {place} is missing"));
                continue;
            };
            let record: LedgerRecord = codec::decode(&bytes).expect("rows are ours");
            let payload: Option<Payload> = view.get(&keys::ledger_payload(place));
            let digests: Vec<_> = record.digests.iter().map(|digest| digest.digest).collect();
            let texts = match payload {
                Some(payload) => {
                    let texts = payload.texts.iter();
                    texts
                        .map(|(label, text)| suite.text_digest(&payload.salt, label, text))
                        .collect()
                }
                None if view.payload_gone(place).is_some() => digests.clone(),
                None => Vec::new(),
            };
            let by_subject = keys::ledger_by_subject(&record.subject.to_string(), place);
            if record.sequence != place
                || texts != digests
                || self.store.get(by_subject.as_slice()).is_none()
                || !self.subtrees_are_stored(place, &bytes)
            {
                self.violated(NAME, format!("record {place}"));
            }
            if record.time < watch.ledger_time {
                self.violated(NAME, format!("record {place} is older than the one before"));
            }
            watch.ledger_time = record.time;
        }
        if view.clock() < watch.ledger_time {
            self.violated(NAME, "the newest record is of the future".to_owned());
        }
        watch.ledger = size;
    }

    /// Whether the hashes of the leaf at `place` and of every subtree that it completes are stored.
    fn subtrees_are_stored(&self, place: u64, record: &[u8]) -> bool {
        let suite = Ledger(self.store).suite();
        let node = |level, position| self.store.get(keys::ledger_node(level, position).as_slice());
        let (mut level, mut position, mut hash) = (0, place, suite.leaf_hash(record));
        loop {
            if node(level, position).as_deref() != Some(hash.as_slice()) {
                return false;
            }
            if position % 2 == 0 {
                return true;
            }
            let left = node(level, position - 1).and_then(|left| left.try_into().ok());
            let Some(left) = left else { return false };
            hash = suite.node_hash(&left, &hash);
            (level, position) = (level + 1, position / 2);
        }
    }

    /// No command takes back a record or a hash of the tree (must-refuse 30).
    fn nothing_of_the_ledger_goes(&mut self, writes: &Writes) {
        const NAME: &str = "nothing_of_the_ledger_goes";
        for table in [Table::LedgerRecord, Table::LedgerNode, Table::LedgerBySubject] {
            let prefix = Key::table(table);
            let mut rows = writes.range(prefix.as_slice().to_vec()..prefix.end());
            if rows.any(|(_, value)| value.is_none()) {
                self.violated(NAME, format!("{table:?}"));
            }
        }
    }

    /// Sealed segments follow each other without a gap, cosignatures are on heads that we still
    /// have, and nothing of the ledger but payloads ever goes (must-refuse 30, FED-15).
    fn proofs_fit_the_ledger(&mut self) {
        const NAME: &str = "proofs_fit_the_ledger";
        let ledger = Ledger(self.store);
        let mut chain = Chain::new();
        for segment in self.rows::<Segment>(Table::Segment) {
            let roots = (ledger.root(segment.from), ledger.root(segment.through));
            let fits = chain.next(&segment);
            if fits.is_err() || roots != (Some(segment.root_before), Some(segment.root)) {
                self.violated(NAME, format!("segment {}: {fits:?}", segment.number));
            }
        }
        for cosignature in self.rows::<CosignatureRow>(Table::Cosignature) {
            let verdict = ledger.verify_against(&cosignature.cosignature.head);
            if !matches!(verdict, Against::Extends { .. }) {
                self.violated(NAME, format!("{}: {verdict:?}", cosignature.cosignature.cosigner));
            }
        }
    }

    /// Revisions are dense, the chain runs over stored bytes, and who follows a feed from its
    /// beginning holds what is published.
    fn feed_is_dense_and_chained(&mut self, watch: &mut Watch) {
        const NAME: &str = "feed_is_dense_and_chained";
        let counters = View(self.store).counters();
        for (scope, seen) in [FeedScope::Full, FeedScope::Shared].into_iter().zip(&mut watch.feeds)
        {
            let from = keys::feed(scope, seen.revision + 1);
            let end = Key::table(Table::Feed).byte(scope as u8).end();
            for (_, bytes) in self.store.range(from.as_slice(), &end) {
                let record: FeedRecord = codec::decode(&bytes).expect("rows are ours");
                seen.revision += 1;
                seen.hash = feed::link(&seen.hash, &bytes);
                if record.revision != seen.revision {
                    let (found, wanted) = (record.revision, seen.revision);
                    self.violated(NAME, format!("{scope:?} has {found} as {wanted}"));
                }
                match record.now {
                    Some(entry) => seen.entries.insert(record.entry, entry.version),
                    None => seen.entries.remove(&record.entry),
                };
            }
            let head = feed::head_of(&counters, scope);
            let at_head = (head.revision, head.hash) == (seen.revision, seen.hash);
            let holds = !self.decoded.whole || seen.entries == self.decoded.published;
            if !at_head || !holds {
                self.violated(NAME, format!("{scope:?} at {}", seen.revision));
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

    /// What is kept of a call can be found by age, so that it goes some day.
    fn call_records_stand_in_order(&mut self) {
        const NAME: &str = "call_records_stand_in_order";
        let order = self.raw(Table::IdempotencyOrder);
        let named: BTreeSet<Vec<u8>> = order.into_iter().map(|(_, key)| key).collect();
        for key in self.keys(Table::Idempotency).difference(&named) {
            self.violated(NAME, format!("{key:02x?}"));
        }
    }

    /// The list of members keeps its rules and is what its last change made it; below level 2 there
    /// is none.
    fn members_fit_their_history(&mut self) {
        const NAME: &str = "members_fit_their_history";
        let view = View(self.store);
        let (level, members) = (view.level(), view.members());
        let history: Vec<MemberChangeRow> = self.rows(Table::MemberChange);
        if level == 0 || level > LEVEL || (level < 2 && (members.is_some() || !history.is_empty()))
        {
            self.violated(NAME, format!("level {level}"));
        }
        let Some(now) = members else {
            if !history.is_empty() {
                self.violated(NAME, "a history without members".to_owned());
            }
            return;
        };
        let ids: Vec<u64> = now.members.iter().map(|member| member.id).collect();
        let addresses: BTreeSet<&str> =
            now.members.iter().map(|member| member.address.as_str()).collect();
        let leaving = now.members.iter().any(|member| member.role == MemberRole::Leaving);
        let keeps_rules = ids.is_sorted_by(|a, b| a < b)
            && now.used_ids.is_sorted_by(|a, b| a < b)
            && ids.iter().all(|id| now.used_ids.binary_search(id).is_ok())
            && addresses.len() == ids.len()
            && !now.voters().is_empty()
            && (now.joint || !leaving);
        let dense = (1..).zip(&history).all(|(version, row)| row.version == version);
        let last = history.last();
        let made = last.is_none_or(|row| {
            row.voters == now.voters()
                && row.learners == now.learners()
                && now.joint == (row.change != MemberChange::Finish)
        });
        // An id that came back would be among those that a change before had taken out.
        let (mut gone, mut before) = (BTreeSet::<u64>::new(), BTreeSet::<u64>::new());
        for row in &history {
            let after: BTreeSet<u64> = row.voters.iter().chain(&row.learners).copied().collect();
            gone.extend(before.difference(&after));
            for id in after.intersection(&gone) {
                self.violated(NAME, format!("node {id} came back with v{}", row.version));
            }
            before = after;
        }
        if !keeps_rules || !dense || !made || history.len() as u64 != now.version {
            self.violated(NAME, format!("{now:?} after {last:?}"));
        }
    }

    /// An outage has its record in the ledger, and says the same as that.
    fn outages_are_on_record(&mut self) {
        const NAME: &str = "outages_are_on_record";
        for row in self.rows::<OutageRow>(Table::Outage) {
            let record = Ledger(self.store).record(row.record);
            let OutageRow { node, kind, from, until, .. } = row;
            let fact = Fact::OutageRecorded { node, kind, from, until };
            if record.is_none_or(|record| record.fact != fact) || from > until {
                self.violated(NAME, format!("{row:?}"));
            }
        }
    }
}
