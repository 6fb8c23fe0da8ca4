//! Measure: what is done, with what, and what counts as answered?

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use luqiao::{
    dev::{
        cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT},
        topology::Topology,
        town::{Post, Town},
    },
    failure::Failure,
};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SearchEntriesRequest, SharingKind},
    sharing::v1::ShareRequestState,
};
use luqiao_transport::status::Problem;
use serde_json::{Map, Value, json};
use tokio::time::sleep;
use tonic::Status;

use super::{
    corpus::Text,
    load::{self, Measured},
    machine::{Memory, Usage},
};
use crate::{
    asking::{content, filing},
    command_line,
    federation::seat,
    publishing::{Press, entry},
    role::{PATIENCE, Role, call},
};

/// Between two looks at whether everybody has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many hits a search asks for: one page on a screen.
const PAGE: i32 = 20;
/// The offices of the city that provide and ask.
const OFFICES: [&str; 2] = [DEPARTMENT, OTHER_DEPARTMENT];

/// Seconds from the start of `luqiao dev` until all three domains answer, and until its walk has
/// ended; and how many steps of the walk failed.
pub fn dev_start(folder: &Path, processes: bool) -> anyhow::Result<(f64, f64, Value)> {
    use std::{
        io::{BufRead as _, BufReader},
        process::Stdio,
    };

    let mut command = command_line::luqiao(["dev", "--exit", "--json", "--data"]);
    command.arg(folder).stdout(Stdio::piped()).stderr(Stdio::null());
    if processes {
        command.arg("--processes");
    }
    let began = Instant::now();
    let mut child = command.spawn().context("luqiao starts")?;
    let stdout = child.stdout.take().context("its output is ours")?;
    let mut ready = None;
    let mut failed = Value::Null;
    for line in BufReader::new(stdout).lines() {
        let step: Value = serde_json::from_str(&line?)?;
        if step["step"] == "start" && step["ok"] == true {
            ready = Some(began.elapsed().as_secs_f64());
        }
        if step["summary"] == true {
            failed = step["failed"].clone();
        }
    }
    child.wait()?;
    let ready = ready.context("the domains never answered")?;
    Ok((ready, began.elapsed().as_secs_f64(), failed))
}

/// What `luqiao catalog import` said, and the seconds that it took from start to end.
pub fn import(topology: &Topology, file: &Path) -> anyhow::Result<(Value, f64)> {
    let mut command = command_line::luqiao(["--contexts"]);
    command.arg(topology.contexts());
    command.args(["--context", &seat(Level::City, MANAGER).context()]);
    command.args(["--output", "json", "catalog", "import"]).arg(file);
    let began = Instant::now();
    let output = command.output().context("luqiao starts")?;
    let took = began.elapsed().as_secs_f64();
    let said = command_line::Said::from(output);
    ensure!(said.code == Some(0), "the import failed: {said:?}");
    let last = said.stdout.lines().next_back().context("the import prints its counts")?;
    Ok((serde_json::from_str(last)?, took))
}

/// Everyone who publishes, asks and searches in the city, each over a connection of its own.
#[derive(Debug)]
pub struct Crowd {
    presses: Vec<Press>,
    askers: Vec<Asker>,
}

/// Who asks: a department's system, whose head consents.
#[derive(Debug, Clone)]
struct Asker {
    role: Role,
    head: Role,
}

impl Crowd {
    /// `clients` of each kind, of two departments in turn.
    pub fn gather(topology: &Topology, clients: usize) -> Self {
        let contexts = topology.contexts();
        let system = |office| Role::named(&contexts, &seat(Level::City, office).context());
        let head = |office| Role::named(&contexts, &seat(Level::City, office).head_context());
        let office = |client: usize| OFFICES[client % OFFICES.len()];
        let press = |client| Press {
            provider: system(office(client)),
            head: head(office(client)),
            authority: system(AUTHORITY),
        };
        let asker = |client| Asker { role: system(office(client)), head: head(office(client)) };
        Self {
            presses: (0..clients).map(press).collect(),
            askers: (0..clients).map(asker).collect(),
        }
    }

