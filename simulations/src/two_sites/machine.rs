//! A machine: what it keeps when its process ends, and what a process on it is.

use std::collections::{BTreeMap, BTreeSet};

use catalog_log::{Options, SegmentLog, SegmentReader, StoreIdentity, sim_disk};
use catalog_model::site::Pair;
use catalog_replica::{
    Config, Membership, Mode, Replica, SiteId, SnapshotOffer, bootstrap,
    failover::{Sealed, rewrite},
    keeper::Keeper,
    kind_of,
};
use raft::eraftpb::Entry;
use sim_disk::{SimDisk, SimFile};

use super::{clients::Asker, world::sites};

pub(super) const MAIN: SiteId = SiteId(1);
pub(super) const STANDBY: SiteId = SiteId(2);

/// An act, as told to the state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Act {
    /// Its name, the same for every attempt.
    pub(super) id: u64,
    /// Whether it must not be taken while one site alone would hold it.
    pub(super) graded: bool,
}

impl Act {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.push(u8::from(self.graded));
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (graded, id) = bytes.split_last()?;
        Some(Self { id: u64::from_be_bytes(id.try_into().ok()?), graded: *graded == 1 })
    }
}

/// The state machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    pub(super) applied: u64,
    pub(super) term: u64,
    pub(super) membership: Membership,
    pub(super) mode: Option<Mode>,
    pub(super) home: Option<SiteId>,
    /// By act, where it was first applied.
    pub(super) acts: BTreeMap<u64, u64>,
}

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is no act.
    Other,
    /// The act is there, since this entry.
    There(u64),
    /// It needs both sites.
    StandbyRequired,
}

impl State {
    pub(super) fn founded(ids: Vec<u64>, learner: u64) -> Self {
        let membership = Membership { learners: vec![learner], ..Membership::of_voters(ids) };
        Self { membership, mode: Some(Mode::Sync), home: Some(MAIN), ..Self::default() }
    }

    /// Applies `entry`; the second says whether a change took place, if it is one.
    pub(super) fn apply(&mut self, entry: &Entry) -> (Outcome, bool) {
        use catalog_replica::EntryKind;
        (self.applied, self.term) = (entry.index, entry.term);
        match kind_of(entry) {
            EntryKind::Raft => (Outcome::Other, false),
            EntryKind::Mode { mode, .. } => {
                self.mode = Some(mode);
                (Outcome::Other, true)
            }
            EntryKind::Members { change, .. } => {
                let after = change.and_then(|change| self.membership.after(change));
                let accepted = after.is_ok();
                if let Ok(after) = after {
                    self.membership = after;
                }
                (Outcome::Other, accepted)
            }
            EntryKind::Command(data) => {
                let Some(act) = Act::decode(data) else { return (Outcome::Other, false) };
                if let Some(index) = self.acts.get(&act.id) {
                    return (Outcome::There(*index), false);
                }
                if act.graded && self.mode != Some(Mode::Sync) {
                    return (Outcome::StandbyRequired, false);
                }
                self.acts.insert(act.id, entry.index);
                (Outcome::There(entry.index), false)
            }
        }
    }
}

/// What a node durably knows of itself beside log and state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The pair it belongs to.
    pub(super) belongs: Pair,
    /// The greatest pair it heard.
    pub(super) heard: Pair,
    /// Whether its own pair is open to clients.
    pub(super) open: bool,
    /// The failover for which it is sealed.
    pub(super) sealed: Option<Pair>,
    /// A promotion under way: pair, settled, greatest term.
    pub(super) promoting: Option<(Pair, u64, u64)>,
}

/// A machine with a node on it.
pub(super) struct Machine {
    /// The node's id, or ids one after the other.
    pub(super) id: u64,
    pub(super) site: SiteId,
    pub(super) disk: SimDisk,
    pub(super) identity: Identity,
    /// By the log's number for it.
    pub(super) states: BTreeMap<u64, State>,
    /// The state as it was last synced; the one in `states` may be later.
    pub(super) durable: State,
    /// Last entry of the log when it was last synced.
    pub(super) synced_to: u64,
    /// Without power.
    pub(super) down: bool,
    /// Its whole site is without power: nobody switches one machine on.
    pub(super) kept_down: bool,
    /// Attested powerless by two persons: it never runs again under this id.
    pub(super) condemned: bool,
    /// Its process stands still until then.
    pub(super) paused_until: u64,
    /// Its clock: so many thousandths of the true rate.
    pub(super) rate: u64,
    pub(super) boots: u64,
    pub(super) running: Option<Running>,
}

