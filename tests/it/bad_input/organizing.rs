//! Organizations, persons and systems that cannot be filed like this.

use federation_tests::{role::request_id, until_answered};
use luqiao_proto::organization::v1::{
    CreateOrganizationRequest, CreatePersonRequest, CreateSystemRequest, GetOrganizationRequest,
    GetPersonRequest, GetSystemRequest, ListOrganizationsRequest, ListPersonsRequest,
    ListSystemsRequest, Organization, PartyClass, Person, PersonRole, System,
    UpdateOrganizationRequest,
};
use prost_types::FieldMask;

use super::{Stage, fact, refused};

/// A well-formed credit code of nobody, and the same with a wrong check character.
const CODE: &str = "91350200MA2XN0K59L";

fn unknown(stage: &Stage) -> String {
    format!("{}/organizations/01JD0000000000000000000001", stage.asker.domain())
}

pub(super) async fn refused(stage: &Stage) {
    let before = stage.on_file().await;
    creating(stage).await;
    updating(stage).await;
    filing(stage).await;
    looking(stage).await;
    assert_eq!(stage.on_file().await, before, "something was written");
}

fn creation(stage: &Stage, organization: Organization) -> CreateOrganizationRequest {
    CreateOrganizationRequest {
        parent: stage.manager.domain(),
        organization: Some(organization),
        request_id: request_id(),
    }
}

fn organization(name: &str) -> Organization {
    Organization {
        display_name: name.to_owned(),
        party_class: PartyClass::GovernmentDepartment.into(),
        region_code: "350200".to_owned(),
        ..Default::default()
    }
}

async fn creating(stage: &Stage) {
    let manager = &stage.manager;
    let create = |organization| creation(stage, organization);
    refused!(
        stage,
        CallerNotPermitted,
        stage.asker,
        organizations.create_organization(create(organization("某局")))
    );
    refused!(
        stage,
        FieldInvalid,
        manager,
        organizations.create_organization(create(organization(" ")))
    );

    let own = until_answered!(
        manager
            .organizations()
            .get_organization(GetOrganizationRequest { name: manager.organization() })
    )
    .expect("the manager is on file");
    refused!(
        stage,
        AlreadyExists,
        manager,
        organizations.create_organization(create(organization(&own.display_name)))
    );
    let taken = Organization { credit_code: own.credit_code.clone(), ..organization("某局") };
    refused!(stage, CreditCodeTaken, manager, organizations.create_organization(create(taken)));

    // Every other check character is the wrong one.
    let (body, check) = own.credit_code.split_at(17);
    let wrong = if check == "0" { '1' } else { '0' };
    for code in [format!("{body}{wrong}"), format!("{}I", &CODE[..17]), "123".to_owned()] {
        let wrong = Organization { credit_code: code.clone(), ..organization("某局") };
        let problem = refused!(
            stage,
            CreditCodeInvalid,
            manager,
            organizations.create_organization(create(wrong))
        );
        assert_eq!(fact(&problem, "code"), code);
    }

    let mut elsewhere = create(organization("某局"));
    "domains/fujian".clone_into(&mut elsewhere.parent);
    refused!(stage, DomainUnknown, manager, organizations.create_organization(elsewhere));

    // The same request id with another body, and with the same one.
    let first = creation(stage, organization("  "));
    let second =
        CreateOrganizationRequest { organization: Some(organization("某")), ..first.clone() };
    refused!(stage, FieldInvalid, manager, organizations.create_organization(first.clone()));
    refused!(stage, RequestIdReused, manager, organizations.create_organization(second));
    refused!(stage, FieldInvalid, manager, organizations.create_organization(first));
}

