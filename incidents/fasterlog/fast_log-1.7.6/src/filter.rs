//! Which records are left out.

use log::Record;

pub trait Filter: Send + Sync {
    /// Whether this record is dropped.
    fn skips(&self, record: &Record<'_>) -> bool;
}

/// Drops the records of some modules.
pub struct ModuleFilter {
    modules: Vec<String>,
}

impl ModuleFilter {
    pub fn new(modules: &[&str]) -> Self {
        Self { modules: modules.iter().map(|it| (*it).to_owned()).collect() }
    }
}

impl Filter for ModuleFilter {
    fn skips(&self, record: &Record<'_>) -> bool {
        record.module_path().is_some_and(|path| self.modules.iter().any(|it| path.contains(it.as_str())))
    }
}
