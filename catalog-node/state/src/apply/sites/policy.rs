//! The disaster recovery policy: without one no entry is graded core (DR-04).

use catalog_model::{name::Resource, reason::Reason, refusal::Refusal};

use crate::{
    apply::{organizations::is_authority, text},
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::not_permitted,
    outcome::Outcome,
    rows::sites::{DrPolicy, DrPolicyContent},
    tx::Tx,
};

/// Most persons who may approve.
const APPROVERS_MAX: usize = 32;

pub(super) fn set(tx: &mut Tx<'_>, content: &DrPolicyContent) -> Result<Outcome, Refusal> {
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    text::check_reason("document_number", &content.document_number)?;
    if content.digest.is_missing() {
        return Err(Refusal::new(Reason::ProofMissing)
            .fact("document", "the policy")
            .fact("document_zh", "灾备策略"));
    }
    let invalid = |en: &str, zh: &str| {
        Err(Refusal::new(Reason::FieldInvalid).field("policy.approvers", en, zh))
    };
    let approvers = &content.approvers;
    if !(2..=APPROVERS_MAX).contains(&approvers.len()) {
        return invalid("2 to 32 persons may approve", "批准人应为 2 至 32 人");
    }
    for (place, name) in approvers.iter().enumerate() {
        let Resource::Person(organization, person) = &name.resource else {
            return invalid("not a person", "不是人员");
        };
        let on_file = name.domain == *tx.domain()
            && tx.has(&keys::person(tx.domain(), *organization, *person));
        if !on_file || approvers[..place].contains(name) {
            return invalid("each is a person on file, once", "批准人须为在册人员且不得重复");
        }
    }
    if let Some(witness) = &content.witness
        && !tx.has(&keys::peer(witness))
    {
        return Err(Refusal::new(Reason::DomainUnknown).fact("domain", witness));
    }
    let before: Option<DrPolicy> = tx.get(&keys::sites::policy());
    let domain = tx.domain_name();
    if before.as_ref().is_some_and(|before| before.content == *content) {
        return Ok(Outcome::Done(Some(domain)));
    }
    let version = before.map_or(1, |before| before.version + 1);
    let policy = DrPolicy { version, content: content.clone(), filed_time: tx.clock };
    tx.put(&keys::sites::policy(), &policy);
    let fact = Fact::DrPolicyFiled {
        version,
        document_number: content.document_number.clone(),
        digest: content.digest,
        witness: content.witness.clone(),
    };
    let named: Vec<(String, String)> = (1..)
        .zip(approvers)
        .map(|(place, name)| (format!("approver_{place}"), name.to_string()))
        .collect();
    let texts: Vec<(&str, &str)> =
        named.iter().map(|(label, text)| (label.as_str(), text.as_str())).collect();
    ledger::append(tx, &domain, fact, None, &texts);
    tx.emit(Event::ResourceChanged(domain.clone()));
    Ok(Outcome::Done(Some(domain)))
}
