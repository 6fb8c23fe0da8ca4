//! `audit verify --against DOMAIN`: is the ledger still the one of which DOMAIN holds a head?
//!
//! The server's own verdict is not taken for it: what it was held against, its newest head and the
//! way between the two come back, and are compared here. With both trust anchors the signatures are
//! checked too; then nobody's word is left in the answer.

use std::path::PathBuf;

use catalog_proofs::{
    against::{Against, compare},
    receipt::{
        Rejected,
        document::{ConsistencyProof, Cosignature, TrustAnchor},
        verify_cosignature, verify_head,
    },
};
use luqiao_proto::ledger::v1::{self as message, VerifyAgainstRequest};
use serde_json::{Value, json};

use crate::{
    both,
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    message::{from_json, kind},
    receipt::{malformed_file, read},
    remote::{Remote, answer, json as message_json},
};

/// What goes with the question.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) trust: Option<PathBuf>,
    pub(super) theirs: Option<PathBuf>,
    pub(super) held: Option<PathBuf>,
}

pub(super) async fn verify(
    remote: &Remote,
    parent: String,
    holder: &str,
    files: &Files,
) -> Result<Exit, Failure> {
    let held: Option<message::Cosignature> = match &files.held {
        None => None,
        Some(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
            let held = from_json(kind::COSIGNATURE, &text);
            Some(held.map_err(|error| malformed_file(path, &error))?)
        }
    };
    let request =
        VerifyAgainstRequest { parent, holder: format!("domains/{holder}"), cosignature: held };
    let mut client = remote.session.ledger();
    let found = answer(client.verify_against(remote.session.call(request)).await)?;
    let fresh = found.fresh && files.held.is_none();
    let verdict = judge(&found, files)?;
    let (exit, words, name) = said(&verdict, holder, fresh);
    let json = json!({
        "verdict": name,
        "holder": holder,
        "fresh": fresh,
        "signatures_checked": files.trust.is_some() && files.theirs.is_some(),
        "held": optional(kind::COSIGNATURE, found.cosignature.as_ref())?,
        "proof": optional(kind::CONSISTENCY_PROOF, found.proof.as_ref())?,
    });
    remote.output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
    if files.trust.is_none() || files.theirs.is_none() {
        remote.output.say(&both!(
            "signatures were not checked: name both trust anchors with --trust and --theirs",
            "未核验签名：请用 --trust 与 --theirs 指定双方信任锚"
        ));
    }
    Ok(exit)
}

fn optional<M: prost::Message>(kind: &str, message: Option<&M>) -> Result<Value, Failure> {
    message.map_or(Ok(Value::Null), |message| message_json(kind, message))
}

/// What the answer proves.
#[derive(Debug)]
enum Judged {
    Compared(Against),
    NothingHeld,
    NotGenuine(Rejected),
}

fn judge(found: &message::VerifyAgainstResponse, files: &Files) -> Result<Judged, Failure> {
    let (Some(cosignature), Some(proof)) = (&found.cosignature, &found.proof) else {
        return Ok(Judged::NothingHeld);
    };
    // The documents are the messages as JSON: the same reader as for files that were kept.
    let document = |value: Value| serde_json::from_value::<Cosignature>(value);
    let cosignature = document(message_json(kind::COSIGNATURE, cosignature)?);
    let cosignature = cosignature.map_err(|error| super::super::malformed(&error))?;
    let proof: ConsistencyProof =
        serde_json::from_value(message_json(kind::CONSISTENCY_PROOF, proof)?)
            .map_err(|error| super::super::malformed(&error))?;
    if let Some(theirs) = &files.theirs {
        let anchor: TrustAnchor = read(theirs)?;
        if let Err(rejected) = verify_cosignature(&cosignature, &anchor) {
            return Ok(Judged::NotGenuine(rejected));
        }
    }
    if let Some(trust) = &files.trust {
        let anchor: TrustAnchor = read(trust)?;
        if let Err(rejected) = verify_head(&proof.second_head, &anchor) {
            return Ok(Judged::NotGenuine(rejected));
        }
    }
    let (Some(held), Some(newest)) = (cosignature.tree_head.to_head(), proof.second_head.to_head())
    else {
        return Ok(Judged::Compared(Against::Unknown));
    };
    Ok(Judged::Compared(compare(&held.head, &newest.head, &proof.path)))
}

fn said(verdict: &Judged, holder: &str, fresh: bool) -> (Exit, Bilingual, &'static str) {
    let when = if fresh { both!("now", "当前") } else { both!("on record here", "此前留存") };
    let (when_en, when_zh) = (when.en, when.zh);
    match verdict {
        Judged::Compared(Against::Extends { held_size, size }) => (
            Exit::Ok,
            both!(
                "extends: the {size} records continue the {held_size} of which {holder} holds the head ({when_en})",
                "延续：账本 {size} 条记录延续 {holder} 所持 {held_size} 条记录的树头（{when_zh}）"
            ),
            "extends",
        ),
        Judged::Compared(Against::Rewritten { held_size, size, .. }) => (
            Exit::Error,
            both!(
                "REWRITTEN: the {size} records are not those of which {holder} holds the head over {held_size} ({when_en})",
                "被改写：账本 {size} 条记录与 {holder} 所持 {held_size} 条记录的树头不符（{when_zh}）"
            ),
            "rewritten",
        ),
        Judged::Compared(Against::Unknown) => (
            Exit::Error,
            both!(
                "cannot be compared: {holder} holds the head of another cluster or suite",
                "无法比较：{holder} 持有的是其他集群或其他算法的树头"
            ),
            "unknown",
        ),
        Judged::NothingHeld => (
            Exit::Error,
            both!(
                "cannot be compared: {holder} could not be asked, and nothing that it holds is on record",
                "无法比较：未能询问 {holder}，也没有其持有树头的记录"
            ),
            "unknown",
        ),
        Judged::NotGenuine(rejected) => {
            let (en, zh) = (
                rejected.text(catalog_model::reason::Lang::En),
                rejected.text(catalog_model::reason::Lang::Zh),
            );
            (Exit::Error, both!("{en}", "{zh}"), "not_genuine")
        }
    }
}