    /// Publishes an entry of each of `texts` by the ordinary path. Of ten, six are unconditional,
    /// three conditional and one is not shared; the unconditional ones are returned.
    pub async fn publish(&self, texts: &[Text]) -> (Measured, Vec<CatalogEntry>) {
        let texts: Arc<[Text]> = texts.into();
        let count = texts.len();
        let free = Arc::new(Mutex::new(Vec::new()));
        let put = {
            let free = Arc::clone(&free);
            move |press: Press, number: usize| {
                let (texts, free) = (Arc::clone(&texts), Arc::clone(&free));
                async move {
                    let kind = match number % 10 {
                        0..6 => SharingKind::Unconditional,
                        6..9 => SharingKind::Conditional,
                        _ => SharingKind::NotShared,
                    };
                    let Text { title, description } = &texts[number];
                    let mut draft = entry(&press.provider, title, kind);
                    draft.r#abstract.clone_from(if description.is_empty() {
                        title
                    } else {
                        description
                    });
                    let draft = press.register(draft).await.map_err(named)?;
                    let published = press.issue(&draft).await.map_err(named)?;
                    if kind == SharingKind::Unconditional {
                        free.lock().unwrap_or_else(PoisonError::into_inner).push(published);
                    }
                    if number % 1000 == 999 {
                        eprintln!("  {} of {} published", number + 1, texts.len());
                    }
                    Ok(())
                }
            }
        };
        let measured = load::closed(&self.presses, count, put).await;
        let free = std::mem::take(&mut *free.lock().unwrap_or_else(PoisonError::into_inner));
        (measured, free)
    }

    /// Searches for each of `queries`; answered is who finds something, and with a whole title the
    /// entry of that title on the first page. In the open manner if `rate` is given, else by the
    /// first `clients` of the crowd.
    pub async fn search(&self, queries: &[Query], clients: usize, rate: Option<u32>) -> Measured {
        let queries: Arc<[Query]> = queries.into();
        let count = queries.len();
        let ask = move |asker: Asker, number: usize| {
            let queries = Arc::clone(&queries);
            async move {
                let Query { words, is_title } = &queries[number];
                let question = SearchEntriesRequest {
                    parent: asker.role.domain(),
                    query: words.clone(),
                    page_size: PAGE,
                    ..Default::default()
                };
                let answer =
                    asker.role.catalog().search_entries(call(question)).await.map_err(named)?;
                let hits = answer.into_inner().hits;
                let titles =
                    || hits.iter().filter_map(|hit| hit.entry.as_ref()).map(|entry| &entry.title);
                if hits.is_empty() {
                    Err("nothing found".to_owned())
                } else if *is_title && !titles().any(|title| title == words) {
                    Err("another entry found".to_owned())
                } else {
                    Ok(())
                }
            }
        };
        let askers = &self.askers[..clients.min(self.askers.len())];
        match rate {
            Some(rate) => load::open(askers, rate, count, ask).await,
            None => load::closed(askers, count, ask).await,
        }
    }

    /// Files `count` requests for entries of the other department among `free`, each under a fresh
    /// request id; answered is who has a grant with the answer, and the grants are returned. In the
    /// open manner if `rate` is given.
    pub async fn request(
        &self,
        free: &[CatalogEntry],
        count: usize,
        rate: Option<u32>,
    ) -> anyhow::Result<(Measured, BTreeSet<String>)> {
        let mut others: Vec<Vec<CatalogEntry>> = Vec::new();
        for asker in self.askers.iter().take(OFFICES.len()) {
            let own = asker.role.organization();
            let others_of: Vec<_> =
                free.iter().filter(|entry| entry.provider != own).cloned().collect();
            ensure!(!others_of.is_empty(), "there is nothing for {own} to ask for");
            others.push(others_of);
        }
        let others = Arc::new(others);
        let grants = Arc::new(Mutex::new(BTreeSet::new()));
        let given = Arc::clone(&grants);
        let ask = move |asker: Asker, number: usize| {
            let (others, given) = (Arc::clone(&others), Arc::clone(&given));
            async move {
                let own = asker.role.organization();
                let list = others.iter().find(|list| list[0].provider != own);
                let list = list.ok_or_else(|| "nothing to ask for".to_owned())?;
                let entry = &list[number % list.len()];
                let filing = filing(&asker.role, &asker.head, content(&asker.role, entry));
                let case = asker
                    .role
                    .sharing()
                    .create_request(call(filing))
                    .await
                    .map_err(named)?
                    .into_inner();
                if case.state() == ShareRequestState::Agreed && !case.grant.is_empty() {
                    given.lock().unwrap_or_else(PoisonError::into_inner).insert(case.grant);
                    Ok(())
                } else {
                    Err(format!("{:?} without a grant", case.state()))
                }
            }
        };
        let measured = match rate {
            Some(rate) => load::open(&self.askers, rate, count, ask).await,
            None => load::closed(&self.askers, count, ask).await,
        };
        let grants = std::mem::take(&mut *grants.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((measured, grants))
    }
}

/// The lengths of queries, in the order in which they take turns.
pub const QUERY_KINDS: [&str; 3] = ["two characters", "four characters", "whole title"];

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// As the caller types it.
    pub words: String,
    /// Whether it is the whole title of an entry.
    pub is_title: bool,
}

