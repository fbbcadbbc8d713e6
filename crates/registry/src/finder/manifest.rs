//! Name and version of the package in a directory: as much of `Cargo.toml` as finding one takes.

use std::path::Path;

use serde::Deserialize;

/// Larger manifests exist only to exhaust memory.
const MAX_MANIFEST_SIZE: u64 = 4 << 20;

#[derive(Deserialize)]
struct Manifest {
    package: Option<Identity>,
}

/// What a manifest says about its package.
#[derive(Deserialize)]
pub(super) struct Identity {
    pub(super) name: String,
    /// A table in manifests that inherit the workspace's version.
    version: Option<toml::Value>,
}

impl Identity {
    /// The version, if it stands in the manifest itself.
    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_ref()?.as_str()
    }
}

/// Reads the manifest in `directory`; `None` if it has none, or none that cargo would accept.
pub(super) fn read(directory: &Path) -> Option<Identity> {
    let text = crate::files::read_text(&directory.join("Cargo.toml"), MAX_MANIFEST_SIZE).ok()?;
    toml::from_str::<Manifest>(&text).ok()?.package
}
