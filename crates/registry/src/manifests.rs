//! The packages of a workspace, and dependencies that their manifests name and its lockfile lacks.
//!
//! From the manifests' text, because cargo refuses to answer exactly then: with `--locked` it fails when the lockfile
//! does not fit the manifests, and without it a mistyped name would be looked up and, worse, found. Members are found as
//! cargo finds them (<https://doc.rust-lang.org/cargo/reference/workspaces.html>): patterns in `members`, `exclude`, and
//! path dependencies below the root of the workspace.
//!
//! Every dependency of a member has an entry in a lockfile that fits: optional ones, those for other platforms and those of
//! tests too. `[patch]` names no dependencies, and an entry of `[workspace.dependencies]` is one only where a
//! member inherits it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::Lockfile;
use crate::lockfile::LineNumbers;

mod pattern;

/// Largest manifest that is read; as much as of inspected packages. The largest real ones have below 1 MiB.
const MAX_MANIFEST_SIZE: u64 = 4 << 20;

/// Most manifests that are read. The largest public workspaces have some hundred members.
const MAX_MANIFESTS: usize = 10_000;

/// Most dependencies that are listed: after a few, people look into the manifest, and each is compared with thousands of names.
const MAX_LISTED: usize = 1_000;

/// Tables of a manifest that hold dependencies, deprecated spellings included.
const TABLES: [&str; 5] =
    ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"];

/// What [`Lockfile::missing_dependencies`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingDependencies {
    /// By manifest and line.
    pub dependencies: Vec<MissingDependency>,
    /// What could not be read, one sentence fragment each; the dependencies there are not known.
    pub problems: Vec<String>,
}

/// A dependency without an entry in the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingDependency {
    /// Its manifest, relative to the root of the workspace.
    pub manifest: PathBuf,
    /// Line of its key, counted from 1.
    pub line: u32,
    /// The key.
    pub key: String,
    /// Name of the crate: the key, unless `package` says another one.
    pub name: String,
    /// How cargo would find it.
    pub lookup: Lookup,
}

/// How cargo finds a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// By its name, in a registry: whoever has registered a mistyped name is found.
    Registry,
    /// In a git repository.
    Git,
}

/// What a manifest says about one dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Found(Lookup),
    /// In this directory, relative to the manifest: nothing is looked up by name.
    Path(String),
    /// `workspace = true`.
    Inherited,
}

/// One dependency of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Declared {
    line: u32,
    key: String,
    name: String,
    origin: Origin,
}

/// Where the user's own packages are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalPackages {
    /// Directories of manifests of the workspace, sorted: its root, which need not be a package, and its members.
    pub members: Vec<PathBuf>,
    /// Other directories that these name as dependencies, sorted.
    pub others: Vec<PathBuf>,
    /// `resolver` at the root, as written.
    pub resolver: Option<String>,
    /// What could not be read, one sentence fragment each.
    pub problems: Vec<String>,
}

impl LocalPackages {
    /// Finds the packages of the workspace in the directory `root`. No cargo is started.
    #[must_use]
    pub fn find(root: &Path) -> LocalPackages {
        let root = &normalized(root);
        let mut reader = Reader::new(root);
        reader.workspace(&HashSet::new());
        let Reader { visited, mut others, resolver, problems, .. } = reader;
        let mut members: Vec<PathBuf> = visited.into_iter().collect();
        members.sort();
        others.retain(|directory| members.binary_search(directory).is_err());
        LocalPackages { members, others: others.into_iter().collect(), resolver, problems }
    }
}

/// What is needed of one manifest.
#[derive(Debug, Default)]
struct Manifest {
    resolver: Option<String>,
    dependencies: Vec<Declared>,
    workspace: Option<Workspace>,
}

/// `[workspace]`.
#[derive(Debug, Default)]
struct Workspace {
    members: Vec<String>,
    exclude: Vec<String>,
    /// By key: members of a hostile workspace may inherit any number of them.
    dependencies: HashMap<String, Declared>,
}

