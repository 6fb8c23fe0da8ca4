use super::*;

/// `(client, operation, began, ended)`
fn holds(operations: &[(u64, Did, u64, Option<u64>)], committed: &[&[u8]]) -> bool {
    let operations = operations
        .iter()
        .map(|(client, did, began, ended)| Operation {
            client: *client,
            key: b"k".to_vec(),
            did: did.clone(),
            began: *began,
            ended: *ended,
        })
        .collect();
    let place = |value: &[u8]| committed.iter().position(|other| *other == value);
    History { operations }.check(|value| place(value).map(|place| place as u64)).is_empty()
}

fn put(value: &[u8]) -> Did {
    Did::Put(value.to_vec())
}

fn read(value: Option<&[u8]>) -> Did {
    Did::Read(value.map(<[u8]>::to_vec))
}

fn swap(expected: Option<&[u8]>, value: &[u8], done: Option<bool>) -> Did {
    let expected = expected.map(<[u8]>::to_vec);
    Did::CompareAndSet { expected, value: value.to_vec(), done }
}

#[test]
fn what_registers_do() {
    assert!(holds(&[], &[]));
    assert!(holds(&[(1, put(b"a"), 1, Some(2)), (2, read(Some(b"a")), 3, Some(4))], &[]));
    // Concurrent: either may be first.
    assert!(holds(&[(1, put(b"a"), 1, Some(4)), (2, read(None), 2, Some(3))], &[]));
    assert!(holds(&[(1, put(b"a"), 1, Some(4)), (2, read(Some(b"a")), 2, Some(3))], &[]));
    assert!(holds(
        &[
            (1, swap(None, b"a", Some(true)), 1, Some(2)),
            (2, swap(None, b"b", Some(false)), 1, Some(2))
        ],
        &[]
    ));
}

#[test]
fn what_no_register_does() {
    // A stale read.
    assert!(!holds(&[(1, put(b"a"), 1, Some(2)), (2, read(None), 3, Some(4))], &[]));
    // A lost write.
    assert!(!holds(
        &[
            (1, put(b"a"), 1, Some(2)),
            (1, put(b"b"), 3, Some(4)),
            (2, read(Some(b"a")), 5, Some(6)),
        ],
        &[]
    ));
    // Two that both took the same place.
    assert!(!holds(
        &[
            (1, swap(None, b"a", Some(true)), 1, Some(2)),
            (2, swap(None, b"b", Some(true)), 1, Some(2))
        ],
        &[]
    ));
    // Values go back and forth.
    assert!(!holds(
        &[
            (1, put(b"a"), 1, Some(9)),
            (2, read(Some(b"a")), 2, Some(3)),
            (2, read(None), 4, Some(5)),
        ],
        &[]
    ));
}

#[test]
fn what_nobody_was_told() {
    let doubted = (1, put(b"a"), 1, None);
    assert!(holds(
        &[doubted.clone(), (2, read(None), 2, Some(3)), (2, read(Some(b"a")), 4, Some(5))],
        &[b"a"]
    ));
    // It is not in the log, so nobody can have read it.
    assert!(!holds(&[doubted.clone(), (2, read(Some(b"a")), 4, Some(5))], &[]));
    // Nothing happens before it is asked for.
    assert!(!holds(&[(2, read(Some(b"a")), 1, Some(2)), (1, put(b"a"), 3, None)], &[b"a"]));
    // It may have found what it expected, or not.
    let swapped = (1, swap(None, b"a", None), 1, None);
    assert!(holds(&[swapped.clone(), (2, read(Some(b"a")), 4, Some(5))], &[b"a"]));
    assert!(holds(
        &[swapped, (2, put(b"b"), 1, Some(2)), (2, read(Some(b"b")), 4, Some(5))],
        &[b"a"]
    ));
}
