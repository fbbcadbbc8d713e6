//! Sends log records to a collector, in lines of JSON.
//!
//! ```no_run
//! shiplog::install(shiplog::Udp::to("collector.example.invalid:5140")?, log::LevelFilter::Info)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;
use std::net::{ToSocketAddrs, UdpSocket};
use std::sync::mpsc::{sync_channel, SyncSender};

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

/// Takes lines and brings them to a collector.
pub trait Sink: Send + 'static {
    fn send(&mut self, line: &str) -> io::Result<()>;
}

/// One datagram for each record.
pub struct Udp {
    socket: UdpSocket,
}

impl Udp {
    pub fn to(address: impl ToSocketAddrs) -> io::Result<Udp> {
        let socket = UdpSocket::bind((std::net::Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(address)?;
        Ok(Udp { socket })
    }
}

impl Sink for Udp {
    fn send(&mut self, line: &str) -> io::Result<()> {
        self.socket.send(line.as_bytes()).map(drop)
    }
}

struct Logger {
    sender: SyncSender<String>,
}

/// Sends all records from a level on to a sink, on a thread of its own. Records beyond 1,024 waiting ones are dropped.
pub fn install(mut sink: impl Sink, level: LevelFilter) -> Result<(), SetLoggerError> {
    let (sender, receiver) = sync_channel::<String>(1024);
    log::set_boxed_logger(Box::new(Logger { sender }))?;
    log::set_max_level(level);
    std::thread::spawn(move || {
        for line in receiver {
            if let Err(error) = sink.send(&line) {
                eprintln!("failed to send a log record: {error}");
            }
        }
    });
    Ok(())
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            let line = format!("{{\"level\":\"{}\",\"target\":{:?},\"text\":{:?}}}", record.level(), record.target(), text);
            let _ = self.sender.try_send(line);
        }
    }

    fn flush(&self) {}
}
