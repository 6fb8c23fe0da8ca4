//! The judgement as a table: who has which state, and what follows.

use super::*;

/// `marks` as `id:state`, a state being one letter; `id@` alone is a mark at another index. The first one is
/// ours.
fn check(voters: &[u64], marks: &str, expected: &Comparison) {
    let mut others = BTreeMap::new();
    let mut own = None;
    for word in marks.split_whitespace() {
        let (id, mark) = if let Some(id) = word.strip_suffix('@') {
            (id, Mark { index: 9, hash: [b'a'; 32] })
        } else {
            let (id, state) = word.split_once(':').unwrap();
            (id, Mark { index: 10, hash: [state.as_bytes()[0]; 32] })
        };
        let id = id.parse().unwrap();
        if own.is_none() {
            own = Some((id, mark));
        } else {
            others.insert(id, mark);
        }
    }
    let (id, own) = own.unwrap();
    assert_eq!(&judge(id, own, &others, voters), expected, "{marks} of {voters:?}");
}

#[test]
fn a_majority_with_our_state_is_agreement_and_silence_is_not() {
    use Comparison::{Agreed, Unknown};
    check(&[1, 2, 3], "1:a 2:a 3:a", &Agreed);
    check(&[1, 2, 3], "1:a 2:a", &Agreed);
    check(&[1, 2, 3], "1:a", &Unknown);
    check(&[1, 2, 3], "1:a 2@ 3@", &Unknown);
    check(&[1, 2, 3, 4], "1:a 2:a", &Unknown);
    check(&[1, 2, 3, 4, 5], "1:a 2:a 3@ 4@", &Unknown);
    check(&[1], "1:a", &Agreed);
    // A learner is no voice, and it needs a majority of the others to know that it is right.
    check(&[1, 2, 3], "4:a 1:a", &Unknown);
    check(&[1, 2, 3], "4:a 1:a 2:a", &Agreed);
    check(&[1, 2, 3], "1:a 4:a", &Unknown);
}

#[test]
fn whoever_differs_from_a_majority_is_wrong_also_if_it_leads() {
    use Comparison::{Alone, Other, Undecided};
    check(&[1, 2, 3], "1:a 2:b 3:b", &Alone);
    check(&[1, 2, 3], "2:b 1:a 3:b", &Other(vec![1]));
    check(&[1, 2, 3, 4, 5], "1:a 2:a 3:b 4:b 5:b", &Alone);
    check(&[1, 2, 3, 4, 5], "3:b 1:a 2:a 4:b 5:b", &Other(vec![1, 2]));
    check(&[1, 2, 3], "4:x 1:a 2:a", &Alone);
    check(&[1, 2, 3], "1:a 2:a 4:x", &Other(vec![4]));
    // Nobody knows who is right: somebody has to look, and nothing is thrown away.
    check(&[1, 2], "1:a 2:b", &Undecided);
    check(&[1, 2, 3], "1:a 2:b", &Undecided);
    check(&[1, 2, 3], "1:a 2:b 3:c", &Undecided);
    check(&[1, 2, 3, 4], "1:a 2:a 3:b 4:b", &Undecided);
    check(&[1, 2, 3], "1:a 4:x", &Undecided);
}
