//! Drills: does `luqiao drill run` rehearse a failure on real processes, say what was lost, and write a
//! report in which no byte can be changed (DR-06, SEC-12)?

use std::{
    fs,
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Stdio},
};

use federation_tests::{
    command_line::{Said, luqiao, run},
    federation::{Federation, Part},
    repository::root,
};
use luqiao::dev::cast::Level;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A folder for a city and the results of its drills.
struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// The arguments of a drill on a city of its own.
    fn in_town(&self, plan: &str, more: &[&str]) -> Vec<String> {
        let (data, results) = (self.path("city"), self.path("results"));
        let fixed = ["drill", "run", plan, "--town", "--data", &data, "--results", &results];
        let fixed = fixed.iter().chain(&["--lang", "en", "--output", "json"]);
        fixed.chain(more).map(|word| (*word).to_owned()).collect()
    }

    fn trust(&self) -> String {
        self.path("city/xiamen/trust.json")
    }

    /// The folder of the only drill of a plan.
    fn drill(&self, plan: &str) -> PathBuf {
        let results = fs::read_dir(self.folder.path().join("results")).expect("results");
        let mut drills = results.map(|entry| entry.expect("an entry").path()).filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            path.is_dir() && name.starts_with(plan)
        });
        let drill = drills.next().expect("a drill");
        assert_eq!(drills.next(), None, "one drill of {plan}");
        drill
    }
}

fn verify(report: &Path, trust: &str, page: Option<&Path>) -> Said {
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let mut arguments = vec!["drill".to_owned(), "verify".to_owned(), text(report)];
    arguments.extend(["--trust", trust, "--output", "json", "--lang", "en"].map(str::to_owned));
    if let Some(page) = page {
        arguments.extend(["--page".to_owned(), text(page)]);
    }
    run(arguments)
}

/// The line with which a drill ends, if nothing is lost, done twice or fired wrong.
fn clean(said: &Said, plan: &str) -> Value {
    let line = said.last_object();
    let keys: Vec<&str> = line.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected =
        ["drill", "ok", "rpo", "acknowledged", "lost", "duplicated", "pause_ms", "rto_ms"];
    assert_eq!(keys, expected, "{said:#?}");
    assert_eq!(line["drill"], plan);
    assert_eq!(line["rpo"], "proven_zero", "{said:#?}");
    assert_eq!((&line["lost"], &line["duplicated"]), (&Value::from(0), &Value::from(0)));
    assert!(line["acknowledged"].as_u64() > Some(100), "a drill without writes: {line}");
    line
}

#[test]
fn a_lost_leader_loses_nothing_and_the_report_is_proven_to_the_byte() {
    let scene = Scene::new();
    let said = run(scene.in_town("leader-kill", &[])).well();
    let line = clean(&said, "leader-kill");
    assert_eq!(line["ok"], true, "{said:#?}");
    let kept = fs::read_to_string(scene.path("results/leader-kill.json")).expect("the last line");
    assert_eq!(serde_json::from_str::<Value>(&kept).expect("one line"), line);

    let folder = scene.drill("leader-kill");
    let (report, page) = (folder.join("report.json"), folder.join("report.html"));
    let verified = verify(&report, &scene.trust(), Some(&page)).well().last_object();
    assert_eq!((&verified["verified"], &verified["result"]), (&true.into(), &line));
    let text = fs::read_to_string(&report).expect("the report");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    let told = &told["report"];
    // Whoever led was killed once, another leads now, and what it took is split without a rest.
    assert_eq!(told["disturbances"].as_array().map(Vec::len), Some(1), "{told:#}");
    let rto = &told["rto"];
    let part = |key: &str| rto[key].as_u64().expect("milliseconds");
    assert_eq!(
        part("total_ms"),
        part("detect_ms") + part("decide_ms") + part("execute_ms"),
        "{rto}"
    );
    let timers = &told["timers"];
    assert!(timers["set"].as_u64() > Some(10), "{timers}");
    assert_eq!((&timers["fired"], &timers["wrong"]), (&timers["set"], &0.into()));
    let steps = told["record"]["steps"].as_array().expect("steps");
    assert!(steps.iter().all(|step| step["ok"] == true), "{steps:#?}");
    assert!(fs::read_to_string(&page).expect("the page").contains("<svg"));

    // One changed byte anywhere, here in every part of the file.
    let changed = folder.join("changed.json");
    for at in (0..text.len()).step_by(text.len() / 40) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        fs::write(&changed, bytes).expect("a changed report");
        let said = verify(&changed, &scene.trust(), None);
        assert_eq!(said.code, Some(1), "byte {at}: {said:#?}");
        assert_eq!(said.last_object()["verified"], false);
    }
    // The report of one city is not proven by another's anchor, nor is a changed page its page.
    let other = verify(&report, &scene.path("city/fujian/trust.json"), None);
    assert_eq!((other.code, &other.last_object()["reason"]), (Some(1), &"not_of_anchor".into()));
    let html = fs::read_to_string(&page).expect("the page").replacen("RTO", "RT0", 1);
    fs::write(&page, html).expect("a changed page");
    let said = verify(&report, &scene.trust(), Some(&page));
    assert_eq!((said.code, &said.last_object()["reason"]), (Some(1), &"page_changed".into()));
}

