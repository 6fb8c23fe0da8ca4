//! Approvals: a person's signature on a statement, in a file that can be carried, kept and checked
//! without us.
//!
//! What is signed, and what it is good for, is in `catalog_model::witness::approval`; how it is
//! checked in `catalog_proofs::approval`, so that whoever acts on one checks the same.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use catalog_model::{
    name::{Resource, ResourceName},
    reason::Lang,
    time::UtcMillis,
    witness::{Approval, Statement},
};
use catalog_proofs::approval;
use luqiao_transport::identity::{PeerCertificate, Subject};
use rcgen::{KeyPair, SigningKey as _};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};

use crate::{
    args::dr::Approve, both, context::Context, exit::Exit, failure::Failure, language::Bilingual,
    output::Output,
};

fn unusable(message: Bilingual) -> Failure {
    Failure::new(Exit::Error, "approval_unusable", message)
}

/// `luqiao dr approve`: signs with the person's key, and checks what was signed before it is
/// written.
pub fn approve(
    options: Approve,
    context: Option<&Context>,
    output: &Output,
) -> Result<Exit, Failure> {
    let Approve { act, from, to, pair, expires, release, cert, key, file } = options;
    let (cert, key) = match (cert, key, context) {
        (Some(cert), Some(key), _) => (cert, key),
        (_, _, Some(context)) => (context.cert.clone(), context.key.clone()),
        _ => {
            return Err(Failure::usage(both!(
                "who approves? Name --cert and --key, or a context",
                "请用 --cert 和 --key 或上下文指定批准人"
            )));
        }
    };
    let to = match to {
        Some(to) => to,
        None if act.moves() => {
            return Err(Failure::usage(both!(
                "to which site? Name it with --to",
                "请用 --to 指定目标站点"
            )));
        }
        None => from.clone(),
    };
    if !act.moves() && to != from {
        return Err(Failure::usage(both!(
            "this act moves nothing: --to is the active site",
            "该事项不改变主用站点，--to 应为当前主用站点"
        )));
    }
    let (approver, certificate) = person(&cert)?;
    let seconds = u64::try_from(expires.seconds).unwrap_or_default();
    let statement = Statement {
        domain: approver.domain.clone(),
        act,
        from,
        to,
        pair,
        expires: UtcMillis(seconds.saturating_mul(1_000)),
        release,
    };
    let pem = fs::read_to_string(&key).map_err(|error| Failure::file(&key, &error))?;
    let shown = key.display();
    let refused = |error: rcgen::Error| {
        unusable(both!("{shown} cannot sign: {error}", "{shown} 无法签名：{error}"))
    };
    let pair = KeyPair::from_pem(&pem).map_err(refused)?;
    let signature = pair.sign(&statement.signed_bytes()).map_err(refused)?;
    let approval = Approval { statement, approver, signature, certificate };
    write(&file, &approval::to_file(&approval))?;
    let shown = file.display();
    let value = approval_json(&approval);
    output.data(&value, |out, lang| {
        writeln!(out, "{}", text(&approval, lang))?;
        writeln!(out, "{shown}")
    })?;
    Ok(Exit::Ok)
}

/// The person in a certificate, and the certificate in DER.
fn person(file: &Path) -> Result<(ResourceName, Vec<u8>), Failure> {
    let shown = file.display();
    let refused = |detail: String| {
        unusable(both!("{shown} is no person's: {detail}", "{shown} 不是人员证书：{detail}"))
    };
    let certificate =
        CertificateDer::from_pem_file(file).map_err(|error| refused(error.to_string()))?;
    let der = certificate.to_vec();
    let read = PeerCertificate::read(&[certificate]).map_err(|error| refused(error.to_string()))?;
    let Some(name) = read.spiffe else { return Err(refused("it has no name of ours".to_owned())) };
    match name.subject {
        Subject::Person { organization, person } => {
            let resource = Resource::Person(organization, person);
            Ok((ResourceName::new(name.domain, resource), der))
        }
        _ => Err(refused(name.to_string())),
    }
}

