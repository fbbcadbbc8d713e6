//! A store: the directory, what it contains, and the only way to change it.
//!
//! Everything is appended. A file that is listed in the manifest never changes; what is no longer listed is removed
//! after the manifest that does not list it has been written.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use cratekeeper_model::PackageId;
use cratekeeper_model::graph::{CallGraph, UnresolvedReason};

use crate::manifest::{Manifest, SegmentFile, TableFiles};
use crate::resolution::{Resolution, ResolutionTable};
use crate::segment::{Segment, SegmentBuilder, VersionNumber};
use crate::{Graph, GraphError, VersionEntry, link, manifest};

const LOCK: &str = "lock";

/// Segments with fewer edges than this are merged with others.
const SMALL_SEGMENT: u64 = 1 << 18;

/// A store of call graphs, open for reading.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    manifest: Manifest,
}

/// A store that this process may change; others that try are refused until this value is dropped.
#[derive(Debug)]
pub struct StoreWriter {
    store: Store,
    _lock: File,
}

/// A version as a listing of the store shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// Its number in this store.
    pub number: VersionNumber,
    /// What is known of it.
    pub entry: VersionEntry,
}

/// Files and sizes of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSummary {
    /// Versions in segments, those that others have replaced included.
    pub versions: u64,
    /// Calls in segments.
    pub edges: u64,
    /// Segments.
    pub segments: usize,
    /// Bytes of all segments.
    pub segment_bytes: u64,
    /// Names of resolution tables, with whether they are linked.
    pub tables: Vec<(String, bool)>,
}

impl Store {
    /// Opens a store. Reads its manifest and nothing else.
    ///
    /// # Errors
    ///
    /// When there is none, or its manifest is damaged or of another version.
    pub fn open(directory: &Path) -> Result<Store, GraphError> {
        Ok(Store { directory: directory.to_owned(), manifest: Manifest::read(directory)? })
    }

    /// Which files there are and how large.
    #[must_use]
    pub fn summary(&self) -> StoreSummary {
        let segments = &self.manifest.segments;
        StoreSummary {
            versions: segments.iter().map(|it| it.versions).sum(),
            edges: segments.iter().map(|it| it.edges).sum(),
            segments: segments.len(),
            segment_bytes: segments.iter().map(|it| it.bytes).sum(),
            tables: self.manifest.tables.iter().map(|it| (it.name.clone(), it.linked.is_some())).collect(),
        }
    }

    fn segments(&self) -> Result<Vec<Segment>, GraphError> {
        self.manifest.segments.iter().map(|it| Segment::open(&self.directory.join(&it.name))).collect()
    }

    /// Every version with its number, in the order in which they were appended.
    ///
    /// # Errors
    ///
    /// When a segment cannot be read.
    pub fn versions(&self) -> Result<Vec<StoredVersion>, GraphError> {
        let mut versions = Vec::new();
        for segment in self.segments()? {
            for index in 0..segment.len() {
                let version = segment.version(index)?;
                versions.push(StoredVersion { number: version.row.number, entry: version.entry()? });
            }
        }
        versions.sort_by_key(|it| it.number);
        Ok(versions)
    }

    /// Numbers by package id. Of a package that was appended again, the latest.
    ///
    /// # Errors
    ///
    /// When a segment cannot be read.
    pub fn numbers(&self) -> Result<HashMap<String, VersionNumber>, GraphError> {
        let mut numbers = HashMap::new();
        for segment in self.segments()? {
            for index in 0..segment.len() {
                let row = segment.version(index)?.row;
                let number = numbers.entry(segment.text(row.package_id)?.to_owned()).or_insert(row.number);
                *number = row.number.max(*number);
            }
        }
        Ok(numbers)
    }

    /// Number of a package.
    ///
    /// # Errors
    ///
    /// When a segment cannot be read.
    pub fn number(&self, id: &PackageId) -> Result<Option<VersionNumber>, GraphError> {
        Ok(self.numbers()?.get(id.as_str()).copied())
    }

    /// The call graph of a version as it was appended, its calls sorted by caller.
    ///
    /// # Errors
    ///
    /// When there is no such version or a segment cannot be read.
    pub fn call_graph(&self, number: VersionNumber) -> Result<(VersionEntry, CallGraph), GraphError> {
        for segment in self.segments()? {
            for index in 0..segment.len() {
                let version = segment.version(index)?;
                if version.row.number == number {
                    return Ok((version.entry()?, version.graph()?));
                }
            }
        }
        Err(GraphError::NoVersion { number })
    }

