//! The container of every file in a store: a header, a table of sections, sections.
//!
//! A file is written once, under a temporary name, synchronised and then renamed; nothing ever changes a finished
//! one. Opening reads the header and the table and nothing else, so that it takes as long for a gigabyte as for a
//! kilobyte: what a section holds is checked by [`MappedFile::verify`], and every access checks its bounds.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;
use tempfile::NamedTempFile;

use crate::GraphError;

#[cfg(target_endian = "big")]
compile_error!("columns are mapped as they lie in the file, which is little-endian");

/// First bytes of every file. Not text, and changed by anything that translates line ends.
const MAGIC: [u8; 8] = *b"\x89CKGRF\r\n";

/// Raised whenever a reader of the previous version would misread a file.
pub(crate) const FORMAT: u32 = 1;

const HEADER: usize = 32;
const TABLE_ENTRY: usize = 32;

/// Sections begin at multiples of this, so that every column can be mapped as an array.
const ALIGNMENT: u64 = 8;

/// More sections than any kind of file has; a table of more is not ours.
const MAX_SECTIONS: usize = 64;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum FileKind {
    Manifest = 1,
    Segment = 2,
    Resolution = 3,
    Linked = 4,
}

#[derive(Debug, Clone, Copy)]
struct Section {
    id: u32,
    checksum: u32,
    offset: u64,
    length: u64,
}

/// Writes a file section by section.
pub(crate) struct FileWriter {
    out: BufWriter<NamedTempFile>,
    target: PathBuf,
    kind: FileKind,
    sections: Vec<Section>,
    position: u64,
    capacity: usize,
}

impl FileWriter {
    /// A writer of `directory/name` with room for `capacity` sections.
    pub(crate) fn create(
        directory: &Path,
        name: &str,
        kind: FileKind,
        capacity: usize,
    ) -> Result<FileWriter, GraphError> {
        let target = directory.join(name);
        let temporary = tempfile::Builder::new()
            .prefix(".writing-")
            .tempfile_in(directory)
            .map_err(GraphError::file("create", &target))?;
        let mut writer = FileWriter {
            out: BufWriter::with_capacity(1 << 18, temporary),
            target,
            kind,
            sections: Vec::new(),
            position: 0,
            capacity,
        };
        writer.raw(&vec![0; HEADER + capacity * TABLE_ENTRY])?;
        Ok(writer)
    }

    /// Where the file will be.
    pub(crate) fn directory(&self) -> PathBuf {
        self.target.parent().map(Path::to_owned).unwrap_or_default()
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), GraphError> {
        self.out.write_all(bytes).map_err(GraphError::file("write", &self.target))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Writes a section of elements that are all in memory.
    pub(crate) fn column<T: Pod>(&mut self, id: u32, values: &[T]) -> Result<(), GraphError> {
        self.stream(id, |out| out.write_all(bytemuck::cast_slice(values)))
    }

    /// Writes a section that was collected in a file of its own.
    pub(crate) fn spool(&mut self, id: u32, spool: Spool) -> Result<(), GraphError> {
        let mut file = spool.finish()?;
        self.stream(id, |out| {
            file.seek(SeekFrom::Start(0))?;
            io::copy(&mut file, out).map(|_| ())
        })
    }

    /// Writes a section through a sink.
    pub(crate) fn stream(
        &mut self,
        id: u32,
        write: impl FnOnce(&mut Sink<'_>) -> io::Result<()>,
    ) -> Result<(), GraphError> {
        debug_assert!(self.sections.len() < self.capacity, "no room was left for section {id}");
        let padding = (ALIGNMENT - self.position % ALIGNMENT) % ALIGNMENT;
        self.raw(&[0; 8][..padding as usize])?;
        let offset = self.position;
        let mut sink = Sink { out: &mut self.out, hasher: crc32fast::Hasher::new(), length: 0 };
        write(&mut sink).map_err(GraphError::file("write", &self.target))?;
        let (length, checksum) = (sink.length, sink.hasher.finalize());
        self.position += length;
        self.sections.push(Section { id, checksum, offset, length });
        Ok(())
    }

    /// Completes the file and gives it its name; what had that name before is replaced at once. Returns its length.
    pub(crate) fn finish(self) -> Result<u64, GraphError> {
        let mut table = Vec::with_capacity(self.capacity * TABLE_ENTRY);
        for section in &self.sections {
            table.extend(section.id.to_le_bytes());
            table.extend(section.checksum.to_le_bytes());
            table.extend(section.offset.to_le_bytes());
            table.extend(section.length.to_le_bytes());
            table.extend([0; 8]);
        }
        table.resize(self.capacity * TABLE_ENTRY, 0);
        let mut header = Vec::with_capacity(HEADER);
        header.extend(MAGIC);
        header.extend(FORMAT.to_le_bytes());
        header.extend((self.kind as u32).to_le_bytes());
        header.extend(self.position.to_le_bytes());
        header.extend((self.capacity as u32).to_le_bytes());
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&header);
        hasher.update(&table);
        header.extend(hasher.finalize().to_le_bytes());

        let target = self.target;
        let mut file = self.out.into_inner().map_err(|it| GraphError::File {
            operation: "write",
            path: target.clone(),
            source: it.into_error(),
        })?;
        let write = |file: &mut NamedTempFile| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&header)?;
            file.write_all(&table)?;
            file.as_file().sync_all()
        };
        write(&mut file).map_err(GraphError::file("write", &target))?;
        file.persist(&target).map_err(|it| GraphError::File {
            operation: "rename to",
            path: target.clone(),
            source: it.error,
        })?;
        synchronise_directory(&target)?;
        Ok(self.position)
    }
}

