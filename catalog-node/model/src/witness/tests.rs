use std::fmt::Write as _;

use super::{approval::Wanted, *};
use crate::{
    ids::{DomainId, OrganizationId, PersonId},
    name::Resource,
    reason::Reason,
    refusal::Refusal,
};

mod chance;

fn site(name: &str) -> SiteId {
    name.parse().unwrap()
}

fn domain() -> DomainId {
    "xiamen".parse().unwrap()
}

fn pair(text: &str) -> Pair {
    text.parse().unwrap()
}

fn person(number: u8) -> ResourceName {
    let organization = OrganizationId::from_bytes([1; 16]);
    ResourceName::new(domain(), Resource::Person(organization, PersonId::from_bytes([number; 16])))
}

fn sites() -> Vec<SiteId> {
    vec![site("main"), site("standby")]
}

fn approval(number: u8, statement: &Statement) -> Approval {
    let (signature, certificate) = (vec![number], vec![number]);
    Approval { statement: statement.clone(), approver: person(number), signature, certificate }
}

fn statement(act: Act, from: &str, to: &str, of: &str) -> Statement {
    Statement {
        domain: domain(),
        act,
        from: site(from),
        to: site(to),
        pair: pair(of),
        expires: UtcMillis(1_000),
        release: Release::No,
    }
}

fn approvals(act: Act, from: &str, to: &str, of: &str) -> Vec<Approval> {
    let statement = statement(act, from, to, of);
    vec![approval(1, &statement), approval(2, &statement)]
}

fn writer(node: u64, at: &str, of: &str, term: u64) -> Writer {
    Writer { node, site: site(at), pair: pair(of), term }
}

/// A witness and what it keeps.
#[derive(Debug, Clone)]
struct Witness {
    cell: Option<Cell>,
    now: UtcMillis,
    generation: u64,
}

impl Witness {
    fn write(&mut self, by: Option<&Writer>, write: &CellWrite) -> Result<Cell, CellRefusal> {
        let revision = self.cell.as_ref().map_or(0, |cell| cell.revision);
        self.write_at(revision, by, write)
    }

    fn write_at(
        &mut self,
        revision: u64,
        writer: Option<&Writer>,
        write: &CellWrite,
    ) -> Result<Cell, CellRefusal> {
        let domain = domain();
        let (now, witness_generation) = (self.now, self.generation);
        let context = Context { domain: &domain, revision, writer, now, witness_generation };
        let cell = decide(self.cell.as_ref(), write, &context)?;
        self.cell = Some(cell.clone());
        Ok(cell)
    }

    fn cell(&self) -> &Cell {
        self.cell.as_ref().unwrap()
    }

    /// Main leads with node 1 in term 5, both sites have said so.
    fn in_sync() -> Self {
        let mut witness = Self { cell: None, now: UtcMillis(10), generation: 1 };
        witness.write(Some(&writer(1, "main", "1.1", 5)), &register("main", Mode::Sync)).unwrap();
        witness.write(Some(&writer(4, "standby", "1.1", 5)), &CellWrite::Confirm).unwrap();
        witness
    }

    /// And it goes on alone since.
    fn in_async() -> Self {
        let mut witness = Self::in_sync();
        let leader = writer(1, "main", "1.1", 5);
        witness.write(Some(&leader), &CellWrite::SetMode { mode: Mode::Async }).unwrap();
        witness
    }
}

fn register(active: &str, mode: Mode) -> CellWrite {
    CellWrite::Register {
        sites: sites(),
        active: site(active),
        mode,
        approvers: vec![person(1), person(2), person(3)],
        approvals: Vec::new(),
    }
}

fn fail_over(from: &str, to: &str, of: &str) -> CellWrite {
    CellWrite::BeginFailover { to: site(to), approvals: approvals(Act::Failover, from, to, of) }
}

fn seal(node: u64, at: &str, of: &str, (last_term, last_index): (u64, u64)) -> CellWrite {
    let (site, belonged) = (site(at), pair(of));
    CellWrite::ReportSeal {
        seal: Seal { node, site, belonged, last_term, last_index, commit: last_index },
    }
}

fn deposit(index: u64, ledger_size: u64, acts: u64) -> Deposit {
    Deposit { index, ledger_size, root: [index as u8; 32], signature: vec![1], acts }
}

fn act(index: u64) -> ActAtRisk {
    ActAtRisk { index, name: ResourceName::new(domain(), Resource::Domain) }
}

fn renewal(deposit: Option<Deposit>, named: &[u64]) -> CellWrite {
    CellWrite::Renew { deposit, named: named.iter().map(|index| act(*index)).collect() }
}

