//! The index against the plain way, which looks at everything.

use std::sync::Arc;

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryContent, EntryOrigin, EntryState},
    deadline::DeadlineKind,
    demand::{Demand, DemandState},
    entry_file::WorklistItem,
    function_transfer::{FunctionTransfer, TransferState},
    ids::{DemandId, EntryId, OrganizationId, TransferId},
    name::{Resource, ResourceName},
    organization::{DataKind, PlatformRole},
    reason::Reason,
    rule::Rank,
    share_request::Party,
    sharing::{LegalCitation, SharingKind},
};
use catalog_state::{
    keys::{self, relations},
    rows::{ClusterConfig, DeadlineRow, DomainKind},
    work::WorkKind,
};
use tempfile::TempDir;

use super::*;
use crate::storage::folders::Folders;

struct Desk {
    _folder: TempDir,
    store: Arc<StateStore>,
    places: KnownPlaces,
    applied: u64,
    /// As a node that starts anew before each write.
    forgetful: bool,
}

fn organization(number: u8) -> OrganizationId {
    OrganizationId::from_bytes([number; 16])
}

fn domain() -> catalog_model::ids::DomainId {
    "xiamen".parse().unwrap()
}

fn own(number: u8) -> WorkOwner {
    WorkOwner::Organization(domain(), organization(number))
}

/// The authority of these tests.
const AUTHORITY: WorkOwner = WorkOwner::Role(PlatformRole::Authority);

fn cluster() -> (Vec<u8>, Option<Vec<u8>>) {
    let config = ClusterConfig {
        cluster_id: [1; 16],
        generation: 1,
        domain: domain(),
        kind: DomainKind::City,
        display_name: "厦门".to_owned(),
        development_clock: true,
        composition: "xiamen-today".to_owned(),
        page_token_key: [2; 32],
        hash_suite: None,
    };
    (keys::meta::cluster().into_vec(), Some(codec::encode(&config)))
}

/// A demand that waits for `owner` since `since`; nobody has the next move on one that is closed.
fn demand(id: u8, owner: Option<u8>, since: u64) -> (Vec<u8>, Option<Vec<u8>>) {
    let party = |number| Party {
        domain: domain(),
        organization: organization(number),
        name: format!("organization {number}"),
        class: None,
    };
    let id = DemandId::from_bytes([id; 16]);
    let state = if owner.is_some() { DemandState::Routed } else { DemandState::Closed };
    let demand = Demand {
        id,
        domain: domain(),
        requester: party(9),
        title: "充电桩".to_owned(),
        text: String::new(),
        state,
        owner: owner.map(party),
        provider: None,
        entry: None,
        notes: vec![],
        version: 1,
        created_time: UtcMillis(0),
        updated_time: UtcMillis(since),
    };
    (keys::demand(&domain(), id).into_vec(), Some(codec::encode(&demand)))
}

