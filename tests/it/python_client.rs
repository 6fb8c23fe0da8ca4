//! A foreign client: is the API what its protocol files say, to somebody with nothing else of ours?

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use federation_tests::{
    asking::TERM,
    federation::Federation,
    repository::{files, root},
    role::Role,
    skipped,
};
use luqiao::dev::cast::{DEPARTMENT, Level, OTHER_DEPARTMENT};
use luqiao_proto::catalog::v1::SharingKind;
use serde_json::{Value, json};

/// Python with grpcio, as set-up made it.
fn python() -> Result<PathBuf, String> {
    let python = env::var_os("LUQIAO_PYTHON")
        .map(PathBuf::from)
        .ok_or("LUQIAO_PYTHON is not set; scripts/setup.sh --with-python sets it")?;
    if python.is_file() {
        Ok(python)
    } else {
        Err(format!("{} is not there; scripts/setup.sh --with-python makes it", python.display()))
    }
}

/// Generates the stubs from the protocol files into `folder`.
fn generate_stubs(python: &Path, folder: &Path) {
    fs::create_dir_all(folder).expect("a folder for stubs");
    let proto = root().join("proto");
    let ours = files(&[".proto"]).into_iter().map(|file| root().join(file));
    let rpc =
        ["status.proto", "error_details.proto"].map(|name| proto.join("google/rpc").join(name));
    let output = Command::new(python)
        .args(["-m", "grpc_tools.protoc"])
        .arg(format!("--proto_path={}", proto.display()))
        .arg(format!("--python_out={}", folder.display()))
        .arg(format!("--grpc_python_out={}", folder.display()))
        .args(ours)
        .args(rpc)
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The client at work.
struct Client {
    child: Child,
    lines: BufReader<ChildStdout>,
    told: Vec<Value>,
}

impl Client {
    fn start(python: &Path, folder: &Path, settings: &Value) -> Self {
        let file = folder.join("settings.json");
        fs::write(&file, settings.to_string()).expect("settings can be written");
        let mut child = Command::new(python)
            .arg(root().join("tests/python/client.py"))
            .arg(file)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Self { child, lines, told: Vec::new() }
    }

    /// The next step that the client tells; `None` at its end.
    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the client's output is text");
        if line.is_empty() {
            return None;
        }
        let step: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        self.told.push(step.clone());
        Some(step)
    }

    /// Reads on until the client tells `step` of `round`.
    fn until(&mut self, step: &str, round: u64) {
        while let Some(told) = self.next() {
            if told["step"] == step && told["round"] == round {
                return;
            }
        }
        panic!("the client ended before {step} of round {round}: {:#?}", self.told);
    }

    /// Everything it told, once it has ended well.
    fn finish(mut self) -> Vec<Value> {
        while self.next().is_some() {}
        let status = self.child.wait().expect("the client ends");
        assert!(status.success(), "{status}: {:#?}", self.told);
        std::mem::take(&mut self.told)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A city of processes with one conditional entry, and what the client has to know of it.
async fn city_with_an_entry(stubs: &Path, rounds: u64) -> (Federation, Value) {
    let city = Federation::start(&[Level::City]).await;
    let press = city.press(Level::City, DEPARTMENT);
    let entry = press
        .put("机动车维修企业备案信息", SharingKind::Conditional)
        .await
        .expect("the entry is published");
    let asker = city.role(Level::City, OTHER_DEPARTMENT);
    let certificate = |role: &Role| json!({"ca": role.context.ca, "cert": role.context.cert, "key": role.context.key});
    let settings = json!({
        "stubs": stubs,
        "gateway": asker.context.gateways[0],
        "domain": Level::City.domain_text(),
        "asker": certificate(&asker),
        "asking_head": certificate(&city.head(Level::City, OTHER_DEPARTMENT)),
        "deciding_head": certificate(&city.head(Level::City, DEPARTMENT)),
        "query": "维修",
        "entry": entry.name,
        "system": asker.system(),
        "from": TERM.0,
        "to": TERM.1,
        "rounds": rounds,
    });
    (city, settings)
}

/// Every round went all the way, and the list at the end holds exactly their grants.
fn check(told: &[Value], rounds: u64) {
    let of = |step: &str| -> Vec<&Value> { told.iter().filter(|t| t["step"] == step).collect() };
    for step in ["searched", "requested", "answered", "granted"] {
        assert_eq!(of(step).len() as u64, rounds, "{step}: {told:#?}");
    }
    // Ten working days across two holidays and a make-up Saturday.
    assert!(of("requested").iter().all(|step| step["due"] == "2026-10-12"), "{told:#?}");
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let granted = sorted(of("granted").iter().map(|step| text(&step["grant"])).collect());
    let listed = of("listed")[0]["grants"].as_array().expect("a list").iter().map(text).collect();
    assert_eq!(sorted(listed), granted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_request_answer_and_grant_with_nothing_but_stubs() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            let test = "python_client::search_request_answer_and_grant_with_nothing_but_stubs";
            return skipped(test, reason);
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let stubs = folder.path().join("stubs");
    generate_stubs(&python, &stubs);
    let (_city, settings) = city_with_an_entry(&stubs, 2).await;
    let told = Client::start(&python, folder.path(), &settings).finish();
    check(&told, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_is_killed_in_the_middle_and_the_client_goes_on() {
    const ROUNDS: u64 = 12;
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            let test = "python_client::the_leader_is_killed_in_the_middle_and_the_client_goes_on";
            return skipped(test, reason);
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let stubs = folder.path().join("stubs");
    generate_stubs(&python, &stubs);
    let (mut city, settings) = city_with_an_entry(&stubs, ROUNDS).await;
    let leader = city.leader(Level::City).await;
    let mut client = Client::start(&python, folder.path(), &settings);
    client.until("requested", 2);
    city.kill(leader);
    client.until("requested", 6);
    assert_ne!(city.leader(Level::City).await, leader, "another node took over");
    city.revive(leader);
    check(&client.finish(), ROUNDS);
}