impl Lockfile {
    /// Dependencies that the manifests of the workspace in the directory `root` name and that have no entry here, under any
    /// source.
    ///
    /// A manifest that cannot be read is a problem and hides nothing of the others. No cargo is started.
    #[must_use]
    pub fn missing_dependencies(&self, root: &Path) -> MissingDependencies {
        let root = &normalized(root);
        let mut reader = Reader::new(root);
        let locked: HashSet<&str> = self.packages.iter().map(|it| it.package.name.as_str()).collect();
        reader.workspace(&locked);
        let Reader { missing, mut problems, .. } = reader;
        if missing.len() > MAX_LISTED {
            problems.push(format!(
                "{} dependencies are not in the lockfile, of which {MAX_LISTED} are listed",
                missing.len()
            ));
        }
        MissingDependencies { dependencies: missing.into_iter().take(MAX_LISTED).collect(), problems }
    }
}

struct Reader<'a> {
    root: &'a Path,
    missing: BTreeSet<MissingDependency>,
    problems: Vec<String>,
    /// Directories of manifests, normalised.
    visited: HashSet<PathBuf>,
    /// Directories of path dependencies, normalised.
    others: BTreeSet<PathBuf>,
    resolver: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Path) -> Reader<'a> {
        Reader {
            root,
            missing: BTreeSet::new(),
            problems: Vec::new(),
            visited: HashSet::new(),
            others: BTreeSet::new(),
            resolver: None,
        }
    }

    fn workspace(&mut self, locked: &HashSet<&str>) {
        self.visited.insert(self.root.to_owned());
        let Some(root) = self.read(self.root) else { return };
        // Without `[workspace]`, path dependencies are no members, and what is inherited stands somewhere else.
        let has_workspace = root.workspace.is_some();
        self.resolver = root.resolver;
        let mut directories = Vec::new();
        let workspace = root.workspace.unwrap_or_default();
        self.take(self.root, &root.dependencies, &workspace, has_workspace, locked, &mut directories);
        if !has_workspace {
            return;
        }
        for member in &workspace.members {
            self.member_directories(member, &mut directories);
        }
        while let Some(directory) = directories.pop() {
            if workspace.excludes(self.root, &directory) || !self.visited.insert(directory.clone()) {
                continue;
            }
            if self.visited.len() > MAX_MANIFESTS {
                self.problems.push(format!(
                    "the workspace has more than {MAX_MANIFESTS} members; the others were not read"
                ));
                return;
            }
            if let Some(manifest) = self.read(&directory) {
                self.take(&directory, &manifest.dependencies, &workspace, true, locked, &mut directories);
            }
        }
    }

    /// Directories that an entry of `members` stands for.
    fn member_directories(&mut self, member: &str, directories: &mut Vec<PathBuf>) {
        match pattern::expand(self.root, member) {
            Ok(found) => directories.extend(found.into_iter().map(|it| normalized(&it))),
            Err(reason) => {
                self.problems.push(format!("failed to find the workspace's members `{member}`: {reason}"));
            }
        }
    }

    /// Keeps what is not locked, and adds the directories of path dependencies that are members.
    fn take(
        &mut self,
        directory: &Path,
        dependencies: &[Declared],
        workspace: &Workspace,
        has_workspace: bool,
        locked: &HashSet<&str>,
        directories: &mut Vec<PathBuf>,
    ) {
        for declared in dependencies {
            let inherited = match declared.origin {
                Origin::Inherited if !has_workspace => continue,
                Origin::Inherited => workspace.dependencies.get(&declared.key),
                _ => None,
            };
            // The place to correct is where the name stands.
            let (place, declared) = inherited.map_or((directory, declared), |it| (self.root, it));
            match &declared.origin {
                Origin::Path(path) => {
                    let target = normalized(&place.join(path));
                    if target.starts_with(self.root) {
                        directories.push(target.clone());
                    }
                    self.others.insert(target);
                }
                Origin::Found(lookup) => self.keep_unless_locked(place, declared, *lookup, locked),
                // The workspace has no such key: misspelt here.
                Origin::Inherited => self.keep_unless_locked(place, declared, Lookup::Registry, locked),
            }
        }
    }

    fn keep_unless_locked(
        &mut self,
        directory: &Path,
        declared: &Declared,
        lookup: Lookup,
        locked: &HashSet<&str>,
    ) {
        if locked.contains(declared.name.as_str()) {
            return;
        }
        self.missing.insert(MissingDependency {
            manifest: self.relative(directory),
            line: declared.line,
            key: declared.key.clone(),
            name: declared.name.clone(),
            lookup,
        });
    }

    fn read(&mut self, directory: &Path) -> Option<Manifest> {
        let read = || {
            let text = crate::files::read_text(&directory.join("Cargo.toml"), MAX_MANIFEST_SIZE)
                .map_err(|error| error.to_string())?;
            parse(&text)
        };
        let result = read();
        result
            .map_err(|reason| {
                let path = self.relative(directory);
                self.problems
                    .push(format!("failed to read the dependencies in `{}`: {reason}", path.display()));
            })
            .ok()
    }

    /// The manifest in a directory, relative to the root where it lies below.
    fn relative(&self, directory: &Path) -> PathBuf {
        directory.strip_prefix(self.root).unwrap_or(directory).join("Cargo.toml")
    }
}

