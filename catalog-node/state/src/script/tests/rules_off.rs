//! Would anybody notice if a rule of the pack were not there?
//!
//! Each rule of the shipped pack is taken out in turn, and a story that is then told differently
//! has caught it. `testdata/rules_off.csv` names that story for each rule, or says why the rule
//! has no effect yet; the test plays the named story without its rule, and all stories once without
//! every rule that is said to have none. `REWRITE=1` searches anew for rules whose line does not
//! hold; `make rules-off` prints the table.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use catalog_model::{reason::Lang, rule_pack::RulePack};

use crate::script::{World, setup::without};

/// What the table says of a rule that nothing in this program reads yet.
const NO_EFFECT: &str = "-";

/// Stories of more bytes tell of hundreds of cases alike, and are not asked about a single rule.
const LONG: usize = 16_000;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// The story that notices, or [`NO_EFFECT`].
    story: String,
    /// Why it has no effect.
    why: String,
}

fn stories() -> BTreeMap<String, String> {
    fs::read_dir(super::testdata())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Whether `story` is told otherwise without these rules. A story that cannot go on because
/// something was refused, or was not, has noticed too.
fn notices(story: &str, off: &[String]) -> bool {
    let told = catch_unwind(AssertUnwindSafe(|| {
        World { off: off.to_vec(), ..World::default() }.tell(story)
    }));
    told.map_or(true, |told| told != story)
}

fn table() -> BTreeMap<String, Row> {
    fs::read_to_string(super::testdata().join("rules_off.csv"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ',');
            let rule = fields.next()?.to_owned();
            let story = fields.next()?.to_owned();
            Some((rule, Row { story, why: fields.next().unwrap_or_default().to_owned() }))
        })
        .collect()
}

/// Which story notices that each of `rules` is gone, for those of which one does.
///
/// The stories that cite a rule are asked first. What is left is asked for together: where no story
/// misses any of many rules, none has an effect; otherwise each half is asked again.
fn search(stories: &BTreeMap<String, String>, rules: &[String]) -> BTreeMap<String, String> {
    let mut short: Vec<_> = stories.iter().collect();
    short.sort_by_key(|(_, text)| text.len());
    let pack = RulePack::embedded();
    let found = Mutex::new(BTreeMap::new());
    each(rules, |id| {
        let rule = pack.rules().iter().find(|rule| rule.reference.id == *id).expect("of the pack");
        let citations = [id.clone(), rule.reference.cite(Lang::En)];
        let citing = short.iter().filter(|(_, text)| {
            text.len() < LONG && citations.iter().any(|citation| text.contains(citation))
        });
        let off = std::slice::from_ref(id);
        if let Some((name, _)) = citing.into_iter().find(|(_, text)| notices(text, off)) {
            found.lock().unwrap().insert(id.clone(), (*name).clone());
        }
    });
    let mut found = found.into_inner().unwrap();
    let left: Vec<String> = rules.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
    println!("{} are noticed where they are cited, {} are left", found.len(), left.len());
    let mut sets = vec![left];
    while let Some(set) = sets.pop() {
        let noticing = first(&short, &set);
        match (noticing, &set[..]) {
            (_, []) | (None, _) => {}
            (Some(name), [id]) => {
                found.insert(id.clone(), name);
            }
            (Some(_), many) => {
                let (one, other) = many.split_at(many.len() / 2);
                sets.extend([one.to_vec(), other.to_vec()]);
            }
        }
    }
    found
}

/// A story that notices that all of `off` are gone.
fn first(stories: &[(&String, &String)], off: &[String]) -> Option<String> {
    let found = Mutex::new(None);
    each(stories, |(name, text)| {
        if found.lock().unwrap().is_none() && notices(text, off) {
            found.lock().unwrap().get_or_insert((*name).clone());
        }
    });
    found.into_inner().unwrap()
}

/// Does `work` for each of `jobs`, on every core.
fn each<T: Sync>(jobs: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(job);
                }
            });
        }
    });
}

#[test]
fn switching_a_rule_off_is_noticed() {
    let stories = stories();
    let rules: Vec<String> =
        RulePack::embedded().rules().iter().map(|rule| rule.reference.id.clone()).collect();
    let mut table = table();

    // A pack that cannot be read would be noticed by everything.
    for rule in &rules {
        let pack = without(RulePack::embedded().json(), std::slice::from_ref(rule));
        RulePack::parse(&pack).unwrap_or_else(|error| panic!("without {rule}: {error:?}"));
    }

    // What is said is shown again.
    let stale = Mutex::new(BTreeSet::new());
    each(&rules, |rule| {
        let holds = match table.get(rule) {
            Some(row) if row.story == NO_EFFECT => true,
            Some(row) => stories
                .get(&row.story)
                .is_some_and(|story| notices(story, std::slice::from_ref(rule))),
            None => false,
        };
        if !holds {
            stale.lock().unwrap().insert(rule.clone());
        }
    });
    let without_effect: Vec<String> = rules
        .iter()
        .filter(|rule| table.get(*rule).is_some_and(|row| row.story == NO_EFFECT))
        .cloned()
        .collect();
    let noticed = Mutex::new(BTreeSet::new());
    let all: Vec<_> = stories.iter().collect();
    each(&all, |(name, story)| {
        if !without_effect.is_empty() && notices(story, &without_effect) {
            noticed.lock().unwrap().insert((*name).clone());
        }
    });
    let mut stale = stale.into_inner().unwrap();
    let noticed = noticed.into_inner().unwrap();

    if env::var_os("REWRITE").is_some() {
        if !noticed.is_empty() {
            stale.extend(without_effect);
        }
        let stale: Vec<String> = stale.into_iter().collect();
        let found = search(&stories, &stale);
        for rule in stale {
            let why = table.get(&rule).map(|row| row.why.clone()).unwrap_or_default();
            let row = match found.get(&rule) {
                Some(story) => Row { story: story.clone(), why: String::new() },
                None => Row { story: NO_EFFECT.to_owned(), why },
            };
            table.insert(rule, row);
        }
        table.retain(|rule, _| rules.contains(rule));
        let lines: Vec<String> = rules
            .iter()
            .map(|rule| format!("{rule},{},{}\n", table[rule].story, table[rule].why))
            .collect();
        fs::write(super::testdata().join("rules_off.csv"), lines.concat()).unwrap();
        return;
    }

    println!("{:<44} noticed by", "without the rule");
    for rule in &rules {
        if let Some(Row { story, why }) = table.get(rule) {
            let story = if story == NO_EFFECT { "no effect yet:" } else { story };
            println!("{rule:<44} {story} {why}");
        }
    }
    let caught = rules.len() - without_effect.len();
    println!("{} rules: {caught} noticed, {} without effect", rules.len(), without_effect.len());
    assert!(stale.is_empty(), "no story on file notices that these are gone: {stale:?}");
    assert!(noticed.is_empty(), "rules said to have no effect have one in: {noticed:?}");
    let unsaid: Vec<_> = without_effect.iter().filter(|rule| table[*rule].why.is_empty()).collect();
    assert!(unsaid.is_empty(), "why have these no effect? {unsaid:?}");
    let gone: Vec<_> = table.keys().filter(|rule| !rules.contains(rule)).collect();
    assert!(gone.is_empty(), "no rules of the pack: {gone:?}");
}
