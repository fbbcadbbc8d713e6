//! Where records go.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// One record, on its way to the appenders.
#[derive(Clone, Debug)]
pub struct LogRecord {
    pub level: log::Level,
    pub target: String,
    pub text: String,
    pub line: Option<u32>,
    pub time: SystemTime,
}

impl LogRecord {
    pub fn format(&self) -> String {
        let seconds = self.time.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        format!("{seconds} [{}] {}:{} {}\n", self.level, self.target, self.line.unwrap_or(0), self.text)
    }
}

/// Takes records, one after the other, on the logging thread.
pub trait Appender: Send {
    fn append(&mut self, record: &LogRecord);
    fn flush(&mut self) {}
}

/// Writes to standard output.
pub struct ConsoleAppender;

impl Appender for ConsoleAppender {
    fn append(&mut self, record: &LogRecord) {
        print!("{}", record.format());
    }
}

/// Writes to a file and begins a new one when it is full.
pub struct FileSplitAppender {
    directory: PathBuf,
    limit: u64,
    written: u64,
    number: u32,
    file: Option<BufWriter<File>>,
}

impl FileSplitAppender {
    pub fn new(directory: impl AsRef<Path>, limit: u64) -> Self {
        Self { directory: directory.as_ref().to_owned(), limit, written: 0, number: 0, file: None }
    }

    fn next_file(&mut self) -> std::io::Result<BufWriter<File>> {
        std::fs::create_dir_all(&self.directory)?;
        self.number += 1;
        self.written = 0;
        let path = self.directory.join(format!("{}.log", self.number));
        Ok(BufWriter::new(OpenOptions::new().create(true).append(true).open(path)?))
    }
}

impl Appender for FileSplitAppender {
    fn append(&mut self, record: &LogRecord) {
        let text = record.format();
        if self.file.is_none() || self.written + text.len() as u64 > self.limit {
            self.flush();
            self.file = self.next_file().ok();
        }
        if let Some(file) = &mut self.file {
            if file.write_all(text.as_bytes()).is_ok() {
                self.written += text.len() as u64;
            }
        }
    }

    fn flush(&mut self) {
        if let Some(file) = &mut self.file {
            let _ = file.flush();
        }
    }
}
