//! Wider use: data for a third party or another purpose, where every text in scope permits it and
//! the provider consents (SHR-10, must-refuse 13).

use catalog_model::{
    grant::{WiderUse, WiderUseKind},
    name::ResourceName,
    reason::Reason,
    refusal::Refusal,
    rule_pack::Forbidden,
};

use super::{change, check_provider, conduct_rules, course, owned, wrong_state};
use crate::{
    apply::{organizations::same_version, text},
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    tx::Tx,
};

/// What the provider is to consent to.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) kind: WiderUseKind,
    pub(super) recipient: &'a str,
    pub(super) purpose: &'a str,
    pub(super) items: &'a [String],
}

pub(super) fn consent(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    wanted: &Wanted<'_>,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, grant)?;
    check_provider(tx, &next)?;
    same_version(next.version, version)?;
    if !next.state.is_in_force() {
        return Err(wrong_state(&next, "a grant in force"));
    }
    let rule = conduct_rules(tx, law, &next)?
        .wider_use_permitted(wanted.kind)
        .map_err(Forbidden::refusal)?;
    text::check_reason("purpose", wanted.purpose)?;
    text::check("recipient", wanted.recipient)?;
    if (wanted.kind == WiderUseKind::ThirdParty) == wanted.recipient.trim().is_empty() {
        let (en, zh) =
            ("named for a third party, and only then", "提供给第三方时填写接收方，其他情形不填");
        return Err(Refusal::new(Reason::FieldInvalid).field("recipient", en, zh));
    }
    if let Some(item) = wanted.items.iter().find(|item| !next.items.contains(item)) {
        return Err(Refusal::new(Reason::ItemUnknown).fact("item", item));
    }
    if wanted.items.is_empty() {
        let (en, zh) = ("at least one item", "至少一个信息项");
        return Err(Refusal::new(Reason::FieldInvalid).field("items", en, zh));
    }
    let fact = Fact::WiderUseConsented { kind: wanted.kind, items: wanted.items.to_vec() };
    let texts = [("recipient", wanted.recipient), ("purpose", wanted.purpose)];
    ledger::append(tx, grant, fact, Some(rule.clone()), &texts);
    let consented_time = tx.clock;
    course(&mut next).wider_uses.push(WiderUse {
        kind: wanted.kind,
        recipient: wanted.recipient.to_owned(),
        purpose: wanted.purpose.to_owned(),
        items: wanted.items.to_vec(),
        consented_time,
        rule,
    });
    Ok(change(tx, next))
}
