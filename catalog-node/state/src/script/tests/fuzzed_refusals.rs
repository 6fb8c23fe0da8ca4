//! Does every "no" say on what it rests?
//!
//! The commands of all stories are bent (other callers, other names, other numbers and texts, other
//! moments) and tried where the story stands, until ten thousand are refused. Each refusal either
//! names a rule that is stored in the pack of that state, word for word, with article and paragraph
//! or as a house rule, or has a reason of `testdata/reasons_without_rule.list`: what is simply not
//! there, not theirs, too late or not readable, on which no text of law has a word.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    ops::Range,
};

use catalog_model::{reason::Reason, refusal::Refusal, rule::Rank, rule_pack::RulePack};
use minicbor::{Decoder, Encoder, data::Type};

use crate::{
    codec,
    command::Command,
    machine::{Machine, Session},
    outcome::Outcome,
    script::World,
    store::MemStore,
    view::View,
};

/// Refusals that are looked at; the stories are gone through as often as it takes.
const WANTED: usize = 10_000;

/// A small generator (xorshift64*): the same ten thousand at every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What a story offers to bend others with.
#[derive(Default)]
struct Stock {
    texts: Vec<String>,
    ids: Vec<Vec<u8>>,
}

/// One value of an encoded command that can be exchanged for another of its kind.
enum Leaf {
    Number,
    Flag(bool),
    Text(String),
    Id(Vec<u8>),
}

/// The leaves of an encoded command, each with the bytes that it takes.
fn leaves(bytes: &[u8]) -> Vec<(Range<usize>, Leaf)> {
    let mut decoder = Decoder::new(bytes);
    let mut found = Vec::new();
    while decoder.position() < bytes.len() {
        let start = decoder.position();
        let leaf = match decoder.datatype().expect("our own command") {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
                decoder.u64().unwrap();
                Leaf::Number
            }
            Type::Bool => Leaf::Flag(decoder.bool().unwrap()),
            Type::String => Leaf::Text(decoder.str().unwrap().to_owned()),
            Type::Bytes => Leaf::Id(decoder.bytes().unwrap().to_vec()),
            Type::Array => {
                decoder.array().unwrap();
                continue;
            }
            Type::Map => {
                decoder.map().unwrap();
                continue;
            }
            Type::Tag => {
                decoder.tag().unwrap();
                continue;
            }
            _ => {
                decoder.skip().unwrap();
                continue;
            }
        };
        found.push((start..decoder.position(), leaf));
    }
    found
}

/// `command` with one or two leaves exchanged.
fn bent(command: &[u8], stock: &Stock, chance: &mut Chance) -> Vec<u8> {
    let odd = ["", " ", "\u{7}", "0", "domains/nowhere", "2019-01-01"];
    let mut bent = command.to_vec();
    for _ in 0..=chance.below(2) {
        let leaves = leaves(&bent);
        let (place, leaf) = chance.pick(&leaves);
        let mut other = Encoder::new(Vec::new());
        match leaf {
            Leaf::Flag(value) => other.bool(!value),
            Leaf::Text(_) if chance.below(3) == 0 => other.str(odd[chance.below(odd.len())]),
            Leaf::Text(_) => {
                let text: &String = chance.pick(&stock.texts);
                other.str(text)
            }
            Leaf::Id(old) => {
                let alike: Vec<&Vec<u8>> =
                    stock.ids.iter().filter(|id| id.len() == old.len()).collect();
                other.bytes(if alike.is_empty() { old } else { alike[chance.below(alike.len())] })
            }
            Leaf::Number => other.u64(match chance.below(4) {
                0 => 0,
                1 => u64::from(u16::MAX),
                _ => chance.next() % 12,
            }),
        }
        .unwrap();
        bent.splice(place.clone(), other.into_writer());
    }
    bent
}

