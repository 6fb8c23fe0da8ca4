//! Does a cluster keep the cell of another domain as its nodes and persons write it, and nobody else?

use std::fs;

use catalog_model::{
    caller::{Caller, Identity},
    ids::{DomainId, OrganizationId, PersonId},
    name::{Resource, ResourceName},
    reason::Reason,
    site::{Mode, Pair, SiteId},
    time::UtcMillis,
    witness::{
        Act, ActAtRisk, Approval, CellWrite, Deposit, Release, Seal, Statement, Verdict, Writer,
    },
};
use catalog_node::config::Watched;
use catalog_proofs::approval::person_uri;
use luqiao_proto::{
    catalog::v1::{CatalogEntry, DataLevel, Grade, RegisterEntryRequest},
    convert::dr::{approval_message, write_message, writer_message},
    dr::v1::{
        Cell, GetCellRequest, GetStatusRequest, ListActsAtRiskRequest, ListActsAtRiskResponse,
        NodeSite, Policy, RecoveryStatus, ReleaseActsRequest, SetPolicyRequest, SetSitesRequest,
        WriteCellRequest,
    },
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType,
    SigningKey as _,
};

use crate::{
    bench::{
        AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_HEAD, BUREAU_SYSTEM, Cluster, Gateway, SCHOOL,
        SCHOOL_HEAD, SPEC, system,
    },
    story::{PARENT, entry},
};

const WATCHED: &str = "domains/siming";
const GET: &str = "dr.v1.WitnessService/GetCell";
/// The last second of 9999.
const FAR: u64 = 253_402_300_799_000;
const WRITE: &str = "dr.v1.WitnessService/WriteCell";

fn siming() -> DomainId {
    "siming".parse().unwrap()
}

fn site(name: &str) -> SiteId {
    name.parse().unwrap()
}

fn node_of(domain: &str, id: u64) -> Caller {
    Caller { domain: domain.parse().unwrap(), identity: Identity::Node { id: id.to_string() } }
}

