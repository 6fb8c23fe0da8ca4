//! Run: from arguments to an exit code.

use std::path::PathBuf;

use clap::CommandFactory;
use serde_json::Value;
use tokio::runtime;

use crate::{
    archive,
    args::{
        Arguments, Command, Dev, Global, Receipt,
        audit::{Audit, Case},
        catalog::Catalog,
        dr::{Approve, Dr},
        drill::{Drill, Probe},
        law::{Calendar, Rules},
    },
    backup, bag, both, calendar, calls,
    context::{self, ContextFile},
    dev, dr, drill,
    exit::Exit,
    failure::Failure,
    import, language,
    output::{Format, Output},
    receipt,
    remote::{self, Remote, session::Session},
    rules,
};

/// Does what the arguments say and tells about it.
pub fn run(arguments: Arguments) -> Exit {
    let Arguments { global, command } = arguments;
    let output = Output {
        format: global.output,
        lang: global.lang.unwrap_or_else(language::of_environment),
        verbose: global.verbose,
    };
    let result = match local(&global, command, output) {
        Local::Done(result) => result,
        Local::Remote(command) => with_server(&global, output, command),
    };
    result.unwrap_or_else(|failure| {
        calls::refused(&failure);
        output.failure(&failure)
    })
}

/// A command that was done here, or one that needs a server.
enum Local {
    Done(Result<Exit, Failure>),
    Remote(Command),
}

fn local(global: &Global, command: Command, output: Output) -> Local {
    Local::Done(match command {
        Command::Catalog(Catalog::Import { file, dry_run: true, quarantine }) => {
            import::dry_run(&file, quarantine.as_deref())
                .and_then(|outcome| remote::catalog::print_import(output, outcome))
        }
        Command::Receipt(Receipt::Verify { file, trust }) => {
            receipt::verify_files(&file, &trust, &output)
        }
        Command::Audit(Audit::Check { files, trust }) => {
            archive::check(&files, trust.as_deref(), &output)
        }
        Command::Dr(Dr::Approve(options)) => approve(global, options, output),
        Command::Dr(Dr::Check { files, trust }) => dr::check(&files, &trust, &output),
        Command::Case(Case::Check { file, trust }) => bag::check(&file, &trust, &output),
        Command::Calendar(Calendar::Due { from, working_days, explain }) => {
            calendar::due(from, working_days, explain, &output).map(|()| Exit::Ok)
        }
        Command::Rules(Rules::Check { file, date: Some(date), offline: true, .. }) => {
            rules::check(&file, date, &output)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "luqiao", &mut script);
            // A script is text in either format.
            Output { format: Format::Table, ..output }
                .data(&Value::Null, |out, _| out.write_all(&script))
                .map(|()| Exit::Ok)
        }
        Command::Backup(command) => backup::backup(command, output),
        Command::Restore(options) => backup::restore(options, output),
        Command::Dev(options) => develop(options, output),
        Command::Drill(Drill::List) => drill::verify::list(output),
        Command::Drill(Drill::Plan { plan, plan_file }) => {
            drill::verify::plan(&plan, plan_file.as_deref(), output)
        }
        Command::Drill(Drill::Verify { report, trust, page }) => {
            drill::verify::verify(&report, &trust, page.as_deref(), output)
        }
        Command::Drill(Drill::Run(options)) => here(drill::run::run(*options, global, output)),
        Command::Drill(Drill::Probe(options)) => here(probe(options, global, output)),
        other => return Local::Remote(other),
    })
}

/// With the certificate that is named, or else the context's; where both are named nothing is read
/// of the contexts.
fn approve(global: &Global, options: Approve, output: Output) -> Result<Exit, Failure> {
    if options.cert.is_some() {
        return dr::approve(options, None, &output);
    }
    let (_, file) = contexts(global)?;
    let (_, context) = file.choose(global.context.as_deref())?;
    dr::approve(options, Some(context), &output)
}

/// On this thread, because children of `--processes` end with the thread that started them.
fn develop(options: Dev, output: Output) -> Result<Exit, Failure> {
    here(dev::run(options, output))
}

/// On this thread, because children of `--processes` end with the thread that started them.
fn here(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(no_threads)?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

async fn probe(options: Probe, global: &Global, output: Output) -> Result<Exit, Failure> {
    let (_, file) = contexts(global)?;
    let (_, context) = file.choose(global.context.as_deref())?;
    let Probe { drill, list, rate, writers, due_every, due_after_ms } = options;
    let wanted = drill::prober::Wanted { drill, list, rate, writers, due_every, due_after_ms };
    drill::prober::run(context, output.lang, wanted).await
}

fn no_threads(error: std::io::Error) -> Failure {
    Failure::new(
        Exit::Error,
        "internal",
        both!("no threads could be started: {error}", "无法启动线程：{error}"),
    )
}

fn with_server(global: &Global, output: Output, command: Command) -> Result<Exit, Failure> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(no_threads)?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = remote(global, output, command) => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::new(
                Exit::Interrupted,
                "interrupted",
                both!("interrupted; what was sent may have been done", "已中断；已发出的操作可能已生效"),
            )),
        }
    });
    // A thread that still reads a file must not hold up the end.
    runtime.shutdown_background();
    result
}

