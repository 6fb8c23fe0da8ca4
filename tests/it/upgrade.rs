//! Upgrade: does a cluster come from an earlier version to this one, a node at a time, while it works?
//!
//! What the earlier nodes wrote is read by the new ones, and the other way round while both are there:
//! no node uses what another does not know before the operator raises the level.

use std::io::Write as _;

use catalog_model::reason::Reason;
use federation_tests::{
    asking::{content, filing},
    clients::Clients,
    cluster::Cluster,
    earlier,
    repository::program,
    role::refusal,
    skipped, until_answered,
};
use luqiao::dev::cast::{DEPARTMENT, OTHER_DEPARTMENT};
use luqiao_proto::{
    catalog::v1::{EntryView, GetEntryRequest, SharingKind},
    sharing::v1::GetRequestRequest,
};

use crate::faults::alone;

#[test]
fn a_cluster_is_upgraded_node_by_node_under_load() {
    let earlier = match earlier::catalog_node() {
        Ok(program) => program,
        Err(reason) => {
            return skipped("upgrade::a_cluster_is_upgraded_node_by_node_under_load", reason);
        }
    };
    alone(async {
        let mut cluster = Cluster::plan(3);
        for node in cluster.nodes() {
            node.process.set_program(earlier.clone());
        }
        cluster.bring_up().await;
        let gateway = cluster.open_gateway();
        let press = cluster.press(&gateway, DEPARTMENT);
        let (asker, head) =
            (cluster.role(&gateway, OTHER_DEPARTMENT), cluster.head(&gateway, OTHER_DEPARTMENT));
        let mut clients = Clients::start(&cluster);
        clients.until_going_on().await;

        // Something lawful is done on every version of the cluster: an entry, and a request for it.
        let mut kept = Vec::new();
        for id in [None, Some(1), Some(2), Some(3)] {
            if let Some(id) = id {
                if id == 3 {
                    let status = cluster.raise_level(2).await.expect_err("node 3 cannot follow");
                    let too_early = [Reason::LevelUnsupported, Reason::MethodUnknown];
                    assert!(too_early.contains(&refusal::<()>(Err(status))));
                }
                let node = cluster.node(id);
                let ended = node.process.terminate();
                assert!(ended.success(), "node {id}, asked to end: {ended}");
                node.process.set_program(program("catalog-node"));
                cluster.start(id);
                cluster.until_caught_up(id).await;
                clients.until_going_on().await;
            }
            let title = format!("第 {} 版", kept.len());
            let entry = press.put(&title, SharingKind::Conditional).await.expect("it is published");
            let call = filing(&asker, &head, content(&asker, &entry));
            let case = until_answered!(asker.sharing().create_request(call)).expect("it is filed");
            kept.push((title, entry.name, case.name));
        }

        let raised = cluster.raise_level(0).await.expect("every node knows the newest");
        assert!(raised.changed && raised.level >= 2, "{raised:?}");
        clients.until_going_on().await;
        for id in cluster.ids() {
            // Whoever leads, and after every node has read its own log and state once more.
            cluster.kill(id);
            cluster.start(id);
            cluster.until_caught_up(id).await;
        }
        assert_eq!(cluster.members().await.level, raised.level);
        for (title, entry, case) in &kept {
            let request =
                GetEntryRequest { name: entry.clone(), view: EntryView::Published.into() };
            let found = until_answered!(asker.catalog().get_entry(request)).expect("an entry");
            assert_eq!(&found.title, title);
            let request = GetRequestRequest { name: case.clone() };
            let found = until_answered!(asker.sharing().get_request(request)).expect("a case");
            assert_eq!(&found.entry, entry);
        }
        writeln!(
            std::io::stderr(),
            "upgraded from {} to level {}",
            earlier::commit(),
            raised.level
        )
        .expect("standard error is open");
        crate::faults::judge(cluster, clients, "a_cluster_is_upgraded", 600).await;
    });
}
