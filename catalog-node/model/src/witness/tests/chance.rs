//! Chance: whatever is written in whatever order, the promises of the cell hold. What a cell should
//! be is kept beside it in the plainest way, as a list of everything that was accepted.

use proptest::prelude::*;

use super::*;

/// One wish; small numbers, so that they meet.
#[derive(Debug, Clone)]
struct Wish {
    writer: Option<Writer>,
    write: CellWrite,
    /// How far behind the newest revision the writer is.
    behind: u64,
    /// Whether the witness's own cluster opens a new generation before it.
    forgets: bool,
}

fn any_pair() -> impl Strategy<Value = Pair> {
    (1..4u64, 1..4u64).prop_map(|(generation, epoch)| Pair { generation, epoch })
}

fn any_site() -> impl Strategy<Value = SiteId> {
    prop_oneof![Just(site("main")), Just(site("standby"))]
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Sync), Just(Mode::Async)]
}

fn any_approvals() -> impl Strategy<Value = Vec<Approval>> {
    let act = prop_oneof![
        4 => Just(Act::Failover),
        2 => Just(Act::Switchover),
        1 => Just(Act::ConfirmWitness),
    ];
    let statement = (act, any_site(), any_site(), any_pair(), 0..3u8, prop::bool::weighted(0.05));
    (statement, prop::bool::weighted(0.05)).prop_map(
        |((act, from, to, pair, release, dead), twice)| {
            let release = [Release::No, Release::NotKnown, Release::Yes][usize::from(release)];
            let expires = UtcMillis(if dead { 1 } else { 1_000 });
            let statement = Statement { domain: domain(), act, from, to, pair, expires, release };
            vec![approval(1, &statement), approval(if twice { 1 } else { 2 }, &statement)]
        },
    )
}

/// Persons approve what they see: of most approvals direction and pair are the cell's.
fn aim(mut write: CellWrite, cell: &Cell) -> CellWrite {
    let to = match &write {
        CellWrite::BeginFailover { to, .. } => to.clone(),
        CellWrite::Register { active, .. } => active.clone(),
        CellWrite::Switch { .. } => {
            cell.sites.iter().find(|site| **site != cell.active_site).unwrap().clone()
        }
        _ => cell.active_site.clone(),
    };
    let act = match &write {
        CellWrite::Switch { .. } => Act::Switchover,
        CellWrite::ConfirmByApproval { .. } => Act::ConfirmWitness,
        _ => Act::Failover,
    };
    if let CellWrite::Register { approvals, .. }
    | CellWrite::Switch { approvals }
    | CellWrite::BeginFailover { approvals, .. }
    | CellWrite::ConfirmByApproval { approvals } = &mut write
    {
        for approval in approvals {
            let statement = &mut approval.statement;
            (statement.act, statement.pair) = (act, cell.pair);
            (statement.from, statement.to) = (cell.active_site.clone(), to.clone());
        }
    }
    write
}

fn any_write() -> impl Strategy<Value = CellWrite> {
    let register =
        (any_site(), any_mode(), any_approvals()).prop_map(|(active, mode, approvals)| {
            CellWrite::Register { sites: sites(), active, mode, approvers: Vec::new(), approvals }
        });
    let renew =
        (0..4u64, 0..4u64, 0..3u64, prop::bool::ANY).prop_map(|(index, size, acts, with)| {
            let named: Vec<u64> = (0..acts.min(1)).map(|_| index).collect();
            let deposit = deposit(index, size, acts);
            renewal(with.then_some(deposit), if with { &named } else { &[] })
        });
    let seal = (1..4u64, any_site(), any_pair(), 1..3u64, 1..4u64).prop_map(
        |(node, site, belonged, last_term, last_index)| CellWrite::ReportSeal {
            seal: Seal { node, site, belonged, last_term, last_index, commit: 1 },
        },
    );
    let verdict =
        prop_oneof![Just(Verdict::ProvenZero), Just(Verdict::Bounded), Just(Verdict::Unknown),];
    prop_oneof![
        2 => register,
        2 => Just(CellWrite::Take),
        5 => any_mode().prop_map(|mode| CellWrite::SetMode { mode }),
        6 => renew,
        2 => any_approvals().prop_map(|approvals| CellWrite::Switch { approvals }),
        1 => (any_site(), any_approvals())
            .prop_map(|(to, approvals)| CellWrite::BeginFailover { to, approvals }),
        4 => seal,
        4 => (verdict, prop::collection::vec(1..4u64, 1..3))
            .prop_map(|(verdict, nodes)| CellWrite::Open { verdict, nodes }),
        4 => Just(CellWrite::Confirm),
        1 => any_approvals().prop_map(|approvals| CellWrite::ConfirmByApproval { approvals }),
    ]
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let writer = (1..4u64, any_site(), any_pair(), 1..5u64)
        .prop_map(|(node, site, pair, term)| Writer { node, site, pair, term });
    (
        prop::option::weighted(0.9, writer),
        any_write(),
        prop_oneof![9 => Just(0u64), 1 => 1..3u64],
        prop::bool::weighted(0.02),
    )
        .prop_map(|(writer, write, behind, forgets)| Wish { writer, write, behind, forgets })
}

