//! What a grant is used for: the records of it, and whether a use would be permitted.

use std::sync::Arc;

use catalog_model::{
    caller::Identity,
    catalog_entry::CatalogEntry,
    grant::Grant,
    ids::DomainId,
    name::{Resource, ResourceName},
    organization::DataKind,
    permitted_use::Use,
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
    use_record::UseRecord,
};
use catalog_state::{
    codec,
    command::{Body, GrantCommand},
    keys,
};
use luqiao_proto::{
    convert::{
        case_rules::rule_ref_message,
        name::{grant_name, system_name},
        time::read_date,
        use_record::{read_use_entries, use_record_message},
    },
    sharing::v1::{
        CheckUseRequest, CheckUseResponse, ListUseRecordsRequest, ListUseRecordsResponse,
        PurgeUseRecordsRequest, PurgeUseRecordsResponse, RecordUseRequest,
    },
};

use super::super::{
    Call, Look, ParsedPack, Reply, not_found, organizations::next, paging, sharing::granted_name,
};

/// The grant of this name, if the caller may see it.
fn seen(look: &Look<'_>, name: &ResourceName) -> Result<Grant, Refusal> {
    let Resource::Grant(id) = name.resource else { return Err(not_found(name)) };
    let grant = look.view().grant(&name.domain, id);
    grant.filter(|grant| look.sees_grant(grant)).ok_or_else(|| not_found(name))
}