/// Makes a rename last through a power cut. Windows cannot open directories as files and does not need to.
fn synchronise_directory(target: &Path) -> Result<(), GraphError> {
    #[cfg(unix)]
    if let Some(directory) = target.parent() {
        File::open(directory)
            .and_then(|it| it.sync_all())
            .map_err(GraphError::file("synchronise", directory))?;
    }
    #[cfg(not(unix))]
    let _ = target;
    Ok(())
}

/// Where a section is written to.
pub(crate) struct Sink<'a> {
    out: &'a mut BufWriter<NamedTempFile>,
    hasher: crc32fast::Hasher,
    length: u64,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A column that grows on disk while others do: linking fills several at once and keeps none in memory.
pub(crate) struct Spool {
    out: BufWriter<File>,
    directory: PathBuf,
    length: u64,
}

impl Spool {
    pub(crate) fn create(directory: &Path) -> Result<Spool, GraphError> {
        let file =
            tempfile::tempfile_in(directory).map_err(GraphError::file("create a file in", directory))?;
        Ok(Spool { out: BufWriter::with_capacity(1 << 18, file), directory: directory.to_owned(), length: 0 })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), GraphError> {
        self.length += bytes.len() as u64;
        self.out.write_all(bytes).map_err(GraphError::file("write to", &self.directory))
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    fn finish(self) -> Result<File, GraphError> {
        let error = GraphError::file("write to", &self.directory);
        self.out.into_inner().map_err(|it| error(it.into_error()))
    }

    /// Reads the bytes in pieces while the spool stays what it is.
    pub(crate) fn reader(&mut self) -> Result<SpoolReader, GraphError> {
        let read = |out: &mut BufWriter<File>| {
            out.flush()?;
            let mut file = out.get_ref().try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        };
        let file = read(&mut self.out).map_err(GraphError::file("read from", &self.directory))?;
        Ok(SpoolReader {
            input: io::BufReader::with_capacity(1 << 18, file),
            directory: self.directory.clone(),
        })
    }
}

/// Reads a [`Spool`] from its beginning. The spool must not be written to meanwhile: both share one position.
pub(crate) struct SpoolReader {
    input: io::BufReader<File>,
    directory: PathBuf,
}

impl SpoolReader {
    pub(crate) fn read(&mut self, bytes: &mut Vec<u8>, length: usize) -> Result<(), GraphError> {
        bytes.resize(length, 0);
        self.input.read_exact(bytes).map_err(GraphError::file("read from", &self.directory))
    }
}

/// A file of the store, mapped into memory.
#[derive(Debug)]
pub(crate) struct MappedFile {
    map: Mmap,
    path: PathBuf,
    sections: Vec<Section>,
}

impl MappedFile {
    /// Maps the file and checks everything about it but the content of its sections.
    pub(crate) fn open(path: &Path, kind: FileKind) -> Result<Arc<MappedFile>, GraphError> {
        let file = File::open(path).map_err(GraphError::file("open", path))?;
        let length = file.metadata().map_err(GraphError::file("read", path))?.len();
        if length < HEADER as u64 {
            return Err(GraphError::Foreign { path: path.to_owned(), reason: "it is too short" });
        }
        #[allow(
            unsafe_code,
            reason = "mapping is how a store of gigabytes opens at once. It is sound as long as nobody changes the \
                      file; files of a store are written under another name, renamed, and never changed or shortened"
        )]
        // SAFETY: see above. Bytes are only ever read as integers, for which every pattern is a value.
        let map = unsafe { Mmap::map(&file) }.map_err(GraphError::file("map", path))?;
        let sections = read_table(&map, path, kind)?;
        Ok(Arc::new(MappedFile { map, path: path.to_owned(), sections }))
    }

    /// The error that this file is damaged.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> GraphError {
        GraphError::Damaged { path: self.path.clone(), reason: reason.into() }
    }

    fn section(&self, id: u32) -> Result<Section, GraphError> {
        let found = self.sections.iter().find(|it| it.id == id).copied();
        found.ok_or_else(|| self.damaged(format!("section {id} is missing")))
    }

    /// The section as an array.
    pub(crate) fn column<T: Pod>(self: &Arc<Self>, id: u32) -> Result<Column<T>, GraphError> {
        let section = self.section(id)?;
        if !section.length.is_multiple_of(size_of::<T>() as u64) {
            return Err(self.damaged(format!("section {id} does not hold whole elements")));
        }
        let start = section.offset as usize;
        let range = start..start + section.length as usize;
        Ok(Column { file: Arc::clone(self), range, id, element: PhantomData })
    }

    /// Length of a section in bytes; 0 if there is none.
    pub(crate) fn section_length(&self, id: u32) -> u64 {
        self.section(id).map_or(0, |it| it.length)
    }

    /// Length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.map.len() as u64
    }

    /// Compares every section with its checksum.
    pub(crate) fn verify(&self) -> Result<(), GraphError> {
        self.sections.iter().try_for_each(|it| self.verify_section(it.id))
    }

    /// Compares one section with its checksum.
    pub(crate) fn verify_section(&self, id: u32) -> Result<(), GraphError> {
        let section = self.section(id)?;
        let start = section.offset as usize;
        let bytes = self.map.get(start..start + section.length as usize).unwrap_or(&[]);
        if crc32fast::hash(bytes) == section.checksum {
            Ok(())
        } else {
            Err(self.damaged(format!("the checksum of section {id} is wrong")))
        }
    }
}

