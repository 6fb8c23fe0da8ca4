//! Calls: what do clients ask of a node, and what do they hear?

use catalog_model::{caller::Caller, ids, time::UtcMillis};
use catalog_state::{
    codec,
    command::{Body, Command, MemberChange},
    outcome::Outcome,
};
use sha2::{Digest, Sha256};

use crate::prng::Prng;

/// One attempt of a client.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who waits.
    pub client: u64,
    /// Tells this attempt from the client's others.
    pub attempt: u64,
    /// When the gateway took it, by the right time of day.
    pub received_at: UtcMillis,
    /// By how many milliseconds the gateway's clock is ahead of that; negative = behind.
    pub gateway_ahead_ms: i64,
    /// What is asked.
    pub what: What,
}

/// What a client can ask.
#[derive(Clone, Debug)]
pub enum What {
    /// A change.
    Change(Box<Change>),
    /// The value of a probe key, linearizable.
    Read(Vec<u8>),
    /// Asked by the operator: a change of members.
    Members(MemberChange),
    /// Asked by the operator: another leader.
    Transfer(u64),
}

/// A change as a client asks for it.
#[derive(Clone, Debug)]
pub struct Change {
    /// By whom.
    pub caller: Caller,
    /// The caller's idempotency key; absent for probes.
    pub request_id: Option<String>,
    /// What shall happen. Ids that a shell draws are zero.
    pub body: Body,
}

/// What comes back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// To whom.
    pub client: u64,
    /// To which attempt.
    pub attempt: u64,
    /// What came of it.
    pub result: Result<Answer, NotDone>,
}

/// A call that was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Committed and applied.
    Committed {
        /// Its place in the log.
        index: u64,
        /// Done, or refused by the rules.
        outcome: Outcome,
        /// Version of the resource that the outcome names.
        version: Option<u64>,
    },
    /// A probe value.
    Value(Option<Vec<u8>>),
    /// What the operator asked for is begun, or was so already.
    Begun,
}

/// A call that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// Another node leads, perhaps this one.
    NotLeader(Option<u64>),
    /// The node cannot serve yet.
    NotReady,
    /// The node does not trust its clock.
    ClockAhead,
    /// It was proposed, and whether it will be committed is not known.
    Unknown,
    /// It may not be, or not now.
    Refused,
    /// It took too long to arrive.
    Expired,
}

impl Change {
    /// SHA-256 of the call as received: what a shell draws is not in it.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(codec::encode(&self.body)).into()
    }

    /// The command that a leader proposes for it.
    pub fn command(
        &self,
        stamped_at: UtcMillis,
        received_at: UtcMillis,
        prng: &mut Prng,
    ) -> Command {
        let mut body = self.body.clone();
        draw_ids(&mut body, prng);
        Command {
            level: body.level(),
            stamped_at,
            received_at: Some(received_at),
            caller: self.caller.clone(),
            request_id: self.request_id.clone(),
            call_digest: if self.request_id.is_some() { self.digest() } else { [0; 32] },
            salt: prng.bytes(),
            body,
        }
    }
}

/// Draws the ids that the shell of a node draws: new ones for every attempt.
fn draw_ids(body: &mut Body, prng: &mut Prng) {
    match body {
        Body::CreateOrganization { id, .. } => *id = ids::OrganizationId::from_bytes(prng.bytes()),
        Body::RegisterEntry { id, .. } => *id = ids::EntryId::from_bytes(prng.bytes()),
        Body::CreateRequest { id, grant, .. } => {
            *id = ids::RequestId::from_bytes(prng.bytes());
            *grant = ids::GrantId::from_bytes(prng.bytes());
        }
        Body::AnswerRequest { grant, .. } => *grant = ids::GrantId::from_bytes(prng.bytes()),
        _ => {}
    }
}
