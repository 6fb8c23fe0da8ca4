//! `audit export`: the sealed segments as files, the chain checked on the way.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use luqiao_proto::ledger::v1::{ExportSegmentRequest, ListSegmentsRequest, Segment};

use crate::{
    archive, both,
    exit::Exit,
    failure::Failure,
    remote::{Remote, answer},
};

pub(super) async fn run(
    remote: &Remote,
    folder: &Path,
    trust: Option<&Path>,
) -> Result<Exit, Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    let mut files = Vec::new();
    for segment in segments(remote).await? {
        let file = folder.join(format!("segment-{:06}.cbor", segment.number));
        if !file.exists() {
            fetch(remote, &segment, &file).await?;
        }
        files.push(file);
    }
    if files.is_empty() {
        remote.output.say(&both!(
            "no segment is sealed yet: luqiao audit seal",
            "尚无封存的分段：请先执行 luqiao audit seal"
        ));
    }
    archive::check(&files, trust, &remote.output)
}

async fn segments(remote: &Remote) -> Result<Vec<Segment>, Failure> {
    let mut client = remote.session.ledger();
    let mut segments = Vec::new();
    let mut page_token = String::new();
    loop {
        let parent = remote.session.parent();
        let request = ListSegmentsRequest { parent, page_size: 0, page_token };
        let page = answer(client.list_segments(remote.session.call(request)).await)?;
        segments.extend(page.segments);
        if page.next_page_token.is_empty() {
            return Ok(segments);
        }
        page_token = page.next_page_token;
    }
}

/// Writes beside the place and moves it there when it is whole: a file of that name is complete.
async fn fetch(remote: &Remote, segment: &Segment, file: &Path) -> Result<(), Failure> {
    let part: PathBuf = file.with_extension("part");
    let failed = |error: std::io::Error| Failure::file(&part, &error);
    let request = ExportSegmentRequest { parent: remote.session.parent(), number: segment.number };
    let mut client = remote.session.ledger();
    let mut pieces = answer(client.export_segment(remote.session.stream(request)).await)?;
    let mut out = File::create(&part).map_err(failed)?;
    while let Some(piece) = pieces.message().await.map_err(|status| Failure::call(&status))? {
        out.write_all(&piece.chunk).map_err(failed)?;
    }
    out.sync_all().map_err(failed)?;
    fs::rename(&part, file).map_err(|error| Failure::file(file, &error))
}