async fn updating(stage: &Stage) {
    let manager = &stage.manager;
    let own = until_answered!(
        manager
            .organizations()
            .get_organization(GetOrganizationRequest { name: stage.asker.organization() })
    )
    .expect("the department is on file");
    let update = |organization: Organization, paths: &[&str]| UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() }),
        request_id: request_id(),
    };
    let stale = Organization { etag: "\"v77\"".to_owned(), ..own.clone() };
    let none = Organization { etag: String::new(), ..own.clone() };
    let odd = Organization { etag: "latest".to_owned(), ..own.clone() };
    refused!(
        stage,
        EtagMismatch,
        manager,
        organizations.update_organization(update(stale, &["display_name"]))
    );
    refused!(
        stage,
        EtagMissing,
        manager,
        organizations.update_organization(update(none, &["display_name"]))
    );
    refused!(
        stage,
        FieldInvalid,
        manager,
        organizations.update_organization(update(odd, &["display_name"]))
    );
    refused!(
        stage,
        MaskInvalid,
        manager,
        organizations.update_organization(update(own.clone(), &["verified"]))
    );
    refused!(
        stage,
        CallerNotPermitted,
        stage.asker,
        organizations.update_organization(update(own.clone(), &["display_name"]))
    );
    let nobody = Organization { name: unknown(stage), ..own };
    refused!(
        stage,
        NotFound,
        manager,
        organizations.update_organization(update(nobody, &["display_name"]))
    );
}

async fn filing(stage: &Stage) {
    let person = |parent: String| CreatePersonRequest {
        parent,
        person: Some(Person {
            display_name: "王某".to_owned(),
            roles: vec![PersonRole::Operator.into()],
            ..Default::default()
        }),
        request_id: request_id(),
    };
    let system = |parent: String| CreateSystemRequest {
        parent,
        system: Some(System { display_name: "某系统".to_owned(), ..Default::default() }),
        request_id: request_id(),
    };
    let others = stage.press.provider.organization();
    refused!(
        stage,
        CallerNotPermitted,
        stage.asker,
        organizations.create_person(person(others.clone()))
    );
    refused!(stage, CallerNotPermitted, stage.asker, organizations.create_system(system(others)));
    refused!(
        stage,
        OrganizationUnknown,
        stage.manager,
        organizations.create_person(person(unknown(stage)))
    );
    refused!(
        stage,
        OrganizationUnknown,
        stage.manager,
        organizations.create_system(system(unknown(stage)))
    );
}

async fn looking(stage: &Stage) {
    let asker = &stage.asker;
    let get = GetOrganizationRequest { name: unknown(stage) };
    refused!(stage, NotFound, asker, organizations.get_organization(get));
    let id = "01JD0000000000000000000002";
    let own = asker.organization();
    let get = GetPersonRequest { name: format!("{own}/persons/{id}") };
    refused!(stage, NotFound, asker, organizations.get_person(get));
    let get = GetSystemRequest { name: format!("{own}/systems/{id}") };
    refused!(stage, NotFound, asker, organizations.get_system(get));

    // A page token of another query, and one that nobody gave out.
    let page = |page_token: &str| ListOrganizationsRequest {
        parent: asker.domain(),
        page_size: 2,
        page_token: page_token.to_owned(),
    };
    let first = until_answered!(asker.organizations().list_organizations(page("")))
        .expect("organizations can be listed");
    assert!(!first.next_page_token.is_empty());
    let token = first.next_page_token;
    refused!(stage, PageTokenInvalid, asker, organizations.list_organizations(page("bm90IG91cnM")));
    // Somebody else's, which is another query too: who asks decides what is seen.
    refused!(
        stage,
        PageTokenInvalid,
        stage.manager,
        organizations.list_organizations(page(&token))
    );
    let persons =
        ListPersonsRequest { parent: own.clone(), page_token: token.clone(), ..Default::default() };
    refused!(stage, PageTokenInvalid, asker, organizations.list_persons(persons));
    let systems = ListSystemsRequest { parent: own, page_token: token, ..Default::default() };
    refused!(stage, PageTokenInvalid, asker, organizations.list_systems(systems));
}
