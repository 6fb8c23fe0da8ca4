//! The ledger of catalog, data and systems: what is bound to what, by which duty, from which source?

use catalog_model::reason::Reason;
use federation_tests::{publishing::citation, role::request_id};
use luqiao_proto::{
    catalog::v1::SharingKind,
    organization::v1::{CreateSystemRequest, DeleteSystemRequest, GetSystemRequest, System},
    relations::v1::{
        AssignSourceRequest, BindDatasetRequest, Dataset, DatasetKind, DeleteDatasetRequest,
        EndSourceRequest, FindSourceRequest, GetDatasetRequest, GetDutiesRequest,
        GetDutyGapsRequest, ListDatasetsRequest, ListOrphansRequest, ListSharersRequest,
        ListSourcesRequest, OrphanKind, RegisterDatasetRequest, StateDutiesRequest,
        UnbindDatasetRequest,
    },
};

use super::{City, done, fields, nothing, paper, refused};

async fn orphans(city: &City, kind: OrphanKind) -> Vec<String> {
    let provider = &city.provider;
    let list = ListOrphansRequest {
        parent: provider.domain(),
        kind: kind.into(),
        page_size: 500,
        ..Default::default()
    };
    let page = done!(provider.datasets().list_orphans(list));
    page.orphans.into_iter().map(|orphan| orphan.name).collect()
}

fn bind(dataset: &Dataset, to: &str) -> BindDatasetRequest {
    BindDatasetRequest {
        name: dataset.name.clone(),
        etag: dataset.etag.clone(),
        to: to.to_owned(),
        from: "2026-09-01".to_owned(),
        until: String::new(),
        request_id: request_id(),
    }
}

fn unbind(dataset: &Dataset, to: &str) -> UnbindDatasetRequest {
    UnbindDatasetRequest {
        name: dataset.name.clone(),
        etag: dataset.etag.clone(),
        to: to.to_owned(),
        until: "2026-09-20".to_owned(),
        request_id: request_id(),
    }
}

/// CAT-05: a dataset is seen by its department and the platform, stands on the report of what is
/// bound to nothing until it is bound, and goes once nothing holds it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_05_datasets_are_bound_reported_and_deleted_by_calls() {
    let city = City::start().await;
    let (provider, outsider) = (&city.provider, &city.outsider);
    let entry = city.listed("企业登记", SharingKind::Conditional).await;
    let register = |title: &str| RegisterDatasetRequest {
        parent: provider.organization(),
        kind: DatasetKind::Table.into(),
        title: title.to_owned(),
        description: String::new(),
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, outsider.datasets().register_dataset(register("qy_jbxx")));
    let unstated = RegisterDatasetRequest { kind: 0, ..register("qy_jbxx") };
    let problem = refused!(FieldInvalid, provider.datasets().register_dataset(unstated));
    assert_eq!(fields(&problem), ["kind"]);
    refused!(FieldInvalid, provider.datasets().register_dataset(register(" ")));
    refused!(TextTooLong, provider.datasets().register_dataset(register(&"长".repeat(100_000))));
    let first = register("qy_jbxx");
    let dataset = done!(provider.datasets().register_dataset(first.clone()));
    // The same attempt again is the same dataset.
    let again = done!(provider.datasets().register_dataset(first));
    assert_eq!(again.name, dataset.name);

    let get = |name: &str| GetDatasetRequest { name: name.to_owned() };
    refused!(NotFound, outsider.datasets().get_dataset(get(&dataset.name)));
    refused!(NotFound, provider.datasets().get_dataset(get(&nothing(provider, "datasets"))));
    let list = |domain: String| ListDatasetsRequest { parent: domain, ..Default::default() };
    let seen = done!(outsider.datasets().list_datasets(list(outsider.domain())));
    assert!(seen.datasets.is_empty(), "{seen:?}");
    let manager = &city.manager;
    let seen = done!(manager.datasets().list_datasets(list(manager.domain())));
    assert_eq!(seen.datasets, std::slice::from_ref(&dataset));

    assert_eq!(
        orphans(&city, OrphanKind::DatasetWithoutEntry).await,
        std::slice::from_ref(&dataset.name)
    );
    let none = ListOrphansRequest { parent: provider.domain(), ..Default::default() };
    refused!(FieldInvalid, provider.datasets().list_orphans(none));

    let absent = BindDatasetRequest { etag: String::new(), ..bind(&dataset, &entry) };
    refused!(EtagMissing, provider.datasets().bind_dataset(absent));
    let stale = BindDatasetRequest { etag: "\"v7\"".to_owned(), ..bind(&dataset, &entry) };
    refused!(EtagMismatch, provider.datasets().bind_dataset(stale));
    let nowhere = bind(&dataset, &provider.organization());
    refused!(NameInvalid, provider.datasets().bind_dataset(nowhere));
    let never = BindDatasetRequest { from: "soon".to_owned(), ..bind(&dataset, &entry) };
    let problem = refused!(FieldInvalid, provider.datasets().bind_dataset(never));
    assert_eq!(fields(&problem), ["from"]);
    let theirs = bind(&dataset, &outsider.system());
    refused!(SystemUnknown, provider.datasets().bind_dataset(theirs));

    let bound = done!(provider.datasets().bind_dataset(bind(&dataset, &entry)));
    assert_eq!(bound.entries[0].to, entry);
    let system = provider.system();
    let bound = done!(provider.datasets().bind_dataset(bind(&bound, &system)));
    assert_eq!(bound.systems[0].to, system);
    assert!(orphans(&city, OrphanKind::DatasetWithoutEntry).await.is_empty());

    let delete = |dataset: &Dataset| DeleteDatasetRequest {
        name: dataset.name.clone(),
        etag: dataset.etag.clone(),
        request_id: request_id(),
    };
    refused!(DatasetBound, provider.datasets().delete_dataset(delete(&bound)));
    let freed = done!(provider.datasets().unbind_dataset(unbind(&bound, &entry)));
    let freed = done!(provider.datasets().unbind_dataset(unbind(&freed, &system)));
    refused!(CallerNotPermitted, outsider.datasets().delete_dataset(delete(&freed)));
    done!(provider.datasets().delete_dataset(delete(&freed)));
    refused!(NotFound, provider.datasets().get_dataset(get(&dataset.name)));
}

