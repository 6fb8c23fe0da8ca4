//! Session: how is the gateway of a context reached, and what goes with every call?

use std::{path::Path, sync::Arc, time::Duration};

use catalog_model::{ids::DomainId, reason::Lang};
use luqiao_proto::{
    catalog::v1::catalog_service_client::CatalogServiceClient,
    dr::v1::disaster_recovery_service_client::DisasterRecoveryServiceClient,
    entry::v1::entry_service_client::EntryServiceClient,
    law::v1::law_service_client::LawServiceClient,
    ledger::v1::ledger_service_client::LedgerServiceClient,
    operations::v1::{
        drill_service_client::DrillServiceClient,
        operations_service_client::OperationsServiceClient,
    },
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
    identity::{PeerCertificate, SpiffeId},
    language,
    tls::{Expectation, Scope, TlsFiles, TlsMaterial, TrustFile},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tonic::{Request, metadata::MetadataValue, transport::Channel};

use crate::{both, context::Context, exit::Exit, failure::Failure};

/// Time that a call has unless `--timeout` says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A connection to a gateway, and how its caller wants to be treated.
#[derive(Debug, Clone)]
pub struct Session {
    channel: Channel,
    domain: DomainId,
    caller: Option<SpiffeId>,
    lang: Lang,
    timeout: Option<Duration>,
}

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $client:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(&self) -> $client<Channel> {
            $client::new(self.channel.clone())
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX)
        })*
    };
}

impl Session {
    /// Connects to the first gateway of `context` that can be reached.
    pub async fn open(
        context: &Context,
        lang: Lang,
        timeout: Option<Duration>,
    ) -> Result<Self, Failure> {
        let caller = own_name(&context.cert)?;
        let domain = match (&context.domain, &caller) {
            (Some(stated), _) => stated.parse().map_err(|_| {
                let stated = stated.clone();
                settings(both!("`{stated}` is not a domain", "“{stated}”不是域标识"))
            })?,
            (None, Some(caller)) => caller.domain.clone(),
            (None, None) => {
                return Err(settings(both!(
                    "the certificate names no domain, and the context does not either",
                    "证书与上下文均未写明所属域"
                ))
                .advising(both!("add `domain` to the context", "请在上下文中写明 domain")));
            }
        };
        let files = TlsFiles {
            certificate: context.cert.clone(),
            key: context.key.clone(),
            trust: vec![TrustFile {
                file: context.ca.clone(),
                scope: Scope::Domain(domain.clone()),
            }],
        };
        let tls = TlsMaterial::load(files).map_err(|error| {
            let causes = chain(&error);
            settings(both!("the TLS files cannot be used: {causes}", "无法使用 TLS 文件：{causes}"))
        })?;
        let options = DialOptions {
            connect_timeout: timeout.unwrap_or(TIMEOUT).min(DialOptions::default().connect_timeout),
            ..DialOptions::default()
        };
        let dialer = Dialer::new(Arc::new(tls), options);
        let mut failure = None;
        for gateway in &context.gateways {
            let target = Target::new(gateway).expecting(Expectation::gateway_of(domain.clone()));
            match dialer.connect(&target).await {
                Ok(channel) => return Ok(Self { channel, domain, caller, lang, timeout }),
                Err(error) => failure = Some(Failure::dial(&error)),
            }
        }
        Err(failure.unwrap_or_else(|| {
            settings(both!("the context names no gateway", "上下文中没有网关地址"))
        }))
    }

    /// `domains/{domain}` of the caller.
    pub fn parent(&self) -> String {
        format!("domains/{}", self.domain)
    }

    /// Whom our certificate names, if it names anybody.
    pub fn caller(&self) -> Option<&SpiffeId> {
        self.caller.as_ref()
    }

    /// A call with one answer.
    pub fn call<T>(&self, message: T) -> Request<T> {
        self.dressed(message, Some(self.timeout.unwrap_or(TIMEOUT)))
    }

    /// A call that may go on for as long as it takes, unless `--timeout` was given.
    pub fn stream<T>(&self, messages: T) -> Request<T> {
        self.dressed(messages, self.timeout)
    }

    fn dressed<T>(&self, message: T, timeout: Option<Duration>) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert(
            language::ACCEPT_LANGUAGE,
            MetadataValue::from_static(language::tag(self.lang)),
        );
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        request
    }

    clients! {
        /// `CatalogService`.
        catalog: CatalogServiceClient;
        /// `EntryService`.
        entries: EntryServiceClient;
        /// `OrganizationService`.
        organizations: OrganizationServiceClient;
        /// `SharingService`.
        sharing: SharingServiceClient;
        /// `GrantService`.
        grants: GrantServiceClient;
        /// `ServiceChangeService`.
        service_changes: ServiceChangeServiceClient;
        /// `DisputeService`.
        disputes: DisputeServiceClient;
        /// `DemandService`.
        demands: DemandServiceClient;
        /// `RuleService`.
        rules: RuleServiceClient;
        /// `LawService`.
        law: LawServiceClient;
        /// `LedgerService`.
        ledger: LedgerServiceClient;
        /// `DisasterRecoveryService`.
        recovery: DisasterRecoveryServiceClient;
        /// `OperationsService`.
        operations: OperationsServiceClient;
        /// `DrillService`.
        drills: DrillServiceClient;
        /// `DatasetService`.
        datasets: DatasetServiceClient;
        /// `DutyService`.
        duties: DutyServiceClient;
        /// `SourceService`.
        sources: SourceServiceClient;
        /// `CollectionService`.
        collection: CollectionServiceClient;
        /// `TransferService`.
        transfers: TransferServiceClient;
        /// `ObjectionService`.
        objections: ObjectionServiceClient;
        /// `EmergencyService`.
        emergencies: EmergencyServiceClient;
        /// `PurchaseService`.
        purchases: PurchaseServiceClient;
        /// `ContractService`.
        contracts: ContractServiceClient;
        /// `ProjectService`.
        projects: ProjectServiceClient;
        /// `PlatformService`.
        platforms: PlatformServiceClient;
        /// `QualityService`.
        quality: QualityServiceClient;
        /// `WorkService`.
        work: WorkServiceClient;
    }
}

/// A fresh request id: a random UUID (version 4).
pub fn request_id() -> String {
    let random = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{random:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn own_name(file: &Path) -> Result<Option<SpiffeId>, Failure> {
    let unusable = |detail: String| {
        let file = file.display();
        settings(both!(
            "{file} is not a usable certificate: {detail}",
            "{file} 不是可用的证书：{detail}"
        ))
    };
    let certificate =
        CertificateDer::from_pem_file(file).map_err(|error| unusable(error.to_string()))?;
    let read = PeerCertificate::read(&[certificate]).map_err(|error| unusable(chain(&error)))?;
    Ok(read.spiffe)
}

fn settings(message: crate::language::Bilingual) -> Failure {
    Failure::new(Exit::Error, "context_unusable", message)
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn request_ids_are_version_4_uuids_and_differ() {
        let ids: BTreeSet<String> = (0..1000).map(|_| request_id()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let bytes = id.as_bytes();
            assert_eq!(id.len(), 36, "{id}");
            assert!([8, 13, 18, 23].iter().all(|at| bytes[*at] == b'-'), "{id}");
            assert_eq!(bytes[14], b'4', "{id}");
            assert!(b"89ab".contains(&bytes[19]), "{id}");
        }
    }
}
