//! Approvals: have two different persons signed exactly this, and is it still alive?
//!
//! What is signed is plain text, so that whoever checks one needs no decoder. That a signature is
//! right and its certificate a person's is checked where the approval enters
//! (`catalog_proofs::approval`); here it is decided what the approvals are good for. An approval
//! that was written beforehand, a *prepared token*, has the same form. It dies with its epoch.

use std::str::FromStr;

use minicbor::{Decode, Encode};

use super::CellRefusal;
use crate::{
    ids::{DomainId, IdError},
    name::{Resource, ResourceName},
    site::{Pair, SiteId},
    time::UtcMillis,
};

/// What can be approved. Append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Act {
    /// A forced failover.
    #[n(0)]
    Failover,
    /// A planned switchover.
    #[n(1)]
    Switchover,
    /// The active site goes on alone without a witness: the other one is stopped and stays so.
    #[n(2)]
    Release,
    /// Graded acts are taken while one site alone holds them (DR-02, DR-04).
    #[n(3)]
    ReleaseActs,
    /// A witness that forgot is believed although a site did not answer.
    #[n(4)]
    ConfirmWitness,
}

const ACTS: [(Act, &str); 5] = [
    (Act::Failover, "failover"),
    (Act::Switchover, "switchover"),
    (Act::Release, "release"),
    (Act::ReleaseActs, "release-acts"),
    (Act::ConfirmWitness, "confirm-witness"),
];

impl Act {
    /// Its name in what is signed.
    pub fn name(self) -> &'static str {
        ACTS.iter().find(|(act, _)| *act == self).map_or("", |(_, name)| name)
    }

    /// Whether it leads from one site to another; otherwise both are the active one.
    pub fn moves(self) -> bool {
        matches!(self, Self::Failover | Self::Switchover)
    }
}

impl FromStr for Act {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let found = ACTS.iter().find(|(_, name)| *name == text);
        found.map(|(act, _)| *act).ok_or_else(|| IdError {
            text: text.to_owned(),
            expected: "an act (failover, switchover, release, release-acts, confirm-witness)",
        })
    }
}

/// Whether the active site was released without the witness. The other site cannot see it, so the
/// approvers of a failover are asked. In the order of what is safe to assume.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Release {
    /// It was not.
    #[n(0)]
    No,
    /// The approver does not know.
    #[default]
    #[n(1)]
    NotKnown,
    /// It was.
    #[n(2)]
    Yes,
}

impl Release {
    /// Its name in what is signed.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::NotKnown => "not-known",
            Self::Yes => "yes",
        }
    }
}

impl FromStr for Release {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            "no" => Ok(Self::No),
            "not-known" => Ok(Self::NotKnown),
            "yes" => Ok(Self::Yes),
            _ => Err(IdError {
                text: text.to_owned(),
                expected: "whether a release was given (yes, no, not-known)",
            }),
        }
    }
}

/// What an approver signs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Statement {
    /// Of which domain's sites.
    #[n(0)]
    pub domain: DomainId,
    /// What is approved.
    #[n(1)]
    pub act: Act,
    /// From the site that is active now.
    #[n(2)]
    pub from: SiteId,
    /// To this one; the same for acts that do not move.
    #[n(3)]
    pub to: SiteId,
    /// The opening that it ends or changes: with any other it is dead.
    #[n(4)]
    pub pair: Pair,
    /// The first instant at which it is dead.
    #[n(5)]
    pub expires: UtcMillis,
    /// Whether the active site was released without the witness, as far as the approver knows.
    #[n(6)]
    pub release: Release,
}

impl Statement {
    /// The bytes that the signature covers; see `docs/level-4/sites.md`.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let Self { domain, act, from, to, pair, expires, release } = self;
        let (act, release, expires) = (act.name(), release.name(), expires.0);
        let (generation, epoch) = (pair.generation, pair.epoch);
        format!(
            "luqiao-dr-approval-v1\n{domain}\n{act}\n{from}\n{to}\n{generation}\n{epoch}\n{expires}\n{release}\n"
        )
        .into_bytes()
    }
}

/// A person's signature on a statement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Approval {
    /// What is signed.
    #[n(0)]
    pub statement: Statement,
    /// The person whom the certificate names.
    #[n(1)]
    pub approver: ResourceName,
    /// Over [`Statement::signed_bytes`].
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// DER certificate of the person.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
}

/// What approvals are held against.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of which domain's sites.
    pub domain: &'a DomainId,
    /// The act.
    pub act: Act,
    /// From the active site.
    pub from: &'a SiteId,
    /// To this one.
    pub to: &'a SiteId,
    /// In this opening.
    pub pair: Pair,
    /// Now, by the committed clock of whoever decides.
    pub now: UtcMillis,
    /// Who may approve; empty = every person of the domain.
    pub approvers: &'a [ResourceName],
}

/// Whether at least two different persons approved just this; answers what they say of a release,
/// the least safe answer of all.
///
/// One approval that does not fit refuses them all: nobody is to find out by trying which of a
/// heap of tokens still opens.
pub fn check(approvals: &[Approval], wanted: &Wanted<'_>) -> Result<Release, CellRefusal> {
    let mut persons: Vec<&ResourceName> = Vec::new();
    let mut release = Release::No;
    for approval in approvals {
        fits(approval, wanted)?;
        if persons.contains(&&approval.approver) {
            return Err(CellRefusal::SamePersonTwice);
        }
        persons.push(&approval.approver);
        release = release.max(approval.statement.release);
    }
    if persons.len() < 2 {
        return Err(CellRefusal::TooFewApprovals { given: persons.len() });
    }
    Ok(release)
}

fn fits(approval: &Approval, wanted: &Wanted<'_>) -> Result<(), CellRefusal> {
    let Statement { domain, act, from, to, pair, expires, .. } = &approval.statement;
    let differs = |what| Err(CellRefusal::ApprovalDiffers { what });
    if domain != wanted.domain {
        return differs("domain");
    }
    if *act != wanted.act {
        return differs("act");
    }
    if (from, to) != (wanted.from, wanted.to) {
        return differs("direction");
    }
    if *pair != wanted.pair {
        return differs("epoch");
    }
    let person = &approval.approver;
    let of_domain =
        person.domain == *wanted.domain && matches!(person.resource, Resource::Person(..));
    let listed = wanted.approvers.is_empty() || wanted.approvers.contains(person);
    if !(of_domain && listed) {
        return differs("approver");
    }
    if wanted.now >= *expires {
        return Err(CellRefusal::ApprovalExpired { expired: *expires });
    }
    Ok(())
}
