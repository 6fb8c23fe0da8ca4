use std::{fmt::Write as _, fs, io::Write as _, path::PathBuf};

use flate2::{Compression, write::GzEncoder};
use luqiao_proto::catalog::v1::{DataFormat, ItemType, OpenType, UpdateCycle};
use tempfile::TempDir;

use super::{reader::LINE_BYTES_MAX, *};
use crate::exit::Exit;

const GOOD: &str = r#"{"portal":"p","seq":7,"title":"机动车维修信息","provider":"交通局"}"#;

fn over(bytes: &[u8]) -> Outcome {
    read_through(LineReader::new(bytes), None)
}

fn counts(outcome: &Outcome) -> (u64, u64, u64, u64) {
    let Report { read, accepted, duplicates, quarantined, .. } = outcome.report;
    assert_eq!(read, accepted + duplicates + quarantined);
    (read, accepted, duplicates, quarantined)
}

/// The one draft in `line`.
fn draft(line: &str) -> Draft {
    let mut scan = Scan::new(LineReader::new(line.as_bytes()), None);
    let accepted = scan.next_accepted().unwrap();
    accepted.unwrap_or_else(|| panic!("{:?}", scan.report().first_quarantined)).draft
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn one_bad_line_is_quarantined_with_its_reason_and_the_next_one_is_read() {
    let check = |bad: &[u8], reason: &str| {
        let mut text = bad.to_vec();
        text.extend_from_slice(b"\n");
        text.extend_from_slice(GOOD.as_bytes());
        // A first line makes sure that the file as such looks like JSON lines.
        let text = [b"{}\n".as_slice(), &text].concat();
        let outcome = over(&text);
        assert_eq!(counts(&outcome), (3, 1, 0, 2), "{}", String::from_utf8_lossy(bad));
        let (line, fault) = &outcome.report.first_quarantined[1];
        assert_eq!((*line, fault.reason()), (2, reason), "{}", String::from_utf8_lossy(bad));
        assert!(!fault.message().en.is_empty() && !fault.message().zh.is_empty());
    };
    check(b"not json", "not_json");
    check(b"{\"title\":\"a\"", "not_json");
    check(br#"{"title":"a","provider":"b"}{"title":"c","provider":"d"}"#, "not_json");
    check(br#"[{"title":"a","provider":"b"}]"#, "not_an_object");
    check(b"7", "not_an_object");
    check(b"{\"title\":\"\xc3\x28\",\"provider\":\"b\"}", "not_utf8");
    check(br#"{"provider":"b","seq":1}"#, "title_missing");
    check(br#"{"title":"  ","provider":"b"}"#, "title_missing");
    check(br#"{"title":null,"provider":"b"}"#, "title_missing");
    check(br#"{"title":"a"}"#, "provider_missing");
    check(br#"{"title":5,"provider":"b"}"#, "field_wrong");
    check(br#"{"title":"a","provider":"b","keywords":"k"}"#, "field_wrong");
    check(br#"{"title":"a","provider":"b","seq":-1}"#, "field_wrong");
    check(br#"{"title":"a","provider":"b","items":[{"name":"x"}]}"#, "field_wrong");
    check(br#"{"title":"a","provider":"b","items":[{"name":"x","type":"Z"}]}"#, "field_wrong");
    check(br#"{"title":"a","provider":"b","open_type_norm":"other"}"#, "word_unknown");
    check(br#"{"title":"a","provider":"b","open_type_norm":"conditional"}"#, "word_unknown");
    check(br#"{"title":"a","provider":"b","update_cycle_norm":"other"}"#, "word_unknown");
    check(br#"{"title":"a","provider":"b","update_cycle_norm":"fortnight"}"#, "word_unknown");
    let twice = br#"{"title":"a","provider":"b","items":[{"name":"x","type":"C"},{"name":"x","type":"C"}]}"#;
    check(twice, "ITEMS_DUPLICATE");
    let long = format!(r#"{{"title":"{}","provider":"b"}}"#, "长".repeat(301));
    check(long.as_bytes(), "TEXT_TOO_LONG");
}

#[test]
fn every_known_word_is_mapped_and_the_raw_one_is_kept() {
    let with = |key: &str, word: &str| {
        draft(&format!(
            r#"{{"title":"a","provider":"b","{key}_norm":"{word}","{key}":"门户原文\t{word}"}}"#
        ))
    };
    for (word, expected) in [
        ("unconditional", OpenType::Unconditional),
        ("on_application", OpenType::OnApplication),
        ("secure", OpenType::Secure),
    ] {
        let draft = with("open_type", word);
        let entry = draft.entry.entry.unwrap();
        assert_eq!(entry.open_type(), expected);
        assert_eq!(entry.sharing, None, "an open type never becomes a sharing attribute");
        assert!(draft.gaps.contains(&"sharing_attribute"));
        assert_eq!(draft.entry.origin.unwrap().open_type_raw, format!("门户原文\t{word}"));
    }
    for (word, expected) in [
        ("realtime", UpdateCycle::Realtime),
        ("sub_day", UpdateCycle::SubDay),
        ("day", UpdateCycle::Day),
        ("week", UpdateCycle::Week),
        ("month", UpdateCycle::Month),
        ("quarter", UpdateCycle::Quarter),
        ("half_year", UpdateCycle::HalfYear),
        ("year", UpdateCycle::Year),
        ("irregular", UpdateCycle::Irregular),
    ] {
        let draft = with("update_cycle", word);
        assert_eq!(draft.entry.entry.unwrap().update_cycle(), expected);
        assert_eq!(draft.entry.origin.unwrap().update_cycle_raw, format!("门户原文\t{word}"));
    }
}

#[test]
fn what_is_stated_stands_in_the_draft() {
    let draft = draft(
        r#"{"portal":"p","seq":3,"title":" 维修信息 ","title_en":"Repairs","provider":"交通局",
            "provider_en":"Transport","description":"两行\n文字","description_en":"two","theme":"道路交通",
            "published":"2023-04-17","updated":"2026-08-24","formats":["CSV","json","xls","数据库-mysql","zip"],
            "keywords":["维修","","维修","备案"],"url":"https://example.org","sharing":"unconditional",
            "items":[{"name":"车牌","name_en":"Plate","type":"C","personal":true},{"name":"里程","type":"I"}]}"#
            .replace('\n', " ")
            .as_str(),
    );
    let entry = draft.entry.entry.unwrap();
    assert_eq!((entry.title.as_str(), entry.title_en.as_str()), ("维修信息", "Repairs"));
    assert_eq!(entry.r#abstract, "两行\n文字");
    assert_eq!(entry.classification, "道路交通");
    assert_eq!(entry.issued_date, "2023-04-17");
    assert_eq!(entry.keywords, ["维修", "备案"]);
    assert_eq!(
        entry.formats().collect::<Vec<_>>(),
        [DataFormat::Spreadsheet, DataFormat::Database, DataFormat::SelfDescribing]
    );
    assert_eq!(entry.items.len(), 2);
    assert_eq!((entry.items[0].r#type(), entry.items[0].personal), (ItemType::Character, true));
    assert_eq!((entry.items[1].r#type(), entry.items[1].personal), (ItemType::Integer, false));
    assert_eq!(entry.sharing, None, "whatever the file claims");
    assert_eq!(draft.formats_unmapped, ["zip"]);
    assert_eq!(draft.not_taken, ["updated", "url", "sharing"]);
    assert_eq!(
        draft.gaps,
        ["open_type", "update_cycle", "sharing_attribute", "grade", "links", "credit_code"]
    );
    let origin = draft.entry.origin.unwrap();
    assert_eq!((origin.portal.as_str(), origin.seq), ("p", 3));
}

#[test]
fn what_is_absent_stays_absent_and_is_counted() {
    let outcome =
        over(format!("{GOOD}\n{{\"title\":\"b\",\"provider\":\"c\",\"theme\":\"t\"}}").as_bytes());
    assert_eq!(counts(&outcome), (2, 2, 0, 0));
    let gaps = &outcome.report.gaps;
    assert_eq!((gaps["theme"], gaps["description"], gaps["update_cycle"]), (1, 2, 2));
    let entry = draft(GOOD).entry.entry.unwrap();
    assert_eq!((entry.open_type, entry.update_cycle, entry.issued_date.as_str()), (0, 0, ""));
}

#[test]
fn a_record_without_a_number_gets_that_of_its_line() {
    let mut scan =
        Scan::new(LineReader::new("\n\n{\"title\":\"a\",\"provider\":\"b\"}\n".as_bytes()), None);
    let accepted = scan.next_accepted().unwrap().unwrap();
    assert_eq!(accepted.line, 3);
    assert_eq!(accepted.draft.entry.origin.unwrap().seq, 3);
}

#[test]
fn of_115_copies_one_is_accepted() {
    let mut text = String::new();
    for seq in 0..115 {
        writeln!(
            text,
            r#"{{"portal":"p","seq":{seq},"title":"t","provider":"q","description":"d"}}"#
        )
        .unwrap();
    }
    assert_eq!(counts(&over(text.as_bytes())), (115, 1, 114, 0));
    assert_eq!(counts(&over(&gzip(text.as_bytes()))).1, 0, "gzip is for `open` to see");
}

#[test]
fn duplicates_are_counted_before_anything_that_is_wrong_with_them() {
    let other = r#"{"title":"t","provider":"q","open_type_norm":"other"}"#;
    let good = r#"{"title":"t","provider":"q"}"#;
    // The good line repeats one that was quarantined: still the same entry a second time.
    assert_eq!(counts(&over([other, other, good].join("\n").as_bytes())), (3, 0, 2, 1));
    // A description makes it another entry, an empty one does not.
    let described = r#"{"title":"t","provider":"q","description":"d"}"#;
    let empty = r#"{"title":"t","provider":"q","description":""}"#;
    assert_eq!(counts(&over([good, described, empty].join("\n").as_bytes())), (3, 2, 1, 0));
    // Where one field ends and the next begins counts.
    let shifted = r#"{"title":"tq","provider":"q"}"#;
    let other_way = r#"{"title":"t","provider":"qq"}"#;
    assert_eq!(counts(&over([shifted, other_way].join("\n").as_bytes())), (2, 2, 0, 0));
}

#[test]
fn arrays_are_refused_as_a_whole_one_or_two_glued_together() {
    let check = |text: &str, line: &str| {
        let outcome = over(text.as_bytes());
        assert_eq!(counts(&outcome), (0, 0, 0, 0), "{text}");
        let failure = outcome.failure.unwrap();
        assert_eq!((failure.exit, failure.reason.as_str()), (Exit::Error, "not_json_lines"));
        assert!(failure.message.en.contains(line) && failure.message.zh.contains("JSON Lines"));
    };
    check(&format!("[{GOOD}]"), "line 1");
    check(&format!("[{GOOD}][{GOOD}]"), "line 1");
    check(&format!("\u{feff}\n  [\n{GOOD}\n]\n[\n{GOOD}\n]\n"), "line 2");
    check(&format!("[{}]", vec![GOOD; 20_000].join(",")), "line 1");
}

#[test]
fn a_byte_order_mark_carriage_returns_and_blank_lines_do_not_count() {
    let text = format!("\u{feff}{GOOD}\r\n\r\n  \n{}\r\n", GOOD.replace("交通", "公安"));
    assert_eq!(counts(&over(text.as_bytes())), (2, 2, 0, 0));
    assert_eq!(counts(&over(b"")), (0, 0, 0, 0));
}

#[test]
fn a_truncated_gzip_says_how_far_it_was_read() {
    let mut text = String::new();
    for number in 0..5_000 {
        writeln!(text, r#"{{"portal":"p","title":"t{number}","provider":"q"}}"#).unwrap();
    }
    let whole = gzip(text.as_bytes());
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "a.jsonl.gz", &whole[..whole.len() / 2]);
    let outcome = dry_run(&path, None).unwrap();
    let (read, accepted, ..) = counts(&outcome);
    assert!(read > 0 && read < 5_000 && accepted == read, "{read}");
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.exit, failure.reason.as_str()), (Exit::Error, "file_truncated"));
    assert!(failure.message.en.contains(&format!("{read} complete lines")), "{failure:?}");

    // Cut within the last bytes, all lines are there and the file is still not whole.
    let path = file(&folder, "b.jsonl.gz", &whole[..whole.len() - 4]);
    let outcome = dry_run(&path, None).unwrap();
    assert_eq!(outcome.failure.unwrap().reason, "file_truncated");

    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0xff;
    let path = file(&folder, "c.jsonl.gz", &damaged);
    let outcome = dry_run(&path, None).unwrap();
    let failure = outcome.failure.expect("a damaged file must not pass for a whole one");
    assert!(["file_broken", "file_truncated"].contains(&failure.reason.as_str()), "{failure:?}");
}

#[test]
fn several_gzip_members_are_one_file_whatever_its_name() {
    let folder = TempDir::new().unwrap();
    let second = GOOD.replace("交通", "公安");
    let both = [gzip(format!("{GOOD}\n").as_bytes()), gzip(second.as_bytes())].concat();
    let path = file(&folder, "no_ending", &both);
    assert_eq!(counts(&dry_run(&path, None).unwrap()), (2, 2, 0, 0));
}

#[test]
fn a_50_mb_line_is_passed_over_without_being_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.jsonl.gz");
    let mut encoder = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::fast());
    writeln!(encoder, "{GOOD}").unwrap();
    encoder.write_all(br#"{"title":""#).unwrap();
    let block = vec![b'x'; 1 << 16];
    for _ in 0..800 {
        encoder.write_all(&block).unwrap();
    }
    writeln!(encoder, "\"}}\n{}", GOOD.replace("交通", "公安")).unwrap();
    encoder.finish().unwrap();

    let mut lines = reader::open(&path).unwrap();
    lines.next_line().unwrap().unwrap();
    match lines.next_line().unwrap().unwrap() {
        Line::TooLong { bytes, beginning } => {
            assert_eq!(bytes, 800 * (1 << 16) + 12);
            assert_eq!(beginning.len(), reader::BEGINNING_BYTES);
        }
        Line::Text(_) => panic!("a line of 50 MB was taken as a whole"),
    }
    assert!(lines.held_bytes() <= 2 * LINE_BYTES_MAX, "{}", lines.held_bytes());

    let outcome = dry_run(&path, None).unwrap();
    assert_eq!(counts(&outcome), (3, 2, 0, 1));
    assert_eq!(outcome.report.first_quarantined[0].0, 2);
    assert_eq!(outcome.report.faults["line_too_long"], 1);
}

#[test]
fn a_line_of_exactly_the_limit_is_read() {
    let padding = LINE_BYTES_MAX - GOOD.len();
    let fits = format!("{GOOD}{}", " ".repeat(padding));
    assert_eq!(counts(&over(fits.as_bytes())), (1, 1, 0, 0));
    assert_eq!(counts(&over(format!("{fits} ").as_bytes())), (1, 0, 0, 1));
}

#[test]
fn quarantined_lines_are_kept_where_asked_and_nowhere_else() {
    let folder = TempDir::new().unwrap();
    let source = file(&folder, "in.jsonl", format!("{GOOD}\nnot json\n").as_bytes());
    dry_run(&source, None).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let kept = folder.path().join("kept.jsonl");
    dry_run(&source, Some(&kept)).unwrap();
    let line: Value = serde_json::from_str(&fs::read_to_string(&kept).unwrap()).unwrap();
    assert_eq!(line["line"], 2);
    assert_eq!(line["reason"], "not_json");
    assert_eq!(line["raw"], "not json");

    let failure = dry_run(&source, Some(&source)).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    assert!(fs::read_to_string(&source).unwrap().starts_with(GOOD), "the source was overwritten");
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_its_name() {
    let failure = dry_run("no/such/file.jsonl".as_ref(), None).unwrap_err();
    assert_eq!(failure.exit, Exit::Error);
    assert!(failure.message.en.contains("no/such/file.jsonl"));
}

#[test]
fn the_report_for_people_has_counts_gaps_and_lines_in_both_languages() {
    let outcome = over(format!("{GOOD}\n{GOOD}\nnot json\n").as_bytes());
    for (lang, words) in [
        (Lang::En, ["read 3 = accepted 1 + duplicates 1 + quarantined 1", "Gaps of", "not_json"]),
        (Lang::Zh, ["读取 3 = 接收 1 + 重复 1 + 隔离 1", "缺项", "not_json"]),
    ] {
        let mut out = Vec::new();
        outcome.report.write_text(&mut out, lang).unwrap();
        let text = String::from_utf8(out).unwrap();
        for word in words {
            assert!(text.contains(word), "{text}");
        }
    }
}

#[test]
fn the_sample_catalog_passes_whole() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample_catalog.jsonl");
    let outcome = dry_run(path.as_ref(), None).unwrap();
    let (read, accepted, ..) = counts(&outcome);
    assert!(read >= 200 && accepted == read, "{:?}", outcome.report.first_quarantined);
    let not_taken: Vec<&str> = outcome.report.not_taken.keys().map(String::as_str).collect();
    assert_eq!(not_taken, ["updated"], "an entry has one date of issue");
}

#[test]
fn the_real_catalogs_add_up() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/catalogs");
    if !folder.is_dir() {
        println!("SKIPPED: ../shared/data/catalogs is not beside this repository");
        return;
    }
    // Numbers counted independently with another program.
    let check = |name: &str, read: u64, duplicates: u64| {
        let outcome = dry_run(&folder.join(name), None).unwrap();
        assert_eq!(outcome.failure, None, "{name}");
        let found = counts(&outcome);
        assert_eq!((found.0, found.2), (read, duplicates), "{name}");
        println!("{name}: {}", outcome.report.to_json());
    };
    check("xiamen.jsonl.gz", 1_001, 1);
    check("shanghai.jsonl.gz", 2_234, 3);
    check("mixed_63_portals.jsonl.gz", 12_112, 13);
}
