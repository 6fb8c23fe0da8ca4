//! Role: who calls, and what does a caller do with an answer that does not come?

use std::{path::Path, sync::Arc, time::Duration};

use catalog_model::{ids::DomainId, reason::Reason};
use luqiao::context::{self, Context};
use luqiao_proto::{
    catalog::v1::catalog_service_client::CatalogServiceClient,
    entry::v1::entry_service_client::EntryServiceClient,
    law::v1::law_service_client::LawServiceClient,
    ledger::v1::ledger_service_client::LedgerServiceClient,
    operations::v1::operations_service_client::OperationsServiceClient,
    organization::v1::organization_service_client::OrganizationServiceClient,
    quality::v1::quality_service_client::QualityServiceClient,
    relations::v1::{
        collection_service_client::CollectionServiceClient,
        contract_service_client::ContractServiceClient,
        dataset_service_client::DatasetServiceClient, duty_service_client::DutyServiceClient,
        emergency_service_client::EmergencyServiceClient,
        objection_service_client::ObjectionServiceClient,
        platform_service_client::PlatformServiceClient,
        project_service_client::ProjectServiceClient,
        purchase_service_client::PurchaseServiceClient, source_service_client::SourceServiceClient,
        transfer_service_client::TransferServiceClient,
    },
    rule::v1::rule_service_client::RuleServiceClient,
    sharing::v1::{
        demand_service_client::DemandServiceClient, dispute_service_client::DisputeServiceClient,
        grant_service_client::GrantServiceClient,
        service_change_service_client::ServiceChangeServiceClient,
        sharing_service_client::SharingServiceClient,
    },
    work::v1::work_service_client::WorkServiceClient,
};
use luqiao_transport::{
    dial::{DialOptions, Dialer, MESSAGE_BYTES_MAX, Target},
    identity::{PeerCertificate, SpiffeId, Subject},
    status::Problem,
    tls::{Scope, TlsFiles, TlsMaterial, TrustFile},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tonic::{Code, Request, Status, transport::Channel};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long an answer is waited for before the test gives up: far more than any election takes.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Somebody with a certificate, and the gateway of their domain.
#[derive(Debug, Clone)]
pub struct Role {
    /// Where and as whom.
    pub context: Context,
    /// Whom the certificate names.
    pub identity: SpiffeId,
    channel: Channel,
}

macro_rules! clients {
    ($($name:ident: $client:ident;)*) => {
        $(#[doc = concat!("A `", stringify!($client), "`.")]
        pub fn $name(&self) -> $client<Channel> {
            $client::new(self.channel.clone())
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX)
        })*
    };
}

impl Role {
    /// The role of that name in a file of contexts.
    ///
    /// # Panics
    ///
    /// If there is none, or its files cannot be used.
    pub fn named(contexts: &Path, name: &str) -> Self {
        let file = context::read(contexts).unwrap_or_else(|failure| panic!("{failure:?}"));
        let (_, context) = file.choose(Some(name)).unwrap_or_else(|failure| panic!("{failure:?}"));
        Self::of(context.clone())
    }

    /// The role that a context describes. Connects with the first call, and again when needed.
    ///
    /// # Panics
    ///
    /// If its files cannot be used.
    pub fn of(context: Context) -> Self {
        let certificate =
            CertificateDer::from_pem_file(&context.cert).expect("the certificate can be read");
        let certificate = PeerCertificate::read(&[certificate]).expect("a certificate of ours");
        let identity = certificate.spiffe.expect("the certificate names somebody");
        let channel = channel(&context, &identity.domain);
        Self { context, identity, channel }
    }

    /// `domains/{domain}`.
    pub fn domain(&self) -> String {
        format!("domains/{}", self.identity.domain)
    }

    /// `domains/{domain}/organizations/{id}`.
    ///
    /// # Panics
    ///
    /// For gateways and nodes, which belong to none.
    pub fn organization(&self) -> String {
        match &self.identity.subject {
            Subject::Person { organization, .. } | Subject::System { organization, .. } => {
                format!("{}/organizations/{organization}", self.domain())
            }
            other => panic!("{other:?} belongs to no organization"),
        }
    }

    /// `domains/{domain}/organizations/{id}/systems/{id}`.
    ///
    /// # Panics
    ///
    /// For anybody but a system.
    pub fn system(&self) -> String {
        match &self.identity.subject {
            Subject::System { system, .. } => format!("{}/systems/{system}", self.organization()),
            other => panic!("{other:?} is no system"),
        }
    }

