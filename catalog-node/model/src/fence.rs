//! Fencing: to which opening does a node belong, of which has it heard, and what may it still do?
//!
//! A forced failover opens a new generation while nodes of the old one may be alive and cut off. A
//! node of the old one that goes on answering could acknowledge what the new one will never have.
//! So every node keeps, in the file that outlives its state, the pair it *belongs to* and the
//! greatest one it has *heard* of; every call, answer and handshake carries both; and a node that
//! has heard of a later generation than its own stops.
//!
//! The **generation** fences and the **epoch** does not. Within a generation there is one log: a
//! node that has heard of a later epoch has merely not applied the switchover yet, and learns it
//! from that log like everything else. To stop it would keep it from ever getting there. What the
//! epoch decides is whom gateways follow and which approvals are alive.
//!
//! [`Known`] is all of it, pure: whoever keeps it (the identity file, a simulated disk) makes each
//! change durable before it acts on it. Invariants: `belongs ≤ heard`, `opened ≤ heard`, and none of
//! the three ever falls.

use std::fmt;

use crate::site::Pair;

/// What a node knows of the openings of its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The opening in whose name it speaks. `None` for a node that was begun to join and has not
    /// met its cluster yet: it has promised nothing to anybody.
    pub belongs: Option<Pair>,
    /// The greatest that it was told of, by anyone who may.
    pub heard: Pair,
    /// The greatest of which it was told that it opened.
    pub opened: Pair,
    /// The failover for which it ended its part in the generation it belonged to.
    pub sealed: Option<Sealed>,
}

/// That a node was sealed, for which failover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The failover's id.
    pub failover: FailoverId,
    /// What it opens.
    pub pair: Pair,
}

/// The name of a forced failover, drawn when it begins: 1 to 64 characters of `A-Z`, `a-z`, `0-9`,
/// `-`. The pair alone does not tell two apart that were begun without the witness.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailoverId(String);

impl FailoverId {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for FailoverId {
    type Err = crate::ids::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err(crate::ids::IdError {
                text: text.to_owned(),
                expected: "the id of a failover (1–64 of A-Z, a-z, 0-9, -)",
            })
        }
    }
}

impl fmt::Display for FailoverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a node may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Everything.
    Serving,
    /// Take part in Raft, and answer nobody else: it belongs to a generation that was promoted and
    /// has not opened.
    Opening,
    /// Say how it stands: it heard of a later generation. It may be sealed for one.
    Fenced,
    /// Say how it stands: the later generation opened without it.
    Invalidated,
}

impl Standing {
    /// Its name on the wire and in status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Opening => "opening",
            Self::Fenced => "fenced",
            Self::Invalidated => "invalidated",
        }
    }

    /// Whether the node's replica has ended: it sends, votes and commits nothing.
    pub fn stops_raft(self) -> bool {
        matches!(self, Self::Fenced | Self::Invalidated)
    }
}

/// What somebody said of the openings: with a call, in an answer, in a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// To which it belongs, if it is a node.
    pub belongs: Option<Pair>,
    /// The greatest it heard of. Never less than `belongs`; see [`Said::heard_at_least`].
    pub heard: Pair,
    /// The greatest of which it heard that it opened.
    pub opened: Pair,
}

impl Said {
    /// What programs say that know of no pairs: that there was only ever the first.
    pub const NOTHING: Self = Self { belongs: None, heard: Pair::FIRST, opened: Pair::FIRST };

    /// All that follows from what was said: to belong somewhere, or to know that it opened, is to
    /// have heard of it.
    pub fn heard_at_least(&self) -> Pair {
        let of_belonging = self.belongs.unwrap_or(Pair::FIRST);
        self.heard.max(self.opened).max(of_belonging)
    }
}

/// Why a caller or peer is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// This node heard of a later generation.
    Fenced {
        /// Which.
        heard: Pair,
    },
    /// A later generation opened without this node.
    Invalidated {
        /// Which.
        opened: Pair,
    },
    /// This node's generation has not opened.
    NotOpen {
        /// Which.
        pair: Pair,
    },
    /// The other end follows an opening that is past.
    Past {
        /// The one to which this node belongs.
        pair: Pair,
    },
}

/// Why a node is not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealRefused {
    /// What the failover opens is not later than what the node belongs to.
    #[error("it belongs to {belongs} already")]
    NotLater {
        /// To what.
        belongs: Pair,
    },
    /// It heard of a later one than the failover opens.
    #[error("it heard of {heard}, which is later")]
    Overtaken {
        /// Of what.
        heard: Pair,
    },
    /// A later generation opened without it.
    #[error("{opened} opened, and it takes no part in that: it joins it first")]
    Invalidated {
        /// Which.
        opened: Pair,
    },
    /// It was sealed for another failover that opens the same, or for this one with another pair.
    #[error("it was sealed for failover {failover}, which opens {pair}")]
    Otherwise {
        /// For which.
        failover: FailoverId,
        /// What that opens.
        pair: Pair,
    },
    /// It has not met its cluster: there is nothing to be sealed.
    #[error("it has not joined yet")]
    Joining,
}

