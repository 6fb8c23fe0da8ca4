//! Search: is there an order of all operations on one register?
//!
//! Wing and Gong's search, with Lowe's memory of situations that led nowhere. A situation is what has
//! been put in order so far, and the value then. Next can come whatever began before the first answer
//! that is still missing. What keeps the search short:
//!
//! * An operation that leaves the value as it is and fits now is put in order at once: whatever order
//!   there is, it can be moved here.
//! * An operation of unknown outcome may be left out. It is tried last, and of several with the same
//!   effect only the one that began first: it can stand wherever another could. And it is tried only
//!   where the next operation depends on it; one that is overwritten at once might as well be missing.
//! * Values that nobody read and no cas expected are one value: nothing tells them apart.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::history::{Kind, Op};

/// A value, numbered.
type Value = u32;
/// The key is absent, as in the beginning.
const ABSENT: Value = 0;
/// Some value that nobody ever asked about.
const UNSEEN: Value = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Read(Value),
    Write(Value),
    Cas {
        expect: Value,
        value: Value,
    },
    /// Something other than this was there.
    CasFailed {
        expect: Value,
    },
}

impl Effect {
    /// The value after it; `None` if it cannot have happened on `state`.
    fn on(self, state: Value) -> Option<Value> {
        match self {
            Self::Read(value) => (value == state).then_some(state),
            Self::Write(value) => Some(value),
            Self::Cas { expect, value } => (expect == state).then_some(value),
            Self::CasFailed { expect } => (expect != state).then_some(state),
        }
    }

    fn only_looks(self) -> bool {
        matches!(self, Self::Read(_) | Self::CasFailed { .. })
    }
}

/// An operation that surely happened.
#[derive(Debug, Clone, Copy)]
struct Sure {
    effect: Effect,
    call: u64,
    end: u64,
}

/// Operations that may have happened, all with one effect, by their beginning.
#[derive(Debug, Clone)]
struct Unsure {
    effect: Effect,
    calls: Vec<u64>,
}

/// What is known of one register.
#[derive(Debug)]
pub struct Register {
    /// By their beginning.
    sure: Vec<Sure>,
    unsure: Vec<Unsure>,
}

/// What the search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// An order that explains everything.
    Order,
    /// There is none.
    Nothing,
    /// More situations than allowed.
    TooMuch,
}

/// How far an order has come.
#[derive(Debug, Clone)]
struct Situation {
    state: Value,
    /// All sure operations before this one are in order.
    next: usize,
    /// And these beyond it, ascending.
    beyond: Vec<usize>,
    /// How many of each group of unsure ones.
    used: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Sure(usize),
    Unsure(usize),
}

impl Register {
    /// The register of these operations as it was known at the moment `until`: what had no answer by
    /// then was unanswered, what began later was not there.
    pub fn of(ops: &[&Op], until: u64) -> Self {
        let known = |op: &Op| op.ok.filter(|_| op.return_ns.is_none_or(|end| end <= until));
        let begun: Vec<&Op> = ops.iter().copied().filter(|op| op.call_ns <= until).collect();

        let mut seen: BTreeSet<&Option<String>> = BTreeSet::new();
        for op in &begun {
            match op.kind {
                Kind::Read if known(op) == Some(true) => drop(seen.insert(&op.output)),
                Kind::Cas => drop(seen.insert(&op.expect)),
                Kind::Read | Kind::Write => {}
            }
        }
        seen.remove(&None);
        let numbers: BTreeMap<&Option<String>, Value> =
            seen.into_iter().zip(UNSEEN + 1..).collect();
        let value = |value: &Option<String>| match value {
            None => ABSENT,
            Some(_) => numbers.get(value).copied().unwrap_or(UNSEEN),
        };

        let mut sure = Vec::new();
        let mut unsure: BTreeMap<Effect, Vec<u64>> = BTreeMap::new();
        for op in begun {
            let expect = value(&op.expect);
            let effect = match (op.kind, known(op)) {
                (Kind::Read, Some(true)) => Effect::Read(value(&op.output)),
                (Kind::Write, Some(true) | None) => Effect::Write(value(&op.input)),
                (Kind::Cas, Some(true) | None) => Effect::Cas { expect, value: value(&op.input) },
                (Kind::Cas, Some(false)) => Effect::CasFailed { expect },
                // Nothing was heard, or nothing was done.
                (Kind::Read, _) | (Kind::Write, Some(false)) => continue,
            };
            if known(op).is_some() {
                let end = op.return_ns.unwrap_or(u64::MAX);
                sure.push(Sure { effect, call: op.call_ns, end });
            } else {
                unsure.entry(effect).or_default().push(op.call_ns);
            }
        }
        sure.sort_by_key(|op| (op.call, op.end));
        let unsure = unsure
            .into_iter()
            .map(|(effect, mut calls)| {
                calls.sort_unstable();
                Unsure { effect, calls }
            })
            .collect();
        Self { sure, unsure }
    }