/// A plan of one's own: the one in the program with something changed.
fn own_plan(scene: &Scene, plan: &str, changes: &[(&str, &str)]) -> String {
    let file = root().join(format!("cli/data/drills/{plan}.toml"));
    let mut text = fs::read_to_string(file).expect("a plan of the program");
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in the plan");
        text = text.replacen(from, to, 1);
    }
    let path = scene.path("plan.toml");
    fs::write(&path, text).expect("a plan");
    path
}

#[test]
fn every_node_is_restarted_in_turn_once_somebody_approved() {
    let scene = Scene::new();
    let plan = own_plan(&scene, "rolling-restart", &[("approvals = 0", "approvals = 1")]);
    let said = run(scene.in_town("rolling-restart", &["--plan-file", &plan])).well();
    clean(&said, "rolling-restart");
    let report = scene.drill("rolling-restart").join("report.json");
    verify(&report, &scene.trust(), None).well();
    let text = fs::read_to_string(report).expect("the report");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    let record = &told["report"]["record"];
    assert_eq!(record["approvals"].as_array().map(Vec::len), Some(1), "{record:#}");
    let disturbances = told["report"]["disturbances"].as_array().expect("a list").clone();
    let mut nodes: Vec<&str> =
        disturbances.iter().map(|one| one["node"].as_str().expect("a node")).collect();
    assert_eq!(disturbances.last().expect("the last")["what"], "leader-restarted");
    nodes.sort_unstable();
    assert_eq!(nodes, ["1", "2", "3"]);
}

/// A drill under way, its talk line by line.
struct Talking {
    child: Child,
    input: Option<ChildStdin>,
    talk: BufReader<std::process::ChildStderr>,
    heard: String,
}

impl Talking {
    fn start(arguments: Vec<String>) -> Self {
        let mut child = luqiao(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("luqiao starts");
        let talk = BufReader::new(child.stderr.take().expect("its talk"));
        let input = child.stdin.take();
        Self { child, input, talk, heard: String::new() }
    }

    /// Waits for a line that holds `word`.
    fn until(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.talk.read_line(&mut line).expect("its talk is text");
            assert!(read > 0, "it ended without `{word}`: {}", self.heard);
            self.heard.push_str(&line);
            if line.contains(word) {
                return line;
            }
        }
    }

    fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it listens");
        writeln!(input, "{line}").expect("it listens");
    }

    fn end(mut self) -> Said {
        drop(self.input.take());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.talk, &mut rest).expect("its talk is text");
        let output = self.child.wait_with_output().expect("it ends");
        let stdout = String::from_utf8(output.stdout).expect("data are UTF-8");
        Said { code: output.status.code(), stdout, stderr: self.heard + &rest }
    }
}

