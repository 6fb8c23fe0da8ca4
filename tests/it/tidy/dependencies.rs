//! Dependencies: is what must not know of something kept from it?

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use federation_tests::repository::root;
use serde_json::Value;

/// Who is built with whom, as cargo resolved it.
struct Graph {
    names: BTreeMap<String, String>,
    members: Vec<String>,
    normal: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--locked"])
            .current_dir(root())
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let names = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let members = list(&metadata["workspace_members"]).iter().map(text).collect();
        let normal = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let linked = list(&node["deps"])
                    .iter()
                    .filter(|dep| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()))
                    .map(|dep| text(&dep["pkg"]))
                    .collect();
                (text(&node["id"]), linked)
            })
            .collect();
        Self { names, members, normal }
    }

    /// Everything that ends up in the library or program of `package`; what only its tests or its
    /// build script use does not.
    fn linked(&self, package: &str) -> BTreeSet<&str> {
        let start = self.members.iter().find(|id| self.names[*id] == package);
        let mut open = vec![start.unwrap_or_else(|| panic!("no member is called {package}"))];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(&self.normal[id]);
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

#[test]
fn what_must_not_know_of_something_does_not_link_it() {
    const WIRE: [&str; 3] = ["luqiao-proto", "tonic", "prost"];
    const EFFECTS: [&str; 4] = ["tokio", "hyper", "rocksdb", "luqiao-transport"];
    let deterministic: Vec<&str> = WIRE.into_iter().chain(EFFECTS).collect();
    let rules: [(&str, &[&str]); 12] = [
        ("catalog-model", &deterministic),
        ("catalog-proofs", &deterministic),
        ("catalog-proofs", &["catalog-state", "catalog-log", "catalog-replica", "catalog-node"]),
        ("catalog-state", &deterministic),
        ("catalog-log", &deterministic),
        ("catalog-replica", &deterministic),
        ("simulations", &["tokio", "rocksdb", "catalog-node", "gateway"]),
        (
            "gateway",
            &["catalog-state", "catalog-replica", "catalog-log", "catalog-node", "rocksdb"],
        ),
        ("luqiao-proto", &["catalog-state", "catalog-replica", "catalog-node", "gateway"]),
        ("luqiao-transport", &["catalog-state", "catalog-replica", "catalog-node", "gateway"]),
        ("catalog-backup", &["raft", "rocksdb", "catalog-replica", "catalog-log", "catalog-node"]),
        ("catalog-node", &["gateway"]),
    ];
    let graph = Graph::read();
    let mut wrong = Vec::new();
    for (package, absent) in rules {
        let linked = graph.linked(package);
        assert!(linked.len() > 5, "{package} links next to nothing: {linked:?}");
        for name in absent {
            if linked.contains(name) {
                wrong.push(format!("{package} links {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_graph_shows_a_link_where_there_is_one() {
    let graph = Graph::read();
    for (package, present) in
        [("catalog-node", "catalog-state"), ("gateway", "tonic"), ("luqiao", "gateway")]
    {
        assert!(graph.linked(package).contains(present), "{package} does not link {present}");
    }
}
