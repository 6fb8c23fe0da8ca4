//! Import: does a dry run account for every line of a foreign catalog, whatever its state?

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
};

use federation_tests::{
    command_line::{Said, run},
    repository::{harvested_catalogs, root},
    skipped,
};
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use serde_json::{Value, json};

fn dry_run(file: &Path) -> Said {
    let file = file.to_str().expect("a path in UTF-8");
    run(["catalog", "import", file, "--dry-run", "-o", "json"])
}

/// The four counts, of which the first is the sum of the others.
fn counts(report: &Value) -> [u64; 4] {
    let count = |key: &str| {
        report[key].as_u64().unwrap_or_else(|| panic!("`{key}` is no count in {report}"))
    };
    let [read, accepted, duplicates, quarantined] =
        ["read", "accepted", "duplicates", "quarantined"].map(count);
    assert_eq!(read, accepted + duplicates + quarantined, "{report}");
    [read, accepted, duplicates, quarantined]
}

fn lines_of(file: &Path) -> u64 {
    let file = BufReader::new(File::open(file).expect("the catalog opens"));
    let lines = BufReader::new(MultiGzDecoder::new(file)).split(b'\n');
    let whole = lines.map(|line| line.expect("the catalog is whole"));
    whole.filter(|line| !line.trim_ascii().is_empty()).count() as u64
}

fn line(title: &str) -> String {
    json!({
        "portal": "test", "seq": 1, "title": title, "provider": "厦门市交通运输局",
        "description": "一条目录", "open_type": "普遍开放", "open_type_norm": "unconditional",
        "update_cycle": "每年", "update_cycle_norm": "year",
    })
    .to_string()
}

#[test]
fn every_line_of_every_harvested_catalog_is_accounted_for() {
    let catalogs = match harvested_catalogs() {
        Ok(catalogs) => catalogs,
        Err(reason) => {
            return skipped(
                "import::every_line_of_every_harvested_catalog_is_accounted_for",
                reason,
            );
        }
    };
    for file in catalogs {
        let [read, accepted, ..] = counts(&dry_run(&file).well().last_object());
        assert_eq!(read, lines_of(&file), "{}", file.display());
        assert!(accepted > 0, "{}", file.display());
    }
}

#[test]
fn the_sample_is_accepted_whole() {
    let file = root().join("cli/data/sample_catalog.jsonl");
    let lines = fs::read_to_string(&file).expect("the sample is there").lines().count() as u64;
    assert_eq!(counts(&dry_run(&file).well().last_object()), [lines, lines, 0, 0]);
}

#[test]
fn copies_are_counted_once_and_the_rest_as_duplicates() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("copies.jsonl");
    fs::write(&file, format!("{}\n", line("公交线路信息")).repeat(115)).expect("a file");
    assert_eq!(counts(&dry_run(&file).well().last_object()), [115, 1, 114, 0]);
}

#[test]
fn a_gzip_that_breaks_off_is_refused_and_says_how_far_it_came() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("broken.jsonl.gz");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for number in 0..2_000 {
        writeln!(gzip, "{}", line(&format!("目录 {number}"))).expect("memory takes everything");
    }
    let whole = gzip.finish().expect("memory takes everything");
    fs::write(&file, &whole[..whole.len() / 2]).expect("a file");
    let said = dry_run(&file);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.stderr.contains("complete lines") || said.stderr.contains("完整行"), "{said:#?}");
}

#[test]
fn arrays_glued_together_are_refused_with_what_is_expected() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("arrays.json");
    fs::write(&file, format!("[{}][{}]", line("甲"), line("乙"))).expect("a file");
    let said = dry_run(&file);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.stderr.contains("JSON lines") || said.stderr.contains("JSON Lines"), "{said:#?}");
}

#[test]
fn a_line_of_fifty_megabytes_is_set_aside_and_its_neighbors_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("long.jsonl.gz");
    let out = BufWriter::new(File::create(&file).expect("a file"));
    let mut gzip = GzEncoder::new(out, Compression::fast());
    let mut put = |text: &str| gzip.write_all(text.as_bytes()).expect("the disk takes it");
    put(&format!("{}\n", line("之前")));
    put("{\"title\":\"");
    let megabyte = "长".repeat((1 << 20) / "长".len());
    for _ in 0..50 {
        put(&megabyte);
    }
    put("\"}\n");
    put(&format!("{}\n", line("之后")));
    gzip.finish().and_then(|mut out| out.flush()).expect("the disk takes it");
    assert_eq!(counts(&dry_run(&file).well().last_object()), [3, 2, 0, 1]);
}
