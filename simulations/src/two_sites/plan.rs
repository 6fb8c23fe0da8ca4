//! What goes wrong in a seed, one misfortune after the other, with noise beneath.

use catalog_model::witness::Release;
use catalog_replica::{Mode, SiteId};

use super::{
    machine::{MAIN, STANDBY},
    witness::numbered,
    world::{Event, Place, World, other},
};

/// How long healing may take in the end.
const HEALING_MS: u64 = 400_000;
/// How long a failover may take once everybody it needs is there.
const FAILOVER_MS: u64 = 240_000;

/// Misfortunes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misfortune {
    LinkCut,
    StandbyLost,
    Flapping,
    WitnessCut,
    ActiveLost,
    ActiveCutOff,
    LostInAsync,
    Released,
    StandbyDiesToo,
}

use Misfortune::{
    ActiveCutOff, ActiveLost, Flapping, LinkCut, LostInAsync, Released, StandbyDiesToo,
    StandbyLost, WitnessCut,
};

impl World {
    /// The whole history of a seed.
    pub(super) fn play(&mut self) {
        self.let_ask();
        self.pass(6000);
        let losses = [ActiveLost, ActiveCutOff, LostInAsync, Released, StandbyDiesToo];
        let others = [LinkCut, StandbyLost, Flapping, WitnessCut];
        // Every seed leaves sync and loses a site at least once.
        let loss = *self.prng.pick(&losses);
        let mut misfortunes = vec![LinkCut, loss];
        for _ in 0..self.prng.between(1, 3) {
            let any: Vec<Misfortune> = losses.iter().chain(&others).copied().collect();
            let next = *self.prng.pick(&any);
            misfortunes.push(next);
        }
        for (place, misfortune) in misfortunes.into_iter().enumerate() {
            if place == 1 {
                self.plan_in(1000, Event::Noise);
            }
            if !self.checks.violations.is_empty() {
                return;
            }
            self.note(format_args!("{misfortune:?} comes"));
            self.befall(misfortune);
        }
        self.heal();
        self.settle();
    }

    fn home(&self) -> SiteId {
        numbered(&self.witness.cell.active_site)
    }

    fn befall(&mut self, misfortune: Misfortune) {
        let home = self.home();
        let away = other(home);
        match misfortune {
            LinkCut => {
                self.cut(Place::Site(MAIN), Place::Site(STANDBY));
                self.pass_between(16_000, 70_000);
                self.join(Place::Site(MAIN), Place::Site(STANDBY));
                self.pass_between(1000, 60_000);
            }
            StandbyLost => {
                self.lose_site(away);
                self.pass_between(3000, 60_000);
                self.power_site(away);
                self.pass_between(1000, 60_000);
            }
            Flapping => {
                for _ in 0..self.prng.between(3, 6) {
                    self.cut(Place::Site(MAIN), Place::Site(STANDBY));
                    self.pass(9000);
                    self.join(Place::Site(MAIN), Place::Site(STANDBY));
                    self.pass_between(200, 1500);
                }
            }
            WitnessCut => {
                self.cut(Place::Site(home), Place::Witness);
                if self.prng.chance(50) {
                    self.cut(Place::Site(away), Place::Witness);
                }
                let link = self.prng.chance(60);
                if link {
                    self.cut(Place::Site(MAIN), Place::Site(STANDBY));
                }
                self.pass_between(5000, 60_000);
                self.join_all();
                self.pass_between(1000, 60_000);
            }
            ActiveLost => {
                self.lose_site(home);
                self.fail_over(home, Release::No);
                self.power_site(home);
                self.pass_between(5000, 90_000);
            }
            ActiveCutOff => {
                self.cut_off(home);
                self.pass_between(0, 12_000);
                self.fail_over(home, Release::No);
                self.pass_between(0, 40_000);
                self.join_all();
                self.pass_between(5000, 90_000);
            }
            LostInAsync => {
                self.cut(Place::Site(MAIN), Place::Site(STANDBY));
                self.pass_between(11_000, 80_000);
                if self.prng.chance(50) {
                    self.lose_site(home);
                    self.join_all();
                } else {
                    self.cut_off(home);
                }
                self.fail_over(home, Release::No);
                self.join_all();
                self.power_site(home);
                self.pass_between(5000, 90_000);
            }
            Released => {
                self.lose_site(away);
                self.cut(Place::Site(home), Place::Witness);
                self.pass_between(12_000, 30_000);
                if self.release() {
                    self.pass_between(1000, 30_000);
                    self.lose_site(home);
                    self.power_site(away);
                    let word = if self.prng.chance(50) { Release::Yes } else { Release::NotKnown };
                    self.fail_over(home, word);
                } else {
                    // Nobody led whom they could have let go: a loss like any other.
                    self.power_site(away);
                    self.join_all();
                    self.lose_site(home);
                    self.fail_over(home, Release::No);
                }
                self.power_site(away);
                self.join_all();
                self.power_site(home);
                self.pass_between(5000, 60_000);
            }
            StandbyDiesToo => {
                self.lose_site(home);
                self.operator.wants = Some((home, away, Release::No));
                self.pass_between(1000, 12_000);
                if self.witness.cell.failover.is_some() {
                    // The other site goes before it opened; the first one has power again.
                    self.lose_site(away);
                    self.power_site(home);
                    self.operator.wants = Some((away, home, Release::No));
                    self.wait_for_opening();
                } else {
                    self.wait_for_opening();
                }
                self.power_site(home);
                self.power_site(away);
                self.pass_between(5000, 60_000);
            }
        }
    }

