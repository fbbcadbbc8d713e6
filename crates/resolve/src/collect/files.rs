//! Which file `mod name;` means.
//!
//! Rules: <https://doc.rust-lang.org/reference/items/modules.html>. A file may be several modules; it is parsed once.

use rustc_hash::FxHashMap;

/// Where a module's own modules are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directories {
    /// Of the file.
    pub(crate) of_file: String,
    /// For `mod name;`.
    pub(crate) of_modules: String,
    /// Inside an inline module `#[path]` counts from `of_modules`, otherwise from `of_file`.
    pub(crate) inline: bool,
}

impl Directories {
    pub(crate) fn of_root(path: &str) -> Directories {
        Directories::beside(path)
    }

    /// For the root, `mod.rs`, and files reached by `#[path]` or `include!`: beside the file.
    pub(crate) fn beside(path: &str) -> Directories {
        let directory = parent(path).to_owned();
        Directories { of_file: directory.clone(), of_modules: directory, inline: false }
    }

    /// Where `#[path]` counts from.
    pub(crate) fn base_of_path(&self) -> &str {
        if self.inline { &self.of_modules } else { &self.of_file }
    }

    /// For the inside of `mod name { … }`.
    pub(crate) fn inside(&self, name: &str, path: Option<&str>) -> Directories {
        let inner = match path {
            Some(path) => normalize(self.base_of_path(), path),
            None => normalize(&self.of_modules, name),
        };
        Directories {
            of_file: self.of_file.clone(),
            of_modules: inner.unwrap_or_else(|| self.of_modules.clone()),
            inline: true,
        }
    }
}

/// The files of a package, and which of them are being read.
#[derive(Debug)]
pub(crate) struct Files<'i> {
    numbers: FxHashMap<&'i str, usize>,
    /// By number: not parsed yet, refused, or the number of the tree.
    trees: Vec<Option<Option<u32>>>,
    entered: Vec<u32>,
    open: Vec<usize>,
    bytes: usize,
}

impl<'i> Files<'i> {
    pub(crate) fn new(files: &'i [(String, String)]) -> Files<'i> {
        let mut numbers = FxHashMap::default();
        for (number, (path, _)) in files.iter().enumerate() {
            numbers.entry(path.as_str()).or_insert(number);
        }
        Files {
            numbers,
            trees: vec![None; files.len()],
            entered: vec![0; files.len()],
            open: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        self.numbers.get(path).copied()
    }

    /// The file of `mod name;`, and where its own modules are.
    pub(crate) fn find_module(
        &self,
        directories: &Directories,
        name: &str,
        path: Option<&str>,
    ) -> Option<(usize, Directories)> {
        if let Some(path) = path {
            let path = normalize(directories.base_of_path(), path)?;
            return Some((self.find(&path)?, Directories::beside(&path)));
        }
        let inner = normalize(&directories.of_modules, name)?;
        let beside = format!("{inner}.rs");
        if let Some(number) = self.find(&beside) {
            let of_file = parent(&beside).to_owned();
            return Some((number, Directories { of_file, of_modules: inner, inline: false }));
        }
        let below = format!("{inner}/mod.rs");
        Some((self.find(&below)?, Directories::beside(&below)))
    }

    /// Begins to read a file. Whether it is open already, and how often it was entered.
    pub(crate) fn enter(&mut self, number: usize) -> (bool, u32) {
        let circular = self.open.contains(&number);
        self.open.push(number);
        self.entered[number] += 1;
        (circular, self.entered[number])
    }

    /// Ends reading the file entered last.
    pub(crate) fn leave(&mut self) {
        self.open.pop();
    }

    pub(crate) fn tree(&self, number: usize) -> Option<Option<u32>> {
        self.trees[number]
    }

    pub(crate) fn set_tree(&mut self, number: usize, tree: Option<u32>) {
        self.trees[number] = Some(tree);
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts bytes to be parsed; whether they are within the limit.
    pub(crate) fn take_bytes(&mut self, bytes: usize, limit: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.bytes <= limit
    }
}

/// The directory of a file; empty for the top.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// `path` seen from `directory`, without `.` and `..`; `None` when it is absolute or leaves the package.
pub(crate) fn normalize(directory: &str, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return None;
    }
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
