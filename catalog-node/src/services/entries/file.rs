//! What is on file about entries: versions, differences, clocks, the worklist; and what a draft
//! still lacks.
//!
//! All of it is for the provider and the platform's organizations: an old version may hold what a
//! newer one no longer says.

use catalog_model::{
    catalog_entry::{CatalogEntry, FieldChange},
    entry_file::{ChangeReport, EntryVersion, WorklistItem},
    ids::{DomainId, EntryId, OrganizationId},
    name::{Resource, ResourceName},
    policy::Warning,
    reason::{Lang, Reason},
    refusal::Refusal,
};
use catalog_state::keys::{Key, Table};
use luqiao_proto::{
    convert::{
        case_rules::rule_ref_message,
        entry_file::{
            change_report_message, file_message, pass_message, version_message,
            worklist_item_message,
        },
        etag,
        name::{domain_name, entry_name},
    },
    entry::v1::{
        self as message, CheckEntryRequest, CheckEntryResponse, DiffEntryRequest,
        DiffEntryResponse, EntryFinding, GetEntryFileRequest, GetReclassificationPassRequest,
        ListChangeReportsRequest, ListChangeReportsResponse, ListEntryVersionsRequest,
        ListEntryVersionsResponse, ListWorklistRequest, ListWorklistResponse,
    },
};

use super::super::{
    Call, Look, Reply, catalog::sees_working, not_found, organizations::next, paging,
};

pub(super) async fn check(call: &Call) -> Result<Reply, Refusal> {
    let request: CheckEntryRequest = call.decode()?;
    let (domain, id) = entry_name(&request.name, "name")?;
    let lang = call.lang;
    call.read(move |look| {
        seen(look, &domain, id, &request.name)?;
        if look.view().level() < 3 {
            return Err(Refusal::new(Reason::LevelTooLow)
                .fact("needed", 3)
                .fact("level", look.view().level()));
        }
        let found = look.view().check_entry(&domain, id);
        let found = found.ok_or_else(|| not_found(&request.name))?;
        Ok(CheckEntryResponse {
            findings: found.findings.iter().map(|fault| finding(fault, lang)).collect(),
            warnings: found.warnings.into_iter().map(|warning| remark(warning, lang)).collect(),
        })
    })
    .await
}

fn finding(fault: &Refusal, lang: Lang) -> EntryFinding {
    EntryFinding {
        field: fault.fields.first().map(|wrong| wrong.field.clone()).unwrap_or_default(),
        reason: fault.reason.name().to_owned(),
        message: fault.text(lang),
        rule: fault.rule.as_ref().map(rule_ref_message),
        expire_date: String::new(),
    }
}

fn remark(warning: Warning, lang: Lang) -> EntryFinding {
    let cited = warning.rule.cite(lang);
    let message = match lang {
        Lang::En => format!("{} ({cited})", warning.en),
        Lang::Zh => format!("{}（{cited}）", warning.zh),
    };
    EntryFinding {
        field: warning.field,
        reason: String::new(),
        message,
        rule: Some(rule_ref_message(&warning.rule)),
        expire_date: warning.expired.map(String::from).unwrap_or_default(),
    }
}

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetEntryFileRequest = call.decode()?;
    let (domain, id) = entry_name(&request.name, "name")?;
    call.read(move |look| {
        seen(look, &domain, id, &request.name)?;
        shown(look, &domain, id)
    })
    .await
}

/// The file of an entry with what is owed for it and its place on the worklist.
pub(super) fn shown(
    look: &Look<'_>,
    domain: &DomainId,
    id: EntryId,
) -> Result<message::EntryFile, Refusal> {
    let name = ResourceName::new(domain.clone(), Resource::Entry(id));
    let entry = look.view().entry(domain, id).ok_or_else(|| not_found(&name))?;
    let file = look.view().entry_file(domain, id).unwrap_or_default();
    let report = look.view().change_report(&name);
    let item = look.view().worklist_item(domain, id);
    Ok(message::EntryFile {
        change_report: report.as_ref().map(change_report_message),
        worklist_item: item.as_ref().map(|item| worklist_item_message(domain, item)),
        etag: etag(entry.version),
        ..file_message(domain, id, &file, look.view().clock())
    })
}

