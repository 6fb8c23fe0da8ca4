//! Identifiers: which thing is meant, never what it is called or what it means.
//!
//! Ids are ULIDs drawn by the shell and carried in the command, so that every replica stores the
//! same one. Credit codes and national codes are attributes, never keys.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    /// What was given.
    pub text: String,
    /// What was wanted, in words.
    pub expected: &'static str,
}

/// An administrative platform with its own catalog, for instance `xiamen`.
///
/// One to thirty-one characters of `a-z`, `0-9` and `-`, beginning with a letter: it stands in
/// certificate names (`spiffe://xiamen.luqiao/…`) and resource names.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(transparent)]
#[serde(try_from = "String", into = "String")]
pub struct DomainId(#[n(0)] String);

impl DomainId {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = !text.is_empty()
            && text.len() <= 31
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                text: text.to_owned(),
                expected: "a domain id (1–31 of a-z, 0-9, -, beginning with a letter)",
            })
        }
    }
}

impl TryFrom<String> for DomainId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<DomainId> for String {
    fn from(id: DomainId) -> Self {
        id.0
    }
}

impl fmt::Display for DomainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        ///
        /// A ULID, written as 26 characters of Crockford base32.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Ulid);

        impl $name {
            /// The sixteen bytes, in the order in which ids sort.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }

            /// The id with these sixteen bytes.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid::from_bytes(bytes))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Ulid::from_string(text)
                    .ok()
                    .filter(|id| id.to_string() == text)
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.to_owned(), expected: $expected })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.to_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?;
                let bytes: [u8; 16] = bytes
                    .try_into()
                    .map_err(|_| minicbor::decode::Error::message("an id has sixteen bytes"))?;
                Ok(Self::from_bytes(bytes))
            }
        }
    };
}

ulid_id!(
    /// One catalog entry.
    EntryId,
    "an entry id (a ULID)"
);
ulid_id!(
    /// One share request, the id of the case.
    RequestId,
    "a request id (a ULID)"
);
ulid_id!(
    /// One grant.
    GrantId,
    "a grant id (a ULID)"
);
ulid_id!(
    /// One organization.
    OrganizationId,
    "an organization id (a ULID)"
);
ulid_id!(
    /// One person of an organization.
    PersonId,
    "a person id (a ULID)"
);
ulid_id!(
    /// One business system of an organization.
    SystemId,
    "a system id (a ULID)"
);
ulid_id!(
    /// One change of a service that live grants rest on.
    ServiceChangeId,
    "a service change id (a ULID)"
);

ulid_id!(
    /// One recorded ruling of the authority on a point of law.
    RulingId,
    "a ruling id (a ULID)"
);

ulid_id!(
    /// One dispute between asker and provider.
    DisputeId,
    "a dispute id (a ULID)"
);
ulid_id!(
    /// One demand for what the catalog lacks.
    DemandId,
    "a demand id (a ULID)"
);

// Relations and quality.
ulid_id!(
    /// One dataset of an organization.
    DatasetId,
    "a dataset id (a ULID)"
);
ulid_id!(
    /// One objection of the authority to a sharing attribute.
    ObjectionId,
    "an objection id (a ULID)"
);
ulid_id!(
    /// One transfer of a function.
    TransferId,
    "a function transfer id (a ULID)"
);
ulid_id!(
    /// One error report.
    ReportId,
    "an error report id (a ULID)"
);
ulid_id!(
    /// One purchase of data.
    PurchaseId,
    "a purchase id (a ULID)"
);
ulid_id!(
    /// One emergency for which data were taken.
    EmergencyId,
    "an emergency id (a ULID)"
);
ulid_id!(
    /// One objection of a person concerned.
    PersonalObjectionId,
    "a personal objection id (a ULID)"
);
ulid_id!(
    /// One contract on the collection of data.
    ContractId,
    "a collection contract id (a ULID)"
);
ulid_id!(
    /// One project.
    ProjectId,
    "a project id (a ULID)"
);
ulid_id!(
    /// One address at which an organization is told of what concerns it.
    WebhookId,
    "a webhook id (a ULID)"
);
ulid_id!(
    /// One drill.
    DrillId,
    "a drill id (a ULID)"
);

#[cfg(test)]
mod tests;
