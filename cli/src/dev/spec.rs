//! Spec: with what does each cluster begin?

use std::{fs, sync::Arc};

use catalog_model::{
    organization::PlatformRole,
    reason::{Lang, Reason},
};
use catalog_node::{
    bootstrap::{
        Kind, OfficeRole, OrganizationSpec, PeerSpec, PersonSpec, Relation, Role, Spec, SystemSpec,
    },
    config::Config,
    remote,
};
use luqiao_transport::tls::TlsMaterial;

use crate::{both, exit::Exit, failure::Failure};

use super::{
    actor::PATIENCE,
    cast::{Level, Seat},
    topology::DomainPlan,
};

/// The bootstrap of one domain.
pub fn bootstrap(level: Level) -> Spec {
    Spec {
        domain: level.domain(),
        kind: match level {
            Level::Province => Kind::Province,
            Level::City => Kind::City,
            Level::District => Kind::District,
        },
        display_name: level.display_name().to_owned(),
        composition: level.composition().to_owned(),
        hash: None,
        development_clock: Some(super::CLOCK_START.to_owned()),
        calendar: None,
        rule_pack: None,
        organizations: Seat::of(level).map(organization).collect(),
        peers: level
            .neighbours()
            .iter()
            .map(|neighbour| PeerSpec {
                domain: neighbour.domain(),
                relation: if *neighbour < level {
                    Relation::Superior
                } else {
                    Relation::Subordinate
                },
            })
            .collect(),
    }
}

fn organization(seat: Seat) -> OrganizationSpec {
    let office = seat.office;
    OrganizationSpec {
        id: Some(seat.organization().to_string()),
        name: office.name.to_owned(),
        name_en: office.name_en.to_owned(),
        credit_code: seat.credit_code().to_string(),
        class: Some(office.class),
        capacities: seat.capacities().to_vec(),
        platform_role: office.role.map(|role| match role {
            PlatformRole::Authority => Role::Authority,
            PlatformRole::PlatformManager => Role::PlatformManager,
            PlatformRole::Government => Role::Government,
        }),
        region_code: seat.level.region().to_owned(),
        persons: vec![PersonSpec {
            id: Some(seat.head().to_string()),
            display_name: format!("{}负责人", office.name),
            roles: vec![OfficeRole::DepartmentHead, OfficeRole::SharingOfficeHead],
        }],
        systems: vec![SystemSpec {
            id: Some(seat.system().to_string()),
            display_name: format!("{}业务系统", office.name),
            description: "演示 · demo".to_owned(),
        }],
    }
}

/// Has the cluster of `plan` begin with what its folder says, unless it has begun already.
pub async fn found(plan: &DomainPlan) -> Result<(), Failure> {
    let failed = |error: String| {
        let domain = plan.level.domain_text();
        Failure::new(
            Exit::Error,
            "not_founded",
            both!("{domain} could not be created: {error}", "{domain} 创建失败：{error}"),
        )
    };
    let file = plan.bootstrap();
    let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
    let spec: Spec = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let config = Config::load(&plan.node_config(1)).map_err(|error| failed(error.to_string()))?;
    let tls = TlsMaterial::load(config.tls.clone()).map_err(|error| failed(error.to_string()))?;
    match remote::bootstrap(&config, Arc::new(tls), &spec, PATIENCE).await {
        Err(refusal) if refusal.reason != Reason::AlreadyBootstrapped => {
            Err(failed(refusal.text(Lang::En)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use catalog_model::time::UtcMillis;

    use super::*;

    #[test]
    fn every_spec_can_begin_a_cluster() {
        for level in Level::ALL {
            let text = serde_json::to_string(&bootstrap(level)).unwrap();
            let mut spec: Spec = serde_json::from_str(&text).unwrap();
            let command = spec.command([1; 16], UtcMillis(7)).unwrap();
            assert_eq!(command.clock, UtcMillis(super::super::CLOCK_START_MS));
            assert!(command.cluster.development_clock);
            assert!(command.organizations.iter().all(|organization| organization.verified));
            assert_eq!(command.organizations.len(), level.offices().len());
            assert_eq!(command.peers.len(), level.neighbours().len());
        }
    }
}
