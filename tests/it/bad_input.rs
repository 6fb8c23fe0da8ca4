//! Bad input: is everything that is wrong refused for its own reason, with nothing half-written?
//!
//! One city of real processes; every public method is called with what is wrong for it. What was
//! refused for which reason is gathered, and the reasons that nobody was ever given are a failure:
//! each is produced here, or by a named test elsewhere (`it/reasons_elsewhere.txt`). Nobody gets what
//! is not theirs (SEC-02).

mod asking;
mod callers;
mod compiling;
mod every_method;
mod granting;
mod membership;
mod organizing;
mod overseeing;
mod relaying;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::Location,
    sync::Mutex,
};

use catalog_model::reason::{Lang, Reason};
use federation_tests::{
    federation::Federation,
    publishing::Press,
    repository::{read, root},
    role::Role,
    strangers::{Claim, Forger, named},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, Level, MANAGER, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{
    catalog::v1::{EntryView, ListEntriesRequest},
    convert::methods::METHODS,
    operations::v1::GetStatusRequest,
    organization::v1::ListOrganizationsRequest,
};
use luqiao_transport::{identity::Subject, status::Problem};
use tonic::Status;

/// A city, everyone who lives in it, and what they were refused.
struct Stage {
    city: Federation,
    /// Trusted by the city for its own names: it can issue what the real authority never would.
    authority_of_the_city: Forger,
    /// An authority of whose certificates the gateway keeps a table, which is empty.
    government: Forger,
    /// Publishes what a department provides.
    press: Press,
    /// Publishes what a public-service organization provides; the authority decides with it.
    service: Press,
    asker: Role,
    asking_head: Role,
    authority: Role,
    authority_head: Role,
    manager: Role,
    /// The gateway of the province, as the city sees it.
    superior: Role,
    /// The gateway of the district, as the city sees it.
    subordinate: Role,
    /// Which reasons were given by which methods.
    refused: Mutex<BTreeMap<Reason, BTreeSet<String>>>,
    /// What was not refused as it should have been.
    wrong: Mutex<Vec<String>>,
}

/// Calls with a typed client and notes that it was refused for this reason:
/// `refused!(stage, EtagMismatch, stage.asker, catalog.get_entry(message))`.
macro_rules! refused {
    ($stage:ident, $reason:ident, $role:expr, $service:ident.$method:ident($message:expr)) => {{
        let role = &$role;
        let answer = federation_tests::until_answered!(role.$service().$method($message));
        let method = $crate::bad_input::path(stringify!($service), stringify!($method));
        $stage.note(&method, catalog_model::reason::Reason::$reason, answer)
    }};
}
use refused;

/// The path of a method as clients spell it: `catalog` and `get_entry`.
fn path(service: &str, method: &str) -> String {
    let method: String =
        method.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    let service = service.trim_end_matches('s');
    let mut rows = METHODS.iter().map(|row| row.path);
    rows.find(|path| path.contains(&format!(".{service}")) && path.ends_with(&format!("/{method}")))
        .unwrap_or_else(|| panic!("no row for {service}.{method}"))
        .to_owned()
}

/// A fact of a refusal; empty if it has none of that name.
fn fact<'a>(problem: &'a Problem, key: &str) -> &'a str {
    problem.metadata.get(key).map_or("", String::as_str)
}

/// Whether the sentence is there, with its facts filled in.
fn is_worded(reason: Reason, message: &str) -> bool {
    let facts = reason.text(Lang::En).split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut unfilled = facts.filter(|fact| message.contains(&format!("{{{fact}}}")));
    !message.is_empty() && unfilled.next().is_none()
}

impl Stage {
    async fn set() -> Self {
        let mut city = Federation::prepare().await;
        let authority_of_the_city = Forger::new("another authority of the city");
        let government = Forger::new("government authority");
        let plan = city.topology.of(Level::City);
        let ca = plan.folder.join("ca.pem");
        let both = std::fs::read_to_string(&ca).expect("the CA") + &authority_of_the_city.pem();
        std::fs::write(&ca, both).expect("the CA can be written");
        let folder = plan.gateway_folder();
        std::fs::write(folder.join("government.pem"), government.pem()).expect("a file");
        let settings = std::fs::read_to_string(plan.gateway_config()).expect("settings");
        let taught = settings.replace(
            "ca = \"../ca.pem\"\n",
            "ca = \"../ca.pem\"\nother_ca = [\"government.pem\"]\n",
        );
        assert_ne!(taught, settings, "the settings look different now");
        std::fs::write(plan.gateway_config(), taught).expect("settings can be written");
        city.bring_up(&[Level::City]).await;

        let of = |office| city.role(Level::City, office);
        let head = |office| city.head(Level::City, office);
        let gateway_of = |level| city.gateway_of(level, Level::City);
        Self {
            press: city.press(Level::City, DEPARTMENT),
            service: city.press(Level::City, SERVICE),
            asker: of(OTHER_DEPARTMENT),
            asking_head: head(OTHER_DEPARTMENT),
            authority: of(AUTHORITY),
            authority_head: head(AUTHORITY),
            manager: of(MANAGER),
            superior: gateway_of(Level::Province),
            subordinate: gateway_of(Level::District),
            refused: Mutex::default(),
            wrong: Mutex::default(),
            city,
            authority_of_the_city,
            government,
        }
    }