    /// Calls of which no callee is known, by reason, of each version that has any.
    ///
    /// # Errors
    ///
    /// When a segment cannot be read.
    pub fn unresolved_calls(
        &self,
    ) -> Result<HashMap<VersionNumber, Vec<(UnresolvedReason, u64)>>, GraphError> {
        let mut calls = HashMap::new();
        for segment in self.segments()? {
            for index in 0..segment.len() {
                let version = segment.version(index)?;
                let counts = UnresolvedReason::ALL.into_iter().zip(version.unresolved_counts()?);
                let counts: Vec<_> = counts.filter(|it| it.1 > 0).collect();
                if !counts.is_empty() {
                    calls.insert(version.row.number, counts);
                }
            }
        }
        Ok(calls)
    }

    /// A resolution table as it was written, sorted by version number.
    ///
    /// # Errors
    ///
    /// When there is none of that name or it cannot be read.
    pub fn resolution(&self, name: &str) -> Result<Resolution, GraphError> {
        self.table(name)?.resolution()
    }

    fn table(&self, name: &str) -> Result<ResolutionTable, GraphError> {
        ResolutionTable::open(&self.directory.join(&self.manifest.table(name)?.resolution))
    }

    /// Opens the linked index of a resolution table.
    ///
    /// # Errors
    ///
    /// When there is no such table, it is not linked, or its index is damaged or of another version.
    pub fn graph(&self, table: &str) -> Result<Graph, GraphError> {
        let linked = self.manifest.table(table)?.linked.as_ref();
        let linked = linked.ok_or_else(|| GraphError::NotLinked { name: table.to_owned() })?;
        Graph::read(&self.directory.join(linked))
    }

    /// Compares everything in the store with its checksums.
    ///
    /// # Errors
    ///
    /// The first file that is damaged.
    pub fn verify(&self) -> Result<(), GraphError> {
        self.segments()?.iter().try_for_each(Segment::verify)?;
        for table in &self.manifest.tables {
            self.table(&table.name)?.verify()?;
            if table.linked.is_some() {
                self.graph(&table.name)?.verify()?;
            }
        }
        Ok(())
    }
}

impl StoreWriter {
    /// Opens the store in `directory` for changing, or makes one if there is none.
    ///
    /// Files that an interrupted writer left behind are removed.
    ///
    /// # Errors
    ///
    /// When another process writes to it, or the directory cannot be written to, or its manifest cannot be read.
    pub fn open(directory: &Path) -> Result<StoreWriter, GraphError> {
        fs::create_dir_all(directory).map_err(GraphError::file("create", directory))?;
        let path = directory.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(GraphError::file("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(GraphError::Locked { path: directory.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(GraphError::file("lock", &path)(error)),
        }
        let store = match Store::open(directory) {
            Err(GraphError::NoStore { .. }) => {
                let store = Store { directory: directory.to_owned(), manifest: Manifest::default() };
                store.manifest.write(directory)?;
                store
            }
            opened => opened?,
        };
        let writer = StoreWriter { store, _lock: lock };
        writer.remove_leftovers()?;
        Ok(writer)
    }

    /// The store as it is now.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Starts appending versions.
    #[must_use]
    pub fn append(&mut self) -> Appender<'_> {
        let manifest = self.store.manifest.clone();
        Appender { writer: self, manifest, builder: SegmentBuilder::default(), bytes: 0 }
    }

    fn directory(&self) -> &Path {
        &self.store.directory
    }

    /// Publishes a new manifest and removes what it no longer lists. Returns the bytes written.
    fn publish(&mut self, manifest: Manifest) -> Result<u64, GraphError> {
        let bytes = manifest.write(self.directory())?;
        self.store.manifest = manifest;
        self.remove_leftovers()?;
        Ok(bytes)
    }

