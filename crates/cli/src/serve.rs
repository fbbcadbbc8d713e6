//! `cratekeeper serve`, and what is done with a gate's database beside it.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cratekeeper_registry::{CargoConfig, CargoEnvironment};
use cratekeeper_server::{Clock, Configuration, FILE, Gate, OpenError, Setup, UpstreamConfiguration};
use cratekeeper_store::{AuditKey, Checkpoint, Store};

use crate::arguments::{AuditLog, AuditLogCommand, Backup, Global, Judging, Serve};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::{output, setup};

/// File with the key that signs checkpoints, in the data directory.
const KEY: &str = "audit.key";

pub(crate) fn run(arguments: &Serve, global: &Global) -> anyhow::Result<Exit> {
    let mut configuration = configuration(arguments)?;
    std::fs::create_dir_all(&arguments.data)
        .with_context(|| format!("failed to make the directory `{}`", arguments.data.display()))?;
    let directory = std::fs::canonicalize(&arguments.data)?;
    let beside = configuration.policy.clone();
    let (policy, policy_name) = setup::policy(beside.as_deref(), Some(&directory))?;
    let judging = Judging {
        policy: None,
        advisory_db: arguments.advisory_db.clone(),
        max_advisory_age: None,
        fail_on: None,
        allow_unchecked: true,
    };
    // Configuration of the directory that the gate is started in must not take part: only that of cargo's home.
    let engine = setup::engine(Path::new("/"), global, &judging, &arguments.limits)?.deciding_by(policy);
    let environment = CargoEnvironment::from_process().context("failed to find cargo's home")?;
    let cargo = CargoConfig::load(Path::new("/"), &environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(configuration.listen)
            .await
            .map_err(|error| not_bound(configuration.listen, &error))?;
        // Port 0 is another one by now.
        configuration.listen = listener.local_addr()?;
        let gate = Gate::open(Setup {
            configuration,
            directory: directory.clone(),
            cargo,
            engine,
            clock: Clock::System,
        })
        .await
        .map_err(hinted)?;
        announce(&gate, &directory, &policy_name).await?;
        cratekeeper_server::serve(gate, listener, stopped()).await.context("failed to serve")?;
        Ok(Exit::Clean)
    })
}

/// What the file says, and the arguments on top.
fn configuration(arguments: &Serve) -> anyhow::Result<Configuration> {
    let mut configuration = Configuration::read(&arguments.data.join(FILE))?;
    if let Some(listen) = arguments.listen {
        configuration.listen = listen;
    }
    let take = |given: &Option<String>, kept: &mut Option<String>| {
        if given.is_some() {
            kept.clone_from(given);
        }
    };
    take(&arguments.public_url, &mut configuration.public_url);
    take(&arguments.database, &mut configuration.database);
    take(&arguments.archives, &mut configuration.archives);
    if arguments.policy.is_some() {
        configuration.policy.clone_from(&arguments.policy);
    }
    for upstream in &arguments.upstream {
        let Some((name, index)) = upstream.split_once('=') else {
            let message = format!("failed to read the upstream `{upstream}`");
            return Err(Hinted::message(message, "write it like mirror=https://index.example.com/").into());
        };
        let entry = UpstreamConfiguration { index: index.to_owned(), ..UpstreamConfiguration::default() };
        configuration.upstream.insert(name.to_owned(), entry);
    }
    Ok(configuration)
}