async fn remote(global: &Global, output: Output, command: Command) -> Result<Exit, Failure> {
    let remote = connect(global, output).await?;
    match command {
        Command::Catalog(command) => remote::catalog::run(&remote, command).await,
        Command::Worklist(command) => remote::entry_life::run_worklist(&remote, command).await,
        Command::Organization(command) => remote::organization::run(&remote, command).await,
        Command::Person(command) => remote::organization::run_person(&remote, command).await,
        Command::System(command) => remote::organization::run_system(&remote, command).await,
        Command::Request(command) => remote::request::run(&remote, command).await,
        Command::Grant(command) => remote::grant::run(&remote, command).await,
        Command::ServiceChange(command) => remote::service_change::run(&remote, command).await,
        Command::Dataset(command) => Box::pin(remote::dataset::run(&remote, command)).await,
        Command::Duties(command) => remote::dataset::run_duties(&remote, command).await,
        Command::Source(command) => remote::dataset::run_source(&remote, command).await,
        Command::Transfer(command) => remote::transfer::run(&remote, command).await,
        Command::Objection(command) => Box::pin(remote::objection::run(&remote, command)).await,
        Command::Emergency(command) => {
            Box::pin(remote::acquisition::run_emergency(&remote, command)).await
        }
        Command::Purchase(command) => remote::acquisition::run_purchase(&remote, command).await,
        Command::Contract(command) => remote::acquisition::run_contract(&remote, command).await,
        Command::Project(command) => remote::acquisition::run_project(&remote, command).await,
        Command::Platform(command) => remote::acquisition::run_platform(&remote, command).await,
        Command::Quality(command) => Box::pin(remote::quality::run(&remote, command)).await,
        Command::Dispute(command) => remote::dispute::run(&remote, command).await,
        Command::Demand(command) => remote::demand::run(&remote, command).await,
        Command::Separation(command) => remote::separation::run(&remote, command).await,
        Command::Receipt(Receipt::Get { name, record }) => {
            remote::receipt::get(&remote, name, record).await
        }
        Command::Audit(command) => remote::audit::run(&remote, command).await,
        Command::Case(Case::Bag { name, file, trust }) => {
            remote::case_bag::write(&remote, name, &file, trust.as_deref()).await
        }
        Command::Today(asked) => remote::work::today(&remote, asked).await,
        Command::Statistics(asked) => remote::work::statistics(&remote, asked).await,
        Command::Notice(command) => remote::notice::run(&remote, command).await,
        Command::Webhook(command) => remote::notice::run_webhook(&remote, command).await,
        Command::Explain(asked) => remote::explain::explain(&remote, asked.request_id).await,
        Command::Status { domain } => remote::status::show(&remote, domain.as_deref()).await,
        Command::Cluster(command) => remote::cluster::run(&remote, command).await,
        Command::Drill(command) => remote::drill::run(&remote, command).await,
        Command::Rules(command) => remote::rules::run(&remote, command).await,
        Command::Dr(command) => remote::dr::run(&remote, command).await,
        Command::Outage(command) => remote::outage::run(&remote, command).await,
        Command::Calendar(
            command @ (Calendar::Load { .. } | Calendar::Close { .. } | Calendar::Reopen { .. }),
        ) => remote::calendar::run(&remote, command).await,
        Command::Dev(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Receipt(Receipt::Verify { .. })
        | Command::Calendar(Calendar::Due { .. })
        | Command::Case(Case::Check { .. })
        | Command::Completions { .. } => unreachable!("done without a server"),
    }
}

/// The file of contexts, and where it lies.
pub(crate) fn contexts(global: &Global) -> Result<(PathBuf, ContextFile), Failure> {
    let path = global.contexts.clone().or_else(context::default_path).ok_or_else(|| {
        Failure::usage(both!(
            "where are the contexts? Name their file with --contexts",
            "请用 --contexts 指定上下文文件"
        ))
    })?;
    let file = context::read(&path)?;
    Ok((path, file))
}

async fn connect(global: &Global, output: Output) -> Result<Remote, Failure> {
    let (_, file) = contexts(global)?;
    let (name, context) = file.choose(global.context.as_deref())?;
    output.detail(&both!("context {name}", "上下文 {name}"));
    let session = Session::open(context, output.lang, global.timeout).await?;
    Ok(Remote { session, output })
}
