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