pub(super) type Log = SegmentLog<SimDisk>;

/// A process.
pub(super) struct Running {
    pub(super) log: Log,
    pub(super) replica: Replica<SegmentReader<SimFile>>,
    pub(super) keeper: Keeper,
    /// The last write that was handed to the log and not synced.
    pub(super) unsynced: Option<u64>,
    pub(super) sync_planned: bool,
    /// Proposals, by index: the term, who waits.
    pub(super) proposed: BTreeMap<u64, (u64, Asker)>,
    /// Acts applied here that wait for the other site, by index.
    pub(super) graded: Vec<(u64, Asker)>,
    pub(super) forming: Vec<Asker>,
    pub(super) under_way: BTreeMap<u64, Vec<Asker>>,
    pub(super) confirmed: Vec<(u64, Asker)>,
    pub(super) next_context: u64,
    pub(super) offer: Option<SnapshotOffer>,
    /// Voters of the other site that are to become learners.
    pub(super) demote: BTreeSet<u64>,
    pub(super) led_term: u64,
    /// Changes of the mode that its keeper had proposed.
    pub(super) modes_proposed: u64,
}

impl Machine {
    pub(super) fn new(id: u64, site: SiteId, rate: u64) -> Self {
        Self {
            id,
            site,
            disk: SimDisk::new(),
            identity: Identity {
                belongs: Pair::FIRST,
                heard: Pair::FIRST,
                open: true,
                sealed: None,
                promoting: None,
            },
            states: BTreeMap::new(),
            durable: State::default(),
            synced_to: 0,
            down: false,
            kept_down: false,
            condemned: false,
            paused_until: 0,
            rate,
            boots: 0,
            running: None,
        }
    }

    /// Founds the cluster here.
    pub(super) fn found(&mut self, state: &State) {
        bootstrap(&mut self.open_log()).expect("the disk is sound");
        self.states.insert(0, state.clone());
        self.durable = state.clone();
    }

    pub(super) fn open_log(&self) -> Log {
        let identity = StoreIdentity { cluster_id: [7; 16], store_uuid: [self.id as u8; 16] };
        let options = Options { segment_bytes: 64 * 1024 };
        SegmentLog::open(self.disk.clone(), identity, options).expect("the log is sound")
    }

    pub(super) fn local(&self, now: u64) -> u64 {
        now * self.rate / 1000
    }

    pub(super) fn state(&self) -> &State {
        self.states.values().next_back().expect("there is a state")
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        self.states.values_mut().next_back().expect("there is a state")
    }

    /// Makes the state durable.
    pub(super) fn sync_state(&mut self) {
        self.durable = self.state().clone();
    }

    /// Whether Raft may run here.
    pub(super) fn may_run(&self) -> bool {
        let Identity { belongs, heard, promoting, .. } = self.identity;
        !self.down && !self.condemned && heard == belongs && promoting.is_none()
    }