    /// Removes files of a store that the manifest does not list. Others are left alone.
    fn remove_leftovers(&self) -> Result<(), GraphError> {
        let directory = self.directory();
        let listed: Vec<&str> = self.store.manifest.files().chain([manifest::NAME]).collect();
        for entry in fs::read_dir(directory).map_err(GraphError::file("list", directory))? {
            let entry = entry.map_err(GraphError::file("list", directory))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let ours = ["segment-", "resolution-", "linked-"].iter().any(|it| name.starts_with(it));
            let leftover = name.starts_with(".writing-") || ours && name.ends_with(".ckg");
            if leftover && !listed.contains(&name) {
                // Some systems do not remove files that somebody reads. They cost space until the next writer comes.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Writes or replaces a resolution table. It has to be linked before questions can be asked. Returns the bytes
    /// written.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written to.
    pub fn write_resolution(&mut self, name: &str, resolution: &Resolution) -> Result<u64, GraphError> {
        let mut manifest = self.store.manifest.clone();
        let file = manifest.file_name("resolution");
        let bytes = resolution.write(self.directory(), &file)?;
        manifest.tables.retain(|it| it.name != name);
        manifest.tables.push(TableFiles { name: name.to_owned(), resolution: file, linked: None });
        Ok(bytes + self.publish(manifest)?)
    }

    /// Links a resolution table, so that [`Store::graph`] opens it. Returns the bytes written.
    ///
    /// # Errors
    ///
    /// When there is no such table, it names versions that the store does not have, a segment is damaged, or the
    /// directory cannot be written to.
    pub fn link(&mut self, name: &str) -> Result<u64, GraphError> {
        let table = self.store.table(name)?;
        let segments = self.store.segments()?;
        let mut manifest = self.store.manifest.clone();
        let file = manifest.file_name("linked");
        let bytes = link::link(&segments, &table, self.directory(), &file)?;
        for table in manifest.tables.iter_mut().filter(|it| it.name == name) {
            table.linked = Some(file.clone());
        }
        drop((segments, table));
        Ok(bytes + self.publish(manifest)?)
    }

    /// Removes a resolution table and its linked index.
    ///
    /// # Errors
    ///
    /// When there is none of that name, or the directory cannot be written to.
    pub fn remove_table(&mut self, name: &str) -> Result<(), GraphError> {
        let mut manifest = self.store.manifest.clone();
        manifest.table(name)?;
        manifest.tables.retain(|it| it.name != name);
        self.publish(manifest).map(|_| ())
    }

    /// Merges small segments into larger ones. Versions keep their numbers, so tables and linked indexes stay valid.
    /// Returns the bytes written.
    ///
    /// # Errors
    ///
    /// When a segment is damaged or the directory cannot be written to.
    pub fn merge(&mut self) -> Result<u64, GraphError> {
        let (small, large): (Vec<_>, Vec<_>) =
            self.store.manifest.segments.iter().cloned().partition(|it| it.edges < SMALL_SEGMENT);
        if small.len() < 2 {
            return Ok(0);
        }
        let mut manifest = self.store.manifest.clone();
        manifest.segments = large;
        let mut bytes = 0;
        let mut builder = SegmentBuilder::default();
        for file in small {
            let segment = Segment::open(&self.directory().join(&file.name))?;
            segment.verify()?;
            for index in 0..segment.len() {
                let version = segment.version(index)?;
                builder.push(version.row.number, &version.entry()?, &version.graph()?)?;
                if builder.is_full() {
                    bytes += write_segment(std::mem::take(&mut builder), &mut manifest, self.directory())?;
                }
            }
        }
        if !builder.is_empty() {
            bytes += write_segment(builder, &mut manifest, self.directory())?;
        }
        Ok(bytes + self.publish(manifest)?)
    }
}

fn write_segment(
    builder: SegmentBuilder,
    manifest: &mut Manifest,
    directory: &Path,
) -> Result<u64, GraphError> {
    let name = manifest.file_name("segment");
    let (versions, edges) = (builder.len() as u64, builder.edge_count() as u64);
    let bytes = builder.write(directory, &name)?;
    manifest.segments.push(SegmentFile { name, bytes, versions, edges });
    Ok(bytes)
}

/// Appends versions. Nothing is part of the store before [`Appender::commit`].
pub struct Appender<'a> {
    writer: &'a mut StoreWriter,
    manifest: Manifest,
    builder: SegmentBuilder,
    bytes: u64,
}

impl Appender<'_> {
    /// Adds a version and returns its number. Memory stays bounded: full segments are written in between.
    ///
    /// # Errors
    ///
    /// When the call graph refers to functions, files or paths that it does not list, or a segment cannot be written.
    pub fn push(&mut self, entry: &VersionEntry, graph: &CallGraph) -> Result<VersionNumber, GraphError> {
        let number = self.manifest.next_version;
        self.builder.push(number, entry, graph)?;
        self.manifest.next_version =
            number.checked_add(1).ok_or(GraphError::TooLarge { what: "versions" })?;
        if self.builder.is_full() {
            self.flush()?;
        }
        Ok(number)
    }

    fn flush(&mut self) -> Result<(), GraphError> {
        let builder = std::mem::take(&mut self.builder);
        self.bytes += write_segment(builder, &mut self.manifest, self.writer.directory())?;
        Ok(())
    }

    /// Makes all added versions part of the store, at once. Returns the bytes written.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written to; the store is then what it was.
    pub fn commit(mut self) -> Result<u64, GraphError> {
        if !self.builder.is_empty() {
            self.flush()?;
        }
        Ok(self.bytes + self.writer.publish(self.manifest)?)
    }
}