#[test]
fn a_site_is_lost_in_sync_and_nothing_with_it() {
    let mut witness = Witness::in_sync();
    let cell = witness.write(None, &fail_over("main", "standby", "1.1")).unwrap();
    assert_eq!((cell.pair, cell.mode), (pair("2.2"), Mode::Async));
    let failover = cell.failover.unwrap();
    assert_eq!((failover.found.mode, failover.found.wait_ms()), (Mode::Sync, 0));
    assert_eq!(failover.best_verdict(), Verdict::ProvenZero);

    // Main hears of it and writes no more.
    let old = writer(1, "main", "1.1", 6);
    let refused = witness.write(Some(&old), &CellWrite::Take);
    assert_eq!(refused, Err(CellRefusal::PairDiffers { pair: pair("2.2") }));

    for (node, end) in [(4, (5, 90)), (5, (5, 80))] {
        let by = writer(node, "standby", "1.1", 5);
        witness.write(Some(&by), &seal(node, "standby", "1.1", end)).unwrap();
    }
    let open =
        |nodes: &[u64]| CellWrite::Open { verdict: Verdict::ProvenZero, nodes: nodes.to_vec() };
    let shorter = witness.write(Some(&writer(5, "standby", "2.2", 1005)), &open(&[4, 5]));
    assert_eq!(shorter, Err(CellRefusal::NotPromotable));
    let promoted = writer(4, "standby", "2.2", 1005);
    let same_term = witness.write(Some(&Writer { term: 5, ..promoted.clone() }), &open(&[4]));
    assert_eq!(same_term, Err(CellRefusal::NotPromotable));
    let cell = witness.write(Some(&promoted), &open(&[4, 5])).unwrap();
    assert_eq!((cell.pair, cell.active_site.as_str()), (pair("2.2"), "standby"));
    assert_eq!(cell.lease.map(|lease| lease.term), Some(1005));
    assert!(cell.failover.is_none() && cell.opened.unwrap().verdict == Verdict::ProvenZero);
}

#[test]
fn a_lease_is_waited_out_and_what_is_at_risk_is_named() {
    let mut witness = Witness::in_async();
    let leader = writer(1, "main", "1.1", 5);
    let cell = witness.write(Some(&leader), &renewal(Some(deposit(50, 7, 2)), &[48, 50])).unwrap();
    assert_eq!(cell.lease, Some(Lease { term: 5, length_ms: LEASE_MS, renewals: 1 }));
    witness.write(Some(&leader), &renewal(Some(deposit(60, 8, 3)), &[60])).unwrap();
    let cell = witness.write(None, &fail_over("main", "standby", "1.1")).unwrap();
    let failover = cell.failover.unwrap();
    assert_eq!(failover.found.wait_ms(), LEASE_MS + LEASE_MS / 4);
    assert_eq!(failover.found.deposit.as_ref().unwrap().index, 60);
    assert_eq!(failover.best_verdict(), Verdict::Bounded);
    // The old leader cannot renew any more.
    let late = witness.write(Some(&leader), &renewal(None, &[]));
    assert_eq!(late, Err(CellRefusal::PairDiffers { pair: pair("2.2") }));
}

/// Execution 3: `sync`, sent before, arrives after `async` over a connection that was dropped.
#[test]
fn a_delayed_write_does_not_land_after_its_successor() {
    let mut witness = Witness::in_async();
    let leader = writer(1, "main", "1.1", 5);
    let revision = witness.cell().revision;
    let sync = CellWrite::SetMode { mode: Mode::Sync };
    witness.write(Some(&leader), &renewal(None, &[])).unwrap();
    let late = witness.write_at(revision, Some(&leader), &sync);
    assert_eq!(late, Err(CellRefusal::Changed { revision: revision + 1 }));
    assert_eq!(witness.cell().mode, Mode::Async);
}