fn person_of_siming(number: u8) -> (Caller, ResourceName) {
    let organization = OrganizationId::from_bytes([1; 16]);
    let person = PersonId::from_bytes([number; 16]);
    let identity = Identity::Person { organization, person };
    let name = ResourceName::new(siming(), Resource::Person(organization, person));
    (Caller { domain: siming(), identity }, name)
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Persons 1 and 2 approve the failover, with certificates of this authority.
fn approvals(authority: &CertifiedIssuer<'static, KeyPair>, expires: u64) -> Vec<Approval> {
    let statement = Statement {
        domain: siming(),
        act: Act::Failover,
        from: site("main"),
        to: site("standby"),
        pair: Pair::FIRST,
        expires: UtcMillis(expires),
        release: Release::No,
    };
    let sign = |number| {
        let mut approval = Approval {
            statement: statement.clone(),
            approver: person_of_siming(number).1,
            signature: Vec::new(),
            certificate: Vec::new(),
        };
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names.push(SanType::URI(person_uri(&approval).try_into().unwrap()));
        approval.certificate = params.signed_by(&key, authority).unwrap().der().to_vec();
        approval.signature = key.sign(&statement.signed_bytes()).unwrap();
        approval
    };
    [1, 2].map(sign).to_vec()
}

/// Somebody of the watched domain, with the cell as it was read last.
struct Siming {
    gateway: Gateway,
    revision: u64,
    calls: u32,
}

impl Siming {
    fn request(&mut self, writer: Option<&Writer>, write: &CellWrite) -> WriteCellRequest {
        self.calls += 1;
        WriteCellRequest {
            watched: WATCHED.to_owned(),
            revision: self.revision,
            writer: writer.map(writer_message),
            request_id: format!("write-{}", self.calls),
            write: Some(write_message(write)),
        }
    }

    async fn write(&mut self, caller: &Caller, by: Option<&Writer>, write: &CellWrite) -> Cell {
        let request = self.request(by, write);
        let cell: Cell = self.gateway.call(1, caller, WRITE, &request).await.unwrap();
        self.revision = cell.revision;
        cell
    }

    async fn refused(&mut self, caller: &Caller, by: Option<&Writer>, write: &CellWrite) -> Reason {
        let request = self.request(by, write);
        self.gateway.refused(1, caller, WRITE, &request).await
    }
}

fn register() -> CellWrite {
    CellWrite::Register {
        sites: vec![site("main"), site("standby")],
        active: site("main"),
        mode: Mode::Sync,
        approvers: vec![person_of_siming(1).1, person_of_siming(2).1],
        approvals: Vec::new(),
    }
}

fn writer(node: u64, at: &str, pair: Pair, term: u64) -> Writer {
    Writer { node, site: site(at), pair, term }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dr_01_a_witness_takes_a_failover_from_two_persons_of_the_watched_domain() {
    let mut cluster = Cluster::prepare(1);
    let trusted = authority();
    let file = cluster.path("siming.pem");
    fs::write(&file, trusted.pem()).unwrap();
    cluster.watched = vec![Watched { domain: siming(), authorities: file }];
    cluster.begin(SPEC).await;
    let mut siming = Siming { gateway: cluster.gateway(), revision: 0, calls: 0 };
    let (main, standby) = (node_of("siming", 1), node_of("siming", 4));
    let leader = writer(1, "main", Pair::FIRST, 5);

    let get = GetCellRequest { watched: WATCHED.to_owned() };
    assert_eq!(siming.gateway.refused(1, &main, GET, &get).await, Reason::CellUnknown);
    let (not_itself, foreign) = (node_of("siming", 2), node_of("fujian", 1));
    for stranger in [&not_itself, &foreign] {
        let refused = siming.refused(stranger, Some(&leader), &register()).await;
        assert_eq!(refused, Reason::CallerNotPermitted);
    }
    let cell = siming.write(&main, Some(&leader), &register()).await;
    assert!(!cell.confirmed, "a witness that never was looks like one that forgot");
    let answers = writer(4, "standby", Pair::FIRST, 5);
    assert!(siming.write(&standby, Some(&answers), &CellWrite::Confirm).await.confirmed);

    // Seen by both domains, and by no third.
    let own = system(BUREAU, BUREAU_SYSTEM);
    for caller in [&main, &own] {
        let cell: Cell = siming.gateway.call(1, caller, GET, &get).await.unwrap();
        assert_eq!((cell.revision, cell.mode.as_str()), (2, "sync"));
    }
    assert_eq!(siming.gateway.refused(1, &foreign, GET, &get).await, Reason::NotFound);

    // Main goes on alone, and names what it alone holds.
    siming.write(&main, Some(&leader), &CellWrite::SetMode { mode: Mode::Async }).await;
    let act = ActAtRisk { index: 50, name: person_of_siming(1).1 };
    let deposit = Deposit { index: 50, ledger_size: 7, root: [1; 32], signature: vec![2], acts: 1 };
    let renewal = CellWrite::Renew { deposit: Some(deposit), named: vec![act] };
    siming.write(&main, Some(&leader), &renewal).await;

    // An approval counts if a person of the domain signed just this, and while it is alive.
    let operator = person_of_siming(1).0;
    let failover = |approvals| CellWrite::BeginFailover { to: site("standby"), approvals };
    let forged = failover(approvals(&authority(), FAR));
    assert_eq!(siming.refused(&operator, None, &forged).await, Reason::ApprovalDiffers);
    let mut changed = approvals(&trusted, FAR);
    changed[1].statement.release = Release::Yes;
    let refused = siming.refused(&operator, None, &failover(changed)).await;
    assert_eq!(refused, Reason::ApprovalDiffers);
    let dead = failover(approvals(&trusted, 1_000));
    assert_eq!(siming.refused(&operator, None, &dead).await, Reason::ApprovalExpired);
    let mut one = approvals(&trusted, FAR);
    one.truncate(1);
    let refused = siming.refused(&operator, None, &failover(one)).await;
    assert_eq!(refused, Reason::ApprovalsMissing);
    let sound = failover(approvals(&trusted, FAR));
    let cell = siming.write(&operator, None, &sound).await;
    let found = cell.failover.unwrap();
    assert_eq!((found.best_verdict.as_str(), found.found.unwrap().wait_ms), ("bounded", 37_500));
    let late = siming.refused(&main, Some(&leader), &CellWrite::Take).await;
    assert_eq!(late, Reason::CellPairDiffers);

    let list = ListActsAtRiskRequest { watched: WATCHED.to_owned(), after: 0, limit: 0 };
    let method = "dr.v1.WitnessService/ListActsAtRisk";
    let acts: ListActsAtRiskResponse =
        siming.gateway.call(1, &operator, method, &list).await.unwrap();
    assert_eq!(acts.acts[0].index, 50);

    let seal = Seal {
        node: 4,
        site: site("standby"),
        belonged: Pair::FIRST,
        last_term: 5,
        last_index: 49,
        commit: 49,
    };
    siming.write(&standby, Some(&answers), &CellWrite::ReportSeal { seal }).await;
    let promoted = writer(4, "standby", Pair { generation: 2, epoch: 2 }, 1_005);
    let open = CellWrite::Open { verdict: Verdict::Bounded, nodes: vec![4] };
    let cell = siming.write(&standby, Some(&promoted), &open).await;
    assert_eq!((cell.active_site.as_str(), cell.lease.unwrap().term), ("standby", 1_005));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dr_04_nothing_is_graded_core_without_a_policy() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let (bureau, authority) = (system(BUREAU, BUREAU_SYSTEM), system(AUTHORITY, AUTHORITY_SYSTEM));
    let register = |number: u32| RegisterEntryRequest {
        parent: PARENT.to_owned(),
        entry: Some(CatalogEntry {
            grade: Some(Grade { level: DataLevel::Core.into(), grade: 0 }),
            ..entry()
        }),
        request_id: format!("register-{number}"),
    };
    let method = "catalog.v1.CatalogService/RegisterEntry";
    let refused = gateway.refused(1, &bureau, method, &register(1)).await;
    assert_eq!(refused, Reason::DrPolicyMissing);

    let person =
        |organization, person| format!("{PARENT}/organizations/{organization}/persons/{person}");
    let policy = SetPolicyRequest {
        name: PARENT.to_owned(),
        policy: Some(Policy {
            document_number: "DR-1".to_owned(),
            digest: vec![9; 32].into(),
            approvers: vec![person(BUREAU, BUREAU_HEAD), person(SCHOOL, SCHOOL_HEAD)],
            witness: "fujian".to_owned(),
            ..Default::default()
        }),
        request_id: "policy".to_owned(),
    };
    let set_policy = "dr.v1.DisasterRecoveryService/SetPolicy";
    let refused = gateway.refused(1, &bureau, set_policy, &policy).await;
    assert_eq!(refused, Reason::CallerNotPermitted);
    let policy = SetPolicyRequest { request_id: "policy-2".to_owned(), ..policy };
    let status: RecoveryStatus = gateway.call(1, &authority, set_policy, &policy).await.unwrap();
    assert_eq!(status.policy.unwrap().version, 1);
    let _: CatalogEntry = gateway.call(1, &bureau, method, &register(2)).await.unwrap();

    // One node is at one site.
    let sites = SetSitesRequest {
        name: PARENT.to_owned(),
        version: 0,
        nodes: vec![NodeSite { node: 1, site: "main".to_owned() }],
        active_site: "main".to_owned(),
        request_id: "sites".to_owned(),
    };
    let set_sites = "dr.v1.DisasterRecoveryService/SetSites";
    let refused = gateway.refused(1, &authority, set_sites, &sites).await;
    assert_eq!(refused, Reason::SiteRefused);
    // An approval that nobody signed is none, whatever it is for.
    let unsigned = approvals(&self::authority(), FAR);
    let release = ReleaseActsRequest {
        name: PARENT.to_owned(),
        approvals: unsigned.iter().map(approval_message).collect(),
        reason: "flood".to_owned(),
        request_id: "release".to_owned(),
    };
    let method = "dr.v1.DisasterRecoveryService/ReleaseActs";
    let refused = gateway.refused(1, &authority, method, &release).await;
    assert_eq!(refused, Reason::ApprovalDiffers);
    let ask = GetStatusRequest { name: PARENT.to_owned() };
    let method = "dr.v1.DisasterRecoveryService/GetStatus";
    let status: RecoveryStatus = gateway.call(1, &bureau, method, &ask).await.unwrap();
    assert!(status.sites.is_none() && status.policy.is_some());
}
