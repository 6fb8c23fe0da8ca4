use super::*;

const EXAMPLE: &str = include_str!("../../catalog-node.example.toml");

#[test]
fn the_example_is_a_configuration() {
    let config = Config::parse(EXAMPLE, Path::new("/etc/luqiao")).expect("the example is complete");
    assert_eq!(config.voters(), [1, 2, 3]);
    assert_eq!(config.data, Path::new("/etc/luqiao/data/node-1"));
    assert_eq!(config.cluster_id[0..2], [0x01, 0x23]);
    assert_eq!(config.tick, Duration::from_millis(20));
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest() {
    for (written, nearest) in [
        ("lisen = \"127.0.0.1:1\"", "did you mean `listen`?"),
        ("cluster-id = \"00\"", "did you mean `cluster_id`?"),
    ] {
        let text = EXAMPLE.replacen("\ndomain", &format!("\n{written}\ndomain"), 1);
        let error = Config::parse(&text, Path::new(".")).expect_err("unknown").to_string();
        assert!(error.contains(nearest), "{error}");
    }
    let text = EXAMPLE.replacen("tick_ms = 20", "tick_ms = 20\ntick = 3", 1);
    let error = Config::parse(&text, Path::new(".")).expect_err("unknown").to_string();
    assert!(error.contains("did you mean `tick_ms`?"), "{error}");
}

#[test]
fn a_missing_key_is_an_error() {
    let text = EXAMPLE.replacen("ahead_max_s = 300", "", 1);
    let error = Config::parse(&text, Path::new(".")).expect_err("missing").to_string();
    assert!(error.contains("ahead_max_s"), "{error}");
}

#[test]
fn members_that_cannot_work_are_refused() {
    for (from, to, key) in [
        ("\nid = 1\n# Log", "\nid = 4\n# Log", "id"),
        ("id = 3\naddress", "id = 2\naddress", "members"),
        ("[[members]]\nid = 3\naddress = \"127.0.0.1:7103\"\n", "", "members"),
        ("election_ticks = 12", "election_ticks = 2", "consensus.election_ticks"),
        ("reserve_max_mib = 8192", "reserve_max_mib = 8", "disk.reserve_max_mib"),
        ("cluster_id = \"01", "cluster_id = \"zz", "cluster_id"),
        ("domain = \"xiamen\"", "domain = \"Xiamen\"", "domain"),
    ] {
        assert!(EXAMPLE.contains(from), "{from}");
        let text = EXAMPLE.replacen(from, to, 1);
        let error = Config::parse(&text, Path::new(".")).expect_err(key);
        assert!(
            matches!(&error, ConfigError::Value { key: found, .. } if *found == key),
            "{error}"
        );
    }
}

#[test]
fn a_file_from_before_joining_and_compaction_still_holds() {
    let mut text = EXAMPLE.replacen("join = false", "", 1);
    let section = text.find("[compaction]").expect("the example shows every section");
    let end = section + text[section..].find("[log]").expect("it is not the last");
    text.replace_range(section..end, "");
    let config = Config::parse(&text, Path::new(".")).expect("it was valid");
    assert_eq!((config.join, config.compaction), (false, Compaction::default()));
    assert_eq!(config.reserve, Reserve::default());
    assert_eq!(config.webhooks, Webhooks::default());
    let shown = Config::parse(EXAMPLE, Path::new(".")).expect("the example is complete");
    assert_eq!(config.compaction, shown.compaction, "the example shows the default");
    assert_eq!(config.reserve, shown.reserve, "the example shows the default");
    assert_eq!(config.webhooks, shown.webhooks, "the example shows the default");
}

#[test]
fn a_node_that_joins_names_whom_to_ask() {
    let joins = EXAMPLE.replacen("join = false", "join = true", 1);
    assert!(Config::parse(&joins, Path::new(".")).is_ok(), "itself may be among them");
    let text = joins.replacen("\nid = 1\n# Log", "\nid = 4\n# Log", 1);
    assert!(Config::parse(&text, Path::new(".")).expect("it need not be").join);
    let others = joins.find("[[members]]\nid = 2").expect("the example has three");
    let end = joins.find("[tls]").expect("members come before");
    let mut alone = joins.clone();
    alone.replace_range(others..end, "");
    let error = Config::parse(&alone, Path::new(".")).expect_err("nobody to ask");
    assert!(matches!(error, ConfigError::Value { key: "members", .. }), "{error}");
    let nothing = EXAMPLE.replacen("keep_entries = 10000", "keep_entries = 0", 1);
    let error = Config::parse(&nothing, Path::new(".")).expect_err("it keeps nothing");
    assert!(matches!(error, ConfigError::Value { key: "compaction", .. }), "{error}");
}

/// The example with its section on backups switched on; `s3` in place of the folder.
fn with_backup(s3: bool) -> String {
    let (before, after) = EXAMPLE.split_once("# [backup]\n").expect("the example shows it");
    let (section, after) = after.split_once("\n[log]").expect("it is not the last");
    let mut text = format!("{before}[backup]\n");
    let mut of_s3 = false;
    for line in section.lines() {
        let line = line.trim_start_matches("# ");
        of_s3 |= line == "[backup.s3]";
        let setting = line == "[backup.s3]"
            || line.split_once(" = ").is_some_and(|(key, _)| {
                key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'3')
            });
        let wanted = if of_s3 { s3 } else { !(s3 && line.starts_with("folder")) };
        if setting && wanted {
            text.push_str(line);
            text.push('\n');
        }
    }
    format!("{text}\n[log]{after}")
}

#[test]
fn backups_are_shown_and_need_one_place() {
    assert_eq!(Config::parse(EXAMPLE, Path::new(".")).unwrap().backup, None);
    for s3 in [false, true] {
        let text = with_backup(s3);
        let config = Config::parse(&text, Path::new("/etc/luqiao")).expect(&text);
        let backup = config.backup.expect("it is there");
        assert_eq!(backup.key, Path::new("/etc/luqiao/backup.key"));
        assert_eq!((backup.folder.is_some(), backup.s3.is_some()), (!s3, s3));
    }
    let both = with_backup(true).replacen("[backup]\n", "[backup]\nfolder = \"f\"\n", 1);
    for (text, key) in [
        (both, "backup"),
        (with_backup(false).replacen("weekly=8", "yearly=8", 1), "backup.keep"),
        (with_backup(false).replacen("segment_s = 10", "segment_s = 0", 1), "backup"),
    ] {
        let error = Config::parse(&text, Path::new(".")).expect_err(key);
        assert!(matches!(&error, ConfigError::Value { key: k, .. } if *k == key), "{error}");
    }
}