    /// `domains/{domain}/organizations/{id}/persons/{id}`.
    ///
    /// # Panics
    ///
    /// For anybody but a person.
    pub fn person(&self) -> String {
        match &self.identity.subject {
            Subject::Person { person, .. } => format!("{}/persons/{person}", self.organization()),
            other => panic!("{other:?} is no person"),
        }
    }

    clients! {
        catalog: CatalogServiceClient;
        entries: EntryServiceClient;
        organizations: OrganizationServiceClient;
        sharing: SharingServiceClient;
        grants: GrantServiceClient;
        service_changes: ServiceChangeServiceClient;
        disputes: DisputeServiceClient;
        demands: DemandServiceClient;
        ledger: LedgerServiceClient;
        operations: OperationsServiceClient;
        rules: RuleServiceClient;
        datasets: DatasetServiceClient;
        duties: DutyServiceClient;
        sources: SourceServiceClient;
        collection: CollectionServiceClient;
        transfers: TransferServiceClient;
        objections: ObjectionServiceClient;
        emergencies: EmergencyServiceClient;
        purchases: PurchaseServiceClient;
        contracts: ContractServiceClient;
        projects: ProjectServiceClient;
        platforms: PlatformServiceClient;
        quality: QualityServiceClient;
        law: LawServiceClient;
        work: WorkServiceClient;
    }

    /// The connection itself, for services that have no client here.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }
}

/// A connection as `context` describes it. The gateway is of the context's domain, or of `own`.
///
/// # Panics
///
/// If the context's files cannot be used.
pub fn channel(context: &Context, own: &DomainId) -> Channel {
    let stated = context.domain.as_ref().map(|domain| domain.parse().expect("a domain"));
    let domain = stated.unwrap_or_else(|| own.clone());
    let material = TlsMaterial::load(TlsFiles {
        certificate: context.cert.clone(),
        key: context.key.clone(),
        trust: vec![TrustFile { file: context.ca.clone(), scope: Scope::Domain(domain) }],
    })
    .expect("the context's TLS files can be used");
    let dialer = Dialer::new(Arc::new(material), DialOptions::default());
    let gateway = context.gateways.first().expect("the context names a gateway");
    dialer.channel(&Target::new(gateway)).expect("a usable address")
}

/// A call with a time limit, whose messages are wanted in English.
pub fn call<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(ATTEMPT);
    request.metadata_mut().insert("accept-language", "en".parse().expect("a header value"));
    request
}

/// Whether the same call may be sent again and may then succeed: who could answer was not there, or
/// went away in the middle.
pub fn may_succeed_later(status: &Status) -> bool {
    let reason = Problem::from_status(status).reason;
    let connection_broke = reason.is_none() && std::error::Error::source(status).is_some();
    reason == Some(Reason::OutcomeUnknown)
        || connection_broke
        || matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled)
}

/// Sends the same call until it is answered: by the same `request_id` it does nothing twice.
///
/// # Panics
///
/// If no answer comes within [`PATIENCE`].
pub async fn until_answered<T, M, F>(
    message: M,
    mut send: impl FnMut(Request<M>) -> F,
) -> Result<T, Status>
where
    M: Clone,
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let started = tokio::time::Instant::now();
    loop {
        match send(call(message.clone())).await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) if may_succeed_later(&status) => {
                assert!(started.elapsed() < PATIENCE, "no answer in {PATIENCE:?}: {status:?}");
                tokio::time::sleep(PAUSE).await;
            }
            Err(status) => return Err(status),
        }
    }
}

/// `until_answered!(role.catalog().get_entry(message))`, for clients that are taken by `&mut`.
#[macro_export]
macro_rules! until_answered {
    ($role:ident.$service:ident().$method:ident($message:expr $(,)?)) => {{
        let role = &$role;
        // In a box: a test makes hundreds of calls, and each would widen its future.
        Box::pin($crate::role::until_answered($message, |request| {
            let mut client = role.$service();
            async move { client.$method(request).await }
        }))
        .await
    }};
}

/// The reason for which a call was refused.
///
/// # Panics
///
/// If it was not refused, or for no reason of ours.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> Reason {
    let status = answer.expect_err("the call should have been refused");
    let problem = Problem::from_status(&status);
    problem.reason.unwrap_or_else(|| panic!("no reason of ours: {status:?}"))
}

/// A fresh request id.
pub fn request_id() -> String {
    luqiao::remote::session::request_id()
}
