//! How long does a backup take: of a million rows, of one in a hundred changed, and back?
//!
//! `make backup-speed [ARGS="ROWS FOLDER"]`: state, archive and restored folder lie in FOLDER (else in the
//! system's temporary one). The state is made by the real state machine, of rows as large as those of a
//! catalog entry; nobody else works on it, and nothing is paced. What a running node does beside
//! its work is bounded by `read_mib_per_s` and is measured with clients, not here.

use std::{env, error::Error, path::PathBuf, time::Instant};

use catalog_backup::{Archive, Attestation};
use catalog_model::caller::{Caller, Identity};
use catalog_node::{
    backup::{
        BackupKey, Target,
        restore::{Point, Wanted, restore},
        take_base,
    },
    bootstrap::Spec,
    clock::WallClock,
    storage::{Founding, StateStore, Storage},
};
use catalog_replica::Membership;
use catalog_state::{
    command::{Body, Command},
    machine::{Machine, Session},
    snapshot::ContentDigest,
    store::Writes,
};
use tokio::runtime::Runtime;

const CLUSTER: [u8; 16] = [0xbe; 16];
const ROWS: u64 = 1_000_000;
/// Bytes of a catalog entry as most are.
const ROW_BYTES: usize = 1_200;
const BATCH: u64 = 2_048;
const SPEC: &str = "domain = \"xiamen\"\nkind = \"city\"\ndisplay_name = \"Xiamen\"\ncomposition = \"xiamen-today\"\n";

struct Filling<'a> {
    store: &'a StateStore,
    machine: Machine,
    index: u64,
}

impl Filling<'_> {
    fn apply(&mut self, bodies: impl Iterator<Item = Body>) -> Result<(), Box<dyn Error>> {
        let mut session = Session::new(self.store);
        for body in bodies {
            self.index += 1;
            let command = Command {
                level: body.level(),
                stamped_at: WallClock::system().now(),
                received_at: None,
                caller: Caller {
                    domain: "xiamen".parse()?,
                    identity: Identity::Node { id: "1".to_owned() },
                },
                request_id: None,
                call_digest: [0; 32],
                salt: [0; 16],
                body,
            };
            self.machine.apply(&mut session, self.index, &command.encode())?;
        }
        self.store.commit(session.into_writes(), Writes::new(), self.index, None);
        Ok(())
    }

    /// Writes these rows; `round` makes them others than before.
    fn put(&mut self, rows: impl Iterator<Item = u64>, round: u8) -> Result<(), Box<dyn Error>> {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let bodies: Vec<Body> = rows
                .by_ref()
                .take(BATCH as usize)
                .map(|row| Body::ProbePut {
                    key: row.to_be_bytes().to_vec(),
                    value: value(row, round),
                })
                .collect();
            self.apply(bodies.into_iter())?;
        }
        Ok(())
    }
}

/// Half words, half chance: it deflates about as well as an entry does.
fn value(row: u64, round: u8) -> Vec<u8> {
    let mut seed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(round);
    let mut value = format!("catalog entry {row} of the bureau, round {round}; ").into_bytes();
    while value.len() < ROW_BYTES {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        value.extend_from_slice(&seed.to_be_bytes());
        value.extend_from_slice(b"shared.");
    }
    value.truncate(ROW_BYTES);
    value
}

fn main() -> Result<(), Box<dyn Error>> {
    // What cargo passes to every benchmark is not ours.
    let mut arguments = env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let rows: u64 = arguments.next().map_or(Ok(ROWS), |rows| rows.parse())?;
    let root = arguments.next().map_or_else(env::temp_dir, PathBuf::from);
    let root = root.join(format!("backup-speed-{}", std::process::id()));
    if cfg!(debug_assertions) {
        eprintln!("This build is not optimised: its numbers say nothing.");
    }
    let done = measure(rows, &root);
    let _ = std::fs::remove_dir_all(&root);
    done
}

fn measure(rows: u64, root: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let storage = Storage::open(&root.join("state"), CLUSTER, 1, Founding::Founder(&[1]))?;
    let store = storage.state.current();
    let mut spec: Spec = toml::from_str(SPEC)?;
    let bootstrap = spec.command(CLUSTER, WallClock::system().now())?;
    let mut filling = Filling { store: &store, machine: Machine::new(), index: 1 };
    filling.apply(std::iter::once(Body::Bootstrap(Box::new(bootstrap))))?;
    filling.put(0..rows, 0)?;

    let target = Target::Folder(root.join("archive"));
    let key = BackupKey::new([1; 32]);
    let archive = Archive::open(&target, key, CLUSTER, runtime.handle().clone())?;
    archive.begin()?;
    let founded = || Membership::of_voters(vec![1]).encode();
    let (first, full) = take_base(&archive, &store, None, 1, founded())?;
    // One in a hundred, spread over all of them.
    filling.put((0..rows).step_by(100).map(|row| (row + row / 100 * 37) % rows), 1)?;
    let (second, changed) = take_base(&archive, &store, Some(&first), 1, founded())?;
    archive.write_attestation(&Attestation {
        cluster_id: CLUSTER,
        generation: 1,
        index: second.manifest.index,
        node: 2,
        asked_by: 1,
        content: ContentDigest::of(&*store),
        rows: second.manifest.rows,
        at_ms: second.manifest.made_ms,
    })?;
    let began = Instant::now();
    let report = restore(
        &archive,
        &Wanted {
            to: Point::Latest,
            into: root.join("restored"),
            node: 1,
            address: "127.0.0.1:7101".to_owned(),
            compare: true,
        },
    )?;
    assert!(report.compared.is_some(), "it was compared");
    println!("| what | rows | new blocks | new MiB | seconds |\n| --- | --- | --- | --- | --- |");
    for (what, taken) in [("base", full), ("base, 1 % changed", changed)] {
        println!(
            "| {what} | {} | {} of {} | {} | {:.1} |",
            taken.rows,
            taken.written.new_blocks,
            taken.written.blocks,
            taken.written.new_bytes >> 20,
            taken.millis as f64 / 1e3,
        );
    }
    println!("| restore, compared | {} | | | {:.1} |", rows, began.elapsed().as_secs_f64());
    Ok(())
}
