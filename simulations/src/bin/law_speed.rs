//! Law speed: how long does it take to say what the law says: of one request, of 100,000 cases?
//!
//! In memory and on one thread, so that what is measured is the law and not disk or network. An
//! optimised build alone counts (`make law-speed`). Nothing here asserts on a duration.

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use catalog_model::{
    ids::RequestId,
    organization::{DataKind, PartyClass},
    policy::{self, EntryFacts},
    rule_pack::{Pair, RulePack},
    share_request::ShareRequest,
    time::LocalDate,
};
use catalog_state::{
    codec,
    keys::{self, Key, Table},
    script::World,
    store::{MemStore, Store},
    view::View,
    what_if::what_if,
};
use clap::Parser;

/// Cases on file that one call looks at, as the node asks.
const PORTION: usize = 10_000;

/// Measures the law in memory, on one thread.
#[derive(Debug, Parser)]
struct Arguments {
    /// Cases that a draft is held against.
    #[arg(long, default_value_t = 100_000)]
    cases: u32,
    /// Requests that are judged one by one.
    #[arg(long, default_value_t = 200_000)]
    requests: u32,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if cfg!(debug_assertions) {
        eprintln!("This build is not optimised: its numbers say nothing.");
    }
    let (store, case) = town()?;
    println!("| what | asked | p50 | p99 | p99.9 |\n| --- | --- | --- | --- | --- |");
    evaluation(&arguments, &store, &case)?;
    println!();
    drafts(&arguments, store, &case)
}

/// A domain with one case between departments and one for data of a public service.
fn town() -> anyhow::Result<(MemStore, ShareRequest)> {
    let mut world = World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2026-09-21 09:00\"",
        "organization police",
        "organization tax",
        "listed plates provider=police",
        "request case1 entry=plates from=tax",
    ] {
        world.run(line);
    }
    let store = world.into_store("xiamen");
    let table = Key::table(Table::Request);
    let row = store.range(table.as_slice(), &table.end()).next().context("a case is on file")?;
    let case = codec::decode(&row.1).context("its row can be read")?;
    Ok((store, case))
}

/// One request judged, with the rules of the pair resolved anew and as they are kept by day.
fn evaluation(arguments: &Arguments, store: &MemStore, case: &ShareRequest) -> anyhow::Result<()> {
    let pack = RulePack::embedded();
    let catalog_model::name::Resource::Entry(id) = case.content.entry.resource else {
        anyhow::bail!("the case is about no entry");
    };
    let entry = View(store).published_entry(&case.domain, id).context("the entry is listed")?;
    let pairs: Vec<Pair> = [
        PartyClass::GovernmentDepartment,
        PartyClass::LawAuthorizedOrganization,
        PartyClass::PublicServiceOrganization,
    ]
    .into_iter()
    .flat_map(|asker| {
        [DataKind::GovernmentData, DataKind::PublicServiceData].map(|data| Pair {
            asker,
            provider: PartyClass::GovernmentDepartment,
            data,
        })
    })
    .collect();
    let day: LocalDate = "2026-09-21".parse().context("a day")?;
    let facts = EntryFacts::of(&entry, false);
    let resolve = |place: usize| pack.resolve("xiamen-today", pairs[place % pairs.len()], day);
    let mut kept = Vec::new();
    for place in 0..pairs.len() {
        kept.push(resolve(place).map_err(|unknown| anyhow::anyhow!("{unknown}"))?);
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for place in 0..arguments.requests as usize {
        let began = Instant::now();
        let resolution = resolve(place).map_err(|unknown| anyhow::anyhow!("{unknown}"))?;
        let _ = black_box(policy::decide(&resolution, &facts, &case.content, day));
        with.push(began.elapsed());
        let resolution = &kept[place % kept.len()];
        let began = Instant::now();
        let _ = black_box(policy::decide(resolution, &facts, &case.content, day));
        without.push(began.elapsed());
    }
    tell("a request judged, rules of the pair kept", &mut without);
    tell("a request judged, rules of the pair resolved anew", &mut with);
    Ok(())
}

fn tell(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |thousandth: usize| {
        let place = times.len() * thousandth / 1000;
        times[place.min(times.len() - 1)].as_secs_f64() * 1e6
    };
    let (middle, high, highest) = (at(500), at(990), at(999));
    println!("| {what} | p99 < 50 µs | {middle:.1} µs | {high:.1} µs | {highest:.1} µs |");
}

/// A draft held against many cases, in the portions in which a node does it.
fn drafts(arguments: &Arguments, mut store: MemStore, case: &ShareRequest) -> anyhow::Result<()> {
    let mut rows = BTreeMap::new();
    for number in 0..arguments.cases {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        bytes[15] = 1;
        let mut other = case.clone();
        other.id = RequestId::from_bytes(bytes);
        // Over a hundred days, as they would come.
        let later = u64::from(number % 100) * 24 * 3_600_000;
        other.received_time = other.received_time.map(|time| time.plus(later));
        let key = keys::request(&other.domain, other.id);
        rows.insert(key.as_slice().to_vec(), Some(codec::encode(&other)));
    }
    store.write(rows);
    let json = RulePack::embedded().json();
    let ten = "\"key\":\"sharing.conditional.answer\",\"value\":10";
    ensure!(json.contains(ten), "the pack has another clock now");
    let draft = RulePack::parse(&json.replace(ten, &ten.replace("10", "5")))?;
    let since = "2026-01-01".parse().context("a day")?;
    let (mut from, mut looked_at, mut different) = (None::<Vec<u8>>, 0, 0);
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    loop {
        let portion = Instant::now();
        let cases = what_if(View(&store), &draft, since).context("a cluster")?;
        let found = cases.portion(from.as_deref(), usize::MAX, PORTION);
        longest = longest.max(portion.elapsed());
        looked_at += found.looked_at;
        different += found.differences.len() as u64;
        from = found.next;
        if from.is_none() {
            break;
        }
    }
    let took = began.elapsed().as_secs_f64();
    ensure!(looked_at >= u64::from(arguments.cases), "{looked_at} cases were looked at");
    ensure!(different >= u64::from(arguments.cases), "{different} cases differ");
    let longest = longest.as_secs_f64();
    println!("| what | asked | measured |\n| --- | --- | --- |");
    println!("| what-if over {looked_at} cases, {different} different | < 60 s | {took:.2} s |");
    println!("| the longest portion of {PORTION} cases | | {longest:.2} s |");
    Ok(())
}
