//! The case bag as somebody else gets it: a page that is opened from a disk. Where `node` is
//! installed, the page's own verifier runs in it, on the page as it was written.

use std::{fs, process::Command};

use catalog_model::{
    rule::{Rank, RuleRef},
    time::UtcMillis,
};
use catalog_proofs::case_bag::{BagProof, Both, CaseBag, CountedDay, Minute, case_bag};

use crate::fixture::{self, City};

fn bag() -> CaseBag {
    let city = City::new(7);
    let name = city.name(4);
    CaseBag {
        title: Both::new("车辆登记 <机密>", "vehicles & \"plates\""),
        name: name.clone(),
        facts: vec![(Both::new("申请方", "asker"), Both::new("税务局", "tax"))],
        minutes: vec![Minute {
            time: UtcMillis(fixture::TIME_MS),
            text: Both::new("收到申请 </script><script>alert(1)</script>", "request received"),
            by: "xiamen/organizations/tax".to_owned(),
            rule: Some(0),
            record: Some(4),
        }],
        law: vec![RuleRef {
            id: "N809-21-1-conditional-answer".to_owned(),
            title: "政务数据共享条例".to_owned(),
            article: "21".to_owned(),
            paragraph: 1,
            rank: Rank::AdministrativeRegulation,
            quote: "10个工作日内".to_owned(),
        }],
        days: vec![
            CountedDay {
                date: "2026-09-22".parse().unwrap(),
                number: Some(1),
                why: Both::new("", ""),
            },
            CountedDay {
                date: "2026-09-26".parse().unwrap(),
                number: None,
                why: Both::new("中秋节", "Mid-Autumn"),
            },
        ],
        proofs: vec![BagProof {
            name,
            leaf_index: 4,
            record: city.record(4),
            inclusion_proof: city.path(4),
            head: city.signed_head(),
            salt: Some(fixture::SALT),
            texts: vec![("scenario".to_owned(), fixture::scenario(4))],
        }],
    }
}

#[test]
fn the_page_asks_nobody_and_shows_no_markup_of_others() {
    let page = case_bag(&bag());
    assert!(!page.contains("://"), "no address of anything outside");
    for word in ["src=", "<link", "<img", "@import", "url(", "fetch(", "XMLHttpRequest"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("&lt;机密&gt;") && page.contains("vehicles &amp; &quot;plates&quot;"));
    assert!(!page.contains("<script>alert"), "a text became markup");
    assert_eq!(page.matches("</script>").count(), 2);
    for shown in
        ["《政务数据共享条例》第21条第1款", "art. 21¶1", "10个工作日内", "中秋节", "星期六", "Sat"]
    {
        assert!(page.contains(shown), "{shown}");
    }
}

/// What `node` says of the page: for each change of its data, the steps that do not hold.
fn verdicts(page: &str, changes: &[&str]) -> Option<Vec<Vec<usize>>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bag.html");
    fs::write(&file, page).unwrap();
    let run = r#"
const page = require("fs").readFileSync(process.argv[1], "utf8");
const data = page.split('id="bag">')[1].split("</script>")[0];
const script = page.split("<script>")[1].split("</script>")[0];
const Verifier = new Function(script + "\nreturn Verifier;")();
(async () => {
  for (const change of process.argv.slice(2)) {
    const proof = JSON.parse(data).proofs[0];
    new Function("proof", "head", change)(proof, proof.tree_head);
    const steps = await Verifier.check(proof);
    console.log(JSON.stringify(steps.map((s) => s.holds)));
  }
})();
"#;
    let output = Command::new("node").arg("-e").arg(run).arg(&file).args(changes).output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(
        text.lines()
            .map(|line| {
                let steps: Vec<Option<bool>> = serde_json::from_str(line).unwrap();
                (0..)
                    .zip(steps)
                    .filter(|(_, holds)| *holds == Some(false))
                    .map(|(at, _)| at)
                    .collect()
            })
            .collect(),
    )
}

