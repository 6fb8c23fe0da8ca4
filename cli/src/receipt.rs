//! Receipt: was this really decided, as far as anybody can tell without us?
//!
//! What is checked, and how, is in `catalog_proofs::receipt`, so that tests and other tools check
//! the same; here are the files and the words.

pub use catalog_proofs::{
    head,
    receipt::{Proven, Rejected, document, verify},
};

use std::{fs, path::Path};

use catalog_model::reason::Lang;
use serde_json::{Value, json};

use crate::{both, exit::Exit, failure::Failure, language::Bilingual, output::Output};

use self::document::{Receipt, TrustAnchor};

/// The verdict in words.
fn message(rejected: &Rejected) -> Bilingual {
    Bilingual { en: rejected.text(Lang::En), zh: rejected.text(Lang::Zh) }
}

/// `luqiao receipt verify FILE --trust FILE`. A receipt that proves nothing is an answer, not a
/// failure: the exit code is [`Exit::Error`] and stdout says why.
pub fn verify_files(file: &Path, trust: &Path, output: &Output) -> Result<Exit, Failure> {
    let receipt: Receipt = read(file)?;
    let anchor: TrustAnchor = read(trust)?;
    let verdict = verify(&receipt, &anchor);
    let (words, json) = match &verdict {
        Ok(proven) => {
            let Proven { subject: name, node, leaf_index, tree_size, time } = proven;
            let domain = &anchor.domain;
            (
                both!(
                    "proven: the record of {name} is number {leaf_index} of {tree_size} in the ledger of {domain}; head signed by node {node} at {time}",
                    "已证明：{name} 的记录是 {domain} 账本 {tree_size} 条记录中的第 {leaf_index} 条；树头由节点 {node} 于 {time} 签署"
                ),
                json!({
                    "verified": true,
                    "name": name,
                    "domain": domain,
                    "leaf_index": leaf_index,
                    "tree_size": tree_size,
                    "node": node,
                    "time": time,
                }),
            )
        }
        Err(rejected) => (message(rejected), rejection(&receipt, rejected, output.lang)),
    };
    output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
    Ok(if verdict.is_ok() { Exit::Ok } else { Exit::Error })
}

fn rejection(receipt: &Receipt, rejected: &Rejected, lang: Lang) -> Value {
    json!({
        "verified": false,
        "name": receipt.name,
        "reason": rejected.reason(),
        "message": rejected.text(lang),
    })
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| malformed_file(path, &error))
}

pub(crate) fn malformed_file(path: &Path, error: &serde_json::Error) -> Failure {
    let path = path.display();
    Failure::new(
        Exit::Error,
        "file_malformed",
        both!("{path} cannot be understood: {error}", "无法理解 {path}：{error}"),
    )
}

#[cfg(test)]
pub(crate) mod tests;
