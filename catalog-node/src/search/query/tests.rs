use std::sync::Arc;

use catalog_model::{
    catalog_entry::{CatalogEntry, DataItem, EntryContent, EntryOrigin, EntryState, ItemType},
    ids::{EntryId, OrganizationId},
    organization::DataKind,
    sharing::SharingAttribute,
    time::UtcMillis,
};
use catalog_state::{keys, store::Writes};
use tempfile::TempDir;

use super::*;
use crate::{
    search::{KnownCounts, follow, open},
    storage::{StateStore, folders::Folders},
};

struct Catalog {
    _folder: TempDir,
    store: Arc<StateStore>,
    counts: KnownCounts,
    applied: u64,
}

fn id(number: u8) -> [u8; 16] {
    [number; 16]
}

fn entry(number: u8, title: &str, title_en: &str) -> CatalogEntry {
    CatalogEntry {
        id: EntryId::from_bytes(id(number)),
        domain: "xiamen".parse().unwrap(),
        provider: OrganizationId::from_bytes(id(200)),
        provider_name: "住房局".to_owned(),
        kind: DataKind::GovernmentData,
        state: EntryState::Published,
        origin: EntryOrigin::Registered,
        content: EntryContent {
            title: title.to_owned(),
            title_en: title_en.to_owned(),
            abstract_text: String::new(),
            abstract_en: String::new(),
            classification: String::new(),
            resource_code: String::new(),
            formats: Vec::new(),
            items: Vec::new(),
            update_cycle: None,
            sharing: Some(SharingAttribute::Unconditional),
            sharing_method: None,
            conditions_of_use: String::new(),
            open_type: None,
            grade: None,
            assessments: Vec::new(),
            links: Vec::new(),
            duty_basis: String::new(),
            related_codes: Vec::new(),
            keywords: Vec::new(),
            region_code: String::new(),
            issued_date: None,
            synthetic: false,
            particulars: None,
        },
        version: 1,
        published_version: 1,
        return_reason: String::new(),
        created_time: UtcMillis(0),
        updated_time: UtcMillis(0),
        published_time: None,
        provider_class: None,
    }
}

impl Catalog {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store =
            Arc::new(StateStore::open(&Folders::new(folder.path()), 0, Arc::default()).unwrap());
        open(&store);
        Self { _folder: folder, store, counts: KnownCounts::default(), applied: 1 }
    }

    fn write(&mut self, rows: impl IntoIterator<Item = (u8, Option<CatalogEntry>)>) {
        self.applied += 1;
        let domain = "xiamen".parse().unwrap();
        let writes: Writes = rows
            .into_iter()
            .map(|(number, entry)| {
                let key = keys::published_entry(&domain, EntryId::from_bytes(id(number)));
                (key.into_vec(), entry.as_ref().map(catalog_state::codec::encode))
            })
            .collect();
        let store = &self.store;
        let search = follow(store, &mut self.counts, &**store, &writes, self.applied);
        self.store.commit(writes, search, self.applied, None);
    }

    fn put(&mut self, entry: CatalogEntry) {
        self.write([(entry.id.to_bytes()[0], Some(entry))]);
    }

    fn ask(&self, question: &Question) -> Found {
        search(&self.store.view(), question)
    }

    fn found(&self, query: &str) -> Vec<u8> {
        let question = Question { query: query.to_owned(), limit: 50, ..Default::default() };
        self.ask(&question).hits.iter().map(|hit| *hit.key.last().unwrap()).collect()
    }
}

#[test]
fn chinese_is_found_by_its_parts() {
    let mut catalog = Catalog::new();
    catalog.put(entry(1, "维修信息", ""));
    catalog.put(entry(2, "房屋维修资金", ""));
    catalog.put(entry(3, "上市公司证券代码", ""));
    catalog.put(entry(4, "信息维护", ""));
    let check = |query: &str, expected: &[u8]| {
        let mut found = catalog.found(query);
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    };
    check("维修", &[1, 2]);
    check("维修信息", &[1]);
    check("代码", &[3]);
    check("信息", &[1, 4]);
    check("维", &[1, 2, 4]);
    check("息", &[1, 4]);
    check("护", &[4]);
    check("房屋 资金", &[2]);
    check("房屋信息", &[]);
    check("……", &[]);
}