    fn pass_between(&mut self, low: u64, high: u64) {
        let ms = self.prng.between(low, high);
        self.pass(ms);
    }

    pub(super) fn lose_site(&mut self, site: SiteId) {
        for machine in 0..self.machines.len() {
            if self.machines[machine].site == site {
                self.machines[machine].kept_down = true;
                self.lose_power(machine);
            }
        }
    }

    pub(super) fn power_site(&mut self, site: SiteId) {
        for machine in 0..self.machines.len() {
            if self.machines[machine].site == site {
                self.machines[machine].kept_down = false;
                self.resume(machine);
            }
        }
    }

    /// Nobody elsewhere hears that site, but its own clients.
    pub(super) fn cut_off(&mut self, site: SiteId) {
        self.cut(Place::Site(site), Place::Site(other(site)));
        self.cut(Place::Site(site), Place::Witness);
        self.cut(Place::Site(site), Place::Console);
    }

    pub(super) fn join_all(&mut self) {
        self.cuts.clear();
        self.isolated.clear();
    }

    fn fail_over(&mut self, from: SiteId, release: Release) {
        let to = other(from);
        self.operator.wants = Some((from, to, release));
        if self.prng.chance(30) {
            self.pass_between(500, 4000);
            let there: Vec<usize> =
                (0..self.machines.len()).filter(|m| self.machines[*m].site == to).collect();
            let machine = *self.prng.pick(&there);
            self.lose_power(machine);
            let after = self.prng.between(2000, 50_000);
            self.plan_in(after, Event::Resume { machine });
        }
        if self.prng.chance(30) {
            self.pass_between(500, 20_000);
            self.operator.forget();
            self.operator.gone_until = self.now + self.prng.between(1000, 8000);
            self.count("consoles lost");
        }
        self.wait_for_opening();
    }

    /// Passes time until what is wanted has opened. Not every failover can: then somebody has to bring back
    /// what is missing.
    fn wait_for_opening(&mut self) {
        let until = self.now + FAILOVER_MS;
        while self.operator.wants.is_some() && self.now < until && self.checks.violations.is_empty()
        {
            self.pass(1000);
        }
    }

    /// Small things that go wrong at any time.
    pub(super) fn make_noise(&mut self) {
        let after = self.prng.between(2000, 14_000);
        self.plan_in(after, Event::Noise);
        if self.resting {
            return;
        }
        let machine = self.prng.below(self.machines.len() as u64) as usize;
        match self.prng.below(4) {
            0 => {
                if !self.machines[machine].down {
                    self.lose_power(machine);
                    let after = self.prng.between(300, 6000);
                    self.plan_in(after, Event::Resume { machine });
                }
            }
            1 => {
                let lasts = self.prng.between(500, 8000);
                let long = if self.prng.chance(15) { 40_000 } else { 0 };
                self.machines[machine].paused_until = self.now + lasts + long;
                self.count("pauses");
            }
            2 => {
                self.isolated.insert(machine);
                self.count("isolations");
            }
            _ => self.isolated.clear(),
        }
    }

    fn heal(&mut self) {
        self.note(format_args!("everything heals"));
        self.join_all();
        self.resting = true;
        for machine in 0..self.machines.len() {
            self.machines[machine].paused_until = 0;
            self.machines[machine].kept_down = false;
            self.resume(machine);
        }
        self.operator.gone_until = 0;
    }

    /// From every state something leads out: in the end both sites hold everything.
    fn settle(&mut self) {
        let until = self.now + HEALING_MS;
        while self.now < until && self.checks.violations.is_empty() && !self.is_well() {
            self.pass(1000);
            if self.witness.cell.failover.is_some() && self.operator.wants.is_none() {
                let (home, away) = (self.home(), other(self.home()));
                self.operator.wants = Some((away, home, Release::NotKnown));
            }
        }
        if !self.is_well() && self.checks.violations.is_empty() {
            let what = self.why_not_well();
            self.checks.broken("from every state something leads out", what);
        }
        let until = self.now + 30_000;
        while self.now < until && !self.is_equal() {
            self.pass(1000);
        }
        if self.checks.violations.is_empty() {
            self.check_agreement();
        }
    }

    /// Whether every node has applied what any has.
    fn is_equal(&self) -> bool {
        let applied: Vec<u64> = self.machines.iter().map(|m| m.state().applied).collect();
        applied.iter().all(|at| *at == applied[0])
    }

    fn is_well(&self) -> bool {
        self.why_not_well().is_empty()
    }

    fn why_not_well(&self) -> String {
        let Some(leader) = self.leader() else {
            let cell = &self.witness.cell;
            return format!("nobody leads; the cell: {} {:?}", cell.pair, cell.failover.is_some());
        };
        let running = self.machines[leader].running.as_ref().expect("it leads");
        let status = running.replica.site_status();
        let members = &self.machines[leader].state().membership;
        let pair = self.machines[leader].identity.belongs;
        if members.voters.len() != 5 || members.is_joint() || members.learners.len() != 1 {
            return format!("the members are {members:?}");
        }
        if status.mode_applied != Some(Mode::Sync) || status.held {
            return format!("node {} is in {status:?}", self.machines[leader].id);
        }
        if self.witness.cell.mode != catalog_model::site::Mode::Sync {
            return "the cell says async".to_owned();
        }
        let past = self.machines.iter().find(|machine| machine.identity.belongs != pair);
        past.map_or_else(String::new, |machine| format!("node {} belongs to the past", machine.id))
    }
}
