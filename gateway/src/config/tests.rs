use std::path::Path;

use super::*;

const EXAMPLE: &str = include_str!("../../gateway.example.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/luqiao"))
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    let config = parse(EXAMPLE).expect("the example is valid");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.timeouts, Timeouts::default());
    for section in ["[limits]", "[timeouts]"] {
        // With each line taken away in turn the text stays valid and the value stays the same:
        // so every key that is there is known and shows the default.
        let begins = EXAMPLE.find(section).expect("the section is shown");
        let lines = EXAMPLE[begins..].lines().skip(1).take_while(|line| !line.is_empty());
        for line in lines {
            let shorter = parse(&EXAMPLE.replace(line, "")).expect("a default");
            assert_eq!(shorter.limits, Limits::default(), "{line}");
            assert_eq!(shorter.timeouts, Timeouts::default(), "{line}");
        }
    }
    let keys = |section: &str| {
        EXAMPLE[EXAMPLE.find(section).unwrap()..]
            .lines()
            .skip(1)
            .take_while(|line| line.contains('='))
            .count()
    };
    // The derived Debug text has one `name:` for each field.
    assert_eq!(keys("[limits]"), format!("{:?}", Limits::default()).matches(": ").count());
    assert_eq!(keys("[timeouts]"), format!("{:?}", Timeouts::default()).matches(": ").count());
}

#[test]
fn relative_paths_count_from_the_folder_of_the_file() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.tls.cert, Path::new("/etc/luqiao/gateway.crt"));
    assert_eq!(config.peers[0].ca, Path::new("/etc/luqiao/fujian-ca.crt"));
    let head_ca = config.peers[1].head_ca.as_deref();
    assert_eq!(head_ca, Some(Path::new("/etc/luqiao/siming-head-ca.crt")));
    let absolute = parse(&EXAMPLE.replace("\"fujian-ca.crt\"", "\"/pki/ca.crt\"")).unwrap();
    assert_eq!(absolute.peers[0].ca, Path::new("/pki/ca.crt"));
}

#[test]
fn every_authority_may_name_only_its_own_domain() {
    let files = parse(EXAMPLE).unwrap().tls_files();
    let scopes: Vec<_> = files.trust.iter().map(|trust| trust.scope.clone()).collect();
    let domain = |name: &str| Scope::Domain(name.parse().unwrap());
    assert_eq!(scopes, [domain("xiamen"), domain("fujian"), domain("siming"), Scope::Others]);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    for (known, written) in [
        ("listen", "lisen"),
        ("caller_rate", "callr_rate"),
        ("follow", "folow"),
        ("attempt", "atempt"),
        ("endpoint = \"node-1", "endpiont = \"node-1"),
    ] {
        let text = EXAMPLE.replacen(&format!("\n{known}"), &format!("\n{written}"), 1);
        assert_ne!(text, EXAMPLE);
        let error = parse(&text).expect_err(written).to_string();
        let name = known.split(' ').next().unwrap();
        assert!(error.contains(&format!("did you mean `{name}`?")), "{written}: {error}");
    }
}

#[test]
fn values_that_do_not_go_together_are_refused() {
    for (from, to, said) in [
        ("domain = \"siming\"", "domain = \"xiamen\"", "our own"),
        ("domain = \"siming\"", "domain = \"fujian\"", "listed twice"),
        ("id = \"2\"", "id = \"1\"", "node `1` is listed twice"),
        ("caller_rate = 2000", "caller_rate = 0", "a limit of 0"),
        ("attempt = \"3s\"", "attempt = \"0s\"", "a timeout of 0"),
        ("attempt = \"3s\"", "attempt = \"3 minutes\"", "is not a time"),
        ("attempt = \"3s\"", "attempt = \"99999999999999999h\"", "is not a time"),
        ("follow = \"shared\"", "follow = \"all\"", "unknown variant"),
        ("serial = \"5f:01:a2\"", "", "needs either `serial` or `subject`"),
        ("serial = \"5f:01:a2\"", "serial = \"xyz\"", "cannot be used"),
        ("domain = \"xiamen\"", "domain = \"Xiamen\"", "is not a domain id"),
        ("endpoints = [\"gateway.fujian.example:8443\"]", "endpoints = []", "no endpoints"),
    ] {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        let error = parse(&text).expect_err(said).to_string();
        assert!(error.contains(said), "wanted `{said}`, got: {error}");
    }
}