/// Why a node does not change the opening to which it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PromoteRefused {
    /// It was not sealed for this failover.
    #[error("it was not sealed for this failover")]
    NotSealed,
    /// It heard of a later one meanwhile.
    #[error("it heard of {heard}, which is later")]
    Overtaken {
        /// Of what.
        heard: Pair,
    },
    /// Another node was promoted: there is one log in a generation.
    #[error("{pair} opened with another node's log")]
    Opened {
        /// Which.
        pair: Pair,
    },
}

impl Known {
    /// Of a founder of a cluster, and of every node of programs that knew of no pairs.
    pub fn founding() -> Self {
        Self { belongs: Some(Pair::FIRST), ..Self::joining() }
    }

    /// Of a node that is to join a cluster and has met none of its nodes.
    pub fn joining() -> Self {
        Self { belongs: None, heard: Pair::FIRST, opened: Pair::FIRST, sealed: None }
    }

    /// Of the node on which a backup was restored, which opened `generation`.
    pub fn restored(generation: u64) -> Self {
        let pair = Pair { generation, ..Pair::FIRST };
        Self { belongs: Some(pair), heard: pair, opened: pair, sealed: None }
    }

    /// In whose name it speaks; the first, while it speaks in none.
    pub fn speaks_for(&self) -> Pair {
        self.belongs.unwrap_or(Pair::FIRST)
    }

    /// What it may do.
    pub fn standing(&self) -> Standing {
        let Some(belongs) = self.belongs else { return Standing::Serving };
        if self.opened.generation > belongs.generation && !self.has_place() {
            Standing::Invalidated
        } else if self.heard.generation > belongs.generation {
            Standing::Fenced
        } else if self.opened.generation < belongs.generation {
            Standing::Opening
        } else {
            Standing::Serving
        }
    }

    /// What it says of itself.
    pub fn said(&self) -> Said {
        Said { belongs: self.belongs, heard: self.heard, opened: self.opened }
    }

    /// It hears what another says. Returns whether it knows more now.
    pub fn hear(&mut self, said: &Said) -> bool {
        let (heard, opened) = (self.heard.max(said.heard_at_least()), self.opened.max(said.opened));
        let more = (heard, opened) != (self.heard, self.opened);
        (self.heard, self.opened) = (heard, opened);
        if self.standing() == Standing::Invalidated {
            // For good: what it was sealed for did not open, and what opens later goes on from what
            // did.
            self.sealed = None;
        }
        more
    }

    /// Whether it was sealed for what opened last: it joins that as it is. Who was not has no place
    /// in it.
    fn has_place(&self) -> bool {
        let opened = self.opened.generation;
        self.sealed.as_ref().is_some_and(|sealed| sealed.pair.generation == opened)
    }

    /// A node of its cluster speaks to it first: a node that joins belongs where that one does, if
    /// that is the greatest that either has heard of. Returns whether it belongs somewhere now that
    /// belonged nowhere before.
    pub fn met(&mut self, said: &Said) -> bool {
        let (None, Some(theirs)) = (self.belongs, said.belongs) else { return false };
        let greatest = self.heard.max(said.heard_at_least());
        if theirs.generation < greatest.generation {
            return false;
        }
        self.belongs = Some(theirs);
        self.hear(said);
        true
    }

    /// It ends its part for `failover`, which opens `pair`. Again for the same one changes nothing:
    /// a node seals once per failover, and says the same as often as it is asked. Returns whether
    /// it is new.
    pub fn seal(&mut self, failover: &FailoverId, pair: Pair) -> Result<bool, SealRefused> {
        let Some(belongs) = self.belongs else { return Err(SealRefused::Joining) };
        if let Some(sealed) = &self.sealed
            && sealed.failover == *failover
            && sealed.pair == pair
        {
            return Ok(false);
        }
        // Also if it has a place there and has not taken it: what it holds is not what counts.
        if self.opened.generation > belongs.generation {
            return Err(SealRefused::Invalidated { opened: self.opened });
        }
        if pair.generation <= belongs.generation {
            return Err(SealRefused::NotLater { belongs });
        }
        if let Some(Sealed { failover: known, pair: for_pair }) = &self.sealed
            && (known == failover || *for_pair >= pair)
        {
            return Err(SealRefused::Otherwise { failover: known.clone(), pair: *for_pair });
        }
        if self.heard > pair {
            return Err(SealRefused::Overtaken { heard: self.heard });
        }
        self.heard = pair;
        self.sealed = Some(Sealed { failover: failover.clone(), pair });
        Ok(true)
    }

