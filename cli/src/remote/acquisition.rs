//! `luqiao emergency`, `purchase`, `contract`, `project`, `platform`, and what `luqiao catalog` says
//! of how the data of an entry are had.

use luqiao_proto::relations::v1::{
    AcceptProjectRequest, ApprovePurchaseRequest, AssessEmergencyRequest, BuyPurchaseRequest,
    CheckCollectionRequest, CloseContractRequest, CloseEmergencyApplicationsRequest,
    ConsentSubEntrustingRequest, EndContractRequest, EndEmergencyRequest, EnterAssetRequest,
    GetAcquisitionRequest, GetCollectionCheckRequest, GetContractRequest, GetEmergencyRequest,
    GetProjectRequest, GetPurchaseRequest, ListContractsRequest, ListEmergenciesRequest,
    ListPlatformsRequest, ListProjectsRequest, ListPurchasesRequest, MergePurchaseRequest,
    OpenContractRequest, OpenEmergencyRequest, OpenProjectRequest, RecordPlatformRequest,
    RecordProcessingRequest, RefusePurchaseRequest, RequestPurchaseRequest,
    StateAcquisitionRequest, TreatEmergencyRequest, UseEmergencyDataRequest,
};

use crate::{
    args::{
        acquisition::{Contract, Emergency, OfEntry, Platform, Project, Purchase},
        citation::{Proven, Reasoned, Step},
        document::digest_of,
    },
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, dataset::day, send, version};

const EMERGENCY_COLUMNS: [Column; 4] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("EVENT", "突发事件", "/event"),
    column("ORGANIZATION", "单位", "/organization"),
];
const PURCHASE_COLUMNS: [Column; 4] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("NEED", "需求", "/need"),
    column("ORGANIZATION", "单位", "/organization"),
];
const CONTRACT_COLUMNS: [Column; 4] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("CONTRACTOR", "受托方", "/contractor"),
    column("MATTER", "委托事项", "/matter"),
];
const PROJECT_COLUMNS: [Column; 4] = [
    column("NAME", "资源名", "/name"),
    column("TITLE", "名称", "/title"),
    column("ORGANIZATION", "单位", "/organization"),
    column("ACCEPTED", "验收时间", "/accept_time"),
];
const PLATFORM_COLUMNS: [Column; 4] = [
    column("TITLE", "名称", "/title"),
    column("ORGANIZATION", "单位", "/organization"),
    column("CROSS-DEPARTMENT", "跨部门", "/cross_department"),
    column("MIGRATE BY", "迁移期限", "/migrate_by"),
];

