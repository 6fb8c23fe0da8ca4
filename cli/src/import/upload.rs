//! Upload: how do the accepted lines reach the server, and what did it make of each?
//!
//! One stream in each direction, several batches under way at once ([`IN_FLIGHT`]), one answer
//! for each batch in order. The server has the last word: it may know an entry already or refuse
//! one, and the report counts what it said. Its drafts are written batch by batch; if the
//! connection is lost, the import can simply be run again, since what is there is a duplicate.

use std::{io::BufRead, path::Path};

use indicatif::{ProgressBar, ProgressStyle};
use luqiao_proto::catalog::v1::{
    ImportEntriesRequest, ImportEntriesResponse, catalog_service_client::CatalogServiceClient,
    import_result::Outcome as Word,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Streaming,
    client::GrpcService,
    codegen::{Body, Bytes, StdError},
};

use crate::{
    both,
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    remote::session::{Session, request_id},
};

use super::{
    Outcome, Scan,
    batch::{Batch, Batcher},
    normalize::Fault,
    reader,
    report::{QuarantineFile, Report},
};

/// How many batches may be under way without an answer.
pub const IN_FLIGHT: usize = 4;

type Messages = ReceiverStream<ImportEntriesRequest>;

/// Imports the file at `path` into `parent` (`domains/{domain}`).
pub async fn upload(
    session: &Session,
    parent: &str,
    path: &Path,
    quarantine: Option<&Path>,
) -> Result<Outcome, Failure> {
    let call = |messages| session.stream(messages);
    upload_over(session.catalog(), call, parent, path, quarantine).await
}

/// The same over any client; `call` adds what goes with a call.
async fn upload_over<T>(
    client: CatalogServiceClient<T>,
    call: impl FnOnce(Messages) -> Request<Messages>,
    parent: &str,
    path: &Path,
    quarantine: Option<&Path>,
) -> Result<Outcome, Failure>
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    let source = path.to_owned();
    let checked = tokio::task::spawn_blocking(move || super::dry_run(&source, None))
        .await
        .map_err(|_| reader_died())??;
    if checked.failure.is_some() {
        // Nothing has been sent, so nothing was accepted; what was read is told all the same.
        return Ok(checked);
    }
    let quarantine = quarantine.map(|to| QuarantineFile::create(to, path)).transpose()?;
    let scan = Scan::new(reader::open(path)?, quarantine.clone());
    let progress = ProgressBar::new(checked.report.accepted);
    progress.set_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );

    let (batches, ready) = mpsc::channel(IN_FLIGHT);
    let reading = tokio::task::spawn_blocking(move || produce(scan, &batches));
    let mut answered = Answered { report: Report::default(), quarantine };
    let sent = exchange(client, call, parent, ready, &mut answered, &progress).await;
    progress.finish_and_clear();
    let (mut report, read) = reading.await.map_err(|_| reader_died())?;
    // Lines that passed here count as read once the server has answered for them.
    report.read = report.duplicates + report.quarantined;
    let closed = answered.quarantine.map_or(Ok(()), |file| file.finish());
    report.merge(answered.report);
    Ok(Outcome { report, failure: sent.err().or(read.err()).or(closed.err()) })
}

/// Reads the file into batches until its end, or until nobody takes them any more.
fn produce<R: BufRead>(
    mut scan: Scan<R>,
    batches: &mpsc::Sender<Batch>,
) -> (Report, Result<(), Failure>) {
    let mut batcher = Batcher::default();
    let result = loop {
        match scan.next_accepted() {
            Ok(Some(line)) => {
                if let Some(full) = batcher.add(line)
                    && batches.blocking_send(full).is_err()
                {
                    break Ok(());
                }
            }
            Ok(None) => {
                if let Some(last) = batcher.finish() {
                    let _ = batches.blocking_send(last);
                }
                break Ok(());
            }
            Err(failure) => break Err(failure),
        }
    };
    let (report, closed) = scan.finish();
    (report, result.and(closed))
}

async fn exchange<T>(
    mut client: CatalogServiceClient<T>,
    call: impl FnOnce(Messages) -> Request<Messages>,
    parent: &str,
    mut ready: mpsc::Receiver<Batch>,
    answered: &mut Answered,
    progress: &ProgressBar,
) -> Result<(), Failure>
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    let (outgoing, messages) = mpsc::channel(1);
    // A batch is announced here before it is sent; room for it is room for one more under way.
    let (announce, mut announced) = mpsc::channel::<Batch>(IN_FLIGHT);

    let sending = async {
        while let Some(batch) = ready.recv().await {
            let message = ImportEntriesRequest {
                parent: parent.to_owned(),
                entries: batch.entries(),
                request_id: request_id(),
            };
            if announce.send(batch).await.is_err() || outgoing.send(message).await.is_err() {
                break;
            }
        }
        drop((announce, outgoing));
        Ok(())
    };
    let receiving = async {
        let call = call(ReceiverStream::new(messages));
        let mut answers = client
            .import_entries(call)
            .await
            .map_err(|status| Failure::call(&status))?
            .into_inner();
        while let Some(batch) = announced.recv().await {
            let lines = batch.lines.len() as u64;
            let answer = next_answer(&mut answers).await?;
            answered.take(batch, answer)?;
            progress.inc(lines);
        }
        Ok::<(), Failure>(())
    };
    tokio::try_join!(sending, receiving).map(|((), ())| ())
}

async fn next_answer(
    answers: &mut Streaming<ImportEntriesResponse>,
) -> Result<ImportEntriesResponse, Failure> {
    match answers.message().await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Failure::new(
            Exit::OutcomeUnknown,
            "answer_missing",
            both!(
                "the server ended the stream before it had answered every batch",
                "服务端未答复全部批次即结束了数据流"
            ),
        )
        .advising(run_again())),
        Err(status) => {
            let mut failure = Failure::call(&status);
            if matches!(failure.exit, Exit::OutcomeUnknown | Exit::Unavailable) {
                failure.advice = run_again();
            }
            Err(failure)
        }
    }
}

/// What the server said.
#[derive(Debug)]
struct Answered {
    report: Report,
    quarantine: Option<QuarantineFile>,
}

impl Answered {
    fn take(&mut self, batch: Batch, answer: ImportEntriesResponse) -> Result<(), Failure> {
        let (asked, told) = (batch.lines.len(), answer.results.len());
        if asked != told {
            return Err(Failure::new(
                Exit::OutcomeUnknown,
                "answer_malformed",
                both!(
                    "the server answered for {told} of {asked} entries of a batch",
                    "一批 {asked} 个条目，服务端只答复了 {told} 个"
                ),
            )
            .advising(run_again()));
        }
        for (line, result) in batch.lines.into_iter().zip(answer.results) {
            self.report.read += 1;
            match result.outcome() {
                Word::Accepted => self.report.accept(&line.draft),
                Word::Duplicate => self.report.duplicates += 1,
                Word::Refused | Word::Unspecified => {
                    let fault = Fault::Refused {
                        reason: result.reason,
                        message: Bilingual::same(result.message),
                    };
                    self.report.quarantine(
                        line.line,
                        fault,
                        &line.raw,
                        self.quarantine.as_ref(),
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn run_again() -> Bilingual {
    both!(
        "run the same import again: entries that are there already count as duplicates",
        "请重新执行同一导入：已写入的条目会计为重复"
    )
}

fn reader_died() -> Failure {
    Failure::new(
        Exit::Error,
        "internal",
        both!("the reading of the file broke down", "读取文件的线程异常终止"),
    )
}

#[cfg(test)]
mod tests;