/// CAT-05: a system on which nothing rests is reported, and may go; one that an entry names may not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_05_systems_without_data_are_reported_and_deleted_by_calls() {
    let city = City::start().await;
    let (provider, outsider) = (&city.provider, &city.outsider);
    city.listed("企业登记", SharingKind::Conditional).await;
    let create = CreateSystemRequest {
        parent: provider.organization(),
        system: Some(System { display_name: "旧系统".to_owned(), ..Default::default() }),
        request_id: request_id(),
    };
    let system = done!(provider.organizations().create_system(create));
    let reported = orphans(&city, OrphanKind::SystemWithoutDataset).await;
    assert!(reported.contains(&system.name), "{reported:?}");

    let delete =
        |name: &str| DeleteSystemRequest { name: name.to_owned(), request_id: request_id() };
    refused!(CallerNotPermitted, outsider.organizations().delete_system(delete(&system.name)));
    refused!(SystemBound, provider.organizations().delete_system(delete(&provider.system())));
    done!(provider.organizations().delete_system(delete(&system.name)));
    let get = GetSystemRequest { name: system.name.clone() };
    refused!(NotFound, provider.organizations().get_system(get));
    refused!(NotFound, provider.organizations().delete_system(delete(&system.name)));
}

/// CAT-04: the duties are public among the departments; what is missing beside them is the
/// department's own affair.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_04_duties_are_stated_and_their_gaps_shown_by_calls() {
    let city = City::start().await;
    let (provider, outsider, manager) = (&city.provider, &city.outsider, &city.manager);
    let name = provider.organization();
    let get = || GetDutiesRequest { name: name.clone() };
    let none = done!(outsider.duties().get_duties(get()));
    assert_eq!((none.duties.len(), none.etag.as_str()), (0, ""));
    let unknown = GetDutiesRequest { name: nothing(provider, "organizations") };
    refused!(NotFound, provider.duties().get_duties(unknown));

    let state = |etag: &str, duties: &[&str]| StateDutiesRequest {
        name: name.clone(),
        etag: etag.to_owned(),
        duties: duties.iter().map(|&duty| duty.to_owned()).collect(),
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, outsider.duties().state_duties(state("", &["企业登记"])));
    let stated = done!(provider.duties().state_duties(state("", &["企业登记", "信用监管"])));
    // Whoever thinks that there is none yet has not read.
    refused!(EtagMismatch, provider.duties().state_duties(state("", &["企业登记"])));
    refused!(FieldInvalid, provider.duties().state_duties(state(&stated.etag, &[" "])));
    let read = done!(outsider.duties().get_duties(get()));
    assert_eq!(read, stated);

    let gaps = |day: &str| GetDutyGapsRequest { name: name.clone(), day: day.to_owned() };
    refused!(NotFound, outsider.duties().get_duty_gaps(gaps("")));
    refused!(FieldInvalid, provider.duties().get_duty_gaps(gaps("yesterday")));
    let found = done!(manager.duties().get_duty_gaps(gaps("2026-09-21")));
    assert_eq!(found.duties, ["企业登记", "信用监管"]);
    assert_eq!(found.systems, [provider.system()]);
}