    /// Looks for an order, at no more than `limit` situations.
    pub fn search(&self, limit: usize) -> Found {
        let mut beginning = Situation {
            state: ABSENT,
            next: 0,
            beyond: Vec::new(),
            used: vec![0; self.unsure.len()],
        };
        self.settle(&mut beginning);
        let mut met: HashSet<Box<[u32]>> = HashSet::new();
        met.insert(beginning.key());
        let mut open = vec![beginning];
        while let Some(situation) = open.pop() {
            if situation.next == self.sure.len() {
                return Found::Order;
            }
            // The last one pushed is looked at first, and unsure operations should come last.
            for step in self.moves(&situation).into_iter().rev() {
                let mut after = situation.clone();
                self.take(&mut after, step);
                let settled = self.settle(&mut after);
                let in_vain =
                    matches!(step, Move::Unsure(_)) && !settled && !self.expects_this(&after);
                if in_vain {
                    continue;
                }
                if met.insert(after.key()) {
                    if met.len() > limit {
                        return Found::TooMuch;
                    }
                    open.push(after);
                }
            }
        }
        Found::Nothing
    }

    /// The sure operations that can come next by their times, and the moment before which an unsure
    /// one must have begun.
    fn next(&self, situation: &Situation) -> (Vec<usize>, u64) {
        let mut first_end = u64::MAX;
        let mut found = Vec::new();
        for (number, op) in self.sure.iter().enumerate().skip(situation.next) {
            if op.call > first_end {
                break;
            }
            if situation.beyond.binary_search(&number).is_err() {
                first_end = first_end.min(op.end);
                found.push(number);
            }
        }
        found.retain(|&number| self.sure[number].call <= first_end);
        (found, first_end)
    }

    /// Everything that changes the value and can come next: sure operations first.
    fn moves(&self, situation: &Situation) -> Vec<Move> {
        let (numbers, first_end) = self.next(situation);
        let sure = numbers
            .into_iter()
            .filter(|&number| self.sure[number].effect.on(situation.state).is_some())
            .map(Move::Sure);
        let unsure = self.unsure.iter().enumerate().filter_map(|(number, group)| {
            let call = group.calls.get(situation.used[number] as usize)?;
            let after = group.effect.on(situation.state)?;
            (*call <= first_end && after != situation.state).then_some(Move::Unsure(number))
        });
        sure.chain(unsure).collect()
    }

    fn take(&self, situation: &mut Situation, step: Move) {
        let effect = match step {
            Move::Sure(number) => self.sure[number].effect,
            Move::Unsure(number) => self.unsure[number].effect,
        };
        situation.state = effect.on(situation.state).expect("only what fits is taken");
        match step {
            Move::Sure(number) => situation.put_in_order(number),
            Move::Unsure(number) => situation.used[number] += 1,
        }
    }

    /// Whether an operation that changes the value can come next because of what it is now.
    fn expects_this(&self, situation: &Situation) -> bool {
        let effect = |step: &Move| match *step {
            Move::Sure(number) => self.sure[number].effect,
            Move::Unsure(number) => self.unsure[number].effect,
        };
        let moves = self.moves(situation);
        moves.iter().any(|step| matches!(effect(step), Effect::Cas { .. }))
    }

    /// Puts in order whatever fits and leaves the value as it is. Says whether there was any.
    fn settle(&self, situation: &mut Situation) -> bool {
        let mut any = false;
        loop {
            let (numbers, _) = self.next(situation);
            let fitting = numbers.into_iter().find(|&number| {
                let effect = self.sure[number].effect;
                effect.only_looks() && effect.on(situation.state).is_some()
            });
            match fitting {
                Some(number) => situation.put_in_order(number),
                None => return any,
            }
            any = true;
        }
    }
}

impl Situation {
    fn put_in_order(&mut self, number: usize) {
        let place = self.beyond.partition_point(|&other| other < number);
        self.beyond.insert(place, number);
        let passed =
            self.beyond.iter().zip(self.next..).take_while(|(n, next)| **n == *next).count();
        self.beyond.drain(..passed);
        self.next += passed;
    }

    /// The same for situations from which the same can follow.
    fn key(&self) -> Box<[u32]> {
        let head = [self.state, self.next as u32];
        let beyond = self.beyond.iter().map(|&number| number as u32);
        head.into_iter().chain(self.used.iter().copied()).chain(beyond).collect()
    }
}

#[cfg(test)]
mod tests;
