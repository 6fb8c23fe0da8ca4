//! How data came to a department, as it is shown: checks, emergencies, purchases, contracts, projects
//! and platforms.

use catalog_model::{
    acquisition::{
        Acquisition, CollectionCheck, CollectionContract, Emergency, PlatformNode, Project,
        Purchase,
    },
    document_digest::DocumentDigest,
    ids::{DomainId, EntryId},
    name::Resource,
    refusal::Refusal,
    time::UtcMillis,
};

use crate::{
    convert::{
        case_rules::rule_ref_message,
        catalog_entry::citation_message,
        digest::digest_bytes,
        enumeration::Enumerated as _,
        etag,
        name::{self, full_name},
        paper_decision::paper_decision_message,
        reading::{At, Reading},
        time::timestamp,
    },
    relations::v1 as message,
};

use super::{day_text, entry_text, foreign, names, organization_text};

/// The check of an entry of `domain`.
pub fn check_message(domain: &DomainId, check: &CollectionCheck) -> message::CollectionCheck {
    message::CollectionCheck {
        entry: entry_text(domain, check.entry),
        items: check.items.clone(),
        result: check.result.number(),
        overlaps: names(&check.overlaps),
        exception: check.exception.as_ref().map(citation_message),
        rule: check.rule.as_ref().map(rule_ref_message),
        check_time: Some(timestamp(check.checked_time)),
    }
}

/// How the data of an entry of `domain` were acquired.
pub fn acquisition_message(
    domain: &DomainId,
    entry: EntryId,
    acquisition: Acquisition,
) -> message::Acquisition {
    use message::AcquisitionKind as Kind;
    let (kind, through) = match acquisition {
        Acquisition::Duty => (Kind::Duty, String::new()),
        Acquisition::Entrusted(id) => (Kind::Entrusted, full_name(domain, Resource::Contract(id))),
        Acquisition::Purchased(id) => (Kind::Purchased, full_name(domain, Resource::Purchase(id))),
        Acquisition::Emergency(id) => (Kind::Emergency, full_name(domain, Resource::Emergency(id))),
    };
    message::Acquisition { entry: entry_text(domain, entry), kind: kind.into(), through }
}

/// How the data of an entry of `domain` were acquired, as a call states it: the kind, and the
/// contract, purchase or emergency that goes with it.
pub fn read_acquisition(
    kind: i32,
    through: &str,
    domain: &DomainId,
) -> Result<Acquisition, Refusal> {
    use message::AcquisitionKind as Kind;
    let mut reading = Reading::new();
    let (of_kind, at) = (At::Root("kind"), At::Root("through"));
    let own = |named: Option<(DomainId, Acquisition)>, reading: &mut Reading| {
        let (of, acquisition) = named?;
        if of != *domain {
            foreign(reading, at);
        }
        Some(acquisition)
    };
    let read = match Kind::try_from(kind) {
        Ok(Kind::Duty) => {
            if !through.is_empty() {
                reading.wrong(at, "does not belong to a duty", "履职取得的数据无此项");
            }
            Some(Acquisition::Duty)
        }
        Ok(Kind::Entrusted) => {
            let named = reading.name(at, through, &name::CONTRACT);
            own(named.map(|(of, id)| (of, Acquisition::Entrusted(id))), &mut reading)
        }
        Ok(Kind::Purchased) => {
            let named = reading.name(at, through, &name::PURCHASE);
            own(named.map(|(of, id)| (of, Acquisition::Purchased(id))), &mut reading)
        }
        Ok(Kind::Emergency) => {
            let named = reading.name(at, through, &name::EMERGENCY);
            own(named.map(|(of, id)| (of, Acquisition::Emergency(id))), &mut reading)
        }
        Ok(Kind::Unspecified) => {
            reading.missing(of_kind);
            None
        }
        Err(_) => {
            let (en, zh) = ("is not a value of this enumeration", "不是该枚举的取值");
            reading.wrong(of_kind, format!("{kind} {en}"), format!("{kind} {zh}"));
            None
        }
    };
    reading.finish(read)
}

