//! Logging whose callers never wait: records go through a channel to one writing thread.
//!
//! ```
//! use faster_log::Config;
//!
//! faster_log::init(Config::new().console()).unwrap();
//! log::info!("ready");
//! ```

pub mod appender;
pub mod config;
pub mod error;
pub mod filter;
mod packer;

use std::sync::OnceLock;
use std::time::SystemTime;

pub use appender::{Appender, LogRecord};
pub use config::Config;
pub use error::LogError;

use crossbeam_channel::{unbounded, Sender};
use log::{LevelFilter, Log, Metadata, Record};

static LOGGER: Logger = Logger { sender: OnceLock::new(), filters: OnceLock::new() };

/// The logger that `init` installs.
pub struct Logger {
    sender: OnceLock<Sender<Command>>,
    filters: OnceLock<Vec<Box<dyn filter::Filter>>>,
}

enum Command {
    Record(LogRecord),
    Flush(Sender<()>),
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let left_out = self.filters.get().is_some_and(|all| all.iter().any(|it| it.skips(record)));
        if left_out || !self.enabled(record.metadata()) {
            return;
        }
        if let Some(sender) = self.sender.get() {
            let _ = sender.send(Command::Record(LogRecord {
                level: record.level(),
                target: record.target().to_owned(),
                text: record.args().to_string(),
                line: record.line(),
                time: SystemTime::now(),
            }));
        }
    }

    fn flush(&self) {
        if let Some(sender) = self.sender.get() {
            let (done, wait) = crossbeam_channel::bounded(1);
            if sender.send(Command::Flush(done)).is_ok() {
                let _ = wait.recv();
            }
        }
    }
}

/// Installs the logger and starts its thread.
pub fn init(config: Config) -> Result<&'static Logger, LogError> {
    let (sender, receiver) = unbounded();
    LOGGER.sender.set(sender).map_err(|_| LogError::AlreadyInstalled)?;
    let Config { level, mut appenders, filters } = config;
    let _ = LOGGER.filters.set(filters);
    log::set_max_level(level);
    log::set_logger(&LOGGER).map_err(|_| LogError::AlreadyInstalled)?;
    std::thread::Builder::new()
        .name("faster_log".to_owned())
        .spawn(move || {
            if let Ok(directory) = std::env::current_dir() {
                packer::pack(&directory);
            }
            for command in receiver {
                match command {
                    Command::Record(record) => appenders.iter_mut().for_each(|it| it.append(&record)),
                    Command::Flush(done) => {
                        appenders.iter_mut().for_each(|it| it.flush());
                        let _ = done.send(());
                    }
                }
            }
        })
        .map_err(LogError::Thread)?;
    Ok(&LOGGER)
}

/// Sets the level below which records are dropped.
pub fn set_level(level: LevelFilter) {
    log::set_max_level(level);
}
