//! Real `.crate` files, from the cache of the cargo that runs the tests.
//!
//! A machine without any skips the tests that need them, with a note: nothing is downloaded for a test.

use std::env;
use std::fs;
use std::path::PathBuf;

/// All `.crate` files in cargo's cache, sorted by file name.
pub(crate) fn crate_files() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let Some(home) = home else { return Vec::new() };
    let list = |directory: PathBuf| fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = list(home.join("registry/cache"))
        .flat_map(|registry| list(registry.path()))
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "crate"))
        .collect();
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    if files.is_empty() {
        println!("skipped: cargo's cache holds no `.crate` file");
    }
    files
}