/// `count` queries taken from `texts`, by the seed of this function the same in every run: in turn
/// two characters, four characters, and a whole title.
pub fn queries(texts: &[Text], count: usize) -> Vec<Query> {
    let mut random = fastrand::Rng::with_seed(3);
    let is_han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    let mut queries = Vec::with_capacity(count);
    while queries.len() < count {
        let Some(text) = random.choice(texts) else { break };
        let title: Vec<char> = text.title.chars().collect();
        let length = match queries.len() % QUERY_KINDS.len() {
            0 => 2,
            1 => 4,
            _ => title.len(),
        };
        if title.len() < length || length == 0 {
            continue;
        }
        let from = random.usize(..=title.len() - length);
        let window = &title[from..from + length];
        let is_title = length == title.len();
        if is_title || window.iter().all(is_han) {
            queries.push(Query { words: window.iter().collect(), is_title });
        }
    }
    queries
}

/// Waits until every node of the city has applied what its leader has, and province and district
/// have followed the city to the end; the province, which follows everything, at least to
/// `revision`.
pub async fn until_level(town: &Town, revision: u64) -> anyhow::Result<Duration> {
    let began = Instant::now();
    loop {
        let city = town.status(Level::City).await.map_err(told)?;
        let mut level = city.nodes.iter().all(|node| node.lag == 0 && node.role != "unreachable");
        for (follower, least) in [(Level::Province, revision), (Level::District, 0)] {
            let status = town.status(follower).await.map_err(told)?;
            let city = Level::City.domain_text();
            let link = status.links.iter().find(|link| link.domain == city);
            level &= link.is_some_and(|link| link.feed_lag == 0 && link.feed_revision >= least);
        }
        if level {
            return Ok(began.elapsed());
        }
        if began.elapsed() > PATIENCE * 4 {
            bail!("the domains do not catch up: {city:?}");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Every daemon with the id of its process.
fn daemons(town: &Town) -> anyhow::Result<Vec<(Post, u32)>> {
    let mut found = Vec::new();
    for level in Level::ALL {
        let nodes = (1..=level.nodes()).map(|id| Post::Node(level, id));
        for post in nodes.chain([Post::Gateway(level)]) {
            let id = town.process_id(post).with_context(|| format!("{post:?} is no process"))?;
            found.push((post, id));
        }
    }
    Ok(found)
}

/// What every daemon takes now.
pub fn memory(town: &Town) -> anyhow::Result<Vec<(Post, Memory)>> {
    daemons(town)?.into_iter().map(|(post, id)| Ok((post, Memory::of(id)?))).collect()
}

/// What this process and the daemons have used of the processors so far.
pub fn usage(town: &Town) -> anyhow::Result<Usage> {
    Usage::until_now(daemons(town)?.into_iter().map(|(_, id)| id))
}

/// The same for the record, by name of the daemon.
pub fn memory_record(memory: &[(Post, Memory)]) -> Value {
    let name = |post: &Post| match post {
        Post::Node(level, id) => format!("{} node {id}", level.word()),
        Post::Gateway(level) => format!("{} gateway", level.word()),
    };
    Value::Object(
        memory.iter().map(|(post, memory)| (name(post), memory.to_json())).collect::<Map<_, _>>(),
    )
}

/// The most that a node takes, in MB.
pub fn greatest_node(memory: &[(Post, Memory)]) -> f64 {
    let nodes = memory.iter().filter(|(post, _)| matches!(post, Post::Node(..)));
    let kib = nodes.map(|(_, memory)| memory.resident).max().unwrap_or(0);
    (kib * 1024) as f64 / 1e6
}

/// What was measured, with `more`, for the detail of a row.
pub fn detail(measured: &Measured, more: Value) -> Value {
    let mut detail = measured.to_json();
    if let (Some(object), Value::Object(more)) = (detail.as_object_mut(), more) {
        object.extend(more);
    }
    detail
}

/// A failure of the command's library, as an error of this program.
pub fn told(failure: Failure) -> anyhow::Error {
    anyhow!("{} [{}]", failure.message.en, failure.reason)
}

fn named(status: Status) -> String {
    let problem = Problem::from_status(&status);
    problem.reason.map_or_else(|| format!("{:?}", status.code()), |reason| reason.name().to_owned())
}

/// The median of some seconds.
pub fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A start of the domains for the detail of a row.
pub fn starts(found: &[(f64, f64, Value)]) -> Value {
    let each = found.iter().map(|(ready, walk, failed)| {
        let rounded = |seconds: &f64| (seconds * 100.0).round() / 100.0;
        json!({ "ready_s": rounded(ready), "walk_s": rounded(walk), "failed_steps": failed })
    });
    each.collect()
}
