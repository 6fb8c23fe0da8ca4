//! Restoring: a data folder on which a node can start, with the state of an earlier moment, in a
//! generation of its own.
//!
//! The node that starts on it is a cluster of one; others join from it by snapshot. The old generation is
//! over: its nodes are refused by the handshake, its feed tokens and watchers are told to begin anew. What
//! was withdrawn, suspended, ended or erased after the restored moment stays so (`catalog_state`'s
//! `Carried`); that, and what could not be carried, is told.
//!
//! The folder must be new. `IDENTITY`, without which no node starts, is written last: what is interrupted
//! is no data folder, and is refused by name.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use catalog_backup::{Archive, ArchiveError, BaseName, Listing};
use catalog_log::FileDisk;
use catalog_model::{
    caller::{Caller, Identity as CallerIdentity},
    reason::Lang,
    time::UtcMillis,
};
use catalog_replica::Membership;
use catalog_state::{
    Carried, codec,
    command::{Body, Command, MemberChange},
    keys::{Key, Table},
    machine::{ApplyError, Machine, Opening, Session},
    outcome::Outcome,
    rows::{MemberRole, Peer},
    store::Store,
    view::View,
};

use super::{
    rebuild::{RebuildError, Rebuilt, Until},
    verify::witnessed,
};
use crate::{
    search,
    storage::{Restored as RestoredFolder, StateStore, StorageError, folders::Folders},
    work_index,
};

/// What the term grows by, so that nobody of the old generation can be taken for newer.
const TERM_STEP: u64 = 1_000;

/// To which moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The newest that the archive has.
    Latest,
    /// After this entry.
    Index(u64),
    /// The last entry at which the committed clock was not after this instant.
    Time(UtcMillis),
}

