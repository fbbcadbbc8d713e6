//! One configuration file: TOML, includes, paths made absolute, and how two of them merge.

use std::io;
use std::path::Path;

use toml::{Table, Value};

use super::ConfigError;

/// Configuration files are a few kilobytes; the limit keeps a planted one from filling memory.
const MAX_CONFIG_SIZE: u64 = 1 << 20;

/// How deep `include` may nest. Cargo has no limit but refuses cycles, which this also ends.
const MAX_INCLUDE_DEPTH: usize = 8;

/// How many files one configuration file may pull in, over all levels of `include`.
const MAX_INCLUDES: usize = 64;

/// Reads the file at `path` and everything it includes.
pub(super) fn read_config(path: &Path) -> Result<Table, ConfigError> {
    read_nested(path, 0, &mut 0)
}

fn read_nested(path: &Path, depth: usize, included: &mut usize) -> Result<Table, ConfigError> {
    let text = crate::files::read_text(path, MAX_CONFIG_SIZE)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let mut table: Table = toml::from_str(&text).map_err(|error| malformed(path, &text, &error))?;
    // Cargo's rule: relative to the parent of the directory that holds the file, also for files with
    // another name than `.cargo/config.toml`.
    let base = path.parent().and_then(Path::parent).unwrap_or(path);
    absolutize(&mut table, base);
    let Some(includes) = table.remove("include") else { return Ok(table) };
    let mut below = Table::new();
    for (include, presence) in includes_of(&includes) {
        let refuse =
            |message| ConfigError::Include { path: path.to_owned(), include: include.to_owned(), message };
        *included += 1;
        if depth >= MAX_INCLUDE_DEPTH || *included > MAX_INCLUDES {
            return Err(refuse("includes are nested too deeply, or go in a circle"));
        }
        if !include.ends_with(".toml") {
            return Err(refuse("only files whose name ends in `.toml` can be included"));
        }
        let file = path.parent().unwrap_or(path).join(include);
        match read_nested(&file, depth + 1, included) {
            Ok(mut later) => {
                merge(&mut later, below);
                below = later;
            }
            Err(ConfigError::Read { source, .. })
                if presence == Presence::Optional && source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    merge(&mut table, below);
    Ok(table)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// `include` is a list of paths or `{ path, optional }`; older nightly cargo also took a lone string.
fn includes_of(value: &Value) -> Vec<(&str, Presence)> {
    match value {
        Value::Array(values) => values.iter().filter_map(one_include).collect(),
        value => one_include(value).into_iter().collect(),
    }
}

fn one_include(value: &Value) -> Option<(&str, Presence)> {
    if let Value::String(path) = value {
        return Some((path, Presence::Required));
    }
    let optional = value.get("optional").and_then(Value::as_bool) == Some(true);
    let presence = if optional { Presence::Optional } else { Presence::Required };
    Some((value.get("path")?.as_str()?, presence))
}

/// Makes the paths absolute that this crate uses or passes on.
fn absolutize(table: &mut Table, base: &Path) {
    for source in tables_of(table.get_mut("source")) {
        join_at(source, "directory", base);
        join_at(source, "local-registry", base);
    }
    for patch in tables_of(table.get_mut("patch")).flat_map(|registry| registry.iter_mut()) {
        if let Value::Table(dependency) = patch.1 {
            join_at(dependency, "path", base);
        }
    }
    if let Some(Value::Table(http)) = table.get_mut("http") {
        join_at(http, "cainfo", base);
    }
    for path in table.get_mut("paths").and_then(Value::as_array_mut).into_iter().flatten() {
        join(path, base);
    }
}

fn tables_of(value: Option<&mut Value>) -> impl Iterator<Item = &mut Table> {
    let tables = value.and_then(Value::as_table_mut).into_iter().flatten();
    tables.filter_map(|(_, value)| value.as_table_mut())
}

fn join_at(table: &mut Table, key: &str, base: &Path) {
    if let Some(value) = table.get_mut(key) {
        join(value, base);
    }
}

fn join(value: &mut Value, base: &Path) {
    if let Value::String(path) = value {
        *path = base.join(&*path).to_string_lossy().into_owned();
    }
}

/// Adds `weaker` to `stronger`: tables merge, lists are joined with the stronger items last, and of two
/// other values the stronger one stays.
pub(super) fn merge(stronger: &mut Table, weaker: Table) {
    for (key, value) in weaker {
        match (stronger.get_mut(&key), value) {
            (None, value) => {
                stronger.insert(key, value);
            }
            (Some(Value::Table(stronger)), Value::Table(weaker)) => merge(stronger, weaker),
            (Some(Value::Array(stronger)), Value::Array(mut weaker)) => {
                weaker.append(stronger);
                *stronger = weaker;
            }
            _ => {}
        }
    }
}

fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let offset = error.span().map_or(0, |span| span.start);
    let before = text.get(..offset).unwrap_or(text);
    ConfigError::Malformed {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.chars().rev().take_while(|character| *character != '\n').count() + 1,
        message: error.message().to_owned(),
    }
}
