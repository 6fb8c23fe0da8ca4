//! The API of Luqiao: messages and services generated from `proto/luqiao`, and the conversions
//! between them and the values of `catalog-model`.
//!
//! Generated modules carry the comments of the protocol files. What decides anything works on
//! the model; messages are only what travels.

pub mod convert;

/// Descriptors of every protocol file, for reflection and for reading calls by method name.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/luqiao.binpb"));

macro_rules! package {
    ($(#[$doc:meta])* $name:ident, $package:literal) => {
        $(#[$doc])*
        pub mod $name {
            /// Version 1.
            // Written by a generator; of the choices in a message one travels at a time.
            #[allow(
                missing_docs,
                clippy::pedantic,
                clippy::doc_lazy_continuation,
                clippy::large_enum_variant,
                unreachable_pub
            )]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    };
}

package!(
    /// The catalog.
    catalog, "luqiao.catalog.v1");
package!(
    /// Two sites and their witness.
    dr, "luqiao.dr.v1");
package!(
    /// The life of catalog entries.
    entry, "luqiao.entry.v1");
package!(
    /// Between domains.
    federation, "luqiao.federation.v1");
package!(
    /// The law where it meets cases.
    law, "luqiao.law.v1");
package!(
    /// Proofs.
    ledger, "luqiao.ledger.v1");
package!(
    /// Inside a domain: from gateway to node.
    node, "luqiao.node.v1");
package!(
    /// Operations.
    operations, "luqiao.operations.v1");
package!(
    /// Organizations, persons, systems.
    organization, "luqiao.organization.v1");
package!(
    /// Inside a cluster: from node to node.
    peer, "luqiao.peer.v1");
package!(
    /// Quality of data.
    quality, "luqiao.quality.v1");
package!(
    /// What ties entries, systems, sources and functions together.
    relations, "luqiao.relations.v1");
package!(
    /// Rules and calendars.
    rule, "luqiao.rule.v1");
package!(
    /// Requests and grants.
    sharing, "luqiao.sharing.v1");
package!(
    /// Work lists, precedents, statistics.
    work, "luqiao.work.v1");