    /// Starts a process; `false` if it has nothing to run.
    pub(super) fn start(&mut self) -> bool {
        if !self.may_run() || self.running.is_some() {
            return false;
        }
        self.boots += 1;
        let log = self.open_log();
        self.synced_to = catalog_log::LogRead::last_index(&log);
        let number = catalog_log::LogStore::state_number(&log);
        self.states.retain(|known, _| *known == number);
        let state = self.states.entry(number).or_default();
        let config = Config {
            membership: state.membership.clone(),
            mode: state.mode,
            sites: sites(),
            snapshot_patience: 30,
            ..Config::new(self.id, Vec::new(), 7)
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let replica = Replica::start(config, &log, state.applied, &logger)
            .unwrap_or_else(|error| panic!("node {} does not start: {error}", self.id));
        self.running = Some(Running {
            log,
            replica,
            keeper: Keeper::default(),
            unsynced: None,
            sync_planned: false,
            proposed: BTreeMap::new(),
            graded: Vec::new(),
            forming: Vec::new(),
            under_way: BTreeMap::new(),
            confirmed: Vec::new(),
            next_context: self.boots << 32,
            offer: None,
            demote: BTreeSet::new(),
            led_term: 0,
            modes_proposed: 0,
        });
        true
    }

    /// The power goes, with what was not synced.
    pub(super) fn lose_power(&mut self, chance: u64) {
        self.running = None;
        self.down = true;
        self.disk.crash(chance);
        let durable = self.durable.clone();
        *self.state_mut() = durable;
    }

    /// Ends the part of this node in its generation, for the failover to `pair`: nothing that Raft would have
    /// said is said any more, and what was being written is written.
    pub(super) fn seal(&mut self, pair: Pair) -> Sealed {
        if let Some(Running { replica, mut log, .. }) = self.running.take() {
            replica.seal();
            catalog_log::LogStore::sync(&mut log).expect("the disk is sound");
        }
        self.identity.heard = self.identity.heard.max(pair);
        self.identity.sealed = Some(pair);
        self.sync_state();
        self.report()
    }

    /// What a sealed node says of its log.
    pub(super) fn report(&self) -> Sealed {
        let log = self.open_log();
        let state = self.state();
        Sealed::of(
            self.id,
            self.site,
            self.identity.belongs.generation,
            &log,
            state.applied,
            &state.membership,
        )
        .expect("the log is sound")
    }

    /// Makes this sealed node the beginning of the new generation, from where it stood. Each step may be the
    /// last before the power goes; asked again, it goes on.
    pub(super) fn promote(&mut self, pair: Pair, settled: u64, term: u64, steps: u64) -> bool {
        self.identity.promoting = Some((pair, settled, term));
        if steps == 0 {
            return false;
        }
        // What is settled is applied as it was.
        let mut log = self.open_log();
        // Every log begins after entry 1, which nobody wrote.
        while self.state().applied.max(1) < settled {
            let next = self.state().applied.max(1) + 1;
            let entries = catalog_log::LogRead::entries(&log, next, settled + 1, 1 << 20)
                .expect("what is settled is in the greatest log");
            for entry in &entries {
                self.state_mut().apply(entry);
            }
        }
        self.sync_state();
        if steps == 1 {
            return false;
        }
        rewrite(&mut log, settled, term, b"fork"[..].into()).expect("the disk is sound");
        self.synced_to = catalog_log::LogRead::last_index(&log);
        if steps == 2 {
            return false;
        }
        let (id, site) = (self.id, self.site);
        let state = self.state_mut();
        state.membership = Membership::of_voters(vec![id]);
        // The mode stays: the tail is applied as it would have been. Its end says async.
        state.home = Some(site);
        self.sync_state();
        self.identity = Identity {
            belongs: pair,
            heard: pair.max(self.identity.heard),
            open: false,
            sealed: None,
            promoting: None,
        };
        true
    }

    /// Throws everything away and begins again as `id`, a newcomer to `pair`.
    pub(super) fn wipe(&mut self, id: u64, pair: Pair, open: bool) {
        self.running = None;
        self.id = id;
        self.disk = SimDisk::new();
        self.states = BTreeMap::from([(0, State::default())]);
        self.durable = State::default();
        self.synced_to = 0;
        self.condemned = false;
        self.identity =
            Identity { belongs: pair, heard: pair, open, sealed: None, promoting: None };
    }

    /// Whether this node, whatever becomes of its process, has the entry at `index` of `term` for good.
    pub(super) fn has_for_good(&self, index: u64, act: u64) -> bool {
        if self.durable.acts.get(&act).is_some_and(|at| *at == index) {
            return true;
        }
        if index > self.synced_to {
            return false;
        }
        let log: &dyn catalog_log::LogRead = match &self.running {
            Some(running) => &running.log,
            None => return Self::log_has(&self.open_log(), index, act),
        };
        Self::log_has(log, index, act)
    }

    fn log_has(log: &dyn catalog_log::LogRead, index: u64, act: u64) -> bool {
        let Ok(entries) = log.entries(index, index + 1, u64::MAX) else { return false };
        entries.first().is_some_and(|entry| {
            matches!(kind_of(entry), catalog_replica::EntryKind::Command(data)
                if Act::decode(data).is_some_and(|found| found.id == act))
        })
    }
}