    /// It is the node whose log goes on: from now on it belongs to what `failover` opens. Returns
    /// whether that is new.
    pub fn promote(&mut self, failover: &FailoverId) -> Result<bool, PromoteRefused> {
        let sealed = self.sealed.as_ref().filter(|sealed| sealed.failover == *failover);
        let Some(Sealed { pair, .. }) = sealed else { return Err(PromoteRefused::NotSealed) };
        if self.belongs.is_some_and(|belongs| belongs >= *pair) {
            return Ok(false);
        }
        if self.heard > *pair {
            return Err(PromoteRefused::Overtaken { heard: self.heard });
        }
        if self.opened >= *pair {
            return Err(PromoteRefused::Opened { pair: self.opened });
        }
        self.belongs = Some(*pair);
        Ok(true)
    }

    /// It was sealed for `failover`, and the node that was promoted, which says `theirs`, takes it
    /// in; also after it opened. Returns whether that is new.
    pub fn join(&mut self, failover: &FailoverId, theirs: &Said) -> Result<bool, PromoteRefused> {
        let sealed = self.sealed.as_ref().filter(|sealed| sealed.failover == *failover);
        let generation = sealed.ok_or(PromoteRefused::NotSealed)?.pair.generation;
        let into = theirs.belongs.filter(|pair| pair.generation == generation);
        let into = into.ok_or(PromoteRefused::NotSealed)?;
        self.hear(theirs);
        if self.heard.generation > generation {
            return Err(PromoteRefused::Overtaken { heard: self.heard });
        }
        let new = self.belongs < Some(into);
        self.belongs = self.belongs.max(Some(into));
        Ok(new)
    }

    /// A switchover to `pair` was committed in its generation. Returns whether that is new.
    pub fn switched(&mut self, pair: Pair) -> bool {
        let follows = self
            .belongs
            .is_some_and(|belongs| belongs.generation == pair.generation && belongs < pair);
        if follows {
            self.belongs = Some(pair);
            self.heard = self.heard.max(pair);
        }
        follows
    }

    /// `pair` opened. Returns whether that is new.
    pub fn opened(&mut self, pair: Pair) -> bool {
        self.hear(&Said { belongs: None, heard: pair, opened: pair })
    }

    /// Whether a gateway is answered that says so; it was heard before.
    pub fn judge_gateway(&self, said: &Said) -> Result<(), TurnedAway> {
        let own = self.speaks_for();
        match self.standing() {
            Standing::Serving if said.heard_at_least() < own => Err(TurnedAway::Past { pair: own }),
            Standing::Serving => Ok(()),
            Standing::Opening => Err(TurnedAway::NotOpen { pair: own }),
            standing => self.judge_stopped(standing),
        }
    }

    /// Whether a node is spoken with that says so; it was heard before. One that belongs nowhere yet
    /// is: its cluster lets it in.
    pub fn judge_peer(&self, said: &Said) -> Result<(), TurnedAway> {
        let past =
            |own: Pair| said.belongs.is_some_and(|theirs| theirs.generation < own.generation);
        match (self.standing(), self.belongs) {
            (Standing::Serving | Standing::Opening, Some(own)) if past(own) => {
                Err(TurnedAway::Past { pair: own })
            }
            (Standing::Serving | Standing::Opening, _) => Ok(()),
            (standing, _) => self.judge_stopped(standing),
        }
    }

    fn judge_stopped(&self, standing: Standing) -> Result<(), TurnedAway> {
        match standing {
            Standing::Fenced => Err(TurnedAway::Fenced { heard: self.heard }),
            Standing::Invalidated => Err(TurnedAway::Invalidated { opened: self.opened }),
            Standing::Serving | Standing::Opening => Ok(()),
        }
    }

    /// Whether it may be told that it is fenced or sealed: nothing in it contradicts itself.
    pub fn check(&self) -> Result<(), &'static str> {
        let belongs = self.speaks_for();
        if belongs > self.heard {
            return Err("it belongs to an opening of which it has not heard");
        }
        if self.opened > self.heard {
            return Err("an opening opened of which it has not heard");
        }
        if self.sealed.as_ref().is_some_and(|sealed| sealed.pair > self.heard) {
            return Err("it was sealed for an opening of which it has not heard");
        }
        Ok(())
    }
}

impl TurnedAway {
    /// How it is told: to callers in both languages, with the pair that counts.
    pub fn refusal(self) -> crate::refusal::Refusal {
        use crate::{reason::Reason, refusal::Refusal};

        let (reason, pair) = match self {
            Self::Fenced { heard } => (Reason::Fenced, heard),
            Self::Invalidated { opened } => (Reason::NodeInvalidated, opened),
            Self::NotOpen { pair } => (Reason::GenerationNotOpen, pair),
            Self::Past { pair } => (Reason::EpochPast, pair),
        };
        Refusal::new(reason).fact("pair", pair)
    }
}

#[cfg(test)]
mod tests;
