//! The program as a script meets it: exit codes, the last line of stdout, talk on stderr.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

fn luqiao(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_luqiao"))
        .args(arguments)
        .env_remove("LUQIAO_LANG")
        .env_remove("LUQIAO_CONTEXT")
        .env_remove("LUQIAO_CONTEXTS")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("the program starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn last_object(output: &Output) -> Value {
    let text = stdout(output);
    let line = text.lines().last().unwrap_or_else(|| panic!("stdout is empty: {output:?}"));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file can be written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn calendar_due_crosses_two_holidays_and_a_make_up_day() {
    let output =
        luqiao(&["calendar", "due", "--from", "2026-09-21", "--working-days", "10", "-o", "json"]);
    assert_eq!(code(&output), 0);
    let object = last_object(&output);
    assert_eq!((&object["due"], &object["provisional"]), (&"2026-10-12".into(), &false.into()));
    assert_eq!(stderr(&output), "");

    let output = luqiao(&["calendar", "due", "--from", "2026-09-21", "--working-days", "10"]);
    assert_eq!(stdout(&output), "2026-10-12\n");
}

#[test]
fn calendar_due_explains_each_day_and_says_when_a_date_is_provisional() {
    let output = luqiao(&[
        "calendar",
        "due",
        "--from",
        "2026-09-21",
        "--working-days",
        "10",
        "--explain",
        "-o",
        "json",
    ]);
    let object = last_object(&output);
    let days = object["days"].as_array().expect("a list");
    assert_eq!(days.iter().filter(|day| !day["counted"].is_null()).count(), 10);
    assert!(days.iter().any(|day| day["kind"] == "make_up_day"));

    let output = luqiao(&[
        "calendar",
        "due",
        "--from",
        "2031-03-03",
        "--working-days",
        "3",
        "--lang",
        "zh",
        "-o",
        "json",
    ]);
    assert_eq!(last_object(&output)["provisional"], true);
    assert!(stderr(&output).contains("暂定"), "{}", stderr(&output));
}

#[test]
fn a_dry_run_prints_the_four_counts_and_nothing_else_on_stdout() {
    let folder = TempDir::new().expect("a folder");
    let good = r#"{"portal":"p","title":"t","provider":"q"}"#;
    let file = write(&folder, "in.jsonl", &format!("{good}\n{good}\n{{\"title\":\"u\"}}\n"));
    let output = luqiao(&["catalog", "import", &file, "--dry-run", "-o", "json"]);
    assert_eq!(code(&output), 0);
    assert_eq!(stdout(&output), "{\"read\":3,\"accepted\":1,\"duplicates\":1,\"quarantined\":1}\n");
    let output = luqiao(&["catalog", "import", &file, "--dry-run"]);
    assert!(stdout(&output).contains("provider_missing"), "{output:?}");
    assert!(stdout(&output).contains("sharing_attribute"), "{output:?}");
}

#[test]
fn a_file_of_arrays_ends_with_1_and_still_with_an_object() {
    let folder = TempDir::new().expect("a folder");
    let file = write(&folder, "in.json", "[{}][{}]");
    let output = luqiao(&["catalog", "import", &file, "--dry-run", "-o", "json", "--lang", "en"]);
    assert_eq!(code(&output), 1);
    let object = last_object(&output);
    assert_eq!(
        (&object["read"], &object["error"]["reason"]),
        (&0.into(), &"not_json_lines".into())
    );
    assert!(stderr(&output).contains("JSON lines are expected"), "{}", stderr(&output));
    let output = luqiao(&["catalog", "import", &file, "--dry-run", "--lang", "zh"]);
    assert!(stderr(&output).starts_with("错误"), "{}", stderr(&output));
}

#[test]
fn a_missing_file_ends_with_1_and_names_it() {
    let output = luqiao(&["catalog", "import", "not/there.jsonl", "--dry-run", "-o", "json"]);
    assert_eq!(code(&output), 1);
    let object = last_object(&output);
    assert_eq!(object["error"]["reason"], "file_unusable");
    assert_eq!(object["error"]["exit_code"], 1);
    assert!(stderr(&output).contains("not/there.jsonl"));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let check = |arguments: &[&str]| assert_eq!(code(&luqiao(arguments)), 2, "{arguments:?}");
    check(&[]);
    check(&["catalogue"]);
    check(&["calendar", "due", "--from", "yesterday", "--working-days", "3"]);
    check(&["receipt", "verify", "file"]);
    let folder = TempDir::new().expect("a folder");
    let contexts = write(&folder, "contexts.toml", "[contexts]\n");
    check(&["status", "--contexts", &contexts]);
    check(&["status", "--contexts", &contexts, "--context", "city"]);
}

#[test]
fn help_and_completions_end_with_0() {
    for arguments in [&["--help"][..], &["--version"], &["completions", "bash"]] {
        let output = luqiao(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(stdout(&output).contains("luqiao"), "{arguments:?}");
    }
}

#[test]
fn without_contexts_a_remote_command_says_where_they_come_from() {
    let folder = TempDir::new().expect("a folder");
    let missing = folder.path().join("contexts.toml");
    let output = luqiao(&["status", "--contexts", path(&missing), "--lang", "en"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("luqiao dev"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_gateway_that_is_not_there_ends_with_8() {
    let folder = TempDir::new().expect("a folder");
    // Bound and not accepting any more once dropped: nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    let uri = "spiffe://city.luqiao/organization/01K5Z0000000000000000000CC/system/01K5Z0000000000000000000DD";
    params.subject_alt_names = vec![rcgen::SanType::URI(uri.try_into().expect("ASCII"))];
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    let cert = write(&folder, "cert.pem", &certificate);
    write(&folder, "key.pem", &key.serialize_pem());
    let contexts = write(
        &folder,
        "contexts.toml",
        &format!(
            "[contexts.city]\ngateways = [\"{address}\"]\nca = \"cert.pem\"\ncert = \"{cert}\"\nkey = \"key.pem\"\n"
        ),
    );
    let output = luqiao(&["status", "--contexts", &contexts, "-o", "json", "--lang", "en"]);
    assert_eq!(code(&output), 8, "{}", stderr(&output));
    assert_eq!(last_object(&output)["error"]["exit_code"], 8);
    assert!(stderr(&output).contains("nobody answers"), "{}", stderr(&output));
}

#[test]
fn a_receipt_that_proves_nothing_ends_with_1_and_a_verdict_on_stdout() {
    let folder = TempDir::new().expect("a folder");
    let receipt = write(
        &folder,
        "receipt.json",
        r#"{"name":"n","record":"AQ==","tree_head":{"domain":"a","cluster_id":"c","tree_size":1,
            "root_hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","time":"2026-09-21T01:00:00Z",
            "hash_algorithm":"sha256","signature_algorithm":"ed25519","signature":"","certificate":""}}"#,
    );
    let trust = write(
        &folder,
        "trust.json",
        r#"{"domain":"b","cluster_id":"c","hash":"sha256","algorithm":"ed25519","ca_certificates":[],"forks":[]}"#,
    );
    let output = luqiao(&["receipt", "verify", &receipt, "--trust", &trust, "-o", "json"]);
    assert_eq!(code(&output), 1);
    let object = last_object(&output);
    assert_eq!((&object["verified"], &object["reason"]), (&false.into(), &"not_of_anchor".into()));

    let output = luqiao(&["receipt", "verify", &receipt, "--trust", &receipt, "-o", "json"]);
    assert_eq!(code(&output), 1);
    assert_eq!(last_object(&output)["error"]["reason"], "file_malformed");
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
