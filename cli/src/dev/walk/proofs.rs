//! Receipts: fetched through other nodes, written to files, and verified without any server.

use std::fs;

use luqiao_proto::ledger::v1::{CaseBag, GetCaseBagRequest, GetReceiptRequest, Receipt as Message};

use crate::{
    bag, both,
    dev::{
        actor::Look,
        cast::Level,
        story::{StepFailed, Telling, failed},
    },
    failure::Failure,
    message,
    receipt::{
        self,
        document::{Receipt, TrustAnchor},
    },
};

use super::{GET_CASE_BAG, GET_RECEIPT, Walk, requests::asker};

pub(super) async fn receipts(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let folder = walk.town.topology.folder.join("receipts");
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    for (place, (level, actor, name)) in walk.proven.iter().enumerate() {
        let question = GetReceiptRequest { name: name.clone(), record: None };
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

pub(super) async fn case_bag(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let Some(case) = walk.case.clone() else {
        return failed(both!("there is no case", "没有案件"));
    };
    let (asker, _) = asker(walk, Level::City).await?;
    let question = GetCaseBagRequest { name: case.name.clone() };
    let look: Look<CaseBag> = walk.town.look(Level::City, &asker, GET_CASE_BAG, &question).await?;
    let folder = walk.town.topology.folder.join("receipts");
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    let path = folder.join("case-bag.html");
    fs::write(&path, &look.answer.page).map_err(|error| Failure::file(&path, &error))?;

    // What is in the file, checked without a server and without the page's own verifier.
    let page = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
    let receipts = bag::receipts(&page).and_then(Result::ok).unwrap_or_default();
    let trust = walk.town.topology.of(Level::City).trust();
    let anchor: TrustAnchor = receipt::read(&trust)?;
    let proven = receipts.iter().filter(|receipt| receipt::verify(receipt, &anchor).is_ok());
    let (proven, proofs) = (proven.count(), receipts.len());
    told.saw("records in the bag", proofs as u64, u64::from(look.answer.proofs))?;
    told.saw("records that are proven", proven, proofs)?;
    told.saw("there are some", proofs > 2, true)?;
    told.saw("the bag counts the holiday", page.contains("国庆节放假"), true)?;
    told.saw("it quotes the law", page.contains("<blockquote>"), true)?;
    told.saw("it asks nobody", page.contains("default-src 'none'"), true)?;
    let node = look.node;
    told.say(both!(
        "minutes, law, days and {proofs} proofs in one file, case-bag.html; read at node {node}; every proof checked offline",
        "办理记录、依据、期限与 {proofs} 条证明合为一个文件 case-bag.html；经节点 {node} 取得，逐条离线核验"
    ));
    told.about(&case.name);
    Ok(())
}
