use catalog_model::time::UtcMillis;

use super::*;
use crate::{suite::Suite, tree::Frontier};

const SUITE: Suite = Suite::Sha256Ed25519;

fn head(records: &[&str]) -> Head {
    let mut frontier = Frontier::new(SUITE);
    for record in records {
        frontier.push(SUITE.leaf_hash(record.as_bytes()));
    }
    Head {
        domain: "xiamen".parse().unwrap(),
        cluster_id: [1; 16],
        generation: 1,
        tree_size: frontier.size(),
        root_hash: frontier.root(),
        time: UtcMillis(0),
        suite: SUITE,
    }
}

#[test]
fn fed_15_an_extended_history_is_told_from_a_rewritten_a_reordered_and_a_truncated_one() {
    let held = head(&["a", "b"]);
    let third = SUITE.leaf_hash(b"c");
    let extended = head(&["a", "b", "c"]);
    assert_eq!(compare(&held, &extended, &[third]), Against::Extends { held_size: 2, size: 3 });
    for rewritten in [
        // A changed record, two records in another order, a record that is gone: each signed anew.
        head(&["a", "B", "c"]),
        head(&["b", "a", "c"]),
        head(&["a", "c"]),
        head(&["a"]),
    ] {
        let verdict = compare(&held, &rewritten, &[third]);
        assert!(matches!(verdict, Against::Rewritten { held_size: 2, .. }), "{verdict:?}");
    }
    let same_size = head(&["x", "y"]);
    let root = Some(same_size.root_hash);
    assert!(
        matches!(compare(&held, &same_size, &[]), Against::Rewritten { root: r, .. } if r == root)
    );
}

#[test]
fn what_cannot_be_compared_is_said_to_be_unknown() {
    let held = head(&["a"]);
    let other = Head { domain: "siming".parse().unwrap(), ..head(&["a"]) };
    assert_eq!(compare(&held, &other, &[]), Against::Unknown);
    let other = Head { cluster_id: [2; 16], ..head(&["a"]) };
    assert_eq!(compare(&held, &other, &[]), Against::Unknown);
    assert_eq!(compare(&head(&[]), &held, &[]), Against::Unknown);
}