/// Never over a file that is there: it may be somebody's only token.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).open(file);
    written
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .map_err(|error| Failure::file(file, &error))
}

/// Reads approvals that are to go with a call.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<Approval>, Failure> {
    files.iter().map(|file| read_one(file)).collect()
}

fn read_one(file: &Path) -> Result<Approval, Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    approval::from_file(&text).map_err(|error| {
        let shown = file.display();
        unusable(both!("{shown}: {error}", "{shown}：{error}"))
    })
}

/// `luqiao dr check`: each approval on its own, and whether all are of different persons for the same.
/// An approval that proves nothing is an answer, not a failure. Whether one has expired is for whoever
/// acts on it: here no clock is asked.
pub fn check(files: &[PathBuf], trust: &Path, output: &Output) -> Result<Exit, Failure> {
    let pem = fs::read_to_string(trust).map_err(|error| Failure::file(trust, &error))?;
    let approvals = read(files)?;
    let mut rows: Vec<Value> = Vec::new();
    let mut sound = true;
    for approval in &approvals {
        // Valid while it may be used: at its own end the certificate must still be.
        let last = UtcMillis(approval.statement.expires.0.saturating_sub(1));
        let verdict = approval::verify(approval, std::slice::from_ref(&pem), last);
        sound &= verdict.is_ok();
        let mut row = approval_json(approval);
        row["verified"] = json!(verdict.is_ok());
        row["reason"] =
            json!(verdict.as_ref().err().map(catalog_proofs::receipt::Rejected::reason));
        row["message"] = json!(verdict.err().map(|rejected| rejected.text(output.lang)));
        rows.push(row);
    }
    let same = approvals.windows(2).all(|pair| pair[0].statement == pair[1].statement);
    let mut persons: Vec<&ResourceName> = approvals.iter().map(|of| &of.approver).collect();
    persons.sort_unstable();
    persons.dedup();
    let two = same && persons.len() == approvals.len() && persons.len() >= 2;
    let value = json!({ "approvals": rows, "two_persons": two, "verified": sound && two });
    output.data(&value, |out, lang| {
        for (approval, row) in approvals.iter().zip(&rows) {
            let message = row["message"].as_str().unwrap_or(match lang {
                Lang::En => "proven",
                Lang::Zh => "已证明",
            });
            writeln!(out, "{}: {message}", text(approval, lang))?;
        }
        let verdict = match (two, lang) {
            (true, Lang::En) => "two different persons approved the same",
            (true, Lang::Zh) => "由不同人员对同一事项批准",
            (false, Lang::En) => "not two different persons for the same",
            (false, Lang::Zh) => "不是由两名不同人员对同一事项批准",
        };
        writeln!(out, "{verdict}")
    })?;
    Ok(if sound && two { Exit::Ok } else { Exit::Error })
}

fn approval_json(approval: &Approval) -> Value {
    let Approval { statement, approver, .. } = approval;
    let Statement { domain, act, from, to, pair, expires, release } = statement;
    json!({
        "domain": domain.to_string(),
        "act": act.name(),
        "from": from.to_string(),
        "to": to.to_string(),
        "pair": pair.to_string(),
        "expires_ms": expires.0,
        "release": release.name(),
        "approver": approver.to_string(),
    })
}

fn text(approval: &Approval, lang: Lang) -> String {
    let Approval { statement, approver, .. } = approval;
    let Statement { domain, act, from, to, pair, expires, release } = statement;
    let (act, release, expires) = (act.name(), release.name(), expires.local_text());
    match lang {
        Lang::En => format!(
            "{approver} approves {act} of {domain} from {from} to {to} in {pair}, until {expires}; released: {release}"
        ),
        Lang::Zh => format!(
            "{approver} 批准 {domain} 的 {act}（{from} 至 {to}，{pair}），{expires} 前有效；曾放行：{release}"
        ),
    }
}

#[cfg(test)]
mod tests;
