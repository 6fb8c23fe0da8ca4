//! Bag: do the proofs in a case bag hold, whoever carried the page here?
//!
//! The page verifies itself in a browser, but for the certificate. Here it is checked like any
//! receipts, with the trust anchor: the same data, read out of the page.

use std::path::Path;

use catalog_model::reason::Lang;
use serde_json::{Value, json};

use crate::{
    both,
    exit::Exit,
    failure::Failure,
    output::Output,
    receipt::{
        self, Rejected,
        document::{Receipt, TrustAnchor},
        malformed_file,
    },
};

/// Where the data begin in a page.
const BEGIN: &str = "<script type=\"application/json\" id=\"bag\">";

/// The receipts in a page; `None` if it is no case bag.
pub fn receipts(page: &str) -> Option<Result<Vec<Receipt>, serde_json::Error>> {
    let (data, _) = page.split_once(BEGIN)?.1.split_once("</script>")?;
    let read = || {
        let mut data: Value = serde_json::from_str(data)?;
        let proofs = data["proofs"].as_array_mut().map(std::mem::take).unwrap_or_default();
        proofs.into_iter().map(receipt).collect()
    };
    Some(read())
}

/// In a page the time is a number only, under a name that says so.
fn receipt(mut proof: Value) -> Result<Receipt, serde_json::Error> {
    let head = &mut proof["tree_head"];
    let time = head["time_ms"].take();
    head["time"] = time;
    serde_json::from_value(proof)
}

/// `luqiao case check FILE --trust FILE`.
pub fn check(file: &Path, trust: &Path, output: &Output) -> Result<Exit, Failure> {
    let page = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    let anchor: TrustAnchor = receipt::read(trust)?;
    let receipts = receipts(&page).ok_or_else(|| {
        let path = file.display();
        Failure::new(
            Exit::Error,
            "file_malformed",
            both!("{path} is no case bag", "{path} 不是案卷包"),
        )
    })?;
    let receipts = receipts.map_err(|error| malformed_file(file, &error))?;
    let rejected: Vec<(u64, Rejected)> = receipts
        .iter()
        .filter_map(|receipt| {
            let verdict = receipt::verify(receipt, &anchor);
            verdict.err().map(|rejected| (receipt.leaf_index, rejected))
        })
        .collect();
    let count = receipts.len();
    let verified = rejected.is_empty() && count > 0;
    let json = json!({
        "verified": verified,
        "proofs": count,
        "rejected": rejected.iter().map(|(record, rejected)| json!({
            "record": record, "reason": rejected.reason(), "message": rejected.text(output.lang),
        })).collect::<Vec<_>>(),
    });
    let words = if verified {
        both!("all {count} records of the page are proven", "页内 {count} 条记录全部得到证明")
    } else if count == 0 {
        both!("not proven: the page holds no record", "未能证明：页内没有记录")
    } else {
        let wrong = rejected.len();
        both!("{wrong} of {count} records are not proven", "{count} 条记录中有 {wrong} 条未能证明")
    };
    output.data(&json, |out, lang: Lang| {
        for (record, rejected) in &rejected {
            writeln!(out, "№ {record}: {}", rejected.text(lang))?;
        }
        writeln!(out, "{}", words.text(lang))
    })?;
    Ok(if verified { Exit::Ok } else { Exit::Error })
}
