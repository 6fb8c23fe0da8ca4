//! The script for everybody: does somebody with nothing but Python come to the same verdicts?
//!
//! Needs a Python that has `cryptography`: `LUQIAO_PYTHON`, or `python3`. Where there is none, the
//! tests say so.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use catalog_proofs::{
    against::Against,
    archive::{self, Chain},
    receipt::{
        self,
        document::{ConsistencyProof, Cosignature, Receipt, TreeHead, TrustAnchor},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{City, Signer, cosignature_json, head_json};

/// The script, and where its files lie.
struct Script {
    python: String,
    folder: TempDir,
}

impl Script {
    fn new() -> Option<Self> {
        let candidates = [env::var("LUQIAO_PYTHON").ok(), Some("python3".to_owned())];
        let python = candidates.into_iter().flatten().find(|python| {
            let found = Command::new(python).args(["-c", "import cryptography"]).output();
            found.is_ok_and(|output| output.status.success())
        });
        if python.is_none() {
            println!("no Python with `cryptography` is installed: the script was not run");
        }
        Some(Self { python: python?, folder: TempDir::new().unwrap() })
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn json(&self, name: &str, value: &Value) -> PathBuf {
        self.write(name, value.to_string().as_bytes())
    }

    /// Exit code and what was said.
    fn run(&self, question: &str, files: &[&Path], trust: Option<&Path>) -> (i32, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/verify.py");
        let mut command = Command::new(&self.python);
        command.arg(script).arg(question).args(files);
        if let Some(trust) = trust {
            command.arg("--trust").arg(trust);
        }
        let output = command.output().unwrap();
        let said =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    /// Whether the script says what we say: `None` for proven, else the reason.
    fn agrees(&self, question: &str, files: &[&Path], trust: Option<&Path>, ours: Option<&str>) {
        let (code, said) = self.run(question, files, trust);
        match ours {
            None => assert_eq!(code, 0, "{said}"),
            Some(reason) => {
                assert_eq!(code, 1, "{said}");
                assert!(said.contains(&format!("[{reason}]")), "{reason}: {said}");
            }
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn sec_03_receipts_are_proven_and_refused_alike() {
    let Some(script) = Script::new() else { return };
    let city = City::new(7);
    let other = Signer::new("luqiao-city", 1);
    let flip = |value: &mut Value, at: usize| {
        let text = value.as_str().unwrap();
        let digit = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        *value = json!(format!("{}{digit}{}", &text[..at], &text[at + 1..]));
    };
    let check = |what: &str, index: u64, change: &dyn Fn(&mut Value, &mut Value)| {
        let (mut receipt, mut anchor) = (city.receipt(index), city.signer.anchor());
        change(&mut receipt, &mut anchor);
        let verdict = receipt::verify(&read::<Receipt>(&receipt), &read::<TrustAnchor>(&anchor));
        let ours = verdict.as_ref().err().map(receipt::Rejected::reason);
        let files = (script.json("receipt.json", &receipt), script.json("trust.json", &anchor));
        script.agrees("receipt", &[&files.0], Some(&files.1), ours);
        (what.to_owned(), ours)
    };
    for index in [0, 3, 6] {
        assert_eq!(check("as it is", index, &|_, _| {}).1, None);
    }
    let mut found = Vec::new();
    found.push(check("record", 4, &|r, _| flip(&mut r["record"], 80)).1);
    found.push(check("place", 4, &|r, _| r["leaf_index"] = json!(5)).1);
    found.push(check("path", 4, &|r, _| flip(&mut r["inclusion_proof"][0], 3)).1);
    found.push(check("name", 4, &|r, _| r["name"] = json!(city.name(5))).1);
    found.push(check("signature", 4, &|r, _| flip(&mut r["tree_head"]["signature"], 9)).1);
    found.push(check("time", 4, &|r, _| r["tree_head"]["time"] = json!(5)).1);
    found.push(check("cluster", 4, &|_, a| a["cluster_id"] = json!("another")).1);
    found.push(
        check("re-signed by another authority", 4, &|_, a| {
            a["ca_certificates"] = other.anchor()["ca_certificates"].clone();
        })
        .1,
    );
    found.push(
        check("lost", 4, &|_, a| a["forks"] = json!([{ "generation": 3, "tree_size": 4 }])).1,
    );
    let expected = [
        "not_included",
        "not_included",
        "not_included",
        "about_something_else",
        "signature_wrong",
        "signature_wrong",
        "not_of_anchor",
        "authority_unknown",
        "lost_in_failover",
    ];
    assert_eq!(found, expected.map(Some));
}

/// A whole history that somebody signed anew with a key of their own: everything fits but the key.
#[test]
fn sec_03_a_re_signed_history_is_noticed_by_both() {
    let Some(script) = Script::new() else { return };
    let honest = City::new(7);
    let mut forged = City::with(Signer::new("luqiao-city", 1), 7);
    forged.rewrite(2);
    let (receipt, anchor) = (forged.receipt(2), honest.signer.anchor());
    let ours = receipt::verify(&read::<Receipt>(&receipt), &read::<TrustAnchor>(&anchor));
    assert_eq!(ours.unwrap_err().reason(), "authority_unknown");
    let files = (script.json("receipt.json", &receipt), script.json("trust.json", &anchor));
    script.agrees("receipt", &[&files.0], Some(&files.1), Some("authority_unknown"));
}

#[test]
fn fed_15_an_extended_and_a_rewritten_past_are_told_apart_alike() {
    let Some(script) = Script::new() else { return };
    let mut city = City::new(7);
    let held = head_json(&city.head_over(5));
    let anchor = city.signer.anchor();
    let check = |city: &City, first: u64, expected: Option<&str>| {
        let proof = city.consistency_json(first);
        let ours = receipt::verify_against(
            &read::<TreeHead>(&held),
            &read::<ConsistencyProof>(&proof),
            &read::<TrustAnchor>(&anchor),
        );
        let ours = match ours.unwrap() {
            Against::Extends { held_size: 5, size: 7 } => None,
            Against::Rewritten { held_size: 5, size: 7, .. } => Some("rewritten"),
            Against::Unknown => Some("unknown"),
            other => panic!("{other:?}"),
        };
        assert_eq!(ours, expected);
        let held = script.json("held.json", &held);
        let files = (script.json("proof.json", &proof), script.json("trust.json", &anchor));
        script.agrees("consistency", &[&held, &files.0], Some(&files.1), ours);
    };
    check(&city, 5, None);
    check(&city, 4, Some("unknown"));
    // The city itself, with its own keys, changes a record and goes on.
    city.rewrite(1);
    check(&city, 5, Some("rewritten"));
}

#[test]
fn fed_15_a_cosignature_is_believed_and_refused_alike() {
    let Some(script) = Script::new() else { return };
    let (city, province) = (City::new(7), Signer::new("luqiao-province", 2));
    let head = city.signed_head();
    let anchor = province.anchor();
    let check = |change: &dyn Fn(&mut Value), expected: Option<&str>| {
        let mut document = cosignature_json(&province.cosign(&head.head), &head);
        change(&mut document);
        let ours = receipt::verify_cosignature(
            &read::<Cosignature>(&document),
            &read::<TrustAnchor>(&anchor),
        );
        let ours = ours.as_ref().err().map(receipt::Rejected::reason);
        assert_eq!(ours, expected);
        let files = (script.json("cosigned.json", &document), script.json("trust.json", &anchor));
        script.agrees("cosignature", &[&files.0], Some(&files.1), ours);
    };
    check(&|_| {}, None);
    check(&|d| d["tree_head"]["tree_size"] = json!(8), Some("signature_wrong"));
    check(&|d| d["time"] = json!(1), Some("signature_wrong"));
    check(&|d| d["cosigner"] = json!("luqiao-city"), Some("not_of_anchor"));
}

#[test]
fn sec_16_archives_are_read_alike() {
    let Some(script) = Script::new() else { return };
    let city = City::new(7);
    let files = city.archive(&[2, 5, 7]);
    let swapped = City::with(Signer::new("luqiao-city", 1), 7).archive(&[1, 5, 7]);
    let trust = script.json("trust.json", &city.signer.anchor());
    let ours = |files: &[&Vec<u8>]| -> Option<&'static str> {
        let mut chain = Chain::new();
        files
            .iter()
            .try_for_each(|file| {
                let verified = archive::read(&mut file.as_slice(), |_, _| {})?;
                chain.next(&verified.segment)
            })
            .err()
            .map(|error| error.reason())
    };
    let check = |all: &[&Vec<u8>], expected: Option<&str>| {
        assert_eq!(ours(all), expected);
        let paths: Vec<PathBuf> =
            (0..).zip(all).map(|(at, file)| script.write(&format!("{at}.cbor"), file)).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        script.agrees("archive", &paths, Some(&trust), expected);
    };
    check(&[&files[0], &files[1], &files[2]], None);
    check(&[&files[0], &files[2]], Some("missing"));
    check(&[&files[0], &swapped[1]], Some("swapped"));
    check(&[&files[1]], Some("missing"));
    let cut = files[1][..files[1].len() - 40].to_vec();
    check(&[&files[0], &cut], Some("truncated"));
    let mut flipped = files[1].clone();
    let at = flipped.len() / 2;
    flipped[at] ^= 4;
    let expected = ours(&[&files[0], &flipped]);
    assert!(expected.is_some());
    check(&[&files[0], &flipped], expected);
    let longer = [files[0].as_slice(), b"x"].concat();
    check(&[&longer], Some("longer"));
    check(&[&b"something else".to_vec()], Some("not_a_segment"));
}

#[test]
fn sec_03_the_script_says_that_it_cannot_check_national_algorithms() {
    let Some(script) = Script::new() else { return };
    let city = City::new(3);
    let (mut receipt, mut anchor) = (city.receipt(1), city.signer.anchor());
    receipt["tree_head"]["hash_algorithm"] = json!("sm3");
    receipt["tree_head"]["signature_algorithm"] = json!("sm2");
    anchor["hash"] = json!("sm3");
    anchor["algorithm"] = json!("sm2");
    let files = (script.json("receipt.json", &receipt), script.json("trust.json", &anchor));
    let (code, said) = script.run("receipt", &[&files.0], Some(&files.1));
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("luqiao receipt verify"), "{said}");
}

#[test]
fn what_cannot_be_read_is_neither_proven_nor_refused() {
    let Some(script) = Script::new() else { return };
    let trust = script.json("trust.json", &City::new(1).signer.anchor());
    for content in ["", "{}", "[]", "nonsense", "{\"tree_head\": 3}"] {
        let file = script.write("receipt.json", content.as_bytes());
        let (code, said) = script.run("receipt", &[&file], Some(&trust));
        assert_eq!(code, 2, "{content}: {said}");
    }
}
