//! Ready: what does somebody need who wants to go on by hand?

use std::fmt::Write as _;

use crate::both;
use crate::language::Bilingual;

use super::{
    cast::{DEPARTMENT, Level},
    topology::Topology,
};

/// Endpoints, certificates, and calls that can be pasted into a shell.
pub(super) fn how_to_go_on(topology: &Topology) -> Bilingual {
    let mut list = String::new();
    for plan in topology.domains.values() {
        let nodes: Vec<String> = plan.nodes.iter().map(|node| node.address.to_string()).collect();
        let _ = writeln!(
            list,
            "  {:9} {:7} gateway {}   nodes {}   CA {}",
            plan.level.word(),
            plan.level.domain_text(),
            plan.gateway,
            nodes.join(" "),
            plan.folder.join("ca.pem").display(),
        );
    }
    let contexts = topology.contexts().display().to_string();
    let plan = topology.of(Level::City);
    let caller = plan.callers().join(format!("{}-{DEPARTMENT}", Level::City.word()));
    let (ca, caller) =
        (plan.folder.join("ca.pem").display().to_string(), caller.display().to_string());
    let gateway = plan.gateway;
    let calls = format!(
        "  luqiao --contexts {contexts} catalog search 维修\n\
         \x20 luqiao --contexts {contexts} --context city-authority status\n\n\
         \x20 buf curl --protocol grpc --cacert {ca} --cert {caller}.pem --key {caller}.key \\\n\
         \x20   --data '{{\"parent\":\"domains/xiamen\",\"query\":\"维修\"}}' \\\n\
         \x20   https://{gateway}/luqiao.catalog.v1.CatalogService/SearchEntries\n\n\
         \x20 grpcurl -cacert {ca} -cert {caller}.pem -key {caller}.key \\\n\
         \x20   -d '{{\"name\":\"domains/xiamen\"}}' {gateway} \\\n\
         \x20   luqiao.operations.v1.OperationsService/GetStatus\n"
    );
    both!(
        "\nThree domains are up.\n{list}\nCertificates of everyone: {{domain}}/callers; one context a role in {contexts}\n\n{calls}\nCtrl-C ends them.",
        "\n三级平台已就绪。\n{list}\n各主体证书位于 {{域}}/callers；每个角色一个上下文：{contexts}\n\n{calls}\n按 Ctrl-C 结束。"
    )
}
