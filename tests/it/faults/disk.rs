//! Disks that are full or stand still. Each test has mounts of its own.

use std::{fs, path::PathBuf};

use federation_tests::{
    cluster::{Cluster, files_below},
    confined::{command, confined},
    skipped,
};

use super::{alone, at_work, judge};

/// A cluster in which one node writes to a disk of its own, made by `mount`.
fn with_own_disk(id: u64, mount: impl FnOnce(&str)) -> (Cluster, PathBuf) {
    let mut cluster = Cluster::plan(3);
    let disk = cluster.folder.join("disk");
    fs::create_dir_all(&disk).expect("a folder can be made");
    mount(disk.to_str().expect("a path in UTF-8"));
    cluster.node(id).data = disk.join("data");
    (cluster, disk)
}

/// Fills a disk to its last byte.
fn fill(disk: &std::path::Path) -> PathBuf {
    use std::io::Write as _;

    let ballast = disk.join("ballast");
    let mut file = fs::File::create(&ballast).expect("a file can be made");
    let mut piece = 1 << 20;
    while piece > 0 {
        // A part of the piece may have been written: what matters is that no byte more can be.
        if let Err(error) = file.write_all(&vec![0xaa; piece]) {
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
            piece /= 2;
        }
    }
    ballast
}

#[test]
fn a_disk_is_full_to_the_last_byte_and_then_freed() {
    const TEST: &str = "faults::disk::a_disk_is_full_to_the_last_byte_and_then_freed";
    if !confined(TEST, &[]) {
        return;
    }
    alone(async {
        let (mut cluster, disk) = with_own_disk(1, |at| {
            command(&["mount", "-t", "tmpfs", "-o", "size=320m", "none", at]);
        });
        let mut clients = at_work(&mut cluster).await;
        assert!(files_below(&disk).len() > 3, "the node writes elsewhere");
        let ballast = fill(&disk);
        // The log of the node cannot grow any more. It must not say that it keeps what it cannot
        // write, and it does not: it ends. The others go on.
        cluster.write_many(4_000, 8 << 10).await;
        let (status, said) = cluster.until_ended(1).await;
        assert!(!status.success() && said.contains("No space left"), "{status}\n{said}");
        clients.until_going_on().await;
        fs::remove_file(ballast).expect("a file can be removed");
        cluster.start(1);
        cluster.until_caught_up(1).await;
        judge(cluster, clients, "a_disk_is_full_to_the_last_byte_and_then_freed", 300).await;
    });
}

#[test]
fn the_leaders_disk_stands_still() {
    const TEST: &str = "faults::disk::the_leaders_disk_stands_still";
    if !rustix::process::geteuid().is_root() {
        // A disk on a file needs the system's own root; a file system in memory cannot stand still.
        return skipped(TEST, "only root can mount a disk that can be made to stand still");
    }
    if !confined(TEST, &["mkfs.ext4", "fsfreeze", "truncate"]) {
        return;
    }
    alone(async {
        let (mut cluster, disk) = with_own_disk(1, |at| {
            let image = format!("{at}.image");
            command(&["truncate", "--size", "256M", &image]);
            command(&["mkfs.ext4", "-q", "-E", "nodiscard", &image]);
            command(&["mount", "-o", "loop", &image, at]);
        });
        let at = disk.to_str().expect("a path in UTF-8").to_owned();
        let mut clients = at_work(&mut cluster).await;
        for _ in 0..2 {
            cluster.make_leader(1).await;
            clients.until_going_on().await;
            command(&["fsfreeze", "--freeze", &at]);
            let thaw = Thaw(&at);
            // A leader that cannot write keeps nobody waiting for ever.
            cluster.leader_that(|status| status.id != "1").await;
            clients.until_going_on().await;
            drop(thaw);
            cluster.until_caught_up(1).await;
        }
        judge(cluster, clients, "the_leaders_disk_stands_still", 300).await;
    });
}

/// A disk that stands still does so for everybody who ever writes to it.
struct Thaw<'a>(&'a str);

impl Drop for Thaw<'_> {
    fn drop(&mut self) {
        command(&["fsfreeze", "--unfreeze", self.0]);
    }
}
