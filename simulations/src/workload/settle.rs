//! What was a client told, and what does it know now?

use catalog_model::{
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{command::Body, outcome::Outcome};

use crate::{
    call::{Answer, What},
    cast,
    clock::WorldClock,
    workload::{
        Acknowledged, Case, Draft, GIVE_UP_MS, Intent, Pending, Published, Stage, Workload,
    },
};

impl Workload {
    /// Takes in what a client was told.
    pub(super) fn settle(
        &mut self,
        id: u64,
        pending: Pending,
        answer: Answer,
        world: &WorldClock,
        moment: u64,
    ) {
        let client = self.clients.get_mut(&id).expect("a client");
        let (index, outcome, version) = match answer {
            Answer::Value(value) => {
                let Intent::Probe { operation, key, .. } = pending.intent else {
                    unreachable!("only probes are read")
                };
                self.history.finish_read(operation, value.clone(), moment);
                client.seen.insert(key, value);
                return;
            }
            Answer::Committed { index, outcome, version } => (index, outcome, version),
            Answer::Begun => unreachable!("only operators are told that"),
        };
        let What::Change(change) = pending.what else { unreachable!("only changes are committed") };
        self.acknowledged.push(Acknowledged {
            caller: change.caller.clone(),
            request_id: change.request_id.clone(),
            token: pending.token,
            index,
            outcome: outcome.clone(),
            body: change.body.clone(),
        });
        if let (Some(key), Outcome::Done(_)) = (&change.request_id, &outcome) {
            client.last = Some((change.caller.clone(), key.clone(), pending.began));
        }
        if change.request_id.is_some() {
            client.done = Some(((*change).clone(), outcome.clone(), pending.began));
        }
        match (pending.intent, outcome) {
            (Intent::Probe { operation, key, value }, Outcome::Probe { done, .. }) => {
                self.history.finish_write(operation, done, moment);
                if done {
                    client.seen.insert(key, value);
                }
            }
            (Intent::Organize | Intent::TakeBack(_), Outcome::Done(Some(_))) => {}
            (
                Intent::Register { provider, unconditional },
                Outcome::Done(Some(ResourceName { resource: Resource::Entry(id), .. })),
            ) => {
                let version = version.expect("an entry has a version");
                let stage = Stage::Registered;
                self.drafts.push(Draft { id, version, provider, unconditional, stage });
            }
            (Intent::Advance(draft), Outcome::Done(Some(_))) => {
                self.advance(draft, version.expect("an entry has a version"));
            }
            (Intent::Ask { granted, left }, Outcome::Done(Some(name))) => {
                self.tally.requests += 1;
                let Body::CreateRequest { content, .. } = &change.body else { unreachable!() };
                let entry = self.published.iter().find(|entry| entry.name == content.entry);
                let asker = cast::ASKERS
                    .into_iter()
                    .find(|asker| change.caller == asker.as_system())
                    .expect("an asker asked");
                if let Some(entry) = entry
                    && !granted
                    && !left
                {
                    let version = version.expect("a case has a version");
                    let Published { provider, unconditional, .. } = *entry;
                    self.cases.push(Case { name, version, asker, provider, unconditional });
                }
            }
            (Intent::Decide(_), Outcome::Done(Some(_))) => self.tally.answers += 1,
            (Intent::AskWrongly(reason), Outcome::Refused(refusal)) if refusal.reason == reason => {
                self.tally.refused += 1;
            }
            (Intent::ReuseKey { .. }, Outcome::Refused(refusal))
                if refusal.reason == Reason::RequestIdReused =>
            {
                self.tally.refused += 1;
            }
            // The record of the first call may be gone by now.
            (Intent::ReuseKey { since }, _) if world.calendar().0 - since.0 > GIVE_UP_MS => {}
            (Intent::Repeat { outcome: told, .. }, outcome) if outcome == told => {
                self.tally.repeats += 1;
            }
            (Intent::Repeat { since, .. }, _) if world.calendar().0 - since.0 > GIVE_UP_MS => {}
            // It was granted at once, under a standing answer of which the client had not heard.
            (Intent::Decide(case) | Intent::TakeBack(case), Outcome::Refused(refusal))
                if case.unconditional && refusal.reason == Reason::RequestStateWrong => {}
            // The case fell overdue meanwhile: the client reads it and tries again.
            (Intent::Decide(case) | Intent::TakeBack(case), Outcome::Refused(refusal))
                if refusal.reason == Reason::EtagMismatch =>
            {
                if let Some(version) = actual_version(&refusal) {
                    self.cases.push(Case { version, ..case });
                }
            }
            (intent, outcome) => {
                self.surprises.push(format!("client {id} was told {outcome:?} for {intent:?}"));
            }
        }
    }

    fn advance(&mut self, draft: Draft, version: u64) {
        let name = cast::name(Resource::Entry(draft.id));
        match draft.stage {
            Stage::Registered => {
                self.drafts.push(Draft { version, stage: Stage::Consented, ..draft });
            }
            Stage::Consented => {
                self.drafts.push(Draft { version, stage: Stage::Submitted, ..draft });
            }
            Stage::Submitted if !draft.unconditional && self.prng.chance(20) => {
                self.drafts.push(Draft { version, stage: Stage::Withdrawing, ..draft });
            }
            Stage::Withdrawing => {}
            Stage::Submitted => {
                let Draft { provider, unconditional, .. } = draft;
                let at_once = false;
                self.published.push(Published { name, provider, unconditional, at_once });
                if draft.unconditional {
                    self.drafts.push(Draft { version, stage: Stage::Published, ..draft });
                }
            }
            Stage::Published => {
                for entry in self.published.iter_mut().filter(|entry| entry.name == name) {
                    entry.at_once = true;
                }
            }
        }
    }
}

/// The version that a refusal for a stale etag names.
fn actual_version(refusal: &Refusal) -> Option<u64> {
    refusal.facts.get("actual")?.trim_matches('"').strip_prefix('v')?.parse().ok()
}