    /// A role of the city with a certificate that nobody else would issue.
    fn forged(&self, stem: &str, subject: Subject) -> Role {
        let claim = Claim { name: Some(named(Level::City, subject)), until_year: 2119 };
        Role::of(self.authority_of_the_city.context(
            &self.city.topology,
            Level::City,
            &self.city.topology.folder,
            stem,
            &claim,
        ))
    }

    /// Notes that `answer` is a refusal for `reason`, worded for people. One that is not is told at
    /// the end with all others, so that one run names everything that is wrong.
    #[track_caller]
    fn note<T: std::fmt::Debug>(
        &self,
        method: &str,
        reason: Reason,
        answer: Result<T, Status>,
    ) -> Problem {
        let place = Location::caller();
        let wrong = |what: String| {
            let mut wrong = self.wrong.lock().expect("nobody panicked with it");
            wrong.push(format!("{}:{}: {method}, {reason}: {what}", place.file(), place.line()));
        };
        let status = match answer {
            Err(status) => status,
            Ok(done) => {
                wrong(format!("it was done: {done:?}"));
                Status::ok("")
            }
        };
        let problem = Problem::from_status(&status);
        if problem.reason != Some(reason) {
            wrong(format!("{} {}", problem.reason_name, problem.message));
        } else if status.code() != luqiao_transport::status::code(reason) {
            wrong(format!("under the code {:?}", status.code()));
        } else if !is_worded(reason, &problem.message) {
            wrong(format!("not worded: {}", problem.message));
        }
        let mut refused = self.refused.lock().expect("nobody panicked with it");
        refused.entry(reason).or_default().insert(method.to_owned());
        problem
    }

    /// How much is on file: organizations, working versions, cases, and records of the ledger.
    async fn on_file(&self) -> (usize, usize, u64) {
        let manager = &self.manager;
        let parent = manager.domain();
        let organizations =
            until_answered!(manager.organizations().list_organizations(ListOrganizationsRequest {
                parent: parent.clone(),
                page_size: 500,
                ..Default::default()
            }))
            .expect("organizations can be listed");
        let entries = until_answered!(manager.catalog().list_entries(ListEntriesRequest {
            parent: parent.clone(),
            page_size: 500,
            view: EntryView::Working.into(),
            ..Default::default()
        }))
        .expect("entries can be listed");
        let status = until_answered!(
            manager.operations().get_status(GetStatusRequest { name: parent.clone() })
        )
        .expect("there is a status");
        let count = status.entry_count + status.open_request_count + status.overdue_request_count;
        (organizations.organizations.len(), entries.entries.len(), count)
    }
}

/// Reasons that are shown elsewhere, each with file and test.
fn shown_elsewhere() -> BTreeMap<Reason, (String, String)> {
    read("tests/it/reasons_elsewhere.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [reason, file, test] = words[..] else { panic!("REASON FILE TEST: {line}") };
            let reason = reason.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
            (reason, (file.to_owned(), test.to_owned()))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_is_refused_for_its_own_reason() {
    let stage = Stage::set().await;
    callers::refused(&stage).await;
    every_method::refused(&stage).await;
    organizing::refused(&stage).await;
    compiling::refused(&stage).await;
    asking::refused(&stage).await;
    granting::refused(&stage).await;
    relaying::refused(&stage).await;
    membership::refused(&stage).await;
    overseeing::refused(&stage).await;

    let wrong = stage.wrong.lock().expect("nobody panicked with it");
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));

    let refused = stage.refused.lock().expect("nobody panicked with it");
    let called: BTreeSet<&str> = refused.values().flatten().map(String::as_str).collect();
    let spared: Vec<&str> =
        METHODS.iter().map(|row| row.path).filter(|path| !called.contains(path)).collect();
    assert!(spared.is_empty(), "never refused anything: {spared:?}");

    let elsewhere = shown_elsewhere();
    let never: Vec<&Reason> = Reason::ALL
        .iter()
        .filter(|reason| !refused.contains_key(reason) && !elsewhere.contains_key(reason))
        .collect();
    assert!(never.is_empty(), "reasons that nobody was ever given: {never:?}");
    let twice: Vec<&Reason> =
        elsewhere.keys().filter(|reason| refused.contains_key(reason)).collect();
    assert!(twice.is_empty(), "shown here already, so not to be listed: {twice:?}");
}

#[test]
fn what_is_shown_elsewhere_is_there() {
    let scripts = read("catalog-node/state/src/script/tests.rs");
    for (reason, (file, test)) in shown_elsewhere() {
        assert!(root().join(&file).is_file(), "{reason}: {file} is not there");
        let text = read(&file);
        if let Some(script) = file.strip_suffix(".txt") {
            // A script runs because its crate's tests name it; a refusal stands in what came of it.
            assert!(script.ends_with(&format!("/{test}")), "{reason}: {file} is not {test}");
            assert!(scripts.contains(&format!("    {test},\n")), "{reason}: nobody runs {file}");
            assert!(
                text.contains(&format!("refused {reason}")),
                "{file} does not refuse for {reason}"
            );
        } else {
            assert!(text.contains(&format!("fn {test}(")), "{reason}: {file} has no test {test}");
            let variant = format!("Reason::{reason:?}");
            assert!(text.contains(&variant), "{file} does not speak of {reason}");
        }
        assert!(!reason.text(Lang::Zh).is_empty());
    }
}
