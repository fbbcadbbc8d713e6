//! Which state of a database lies on disk, and how old it is.
//!
//! Files inside `.git` are read as they are. Asking git would run it in a directory whose own
//! configuration names programs to start.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fs_err as fs;

use crate::Database;
use crate::shelf::read_limited;

/// File in `.git` that says: this clone is ours to replace. Written by [`update`](crate::update()).
pub(crate) const MARKER: &str = "cratekeeper-advisories";

/// Longest file inside `.git` that is read. `packed-refs` grows with the number of branches and tags: 16 MiB
/// are 200,000.
const GIT_FILE_BYTES: u64 = 16 << 20;

/// How many of the youngest advisories are read for their date. Ids are given in the order of publication,
/// but the date is that of the discovery, which may be weeks earlier.
const YOUNGEST: usize = 16;

/// How far in the future a time may lie and still be taken for "now": clocks of file servers differ.
const CLOCK_SKEW: Duration = Duration::from_secs(3600);

/// Which state of a database this is.
///
/// There are two kinds. Of a *clone* we know when it was last fetched. For a *plain directory* (an unpacked
/// archive, a copied folder) there is only the time of its newest file. That is right for archives, which
/// keep the times, and for checkouts by other tools; a copy that does not keep times (`cp -r`) makes old data
/// look new, and then only `newest_advisory_date` tells. That date in turn proves nothing for a private
/// database with one advisory a year, which is why it does not enter the age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Id of the commit that is checked out; `None` for plain directories.
    pub revision: Option<String>,
    /// When the data were last fetched; `None` for plain directories, and if the clone does not tell.
    pub fetched_at: Option<SystemTime>,
    /// When the newest advisory file was changed; `None` for clones, where that is the time of the checkout.
    pub newest_file: Option<SystemTime>,
    /// Latest date among the youngest advisories, `YYYY-MM-DD`; for people to compare.
    pub newest_advisory_date: Option<String>,
}

impl Snapshot {
    /// Age of the data at the time `now`: time since the last fetch, or since the newest file changed.
    ///
    /// `None` when nothing tells, or when the time is more than an hour in the future and so is not to be
    /// believed. With a required maximal age that means "could not check", never "fresh".
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Option<Duration> {
        let time = self.fetched_at.or(self.newest_file)?;
        match now.duration_since(time) {
            Ok(age) => Some(age),
            Err(error) => (error.duration() <= CLOCK_SKEW).then_some(Duration::ZERO),
        }
    }

    pub(crate) fn of(database: &Database) -> Snapshot {
        let git = git_directory(database.root());
        let files: Vec<PathBuf> = database.files().collect();
        Snapshot {
            revision: git.as_deref().and_then(revision),
            fetched_at: git.as_deref().and_then(fetched_at),
            newest_file: match git {
                Some(_) => None,
                None => files.iter().filter_map(|file| modified(&database.root().join(file))).max(),
            },
            newest_advisory_date: newest_advisory_date(database, files),
        }
    }
}

/// The `.git` directory of a clone. A `.git` *file* (worktrees, submodules) leads elsewhere and is not followed.
pub(crate) fn git_directory(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    fs::symlink_metadata(&git).is_ok_and(|metadata| metadata.is_dir()).then_some(git)
}

/// The commit that `HEAD` stands for.
pub(crate) fn revision(git: &Path) -> Option<String> {
    let head = read_text(&git.join("HEAD"))?;
    let Some(reference) = head.trim_end().strip_prefix("ref: ") else {
        return commit_id(&head);
    };
    // A reference is a path below `.git`, and this file may come from anybody.
    let safe =
        reference.starts_with("refs/") && reference.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !safe {
        return None;
    }
    let loose = read_text(&git.join(reference)).and_then(|text| commit_id(&text));
    loose.or_else(|| {
        let packed = read_text(&git.join("packed-refs"))?;
        let line = packed.lines().find_map(|line| line.strip_suffix(reference)?.strip_suffix(' '))?;
        commit_id(line)
    })
}

/// The text as a commit id: 40 hexadecimal digits, or 64 in SHA-256 repositories.
fn commit_id(text: &str) -> Option<String> {
    let text = text.trim_end();
    let valid = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| text.to_owned())
}

/// When a clone was last fetched.
///
/// For a clone of ours the marker says so in words. For others it is the time of `FETCH_HEAD`, unless that
/// is empty: git empties it before it connects, so that a failed fetch would look like a good one. Then, as
/// when there was no fetch since cloning, it is the time of the oldest file that cloning makes: the data are
/// at least as new as that.
fn fetched_at(git: &Path) -> Option<SystemTime> {
    if let Some(marker) = read_text(&git.join(MARKER)) {
        return parse_marker(&marker);
    }
    match fs::symlink_metadata(git.join("FETCH_HEAD")) {
        Ok(metadata) if metadata.len() > 0 => metadata.modified().ok(),
        _ => {
            let made_by_cloning = ["HEAD", "config", "description", "packed-refs"];
            made_by_cloning.iter().filter_map(|file| modified(&git.join(file))).min()
        }
    }
}

/// The text of a marker.
pub(crate) fn marker(fetched_at: SystemTime) -> String {
    let seconds = fetched_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("# Made by cratekeeper, which replaces this clone as a whole.\nfetched-at = {seconds}\n")
}

fn parse_marker(text: &str) -> Option<SystemTime> {
    let seconds = text.lines().find_map(|line| line.strip_prefix("fetched-at = "))?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn newest_advisory_date(database: &Database, mut files: Vec<PathBuf>) -> Option<String> {
    files.sort_by_key(|file| std::cmp::Reverse(number_of_id(file)));
    let youngest = files.iter().take(YOUNGEST);
    youngest.filter_map(|file| database.record(file)).map(|record| record.advisory.date.clone()).max()
}

/// Year and number of an id such as `RUSTSEC-2026-0260`.
fn number_of_id(file: &Path) -> Option<(u32, u32)> {
    let (id, number) = file.file_stem()?.to_str()?.rsplit_once('-')?;
    let (_, year) = id.rsplit_once('-')?;
    Some((year.parse().ok()?, number.parse().ok()?))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// A file's text, if it is a regular file, short enough and UTF-8.
fn read_text(path: &Path) -> Option<String> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    String::from_utf8(read_limited(path, GIT_FILE_BYTES).ok()??).ok()
}

#[cfg(test)]
mod tests;
