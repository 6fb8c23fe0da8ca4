use catalog_model::{
    name::{Resource, ResourceName},
    time::UtcMillis,
};

use super::*;
use crate::head::Head;

const SUITE: Suite = Suite::Sha256Ed25519;

fn record(sequence: u64) -> Vec<u8> {
    let domain: DomainId = "xiamen".parse().unwrap();
    let mut bytes = vec![record::FORMAT_CBOR];
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    encoder.array(6).unwrap();
    encoder.encode(&domain).unwrap().u64(1).unwrap().u64(sequence).unwrap();
    encoder.encode(UtcMillis(sequence)).unwrap();
    encoder.encode(ResourceName::new(domain, Resource::Domain)).unwrap();
    encoder.str(&format!("what happened as number {sequence}")).unwrap();
    bytes
}

fn frontier(size: u64) -> Frontier {
    let mut frontier = Frontier::new(SUITE);
    for sequence in 0..size {
        frontier.push(SUITE.leaf_hash(&record(sequence)));
    }
    frontier
}

/// Segments that end at each of `ends`.
fn segments(ends: &[u64]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (number, through) in (1..).zip(ends) {
        let before = segments.last();
        let from = before.map_or(0, |segment| segment.through);
        segments.push(Segment {
            domain: "xiamen".parse().unwrap(),
            cluster_id: [9; 16],
            suite: SUITE,
            number,
            from,
            through: *through,
            root_before: frontier(from).root(),
            root: frontier(*through).root(),
            previous: before.map_or([0; 32], Segment::link),
        });
    }
    segments
}

fn head(segment: &Segment) -> SignedHead {
    let head = Head {
        domain: segment.domain.clone(),
        cluster_id: segment.cluster_id,
        generation: 1,
        tree_size: segment.through,
        root_hash: segment.root,
        time: UtcMillis(99),
        suite: SUITE,
    };
    SignedHead { head, signature: vec![1; 64], certificate: vec![2; 300] }
}

fn file(segment: &Segment) -> Vec<u8> {
    let mut file = Vec::new();
    let records = (segment.from..segment.through).map(record);
    let peaks = frontier(segment.from).peaks().to_vec();
    write(&mut file, segment, &peaks, records, Some(&head(segment))).unwrap();
    file
}

fn verify(mut file: &[u8]) -> Result<Verified, ArchiveError> {
    read(&mut file, |_, _| {})
}

#[test]
fn sec_16_what_is_archived_is_read_again_record_by_record() {
    for segment in segments(&[1, 8, 21]) {
        let file = file(&segment);
        let mut seen = Vec::new();
        let verified = read(&mut file.as_slice(), |place, bytes| {
            seen.push((place, bytes.to_vec()));
        })
        .unwrap();
        assert_eq!(verified.segment, segment);
        assert_eq!(verified.head, Some(head(&segment)));
        let expected: Vec<_> =
            (segment.from..segment.through).map(|place| (place, record(place))).collect();
        assert_eq!(seen, expected);
    }
    let segment = &segments(&[5])[0];
    let mut file = Vec::new();
    let digest = write(&mut file, segment, &[], (0..5).map(record), None).unwrap();
    assert_eq!(verify(&file).unwrap(), Verified { segment: segment.clone(), head: None, digest });
}

#[test]
fn sec_03_every_flipped_bit_of_an_archive_is_noticed() {
    let file = file(&segments(&[3, 6])[1]);
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(verify(&changed).is_err(), "byte {at} of {}", file.len());
    }
}

