//! What is inside of a version's archive, for pages.
//!
//! Bytes come from the archive store and are unpacked under limits, in a thread that may block; what is made of them is made there, too, so
//! that no page holds an archive. Nothing is brought from an upstream for a page: to look at something is no reason to fetch it. Files
//! are bytes and text here; to parse what is in them is for the engine's workers.

use cratekeeper_archive::{CrateArchive, Expected, Limits, ReadError, read_crate_bytes};
use cratekeeper_store::{CrateRecord, Registry, VersionRecord};
use tokio::sync::Semaphore;

use super::layout::plain;
use super::tombstone::why_not;
use super::visitor::{Problem, Visitor};
use crate::blobs::BlobError;
use crate::error::Failure;
use crate::gate::Gate;

/// Archives that are unpacked for pages at the same time: each takes up to [`UNPACKED`] bytes.
static UNPACKING: Semaphore = Semaphore::const_new(2);

/// Largest archive for a page, unpacked; half of what is inspected. The largest honest crates have a hundred megabytes.
const UNPACKED: u64 = 256 << 20;

/// What `make` makes of a version's archive; or why there is nothing to show, as a sentence. What was taken down is opened for `looker` alone, with
/// an entry in the audit log that names what they look at.
pub(super) async fn of_version<T: Send + 'static>(
    gate: &Gate,
    looker: Option<(&Visitor, &str)>,
    registry: &Registry,
    krate: &CrateRecord,
    version: &VersionRecord,
    make: impl FnOnce(CrateArchive) -> T + Send + 'static,
) -> Result<Result<T, String>, Problem> {
    let kept = match looker {
        _ if !version.is_taken_down() => gate.blobs.get(&version.checksum).await,
        None => return Ok(Err("It was taken down.".to_owned())),
        Some((visitor, what)) => {
            if let Some(reason) = why_not(visitor, gate.now()) {
                return Ok(Err(reason.to_owned()));
            }
            match gate.evidence(&visitor.user.login, (krate, version), what.into()).await {
                Ok(bytes) => Ok(bytes),
                Err(failure) => {
                    return Ok(Err(format!("It was taken down, and {}.", plain(&failure.told()))));
                }
            }
        }
    };
    let bytes = match kept {
        Ok(bytes) => bytes,
        Err(BlobError::NotThere(_)) if gate.front(registry).is_some() => {
            let text = "Its archive is not here: nobody has fetched it from the upstream.";
            return Ok(Err(text.to_owned()));
        }
        Err(BlobError::NotThere(_)) => {
            return Ok(Err("Its archive is missing in the archive store.".to_owned()));
        }
        Err(error @ BlobError::Damaged { .. }) => {
            return Ok(Err(format!("Its archive is damaged: {error}.")));
        }
        Err(error) => return Err(Failure::Internal(crate::error::with_sources(&error)).into()),
    };
    let expected = Expected::package(&krate.name, version.version.to_string());
    let ended = || Failure::Internal("an archive could not be unpacked".to_owned());
    let turn = UNPACKING.acquire().await.map_err(|_| ended())?;
    let read = tokio::task::spawn_blocking(move || {
        // The thread goes on when whoever asked is gone: until then its place is taken.
        let _turn = turn;
        let limits = Limits { unpacked: UNPACKED, ..Limits::default() };
        read_crate_bytes(&bytes, &expected, &limits).map(make).map_err(|error| why(&error))
    });
    Ok(read.await.map_err(|_| ended())?)
}

/// Why an archive is not shown.
fn why(error: &ReadError) -> String {
    match error.refusal() {
        Some(refusal) => {
            format!("Its archive is refused ({}): {}.", refusal.code(), plain(&refusal.to_string()))
        }
        None => format!("Its archive cannot be read: {}.", plain(&error.to_string())),
    }
}

/// The text of a file, and whether all of it is UTF-8; `None` when it is no text. A NUL alone does not make it something else: whoever wants
/// to hide source would put one into a comment.
pub(super) fn text(bytes: &[u8]) -> Option<(std::borrow::Cow<'_, str>, bool)> {
    /// Bytes that are looked at.
    const LOOKED_AT: usize = 8_000;
    /// Of so many, one that is a control is too many for a text.
    const ONE_IN: usize = 10;

    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let is_control = |it: &&u8| it.is_ascii_control() && !matches!(**it, b'\t' | b'\n' | b'\r' | 0x0c);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let controls = start.iter().filter(is_control).count();
        return (controls * ONE_IN <= start.len()).then_some((text.into(), true));
    }
    (!start.contains(&0)).then(|| (String::from_utf8_lossy(bytes), false))
}

/// What kind of file it is, in a word or two.
pub(super) fn kind(path: &str, bytes: &[u8]) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map(|(_, it)| it);
    match (text(bytes).is_some(), ending) {
        _ if bytes.is_empty() => "empty",
        (false, _) => "binary",
        (true, Some("rs")) => "Rust",
        (true, Some("toml")) => "TOML",
        (true, _) if bytes.starts_with(b"#!") => "script",
        (true, _) => "text",
    }
}

/// A size as people read it.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_archive::CrateBuilder;

    use super::*;

    #[test]
    fn a_refusal_is_told_without_what_the_archive_writes_into_it() {
        let builder = CrateBuilder::new("demo", "1.0.0").symlink("a\u{202e}", "/etc/passwd");
        let read =
            read_crate_bytes(&builder.build(), &Expected::package("demo", "1.0.1"), &Limits::default());
        let told = why(&read.unwrap_err());
        assert!(told.starts_with("Its archive is refused (") && !told.contains('\u{202e}'), "{told}");
    }

    #[test]
    fn files_are_text_or_they_are_not() {
        assert_eq!(kind("src/lib.rs", b"fn f() {}"), "Rust");
        assert_eq!(kind("a", b"#!/bin/sh"), "script");
        assert_eq!(kind("a.rs", b"\xff\x00"), "binary");
        assert_eq!(kind("a.rs", b"// caf\xe9"), "Rust");
        assert!(!text(b"caf\xe9").unwrap().1);
        assert_eq!(kind("build.rs", b"// \0 hidden\nfn main() {}"), "Rust");
        assert_eq!(kind("a", b"a\0b"), "binary");
        assert_eq!([size(3), size(2_048), size(5 << 20)], ["3 B", "2.0 KiB", "5.0 MiB"]);
    }
}