/// Says where to go. The set-up link goes to the terminal alone, never to the log.
async fn announce(gate: &Arc<Gate>, directory: &Path, policy: &str) -> anyhow::Result<()> {
    let link = gate.setup_link().await?;
    let url = gate.url();
    output::write(|out| {
        writeln!(out, "cratekeeper listens on {url}")?;
        writeln!(out, "  data    {}", directory.display())?;
        writeln!(out, "  policy  {policy}")?;
        for (name, index) in gate.upstreams() {
            writeln!(out, "  front   {url}/proxy/{name}/index/ of {index}")?;
        }
        if let Some(link) = &link {
            writeln!(
                out,
                "\nNobody has an account yet. Within 30 minutes, make the first one here:\n  {}",
                link.expose()
            )?;
        }
        writeln!(out, "\nHow to build and publish through it: {url}/")?;
        if std::io::stdout().is_terminal() {
            writeln!(out, "Ctrl-C ends it.")?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Ready when the process is told to end.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupted => {}
            () = terminated => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}

fn not_bound(address: std::net::SocketAddr, error: &std::io::Error) -> anyhow::Error {
    let hint = if error.kind() == std::io::ErrorKind::AddrInUse {
        "another program listens there; choose another address with --listen, or --listen 127.0.0.1:0 for any that is free"
    } else {
        "choose another address with --listen"
    };
    Hinted::message(format!("failed to listen on {address}: {error}"), hint).into()
}

fn hinted(error: OpenError) -> anyhow::Error {
    let hint = error.hint();
    Hinted::new(error, hint).into()
}

async fn store(database: &crate::arguments::Database) -> anyhow::Result<Store> {
    Ok(match &database.database {
        Some(url) => Store::connect(url).await?,
        None => {
            let file = database.data.join(cratekeeper_store::DATABASE_FILE);
            if !file.is_file() {
                let message = format!("failed to find the gate's database `{}`", file.display());
                return Err(Hinted::message(message, "name the gate's directory with --data").into());
            }
            Store::open_directory(&database.data).await?
        }
    })
}

fn wait<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

pub(crate) fn backup(arguments: &Backup) -> anyhow::Result<Exit> {
    wait(async {
        let store = store(&arguments.database).await?;
        store.backup(&arguments.file).await?;
        output::write(|out| {
            writeln!(
                out,
                "{} holds the whole database; archives are files beside it",
                arguments.file.display()
            )
        })?;
        Ok(Exit::Clean)
    })
}

pub(crate) fn audit_log(arguments: &AuditLog) -> anyhow::Result<Exit> {
    match &arguments.command {
        AuditLogCommand::Verify { checkpoint, database } => wait(async {
            let kept = checkpoint
                .iter()
                .map(|it| read_checkpoint(it))
                .collect::<anyhow::Result<Vec<Checkpoint>>>()?;
            let report = store(database).await?.verify_audit_log(None, &kept).await?;
            output::write(|out| {
                writeln!(out, "{} entries, {} checkpoints", report.entries, report.checkpoints)?;
                report.problems.iter().try_for_each(|it| writeln!(out, "  {it}"))
            })?;
            Ok(if report.problems.is_empty() { Exit::Clean } else { Exit::Findings })
        }),
        AuditLogCommand::Checkpoint { file, database } => wait(async {
            let key = audit_key(&database.data)?;
            let checkpoint =
                store(database).await?.take_checkpoint(&key, jiff::Timestamp::now().as_second()).await?;
            let text = serde_json::to_string_pretty(&checkpoint)?;
            std::fs::write(file, text).with_context(|| format!("failed to write `{}`", file.display()))?;
            output::write(|out| {
                writeln!(out, "{}: keep it where the gate cannot change it", file.display())
            })?;
            Ok(Exit::Clean)
        }),
    }
}

fn read_checkpoint(path: &Path) -> anyhow::Result<Checkpoint> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("failed to read the checkpoint `{}`", path.display()))
}

/// The key that signs checkpoints; made, readable by its owner alone, where there is none.
fn audit_key(data: &Path) -> anyhow::Result<AuditKey> {
    let path = data.join(KEY);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(AuditKey::from_pkcs8(&bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (key, bytes) = AuditKey::generate()?;
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file =
                options.open(&path).with_context(|| format!("failed to make `{}`", path.display()))?;
            std::io::Write::write_all(&mut file, &bytes)?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("failed to read `{}`", path.display())),
    }
}
