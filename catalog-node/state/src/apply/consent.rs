//! Consents of heads: who may give them, to what, and whether one is on record (CAT-27, SHR-05,
//! 06, 09).
//!
//! A consent is to a text, kept by its digest. It holds as long as the text stands: submitting an
//! entry makes a new version of it but takes nothing from the consent, changing a word does.

use catalog_model::{
    caller::Identity,
    catalog_entry::EntryContent,
    ids::{OrganizationId, PersonId},
    name::{Resource, ResourceName},
    organization::{Person, PersonRole},
    reason::Reason,
    refusal::Refusal,
    share_request::Answer,
};
use minicbor::Encode;
use sha2::{Digest, Sha256};

use crate::{
    apply::{cases, catalog, organizations::persons, requests},
    codec, keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::{Consent, ConsentKind},
    tx::Tx,
};

/// What a consent is to: SHA-256 of the encoded text.
pub(crate) fn digest<T: Encode<()>>(text: &T) -> [u8; 32] {
    Sha256::digest(codec::encode(text)).into()
}

/// Whether the consent on record is to this content of an entry.
pub(crate) fn covers_content(
    tx: &Tx<'_>,
    kind: ConsentKind,
    entry: &ResourceName,
    content: &EntryContent,
) -> bool {
    let consent: Option<Consent> = tx.get(&keys::consent(kind, entry));
    consent.is_some_and(|consent| consent.digest == digest(content))
}

pub(crate) fn give(
    tx: &mut Tx<'_>,
    law: &Law,
    subject: &ResourceName,
    version: u64,
    kind: ConsentKind,
    person: PersonId,
    answer: Option<&Answer>,
) -> Result<Outcome, Refusal> {
    if subject.domain != *tx.domain() && matches!(subject.resource, Resource::Entry(_)) {
        return Err(Refusal::new(Reason::NotOwner).fact("owner", &subject.domain));
    }
    let (organization, actual, digest) = match (kind, &subject.resource) {
        (ConsentKind::Catalog | ConsentKind::StandingAnswer, Resource::Entry(id)) => {
            let entry = catalog::working(tx, *id)?;
            (entry.provider, entry.version, digest(&entry.content))
        }
        (ConsentKind::Request, Resource::Request(_)) => {
            let case = requests::owned(tx, subject)?;
            requests::check_open(&case)?;
            if case.requester.domain != *tx.domain() {
                return Err(not_permitted(tx, "the head of the asker, in the asker's domain"));
            }
            (case.requester.organization, case.version, digest(&case.content))
        }
        (ConsentKind::Answer, Resource::Request(_)) => {
            let case = requests::owned(tx, subject)?;
            requests::check_open(&case)?;
            let Some(answer) = answer else {
                let refusal = Refusal::new(Reason::FieldInvalid);
                return Err(refusal.field("answer", "missing", "缺少"));
            };
            let decider = requests::deciding_organization(tx, &case)
                .ok_or_else(|| not_permitted(tx, "the decider of the case"))?;
            (decider, case.version, digest(answer))
        }
        _ => return Err(Refusal::new(Reason::NameInvalid).fact("name", subject)),
    };
    if tx.caller_organization().is_none_or(|caller| caller.id != organization) {
        return Err(not_permitted(tx, "the organization whose head consents"));
    }
    let head = match kind {
        ConsentKind::Catalog => PersonRole::DepartmentHead,
        _ => PersonRole::SharingOfficeHead,
    };
    let consent = by_head(tx, organization, person, head, digest, version)?;
    if version != actual {
        return Err(Refusal::new(Reason::ConsentVersionStale)
            .fact("given", version)
            .fact("actual", actual));
    }
    if kind == ConsentKind::Request {
        let filed_by = cases::file_of(tx, subject).filed_by;
        let what = ("the request", "申请");
        cases::separation::check(tx, law, what, filed_by, Some(person))?;
    }
    record(tx, kind, subject, &consent);
    Ok(Outcome::Done(Some(subject.clone())))
}

/// The consent of `person` to what `digest` stands for, if the person is that head and consents
/// by own credential or through the organization's system.
pub(crate) fn by_head(
    tx: &Tx<'_>,
    organization: OrganizationId,
    person: PersonId,
    head: PersonRole,
    digest: [u8; 32],
    version: u64,
) -> Result<Consent, Refusal> {
    let on_file: Option<Person> = tx.get(&keys::person(tx.domain(), organization, person));
    let on_file =
        on_file.ok_or_else(|| Refusal::new(Reason::PersonUnknown).fact("person", person))?;
    let needed = match head {
        PersonRole::DepartmentHead => "the head of the department",
        _ => "the head of the sharing office",
    };
    if !on_file.holds(head, tx.today()) {
        persons::check_office(tx, organization, head)?;
        return Err(Refusal::new(Reason::ConsentNotByHead).fact("needed", needed));
    }
    let asserted_by = match &tx.caller.identity {
        // The signature stands on the paper that the platform enters.
        _ if tx.on_behalf.is_some() => None,
        Identity::Person { person: caller, .. } if *caller == person => None,
        Identity::System { system, asserted_person, .. }
            if asserted_person.is_none_or(|asserted| asserted == person) =>
        {
            Some(*system)
        }
        _ => {
            let needed =
                format!("{needed}, by own credential or as a system of the organization says");
            return Err(Refusal::new(Reason::ConsentNotByHead).fact("needed", needed));
        }
    };
    let paper = tx.on_behalf.as_ref().map(|paper| paper.number.clone());
    let given_time = tx.given_time();
    Ok(Consent { version, organization, person, asserted_by, given_time, digest, paper })
}

/// Puts a consent on record.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    kind: ConsentKind,
    subject: &ResourceName,
    consent: &Consent,
) {
    tx.put(&keys::consent(kind, subject), consent);
    let fact =
        Fact::ConsentGiven { version: consent.version, asserted: consent.asserted_by.is_some() };
    ledger::append(tx, subject, fact, None, &[("consenter", &consent.person.to_string())]);
}
