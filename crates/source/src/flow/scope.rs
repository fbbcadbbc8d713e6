//! What a path means: imports, `crate`, `self`, `super`, dependencies, and names of the standard library.
//!
//! Names are looked up by text in the imports of the module that they stand in; conditions are not looked at. What cannot be
//! resolved stays as it is written.

use std::collections::{HashMap, HashSet};

use cratekeeper_model::facts::{ManifestFacts, UseImport};

use crate::text::join_path;

/// Steps from an import to what it imports.
const STEPS: u32 = 12;

/// Imports of all modules of a package.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    /// By path of the module from the crate root.
    modules: HashMap<String, Imports>,
    /// Names in code of the crates that the package may use.
    dependencies: HashMap<String, String>,
    /// The library's own name, for its programs and tests.
    own_name: String,
}

#[derive(Debug, Default)]
struct Imports {
    names: HashMap<String, String>,
    globs: Vec<String>,
}

impl Scopes {
    pub(super) fn new(manifest: &ManifestFacts) -> Scopes {
        let in_code = |name: &str| name.replace('-', "_");
        let mut dependencies = HashMap::new();
        for dependency in &manifest.dependencies {
            // A rename in the manifest is looked through: tables know crates by their own names.
            let package = dependency.package.as_deref().unwrap_or(&dependency.name);
            dependencies.insert(in_code(&dependency.name), in_code(package));
        }
        let own_name = manifest.name.as_deref().map(in_code).unwrap_or_default();
        Scopes { modules: HashMap::new(), dependencies, own_name }
    }

    /// Adds an import of a file whose items belong to `module`.
    pub(super) fn add(&mut self, module: &str, import: &UseImport) {
        let place =
            if import.module.is_empty() { module.to_owned() } else { join_path(module, &import.module) };
        let imports = self.modules.entry(place).or_default();
        if let Some(prefix) = import.path.strip_suffix("::*") {
            imports.globs.push(prefix.to_owned());
            return;
        }
        let path = import.path.strip_suffix("::self").unwrap_or(&import.path);
        let name = match import.alias.as_deref() {
            Some("_") => return,
            Some(alias) => alias,
            None => path.rsplit("::").next().unwrap_or(path),
        };
        if !(import.extern_crate && name == path) {
            imports.names.entry(name.to_owned()).or_insert_with(|| path.to_owned());
        }
    }

    /// Whether a crate of this name, or under this name, is a dependency.
    pub(super) fn is_dependency(&self, name: &str) -> bool {
        self.dependencies.contains_key(name) || self.dependencies.values().any(|it| it == name)
    }

    /// What `path` in `module` means: `crate::…` for the package's own, otherwise the crate's name first. `is_local` tells
    /// whether the package declares something at a path from the crate root.
    pub(super) fn resolve(&self, module: &str, path: &str, is_local: &dyn Fn(&str) -> bool) -> String {
        let mut module = module.to_owned();
        let mut path = path.trim_start_matches("r#").to_owned();
        let mut visited: HashSet<String> = HashSet::new();
        for _ in 0..STEPS {
            if let Some(rest) = path.strip_prefix("::") {
                path = rest.to_owned();
                if is_standard(first(&path)) {
                    return path;
                }
            }
            let (name, rest) = path.split_once("::").unwrap_or((&path, ""));
            match name {
                "$crate" | "crate" => match self.through(rest, is_local) {
                    Through::Found => return format!("crate::{rest}"),
                    Through::Import(place, next) => {
                        module = place;
                        path = next;
                        continue;
                    }
                },
                "self" => {
                    path = join_path("crate", &join_path(&module, rest));
                    continue;
                }
                "super" => {
                    module = module.rsplit_once("::").map_or(String::new(), |(parent, _)| parent.to_owned());
                    path = if rest.starts_with("super") {
                        rest.to_owned()
                    } else {
                        join_path("crate", &join_path(&module, rest))
                    };
                    continue;
                }
                _ => {}
            }
            if let Some(target) = self.modules.get(&module).and_then(|it| it.names.get(name)) {
                let next = if rest.is_empty() { target.clone() } else { join_path(target, rest) };
                // `use reqwest;` imports a name as itself.
                if next == path || !visited.insert(format!("{module}|{path}")) {
                    return self.outside(path);
                }
                path = next;
                if is_standard(first(&path))
                    && !self.modules.get(&module).is_some_and(|it| it.names.contains_key(first(&path)))
                {
                    return path;
                }
                continue;
            }
            let local = join_path(&module, name);
            if is_local(&local) {
                path = join_path("crate", &join_path(&module, &path));
                continue;
            }
            if is_standard(name) || self.dependencies.contains_key(name) {
                return self.outside(path);
            }
            if name == self.own_name {
                path = join_path("crate", rest);
                module.clear();
                continue;
            }
            return match self.by_glob(&module, &path, is_local) {
                Some(found) => found,
                None if is_local(name) => join_path("crate", &path),
                None => path,
            };
        }
        path
    }