fn number<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut number = [0; N];
    if let Some(found) = bytes.get(offset..offset + N) {
        number.copy_from_slice(found);
    }
    number
}

fn read_table(bytes: &[u8], path: &Path, kind: FileKind) -> Result<Vec<Section>, GraphError> {
    let foreign = |reason| GraphError::Foreign { path: path.to_owned(), reason };
    let damaged = |reason: &str| GraphError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    if !bytes.starts_with(&MAGIC) {
        return Err(foreign("it does not begin like one"));
    }
    let found = u32::from_le_bytes(number(bytes, 8));
    if found != FORMAT {
        return Err(GraphError::Format { path: path.to_owned(), found, expected: FORMAT });
    }
    if u32::from_le_bytes(number(bytes, 12)) != kind as u32 {
        return Err(foreign("it is another kind of file"));
    }
    if u64::from_le_bytes(number(bytes, 16)) != bytes.len() as u64 {
        return Err(damaged("its length is not what its header says"));
    }
    let count = u32::from_le_bytes(number(bytes, 24)) as usize;
    let table = HEADER..HEADER + count.min(MAX_SECTIONS) * TABLE_ENTRY;
    let Some(table) = bytes.get(table).filter(|_| count <= MAX_SECTIONS) else {
        return Err(damaged("its table of sections does not fit"));
    };
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..HEADER - 4]);
    hasher.update(table);
    if hasher.finalize() != u32::from_le_bytes(number(bytes, 28)) {
        return Err(damaged("the checksum of its header is wrong"));
    }
    let mut sections = Vec::new();
    for entry in table.chunks_exact(TABLE_ENTRY) {
        let section = Section {
            id: u32::from_le_bytes(number(entry, 0)),
            checksum: u32::from_le_bytes(number(entry, 4)),
            offset: u64::from_le_bytes(number(entry, 8)),
            length: u64::from_le_bytes(number(entry, 16)),
        };
        if section.id == 0 {
            continue;
        }
        let end = section.offset.checked_add(section.length);
        if !section.offset.is_multiple_of(ALIGNMENT) || end.is_none_or(|it| it > bytes.len() as u64) {
            return Err(damaged("a section lies outside of it"));
        }
        sections.push(section);
    }
    Ok(sections)
}

/// An array in a mapped file.
#[derive(Debug, Clone)]
pub(crate) struct Column<T> {
    file: Arc<MappedFile>,
    range: Range<usize>,
    id: u32,
    element: PhantomData<T>,
}

impl<T: Pod> Column<T> {
    /// All elements. Offsets are multiples of 8 and lengths of the element's size, so the cast cannot fail.
    #[inline]
    pub(crate) fn values(&self) -> &[T] {
        self.file.map.get(self.range.clone()).and_then(|it| bytemuck::try_cast_slice(it).ok()).unwrap_or(&[])
    }

    /// Compares the section with its checksum.
    pub(crate) fn verify(&self) -> Result<(), GraphError> {
        self.file.verify_section(self.id)
    }
}

impl AsRef<[u8]> for Column<u8> {
    fn as_ref(&self) -> &[u8] {
        self.values()
    }
}