pub(super) async fn record(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordUseRequest = call.decode()?;
    let grant = granted_name(&request.name)?;
    let entries = read_use_entries(&request.entries, "entries")?;
    let command = GrantCommand::RecordUse { grant: grant.clone(), entries: entries.clone() };
    let answered = call.commit(&request.request_id, Body::Grant(Box::new(command))).await?;
    // A record has the number of the command that made it. A call that was repeated made it with an
    // earlier one: it is the last that says the same.
    let mut stated = entries;
    stated.retain(|entry| !entry.text.trim().is_empty());
    stated.sort_by_key(|entry| entry.field);
    call.look(move |look| {
        let Resource::Grant(id) = grant.resource else { return Err(not_found(&grant)) };
        let made = look.view().get(&keys::use_record(&grant.domain, id, answered.index));
        let record: UseRecord = if let Some(record) = made {
            record
        } else {
            let prefix = keys::use_records(&grant.domain, id);
            let same = |bytes: &[u8]| {
                let record: UseRecord =
                    codec::decode(bytes).expect("rows are written by this program");
                (record.entries == stated).then_some(record)
            };
            let page =
                look.view()
                    .page_of(&prefix, None, paging::SCAN, paging::SCAN, |_, bytes| same(bytes));
            page.rows.into_iter().next_back().ok_or_else(|| not_found(&grant))?
        };
        Ok(use_record_message(&record))
    })
    .await
}

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListUseRecordsRequest = call.decode()?;
    let (domain, id) = grant_name(&request.parent, "parent")?;
    let name = ResourceName::new(domain, Resource::Grant(id));
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        let grant = seen(look, &name)?;
        kept_here(look, &grant.consumer.domain)?;
        look.view().may_inspect_use_records(look.caller, &grant)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let page = look.view().use_records(&grant, from.as_deref(), size);
        Ok(ListUseRecordsResponse {
            use_records: page.rows.iter().map(use_record_message).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn purge(call: &Call) -> Result<Reply, Refusal> {
    let request: PurgeUseRecordsRequest = call.decode()?;
    let grant = granted_name(&request.name)?;
    let before = read_date(&request.before, "before")?;
    let command = GrantCommand::PurgeUseRecords { grant: grant.clone(), before };
    call.write(&request.request_id, Body::Grant(Box::new(command)), move |look, _| {
        let grant = seen(look, &grant)?;
        let oldest = look.view().use_records(&grant, None, 1).rows;
        let more = oldest.iter().any(|record| record.recorded_time.local_date() < before);
        Ok(PurgeUseRecordsResponse { more })
    })
    .await
}

pub(super) async fn check(call: &Call) -> Result<Reply, Refusal> {
    let request: CheckUseRequest = call.decode()?;
    let name = granted_name(&request.name)?;
    let system = match request.system.as_str() {
        "" => None,
        text => {
            let (domain, organization, system) = system_name(text, "system")?;
            Some(ResourceName::new(domain, Resource::System(organization, system)))
        }
    };
    let lang = call.lang;
    let services = Arc::clone(&call.services);
    call.read(move |look| {
        let grant = asked_about(look, &name)?;
        kept_here(look, &grant.domain)?;
        let or = |stated: &str, granted: &str| -> String {
            if stated.is_empty() { granted.to_owned() } else { stated.to_owned() }
        };
        let items = if request.items.is_empty() { &grant.items } else { &request.items };
        let wanted = Use {
            system: system.as_ref().unwrap_or(&grant.system),
            scenario: &or(&request.scenario, &grant.scenario),
            items,
            row_scope: &or(&request.row_scope, &grant.row_scope),
            third_party: Some(request.third_party.as_str()).filter(|named| !named.is_empty()),
            date: look.view().clock().local_date(),
            calls_before: request.calls_before,
        };
        let rules = rules_today(look, &services.pack, &grant)?;
        Ok(match look.view().may_use(&name, &rules, &wanted) {
            Ok(()) => CheckUseResponse {
                permitted: true,
                rule: grant.rule.as_ref().map(rule_ref_message),
                ..Default::default()
            },
            Err(refusal) => CheckUseResponse {
                permitted: false,
                reason: refusal.reason.name().to_owned(),
                message: refusal.text(lang),
                rule: refusal.rule.as_ref().map(rule_ref_message),
            },
        })
    })
    .await
}

/// The grant that a use would rest on: for those who see it, and for our own gateways, which ask
/// before they let data through.
fn asked_about(look: &Look<'_>, name: &ResourceName) -> Result<Grant, Refusal> {
    let gateway = matches!(look.caller.identity, Identity::Gateway { .. });
    if !gateway || look.caller.domain != *look.domain() {
        return seen(look, name);
    }
    let Resource::Grant(id) = name.resource else { return Err(not_found(name)) };
    look.view().grant(&name.domain, id).ok_or_else(|| not_found(name))
}

/// Refuses, with the domain that answers, what another answers.
fn kept_here(look: &Look<'_>, domain: &DomainId) -> Result<(), Refusal> {
    if domain == look.domain() {
        Ok(())
    } else {
        Err(Refusal::new(Reason::NotOwner).fact("owner", domain))
    }
}

/// What holds for the pair of a grant today: conduct is judged by the law of its day.
fn rules_today(look: &Look<'_>, pack: &ParsedPack, grant: &Grant) -> Result<Resolution, Refusal> {
    let view = look.view();
    let classed = |party: &catalog_model::share_request::Party| {
        let unknown = || Refusal::new(Reason::OrganizationUnverified).fact("name", &party.name);
        party.class.ok_or_else(unknown)
    };
    let entry: Option<CatalogEntry> = match grant.entry.resource {
        Resource::Entry(id) => view.entry(&grant.entry.domain, id),
        _ => None,
    };
    let pair = Pair {
        asker: classed(&grant.consumer)?,
        provider: classed(&grant.provider)?,
        data: entry.map_or(DataKind::GovernmentData, |entry| entry.kind),
    };
    let pack = pack.in_force(&view).ok_or_else(|| Refusal::new(Reason::NotBootstrapped))?;
    let composition = &look.cluster.composition;
    pack.resolve(composition, pair, view.clock().local_date()).map_err(|unknown| {
        Refusal::new(Reason::NoRuleInForce).fact("key", format!("composition {}", unknown.name))
    })
}