/// The emergency as a message; `due` is when the treatment is due, while it is owed.
pub fn emergency_message(emergency: &Emergency, due: Option<UtcMillis>) -> message::Emergency {
    let domain = &emergency.domain;
    let system = |id| full_name(domain, Resource::System(emergency.organization, id));
    message::Emergency {
        name: full_name(domain, Resource::Emergency(emergency.id)),
        organization: organization_text(domain, emergency.organization),
        event: emergency.event.clone(),
        basis: Some(citation_message(&emergency.basis)),
        purpose: emergency.purpose.clone(),
        scope: emergency.scope.clone(),
        manner: emergency.manner.clone(),
        entries: emergency.entries.iter().map(|id| entry_text(domain, *id)).collect(),
        applications: emergency.applications.iter().map(|id| system(*id)).collect(),
        state: emergency.state.number(),
        proofs: emergency.proofs.iter().copied().map(digest_bytes).collect(),
        due_time: due.map(timestamp),
        etag: etag(emergency.version),
        create_time: Some(timestamp(emergency.created_time)),
        update_time: Some(timestamp(emergency.updated_time)),
    }
}

fn proof_bytes(proof: Option<DocumentDigest>) -> prost::bytes::Bytes {
    proof.map(digest_bytes).unwrap_or_default()
}

/// The purchase as a message.
pub fn purchase_message(purchase: &Purchase) -> message::Purchase {
    let domain = &purchase.domain;
    message::Purchase {
        name: full_name(domain, Resource::Purchase(purchase.id)),
        organization: organization_text(domain, purchase.organization),
        need: purchase.need.clone(),
        items: purchase.items.clone(),
        found: names(&purchase.found),
        state: purchase.state.number(),
        into: purchase.into.map(|id| full_name(domain, Resource::Purchase(id))).unwrap_or_default(),
        reason: purchase.reason.clone(),
        contract: proof_bytes(purchase.contract),
        etag: etag(purchase.version),
        create_time: Some(timestamp(purchase.created_time)),
        update_time: Some(timestamp(purchase.updated_time)),
    }
}

/// The contract as a message.
pub fn contract_message(contract: &CollectionContract) -> message::CollectionContract {
    let (domain, terms) = (&contract.domain, &contract.terms);
    message::CollectionContract {
        name: full_name(domain, Resource::Contract(contract.id)),
        organization: organization_text(domain, contract.organization),
        contractor: contract.contractor.clone(),
        matter: terms.matter.clone(),
        purpose: terms.purpose.clone(),
        scope: terms.scope.clone(),
        manner: terms.manner.clone(),
        sub_entrusted: contract.sub_entrusted.clone(),
        state: contract.state.number(),
        proof: proof_bytes(contract.proof),
        etag: etag(contract.version),
        create_time: Some(timestamp(contract.created_time)),
        update_time: Some(timestamp(contract.updated_time)),
    }
}

/// The project as a message.
pub fn project_message(project: &Project) -> message::Project {
    let domain = &project.domain;
    message::Project {
        name: full_name(domain, Resource::Project(project.id)),
        organization: organization_text(domain, project.organization),
        title: project.title.clone(),
        assets: project
            .assets
            .iter()
            .map(|asset| message::ProjectAsset {
                title: asset.title.clone(),
                entry: asset.entry.map(|id| entry_text(domain, id)).unwrap_or_default(),
            })
            .collect(),
        accept_time: project.accepted_time.map(timestamp),
        etag: etag(project.version),
        create_time: Some(timestamp(project.created_time)),
        update_time: Some(timestamp(project.updated_time)),
    }
}

/// The platform of an organization of `domain`.
pub fn platform_message(domain: &DomainId, platform: &PlatformNode) -> message::PlatformNode {
    message::PlatformNode {
        organization: organization_text(domain, platform.organization),
        title: platform.title.clone(),
        cross_department: platform.cross_department,
        approval: platform.approval.as_ref().map(paper_decision_message),
        migrate_by: day_text(platform.migrate_by),
        record_time: Some(timestamp(platform.recorded_time)),
    }
}
