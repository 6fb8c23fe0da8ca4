//! The same by the command line: are versions read, documents digested and answers printed for people
//! and programs?

use federation_tests::command_line::{Said, luqiao};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT};
use luqiao_proto::catalog::v1::SharingKind;
use serde_json::Value;

use super::City;

/// Speaks for an office of the city.
struct Desk<'a> {
    city: &'a City,
    office: &'a str,
}

impl Desk<'_> {
    fn says(&self, arguments: &[&str]) -> Said {
        let context = format!("{}-{}", Level::City.word(), self.office);
        luqiao(arguments)
            .arg("--contexts")
            .arg(self.city.federation.topology.contexts())
            .args(["--context", &context, "--lang", "en"])
            .output()
            .expect("luqiao starts")
            .into()
    }

    /// The object that a command printed which ended well.
    fn gets(&self, arguments: &[&str]) -> Value {
        let json: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        self.says(&json).well().last_object()
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// CAT-04, CAT-05, SHR-15, QLT-03: a dataset, the duties, a decision of the government on paper and
/// the objection of a person, each typed at a desk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_04_cat_05_shr_15_qlt_03_by_the_command_line() {
    let city = City::start().await;
    let entry = city.listed("举报人登记", SharingKind::NotShared).await;
    let desk = |office| Desk { city: &city, office };
    let (department, other) = (desk(DEPARTMENT), desk(OTHER_DEPARTMENT));
    let (authority, manager) = (desk(AUTHORITY), desk(MANAGER));

    let made = department.gets(&["dataset", "add", "--kind", "table", "--title", "jbr"]);
    let dataset = text(&made, "/name").to_owned();
    // Which version is meant, the command reads itself.
    let bind = ["dataset", "bind", &dataset, "--to", &entry, "--from", "2026-09-01"];
    let bound = department.gets(&bind);
    assert_eq!(text(&bound, "/entries/0/to"), entry);
    let stale = department.says(&["dataset", "delete", &dataset, "--etag", "v1", "-o", "json"]);
    assert_eq!(stale.code, Some(6), "{stale:#?}");
    let unseen = other.says(&["dataset", "show", &dataset]);
    assert_eq!(unseen.code, Some(4), "{unseen:#?}");
    assert!(unseen.stderr.contains("NOT_FOUND"), "{unseen:#?}");
    let listed = department.says(&["dataset", "list"]).well();
    assert!(listed.stdout.contains("jbr") && listed.stdout.contains("table"), "{listed:#?}");
    let orphans = department.gets(&["dataset", "orphans", "dataset-without-entry"]);
    assert_eq!(orphans["orphans"], Value::Null);

    department.gets(&["duties", "set", "--duty", "举报受理", "--duty", "信用监管"]);
    let again = department.gets(&["duties", "set", "--duty", "举报受理"]);
    assert_eq!(again["duties"], serde_json::json!(["举报受理"]));
    let gaps = department.gets(&["duties", "gaps"]);
    assert_eq!(gaps["duties"], serde_json::json!(["举报受理"]));

    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let reason = ["--reason", "所引条款不禁止提供（合成）"];
    let wanted = ["objection", "raise", &entry, "--wanted", "conditional"];
    let raised = authority.gets(&[&wanted[..], &reason[..]].concat());
    let objection = text(&raised, "/name").to_owned();
    let said = ["--side", "provider", "--text", "应维持原属性（合成）"];
    department.gets(&[&["objection", "state", &objection][..], &said[..]].concat());
    authority.gets(&[&["objection", "escalate", &objection][..], &reason[..]].concat());
    let scan = file("scan.pdf", "abc");
    let undigested = ["objection", "decide", &objection, "--sharing", "conditional"];
    let paper = [
        "--document-number",
        "厦府函〔2026〕9号（合成）",
        "--date",
        "2026-09-18",
        "--issuing-body",
        "市人民政府（合成）",
        "--recorded-for",
        "市人民政府（合成）",
        "--scope",
        "各级政务部门",
        "--purpose",
        "履行职责所需的核验",
    ];
    let decide = [&undigested[..], &paper[..]].concat();
    let without = manager.says(&decide);
    assert_eq!(without.code, Some(2), "{without:#?}");
    let decided = manager.gets(&[&decide[..], &["--digest-file", &scan][..]].concat());
    assert_eq!(text(&decided, "/state"), "OBJECTION_STATE_DECIDED");
    // SHA-256 of "abc", as JSON writes bytes.
    let digest = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    assert_eq!(text(&decided, "/decision/digest"), digest);

    let identity = file("identity.pdf", "id");
    let receiver = city.provider.organization();
    let object = ["quality", "object", &entry, "--desk", &receiver];
    let filing = ["--identity", &identity, "--description", "信息有误（合成）"];
    let filed = other.gets(&[&object[..], &filing[..]].concat());
    assert_eq!(text(&filed, "/proof/identity"), text(&filed, "/proof/relation"));
    let name = text(&filed, "/name").to_owned();
    department.gets(&["quality", "answer", &name, "verify"]);
    let reject = ["quality", "answer", &name, "reject", "--reason", "经核实无误（合成）"];
    let answered = department.gets(&reject);
    assert_eq!(text(&answered, "/state"), "PERSONAL_OBJECTION_STATE_REJECTED");
}
