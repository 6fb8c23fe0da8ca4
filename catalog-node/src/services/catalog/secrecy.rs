//! Secrets: what must be refused before anything of it is written down (CAT-24)?
//!
//! Whatever is proposed stays in the log, refused or not. So what is marked as a secret is never
//! proposed: in its place goes a command that says who sent one and of which kind, and nothing
//! else. Its digest of the call is not one of the content either.

use std::collections::BTreeMap;

use catalog_model::{
    catalog_entry::{EntryContent, SecrecyMark},
    ids::OrganizationId,
    organization::DataKind,
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::command::{Body, ImportedEntry, catalog::CatalogCommand};
use luqiao_proto::convert::catalog_entry::NewEntry;
use sha2::{Digest, Sha256};

use super::super::{Call, Look};

/// Something that must be kept out, and the words in which it is refused.
#[derive(Debug)]
pub(super) struct Secret {
    mark: SecrecyMark,
    refusal: Refusal,
}

/// Whether this content of a provider must be kept out.
pub(super) fn of(
    look: &Look<'_>,
    provider: OrganizationId,
    kind: DataKind,
    content: &EntryContent,
) -> Result<Option<Secret>, Refusal> {
    let Some(mark) = mark_of(look, content) else { return Ok(None) };
    let provider = look.view().organization(look.domain(), provider);
    let class = provider.and_then(|provider| provider.class);
    match look.view().check_secrecy(class, kind, mark) {
        Ok(()) => Ok(None),
        Err(refusal) if refusal.reason == Reason::SecretEntryRefused => {
            Ok(Some(Secret { mark, refusal }))
        }
        Err(refusal) => Err(refusal),
    }
}

/// Whether an entry that somebody registers must be kept out.
pub(super) fn registered(look: &Look<'_>, entry: &NewEntry) -> Result<Option<Secret>, Refusal> {
    of(look, entry.provider, entry.kind, &entry.content)
}

/// The lines of an import with those refused that must be kept out, and the kinds of these.
pub(super) fn imported(
    look: &Look<'_>,
    lines: Vec<Result<ImportedEntry, Refusal>>,
) -> (Vec<Result<ImportedEntry, Refusal>>, Vec<SecrecyMark>) {
    // What the rules say of a kind is asked once, however many lines bear it. As in state, who
    // provides an imported line is not known yet.
    let mut known: BTreeMap<SecrecyMark, Result<(), Refusal>> = BTreeMap::new();
    let kind = DataKind::GovernmentData;
    let lines = lines.into_iter().map(|line| {
        let line = line?;
        let Some(mark) = mark_of(look, &line.content) else { return Ok(line) };
        let said = known.entry(mark).or_insert_with(|| look.view().check_secrecy(None, kind, mark));
        said.clone().map(|()| line)
    });
    let lines = lines.collect();
    let secret = |said: &Result<(), Refusal>| {
        said.as_ref().is_err_and(|refusal| refusal.reason == Reason::SecretEntryRefused)
    };
    let marks = known.into_iter().filter(|(_, said)| secret(said)).map(|(mark, _)| mark);
    (lines, marks.collect())
}

/// Below command level 3 nothing that bears a mark is proposed at all: its level is too high.
fn mark_of(look: &Look<'_>, content: &EntryContent) -> Option<SecrecyMark> {
    let mark = content.particulars.as_ref().and_then(|particulars| particulars.secrecy);
    mark.filter(|_| look.view().level() >= 3)
}

/// Refuses a secret, once it is on record that somebody sent one.
pub(super) async fn keep_out(
    call: &Call,
    request_id: &str,
    secret: Option<Secret>,
) -> Result<(), Refusal> {
    let Some(secret) = secret else { return Ok(()) };
    record(call, request_id, secret.mark).await?;
    Err(secret.refusal)
}

/// Puts on record that a batch held secrets: each kind once.
pub(super) async fn put_on_record(
    call: &Call,
    request_id: &str,
    marks: Vec<SecrecyMark>,
) -> Result<(), Refusal> {
    for mark in marks {
        // The batch itself is committed under the plain key.
        let key = match request_id {
            "" => String::new(),
            key => format!("{key}/{}", mark.name()),
        };
        record(call, &key, mark).await?;
    }
    Ok(())
}

async fn record(call: &Call, request_id: &str, mark: SecrecyMark) -> Result<(), Refusal> {
    if request_id.is_empty() {
        return Err(Refusal::new(Reason::RequestIdMissing));
    }
    // Whom no department stands behind has nothing to compile and is refused as it is.
    let Some(organization) = call.caller.organization() else { return Ok(()) };
    let mut hash = Sha256::new();
    hash.update(call.method.path);
    hash.update([0]);
    hash.update(mark.name());
    let key = Some((request_id.to_owned(), hash.finalize().into()));
    let command = CatalogCommand::RefuseSecret { organization, mark };
    match call.commit_as(key, Body::Catalog(Box::new(command))).await {
        // Of a stranger there is no record; the secret stays out all the same.
        Err(refusal) if refusal.reason == Reason::CallerNotPermitted => Ok(()),
        answer => answer.map(drop),
    }
}
