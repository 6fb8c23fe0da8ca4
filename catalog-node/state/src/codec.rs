//! Versioned bytes of stored values: `[format][CBOR]`.
//!
//! Hashes run over these bytes and never over a re-encoding, so a value once written is the same
//! for ever. A new format gets a new first byte; old ones stay readable.

use minicbor::{Decode, Encode};

/// The only format so far: CBOR arrays in the order of the fields' indices.
pub const FORMAT_CBOR: u8 = 1;

/// Room for most values, in bytes: they are written piece by piece, and would otherwise be moved again and
/// again.
const USUAL_BYTES: usize = 256;

/// The stored bytes of `value`.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(FORMAT_CBOR);
    minicbor::encode(value, &mut bytes).expect("writing to a Vec does not fail");
    bytes
}

/// Bytes that are not a value of the wanted kind.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Nothing at all.
    #[error("no bytes")]
    Empty,
    /// A format that this version does not know.
    #[error("format {0} is not known to this version")]
    Format(u8),
    /// The bytes do not fit the value.
    #[error("the bytes do not fit the value")]
    Cbor(#[from] minicbor::decode::Error),
}

/// The value in `bytes`.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    match bytes.split_first() {
        None => Err(DecodeError::Empty),
        Some((&FORMAT_CBOR, rest)) => Ok(minicbor::decode(rest)?),
        Some((&format, _)) => Err(DecodeError::Format(format)),
    }
}
