//! Compiles the protocol files without protoc, and keeps their descriptors for reflection.

use std::{env, fs, path::PathBuf};

use prost::Message as _;

const FILES: &[&str] = &[
    "luqiao/catalog/v1/catalog_entry.proto",
    "luqiao/catalog/v1/catalog_service.proto",
    "luqiao/dr/v1/disaster_recovery_service.proto",
    "luqiao/dr/v1/witness_service.proto",
    "luqiao/entry/v1/entry_file.proto",
    "luqiao/entry/v1/entry_service.proto",
    "luqiao/federation/v1/federation_service.proto",
    "luqiao/law/v1/case_outcome.proto",
    "luqiao/law/v1/deadline_explanation.proto",
    "luqiao/law/v1/law_service.proto",
    "luqiao/law/v1/outage.proto",
    "luqiao/law/v1/ruling.proto",
    "luqiao/ledger/v1/ledger_service.proto",
    "luqiao/node/v1/fence_service.proto",
    "luqiao/node/v1/node_service.proto",
    "luqiao/node/v1/probe_service.proto",
    "luqiao/operations/v1/drill_service.proto",
    "luqiao/operations/v1/operations_service.proto",
    "luqiao/organization/v1/organization.proto",
    "luqiao/organization/v1/organization_service.proto",
    "luqiao/peer/v1/peer_service.proto",
    "luqiao/quality/v1/batch.proto",
    "luqiao/quality/v1/error_report.proto",
    "luqiao/quality/v1/personal_objection.proto",
    "luqiao/quality/v1/quality_service.proto",
    "luqiao/relations/v1/attribute_objection.proto",
    "luqiao/relations/v1/collection.proto",
    "luqiao/relations/v1/contract.proto",
    "luqiao/relations/v1/dataset.proto",
    "luqiao/relations/v1/duty.proto",
    "luqiao/relations/v1/emergency.proto",
    "luqiao/relations/v1/function_transfer.proto",
    "luqiao/relations/v1/platform.proto",
    "luqiao/relations/v1/project.proto",
    "luqiao/relations/v1/purchase.proto",
    "luqiao/relations/v1/source.proto",
    "luqiao/rule/v1/rule.proto",
    "luqiao/rule/v1/rule_explanation.proto",
    "luqiao/rule/v1/rule_service.proto",
    "luqiao/sharing/v1/case_file.proto",
    "luqiao/sharing/v1/demand.proto",
    "luqiao/sharing/v1/demand_service.proto",
    "luqiao/sharing/v1/dispute.proto",
    "luqiao/sharing/v1/dispute_service.proto",
    "luqiao/sharing/v1/grant.proto",
    "luqiao/sharing/v1/grant_service.proto",
    "luqiao/sharing/v1/paper_decision.proto",
    "luqiao/sharing/v1/service_change.proto",
    "luqiao/sharing/v1/service_change_service.proto",
    "luqiao/sharing/v1/share_request.proto",
    "luqiao/sharing/v1/sharing_service.proto",
    "luqiao/sharing/v1/use_record.proto",
    "luqiao/work/v1/notice.proto",
    "luqiao/work/v1/work.proto",
    "luqiao/work/v1/work_service.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=luqiao");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let descriptors = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("luqiao.binpb"), descriptors.encode_to_vec())?;
    // Payloads stay what the network delivered: no copy between gateway, node and log.
    let mut config = tonic_prost_build::Config::new();
    config.bytes(["."]);
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}