/// Why a refusal does not say on what it rests; `None` if it does.
fn unfounded(refusal: &Refusal, store: &MemStore, plain: &BTreeSet<&str>) -> Option<String> {
    let Some(cited) = &refusal.rule else {
        let name = refusal.reason.name();
        return (!plain.contains(name)).then(|| format!("{name} names no rule"));
    };
    let view = View(store);
    let newest = view.rule_pack_version().unwrap_or_default();
    let stored = (1..=newest).rev().find_map(|version| {
        let pack = RulePack::parse(&view.rule_pack(version)?.text).ok()?;
        pack.rules()
            .iter()
            .find(|rule| rule.reference.id == cited.id)
            .map(|rule| rule.reference.clone())
    });
    let (id, reason) = (&cited.id, refusal.reason.name());
    match stored {
        None => Some(format!("{reason} names {id}, which no pack holds")),
        Some(stored) if stored != *cited => Some(format!("{reason} quotes {id} wrongly")),
        Some(_) if cited.rank == Rank::HouseRule => None,
        Some(_) if cited.article.is_empty() || cited.quote.is_empty() => {
            Some(format!("{reason} names {id} without its place"))
        }
        Some(_) => None,
    }
}

#[test]
fn ten_thousand_refusals_each_say_on_what_they_rest() {
    let file = super::testdata().join("reasons_without_rule.list");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let plain: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();

    let mut logs = Vec::new();
    for entry in fs::read_dir(super::testdata()).unwrap() {
        let path = entry.unwrap().path();
        // Hundreds of cases alike would teach nothing new.
        let long = fs::metadata(&path).unwrap().len() > 20_000;
        if long || path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let story = fs::read_to_string(&path).unwrap();
        if !story.contains("level=3") {
            continue;
        }
        let mut world = World::default();
        world.tell(&story);
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        logs.extend(world.clusters.into_values().map(|cluster| (name.clone(), cluster.log)));
    }
    logs.sort();

    let mut chance = Chance(0x4c75_7169_616f);
    let (mut refused, mut cited) = (0, 0);
    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    let mut unfounded_ones: BTreeMap<String, String> = BTreeMap::new();
    'enough: loop {
        let before = refused;
        for (story, log) in &logs {
            let mut stock = Stock::default();
            for command in log.iter().skip(1) {
                for (_, leaf) in leaves(command) {
                    match leaf {
                        Leaf::Text(text) if text.len() < 200 => stock.texts.push(text),
                        Leaf::Id(id) => stock.ids.push(id),
                        _ => {}
                    }
                }
            }
            let mut store = MemStore::default();
            let (mut machine, mut trying) = (Machine::new(), Machine::new());
            for (place, command) in log.iter().enumerate() {
                let index = place as u64 + 1;
                for _ in 0..if place == 0 { 0 } else { 4 } {
                    // Often of this moment, sometimes of another.
                    let from = if chance.below(3) == 0 { chance.pick(&log[1..]) } else { command };
                    let bytes = bent(from, &stock, &mut chance);
                    if codec::decode::<Command>(&bytes).is_err() {
                        continue;
                    }
                    let mut session = Session::new(&store);
                    let Ok(applied) = trying.apply(&mut session, index, &bytes) else { continue };
                    let Outcome::Refused(refusal) = applied.outcome else {
                        // It may have taken a pack for its own that is not there.
                        trying = Machine::new();
                        continue;
                    };
                    refused += 1;
                    cited += usize::from(refusal.rule.is_some());
                    *reasons.entry(refusal.reason).or_default() += 1;
                    if let Some(why) = unfounded(&refusal, &store, &plain) {
                        unfounded_ones.entry(why).or_insert_with(|| story.clone());
                    }
                    if refused == WANTED {
                        break 'enough;
                    }
                }
                let mut session = Session::new(&store);
                machine.apply(&mut session, index, command).expect("it was applied before");
                let writes = session.into_writes();
                store.write(writes);
            }
        }
        assert!(refused > before, "nothing is refused any more");
    }
    if env::var_os("SHOW").is_some() {
        for (reason, count) in &reasons {
            println!("{count:>6} {}", reason.name());
        }
    }
    println!("{refused} refusals of {} kinds, {cited} under a rule", reasons.len());
    assert!(reasons.len() > 60, "only {} kinds of refusals", reasons.len());
    assert!(cited > WANTED / 50, "only {cited} cite a rule");
    assert!(unfounded_ones.is_empty(), "{unfounded_ones:#?}");
}