    /// A path by a dependency's name in code, with its own name.
    fn outside(&self, path: String) -> String {
        let (name, rest) = path.split_once("::").unwrap_or((&path, ""));
        match self.dependencies.get(name) {
            Some(own) if own != name => join_path(own, rest),
            _ => path,
        }
    }

    /// A path from the crate root: either it is what it says, or its module imports it from elsewhere.
    fn through(&self, path: &str, is_local: &dyn Fn(&str) -> bool) -> Through {
        if is_local(path) {
            return Through::Found;
        }
        // The longest module of the path that imports the name behind it.
        let mut at = path.len();
        let mut behind = "";
        for _ in 0..STEPS {
            let (module, name) = path[..at].rsplit_once("::").unwrap_or(("", &path[..at]));
            if let Some(imports) = self.modules.get(module) {
                if let Some(target) = imports.names.get(name) {
                    return Through::Import(
                        module.to_owned(),
                        if behind.is_empty() { target.clone() } else { join_path(target, behind) },
                    );
                }
                if !is_local(&path[..at])
                    && let [glob] = &imports.globs[..]
                    && !glob.starts_with("super")
                {
                    return Through::Import(
                        module.to_owned(),
                        join_path(
                            glob,
                            if behind.is_empty() { name } else { &path[module.len()..] }
                                .trim_start_matches("::"),
                        ),
                    );
                }
            }
            if module.is_empty() {
                break;
            }
            behind = &path[module.len() + 2..];
            at = module.len();
        }
        Through::Found
    }

    fn by_glob(&self, module: &str, path: &str, is_local: &dyn Fn(&str) -> bool) -> Option<String> {
        let imports = self.modules.get(module)?;
        for glob in &imports.globs {
            if glob.starts_with("super") || glob.starts_with("crate") || glob.starts_with("self") {
                let place = match glob.as_str() {
                    "super" => module.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned(),
                    _ => self
                        .resolve(module, glob, &|_| true)
                        .trim_start_matches("crate")
                        .trim_start_matches("::")
                        .to_owned(),
                };
                if is_local(&join_path(&place, first(path))) {
                    return Some(join_path("crate", &join_path(&place, path)));
                }
                let target = self.modules.get(&place).and_then(|it| it.names.get(first(path)));
                if let Some(target) = target {
                    let rest = path.split_once("::").map_or("", |(_, rest)| rest);
                    let next = if rest.is_empty() { target.clone() } else { join_path(target, rest) };
                    return Some(self.outside(next));
                }
                continue;
            }
            let candidate = self.outside(join_path(glob, path));
            if super::table::knows(&candidate) {
                return Some(candidate);
            }
        }
        None
    }
}

enum Through {
    Found,
    Import(String, String),
}

pub(super) fn first(path: &str) -> &str {
    path.split_once("::").map_or(path, |(first, _)| first)
}

/// Crates that the compiler brings along.
pub(super) fn is_standard(name: &str) -> bool {
    matches!(name, "std" | "core" | "alloc" | "proc_macro" | "test")
}