#[test]
fn a_lease_dies_with_its_term() {
    let mut witness = Witness::in_async();
    let (old, new) = (writer(1, "main", "1.1", 5), writer(2, "main", "1.1", 6));
    let early = witness.write(Some(&new), &renewal(None, &[]));
    assert_eq!(early, Err(CellRefusal::LeaseElsewhere));
    let cell = witness.write(Some(&new), &CellWrite::Take).unwrap();
    assert_eq!(cell.lease, Some(Lease { term: 6, length_ms: LEASE_MS, renewals: 0 }));
    let past = witness.write(Some(&old), &renewal(None, &[]));
    assert_eq!(past, Err(CellRefusal::TermPast { term: 6 }));
    assert_eq!(past.unwrap_err().reason(), Reason::CellTermPast);
    // Two leaders of one term there are not.
    let twin = witness.write(Some(&writer(3, "main", "1.1", 6)), &CellWrite::Take);
    assert_eq!(twin, Err(CellRefusal::TermPast { term: 6 }));
    // Elsewhere the cell can be taken, to be handed on, but there is no lease with it.
    let cell = witness.write(Some(&writer(4, "standby", "1.1", 7)), &CellWrite::Take).unwrap();
    assert_eq!(cell.lease, None);

    // Who says anew which sites there are leads too, and has no lease of another's term.
    let mut witness = Witness::in_async();
    let cell = witness.write(Some(&new), &register("main", Mode::Async)).unwrap();
    assert_eq!((cell.term, cell.lease), (6, None));
}

#[test]
fn without_a_failover_nothing_is_sealed_and_nothing_opens() {
    let mut witness = Witness::in_async();
    let sealed = seal(4, "standby", "1.1", (5, 10));
    let opened = CellWrite::Open { verdict: Verdict::Unknown, nodes: vec![4, 5] };
    for (write, by) in
        [(sealed, writer(4, "standby", "1.1", 5)), (opened, writer(4, "standby", "1.1", 1_005))]
    {
        let refused = witness.write(Some(&by), &write).unwrap_err();
        assert_eq!(refused, CellRefusal::NoFailover);
        assert_eq!(refused.reason(), Reason::FailoverNotInProgress);
    }
}

/// Execution 11: the standby dies before it opens; main can be sealed and opened.
#[test]
fn what_was_found_is_kept_until_something_opens() {
    let mut witness = Witness::in_async();
    let leader = writer(1, "main", "1.1", 5);
    witness.write(Some(&leader), &renewal(Some(deposit(50, 7, 0)), &[])).unwrap();
    let mut said = approvals(Act::Failover, "main", "standby", "1.1");
    said[1].statement.release = Release::NotKnown;
    let begin = CellWrite::BeginFailover { to: site("standby"), approvals: said };
    let first = witness.write(None, &begin).unwrap().failover.unwrap();
    let by = writer(4, "standby", "1.1", 5);
    witness.write(Some(&by), &seal(4, "standby", "1.1", (5, 40))).unwrap();

    let cell = witness.write(None, &fail_over("standby", "main", "2.2")).unwrap();
    assert_eq!((cell.pair, cell.active_site.as_str()), (pair("3.3"), "main"));
    let second = cell.failover.unwrap();
    assert_eq!(second.found, first.found);
    assert_eq!((second.release, second.seals), (Release::NotKnown, vec![]));
    let by = writer(2, "main", "1.1", 5);
    witness.write(Some(&by), &seal(2, "main", "1.1", (5, 50))).unwrap();
    let open = CellWrite::Open { verdict: Verdict::Bounded, nodes: vec![2] };
    let cell = witness.write(Some(&writer(2, "main", "3.3", 1005)), &open).unwrap();
    assert_eq!(cell.opened.unwrap().pair, pair("3.3"));
}

/// Execution 12: a witness that was restored to before the failover.
#[test]
fn a_witness_that_forgot_gives_no_second_lease() {
    let mut witness = Witness::in_async();
    witness.generation = 2;
    let old = writer(1, "main", "1.1", 5);
    assert_eq!(witness.write(Some(&old), &renewal(None, &[])), Err(CellRefusal::Unconfirmed));
    let cell = witness.write(Some(&old), &register("main", Mode::Async)).unwrap();
    assert_eq!((cell.lease, cell.is_confirmed(2)), (None, false));
    assert_eq!(witness.write(Some(&old), &CellWrite::Take).unwrap().lease, None);
    // The standby, which opened meanwhile, answers with what it belongs to.
    let promoted = writer(4, "standby", "2.2", 1005);
    let cell = witness.write(Some(&promoted), &CellWrite::Confirm).unwrap();
    assert_eq!((cell.pair, cell.confirmation.registered), (pair("2.2"), false));
    let past = witness.write(Some(&old), &register("main", Mode::Async));
    assert_eq!(past, Err(CellRefusal::PairDiffers { pair: pair("2.2") }));
    witness.write(Some(&promoted), &register("standby", Mode::Async)).unwrap();
    assert_eq!(witness.write(Some(&promoted), &CellWrite::Take).unwrap().lease, None);
    // Main is lost: two persons stand in for it.
    let vouch = CellWrite::ConfirmByApproval {
        approvals: approvals(Act::ConfirmWitness, "standby", "standby", "2.2"),
    };
    assert!(witness.write(None, &vouch).unwrap().is_confirmed(2));
    let cell = witness.write(Some(&promoted), &CellWrite::Take).unwrap();
    assert_eq!(cell.lease.map(|lease| lease.term), Some(1005));
}