/// What is to be restored, and for whom.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// To which moment.
    pub to: Point,
    /// The data folder; new or empty.
    pub into: PathBuf,
    /// The node that is to start on it.
    pub node: u64,
    /// `host:port` at which the others reach it.
    pub address: String,
    /// Whether the rows are compared with what another node held, where one said so.
    pub compare: bool,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The base that it was made from.
    pub base: BaseName,
    /// The moment: last entry of the old generation in it.
    pub index: u64,
    /// The committed clock at that moment.
    pub clock: UtcMillis,
    /// The content of the rows at that moment.
    pub content: [u8; 32],
    /// The last entry that the archive knows of; acts up to it were carried forward.
    pub newest: u64,
    /// The generation that is opened.
    pub generation: u64,
    /// The entry after which its log begins.
    pub begins_after: u64,
    /// Where the rows were compared, and with which node.
    pub compared: Option<(u64, u64)>,
    /// What was carried forward, and what somebody has to see to.
    pub carried: Vec<Carried>,
    /// Members of the old generation, who must be wiped before they join.
    pub former_members: Vec<u64>,
    /// Domains with which this one federates. They were not asked for acts that came after the newest
    /// entry of the archive.
    pub not_asked: Vec<String>,
    /// How long it took.
    pub millis: u64,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A node works in the folder.
    #[error("a node is running in {}", folder.display())]
    Running {
        /// The folder.
        folder: PathBuf,
    },
    /// There is something in the folder.
    #[error("{} is not empty: a restore begins in a new folder", folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be used.
    #[error("{} cannot be used", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such moment in the archive.
    #[error("the archive has no base at or before that moment; its first is {first:?}")]
    TooEarly {
        /// Its first base.
        first: Option<BaseName>,
    },
    /// The archive does not reach so far.
    #[error("the archive ends at entry {newest}")]
    TooLate {
        /// Its last entry.
        newest: u64,
    },
    /// The archive gives no list.
    #[error("the archive cannot be read")]
    Archive(#[from] ArchiveError),
    /// The state cannot be made.
    #[error("the state cannot be made again")]
    Rebuild(#[from] RebuildError),
    /// The generation cannot be opened on it.
    #[error("no generation can be opened on the restored state")]
    Open(#[from] ApplyError),
    /// The node cannot be its only member.
    #[error("node {node} cannot become the only member: {cause}")]
    Member {
        /// Which.
        node: u64,
        /// Why not.
        cause: String,
    },
    /// The folder cannot be completed.
    #[error("the data folder cannot be completed")]
    Storage(#[source] Box<StorageError>),
}

impl From<StorageError> for RestoreError {
    fn from(error: StorageError) -> Self {
        Self::Storage(Box::new(error))
    }
}

/// Restores from `archive`. Nothing is changed but the folder that is named.
pub fn restore(archive: &Archive, wanted: &Wanted) -> Result<Report, RestoreError> {
    let began = Instant::now();
    check_folder(&wanted.into)?;
    let listing = archive.list()?;
    let chosen = choose(archive, &listing, wanted.to)?;
    let in_folder = |source| RestoreError::Folder { folder: wanted.into.clone(), source };
    fs::create_dir_all(&wanted.into).map_err(in_folder)?;
    let folders = Folders::new(&wanted.into);

    let base = archive.read_base(chosen.base)?;
    let mut rebuilt = Rebuilt::of_base(archive, &base, &folders.state(0))?;
    let mut compared = None;
    if wanted.compare {
        let upper = chosen.until_index();
        let said = witnessed(archive, &listing, chosen.base, upper, base.manifest.node)?;
        for said in said {
            if !matches!(chosen.until, Until::Index(_)) && said.index > base.manifest.index {
                // Up to where the time reaches is not known yet.
                continue;
            }
            rebuilt.replay(archive, &listing, Until::Index(said.index))?;
            rebuilt.check_witnessed(&said)?;
            compared = Some((said.index, said.node));
        }
    }
    rebuilt.replay(archive, &listing, chosen.until)?;
    let (index, clock) = (rebuilt.applied, View(&rebuilt.store).clock());
    let content = catalog_state::snapshot::ContentDigest::of(&rebuilt.store.view());

    // What came later, from a state of its own, so that nothing of it is in the way.
    let scratch = wanted.into.join("later");
    let later = later_state(archive, &listing, &rebuilt, &scratch)?;
    let newest = later.as_ref().map_or(index, |later| later.applied);
    let last_term = later.as_ref().map_or(rebuilt.term, |later| later.term).max(rebuilt.term);
    let former_members = View(&rebuilt.store)
        .members()
        .map_or_else(|| rebuilt.membership.ids(), |members| members.used_ids);
    let not_asked = neighbours(&rebuilt.store);
    let generation = listing.newest_generation().unwrap_or(1).max(rebuilt.base.generation) + 1;
    let mut opened = Opened {
        store: &rebuilt.store,
        machine: Machine::new(),
        caller: Caller {
            domain: View(&rebuilt.store).cluster().ok_or_else(no_cluster)?.domain,
            identity: CallerIdentity::Node { id: wanted.node.to_string() },
        },
        at: listing.greatest_index().max(newest).max(index),
    };
    let later_rows = later.as_ref().map(|later| &later.store as &dyn Store);
    let carried = opened.open(generation, later_rows)?;
    opened.become_only_member(wanted)?;
    let begins_after = opened.at;
    drop(later);
    fs::remove_dir_all(&scratch)
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
        .map_err(in_folder)?;

    search::open(&rebuilt.store);
    work_index::open(&rebuilt.store);
    rebuilt.store.write_out().map_err(RebuildError::Rows)?;
    let cluster_id = archive.cluster_id();
    drop(rebuilt);
    RestoredFolder {
        cluster_id,
        node: wanted.node,
        generation,
        index: begins_after,
        term: last_term + TERM_STEP,
    }
    .complete(&wanted.into)?;
    Ok(Report {
        base: chosen.base,
        index,
        clock,
        content,
        newest,
        generation,
        begins_after,
        compared,
        carried,
        former_members,
        not_asked,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// The domains with which the restored one federates.
fn neighbours(store: &StateStore) -> Vec<String> {
    let table = Key::table(Table::Peer);
    let rows = store.range(table.as_slice(), &table.end());
    rows.filter_map(|(_, row)| codec::decode::<Peer>(&row).ok())
        .map(|peer| peer.domain.to_string())
        .collect()
}

fn no_cluster() -> RestoreError {
    RestoreError::Open(ApplyError::NotBootstrapped { index: 0 })
}

/// A restore begins where there is nothing, and never beside a node that runs.
fn check_folder(folder: &Path) -> Result<(), RestoreError> {
    let in_folder = |source| RestoreError::Folder { folder: folder.to_owned(), source };
    let mut found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(in_folder(error)),
    };
    if found.next().is_none() {
        return Ok(());
    }
    let log = Folders::new(folder).log();
    let held = log.exists()
        && FileDisk::open(&log).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    let folder = folder.to_owned();
    Err(if held { RestoreError::Running { folder } } else { RestoreError::NotEmpty { folder } })
}

/// From where, and how far.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    base: BaseName,
    until: Until,
}

impl Chosen {
    fn until_index(&self) -> u64 {
        match self.until {
            Until::Index(index) | Until::Time(_, index) => index,
        }
    }
}

fn choose(archive: &Archive, listing: &Listing, to: Point) -> Result<Chosen, RestoreError> {
    let first = listing.bases.first().copied();
    let newest = *listing.bases.last().ok_or(RestoreError::TooEarly { first })?;
    match to {
        Point::Latest => Ok(Chosen { base: newest, until: Until::Index(listing.reach(newest)) }),
        Point::Index(index) => {
            // A later generation goes on counting after everything that the one before had.
            let base = listing.bases.iter().rev().find(|base| base.index <= index).copied();
            let base = base.ok_or(RestoreError::TooEarly { first })?;
            if index > listing.greatest_index() {
                return Err(RestoreError::TooLate { newest: listing.greatest_index() });
            }
            Ok(Chosen { base, until: Until::Index(index) })
        }
        Point::Time(time) => {
            for base in listing.bases.iter().rev() {
                if archive.read_base(*base)?.manifest.clock_ms <= time.0 {
                    let until = Until::Time(time, listing.reach(*base));
                    return Ok(Chosen { base: *base, until });
                }
            }
            Err(RestoreError::TooEarly { first })
        }
    }
}

/// The newest state that the archive has, if it is not the restored one.
fn later_state(
    archive: &Archive,
    listing: &Listing,
    rebuilt: &Rebuilt,
    scratch: &Path,
) -> Result<Option<Rebuilt>, RestoreError> {
    let Some(newest) = listing.bases.last().copied() else { return Ok(None) };
    let reach = listing.reach(newest);
    if newest.generation == rebuilt.base.generation && reach <= rebuilt.applied {
        return Ok(None);
    }
    fs::create_dir_all(scratch)
        .map_err(|source| RestoreError::Folder { folder: scratch.to_owned(), source })?;
    let base = archive.read_base(newest)?;
    let mut later = Rebuilt::of_base(archive, &base, &scratch.join("state"))?;
    later.replay(archive, listing, Until::Index(reach))?;
    Ok(Some(later))
}

/// A restored state on its way to being a generation of its own.
struct Opened<'a> {
    store: &'a StateStore,
    machine: Machine,
    caller: Caller,
    /// The last place in the log that is used up.
    at: u64,
}

impl Opened<'_> {
    fn open(
        &mut self,
        generation: u64,
        later: Option<&dyn Store>,
    ) -> Result<Vec<Carried>, RestoreError> {
        self.at += 1;
        let mut session = Session::new(self.store);
        let opening =
            Opening { generation, later, caller: self.caller.clone(), salt: crate::random_bytes() };
        let carried = self.machine.open_generation(&mut session, self.at, &opening)?;
        let writes = session.into_writes();
        self.store.commit(writes, Default::default(), self.at, None);
        Ok(carried)
    }

    /// Makes the node the only member, by changes that stand in the history like any other.
    fn become_only_member(&mut self, wanted: &Wanted) -> Result<(), RestoreError> {
        while let Some(change) = self.next_change(wanted) {
            let view = View(self.store);
            let (members, clock) = (view.members().unwrap_or_default(), view.clock());
            let body =
                Body::ChangeMembers { version: members.version, change, current: members.members };
            let command = Command {
                level: body.level(),
                stamped_at: clock,
                received_at: None,
                caller: self.caller.clone(),
                request_id: None,
                call_digest: [0; 32],
                salt: crate::random_bytes(),
                body,
            };
            self.at += 1;
            let mut session = Session::new(self.store);
            let applied = self.machine.apply(&mut session, self.at, &command.encode())?;
            match applied.outcome {
                Outcome::MembersChanged { .. } => {}
                Outcome::Refused(refusal) => {
                    let cause = refusal.text(Lang::En);
                    return Err(RestoreError::Member { node: wanted.node, cause });
                }
                other => {
                    let cause = format!("it came to {other:?}");
                    return Err(RestoreError::Member { node: wanted.node, cause });
                }
            }
            let writes = session.into_writes();
            self.store.commit(writes, Default::default(), self.at, None);
        }
        let alone = Membership::of_voters(vec![wanted.node]).encode();
        self.store.commit(Default::default(), Default::default(), self.at, Some(&alone));
        Ok(())
    }

    /// The next change on the way; `None` when the node is alone, or there is no list of members.
    fn next_change(&self, wanted: &Wanted) -> Option<MemberChange> {
        let members = View(self.store).members()?;
        if members.joint {
            return Some(MemberChange::Finish);
        }
        let votes = |id| members.voters().contains(&id);
        let others = || members.members.iter().filter(|member| member.id != wanted.node);
        // Its address may be that of a node of before.
        let in_the_way = others().find(|member| {
            member.address == wanted.address && (!votes(member.id) || members.voters().len() > 1)
        });
        if let Some(member) = in_the_way {
            return Some(MemberChange::Remove { id: member.id });
        }
        match members.get(wanted.node).map(|member| member.role) {
            None => Some(MemberChange::AddLearner {
                id: wanted.node,
                address: wanted.address.clone(),
                site: None,
            }),
            Some(MemberRole::Learner) => Some(MemberChange::Promote { id: wanted.node }),
            Some(MemberRole::Voter | MemberRole::Leaving) => {
                others().next().map(|member| MemberChange::Remove { id: member.id })
            }
        }
    }
}
