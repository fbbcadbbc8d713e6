//! Puts files in their place: from each target's root along `mod`, `#[path]` and `include!`.
//!
//! Rules: <https://doc.rust-lang.org/reference/items/modules.html>. Conditions stay text, so every branch is followed:
//! a file that any configuration reaches is linked.

use std::collections::{BTreeMap, HashMap};

use cratekeeper_model::facts::{Module, ModuleForm, Target};

use crate::limits::Limits;
use crate::rust::{FileExtract, IncludedFile, ModuleDeclaration};
use crate::text::join_path;

/// The files of a package as the linker sees them: extracted on first use, because only linking shows that a file
/// under another extension is Rust.
pub(crate) trait Files {
    /// Number of the file at `path`, if the package has it as text.
    fn find(&mut self, path: &str) -> Option<u32>;
    /// Path of a file.
    fn path(&self, file: u32) -> &str;
    /// Content of a file.
    fn extract(&self, file: u32) -> &FileExtract;
}

/// Where files belong.
#[derive(Debug, Default)]
pub(crate) struct ModuleTree {
    pub(crate) modules: Vec<Module>,
    pub(crate) problems: Vec<String>,
}

/// Most problems that are listed.
const PROBLEMS: usize = 200;

/// Most modules of one target that a file stands in. The twentieth shows nothing new, and must not keep another file from
/// being reached.
const MODULES_PER_FILE: usize = 20;

/// Declarations that are looked at for each module of [`Limits::modules`]: files of many declarations without a file
/// could otherwise be entered by many modules.
const DECLARATIONS_PER_MODULE: usize = 20;

/// A file that became part of a target, to be looked through for more.
struct Frame {
    target: u16,
    file: u32,
    /// Module that its items belong to.
    module: String,
    cfg: Option<String>,
    /// Directory in which its `mod name;` are looked for.
    directory: String,
    parent: Option<usize>,
}

/// Links all targets.
pub(crate) fn link(targets: &[Target], files: &mut dyn Files, limits: &Limits) -> ModuleTree {
    let declarations = limits.modules.saturating_mul(DECLARATIONS_PER_MODULE);
    let mut linker = Linker {
        files,
        limits,
        tree: ModuleTree::default(),
        frames: Vec::new(),
        entered: HashMap::new(),
        declarations,
        gave_up: false,
    };
    for (number, target) in targets.iter().enumerate().take(usize::from(u16::MAX)) {
        linker.link_target(number as u16, target);
    }
    if linker.gave_up {
        let problem = format!(
            "more than {} modules, or too many declarations; the rest was not followed",
            limits.modules
        );
        linker.tree.problems.insert(0, problem);
    }
    linker.tree
}

struct Linker<'f> {
    files: &'f mut dyn Files,
    limits: &'f Limits,
    tree: ModuleTree,
    frames: Vec<Frame>,
    /// How many modules a file stands in, by target and file.
    entered: HashMap<(u16, u32), usize>,
    /// How many more declarations may be looked at.
    declarations: usize,
    gave_up: bool,
}

