//! Who may speak through a system: persons of the system's own organization, and nobody else
//! (SEC-19).

use catalog_model::{caller::Identity, reason::Reason, refusal::Refusal};

use crate::{keys, tx::Tx};

/// Refuses a call in which a system names a person that it may not assert.
pub(crate) fn check(tx: &Tx<'_>) -> Result<(), Refusal> {
    let Identity::System { organization, system, asserted_person: Some(person) } =
        tx.caller.identity
    else {
        return Ok(());
    };
    let own = tx.caller.domain == *tx.domain();
    if tx.level < super::LEVEL || !own || tx.has(&keys::person(tx.domain(), organization, person)) {
        return Ok(());
    }
    Err(Refusal::new(Reason::PersonNotAsserted).fact("system", system).fact("person", person))
}
