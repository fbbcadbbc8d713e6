//! What `init` needs to know.

use crate::appender::{Appender, ConsoleAppender, FileSplitAppender};
use crate::filter::Filter;
use log::LevelFilter;

/// Levels, appenders and filters, set one after the other.
pub struct Config {
    pub level: LevelFilter,
    pub appenders: Vec<Box<dyn Appender>>,
    pub filters: Vec<Box<dyn Filter>>,
}

impl Default for Config {
    fn default() -> Self {
        Self { level: LevelFilter::Trace, appenders: Vec::new(), filters: Vec::new() }
    }
}

impl Config {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self
    }

    pub fn console(self) -> Self {
        self.custom(ConsoleAppender)
    }

    pub fn file_split(self, directory: &str, limit: u64) -> Self {
        self.custom(FileSplitAppender::new(directory, limit))
    }

    pub fn custom(mut self, appender: impl Appender + 'static) -> Self {
        self.appenders.push(Box::new(appender));
        self
    }

    pub fn add_filter(mut self, filter: impl Filter + 'static) -> Self {
        self.filters.push(Box::new(filter));
        self
    }
}
