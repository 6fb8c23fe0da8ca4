//! How data came to a department: bought through the authority (CAT-17), collected by a contractor
//! (CAT-15), made by a project (CAT-23); and which platforms stand beside the city's (SHR-11).
//!
//! The rule packs have no keys for these articles (REG22 15, 20, 22; decree 809 arts. 31, 38): what
//! is refused here rests on where a thing stands, and cites nothing.

use catalog_model::{
    acquisition::{
        Acquisition, CollectionContract, ContractState, ContractTerms, PlatformNode, Project,
        ProjectAsset, Purchase, PurchaseState,
    },
    ids::{ContractId, EntryId, OrganizationId, ProjectId, PurchaseId},
    name::Resource,
    organization::{DataKind, PartyClass},
    reason::Reason,
    refusal::Refusal,
    rule::Rank,
    rule_pack::Pair,
};

use super::{
    check_proof, check_texts, collection, done, emergencies, entry_name, entry_of, fresh, is_of,
    may_file_for, name_of, on_record, organization_name, paper, wrong_state,
};
use crate::{
    apply::{
        catalog,
        organizations::{is_authority, on_file, same_version},
        text,
    },
    command::{ContractStep, PurchaseStep, RelationsCommand},
    keys::relations as key,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

const PURCHASE: (&str, &str) = ("purchase", "采购申请");
const CONTRACT: (&str, &str) = ("contract", "委托收集合同");
const PROJECT: (&str, &str) = ("project", "信息化项目");

pub(crate) fn request_purchase(
    tx: &mut Tx<'_>,
    id: PurchaseId,
    organization: OrganizationId,
    need: &str,
    items: &[String],
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    let name = fresh(tx, Resource::Purchase(id))?;
    check_texts(&[("purchase.need", need)])?;
    text::check_list("purchase.items", items)?;
    let purchase = Purchase {
        id,
        domain: tx.domain().clone(),
        organization,
        need: need.to_owned(),
        items: items.to_vec(),
        found: collection::sharers(tx, None, items),
        state: PurchaseState::Requested,
        into: None,
        reason: String::new(),
        contract: None,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    let purchase = store_purchase(tx, purchase);
    let fact = Fact::PurchaseMoved { state: purchase.state, contract: None };
    ledger::append(tx, &name, fact, None, &[("need", need)]);
    Ok(done(tx, name))
}

fn store_purchase(tx: &mut Tx<'_>, purchase: Purchase) -> Purchase {
    let purchase = Purchase { version: purchase.version + 1, updated_time: tx.clock, ..purchase };
    tx.put(&key::purchase(&purchase.domain, purchase.id), &purchase);
    purchase
}

pub(crate) fn purchase_step(
    tx: &mut Tx<'_>,
    id: PurchaseId,
    version: u64,
    step: &PurchaseStep,
) -> Result<Outcome, Refusal> {
    let mut purchase: Purchase = on_record(tx, Resource::Purchase(id))?;
    // REG22 22 speaks of government departments: a public-service organization buys for itself.
    let buyer = on_file(tx, purchase.organization)?;
    let own_purse = buyer.class == Some(PartyClass::PublicServiceOrganization)
        && is_of(tx, buyer.id)
        && matches!(step, PurchaseStep::Buy { .. });
    if !own_purse && !is_authority(tx) {
        return Err(not_permitted(
            tx,
            "the authority, which buys for the departments of its level",
        ));
    }
    same_version(purchase.version, version)?;
    let name = name_of(tx, Resource::Purchase(id));
    let needs = |state: PurchaseState, needed: &str| {
        if purchase.state == state {
            Ok(())
        } else {
            Err(wrong_state(PURCHASE, purchase.state, needed))
        }
    };
    let mut reason_text = "";
    match step {
        PurchaseStep::Merge { into } => {
            needs(PurchaseState::Requested, "a requested purchase")?;
            let other: Purchase = on_record(tx, Resource::Purchase(*into))?;
            let serves = matches!(
                other.state,
                PurchaseState::Requested | PurchaseState::Approved | PurchaseState::Bought
            );
            if *into == id || !serves {
                let needed = "another purchase that is requested, approved or bought";
                return Err(wrong_state(PURCHASE, other.state, needed));
            }
            purchase.state = PurchaseState::Merged;
            purchase.into = Some(*into);
        }
        PurchaseStep::Approve => {
            needs(PurchaseState::Requested, "a requested purchase")?;
            purchase.state = PurchaseState::Approved;
        }
        PurchaseStep::Refuse { reason } => {
            needs(PurchaseState::Requested, "a requested purchase")?;
            text::check_reason("reason", reason)?;
            purchase.state = PurchaseState::Refused;
            purchase.reason.clone_from(reason);
            reason_text = reason;
        }
        PurchaseStep::Buy { contract } => {
            if !own_purse {
                needs(PurchaseState::Approved, "an approved purchase")?;
            } else if purchase.state != PurchaseState::Approved {
                needs(PurchaseState::Requested, "a requested purchase")?;
            }
            check_proof(*contract, ("the contract", "采购合同"))?;
            purchase.state = PurchaseState::Bought;
            purchase.contract = Some(*contract);
        }
    }
    let purchase = store_purchase(tx, purchase);
    let fact = Fact::PurchaseMoved { state: purchase.state, contract: purchase.contract };
    ledger::append(tx, &name, fact, None, &[("reason", reason_text)]);
    Ok(done(tx, name))
}

/// Whether the data of a purchase were bought, by itself or by the one it was merged into; at most
/// as many steps as purchases can be merged one into another without a circle.
fn is_bought(tx: &Tx<'_>, purchase: &Purchase) -> bool {
    let mut at = purchase.clone();
    for _ in 0..16 {
        match (at.state, at.into) {
            (PurchaseState::Bought, _) => return true,
            (PurchaseState::Merged, Some(into)) => {
                let Some(next) = tx.get(&key::purchase(tx.domain(), into)) else { return false };
                at = next;
            }
            _ => return false,
        }
    }
    false
}

pub(crate) fn open_contract(
    tx: &mut Tx<'_>,
    id: ContractId,
    organization: OrganizationId,
    contractor: &str,
    terms: &ContractTerms,
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    let name = fresh(tx, Resource::Contract(id))?;
    // REG22 20¶1: what is entrusted and what the contractor may do is agreed clearly.
    check_texts(&[
        ("contract.contractor", contractor),
        ("contract.matter", &terms.matter),
        ("contract.purpose", &terms.purpose),
        ("contract.scope", &terms.scope),
        ("contract.manner", &terms.manner),
    ])?;
    let contract = CollectionContract {
        id,
        domain: tx.domain().clone(),
        organization,
        contractor: contractor.to_owned(),
        terms: terms.clone(),
        sub_entrusted: Vec::new(),
        state: ContractState::Active,
        proof: None,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    let texts = [("contractor", contractor), ("matter", &terms.matter), ("scope", &terms.scope)];
    store_contract(tx, contract, &texts);
    Ok(done(tx, name))
}

fn store_contract(tx: &mut Tx<'_>, contract: CollectionContract, texts: &[(&str, &str)]) {
    let contract =
        CollectionContract { version: contract.version + 1, updated_time: tx.clock, ..contract };
    tx.put(&key::contract(&contract.domain, contract.id), &contract);
    let name = name_of(tx, Resource::Contract(contract.id));
    let fact = Fact::ContractMoved { state: contract.state, proof: contract.proof };
    ledger::append(tx, &name, fact, None, texts);
}

pub(crate) fn contract_step(
    tx: &mut Tx<'_>,
    id: ContractId,
    version: u64,
    step: &ContractStep,
) -> Result<Outcome, Refusal> {
    let mut contract: CollectionContract = on_record(tx, Resource::Contract(id))?;
    if !is_of(tx, contract.organization) {
        return Err(not_permitted(tx, "the department that entrusts"));
    }
    same_version(contract.version, version)?;
    let name = name_of(tx, Resource::Contract(id));
    let needs = |state: ContractState, needed: &str| {
        if contract.state == state {
            Ok(())
        } else {
            Err(wrong_state(CONTRACT, contract.state, needed))
        }
    };
    let mut text_of = ("", "");
    match step {
        ContractStep::ConsentSubEntrusting { to } => {
            needs(ContractState::Active, "an active contract")?;
            check_texts(&[("to", to)])?;
            if contract.sub_entrusted.len() >= catalog_model::policy::MAX_LIST {
                return Err(Refusal::new(Reason::TooManyItems)
                    .fact("field", "contract.sub_entrusted")
                    .fact("length", contract.sub_entrusted.len() + 1)
                    .fact("limit", catalog_model::policy::MAX_LIST));
            }
            contract.sub_entrusted.push(to.clone());
            text_of = ("sub_entrusted", to);
        }
        ContractStep::Process { by } => {
            // After its end nobody keeps or uses what was collected (REG22 20¶2).
            needs(ContractState::Active, "an active contract")?;
            check_texts(&[("by", by)])?;
            if *by != contract.contractor && !contract.sub_entrusted.contains(by) {
                return Err(Refusal::new(Reason::SubEntrustingUnconsented).fact("to", by));
            }
            text_of = ("processed_by", by);
        }
        ContractStep::End { reason } => {
            needs(ContractState::Active, "an active contract")?;
            text::check_reason("reason", reason)?;
            contract.state = ContractState::Ended;
            text_of = ("reason", reason);
        }
        ContractStep::Close { returned, proof } => {
            needs(ContractState::Ended, "an ended contract")?;
            let document = if *returned {
                ("the return", "返还证明")
            } else {
                ("the deletion", "删除证明")
            };
            check_proof(*proof, document)?;
            contract.state =
                if *returned { ContractState::Returned } else { ContractState::Deleted };
            contract.proof = Some(*proof);
        }
    }
    store_contract(tx, contract, &[text_of]);
    Ok(done(tx, name))
}

pub(crate) fn state_acquisition(
    tx: &mut Tx<'_>,
    id: EntryId,
    acquisition: Acquisition,
) -> Result<Outcome, Refusal> {
    let entry = catalog::working(tx, id)?;
    may_file_for(tx, entry.provider)?;
    let owned = |organization: OrganizationId| {
        if organization == entry.provider {
            return Ok(());
        }
        let owner = organization_name(tx, organization);
        Err(Refusal::new(Reason::NotOwner).fact("owner", owner))
    };
    match acquisition {
        Acquisition::Duty => {}
        Acquisition::Entrusted(contract) => {
            let contract: CollectionContract = on_record(tx, Resource::Contract(contract))?;
            owned(contract.organization)?;
        }
        Acquisition::Purchased(purchase) => {
            let purchase: Purchase = on_record(tx, Resource::Purchase(purchase))?;
            owned(purchase.organization)?;
            if !is_bought(tx, &purchase) {
                return Err(Refusal::new(Reason::PurchaseNotApproved)
                    .fact("purchase", name_of(tx, Resource::Purchase(purchase.id)))
                    .fact("state", super::word_of(purchase.state)));
            }
        }
        Acquisition::Emergency(emergency) => {
            let of = emergencies::of_entry(tx, id).map(|found| found.id);
            if of != Some(emergency) {
                let name = name_of(tx, Resource::Emergency(emergency));
                return Err(Refusal::new(Reason::NotFound).fact("name", name));
            }
        }
    }
    tx.put(&key::acquisition(tx.domain(), id), &acquisition);
    let name = entry_name(tx, id);
    ledger::append(tx, &name, Fact::AcquisitionStated { acquisition }, None, &[]);
    Ok(done(tx, name))
}

pub(crate) fn open_project(
    tx: &mut Tx<'_>,
    id: ProjectId,
    organization: OrganizationId,
    title: &str,
    assets: &[String],
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    let name = fresh(tx, Resource::Project(id))?;
    check_texts(&[("project.title", title)])?;
    text::check_list("project.assets", assets)?;
    if assets.is_empty() || assets.iter().any(|asset| asset.trim().is_empty()) {
        let refusal = Refusal::new(Reason::FieldInvalid);
        return Err(refusal.field("project.assets", "missing", "缺少"));
    }
    let asset = |title: &String| ProjectAsset { title: title.clone(), entry: None };
    let project = Project {
        id,
        domain: tx.domain().clone(),
        organization,
        title: title.to_owned(),
        assets: assets.iter().map(asset).collect(),
        accepted_time: None,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    store_project(tx, project);
    let fact = Fact::ProjectOpened { assets: assets.len() as u32 };
    ledger::append(tx, &name, fact, None, &[("title", title), ("assets", &assets.join("\n"))]);
    Ok(done(tx, name))
}

fn store_project(tx: &mut Tx<'_>, project: Project) {
    let project = Project { version: project.version + 1, updated_time: tx.clock, ..project };
    tx.put(&key::project(&project.domain, project.id), &project);
}

pub(crate) fn list_asset(
    tx: &mut Tx<'_>,
    id: ProjectId,
    version: u64,
    place: u32,
    entry: EntryId,
) -> Result<Outcome, Refusal> {
    let mut project: Project = on_record(tx, Resource::Project(id))?;
    may_file_for(tx, project.organization)?;
    same_version(project.version, version)?;
    if project.accepted_time.is_some() {
        return Err(wrong_state(
            PROJECT,
            format_args!("Accepted"),
            "a project before its acceptance",
        ));
    }
    entry_of(tx, project.organization, entry)?;
    let Some(asset) = project.assets.get_mut(place as usize) else {
        let (en, zh) = ("no such asset", "没有该资产");
        return Err(Refusal::new(Reason::FieldInvalid).field("asset", en, zh));
    };
    asset.entry = Some(entry);
    store_project(tx, project);
    let name = name_of(tx, Resource::Project(id));
    let fact = Fact::AssetListed { asset: place, entry: entry_name(tx, entry) };
    ledger::append(tx, &name, fact, None, &[]);
    Ok(done(tx, name))
}

/// Before the final acceptance every asset is in the catalog and has been aggregated: a batch of it
/// is on record.
pub(crate) fn accept_project(
    tx: &mut Tx<'_>,
    id: ProjectId,
    version: u64,
) -> Result<Outcome, Refusal> {
    let mut project: Project = on_record(tx, Resource::Project(id))?;
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    same_version(project.version, version)?;
    if project.accepted_time.is_some() {
        return Err(wrong_state(
            PROJECT,
            format_args!("Accepted"),
            "a project before its acceptance",
        ));
    }
    let mut refusal = Refusal::new(Reason::ProjectAssetsMissing);
    for (place, asset) in project.assets.iter().enumerate() {
        let listed =
            asset.entry.filter(|entry| tx.has(&crate::keys::published_entry(tx.domain(), *entry)));
        let aggregated = listed
            .is_some_and(|entry| !tx.rows(&key::batches_of(tx.domain(), entry), 1).is_empty());
        let field = format!("project.assets[{place}]");
        refusal = match (listed, aggregated) {
            (None, _) => refusal.field(&field, "not registered", "未登记"),
            (Some(_), false) => refusal.field(&field, "not aggregated", "未汇聚"),
            (Some(_), true) => refusal,
        };
    }
    if !refusal.fields.is_empty() {
        return Err(refusal);
    }
    project.accepted_time = Some(tx.clock);
    store_project(tx, project);
    let name = name_of(tx, Resource::Project(id));
    ledger::append(tx, &name, Fact::ProjectAccepted, None, &[]);
    Ok(done(tx, name))
}

/// Puts a platform on record that stands beside the city's. One that serves several departments is
/// not built any more, unless a law or an administrative regulation provides otherwise (decree 809
/// art. 31): an old one shows the decision by which it was built and the day by which it joins.
pub(crate) fn record_platform(
    tx: &mut Tx<'_>,
    law: &Law,
    organization: OrganizationId,
    title: &str,
    command: &RelationsCommand,
) -> Result<Outcome, Refusal> {
    let RelationsCommand::RecordPlatform {
        cross_department, approval, migrate_by, exception, ..
    } = command
    else {
        unreachable!("dispatched by its kind");
    };
    let department = may_file_for(tx, organization)?;
    check_texts(&[("platform.title", title)])?;
    if title.chars().count() > catalog_model::policy::MAX_LINE {
        return Err(Refusal::new(Reason::TextTooLong)
            .fact("field", "platform.title")
            .fact("length", title.chars().count())
            .fact("limit", catalog_model::policy::MAX_LINE));
    }
    let excepted = exception.as_ref().is_some_and(|cited| {
        cited.rank <= Rank::AdministrativeRegulation && !cited.quote.trim().is_empty()
    });
    let migrates = approval.is_some() && migrate_by.is_some();
    if *cross_department && !excepted && !migrates {
        return Err(Refusal::new(Reason::NewPlatformRefused));
    }
    if let (Some(approval), Some(class)) = (approval, department.class) {
        let pair = Pair::for_catalog(class, DataKind::GovernmentData);
        let resolution = law.resolve(tx, pair, tx.today())?;
        paper::check(tx, &resolution, approval)?;
    }
    let row = key::platform(tx.domain(), organization, title);
    if tx.has(&row) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", title));
    }
    let platform = PlatformNode {
        organization,
        title: title.to_owned(),
        cross_department: *cross_department,
        approval: approval.clone(),
        migrate_by: *migrate_by,
        recorded_time: tx.clock,
    };
    tx.put(&row, &platform);
    let name = organization_name(tx, organization);
    let number = approval.as_ref().map_or("", |decision| decision.document_number.as_str());
    let cited = exception.as_ref().map(ToString::to_string).unwrap_or_default();
    let fact =
        Fact::PlatformRecorded { cross_department: *cross_department, migrate_by: *migrate_by };
    let texts = [("title", title), ("document_number", number), ("exception", &cited)];
    ledger::append(tx, &name, fact, None, &texts);
    Ok(done(tx, name))
}
