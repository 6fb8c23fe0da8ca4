//! The agreement by which the use of what was granted is supervised: a duty beside the right, not
//! a condition of it (SHR-13).

use catalog_model::{
    document_digest::DocumentDigest, grant::UseAgreement, name::ResourceName, reason::Reason,
    refusal::Refusal, time::LocalDate,
};

use super::{acts_for, change, conduct_rules, course, owned, wrong_state};
use crate::{
    apply::{
        organizations::{is_authority, same_version},
        text,
    },
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

pub(super) fn record(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    number: &str,
    digest: DocumentDigest,
    signed: LocalDate,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, grant)?;
    if !is_authority(tx) && !acts_for(tx, &next.provider) {
        return Err(not_permitted(tx, "the authority or the provider"));
    }
    same_version(next.version, version)?;
    if next.state.has_ended() {
        return Err(wrong_state(&next, "a grant that is not over"));
    }
    text::check_reason("number", number)?;
    if signed > tx.today() {
        let (en, zh) = ("not after today", "不得晚于今日");
        return Err(Refusal::new(Reason::FieldInvalid).field("signed", en, zh));
    }
    let rule = conduct_rules(tx, law, &next)?.supervision_agreement();
    let fact = Fact::AgreementRecorded { digest, signed };
    ledger::append(tx, grant, fact, rule, &[("number", number)]);
    let recorded_time = tx.clock;
    let agreement = UseAgreement { number: number.to_owned(), digest, signed, recorded_time };
    course(&mut next).agreement = Some(agreement);
    Ok(change(tx, next))
}
