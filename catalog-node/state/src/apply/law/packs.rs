//! Rule packs: a new version of the law, checked before it binds anybody.

use std::sync::Arc;

use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
    rule_pack::{RulePack, Severity, check},
};
use sha2::{Digest, Sha256};

use super::{by_authority, by_two_persons, work};
use crate::{
    apply::{catalog::worklist, text},
    event::Event,
    keys,
    law::{MAX_LAW_TEXT, Work},
    ledger::{self, Fact},
    machine::{Law, Resolutions},
    outcome::Outcome,
    rows::VersionedText,
    tx::Tx,
};

pub(super) fn load(
    tx: &mut Tx<'_>,
    law: &Law,
    json: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    by_authority(tx)?;
    text::check_reason("reason", reason)?;
    check_length("text", json)?;
    let stated = RulePack::parse(json)
        .map_err(|error| refused(error.text(Lang::En), error.text(Lang::Zh)))?;
    let recorded = law.rule_pack.rulings();
    if !stated.rulings().is_empty() && stated.rulings() != recorded {
        let en = "rulings are recorded one by one, not loaded with a pack";
        return Err(refused(en.to_owned(), "裁定应逐项记录，不得随规则包装入".to_owned()));
    }
    let pack = stated
        .with_rulings(recorded)
        .map_err(|error| refused(error.text(Lang::En), error.text(Lang::Zh)))?;
    let findings = check(&pack, tx.today());
    if let Some(error) = findings.iter().find(|finding| finding.severity == Severity::Error) {
        return Err(refused(error.text(Lang::En), error.text(Lang::Zh)));
    }
    if let Err(unknown) = pack.resolve_own(&tx.cluster.composition, tx.today()) {
        let zh = format!("规则包中没有本域采用的组合“{}”", unknown.name);
        return Err(refused(unknown.to_string(), zh));
    }
    let domain = tx.domain_name();
    if pack == *law.rule_pack {
        return Ok(Outcome::Done(Some(domain)));
    }
    let digest = Sha256::digest(pack.json()).into();
    if !by_two_persons(tx, law, "rule_pack", digest)? {
        return Ok(Outcome::Done(Some(domain)));
    }
    let late_since = pack.differs_since(&law.rule_pack, tx.today());
    let law = store(tx, law, pack);
    let version = law.rule_pack_version;
    let fact = Fact::RulePackLoaded { version, digest, late_since };
    ledger::append(tx, &domain, fact, None, &[("reason", reason)]);
    // Listed entries may rest on too little under it (CAT-28).
    worklist::begin(tx, version, &format!("rule pack v{version}"));
    if let Some(since) = late_since {
        work::begin(tx, &law, Work::LateLaw { version, since });
    }
    Ok(Outcome::Done(Some(domain)))
}

/// Makes `pack` the next version of the law in force: cases received from now on are under it.
pub(super) fn store(tx: &mut Tx<'_>, law: &Law, pack: RulePack) -> Law {
    let version = law.rule_pack_version + 1;
    let row = VersionedText { version, text: pack.json().to_owned(), known_since: tx.clock };
    tx.put(&keys::rule_pack(version), &row);
    tx.put(&keys::meta::rule_pack_version(), &version);
    let domain = tx.domain_name();
    tx.emit(Event::ResourceChanged(domain));
    Law {
        rule_pack: Arc::new(pack),
        rule_pack_version: version,
        // Of its own: a command that is refused after this leaves no version behind.
        resolutions: Resolutions::default(),
        ..law.clone()
    }
}

pub(super) fn check_length(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() <= MAX_LAW_TEXT {
        return Ok(());
    }
    Err(Refusal::new(Reason::TextTooLong)
        .fact("field", field)
        .fact("length", text.len())
        .fact("limit", MAX_LAW_TEXT))
}

fn refused(en: String, zh: String) -> Refusal {
    Refusal::new(Reason::RulePackRefused).fact("cause", en).fact("cause_zh", zh)
}
