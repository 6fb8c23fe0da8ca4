//! Kill: is anything that was acknowledged lost, or done twice, when nodes are killed?
//!
//! `kill -9` shows that a process recovers, not that its writes were durable: the system keeps
//! what was written. Durability is the simulation's to show.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use federation_tests::{
    asking::{content, filing},
    federation::{Federation, Part},
    role::{PATIENCE, Role},
    until_answered,
};
use luqiao::dev::cast::{DEPARTMENT, Level, OTHER_DEPARTMENT};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind},
    sharing::v1::ListRequestsRequest,
};
use tokio::{sync::watch, task::JoinSet, time::timeout};

const WRITERS: usize = 4;
/// How many acknowledgements count as going on again.
const ENOUGH: usize = 12;

/// One acknowledged filing: what it said, the case that came of it, and when.
type Acknowledged = (String, String, Instant);

/// Departments that file one request after the other.
struct Writers {
    tasks: JoinSet<Vec<Acknowledged>>,
    stop: Arc<AtomicBool>,
    count: watch::Receiver<usize>,
}

impl Writers {
    fn start(asker: &Role, head: &Role, entry: &CatalogEntry) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (counter, count) = watch::channel(0);
        let mut tasks = JoinSet::new();
        for writer in 0..WRITERS {
            let (asker, head, entry) = (asker.clone(), head.clone(), entry.clone());
            let (stop, counter) = (Arc::clone(&stop), counter.clone());
            tasks.spawn(async move {
                let mut acknowledged = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let mut request = content(&asker, &entry);
                    request.scenario = format!("写入者 {writer} 第 {} 次", acknowledged.len());
                    let scenario = request.scenario.clone();
                    let call = filing(&asker, &head, request);
                    let case = until_answered!(asker.sharing().create_request(call.clone()));
                    let case = case.unwrap_or_else(|status| panic!("{scenario}: {status:?}"));
                    acknowledged.push((scenario, case.name, Instant::now()));
                    counter.send_modify(|count| *count += 1);
                }
                acknowledged
            });
        }
        Self { tasks, stop, count }
    }

    /// Waits until more was acknowledged.
    async fn until_going_on(&mut self) {
        let wanted = *self.count.borrow() + ENOUGH;
        let going_on = timeout(PATIENCE, self.count.wait_for(|count| *count >= wanted)).await;
        going_on.expect("writing goes on").expect("the writers live");
    }

    async fn finish(mut self) -> Vec<Acknowledged> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        while let Some(acknowledged) = self.tasks.join_next().await {
            all.extend(acknowledged.expect("a writer ends well"));
        }
        all
    }
}

/// The longest time without an acknowledgement that ends after `killed` and begins before `next`.
fn gap(acknowledged: &[Acknowledged], killed: Instant, next: Option<Instant>) -> Duration {
    let mut times: Vec<Instant> = acknowledged.iter().map(|(.., at)| *at).collect();
    times.sort();
    let concerned =
        times.windows(2).filter(|pair| pair[1] > killed && next.is_none_or(|next| pair[0] < next));
    concerned.map(|pair| pair[1] - pair[0]).max().expect("writing went on")
}

/// Every case that the asker sees, by what it says.
async fn cases(asker: &Role) -> BTreeMap<String, Vec<String>> {
    let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut page_token = String::new();
    loop {
        let question = ListRequestsRequest {
            parent: asker.domain(),
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = until_answered!(asker.sharing().list_requests(question.clone()))
            .expect("cases can be listed");
        for case in page.requests {
            cases.entry(case.scenario).or_default().push(case.name);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return cases;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_missing_or_doubled_when_nodes_are_killed() {
    let mut city = Federation::start(&[Level::City]).await;
    let press = city.press(Level::City, DEPARTMENT);
    let entry = press.put("企业登记信息", SharingKind::Conditional).await.expect("it is published");
    let asker = city.role(Level::City, OTHER_DEPARTMENT);
    let head = city.head(Level::City, OTHER_DEPARTMENT);
    let mut writers = Writers::start(&asker, &head, &entry);
    writers.until_going_on().await;

    let mut kills = Vec::new();
    for id in 1..=Level::City.nodes() {
        let node = Part::Node(Level::City, id);
        let role = if city.leader(Level::City).await == node { "leader" } else { "follower" };
        kills.push((format!("node {id}, {role}"), Instant::now()));
        city.kill(node);
        writers.until_going_on().await;
        city.revive(node);
        city.until_level(Level::City).await;
        writers.until_going_on().await;
    }
    kills.push(("all nodes at once".to_owned(), Instant::now()));
    let nodes: Vec<Part> = (1..=3).map(|id| Part::Node(Level::City, id)).collect();
    for node in &nodes {
        city.kill(*node);
    }
    for node in &nodes {
        city.revive(*node);
    }
    writers.until_going_on().await;

    let acknowledged = writers.finish().await;
    city.until_level(Level::City).await;
    let cases = cases(&asker).await;
    for (scenario, name, _) in &acknowledged {
        let found = cases.get(scenario).map(Vec::as_slice);
        assert_eq!(found, Some(std::slice::from_ref(name)), "{scenario}");
    }
    assert_eq!(cases.values().map(Vec::len).sum::<usize>(), acknowledged.len(), "no more, no less");

    let mut told = format!("{} filings acknowledged by {WRITERS} writers\n", acknowledged.len());
    for (place, (what, killed)) in kills.iter().enumerate() {
        let next = kills.get(place + 1).map(|(_, at)| *at);
        let gap = gap(&acknowledged, *killed, next);
        let millis = gap.as_millis();
        writeln!(told, "  {what} killed: {millis} ms without an answer").expect("a string");
    }
    write!(std::io::stderr(), "{told}").expect("standard error is open");
}
