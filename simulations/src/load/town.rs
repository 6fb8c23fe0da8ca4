//! Town: the calls of a case, of the clock that is moved by hand, of the calendar, of a receipt.
//!
//! One department asks for data of a public-service organization. Of these the authority decides
//! together with the provider, so that a case takes every step that the law knows: the request with
//! the consent of the asker's head, the provider's opinion, the consent of the authority's head, and
//! the answer, which gives a right.

use std::sync::Arc;

use luqiao::dev::cast::{AUTHORITY, MANAGER, OTHER_DEPARTMENT, SERVICE};
use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, ConsentEntryRequest, EntryState, PublishEntryRequest, RegisterEntryRequest,
        SubmitEntryRequest,
    },
    ledger::v1::{GetReceiptRequest, Receipt},
    node::v1::{Caller, node_service_client::NodeServiceClient},
    operations::v1::{
        GetStatusRequest, GetStatusResponse, SetDevelopmentClockRequest,
        SetDevelopmentClockResponse,
    },
    organization::v1::DataKind,
    rule::v1::{
        Calendar, ClosureEffect, DeclareClosureRequest, GetPendingWorkRequest,
        GetPendingWorkResponse, PendingWork, WithdrawClosureRequest,
    },
    sharing::v1::{
        Answer, AnswerKind, AnswerRequestRequest, Commitment, CreateRequestRequest,
        GetRequestRequest, GiveConsentRequest, GiveConsentResponse, GiveOpinionRequest,
        ShareRequest, ShareRequestState, Term,
    },
};
use prost::Message;
use prost_types::Timestamp;
use tonic::{Status, transport::Channel};

use super::{
    cluster::{caller, head},
    lawful::{call_as, complete_entry, request_id},
};

/// Commands of one whole case.
pub const COMMANDS_A_CASE: u64 = 4;

const SHARING: &str = "/luqiao.sharing.v1.SharingService";
const CATALOG: &str = "/luqiao.catalog.v1.CatalogService";
const RULES: &str = "/luqiao.rule.v1.RuleService";
const OPERATIONS: &str = "/luqiao.operations.v1.OperationsService";
const LEDGER: &str = "/luqiao.ledger.v1.LedgerService";

/// Who takes part, and the entry that is asked for.
#[derive(Debug, Clone)]
pub struct Town {
    clients: Arc<[NodeServiceClient<Channel>]>,
    parts: Arc<Parts>,
    entry: String,
}

#[derive(Debug)]
struct Parts {
    asker: Caller,
    provider: Caller,
    authority: Caller,
    manager: Caller,
    /// The request, as it is filed again and again.
    request: ShareRequest,
}

impl Parts {
    fn new(entry: &str) -> Self {
        let asker = caller(OTHER_DEPARTMENT);
        let commitments = [
            Commitment::ScenarioAuthentic,
            Commitment::ScenarioCompliant,
            Commitment::ScenarioSecure,
            Commitment::RequestAuthentic,
            Commitment::RequestLawful,
            Commitment::RequestNecessary,
        ];
        let provider = caller(SERVICE);
        let stated = complete_entry(&provider, 0);
        let request = ShareRequest {
            entry: entry.to_owned(),
            system: format!("{}/systems/{}", organization(&asker), asker.system),
            scenario: "企业信用核查".to_owned(),
            duty_basis: "《测试用条例》第三条".to_owned(),
            items: stated.items.into_iter().map(|item| item.name).collect(),
            method: stated.sharing_method,
            term: Some(Term { from: "2026-09-21".to_owned(), to: "2027-09-20".to_owned() }),
            commitments: commitments.map(Into::into).into(),
            ..ShareRequest::default()
        };
        let (authority, manager) = (caller(AUTHORITY), caller(MANAGER));
        Self { asker, provider, authority, manager, request }
    }
}

fn organization(caller: &Caller) -> String {
    format!("domains/{}/organizations/{}", caller.domain, caller.organization)
}

/// The head of the office of that word.
fn head_of(word: &str) -> String {
    let head = head(word);
    format!("{}/persons/{}", organization(&head), head.person)
}

impl Town {
    /// Publishes the entry, through `channels` to the leader.
    pub async fn found(channels: Vec<Channel>) -> anyhow::Result<Self> {
        let mut town = Self::over(channels, String::new());
        let provider = &town.parts.provider;
        let entry = CatalogEntry {
            kind: DataKind::PublicServiceData.into(),
            ..complete_entry(provider, 0)
        };
        let register = RegisterEntryRequest {
            parent: town.domain(),
            entry: Some(entry),
            request_id: request_id(),
        };
        let draft: CatalogEntry =
            town.call(0, provider, CATALOG, "RegisterEntry", &register).await?;
        let consent = ConsentEntryRequest {
            name: draft.name.clone(),
            etag: draft.etag,
            request_id: request_id(),
            ..ConsentEntryRequest::default()
        };
        let consented: CatalogEntry =
            town.call(0, &head(SERVICE), CATALOG, "ConsentEntry", &consent).await?;
        let (name, etag) = (draft.name, consented.etag);
        let submit = SubmitEntryRequest { name: name.clone(), etag, request_id: request_id() };
        let submitted: CatalogEntry =
            town.call(0, provider, CATALOG, "SubmitEntry", &submit).await?;
        let etag = submitted.etag;
        let publish = PublishEntryRequest { name: name.clone(), etag, request_id: request_id() };
        let authority = &town.parts.authority;
        let published: CatalogEntry =
            town.call(0, authority, CATALOG, "PublishEntry", &publish).await?;
        anyhow::ensure!(published.state() == EntryState::Published, "it is published");
        town.parts = Arc::new(Parts::new(&name));
        town.entry = name;
        Ok(town)
    }