impl Linker<'_> {
    fn link_target(&mut self, number: u16, target: &Target) {
        let Some(file) = self.files.find(&target.path) else {
            return;
        };
        self.frames.clear();
        let root = Frame {
            target: number,
            file,
            module: String::new(),
            cfg: None,
            directory: parent(&target.path).to_owned(),
            parent: None,
        };
        self.attach(root, ModuleForm::Root, 0);
        let mut next = 0;
        while next < self.frames.len() {
            self.follow(next);
            next += 1;
        }
    }

    fn attach(&mut self, frame: Frame, form: ModuleForm, line: u32) {
        if self.tree.modules.len() >= self.limits.modules {
            return self.too_many();
        }
        if form != ModuleForm::Inline {
            let entered = self.entered.entry((frame.target, frame.file)).or_default();
            *entered += 1;
            if *entered > MODULES_PER_FILE {
                let path = self.files.path(frame.file);
                let problem = format!(
                    "`{path}` stands in more than {MODULES_PER_FILE} modules; the rest was not followed"
                );
                return self.problem(problem);
            }
        }
        self.tree.modules.push(Module {
            target: frame.target,
            path: frame.module.clone(),
            file: frame.file,
            form,
            cfg: frame.cfg.clone(),
            line,
        });
        if form != ModuleForm::Inline {
            self.frames.push(frame);
        }
    }

    fn too_many(&mut self) {
        self.declarations = 0;
        self.gave_up = true;
    }

    fn problem(&mut self, problem: String) {
        if self.tree.problems.len() < PROBLEMS && !self.tree.problems.contains(&problem) {
            self.tree.problems.push(problem);
        }
    }

    /// Attaches everything that a file declares.
    fn follow(&mut self, index: usize) {
        let file = self.frames[index].file;
        let extract = self.files.extract(file);
        let (declarations, includes) = (extract.modules.len(), extract.included_files.len());
        for (line, what) in extract.unfollowed.iter().take(PROBLEMS).cloned().collect::<Vec<_>>() {
            let problem = format!("{what} in `{}` line {line} cannot be followed", self.files.path(file));
            self.problem(problem);
        }
        for number in 0..declarations + includes {
            let Some(left) = self.declarations.checked_sub(1) else {
                return self.too_many();
            };
            self.declarations = left;
            // The files are read while they are followed, so nothing can be borrowed from them.
            let extract = self.files.extract(file);
            if number >= declarations {
                let include = extract.included_files[number - declarations].clone();
                self.follow_include(index, &include);
                continue;
            }
            let declaration = extract.modules[number].clone();
            if declaration.inline {
                let child = self.child(index, file, &declaration, String::new());
                self.attach(child, ModuleForm::Inline, declaration.line);
            } else {
                self.follow_module(index, &declaration);
            }
        }
    }

    fn child(&self, parent: usize, file: u32, declaration: &ModuleDeclaration, directory: String) -> Frame {
        let outer = &self.frames[parent];
        let inner = join_path(&declaration.parent, &declaration.name);
        Frame {
            target: outer.target,
            file,
            module: join_path(&outer.module, &inner),
            cfg: join_cfg(outer.cfg.as_deref(), declaration.cfg.as_deref()),
            directory,
            parent: Some(parent),
        }
    }

    fn follow_module(&mut self, index: usize, declaration: &ModuleDeclaration) {
        let own_path = self.files.path(self.frames[index].file).to_owned();
        let directory = &self.frames[index].directory;
        let inside = match declaration.directory.strip_prefix('/') {
            Some(from_file) => normalize(parent(&own_path), from_file),
            None => normalize(directory, &declaration.directory),
        };
        let inside = inside.unwrap_or_else(|| directory.clone());
        let mut found = false;
        for path in &declaration.paths {
            // A `#[path]` inside inline modules is relative to their directory, otherwise to that of the file.
            let base = if declaration.directory.is_empty() { parent(&own_path) } else { &inside };
            found |= self.follow_path(index, declaration, base, path);
        }
        if !declaration.path_is_certain {
            found |= self.follow_name(index, declaration, &inside);
        }
        if !found && !declaration.certain {
            found = self.follow_name(index, declaration, parent(&own_path));
        }
        if !found && declaration.certain {
            self.problem(format!(
                "`mod {}` in `{own_path}` line {} has no file",
                declaration.name, declaration.line
            ));
        }
    }

    /// `name.rs` or `name/mod.rs` in `directory`; whether there is such a file.
    fn follow_name(&mut self, index: usize, declaration: &ModuleDeclaration, directory: &str) -> bool {
        let name = &declaration.name;
        let Some(inner) = normalize(directory, name) else { return false };
        for candidate in [format!("{inner}.rs"), format!("{inner}/mod.rs")] {
            if let Some(file) = self.files.find(&candidate) {
                self.enter(index, file, declaration, inner, ModuleForm::File);
                return true;
            }
        }
        false
    }

    /// `#[path = "…"]`; whether there is such a file.
    fn follow_path(&mut self, index: usize, declaration: &ModuleDeclaration, base: &str, path: &str) -> bool {
        let Some(normalized) = normalize(base, path) else {
            self.problem(format!("`#[path = \"{}\"]` leaves the package", crate::text::excerpt(path)));
            return false;
        };
        let Some(file) = self.files.find(&normalized) else { return false };
        // A file loaded by `#[path]` looks for its own modules beside itself, as a `mod.rs` does.
        self.enter(index, file, declaration, parent(&normalized).to_owned(), ModuleForm::Path);
        true
    }

    fn enter(
        &mut self,
        index: usize,
        file: u32,
        declaration: &ModuleDeclaration,
        directory: String,
        form: ModuleForm,
    ) {
        if self.is_circular(index, file) {
            let problem = format!("`mod {}` in `{}` is circular", declaration.name, self.files.path(file));
            return self.problem(problem);
        }
        let child = self.child(index, file, declaration, directory);
        self.attach(child, form, declaration.line);
    }

    fn follow_include(&mut self, index: usize, include: &IncludedFile) {
        let own_path = self.files.path(self.frames[index].file).to_owned();
        let Some(path) = normalize(parent(&own_path), &include.path) else {
            return self.problem(format!(
                "`include!(\"{}\")` leaves the package",
                crate::text::excerpt(&include.path)
            ));
        };
        let Some(file) = self.files.find(&path) else {
            return self.problem(format!("`{path}`, included by `{own_path}`, is not in the package"));
        };
        if self.is_circular(index, file) {
            return self.problem(format!("`include!` of `{path}` is circular"));
        }
        let outer = &self.frames[index];
        let frame = Frame {
            target: outer.target,
            file,
            module: if include.module.is_empty() {
                outer.module.clone()
            } else {
                join_path(&outer.module, &include.module)
            },
            cfg: join_cfg(outer.cfg.as_deref(), include.cfg.as_deref()),
            directory: parent(&path).to_owned(),
            parent: Some(index),
        };
        self.attach(frame, ModuleForm::Include, include.line);
    }

    fn is_circular(&self, index: usize, file: u32) -> bool {
        let mut frame = Some(index);
        while let Some(index) = frame {
            if self.frames[index].file == file {
                return true;
            }
            frame = self.frames[index].parent;
        }
        false
    }
}

