//! Packages in cargo's checkouts of git repositories.
//!
//! Git is never run: inside a repository it would obey that repository's configuration. A checkout counts
//! when cargo finished it and its `HEAD` is the locked commit; whether somebody edited the files later is
//! not seen, and cargo does not look either.

use std::path::{Path, PathBuf};

use cratekeeper_model::Package;
use fs_err as fs;

use super::{FetchError, Location, Origin, label, manifest};

/// Cargo's mark that a checkout is complete.
const COMPLETE: &str = ".cargo-ok";

/// Limits on the search for the package in a checkout.
const MAX_DIRECTORIES: usize = 50_000;
const MAX_DEPTH: usize = 12;

/// `.git/HEAD`, references and `packed-refs` are small in a checkout.
const MAX_REFERENCE_FILE: u64 = 16 << 20;

/// Finds `package` in a checkout of `url`, which carries the locked commit after `#`.
pub(super) fn find(home: &Path, url: &str, package: &Package) -> Result<Location, FetchError> {
    let refuse = |message: &str| FetchError::Git {
        what: label(package),
        url: crate::client::shown(url),
        message: message.to_owned(),
    };
    let commit = url.split_once('#').map_or("", |(_, commit)| commit);
    if !is_commit(commit) {
        return Err(refuse("the lockfile names no commit"));
    }
    let checkouts: Vec<PathBuf> = checkouts(&home.join("git/checkouts"), url, commit);
    if checkouts.is_empty() {
        return Err(refuse("cargo has not checked out the locked commit"));
    }
    let mut found = checkouts.iter().flat_map(|checkout| packages_in(checkout, package));
    match found.next() {
        None => Err(refuse("the checkout holds no such package")),
        Some(path) => Ok(Location::Directory { path, origin: Origin::GitCheckout, problems: Vec::new() }),
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Complete checkouts of `commit`: `<repository>-<hash>/<short commit>`. The hash depends on cargo's
/// version, so that every repository of that name is looked at; the commit tells them apart.
fn checkouts(root: &Path, url: &str, commit: &str) -> Vec<PathBuf> {
    let prefix = format!("{}-", repository_name(url));
    let repositories = children(root).into_iter().filter(|(name, _)| {
        name.to_lowercase().strip_prefix(&prefix).is_some_and(|hash| !hash.contains('-'))
    });
    let shortened = repositories
        .flat_map(|(_, path)| children(&path))
        .filter(|(name, _)| name.len() >= 4 && commit.starts_with(name.as_str()))
        .map(|(_, path)| path);
    shortened.filter(|path| path.join(COMPLETE).is_file() && head(path).as_deref() == Some(commit)).collect()
}

/// The last part of a repository's URL, lowercase, as cargo names directories.
fn repository_name(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let path = url[..end].trim_end_matches('/').trim_end_matches(".git");
    path.rsplit(['/', ':']).next().unwrap_or_default().to_lowercase()
}

fn children(directory: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let entries = entries.take(MAX_DIRECTORIES).filter_map(|entry| {
        let entry = entry.ok().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))?;
        Some((entry.file_name().into_string().ok()?, entry.path()))
    });
    let mut children: Vec<_> = entries.collect();
    children.sort();
    children
}

/// The commit that a checkout's `HEAD` stands for.
fn head(checkout: &Path) -> Option<String> {
    let git = checkout.join(".git");
    let read = |path: &Path| crate::files::read_text(path, MAX_REFERENCE_FILE).ok();
    let head = read(&git.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else { return Some(head.trim().to_owned()) };
    if !reference.starts_with("refs/") || reference.split('/').any(|part| part == "..") {
        return None;
    }
    if let Some(commit) = read(&git.join(reference)) {
        return Some(commit.trim().to_owned());
    }
    let packed = read(&git.join("packed-refs"))?;
    let line = packed.lines().find_map(|line| line.strip_suffix(reference)?.strip_suffix(' '));
    line.map(str::to_owned)
}

/// Directories of `checkout` with a manifest of `package`; those that also state its version come first.
fn packages_in(checkout: &Path, package: &Package) -> Vec<PathBuf> {
    let version = package.version.to_string();
    let mut found = Vec::new();
    let mut pending = vec![(checkout.to_owned(), 0)];
    let mut seen = 0;
    while let Some((directory, depth)) = pending.pop() {
        seen += 1;
        if seen > MAX_DIRECTORIES {
            break;
        }
        if let Some(identity) = manifest::read(&directory).filter(|found| found.name == package.name) {
            match identity.version() {
                Some(stated) if stated != version => {}
                stated => found.push((stated.is_none(), depth, directory.clone())),
            }
        }
        if depth < MAX_DEPTH {
            let below =
                children(&directory).into_iter().filter(|(name, _)| name != ".git" && name != "target");
            pending.extend(below.map(|(_, path)| (path, depth + 1)));
        }
    }
    found.sort();
    found.into_iter().map(|(_, _, directory)| directory).collect()
}