/// A transfer with the authority, and the deadline by which it speaks.
fn transfer(id: u8, due: u64) -> [(Vec<u8>, Option<Vec<u8>>); 2] {
    let id = TransferId::from_bytes([id; 16]);
    let transfer = FunctionTransfer {
        id,
        domain: domain(),
        from: organization(1),
        to: organization(2),
        act: LegalCitation {
            title: "三定规定".to_owned(),
            article: String::new(),
            rank: Rank::NormativeDocument,
            quote: String::new(),
        },
        change_date: "2026-09-01".parse().unwrap(),
        entries: vec![],
        moved: 0,
        cosigned: true,
        state: TransferState::Filed,
        return_reason: String::new(),
        rule: None,
        version: 1,
        created_time: UtcMillis(0),
        updated_time: UtcMillis(0),
    };
    let subject = ResourceName::new(domain(), Resource::FunctionTransfer(id));
    let kind = DeadlineKind::FunctionTransfer;
    let row = DeadlineRow {
        subject: subject.clone(),
        kind,
        due_time: UtcMillis(due),
        revision: 0,
        fired_revision: None,
        count: None,
    };
    [
        (relations::transfer(&domain(), id).into_vec(), Some(codec::encode(&transfer))),
        (keys::deadline(kind, &subject).into_vec(), Some(codec::encode(&row))),
    ]
}

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store =
            Arc::new(StateStore::open(&Folders::new(folder.path()), 0, Arc::default()).unwrap());
        open(&store);
        let places = KnownPlaces::default();
        let mut desk = Self { _folder: folder, store, places, applied: 0, forgetful: false };
        desk.write([cluster()]);
        desk
    }

    fn write(&mut self, rows: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>) {
        self.applied += 1;
        let writes: Writes = rows.into_iter().collect();
        if self.forgetful {
            self.places = KnownPlaces::default();
        }
        let index = follow(&self.store, &mut self.places, &*self.store, &writes, self.applied);
        self.store.commit(writes, index, self.applied, None);
    }

    /// Pages of `size`, one after the other.
    fn listed(&self, owners: &[WorkOwner], until: Option<u64>, size: usize) -> Vec<WorkItem> {
        let view = self.store.view();
        let (mut items, mut from) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let question = Question {
                owners,
                until: until.map(UtcMillis),
                from: from.as_deref(),
                limit: size,
                scan: 3,
            };
            let found = list(&view, &question, |_| true);
            items.extend(found.items);
            from = found.next;
            if from.is_none() {
                return items;
            }
        }
    }

    /// The index says what everything that is looked at says, in pages of any size.
    #[track_caller]
    fn check(&self, owner: &WorkOwner, expected: usize) {
        let plain = View(&self.store.view()).work_list(owner);
        assert_eq!(plain.len(), expected, "{plain:?}");
        for size in [1, 2, 50] {
            assert_eq!(self.listed(std::slice::from_ref(owner), None, size), plain);
        }
    }
}

#[test]
fn a_list_follows_every_write() {
    for forgetful in [false, true] {
        follow_every_write(Desk { forgetful, ..Desk::new() });
    }
}

fn follow_every_write(mut desk: Desk) {
    desk.write([demand(1, Some(1), 30), demand(2, Some(1), 10), demand(3, Some(2), 20)]);
    desk.check(&own(1), 2);
    desk.check(&own(2), 1);
    let subjects: Vec<_> =
        desk.listed(&[own(1)], None, 9).into_iter().map(|item| item.since.0).collect();
    assert_eq!(subjects, [10, 30], "the oldest first");

    // It goes to another, moves in time, ends: each time it is in one place.
    desk.write([demand(1, Some(2), 40)]);
    desk.check(&own(1), 1);
    desk.check(&own(2), 2);
    desk.write([demand(3, Some(2), 50)]);
    desk.check(&own(2), 2);
    desk.write([demand(2, None, 60), demand(1, None, 60)]);
    desk.check(&own(1), 0);
    desk.check(&own(2), 1);
}

#[test]
fn a_deadline_that_moves_moves_the_work() {
    let mut desk = Desk::new();
    desk.write(transfer(1, 5_000));
    desk.write(transfer(2, 7_000));
    desk.check(&AUTHORITY, 2);
    let [_, moved] = transfer(1, 9_000);
    // The deadline's row alone, as when a calendar is counted again.
    desk.write([moved]);
    desk.check(&AUTHORITY, 2);
    let dues = |items: Vec<WorkItem>| -> Vec<u64> {
        items.into_iter().filter_map(|item| item.due).map(|due| due.0).collect()
    };
    assert_eq!(dues(desk.listed(&[AUTHORITY], None, 1)), [7_000, 9_000]);
    assert_eq!(dues(desk.listed(&[AUTHORITY], Some(8_000), 9)), [7_000]);
    let items = desk.listed(&[AUTHORITY], None, 9);
    assert!(items.iter().all(|item| item.kind == WorkKind::TransferApproval));
}

#[test]
fn work_in_two_capacities_is_one_list() {
    let mut desk = Desk::new();
    desk.write([demand(1, Some(1), 30), demand(2, Some(1), 10)]);
    desk.write(transfer(3, 5_000));
    let both = [own(1), AUTHORITY];
    for size in [1, 2, 50] {
        let kinds: Vec<_> =
            desk.listed(&both, None, size).into_iter().map(|item| item.kind).collect();
        assert_eq!(kinds, [WorkKind::TransferApproval, WorkKind::Demand, WorkKind::Demand]);
    }
}

