//! `luqiao case bag`.

use std::{fs, path::Path};

use luqiao_proto::ledger::v1::GetCaseBagRequest;
use serde_json::json;

use crate::{bag, both, exit::Exit, failure::Failure};

use super::{Remote, answer};

/// Writes the bag of a case into `file`; with a trust anchor, checks what is in it.
pub async fn write(
    remote: &Remote,
    name: String,
    file: &Path,
    trust: Option<&Path>,
) -> Result<Exit, Failure> {
    let mut client = remote.session.ledger();
    let request = GetCaseBagRequest { name };
    let bag = answer(client.get_case_bag(remote.session.call(request)).await)?;
    fs::write(file, &bag.page).map_err(|error| Failure::file(file, &error))?;
    if let Some(trust) = trust {
        return bag::check(file, trust, &remote.output);
    }
    let (path, proofs) = (file.display(), bag.proofs);
    let words = both!(
        "{path}: {proofs} records with their proofs; it opens without a network",
        "{path}：含 {proofs} 条记录及其证明，可离线打开"
    );
    let json = json!({ "name": bag.name, "file": path.to_string(), "proofs": proofs });
    remote.output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
    Ok(Exit::Ok)
}