#[test]
fn a_drill_that_was_interrupted_goes_on_and_its_act_is_not_done_twice() {
    let scene = Scene::new();
    let mut drill = Talking::start(scene.in_town("leader-kill", &[]));
    drill.until("check: another node leads");
    let id = Pid::from_raw(drill.child.id().cast_signed()).expect("a process");
    kill_process(id, Signal::INT).expect("it runs");
    let said = drill.end();
    assert_eq!(said.code, Some(130), "{said:#?}");
    assert!(said.stderr.contains("--resume"), "{said:#?}");

    // What happened is said: a drill that was interrupted is not as the plan wants it.
    let said = run(scene.in_town("leader-kill", &["--resume"]));
    assert_eq!(said.code, Some(3), "{said:#?}");
    let line = clean(&said, "leader-kill");
    assert_eq!(line["ok"], false);
    let report = scene.drill("leader-kill").join("report.json");
    verify(&report, &scene.trust(), None).well();
    let text = fs::read_to_string(report).expect("the report");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    let steps = told["report"]["record"]["steps"].as_array().expect("steps").clone();
    let acts = steps.iter().filter(|step| step["step"] == "kill-leader").count();
    assert_eq!((acts, told["report"]["disturbances"].as_array().map(Vec::len)), (1, Some(1)));

    // Nothing waits any more.
    let said = run(scene.in_town("leader-kill", &["--resume"]));
    assert_eq!(said.code, Some(4), "{said:#?}");
    assert_eq!(said.last_object()["error"]["reason"], "no_drill_open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_carries_out_what_is_shown_and_others_read_what_came_of_it() {
    let scene = Scene::new();
    let mut city = Federation::start(&[Level::City]).await;
    let contexts = city.topology.contexts().to_str().expect("a path in UTF-8").to_owned();
    let as_whom = |context: &str| {
        let words = ["--contexts", &contexts, "--context", context, "--lang", "en", "-o", "json"];
        words.map(str::to_owned).to_vec()
    };
    let command = |words: &[&str], context: &str| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(as_whom(context)).collect()
    };
    let results = scene.path("results");

    // A plan that takes a site is confirmed with the cluster's name, or nothing happens.
    let taking = own_plan(&scene, "leader-kill", &[("takes_site = false", "takes_site = true")]);
    let plan = ["drill", "run", "leader-kill", "--plan-file", &taking, "--results", &results];
    for confirm in [&["--confirm", "fuzhou"][..], &[]] {
        let said = run(command(&[&plan, confirm].concat(), "city-manager"));
        assert_eq!(said.code, Some(6), "{said:#?}");
        assert_eq!(said.last_object()["error"]["reason"], "DRILL_NAME_NOT_CONFIRMED");
    }
    // Who does not run the platform does not rehearse it.
    let plan = ["drill", "run", "leader-kill", "--results", &results];
    let said = run(command(&plan, "city-department-a"));
    assert_eq!(said.code, Some(5), "{said:#?}");

    let mut drill = Talking::start(command(&plan, "city-manager"));
    let asked = drill.until("kill -9");
    let (_, rest) = asked.split_once("of node ").expect("it names the node");
    let id: u64 = rest.split(' ').next().expect("a word").parse().expect("a node");
    let said = run(command(&plan, "city-manager"));
    assert_eq!(said.last_object()["error"]["reason"], "DRILL_OPEN", "{said:#?}");
    city.kill(Part::Node(Level::City, id));
    drill.say("what?");
    drill.until("kill -9");
    drill.say("done");
    drill.until("start node");
    city.revive(Part::Node(Level::City, id));
    drill.say("done");
    let said = drill.end().well();
    clean(&said, "leader-kill");

    let history = run(command(&["drill", "history"], "city-authority")).well().last_object();
    let drills = history["drills"].as_array().expect("drills");
    assert_eq!(drills.len(), 1, "{history:#}");
    assert_eq!(drills[0]["state"], "finished");
    let said = run(command(&["drill", "abandon", "--reason", "late"], "city-manager"));
    assert_eq!(said.last_object()["error"]["reason"], "DRILL_CLOSED", "{said:#?}");
    let said = run(command(&["drill", "show"], "city-department-a"));
    assert_ne!(said.code, Some(0), "{said:#?}");
}

#[test]
fn what_is_no_plan_or_cannot_be_carried_out_is_refused_before_anything_happens() {
    let scene = Scene::new();
    let refused = |arguments: Vec<String>, code: i32, word: &str| {
        let said = run(arguments);
        assert_eq!(said.code, Some(code), "{said:#?}");
        assert!(said.stderr.contains(word), "{word}: {said:#?}");
        assert!(!Path::new(&scene.path("results")).exists(), "{word} left something");
        assert!(!Path::new(&scene.path("city")).exists(), "{word} started something");
    };
    refused(scene.in_town("meteor", &[]), 2, "no plan is called `meteor`");
    let unknown =
        own_plan(&scene, "leader-kill", &[("act = \"kill-leader\"", "act = \"kill-all\"")]);
    refused(
        scene.in_town("leader-kill", &["--plan-file", &unknown]),
        2,
        "no act is called `kill-all`",
    );
    refused(scene.in_town("leader-kill", &["--plan-file", &scene.path("none")]), 1, "none");
    for plan in ["switchover", "site-loss", "standby-loss", "split-brain", "restore"] {
        refused(scene.in_town(plan, &[]), 6, "missing: ");
    }
    let plans = run(["drill", "list", "-o", "json"]).well().last_object();
    assert_eq!(plans["plans"].as_array().map(Vec::len), Some(7));
}
