//! The advisories of one crate, read from its directory when somebody asks.

use std::fs::FileType;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fs_err as fs;

use crate::{Collection, Limits, Problem, Record};

/// Extension of advisory files.
const EXTENSION: &str = "md";

/// The directory of one crate.
#[derive(Debug)]
pub(crate) struct Shelf {
    collection: Collection,
    /// Relative to the database.
    folder: PathBuf,
    contents: OnceLock<Contents>,
}

/// What is in a crate's directory.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// In the order of their file names.
    pub(crate) records: Vec<Record>,
    pub(crate) problems: Vec<Problem>,
}

impl Shelf {
    /// A directory that will be read when it is asked for.
    pub(crate) fn unread(collection: Collection, name: &str) -> Shelf {
        let folder = Path::new(collection.directory()).join(name);
        Shelf { collection, folder, contents: OnceLock::new() }
    }

    /// A directory that will not be read, for a reason.
    pub(crate) fn refused(collection: Collection, name: &str, reason: &str) -> Shelf {
        let shelf = Shelf::unread(collection, name);
        let problem = Problem { file: shelf.folder.clone(), reason: reason.to_owned() };
        let contents = OnceLock::from(Contents { records: Vec::new(), problems: vec![problem] });
        Shelf { contents, ..shelf }
    }

    /// Problems that are known without reading.
    pub(crate) fn known_problems(&self) -> &[Problem] {
        self.contents.get().map_or(&[], |contents| &contents.problems)
    }

    /// What is inside; read at the first call.
    pub(crate) fn contents(&self, root: &Path, limits: &Limits) -> &Contents {
        self.contents.get_or_init(|| self.read(root, limits))
    }

    /// Paths of the advisory files, relative to the database, with their types; sorted.
    ///
    /// # Errors
    ///
    /// A reason, when the directory cannot be listed or has more entries than the limit.
    pub(crate) fn files(&self, root: &Path, limits: &Limits) -> Result<Vec<(PathBuf, FileType)>, String> {
        let mut files = Vec::new();
        let entries = fs::read_dir(root.join(&self.folder)).map_err(|error| error.to_string())?;
        for (index, entry) in entries.enumerate() {
            if index == limits.advisories_per_crate {
                return Err(format!("it has more than {index} entries"));
            }
            let entry = entry.map_err(|error| error.to_string())?;
            let file = self.folder.join(entry.file_name());
            if file.extension().is_some_and(|extension| extension == EXTENSION) {
                files.push((file, entry.file_type().map_err(|error| error.to_string())?));
            }
        }
        files.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(files)
    }

    fn read(&self, root: &Path, limits: &Limits) -> Contents {
        let mut contents = Contents::default();
        let files = match self.files(root, limits) {
            Ok(files) => files,
            Err(reason) => {
                contents.problems.push(Problem { file: self.folder.clone(), reason });
                return contents;
            }
        };
        for (file, kind) in files {
            let text = read_advisory(&root.join(&file), kind, limits);
            match text.and_then(|text| Record::parse(self.collection, &file, &text)) {
                Ok(record) => contents.records.extend(record),
                Err(reason) => contents.problems.push(Problem { file, reason }),
            }
        }
        contents
    }
}

/// Reads one file, unless it is not a regular one: a link could lead out of the database, and reading a
/// pipe would never end.
fn read_advisory(path: &Path, kind: FileType, limits: &Limits) -> Result<String, String> {
    if !kind.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let bytes = read_limited(path, limits.advisory_bytes).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or_else(|| format!("it is longer than {} bytes", limits.advisory_bytes))?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// The bytes of a file; `None` when there are more than `limit`.
pub(crate) fn read_limited(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