#[test]
fn words_are_found_by_their_beginnings_and_in_every_field() {
    let mut catalog = Catalog::new();
    let mut first = entry(1, "公交站点", "Bus stops");
    first.content.abstract_en = "Where passengers wait.".to_owned();
    first.content.keywords = vec!["transport".to_owned()];
    first.content.items.push(DataItem {
        name: "经度".to_owned(),
        name_en: "Longitude".to_owned(),
        item_type: ItemType::Numeric,
        description: String::new(),
        sharing: None,
        grade: None,
        personal: false,
        basis: None,
    });
    catalog.put(first);
    catalog.put(entry(2, "公交线路", "Bus lines"));
    for (query, expected) in [
        ("bus", vec![1, 2]),
        ("BUS STO", vec![1]),
        ("passenger", vec![1]),
        ("trans", vec![1]),
        ("经度", vec![1]),
        ("long", vec![1]),
        ("住房局", vec![1, 2]),
        ("us", vec![]),
    ] {
        let mut found = catalog.found(query);
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn titles_rank_before_texts() {
    let mut catalog = Catalog::new();
    let mut text = entry(1, "某某", "");
    text.content.abstract_text = "有关维修的说明".to_owned();
    catalog.put(text);
    catalog.put(entry(2, "维修", ""));
    assert_eq!(catalog.found("维修"), [2, 1]);
}

#[test]
fn changes_and_withdrawals_are_followed() {
    let mut catalog = Catalog::new();
    catalog.put(entry(1, "维修信息", ""));
    catalog.put(entry(1, "养护信息", ""));
    assert!(catalog.found("维修").is_empty());
    assert_eq!(catalog.found("养护"), [1]);
    catalog.put(CatalogEntry { state: EntryState::Withdrawn, ..entry(1, "养护信息", "") });
    assert!(catalog.found("养护").is_empty());
    catalog.put(entry(1, "养护信息", ""));
    catalog.write([(1, None), (2, Some(entry(2, "养护道路", "")))]);
    assert_eq!(catalog.found("养护"), [2]);
    let question = Question { query: "养护".to_owned(), limit: 1, ..Default::default() };
    assert_eq!(catalog.ask(&question).as_of, catalog.applied);
}

#[test]
fn pages_show_each_match_once() {
    let mut catalog = Catalog::new();
    catalog.write((1..=25).map(|number| (number, Some(entry(number, "公交站点", "")))));
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let question = Question {
            query: "公交".to_owned(),
            limit: 10,
            after: after.take(),
            ..Default::default()
        };
        let found = catalog.ask(&question);
        assert_eq!(found.total, 25);
        seen.extend(found.hits.iter().map(|hit| *hit.key.last().unwrap()));
        if !found.more {
            break;
        }
        after = found.hits.last().cloned();
    }
    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
}

#[test]
fn filters_narrow() {
    let mut catalog = Catalog::new();
    catalog.put(entry(1, "公交站点", ""));
    let mut second = entry(2, "公交线路", "");
    second.kind = DataKind::PublicServiceData;
    second.content.sharing = None;
    catalog.put(second);
    let with = |change: fn(&mut Question)| {
        let mut question = Question { query: "公交".to_owned(), limit: 9, ..Default::default() };
        change(&mut question);
        catalog.ask(&question).hits.len()
    };
    assert_eq!(with(|_| ()), 2);
    assert_eq!(with(|question| question.sharing = 1), 1);
    assert_eq!(with(|question| question.kind = 2), 1);
    assert_eq!(with(|question| question.domain = Some(b"xiamen\0".to_vec())), 2);
    assert_eq!(with(|question| question.domain = Some(b"fujian\0".to_vec())), 0);
}

#[test]
fn an_index_that_is_not_the_states_is_made_again() {
    let mut catalog = Catalog::new();
    catalog.write((1..=200).map(|number| (number, Some(entry(number, "公交站点", "")))));
    catalog.write((201..=250).map(|number| (number, Some(entry(number, "停车场", "")))));
    let before = (catalog.found("公交").len(), catalog.found("停车"));
    // The state goes on without the index.
    catalog.store.commit(Writes::new(), Writes::new(), catalog.applied + 1, None);
    open(&catalog.store);
    assert_eq!((catalog.found("公交").len(), catalog.found("停车")), before);
    let question = Question { query: "公交".to_owned(), limit: 1, ..Default::default() };
    assert_eq!(catalog.ask(&question).as_of, catalog.applied + 1);
    assert_eq!(catalog.ask(&question).total, 200);
}

#[test]
fn an_index_that_followed_is_the_one_that_is_made_of_the_state() {
    let mut catalog = Catalog::new();
    let titles = ["维修资金", "房屋维修信息", "证券代码 code", "资金", ""];
    let mut drawn = 7_u64;
    let mut draw = |below: u64| {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (drawn >> 33) % below
    };
    for _ in 0..200 {
        let rows: BTreeMap<u8, Option<CatalogEntry>> = (0..=draw(4))
            .map(|_| {
                let number = draw(12) as u8;
                let mut one = entry(number, titles[draw(5) as usize], titles[draw(5) as usize]);
                if draw(4) == 0 {
                    one.state = EntryState::Withdrawn;
                }
                (number, (draw(5) > 0).then_some(one))
            })
            .collect();
        catalog.write(rows);
    }
    let rows =
        |store: &StateStore| -> Vec<_> { store.view().search_range(&[0], &[u8::MAX]).collect() };
    let followed = rows(&catalog.store);
    assert!(followed.len() > 20);
    catalog.store.clear_index(&[], &[crate::work_index::FIRST]);
    open(&catalog.store);
    assert_eq!(rows(&catalog.store), followed);
}