#[test]
fn sec_03_the_verifier_in_the_page_proves_the_case_and_notices_each_change() {
    let flip = |field: &str, at: usize| {
        format!(
            "const b = Buffer.from({field}, 'base64'); b[{at}] ^= 1; {field} = b.toString('base64');"
        )
    };
    let changes = [
        // Nothing, then each part of the proof.
        String::new(),
        flip("proof.record", 60),
        flip("proof.inclusion_proof[0]", 0),
        flip("head.root_hash", 31),
        "proof.leaf_index = 5".to_owned(),
        "head.tree_size = 9".to_owned(),
        "proof.inclusion_proof.pop()".to_owned(),
        format!("proof.name = {:?}", City::new(7).name(5)),
        "proof.texts[0][1] += '!'".to_owned(),
        flip("head.signature", 3),
        "head.time_ms += 1".to_owned(),
    ];
    let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
    let Some(found) = verdicts(&case_bag(&bag()), &changes) else {
        println!("node is not installed: the verifier in the page was not run");
        return;
    };
    // Leaf, root, subject, text, signature, certificate.
    let (root, subject, text, signature) = (1, 2, 3, 4);
    assert_eq!(found[0], Vec::<usize>::new(), "the case as it is");
    for (at, expected) in [
        (1, root),
        (2, root),
        (3, root),
        (4, root),
        (5, root),
        (6, root),
        (7, subject),
        (8, text),
        (9, signature),
        (10, signature),
    ] {
        assert!(found[at].contains(&expected), "{}: {:?}", changes[at], found[at]);
    }
}

#[test]
fn the_hash_in_the_page_gives_the_examples_of_fips_180() {
    let page = case_bag(&bag());
    let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let run = format!(
        "{script}\nfor (const n of [0, 3, 55, 56, 63, 64, 119, 1000]) {{\
           const ours = Verifier.hex(Verifier.sha256(new Uint8Array(n).fill(97)));\
           const theirs = require('crypto').createHash('sha256').update('a'.repeat(n)).digest('hex');\
           if (ours !== theirs) throw new Error(`${{n}}: ${{ours}}`); }}\
         console.log(Verifier.hex(Verifier.sha256(new TextEncoder().encode('abc'))));"
    );
    let Ok(output) = Command::new("node").arg("-e").arg(run).output() else {
        println!("node is not installed: the hash in the page was not run");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

/// The page as a reader sees it, with as little of a browser as it takes: every step shown and none
/// of them bad; after the button that changes one bit, the root and the text do not hold.
#[test]
fn the_page_shows_what_it_did_and_what_one_bit_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bag.html");
    fs::write(&file, case_bag(&bag())).unwrap();
    let run = r#"
const page = require("fs").readFileSync(process.argv[1], "utf8");
const element = () => ({
  children: [], className: "", textContent: "",
  append(child) { this.children.push(child); },
  replaceChildren() { this.children = []; },
});
const byId = { checks: element(), again: element(), flip: element(), bag: element() };
byId.bag.textContent = page.split('id="bag">')[1].split("</script>")[0];
globalThis.document = { getElementById: (id) => byId[id], createElement: element };
const script = page.split("<script>")[1].split("</script>")[0];
const shown = () => byId.checks.children.map((item) => item.children[0].children.map((s) => s.className));
(async () => {
  await new Function(script.replace("document !== \"undefined\") show()", "document !== \"undefined\") return show()"))();
  console.log(JSON.stringify(shown()));
  await byId.flip.onclick();
  console.log(JSON.stringify(shown()));
  await byId.again.onclick();
  console.log(JSON.stringify(shown()));
})();
"#;
    let Ok(output) = Command::new("node").arg("-e").arg(run).arg(&file).output() else {
        println!("node is not installed: the page was not run");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let good = r#"[["good","good","good","good","good","open"]]"#;
    let bad = r#"[["good","bad","good","bad","good","open"]]"#;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{good}\n{bad}\n{good}\n"));
}
