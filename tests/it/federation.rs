//! Federation: are catalogs equal at the end, however often either side of a link is restarted?

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use federation_tests::{
    federation::{Federation, Part},
    publishing::Press,
    role::{PATIENCE, Role},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level};
use luqiao_proto::catalog::v1::{CatalogEntry, ListEntriesRequest, SharingAttribute, SharingKind};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

const ROUNDS: u64 = 50;
/// Every so many rounds a node is restarted instead of its gateway.
const NODE_EVERY: u64 = 5;
/// How much each publisher does at least, and how much it leaves in its catalog before it
/// withdraws anything.
const LEAST_CHANGES: u64 = 40;
const LEAST_LISTED: usize = 6;
const SEED: u64 = 20_260_921;

/// What is in a catalog: every entry by its name.
type Catalog = BTreeMap<String, CatalogEntry>;

/// The entries of `owner` as they are held where `reader` is.
async fn catalog(reader: &Role, owner: Level) -> Catalog {
    let mut catalog = Catalog::new();
    let mut page_token = String::new();
    loop {
        let question = ListEntriesRequest {
            parent: format!("domains/{}", owner.domain_text()),
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = until_answered!(reader.catalog().list_entries(question.clone()))
            .expect("entries can be listed");
        for entry in page.entries {
            let twice = catalog.insert(entry.name.clone(), entry);
            assert_eq!(twice, None, "listed twice");
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return catalog;
        }
    }
}

fn kind(entry: &CatalogEntry) -> SharingKind {
    entry.sharing.as_ref().map(SharingAttribute::kind).unwrap_or_default()
}

/// Publishes, updates and withdraws at one level until it is told to stop; counts what it did.
fn publisher(
    press: Press,
    seed: u64,
    mut stop: watch::Receiver<bool>,
    done: Arc<watch::Sender<u64>>,
) -> JoinHandle<()> {
    const KINDS: [SharingKind; 3] =
        [SharingKind::Unconditional, SharingKind::Conditional, SharingKind::NotShared];
    let mut random = fastrand::Rng::with_seed(seed);
    let work = async move {
        let mut listed: Vec<CatalogEntry> = Vec::new();
        for number in 0_u64.. {
            if *stop.borrow_and_update() && number >= LEAST_CHANGES {
                return;
            }
            let kind = KINDS[random.usize(..KINDS.len())];
            match random.u8(..10) {
                // An entry may change from shared to not shared and back: it leaves and returns.
                0..=3 if !listed.is_empty() => {
                    let place = random.usize(..listed.len());
                    let mut changed = listed[place].clone();
                    changed.title = format!("{}，修订 {number}", press.provider.domain());
                    changed.sharing = Some(federation_tests::publishing::attribute(kind));
                    listed[place] = press.revise(changed).await.expect("a change is published");
                }
                4..=5 if listed.len() > LEAST_LISTED => {
                    let entry = listed.swap_remove(random.usize(..listed.len()));
                    press.withdraw(&entry.name).await.expect("an entry is withdrawn");
                }
                _ => {
                    let title = format!("{} 目录 {number}", press.provider.domain());
                    listed.push(press.put(&title, kind).await.expect("an entry is published"));
                }
            }
            done.send_modify(|count| *count += 1);
        }
    };
    #[expect(clippy::disallowed_methods, reason = "joined by the test that starts it")]
    tokio::spawn(work)
}

/// What of `owner` should be found where it is followed in full, respectively as shared.
fn difference(own: &Catalog, followed: &Catalog, full: bool) -> Option<String> {
    let names = |catalog: &Catalog| catalog.keys().cloned().collect::<Vec<_>>();
    if names(own) != names(followed) {
        let ghosts: Vec<_> = followed.keys().filter(|name| !own.contains_key(*name)).collect();
        let missing: Vec<_> = own.keys().filter(|name| !followed.contains_key(*name)).collect();
        return Some(format!("ghosts {ghosts:?}, missing {missing:?}"));
    }
    own.values().zip(followed.values()).find_map(|(own, followed)| {
        if full || kind(own) != SharingKind::NotShared {
            return (own != followed).then(|| format!("own {own:?}\nfollowed {followed:?}"));
        }
        // Of what is not shared, subordinates see who holds it and on which basis, nothing else.
        let same = kind(followed) == SharingKind::NotShared
            && own.provider == followed.provider
            && own.sharing.as_ref().map(|s| &s.basis)
                == followed.sharing.as_ref().map(|s| &s.basis);
        (!same || !followed.items.is_empty())
            .then(|| format!("own {own:?}\nfollowed as shared {followed:?}"))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogs_are_equal_at_the_end_however_often_a_side_is_restarted() {
    let mut federation = Federation::start(&Level::ALL).await;
    let (stop, stopped) = watch::channel(false);
    let done = Arc::new(watch::Sender::new(0_u64));
    let publishers: Vec<JoinHandle<()>> = Level::ALL
        .into_iter()
        .zip(SEED + 1..)
        .map(|(level, seed)| {
            let press = federation.press(level, DEPARTMENT);
            publisher(press, seed, stopped.clone(), Arc::clone(&done))
        })
        .collect();

    let mut random = fastrand::Rng::with_seed(SEED);
    let mut progress = done.subscribe();
    let mut restarts: BTreeMap<Part, u32> = BTreeMap::new();
    for round in 1..=ROUNDS {
        for level in Level::ALL {
            // At a revision that nobody chose: after none, one or two more changes.
            let at = *progress.borrow() + random.u64(..3);
            let reached = timeout(PATIENCE, progress.wait_for(|count| *count >= at)).await;
            reached.expect("publishing goes on").expect("the publishers live");
            let part = if round % NODE_EVERY == 0 {
                Part::Node(level, random.u64(1..=level.nodes()))
            } else {
                Part::Gateway(level)
            };
            federation.kill(part);
            federation.revive(part);
            *restarts.entry(part).or_default() += 1;
        }
    }
    stop.send_replace(true);
    for publisher in publishers {
        publisher.await.expect("a publisher ends well");
    }

    let reader = |level| federation.role(level, AUTHORITY);
    let mut sizes = Vec::new();
    // (owner, follower, whether in full)
    for (owner, follower, full) in [
        (Level::City, Level::Province, true),
        (Level::District, Level::City, true),
        (Level::Province, Level::City, false),
        (Level::City, Level::District, false),
    ] {
        let own = catalog(&reader(owner), owner).await;
        assert!(own.len() >= LEAST_LISTED, "{owner:?} lists next to nothing");
        let started = Instant::now();
        loop {
            let followed = catalog(&reader(follower), owner).await;
            let Some(difference) = difference(&own, &followed, full) else { break };
            assert!(
                started.elapsed() < PATIENCE,
                "{owner:?} at {follower:?} does not become equal: {difference}"
            );
            sleep(std::time::Duration::from_millis(100)).await;
        }
        sizes.push(format!("{owner:?} at {follower:?}: {} entries", own.len()));
    }
    let told = format!(
        "{} changes under {} restarts {restarts:?}, seed {SEED}; equal: {}\n",
        *done.borrow(),
        restarts.values().sum::<u32>(),
        sizes.join(", ")
    );
    std::io::stderr().write_all(told.as_bytes()).expect("standard error is open");
}
