//! Disks that run full or do not give back what was written to them.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use federation_tests::{
    clients::Heard,
    cluster::{Cluster, domain_name, files_below},
    confined::{command, confined},
    role::PATIENCE,
};
use luqiao_proto::{
    ledger::v1::{GetTreeHeadRequest, TreeHead},
    node::v1::GetNodeStatusResponse,
};

use super::forgetful;
use crate::faults::{alone, at_work, judge};

/// Turns bits of a file where it is written: one byte in the middle, or one in every `every`.
fn damage(path: &Path, every: Option<usize>) {
    let mut file = File::options().read(true).write(true).open(path).expect("a file of the node");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("a file of the node");
    // What was allocated in advance is zero; the middle of that is nothing.
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("something is written") + 1;
    let places: Vec<usize> = match every {
        Some(every) => (every..end).step_by(every).collect(),
        None => vec![end / 2],
    };
    for place in places {
        file.seek(SeekFrom::Start(place as u64)).expect("a place in the file");
        file.write_all(&[bytes[place] ^ 0x40]).expect("a file of the node");
    }
    file.sync_all().expect("a file of the node");
}

/// The largest file of a node whose path has all these in it.
fn largest(cluster: &mut Cluster, id: u64, marks: &[&str]) -> PathBuf {
    let data = cluster.node(id).data.clone();
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let fits = |path: &PathBuf| {
        let below = path.strip_prefix(&data).expect("below it").to_string_lossy().into_owned();
        marks.iter().all(|mark| below.contains(mark))
    };
    let found = files_below(&data).into_iter().filter(fits).max_by_key(size);
    found.unwrap_or_else(|| panic!("node {id} has no {marks:?}: {:?}", files_below(&data)))
}

#[test]
fn a_node_whose_state_is_damaged_gets_it_anew_under_the_same_id() {
    alone(async {
        let mut cluster = forgetful(3);
        let mut clients = at_work(&mut cluster).await;
        cluster.write_many(2_000, 1 << 10).await;
        let leader = cluster.leader().await;
        let damaged = cluster.ids().into_iter().find(|id| *id != leader).expect("three nodes");
        // What was in memory gets into tables when the node starts anew.
        cluster.kill(damaged);
        cluster.start(damaged);
        cluster.until_caught_up(damaged).await;
        cluster.kill(damaged);
        damage(&largest(&mut cluster, damaged, &["state", ".sst"]), Some(3_000));

        // Found at once or when that place is read: then the process ends, and is started again as
        // whoever supervises it would.
        cluster.start(damaged);
        cluster.until_reseeded(damaged).await;
        cluster.until_caught_up(damaged).await;
        clients.until_going_on().await;
        judge(cluster, clients, "a_node_whose_state_is_damaged_gets_it_anew", 300).await;
    });
}

#[test]
fn a_node_whose_log_is_damaged_is_refused_and_says_what_to_do() {
    alone(async {
        // With its whole log: a byte in the middle of it is one that was acknowledged.
        let mut cluster = Cluster::plan(3);
        let mut clients = at_work(&mut cluster).await;
        let leader = cluster.leader().await;
        let damaged = cluster.ids().into_iter().find(|id| *id != leader).expect("three nodes");
        cluster.kill(damaged);
        damage(&largest(&mut cluster, damaged, &["log"]), None);
        cluster.start(damaged);
        let (status, said) = cluster.until_ended(damaged).await;
        assert!(!status.success(), "{status}");
        assert!(said.contains("is damaged") && said.contains("under a new id"), "{said}");
        clients.until_going_on().await;

        cluster.plan_joiner(4);
        cluster.start(4);
        cluster.add(4).await;
        clients.add_node(&cluster, 4);
        assert!(cluster.replace(damaged, 4).await.changed);
        cluster.forget(damaged);
        judge(cluster, clients, "a_node_whose_log_is_damaged_is_refused", 300).await;
    });
}

#[test]
fn disks_nearly_full_stop_writing_and_not_reading() {
    const TEST: &str = "stories::damage::disks_nearly_full_stop_writing_and_not_reading";
    if !confined(TEST, &[]) {
        return;
    }
    alone(async {
        let mut cluster = Cluster::plan(3);
        let disk = cluster.folder.join("disk");
        fs::create_dir_all(&disk).expect("a folder can be made");
        let at = disk.to_str().expect("a path in UTF-8");
        command(&["mount", "-t", "tmpfs", "-o", "size=512m", "none", at]);
        for node in cluster.nodes() {
            node.data = disk.join(node.id.to_string());
        }
        let mut clients = at_work(&mut cluster).await;
        let head = GetTreeHeadRequest { parent: domain_name() };
        let path = "/luqiao.ledger.v1.LedgerService/GetTreeHead";
        let before: TreeHead = cluster.ask(path, &head).await.expect("a tree head");

        // All but 5 %.
        let space = rustix::fs::statvfs(&disk).expect("a file system");
        let free = space.f_bavail * space.f_frsize;
        let ballast = disk.join("ballast");
        let mut file = File::create(&ballast).expect("a file can be made");
        let piece = vec![0xaa; 1 << 20];
        for _ in 0..(free - space.f_blocks * space.f_frsize / 20) >> 20 {
            file.write_all(&piece).expect("there is room for that");
        }
        drop(file);
        for id in cluster.ids() {
            let alarmed = |status: &GetNodeStatusResponse| {
                status.alarms.iter().any(|alarm| alarm.name == "disk-nearly-full")
            };
            cluster.until_status(id, "alarmed", alarmed).await;
        }
        // Now there is nobody left to whom whoever leads could hand over.
        let refusals = |heard: &Heard| heard.refused.get("DISK_NEARLY_FULL").copied().unwrap_or(0);
        let refused = refusals(&clients.heard());
        clients.until("writes are refused", |heard| refusals(heard) > refused).await;
        let reads =
            |heard: &federation_tests::clients::Heard| heard.read_from.values().sum::<u64>();
        let wanted = reads(&clients.heard()) + 200;
        clients.until("reads go on", |heard| reads(heard) >= wanted).await;
        for id in cluster.ids() {
            assert!(cluster.node(id).process.ended().is_none(), "node {id} ended");
        }

        fs::remove_file(&ballast).expect("a file can be removed");
        clients.until_going_on().await;
        // That nobody could write for a while is on record.
        let started = Instant::now();
        loop {
            let now: TreeHead = cluster.ask(path, &head).await.expect("a tree head");
            if now.tree_size > before.tree_size {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "nothing is on record: {before:?}, {now:?}");
            clients.until_going_on().await;
        }
        judge(cluster, clients, "disks_nearly_full_stop_writing_and_not_reading", 400).await;
    });
}
