//! Archive: is this the whole past, piece by piece, and ours?
//!
//! Each file is read to its end and proves itself: the records give the root in its header, and the
//! header names the one before it. The head in a segment is checked where a trust anchor is given.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use catalog_model::reason::Lang;
use catalog_proofs::{
    archive::{ArchiveError, Chain, Verified, read as read_segment},
    receipt::{
        document::{TreeHead, TrustAnchor},
        verify_head,
    },
};
use serde_json::json;

use crate::{
    both, exit::Exit, failure::Failure, language::Bilingual, output::Output, receipt::read,
};

/// `luqiao audit check FILE… [--trust FILE]`. An archive that is not whole is an answer: the exit
/// code is [`Exit::Error`] and stdout says why.
pub fn check(files: &[PathBuf], trust: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    let anchor: Option<TrustAnchor> = trust.map(read).transpose()?;
    let mut chain = Chain::new();
    for file in files {
        if let Err(broken) = check_one(file, &mut chain, anchor.as_ref()) {
            let path = file.display();
            let (reason, words) = (broken.0, broken.1);
            let (en, zh) = (words.en, words.zh);
            let json = json!({ "verified": false, "file": path.to_string(), "reason": reason });
            let words = both!("{path}: {en}", "{path}：{zh}");
            output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
            return Ok(Exit::Error);
        }
    }
    let (segments, records) =
        chain.last().map_or((0, 0), |segment| (segment.number, segment.through));
    let json = json!({
        "verified": true,
        "segments": segments,
        "records": records,
        "signatures_checked": anchor.is_some(),
    });
    let words = both!(
        "{segments} segments hold records 0 to before {records}, whole and in order",
        "{segments} 个分段完整有序，含记录 0 至 {records} 之前"
    );
    output.data(&json, |out, lang| writeln!(out, "{}", words.text(lang)))?;
    Ok(Exit::Ok)
}

fn check_one(
    path: &Path,
    chain: &mut Chain,
    anchor: Option<&TrustAnchor>,
) -> Result<(), (&'static str, Bilingual)> {
    let broken = |error: ArchiveError| (error.reason(), words(&error));
    let file = File::open(path).map_err(|error| broken(error.into()))?;
    let Verified { segment, head, .. } =
        read_segment(&mut BufReader::new(file), |_, _| {}).map_err(broken)?;
    chain.next(&segment).map_err(broken)?;
    let Some(anchor) = anchor else { return Ok(()) };
    let Some(head) = head else {
        return Err(("unsigned", both!("no head is in it", "其中没有树头")));
    };
    verify_head(&TreeHead::from(&head), anchor).map(drop).map_err(|rejected| {
        let (en, zh) = (rejected.text(Lang::En), rejected.text(Lang::Zh));
        (rejected.reason(), both!("{en}", "{zh}"))
    })
}

fn words(error: &ArchiveError) -> Bilingual {
    let zh = match error {
        ArchiveError::Io(cause) => format!("无法读取：{cause}"),
        ArchiveError::NotASegment => "不是归档分段文件".to_owned(),
        ArchiveError::Truncated { within } => format!("文件在 {within} 处中断"),
        ArchiveError::Longer => "分段结尾之后还有内容".to_owned(),
        ArchiveError::HeaderWrong { detail } => format!("头部有误：{detail}"),
        ArchiveError::RecordMisplaced { place } => format!("第 {place} 号记录不在应有位置"),
        ArchiveError::RootWrong => "记录与分段的根哈希不符".to_owned(),
        ArchiveError::HeadWrong => "其中的树头与根哈希不符".to_owned(),
        ArchiveError::DigestWrong => "文件字节被改动".to_owned(),
        ArchiveError::Missing { expected, found } => {
            format!("缺少第 {expected} 段，其位置上是第 {found} 段")
        }
        ArchiveError::Swapped { number } => format!("第 {number} 段不延续前一段：其中之一被调换"),
        ArchiveError::NotAsSealed { number } => format!("第 {number} 段不是所封存的分段"),
    };
    let en = match error {
        ArchiveError::Io(cause) => format!("cannot be read: {cause}"),
        other => other.to_string(),
    };
    Bilingual { en, zh }
}