/// Conditions of an outer and an inner place.
pub(crate) fn join_cfg(outer: Option<&str>, inner: Option<&str>) -> Option<String> {
    let joined = match (outer, inner) {
        (Some(outer), Some(inner)) => format!("{outer}, {inner}"),
        (one, other) => one.or(other)?.to_owned(),
    };
    Some(crate::text::cut(joined, crate::text::PATH_BYTES))
}

/// The directory of a file; empty for the top.
pub(crate) fn parent(path: &str) -> &str {
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

/// For one file, the module paths that its items have, each with its targets and conditions.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// By file; in the order in which they were found.
    by_file: HashMap<u32, Vec<Place>>,
}

/// One module path of a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) module: String,
    pub(crate) targets: Vec<u16>,
    pub(crate) cfg: Option<String>,
}

impl Places {
    /// Gathers the places of all files, at most `limit` of each.
    pub(crate) fn new(tree: &ModuleTree, limit: usize) -> Places {
        let mut places = Places::default();
        let mut known: BTreeMap<(u32, &str), usize> = BTreeMap::new();
        for module in tree.modules.iter().filter(|module| module.form != ModuleForm::Inline) {
            let of_file = places.by_file.entry(module.file).or_default();
            match known.get(&(module.file, module.path.as_str())) {
                Some(index) => {
                    let targets = &mut of_file[*index].targets;
                    if !targets.contains(&module.target) {
                        targets.push(module.target);
                    }
                }
                None if of_file.len() < limit => {
                    known.insert((module.file, &module.path), of_file.len());
                    let (module, targets, cfg) =
                        (module.path.clone(), vec![module.target], module.cfg.clone());
                    of_file.push(Place { module, targets, cfg });
                }
                None => {}
            }
        }
        places
    }

    /// The places of a file; none when it is unlinked.
    pub(crate) fn of(&self, file: u32) -> &[Place] {
        self.by_file.get(&file).map_or(&[], Vec::as_slice)
    }
}