/// Brings the wish near to what the cell allows; chance alone hardly ever gets past two openings.
fn near(wish: &Wish, cell: Option<&Cell>, aimed: bool) -> (Option<Writer>, CellWrite) {
    let (mut writer, mut write) = (wish.writer.clone(), wish.write.clone());
    let Some(cell) = cell.filter(|_| aimed) else { return (writer, write) };
    write = aim(write, cell);
    if let Some(writer) = &mut writer {
        match &mut write {
            CellWrite::ReportSeal { seal } => {
                seal.site = cell.active_site.clone();
                (writer.node, writer.site) = (seal.node, seal.site.clone());
                writer.pair = seal.belonged;
            }
            CellWrite::Open { nodes, .. } => {
                (writer.site, writer.pair) = (cell.active_site.clone(), cell.pair);
                writer.term += 1_000;
                nodes.push(writer.node);
                nodes.sort_unstable();
                nodes.dedup();
            }
            CellWrite::Register { .. } => {}
            CellWrite::Confirm => writer.pair = cell.pair,
            CellWrite::Switch { .. } => {
                let elsewhere = cell.sites.iter().find(|site| **site != cell.active_site);
                writer.site = elsewhere.unwrap().clone();
                (writer.pair, writer.term) = (cell.pair, cell.term + 1);
            }
            write => {
                writer.pair = cell.pair;
                writer.site = cell.active_site.clone();
                // The leader that there is, or the next one.
                if writer.term.is_multiple_of(2) {
                    (writer.node, writer.term) = (cell.by, cell.term);
                } else {
                    writer.term += cell.term;
                }
                if let CellWrite::Renew { deposit: Some(deposit), named } = write {
                    (writer.node, writer.term) = (cell.by, cell.term);
                    let held = cell.deposit.as_ref();
                    deposit.index += held.map_or(0, |held| held.index);
                    deposit.ledger_size += held.map_or(0, |held| held.ledger_size);
                    deposit.root = [deposit.index as u8; 32];
                    for act in &mut *named {
                        act.index = deposit.index;
                    }
                    deposit.acts = held.map_or(0, |held| held.acts) + named.len() as u64;
                }
            }
        }
    }
    (writer, write)
}

/// Two of the approvals that a write carries are of different persons for just this change.
fn plainly_approved(write: &CellWrite, before: &Cell, after: &Cell) -> bool {
    let said: Vec<(&ResourceName, &Statement)> = write
        .approvals()
        .iter()
        .map(|approval| (&approval.approver, &approval.statement))
        .collect();
    said.iter().any(|(one, statement)| {
        said.iter().any(|(other, _)| one != other)
            && statement.to == after.active_site
            && statement.pair >= before.pair
            && statement.pair < after.pair
    })
}

fn hold(before: Option<&Cell>, after: &Cell, wish: (&Option<Writer>, &CellWrite), generation: u64) {
    let Some(before) = before else {
        assert_eq!(after.revision, 1);
        return;
    };
    assert!(after == before || after.revision == before.revision + 1, "one revision a write");
    assert!(after.pair >= before.pair, "pairs grow");
    let same_generation = after.pair.generation == before.pair.generation;
    if same_generation && before.failover.is_none() {
        assert!(after.term >= before.term, "terms grow within a generation");
    }
    if let (Some(held), true) = (&before.deposit, same_generation) {
        let now = after.deposit.as_ref().expect("a deposit stays within its generation");
        assert!(now.index >= held.index && now.ledger_size >= held.ledger_size);
    }
    let believed = before.is_confirmed(generation);
    if after.active_site != before.active_site && believed {
        assert!(plainly_approved(wish.1, before, after), "the active site moves by approval");
    }
    if let Some(lease) = &after.lease {
        assert_eq!(after.mode, Mode::Async);
        assert!(after.failover.is_none() && after.is_confirmed(generation));
        assert_eq!(lease.term, after.term, "a lease is one term's");
    }
    if let (Some(kept), Some(now)) = (&before.failover, &after.failover) {
        assert_eq!(Found { confirmed: now.found.confirmed, ..kept.found.clone() }, now.found);
        assert!(now.release >= kept.release);
    }
    if let (None, Some(now)) = (&before.failover, &after.failover) {
        assert_eq!((now.found.mode, &now.found.deposit), (before.mode, &before.deposit));
    }
    if after.opened != before.opened {
        let said = after.opened.as_ref().unwrap();
        if let Some(failover) = &before.failover {
            assert!(said.verdict >= failover.best_verdict());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn promises_hold_whatever_is_written(
        wishes in prop::collection::vec((any_wish(), prop::bool::weighted(0.8)), 1..60),
    ) {
        let mut witness = Witness { cell: None, now: UtcMillis(10), generation: 1 };
        let mut accepted: Vec<Cell> = Vec::new();
        for (wish, aimed) in wishes {
            witness.generation += u64::from(wish.forgets);
            let before = witness.cell.clone();
            let (writer, write) = near(&wish, before.as_ref(), aimed);
            let newest = accepted.last().map_or(0, |cell| cell.revision);
            let revision = newest.saturating_sub(wish.behind);
            let came = witness.write_at(revision, writer.as_ref(), &write);
            if let Ok(cell) = came {
                prop_assert_eq!(revision, newest, "only who read the newest writes");
                hold(before.as_ref(), &cell, (&writer, &write), witness.generation);
                accepted.push(cell);
            } else {
                prop_assert_eq!(&witness.cell, &before);
            }
        }
    }
}

/// The chances above are no use if they never get anywhere: each kind of write is accepted often.
#[test]
fn chance_gets_past_every_kind_of_write() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let wishes = prop::collection::vec((any_wish(), prop::bool::weighted(0.8)), 60);
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..400 {
        let mut witness = Witness { cell: None, now: UtcMillis(10), generation: 1 };
        for (wish, aimed) in wishes.new_tree(&mut runner).unwrap().current() {
            witness.generation += u64::from(wish.forgets);
            let (writer, write) = near(&wish, witness.cell.as_ref(), aimed);
            if witness.write(writer.as_ref(), &write).is_ok() {
                *seen.entry(write.name()).or_default() += 1;
            }
        }
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
    assert!(seen.values().all(|often| *often >= 20), "{seen:?}");
}
