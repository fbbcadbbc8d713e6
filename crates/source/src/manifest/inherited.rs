//! Puts into a member's manifest what it inherits from the root of its workspace, as cargo does when it packs a crate.
//!
//! Rules: <https://doc.rust-lang.org/cargo/reference/workspaces.html#the-package-table>. What the root lacks stays as it is, and
//! is then reported like any field that cannot be read.

use toml::{Table, Value};

/// Tables that hold dependencies, deprecated spellings included.
const TABLES: [&str; 5] =
    ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"];

pub(super) fn inherit(manifest: &mut Table, root: &Table) {
    let Some(workspace) = root.get("workspace").and_then(Value::as_table) else { return };
    let in_workspace = |name: &str| workspace.get(name).and_then(Value::as_table);
    if let (Some(package), Some(shared)) =
        (manifest.get_mut("package").and_then(Value::as_table_mut), in_workspace("package"))
    {
        for (name, value) in package.iter_mut().filter(|(_, value)| is_inherited(value)) {
            if let Some(inherited) = shared.get(name) {
                value.clone_from(inherited);
            }
        }
    }
    let Some(shared) = in_workspace("dependencies") else { return };
    dependencies(manifest, shared);
    let platforms = manifest.get_mut("target").and_then(Value::as_table_mut);
    for (_, platform) in platforms.into_iter().flatten() {
        if let Some(platform) = platform.as_table_mut() {
            dependencies(platform, shared);
        }
    }
}

fn dependencies(manifest: &mut Table, shared: &Table) {
    for name in TABLES {
        let table = manifest.get_mut(name).and_then(Value::as_table_mut);
        for (key, value) in table.into_iter().flatten().filter(|(_, value)| is_inherited(value)) {
            if let (Value::Table(own), Some(shared)) = (&*value, shared.get(key)) {
                *value = Value::Table(merged(own, shared));
            }
        }
    }
}

/// The workspace's entry with what the member adds: whether it is optional, and features.
fn merged(own: &Table, shared: &Value) -> Table {
    let mut merged = match shared {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    if let Some(optional) = own.get("optional") {
        merged.insert("optional".to_owned(), optional.clone());
    }
    let features =
        |table: &Table| table.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all = features(&merged);
    all.extend(features(own));
    if !all.is_empty() {
        merged.insert("features".to_owned(), Value::Array(all));
    }
    // A member can switch default features on, but not off again.
    let default = |table: &Table| {
        table.get("default-features").or_else(|| table.get("default_features")).and_then(Value::as_bool)
    };
    if default(own) == Some(true) {
        merged.remove("default_features");
        merged.insert("default-features".to_owned(), Value::Boolean(true));
    }
    merged
}

/// `{ workspace = true }`, with or without more.
fn is_inherited(value: &Value) -> bool {
    let workspace = value.as_table().and_then(|table| table.get("workspace"));
    workspace.and_then(Value::as_bool) == Some(true)
}