impl Workspace {
    /// As cargo decides: `exclude` holds paths, not patterns, and a member that is named in full stays one.
    fn excludes(&self, root: &Path, directory: &Path) -> bool {
        let is_below = |path: &String| directory.starts_with(normalized(&root.join(path)));
        self.exclude.iter().any(is_below) && !self.members.iter().any(is_below)
    }
}

/// A path without `.` and `..`. The file system is not asked, as cargo does not: a link is a directory of its own.
fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normalized.pop();
            }
            other => normalized.push(other),
        }
    }
    normalized
}

fn parse(text: &str) -> Result<Manifest, String> {
    let lines = LineNumbers::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.at(span.start));
        format!("line {line}: {}", error.message())
    })?;
    let table = table.get_ref();
    let mut dependencies = tables(table, &lines);
    for platform in sub_table(table, "target").into_iter().flat_map(DeTable::values) {
        if let DeValue::Table(platform) = platform.get_ref() {
            dependencies.extend(tables(platform, &lines));
        }
    }
    let workspace = sub_table(table, "workspace").map(|workspace| Workspace {
        members: texts(workspace, "members"),
        exclude: texts(workspace, "exclude"),
        dependencies: sub_table(workspace, "dependencies")
            .map_or_else(Vec::new, |it| declared(it, &lines))
            .into_iter()
            .map(|it| (it.key.clone(), it))
            .collect(),
    });
    Ok(Manifest { resolver: resolver(table), dependencies, workspace })
}

fn resolver(manifest: &DeTable<'_>) -> Option<String> {
    let tables = ["workspace", "package"].into_iter().filter_map(|name| sub_table(manifest, name));
    tables.filter_map(|table| text(table, "resolver")).map(str::to_owned).next()
}

fn tables(table: &DeTable<'_>, lines: &LineNumbers) -> Vec<Declared> {
    TABLES.iter().filter_map(|name| sub_table(table, name)).flat_map(|it| declared(it, lines)).collect()
}

fn declared(table: &DeTable<'_>, lines: &LineNumbers) -> Vec<Declared> {
    let declare = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        let (name, origin) = match value.get_ref() {
            DeValue::Table(details) => (text(details, "package"), origin(details)),
            _ => (None, Origin::Found(Lookup::Registry)),
        };
        Declared {
            line: lines.at(key.span().start),
            key: key.get_ref().clone().into_owned(),
            name: name.unwrap_or_else(|| key.get_ref()).to_owned(),
            origin,
        }
    };
    table.iter().map(declare).collect()
}

fn origin(details: &DeTable<'_>) -> Origin {
    let is_inherited = details.get("workspace").is_some_and(|it| it.get_ref().as_bool() == Some(true));
    match text(details, "path") {
        _ if is_inherited => Origin::Inherited,
        Some(path) => Origin::Path(path.to_owned()),
        None if details.contains_key("git") => Origin::Found(Lookup::Git),
        None => Origin::Found(Lookup::Registry),
    }
}

fn sub_table<'t, 'text>(table: &'t DeTable<'text>, key: &str) -> Option<&'t DeTable<'text>> {
    table.get(key)?.get_ref().as_table()
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    table.get(key)?.get_ref().as_str()
}

fn texts(table: &DeTable<'_>, key: &str) -> Vec<String> {
    let values = table.get(key).and_then(|it| it.get_ref().as_array());
    values.into_iter().flatten().filter_map(|it| Some(it.get_ref().as_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests;