/// What `luqiao catalog` says of how data are had.
pub async fn run_of_entry(remote: &Remote, command: OfEntry) -> Result<Exit, Failure> {
    let mut client = remote.session.collection();
    match command {
        OfEntry::CheckCollection { name, items, exception, change } => {
            let exception = exception.message();
            let request_id = remote.attempt(change.request_id);
            let request = CheckCollectionRequest { name, items, exception, request_id };
            send!(remote, COLLECTION_CHECK, client.check_collection(request));
        }
        OfEntry::Collection { name } => {
            let request = GetCollectionCheckRequest { name };
            send!(remote, COLLECTION_CHECK, client.get_collection_check(request));
        }
        OfEntry::Acquired { name, by, through, change } => {
            let request_id = remote.attempt(change.request_id);
            let request = StateAcquisitionRequest { name, kind: by.into(), through, request_id };
            send!(remote, ACQUISITION, client.state_acquisition(request));
        }
        OfEntry::Acquisition { name } => {
            send!(remote, ACQUISITION, client.get_acquisition(GetAcquisitionRequest { name }));
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for emergencies.
pub async fn run_emergency(remote: &Remote, command: Emergency) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.emergencies();
    macro_rules! proven {
        ($method:ident($request:ident), $proven:ident) => {{
            let Proven { name, proof, change } = $proven;
            let proof = proof.digest()?;
            let (etag, request_id) =
                version!(remote, client.get_emergency(GetEmergencyRequest), name, change);
            let request = $request { name, etag, proof, request_id };
            send!(remote, EMERGENCY, client.$method(request));
        }};
    }
    match command {
        Emergency::Open {
            of,
            event,
            basis,
            purpose,
            scope,
            manner,
            entries,
            applications,
            change,
        } => {
            let request = OpenEmergencyRequest {
                parent: remote.organization(of.organization)?,
                event,
                basis: basis.message(),
                purpose,
                scope,
                manner,
                entries,
                applications,
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, EMERGENCY, client.open_emergency(request));
        }
        Emergency::Use { name, system, event, change } => {
            let (etag, request_id) =
                version!(remote, client.get_emergency(GetEmergencyRequest), name, change);
            let request = UseEmergencyDataRequest { name, etag, system, event, request_id };
            send!(remote, EMERGENCY, client.use_emergency_data(request));
        }
        Emergency::End(Step { name, change }) => {
            let (etag, request_id) =
                version!(remote, client.get_emergency(GetEmergencyRequest), name, change);
            let request = EndEmergencyRequest { name, etag, request_id };
            send!(remote, EMERGENCY, client.end_emergency(request));
        }
        Emergency::Assess(step) => proven!(assess_emergency(AssessEmergencyRequest), step),
        Emergency::Treat(step) => proven!(treat_emergency(TreatEmergencyRequest), step),
        Emergency::Close(step) => {
            proven!(close_emergency_applications(CloseEmergencyApplicationsRequest), step);
        }
        Emergency::Show { name } => {
            send!(remote, EMERGENCY, client.get_emergency(GetEmergencyRequest { name }));
        }
        Emergency::List { state, listed } => {
            let request = ListEmergenciesRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_emergencies(session.call(request)).await)?;
            remote.show_page(kind::EMERGENCY_PAGE, &list, "emergencies", &EMERGENCY_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for purchases.
pub async fn run_purchase(remote: &Remote, command: Purchase) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.purchases();
    macro_rules! version_of {
        ($name:ident, $change:ident) => {
            version!(remote, client.get_purchase(GetPurchaseRequest), $name, $change)
        };
    }
    match command {
        Purchase::Request { of, need, items, change } => {
            let parent = remote.organization(of.organization)?;
            let request_id = remote.attempt(change.request_id);
            let request = RequestPurchaseRequest { parent, need, items, request_id };
            send!(remote, PURCHASE, client.request_purchase(request));
        }
        Purchase::Merge { name, into, change } => {
            let (etag, request_id) = version_of!(name, change);
            let request = MergePurchaseRequest { name, etag, into, request_id };
            send!(remote, PURCHASE, client.merge_purchase(request));
        }
        Purchase::Approve(Step { name, change }) => {
            let (etag, request_id) = version_of!(name, change);
            let request = ApprovePurchaseRequest { name, etag, request_id };
            send!(remote, PURCHASE, client.approve_purchase(request));
        }
        Purchase::Refuse(Reasoned { name, reason, change }) => {
            let (etag, request_id) = version_of!(name, change);
            let request = RefusePurchaseRequest { name, etag, reason, request_id };
            send!(remote, PURCHASE, client.refuse_purchase(request));
        }
        Purchase::Buy(Proven { name, proof, change }) => {
            let contract = proof.digest()?;
            let (etag, request_id) = version_of!(name, change);
            let request = BuyPurchaseRequest { name, etag, contract, request_id };
            send!(remote, PURCHASE, client.buy_purchase(request));
        }
        Purchase::Show { name } => {
            send!(remote, PURCHASE, client.get_purchase(GetPurchaseRequest { name }));
        }
        Purchase::List { state, listed } => {
            let request = ListPurchasesRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_purchases(session.call(request)).await)?;
            remote.show_page(kind::PURCHASE_PAGE, &list, "purchases", &PURCHASE_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for contracts.
pub async fn run_contract(remote: &Remote, command: Contract) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.contracts();
    macro_rules! version_of {
        ($name:ident, $change:ident) => {
            version!(remote, client.get_contract(GetContractRequest), $name, $change)
        };
    }
    match command {
        Contract::Open { of, contractor, matter, purpose, scope, manner, change } => {
            let request = OpenContractRequest {
                parent: remote.organization(of.organization)?,
                contractor,
                matter,
                purpose,
                scope,
                manner,
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, CONTRACT, client.open_contract(request));
        }
        Contract::Consent { name, to, change } => {
            let (etag, request_id) = version_of!(name, change);
            let request = ConsentSubEntrustingRequest { name, etag, to, request_id };
            send!(remote, CONTRACT, client.consent_sub_entrusting(request));
        }
        Contract::Process { name, by, change } => {
            let (etag, request_id) = version_of!(name, change);
            let request = RecordProcessingRequest { name, etag, by, request_id };
            send!(remote, CONTRACT, client.record_processing(request));
        }
        Contract::End(Reasoned { name, reason, change }) => {
            let (etag, request_id) = version_of!(name, change);
            let request = EndContractRequest { name, etag, reason, request_id };
            send!(remote, CONTRACT, client.end_contract(request));
        }
        Contract::Close { name, proof, returned, change } => {
            let proof = digest_of(&proof)?;
            let (etag, request_id) = version_of!(name, change);
            let request = CloseContractRequest { name, etag, returned, proof, request_id };
            send!(remote, CONTRACT, client.close_contract(request));
        }
        Contract::Show { name } => {
            send!(remote, CONTRACT, client.get_contract(GetContractRequest { name }));
        }
        Contract::List { state, listed } => {
            let request = ListContractsRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_contracts(session.call(request)).await)?;
            remote.show_page(kind::CONTRACT_PAGE, &list, "contracts", &CONTRACT_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for projects.
pub async fn run_project(remote: &Remote, command: Project) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.projects();
    match command {
        Project::Open { of, title, assets, change } => {
            let parent = remote.organization(of.organization)?;
            let request_id = remote.attempt(change.request_id);
            let request = OpenProjectRequest { parent, title, assets, request_id };
            send!(remote, PROJECT, client.open_project(request));
        }
        Project::Enter { name, asset, entry, change } => {
            let (etag, request_id) =
                version!(remote, client.get_project(GetProjectRequest), name, change);
            let request = EnterAssetRequest { name, etag, asset, entry, request_id };
            send!(remote, PROJECT, client.enter_asset(request));
        }
        Project::Accept(Step { name, change }) => {
            let (etag, request_id) =
                version!(remote, client.get_project(GetProjectRequest), name, change);
            let request = AcceptProjectRequest { name, etag, request_id };
            send!(remote, PROJECT, client.accept_project(request));
        }
        Project::Show { name } => {
            send!(remote, PROJECT, client.get_project(GetProjectRequest { name }));
        }
        Project::List(listed) => {
            let request = ListProjectsRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
            };
            let list = answer(client.list_projects(session.call(request)).await)?;
            remote.show_page(kind::PROJECT_PAGE, &list, "projects", &PROJECT_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for platforms.
pub async fn run_platform(remote: &Remote, command: Platform) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.platforms();
    match command {
        Platform::Record {
            of,
            title,
            cross_department,
            approval,
            migrate_by,
            exception,
            change,
        } => {
            let request = RecordPlatformRequest {
                parent: remote.organization(of.organization)?,
                title,
                cross_department,
                approval: approval.message()?,
                migrate_by: day(migrate_by),
                exception: exception.message(),
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, PLATFORM, client.record_platform(request));
        }
        Platform::List(listed) => {
            let request = ListPlatformsRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
            };
            let list = answer(client.list_platforms(session.call(request)).await)?;
            remote.show_page(kind::PLATFORM_PAGE, &list, "platforms", &PLATFORM_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}
