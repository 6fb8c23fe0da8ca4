//! What a change of the law leaves to be counted again is counted, whatever moves the clock.

use std::time::Duration;

use catalog_model::{name::ResourceName, time::UtcMillis};
use catalog_state::{
    ledger::{Fact, Ledger},
    view::View,
};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, LegalCitation, SharingAttribute, SharingKind},
    rule::v1::{
        Calendar, ClosureEffect, DeclareClosureRequest, GetPendingWorkRequest,
        GetPendingWorkResponse, Rank,
    },
    sharing::v1::{GetRequestRequest, ShareRequest},
};
use tokio::time::timeout;

use crate::{
    bench::{AUTHORITY, AUTHORITY_SYSTEM, Cluster, SCHOOL, SCHOOL_SYSTEM, SPEC, system},
    story::{PARENT, entry, publish, request},
};

/// More clocks than one portion looks at.
const CASES: usize = 300;
const PORTION: u64 = 256;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_in_portions_goes_on_under_a_development_clock_that_nobody_moves() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let attribute = SharingAttribute {
        kind: SharingKind::Conditional.into(),
        scope: "各级政务部门".to_owned(),
        purpose: "履行职责".to_owned(),
        basis: Some(LegalCitation {
            title: "《测试用法》".to_owned(),
            article: "第九条".to_owned(),
            rank: Rank::Law.into(),
            quote: "不得向他人提供".to_owned(),
        }),
        ..Default::default()
    };
    let conditional = CatalogEntry { sharing: Some(attribute), ..entry() };
    let listed = publish(&gateway, conditional).await;
    let school = system(SCHOOL, SCHOOL_SYSTEM);
    let mut names = Vec::new();
    for number in 0..CASES {
        let ask = request(&listed.name, &format!("ask {number}"));
        let method = "sharing.v1.SharingService/CreateRequest";
        let case: ShareRequest = gateway.call(1, &school, method, &ask).await.unwrap();
        assert_eq!(case.deadline.unwrap().due_date, "2026-10-12");
        names.push(case.name);
    }

    let handle = cluster.nodes[&1].handle();
    let clock = || handle.view(|state| View(state).clock());
    let before: UtcMillis = clock();
    let close = DeclareClosureRequest {
        parent: PARENT.to_owned(),
        document_number: "厦汛〔2026〕9号".to_owned(),
        days: vec!["2026-09-23".to_owned()],
        effect: ClosureEffect::NotCounted.into(),
        request_id: "close".to_owned(),
    };
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let method = "rule.v1.RuleService/DeclareClosure";
    let _: Calendar = gateway.call(1, &authority, method, &close).await.unwrap();

    // The status changes with every command that is applied.
    let mut status = handle.watch_status();
    let done = status.wait_for(|_| handle.view(|state| View(state).pending_work().is_empty()));
    timeout(Duration::from_mins(1), done).await.expect("it ends").expect("the node runs");
    let works: GetPendingWorkResponse = gateway
        .call(
            1,
            &school,
            "rule.v1.RuleService/GetPendingWork",
            &GetPendingWorkRequest { name: PARENT.to_owned() },
        )
        .await
        .unwrap();
    assert!(works.works.is_empty(), "{works:?}");
    assert_eq!(clock(), before, "only a person moves a development clock");
    for name in names {
        let ask = GetRequestRequest { name };
        let method = "sharing.v1.SharingService/GetRequest";
        let case: ShareRequest = gateway.call(1, &school, method, &ask).await.unwrap();
        assert_eq!(case.deadline.unwrap().due_date, "2026-10-13");
    }
    // It was more than the command itself could do.
    let domain: ResourceName = PARENT.parse().unwrap();
    let looked_at = handle.view(|state| {
        let ledger = Ledger(state);
        let places = ledger.of_subject(&domain);
        places.iter().rev().find_map(|place| match ledger.record(*place)?.fact {
            Fact::RecomputeFinished { looked_at, .. } => Some(looked_at),
            _ => None,
        })
    });
    assert!(looked_at.expect("it is on record") > PORTION, "{looked_at:?}");
}
