use super::*;

const SPEC: &str = r#"
domain = "xiamen"
kind = "city"
display_name = "厦门"
composition = "xiamen-today"
development_clock = "2026-09-21T09:00:00+08:00"

[[organizations]]
name = "数据主管部门"
class = "government_department"
capacities = ["government_data"]
platform_role = "authority"
persons = [{ display_name = "甲", roles = ["department_head"] }]
systems = [{ id = "01J8Z0000000000000000000AA", display_name = "平台" }]

[[peers]]
domain = "fujian"
relation = "superior"
"#;

fn spec() -> Spec {
    toml::from_str(SPEC).expect("the spec is complete")
}

#[test]
fn a_spec_becomes_the_first_command() {
    let mut spec = spec();
    let bootstrap = spec.command([7; 16], UtcMillis(5)).expect("it is sound");
    assert_eq!(bootstrap.clock.local_text(), "2026-09-21 09:00:00");
    assert!(bootstrap.cluster.development_clock);
    assert_eq!(bootstrap.cluster.cluster_id, [7; 16]);
    assert_eq!(bootstrap.systems[0].id.to_string(), "01J8Z0000000000000000000AA");
    let drawn = spec.organizations[0].id.clone().expect("it was drawn");
    assert_eq!(drawn, bootstrap.organizations[0].id.to_string());
    assert_eq!(bootstrap.persons[0].organization, bootstrap.organizations[0].id);
    assert_eq!(bootstrap.peers[0].relation, PeerRelation::Superior);
}

#[test]
fn the_hash_of_the_ledger_is_stated_only_where_it_is_not_the_usual_one() {
    let suite = |line: &str| {
        let text = SPEC.replacen('\n', &format!("\n{line}\n"), 1);
        let mut spec: Spec = toml::from_str(&text).expect(line);
        let bootstrap = spec.command([7; 16], UtcMillis(5)).expect("it is sound");
        bootstrap.cluster.hash_suite
    };
    assert_eq!(suite(""), None);
    assert_eq!(suite("hash = \"sha256\""), None);
    assert_eq!(suite("hash = \"sm3\""), Some(Suite::Sm3Sm2));
    toml::from_str::<Spec>(&format!("hash = \"md5\"\n{SPEC}")).expect_err("no hash of ours");
}

#[test]
fn what_could_not_be_applied_is_refused_before_it_is_proposed() {
    let check = |change: fn(&mut Spec), key: &str| {
        let mut spec = spec();
        change(&mut spec);
        let error = spec.command([7; 16], UtcMillis(5)).expect_err(key);
        assert_eq!(error.key, key, "{error}");
    };
    check(|spec| spec.composition = "nowhere".to_owned(), "composition");
    check(|spec| spec.development_clock = Some("noon".to_owned()), "development_clock");
    check(|spec| spec.rule_pack = Some("missing.json".into()), "rule_pack");
    check(
        |spec| spec.organizations[0].credit_code = "1".to_owned(),
        "organizations[0].credit_code",
    );
    check(|spec| spec.organizations[0].id = Some("x".to_owned()), "organizations[0].id");
    check(|spec| spec.organizations.push(spec.organizations[0].clone()), "organizations[1].name");
}
