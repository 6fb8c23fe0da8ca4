//! Backups that were restored: what a node held at an entry is what comes back, and what was taken back
//! since stays taken back (DR-03, DR-07, must-refuse 31).

use std::{
    fs,
    path::{Path, PathBuf},
};

use catalog_backup::{BaseName, BaseWriter, State};
use catalog_model::{catalog_entry::EntryState, grant::GrantState, ids::EntryId, name::Resource};
use catalog_node::{
    CatalogNode,
    backup::{
        Archive, BackupConfig, OpenArchiveError, RebuildError, open_archive,
        restore::{self, Point, Report, RestoreError, Wanted},
        verify::{self, Verdict},
    },
    config::{Config, Member},
};
use catalog_state::{
    CarriedAct,
    keys::Table,
    snapshot::{ContentDigest, cut_by_key},
    store::MemStore,
    view::View,
};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, WithdrawEntryRequest},
    federation::v1::FollowFeedRequest,
    ledger::v1::{ErasePayloadRequest, LedgerRecord},
    node::v1::{
        GetNodeStatusRequest, RunBackupRequest, RunBackupResponse,
        node_service_client::NodeServiceClient,
    },
    sharing::v1::{GetGrantRequest, Grant, ShareRequest, SuspendGrantRequest},
};
use tokio::{runtime::Handle, time::timeout};

use crate::{
    bench::{
        AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_SYSTEM, Cluster, Gateway, SCHOOL,
        SCHOOL_SYSTEM, SPEC, system,
    },
    failover::{PATIENCE, keys, put},
    members::Operator,
    story::{PARENT, entry, publish, request},
};

const IDS: [u64; 3] = [1, 2, 3];

fn settings(cluster: &Cluster) -> BackupConfig {
    let key = cluster.path("backup.key");
    fs::write(&key, "5e".repeat(32)).unwrap();
    BackupConfig {
        folder: Some(cluster.path("archive")),
        s3: None,
        key,
        base_every_h: 24,
        segment_s: 1,
        segment_mib: 16,
        read_mib_per_s: 1024,
        alarm_after_min: 5,
        keep: "days=35".to_owned(),
    }
}

async fn backed_up(size: u64) -> Cluster {
    let mut cluster = Cluster::prepare(size);
    cluster.backup = Some(settings(&cluster));
    cluster.begin(SPEC).await;
    cluster
}

/// Work that blocks, where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn archive(config: Config) -> Archive {
    let runtime = Handle::current();
    blocking(move || open_archive(&config, runtime)).await.unwrap()
}

/// The node that keeps the archive, once there is one.
async fn keeper(cluster: &Cluster) -> u64 {
    let gateway = cluster.gateway();
    let found = async {
        loop {
            for id in cluster.nodes.keys() {
                let status = gateway.nodes(*id).get_node_status(GetNodeStatusRequest {}).await;
                let backup = status.unwrap().into_inner().backup.expect("it is configured");
                if backup.keeps && backup.covered_time.is_some() {
                    return *id;
                }
            }
        }
    };
    timeout(PATIENCE, found).await.expect("somebody keeps the archive")
}

/// Takes a base on `node`, as an operator on its machine does.
async fn run_backup(cluster: &Cluster, node: u64) -> RunBackupResponse {
    let dialer =
        cluster.dialer(&format!("operator-{node}"), &format!("spiffe://xiamen.luqiao/node/{node}"));
    let mut client = NodeServiceClient::new(cluster.channel(&dialer, node));
    timeout(PATIENCE, client.run_backup(RunBackupRequest {})).await.unwrap().unwrap().into_inner()
}

/// Takes a base on the node that keeps the archive: everything committed by now is in it afterwards.
async fn sealed(cluster: &Cluster) -> RunBackupResponse {
    let newest = cluster.nodes[&cluster.leader().await].handle().read().await.unwrap();
    let node = keeper(cluster).await;
    let handle = cluster.nodes[&node].handle();
    timeout(PATIENCE, handle.wait_applied(newest)).await.unwrap().unwrap();
    let done = run_backup(cluster, node).await;
    assert!(done.base_index >= newest);
    done
}

