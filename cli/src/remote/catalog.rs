//! `luqiao catalog`, but for `import`.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use luqiao_proto::catalog::v1::{
    CatalogEntry, ConsentEntryRequest, EntryView, GetEntryRequest, ListEntriesRequest,
    PublishEntryRequest, RegisterEntryRequest, ReturnEntryRequest, SearchEntriesRequest,
    SubmitEntryRequest, UpdateEntryRequest, WithdrawEntryRequest,
};
use prost::Message;
use prost_types::FieldMask;
use serde_json::Value;

use crate::{
    args::{VersionedChange, catalog::Catalog},
    both,
    exit::Exit,
    failure::Failure,
    import, message,
    message::kind,
    output::{Column, Format, column},
};

use super::{Remote, answer};

const ENTRY_COLUMNS: [Column; 5] = [
    column("NAME", "资源名", "/name"),
    column("TITLE", "名称", "/title"),
    column("PROVIDER", "提供单位", "/provider_name"),
    column("STATE", "状态", "/state"),
    column("SHARING", "共享属性", "/sharing/kind"),
];
const HIT_COLUMNS: [Column; 4] = [
    column("NAME", "资源名", "/entry/name"),
    column("TITLE", "名称", "/entry/title"),
    column("PROVIDER", "提供单位", "/entry/provider_name"),
    column("SHARING", "共享属性", "/entry/sharing/kind"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Catalog) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.catalog();
    match command {
        Catalog::Import { file, quarantine, dry_run: _ } => {
            let parent = session.parent();
            let outcome =
                import::upload::upload(session, &parent, &file, quarantine.as_deref()).await?;
            return print_import(remote.output, outcome);
        }
        Catalog::Register { file, change } => {
            let request = RegisterEntryRequest {
                parent: session.parent(),
                entry: Some(read(kind::CATALOG_ENTRY, &file)?),
                request_id: remote.attempt(change.request_id),
            };
            let entry = answer(client.register_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::Update { file, mask, change } => {
            let text = read_text(&file)?;
            let mut entry: CatalogEntry = parse(kind::CATALOG_ENTRY, &file, &text)?;
            let paths = if mask.is_empty() { stated_fields(&text) } else { mask };
            if let Some(etag) = &change.etag {
                entry.etag.clone_from(etag);
            } else if entry.etag.is_empty() {
                entry.etag = current_etag(remote, &entry.name).await?;
            }
            let request = UpdateEntryRequest {
                entry: Some(entry),
                update_mask: Some(FieldMask { paths }),
                request_id: remote.attempt(change.change.request_id),
            };
            let entry = answer(client.update_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::Consent { name, person, standing_answer, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = ConsentEntryRequest { name, etag, person, standing_answer, request_id };
            let entry = answer(client.consent_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::Submit { name, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = SubmitEntryRequest { name, etag, request_id };
            let entry = answer(client.submit_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::Return { name, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = ReturnEntryRequest { name, etag, reason, request_id };
            let entry = answer(client.return_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::Publish { name, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = PublishEntryRequest { name, etag, request_id };
            let entry = answer(client.publish_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::Withdraw { name, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = WithdrawEntryRequest { name, etag, reason, request_id };
            let entry = answer(client.withdraw_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::Search { query, domain, sharing, page } => {
            let request = SearchEntriesRequest {
                parent: remote.parent(domain.as_deref()),
                query,
                page_size: page.page_size,
                page_token: page.page_token,
                sharing: sharing.map_or(0, i32::from),
                ..Default::default()
            };
            let hits = answer(client.search_entries(session.call(request)).await)?;
            remote.show_page(kind::HIT_PAGE, &hits, "hits", &HIT_COLUMNS)?;
            let total = hits.total;
            remote.output.detail(&both!("{total} entries match", "共匹配 {total} 条"));
        }
        Catalog::Life(command) => return super::entry_life::run(remote, command).await,
        Catalog::Get { name, working } => {
            let request = GetEntryRequest { name, view: i32::from(view(working)) };
            let entry = answer(client.get_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Catalog::List { domain, working, provider, sharing, state, page } => {
            let request = ListEntriesRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
                view: i32::from(view(working)),
                provider,
                sharing: sharing.map_or(0, i32::from),
                state: state.map_or(0, i32::from),
            };
            let entries = answer(client.list_entries(session.call(request)).await)?;
            remote.show_page(kind::ENTRY_PAGE, &entries, "entries", &ENTRY_COLUMNS)?;
        }
        Catalog::OfEntry(command) => {
            return super::acquisition::run_of_entry(remote, command).await;
        }
    }
    Ok(Exit::Ok)
}

/// Prints what became of an import; the object is the last line also where it was cut short.
pub fn print_import(
    output: crate::output::Output,
    outcome: import::Outcome,
) -> Result<Exit, Failure> {
    let import::Outcome { report, failure } = outcome;
    let mut json = report.to_json();
    if let (Value::Object(counts), Some(failure)) = (&mut json, &failure) {
        counts.insert("error".to_owned(), failure.to_json(output.lang)["error"].clone());
    }
    if output.format == Format::Json && report.quarantined > 0 {
        let number = report.quarantined;
        output.say(&both!(
            "{number} lines were quarantined; --quarantine FILE keeps them, -o table shows the first",
            "隔离 {number} 行；--quarantine FILE 可保存，-o table 可查看前若干行"
        ));
    }
    output.data(&json, |out, lang| report.write_text(out, lang))?;
    Ok(match failure {
        None => Exit::Ok,
        Some(failure) => {
            output.tell(&failure);
            failure.exit
        }
    })
}

/// The message of this kind in a JSON file.
pub(super) fn read<M: Message + Default>(kind: &str, file: &Path) -> Result<M, Failure> {
    parse(kind, file, &read_text(file)?)
}

fn parse<M: Message + Default>(kind: &str, file: &Path, text: &str) -> Result<M, Failure> {
    message::from_json(kind, text).map_err(|error| {
        let (file, name) = (file.display(), kind.rsplit('.').next().unwrap_or(kind));
        Failure::new(
            Exit::Error,
            "file_malformed",
            both!("{file} is not a {name}: {error}", "{file} 不是 {name}：{error}"),
        )
    })
}

fn read_text(file: &Path) -> Result<String, Failure> {
    let read = if file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    read.map_err(|error| Failure::file(file, &error))
}

/// The fields that a file states and that an update can set, in the protocol's spelling.
fn stated_fields(text: &str) -> Vec<String> {
    let Ok(Value::Object(object)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    object
        .keys()
        .map(|key| snake_case(key))
        .filter(|key| !["name", "etag"].contains(&key.as_str()))
        .collect()
}

fn snake_case(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn view(working: bool) -> EntryView {
    if working { EntryView::Working } else { EntryView::Published }
}

pub(super) async fn version(
    remote: &Remote,
    name: &str,
    change: VersionedChange,
) -> Result<(String, String), Failure> {
    let etag = match change.etag {
        Some(etag) => etag,
        None => current_etag(remote, name).await?,
    };
    Ok((etag, remote.attempt(change.change.request_id)))
}

async fn current_etag(remote: &Remote, name: &str) -> Result<String, Failure> {
    let request = GetEntryRequest { name: name.to_owned(), view: i32::from(EntryView::Working) };
    let mut client = remote.session.catalog();
    Ok(answer(client.get_entry(remote.session.call(request)).await)?.etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_changes_what_the_file_states_and_nothing_else() {
        let text = r#"{"name":"n","etag":"v1","titleEn":"a","items":[],"duty_basis":""}"#;
        assert_eq!(stated_fields(text), ["title_en", "items", "duty_basis"]);
    }
}