#[test]
fn sec_03_every_truncation_of_an_archive_is_noticed() {
    let file = file(&segments(&[3, 6])[1]);
    for end in 0..file.len() {
        let error = verify(&file[..end]).expect_err("it ends too early");
        let expected = if end <= MARK.len() { "not_a_segment" } else { "truncated" };
        assert_eq!(error.reason(), expected, "cut at {end}");
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert_eq!(verify(&longer).unwrap_err().reason(), "longer");
}

/// Somebody who writes a whole new file, with a digest that fits, still meets the roots.
#[test]
fn sec_03_a_forged_segment_with_a_fitting_digest_is_noticed() {
    type Forge = fn(&mut Segment, &mut Vec<Hash>, &mut Vec<Vec<u8>>, &mut Option<SignedHead>);
    let check = |what: &str, forge: Forge, expected: &str| {
        let mut segment = segments(&[3, 6])[1].clone();
        let mut peaks = frontier(3).peaks().to_vec();
        let mut records: Vec<_> = (3..6).map(record).collect();
        let mut head = Some(head(&segment));
        forge(&mut segment, &mut peaks, &mut records, &mut head);
        let mut file = Vec::new();
        write(&mut file, &segment, &peaks, records, head.as_ref()).unwrap();
        assert_eq!(verify(&file).expect_err(what).reason(), expected, "{what}");
    };
    check("reordered", |_, _, records, _| records.swap(0, 1), "record_misplaced");
    check("of another place", |_, _, records, _| records[1] = record(9), "record_misplaced");
    check("no record", |_, _, records, _| records[1] = vec![1, 2, 3], "record_misplaced");
    check("changed", |_, _, records, _| *records[1].last_mut().unwrap() ^= 1, "root_wrong");
    check("another root", |segment, _, _, _| segment.root[0] ^= 1, "root_wrong");
    check("another past", |_, peaks, _, _| peaks[0][0] ^= 1, "header_wrong");
    check("fewer subtrees", |_, peaks, _, _| peaks.truncate(1), "header_wrong");
    check("number zero", |segment, _, _, _| segment.number = 0, "header_wrong");
    check(
        "a head of another root",
        |_, _, _, head| head.as_mut().unwrap().head.root_hash[0] ^= 1,
        "head_wrong",
    );
    check(
        "a head of another ledger",
        |_, _, _, head| head.as_mut().unwrap().head.domain = "siming".parse().unwrap(),
        "head_wrong",
    );
}

#[test]
fn sec_03_a_missing_and_a_swapped_segment_are_each_named() {
    let all = segments(&[2, 4, 6, 8]);
    let read = |order: &[&Segment]| {
        let mut chain = Chain::new();
        order.iter().try_for_each(|segment| chain.next(segment)).map(|()| chain)
    };
    let whole: Vec<&Segment> = all.iter().collect();
    assert_eq!(read(&whole).unwrap().last(), all.last());
    let error = read(&[&all[0], &all[2]]).unwrap_err();
    assert!(matches!(error, ArchiveError::Missing { expected: 2, found: 3 }), "{error}");
    let error = read(&[&all[1]]).unwrap_err();
    assert!(matches!(error, ArchiveError::Missing { expected: 1, found: 2 }), "{error}");
    let error = read(&[&all[0], &all[2], &all[1]]).unwrap_err();
    assert!(matches!(error, ArchiveError::Missing { expected: 2, found: 3 }), "{error}");

    // A segment that has the right number but belongs to another history.
    let other = segments(&[3, 4]);
    let error = read(&[&all[0], &other[1]]).unwrap_err();
    assert!(matches!(error, ArchiveError::Swapped { number: 2 }), "{error}");
    let mut elsewhere = all[1].clone();
    elsewhere.cluster_id = [8; 16];
    let error = read(&[&all[0], &elsewhere]).unwrap_err();
    assert!(matches!(error, ArchiveError::Swapped { number: 2 }), "{error}");

    let mut chain = Chain::after(all[0].clone());
    let error = chain.next_as_sealed(&other[1], &all[1]).unwrap_err();
    assert!(matches!(error, ArchiveError::NotAsSealed { number: 2 }), "{error}");
    chain.next_as_sealed(&all[1], &all[1]).unwrap();
}

#[test]
fn a_segment_with_too_few_records_is_not_written() {
    let segment = &segments(&[5])[0];
    let error = write(&mut Vec::new(), segment, &[], (0..4).map(record), None).unwrap_err();
    assert_eq!(error.reason(), "truncated");
}
