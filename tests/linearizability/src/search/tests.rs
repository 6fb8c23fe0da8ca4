use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::{Finding, check};

const LIMIT: usize = 1_000_000;

/// One operation a word: `read(x)1-4`, `write(x)2-5`, `cas(x,y)3-9`, `nocas(x)3-9` for a cas that found
/// something else; `-` stands for an absent key, and `?` in place of an end for an unknown outcome.
fn history(words: &str) -> Vec<Op> {
    words.split_whitespace().map(op).collect()
}

fn op(word: &str) -> Op {
    let (name, rest) = word.split_once('(').expect("an operation");
    let (arguments, times) = rest.split_once(')').expect("an operation");
    let (call, end) = times.split_once('-').expect("two times");
    let value = |text: &str| (text != "-").then(|| text.to_owned());
    let (first, second) = arguments.split_once(',').unwrap_or((arguments, "new"));
    let (kind, input, expect, output) = match name {
        "read" => (Kind::Read, None, None, value(first)),
        "write" => (Kind::Write, value(first), None, None),
        "cas" | "nocas" => (Kind::Cas, value(second), value(first), None),
        other => panic!("{other}"),
    };
    let return_ns = (end != "?").then(|| end.parse().expect("a time"));
    let ok = return_ns.map(|_| name != "nocas");
    let call_ns = call.parse().expect("a time");
    Op { client: 0, kind, key: "k".into(), input, expect, output, ok, call_ns, return_ns }
}

fn holds(words: &str) -> bool {
    match check(&history(words), LIMIT) {
        Finding::Linearizable => true,
        Finding::NotLinearizable { .. } => false,
        Finding::Unknown { .. } => panic!("{words} is not hard"),
    }
}

#[test]
fn what_can_have_happened_one_after_the_other_is_linearizable() {
    for words in [
        "",
        "read(-)1-2",
        "write(a)1-2 read(a)3-4",
        // At the same time: either order will do.
        "write(a)1-4 read(-)2-3",
        "write(a)1-4 read(a)2-3",
        "write(a)1-9 write(b)2-8 read(a)10-11 read(a)12-13",
        "write(a)1-9 write(b)2-8 read(b)3-4 read(a)5-6",
        // Touching times count as at the same time.
        "write(a)1-2 read(-)2-3",
        // An unknown write may happen, also much later, or never.
        "write(a)1-? read(-)10-11 read(a)12-13",
        "write(a)1-? read(-)10-11 read(-)12-13",
        "write(a)1-? read(a)10-11 write(b)12-13 read(b)14-15",
        // Only an unknown write that nobody read explains this one.
        "write(x)1-2 write(never)3-? nocas(x)5-6",
        "cas(-,a)1-2 nocas(-)3-4 cas(a,b)5-6 read(b)7-8",
        "write(a)1-2 cas(a,b)3-? read(b)9-10",
        "write(a)1-2 cas(a,b)3-9 cas(a,c)3-? read(b)10-11",
        "write(a)1-2 write(-)3-4 read(-)5-6",
    ] {
        assert!(holds(words), "{words}");
    }
}

#[test]
fn what_contradicts_itself_is_not_linearizable() {
    for words in [
        "read(a)1-2",
        // A lost write, and a stale read.
        "write(a)1-2 read(-)3-4",
        "write(a)1-2 write(b)3-4 read(a)5-6",
        // Time does not run backwards for anybody.
        "write(a)1-20 read(a)2-3 read(-)4-5",
        "write(a)1-9 write(b)2-8 read(a)10-11 read(b)12-13",
        // Two cas cannot both find the same.
        "write(a)1-2 cas(a,b)3-9 cas(a,c)3-9",
        "write(a)1-2 nocas(a)3-4",
        // What surely was not there cannot be read before it began.
        "read(a)1-2 write(a)3-?",
        // An unknown write happens once: it does not come back.
        "write(a)1-? read(a)2-3 write(b)4-5 read(b)6-7 read(a)8-9",
        "write(a)1-2 cas(a,b)3-? write(c)4-5 read(c)6-7 read(b)8-9",
    ] {
        assert!(!holds(words), "{words}");
    }
}

