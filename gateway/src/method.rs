//! Method: which public methods are there, and what does the gateway read of their messages?
//!
//! One row for each method of the public packages, made once from the protocol's descriptors and
//! from the table in `luqiao-proto`. The gateway has no code per method: of a message it reads
//! the field that carries the resource name, `request_id` and `page_size`, wherever the
//! descriptors say that they stand, and hands the rest on unread.

use std::{collections::BTreeMap, sync::LazyLock};

use catalog_model::{name::ResourceName, refusal::Refusal};
use luqiao_proto::{
    FILE_DESCRIPTOR_SET,
    convert::methods::{self, Carriage, METHODS, MethodKind, RoutingName},
};
use prost::{
    Message as _,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use prost_types::{DescriptorProto, FileDescriptorSet};

/// Packages that no caller ever sees: they are spoken inside a domain.
const INTERNAL: [&str; 2] = ["luqiao.node.v1", "luqiao.peer.v1"];

/// One public method.
#[derive(Debug)]
pub struct Method {
    /// `/luqiao.catalog.v1.CatalogService/GetEntry`
    pub path: &'static str,
    /// How many messages go which way.
    pub shape: Shape,
    /// Whether the same call may be made twice and take effect once.
    pub repeatable: bool,
    /// Whether it can change anything.
    pub changes: bool,
    /// Whether another domain answers it.
    pub carriage: Carriage,
    row: &'static methods::Method,
    /// Number of the field `request_id` of its message, if it has one.
    request_id: Option<u32>,
    /// The same for `page_size`.
    page_size: Option<u32>,
}

/// How many messages go which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One there, one back.
    Unary,
    /// One there, many back.
    ServerStream,
    /// Many there, each answered by one.
    Bidi,
}

/// What the gateway reads of a message, beside its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// The request id, empty if it is not stated; `None` where the method has none.
    pub request_id: Option<&'a str>,
    /// The page size, 0 if it is not stated; `None` where the method has none.
    pub page_size: Option<i64>,
}

/// Bytes that are not a protocol buffer, or not the wanted one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

static TABLE: LazyLock<BTreeMap<&'static str, Method>> = LazyLock::new(|| {
    let messages = request_messages(&public_descriptors());
    METHODS.iter().map(|row| (row.path, Method::new(row, &messages[row.path]))).collect()
});

/// The descriptors of the public packages and of what they use.
pub fn public_descriptors() -> FileDescriptorSet {
    let mut set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET)
        .expect("the descriptors were written by our own build");
    set.file.retain(|file| !INTERNAL.contains(&file.package()));
    set
}

/// The request message of each method, by the method's path.
fn request_messages(descriptors: &FileDescriptorSet) -> BTreeMap<String, DescriptorProto> {
    let mut by_type = BTreeMap::new();
    for file in &descriptors.file {
        for message in &file.message_type {
            by_type.insert(format!(".{}.{}", file.package(), message.name()), message);
        }
    }
    let mut by_path = BTreeMap::new();
    for file in &descriptors.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                by_path.insert(path, by_type[method.input_type()].clone());
            }
        }
    }
    by_path
}

impl Method {
    fn new(row: &'static methods::Method, message: &DescriptorProto) -> Self {
        let shape = match row.kind {
            MethodKind::Read | MethodKind::Write => Shape::Unary,
            MethodKind::ServerStream => Shape::ServerStream,
            MethodKind::Bidi => Shape::Bidi,
            MethodKind::ClientStream => {
                unreachable!("{}: the API answers every message of a stream", row.path)
            }
        };
        let number = |name: &str| {
            message
                .field
                .iter()
                .find(|field| field.name() == name)
                .map(|field| field.number() as u32)
        };
        Self {
            path: row.path,
            shape,
            repeatable: row.safe_to_retry,
            changes: matches!(row.kind, MethodKind::Write | MethodKind::Bidi),
            carriage: row.carriage,
            row,
            request_id: number("request_id"),
            page_size: number("page_size"),
        }
    }

    /// The public method with this path.
    pub fn find(path: &str) -> Option<&'static Self> {
        TABLE.get(path)
    }

    /// Every public method, in the order of their paths.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.values()
    }

    /// Whether it is spoken between domains.
    pub fn is_federation(&self) -> bool {
        self.path.starts_with("/luqiao.federation.v1.")
    }

    /// Whether nodes and persons of a watched domain ask it of this one, its witness.
    pub fn is_of_witness(&self) -> bool {
        self.row.is_of_witness()
    }

    /// Whether the leader is asked before other nodes: for every change, and for how the cluster
    /// does, which it sees best. Anything else every node answers alike.
    pub fn asks_leader(&self) -> bool {
        self.changes || self.path.starts_with("/luqiao.operations.v1.")
    }

    /// The one resource that the call is about; `None` if it names none, or every domain.
    pub fn name(&self, call: &[u8]) -> Result<Option<ResourceName>, Refusal> {
        Ok(match methods::routing_name(self.row, call)? {
            Some(RoutingName::Resource(name)) => Some(name),
            Some(RoutingName::EveryDomain) | None => None,
        })
    }

    /// Reads what the gateway wants to know of a message, and whether it is one.
    pub fn fields<'a>(&self, call: &'a [u8]) -> Result<Fields<'a>, Unreadable> {
        let mut fields = Fields {
            request_id: self.request_id.map(|_| ""),
            page_size: self.page_size.map(|_| 0),
        };
        let unreadable = |error: prost::DecodeError| Unreadable(error.to_string());
        let mut rest = call;
        while !rest.is_empty() {
            let (number, wire_type) = decode_key(&mut rest).map_err(unreadable)?;
            // Of a field that is repeated, the last counts: so every reader does.
            if self.request_id == Some(number) && wire_type == WireType::LengthDelimited {
                let length = decode_varint(&mut rest).map_err(unreadable)?;
                let text = usize::try_from(length)
                    .ok()
                    .and_then(|length| rest.split_at_checked(length))
                    .ok_or_else(|| Unreadable("request_id is cut off".to_owned()))?;
                rest = text.1;
                fields.request_id = Some(
                    std::str::from_utf8(text.0)
                        .map_err(|_| Unreadable("request_id is not UTF-8".to_owned()))?,
                );
            } else if self.page_size == Some(number) && wire_type == WireType::Varint {
                let value = decode_varint(&mut rest).map_err(unreadable)?;
                // An int32 travels as its two's complement in 64 bits.
                fields.page_size = Some(i64::from(value as i32));
            } else {
                skip_field(wire_type, number, &mut rest, DecodeContext::default())
                    .map_err(unreadable)?;
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests;
