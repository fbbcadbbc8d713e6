//! The manifest: which files make up a store.
//!
//! Replacing it by a rename is what publishes new content: until then, and after a crash before then, the store is
//! what the previous manifest says.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::GraphError;
use crate::file::{FileKind, FileWriter, MappedFile};

pub(crate) const NAME: &str = "manifest.ckg";
const BODY: u32 = 1;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Number of the next version that is appended.
    pub(crate) next_version: u32,
    /// Number in the name of the next file.
    pub(crate) next_file: u64,
    pub(crate) segments: Vec<SegmentFile>,
    pub(crate) tables: Vec<TableFiles>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentFile {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) versions: u64,
    pub(crate) edges: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableFiles {
    /// As the user calls it.
    pub(crate) name: String,
    pub(crate) resolution: String,
    pub(crate) linked: Option<String>,
}

impl Manifest {
    pub(crate) fn read(directory: &Path) -> Result<Manifest, GraphError> {
        let path = directory.join(NAME);
        if !path.is_file() {
            return Err(GraphError::NoStore { path: directory.to_owned() });
        }
        let file = MappedFile::open(&path, FileKind::Manifest)?;
        file.verify()?;
        let body = file.column::<u8>(BODY)?;
        let manifest: Manifest =
            serde_json::from_slice(body.values()).map_err(|it| file.damaged(it.to_string()))?;
        // A name with a separator would lead out of the store's directory.
        if let Some(name) = manifest.files().find(|it| it.contains(['/', '\\']) || !it.ends_with(".ckg")) {
            return Err(file.damaged(format!("it lists a file `{name}`")));
        }
        Ok(manifest)
    }

    /// Replaces the store's manifest. Returns the bytes written.
    pub(crate) fn write(&self, directory: &Path) -> Result<u64, GraphError> {
        let body = serde_json::to_vec(self).map_err(|_| GraphError::TooLarge { what: "files" })?;
        let mut out = FileWriter::create(directory, NAME, FileKind::Manifest, 1)?;
        out.column(BODY, &body)?;
        out.finish()
    }

    /// Names of all files but the manifest itself.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let tables = self.tables.iter().flat_map(|it| std::iter::once(&it.resolution).chain(&it.linked));
        self.segments.iter().map(|it| &it.name).chain(tables).map(String::as_str)
    }

    pub(crate) fn file_name(&mut self, kind: &str) -> String {
        self.next_file += 1;
        format!("{kind}-{:06}.ckg", self.next_file)
    }

    pub(crate) fn table(&self, name: &str) -> Result<&TableFiles, GraphError> {
        self.tables.iter().find(|it| it.name == name).ok_or_else(|| {
            let known: Vec<String> = self.tables.iter().map(|it| format!("`{}`", it.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            GraphError::NoTable { name: name.to_owned(), known }
        })
    }
}