#[test]
fn what_was_surely_not_done_is_not_there() {
    let mut refused = op("write(a)1-2");
    refused.ok = Some(false);
    assert_eq!(check(&[refused.clone(), op("read(-)3-4")], LIMIT), Finding::Linearizable);
    let seen = check(&[refused, op("read(a)3-4")], LIMIT);
    assert!(matches!(seen, Finding::NotLinearizable { .. }), "{seen}");
}

#[test]
fn keys_are_judged_each_on_its_own() {
    let mut other = op("read(-)3-4");
    other.key = "other".into();
    assert_eq!(check(&[op("write(a)1-2"), other.clone()], LIMIT), Finding::Linearizable);
    other.key = "k".into();
    let verdict = check(&[op("write(a)1-2"), other], LIMIT);
    assert!(matches!(verdict, Finding::NotLinearizable { ref key, .. } if key == "k"), "{verdict}");
}

#[test]
fn the_explanation_is_the_shortest_contradictory_beginning() {
    let words = "write(a)1-2 read(a)3-4 write(b)5-6 read(a)7-8 write(c)20-21 read(c)22-23";
    let Finding::NotLinearizable { explanation, .. } = check(&history(words), LIMIT) else {
        panic!("{words}")
    };
    assert!(explanation.contains("4 operations begun until 8 ns"), "{explanation}");
    assert!(!explanation.contains("\"c\""), "{explanation}");
}

#[test]
fn a_search_that_is_given_up_is_no_success() {
    let ops: Vec<Op> = (0..12).map(|n| op(&format!("write(v{n})1-100"))).collect();
    let reads = (0..12).map(|n| op(&format!("read(v{n}){}-{}", 200 + n, 200 + n)));
    let all: Vec<Op> = ops.into_iter().chain(reads).collect();
    assert_eq!(check(&all, 20), Finding::Unknown { key: "k".into() });
}

#[test]
fn many_unknown_writes_do_not_make_it_hard() {
    // A minute of a leader that answers nobody: hundreds of writes without an answer, some of which
    // are found later.
    let mut words = String::from("write(v0)1-2 ");
    for n in 1..400 {
        let at = 10 + n;
        let _ = write!(words, "write(u{n}){at}-? nocas(gone{n}){at}-{} ", at + 1);
    }
    for n in 0..40 {
        let at = 1000 + 10 * n;
        let _ = write!(words, "read(u{}){at}-{} ", 7 * n + 1, at + 1);
    }
    assert_eq!(check(&history(&words), 100_000), Finding::Linearizable);
}

#[test]
fn a_history_is_written_and_read_line_by_line() {
    let history = history("write(a)1-2 cas(a,b)3-? nocas(x)4-5 read(-)6-7");
    let mut lines = Vec::new();
    crate::history::write(&history, &mut lines).expect("memory takes everything");
    let text = String::from_utf8(lines).expect("JSON is UTF-8");
    assert_eq!(
        text.lines().nth(1),
        Some(
            r#"{"client":0,"op":"cas","key":"k","in":"b","expect":"a","out":null,"ok":null,"call_ns":3,"return_ns":null}"#
        )
    );
    assert_eq!(crate::history::read(text.as_bytes()).expect("what was written"), history);
    let broken = crate::history::read("{}\n".as_bytes()).expect_err("no operation");
    assert_eq!(broken.to_string(), "line 1 is no operation");
}