#[test]
fn an_index_that_is_not_the_states_is_made_again() {
    let mut desk = Desk::new();
    desk.write([demand(1, Some(1), 30), demand(2, Some(1), 10)]);
    desk.write(transfer(3, 5_000));
    let before = desk.listed(&[own(1), AUTHORITY], None, 9);
    assert_eq!(before.len(), 3);
    // Rows that came without their index, as by a snapshot.
    let writes = Writes::from([demand(4, Some(1), 40)]);
    desk.store.commit(writes, Writes::new(), desk.applied + 1, None);
    assert_eq!(desk.listed(&[own(1), AUTHORITY], None, 9), before);
    open(&desk.store);
    desk.check(&own(1), 3);
    desk.check(&AUTHORITY, 1);
}

/// An entry of the first organization in its own row.
fn entry(id: u8, state: EntryState, version: u64) -> (Vec<u8>, Option<Vec<u8>>) {
    let entry = CatalogEntry {
        id: EntryId::from_bytes([id; 16]),
        domain: domain(),
        provider: organization(1),
        provider_name: "住房局".to_owned(),
        kind: DataKind::GovernmentData,
        state,
        origin: EntryOrigin::Registered,
        content: EntryContent::default(),
        version,
        published_version: 0,
        return_reason: String::new(),
        created_time: UtcMillis(0),
        updated_time: UtcMillis(version),
        published_time: None,
        provider_class: None,
    };
    (keys::entry(&domain(), entry.id).into_vec(), Some(codec::encode(&entry)))
}

/// That the entry is to be classified anew.
fn listed(id: u8) -> (Vec<u8>, Option<Vec<u8>>) {
    let entry = EntryId::from_bytes([id; 16]);
    let item = WorklistItem {
        entry,
        provider: organization(1),
        title: "公租房".to_owned(),
        sharing: SharingKind::Conditional,
        reason: Reason::NoRuleInForce,
        rule: None,
        pass: 1,
        rule_pack_version: 1,
        listed_time: UtcMillis(40),
        clock: None,
        overdue: false,
        outcome: None,
        closed_time: None,
    };
    (keys::worklist(&domain(), entry).into_vec(), Some(codec::encode(&item)))
}

#[test]
fn an_entry_that_owes_nothing_is_looked_at_again_when_it_may() {
    let gone = |(key, _): (Vec<u8>, Option<Vec<u8>>)| (key, None);
    for forgetful in [false, true] {
        let mut desk = Desk { forgetful, ..Desk::new() };
        desk.write([entry(1, EntryState::Draft, 1), entry(2, EntryState::Draft, 1)]);
        desk.write([entry(1, EntryState::Draft, 2)]);
        assert_eq!(desk.places.settled.len(), if forgetful { 1 } else { 2 });
        desk.check(&own(1), 0);

        // Handed in, returned, handed in and published: reviewed as long as it lies there.
        desk.write([entry(1, EntryState::Submitted, 3)]);
        desk.check(&AUTHORITY, 1);
        desk.write([entry(1, EntryState::Draft, 4)]);
        desk.check(&AUTHORITY, 0);
        desk.write([entry(1, EntryState::Draft, 5)]);
        desk.write([entry(1, EntryState::ChangeSubmitted, 6), entry(2, EntryState::Draft, 2)]);
        desk.check(&AUTHORITY, 1);
        desk.write([entry(1, EntryState::Published, 7)]);
        desk.check(&AUTHORITY, 0);

        // Put on file alone, changed meanwhile, taken off, changed, put on file with a change.
        desk.write([listed(1)]);
        desk.check(&own(1), 1);
        desk.write([entry(1, EntryState::ChangePending, 8)]);
        desk.check(&own(1), 1);
        desk.write([gone(listed(1))]);
        desk.check(&own(1), 0);
        desk.write([entry(1, EntryState::ChangePending, 9)]);
        desk.write([listed(1), entry(1, EntryState::ChangePending, 10)]);
        desk.check(&own(1), 1);
        desk.write([gone(listed(1)), gone(entry(1, EntryState::Draft, 0))]);
        desk.check(&own(1), 0);
        desk.write([entry(1, EntryState::Submitted, 1), listed(1)]);
        desk.check(&own(1), 1);
        desk.check(&AUTHORITY, 1);
    }
}