pub(super) async fn versions(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListEntryVersionsRequest = call.decode()?;
    let (domain, id) = entry_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        seen(look, &domain, id, &request.parent)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let page = look.view().entry_versions(&domain, id, from.as_deref(), size);
        Ok(ListEntryVersionsResponse {
            versions: page.rows.iter().map(version_message).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn diff(call: &Call) -> Result<Reply, Refusal> {
    let request: DiffEntryRequest = call.decode()?;
    let (domain, id) = entry_name(&request.name, "name")?;
    call.read(move |look| {
        seen(look, &domain, id, &request.name)?;
        let last = look.view().entry_file(&domain, id).map_or(0, |file| file.versions);
        let to = if request.to_version == 0 { last } else { request.to_version };
        let from = match request.from_version {
            0 => to.saturating_sub(1),
            from => from,
        };
        let version = |number| {
            let version: Option<EntryVersion> = look.view().entry_version(&domain, id, number);
            version.ok_or_else(|| not_found(format!("{} version {number}", request.name)))
        };
        let (old, new) = (version(from)?, version(to)?);
        let changes = catalog_model::catalog_entry::diff(&old.entry.content, &new.entry.content);
        Ok(DiffEntryResponse {
            from_version: from,
            to_version: to,
            changes: changes.into_iter().map(change_message).collect(),
        })
    })
    .await
}

fn change_message(change: FieldChange) -> message::FieldChange {
    message::FieldChange {
        field: change.field,
        label: change.label,
        old_text: change.old,
        new_text: change.new,
    }
}

pub(super) async fn change_reports(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListChangeReportsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let concerned = Concerned::by(look);
        let page = look.view().page::<ChangeReport>(
            &Key::table(Table::ChangeReport),
            from.as_deref(),
            size,
            paging::SCAN,
            |report| concerned.is(report.provider),
        );
        Ok(ListChangeReportsResponse {
            reports: page.rows.iter().map(change_report_message).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn worklist(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListWorklistRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let concerned = Concerned::by(look);
        let page = look.view().page::<WorklistItem>(
            &Key::table(Table::Worklist).domain(&domain),
            from.as_deref(),
            size,
            paging::SCAN,
            |item| {
                (request.include_closed || item.outcome.is_none()) && concerned.is(item.provider)
            },
        );
        let items = page.rows.iter().map(|item| worklist_item_message(&domain, item));
        Ok(ListWorklistResponse {
            items: items.collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn pass(call: &Call) -> Result<Reply, Refusal> {
    let request: GetReclassificationPassRequest = call.decode()?;
    let domain = domain_name(&request.name, "name")?;
    call.read(move |look| {
        look.own(&domain)?;
        let pass = look.view().reclassification_pass().filter(|_| look.is_platform());
        pass.as_ref().map(pass_message).ok_or_else(|| not_found("re-classification pass"))
    })
    .await
}

/// The entry, if the caller may see what is on file about it.
fn seen(
    look: &Look<'_>,
    domain: &DomainId,
    id: EntryId,
    name: &str,
) -> Result<CatalogEntry, Refusal> {
    let entry = look.view().entry(domain, id).filter(|entry| sees_working(look, entry));
    entry.ok_or_else(|| not_found(name))
}

/// Whose catalogs concern a caller: found out once for a list.
enum Concerned {
    Platform,
    Provider(Option<OrganizationId>),
}

impl Concerned {
    fn by(look: &Look<'_>) -> Self {
        if look.is_platform() {
            return Self::Platform;
        }
        let at_home = look.caller.domain == *look.domain();
        Self::Provider(look.caller.organization().filter(|_| at_home))
    }

    fn is(&self, provider: OrganizationId) -> bool {
        match self {
            Self::Platform => true,
            Self::Provider(own) => *own == Some(provider),
        }
    }
}
