//! Receipts: fetched through other nodes, written to files, and verified without any server.

use std::fs;

use luqiao_proto::ledger::v1::{GetReceiptRequest, Receipt as Message};

use crate::{
    both,
    dev::{
        actor::Look,
        story::{StepFailed, Telling},
    },
    failure::Failure,
    message,
    receipt::{
        self,
        document::{Receipt, TrustAnchor},
    },
};

use super::{GET_RECEIPT, Walk};

pub(super) async fn receipts(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let folder = walk.town.topology.folder.join("receipts");
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    for (place, (level, actor, name)) in walk.proven.iter().enumerate() {
        let question = GetReceiptRequest { name: name.clone() };
        let look: Look<Message> = walk.town.look(*level, actor, GET_RECEIPT, &question).await?;
        // As a file, as `luqiao receipt get -o json` would print it.
        let unreadable = |error: serde_json::Error| {
            StepFailed(both!("the receipt cannot be read: {error}", "无法读取回执：{error}"))
        };
        let json = message::to_json(message::kind::RECEIPT, &look.answer).map_err(unreadable)?;
        let path = folder.join(format!("{}.json", place + 1));
        fs::write(&path, format!("{json}\n")).map_err(|error| Failure::file(&path, &error))?;

        let read = |path: &std::path::Path| {
            fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
        };
        let receipt: Receipt = serde_json::from_str(&read(&path)?).map_err(unreadable)?;
        let trust = walk.town.topology.of(*level).trust();
        let anchor: TrustAnchor = serde_json::from_str(&read(&trust)?).map_err(unreadable)?;
        let proven = receipt::verify(&receipt, &anchor);
        told.saw(
            "what the receipt proves",
            proven
                .as_ref()
                .map(|proven| proven.subject.as_str())
                .map_err(receipt::Rejected::reason),
            Ok(name.as_str()),
        )?;
        // The same with one bit changed proves nothing.
        let mut forged = receipt.clone();
        if let Some(byte) = forged.record.last_mut() {
            *byte ^= 1;
        }
        told.saw("a forged record is rejected", receipt::verify(&forged, &anchor).is_err(), true)?;
        if let Ok(proven) = proven {
            let domain = level.domain_text();
            let (leaf, size, node) = (proven.leaf_index, proven.tree_size, &proven.node);
            told.say(both!(
                "{name}: record {leaf} of {size} in the ledger of {domain}, head signed by node {node}",
                "{name}：{domain} 账本 {size} 条中的第 {leaf} 条，树头由节点 {node} 签名"
            ));
        }
        told.about(name);
    }
    told.say(both!(
        "verified without a server, against trust.json of each domain; one with a bit changed proves nothing",
        "不依赖任何服务端，仅凭各域 trust.json 验证；改动一位即无法证明"
    ));
    Ok(())
}