/// CAT-12: the authority names the source of a datum, everybody may ask for it; who shares an item
/// is found by its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_12_sources_are_assigned_found_and_ended_by_calls() {
    let city = City::start().await;
    let (provider, outsider, authority) = (&city.provider, &city.outsider, &city.authority);
    let entry = city.listed("企业登记", SharingKind::Conditional).await;
    let assign = || AssignSourceRequest {
        parent: authority.domain(),
        element: "企业名称".to_owned(),
        organization: provider.organization(),
        from: "2026-09-01".to_owned(),
        until: String::new(),
        basis: Some(citation()),
        decision: None,
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, provider.sources().assign_source(assign()));
    let baseless = AssignSourceRequest { basis: None, ..assign() };
    let problem = refused!(FieldInvalid, authority.sources().assign_source(baseless));
    assert_eq!(fields(&problem), ["basis"]);
    let mut cut = paper("厦数函〔2026〕1号（合成）");
    cut.digest.truncate(31);
    let unproved = AssignSourceRequest { decision: Some(cut), ..assign() };
    let problem = refused!(FieldInvalid, authority.sources().assign_source(unproved));
    assert_eq!(fields(&problem), ["decision.digest"]);
    let nobody = nothing(authority, "organizations");
    let unknown = AssignSourceRequest { organization: nobody, ..assign() };
    refused!(OrganizationUnknown, authority.sources().assign_source(unknown));
    let decided = paper("厦数函〔2026〕2号（合成）");
    let with_paper = AssignSourceRequest { decision: Some(decided.clone()), ..assign() };
    let source = done!(authority.sources().assign_source(with_paper));
    assert_eq!(source.decision, Some(decided));

    let find = |element: &str, day: &str| FindSourceRequest {
        parent: outsider.domain(),
        element: element.to_owned(),
        day: day.to_owned(),
    };
    // Found by the name as people write it.
    let found = done!(outsider.sources().find_source(find("企业 名称", "")));
    assert_eq!(found.organization, provider.organization());
    refused!(NotFound, outsider.sources().find_source(find("企业名称", "2026-08-31")));
    refused!(NotFound, outsider.sources().find_source(find("住址", "")));

    let end = |until: &str| EndSourceRequest {
        parent: authority.domain(),
        element: "企业名称".to_owned(),
        from: "2026-09-01".to_owned(),
        until: until.to_owned(),
        request_id: request_id(),
    };
    let problem = refused!(FieldInvalid, authority.sources().end_source(end("")));
    assert_eq!(fields(&problem), ["until"]);
    let ended = done!(authority.sources().end_source(end("2026-09-20")));
    assert_eq!(ended.until, "2026-09-20");
    refused!(NotFound, outsider.sources().find_source(find("企业名称", "")));
    let again = AssignSourceRequest { from: "2026-09-21".to_owned(), ..assign() };
    done!(authority.sources().assign_source(again));

    // One page for each, and the token of one list is of no use for another.
    let page = |element: &str, page_token: &str| ListSourcesRequest {
        parent: outsider.domain(),
        page_size: 1,
        page_token: page_token.to_owned(),
        element: element.to_owned(),
    };
    let first = done!(outsider.sources().list_sources(page("企业名称", "")));
    let second = done!(outsider.sources().list_sources(page("企业名称", &first.next_page_token)));
    let days = [&first.sources[0].from, &second.sources[0].from];
    assert_eq!(days, ["2026-09-01", "2026-09-21"]);
    assert!(second.next_page_token.is_empty());
    let foreign = page("住址", &first.next_page_token);
    let problem = refused!(PageTokenInvalid, outsider.sources().list_sources(foreign));
    assert_eq!(problem.reason, Some(Reason::PageTokenInvalid));

    let sharers = ListSharersRequest {
        parent: outsider.domain(),
        item: "企业名称".to_owned(),
        ..Default::default()
    };
    assert_eq!(done!(outsider.sources().list_sharers(sharers)).entries, [entry]);
}