#[test]
fn a_witness_that_forgot_takes_a_failover_from_the_nodes_pair() {
    let mut witness = Witness::in_sync();
    witness.generation = 2;
    let cell = witness.write(None, &fail_over("standby", "main", "4.6")).unwrap();
    let failover = cell.failover.as_ref().unwrap();
    assert_eq!((cell.pair, failover.found.confirmed), (pair("5.7"), false));
    assert_eq!(failover.found.wait_ms(), LEASE_MS + LEASE_MS / 4);
    assert_eq!(failover.best_verdict(), Verdict::Unknown);
}

#[test]
fn a_failover_without_witness_is_registered_before_anybody_returns() {
    let mut witness = Witness::in_sync();
    let promoted = writer(4, "standby", "2.2", 1005);
    let plain = register("standby", Mode::Async);
    let bare = witness.write(Some(&promoted), &plain);
    assert_eq!(bare, Err(CellRefusal::TooFewApprovals { given: 0 }));
    let CellWrite::Register { sites, active, mode, approvers, .. } = plain else { unreachable!() };
    let approvals = approvals(Act::Failover, "main", "standby", "1.1");
    let register = CellWrite::Register { sites, active, mode, approvers, approvals };
    let cell = witness.write(Some(&promoted), &register).unwrap();
    assert_eq!((cell.pair, cell.opened.unwrap().verdict), (pair("2.2"), Verdict::Unknown));
    let old = writer(1, "main", "1.1", 6);
    let refused = witness.write(Some(&old), &CellWrite::Take);
    assert_eq!(refused, Err(CellRefusal::PairDiffers { pair: pair("2.2") }));
}

#[test]
fn a_planned_switchover_needs_sync_and_two_persons() {
    let mut witness = Witness::in_async();
    let target = writer(4, "standby", "1.1", 9);
    let switch =
        CellWrite::Switch { approvals: approvals(Act::Switchover, "main", "standby", "1.1") };
    let refused = witness.write(Some(&target), &switch);
    assert_eq!(refused, Err(CellRefusal::ModeWrong { mode: Mode::Async }));
    let mut witness = Witness::in_sync();
    let forced =
        CellWrite::Switch { approvals: approvals(Act::Failover, "main", "standby", "1.1") };
    let refused = witness.write(Some(&target), &forced);
    assert_eq!(refused, Err(CellRefusal::ApprovalDiffers { what: "act" }));
    let cell = witness.write(Some(&target), &switch).unwrap();
    assert_eq!((cell.pair, cell.mode), (pair("1.2"), Mode::Sync));
    assert_eq!((cell.active_site.as_str(), cell.term, cell.by), ("standby", 9, 4));
    // The same tokens do not switch twice: they died with the epoch.
    let back = writer(1, "main", "1.2", 10);
    let refused = witness.write(Some(&back), &switch);
    assert_eq!(refused, Err(CellRefusal::ApprovalDiffers { what: "direction" }));
}

/// Every refusal has a reason, and says what it says in both languages without a gap.
#[test]
fn refusals_are_worded() {
    use crate::reason::Lang;
    let all = [
        CellRefusal::Unregistered,
        CellRefusal::Changed { revision: 3 },
        CellRefusal::TermPast { term: 3 },
        CellRefusal::PairDiffers { pair: Pair::FIRST },
        CellRefusal::NotActive { active: site("main") },
        CellRefusal::SiteUnknown,
        CellRefusal::ModeWrong { mode: Mode::Sync },
        CellRefusal::LeaseElsewhere,
        CellRefusal::FailoverInProgress { pair: Pair::FIRST },
        CellRefusal::NoFailover,
        CellRefusal::TooFewApprovals { given: 1 },
        CellRefusal::SamePersonTwice,
        CellRefusal::ApprovalDiffers { what: "epoch" },
        CellRefusal::ApprovalExpired { expired: UtcMillis(1) },
        CellRefusal::DepositFalls { index: 3 },
        CellRefusal::ActsWrong,
        CellRefusal::Unconfirmed,
        CellRefusal::SealDiffers { node: 3 },
        CellRefusal::SealElsewhere { site: site("main") },
        CellRefusal::NotPromotable,
        CellRefusal::NodesWrong,
        CellRefusal::VerdictTooGood { best: Verdict::Bounded },
        CellRefusal::NotANode,
    ];
    for refusal in all {
        // The domain is added by whoever keeps the cell.
        let worded: Refusal = refusal.refusal().fact("domain", "xiamen");
        for lang in [Lang::En, Lang::Zh] {
            let text = worded.text(lang);
            assert!(!text.contains('{'), "{refusal:?}: {text}");
        }
    }
}