/// What a node holds now.
async fn held(cluster: &Cluster, id: u64) -> (u64, [u8; 32]) {
    let handle = cluster.nodes[&id].handle();
    blocking(move || handle.view(|state| (state.applied(), ContentDigest::of(state)))).await
}

async fn restored(
    config: Config,
    to: Point,
    into: PathBuf,
    node: u64,
    address: String,
) -> Result<Report, RestoreError> {
    let archive = archive(config).await;
    blocking(move || restore::restore(&archive, &Wanted { to, into, node, address, compare: true }))
        .await
}

async fn verified(config: Config, scratch: PathBuf) -> Verdict {
    let archive = archive(config).await;
    blocking(move || verify::verify(&archive, &scratch, usize::MAX)).await.unwrap()
}

/// Everything below a folder that is a file.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for one in fs::read_dir(folder).into_iter().flatten() {
        let one = one.unwrap().path();
        if one.is_dir() { found.extend(files(&one)) } else { found.push(one) }
    }
    found.sort();
    found
}

fn objects(cluster: &Cluster, kind: &str) -> Vec<PathBuf> {
    files(&cluster.path(&format!("archive/{}/{kind}", "ab".repeat(16))))
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let place = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(file, place).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_to_any_point_it_holds_what_was_held_there() {
    let cluster = backed_up(3).await;
    let gateway = cluster.gateway();
    // No point before the first base can be had.
    sealed(&cluster).await;
    let mut live = Vec::new();
    // `make nightly` asks for more.
    let points = std::env::var("LUQIAO_RESTORE_POINTS").ok().and_then(|text| text.parse().ok());
    for round in 0..points.unwrap_or(6_u8) {
        let mut last = 0;
        for number in 0..fastrand::u8(3..40) {
            last = put(&gateway, &IDS, &[round, number]).await;
        }
        for id in IDS {
            let handle = cluster.nodes[&id].handle();
            timeout(PATIENCE, handle.wait_applied(last)).await.unwrap().unwrap();
        }
        live.push(held(&cluster, fastrand::u64(1..=3)).await);
        if round % 2 == 1 {
            let done = sealed(&cluster).await;
            assert!(done.witness > 0, "another node says what it holds: {done:?}");
        }
    }
    let newest = sealed(&cluster).await;
    let config = cluster.config(1);
    let address = config.listen.to_string();
    for (place, (index, content)) in live.into_iter().enumerate() {
        let into = cluster.path(&format!("restored-{place}"));
        let report =
            restored(config.clone(), Point::Index(index), into, 1, address.clone()).await.unwrap();
        assert_eq!((report.index, report.content), (index, content));
        assert_eq!(report.generation, 2);
        assert!(report.begins_after > newest.base_index);
    }
    let into = cluster.path("restored-latest");
    let report = restored(config.clone(), Point::Latest, into, 1, address).await.unwrap();
    assert!(report.index >= newest.base_index);
    assert!(report.compared.is_some(), "{report:?}");
    assert_eq!(report.carried, []);

    let verdict = verified(config, cluster.path("scratch")).await;
    assert!(verdict.is_good(), "{verdict:?}");
    assert_eq!(verdict.holes, []);
    assert!(verdict.bases.iter().any(|base| base.compared.is_some()));
}

/// Withdraws an entry.
async fn withdraw(gateway: &Gateway, entry: &CatalogEntry) {
    let withdraw = WithdrawEntryRequest {
        name: entry.name.clone(),
        etag: entry.etag.clone(),
        reason: "no longer kept".to_owned(),
        request_id: "withdraw".to_owned(),
    };
    let bureau = system(BUREAU, BUREAU_SYSTEM);
    let method = "catalog.v1.CatalogService/WithdrawEntry";
    let _: CatalogEntry = gateway.call(1, &bureau, method, &withdraw).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_back_stays_so_and_others_join_the_new_generation() {
    let mut cluster = backed_up(3).await;
    let gateway = cluster.gateway();
    let school = system(SCHOOL, SCHOOL_SYSTEM);
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let kept = publish(&gateway, entry()).await;
    let case: ShareRequest = gateway
        .call(1, &school, "sharing.v1.SharingService/CreateRequest", &request(&kept.name, "ask"))
        .await
        .unwrap();
    let gone = {
        let mut other = entry();
        other.title = "旧表".to_owned();
        other.resource_code = "350200/000002".to_owned();
        let calls = Gateway::clone(&gateway);
        publish_again(&calls, other).await
    };
    let handle = cluster.nodes[&1].handle();
    let before = handle.read().await.unwrap();
    let first = sealed(&cluster).await;

    // After that moment: an entry is withdrawn, a right stopped, a text erased.
    withdraw(&gateway, &gone).await;
    let grant: Grant = gateway
        .call(
            1,
            &school,
            "sharing.v1.SharingService/GetGrant",
            &GetGrantRequest { name: case.grant.clone() },
        )
        .await
        .unwrap();
    let suspend = SuspendGrantRequest {
        name: grant.name.clone(),
        etag: grant.etag,
        reason: "given to others".to_owned(),
        rectify_by: "2099-01-04".to_owned(),
        request_id: "suspend".to_owned(),
    };
    let method = "sharing.v1.SharingService/SuspendGrant";
    let _: Grant = gateway.call(1, &authority, method, &suspend).await.unwrap();
    let sequence = handle.view(|state| {
        let size = View(state).counters().ledger;
        let with_text = |sequence: &u64| {
            let key = catalog_state::keys::ledger_payload(*sequence);
            catalog_state::store::Store::get(state, key.as_slice()).is_some()
        };
        (0..size).find(with_text).expect("there is a text beside a record")
    });
    let erase = ErasePayloadRequest {
        parent: PARENT.to_owned(),
        record: sequence,
        ground: "personal information".to_owned(),
        request_id: "erase".to_owned(),
    };
    let method = "ledger.v1.LedgerService/ErasePayload";
    let _: LedgerRecord = gateway.call(1, &authority, method, &erase).await.unwrap();
    let after = handle.read().await.unwrap();
    let clock = handle.view(|state| View(state).clock());
    sealed(&cluster).await;
    drop(handle);

    // Three moments: before, by the clock of then; before, by the entry; and the newest.
    let address = cluster.prepare_joiner(4);
    let config = cluster.config(4);
    let points = [
        (Point::Index(first.base_index), "by-base", true),
        (Point::Index(before), "by-entry", true),
        (Point::Index(after), "after", false),
        (Point::Time(clock), "by-time", false),
    ];
    for (point, name, acts) in points {
        let into = cluster.path(name);
        let report =
            restored(config.clone(), point, into.clone(), 4, address.clone()).await.unwrap();
        let acts_found: Vec<CarriedAct> = report.carried.iter().map(|one| one.act).collect();
        let wanted =
            [CarriedAct::EntryWithdrawn, CarriedAct::GrantSuspended, CarriedAct::PayloadErased];
        for act in wanted {
            assert_eq!(acts_found.contains(&act), acts, "{name}: {report:?}");
        }
        assert_eq!(report.former_members, [1, 2, 3]);
    }
    for id in IDS {
        cluster.kill(id).await;
    }
    fs::rename(cluster.path("by-entry"), cluster.path("data-4")).unwrap();
    cluster.generation = 2;
    cluster.run(4).await.unwrap();
    assert_eq!(cluster.leader().await, 4);
    let handle = cluster.nodes[&4].handle();
    handle.view(|state| {
        let view = View(state);
        let id: EntryId = gone.name.rsplit('/').next().unwrap().parse().unwrap();
        let domain = view.cluster().unwrap().domain;
        assert_eq!(view.entry(&domain, id).unwrap().state, EntryState::Withdrawn);
        assert_eq!(view.published_entry(&domain, id), None);
        let name: catalog_model::name::ResourceName = grant.name.parse().unwrap();
        let Resource::Grant(id) = name.resource else { panic!("{name}") };
        assert_eq!(view.grant(&domain, id).unwrap().state, GrantState::Suspended);
        let text = catalog_state::keys::ledger_payload(sequence);
        assert_eq!(catalog_state::store::Store::get(state, text.as_slice()), None);
        assert_eq!(view.cluster().unwrap().generation, 2);
        assert_eq!(view.members().unwrap().voters(), [4]);
    });

    // Followers of the old generation begin anew, and so do watchers.
    let gateway = cluster.gateway();
    let superior = catalog_model::caller::Caller {
        domain: "fujian".parse().unwrap(),
        identity: catalog_model::caller::Identity::Gateway { id: "gw-1".to_owned() },
    };
    let token = luqiao_proto::federation::v1::FeedToken {
        cluster_id: "ab".repeat(16),
        generation: 1,
        scope: 1,
        revision: 1,
        hash: vec![0; 32].into(),
    };
    let follow = FollowFeedRequest { scope: 1, after: Some(token), ..Default::default() };
    let mut envelope =
        crate::bench::envelope(&superior, "federation.v1.FederationService/FollowFeed", &follow);
    envelope.generation = 2;
    let refused = gateway
        .nodes(4)
        .stream(luqiao_proto::node::v1::StreamRequest { envelope: Some(envelope) })
        .await
        .expect_err("a token of the old generation is none");
    let reason = luqiao_transport::status::Problem::from_status(&refused).reason;
    assert_eq!(reason, Some(catalog_model::reason::Reason::FeedTokenUnknown));

    // It takes writes, and a node joins it by snapshot.
    put(&gateway, &[4], b"after the restore").await;
    let joiner = cluster.prepare_joiner(5);
    // It asks the one that is there; those of before are gone.
    let mut config = cluster.config(5);
    config.members = vec![Member { id: 4, address }];
    cluster.nodes.insert(5, CatalogNode::start(config).await.unwrap());
    let mut operator = Operator::new(cluster.gateway());
    operator.add(4, 5, &joiner, false).await.unwrap();
    operator.promote_when_ready(4, 5).await;
    crate::failover::same_state(&cluster).await;
    let gateway = cluster.gateway();
    assert!(keys(&gateway, &[5]).await.contains(&b"after the restore".to_vec()));

    // A node of the old generation is no member any more, whatever it says.
    cluster.run(1).await.unwrap();
    let old = cluster.nodes[&1].handle();
    assert!(old.status().replica.leader.is_none_or(|leader| leader <= 3));
    assert_eq!(
        cluster.nodes[&4].handle().view(|state| View(state).members().unwrap().voters()),
        [4, 5]
    );
}

/// A second entry: other ids for its calls.
async fn publish_again(gateway: &Gateway, entry: CatalogEntry) -> CatalogEntry {
    use luqiao_proto::catalog::v1::{
        ConsentEntryRequest, PublishEntryRequest, RegisterEntryRequest, SubmitEntryRequest,
    };
    let bureau = system(BUREAU, BUREAU_SYSTEM);
    let head = crate::bench::person(BUREAU, crate::bench::BUREAU_HEAD);
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let catalog = |method: &str| format!("catalog.v1.CatalogService/{method}");
    let id = |call: &str| format!("{call}-again");
    let register = RegisterEntryRequest {
        parent: PARENT.to_owned(),
        entry: Some(entry),
        request_id: id("register"),
    };
    let draft: CatalogEntry =
        gateway.call(1, &bureau, &catalog("RegisterEntry"), &register).await.unwrap();
    let consent = ConsentEntryRequest {
        name: draft.name.clone(),
        etag: draft.etag.clone(),
        standing_answer: true,
        request_id: id("consent"),
        ..Default::default()
    };
    let agreed: CatalogEntry =
        gateway.call(1, &head, &catalog("ConsentEntry"), &consent).await.unwrap();
    let submit = SubmitEntryRequest {
        name: draft.name.clone(),
        etag: agreed.etag,
        request_id: id("submit"),
    };
    let submitted: CatalogEntry =
        gateway.call(1, &bureau, &catalog("SubmitEntry"), &submit).await.unwrap();
    let publish =
        PublishEntryRequest { name: draft.name, etag: submitted.etag, request_id: id("publish") };
    gateway.call(1, &authority, &catalog("PublishEntry"), &publish).await.unwrap()
}

/// Writes the first base that has a value again without that, as a node with a fault would have.
fn leave_out_a_row(archive: &Archive) -> BaseName {
    let bases = archive.list().unwrap().bases;
    bases.into_iter().find(|name| leave_out_of(archive, *name)).expect("values were put")
}

/// The same for one base; `false` if it has no value yet.
fn leave_out_of(archive: &Archive, name: BaseName) -> bool {
    let base = archive.read_base(name).unwrap();
    let mut rows = MemStore::default();
    archive
        .read_rows::<catalog_backup::ArchiveError>(&base, |more| {
            rows.0.extend(more);
            Ok(())
        })
        .unwrap();
    let probe = rows.0.keys().find(|key| key[0] == Table::Probe as u8).cloned();
    let Some(probe) = probe else { return false };
    rows.0.remove(&probe);
    let mut writer = BaseWriter::new(archive, None);
    for block in cut_by_key(&rows) {
        writer.block(&block).unwrap();
    }
    let said = base.manifest;
    writer
        .finish(State {
            generation: said.generation,
            index: said.index,
            term: said.term,
            membership: said.membership,
            level: said.level,
            state_hash: said.state_hash,
            clock_ms: said.clock_ms,
            made_ms: said.made_ms,
            node: said.node,
        })
        .unwrap();
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_archive_is_named_and_nothing_is_restored() {
    let mut cluster = backed_up(3).await;
    let gateway = cluster.gateway();
    for number in 0..40_u8 {
        put(&gateway, &IDS, &[1, number]).await;
    }
    sealed(&cluster).await;
    for number in 0..40_u8 {
        put(&gateway, &IDS, &[2, number]).await;
    }
    sealed(&cluster).await;
    for number in 0..40_u8 {
        put(&gateway, &IDS, &[3, number]).await;
    }
    sealed(&cluster).await;
    let config = cluster.config(1);
    let address = config.listen.to_string();

    // A running node's folder, and one with something in it.
    let running = restored(config.clone(), Point::Latest, config.data.clone(), 1, address.clone());
    assert!(matches!(running.await, Err(RestoreError::Running { .. })));
    let occupied = cluster.path("occupied");
    fs::create_dir(&occupied).unwrap();
    fs::write(occupied.join("notes"), "mine").unwrap();
    let not_empty =
        restored(config.clone(), Point::Latest, occupied.clone(), 1, address.clone()).await;
    assert!(matches!(not_empty, Err(RestoreError::NotEmpty { .. })));
    assert_eq!(fs::read(occupied.join("notes")).unwrap(), b"mine", "nothing was changed");

    for id in IDS {
        cluster.kill(id).await;
    }
    // Beyond what there is.
    let into = cluster.path("beyond");
    let beyond = restored(config.clone(), Point::Index(1 << 40), into.clone(), 1, address.clone());
    assert!(matches!(beyond.await, Err(RestoreError::TooLate { .. })));
    let early = restored(config.clone(), Point::Index(0), into, 1, address.clone()).await;
    assert!(matches!(early, Err(RestoreError::TooEarly { .. })));

    // Another key.
    let mut other = config.clone();
    let key = cluster.path("other.key");
    fs::write(&key, "77".repeat(32)).unwrap();
    other.backup.as_mut().unwrap().key = key;
    let runtime = Handle::current();
    let opened = blocking(move || open_archive(&other, runtime)).await;
    let Err(OpenArchiveError::Archive(error)) = opened else { panic!("{opened:?}") };
    assert!(error.to_string().contains("sealed with key"), "{error}");

    // In copies of the archive: a flipped byte in each pack, a missing segment, a missing pack.
    let archived = cluster.path("archive");
    let spoilt = |name: &str| {
        let folder = cluster.path(name);
        copy(&archived, &folder);
        let mut config = config.clone();
        config.backup.as_mut().unwrap().folder = Some(folder.clone());
        (config, folder)
    };
    let place = |folder: &Path, file: &Path| folder.join(file.strip_prefix(&archived).unwrap());
    let (flipped, folder) = spoilt("flipped");
    for pack in objects(&cluster, "packs") {
        let pack = place(&folder, &pack);
        let mut bytes = fs::read(&pack).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&pack, bytes).unwrap();
    }
    let verdict = verified(flipped.clone(), cluster.path("scratch")).await;
    assert!(!verdict.is_good());
    assert!(verdict.bases.iter().all(|base| base.fault.is_some()), "{verdict:?}");
    let into = cluster.path("from-flipped");
    let refused = restored(flipped, Point::Latest, into.clone(), 1, address.clone()).await;
    assert!(matches!(refused, Err(RestoreError::Rebuild(RebuildError::Archive(_)))), "{refused:?}");
    assert!(!into.join("IDENTITY").exists(), "no node starts on what is there");

    let (holed, folder) = spoilt("holed");
    let listing = archive(config.clone()).await;
    let listing = blocking(move || listing.list()).await.unwrap();
    let (first, last) = (listing.bases[0].index, listing.bases.last().unwrap().index);
    let between = objects(&cluster, "segments");
    let (missing, name) = between
        .iter()
        .zip(&listing.segments)
        .find(|(_, segment)| {
            segment.first > first && segment.last < last && segment.first < segment.last
        })
        .expect("there is a segment between the bases");
    fs::remove_file(place(&folder, missing)).unwrap();
    let verdict = verified(holed.clone(), cluster.path("scratch")).await;
    assert_eq!(verdict.holes.len(), 1, "{verdict:?}");
    let behind = Point::Index(name.last - 1);
    let into = cluster.path("from-holed");
    let refused = restored(holed, behind, into, 1, address.clone()).await;
    let named = matches!(&refused, Err(RestoreError::Rebuild(RebuildError::Chain(_))));
    assert!(named, "{refused:?}");

    // A base that lacks a row, with the right state hash: only who has the row can tell.
    let (lacking, _) = spoilt("lacking");
    let spoiling = archive(lacking.clone()).await;
    let spoilt_base = blocking(move || leave_out_a_row(&spoiling)).await;
    let verdict = verified(lacking.clone(), cluster.path("scratch")).await;
    let of_it = verdict.bases.iter().find(|base| base.base == spoilt_base);
    let fault = of_it.and_then(|base| base.fault.as_ref());
    let Some(RebuildError::NotWitnessed { index: told, .. }) = fault else {
        panic!("{verdict:?}");
    };
    let into = cluster.path("from-lacking");
    let refused = restored(lacking, Point::Index(*told), into, 1, address.clone()).await;
    let named = matches!(&refused, Err(RestoreError::Rebuild(RebuildError::NotWitnessed { .. })));
    assert!(named, "{refused:?}");

    let (short, folder) = spoilt("short");
    fs::remove_file(place(&folder, &objects(&cluster, "packs")[0])).unwrap();
    let verdict = verified(short, cluster.path("scratch")).await;
    assert!(verdict.bases.iter().any(|base| base.fault.is_some()), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_refuses_breaks_nothing() {
    let mut cluster = Cluster::prepare(1);
    let settings = settings(&cluster);
    // A file where the folder should be: nothing can be written there.
    fs::write(cluster.path("archive"), "full").unwrap();
    cluster.backup = Some(BackupConfig { alarm_after_min: 5, ..settings });
    cluster.begin(SPEC).await;
    let gateway = cluster.gateway();
    put(&gateway, &[1], b"still").await;
    let handle = cluster.nodes[&1].handle();
    let alarmed = async {
        while !handle.alarms().list().iter().any(|alarm| alarm.name == "backup-failed") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, alarmed).await.expect("it says that the archive refuses");
    put(&gateway, &[1], b"goes on").await;
    fs::remove_file(cluster.path("archive")).unwrap();
    let settled = async {
        while handle.alarms().list().iter().any(|alarm| alarm.name == "backup-failed") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, settled).await.expect("it is tried again");
    let done = sealed(&cluster).await;
    assert_eq!(done.witness, 0, "there is nobody else");
}
