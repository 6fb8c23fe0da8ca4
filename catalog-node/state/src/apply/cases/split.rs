//! A mixed request is one case, split per item: what is unconditional is granted at once under the
//! standing answer, the rest waits for its answer (SHR-05, SHR-06).

use catalog_model::{
    case_file::GrantedAtOnce, ids::GrantId, rule::RuleRef, rule_pack::Resolution,
    share_request::ShareRequest,
};

use super::{file_of, put_file};
use crate::{
    apply::{grants, requests},
    ledger::{self, Fact},
    machine::Law,
    tx::Tx,
};

/// Grants the unconditional part of a case that was just received.
pub(crate) fn grant_part(
    tx: &mut Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    case: &mut ShareRequest,
    grant: GrantId,
    part: (Vec<String>, RuleRef),
) {
    let (items, rule) = part;
    let name = requests::name(case);
    let of = grants::name(tx, grant);
    let fact = Fact::PartGrantedAtOnce { items: items.clone(), grant: of.clone() };
    ledger::append(tx, &name, fact, Some(rule.clone()), &[]);
    grants::give(tx, law, resolution, case, grant, items.clone(), rule.clone());
    let mut file = file_of(tx, &name);
    file.at_once = Some(GrantedAtOnce { items, grant: of, rule });
    put_file(tx, &name, &file);
}

/// The items that an answer is owed for.
pub(crate) fn owed_items(tx: &Tx<'_>, case: &ShareRequest) -> Vec<String> {
    let at_once = at_once_items(tx, case);
    case.content.items.iter().filter(|item| !at_once.contains(item)).cloned().collect()
}

/// The items that were granted at once.
pub(crate) fn at_once_items(tx: &Tx<'_>, case: &ShareRequest) -> Vec<String> {
    if tx.level < super::LEVEL {
        return Vec::new();
    }
    file_of(tx, &requests::name(case)).at_once.map(|part| part.items).unwrap_or_default()
}