#[test]
fn approvals_are_of_two_persons_for_just_this() {
    fn check(change: impl Fn(&mut Vec<Approval>), expected: Result<Release, CellRefusal>) {
        let mut given = approvals(Act::Failover, "main", "standby", "1.1");
        change(&mut given);
        let (from, to, of) = (site("main"), site("standby"), domain());
        let approvers = [person(1), person(2), person(3)];
        let wanted = Wanted {
            domain: &of,
            act: Act::Failover,
            from: &from,
            to: &to,
            pair: Pair::FIRST,
            now: UtcMillis(999),
            approvers: &approvers,
        };
        let mut shown = String::new();
        write!(shown, "{given:?}").unwrap();
        assert_eq!(super::approval::check(&given, &wanted), expected, "{shown}");
    }
    let differs = |what| Err(CellRefusal::ApprovalDiffers { what });
    check(|_| {}, Ok(Release::No));
    check(Vec::clear, Err(CellRefusal::TooFewApprovals { given: 0 }));
    check(|given| given.truncate(1), Err(CellRefusal::TooFewApprovals { given: 1 }));
    check(|given| given[1].approver = person(1), Err(CellRefusal::SamePersonTwice));
    check(|given| given[0].statement.domain = "siming".parse().unwrap(), differs("domain"));
    check(|given| given[1].statement.act = Act::Release, differs("act"));
    check(|given| given[1].statement.to = site("main"), differs("direction"));
    check(|given| given[0].statement.from = site("standby"), differs("direction"));
    check(|given| given[0].statement.pair = pair("1.2"), differs("epoch"));
    check(|given| given[0].approver = person(9), differs("approver"));
    check(
        |given| given[0].statement.expires = UtcMillis(999),
        Err(CellRefusal::ApprovalExpired { expired: UtcMillis(999) }),
    );
    check(|given| given[1].statement.release = Release::NotKnown, Ok(Release::NotKnown));
    check(|given| given[0].statement.release = Release::Yes, Ok(Release::Yes));
    // A third person does no harm, but one who approved something else does.
    check(|given| given.push(approval(3, &given[0].statement)), Ok(Release::No));
    check(
        |given| {
            let other = Statement { pair: pair("1.2"), ..given[0].statement.clone() };
            given.push(approval(3, &other));
        },
        differs("epoch"),
    );
}

#[test]
fn what_is_signed_is_plain_text() {
    let signed = statement(Act::Failover, "main", "standby", "1.1").signed_bytes();
    let text = "luqiao-dr-approval-v1\nxiamen\nfailover\nmain\nstandby\n1\n1\n1000\nno\n";
    assert_eq!(String::from_utf8(signed).unwrap(), text);
    for act in ["failover", "switchover", "release", "release-acts", "confirm-witness"] {
        assert_eq!(act.parse::<Act>().unwrap().name(), act);
    }
    for release in [Release::No, Release::NotKnown, Release::Yes] {
        assert_eq!(release.name().parse::<Release>().unwrap(), release);
    }
}

#[test]
fn deposits_do_not_fall() {
    fn check(deposit: Deposit, named: &[u64], expected: Result<(), CellRefusal>) {
        let mut witness = Witness::in_async();
        let leader = writer(1, "main", "1.1", 5);
        witness.write(Some(&leader), &renewal(Some(self::deposit(50, 7, 0)), &[])).unwrap();
        let came = witness.write(Some(&leader), &renewal(Some(deposit), named)).map(|_| ());
        assert_eq!(came, expected);
    }
    let falls = Err(CellRefusal::DepositFalls { index: 50 });
    let wrong = Err(CellRefusal::ActsWrong);
    check(deposit(50, 7, 0), &[], Ok(()));
    check(deposit(51, 7, 0), &[], Ok(()));
    check(deposit(52, 9, 2), &[51, 52], Ok(()));
    check(deposit(49, 7, 0), &[], falls.clone());
    check(deposit(51, 6, 0), &[], falls.clone());
    check(Deposit { root: [9; 32], ..deposit(50, 7, 0) }, &[], falls);
    check(deposit(52, 9, 1), &[51, 52], wrong.clone());
    check(deposit(52, 9, 2), &[52, 51], wrong.clone());
    check(deposit(52, 9, 1), &[50], wrong.clone());
    check(deposit(52, 9, 1), &[53], wrong);
}
