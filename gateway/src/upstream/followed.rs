//! Followed: which opening of the cluster does the gateway follow, and is a node of it?
//!
//! A gateway stores nothing. The greatest pair of generation and epoch that it has seen since it
//! started, from whichever node of whichever site or from the witness, is the one it follows, and
//! it never follows a lower one; every call says which, every answer is heard. A node that belongs
//! to an earlier generation is not asked, even if it is the only one that answers: it may be the
//! cut-off rest of a site that was left behind. One that is of the generation and has not applied
//! the last switchover yet is asked last: its log is the cluster's, and it answers nothing that
//! the leader does not confirm.

use std::sync::{Arc, Mutex};

use catalog_model::fence::Said;
use http::HeaderValue;
use luqiao_proto::node::v1::{GetNodeStatusResponse, OpeningPair};
use luqiao_transport::opening::{Ledger, Opening};

use super::locked;

/// The cluster as it introduced itself, and what was seen of its openings.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    /// Empty until a node has answered.
    cluster: String,
    /// The greatest that was seen.
    seen: Said,
    /// As it is said with every call; absent until the cluster is known.
    header: Option<HeaderValue>,
}

/// How a node stands to what is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    /// It belongs to what is followed, or has not said.
    Current,
    /// To the same generation in an earlier epoch.
    Behind,
    /// To an earlier generation.
    Past,
    /// To another cluster.
    Foreign,
}

impl Default for Followed {
    fn default() -> Self {
        Self { cluster: String::new(), seen: Said::NOTHING, header: None }
    }
}

impl Followed {
    /// The cluster, and what the gateway says it has seen.
    pub(super) fn opening(&self) -> Opening {
        Opening { cluster: self.cluster.clone(), said: self.seen }
    }

    /// Hears what a node, or the witness, says. The first cluster that is heard of is ours for good.
    pub(super) fn hear(&mut self, opening: &Opening) {
        if opening.cluster.is_empty() {
            return;
        }
        if self.cluster.is_empty() {
            self.cluster.clone_from(&opening.cluster);
        } else if self.cluster != opening.cluster {
            return;
        }
        let Said { heard, opened, .. } = self.seen;
        let seen = Said {
            belongs: None,
            heard: heard.max(opening.said.heard_at_least()),
            opened: opened.max(opening.said.opened),
        };
        if seen != self.seen || self.header.is_none() {
            if seen.heard > heard {
                tracing::info!(pair = %seen.heard, "Later opening seen");
            }
            self.seen = seen;
            self.header = Some(self.opening().header());
        }
    }

    /// How a node that said so stands to what is followed now.
    pub(super) fn judge(&self, told: Option<&Opening>) -> Follows {
        let Some(Opening { cluster, said }) = told else { return Follows::Current };
        if !self.cluster.is_empty() && !cluster.is_empty() && self.cluster != *cluster {
            return Follows::Foreign;
        }
        match said.belongs {
            Some(belongs) if belongs.generation < self.seen.heard.generation => Follows::Past,
            Some(belongs) if belongs < self.seen.heard => Follows::Behind,
            _ => Follows::Current,
        }
    }
}

/// What a node's status says of openings. Programs that know of none belong to the first of their
/// generation, and it opened.
pub(super) fn told_by(status: &GetNodeStatusResponse) -> Opening {
    use catalog_model::site::Pair;

    let pair = |pair: Option<OpeningPair>| {
        pair.map(|OpeningPair { generation, epoch }| Pair { generation, epoch })
    };
    let first = Pair { generation: status.generation.max(1), ..Pair::FIRST };
    let said = match &status.opening {
        Some(opening) => Said {
            belongs: pair(opening.belongs),
            heard: pair(opening.heard).unwrap_or(Pair::FIRST),
            opened: pair(opening.opened).unwrap_or(Pair::FIRST),
        },
        None => Said { belongs: Some(first), heard: first, opened: first },
    };
    Opening { cluster: status.cluster_id.clone(), said }
}

/// What the gateway says to one node, and where that node's answers are heard.
#[derive(Debug, Clone)]
pub(super) struct NodeVoice {
    pub(super) followed: Arc<Mutex<Followed>>,
    /// What the node said last.
    pub(super) told: Arc<Mutex<Option<Opening>>>,
}

impl Ledger for NodeVoice {
    fn says(&self) -> Option<HeaderValue> {
        locked(&self.followed).header.clone()
    }

    fn hears(&self, opening: Opening) {
        locked(&self.followed).hear(&opening);
        *locked(&self.told) = Some(opening);
    }
}

#[cfg(test)]
mod tests {
    use catalog_model::site::Pair;

    use super::*;

    fn pair(text: &str) -> Pair {
        text.parse().unwrap()
    }

    fn opening(cluster: &str, belongs: &str, heard: &str) -> Opening {
        let belongs = (belongs != "-").then(|| pair(belongs));
        let said = Said { belongs, heard: pair(heard), opened: Pair::FIRST };
        Opening { cluster: cluster.to_owned(), said }
    }

    #[test]
    fn a_lower_pair_is_never_followed_again() {
        let mut followed = Followed::default();
        let mut judged = |told: &Opening| {
            followed.hear(told);
            followed.judge(Some(told))
        };
        for (cluster, belongs, heard, expected) in [
            ("", "-", "1.1", Follows::Current),
            ("a", "3.3", "3.3", Follows::Current),
            ("a", "2.9", "2.9", Follows::Past),
            ("b", "9.9", "9.9", Follows::Foreign),
            ("a", "3.3", "3.4", Follows::Behind),
            ("a", "3.4", "3.4", Follows::Current),
            // A fenced node: what it heard counts, and it is past itself.
            ("a", "3.4", "4.5", Follows::Past),
            ("a", "3.4", "3.4", Follows::Past),
            ("a", "4.5", "4.5", Follows::Current),
            ("a", "-", "1.1", Follows::Current),
        ] {
            let told = opening(cluster, belongs, heard);
            assert_eq!(judged(&told), expected, "{told}");
        }
        assert_eq!(followed.opening().to_string(), "a - 4.5 1.1");
        assert_eq!(followed.judge(None), Follows::Current, "it has not said yet");
    }

    #[test]
    fn nothing_is_said_before_the_cluster_is_known() {
        let followed = Arc::<Mutex<Followed>>::default();
        let voice = NodeVoice { followed: Arc::clone(&followed), told: Arc::default() };
        assert_eq!(voice.says(), None);
        voice.hears(opening("ab", "2.2", "2.3"));
        assert_eq!(voice.says().unwrap(), "ab - 2.3 1.1");
        voice.hears(opening("cd", "9.9", "9.9"));
        assert_eq!(voice.says().unwrap(), "ab - 2.3 1.1");
        let told = locked(&voice.told).clone();
        assert_eq!(locked(&followed).judge(told.as_ref()), Follows::Foreign);
    }

    #[test]
    fn a_program_that_knows_no_openings_belongs_to_the_first_of_its_generation() {
        let status = |generation| GetNodeStatusResponse {
            cluster_id: "ab".to_owned(),
            generation,
            ..Default::default()
        };
        assert_eq!(told_by(&status(1)).to_string(), "ab 1.1 1.1 1.1");
        assert_eq!(told_by(&status(3)).to_string(), "ab 3.1 3.1 3.1");
    }
}