    /// The town whose entry was published before.
    pub fn over(channels: Vec<Channel>, entry: String) -> Self {
        let clients = channels.into_iter().map(NodeServiceClient::new).collect();
        Self { clients, parts: Arc::new(Parts::new(&entry)), entry }
    }

    /// The entry that is asked for.
    pub fn entry(&self) -> &str {
        &self.entry
    }

    fn domain(&self) -> String {
        format!("domains/{}", self.parts.manager.domain)
    }

    async fn call<A: Message + Default>(
        &self,
        client: usize,
        caller: &Caller,
        service: &str,
        method: &str,
        call: &impl Message,
    ) -> Result<A, Status> {
        let client = &self.clients[client % self.clients.len()];
        call_as(client, caller, &format!("{service}/{method}"), call).await
    }

    /// Files a request: a case with its clock.
    pub async fn ask(&self, client: usize) -> Result<ShareRequest, Status> {
        let call = CreateRequestRequest {
            parent: self.domain(),
            request: Some(self.parts.request.clone()),
            consenting_person: head_of(OTHER_DEPARTMENT),
            request_id: request_id(),
        };
        self.call(client, &self.parts.asker, SHARING, "CreateRequest", &call).await
    }

    /// A whole case: request, opinion, consent, answer.
    pub async fn case(&self, client: usize) -> Result<(), Status> {
        let case = self.ask(client).await?;
        let opinion = GiveOpinionRequest {
            name: case.name.clone(),
            etag: case.etag,
            in_favor: true,
            text: "同意（合成）".to_owned(),
            request_id: request_id(),
        };
        let heard: ShareRequest =
            self.call(client, &self.parts.provider, SHARING, "GiveOpinion", &opinion).await?;
        let answer = Answer { kind: AnswerKind::Agreed.into(), ..Answer::default() };
        let consent = GiveConsentRequest {
            name: case.name.clone(),
            etag: heard.etag.clone(),
            person: head_of(AUTHORITY),
            answer: Some(answer.clone()),
            request_id: request_id(),
        };
        let authority = &self.parts.authority;
        let _: GiveConsentResponse =
            self.call(client, authority, SHARING, "GiveConsent", &consent).await?;
        let call = AnswerRequestRequest {
            name: case.name,
            etag: heard.etag,
            answer: Some(answer),
            request_id: request_id(),
        };
        let answered: ShareRequest =
            self.call(client, authority, SHARING, "AnswerRequest", &call).await?;
        if answered.state() == ShareRequestState::Agreed && !answered.grant.is_empty() {
            Ok(())
        } else {
            Err(Status::internal("it was not agreed"))
        }
    }

    /// A case as the authority sees it, linearizably.
    pub async fn read(&self, client: usize, name: &str) -> Result<ShareRequest, Status> {
        let call = GetRequestRequest { name: name.to_owned() };
        self.call(client, &self.parts.authority, SHARING, "GetRequest", &call).await
    }

    /// Moves the clock; returns once everything that became due has fired.
    pub async fn clock_to(&self, time: Timestamp) -> Result<(), Status> {
        let call = SetDevelopmentClockRequest {
            name: self.domain(),
            time: Some(time),
            request_id: request_id(),
        };
        let manager = &self.parts.manager;
        let _: SetDevelopmentClockResponse =
            self.call(0, manager, OPERATIONS, "SetDevelopmentClock", &call).await?;
        Ok(())
    }

    /// How the domain stands.
    pub async fn status(&self) -> Result<GetStatusResponse, Status> {
        let call = GetStatusRequest { name: self.domain() };
        self.call(0, &self.parts.manager, OPERATIONS, "GetStatus", &call).await
    }

    /// Declares `day` closed, so that every clock that runs over it is a working day longer.
    pub async fn close(&self, day: &str) -> Result<(), Status> {
        let call = DeclareClosureRequest {
            parent: self.domain(),
            document_number: "合成〔2026〕1号".to_owned(),
            days: vec![day.to_owned()],
            effect: ClosureEffect::NotCounted.into(),
            request_id: request_id(),
        };
        let authority = &self.parts.authority;
        let _: Calendar = self.call(0, authority, RULES, "DeclareClosure", &call).await?;
        Ok(())
    }

    /// Takes that back.
    pub async fn reopen(&self, day: &str) -> Result<(), Status> {
        let call = WithdrawClosureRequest {
            parent: self.domain(),
            document_number: "合成〔2026〕2号".to_owned(),
            days: vec![day.to_owned()],
            request_id: request_id(),
        };
        let authority = &self.parts.authority;
        let _: Calendar = self.call(0, authority, RULES, "WithdrawClosure", &call).await?;
        Ok(())
    }

    /// What is still being counted again.
    pub async fn pending(&self) -> Result<Vec<PendingWork>, Status> {
        let call = GetPendingWorkRequest { name: self.domain() };
        let told: GetPendingWorkResponse =
            self.call(0, &self.parts.authority, RULES, "GetPendingWork", &call).await?;
        Ok(told.works)
    }

    /// The receipt of a record about `name`: its bytes, the path to the root, the signed head.
    pub async fn receipt(&self, client: usize, name: &str, record: u64) -> Result<Receipt, Status> {
        let call = GetReceiptRequest { name: name.to_owned(), record: Some(record) };
        self.call(client, &self.parts.authority, LEDGER, "GetReceipt", &call).await
    }
}