/// The plain way: every subset of the unknown ones, in every order that the times allow.
fn plainly(ops: &[Op]) -> bool {
    fn goes_on(state: Option<&String>, open: &[&Op]) -> bool {
        let must = |op: &Op| match op.kind {
            Kind::Cas => op.ok.is_some(),
            Kind::Read | Kind::Write => op.ok == Some(true),
        };
        let end = |op: &Op| op.ok.map_or(u64::MAX, |_| op.return_ns.unwrap_or(u64::MAX));
        if !open.iter().any(|op| must(op)) {
            return true;
        }
        (0..open.len()).any(|number| {
            let op = open[number];
            let rest: Vec<&Op> =
                open.iter().enumerate().filter(|(n, _)| *n != number).map(|(_, op)| *op).collect();
            // Whatever ended before this one began comes first, if it happened at all.
            let first = rest.iter().all(|other| !must(other) || end(other) >= op.call_ns);
            let fits = match (op.kind, op.ok) {
                (Kind::Read, Some(true)) => op.output.as_ref() == state,
                (Kind::Write, Some(true) | None) => true,
                (Kind::Cas, Some(true) | None) => op.expect.as_ref() == state,
                (Kind::Cas, Some(false)) => op.expect.as_ref() != state,
                (Kind::Read, _) | (Kind::Write, Some(false)) => false,
            };
            let changes = op.kind != Kind::Read && op.ok != Some(false);
            let after = if changes { op.input.as_ref() } else { state };
            first && fits && goes_on(after, &rest)
        })
    }
    goes_on(None, &ops.iter().collect::<Vec<_>>())
}

fn value() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        Just(Some("a".to_owned())),
        Just(Some("b".to_owned())),
        Just(Some("c".to_owned()))
    ]
}

fn operation() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![Just(Kind::Read), Just(Kind::Write), Just(Kind::Cas)];
    let ok = prop_oneof![4 => Just(Some(true)), 1 => Just(Some(false)), 2 => Just(None)];
    (kind, value(), value(), value(), ok, 0_u64..20, 0_u64..8, any::<bool>()).prop_map(
        |(kind, input, expect, output, ok, call_ns, took, ends)| {
            let return_ns = (ok.is_some() || ends).then_some(call_ns + took);
            Op { client: 0, kind, key: "k".into(), input, expect, output, ok, call_ns, return_ns }
        },
    )
}

/// Operations that did happen one after the other, at moments within their times.
fn happened() -> impl Strategy<Value = Vec<Op>> {
    let one = (operation(), 0_u64..6, 0_u64..6);
    proptest::collection::vec(one, 0..7).prop_map(|ops| {
        let mut state: Option<String> = None;
        let mut history = Vec::new();
        for (place, (mut op, before, after)) in ops.into_iter().enumerate() {
            let at = 10 + 3 * place as u64;
            op.call_ns = at - before;
            op.return_ns = Some(at + after);
            match op.kind {
                Kind::Read => op.output.clone_from(&state),
                Kind::Write if op.ok != Some(false) => state.clone_from(&op.input),
                Kind::Write => {}
                Kind::Cas if op.expect == state => {
                    op.ok = op.ok.map(|_| true);
                    state.clone_from(&op.input);
                }
                Kind::Cas => op.ok = op.ok.map(|_| false),
            }
            history.push(op);
        }
        history
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_search_says_what_the_plain_way_says(ops in proptest::collection::vec(operation(), 0..7)) {
        let found = check(&ops, LIMIT) == Finding::Linearizable;
        prop_assert_eq!(found, plainly(&ops));
    }

    #[test]
    fn what_happened_is_linearizable(ops in happened()) {
        prop_assert_eq!(check(&ops, LIMIT), Finding::Linearizable);
    }

    #[test]
    fn what_happened_with_one_answer_changed_is_judged_the_plain_way(
        mut ops in happened(),
        which in any::<proptest::sample::Index>(),
        other in value(),
    ) {
        if !ops.is_empty() {
            let op = which.get(&ops).clone();
            let place = ops.iter().position(|found| *found == op).expect("one of them");
            ops[place].output = other;
            let found = check(&ops, LIMIT) == Finding::Linearizable;
            prop_assert_eq!(found, plainly(&ops));
        }
    }
}
