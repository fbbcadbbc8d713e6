//! `cratekeeper serve`, and what is done with a gate's database beside it.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cratekeeper_registry::{CargoConfig, CargoEnvironment};
use cratekeeper_server::{
    Clock, Configuration, FILE, Gate, OpenError, Recovery, Setup, UpstreamConfiguration,
};
use cratekeeper_store::{Checkpoint, Store};
use serde_json::Value;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::{AuditLog, AuditLogCommand, Backup, Global, Judging, Recover, Serve};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::{output, setup};

/// How long what is done in threads gets to end with the program: an inspection goes on for a minute, and is begun again by the next start.
const THREADS_END: Duration = Duration::from_secs(2);

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
    let written = policy.digest();
    let engine = setup::engine(Path::new("/"), global, &judging, &arguments.limits)?.deciding_by(policy);
    let environment = CargoEnvironment::from_process().context("failed to find cargo's home")?;
    let cargo = CargoConfig::load(Path::new("/"), &environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
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
        // Before anything is said: whoever reads it may tell the program to end, or to read its files again.
        let signals = Signals::listen()?;
        let policy_name = if gate.policy() == written { policy_name } else { "set by people".to_owned() };
        announce(&gate, &directory, &policy_name).await?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let signalled = tokio::spawn(signals.follow(gate.clone(), stop));
        let stopped = async {
            let _ = stopped.await;
        };
        tokio::select! {
            served = cratekeeper_server::serve(gate, listener, stopped) => served.context("failed to serve")?,
            _ = signalled => tracing::warn!("told to end a second time: what is under way is cut off"),
        }
        Ok(Exit::Clean)
    });
    runtime.shutdown_timeout(THREADS_END);
    ended
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

/// What the process is told from outside.
struct Signals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    hang_up: Signal,
}

impl Signals {
    /// Listens from now on.
    fn listen() -> std::io::Result<Signals> {
        #[cfg(unix)]
        return Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        });
        #[cfg(not(unix))]
        Ok(Signals {})
    }

    /// Has files read again at each hang-up; says `stop` when the process is told to end, and is ready when it is told so a second time.
    async fn follow(mut self, gate: Arc<Gate>, stop: tokio::sync::oneshot::Sender<()>) {
        let mut stop = Some(stop);
        loop {
            match self.next().await {
                Told::End => match stop.take() {
                    Some(stop) => {
                        let _ = stop.send(());
                    }
                    None => return,
                },
                // Broken files leave everything as it is; the gate goes on.
                #[cfg(unix)]
                Told::Reload => match gate.reload("(signal)", None).await {
                    Ok(_) => {}
                    Err(error) => tracing::error!("failed to reload: {error}"),
                },
            }
        }
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::End,
            _ = self.interrupt.recv() => Told::End,
            _ = self.hang_up.recv() => Told::Reload,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Told {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Told::End
    }
}

/// What a signal means.
enum Told {
    End,
    #[cfg(unix)]
    Reload,
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
                "{} holds the whole database; archives, and what the vault has sealed, are files beside it, and the keys that open it are kept apart",
                arguments.file.display()
            )
        })?;
        Ok(Exit::Clean)
    })
}

pub(crate) fn recover(arguments: &Recover) -> anyhow::Result<Exit> {
    let mut configuration = Configuration::read(&arguments.database.data.join(FILE))?;
    if arguments.public_url.is_some() {
        configuration.public_url.clone_from(&arguments.public_url);
    }
    let recovery = Recovery {
        login: arguments.login.clone(),
        reason: arguments.reason.clone(),
        enable: arguments.enable,
        admin: arguments.admin,
    };
    wait(async {
        let store = match (&arguments.database.database, &configuration.database) {
            (None, Some(url)) => Store::connect(url).await?,
            _ => store(&arguments.database).await?,
        };
        let at = jiff::Timestamp::now().as_second();
        let recovered = cratekeeper_server::recover(&store, &configuration.url(), &recovery, at).await;
        let recovered = recovered.map_err(|error| {
            let hint = error.hint();
            Hinted::new(error, hint)
        })?;
        // To the terminal alone, never to a log.
        output::write(|out| {
            writeln!(out, "{}", recovered.user.login)?;
            recovered.changes.iter().try_for_each(|it| writeln!(out, "  {it}"))?;
            writeln!(
                out,
                "\nWhoever opens this first, within 30 minutes, chooses how the account signs in:"
            )?;
            writeln!(out, "  {}", recovered.link.expose())?;
            writeln!(out, "\nThe audit log has an entry, by `(machine)`.")
        })?;
        Ok(Exit::Clean)
    })
}

pub(crate) fn audit_log(arguments: &AuditLog) -> anyhow::Result<Exit> {
    match &arguments.command {
        AuditLogCommand::Verify { checkpoint, key, database } => wait(async {
            let mut kept = Vec::new();
            for path in checkpoint {
                kept.extend(read_checkpoints(path)?);
            }
            let report = store(database).await?.verify_audit_log(key, &kept).await?;
            output::write(|out| {
                writeln!(out, "{} entries, {} checkpoints", report.entries, report.checkpoints)?;
                for signer in &report.signers {
                    let how = if key.is_empty() {
                        "not compared with a key that you know: give --key"
                    } else {
                        "trusted"
                    };
                    writeln!(out, "  signed by {signer} ({how})")?;
                }
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
                writeln!(out, "{}: keep it where the gate cannot change it", file.display())?;
                writeln!(out, "signed by {}", checkpoint.signer)
            })?;
            Ok(Exit::Clean)
        }),
        AuditLogCommand::Key { data } => {
            let key = audit_key(data)?;
            output::write(|out| writeln!(out, "{}", key.public()))?;
            Ok(Exit::Clean)
        }
    }
}

/// The key that signs checkpoints, where the configuration says, or in the data directory.
fn audit_key(data: &Path) -> anyhow::Result<cratekeeper_store::AuditKey> {
    let checkpoints = Configuration::read(&data.join(FILE))?.checkpoints;
    cratekeeper_server::audit_key(&checkpoints, data).map_err(|error| {
        let hint = error.hint().map(str::to_owned);
        Hinted::new(error, hint).into()
    })
}

/// The checkpoints of a file: one or several, as they were signed or as a webhook was told them.
fn read_checkpoints(path: &Path) -> anyhow::Result<Vec<Checkpoint>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let read = value.and_then(|mut value| {
            let told = value.get_mut("checkpoint").map(Value::take);
            serde_json::from_value::<Checkpoint>(told.unwrap_or(value))
        });
        found.push(read.with_context(|| {
            format!("failed to read the checkpoint {} of `{}`", found.len() + 1, path.display())
        })?);
    }
    if found.is_empty() {
        let message = format!("failed to find a checkpoint in `{}`", path.display());
        return Err(
            Hinted::message(message, "it is a file that `audit-log checkpoint` or the gate wrote").into()
        );
    }
    Ok(found)
}
