//! Names: do public names use the words of the glossary, and none of those that it rules out?

use std::collections::BTreeMap;

use federation_tests::repository::{files, read};

/// The identifiers that are ruled out, each with what to say instead.
fn forbidden() -> BTreeMap<String, String> {
    let table: BTreeMap<String, String> = read("tests/it/forbidden_names.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (name, instead) = line.split_once(' ').expect("NAME what to say instead");
            (name.to_owned(), instead.trim().to_owned())
        })
        .collect();
    assert!(table.len() > 40, "the list of forbidden names is gone");
    table
}

/// The identifier that `line` makes public, if it does.
fn declared(line: &str) -> Option<&str> {
    const KEYWORDS: [&str; 14] = [
        "pub", "async", "const", "fn", "struct", "enum", "trait", "type", "static", "mod",
        "message", "service", "rpc", "unsafe",
    ];
    let line = line.trim();
    let public = ["pub ", "message ", "service ", "rpc ", "enum "];
    if !public.iter().any(|start| line.starts_with(start)) {
        return None;
    }
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
        .find(|word| !word.is_empty() && !KEYWORDS.contains(word))
}

#[test]
fn public_names_keep_to_the_glossary() {
    let forbidden = forbidden();
    let mut wrong = Vec::new();
    for file in files(&[".rs", ".proto"]) {
        let text = read(&file.to_string_lossy());
        for (number, line) in text.lines().enumerate() {
            if let Some((name, instead)) =
                declared(line).and_then(|name| forbidden.get_key_value(name))
            {
                let place = format!("{}:{}", file.display(), number + 1);
                wrong.push(format!("{place}: `{name}`; say {instead}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_declaration_is_recognized_by_its_name() {
    let check = |line, name| assert_eq!(declared(line), name, "{line}");
    check("pub struct Tenant {", Some("Tenant"));
    check("    pub async fn failover(&self) {", Some("failover"));
    check("    pub owner: Party,", Some("owner"));
    check("pub const fn ttl() {}", Some("ttl"));
    check("message Ticket {", Some("Ticket"));
    check("  rpc Apply(ApplyRequest) returns (Empty);", Some("Apply"));
    check("let tenant = 1;", None);
    check("// pub struct Tenant", None);
}
